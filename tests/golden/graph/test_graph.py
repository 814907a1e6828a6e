"""Text-book graphs, values as hardware holds them, and where gradients begin and end."""

import numpy as np
import pytest

from softmaxfx.golden.formats import SQ
from softmaxfx.golden.graph.fixed import Fixed
from softmaxfx.golden.graph.notation import read

PRODUCT = "x = -2\ny = 5\nz = -4\nq = x + y\nf = q * z"


def run(text, at=None, upstream=None, **given):
    """The graph of a text, forward and backward."""
    graph = read(text)
    for name, row in given.items():
        graph.give(name, np.asarray(row, float))
    graph.forward()
    node = graph[at] if at else graph.nodes[-1]
    graph.backward(node, None if upstream is None else np.asarray(upstream, float))
    return graph


def test_the_text_books_product_of_a_sum():
    graph = run(PRODUCT)
    assert (graph["q"].value, graph["f"].value) == (3, -12)
    assert {name: graph[name].gradient.item() for name in "xyzqf"} == {
        "x": -4, "y": -4, "z": 3, "q": -4, "f": 1,
    }  # fmt: skip
    assert graph["f"].downstream == (-4, 3)


NEURON = "w0 = 2\nx0 = -1\nw1 = -3\nx1 = -2\nw2 = -3\n"


def test_the_text_books_neuron_step_by_step():
    graph = run(f"{NEURON}s = w0 * x0 + w1 * x1 + w2\nn = s * -1\ne = exp(n)\nd = e + 1\nf = 1 / d")
    assert [round(graph[name].value.item(), 2) for name in "sned"] == [1, -1, 0.37, 1.37]
    assert [round(graph[name].gradient.item(), 2) for name in "sned"] == [0.2, -0.2, -0.53, -0.53]
    inputs = {node.name: round(node.gradient.item(), 2) for node in graph.inputs}
    assert inputs == {"w0": -0.20, "x0": 0.39, "w1": -0.39, "x1": -0.59, "w2": 0.20}


def test_the_grouped_sigmoid_is_its_chain():
    chain = run(f"{NEURON}f = 1 / (1 + exp(-(w0 * x0 + w1 * x1 + w2)))")
    grouped = run(f"{NEURON}f = sigmoid(w0 * x0 + w1 * x1 + w2)")
    assert grouped["f"].value == pytest.approx(chain["f"].value, rel=1e-15)
    for name in ("w0", "x0", "w1", "x1", "w2"):
        assert grouped[name].gradient == pytest.approx(chain[name].gradient, rel=1e-14)


SOFTMAX = "x = 1 2 3\nm = max(x)\nd = x - m\ne = exp(d)\ns = sum(e)\nr = reciprocal(s)\np = e * r"


@pytest.mark.parametrize("n", [1, 2, 7, 40])
def test_the_grouped_softmax_is_its_chain_and_max_routes_nothing(n):
    rng = np.random.default_rng(n)
    x, upstream = np.round(rng.normal(0, 3, n)), rng.normal(size=n)
    chain, grouped = run(SOFTMAX, x=x, upstream=upstream), run("x = 1,\np = softmax(x)", x=x)
    grouped.backward(grouped["p"], upstream)
    np.testing.assert_allclose(chain["p"].value, grouped["p"].value, rtol=1e-13)
    np.testing.assert_allclose(chain["x"].gradient, grouped["x"].gradient, rtol=1e-11, atol=1e-14)
    # whatever the rule for ties: there is nothing to route
    np.testing.assert_allclose(chain["m"].gradient, 0, atol=1e-14)


def test_the_edges_of_the_softmax_chain_hold_what_the_gates_formula_is_made_of():
    x, dp = np.random.default_rng(2).normal(0, 3, (2, 7))
    chain = run(SOFTMAX, x=x, upstream=dp)
    p, e, r = (chain[name].value for name in "per")
    d = (p * dp).sum()
    through_mul, to_r = chain["p"].downstream
    np.testing.assert_allclose(through_mul * e, p * dp, rtol=1e-13)
    np.testing.assert_allclose(to_r * r, d, rtol=1e-13)
    np.testing.assert_allclose(chain["s"].gradient, -d * r, rtol=1e-13)
    np.testing.assert_allclose(chain["e"].gradient, (dp - d) * r, rtol=1e-12)
    np.testing.assert_allclose(chain["d"].gradient, p * (dp - d), rtol=1e-12)


def test_a_row_of_softmax_gradients_sums_to_zero():
    x, dp = np.random.default_rng(3).normal(0, 4, (2, 30))
    assert run(SOFTMAX, x=x, upstream=dp)["x"].gradient.sum() == pytest.approx(0, abs=1e-14)


def test_the_maximum_alone_does_route():
    assert run("x = 1 3 3\nm = max(x)")["x"].gradient.tolist() == [0, 1, 0]


def test_a_node_that_feeds_several_gates_sums_its_gradients():
    graph = run("x = 3\ny = 5\nu = x * y\nv = x * x\nf = u + v")
    assert (graph["x"].gradient, graph["y"].gradient) == (5 + 2 * 3, 3)
    assert graph["v"].downstream == (3, 3)


def test_a_number_that_goes_with_a_row_gets_the_sum_over_it():
    graph = run("x = 1 2 3\na = 5\nf = a * x", upstream=[1, 10, 100])
    assert graph["a"].gradient == 321


def test_any_node_can_be_differentiated():
    graph = run(PRODUCT, at="q")
    assert [graph[name].gradient.item() for name in "xyzf"] == [1, 1, 0, 0]
    assert run(PRODUCT, at="z", upstream=7)["z"].gradient == 7


