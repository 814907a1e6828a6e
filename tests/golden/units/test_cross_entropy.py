"""Cross-entropy against torch's float64, within the proven bounds; options, and what is refused."""

import re
import warnings
from math import floor

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from softmaxfx.golden import (
    SQ,
    UQ,
    ConfigError,
    SoftmaxConfig,
    bound_ulp,
    cross_entropy,
    loss_bound,
    preset,
    softmax,
)
from softmaxfx.golden.units.cross_entropy import ProbabilitiesGivenWarning, cross_entropy_rows

WEIGHT = 2.0**-24
"""What a class' weight is rounded to."""
CONFIGS = {
    **{name: preset(name) for name in ("base", "int8", "tiny", "tight")},
    "passed": preset("base", clip_gradient="pass"),
    "difference": preset("base", clip="difference", range=4),
    "difference, passed": preset("int8", clip="difference", range=4, clip_gradient="pass"),
    "one held": preset("base", output=UQ(1, 15)),
    "odd scale": preset("base", scale=0.3, range=9.5, loss=UQ(4, 9)),
    "coarse loss": preset("base", loss=UQ(5, 3)),
    "narrow range": preset("base", range=2),
}
CONFIGS |= {
    f"{name}, exact sum": config.replace(datapath="exact_sum")
    for name, config in CONFIGS.items()
    if config.clip == "input"
}
each = pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
both = pytest.mark.parametrize(
    "config",
    [
        preset(name, datapath=path)
        for name in ("base", "int8")
        for path in ("max_subtract", "exact_sum")
    ],
    ids=["base", "base, exact sum", "int8", "int8, exact sum"],
)


def draw(config, count, length, rng):
    """Rows of codes: near each other, of any size, beyond the range, ties; never all 0 to 1."""
    low, high = config.input.min_code, config.input.max_code
    x = config.input.quantize(rng.normal(0, 2, (count, length)))
    x[1::4] = rng.integers(low, high, x[1::4].shape, endpoint=True)
    x[2::4] = rng.choice(x[2::4, :2].ravel(), x[2::4].shape)
    x[3::4, 0] = rng.choice([low, high, config.range_code, -config.range_code])
    return x


def torch_rows(config, x, target, mask=None, **options):
    """(losses, gradients) in real units by torch in float64, row by row without masked classes.

    Also the weights of the classes and -log p: what roundings of the weights are worth.
    """
    torch = pytest.importorskip("torch", reason="torch is not installed")
    x, target = np.asarray(x), np.asarray(target)
    active = ~np.broadcast_to(np.zeros(1, bool) if mask is None else mask, x.shape)
    weights = options.get("class_weights")
    smoothing = options.get("label_smoothing", 0.0)
    ignore = options.get("ignore_index", -100)
    loss, (grad, z, nll) = np.zeros(len(x)), np.zeros((3, *x.shape))
    for k, (row, here) in enumerate(zip(x, active, strict=True)):
        if target.ndim == 1 and target[k] == ignore:
            continue
        leaf = torch.tensor(row[here].astype(float), requires_grad=True)
        limit = config.range_code
        if config.clip == "input":
            clipped = leaf.clamp(-limit, limit)
        else:
            clipped = leaf.clamp(min=float(row[here].max() - 2 * limit))
        if config.clip_gradient == "pass":
            clipped = leaf + (clipped - leaf).detach()
        values = clipped * (config.scale * 2.0**-config.input.f)
        own = torch.tensor(
            target[k][here] if target.ndim == 2 else int(here[: target[k]].sum()),
            dtype=torch.float64 if target.ndim == 2 else torch.int64,
        )
        result = torch.nn.CrossEntropyLoss(
            reduction="none",
            label_smoothing=smoothing,
            weight=None if weights is None else torch.tensor(np.asarray(weights, float)[here]),
        )(values[None], own[None])
        (slope,) = torch.autograd.grad(result.sum(), leaf)
        loss[k] = result.item()
        grad[k, here] = slope.numpy() / (config.scale * 2.0**-config.input.f)
        y = own.numpy() if target.ndim == 2 else np.eye(here.sum())[own.item()]
        z[k, here] = (1 - smoothing) * y + smoothing / here.sum()
        z[k] *= 1 if weights is None else weights
        nll[k, here] = -torch.log_softmax(values.detach(), 0).numpy()
    return loss, grad, z, nll


