"""Every element's distance from its row's maximum."""

import numpy as np
import pytest

from softmaxfx.golden.stages.difference import difference
from softmaxfx.hdl.stages.difference import Difference

from ..streams import pipelined


def check(x: np.ndarray, maximum: np.ndarray, width: int, span: int, reach: int) -> None:
    gate, clipped = pipelined(
        Difference(width=width, span=span, reach=reach),
        {"x": x, "maximum": maximum},
        ["o", "clipped"],
        latency=Difference.latency,
    )
    gold, above = difference(x, maximum, span, reach)
    np.testing.assert_array_equal(gate, gold)
    np.testing.assert_array_equal(clipped, above)


@pytest.mark.parametrize("span", [2, 20, 31, 32, 62, 64])
@pytest.mark.parametrize("reach", [1, 7, 8, 64])
def test_every_pair_of_codes_gives_goldens_difference(span, reach):
    maximum, x = np.meshgrid(np.arange(-32, 32), np.arange(-32, 32), indexing="ij")
    below = x <= maximum
    check(x[below], maximum[below], 6, span, min(reach, span))


@pytest.mark.parametrize("width", [8, 16, 24])
@pytest.mark.parametrize("share", [0.01, 0.625, 2.0], ids="span {} of the codes".format)
def test_wide_codes_saturate_at_the_reach_and_are_clipped_above_the_span(width, share):
    half = 1 << (width - 1)
    x, maximum = np.sort(np.random.default_rng(6).integers(-half, half, (2, 2000)), axis=0)
    x[:3], maximum[:3] = [-half, -half, half - 1], [half - 1, -half, half - 1]
    span = int(share * half)
    for reach in (1, span // 3 + 1, span):
        check(x, maximum, width, span, reach)
