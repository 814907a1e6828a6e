"""No row, however it is searched for, has an error above the proven bound."""

import itertools

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from softmaxfx.golden.bounds import bound_ulp, error_bound
from softmaxfx.golden.config import PRESETS, SoftmaxConfig, preset
from softmaxfx.golden.formats import SQ, UQ
from softmaxfx.golden.softmax import softmax

SLACK = 1e-6
"""ulp granted to the long double reference; it is good to 2^-63 * 2^16."""
SEARCHED = {
    **PRESETS,
    "difference": preset("base", clip="difference", range=12),
    "temperature": preset("base", scale=1 / 8**0.5),
    "one held": preset("int8", output=UQ(1, 8)),
    "short sum": preset("int8", sum_fraction=12),
    "coarse": preset("base", mantissa_bits=10, reciprocal_bits=10),
}
each = pytest.mark.parametrize("name", SEARCHED)
MICRO = {
    "micro": SoftmaxConfig(input=SQ(3, 1), output=UQ(0, 4), range=2, max_length=4),
    "difference": SoftmaxConfig(
        input=SQ(3, 0), output=UQ(0, 6), range=2, max_length=4, clip="difference"
    ),
    "one held": SoftmaxConfig(input=SQ(2, 1), output=UQ(1, 5), range=1.5, max_length=4, scale=0.7),
    "steep": SoftmaxConfig(input=SQ(2, 1), output=UQ(0, 12), range=1.5, max_length=5, scale=3.3),
    "three": SoftmaxConfig(input=SQ(4, 1), output=UQ(0, 3), range=6, max_length=3),
    "two": SoftmaxConfig(input=SQ(4, 3), output=UQ(0, 8), range=7.5, max_length=2),
    "coarse": SoftmaxConfig(
        input=SQ(2, 0), output=UQ(0, 12), range=1, max_length=5, scale=3.3,
        mantissa_bits=12, sum_fraction=12,
    ),
    "coarse sum": SoftmaxConfig(
        input=SQ(3, 0), output=UQ(0, 20), range=1, max_length=6, mantissa_bits=4, sum_fraction=8
    ),
    "split": SoftmaxConfig(
        input=SQ(3, 1), output=UQ(0, 8), range=2, max_length=3, exp_split=(2, 2)
    ),
}  # fmt: skip


def errors(config, rows):
    """|p - exact softmax of the clipped codes| in output LSB, of every element, by long doubles."""
    rows = np.asarray(rows)
    if config.clip == "input":
        inside = np.clip(rows, -config.range_code, config.range_code)
    else:
        inside = np.maximum(rows, rows.max(axis=-1, keepdims=True) - 2 * config.range_code)
    u = inside.max(axis=-1, keepdims=True) - inside
    e = np.exp(-u * (np.longdouble(config.scale) * np.longdouble(2) ** -config.input.f))
    exact = e / e.sum(axis=-1, keepdims=True) * 2**config.output.f
    largest = min(2**config.output.f, 2**config.output.width - 1)
    return np.abs(softmax(rows, config) - np.minimum(exact, largest)).astype(np.float64)


