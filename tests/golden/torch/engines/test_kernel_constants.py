"""What kernels are told of widths is true of the largest values there can be."""

import numpy as np
import pytest

from .configs import CONFIGS, named

from softmaxfx.golden import SQ, UQ, PRESETS, SoftmaxConfig  # isort: skip
from softmaxfx.golden.errors import ConfigError
from softmaxfx.golden.stages.accumulate import leading_zeros
from softmaxfx.golden.stages.exp import exp_table
from softmaxfx.golden.stages.log_probability import LogProbability
from softmaxfx.golden.stages.normalize import Normalize
from softmaxfx.golden.stages.reciprocal import reciprocal_table

constants = pytest.importorskip("softmaxfx.golden.torch.engines.kernels.constants")
Backward, Exponentials, Product = constants.Backward, constants.Exponentials, constants.Product
Logarithm, NARROW, Real, Tables = (
    constants.Logarithm, constants.NARROW, constants.Real, constants.Tables
)  # fmt: skip


def widest(bits):
    return (1 << bits) - 1


@pytest.mark.parametrize("name", named("softmax", "log_softmax"))
def test_products_of_mantissas_have_the_bits_that_are_told(name):
    config, tables = CONFIGS[name], Tables()
    told, stage = Exponentials.of(config, tables), exp_table(config)
    assert stage.high.max() <= widest(told.high_bits)
    for low, entries in zip(told.low, stage.low, strict=True):
        assert (int(stage.high.max()) >> told.guard) * int(entries.entries.max()) <= widest(
            low.bits
        )
    distances = np.unique(np.linspace(config.path.nearest, config.path.reach, 4096).astype(int))
    mantissa, shift = stage(distances)
    assert mantissa.max() <= widest(told.mantissa)
    if not told.window:
        terms = [int(m) << told.highest for m in mantissa]
        assert max(terms) <= widest(told.term_bits)
        assert not told.exact or shift.max() <= told.highest
    if told.packed:
        entries = tables.contents[told.high : told.high + len(stage.high)]
        assert np.array_equal(entries & widest(told.high_bits), stage.high)
        assert np.array_equal(entries >> told.high_bits, stage.shift)
        assert entries.max() <= widest(NARROW)


@pytest.mark.parametrize("name", named("softmax"))
def test_a_product_keeps_what_is_rounded(name):
    config, tables = CONFIGS[name], Tables()
    stage, table = Normalize.of(config), reciprocal_table(config)
    told = Product.of(config, stage, tables)
    s = np.arange(1 << table.kept) if table.kept <= 20 else np.arange(0, 1 << table.kept, 97)
    assert widest(stage.mantissa_bits) * int(table.mantissa(s).max()) <= widest(told.bits)
    assert told.bits - told.sure <= NARROW
    if told.split:  # at least one bit is left for half up, in any row
        assert told.drop - leading_zeros(config) - told.sure >= 1


@pytest.mark.parametrize("name", named("log_softmax"))
def test_logarithms_have_the_bits_that_are_told(name):
    config, tables = CONFIGS[name], Tables()
    stage = LogProbability.of(config, config.output)
    told = Logarithm.of(config, config.output, tables)
    farthest = config.path.farthest
    assert farthest * stage.factor <= widest(told.product_bits)
    of_mantissa = int(stage.ln.of_mantissa(np.array([widest(stage.ln.index + stage.ln.step)]))[0])
    most = int(stage.scaled(np.int64(farthest))) + int(np.abs(stage.ln.q_ln2).max()) + of_mantissa
    assert most + (1 << told.guard) <= widest(told.bits)


@pytest.mark.parametrize("name", named("softmax"))
def test_products_of_gradients_have_the_bits_that_are_told(name):
    config = CONFIGS[name]
    told = Backward.of(config)
    code = -config.grad_input.min_code
    assert config.one * code <= widest(told.product_bits) + config.one
    largest = (code << told.guard) + max(-told.dot_low, told.dot_high)
    assert config.one * largest + widest(told.drop) <= widest(told.bits)


@pytest.mark.parametrize(("bits", "narrow"), [(8, True), (14, True), (15, False), (16, False)])
def test_gradients_are_narrow_up_to_31_bits(bits, narrow):
    config = SoftmaxConfig(output=UQ(0, bits), grad_input=SQ(1, 13), grad_output=SQ(1, 10))
    assert (Backward.of(config).bits <= NARROW) == narrow


@pytest.mark.parametrize("fmt", [SQ(5, 11), SQ(5, 3), SQ(12, 12), SQ(24, 0), SQ(1, 23)], ids=str)
@pytest.mark.parametrize("limit", [0, 100])
def test_halves_round_half_up_and_saturate(fmt, limit):
    real = Real.of(fmt, limit)
    low, high = (-limit, limit) if limit else (fmt.min_code, fmt.max_code)
    codes = (
        np.arange(-limit - 3, limit + 3) if limit else np.array([low - 1, low, 0, high, high + 1])
    )
    for offset in (-0.5, -0.25, 0.0, 0.25, 0.5):
        values = (codes + offset) * fmt.lsb
        halves = np.float32(values) * np.float32(real.halves)
        kept = np.floor(np.clip(halves, np.float32(real.low), np.float32(real.high)))
        found = (kept.astype(np.int64) + 1) >> 1
        rounded = np.floor(np.float64(np.float32(values)) * 2.0**fmt.f + 0.5)
        assert np.array_equal(found, np.clip(rounded, low, high))
        outside = (halves < np.float32(real.low)) | (halves >= np.float32(real.beyond))
        assert np.array_equal(outside, (rounded < low) | (rounded > high))


def test_tables_are_narrow_where_every_entry_is():
    tables = Tables()
    assert tables.add(np.array([1, widest(NARROW)])) == 0
    assert tables.contents.dtype == np.int32
    assert tables.add(np.array([widest(NARROW) + 1])) == 2
    assert tables.contents.dtype == np.int64


def test_every_preset_s_tables_are_narrow():
    for name, preset in PRESETS.items():
        for path in ("max_subtract", "exact_sum"):
            if (name, path) == ("wide", "exact_sum"):
                continue
            tables = Tables()
            config = preset.replace(datapath=path)
            Exponentials.of(config, tables)
            Product.of(config, Normalize.of(config), tables)
            assert tables.contents.dtype == np.int32


def test_an_unknown_gradient_is_refused():
    with pytest.raises(ConfigError, match="must be softmax for softmax_backward"):
        Backward.of(CONFIGS["base exact_sum logarithm"])
