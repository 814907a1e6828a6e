"""The element that an index names is picked of the part of a row that has it, and of no other."""

import numpy as np
import pytest
from amaranth.hdl import Value
from amaranth.lib import data

from softmaxfx.hdl.flow.pick import Pick

from ..streams import simulate

ELEMENT = data.StructLayout({"x": 9})
DEPTH, LONGEST = 5, 40
RING = 8


def parts_of(rng, lanes, rows):
    """(beats of the part, beats before it, it is the last, index) of parts of rows: one part of
    some beats, or a part for every beat of a row that is longer than the ring."""
    for _ in range(rows):
        if rng.random() < 0.5:
            beats = int(rng.integers(1, DEPTH))
            yield beats, 0, True, int(rng.integers(0, (beats + 2) * lanes))
        else:
            beats = int(rng.integers(1, LONGEST + 1))
            index = int(rng.choice([rng.integers(0, (beats + 2) * lanes), rng.integers(1 << 32)]))
            for beat in range(beats):
                yield 1, beat, beat == beats - 1, index


@pytest.mark.parametrize("lanes", [1, 2, 3, 8])
def test_a_part_has_its_elements_and_none_of_the_others(lanes):
    rng = np.random.default_rng(6)
    parts = list(parts_of(rng, lanes, 25))
    dut = Pick(ELEMENT, lanes=lanes, depth=DEPTH, longest=LONGEST)
    latency, gold, due, gate, hits = Pick.latency_of(lanes), [], [], [], 0

    async def testbench(ctx):
        nonlocal hits
        cycle = place = 0

        async def tick():
            nonlocal cycle
            if cycle in due:
                element = int(ctx.get(dut.o).x), ctx.get(dut.place), ctx.get(dut.lane)
                gate.append(None if ctx.get(dut.outside) else element)
            await ctx.tick()
            cycle += 1

        for beats, first, last, index in parts:
            words = rng.integers(0, 1 << 9, (beats, lanes))
            for word in words:
                ctx.set(dut.i_valid, 1)
                ctx.set(dut.i_place, place % RING)
                ctx.set(Value.cast(dut.i), sum(int(x) << 9 * j for j, x in enumerate(word)))
                await tick()
                place += 1
            ctx.set(dut.i_valid, 0)
            beat = index // lanes - first
            inside = 0 <= beat < beats
            hits += inside
            where = (place - beats + beat) % RING, index % lanes
            gold.append((int(words[beat, index % lanes]), *where) if inside else None)
            due.append(cycle + latency)
            for name, value in (("index", index), ("first", first), ("beats", first + beats)):
                ctx.set(getattr(dut, name), value)
            ctx.set(dut.take, last)
            await tick()
            ctx.set(dut.take, 0)
        for _ in range(latency + 1):
            await tick()

    simulate(dut, testbench)
    assert gate == gold
    assert 10 < hits < len(parts) - 10
