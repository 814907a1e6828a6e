"""What the simulation knows of every kind of unit."""

from dataclasses import asdict

import numpy as np
import pytest

from softmaxfx.golden import preset
from softmaxfx.golden.rows import LogitRows
from softmaxfx.sim.kinds import KINDS

LOGITS = [[1.0, -np.inf, 3.0, *[np.nan] * 5], [20.0, *[np.nan] * 7], [0, 1, 2, 3, *[np.nan] * 4]]


ANY_LENGTH = [name for name in KINDS if name != "adaptive_softmax"]
"""The kinds whose rows are as long as one likes."""


@pytest.mark.parametrize("name", ANY_LENGTH)
@pytest.mark.parametrize("lanes", [1, 3])
def test_rows_may_be_padded_beyond_the_longest(name, lanes, unit_of):
    unit, kind = unit_of(preset("tiny", lanes=lanes), name), KINDS[name]
    padded = kind.rows(LogitRows.from_array(LOGITS), unit.config, np.random.default_rng(1))
    tight = padded.take(slice(None))
    assert kind.logits(padded).values.shape == (3, 8)
    assert kind.logits(tight).values.shape == (3, 4)
    shown, plain = (
        kind.measure(kind.expect(kind.pack(rows, unit), unit), rows, unit.config)
        for rows in (padded, tight)
    )
    assert asdict(shown.metrics) == asdict(plain.metrics)
    np.testing.assert_array_equal(shown.probabilities, plain.probabilities)
    np.testing.assert_array_equal(shown.errors, plain.errors)
    assert shown.errors.size > 0
