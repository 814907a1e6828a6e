"""Tokens and rows as the adaptive softmax meets them: which row answers which request, and how.

A token asks for its row in the head, and for one in a tail where its word is one of that. Of a word
that is predicted, the target of a row is the row's winner. Rows answer in order. A row that is not
as long as its cluster's, or that breaks a rule of the port, is an error row, and so is its token;
the winner of the former is its first element.
"""

from dataclasses import dataclass

import numpy as np

from ..config import SoftmaxConfig
from ..ports.frame import Frames
from ..stages.argmax import argmax
from ..types import Bits, Codes, Integers
from .cross_entropy import LossRows, cross_entropy_rows


@dataclass(frozen=True, eq=False, slots=True)
class Requests:
    """The rows that tokens ask for, as far as rows came that say what is asked for next.

    Attributes:
        cluster: of each row. predict: bool, of each: its target is predicted.
        target: of each, the place in the row; 0 of a predicted row that did not come.
        wrong: bool, of each that was asked for and came: it is not as long as its cluster's.
        rows: of each token, 0 to 2. word: of each, told or predicted; 0 where it has no row.
            Only of tokens all of whose rows came.
    """

    cluster: Codes
    predict: Bits
    target: Codes
    wrong: Bits
    rows: Codes
    word: Codes


@dataclass(frozen=True, eq=False, slots=True)
class TokenLosses:
    """What the unit tells of tokens.

    Attributes:
        loss: codes of ``config.adaptive_loss``. error, ignored: bool. All are (tokens,).
        last: the last row of each token; any where it has none.
    """

    loss: Codes
    error: Bits
    ignored: Bits
    last: Integers


@dataclass(frozen=True, eq=False, slots=True)
class Came:
    """The rows that came.

    Attributes:
        frames: as the port cuts them.
        whole: bool, (rows,): the row was not cut.
        ended: rows whose last beat came: one that is cut may be without.
    """

    frames: Frames
    whole: Bits
    ended: int

    @classmethod
    def of(cls, frames: Frames, last: Bits) -> "Came":
        """Of a stream whose beats are their row's last ones or not."""
        return cls(frames, last[frames.ends], int(np.count_nonzero(last)))

    def elements(self, lanes: int) -> Integers:
        """Elements of every row, if only its last beat lacks some; -1 where no row that is asked
        for has as many: it was cut, or its last beat has none, or a hole."""
        rows, beats = np.arange(len(self.whole)), self.frames.beats
        present = self.frames.present
        last = present.reshape(len(rows), present.shape[1] // lanes, lanes)[rows, beats - 1]
        count = last.sum(axis=1)
        good = self.whole & (count > 0) & (last == (np.arange(lanes) < count[:, None])).all(axis=1)
        return np.where(good, (beats - 1) * lanes + count, -1)

    def winners(self) -> Codes:
        """The place of every row's largest element."""
        return argmax(self.frames.codes, self.frames.present & ~self.frames.masked)


def requests(words: Codes, predict: Bits, came: Came, config: SoftmaxConfig) -> Requests:
    """What tokens ask for.

    Args:
        words: ids, any integers, (tokens,). predict: same shape: the word is not told.
    """
    walk = _Walk(came, config)
    places = zip(*(place.tolist() for place in config.clusters.locate(words)), strict=True)
    tokens = zip(words.tolist(), predict.tolist(), places, strict=True)
    for word, predicted, place in tokens:
        if not predicted:
            walk.tell(word, *place)
        elif not walk.predict():
            break
    return walk.requests()


class _Walk:
    """Goes from token to token, and from row to row."""

    def __init__(self, came: Came, config: SoftmaxConfig):
        self._clusters, self._ended = config.clusters, came.ended
        self._elements = came.elements(config.lanes).tolist()
        self._winners = came.winners().tolist()
        self._rows: list[tuple[int, bool, int, bool]] = []
        self._tokens: list[tuple[int, int]] = []

    def tell(self, word: int, cluster: int, head: int, tail: int) -> None:
        """A token whose word is told: its rows are asked for, whether those before came or not."""
        if cluster >= 0:
            self._ask(0, head)
        if cluster > 0:
            self._ask(cluster, tail)
        rows = min(cluster, 1) + 1
        self._tokens.append((rows, word if rows else 0))

    def predict(self) -> bool:
        """A token whose word is predicted. Its rows came, or else nothing more is asked for."""
        winner = self._winner(0)
        if winner is None:
            return False
        tail = max(winner - self._clusters.shortlist + 1, 0)
        if tail:
            winner = self._winner(tail)
            if winner is None:
                return False
        self._tokens.append((1 + (tail > 0), self._clusters.words(tail, winner).item()))
        return True

    def _winner(self, cluster: int) -> int | None:
        """Ask for a row; its winner, if it came."""
        row = len(self._rows)
        if row >= self._ended:
            self._rows.append((cluster, True, 0, False))
            return None
        winner = 0 if self._wrong(row, cluster) else self._winners[row]
        self._ask(cluster, winner, predict=True)
        return winner

    def _ask(self, cluster: int, target: int, *, predict: bool = False) -> None:
        wrong = self._wrong(len(self._rows), cluster)
        self._rows.append((cluster, predict, target, wrong))

    def _wrong(self, row: int, cluster: int) -> bool:
        """Whether a row came that is of another length than that of its cluster."""
        came = row < len(self._elements)
        return came and self._elements[row] != self._clusters.lengths[cluster]

    def requests(self) -> Requests:
        """What was asked for."""
        rows = np.array(self._rows, np.int64).reshape(-1, 4)
        tokens = np.array(self._tokens, np.int64).reshape(-1, 2)
        came = len(self._elements)
        # the last row that was asked for may be one whose winner is not known
        known = min(came, len(rows) if np.sum(tokens[:, 0]) == len(rows) else len(rows) - 1)
        whole = np.cumsum(tokens[:, 0]) <= known
        cluster, predict, target, wrong = rows.T
        return Requests(
            cluster,
            predict > 0,
            target,
            wrong[:known] > 0,
            tokens[whole, 0],
            tokens[whole, 1],
        )


def answered(asked: Requests, frames: Frames, config: SoftmaxConfig) -> LossRows:
    """The unit's answer to the rows that were asked for and came."""
    count = len(asked.wrong)
    width = min(frames.codes.shape[1], config.max_length)
    present, bad = frames.present[:count, :width], frames.error[:count] | asked.wrong
    rows = cross_entropy_rows(
        frames.codes[:count, :width],
        present & ~frames.masked[:count, :width],
        present.sum(axis=1),
        asked.target[:count],
        config,
    )
    error, good = bad | rows.error, ~bad[:, None]
    return LossRows(
        loss=np.where(error, 0, rows.loss),
        grad=np.where(good, rows.grad, 0),
        clipped=rows.clipped & good,
        ignored=rows.ignored & ~bad,
        error=error,
        exponent=np.where(error, 0, rows.exponent),
    )


def token_losses(asked: Requests, rows: LossRows) -> TokenLosses:
    """The losses of tokens, from those of their rows."""
    tokens, count = len(asked.rows), asked.rows.sum()
    token = np.repeat(np.arange(tokens), asked.rows)

    def of_tokens(of_rows: Codes | Bits) -> Codes:
        return np.bincount(token, of_rows[:count], minlength=tokens).astype(np.int64)

    error, none = of_tokens(rows.error) > 0, asked.rows == 0
    return TokenLosses(
        loss=np.where(error, 0, of_tokens(rows.loss)),
        error=error,
        ignored=none | (of_tokens(rows.ignored) > 0),
        last=np.cumsum(asked.rows) - 1,
    )
