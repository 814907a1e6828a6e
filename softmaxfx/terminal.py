"""What a person sees: tables, and how far long work has come.

Whatever is printed is whole: where a terminal is too narrow for a line it wraps it itself, and a
table that does not fit is turned over.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.measure import Measurement
from rich.progress import (
    BarColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Column, Table


class _Console(Console):
    """Text as it is: no line is broken, nothing in it is markup, a path least of all."""

    def __init__(self, width: int | None = None, *, stderr: bool = False):
        super().__init__(
            width=width, stderr=stderr, soft_wrap=True, markup=False, highlight=False, emoji=False
        )

    def print(self, *objects: Any, **how: Any) -> None:
        """Print; an error of the system names what it is that cannot be written."""
        try:
            super().print(*objects, **how)
        except OSError as error:
            name = f"the standard {'error' if self.stderr else 'output'}"
            raise OSError(error.errno, error.strerror, name) from None

    def on_broken_pipe(self) -> None:
        """Leave it to the command how it ends."""
        raise


console = _Console()
error_console = _Console(stderr=True)


def print_table(table: Table) -> None:
    """Print a table with every cell whole.

    Elsewhere than on a terminal it is as wide as it needs. On one that is too narrow it is turned
    over: a line each column, in blocks of as many of its rows as fit.
    """
    if not console.is_terminal or _width(table) <= console.width:
        _print_whole(table)
        return
    if table.title:
        console.print(table.title)
    for block in _turned(table, console.width):
        if _width(block) <= console.width:
            _print_whole(block)
        else:
            _print_lines(block)
    if table.caption:
        console.print(table.caption)


def _width(table: Table) -> int:
    """Columns that a table needs."""
    options = console.options.update(width=100_000)
    return Measurement.get(console, options, table).maximum


def _print_whole(table: Table) -> None:
    _Console(width=max(_width(table), 1)).print(table, soft_wrap=False)


def _print_lines(table: Table) -> None:
    """A line each figure, for a terminal that is narrower than one of them."""
    names, *figures = ([_line(column.header), *column.cells] for column in table.columns)
    for cells in figures:
        for name, cell in zip(names, cells, strict=True):
            console.print(f"{name}: {_line(cell)}" if name else _line(cell))


def _turned(table: Table, width: int) -> Iterator[Table]:
    """The table turned over, in blocks that fit the width, or have one row of it alone."""
    rows = list(range(table.row_count))
    while rows:
        count = 1
        while count < len(rows) and _width(_block(table, rows[: count + 1])) <= width:
            count += 1
        yield _block(table, rows[:count])
        rows = rows[count:]


def _block(table: Table, rows: list[int]) -> Table:
    """Some rows of a table as columns, their first cells as headings, a word a line."""
    first, *others = ([_line(column.header), *column.cells] for column in table.columns)
    block = Table(first[0])
    for row in rows:
        heading = "\n".join(str(first[row + 1]).split())
        block.add_column(heading, justify="right", style=table.rows[row].style or "")
    for cells in others:
        block.add_row(cells[0], *(cells[row + 1] for row in rows))
    return block


def _line(text: object) -> str:
    return " ".join(str(text).split())


@contextmanager
def working(label: str, *, time_left: bool = False) -> Iterator[Callable[[float], None]]:
    """A progress bar on a terminal, one plain line elsewhere; called with the share that is done.

    Args:
        time_left: tell an estimate of it too; for work of minutes.
    """
    if not console.is_terminal:
        console.print(label)
        yield lambda share: None
        return
    columns = (
        TextColumn("{task.description}", markup=False, table_column=Column(overflow="fold")),
        BarColumn(bar_width=14),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        *((TextColumn("left:"), TimeRemainingColumn()) if time_left else ()),
    )
    with Progress(*columns, console=console) as bar:
        task = bar.add_task(label, total=1.0)
        yield lambda share: bar.update(task, completed=share)
        bar.update(task, completed=1.0)
