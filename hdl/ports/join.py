"""Two streams of beats made into one of pairs: rows of P with those of dP that belong to them."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ..flow.inlet import Inlet
from ..parts.pipeline import delay, register


class Join(wiring.Component):
    """The twin of ``golden.ports.join``.

    A pair leaves when both inlets have a beat; where dP's row has ended before P's, P's beats leave
    alone, and where it has not, the rest of it is swallowed before the next row.

    Latency 2 cycles, one pair per cycle; ``fault`` comes :attr:`FAULT` cycles later still.

    Members:
        p, dp: what the inlets hold, ``valid``, ``last`` and ``consume``. go: a pair may leave.
        o_valid, o_last: a pair leaves; its beats are the inlets' outputs. o_last is P's, 0 without
            a pair.
        fault: of the pair that left FAULT cycles before: it is none of two rows of equal length.
    """

    latency = Inlet.latency
    FAULT = 3

    def __init__(self, *, p: data.StructLayout, dp: data.StructLayout):
        super().__init__(
            {
                **_inlet("p", p),
                **_inlet("dp", dp),
                "go": In(1),
                "o_valid": Out(1),
                "o_last": Out(1),
                "fault": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        over, drain = Signal(), Signal()  # dP's row has ended, P's not; the other way round
        leaves, paired = Signal(), Signal()
        m.d.comb += [
            leaves.eq(self.p_valid & self.go & ~drain & (self.dp_valid | over)),
            paired.eq(self.p_valid & self.go & ~drain & self.dp_valid & ~over),
            self.p_consume.eq(leaves),
            self.dp_consume.eq(paired | (drain & self.dp_valid)),
        ]
        with m.If(leaves):
            m.d.sync += over.eq(~self.p_last & (over | self.dp_last))
        m.d.sync += drain.eq(
            Mux(drain, ~(self.dp_valid & self.dp_last), paired & self.p_last & ~self.dp_last)
        )
        alone = register(m, over, name="alone")
        lasts = register(m, Cat(self.p_last, self.dp_last), name="lasts")
        unequal = register(m, alone | (lasts[0] ^ lasts[1]), name="unequal")
        m.d.comb += [
            self.o_valid.eq(delay(m, leaves, self.latency, name="left", reset=True)),
            self.o_last.eq(delay(m, self.p_last & leaves, self.latency, name="last", reset=True)),
            self.fault.eq(self._fault(m, delay(m, unequal, self.latency - 1, name="unequal"))),
        ]
        return m

    def _fault(self, m: Module, unequal: Value) -> Value:
        """``unequal`` or a fault of the beats; they came a cycle ago and now."""
        unlike = register(m, self.p.present ^ self.dp.present, name="unlike")
        broken = register(m, self.p.broken | self.dp.broken, name="broken")
        fault = register(m, unequal | unlike.any() | broken, name="fault")
        return delay(m, fault, self.FAULT - 2, name="fault")


def _inlet(name: str, beat: data.StructLayout) -> dict[str, object]:
    """Members that connect to an inlet."""
    return {
        name: In(beat),
        f"{name}_valid": In(1),
        f"{name}_last": In(1),
        f"{name}_consume": Out(1),
    }
