"""The adaptive softmax, bit for bit: a head of frequent words, and tails of rare ones behind it.

A word's log-probability is that of its place in the head's row and, for a word of a tail, that of
its place in the tail's row. Each row is one of the cross-entropy unit; losses are added exactly.
Words are sorted by falling frequency, see :class:`..clusters.Clusters`.
"""

from collections.abc import Sequence
from typing import cast

import numpy as np
import numpy.typing as npt

from ..config import SoftmaxConfig
from ..formats import checked_codes
from ..given import unmasked
from ..stages.loss import loss_stage
from ..types import Bits, Codes
from .cross_entropy import IGNORE_INDEX, cross_entropy_rows
from .softmax import BLOCK, exponentials


def adaptive_cross_entropy(
    logits: Sequence[npt.ArrayLike],
    target: npt.ArrayLike,
    config: SoftmaxConfig,
    *,
    ignore_index: int = IGNORE_INDEX,
) -> tuple[Codes, tuple[Codes, ...]]:
    """Losses of tokens and gradients of their rows, the bits that the hardware gives.

    Args:
        logits: codes of ``config.input`` of every cluster: (tokens, ``head_length``) of the head,
            then of each tail (its tokens, its words), a row for each token whose target is a word
            of the tail, in the order of the tokens.
        target: word ids, (tokens,).
        ignore_index: the target of tokens without a loss.

    Returns:
        (loss, gradients): codes of ``config.adaptive_loss``, (tokens,), and of every cluster codes
        of ``config.loss_grad``, its logits' shape.

    Raises:
        ConfigError: a loss format that the largest loss does not fit, or ``log_softmax``.
        ValueError: arrays of another shape or dtype, codes that are not the format's, rows longer
            than ``max_length``, a target that is no word.
    """
    words, ignored = _targets(target, config, ignore_index)
    cluster, head, tail = config.clusters.locate(np.where(ignored, -1, words))
    counts = [len(words), *((cluster == j).sum() for j in range(1, config.clusters.tails + 1))]
    rows = _rows(logits, counts, "the tokens of its words", config)
    losses = np.zeros(len(words), np.int64)
    gradients = []
    for j, codes in enumerate(rows):
        here = cluster == j if j else np.ones(len(words), bool)
        loss, gradient = _cross_entropy(codes, (tail if j else head)[here], config)
        losses[here] += loss
        gradients.append(gradient)
    return losses, tuple(gradients)


def log_prob(logits: Sequence[npt.ArrayLike], config: SoftmaxConfig) -> Codes:
    """Log-probabilities of every word.

    Args:
        logits: codes of ``config.input`` of every cluster, (tokens, elements of its row).

    Returns:
        (tokens, ``vocabulary``): codes with the fraction bits of ``config.adaptive_loss``: the
        negative of the loss that the unit gives a token of that word.

    Raises:
        ConfigError, ValueError: see :func:`adaptive_cross_entropy`.
    """
    rows = _all_rows(logits, config)
    shortlist = config.clusters.shortlist
    head = _losses(rows[0], config)
    entries = head[:, shortlist:]
    tails = [entries[:, j : j + 1] + _losses(codes, config) for j, codes in enumerate(rows[1:])]
    return -np.concatenate([head[:, :shortlist], *tails], axis=1)


def predict(logits: Sequence[npt.ArrayLike], config: SoftmaxConfig) -> Codes:
    """The word that ``torch.nn.AdaptiveLogSoftmaxWithLoss.predict`` gives each token.

    That is the head's winner where it is a word, and else the word of the largest log-probability
    of all; the first of equal ones. The tails of all tokens are needed: :func:`greedy` needs fewer.

    Args:
        logits: see :func:`log_prob`.

    Returns:
        Word ids, (tokens,).
    """
    winner = np.argmax(_all_rows(logits, config)[0], axis=1)
    likeliest = np.argmax(log_prob(logits, config), axis=1)
    return np.where(winner < config.clusters.shortlist, winner, likeliest)


