"""The clip of the inputs; every code."""

import numpy as np
import pytest

from softmaxfx.golden.stages.clip import clip


@pytest.mark.parametrize("limit", [1, 5, 80, 127, 128])
def test_every_code_is_limited_and_only_those_outside_are_told(limit):
    codes = np.arange(-128, 128)
    clipped, outside = clip(codes, limit)
    assert clipped.tolist() == [min(max(x, -limit), limit) for x in codes.tolist()]
    assert outside.tolist() == [abs(x) > limit for x in codes.tolist()]
