"""What a person sees: tables, and how far long work has come."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

console = Console()


def print_table(table: Table) -> None:
    """A table is as wide as it needs where there is no terminal to fit."""
    Console(width=None if console.is_terminal else 200).print(table)


@contextmanager
def working(label: str, *, time_left: bool = False) -> Iterator[Callable[[float], None]]:
    """A progress bar on a terminal, one plain line elsewhere; told the share that is done.

    Args:
        time_left: tell an estimate of it too; for work of minutes.
    """
    if not console.is_terminal:
        console.print(label, highlight=False, soft_wrap=True)
        yield lambda share: None
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        *((TextColumn("left:"), TimeRemainingColumn()) if time_left else ()),
    )
    with Progress(*columns, console=console) as bar:
        task = bar.add_task(label, total=1.0)
        yield lambda share: bar.update(task, completed=share)
        bar.update(task, completed=1.0)
