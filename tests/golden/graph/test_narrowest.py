"""The narrowest format holds a range, and none narrower does."""

import itertools
from fractions import Fraction
from math import floor

import pytest

from softmaxfx.golden.formats import SQ, UQ, Format
from softmaxfx.golden.graph.narrowest import narrowest

VALUES = [-4.0, -3.9, -2.13, -2, -1.99, -1, -0.5, -0.3, -0.01, 0.0, 0.1, 0.49, 0.5, 1, 1.99, 4]


def holds(fmt, x):
    """x rounds half up to a code of the format."""
    return fmt.min_code <= floor(Fraction(x) * 2**fmt.f + Fraction(1, 2)) <= fmt.max_code


@pytest.mark.parametrize("f", range(6))
def test_it_holds_the_range_and_none_narrower_does(f):
    for low, high in itertools.combinations_with_replacement(VALUES, 2):
        fmt = narrowest(low, high, f)
        assert fmt.f == f
        assert holds(fmt, low)
        assert holds(fmt, high)
        assert fmt.signed == (floor(Fraction(low) * 2**f + Fraction(1, 2)) < 0)
        if fmt.i > fmt.signed and fmt.width > 1:
            narrower = Format(fmt.signed, fmt.i - 1, f)
            assert not (holds(narrower, low) and holds(narrower, high)), (low, high, fmt)


@pytest.mark.parametrize(
    ("low", "high", "f", "fmt"),
    [
        (0, 1, 16, UQ(1, 16)),
        (0, 1 - 2**-16, 16, UQ(0, 16)),
        (-10, 10, 11, SQ(5, 11)),
        (-16, 15, 0, SQ(5, 0)),
        (-16, 16, 0, SQ(6, 0)),
        (0, 0, 0, UQ(1, 0)),
        (0, 0, 4, UQ(0, 4)),
        (-0.001, 0, 4, UQ(0, 4)),  # rounds to 0
    ],
)
def test_text_book_ranges(low, high, f, fmt):
    assert narrowest(low, high, f) == fmt


def test_it_is_signed_where_that_is_wanted():
    assert narrowest(0, 1, 15, signed=True) == SQ(2, 15)
    assert narrowest(0, 0, 4, signed=True) == SQ(1, 4)
    assert narrowest(-1, 0, 15, signed=True) == SQ(1, 15)


@pytest.mark.parametrize("high", [1e30, 2.0**44, float("inf"), float("nan")])
def test_a_range_beyond_every_format_has_none(high):
    assert narrowest(0, high, 4) is None
