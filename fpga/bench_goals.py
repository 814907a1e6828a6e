"""How far the units are from their goals, and what stands between."""

from collections import Counter

from ..files import markdown_table
from .bench import DENSITY, FMAX, Goal, Result
from .bench_cells import NONE
from .critical_path import CriticalPath


def goals(results: list[Result]) -> list[str]:
    """Every goal, and whether it is reached."""
    judged = [(result, goal) for result in results for goal in result.case.goals]
    count = Counter(result.verdict(goal) for result, goal in judged)
    rows = [
        (
            result.case.name,
            result.case.target,
            goal.figure.name,
            _limit(goal, goal.required),
            _limit(goal, goal.goal),
            _measured(result, goal),
            result.verdict(goal),
        )
        for result, goal in judged
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
    """What stands between each unit and its goals: how much, and its slowest path."""
    lines = []
    for result in results:
        short = [goal for goal in result.case.goals if result.verdict(goal) != "yes"]
        if not short:
            continue
        bullet = f"- **{result.case.name}** on {result.case.target}: "
        if result.synthesis is None:
            lines.append(f"{bullet}{result.failure}.")
            continue
        line = f"{bullet}{', '.join(_distance(result, goal) for goal in short)}."
        if any(goal.figure in (FMAX, DENSITY) for goal in short):  # those that it is the cause of
            line += f" {_slowest(result.synthesis.path)}"
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


def _limit(goal: Goal, value: float) -> str:
    text = goal.figure.text(value)
    return text if text == "yes" else f"{'≥' if goal.figure.more else '≤'} {text}"


def _measured(result: Result, goal: Goal) -> str:
    value = result.value(goal.figure)
    return NONE if value is None else goal.figure.text(value)


def _distance(result: Result, goal: Goal) -> str:
    """How far a unit is from a goal that it does not reach, in per cent of the goal."""
    value = result.value(goal.figure)
    assert value is not None  # it was synthesised
    apart = 100 * abs(value - goal.goal) / goal.goal
    way = "below" if goal.figure.more else "above"
    return f"{goal.figure.name} {goal.figure.text(value)}, {apart:.1f} % {way} the goal"
