"""Every unit's rows: what is recorded for it, and what a user's arrays become."""

import numpy as np
import pytest

from softmaxfx.golden import preset
from softmaxfx.golden.rows import LogitRows
from softmaxfx.study import recordings
from softmaxfx.study.unit_rows import UNITS

BASE = preset("base")
LOGITS = LogitRows.from_array([[1.0, 2.0, 3.0], [0.5, np.nan, np.nan]])


def test_every_recorded_row_of_logits_is_there():
    rows, note = UNITS["softmax"].recorded(BASE)
    names = (*recordings.names(), *recordings.networks())
    count = sum(len(recordings.load(name)) for name in names)
    assert (len(rows.lengths), note) == (count, "")


def test_recorded_gradients_fill_their_format_and_the_user_is_told():
    rows, note = UNITS["softmax_backward"].recorded(BASE)
    fmt = BASE.grad_input
    largest = fmt.max_code * fmt.lsb
    for part in np.split(rows.dp, np.cumsum(_recorded_counts())[:-1]):
        assert largest / 2 < np.abs(part).max() <= largest
    assert note.startswith("the recorded dP are scaled by 2^")
    assert note.endswith(f"to fit {fmt}")
    assert note.count("2^") == len(_recorded_counts())


def _recorded_counts() -> list[int]:
    """Rows of every recording that has gradients."""
    steps = [recordings.training_gradients(step) for step in recordings.training_steps()]
    return [len(dp) for _, dp in (recordings.upstream_gradients(), *steps)]


def test_recorded_classes_are_elements_of_their_rows():
    rows, note = UNITS["cross_entropy"].recorded(BASE)
    assert note == ""
    assert (rows.targets < rows.lengths).all()
    classes = recordings.digits_targets()
    np.testing.assert_array_equal(rows.targets[: len(classes)], classes)
    outputs = [recordings.network_targets(name) for name in recordings.networks()]
    known = np.concatenate(outputs)
    np.testing.assert_array_equal(rows.targets[-len(known) :], known)
    assert (rows.targets[: -len(known)] >= 0).all()
    assert (known >= -1).all()


def test_a_user_s_gradients_stand_beside_their_rows():
    given = np.array([[1.0, -2.0, 3.0], [4.0, np.nan, 7.0]])
    rows = UNITS["softmax_backward"].joined(LOGITS, given)
    assert rows.logits is LOGITS
    assert rows.dp.tolist() == [[1.0, -2.0, 3.0], [4.0, 0.0, 0.0]]


def test_a_user_s_classes_stand_beside_their_rows():
    rows = UNITS["cross_entropy"].joined(LOGITS, np.array([2, -7]))
    assert rows.logits is LOGITS
    assert rows.targets.tolist() == [2, -1]


@pytest.mark.parametrize("unit", [unit for unit in UNITS if UNITS[unit].file])
def test_an_array_of_another_shape_is_refused(unit):
    with pytest.raises(ValueError, match=rf"^{UNITS[unit].file} must be"):
        UNITS[unit].joined(LOGITS, np.zeros(7))
