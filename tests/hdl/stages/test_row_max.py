"""The maximum of every row, when it is due."""

import numpy as np
import pytest

from softmaxfx.golden.stages.row_max import row_max
from softmaxfx.hdl.stages.row_largest import RowLargest
from softmaxfx.hdl.stages.row_max import RowMax

from ..rows import packed
from ..streams import trace

WIDTH, LOWEST = 7, -64
Row = tuple[np.ndarray, np.ndarray]
"""Codes and who takes part, each (beats, lanes)."""


of_both = pytest.mark.parametrize("stage", ["code", "address"])


def random_rows(rng: np.random.Generator, lanes: int, rows: int) -> list[Row]:
    """Rows of 1 to 5 beats, some with nobody in them."""
    made = []
    for row in range(rows):
        shape = (rng.integers(1, 6), lanes)
        low, high = [(LOWEST, -20), (LOWEST, -LOWEST), (30, -LOWEST)][row % 3]
        active = rng.random(shape) < [1.0, 0.5, 0.1, 0.0][row // 3 % 4]
        made.append((rng.integers(low, high, shape), active))
    return made


def beats_of(row: Row) -> list[dict]:
    """The inputs of a row's beats."""
    last = len(row[0]) - 1
    return [
        {"i_last": int(beat == last), "i": x.tolist(), "active": packed(active)}
        for beat, (x, active) in enumerate(zip(*row, strict=True))
    ]


def check(stage: str, lanes: int, stimulus: list[dict], due: dict[int, int]) -> None:
    """``due``: the maxima, by the cycle of their row's last beat."""
    if stage == "code":
        latency, dut = RowMax.latency_of(lanes), RowMax(lanes=lanes, width=WIDTH, lowest=LOWEST)
    else:
        latency, dut = RowLargest.latency_of(lanes), RowLargest(lanes=lanes, width=WIDTH)
        ones = (1 << WIDTH) - 1
        stimulus = [
            beat | {"i": [x & ones for x in beat["i"]]} if "i" in beat else beat
            for beat in stimulus
        ]
        due = {cycle: code & ones for cycle, code in due.items()}
    stimulus = [*stimulus, *[{"i_last": 0, "active": 0}] * (latency + 1)]
    seen = trace(dut, stimulus, ["o"])
    assert {cycle: seen[cycle + latency][0] for cycle in due} == due


@of_both
@pytest.mark.parametrize("lanes", [1, 2, 3, 4, 5, 8, 16])
@pytest.mark.parametrize("gaps", [0.0, 0.6], ids=["back to back", "with gaps"])
def test_every_row_gives_goldens_maximum_when_it_is_due(stage, lanes, gaps):
    rng = np.random.default_rng(8)
    stimulus, due = [], {}
    for row in random_rows(rng, lanes, 120):
        for beat in beats_of(row):
            while rng.random() < gaps:  # elements in a gap must not matter, for none takes part
                gap = rng.integers(LOWEST, -LOWEST, lanes).tolist()
                stimulus.append({"i": gap, "i_last": 0, "active": 0})
            stimulus.append(beat)
        due[len(stimulus) - 1] = row_max(row[0].ravel(), row[1].ravel(), LOWEST).item()
    check(stage, lanes, stimulus, due)


@of_both
@pytest.mark.parametrize("after", [0, 1, 3], ids="{} cycles later".format)
@pytest.mark.parametrize("lanes", [1, 3, 8])
def test_what_was_under_way_before_a_reset_is_in_no_maximum(stage, lanes, after):
    high = {"i": [60] * lanes, "active": (1 << lanes) - 1}
    idle = {"i_last": 0, "active": 0, "reset": 0}
    rows = random_rows(np.random.default_rng(9), lanes, 4)
    for cycle in range(12):
        # with the reset, inputs still are what they were
        old = [high | {"i_last": int(place in (3, 4, 9))} for place in range(cycle + 1)]
        stimulus, due = [*old[:-1], old[-1] | {"reset": 1}, *[idle] * after], {}
        for row in rows:
            stimulus += [beat | {"reset": 0} for beat in beats_of(row)]
            due[len(stimulus) - 1] = row_max(row[0].ravel(), row[1].ravel(), LOWEST).item()
        check(stage, lanes, stimulus, due)