def errors(config, x, target, mask=None, **options):
    """Largest errors of loss and gradient as shares of what is proven."""
    loss, grad = cross_entropy(x, target, config, mask, from_logits=True, **options)
    gold_loss, gold_grad, z, nll = torch_rows(config, x, target, mask, **options)
    whole = z.sum(axis=1)
    rounded = (z / WEIGHT) % 1 != 0
    lsb, fmt = 2.0**config.loss.f, config.loss_grad
    # a loss is the weighted sum of its classes' before its rounding; weights are half of their LSB
    # off, and the gradient is rounded once more unless one class has the weight 1
    allowed = (loss_bound(config).ulp - 0.5) * whole + 0.5
    allowed += WEIGHT / 2 * (rounded * nll).sum(axis=1) * lsb
    of_loss = np.abs(loss - np.minimum(gold_loss * lsb, config.loss.max_code)) / allowed
    gold = np.clip(gold_grad * 2.0**fmt.f, fmt.min_code, fmt.max_code)
    plain = np.isin(z, (0, 1)).all(axis=1) & (whole == 1)
    allowed = bound_ulp(config) * whole + np.where(plain, 0, 0.5)
    allowed += WEIGHT / 2 * (rounded.sum(axis=1) + rounded.any(axis=1)) * 2.0**fmt.f
    none = whole == 0
    assert not loss[none].any()
    assert not grad[none].any()
    assert not gold_grad[none].any()
    of_grad = (np.abs(grad - gold) / np.where(none, 1, allowed)[:, None])[~none]
    return of_loss[~none].max(initial=0), of_grad.max(initial=0)


def assert_within(config, *args, least=0.0, **options):
    """Both are within what is proven, and no further off than ``least`` of it at best."""
    worst = errors(config, *args, **options)
    assert max(worst) <= 1 + 1e-9, worst
    assert min(worst) >= least, worst


# targets and options, as torch has them


@each
def test_class_indices_are_torch_s(config):
    rng = np.random.default_rng(1)
    for length in (1, 2, 3, 10, 50):
        target = rng.integers(0, length, 60)
        x = draw(config, 60, length, rng)
        assert_within(config, x, target, least=0.4 if length in (3, 10) else 0)


@each
def test_target_probabilities_are_torch_s(config):
    rng = np.random.default_rng(2)
    for length in (1, 2, 3, 10, 50):
        y = rng.dirichlet(np.full(length, 0.5), 40)
        y[::5] = np.eye(length)[rng.integers(0, length, 8)]
        assert_within(config, draw(config, 40, length, rng), y, least=0.1 if length > 1 else 0)


@each
@pytest.mark.parametrize("label_smoothing", [0.1, 0.5, 1, 1.0])
def test_label_smoothing_is_torch_s(config, label_smoothing):
    rng = np.random.default_rng(3)
    for length in (2, 10):
        x = draw(config, 30, length, rng)
        for target in (rng.integers(0, length, 30), rng.dirichlet(np.ones(length), 30)):
            assert_within(config, x, target, least=0.1, label_smoothing=label_smoothing)


@each
def test_class_weights_are_torch_s(config):
    rng = np.random.default_rng(4)
    for length in (2, 10):
        x = draw(config, 30, length, rng)
        for weights in (rng.random(length), np.arange(length) % 2, np.ones(length)):
            for target in (rng.integers(0, length, 30), rng.dirichlet(np.ones(length), 30)):
                assert_within(config, x, target, class_weights=weights)


@both
@pytest.mark.parametrize("ignore_index", [-100, -1, 0, 3, 255])
def test_rows_of_the_ignored_index_have_neither_loss_nor_gradient_as_in_torch(config, ignore_index):
    rng = np.random.default_rng(5)
    x, target = draw(config, 60, 6, rng), rng.integers(0, 6, 60)
    target[::4] = ignore_index
    options = {} if ignore_index == -100 else {"ignore_index": ignore_index}
    loss, grad = cross_entropy(x, target, config, from_logits=True, **options)
    ignored = target == ignore_index
    assert ignored.sum() >= 15
    assert not loss[ignored].any()
    assert not grad[ignored].any()
    assert (grad[~ignored] != 0).any(axis=1).mean() > 0.6
    assert_within(config, x, target, **options)
    with_all = {"label_smoothing": 0.2, "class_weights": rng.random(6)}
    assert_within(config, x, target, **options, **with_all)


def test_all_rows_may_be_ignored():
    config = preset("int8")
    loss, grad = cross_entropy([[1, 2], [3, 4]], [-100, -100], config)
    assert loss.tolist() == [0, 0]
    assert grad.tolist() == [[0, 0], [0, 0]]


