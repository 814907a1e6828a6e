"""Numbers in few characters that still say how large they are."""

import numpy as np
import pytest

from softmaxfx.golden.graph.labels import (
    MINUS,
    decimal,
    difference_lines,
    gradient_lines,
    value_lines,
)


@pytest.mark.parametrize(
    ("x", "text"),
    [
        (0, "0"), (-0.0, "0"), (1, "1"), (-2, "-2"), (0.0900306, "0.09"), (0.244728, "0.245"),
        (-0.135335, "-0.135"), (20.0855, "20.1"), (999.4, "999"), (1000, "1000"), (9999, "9999"),
        (12345, "1.2e4"), (-12345, "-1.2e4"), (0.001, "0.001"), (0.0005, "5.0e-4"),
        (2.1e-9, "2.1e-9"), (4.9e8, "4.9e8"), (1e300, "1.0e300"), (float("inf"), "∞"),
        (float("-inf"), "-∞"), (float("nan"), "nan"),
    ],
)  # fmt: skip
def test_a_number_is_short(x, text):
    assert decimal(x) == text.replace("-", MINUS)


def test_a_number_can_have_more_digits():
    assert decimal(0.0900306, 6) == "0.0900306"
    assert decimal(1.5, 6) == "1.5"


@pytest.mark.parametrize("x", [0.00123, -98.7, 1234.5, 5e-7, 7.77e20])
def test_a_number_in_few_characters_is_that_number(x):
    assert float(decimal(x).replace(MINUS, "-")) == pytest.approx(x, rel=0.06)


def test_a_row_is_told_element_by_element_as_long_as_it_is_short():
    assert value_lines(np.array(2.5)) == ["2.5"]
    assert value_lines(np.array([1.0, 2, 3, 4])) == ["1", "2", "3", "4"]
    assert value_lines(np.arange(10.0)) == ["0", "1", "⋮", "9"]


def test_differences_have_signs_and_are_left_out_where_there_are_none():
    assert difference_lines(np.array([0.25, -0.5, 0])) == ["+0.25", f"{MINUS}0.5", "0"]
    assert difference_lines(np.zeros(3)) == []
    assert difference_lines(None) == []


def test_a_gradient_that_rounding_left_of_0_is_told_as_such():
    assert gradient_lines(np.array([7e-18, 0, 0.5]), largest=1) == ["≈0", "0", "0.5"]
    assert gradient_lines(np.array([7e-18]), largest=1e-17) == ["7.0e-18".replace("-", MINUS)]
