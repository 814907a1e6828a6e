"""The gradient of the cross-entropy: p - y, where p = 1 is reached exactly."""

from collections.abc import Callable
from typing import Any

from amaranth.hdl import Cat, Module, Mux, Shape, Value, signed
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from ...golden.config import SoftmaxConfig
from ...golden.proofs.bounds import bound_ulp
from ...golden.stages.ln import LnTable
from ...golden.stages.log_probability import GUARD
from ...golden.stages.loss import Loss as GoldenLoss
from ...golden.stages.residual import Residual as Golden
from ..parts.pipeline import delay, register
from ..targets.generic import Target
from .exp import Contents, Exp
from .leading_one import Normalise
from .ln import LATENCY as LN_LATENCY
from .ln import ln_of
from .loss import whole_places
from .normalize import Normalize
from .probability import Place, Probability
from .reciprocal import LATENCY as RECIPROCAL_LATENCY
from .reciprocal import Reciprocal


class Residual(Normalize):
    """p as :class:`Normalize` gives it, less 1 where ``target`` is set; p = 1 is reached there.

    ``exceeds``: p can be rounded to more than 1.

    Members, besides those of :class:`Normalize`: target: the element is its row's target, and
    active; a cycle after the others.
    """

    def __init__(self, *, exceeds: bool, **arguments: Any):
        self._exceeds = exceeds
        super().__init__(**arguments)

    def _members(self) -> dict[str, Any]:
        return {"target": In(1)}

    def _code(self, m: Module, rounded: Value) -> Value:
        fraction = self._golden.fraction
        target = delay(m, self.target, self.latency - 2, name="target")
        over = rounded[fraction:].any()  # 1, or what a rounding lifts above it
        # a register that can be set to a value must start with it on some devices
        ones = (1 << fraction) - 1
        low = rounded[:fraction]
        if self._exceeds:  # else 1 itself is all there is, and leaves the low bits 0
            low = Mux(over, 0, low)
        low = Mux(over & ~target, ones, low)
        low = register(m, low, name="code", init=ones)
        return Cat(low, register(m, target & ~over, name="negative"))


class SumScalars(Reciprocal):
    """Reciprocal and logarithm of a row's sum.

    Members, besides those of :class:`Reciprocal`: ln: of the same sum, plus ``offset``; late_r,
    late_q: at the same time.
    """

    def __init__(self, *, golden: Golden, ln: LnTable, offset: int, sum_bits: int, target: Target):
        self._ln, self._offset = ln, offset
        super().__init__(golden=golden.reciprocal, sum_bits=sum_bits, target=target)

    def _kept(self) -> int:
        return max(super()._kept(), self._ln.index + self._ln.step)

    def _members(self) -> dict[str, Any]:
        return {
            "ln": Out(Shape(self._ln.width + 1, self._ln.signed)),
            "late_r": Out(self._golden.bits),
            "late_q": Out(len(self._normalise.q)),
        }

    @staticmethod
    def latency_of_both(golden: Golden, sum_bits: int) -> int:
        """Latency in cycles, of the logarithm."""
        stage = golden.reciprocal
        normalise = Normalise.latency_of(sum_bits, stage.fraction + stage.lowest)
        return normalise + LN_LATENCY

    def elaborate(self, platform: object) -> Module:
        m = super().elaborate(platform)
        s = self._normalise.s[-(self._ln.index + self._ln.step) :]
        wait = LN_LATENCY - RECIPROCAL_LATENCY
        m.d.comb += [
            self.ln.eq(ln_of(m, self._ln, s, self._normalise.q, self._target, offset=self._offset)),
            self.late_r.eq(delay(m, self.r, wait, name="late_r")),
            self.late_q.eq(delay(m, self.q, wait, name="late_q")),
        ]
        return m


class Residuals(Probability):
    """What waits of an element, and of a row; see :class:`Probability`.

    The row's scalar has the reciprocal for the elements, and for the loss the logarithm and, where
    there is one, the maximum. Every logit waits until it is known which one is the target's.

    Attributes: those of :class:`Probability`, and
        top_in_ln: the row's logarithm is that of all exp(x), not of exp(x - top).
    """

    def __init__(
        self,
        *,
        golden: Golden,
        loss: GoldenLoss,
        config: SoftmaxConfig,
        exp: Contents,
        target: Target,
    ):
        super().__init__(golden=golden, config=config, exp=exp, target=target)
        self.width = golden.output.width
        self._ln = loss.log.ln
        # half an LSB of the loss rounds it half up when its low bits are dropped
        self._offset = 1 << (GUARD - 1)
        places = whole_places(loss)
        self.top_in_ln = config.datapath == "exact_sum" and places is not None
        if self.top_in_ln:
            self._offset += config.top << places
        self._exceeds = bound_ulp(config) >= 1
        self.row_latency = SumScalars.latency_of_both(golden, self._sum_bits)
        self.waiting, self.of_element = self.element, self.scalar
        self.element = data.StructLayout({**self.waiting.members, "x": signed(config.input.width)})
        maximum = {"maximum": signed(config.input.width)}
        self.scalar = data.StructLayout(
            {
                **self.of_element.members,
                "ln": Shape(self._ln.width + 1, self._ln.signed),
                **(maximum if config.datapath == "max_subtract" else {}),
            }
        )

    def row(self) -> SumScalars:
        return SumScalars(
            golden=self._golden,
            ln=self._ln,
            offset=self._offset,
            sum_bits=self._sum_bits,
            target=self._target,
        )

    def scalar_of(self, row: Any, maximum: Callable[[], Value] | None = None) -> dict[str, Any]:
        shared = {"r": row.late_r, "q": row.late_q, "ln": row.ln}
        return shared if maximum is None else {**shared, "maximum": maximum()}

    def element_of(self, exp: Exp, active: Value, place: Place) -> dict[str, Any]:
        return {**super().element_of(exp, active, place), "x": place.x()}

    def stage(self, q_bits: int) -> Residual:
        """The last stage of an element."""
        return Residual(
            exceeds=self._exceeds,
            golden=self._golden.normalize,
            exp=self._exp,
            q_bits=q_bits,
            width=self.width,
            target=self._target,
        )
