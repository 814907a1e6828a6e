"""Lanes of cells as WaveJSON, the input language of WaveDrom."""

from collections.abc import Iterator, Sequence
from string import ascii_uppercase
from typing import Any, NamedTuple

from .traces import Cell, Label

COLOURS = "3456789"
"""WaveDrom's boxes in colours, one a row; ``2`` is white."""

MORE = Label("…")
"""Values that are left out."""

Lane = tuple[str, Sequence[Cell]]
"""A name, and a cell each cycle."""


class Mark(NamedTuple):
    """A span to mark below the lanes, between the edges at the ends of two cycles."""

    text: str
    start: int
    stop: int


def wave_json(
    title: str, lanes: Sequence[Lane], shown: Sequence[int], marks: Sequence[Mark] = ()
) -> tuple[dict[str, Any], list[str]]:
    """The picture of some cycles; a gap is where cycles are left out.

    Args:
        shown: cycles, in order.

    Returns:
        WaveJSON, whose ticks are the numbers of its columns; and what the columns are to be called.
    """
    columns = _columns(shown)
    wave = {
        "head": {"text": title, "tock": 0},
        "signal": [
            {"name": "aclk", "wave": "".join(_clock(columns))},
            *(_lane(lane, columns) for lane in lanes),
            *(_span(mark, ends, columns) for mark, ends in zip(marks, _ENDS, strict=False)),
        ],
        "edge": [f"{a}<->{b}" for (a, b), _ in zip(_ENDS, marks, strict=False)],
    }
    return wave, ["" if cycle is None else str(cycle) for cycle in columns]


_ENDS = [(a, b) for a, b in zip(ascii_uppercase[::2], ascii_uppercase[1::2], strict=True)]
"""Names of the ends of marks; WaveDrom does not write capital letters."""


def _columns(shown: Sequence[int]) -> list[int | None]:
    """The cycles, and None where some are left out; a single one takes no more room than that."""
    columns: list[int | None] = []
    for before, cycle in zip([None, *shown], shown, strict=False):
        if before is not None and cycle - before > 1:
            columns.append(cycle - 1 if cycle - before == 2 else None)
        columns.append(cycle)
    return columns


def _clock(columns: Sequence[int | None]) -> Iterator[str]:
    for number, cycle in enumerate(columns):
        yield "|" if cycle is None else "." if number else "p"


def _lane(lane: Lane, columns: Sequence[int | None]) -> dict[str, Any]:
    name, cells = lane
    wave, data = "", []
    before: Any = ...
    for number, cycle in enumerate(columns):
        following = next(cells[later] for later in columns[number:] if later is not None)
        cell = _across(before, following) if cycle is None else following
        if cell != before:
            wave += _brick(cell)
            data += [cell.text] if isinstance(cell, Label) else []
        else:
            wave += "|" if cycle is None else "."
        before = cell
    return {"name": name, "wave": wave, "data": data}


def _across(before: Cell, after: Cell) -> Cell:
    """What is drawn in a gap: what lies before it, unless that would seem to last."""
    return before if before == after or not isinstance(before, Label) else MORE


def _brick(cell: Cell) -> str:
    """WaveDrom's letter for a cell."""
    if isinstance(cell, Label):
        return "2" if cell.beat is None else COLOURS[cell.beat[0] % len(COLOURS)]
    return "x" if cell is None else str(int(cell))


def _span(mark: Mark, ends: tuple[str, str], columns: Sequence[int | None]) -> dict[str, Any]:
    """A lane without a wave, in which the ends of a mark lie."""
    nodes = ["."] * (len(columns) + 1)
    for end, cycle in zip(ends, (mark.start, mark.stop), strict=True):
        nodes[columns.index(cycle) + 1] = end
    return {"name": mark.text, "node": "".join(nodes)}
