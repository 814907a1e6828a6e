"""Credits never hand out a place that is not free, and hand out nearly all that are."""

import random

import pytest

from softmaxfx.hdl.flow.credits import Credits

from ..streams import simulate


def run(
    places: int, cycles: int, *, takes: float, gives: float, lead: int = 0
) -> list[tuple[int, int, int]]:
    """(available, take, places used) of each cycle of a run with random takes and gives.

    A place that was available is taken ``lead`` cycles later, or never.
    """
    dut, rng = Credits(places=places, lead=lead), random.Random(3)
    history = []

    async def testbench(ctx):
        used, coming = 0, [0] * lead
        for _ in range(cycles):
            available = ctx.get(dut.available)
            coming.append(int(available and rng.random() < takes))
            take = coming.pop(0)
            give = int(used > 0 and rng.random() < gives)
            ctx.set(dut.take, take)
            ctx.set(dut.give, give)
            history.append((available, take, used))
            await ctx.tick()
            used += take - give

    simulate(dut, testbench)
    return history


every_lead = pytest.mark.parametrize("lead", [0, 1, 2, 5])
more_places = pytest.mark.parametrize("more", [3, 4, 5, 8, 33])


@every_lead
@more_places
@pytest.mark.parametrize("takes", [0.3, 1.0])
@pytest.mark.parametrize("gives", [0.0, 0.2, 1.0])
def test_never_more_places_in_use_than_there_are(more, takes, gives, lead):
    places = more + lead
    history = run(places, 1000, takes=takes, gives=gives, lead=lead)
    assert all(0 <= used <= places for *_, used in history)
    assert any(take for _, take, _ in history)


@every_lead
@more_places
@pytest.mark.parametrize("takes", [0.3, 1.0])
def test_all_but_the_margin_can_be_in_use(more, takes, lead):
    places = more + lead
    *_, (available, _, used) = run(places, 400, takes=takes, gives=0.0, lead=lead)
    assert places - Credits.MARGIN - lead <= used <= places
    assert not available


@every_lead
def test_a_place_is_available_every_cycle_where_one_comes_back_every_cycle(lead):
    history = run(5 + lead, 200, takes=1.0, gives=1.0, lead=lead)
    assert not history[0][0], "reset makes nothing available before the count was looked at"
    assert all(available for available, *_ in history[1:])
    assert all(take for _, take, _ in history[1 + lead :])
