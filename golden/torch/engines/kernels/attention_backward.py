"""The gradients of attention by query, key and value: p and dS are made again from the scores.

A kernel takes rows: it finds what each row's dP is multiplied by and its D, and adds up the
gradient by query. Another takes columns and adds up those by key and value. Both are the same bits
in any order of programs.
"""

import triton
import triton.language as tl

from .passes import probability, terms
from .scores import dot_of_halves, matrix, scores, sight_of
from .softmax_backward import dot_of, gradient, largest_finite, random_bits, scale_of
from .stages import power_of_two, product, quantized


@triton.jit
def known(facts_ptr, row, rows, spec: tl.constexpr, last: tl.constexpr):
    """(maximum, r, q less the exponent, exponent) of rows, as the forward kernel kept them."""
    there = row < rows
    r = tl.load(facts_ptr + row, mask=there, other=0)
    places = tl.load(facts_ptr + rows + row, mask=there, other=0)
    maximum, exponent = r * 0, r * 0
    if spec.from_maximum:
        maximum = tl.load(facts_ptr + 2 * rows + row, mask=there, other=0)
    if last.has_exponent:
        place: tl.constexpr = 3 if spec.from_maximum else 2
        exponent = tl.load(facts_ptr + place * rows + row, mask=there, other=0)
    return maximum, r, places, exponent


@triton.jit
def upstream(do, v, rounded: tl.constexpr, like: tl.constexpr):
    """dP as the layer that keeps it has it: in value's dtype."""
    dp = tl.dot(do, tl.trans(v.to(like)), input_precision="ieee")
    return dp.to(rounded).to(tl.float32)


@triton.jit
def gradients(
    s, dp, tables, facts, e, d, lost, number, column, seed,
    spec: tl.constexpr, last: tl.constexpr, back: tl.constexpr, stops: tl.constexpr,
):  # fmt: skip
    """(p, dS) of a block in float32; ``number``: of its rows, ``lost``: those that are NaN."""
    maximum, r, places, exponent = facts
    _, m, shift, active, outside, _ = terms(s, tables, maximum, spec)
    codes_of_p = probability(m, shift, r, places, last)
    real: tl.constexpr = back.input
    codes = quantized(dp * power_of_two(e)[:, None], real)
    random = 0
    if back.stochastic:
        random = random_bits(seed, number[:, None], column[None, :], back)
    ds = gradient(codes_of_p, codes, d, random, back)
    kept = active
    if stops:
        kept = kept & (outside == 0)
    scale = tl.where(lost, float("nan"), power_of_two(-back.fraction - exponent))
    values = ds.to(tl.float32) * scale[:, None] * power_of_two(-e)[:, None]
    p = codes_of_p.to(tl.float32) * power_of_two(-last.fraction - exponent)[:, None]
    return p, tl.where(kept, values, 0.0)


@triton.jit
def seen_dots(
    total, q, do, keys, v_ptr, v_stride, v_size, sight, row, begin, end, tables, facts, e,
    spec: tl.constexpr, last: tl.constexpr, back: tl.constexpr, like: tl.constexpr,
    kind: tl.constexpr, causal: tl.constexpr, edge: tl.constexpr, halves: tl.constexpr,
    embed: tl.constexpr, values: tl.constexpr, width: tl.constexpr,
):  # fmt: skip
    """Sums of products of p and dP of rows in some columns, added to ``total``."""
    k_ptr, k_stride, size, columns = keys
    maximum, r, places, _exponent = facts
    real: tl.constexpr = back.input
    for start in range(begin, end, width):
        column = start + tl.arange(0, width)
        k = matrix(k_ptr, column, tl.arange(0, embed), k_stride, columns, size)
        v = matrix(v_ptr, column, tl.arange(0, values), v_stride, columns, v_size)
        s = scores(q, k.to(like), sight, row, column, kind, causal, edge, halves)
        _, m, shift, _, _, _ = terms(s, tables, maximum, spec)
        p = probability(m, shift, r, places, last)
        dp = upstream(do, v, v_ptr.dtype.element_ty, like)
        codes = quantized(dp * power_of_two(e)[:, None], real)
        total += tl.sum(product(p, codes, back.product_bits).to(tl.int64), axis=1)
    return total


@triton.jit
def seen_keys(
    dq, q, do, keys, v_ptr, v_stride, v_size, sight, row, begin, end, tables, facts, e, d, lost,
    number, seed, spec: tl.constexpr, last: tl.constexpr, back: tl.constexpr, like: tl.constexpr,
    parts: tl.constexpr, stops: tl.constexpr, kind: tl.constexpr, causal: tl.constexpr,
    edge: tl.constexpr, halves: tl.constexpr, embed: tl.constexpr, values: tl.constexpr,
    width: tl.constexpr,
):  # fmt: skip
    """dS of rows in some columns times key, added to ``dq``."""
    k_ptr, k_stride, size, columns = keys
    for start in range(begin, end, width):
        column = start + tl.arange(0, width)
        k = matrix(k_ptr, column, tl.arange(0, embed), k_stride, columns, size)
        v = matrix(v_ptr, column, tl.arange(0, values), v_stride, columns, v_size)
        s = scores(q, k.to(like), sight, row, column, kind, causal, edge, halves)
        dp = upstream(do, v, v_ptr.dtype.element_ty, like)
        _, ds = gradients(
            s, dp, tables, facts, e, d, lost, number, column, seed, spec, last, back, stops
        )
        dq += dot_of_halves(ds, k, like, parts)
    return dq


