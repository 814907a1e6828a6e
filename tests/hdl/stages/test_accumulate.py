"""The sum of every row, when it is due: aligned and cut, or placed and exact."""

from typing import Any

import numpy as np
import pytest

from softmaxfx.golden.stages.accumulate import Accumulate as Golden
from softmaxfx.hdl.stages.accumulate import Accumulate
from softmaxfx.hdl.stages.exact_accumulate import LIMB, ExactAccumulate

from ..sums import (
    Row,
    active_rows,
    all_active,
    beats_of,
    check_sums,
    largest_place,
    placed,
    resets,
)

STAGES = {
    "base": (Golden(mantissa_bits=18, fraction=30, max_length=1024), 5),
    "int8": (Golden(mantissa_bits=10, fraction=22, max_length=1024), 5),
    "one-bit shift": (Golden(mantissa_bits=4, fraction=4, max_length=24), 1),
    "odd length": (Golden(mantissa_bits=10, fraction=13, max_length=25), 4),
    "widest": (Golden(mantissa_bits=28, fraction=46, max_length=65536), 6),
}


def exact(mantissa_bits: int, places: int, max_length: int) -> tuple[Golden, int]:
    """A stage whose largest place is ``places``, and the width of a place."""
    golden = Golden(mantissa_bits, mantissa_bits - 1 + places, max_length)
    return golden, max(places.bit_length(), 2)


EXACT = {
    "base": exact(18, 29, 1024),
    "int8": exact(10, 29, 1024),
    "a place at most": exact(8, 1, 24),
    "no place": exact(8, 0, 24),
    "last place of a limb": exact(10, 15, 25),
    "first place of a limb": exact(10, 16, 25),
    "last place of two limbs": exact(17, 31, 100),
    "mantissa wider than a limb": exact(24, 30, 7),
    "narrowest mantissa": exact(4, 40, 9),
    "widest sum": exact(17, 30, 65536),
    "widest place": exact(8, 54, 2),
    "longest": exact(28, 19, 65536),
}
LEADS = {
    "shift": {"shift": {"next_shift": 1}},
    "place": {"place": {"next_place": 1}, "active": {"next_active": 1}},
}
each_exact = pytest.mark.parametrize(("golden", "place_bits"), EXACT.values(), ids=EXACT)


def exponentials(rng: np.random.Generator, golden: Golden, shift_bits: int, shape: tuple):
    """Mantissas with their leading bit set, some 0, and shifts; nothing above exp(0) = 1."""
    one = 1 << (golden.mantissa_bits - 1)
    mantissa = rng.integers(one, 2 * one, shape)
    shift = rng.integers(0, 1 << shift_bits, shape)
    mantissa[shift == 0] = one
    mantissa[rng.random(shape) < 0.1] = 0
    return mantissa, shift


def check(stage: str, golden: Golden, bits: int, lanes: int, rows: list[Row], **how: Any) -> None:
    """Rows of exponentials: the sums come when they are due; see :func:`check_sums`."""
    if stage == "shift":
        latency = Accumulate.latency_of(lanes)
        dut = Accumulate(golden=golden, lanes=lanes, shift_bits=bits)
    else:
        latency = ExactAccumulate.latency_of(golden, lanes)
        dut = ExactAccumulate(golden=golden, lanes=lanes, place_bits=bits)

    def gold(row: Row) -> tuple[int]:
        return (golden(*active_rows(row)).item(),)

    how |= {"exponent": stage, "leads": LEADS[stage]}
    check_sums(dut, golden, rows, latency=latency, gold=gold, **how)


