"""What the layer must give: the golden units' codes as values, and who asks for them."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from softmaxfx.golden import softmax_rows  # noqa: E402
from softmaxfx.golden.units.softmax_backward import backward_rows  # noqa: E402


def logits(shape, config, seed=0, dtype=torch.float32):
    """Logits of which some are clipped and some masked; none is half-way between two codes."""
    rng = np.random.default_rng(seed)
    low, high = config.input.min_code, config.input.max_code
    codes = np.clip(rng.normal(0, config.range_code / 1.5, shape), low, high).astype(np.int64)
    x = config.input.to_float(codes) + rng.uniform(-0.4, 0.4, shape) * config.input.lsb
    x = np.where(rng.random(shape) < 0.1, -np.inf, x)
    return torch.from_numpy(x).to(dtype)


class Golden:
    """What the golden units make of a tensor's rows along its last axis.

    Attributes:
        p: values of p, or log p. clipped, active: bool, the tensor's shape.
    """

    def __init__(self, x, config):
        values = x.detach().double().numpy()
        self.config, self.active = config, values != -np.inf
        self.codes = config.input.quantize(np.where(self.active, values, 0))
        rows = softmax_rows(self.codes, config, ~self.active)
        self.codes_of_p, self.clipped, self.exponent = rows.p, rows.clipped, rows.exponent
        self.p = np.ldexp(config.output.to_float(rows.p), -rows.exponent[..., None])

    def gradient(self, dp, grad_exponent=0, seed=0):
        """The gradient by the logits, as float64, for upstream gradients that are multiplied by
        2**grad_exponent before they are quantised."""
        codes = self.config.grad_input.quantize(np.ldexp(dp.double().numpy(), grad_exponent))
        ds = backward_rows(
            self.codes_of_p, codes, self.config, self.clipped, self.exponent, seed=seed
        ).ds
        places = grad_exponent + self.exponent[..., None]
        return np.ldexp(self.config.grad_output.to_float(ds), -places) * self.config.scale


def assert_values(tensor, values):
    """A tensor holds these values, each of them exactly."""
    np.testing.assert_array_equal(tensor.detach().double().numpy(), values)


class Attention(torch.nn.Module):
    """torch.nn.MultiheadAttention in either of its ways."""

    def __init__(self, need_weights):
        super().__init__()
        self.attention = torch.nn.MultiheadAttention(8, 2, batch_first=True)
        self.need_weights = need_weights

    def forward(self, x):
        return self.attention(x, x, x, need_weights=self.need_weights)[0]
