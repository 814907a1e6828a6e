"""Every gate: its value, and its gradient against differences in 60 digits; and text-book cases."""

import numpy as np
import pytest

from softmaxfx.golden.graph import arithmetic, functions, rows
from softmaxfx.golden.graph.arithmetic import Add, Copy, Divide, Multiply, Negate, Subtract
from softmaxfx.golden.graph.functions import (
    Clip,
    Exp,
    Exponential,
    Ln,
    Power,
    Reciprocal,
    ReLU,
    Saturate,
    Sigmoid,
)
from softmaxfx.golden.graph.gate import Gate, sum_to
from softmaxfx.golden.graph.notation import read
from softmaxfx.golden.graph.rows import Max, Softmax, Sum

from .exact import evaluate, gradients, inputs

X, Y, A = "x = 1.5 -0.75 2.25 0.375\n", "y = -2.5 0.5 1.25 -1\n", "a = 1.75\n"
POSITIVE = "x = 1.5 0.75 2.25 0.375\n"

CASES = {
    "add": f"{X}{Y}f = x + y",
    "add, a number": f"{X}{A}f = a + x",
    "add, the same": f"{X}f = x + x",
    "subtract": f"{X}{Y}f = x - y",
    "subtract a number": f"{X}{A}f = x - a",
    "subtract from a number": f"{X}{A}f = a - x",
    "multiply": f"{X}{Y}f = x * y",
    "multiply, a number": f"{X}{A}f = x * a",
    "multiply, the same": f"{X}f = x * x",
    "divide": f"{X}{Y}f = x / y",
    "divide by a number": f"{X}{A}f = x / a",
    "divide a number": f"{X}{A}f = a / x",
    "negate": f"{X}f = -x",
    "copy": f"{X}f = x",
    "sum": f"{X}f = sum(x)",
    "max": f"{X}f = max(x)",
    "softmax": f"{X}f = softmax(x)",
    "exp": f"{X}f = exp(x)",
    "ln": f"{POSITIVE}f = ln(x)",
    "reciprocal": f"{X}f = reciprocal(x)",
    "sigmoid": f"{X}f = sigmoid(x)",
    "relu": f"{X}f = relu(x)",
    "square": f"{X}f = x ^ 2",
    "cube of the negative": f"{X}f = x ^ -3",
    "root": f"{POSITIVE}f = x ^ 0.5",
    "power of 2": f"{X}f = 2 ^ x",
    "power of a half": f"{X}f = 0.5 ^ x",
    "clip": f"{X}f = clip(x, -0.5, 2)",
}
each = pytest.mark.parametrize("text", CASES.values(), ids=CASES)


def run(text, upstream=None):
    """The graph of a text, forward and backward from f."""
    graph = read(text)
    graph.forward()
    graph.backward(graph["f"], upstream)
    return graph


@each
def test_the_value_is_that_of_high_precision(text):
    gold = evaluate(text, inputs(text))["f"].numbers
    value = np.atleast_1d(run(text)["f"].value)
    np.testing.assert_allclose(value, np.array(gold, float), rtol=1e-14)


@each
def test_the_gradient_is_what_differences_in_60_digits_see(text):
    size = run(text)["f"].value.size
    for upstream in np.random.default_rng(1).normal(size=(3, size)):
        graph = run(text, upstream)
        for name, gold in gradients(text, "f", upstream, inputs(text)).items():
            gradient = np.atleast_1d(graph[name].gradient)
            np.testing.assert_allclose(gradient, gold, rtol=1e-13, atol=1e-13)


@each
def test_gradients_have_the_shapes_of_what_they_belong_to(text):
    for node in run(text).nodes:
        assert node.gradient.shape == node.value.shape
        for source, gradient in zip(node.inputs, node.downstream, strict=True):
            assert gradient.shape == source.value.shape


def test_every_gate_has_a_case():
    gates = {
        thing
        for module in (arithmetic, functions, rows)
        for thing in vars(module).values()
        if isinstance(thing, type)
        and issubclass(thing, Gate)
        and thing.__module__ != Gate.__module__
    }
    tried = {type(node.gate) for text in CASES.values() for node in run(text).nodes}
    assert gates - tried == {Saturate}, "saturate has a gradient that is not its derivative"


def backward(gate, upstream, *operands):
    """The gradients of inputs given as plain numbers or lists."""
    arrays = tuple(np.asarray(x, float) for x in operands)
    output = gate.forward(*arrays)
    return [g.tolist() for g in gate.backward(np.asarray(upstream, float), arrays, output)]


def test_add_distributes_the_gradient():
    assert backward(Add(), 7, 2, 3) == [7, 7]
    assert backward(Subtract(), 7, 2, 3) == [7, -7]


def test_multiply_swaps_its_inputs():
    assert backward(Multiply(), 7, 2, 3) == [21, 14]
    assert backward(Divide(), 8, 3, 2) == [4, -6]


def test_sum_copies_the_gradient_to_its_terms():
    assert backward(Sum(), [[7], [9]], [[1, 2], [3, 4]]) == [[[7, 7], [9, 9]]]


def test_max_routes_the_gradient_to_the_largest():
    assert backward(Max(), [[7], [8]], [[2, 5, 3], [9, -1, 0]]) == [[[0, 7, 0], [8, 0, 0]]]


