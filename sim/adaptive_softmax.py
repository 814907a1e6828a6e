"""What the simulation knows of the adaptive softmax."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from ..golden.clusters import Clusters
from ..golden.config import SoftmaxConfig
from ..golden.measures.loss_metrics import cross_entropies
from ..golden.measures.losses import Losses
from ..golden.measures.summary import within
from ..golden.measures.token_metrics import token_metrics
from ..golden.ports.frame import cut_frames
from ..golden.ports.status import STATUS_BITS
from ..golden.proofs.adaptive import adaptive_bound
from ..golden.proofs.bounds import bound_ulp
from ..golden.rows import LogitRows
from ..golden.stages.argmax import argmax
from ..golden.types import Bits, Codes, Indices, Integers
from ..golden.units.adaptive_rows import (
    Came,
    Requests,
    TokenLosses,
    answered,
    requests,
    token_losses,
)
from ..golden.units.cross_entropy import LossRows
from ..golden.units.registry import TARGET
from .beats import Beats, in_beats
from .frames import FRAMES
from .kind import Answer, Measured, WithLogits, in_width
from .paced import LATENCY_ROWS, PACE_ROWS, Paced
from .scoreboard import Expected
from .sidecar import Unit
from .softmax import hostile_logits, pack_logits, row_beats
from .token_beats import loss_beats, request_beats, word_beats

OUTSIDE_SHARE, PREDICTED_SHARE = 0.1, 0.25
"""Shares of the random tokens whose word is outside the vocabulary, or predicted if it can be."""
OTHER_LENGTHS = ("another length", "another length", "a beat more", "a beat less")
TOKENS = ("masked", "all masked", "word outside", *OTHER_LENGTHS)
NO_ROW = "words must have one of the vocabulary among them, so that there is a row"
PREDICTED = "predicted", "predicted", "predicted hole", "predicted another length"


@dataclass(frozen=True, eq=False, slots=True)
class TokenRows(WithLogits):
    """Tokens, and the rows that they ask for.

    Attributes:
        logits: the rows, in the order in which they are asked for.
        words: id of each token's word; one outside the vocabulary has no row.
        predict: bool, (tokens,): the word is to be predicted.
        counts: rows of each token.
    """

    words: Integers
    predict: Bits
    counts: Integers

    @property
    def lengths(self) -> Integers:
        """Elements of each token's longest row; 0 of a token without one."""
        longest = np.zeros(len(self.words), np.int64)
        np.maximum.at(longest, self.token, self.logits.lengths)
        return longest

    @property
    def token(self) -> Integers:
        """The token of each row."""
        return np.repeat(np.arange(len(self.words)), self.counts)

    def targets(self, config: SoftmaxConfig) -> Integers:
        """The place of each row's target: told, or the row's largest element."""
        _, head, tail = config.clusters.locate(self.words[self.token])
        first = np.append(True, np.diff(self.token) > 0)
        largest = argmax(self.logits.codes(config), self.logits.active)
        return np.where(self.predict[self.token], largest, np.where(first, head, tail))

    def take(self, tokens: slice | Indices) -> "TokenRows":
        """Some of the tokens.

        Raises:
            ValueError: tokens none of which has a row.
        """
        chosen = np.arange(len(self.words))[tokens]
        if not self.counts[chosen].any():
            raise ValueError(NO_ROW)
        rows = np.split(np.arange(len(self.logits.lengths)), np.cumsum(self.counts)[:-1])
        parts = [rows[token] for token in chosen.tolist()]
        return TokenRows(
            self.logits.take(np.concatenate(parts)),
            self.words[chosen],
            self.predict[chosen],
            self.counts[chosen],
        )


class TokenResult(NamedTuple):
    """What golden made of tokens: the rows they asked for, those rows' answers, and their own."""

    asked: Requests
    rows: LossRows
    losses: TokenLosses


