"""Proven bounds of configurations, each once for all configurations that share it."""

from dataclasses import fields
from functools import lru_cache

from ....golden.config import ADAPTIVE_FIELDS, BACKWARD_FIELDS, LOSS_FIELDS, SoftmaxConfig
from ....golden.proofs.bounds import bound_ulp
from ....golden.proofs.gradient import backward_bound_ulp
from ....golden.proofs.loss import loss_bound

MOST = 4096
"""Bounds kept: a number each, and seconds to prove where the input is wide."""

_DEFAULTS = {field.name: field.default for field in fields(SoftmaxConfig)}
_OF_NO_BOUND = BACKWARD_FIELDS | ADAPTIVE_FIELDS | {"lanes", "id_width", "clip_gradient"}


def softmax_bound(config: SoftmaxConfig) -> float:
    """Proven worst-case error of p, in output LSB.

    Raises:
        ConfigError: widths that cannot work.
    """
    return _softmax_bound(_without(config, _OF_NO_BOUND | LOSS_FIELDS))


def cross_entropy_bound(config: SoftmaxConfig) -> float:
    """Proven worst-case error of the loss, in loss LSB.

    Raises:
        ConfigError: a loss format that cannot hold the largest loss.
    """
    return _cross_entropy_bound(_without(config, _OF_NO_BOUND))


def backward_bound(config: SoftmaxConfig) -> float:
    """Proven worst-case error of dS, in gradient LSB.

    Raises:
        ConfigError: gradient formats that cannot work.
    """
    return backward_bound_ulp(config)


@lru_cache(maxsize=MOST)
def _softmax_bound(config: SoftmaxConfig) -> float:
    return bound_ulp(config)


@lru_cache(maxsize=MOST)
def _cross_entropy_bound(config: SoftmaxConfig) -> float:
    return loss_bound(config).ulp


def _without(config: SoftmaxConfig, names: frozenset[str]) -> SoftmaxConfig:
    """The configuration with some fields at their defaults."""
    return config.replace(**{name: _DEFAULTS[name] for name in names})
