"""Words pass a skid in order, one a cycle, and its two sides do not look at one another."""

import pytest

from softmaxfx.hdl.flow.skid import Skid

from ..streams import PACES, Pace, simulate, stream_get, stream_put


def passed(count, pace):
    """(words that came, cycles until all had been taken)."""
    dut, came, cycles = Skid(8), [], []

    async def source(ctx):
        await stream_put(ctx, dut.i, range(count), pauses=pace.pauses)

    async def sink(ctx):
        came.extend(await stream_get(ctx, dut.o, count, pressure=pace.pressure))

    async def clock(ctx):
        cycle = 0
        while len(came) < count:
            await ctx.tick()
            cycle += 1
        cycles.append(cycle)

    simulate(dut, source, sink, clock)
    return came, cycles[0]


@pytest.mark.parametrize("pace", PACES, ids=str)
def test_words_come_in_order(pace):
    assert passed(200, pace)[0] == list(range(200))


def test_a_word_passes_in_every_cycle():
    assert passed(200, Pace())[1] <= 200 + Skid.latency + 1


def test_ready_does_not_follow_the_reader_in_the_same_cycle():
    dut, seen = Skid(8), []

    async def testbench(ctx):
        ctx.set(dut.i.valid, 1)
        for _ in range(3):
            await ctx.tick()
        for ready in (0, 1, 0):
            ctx.set(dut.o.ready, ready)
            seen.append(ctx.get(dut.i.ready))

    simulate(dut, testbench)
    assert seen == [0, 0, 0]
