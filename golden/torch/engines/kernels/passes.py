"""What a row's elements wait for: passes over rows, some elements at a time.

A row that fits a block is ``whole``: its passes are one, as a compiler sees that they make the same
of it.
"""

import triton
import triton.language as tl

from .stages import (
    distance,
    exp,
    first,
    leading_one,
    loaded,
    narrowed,
    product,
    reciprocal,
    round_half_up,
    significand,
    taken,
    term,
)


@triton.jit
def terms(x, tables, maximum, spec: tl.constexpr):
    """(distance, m, k, active, clipped, invalid) of logits."""
    halves, active, outside, invalid = taken(x, spec)
    far, saturated = distance(halves, maximum, spec)
    mantissa, shift = exp(tables, far, active, spec)
    if spec.saturates:
        outside = outside | saturated
    return far, mantissa, shift, active, outside & active, invalid


@triton.jit
def largest_of(x, spec: tl.constexpr):
    """The largest code of every row that takes part; the lowest where none does."""
    halves, active, _, _ = taken(x, spec)
    return (tl.max(tl.where(active, halves, 2 * spec.lowest), axis=1) + 1) >> 1


@triton.jit
def nearest_of(far, active, spec: tl.constexpr):
    """The least distance of every row."""
    return tl.min(tl.where(active, far, spec.reach), axis=1)


@triton.jit
def row_max(
    x_ptr, row, rows, n, spec: tl.constexpr, whole: tl.constexpr, height: tl.constexpr,
    width: tl.constexpr,
):  # fmt: skip
    """The largest code of every row, see :func:`largest_of`."""
    largest = tl.full([height], spec.lowest, tl.int32)
    if spec.from_maximum:
        if whole:
            largest = largest_of(loaded(x_ptr, row, tl.arange(0, width), rows, n), spec)
        else:
            for start in range(0, n, width):
                x = loaded(x_ptr, row, start + tl.arange(0, width), rows, n)
                largest = tl.maximum(largest, largest_of(x, spec))
    return largest


@triton.jit
def limb_of(mantissa, shift, spec: tl.constexpr):
    """The place in which a mantissa starts."""
    return tl.where(mantissa > 0, spec.highest - shift, 0)


@triton.jit
def top_of(x, tables, maximum, spec: tl.constexpr):
    """The highest limb in which a mantissa of a block's rows starts."""
    _, m, k, _, _, _ = terms(x, tables, maximum, spec)
    return tl.max(limb_of(m, k, spec) >> 4, axis=1)


@triton.jit
def top_limb(
    x_ptr, tables, row, rows, n, maximum, spec: tl.constexpr, whole: tl.constexpr,
    height: tl.constexpr, width: tl.constexpr,
):  # fmt: skip
    """The highest limb of every row, see :func:`top_of`; 0 where sums have no window."""
    top = tl.zeros([height], tl.int32)
    if spec.window:
        if whole:
            x = loaded(x_ptr, row, tl.arange(0, width), rows, n)
            top = top_of(x, tables, maximum, spec)
        else:
            for start in range(0, n, width):
                x = loaded(x_ptr, row, start + tl.arange(0, width), rows, n)
                top = tl.maximum(top, top_of(x, tables, maximum, spec))
    return top


@triton.jit
def into(limb, lower, upper, target):
    """The sum of the parts that fall into a limb."""
    parts = tl.where(limb == target[:, None], lower, 0)
    parts += tl.where(limb + 1 == target[:, None], upper, 0)
    return tl.sum(parts.to(tl.int64), axis=1)


@triton.jit
def partial_sums(m, k, top, spec: tl.constexpr):
    """(high, below) of a block's rows: their sums from limb ``top`` up, and in the limb below; or
    all of them and 0."""
    if spec.window:
        place = limb_of(m, k, spec)
        limb = place >> 4
        moved = narrowed(m, spec.mantissa + 15) << (place & 15)
        lower, upper = (moved & 0xFFFF).to(tl.int32), (moved >> 16).to(tl.int32)
        high = into(limb, lower, upper, top) + (into(limb, lower, upper, top + 1) << 16)
        below = into(limb, lower, upper, top - 1)
    else:
        high = tl.sum(term(m, k, spec).to(tl.int64), axis=1)
        below = high * 0
    return high, below


@triton.jit
def counted(outside, bad):
    """(how many are clipped, how many are invalid) of a block's rows, of at most 2**15 elements."""
    both = tl.sum(outside.to(tl.int32) + (bad.to(tl.int32) << 16), axis=1)
    return both & 0xFFFF, both >> 16


