"""Softmax, its backward and the cross-entropy, each computed in every way there is, side by side.

Float against float: the explicit Jacobian, the graph in reverse, by a division and by logarithms,
and torch's autograd agree to 1e-12. Central differences agree as well as they can, which is
less: to 1e-11 of the largest value (see ``differences``). The fixed-point units are within their
proven bounds of the float result of the same codes.
"""

import numpy as np
import pytest

from softmaxfx.golden import (
    backward_bound_ulp,
    bound_ulp,
    cross_entropy,
    loss_bound,
    preset,
    softmax,
    softmax_backward,
)
from softmaxfx.golden.graph.notation import read

CLOSE = {"rtol": 1e-12, "atol": 1e-12}
REACHED = 1e-11
STEP = 2.0**-10
"""Of the central differences: a power of two, so that x + h - (x - h) is 2h exactly."""
CONFIGS = {
    f"{name}, {datapath}": preset(name, datapath=datapath)
    for name in ("base", "int8", "tiny", "tight")
    for datapath in ("max_subtract", "exact_sum")
}
each = pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
lengths = pytest.mark.parametrize("n", [1, 2, 3, 6])
ROWS = 12


@pytest.fixture(scope="module")
def torch():
    return pytest.importorskip("torch", reason="torch is not installed")


def draw(config, n, seed=0):
    """(codes, values, slope): rows inside and beyond the range, never on its limits.

    Values are those that the unit sees before it clips; slope is 0 where it does.
    """
    rng = np.random.default_rng(seed + n)
    limit = config.range_code
    codes = config.input.quantize(rng.normal(0, 2, (ROWS, n)))
    codes[::3] = rng.integers(config.input.min_code, config.input.max_code, codes[::3].shape)
    codes[1] = codes[1, 0]  # ties
    codes[2, 0] = config.input.max_code
    codes[3, -1] = config.input.min_code
    codes[np.abs(codes) == limit] -= 1
    codes[np.abs(codes) == limit] -= 1
    assert (np.abs(codes) != limit).all()
    return codes, codes * 2.0**-config.input.f, (np.abs(codes) < limit).astype(float)


def seen(config, values):
    """Values as the unit sees them: clipped to the range."""
    return np.clip(values, -config.range, config.range)


def float_softmax(values):
    e = np.exp(values)
    return e / e.sum(axis=-1, keepdims=True)


def jacobians(p, slope):
    """∂p/∂x of every row, (rows, n, n), entry by entry: p_i (1[i = j] - p_j), 0 where clipped."""
    rows, n = p.shape
    built = np.zeros((rows, n, n))
    for k in range(rows):
        for i in range(n):
            for j in range(n):
                built[k, i, j] = p[k, i] * ((i == j) - p[k, j]) * slope[k, j]
    return built


def differences(function, values):
    """∂(sum of the function)/∂x by central differences of a row's elements, one at a time.

    Of step h and of 2h, combined so that the error is h^4 / 30 of the fifth derivative, 1e-13 at
    h = 2^-10 for derivatives near 1; rounding adds 2^-53 / h of the function's value, 1e-13 of it.
    """
    slopes = np.zeros_like(values)
    for j in range(values.shape[1]):
        h = np.zeros(values.shape[1])
        h[j] = STEP
        near = (function(values + h) - function(values - h)) / (2 * STEP)
        far = (function(values + 2 * h) - function(values - 2 * h)) / (4 * STEP)
        slopes[:, j] = (4 * near - far) / 3
    return slopes


BELOW = "x = 0 0\ny = 0 0\nc = clip(x, {low}, {high})\nd = c - max(c)\n"
SOFTMAX = {
    "by a reciprocal": BELOW + "e = exp(d)\no = e * reciprocal(sum(e))\n",
    "by a logarithm": BELOW + "o = exp(d - ln(sum(exp(d))))\n",
}
LOSS = {
    "of the logarithm": BELOW + "o = sum((ln(sum(exp(d))) - d) * y)\n",
    "of the softmax": BELOW + "e = exp(d)\np = e / sum(e)\no = sum(ln(p) * y) * -1\n",
}


