"""Every engine gives the golden unit's losses and gradients of rows of logits, every bit."""

import numpy as np
import pytest

from softmaxfx.golden import PRESETS, ConfigError

from .configs import CONFIGS, named
from .engines import ENGINES, assert_same
from .expected import Gold, carrier, losses_of_classes, losses_of_weights, reals
from .rows import INF, batches, classes_of, rows_of, weights_of

ALL = pytest.mark.parametrize("placed", ENGINES)
TARGETS = {"classes": (classes_of, losses_of_classes), "weights": (weights_of, losses_of_weights)}


def upstream_of(x):
    """Gradients of what the losses are used for; one of them is 0."""
    upstream = np.random.default_rng(9).normal(0, 1, len(x))
    upstream[:1] = 0
    return upstream.astype(x.dtype)


def assert_losses(placed, config, x, target, gold_of):
    """Losses, counts and gradients are the golden unit's."""
    gold = Gold.of(x, config)
    loss, gradient, error = gold_of(gold, target, config)
    found = placed.cross_entropy(x, target, config)
    assert_same(found["loss"], reals(loss, config.loss.f, carrier(config.loss)))
    assert_same(found["clipped"], np.int64(gold.clipped.sum()))
    assert_same(found["invalid"], np.int64(error.sum()))
    upstream = upstream_of(x)
    gradients = placed.cross_entropy_backward(x, target, upstream, config)
    assert_same(gradients, (gradient * upstream[:, None]).astype(x.dtype))


@pytest.mark.parametrize("kind", TARGETS)
@pytest.mark.parametrize("name", named("softmax"))
@ALL
def test_every_bit_is_the_golden_unit_s(placed, name, kind):
    targets_of, gold_of = TARGETS[kind]
    for x in batches(CONFIGS[name]):
        assert_losses(placed, CONFIGS[name], x, targets_of(x), gold_of)


@pytest.mark.parametrize("kind", TARGETS)
@ALL
def test_many_rows_are_as_one_by_one(placed, kind):
    x = np.random.default_rng(10).normal(0, 3, (1100, 64)).astype(np.float32)
    targets_of, gold_of = TARGETS[kind]
    assert_losses(placed, PRESETS["int8"], x, targets_of(x), gold_of)


@ALL
def test_a_masked_class_is_an_error_and_has_no_loss(placed):
    config = PRESETS["int8_row"]
    x = rows_of(config, np.float32)
    target = classes_of(x)
    x[[0, 2], target[[0, 2]]] = -INF
    assert_losses(placed, config, x, target, losses_of_classes)
    assert placed.cross_entropy(x, target, config)["invalid"] == 2


@ALL
def test_weights_of_a_masked_class_are_one_error_a_row(placed):
    config = PRESETS["base"]
    x = rows_of(config, np.float32)
    good = weights_of(x)
    bad = good.copy()
    bad[5, :4] = 1000
    bad[0, 3] = 1
    x[0, 3] = -INF
    good[[0, 5]] = 0  # a target in error is as none
    found, gold = (placed.cross_entropy(x, z, config) for z in (bad, good))
    assert (int(found["invalid"]), int(gold["invalid"])) == (2, 0)
    assert_same(found["loss"], gold["loss"])
    upstream = upstream_of(x)
    gradients = (placed.cross_entropy_backward(x, z, upstream, config) for z in (bad, good))
    assert_same(*gradients)


@ALL
def test_what_is_no_number_is_counted(placed):
    config = PRESETS["base"]
    x = rows_of(config, np.float32)
    target = classes_of(x)
    spoilt = x.copy()
    spoilt[0, :3] = np.nan, INF, -np.nan
    spoilt[1, target[1]] = INF  # a class that takes part, though its logit is no number
    found, gold = (placed.cross_entropy(each, target, config) for each in (spoilt, x))
    assert found["invalid"] == 4
    assert_same(found["loss"][2:], gold["loss"][2:])


@ALL
def test_upstream_gradients_that_are_not_finite_go_through(placed):
    config = PRESETS["base"]
    x, target = np.zeros((3, 2), np.float32), np.zeros(3, np.int64)
    upstream = np.array([np.nan, np.inf, -np.inf], np.float32)
    found = placed.cross_entropy_backward(x, target, upstream, config)
    gold = np.array([[np.nan, np.nan], [-INF, INF], [INF, -INF]], np.float32)
    assert_same(found, gold)


@ALL
def test_log_softmax_has_no_loss(placed):
    config = CONFIGS["base exact_sum logarithm"]
    x, target = np.zeros((2, 3), np.float32), np.zeros(2, np.int64)
    with pytest.raises(ConfigError, match="must be softmax for cross_entropy, not log_softmax"):
        placed.cross_entropy(x, target, config)