@both
def test_masked_classes_are_those_torch_never_sees(config):
    rng = np.random.default_rng(6)
    for length in (2, 5, 30):
        x, target = draw(config, 40, length, rng), rng.integers(0, length, 40)
        mask = rng.random(x.shape) < rng.random((40, 1))
        mask[np.arange(40), target] = False
        y = rng.dirichlet(np.ones(length), 40) * ~mask
        y /= y.sum(axis=1, keepdims=True)
        for options in (
            {},
            {"label_smoothing": 0.3},
            {"label_smoothing": 0.3, "class_weights": rng.random(length)},
        ):
            for given_target in (target, y):
                assert_within(config, x, given_target, mask, **options)
        _, grad = cross_entropy(x, target, config, mask, from_logits=True)
        assert not grad[mask].any()


@both
def test_a_row_with_masked_classes_has_the_bits_of_the_row_without_them(config):
    rng = np.random.default_rng(7)
    x, target = draw(config, 40, 12, rng), rng.integers(0, 12, 40)
    mask = rng.random(x.shape) < 0.4
    mask[np.arange(40), target] = False
    weights = rng.random(12)
    for smoothing in (0.0, 0.25):
        loss, grad = cross_entropy(
            x, target, config, mask, label_smoothing=smoothing, class_weights=weights,
            from_logits=True,
        )  # fmt: skip
        for k in range(40):
            here = ~mask[k]
            alone, slope = cross_entropy(
                x[k, here], here[: target[k]].sum(), config, label_smoothing=smoothing,
                class_weights=weights[here], from_logits=True,
            )  # fmt: skip
            assert loss[k] == alone
            np.testing.assert_array_equal(grad[k, here], slope)


def test_a_mask_is_broadcast_and_may_be_one_value():
    config = preset("int8")
    x, target = np.arange(24).reshape(2, 3, 4), np.full((2, 3), 1)
    column = np.array([True, False, False, True])
    for mask in (column, np.broadcast_to(column, x.shape), column[None]):
        loss, grad = cross_entropy(x, target, config, mask)
        assert not grad[..., column].any()
        np.testing.assert_array_equal(loss, cross_entropy(x[..., 1:3], target * 0, config)[0])
    for mask in (None, False):
        np.testing.assert_array_equal(
            cross_entropy(x, target, config, mask)[0], cross_entropy(x, target, config)[0]
        )


@given(
    row=st.lists(st.integers(-(2**15), 2**15 - 1), min_size=1, max_size=30),
    place=st.integers(0, 29),
    spread=st.integers(0, 12),
    smoothing=st.sampled_from([0.0, 0.1]),
    name=st.sampled_from(["base", "tight", "difference", "base, exact sum", "odd scale"]),
)
@settings(max_examples=150, deadline=None, derandomize=True)
def test_any_row_that_hypothesis_makes_up_is_torch_s(row, place, spread, smoothing, name):
    x, target = np.array([row]) >> spread, np.array([place % len(row)])
    assert_within(CONFIGS[name], x, target, label_smoothing=smoothing)


def test_rows_of_the_longest_length_are_torch_s():
    for config in (preset("base"), preset("int8", datapath="exact_sum"), preset("tiny")):
        rng = np.random.default_rng(8)
        x = draw(config, 8, config.max_length, rng)
        assert_within(config, x, rng.integers(0, config.max_length, 8), least=0.2)
        assert_within(config, x, rng.dirichlet(np.ones(config.max_length), 8))


@pytest.mark.parametrize("rest", [0.3, 0.7])
def test_weights_are_rounded_to_the_nearest_24_fraction_bits(rest):
    """A class of p = 0: its gradient is its weight, in a format as fine."""
    config = preset("base", output=UQ(0, 24), max_length=8)
    share = (1000 + rest) * WEIGHT
    row = [20480, -20480]
    _, grad = cross_entropy(row, [1 - share, share], config)
    assert softmax(row, config)[1] == 0
    assert grad[1] == -round(1000 + rest)
    _, grad = cross_entropy(row, 1, config, class_weights=[1, share])
    assert grad[1] == -round(1000 + rest)


