"""Events of two kinds are told one a cycle, none lost and none twice."""

import numpy as np
import pytest

from softmaxfx.hdl.flow.in_turn import InTurn

from ..streams import trace


@pytest.mark.parametrize("share", [0.2, 0.45, 0.5])
def test_as_many_are_told_as_came(share):
    rng = np.random.default_rng(3)
    came = rng.random((400, 2)) < share
    stimulus = [{"a": int(a), "b": int(b)} for a, b in came]
    seen = trace(InTurn(most=300), stimulus + [{"a": 0, "b": 0}] * 400, ["o"])
    told = np.cumsum([o for (o,) in seen])
    so_far = np.cumsum(came.sum(axis=1))
    assert told[-1] == so_far[-1]
    assert (told[1:400] <= so_far[:399]).all()


def test_both_in_a_cycle_are_told_in_the_two_that_follow():
    seen = trace(InTurn(most=2), [{"a": 1, "b": 1}, *[{"a": 0, "b": 0}] * 4], ["o"])
    assert [o for (o,) in seen] == [0, 1, 1, 0, 0]