def by_graph(text, config, values, upstream, y=None):
    """(values of o, gradients of x) of a graph, a row at a time."""
    outputs, gradients = [], []
    for row, weights in enumerate(np.broadcast_to(upstream, (len(values), *upstream.shape[1:]))):
        graph = read(text.format(low=-config.range, high=config.range))
        graph.give("x", values[row])
        graph.give("y", values[row] if y is None else y[row])
        graph.forward()
        graph.backward(graph["o"], weights)
        outputs.append(graph["o"].value)
        gradients.append(graph["x"].gradient)
    return np.array(outputs), np.array(gradients)


# softmax


@each
@lengths
def test_every_float_softmax_is_the_same_and_the_unit_s_is_within_its_bound(config, n, torch):
    codes, values, _ = draw(config, n)
    gold = float_softmax(seen(config, values))
    by_torch = torch.softmax(torch.tensor(values).clamp(-config.range, config.range), dim=-1)
    np.testing.assert_allclose(by_torch.numpy(), gold, **CLOSE)
    for text in SOFTMAX.values():
        p, _ = by_graph(text, config, values, np.ones_like(values))
        np.testing.assert_allclose(p, gold, **CLOSE)
    one = 2**config.output.f
    errors = softmax(codes, config) - np.minimum(gold * one, config.output.max_code)
    assert np.abs(errors).max() <= bound_ulp(config) + 1e-9
    assert np.abs(errors).max() > (0.1 if n > 1 else -1)  # it is another computation


# softmax_backward


@each
@lengths
def test_every_float_gradient_of_the_softmax_is_the_same(config, n, torch):
    _, values, slope = draw(config, n, seed=10)
    upstream = np.random.default_rng(n).normal(size=values.shape)
    jacobian = jacobians(float_softmax(seen(config, values)), slope)
    gold = np.einsum("ki,kij->kj", upstream, jacobian)
    leaf = torch.tensor(values, requires_grad=True)
    torch.softmax(leaf.clamp(-config.range, config.range), dim=-1).backward(torch.tensor(upstream))
    np.testing.assert_allclose(leaf.grad.numpy(), gold, **CLOSE)
    for text in SOFTMAX.values():
        _, gradient = by_graph(text, config, values, upstream)
        np.testing.assert_allclose(gradient, gold, **CLOSE)


@each
@lengths
def test_the_graph_s_gradient_of_an_output_is_the_jacobian_s_row(config, n):
    _, values, slope = draw(config, n, seed=20)
    jacobian = jacobians(float_softmax(seen(config, values)), slope)
    for text in SOFTMAX.values():
        for i, unit in enumerate(np.eye(n)):
            _, gradient = by_graph(text, config, values, np.tile(unit, (ROWS, 1)))
            np.testing.assert_allclose(gradient, jacobian[:, i, :], **CLOSE)


@each
@lengths
def test_central_differences_of_the_softmax_come_as_near_as_they_can(config, n):
    _, values, slope = draw(config, n, seed=30)
    # no step across a limit of the range, where there is no derivative
    near = np.abs(np.abs(values) - config.range) <= 2 * STEP
    values = np.where(near, values * 0.5, values)
    slope = np.where(near, 1.0, slope)
    upstream = np.random.default_rng(n).normal(size=values.shape)
    jacobian = jacobians(float_softmax(seen(config, values)), slope)
    gold = np.einsum("ki,kij->kj", upstream, jacobian)
    slopes = differences(lambda x: (upstream * float_softmax(seen(config, x))).sum(axis=1), values)
    assert np.abs(slopes - gold).max() <= REACHED * np.abs(upstream).max()
    for text in SOFTMAX.values():
        _, gradient = by_graph(text, config, values, upstream)
        assert np.abs(slopes - gradient).max() <= REACHED * np.abs(upstream).max()


