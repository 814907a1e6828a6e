"""The largest element of a row, a beat of lanes at a time."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ..parts.pipeline import delay, register
from ..targets.generic import GENERIC, Target

Halves = tuple[Value, Value]
"""A number as the OR of two, one of which is 0."""


class RowMax(wiring.Component):
    """Maximum over the active elements of each row; the twin of ``golden.stages.row_max``.

    Inside, codes count from the lowest one, which is 0; see :class:`Larger` for what is made of
    two.

    Latency ``2 + ceil(log2(lanes))`` cycles from the row's last beat, one beat per cycle.

    Members:
        i_last: the last beat of a row.
        i: the beat's elements. active: those that take part; none does without a beat.
        o: the maximum of the row whose last beat came ``latency`` cycles ago; the lowest code where
            no element took part.
    """

    def __init__(self, *, lanes: int, width: int, target: Target = GENERIC):
        self._target = target
        super().__init__(
            {
                "i_last": In(1),
                "i": In(data.ArrayLayout(signed(width), lanes)),
                "active": In(lanes),
                "o": Out(signed(width)),
            }
        )

    @staticmethod
    def latency_of(lanes: int) -> int:
        """Latency in cycles from the row's last beat."""
        return 2 + (lanes - 1).bit_length()

    def elaborate(self, platform: object) -> Module:
        m = Module()
        level: list[Halves] = []
        for lane, x in enumerate(self.i):
            from_lowest = Cat(x[:-1], ~x[-1])
            code = register(m, Mux(self.active[lane], from_lowest, 0), name=f"lane{lane}")
            level.append((code, code))
        while len(level) > 1:
            pairs = [level[i : i + 2] for i in range(0, len(level), 2)]
            level = [self._join(m, pair) for pair in pairs]
        cycles = self.latency_of(len(self.active)) - 1
        # without a beat, lanes are lowest; after a reset, so is the maximum until older lanes have
        # gone by
        end = delay(m, self.i_last, cycles, name="end", reset=True, init=1)
        running = Signal(len(self.o), reset_less=True), Signal(len(self.o), reset_less=True)
        for half, value in zip(running, self._larger(m, running, level[0], end), strict=True):
            m.d.sync += half.eq(value)
        largest = self._join(m, [running, level[0]])
        code = largest[0] | largest[1]
        m.d.comb += self.o.eq(Cat(code[:-1], ~code[-1]).as_signed())
        return m

    def _join(self, m: Module, numbers: list[Halves]) -> Halves:
        """The larger of two numbers, or the only one, a cycle later."""
        if len(numbers) == 1:
            a, b = numbers[0]
        else:
            a, b = self._larger(m, *numbers)
        return register(m, a, name="half"), register(m, b, name="half")

    def _larger(self, m: Module, a: Halves, b: Halves, clear: Value | None = None) -> Halves:
        """The larger of two numbers; 0 where ``clear``."""
        larger = self._target.larger(width=len(a[0]), may_clear=clear is not None)
        m.submodules += larger
        m.d.comb += [
            larger.a0.eq(a[0]),
            larger.a1.eq(a[1]),
            larger.b0.eq(b[0]),
            larger.b1.eq(b[1]),
        ]
        if clear is not None:
            m.d.comb += larger.clear.eq(clear)
        return Mux(larger.clear_a, 0, a[0] | a[1]), Mux(larger.clear_b, 0, b[0] | b[1])
