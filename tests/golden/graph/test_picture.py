"""Pictures are valid, the same every time, say what the graph holds, and nothing overlaps."""

import re
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from softmaxfx.golden.formats import SQ, UQ
from softmaxfx.golden.graph.gates import Add, Exp, Mul, ReLU, Sum
from softmaxfx.golden.graph.grouped_gates import SoftmaxWithLoss
from softmaxfx.golden.graph.layout import GAP, layout, port
from softmaxfx.golden.graph.nodes import Graph, sigmoid_chain, softmax_chain
from softmaxfx.golden.graph.picture import MINUS, TIMES, picture

SVG = "{http://www.w3.org/2000/svg}"


def product():
    graph = Graph()
    x, y, z = graph.inputs("x", "y", "z")
    graph.apply(Mul(), graph.apply(Add(), x, y, name="q"), z, name="f")
    graph.forward(x=-2, y=5, z=-4)
    graph.backward()
    return graph


def neuron():
    graph = Graph()
    w0, x0, w1, x1, w2 = graph.inputs("w0", "x0", "w1", "x1", "w2")
    sigmoid_chain(w0 * x0 + w1 * x1 + w2, name="y")
    graph.forward(w0=2, x0=-1, w1=-3, x1=-2, w2=-3)
    graph.backward()
    return graph


def softmax():
    graph = Graph()
    softmax_chain(graph.input("x", format=SQ(5, 11)), name="p").format = UQ(0, 16)
    graph.forward(x=[1, 2, 3])
    graph.backward(upstream=[1, 0, 0])
    return graph


def network():
    graph = Graph()
    x, w, t = graph.inputs("x", "w", "t")
    losses = graph.apply(SoftmaxWithLoss(), graph.apply(ReLU(), x @ w), t)
    graph.apply(Sum(), losses, name="loss")
    rng = np.random.default_rng(1)
    graph.forward(x=rng.normal(size=(5, 4)), w=rng.normal(size=(4, 6)), t=[0, 1, 2, 3, 4])
    graph.backward()
    return graph


def test_the_picture_in_the_documentation_is_of_this_state():
    """Where it is not: write this text to docs/graph.svg."""
    shown = Path(__file__).parents[3] / "docs" / "graph.svg"
    assert shown.read_text() == picture(softmax(), "softmax as a computational graph")


GRAPHS = {"product": product, "neuron": neuron, "softmax": softmax, "network": network}
each = pytest.mark.parametrize("build", GRAPHS.values(), ids=GRAPHS)


def texts(svg, style):
    """The texts of a class, in the document's order, in plain characters."""
    root = ElementTree.fromstring(svg)
    found = [text.text for text in root.iter(f"{SVG}text") if style in text.get("class").split()]
    return [text.replace(MINUS, "-").replace(TIMES, "*") for text in found]


@each
def test_a_picture_is_valid_and_the_same_every_time(build):
    svg = picture(build())
    assert ElementTree.fromstring(svg).tag == f"{SVG}svg"
    assert svg == picture(build())
    for element in ElementTree.fromstring(svg).iter():
        for name in element.attrib.keys() & {"x", "y", "d", "width", "height"}:
            # tenths of a pixel, nothing finer
            assert not re.search(r"\.\d\d|nan|inf", element.get(name))


def test_values_stand_above_the_edges_and_gradients_below():
    svg = picture(product())
    assert texts(svg, "value") == ["-2.00", "5.00", "3.00", "-4.00", "-12.00", "value"]
    assert texts(svg, "gradient") == ["-4.00", "-4.00", "-4.00", "3.00", "1.00", "gradient"]
    root = ElementTree.fromstring(svg)
    heights = {
        (text.get("x"), text.get("class")): float(text.get("y")) for text in root.iter(f"{SVG}text")
    }
    values = [(x, y) for (x, style), y in heights.items() if style == "value"]
    assert len(values) > 2
    for x, y in values:
        assert y < heights[x, "gradient"]


