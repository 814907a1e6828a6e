"""The gradient that is made with the loss is the one that a pass of its own makes."""

import pytest

from .units_in_torch import torch

from softmaxfx.golden import PRESETS, preset  # isort: skip
from softmaxfx.golden.torch import fixed_cross_entropy
from softmaxfx.golden.torch.engines.compiled_engine import CompiledEngine, Isa
from softmaxfx.golden.torch.engines.registry import engine_for
from softmaxfx.golden.torch.loss_ops import (
    cross_entropy_and_gradient,
    cross_entropy_backward,
    expected_gradient,
)
from softmaxfx.golden.torch.ops import CALLS
from softmaxfx.golden.torch.unit import text_of

ROWS, CLASSES = 37, 41
ENGINES = "compiled", "torch", "numpy"


def given(dtype=torch.float32):
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(ROWS, CLASSES, generator=generator, dtype=torch.float64) * 4
    x[3, 5], x[4, :] = -torch.inf, -torch.inf
    target = torch.randint(CLASSES, (ROWS,), generator=generator)
    target[::7] = -100
    target[3], target[4] = 6, -100
    return x.to(dtype).requires_grad_(), target


def two_passes(x, target, grad_of_loss, **options):
    """The gradient by the rows' losses, none of which is expected to have an upstream gradient."""
    whole = x.float() if x.itemsize == 2 else x  # else the shares would be rounded
    losses = fixed_cross_entropy(whole, target, reduction="none", **options)
    (gradient,) = torch.autograd.grad(losses, x, grad_of_loss.to(losses.dtype))
    return gradient


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
@pytest.mark.parametrize("name", ["base", "int8", "full", "int8_row"])
def test_the_mean_s_gradient_is_that_of_rows_with_equal_shares(name, dtype, engine):
    x, target = given(dtype)
    options = {"config": name, "engine": engine}
    loss = fixed_cross_entropy(x, target, **options)
    (gradient,) = torch.autograd.grad(loss, x)
    counted = int((target >= 0).sum())
    share = torch.full((ROWS,), 1.0, dtype=torch.float64) / counted
    assert torch.equal(gradient, two_passes(x, target, share, **options))
    assert gradient.abs().sum() > 0


@pytest.mark.parametrize("n", [3, 64, 1000])
@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("isa", Isa)
def test_kernels_make_both_as_they_make_each(isa, name, n):
    config, engine = preset(name), CompiledEngine(isa)
    n = min(n, config.max_length)
    if lacking := engine.absence(config, torch.device("cpu")):
        pytest.skip(lacking)
    x = torch.randn(50, n, generator=torch.Generator().manual_seed(n)) * 6
    x[2, :], x[7, 1] = -torch.inf, -torch.inf
    target, upstream = torch.arange(50) % (n + 1) - 1, torch.linspace(-2, 3, 50)
    target[2], target[7] = 0, 0
    losses, gradient = engine.cross_entropy_and_gradient(x, target, upstream, config)
    alone = engine.cross_entropy(x, target, config)
    assert torch.equal(losses.loss, alone.loss)
    assert int(losses.invalid) == int(alone.invalid) == 1
    assert int(losses.clipped) == int(alone.clipped)
    assert torch.equal(gradient, engine.cross_entropy_backward(x, target, upstream, config))


@pytest.mark.parametrize("factor", [1.0, 3.0, 0.3])
@pytest.mark.parametrize("reduction", ["sum", "mean"])
def test_another_upstream_gradient_than_expected_makes_a_pass_of_its_own(reduction, factor):
    x, target = given()
    loss = fixed_cross_entropy(x, target, reduction=reduction) * factor
    (gradient,) = torch.autograd.grad(loss, x)
    over = (target >= 0).sum().double() if reduction == "mean" else 1
    share = torch.full((ROWS,), factor).double() / over
    assert torch.equal(gradient, two_passes(x, target, share))


@pytest.mark.parametrize("weights", ["at most 1", "above 1"])
def test_weights_of_classes(weights):
    x, target = given()
    weight = torch.linspace(0.1, 1 if weights == "at most 1" else 3, CLASSES)
    loss = fixed_cross_entropy(x, target, weight=weight)
    (gradient,) = torch.autograd.grad(loss, x)
    shares = weight.double()[target.clamp(min=0)] * (target >= 0)
    share = torch.full((ROWS,), 1.0).double() / shares.sum()
    assert torch.equal(gradient, two_passes(x, target, share, weight=weight))


