"""What the unit gives of an element: the last stage, one class for each function it can be.

Each says what of an element waits for its row's sum, makes the stage that turns the sum into a
scalar of the row, and finishes an element with that scalar.
"""

from typing import Any

from amaranth.hdl import Module, Mux, Value
from amaranth.lib import data

from ..golden.config import SoftmaxConfig
from ..golden.exp import ExpTable
from ..golden.probability import Logarithm as GoldenLogarithm
from ..golden.probability import Probability as GoldenProbability
from ..golden.probability import output_stage
from .difference import Difference
from .exp import Exp
from .ln import Ln
from .log_probability import LogProbability
from .normalize import Normalize
from .pipeline import delay
from .reciprocal import Reciprocal
from .target import Target


class Probability:
    """p = exp / S: mantissa and shift wait for the reciprocal; twin of the golden class.

    Attributes:
        element, scalar: layouts of what waits of an element, and of the row's scalar.
        row: the stage from sum to scalar. row_latency: its latency, in cycles.
        latency: of an element's last stage, in cycles.
    """

    row_latency, latency = Reciprocal.latency, Normalize.latency

    def __init__(
        self, *, golden: GoldenProbability, exp: ExpTable, sum_bits: int, width: int, target: Target
    ):
        self._golden, self._width = golden, width
        self.row = Reciprocal(golden=golden.reciprocal, sum_bits=sum_bits, target=target)
        self.element = data.StructLayout({"mantissa": exp.mantissa_bits, "shift": exp.shift_bits})
        self.scalar = data.StructLayout({"r": len(self.row.r), "q": len(self.row.q)})

    def scalar_of(self, row: Reciprocal) -> dict[str, Any]:
        """The scalar's fields, from the row's stage."""
        return {"r": row.r, "q": row.q}

    def element_of(
        self, m: Module, name: str, difference: Difference, exp: Exp, active: Value
    ) -> dict[str, Any]:
        """What waits of an element: exp, and nothing where the element takes no part."""
        return {"mantissa": Mux(active, exp.mantissa, 0), "shift": exp.shift}

    def finish(self, m: Module, name: str, element, scalar, error: Value) -> Value:
        """The output code, ``latency`` cycles later; an error row has mantissa 0 already."""
        m.submodules[name] = last = Normalize(
            golden=self._golden.normalize,
            shift_bits=len(element.shift),
            q_bits=len(scalar.q),
            width=self._width,
        )
        m.d.comb += [
            last.mantissa.eq(element.mantissa),
            last.shift.eq(element.shift),
            last.r.eq(scalar.r),
            last.q.eq(scalar.q),
        ]
        return last.o


class Logarithm:
    """log p: the difference waits for the sum's logarithm; twin of the golden class.

    Attributes: see :class:`Probability`.
    """

    row_latency, latency = Ln.latency, LogProbability.latency

    def __init__(
        self,
        *,
        golden: GoldenLogarithm,
        exp: ExpTable,
        sum_bits: int,
        width: int,
        span: int,
        target: Target,
    ):
        self._golden, self._exp, self._width, self._span = golden.log, exp, width, span
        self.row = Ln(golden=golden.log.ln, sum_bits=sum_bits, target=target)
        self.element = data.StructLayout({"distance": span.bit_length(), "active": 1})
        self.scalar = data.StructLayout({"ln": len(self.row.o)})

    def scalar_of(self, row: Ln) -> dict[str, Any]:
        """The scalar's fields, from the row's stage."""
        return {"ln": row.o}

    def element_of(
        self, m: Module, name: str, difference: Difference, exp: Exp, active: Value
    ) -> dict[str, Any]:
        """What waits of an element: its difference up to the span, and whether it takes part."""
        m.submodules[name] = whole = Difference(
            width=len(difference.x), span=self._span, reach=self._span
        )
        m.d.comb += [whole.x.eq(difference.x), whole.maximum.eq(difference.maximum)]
        waited = delay(m, whole.o, Exp.latency_of(self._exp), name=f"{name}_waited")
        return {"distance": waited, "active": active}

    def finish(self, m: Module, name: str, element, scalar, error: Value) -> Value:
        """The output code, ``latency`` cycles later; 0 in an error row."""
        m.submodules[name] = last = LogProbability(
            golden=self._golden, distance_bits=len(element.distance), width=self._width
        )
        m.d.comb += [
            last.distance.eq(element.distance),
            last.active.eq(element.active),
            last.ln.eq(scalar.ln),
        ]
        return Mux(delay(m, error, self.latency, name=f"{name}_error"), 0, last.o)


STAGES = {"softmax": Probability, "log_softmax": Logarithm}
"""The last stage of every function."""


def last_stage(
    config: SoftmaxConfig, *, exp: ExpTable, sum_bits: int, target: Target
) -> Probability | Logarithm:
    """The last stage of a configuration."""
    golden = output_stage(config)
    common = {"exp": exp, "sum_bits": sum_bits, "width": config.output.width, "target": target}
    if isinstance(golden, GoldenLogarithm):
        return Logarithm(golden=golden, span=config.span, **common)
    return Probability(golden=golden, **common)
