"""The window of limbs: golden's sum and its highest limb for every row, when they are due."""

import itertools
from typing import Any

import numpy as np
import pytest

from softmaxfx.golden import SQ, UQ, preset
from softmaxfx.golden.stages.accumulate import row_sum
from softmaxfx.golden.stages.exp import exp_table
from softmaxfx.golden.stages.loss import Loss
from softmaxfx.golden.stages.reciprocal import reciprocal_table
from softmaxfx.golden.stages.window import LIMB_BITS as LIMB
from softmaxfx.golden.stages.window import Window as Golden
from softmaxfx.hdl.stages.row_scalar import SumFunctions
from softmaxfx.hdl.stages.window import Window

from ..streams import scalars
from ..sums import (
    Leads,
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
    "full": Golden.of(preset("full")),
    "narrowest mantissa": Golden(4, 90, 9),
    "mantissa wider than a limb": Golden(24, 200, 65536),
    "widest": Golden(28, 800, 65536),
    "three limbs": Golden(18, 64, 1024),
    "two limbs": Golden(18, 48, 1024),
    "one limb": Golden(8, 22, 24),
}
CONFIGS = {
    "full": preset("full"),
    "few codes": preset("full", input=SQ(7, 1)),
    "512": preset("full", input=SQ(10, 4), loss=UQ(11, 8)),
    "longest": preset("full", input=SQ(8, 4), max_length=65536),
    "one element": preset("full", input=SQ(8, 2), max_length=1),
    "leading bits lost": preset("full", exp_split=(7, 9)),
    "wide mantissas": preset("full", input=SQ(8, 4), mantissa_bits=28),
    "clipped": preset("full", input=SQ(7, 9), range=30, clip="input"),
}
AHEAD = 6
"""Cycles by which places are known before mantissas of two tables, or a cycle less."""
each = pytest.mark.parametrize("golden", STAGES.values(), ids=STAGES)


def leads_of(ahead: int) -> Leads:
    """What a window is told in advance."""
    early = {"early_place": ahead, "next_place": 1}
    return {"place": early, "active": {"early_active": ahead}}


def check(golden: Golden, lanes: int, rows: list[Row], ahead: int = AHEAD, **how: Any) -> None:
    """The sums and their highest limbs come when they are due."""
    place_bits = max(largest_place(golden).bit_length(), 2)
    dut = Window(golden=golden, lanes=lanes, place_bits=place_bits, ahead=ahead)

    def gold(row: Row) -> tuple[int, int]:
        total = golden(*active_rows(row))
        return (total.high.item() << LIMB) + total.low.item(), total.top.item()

    latency = Window.latency_of(lanes, ahead)
    how |= {"exponent": "place", "leads": leads_of(ahead), "outputs": ("o", "top")}
    check_sums(dut, golden, rows, latency=latency, gold=gold, **how)


def drawn(golden: Golden, rng: np.random.Generator, shape: tuple) -> Row:
    """A row of elements anywhere, near one another or at a limb's borders; some masked, or all."""
    largest = largest_place(golden)
    near = rng.integers(0, largest + 1) + np.arange(-40, 1)
    borders = (np.arange(0, largest + 1, LIMB)[:, None] + [-1, 0, 1]).ravel()
    places = [np.arange(largest + 1), near, borders][rng.integers(0, 3)]
    mantissa, shift = placed(rng, golden, shape, np.unique(places.clip(0, largest)))
    active = rng.random(shape) < rng.choice([1, 1, 0.6, 0.2, 0])
    mantissa = np.maximum(mantissa, 1)  # of an element that takes part, none is 0
    return mantissa, shift, active & (np.arange(active.size).reshape(shape) < golden.max_length)


