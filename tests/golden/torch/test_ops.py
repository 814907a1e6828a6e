"""The operators: what torch demands of one, and the bits."""

import numpy as np
import pytest

from .units_in_torch import Golden, assert_values, logits, torch

from softmaxfx.golden import PRESETS, SQ, UQ, ConfigError, preset  # isort: skip
from softmaxfx.golden.torch import loss_ops, ops
from softmaxfx.golden.torch.unit import config_of, log_config, resolved, sibling, text_of

CONFIGS = {
    "base": preset("base"),
    "int8_row": preset("int8_row"),
    "logarithm": log_config(preset("base")),
    "float64": preset("base", output=UQ(2, 23)),
    "pass": preset("base", clip_gradient="pass"),
}
NAMED = torch.ops.softmaxfx


def forward(x, config, gradient=ops.GATED, check=True, seed=None, grad_exponent=None):
    return ops.softmax(x, seed, text_of(config), "", gradient, grad_exponent, check)


@pytest.mark.parametrize("name", CONFIGS)
def test_softmax_is_an_operator(name):
    x = logits((5, 13), CONFIGS[name]).requires_grad_()
    for gradient in (ops.GATED, ops.STRAIGHT_THROUGH, ops.NO_GRADIENT):
        args = x, None, text_of(CONFIGS[name]), "", gradient, None, True
        torch.library.opcheck(NAMED.softmax, args)


def test_gradients_are_operators():
    config = preset("int8_row", rounding="stochastic")
    x, dp = logits((4, 11), config), torch.randn(4, 11)
    p, gate, exponent, _ = forward(x, config)
    seed = torch.tensor(7)
    args = p, dp, gate, exponent, seed, text_of(config), "", 0
    torch.library.opcheck(NAMED.softmax_backward, args)
    torch.library.opcheck(NAMED.straight_through_backward, (p, dp))
    torch.library.opcheck(NAMED.log_softmax_backward, (p, dp, gate, x != -torch.inf))


def test_losses_are_operators():
    text, x = text_of(preset("base")), torch.randn(4, 6, requires_grad=True)
    target = torch.tensor([0, 5, -1, 2])
    active = torch.ones(4, 6, dtype=torch.bool)
    z = loss_ops.class_weights(target, active, torch.rand(6), 0.25, True)
    torch.library.opcheck(NAMED.cross_entropy, (x, target, text, "", True))
    torch.library.opcheck(NAMED.cross_entropy, (x, z, text, "", True))
    torch.library.opcheck(NAMED.cross_entropy_backward, (x.detach(), z, torch.randn(4), text, ""))
    torch.library.opcheck(NAMED.classes, (target, 6, -1, True))
    torch.library.opcheck(NAMED.class_weights, (target, active, torch.rand(6), 0.25, True))


@pytest.mark.parametrize("name", CONFIGS)
def test_softmax_gives_the_units_bits(name):
    config = CONFIGS[name]
    x = logits((9, 21), config)
    result, gate, exponent, clipped = forward(x, config)
    gold = Golden(x, config)
    assert_values(result, gold.p)
    assert int(clipped) == gold.clipped.sum() > 0
    if config.clip_gradient == "zero":
        np.testing.assert_array_equal(ops.unpacked(gate, 21).numpy(), gold.clipped)
    else:
        assert gate.shape == (9, 0)
    assert_values(exponent, gold.exponent if config.has_exponent else np.zeros(0))


@pytest.mark.parametrize("gradient", [ops.STRAIGHT_THROUGH, ops.NO_GRADIENT])
def test_no_gate_is_kept_where_none_is_needed(gradient):
    assert forward(torch.randn(3, 9), preset("base"), gradient)[1].shape == (3, 0)


@pytest.mark.parametrize("shape", [(0, 5), (4, 0), (0, 0)])
def test_without_an_element_there_is_nothing(shape):
    x = torch.zeros(shape, requires_grad=True)
    result, *_, clipped = forward(x, preset("base"))
    assert result.shape == shape
    assert int(clipped) == 0
    result.sum().backward()
    assert x.grad.shape == shape


@pytest.mark.parametrize("bad", [torch.nan, torch.inf])
def test_what_is_no_number_is_refused(bad):
    x = torch.zeros(3, 4)
    x[1, 2] = x[2, 0] = bad
    with pytest.raises(ValueError, match=r"not NaN or \+inf as 2 of 12 elements are$"):
        forward(x, preset("base"))
    assert_values(forward(x, preset("base"), check=False)[0][0], np.full(4, 0.25))


