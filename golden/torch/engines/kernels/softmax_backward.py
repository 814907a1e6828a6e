"""dS = P (dP - D) of rows of p and dP."""

import triton
import triton.language as tl

from .stages import narrowed, power_of_two, product, quantized, round_half_up


@triton.jit
def row_block(x_ptr, row, column, rows, n):
    """Values of a block of rows; 0 where there are none."""
    there = (row < rows)[:, None] & (column < n)[None, :]
    return tl.load(x_ptr + (row * n)[:, None] + column[None, :], mask=there, other=0.0)


@triton.jit
def largest_finite(size):
    """(the largest of a block's rows, whether one is not finite) of magnitudes."""
    finite = size < float("inf")  # NaN is not
    largest = tl.max(tl.where(finite, size, 0.0), axis=1)
    return largest, tl.max((finite == 0).to(tl.int32), axis=1)


@triton.jit
def scale_of(largest, spec: tl.constexpr):
    """The exponent by which a row's dP is multiplied, of its largest magnitude."""
    if largest.dtype == tl.float64:
        power = ((largest.to(tl.int64, bitcast=True) >> 52) - 1022).to(tl.int32)
    else:  # one below all normal ones gives the largest exponent, as it must
        power = (largest.to(tl.int32, bitcast=True) >> 23) - 126
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
    x = (column & 0xFFFF).to(tl.int32) + (row & 0).to(tl.int32)
    y = (row & 0xFFFF).to(tl.int32) + (column & 0).to(tl.int32)
    upper = ((row >> 16) & 0xFFFF).to(tl.int32)
    k0 = upper * 0 + (seed & 0xFFFF).to(tl.int32)
    k1 = upper * 0 + ((seed >> 16) & 0xFFFF).to(tl.int32)
    k2, k3 = upper, upper ^ 0xFFFF
    rounds: tl.constexpr = spec.rounds
    for place in tl.static_range(rounds):
        mixed_x = y ^ (rotated(x, 1) & rotated(x, 8)) ^ rotated(x, 2) ^ k0
        y = x
        x = mixed_x
        mixed = rotated(k3, 13) ^ k1
        following = k0 ^ mixed ^ rotated(mixed, 15) ^ spec.constants[place]
        k0, k1, k2, k3 = k1, k2, k3, following
    return ((narrowed(x, spec.drop + 16) << 16) | y) & ((1 << spec.drop) - 1)


@triton.jit
def gradient(p, codes, d, random, spec: tl.constexpr):
    """Codes of dS; ``random``: bits that are added where the rounding is stochastic, else 0."""
    exact = product(p, (codes << spec.guard) - d[:, None], spec.bits)
    if spec.stochastic:
        exact += random
    else:
        exact += 1 << (spec.drop - 1)
    return tl.minimum(tl.maximum(exact >> spec.drop, spec.low), spec.high).to(tl.int32)


@triton.jit
def dot_of(total, s, spec: tl.constexpr):
    """Codes of D, of sums of products; s: the rows' exponents."""
    d = round_half_up(total, spec.dot_drop + s)
    return tl.minimum(tl.maximum(d, spec.dot_low), spec.dot_high).to(tl.int32)


@triton.jit
def block_codes(p_ptr, dp_ptr, row, column, rows, n, p_scale, dp_scale, spec: tl.constexpr):
    """(codes of p, codes of dP) of a block of rows."""
    p = (row_block(p_ptr, row, column, rows, n) * p_scale[:, None]).to(tl.int32)
    real: tl.constexpr = spec.input
    codes = quantized(row_block(dp_ptr, row, column, rows, n) * dp_scale[:, None], real)
    return p, codes


@triton.jit
def block_dot(p_ptr, dp_ptr, row, column, rows, n, p_scale, dp_scale, spec: tl.constexpr):
    """Sums of products of a block's rows."""
    p, codes = block_codes(p_ptr, dp_ptr, row, column, rows, n, p_scale, dp_scale, spec)
    return tl.sum(product(p, codes, spec.product_bits).to(tl.int64), axis=1)


