"""An independent softmax unit: Python's own integers and mpmath, one element at a time.

It is written from the golden model's docstrings and shares no code with it: the tests compare the
two bit for bit, table entry for table entry.
"""

from fractions import Fraction

import mpmath
import pytest

from softmaxfx.golden.units.registry import unit_sha256

PRECISION = 320
RECIPROCAL_GUARD = 3
LIMB = 16


def half_even(value):
    """A real rounded to the nearest integer, a tie to the even one."""
    floor = mpmath.floor(value)
    rest = value - floor
    up = rest > 0.5 or (rest == 0.5 and int(floor) % 2 == 1)
    return int(floor) + up


def half_up(numerator, bits):
    """An integer without its last ``bits`` bits, rounded half up; fewer than none append zeros."""
    return (2 * numerator + (1 << bits)) >> (bits + 1) if bits >= 0 else numerator << -bits


def kept_of(term, start, lowest):
    """The parts of a term that limbs from ``lowest`` on add: one in the limb in which its mantissa
    starts, and all that is above it in the next one."""
    own = term % 2 ** (LIMB * (start + 1))
    return own * (start >= lowest) + (term - own) * (start + 1 >= lowest)


class Twin:
    """The unit of a configuration, element by element."""

    def __init__(self, config):
        widths = config.widths
        self.config, self.widths = config, widths
        self.exact_sum = config.datapath == "exact_sum"
        self.mantissa_bits, self.sum_fraction = widths.mantissa_bits, widths.sum_fraction
        self.guard = widths.exp_bits - widths.mantissa_bits
        self.limit = int(Fraction(config.range) * 2**config.input.f)
        self.span = 2 * self.limit
        # an exact sum keeps the three limbs around its largest term where it is wider than integers
        whole = widths.sum_fraction + config.max_length.bit_length() <= 63
        self.window = self.exact_sum and not whole
        lowest, highest = -self.limit, self.limit
        if config.clip == "difference":
            lowest, highest = config.input.min_code, config.input.max_code
        # the code that distances are measured from: the first from the highest on that ends in as
        # many ones as the further tables have index bits
        unit = 2 ** sum(widths.exp_split[1:])
        self.top = -(-(highest + 1) // unit) * unit - 1
        with mpmath.workprec(PRECISION):
            self.step = mpmath.mpf(config.scale) / 2**config.input.f
            # beyond, exp is below a quarter of the sum's LSB, and no difference is told apart
            nothing = int(mpmath.ceil((self.sum_fraction + 2) * mpmath.log(2) / self.step))
            self.reach = self.top - lowest if self.exact_sum else min(self.span, nothing)
            self._build_exp()
            self._build_reciprocal()

    def _build_exp(self):
        first, *rest = self.widths.exp_split
        place = sum(rest)
        self.high = [self._normalised(h << place) for h in range((self.reach >> place) + 1)]
        assert len(self.high) <= 1 << first
        self.low = []
        for bits in rest:
            place -= bits
            self.low.append((bits, *self._losses(place, bits)))
        assert place == 0

    def _normalised(self, u):
        """exp(-u) as a mantissa in [2^(bits-1), 2^bits), the half included, and its shift."""
        value, shift = mpmath.exp(-self.step * u), 0
        half = (1 << self.guard) // 2
        shift = max(0, int(mpmath.floor(self.step * u / mpmath.log(2))) - 1)
        while True:
            if value * mpmath.mpf(2) ** shift >= 1:
                mantissa = half_even(value * mpmath.mpf(2) ** (shift + self.widths.exp_bits - 1))
                break
            shift += 1
        if mantissa + half >= 1 << self.widths.exp_bits:
            shift -= 1
            mantissa = half_even(value * mpmath.mpf(2) ** (shift + self.widths.exp_bits - 1))
        if not self.exact_sum and shift > self.sum_fraction + 1:
            return 0, 0
        return mantissa + half, shift

    def _losses(self, place, bits):
        """(entries, fraction) of a table of 1 - exp(-field)."""
        losses = [1 - mpmath.exp(-self.step * (field << place)) for field in range(1 << bits)]
        zeros = 0
        while losses[-1] * 2 ** (zeros + 1) < 1:
            zeros += 1
        fraction = min(self.mantissa_bits + zeros, self.mantissa_bits + self.guard + 2)
        return [half_even(loss * 2**fraction) for loss in losses], fraction

    def _build_reciprocal(self):
        segments = 1 << self.widths.reciprocal_index
        lsb = mpmath.mpf(2) ** -(self.widths.reciprocal_bits + RECIPROCAL_GUARD)
        self.base, self.slope = [], []
        for j in range(segments):
            left = 1 / (1 + mpmath.mpf(j) / segments)
            right = 1 / (1 + mpmath.mpf(j + 1) / segments)
            # chord - 1/s is largest where s is the geometric mean of the segment's ends
            deviation = left + right - 2 / mpmath.sqrt(1 / left * (1 / right))
            half_lsb_of_r = 2 ** (RECIPROCAL_GUARD - 1)
            base = half_even((left - deviation / 2) / lsb + half_lsb_of_r)
            # 1/1 has no code: the first segment starts below it
            self.base.append(min(base, (1 << self.widths.reciprocal_bits + RECIPROCAL_GUARD) - 1))
            self.slope.append(half_even((left - right) / lsb))

    def exp(self, u):
        """(m, k): exp is m * 2**(1 - mantissa_bits - k)."""
        u = min(u, self.reach)
        index = u >> sum(bits for bits, _, _ in self.low)
        a, shift = self.high[index]
        place = sum(bits for bits, _, _ in self.low)
        for bits, entries, fraction in self.low:
            place -= bits
            loss = (a >> self.guard) * entries[(u >> place) % (1 << bits)]
            a -= loss >> (fraction - self.guard)
        return a >> self.guard, shift

    def term(self, m, k):
        """A mantissa in units of 2**-sum_fraction: truncated, or exact."""
        units = m * 2 ** (self.sum_fraction - self.mantissa_bits + 1)
        assert units % 2**k == 0 or not self.exact_sum
        return units >> k

    def total(self, pairs):
        """The sum of a row's pairs (m, k), in units of 2**-sum_fraction."""
        terms = [self.term(*pair) for pair in pairs]
        if not self.window or not terms:
            return sum(terms)
        starts = [(self.sum_fraction - self.mantissa_bits + 1 - k) // LIMB for _, k in pairs]
        lowest = max(starts) - 1  # of the limbs that are kept
        return sum(kept_of(term, start, lowest) for term, start in zip(terms, starts, strict=True))

    def r_of(self, s):
        """r for s = 1 + s * 2**-(index + step)."""
        bits, step = self.widths.reciprocal_bits, self.widths.reciprocal_step
        j, t = divmod(s, 1 << step)
        r = (self.base[j] * 2**step - self.slope[j] * t) >> (step + RECIPROCAL_GUARD)
        assert 0 < r < 1 << bits
        return r

    def reciprocal(self, total):
        """(r, q): 1 / S is r * 2**(-reciprocal_bits - q)."""
        kept = self.widths.reciprocal_index + self.widths.reciprocal_step
        q = total.bit_length() - 1 - self.sum_fraction
        s = Fraction(total, 1 << (self.sum_fraction + q)) - 1
        return self.r_of(int(s * 2**kept)), q

    def output(self, m, k, r, q):
        """The output code of m * r."""
        shift = self.mantissa_bits - 1 + k + self.widths.reciprocal_bits + q - self.config.output.f
        one = min(2**self.config.output.f, 2**self.config.output.width - 1)
        return min(half_up(m * r, shift), one)

    def distances(self, row, mask):
        """max - x, or the distance from the top, of a row's active elements; None where masked."""
        if self.config.clip == "input":
            row = [min(max(x, -self.limit), self.limit) for x in row]
        top = max((x for x, out in zip(row, mask, strict=True) if not out), default=None)
        if self.exact_sum:
            return [None if out else self.top - x for x, out in zip(row, mask, strict=True)]
        return [None if out else min(top - x, self.span) for x, out in zip(row, mask, strict=True)]

    def softmax(self, row, mask=None):
        """Output codes of a row of codes."""
        mask = mask or [False] * len(row)
        distances = self.distances(row, mask)
        pairs = [None if u is None else self.exp(u) for u in distances]
        total = self.total([pair for pair in pairs if pair is not None])
        if total == 0:
            return [0] * len(row)
        r, q = self.reciprocal(total)
        q -= self.exponent(min(u for u in distances if u is not None), total)
        return [0 if pair is None else self.output(*pair, r, q) for pair in pairs]

    def exponent(self, nearest, total):
        """The largest exponent that keeps the largest element's share below 1: what the first
        table has of it, against the sum's bits that its reciprocal is made of."""
        if self.config.output_exponent == "none":
            return 0
        a, shift = self.high[nearest >> sum(bits for bits, _, _ in self.low)]
        largest = Fraction(a >> self.guard, 1 << (self.mantissa_bits - 1 + shift))
        kept = 1 + self.widths.reciprocal_index + self.widths.reciprocal_step
        dropped = max(total.bit_length() - kept, 0)
        whole = Fraction(total >> dropped << dropped, 1 << self.sum_fraction)
        exponent = 0
        while largest * 2 ** (exponent + 1) < whole:
            exponent += 1
        return exponent

    def exact(self, row, mask=None):
        """Exact softmax of a row's clipped codes, in output LSB, never above the largest output."""
        mask = mask or [False] * len(row)
        one = min(2**self.config.output.f, 2**self.config.output.width - 1)
        with mpmath.workprec(120):
            e = [
                mpmath.mpf(0) if u is None else mpmath.exp(-self.step * u)
                for u in self.distances(row, mask)
            ]
            return [min(value * 2**self.config.output.f / sum(e), one) for value in e]


@pytest.fixture(scope="session")
def twin():
    """The independent unit of a configuration; built once for each."""
    built = {}

    def build(config):
        key = unit_sha256("softmax", config)
        if key not in built:
            built[key] = Twin(config)
        return built[key]

    return build
