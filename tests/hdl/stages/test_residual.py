"""p - y of every element: golden's bits and those of plain integers; and what a row's sum gives."""

import numpy as np
import pytest

from softmaxfx.golden import SQ, UQ, SoftmaxConfig, preset
from softmaxfx.golden.stages.accumulate import Accumulate
from softmaxfx.golden.stages.exp import exp_table
from softmaxfx.golden.stages.loss import WEIGHT_FRACTION, loss_stage
from softmaxfx.golden.stages.normalize import Normalize as GoldenNormalize
from softmaxfx.golden.stages.probability import Elements
from softmaxfx.golden.stages.residual import residual_stage
from softmaxfx.hdl.stages.exp import ByDifference
from softmaxfx.hdl.stages.loss import in_ln, ln_offset
from softmaxfx.hdl.stages.residual import Residual
from softmaxfx.hdl.stages.row_scalar import SumFunctions

from ..streams import pipelined, scalars

COUNT = 1500
INT8, BASE = preset("int8"), preset("base")
STAGES = {  # bits of mantissa, reciprocal, and the fraction of p
    "base": (18, 18, 16),
    "int8": (10, 10, 8),
    "tight": (21, 21, 16),
    "widest": (28, 28, 24),
    "nothing dropped but the half": (5, 5, 8),
    "narrowest": (4, 4, 2),
}
every_stage = pytest.mark.parametrize("bits", STAGES.values(), ids=STAGES)


def run(bits, shift_bits: int, q_bits: int, **inputs: np.ndarray) -> np.ndarray:
    """Residuals, as numbers."""
    mantissa_bits, reciprocal_bits, fraction = bits
    golden = GoldenNormalize(mantissa_bits, reciprocal_bits, fraction, one=1 << fraction)
    contents = ByDifference((1,), [0, 0], [0, 0], [], shift_bits, 0)
    dut = Residual(golden=golden, exp=contents, q_bits=q_bits)
    return residuals_of(dut, golden, inputs)


def residuals_of(
    dut: Residual, golden: GoldenNormalize, inputs: dict[str, np.ndarray]
) -> np.ndarray:
    """What the stage gives, as numbers; it is told of targets a cycle after the rest."""
    inputs = {name: np.append(values, 0) for name, values in inputs.items()}
    inputs["target"] = np.roll(inputs["target"], 1)
    (codes,) = pipelined(dut, inputs, ["o"], latency=Residual.latency_of(golden))
    codes = codes[:-1]
    return codes - ((codes >> golden.fraction) << (golden.fraction + 1))


def wanted(bits, mantissa, exponent, r, q, active, target) -> tuple[list[int], list[int]]:
    """(residuals, p before it is held to 1), by plain integers."""
    mantissa_bits, reciprocal_bits, fraction = bits
    residuals, probabilities = [], []
    columns = (mantissa, exponent, r, q, active, target)
    for m, k, one_over, places, here, chosen in zip(*(c.tolist() for c in columns), strict=True):
        drop = mantissa_bits + reciprocal_bits - 1 - fraction + k + places
        p = (2 * m * one_over + (1 << drop)) >> (drop + 1) if here else 0
        residual = min(p, 1 << fraction) - (chosen << fraction)
        residuals.append(min(residual, (1 << fraction) - 1))
        probabilities.append(p)
    return residuals, probabilities


def factors(bits, shift_bits: int, q_bits: int) -> dict[str, np.ndarray]:
    """Elements of any size, many about 1 and many far below the LSB; some are targets."""
    rng = np.random.default_rng(130)
    m_top, r_top = 1 << bits[0], 1 << bits[1]
    mantissa, r = rng.integers(m_top // 2, m_top, COUNT), rng.integers(r_top // 2, r_top, COUNT)
    shift, q = rng.integers(0, 1 << shift_bits, COUNT), rng.integers(0, 1 << q_bits, COUNT)
    shift[1::4], q[1::3] = 0, 0
    mantissa[::7], r[::5], mantissa[::11], r[::13] = 0, r_top - 1, m_top - 1, r_top // 2
    # 1 / 1 is the largest reciprocal there is
    sure = slice(0, 200)
    mantissa[sure], r[sure] = m_top // 2, r_top - 1 - rng.integers(0, 2, 200)
    shift[sure] = q[sure] = 0
    shift[-50:], q[-50:] = (1 << shift_bits) - 1, (1 << q_bits) - 1
    return {
        "mantissa": mantissa, "exponent": shift, "r": r, "q": q,
        "active": (rng.random(COUNT) < 0.8).astype(int),
        "target": (rng.random(COUNT) < 0.4).astype(int),
    }  # fmt: skip


@pytest.mark.parametrize(("shift_bits", "q_bits"), [(5, 4), (2, 1)])
@every_stage
def test_gives_p_less_the_target_as_integers_do(bits, shift_bits, q_bits):
    inputs, one = factors(bits, shift_bits, q_bits), 1 << bits[2]
    gold, p = wanted(bits, **inputs)
    assert any(code > one for code in p), "p exceeds 1"
    gate = run(bits, shift_bits, q_bits, **inputs)
    np.testing.assert_array_equal(gate, gold)
    sure = (np.array(p) >= one) & (inputs["active"] == 1)
    right, wrong = sure & (inputs["target"] == 1), sure & (inputs["target"] == 0)
    assert right.any()
    assert not gate[right].any(), "a sure and right one has no gradient"
    assert wrong.any()
    assert (gate[wrong] == one - 1).all(), "a sure and wrong one has the largest code"
    assert {-one, 0} <= set(gate.tolist())


CONFIGS = {
    "base": BASE,
    "int8": INT8,
    "wide output": BASE.replace(output=UQ(2, 10)),
    "one element": BASE.replace(max_length=1),
    "coarse": INT8.replace(output=UQ(0, 2), mantissa_bits=4, reciprocal_bits=4),
    "odd scale": INT8.replace(scale=0.3),
    # the logarithm is that of exp(x - top), or of exp(x)
    "exact base": BASE.replace(datapath="exact_sum"),
    "exact, odd scale": INT8.replace(datapath="exact_sum", scale=0.3),
    "exact, odd range": INT8.replace(datapath="exact_sum", range=9.875, exp_split=(4, 4)),
    "exact, 24 bits": BASE.replace(datapath="exact_sum", input=SQ(5, 19), range=1.0),
}
each = pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)


