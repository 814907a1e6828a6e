"""Products of unsigned numbers, each at its time."""

import numpy as np
import pytest

from softmaxfx.hdl.parts.multiply import Multiply

from ..streams import pipelined


@pytest.mark.parametrize(
    ("a_bits", "b_bits"), [(1, 1), (1, 9), (4, 4), (18, 18), (28, 28), (36, 3)]
)
def test_every_cycle_gives_a_product(a_bits, b_bits):
    rng = np.random.default_rng(57)
    a, b = (
        np.concatenate([[0, top - 1, top - 1, 0, 1], rng.integers(0, top, 300)])
        for top in (1 << a_bits, 1 << b_bits)
    )
    b[2:4] = b.max()
    dut = Multiply(a_bits=a_bits, b_bits=b_bits)
    (gate,) = pipelined(dut, {"a": a, "b": b}, ["o"], latency=Multiply.latency)
    assert gate.tolist() == [x * y for x, y in zip(a.tolist(), b.tolist(), strict=True)]


def test_every_pair_of_small_numbers():
    a, b = (grid.ravel() for grid in np.meshgrid(np.arange(16), np.arange(32)))
    dut = Multiply(a_bits=4, b_bits=5)
    (gate,) = pipelined(dut, {"a": a, "b": b}, ["o"], latency=Multiply.latency)
    np.testing.assert_array_equal(gate, a * b)
