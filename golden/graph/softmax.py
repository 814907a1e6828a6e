"""The softmax unit as a graph, one gate a stage: probabilities, or their logarithms."""

import math

from ..config import SoftmaxConfig
from ..errors import require
from ..formats import Format
from ..stages.log_probability import LogProbability
from ..types import Reals
from ..units.softmax import softmax
from .fixed import Fixed
from .stages import HardwareValues, RowStages, distance_text

X = "x : input = 1 2 3\n"


def softmax_text(config: SoftmaxConfig | None) -> str:
    """p = exp(d) / Σ exp(d)."""
    lines, d = distance_text(config)
    return f"{X}{lines}e = exp({d})\ns = sum(e)\nr = reciprocal(s)\np : output = e * r\n"


def log_softmax_text(config: SoftmaxConfig | None) -> str:
    """ln p = d - ln Σ exp(d)."""
    lines, d = distance_text(config)
    return f"{X}{lines}e = exp({d})\ns = sum(e)\nn = ln(s)\nl : output = {d} - n\n"


def softmax_values(given: dict[str, Reals], config: SoftmaxConfig) -> HardwareValues:
    """Every node of the softmax unit."""
    p = softmax(config.input.quantize(given["x"]), config)
    stages = RowStages.of(given["x"], config)
    return stages.hardware_values() | {
        "r": stages.reciprocal(),
        "p": Fixed.of_codes(p, config.output, config.output.f),
    }


def log_softmax_values(given: dict[str, Reals], config: SoftmaxConfig) -> HardwareValues:
    """Every node of the softmax unit with ``function = "log_softmax"``."""
    codes = softmax(config.input.quantize(given["x"]), config)
    stages = RowStages.of(given["x"], config)
    log, f = LogProbability.of(config, config.output), config.output.f
    return stages.hardware_values() | {
        "z": stages.scaled(log, f),
        "n": stages.logarithm(log, f),
        "l": Fixed.of_codes(codes, config.output, f),
    }


def plain_config(config: SoftmaxConfig) -> SoftmaxConfig:
    """The configuration, where it is one of softmax.

    Raises:
        ConfigError: it is one of log_softmax.
    """
    require(
        config.function == "softmax",
        f"function must be softmax for this expression, not {config.function}",
    )
    return config


def log_config(config: SoftmaxConfig) -> SoftmaxConfig:
    """The configuration for logarithms: one of softmax gets an output as wide as its own.

    Raises:
        ConfigError: an output that is too narrow for logarithms.
    """
    if config.function == "log_softmax":
        return config
    lowest = 2 * config.range * config.scale + math.log(config.max_length)
    i = 1 + max(math.ceil(math.log2(lowest)), 0)
    f = max(config.output.width - i, 0)
    return config.replace(function="log_softmax", output=Format(True, i, min(f, 16)))