@each
@lengths
def test_the_backward_unit_is_within_its_bound_of_every_float_gradient_of_its_codes(
    config, n, torch
):
    """The unit's own P, and dP: diag(P) - PPᵀ entry by entry, P (dP - ΣP dP), and torch's."""
    codes, _, slope = draw(config, n, seed=40)
    fmt = config.grad_input
    dp = np.random.default_rng(n).integers(fmt.min_code, fmt.max_code, codes.shape)
    p = softmax(codes, config)
    values, upstream = p * 2.0**-config.output.f, dp * 2.0**-fmt.f
    explicit = np.einsum("ki,kij->kj", upstream, jacobians(values, slope))
    short = values * (upstream - (values * upstream).sum(axis=1, keepdims=True))
    np.testing.assert_allclose(short * slope, explicit, **CLOSE)
    of_torch = torch._softmax_backward_data(
        torch.tensor(upstream), torch.tensor(values), -1, torch.float64
    )
    np.testing.assert_allclose(of_torch.numpy() * slope, explicit, **CLOSE)
    ds = softmax_backward(p, dp, config, clipped=slope == 0)
    errors = np.abs(ds - explicit * 2.0**config.grad_output.f)
    assert errors.max() <= backward_bound_ulp(config) + 1e-9
    assert errors.max() > (0.1 if n > 1 else -1)
    assert not ds[slope == 0].any()


@each
@lengths
def test_both_units_in_turn_are_as_near_to_autograd_as_their_two_bounds_allow(config, n, torch):
    """From the logits: P is off by its bound b, so that P (dP - D) is off by no more than
    b |dP - D| + (P + b) b Σ|dP|, and by what the backward unit adds."""
    codes, values, slope = draw(config, n, seed=50)
    fmt = config.grad_input
    dp = np.random.default_rng(n).integers(fmt.min_code, fmt.max_code, codes.shape)
    upstream = dp * 2.0**-fmt.f
    leaf = torch.tensor(values, requires_grad=True)
    p = torch.softmax(leaf.clamp(-config.range, config.range), dim=-1)
    p.backward(torch.tensor(upstream))
    p = p.detach().numpy()
    # 1 has no code: where p is 1, the largest code is an LSB off
    off = (bound_ulp(config) + 1) * 2.0**-config.output.f
    d = (p * upstream).sum(axis=1, keepdims=True)
    allowed = off * np.abs(upstream - d)
    allowed += (p + off) * off * np.abs(upstream).sum(axis=1, keepdims=True)
    allowed += backward_bound_ulp(config) * 2.0**-config.grad_output.f
    ds = softmax_backward(softmax(codes, config), dp, config, clipped=slope == 0)
    errors = np.abs(ds * 2.0**-config.grad_output.f - leaf.grad.numpy())
    assert (errors <= allowed + 1e-12).all()


# cross_entropy


def targets(n, kind, seed=0):
    """(target, its weights y): classes, or probabilities in whole 256ths."""
    rng = np.random.default_rng(seed + 100 * n)
    if kind == "index":
        target = rng.integers(0, n, ROWS)
        return target, np.eye(n)[target]
    y = rng.multinomial(256, rng.dirichlet(np.ones(n)), ROWS) / 256
    return y, y


kinds = pytest.mark.parametrize("kind", ["index", "probabilities"])


def float_loss(values, y):
    """-sum y log p, one row at a time."""
    total = np.log(np.exp(values).sum(axis=1, keepdims=True))
    return (y * (total - values)).sum(axis=1)


