"""A configuration as kernels read it that compute in float32, where every step of it fits.

The structure is that of ``native/vector.h``, field by field, in the same order.
"""

import ctypes
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar, cast

import numpy as np
import numpy.typing as npt

from ...config import SoftmaxConfig
from ...stages.exp import ExpTable, exp_table
from .compiled_plan import Int

Array = TypeVar("Array", bound=np.ndarray)
Floats, Bytes = npt.NDArray[np.float32], npt.NDArray[np.uint8]
Float = ctypes.c_float
INDEX = 8
"""Index bits that a table may have: those of a byte."""
FIELD = 1 << INDEX
DOUBLE = 53
"""Bits of a float64's significand."""
TABLE = 64
"""Codes of a row that can have another result than 0, where they are looked up."""
LANES = 16
"""Elements of a vector, each added up by itself."""
SIGNIFICAND = 24
"""Bits of a float32's significand."""
LARGEST_SHIFT = 90
"""Powers of two below 1 that leave products of two tables far from a float32's smallest."""


class _Vector(ctypes.Structure):
    _fields_ = (
        ("usable", Int), ("tables", Int),
        ("to_codes", Float), ("ahead", Float), ("farthest", Float),
        ("clip_low", Float), ("clip_high", Float), ("low", Float), ("high", Float),
        ("limit", Float),
        ("kept", ctypes.c_uint32),
        ("first", ctypes.c_void_p), ("further", ctypes.c_void_p),
        ("first_planes", ctypes.c_void_p), ("further_planes", ctypes.c_void_p),
        ("first_entries", Int), ("chunk", Int), ("narrow", Int), ("saturates", Int),
        ("quotient", Float),
        ("bytes_planes", Int), ("sum_planes", ctypes.c_void_p), ("padded", ctypes.c_void_p),
        ("bytes_ahead", Float), ("bytes_power", Float), ("bytes_power_bits", Int),
        ("result", Float), ("lsb", Float),
    )  # fmt: skip


@dataclass(frozen=True, eq=False, slots=True)
class Vector:
    """A configuration's constants and tables in float32, and what keeps the tables in place."""

    fields: _Vector
    tables: tuple[np.ndarray, ...]


@lru_cache(maxsize=64)
def vector(config: SoftmaxConfig) -> Vector:
    """What vector kernels know of a configuration; ``usable`` is 0 where not all of it fits."""
    if not _fits(config):
        return Vector(_Vector(), ())
    exp = exp_table(config)
    first, further = _aligned(_first(exp, config)), _aligned(_further(exp))
    planes = _aligned(_planes(first)), _aligned(_planes(further))
    fields = _Vector(usable=1, tables=len(exp.split), first_entries=len(exp.high))
    fields.first, fields.further = first.ctypes.data, further.ctypes.data
    fields.first_planes, fields.further_planes = planes[0].ctypes.data, planes[1].ctypes.data
    fields.kept = (-1 << exp.guard) & 0xFFFFFFFF
    _place(fields, exp, config)
    _scale(fields, exp, config)
    return Vector(fields, (first, further, *planes, *_as_bytes(fields, first, config)))


def _fits(config: SoftmaxConfig) -> bool:
    """Every step is exact in float32, or rounded down on purpose."""
    if config.function != "softmax" or config.has_exponent or config.path.window:
        return False
    exp, widths = exp_table(config), config.widths
    return (
        len(exp.split) <= 2
        and (config.path.origin is not None or config.clip == "input")
        and max(exp.split) <= INDEX
        and exp.bits < SIGNIFICAND
        and all(low.width <= SIGNIFICAND for low in exp.low)
        and int(exp.shift.max()) <= LARGEST_SHIFT
        and config.input.width < SIGNIFICAND
        and widths.reciprocal_bits <= SIGNIFICAND
        and config.output.f <= SIGNIFICAND - 2
        and widths.sum_fraction <= DOUBLE - 2
    )


