"""The cross-entropy of a row: ln S and the target's distance, added up and rounded once."""

from amaranth.hdl import Module, Mux, Shape, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ...golden.stages.log_probability import GUARD
from ...golden.stages.loss import Loss as Golden
from ..parts.multiply import Multiply
from ..parts.pipeline import delay, register
from ..targets.generic import GENERIC, Target


def whole_places(golden: Golden) -> int | None:
    """Places by which an LSB of a distance moves to be one of ln; None where it is no such move."""
    factor, places = golden.log.factor, golden.log.factor.bit_length() - 1
    places -= golden.log.factor_fraction - GUARD
    return places if factor.bit_count() == 1 and places >= 0 else None


def in_ln(golden: Golden, origin: int | None) -> bool:
    """Whether the logarithm of a row's sum can be that of all exp(x), not of exp(x - origin): a
    loss is then ln S - x, and needs no distance."""
    return origin is not None and whole_places(golden) is not None


def ln_offset(golden: Golden, origin: int | None) -> int:
    """What is added to the logarithm, in units of ln: half an LSB of the loss, which rounds it half
    up when its low bits are dropped, and the origin where :func:`in_ln`."""
    half = 1 << (GUARD - 1)
    places = whole_places(golden)
    return half if origin is None or places is None else half + (origin << places)


class Loss(wiring.Component):
    """The twin of :class:`golden.stages.loss.Loss` for a target of weight 1.

    Latency :meth:`latency_of` cycles, one row per cycle.

    Members:
        distance: of the target, in input LSB. Where it is signed, it is its code, see
            :func:`in_ln`.
        active: the row has a loss.
        ln: ln of the row's sum and :func:`ln_offset`, and so a bit wider.
        o: the loss; 0 where it has none.
    """

    def __init__(self, *, golden: Golden, distance: Shape, target: Target = GENERIC):
        self._golden, self._target = golden, target
        self.latency = self.latency_of(golden)
        ln = golden.log.ln
        super().__init__(
            {
                "distance": In(distance),
                "ln": In(Shape(ln.width + 1, ln.signed)),
                "active": In(1),
                "o": Out(golden.output.width),
            }
        )

    @staticmethod
    def latency_of(golden: Golden) -> int:
        """Latency in cycles."""
        return (Multiply.latency if whole_places(golden) is None else 0) + 2

    def elaborate(self, platform: object) -> Module:
        m = Module()
        scaled = self._scaled(m)
        ln = delay(m, self.ln, self.latency - 2, name="ln")
        ln = ln.as_signed() if self._golden.log.ln.signed else ln
        total = ln - scaled if self.distance.shape().signed else ln + scaled
        rounded = register(m, total >> GUARD, name="rounded")
        # the format holds every loss there can be; below 0 it is 0
        negative = rounded[-1] if rounded.shape().signed else 0
        active = delay(m, self.active, self.latency - 1, name="active")
        code = Mux(~active | negative, 0, rounded)
        m.d.comb += self.o.eq(register(m, code[: len(self.o)], name="loss"))
        return m

    def _scaled(self, m: Module) -> Value:
        """The distance, in units of ln."""
        log, places = self._golden.log, whole_places(self._golden)
        if places is not None:
            return self.distance << places
        m.submodules.multiply = multiply = self._target.multiply(
            a_bits=len(self.distance), b_bits=max(log.factor.bit_length(), 1)
        )
        m.d.comb += [multiply.a.eq(self.distance), multiply.b.eq(log.factor)]
        return multiply.o >> log.factor_fraction - GUARD