@each
@lengths
@kinds
def test_every_float_loss_and_gradient_is_the_same(config, n, kind, torch):
    _, values, slope = draw(config, n, seed=60)
    target, y = targets(n, kind)
    gold = float_loss(seen(config, values), y)
    p = float_softmax(seen(config, values))
    gradient = (p - y) * slope
    # the Jacobian of log p, of which -y is applied: 1[i = j] - p_j
    log_jacobian = (np.eye(n) - p[:, None, :]) * slope[:, None, :]
    np.testing.assert_allclose(np.einsum("ki,kij->kj", -y, log_jacobian), gradient, **CLOSE)
    # and that of the softmax below -y / p
    chained = np.einsum("ki,kij->kj", -y / p, jacobians(p, slope))
    np.testing.assert_allclose(chained, gradient, **CLOSE)
    leaf = torch.tensor(values, requires_grad=True)
    loss = torch.nn.functional.cross_entropy(
        leaf.clamp(-config.range, config.range), torch.tensor(target), reduction="none"
    )
    loss.sum().backward()
    np.testing.assert_allclose(loss.detach().numpy(), gold, **CLOSE)
    np.testing.assert_allclose(leaf.grad.numpy(), gradient, **CLOSE)
    for text in LOSS.values():
        losses, of_x = by_graph(text, config, values, np.ones(ROWS), y)
        np.testing.assert_allclose(losses.ravel(), gold, **CLOSE)
        np.testing.assert_allclose(of_x, gradient, **CLOSE)


@each
@lengths
@kinds
def test_central_differences_of_the_loss_come_as_near_as_they_can(config, n, kind):
    _, values, slope = draw(config, n, seed=80)
    near = np.abs(np.abs(values) - config.range) <= 2 * STEP
    values = np.where(near, values * 0.5, values)
    slope = np.where(near, 1.0, slope)
    _, y = targets(n, kind)
    gradient = (float_softmax(seen(config, values)) - y) * slope
    slopes = differences(lambda x: float_loss(seen(config, x), y), values)
    assert np.abs(slopes - gradient).max() <= REACHED


@each
@lengths
@kinds
def test_the_cross_entropy_unit_is_within_its_bounds_of_autograd(config, n, kind, torch):
    """Target probabilities in whole 256ths have no error of their own, but are rounded once more
    in the gradient."""
    codes, values, _ = draw(config, n, seed=90)
    target, _ = targets(n, kind, seed=1)
    leaf = torch.tensor(values, requires_grad=True)
    gold = torch.nn.functional.cross_entropy(
        leaf.clamp(-config.range, config.range), torch.tensor(target), reduction="none"
    )
    gold.sum().backward()
    loss, gradient = cross_entropy(codes, target, config, from_logits=True)
    of_loss = np.abs(loss - gold.detach().numpy() * 2.0**config.loss.f)
    assert of_loss.max() <= loss_bound(config).ulp + 1e-9
    fmt = config.loss_grad
    exact = np.clip(leaf.grad.numpy() * 2.0**fmt.f, fmt.min_code, fmt.max_code)
    of_gradient = np.abs(gradient - exact)
    again = 0.5 if kind == "probabilities" else 0.0
    assert of_gradient.max() <= bound_ulp(config) + again + 1e-9
    if n > 1:
        assert of_loss.max() > 0.1
        assert of_gradient.max() > 0.1


@each
def test_the_backward_unit_below_a_logarithm_is_the_cross_entropy_unit_s_gradient(config):
    """dP = -1/p at the target gives p - y: a quarter of it, for dP's format does not hold 1/p."""
    config = config.replace(clip_gradient="pass")
    scaled = 0.25  # dP = -1/(4 p), which is above -1: the target is the likeliest of three
    codes, _, _ = draw(config, 3, seed=100)
    p = softmax(codes, config)
    target = p.argmax(axis=1)
    chosen = p[np.arange(ROWS), target] * 2.0**-config.output.f
    dp = np.zeros_like(p)
    dp[np.arange(ROWS), target] = config.grad_input.quantize(-scaled / chosen)
    ds = softmax_backward(p, dp, config) * 2.0**-config.grad_output.f / scaled
    _, gradient = cross_entropy(codes, target, config, from_logits=True)
    apart = np.abs(ds - gradient * 2.0**-config.loss_grad.f)
    # the p is the same, but for one that is 1; dP's rounding and the backward unit's are added
    allowed = 0.5 * config.grad_input.lsb + backward_bound_ulp(config) * config.grad_output.lsb
    allowed = allowed / scaled + config.output.lsb
    assert apart.max() <= allowed
