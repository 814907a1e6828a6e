"""Units that commands work at: chosen once each, named, exported; and what is told meanwhile."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TypeVar

from .cache import Cache, Keyed
from .fpga import exports
from .golden import SoftmaxConfig
from .golden.units.registry import unit_record, unit_sha256
from .sim.sidecar import Unit
from .terminal import console, working


class Chosen(NamedTuple):
    """A unit, its preset where it is one, and its configuration."""

    unit: str
    preset: str | None
    config: SoftmaxConfig

    @property
    def label(self) -> str:
        """The unit in words."""
        has_datapath = "datapath" in unit_record(self.unit).fields
        datapath = self.config.datapath if has_datapath else ""
        return f"{self.unit} {self.preset or 'custom'} {datapath}".strip()

    @property
    def told(self) -> list[Any]:
        """Of JSON: all that it is."""
        return [self.unit, self.preset, self.config.to_dict()]

    def exported(self, out: Path, target: str = "generic") -> Unit:
        """The unit, exported into a folder unless it was, and read back."""
        return exports.exported(self.config, out, unit=self.unit, preset=self.preset, target=target)


def distinct(
    units: Sequence[str], configs: Sequence[tuple[str | None, SoftmaxConfig]]
) -> list[Chosen]:
    """Every unit of the configurations; once, where they differ in what it does not know."""
    made: dict[tuple[str, str], Chosen] = {}
    for unit in units:
        for preset, config in configs:
            made.setdefault((unit, unit_sha256(unit, config)), Chosen(unit, preset, config))
    return [*made.values()]


def exported(chosen: Sequence[Chosen], out: Path, target: str = "generic") -> list[Unit]:
    """Export units and read them back."""
    with working(f"exporting {in_words(chosen)}") as progress:
        units = []
        for one in chosen:
            units.append(one.exported(out, target))
            progress(len(units) / len(chosen))
    tell_notes(chosen)
    return units


def in_words(chosen: Sequence[Chosen]) -> str:
    """One unit, or how many there are."""
    return f"{len(chosen)} units" if len(chosen) > 1 else chosen[0].label


def tell_notes(chosen: Sequence[Chosen]) -> None:
    """What is to be known of the configurations, each sentence once."""
    for note in dict.fromkeys(note for one in chosen for note in one.config.notes()):
        console.print(f"note: {note}")


def tell_known(cache: Cache, jobs: Sequence[Keyed]) -> None:
    """How many results are not to be made again."""
    known = len(cache.of(job.key for job in jobs))
    console.print(f"{len(jobs):,} results wanted, {known:,} of them known to {cache.file}")


class Named(Protocol):
    """A job with words for it."""

    @property
    def words(self) -> str: ...


AnyNamed = TypeVar("AnyNamed", bound=Named)


def announced(jobs: Iterable[AnyNamed]) -> Iterator[AnyNamed]:
    """Jobs, each told of when it is asked for: a line of a log; on a terminal the bar says how far
    the work has come."""
    for job in jobs:
        if not console.is_terminal:
            console.print(job.words)
        yield job
