"""The last layers of a word model: the full softmax, and those that compute a part of it."""

from dataclasses import dataclass
from math import ceil, sqrt
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional

from ...golden.clusters import Clusters
from ..paired_units import Softmax


class Output(nn.Module):
    """A last layer with its loss."""

    def forward(self, features: Tensor, words: Tensor) -> Tensor:
        """The mean loss in nats of features, (tokens, width), and their words, (tokens,)."""
        raise NotImplementedError


class Method(Protocol):
    """A way to predict words; it can be pickled."""

    @property
    def name(self) -> str:
        """By which a report calls it."""
        ...

    @property
    def told(self) -> Any:
        """All that its layer depends on, of JSON."""
        ...

    def output(self, width: int, words: int, softmax: Softmax) -> Output:
        """Its layer for features of a width, with weights from torch's generator."""
        ...


@dataclass(frozen=True)
class Full:
    """One row of all words."""

    name: str = "full"

    @property
    def told(self) -> Any:
        return self.name

    def output(self, width: int, words: int, softmax: Softmax) -> Output:
        return _FullOutput(width, words, softmax)


class _FullOutput(Output):
    def __init__(self, width: int, words: int, softmax: Softmax) -> None:
        super().__init__()
        self.layer, self.loss = nn.Linear(width, words), softmax.loss(words)

    def forward(self, features: Tensor, words: Tensor) -> Tensor:
        return self.loss(self.layer(features), words)


@dataclass(frozen=True)
class TwoLevel:
    """A row of classes, then one of a class' words: about sqrt(V) classes of as many words each,
    which are neighbours by frequency."""

    name: str = "two-level"

    @property
    def told(self) -> Any:
        return self.name

    def output(self, width: int, words: int, softmax: Softmax) -> Output:
        return _TwoLevelOutput(width, words, softmax)


class _TwoLevelOutput(Output):
    """The last class may have fewer words: logits of those that it lacks are masked."""

    lacking: Tensor

    def __init__(self, width: int, words: int, softmax: Softmax) -> None:
        super().__init__()
        self.size = ceil(sqrt(words))
        classes = -(-words // self.size)
        self.classes = nn.Linear(width, classes)
        inside = nn.Linear(width, classes * self.size)  # for its weights, as they start
        self.weight = nn.Parameter(inside.weight.detach().view(classes, -1))
        self.bias = nn.Parameter(inside.bias.detach().view(classes, -1))
        lacking = torch.arange(classes * self.size).view(classes, -1) >= words
        self.register_buffer("lacking", lacking, persistent=False)
        self.class_loss, self.word_loss = softmax.loss(classes), softmax.loss(self.size)

    def forward(self, features: Tensor, words: Tensor) -> Tensor:
        chosen = words // self.size
        of_class = self.class_loss(self.classes(features), chosen)
        return of_class + self.word_loss(self._logits(features, chosen), words % self.size)

    def _logits(self, features: Tensor, chosen: Tensor) -> Tensor:
        weight = functional.embedding(chosen, self.weight)
        weight = weight.view(len(chosen), self.size, features.shape[1])
        logits = torch.bmm(weight, features[:, :, None])[:, :, 0]
        logits = logits + functional.embedding(chosen, self.bias)
        return logits.masked_fill(self.lacking[chosen], -torch.inf)


@dataclass(frozen=True)
class Adaptive:
    """Rows of the most frequent words and the tails, then one of a tail's words.

    Attributes:
        cutoffs: first words of the tails; None: an eighth and a half of the vocabulary.
        div_value: by how much each tail's features are fewer.
    """

    cutoffs: tuple[int, ...] | None = None
    div_value: float = 2.0
    name: str = "adaptive"

    @property
    def told(self) -> Any:
        return [self.name, self.cutoffs, self.div_value]

    def clusters(self, words: int) -> Clusters:
        """Of a vocabulary.

        Raises:
            ConfigError: cutoffs that do not rise, or end beyond it.
        """
        return Clusters(words, self.cutoffs or (words // 8, words // 2))

    def output(self, width: int, words: int, softmax: Softmax) -> "AdaptiveOutput":
        return AdaptiveOutput(softmax.adaptive(width, self.clusters(words), self.div_value))


class AdaptiveOutput(Output):
    """An adaptive softmax as a last layer."""

    def __init__(self, layer: nn.AdaptiveLogSoftmaxWithLoss) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, features: Tensor, words: Tensor) -> Tensor:
        return self.layer(features, words).loss
