"""The datapath without a maximum: exponentials of rows of logits, in one pass."""

from typing import ClassVar, NamedTuple

from amaranth.hdl import Module, Value
from amaranth.lib import wiring

from ...golden.config import SoftmaxConfig
from ...golden.stages.accumulate import Accumulate
from ...golden.stages.exp import exp_table
from ...golden.stages.window import Window as GoldenWindow
from ..flow.credits import Credits
from ..parts.pipeline import delay
from ..stages.exact_accumulate import ExactAccumulate
from ..stages.exp import ByLogit, Contents, Exp
from ..stages.exponentials import Exponentials, element_layout
from ..stages.row_largest import RowLargest
from ..stages.window import Window
from ..targets.generic import Target
from .capacity import ROWS, depth_of
from .datapath import Datapath, gives_largest, members_of
from .latency import Latency
from .logits import Logits


class ExactSumPlan:
    """The :class:`DatapathPlan` whose golden twin is :class:`golden.datapaths.exact_sum.ExactSum`.

    No row waits before its sum."""

    buffers: ClassVar[int] = 0

    def __init__(self, config: SoftmaxConfig, fields: tuple[str, ...]):
        self.config, self.fields = config, fields
        self.exp = exp_table(config)
        self.contents: Contents = ByLogit.of(self.exp, config)
        self.element = element_layout(config, self.contents, fields)
        self.latency = Latency(Logits.latency + Exp.latency_of(self.exp), 0)
        if config.path.window:
            ahead = Exp.ahead_of(self.exp, self.contents)
            self.sum_latency = Window.latency_of(config.lanes, ahead)
        else:
            self.sum_latency = ExactAccumulate.latency_of(Accumulate.of(config), config.lanes)

    def component(self, target: Target) -> Datapath:
        """The datapath."""
        return ExactSum(self, target)


class ExactSum(wiring.Component):
    """The :class:`Datapath` without a maximum.

    exp of every element, and the exact sum of the row. What follows hands out credits, so that no
    pipeline stalls, and no cycle depends on a value.

    One beat per cycle, rows back to back; the latency does not depend on the row.
    """

    def __init__(self, plan: ExactSumPlan, target: Target):
        self._plan, self._config, self._target = plan, plan.config, target
        super().__init__(members_of(plan.config, plan.contents, plan.element))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.logits = logits = Logits(config=self._config)
        m.submodules.beats = beats = Credits(places=depth_of(self._config), lead=Logits.latency)
        m.submodules.rows = rows = Credits(places=ROWS, lead=Logits.latency)
        leaving = _leaving(logits, self._config)
        m.d.comb += [
            self.i.ready.eq(beats.available & rows.available),
            logits.i_valid.eq(self.i.valid & self.i.ready),
            logits.i.eq(self.i.payload),
            beats.take.eq(leaving.valid),
            rows.take.eq(leaving.last),
            beats.give.eq(self.given),
            rows.give.eq(self.row_given),
        ]
        self._give_elements(m, logits, leaving)
        self._give_row(m, logits)
        if gives_largest(self._config):
            self._give_largest(m, logits)
        return m

    def _give_elements(self, m: Module, logits: Logits, leaving: "_Leaving") -> None:
        """exp of every element, and the sum so far."""
        config, plan, latency = self._config, self._plan, Exp.latency_of(self._plan.exp)
        m.submodules.exponentials = exponentials = Exponentials(
            config=config,
            golden=plan.exp,
            contents=plan.contents,
            fields=plan.fields,
            target=self._target,
        )
        m.submodules.accumulate = accumulate = _accumulate(plan, self._target)
        for lane, x in enumerate(logits.o):
            m.d.comb += exponentials.address[lane].eq(x)
            if "x" in plan.fields:
                m.d.comb += exponentials.x[lane].eq(x)
            if "distance" in plan.fields:
                m.d.comb += exponentials.distance[lane].eq(config.path.origin - x)
        m.d.comb += [
            exponentials.active.eq(logits.active),
            *accumulate.fed_by(exponentials),
            accumulate.i_last.eq(self._ends(m, logits)),
            self.sum.code.eq(accumulate.o),
            *((self.sum.top.eq(accumulate.top),) if config.path.window else ()),
            self.o_valid.eq(delay(m, leaving.valid, latency, name="valid", reset=True)),
            self.o_last.eq(delay(m, leaving.last, latency, name="last", reset=True)),
            self.o.elements.eq(exponentials.elements),
            self.o.tag.keep.eq(delay(m, logits.keep, latency, name="keep")),
            self.o.tag.clipped.eq(delay(m, logits.clipped, latency, name="clipped")),
        ]

    def _ends(self, m: Module, logits: Logits) -> Value:
        """Whether the row, or a pass of it, ends with the beat of elements."""
        if not self._config.two_passes:
            return self.o_last
        latency = Exp.latency_of(self._plan.exp)
        ends = delay(m, logits.o_last, latency, name="pass_last", reset=True)
        first = delay(m, logits.first, latency, name="first", reset=True)
        m.d.comb += [
            self.o.last.eq(ends),
            self.passes.first.eq(first),
            self.passes.second.eq(delay(m, logits.second, latency, name="second", reset=True)),
        ]
        return ends

    def _give_row(self, m: Module, logits: Logits) -> None:
        """What is known of the row as its sum comes."""
        wait = Exp.latency_of(self._plan.exp) + self._plan.sum_latency
        m.d.comb += self.row.error.eq(delay(m, logits.error, wait, name="error"))
        if self._config.id_width:
            ident = delay(m, self.i.payload.id, Logits.latency + wait, name="id")
            m.d.comb += self.row.id.eq(ident)

    def _give_largest(self, m: Module, logits: Logits) -> None:
        """The first table's address of the row's largest element."""
        first, *further = self._plan.contents.bits
        lanes = self._config.lanes
        m.submodules.row_largest = row_largest = RowLargest(lanes=lanes, width=first)
        wait = Exp.latency_of(self._plan.exp) + self._plan.sum_latency
        wait -= RowLargest.latency_of(lanes)
        m.d.comb += [
            row_largest.i_last.eq(logits.o_last),
            row_largest.active.eq(logits.active),
            self.largest.eq(delay(m, row_largest.o, wait, name="largest")),
            *(row_largest.i[lane].eq(x >> sum(further)) for lane, x in enumerate(logits.o)),
        ]


class _Leaving(NamedTuple):
    """Whether a beat of logits goes on to wait and leave, and whether it is the last of those that
    wait together."""

    valid: Value
    last: Value


def _leaving(logits: Logits, config: SoftmaxConfig) -> _Leaving:
    if not config.two_passes:
        return _Leaving(logits.o_valid, logits.o_last)
    valid = logits.o_valid & ~logits.first
    return _Leaving(valid, valid & (logits.o_last | logits.second))


def _accumulate(plan: ExactSumPlan, target: Target) -> ExactAccumulate | Window:
    """The sum's stage, which holds all places there are, or those around the largest term."""
    config, places = plan.config, plan.contents.exponent_bits
    if config.path.window:
        return Window(
            golden=GoldenWindow.of(config),
            lanes=config.lanes,
            place_bits=places,
            ahead=Exp.ahead_of(plan.exp, plan.contents),
            target=target,
        )
    return ExactAccumulate(
        golden=Accumulate.of(config), lanes=config.lanes, place_bits=places, target=target
    )
