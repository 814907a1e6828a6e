"""Rows of logits as both datapaths take them: faults found, elements clipped."""

from amaranth.hdl import Module, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ...golden.config import SoftmaxConfig
from ..parts.pipeline import delay, register
from ..ports.beats import input_layout
from ..ports.frame import Frame
from ..ports.passes import Passes
from ..stages.clip import Clip


class Logits(wiring.Component):
    """Cuts beats into rows and clips their elements.

    Latency 3 cycles, one beat per cycle.

    Members:
        i_valid, i: a beat, see :func:`input_layout`.
        o_valid, o_last, error: see :class:`Frame`.
        o: clipped codes. keep: elements present. clipped: elements that were clipped.
        active: elements that take part, none where there is no beat.
        first, second: where rows come twice, see :class:`Passes`.
    """

    latency = Frame.latency

    def __init__(self, *, config: SoftmaxConfig):
        self._config = config
        layout = input_layout(config)
        super().__init__(
            {
                "i_valid": In(1),
                "i": In(layout),
                "o_valid": Out(1),
                "o_last": Out(1),
                "o": Out(layout["x"].shape),
                "keep": Out(config.lanes),
                "clipped": Out(config.lanes),
                "active": Out(config.lanes),
                "error": Out(1),
                **({"first": Out(1), "second": Out(1)} if config.two_passes else {}),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.frame = frame = self._frame(m)
        active = self.i.present & ~self.i.mask
        early = delay(m, active, self.latency - 1, name="early_active")
        early = early & frame.next_valid.replicate(len(early))
        m.d.comb += [
            frame.i_valid.eq(self.i_valid),
            frame.i_last.eq(self.i.last),
            frame.present.eq(self.i.present),
            frame.broken.eq(self.i.broken),
            self.o_valid.eq(frame.o_valid),
            self.o_last.eq(frame.o_last),
            self.error.eq(frame.error),
            self.keep.eq(frame.o_present),
            self.active.eq(register(m, early, name="active", reset=True)),
        ]
        for lane, x in enumerate(self.i.x):
            self._clip(m, lane, x, active[lane])
        return m

    def _frame(self, m: Module) -> Frame:
        """What cuts beats into rows."""
        if not self._config.two_passes:
            return Frame(config=self._config)
        passes = Passes(config=self._config)
        m.d.comb += [
            passes.i_first.eq(self.i.first),
            self.first.eq(passes.first),
            self.second.eq(passes.second),
        ]
        return passes

    def _clip(self, m: Module, lane: int, x: Value, active: Value) -> None:
        """A lane's element, if the range is one of the elements."""
        config = self._config
        if config.clip == "difference":
            m.d.comb += self.o[lane].eq(delay(m, x, self.latency, name=f"x{lane}"))
            return
        clip = Clip(width=config.input.width, limit=config.range_code)
        m.submodules[f"clip{lane}"] = clip
        m.d.comb += [
            clip.x.eq(x),
            clip.active.eq(active),
            self.o[lane].eq(clip.o),
            self.clipped[lane].eq(clip.clipped),
        ]