class AdaptiveSoftmax:
    """A kind of unit, see :class:`.kind.Kind`; its rows are :class:`TokenRows`."""

    frames = (*FRAMES, *TOKENS, *PREDICTED)

    def pack(self, rows: TokenRows, unit: Unit) -> dict[str, Beats]:
        outside = np.flatnonzero(rows.words > TARGET.max_code)
        if outside.size:
            raise ValueError(
                f"words must be below 2^32, not {rows.words[outside[0]]} (token {outside[0]})"
            )
        return {
            "s_axis": pack_logits(rows.logits, unit),
            "s_axis_target": word_beats(rows.words, rows.predict, unit.stream("s_axis_target")),
        }

    def expect(self, sent: Mapping[str, Beats], unit: Unit) -> Answer:
        config, logits, words = unit.config, sent["s_axis"], sent["s_axis_target"]
        frames = cut_frames(logits.data, logits.keep, logits.user, logits.last, config)
        predict = words.user[:, 0] if words.user.shape[1] else np.zeros(len(words), bool)
        asked = requests(words.data[:, 0], predict, Came.of(frames, logits.last), config)
        rows = answered(asked, frames, config)
        result = TokenResult(asked, rows, token_losses(asked, rows))
        ident = frames.ident(logits.ident)
        sent_back = np.flatnonzero(~asked.predict[: len(rows.loss)])
        return Answer(
            {
                "m_axis_request": request_beats(asked.cluster, unit),
                "m_axis": self._gradients(result, logits, sent_back, unit),
                "m_axis_loss": loss_beats(asked, result.losses, ident, unit),
            },
            result,
        )

    def _gradients(
        self, result: TokenResult, logits: Beats, chosen: Integers, unit: Unit
    ) -> Expected:
        """The gradients of some of the rows."""
        config, (asked, rows, _) = unit.config, result
        frames = cut_frames(logits.data, logits.keep, logits.user, logits.last, config)
        frames = frames.take(chosen)
        status = np.zeros((len(chosen), STATUS_BITS), bool)
        status[:, 0], status[:, 2] = rows.error[chosen], rows.ignored[chosen]
        beats = row_beats(
            rows.grad[chosen],
            rows.clipped[chosen],
            status,
            rows.exponent[chosen],
            replace(frames, error=rows.error[chosen]),
            logits.ident,
            unit.stream("m_axis"),
        )
        row = np.repeat(np.arange(len(chosen)), frames.beats)
        target = np.broadcast_to(asked.target[chosen][row][:, None], (len(row), unit.lanes))
        inputs = {"input code": in_beats(frames.codes, frames.beats, unit.lanes), "target": target}
        return Expected(replace(beats, dest=asked.cluster[chosen][row]), row, inputs)

    def measure(self, answer: Answer, rows: TokenRows, config: SoftmaxConfig) -> Measured:
        asked, padded, losses = answer.result
        logits, bound = rows.logits, bound_ulp(config)
        grad, clipped = in_width(padded.grad, logits), in_width(padded.clipped, logits)
        given = cross_entropies(
            replace(padded, grad=grad, clipped=clipped), logits, asked.target, config
        )
        metrics = token_metrics(given, rows.token, losses, config, adaptive_bound(config).ulp)
        return Measured(
            metrics=metrics,
            bound_ulp=bound,
            bounds_kept=within(metrics.max_error_ulp, bound) and metrics.loss_bound_kept,
            probabilities=config.output.quantize(given.of_codes.p[given.classes.elements]),
            errors=given.errors(config),
            lost=Losses.of(config, logits),
        )

    def rows(self, logits: LogitRows, config: SoftmaxConfig, rng: np.random.Generator) -> TokenRows:
        """Words of every cluster, some outside, some predicted; as many rows as there are, each
        repeated, or cut, to the length of its cluster."""
        count = len(logits.lengths)
        predict = rng.random(count) < PREDICTED_SHARE * config.predicts
        words = random_words(config.clusters, count, rng)
        words[0], predict[0] = 0, False  # of few rows, one is enough for that
        return token_rows(logits, words, predict, config, most=count)

    def logits(self, rows: TokenRows) -> LogitRows:
        return rows.logits

    def shortened(self, rows: TokenRows, chosen: Codes, lengths: Codes) -> TokenRows:
        """Some of the tokens; their rows are as long as they must be."""
        return rows.take(chosen)

    def paced(self, rows: TokenRows, unit: Unit) -> Paced:
        """Tokens whose words are told, and then the most frequent word."""
        told = np.flatnonzero(~rows.predict & (rows.counts > 0))[:PACE_ROWS]
        several = rows.take(told if told.size else np.arange(1))
        head = several.logits.take(np.zeros(LATENCY_ROWS, np.int64))
        words = np.where(several.predict, 0, several.words)
        if not told.size:  # the one row of a token that is predicted in place of it
            several = TokenRows(
                several.logits.take(np.zeros(1, np.int64)), words, words > 0, words * 0 + 1
            )
        zeros = np.zeros(LATENCY_ROWS, np.int64)
        paced = TokenRows(
            LogitRows.concatenate([several.logits, head]),
            np.concatenate([words, zeros]),
            np.zeros(len(words) + LATENCY_ROWS, bool),
            np.concatenate([several.counts, zeros + 1]),
        )
        waits = np.arange(len(paced.words)) >= len(words)
        return Paced(
            paced,
            several.logits.lengths,
            {"s_axis_target": waits},
            beats=-(-unit.config.clusters.head_length // unit.lanes),
        )

    def hostile_frame(self, frame: str, unit: Unit, rng: np.random.Generator) -> dict[str, Beats]:
        config, stream = unit.config, unit.stream("s_axis_target")
        if frame.startswith("predicted") and config.predicts:
            rows = _predicted_rows(frame.removeprefix("predicted").strip() or "good", unit, rng)
            word, predict = rng.integers(0, 1 << 32, 1), np.ones(1, bool)
        else:
            word, predict = random_words(config.clusters, 1, rng), np.zeros(1, bool)
            if frame == "word outside":
                word = _outside(config.clusters, 1, rng)
            cluster = int(config.clusters.locate(word)[0][0])
            clusters = [*range(min(cluster + 1, 1)), *([cluster] if cluster > 0 else [])]
            bad = int(rng.integers(max(len(clusters), 1)))
            bad = len(clusters) - 1 if frame == "reset" else bad  # what is cut off is the last
            rows = [
                _row(frame if place == bad else "good", j, unit, rng)
                for place, j in enumerate(clusters)
            ]
        none = hostile_logits("good", unit, rng).take(slice(0, 0))
        return {
            "s_axis": Beats.concatenate([none, *rows]),
            "s_axis_target": word_beats(word, predict, stream),
        }


def token_rows(
    logits: LogitRows,
    words: Integers,
    predict: Bits,
    config: SoftmaxConfig,
    *,
    most: int | None = None,
) -> TokenRows:
    """Tokens with rows made of others, each repeated, or cut, to the length of its cluster.

    Args:
        most: rows; tokens that ask for more are left out. All unless given.

    Raises:
        ValueError: words none of which is in the vocabulary.
    """
    clusters, kept, counts = [], 0, []
    places = config.clusters.locate(words)[0]
    for cluster, predicted in zip(places.tolist(), predict.tolist(), strict=True):
        own = [0] if predicted else [0, cluster][: min(cluster, 1) + 1]
        if predicted:
            own += _won(_fitted(logits, len(clusters), config.clusters.head_length), config)
        if most is not None and len(clusters) + len(own) > most:
            break
        clusters, kept = clusters + own, kept + 1
        counts.append(len(own))
    if not clusters:
        raise ValueError(NO_ROW)
    lengths = np.array(config.clusters.lengths)[clusters]
    rows = [_fitted(logits, row, length) for row, length in enumerate(lengths)]
    return TokenRows(
        LogitRows.concatenate(rows), words[:kept], predict[:kept], np.array(counts, np.int64)
    )


def random_words(clusters: Clusters, count: int, rng: np.random.Generator) -> Integers:
    """Words of every cluster, the first and the last of each often; few are outside."""
    edges = np.array([0, *clusters.cutoffs, clusters.vocabulary])
    cluster = rng.integers(0, clusters.tails + 1, count)
    first, end = edges[cluster], edges[cluster + 1]
    words = np.choose(rng.integers(0, 4, count), [first, end - 1, *[rng.integers(first, end)] * 2])
    return np.where(rng.random(count) < OUTSIDE_SHARE, _outside(clusters, count, rng), words)


def _outside(clusters: Clusters, count: int, rng: np.random.Generator) -> Integers:
    """Ids outside the vocabulary: just beyond it, near a power of two, or of any size."""
    power = (1 << rng.integers(0, 33, count)) - rng.integers(0, 4, count)
    near = clusters.vocabulary + rng.integers(0, 3, count)
    drawn = np.choose(rng.integers(0, 3, count), [near, power, rng.integers(0, 1 << 32, count)])
    return np.clip(drawn, clusters.vocabulary, TARGET.max_code)


def _fitted(logits: LogitRows, row: int, length: int) -> LogitRows:
    """A row of some, counted round, repeated or cut to a length."""
    row %= len(logits.lengths)
    places = np.arange(length) % logits.lengths[row]
    values, active = (a[row][places][None] for a in (logits.values, logits.active))
    return LogitRows(values, active, np.array([length]))


def _won(head: LogitRows, config: SoftmaxConfig) -> list[int]:
    """The tail that wins a head's row, if one does."""
    codes = np.where(head.active, head.codes(config), config.input.min_code - 1)
    tail = int(codes.argmax()) - config.clusters.shortlist + 1
    return [tail] if tail > 0 else []


def _row(frame: str, cluster: int, unit: Unit, rng: np.random.Generator) -> Beats:
    """A frame of a cluster's row."""
    length, lanes = unit.config.clusters.lengths[cluster], unit.lanes
    if frame == "another length":
        length = int(rng.integers(1, unit.config.max_length + 1))
    more = {"a beat more": lanes, "a beat less": -lanes}.get(frame, 0)
    return hostile_logits(frame, unit, rng, max(length + more, 1))


def _predicted_rows(frame: str, unit: Unit, rng: np.random.Generator) -> Sequence[Beats]:
    """The rows of a token whose word is predicted; the head's is a frame of some kind."""
    rows, config = [_row(frame, 0, unit, rng)], unit.config
    beats = rows[0]
    frames = cut_frames(beats.data, beats.keep, beats.user, beats.last, config)
    asked = requests(np.zeros(1, np.int64), np.ones(1, bool), Came.of(frames, beats.last), config)
    return rows + [_row("good", int(j), unit, rng) for j in asked.cluster[1:]]
