"""Read the recordings: softmax inputs, targets, gradients in and after training, and a corpus; what
of pretrained networks is stored, `network_rows` reads.

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

from ..golden.types import Bits, Codes, Reals
from . import network_rows

DATA = Path(__file__).parent / "data"
RECORDINGS_FILE = DATA / "recordings.npz"
GRADIENTS_FILE = DATA / "gradients.npz"
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
    """The recordings of networks that were trained here."""
    return ("digits", "attention")


def networks() -> tuple[str, ...]:
    """The recordings of pretrained networks, see `models/record.py`, whose rows have at most 1,024
    elements; `load` knows `smollm2_vocabulary` too, with rows of 49,152."""
    return network_rows.NAMES


def load(name: str) -> Reals:
    """The softmax inputs of one recording, shape (rows, longest row).

    One row of the array is one softmax row; a row shorter than the array ends in NaN.
    """
    if name == "digits":
        return _member("digits").astype(np.float64)
    if name == "attention":
        return _causal_rows(_scores(_member("attention_query"), _member("attention_key")))
    known_networks = (*networks(), network_rows.WHOLE)
    if name in known_networks:
        return network_rows.network_rows(name).padded()
    allowed = ", ".join(repr(known) for known in (*names(), *known_networks))
    raise ValueError(f"name must be one of {allowed}, but is {name!r}")


def digits_targets() -> NDArray[np.uint8]:
    """The true class of every row of `digits`, shape (1797,), values 0 to 9."""
    return _member("digits_target")


def digits_held_out() -> Bits:
    """True for the rows of `digits` whose image the classifier never trained on, shape (1797,)."""
    return _member("digits_held_out")


def network_targets(name: str) -> Codes:
    """The class of every row of a pretrained network's output, an index into the row, (rows,); -1
    where none is known. Rows of attention have no classes: shape (0,)."""
    return network_rows.network_targets(name)


def upstream_gradients() -> tuple[Reals, Reals]:
    """Softmax inputs and the loss gradients at the softmax outputs, both shape (rows, 256).

    Only some of the maps have gradients: these are the first rows of `attention`, with the same
    padding. The gradient dP = dO v^T is exact in float64 and is that of the cross-entropy in nats
    summed over the 256 tokens of a text.
    """
    value = _member("attention_value")
    query, key = (_member(f"attention_{name}")[: len(value)] for name in ("query", "key"))
    grad_output, exponent = _member("attention_grad_output"), _member("attention_grad_exponent")
    return _causal_rows(_scores(query, key)), _causal_rows(_gradient(grad_output, value, exponent))


def training_steps() -> tuple[int, ...]:
    """The steps that `training_gradients` knows: how many updates the model had had by then."""
    return tuple(_member("attention_step", GRADIENTS_FILE).tolist())


def training_gradients(step: int) -> tuple[Reals, Reals]:
    """Softmax inputs and the gradients at the softmax outputs in training, both (1024, 256).

    Row 256 * layer + t is token t of the first text of the batch, in the first head of the layer.
    It has t + 1 elements and ends in NaN in both arrays. The gradient dP = dO v^T is exact in
    float64 and is that of the training loss, the mean cross-entropy in nats of 8 x 256 tokens.
    """
    steps = training_steps()
    if step not in steps:
        allowed = ", ".join(str(known) for known in steps)
        raise ValueError(f"step must be one of {allowed}, but is {step!r}")
    query, key, value, grad_output, exponent = (
        _member(f"attention_{name}", GRADIENTS_FILE)[steps.index(step)]
        for name in ("query", "key", "value", "grad_output", "grad_exponent")
    )
    return _causal_rows(_scores(query, key)), _causal_rows(_gradient(grad_output, value, exponent))


def corpus() -> Corpus:
    """The documentation strings of the Python standard library as ranked words."""
    with np.load(CORPUS_FILE) as stored:
        words = stored["words"].tobytes().decode("utf-8").split("\n")
        return Corpus(tokens=stored["tokens"], words=tuple(words))


def _member(name: str, file: Path = RECORDINGS_FILE) -> np.ndarray:
    """One stored array, as it was stored."""
    with np.load(file) as stored:
        return stored[name]


def _scores(query: np.ndarray, key: np.ndarray) -> Reals:
    """Attention scores before masking, shape (maps, 256 queries, 256 keys)."""
    return SCORE_SCALE * _products(query, key)


def _gradient(grad_output: np.ndarray, value: np.ndarray, exponent: np.ndarray) -> Reals:
    """The gradient at the softmax outputs, shape (maps, 256 queries, 256 keys)."""
    return np.ldexp(_products(grad_output, value), -int(exponent))


def _products(left: np.ndarray, right: np.ndarray) -> Reals:
    """Dot products of stored vectors, (maps, 256, 16) each, to shape (maps, 256, 256)."""
    return left.astype(np.float64) @ right.astype(np.float64).transpose(0, 2, 1)


def _causal_rows(maps: Reals) -> Reals:
    """Keep of every query the keys up to itself and make each query a row, NaN after its end."""
    queries, keys = maps.shape[1:]
    maps[:, ~np.tri(queries, keys, dtype=np.bool_)] = np.nan
    return maps.reshape(-1, keys)
