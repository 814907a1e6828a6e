"""When a row is complete: a fixed number of cycles after its last beat."""

from amaranth.hdl import Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..parts.pipeline import delay
from .row_buffer import RowBuffer


class RowWait(wiring.Component):
    """Tells a :class:`RowBuffer` of rows whose scalar comes ``wait`` cycles after their last beat.

    What computes the scalar is a pipeline without stalls, so the row can start to leave a little
    earlier.

    Attributes:
        notice: cycles from a row's last beat to the first in which a beat of the row can leave.

    Members:
        i_valid, i_last: a beat comes in, the last of its row or not. i_last is 0 without a beat.
        beats: of a row that can start to leave, else 0.
        complete: the scalar of a row comes in this cycle.
    """

    def __init__(self, *, wait: int, depth: int):
        self._wait = wait
        self.notice = self.notice_of(wait)
        super().__init__(
            {
                "i_valid": In(1),
                "i_last": In(1),
                "beats": Out(range(depth + 1)),
                "complete": Out(1),
            }
        )

    @staticmethod
    def notice_of(wait: int) -> int:
        """:attr:`notice` of a wait."""
        return max(wait - RowBuffer.AHEAD, 0) + RowBuffer.NOTICE

    def elaborate(self, platform: object) -> Module:
        m = Module()
        count = beats_so_far(m, self.i_valid, self.i_last, bits=len(self.beats))
        wait = max(self._wait - RowBuffer.AHEAD, 0)
        beats = delay(m, Mux(self.i_last, count, 0), wait, name="beats", reset=True)
        complete = delay(m, self.i_last, self._wait, name="complete", reset=True)
        m.d.comb += [self.beats.eq(beats), self.complete.eq(complete)]
        return m


def beats_so_far(m: Module, valid: Value, last: Value, *, bits: int) -> Value:
    """Beats of a row so far, the one that comes in counted."""
    count = Signal(bits, init=1)
    with m.If(valid):
        m.d.sync += count.eq(count + 1)
    with m.If(last):
        m.d.sync += count.eq(1)
    return count
