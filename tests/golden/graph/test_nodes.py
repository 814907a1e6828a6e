"""Text-book graphs, the chains that hardware implements, both directions, formats and errors."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from softmaxfx.golden.formats import SQ, UQ
from softmaxfx.golden.graph.gates import (
    Add,
    Copy,
    Exp,
    Ln,
    MatMul,
    Max,
    Mul,
    Reciprocal,
    ReLU,
    Subtract,
    Sum,
)
from softmaxfx.golden.graph.grouped_gates import Clip, Sigmoid, Softmax, SoftmaxWithLoss
from softmaxfx.golden.graph.nodes import Graph, Work, sigmoid_chain, softmax_chain
from softmaxfx.golden.graph.value_range import Range


def product():
    """(x + y) * z, forward at the text-book's values."""
    graph = Graph()
    x, y, z = graph.inputs("x", "y", "z")
    q = graph.apply(Add(), x, y, name="q")
    graph.apply(Mul(), q, z, name="f")
    graph.forward(x=-2, y=5, z=-4)
    return graph


def test_the_text_books_product_of_a_sum():
    graph = product()
    assert graph["q"].value == 3
    assert graph["f"].value == -12
    assert graph.backward() == {"x": -4, "y": -4, "z": 3}
    assert graph["q"].gradient == -4
    assert graph["f"].gradient == 1
    assert graph["f"].downstream == (-4, 3)


def test_operators_record_the_same_graph():
    graph = Graph()
    x, y, z = graph.inputs("x", "y", "z")
    f = (x + y) * z
    assert graph.forward(x=-2, y=5, z=-4) == -12
    assert graph.backward(f) == {"x": -4, "y": -4, "z": 3}


@pytest.mark.parametrize(("name", "slope"), [("x", -4), ("y", -4), ("z", 3)])
def test_forward_mode_has_one_derivative_a_pass(name, slope):
    graph = product()
    assert graph.forward_mode(**{name: 1}) == slope
    assert graph["q"].tangent == (0 if name == "z" else 1)


def test_forward_mode_takes_any_direction():
    assert product().forward_mode(x=1, y=10, z=100) == -4 - 40 + 300


NEURON = {"w0": 2, "x0": -1, "w1": -3, "x1": -2, "w2": -3}
NEURON_GRADIENTS = {"w0": -0.20, "x0": 0.39, "w1": -0.39, "x1": -0.59, "w2": 0.20}


def neuron(sigmoid):
    """w0 x0 + w1 x1 + w2 into a sigmoid, forward and backward."""
    graph = Graph()
    w0, x0, w1, x1, w2 = graph.inputs("w0", "x0", "w1", "x1", "w2")
    sigmoid(w0 * x0 + w1 * x1 + w2)
    graph.forward(**NEURON)
    return graph, graph.backward()


def test_the_text_books_neuron_step_by_step():
    graph, gradients = neuron(sigmoid_chain)
    chain = [graph[name] for name in ("add_2", "mul_3", "exp_1", "add_3", "reciprocal_1")]
    values = [float(node.value) for node in chain]
    backwards = [float(node.gradient) for node in chain]
    assert np.round(values, 2).tolist() == [1.00, -1.00, 0.37, 1.37, 0.73]
    assert np.round(backwards, 2).tolist() == [0.20, -0.20, -0.53, -0.53, 1.00]
    assert {name: round(float(g), 2) for name, g in gradients.items()} == NEURON_GRADIENTS


def test_the_grouped_sigmoid_is_its_chain():
    chain_graph, chain = neuron(sigmoid_chain)
    grouped_graph, grouped = neuron(lambda x: x.graph.apply(Sigmoid(), x))
    assert grouped_graph.nodes[-1].value == pytest.approx(chain_graph.nodes[-1].value, rel=1e-15)
    assert grouped == pytest.approx(chain, rel=1e-14)