def test_gates_carry_their_symbols_inputs_their_names_and_constants_their_values():
    svg = picture(neuron())
    assert sorted(texts(svg, "symbol")) == sorted(["*", "*", "+", "+", "*", "exp", "+", "1/x"])
    assert sorted(texts(svg, "label")) == sorted(["w0", "x0", "w1", "x1", "w2", "-1", "1"])
    assert texts(svg, "output") == ["y"]
    assert texts(picture(product()), "small") == ["q"]


def test_a_constants_gradient_is_not_drawn():
    svg = picture(neuron())
    assert len(texts(svg, "value")) - len(texts(svg, "gradient")) == 2


def test_formats_stand_in_their_boxes_and_saturation_shows():
    graph = softmax()
    assert texts(picture(graph), "small") == ["SQ(5, 11)", "UQ(0, 16)"]
    assert 'class="leaf saturated"' not in picture(graph)
    graph.forward(x=[1, 2, 99])
    assert 'class="leaf saturated"' in picture(graph)
    assert "x, 1 to 99, SQ(5, 11), 1 saturated" in picture(graph)


def test_long_arrays_are_told_by_shape_and_range():
    values = texts(picture(network()), "value")
    assert "5: 0.00 … 4.00" in values
    assert any(re.fullmatch(r"5\*6: -?\d\.\d\d … \d\.\d\d", text) for text in values)
    assert "[1.00 2.00 3.00]" in texts(picture(softmax()), "value")


def test_tiny_and_huge_values_keep_their_size():
    graph = Graph()
    graph.apply(Exp(), graph.input("x"), name="y")
    graph.forward(x=[-20, 20])
    assert texts(picture(graph), "value")[1] == "[2.1e-09 4.9e+08]"


def test_a_graph_is_drawn_before_it_runs():
    graph = Graph()
    x, _ = graph.inputs("x", "unused")
    graph.apply(Exp(), x)
    assert texts(picture(graph), "value") == ["value"]


def test_names_are_escaped():
    graph = Graph()
    graph.apply(Exp(), graph.input('a<b & "c"'), name="<y>")
    svg = picture(graph, title="1 < 2")
    assert texts(svg, "label") == ['a<b & "c"']
    assert texts(svg, "output") == ["<y>"]
    assert ElementTree.fromstring(svg).find(f"{SVG}title").text == "1 < 2"


def test_an_empty_graph_has_no_picture():
    with pytest.raises(ValueError, match="graph must have at least one node to be drawn"):
        picture(Graph())


def places(graph):
    return [place for column in layout(graph) for place in column]


@each
def test_every_edge_leads_one_layer_to_the_right(build):
    drawn = places(build())
    for place in drawn:
        assert all(right.layer == place.layer + 1 for right, _ in place.after)
        for right, offset in place.after:
            assert (place, offset) in right.before
    boxes = {place.node: place for place in drawn if place.height}
    for node, box in boxes.items():
        for k, source in enumerate(node.inputs):
            left, offset = box.before[k]
            assert left.node is source
            assert offset == port(node, k)


@each
def test_inputs_and_constants_stand_one_layer_before_their_first_use(build):
    boxes = {place.node: place for place in places(build()) if place.height}
    for node, box in boxes.items():
        if node.gate is None:
            uses = [other.layer for user, other in boxes.items() if node in user.inputs]
            assert box.layer == min(uses) - 1


@each
def test_boxes_of_a_layer_do_not_overlap(build):
    for column in layout(build()):
        for above, below in pairwise(column):
            room = (above.height + below.height) / 2 + GAP
            assert below.y - above.y >= room - 1e-6


@each
def test_edges_of_these_graphs_do_not_cross(build):
    by_layer = {}
    for place in places(build()):
        for right, offset in place.after:
            by_layer.setdefault(place.layer, []).append((place.y, right.y + offset))
    for edges in by_layer.values():
        for a, b in pairwise(sorted(edges)):
            assert a[1] <= b[1] + 1e-6
