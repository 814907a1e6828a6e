"""A table in logic reads back what it holds, however it rises."""

import numpy as np
import pytest

from softmaxfx.hdl.parts.staircase import Staircase

from ..streams import pipelined


def check(entries: list[int], width: int) -> None:
    dut = Staircase(entries=entries, width=width)
    order = np.random.default_rng(53).permutation(np.tile(np.arange(len(entries)), 2))
    (gate,) = pipelined(dut, {"i": order}, ["o"], latency=Staircase.latency)
    np.testing.assert_array_equal(gate, np.array(entries)[order])


@pytest.mark.parametrize("count", [1, 2, 3, 5, 8, 31, 64, 161, 256])
@pytest.mark.parametrize("share", [0.0, 0.02, 0.1, 0.5, 1.0], ids="{} of the steps rise".format)
def test_every_address_of_a_rising_table(share, count):
    rng = np.random.default_rng(count)
    for _ in range(4):
        entries = rng.integers(0, 5) + np.cumsum(rng.random(count) < share)
        check(entries.tolist(), max(int(entries.max()).bit_length(), 1))


@pytest.mark.parametrize("steepest", [2, 3, 40])
@pytest.mark.parametrize("count", [2, 7, 64, 161])
def test_every_address_of_a_steep_table(count, steepest):
    """Neighbours differ by more than 1: no group but a single entry can hold them."""
    rng = np.random.default_rng(54)
    for often in (0.05, 1.0):
        steps = rng.integers(0, steepest + 1, count) * (rng.random(count) < often)
        steps[count // 2] = steepest
        entries = np.cumsum(steps)
        check(entries.tolist(), int(entries.max()).bit_length())


@pytest.mark.parametrize("step", [1, 2, 3, 8, 16, 17])
@pytest.mark.parametrize("shift", [0, 1, 5])
def test_every_address_of_a_regular_stair(step, shift):
    """A rise at every place of a group, and on the border of two."""
    entries = (np.arange(128) + shift) // step
    check(entries.tolist(), int(entries.max()).bit_length())


@pytest.mark.parametrize("entries", [[0], [3], [0, 0], [7, 7, 7, 7], [2**20 - 1] * 9])
def test_every_address_of_a_flat_table(entries):
    check(entries, max(entries[0].bit_length(), 1))


def test_a_table_that_falls_or_has_no_order_is_read_back_too():
    """The last addresses of an exp table that no logit reads need not rise."""
    rng = np.random.default_rng(55)
    check(list(range(40))[::-1], 6)
    check([*range(20), *[5] * 12], 5)
    check(rng.integers(0, 64, 50).tolist(), 6)
    falling = [place // 9 for place in range(64)][::-1]
    check(falling, 4)
