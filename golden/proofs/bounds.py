"""The proven worst-case error of a unit, over every row it can be given.

With e the exact exponentials of a row's clipped codes, S their sum, and a hat on what the hardware
computes, an output is p = e / S and the unrounded result is ê (1 + rho) / Ŝ. Three facts bound it:

* exp is enumerated: every difference gives its pair (e, ê) and the term that the sum sees. Beyond
  the reach the sum sees nothing, and e only falls towards 0, which the hull contains.
* The reciprocal is enumerated: every table input, at both ends of the interval of sums that share
  it, gives the range of rho.
* (S, Ŝ - S) of the other elements of a row lies in the convex hull of up to max_length copies of
  the enumerated pairs, one of them the maximum's. The error as a function of that point has no
  stationary point inside, so its extremes lie on the hull's edges: at a corner, or where the
  derivative along an edge vanishes, which has a closed form.

The sum of ``exact_sum`` errs by nothing but its terms, wherever in the range they lie: the last
fact becomes simpler. Of a row's elements, one has the relative error delta and the share p, the
others have errors between the least and the largest of all codes.

Rounding the output adds half an LSB. Clamping p and its reference to the same largest code cannot
increase their distance, so nothing is left out. The float64 values of e carry an error of their
own, which is added as slack.
"""

from dataclasses import dataclass
from functools import lru_cache
from math import sqrt

import numpy as np

from ..config import SoftmaxConfig
from ..formats import Format
from ..stages.accumulate import Accumulate
from ..stages.exp import exp_table
from ..stages.gradient import Gradient
from ..stages.ln import ln_error
from ..stages.log_probability import GUARD as LOG_GUARD
from ..stages.log_probability import LogProbability
from ..stages.loss import loss_stage
from ..stages.probability import output_stage
from ..stages.reciprocal import ReciprocalTable, segments
from ..types import Indices, Reals
from .hull import convex_hull

SLACK = 2.0**-48
"""Relative error granted to float64 reference values; each is good to a few 2**-53."""
CHUNK = 4096
"""Differences whose error is maximised at once, and table inputs of the reciprocal."""
RECIPROCAL_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class ErrorBound:
    """A proven error bound and what it is made of.

    Attributes:
        ulp: largest |p - min(softmax, largest output)|, in output LSB.
        exp_error: range of the relative error of exp; in ``max_subtract`` over the differences
            whose exp is at least one output LSB.
        reciprocal_error: range of the relative error of the reciprocal.
        worst_difference: the distance, in input LSB, at which the bound is reached.
    """

    ulp: float
    exp_error: tuple[float, float]
    reciprocal_error: tuple[float, float]
    worst_difference: int


def bound_ulp(config: SoftmaxConfig) -> float:
    """Proven worst-case error of ``config`` in output LSB; see :class:`ErrorBound`."""
    return error_bound(config).ulp


@lru_cache(maxsize=64)
def error_bound(config: SoftmaxConfig) -> ErrorBound:
    """Prove the worst-case error of a configuration (seconds; 24-bit inputs take longest)."""
    output_stage(config)  # refuses widths that cannot work
    terms = _Terms.of(config)
    if config.function == "log_softmax":
        return _log_error_bound(config, terms, config.output)
    rho = reciprocal_error(config)
    if config.datapath == "exact_sum":
        return _exact_sum_bound(config, terms, rho)
    worst, place = _worst_error(terms, rho, config.max_length)
    if config.reach < config.span:  # beyond the reach ê stays, and e falls towards 0
        worst = max(worst, float(terms.rounded[-1]) * (1 + rho[1]))
    seen = terms.exact >= config.output.lsb
    relative = terms.rounded[seen] / terms.exact[seen] - 1
    return ErrorBound(
        ulp=0.5 + (worst + SLACK) * 2**config.output.f,
        exp_error=(float(relative.min()), float(relative.max())),
        reciprocal_error=rho,
        worst_difference=place,
    )


def backward_bound_ulp(config: SoftmaxConfig) -> float:
    """Proven worst-case error of dS in LSB of ``config.grad_output``, for any codes of P and dP.

    P (dP - D) errs by P times the rounding of D, and by its own rounding. Rows whose D saturates
    are told by their status and left out; saturating dS, and its reference, adds nothing.
    """
    stage = Gradient.of(config)
    of_d = 0.5 * stage.dot.p.max_code * 2.0 ** (stage.output.f - stage.product_fraction)
    return (0.5 if stage.rounding == "nearest" else 1.0) + of_d


