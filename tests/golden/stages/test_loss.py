"""The loss stage: bit for bit ln S plus the target's distance by fractions, and its bound."""

import itertools
import re
from fractions import Fraction
from math import floor, log, nextafter

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from softmaxfx.golden import (
    PRESETS,
    SQ,
    UQ,
    ConfigError,
    SoftmaxConfig,
    cross_entropy,
    loss_bound,
    preset,
    softmax,
)
from softmaxfx.golden.stages.loss import WEIGHT_FRACTION, Loss
from softmaxfx.golden.units.cross_entropy import cross_entropy_rows
from softmaxfx.golden.units.registry import unit_sha256

GUARD = 4
LN_GUARD = 3
ONE = 1 << WEIGHT_FRACTION
CONFIGS = {
    **{name: config for name, config in PRESETS.items() if name != "wide"},
    "difference": preset("base", clip="difference", range=8),
    "coarse": preset("base", loss=UQ(5, 2)),
    "fine": preset("base", loss=UQ(5, 16)),
    "odd scale": preset("base", scale=0.3, range=9.5, loss=UQ(4, 9)),
    "steep": preset("int8", scale=2, range=8, max_length=4, loss=UQ(6, 10)),
    "one element": preset("base", max_length=1),
}
CONFIGS |= {
    f"{name}, exact sum": config.replace(datapath="exact_sum")
    for name, config in CONFIGS.items()
    if config.clip == "input"
}
each = pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
WHOLE = {name: config for name, config in CONFIGS.items() if not config.path.window}
each_whole = pytest.mark.parametrize("config", WHOLE.values(), ids=WHOLE)
"""Units whose sum is one integer, so that any sum can be made up."""
FINER = [CONFIGS[name] for name in ("fine, exact sum", "steep", "steep, exact sum")]
"""Losses finer than what the sum is made for: the probabilities' exp counts beyond an LSB."""
MICRO = {
    datapath: SoftmaxConfig(
        input=SQ(3, 1), output=UQ(0, 6), loss=UQ(4, 5), range=2, max_length=3, scale=1.7,
        datapath=datapath,
    )
    for datapath in ("max_subtract", "exact_sum")
}  # fmt: skip
"""Units of so few codes that every row can be tried."""


def half_even(value):
    """A real rounded to the nearest integer, a tie to the even one."""
    low = int(mpmath.floor(value))
    rest = value - low
    return low + (rest > 0.5 or (rest == 0.5 and low % 2 == 1))