@triton.jit
def block_sums(x, tables, maximum, top, spec: tl.constexpr, exponent: tl.constexpr):
    """(high, below, nearest, clipped, invalid) of a block's rows; ``nearest``, the least distance,
    where there is an ``exponent``."""
    far, m, k, active, outside, bad = terms(x, tables, maximum, spec)
    high, below = partial_sums(m, k, top, spec)
    nearest = top * 0
    if exponent:
        nearest = nearest_of(far, active, spec)
    clipped, invalid = counted(outside, bad)
    return high, below, nearest, clipped, invalid


@triton.jit
def sums(
    x_ptr, tables, row, rows, n, maximum, spec: tl.constexpr, exponent: tl.constexpr,
    whole: tl.constexpr, height: tl.constexpr, width: tl.constexpr,
):  # fmt: skip
    """(top, high, low, nearest, clipped, invalid) of rows.

    A sum in a window is ``high`` from limb ``top`` up, and limb ``low`` below; a whole one is
    ``high``. ``nearest``: the least distance; then counts.
    """
    top = top_limb(x_ptr, tables, row, rows, n, maximum, spec, whole, height, width)
    if whole:
        x = loaded(x_ptr, row, tl.arange(0, width), rows, n)
        high, below, nearest, clipped, invalid = block_sums(x, tables, maximum, top, spec, exponent)
    else:
        high, below = tl.zeros([height], tl.int64), tl.zeros([height], tl.int64)
        nearest = tl.full([height], spec.reach, tl.int32)
        clipped, invalid = tl.zeros([height], tl.int32), tl.zeros([height], tl.int32)
        for start in range(0, n, width):
            x = loaded(x_ptr, row, start + tl.arange(0, width), rows, n)
            more, under, near, outside, bad = block_sums(x, tables, maximum, top, spec, exponent)
            high += more
            below += under
            nearest = tl.minimum(nearest, near)
            clipped += outside
            invalid += bad
    return top, high + (below >> 16), below & 0xFFFF, nearest, clipped, invalid


@triton.jit
def count(count_ptr, clipped, invalid):
    """Add what rows have to the counts of all."""
    clipped, invalid = tl.sum(clipped, axis=0), tl.sum(invalid, axis=0)
    tl.atomic_add(count_ptr, clipped.to(tl.int64), mask=clipped > 0, sem="relaxed")
    tl.atomic_add(count_ptr + 1, invalid.to(tl.int64), mask=invalid > 0, sem="relaxed")


@triton.jit
def exponent_of(tables, q, s, high, nearest, last: tl.constexpr, spec: tl.constexpr):
    """The exponents of rows, of their sums and their least distances."""
    segments: tl.constexpr = last.reciprocal
    m, k = first(tables, nearest, spec)
    largest = (m.to(tl.int64) >> spec.guard) << (last.fine - spec.mantissa + 1)
    largest = largest & ((1 << last.fine) - 1)
    below = largest < (s << (last.fine - segments.kept))
    found = tl.maximum(q + k - (below == 0).to(tl.int32), 0)
    return tl.where(leading_one(high) >= 0, found, 0)


@triton.jit
def scalars(tables, top, high, low, nearest, last: tl.constexpr, spec: tl.constexpr):
    """(r, q less the exponent, exponent) of rows; a row whose sum is 0 has the exponent 0."""
    segments: tl.constexpr = last.reciprocal
    q, s = significand(top, high, low, segments, spec)
    exponent = q * 0
    if last.has_exponent:
        exponent = exponent_of(tables, q, s, high, nearest, last, spec)
    r = narrowed(reciprocal(tables, s, segments), last.bits - spec.mantissa)
    return r, q - exponent, exponent


@triton.jit
def probability(m, k, r, q, last: tl.constexpr):
    """Codes of p, of elements and their rows' scalars."""
    exact = product(m, r[:, None], last.bits)
    if last.split:
        left: tl.constexpr = last.drop - 1 - last.sure
        bits = tl.minimum(k + (q + left)[:, None], last.most - 1 - last.sure)
        p = (((exact >> last.sure).to(tl.int32) >> bits) + 1) >> 1
    else:
        p = round_half_up(exact, tl.minimum(last.drop + k + q[:, None], last.most)).to(tl.int32)
    return tl.minimum(p, last.one)


@triton.jit
def minus_log(far, ln_sum, log: tl.constexpr):
    """-log p with its guard bits; ``ln_sum`` has the shape that it is added in."""
    factor: tl.constexpr = log.factor
    if log.product_bits > 31:
        scaled = narrowed((far.to(tl.int64) * factor) >> log.drop, log.bits)
    else:
        scaled = narrowed((far * factor) >> log.drop, log.bits)
    return scaled + ln_sum
