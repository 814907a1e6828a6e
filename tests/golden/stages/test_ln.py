"""ln and log softmax against mpmath: table entries, every table input, whole rows, the bound."""

import itertools

import mpmath
import numpy as np
import pytest

from softmaxfx.golden import SQ, UQ, ConfigError, SoftmaxConfig, bound_ulp, preset, softmax
from softmaxfx.golden.measures.metrics import error_ulp
from softmaxfx.golden.stages.exp import exp_table
from softmaxfx.golden.stages.ln import GUARD, ln_error, ln_table

CONFIGS = {
    "base": preset("base", function="log_softmax", output=SQ(6, 10)),
    "int8": preset("int8", function="log_softmax", output=SQ(6, 3)),
    "fine": preset("base", function="log_softmax", output=SQ(6, 16)),
    "difference": preset("base", function="log_softmax", output=SQ(6, 10), clip="difference"),
    "steep": preset("base", function="log_softmax", output=SQ(9, 8), scale=10),
    "odd scale": preset("base", function="log_softmax", output=SQ(5, 9), scale=0.3),
    "short": preset("tiny", function="log_softmax", output=SQ(6, 10), max_length=3),
    "one": preset("tiny", function="log_softmax", output=SQ(6, 10), max_length=1),
}
LOG = {"function": "log_softmax", "datapath": "exact_sum"}
EXACT = {
    "base": preset("base", **LOG, output=SQ(6, 10)),
    "int8": preset("int8", **LOG, output=SQ(6, 3)),
    "tight": preset("tight", **LOG, output=SQ(6, 10)),
    "steep": preset("int8", **LOG, output=SQ(7, 8), scale=1.8, max_length=2),
    "odd scale": preset("base", **LOG, output=SQ(5, 9), scale=0.3),
    "flat": preset("base", **LOG, output=SQ(4, 10), scale=0.01),
    "odd range": preset("base", **LOG, output=SQ(6, 10), range=9.3125, max_length=1000),
    "three tables": preset("base", **LOG, output=SQ(6, 9), range=7.5, exp_split=(5, 5, 5)),
    "short": preset("tiny", **LOG, output=SQ(6, 10), max_length=3),
    "one": preset("tiny", **LOG, output=SQ(6, 10), max_length=1),
}
CONFIGS |= {f"{name}, exact sum": config for name, config in EXACT.items()}
each = pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)


def half_even(value) -> int:
    floor = int(mpmath.floor(value))
    rest = value - floor
    return floor + (rest > 0.5 or (rest == 0.5 and floor % 2))


@each
def test_every_entry_is_correctly_rounded(config):
    stage = ln_table(config, config.output.f + 4)
    segments = 1 << stage.index
    unit = mpmath.mpf(2) ** (stage.fraction + GUARD)
    with mpmath.workprec(300):
        for j in range(segments):
            low, high = (mpmath.log(1 + mpmath.mpf(k) / segments) for k in (j, j + 1))
            chord = (high - low) * segments
            peak = 1 / chord - 1
            deviation = mpmath.log(1 + peak) - low - chord * (peak - mpmath.mpf(j) / segments)
            assert 0 < deviation < mpmath.mpf(2) ** (-2 * stage.index - 2)
            assert stage.slope[j] == half_even((high - low) * unit)
            assert stage.base[j] == half_even((low + deviation / 2) * unit + 2 ** (GUARD - 1))
        for q, entry in enumerate(stage.q_ln2.tolist(), start=stage.lowest):
            assert entry == half_even(q * mpmath.log(2) * 2**stage.fraction)


@each
def test_ln_of_every_kind_of_sum_errs_by_no_more_than_its_range(config):
    stage = ln_table(config, config.output.f + 4)
    low, high = ln_error(stage)
    rng = np.random.default_rng(3)
    one = 1 << stage.sum_fraction
    most = config.max_length * one
    least = least_sum(config)
    powers = 1 << np.arange(least.bit_length() - 1, most.bit_length())
    drawn = np.exp(rng.uniform(np.log(least), np.log(most), 500)).astype(np.int64)
    drawn = [*drawn, *rng.integers(one, most + 1, 500), least, least + 1, most]
    sums = np.concatenate([drawn, powers, powers + 1, powers - 1])
    sums = sums[(sums >= least) & (sums <= most)]
    for total, code in zip(sums.tolist(), stage(sums).tolist(), strict=True):
        error = code * mpmath.mpf(2) ** -stage.fraction - mpmath.log(mpmath.mpf(total) / one)
        assert low - 1e-14 <= error <= high + 1e-14
    assert max(-low, high) < 2.0 ** -(config.output.f + 2)


