"""What computes the softmax family of a network in training: floats, or a fixed-point unit."""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Protocol

from torch import Tensor, nn

from ..golden.clusters import Clusters
from ..golden.config import SoftmaxConfig
from ..golden.torch import FixedAdaptiveLogSoftmaxWithLoss, FixedCrossEntropyLoss, swap


class Softmax(Protocol):
    """A way to compute losses and attention; it can be pickled."""

    @property
    def name(self) -> str:
        """By which a report calls it."""
        ...

    @property
    def told(self) -> Any:
        """All that its results depend on, of JSON."""
        ...

    def loss(self, classes: int) -> nn.Module:
        """The mean cross-entropy of logits (rows, classes) and classes (rows,)."""
        ...

    def attention(self, model: nn.Module, length: int) -> AbstractContextManager[object]:
        """Compute the attention of a model, with rows of at most ``length``, until the end of a
        ``with``."""
        ...

    def adaptive(
        self, features: int, clusters: Clusters, div_value: float
    ) -> nn.AdaptiveLogSoftmaxWithLoss:
        """An adaptive softmax of some features, with a bias in its head."""
        ...


@dataclass(frozen=True)
class Float32:
    """All of it as torch computes it."""

    name: str = "float32"

    @property
    def told(self) -> Any:
        return type(self).__name__

    def loss(self, classes: int) -> nn.Module:
        return nn.CrossEntropyLoss()

    def attention(self, model: nn.Module, length: int) -> AbstractContextManager[object]:
        return nullcontext()

    def adaptive(
        self, features: int, clusters: Clusters, div_value: float
    ) -> nn.AdaptiveLogSoftmaxWithLoss:
        return nn.AdaptiveLogSoftmaxWithLoss(
            features, clusters.vocabulary, clusters.cutoffs, div_value, head_bias=True
        )


@dataclass(frozen=True)
class Float64Loss(Float32):
    """The same, but for the loss and its gradient, which are computed in float64.

    What such a training differs from :class:`Float32` by is what any other rounding does: the
    measure of how much of a difference says nothing about a unit.
    """

    name: str = "float64 loss"

    def loss(self, classes: int) -> nn.Module:
        return _DoubleCrossEntropyLoss()


class _DoubleCrossEntropyLoss(nn.CrossEntropyLoss):
    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return super().forward(input.double(), target)


@dataclass(frozen=True)
class Fixed:
    """A unit's softmax, its gradient by the backward unit, and the cross-entropy unit's loss.

    Attributes:
        name: of the configuration. config: of all three; where rows are longer than its
            ``max_length``, that is theirs.
    """

    name: str
    config: SoftmaxConfig

    @property
    def told(self) -> Any:
        return self.config.to_dict()

    def loss(self, classes: int) -> nn.Module:
        return FixedCrossEntropyLoss(config=self._for(classes))

    def attention(self, model: nn.Module, length: int) -> AbstractContextManager[object]:
        return swap(model, self._for(length))

    def adaptive(
        self, features: int, clusters: Clusters, div_value: float
    ) -> nn.AdaptiveLogSoftmaxWithLoss:
        return FixedAdaptiveLogSoftmaxWithLoss(
            features,
            clusters.vocabulary,
            clusters.cutoffs,
            div_value,
            head_bias=True,
            config=self._for(max(clusters.lengths)),
        )

    def _for(self, length: int) -> SoftmaxConfig:
        return self.config.replace(max_length=max(length, self.config.max_length))


def clipped_by(loss: nn.Module) -> int:
    """Logits that a loss has clipped so far; floats clip none."""
    return int(loss.clipped) if isinstance(loss, FixedCrossEntropyLoss) else 0
