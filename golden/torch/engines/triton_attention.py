"""Attention by Triton's kernels in memory that grows with the rows alone: neither scores nor p nor
dS are ever whole."""

import os
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from ...config import SoftmaxConfig
from ...errors import ConfigError
from . import triton_launch
from .engine import carrier
from .kernels.constants import NARROW, Exponentials, Product
from .triton_engine import backward_constants, forward_unit
from .triton_launch import Kernel, Launch

MOST_WIDTH = 256
"""Width of a head, at most."""
NO_MASK, BOOL_MASK, FLOAT_MASK = range(3)
DTYPES = (torch.float16, torch.bfloat16, torch.float32)


@dataclass(frozen=True, eq=False, slots=True)
class Problem:
    """What attention is computed of.

    Attributes:
        query: (batch, heads, L, E). key: (batch, shared, S, E). value: (batch, shared, S, Ev); all
            of one dtype of ``DTYPES``, their last axes dense.
        mask: (batch, heads, L, S), bool or float, as of an expansion; None for none.
        lowest: scores at or below it take no part; None: only those of -inf.
    """

    query: Tensor
    key: Tensor
    value: Tensor
    mask: Tensor | None
    is_causal: bool
    scale: float
    lowest: float | None

    @property
    def kind(self) -> int:
        """Of the mask."""
        if self.mask is None:
            return NO_MASK
        return BOOL_MASK if self.mask.dtype == torch.bool else FLOAT_MASK

    @property
    def given(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """(query, key, value, mask) as kernels take them; query in the place of no mask."""
        mask = self.query if self.mask is None else self.mask
        bits = mask.view(torch.uint8) if mask.dtype == torch.bool else mask
        return self.query, self.key, self.value, bits

    @property
    def strides(self) -> tuple[int, ...]:
        strides = (*self.query.stride()[:3], *self.key.stride()[:3], *self.value.stride()[:3])
        return (*strides, *(self.mask.stride() if self.mask is not None else (0,) * 4))

    @property
    def sizes(self) -> tuple[int, ...]:
        """(heads of query, those that share one, L, S, E, Ev)."""
        heads, shared = self.query.shape[1], self.key.shape[1]
        return heads, heads // shared, *self.rows_and_columns, *self.widths

    @property
    def rows_and_columns(self) -> tuple[int, int]:
        return self.query.shape[2], self.key.shape[2]

    @property
    def widths(self) -> tuple[int, int]:
        return self.query.shape[3], self.value.shape[3]


def lacking(config: SoftmaxConfig) -> str:
    """Why the kernels cannot compute attention by a configuration, a sentence; empty where they
    can."""
    if carrier(config.output) != torch.float32:
        return f"p of {config.output} is wider than a float32"
    unit = forward_unit(config, torch.device("cpu"))
    assert isinstance(unit.last, Product)
    if unit.last.bits - unit.exp.mantissa > NARROW:
        return f"a reciprocal of {config.widths.reciprocal_bits} bits is too wide"
    return ""


def lacking_gradient(config: SoftmaxConfig) -> str:
    """The same of its gradient."""
    try:
        backward_constants(config)
    except ConfigError as error:
        return str(error)
    return ""


@dataclass(frozen=True, eq=False, slots=True)
class _Unit:
    """What the kernels know of a configuration, and its tables on a device; ``halves`` makes halves
    of an LSB of a score."""

    tables: Tensor
    exp: Exponentials
    last: Product
    halves: float


@lru_cache(maxsize=64)
def _unit(config: SoftmaxConfig, device: torch.device, lowest: float | None) -> _Unit:
    unit = forward_unit(config, device)
    assert isinstance(unit.last, Product)
    exp = unit.exp.of_halves(-float("inf") if lowest is None else lowest)
    return _Unit(unit.tables, exp, unit.last, unit.exp.input.halves)


def planes_of(config: SoftmaxConfig) -> int:
    """Integers that are kept of a row for its gradient."""
    return 2 + (config.path.origin is None) + config.has_exponent


def attention(
    problem: Problem, config: SoftmaxConfig, *, keep: bool, check: bool
) -> tuple[Tensor, Tensor, Tensor]:
    """(result, facts, invalid scores).

    Args:
        keep: the facts of rows, which the gradient needs: (batch, heads, planes, L), int32.
        check: count NaN and +inf among the scores.

    Returns:
        The result is (batch, heads, L, Ev), in query's dtype; ``invalid`` int64 of no dimension.
    """
    from .kernels.attention import attention_kernel

    query, unit = problem.query, _unit(config, problem.query.device, problem.lowest)
    batch, heads, rows, _ = query.shape
    planes = planes_of(config) * keep
    result = query.new_empty((batch, heads, rows, problem.widths[1]))
    facts = query.new_empty((batch, heads, planes, rows), dtype=torch.int32)
    invalid = torch.zeros((), dtype=torch.int64, device=query.device)
    _launch(
        attention_kernel, problem, (-(-rows // _blocks(problem).height), batch * heads),
        (*problem.given, result, facts, invalid, unit.tables, *problem.strides, *problem.sizes,
         planes, problem.scale * unit.halves),
        spec=unit.exp, last=unit.last, halves=unit.halves, check=check,
    )  # fmt: skip
    return result, facts, invalid


def attention_backward(
    problem: Problem,
    upstream: Tensor,
    facts: Tensor,
    config: SoftmaxConfig,
    *,
    grad_exponent: int | None,
    seed: int = 0,
) -> tuple[Tensor, Tensor, Tensor]:
    """The gradients by query, key and value.

    Args:
        upstream: the gradient by the result, dense. facts: of the forward pass.
        grad_exponent, seed: see :meth:`.engine.Engine.softmax_backward`.
    """
    from .kernels.attention_backward import key_kernel, query_kernel

    query, blocks = problem.query, _blocks(problem)
    unit = _unit(config, upstream.device, problem.lowest)
    (batch, heads), (rows, columns) = query.shape[:2], problem.rows_and_columns
    more = query.new_empty((batch, heads, 2, rows), dtype=torch.int32)
    dq, dk, dv = (
        torch.empty(each.shape, dtype=each.dtype, device=each.device)
        for each in (query, problem.key, problem.value)
    )
    factor = problem.scale * config.scale
    shared = (
        *problem.strides,
        *problem.sizes,
        planes_of(config),
        problem.scale * unit.halves,
        factor,
    )
    constants = {
        "spec": unit.exp, "last": unit.last, "halves": unit.halves,
        "back": backward_constants(config), "parts": _parts(config, query.dtype),
        "stops": config.clip_gradient == "zero",
    }  # fmt: skip
    _launch(
        query_kernel, problem, (-(-rows // blocks.height), batch * heads),
        (*problem.given, upstream, facts, more, dq, unit.tables, *shared, grad_exponent or 0, seed),
        own_scale=grad_exponent is None, **constants,
    )  # fmt: skip
    _launch(
        key_kernel, problem, (-(-columns // blocks.width), batch * problem.key.shape[1]),
        (*problem.given, upstream, facts, more, dk, dv, unit.tables, *shared, seed),
        **constants,
    )  # fmt: skip
    return dq, dk, dv


def _parts(config: SoftmaxConfig, dtype: torch.dtype) -> int:
    """Numbers of a dtype that a code of dS is the sum of; 0 where products are made in float32.

    A half has too small a range for dS times a power of two.
    """
    if dtype != torch.bfloat16:
        return 0
    return 1 if config.grad_output.width - 1 <= 8 else 2


@dataclass(frozen=True, slots=True)
class _Blocks:
    """How many rows and columns a program takes at once."""

    height: int
    width: int
    warps: int


def _blocks(problem: Problem) -> _Blocks:
    """Those that fit registers and shared memory."""
    if problem.query.dtype == torch.float32:
        return _Blocks(32, 32, 4)
    return _Blocks(64, 64, 4) if max(problem.widths) <= 64 else _Blocks(64, 32, 4)


def _launch(
    kernel: Kernel, problem: Problem, programs: tuple[int, int], given: tuple[object, ...],
    **constants: object,
) -> None:  # fmt: skip
    """Run a kernel by blocks of the problem's."""
    blocks = _blocks(problem)
    embed, values = (max(1 << (each - 1).bit_length(), 16) for each in problem.widths)
    of_problem = {
        "like": _like(problem.query.dtype), "kind": problem.kind, "causal": problem.is_causal,
        "embed": embed, "values": values,
        "height": blocks.height, "width": blocks.width,
    }  # fmt: skip
    options = {"num_warps": blocks.warps, "num_stages": 2}
    triton_launch.run(Launch(kernel, programs, given, constants | of_problem, options))


def _like(dtype: torch.dtype) -> object:
    """Triton's dtype that matrices are multiplied in."""
    import triton.language as tl

    interpreted = os.environ.get("TRITON_INTERPRET") == "1"  # in NumPy, which has no bfloat16
    if dtype == torch.float32 or (dtype == torch.bfloat16 and interpreted):
        return tl.float32
    return tl.bfloat16 if dtype == torch.bfloat16 else tl.float16
