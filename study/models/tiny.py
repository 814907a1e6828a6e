"""Random networks of the same classes as the pretrained ones, a thousandth of their size: nothing
has to be fetched for them, and they know nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Generator, Tensor

from . import efficientnet, minilm, smollm2
from .efficientnet import Stage
from .photographs import Photographs
from .registry import Classifier, Language, Network, Sentences

WORDS, LENGTH, TEXTS, PICTURES, CLASSES = 300, 24, 3, 6, 20
EMBEDDED, SPREAD = 0.5, 4.0
"""By what the language model's embedding and the classifier's last layer are multiplied, so that
logits are about as far apart as trained ones."""


@dataclass
class TinyLanguage(Language):
    """A language model of two layers."""

    title: str = f"random language model of {WORDS} words, {TEXTS * LENGTH} of them read"

    @property
    def told(self) -> Any:
        return ["tiny", self.name]

    @cached_property
    def _module(self) -> smollm2.SmolLM2:
        torch.manual_seed(1)
        model = smollm2.SmolLM2(smollm2.Sizes(2, 24, 3, 1, 48, WORDS)).eval()
        model.embedding.weight.data *= EMBEDDED
        return model.requires_grad_(False)

    def inputs(self, limit: int | None = None) -> list[Tensor]:
        return list(_words(LENGTH + 1).split(1))[:limit]


@dataclass
class TinySentences(Sentences):
    """A model of embeddings, of two layers."""

    title: str = f"random embeddings, {TEXTS} texts"

    @property
    def told(self) -> Any:
        return ["tiny", self.name]

    @cached_property
    def _module(self) -> minilm.MiniLM:
        torch.manual_seed(2)
        model = minilm.MiniLM(minilm.Sizes(2, 24, 3, 48, WORDS, LENGTH)).eval()
        return model.requires_grad_(False)

    def inputs(self, limit: int | None = None) -> list[Tensor]:
        return list(_words(LENGTH).split(1))[:limit]


@dataclass
class TinyClassifier(Classifier):
    """A classifier of three blocks."""

    title: str = f"random classifier, {PICTURES} pictures"

    @property
    def told(self) -> Any:
        return ["tiny", self.name]

    @cached_property
    def _module(self) -> efficientnet.EfficientNet:
        torch.manual_seed(3)
        stages = (Stage(1, 3, 1, 1, 8), Stage(2, 5, 2, 6, 12))
        model = efficientnet.EfficientNet(stages, 32, CLASSES)
        model._fc.weight.data *= SPREAD
        return model.eval().requires_grad_(False)

    def _pictures(self, limit: int | None) -> Photographs:
        shown = torch.rand(PICTURES, 3, 32, 32, generator=Generator().manual_seed(4)) * 2 - 1
        names = tuple(f"picture {n}" for n in range(PICTURES))[:limit]
        return Photographs(shown[:limit], tuple((n % CLASSES,) for n in range(len(names))), names)


def _words(length: int) -> Tensor:
    return torch.randint(WORDS, (TEXTS, length), generator=Generator().manual_seed(5))


TINY: Mapping[str, Network] = {
    "smollm2": TinyLanguage(),
    "minilm": TinySentences(),
    "efficientnet": TinyClassifier(),
}
"""By the names of the networks that they stand for."""
