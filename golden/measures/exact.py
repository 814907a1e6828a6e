"""Exact results in float64, rows along the last axis, and how far codes are from them."""

import numpy as np

from ..config import SoftmaxConfig
from ..types import Bits, Codes, Reals
from .ragged import Ragged


def exact_softmax(values: Reals, active: Bits) -> Reals:
    """Softmax of the active elements; 0 elsewhere."""
    top = np.where(active, values, -np.inf).max(axis=-1, keepdims=True, initial=-1e300)
    exponentials = np.where(active, np.exp(np.minimum(values - top, 0)), 0)
    total = exponentials.sum(axis=-1, keepdims=True)
    return exponentials / np.where(total > 0, total, 1.0)


def exact_output(values: Reals, active: Bits, config: SoftmaxConfig) -> Reals:
    """What the softmax unit's function is; 0 where not active."""
    if config.function == "softmax":
        return exact_softmax(values, active)
    top = np.where(active, values, -np.inf).max(axis=-1, keepdims=True, initial=-1e300)
    below = np.where(active, values - top, -1e300)
    total = np.exp(below).sum(axis=-1, keepdims=True)
    return np.where(active, below - np.log(np.where(total > 0, total, 1)), 0.0)


def exact_backward(p: Reals, dp: Reals, layout: Ragged | None = None) -> Reals:
    """P (dP - sum P dP); with a layout, of flat arrays of its active elements."""
    if layout is None:
        return p * (dp - (p * dp).sum(axis=-1, keepdims=True))
    return p * (dp - layout.spread(layout.real_sums(p * dp)))


def exact_losses(values: Reals, active: Bits, target: Codes) -> Reals:
    """Cross-entropy in nats, (rows,), of rows of logits whose targets are active elements."""
    top = np.where(active, values, -np.inf).max(axis=-1, keepdims=True, initial=-1e300)
    total = np.where(active, np.exp(np.minimum(values - top, 0)), 0).sum(axis=-1, keepdims=True)
    chosen = np.take_along_axis(values, target[:, None], axis=1)
    return (np.log(np.where(total > 0, total, 1)) + top - chosen)[:, 0]


def exact_cross_entropy(values: Reals, active: Bits, target: Codes) -> tuple[Reals, Reals]:
    """(loss (rows,), gradient) of rows of logits whose targets are active elements."""
    hot = np.arange(values.shape[1]) == target[:, None]
    return exact_losses(values, active, target), exact_softmax(values, active) - hot


def clipped_values(codes: Codes, active: Bits, config: SoftmaxConfig) -> Reals:
    """The values whose exact softmax the bound is about: scale * clipped code * LSB."""
    if config.clip == "input":
        clipped = np.clip(codes, -config.range_code, config.range_code)
    else:
        top = np.where(active, codes, config.input.min_code).max(axis=-1, keepdims=True)
        clipped = np.maximum(codes, top - config.span)
    return clipped.astype(np.float64) * (config.scale * config.input.lsb)


def apart_ulp(codes: Codes, exact: Reals, fraction: int, limits: tuple[float, float]) -> Reals:
    """Codes less exact values, in LSB.

    Args:
        fraction: fraction bits of the codes.
        limits: in LSB: an exact value beyond them saturates, as the output does.
    """
    return codes - np.clip(exact * 2.0**fraction, *limits)
