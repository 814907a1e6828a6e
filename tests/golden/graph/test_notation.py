"""Texts become graphs; what is no notation is refused with line, column and rule."""

import numpy as np
import pytest

from softmaxfx.golden.formats import SQ, UQ
from softmaxfx.golden.graph.notation import MAX_NODES, read, read_row, uses_roles


def value(text, name="f"):
    graph = read(text)
    graph.forward()
    return graph[name].value.tolist()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("f = 2", 2),
        ("f = -2.5e1", -25),
        ("f = .5", 0.5),
        ("f = 1 2 3", [1, 2, 3]),
        ("f = 2.0 -3.0", [2, -3]),
        ("f = 2, -3 ,4", [2, -3, 4]),
        ("f = 2,", [2]),
        ("f = 2 - 3", -1),
        ("f = 2-3", -1),
        ("f = 1 + 2 * 3", 7),
        ("f = (1 + 2) * 3", 9),
        ("f = 7 - 2 - 1", 4),
        ("f = 8 / 2 / 2", 2),
        ("f = 2 ^ 3 ^ 2", 512),
        ("f = 2 ^ 3 + 1", 9),
        ("f = 2 * 3 ^ 2", 18),
        ("f = -3 ^ 2", -9),
        ("f = (-3) ^ 2", 9),
        ("f = 3 ** 2", 9),
        ("f = 4 ^ -0.5", 0.5),
        ("f = +(2)", 2),
        ("f = --2", 2),
        ("x = 3\nf = x", 3),
        ("x = 3\nf = +x", 3),
        ("x = 4 9\nf = x ^ 0.5", [2, 3]),
        ("x = 1 2\nf = 2 ^ x", [2, 4]),
        ("x = 1 5 3\nf = x - max(x)", [-4, 0, -2]),
        ("x = 1 5 3\nf = clip(x, 2, 4)", [2, 4, 3]),
        ("x = 1 5 3\nf = saturate(x, -1, +4)", [1, 4, 3]),
        ("x = 1 # a comment: y = 2\n\n   # another\nf = x + 1 # x", 2),
        ("\tx\t=\t1\t2\n  f=sum( x )", [3]),
        ("x = 1\r\nf = x + 1\r\n", 2),
        ("x_1 = 1\nX_1 = 2\nf = x_1 - X_1", -1),
    ],
)
def test_a_text_is_computed_as_it_reads(text, expected):
    assert value(text) == expected


def test_every_name_is_a_node_and_parts_are_named_after_their_gates():
    graph = read("exp_1 = 1\nf = exp(exp(exp_1) * 2)")
    assert [node.name for node in graph.nodes] == ["exp_1", "exp_2", "number_1", "multiply_1", "f"]
    assert [node.named for node in graph.nodes] == [True, False, False, False, True]


def test_a_name_that_a_later_line_assigns_is_not_given_to_a_part():
    assert [node.name for node in read("x = 1\nf = exp(exp(x))\nexp_1 = f + f").nodes] == [
        "x", "exp_2", "f", "exp_1",
    ]  # fmt: skip


def test_rows_and_numbers_of_lines_are_inputs_and_numbers_inside_are_constants():
    graph = read("x = 1 2\na = 3\nf = a * x + 4")
    assert [node.name for node in graph.inputs] == ["x", "a"]
    assert [node.exact.item() for node in graph.nodes if node.constant] == [4]


def test_nodes_know_their_places():
    graph = read("x = 1\n\nf = (x + 2)  * exp(x)")
    assert {node.name: node.where for node in graph.nodes} == {
        "x": "line 1, column 5", "number_1": "line 3, column 10", "add_1": "line 3, column 8",
        "exp_1": "line 3, column 16", "f": "line 3, column 14",
    }  # fmt: skip


def test_a_name_can_have_a_format_in_any_spelling():
    graph = read("x : SQ(5, 11) = 1.5\ny: Q3.4 = x\nz :ap_ufixed<16,0>= y")
    assert [node.format for node in graph.nodes] == [SQ(5, 11), SQ(3, 4), UQ(0, 16)]


def test_a_role_is_the_format_of_a_configuration_and_none_without_one():
    text = "x : input = 1.5\ny : output = x"
    formats = {"input": SQ(5, 3), "output": UQ(0, 8)}
    assert [node.format for node in read(text, formats).nodes] == [SQ(5, 3), UQ(0, 8)]
    assert [node.format for node in read(text).nodes] == [None, None]


def test_it_is_known_whether_a_text_uses_roles():
    assert uses_roles("x = 1\ny : output = x")
    assert uses_roles("x :loss= 1")
    assert not uses_roles("x : SQ(5, 3) = 1 # y : output = 2\n# z : input = 3")


