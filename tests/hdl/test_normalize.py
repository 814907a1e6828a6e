"""Mantissa times reciprocal, shifted, rounded and never above 1."""

import numpy as np
import pytest

from softmaxfx.golden.normalize import Normalize as Golden
from softmaxfx.hdl.normalize import Normalize

from .streams import pipelined


def stage(mantissa_bits: int, reciprocal_bits: int, fraction: int, whole: int = 0) -> Golden:
    """The stage whose output format is UQ(whole, fraction)."""
    one = min(1 << fraction, (1 << (fraction + whole)) - 1)
    return Golden(mantissa_bits, reciprocal_bits, fraction, one)


STAGES = {
    "base": stage(18, 18, 16),
    "int8": stage(10, 10, 8),
    "a whole bit": stage(17, 17, 15, 1),
    "two whole bits": stage(12, 12, 10, 2),
    "widest": stage(28, 28, 24),
    "nothing dropped but the half": stage(5, 5, 8),
    "narrowest": stage(4, 4, 2),
}


@pytest.mark.parametrize(("shift_bits", "q_bits"), [(5, 4), (6, 1), (1, 0), (3, 5)])
@pytest.mark.parametrize("golden", STAGES.values(), ids=STAGES)
def test_gives_goldens_probability_six_cycles_later(golden, shift_bits, q_bits):
    rng = np.random.default_rng(14)
    m_top, r_top = 1 << golden.mantissa_bits, 1 << golden.reciprocal_bits
    mantissa = rng.integers(m_top // 2, m_top, 1500)
    r = rng.integers(r_top // 2, r_top, 1500)
    shift, q = rng.integers(0, 1 << shift_bits, 1500), rng.integers(0, 1 << q_bits, 1500)
    mantissa[::7], r[::5], mantissa[::11], r[::13] = 0, r_top - 1, m_top - 1, r_top // 2
    shift[1::4], q[1::3] = 0, 0  # p around 1, saturated above it
    shift[-50:], q[-50:] = (1 << shift_bits) - 1, (1 << q_bits) - 1  # far below the output's LSB

    width = max(golden.one.bit_length(), golden.fraction)
    dut = Normalize(golden=golden, shift_bits=shift_bits, q_bits=q_bits, width=width)
    (gate,) = pipelined(
        dut,
        {"mantissa": mantissa, "shift": shift, "r": r, "q": q},
        ["o"],
        latency=Normalize.latency,
    )
    gold = golden(mantissa, shift, r, q)
    np.testing.assert_array_equal(gate, gold)
    assert gold.max() == golden.one, "the stimulus reaches 1"
    if shift_bits + q_bits > 8:
        assert gold[-50:].max() == 0


def test_a_tie_rounds_up_and_1_saturates():
    golden = stage(10, 10, 8)
    tie = (1 << 9, 0, 1 << 9, 9)  # 2^18 / 2^(11 + 9) = half an LSB
    below = ((1 << 9) - 1, 0, 1 << 9, 9)
    sure = (1 << 9, 0, (1 << 10) - 1, 0)
    columns = np.array([tie, below, sure]).T
    inputs = dict(zip(("mantissa", "shift", "r", "q"), columns, strict=True))
    dut = Normalize(golden=golden, shift_bits=4, q_bits=4, width=8)
    (gate,) = pipelined(dut, inputs, ["o"], latency=6)
    gold = golden(*columns)
    np.testing.assert_array_equal(gate, gold)
    assert gate.tolist() == [gold[0], 0, 255]
