"""Two streams of rows leave as golden's pairs, whichever comes late, short or not at all."""

from dataclasses import dataclass, field

import numpy as np
import pytest
from amaranth.hdl import Elaboratable, Module, ResetInserter, Signal
from amaranth.lib import data

from softmaxfx.golden.ports.join import join
from softmaxfx.hdl.flow.inlet import Inlet
from softmaxfx.hdl.ports.join import Join

from ..rows import packed
from ..streams import simulate

LANES = 3


class Joined(Elaboratable):
    """Two inlets and what joins them."""

    def __init__(self):
        beat = data.StructLayout({"number": 12, "present": LANES, "broken": 1, "last": 1})
        self.p, self.dp = Inlet(beat), Inlet(beat)
        self.join = Join(p=beat, dp=beat)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.p, m.submodules.dp, m.submodules.join = self.p, self.dp, self.join
        for name in ("p", "dp"):
            inlet = getattr(self, name)
            m.d.comb += [
                getattr(self.join, name).eq(inlet.o),
                getattr(self.join, f"{name}_valid").eq(inlet.valid),
                getattr(self.join, f"{name}_last").eq(inlet.last),
                inlet.consume.eq(getattr(self.join, f"{name}_consume")),
            ]
        return m


@dataclass(frozen=True, eq=False)
class Side:
    """Beats of one stream. keep: (beats, lanes, bytes). last: (beats,)."""

    keep: np.ndarray
    last: np.ndarray

    def __getitem__(self, part: slice) -> "Side":
        return Side(self.keep[part], self.last[part])

    @property
    def broken(self) -> np.ndarray:
        return (self.keep != self.keep[:, :, :1]).any(axis=(1, 2))

    def beats(self) -> list[dict]:
        columns = self.keep[:, :, 0], self.broken.tolist(), self.last.tolist()
        return [
            {"number": number, "present": packed(present), "broken": broken, "last": last}
            for number, (present, broken, last) in enumerate(zip(*columns, strict=True))
        ]


def rows_of(lengths: list[int], elements: int = LANES) -> Side:
    """Whole rows of so many beats; in their last ones so many elements."""
    last = np.concatenate([np.arange(beats) == beats - 1 for beats in lengths])
    keep = np.ones((len(last), LANES, 2), bool)
    keep[last, elements:] = False
    return Side(keep, last)


def random_sides(rng: np.random.Generator, rows: int, *, equal: float) -> tuple[Side, Side]:
    """Rows of any length, a share of them equal; elements missing and containers broken."""
    beats = rng.choice([1, 1, 2, 3, 8, 30], (2, rows))
    beats[1] = np.where(rng.random(rows) < equal, beats[0], beats[1])
    sides = [rows_of(lengths) for lengths in beats.tolist()]
    for side in sides:
        odd = rng.random(len(side.last)) < 0.1
        side.keep[odd] &= rng.random((odd.sum(), LANES, 1)) < 0.7
        odd = rng.random(len(side.last)) < 0.05
        side.keep[odd] &= rng.random((odd.sum(), LANES, 2)) < 0.9
    return sides[0], sides[1]


def golden_pairs(p: Side, dp: Side) -> list[tuple]:
    """(number of P's beat, of dP's or None, last, fault) of each pair."""
    pairs = join(p.keep, p.last, dp.keep, dp.last)
    # golden's judgement of P's containers is that of the stage that cuts rows
    fault = pairs.fault | p.broken[: len(pairs.fault)]
    return [
        (number, int(partner) if partner >= 0 else None, int(p.last[number]), int(fault[number]))
        for number, partner in enumerate(pairs.partner)
    ]


@dataclass
class Habits:
    """When beats come and may leave: cycles before a side's first beat, shares of the cycles in
    which its source pauses, a range of cycles without any; the same of ``go``."""

    late: tuple[int, int] = (0, 0)
    pauses: tuple[float, float] = (0.0, 0.0)
    blocked: tuple[range, range] = (range(0), range(0))
    stops: float = 0.0
    stopped: range = range(0)


@dataclass
class Seen:
    """A run: pairs as :func:`golden_pairs` has them; the cycles in which beats of each side were
    accepted, and in which pairs came."""

    pairs: list[tuple] = field(default_factory=list)
    accepted: tuple[list[int], list[int]] = field(default_factory=lambda: ([], []))
    came: list[int] = field(default_factory=list)