def test_the_neurons_flat_code_is_the_graph():
    w0, x0, w1, x1, w2 = NEURON.values()
    # forward
    s0 = w0 * x0
    s1 = w1 * x1
    s2 = s0 + s1
    s3 = s2 + w2
    a = 1 / (1 + np.exp(-s3))
    # backward: every line of forward again, from the last to the first
    d_s3 = a * (1 - a)
    d_w2 = d_s3
    d_s2 = d_s3
    d_s0 = d_s2
    d_s1 = d_s2
    d_w1, d_x1 = d_s1 * x1, d_s1 * w1
    d_w0, d_x0 = d_s0 * x0, d_s0 * w0
    graph, gradients = neuron(sigmoid_chain)
    flat = {"w0": d_w0, "x0": d_x0, "w1": d_w1, "x1": d_x1, "w2": d_w2}
    assert graph.nodes[-1].value == pytest.approx(a, rel=1e-15)
    assert gradients == pytest.approx(flat, rel=1e-14)


def loss_chain(x, y):
    """ln of the sum of exp(x - max), less the target's distance, in primitive gates."""
    graph = x.graph
    d = x - graph.apply(Max(), x)
    ln_sum = graph.apply(Ln(), graph.apply(Sum(), graph.apply(Exp(), d)))
    return ln_sum - graph.apply(Sum(), y * d)


def test_the_softmax_loss_in_flat_code_chain_and_gate():
    rng = np.random.default_rng(1)
    x, t = rng.normal(0, 3, (4, 6)), rng.integers(0, 6, 4)
    rows = np.arange(4)
    # forward
    top = x.max(axis=-1, keepdims=True)
    d = x - top
    e = np.exp(d)
    total = e.sum(axis=-1, keepdims=True)
    loss = (np.log(total) - d[rows, t][:, None]).sum()
    # backward
    d_ln = np.ones((4, 1))
    d_total = d_ln / total
    d_e = np.broadcast_to(d_total, e.shape)
    d_d = d_e * e
    d_d[rows, t] -= 1
    d_x = d_d.copy()
    d_x[rows, x.argmax(axis=-1)] -= d_d.sum(axis=-1)

    chained = Graph()
    loss_chain(*chained.inputs("x", "y"))
    chained.forward(x=x, y=np.eye(6)[t])
    grouped = Graph()
    grouped.apply(SoftmaxWithLoss(), *grouped.inputs("x", "t"))
    grouped.forward(x=x, t=t)
    for graph in (chained, grouped):
        value = graph.nodes[-1].value
        gradient = graph.backward(upstream=np.ones(value.shape))["x"]
        assert value.sum() == pytest.approx(loss, rel=1e-14)
        np.testing.assert_allclose(gradient, d_x, rtol=1e-12, atol=1e-15)


def both_softmaxes():
    """The chain and the grouped gate, on the same input each."""
    chain, grouped = Graph(), Graph()
    softmax_chain(chain.input("x"), name="p")
    grouped.apply(Softmax(), grouped.input("x"), name="p")
    return chain, grouped


few_values = st.lists(st.integers(-8, 8), min_size=1, max_size=12)


@settings(max_examples=60, deadline=None)
@given(few_values, st.integers(0, 2**32 - 1))
def test_the_grouped_softmax_is_its_chain_and_max_routes_nothing(row, seed):
    rng = np.random.default_rng(seed)
    upstream, tangent = rng.normal(size=(2, len(row)))
    chain, grouped = both_softmaxes()
    p = grouped.forward(x=row)
    np.testing.assert_allclose(chain.forward(x=row), p, rtol=1e-13)
    for gate, gold in (
        (chain.backward(upstream=upstream)["x"], grouped.backward(upstream=upstream)["x"]),
        (chain.forward_mode(x=tangent), grouped.forward_mode(x=tangent)),
    ):
        np.testing.assert_allclose(gate, gold, rtol=1e-12, atol=1e-14)
    # whatever the rule for ties: there is nothing to route
    np.testing.assert_allclose(chain["max_1"].gradient, 0, atol=1e-14)


