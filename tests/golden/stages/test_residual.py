"""The residual stage: bit for bit p less the weights by fractions, where p = 1 is exact."""

from fractions import Fraction
from math import floor

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from softmaxfx.golden import PRESETS, SQ, UQ, SoftmaxConfig, bound_ulp, cross_entropy, preset
from softmaxfx.golden import softmax as softmax_codes
from softmaxfx.golden.stages.accumulate import row_sum
from softmaxfx.golden.stages.loss import WEIGHT_FRACTION
from softmaxfx.golden.stages.probability import Elements
from softmaxfx.golden.stages.residual import residual_stage

ONE = 1 << WEIGHT_FRACTION
CONFIGS = {
    # rows with an exponent: tests of the exponent
    **{
        name: config
        for name, config in PRESETS.items()
        if name != "wide" and not config.has_exponent
    },
    "difference": preset("base", clip="difference", range=8),
    "one held": preset("base", output=UQ(1, 15)),
    "finer": preset("base", output=UQ(0, 20)),
    "odd scale": preset("base", scale=0.3, range=9.5),
    "micro": SoftmaxConfig(input=SQ(3, 1), output=UQ(0, 4), range=2, max_length=4),
    "one element": preset("base", max_length=1),
}
CONFIGS |= {
    f"{name}, exact sum": config.replace(datapath="exact_sum")
    for name, config in CONFIGS.items()
    if config.clip == "input"
}
each = pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)


class Gold:
    """The stage by fractions, one row at a time, from the specification."""

    def __init__(self, config, twin):
        self.config, self.unit = config, twin(config)

    def p(self, m, k, r, q):
        """p in LSB, half up, 1 where it is 1 or more."""
        place = self.unit.mantissa_bits - 1 + k + self.unit.widths.reciprocal_bits + q
        exact = Fraction(m * r) * Fraction(2) ** (self.config.output.f - place)
        return min(floor(exact + Fraction(1, 2)), 2**self.config.output.f)

    def probabilities(self, row, mask):
        """p of every element of a row of codes, in LSB."""
        distances = self.unit.distances(row, mask)
        pairs = [None if u is None else self.unit.exp(u) for u in distances]
        total = self.unit.total([pair for pair in pairs if pair is not None])
        r, q = self.unit.reciprocal(total)
        return [0 if pair is None else self.p(*pair, r, q) for pair in pairs]

    def residuals(self, ps, z):
        """Codes of p * sum z - z, z fractions."""
        whole, one = sum(z), 2**self.config.output.f
        codes = [floor(p * whole - y * one + Fraction(1, 2)) for p, y in zip(ps, z, strict=True)]
        return [min(max(code, -one), one - 1) for code in codes]


@pytest.fixture(scope="module")
def gold(twin):
    """The stage of a configuration by fractions."""
    return lambda config: Gold(config, twin)


