"""Shows what was measured of networks: a table, a JSON file, and sentences about goals."""

from collections.abc import Iterator, Sequence
from typing import Any

from rich.table import Table

from ..paired_report import machine
from .figures import METRICS, SHOWN
from .goals import Found, Verdict
from .registry import Network
from .softmaxes import Softmax
from .variants import REFERENCE, Group


def table(network: Network, groups: Sequence[Group], found: Found) -> Table:
    """A line each softmax; a column each figure of each place."""
    shown = Table(title=network.title)
    shown.add_column("softmax")
    for place, metric in columns(network.name):
        shown.add_column(f"{place}:\n{metric}", justify="right")
    for group in (None, *groups):
        for softmax in softmaxes(group):
            shown.add_row(softmax.name, *cells(network.name, softmax, found))
    return shown


def columns(network: str) -> Iterator[tuple[str, str]]:
    """Places and the names of figures."""
    for place, names in SHOWN[network].items():
        for name in names:
            yield place, METRICS[network][name].name


def cells(network: str, softmax: Softmax, found: Found) -> list[str]:
    """The figures of a softmax, in the order of :func:`columns`."""
    figures = found[network, softmax.name]
    return [
        METRICS[network][name].shown(figures[place][name])
        for place, names in SHOWN[network].items()
        for name in names
    ]


def softmaxes(group: Group | None) -> tuple[Softmax, ...]:
    """Of a group; float32 where there is none."""
    return (REFERENCE,) if group is None else group.softmaxes


def sentence(verdict: Verdict) -> str:
    """Whether a goal is reached."""
    goal, end = verdict.goal, "reached" if verdict.reached else "missed"
    told = f"{goal.softmax}, {goal.network}, {goal.place}: {goal.asked()}"
    return f"{told}: {end}, it is {verdict.shown}"


def fields(
    networks: Sequence[Network], groups: Sequence[Group], found: Found, met: Sequence[Verdict]
) -> dict[str, Any]:
    """All figures, and what they were measured on; of JSON."""
    return {
        **machine("a measurement"),
        "networks": {network.name: network.title for network in networks},
        "groups": {group.name: [one.name for one in group.softmaxes] for group in groups},
        "goals": [_goal(verdict) for verdict in met],
        "figures": [
            {"network": network, "softmax": softmax, **figures}
            for (network, softmax), figures in found.items()
        ],
    }


def _goal(verdict: Verdict) -> dict[str, Any]:
    goal = verdict.goal
    return {
        "network": goal.network,
        "softmax": goal.softmax,
        "place": goal.place,
        "goal": goal.asked(),
        "figure": verdict.figure,
        "reached": verdict.reached,
        "required": goal.required,
    }
