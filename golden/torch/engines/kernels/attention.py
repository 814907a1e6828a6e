"""softmax(query key^T scale + mask) value without its scores and p: a pass for what rows need to
know, then one in which a block's p are made and multiplied by value.

A program takes ``height`` rows of one head, ``width`` columns at a time.
"""

import triton
import triton.language as tl

from .passes import largest_of, nearest_of, partial_sums, probability, scalars, terms, top_of
from .scores import matrix, scores, sight_of
from .stages import power_of_two


@triton.jit
def seen_max(
    largest, q, keys, sight, row, begin, end, spec: tl.constexpr, kind: tl.constexpr,
    causal: tl.constexpr, edge: tl.constexpr, halves: tl.constexpr, embed: tl.constexpr,
    width: tl.constexpr,
):  # fmt: skip
    """The largest codes of rows in some columns, or ``largest``."""
    k_ptr, k_stride, size, columns = keys
    for start in range(begin, end, width):
        column = start + tl.arange(0, width)
        k = matrix(k_ptr, column, tl.arange(0, embed), k_stride, columns, size)
        s = scores(q, k.to(q.dtype), sight, row, column, kind, causal, edge, halves)
        largest = tl.maximum(largest, largest_of(s, spec))
    return largest


@triton.jit
def seen_top(
    top, q, keys, sight, row, begin, end, tables, maximum, spec: tl.constexpr, kind: tl.constexpr,
    causal: tl.constexpr, edge: tl.constexpr, halves: tl.constexpr, embed: tl.constexpr,
    width: tl.constexpr,
):  # fmt: skip
    """The highest limbs of rows in some columns, or ``top``."""
    k_ptr, k_stride, size, columns = keys
    for start in range(begin, end, width):
        column = start + tl.arange(0, width)
        k = matrix(k_ptr, column, tl.arange(0, embed), k_stride, columns, size)
        s = scores(q, k.to(q.dtype), sight, row, column, kind, causal, edge, halves)
        top = tl.maximum(top, top_of(s, tables, maximum, spec))
    return top


@triton.jit
def seen_sums(
    state, q, keys, sight, row, begin, end, tables, maximum, top, spec: tl.constexpr,
    exponent: tl.constexpr, check: tl.constexpr, kind: tl.constexpr, causal: tl.constexpr,
    edge: tl.constexpr, halves: tl.constexpr, embed: tl.constexpr, width: tl.constexpr,
):  # fmt: skip
    """(high, below, least distance, invalid) of rows in some columns, added to ``state``."""
    k_ptr, k_stride, size, columns = keys
    high, below, nearest, invalid = state
    for start in range(begin, end, width):
        column = start + tl.arange(0, width)
        k = matrix(k_ptr, column, tl.arange(0, embed), k_stride, columns, size)
        s = scores(q, k.to(q.dtype), sight, row, column, kind, causal, edge, halves)
        far, m, shift, active, _, bad = terms(s, tables, maximum, spec)
        more, under = partial_sums(m, shift, top, spec)
        high += more
        below += under
        if exponent:
            nearest = tl.minimum(nearest, nearest_of(far, active, spec))
        if check:
            invalid += tl.sum(bad.to(tl.int32), axis=1)
    return high, below, nearest, invalid


@triton.jit
def seen_values(
    result, q, keys, v_ptr, v_stride, v_size, sight, row, begin, end, tables, facts,
    spec: tl.constexpr, last: tl.constexpr, kind: tl.constexpr, causal: tl.constexpr,
    edge: tl.constexpr, halves: tl.constexpr, embed: tl.constexpr, values: tl.constexpr,
    width: tl.constexpr,
):  # fmt: skip
    """p of rows in some columns, rounded to value's dtype, times value, added to ``result``; codes
    of p where the dtype holds them, which are scaled at the end."""
    k_ptr, k_stride, size, columns = keys
    maximum, r, places, exponent = facts
    for start in range(begin, end, width):
        column = start + tl.arange(0, width)
        k = matrix(k_ptr, column, tl.arange(0, embed), k_stride, columns, size)
        v = matrix(v_ptr, column, tl.arange(0, values), v_stride, columns, v_size)
        s = scores(q, k.to(q.dtype), sight, row, column, kind, causal, edge, halves)
        _, m, shift, _, _, _ = terms(s, tables, maximum, spec)
        p = probability(m, shift, r, places, last).to(tl.float32)
        if v_ptr.dtype.element_ty == tl.float16:  # which would not hold the codes
            p = p * power_of_two(-last.fraction - exponent)[:, None]
        p = p.to(v_ptr.dtype.element_ty).to(q.dtype)
        result += tl.dot(p, v.to(q.dtype), input_precision="ieee")
    return result


