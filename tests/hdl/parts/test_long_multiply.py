"""Products of operands of one limb and two, each at its time."""

import numpy as np
import pytest

from softmaxfx.hdl.parts.long_multiply import LongMultiply
from softmaxfx.hdl.targets.generic import GENERIC

from ..streams import pipelined


@pytest.mark.parametrize(
    ("a_bits", "b_bits", "latency"),
    [(1, 1, 3), (9, 4, 3), (18, 18, 3), (19, 18, 5), (7, 21, 5), (36, 3, 5),
     (19, 19, 5), (21, 21, 5), (28, 28, 5), (36, 19, 5)],
)  # fmt: skip
def test_every_cycle_gives_a_product(a_bits, b_bits, latency):
    rng = np.random.default_rng(58)
    a, b = (
        np.concatenate([[0, top - 1, top - 1, 0, 1], rng.integers(0, top, 300)])
        for top in (1 << a_bits, 1 << b_bits)
    )
    b[2:4] = b.max()
    dut = GENERIC.long_multiply(a_bits=a_bits, b_bits=b_bits)
    assert LongMultiply.latency_of(a_bits, b_bits) == dut.latency == latency
    (gate,) = pipelined(dut, {"a": a, "b": b}, ["o"], latency=latency)
    assert gate.tolist() == [x * y for x, y in zip(a.tolist(), b.tolist(), strict=True)]
