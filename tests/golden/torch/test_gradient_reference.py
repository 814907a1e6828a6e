"""The float references of the gradients agree with mpmath and with each other, and find errors."""

import dataclasses

import mpmath
import numpy as np
import pytest

from softmaxfx.golden.config import preset
from softmaxfx.golden.errors import ConfigError
from softmaxfx.golden.formats import SQ
from softmaxfx.golden.proofs.bounds import bound_ulp
from softmaxfx.golden.proofs.gradient import backward_bound_ulp
from softmaxfx.golden.proofs.loss import loss_bound
from softmaxfx.golden.rows import LogitRows
from softmaxfx.golden.torch import gradient_reference, reference
from softmaxfx.golden.torch.gradient_reference import (
    backward_of,
    compare_backward,
    compare_cross_entropy,
    cross_entropy_of,
    softmax_gradient,
)
from softmaxfx.golden.torch.reference import NUMPY, REFERENCES
from softmaxfx.golden.units.cross_entropy import IGNORE_INDEX

STEP = {"float64": 1e-14, "float32": 3e-6, "float16": 1e-2}
ATOL = {"float64": 1e-14, "float32": 1e-6, "float16": 4e-3}

every_reference = pytest.mark.parametrize("which", REFERENCES, ids=lambda which: which.name)


def some_rows(seed=1, rows=40, longest=30, spread=3.0):
    """(rows, dP within its format): random lengths, some elements masked, the first never."""
    rng = np.random.default_rng(seed)
    values = rng.normal(0, spread, (rows, longest))
    values[:, 1:][rng.random((rows, longest - 1)) < 0.1] = -np.inf
    values[np.arange(longest) >= rng.integers(2, longest + 1, (rows, 1))] = np.nan
    logits = LogitRows.from_array(values)
    dp = np.clip(rng.normal(0, 0.3, logits.values.shape), -0.9, 0.9)
    return logits, np.where(logits.active, dp, 0)


def exact_row(values, dp, target):
    """(dS, loss, gradient of the loss) of one row by the Jacobian, written out with mpmath."""
    with mpmath.workprec(120):
        e = [mpmath.exp(x) for x in values]
        p = [x / sum(e) for x in e]
        places = range(len(p))
        ds = [sum(p[i] * ((i == j) - p[j]) * dp[j] for j in places) for i in places]
        return (
            [float(x) for x in ds],
            float(-mpmath.log(p[target])),
            [float(p[i] - (i == target)) for i in places],
        )


@every_reference
def test_every_reference_that_runs_gives_the_gradients_of_the_jacobian(which):
    if which.absence:
        pytest.skip(which.absence)
    rows, dp = some_rows(rows=12, longest=9)
    target = np.zeros(12, np.int64)
    ds = softmax_gradient(which, rows.values, rows.active, dp)
    loss, gradient = cross_entropy_of(which, rows.values, rows.active, target)
    assert ds.dtype == loss.dtype == gradient.dtype == np.float64
    for row, active in enumerate(rows.active):
        gold = exact_row(rows.values[row, active].tolist(), dp[row, active].tolist(), 0)
        np.testing.assert_allclose(ds[row, active], gold[0], atol=ATOL[which.dtype])
        np.testing.assert_allclose(loss[row], gold[1], rtol=STEP[which.dtype], atol=1e-3)
        np.testing.assert_allclose(gradient[row, active], gold[2], atol=ATOL[which.dtype])
        assert not ds[row, ~active].any()
        assert not gradient[row, ~active].any()


@every_reference
def test_probabilities_that_are_given_are_taken_as_they_are(which):
    """Rounded probabilities sum to 1 only nearly; these are far from it, and the D form shows."""
    if which.absence:
        pytest.skip(which.absence)
    p, dp = np.array([[0.5, 0.25, 0.5, 0.0]]), np.array([[0.5, -1.0, 0.25, 0.75]])
    d = 0.5 * 0.5 - 0.25 + 0.5 * 0.25
    gold = [0.5 * (0.5 - d), 0.25 * (-1 - d), 0.5 * (0.25 - d), 0]
    assert backward_of(which, p, dp).tolist() == [gold]


