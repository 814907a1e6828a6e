"""The float references agree with mpmath and with torch; what cannot run says so."""

import mpmath
import numpy as np
import pytest

from softmaxfx.golden.config import preset
from softmaxfx.golden.proofs.bounds import bound_ulp
from softmaxfx.golden.rows import LogitRows
from softmaxfx.golden.torch import reference
from softmaxfx.golden.torch.reference import (
    NUMPY,
    REFERENCES,
    Reference,
    available,
    compare,
)
from softmaxfx.golden.units.softmax import softmax

NAN, INF = np.nan, np.inf


def logits(seed=1, rows=40, longest=30, spread=3.0):
    """Rows of random lengths, some elements masked."""
    rng = np.random.default_rng(seed)
    values = rng.normal(0, spread, (rows, longest))
    values[rng.random(values.shape) < 0.1] = -INF
    lengths = rng.integers(1, longest + 1, (rows, 1))
    lengths[0] = longest
    return np.where(np.arange(longest) < lengths, values, NAN)


def softmax_float64(rows):
    """NumPy's softmax of rows in the form of a logits file; NaN beyond a row's end."""
    logits = LogitRows.from_array(rows)
    return np.where(logits.present, NUMPY(logits.values, logits.active), NAN)


def compared(config, rows):
    """The comparisons of rows in the form of a logits file."""
    return compare(config, LogitRows.from_array(rows))


def assert_close_to_torch(rows, dtype="float64", rtol=1e-14):
    """Our float64 softmax and torch's, on the same rows: padding aside, each row on its own."""
    torch = pytest.importorskip("torch", reason="torch is not installed")
    gate = softmax_float64(rows)
    for row, p in zip(rows, gate, strict=True):
        present = ~np.isnan(row)
        assert np.isnan(p[~present]).all()
        taken = torch.tensor(row[present], dtype=getattr(torch, dtype))
        gold = np.nan_to_num(torch.softmax(taken, dim=0).double().numpy(), nan=0.0)
        np.testing.assert_allclose(p[present], gold, rtol=rtol, atol=rtol)


def test_float64_is_the_exact_softmax():
    rows = logits(rows=10)
    with mpmath.workprec(120):
        for row, p in zip(rows.tolist(), softmax_float64(rows).tolist(), strict=True):
            e = [mpmath.exp(x) for x in row if x == x]
            for value, gate in zip(e, p[: len(e)], strict=True):
                assert abs(gate - value / sum(e)) < 1e-15


def test_float64_takes_logits_of_any_size_masks_and_shorter_rows():
    rows = [[1e300, 1e300, -1e300], [5.0, -INF, NAN], [-INF, -INF, -INF], [-800.0, -800.0, NAN]]
    gold = [[0.5, 0.5, 0], [1, 0, NAN], [0, 0, 0], [0.5, 0.5, NAN]]
    np.testing.assert_array_equal(softmax_float64(rows), gold)


@pytest.mark.parametrize(
    ("dtype", "rtol"), [("float64", 1e-14), ("float32", 3e-6), ("float16", 4e-3)]
)
def test_float64_is_torch_s_within_the_dtype_s_precision(dtype, rtol):
    assert_close_to_torch(logits(), dtype, rtol)


def test_float64_is_torch_s_for_extreme_rows():
    assert_close_to_torch(np.array([[700.0, -700.0, 700.0], [-INF, -INF, NAN], [0.0, NAN, NAN]]))


@pytest.mark.parametrize("which", REFERENCES, ids=lambda which: which.name)
def test_every_reference_that_runs_sums_to_one_and_leaves_masked_elements_out(which):
    if which.absence:
        pytest.skip(which.absence)
    rows = logits()
    active = np.isfinite(rows)
    active[3] = False
    p = which(np.where(active, rows, 0), active)
    assert p.dtype == np.float64
    assert (p[~active] == 0).all()
    step = {"float64": 1e-15, "float32": 1e-6, "float16": 3e-3}[which.dtype]
    np.testing.assert_allclose(p.sum(axis=1), active.any(axis=1), atol=step)
    np.testing.assert_allclose(p, NUMPY(np.where(active, rows, 0), active), atol=step)


