"""What comes in by the stream, made into clean rows: clipped elements, faults found."""

from itertools import pairwise
from typing import Any

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ...golden.config import SoftmaxConfig
from ..parts.pipeline import delay, register


class Cut(wiring.Component):
    """Checks beats and cuts rows; the twin of ``golden.frame``.

    Latency 3 cycles, one beat per cycle. A row that is too long leaves cut, its further beats are
    swallowed: no beat leaves for them.

    Members:
        i_valid, i_last: a beat, the last of its row or not.
        keep: bytes present, of every lane.
        o_valid, o_last: a beat leaves. o_last is 0 where there is none.
        o_keep: elements present.
        error: on the last beat: the row breaks a rule.
    """

    latency = 3

    def __init__(self, *, config: SoftmaxConfig, container: int):
        self._config = config
        super().__init__(self._members(container))

    def _members(self, container: int) -> dict[str, Any]:
        lanes = self._config.lanes
        return {
            "i_valid": In(1),
            "i_last": In(1),
            "keep": In(data.ArrayLayout(container // 8, lanes)),
            "o_valid": Out(1),
            "o_last": Out(1),
            "o_keep": Out(lanes),
            "error": Out(1),
        }

    def elaborate(self, platform: object) -> Module:
        m = Module()
        self._cut_rows(m, self._find_faults(m))
        present = Cat(keep[0] for keep in self.keep)
        m.d.comb += self.o_keep.eq(delay(m, present, self.latency, name="present"))
        return m

    def _find_faults(self, m: Module) -> Value:
        """Whether a beat breaks a rule by itself, after two cycles."""
        lanes = [keep[0] for keep in self.keep]
        whole = [keep.all() == keep.any() for keep in self.keep]
        contiguous = [here | ~after for here, after in pairwise(lanes)]
        rules = [*whole, *contiguous, _all(lanes) | self.i_last]
        kept = [register(m, rule, name=f"rule{j}") for j, rule in enumerate(rules)]
        return register(m, ~_all(kept), name="fault")

    def _cut_rows(self, m: Module, fault: Value) -> Value:
        """Count beats, cut a row at its longest, and remember its faults until its end.

        Returns whether a beat leaves, after two cycles.
        """
        config = self._config
        valid = delay(m, self.i_valid, 2, name="valid", reset=True)
        last = delay(m, self.i_last, 2, name="last")
        room = config.max_length - (config.max_beats - 1) * config.lanes  # in the last beat
        above = delay(m, self.keep[room][0] if room < config.lanes else 0, 2, name="above")

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
            self.o_valid.eq(register(m, emit, name="emitted", reset=True)),
            self.o_last.eq(register(m, emit & cut, name="ended", reset=True)),
            self.error.eq(register(m, error, name="row_error")),
        ]
        return emit


class Frame(Cut):
    """Also clips elements; the twin of ``golden.frame`` and ``golden.clip``.

    Members, besides those of :class:`Cut`:
        i: input codes. mask: elements left out of the row.
        o: clipped codes. clipped: elements clipped.
        active: elements that take part, none where there is no beat.
    """

    def _members(self, container: int) -> dict[str, Any]:
        config = self._config
        lanes, elements = config.lanes, data.ArrayLayout(signed(config.input.width), config.lanes)
        return {
            **super()._members(container),
            "i": In(elements),
            "mask": In(lanes),
            "o": Out(elements),
            "active": Out(lanes),
            "clipped": Out(lanes),
        }

    def elaborate(self, platform: object) -> Module:
        m = Module()
        self._clip_elements(m, self._cut_rows(m, self._find_faults(m)))
        return m

    def _clip_elements(self, m: Module, emit: Value) -> None:
        """Compare elements with the limits in two cycles, and clip them in the third."""
        limit = self._config.range_code
        clips = self._config.clip == "input"
        for lane, x in enumerate(self.i):
            above, below = _outside(m, x, limit, f"lane{lane}") if clips else (Const(0), Const(0))
            x = delay(m, x, 2, name=f"x{lane}").as_signed()
            present = delay(m, self.keep[lane][0], 2, name=f"present{lane}")
            active = register(m, self.keep[lane][0] & ~self.mask[lane], name=f"taking_part{lane}")
            active = register(m, active, name=f"active{lane}")
            for name, output, value in (
                ("clipped_x", self.o[lane], Mux(above, limit, Mux(below, -limit, x))),
                ("o_active", self.active[lane], active & emit),
                ("clipped", self.clipped[lane], (above | below) & active),
                ("o_keep", self.o_keep[lane], present),
            ):
                stage = Signal.like(output, name=f"{name}{lane}", reset_less=name != "o_active")
                m.d.sync += stage.eq(value)
                m.d.comb += output.eq(stage)


def _outside(m: Module, x: Value, limit: int, name: str) -> tuple[Value, Value]:
    """Whether x is above ``limit``, and whether it is below ``-limit``; 2 cycles.

    Only the bits above the limit's lowest one are compared: of those below it, all that matters is
    whether one is set.
    """
    place = (limit & -limit).bit_length() - 1
    high, low = x[place:].as_signed(), x[:place]
    top = limit >> place
    above = register(m, high > top, name=f"{name}_high_above")
    at = register(m, high == top, name=f"{name}_high_equal")
    rest = register(m, low.any(), name=f"{name}_low")
    below = register(m, high < -top, name=f"{name}_high_below")
    return (
        register(m, above | (at & rest), name=f"{name}_above"),
        register(m, below, name=f"{name}_below"),
    )


def _all(bits: list[Value]) -> Value:
    """AND of bits; 1 of none."""
    return Cat(Const(1, 1), *bits).all()
