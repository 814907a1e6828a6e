"""The sweep's figures are those of the golden metrics, number for number; others of plain loops."""

import math

import mpmath
import numpy as np
import pytest

from softmaxfx.golden import SQ, UQ, ConfigError, SoftmaxConfig, bound_ulp, loss_bound, preset
from softmaxfx.golden.measures.calibration import calibration_error
from softmaxfx.golden.measures.catalogue import BESIDE, POINT
from softmaxfx.golden.measures.metrics import measure
from softmaxfx.golden.measures.top1 import wilson
from softmaxfx.golden.proofs.gradient import backward_bound_ulp
from softmaxfx.golden.rows import LogitRows
from softmaxfx.golden.units.cross_entropy import cross_entropy_rows
from softmaxfx.golden.units.softmax import softmax_rows
from softmaxfx.golden.units.softmax_backward import backward_rows
from softmaxfx.sim.sidecar import ROUNDING_SEED
from softmaxfx.study.sweep.measure import proven
from softmaxfx.study.sweep.measure.floats import baselines
from softmaxfx.study.sweep.measure.measure import Meter
from softmaxfx.study.sweep.measure.sources import Source, recorded_sources

from ....golden.measures.measured import measure_backward, measure_loss

BASE = SoftmaxConfig(max_length=40)

CHANGES = {
    "base": {},
    "input": {"input": SQ(5, 6)},
    "output": {"output": UQ(0, 9)},
    "output with an integer bit": {"output": UQ(1, 16)},
    "lanes": {"lanes": 2},
    "shorter rows": {"max_length": 33},
    "longer rows": {"max_length": 4096},
    "range": {"range": 3.5},
    "scale": {"scale": 0.7},
    "difference": {"clip": "difference"},
    "exact sum": {"datapath": "exact_sum"},
    "exact sum, range": {"datapath": "exact_sum", "range": 5.25},
    "exp_split": {"exp_split": (8, 5, 3)},
    "mantissa": {"mantissa_bits": 16},
    "exp_bits": {"exp_bits": 19},
    "sum": {"sum_fraction": 19},
    "reciprocal": {"reciprocal_bits": 12},
    "reciprocal_index": {"reciprocal_index": 3},
    "reciprocal_step": {"reciprocal_step": 2},
    "grad_input": {"grad_input": SQ(1, 7)},
    "grad_input, wider": {"grad_input": SQ(3, 7)},
    "grad_output": {"grad_output": SQ(1, 6)},
    "grad_output, fine": {"grad_output": SQ(1, 17)},
    "dot_guard": {"dot_guard": 4},
    "stochastic": {"rounding": "stochastic"},
    "stochastic, coarse": {"rounding": "stochastic", "grad_output": SQ(1, 5)},
    "pass": {"clip_gradient": "pass"},
    "loss": {"loss": UQ(6, 4)},
    "loss, fine": {"loss": UQ(5, 16)},
}
CONFIGS = {name: BASE.replace(**changes) for name, changes in CHANGES.items()}
CONFIGS["int8"] = preset("int8", max_length=40)
each_config = pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)


def some_source(seed=0, rows=120, width=33):
    """Rows of all lengths: masked elements, rows all masked, ties, targets outside and masked,
    rows without gradients, gradients of two sizes."""
    rng = np.random.default_rng(seed)
    array = rng.normal(0, 5, (rows, width)) * rng.choice([0.3, 1, 2], (rows, 1))
    array[rng.random(array.shape) < 0.1] = -np.inf
    array[4] = array[rows - 1] = -np.inf
    array[5] = 1.0
    array[6, :4] = 30.0
    lengths = rng.integers(1, width + 1, rows)
    lengths[6] = lengths[7] = width
    array[8, 0], lengths[8] = 2.0, 1  # p = 1
    array[np.arange(width) >= lengths[:, None]] = np.nan
    logits = LogitRows.from_array(array)
    large = rng.random(rows) < 0.5
    gradients = rng.normal(0, 1, array.shape) * np.where(large, 4.0, 0.02)[:, None]
    gradients = np.where(logits.present, gradients, 0)
    gradients[7] = 12.0  # saturates
    gradients[rng.random(rows) < 0.2] = np.nan
    top = np.where(logits.active, logits.values, -np.inf).argmax(axis=1)
    targets = np.where(rng.random(rows) < 0.5, top, rng.integers(-1, width, rows))
    return Source(
        "some",
        logits,
        targets=targets,
        held_out=rng.random(rows) < 0.6,
        gradients=gradients,
        peaks=np.where(large, 5.0, 0.09),
    )