def sums_of(config: SoftmaxConfig, count: int) -> np.ndarray:
    """Sums of any size there can be, those around powers of two, the least and the largest."""
    table, rng = loss_stage(config).log.ln, np.random.default_rng(131)
    least, largest = 1 << (table.sum_fraction + table.lowest), config.max_length
    largest <<= table.sum_fraction
    powers = 1 << np.arange(table.sum_fraction + table.lowest, largest.bit_length())
    near = rng.choice(powers, count)
    sums = [rng.integers(least, largest + 1, count), near + rng.integers(0, near)]
    sums = np.concatenate([*sums, powers, powers + 1, powers * 2 - 1, [least, largest]])
    return sums[sums <= largest]


@each
def test_a_sum_gives_reciprocal_and_logarithm_at_the_same_time(config):
    golden, loss = residual_stage(config), loss_stage(config)
    sums, origin = sums_of(config, 400), config.path.origin
    functions = SumFunctions.of(
        config,
        reciprocal=golden.reciprocal,
        ln=loss.log.ln,
        ln_offset=ln_offset(loss, origin),
    )
    r, q, ln = scalars(functions, sums)
    gold_r, gold_q = golden.reciprocal(sums)
    np.testing.assert_array_equal(r, gold_r)
    np.testing.assert_array_equal(q + golden.reciprocal.lowest, gold_q)
    # sixteenths of an LSB of the loss: half an LSB, and what the fixed code adds
    added = 8
    if in_ln(loss, origin):
        step = config.scale * config.input.lsb * 2.0 ** (config.loss.f + 4)
        assert step >= 1
        assert step == 2 ** round(np.log2(step))
        added += origin * round(step)
    np.testing.assert_array_equal(ln, loss.log.ln(sums) + added)


def test_the_fixed_code_is_part_of_the_logarithm_where_a_step_is_a_power_of_two():
    assert {
        name for name, config in CONFIGS.items() if in_ln(loss_stage(config), config.path.origin)
    } == {"exact base", "exact, odd range"}


@pytest.mark.parametrize("name", [name for name in CONFIGS if not name.startswith("exact")])
def test_elements_of_real_sums_give_goldens_residuals(name):
    """Mantissas and shifts are those of exp, the sum that of the element and some others."""
    config = CONFIGS[name]
    golden = residual_stage(config)
    rng, accumulate = np.random.default_rng(132), Accumulate.of(config)
    distance = rng.integers(0, config.path.reach + 1, 700)
    distance[:300] = rng.integers(0, 4, 300)
    active, target = rng.random(700) < 0.9, rng.random(700) < 0.5
    mantissa, shift = exp_table(config)(distance)
    mantissa = np.where(active, mantissa, 0)
    # with the maximum in its row; most are as good as alone
    total = accumulate.align(mantissa, shift) * (distance > 0) + (1 << accumulate.fraction)
    total += rng.integers(0, 1 << accumulate.fraction, 700) >> rng.integers(0, 40, 700)
    total = np.minimum(total, config.max_length << accumulate.fraction)
    elements = Elements(*(part[:, None] for part in (distance, mantissa, shift, active)))
    z = np.where(target, 1 << WEIGHT_FRACTION, 0)[:, None]
    # p is scaled by the weights' sum, so a class of weight 1 lies beside each of another one
    other = np.where(target, 0, 1 << WEIGHT_FRACTION)[:, None]
    pairs = Elements(
        *(np.hstack([part, np.zeros_like(part)]) for part in (
            elements.distance, elements.mantissa, elements.shift, elements.active
        ))
    )  # fmt: skip
    gold = golden(pairs, total[:, None], np.hstack([z, other]))[:, 0]
    r, q = golden.reciprocal(total)
    contents = ByDifference.of(exp_table(config))
    dut = Residual(golden=golden.normalize, exp=contents, q_bits=8)
    inputs = {
        "mantissa": mantissa, "exponent": shift, "r": r, "q": q,
        "active": active.astype(int), "target": target.astype(int),
    }  # fmt: skip
    fraction = config.output.f
    residuals = residuals_of(dut, golden.normalize, inputs)
    np.testing.assert_array_equal(residuals, gold)
    assert ((residuals == 0) & active & target).any(), "1 is reached"
    assert (residuals == -(1 << fraction)).any() or config.max_length == 1
