"""Pictures are valid, the same every time, say what the graph holds, and nothing overlaps."""

import re
from itertools import combinations, pairwise
from xml.etree import ElementTree

import numpy as np
import pytest

from softmaxfx.golden import preset
from softmaxfx.golden.graph.expressions import EXPRESSIONS
from softmaxfx.golden.graph.labels import MINUS
from softmaxfx.golden.graph.layout import GAP, layout
from softmaxfx.golden.graph.notation import ROLES, read
from softmaxfx.golden.graph.picture import picture
from softmaxfx.golden.graph.shapes import Shapes

SVG = "{http://www.w3.org/2000/svg}"
SIGNS = {MINUS: "-", "\N{MULTIPLICATION SIGN}": "*", "\N{DIVISION SIGN}": "/"}


def run(text, values=None, **formats):
    graph = read(text, formats)
    graph.forward(values and values({node.name: node.exact for node in graph.inputs}))
    graph.backward(graph.nodes[-1])
    return graph


def named(name):
    return lambda: run(EXPRESSIONS[name].text(None))


def unit(name, **changes):
    def build():
        expression = EXPRESSIONS[name]
        config = expression.fitted(preset("base", **changes))
        formats = {role: getattr(config, role) for role in ROLES}
        return run(
            expression.text(config),
            lambda given: expression.hardware_values(given, config),
            **formats,
        )

    return build


LONG = "x = 1 2 3 4 5 6\ny = 6 5 4 3 2 1\nf = sum(x * y) / 3 - 2 ^ x"
MANY = "".join(f"v{k} = {k}\n" for k in range(12)) + f"f = {' + '.join(f'v{k}' for k in range(12))}"
GRAPHS = {
    **{name: named(name) for name in EXPRESSIONS},
    **{f"{name} of base": unit(name) for name, one in EXPRESSIONS.items() if one.hardware_values},
    "softmax by exact_sum": unit("softmax", datapath="exact_sum", scale=0.6),
    "long rows": lambda: run(LONG),
    "many inputs": lambda: run(MANY),
    "two outputs": lambda: run("x = 1\ny = exp(x)\nu = y + 1\nv = y * x"),
    "one input": lambda: run("x = 1 2"),
}
each = pytest.mark.parametrize("build", GRAPHS.values(), ids=GRAPHS)


def texts(svg, style):
    """The texts of a class, in the document's order, in plain characters."""
    found = []
    for text in ElementTree.fromstring(svg).iter(f"{SVG}text"):
        if text.get("class").split() == [style]:
            found.append("".join(SIGNS.get(letter, letter) for letter in text.text))
    return found


@each
def test_a_picture_is_valid_and_the_same_every_time(build):
    svg = picture(build(), "heading")
    assert ElementTree.fromstring(svg).tag == f"{SVG}svg"
    assert svg == picture(build(), "heading")
    for element in ElementTree.fromstring(svg).iter():
        for name in element.attrib.keys() & {"x", "y", "d", "width", "height"}:
            # tenths of a pixel, nothing finer
            assert not re.search(r"\.\d\d|nan|inf", element.get(name))


PRODUCT = "x = -2\ny = 5\nz = -4\nq = x + y\nf = q * z"


def test_values_stand_above_the_edges_and_gradients_below():
    svg = picture(run(PRODUCT), "")
    assert texts(svg, "value") == ["-2", "5", "3", "-4", "-12"]
    assert texts(svg, "gradient") == ["-4", "-4", "-4", "3", "1"]
    rows = list(ElementTree.fromstring(svg).iter(f"{SVG}text"))
    for value, gradient in pairwise(rows):
        if (value.get("class"), gradient.get("class")) == ("value", "gradient"):
            assert value.get("x") == gradient.get("x")
            assert float(value.get("y")) < float(gradient.get("y"))


def test_gates_carry_their_symbols_inputs_their_names_and_constants_their_values():
    svg = picture(run("x = 4\nq = (x - 1) / 2 * x ^ 2\nf = -reciprocal(q)"), "")
    assert sorted(texts(svg, "symbol")) == sorted(["-", "/", "*", "^2", "1/x", "-"])
    assert sorted(texts(svg, "label")) == sorted(["x", "1", "2"])
    assert texts(svg, "name") == ["q", "f"]
    assert texts(svg, "end") == ["f"]


def test_what_a_constant_is_stands_in_its_box_alone():
    svg = picture(run("x = 3\nf = x * 2"), "")
    assert texts(svg, "value") == ["3", "6"]
    assert texts(svg, "gradient") == ["2", "1"]


def test_a_node_that_feeds_several_gates_has_its_gradient_under_its_box():
    svg = picture(run("x = 3\nu = x * 5\nf = u + x"), "")
    assert texts(svg, "total") == ["6"]
    assert "under a box" in svg
    assert "under a box" not in picture(run(PRODUCT), "")


def test_formats_stand_in_their_boxes_and_saturation_shows():
    text = "x : SQ(3, 2) = 1 {}\nf : UQ(0, 16) = exp(x) / 100"
    fits, saturated = run(text.format(2)), run(text.format(99))
    assert texts(picture(fits, ""), "small") == ["SQ3.2", "UQ0.16"]
    assert "marked" not in picture(fits, "").partition("</style>")[2]
    assert 'class="input marked"' in picture(saturated, "")
    assert "x, SQ(3, 2), 1 of 2 values saturated in SQ(3, 2); SQ(8, 2) holds them" in picture(
        saturated, ""
    )


