"""A small word model: an embedding, a recurrent layer, and a last layer that differs."""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from .outputs import Output

AVERAGED = 0.99
"""Share that a model's average keeps at a step: it is over about the last hundred."""


@dataclass(frozen=True)
class Size:
    """A model's size, and how it is trained.

    Attributes:
        width: of embedding and recurrent layer. rate: of Adam.
        streams, window: the text is read in so many places at once, so many tokens a step.
    """

    width: int = 64
    streams: int = 64
    window: int = 16
    rate: float = 0.01


class WordModel(nn.Module):
    """Predicts the next word of a text from all that come before it."""

    def __init__(self, width: int, words: int, output: Output) -> None:
        super().__init__()
        self.word = nn.Embedding(words, width)
        self.memory = nn.GRU(width, width, batch_first=True)
        self.output = output
        nn.init.normal_(self.word.weight, std=0.1)

    def features(self, tokens: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """(features (streams, tokens, width), state) of tokens, (streams, tokens)."""
        return self.memory(self.word(tokens), state)

    def loss(self, window: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """(mean loss in nats, state) of a window's tokens after the first, (streams, tokens)."""
        features, state = self.features(window[:, :-1], state)
        return self.output(features.flatten(0, 1), window[:, 1:].flatten()), state


def windows(training: Tensor, size: Size) -> Iterator[tuple[Tensor, bool]]:
    """Windows, (streams, window + 1), neighbours sharing a token, without an end; and whether the
    text begins anew."""
    length = len(training) // size.streams
    streams = training[: length * size.streams].view(size.streams, length)
    while True:
        for start in range(0, length - size.window, size.window):
            yield streams[:, start : start + size.window + 1], start == 0


class Trainer:
    """Trains a model step by step.

    Attributes:
        average: the model with the averages of the weights so far, the late ones above all: what is
            measured, for single steps scatter.
    """

    def __init__(self, model: WordModel, training: Tensor, size: Size) -> None:
        self.model, self.average, self.steps = model, deepcopy(model), 0
        self._optimiser = torch.optim.Adam(model.parameters(), lr=size.rate)
        self._windows = windows(training, size)
        self._state: Tensor | None = None

    def step(self) -> None:
        """Minimise the loss of the next window."""
        window, anew = next(self._windows)
        loss, state = self.model.loss(window, None if anew else self._state)
        self._state = state.detach()
        self._optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self._optimiser.step()
        self._follow()

    @torch.no_grad()
    def _follow(self) -> None:
        self.steps += 1
        kept = min(AVERAGED, self.steps / (self.steps + 10))
        for mean, weight in zip(self.average.parameters(), self.model.parameters(), strict=True):
            mean.lerp_(weight, 1 - kept)


@torch.no_grad()
def held_out_loss(model: WordModel, sections: Tensor, window: int = 128) -> float:
    """The mean loss in nats over sections, (sections, tokens), each read from its beginning."""
    total, state = 0.0, None
    for start in range(0, sections.shape[1] - 1, window):
        part = sections[:, start : start + window + 1]
        loss, state = model.loss(part, state)
        total += loss.item() * (part.shape[1] - 1)
    return total / (sections.shape[1] - 1)
