"""Beats cut into rows where long rows come twice: a pass that is summed, and one that leaves."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib.wiring import In, Out

from ...golden.config import SoftmaxConfig
from ..parts.pipeline import delay, register
from .frame import Frame


class Passes(Frame):
    """The twin of ``golden.ports.passes``.

    Latency that of :class:`Frame`, one beat per cycle.

    Members: those of a :class:`Frame`, of which o_valid and o_last are of every pass, and error is
    of the row up to the beat, with every beat; and
        i_first: the beat is marked as one of a first pass.
        first: the beat is one of a first pass. second: of a second one. Neither without a beat.
    """

    def __init__(self, *, config: SoftmaxConfig):
        super().__init__(config=config, i_first=In(1), first=Out(1), second=Out(1))

    def _cut_rows(self, m: Module, fault: Value) -> None:
        """Count beats, cut a pass at its longest, and remember faults until the row's end."""
        valid = delay(m, self.i_valid, 2, name="valid", reset=True)
        last = delay(m, self.i_last, 2, name="last")
        marked = delay(m, self.i_first, 2, name="marked")

        swallow, emit, cut = Signal(), Signal(), Signal()
        role = _Role(m, marked, emit, cut)
        counts = _Counts(m, self._config, role, emit, cut)
        unlike = self._unlike(m, role, emit)
        m.d.comb += [emit.eq(valid & ~swallow), cut.eq(last | counts.final)]
        with m.If(valid):
            m.d.sync += swallow.eq(~last & (swallow | counts.final))
        length = Mux(counts.final, unlike | ~last, role.second & last)
        faults = [fault, marked ^ role.first, length]
        self._remember(m, Cat(register(m, part, name="wrong") for part in faults).any())
        m.d.comb += [
            self.next_valid.eq(emit),
            self.o_valid.eq(register(m, emit, name="emitted", reset=True)),
            self.o_last.eq(register(m, emit & cut, name="ended", reset=True)),
            self.first.eq(register(m, emit & role.first, name="first", reset=True)),
            self.second.eq(register(m, emit & role.second, name="second", reset=True)),
        ]

    def _remember(self, m: Module, wrong: Value) -> None:
        """Whether the row is in error, a beat that leaves being ``wrong`` or not."""
        faulty = Signal()
        m.d.comb += self.error.eq(faulty | wrong)
        with m.If(self.o_valid):
            # a fault of a first pass is one of the whole second
            m.d.sync += faulty.eq(self.error & (~self.o_last | self.first))

    def _unlike(self, m: Module, role: "_Role", emit: Value) -> Value:
        """Whether a last beat has elements too many, or of a second pass, others than the first."""
        config = self._config
        early = register(m, self.present, name="early")
        here = register(m, early, name="here")
        tail = Signal(config.lanes, reset_less=True)
        with m.If(emit & role.first):
            m.d.sync += tail.eq(here)
        # compared a cycle ahead, when the tail may be the beat before
        unlike_tail = register(m, (early ^ tail).any(), name="unlike_tail")
        unlike_last = register(m, (early ^ here).any(), name="unlike_last")
        last_is_tail = register(m, emit & role.first, name="last_is_tail")

        def above(length: int) -> Value | int:
            room = (length - 1) % config.lanes + 1
            return here[room] if room < config.lanes else 0

        once = Mux(role.first, above(config.max_length), above(config.held_length))
        return Mux(role.second, Mux(last_is_tail, unlike_last, unlike_tail), once)


class _Role:
    """Which pass a beat is of.

    Attributes:
        first, second: of the first of two passes, of the second; neither where a row comes once.
    """

    def __init__(self, m: Module, marked: Value, emit: Value, cut: Value):
        begins, summed, second = Signal(init=1), Signal(), Signal()
        self.second, self.first = second, Signal(name="is_first")
        m.d.comb += self.first.eq(Mux(begins, marked & ~second, summed))
        with m.If(emit):
            m.d.sync += [
                begins.eq(cut),
                summed.eq(self.first),
                second.eq(Mux(cut, self.first, second)),
            ]


class _Counts:
    """Where a pass ends.

    Attributes:
        final: the beat is the last one that its pass may have.
    """

    def __init__(self, m: Module, config: SoftmaxConfig, role: _Role, emit: Value, cut: Value):
        beat, before = (Signal(range(config.max_beats), name=n) for n in ("beat", "before_tail"))
        long, again = Signal(), Signal()
        once = Signal(init=config.held_beats == 1)
        self.final = Signal(name="final")
        m.d.comb += self.final.eq(Mux(role.second, again, Mux(role.first, long, once)))
        with m.If(emit):
            m.d.sync += [
                beat.eq(Mux(cut, 0, beat + 1)),
                long.eq(~cut & (beat == config.max_beats - 2)),
                once.eq(Mux(cut, config.held_beats == 1, beat == config.held_beats - 2)),
                again.eq(Mux(cut, beat == 0, beat == before)),
            ]
        with m.If(emit & role.first):
            m.d.sync += before.eq(beat - 1)