def _place(fields: _Vector, exp: ExpTable, config: SoftmaxConfig) -> None:
    """Where the bits of a code come to lie, and which inputs have one."""
    last = exp.split[-1] if exp.low else INDEX
    binade, code = 2.0 ** (SIGNIFICAND - 2 - INDEX + last), config.input.lsb
    whole = _whole(exp, config)
    fields.to_codes, fields.ahead = 1 / code, binade + 0.5 + whole
    fields.saturates = config.path.origin is None and config.path.reach < config.path.farthest
    fields.farthest = binade + whole - config.path.reach
    fields.clip_low, fields.clip_high = config.lowest * code, config.highest * code
    fields.low, fields.high = (config.lowest - 0.5) * code, (config.highest + 0.5) * code
    fields.limit = min(-fields.low, fields.high)


def _scale(fields: _Vector, exp: ExpTable, config: SoftmaxConfig) -> None:
    """What mantissas, sums and results are in units of each other."""
    fraction = config.widths.sum_fraction
    fields.chunk = LANES << max(DOUBLE - 1 - fraction, 2)
    fields.narrow = fraction <= 30
    fields.quotient = 2.0 ** -(exp.guard + _unit(exp, config))
    fields.result, fields.lsb = 2.0 ** (SIGNIFICAND - 2), config.output.lsb


def _unit(exp: ExpTable, config: SoftmaxConfig) -> int:
    """The powers of two between a mantissa of shift 0, guard bits included, and the sum's LSB."""
    return config.widths.sum_fraction + 1 - exp.bits


def _as_bytes(fields: _Vector, first: Floats, config: SoftmaxConfig) -> tuple[np.ndarray, ...]:
    """The tables of rows whose codes and results are bytes; none where they are not."""
    output, count = config.output, fields.first_entries
    if fields.tables > 1 or output.f > INDEX or config.one >= FIELD:
        return ()
    # terms that far below a row's largest leave nothing of p
    lower = max(count - TABLE + 1, 0)
    if (first[:lower] >= first[TABLE - 1 :][:lower] * 0.98 * output.lsb / 2).any():
        return ()
    terms = np.floor(first.astype(np.float64)).astype(np.int64)
    if config.lowest < -(FIELD // 2) or config.highest >= FIELD // 2 or terms.max() >> 40:
        return ()
    width = 3 if terms.max() < 1 << 24 else 5
    planes = _aligned(np.array([terms >> 8 * i & 0xFF for i in range(width)], np.uint8))
    padded = np.concatenate([np.zeros(TABLE, np.float32), first])
    fields.bytes_planes, fields.sum_planes = width, planes.ctypes.data
    fields.padded = padded.ctypes.data
    fields.bytes_ahead = fields.result + 0.5 - config.lowest
    fields.bytes_power = 2.0 ** (SIGNIFICAND - 1 - INDEX - output.f)
    fields.bytes_power_bits = int(np.float32(fields.bytes_power).view(np.uint32)) >> 16
    return planes, padded


def _whole(exp: ExpTable, config: SoftmaxConfig) -> int:
    """The distance that has the code 0: the reach, all bits of its last field set."""
    return config.path.reach | ((1 << exp.split[-1]) - 1) if exp.low else config.path.reach


def _first(exp: ExpTable, config: SoftmaxConfig) -> Floats:
    """Entries of the first table from the last one down, each on top of a power of two; or terms,
    where there is no other table."""
    count = len(exp.high)
    entries = exp.high + ((1 << (SIGNIFICAND - 1)) if exp.low else 0)
    table = np.zeros(FIELD, np.float32)
    table[:count] = np.ldexp(entries, _unit(exp, config) - exp.shift)[::-1]
    return table


def _further(exp: ExpTable) -> Floats:
    """Entries of the second table from the last one down, each as often as its field has values in
    a byte."""
    if not exp.low:
        return np.zeros(FIELD, np.float32)
    low, repeats = exp.low[0], FIELD >> exp.split[1]
    return np.ldexp(low.entries[::-1], -low.fraction).repeat(repeats).astype(np.float32)


def _planes(table: Floats) -> Bytes:
    """The bytes of a table's entries, the lowest of all first."""
    return np.ascontiguousarray(table.view(np.uint8).reshape(FIELD, 4).T)


def _aligned(table: Array) -> Array:
    """A copy that begins at a multiple of 64 bytes."""
    room = np.empty(table.nbytes + 64, np.uint8)
    start = -room.ctypes.data % 64
    copy = np.ndarray(table.shape, table.dtype, room.data, start)
    copy[...] = table
    return cast("Array", copy)
