"""No row, however it is searched for, has an error above the proven bound."""

import itertools

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from softmaxfx.golden.config import PRESETS, SoftmaxConfig, preset
from softmaxfx.golden.formats import SQ, UQ
from softmaxfx.golden.proofs.bounds import bound_ulp, error_bound
from softmaxfx.golden.proofs.exact_sum import most_dropped
from softmaxfx.golden.proofs.reciprocal import reciprocal_error
from softmaxfx.golden.stages.exp import exp_table
from softmaxfx.golden.units.softmax import softmax

SLACK = 1e-6
"""ulp granted to the long double reference; it is good to 2^-63 * 2^16."""
SEARCHED = {
    # rows with an exponent err in LSB of their own: tests of the exponent look at those
    **{name: config for name, config in PRESETS.items() if not config.has_exponent},
    "full": preset("full", datapath="max_subtract"),
    "difference": preset("base", clip="difference", range=12),
    "temperature": preset("base", scale=1 / 8**0.5),
    "one held": preset("int8", output=UQ(1, 8)),
    "short sum": preset("int8", sum_fraction=12),
    "coarse": preset("base", mantissa_bits=10, reciprocal_bits=10),
}
EXACT = {
    **{
        name: config.replace(datapath="exact_sum")
        for name, config in PRESETS.items()
        if not config.has_exponent
    },
    "temperature": preset("base", scale=1 / 8**0.5, datapath="exact_sum"),
    "flat": preset("base", scale=0.01, datapath="exact_sum"),
    "odd range": preset("base", range=9.3125, max_length=1000, datapath="exact_sum"),
    "longer": preset("int8", max_length=5000, datapath="exact_sum"),
    "one held": preset("int8", output=UQ(1, 8), datapath="exact_sum"),
    "steep": preset("int8", scale=2, range=8, max_length=4, datapath="exact_sum"),
    "two of four bits": preset("int8", exp_split=(4, 4), datapath="exact_sum"),
    "three tables": preset("base", range=7.5, exp_split=(5, 5, 5), datapath="exact_sum"),
    "coarse": preset("base", mantissa_bits=10, exp_bits=20, reciprocal_bits=10, scale=0.5).replace(
        datapath="exact_sum", input=SQ(5, 9)
    ),
}
SEARCHED |= {f"{name}, exact sum": config for name, config in EXACT.items()}
MADE_UP = ["base", "tiny", "difference", "temperature", "coarse"]
MADE_UP += [f"{name}, exact sum" for name in ("base", "tiny", "tight", "temperature")]
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


MICRO |= {
    f"{name}, exact sum": MICRO[name].replace(datapath="exact_sum")
    for name in ("micro", "one held", "steep", "three", "two", "coarse", "split")
    if MICRO[name].sum_fraction is None
}
MICRO["coarse, exact sum"] = SoftmaxConfig(
    input=SQ(3, 0), output=UQ(0, 20), range=3, max_length=5, mantissa_bits=4, datapath="exact_sum"
)
MICRO["long, exact sum"] = SoftmaxConfig(
    input=SQ(2, 0), output=UQ(0, 9), range=1, max_length=10, scale=2.3, datapath="exact_sum"
)


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


def exp_errors(config, codes):
    """The relative error of exp of every code, by long doubles."""
    distance = config.path.origin - codes
    mantissa, shift = exp_table(config)(distance)
    step = np.longdouble(config.scale) * np.longdouble(2) ** -config.input.f
    value = np.ldexp(mantissa.astype(np.longdouble), 1 - config.widths.mantissa_bits - shift)
    return value * np.exp(step * distance) - 1