def least_sum(config):
    """The least sum of a row, in its LSB: 1, or one element at the range's bottom."""
    if config.datapath == "max_subtract":
        return 1 << config.widths.sum_fraction
    mantissa, shift = (part.item() for part in exp_table(config)(np.array([config.path.farthest])))
    return (mantissa << config.widths.sum_fraction) >> (config.widths.mantissa_bits - 1 + shift)


@each
def test_ln_of_every_sum_fits_the_width_and_has_a_sign_only_where_sums_are_below_one(config):
    stage = ln_table(config, config.output.f + 4)
    least, most = least_sum(config), config.max_length << config.widths.sum_fraction
    low, high = stage(np.array([least, most])).tolist()
    assert low <= high
    assert stage.signed == (config.datapath == "exact_sum")
    if stage.signed:
        assert low < 0
        assert -(1 << (stage.width - 1)) <= low <= high < 1 << (stage.width - 1)
    else:
        assert 0 <= low <= high < 1 << stage.width


@each
def test_ln_never_falls_when_the_sum_rises_by_more_than_its_error(config):
    stage = ln_table(config, config.output.f + 4)
    low, high = ln_error(stage)
    least, most = least_sum(config), config.max_length << config.widths.sum_fraction
    sums = np.unique(np.geomspace(least, most, 5000).astype(np.int64).clip(least, most))
    assert np.diff(stage(sums)).min(initial=0) >= -np.ceil((high - low) * 2.0**stage.fraction)


def adversarial_rows(config, rng):
    """Gap sweeps around ln N, equal rows, random rows: differences to the maximum, in input LSB."""
    n = config.max_length
    for length in sorted({1, min(2, n), min(10, n), n}):
        gaps = np.unique(np.linspace(0, config.span, 60).astype(np.int64))
        rows = np.repeat(gaps[:, None], length, axis=1)
        rows[:, 0] = 0
        yield rows
        if config.datapath == "exact_sum":  # where in the range a row lies counts
            room = config.span - rows.max(axis=1, keepdims=True)
            for place in (rng.random(room.shape), np.ones(room.shape)):
                yield rows + (place * room).astype(np.int64)
            equal = rng.integers(0, config.span, (200, 1), endpoint=True)
            yield np.repeat(equal, length, axis=1)
        for spread in (0.02, 0.3, 1.0):
            random = (rng.random((60, length)) * spread * config.span).astype(np.int64)
            yield random - random.min(axis=1, keepdims=True)
            if config.datapath == "exact_sum":
                yield config.span - random


@each
def test_the_bound_holds_and_is_below_one_lsb(config):
    assert 0.5 < bound_ulp(config) < (1.0 if config.exp_split is None else 1.25)
    rng = np.random.default_rng(4)
    worst = 0.0
    for rows in adversarial_rows(config, rng):
        codes = config.range_code - rows
        active = np.ones(codes.shape, bool)
        worst = max(worst, np.abs(error_ulp(softmax(codes, config), codes, active, config)).max())
    assert worst <= bound_ulp(config)
    assert worst > 0.45 if config.max_length > 1 else worst == 0


@pytest.mark.parametrize("datapath", ["max_subtract", "exact_sum"])
def test_every_row_of_a_small_unit_keeps_the_bound(datapath):
    config = SoftmaxConfig(
        function="log_softmax", input=SQ(3, 1), output=SQ(5, 5), range=2, max_length=3, scale=1.7,
        datapath=datapath,
    )  # fmt: skip
    bound = bound_ulp(config)
    for length in (1, 2, 3):
        for row in itertools.combinations_with_replacement(range(-8, 8), length):
            clipped = [min(max(x, -4), 4) for x in row]
            values = [mpmath.mpf(1.7) * x / 2 for x in clipped]
            total = mpmath.log(sum(mpmath.exp(value) for value in values))
            for code, value in zip(softmax([row], config)[0].tolist(), values, strict=True):
                assert abs(code - (value - total) * 32) <= bound


@pytest.mark.parametrize("name", ["base", "base, exact sum", "tight, exact sum"])
def test_masked_elements_are_the_lowest_code_and_a_sure_one_is_zero(name):
    config = CONFIGS[name]
    x = np.array([[100, 200, 300], [5, 5, 5]])
    mask = np.array([[True, False, True], [True, True, True]])
    assert softmax(x, config, mask).tolist() == [[-32768, 0, -32768], [-32768] * 3]


