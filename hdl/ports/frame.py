"""Beats as they come in by a stream, cut into rows that keep the rules or are in error."""

from itertools import pairwise

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Member, Out

from ...golden.config import SoftmaxConfig
from ..parts.pipeline import delay, register


class Frame(wiring.Component):
    """Checks beats and cuts rows; the twin of ``golden.ports.frame``.

    Latency 3 cycles, one beat per cycle. A row that is too long leaves cut, its further beats are
    swallowed: no beat leaves for them.

    Members:
        i_valid, i_last: a beat, the last of its row or not.
        present, broken: elements there are, those of which only some bytes are there.
        o_valid, o_last: a beat leaves. o_last is 0 where there is none. next_valid: o_valid, a
            cycle ahead.
        o_present: as present, with the beat.
        error: on the last beat: the row breaks a rule.
    """

    latency = 3

    def __init__(self, *, config: SoftmaxConfig, **more: Member):
        self._config = config
        super().__init__(
            {
                "i_valid": In(1),
                "i_last": In(1),
                **more,
                "present": In(config.lanes),
                "broken": In(config.lanes),
                "next_valid": Out(1),
                "o_valid": Out(1),
                "o_last": Out(1),
                "o_present": Out(config.lanes),
                "error": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        self._cut_rows(m, self._find_faults(m))
        m.d.comb += self.o_present.eq(delay(m, self.present, self.latency, name="present"))
        return m

    def _find_faults(self, m: Module) -> Value:
        """Whether a beat breaks a rule by itself, after two cycles."""
        lanes = list(self.present)
        whole = [~broken for broken in self.broken]
        contiguous = [here | ~after for here, after in pairwise(lanes)]
        rules = [*whole, *contiguous, _all(lanes) | self.i_last]
        kept = [register(m, rule, name=f"rule{j}") for j, rule in enumerate(rules)]
        return register(m, ~_all(kept), name="fault")

    def _cut_rows(self, m: Module, fault: Value) -> None:
        """Count beats, cut a row at its longest, and remember its faults until its end."""
        config = self._config
        valid = delay(m, self.i_valid, 2, name="valid", reset=True)
        last = delay(m, self.i_last, 2, name="last")
        room = config.max_length - (config.max_beats - 1) * config.lanes  # in the last beat
        above = delay(m, self.present[room] if room < config.lanes else 0, 2, name="above")

        beat = Signal(range(config.max_beats))
        final = Signal(init=config.max_beats == 1)  # the beat is the last one that a row may have
        faulty, swallow = Signal(), Signal()
        emit, cut = Signal(), Signal()
        error = Signal()
        m.d.comb += [
            emit.eq(valid & ~swallow),
            cut.eq(last | final),
            error.eq(faulty | fault | (final & (above | ~last))),
        ]
        with m.If(emit):
            m.d.sync += [beat.eq(Mux(cut, 0, beat + 1)), faulty.eq(Mux(cut, 0, error))]
            if config.max_beats > 1:
                before = beat == config.max_beats - 2
                m.d.sync += final.eq(before & ~cut)
        with m.If(valid):
            m.d.sync += swallow.eq(~last & (swallow | final))
        m.d.comb += [
            self.next_valid.eq(emit),
            self.o_valid.eq(register(m, emit, name="emitted", reset=True)),
            self.o_last.eq(register(m, emit & cut, name="ended", reset=True)),
            self.error.eq(register(m, error, name="row_error")),
        ]


def _all(bits: list[Value]) -> Value:
    """AND of bits; 1 of none."""
    return Cat(Const(1, 1), *bits).all()