def test_numpy_is_always_there_and_the_others_are_listed_where_they_run():
    assert available()[0] == NUMPY
    assert {r.name for r in REFERENCES if r not in available()} == {
        r.name for r in REFERENCES if r.absence
    }


def test_a_missing_cuda_device_is_a_result(monkeypatch):
    torch = pytest.importorskip("torch", reason="torch is not installed")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    cuda = Reference("torch float32 on CUDA", "cuda", "float32")
    assert cuda.absence == "no CUDA device: not run"
    found = {c.reference: c for c in compared(preset("tiny"), logits())}
    assert found[cuda].note == "no CUDA device: not run"
    assert found[cuda].codes is found[cuda].logits is None


def test_a_missing_torch_is_a_result(monkeypatch):
    monkeypatch.setattr(reference, "find_spec", lambda name: None)
    assert available() == [NUMPY]
    results = compared(preset("tiny"), logits())
    assert [r.note for r in results[1:]] == ["torch is not installed: not run"] * 6
    assert results[0].codes is not None


@pytest.mark.parametrize("name", ["base", "int8", "tiny"])
@pytest.mark.parametrize("spread", [1.0, 9.0])
def test_the_golden_model_is_within_the_bound_of_every_float64_on_its_own_codes(name, spread):
    config = preset(name)
    for result in compared(config, logits(spread=spread)):
        if result.note or result.reference.dtype != "float64":
            continue
        assert 0 < result.codes.mean_ulp <= result.codes.max_ulp <= bound_ulp(config) + 1e-6
        assert result.codes.to_float64 < 1e-15
        assert result.logits.to_float64 < 1e-15


def test_distances_are_counted_in_output_lsb_and_from_the_clipped_or_the_original_logits():
    """The second row is clipped from +-12 to +-10: its tail is 2e-9 or 4e-11, its p is 0."""
    config = preset("base", max_length=2)
    (result, *_) = compared(config, [[0.0, 0.5], [12.0, -12.0]])
    p = softmax([[0, 1024]], config).ravel().tolist()
    with mpmath.workprec(100):
        share = 65536 / (1 + mpmath.exp(mpmath.mpf(1) / 2))
        near = [abs(p[0] - share), abs(p[1] - (65536 - share))]
        tail, far = 65536 / (1 + mpmath.exp(20)), 65536 / (1 + mpmath.exp(24))
    assert result.reference == NUMPY
    assert result.codes.max_ulp == pytest.approx(float(max(near)), abs=1e-6)
    assert result.codes.mean_ulp == pytest.approx(float(sum(near) + tail) / 4, abs=1e-6)
    assert result.logits.mean_ulp == pytest.approx(float(sum(near) + far) / 4, abs=1e-6)


def test_the_scale_is_applied_to_codes_and_logits():
    config = preset("base", scale=0.25)
    rows = logits()
    (result, *_) = compared(config, rows)
    assert result.codes.max_ulp <= bound_ulp(config) + 1e-6
    assert result.logits.max_ulp < 20  # an input LSB of 2^-11 moves p by 2^-14 at most, 4 LSB


def test_clipping_the_difference_keeps_far_logits_near_each_other():
    config = preset("base", clip="difference", input=preset("base").input)
    rows = np.array([[15.0, 14.0, 3.0]])
    (absolute, *_), (relative, *_) = (compared(c, rows) for c in (preset("base"), config))
    assert absolute.logits.max_ulp > 1000
    assert relative.logits.max_ulp < 1


def test_rows_with_nothing_active_have_no_distance():
    (result, *_) = compared(preset("tiny"), [[-INF, -INF]])
    assert (result.codes, result.logits, result.note) == (None, None, "no element to compare")


def test_rows_longer_than_the_unit_takes_are_refused():
    with pytest.raises(ValueError, match="max_length = 64"):
        compared(preset("tiny"), np.zeros((1, 65)))
