"""Cross-entropy as torch's function and module: the bits, and torch's behaviour."""

import numpy as np
import pytest

from .units_in_torch import assert_values, torch

from softmaxfx.golden import SQ, UQ, ConfigError, SoftmaxConfig, cross_entropy, loss_bound, preset  # isort: skip
from softmaxfx.golden.torch import FixedCrossEntropyLoss, fixed_cross_entropy

FINE = SoftmaxConfig(input=SQ(6, 12), output=UQ(1, 23), range=20, loss=UQ(6, 16))
CLASSES = 7
floating = torch.nn.functional.cross_entropy


def logits(*shape, config=FINE, seed=0):
    """Logits that are codes, so that float and fixed start from the same."""
    rng = np.random.default_rng(seed)
    x = config.input.to_float(config.input.quantize(rng.normal(0, 3, shape)))
    return torch.from_numpy(x)


def classes(*shape, ignored=None):
    target = torch.from_numpy(np.random.default_rng(1).integers(0, CLASSES, shape))
    if ignored is not None:
        target.view(-1)[::3] = ignored
    return target


def with_gradient(function, x, *args, **options):
    """(result, gradient by x of its sum)."""
    x = x.detach().requires_grad_()
    result = function(x, *args, **options)
    result.sum().backward()
    return result.detach(), x.grad


@pytest.mark.parametrize("name", ["base", "int8", "full"])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"label_smoothing": 0.3},
        {"class_weights": np.linspace(0, 1, CLASSES)},
        {"label_smoothing": 0.1, "class_weights": np.linspace(1, 0.25, CLASSES)},
    ],
    ids=["plain", "smoothed", "weighted", "both"],
)
def test_losses_and_gradients_are_the_units_bits(name, options):
    config = preset(name)
    x, target = logits(20, CLASSES, config=config).float() * 2, classes(20, ignored=-100)
    x = x.clamp(-config.range, config.range)
    loss, grad = cross_entropy(
        config.input.quantize(x.numpy()), target.numpy(), config, from_logits=True, **options
    )
    weights = options.get("class_weights")
    how = {
        "weight": None if weights is None else torch.from_numpy(weights),
        "label_smoothing": options.get("label_smoothing", 0.0),
        "reduction": "none",
    }
    gate, gradient = with_gradient(fixed_cross_entropy, x, target, config=config, **how)
    assert_values(gate, config.loss.to_float(loss))
    assert_values(gradient, config.loss_grad.to_float(grad))


def test_probabilities_are_the_units_bits():
    config = preset("base")
    x = logits(20, CLASSES, config=config)
    target = torch.softmax(logits(20, CLASSES, seed=2), -1)
    loss, grad = cross_entropy(config.input.quantize(x.numpy()), target.numpy(), config)
    gate, gradient = with_gradient(fixed_cross_entropy, x, target, reduction="none")
    assert_values(gate, config.loss.to_float(loss))
    assert_values(gradient, config.loss_grad.to_float(grad))


WEIGHTS = torch.tensor([0.0, 1, 2, 3, 4, 5, 0.5], dtype=torch.float64)


@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@pytest.mark.parametrize("weight", [None, WEIGHTS], ids=["even", "weighted"])
@pytest.mark.parametrize("smoothing", [0.0, 0.25])
@pytest.mark.parametrize("shape", [(9,), (4, 3), (3, 2, 5)])
def test_arguments_mean_what_they_mean_in_torch(reduction, weight, smoothing, shape):
    x = logits(shape[0], CLASSES, *shape[1:])
    how = {"weight": weight, "reduction": reduction, "label_smoothing": smoothing}
    for target, more in (
        (classes(*shape), {}),
        (classes(*shape, ignored=3), {"ignore_index": 3}),
        (torch.softmax(logits(*x.shape, seed=3), 1), {}),
    ):
        gate, gradient = with_gradient(fixed_cross_entropy, x, target, config=FINE, **how, **more)
        gold, expected = with_gradient(floating, x, target, **how, **more)
        most = 1 if weight is None else float(weight.max())
        # a weight is rounded to 2**-25 of the largest, and a loss is at most 64
        off = most * (loss_bound(FINE).ulp * FINE.loss.lsb + CLASSES * 64 * 2.0**-25)
        off *= gold.numel() if reduction == "none" else x[:, 0].numel() if reduction == "sum" else 9
        torch.testing.assert_close(gate, gold, rtol=0, atol=off)
        torch.testing.assert_close(gradient, expected, rtol=0, atol=most * 2e-6)