@pytest.fixture(scope="module")
def source():
    return some_source()


@pytest.fixture(scope="module")
def meter(source):
    """One meter for all tests: what it keeps must not mix configurations up."""
    return Meter(source)


def golden_figures(source, config):
    """What the golden metrics and bounds say, by the sweep's names."""
    rows = source.logits
    result = softmax_rows(rows.codes(config), config, ~rows.active)
    metrics = measure(result, rows, config)
    names = (
        "max_error_ulp", "max_error_unclipped", "clip_rate", "tie_rate", "sum_min", "sum_mean",
        "zero_share",
    )  # fmt: skip
    figures = {name: getattr(metrics, name) for name in names} | {"kl": metrics.mean_kl}
    if source.targets is not None:
        loss = cross_entropy_rows(
            rows.codes(config), rows.active, rows.lengths, source.targets, config
        )
        of_loss = measure_loss(loss, rows, source.targets, config)
        figures |= {
            "loss_bound_ulp": of_loss.loss_bound_ulp,
            "loss_max_error_ulp": of_loss.loss_max_error_ulp,
            "loss_grad_max_error_ulp": of_loss.max_error_ulp,
            "loss": of_loss.mean_loss,
        }
    if source.gradients is not None:
        logits, values = source.scaled_gradients(config.grad_input)
        codes = logits.codes(config)
        forward = softmax_rows(codes, config, ~logits.active)
        dp = config.grad_input.quantize(values)
        ds = backward_rows(forward.p, dp, config, forward.clipped, seed=ROUNDING_SEED)
        metrics = measure_backward(ds, forward.p, dp, forward.clipped, logits, values, config)
        figures |= {
            "backward_bound_ulp": backward_bound_ulp(config),
            "backward_max_error_ulp": metrics.max_error_ulp,
            "backward_max_error_unclipped": metrics.max_error_unclipped,
            "backward_saturated_share": metrics.saturated_share,
        }
    return figures | {"bound_ulp": bound_ulp(config)}


def assert_golden(figures, golden):
    loss = golden.pop("loss", None)
    assert {name: figures[name] for name in golden} == golden
    if loss is not None:
        assert figures["loss_float"] + figures["loss_change"] == pytest.approx(loss, rel=1e-12)
    assert figures["max_error_ulp"] <= figures["bound_ulp"]


@each_config
def test_figures_equal_the_golden_metrics(source, meter, config):
    assert_golden(meter.measure(config), golden_figures(source, config))


def test_a_sweep_measures_every_metric_that_the_catalogue_says_it_keeps(meter):
    kept = {metric.name for metric in (*POINT, *BESIDE)} - {"bound_absolute"}  # of the report
    assert meter.measure(BASE).keys() == kept


def test_what_is_kept_does_not_mix_configurations_up(source, meter):
    order = np.random.default_rng(1).permutation(len(CONFIGS))
    configs = [list(CONFIGS.values())[place] for place in order]
    again = [meter.measure(config) for config in configs]
    alone = [Meter(source).measure(config) for config in configs]
    assert again == alone
    # each change is one that some figure shows, or the test could not tell
    same = {"lanes", "shorter rows", "longer rows"}
    seen = [
        meter.measure(config, bound=False) for name, config in CONFIGS.items() if name not in same
    ]
    assert all(a != b for place, a in enumerate(seen) for b in seen[:place])


def test_bounds_are_left_out_where_they_are_not_wanted(meter, monkeypatch):
    for name in ("softmax_bound", "mass_bound", "cross_entropy_bound", "backward_bound"):
        monkeypatch.setattr(f"softmaxfx.study.sweep.measure.measure.{name}", None)
    without = meter.measure(BASE, bound=False)
    monkeypatch.undo()
    bounds = {"bound_ulp", "mass_bound", "loss_bound_ulp", "backward_bound_ulp"}
    whole = meter.measure(BASE)
    assert whole.keys() - without.keys() == bounds
    assert without == {name: value for name, value in whole.items() if name not in bounds}


@each_config
def test_bounds_are_the_golden_ones(config):
    assert proven.softmax_bound(config) == bound_ulp(config)
    assert proven.cross_entropy_bound(config) == loss_bound(config).ulp
    assert proven.backward_bound(config) == backward_bound_ulp(config)


