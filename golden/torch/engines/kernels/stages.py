"""The stages that elements and sums of rows go through; ``spec`` are their ``Exponentials``."""

import triton
import triton.language as tl


@triton.jit
def quantized(scaled, real: tl.constexpr):
    """(codes, which are saturated) of float64 values in LSB of a ``Real``, rounded half up."""
    floor = tl.floor(scaled)
    rounded = floor + (scaled - floor >= 0.5).to(tl.float64)
    kept = tl.minimum(tl.maximum(rounded, real.low), real.high)
    return kept.to(tl.int64), kept != rounded


@triton.jit
def power_of_two(exponent):
    """2**exponent as float64."""
    return ((exponent + 1023) << 52).to(tl.float64, bitcast=True)


@triton.jit
def round_half_up(codes, bits):
    """Drop ``bits`` bits, none where that is 0 or less."""
    some = (bits > 0).to(tl.int64)
    return ((codes >> tl.maximum(bits - 1, 0)) + some) >> some


@triton.jit
def loaded(x_ptr, row, column, rows, n):
    """Logits of a block of rows; -inf where there are none."""
    there = (row < rows)[:, None] & (column < n)[None, :]
    return tl.load(x_ptr + row[:, None] * n + column[None, :], mask=there, other=float("-inf"))


@triton.jit
def codes_of(x, spec: tl.constexpr):
    """(codes, active, clipped or saturated, invalid) of logits."""
    real: tl.constexpr = spec.input
    active = x != float("-inf")
    finite = tl.abs(x) < float("inf")  # NaN is not
    scaled = tl.where(finite, x, 0.0).to(tl.float64) * real.scale
    codes, saturated = quantized(scaled, real)
    if spec.limit > 0:
        inside = tl.minimum(tl.maximum(codes, -spec.limit), spec.limit)
        saturated = saturated | (inside != codes)
        codes = inside
    return codes, active, saturated & active, active & (finite == 0)


@triton.jit
def distance(codes, active, maximum, spec: tl.constexpr):
    """(distances, which are saturated); ``maximum``: of every row."""
    if spec.from_maximum:
        below = maximum[:, None] - codes
        far = tl.minimum(below, spec.span)
        saturated = (below > spec.span) & active
    else:
        far = spec.origin - codes
        saturated = active & (codes < codes)
    return tl.where(active, far, spec.reach), saturated


@triton.jit
def first(tables, far, spec: tl.constexpr):
    """(m, k) as the first exp table has them."""
    index = far >> spec.place
    return tl.load(tables + spec.high + index), tl.load(tables + spec.shift + index)


@triton.jit
def exp(tables, far, active, spec: tl.constexpr):
    """(m, k) of distances; m is 0 where not active."""
    within = tl.minimum(far, spec.reach)
    running, shift = first(tables, within, spec)
    further: tl.constexpr = spec.further
    for index in tl.static_range(further):
        field = (within >> spec.low[index].place) & spec.low[index].mask
        loss = (running >> spec.guard) * tl.load(tables + spec.low[index].table + field)
        running = running - (loss >> spec.low[index].drop)
    return tl.where(active, running >> spec.guard, 0), shift


@triton.jit
def leading_one(codes):
    """Place of the highest set bit; -1 for 0."""
    place = (codes.to(tl.float64).to(tl.int64, bitcast=True) >> 52) - 1023
    place = tl.maximum(place, -1)
    # a code of more than 53 bits may round up to the next power of two
    beyond = ((codes >> tl.maximum(place, 0)) == 0) & (codes > 0)
    return place - beyond.to(tl.int64)


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
    base, slope = (
        tl.load(tables + segments.base + segment),
        tl.load(tables + segments.slope + segment),
    )
    return ((base << segments.step) - slope * place) >> segments.drop


@triton.jit
def ln(tables, top, high, low, log: tl.constexpr, spec: tl.constexpr):
    """ln of sums."""
    segments: tl.constexpr = log.ln
    q, s = significand(top, high, low, segments, spec)
    segment, place = s >> segments.step, s & ((1 << segments.step) - 1)
    base = tl.load(tables + segments.base + segment)
    slope = tl.load(tables + segments.slope + segment)
    whole = tl.load(tables + log.q_ln2 + (q - segments.lowest))
    return whole + (((base << segments.step) + slope * place) >> segments.drop)
