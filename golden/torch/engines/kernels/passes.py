"""What a row's elements wait for: passes over rows, some elements at a time."""

import triton
import triton.language as tl

from .stages import (
    codes_of,
    distance,
    exp,
    first,
    leading_one,
    loaded,
    reciprocal,
    round_half_up,
    significand,
)


@triton.jit
def row_max(x_ptr, row, rows, n, spec: tl.constexpr, height: tl.constexpr, width: tl.constexpr):
    """The largest code of every row that takes part; the lowest where none does."""
    largest = tl.full([height], spec.lowest, tl.int64)
    if spec.from_maximum:
        for start in range(0, n, width):
            x = loaded(x_ptr, row, start + tl.arange(0, width), rows, n)
            codes, active, _, _ = codes_of(x, spec)
            largest = tl.maximum(largest, tl.max(tl.where(active, codes, spec.lowest), axis=1))
    return largest


@triton.jit
def elements(x_ptr, tables, row, column, rows, n, maximum, spec: tl.constexpr):
    """(distance, m, k, active, clipped, invalid) of a block of rows."""
    codes, active, clipped, invalid = codes_of(loaded(x_ptr, row, column, rows, n), spec)
    far, saturated = distance(codes, active, maximum, spec)
    mantissa, shift = exp(tables, far, active, spec)
    return far, mantissa, shift, active, clipped | saturated, invalid


@triton.jit
def limb_of(mantissa, shift, spec: tl.constexpr):
    """The place in which a mantissa starts."""
    return tl.where(mantissa > 0, spec.highest - shift, 0)


@triton.jit
def top_limb(
    x_ptr, tables, row, rows, n, maximum, spec: tl.constexpr, height: tl.constexpr,
    width: tl.constexpr,
):  # fmt: skip
    """The highest limb in which a mantissa of the row starts."""
    top = tl.zeros([height], tl.int64)
    if spec.window:
        for start in range(0, n, width):
            column = start + tl.arange(0, width)
            _, m, k, _, _, _ = elements(x_ptr, tables, row, column, rows, n, maximum, spec)
            top = tl.maximum(top, tl.max(limb_of(m, k, spec) >> 4, axis=1))
    return top


@triton.jit
def into(limb, lower, upper, target):
    """The sum of the parts that fall into a limb."""
    parts = tl.where(limb == target[:, None], lower, 0)
    return tl.sum(parts + tl.where(limb + 1 == target[:, None], upper, 0), axis=1)


@triton.jit
def sums(
    x_ptr, tables, row, rows, n, maximum, spec: tl.constexpr, height: tl.constexpr,
    width: tl.constexpr,
):  # fmt: skip
    """(top, high, low, nearest, clipped, invalid) of rows.

    A sum in a window is ``high`` from limb ``top`` up, and limb ``low`` below; a whole one is
    ``high``. ``nearest``: the least distance; then counts.
    """
    top = top_limb(x_ptr, tables, row, rows, n, maximum, spec, height, width)
    high, below = tl.zeros([height], tl.int64), tl.zeros([height], tl.int64)
    nearest = tl.full([height], spec.reach, tl.int64)
    clipped, invalid = tl.zeros([height], tl.int64), tl.zeros([height], tl.int64)
    for start in range(0, n, width):
        column = start + tl.arange(0, width)
        far, m, k, _, outside, bad = elements(x_ptr, tables, row, column, rows, n, maximum, spec)
        if spec.window:
            place = limb_of(m, k, spec)
            limb, moved = place >> 4, m << (place & 15)
            lower, upper = moved & 0xFFFF, moved >> 16
            below += into(limb, lower, upper, top - 1)
            high += into(limb, lower, upper, top)
            high += into(limb, lower, upper, top + 1) << 16
        else:
            high += tl.sum((m << spec.highest) >> k, axis=1)
        nearest = tl.minimum(nearest, tl.min(far, axis=1))
        clipped += tl.sum(outside.to(tl.int64), axis=1)
        invalid += tl.sum(bad.to(tl.int64), axis=1)
    return top, high + (below >> 16), below & 0xFFFF, nearest, clipped, invalid


@triton.jit
def scalars(tables, top, high, low, nearest, product: tl.constexpr, spec: tl.constexpr):
    """(r, q less the exponent, exponent) of rows; a row whose sum is 0 has the exponent 0."""
    segments: tl.constexpr = product.reciprocal
    q, s = significand(top, high, low, segments, spec)
    exponent = q * 0
    if product.has_exponent:
        m, k = first(tables, nearest, spec)
        largest = ((m >> spec.guard) << (product.fine - spec.mantissa + 1)) & (
            (1 << product.fine) - 1
        )
        below = largest < (s << (product.fine - segments.kept))
        found = tl.maximum(q + k - (below == 0).to(tl.int64), 0)
        exponent = tl.where(leading_one(high) >= 0, found, 0)
    return reciprocal(tables, s, segments), q - exponent, exponent


@triton.jit
def probability(m, k, r, q, product: tl.constexpr):
    """Codes of p, of elements and their rows' scalars."""
    bits = tl.minimum(product.drop + k + q[:, None], product.most)
    p = round_half_up(m * r[:, None], bits)
    return tl.minimum(tl.maximum(p, 0), product.one)


@triton.jit
def minus_log(far, ln_sum, log: tl.constexpr):
    """-log p with its guard bits; ``ln_sum`` has the shape that it is added in."""
    return ((far * log.factor) >> log.drop) + ln_sum
