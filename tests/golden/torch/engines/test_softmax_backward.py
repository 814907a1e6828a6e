"""Every engine gives the golden unit's dS of rows of p and dP, every bit."""

import numpy as np
import pytest
import torch

from softmaxfx.golden import PRESETS, SQ, ConfigError
from softmaxfx.golden.torch.engines.gradient_scale import gradient_exponents

from .configs import CONFIGS, named
from .engines import ENGINES, assert_same
from .expected import Gold, backward, packed, row_exponents
from .rows import batches, near, rows_of

ALL = pytest.mark.parametrize("placed", ENGINES)


def gradients(shape, seed=6):
    """dP of many magnitudes; a row all 0, others beyond what any power of two brings into range."""
    rng = np.random.default_rng(seed)
    dp = rng.normal(0, 1, shape) * 2.0 ** rng.integers(-20, 20, (shape[0], 1))
    for row, factor in ((1, 0), (2, 2.0**-145), (3, 2.0**107)):
        dp[row : row + 1] *= factor
    return dp.astype(np.float32)


def halves(shape, dtype, fmt, seed=7):
    """dP half-way between codes and beside it."""
    codes = np.random.default_rng(seed).integers(fmt.min_code - 2, fmt.max_code + 2, shape)
    return near((codes + 0.5) * fmt.lsb, dtype)[: codes.size].reshape(shape)


def assert_backward(placed, config, x, dp, grad_exponent, *, stop=True, **options):
    """dS is the golden unit's; ``stop``: no gradient where an element was clipped."""
    gold = Gold.of(x, config)
    given = gold.forward(config)
    p, dp = given["result"], dp.astype(given["result"].dtype)
    stop = stop and config.clip_gradient == "zero"
    stopped = gold.clipped & stop
    gate = packed(stopped) if stop else packed(stopped[:, :0])
    found = placed.softmax_backward(
        p, dp, gate, given["exponent"], config, grad_exponent=grad_exponent, **options
    )
    scales = row_exponents(dp, config.grad_input)
    if grad_exponent is not None:
        scales = np.full(len(dp), grad_exponent)
    assert_same(found, backward(gold, dp, config, scales, stopped, **options))


@pytest.mark.parametrize("grad_exponent", [None, 3])
@pytest.mark.parametrize("name", named("softmax"))
@ALL
def test_every_bit_is_the_golden_unit_s(placed, name, grad_exponent):
    for x in batches(CONFIGS[name]):
        assert_backward(placed, CONFIGS[name], x, gradients(x.shape), grad_exponent)


@pytest.mark.parametrize("grad_exponent", [None, 0, -2])
@pytest.mark.parametrize("name", ["float64", "wide gradients", "int8 max_subtract"])
@ALL
def test_half_way_gradients(placed, name, grad_exponent):
    config = CONFIGS[name]
    x = rows_of(config, np.float64)
    dp = halves(x.shape, np.float32, config.grad_input)
    assert_backward(placed, config, x, dp, grad_exponent, stop=False)


@pytest.mark.parametrize("options", [{"seed": 2**32 - 1}, {"seed": 77, "first_row": 2**32 - 600}])
@pytest.mark.parametrize("name", ["base exact_sum stochastic", "int8_row max_subtract stochastic"])
@ALL
def test_random_bits_are_those_of_the_row_s_number(placed, name, options):
    config = CONFIGS[name]
    rng = np.random.default_rng(8)
    x = rng.normal(0, 2, (1100, 64)).astype(np.float32)
    dp = rng.normal(0, 0.2, x.shape).astype(np.float32)
    assert_backward(placed, config, x, dp, None, **options)


@pytest.mark.parametrize("grad_exponent", [None, 2])
@ALL
def test_a_row_with_a_gradient_that_is_not_finite_is_lost(placed, grad_exponent):
    config = PRESETS["base"]
    x = rows_of(config, np.float32)
    given = Gold.of(x, config).forward(config)
    dp = gradients(x.shape)
    spoilt = dp.copy()
    spoilt[0, 3], spoilt[4, 0], spoilt[7, 5] = np.nan, np.inf, -np.inf

    def found(dp):
        given_too = given["result"], dp, given["gate"], given["exponent"], config
        return placed.softmax_backward(*given_too, grad_exponent=grad_exponent)

    gold = found(dp)
    gold[[0, 4, 7]] = np.nan
    assert_same(found(spoilt), gold)


@ALL
def test_log_softmax_has_another_gradient(placed):
    config = CONFIGS["base exact_sum logarithm"]
    x = np.zeros((2, 3), np.float32)
    gate, exponent = np.zeros((2, 0), np.uint8), np.zeros(0, np.int32)
    with pytest.raises(ConfigError, match="must be softmax for softmax_backward, not log_softmax"):
        placed.softmax_backward(x, x, gate, exponent, config, grad_exponent=0)


@pytest.mark.parametrize("fmt", [SQ(1, 15), SQ(1, 7), SQ(4, 14), SQ(18, 0)], ids=str)
def test_a_row_s_scale_is_the_largest_that_does_not_saturate(fmt):
    powers = 2.0 ** np.arange(-149, 128)
    largest = near([0, *powers, *(powers * 1.5)], np.float32)
    dp = np.stack([largest, -largest / 2], axis=-1)[np.isfinite(largest)]
    found = gradient_exponents(torch.from_numpy(dp), fmt)
    assert_same(found.numpy()[:, 0], row_exponents(dp, fmt))
