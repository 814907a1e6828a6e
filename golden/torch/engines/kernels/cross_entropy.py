"""Losses of rows of logits, and their gradients.

Targets are classes, or weights z of all classes where ``dense`` is set.
"""

import triton
import triton.language as tl

from .passes import elements, minus_log, probability, row_max, scalars, sums
from .stages import ln, power_of_two


@triton.jit
def weights(target_ptr, row, column, rows, n, log: tl.constexpr, dense: tl.constexpr):
    """Weights of the classes of a block of rows."""
    if dense:
        there = (row < rows)[:, None] & (column < n)[None, :]
        z = tl.load(target_ptr + row[:, None] * n + column[None, :], mask=there, other=0)
    else:
        target = tl.load(target_ptr + row, mask=row < rows, other=-1)
        z = (target[:, None] == column[None, :]).to(tl.int64) << log.weight
        z = tl.where((column < n)[None, :], z, 0)
    return z


@triton.jit
def weighted(
    x_ptr, target_ptr, tables, row, rows, n, maximum, ln_sum,
    spec: tl.constexpr, log: tl.constexpr, dense: tl.constexpr,
    height: tl.constexpr, width: tl.constexpr,
):  # fmt: skip
    """(sum z (-log p), sum z, weights of classes that are masked: how many) of rows."""
    fine, total = tl.zeros([height], tl.int64), tl.zeros([height], tl.int64)
    masked = tl.zeros([height], tl.int64)
    for start in range(0, n, width):
        column = start + tl.arange(0, width)
        far, _, _, active, _, _ = elements(x_ptr, tables, row, column, rows, n, maximum, spec)
        z = weights(target_ptr, row, column, rows, n, log, dense)
        fine += tl.sum(z * minus_log(far, ln_sum[:, None], log), axis=1)
        total += tl.sum(z, axis=1)
        masked += tl.sum(((z != 0) & (active == 0)).to(tl.int64), axis=1)
    return fine, total, masked


@triton.jit
def loss_kernel(
    x_ptr, target_ptr, loss_ptr, clipped_ptr, invalid_ptr, tables, rows, n,
    spec: tl.constexpr, log: tl.constexpr, highest: tl.constexpr, dense: tl.constexpr,
    height: tl.constexpr, width: tl.constexpr,
):  # fmt: skip
    """``highest``: the largest code of a loss."""
    row = tl.program_id(0).to(tl.int64) * height + tl.arange(0, height)
    maximum = row_max(x_ptr, row, rows, n, spec, height, width)
    top, high, low, _nearest, clipped, invalid = sums(
        x_ptr, tables, row, rows, n, maximum, spec, height, width
    )
    ln_sum = ln(tables, top, high, low, log, spec)
    fine, total, masked = weighted(
        x_ptr,
        target_ptr,
        tables,
        row,
        rows,
        n,
        maximum,
        ln_sum,
        spec,
        log,
        dense,
        height,
        width,
    )
    codes = (fine + (1 << (log.guard + log.weight - 1))) >> (log.guard + log.weight)
    codes = tl.minimum(tl.maximum(codes, 0), highest)
    codes = tl.where((total != 0) & (masked == 0), codes, 0)
    scale = power_of_two(codes * 0 - log.fraction)
    values = (codes.to(tl.float64) * scale).to(loss_ptr.dtype.element_ty)
    tl.store(loss_ptr + row, values, mask=row < rows)
    tl.store(clipped_ptr + row, clipped, mask=row < rows)
    tl.store(invalid_ptr + row, invalid + (masked > 0).to(tl.int64), mask=row < rows)


@triton.jit
def loss_gradient_kernel(
    x_ptr, target_ptr, upstream_ptr, gradient_ptr, tables, rows, n,
    spec: tl.constexpr, product: tl.constexpr, log: tl.constexpr, lowest: tl.constexpr,
    highest: tl.constexpr, stops: tl.constexpr, dense: tl.constexpr,
    height: tl.constexpr, width: tl.constexpr,
):  # fmt: skip
    """``lowest``, ``highest``: the least and the largest code of a gradient; ``stops``: an element
    that was clipped has none."""
    row = tl.program_id(0).to(tl.int64) * height + tl.arange(0, height)
    maximum = row_max(x_ptr, row, rows, n, spec, height, width)
    top, high, low, nearest, _clipped, _invalid = sums(
        x_ptr, tables, row, rows, n, maximum, spec, height, width
    )
    r, q, exponent = scalars(tables, top, high, low, nearest, product, spec)
    _fine, total, masked = weighted(
        x_ptr, target_ptr, tables, row, rows, n, maximum, q * 0, spec, log, dense, height, width
    )
    upstream = tl.load(upstream_ptr + row, mask=row < rows, other=0.0).to(tl.float64)
    scale = power_of_two(-product.fraction - exponent)
    counted = (total != 0) & (masked == 0)
    for start in range(0, n, width):
        column = start + tl.arange(0, width)
        _far, m, k, active, outside, _bad = elements(
            x_ptr, tables, row, column, rows, n, maximum, spec
        )
        z = weights(target_ptr, row, column, rows, n, log, dense)
        p = probability(m, k, r, q, product)
        fine = p * total[:, None] - (z << (product.fraction + exponent)[:, None])
        codes = (fine + (1 << (log.weight - 1))) >> log.weight
        codes = tl.minimum(tl.maximum(codes, lowest), highest)
        kept = counted[:, None] & active
        if stops:
            kept = kept & (outside == 0)
        codes = tl.where(kept, codes, 0)
        values = codes.to(tl.float64) * scale[:, None] * upstream[:, None]
        there = (row < rows)[:, None] & (column < n)[None, :]
        place = gradient_ptr + row[:, None] * n + column[None, :]
        tl.store(place, values.to(gradient_ptr.dtype.element_ty), mask=there)