@triton.jit
def backward_block(
    p_ptr, dp_ptr, gate_ptr, ds_ptr, start, row, rows, n, gate_width, seed, first_row,
    p_scale, dp_scale, d, scale, back,
    spec: tl.constexpr, has_gate: tl.constexpr, width: tl.constexpr,
):  # fmt: skip
    """dS of a block of rows that all is known of: codes times ``scale`` times ``back``."""
    column = start + tl.arange(0, width)
    p, codes = block_codes(p_ptr, dp_ptr, row, column, rows, n, p_scale, dp_scale, spec)
    random = 0
    if spec.stochastic:
        random = random_bits(seed, (row + first_row)[:, None], column[None, :], spec)
    ds = gradient(p, codes, d, random, spec)
    there = (row < rows)[:, None] & (column < n)[None, :]
    if has_gate:
        place = gate_ptr + (row * gate_width)[:, None] + (column // 8)[None, :]
        flags = tl.load(place, mask=there, other=0).to(tl.int32)
        ds = tl.where(((flags >> (column & 7)[None, :]) & 1) > 0, 0, ds)
    like: tl.constexpr = ds_ptr.dtype.element_ty
    values = ds.to(like) * scale.to(like)[:, None] * back.to(like)[:, None]
    tl.store(ds_ptr + (row * n)[:, None] + column[None, :], values, mask=there)


@triton.jit(do_not_specialize=["grad_exponent", "seed", "first_row"])
def backward_kernel(
    p_ptr, dp_ptr, gate_ptr, exponent_ptr, ds_ptr, rows, n, gate_width,
    grad_exponent, seed, first_row,
    spec: tl.constexpr, own_scale: tl.constexpr, has_gate: tl.constexpr,
    whole: tl.constexpr, height: tl.constexpr, width: tl.constexpr,
):  # fmt: skip
    """``own_scale``: dP of every row is multiplied by a power of two of its own."""
    row = tl.program_id(0).to(tl.int64) * height + tl.arange(0, height)
    if whole:
        size = tl.abs(row_block(dp_ptr, row, tl.arange(0, width), rows, n))
        largest, lost = largest_finite(size)
    else:
        largest = tl.zeros([height], dp_ptr.dtype.element_ty)
        lost = tl.zeros([height], tl.int32)
        for start in range(0, n, width):
            size = tl.abs(row_block(dp_ptr, row, start + tl.arange(0, width), rows, n))
            more, bad = largest_finite(size)
            largest, lost = tl.maximum(largest, more), tl.maximum(lost, bad)
    s = lost * 0
    if spec.has_exponent:
        s = tl.load(exponent_ptr + row, mask=row < rows, other=0)
    e = lost * 0 + grad_exponent
    if own_scale:
        e = tl.where(lost > 0, 0, scale_of(largest, spec))
    p_scale, dp_scale = power_of_two(spec.p_fraction + s), power_of_two(e)
    if whole:
        column = tl.arange(0, width)
        total = block_dot(p_ptr, dp_ptr, row, column, rows, n, p_scale, dp_scale, spec)
    else:
        total = tl.zeros([height], tl.int64)
        for start in range(0, n, width):
            column = start + tl.arange(0, width)
            total += block_dot(p_ptr, dp_ptr, row, column, rows, n, p_scale, dp_scale, spec)
    d = dot_of(total, s, spec)
    # a factor each, as one of both can be less than any normal number
    scale = tl.where(lost > 0, float("nan"), power_of_two(-spec.fraction - s))
    back = power_of_two(-e)
    if whole:
        backward_block(
            p_ptr, dp_ptr, gate_ptr, ds_ptr, 0, row, rows, n, gate_width, seed, first_row,
            p_scale, dp_scale, d, scale, back, spec, has_gate, width,
        )  # fmt: skip
    else:
        for start in range(0, n, width):
            backward_block(
                p_ptr, dp_ptr, gate_ptr, ds_ptr, start, row, rows, n, gate_width, seed, first_row,
                p_scale, dp_scale, d, scale, back, spec, has_gate, width,
            )  # fmt: skip
