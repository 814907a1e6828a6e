"""The grouped gates against torch's autograd in float64, and against text-book numbers."""

import numpy as np
import pytest

from softmaxfx.golden.graph.grouped_gates import Clip, Sigmoid, Softmax, SoftmaxWithLoss

SHAPES = [(1,), (7,), (4, 9), (2, 3, 5)]


def assert_close_to_torch(gate, function, *inputs, constants=()):
    """Value and gradients of a gate are those of a torch function of the same inputs."""
    torch = pytest.importorskip("torch", reason="torch is not installed")
    rng = np.random.default_rng(5)
    tensors = [torch.tensor(x, requires_grad=True) for x in inputs]
    gold = function(torch, *tensors, *map(torch.tensor, constants))
    arrays = (*inputs, *(np.asarray(c, float) for c in constants))
    value = gate.forward(*arrays)
    np.testing.assert_allclose(value, gold.detach().numpy(), rtol=1e-12, atol=1e-12)
    upstream = np.asarray(rng.normal(size=value.shape))
    gold.backward(torch.tensor(upstream))
    gradients = gate.backward(upstream, arrays, value)
    for gradient, tensor in zip(gradients, tensors, strict=False):
        np.testing.assert_allclose(gradient, tensor.grad.numpy(), rtol=1e-12, atol=1e-12)


def logits(shape, spread=4.0):
    return np.random.default_rng(6).normal(0, spread, shape)


@pytest.mark.parametrize("shape", SHAPES)
def test_sigmoid_is_torchs(shape):
    assert_close_to_torch(Sigmoid(), lambda torch, x: torch.sigmoid(x), logits(shape))


def test_sigmoid_does_not_overflow():
    x = np.array([-800.0, 0, 800])
    assert Sigmoid().forward(x).tolist() == [0, 0.5, 1]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("spread", [1.0, 300.0])
def test_softmax_is_torchs(shape, spread):
    assert_close_to_torch(
        Softmax(), lambda torch, x: torch.softmax(x, dim=-1), logits(shape, spread)
    )


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("spread", [1.0, 300.0])
def test_loss_of_an_index_is_torchs(shape, spread):
    targets = np.random.default_rng(7).integers(0, shape[-1], shape[:-1])

    def loss(torch, x, t):
        flat = torch.nn.functional.cross_entropy(
            x.reshape(-1, shape[-1]), t.reshape(-1), reduction="none"
        )
        return flat.reshape(shape[:-1])

    assert_close_to_torch(SoftmaxWithLoss(), loss, logits(shape, spread), constants=(targets,))


@pytest.mark.parametrize("shape", [(7,), (4, 9)])
def test_loss_of_probabilities_is_torchs_for_both_inputs(shape):
    y = np.random.default_rng(8).dirichlet(np.ones(shape[-1]), shape[:-1])

    def loss(torch, x, t):
        return torch.nn.functional.cross_entropy(x, t, reduction="none")

    assert_close_to_torch(SoftmaxWithLoss("probabilities"), loss, logits(shape), y)


def test_loss_is_ln_of_the_sum_less_the_targets_distance_and_its_gradient_p_minus_y():
    x, t = logits((4, 6)), np.array([0.0, 5, 2, 2])
    gate = SoftmaxWithLoss()
    below = x - x.max(axis=-1, keepdims=True)
    chosen = below[np.arange(4), t.astype(int)]
    loss = gate.forward(x, t)
    np.testing.assert_allclose(loss, np.log(np.exp(below).sum(axis=-1)) - chosen, rtol=1e-14)
    gradient, of_targets = gate.backward(np.ones(4), (x, t), loss)
    y = np.eye(6)[t.astype(int)]
    np.testing.assert_allclose(gradient, Softmax().forward(x) - y, atol=1e-15)
    assert not of_targets.any()


def test_an_index_and_its_probabilities_have_the_same_loss_and_gradient():
    x, t = logits((4, 6)), np.array([0.0, 5, 2, 2])
    inputs = (x, np.eye(6)[t.astype(int)])
    by_index, by_weight = SoftmaxWithLoss(), SoftmaxWithLoss("probabilities")
    loss = by_index.forward(x, t)
    np.testing.assert_array_equal(loss, by_weight.forward(*inputs))
    np.testing.assert_array_equal(
        by_index.backward(np.ones(4), (x, t), loss)[0],
        by_weight.backward(np.ones(4), inputs, loss)[0],
    )


