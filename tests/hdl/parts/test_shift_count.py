"""A shift count goes through all its states but 0, whatever its width."""

import pytest
from amaranth.hdl import Module, Signal
from amaranth.sim import Simulator

from softmaxfx.hdl.parts.shift_count import FIRST, OTHER, TAPS, after, width_for


@pytest.mark.parametrize("width", TAPS)
def test_a_count_goes_through_all_states_but_0(width):
    m, count = Module(), Signal(width, init=FIRST)
    m.d.sync += count.eq(after(count))
    sim = Simulator(m)
    sim.add_clock(1e-6)
    states = []

    async def look(ctx):
        for _ in range(1 << width):
            states.append(ctx.get(count))
            await ctx.tick()

    sim.add_testbench(look)
    sim.run()
    assert sorted(states[:-1]) == list(range(1, 1 << width))
    assert states[-1] == states[0]


@pytest.mark.parametrize(("states", "width"), [(1, 2), (3, 2), (4, 3), (31, 5), (32, 6), (80, 7)])
def test_a_width_has_as_many_states_as_are_asked_for(states, width):
    assert width_for(states) == width


def test_the_two_beginnings_are_states():
    assert {FIRST, OTHER} < {1, 2, 3}
