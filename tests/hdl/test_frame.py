"""Beats come out clean: clipped codes, and who takes part."""

import numpy as np
import pytest

from softmaxfx.golden import SQ, SoftmaxConfig
from softmaxfx.golden.clip import clip
from softmaxfx.hdl.frame import Frame

from .streams import pipelined

SMALL = SoftmaxConfig(input=SQ(5, 1), range=10.0, lanes=3)


@pytest.mark.parametrize("limit", [0.5, 10.0, 15.5], ids="range {}".format)
@pytest.mark.parametrize("mode", ["input", "difference"])
def test_every_code_is_clipped_as_golden_clips_it_one_cycle_later(limit, mode):
    config = SMALL.replace(range=limit, clip=mode)
    rng = np.random.default_rng(4)
    codes = np.arange(config.input.min_code, config.input.max_code + 1)
    x = np.stack([rng.permutation(np.tile(codes, 4)) for _ in range(config.lanes)], axis=1)
    keep, mask = rng.integers(0, 2, (2, *x.shape)).astype(bool)
    gold, outside = clip(x, config.range_code) if mode == "input" else (x, np.zeros(x.shape, bool))

    gate, active, o_keep, clipped = pipelined(
        Frame(config=config),
        {"i": x, "keep": packed(keep), "mask": packed(mask)},
        ["o", "active", "o_keep", "clipped"],
        latency=Frame.latency,
    )
    np.testing.assert_array_equal(gate, gold)
    np.testing.assert_array_equal(active, packed(keep & ~mask))
    np.testing.assert_array_equal(o_keep, packed(keep))
    np.testing.assert_array_equal(clipped, packed(outside & keep & ~mask))


def test_valid_and_last_travel_with_the_beat():
    valid, last = np.random.default_rng(5).integers(0, 2, (2, 200))
    gate = pipelined(
        Frame(config=SMALL),
        {"i_valid": valid, "i_last": last},
        ["o_valid", "o_last"],
        latency=Frame.latency,
    )
    np.testing.assert_array_equal(gate, [valid, last])


def packed(bits: np.ndarray) -> np.ndarray:
    """Rows of flags as integers, lane 0 lowest."""
    return (bits << np.arange(bits.shape[1])).sum(axis=1)