def test_known_rows():
    """ln 4, and p - y of quarters; a row that is sure and right, and one that is wrong."""
    config = preset("base")
    loss, grad = cross_entropy([0, 0, 0, 0], 2, config)
    assert loss == round(np.log(4) * 2048)
    assert grad.tolist() == [16384, 16384, -49152, 16384]
    loss, grad = cross_entropy([[20480, -20480]] * 2, [0, 1], config)
    assert loss.tolist() == [0, 20 * 2048]
    assert grad.tolist() == [[0, 0], [65535, -65536]]


# clipped elements


@pytest.mark.parametrize("datapath", ["max_subtract", "exact_sum"])
@pytest.mark.parametrize("name", ["base", "int8"])
def test_a_clipped_element_has_gradient_0_unless_it_is_passed(name, datapath):
    config = preset(name, datapath=datapath, range=4)
    limit = config.range_code
    x = np.array([[limit + 1, limit, -limit, -limit - 1, 5], [0, 1, 2, 3, 4]])
    _, zero = cross_entropy(x, [4, 2], config, from_logits=True)
    passed = config.replace(clip_gradient="pass")
    _, through = cross_entropy(x, [4, 2], passed, from_logits=True)
    assert through[0, 0] == through[0, 1] > 0
    assert zero[0].tolist() == [0, through[0, 1], through[0, 2], 0, through[0, 4]]
    np.testing.assert_array_equal(zero[1], through[1])
    for target in (0, 3):  # the target itself is clipped: its loss stays
        loss, zero = cross_entropy(x[0], target, config, from_logits=True)
        same, through = cross_entropy(x[0], target, passed, from_logits=True)
        assert loss == same > 0
        assert zero[target] == 0 > through[target]


def test_a_clipped_difference_has_gradient_0_and_the_row_s_largest_never():
    config = preset("base", clip="difference", range=2)
    span = config.span
    x = np.array([[30000, 30000 - span, 29999 - span], [-30000, -32768, -30001]])
    _, grad = cross_entropy(x, [0, 0], config, from_logits=True)
    assert (grad != 0).tolist() == [[True, True, False], [True, True, True]]
    _, through = cross_entropy(x, [0, 0], config.replace(clip_gradient="pass"), from_logits=True)
    assert through[0, 2] == through[0, 1] == grad[0, 1]


# rows that are probabilities already


def probabilities(config, shape, rng):
    """Codes of the input format of rounded probabilities."""
    values = rng.normal(0, 2, shape)
    p = np.exp(values) / np.exp(values).sum(axis=-1, keepdims=True)
    return config.input.quantize(p)


@both
def test_rows_that_are_probabilities_already_are_told_once_at_the_caller(config):
    rng = np.random.default_rng(9)
    for shape in ((2,), (5,), (30, 2), (30, 10), (2, 3, 100)):
        x = probabilities(config, shape, rng)
        target = np.zeros(shape[:-1], int)
        with pytest.warns(
            ProbabilitiesGivenWarning, match=r"^x must be logits, and every row sums to 1 as"
        ) as warned:
            result = cross_entropy(x, target, config)
        assert len(warned) == 1
        assert warned[0].filename == __file__
        silent = cross_entropy(x, target, config, from_logits=True)
        for one, other in zip(result, silent, strict=True):
            np.testing.assert_array_equal(one, other)


