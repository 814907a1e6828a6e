"""The hull against a naive one, in exact arithmetic, also where points nearly lie on a line."""

from fractions import Fraction

import numpy as np
import pytest

from softmaxfx.golden.proofs.hull import convex_hull


def cross(a, b, c):
    """Twice the signed area of the triangle a, b, c, exactly."""
    (ax, ay), (bx, by), (cx, cy) = ((Fraction(x), Fraction(y)) for x, y in (a, b, c))
    return (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)


def corners_of(points):
    """The corners of the convex hull: points outside the hull of all others, O(n^2) a point.

    A point is a corner unless some line through it has all others on one closed side and points
    on both of its own sides along that line, or others lie all around it: sort by angle instead,
    a point is a corner where all others fit into an open half plane or one ray.
    """
    points = sorted(set(points))
    if len(points) <= 2:
        return set(points)
    found = set()
    for p in points:
        others = [q for q in points if q != p]
        # p is a corner where some q has every other point strictly to its left, or behind it on
        # the same ray from p
        for q in others:
            left = all(
                (turn := cross(p, q, o)) > 0 or (turn == 0 and same_ray(p, q, o)) for o in others
            )
            if left:
                found.add(p)
                break
    return found


def same_ray(p, q, o):
    """Whether q and o, in line with p, lie on the same side of it."""
    return (q[0] - p[0]) * (o[0] - p[0]) >= 0 and (q[1] - p[1]) * (o[1] - p[1]) >= 0


def assert_hull(points):
    x, y = (np.array(axis, dtype=np.float64) for axis in zip(*points, strict=True))
    gate_x, gate_y = convex_hull(x, y)
    gate = list(zip(gate_x.tolist(), gate_y.tolist(), strict=True))
    assert set(gate) == corners_of(list(zip(x.tolist(), y.tolist(), strict=True)))
    for a, b in zip(gate, [*gate[1:], gate[0]], strict=True):  # an edge has all points on a side
        if a != b:
            assert all(cross(a, b, p) <= 0 for p in points)


@pytest.mark.parametrize("seed", range(20))
def test_random_points_have_the_naive_hull(seed):
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(rng.integers(1, 40), 2))
    assert_hull([tuple(point) for point in points.tolist()])


@pytest.mark.parametrize("seed", range(40))
def test_points_of_a_coarse_grid_with_repeats_and_lines_have_the_naive_hull(seed):
    rng = np.random.default_rng(seed)
    size = rng.integers(1, 5)
    points = rng.integers(-size, size + 1, (rng.integers(1, 30), 2)).astype(float)
    assert_hull([tuple(point) for point in points.tolist()])


@pytest.mark.parametrize(
    "points",
    [
        [(0, 0)],
        [(0, 0), (0, 0)],
        [(0, 0), (1, 1)],
        [(0, 0), (1, 1), (2, 2)],
        [(0, 0), (0, 1), (0, 2)],
        [(0, 0), (1, 1), (1, 1), (2, 0)],
        [(0, 0), (1, -1), (1, -1), (2, 0)],
        [(0, 0), (0, 0), (1, 1), (1, 1), (1, 1), (2, 0), (2, 0)],
        [(0, 0), (0, 1), (1, 0), (1, 1)],
        [(0.0, 0.0), (0.5, 0.5), (1.0, 0.0), (0.5, -0.5), (0.5, 0.0)],
    ],
    ids=str,
)
def test_repeated_and_collinear_points_lose_no_corner(points):
    assert_hull([(float(x), float(y)) for x, y in points])


@pytest.mark.parametrize("seed", range(8))
def test_nearly_collinear_points_have_the_naive_hull(seed):
    """The shape the bounds see: x = exp, y = a rounding error of 2^-18 of it, no exact ties."""
    rng = np.random.default_rng(seed)
    x = np.exp(-rng.uniform(0, 20, 60))
    y = rng.uniform(-1, 1, 60) * 2.0**-18 * x
    assert_hull(list(zip(x.tolist(), y.tolist(), strict=True)))


def test_a_convex_chain_of_many_points_keeps_every_corner():
    x = np.linspace(-1, 1, 2001)
    gate_x, _ = convex_hull(x, x**2)
    assert set(gate_x.tolist()) == set(x.tolist())