def greedy(logits: Sequence[npt.ArrayLike], config: SoftmaxConfig) -> tuple[Codes, Codes]:
    """What the hardware predicts: the head's winner, or the winner of the tail that won the head.

    Args:
        logits: see :func:`log_prob`. The largest code wins, and the first of equal ones.

    Returns:
        (word, log-probability), (tokens,): ids, and codes as those of :func:`log_prob`.
    """
    rows, shortlist = _all_rows(logits, config), config.clusters.shortlist
    winner = np.argmax(rows[0], axis=1)
    cluster = np.maximum(winner - shortlist + 1, 0)
    losses, _ = _cross_entropy(rows[0], winner, config)
    words = winner.astype(np.int64)
    for j, codes in enumerate(rows[1:], 1):
        here = cluster == j
        winner = np.argmax(codes[here], axis=1)
        loss, _ = _cross_entropy(codes[here], winner, config)
        losses[here] += loss
        words[here] = config.clusters.words(j, winner)
    return words, -losses


def _cross_entropy(codes: Codes, target: Codes, config: SoftmaxConfig) -> tuple[Codes, Codes]:
    """Losses and gradients of rows without masked elements; of a target -1 they are 0."""
    lengths = np.full(len(codes), codes.shape[1])
    rows = cross_entropy_rows(codes, np.ones(codes.shape, bool), lengths, target, config)
    return rows.loss, rows.grad


def _losses(codes: Codes, config: SoftmaxConfig) -> Codes:
    """The loss of every class of rows, were it the target."""
    stage, losses = loss_stage(config), np.empty(codes.shape, np.int64)
    step = max(BLOCK // codes.shape[1], 1)
    for start in range(0, len(codes), step):
        block = slice(start, start + step)
        elements, total, _ = exponentials(codes[block], np.ones(codes[block].shape, bool), config)
        losses[block] = stage(elements.distance, total)
    return losses


def _all_rows(logits: Sequence[npt.ArrayLike], config: SoftmaxConfig) -> list[Codes]:
    """Rows of every cluster, one a token."""
    tokens = len(_array(logits[0], 0)) if len(logits) else 0
    counts = [tokens] * (config.clusters.tails + 1)
    return _rows(logits, counts, "the tokens", config)


def _rows(
    logits: Sequence[npt.ArrayLike], counts: Sequence[int], whose: str, config: SoftmaxConfig
) -> list[Codes]:
    """The rows of every cluster.

    Args:
        counts: of each cluster. whose: what rows of a tail are there for, in words.

    Raises:
        ValueError: another number of arrays, or one of another shape or dtype.
    """
    lengths = config.clusters.lengths
    if len(logits) != len(lengths):
        raise ValueError(
            f"logits must be {len(lengths)} arrays, of the head and of {len(lengths) - 1} tails, "
            f"not {len(logits)}"
        )
    rows = []
    for j, (given, count, length) in enumerate(zip(logits, counts, lengths, strict=True)):
        array = _array(given, j)
        if array.shape != (count, length):
            raise ValueError(
                f"logits of {_cluster(j)} must have shape {(int(count), length)}, a row for each "
                f"of {whose if j else 'the tokens'}, not {array.shape}"
            )
        rows.append(
            checked_codes(f"logits of {_cluster(j)}", array, config.input, config.max_length)
        )
    return rows


def _array(given: npt.ArrayLike, j: int) -> np.ndarray:
    """The logits of a cluster, whose rows may be none."""
    array = unmasked(f"logits of {_cluster(j)}", given)
    if array.ndim != 2:
        raise ValueError(
            f"logits of {_cluster(j)} must have two dimensions, tokens and elements, not "
            f"{array.ndim}"
        )
    return array


def _cluster(j: int) -> str:
    return f"tail {j}" if j else "the head"


def _targets(target: npt.ArrayLike, config: SoftmaxConfig, ignore_index: int) -> tuple[Codes, Bits]:
    """Word ids, and the tokens that are ignored."""
    array = unmasked("target", target)
    if array.dtype.kind not in "iu" or array.ndim != 1:
        raise ValueError(
            f"target must be integers of one dimension, a word a token, not {array.ndim} "
            f"dimensions of {array.dtype}"
        )
    ignored = cast("Bits", array == ignore_index)
    vocabulary = config.clusters.vocabulary
    outside = np.flatnonzero(~ignored & ((array < 0) | (array >= vocabulary)))
    if outside.size:
        raise ValueError(
            f"target must be a word from 0 to {vocabulary - 1} or ignore_index = {ignore_index}, "
            f"not {array[outside[0]]} (token {outside[0]})"
        )
    return array.astype(np.int64), ignored
