"""What is sent to the ports of a unit, and when its results are read."""

from collections import deque
from collections.abc import Container, Mapping, Sequence

import numpy as np

from ...golden.formats import Format
from ...golden.types import Codes

Beat = dict[str, int]
"""Values by the endings of signals' names, as ``tdata``."""


class Source:
    """Offers the beats of rows on a port in order, each until it is taken.

    Args:
        rows: (the first cycle in which the row may be offered, its beats).
    """

    def __init__(self, port: str, *rows: tuple[int, Sequence[Beat]]):
        self._port = port
        self._left = deque((start, beat) for start, beats in rows for beat in beats)
        self._offering = False

    def __call__(self, cycle: int, seen: Mapping[str, int]) -> dict[str, int]:
        if self._offering and seen[f"{self._port}_tready"]:
            self._left.popleft()
        start, beat = self._left[0] if self._left else (cycle + 1, {})
        self._offering = start <= cycle
        signals = {"tvalid": int(self._offering), **(beat if self._offering else {})}
        return {f"{self._port}_{name}": value for name, value in signals.items()}


class Reader:
    """Takes what a port offers, but in some cycles."""

    def __init__(self, port: str, blocked: Container[int] = ()):
        self._ready, self._blocked = f"{port}_tready", blocked

    def __call__(self, cycle: int, seen: Mapping[str, int]) -> dict[str, int]:
        return {self._ready: int(cycle not in self._blocked)}


def beats_of(codes: Codes, fmt: Format, lanes: int) -> list[Beat]:
    """A row as beats; the last one can be partial."""
    octets = fmt.container // 8
    parts = [codes[first : first + lanes] for first in range(0, len(codes), lanes)]
    return [
        {
            "tdata": _word(part, fmt.container),
            "tkeep": (1 << len(part) * octets) - 1,
            "tlast": int(last == len(parts)),
        }
        for last, part in enumerate(parts, 1)
    ]


def _word(codes: Codes, container: int) -> int:
    """Codes side by side in two's complement, the first one lowest."""
    return sum(int(code) % (1 << container) << n * container for n, code in enumerate(codes))


def some_row(fmt: Format, length: int, *, seed: int, below: float = 4.0) -> Codes:
    """Codes of a row of numbers that differ: normal ones, at most so large."""
    values = np.random.default_rng(seed).normal(size=length)
    return fmt.quantize(values, limit=below)
