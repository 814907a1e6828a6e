"""A deep queue gives words in order, takes as many as it promises, and one a cycle."""

import pytest
from amaranth.lib import data

from softmaxfx.hdl.flow.deep_queue import DeepQueue

from ..streams import PACES, Pace, plain, simulate, stream_get, stream_put

LAYOUT = data.StructLayout({"number": 12})
WORDS = 32


def passed(count, pace=Pace(), *, blocked=0):  # noqa: B008  (frozen)
    """(numbers that came, cycles until all had been taken, most that waited)."""
    dut, came, cycles, waiting = DeepQueue(LAYOUT, words=WORDS), [], [], [0]

    async def source(ctx):
        await stream_put(ctx, dut.i, [{"number": n} for n in range(count)], pauses=pace.pauses)

    async def sink(ctx):
        for _ in range(blocked):
            await ctx.tick()
        came.extend(await stream_get(ctx, dut.o, count, pressure=pace.pressure))

    async def watch(ctx):
        inside = cycle = 0
        while len(came) < count:
            _, _, *signals = await ctx.tick().sample(
                dut.i.valid, dut.i.ready, dut.o.valid, dut.o.ready
            )
            inside += (signals[0] & signals[1]) - (signals[2] & signals[3])
            waiting[0] = max(waiting[0], inside)
            cycle += 1
        cycles.append(cycle)

    simulate(dut, source, sink, watch)
    return [plain(word["number"]) for word in came], cycles[0], waiting[0]


@pytest.mark.parametrize("pace", PACES, ids=str)
def test_words_come_in_order(pace):
    numbers, _, _ = passed(200, pace)
    assert numbers == list(range(200))


def test_a_word_passes_in_every_cycle():
    _, cycles, _ = passed(300)
    assert cycles <= 300 + DeepQueue.latency + 2


def test_a_blocked_queue_takes_as_many_words_as_it_says_and_loses_none():
    numbers, _, most = passed(200, blocked=150)
    assert numbers == list(range(200))
    assert most >= WORDS
