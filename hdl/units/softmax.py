"""The softmax unit: rows of logits in, rows of probabilities out, by either datapath."""

from amaranth.hdl import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from ...golden.config import SoftmaxConfig
from ..flow.row_wait import RowWait
from ..ports.beats import input_layout, output_layout
from ..stages.probability import Logarithm, Probability, last_stage
from ..stages.row_scalar import RowScalar
from ..targets.generic import GENERIC, Target
from .capacity import Capacity, depth_of
from .datapath import DatapathPlan, tell_row
from .datapaths import datapath_of
from .finish_elements import FinishElements
from .held import held
from .last_pass import LastPass
from .latency import Latency
from .logits import Logits


class Softmax(wiring.Component):
    """The twin of ``golden.units.softmax``.

    The datapath's elements wait in the last pass until what is made of their row's sum is there.

    Members:
        i: rows of logits, see :func:`input_layout`.
        o: rows of probabilities, see :func:`output_layout`.
    """

    def __init__(self, *, config: SoftmaxConfig, target: Target = GENERIC):
        self._config, self._target = config, target
        super().__init__(
            {
                "i": In(stream.Signature(input_layout(config))),
                "o": Out(stream.Signature(output_layout(config))),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        plan, last = _stages(self._config)
        functions = last.functions
        m.submodules.datapath = path = plan.component(self._target)
        m.submodules.row_scalar = scalar = RowScalar(functions, self._target)
        m.submodules.row_wait = row_wait = RowWait(
            wait=plan.sum_latency + functions.latency, depth=depth_of(self._config)
        )
        m.submodules.last_pass = last_pass = self._last_pass(plan, last)
        given = held(m, path, last_pass.i_scalar, plan.sum_latency + functions.latency)
        wiring.connect(m, wiring.flipped(self.i), path.i)
        wiring.connect(m, wiring.flipped(self.o), last_pass.o)
        m.d.comb += [
            row_wait.i_valid.eq(path.o_valid),
            row_wait.i_last.eq(path.o_last),
            last_pass.i_valid.eq(path.o_valid),
            last_pass.i_last.eq(path.o_last),
            last_pass.i.eq(path.o),
            last_pass.beats.eq(row_wait.beats),
            last_pass.complete.eq(row_wait.complete),
            *(given.stage[name].eq(scalar.o[name]) for name in functions.waited_for.members),
            path.given.eq(last_pass.given),
            path.row_given.eq(last_pass.row_given),
        ]
        tell_row(m, path, scalar, given.row)
        return m

    def _last_pass(self, plan: DatapathPlan, last: Probability | Logarithm) -> LastPass:
        config, target = self._config, self._target
        finish = FinishElements(
            config=config, last=last, exp=plan.contents, element=plan.element, target=target
        )
        return LastPass(config=config, finish=finish, depth=depth_of(config), target=target)


def _stages(config: SoftmaxConfig) -> tuple[DatapathPlan, Probability | Logarithm]:
    """The datapath and the last stage of a configuration."""
    last = last_stage(config)
    return datapath_of(config, last.fields), last


def latency(config: SoftmaxConfig) -> Latency:
    """Latency of the unit of a configuration."""
    plan, last = _stages(config)
    wait = plan.sum_latency + last.functions.latency
    return plan.latency + (RowWait.notice_of(wait) + LastPass.latency_of(last.latency))


def capacity(config: SoftmaxConfig) -> Capacity:
    """What the unit of a configuration accepts while its output is blocked."""
    plan, last = _stages(config)
    words = LastPass.queue_words(last.latency)
    return Capacity.of(config, buffers=plan.buffers + 1, lead=Logits.latency, words=words)
