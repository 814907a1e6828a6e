"""What comes in by the stream, made into clean rows: clipped elements, faults found."""

from itertools import pairwise

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ..golden.config import SoftmaxConfig
from .pipeline import register


class Frame(wiring.Component):
    """Clips elements, checks beats and cuts rows; the twin of ``golden.frame`` and ``golden.clip``.

    Latency 2 cycles, one beat per cycle. A row that is too long leaves cut, its further beats are
    swallowed: no beat leaves for them.

    Members:
        i_valid, i_last: a beat, the last of its row or not.
        i: input codes. keep: bytes present, of every lane. mask: elements left out of the row.
        o_valid, o_last, o: a beat with clipped codes.
        active: elements that take part. o_keep: elements present. clipped: elements clipped.
        error: on the last beat: the row breaks a rule.
    """

    latency = 2

    def __init__(self, *, config: SoftmaxConfig, container: int):
        self._config = config
        lanes, elements = config.lanes, data.ArrayLayout(signed(config.input.width), config.lanes)
        super().__init__(
            {
                "i_valid": In(1),
                "i_last": In(1),
                "i": In(elements),
                "keep": In(data.ArrayLayout(container // 8, lanes)),
                "mask": In(lanes),
                "o_valid": Out(1),
                "o_last": Out(1),
                "o": Out(elements),
                "active": Out(lanes),
                "o_keep": Out(lanes),
                "clipped": Out(lanes),
                "error": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        self._clip_elements(m)
        self._cut_rows(m, self._find_faults(m))
        return m

    def _clip_elements(self, m: Module) -> None:
        """Elements, in the first cycle clipped, in the second passed on."""
        limit = self._config.range_code
        clips = self._config.clip == "input"
        for lane, x in enumerate(self.i):
            above, below = (x > limit, x < -limit) if clips else (Const(0), Const(0))
            element = Mux(above, limit, Mux(below, -limit, x))
            present = self.keep[lane][0]
            active = present & ~self.mask[lane]
            for name, output, value in (
                ("x", self.o[lane], element),
                ("active", self.active[lane], active),
                ("clipped", self.clipped[lane], (above | below) & active),
                ("keep", self.o_keep[lane], present),
            ):
                stage = Signal.like(output, name=f"{name}{lane}", reset_less=True)
                m.d.sync += [stage.eq(value), output.eq(stage)]

    def _find_faults(self, m: Module) -> Signal:
        """Whether a beat breaks a rule by itself, after the first cycle."""
        lanes = [keep[0] for keep in self.keep]
        whole = [keep.all() == keep.any() for keep in self.keep]
        contiguous = [here | ~after for here, after in pairwise(lanes)]
        full = _all(lanes) | self.i_last
        return register(m, ~(_all(whole) & _all(contiguous) & full), name="fault")

    def _cut_rows(self, m: Module, fault: Signal) -> None:
        """Count beats, cut a row at its longest, and remember its faults until its end."""
        config = self._config
        valid = register(m, self.i_valid, name="valid", reset=True)
        last = register(m, self.i_last, name="last")
        room = config.max_length - (config.max_beats - 1) * config.lanes  # in the last beat
        above = register(m, self.keep[room][0] if room < config.lanes else 0, name="above")

        beat = Signal(range(config.max_beats))
        faulty, swallow = Signal(), Signal()
        final, emit, cut = Signal(), Signal(), Signal()
        error = Signal()
        m.d.comb += [
            final.eq(beat == config.max_beats - 1),
            emit.eq(valid & ~swallow),
            cut.eq(last | final),
            error.eq(faulty | fault | (final & (above | ~last))),
        ]
        with m.If(emit):
            m.d.sync += [beat.eq(Mux(cut, 0, beat + 1)), faulty.eq(Mux(cut, 0, error))]
        with m.If(valid):
            m.d.sync += swallow.eq(~last & (swallow | final))
        m.d.sync += [self.o_valid.eq(emit), self.o_last.eq(cut), self.error.eq(error)]


def _all(bits: list[Value]) -> Value:
    """AND of bits; 1 of none."""
    return Cat(Const(1, 1), *bits).all()
