"""Every output of a unit is held against the references, and a broken bound is told."""

import dataclasses

import numpy as np
import pytest

from softmaxfx.golden import backward_bound_ulp, bound_ulp, loss_bound, preset, softmax
from softmaxfx.golden.proofs.bias import bias_ulp
from softmaxfx.golden.proofs.mass import mass_bound
from softmaxfx.golden.rows import LogitRows
from softmaxfx.sim.cross_entropy import TargetRows
from softmaxfx.sim.softmax_backward import BackwardRows
from softmaxfx.study.reference_report import mass_line
from softmaxfx.study.references import Mass, compare_outputs

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


def test_the_sum_of_probabilities_and_their_bias_are_told_beside_what_is_proven():
    (compared,) = compare_outputs("softmax", CONFIG, LOGITS)
    mass, p = compared.mass, softmax(CONFIG.input.quantize(LOGITS.values), CONFIG)
    sums = CONFIG.output.to_float(p).sum(axis=1)
    assert mass.error == pytest.approx(np.abs(sums - 1).max(), abs=1e-12)
    assert 0 < mass.error <= mass.bound == mass_bound(CONFIG)
    assert 0 < abs(mass.bias) < 0.5
    assert mass.codes_bias == bias_ulp(CONFIG)
    assert compared.bounds_kept
    broken = dataclasses.replace(mass, bound=mass.error / 2)
    assert not dataclasses.replace(compared, mass=broken).bounds_kept
    assert "EXCEEDED" in mass_line(broken)
    assert "EXCEEDED" not in mass_line(mass)


def test_rows_without_an_element_have_no_sum():
    nothing = LogitRows(np.zeros((2, 3)), np.zeros((2, 3), bool), np.array([3, 3]))
    mass = Mass.of(CONFIG, nothing)
    assert mass.error is None
    assert mass.bound_kept
    assert mass_line(mass).startswith("sum p: no row with an element; proven: within 0.0")
