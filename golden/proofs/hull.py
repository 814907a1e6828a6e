"""The convex hull of many points in the plane, for points that lie almost on a line."""

import numpy as np

from ..types import Indices, Reals


def convex_hull(x: Reals, y: Reals) -> tuple[Reals, Reals]:
    """Corners of the convex hull of points, in order around it, as (x, y).

    Points are dropped in passes: one that does not lie above the chord of its two neighbours is no
    corner of the upper chain, whether or not the neighbours stay. Once a pass drops none, what is
    left turns the same way everywhere: the hull. Equal points are made one first, or each would
    drop the other.
    """
    order = np.lexsort((y, x))
    x, y = x[order], y[order]
    new = (np.diff(x, prepend=np.nan) != 0) | (np.diff(y, prepend=np.nan) != 0)
    x, y = x[new], y[new]
    corners = np.concatenate([_upper_chain(x, y), _upper_chain(x, -y)[::-1]])
    return x[corners], y[corners]


def _upper_chain(x: Reals, y: Reals) -> Indices:
    """Indices of the upper chain, left to right, of points sorted by x."""
    kept = np.arange(x.size)
    while kept.size > 2:
        a, b, c = kept[:-2], kept[1:-1], kept[2:]
        above = (y[b] - y[a]) * (x[c] - x[a]) > (y[c] - y[a]) * (x[b] - x[a])
        if above.all():
            break
        kept = np.concatenate([kept[:1], b[above], kept[-1:]])
    return kept