@pytest.mark.parametrize("name", ["base", "base, exact sum", "odd range, exact sum"])
def test_order_is_kept(name):
    config = CONFIGS[name]
    rng = np.random.default_rng(5)
    x = np.sort(rng.integers(-32768, 32768, (200, 64)), axis=1)
    assert (np.diff(softmax(x, config), axis=1) >= 0).all()


@each
def test_no_logarithm_is_above_zero_and_equal_elements_get_equal_ones(config):
    rng = np.random.default_rng(6)
    length = min(50, config.max_length)
    x = rng.integers(config.input.min_code, config.input.max_code, (200, length), endpoint=True)
    x[:, -1] = x[:, 0]
    x[:20] = x[:20, :1]
    p = softmax(x, config)
    assert p.max() <= 0
    assert (p[:, -1] == p[:, 0]).all()
    assert (p[:20] == p[:20, :1]).all()


@pytest.mark.parametrize("config", EXACT.values(), ids=EXACT)
def test_a_permuted_row_gives_permuted_logarithms_masked_elements_too(config):
    rng = np.random.default_rng(7)
    shape = (50, min(100, config.max_length))
    x = rng.integers(config.input.min_code, config.input.max_code, shape, endpoint=True)
    mask = rng.random(shape) < rng.random((50, 1))
    order = rng.permuted(np.broadcast_to(np.arange(shape[1]), shape), axis=1)
    moved, hidden = (np.take_along_axis(array, order, axis=1) for array in (x, mask))
    np.testing.assert_array_equal(
        softmax(moved, config, hidden),
        np.take_along_axis(softmax(x, config, mask), order, axis=1),
    )


@pytest.mark.parametrize("config", EXACT.values(), ids=EXACT)
def test_an_exact_sum_s_bits_are_near_mpmath_s_logarithm_at_the_range_s_ends(config):
    """Rows of up to three elements at the top, the bottom and between, and empty rows."""
    limit, bound = config.range_code, bound_ulp(config)
    for length in range(1, min(3, config.max_length) + 1):
        for row in itertools.product([-limit, 1 - limit, 0, limit - 1, limit], repeat=length):
            values = [mpmath.mpf(config.scale) * x / 2**config.input.f for x in row]
            total = mpmath.log(mpmath.fsum(mpmath.exp(value) for value in values))
            for code, value in zip(softmax([row], config)[0].tolist(), values, strict=True):
                assert abs(code - (value - total) * 2**config.output.f) <= bound
        empty = softmax([[limit] * length], config, mask=True)
        assert empty.tolist() == [[config.output.min_code] * length]


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"function": "softmin"}, "function must be one of softmax, log_softmax, not 'softmin'"),
        ({"function": "log_softmax"}, r"output must be a signed format for log_softmax, not UQ"),
        ({"output": SQ(6, 10)}, r"output must be an unsigned format for softmax, not SQ\(6, 10\)"),
        (
            {"function": "log_softmax", "output": SQ(5, 10)},
            r"output must hold -\(2 \* range \* scale \+ ln max_length\) = -26\.93, not SQ\(5,",
        ),
        (
            {"function": "log_softmax", "output": SQ(6, 17)},
            r"output must have 2 to 16 fraction bits for log_softmax, not 17",
        ),
        ({"output": UQ(0, 25)}, r"output must have 2 to 24 fraction bits for softmax, not 25"),
    ],
)
def test_formats_that_cannot_hold_the_function_are_refused(fields, sentence):
    with pytest.raises(ConfigError, match=sentence):
        preset("base", **fields)


@pytest.mark.parametrize("clip", ["input", "difference"])
@pytest.mark.parametrize("name", ["base", "int8", "wide", "tiny", "tight"])
def test_every_preset_is_proven_below_one_lsb_with_either_clip(name, clip):
    assert bound_ulp(preset(name, clip=clip)) <= 0.9


@pytest.mark.parametrize("name", ["base", "int8", "wide", "tiny", "full", "tight"])
def test_every_preset_s_logarithm_of_an_exact_sum_is_proven_below_one_lsb(name):
    output = SQ(10, 10) if name == "full" else SQ(6, 10)
    assert bound_ulp(preset(name, **LOG, output=output)) < 0.95
