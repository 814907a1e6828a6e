"""No bit moves: SHA-256 of the golden outputs of every preset, datapath and unit on recorded rows.

A hash that changes is a breaking change of output bits; the changelog says which and why.
"""

import hashlib
import json
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from softmaxfx.golden import PRESETS, SQ, cross_entropy, softmax_backward, softmax_rows
from softmaxfx.golden.rows import LogitRows
from softmaxfx.golden.units.registry import unit_sha256
from softmaxfx.study import recordings

PINS = Path(__file__).parent / "pins.json"
ROWS = 600
CHANGES = {
    "": {},
    "difference": {"clip": "difference"},
    "logarithm": {"function": "log_softmax", "output": SQ(6, 10)},
    "stochastic": {"rounding": "stochastic"},
    "pass": {"clip_gradient": "pass"},
}
DATAPATHS = "max_subtract", "exact_sum"


def cases():
    """(name, configuration) of everything that is pinned."""
    for (preset, base), datapath, (name, change) in product(
        PRESETS.items(), DATAPATHS, CHANGES.items()
    ):
        if name == "difference" and (datapath == "exact_sum" or base.clip == name):
            continue
        if name == "logarithm" and base.has_exponent:
            continue
        if name == "logarithm" and preset == "full":
            change = change | {"output": SQ(10, 6)}
        words = f"{preset} {datapath} {name}".strip()
        yield words, base.replace(datapath=datapath, **change)


CASES = dict(cases())


@pytest.fixture(scope="module")
def rows():
    parts = [LogitRows.from_array(recordings.load(name)) for name in recordings.names()]
    recorded = LogitRows.concatenate(parts)
    chosen = np.random.default_rng(12).choice(len(recorded.lengths), ROWS, replace=False)
    return recorded.take(np.sort(chosen))


def digest(*arrays):
    """SHA-256 of codes, whatever the width of the integers that hold them."""
    told = hashlib.sha256()
    for array in arrays:
        told.update(np.ascontiguousarray(array, "<i8").tobytes())
    return told.hexdigest()


def pinned(config, rows):
    """Hashes of every unit's outputs, and of what names the configuration."""
    rows = rows.take(np.flatnonzero(rows.lengths <= config.max_length))
    rng = np.random.default_rng(13)
    codes, masked = rows.codes(config), ~rows.active
    dp = config.grad_input.quantize(rng.normal(0, 0.3, codes.shape))
    targets = rng.integers(0, rows.lengths)
    result = softmax_rows(codes, config, masked)
    exponent = result.exponent if config.has_exponent else None
    found = {"config": unit_sha256("softmax", config), "softmax": digest(result.p)}
    if config.has_exponent:
        found["exponent"] = digest(result.exponent)
    if config.function == "softmax":
        ds = softmax_backward(result.p, dp, config, seed=14, exponent=exponent)
        found["softmax_backward"] = digest(ds)
        found["cross_entropy"] = digest(*cross_entropy(codes, targets, config, mask=masked))
    return found


@pytest.mark.parametrize("name", CASES)
def test_every_bit_is_as_it_was(name, rows):
    assert pinned(CASES[name], rows) == json.loads(PINS.read_text())[name]