REFUSED = {
    "": "line 1, column 1: a graph must have at least one line",
    "# nothing": "line 1, column 1: a graph must have at least one line",
    "x = 1\nhello": "line 2, column 1: a line must be NAME = VALUE or NAME : FORMAT = VALUE",
    "  1 = x": "line 1, column 3: a line must be NAME = VALUE",
    "x = ": "line 1, column 4: x must have a value right of =",
    "x = 1\n  x = 2": "line 2, column 3: a name must be assigned once, and x is on line 1",
    "exp = 1": "line 1, column 1: a name must not be that of a function, as exp is",
    "f = 2 * b": "line 1, column 9: b must be assigned on a line above",
    "f = g + 1\ng = 2": "line 1, column 5: g must be assigned on a line above",
    "x = 1\nf = x ^ 2 + 3 ^ y": "line 2, column 17: y must be assigned on a line above",
    "x = 1\nf = exp": "line 2, column 5: exp must have what it is taken of in",
    "x = 1\nf = tanh(x)": "line 2, column 5: a function must be one of exp, ln, .*, not tanh",
    "x = 1\nf = exp(x, x)": r"line 2, column 5: exp takes one argument, not exp\(x, x\)",
    "x = 1\nf = exp()": r"line 2, column 5: exp takes one argument, not exp\(\)",
    "x = 1\nf = exp(x=x)": "line 2, column 5: exp takes one argument",
    "x = 1\nf = clip(x, 1)": "line 2, column 5: clip takes x, a lower and an upper limit",
    "x = 1\nf = clip(x, x, 1)": "line 2, column 5: the limits of clip must be numbers",
    "x = 1\nf = clip(x, 2, 1)": "line 2, column 5: clip takes a lower and an upper limit, not 2",
    "x = 1\nf = x ^ x": "line 2, column 5: .* must have a number on one side",
    "x = 1\nf = 0 ^ x": "line 2, column 5: .* takes a base above 0, not 0",
    "f = 1e999 + 1": "line 1, column 5: a number must be finite, not 1e999",
    "f = 1e999": "line 1, column 5: f must be finite numbers, not '1e999'",
    "x : Q5 = 1": r"line 1, column 5: format must be spelled .* not 'Q5' \(or be one of input,",
    "x : = 1": "line 1, column 5: format must be spelled",
    "x : SQ(0, 3) = 1": "line 1, column 5: format must have non-negative",
    "f = 1 +": "line 1, column 8: an expression .* and none ends here",
    "f = (1 + 2": r"line 1, column 5: an expression .* none goes on with \(1 \+ 2",
    "f = 1 2 + 3": "line 1, column [57]: an expression .* none goes on with",
    "f = 1 == 2": "line 1, column 5: an expression must be of numbers, .*, not 1 == 2",
    "f == 1": "line 1, column 4: an expression .* none goes on with = 1",
    "f = [1, 2]": r"line 1, column 5: an expression .*, not \[1, 2\]",
    "f = 'text'": "line 1, column 5: an expression .*, not 'text'",
    "f = True": "line 1, column 5: True must be assigned|line 1, column 5: an expression",
    "f = 0x10": "line 1, column 5: an expression .*, not 0x10",
    "f = 1_000": "line 1, column 5: an expression .*, not 1_000",
    "f = 1j": "line 1, column 5: an expression .*, not 1j",
    "f = 7 // 2": "line 1, column 5: an expression .*, not 7 // 2",
    "f = 7 % 2": "line 1, column 5: an expression .*, not 7 % 2",
    "x = 1\nf = x.real": r"line 2, column 5: an expression .*, not x\.real",
    "x = 1\nf = x[0]": r"line 2, column 5: an expression .*, not x\[0\]",
    "x = 1\nf = x if x else x": "line 2, column 5: an expression .*, not x if x else x",
    "f = lambda: 1": "line 1, column 5: an expression .*, not lambda: 1",
    "f = (g := 1)": "line 1, column 6: an expression",
    "f = __import__('os')": "line 1, column 5: a function must be one of .*, not __import__",
    "f = (1)(2)": r"line 1, column \d: an expression",
    "f = 1; g = 2": "line 1, column 6: an expression",
    "f = 1 \\": "line 1, column 7: an expression|line 1, column 8: an expression",
    "f = 2 \N{DIVISION SIGN} 3": "line 1, column 7: a line must be ASCII before #, without '÷'",
    "f = 2 \N{MINUS SIGN} 3": "line 1, column 7: a line must be ASCII",
    "f = 1\0": "line 1, column 6: a line must be ASCII",
    "ﬁ = 1": "line 1, column 1: a line must be ASCII",
    f"f = {'(' * 500}1{')' * 500}": "line 1, column .*: an expression",
    f"x = 1\nf = {'-' * 5000}x": "line 2, column 5: an expression must not be nested this deeply",
    f"x = 1\nf = {'x + ' * 5000}x": "line 2, column .*: an expression must not be nested|a graph",
    f"x = 1\nf = {'x+' * MAX_NODES}x": f"line 2, column .*: a graph must have at most {MAX_NODES} ",
}  # fmt: skip


@pytest.mark.parametrize(("text", "sentence"), REFUSED.items(), ids=[t[:30] for t in REFUSED])
def test_what_is_no_notation_is_refused_by_its_place(text, sentence):
    with pytest.raises(ValueError, match=f"^({sentence})") as refused:
        read(text)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("1,2,3", [1, 2, 3]), ("1 2", [1, 2]), (" -1e-3 , 2. ", [-1e-3, 2]), ("5", 5), ("5,", [5])],
)
def test_a_row_is_numbers_with_commas_or_spaces_between_them(text, expected):
    assert read_row(text).tolist() == expected


@pytest.mark.parametrize("text", ["", "one", "1,,2", "1;2", "nan", "inf", "1 - 2", "[1, 2]", ","])
def test_what_is_no_row_is_refused(text):
    with pytest.raises(ValueError, match="must be numbers with commas or spaces between them, not"):
        read_row(text)


def test_a_row_is_finite():
    with pytest.raises(ValueError, match="must be finite numbers, not '1 1e999'"):
        read_row("1 1e999")


def test_reading_a_text_runs_none_of_it(tmp_path):
    with pytest.raises(ValueError, match=r"an expression|a function"):
        read(f"f = open('{tmp_path}/made', 'w')")
    assert not (tmp_path / "made").exists()
    assert np.isfinite(value("f = 1"))
