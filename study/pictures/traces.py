"""How the values of a signal are shown, cycle by cycle."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from .recording import Recording


class Label(NamedTuple):
    """A value as text.

    Attributes:
        text: a few characters.
        beat: what it is of, (row, beat): each row has a colour. Equal neighbours are one box.
    """

    text: str
    beat: tuple[int, int] | None = None


Cell = bool | Label | None
"""What is drawn in a cycle: a level, a value, or nothing that anybody may read."""

Show = Callable[[Recording, str], list[Cell]]
"""The cells of a signal, by its name in a recording."""


@dataclass(frozen=True, slots=True)
class Trace:
    """A signal to draw.

    Attributes:
        signal: its name in the recording. label: what is written beside it, unless the same.
    """

    signal: str
    show: Show
    label: str = ""


def level(recording: Recording, signal: str) -> list[Cell]:
    """A bit."""
    return [bool(value) for value in recording.values[signal]]


def flag(recording: Recording, signal: str) -> list[Cell]:
    """A bit of a port, while the port offers something."""
    offered = recording.offered(_port(signal))
    values = recording.values[signal]
    return [None if at is None else bool(v) for at, v in zip(offered, values, strict=True)]


def beats(recording: Recording, signal: str) -> list[Cell]:
    """What a port offers, as ``row.beat``; the signal is its ``tdata``."""
    offered = recording.offered(_port(signal))
    return [at and Label(f"{at[0]}.{at[1]}", at) for at in offered]


def words(spell: Callable[[int], str]) -> Show:
    """Values of a port's signal, spelled, while the port offers something."""

    def show(recording: Recording, signal: str) -> list[Cell]:
        offered = recording.offered(_port(signal))
        values = recording.values[signal]
        return [at and Label(spell(value), at) for at, value in zip(offered, values, strict=True)]

    return show


def numbers(spell: Callable[[int], str] = str, valid: str = "") -> Show:
    """Values of any signal, spelled, while another one is 1; always, where none is named."""

    def show(recording: Recording, signal: str) -> list[Cell]:
        values = recording.values[signal]
        there = recording.values[valid] if valid else [1] * recording.cycles
        return [Label(spell(v)) if now else None for v, now in zip(values, there, strict=True)]

    return show


def binary(width: int) -> Callable[[int], str]:
    """A spelling: every bit."""
    return lambda value: f"{value:0{width}b}"


def hexadecimal(width: int) -> Callable[[int], str]:
    """A spelling: the hexadecimal digits of so many bits."""
    return lambda value: f"{value:0{-(-width // 4)}X}"


def _port(signal: str) -> str:
    return signal.rpartition("_")[0]
