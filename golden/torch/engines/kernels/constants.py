"""What kernels know of a configuration when they are compiled, and the tables that they read.

All tables of a unit lie in one array; an ``int`` that is called a table is where it starts there.
Fields called bits are the most that a value can have, without its sign: what has ``NARROW`` or less
is computed in 32 bits, which a GPU is faster in. What a kernel is given is known by its identity,
which is quicker to look up than by its fields.
"""

from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from ....config import SoftmaxConfig
from ....formats import Format
from ....stages.accumulate import leading_zeros
from ....stages.dither import CONSTANT, ROUNDS, Z0
from ....stages.exp import ExpTable, exp_table
from ....stages.ln import GUARD as LN_GUARD
from ....stages.log_probability import GUARD as LOG_GUARD
from ....stages.log_probability import LogProbability
from ....stages.loss import WEIGHT_FRACTION
from ....stages.normalize import Normalize
from ....stages.reciprocal import GUARD as RECIPROCAL_GUARD
from ....stages.reciprocal import reciprocal_table
from ....types import Codes
from ....units.softmax_backward import backward_stage
from ..gradient_scale import MOST_EXPONENT

NARROW = 31
"""Bits of the integers that a GPU is fast in, without the sign."""


def bits_of(*entries: int | Codes) -> int:
    """Bits of the largest magnitude."""
    return max(int(np.abs(np.asarray(each)).max()).bit_length() for each in entries)


@dataclass(frozen=True, eq=False, slots=True)
class Tables:
    """Tables one after the other."""

    parts: list[Codes] = field(default_factory=list)

    def add(self, entries: Codes) -> int:
        """Where a table starts that is added."""
        start = sum(map(len, self.parts))
        self.parts.append(entries)
        return start

    @property
    def contents(self) -> Codes | npt.NDArray[np.int32]:
        """All of them, in 32 bits where that holds every entry."""
        whole = np.concatenate(self.parts)
        return whole.astype(np.int32) if bits_of(whole) <= NARROW else whole


@dataclass(frozen=True, slots=True)
class Real:
    """Codes that real values are quantised to, in halves of an LSB, so that rounding half up is
    dropping a bit.

    Attributes:
        halves: what a value is multiplied by to be in halves.
        low, high: all that rounds to the least and to the largest code starts there, in halves.
        beyond: what is as large as that, in halves, is larger than the largest code.
    """

    halves: float
    low: float
    high: float
    beyond: float

    @classmethod
    def of(cls, fmt: Format, limit: int = 0) -> "Real":
        """``limit``: of the codes' magnitudes; 0 for those of the format."""
        least, most = (-limit, limit) if limit else (fmt.min_code, fmt.max_code)
        return cls(2.0 ** (fmt.f + 1), 2.0 * least - 1, 2.0 * most, 2.0 * most + 1)


@dataclass(frozen=True, slots=True)
class Low:
    """A further exp table, read at ``mask`` of the distance's bits from ``place`` up; a mantissa's
    product with an entry has so many bits."""

    table: int
    place: int
    mask: int
    drop: int
    bits: int


