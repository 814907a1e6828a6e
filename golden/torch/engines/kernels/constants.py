"""What kernels know of a configuration when they are compiled, and the tables that they read.

All tables of a unit lie in one array; an ``int`` that is called a table is where it starts there.
"""

from dataclasses import dataclass, field

import numpy as np

from ....config import SoftmaxConfig
from ....formats import Format
from ....stages.dither import CONSTANT, ROUNDS, Z0
from ....stages.exp import exp_table
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
    def contents(self) -> Codes:
        return np.concatenate(self.parts)


@dataclass(frozen=True, slots=True)
class Real:
    """A format that real values are quantised to: values of an LSB are 1 after ``scale``."""

    fraction: int
    scale: float
    low: float
    high: float

    @classmethod
    def of(cls, fmt: Format) -> "Real":
        return cls(fmt.f, 2.0**fmt.f, float(fmt.min_code), float(fmt.max_code))


@dataclass(frozen=True, slots=True)
class Low:
    """A further exp table, read at ``mask`` of the distance's bits from ``place`` up."""

    table: int
    place: int
    mask: int
    drop: int


@dataclass(frozen=True, slots=True)
class Exponentials:
    """The stages up to a row's sum.

    Attributes:
        limit: of the clip, 0 where nothing is clipped. lowest: the input's lowest code.
        from_maximum: distances are, and saturate at ``span``; else they are from ``origin``.
        high, shift: the first table, read from the distance's bit ``place`` up.
        low: the further tables, ``further`` of them. guard: bits that are dropped at the end.
        highest: the place of a mantissa without shift; ``fraction`` fraction bits of the sum.
        mantissa: bits of a mantissa.
    """

    input: Real
    limit: int
    lowest: int
    from_maximum: bool
    origin: int
    span: int
    reach: int
    high: int
    shift: int
    place: int
    low: tuple[Low, ...]
    further: int
    guard: int
    highest: int
    fraction: int
    mantissa: int
    window: bool

    @classmethod
    def of(cls, config: SoftmaxConfig, tables: Tables) -> "Exponentials":
        table, path, widths = exp_table(config), config.path, config.widths
        places = [sum(table.split[index + 1 :]) for index in range(len(table.split))]
        low = tuple(
            Low(tables.add(each.entries), place, (1 << bits) - 1, each.fraction - table.guard)
            for each, place, bits in zip(table.low, places[1:], table.split[1:], strict=True)
        )
        return cls(
            input=Real.of(config.input),
            limit=config.range_code if config.clip == "input" else 0,
            lowest=config.input.min_code,
            from_maximum=path.origin is None,
            origin=path.origin or 0,
            span=config.span,
            reach=path.reach,
            high=tables.add(table.high),
            shift=tables.add(table.shift),
            place=places[0],
            low=low,
            further=len(low),
            guard=table.guard,
            highest=widths.sum_fraction - widths.mantissa_bits + 1,
            fraction=widths.sum_fraction,
            mantissa=widths.mantissa_bits,
            window=path.window,
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


@dataclass(frozen=True, slots=True)
class Product:
    """p = m * r; ``has_exponent``: times two to the power of the row's exponent.

    Attributes:
        drop: bits that are dropped; no more than ``most``, for then all is 0.
        one: the largest code. fraction: fraction bits of p.
        fine: bits of the significands that tell a row's exponent.
    """

    reciprocal: Segments
    drop: int
    most: int
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
        return cls(
            reciprocal=segments,
            drop=normalize.drop,
            most=normalize.product_bits + 1,
            one=normalize.one,
            fraction=config.output.f,
            has_exponent=config.has_exponent,
            fine=max(table.kept, config.widths.mantissa_bits - 1),
        )


@dataclass(frozen=True, slots=True)
class Logarithm:
    """-log p = u * factor + ln S, ``guard`` bits finer than a format of ``fraction`` bits.

    Attributes:
        q_ln2: table of q ln 2. drop: bits that are dropped from the product.
        weight: fraction bits of a class' weight.
    """

    ln: Segments
    q_ln2: int
    factor: int
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
        return cls(
            ln=Segments(base, slope, kept, ln.step, drop, ln.lowest),
            q_ln2=tables.add(ln.q_ln2),
            factor=stage.factor,
            drop=stage.factor_fraction - LOG_GUARD,
            guard=LOG_GUARD,
            fraction=fmt.f,
            weight=WEIGHT_FRACTION,
        )


@dataclass(frozen=True, slots=True)
class Backward:
    """The backward unit.

    Attributes:
        input, integer: format of dP, and its integer bits. p_fraction: fraction bits of p.
        most_exponent: of the power of two that dP is multiplied by.
        dot_drop, dot_low, dot_high: of D: bits dropped from the sum, and its limits.
        guard: fraction bits of D beyond those of dP.
        drop, low, high, fraction: of dS: bits dropped from the product, its limits, its fraction.
        constants: of the rounds that make random bits.
    """

    input: Real
    integer: int
    p_fraction: int
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
        return cls(
            input=Real.of(config.grad_input),
            integer=config.grad_input.i,
            p_fraction=config.output.f,
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
