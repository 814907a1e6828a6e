"""The softmax unit: rows of logits in, rows of probabilities out, by either datapath."""

from amaranth.hdl import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from ...golden.config import SoftmaxConfig
from ..ports.beats import input_layout, output_layout
from ..ports.frame import Frame
from ..targets.generic import GENERIC, Target
from . import exact_sum, max_subtract
from .last_pass import capacity_of
from .latency import Capacity, Latency

DATAPATHS = {
    "max_subtract": (max_subtract.MaxSubtract, max_subtract.Stages),
    "exact_sum": (exact_sum.ExactSum, exact_sum.Stages),
}


class Softmax(wiring.Component):
    """The twin of ``golden.softmax``.

    Members:
        i: rows of logits, see :func:`input_layout`.
        o: rows of probabilities, see :func:`output_layout`.
    """

    def __init__(self, *, config: SoftmaxConfig, target: Target = GENERIC):
        datapath, _ = DATAPATHS[config.datapath]
        self._datapath = datapath(config=config, target=target)
        super().__init__(
            {
                "i": In(stream.Signature(input_layout(config))),
                "o": Out(stream.Signature(output_layout(config))),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.datapath = self._datapath
        wiring.connect(m, wiring.flipped(self.i), self._datapath.i)
        wiring.connect(m, wiring.flipped(self.o), self._datapath.o)
        return m


def latency(config: SoftmaxConfig) -> Latency:
    """Latency of the unit of a configuration."""
    _, stages = DATAPATHS[config.datapath]
    return stages(config).latency


def capacity(config: SoftmaxConfig) -> Capacity:
    """What the unit of a configuration accepts while its output is blocked."""
    _, stages = DATAPATHS[config.datapath]
    return capacity_of(config, buffers=stages.buffers, lead=Frame.latency)
