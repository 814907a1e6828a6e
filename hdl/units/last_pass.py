"""The last pass over a row: its elements wait for the scalar of their row and are finished with it.

Every unit ends with it.
"""

from typing import Any, ClassVar, Protocol

from amaranth.hdl import Module, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ...golden.config import SoftmaxConfig
from ..flow.credits import Credits
from ..flow.queue import Queue
from ..flow.row_buffer import RowBuffer
from ..parts.pipeline import delay, register
from ..ports.beats import output_layout, row_layout, tag_layout
from ..stages.exp import Contents
from ..stages.probability import LastStage, Logarithm, Probability, last_stage
from ..targets.generic import GENERIC, Target
from .latency import Capacity

ROWS = 80
"""Rows that can be in flight between input and output."""
EXTRA_BEATS = 64
"""Beats that a row buffer holds beyond the longest row, so that the next row comes in meanwhile."""


class LastPass(wiring.Component):
    """Row buffer, last stage and output queue.

    The pass never refuses a beat: whoever writes holds credits for :meth:`depth_of` beats and
    :data:`ROWS` rows.

    Latency :meth:`latency_of` cycles from a row's last beat; one beat per cycle.

    Members:
        i_valid, i_last, i: a beat of elements, the last of its row or not. i_last is 0 without one.
        i_scalar: the scalar of the row whose last beat came ``wait`` cycles ago.
        given: a beat has left the row buffer. row_given: the last beat of a row has.
        o: finished rows, see :func:`output_layout`.
    """

    ports: ClassVar[tuple[str, ...]] = ("o",)
    """Streams of the unit."""
    flags: ClassVar[tuple[str, ...]] = ()
    """What a row tells besides that it is in error."""

    def __init__(
        self,
        *,
        config: SoftmaxConfig,
        last: LastStage,
        wait: int,
        target: Target = GENERIC,
    ):
        self._config, self._last = config, last
        self._layout = output_layout(config, last.width, self.flags)
        self._buffer = self._make_buffer(
            beat=data.StructLayout(
                {
                    "elements": data.ArrayLayout(last.element, config.lanes),
                    "tag": tag_layout(config),
                }
            ),
            scalar=data.StructLayout({"stage": last.scalar, "row": row_layout(config, self.flags)}),
            depth=self.depth_of(config),
            rows=ROWS,
            wait=wait,
            target=target,
        )
        super().__init__(
            {
                "i_valid": In(1),
                "i_last": In(1),
                "i": In(self._buffer.i.shape()),
                "i_scalar": In(self._buffer.i_scalar.shape()),
                "given": Out(1),
                "row_given": Out(1),
                "o": Out(stream.Signature(self._layout)),
                **self._members(),
            }
        )

    def _make_buffer(self, **arguments: Any) -> RowBuffer:
        """Where the elements wait."""
        return RowBuffer(**arguments)

    def _members(self) -> dict[str, Any]:
        """Further members."""
        return {}

    @staticmethod
    def depth_of(config: SoftmaxConfig) -> int:
        """Beats that the row buffer holds."""
        return config.max_beats + EXTRA_BEATS

    @classmethod
    def latency_of(cls, last: LastStage, wait: int) -> int:
        """Latency in cycles: of the buffer, the stage, and the queue."""
        return RowBuffer.notice(wait) + RowBuffer.latency + last.latency + Queue.latency

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config, last = self._config, self._last
        m.submodules.buffer = buffer = self._buffer
        m.submodules.output_beats = output_beats = Credits(places=Queue.places)
        m.d.comb += [
            buffer.i_valid.eq(self.i_valid),
            buffer.i_last.eq(self.i_last),
            buffer.i.eq(self.i),
            buffer.i_scalar.eq(self.i_scalar),
            buffer.read.eq(output_beats.available),
            output_beats.take.eq(buffer.reading),
            output_beats.give.eq(self.o.valid & self.o.ready),
            self.given.eq(register(m, buffer.reading, name="given", reset=True)),
            self.row_given.eq(buffer.o_valid & buffer.o_last),
        ]

        beat, error = buffer.o, buffer.o_scalar.row.error
        out = Signal(self._layout)
        self._finish(m, out)
        kept = beat.tag.keep | error.replicate(config.lanes)
        clipped = beat.tag.clipped & ~error.replicate(config.lanes)
        m.submodules.queue = queue = Queue(self._layout)
        m.d.comb += [
            out.tag.keep.eq(delay(m, kept, last.latency, name="keep")),
            out.tag.clipped.eq(delay(m, clipped, last.latency, name="clipped")),
            out.row.eq(self._row(m)),
            out.last.eq(delay(m, buffer.o_last, last.latency, name="last")),
            queue.coming.eq(delay(m, buffer.o_valid, last.latency - 1, name="valid", reset=True)),
            queue.i.eq(out),
        ]
        wiring.connect(m, wiring.flipped(self.o), queue.o)
        return m

    def _finish(self, m: Module, out: data.View) -> None:
        """Drive the results of a beat, the last stage's latency after it has left the buffer."""
        beat, scalar = self._buffer.o, self._buffer.o_scalar
        for lane in range(self._config.lanes):
            code = self._last.finish(
                m, f"lane{lane}", beat.elements[lane], scalar.stage, scalar.row.error
            )
            m.d.comb += out.p[lane].eq(code)

    def _row(self, m: Module) -> Value:
        """What the finished beats tell of their row."""
        return delay(m, self._buffer.o_scalar.row, self._last.latency, name="row")


def capacity_of(config: SoftmaxConfig, *, buffers: int, lead: int) -> Capacity:
    """What a unit accepts while its output is blocked.

    Args:
        buffers: row buffers that a beat goes through. lead: of the :class:`Credits` of the first.
    """
    beats = buffers * LastPass.depth_of(config) + Queue.places
    kept = lead + (buffers + 1) * Credits.MARGIN
    return Capacity(beats, beats - kept, ROWS + Queue.places)


class Ending(Protocol):
    """What a datapath ends with: one object for each unit that shares it."""

    def last_stage(self, config: SoftmaxConfig, *, exp: Contents, target: Target) -> Any:
        """From the row's sum to its scalar, and what waits of an element."""
        ...

    def last_pass(self, *, config: SoftmaxConfig, last: Any, wait: int, target: Target) -> Any:
        """A :class:`LastPass`, or what has its members and more ``ports``."""
        ...

    def latency_of(self, config: SoftmaxConfig, last: Any, wait: int) -> int:
        """Cycles from a row's last beat of exponentials to its first beat out."""
        ...


class Probabilities:
    """The ending of the softmax unit."""

    def last_stage(
        self, config: SoftmaxConfig, *, exp: Contents, target: Target
    ) -> Probability | Logarithm:
        return last_stage(config, exp=exp, target=target)

    def last_pass(
        self, *, config: SoftmaxConfig, last: LastStage, wait: int, target: Target
    ) -> LastPass:
        return LastPass(config=config, last=last, wait=wait, target=target)

    def latency_of(self, config: SoftmaxConfig, last: LastStage, wait: int) -> int:
        return LastPass.latency_of(last, wait)


PROBABILITIES = Probabilities()


def ports_of(last_pass: Any) -> dict[str, Any]:
    """The members of a last pass that are ports of the unit."""
    return {name: last_pass.signature.members[name] for name in last_pass.ports}
