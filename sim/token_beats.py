"""Beats of the ports of the adaptive softmax that carry no rows."""

import numpy as np

from ..golden.ports.status import STATUS_BITS
from ..golden.types import Bits, Codes, Integers
from ..golden.units.adaptive_rows import Requests, TokenLosses
from ..golden.units.registry import TARGET
from .beats import Beats
from .scoreboard import Expected
from .sidecar import Stream, Unit

WORD_BITS = TARGET.width


def word_beats(words: Integers, predict: Bits, stream: Stream) -> Beats:
    """Words of tokens, one a beat. The port has no sign: ids below 0 are the largest."""
    return _single(
        np.where(words < 0, TARGET.max_code, words), stream, predict[:, None][:, : stream.user]
    )


def request_beats(cluster: Codes, unit: Unit) -> Expected:
    """Rows that are asked for, one a beat."""
    lengths = np.array(unit.config.clusters.lengths)[cluster]
    beats = _single(lengths, unit.stream("m_axis_request"), dest=cluster)
    return Expected(beats, np.arange(len(cluster)), {"cluster": cluster[:, None]})


def loss_beats(asked: Requests, losses: TokenLosses, ident: Codes, unit: Unit) -> Expected:
    """Losses of tokens, one a beat.

    Args:
        ident: tid of every row.
    """
    stream, count = unit.stream("m_axis_loss"), len(losses.loss)
    user = np.zeros((count, stream.user), bool)
    user[:, 0], user[:, 2] = losses.error, losses.ignored
    if stream.user > STATUS_BITS:
        user[:, STATUS_BITS:] = asked.word[:, None] >> np.arange(WORD_BITS) & 1
    own = np.zeros(count, np.int64)
    some = asked.rows > 0
    own[some] = ident[losses.last[some]]
    beats = _single(losses.loss, stream, user, own)
    return Expected(beats, np.arange(count), {"word": asked.word[:, None]})


def _single(
    data: Codes,
    stream: Stream,
    user: Bits | None = None,
    ident: Codes | None = None,
    dest: Codes | None = None,
) -> Beats:
    """Beats of one element each."""
    count, none = len(data), np.zeros(len(data), np.int64)
    return Beats(
        data=data[:, None],
        keep=np.ones((count, 1, stream.octets), bool),
        user=np.zeros((count, stream.user), bool) if user is None else user,
        last=np.ones(count, bool),
        ident=none if ident is None else ident,
        dest=none if dest is None else dest,
    )