def test_among_equals_the_first_is_the_maximum():
    x = [[1.0, 5, 5, 5], [2, 2, 2, 2]]
    assert backward(Max(), [[7], [8]], x) == [[[0, 7, 0, 0], [8, 0, 0, 0]]]


def test_relu_passes_where_its_input_is_above_0():
    assert backward(ReLU(), [5, 6, 7, 8, 9], [-2, 0, 3, -1, 4]) == [[0, 0, 7, 0, 9]]


def test_exp_ln_and_reciprocal_have_their_slopes():
    assert backward(Exp(), 3, np.log(2)) == [pytest.approx(6)]
    assert backward(Ln(), 3, 4) == [0.75]
    assert backward(Reciprocal(), 3, 4) == [-3 / 16]


def test_negate_and_copy_are_linear():
    assert backward(Negate(), [3, 4], [1, 2]) == [[-3, -4]]
    assert backward(Copy(), [3, 4], [1, 2]) == [[3, 4]]


@pytest.mark.parametrize(("exponent", "slopes"), [(0, [0, 0]), (1, [1, 1]), (2, [0, 6])])
def test_a_power_has_a_slope_at_0(exponent, slopes):
    assert backward(Power(exponent), [1, 1], [0, 3]) == [slopes]


def test_clip_stops_a_gradient_and_saturate_hands_it_through():
    x = [-1.5, -1.0, 0.5, 2.0, 2.5]
    assert Clip(-1, 2).forward(np.array(x)).tolist() == [-1, -1, 0.5, 2, 2]
    assert backward(Clip(-1, 2), np.ones(5), x) == [[0, 1, 1, 1, 0]]
    assert Saturate(-1, 2).forward(np.array(x)).tolist() == [-1, -1, 0.5, 2, 2]
    assert backward(Saturate(-1, 2), np.ones(5), x) == [[1, 1, 1, 1, 1]]


def test_sigmoid_does_not_overflow():
    with np.errstate(all="raise", under="ignore"):
        assert Sigmoid().forward(np.array([-800.0, 0, 800])).tolist() == [0, 0.5, 1]


def test_a_gradient_is_summed_over_the_axes_that_were_broadcast():
    gradient = np.arange(24.0).reshape(2, 3, 4)
    assert sum_to(gradient, ()) == 276
    assert sum_to(gradient, (4,)).tolist() == [60, 66, 72, 78]
    assert sum_to(gradient, (3, 1)).tolist() == [[60], [92], [124]]
    np.testing.assert_array_equal(sum_to(gradient, (2, 3, 4)), gradient)


P = np.array([0.1, 0.5, 0.4])


def test_the_text_books_softmax_jacobian():
    gold = [[0.09, -0.05, -0.04], [-0.05, 0.25, -0.20], [-0.04, -0.20, 0.24]]
    np.testing.assert_allclose(np.diag(P) - np.outer(P, P), gold, atol=1e-15)
    rows_of = [backward(Softmax(), row, np.log(P))[0] for row in np.eye(3)]
    np.testing.assert_allclose(rows_of, gold, atol=1e-15)


def test_the_softmax_jacobian_times_a_gradient_in_its_three_forms():
    rng = np.random.default_rng(9)
    for n in (1, 2, 3, 10, 100):
        p, dp = rng.dirichlet(np.ones(n)), rng.normal(size=n)
        (gate,) = Softmax().backward(dp, (np.log(p),), p)
        for gold in (
            (np.diag(p) - np.outer(p, p)) @ dp,
            p * dp - (p @ dp) * p,
            p * (dp - (p * dp).sum()),
        ):
            np.testing.assert_allclose(gate, gold, rtol=1e-12, atol=1e-15)


def test_softmax_does_not_overflow():
    with np.errstate(all="raise", under="ignore"):
        assert Softmax().forward(np.array([1e4, 0, 1e4])).tolist() == [0.5, 0, 0.5]


@pytest.mark.parametrize(
    ("gate", "operands", "message"),
    [
        (Add(), ([1, 2], [1, 2, 3]), r"\+ takes rows of one length, or a row and a number, not "),
        (Subtract(), ([1, 2], [1, 2, 3]), r"- takes rows of one length.* \(2,\) and \(3,\)"),
        (Multiply(), ([1, 2], [1, 2, 3]), r"\* takes rows of one length"),
        (Divide(), ([1, 2], [1, 2, 3]), r"/ takes rows of one length"),
        (Sum(), (1,), "sum takes a row, not a single number"),
        (Max(), (1,), "max takes a row, not a single number"),
        (Softmax(), (1,), "softmax takes a row, not a single number"),
    ],
)
def test_shapes_without_a_value_are_refused_in_a_sentence(gate, operands, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        gate.forward(*(np.asarray(x, float) for x in operands))


def test_settings_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match="clip takes a lower and an upper limit, not 2 and 1"):
        Clip(2, 1)
    with pytest.raises(ValueError, match=r"\^ takes a base above 0, not -2"):
        Exponential(-2)


def test_gates_are_spelled_in_the_notation():
    assert Add().spelled("x", "y") == "x + y"
    assert Exponential(2).spelled("x") == "2 ^ x"
    assert Power(0.5).spelled("x") == "x ^ 0.5"
    assert Clip(-1, 2.5).spelled("x") == "clip(x, -1, 2.5)"
    assert Negate().spelled("x") == "-x"
