"""How far the units are from their requirements, and what stands between."""

from collections import Counter

from ..files import markdown_table
from .bench import DENSITY, FMAX, Requirement, Result
from .bench_cells import NONE
from .critical_path import CriticalPath


def requirements(results: list[Result]) -> list[str]:
    """Every requirement, and whether it is met: the goals of the document."""
    judged = [(result, one) for result in results for one in result.case.requirements]
    count = Counter(result.verdict(one) for result, one in judged)
    rows = [
        (
            result.case.name,
            result.case.target,
            one.figure.name,
            _limit(one, one.required),
            _limit(one, one.desired),
            _measured(result, one),
            result.verdict(one),
        )
        for result, one in judged
    ]
    heading = ("unit", "target", "figure", "required", "goal", "measured", "reached")
    return [
        "## Goals",
        "",
        f"Of {len(judged)} goals {count['yes']} are reached, {count['required only']} only as far "
        f"as required, and {count['missed']} are missed. Fmax is the median.",
        "",
        *markdown_table(heading, rows),
        "",
    ]


def misses(results: list[Result]) -> list[str]:
    """What stands between each unit and its requirements: how much, and its slowest path."""
    lines = []
    for result in results:
        short = [one for one in result.case.requirements if result.verdict(one) != "yes"]
        if not short:
            continue
        bullet = f"- **{result.case.name}** on {result.case.target}: "
        if result.synthesis is None:
            lines.append(f"{bullet}{result.failure}.")
            continue
        line = f"{bullet}{', '.join(_distance(result, one) for one in short)}."
        path = result.synthesis.path
        if path and any(one.figure in (FMAX, DENSITY) for one in short):  # what it is the cause of
            line += f" {_slowest(path)}"
        lines.append(line)
    if not lines:
        return []
    heading = "### What is not reached, and why"
    note = (
        "The slowest path is of the seed with the median Fmax, in the names of our signals, from "
        "the register it starts in to the one it ends in."
    )
    return [heading, "", note, "", *lines, ""]


def _slowest(path: CriticalPath) -> str:
    total = path.logic_ns + path.routing_ns
    routing = 100 * path.routing_ns / total if total else 0.0
    return (
        f"Slowest path, {total:.2f} ns, {routing:.0f} % of it routing: `{' > '.join(path.signals)}`"
    )


def _limit(requirement: Requirement, value: float) -> str:
    text = requirement.figure.text(value)
    return text if text == "yes" else f"{'≥' if requirement.figure.more else '≤'} {text}"


def _measured(result: Result, requirement: Requirement) -> str:
    value = result.value(requirement.figure)
    return NONE if value is None else requirement.figure.text(value)


def _distance(result: Result, requirement: Requirement) -> str:
    """How far a unit is from what it does not reach, in per cent of that."""
    value = result.value(requirement.figure)
    assert value is not None  # it was synthesised
    apart = 100 * abs(value - requirement.desired) / requirement.desired
    way = "below" if requirement.figure.more else "above"
    return (
        f"{requirement.figure.name} {requirement.figure.text(value)}, {apart:.1f} % {way} the goal"
    )
