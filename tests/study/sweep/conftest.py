"""Made-up results: numbers that follow from the widths, so that a test knows what must be told."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any

import numpy as np
import pytest

from softmaxfx.golden import SoftmaxConfig
from softmaxfx.golden.formats import SQ, UQ
from softmaxfx.golden.rows import LogitRows


@dataclass(frozen=True)
class MadeRow:
    """A row as the results table has it."""

    key: str
    kind: str
    source: str
    fields: dict[str, Any]
    status: str = "done"
    reason: str = ""
    metrics: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class MadeSource:
    name: str
    logits: LogitRows


def configurations() -> list[SoftmaxConfig]:
    """All pairs of five input and five output formats, by both datapaths."""
    return [
        SoftmaxConfig(
            input=SQ(5, i), output=UQ(0, o), datapath=datapath, lanes=1, max_length=64
        )
        for i, o, datapath in product(
            (3, 5, 7, 9, 11), (6, 8, 10, 12, 14), ("max_subtract", "exact_sum")
        )
    ]  # fmt: skip


def point_metrics(config: SoftmaxConfig) -> dict[str, float]:
    """Errors of an output LSB or an eighth of an input LSB, but never below 2^-10."""
    error = max(config.output.lsb, config.input.lsb / 8, 2.0**-10)
    return {
        "bound_ulp": 0.875,
        "max_error_ulp": 0.75,
        "max_error_unclipped": error,
        "mean_error_unclipped": error / 64,
        "kl": error / 4,
        "sum_min": 1 - error,
        "sum_mean": 1 - error / 8,
        "zero_share": 2 * config.output.lsb,
        "tie_rate": config.output.lsb,
        "clip_rate": 0.01,
        "top1": 1 - config.output.lsb,
        "top1_low": 1 - 2 * config.output.lsb,
        "top1_high": 1.0,
    }


def design_metrics(config: SoftmaxConfig) -> dict[str, float]:
    """LUT in proportion to widths and lanes."""
    lut = config.lanes * (10 * (config.input.width + config.output.width) + 50)
    return {
        "lut": lut + 7 * (config.datapath == "max_subtract"),
        "ff": 2 * lut,
        "dsp": 3,
        "bram": 4,
        "fmax_mhz": 200.0,
        "fmax_min": 200.0,
        "fmax_max": 200.0,
        "seeds": 1,
        "elements_per_cycle": 0.999 * config.lanes,
        "latency_cycles": 45,
        "melem_per_s": 199.8 * config.lanes,
        "melem_per_s_per_lut": 199.8 * config.lanes / lut,
    }


def make_rows(float_error: float = 2.0**-8) -> list[MadeRow]:
    """Two sources, designs of half the widths by one and two lanes, baselines, infeasible ones.

    Args:
        float_error: largest error of bf16, which decides what is recommended.
    """
    rows = []
    for source, config in product(("digits", "attention"), configurations()):
        metrics = point_metrics(config)
        if source == "digits":
            metrics |= {"loss_float": 0.25, "loss_change": 0.0, "ece": 0.02, "ece_float": 0.02}
        rows.append(MadeRow("", "point", source, config.to_dict(), metrics=metrics))
    for config, lanes in product(configurations(), (1, 2)):
        if config.output.f == config.input.f + 3:
            design = config.replace(lanes=lanes)
            rows.append(
                MadeRow("", "design", "ecp5", design.to_dict(), metrics=design_metrics(design))
            )
    for source, (name, error) in product(
        ("digits", "attention"), (("fp16", 2.0**-11), ("bf16", float_error), ("round_3", 5e-4))
    ):
        figures = {"max_error_unclipped": error, "kl": error / 4, "top1": 1 - error}
        rows.append(MadeRow("", "float", source, {"float": name}, metrics=figures))
    broken = {**SoftmaxConfig(lanes=1).to_dict(), "mantissa_bits": 4, "exp_bits": None}
    for source in ("digits", "attention"):
        rows.append(
            MadeRow(
                "", "point", source, broken, "infeasible", "mantissa_bits must be <more>, not 4"
            )
        )
    rows.append(MadeRow("", "point", "digits", SoftmaxConfig().to_dict(), "open"))
    return [replace(row, key=f"{7919 * i % 10007:05d}") for i, row in enumerate(rows)]


@pytest.fixture(scope="session")
def made_rows() -> Callable[..., list[MadeRow]]:
    """See :func:`make_rows`."""
    return make_rows


@pytest.fixture(scope="session")
def made_sources() -> list[MadeSource]:
    """Rows of the two sources."""
    rng = np.random.default_rng(1)
    return [
        MadeSource(name, LogitRows.from_array(rng.normal(0, 4, (50, 16))))
        for name in ("digits", "attention")
    ]
