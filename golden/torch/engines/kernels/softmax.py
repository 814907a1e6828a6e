"""p of rows of logits, or log p."""

import triton
import triton.language as tl

from .passes import count, minus_log, probability, row_max, scalars, sums, terms
from .stages import ln, loaded, power_of_two


@triton.jit
def store_gate(
    gate_ptr, row, start, rows, gate_width, clipped, height: tl.constexpr, width: tl.constexpr
):
    """Flags of a block, eight a byte."""
    bits = clipped.to(tl.int32) << (tl.arange(0, width) & 7)[None, :]
    packed = tl.sum(tl.reshape(bits, [height, width // 8, 8]), axis=2)
    column = start // 8 + tl.arange(0, width // 8)
    there = (row < rows)[:, None] & (column < gate_width)[None, :]
    place = gate_ptr + (row * gate_width)[:, None] + column[None, :]
    tl.store(place, packed.to(tl.uint8), mask=there)


@triton.jit
def log_codes(far, active, ln_sum, log: tl.constexpr, lowest: tl.constexpr):
    """Codes of log p; the lowest where an element takes no part."""
    fine = minus_log(far, ln_sum[:, None], log)
    codes = -((fine + (1 << (log.guard - 1))) >> log.guard)
    return tl.where(active, tl.minimum(tl.maximum(codes, lowest), 0), lowest)


@triton.jit
def softmax_block(
    x_ptr, result_ptr, gate_ptr, tables, start, row, rows, n, gate_width, maximum, r, q, ln_sum,
    scale, spec: tl.constexpr, last: tl.constexpr, is_log: tl.constexpr, lowest: tl.constexpr,
    keep_gate: tl.constexpr, height: tl.constexpr, width: tl.constexpr,
):  # fmt: skip
    """The results of a block of rows that all is known of."""
    column = start + tl.arange(0, width)
    x = loaded(x_ptr, row, column, rows, n)
    far, m, k, active, outside, _ = terms(x, tables, maximum, spec)
    if is_log:
        codes = log_codes(far, active, ln_sum, last, lowest)
    else:
        codes = probability(m, k, r, q, last)
    like: tl.constexpr = result_ptr.dtype.element_ty
    values = codes.to(like) * scale.to(like)[:, None]
    there = (row < rows)[:, None] & (column < n)[None, :]
    tl.store(result_ptr + (row * n)[:, None] + column[None, :], values, mask=there)
    if keep_gate:
        store_gate(gate_ptr, row, start, rows, gate_width, outside, height, width)


@triton.jit
def softmax_kernel(
    x_ptr, result_ptr, gate_ptr, exponent_ptr, count_ptr, tables,
    rows, n, gate_width,
    spec: tl.constexpr, last: tl.constexpr, is_log: tl.constexpr, lowest: tl.constexpr,
    exponent: tl.constexpr, keep_gate: tl.constexpr,
    whole: tl.constexpr, height: tl.constexpr, width: tl.constexpr,
):  # fmt: skip
    """``last``: the last stage, a ``Logarithm`` where ``is_log`` is set, with the output's
    ``lowest`` code, else a ``Product``; ``exponent``: rows have one."""
    row = tl.program_id(0).to(tl.int64) * height + tl.arange(0, height)
    maximum = row_max(x_ptr, row, rows, n, spec, whole, height, width)
    top, high, low, nearest, clipped, invalid = sums(
        x_ptr, tables, row, rows, n, maximum, spec, exponent, whole, height, width
    )
    r, q, ln_sum, places = top, top, top, top * 0
    if is_log:
        ln_sum = ln(tables, top, high, low, last, spec)
    else:
        r, q, places = scalars(tables, top, high, low, nearest, last, spec)
    scale = power_of_two(-last.fraction - places)
    if whole:
        softmax_block(
            x_ptr, result_ptr, gate_ptr, tables, 0, row, rows, n, gate_width, maximum, r, q,
            ln_sum, scale, spec, last, is_log, lowest, keep_gate, height, width,
        )  # fmt: skip
    else:
        for start in range(0, n, width):
            softmax_block(
                x_ptr, result_ptr, gate_ptr, tables, start, row, rows, n, gate_width, maximum, r,
                q, ln_sum, scale, spec, last, is_log, lowest, keep_gate, height, width,
            )  # fmt: skip
    if exponent:
        tl.store(exponent_ptr + row, places, mask=row < rows)
    count(count_ptr, clipped, invalid)
