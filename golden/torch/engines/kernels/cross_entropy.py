"""Losses of rows of logits, and their gradients.

Targets are classes, or weights z of all classes where ``dense`` is set. A class has the weight 1,
of which nothing has to be rounded.
"""

import triton
import triton.language as tl

from .passes import count, minus_log, probability, row_max, scalars, sums, terms
from .stages import ln, loaded, narrowed, power_of_two


@triton.jit
def weights(target_ptr, row, column, rows, n):
    """Weights of the classes of a block of rows."""
    there = (row < rows)[:, None] & (column < n)[None, :]
    return tl.load(target_ptr + (row * n)[:, None] + column[None, :], mask=there, other=0)


@triton.jit
def of_weights(
    x_ptr, target_ptr, tables, row, rows, n, maximum, ln_sum,
    spec: tl.constexpr, log: tl.constexpr, height: tl.constexpr, width: tl.constexpr,
):  # fmt: skip
    """(sum z (-log p), sum z, weights of classes that are masked: how many) of rows."""
    fine, total = tl.zeros([height], tl.int64), tl.zeros([height], tl.int64)
    masked = tl.zeros([height], tl.int32)
    for start in range(0, n, width):
        column = start + tl.arange(0, width)
        x = loaded(x_ptr, row, column, rows, n)
        far, _, _, active, _, _ = terms(x, tables, maximum, spec)
        z = weights(target_ptr, row, column, rows, n)
        fine += tl.sum(z * minus_log(far, ln_sum[:, None], log), axis=1)
        total += tl.sum(z, axis=1)
        masked += tl.sum(((z != 0) & (active == 0)).to(tl.int32), axis=1)
    return fine, total, masked


@triton.jit
def of_class(
    x_ptr, target_ptr, tables, row, rows, n, maximum, ln_sum, spec: tl.constexpr, log: tl.constexpr
):
    """(-log p, whether there is a class, whether it is masked) of rows' classes."""
    target = tl.load(target_ptr + row, mask=row < rows, other=-1)
    there = (target >= 0) & (target < n)
    place = x_ptr + row * n + tl.where(there, target, 0)
    x = tl.load(place, mask=there, other=float("-inf"))
    far, _, _, active, _, _ = terms(x[:, None], tables, maximum, spec)
    fine = minus_log(far, ln_sum[:, None], log)
    active = tl.sum(active.to(tl.int32), axis=1) > 0
    return tl.sum(fine, axis=1), there, (there & (active == 0)).to(tl.int32)


@triton.jit
def loss_kernel(
    x_ptr, target_ptr, loss_ptr, count_ptr, tables, rows, n,
    spec: tl.constexpr, log: tl.constexpr, highest: tl.constexpr, dense: tl.constexpr,
    whole: tl.constexpr, height: tl.constexpr, width: tl.constexpr,
):  # fmt: skip
    """``highest``: the largest code of a loss."""
    row = tl.program_id(0).to(tl.int64) * height + tl.arange(0, height)
    maximum = row_max(x_ptr, row, rows, n, spec, whole, height, width)
    top, high, low, _nearest, clipped, invalid = sums(
        x_ptr, tables, row, rows, n, maximum, spec, False, whole, height, width
    )
    ln_sum = ln(tables, top, high, low, log, spec)
    if dense:
        fine, total, masked = of_weights(
            x_ptr, target_ptr, tables, row, rows, n, maximum, ln_sum, spec, log, height, width
        )
        codes = (fine + (1 << (log.guard + log.weight - 1))) >> (log.guard + log.weight)
        there = total != 0
    else:
        fine, there, masked = of_class(
            x_ptr, target_ptr, tables, row, rows, n, maximum, ln_sum, spec, log
        )
        codes = ((fine + (1 << (log.guard - 1))) >> log.guard).to(tl.int64)
    codes = tl.minimum(tl.maximum(codes, 0), highest)
    codes = tl.where(there & (masked == 0), codes, 0)
    like: tl.constexpr = loss_ptr.dtype.element_ty
    values = codes.to(like) * power_of_two(masked * 0 - log.fraction).to(like)
    tl.store(loss_ptr + row, values, mask=row < rows)
    count(count_ptr, clipped, invalid + (masked > 0).to(tl.int32))


