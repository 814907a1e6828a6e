"""Float baselines: 8-bit values by enumeration, others by NumPy; the figures by plain loops."""

import math
from fractions import Fraction

import numpy as np
import pytest

from softmaxfx.golden import SoftmaxConfig
from softmaxfx.golden.rows import LogitRows
from softmaxfx.study.sweep.measure.float_formats import BASELINES, Decimals, Float
from softmaxfx.study.sweep.measure.floats import SCALED_FOR, baselines
from softmaxfx.study.sweep.measure.measure import Meter
from softmaxfx.study.sweep.measure.sources import Source, recorded_sources

NAMES = ("fp32", "fp16", "bf16", "fp8_e4m3", "fp8_e5m2", *(f"round_{k}" for k in range(1, 7)))


def fp8_values(exponent_bits, fraction_bits):
    """(code, value) of every positive finite number, from its bits, in order."""
    bias = 2 ** (exponent_bits - 1) - 1
    for code in range(128):
        exponent, fraction = divmod(code, 1 << fraction_bits)
        if exponent_bits == 5 and exponent == 31:
            return  # infinity and NaN
        if exponent_bits == 4 and code == 127:
            return  # the only NaN
        lead, place = (0, 1 - bias) if exponent == 0 else (1, exponent - bias)
        yield code, (lead + Fraction(fraction, 1 << fraction_bits)) * Fraction(2) ** place


@pytest.mark.parametrize(("name", "bits"), [("fp8_e4m3", (4, 3)), ("fp8_e5m2", (5, 2))])
def test_fp8_rounds_to_the_nearest_of_all_its_values(name, bits):
    fp8 = BASELINES[name]
    values = list(fp8_values(*bits))
    codes = [code for code, _ in values]
    numbers = [value for _, value in values]
    assert fp8.largest == numbers[-1] == {"fp8_e4m3": 448, "fp8_e5m2": 57344}[name]
    assert fp8.smallest == numbers[1]
    assert fp8.cast(np.array(numbers, float)).tolist() == numbers
    low, high = np.array(numbers[:-1], float), np.array(numbers[1:], float)
    middle = (low + high) / 2
    even = np.where(np.array(codes[:-1]) % 2 == 0, low, high)
    for sign in (1, -1):
        np.testing.assert_array_equal(fp8.cast(sign * middle), sign * even)
        np.testing.assert_array_equal(fp8.cast(sign * np.nextafter(middle, 0)), sign * low)
        np.testing.assert_array_equal(fp8.cast(sign * np.nextafter(middle, np.inf)), sign * high)
        beyond = sign * np.array([fp8.largest * 1.2, 1e9, np.inf])
        np.testing.assert_array_equal(fp8.cast(beyond), sign * np.full(3, fp8.largest))


def many_values(lowest, highest):
    """Of all sizes, both signs; ties of binary formats among them."""
    rng = np.random.default_rng(0)
    values = np.exp2(rng.uniform(lowest, highest, 20_000)) * rng.choice([-1, 1], 20_000)
    ties = np.ldexp(rng.integers(1, 1 << 13, 5000) + 0.5, rng.integers(-30, 2, 5000))
    return np.concatenate([values, ties, [0.0]])


@pytest.mark.parametrize(("name", "dtype"), [("fp32", np.float32), ("fp16", np.float16)])
def test_fp32_and_fp16_round_as_numpy_does(name, dtype):
    values = many_values(-160, 100) if name == "fp32" else many_values(-30, 15.9)
    np.testing.assert_array_equal(BASELINES[name].cast(values), values.astype(dtype).astype(float))
    assert BASELINES[name].largest == np.finfo(dtype).max
    assert BASELINES[name].smallest == np.finfo(dtype).smallest_subnormal


@pytest.mark.parametrize(
    ("name", "dtype"),
    [("bf16", "bfloat16"), ("fp8_e4m3", "float8_e4m3fn"), ("fp8_e5m2", "float8_e5m2")],
)
def test_narrow_floats_round_as_torch_does(name, dtype):
    torch = pytest.importorskip("torch")
    # torch goes through float32: values that it holds round once
    values = many_values(-30, 8).astype(np.float32)
    cast = torch.from_numpy(values).to(getattr(torch, dtype)).to(torch.float64).numpy()
    np.testing.assert_array_equal(BASELINES[name].cast(values.astype(float)), cast)


def test_decimals_round_as_python_does():
    values = np.random.default_rng(0).random(2000)
    for places in range(1, 7):
        rounding = BASELINES[f"round_{places}"]
        assert isinstance(rounding, Decimals)
        expected = [round(value, places) for value in values.tolist()]
        np.testing.assert_allclose(rounding.results(values), expected, rtol=1e-15)
        assert rounding.smallest == pytest.approx(10**-places)
        np.testing.assert_array_equal(rounding.logits(values), values)


@pytest.fixture(scope="module")
def recorded():
    return {source.name: source for source in recorded_sources(8000)}


@pytest.fixture(scope="module")
def figures(recorded):
    return {name: baselines(source) for name, source in recorded.items()}


