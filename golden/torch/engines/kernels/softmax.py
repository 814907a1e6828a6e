"""p of rows of logits, or log p."""

import triton
import triton.language as tl

from .passes import elements, minus_log, probability, row_max, scalars, sums
from .stages import ln, power_of_two


@triton.jit
def store_gate(
    gate_ptr, row, start, rows, gate_width, clipped, height: tl.constexpr, width: tl.constexpr
):
    """Flags of a block, eight a byte."""
    bits = clipped.to(tl.int32) << (tl.arange(0, width) & 7)[None, :]
    packed = tl.sum(tl.reshape(bits, [height, width // 8, 8]), axis=2)
    column = start // 8 + tl.arange(0, width // 8)
    there = (row < rows)[:, None] & (column < gate_width)[None, :]
    tl.store(
        gate_ptr + row[:, None] * gate_width + column[None, :], packed.to(tl.uint8), mask=there
    )


@triton.jit
def softmax_kernel(
    x_ptr, result_ptr, gate_ptr, exponent_ptr, clipped_ptr, invalid_ptr, tables,
    rows, n, gate_width,
    spec: tl.constexpr, last: tl.constexpr, is_log: tl.constexpr, lowest: tl.constexpr,
    keep_gate: tl.constexpr, height: tl.constexpr, width: tl.constexpr,
):  # fmt: skip
    """``last``: the last stage, a ``Logarithm`` where ``is_log`` is set, with the output's
    ``lowest`` code, else a ``Product``."""
    row = tl.program_id(0).to(tl.int64) * height + tl.arange(0, height)
    maximum = row_max(x_ptr, row, rows, n, spec, height, width)
    top, high, low, nearest, clipped, invalid = sums(
        x_ptr, tables, row, rows, n, maximum, spec, height, width
    )
    tl.store(clipped_ptr + row, clipped, mask=row < rows)
    tl.store(invalid_ptr + row, invalid, mask=row < rows)
    r, q, ln_sum, exponent = top, top, top, top * 0
    if is_log:
        ln_sum = ln(tables, top, high, low, last, spec)
    else:
        r, q, exponent = scalars(tables, top, high, low, nearest, last, spec)
        if last.has_exponent:
            tl.store(exponent_ptr + row, exponent.to(tl.int32), mask=row < rows)
    scale = power_of_two(-last.fraction - exponent)
    for start in range(0, n, width):
        column = start + tl.arange(0, width)
        far, m, k, active, outside, _ = elements(x_ptr, tables, row, column, rows, n, maximum, spec)
        if is_log:
            fine = minus_log(far, ln_sum[:, None], last)
            codes = -((fine + (1 << (last.guard - 1))) >> last.guard)
            codes = tl.where(active, tl.minimum(tl.maximum(codes, lowest), 0), lowest)
        else:
            codes = probability(m, k, r, q, last)
        values = (codes.to(tl.float64) * scale[:, None]).to(result_ptr.dtype.element_ty)
        there = (row < rows)[:, None] & (column < n)[None, :]
        tl.store(result_ptr + row[:, None] * n + column[None, :], values, mask=there)
        if keep_gate:
            store_gate(gate_ptr, row, start, rows, gate_width, outside, height, width)
