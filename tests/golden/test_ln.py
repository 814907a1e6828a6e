"""ln and log softmax against mpmath: table entries, every table input, whole rows, the bound."""

import itertools

import mpmath
import numpy as np
import pytest

from softmaxfx.golden import SQ, UQ, ConfigError, SoftmaxConfig, bound_ulp, preset, softmax
from softmaxfx.golden.ln import GUARD, ln_error, ln_table
from softmaxfx.golden.metrics import error_ulp

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
        for q, entry in enumerate(stage.q_ln2.tolist()):
            assert entry == half_even(q * mpmath.log(2) * 2**stage.fraction)


@each
def test_ln_of_every_kind_of_sum_errs_by_no_more_than_its_range(config):
    stage = ln_table(config, config.output.f + 4)
    low, high = ln_error(stage)
    rng = np.random.default_rng(3)
    one = 1 << stage.sum_fraction
    most = config.max_length * one
    powers = one << np.arange(config.max_length.bit_length())
    sums = np.concatenate([rng.integers(one, most + 1, 500), powers, powers + 1, powers * 2 - 1])
    sums = sums[(sums >= one) & (sums <= most)]
    for total, code in zip(sums.tolist(), stage(sums).tolist(), strict=True):
        error = code * mpmath.mpf(2) ** -stage.fraction - mpmath.log(mpmath.mpf(total) / one)
        assert low - 1e-14 <= error <= high + 1e-14
    assert max(-low, high) < 2.0 ** -(config.output.f + 2)


def adversarial_rows(config, rng):
    """Gap sweeps around ln N, equal rows, random rows: differences to the maximum, in input LSB."""
    n = config.max_length
    for length in sorted({1, min(2, n), min(10, n), n}):
        gaps = np.unique(np.linspace(0, config.span, 60).astype(np.int64))
        rows = np.repeat(gaps[:, None], length, axis=1)
        rows[:, 0] = 0
        yield rows
        for spread in (0.02, 0.3, 1.0):
            random = (rng.random((60, length)) * spread * config.span).astype(np.int64)
            yield random - random.min(axis=1, keepdims=True)


@each
def test_the_bound_holds_and_is_below_one_lsb(config):
    assert 0.5 < bound_ulp(config) < 1.0
    rng = np.random.default_rng(4)
    worst = 0.0
    for rows in adversarial_rows(config, rng):
        codes = config.range_code - rows
        active = np.ones(codes.shape, bool)
        worst = max(worst, np.abs(error_ulp(softmax(codes, config), codes, active, config)).max())
    assert worst <= bound_ulp(config)
    assert worst > 0.45 or config.max_length == 1  # where log p is always 0, exactly


def test_every_row_of_a_small_unit_keeps_the_bound():
    config = SoftmaxConfig(
        function="log_softmax", input=SQ(3, 1), output=SQ(5, 5), range=2, max_length=3, scale=1.7
    )
    bound = bound_ulp(config)
    for length in (1, 2, 3):
        for row in itertools.combinations_with_replacement(range(-8, 8), length):
            clipped = [min(max(x, -4), 4) for x in row]
            values = [mpmath.mpf(1.7) * x / 2 for x in clipped]
            total = mpmath.log(sum(mpmath.exp(value) for value in values))
            for code, value in zip(softmax([row], config)[0].tolist(), values, strict=True):
                assert abs(code - (value - total) * 32) <= bound


def test_masked_elements_are_the_lowest_code_and_a_sure_one_is_zero():
    config = CONFIGS["base"]
    x = np.array([[100, 200, 300], [5, 5, 5]])
    mask = np.array([[True, False, True], [True, True, True]])
    assert softmax(x, config, mask).tolist() == [[-32768, 0, -32768], [-32768] * 3]


def test_order_is_kept():
    config = CONFIGS["base"]
    rng = np.random.default_rng(5)
    x = np.sort(rng.integers(-32768, 32768, (200, 64)), axis=1)
    assert (np.diff(softmax(x, config), axis=1) >= 0).all()


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
@pytest.mark.parametrize("name", ["base", "int8", "wide", "tiny"])
def test_every_preset_is_proven_below_one_lsb_with_either_clip(name, clip):
    assert bound_ulp(preset(name, clip=clip)) <= 0.9