@triton.jit(do_not_specialize=["scale", "factor", "grad_exponent", "seed"])
def query_kernel(
    q_ptr, k_ptr, v_ptr, mask_ptr, do_ptr, facts_ptr, more_ptr, dq_ptr, tables,
    q_batch, q_head, q_row, k_batch, k_head, k_row, v_batch, v_head, v_row,
    mask_batch, mask_head, mask_row, mask_column,
    heads, group, rows, columns, size, v_size, planes, scale, factor, grad_exponent, seed,
    spec: tl.constexpr, last: tl.constexpr, back: tl.constexpr, like: tl.constexpr,
    parts: tl.constexpr, own_scale: tl.constexpr, stops: tl.constexpr, kind: tl.constexpr,
    causal: tl.constexpr, halves: tl.constexpr, embed: tl.constexpr, values: tl.constexpr,
    height: tl.constexpr, width: tl.constexpr,
):  # fmt: skip
    """``factor``: of the gradient by a score in those by query and key; ``do_ptr`` and ``dq_ptr``
    are contiguous. The exponent of each row's dP and its D go to ``more_ptr``."""
    first_row = (tl.num_programs(0) - 1 - tl.program_id(0)) * height
    head = tl.program_id(1).to(tl.int64)
    batch, of_batch = head // heads, head % heads
    row = first_row + tl.arange(0, height)
    k_ptr += batch * k_batch + of_batch // group * k_head
    v_ptr += batch * v_batch + of_batch // group * v_head
    q_ptr += batch * q_batch + of_batch * q_head
    mask_ptr += batch * mask_batch + of_batch * mask_head
    number, column = head * rows + row, tl.arange(0, values)
    q = matrix(q_ptr, row, tl.arange(0, embed), q_row, rows, size).to(like)
    do = matrix(do_ptr + head * rows * v_size, row, column, v_size, rows, v_size).to(like)
    keys = (k_ptr, k_row, size, columns)
    sight = (scale, mask_ptr, mask_row, mask_column, rows, columns)
    whole, end = sight_of(first_row, height, width, causal, columns)
    facts = known(facts_ptr + head * planes * rows, row, rows, spec, last)

    # a row's dP counts whole, as of the layer that keeps it: what is masked, too
    largest, bad = tl.zeros([height], tl.float32), tl.zeros([height], tl.int32)
    for start in range(0, columns, width):
        v = matrix(v_ptr, start + tl.arange(0, width), column, v_row, columns, v_size)
        more, worse = largest_finite(tl.abs(upstream(do, v, v_ptr.dtype.element_ty, like)))
        largest, bad = tl.maximum(largest, more), tl.maximum(bad, worse)
    lost, e = bad > 0, bad * 0 + grad_exponent
    if own_scale:
        e = tl.where(lost, 0, scale_of(largest, back))
    total = tl.zeros([height], tl.int64)
    total = seen_dots(
        total, q, do, keys, v_ptr, v_row, v_size, sight, row, 0, whole, tables, facts, e, spec,
        last, back, like, kind, causal, False, halves, embed, values, width,
    )  # fmt: skip
    total = seen_dots(
        total, q, do, keys, v_ptr, v_row, v_size, sight, row, whole, end, tables, facts, e, spec,
        last, back, like, kind, causal, True, halves, embed, values, width,
    )  # fmt: skip
    d = dot_of(total, facts[3], back)
    more_ptr += head * 2 * rows
    tl.store(more_ptr + row, tl.where(lost, 256, e), mask=row < rows)
    tl.store(more_ptr + rows + row, d, mask=row < rows)

    dq = tl.zeros([height, embed], tl.float32)
    dq = seen_keys(
        dq, q, do, keys, v_ptr, v_row, v_size, sight, row, 0, whole, tables, facts, e, d, lost,
        number, seed, spec, last, back, like, parts, stops, kind, causal, False, halves, embed,
        values, width,
    )  # fmt: skip
    dq = seen_keys(
        dq, q, do, keys, v_ptr, v_row, v_size, sight, row, whole, end, tables, facts, e, d, lost,
        number, seed, spec, last, back, like, parts, stops, kind, causal, True, halves, embed,
        values, width,
    )  # fmt: skip
    column = tl.arange(0, embed)
    there = (row < rows)[:, None] & (column < size)[None, :]
    place = dq_ptr + number[:, None] * size + column[None, :]
    tl.store(place, (dq * factor).to(dq_ptr.dtype.element_ty), mask=there)


