"""What a configuration does to real rows: errors, and how the probabilities look."""

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from ..config import SoftmaxConfig
from ..rows import LogitRows
from ..types import Bits, Codes, Reals
from ..units.softmax import SoftmaxRows
from .losses import Losses


@dataclass(frozen=True, slots=True)
class Metrics:
    """Two errors, always told together, and what explains them; ``None`` where no element is.

    Attributes:
        max_error_ulp: largest |p - exact softmax of the clipped codes|, in output LSB; p = 1 is
            compared with the largest output. Never above the proven bound.
        max_error_unclipped: largest |p - float64 softmax of the original logits|, absolute.
        clip_rate: share of active elements that were clipped.
        tie_rate: share of rows whose largest probability is shared.
        sum_min, sum_mean: of the sum of the probabilities of a row.
        mass_loss_rate: share of rows whose probabilities sum to less than 0.95.
        winner_clip_rate: share of rows whose maximum lies beyond the range. winner_tie_rate: share
            of rows in which that ties the maximum with smaller elements. Of these three, rows
            without an active element are left out; see :class:`.losses.Losses`.
        zero_share: share of active elements with probability 0.
        mean_kl: mean over rows of KL(float64 softmax || p), zeros floored to half an LSB and p
            normalised again, in nats.
    """

    max_error_ulp: float | None
    max_error_unclipped: float | None
    clip_rate: float | None
    tie_rate: float | None
    sum_min: float | None
    sum_mean: float | None
    mass_loss_rate: float | None
    winner_clip_rate: float | None
    winner_tie_rate: float | None
    zero_share: float | None
    mean_kl: float | None


def mean_of(values: npt.NDArray[np.generic]) -> float | None:
    """The mean; ``None`` of nothing."""
    return float(values.mean()) if values.size else None


def largest_of(errors: Reals | Codes) -> float | None:
    """The largest absolute error; ``None`` of nothing."""
    return float(np.abs(errors).max()) if errors.size else None


def within(error: float | None, bound: float) -> bool:
    """Whether an error keeps its bound; where there is none, it does."""
    return error is None or error <= bound


def exact_softmax(values: Reals, active: Bits) -> Reals:
    """float64 softmax over the last axis of the active elements; 0 elsewhere."""
    top = np.where(active, values, -np.inf).max(axis=-1, keepdims=True, initial=-1e300)
    exponentials = np.where(active, np.exp(np.minimum(values - top, 0)), 0)
    total = exponentials.sum(axis=-1, keepdims=True)
    return exponentials / np.where(total > 0, total, 1.0)


def clipped_values(codes: Codes, active: Bits, config: SoftmaxConfig) -> Reals:
    """The values whose exact softmax the bound is about: scale * clipped code * LSB."""
    if config.clip == "input":
        clipped = np.clip(codes, -config.range_code, config.range_code)
    else:
        top = np.where(active, codes, config.input.min_code).max(axis=-1, keepdims=True)
        clipped = np.maximum(codes, top - config.span)
    return clipped.astype(np.float64) * (config.scale * config.input.lsb)


def error_ulp(p: Codes, codes: Codes, active: Bits, config: SoftmaxConfig) -> Reals:
    """Output codes less the exact output for the clipped codes, in output LSB; 0 if not active."""
    exact = exact_output(clipped_values(codes, active, config), active, config)
    return np.where(active, p - np.minimum(exact * 2.0**config.output.f, config.one), 0.0)


def exact_output(values: Reals, active: Bits, config: SoftmaxConfig) -> Reals:
    """What the unit's function is in float64; 0 where not active."""
    if config.function == "softmax":
        return exact_softmax(values, active)
    top = np.where(active, values, -np.inf).max(axis=-1, keepdims=True, initial=-1e300)
    below = np.where(active, values - top, -1e300)
    total = np.exp(below).sum(axis=-1, keepdims=True)
    return np.where(active, below - np.log(np.where(total > 0, total, 1)), 0.0)


def measure(result: SoftmaxRows, rows: LogitRows, config: SoftmaxConfig) -> Metrics:
    """Measure a unit's result for ``rows``, of the same shape."""
    if not rows.active.any():
        return Metrics(*[None] * len(fields(Metrics)))
    p = result.p
    active, codes = rows.active, rows.codes(config)
    values = config.output.to_float(p)
    exact = exact_output(rows.values * config.scale, active, config)
    apart = np.where(active, values - exact, 0.0)
    nothing = 0 if config.function == "softmax" else config.output.min_code
    if config.function == "log_softmax":
        values, exact = (np.where(active, np.exp(array), 0.0) for array in (values, exact))
    sums = values.sum(axis=-1)
    lost = Losses.of(config, rows, p)
    winners = ((p == p.max(axis=-1, keepdims=True)) & active).sum(axis=-1)
    return Metrics(
        max_error_ulp=float(np.abs(error_ulp(p, codes, active, config)).max()),
        max_error_unclipped=float(np.abs(apart).max()),
        clip_rate=float(result.clipped[active].mean()),
        tie_rate=float((winners > 1).mean()),
        sum_min=float(sums.min()),
        sum_mean=float(sums.mean()),
        mass_loss_rate=lost.mass_loss_rate,
        winner_clip_rate=lost.winner_clip_rate,
        winner_tie_rate=lost.winner_tie_rate,
        zero_share=float((p == nothing)[active].mean()),
        mean_kl=float(_kl(exact, values, active, config).mean()),
    )


def _kl(exact: Reals, p: Reals, active: Bits, config: SoftmaxConfig) -> Reals:
    """KL(exact || p) of every row, in nats."""
    floored = np.where(active, np.maximum(p, config.output.lsb / 2), 0)
    total = floored.sum(axis=-1, keepdims=True)
    normalised = np.where(active, floored / np.where(total > 0, total, 1), 1)
    ratio = np.where(exact > 0, exact, 1) / normalised
    return np.where(exact > 0, exact * np.log(ratio), 0).sum(axis=-1)
