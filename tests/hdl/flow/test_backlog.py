"""Words wait in order: none is lost or doubled, and what is told of them is so in every cycle."""

import random
from collections import deque

import pytest
from amaranth.hdl import ResetInserter, Signal

from softmaxfx.hdl.flow.backlog import Backlog

from ..streams import simulate

PLACES = [2, 5, 16, 80]


class Driver:
    """Drives a backlog, a cycle at a time; who writes holds credits for as many words as asked for.

    Attributes:
        comes, takes: shares of the cycles in which a word comes if there is a place for it, or is
            taken if there is one.
        given, taken: words in and out. went_in, came_out: the cycles in which a word came, or was
            taken.
    """

    def __init__(self, places: int, comes: float = 1.0, takes: float = 1.0, seed: int = 110):
        self.dut, self.places = Backlog(16, places=places), places
        self.comes, self.takes, self.rng = comes, takes, random.Random(seed)
        self.cycle = 0
        self.clear()

    def clear(self) -> None:
        """Know of no words."""
        self.given: list[int] = []
        self.taken: list[int] = []
        self.went_in: list[int] = []
        self.came_out: list[int] = []
        self.words: deque[int] = deque()
        self.credits, self.coming = self.places, False
        self.due: dict[int, int] = {}

    async def step(self, ctx) -> None:
        """A cycle. A credit that a word gives back is used in the next one at the earliest."""
        dut, rng = self.dut, self.rng
        assert ctx.get(dut.level) == len(self.words)
        assert ctx.get(dut.valid) == bool(self.words)
        if self.cycle in self.due:
            assert ctx.get(dut.o) == self.due[self.cycle]
            self.taken.append(ctx.get(dut.o))
        here, after = self.coming, self.credits > 0 and rng.random() < self.comes
        self.coming, self.credits = after, self.credits - after
        word = rng.getrandbits(16)  # where none comes, anything lies there
        ctx.set(dut.produce_next, after)
        ctx.set(dut.i, word)
        take = bool(self.words) and rng.random() < self.takes
        ctx.set(dut.consume, take)
        if take:
            self.due[self.cycle + Backlog.latency] = self.words.popleft()
            self.came_out.append(self.cycle)
            self.credits += 1
        if here:
            self.given.append(word)
            self.words.append(word)
            self.went_in.append(self.cycle)
        await ctx.tick()
        self.cycle += 1

    async def steps(self, ctx, count: int) -> None:
        for _ in range(count):
            await self.step(ctx)

    async def drain(self, ctx) -> None:
        """Take all there is, and look on a while."""
        self.comes, self.takes = 0.0, 1.0
        await self.steps(ctx, self.places + 10)
        assert self.taken == self.given


@pytest.mark.parametrize("takes", [0.1, 0.5, 1.0], ids="taken {}".format)
@pytest.mark.parametrize("comes", [0.1, 0.5, 1.0], ids="coming {}".format)
@pytest.mark.parametrize("places", PLACES)
def test_nothing_is_lost_doubled_or_reordered(places, comes, takes):
    driver = Driver(places, comes, takes)

    async def testbench(ctx):
        await driver.steps(ctx, 500)
        await driver.drain(ctx)

    simulate(driver.dut, testbench)
    assert len(driver.given) > 25


@pytest.mark.parametrize("places", PLACES)
def test_it_fills_to_its_places_and_empties_again_and_again(places):
    driver = Driver(places)

    async def testbench(ctx):
        for turn in range(1, 6):
            driver.comes, driver.takes = 1.0, 0.0
            await driver.steps(ctx, places + 2)
            assert ctx.get(driver.dut.level) == places
            driver.takes = [1.0, 0.5][turn % 2]  # full, words come and go
            await driver.steps(ctx, 7 * turn)
            await driver.drain(ctx)
            assert not ctx.get(driver.dut.valid)

    simulate(driver.dut, testbench)


def test_a_word_a_cycle_passes_each_as_soon_as_it_can_be_taken():
    driver = Driver(16)

    async def testbench(ctx):
        await driver.steps(ctx, 200)

    simulate(driver.dut, testbench)
    waited = {out - into for into, out in zip(driver.went_in, driver.came_out, strict=False)}
    assert waited == {Backlog.NOTICE}
    assert driver.went_in == list(range(1, 200))
    assert len(driver.taken) > 190


@pytest.mark.parametrize("takes", [0.0, 0.5, 1.0])
def test_after_a_reset_of_one_cycle_at_any_time_it_is_empty(takes):
    for cycle in range(1, 28):
        driver, reset = Driver(16, 0.8, takes, seed=cycle), Signal()

        async def testbench(ctx, cycle=cycle, driver=driver, reset=reset):
            await driver.steps(ctx, cycle - 1)
            ctx.set(reset, 1)
            await driver.step(ctx)
            ctx.set(reset, 0)
            driver.clear()
            await driver.steps(ctx, 40)
            await driver.drain(ctx)

        simulate(ResetInserter(reset)(driver.dut), testbench)
        assert len(driver.given) > 8
