"""A configuration as the compiled kernels read it: numbers, and tables that stay where they are.

The structures are those of ``native/plan.h``, field by field, in the same order.
"""

import ctypes
from dataclasses import dataclass
from functools import lru_cache

from ...config import SoftmaxConfig
from ...errors import ConfigError
from ...formats import Format
from ...stages.accumulate import lowest_exponent
from ...stages.exp import exp_table
from ...stages.gradient import Gradient
from ...stages.ln import GUARD as LN_GUARD
from ...stages.log_probability import GUARD as LOG_GUARD
from ...stages.log_probability import LogProbability
from ...stages.loss import Loss
from ...stages.normalize import Normalize
from ...stages.reciprocal import GUARD as RECIPROCAL_GUARD
from ...stages.reciprocal import reciprocal_table
from ...types import Codes
from .engine import FLOAT32_BITS

Int, Real, Table = ctypes.c_int64, ctypes.c_double, ctypes.POINTER(ctypes.c_int64)
FURTHER = 3
"""Exp tables behind the first that a plan has room for."""


class _Line(ctypes.Structure):
    _fields_ = (
        ("base", Table), ("slope", Table), ("index", Int), ("step", Int), ("shift", Int),
    )  # fmt: skip


class _Logarithm(ctypes.Structure):
    _fields_ = (
        ("line", _Line), ("q_ln2", Table), ("factor", Int), ("factor_drop", Int),
        ("lowest", Int), ("highest", Int), ("lsb", Real),
    )  # fmt: skip


class _Plan(ctypes.Structure):
    _fields_ = (
        ("scale", Real), ("format_low", Int), ("format_high", Int), ("low", Int), ("high", Int),
        ("has_origin", Int), ("origin", Int), ("saturates", Int), ("span", Int), ("reach", Int),
        ("tables", Int), ("bits", Int * (1 + FURTHER)), ("guard", Int), ("mantissa_bits", Int),
        ("first", Table), ("shift", Table), ("further", Table * FURTHER),
        ("further_drop", Int * FURTHER),
        ("window", Int), ("sum_fraction", Int), ("lowest_exponent", Int), ("reciprocal", _Line),
        ("drop", Int), ("product_bits", Int), ("one", Int), ("output_fraction", Int),
        ("has_exponent", Int), ("gated", Int),
        ("logarithm", Int), ("log", _Logarithm),
        ("loss", _Logarithm), ("residual_low", Int), ("residual_high", Int),
        ("grad_scale", Real), ("grad_low", Int), ("grad_high", Int), ("grad_room", Int),
        ("dot_drop", Int), ("dot_low", Int), ("dot_high", Int), ("dot_guard", Int),
        ("drop_ds", Int), ("ds_low", Int), ("ds_high", Int), ("ds_lsb", Real), ("stochastic", Int),
        ("in_float", Int),
    )  # fmt: skip


class Tally(ctypes.Structure):
    """Elements clipped, and elements that are no logits, of all rows of a call."""

    _fields_ = (("clipped", Int), ("invalid", Int))


@dataclass(frozen=True, eq=False, slots=True)
class Plan:
    """A configuration's numbers and tables, and what keeps the tables where they are."""

    fields: _Plan
    tables: list[Codes]

    def __getattr__(self, name: str) -> object:
        return getattr(self.fields, name)


@lru_cache(maxsize=64)
def plan(config: SoftmaxConfig) -> Plan:
    """What the kernels know of a configuration; sections of units it cannot make stay 0."""
    made = Plan(_Plan(), [])
    _elements(made, config)
    _results(made, config)
    if config.function == "log_softmax":
        made.fields.logarithm = 1
        made.fields.log = _logarithm(made, LogProbability.of(config, config.output), config.output)
    for section in (_losses, _gradients):
        try:
            section(made, config)
        except ConfigError:  # the unit refuses the configuration, as it does where it is asked
            continue
    return made