def test_the_kernel_for_given_probabilities_is_what_autograd_runs():
    torch = pytest.importorskip("torch", reason="torch is not installed")
    which = next(r for r in REFERENCES if r.name == "torch float32 on CPU")
    logits = torch.randn(20, 33, generator=torch.Generator().manual_seed(1), requires_grad=True)
    dp = torch.randn(20, 33, generator=torch.Generator().manual_seed(2))
    p = torch.softmax(logits, dim=-1)
    p.backward(dp)
    assert logits.grad is not None
    gate = backward_of(which, p.detach().double().numpy(), dp.double().numpy())
    np.testing.assert_array_equal(gate, logits.grad.double().numpy())


@every_reference
def test_rows_that_are_ignored_disturb_no_other(which):
    if which.absence:
        pytest.skip(which.absence)
    values, active = np.array([[1.0, 0.0], [0.0, 0.0], [1.0, 0.0]]), np.ones((3, 2), bool)
    active[1] = False
    loss, gradient = cross_entropy_of(which, values, active, np.array([0, IGNORE_INDEX, 0]))
    assert loss[0] == loss[2] == pytest.approx(np.log(1 + np.exp(-1)), abs=1e-3)
    assert gradient[0].tolist() == gradient[2].tolist()
    assert not gradient[1].any()


@pytest.mark.parametrize("clip_gradient", ["zero", "pass"])
@pytest.mark.parametrize("name", ["base", "int8"])
def test_gradients_are_within_the_bound_of_every_float64_on_their_own_codes(name, clip_gradient):
    config = preset(name, clip_gradient=clip_gradient, max_length=64)
    rows, dp = some_rows(seed=2, rows=200, spread=6.0)
    for result in compare_backward(config, rows, dp):
        if result.note or result.reference.dtype != "float64":
            continue
        assert 0.3 < result.codes.max_ulp <= backward_bound_ulp(config) + 1e-6
        assert 0 < result.codes.mean_ulp < result.codes.max_ulp
        assert result.codes.to_float64 < 1e-15
        # clipping and quantisation count here, and dropping a clipped element's gradient
        assert result.codes.max_ulp < result.logits.max_ulp


@pytest.mark.parametrize("clip_gradient", ["zero", "pass"])
@pytest.mark.parametrize("datapath", ["max_subtract", "exact_sum"])
def test_losses_are_within_their_bounds_of_every_float64_on_their_own_codes(
    datapath, clip_gradient
):
    config = preset("base", datapath=datapath, clip_gradient=clip_gradient, max_length=64)
    rows, _ = some_rows(seed=3, rows=200, spread=6.0)
    target = np.random.default_rng(3).integers(0, 32, 200)  # some masked, some outside
    losses, gradients = compare_cross_entropy(config, rows, target)
    for results, bound in ((losses, loss_bound(config).ulp), (gradients, bound_ulp(config))):
        for result in results:
            if result.note or result.reference.dtype != "float64":
                continue
            assert 0.3 < result.codes.max_ulp <= bound + 1e-6
            assert result.codes.to_float64 < 1e-13
            assert result.codes.max_ulp < result.logits.max_ulp


def test_coarse_floats_are_told_apart_by_their_distances():
    """An LSB of 2^-16 is below float16's precision and above float32's."""
    config = preset("base", max_length=64)
    rows, dp = some_rows(rows=100)
    losses, gradients = compare_cross_entropy(config, rows, np.zeros(100, np.int64))
    for results in (compare_backward(config, rows, dp), losses, gradients):
        found = {r.reference.name: r.codes for r in results if not r.note}
        if "torch float16 on CPU" not in found:
            pytest.skip("torch is not installed")
        half, single = found["torch float16 on CPU"], found["torch float32 on CPU"]
        assert half.to_float64 > 1e-6 > single.to_float64 > 0
        assert single.max_ulp == pytest.approx(found["NumPy float64"].max_ulp, abs=0.05)


def test_distances_are_counted_in_output_lsb():
    """p is 1/2 exactly, so that dS = (dp_0 - dp_1) / 4 and the loss is ln 2."""
    config = preset("base", max_length=2)
    rows = LogitRows.from_array([[1.0, 1.0]])
    dp = np.array([[0.25 + 2.0**-17, -0.25]])
    gradient = compare_backward(config, rows, dp)[0]
    assert gradient.reference == NUMPY
    assert gradient.codes.max_ulp == pytest.approx(0, abs=1e-9)
    assert gradient.logits.max_ulp == pytest.approx(2.0**-19 * 2.0**15, abs=1e-9)
    losses, gradients = compare_cross_entropy(config, rows, np.array([1]))
    apart = abs(round(np.log(2) * 2**11) - np.log(2) * 2**11)
    assert losses[0].codes.max_ulp == losses[0].logits.max_ulp == pytest.approx(apart)
    assert gradients[0].codes.max_ulp == pytest.approx(0, abs=1e-9)


