"""Every gate: its text-book pattern, both products with its Jacobian, and what it refuses."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pytest

from softmaxfx.golden.graph.gates import (
    Add,
    Copy,
    Exp,
    Gate,
    Ln,
    MatMul,
    Max,
    Mul,
    Reciprocal,
    ReLU,
    Subtract,
    Sum,
    sum_to,
)
from softmaxfx.golden.graph.grouped_gates import Clip, Sigmoid, Softmax, SoftmaxWithLoss
from softmaxfx.golden.types import Reals


class Case(NamedTuple):
    """A gate and a way to draw inputs for it, away from its kinks.

    Where its gradient rule is not its derivative, ``is_derivative`` says so. Inputs that have no
    gradient are ``fixed``.
    """

    gate: Gate
    draw: Callable[[np.random.Generator], tuple[Reals, ...]]
    is_derivative: bool = True
    fixed: tuple[int, ...] = ()


def normal(*shapes):
    return lambda rng: tuple(np.asarray(rng.normal(0, 1.5, shape)) for shape in shapes)


def positive(*shapes):
    return lambda rng: tuple(rng.uniform(0.2, 3, shape) for shape in shapes)


def off_kinks(*shapes):
    """At least 0.05 away from every whole number and from each other."""
    return lambda rng: tuple(
        rng.permutation(np.arange(np.prod(shape, dtype=int)) - 5.0).reshape(shape)
        + rng.uniform(0.1, 0.9, shape)
        for shape in shapes
    )


def with_targets(rng):
    return rng.normal(0, 2, (3, 5)), rng.integers(0, 5, 3).astype(float)


CASES = {
    "add": Case(Add(), normal((3, 4), (3, 4))),
    "add, scalars": Case(Add(), normal((), ())),
    "add, broadcast": Case(Add(), normal((2, 3, 4), (3, 1))),
    "subtract": Case(Subtract(), normal((3, 4), (3, 4))),
    "subtract, broadcast": Case(Subtract(), normal((3, 4), (3, 1))),
    "subtract, both broadcast": Case(Subtract(), normal((1, 4), (3, 1))),
    "copy": Case(Copy(4), normal((3, 1))),
    "copy, scalar": Case(Copy(2), normal(())),
    "sum": Case(Sum(), normal((2, 3, 4))),
    "max": Case(Max(), off_kinks((3, 4))),
    "mul": Case(Mul(), normal((3, 4), (3, 4))),
    "mul, scalars": Case(Mul(), normal((), ())),
    "mul, broadcast": Case(Mul(), normal((3, 4), (4,))),
    "matmul": Case(MatMul(), normal((3, 4), (4, 2))),
    "matmul, one row": Case(MatMul(), normal((4,), (4, 2))),
    "matmul, deep batch": Case(MatMul(), normal((2, 3, 4), (4, 5))),
    "relu": Case(ReLU(), off_kinks((3, 4))),
    "exp": Case(Exp(), normal((3, 4))),
    "ln": Case(Ln(), positive((3, 4))),
    "reciprocal": Case(Reciprocal(), positive((3, 4))),
    "sigmoid": Case(Sigmoid(), normal((3, 4))),
    "clip": Case(Clip(-2, 3), off_kinks((3, 4))),
    "clip, pass": Case(Clip(-2, 3, "pass"), off_kinks((3, 4)), is_derivative=False),
    "softmax": Case(Softmax(), normal((2, 3, 4))),
    "softmax, one row": Case(Softmax(), normal((6,))),
    "loss of an index": Case(SoftmaxWithLoss(), with_targets, fixed=(1,)),
    "loss of probabilities": Case(SoftmaxWithLoss("probabilities"), positive((3, 5), (3, 5))),
}
DERIVATIVES = {name: case for name, case in CASES.items() if case.is_derivative}
each = pytest.mark.parametrize("case", CASES.values(), ids=CASES)
each_derivative = pytest.mark.parametrize("case", DERIVATIVES.values(), ids=DERIVATIVES)


def drawn(case, seed=1):
    """Inputs, output, an upstream gradient and tangents of a case."""
    rng = np.random.default_rng(seed)
    inputs = case.draw(rng)
    output = case.gate.forward(*inputs)
    upstream = np.asarray(rng.normal(size=output.shape))
    tangents = tuple(
        np.asarray(rng.normal(size=x.shape)) * (k not in case.fixed) for k, x in enumerate(inputs)
    )
    return inputs, output, upstream, tangents


@each
def test_backward_is_the_transpose_of_push(case):
    for seed in range(5):
        inputs, output, upstream, tangents = drawn(case, seed)
        downstream = case.gate.backward(upstream, inputs, output)
        pushed = case.gate.push(tangents, inputs, output)
        dot = sum(float((d * t).sum()) for d, t in zip(downstream, tangents, strict=True))
        assert float((upstream * pushed).sum()) == pytest.approx(dot, rel=1e-12, abs=1e-12)


@each_derivative
def test_push_is_the_slope_that_finite_differences_see(case):
    h = 1e-6
    for seed in range(3):
        inputs, output, _, tangents = drawn(case, seed)
        pushed = case.gate.push(tangents, inputs, output)
        up, down = (
            case.gate.forward(*(x + step * t for x, t in zip(inputs, tangents, strict=True)))
            for step in (h, -h)
        )
        np.testing.assert_allclose(pushed, (up - down) / (2 * h), rtol=1e-6, atol=1e-7)


@each
def test_gradients_and_tangents_have_the_shapes_of_what_they_belong_to(case):
    inputs, output, upstream, tangents = drawn(case)
    before = [x.copy() for x in inputs]
    downstream = case.gate.backward(upstream, inputs, output)
    assert [d.shape for d in downstream] == [x.shape for x in inputs]
    assert case.gate.push(tangents, inputs, output).shape == output.shape
    assert len(case.gate.multiply_adds(inputs, output)) == case.gate.arity == len(inputs)
    for x, old in zip(inputs, before, strict=True):
        np.testing.assert_array_equal(x, old)


def explicit_jacobian(gate, inputs, k):
    """dy/dx of input ``k``, column for column, from finite differences of the forward alone."""
    columns = []
    for place in range(inputs[k].size):
        step = np.zeros(inputs[k].size)
        step[place] = 1e-6
        step = step.reshape(inputs[k].shape)
        up, down = (
            gate.forward(*inputs[:k], inputs[k] + s, *inputs[k + 1 :]) for s in (step, -step)
        )
        columns.append(((up - down) / 2e-6).ravel())
    return np.stack(columns, axis=1)


@each_derivative
def test_backward_is_a_row_times_the_explicit_jacobian(case):
    inputs, output, upstream, _ = drawn(case)
    for k, gradient in enumerate(case.gate.backward(upstream, inputs, output)):
        if k not in case.fixed:
            jacobian = explicit_jacobian(case.gate, inputs, k)
            gold = (upstream.ravel() @ jacobian).reshape(inputs[k].shape)
            np.testing.assert_allclose(gradient, gold, rtol=1e-6, atol=1e-7)


def backward(gate, upstream, *inputs):
    """The gradients of inputs given as plain numbers or lists."""
    arrays = tuple(np.asarray(x, float) for x in inputs)
    return [
        g.tolist()
        for g in gate.backward(np.asarray(upstream, float), arrays, gate.forward(*arrays))
    ]


def test_add_distributes_the_gradient():
    assert backward(Add(), 7, 2, 3) == [7, 7]
    assert backward(Subtract(), 7, 2, 3) == [7, -7]


def test_copy_sums_the_gradients_of_its_copies():
    assert backward(Copy(3), [1, 20, 300], 5) == [321]
    assert backward(Copy(2), [[1, 2], [3, 4]], [[5], [6]]) == [[[3], [7]]]


def test_sum_copies_the_gradient_to_its_terms():
    assert backward(Sum(), [[7], [9]], [[1, 2], [3, 4]]) == [[[7, 7], [9, 9]]]


def test_mul_swaps_its_inputs():
    assert backward(Mul(), 7, 2, 3) == [21, 14]


def test_max_routes_the_gradient_to_the_largest():
    assert backward(Max(), [[7], [8]], [[2, 5, 3], [9, -1, 0]]) == [[[0, 7, 0], [8, 0, 0]]]


def test_among_equals_the_first_is_the_maximum_in_both_directions():
    x = np.array([[1.0, 5, 5, 5], [2, 2, 2, 2]])
    top = Max().forward(x)
    assert backward(Max(), [[7], [8]], x) == [[[0, 7, 0, 0], [8, 0, 0, 0]]]
    tangent = np.array([[1.0, 20, 300, 4000], [1, 20, 300, 4000]])
    assert Max().push((tangent,), (x,), top).tolist() == [[20], [1]]


def test_relu_applies_the_diagonal_of_its_jacobian_as_a_mask():
    x = np.array([-2.0, 0, 3, -1, 4])
    jacobian = np.diag([0.0, 0, 1, 0, 1])
    upstream = np.array([5.0, 6, 7, 8, 9])
    assert ReLU().slope(x, ReLU().forward(x)).tolist() == np.diag(jacobian).tolist()
    assert backward(ReLU(), upstream, x) == [(upstream @ jacobian).tolist()]
    assert ReLU().multiply_adds((x,), x) == (5,)  # the jacobian has 25 entries


def test_relu_of_a_large_batch_costs_no_more_than_its_size():
    x = np.random.default_rng(1).normal(size=(1000, 1000))  # a jacobian would take 8 terabytes
    (gradient,) = ReLU().backward(np.ones_like(x), (x,), ReLU().forward(x))
    np.testing.assert_array_equal(gradient, x > 0)


def test_exp_ln_and_reciprocal_have_their_slopes():
    assert backward(Exp(), 3, np.log(2)) == [pytest.approx(6)]
    assert backward(Ln(), 3, 4) == [0.75]
    assert backward(Reciprocal(), 3, 4) == [-3 / 16]


def test_matmul_is_the_product_with_its_explicit_jacobians():
    rng = np.random.default_rng(2)
    x, w, u = rng.normal(size=(3, 4)), rng.normal(size=(4, 2)), rng.normal(size=(3, 2))
    dx, dw = MatMul().backward(u, (x, w), x @ w)
    # y[b, m] depends on x[b, n] by w[n, m], and on w[n, m] by x[b, n]
    by_x = np.einsum("bc,nm->bmcn", np.eye(3), w)
    by_w = np.einsum("bn,mk->bmnk", x, np.eye(2))
    np.testing.assert_allclose(dx, np.einsum("bm,bmcn->cn", u, by_x), rtol=1e-14)
    np.testing.assert_allclose(dw, np.einsum("bm,bmnk->nk", u, by_w), rtol=1e-14)
    np.testing.assert_array_equal(dx, u @ w.T)
    np.testing.assert_array_equal(dw, x.T @ u)


def test_a_gradient_is_summed_over_the_axes_that_were_broadcast():
    gradient = np.arange(24.0).reshape(2, 3, 4)
    assert sum_to(gradient, ()) == 276
    assert sum_to(gradient, (4,)).tolist() == [60, 66, 72, 78]
    assert sum_to(gradient, (3, 1)).tolist() == [[60], [92], [124]]
    np.testing.assert_array_equal(sum_to(gradient, (2, 3, 4)), gradient)


@pytest.mark.parametrize(
    ("gate", "inputs", "message"),
    [
        (Add(), ([1, 2], [1, 2, 3]), r"add takes shapes that broadcast, not \(2,\) and \(3,\)"),
        (Subtract(), ([1, 2], [1, 2, 3]), "subtract takes shapes that broadcast"),
        (Mul(), ([1, 2], [1, 2, 3]), "mul takes shapes that broadcast"),
        (MatMul(), ([1, 2], [[1], [2], [3]]), r"matmul takes .* not \(2,\) and \(3, 1\)"),
        (MatMul(), (2, [[1]]), r"matmul takes .* not \(\) and \(1, 1\)"),
        (MatMul(), ([1], [1]), r"matmul takes .* not \(1,\) and \(1,\)"),
        (Copy(3), ([1, 2],), r"copy takes a last axis of length 1, not shape \(2,\)"),
        (Sum(), (1,), r"sum takes rows of at least one element, not shape \(\)"),
        (Max(), ([[], []],), r"max takes rows of at least one element, not shape \(2, 0\)"),
        (Softmax(), (1,), r"softmax takes rows of at least one element, not shape \(\)"),
        (Ln(), ([1, 0, -2],), r"ln takes values above 0, not -2\.0"),
        (Reciprocal(), ([1, 0],), r"reciprocal takes values other than 0, not 0\.0"),
    ],
)
def test_inputs_without_a_value_are_refused_in_a_sentence(gate, inputs, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        gate.forward(*(np.asarray(x, float) for x in inputs))


def test_a_copy_of_nothing_is_refused():
    with pytest.raises(ValueError, match="count of a copy gate must be at least 1, not 0"):
        Copy(0)


def test_gates_of_the_same_settings_are_equal():
    assert Add() == Add()
    assert Clip(-1, 1) == Clip(-1, 1) != Clip(-1, 1, "pass")