def test_a_difference_stands_beside_the_value_that_is_held():
    svg = picture(run("x : SQ(3, 2) = 0.3 1\nf = x * 1"), "")
    assert texts(svg, "difference") == ["-0.2", "0"]
    assert "in LSB" in svg
    assert "in LSB" not in picture(run("x : SQ(3, 2) = 1\nf = x * 1"), "")


def test_a_format_by_a_power_of_two_has_two_lines():
    svg = picture(unit("softmax")(), "")
    assert [line for line in texts(svg, "small") if "^" in line] == ["·2^-k", "·2^-q"]


def test_long_rows_are_told_by_their_first_and_last_elements():
    assert texts(picture(run("x = 1 2 3 4 5 6\nf = x * 1"), ""), "value")[:4] == [
        "1", "2", "⋮", "6",
    ]  # fmt: skip


def test_what_is_not_finite_is_drawn_as_it_is():
    svg = picture(run("x = 1000\ne = exp(x)\nf = e - e"), "")
    assert texts(svg, "value") == ["1000", "∞", "∞", "nan"]


def test_the_legend_names_the_node_whose_gradients_these_are():
    graph = run("x = 1\ny = exp(x)\nf = y * 2")
    graph.backward(graph["y"])
    assert "gradient of y" in picture(graph, "")


def test_headings_are_escaped():
    svg = picture(run(PRODUCT), "1 < 2 & 3")
    assert texts(svg, "heading") == ["1 < 2 & 3"]
    assert ElementTree.fromstring(svg).find(f"{SVG}title").text == "1 < 2 & 3"


def places(graph):
    return [place for column in columns(graph) for place in column]


def columns(graph):
    return layout(graph, Shapes(graph).size)


@each
def test_every_edge_leads_one_layer_to_the_right(build):
    graph = build()
    drawn = places(graph)
    for place in drawn:
        assert all(right.layer == place.layer + 1 for right, _ in place.after)
        for right, offset in place.after:
            assert (place, offset) in right.before
    boxes = {place.node: place for place in drawn if place.kind == "box"}
    assert set(boxes) == set(graph.nodes)
    for node, box in boxes.items():
        for k, source in enumerate(node.inputs):
            left, offset = box.before[k]
            assert left.node is source
            assert offset == box.size.ports[k]


@each
def test_every_output_has_an_end(build):
    graph = build()
    ends = [place.node for place in places(graph) if place.kind == "end"]
    assert set(ends) == set(graph.outputs) != set()


@each
def test_inputs_and_constants_stand_one_layer_before_their_first_use(build):
    boxes = {place.node: place for place in places(build()) if place.kind == "box"}
    for node, box in boxes.items():
        uses = [other.layer for user, other in boxes.items() if node in user.inputs]
        if node.gate is None and uses:
            assert box.layer == min(uses) - 1


@each
def test_places_of_a_layer_do_not_overlap(build):
    for column in columns(build()):
        for upper, lower in pairwise(column):
            room = upper.size.below + lower.size.above + GAP
            assert lower.y - upper.y >= room - 1e-6


WIDTHS = {"value": 7.83, "gradient": 7.83, "difference": 6.02, "total": 6.63, "small": 6.02,
          "name": 6.63, "symbol": 9.64, "label": 7.83, "end": 7.83}  # fmt: skip
"""Width of a character of DejaVu Sans Mono, by style."""


def extent(text):
    """Left, right, top and bottom of a text's letters."""
    style, x, y = text.get("class"), float(text.get("x")), float(text.get("y"))
    width = WIDTHS[style] * len(text.text)
    anchored = {"value": 1, "gradient": 1, "difference": 0, "end": 0}.get(style, 0.5)
    high = 0.73 * WIDTHS[style] / 0.602
    return x - anchored * width, x + (1 - anchored) * width, y - high, y


@each
def test_no_text_covers_another_and_none_leaves_the_picture(build):
    root = ElementTree.fromstring(picture(build(), ""))
    found = [text for text in root.iter(f"{SVG}text") if text.get("class") in WIDTHS]
    width, height = float(root.get("width")), float(root.get("height"))
    for text in found:
        left, right, top, bottom = extent(text)
        assert left >= 0, text.text
        assert right <= width, text.text
        assert top >= 0, text.text
        assert bottom <= height, text.text
    for one, other in combinations(found, 2):
        a, b = extent(one), extent(other)
        apart = a[1] <= b[0] or b[1] <= a[0] or a[3] <= b[2] or b[3] <= a[2]
        assert apart, (one.text, other.text)


@pytest.mark.parametrize("name", ["softmax", "naive_softmax", "neuron", "product", "sigmoid"])
def test_edges_of_these_graphs_do_not_cross(name):
    by_layer = {}
    for place in places(named(name)()):
        for right, offset in place.after:
            by_layer.setdefault(place.layer, []).append((place.y, right.y + offset))
    for edges in by_layer.values():
        for a, b in pairwise(sorted(edges)):
            assert a[1] <= b[1] + 1e-6


def test_a_deep_graph_is_drawn():
    graph = run("x = 1\n" + "f = " + "sigmoid(" * 150 + "x" + ")" * 150)
    assert np.isfinite(graph["x"].gradient)
    assert picture(graph, "").count("<g>") == 151
