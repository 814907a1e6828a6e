"""What the format of its softmax does to a language model: perplexity, and the next word."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import exp

import torch
from torch import Tensor

from .answers import agreement, mass
from .figures import PLACES, Figures
from .smollm2 import SmolLM2
from .softmaxes import Float32, Softmax

ROWS = 128
"""That are computed at once: a row has as many logits as there are words."""


@dataclass(frozen=True, eq=False)
class Reference:
    """What float32 makes of texts.

    Attributes:
        hidden: of each word but the last of a text, (rows, width). following: the word that
            follows, (rows,). best: the word that float32 expects, (rows,). perplexity: float32's.
    """

    hidden: Tensor
    following: Tensor
    best: Tensor
    perplexity: float


def reference(model: SmolLM2, texts: Tensor) -> Reference:
    """Of texts of one length, (texts, length)."""
    hidden, following = _hidden(model, texts, Float32()), texts[:, 1:].flatten()
    best, losses = [], []
    for rows in _chunks(len(hidden)):
        logits = model.logits(hidden[rows])
        best.append(logits.argmax(dim=-1))
        losses.append(Float32().losses(logits, following[rows]))
    return Reference(hidden, following, torch.cat(best), _perplexity(torch.cat(losses)))


def measured(model: SmolLM2, texts: Tensor, of: Reference, softmax: Softmax) -> Figures:
    """The figures of a softmax in attention, behind the last layer, and in both."""
    hidden = _hidden(model, texts, softmax)
    found: dict[str, list[Mapping[str, Tensor]]] = {place: [] for place in PLACES}
    for rows in _chunks(len(hidden)):
        exact, logits = model.logits(of.hidden[rows]), model.logits(hidden[rows])
        found["attention"].append(_by_floats(logits, rows, of))
        found["output"].append(_rows(softmax, exact, rows, of))
        found["both"].append(_rows(softmax, logits, rows, of))
    return {place: _figures(parts, of) for place, parts in found.items()}


def _hidden(model: SmolLM2, texts: Tensor, softmax: Softmax) -> Tensor:
    """Of every word but the last of each text, (rows, width); text by text."""
    length = texts.shape[1] - 1
    with softmax.attention(model, length):
        return torch.cat([model.hidden(text[None, :-1])[0] for text in texts])


def _by_floats(logits: Tensor, rows: slice, of: Reference) -> Mapping[str, Tensor]:
    """Of each row, where the output stays float32."""
    return {
        "loss": Float32().losses(logits, of.following[rows]),
        "agreement": agreement(logits, of.best[rows]),
    }


def _rows(softmax: Softmax, logits: Tensor, rows: slice, of: Reference) -> Mapping[str, Tensor]:
    """Of each row."""
    p, following = softmax.probabilities(logits), of.following[rows]
    return {
        "loss": softmax.losses(logits, following),
        "agreement": agreement(p, of.best[rows]),
        "lost": (p.gather(1, following[:, None])[:, 0] == 0).double(),
        "mass": mass(p),
    }


def _figures(parts: list[Mapping[str, Tensor]], of: Reference) -> dict[str, float]:
    whole = {name: torch.cat([part[name] for part in parts]) for name in parts[0]}
    perplexity = _perplexity(whole.pop("loss"))
    return {
        "perplexity": perplexity,
        "perplexity_change": perplexity / of.perplexity - 1,
        **{name: values.mean().item() for name, values in whole.items()},
    }


def _perplexity(losses: Tensor) -> float:
    """The exponential of the mean loss; infinite where that is too large."""
    mean = losses.double().mean().item()
    return exp(mean) if mean < 700 else float("inf")


def _chunks(rows: int) -> Iterator[slice]:
    yield from (slice(start, start + ROWS) for start in range(0, rows, ROWS))