def test_the_edges_of_the_softmax_chain_hold_what_the_gates_formula_is_made_of():
    rng = np.random.default_rng(2)
    x, dp = rng.normal(0, 3, (2, 5, 7))
    chain, _ = both_softmaxes()
    p = chain.forward(x=x)
    chain.backward(upstream=dp)
    e, r = chain["exp_1"].value, chain["reciprocal_1"].value
    d = (p * dp).sum(axis=-1, keepdims=True)
    through_mul, to_r = chain["p"].downstream
    np.testing.assert_allclose(through_mul * e, p * dp, rtol=1e-13)
    np.testing.assert_allclose(to_r * r, d, rtol=1e-13)
    np.testing.assert_allclose(chain["sum_1"].gradient, -d * r, rtol=1e-13)
    np.testing.assert_allclose(chain["exp_1"].gradient, (dp - d) * r, rtol=1e-12)
    np.testing.assert_allclose(chain["subtract_1"].gradient, p * (dp - d), rtol=1e-12)


def test_the_maximum_alone_does_route():
    graph = Graph()
    graph.apply(Max(), graph.input("x"))
    graph.forward(x=[1.0, 3, 3])
    assert graph.backward()["x"].tolist() == [0, 1, 0]


def test_a_node_that_feeds_several_gates_sums_its_gradients():
    graph = Graph()
    x, y = graph.inputs("x", "y")
    graph.apply(Add(), x * y, x * x, name="f")
    graph.forward(x=3, y=5)
    assert graph.backward() == {"x": 5 + 2 * 3, "y": 3}
    assert graph["mul_2"].downstream == (3, 3)


def test_fan_out_is_the_copy_gate():
    fanned, copied = Graph(), Graph()
    x = fanned.input("x")
    fanned.apply(Add(), x, x)
    copied.apply(Sum(), copied.apply(Copy(2), copied.input("x")))
    for graph in (fanned, copied):
        assert graph.forward(x=4) == 8
        assert graph.backward() == {"x": 2}
        assert graph.forward_mode(x=1) == 2


def test_any_node_can_be_differentiated():
    graph = product()
    assert graph.backward(graph["q"]) == {"x": 1, "y": 1, "z": 0}
    assert graph["f"].gradient == 0
    assert graph.backward(graph["z"], upstream=7) == {"x": 0, "y": 0, "z": 7}


def test_constants_keep_their_value_and_take_no_tangent():
    graph = Graph()
    x = graph.input("x")
    graph.apply(Mul(), x, graph.constant([1, 2, 3], name="k"), name="f")
    assert graph.forward(x=2).tolist() == [2, 4, 6]
    assert graph.backward(upstream=[1, 1, 1])["x"] == 6
    assert graph["k"].gradient.tolist() == [2, 2, 2]
    assert graph.forward_mode(x=1).tolist() == [1, 2, 3]


def classifier(hidden=5):
    """x·w through ReLU, sum of softmax losses over the batch; everything is random."""
    rng = np.random.default_rng(3)
    graph = Graph()
    x, w, b, v, t = graph.inputs("x", "w", "b", "v", "t")
    h = graph.apply(ReLU(), x @ w + b)
    losses = graph.apply(SoftmaxWithLoss(), graph.apply(Clip(-2, 2), h @ v), t)
    graph.apply(Sum(), losses, name="loss")
    values = {
        "x": rng.normal(size=(6, 4)),
        "w": rng.normal(size=(4, hidden)),
        "b": rng.normal(size=hidden),
        "v": rng.normal(size=(hidden, 3)),
        "t": rng.integers(0, 3, 6),
    }
    return graph, values


def test_a_networks_gradients_are_torchs():
    torch = pytest.importorskip("torch", reason="torch is not installed")
    graph, values = classifier()
    loss = graph.forward(**values)
    gradients = graph.backward()
    x, w, b, v = (torch.tensor(values[name], requires_grad=True) for name in "xwbv")
    logits = torch.clamp(torch.relu(x @ w + b) @ v, -2, 2)
    gold = torch.nn.functional.cross_entropy(logits, torch.tensor(values["t"]), reduction="sum")
    gold.backward()
    assert loss.item() == pytest.approx(gold.item(), rel=1e-13)
    for name, tensor in zip("xwbv", (x, w, b, v), strict=True):
        np.testing.assert_allclose(gradients[name], tensor.grad.numpy(), rtol=1e-12, atol=1e-12)


