"""Mantissa times reciprocal, shifted, rounded and never above 1."""

import numpy as np
import pytest

from softmaxfx.golden.stages.normalize import Normalize as Golden
from softmaxfx.hdl.stages.exp import ByDifference, ByLogit
from softmaxfx.hdl.stages.normalize import Normalize

from ..streams import pipelined


def stage(mantissa_bits: int, reciprocal_bits: int, fraction: int, whole: int = 0) -> Golden:
    """The stage whose output format is UQ(whole, fraction)."""
    one = min(1 << fraction, (1 << (fraction + whole)) - 1)
    return Golden(mantissa_bits, reciprocal_bits, fraction, one)


STAGES = {
    "base": stage(18, 18, 16),
    "int8": stage(10, 10, 8),
    "tight": stage(21, 21, 16),
    "a whole bit": stage(17, 17, 15, 1),
    "two whole bits": stage(12, 12, 10, 2),
    "widest": stage(28, 28, 24),
    "nothing dropped but the half": stage(5, 5, 8),
    "narrowest": stage(4, 4, 2),
}
every_stage = pytest.mark.parametrize("golden", STAGES.values(), ids=STAGES)
COUNT = 1500


def by_difference(shift_bits: int) -> ByDifference:
    """Contents whose exponent is a shift; what is in the tables is of no account."""
    return ByDifference((1,), [0, 0], [0, 0], [], shift_bits, 0)


def by_logit(place_bits: int, lost: int) -> ByLogit:
    """Contents whose exponent is a place; the mantissa can have lost some leading bits."""
    return ByLogit((1,), [0, 0], [0, 0], [], place_bits, -lost)


def factors(golden: Golden, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Mantissas and reciprocals of every size, some the smallest or largest, or none."""
    m_top, r_top = 1 << golden.mantissa_bits, 1 << golden.reciprocal_bits
    mantissa = rng.integers(m_top // 2, m_top, COUNT)
    r = rng.integers(r_top // 2, r_top, COUNT)
    mantissa[::7], r[::5], mantissa[::11], r[::13] = 0, r_top - 1, m_top - 1, r_top // 2
    return mantissa, r


def run(golden: Golden, contents, q_bits: int, **inputs: np.ndarray) -> np.ndarray:
    width = max(golden.one.bit_length(), golden.fraction)
    dut = Normalize(golden=golden, exp=contents, q_bits=q_bits, width=width)
    (gate,) = pipelined(dut, inputs, ["o"], latency=Normalize.latency_of(golden))
    return gate


@pytest.mark.parametrize(("shift_bits", "q_bits"), [(5, 4), (6, 1), (2, 1), (3, 5)])
@every_stage
def test_gives_goldens_probability_of_a_shift(golden, shift_bits, q_bits):
    rng = np.random.default_rng(14)
    mantissa, r = factors(golden, rng)
    shift, q = rng.integers(0, 1 << shift_bits, COUNT), rng.integers(0, 1 << q_bits, COUNT)
    shift[1::4], q[1::3] = 0, 0  # p around 1, saturated above it
    shift[-50:], q[-50:] = (1 << shift_bits) - 1, (1 << q_bits) - 1  # far below the output's LSB
    active, error = rng.random((2, COUNT)) < [[0.8], [0.1]]
    gate = run(
        golden, by_difference(shift_bits), q_bits,
        mantissa=mantissa, exponent=shift, r=r, q=q, active=active.astype(int),
        error=error.astype(int),
    )  # fmt: skip
    gold = np.where(active & ~error, golden(mantissa, shift, r, q), 0)
    np.testing.assert_array_equal(gate, gold)
    assert gold.max() == golden.one, "the stimulus reaches 1"
    if shift_bits + q_bits > 8:
        assert gold[-50:].max() == 0


@pytest.mark.parametrize("lost", [0, 1, 3])
@pytest.mark.parametrize("largest", [1, 5, 29, 45, 54])
@every_stage
def test_gives_goldens_probability_of_a_place(golden, largest, lost):
    """A place and a sum's leading one, both counted from the lowest there are."""
    lost = min(lost, golden.drop)
    rng, top = np.random.default_rng(18), largest + lost + 10
    place_bits, q_bits = max(largest.bit_length(), 2), top.bit_length()
    mantissa, r = factors(golden, rng)
    place, q = rng.integers(0, largest + 1, COUNT), rng.integers(0, top + 1, COUNT)
    active = rng.random(COUNT) < 0.8
    q = np.where(active, np.maximum(q, place), q)  # its own term is part of the sum
    q[:100] = place[:100] + rng.integers(0, 3, 100)
    gate = run(
        golden, by_logit(place_bits, lost), q_bits,
        mantissa=mantissa, exponent=place, r=r, q=q, active=active.astype(int),
    )  # fmt: skip
    # golden's shift is that from the largest place, its q that of the sum
    shift = largest - place
    gold = golden(mantissa, shift, r, q - largest - lost)
    np.testing.assert_array_equal(gate, np.where(active, gold, 0))
    assert gate.max() == golden.one or lost, "the stimulus reaches 1"


def test_a_tie_rounds_up_and_1_saturates():
    golden = stage(10, 10, 8)
    tie = (1 << 9, 0, 1 << 9, 9)  # 2^18 / 2^(11 + 9) = half an LSB
    below = ((1 << 9) - 1, 0, 1 << 9, 9)
    sure = (1 << 9, 0, (1 << 10) - 1, 0)
    columns = np.array([tie, below, sure]).T
    inputs = dict(zip(("mantissa", "exponent", "r", "q"), columns, strict=True))
    gate = run(golden, by_difference(4), 4, **inputs, active=np.ones(3, int))
    gold = golden(*columns)
    np.testing.assert_array_equal(gate, gold)
    assert gate.tolist() == [gold[0], 0, 255]
