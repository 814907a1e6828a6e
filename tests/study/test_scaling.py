"""Gradients are scaled by the largest power of two by which none of them saturates."""

from fractions import Fraction

import numpy as np
import pytest

from softmaxfx.golden import SQ
from softmaxfx.study.scaling import fitting_powers, scaling_note

PEAKS = [1e-9, 3e-4, 0.1, 0.5, 127 / 128, 1.0, 1.5, 3e5]


@pytest.mark.parametrize("fmt", [SQ(1, 7), SQ(1, 15), SQ(3, 6)], ids=str)
@pytest.mark.parametrize("peak", PEAKS)
def test_the_next_power_would_saturate_and_this_one_does_not(peak, fmt):
    power = int(fitting_powers(peak, fmt))
    largest = Fraction(fmt.max_code, 2**fmt.f)
    assert Fraction(peak) * Fraction(2) ** power <= largest
    assert Fraction(peak) * Fraction(2) ** (power + 1) > largest


def test_each_recording_has_its_own_power():
    fmt = SQ(1, 7)
    assert fitting_powers(PEAKS, fmt).tolist() == [int(fitting_powers(p, fmt)) for p in PEAKS]


def test_gradients_of_0_count_as_1():
    assert fitting_powers([0.0], SQ(1, 7)).tolist() == fitting_powers([1.0], SQ(1, 7)).tolist()


def test_the_note_tells_the_powers_and_the_format():
    powers = np.array([-1, 0, 9])
    assert scaling_note("dP", powers, SQ(1, 7)) == "dP are scaled by 2^-1, 2^0, 2^9 to fit SQ(1, 7)"