@dataclass(frozen=True, eq=False, slots=True)
class Exponentials:
    """The stages up to a row's sum.

    Attributes:
        input: what logits are quantised to and clipped. lowest: the input's lowest code.
        floor: logits at or below it take no part.
        from_maximum: distances are; else they are from ``origin``.
        saturates: distances do, at ``span``. beyond: they can be longer than ``reach``.
        high: the first table, read from the distance's bit ``place`` up; its entries have
            ``high_bits`` bits. Shifts lie above them where ``packed`` is set, else in ``shift``.
        low: the further tables, ``further`` of them. guard: bits that are dropped at the end.
        highest: the place of a mantissa without shift; ``fraction`` fraction bits of the sum.
        mantissa: bits of a mantissa. exact: terms lose nothing.
    """

    input: Real
    floor: float
    lowest: int
    from_maximum: bool
    origin: int
    saturates: bool
    span: int
    beyond: bool
    reach: int
    high: int
    high_bits: int
    packed: bool
    shift: int
    place: int
    low: tuple[Low, ...]
    further: int
    guard: int
    highest: int
    fraction: int
    term_bits: int
    mantissa: int
    window: bool
    exact: bool

    @classmethod
    def of(cls, config: SoftmaxConfig, tables: Tables) -> "Exponentials":
        table, path, widths = exp_table(config), config.path, config.widths
        clips, from_maximum = config.clip == "input", path.origin is None
        high_bits = bits_of(table.high)
        packed = high_bits + bits_of(table.shift) <= NARROW
        high = table.high | (table.shift << high_bits) if packed else table.high
        return cls(
            input=Real.of(config.input, config.range_code if clips else 0),
            floor=-float("inf"),
            lowest=config.input.min_code,
            from_maximum=from_maximum,
            origin=path.origin or 0,
            saturates=from_maximum and not clips,
            span=config.span,
            beyond=path.farthest > path.reach,
            reach=path.reach,
            high=tables.add(high),
            high_bits=high_bits,
            packed=packed,
            shift=0 if packed else tables.add(table.shift),
            place=sum(table.split[1:]),
            low=_further(table, tables),
            further=len(table.low),
            guard=table.guard,
            highest=widths.sum_fraction - widths.mantissa_bits + 1,
            fraction=widths.sum_fraction,
            term_bits=widths.sum_fraction + 1,
            mantissa=widths.mantissa_bits,
            window=path.window,
            exact=not from_maximum,
        )

    def of_halves(self, floor: float) -> "Exponentials":
        """The same of logits that are in halves of an LSB, of which those at or below ``floor``
        take no part; the floor is in the logits' unit."""
        real = replace(self.input, halves=1.0)
        return replace(self, input=real, floor=floor * self.input.halves)


def _further(table: ExpTable, tables: Tables) -> tuple[Low, ...]:
    """The exp tables after the first one."""
    places = (sum(table.split[index + 1 :]) for index in range(1, len(table.split)))
    mantissa = bits_of(table.high) - table.guard
    return tuple(
        Low(
            tables.add(each.entries),
            place,
            (1 << bits) - 1,
            each.fraction - table.guard,
            mantissa + bits_of(each.entries),
        )
        for each, place, bits in zip(table.low, places, table.split[1:], strict=True)
    )


@dataclass(frozen=True, slots=True)
class Segments:
    """A table of linear segments, read at the ``kept`` bits of a significand.

    Attributes:
        lowest: the least exponent of a sum.
        drop: bits that are dropped after the last ``step`` bits interpolate.
    """

    base: int
    slope: int
    kept: int
    step: int
    drop: int
    lowest: int


@dataclass(frozen=True, eq=False, slots=True)
class Product:
    """p = m * r; ``has_exponent``: times two to the power of the row's exponent.

    Attributes:
        bits: of the product. drop: bits that are dropped; no more than ``most``, for then all is 0.
        sure: bits that are dropped of every product, so that the rest is narrow; all of them are
            ``sure`` and at least one more where ``split`` is set.
        one: the largest code. fraction: fraction bits of p.
        fine: bits of the significands that tell a row's exponent.
    """

    reciprocal: Segments
    bits: int
    drop: int
    most: int
    sure: int
    split: bool
    one: int
    fraction: int
    has_exponent: bool
    fine: int

    @classmethod
    def of(cls, config: SoftmaxConfig, normalize: Normalize, tables: Tables) -> "Product":
        """``normalize``: the golden stage, which says where p ends."""
        table = reciprocal_table(config)
        base, slope = tables.add(table.base), tables.add(table.slope)
        guard = table.step + RECIPROCAL_GUARD
        segments = Segments(base, slope, table.kept, table.step, guard, table.lowest)
        sure = max(normalize.product_bits - NARROW, 0)
        return cls(
            reciprocal=segments,
            bits=normalize.product_bits,
            drop=normalize.drop,
            most=normalize.product_bits + 1,
            sure=sure,
            split=sure < normalize.drop - leading_zeros(config),
            one=normalize.one,
            fraction=config.output.f,
            has_exponent=config.has_exponent,
            fine=max(table.kept, config.widths.mantissa_bits - 1),
        )


