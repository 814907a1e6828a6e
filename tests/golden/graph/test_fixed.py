"""What hardware holds: codes, mantissas with a shift, and what saturates."""

import numpy as np
import pytest

from softmaxfx.golden.formats import SQ, UQ, Format
from softmaxfx.golden.graph.fixed import Fixed


def test_codes_have_the_value_of_their_format():
    fixed = Fixed.of_codes(np.array([-3, 0, 5]), SQ(3, 2), 2)
    assert fixed.value.tolist() == [-0.75, 0, 1.25]
    assert fixed.lsb == 0.25
    assert fixed.format == "SQ(3, 2)"


def test_a_mantissa_has_an_lsb_of_its_own():
    fixed = Fixed.of_mantissa(np.array([5, 7]), np.array([0, 3]), 1, 2, "k")
    assert fixed.value.tolist() == [1.25, 7 / 32]
    assert fixed.lsb.tolist() == [0.25, 1 / 32]
    assert fixed.format == "UQ(1, 2)·2^-k"


def test_the_difference_is_in_lsb_and_above_0_where_more_is_held():
    fixed = Fixed.of_mantissa(np.array([5, 7]), np.array([0, 3]), 1, 2, "k")
    assert fixed.difference(np.array([1.0, 0.25])).tolist() == [1, -1]


@pytest.mark.parametrize("fmt", [SQ(3, 2), UQ(2, 2), SQ(1, 0), UQ(0, 3)], ids=str)
def test_saturated_are_the_values_whose_rounding_the_format_cannot_hold(fmt):
    values = np.arange(-5, 5, 1 / 64)
    wide = SQ(20, fmt.f).quantize(values)
    count = int(((wide < fmt.min_code) | (wide > fmt.max_code)).sum())
    fixed = Fixed.quantized(values, fmt)
    assert fixed.note.startswith(f"{count} of {values.size} values saturated in {fmt}; ")
    np.testing.assert_array_equal(fixed.value, fmt.to_float(fmt.quantize(values)))


def test_the_format_that_a_note_names_lets_the_same_values_pass():
    values = np.array([-9.0, 3.5])
    assert Fixed.quantized(values, SQ(3, 2)).note.endswith("; SQ(5, 2) holds them")
    assert not Fixed.quantized(values, SQ(5, 2)).note


def test_a_value_that_no_format_holds_is_told():
    assert Fixed.quantized(np.array([np.inf]), Format(False, 3, 4)).note == (
        "1 of 1 values saturated in UQ(3, 4); no format of 4 fraction bits holds them"
    )


def test_nan_has_no_code():
    with pytest.raises(ValueError, match=r"a value in UQ\(3, 4\) must be a number, not nan"):
        Fixed.quantized(np.array([0, np.nan]), UQ(3, 4))
