"""Times of the product of hidden units and a layer's weights in torch, on a CPU or a GPU."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from time import perf_counter

import numpy as np
import torch

from ...golden.errors import require
from ..paired_report import processor
from .cost import Cutoffs
from .fit import Timed
from .times import Times

ROUNDS, LEAST_ROUNDS = 30, 10
"""Of all products, each once a round, so that a slow moment of the machine spoils one of many."""
SECONDS = 8.0
"""After which no round is begun beyond the least."""
WORDS = (4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384)
LARGEST = {"cpu": 2**26, "cuda": 2**36}
"""Multiply-adds of a product: what takes longer than a few milliseconds is linear, and more often
interrupted."""
CALLS = 10
"""Between two looks at the clock on a GPU, whose calls do not wait."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A product of (tokens, hidden) and (hidden, words)."""

    tokens: int
    hidden: int
    words: int


def shapes(batch: int, hidden: int, narrow: int, device: str) -> list[Shape]:
    """What a head and tails of a batch are made of: all tokens and fewer, full and narrow."""
    tokens = dict.fromkeys(max(batch // part, 1) for part in (1, 4, 16, 64))
    return [
        Shape(count, dimension, length)
        for dimension in dict.fromkeys((hidden, narrow))
        for count in tokens
        for length in WORDS
        if count * dimension * length <= LARGEST[device]
    ]


def of_split(cost: Times, cutoffs: Cutoffs, device: str) -> Counter[Shape]:
    """The products of a split, how often each, in parts that are short enough to be measured.

    Tails that meet no token of a batch, as the text has them, are left out.
    """
    edges = np.array([*cutoffs, len(cost.vocabulary)])
    before = cost.vocabulary.before[edges] * cost.batch / cost.vocabulary.tokens
    found = [Shape(cost.batch, cost.hidden, int(edges[0]) + len(cutoffs))]
    for tail, width in enumerate(cost.widths(len(cutoffs))):
        tokens = round(float(before[tail + 1] - before[tail]))
        if tokens:
            found.append(Shape(tokens, cost.hidden, width))
            found.append(Shape(tokens, width, int(edges[tail + 1] - edges[tail])))
    return Counter(part for shape in found for part in _parts(shape, LARGEST[device]))


def _parts(shape: Shape, largest: int) -> Iterator[Shape]:
    """A product as some with fewer words each."""
    most = max(largest // (shape.tokens * shape.hidden), 1)
    for first in range(0, shape.words, most):
        yield replace(shape, words=min(most, shape.words - first))


def seconds_of(
    splits: Sequence[Counter[Shape]], device: str, progress: Callable[[float], object]
) -> list[float]:
    """The time of all products of each split, every product measured once for all of them."""
    wanted = [*dict.fromkeys(shape for split in splits for shape in split)]
    timed = measured(wanted, device, progress)
    seconds = {shape: one.seconds for shape, one in zip(wanted, timed, strict=True)}
    return [sum(count * seconds[shape] for shape, count in split.items()) for split in splits]


def measured(
    wanted: Sequence[Shape], device: str, progress: Callable[[float], object] = lambda _: None
) -> list[Timed]:
    """The least time of each product, results written into memory that is used again.

    Raises:
        ConfigError: no such device here.
    """
    require(
        device == "cpu" or torch.cuda.is_available(), "the cost cuda must be measured on a GPU, "
        "and torch finds none here",
    )  # fmt: skip
    clock = _cpu_seconds if device == "cpu" else _cuda_seconds
    works = [_work(shape, device) for shape in wanted]
    for work in works:
        work()  # what is made once
    least = np.full(len(wanted), np.inf)
    end = perf_counter() + SECONDS
    for turn in range(ROUNDS):
        if turn >= LEAST_ROUNDS and perf_counter() > end:
            break
        for place, work in enumerate(works):
            least[place] = min(least[place], clock(work))
            progress((turn + place / len(works)) / ROUNDS)
    return [
        Timed(shape.tokens, shape.hidden, shape.words, float(seconds))
        for shape, seconds in zip(wanted, least, strict=True)
    ]


def place(device: str) -> str:
    """What was measured on, in words."""
    if device == "cpu":
        return f"{processor()}, torch {torch.__version__}, threads {torch.get_num_threads()}"
    return f"{torch.cuda.get_device_name()}, torch {torch.__version__}"


def _work(shape: Shape, device: str) -> Callable[[], object]:
    hidden = torch.ones(shape.tokens, shape.hidden, device=device)
    weights = torch.ones(shape.words, shape.hidden, device=device).t()
    logits = torch.empty(shape.tokens, shape.words, device=device)
    return lambda: torch.mm(hidden, weights, out=logits)


def _cpu_seconds(work: Callable[[], object]) -> float:
    start = perf_counter()
    work()
    return perf_counter() - start


def _cuda_seconds(work: Callable[[], object]) -> float:
    begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    begin.record()
    for _ in range(CALLS):
        work()
    end.record()
    torch.cuda.synchronize()
    return begin.elapsed_time(end) / 1000 / CALLS
