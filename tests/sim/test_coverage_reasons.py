"""The reasons why bits never toggle: what they explain, and a file that is refused."""

import pytest

from softmaxfx.golden import ConfigError
from softmaxfx.sim.coverage_reasons import Missed, Reason, parse_reasons, reasons

GOOD = """\
[[reason]]
why = "A carry"
module = "core"
name = '.* \\+ .*'

[[reason]]
why = "A constant"
module = ".*"
name = "one"
where = "bits 1, 2"
bits = 2
edge = "0->1"

[[reason]]
why = "A branch"
kind = "line"
module = "core"
name = "if .*"
where = "all bits"
"""


def test_reasons_are_read_in_their_order():
    assert parse_reasons(GOOD) == (
        Reason("core", r".* \+ .*", "A carry"),
        Reason(".*", "one", "A constant", "bits 1, 2", 2, "0->1"),
        Reason("core", "if .*", "A branch", "all bits", kind="line"),
    )


@pytest.mark.parametrize("kind", ["toggle", "line"])
def test_a_reason_is_about_toggles_or_lines(kind):
    missed = Missed("line", "core", "if (never)", "all bits", ("line 7, if",))
    reason = Reason("core", "if .*", "A branch", "all bits", kind=kind)
    assert reason.explains(missed) == (kind == "line")


def test_the_package_has_reasons_and_none_of_them_twice():
    assert len(set(reasons())) == len(reasons()) > 0


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('"one"', '"("', r"name of reason 2 must be a regular expression, not '\('"),
        ('"core"', "3", r"module of reason 1 must be a regular expression, not 3"),
        ('"A constant"', '" "', r"why of reason 2 must be a text, not ' '"),
        ("bits 1, 2", "bit 1", r"where of reason 2 must be any, all bits, .*, not 'bit 1'"),
        ("bits = 2", "bits = 0", r"bits of reason 2 must be a whole number from 1, not 0"),
        ("bits = 2", "bits = true", r"bits of reason 2 must be a whole number from 1, not True"),
        ("0->1", "1", r"edge of reason 2 must be 0->1 or 1->0, not '1'"),
        ('why = "A carry"', "", r"reason 1 must have why"),
        ('"line"', '"if"', r"kind of reason 3 must be toggle or line, not 'if'"),
        ("edge", "edges", r"reason 2 must have no edges"),
    ],
)  # fmt: skip
def test_a_bad_reason_names_itself(old, new, sentence):
    with pytest.raises(ConfigError, match=f"^{sentence}$"):
        parse_reasons(GOOD.replace(old, new, 1))


@pytest.mark.parametrize(
    "missed",
    [
        Missed("toggle", "core", "free + give", "low bits", ("[0] 0->1",)),
        Missed("toggle", "core", "free + give", "top bits", ("[5] 0->1", "[6] 0->1", "[7] 0->1")),
        Missed("toggle", "core", "m_axis_tuser", "bits 1, 2", ("[1] 0->1", "[2] 0->1")),
        Missed("toggle", "top", "m_axis_tuser", "bits 0, 1", ("[0] 0->1", "[1] 0->1")),
        Missed("toggle", "core.x.high", "port__data", "bits 7", ("[7] 0->1", "[7] 1->0")),
        Missed("line", "core", "free + give", "all bits", ("line 3, else",)),
    ],
)
def test_a_reason_reaches_no_further_than_it_says(missed):
    assert missed.reason == ""
