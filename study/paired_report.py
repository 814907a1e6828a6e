"""Shows trainings in pairs: a table, a JSON file, and a document."""

import os
import platform
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich.table import Table

from .paired_figures import CONFIDENCE, Pairs

COLUMNS = (
    "network", "optimiser", "softmax", "by float32", "by this", "mean difference", "95 % interval",
    "worst seed", "logits clipped",
)  # fmt: skip


def table(found: Sequence[Pairs]) -> Table:
    """All pairs, a line each; what breaks its promise is red."""
    shown = Table(title="trained in pairs: differences from float32 over the seeds")
    for name in COLUMNS:
        left = name in ("network", "optimiser", "softmax")
        shown.add_column(name, justify="left" if left else "right")
    for pairs in found:
        broken = pairs.promised and not pairs.kept
        shown.add_row(*cells(pairs), style="red" if broken else "")
    return shown


def cells(pairs: Pairs) -> list[str]:
    """A line of the table."""
    measure, (low, high), (seed, worst) = pairs.measure, pairs.interval, pairs.worst
    return [
        pairs.network,
        pairs.optimiser,
        pairs.softmax,
        _value(pairs, pairs.mean_float32),
        _value(pairs, pairs.mean_value),
        f"{pairs.mean:+.3f} {measure.of_difference}",
        f"{low:+.3f} to {high:+.3f}",
        f"{worst:+.3f} (seed {seed})",
        f"{100 * pairs.clipped:.2f} %",
    ]


def _value(pairs: Pairs, value: float) -> str:
    return f"{value:.3f} {pairs.measure.unit}"


def fields(found: Sequence[Pairs]) -> dict[str, Any]:
    """All pairs with the value of every seed, and what they were trained on; of JSON."""
    return {"confidence": CONFIDENCE, **machine(), "pairs": [_fields(pairs) for pairs in found]}


def _fields(pairs: Pairs) -> dict[str, Any]:
    seed, worst = pairs.worst
    return {
        "network": pairs.network,
        "optimiser": pairs.optimiser,
        "softmax": pairs.softmax,
        "measure": pairs.measure.name,
        "unit": pairs.measure.unit,
        "unit_of_differences": pairs.measure.of_difference,
        "seeds": pairs.seeds,
        "float32": pairs.float32,
        "by_softmax": pairs.values,
        "differences": pairs.differences,
        "mean": pairs.mean,
        "interval": pairs.interval,
        "worst_seed": seed,
        "worst": worst,
        "clipped": pairs.clipped,
        "kept": pairs.kept if pairs.promised else None,
    }


def machine(job: str = "a training") -> dict[str, str]:
    """What jobs ran on here, one thread each; another processor or torch rounds in another way."""
    return {
        "processor": f"{processor()}, {os.cpu_count()} processors, one thread {job}",
        "torch": version("torch"),
        "python": platform.python_version(),
    }


def processor() -> str:
    """Its name, where the system tells it."""
    told = Path("/proc/cpuinfo")
    lines = told.read_text().splitlines() if told.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
