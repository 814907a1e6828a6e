"""The networks that are trained in pairs: the same split, weights and batches for every softmax.

All that is random comes from the seed, and a softmax draws nothing of it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, Protocol

import torch
from torch import Generator, Tensor

from . import train_digits, train_language
from .language_model import CONTEXT, LanguageModel
from .paired_figures import ACCURACY, LOSS, Measure
from .paired_units import Softmax, clipped_by
from .recordings import corpus

CLASSES = 10
"""Of the digits."""


@dataclass(frozen=True)
class Trained:
    """What a training came to.

    Attributes:
        value: of the network's measure. clipped: share of all logits that the loss clipped.
    """

    value: float
    clipped: float


class Network(Protocol):
    """A network, its data, and how it is trained; it can be pickled."""

    @property
    def name(self) -> str:
        """By which a report calls it."""
        ...

    @property
    def told(self) -> Any:
        """All that its trainings depend on besides code, of JSON."""
        ...

    @property
    def measure(self) -> Measure:
        """What a trained network is measured by."""
        ...

    @property
    def optimisers(self) -> tuple[str, ...]:
        """By which it can be trained."""
        ...

    def train(self, optimiser: str, softmax: Softmax, seed: int) -> Trained:
        """Train it from a seed, and measure it on what it was not trained on."""
        ...


@dataclass(frozen=True)
class Digits:
    """The convolutional network of :mod:`.train_digits`; the loss is the softmax's.

    Attributes:
        epochs: of each training.
    """

    epochs: int = 60
    name: str = "digits"
    measure: Measure = ACCURACY

    @property
    def told(self) -> Any:
        return [self.name, self.epochs]

    @property
    def optimisers(self) -> tuple[str, ...]:
        return tuple(OPTIMISERS)

    def train(self, optimiser: str, softmax: Softmax, seed: int) -> Trained:
        drawn = _seeded(seed)
        images, classes = train_digits.images_and_classes()
        held_out = train_digits.drawn_out(len(classes), drawn)
        shown, model = ~held_out, train_digits.network()
        loss, chosen = softmax.loss(CLASSES), OPTIMISERS[optimiser](model.parameters())
        order = train_digits.batches(int(shown.sum()), range(self.epochs), drawn)
        train_digits.learn(model, images[shown], classes[shown], order, chosen, loss)
        with torch.no_grad():
            right = model.eval()(images[held_out]).argmax(dim=-1) == classes[held_out]
        logits = self.epochs * int(shown.sum()) * CLASSES
        return Trained(100 * right.double().mean().item(), clipped_by(loss) / logits)


OPTIMISERS: Mapping[str, Callable[[Any], torch.optim.Optimizer]] = {
    "Adam": partial(torch.optim.Adam, lr=train_digits.LEARNING_RATE),
    "SGD": partial(torch.optim.SGD, lr=0.05, momentum=0.9),
}
"""Of the digits, by name."""


@dataclass(frozen=True)
class Language:
    """The causal transformer of :mod:`.train_language`; attention and loss are the softmax's.

    Attributes:
        updates: of each training.
    """

    updates: int = 300
    name: str = "language model"
    measure: Measure = LOSS
    optimisers: tuple[str, ...] = ("Adam",)

    @property
    def told(self) -> Any:
        return [self.name, self.updates]

    def train(self, optimiser: str, softmax: Softmax, seed: int) -> Trained:
        training, held_out, words = self._text
        drawn = _seeded(seed)
        model, loss = LanguageModel(words), softmax.loss(words)
        windows = train_language.batches(training, range(self.updates), drawn)
        with softmax.attention(model, CONTEXT):
            train_language.learn(model, windows, self.updates, loss, watch=lambda *_: None)
            value = train_language.held_out_loss(model.eval(), held_out).item()
        logits = self.updates * train_language.BATCH * CONTEXT * words
        return Trained(value, clipped_by(loss) / logits)

    @cached_property
    def _text(self) -> tuple[Tensor, Tensor, int]:
        text = corpus()
        return *train_language.split(text), len(text.words)


def _seeded(seed: int) -> Generator:
    """Weights come from torch's own generator, split and batches from this one."""
    torch.manual_seed(2 * seed)
    return Generator().manual_seed(2 * seed + 1)
