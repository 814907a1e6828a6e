"""What the unit gives of an element: the last stage, one class for each function it can be.

Each says what of an element waits for its row's sum, makes the stage that turns the sum into a
scalar of the row, and the one that finishes an element with that scalar.
"""

from dataclasses import dataclass
from typing import ClassVar

from ...golden.config import SoftmaxConfig
from ...golden.stages.probability import Logarithm as GoldenLogarithm
from ...golden.stages.probability import Probability as GoldenProbability
from ...golden.stages.probability import output_stage
from ..targets.generic import Target
from .exp import Contents
from .log_probability import LogProbability
from .normalize import Normalize
from .row_scalar import SumFunctions


@dataclass(frozen=True, eq=False)
class Probability:
    """p = exp / S: mantissa and exponent wait for the reciprocal; twin of the golden class.

    Attributes:
        fields: what of an element waits, see :class:`Exponentials`.
    """

    golden: GoldenProbability
    config: SoftmaxConfig
    fields: ClassVar[tuple[str, ...]] = ("mantissa", "exponent", "active")

    @property
    def functions(self) -> SumFunctions:
        """Of a row's sum: what its elements wait for."""
        return SumFunctions.of(self.config, reciprocal=self.golden.reciprocal)

    @property
    def latency(self) -> int:
        """Of an element's last stage, in cycles."""
        return Normalize.latency_of(self.golden.normalize)

    def last(self, exp: Contents, target: Target) -> Normalize:
        """The last stage of an element. Its inputs are called as the fields that wait, as the
        functions of the sum, and ``error``."""
        return Normalize(
            golden=self.golden.normalize,
            exp=exp,
            q_bits=self.functions.q_bits,
            width=self.config.output.width,
            target=target,
        )


@dataclass(frozen=True, eq=False)
class Logarithm:
    """log p: the distance waits for the sum's logarithm; twin of the golden class.

    Attributes: see :class:`Probability`.
    """

    golden: GoldenLogarithm
    config: SoftmaxConfig
    fields: ClassVar[tuple[str, ...]] = ("distance", "active")
    latency: ClassVar[int] = LogProbability.latency

    @property
    def functions(self) -> SumFunctions:
        """Of a row's sum: what its elements wait for."""
        return SumFunctions.of(self.config, ln=self.golden.log.ln)

    def last(self, exp: Contents, target: Target) -> LogProbability:
        """The last stage of an element, see :meth:`Probability.last`."""
        return LogProbability(
            golden=self.golden.log,
            distance_bits=self.config.path.farthest.bit_length(),
            width=self.config.output.width,
            target=target,
        )


def last_stage(config: SoftmaxConfig) -> Probability | Logarithm:
    """The last stage of a configuration."""
    golden = output_stage(config)
    if isinstance(golden, GoldenLogarithm):
        return Logarithm(golden, config)
    return Probability(golden, config)