def test_reverse_and_forward_mode_agree_in_any_direction():
    graph, values = classifier()
    graph.forward(**values)
    gradients = graph.backward()
    rng = np.random.default_rng(4)
    for _ in range(5):
        tangents = {name: rng.normal(size=np.shape(values[name])) for name in "xwbv"}
        dot = sum(float((gradients[name] * tangents[name]).sum()) for name in "xwbv")
        assert graph.forward_mode(**tangents).item() == pytest.approx(dot, rel=1e-12)


def test_a_networks_gradients_are_what_finite_differences_see():
    graph, values = classifier()
    graph.forward(**values)
    gradients = graph.backward()
    for name in "xwbv":
        for place in np.ndindex(values[name].shape):
            ends = []
            for step in (1e-6, -1e-6):
                moved = values[name].copy()
                moved[place] += step
                ends.append(graph.forward(**{**values, name: moved}).item())
            slope = (ends[0] - ends[1]) / 2e-6
            assert gradients[name][place] == pytest.approx(slope, rel=1e-5, abs=1e-7)


class Counted:
    """Matrix products that count their multiply-adds one by one."""

    def __init__(self):
        self.count = 0

    def product(self, a, b):
        result = np.zeros((len(a), b.shape[1]))
        for i, j, k in np.ndindex(len(a), b.shape[1], len(b)):
            result[i, j] += a[i, k] * b[k, j]
            self.count += 1
        return result


@pytest.mark.parametrize("sizes", [(6, 5, 4, 1), (1, 5, 4, 1), (9, 3, 7, 2), (2, 3, 7, 9)])
def test_both_orders_of_a_chain_cost_what_they_do_when_counted(sizes):
    rng = np.random.default_rng(5)
    weights = [rng.normal(size=pair) for pair in pairwise(sizes)]
    graph = Graph()
    x = y = graph.input("x")
    for w in weights:
        y = graph.apply(MatMul(), y, graph.constant(w))
    graph.forward(x=rng.normal(size=sizes[0]))

    jacobians = [w.T for w in weights]
    right_to_left, left_to_right = Counted(), Counted()
    rows, columns = np.eye(sizes[-1]), np.eye(sizes[0])
    for jacobian in reversed(jacobians):
        rows = right_to_left.product(rows, jacobian)
    for jacobian in jacobians:
        columns = left_to_right.product(jacobian, columns)

    assert graph.work(y, x) == Work(reverse=right_to_left.count, forward=left_to_right.count)
    for k, row in enumerate(rows):
        gradient = graph.backward(upstream=np.eye(sizes[-1])[k])["x"]
        np.testing.assert_allclose(gradient, row, rtol=1e-12)
    for k, column in enumerate(columns.T):
        tangent = graph.forward_mode(x=np.eye(sizes[0])[k])
        np.testing.assert_allclose(tangent, column, rtol=1e-12)


def test_a_scalar_loss_costs_reverse_mode_one_pass_and_forward_mode_one_for_every_weight():
    graph, values = classifier(hidden=5)
    graph.forward(**values)
    work = graph.work(graph["loss"], graph["w"])
    # x·w, then ReLU, ·v, clip and loss for 6 rows; adding a bias and summing multiply nothing
    edges = 6 * 4 * 5 + 6 * 5 + 6 * 5 * 3 + 6 * 3 + 6 * 3
    assert work == Work(reverse=edges, forward=edges * 4 * 5)


def test_a_diagonal_jacobian_costs_its_diagonal():
    graph = Graph()
    x = graph.input("x")
    y = graph.apply(ReLU(), x)
    graph.forward(x=np.arange(-3.0, 4))
    assert graph.work(y, x) == Work(reverse=7 * 7, forward=7 * 7)


def test_what_does_not_lie_between_two_nodes_costs_nothing():
    graph = product()
    assert graph.work(graph["q"], graph["z"]) == Work(0, 0)
    assert graph.work(graph["f"], graph["x"]) == Work(1, 1)
    assert graph.work(graph["f"], graph["q"]) == Work(1, 1)


