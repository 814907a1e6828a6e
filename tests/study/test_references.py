"""Every output of a unit is held against the references, and a broken bound is told."""

import dataclasses

import numpy as np
import pytest

from softmaxfx.golden import backward_bound_ulp, bound_ulp, loss_bound, preset
from softmaxfx.golden.rows import LogitRows
from softmaxfx.sim.cross_entropy import TargetRows
from softmaxfx.sim.softmax_backward import BackwardRows
from softmaxfx.study.references import compare_outputs

CONFIG = preset("tiny", max_length=8)
LOGITS = LogitRows.from_array(np.random.default_rng(1).normal(0, 3, (50, 8)))
ROWS = {
    "softmax": LOGITS,
    "softmax_backward": BackwardRows(LOGITS, np.random.default_rng(2).uniform(-1, 1, (50, 8))),
    "cross_entropy": TargetRows(LOGITS, np.arange(50) % 8),
}
BOUNDS = {
    "softmax": {"P": bound_ulp},
    "softmax_backward": {"dS": backward_bound_ulp},
    "cross_entropy": {"loss": lambda config: loss_bound(config).ulp, "gradient": bound_ulp},
}


@pytest.mark.parametrize("unit", ROWS)
def test_every_output_has_its_bound_and_keeps_it(unit):
    outputs = compare_outputs(unit, CONFIG, ROWS[unit])
    bounds = {compared.name: compared.bound_ulp for compared in outputs}
    assert bounds == {output: bound(CONFIG) for output, bound in BOUNDS[unit].items()}
    for compared in outputs:
        assert compared.bound_kept
        assert compared.comparisons[0].codes.max_ulp > 0.2
        assert compared.comparisons[0].reference.name == "NumPy float64"
        assert not dataclasses.replace(compared, bound_ulp=0.2).bound_kept