class Search:
    """Keeps the worst row seen and holds every error against the bound."""

    def __init__(self, config):
        self.config, self.bound, self.worst, self.row = config, bound_ulp(config), 0.0, None
        self.top = config.range_code if config.clip == "input" else config.input.max_code
        self.rng = np.random.default_rng(11)

    def below(self, differences):
        """Try rows given as differences from their maximum."""
        return self(self.top - np.minimum(differences, self.top - self.config.input.min_code))

    def __call__(self, rows):
        found = errors(self.config, rows).max(axis=-1)
        place = found.argmax()
        if found[place] > self.worst:
            self.worst, self.row = float(found[place]), rows[place]
        assert self.worst <= self.bound + SLACK, f"row {self.row.tolist()}"
        return found

    def equal_tails(self):
        """One maximum, N - 1 equal elements: gaps around ln N, for many N."""
        config = self.config
        lengths = {2, 3, 4, 5, 8, 17, 64, 100, 333, 1000, config.max_length}
        for n in sorted(n for n in lengths if 2 <= n <= config.max_length):
            middle = np.log(max(n - 1, 1)) / (config.scale * config.input.lsb)
            width = 2 / (config.scale * config.input.lsb)
            count = max(4, 40000 // n // (1 + config.span // 2**20))
            gaps = np.unique(np.linspace(middle - width, middle + width, count).astype(int))
            gaps = gaps[(gaps >= 0) & (gaps <= config.span)]
            rows = np.repeat(gaps[:, None], n, axis=1)
            rows[:, 0] = 0
            if gaps.size:
                self.below(rows)

    def all_equal(self):
        for n in range(1, self.config.max_length + 1):
            self(np.zeros((1, n), np.int64))

    def two_valued(self):
        """k maxima, n - k elements at one difference, for random k, n and differences."""
        config = self.config
        for n in (2, 3, 5, 9, 30, config.max_length):
            count = 60000 // n
            u = self.rng.integers(0, config.span, count, endpoint=True)
            u = np.where(self.rng.random(count) < 0.5, u % (1 + config.span // 5), u)
            k = self.rng.integers(1, n, count)
            self.below(np.where(np.arange(n) < k[:, None], 0, u[:, None]))

    def short(self):
        """Pairs at every (or many a) difference, random threes and fours."""
        config = self.config
        step = 1 + config.span // 60000
        u = np.arange(0, config.span + 1, step)
        self.below(np.stack([np.zeros_like(u), u], axis=1))
        reach = min(config.span, int(4 / (config.scale * config.input.lsb)))
        for n in (3, 4):
            if n <= config.max_length:
                rows = self.rng.integers(0, reach + 1, (60000, n))
                rows[:, 0] = 0
                self.below(rows)

    def climb(self, rounds=60):
        """Change an element or two of the worst row, keep what is worse."""
        for _ in range(rounds):
            row = self.top - self.row
            size = np.exp(self.rng.uniform(0, np.log(self.config.span), (200, 1)))
            change = (self.rng.normal(size=(200, row.size)) * size).astype(int)
            change *= self.rng.random((200, row.size)) < 2 / row.size
            rows = np.clip(row + change, 0, self.config.span)
            self.below(rows - rows.min(axis=-1, keepdims=True))

    def lengthen(self):
        """Grow the worst row by tails that hardly change its sum."""
        row = self.top - self.row
        room = self.config.max_length - row.size
        tails = self.rng.integers(0, self.config.span, (40, max(room, 0)), endpoint=True)
        tails = np.sort(np.maximum(tails, self.config.span // 2), axis=0)
        self.below(np.concatenate([np.broadcast_to(row, (40, row.size)), tails], axis=1))


@pytest.fixture(scope="module")
def searched():
    """The finished search of a configuration."""
    done = {}

    def run(name):
        if name not in done:
            search = done[name] = Search(SEARCHED[name])
            for step in (search.short, search.two_valued, search.equal_tails, search.climb):
                step()
            search.lengthen()
        return done[name]

    return run


@pytest.mark.parametrize("name", PRESETS)
def test_presets_are_proven_to_err_by_less_than_one_lsb(name):
    assert 0.5 < bound_ulp(PRESETS[name]) < 1.0


@each
def test_adversarial_rows_never_exceed_the_bound(name, searched):
    search = searched(name)
    assert 0.5 <= search.worst <= search.bound + SLACK


@each
def test_rows_of_equal_elements_of_every_length_stay_within_the_bound(name):
    Search(SEARCHED[name]).all_equal()


@each
def test_the_worst_row_found_errs_as_much_in_exact_arithmetic(name, searched, twin):
    """The same row by the independent unit and mpmath."""
    search = searched(name)
    row = search.row.tolist()
    unit = twin(search.config)
    with mpmath.workprec(120):
        worst = max(
            abs(p - exact) for p, exact in zip(unit.softmax(row), unit.exact(row), strict=True)
        )
    assert float(worst) == pytest.approx(search.worst, abs=SLACK)
    assert worst <= search.bound


@pytest.mark.parametrize(("name", "floor"), [("base", 0.78), ("int8", 0.82), ("tiny", 0.79)])
def test_the_bound_is_not_vacuous(name, floor, searched):
    """A share of the bound that a real row reaches (seeded search)."""
    search = searched(name)
    assert search.worst >= floor * search.bound


@given(
    row=st.lists(st.integers(-(2**15), 2**15 - 1), min_size=1, max_size=64),
    spread=st.integers(0, 15),
    name=st.sampled_from(["base", "tiny", "difference", "temperature", "coarse"]),
)
@settings(max_examples=300, deadline=None, derandomize=True)
def test_any_row_that_hypothesis_makes_up_stays_within_the_bound(row, spread, name):
    config = SEARCHED[name]
    assert errors(config, np.array([row]) >> spread).max() <= bound_ulp(config) + SLACK


@pytest.mark.parametrize("name", MICRO)
def test_every_row_there_is_errs_by_no_more_than_the_bound(name, twin):
    """Brute force, against mpmath: every row of every length, up to the order of its elements."""
    config = MICRO[name]
    unit, bound = twin(config), bound_ulp(config)
    codes = range(config.input.min_code, config.input.max_code + 1)
    for length in range(1, config.max_length + 1):
        rows = list(itertools.combinations_with_replacement(codes, length))
        for row, gate in zip(rows, softmax(rows, config).tolist(), strict=True):
            worst = max(abs(p - exact) for p, exact in zip(gate, unit.exact(row), strict=True))
            assert worst <= bound, f"row {row}: {float(worst)} ulp"


@pytest.mark.parametrize(
    "config",
    [
        SoftmaxConfig(
            input=SQ(3, 2), output=UQ(1, 20), range=1.25, scale=0.1, clip="difference",
            mantissa_bits=8,
        ),
        SoftmaxConfig(
            input=SQ(3, 2), output=UQ(0, 16), range=0.75, scale=0.5, clip="difference",
            mantissa_bits=6,
        ),
    ],
    ids=["8-bit mantissa", "6-bit mantissa"],
)  # fmt: skip
def test_short_rows_of_a_coarse_unit_with_long_rows_stay_within_the_bound(config):
    """Over 1024 terms the sum errs by more than 1: the worst element is not always the maximum."""
    search = Search(config)
    search.below(np.array(list(itertools.product([0], *[range(config.span + 1)] * 2))))


def random_config(rng):
    """A small configuration, widths by hand at times."""
    i, f = int(rng.integers(1, 5)), int(rng.integers(0, 4))
    fields = {
        "input": SQ(i, f),
        "output": UQ(int(rng.integers(0, 2)), int(rng.choice([2, 6, 8, 12, 16, 20]))),
        "max_length": int(rng.choice([2, 3, 5, 8, 16, 100, 1024])),
        "clip": str(rng.choice(["input", "difference"])),
        "range": int(rng.integers(1, max(2, 2 ** (i + f - 1)))) / 2**f,
        "scale": float(rng.choice([1, 0.1, 0.5, 3.3])),
    }
    if rng.random() < 0.5:
        fields |= {"mantissa_bits": int(rng.integers(4, 13))}
        fields |= {"sum_fraction": fields["mantissa_bits"] + int(rng.integers(0, 4))}
        fields |= {"reciprocal_bits": fields["output"].f + 2}
    return SoftmaxConfig(**fields)


@pytest.mark.parametrize("seed", range(30))
def test_tails_of_one_value_stay_within_the_bound_of_random_small_configurations(seed):
    """Where the row is long and the sum short, the sum's truncation is what errs."""
    rng = np.random.default_rng(seed)
    checked = 0
    while checked < 8:
        try:
            config = random_config(rng)
        except ValueError:
            continue
        search = Search(config)
        for u in rng.integers(1, config.span + 1, 6).tolist():
            for n in {2, min(3, config.max_length), int(rng.integers(2, config.max_length + 1))}:
                row = np.full((1, n), u)
                row[0, 0] = 0
                search.below(row)
        checked += 1


DERIVED = {
    "longest": preset("base", max_length=65536),
    "2 bits out": preset("base", output=UQ(0, 2)),
    "20 bits out": preset("base", output=UQ(0, 20)),
    "24 bits out": {"output": UQ(0, 24)},
    "8 bits out of 16": preset("base", output=UQ(0, 8)),
    "8 bits out of 16, halved": preset("base", output=UQ(0, 8), scale=0.5),
    "10 bits out of 16": preset("base", output=UQ(0, 10), scale=0.125),
    "12 bits in, temperature 1/4": preset("base", input=SQ(5, 7), scale=4),
    "1 / sqrt(128)": preset("base", scale=128**-0.5),
    "int8 quantiser": SoftmaxConfig(input=SQ(8, 0), output=UQ(0, 8), range=127, scale=0.0423),
    "difference": preset("base", clip="difference", range=16),
    "temperature 1/2": preset("base", scale=2),
    "temperature 1/10": preset("base", scale=10),
    "temperature 1/50": preset("base", scale=50),
    "fraction of 5 bits": SoftmaxConfig(
        input=SQ(6, 5), output=UQ(0, 8), range=28, scale=5, max_length=128
    ),
}


@pytest.mark.parametrize("config", DERIVED.values(), ids=DERIVED)
def test_derived_widths_keep_the_proven_error_below_one_lsb(config):
    """What :func:`derive_widths` says it does, whatever the row, the formats and the scale."""
    if isinstance(config, dict):
        config = preset("base", **config)
    assert bound_ulp(config) < 1.0


def test_the_bound_of_a_longer_row_is_not_below_that_of_a_shorter_one_with_the_same_widths():
    widths = {
        name: getattr(preset("int8").widths, name) for name in preset("int8").widths.__slots__
    }
    bounds = [bound_ulp(preset("int8", max_length=n, **widths)) for n in (1, 2, 3, 10, 100, 1024)]
    assert bounds == sorted(bounds)


def test_wider_factors_lower_the_bound():
    wide = preset("base", mantissa_bits=22, reciprocal_bits=22, sum_fraction=34)
    assert 0.5 < bound_ulp(wide) < 0.55 < bound_ulp(preset("base"))


@pytest.mark.parametrize("scale", [2.0**-40, 2.0**40])
def test_the_bound_of_the_extreme_scales_is_finite_and_given_without_a_warning(scale):
    assert 0.5 <= bound_ulp(preset("int8", scale=scale)) < 1.0


def test_the_bound_says_what_it_is_made_of():
    bound = error_bound(preset("base"))
    assert bound.ulp == bound_ulp(preset("base"))
    for low, high in (bound.exp_error, bound.reciprocal_error):
        assert low < 0 < high
    assert 0 <= bound.worst_difference <= preset("base").span