def test_a_node_with_a_format_holds_what_the_hardware_would():
    graph = Graph()
    x = graph.input("x", format=SQ(3, 2))
    y = graph.apply(Mul(), x, graph.constant(0.5), name="y", format=UQ(1, 2))
    graph.forward(x=[0.124, 0.125, -0.125, 3.9, -9, 2.25])
    assert graph["x"].value.tolist() == [0, 0.25, 0, 3.75, -4, 2.25]
    assert y.value.tolist() == [0, 0.25, 0, 1.75, 0, 1.25]


def test_a_node_reports_the_range_of_every_forward_and_what_saturated():
    graph = Graph()
    x = graph.input("x", format=SQ(3, 2))
    y = graph.apply(Exp(), x, name="y")
    graph.forward(x=[0.5, 3.9])
    assert x.range == Range(0.5, 3.9, saturated=1)
    graph.forward(x=[-1.0, 2.0])
    assert x.range == Range(-1, 3.9, saturated=1)
    assert y.range == Range(pytest.approx(np.exp(-1)), pytest.approx(np.exp(3.75)))
    assert x.range.format(2) == SQ(4, 2)  # 3.9 rounds to 4
    assert y.range.format(4) == UQ(6, 4)


def test_the_format_of_a_range_lets_the_same_values_pass():
    chain, _ = both_softmaxes()
    x = np.random.default_rng(6).normal(0, 3, (50, 20))
    exact = chain.forward(x=x)
    for node in chain.nodes:
        node.format = node.range.format(16)
        node.range = None
    rounded = chain.forward(x=x)
    assert [node.range.saturated for node in chain.nodes] == [0] * len(chain.nodes)
    np.testing.assert_allclose(rounded, exact, atol=4e-4)
    assert chain["p"].format == UQ(0, 16)
    assert chain["subtract_1"].format.signed


def test_backward_is_that_of_the_values_that_the_hardware_holds():
    graph = Graph()
    x = graph.input("x", format=SQ(5, 3))
    graph.apply(Softmax(), x, name="p", format=UQ(0, 8))
    p = graph.forward(x=[1.01, 2.49, -1, 2.51])
    assert (p * 256 == np.floor(p * 256)).all()
    dp = np.array([0.5, -0.25, 0.75, 0.125])
    gradient = graph.backward(upstream=dp)["x"]
    np.testing.assert_array_equal(gradient, p * (dp - (p * dp).sum()))


def test_a_saturated_value_stops_the_gradient_only_at_a_clip_gate():
    graph = Graph()
    x = graph.input("x", format=SQ(3, 2))
    graph.apply(Clip(-2, 2), x)
    graph.forward(x=[1.0, 3.0, 9.0])
    assert graph.backward(upstream=[1, 1, 1])["x"].tolist() == [1, 0, 0]
    free = Graph()
    free.input("x", format=SQ(3, 2))
    free.forward(x=[1.0, 3.0, 9.0])
    assert free.backward(upstream=[1, 1, 1])["x"].tolist() == [1, 1, 1]


def test_forward_keeps_an_array_of_its_own():
    graph, x = Graph(), np.array([1.0, 2])
    graph.input("x")
    graph.forward(x=x)
    x[0] = 9
    assert graph["x"].value.tolist() == [1, 2]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"x": 1, "y": 2}, "input 'z' must be given a value"),
        ({"x": 1, "y": 2, "z": 3, "q": 4}, "input must be one of x, y, z, not 'q'"),
        ({"x": 1, "y": float("nan"), "z": 3}, "input 'y' must be finite, not nan"),
        ({"x": 1, "y": [0, -np.inf], "z": 3}, "input 'y' must be finite, not -inf"),
        ({"x": 1, "y": [], "z": 3}, r"input 'y' must have at least one element, not shape \(0,\)"),
        ({"x": 1, "y": "two", "z": 3}, "input 'y' must be an array of real numbers, not 'two'"),
        ({"x": 1, "y": 2j, "z": 3}, "input 'y' must be an array of real numbers, not 2j"),
        ({"x": [1, 2], "y": [1, 2, 3], "z": 3}, "node 'q': add takes shapes that broadcast"),
        ({"x": 1e200, "y": 0, "z": 1e200}, "node 'f' must be finite, not inf"),
    ],
)
def test_values_that_cannot_be_are_refused_by_name(values, message):
    graph = product()
    with pytest.raises(ValueError, match=f"^{message}"):
        graph.forward(**values)