@triton.jit
def keep(facts_ptr, row, rows, facts, spec: tl.constexpr, last: tl.constexpr):
    """Store what the gradient's kernels need to know of rows, a plane each."""
    maximum, r, places, exponent = facts
    tl.store(facts_ptr + row, r, mask=row < rows)
    tl.store(facts_ptr + rows + row, places, mask=row < rows)
    planes: tl.constexpr = 2
    if spec.from_maximum:
        tl.store(facts_ptr + planes * rows + row, maximum, mask=row < rows)
    if last.has_exponent:
        place: tl.constexpr = 3 if spec.from_maximum else 2
        tl.store(facts_ptr + place * rows + row, exponent, mask=row < rows)


@triton.jit(do_not_specialize=["scale", "planes"])
def attention_kernel(
    q_ptr, k_ptr, v_ptr, mask_ptr, result_ptr, facts_ptr, count_ptr, tables,
    q_batch, q_head, q_row, k_batch, k_head, k_row, v_batch, v_head, v_row,
    mask_batch, mask_head, mask_row, mask_column,
    heads, group, rows, columns, size, v_size, planes, scale,
    spec: tl.constexpr, last: tl.constexpr, like: tl.constexpr, kind: tl.constexpr,
    causal: tl.constexpr, halves: tl.constexpr, check: tl.constexpr,
    embed: tl.constexpr, values: tl.constexpr, height: tl.constexpr, width: tl.constexpr,
):  # fmt: skip
    """``like``: the dtype that matrices are multiplied in; ``group``: heads of query that share one
    of key and value; ``planes`` of facts are kept; ``check``: count scores that are no numbers;
    ``embed``, ``values``: ``size`` and ``v_size`` rounded up."""
    first_row = (tl.num_programs(0) - 1 - tl.program_id(0)) * height  # long ones first
    head = tl.program_id(1).to(tl.int64)
    batch, of_batch = head // heads, head % heads
    row = first_row + tl.arange(0, height)
    q_ptr += batch * q_batch + of_batch * q_head
    k_ptr += batch * k_batch + of_batch // group * k_head
    v_ptr += batch * v_batch + of_batch // group * v_head
    mask_ptr += batch * mask_batch + of_batch * mask_head
    q = matrix(q_ptr, row, tl.arange(0, embed), q_row, rows, size).to(like)
    keys = (k_ptr, k_row, size, columns)
    sight = (scale, mask_ptr, mask_row, mask_column, rows, columns)
    whole, end = sight_of(first_row, height, width, causal, columns)

    maximum = tl.full([height], spec.lowest, tl.int32)
    if spec.from_maximum:
        maximum = seen_max(
            maximum, q, keys, sight, row, 0, whole, spec, kind, causal, False, halves, embed, width
        )
        maximum = seen_max(
            maximum, q, keys, sight, row, whole, end, spec, kind, causal, True, halves, embed, width
        )
    top = tl.zeros([height], tl.int32)
    if spec.window:
        top = seen_top(
            top, q, keys, sight, row, 0, whole, tables, maximum, spec, kind, causal, False, halves,
            embed, width,
        )  # fmt: skip
        top = seen_top(
            top, q, keys, sight, row, whole, end, tables, maximum, spec, kind, causal, True, halves,
            embed, width,
        )  # fmt: skip
    nothing, none = tl.zeros([height], tl.int64), tl.zeros([height], tl.int32)
    state = (nothing, nothing, tl.full([height], spec.reach, tl.int32), none)
    state = seen_sums(
        state, q, keys, sight, row, 0, whole, tables, maximum, top, spec, last.has_exponent, check,
        kind, causal, False, halves, embed, width,
    )  # fmt: skip
    high, below, nearest, invalid = seen_sums(
        state, q, keys, sight, row, whole, end, tables, maximum, top, spec, last.has_exponent,
        check, kind, causal, True, halves, embed, width,
    )  # fmt: skip
    r, places, exponent = scalars(
        tables, top, high + (below >> 16), below & 0xFFFF, nearest, last, spec
    )
    facts = (maximum, r, places, exponent)
    if planes > 0:
        keep(facts_ptr + head * planes * rows, row, rows, facts, spec, last)
    if check:
        invalid = tl.sum(tl.where(row < rows, invalid, 0), axis=0)
        tl.atomic_add(count_ptr, invalid.to(tl.int64), mask=invalid > 0, sem="relaxed")

    result = tl.zeros([height, values], tl.float32)
    result = seen_values(
        result, q, keys, v_ptr, v_row, v_size, sight, row, 0, whole, tables, facts, spec, last,
        kind, causal, False, halves, embed, values, width,
    )  # fmt: skip
    result = seen_values(
        result, q, keys, v_ptr, v_row, v_size, sight, row, whole, end, tables, facts, spec, last,
        kind, causal, True, halves, embed, values, width,
    )  # fmt: skip
    if v_ptr.dtype.element_ty != tl.float16:
        result *= power_of_two(-last.fraction - exponent)[:, None]
    column = tl.arange(0, values)
    there = (row < rows)[:, None] & (column < v_size)[None, :]
    place = result_ptr + (head * rows + row)[:, None] * v_size + column[None, :]
    tl.store(place, result.to(result_ptr.dtype.element_ty), mask=there)
