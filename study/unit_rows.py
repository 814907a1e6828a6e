"""The rows that each unit is tried on: a user's own, or the recorded ones."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from ..golden.config import SoftmaxConfig
from ..golden.rows import LogitRows
from ..sim.adaptive_softmax import TokenRows, token_rows
from ..sim.cross_entropy import TargetRows
from ..sim.softmax_backward import BackwardRows
from . import recordings
from .scaling import fitting_powers, scaling_note
from .sweep.measure.own_rows import checked_gradients, checked_targets, checked_words

ATTENTION_SHARE = 8
"""The cross-entropy unit gets every eighth row of recorded attention, with targets drawn."""
TOKENS, PREDICTED_SHARE = 200, 4
"""The adaptive softmax gets the first words of the corpus; of every four the last one is predicted,
where it can be. Rows are recorded ones, each repeated, or cut, to the length of its cluster."""


@dataclass(frozen=True, slots=True)
class UnitRows:
    """What rows of a unit are made of.

    Attributes:
        recorded: all that is recorded, of the type of the unit's kind, and what a user should know
            of it, a sentence or nothing.
        file: what rows have besides logits, an array of its own; empty for nothing.
        holds: in words, what that array is.
        joined: rows of logits, that array, and the configuration, as rows of the unit's kind.
            Raises ``ValueError``
            where they do not go together.
    """

    recorded: Callable[[SoftmaxConfig], tuple[Any, str]]
    file: str = ""
    holds: str = ""
    joined: Callable[[LogitRows, np.ndarray, SoftmaxConfig], Any] = lambda logits, _, __: logits


@cache
def _recorded_logits() -> LogitRows:
    """All of them; read once for all units of a run."""
    return LogitRows.concatenate(
        [_recorded(name) for name in (*recordings.names(), *recordings.networks())]
    )


@cache
def _recorded(name: str) -> LogitRows:
    return LogitRows.from_array(recordings.load(name))


def _recorded_gradients(config: SoftmaxConfig) -> tuple[BackwardRows, str]:
    """Attention with the gradients of every recording, scaled to fit ``config.grad_input``."""
    fmt = config.grad_input
    recorded = [recordings.upstream_gradients()]
    recorded += [recordings.training_gradients(step) for step in recordings.training_steps()]
    powers = fitting_powers([np.nanmax(np.abs(dp)) for _, dp in recorded], fmt)
    scaled = [
        np.nan_to_num(np.ldexp(dp, power)) for (_, dp), power in zip(recorded, powers, strict=True)
    ]
    logits = LogitRows.concatenate([LogitRows.from_array(scores) for scores, _ in recorded])
    note = scaling_note("the recorded dP", powers, fmt)
    return BackwardRows(logits, np.concatenate(scaled)), note


@cache
def _recorded_targets() -> TargetRows:
    """Digits with their classes; some of the attention, any element of a row its target; then the
    outputs of pretrained networks, of which some classes are not known."""
    attention = _recorded("attention")
    attention = attention.take(np.arange(0, len(attention.lengths), ATTENTION_SHARE))
    drawn = np.random.default_rng(1).integers(0, attention.lengths)
    outputs = [name for name in recordings.networks() if recordings.network_targets(name).size]
    return TargetRows(
        LogitRows.concatenate([_recorded("digits"), attention, *map(_recorded, outputs)]),
        np.concatenate(
            [
                recordings.digits_targets().astype(np.int64),
                drawn,
                *map(recordings.network_targets, outputs),
            ]
        ),
    )


def _recorded_tokens(config: SoftmaxConfig) -> TokenRows:
    """Words of the corpus, and recorded rows."""
    words = recordings.corpus().tokens[:TOKENS].astype(np.int64)
    predict = np.arange(TOKENS) % PREDICTED_SHARE == PREDICTED_SHARE - 1
    return token_rows(_recorded_logits(), words, predict & config.predicts, config)


def _told_tokens(logits: LogitRows, array: np.ndarray, config: SoftmaxConfig) -> TokenRows:
    """A user's tokens and their rows."""
    words = checked_words(array, logits, config)
    cluster = config.clusters.locate(words)[0]
    return TokenRows(logits, words, np.zeros(len(words), bool), 1 + np.clip(cluster, -1, 1))


UNITS: dict[str, UnitRows] = {
    "softmax": UnitRows(lambda _: (_recorded_logits(), "")),
    "softmax_backward": UnitRows(
        _recorded_gradients,
        file="gradients",
        holds="dP of every element, an array of its shape",
        joined=lambda logits, array, _: BackwardRows(logits, checked_gradients(array, logits)),
    ),
    "cross_entropy": UnitRows(
        lambda _: (_recorded_targets(), ""),
        file="targets",
        holds="each row's class index, below 0 for none",
        joined=lambda logits, array, _: TargetRows(logits, checked_targets(array, logits)),
    ),
    "adaptive_softmax": UnitRows(
        lambda config: (_recorded_tokens(config), ""),
        file="words",
        holds="each token's word, below 0 for none; the logits are the rows they ask for, in order",
        joined=_told_tokens,
    ),
}
"""Every unit by its name."""
