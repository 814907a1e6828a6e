"""Beats wait until they are taken: none is lost or doubled, and a known number always fits."""

import random

import pytest
from amaranth.hdl import ResetInserter, Signal
from amaranth.lib import data

from softmaxfx.hdl.flow.inlet import Inlet

from ..streams import simulate

BEAT = data.StructLayout({"number": 12, "last": 1})


class Driver:
    """Drives an inlet, a cycle at a time.

    Attributes:
        offers, takes: shares of the cycles in which a beat is offered, or taken if there is one.
        given, taken: (number, last) of beats in and out. went_in, came_out: cycles of the same:
            the one in which a beat was accepted, or taken.
    """

    def __init__(self, offers: float = 1.0, takes: float = 1.0, seed: int = 62):
        self.dut, self.rng = Inlet(BEAT), random.Random(seed)
        self.offers, self.takes = offers, takes
        self.cycle = 0
        self.clear()

    def clear(self) -> None:
        """Know of no beats."""
        self.given: list[tuple[int, int]] = []
        self.taken: list[tuple[int, int]] = []
        self.went_in: list[int] = []
        self.came_out: list[int] = []
        self.due: dict[int, int] = {}
        self.offer: tuple[int, int] | None = None

    async def step(self, ctx) -> None:
        """A cycle. An offer stays until it is accepted; between offers, anything lies there."""
        dut, rng = self.dut, self.rng
        if self.offer is None and rng.random() < self.offers:
            self.offer = rng.getrandbits(12), rng.getrandbits(1)
        number, last = self.offer or (rng.getrandbits(12), rng.getrandbits(1))
        ctx.set(dut.i.payload, {"number": number, "last": last})
        ctx.set(dut.i.valid, self.offer is not None)
        some = ctx.get(dut.valid)
        take = int(some and rng.random() < self.takes)
        ctx.set(dut.consume, take)
        if take:
            self.due[self.cycle + Inlet.latency] = ctx.get(dut.last)
            self.came_out.append(self.cycle)
        if self.cycle in self.due:
            beat = ctx.get(dut.o)
            assert beat.last == self.due[self.cycle], "last was told before"
            self.taken.append((int(beat.number), int(beat.last)))
        if self.offer is not None and ctx.get(dut.i.ready):
            self.given.append(self.offer)
            self.went_in.append(self.cycle)
            self.offer = None
        await ctx.tick()
        self.cycle += 1

    async def steps(self, ctx, count: int) -> None:
        for _ in range(count):
            await self.step(ctx)

    async def drain(self, ctx) -> None:
        """Take all there is, and look on a while."""
        self.offers, self.takes = 0.0, 1.0
        await self.steps(ctx, Inlet.places_of(Inlet.SKEW) + 20)
        assert self.taken == self.given


@pytest.mark.parametrize("takes", [0.1, 0.5, 0.9, 1.0], ids="taken {}".format)
@pytest.mark.parametrize("offers", [0.1, 0.5, 0.9, 1.0], ids="offered {}".format)
def test_nothing_is_lost_doubled_or_reordered(offers, takes):
    driver = Driver(offers, takes)

    async def testbench(ctx):
        await driver.steps(ctx, 600)
        await driver.drain(ctx)

    simulate(driver.dut, testbench)
    assert len(driver.given) > 40


@pytest.mark.parametrize("offers", [0.2, 0.7, 1.0], ids="offered {}".format)
def test_it_accepts_beats_before_the_first_is_taken_and_again_when_it_is_drained(offers):
    driver = Driver()

    async def testbench(ctx):
        for _ in range(12):  # more than once round the memory
            start = len(driver.given)
            driver.offers, driver.takes = offers, 0.0
            await driver.steps(ctx, 200)
            assert Inlet.SKEW <= len(driver.given) - start <= Inlet.places_of(Inlet.SKEW)
            assert not ctx.get(driver.dut.i.ready), "it is full"
            await driver.drain(ctx)
            assert ctx.get(driver.dut.i.ready), "it is empty"

    simulate(driver.dut, testbench)


def test_in_bursts_it_fills_and_empties():
    driver = Driver()

    async def testbench(ctx):
        for burst in range(1, 70):
            driver.offers, driver.takes = float(burst % 3 > 0), float(burst % 2)
            await driver.steps(ctx, burst % 23 + 40 * (burst % 7 == 0))
        await driver.drain(ctx)

    simulate(driver.dut, testbench)
    assert len(driver.given) > 200


@pytest.mark.parametrize("late_cycles", [0, 1, 2, 15, 40], ids="{} cycles late".format)
def test_a_beat_goes_in_and_one_out_every_cycle(late_cycles):
    driver = Driver()

    async def testbench(ctx):
        driver.offers = 0.0
        await driver.steps(ctx, 5)
        driver.offers, driver.takes = 1.0, 0.0
        await driver.steps(ctx, late_cycles)
        driver.takes = 1.0
        await driver.steps(ctx, 150)
        await driver.drain(ctx)

    simulate(driver.dut, testbench)
    # as many at once as were waiting, then each as it comes
    assert driver.came_out[:150] == list(range(driver.came_out[0], driver.came_out[0] + 150))
    late = driver.went_in[-100:]
    assert late == list(range(late[0], late[0] + 100))


@pytest.mark.parametrize("offers", [0.1, 1.0])
def test_a_beat_can_be_taken_a_known_time_after_it_was_accepted(offers):
    driver = Driver(offers)

    async def testbench(ctx):
        await driver.steps(ctx, 300)

    simulate(driver.dut, testbench)
    waited = {out - into for into, out in zip(driver.went_in, driver.came_out, strict=False)}
    assert waited == {Inlet.NOTICE}


@pytest.mark.parametrize("takes", [0.0, 0.5, 1.0])
def test_after_a_reset_of_one_cycle_at_any_time_it_is_empty(takes):
    for cycle in range(1, 28):
        driver, reset = Driver(0.9, takes, seed=cycle), Signal()

        async def testbench(ctx, cycle=cycle, driver=driver, reset=reset):
            await driver.steps(ctx, cycle - 1)
            ctx.set(reset, 1)
            await driver.step(ctx)
            ctx.set(reset, 0)
            driver.clear()
            assert not ctx.get(driver.dut.valid)
            await driver.steps(ctx, 50)
            await driver.drain(ctx)

        simulate(ResetInserter(reset)(driver.dut), testbench)
        assert len(driver.given) > 15