def test_a_bound_is_proven_once_for_configurations_that_share_it(monkeypatch):
    proven._softmax_bound.cache_clear()
    calls = []
    monkeypatch.setattr(proven, "bound_ulp", lambda config: calls.append(config) or 0.0)
    for lanes in (1, 2, 4):
        for fmt in (SQ(1, 7), SQ(1, 15)):
            proven.softmax_bound(BASE.replace(lanes=lanes, grad_input=fmt, loss=UQ(5, 8 + lanes)))
    assert len(calls) == 1
    proven.softmax_bound(BASE.replace(reciprocal_bits=19))
    assert len(calls) == 2
    proven._softmax_bound.cache_clear()


@pytest.mark.parametrize("name", ["digits", "attention", "training"])
def test_figures_of_the_recordings_equal_the_golden_metrics(name):
    recorded = {source.name: source for source in recorded_sources(20_000)}[name]
    meter = Meter(recorded)
    for config in (preset("base"), preset("int8", datapath="exact_sum", range=6)):
        assert_golden(meter.measure(config), golden_figures(recorded, config))


def test_a_stretch_of_configurations_keeps_a_few_stages_only(source):
    meter = Meter(source)
    for bits in range(2, 24):
        meter.measure(SoftmaxConfig(output=UQ(0, bits), max_length=40), bound=False)
    config = SoftmaxConfig(output=UQ(0, 2), max_length=40)
    assert meter.measure(config) == Meter(source).measure(config)
    assert len(meter.stages._p._results) == 16


class Loops:
    """The figures that the golden metrics have not, row by row."""

    def __init__(self, source, config):
        rows, f = source.logits, config.output.f
        result = softmax_rows(rows.codes(config), config, ~rows.active)
        losses = cross_entropy_rows(
            rows.codes(config), rows.active, rows.lengths, source.targets, config
        )
        self.errors, self.top1, self.losses, self.changes = [], [], [], []
        self.said, self.said_float = [], []
        for row in range(len(rows.lengths)):
            columns = [int(column) for column in np.flatnonzero(rows.active[row])]
            if not columns:
                continue
            p = {column: int(result.p[row, column]) for column in columns}
            logits = {column: rows.values[row, column] * config.scale for column in columns}
            terms = {column: mpmath.exp(value) for column, value in logits.items()}
            real = {column: term / sum(terms.values()) for column, term in terms.items()}
            self.errors += [abs(p[c] * mpmath.mpf(2) ** -f - real[c]) for c in columns]
            winners = [c for c in columns if p[c] == max(p.values())]
            best = {c for c in columns if logits[c] == max(logits.values())}
            self.top1.append(sum(c in best for c in winners) / len(winners))
            target = int(source.targets[row])
            if target not in columns:
                continue
            self.losses.append(-mpmath.log(real[target]))
            self.changes.append(int(losses.loss[row]) / 2**config.loss.f - self.losses[-1])
            if source.held_out[row]:
                right = (target in winners) / len(winners)
                self.said.append((max(p.values()) / 2**f, right))
                right = (target in best) / len(best)
                self.said_float.append((float(max(real.values())), right))


def mean(values):
    return float(sum(values) / len(values))


def loop_calibration(said):
    """Bin by bin: share of the rows times how far their confidence is from being right."""
    total = 0.0
    for low in range(15):
        inside = [pair for pair in said if low / 15 < pair[0] <= (low + 1) / 15]
        if inside:
            confidence, right = zip(*inside, strict=True)
            total += len(inside) / len(said) * abs(mean(confidence) - mean(right))
    return total


@pytest.mark.parametrize("name", ["base", "output", "scale", "difference", "int8", "loss"])
def test_other_figures_equal_plain_loops(source, meter, name):
    config = CONFIGS[name]
    figures, loops = meter.measure(config), Loops(source, config)
    close = {"rel": 1e-9, "abs": 1e-12}
    assert figures["mean_error_unclipped"] == pytest.approx(mean(loops.errors), **close)
    assert figures["top1"] == pytest.approx(mean(loops.top1), **close)
    assert figures["loss_float"] == pytest.approx(mean(loops.losses), **close)
    assert figures["loss_change"] == pytest.approx(mean(loops.changes), **close)
    assert figures["ece"] == pytest.approx(loop_calibration(loops.said), **close)
    assert figures["ece_float"] == pytest.approx(loop_calibration(loops.said_float), **close)
    assert (figures["top1_low"], figures["top1_high"]) == wilson(figures["top1"], len(loops.top1))
    # the source has rows that make these figures worth a test
    assert 0 < mean(loops.top1) < 1
    assert loop_calibration(loops.said) > 0.01
    assert any(0 < right < 1 for _, right in loops.said)