def in_lanes(row: Row, lanes: int) -> Row:
    """The elements of a row in beats of another width, the last one filled up with masked ones."""
    flat = [column.ravel() for column in row]
    beats = -(-flat[0].size // lanes)
    return tuple(
        np.pad(part, (0, beats * lanes - part.size)).reshape(beats, lanes) for part in flat
    )


@pytest.mark.parametrize("lanes", [1, 2, 3, 8, 16])
@pytest.mark.parametrize("gaps", [0.0, 0.5], ids=["back to back", "with gaps"])
@each
def test_every_row_gives_goldens_sum_when_it_is_due(golden, lanes, gaps):
    rng = np.random.default_rng(17)
    most = max(min(golden.max_length // lanes, 6), 1)
    check(
        golden,
        lanes,
        [drawn(golden, rng, (n, lanes)) for n in rng.integers(1, most + 1, 40)],
        gaps=gaps,
    )


@pytest.mark.parametrize("lanes", [1, 2, 3, 8])
def test_rows_of_one_beat_follow_one_another_without_a_gap(lanes):
    """Each far from the one before: nothing of a row is in the next."""
    golden, rng = STAGES["full"], np.random.default_rng(18)
    check(golden, lanes, [drawn(golden, rng, (1, lanes)) for _ in range(150)])


@pytest.mark.parametrize("ahead", [1, 2, 3, 5, 9])
@pytest.mark.parametrize("lanes", [1, 3, 8])
def test_places_may_be_known_any_number_of_cycles_ahead(lanes, ahead):
    golden, rng = STAGES["full"], np.random.default_rng(22)
    rows = [drawn(golden, rng, (n, lanes)) for n in rng.integers(1, 5, 30)]
    check(golden, lanes, rows, ahead, gaps=0.3)


@pytest.mark.parametrize("name", ["full", "widest"])
@pytest.mark.parametrize("lanes", [1, 2, 3])
def test_the_highest_limb_rises_by_one_or_more_in_every_order(name, lanes):
    """Full mantissas in some of five limbs, an element a beat or several."""
    golden = STAGES[name]
    full = (1 << golden.mantissa_bits) - 1
    rows = []
    for size in (2, 3, 4):
        for limbs in itertools.permutations(range(5), size):
            place = np.array([limbs]) * LIMB + (sum(limbs) * 5 + limbs[0]) % LIMB
            row = np.full_like(place, full), largest_place(golden) - place, place >= 0
            rows.append(in_lanes(row, lanes))
    check(golden, lanes, rows)


@pytest.mark.parametrize("lanes", [1, 3])
@each
def test_a_mantissa_alone_comes_out_at_each_of_its_places(golden, lanes):
    largest, full = largest_place(golden), (1 << golden.mantissa_bits) - 1
    one = np.full((1, lanes), full)
    others = np.arange(lanes) > 0  # what does not take part may lie anywhere
    rows = [
        (one, np.where(others, 0, largest - place)[None], ~others[None])
        for place in range(largest + 1)
    ]
    check(golden, lanes, rows)


@pytest.mark.parametrize("name", ["full", "three limbs", "one limb"])
@pytest.mark.parametrize("lanes", [1, 8])
def test_the_longest_row_carries_into_every_limb_and_the_next_row_starts_at_0(name, lanes):
    golden = STAGES[name]
    largest, shape = largest_place(golden), (golden.max_length // lanes, lanes)
    full = np.full(shape, (1 << golden.mantissa_bits) - 1)
    one, nobody = np.ones((1, lanes), np.int64), np.zeros((1, lanes), bool)
    rows = []
    for place in sorted({0, min(LIMB - 1, largest), largest // LIMB * LIMB, largest}):
        rows += [*all_active([(full, np.full(shape, largest - place))]), (one, one, nobody)]
    check(golden, lanes, rows)


@pytest.mark.parametrize("seed", range(2))
def test_a_row_s_sum_depends_neither_on_lanes_nor_on_the_order(seed):
    """Rows permuted, and cut into other beats: each is held against the sum of one order."""
    golden, rng = STAGES["full"], np.random.default_rng([19, seed])
    rows = [drawn(golden, rng, (1, n)) for n in rng.integers(1, 20, 60)]
    for lanes in (1, 2, 3, 8, 16):
        moved = []
        for row in rows:
            order = rng.permutation(row[0].size)
            moved.append(in_lanes(tuple(column[:, order] for column in row), lanes))
        due = iter([golden(*active_rows(row)) for row in rows])
        same = {
            tuple(golden(*active_rows(row)).high.ravel()) == tuple(next(due).high.ravel())
            for row in moved
        }
        assert same == {True}
        check(golden, lanes, moved)


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
def test_functions_of_a_row_s_sum_are_goldens(config):
    """Rows of every size, the least and the largest sum, rows near the range's ends."""
    rng = np.random.default_rng(21)
    nearest, farthest = config.path.nearest, config.path.farthest
    rows = rng.integers(nearest, farthest, (600, min(4, config.max_length)), endpoint=True)
    rows[::3] = rows[::3, :1]
    rows[1], rows[2] = nearest, farthest
    total = row_sum(config)(*exp_table(config)(rows))
    reciprocal, ln = reciprocal_table(config), Loss.of(config).log.ln
    r, q, logarithm = scalars(SumFunctions.of(config, reciprocal=reciprocal, ln=ln), total)
    gold_r, gold_q = reciprocal(total)
    np.testing.assert_array_equal(r, gold_r[:, 0])
    np.testing.assert_array_equal(q + reciprocal.lowest, gold_q[:, 0])
    np.testing.assert_array_equal(logarithm, ln(total)[:, 0])


@pytest.mark.parametrize("lanes", [1, 3, 8])
@pytest.mark.parametrize("after", [0, 1, 3], ids="{} cycles later".format)
@pytest.mark.parametrize("ahead", [1, AHEAD])
def test_what_was_under_way_before_a_reset_is_in_no_sum(lanes, after, ahead):
    golden, rng = STAGES["full"], np.random.default_rng(20)

    def rows_of(*lengths: int) -> list[Row]:
        return [drawn(golden, rng, (length, lanes)) for length in lengths]

    coming = [beat for row in rows_of(8, 1, 1, 2, 3) for beat in beats_of("place", golden, row)]
    rows = rows_of(1, 1, 2, 4)
    for before in resets(leads_of(ahead), coming, after):
        check(golden, lanes, rows, ahead, before=before)
