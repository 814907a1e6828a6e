"""The engines under test, each on a device; the tests hand rows to them as NumPy arrays."""

from dataclasses import dataclass, fields

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from softmaxfx.golden.torch.engines.engine import Engine  # noqa: E402
from softmaxfx.golden.torch.engines.numpy_engine import NumpyEngine  # noqa: E402
from softmaxfx.golden.torch.engines.torch_engine import TorchEngine  # noqa: E402

ON_CUDA = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")


@dataclass(frozen=True)
class Placed:
    """An engine on a device; arrays in, arrays out."""

    engine: Engine
    device: str

    def require(self, config):
        """Skip where the engine says that it cannot compute a configuration."""
        absence = self.engine.absence(config, torch.device(self.device))
        if absence:
            pytest.skip(f"{self.engine.name}: {absence}")

    def softmax(self, x, config, *, keep_gate=True):
        """The fields of ``Forward``, by name."""
        self.require(config)
        return arrays(self.engine.softmax(self.tensor(x), config, keep_gate=keep_gate))

    def softmax_backward(self, p, dp, gate, exponent, config, **options):
        self.require(config)
        given = (self.tensor(array) for array in (p, dp, gate, exponent))
        return self.engine.softmax_backward(*given, config, **options).cpu().numpy()

    def cross_entropy(self, x, target, config):
        """The fields of ``Losses``, by name."""
        self.require(config)
        return arrays(self.engine.cross_entropy(self.tensor(x), self.tensor(target), config))

    def cross_entropy_backward(self, x, target, upstream, config):
        self.require(config)
        given = (self.tensor(array) for array in (x, target, upstream))
        return self.engine.cross_entropy_backward(*given, config).cpu().numpy()

    def tensor(self, array):
        return torch.from_numpy(np.array(array, order="C")).to(self.device)


def arrays(record):
    """The tensors of a record as arrays, by name."""
    return {each.name: getattr(record, each.name).cpu().numpy() for each in fields(record)}


ENGINES = [
    pytest.param(Placed(NumpyEngine(), "cpu"), id="numpy"),
    pytest.param(Placed(TorchEngine(), "cpu"), id="torch"),
    pytest.param(Placed(TorchEngine(), "cuda"), id="torch-cuda", marks=ON_CUDA),
]


def assert_same(gate, gold):
    """Every element equal, NaN to NaN, in one dtype and shape."""
    assert (gate.dtype, gate.shape) == (gold.dtype, gold.shape)
    np.testing.assert_array_equal(gate, gold)
