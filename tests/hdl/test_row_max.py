"""The maximum of every row, when it is due."""

import numpy as np
import pytest

from softmaxfx.golden.row_max import row_max
from softmaxfx.hdl.row_max import RowMax

from .streams import trace

WIDTH, LOWEST = 7, -64


def rows_of_beats(rng: np.random.Generator, lanes: int, rows: int):
    """Codes and who takes part of rows of 1 to 5 beats, some with nobody in them."""
    for row in range(rows):
        shape = (rng.integers(1, 6), lanes)
        low, high = [(LOWEST, -20), (LOWEST, -LOWEST), (30, -LOWEST)][row % 3]
        active = rng.random(shape) < [1.0, 0.5, 0.1, 0.0][row // 3 % 4]
        yield rng.integers(low, high, shape), active


@pytest.mark.parametrize("lanes", [1, 2, 3, 4, 5, 8, 16])
@pytest.mark.parametrize("gaps", [0.0, 0.6], ids=["back to back", "with gaps"])
def test_every_row_gives_goldens_maximum_when_it_is_due(lanes, gaps):
    rng = np.random.default_rng(8)
    latency = 1 + int(np.ceil(np.log2(lanes))) + 1
    stimulus, gold = [], {}
    for x, active in rows_of_beats(rng, lanes, 120):
        for beat in range(len(x)):
            while rng.random() < gaps:  # what lies on the ports in a gap must not matter
                gap = {"i": rng.integers(LOWEST, -LOWEST, lanes).tolist(), "i_last": 1}
                stimulus.append({"i_valid": 0, "active": (1 << lanes) - 1, **gap})
            stimulus.append(
                {
                    "i_valid": 1,
                    "i_last": int(beat == len(x) - 1),
                    "i": x[beat].tolist(),
                    "active": int((active[beat] << np.arange(lanes)).sum()),
                }
            )
        due = len(stimulus) - 1 + latency
        gold[due] = row_max(x.ravel(), active.ravel(), LOWEST).item()
    stimulus += [{"i_valid": 0}] * latency

    dut = RowMax(lanes=lanes, width=WIDTH, lowest=LOWEST)
    gate = {
        cycle: o for cycle, (valid, o) in enumerate(trace(dut, stimulus, ["o_valid", "o"])) if valid
    }
    assert gate == gold
