"""Read the recorded softmax inputs: classifier logits, attention scores and a text corpus.

Attention is stored as its query and key vectors, not as scores. The vectors lie on a fixed grid
(multiples of 2^-12, exact in float16), so every product and every partial sum of a score is a
multiple of 2^-24 below 2^29 and therefore exact in float64: a score has the same bits on every
machine, in whatever order the sixteen products are added. It is also 16 times smaller than the
scores themselves.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

DATA = Path(__file__).parent / "data"
RECORDINGS_FILE = DATA / "recordings.npz"
CORPUS_FILE = DATA / "corpus.npz"

# 1/sqrt(head dimension) with a head dimension of 16: a power of two, so scaling is exact too.
SCORE_SCALE = 0.25


@dataclass(frozen=True)
class Corpus:
    """A text as word numbers; the number of a word is its rank by frequency, 0 the most frequent.

    tokens: shape (length,), each an index into words.
    words: the vocabulary, most frequent first, equal frequencies in alphabetical order.
    """

    tokens: NDArray[np.uint16]
    words: tuple[str, ...]


def names() -> tuple[str, ...]:
    """The recordings that `load` knows."""
    return ("digits", "attention")


def load(name: str) -> NDArray[np.float64]:
    """The softmax inputs of one recording, shape (rows, longest row).

    One row of the array is one softmax row; a row shorter than the array ends in NaN.
    """
    if name == "digits":
        return _member("digits").astype(np.float64)
    if name == "attention":
        return _causal_rows(_scores())
    allowed = ", ".join(repr(known) for known in names())
    raise ValueError(f"name must be one of {allowed}, but is {name!r}")


def digits_targets() -> NDArray[np.uint8]:
    """The true class of every row of `digits`, shape (1797,), values 0 to 9."""
    return _member("digits_target")


def digits_held_out() -> NDArray[np.bool_]:
    """True for the rows of `digits` whose image the classifier never trained on, shape (1797,)."""
    return _member("digits_held_out")


def upstream_gradients() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Softmax inputs and the loss gradients at the softmax outputs, both shape (rows, 256).

    Only some of the maps have gradients: these are the first rows of `attention`, with the same
    padding. The gradient dP = dO v^T is exact in float64 and is that of the cross-entropy in nats
    summed over the 256 tokens of a text.
    """
    grad_output = _member("attention_grad_output").astype(np.float64)
    value = _member("attention_value").astype(np.float64)
    scaled = grad_output @ value.transpose(0, 2, 1)
    gradient = np.ldexp(scaled, -int(_member("attention_grad_exponent")))
    return _causal_rows(_scores(maps=len(value))), _causal_rows(gradient)


def corpus() -> Corpus:
    """The documentation strings of the Python standard library as ranked words."""
    with np.load(CORPUS_FILE) as stored:
        words = stored["words"].tobytes().decode("utf-8").split("\n")
        return Corpus(tokens=stored["tokens"], words=tuple(words))


def _member(name: str) -> np.ndarray:
    """One stored array, as it was stored."""
    with np.load(RECORDINGS_FILE) as stored:
        return stored[name]


def _scores(maps: int | None = None) -> NDArray[np.float64]:
    """Attention scores before masking, shape (maps, 256 queries, 256 keys)."""
    query = _member("attention_query")[:maps].astype(np.float64)
    key = _member("attention_key")[:maps].astype(np.float64)
    return SCORE_SCALE * (query @ key.transpose(0, 2, 1))


def _causal_rows(maps: NDArray[np.float64]) -> NDArray[np.float64]:
    """Keep of every query the keys up to itself and make each query a row, NaN after its end."""
    queries, keys = maps.shape[1:]
    maps[:, ~np.tri(queries, keys, dtype=np.bool_)] = np.nan
    return maps.reshape(-1, keys)
