"""A number moved to the left, by LUTs and by a multiplier, gives the same bits."""

import numpy as np
import pytest

from softmaxfx.hdl.parts.multiply import Multiply
from softmaxfx.hdl.parts.shift_left import MultiplyShift, ShiftLeft

from ..streams import trace


def shifter(kind: str, width: int, places_bits: int) -> ShiftLeft:
    if kind == "LUTs":
        return ShiftLeft(width=width, places_bits=places_bits)
    multiply = Multiply(a_bits=width, b_bits=1 << places_bits)
    return MultiplyShift(width=width, places_bits=places_bits, multiply=multiply)


@pytest.mark.parametrize("kind", ["LUTs", "multiplier"])
@pytest.mark.parametrize("places_bits", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("width", [1, 2, 10, 18, 28])
def test_every_place_moves_a_number_that_comes_a_cycle_after_it(width, places_bits, kind):
    rng = np.random.default_rng(56)
    top = (1 << width) - 1
    numbers = [0, 1, top, top >> 1, *rng.integers(0, top + 1, 6).tolist()]
    pairs = [(number, place) for number in numbers for place in range(1 << places_bits)]
    pairs = [pairs[j] for j in rng.permutation(len(pairs))]
    stimulus = [{"places": pairs[0][1]}]
    for j, (number, _) in enumerate(pairs):
        stimulus.append({"i": number, "places": pairs[(j + 1) % len(pairs)][1]})
    latency = ShiftLeft.latency
    seen = trace(shifter(kind, width, places_bits), stimulus + [{}] * latency, ["o"])
    moved = [o for (o,) in seen[1 + latency : 1 + latency + len(pairs)]]
    assert moved == [number << place for number, place in pairs]
