"""The stages that elements and sums of rows go through; ``spec`` are their ``Exponentials``."""

import os

import triton
import triton.language as tl

INTERPRETED = tl.constexpr(os.environ.get("TRITON_INTERPRET") == "1")
"""Kernels run in NumPy, as Triton reads it when they are imported."""


@triton.jit
def looked_up(tables, table: tl.constexpr, index):
    """Entries of a table, in the layout that their indices have.

    Triton would arrange the elements for one wide load, and fetch entries ahead of their use:
    neither is of use in a table, and costs several passes through shared memory.
    """
    if INTERPRETED or tables.dtype.element_ty != tl.int32:
        entry = tl.load(tables + table + index)
    else:
        entry = tl.inline_asm_elementwise(
            "{.reg .u64 at; cvt.u64.u32 at, $2; add.u64 at, at, $1; ld.global.nc.b32 $0, [at];}",
            "=r,l,r",
            [(tables + table).to(tl.int64), index << 2],
            dtype=tl.int32,
            is_pure=True,
            pack=1,
        )
    return entry


@triton.jit
def product(a, b, bits: tl.constexpr):
    """a * b, in 32 bits where ``bits`` of them suffice; else of factors of 32 bits, if they are."""
    if bits <= 31:
        result = a.to(tl.int32) * b.to(tl.int32)
    elif INTERPRETED or a.dtype != tl.int32 or b.dtype != tl.int32:
        result = a.to(tl.int64) * b.to(tl.int64)
    else:  # one instruction, which a compiler does not find where it knows the sign of one factor
        result = tl.inline_asm_elementwise(
            "mul.wide.s32 $0, $1, $2;", "=l,r,r", [a, b], dtype=tl.int64, is_pure=True, pack=1
        )
    return result


@triton.jit
def narrowed(codes, bits: tl.constexpr):
    """Codes of ``bits`` bits, in 32 bits where these suffice."""
    return codes.to(tl.int64) if bits > 31 else codes.to(tl.int32)


@triton.jit
def halves_of(x, real: tl.constexpr):
    """(values in whole halves of an LSB, rounded down and saturated; which are saturated), in x's
    dtype; half up to codes is ``(halves + 1) >> 1``. NaN gives the lowest."""
    halves = x * real.halves
    outside = (halves < real.low) | (halves >= real.beyond)
    kept = tl.minimum(tl.maximum(halves, real.low), real.high)
    return tl.floor(kept).to(tl.int32), outside


@triton.jit
def quantized(x, real: tl.constexpr):
    """Codes of values, rounded half up exactly."""
    halves, _ = halves_of(x, real)
    return (halves + 1) >> 1


@triton.jit
def power_of_two(exponent):
    """2**exponent as float32, for -126 to 127."""
    return ((exponent + 127) << 23).to(tl.int32).to(tl.float32, bitcast=True)


@triton.jit
def round_half_up(codes, bits):
    """Drop ``bits`` bits, none where that is 0 or less."""
    some = (bits > 0).to(codes.dtype)
    return ((codes >> tl.maximum(bits - 1, 0)) + some) >> some


@triton.jit
def loaded(x_ptr, row, column, rows, n):
    """Logits of a block of rows; -inf where there are none."""
    there = (row < rows)[:, None] & (column < n)[None, :]
    return tl.load(x_ptr + (row * n)[:, None] + column[None, :], mask=there, other=float("-inf"))


@triton.jit
def taken(x, spec: tl.constexpr):
    """(halves of codes, active, clipped or saturated, invalid) of logits."""
    real: tl.constexpr = spec.input  # older Tritons take no attribute as an argument
    halves, outside = halves_of(x, real)
    active = (x <= spec.floor) == 0  # NaN is
    return halves, active, outside, (x < float("inf")) == 0


@triton.jit
def distance(halves, maximum, spec: tl.constexpr):
    """(distances, which are saturated); ``maximum``: of every row. What takes no part has any."""
    if spec.from_maximum:
        # a score that is made again may be an LSB larger than it was
        far = tl.maximum((2 * maximum[:, None] - halves) >> 1, 0)
        saturated = far > spec.span
        if spec.saturates:
            far = tl.minimum(far, spec.span)
    else:
        far = (2 * spec.origin - halves) >> 1
        saturated = far < 0
    return far, saturated


