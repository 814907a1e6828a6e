"""D, the sum of P dP over a row, a beat of lanes at a time."""

import operator

from amaranth.hdl import Cat, Module, Mux, Value, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ...golden.stages.dot import Dot as Golden
from ..parts.multiply import Multiply
from ..parts.pipeline import delay, register, tree
from ..parts.saturate import saturating
from ..targets.generic import GENERIC, Target


class Dot(wiring.Component):
    """The twin of :class:`golden.stages.dot.Dot`.

    A long adder is slow, so the sum is kept in two limbs; the lower one's carries wait until the
    row is complete. ``beats`` is the most that a row has.

    Latency :meth:`latency_of` cycles from the row's last beat, one beat per cycle.

    Members:
        p, dp: factors of every lane; p is 0 where there is no element.
        i_valid, i_last: whether the factors of :attr:`AHEAD` cycles before are a beat of a row, and
            its last one. i_last is 0 without a beat.
        exponent: of the row, with its last beat; P are codes of P * 2**exponent.
        o: D of the row whose last factors came ``latency`` cycles ago. saturated: it was.
    """

    AHEAD = Multiply.latency
    """Cycles by which factors come before it is known whether they count."""

    def __init__(
        self,
        *,
        golden: Golden,
        lanes: int,
        beats: int,
        exponent_bits: int = 0,
        target: Target = GENERIC,
    ):
        self._exponent_bits = exponent_bits
        self._golden, self._lanes, self._beats, self._target = golden, lanes, beats, target
        super().__init__(
            {
                "p": In(data.ArrayLayout(golden.p.width, lanes)),
                "dp": In(data.ArrayLayout(signed(golden.dp.width), lanes)),
                "i_valid": In(1),
                "i_last": In(1),
                **({"exponent": In(exponent_bits)} if exponent_bits else {}),
                "o": Out(signed(golden.output.width)),
                "saturated": Out(1),
            }
        )

    @staticmethod
    def latency_of(lanes: int, exponent_bits: int = 0) -> int:
        """Latency in cycles, from the factors."""
        moves = 2 if exponent_bits else 0
        return Multiply.latency + 1 + (lanes - 1).bit_length() + 4 + moves

    def elaborate(self, platform: object) -> Module:
        m = Module()
        level = tree(m, self._products(m), operator.add, name="level")
        place = -(-len(level) // 2)
        before = self.latency_of(self._lanes) - self.AHEAD - 4
        # after a reset, a sum stays 0 until older terms have gone by
        goes_on = delay(m, ~self.i_last, before + 1, name="goes_on", reset=True)
        carries = (self._beats - 1).bit_length()
        drop = self._golden.drop
        # the sum starts with it, for it is rounded half up; where it moves before, it is added then
        half = 1 << (drop - 1) if drop and not self._exponent_bits else 0
        high_half, low_half = divmod(half, 1 << place)
        upper = level[place:].as_signed()
        low = self._running(m, level[:place], place + carries + 1, goes_on, low_half)
        high = self._running(m, upper, len(upper) + carries + 1, goes_on, high_half)
        joined = register(m, high + low[place:], name="joined").as_signed()
        rest = register(m, low[:place], name="rest")
        total = Cat(rest, joined).as_signed()
        total = self._moved(m, total, before + 1) if self._exponent_bits else total >> drop

        d, beyond = saturating(m, total, len(self.o), name="d")
        m.d.comb += [
            self.o.eq(d),
            self.saturated.eq(register(m, beyond, name="saturated")),
        ]
        return m

    def _moved(self, m: Module, total: Value, before: int) -> Value:
        """The sum of a row without the bits that are dropped, rounded half up.

        Args:
            before: cycles from the last beat to the running sum.
        """
        exponent = delay(m, self.exponent, before + 1, name="exponent")
        fine = total.shift_left(1) >> self._golden.drop
        fine = register(m, fine >> exponent, name="moved").as_signed()
        return register(m, (fine + 1) >> 1, name="rounded").as_signed()

    def _products(self, m: Module) -> list[Value]:
        """The lanes' products, 0 without a beat."""
        products = []
        for lane in range(self._lanes):
            m.submodules[f"multiply{lane}"] = multiply = self._target.multiply(
                a_bits=len(self.p[lane]), b_bits=len(self.dp[lane]), b_signed=True
            )
            m.d.comb += [multiply.a.eq(self.p[lane]), multiply.b.eq(self.dp[lane])]
            product = Mux(self.i_valid, multiply.o, 0).as_signed()
            products.append(register(m, product, name=f"product{lane}"))
        return products

    def _running(self, m: Module, term: Value, bits: int, goes_on: Value, start: int) -> Value:
        """The sum of a limb so far; it starts anew where ``goes_on`` is 0."""
        m.submodules += (add := self._target.restart_add(width=bits, term_bits=bits, start=start))
        running = register(m, add.o, name="running")
        m.d.comb += [add.running.eq(running), add.goes_on.eq(goes_on), add.term.eq(term)]
        return running.as_signed() if term.shape().signed else running