@lru_cache(maxsize=64)
def loss_bound(config: SoftmaxConfig) -> ErrorBound:
    """Prove the worst-case error of the cross-entropy, in LSB of ``config.loss``.

    The loss of a class is -log p, its error that of log p; clamping it to 0 takes nothing from its
    exact value, which is never negative.

    Raises:
        ConfigError: a loss that the format cannot hold, or ``log_softmax``.
    """
    return _log_error_bound(config, _Terms.of(config), loss_stage(config).output)


def _exact_sum_bound(
    config: SoftmaxConfig, terms: "_Terms", rho: tuple[float, float]
) -> ErrorBound:
    """p (1 + delta) (1 + rho) / (1 + p delta + (1 - p) delta') - p rises with delta and rho and
    falls with the others' delta': its extremes are those of all three, at the worst share p."""
    relative = terms.rounded / terms.exact - 1
    low, high = float(relative.min()) - SLACK, float(relative.max()) + SLACK
    above = _largest_over_shares(high, low, rho[1])
    below = _largest_over_shares(low, high, rho[0])
    place = relative.argmax() if above > below else relative.argmin()
    return ErrorBound(
        ulp=0.5 + (max(above, below) + SLACK) * 2**config.output.f,
        exp_error=(low, high),
        reciprocal_error=rho,
        worst_difference=int(place) + config.nearest,
    )


def _largest_over_shares(own: float, others: float, rho: float) -> float:
    """Largest |p a / (b + c p) - p| over p in [0, 1]: at 1, or where the derivative vanishes."""
    a, b, c = (1 + own) * (1 + rho), 1 + others, own - others
    shares = [1.0]
    if c != 0:
        shares.append(min(max((sqrt(a * b) - b) / c, 0.0), 1.0))
    return max(abs(p * a / (b + c * p) - p) for p in shares)


def _log_error_bound(config: SoftmaxConfig, terms: "_Terms", output: Format) -> ErrorBound:
    """Errors of log p add up: of the sum, of its ln, of the scaled difference, of the rounding."""
    stage = LogProbability.of(config, output)
    if config.datapath == "exact_sum":
        of_sum = np.log(terms.summed / terms.exact)
    else:
        x, y = _scaled(convex_hull(terms.exact, terms.summed - terms.exact), config.max_length - 1)
        total = x + terms.exact[0]
        of_sum = np.log((total + y + terms.summed[0] - terms.exact[0]) / total)
    low, high = ln_error(stage.ln)
    unit = 2.0**output.f
    step = config.scale * config.input.lsb * unit
    scaled = abs(stage.factor * 2.0**-stage.factor_fraction - step) * config.farthest
    floor = 2.0**-LOG_GUARD  # what dropping the scaled difference's low bits takes away at most
    above = (of_sum.max() + high) * unit + scaled
    below = (of_sum.min() + low) * unit - scaled - floor
    seen = terms.exact > 0
    relative = terms.rounded[seen] / terms.exact[seen] - 1
    return ErrorBound(
        ulp=0.5 + float(max(above, -below)) + SLACK * unit * config.max_length,
        exp_error=(float(relative.min()), float(relative.max())),
        reciprocal_error=(0.0, 0.0),
        worst_difference=config.farthest,
    )


def reciprocal_error(config: SoftmaxConfig) -> tuple[float, float]:
    """Range of r * S - 1 over every sum of at least 1: exhaustive over the table's inputs."""
    widths = config.widths
    return _reciprocal_error(
        widths.reciprocal_bits, widths.reciprocal_index, widths.reciprocal_step
    )


@lru_cache(maxsize=256)
def _reciprocal_error(bits: int, index: int, step: int) -> tuple[float, float]:
    """The same for all configurations whose table has these widths."""
    # r does not depend on where the sum's binary point lies
    base, slope = segments(bits, index)
    stage = ReciprocalTable(base, slope, bits, index, step, fraction=0, lowest=0)
    kept = index + step
    worst = []
    for start in range(0, 1 << kept, RECIPROCAL_CHUNK):
        s = np.arange(start, min(start + RECIPROCAL_CHUNK, 1 << kept))
        r = stage.mantissa(s) * 2.0**-stage.bits
        # sums that share a table input fill the interval up to the next one
        low, high = r * (1 + s * 2.0**-kept) - 1, r * (1 + (s + 1) * 2.0**-kept) - 1
        worst.append((low.min(), high.max()))
    return float(min(worst)[0]), float(max(high for _, high in worst))


