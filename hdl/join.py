"""Two streams of beats made into one of pairs: rows of P with those of dP that belong to them."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from .pipeline import delay, register


class Join(wiring.Component):
    """The twin of ``golden.join``.

    A pair leaves when both streams have a beat; where dP's row has ended before P's, P's beats
    leave alone, and where it has not, the rest of it is swallowed before the next row.

    Latency 1 cycle, one pair per cycle; ``fault`` comes :attr:`FAULT` cycles later still.

    Members:
        p, dp: the streams. ``present``: elements of a beat, ``broken``: a container is present in
            part. go: a pair may leave.
        o_valid, o_last, o_p, o_dp: a pair; ``o_last`` as P's beat says.
        fault: of the pair that left FAULT cycles before: it is none of two rows of equal length.
    """

    latency = 1
    FAULT = 3

    def __init__(self, *, p: data.StructLayout, dp: data.StructLayout):
        super().__init__(
            {
                "p": In(stream.Signature(p)),
                "dp": In(stream.Signature(dp)),
                "go": In(1),
                "o_valid": Out(1),
                "o_last": Out(1),
                "o_p": Out(p),
                "o_dp": Out(dp),
                "fault": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        p, dp = self.p, self.dp
        over, drain = Signal(), Signal()  # dP's row has ended, P's not; the other way round
        leaves, paired = Signal(), Signal()
        m.d.comb += [
            leaves.eq(p.valid & self.go & ~drain & (dp.valid | over)),
            paired.eq(leaves & ~over),
            p.ready.eq(self.go & ~drain & (dp.valid | over)),
            dp.ready.eq(drain | (p.valid & self.go & ~over)),
        ]
        with m.If(leaves):
            m.d.sync += over.eq(~p.payload.last & (over | dp.payload.last))
        m.d.sync += drain.eq(
            Mux(drain, ~(dp.valid & dp.payload.last), paired & p.payload.last & ~dp.payload.last)
        )
        m.d.comb += [
            self.o_valid.eq(register(m, leaves, name="left", reset=True)),
            self.o_last.eq(register(m, p.payload.last & leaves, name="last", reset=True)),
            self.o_p.eq(register(m, p.payload, name="p")),
            self.o_dp.eq(register(m, dp.payload, name="dp")),
        ]
        alone = register(m, over, name="alone")
        unlike = self.o_p.present ^ self.o_dp.present
        rules = Cat(
            register(m, unlike.any(), name="unlike"),
            register(m, self.o_dp.broken | self.o_p.broken, name="broken"),
            register(m, alone | (self.o_p.last ^ self.o_dp.last), name="unequal"),
        )
        fault = register(m, rules.any(), name="fault")
        m.d.comb += self.fault.eq(delay(m, fault, self.FAULT - 2, name="fault"))
        return m
