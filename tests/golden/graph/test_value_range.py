"""Ranges widen, count what saturates, and give the narrowest format that holds them."""

import itertools

import numpy as np
import pytest

from softmaxfx.golden.formats import SQ, UQ, Format
from softmaxfx.golden.graph.value_range import Range


def test_a_range_holds_what_it_has_seen():
    seen = Range.of(np.array([3.0, -1, 2]), None) | Range.of(np.array([4.0, 0]), None)
    assert seen == Range(-1, 4)


@pytest.mark.parametrize("fmt", [SQ(3, 2), UQ(2, 2), SQ(1, 0), UQ(0, 3)], ids=str)
def test_saturated_are_the_values_whose_rounding_the_format_cannot_hold(fmt):
    values = np.arange(-5, 5, 1 / 64)
    wide = SQ(20, fmt.f).quantize(values)
    count = int(((wide < fmt.min_code) | (wide > fmt.max_code)).sum())
    assert count > 0
    assert Range.of(values, fmt).saturated == count
    assert (Range.of(values, fmt) | Range.of(values, fmt)).saturated == 2 * count


def test_the_format_of_a_range_is_the_narrowest_that_holds_it():
    values = [-4.0, -3.9, -2.13, -2, -1.99, -1, -0.5, -0.3, -0.01, 0.0, 0.1, 0.49, 0.5, 1, 1.99, 4]
    for low, high in itertools.combinations_with_replacement(values, 2):
        both = np.array([low, high])
        for f in range(6):
            fmt = Range(low, high).format(f)
            assert Range.of(both, fmt).saturated == 0, (low, high, fmt)
            assert fmt.f == f
            assert fmt.signed == bool((SQ(20, f).quantize(both) < 0).any())
            if fmt.i > fmt.signed and fmt.width > 1:
                narrower = Format(fmt.signed, fmt.i - 1, f)
                assert Range.of(both, narrower).saturated > 0, (low, high, fmt)


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
    assert Range(low, high).format(f) == fmt


def test_a_range_beyond_every_format_is_refused():
    with pytest.raises(ValueError, match="format must be 1 to 48 bits wide"):
        Range(0, 1e30).format(4)
