"""Show how far a long loop has come: a bar on a terminal, one line per tenth elsewhere."""

from collections.abc import Iterator

from rich.console import Console
from rich.progress import track


def steps(label: str, total: int) -> Iterator[int]:
    """Count from 0 to total - 1 and show the progress under the label."""
    console = Console()
    if console.is_terminal:
        yield from track(range(total), description=label, console=console)
    else:
        yield from _plain_steps(label, total, console)


def _plain_steps(label: str, total: int, console: Console) -> Iterator[int]:
    """A log file keeps every line, so a tenth of the way is worth one and a step is not."""
    for step in range(total):
        yield step
        tenths = 10 * (step + 1) // total
        if tenths > 10 * step // total:
            console.print(f"{label}: {10 * tenths} %")