@both
def test_logits_are_taken_without_a_word(config):
    rng = np.random.default_rng(10)
    lsb = 2**config.input.f
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for x in (
            config.input.quantize(rng.normal(0, 2, (40, 6))),
            np.concatenate([probabilities(config, (30, 6), rng), [[0] * 6]]),  # but for one row
            [[2 * lsb, -lsb]],  # sums to 1, and has a negative one
            [[lsb]],  # an element alone is 1 whatever it is
            [[lsb // 2, lsb // 2 + 2]],  # further off than two roundings
            [[lsb // 2, lsb // 2 - 2]],
            np.zeros((0, 4), int),
        ):
            cross_entropy(x, np.zeros(len(x), int), config)
    with pytest.warns(ProbabilitiesGivenWarning):
        cross_entropy([[lsb // 2, lsb // 2 + 1]], [0], config)


@pytest.mark.parametrize("scale", [1.0, 0.5, 3.0])
def test_from_logits_false_takes_codes_of_probabilities_and_their_logarithms(scale):
    config = preset("base", range=6, scale=scale, loss=UQ(6, 10))
    codes = [[65535, 1, 0, 300], [16384, 16384, 16384, 16384], [60000, 5000, 500, 36]]
    x = []
    with mpmath.workprec(100):
        for row in codes:
            logs = [mpmath.log(mpmath.mpf(p) / 65536) / scale if p else -mpmath.inf for p in row]
            x.append([floor(max(v, -6) * 2048 + mpmath.mpf(0.5)) for v in logs])
    assert x[0][2] == -6 * 2048
    target = [3, 1, 0]
    for options in ({}, {"label_smoothing": 0.1}, {"class_weights": [0.1, 0.2, 1, 0.7]}):
        result = cross_entropy(codes, target, config, from_logits=False, **options)
        same = cross_entropy(x, target, config, from_logits=True, **options)
        for one, other in zip(result, same, strict=True):
            np.testing.assert_array_equal(one, other)


def test_from_logits_false_undoes_the_softmax():
    """-log p of the probabilities of logits, and p - y: as from the logits, but for roundings."""
    config = preset("base")
    rng = np.random.default_rng(11)
    x, target = config.input.quantize(rng.normal(0, 1, (200, 10))), rng.integers(0, 10, 200)
    p = softmax(x, config)
    loss, grad = cross_entropy(p, target, config, from_logits=False)
    exact = -np.log(p[np.arange(200), target] / p.sum(axis=1))
    # the logarithm of a logit that is half an LSB off, and that of the sum of such
    allowed = loss_bound(config).ulp + config.input.lsb * 2.0**config.loss.f
    assert np.abs(loss - exact * 2.0**config.loss.f).max() <= allowed + 1e-9
    y = np.eye(10)[target] * 65536
    off = np.abs(grad - (p / p.sum(axis=1, keepdims=True) * 65536 - y))
    assert off.max() <= bound_ulp(config) + 65536 * config.input.lsb / 2


# shapes and dtypes


def test_rows_lie_along_the_last_axis_and_the_results_are_codes():
    config = preset("int8")
    rng = np.random.default_rng(12)
    x, target = draw(config, 24, 5, rng), rng.integers(0, 5, 24)
    loss, grad = cross_entropy(x, target, config, from_logits=True)
    assert loss.shape == (24,)
    assert grad.shape == (24, 5)
    assert loss.dtype == grad.dtype == np.int64
    shaped = cross_entropy(x.reshape(2, 3, 4, 5), target.reshape(2, 3, 4), config, from_logits=True)
    np.testing.assert_array_equal(shaped[0], loss.reshape(2, 3, 4))
    np.testing.assert_array_equal(shaped[1], grad.reshape(2, 3, 4, 5))
    one_hot = cross_entropy(
        x.reshape(2, 12, 5), np.eye(5)[target].reshape(2, 12, 5), config, from_logits=True
    )
    np.testing.assert_array_equal(one_hot[0], loss.reshape(2, 12))
    single = cross_entropy(x[7], target[7], config, from_logits=True)
    assert single[0].shape == ()
    assert single[0] == loss[7]
    np.testing.assert_array_equal(single[1], grad[7])
    empty = cross_entropy(np.zeros((0, 5), int), np.zeros(0, int), config)
    assert (empty[0].shape, empty[1].shape) == ((0,), (0, 5))
    empty = cross_entropy(np.zeros((0, 5), int), np.zeros((0, 5)), config)
    assert (empty[0].shape, empty[1].shape) == ((0,), (0, 5))


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int16, np.int32, np.uint64])
def test_integers_of_any_width_are_indices(dtype):
    config = preset("int8")
    x, target = np.arange(12).reshape(3, 4) * 3, [3, 0, 1]
    loss, _ = cross_entropy(x, target, config)
    np.testing.assert_array_equal(cross_entropy(x, np.array(target, dtype), config)[0], loss)
    np.testing.assert_array_equal(cross_entropy(x.astype(dtype), target, config)[0], loss)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.longdouble])
def test_floats_of_any_width_are_probabilities(dtype):
    config = preset("int8")
    y = np.array([[0.25, 0.5, 0.125, 0.125], [1, 0, 0, 0]])
    x = np.arange(8).reshape(2, 4) * 3
    loss, _ = cross_entropy(x, y, config)
    np.testing.assert_array_equal(cross_entropy(x, y.astype(dtype), config)[0], loss)


@both
@pytest.mark.parametrize("length", [3, 1000])
def test_rows_beyond_the_block_that_is_computed_at_once_have_the_same_bits(config, length):
    count = 65536 // length + 3
    rng = np.random.default_rng(13)
    x, target = draw(config, count, length, rng), rng.integers(0, length, count)
    loss, grad = cross_entropy(x, target, config, from_logits=True)
    for k in (0, count - 5, count - 4, count - 3, count - 1):
        alone, slope = cross_entropy(x[k], target[k], config, from_logits=True)
        assert loss[k] == alone
        np.testing.assert_array_equal(grad[k], slope)


def test_a_caller_s_arrays_are_left_as_they_were():
    config = preset("int8")
    weights = np.array([0.5, 1, 0.25])
    mask = np.array([[False, False, True]])
    for target in (np.array([0]), np.array([[0.25, 0.75, 0]])):
        arrays = [np.array([[100, -56, 3]]), target, mask, weights]
        copies = [array.copy() for array in arrays]
        cross_entropy(*arrays[:2], config, mask, class_weights=weights, label_smoothing=0.1)
        for array, copy in zip(arrays, copies, strict=True):
            np.testing.assert_array_equal(array, copy)


# what is refused

ROW = [[5, 6, 7]]
PROBABILITIES = "target must be probabilities that sum to 1 in every row, not to "
REFUSED = {
    "real x": (
        ([[0.5, 0.5]], [0]),
        {},
        "x must be an array of integer codes with rows along the last axis, not 2 dimensions of "
        "float64",
    ),
    "a number": (
        (3, 0),
        {},
        "x must be an array of integer codes with rows along the last axis, not 0 dimensions of "
        "int64",
    ),
    "large x": (
        ([[32768, 0]], [0]),
        {},
        "x must hold codes of SQ(5, 11) (-32768 to 32767), not 0 to 32768",
    ),
    "small x": (
        ([[-32769, 0]], [0]),
        {"from_logits": True},
        "x must hold codes of SQ(5, 11) (-32768 to 32767), not -32769 to 0",
    ),
    "no probability": (
        ([[-3, 5]], [0]),
        {"from_logits": False},
        "x must hold codes of UQ(0, 16) (0 to 65535), not -3 to 5",
    ),
    "p of 1": (
        ([[65536, 0]], [0]),
        {"from_logits": False},
        "x must hold codes of UQ(0, 16) (0 to 65535), not 0 to 65536",
    ),
    "long row": (
        ([[0] * 1025], [0]),
        {},
        "x must have rows of 1 to max_length = 1024 elements, not 1025",
    ),
    "empty row": (
        (np.zeros((2, 0), int), [0, 0]),
        {},
        "x must have rows of 1 to max_length = 1024 elements, not 0",
    ),
    "indices of another shape": (
        (ROW, [0, 1]),
        {},
        "target must have shape (1,), a class a row, not (2,)",
    ),
    "indices of a column": (
        (ROW, [[0]]),
        {},
        "target must have shape (1,), a class a row, not (1, 1)",
    ),
    "integers for probabilities": (
        (ROW, [[0, 1, 0]]),
        {},
        "target must have shape (1,), a class a row, not (1, 3)",
    ),
    "floats for indices": (
        (ROW, [1.0]),
        {},
        "target must be integers of shape (1,) (class indices) or floats of shape (1, 3) "
        "(probabilities), not float64 of shape (1,)",
    ),
    "booleans": (
        (ROW, [[True, False, False]]),
        {},
        "target must be integers of shape (1,) (class indices) or floats of shape (1, 3) "
        "(probabilities), not bool of shape (1, 3)",
    ),
    "text": (
        (ROW, ["cat"]),
        {},
        "target must be integers of shape (1,) (class indices) or floats of shape (1, 3) "
        "(probabilities), not <U3 of shape (1,)",
    ),
    "class beyond the row": (
        (ROW * 2, [2, 3]),
        {},
        "target must be a class from 0 to 2 or ignore_index = -100, not 3 (row 1)",
    ),
    "negative class": (
        (ROW, [-1]),
        {"ignore_index": 7},
        "target must be a class from 0 to 2 or ignore_index = 7, not -1 (row 0)",
    ),
    "default ignored class": (
        (ROW, [-100]),
        {"ignore_index": 7},
        "target must be a class from 0 to 2 or ignore_index = 7, not -100 (row 0)",
    ),
    "masked class": (
        (ROW * 2, [0, 1]),
        {"mask": [False, True, False]},
        "target must not be a masked class, as class 1 of row 1 is",
    ),
    "share of a masked class": (
        (ROW, [[0.5, 0.25, 0.25]]),
        {"mask": [False, False, True]},
        "target must not be a masked class, as class 2 of row 0 is",
    ),
    "a row of masked classes": (
        (ROW, [1]),
        {"mask": True},
        "target must not be a masked class, as class 1 of row 0 is",
    ),
    "sum below 1": ((ROW, [[0.5, 0.25, 0.0]]), {}, f"{PROBABILITIES}0.75 (row 0)"),
    "sum above 1": (
        (ROW * 2, [[1.0, 0, 0], [0.5, 0.5, 0.00001]]),
        {},
        f"{PROBABILITIES}1.00001 (row 1)",
    ),
    "no number": ((ROW, [[np.nan, 0.5, 0.5]]), {}, f"{PROBABILITIES}nan (row 0)"),
    "infinite": ((ROW, [[np.inf, 0.5, 0.5]]), {}, f"{PROBABILITIES}inf (row 0)"),
    "negative smoothing": (
        (ROW, [0]),
        {"label_smoothing": -0.1},
        "label_smoothing must be from 0 to 1, not -0.1",
    ),
    "smoothing above 1": (
        (ROW, [0]),
        {"label_smoothing": 1.5},
        "label_smoothing must be from 0 to 1, not 1.5",
    ),
    "smoothing by no number": (
        (ROW, [0]),
        {"label_smoothing": float("nan")},
        "label_smoothing must be from 0 to 1, not nan",
    ),
    "weights of another length": (
        (ROW, [0]),
        {"class_weights": [1, 0.5]},
        "class_weights must be 3 numbers from 0 to 1 (divide by the largest), not [1, 0.5]",
    ),
    "one weight": (
        (ROW, [0]),
        {"class_weights": 0.5},
        "class_weights must be 3 numbers from 0 to 1 (divide by the largest), not 0.5",
    ),
    "weight above 1": (
        (ROW, [0]),
        {"class_weights": [1, 0.5, 1.25]},
        "class_weights must be 3 numbers from 0 to 1 (divide by the largest), not [1, 0.5, 1.25]",
    ),
    "negative weight": (
        (ROW, [0]),
        {"class_weights": [1, 0.5, -0.25]},
        "class_weights must be 3 numbers from 0 to 1 (divide by the largest), not [1, 0.5, -0.25]",
    ),
    "weight that is no number": (
        (ROW, [0]),
        {"class_weights": [1, 0.5, float("nan")]},
        "class_weights must be 3 numbers from 0 to 1 (divide by the largest), not [1, 0.5, nan]",
    ),
}


@pytest.mark.parametrize(("arrays", "options", "sentence"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_is_refused_in_a_sentence(arrays, options, sentence):
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        cross_entropy(*arrays, preset("base"), **options)


def test_a_negative_probability_is_named_by_the_sentence_that_refuses_it():
    with pytest.raises(ValueError, match=r"^target must be probabilities .* not .*-0\.5"):
        cross_entropy(ROW, [[1.5, -0.5, 0.0]], preset("base"))


def test_a_negative_probability_is_refused():
    with pytest.raises(ValueError, match="not negative"):
        cross_entropy(ROW, [[1.5, -0.5, 0.0]], preset("base"))


def test_an_index_that_wraps_to_the_ignored_one_is_outside_the_row():
    with pytest.raises(ValueError, match=r"^target must be a class from 0 to 2"):
        cross_entropy(ROW, np.array([2**64 - 100], np.uint64), preset("base"))


def test_a_mask_of_another_shape_is_refused():
    with pytest.raises(ValueError, match="broadcast"):
        cross_entropy(ROW, [0], preset("base"), mask=[True, False])


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        (
            {"function": "log_softmax", "output": SQ(6, 10)},
            "function must be softmax for cross_entropy, not log_softmax",
        ),
        (
            {"loss": UQ(4, 12)},
            "loss must hold 2 * range * scale + ln max_length and an LSB, 26.93, not UQ(4, 12)",
        ),
    ],
)
def test_configurations_without_a_loss_are_refused(fields, sentence):
    with pytest.raises(ConfigError, match=f"^{re.escape(sentence)}$"):
        cross_entropy(ROW, [0], SoftmaxConfig(**fields))


def test_sums_of_target_probabilities_may_be_a_millionth_off():
    config = preset("base")
    for off in (-9e-7, 9e-7):
        cross_entropy(ROW, [[0.5 + off, 0.5, 0.0]], config)
    for off in (-2e-6, 2e-6):
        with pytest.raises(ValueError, match="sum to 1"):
            cross_entropy(ROW, [[0.5 + off, 0.5, 0.0]], config)


# rows as the hardware gets them


def some_rows(config, count, width, seed):
    """(codes, active, lengths, targets): targets anywhere, and beyond their row."""
    rng = np.random.default_rng(seed)
    codes = draw(config, count, width, rng)
    lengths = rng.integers(1, width + 1, count)
    active = (rng.random(codes.shape) < 0.8) & (np.arange(width) < lengths[:, None])
    return codes, active, lengths, rng.integers(-2, width + 3, count)


@each
def test_every_row_is_ignored_in_error_or_that_of_the_function(config):
    codes, active, lengths, target = some_rows(config, 300, 9, 14)
    rows = cross_entropy_rows(codes, active, lengths, target, config)
    assert (rows.loss.shape, rows.grad.shape) == ((300,), (300, 9))
    kinds = []
    for k in range(300):
        ignored = not 0 <= target[k] < lengths[k]
        error = not ignored and not active[k, target[k]]
        kinds.append((ignored, error))
        assert (rows.ignored[k], rows.error[k]) == (ignored, error)
        if ignored or error:
            assert rows.loss[k] == 0
            assert not rows.grad[k].any()
        else:
            loss, grad = cross_entropy(codes[k], target[k], config, ~active[k], from_logits=True)
            assert rows.loss[k] == loss
            assert rows.grad[k].tolist() == grad.tolist()
        limit = config.range_code
        if config.clip == "input":
            outside = np.abs(codes[k] + 0.0) > limit
        else:
            outside = codes[k][active[k]].max(initial=-(10**6)) - codes[k] > 2 * limit
        assert rows.clipped[k].tolist() == (outside & active[k] & (not error)).tolist()
    for kind in ((False, False), (True, False), (False, True)):
        assert kinds.count(kind) > 12


def test_a_target_at_the_ends_of_its_row_and_beyond():
    config = preset("int8")
    target = np.array([-(2**31), -1, 0, 3, 4, 7, 8, 2**31])
    codes = np.tile(np.arange(8) * 9, (8, 1))
    lengths = np.full(8, 4)
    active = np.arange(8) < lengths[:, None]
    rows = cross_entropy_rows(codes, active, lengths, target, config)
    assert rows.ignored.tolist() == [True, True, False, False, True, True, True, True]
    assert not rows.error.any()
    assert (rows.loss > 0).tolist() == (~rows.ignored).tolist()
    assert rows.grad.any(axis=1).tolist() == (~rows.ignored).tolist()
    assert not rows.grad[:, 4:].any()


def test_a_masked_target_is_an_error_and_its_row_tells_nothing_of_clipping():
    config = preset("int8", range=2)
    codes = np.array([[127, 0, 5], [127, 0, 5], [127, 0, 5]])
    active = np.array([[True, False, True], [True, True, True], [False, False, False]])
    lengths, target = np.array([3, 3, 3]), np.array([1, 1, 0])
    rows = cross_entropy_rows(codes, active, lengths, target, config)
    assert rows.error.tolist() == [True, False, True]
    assert not rows.ignored.any()
    assert rows.clipped.tolist() == [[False] * 3, [True, False, False], [False] * 3]
    assert rows.loss[[0, 2]].tolist() == [0, 0]
    assert not rows.grad[[0, 2]].any()


def test_an_ignored_row_tells_of_clipping_all_the_same():
    config = preset("int8", range=2)
    codes, active = np.array([[127, 0, -128]]), np.array([[True, True, False]])
    rows = cross_entropy_rows(codes, active, np.array([3]), np.array([3]), config)
    assert rows.ignored.tolist() == [True]
    assert rows.clipped.tolist() == [[True, False, False]]
    assert not rows.grad.any()


@both
def test_rows_beyond_one_block_and_no_rows_at_all(config):
    codes, active, lengths, target = some_rows(config, 150, 1000, 15)
    rows = cross_entropy_rows(codes, active, lengths, target, config)
    for k in (0, 64, 65, 66, 149):
        part = slice(k, k + 1)
        alone = cross_entropy_rows(codes[part], active[part], lengths[part], target[part], config)
        assert rows.loss[k] == alone.loss[0]
        np.testing.assert_array_equal(rows.grad[part], alone.grad)
        np.testing.assert_array_equal(rows.clipped[part], alone.clipped)
    none = cross_entropy_rows(codes[:0], active[:0], lengths[:0], target[:0], config)
    assert none.loss.shape == none.ignored.shape == none.error.shape == (0,)
    assert none.grad.shape == none.clipped.shape == (0, 1000)