def _table(made: Plan, codes: Codes) -> "ctypes._Pointer[ctypes.c_int64]":
    """Where a table lies, for as long as the plan does."""
    made.tables.append(codes)
    return codes.ctypes.data_as(Table)


def _elements(made: Plan, config: SoftmaxConfig) -> None:
    """From an input to its mantissa, and from those to a sum."""
    fields, path, exp = made.fields, config.path, exp_table(config)
    fields.scale = 2.0**config.input.f
    fields.format_low, fields.format_high = config.input.min_code, config.input.max_code
    fields.low, fields.high = config.lowest, config.highest
    fields.has_origin, fields.origin = path.origin is not None, path.origin or 0
    fields.saturates = path.origin is None and config.clip == "difference"
    fields.span, fields.reach = config.span, path.reach
    fields.tables, fields.guard, fields.mantissa_bits = len(exp.split), exp.guard, exp.mantissa_bits
    for place, bits in enumerate(exp.split):
        fields.bits[place] = bits
    fields.first, fields.shift = _table(made, exp.high), _table(made, exp.shift)
    for place, low in enumerate(exp.low):
        fields.further[place] = _table(made, low.entries)
        fields.further_drop[place] = low.fraction - exp.guard
    fields.window, fields.sum_fraction = path.window, config.widths.sum_fraction
    fields.lowest_exponent = lowest_exponent(config)


def _results(made: Plan, config: SoftmaxConfig) -> None:
    """From a sum to probabilities."""
    fields = made.fields
    fields.output_fraction, fields.one = config.output.f, config.one
    fields.has_exponent, fields.gated = config.has_exponent, config.clip_gradient == "zero"
    if config.function == "log_softmax":
        return
    table, normalize = reciprocal_table(config), Normalize.of(config)
    fields.reciprocal = _Line(
        _table(made, table.base), _table(made, table.slope), table.index, table.step,
        table.step + RECIPROCAL_GUARD,
    )  # fmt: skip
    fields.drop, fields.product_bits = normalize.drop, normalize.product_bits


def _logarithm(made: Plan, log: LogProbability, output: Format) -> _Logarithm:
    """Logarithms of sums and distances, in LSB of an output."""
    ln = log.ln
    line = _Line(
        _table(made, ln.base), _table(made, ln.slope), ln.index, ln.step, ln.step + LN_GUARD
    )
    return _Logarithm(
        line, _table(made, ln.q_ln2), log.factor, log.factor_fraction - LOG_GUARD,
        output.min_code, 0 if output.signed else output.max_code, output.lsb,
    )  # fmt: skip


def _losses(made: Plan, config: SoftmaxConfig) -> None:
    made.fields.loss = _logarithm(made, Loss.of(config).log, config.loss)
    made.fields.residual_low = config.loss_grad.min_code
    made.fields.residual_high = config.loss_grad.max_code


def _gradients(made: Plan, config: SoftmaxConfig) -> None:
    fields, stage = made.fields, Gradient.of(config)
    dp, d = stage.dot.dp, stage.dot.output
    fields.grad_scale, fields.grad_room = 2.0**dp.f, dp.i - 1
    fields.grad_low, fields.grad_high = dp.min_code, dp.max_code
    fields.dot_drop, fields.dot_guard = stage.dot.drop, d.f - dp.f
    fields.dot_low, fields.dot_high = d.min_code, d.max_code
    fields.drop_ds, fields.ds_lsb = stage.drop, stage.output.lsb
    fields.ds_low, fields.ds_high = stage.output.min_code, stage.output.max_code
    fields.stochastic = stage.rounding == "stochastic"
    # every product is the sum of two halves that a float32 holds, and so is what is left of it
    fields.in_float = (
        not fields.stochastic
        and stage.dot.p.width <= FLOAT32_BITS - 2
        and stage.dot.difference.width <= FLOAT32_BITS
        and stage.output.f + stage.dot.difference.i <= FLOAT32_BITS - 4
    )
