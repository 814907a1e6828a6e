"""The last pass over a row: its elements wait for the scalar of their row and are finished with it.

Every unit ends with it.
"""

from typing import Protocol

from amaranth.hdl import Module, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ...golden.config import SoftmaxConfig
from ..flow.credits import Credits
from ..flow.queue import Queue
from ..flow.row_buffer import RowBuffer
from ..parts.pipeline import delay, register
from ..ports.beats import output_layout, row_layout, tag_layout
from ..targets.generic import GENERIC, Target
from .capacity import ROWS


class Finish(Protocol):
    """Makes results of a beat and the scalar of its row: a component.

    Attributes:
        element, scalar: layouts of what waits of an element, and of the row's scalar.
        flags: what a row tells besides that it is in error.
        width: of a result, in bits. latency: in cycles.

    Members:
        i_valid, i_last, i, i_scalar: a beat, see :func:`beat_layout`, and the scalar of its row,
            see :func:`scalar_layout`.
        o: the results of every lane. o_row: what the beat tells of its row.
    """

    element: data.StructLayout
    scalar: data.StructLayout
    flags: tuple[str, ...]
    width: int
    latency: int
    i_valid: Signal
    i_last: Signal
    i: data.View
    i_scalar: data.View
    o: data.View
    o_row: data.View


def beat_layout(config: SoftmaxConfig, element: data.StructLayout) -> data.StructLayout:
    """A beat that waits: its elements, and what goes with them; where rows come twice, whether it
    is its row's last one, for the beats of a second pass wait and leave each for itself."""
    elements = data.ArrayLayout(element, config.lanes)
    last = {"last": 1} if config.two_passes else {}
    return data.StructLayout({"elements": elements, "tag": tag_layout(config), **last})


def scalar_layout(
    config: SoftmaxConfig, scalar: data.StructLayout, flags: tuple[str, ...]
) -> data.StructLayout:
    """What a row's beats wait for: the scalar for their elements, and the status of the row."""
    return data.StructLayout({"stage": scalar, "row": row_layout(config, flags)})


class LastPass(wiring.Component):
    """Row buffer, last stage and output queue.

    The pass never refuses a beat: whoever writes holds credits for ``depth`` beats and
    :data:`ROWS` rows.

    Latency :meth:`latency_of` cycles from the first in which a beat can leave; one beat per cycle.

    Members:
        i_valid, i_last, i: a beat of elements, see :func:`beat_layout`, the last of its row or not.
            i_last is 0 without one.
        place: where it is kept.
        beats, complete, i_scalar: of the row that may leave, see :class:`RowBuffer` and
            :func:`scalar_layout`.
        reading_place: where the beat was kept that leaves the buffer.
        given: a beat has left the buffer. row_given: the last beat of a row has, or one that waited
            for itself. ended: where rows come twice, that was its row's last beat.
        o: finished rows, see :func:`output_layout`.
    """

    def __init__(
        self, *, config: SoftmaxConfig, finish: Finish, depth: int, target: Target = GENERIC
    ):
        self._config, self._finish = config, finish
        self._layout = output_layout(config, finish.width, finish.flags)
        self._queue = Queue(self._layout, words=self.queue_words(finish.latency))
        beat = beat_layout(config, finish.element)
        scalar = scalar_layout(config, finish.scalar, finish.flags)
        self._buffer = RowBuffer(beat=beat, scalar=scalar, depth=depth, rows=ROWS, target=target)
        super().__init__(
            {
                "i_valid": In(1),
                "i_last": In(1),
                "i": In(beat),
                "place": Out(range(depth)),
                "beats": In(range(depth + 1)),
                "complete": In(1),
                "i_scalar": In(scalar),
                "reading_place": Out(range(depth)),
                "given": Out(1),
                "row_given": Out(1),
                **({"ended": Out(1)} if config.two_passes else {}),
                "o": Out(stream.Signature(self._layout)),
            }
        )

    @staticmethod
    def latency_of(finish: int) -> int:
        """Latency in cycles: of the buffer, the queue, and what finishes elements."""
        return RowBuffer.latency + finish + Queue.latency

    @classmethod
    def queue_words(cls, finish: int) -> int:
        """Words of the queue. From the buffer's ring to the reader a beat takes the latency: with
        fewer words, credits would run out before the first one comes back."""
        return Queue.WORDS * -(-(cls.latency_of(finish) + 1) // Queue.WORDS)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.buffer = buffer = self._buffer
        m.submodules.finish = finish = self._finish
        m.submodules.output_beats = output_beats = Credits(places=self._queue.places)
        m.d.comb += [
            buffer.i_valid.eq(self.i_valid),
            buffer.i_last.eq(self.i_last),
            buffer.i.eq(self.i),
            self.place.eq(buffer.place),
            buffer.beats.eq(self.beats),
            buffer.complete.eq(self.complete),
            buffer.i_scalar.eq(self.i_scalar),
            buffer.read.eq(output_beats.available),
            output_beats.take.eq(buffer.reading),
            output_beats.give.eq(self.o.valid & self.o.ready),
            self.reading_place.eq(buffer.reading_place),
            self.given.eq(register(m, buffer.reading, name="given", reset=True)),
            self.row_given.eq(buffer.o_valid & buffer.o_last),
            finish.i_valid.eq(buffer.o_valid),
            finish.i_last.eq(buffer.o_last),
            finish.i.eq(buffer.o),
            finish.i_scalar.eq(buffer.o_scalar),
        ]
        if self._config.two_passes:
            m.d.comb += self.ended.eq(self.row_given & buffer.o.last)
        self._put(
            m,
            self._finished(m),
            delay(m, buffer.o_valid, finish.latency - 1, name="valid", reset=True),
        )
        return m

    def _finished(self, m: Module) -> Value:
        """The output beat."""
        buffer, finish = self._buffer, self._finish
        beat, error = buffer.o, buffer.o_scalar.row.error.replicate(self._config.lanes)
        last = beat.last if self._config.two_passes else buffer.o_last
        out = Signal(self._layout)
        m.d.comb += [
            out.p.eq(finish.o),
            out.tag.keep.eq(delay(m, beat.tag.keep | error, finish.latency, name="keep")),
            out.tag.clipped.eq(delay(m, beat.tag.clipped & ~error, finish.latency, name="clipped")),
            out.row.eq(finish.o_row),
            out.last.eq(delay(m, last, finish.latency, name="last")),
        ]
        return out

    def _put(self, m: Module, out: Value, coming: Value) -> None:
        """The queue to the reader; ``coming`` is a cycle ahead of the beat."""
        m.submodules.queue = queue = self._queue
        m.d.comb += [queue.produce_next.eq(coming), queue.i.eq(out)]
        wiring.connect(m, wiring.flipped(self.o), queue.o)