@dataclass(frozen=True, eq=False, slots=True)
class Logarithm:
    """-log p = u * factor + ln S, ``guard`` bits finer than a format of ``fraction`` bits.

    Attributes:
        q_ln2: table of q ln 2. drop: bits that are dropped from the product.
        product_bits, bits: of the product, and of the logarithm with its guard bits.
        weight: fraction bits of a class' weight.
    """

    ln: Segments
    q_ln2: int
    factor: int
    product_bits: int
    bits: int
    drop: int
    guard: int
    fraction: int
    weight: int

    @classmethod
    def of(cls, config: SoftmaxConfig, fmt: Format, tables: Tables) -> "Logarithm":
        stage = LogProbability.of(config, fmt)
        ln = stage.ln
        base, slope = tables.add(ln.base), tables.add(ln.slope)
        kept, drop = ln.index + ln.step, ln.step + LN_GUARD
        farthest, dropped = config.path.farthest, stage.factor_fraction - LOG_GUARD
        most = (
            (farthest * stage.factor >> dropped) + int(np.abs(ln.q_ln2).max()) + (1 << ln.fraction)
        )
        return cls(
            ln=Segments(base, slope, kept, ln.step, drop, ln.lowest),
            q_ln2=tables.add(ln.q_ln2),
            factor=stage.factor,
            product_bits=bits_of(farthest) + bits_of(stage.factor),
            bits=bits_of(most + (1 << LOG_GUARD)),
            drop=dropped,
            guard=LOG_GUARD,
            fraction=fmt.f,
            weight=WEIGHT_FRACTION,
        )


@dataclass(frozen=True, eq=False, slots=True)
class Backward:
    """The backward unit.

    Attributes:
        input, integer: format of dP, and its integer bits. p_fraction: fraction bits of p.
        most_exponent: of the power of two that dP is multiplied by.
        dot_drop, dot_low, dot_high: of D: bits dropped from the sum, and its limits.
        guard: fraction bits of D beyond those of dP.
        product_bits: of a product of p and dP.
        drop, low, high, fraction: of dS: bits dropped from the product, its limits, its fraction.
        bits: of that product.
        constants: of the rounds that make random bits.
    """

    input: Real
    integer: int
    p_fraction: int
    product_bits: int
    bits: int
    has_exponent: bool
    most_exponent: int
    dot_drop: int
    dot_low: int
    dot_high: int
    guard: int
    drop: int
    low: int
    high: int
    fraction: int
    stochastic: bool
    rounds: int
    constants: tuple[int, ...]

    @classmethod
    def of(cls, config: SoftmaxConfig) -> "Backward":
        """Raises ``ConfigError`` as :func:`.backward_stage` does."""
        stage = backward_stage(config)
        d, ds = stage.dot.output, stage.output
        p_bits, difference = config.one.bit_length(), stage.dot.difference
        return cls(
            input=Real.of(config.grad_input),
            integer=config.grad_input.i,
            p_fraction=config.output.f,
            product_bits=p_bits + config.grad_input.width - 1,
            bits=p_bits + difference.width,
            has_exponent=config.has_exponent,
            most_exponent=MOST_EXPONENT,
            dot_drop=stage.dot.drop,
            dot_low=d.min_code,
            dot_high=d.max_code,
            guard=d.f - config.grad_input.f,
            drop=stage.drop,
            low=ds.min_code,
            high=ds.max_code,
            fraction=ds.f,
            stochastic=config.rounding == "stochastic",
            rounds=ROUNDS,
            constants=tuple(CONSTANT ^ int(bit) for bit in Z0[:ROUNDS]),
        )
