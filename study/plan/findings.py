"""All that is found of a vocabulary by one cost: the plan, and what it is held against."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ...golden.clusters import Clusters
from ...golden.errors import ConfigError
from ...golden.types import Integers, Reals
from .cost import Cost, Cutoffs, total
from .optimal import Planner, Progress, Split
from .rivals import Rival, rivals
from .vocabulary import Vocabulary

MOST_TAILS = 20
"""Of the curve of costs against clusters."""
COVERED = 0.87
"""Of a text: the share whose words Grave et al. count."""
SAMPLES = 400
"""Places of a curve over the words of a head, at most."""


@dataclass(frozen=True, slots=True)
class Priced:
    """A split with a name and what it costs, in the unit that people are told.

    ``cost`` is ``None`` where the split cannot be priced: no width is left for a tail, or a row
    would be too long.
    """

    rival: Rival
    cost: float | None


@dataclass(frozen=True, slots=True)
class TwoClusters:
    """Costs of two clusters over the first word of the tail.

    Attributes:
        words: of the head. short_list: with these in the head. leaves: with them in a tail of
            their own, the head choosing between two. best: the cheapest short list. equal: the
            words whose mass is half, and their cost as a short list.
    """

    words: Integers
    short_list: Reals
    leaves: Reals
    best: tuple[int, float]
    equal: tuple[int, float]

    @property
    def best_leaves(self) -> tuple[int, float]:
        """The cheapest of the sampled leaves."""
        at = int(np.nanargmin(self.leaves))
        return int(self.words[at]), float(self.leaves[at])


@dataclass(frozen=True, eq=False)
class Findings:
    """What a cost says of its vocabulary.

    Attributes:
        most: clusters of the plan, at most, the head counted.
        curve: the cheapest split of each number of tails, from 1 on.
    """

    cost: Cost
    most: int
    curve: tuple[Split, ...]

    @classmethod
    def of(cls, cost: Cost, most: int, progress: Progress = lambda _: None) -> "Findings":
        """Plan splits into 2 clusters to :data:`MOST_TAILS` + 1, as far as there are words.

        Raises:
            ConfigError: fewer words than ``most``, or rows that are all too long.
        """
        planner, furthest = Planner(cost), _furthest(cost)
        share = min(most / (furthest + 1), 1.0)
        curve = planner.curve(most - 1, lambda done: progress(share * done))
        if furthest >= most:
            curve = planner.curve(furthest, lambda done: progress(max(share, done)))
        return cls(cost, most, tuple(curve))

    @property
    def vocabulary(self) -> Vocabulary:
        return self.cost.vocabulary

    @property
    def plan(self) -> Split:
        """The cheapest split into up to ``most`` clusters."""
        within = (split for split in self.curve if split.tails < self.most)
        return min(within, key=lambda split: split.cost)

    @property
    def clusters(self) -> Clusters:
        """Those of the plan."""
        return Clusters(len(self.vocabulary), self.plan.cutoffs)

    @property
    def full(self) -> float | None:
        """The cost of a softmax over all words."""
        return self.priced(Rival("full softmax", ())).cost

    @property
    def gain(self) -> float | None:
        """How many times less the plan costs than a softmax over all words."""
        return self.full and self.full / self.cost.told(self.plan.cost)

    @cached_property
    def table(self) -> list[Priced]:
        """The plan and its rivals, the full softmax first and the plan last."""
        planned = Rival(f"planned, up to {self.most} clusters", self.plan.cutoffs)
        return [self.priced(one) for one in (*rivals(self.vocabulary, self.most), planned)]

    def priced(self, rival: Rival) -> Priced:
        """A split with what it costs."""
        if not _have_widths(self.cost, len(rival.cutoffs)):
            return Priced(rival, None)
        cost = total(self.cost, rival.cutoffs)
        return Priced(rival, self.cost.told(cost) if cost < self.cost.unlimited else None)

    @cached_property
    def two(self) -> TwoClusters:
        """Two clusters, over the words of the head."""
        words = _spread(len(self.vocabulary))
        best = min((split for split in self.curve if split.tails == 1), key=lambda one: one.cost)
        (middle,) = self.vocabulary.equal_mass(2)
        return TwoClusters(
            words,
            np.array([self._told((int(word),)) for word in words]),
            self._leaves(words),
            (best.cutoffs[0], self.cost.told(best.cost)),
            (middle, self._told((middle,))),
        )

    def _leaves(self, words: Integers) -> Reals:
        """The cost of two tails, the first of these words and as wide as the head."""
        cost, ends = self.cost, np.full(len(words), len(self.vocabulary))
        first = cost.tail(0 * words, words, cost.whole)
        rest = cost.tail(words, ends, cost.widths(1)[0])
        both = cost.head(np.zeros(1, np.int64), 2) + first + rest
        return np.array(
            [cost.told(each) if each < cost.unlimited else np.nan for each in both.tolist()]
        )

    def _told(self, cutoffs: Cutoffs) -> float:
        """The cost of a split; not a number where it cannot be priced."""
        cost = self.priced(Rival("", cutoffs)).cost
        return float("nan") if cost is None else cost


def _furthest(cost: Cost) -> int:
    """Tails of the curve's last split, as far as there are words and widths."""
    tails = min(MOST_TAILS, len(cost.vocabulary) - 1)
    while tails > 1 and not _have_widths(cost, tails):
        tails -= 1
    return tails


def _have_widths(cost: Cost, tails: int) -> bool:
    """Whether the cost has a width for each of so many tails."""
    try:
        cost.widths(tails)
    except ConfigError:
        return False
    return True


def _spread(words: int) -> Integers:
    """Words of a head, from 1 to all but one, close together where they are few."""
    return np.unique(np.geomspace(1, words - 1, SAMPLES).round().astype(np.int64))