@triton.jit
def seeing_rows(
    state, k, v, q_ptr, q_stride, do_ptr, facts_ptr, more_ptr, sizes, sight, column, head, begin,
    end, tables, seed, spec: tl.constexpr, last: tl.constexpr, back: tl.constexpr,
    rounded: tl.constexpr, like: tl.constexpr, parts: tl.constexpr, stops: tl.constexpr,
    kind: tl.constexpr, causal: tl.constexpr, edge: tl.constexpr, halves: tl.constexpr,
    embed: tl.constexpr, values: tl.constexpr, height: tl.constexpr,
):  # fmt: skip
    """(dk, dv) of columns by some rows of one head, added to ``state``."""
    dk, dv = state
    size, v_size, rows = sizes
    for start in range(begin, end, height):
        row = start + tl.arange(0, height)
        q = matrix(q_ptr, row, tl.arange(0, embed), q_stride, rows, size).to(like)
        do = matrix(do_ptr, row, tl.arange(0, values), v_size, rows, v_size).to(like)
        facts = known(facts_ptr, row, rows, spec, last)
        e = tl.load(more_ptr + row, mask=row < rows, other=0)
        d = tl.load(more_ptr + rows + row, mask=row < rows, other=0)
        lost = e == 256
        s = scores(q, k, sight, row, column, kind, causal, edge, halves)
        dp = upstream(do, v, rounded, like)
        e = tl.where(lost, 0, e)
        p, ds = gradients(
            s, dp, tables, facts, e, d, lost, head * rows + row, column, seed, spec, last, back,
            stops,
        )  # fmt: skip
        dv += tl.dot(tl.trans(p.to(rounded).to(like)), do, input_precision="ieee")
        dk += dot_of_halves(tl.trans(ds), q, like, parts)
    return dk, dv


@triton.jit(do_not_specialize=["scale", "factor", "seed"])
def key_kernel(
    q_ptr, k_ptr, v_ptr, mask_ptr, do_ptr, facts_ptr, more_ptr, dk_ptr, dv_ptr, tables,
    q_batch, q_head, q_row, k_batch, k_head, k_row, v_batch, v_head, v_row,
    mask_batch, mask_head, mask_row, mask_column,
    heads, group, rows, columns, size, v_size, planes, scale, factor, seed,
    spec: tl.constexpr, last: tl.constexpr, back: tl.constexpr, like: tl.constexpr,
    parts: tl.constexpr, stops: tl.constexpr, kind: tl.constexpr, causal: tl.constexpr,
    halves: tl.constexpr, embed: tl.constexpr, values: tl.constexpr, height: tl.constexpr,
    width: tl.constexpr,
):  # fmt: skip
    """A program takes ``width`` columns of one head of key and value, and all rows that see them;
    ``heads`` are those of query."""
    first = tl.program_id(0) * width
    head = tl.program_id(1).to(tl.int64)
    shared = heads // group
    batch, of_batch = head // shared, head % shared
    column = first + tl.arange(0, width)
    k_ptr += batch * k_batch + of_batch * k_head
    v_ptr += batch * v_batch + of_batch * v_head
    k = matrix(k_ptr, column, tl.arange(0, embed), k_row, columns, size).to(like)
    v = matrix(v_ptr, column, tl.arange(0, values), v_row, columns, v_size).to(like)
    begin, whole = 0, 0
    if causal:  # the first row that sees a column, and the first that sees all
        begin = first // height * height
        whole = tl.minimum((first + width - 1 + height - 1) // height * height, rows)
    if first + width > columns:
        whole = rows
    sizes = (size, v_size, rows)
    dk, dv = tl.zeros([width, embed], tl.float32), tl.zeros([width, values], tl.float32)
    for each in range(0, group):
        of_query = of_batch * group + each
        number = batch * heads + of_query
        seen = (
            scale, mask_ptr + batch * mask_batch + of_query * mask_head, mask_row, mask_column,
            rows, columns,
        )  # fmt: skip
        dk, dv = seeing_rows(
            (dk, dv), k, v, q_ptr + batch * q_batch + of_query * q_head, q_row,
            do_ptr + number * rows * v_size, facts_ptr + number * planes * rows,
            more_ptr + number * 2 * rows, sizes, seen, column, number, begin, whole, tables, seed,
            spec, last, back, v_ptr.dtype.element_ty, like, parts, stops, kind, causal, True,
            halves, embed, values, height,
        )  # fmt: skip
        dk, dv = seeing_rows(
            (dk, dv), k, v, q_ptr + batch * q_batch + of_query * q_head, q_row,
            do_ptr + number * rows * v_size, facts_ptr + number * planes * rows,
            more_ptr + number * 2 * rows, sizes, seen, column, number, tl.maximum(begin, whole),
            rows, tables, seed, spec, last, back, v_ptr.dtype.element_ty, like, parts, stops, kind,
            causal, False, halves, embed, values, height,
        )  # fmt: skip
    there = (column < columns)[:, None]
    place = (head * columns + column)[:, None]
    part, of_value = tl.arange(0, embed)[None, :], tl.arange(0, values)[None, :]
    like_k: tl.constexpr = dk_ptr.dtype.element_ty
    tl.store(dk_ptr + place * size + part, (dk * factor).to(like_k), mask=there & (part < size))
    there = there & (of_value < v_size)
    tl.store(dv_ptr + place * v_size + of_value, dv.to(dv_ptr.dtype.element_ty), mask=there)