class Driver:
    """Drives two streams into the stage."""

    def __init__(self, habits: Habits, seed: int = 90):
        self.dut, self.habits, self.rng = Joined(), habits, np.random.default_rng(seed)

    async def run(self, ctx, sides: tuple[Side, Side], cycles: int) -> Seen:
        """Offer beats from now on; look on for so many cycles."""
        seen, join, habits = Seen(), self.dut.join, self.habits
        coming = [list(reversed(side.beats())) for side in sides]
        offers: list[dict | None] = [None, None]
        numbers: dict[int, tuple] = {}  # of the pairs whose faults are not told yet
        for cycle in range(cycles):
            for j, stream in enumerate((self.dut.p.i, self.dut.dp.i)):
                pause = self.rng.random() < habits.pauses[j] or cycle in habits.blocked[j]
                if offers[j] is None and coming[j] and cycle >= habits.late[j] and not pause:
                    offers[j] = coming[j].pop()
                noise = {"number": 0, "present": 5, "broken": 1, "last": cycle % 2}
                ctx.set(stream.payload, offers[j] or noise)
                ctx.set(stream.valid, offers[j] is not None)
            ctx.set(join.go, self.rng.random() >= habits.stops and cycle not in habits.stopped)
            if ctx.get(join.o_valid):
                pair = ctx.get(join.p.number), ctx.get(join.dp.number), ctx.get(join.o_last)
                numbers[cycle + Join.FAULT] = pair
                seen.came.append(cycle)
            assert ctx.get(join.o_valid) or not ctx.get(join.o_last)
            if cycle in numbers:
                seen.pairs.append((*numbers.pop(cycle), ctx.get(join.fault)))
            for j, stream in enumerate((self.dut.p.i, self.dut.dp.i)):
                if offers[j] is not None and ctx.get(stream.ready):
                    offers[j] = None
                    seen.accepted[j].append(cycle)
            await ctx.tick()
        return seen


def run(sides: tuple[Side, Side], habits: Habits, cycles: int) -> Seen:
    driver, seen = Driver(habits), []

    async def testbench(ctx):
        seen.append(await driver.run(ctx, sides, cycles))

    simulate(driver.dut, testbench)
    return seen[0]


def check(sides: tuple[Side, Side], habits: Habits, cycles: int) -> Seen:
    """The pairs must be golden's; with a partner that there is not, anything leaves."""
    gold, seen = golden_pairs(*sides), run(sides, habits, cycles)
    assert compared(seen.pairs, gold) == gold
    return seen


def compared(pairs: list[tuple], gold: list[tuple]) -> list[tuple]:
    """Pairs without the partners that golden's do not have."""
    partners = [pair[1] for pair in gold] + [-1] * len(pairs)
    return [
        (p, None if partner is None else dp, last, fault)
        for (p, dp, last, fault), partner in zip(pairs, partners, strict=False)
    ]


HABITS = {
    "steady": Habits(),
    "P pauses": Habits(pauses=(0.6, 0.0)),
    "dP pauses": Habits(pauses=(0.1, 0.6)),
    "both pause": Habits(pauses=(0.7, 0.6)),
    "P late": Habits(late=(60, 0)),
    "dP late": Habits(late=(0, 60)),
    "pairs held up": Habits(stops=0.5, pauses=(0.2, 0.2)),
    "P blocked for a while": Habits(blocked=(range(40, 130), range(0))),
    "dP blocked for a while": Habits(blocked=(range(0), range(40, 130))),
    "pairs blocked for a while": Habits(stopped=range(40, 130)),
}


@pytest.mark.parametrize("habits", HABITS.values(), ids=HABITS)
@pytest.mark.parametrize("equal", [0.95, 0.3], ids="{:.0%} equal rows".format)
def test_random_rows_leave_as_goldens_pairs(equal, habits):
    sides = random_sides(np.random.default_rng(91), 60, equal=equal)
    gold = golden_pairs(*sides)
    assert len(gold) == len(sides[0].last), "the last row leaves too"
    assert 10 < sum(fault for *_, fault in gold) < len(gold) - 10
    slowness = 1 + max(*habits.pauses, habits.stops) / (1 - max(*habits.pauses, habits.stops))
    check(sides, habits, int(1.4 * slowness * sum(len(side.last) for side in sides)) + 200)


