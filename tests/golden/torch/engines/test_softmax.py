"""Every engine gives the golden unit's p of rows of logits, every bit."""

import numpy as np
import pytest

from softmaxfx.golden import PRESETS, UQ, SoftmaxConfig

from .configs import CONFIGS, named
from .engines import ENGINES, assert_same
from .expected import Gold
from .rows import INF, batches, rows_of

ALL = pytest.mark.parametrize("placed", ENGINES)


def assert_forward(placed, x, config):
    """Every field is the golden unit's."""
    gate, gold = placed.softmax(x, config), Gold.of(x, config).forward(config)
    assert gate.keys() == gold.keys()
    for name in gold:
        assert_same(gate[name], gold[name])


def logits_of(config, codes):
    return (codes * config.input.lsb).astype(np.float32)


def test_the_configurations_take_every_way():
    kinds = {config.path.window for config in CONFIGS.values()}
    tables = {len(config.widths.exp_split) for config in CONFIGS.values()}
    assert kinds == {False, True}
    assert tables == {1, 2, 3}


@pytest.mark.parametrize("name", named("softmax", "log_softmax"))
@ALL
def test_every_bit_is_the_golden_unit_s(placed, name):
    for x in batches(CONFIGS[name]):
        assert_forward(placed, x, CONFIGS[name])


@pytest.mark.parametrize("path", ["max_subtract", "exact_sum"])
@pytest.mark.parametrize("preset", ["int8", "int8_row", "base"])
@ALL
def test_every_input_code(placed, preset, path):
    config = PRESETS[preset].replace(datapath=path)
    codes = np.arange(config.input.min_code, config.input.max_code + 1)
    rng = np.random.default_rng(3)
    x = logits_of(config, rng.permutation(codes).reshape(-1, 64))
    gate = placed.softmax(x, config)
    gold = Gold.of(x, config).forward(config)
    assert_same(gate["result"], gold["result"])


LONG = ["few codes", "fewest codes"] + [
    f"{preset} {path}" for preset in ("int8", "base") for path in ("max_subtract", "exact_sum")
]


@pytest.mark.parametrize("count", [97, 200, 1024])
@pytest.mark.parametrize("name", LONG)
@ALL
def test_rows_longer_than_what_is_made_at_once(placed, name, count):
    config, rng = CONFIGS[name], np.random.default_rng(count)
    x = rng.normal(0, 3, (6, count)).astype(np.float32)
    x[1] = -INF
    x[2][rng.random(count) < 0.5] = -INF
    x[3, 1:] = -INF
    x[4] = -config.range
    x[4, count // 2] = config.range
    x[5] *= 10
    assert_forward(placed, x, config)


@ALL
def test_many_rows_are_as_one_by_one(placed):
    config = PRESETS["int8_row"]
    rng = np.random.default_rng(4)
    x = logits_of(config, rng.integers(-100, 100, (1100, 64)))
    assert_forward(placed, x, config)


@pytest.mark.parametrize("exponent", ["none", "row"])
@pytest.mark.parametrize("path", ["max_subtract", "exact_sum"])
@ALL
def test_the_longest_row(placed, path, exponent):
    config = SoftmaxConfig(max_length=65536, datapath=path, output_exponent=exponent)
    rng = np.random.default_rng(5)
    x = logits_of(config, rng.integers(-16000, 16000, (2, 65536)))
    x[1] = 0.5
    assert_forward(placed, x, config)


@ALL
def test_a_gate_that_nobody_asked_for_has_no_bytes(placed):
    config = PRESETS["base"]
    x = rows_of(config, np.float32)
    gate = placed.softmax(x, config, keep_gate=False)
    gold = Gold.of(x, config).forward(config) | {"gate": np.zeros((len(x), 0), np.uint8)}
    for name in gold:
        assert_same(gate[name], gold[name])


@pytest.mark.parametrize(
    "name", ["base max_subtract", "full exact_sum", "int8 exact_sum logarithm"]
)
@ALL
def test_what_is_no_number_is_counted(placed, name):
    config = CONFIGS[name]
    x = rows_of(config, np.float64)
    spoilt = x.copy()
    spoilt[0, :3] = np.nan, INF, -np.nan
    spoilt[4, 1] = INF
    gate = placed.softmax(spoilt, config)
    assert gate["invalid"] == 4
    good = [row for row in range(len(x)) if row not in (0, 4)]
    assert_same(gate["result"][good], Gold.of(x, config).forward(config)["result"][good])


@ALL
def test_results_are_float64_where_float32_lacks_bits(placed):
    for bits, dtype in ((24, np.float32), (25, np.float64)):
        config = SoftmaxConfig(output=UQ(bits - 23, 23), max_length=64)
        assert placed.softmax(np.zeros((1, 3), np.float32), config)["result"].dtype == dtype
