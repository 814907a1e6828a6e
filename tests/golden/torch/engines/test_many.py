"""The compiled kernels against the golden units on 10^8 elements, in every configuration."""

import numpy as np
import pytest

from softmaxfx.study import recordings

from .configs import CONFIGS
from .engines import torch

from softmaxfx.golden.torch.engines.compiled_engine import CompiledEngine, Isa  # isort: skip
from softmaxfx.golden.torch.engines.numpy_engine import NumpyEngine

pytestmark = pytest.mark.long

ELEMENTS = 10**8
EACH = ELEMENTS // (len(CONFIGS) * len(Isa))
"""Elements of a configuration that every set of instructions is given."""
CPU = torch.device("cpu")
SEED = 11


def ties(config):
    """Logits half-way between codes and their neighbours, around the range and all over it."""
    lowest, highest = config.lowest - 2, config.highest + 2
    codes = np.linspace(lowest, highest, min(highest - lowest + 1, EACH // 12)).round()
    values = ((codes + 0.5) * config.input.lsb).astype(np.float32)
    beside = (np.nextafter(values, np.float32(way)) for way in (-np.inf, np.inf))
    return np.concatenate([values, *beside, (codes * config.input.lsb).astype(np.float32)])


def recorded():
    """Logits that networks gave, one after the other."""
    kept = [recordings.load(name).ravel() for name in recordings.names()]
    values = np.concatenate(kept)
    return values[np.isfinite(values)].astype(np.float32)


def rows(config, rng):
    """Rows of several lengths and scales: random, tied and recorded logits, some masked."""
    given = np.concatenate([ties(config), rng.permutation(recorded())[: EACH // 4]])
    spread = np.exp2(rng.uniform(-2, 3, EACH)).astype(np.float32)
    values = rng.permutation(np.concatenate([given, spread * rng.normal(0, 1, EACH)]))[:EACH]
    values[rng.random(len(values)) < 0.02] = -np.inf
    for part in np.array_split(values.astype(np.float32), 4):
        n = int(rng.choice([1, 10, 64, 197, 512, 1000, 1024], p=[0.02, *[0.98 / 6] * 6]))
        n = min(n, config.max_length)
        yield np.ascontiguousarray(part[: len(part) // n * n].reshape(-1, n))


def same(gates, gold):
    for name in gold.__slots__:
        assert all(torch.equal(getattr(gate, name), getattr(gold, name)) for gate in gates), name


def equal(gates, gold):
    assert all(torch.equal(gate, gold) for gate in gates)


@pytest.mark.parametrize("isa", Isa)
def test_the_processor_has_the_instructions(isa):
    if absence := CompiledEngine(isa).absence(CONFIGS["base exact_sum"], CPU):
        pytest.skip(f"their kernels are not compared: {absence}")


@pytest.mark.parametrize("name", CONFIGS)
def test_every_bit_of_many_rows(name):
    config, rng, gold = CONFIGS[name], np.random.default_rng(SEED), NumpyEngine()
    gates = [CompiledEngine(isa) for isa in Isa if not CompiledEngine(isa).absence(config, CPU)]
    assert gates
    for array in rows(config, rng):
        x = torch.from_numpy(array)
        forward = gold.softmax(x, config, keep_gate=True)
        same([gate.softmax(x, config, keep_gate=True) for gate in gates], forward)
        if config.function == "log_softmax":
            continue
        dp = torch.from_numpy(rng.normal(0, 0.2, array.shape)).to(forward.result.dtype)
        given = forward.result, dp, forward.gate, forward.exponent, config
        for scale in (None, 0):
            ds = [gate.softmax_backward(*given, grad_exponent=scale) for gate in gates]
            equal(ds, gold.softmax_backward(*given, grad_exponent=scale))
        target = torch.from_numpy(rng.integers(-1, array.shape[1], len(array)))
        losses = [gate.cross_entropy(x, target, config) for gate in gates]
        same(losses, gold.cross_entropy(x, target, config))
        upstream = torch.from_numpy(rng.normal(0, 1, len(array)).astype(np.float32))
        given = x, target, upstream, config
        gradients = [gate.cross_entropy_backward(*given) for gate in gates]
        equal(gradients, gold.cross_entropy_backward(*given))