def test_a_gate_that_refuses_its_input_is_named():
    graph = Graph()
    graph.apply(Ln(), graph.input("x"), name="log")
    with pytest.raises(ValueError, match=r"^node 'log': ln takes values above 0, not -1\.0"):
        graph.forward(x=-1)


def test_what_was_computed_before_a_failed_forward_is_gone():
    graph = product()
    with pytest.raises(ValueError, match="node 'q': add"):
        graph.forward(x=[1, 2], y=[1, 2, 3], z=0)
    with pytest.raises(ValueError, match="node 'f' must have a value: run forward first"):
        graph.backward()


def test_every_direction_needs_a_forward_before_it():
    graph = Graph()
    x = graph.input("x")
    y = graph.apply(Exp(), x, name="y")
    for early in (graph.backward, graph.forward_mode, lambda: graph.work(y, x)):
        with pytest.raises(ValueError, match="must have a value: run forward first"):
            early()


def test_an_output_of_several_elements_needs_an_upstream():
    graph = Graph()
    graph.apply(Exp(), graph.input("x"), name="y")
    graph.forward(x=[[1, 2, 3], [4, 5, 6]])
    with pytest.raises(ValueError, match=r"upstream must be given for node 'y': .* \(2, 3\)"):
        graph.backward()
    with pytest.raises(ValueError, match=r"upstream must broadcast to shape \(2, 3\), not \(2,\)"):
        graph.backward(upstream=[1, 2])
    with pytest.raises(ValueError, match="upstream must be finite, not nan"):
        graph.backward(upstream=np.nan)


def test_tangents_that_cannot_be_are_refused_by_name():
    graph = product()
    with pytest.raises(ValueError, match="input must be one of x, y, z, not 'q'"):
        graph.forward_mode(q=1)
    with pytest.raises(ValueError, match="tangent of 'x' must be finite, not inf"):
        graph.forward_mode(x=np.inf)
    with pytest.raises(
        ValueError, match=r"tangent of 'x' must broadcast to shape \(\), not \(2,\)"
    ):
        graph.forward_mode(x=[1, 2])


def test_gradients_and_tangents_that_overflow_are_refused_by_name():
    graph = Graph()
    graph.apply(Reciprocal(), graph.input("x"), name="y")
    graph.forward(x=1e-200)
    with pytest.raises(ValueError, match="gradient of node 'x' must be finite, not -inf"):
        graph.backward()
    with pytest.raises(ValueError, match="tangent of node 'y' must be finite, not -inf"):
        graph.forward_mode(x=1)


def test_a_graph_that_cannot_be_is_refused():
    graph, other = Graph(), Graph()
    x, stranger = graph.input("x"), other.input("s")
    with pytest.raises(ValueError, match="add takes 2 inputs, not 1"):
        graph.apply(Add(), x)
    with pytest.raises(ValueError, match="inputs of add must be of its graph, not 's'"):
        graph.apply(Add(), x, stranger)
    with pytest.raises(ValueError, match="name of a node must be its own, and 'x' is taken"):
        graph.apply(Exp(), x, name="x")
    with pytest.raises(ValueError, match="constant 'constant_1' must be finite, not nan"):
        x + np.nan
    with pytest.raises(ValueError, match="output must be a node of this graph, not 's'"):
        graph.backward(stranger)
    with pytest.raises(ValueError, match="node must be one of x, not 'y'"):
        graph["y"]
    with pytest.raises(ValueError, match="graph must have at least one node before it runs"):
        Graph().forward()
    assert [node.name for node in graph.nodes] == ["x"]


def test_nodes_are_named_after_their_gates_where_no_name_is_given():
    graph = Graph()
    x = graph.input("exp_1")
    graph.apply(Subtract(), graph.apply(Exp(), x), graph.apply(Exp(), x))
    assert [node.name for node in graph.nodes] == ["exp_1", "exp_2", "exp_3", "subtract_1"]