def test_rows_that_are_too_long_are_refused():
    sentence = r"^x must have rows of at most max_length = 64 elements, not 65$"
    with pytest.raises(ValueError, match=sentence):
        forward(torch.zeros(1, 65), preset("tiny"))
    with pytest.raises(ValueError, match=sentence):
        loss_ops.cross_entropy(
            torch.zeros(1, 65), torch.zeros(1).long(), text_of(preset("tiny")), "", True
        )
    with torch._subclasses.FakeTensorMode(), pytest.raises(ValueError, match=sentence):
        forward(torch.zeros(1, 65), preset("tiny"))


def once(x, config, gradient):
    """The gradient by x, which can be differentiated again."""
    p = forward(x, config, gradient)[0]
    return torch.autograd.grad((p * p).sum(), x, create_graph=True)[0]


@pytest.mark.parametrize("gradient", [ops.GATED, ops.STRAIGHT_THROUGH])
@pytest.mark.parametrize("name", ["base", "logarithm"])
def test_a_gradient_has_no_gradient(name, gradient):
    x = torch.randn(2, 5, requires_grad=True)
    with pytest.raises(RuntimeError, match=r"^gradients must be taken once: the fixed-point"):
        once(x, CONFIGS[name], gradient).sum().backward()


def test_a_loss_s_gradient_has_no_gradient():
    x = torch.randn(2, 5, requires_grad=True)
    loss, _ = loss_ops.cross_entropy(x, torch.tensor([1, 2]), text_of(preset("base")), "", True)
    (first,) = torch.autograd.grad(loss.sum(), x, create_graph=True)
    with pytest.raises(RuntimeError, match=r"^gradients must be taken once: the fixed-point"):
        first.sum().backward()


@pytest.mark.parametrize("name", ["base", "int8_row", "logarithm"])
@pytest.mark.parametrize("dim", [0, 1])
def test_a_batch_of_vmap_is_more_rows(name, dim):
    x = torch.randn(3, 3, 7)
    result, gate, exponent = torch.vmap(lambda rows: forward(rows, CONFIGS[name])[:3], in_dims=dim)(
        x
    )
    for index, rows in enumerate(x.unbind(dim)):
        alone = forward(rows, CONFIGS[name])
        assert torch.equal(result[index], alone[0])
        assert torch.equal(gate[index], alone[1])
        assert torch.equal(exponent[index], alone[2])


def test_losses_of_a_batch_of_vmap():
    text, x, target = text_of(preset("base")), torch.randn(2, 3, 7), torch.tensor([1, 2, 6])

    def losses(rows):
        return loss_ops.cross_entropy(rows, target, text, "", True)[0]

    assert torch.equal(torch.vmap(losses)(x), torch.stack([losses(rows) for rows in x]))


def test_calls_are_counted():
    before = ops.CALLS.copy()
    x = torch.randn(2, 5, requires_grad=True)
    forward(x, preset("base"))[0].sum().backward()
    assert ops.CALLS - before == {"softmax": 1, "softmax_backward": 1}


@pytest.mark.parametrize("name", PRESETS)
def test_a_configuration_comes_back_from_its_text(name):
    for config in (PRESETS[name], log_config(PRESETS[name]), sibling(log_config(PRESETS[name]))):
        assert config_of(text_of(config)) == config


def test_text_of_no_configuration_is_refused():
    with pytest.raises(ConfigError, match=r"^config must be the JSON of a configuration, not 'b"):
        config_of("base")
    with pytest.raises(ConfigError, match=r"^unknown field 'lane'"):
        config_of('{"lane": 3}')


def test_a_configuration_of_softmax_becomes_one_of_log_softmax():
    assert resolved("base", 1.0, "log_softmax").output == SQ(6, 10)
    assert resolved("base", 4.0, "log_softmax").output == SQ(8, 8)
    assert resolved("int8_row", 1.0, "log_softmax").output_exponent == "none"
    own = preset("base", function="log_softmax", output=SQ(7, 9))
    assert resolved(own, 1.0, "log_softmax") == own


@pytest.mark.parametrize(
    ("config", "scale", "sentence"),
    [
        (3, 1.0, r"^config must be a SoftmaxConfig or the name of a preset, not 3$"),
        ("bass", 1.0, r"^unknown preset 'bass'; presets are base, int8"),
        ("base", 0.0, r"^scale must be a positive number, not 0.0$"),
        ("base", float("inf"), r"^scale must be a positive number, not inf$"),
        ("base", 2.0**50, r"^scale must be a positive number from 2\^-40 to 2\^40, not"),
        (log_config(preset("base")), 1.0, r"^config must have function softmax, not log_softmax$"),
    ],
)
def test_no_such_unit(config, scale, sentence):
    with pytest.raises(ConfigError, match=sentence):
        resolved(config, scale, "softmax")
