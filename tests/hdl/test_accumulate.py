"""The sum of every row, when it is due."""

import numpy as np
import pytest

from softmaxfx.golden.accumulate import Accumulate as Golden
from softmaxfx.hdl.accumulate import Accumulate

from .streams import trace

STAGES = {
    "base": (Golden(mantissa_bits=18, fraction=30, max_length=1024), 5),
    "int8": (Golden(mantissa_bits=10, fraction=22, max_length=1024), 5),
    "one-bit shift": (Golden(mantissa_bits=4, fraction=4, max_length=24), 1),
    "odd length": (Golden(mantissa_bits=10, fraction=13, max_length=25), 4),
    "widest": (Golden(mantissa_bits=28, fraction=46, max_length=65536), 6),
}


def exponentials(rng: np.random.Generator, golden: Golden, shift_bits: int, shape: tuple):
    """Mantissas with their leading bit set, some 0, and shifts; nothing above exp(0) = 1."""
    one = 1 << (golden.mantissa_bits - 1)
    mantissa = rng.integers(one, 2 * one, shape)
    shift = rng.integers(0, 1 << shift_bits, shape)
    mantissa[shift == 0] = one
    mantissa[rng.random(shape) < 0.1] = 0
    return mantissa, shift


def check(golden: Golden, shift_bits: int, lanes: int, rows: list, gaps: float = 0.0) -> None:
    """Rows of (mantissa, shift), each (beats, lanes): the sums come when they are due."""
    rng = np.random.default_rng(9)
    latency = 3 + int(np.ceil(np.log2(lanes)))
    stimulus, gold = [], {}
    for mantissa, shift in rows:
        for beat in range(len(mantissa)):
            while rng.random() < gaps:  # what lies on the ports in a gap must not matter
                stimulus.append({"i_valid": 0, "i_last": 1})
            last = int(beat == len(mantissa) - 1)
            beats = {"mantissa": mantissa[beat].tolist(), "shift": shift[beat].tolist()}
            stimulus.append({"i_valid": 1, "i_last": last, **beats})
        due = len(stimulus) - 1 + latency
        gold[due] = golden(mantissa.ravel(), shift.ravel()).item()
    stimulus += [{"i_valid": 0}] * latency

    dut = Accumulate(golden=golden, lanes=lanes, shift_bits=shift_bits)
    gate = {
        cycle: o for cycle, (valid, o) in enumerate(trace(dut, stimulus, ["o_valid", "o"])) if valid
    }
    assert gate == gold


@pytest.mark.parametrize("lanes", [1, 2, 3, 8])
@pytest.mark.parametrize("gaps", [0.0, 0.5], ids=["back to back", "with gaps"])
@pytest.mark.parametrize(("golden", "shift_bits"), STAGES.values(), ids=STAGES)
def test_every_row_gives_goldens_sum_when_it_is_due(golden, shift_bits, lanes, gaps):
    rng = np.random.default_rng(10)
    most = max(golden.max_length // lanes, 1)
    lengths = rng.integers(1, min(most, 6) + 1, 40)
    rows = [exponentials(rng, golden, shift_bits, (length, lanes)) for length in lengths]
    check(golden, shift_bits, lanes, rows, gaps)


@pytest.mark.parametrize("lanes", [1, 8])
@pytest.mark.parametrize("name", ["base", "one-bit shift", "odd length"])
def test_the_longest_row_of_ones_fills_the_sum_and_the_next_row_starts_at_0(name, lanes):
    golden, shift_bits = STAGES[name]
    beats = golden.max_length // lanes
    ones = np.full((beats, lanes), 1 << (golden.mantissa_bits - 1))
    nothing = np.zeros((1, lanes), np.int64)
    rows = [(ones, 0 * ones), (nothing, nothing), (ones[:1], 0 * ones[:1])]
    check(golden, shift_bits, lanes, rows)
