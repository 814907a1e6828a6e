"""What the unit gives of an element: the last stage, one class for each function it can be.

Each says what of an element waits for its row's sum, makes the stage that turns the sum into a
scalar of the row, and finishes an element with that scalar.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from amaranth.hdl import Module, Mux, Shape, Value
from amaranth.lib import data

from ...golden.config import SoftmaxConfig
from ...golden.stages.accumulate import Accumulate
from ...golden.stages.probability import Logarithm as GoldenLogarithm
from ...golden.stages.probability import Probability as GoldenProbability
from ...golden.stages.probability import output_stage
from ..parts.pipeline import delay
from ..targets.generic import Target
from .exp import Contents, Exp
from .leading_one import Normalise
from .ln import Ln
from .log_probability import LogProbability
from .normalize import Normalize
from .reciprocal import Reciprocal


@dataclass(frozen=True, slots=True)
class Place:
    """Where an element lies in its row; what is asked for is built.

    Attributes:
        distance: from the maximum, or the fixed code, in input LSB, at the time of its exp.
        x: its clipped code, at that time.
    """

    distance: Callable[[], Value]
    x: Callable[[], Value]


class LastStage(Protocol):
    """What finishes an element with the scalar of its row.

    Attributes:
        element, scalar: layouts of what waits of an element, and of the row's scalar.
        latency: of an element's last stage, in cycles.
        width: of a result, in bits.
    """

    element: data.StructLayout
    scalar: data.StructLayout
    latency: int
    width: int

    def finish(self, m: Module, name: str, element: Any, scalar: Any, error: Value) -> Value:
        """The output code, ``latency`` cycles later; 0 in an error row."""
        ...


class Probability:
    """p = exp / S: mantissa and exponent wait for the reciprocal; twin of the golden class.

    Attributes: those of :class:`LastStage`, and
        row_latency: of the stage from sum to scalar, in cycles.
    """

    latency = Normalize.latency

    def __init__(
        self, *, golden: GoldenProbability, config: SoftmaxConfig, exp: Contents, target: Target
    ):
        self._golden, self._exp, self._target = golden, exp, target
        self.width, mantissa = config.output.width, config.widths.mantissa_bits
        self._sum_bits = Accumulate.of(config).sum_bits
        self.row_latency = Reciprocal.latency_of(golden.reciprocal, self._sum_bits)
        self.element = data.StructLayout(
            {"mantissa": mantissa, "exponent": exp.exponent_bits, "active": 1}
        )
        lowest = golden.reciprocal.fraction + golden.reciprocal.lowest
        q_bits = Normalise.q_bits(self._sum_bits, lowest)
        self.scalar = data.StructLayout({"r": golden.reciprocal.bits, "q": q_bits})

    def row(self) -> Reciprocal:
        """The stage from sum to scalar."""
        return Reciprocal(
            golden=self._golden.reciprocal, sum_bits=self._sum_bits, target=self._target
        )

    def scalar_of(self, row: Any, maximum: Callable[[], Value] | None = None) -> dict[str, Any]:
        """The scalar's fields, from the row's stage; of the row's maximum, where there is one."""
        return {"r": row.r, "q": row.q}

    def element_of(self, exp: Exp, active: Value, place: Place) -> dict[str, Any]:
        """What waits of an element: its exp, and whether it takes part."""
        return {"mantissa": exp.mantissa, "exponent": exp.exponent, "active": active}

    def finish(self, m: Module, name: str, element, scalar, error: Value) -> Value:
        """The output code, ``latency`` cycles later; 0 in an error row."""
        m.submodules[name] = last = Normalize(
            golden=self._golden.normalize,
            exp=self._exp,
            q_bits=len(scalar.q),
            width=self.width,
            target=self._target,
        )
        m.d.comb += [
            last.mantissa.eq(element.mantissa),
            last.exponent.eq(element.exponent),
            last.r.eq(scalar.r),
            last.q.eq(scalar.q),
            last.active.eq(element.active & ~error),
        ]
        return last.o


class Logarithm:
    """log p: the distance waits for the sum's logarithm; twin of the golden class.

    Attributes: see :class:`Probability`.
    """

    latency = LogProbability.latency

    def __init__(
        self, *, golden: GoldenLogarithm, config: SoftmaxConfig, exp: Contents, target: Target
    ):
        self._golden, self._target, self.width = golden.log, target, config.output.width
        self._sum_bits = Accumulate.of(config).sum_bits
        self.row_latency = Ln.latency_of(golden.log.ln, self._sum_bits)
        self.element = data.StructLayout({"distance": config.farthest.bit_length(), "active": 1})
        self.scalar = data.StructLayout({"ln": Shape(golden.log.ln.width, golden.log.ln.signed)})

    def row(self) -> Ln:
        """The stage from sum to scalar."""
        return Ln(golden=self._golden.ln, sum_bits=self._sum_bits, target=self._target)

    def scalar_of(self, row: Any, maximum: Callable[[], Value] | None = None) -> dict[str, Any]:
        """The scalar's fields, from the row's stage; of the row's maximum, where there is one."""
        return {"ln": row.o}

    def element_of(self, exp: Exp, active: Value, place: Place) -> dict[str, Any]:
        """What waits of an element: its whole distance, and whether it takes part."""
        return {"distance": place.distance(), "active": active}

    def finish(self, m: Module, name: str, element, scalar, error: Value) -> Value:
        """The output code, ``latency`` cycles later; 0 in an error row."""
        m.submodules[name] = last = LogProbability(
            golden=self._golden,
            distance_bits=len(element.distance),
            width=self.width,
            target=self._target,
        )
        m.d.comb += [
            last.distance.eq(element.distance),
            last.active.eq(element.active),
            last.ln.eq(scalar.ln),
        ]
        return Mux(delay(m, error, self.latency, name=f"{name}_error"), 0, last.o)


def last_stage(config: SoftmaxConfig, *, exp: Contents, target: Target) -> Probability | Logarithm:
    """The last stage of a configuration, for elements whose exp comes from given tables."""
    golden = output_stage(config)
    if isinstance(golden, GoldenLogarithm):
        return Logarithm(golden=golden, config=config, exp=exp, target=target)
    return Probability(golden=golden, config=config, exp=exp, target=target)
