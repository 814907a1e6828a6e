"""Blocks of attention's scores, which no kernel keeps, and what a block's rows may see.

Scores are in halves of an LSB of the unit's input, as their scale says: a power of two more, which
rounds nothing. ``sight`` is what they depend on besides query and key: (scale, mask, its strides by
row and by column, rows, columns). ``kind`` of the mask: 0 for none, 1 for a bool one as bytes, 2
for a float one, which ``halves`` multiplies.
"""

import triton
import triton.language as tl


@triton.jit
def matrix(x_ptr, row, column, stride, rows, width):
    """A block of a matrix of ``rows`` by ``width``; 0 where there is nothing."""
    there = (row < rows)[:, None] & (column < width)[None, :]
    place = x_ptr + row.to(tl.int64)[:, None] * stride + column[None, :]
    return tl.load(place, mask=there, other=0.0)


@triton.jit
def scores(
    q, k, sight, row, column, kind: tl.constexpr, causal: tl.constexpr, edge: tl.constexpr,
    halves: tl.constexpr,
):  # fmt: skip
    """Scores in float32; -inf where a mask leaves an element out.

    ``edge``: some of the block's columns lie outside, or are not seen by all rows.
    """
    scale, mask_ptr, mask_row, mask_column, rows, columns = sight
    s = tl.dot(q, tl.trans(k), input_precision="ieee") * scale
    seen = (column < columns)[None, :]
    if kind:
        there = seen & (row < rows)[:, None]
        place = mask_ptr + row.to(tl.int64)[:, None] * mask_row + column[None, :] * mask_column
        mask = tl.load(place, mask=there, other=0)
        if kind == 1:
            s = tl.where(mask != 0, s, float("-inf"))
        else:
            s += mask.to(tl.float32) * halves
    if edge:
        if causal:
            seen = seen & (column[None, :] <= row[:, None])
        s = tl.where(seen, s, float("-inf"))
    return s


@triton.jit
def sight_of(first_row, height: tl.constexpr, width: tl.constexpr, causal: tl.constexpr, columns):
    """(columns that all rows of a block see, in whole blocks; columns that any of them sees)."""
    whole, end = columns, columns
    if causal:
        whole = tl.minimum(columns, first_row + 1)
        end = tl.minimum(columns, first_row + height)
    return whole // width * width, end


@triton.jit
def dot_of_halves(a, b, like: tl.constexpr, parts: tl.constexpr):
    """a b in float32, of float32 codes times a power of two and a matrix of ``like``.

    Two ``parts`` of a code that ``like`` holds no more than half of add up to it: nothing is lost.
    ``parts`` of 0: both are float32 there.
    """
    if parts == 0:
        precision: tl.constexpr = "tf32x3" if b.dtype == tl.float16 else "ieee"
        result = tl.dot(a, b.to(tl.float32), input_precision=precision)
    else:
        upper = a.to(like)
        result = tl.dot(upper, b.to(like))
        if parts == 2:
            result += tl.dot((a - upper.to(tl.float32)).to(like), b.to(like))
    return result