@pytest.mark.parametrize(("gradient", "expected"), [("zero", [0, 1, 1, 1, 0]), ("pass", [1] * 5)])
def test_clip_limits_the_value_and_its_rule_the_gradient(gradient, expected):
    gate, x = Clip(-1, 2, gradient), np.array([-1.5, -1.0, 0.5, 2.0, 2.5])
    value = gate.forward(x)
    assert value.tolist() == [-1, -1, 0.5, 2, 2]
    assert gate.backward(np.ones(5), (x,), value)[0].tolist() == expected
    assert gate.push((np.ones(5),), (x,), value).tolist() == expected


def test_clip_is_torchs_clamp_on_its_limits_too():
    x = np.array([-1.5, -1.0, 0.5, 2.0, 2.5])
    assert_close_to_torch(Clip(-1, 2), lambda torch, x: torch.clamp(x, -1, 2), x)


P = np.array([0.1, 0.5, 0.4])


def test_the_text_books_softmax_jacobian():
    jacobian = np.diag(P) - np.outer(P, P)
    gold = [[0.09, -0.05, -0.04], [-0.05, 0.25, -0.20], [-0.04, -0.20, 0.24]]
    np.testing.assert_allclose(jacobian, gold, atol=1e-15)
    x = np.log(P)
    p = Softmax().forward(x)
    np.testing.assert_allclose(p, P, rtol=1e-14)
    rows = [Softmax().backward(row, (x,), p)[0] for row in np.eye(3)]
    columns = [Softmax().push((column,), (x,), p) for column in np.eye(3)]
    np.testing.assert_allclose(rows, gold, atol=1e-15)
    np.testing.assert_allclose(np.stack(columns, axis=1), gold, atol=1e-15)


def test_the_softmax_jacobian_times_a_gradient_in_its_three_forms():
    rng = np.random.default_rng(9)
    for n in (1, 2, 3, 10, 100):
        p, dp = rng.dirichlet(np.ones(n)), rng.normal(size=n)
        x = np.log(p)
        (gate,) = Softmax().backward(dp, (x,), p)
        for gold in (
            (np.diag(p) - np.outer(p, p)) @ dp,
            p * dp - (p @ dp) * p,
            p * (dp - (p * dp).sum()),
        ):
            np.testing.assert_allclose(gate, gold, rtol=1e-12, atol=1e-15)


def test_a_row_of_softmax_gradients_sums_to_zero():
    x = logits((20, 30))
    p = Softmax().forward(x)
    (gradient,) = Softmax().backward(logits((20, 30)), (x,), p)
    np.testing.assert_allclose(gradient.sum(axis=-1), 0, atol=1e-14)


@pytest.mark.parametrize(
    ("gate", "targets", "message"),
    [
        (SoftmaxWithLoss(), [0.0, 3], "targets must be whole numbers from 0 to 2, not 3"),
        (SoftmaxWithLoss(), [-1.0, 0], "targets must be whole numbers from 0 to 2, not -1"),
        (SoftmaxWithLoss(), [0.5, 0], "targets must be whole numbers from 0 to 2, not 0.5"),
        (SoftmaxWithLoss(), 0.0, r"targets \(index\) for logits .* shape \(2,\), not \(\)"),
        (SoftmaxWithLoss("probabilities"), [0.0, 1], r"must have shape \(2, 3\), not \(2,\)"),
    ],
)
def test_targets_that_fit_no_logits_are_refused(gate, targets, message):
    with pytest.raises(ValueError, match=message):
        gate.forward(np.zeros((2, 3)), np.asarray(targets))


def test_an_index_outside_a_single_row_is_refused():
    with pytest.raises(ValueError, match="whole numbers from 0 to 2, not 7"):
        SoftmaxWithLoss().forward(np.zeros(3), np.array(7.0))


def test_settings_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match='targets must be "index" or "probabilities", not \'all\''):
        SoftmaxWithLoss("all")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match='gradient of a clip gate must be "zero" or "pass", not 1'):
        Clip(-1, 1, 1)  # type: ignore[arg-type]
    for low, high in ((1, -1), (np.nan, 1), (-np.inf, 1)):
        with pytest.raises(ValueError, match="limits of a clip gate must be finite, low <= high"):
            Clip(low, high)
