"""A configuration as text, which is what an operator of torch can take, and those made from it."""

import json
from dataclasses import fields
from functools import lru_cache
from math import ceil, log, log2

import torch

from ..config import SoftmaxConfig, preset
from ..errors import ConfigError, require
from ..formats import SQ, UQ
from ..widths import Widths

LOG_BITS = 16
"""Width of the logarithms where a configuration of softmax is asked for log_softmax."""
_WIDTHS = tuple(field.name for field in fields(Widths))


def text_of(config: SoftmaxConfig) -> str:
    """A configuration as text: JSON, sorted; what is derived is left out."""
    derived = {name for name in config.derived if getattr(config, name) is None}
    plain = {name: value for name, value in config.to_dict().items() if name not in derived}
    return json.dumps(plain, sort_keys=True)


@lru_cache(maxsize=256)
def config_of(text: str) -> SoftmaxConfig:
    """The configuration that :func:`text_of` wrote.

    Raises:
        ConfigError: text that describes none.
    """
    try:
        return SoftmaxConfig.from_dict(json.loads(text))
    except json.JSONDecodeError:
        raise ConfigError(f"config must be the JSON of a configuration, not {text!r}") from None


@lru_cache(maxsize=256)
def resolved(config: SoftmaxConfig | str, scale: float, function: str) -> SoftmaxConfig:
    """The configuration that computes a function of scale * x.

    Args:
        config: a configuration, or the name of a preset. scale: positive, multiplies its own.
        function: ``"softmax"`` or ``"log_softmax"``; a configuration of softmax is made one of
            log_softmax, see :func:`log_config`.

    Raises:
        ConfigError: no configuration, or one that breaks a rule with this scale or function.
    """
    require(
        isinstance(config, SoftmaxConfig | str),
        f"config must be a SoftmaxConfig or the name of a preset, not {config!r}",
    )
    base = preset(config) if isinstance(config, str) else config
    require(0 < scale < float("inf"), f"scale must be a positive number, not {scale!r}")
    if function == "log_softmax" and base.function == "softmax":
        return log_config(base, float(scale))
    require(base.function == function, f"config must have function {function}, not {base.function}")
    return base.replace(scale=base.scale * scale)


def log_config(config: SoftmaxConfig, scale: float = 1.0) -> SoftmaxConfig:
    """log_softmax of scale * x in the formats of a configuration of softmax: the output is the
    signed format of 16 bits that just holds -(2 * range * scale + ln max_length).

    Raises:
        ConfigError: no such format.
    """
    scale = config.scale * scale
    lowest = 2 * config.range * scale + log(config.max_length)
    i = min(max(ceil(log2(lowest)) + 1, 1), LOG_BITS)
    return config.replace(
        function="log_softmax",
        output=SQ(i, LOG_BITS - i),
        output_exponent="none",
        scale=scale,
    )


@lru_cache(maxsize=64)
def sibling(config: SoftmaxConfig) -> SoftmaxConfig:
    """The configuration of softmax whose p the gradient of a log_softmax is made of: UQ(0, 16)."""
    return config.replace(function="softmax", output=UQ(0, 16), **dict.fromkeys(_WIDTHS))


@torch.compiler.assume_constant_result  # a compiler takes the answer, not how it is made
def described(config: SoftmaxConfig | str, scale: str, function: str) -> tuple[str, bool]:
    """(text of :func:`resolved`, whether its gradients are rounded at random).

    Args:
        scale: by its hexadecimal digits.
    """
    found = resolved(config, float.fromhex(scale), function)
    return text_of(found), found.rounding == "stochastic"
