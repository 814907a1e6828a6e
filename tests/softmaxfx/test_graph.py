"""``softmaxfx graph``: a picture, a table, values as JSON, and refusals in one sentence."""

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from click.testing import CliRunner

from softmaxfx.cli import main
from softmaxfx.golden import SoftmaxConfig, cross_entropy, preset, softmax, softmax_backward
from softmaxfx.golden.graph.expressions import EXPRESSIONS

ROOT = Path(__file__).parents[2]
MINUS = "\N{MINUS SIGN}"
NEURON = """
# a neuron
w = 2 -3
x : SQ(5, 11) = -1 -2   # its inputs
b : input = -3
f : output = sigmoid(sum(w * x) + b)
"""


def call(*arguments: object):
    return CliRunner().invoke(main, ["graph", *map(str, arguments)])


def drawn(*arguments: object):
    """What a call writes as JSON, nodes by name."""
    done = call(*arguments, "--json", "values.json")
    assert done.exit_code == 0, done.output
    fields = json.loads(Path("values.json").read_text())
    return {**fields, "nodes": {node["name"]: node for node in fields["nodes"]}}


def assert_refused(result, sentence: str) -> None:
    assert result.exit_code == 2, result.output
    assert re.search(sentence, result.stderr), result.stderr
    assert result.stderr.count("\n") == 1
    assert "Traceback" not in result.output


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A folder of its own, with a file of the notation in it."""
    monkeypatch.chdir(tmp_path)
    Path("neuron.txt").write_text(NEURON)
    return tmp_path


def test_the_picture_in_the_readme_is_what_its_command_writes(monkeypatch):
    readme = (ROOT / "README.md").read_text()
    (command,) = re.findall(r"softmaxfx graph (.*) --out docs/graph\.svg", readme)
    assert call(*command.split(), "--out", "graph.svg").exit_code == 0
    assert Path("graph.svg").read_bytes() == (ROOT / "docs" / "graph.svg").read_bytes()


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_every_expression_is_drawn_with_and_without_formats(name):
    assert call(name).exit_code == 0
    assert ElementTree.parse(f"build/graph/{name}.svg").getroot().get("role") == "img"
    in_formats = call(name, "--formats", "tiny", "--out", "held.svg")
    assert in_formats.exit_code == (2 if name == "product" else 0), in_formats.output


def test_the_same_call_writes_the_same_bytes():
    for file in ("a.svg", "b.svg"):
        call("cross_entropy", "--formats", "int8", "--out", file, "--json", f"{file}.json")
    assert Path("a.svg").read_bytes() == Path("b.svg").read_bytes()
    assert Path("a.svg.json").read_bytes() == Path("b.svg.json").read_bytes()


def test_the_table_has_every_node_its_value_gradient_and_format():
    done = call("softmax", "--formats", "base", "--x", "1.0,2.0,3.0")
    lines = [re.split(r"\s*│\s*", line)[1:-1] for line in done.output.splitlines() if "│" in line]
    assert [line[0] for line in lines] == ["x", "c", "m", "d", "e", "s", "r", "p"]
    assert lines[3][:3] == ["d", "c - m", f"{MINUS}2 {MINUS}1 0"]
    assert lines[-1][:5] == [
        "p", "e * r", "0.0900269 0.244736 0.665237", "1 0 0", "UQ(0, 16)",
    ]  # fmt: skip
    assert done.output.endswith("picture: build/graph/softmax.svg\n")


def test_a_sum_in_a_window_is_drawn_by_its_own_bits():
    done = call("softmax", "--formats", "full", "--x", "1,2,30")
    lines = [re.split(r"\s*│\s*", line)[1:-1] for line in done.output.splitlines() if "│" in line]
    held = {line[0]: line[1:] for line in lines}
    assert held["d"][1] == f"{MINUS}126.996 {MINUS}125.996 {MINUS}97.9961"
    assert held["s"][1] == "2.8e\N{MINUS SIGN}43"
    assert held["p"][1] == "0 0 0.999985"


def test_without_formats_there_are_floats_alone():
    nodes = drawn("softmax", "--x", "1,2,3")["nodes"]
    x = np.array([1.0, 2, 3])
    np.testing.assert_allclose(nodes["p"]["value"], np.exp(x) / np.exp(x).sum(), rtol=1e-14)
    assert not any("format" in node for node in nodes.values())


def test_the_output_is_the_softmax_units():
    x = [0.3, -7.77, 12, 3.125]
    p = drawn("softmax", "--formats", "int8", "--x", ",".join(map(str, x)))["nodes"]["p"]
    config = preset("int8")
    gold = softmax(config.input.quantize(x), config)
    assert p["value"] == config.output.to_float(gold).tolist()
    assert p["lsb"] == config.output.lsb


def test_a_target_and_a_file_of_a_configuration_are_heeded():
    Path("mine.toml").write_text('input = "SQ(5, 5)"\ndatapath = "exact_sum"\n')
    fields = drawn("cross_entropy", "--formats", "mine.toml", "--target", 2, "--x", "1,2,0.5")
    config = SoftmaxConfig.from_dict({"input": "SQ(5, 5)", "datapath": "exact_sum"})
    loss, grad = cross_entropy(config.input.quantize([1, 2, 0.5]), np.asarray(2), config)
    assert fields["nodes"]["loss"]["value"] == [config.loss.to_float(loss)]
    assert fields["nodes"]["g"]["value"] == config.loss_grad.to_float(grad).tolist()


def test_a_gradient_can_be_given_to_the_backward_unit():
    fields = drawn("softmax_backward", "--formats", "base", "--let", "dp=0.25,-0.5,0", "--at", "d")
    config = preset("base")
    p = softmax(config.input.quantize([1, 2, 3]), config)
    gold = softmax_backward(p, config.grad_input.quantize([0.25, -0.5, 0]), config)
    assert fields["nodes"]["ds"]["value"] == config.grad_output.to_float(gold).tolist()
    assert fields["nodes"]["dp"]["gradient"] == fields["nodes"]["p"]["value"]
    assert fields["at"] == "d"


def test_one_field_can_be_set():
    fields = drawn(
        "softmax", "--formats", "base", "--set", "output=UQ(0, 12)", "--set", "scale=0.5"
    )
    assert fields["nodes"]["p"]["format"] == "UQ(0, 12)"
    assert fields["nodes"]["z"]["is"] == "d * 0.5"
    assert fields["set"] == ["output=UQ(0, 12)", "scale=0.5"]


def test_the_row_is_as_long_as_it_is_given():
    fields = drawn("softmax_backward", "--x", "1,2,3,4,5")
    assert fields["nodes"]["dp"]["value"] == [0.5, 0, 0, 0, 0]
    assert len(fields["nodes"]["ds"]["value"]) == 5
    assert drawn("softmax", "--x", "-3")["nodes"]["p"]["value"] == [1]


def test_upstream_weighs_the_elements_of_the_output():
    assert drawn("softmax")["upstream"] == [1, 0, 0]
    fields = drawn("softmax", "--upstream", "1,1,1")
    np.testing.assert_allclose(fields["nodes"]["x"]["gradient"], 0, atol=1e-15)


def test_a_file_is_drawn():
    fields = drawn("neuron.txt", "--out", "f.svg")
    assert fields["nodes"]["f"]["value"] == pytest.approx([0.73], abs=0.01)
    assert fields["nodes"]["x"]["format"] == "SQ(5, 11)"
    assert "format" not in fields["nodes"]["b"]
    assert fields["expression"] == "neuron"


def test_formats_of_a_file_by_role_are_those_of_the_configuration():
    nodes = drawn("neuron.txt", "--formats", "int8")["nodes"]
    assert [nodes[name]["format"] for name in "xbf"] == ["SQ(5, 11)", "SQ(5, 3)", "UQ(0, 8)"]
    assert nodes["f"]["value"] == [187 / 256]
    assert nodes["f"]["difference_lsb"] == pytest.approx([187 - 256 / (1 + np.exp(-1))])
    assert "format" not in nodes["w"]


def test_the_list_names_every_expression_and_its_inputs():
    done = call("--list")
    assert done.exit_code == 0
    for name in EXPRESSIONS:
        assert name in done.output
    assert "x, dp" in done.output


@pytest.mark.parametrize("formats", [[], ["--formats", "base", "--set", "datapath=exact_sum"]])
def test_the_text_of_an_expression_is_a_file_of_the_same_graph(formats):
    text = call("softmax", "--text", *formats)
    assert text.exit_code == 0
    Path("mine.txt").write_text(text.output)
    mine, named = drawn("mine.txt"), drawn("softmax", *formats)
    assert [node["is"] for node in mine["nodes"].values()] == [
        node["is"] for node in named["nodes"].values()
    ]
    assert named["text"].strip() == text.output.strip()


def test_overflow_is_drawn_and_told():
    done = call("naive_softmax", "--x", "1000,1,2", "--json", "n.json")
    assert done.exit_code == 0
    assert "note: the value of e, s, p is not finite; it begins at e = exp(x)" in done.output
    assert "note: the gradient of x, e, s, r is not finite" in done.output
    assert "∞" in Path("build/graph/naive_softmax.svg").read_text()
    nodes = {node["name"]: node for node in json.loads(Path("n.json").read_text())["nodes"]}
    assert nodes["e"]["value"][0] is None


def test_division_by_zero_is_drawn_and_told():
    Path("d.txt").write_text("x = 0 1\ny = 1 / x\nz = ln(-y)")
    done = call("d.txt")
    assert done.exit_code == 0
    assert "note: the value of y, negate_1, z is not finite; it begins at y = 1 / x" in done.output


def test_saturation_is_told_with_the_format_that_would_hold():
    done = call("softmax", "--formats", "base", "--x", "100,2,3")
    assert "note: x: 1 of 3 values saturated in SQ(5, 11); SQ(8, 11) holds them" in done.output


def test_the_hardware_does_not_overflow_where_float_does():
    done = call("naive_softmax", "--formats", "base", "--x", "1000,1,2")
    assert "note: the exact value of e, s, p is not finite; it begins at e = exp(x)" in done.output


REFUSED = {
    "nothing": ([], r"EXPRESSION must be one of softmax, .*, or a readable file$"),
    "no expression": (["sofmax"], r"EXPRESSION must be one of softmax, .*, not sofmax: No such"),
    "a folder": (["."], r"EXPRESSION must be one of .*, not \.: Is a directory"),
    "no text": (["bytes.bin"], r"EXPRESSION must be .*, not bytes\.bin: it is no UTF-8 text"),
    "no notation": (["bad.txt"], r"bad: line 2, column 9: b must be assigned on a line above"),
    "lengths": (["long.txt"], r"long: line 3, column 7: \* takes rows of one length"),
    "nan of a format": (["nan.txt"], r"nan: line 1, column .*: a value in SQ\(3, 2\) must be a n"),
    "no preset": (
        ["softmax", "--formats", "bse"],
        r"--formats must be one of base, .*, or a TOML file, not 'bse'",
    ),
    "no file": (["softmax", "--formats", "x.toml"], r"--formats must be a readable TOML file, not"),
    "formats of nothing": (
        ["product", "--formats", "base"],
        r"--formats must be given for an expression that holds .* and product holds none",
    ),
    "a field of nothing": (
        ["softmax", "--set", "lanes=2"], r"--set must be given together with --formats"
    ),
    "no field": (["softmax", "--formats", "base", "--set", "x=2"], r"--set must be FIELD=VALUE"),
    "an exponent": (
        ["softmax", "--formats", "int8_row"],
        r"output_exponent must be none for a graph, whose values have no exponent beside them, not",
    ),
    "another function": (
        ["softmax", "--formats", "base", "--set", "function=log_softmax", "--set",
         "output=SQ(6, 10)"],
        r"function must be softmax for this expression, not log_softmax",
    ),
    "no row": (["softmax", "--x", "1;2"], r"--x must be numbers with commas or spaces .*'1;2'"),
    "an infinite row": (["softmax", "--x", "1,1e999"], r"--x must be finite numbers"),
    "no assignment": (["softmax", "--let", "x"], r"--let must be NAME=ROW, as dp=0,1,0, not 'x'"),
    "no such input": (["softmax", "--let", "y=1"], r"softmax: input must be one of x, not 'y'"),
    "no input": (["softmax", "--let", "p=1"], r"softmax: input must be one of x, not 'p'"),
    "x twice": (["softmax", "--x", "1", "--let", "x=1"], r"x must be given once, not twice"),
    "no x": (["product", "--let", "a=1"], r"product: input must be one of x, y, z, not 'a'"),
    "a target of softmax": (
        ["softmax", "--target", "1"], r"--target must be given for cross_entropy alone"
    ),
    "a target of the backward unit": (
        ["softmax_backward", "--target", "1"], r"--target must be given for cross_entropy alone"
    ),
    "a target outside": (
        ["cross_entropy", "--target", "3"], r"--target must be from 0 to 2, not 3"
    ),
    "a negative target": (["cross_entropy", "--target", "-1"], r"'--target': -1 is not in the ran"),
    "two targets": (
        ["cross_entropy", "--target", "1", "--let", "y=0,1,0"],
        r"--target and --let y must not both be given",
    ),
    "a target that is no class": (
        ["cross_entropy", "--formats", "base", "--let", "y=0,0.5,0.5"],
        r"y must be 1 for one of the 3 classes",
    ),
    "too long a row": (
        ["softmax", "--formats", "tiny", "--x", ",".join(["1"] * 65)],
        r"x must have rows of 1 to max_length = 64 elements, not 65",
    ),
    "no node": (["softmax", "--at", "q"], r"node must be one of x, m, .*, not 'q'"),
    "too many weights": (
        ["softmax", "--upstream", "1,2"], r"gradient of p must have its 3 elements, not 2"
    ),
    "no weights": (["softmax", "--upstream", "a"], r"--upstream must be numbers with commas"),
    "no picture": (["softmax", "--out", "p.png"], r"--out must be a \.svg file, not p\.png"),
    "a folder as a picture": (["softmax", "--out", "folder.svg"], r"--out must be a writable file"),
    "one file for both": (
        ["softmax", "--out", "a.svg", "--json", "a.svg"],
        r"--json must be another file than the picture, not a\.svg",
    ),
    "a list of one": (["softmax", "--list"], r"EXPRESSION must not be given together with --list"),
    "a list in formats": (
        ["--list", "--formats", "base"], r"--formats must not be given together with --list"
    ),
    "a text with a value": (
        ["softmax", "--text", "--x", "1"], r"--x must not be given together with --text"
    ),
    "an empty name": ([""], r"it must not be empty"),
    "an empty row": (["softmax", "--x", ""], r"'--x': it must not be empty"),
}  # fmt: skip


@pytest.mark.parametrize(("arguments", "sentence"), REFUSED.values(), ids=REFUSED)
def test_a_mistake_is_one_sentence_and_nothing_is_written(arguments, sentence, folder):
    Path("bytes.bin").write_bytes(b"x = 1\n\xff")
    Path("bad.txt").write_text("a = 1\nf = a * b")
    Path("long.txt").write_text("x = 1 2\ny = 1 2 3\nf = x * y")
    Path("nan.txt").write_text("y : SQ(3, 2) = ln(-(1))")
    Path("folder.svg").mkdir()
    before = sorted(folder.rglob("*"))
    assert_refused(call(*arguments), sentence)
    assert sorted(folder.rglob("*")) == before


def test_a_mark_before_the_text_is_no_part_of_it():
    Path("mark.txt").write_bytes(b"\xef\xbb\xbfx = 1\n")
    assert call("mark.txt").exit_code == 0