@triton.jit
def first(tables, far, spec: tl.constexpr):
    """(m, k) as the first exp table has them."""
    index = far >> spec.place
    entry = looked_up(tables, spec.high, index)
    if spec.packed:
        entry = entry.to(tl.int32)
        mantissa, shift = entry & ((1 << spec.high_bits) - 1), entry >> spec.high_bits
    else:
        mantissa = narrowed(entry, spec.high_bits)
        shift = looked_up(tables, spec.shift, index).to(tl.int32)
    return mantissa, shift


@triton.jit
def exp(tables, far, active, spec: tl.constexpr):
    """(m, k) of distances; m is 0 where not active."""
    within = far
    if spec.beyond:
        within = tl.minimum(far, spec.reach)
    running, shift = first(tables, within, spec)
    further: tl.constexpr = spec.further
    for index in tl.static_range(further):
        field = (within >> spec.low[index].place) & spec.low[index].mask
        entry = looked_up(tables, spec.low[index].table, field)
        loss = product(running >> spec.guard, entry, spec.low[index].bits)
        running = running - narrowed(loss >> spec.low[index].drop, spec.high_bits)
    return tl.where(active, running >> spec.guard, 0), shift


@triton.jit
def term(mantissa, shift, spec: tl.constexpr):
    """Mantissas as terms of a sum that is no window's, aligned to its binary point."""
    wide = mantissa
    if spec.term_bits > 31:  # no sign has to be extended
        wide = mantissa.to(tl.uint32, bitcast=True).to(tl.int64)
    return wide << (spec.highest - shift) if spec.exact else (wide << spec.highest) >> shift


@triton.jit
def leading_one(codes):
    """Place of the highest set bit; -1 for 0."""
    place = (codes.to(tl.float32).to(tl.int32, bitcast=True) >> 23) - 127
    place = tl.maximum(place, -1)
    # a code of more than 24 bits may round up to the next power of two
    beyond = ((codes >> tl.maximum(place, 0)) == 0) & (codes > 0)
    return place - beyond.to(tl.int32)


@triton.jit
def significand(top, high, low, segments: tl.constexpr, spec: tl.constexpr):
    """(q, s) of sums as ``sums`` gives them, for a table of segments."""
    place = leading_one(high)
    if spec.window:
        q = tl.maximum(top * 16 + place - spec.fraction, segments.lowest)
        below = tl.maximum(place - segments.kept, 0)
        further = tl.maximum(segments.kept - place, 0)
        lead = (low << tl.maximum(further - 16, 0)) >> tl.maximum(16 - further, 0)
        s = ((high >> below) << further) | lead
    else:
        q = tl.maximum(place - spec.fraction, segments.lowest)
        dropped = spec.fraction + q - segments.kept
        s = (high >> tl.maximum(dropped, 0)) << tl.maximum(-dropped, 0)
    return q, s & ((1 << segments.kept) - 1)


@triton.jit
def reciprocal(tables, s, segments: tl.constexpr):
    """r of significands."""
    segment, place = s >> segments.step, s & ((1 << segments.step) - 1)
    base = looked_up(tables, segments.base, segment).to(tl.int64)
    slope = looked_up(tables, segments.slope, segment).to(tl.int64)
    return ((base << segments.step) - slope * place) >> segments.drop


@triton.jit
def ln(tables, top, high, low, log: tl.constexpr, spec: tl.constexpr):
    """ln of sums."""
    segments: tl.constexpr = log.ln
    q, s = significand(top, high, low, segments, spec)
    segment, place = s >> segments.step, s & ((1 << segments.step) - 1)
    base = looked_up(tables, segments.base, segment).to(tl.int64)
    slope = looked_up(tables, segments.slope, segment).to(tl.int64)
    whole = looked_up(tables, log.q_ln2, q - segments.lowest).to(tl.int64)
    return narrowed(whole + (((base << segments.step) + slope * place) >> segments.drop), log.bits)