@pytest.mark.parametrize("target", [torch.tensor(2), torch.full((CLASSES,), 1 / CLASSES).double()])
@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
def test_one_row_needs_no_batch(target, reduction):
    x = logits(CLASSES)
    gate = fixed_cross_entropy(x, target, reduction=reduction, config=FINE)
    gold = floating(x, target, reduction=reduction)
    torch.testing.assert_close(gate, gold, rtol=0, atol=4 * FINE.loss.lsb)


def test_a_mean_over_nothing_is_no_number_as_in_torch():
    x = logits(3, CLASSES)
    for target in (torch.full((3,), -100), torch.zeros(0, dtype=torch.int64)):
        assert fixed_cross_entropy(x[: len(target)], target).isnan()
        assert floating(x[: len(target)], target).isnan()


def test_the_mean_of_losses_is_exact_until_it_is_divided():
    x, target = logits(1000, CLASSES).float(), classes(1000)
    losses = fixed_cross_entropy(x, target, reduction="none").double()
    assert fixed_cross_entropy(x, target) == (losses.numpy().sum() / 1000).astype(np.float32)
    order = torch.randperm(1000)
    assert fixed_cross_entropy(x[order], target[order]) == fixed_cross_entropy(x, target)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_every_float_goes_in_and_comes_out(dtype):
    x, target = logits(5, CLASSES).to(dtype).requires_grad_(), classes(5)
    loss = fixed_cross_entropy(x, target)
    assert loss.dtype == dtype
    loss.backward()
    assert x.grad.dtype == dtype
    with torch.autocast("cpu"):
        assert fixed_cross_entropy(x, target).dtype == floating(x, target).dtype


def test_a_scale_is_that_of_the_configuration():
    x, target = logits(8, CLASSES, config=preset("base")), classes(8)
    config = preset("base", scale=0.5)
    loss, grad = cross_entropy(config.input.quantize(x.numpy()), target.numpy(), config)
    gate, gradient = with_gradient(fixed_cross_entropy, x, target, reduction="sum", scale=0.5)
    assert_values(gate, config.loss.to_float(loss).sum())
    assert_values(gradient, config.loss_grad.to_float(grad) / 2)


def test_older_arguments_name_the_reduction():
    x, target = logits(5, CLASSES), classes(5)
    with pytest.warns(UserWarning, match=r"please use reduction='sum' instead"):
        loss = FixedCrossEntropyLoss(size_average=False)
    assert loss.reduction == "sum"
    with pytest.warns(UserWarning, match=r"please use reduction='none' instead"):
        assert fixed_cross_entropy(x, target, reduce=False).shape == (5,)


def test_a_module_counts_what_was_clipped_and_is_torch_s():
    loss = FixedCrossEntropyLoss(WEIGHTS.float(), ignore_index=3, reduction="sum", engine="numpy")
    x, target = torch.full((2, CLASSES), 11.0), torch.tensor([1, 3])
    assert loss(x, target) == fixed_cross_entropy(
        x, target, WEIGHTS.float(), ignore_index=3, reduction="sum"
    )
    assert int(loss.clipped) == 2 * CLASSES
    assert isinstance(loss, torch.nn.CrossEntropyLoss)
    assert set(loss.state_dict()) == {"weight", "_extra_state"}
    assert repr(loss) == (
        "FixedCrossEntropyLoss(SQ(5, 11) -> UQ(5, 11), max_subtract, scale=1, engine='numpy')"
    )


