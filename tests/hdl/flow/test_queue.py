"""A queue keeps every beat, in order, and an offer stays until it is taken."""

import random
from collections import deque

import pytest
from amaranth.hdl import ResetInserter, Signal

from softmaxfx.hdl.flow.queue import Queue

from ..streams import simulate


class Driver:
    """Drives a queue; who writes holds credits for its places.

    Attributes:
        given, taken: beats in and out, with the cycle of each.
    """

    def __init__(self, *, comes: float, ready: float, seed: int = 60):
        self.dut, self.rng = Queue(16), random.Random(seed)
        self.comes, self.ready = comes, ready
        self.given: list[tuple[int, int]] = []
        self.taken: list[tuple[int, int]] = []
        self.cycle, self.credits, self.coming = 0, Queue.places, deque([False])
        self.offered = None

    async def step(self, ctx) -> None:
        """A cycle: a beat that was said to come comes; whether the next one does is said."""
        dut, rng = self.dut, self.rng
        here, after = self.coming[0], self.credits > 0 and rng.random() < self.comes
        self.coming = deque([after])
        self.credits -= after
        word = rng.getrandbits(16)  # between beats, anything lies there
        ctx.set(dut.produce_next, after)
        ctx.set(dut.i, word)
        ready = rng.random() < self.ready
        ctx.set(dut.o.ready, ready)
        if here:
            self.given.append((word, self.cycle))
        valid, payload = ctx.get(dut.o.valid), ctx.get(dut.o.payload)
        if self.offered is not None:
            assert valid, "an offer was withdrawn"
            assert payload == self.offered, "an offer was changed"
        self.offered = payload if valid and not ready else None
        if valid and ready:
            self.taken.append((payload, self.cycle))
            self.credits += 1
        await ctx.tick()
        self.cycle += 1


SHARES = [0.1, 0.5, 0.9, 1.0]


@pytest.mark.parametrize("comes", SHARES, ids="beats {}".format)
@pytest.mark.parametrize("ready", SHARES, ids="ready {}".format)
def test_nothing_is_lost_doubled_reordered_or_withdrawn(comes, ready):
    driver = Driver(comes=comes, ready=ready)

    async def testbench(ctx):
        for _ in range(1500):
            await driver.step(ctx)
        driver.comes, driver.ready = 0.0, 1.0
        for _ in range(40):
            await driver.step(ctx)

    simulate(driver.dut, testbench)
    assert [word for word, _ in driver.taken] == [word for word, _ in driver.given]
    assert len(driver.given) > 100


def test_in_bursts_it_fills_to_its_places_and_empties():
    driver = Driver(comes=1.0, ready=0.0)

    async def testbench(ctx):
        for burst in range(1, 80):
            driver.comes, driver.ready = float(burst % 3 > 0), float(burst % 2)
            for _ in range(burst % 23 + Queue.places * (burst % 5 == 0)):
                await driver.step(ctx)
        driver.comes, driver.ready = 1.0, 0.0
        for _ in range(Queue.places + 5):
            await driver.step(ctx)
        assert len(driver.given) - len(driver.taken) == Queue.places
        driver.comes, driver.ready = 0.0, 1.0
        for _ in range(Queue.places + 5):
            await driver.step(ctx)

    simulate(driver.dut, testbench)
    assert [word for word, _ in driver.taken] == [word for word, _ in driver.given]


def test_a_beat_a_cycle_passes_each_at_its_latency():
    driver = Driver(comes=1.0, ready=1.0)

    async def testbench(ctx):
        for _ in range(200):
            await driver.step(ctx)

    simulate(driver.dut, testbench)
    waited = [out - into for (_, into), (_, out) in zip(driver.given, driver.taken, strict=False)]
    assert set(waited) == {Queue.latency}
    assert [cycle for _, cycle in driver.given] == list(range(1, 200))


@pytest.mark.parametrize("ready", [0.0, 0.5, 1.0])
def test_after_a_reset_of_one_cycle_at_any_time_it_is_empty(ready):
    for cycle in range(1, 30):
        driver, reset = Driver(comes=0.8, ready=ready), Signal()

        async def testbench(ctx, cycle=cycle, driver=driver, reset=reset):
            for _ in range(cycle - 1):
                await driver.step(ctx)
            ctx.set(reset, 1)
            await driver.step(ctx)
            ctx.set(reset, 0)
            driver.given, driver.taken = [], []
            driver.credits, driver.coming, driver.offered = Queue.places, deque([False]), None
            assert not ctx.get(driver.dut.o.valid)
            for _ in range(60):
                await driver.step(ctx)
            driver.comes, driver.ready = 0.0, 1.0
            for _ in range(30):
                await driver.step(ctx)

        simulate(ResetInserter(reset)(driver.dut), testbench)
        assert [word for word, _ in driver.taken] == [word for word, _ in driver.given]
        assert driver.given
