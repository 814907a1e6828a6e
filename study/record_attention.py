"""Record what the attention heads of the trained language model compute on held-out texts.

The loss is the sum over a text, so that a gradient does not depend on how many texts are recorded.
Queries, keys, values and output gradients are rounded once, here, to a grid that float16 holds
and that makes the scores exact in float64; `recordings` says why.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from .language_model import HEADS, LAYERS, HeadVectors, LanguageModel
from .train_language import loss_and_heads, windows

TEXTS = 6
TEXTS_WITH_GRADIENT = 1
GRID_BITS = 12

# Gradients are scaled by a power of two to just below this: well inside float16's range, and far
# enough above the grid that a gradient 10,000 times smaller than the largest is not lost.
LARGEST_GRADIENT = 2.0**12


@dataclass(frozen=True)
class AttentionRecording:
    """Vectors of shape (maps, 256 tokens, 16), float16, a map being one head on one text.

    The maps are ordered by text, then layer, then head. value and grad_output can exist for the
    first maps only; grad_output is the gradient at the attention output times 2^grad_exponent.
    """

    query: np.ndarray
    key: np.ndarray
    value: np.ndarray
    grad_output: np.ndarray
    grad_exponent: int


def record_attention(model: LanguageModel, held_out: Tensor) -> AttentionRecording:
    """Run the model on the first window of evenly spread held-out sections."""
    texts = torch.stack([windows(section)[0] for section in held_out])
    texts = texts[:: len(texts) // TEXTS][:TEXTS]
    loss, layers = loss_and_heads(model, texts, nn.CrossEntropyLoss(reduction="sum"))
    with_gradient = slice(TEXTS_WITH_GRADIENT * LAYERS * HEADS)
    return record_heads(loss, layers, maps=slice(None), maps_with_gradient=with_gradient)


def record_heads(
    loss: Tensor, layers: list[HeadVectors], *, maps: slice, maps_with_gradient: slice
) -> AttentionRecording:
    """Choose from the maps of all layers, ordered by text, layer and head, and round them."""
    gradients = torch.autograd.grad(loss, [heads.mixed for heads in layers])
    grad_output = _stack(gradients)[maps_with_gradient]
    exponent = math.floor(math.log2(LARGEST_GRADIENT / np.abs(grad_output).max()))
    return AttentionRecording(
        query=_on_grid(_vectors(layers, "query")[maps]),
        key=_on_grid(_vectors(layers, "key")[maps]),
        value=_on_grid(_vectors(layers, "value")[maps_with_gradient]),
        grad_output=_on_grid(np.ldexp(grad_output, exponent)),
        grad_exponent=exponent,
    )


def _vectors(layers: list[HeadVectors], name: str) -> np.ndarray:
    """One kind of vector of all layers, shape (maps, tokens, 16)."""
    return _stack([getattr(heads, name) for heads in layers])


def _stack(layers: list[Tensor] | tuple[Tensor, ...]) -> np.ndarray:
    """Join tensors of shape (texts, heads, tokens, 16) to (texts x layers x heads, tokens, 16)."""
    return torch.stack(list(layers), dim=1).flatten(0, 2).detach().double().numpy()


def _on_grid(vectors: np.ndarray) -> np.ndarray:
    """Round to multiples of 2^-12 and then to float16, which keeps them multiples of 2^-12."""
    return np.ldexp(np.rint(np.ldexp(vectors, GRID_BITS)), -GRID_BITS).astype(np.float16)
