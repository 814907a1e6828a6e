"""Tokens of a text through the simulated unit, whose cycles are held against what was planned."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...golden.clusters import Clusters
from ...golden.config import SoftmaxConfig, preset
from ...golden.proofs.adaptive import MAX_CLUSTERS
from ...golden.types import Integers
from ..token_cycles import token_cycles
from .cost import Cutoffs
from .cycles import Cycles, row_cycles
from .findings import Findings
from .optimal import Progress

LONGEST = 65536
"""Elements of the longest row that a unit can hold."""


@dataclass(frozen=True, slots=True)
class Through:
    """A split, and what tokens took in a unit of its clusters.

    Attributes:
        name: of the split. planned, cycles: a token, of these tokens: by the cost, and measured.
        full: planned of a softmax over all words. tokens: how many.
    """

    name: str
    cutoffs: Cutoffs
    planned: float
    cycles: float
    full: float
    tokens: int

    @property
    def error(self) -> float:
        """Of what was planned, relative to what was measured."""
        return self.planned / self.cycles - 1

    @property
    def gain(self) -> float:
        """How many times more a softmax over all words takes."""
        return self.full / self.cycles


def through_unit(
    found: Findings, tokens: Integers, out: Path, progress: Progress = lambda _: None
) -> list[Through]:
    """Send tokens through the unit of the plan and of each split it is held against, bits compared;
    a row comes 64 cycles after it was asked for.

    Splits of more clusters than a unit has, or with a row that its buffer does not hold, are left
    out.

    Args:
        tokens: words of the vocabulary, in the order of the text.
        out: folder of everything generated.

    Raises:
        ConfigError: see :func:`..token_cycles.token_cycles`; a cost of times.
    """
    assert isinstance(found.cost, Cycles)
    splits = list(_held(found, found.cost))
    measured = []
    for number, (name, clusters) in enumerate(splits):
        config = _config(clusters, found.cost)
        cycles = token_cycles(config, tokens, out).per_token
        full = float(found.cost.row(np.array([clusters.vocabulary]))[0])
        planned = _planned(clusters, tokens, found.cost)
        measured.append(Through(name, clusters.cutoffs, planned, cycles, full, len(tokens)))
        progress((number + 1) / len(splits))
    return measured


def _held(found: Findings, cost: Cycles) -> Iterator[tuple[str, Clusters]]:
    """Splits of which there is a unit, the plan first."""
    words = len(found.vocabulary)
    named = [("planned", found.plan.cutoffs)]
    named += [(one.rival.name, one.rival.cutoffs) for one in found.table]
    seen = set[Cutoffs]()
    for name, cutoffs in named:
        if not cutoffs or cutoffs[0] == 0 or len(cutoffs) >= MAX_CLUSTERS or cutoffs in seen:
            continue
        clusters = Clusters(words, cutoffs)
        if max(clusters.lengths) <= min(cost.buffer_length, LONGEST):
            seen.add(cutoffs)
            yield name, clusters


def _config(clusters: Clusters, cost: Cycles) -> SoftmaxConfig:
    return preset(
        "base",
        datapath="exact_sum",
        lanes=cost.lanes,
        max_length=max(clusters.lengths),
        vocabulary=clusters.vocabulary,
        cutoffs=clusters.cutoffs,
    )


def _planned(clusters: Clusters, tokens: Integers, cost: Cycles) -> float:
    """Cycles a token of these tokens."""
    rows = row_cycles(np.array(clusters.lengths), cost.lanes, cost.buffer_length)
    cluster, _, _ = clusters.locate(tokens)
    return float(rows[0] + rows[cluster[cluster > 0]].sum() / len(tokens))
