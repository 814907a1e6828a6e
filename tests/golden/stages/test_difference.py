"""max - x, saturated; every pair of codes."""

import numpy as np

from softmaxfx.golden.stages.difference import difference


def test_every_pair_of_codes_saturates_at_the_reach_and_is_clipped_beyond_the_span():
    codes = np.arange(-16, 16)
    for span, reach in ((0, 0), (1, 1), (7, 7), (7, 3), (31, 31), (31, 30), (40, 40), (40, 9)):
        distance, saturated = difference(codes[None, :], codes[:, None], span, reach)
        for i, top in enumerate(codes.tolist()):
            for j, x in enumerate(codes.tolist()):
                assert distance[i, j] == min(top - x, reach)
                assert saturated[i, j] == (top - x > span)
