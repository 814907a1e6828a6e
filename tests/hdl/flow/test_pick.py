"""The element that an index names, whatever the index, the lanes, and the pace."""

from collections import deque

import numpy as np
import pytest
from amaranth.hdl import ResetInserter, Signal, Value
from amaranth.lib import data

from softmaxfx.hdl.flow.pick import Pick

from ..streams import simulate

LANES = [1, 2, 3, 5, 8]
ELEMENT = data.StructLayout({"x": 9, "active": 1})
LARGEST = (1 << 32) - 1
OUTSIDE = None
"""What is picked of a row that has no such element."""
Element = tuple[int, int]
Job = tuple[int, int]
"""Beats of a row, and the index that is wanted of it."""


class Driver:
    """Writes rows and picks an element of each; never more beats wait than there is room for.

    Attributes:
        gold, gate: of every row: (place of the beat, lane, element) or :data:`OUTSIDE`.
        came: cycles in which they came.
    """

    def __init__(self, lanes: int, depth: int, *, writes=1.0, takes=1.0, seed: int = 101):
        self.dut = Pick(ELEMENT, lanes=lanes, depth=depth)
        self.lanes, self.depth, self.writes, self.takes = lanes, depth, writes, takes
        self.latency, self.rng = Pick.latency_of(lanes), np.random.default_rng(seed)
        self.cycle = 0
        self.clear()

    def clear(self) -> None:
        """Know of no rows."""
        self.coming: deque[Job] = deque()
        self.row: list[list[Element]] = []
        self.place = 0
        self.waiting: deque[tuple[list[list[Element]], int, int]] = deque()
        self.room = self.depth
        self.leaves: dict[int, int] = {}
        self.due: set[int] = set()
        self.gold: list[tuple | None] = []
        self.gate: list[tuple | None] = []
        self.came: list[int] = []

    async def step(self, ctx) -> None:
        """A cycle: a beat may come, and one of the rows that came before it may be wanted."""
        dut, rng = self.dut, self.rng
        self.room += self.leaves.pop(self.cycle, 0)
        if self.cycle in self.due:
            self.due.remove(self.cycle)
            self.gate.append(self._picked(ctx))
            self.came.append(self.cycle)
        take = bool(self.waiting) and rng.random() < self.takes
        # whatever lies there without a row to take is nothing
        nothing = [], 0, int(rng.integers(0, 1 << 32))
        row, first, index = self.waiting.popleft() if take else nothing
        ctx.set(dut.take, take)
        ctx.set(dut.index, index)
        ctx.set(dut.beats, len(row) if take else int(rng.integers(0, self.depth + 1)))
        if take:
            self.gold.append(self._wanted(row, first, index))
            self.due.add(self.cycle + self.latency)
            self.leaves[self.cycle + self.latency] = len(row)
        beat = [(x, x & 1) for x in rng.integers(0, 1 << 9, self.lanes).tolist()]
        write = bool(self.coming) and self.room > 0 and rng.random() < self.writes
        ctx.set(dut.i_valid, write)
        ctx.set(Value.cast(dut.i), _word(beat))
        ring = 1 << len(dut.i_place)
        ctx.set(dut.i_place, self.place if write else int(rng.integers(0, ring)))
        if write:
            self.room -= 1
            self.row.append(beat)
            self.place = (self.place + 1) % ring
            if len(self.row) == self.coming[0][0]:
                first = (self.place - len(self.row)) % ring
                self.waiting.append((self.row, first, self.coming.popleft()[1]))
                self.row = []
        await ctx.tick()
        self.cycle += 1

    def _picked(self, ctx) -> tuple | None:
        if ctx.get(self.dut.outside):
            return OUTSIDE
        element = ctx.get(self.dut.o)
        place = ctx.get(self.dut.place), ctx.get(self.dut.lane)
        return *place, (int(element.x), int(element.active))

    def _wanted(self, row: list[list[Element]], first: int, index: int) -> tuple | None:
        elements = [element for beat in row for element in beat]
        if index >= len(elements):
            return OUTSIDE
        place = (first + index // self.lanes) % (1 << len(self.dut.i_place))
        return place, index % self.lanes, elements[index]

    async def run(self, ctx, jobs: list[Job]) -> None:
        """Until every job is done, and all results have come."""
        self.coming.extend(jobs)
        left = 40 * sum(beats for beats, _ in jobs) + 400
        while self.coming or self.waiting or self.due:
            await self.step(ctx)
            left -= 1
            assert left, "rows wait for good"


def _word(beat: list[Element]) -> int:
    """The bits of a beat."""
    return sum((x | active << 9) << 10 * lane for lane, (x, active) in enumerate(beat))


def run(driver: Driver, jobs: list[Job]) -> list[tuple | None]:
    """What golden picks, which must be what was picked."""

    async def testbench(ctx):
        await driver.run(ctx, jobs)

    simulate(driver.dut, testbench)
    assert len(driver.gold) == len(jobs)
    assert driver.gate == driver.gold
    return driver.gold


def odd_indices(lanes: int, depth: int) -> list[int]:
    """Indices whose quotient or remainder is at an end, or wraps around in some width."""
    places = {depth * lanes * times for times in (1, 2, 3)}
    places |= {(1 << bits) * times for bits in range(33) for times in (1, lanes)}
    places |= {LARGEST, LARGEST // lanes * lanes}
    near = {place + off for place in places for off in range(-2, 3)}
    return sorted(index for index in near if 0 <= index <= LARGEST)


def jobs_of(lanes: int, depth: int, count: int, seed: int = 102) -> list[Job]:
    """Rows of any length; of each an element, the first or last, one just beyond, or any index."""
    rng, odd = np.random.default_rng(seed), odd_indices(lanes, depth)
    jobs = []
    for beats in rng.choice([1, 2, 3, depth // 2 + 1, depth], count, p=[0.5, 0.2, 0.1, 0.1, 0.1]):
        size = int(beats) * lanes
        within = [int(rng.integers(size)), 0, size - 1, (int(beats) - 1) * lanes]
        beyond = [size, size + lanes - 1, size + lanes, int(rng.integers(size, 3 * size))]
        anywhere = [int(rng.choice(odd)), int(rng.integers(0, 1 << 32))]
        choices = within * 2 + beyond + anywhere
        jobs.append((int(beats), choices[rng.integers(len(choices))]))
    return jobs


@pytest.mark.parametrize("depth", [5, 70])
@pytest.mark.parametrize("lanes", LANES)
@pytest.mark.parametrize(("writes", "takes"), [(0.7, 1.0), (1.0, 0.3)], ids=str)
def test_the_element_of_every_row_is_picked_in_order(lanes, depth, writes, takes):
    gold = run(
        Driver(lanes, depth, writes=writes, takes=takes), jobs_of(lanes, depth, 60 + 400 // depth)
    )
    assert 4 < sum(picked is OUTSIDE for picked in gold) < len(gold) - 4


@pytest.mark.parametrize("depth", [13])
@pytest.mark.parametrize("lanes", LANES)
def test_every_index_of_the_longest_row_and_beyond(lanes, depth):
    elements = depth * lanes
    within = [(depth, index) for index in range(elements)]
    # of rows of one beat, as many more as all bits of beat and lane can tell
    beyond = [(1, index) for index in range(lanes, 2 * 16 * lanes + 8)]
    gold = run(Driver(lanes, depth), within + beyond)
    # row after row around the ring
    assert [picked[:2] for picked in gold[:elements]] == [
        ((index * depth + index // lanes) % 16, index % lanes) for index in range(elements)
    ]
    assert all(picked is OUTSIDE for picked in gold[elements:])


@pytest.mark.parametrize("depth", [5, 64, 70])
@pytest.mark.parametrize("lanes", LANES)
def test_an_index_beyond_the_ring_is_in_no_row(lanes, depth):
    odd = odd_indices(lanes, depth)
    assert odd[-1] == LARGEST
    gold = run(Driver(lanes, depth), [(2, index) for index in odd])
    inside = [index for index in odd if index < 2 * lanes]
    assert [picked is OUTSIDE for picked in gold] == [index not in inside for index in odd]


@pytest.mark.parametrize("lanes", LANES)
def test_one_row_a_cycle_each_at_its_latency(lanes):
    driver = Driver(lanes, 70, takes=0.0)
    rng = np.random.default_rng(103)
    jobs = [(1, int(rng.integers(0, lanes + 1))) for _ in range(60)]

    async def testbench(ctx):
        driver.coming.extend(jobs)
        while driver.coming:
            await driver.step(ctx)
        driver.takes, first = 1.0, driver.cycle
        for _ in range(len(jobs) + driver.latency):
            await driver.step(ctx)
        assert driver.came == list(range(first + driver.latency, driver.cycle))

    simulate(driver.dut, testbench)
    assert len(driver.gate) == len(jobs)
    assert driver.gate == driver.gold


@pytest.mark.parametrize("lanes", [1, 3, 8])
def test_after_a_reset_of_one_cycle_at_any_time_the_first_row_is_the_next(lanes):
    for cycle in range(1, 26, 2):
        driver, reset = Driver(lanes, 13, takes=0.7, seed=cycle), Signal()
        before, jobs = jobs_of(lanes, 13, 40, seed=104), jobs_of(lanes, 13, 8, seed=cycle)

        async def testbench(ctx, cycle=cycle, driver=driver, reset=reset, before=before, jobs=jobs):
            driver.coming.extend(before)
            for _ in range(cycle - 1):
                await driver.step(ctx)
            ctx.set(reset, 1)
            await driver.step(ctx)
            ctx.set(reset, 0)
            driver.clear()
            await driver.run(ctx, jobs)

        simulate(ResetInserter(reset)(driver.dut), testbench)
        assert len(driver.gold) == len(jobs)
        assert driver.gate == driver.gold
