"""What the format of attention's softmax does to embeddings of sentences."""

from collections.abc import Sequence

import torch
from torch import Tensor

from .figures import Figures
from .minilm import MiniLM
from .softmaxes import Float32, Softmax


def reference(model: MiniLM, texts: Sequence[Tensor]) -> Tensor:
    """float32's embeddings, (texts, width), of texts (1, length)."""
    return _embeddings(model, texts, Float32())


def measured(model: MiniLM, texts: Sequence[Tensor], of: Tensor, softmax: Softmax) -> Figures:
    """How far embeddings turn, and whether each text's nearest one is the same."""
    found = _embeddings(model, texts, softmax)
    cosines = torch.cosine_similarity(found.double(), of.double(), dim=-1)
    same = _nearest(found) == _nearest(of)
    return {
        "attention": {
            "least_cosine": cosines.min().item(),
            "cosine": cosines.mean().item(),
            "neighbours": same.double().mean().item(),
        }
    }


def _embeddings(model: MiniLM, texts: Sequence[Tensor], softmax: Softmax) -> Tensor:
    with softmax.attention(model, max(text.shape[1] for text in texts)):
        return torch.cat([model(text) for text in texts])


def _nearest(embeddings: Tensor) -> Tensor:
    """Of each text, the other one whose embedding is nearest."""
    similar = embeddings.double() @ embeddings.double().T
    return similar.fill_diagonal_(-torch.inf).argmax(dim=-1)
