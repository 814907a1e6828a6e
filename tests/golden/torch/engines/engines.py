"""The engines under test, each on a device; the tests hand rows to them as NumPy arrays."""

import os
from contextlib import nullcontext
from dataclasses import dataclass, fields
from importlib.util import find_spec

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from softmaxfx.golden.torch.engines.compiled_engine import CompiledEngine, Isa  # noqa: E402
from softmaxfx.golden.torch.engines.engine import Engine  # noqa: E402
from softmaxfx.golden.torch.engines.numpy_engine import NumpyEngine  # noqa: E402
from softmaxfx.golden.torch.engines.torch_engine import TorchEngine  # noqa: E402
from softmaxfx.golden.torch.engines.triton_engine import TritonEngine  # noqa: E402

if find_spec("triton") and not torch.cuda.is_available():
    os.environ.setdefault("TRITON_INTERPRET", "1")  # read when kernels are imported

ON_CUDA = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")


@dataclass(frozen=True)
class Placed:
    """An engine on a device; arrays in, arrays out."""

    engine: Engine
    device: str

    def computing(self, config):
        """A context to compute in; skips where the engine says that it cannot."""
        absence = self.engine.absence(config, torch.device(self.device))
        if absence:
            pytest.skip(f"{self.engine.name}: {absence}")
        # Triton's interpreter computes in NumPy, which warns where a GPU does not
        return np.errstate(all="ignore") if self.engine.name == "triton" else nullcontext()

    def softmax(self, x, config, *, keep_gate=True):
        """The fields of ``Forward``, by name."""
        with self.computing(config):
            return arrays(self.engine.softmax(self.tensor(x), config, keep_gate=keep_gate))

    def softmax_backward(self, p, dp, gate, exponent, config, **options):
        given = (self.tensor(array) for array in (p, dp, gate, exponent))
        with self.computing(config):
            return self.engine.softmax_backward(*given, config, **options).cpu().numpy()

    def cross_entropy(self, x, target, config):
        """The fields of ``Losses``, by name."""
        given = self.tensor(x), self.tensor(target)
        with self.computing(config):
            return arrays(self.engine.cross_entropy(*given, config))

    def cross_entropy_backward(self, x, target, upstream, config):
        given = (self.tensor(array) for array in (x, target, upstream))
        with self.computing(config):
            return self.engine.cross_entropy_backward(*given, config).cpu().numpy()

    def tensor(self, array):
        return torch.from_numpy(np.array(array, order="C")).to(self.device)


def arrays(record):
    """The tensors of a record as arrays, by name."""
    return {each.name: getattr(record, each.name).cpu().numpy() for each in fields(record)}


ENGINES = [
    pytest.param(Placed(NumpyEngine(), "cpu"), id="numpy"),
    pytest.param(Placed(TorchEngine(), "cpu"), id="torch"),
    *(pytest.param(Placed(CompiledEngine(isa), "cpu"), id=f"compiled-{isa.name}") for isa in Isa),
    pytest.param(Placed(TorchEngine(), "cuda"), id="torch-cuda", marks=ON_CUDA),
    pytest.param(Placed(TritonEngine(), "cpu"), id="triton-interpreted", marks=pytest.mark.long),
    pytest.param(Placed(TritonEngine(), "cuda"), id="triton-cuda", marks=ON_CUDA),
]


def assert_same(gate, gold):
    """Every element equal, NaN to NaN, in one dtype and shape."""
    assert (gate.dtype, gate.shape) == (gold.dtype, gold.shape)
    np.testing.assert_array_equal(gate, gold)
