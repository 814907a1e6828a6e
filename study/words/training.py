"""Trainings of the word model by each way to predict words, in floats and by units."""

import time
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from typing import Any

import torch

from ...cache import Cache, completed
from ...golden.errors import require
from ...outcomes import Outcome
from ..one_thread import one_thread
from ..paired_units import Fixed, Softmax
from ..tasks import MadeBy
from .course import Course, Point, Stop, followed
from .model import Size, Trainer, WordModel, held_out_loss
from .outputs import Method
from .stream import recorded, write_stream
from .text import Parts, WordText

MADE_BY = MadeBy(
    "training",
    (
        "golden", "study.one_thread", "study.paired_units", "study.ranked_words",
        "study.words.course", "study.words.model", "study.words.outputs", "study.words.stream",
        "study.words.text", "study.words.training",
    ),
)  # fmt: skip
"""What a training comes to."""

STREAM_TOKENS = 2000
"""Of the test's text, that a trained adaptive softmax is recorded on."""


@dataclass(frozen=True)
class Training:
    """One of them.

    Attributes:
        text: SHA-256 of the tokens, which the worker is given.
    """

    method: Method
    softmax: Softmax
    seed: int
    size: Size
    stop: Stop
    text: str

    @property
    def long(self) -> bool:
        return True

    @property
    def key(self) -> str:
        """SHA-256 of all that its outcome depends on."""
        told = self.method.told, self.softmax.told, self.seed, asdict(self.size), asdict(self.stop)
        return MADE_BY.key(*told, self.text)

    def stream(self, folder: Path) -> Path | None:
        """Where the logits that it ended with are, if it records any."""
        fixed = isinstance(self.softmax, Fixed) and self.method.name == "adaptive"
        return folder / "streams" / f"{self.key}.npz" if fixed else None

    def run(self, folder: Path, given: WordText) -> dict[str, Any]:
        """The fields of what it came to."""
        parts = given.parts()
        with one_thread():
            torch.manual_seed(self.seed)
            output = self.method.output(self.size.width, len(given.words), self.softmax)
            trainer = Trainer(
                WordModel(self.size.width, len(given.words), output), parts.training, self.size
            )
            points, best = _trained(trainer, parts, self.stop)
            file = self.stream(folder)
            if file is not None:
                write_stream(file, recorded(best, parts.test.flatten()[: STREAM_TOKENS + 1]))
        return {"points": [asdict(point) for point in points]}


def _trained(trainer: Trainer, parts: Parts, stop: Stop) -> tuple[tuple[Point, ...], WordModel]:
    """(measurements, the model at the best one)."""
    best = deepcopy(trainer.average)

    def validation() -> float:
        return held_out_loss(trainer.average, parts.validation)

    def test() -> float:
        best.load_state_dict(trainer.average.state_dict())
        return held_out_loss(best, parts.test)

    return followed(stop, _timed(trainer.step), validation, test), best


def _timed(step: Callable[[], None]) -> Callable[[], float]:
    """A step that tells the processor's seconds, which do not count what else it does."""

    def timed() -> float:
        start = time.thread_time()
        step()
        return time.thread_time() - start

    return timed


Run = Callable[[list[Training]], Iterator[tuple[Training, Outcome]]]
"""Does trainings, and tells each with its outcome as they end. See :mod:`..engine`."""


def planned(
    methods: Sequence[Method], softmaxes: Sequence[Softmax], text: WordText, seed: int, size: Size,
    stop: Stop,
) -> list[Training]:  # fmt: skip
    """Every method by every softmax, method by method."""
    sha256 = text.sha256
    return [
        Training(method, softmax, seed, size, stop, sha256)
        for method, softmax in product(methods, softmaxes)
    ]


def courses(
    trainings: Sequence[Training], folder: Path, cache: Cache, run: Run,
    tell: Callable[[float], object],
) -> list[Course]:  # fmt: skip
    """What trainings come to, in their order; those that are known are not done again.

    Args:
        folder: of what they record. cache: keeps what they came to. run: does them. tell: called
            with the share that is done.

    Raises:
        ConfigError: a training that came to no end.
    """
    _forget_lost(trainings, folder, cache)
    found = completed(cache, trainings, run, tell, is_kept=_ended)
    return [_course(each, found[each.key].value) for each in trainings]


def _forget_lost(trainings: Sequence[Training], folder: Path, cache: Cache) -> None:
    """Let those be done again whose recordings are gone."""
    lost = Outcome("failed", reason="its recording is gone")
    files = {each.key: each.stream(folder) for each in trainings}
    gone = [key for key, file in files.items() if file is not None and not file.exists()]
    cache.put(dict.fromkeys(cache.of(gone), lost))


def _ended(training: Training, outcome: Outcome) -> bool:
    """True; one that fails ends all of them."""
    require(
        outcome.status == "done",
        f"the training of {training.method.name} by {training.softmax.name} came to no end: "
        f"{outcome.reason}",
    )
    return True


def _course(training: Training, value: dict[str, Any]) -> Course:
    points = tuple(Point(**point) for point in value["points"])
    return Course(training.method.name, training.softmax.name, points)
