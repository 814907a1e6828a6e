"""The loss of every row, and the port by which it leaves."""

from amaranth.hdl import Module, Value, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ...golden.config import SoftmaxConfig
from ...golden.stages.loss import loss_stage
from ..flow.backlog import Backlog
from ..flow.credits import Credits
from ..flow.queue import Queue
from ..parts.pipeline import delay, register
from ..ports.beats import row_layout
from ..stages.difference import Difference
from ..stages.loss import Loss, in_ln
from ..targets.generic import GENERIC, Target
from .capacity import ROWS


class LossPort(wiring.Component):
    """Losses wait for their reader, ``ROWS`` of them: no row waits for them.

    Args:
        scalar: layout of what the loss is of: ``ln``, see :class:`Loss`, and ``maximum``, where
            distances are measured from it.
        flags: what a row tells besides that it is in error: ``ignored``.

    Members:
        i_valid, x, scalar, row: a row's target, its scalar, and its status.
        loss: the losses, see :func:`loss_layout`.
        left: one has left.
    """

    def __init__(
        self,
        *,
        config: SoftmaxConfig,
        scalar: data.StructLayout,
        flags: tuple[str, ...],
        target: Target = GENERIC,
    ):
        self._config, self._target, self._golden = config, target, loss_stage(config)
        self._layout = loss_layout(config, flags)
        super().__init__(
            {
                "i_valid": In(1),
                "x": In(signed(config.input.width)),
                "scalar": In(scalar),
                "row": In(row_layout(config, flags)),
                "loss": Out(stream.Signature(self._layout)),
                "left": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        distance, before = self._distance(m)
        row = data.View(self.row.shape(), delay(m, self.row, before, name="early_row"))
        m.submodules.stage = stage = Loss(
            golden=self._golden, distance=distance.shape(), target=self._target
        )
        m.submodules.losses = losses = Backlog(self._layout, places=ROWS, target=self._target)
        latency = before + stage.latency
        m.d.comb += [
            stage.distance.eq(distance),
            stage.ln.eq(delay(m, self.scalar.ln, before, name="ln")),
            stage.active.eq(~(row.error | row.ignored)),
            losses.produce_next.eq(
                delay(m, self.i_valid, latency - 1, name="next_loss", reset=True)
            ),
            losses.i.loss.eq(stage.o),
            losses.i.row.eq(delay(m, row, stage.latency, name="row")),
        ]
        self._put(m, losses)
        return m

    def _distance(self, m: Module) -> tuple[Value, int]:
        """The target's distance, or its code where that is enough; the cycles that it takes."""
        config, origin = self._config, self._config.path.origin
        if in_ln(self._golden, origin):
            return self.x, 0
        if origin is not None:
            return register(m, (origin - self.x).as_unsigned(), name="distance"), 1
        m.submodules.difference = whole = Difference(
            width=config.input.width, span=config.span, reach=config.span
        )
        m.d.comb += [whole.x.eq(self.x), whole.maximum.eq(self.scalar.maximum)]
        return whole.o, whole.latency

    def _put(self, m: Module, losses: Backlog) -> None:
        """Losses leave as their reader takes them."""
        m.submodules.beats = beats = Credits(places=Queue.places)
        m.submodules.queue = queue = Queue(self._layout)
        wiring.connect(m, wiring.flipped(self.loss), queue.o)
        go, left = losses.valid & beats.available, self.loss.valid & self.loss.ready
        coming = delay(m, go, losses.latency - 1, name="coming", reset=True)
        m.d.comb += [
            losses.consume.eq(go),
            beats.take.eq(go),
            beats.give.eq(left),
            queue.produce_next.eq(coming),
            queue.i.eq(losses.o),
            self.left.eq(left),
        ]


def loss_layout(config: SoftmaxConfig, flags: tuple[str, ...]) -> data.StructLayout:
    """The loss of a row, and what its gradient's beats tell of the row."""
    return data.StructLayout({"loss": config.loss.width, "row": row_layout(config, flags)})