def test_probabilities_as_targets():
    x, _ = given()
    target = torch.softmax(torch.randn(ROWS, CLASSES), -1).masked_fill(x.detach() == -torch.inf, 0)
    (gradient,) = torch.autograd.grad(fixed_cross_entropy(x, target), x)
    share = torch.full((ROWS,), 1.0).double() / ROWS
    assert torch.equal(gradient, two_passes(x, target, share))


def test_a_gradient_taken_twice_is_the_same_and_nobody_s_to_change():
    x, target = given()
    loss = fixed_cross_entropy(x, target)
    (first,) = torch.autograd.grad(loss, x, retain_graph=True)
    kept = first.clone()
    loss.backward(retain_graph=True)
    loss.backward()
    assert torch.equal(x.grad, kept * 2)
    assert torch.equal(first, kept)


def test_a_gradient_that_is_added_to_leaves_the_kept_one_alone():
    x, target = given()
    between = x * 1
    loss = fixed_cross_entropy(between, target)
    total = loss + (between.clamp(min=-9) * 2).sum()
    (first,) = torch.autograd.grad(total, x, retain_graph=True)
    (again,) = torch.autograd.grad(total, x)
    assert torch.equal(first, again)


def test_a_gradient_has_no_gradient():
    x, target = given()
    (first,) = torch.autograd.grad(fixed_cross_entropy(x, target), x, create_graph=True)
    with pytest.raises(RuntimeError, match=r"^gradients must be taken once: the fixed-point"):
        first.sum().backward()


def test_the_logits_are_seen_once(monkeypatch):
    engine = engine_for(preset("base"), torch.device("cpu"), "compiled")
    monkeypatch.setattr(type(engine), "cross_entropy_backward", None)
    x, target = given()
    before = CALLS.copy()
    fixed_cross_entropy(x, target, engine="compiled").backward()
    assert CALLS - before == {"cross_entropy": 1, "cross_entropy_backward": 1}


def test_a_scale_is_in_the_gradient():
    x, target = given()
    (gradient,) = torch.autograd.grad(fixed_cross_entropy(x, target, scale=0.5), x)
    share = torch.full((ROWS,), 1.0).double() / (target >= 0).sum()
    assert torch.equal(gradient, two_passes(x, target, share, scale=0.5))


def test_without_a_row_there_is_no_gradient():
    x = torch.zeros(0, 5, requires_grad=True)
    fixed_cross_entropy(x, torch.zeros(0).long(), reduction="sum").backward()
    assert x.grad.shape == (0, 5)


@pytest.mark.parametrize("matches", [True, False])
def test_operators_keep_torch_s_rules(matches):
    x, target = given()
    text, expected = text_of(preset("base")), torch.full((ROWS,), 0.3).double()
    upstream = expected.float() if matches else torch.linspace(0, 1, ROWS)
    loss, clipped, gradient = cross_entropy_and_gradient(x, target, expected, text, "", True)
    assert int(clipped) > 0
    assert torch.equal(gradient, cross_entropy_backward(x, target, expected.float(), text, ""))
    found = expected_gradient(x, target, upstream, expected, gradient, text, "")
    assert torch.equal(found, cross_entropy_backward(x, target, upstream, text, ""))
    assert found.data_ptr() != gradient.data_ptr()
    torch.library.opcheck(
        expected_gradient, (x.detach(), target, upstream, expected, gradient, text, "")
    )
    torch.library.opcheck(cross_entropy_and_gradient, (x, target, expected, text, "", True))
    assert loss.shape == (ROWS,)


@pytest.mark.long
@pytest.mark.parametrize("factor", [1.0, 2.0])
def test_a_compiled_model_has_the_same_gradient(factor):
    x, target = given()

    def loss_of(x):
        return fixed_cross_entropy(x * 0.5, target) * factor

    (eager,) = torch.autograd.grad(loss_of(x), x)
    (compiled,) = torch.autograd.grad(
        torch.compile(loss_of, fullgraph=True, backend="aot_eager")(x), x
    )
    assert torch.equal(eager, compiled)