@pytest.mark.parametrize("blocked", [0, 1], ids=["P", "dP"])
@pytest.mark.parametrize("beats", [0, 1, 7, 20, 33, 60])
def test_where_a_side_is_blocked_for_good_nothing_leaves_that_waits_for_it(beats, blocked):
    sides = list(random_sides(np.random.default_rng(92), 40, equal=0.5))
    sides[blocked] = sides[blocked][:beats]
    check((sides[0], sides[1]), Habits(stops=0.2), 600)


@pytest.mark.parametrize(
    ("p", "dp"),
    [
        ([1] * 9, [1] * 9),
        ([1] * 9, [4] * 9),
        ([4] * 9, [1] * 9),
        ([2, 1, 3], [50, 1, 3]),  # dP's row goes on after P's
        ([50, 1, 3], [2, 1, 3]),
        ([50, 1, 50, 2], [1, 50, 1, 2]),
        ([1, 2, 3, 4, 5], [5, 4, 3, 2, 1]),
    ],
    ids=str,
)
@pytest.mark.parametrize("habits", [Habits(), Habits(pauses=(0.4, 0.5), stops=0.3)], ids=str)
def test_rows_of_unequal_length_are_in_fault_and_the_next_begin_together(p, dp, habits):
    sides = rows_of(p), rows_of(dp)
    seen = check(sides, habits, 800)
    row = np.cumsum(sides[0].last) - sides[0].last
    faulty = {int(row[number]) for number, *_, fault in seen.pairs if fault}
    assert len(seen.pairs) == sum(p)
    assert faulty == {j for j, (mine, other) in enumerate(zip(p, dp, strict=True)) if mine != other}


def test_elements_that_one_of_a_pair_lacks_are_a_fault():
    for p_elements in range(LANES + 1):
        for dp_elements in range(LANES + 1):
            sides = rows_of([1, 2], p_elements), rows_of([1, 2], dp_elements)
            seen = check(sides, Habits(), 40)
            unlike = int(p_elements != dp_elements)
            assert [fault for *_, fault in seen.pairs] == [unlike, 0, unlike]


@pytest.mark.parametrize("lengths", [[1], [2, 1], [7]], ids=str)
def test_equal_rows_leave_one_pair_a_cycle_each_at_its_latency(lengths):
    side = rows_of(lengths * 40)
    seen = check((side, side), Habits(), 400)
    into, start = seen.accepted[0], Inlet.NOTICE + Join.latency
    assert into == list(range(into[0], into[0] + len(side.last)))
    assert seen.came == [cycle + start for cycle in into]


@pytest.mark.parametrize("late", [(0, 40), (40, 0)], ids=["dP late", "P late"])
def test_a_side_can_be_ahead_by_what_an_inlet_holds(late):
    side = rows_of([1, 5, 2] * 30)
    seen = check((side, side), Habits(late=late), 500)
    ahead = seen.accepted[late.index(0)]
    assert sum(cycle < 40 for cycle in ahead) >= Inlet.SKEW
    assert seen.came == list(range(seen.came[0], seen.came[0] + len(side.last)))


@pytest.mark.parametrize(("p", "dp"), [([9], [2]), ([2], [9]), ([3], [3])], ids=str)
def test_after_a_reset_of_one_cycle_at_any_time_rows_begin_together(p, dp):
    before = rows_of(p * 5), rows_of(dp * 5)
    sides = random_sides(np.random.default_rng(93), 6, equal=0.6)
    gold = golden_pairs(*sides)
    for cycle in range(1, 24):
        driver, reset, seen = Driver(Habits()), Signal(), []

        async def testbench(ctx, cycle=cycle, driver=driver, reset=reset, seen=seen):
            await driver.run(ctx, before, cycle - 1)
            ctx.set(reset, 1)
            await ctx.tick()
            ctx.set(reset, 0)
            seen += (await driver.run(ctx, sides, 160)).pairs

        simulate(ResetInserter(reset)(driver.dut), testbench)
        assert compared(seen, gold) == gold