def some_rows(config, count, length, rng):
    """Rows of codes, wide or near each other, some of them with one that is far ahead."""
    low, high = config.input.min_code, config.input.max_code
    rows = rng.integers(low, high, (count, length), endpoint=True)
    rows[::3] = (rows[::3] >> 5) + rng.integers(low // 2, high // 2)
    rows[1::6], rows[1::6, -1] = low, high
    return rows


def lengths(config):
    return [n for n in (1, 2, 3, 9, 40) if n <= config.max_length]


# the bits


@each
def test_every_bit_for_an_index_is_that_of_the_independent_unit(config, gold):
    config = config.replace(clip_gradient="pass")
    rng = np.random.default_rng(1)
    for length in lengths(config):
        rows = some_rows(config, 12, length, rng)
        mask = rng.random(rows.shape) < 0.2
        target = rng.integers(0, length, 12)
        mask[np.arange(12), target] = False
        _, gradient = cross_entropy(rows, target, config, mask, from_logits=True)
        for k in range(12):
            ps = gold(config).probabilities(rows[k].tolist(), mask[k].tolist())
            z = [Fraction(int(place == target[k])) for place in range(length)]
            assert gradient[k].tolist() == gold(config).residuals(ps, z)


@each
def test_every_bit_for_any_weights_is_that_of_fractions(config, gold):
    """The stage alone: mantissas, shifts and sums as they may be, weights up to 1 together."""
    rng = np.random.default_rng(2)
    stage, unit = residual_stage(config), gold(config).unit
    for length in lengths(config):
        count = 20
        rows = some_rows(config, count, length, rng)
        distances = [unit.distances(row, [False] * length) for row in rows.tolist()]
        pairs = [[unit.exp(u) for u in row] for row in distances]
        mantissa, shift = np.moveaxis(np.array(pairs, np.int64), -1, 0)
        totals = [unit.total(row) for row in pairs]
        z = rng.multinomial(ONE, rng.dirichlet(np.full(length, 0.4)), count)
        z[::3] = z[::3] * rng.random((len(z[::3]), 1))
        z[0] = 0
        elements = Elements(np.array(distances), mantissa, shift, np.ones(rows.shape, bool))
        codes = stage(elements, row_sum(config)(mantissa, shift), z)
        for k in range(count):
            r, q = unit.reciprocal(totals[k])
            ps = [gold(config).p(*pair, r, q) for pair in pairs[k]]
            weights = [Fraction(int(weight), ONE) for weight in z[k]]
            assert codes[k].tolist() == gold(config).residuals(ps, weights)
        assert not codes[0].any()


@given(
    row=st.lists(st.tuples(st.integers(-128, 127), st.integers(0, 16)), min_size=1, max_size=16),
    datapath=st.sampled_from(["max_subtract", "exact_sum"]),
)
@settings(max_examples=80, deadline=None, derandomize=True)
def test_any_row_that_hypothesis_makes_up_has_the_residual_of_fractions(gold, row, datapath):
    config = preset("int8", datapath=datapath, clip_gradient="pass")
    codes, parts = (list(values) for values in zip(*row, strict=True))
    parts[0] += not any(parts)
    y = np.array(parts) / sum(parts)
    _, gradient = cross_entropy([codes], [y], config, from_logits=True)
    ps = gold(config).probabilities(codes, [False] * len(codes))
    z = [Fraction(floor(Fraction(value) * ONE + Fraction(1, 2)), ONE) for value in y.tolist()]
    assert gradient[0].tolist() == gold(config).residuals(ps, z)


def test_a_tie_of_weights_rounds_up():
    """Four equal elements: p is 64 of 256, and weights of half an LSB more or less."""
    config = preset("int8")
    x = np.zeros((1, 4), int)
    half = 1 / 512
    y = [[0.25 + half, 0.25 - half, 0.25 + 3 * half, 0.25 - 3 * half]]
    _, gradient = cross_entropy(x, y, config)
    assert gradient.tolist() == [[0, 1, -1, 2]]


@each
def test_the_residual_is_the_softmax_unit_s_p_but_for_p_of_1(config):
    config = config.replace(clip_gradient="pass")
    rng = np.random.default_rng(3)
    one, largest = 2**config.output.f, config.output.max_code
    for length in lengths(config):
        rows = some_rows(config, 60, length, rng)
        target = rng.integers(0, length, 60)
        p = softmax_codes(rows, config)
        _, gradient = cross_entropy(rows, target, config, from_logits=True)
        others = np.arange(length) != target[:, None]
        np.testing.assert_array_equal(gradient[others], np.minimum(p, one - 1)[others])
        own = p[~others] - one
        below = p[~others] < min(largest, one)
        np.testing.assert_array_equal(gradient[~others][below], own[below])
        assert set((gradient[~others] - own)[~below].tolist()) <= {0, 1}


# what p = 1 does


@each
def test_an_element_alone_has_gradient_0_whatever_its_code(config):
    config = config.replace(clip_gradient="pass")
    step = 1 + (config.input.max_code - config.input.min_code) // 9999
    codes = np.arange(config.input.min_code, config.input.max_code + 1, step)
    target = np.zeros_like(codes)
    _, gradient = cross_entropy(codes[:, None], target, config, from_logits=True)
    assert not gradient.any()


@pytest.mark.parametrize("datapath", ["max_subtract", "exact_sum"])
@pytest.mark.parametrize("name", ["base", "int8", "tiny", "tight"])
def test_a_sure_and_right_row_has_gradient_0_and_a_sure_and_wrong_one_the_largest(name, datapath):
    config = preset(name, datapath=datapath, clip_gradient="pass")
    one = 2**config.output.f
    for length in (2, 3, 17):
        rows = np.full((length, length), -config.range_code)
        np.fill_diagonal(rows, config.range_code)
        place = np.arange(length)
        _, right = cross_entropy(rows, place, config, from_logits=True)
        assert not right.any()
        _, wrong = cross_entropy(rows, (place + 1) % length, config, from_logits=True)
        assert (wrong[place, place] == one - 1).all()  # 1 has no code: saturated
        assert (wrong[place, (place + 1) % length] == -one).all()
        wrong[place, place] = wrong[place, (place + 1) % length] = 0
        assert not wrong.any()


@pytest.mark.parametrize("datapath", ["max_subtract", "exact_sum"])
@pytest.mark.parametrize("name", ["base", "int8", "tight"])
def test_p_of_1_is_reached_before_the_others_are_0_and_not_before_it_is_nearest(name, datapath):
    """Two elements further and further apart: 1 - p is never below the other's p by an LSB."""
    config = preset(name, datapath=datapath)
    gaps = np.unique(np.linspace(0, config.span, 4000).astype(np.int64))
    rows = config.range_code - np.stack([np.zeros_like(gaps), gaps], axis=1)
    _, gradient = cross_entropy(rows, np.zeros_like(gaps), config, from_logits=True)
    exact = 2.0**config.output.f / (1 + np.exp(gaps * config.input.lsb))
    np.testing.assert_array_less(np.abs(gradient[:, 0] + exact), bound_ulp(config))
    np.testing.assert_array_less(np.abs(gradient[:, 1] - exact), bound_ulp(config))
    assert gradient[-1].tolist() == [0, 0]
    assert (gradient[:, 0] == 0).sum() > 0
    assert (gradient[:, 0] <= 0).all()


def test_with_p_of_1_in_the_format_a_sure_and_wrong_row_saturates_all_the_same():
    config = CONFIGS["one held"]
    row = [[config.range_code, -config.range_code]]
    _, gradient = cross_entropy(row, [1], config, from_logits=True)
    assert softmax_codes(row, config).tolist() == [[32768, 0]]
    assert gradient.tolist() == [[32767, -32768]]


@each
def test_the_format_is_as_fine_as_p_and_signed(config):
    stage = residual_stage(config)
    assert stage.output == config.loss_grad == SQ(1, config.output.f)
    assert stage.normalize.one == 2**config.output.f


# weights


def test_an_element_of_weight_1_among_several_is_an_index():
    config = preset("base")
    rng = np.random.default_rng(4)
    rows = some_rows(config, 100, 7, rng)
    target = rng.integers(0, 7, 100)
    by_index = cross_entropy(rows, target, config, from_logits=True)
    by_weight = cross_entropy(rows, np.eye(7)[target], config, from_logits=True)
    for one, other in zip(by_index, by_weight, strict=True):
        np.testing.assert_array_equal(one, other)


def test_weights_that_sum_to_less_than_1_scale_p_as_well():
    """A class of weight 1/4: the gradient is a quarter of that of weight 1, rounded once."""
    config = preset("base")
    rng = np.random.default_rng(5)
    rows = some_rows(config, 200, 5, rng).clip(-config.range_code, config.range_code)
    target = rng.integers(0, 5, 200)
    _, whole = cross_entropy(rows, target, config, from_logits=True)
    _, quarter = cross_entropy(
        rows, target, config, class_weights=np.full(5, 0.25), from_logits=True
    )
    inside = np.abs(whole) < 65535  # where p = 1 has not saturated
    np.testing.assert_array_equal(quarter[inside], ((whole + 2) >> 2)[inside])
    assert inside.mean() > 0.8


@each
def test_gradients_of_a_row_sum_to_0_within_their_errors(config):
    rng = np.random.default_rng(6)
    config = config.replace(clip_gradient="pass")
    for length in lengths(config):
        rows = some_rows(config, 100, length, rng)
        target = rng.integers(0, length, 100)
        _, gradient = cross_entropy(rows, target, config, from_logits=True)
        assert np.abs(gradient.sum(axis=1)).max() <= length * bound_ulp(config) + 1


# the bound


@each
def test_residuals_err_by_no_more_than_the_bound_of_p(config, twin):
    """Against mpmath: p - y of the clipped codes, saturated as the format is."""
    config = config.replace(clip_gradient="pass")
    rng = np.random.default_rng(7)
    bound, worst, one = bound_ulp(config), 0.0, 2**config.output.f
    lsb = mpmath.mpf(config.scale) * mpmath.mpf(2) ** -config.input.f
    for length in lengths(config):
        rows = some_rows(config, 15, length, rng)
        if config.clip == "input":
            clipped = rows.clip(-config.range_code, config.range_code)
        else:
            clipped = np.maximum(rows, rows.max(axis=1, keepdims=True) - config.span)
        target = rng.integers(0, length, 15)
        _, gradient = cross_entropy(rows, target, config, from_logits=True)
        with mpmath.workprec(120):
            for k in range(15):
                e = [mpmath.exp(lsb * x) for x in clipped[k].tolist()]
                total = mpmath.fsum(e)
                for place, code in enumerate(gradient[k].tolist()):
                    exact = min((e[place] / total - (place == target[k])) * one, one - 1)
                    worst = max(worst, abs(float(code - exact)))
    assert worst <= bound + 1e-9
    assert worst > 0.4 if config.max_length > 1 else worst == 0
