"""Credits never hand out a place that is not free, and hand out nearly all that are."""

import random

import pytest

from softmaxfx.hdl.credits import Credits

from .streams import simulate


def run(places: int, cycles: int, *, takes: float, gives: float) -> list[tuple[int, int, int]]:
    """(available, take, places used) of each cycle of a run with random takes and gives."""
    dut, rng = Credits(places=places), random.Random(3)
    history = []

    async def testbench(ctx):
        used = 0
        for _ in range(cycles):
            available = ctx.get(dut.available)
            take = int(available and rng.random() < takes)
            give = int(used > 0 and rng.random() < gives)
            ctx.set(dut.take, take)
            ctx.set(dut.give, give)
            history.append((available, take, used))
            await ctx.tick()
            used += take - give

    simulate(dut, testbench)
    return history


@pytest.mark.parametrize("places", [3, 4, 5, 8, 33])
@pytest.mark.parametrize("takes", [0.3, 1.0])
@pytest.mark.parametrize("gives", [0.0, 0.2, 1.0])
def test_never_more_places_in_use_than_there_are(places, takes, gives):
    assert all(0 <= used <= places for *_, used in run(places, 1000, takes=takes, gives=gives))


@pytest.mark.parametrize("places", [3, 4, 5, 8, 33])
@pytest.mark.parametrize("takes", [0.3, 1.0])
def test_all_but_the_margin_can_be_in_use(places, takes):
    *_, (available, _, used) = run(places, 400, takes=takes, gives=0.0)
    assert places - Credits.MARGIN <= used <= places
    assert not available


def test_a_place_is_available_every_cycle_where_one_comes_back_every_cycle():
    history = run(5, 200, takes=1.0, gives=1.0)
    assert not history[0][0], "reset makes nothing available before the count was looked at"
    assert all(take for _, take, _ in history[1:])
