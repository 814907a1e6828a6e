"""What a first pass makes of a row is held for its second, whose beats each ask for it."""

from typing import Any

from amaranth.hdl import Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ..parts.pipeline import delay
from .datapath import Datapath


class Held(wiring.Component):
    """The scalar of a row that comes once as it comes, and of one that comes twice from its first
    pass; but whether it is in error is always as it comes.

    No latency.

    Args:
        scalar: its layout, with ``row.error`` and maybe ``row.exponent``, which is 0 in error.

    Members:
        i: a row's scalar. keep: it is that of a first pass. again: a beat of the second wants it.
        o: the scalar.
    """

    def __init__(self, scalar: data.StructLayout):
        super().__init__({"i": In(scalar), "keep": In(1), "again": In(1), "o": Out(scalar)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        error, layout = self.i.row.error, self.i.shape()
        kept = Signal(layout, reset_less=True)
        chosen = Signal(layout)
        with m.If(self.keep):
            m.d.sync += kept.eq(self.i)
        m.d.comb += [
            chosen.eq(Mux(self.again, Value.cast(kept), Value.cast(self.i))),
            self.o.eq(chosen),
            self.o.row.error.eq(error),
        ]
        if "exponent" in chosen.row.shape().members:
            m.d.comb += self.o.row.exponent.eq(Mux(error, 0, chosen.row.exponent))
        return m


def held(m: Module, path: Datapath, scalar: Any, wait: int) -> Any:
    """Where to give what is known of a row ``wait`` cycles after its last beat, for ``scalar`` to
    be what its beats wait for."""
    if not hasattr(path, "passes"):
        return scalar
    m.submodules.held = first = Held(scalar.shape())
    m.d.comb += [
        first.keep.eq(delay(m, path.passes.first & path.o.last, wait, name="keep", reset=True)),
        first.again.eq(delay(m, path.passes.second, wait, name="again", reset=True)),
        scalar.eq(first.o),
    ]
    return first.i