@dataclass(frozen=True, slots=True)
class _Terms:
    """What each difference contributes: exact exp, the hardware's exp, the sum's term."""

    exact: Reals
    rounded: Reals
    summed: Reals

    @classmethod
    def of(cls, config: SoftmaxConfig) -> "_Terms":
        u = np.arange(config.nearest, config.reach + 1)
        stage, total = exp_table(config), Accumulate.of(config)
        mantissa, shift = stage(u)
        return cls(
            exact=np.exp(-(config.scale * config.input.lsb) * u),
            rounded=stage.value(u),
            summed=np.ldexp(total.align(mantissa, shift).astype(np.float64), -total.fraction),
        )


def _worst_error(terms: _Terms, rho: tuple[float, float], max_length: int) -> tuple[float, int]:
    """Largest error before rounding, and the difference at which it occurs."""
    corners = convex_hull(terms.exact, terms.summed - terms.exact)
    alone = _scaled(corners, max_length - 1)
    worst = _error_at(terms, np.array([0]), rho, alone).item()
    place = 0
    if max_length == 1:
        return worst, place
    # below the maximum, one of the others is the maximum itself
    x, y = _scaled(corners, max_length - 2)
    others = x + terms.exact[0], y + terms.summed[0] - terms.exact[0]
    limit = _quick_limit(terms, rho, max_length)
    order = np.argsort(limit[1:])[::-1] + 1
    for start in range(0, order.size, CHUNK):
        u = order[start : start + CHUNK]
        if limit[u[0]] <= worst:
            break
        errors = _error_at(terms, u, rho, others)
        if errors.max() > worst:
            worst, place = float(errors.max()), int(u[errors.argmax()])
    return worst, place


def _scaled(corners: tuple[Reals, Reals], copies: int) -> tuple[Reals, Reals]:
    """The hull of 0 to ``copies`` of the points whose hull has ``corners``."""
    x, y = (np.append(axis * copies, 0.0) for axis in corners)
    return convex_hull(x, y)


def _quick_limit(terms: _Terms, rho: tuple[float, float], max_length: int) -> Reals:
    """A limit of each difference's error that is cheap: relative errors added up."""
    largest = np.abs(terms.summed - terms.exact).max() * max_length  # Ŝ - S, where S >= 1
    if largest >= 1:
        return np.full(terms.exact.shape, np.inf)  # too coarse for a limit of this kind
    relative = (1 + max(map(abs, rho))) / (1 - largest) - 1
    error = np.abs(terms.rounded - terms.exact) * (1 + relative) + terms.exact * relative
    return error / (terms.exact + terms.exact[0])


def _error_at(
    terms: _Terms, u: Indices, rho: tuple[float, float], others: tuple[Reals, Reals]
) -> Reals:
    """Largest |ê (1 + rho) / Ŝ - e / S| for differences ``u``, the rest of the row in the hull."""
    exact, rounded, summed = (
        values[u][:, None] for values in (terms.exact, terms.rounded, terms.summed)
    )
    start_exact, start_summed = exact + others[0], summed + others[0] + others[1]
    step_exact = np.roll(start_exact, -1, axis=1) - start_exact
    step_summed = np.roll(start_summed, -1, axis=1) - start_summed
    worst = np.zeros(u.size)
    for factor in rho:
        numerator = rounded * (1 + factor)
        # along an edge the derivative of numerator / Ŝ - exact / S vanishes where Ŝ / S = ratio
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.sqrt(numerator * step_summed / (exact * step_exact))
            along = (ratio * start_exact - start_summed) / (step_summed - ratio * step_exact)
        along = np.clip(np.nan_to_num(along), 0, 1)
        for t in (np.zeros_like(along), along):
            error = numerator / (start_summed + t * step_summed) - exact / (
                start_exact + t * step_exact
            )
            worst = np.maximum(worst, np.abs(error).max(axis=1))
    return worst