def test_a_row_is_weighted_by_its_first_element_unless_weights_are_given():
    assert run("x = 1 2 3\nf = x * x")["x"].gradient.tolist() == [2, 0, 0]
    assert run("x = 1 2 3\nf = x * x", upstream=[0, 1, 1])["x"].gradient.tolist() == [0, 4, 6]
    assert run("x = 1 2 3\nf = x * x", upstream=1)["x"].gradient.tolist() == [2, 4, 6]


def test_weights_of_another_length_are_refused():
    with pytest.raises(ValueError, match="the gradient of f must have its 3 elements, not 2"):
        run("x = 1 2 3\nf = x * x", upstream=[1, 2])


def test_what_is_not_on_the_way_has_no_gradient_though_it_overflows():
    graph = run("x = 1000\ne = exp(x)\nf = x * 2")
    assert graph["e"].value == np.inf
    assert graph["x"].gradient == 2


def test_a_second_backward_forgets_the_first():
    graph = run(PRODUCT)
    graph.backward(graph["q"])
    graph.backward(graph["f"])
    assert graph["x"].gradient == -4


def test_an_input_can_be_given_another_value_of_its_kind():
    assert run("x = 1 2\nf = sum(x)", x=5)["x"].value.shape == (1,)
    assert run("x = 1\nf = x * 2", x=[5, 6])["f"].value.tolist() == [10, 12]


@pytest.mark.parametrize("name", ["f", "multiply_1", "number_1", "z"])
def test_what_is_no_input_cannot_be_given(name):
    with pytest.raises(ValueError, match=f"input must be one of x, not '{name}'"):
        read("x = 1\nf = x * 2 + 1").give(name, np.asarray(1.0))


def test_a_node_with_a_format_holds_what_the_hardware_would():
    graph = run("x : SQ(3, 2) = 0.124 0.125 -0.125 3.9 -9 2.25\ny : UQ(1, 2) = x * 0.5")
    assert graph["x"].value.tolist() == [0, 0.25, 0, 3.75, -4, 2.25]
    assert graph["y"].value.tolist() == [0, 0.25, 0, 1.75, 0, 1.25]


def test_a_node_behind_a_format_has_two_values_and_a_difference_in_lsb():
    graph = run("x : SQ(3, 2) = 0.3\ny : SQ(3, 4) = x * x")
    assert graph["y"].exact == 0.3 * 0.3
    assert graph["y"].value == 0.0625  # 0.25 squared
    assert graph["y"].difference == pytest.approx((0.0625 - 0.09) * 16)
    assert run("x = 1\ny = x * 2")["y"].difference is None


def test_what_the_hardware_holds_can_be_given_for_a_node():
    graph = read("x = 1 2\ny = exp(x)\nf = y * 2")
    graph.forward({"y": Fixed.of_codes(np.array([5, 15]), SQ(3, 1), 1)})
    assert graph["y"].value.tolist() == [2.5, 7.5]
    assert graph["f"].value.tolist() == [5, 15]
    np.testing.assert_allclose(graph["f"].exact, 2 * np.exp([1, 2]))


def test_backward_is_that_of_the_values_that_the_hardware_holds():
    graph = run("x : SQ(5, 3) = 1.01 2.49 -1 2.51\np : UQ(0, 8) = softmax(x)")
    dp = np.array([0.5, -0.25, 0.75, 0.125])
    graph.backward(graph["p"], dp)
    p = graph["p"].value
    assert (p * 256 == np.floor(p * 256)).all()
    np.testing.assert_array_equal(graph["x"].gradient, p * (dp - (p * dp).sum()))


def test_a_saturated_value_stops_the_gradient_only_at_a_clip():
    x = "x : SQ(3, 2) = 1 3 9\n"
    stopped = run(f"{x}y = clip(x, -2, 2)", upstream=1)["x"].gradient
    assert stopped.tolist() == [1, 0, 0]
    assert run(f"{x}y = x * 1", upstream=1)["x"].gradient.tolist() == [1, 1, 1]


def test_an_alias_rounds_to_a_format_of_its_own():
    graph = run("x : SQ(3, 4) = 0.3\ny : UQ(2, 1) = x")
    assert (graph["x"].value, graph["y"].value) == (0.3125, 0.5)


def test_values_that_are_not_finite_are_those_of_ieee_754():
    graph = run("x = 0 -1 1000\nl = ln(x)\nr = reciprocal(x)\ne = exp(x)\nd = e - e")
    assert graph["l"].value[0] == -np.inf
    assert np.isnan(graph["l"].value[1])
    assert graph["r"].value[0] == np.inf
    assert np.isnan(graph["d"].value[2])


def test_nan_is_no_value_of_a_format():
    with pytest.raises(
        ValueError, match=r"^line 2, column 16: a value in SQ\(3, 2\) must be a num"
    ):
        run("x = -1\ny : SQ(3, 2) = ln(x)")


def test_shapes_that_do_not_go_together_are_refused_with_their_place():
    with pytest.raises(ValueError, match=r"^line 3, column 7: \* takes rows of one length"):
        run("x = 1 2\ny = 1 2 3\nf = x * y")
    with pytest.raises(ValueError, match=r"^line 2, column 9: max takes a row, not a single"):
        run("x = 1\nf = x - max(x)")


def test_a_node_that_is_not_there_is_refused_by_name():
    with pytest.raises(ValueError, match="node must be one of x, y, z, q, f, not 'g'"):
        read(PRODUCT)["g"]


def test_outputs_are_the_nodes_that_feed_no_other():
    graph = read(f"{PRODUCT}\ng = q + 1")
    assert [node.name for node in graph.outputs] == ["f", "g"]
    assert [node.name for node in graph.inputs] == ["x", "y", "z"]
    assert graph.uses(graph["q"]) == 2