class Search:
    """Keeps the worst row seen and holds every error against the bound."""

    def __init__(self, config):
        self.config, self.bound, self.worst, self.row = config, bound_ulp(config), 0.0, None
        self.top = config.range_code if config.clip == "input" else config.input.max_code
        self.rng = np.random.default_rng(11)

    def below(self, differences):
        """Try rows given as differences from their maximum, which an exact sum has anywhere."""
        rows = self.top - np.minimum(differences, self.top - self.config.input.min_code)
        if self.config.datapath == "exact_sum":
            room = np.maximum(rows.min(axis=-1, keepdims=True) + self.config.range_code, 0)
            place = self.rng.random(room.shape) * 1.2 - 0.1  # the ends of the range as well
            rows = rows - (np.clip(place, 0, 1) * room).astype(np.int64)
        return self(rows)

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
        """Rows of one value: of any length, and where the value counts, of many values."""
        if self.config.datapath == "max_subtract":
            for n in range(1, self.config.max_length + 1):
                self(np.zeros((1, n), np.int64))
            return
        lengths = {*range(1, 41), *np.geomspace(40, 5000, 40).astype(int), self.config.max_length}
        for n in sorted(n for n in lengths if n <= self.config.max_length):
            codes = self.rng.integers(-self.top, self.top, (max(2000 // n, 6), 1), endpoint=True)
            codes[:2, 0] = -self.top, self.top
            self(np.repeat(codes, n, axis=1))

    def one_hot(self):
        """One element against equal ones: both anywhere, all the others at the range's bottom."""
        config = self.config
        for n in sorted({2, min(3, config.max_length), min(40, config.max_length)}):
            codes = self.rng.integers(-self.top, self.top, (20000 // n, 2), endpoint=True)
            rows = np.repeat(codes[:, 1:], n, axis=1)
            rows[: len(rows) // 3] = -self.top
            rows[np.arange(len(rows)), self.rng.integers(0, n, len(rows))] = codes[:, 0]
            self(rows)

    def alone(self):
        """Single elements at every code, or many of them."""
        codes = np.arange(-self.top, self.top + 1, 1 + self.top // 2**17)
        self(codes[:, None])

    def pairs_of_worst_exp(self):
        """Elements whose exp errs upwards among ones whose exp errs downwards, and vice versa.

        As many of the others as make the share of the one nearly any of a few.
        """
        config = self.config
        codes = np.unique(np.linspace(-self.top, self.top, 2**17).astype(np.int64))
        order = np.argsort(exp_errors(config, codes))
        count = min(30, codes.size // 2)
        worst = codes[order[:count]], codes[order[-count:]]
        for ones, others in (worst, worst[::-1]):
            one, other = (axis.ravel() for axis in np.meshgrid(ones, others))
            step = config.scale * config.input.lsb
            for share in (0.25, 0.4, 0.5, 0.6, 0.75):
                fewer = np.exp(np.clip((one - other) * step, -30, 30)) * (1 / share - 1)
                copies = np.rint(fewer).astype(int)
                for n in np.unique(copies[(copies > 0) & (copies < config.max_length)]).tolist():
                    if n <= 200:
                        same = copies == n
                        rows = np.repeat(other[same][:, None], n + 1, axis=1)
                        rows[:, 0] = one[same]
                        self(rows)

    def two_valued(self):
        """k maxima, n - k elements at one difference, for random k, n and differences."""
        config = self.config
        for n in (2, 3, 5, 9, 30, config.max_length):
            if n > config.max_length:
                continue
            count = max(60000 // n, 4)
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
            row = self.row.max() - self.row
            size = np.exp(self.rng.uniform(0, np.log(self.config.span), (200, 1)))
            change = (self.rng.normal(size=(200, row.size)) * size).astype(int)
            change *= self.rng.random((200, row.size)) < 2 / row.size
            rows = np.clip(row + change, 0, self.config.span)
            self.below(rows - rows.min(axis=-1, keepdims=True))

    def lengthen(self):
        """Grow the worst row by tails that hardly change its sum."""
        row = self.row.max() - self.row
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
            for step in (search.short, search.two_valued, search.equal_tails):
                step()
            if search.config.datapath == "exact_sum":
                for step in (search.one_hot, search.alone, search.pairs_of_worst_exp):
                    step()
            search.climb()
            search.lengthen()
        return done[name]

    return run


@pytest.mark.parametrize("datapath", ["max_subtract", "exact_sum"])
@pytest.mark.parametrize("name", PRESETS)
def test_presets_are_proven_to_err_by_less_than_one_lsb(name, datapath):
    limit = {"tight": 0.56, "int8_row": 1.26}.get(name, 0.9)
    assert 0.5 < bound_ulp(preset(name, datapath=datapath)) <= limit


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


@pytest.mark.parametrize(
    ("name", "floor"),
    [
        ("base", 0.78),
        ("int8", 0.82),
        ("tiny", 0.79),
        ("base, exact sum", 0.8),
        ("int8, exact sum", 0.8),
        ("tight, exact sum", 0.9),
        ("full, exact sum", 0.75),
    ],
)
def test_the_bound_is_not_vacuous(name, floor, searched):
    """A share of the bound that a real row reaches (seeded search)."""
    search = searched(name)
    assert search.worst >= floor * search.bound


@given(
    row=st.lists(st.integers(-(2**15), 2**15 - 1), min_size=1, max_size=64),
    spread=st.integers(0, 15),
    name=st.sampled_from(MADE_UP),
)
@settings(max_examples=500, deadline=None, derandomize=True)
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


def random_config(rng, datapath="max_subtract"):
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
    if datapath == "exact_sum":
        fields |= {"datapath": datapath, "clip": "input"}
        if rng.random() < 0.5:
            fields |= {"mantissa_bits": int(rng.integers(4, 13))}
            fields |= {"reciprocal_bits": fields["output"].f + 2}
    elif rng.random() < 0.5:
        fields |= {"mantissa_bits": int(rng.integers(4, 13))}
        fields |= {"sum_fraction": fields["mantissa_bits"] + int(rng.integers(0, 4))}
        fields |= {"reciprocal_bits": fields["output"].f + 2}
    return SoftmaxConfig(**fields)


@pytest.mark.parametrize("seed", range(8))
def test_random_small_configurations_of_an_exact_sum_stay_within_the_bound(seed):
    rng = np.random.default_rng(seed)
    checked = 0
    while checked < 6:
        try:
            config = random_config(rng, "exact_sum")
        except ValueError:
            continue
        search = Search(config)
        for step in (search.one_hot, search.alone, search.pairs_of_worst_exp):
            step()
        checked += 1


@pytest.mark.parametrize("name", [name for name in EXACT if name != "wide"])
def test_the_bound_of_an_exact_sum_is_that_of_the_worst_share_there_is(name):
    """p (1 + a) (1 + r) / (1 + p a + (1 - p) b) / (1 - d) - p at both ends of a, b, r and d, over
    all shares."""
    config = EXACT[name]
    bound = error_bound(config)
    shares = np.linspace(0, 1, 200001)
    worst = 0.0
    for own, others, rho, dropped in itertools.product(
        bound.exp_error, bound.exp_error, bound.reciprocal_error, {0, most_dropped(config)}
    ):
        total = (1 + shares * own + (1 - shares) * others) * (1 - dropped)
        worst = max(worst, np.abs(shares * (1 + own) * (1 + rho) / total - shares).max())
    assert bound.ulp == pytest.approx(0.5 + worst * 2**config.output.f, abs=1e-4)
    assert bound.ulp >= 0.5 + worst * 2**config.output.f


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("name", ["base", "int8", "coarse", "two of four bits"])
def test_terms_of_any_errors_in_their_range_keep_the_bound_of_an_exact_sum(name, seed):
    """Before rounding: made-up rows whose terms err as far as is told, most of them fully."""
    config = EXACT[name]
    bound = error_bound(config)
    rng = np.random.default_rng(seed)
    low, high = bound.exp_error
    for length in (1, 2, 3, 10):
        terms = np.exp(-rng.uniform(0, rng.choice([1, 3, 20]), (20000, length)))
        error = np.clip(rng.normal((low + high) / 2, 3 * (high - low), terms.shape), low, high)
        rho = rng.choice(bound.reciprocal_error, (20000, 1))
        made = terms * (1 + error)
        apart = made * (1 + rho) / made.sum(axis=1, keepdims=True)
        apart -= terms / terms.sum(axis=1, keepdims=True)
        assert 0.5 + np.abs(apart).max() * 2**config.output.f <= bound.ulp


@pytest.mark.parametrize("name", ["base", "int8", "tight", "three tables", "odd range", "steep"])
def test_the_distance_that_is_told_as_the_worst_has_one_of_the_ends_of_exp_s_errors(name):
    config = EXACT[name]
    bound = error_bound(config)
    assert config.path.nearest <= bound.worst_difference <= config.path.farthest
    error = exp_errors(config, np.array([config.path.origin - bound.worst_difference])).item()
    assert min(abs(error - end) for end in bound.exp_error) < 1e-13


def test_the_bound_of_an_exact_sum_does_not_depend_on_the_row_s_length():
    bounds = {bound_ulp(preset("base", datapath="exact_sum", max_length=n)) for n in (1, 3, 65536)}
    assert len(bounds) == 1


def test_the_order_of_a_row_s_elements_does_not_change_the_worst_error():
    config = EXACT["base"]
    rng = np.random.default_rng(12)
    rows = rng.integers(-config.range_code, config.range_code, (100, 200))
    shuffled = rng.permuted(rows, axis=1)
    worst, again = (errors(config, each).max(axis=1) for each in (rows, shuffled))
    np.testing.assert_allclose(worst, again, rtol=0, atol=1e-9)


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


FULL = {"input": SQ(8, 8), "clip": "difference"}
DERIVED |= {
    f"{name}, exact sum": preset("base", **fields, datapath="exact_sum")
    for name, fields in {
        "longest": {"max_length": 65536},
        "2 bits out": {"output": UQ(0, 2)},
        "20 bits out": {"output": UQ(0, 20)},
        "24 bits out": {"output": UQ(0, 24), "max_length": 256},
        "8 bits out of 16": {"output": UQ(0, 8)},
        "10 bits out of 16": {"output": UQ(0, 10), "scale": 0.125},
        "1 / sqrt(128)": {"scale": 128**-0.5},
        "one percent": {"scale": 0.01},
        "17 bits in": {"input": SQ(5, 12)},
        "18 bits in": {"input": SQ(5, 13)},
        "20 bits in": {"input": SQ(5, 15), "max_length": 64},
        "odd range": {"range": 9.3125},
        "one code short of a power": {"range": 16 - 2**-11, "scale": 0.5},
        "one element": {"max_length": 1},
        "wider than integers": {"scale": 2},
        "full": FULL,
        "full, few codes": FULL | {"input": SQ(7, 1)},
        "full, 32": FULL | {"input": SQ(6, 10)},
        "full, 1 / sqrt(12)": FULL | {"scale": 12**-0.5},
        "full, temperature 1/3.3": FULL | {"scale": 3.3},
        "full, 512": FULL | {"input": SQ(10, 6)},
        "full, 8 bits out": FULL | {"output": UQ(0, 8)},
        "full, 30": {"input": SQ(7, 9), "range": 30},
    }.items()
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


@pytest.mark.parametrize("bits", [4, 8, 10, 18, 21, 28])
@pytest.mark.parametrize("index", [1, 2, 5, 9, 12])
@pytest.mark.parametrize("step", [1, 4, 9, 14])
def test_the_reciprocal_errs_by_less_than_the_closed_form_that_sums_are_checked_by(
    bits, index, step
):
    """Chord, dropped bits, and roundings, as ``softmax_backward`` adds them up."""
    config = preset(
        "base", reciprocal_bits=bits, reciprocal_index=index, reciprocal_step=step,
        mantissa_bits=max(18, 20 - bits), output=UQ(0, min(bits, 16)),
    )  # fmt: skip
    closed = 2.0 ** -(2 * index + 2) + 2.0 ** -(index + step) + 1.25 * 2.0 ** (1 - bits)
    assert max(map(abs, reciprocal_error(config))) <= closed