def loops(source, cast_in, cast_out, smallest):
    """Some figures of a baseline, row by row; without masked elements."""
    errors, kl, sums, losses, exact_losses = [], [], [], [], []
    for row, length in enumerate(source.logits.lengths):
        logits = source.logits.values[row, :length].tolist()

        def softmax(values):
            terms = [math.exp(value - max(values)) for value in values]
            return [term / math.fsum(terms) for term in terms]

        real, p = softmax(logits), [cast_out(x) for x in softmax([cast_in(x) for x in logits])]
        errors += [abs(a - b) for a, b in zip(p, real, strict=True)]
        floored = [value if value else smallest / 2 for value in p]
        kl.append(
            sum(b * math.log(b * sum(floored) / a) for a, b in zip(floored, real, strict=True) if b)
        )
        sums.append(math.fsum(p))
        if source.targets is not None:
            target = int(source.targets[row])
            exact_losses.append(-math.log(real[target]))
            losses.append(cast_out(-math.log(softmax([cast_in(x) for x in logits])[target])))
    measured = {
        "max_error_unclipped": max(errors),
        "mean_error_unclipped": math.fsum(errors) / len(errors),
        "kl": math.fsum(kl) / len(kl),
        "sum_min": min(sums),
        "sum_mean": math.fsum(sums) / len(sums),
    }
    if losses:
        measured["loss_float"] = math.fsum(exact_losses) / len(losses)
        measured["loss_change"] = math.fsum(losses) / len(losses) - measured["loss_float"]
    return measured


CASTS = {
    "fp32": (lambda x: float(np.float32(x)),) * 2 + (2.0**-149,),
    "fp16": (lambda x: float(np.float16(x)),) * 2 + (2.0**-24,),
    "round_1": (float, lambda x: round(x, 1), 0.1),
    "round_3": (float, lambda x: round(x, 3), 0.001),
}


@pytest.mark.parametrize("source", ["digits", "attention"])
@pytest.mark.parametrize("name", CASTS)
def test_figures_equal_plain_loops(recorded, figures, source, name):
    expected, measured = loops(recorded[source], *CASTS[name]), figures[source][name]
    for figure, value in expected.items():
        assert measured[figure] == pytest.approx(value, rel=1e-6, abs=1e-12), figure


@pytest.mark.parametrize("source", ["attention", "training"])
def test_gradients_equal_a_plain_loop(recorded, figures, source):
    logits, dp = recorded[source].scaled_gradients(SCALED_FOR)
    worst, powers = 0.0, recorded[source].powers(SCALED_FOR)[recorded[source].with_gradients]
    for row, length in enumerate(logits.lengths):
        x, upstream = logits.values[row, :length], dp[row, :length]

        def gradient(values, given, cast=lambda x: x):
            p = np.exp(values - values.max())
            p = cast(p / p.sum())
            return cast(p * (given - p @ given))

        def half(array):
            return array.astype(np.float16).astype(float)

        apart = gradient(half(x), half(upstream), half) - gradient(x, upstream)
        worst = max(worst, np.abs(apart).max())
    measured = figures[source]["fp16"]
    assert measured["backward_max_error_unclipped"] == pytest.approx(worst, rel=1e-6)
    assert measured["backward_saturated_share"] == 0
    assert (measured["backward_power_min"], measured["backward_power_max"]) == (
        powers.min(),
        powers.max(),
    )


@pytest.mark.parametrize("source", ["digits", "attention", "training"])
def test_every_baseline_is_there_and_finer_ones_are_better(figures, source):
    measured = figures[source]
    assert tuple(measured) == NAMES
    for chain in (("fp32", "fp16", "bf16", "fp8_e4m3"), NAMES[:4:-1]):
        for figure in ("max_error_unclipped", "mean_error_unclipped"):
            errors = [measured[name][figure] for name in chain]
            assert errors == sorted(errors)
            assert errors[0] > 0


def test_figures_have_the_names_of_points_without_bounds_and_ulp(recorded, figures):
    for name, source in recorded.items():
        point = Meter(source).measure(SoftmaxConfig(), bound=False)
        expected = {figure for figure in point if not figure.endswith("_ulp")}
        for measured in figures[name].values():
            assert measured.keys() == expected


def test_values_beyond_the_format_are_told():
    logits = LogitRows.from_array([[500.0, 440.0, -600.0, 1.0], [1.0, 2.0, 3.0, -np.inf]])
    source = Source("large", logits, gradients=np.full((2, 4), 500.0))
    measured = baselines(source)
    assert measured["fp8_e4m3"]["clip_rate"] == 2 / 7
    assert measured["fp8_e4m3"]["backward_saturated_share"] == 1
    assert measured["fp8_e5m2"]["clip_rate"] == measured["round_2"]["clip_rate"] == 0
    assert measured["fp8_e5m2"]["backward_saturated_share"] == 0


def test_the_scale_is_applied_after_the_cast():
    # 17 is no number of e4m3: 16 and 18 are, and the tie goes to the even 16
    logits = LogitRows.from_array([[17.0, 0.0]])
    measured = baselines(Source("one", logits), scale=0.125)["fp8_e4m3"]
    p, exact = 1 / (1 + math.exp(-2.0)), 1 / (1 + math.exp(-17 / 8))
    assert isinstance(BASELINES["fp8_e4m3"], Float)
    assert measured["max_error_unclipped"] == pytest.approx(
        max(abs(0.875 - exact), abs(0.1171875 - (1 - exact)))
    )
    assert abs(p - 0.875) < 1 / 32
    assert abs(1 - p - 0.1171875) < 2**-8