def test_powers_of_two_are_told_with_the_gradients(source, meter):
    figures = meter.measure(BASE)
    # 5 * 2^-3 and 0.09 * 2^3 lie below 1, 5 * 2^-2 and 0.09 * 2^4 do not
    assert (figures["backward_power_min"], figures["backward_power_max"]) == (-3, 3)
    figures = meter.measure(CONFIGS["grad_input, wider"])
    assert (figures["backward_power_min"], figures["backward_power_max"]) == (-1, 5)


def test_the_interval_of_a_share_is_where_wilson_says():
    """Its ends are the shares q from which the observed one is 1.96 standard deviations away."""
    for share, count in ((0.5, 10), (0.98, 400), (0.0, 20), (1.0, 1797), (0.25, 7.0)):
        for end in wilson(share, count):
            spread = 1.959964 * math.sqrt(end * (1 - end) / count)
            assert abs(end - share) == pytest.approx(spread, rel=1e-5, abs=1e-12)
    assert wilson(1.0, 1797)[1] == 1
    assert wilson(0.0, 20)[0] == 0
    assert wilson(0.8, 100) == pytest.approx((0.7111708, 0.8666331), abs=1e-6)


def test_calibration_of_rows_by_hand():
    # bins of 1/15: 0.05 alone, 0.95 and 1.0 together
    confidence, right = np.array([0.05, 0.95, 1.0]), np.array([1.0, 1.0, 0.0])
    assert calibration_error(confidence, right) == pytest.approx((0.95 + 0.95) / 3)
    # a bin holds its upper end: both rows are in the first
    edge = np.array([1 / 15, 0.05])
    assert calibration_error(edge, np.array([0.0, 1.0])) == pytest.approx((0.95 - 1 / 15) / 2)
    assert calibration_error(np.zeros(0), np.zeros(0)) is None


def test_a_source_has_the_figures_of_what_it_has(source):
    logits = Source("bare", source.logits)
    figures = Meter(logits).measure(BASE)
    assert not [name for name in figures if name.startswith(("loss", "ece", "backward"))]


NOTHING = {
    "a loss": ({"targets": -1}, ("loss_float", "loss_change", "ece", "loss_max_error_ulp")),
    "a row held out": ({"targets": 0, "held_out": False}, ("ece", "ece_float")),
    "a gradient": ({"gradients": np.nan}, ("backward_max_error_ulp", "backward_power_min")),
    "a row whose D fits": ({"gradients": -30.0}, ("backward_max_error_ulp",)),
}
"""What no row of a source has, by a value that fills its arrays, and figures that it then lacks."""


@pytest.mark.parametrize(("filled", "lacking"), NOTHING.values(), ids=NOTHING)
def test_a_figure_of_nothing_is_none_and_not_0(filled, lacking):
    """As for the golden metrics: no row has a loss of 0 where no row has a loss."""
    logits = LogitRows.from_array(np.zeros((4, 6)))
    shapes = {"targets": (4,), "held_out": (4,), "gradients": (4, 6)}
    arrays = {name: np.full(shapes[name], value) for name, value in filled.items()}
    source = Source("some", logits, **arrays)
    for figures in (Meter(source).measure(BASE, bound=False), baselines(source)["fp16"]):
        assert not [name for name in lacking if name in figures]
        assert all(np.isfinite(value) for value in figures.values())
        assert "kl" in figures


def test_what_cannot_be_measured_is_refused(source, meter):
    meter.measure(BASE)
    with pytest.raises(ValueError, match=r"^logits must have rows of at most max_length = 32 "):
        meter.measure(BASE.replace(max_length=32))
    log = BASE.replace(function="log_softmax", output=SQ(6, 10))
    with pytest.raises(ConfigError, match=r"^function must be softmax to be measured in a sweep"):
        meter.measure(log)
    with pytest.raises(ConfigError, match=r"^loss must hold 2 \* range \* scale"):
        meter.measure(BASE.replace(loss=UQ(4, 11)))
    with pytest.raises(ConfigError, match=r"^grad_output must drop 1 to 32 bits"):
        meter.measure(BASE.replace(output=UQ(0, 2), grad_output=SQ(1, 17), grad_input=SQ(1, 3)))
    masked = Source("empty", LogitRows.from_array(np.full((2, 3), -np.inf)))
    with pytest.raises(ValueError, match=r"^source empty must have at least one element"):
        Meter(masked)