@pytest.mark.parametrize("lanes", [1, 2, 3, 8])
@pytest.mark.parametrize("gaps", [0.0, 0.5], ids=["back to back", "with gaps"])
@pytest.mark.parametrize(("golden", "shift_bits"), STAGES.values(), ids=STAGES)
def test_every_row_gives_goldens_sum_when_it_is_due(golden, shift_bits, lanes, gaps):
    rng = np.random.default_rng(10)
    most = max(golden.max_length // lanes, 1)
    rows = []
    for length in rng.integers(1, min(most, 6) + 1, 40):
        mantissa, shift = exponentials(rng, golden, shift_bits, (length, lanes))
        rows.append((mantissa, shift, rng.random(mantissa.shape) < rng.choice([1, 0.6, 0])))
    check("shift", golden, shift_bits, lanes, rows, gaps=gaps)


@pytest.mark.parametrize("lanes", [1, 8])
@pytest.mark.parametrize("name", ["base", "one-bit shift", "odd length"])
def test_the_longest_row_of_ones_fills_the_sum_and_the_next_row_starts_at_0(name, lanes):
    golden, shift_bits = STAGES[name]
    beats = golden.max_length // lanes
    ones = np.full((beats, lanes), 1 << (golden.mantissa_bits - 1))
    nothing = np.zeros((1, lanes), np.int64)
    rows = all_active([(ones, 0 * ones), (nothing, nothing), (ones[:1], 0 * ones[:1])])
    check("shift", golden, shift_bits, lanes, rows)


@pytest.mark.parametrize("lanes", [1, 3, 8])
@pytest.mark.parametrize("gaps", [0.0, 0.5], ids=["back to back", "with gaps"])
@each_exact
def test_every_row_gives_its_exact_sum_when_it_is_due(golden, place_bits, lanes, gaps):
    rng = np.random.default_rng(15)
    most = max(golden.max_length // lanes, 1)
    every = np.arange(largest_place(golden) + 1)
    rows = []
    for length in rng.integers(1, min(most, 6) + 1, 40):
        some = rng.choice(every, min(len(every), int(rng.integers(1, 4))))
        mantissa, shift = placed(rng, golden, (length, lanes), rng.choice([0, 1]) * some)
        if rng.random() < 0.7:
            mantissa, shift = placed(rng, golden, (length, lanes), every)
        active = rng.random(mantissa.shape) < rng.choice([1, 0.6, 0])
        active &= np.arange(active.size).reshape(active.shape) < golden.max_length
        rows.append((mantissa, shift, active))
    check("place", golden, place_bits, lanes, rows, gaps=gaps)


@each_exact
def test_a_single_mantissa_comes_out_at_each_of_its_places(golden, place_bits):
    full = (1 << golden.mantissa_bits) - 1
    rows = []
    for place in range(largest_place(golden) + 1):
        for mantissa in (1, full, 1 << (golden.mantissa_bits - 1)):
            if place == largest_place(golden):
                mantissa = 1 << (golden.mantissa_bits - 1)  # 1 is the largest term
            shift = largest_place(golden) - place
            rows.append((np.array([[mantissa]]), np.array([[shift]])))
            assert golden(*rows[-1]).item() == mantissa << place
    check("place", golden, place_bits, 1, all_active(rows))


@pytest.mark.parametrize("lanes", [1, 8])
@pytest.mark.parametrize("name", ["base", "a place at most", "first place of a limb"])
def test_the_longest_row_at_every_place_carries_into_every_limb(name, lanes):
    golden, place_bits = EXACT[name]
    largest = largest_place(golden)
    shape = golden.max_length // lanes, lanes
    full, one = (1 << golden.mantissa_bits) - 1, 1 << (golden.mantissa_bits - 1)
    places = sorted({0, 1, LIMB - 1, LIMB, largest - 1, largest} & set(range(largest + 1)))
    rows = []
    for place in places:
        mantissa = np.full(shape, one if place == largest else full)
        rows.append((mantissa, np.full(shape, largest - place)))
        rows.append((np.zeros((1, lanes), np.int64),) * 2)
    check("place", golden, place_bits, lanes, all_active(rows))


@pytest.mark.parametrize("after", [0, 1, 3], ids="{} cycles later".format)
@pytest.mark.parametrize("stage", ["shift", "place"])
def test_what_was_under_way_before_a_reset_is_in_no_sum(stage, after):
    rng, lanes = np.random.default_rng(16), 3
    golden, bits = STAGES["odd length"] if stage == "shift" else EXACT["first place of a limb"]

    def rows_of(*lengths: int) -> list[Row]:
        places = np.arange(largest_place(golden))
        return all_active(
            exponentials(rng, golden, bits, (length, lanes))
            if stage == "shift"
            else placed(rng, golden, (length, lanes), places)
            for length in lengths
        )

    coming = [beat for row in rows_of(8, 1, 1, 2, 3) for beat in beats_of(stage, golden, row)]
    rows = rows_of(1, 1, 2, 4)
    for before in resets(LEADS[stage], coming, after):
        check(stage, golden, bits, lanes, rows, before=before)
