"""Networks trained in pairs, by float32 and by fixed-point units: can one train with them?

Both of a pair have the same split, initial weights and batches, so that what they differ by is the
softmax alone, and what rounding then makes of it.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from statistics import fmean
from typing import Any

from ..cache import Cache, completed
from ..golden.config import preset
from ..golden.errors import require
from ..outcomes import Outcome
from .one_thread import one_thread
from .paired_figures import Pairs
from .paired_networks import Network, Trained
from .paired_units import Fixed, Float32, Softmax
from .tasks import MadeBy

MADE_BY = MadeBy(
    "training",
    (
        "golden", "study.language_model", "study.network_rows", "study.one_thread",
        "study.paired_networks", "study.paired_units", "study.recordings", "study.train_digits",
        "study.train_language",
    ),
)  # fmt: skip
"""What a training comes to."""

REFERENCE = Float32()
PROMISED = "base"
"""The preset whose trainings must keep the measures' promises."""


@dataclass(frozen=True)
class Training:
    """One of a pair."""

    network: Network
    optimiser: str
    softmax: Softmax
    seed: int

    @property
    def long(self) -> bool:
        return True

    @property
    def key(self) -> str:
        """SHA-256 of all that its outcome depends on."""
        return MADE_BY.key(self.network.told, self.optimiser, self.softmax.told, self.seed)

    def run(self, folder: Path, given: None = None) -> dict[str, Any]:
        """The fields of what it came to."""
        with one_thread():
            return asdict(self.network.train(self.optimiser, self.softmax, self.seed))


Run = Callable[[list[Training]], Iterator[tuple[Training, Outcome]]]
"""Does trainings, and tells each with its outcome as they end. See :mod:`..engine`."""


@dataclass(frozen=True)
class Plan:
    """A network that is trained by some softmaxes from some seeds."""

    network: Network
    softmaxes: tuple[Softmax, ...]
    seeds: tuple[int, ...]

    def trainings(self) -> list[Training]:
        """All of them, the references first, seed by seed."""
        return [
            Training(self.network, optimiser, softmax, seed)
            for seed, softmax, optimiser in product(
                self.seeds, (REFERENCE, *self.softmaxes), self.network.optimisers
            )
        ]

    def pairs(self, trained: dict[str, Trained]) -> list[Pairs]:
        """What came of them, by their keys; an optimiser after the other."""
        return [
            self._pairs(trained, optimiser, softmax)
            for optimiser, softmax in product(self.network.optimisers, self.softmaxes)
        ]

    def _pairs(self, trained: dict[str, Trained], optimiser: str, softmax: Softmax) -> Pairs:
        def of(which: Softmax) -> list[Trained]:
            trainings = (Training(self.network, optimiser, which, seed) for seed in self.seeds)
            return [trained[each.key] for each in trainings]

        found = of(softmax)
        return Pairs(
            self.network.name,
            optimiser,
            softmax.name,
            self.network.measure,
            is_promised(softmax),
            self.seeds,
            tuple(one.value for one in of(REFERENCE)),
            tuple(one.value for one in found),
            fmean(one.clipped for one in found),
        )


def is_promised(softmax: Softmax) -> bool:
    """It is the preset that keeps the measures' promises, by any datapath."""
    if not isinstance(softmax, Fixed):
        return False
    return softmax.config == preset(PROMISED, datapath=softmax.config.datapath)


def paired(
    plans: Sequence[Plan], cache: Cache, run: Run, tell: Callable[[float], object]
) -> list[Pairs]:
    """Train what is planned and not known yet, and pair it.

    Args:
        cache: keeps what trainings came to. run: does them. tell: called with the share that is
            done.

    Raises:
        ConfigError: fewer than two seeds, or a training that came to no end.
    """
    for plan in plans:
        require(len(plan.seeds) >= 2, f"seeds must be two or more, not {len(plan.seeds)}")
    trainings = [each for plan in plans for each in plan.trainings()]
    found = completed(cache, trainings, run, tell, is_kept=_ended)
    trained = {key: Trained(**outcome.value) for key, outcome in found.items()}
    return [pairs for plan in plans for pairs in plan.pairs(trained)]


def _ended(training: Training, outcome: Outcome) -> bool:
    """True; one that fails ends all of them."""
    require(
        outcome.status == "done",
        f"the training of {training.network.name} by {training.softmax.name}, "
        f"{training.optimiser}, seed {training.seed}, came to no end: {outcome.reason}",
    )
    return True