@triton.jit
def gradient_codes(
    p, target_ptr, row, column, rows, n, total, exponent,
    last: tl.constexpr, log: tl.constexpr, dense: tl.constexpr, bits: tl.constexpr,
):  # fmt: skip
    """Codes of p less the weights, before they are saturated; of ``bits`` bits, for classes."""
    if dense:
        z = weights(target_ptr, row, column, rows, n)
        fine = p * total[:, None] - (z << (last.fraction + exponent)[:, None])
        codes = (fine + (1 << (log.weight - 1))) >> log.weight
    else:
        target = tl.load(target_ptr + row, mask=row < rows, other=-1)
        one = narrowed(exponent * 0 + 1, bits) << (last.fraction + exponent)
        codes = p - tl.where(target[:, None] == column[None, :], one[:, None], 0)
    return codes


@triton.jit
def gradient_block(
    x_ptr, target_ptr, gradient_ptr, tables, start, row, rows, n, maximum, r, q, exponent, total,
    counted, scale, upstream,
    spec: tl.constexpr, last: tl.constexpr, log: tl.constexpr, lowest: tl.constexpr,
    highest: tl.constexpr, bits: tl.constexpr, stops: tl.constexpr, dense: tl.constexpr,
    width: tl.constexpr,
):  # fmt: skip
    """The gradients of a block of rows that all is known of."""
    column = start + tl.arange(0, width)
    x = loaded(x_ptr, row, column, rows, n)
    _, m, k, active, outside, _ = terms(x, tables, maximum, spec)
    p = probability(m, k, r, q, last)
    codes = gradient_codes(
        p, target_ptr, row, column, rows, n, total, exponent, last, log, dense, bits
    )
    codes = tl.minimum(tl.maximum(codes, lowest), highest)
    kept = counted[:, None] & active
    if stops:
        kept = kept & (outside == 0)
    values = tl.where(kept, codes, 0).to(scale.dtype) * scale[:, None] * upstream[:, None]
    there = (row < rows)[:, None] & (column < n)[None, :]
    place = gradient_ptr + (row * n)[:, None] + column[None, :]
    tl.store(place, values.to(gradient_ptr.dtype.element_ty), mask=there)


@triton.jit
def loss_gradient_kernel(
    x_ptr, target_ptr, upstream_ptr, gradient_ptr, tables, rows, n,
    spec: tl.constexpr, last: tl.constexpr, log: tl.constexpr, lowest: tl.constexpr,
    highest: tl.constexpr, bits: tl.constexpr, like: tl.constexpr, stops: tl.constexpr,
    dense: tl.constexpr, whole: tl.constexpr, height: tl.constexpr, width: tl.constexpr,
):  # fmt: skip
    """``lowest``, ``highest``: the least and the largest code of a gradient, of ``bits`` bits;
    ``like``: a dtype in which a code times an upstream gradient is exact, or rounded once to x's;
    ``stops``: an element that was clipped has none."""
    row = tl.program_id(0).to(tl.int64) * height + tl.arange(0, height)
    maximum = row_max(x_ptr, row, rows, n, spec, whole, height, width)
    top, high, low, nearest, _clipped, _invalid = sums(
        x_ptr, tables, row, rows, n, maximum, spec, last.has_exponent, whole, height, width
    )
    r, q, exponent = scalars(tables, top, high, low, nearest, last, spec)
    nothing = narrowed(q * 0, log.bits)
    if dense:
        _, total, masked = of_weights(
            x_ptr, target_ptr, tables, row, rows, n, maximum, nothing, spec, log, height, width
        )
        counted = (total != 0) & (masked == 0)
    else:
        _, there, masked = of_class(
            x_ptr, target_ptr, tables, row, rows, n, maximum, nothing, spec, log
        )
        total = masked
        counted = there & (masked == 0)
    upstream = tl.load(upstream_ptr + row, mask=row < rows, other=0.0).to(like)
    scale = power_of_two(-last.fraction - exponent).to(like)
    if whole:
        gradient_block(
            x_ptr, target_ptr, gradient_ptr, tables, 0, row, rows, n, maximum, r, q, exponent,
            total, counted, scale, upstream, spec, last, log, lowest, highest, bits, stops, dense,
            width,
        )  # fmt: skip
    else:
        for start in range(0, n, width):
            gradient_block(
                x_ptr, target_ptr, gradient_ptr, tables, start, row, rows, n, maximum, r, q,
                exponent, total, counted, scale, upstream, spec, last, log, lowest, highest, bits,
                stops, dense, width,
            )  # fmt: skip
