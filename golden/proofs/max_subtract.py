"""The error of p where distances are from the maximum and terms are truncated.

(S, Ŝ - S) of the other elements of a row lies in the convex hull of up to max_length copies of the
enumerated pairs, one of them the maximum's. The error as a function of that point has no stationary
point inside, so its extremes lie on the hull's edges: at a corner, or where the derivative along an
edge vanishes, which has a closed form.
"""

import numpy as np

from ..config import SoftmaxConfig
from ..types import Indices, Reals
from .hull import convex_hull
from .terms import Terms, Worst, relative_error

CHUNK = 4096
"""Distances whose error is maximised at once."""


def worst_of(config: SoftmaxConfig, terms: Terms, rho: tuple[float, float]) -> Worst:
    """The largest error of p; ``rho`` is the range of the reciprocal's relative error.

    The error of exp is given of distances whose exp is at least one output LSB.
    """
    worst, place = _worst_error(terms, rho, config.max_length)
    if config.path.reach < config.path.farthest:  # beyond, ê stays, and e falls towards 0
        worst = max(worst, float(terms.rounded[-1]) * (1 + rho[1]))
    least = np.nextafter(config.output.lsb, 0)
    return Worst(worst, place, relative_error(terms, least))


def sum_error(config: SoftmaxConfig, terms: Terms) -> Reals:
    """Relative errors of a row's sum, among them the least and the largest, as logarithms."""
    x, y = _scaled(convex_hull(terms.exact, terms.summed - terms.exact), config.max_length - 1)
    total = x + terms.exact[0]
    return np.log((total + y + terms.summed[0] - terms.exact[0]) / total)


def _worst_error(terms: Terms, rho: tuple[float, float], max_length: int) -> tuple[float, int]:
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


def _quick_limit(terms: Terms, rho: tuple[float, float], max_length: int) -> Reals:
    """A limit of each difference's error that is cheap: relative errors added up."""
    largest = np.abs(terms.summed - terms.exact).max() * max_length  # Ŝ - S, where S >= 1
    if largest >= 1:
        return np.full(terms.exact.shape, np.inf)  # too coarse for a limit of this kind
    relative = (1 + max(map(abs, rho))) / (1 - largest) - 1
    error = np.abs(terms.rounded - terms.exact) * (1 + relative) + terms.exact * relative
    return error / (terms.exact + terms.exact[0])


def _error_at(
    terms: Terms, u: Indices, rho: tuple[float, float], others: tuple[Reals, Reals]
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
