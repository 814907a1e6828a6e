"""Gradients of every named expression, and of random ones, against differences and torch."""

import re

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from softmaxfx.golden.graph.expressions import EXPRESSIONS
from softmaxfx.golden.graph.notation import read

from . import exact

each = pytest.mark.parametrize("name", EXPRESSIONS)
FORMATS = r" : \w+(\(.*?\))?"


def run(text, at, upstream, given_rows):
    """The graph of a text, forward and backward."""
    graph = read(text)
    for name, row in given_rows.items():
        graph.give(name, np.asarray(row, float).reshape(graph[name].exact.shape or ()))
    graph.forward()
    graph.backward(graph[at], np.asarray(upstream))
    return graph


def assert_close(graph, gold, text):
    """Gradients agree, but for rounding of the largest that are added up."""
    parts = [np.abs(node.gradient).max() for node in graph.nodes]
    atol = 1e-12 * max(1.0, *parts)
    for name, row in gold.items():
        gradient = np.atleast_1d(graph[name].gradient)
        np.testing.assert_allclose(gradient, row, rtol=1e-9, atol=atol, err_msg=f"{name}\n{text}")


@each
def test_every_gradient_of_a_named_expression_is_what_differences_in_60_digits_see(name):
    text = EXPRESSIONS[name].text(None)
    rows = {
        other: np.asarray(row) + np.random.default_rng(1).normal(0, 0.3, len(row))
        for other, row in exact.inputs(text).items()
    }
    graph = read(text)
    graph.forward()
    for node in graph.outputs:
        upstream = np.random.default_rng(2).normal(size=node.value.size)
        gold = exact.gradients(text, node.name, upstream, rows)
        assert_close(run(text, node.name, upstream.reshape(node.value.shape), rows), gold, text)


@each
def test_the_text_of_a_named_expression_is_one_of_names_and_inputs(name):
    graph = read(EXPRESSIONS[name].text(None))
    assert {node.name for node in graph.inputs} == set(exact.inputs(EXPRESSIONS[name].text(None)))
    assert graph.inputs[0].name in ("x", "w")
    assert EXPRESSIONS[name].about


TORCH = {
    "exp": "torch.exp", "ln": "torch.log", "sigmoid": "torch.sigmoid", "relu": "torch.relu",
    "reciprocal": "torch.reciprocal", "max": "(lambda x: x.max(-1, keepdim=True)[0])",
    "sum": "(lambda x: x.sum(-1, keepdim=True))", "softmax": "(lambda x: torch.softmax(x, -1))",
}  # fmt: skip


@each
def test_every_gradient_of_a_named_expression_is_torchs(name):
    torch = pytest.importorskip("torch", reason="torch is not installed")
    text = EXPRESSIONS[name].text(None)
    rows = exact.inputs(text)
    names = {other: torch.tensor(row, dtype=torch.float64) for other, row in rows.items()}
    for tensor in names.values():
        tensor.requires_grad_()
    functions = {function: eval(python, {"torch": torch}) for function, python in TORCH.items()}
    for line in re.sub(FORMATS, "", text).splitlines():
        target, _, value = line.partition(" = ")
        if target not in names:
            names[target] = eval(value.replace("^", "**"), functions, names)
    output = text.splitlines()[-1].split()[0]
    upstream = np.random.default_rng(3).normal(size=names[output].shape)
    names[output].backward(torch.tensor(upstream))
    graph = run(text, output, upstream, rows)
    for other in rows:
        unused = torch.zeros(len(rows[other]), dtype=torch.float64)
        gold = names[other].grad if names[other].grad is not None else unused
        gradient = np.atleast_1d(graph[other].gradient)
        np.testing.assert_allclose(gradient, gold.numpy(), rtol=1e-11, atol=1e-13)


def test_the_gradient_of_the_loss_is_what_the_unit_gives_beside_it():
    graph = read(EXPRESSIONS["cross_entropy"].text(None))
    graph.forward()
    graph.backward(graph["loss"])
    np.testing.assert_allclose(graph["x"].gradient, graph["g"].value, rtol=1e-12)


def test_the_backward_unit_gives_the_gradient_of_the_softmax_unit():
    unit = read(EXPRESSIONS["softmax_backward"].text(None))
    unit.forward()
    softmax = read(EXPRESSIONS["softmax"].text(None))
    softmax.forward()
    softmax.backward(softmax["p"], unit["dp"].value)
    np.testing.assert_allclose(softmax["x"].gradient, unit["ds"].value, rtol=1e-12)


def test_the_softmaxes_are_one_function():
    values = []
    for name in ("softmax", "naive_softmax", "base2_softmax"):
        graph = read(EXPRESSIONS[name].text(None))
        graph.forward()
        values.append(graph["p"].value)
    np.testing.assert_allclose(values, [values[0]] * 3, rtol=1e-14)


NUMBERS = st.integers(-24, 24).map(lambda eighths: eighths / 8)
FUNCTIONS = ("exp", "ln", "max", "sum", "reciprocal", "sigmoid", "relu", "softmax")
SIGNS = ("+", "-", "*", "/")


@st.composite
def texts(draw):
    """A graph of a row of three, another, and a number; every line uses what stands above."""
    rows = [draw(st.lists(NUMBERS, min_size=n, max_size=n)) for n in (3, 3, 1)]
    lines = [f"{n} = {' '.join(map(str, row))}" for n, row in zip("xya", rows, strict=True)]
    rows_above, names = ["x", "y"], ["x", "y", "a"]
    for k in range(draw(st.integers(1, 6))):
        kind = draw(st.sampled_from(("function", "infix", "number", "power", "limit", "nested")))
        one, other = (draw(st.sampled_from(names)) for _ in range(2))
        row = draw(st.sampled_from(rows_above))
        function = draw(st.sampled_from(FUNCTIONS))
        taken = row if function in ("max", "sum", "softmax") else one
        sign = draw(st.sampled_from(SIGNS))
        number = draw(st.sampled_from((0.5, 2, 3, -1.25)))
        value = {
            "function": f"{function}({taken})",
            "infix": f"{one} {sign} {other}",
            "number": f"{number} {sign} {one} * {number}",
            "power": f"2 ^ {one}" if sign == "+" else f"{one} ^ {abs(int(number)) or 2}",
            "limit": f"clip({one}, -1.5, {abs(number)})",
            "nested": f"-({one} {sign} {other}) + {function}({taken})",
        }[kind]
        lines.append(f"v{k} = {value}")
        names.append(f"v{k}")
        graph = read("\n".join(lines))
        graph.forward()
        if graph[f"v{k}"].value.shape == (3,):
            rows_above.append(f"v{k}")
    return "\n".join(lines), names[-1]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
@given(texts(), st.integers(0, 2**32 - 1))
def test_gradients_of_random_expressions_are_what_differences_in_60_digits_see(drawn, seed):
    text, at = drawn
    rows = exact.inputs(text)
    try:
        values = exact.evaluate(text, rows)
        upstream = np.random.default_rng(seed).normal(size=len(values[at].numbers))
        gold = exact.gradients(text, at, upstream, rows)
    except exact.UnsafeError:
        assume(False)
    graph = read(text)
    graph.forward()
    upstream = upstream.reshape(graph[at].value.shape)
    graph = run(text, at, upstream, rows)
    for name, row in values.items():
        value = np.atleast_1d(graph[name].value)
        np.testing.assert_allclose(value, np.array(row.numbers, float), rtol=1e-9, atol=1e-9)
    assert_close(graph, gold, text)
