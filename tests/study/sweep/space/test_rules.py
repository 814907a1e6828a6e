"""A sweep's rules are told before its work, each in one sentence."""

import numpy as np
import pytest

from softmaxfx.golden import ConfigError
from softmaxfx.golden.rows import LogitRows
from softmaxfx.study.sweep.measure.sources import Source
from softmaxfx.study.sweep.space.rules import require_rows
from softmaxfx.study.sweep.space.space import Space

ROWS = LogitRows.from_array([[1.0, 2.0, 3.0], [1.0, -np.inf, np.nan]])
BARE = Source("bare", ROWS)
CLASSES = Source("classes", ROWS, targets=np.array([2, -1]), held_out=np.array([True, True]))
NO_CLASS = Source("no class", ROWS, targets=np.array([7, 1]))
NONE_HELD_OUT = Source("seen", ROWS, targets=np.array([2, 0]), held_out=np.zeros(2, bool))
GRADIENTS = Source("gradients", ROWS, gradients=np.ones((2, 3)))
LONG = Source("long", LogitRows.from_array(np.zeros((2, 65))))
MASKED = Source("masked", LogitRows.from_array(np.full((2, 3), -np.inf)))


def space(**axes):
    grid = {"name": "g", "axes": axes or {"lanes": [1]}}
    return Space.parse({"base": {"preset": "tiny"}, "grid": [grid]}, "mine")


ALLOWED = {
    "a source": (space(), [BARE], ()),
    "a metric of one of two sources": (space(), [BARE, CLASSES], ("ece", "loss_change", "kl")),
    "gradients": (space(), [GRADIENTS, BARE], ("backward_max_error_ulp",)),
    "metrics of designs and widths": (space(), [BARE], ("lut", "bits")),
    "a loss of rows that were all seen": (space(), [NONE_HELD_OUT], ("loss_change",)),
    "rows that some configurations take": (space(max_length=[64, 65]), [LONG], ()),
    "some that cannot be built": (space(output=["UQ(0, 30)", "UQ(0, 8)"]), [BARE], ()),
}


@pytest.mark.parametrize(("given", "sources", "metrics"), ALLOWED.values(), ids=ALLOWED)
def test_what_can_be_swept_is_not_refused(given, sources, metrics):
    require_rows(given, sources, metrics)


REFUSED = {
    "rows that no configuration takes": (
        space(max_length=[8, 64, 32]), [BARE, LONG], (),
        "rows of long must have at most 64 elements, the largest max_length of space mine, not 65 "
        r"\(row 0\)",
    ),
    "masked rows": (space(), [MASKED], (), "source masked must have at least one element that is"),
    "nothing that can be built": (
        space(output=["UQ(0, 30)"]), [BARE], (),
        "space mine must have a configuration that can be measured; its first: output must have 2 "
    ),
    "logarithms alone": (
        space(function=["log_softmax"], output=["SQ(6, 10)"]), [BARE], (),
        "space mine must have .*; its first: function must be softmax, not log_softmax",
    ),
    "no classes": (
        space(), [BARE, GRADIENTS], ("kl", "ece"),
        "goal must name metrics that the rows have, not ece: no row of bare, gradients has a class",
    ),
    "classes outside or masked": (
        space(), [NO_CLASS], ("loss_max_error_ulp",), "goal must name .* not loss_max_error_ulp",
    ),
    "no row held out": (space(), [NONE_HELD_OUT], ("ece",), "goal must name .* not ece: no row of"),
    "no gradients": (
        space(), [CLASSES], ("backward_bound_ulp",), "goal must name .*: no row of classes h",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("given", "sources", "metrics", "sentence"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_swept_is_told_in_one_sentence(given, sources, metrics, sentence):
    with pytest.raises(ConfigError, match=f"^{sentence}") as caught:
        require_rows(given, sources, metrics)
    assert "\n" not in str(caught.value)


def test_a_space_with_a_byte_order_mark_is_read(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_bytes(b'\xef\xbb\xbf[[grid]]\nname = "g"\naxes = { lanes = [1] }\n')
    assert [grid.name for grid in Space.load(file).grids] == ["g"]


@pytest.mark.parametrize("number", ["1" + "0" * 400, "-1" + "0" * 400, '"1"', "true", "[1]"])
@pytest.mark.parametrize("field", ["range", "scale"])
def test_a_number_that_no_float_holds_is_one_sentence(field, number, tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text(f'[base]\n{field} = {number}\n[[grid]]\nname = "g"\naxes = {{ lanes = [1] }}\n')
    with pytest.raises(ConfigError, match=f"^{field} must be a number, not "):
        Space.load(file)