def test_the_scale_is_applied_to_codes_and_logits():
    config = preset("base", scale=0.25, max_length=64)
    rows, dp = some_rows(spread=2.0)
    losses, gradients = compare_cross_entropy(config, rows, np.zeros(40, np.int64))
    assert compare_backward(config, rows, dp)[0].logits.max_ulp < 5
    assert losses[0].logits.max_ulp < 5
    assert gradients[0].logits.max_ulp < 20


def test_a_wrong_gradient_shows(monkeypatch):
    config = preset("base", max_length=64)
    rows, dp = some_rows()

    def wrong(*arguments, **options):
        result = gradient_reference_rows(*arguments, **options)
        ds = result.ds.copy()
        ds[7, 0] += 2
        return dataclasses.replace(result, ds=ds)

    gradient_reference_rows = gradient_reference.backward_rows
    monkeypatch.setattr(gradient_reference, "backward_rows", wrong)
    assert compare_backward(config, rows, dp)[0].codes.max_ulp > 1.2 > backward_bound_ulp(config)


@pytest.mark.parametrize("field", ["loss", "grad"])
def test_a_wrong_loss_and_its_wrong_gradient_show(monkeypatch, field):
    config = preset("base", max_length=64)
    rows, _ = some_rows()

    def wrong(*arguments):
        result = rows_of(*arguments)
        off = getattr(result, field).copy()
        off.flat[7 * (off.size // 40)] += 2
        return dataclasses.replace(result, **{field: off})

    rows_of = gradient_reference.cross_entropy_rows
    monkeypatch.setattr(gradient_reference, "cross_entropy_rows", wrong)
    losses, gradients = compare_cross_entropy(config, rows, np.zeros(40, np.int64))
    off, right = (losses, gradients) if field == "loss" else (gradients, losses)
    assert off[0].codes.max_ulp > 1.2
    assert right[0].codes.max_ulp < 0.9


def test_rows_whose_d_saturates_are_left_out():
    """Six equal probabilities round to a sum above 1: D of the smallest dP cannot be held."""
    config = preset("base", max_length=8)
    rows = LogitRows.from_array(np.zeros((1, 6)))
    (result, *_) = compare_backward(config, rows, np.full((1, 6), -1.0))
    assert (result.codes, result.logits, result.note) == (None, None, "no element to compare")
    (counted, *_) = compare_backward(config, rows, np.full((1, 6), -0.5))
    assert counted.codes.max_ulp > 0


def test_rows_without_a_loss_are_left_out():
    config = preset("base", max_length=4)
    rows = LogitRows.from_array([[3.0, -np.inf, 1.0], [3.0, 2.0, np.nan], [0.0, 0.0, 0.0]])
    outside = compare_cross_entropy(config, rows, np.array([1, 2, -100]))
    for results in outside:
        assert (results[0].codes, results[0].logits) == (None, None)


def test_what_cannot_run_says_so(monkeypatch):
    monkeypatch.setattr(reference, "find_spec", lambda name: None)
    rows, dp = some_rows(rows=5)
    config = preset("tiny")
    losses, gradients = compare_cross_entropy(config, rows, np.zeros(5, np.int64))
    for results in (compare_backward(config, rows, dp), losses, gradients):
        assert [r.reference for r in results] == list(REFERENCES)
        assert [r.note for r in results[1:]] == ["torch is not installed: not run"] * 6
        assert results[0].codes is not None
        assert results[1].codes is results[1].logits is None


def test_configurations_without_gradient_units_are_refused():
    config = preset("tiny", function="log_softmax", output=SQ(6, 10))
    rows, dp = some_rows(rows=5)
    with pytest.raises(ConfigError, match=r"^function must be softmax .*, not log_softmax$"):
        compare_backward(config, rows, dp)
    with pytest.raises(ConfigError, match=r"^function must be softmax .*, not log_softmax$"):
        compare_cross_entropy(config, rows, np.zeros(5, np.int64))
    with pytest.raises(ConfigError, match=r"^function must be softmax .*, not log_softmax$"):
        reference.compare(config, rows)
