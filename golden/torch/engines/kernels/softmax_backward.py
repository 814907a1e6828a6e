"""dS = P (dP - D) of rows of p and dP."""

import triton
import triton.language as tl

from .stages import power_of_two, quantized, round_half_up


@triton.jit
def row_block(x_ptr, row, column, rows, n):
    """Values of a block of rows as float64; 0 where there are none."""
    there = (row < rows)[:, None] & (column < n)[None, :]
    x = tl.load(x_ptr + row[:, None] * n + column[None, :], mask=there, other=0.0)
    return x.to(tl.float64)


@triton.jit
def scale_of(largest, spec: tl.constexpr):
    """The exponent by which a row's dP is multiplied, of its largest magnitude."""
    power = (largest.to(tl.int64, bitcast=True) >> 52) - 1022
    exponent = tl.minimum(
        tl.maximum(spec.integer - 1 - power, -spec.most_exponent), spec.most_exponent
    )
    return tl.where(largest > 0, exponent, 0)


@triton.jit
def rotated(word, places: tl.constexpr):
    """A word of 16 bits rotated left."""
    return ((word << places) | (word >> (16 - places))) & 0xFFFF


@triton.jit
def random_bits(seed, row, column, spec: tl.constexpr):
    """``spec.drop`` random bits of elements: Simon 32/64, see the golden model's ``dither``."""
    x = (column + row * 0) & 0xFFFF
    y = (row + column * 0) & 0xFFFF
    upper = (row >> 16) & 0xFFFF
    k0, k1 = upper * 0 + (seed & 0xFFFF), upper * 0 + ((seed >> 16) & 0xFFFF)
    k2, k3 = upper, upper ^ 0xFFFF
    rounds: tl.constexpr = spec.rounds
    for place in tl.static_range(rounds):
        mixed_x = y ^ (rotated(x, 1) & rotated(x, 8)) ^ rotated(x, 2) ^ k0
        y = x
        x = mixed_x
        mixed = rotated(k3, 13) ^ k1
        following = k0 ^ mixed ^ rotated(mixed, 15) ^ spec.constants[place]
        k0, k1, k2, k3 = k1, k2, k3, following
    return ((x << 16) | y) & ((1 << spec.drop) - 1)


@triton.jit(do_not_specialize=["grad_exponent", "seed", "first_row"])
def backward_kernel(
    p_ptr, dp_ptr, gate_ptr, exponent_ptr, ds_ptr, rows, n, gate_width,
    grad_exponent, seed, first_row,
    spec: tl.constexpr, own_scale: tl.constexpr, has_gate: tl.constexpr,
    height: tl.constexpr, width: tl.constexpr,
):  # fmt: skip
    """``own_scale``: dP of every row is multiplied by a power of two of its own."""
    row = tl.program_id(0).to(tl.int64) * height + tl.arange(0, height)
    real: tl.constexpr = spec.input
    largest = tl.zeros([height], tl.float64)
    lost = tl.zeros([height], tl.int64)
    for start in range(0, n, width):
        size = tl.abs(row_block(dp_ptr, row, start + tl.arange(0, width), rows, n))
        finite = size < float("inf")  # NaN is not
        largest = tl.maximum(largest, tl.max(tl.where(finite, size, 0.0), axis=1))
        lost = tl.maximum(lost, tl.max((finite == 0).to(tl.int64), axis=1))
    s = row * 0
    if spec.has_exponent:
        s = tl.load(exponent_ptr + row, mask=row < rows, other=0).to(tl.int64)
    e = row * 0 + grad_exponent
    if own_scale:
        e = tl.where(lost > 0, 0, scale_of(largest, spec))
    p_scale = power_of_two(spec.p_fraction + s)[:, None]
    dp_scale = power_of_two(real.fraction + e)[:, None]
    total = tl.zeros([height], tl.int64)
    for start in range(0, n, width):
        column = start + tl.arange(0, width)
        p = (row_block(p_ptr, row, column, rows, n) * p_scale).to(tl.int64)
        dp = row_block(dp_ptr, row, column, rows, n)
        dp = tl.where((lost > 0)[:, None], 0.0, dp)
        codes, _ = quantized(dp * dp_scale, real)
        total += tl.sum(p * codes, axis=1)
    d = round_half_up(total, spec.dot_drop + s)
    d = tl.minimum(tl.maximum(d, spec.dot_low), spec.dot_high)
    scale = power_of_two(-spec.fraction - e - s)
    for start in range(0, n, width):
        column = start + tl.arange(0, width)
        p = (row_block(p_ptr, row, column, rows, n) * p_scale).to(tl.int64)
        dp = row_block(dp_ptr, row, column, rows, n)
        dp = tl.where((lost > 0)[:, None], 0.0, dp)
        codes, _ = quantized(dp * dp_scale, real)
        exact = p * ((codes << spec.guard) - d[:, None])
        if spec.stochastic:
            number = (row + first_row)[:, None]
            exact += random_bits(seed.to(tl.int64), number, column[None, :].to(tl.int64), spec)
        else:
            exact += 1 << (spec.drop - 1)
        ds = tl.minimum(tl.maximum(exact >> spec.drop, spec.low), spec.high)
        there = (row < rows)[:, None] & (column < n)[None, :]
        if has_gate:
            place = gate_ptr + row[:, None] * gate_width + (column // 8)[None, :]
            flags = tl.load(place, mask=there, other=0).to(tl.int32)
            ds = tl.where(((flags >> (column & 7)[None, :]) & 1) > 0, 0, ds)
        values = ds.to(tl.float64) * scale[:, None]
        values = tl.where((lost > 0)[:, None], float("nan"), values)
        place = ds_ptr + row[:, None] * n + column[None, :]
        tl.store(place, values.to(ds_ptr.dtype.element_ty), mask=there)