def test_masked_classes_take_no_share_of_the_smoothing():
    x = torch.tensor([[1.0, 2.0, -torch.inf]])
    loss = fixed_cross_entropy(x, torch.tensor([1]), label_smoothing=0.5)
    assert loss == fixed_cross_entropy(x[:, :2], torch.tensor([1]), label_smoothing=0.5)
    marked = torch.tensor([[1.0, 2.0, -3e38]])
    assert loss == fixed_cross_entropy(
        marked, torch.tensor([1]), label_smoothing=0.5, mask_value=-1e4
    )


ROWS = torch.zeros(2, 3)
SURE = torch.tensor([0, 1])


@pytest.mark.parametrize(
    ("args", "options", "sentence"),
    [
        ((ROWS, torch.tensor([0, 3])), {}, r"^target must be a class from 0 to 2 or ignore_index ="
         r" -100, not 3 \(row 1\)$"),
        ((ROWS, torch.tensor([0.0, 1.0])), {}, r"^target must be classes, int64 of shape \(2,\), or"
         r" probabilities, floats of shape \(2, 3\), not float32 of shape \(2,\)$"),
        ((ROWS, SURE.int()), {}, r"not int32 of shape \(2,\)$"),
        ((torch.tensor(1.0), SURE), {}, r"^input must have classes along an axis, not no dim"),
        ((ROWS.long(), SURE), {}, r"^input must be float16, bfloat16, float32 or float64, not int"),
        ((ROWS, SURE, torch.ones(2)), {}, r"^weight must be 3 numbers, one a class, not of shape"),
        ((ROWS, SURE, -torch.ones(3)), {}, r"^weight must hold no negative number, not -1$"),
        ((ROWS, ROWS), {"ignore_index": 2}, r"^ignore_index must be negative where target holds"),
        ((ROWS, ROWS - 1), {}, r"^target must be probabilities, not negative and of a sum of at "
         r"most 1.005, unlike row 0 with the least -1 and the sum -3$"),
        ((ROWS, ROWS + 0.4), {}, r"unlike row 0 with the least 0.4 and the sum 1.2$"),
        ((ROWS, ROWS.clone().requires_grad_()), {}, r"^target must not need a gradient"),
        ((ROWS * torch.nan, SURE), {}, r"^input must be numbers, or -inf for a masked class"),
        ((ROWS - torch.inf, SURE), {}, r"^input must be numbers, or -inf for a masked class"),
        ((torch.zeros(2, 1025), SURE), {}, r"^x must have rows of at most max_length = 1024 ele"),
    ],
)  # fmt: skip
def test_what_is_no_loss_is_refused(args, options, sentence):
    with pytest.raises(ValueError, match=sentence):
        fixed_cross_entropy(*args, **options)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"reduction": "max"}, r"^reduction must be one of none, mean, sum, not 'max'$"),
        ({"label_smoothing": 1.5}, r"^label_smoothing must be from 0 to 1, not 1.5$"),
        ({"config": preset("base", range=15)}, r"^loss must hold 2 \* range \* scale \+ ln max_l"),
    ],
)
def test_choices_that_break_a_rule(options, sentence):
    with pytest.raises(ConfigError, match=sentence):
        fixed_cross_entropy(ROWS, SURE, **options)


def test_compilers_see_no_break():
    loss = FixedCrossEntropyLoss(WEIGHTS.float(), label_smoothing=0.1)
    compiled = torch.compile(loss, fullgraph=True, backend="aot_eager")
    x, target = logits(6, CLASSES).float(), classes(6)
    for gate, gold in zip(
        with_gradient(compiled, x, target), with_gradient(loss, x, target), strict=True
    ):
        assert torch.equal(gate, gold)


def test_unchecked_what_is_no_class_has_no_loss():
    losses = fixed_cross_entropy(ROWS, torch.tensor([5, 1]), reduction="none", check=False)
    assert losses[0] == 0 < losses[1]
    mean = fixed_cross_entropy(ROWS, torch.tensor([5, 1]), torch.ones(3), check=False)
    assert mean == losses[1]