class Gold:
    """The stage by fractions, one row at a time, from the specification."""

    def __init__(self, config, twin):
        self.config, self.unit = config, twin(config)
        self.fraction = config.loss.f + GUARD
        self.index = min(max(-(-self.fraction // 2), 3), 12)
        self.step = max(self.fraction + 2 - self.index, 1)
        farthest = self.unit.reach if self.unit.exact_sum else self.unit.span
        self.factor_fraction = GUARD + farthest.bit_length()
        self.segments = {}
        with mpmath.workprec(300):
            lsb = self.unit.step * 2**config.loss.f
            self.factor = half_even(lsb * 2**self.factor_fraction)

    def scaled(self, u):
        """A distance in sixteenths of the loss' LSB, the rest dropped."""
        return floor(Fraction(u * self.factor, 2 ** (self.factor_fraction - GUARD)))

    def segment(self, j):
        """(base, slope): ln over a segment, half its chord's deviation above the chord."""
        if j not in self.segments:
            count, unit = 1 << self.index, mpmath.mpf(2) ** (self.fraction + LN_GUARD)
            with mpmath.workprec(300):
                low, high = (mpmath.log(1 + mpmath.mpf(k) / count) for k in (j, j + 1))
                chord = (high - low) * count
                peak = 1 / chord - 1
                deviation = mpmath.log(1 + peak) - low - chord * (peak - mpmath.mpf(j) / count)
                base = half_even((low + deviation / 2) * unit + 2 ** (LN_GUARD - 1))
                self.segments[j] = base, half_even((high - low) * unit)
        return self.segments[j]

    def ln(self, total):
        """ln of a sum in sixteenths of the loss' LSB."""
        q = total.bit_length() - 1 - self.unit.sum_fraction
        s = Fraction(total, 1) / Fraction(2) ** (self.unit.sum_fraction + q) - 1
        j, t = divmod(floor(s * 2 ** (self.index + self.step)), 2**self.step)
        base, slope = self.segment(j)
        with mpmath.workprec(300):
            whole = half_even(q * mpmath.log(2) * 2**self.fraction)
        return whole + floor(Fraction(base * 2**self.step + slope * t, 2 ** (self.step + LN_GUARD)))

    def of(self, pairs, total):
        """The loss of (weight, distance) pairs and a sum; weights are fractions."""
        fine = sum(z * (self.scaled(u) + self.ln(total)) for z, u in pairs)
        code = floor(fine / Fraction(2**GUARD) + Fraction(1, 2))
        return min(max(code, 0), 2**self.config.loss.width - 1)

    def row(self, row, mask, target):
        """The loss of a row of codes."""
        distances = self.unit.distances(row, mask)
        total = self.unit.total([self.unit.exp(u) for u in distances if u is not None])
        return self.of([(Fraction(1), distances[target])], total)


@pytest.fixture(scope="module")
def gold(twin):
    """The stage of a configuration by fractions; built once for each."""
    built = {}

    def build(config):
        key = unit_sha256("cross_entropy", config)
        if key not in built:
            built[key] = Gold(config, twin)
        return built[key]

    return build


def draw(config, count, rng):
    """(distances, sums) there can be, at the ends of what they can be too."""
    if config.datapath == "max_subtract":
        least = 1 << config.widths.sum_fraction
    else:
        least = 1 << max(config.widths.sum_fraction - round(config.range * config.scale * 2.8), 1)
    most = config.max_length << config.widths.sum_fraction
    distance = rng.integers(config.path.nearest, config.path.farthest, count, endpoint=True)
    distance[: count // 8] = config.path.nearest
    distance[count // 8 : count // 4] = config.path.farthest
    total = np.exp(rng.uniform(np.log(least), np.log(most), count)).astype(np.int64)
    total[::5] = rng.choice([least, least + 1, most, most - 1], total[::5].shape)
    return distance, total.clip(least, most)


# the bits


@each
def test_the_factor_and_every_table_entry_are_correctly_rounded(config, gold):
    stage, exact = Loss.of(config), gold(config)
    assert (stage.log.factor, stage.log.factor_fraction) == (exact.factor, exact.factor_fraction)
    ln = stage.log.ln
    assert (ln.fraction, ln.index, ln.step) == (exact.fraction, exact.index, exact.step)
    table = [exact.segment(j) for j in range(1 << ln.index)]
    assert list(zip(ln.base.tolist(), ln.slope.tolist(), strict=True)) == table
    with mpmath.workprec(300):
        for q, entry in enumerate(ln.q_ln2.tolist(), start=ln.lowest):
            assert entry == half_even(q * mpmath.log(2) * 2**exact.fraction)


@each_whole
def test_every_bit_is_that_of_fractions(config, gold):
    distance, total = draw(config, 600, np.random.default_rng(1))
    codes = Loss.of(config)(distance, total)
    pairs = zip(distance.tolist(), total.tolist(), strict=True)
    assert codes.tolist() == [gold(config).of([(Fraction(1), u)], s) for u, s in pairs]
    assert codes.max() > 0


@each_whole
def test_every_bit_of_a_weighted_row_is_that_of_fractions(config, gold):
    rng = np.random.default_rng(2)
    for length in (1, 2, 5, 30):
        count = 20
        distance, _ = draw(config, count * length, rng)
        distance = rng.permutation(distance).reshape(count, length)
        _, total = draw(config, count, rng)
        z = rng.multinomial(ONE, rng.dirichlet(np.full(length, 0.4)), count)
        z[::3] = z[::3] * rng.random((len(z[::3]), 1))
        z[0] = 0
        codes = Loss.of(config).weighted(z, distance, total[:, None])
        assert codes.shape == (count, 1)
        for k in range(count):
            weights = [Fraction(int(weight), ONE) for weight in z[k]]
            pairs = list(zip(weights, distance[k].tolist(), strict=True))
            assert codes[k, 0] == gold(config).of(pairs, int(total[k])), (z[k], distance[k])


@each_whole
def test_one_class_of_weight_1_has_the_loss_of_an_index(config):
    rng = np.random.default_rng(3)
    distance, total = draw(config, 900, rng)
    distance, total = distance.reshape(300, 3), total[:300, None]
    place = rng.integers(0, 3, (300, 1))
    z = np.where(np.arange(3) == place, ONE, 0)
    stage = Loss.of(config)
    chosen = np.take_along_axis(distance, place, axis=1)
    np.testing.assert_array_equal(stage.weighted(z, distance, total), stage(chosen, total))


@each
def test_every_loss_of_a_row_is_that_of_the_independent_unit(config, gold):
    rng = np.random.default_rng(4)
    low, high = config.input.min_code, config.input.max_code
    for length in (1, 2, 3, 9, 40):
        if length > config.max_length:
            continue
        rows = rng.integers(low, high, (12, length), endpoint=True)
        rows[::3] = (rows[::3] >> 4) + rng.integers(low // 2, high // 2)
        mask = rng.random(rows.shape) < 0.2
        target = rng.integers(0, length, 12)
        mask[np.arange(12), target] = False
        loss, _ = cross_entropy(rows, target, config, mask, from_logits=True)
        expected = [
            gold(config).row(*given)
            for given in zip(rows.tolist(), mask.tolist(), target.tolist(), strict=True)
        ]
        assert loss.tolist() == expected


@given(
    row=st.lists(st.integers(-128, 127), min_size=1, max_size=30),
    place=st.integers(0, 29),
    datapath=st.sampled_from(["max_subtract", "exact_sum"]),
)
@settings(max_examples=80, deadline=None, derandomize=True)
def test_any_row_that_hypothesis_makes_up_has_the_loss_of_fractions(gold, row, place, datapath):
    config = preset("int8", datapath=datapath)
    target = place % len(row)
    loss, _ = cross_entropy([row], [target], config, from_logits=True)
    assert loss.tolist() == [gold(config).row(row, [False] * len(row), target)]


def test_half_an_lsb_rounds_up(gold):
    """Losses of two elements whose sixteenths are those of a tie, found by their distance."""
    config = preset("base", loss=UQ(5, 5))
    exact, stage = gold(config), Loss.of(config)
    total = 3 << (config.widths.sum_fraction - 1)
    fine = [exact.scaled(u) + exact.ln(total) for u in range(config.span)]
    ties = [u for u, value in enumerate(fine) if value % 16 == 8]
    assert len(ties) > 500
    for u in ties[::50]:
        assert stage(np.array([u]), np.array([total])).tolist() == [(fine[u] + 8) // 16]


# the ends of the format


@each
def test_an_element_alone_has_loss_0_whatever_its_code(config):
    step = 1 + (config.input.max_code - config.input.min_code) // 9999
    codes = np.arange(config.input.min_code, config.input.max_code + 1, step)
    loss, _ = cross_entropy(codes[:, None], np.zeros_like(codes), config, from_logits=True)
    assert loss.max() <= (loss_bound(config).ulp if config in FINER else 0)


@each
def test_no_loss_is_negative_or_beyond_the_format(config):
    rng = np.random.default_rng(5)
    length = min(6, config.max_length)
    low, high = config.input.min_code, config.input.max_code
    for shape in ((500, length), (20, config.max_length)):
        x = rng.integers(low, high, shape, endpoint=True)
        x[::2, 0] = high  # sure and right, as far as can be
        x[::2, 1:] = low
        target = np.where(np.arange(shape[0]) % 4 < 2, 0, shape[1] - 1)
        loss, _ = cross_entropy(x, target, config, from_logits=True)
        assert loss.min() >= 0
        assert loss.max() <= config.loss.max_code


def test_a_logarithm_below_0_is_a_loss_of_0():
    """The nearest element with a sum of less than its own: what rounding alone can bring about."""
    config = CONFIGS["base, exact sum"]
    stage, one = Loss.of(config), 1 << config.widths.sum_fraction
    distance = np.array([config.path.nearest])
    for total in (one >> 9, one >> 3):
        assert stage.log.ln(np.array([total])).item() + stage.log.scaled(distance).item() < 0
        assert stage(distance, np.array([total])).tolist() == [0]
        half = np.array([[ONE // 2, ONE // 2]])
        two = np.repeat(distance[:, None], 2, axis=1)
        assert stage.weighted(half, two, np.array([[total]])).tolist() == [[0]]


@pytest.mark.parametrize("datapath", ["max_subtract", "exact_sum"])
def test_the_largest_loss_of_a_format_that_just_holds_it_is_its_largest_code(datapath):
    """2 * range * scale + ln N and an LSB are just below 2^4."""
    scale = (15.75 - log(64)) / 20
    while 20 * scale + log(64) + 0.25 >= 16:
        scale = nextafter(scale, 0)
    config = preset("tiny", scale=scale, loss=UQ(4, 2), datapath=datapath)
    row = np.full((2, 64), config.range_code)
    row[0, 5] = -config.range_code
    row[1, 5] = 0
    loss, _ = cross_entropy(row, [5, 5], config, from_logits=True)
    assert loss.tolist() == [63, round(4 * (10 * scale + log(64)))]
    assert config.loss.max_code == 63
    smoothed = np.zeros((1, 64))
    smoothed[0, 5] = 1.0
    loss, _ = cross_entropy(row[:1], smoothed, config, from_logits=True)
    assert loss.tolist() == [63]


@pytest.mark.parametrize("name", ["base", "int8", "base, exact sum", "odd scale, exact sum"])
def test_the_loss_never_rises_with_the_target_s_logit_nor_falls_with_another_s(name):
    config = CONFIGS[name]
    limit = config.range_code
    codes = np.unique(np.linspace(-limit, limit, 3000).astype(np.int64))
    others = np.random.default_rng(6).integers(-limit, limit, 4)
    x = np.concatenate([codes[:, None], np.tile(others, (codes.size, 1))], axis=1)
    # ln of two sums that lie in neighbouring segments of its table may be an LSB out of order
    own, _ = cross_entropy(x, np.zeros(codes.size, int), config, from_logits=True)
    other, _ = cross_entropy(x, np.ones(codes.size, int), config, from_logits=True)
    for falls in (own, -other):
        assert np.diff(falls).max() <= 1
        assert falls[0] > falls[-1] + 1
        assert (np.diff(falls[:: codes.size // 40]) <= 0).all()


WIDE = {
    "a steep scale": (
        {"scale": 2.0**16, "loss": UQ(22, 16)},
        r"loss must have at most 14 fraction bits, so that weighted losses of up to 13107\d+\.\d+ "
        r"fit 63 bits, not UQ\(22, 16\)",
    ),
    "a wide range": (
        {"input": SQ(20, 4), "range": 500000, "loss": UQ(21, 16)},
        r"loss must have at most 15 fraction bits, so that weighted losses of up to 1000006\.\d+ "
        r"fit 63 bits, not UQ\(21, 16\)",
    ),
}


@pytest.mark.parametrize(("fields", "sentence"), WIDE.values(), ids=WIDE)
def test_losses_that_would_wrap_the_integers_are_refused(fields, sentence):
    with pytest.raises(ConfigError, match=f"^{sentence}$"):
        cross_entropy([[8, -8]], [1], preset("base", **fields), from_logits=True)


def test_logarithms_that_would_wrap_the_integers_are_refused():
    config = preset(
        "base", function="log_softmax", input=SQ(20, 4), range=500000, output=SQ(21, 16)
    )
    with pytest.raises(ConfigError, match="must have logarithms of at most 63 bits inside, not 6"):
        softmax([[8, -8]], config)


@pytest.mark.parametrize(
    "config",
    [
        preset("base", scale=2.0**14, loss=UQ(20, 16)),
        preset("base", input=SQ(16, 4), range=30000, loss=UQ(16, 16)),
    ],
    ids=["a steep scale", "a wide range"],
)
def test_the_largest_loss_of_a_less_wide_format_is_the_exact_one(config):
    row = [[config.range_code, -config.range_code]]
    loss, _ = cross_entropy(row, [1], config, from_logits=True)
    largest = 2 * config.range * config.scale * 2.0**config.loss.f
    assert abs(loss.item() - largest) <= loss_bound(config).ulp


# the bound


def exact_losses(config, rows):
    """The losses of every element of rows of codes inside the range, in LSB, by float64."""
    below = (rows - rows.max(axis=1, keepdims=True)) * (config.scale * config.input.lsb)
    total = np.exp(below).sum(axis=1, keepdims=True)
    return (np.log(total) - below) * 2.0**config.loss.f


def adversarial(config, rng):
    """Gap sweeps, equal rows and random rows anywhere in the range."""
    n, limit = config.max_length, min(config.range_code, config.input.max_code)
    span = min(config.span, limit - config.input.min_code)
    for length in sorted({1, min(2, n), min(10, n), n}):
        gaps = np.unique(np.linspace(0, span, 80).astype(np.int64))
        rows = np.repeat(gaps[:, None], length, axis=1)
        rows[:, 0] = 0
        room = span - rows.max(axis=1, keepdims=True)
        for place in (np.zeros(room.shape), rng.random(room.shape), np.ones(room.shape)):
            yield limit - rows - (place * room).astype(np.int64)
        equal = rng.integers(limit - span, limit, (100, 1), endpoint=True)
        yield np.repeat(equal, length, axis=1)
        for spread in (0.02, 0.3, 1.0):
            drawn = (rng.random((40, length)) * spread * span).astype(np.int64)
            yield limit - drawn
            yield drawn + limit - span


@each
def test_the_bound_holds_is_below_one_lsb_and_comes_near(config):
    bound = loss_bound(config).ulp
    assert 0.5 < bound < (1.6 if config in FINER else 1.0)
    rng, worst = np.random.default_rng(7), 0.0
    for rows in adversarial(config, rng):
        target = rng.integers(0, rows.shape[1], len(rows))
        target[::2] = rows[::2].argmin(axis=1)
        loss, _ = cross_entropy(rows, target, config, from_logits=True)
        exact = np.take_along_axis(exact_losses(config, rows), target[:, None], axis=1)[:, 0]
        worst = max(worst, np.abs(loss - np.minimum(exact, config.loss.max_code)).max())
    assert worst <= bound + 1e-9
    assert worst > 0.45 if config.max_length > 1 else worst == 0


@pytest.mark.parametrize("datapath", MICRO)
def test_every_row_there_is_errs_by_no_more_than_the_bound(datapath):
    """Brute force, against mpmath."""
    config = MICRO[datapath]
    bound, worst = loss_bound(config).ulp, 0.0
    assert bound < 1
    for length in (1, 2, 3):
        rows = np.array(list(itertools.combinations_with_replacement(range(-8, 8), length)))
        clipped = rows.clip(-4, 4).tolist()
        with mpmath.workprec(100):
            values = [[mpmath.mpf(1.7) * x / 2 for x in row] for row in clipped]
            totals = [mpmath.log(mpmath.fsum(map(mpmath.exp, row))) for row in values]
            for target in range(length):
                loss, _ = cross_entropy(rows, np.full(len(rows), target), config, from_logits=True)
                for code, row, total in zip(loss.tolist(), values, totals, strict=True):
                    worst = max(worst, abs(float(code - (total - row[target]) * 32)))
    assert 0.45 < worst <= bound


@pytest.mark.parametrize("datapath", MICRO)
def test_a_sum_of_weighted_classes_errs_by_the_bound_where_weights_have_no_error(datapath):
    """Weights of whole sixteenths that sum to 1: a loss is an average of those of its classes."""
    config = MICRO[datapath]
    rng = np.random.default_rng(8)
    rows = np.array(list(itertools.combinations_with_replacement(range(-4, 5), 3)))
    bound, worst = loss_bound(config).ulp, 0.0
    for _ in range(20):
        y = rng.multinomial(16, np.ones(3) / 3, len(rows)) / 16
        loss, _ = cross_entropy(rows, y, config, from_logits=True)
        errors = loss - (y * exact_losses(config, rows)).sum(axis=1)
        worst = max(worst, np.abs(errors).max())
    assert 0.45 < worst <= bound + 1e-9


def test_the_bound_is_that_of_the_loss_format_s_lsb():
    """A finer format: the sum's share of the error grows with it, that of the rounding stays."""
    narrow, fine = (loss_bound(preset("int8", loss=UQ(5, f))).ulp for f in (6, 12))
    assert 0.5 < narrow < fine
    assert (fine - 0.7) / (narrow - 0.5) > 16 / 4


def test_a_row_without_a_loss_is_0_and_hides_nothing():
    config = preset("int8")
    codes = np.array([[5, -3, 9], [5, -3, 9], [5, -3, 9]])
    active = np.array([[True] * 3, [True, False, True], [True] * 3])
    rows = cross_entropy_rows(codes, active, np.array([3, 3, 3]), np.array([3, 1, 1]), config)
    assert rows.loss[:2].tolist() == [0, 0]
    assert rows.loss[2] > 0


# what is refused


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        (
            {"function": "log_softmax", "output": SQ(6, 10)},
            "function must be softmax for cross_entropy, not log_softmax",
        ),
        (
            {"loss": UQ(4, 12)},
            "loss must hold 2 * range * scale + ln max_length and an LSB, 26.93, not UQ(4, 12)",
        ),
        (
            {"datapath": "exact_sum", "clip": "difference", "input": SQ(8, 8), "loss": UQ(8, 8)},
            "loss must hold 2 * range * scale + ln max_length and an LSB, 262.94, not UQ(8, 8)",
        ),
        (
            {"scale": 1.5, "max_length": 2},
            "loss must hold 2 * range * scale + ln max_length and an LSB, 30.70, not UQ(4, 8)",
        ),
    ],
)
def test_configurations_without_a_loss_are_refused(fields, sentence):
    config = preset("base", **{"loss": UQ(4, 8), **fields})
    with pytest.raises(ConfigError, match=f"^{re.escape(sentence)}$"):
        Loss.of(config)


def test_a_format_holds_a_loss_just_below_its_power_of_two_and_not_the_power_itself():
    most = 1 - 2**-12  # an LSB of the loss is 16 times as much
    config = preset("base", range=8, max_length=1, loss=UQ(4, 8), scale=nextafter(most, 0))
    assert Loss.of(config).output == UQ(4, 8)
    with pytest.raises(ConfigError, match=r"and an LSB, 16\.00, not UQ\(4, 8\)$"):
        Loss.of(config.replace(scale=most))
