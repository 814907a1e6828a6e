"""The row's maximum, over the elements that take part."""

import numpy as np
import pytest

from softmaxfx.golden.stages.row_max import row_max


def test_the_maximum_is_python_s_over_the_active_elements_of_each_row():
    rng = np.random.default_rng(1)
    x = rng.integers(-128, 128, (4, 50, 7))
    active = rng.random(x.shape) < 0.5
    gate = row_max(x, active, lowest=-128)
    assert gate.shape == (4, 50, 1)
    for place in np.ndindex(4, 50):
        taken = [value for value, on in zip(x[place], active[place], strict=True) if on]
        assert gate[place].item() == max(taken, default=-128)


@pytest.mark.parametrize("lowest", [-128, -(2**23)])
def test_a_row_without_an_active_element_has_the_lowest_code(lowest):
    assert row_max(np.array([[5, 9]]), np.zeros((1, 2), bool), lowest).tolist() == [[lowest]]
