"""What the tests of the table share: a small space, a stub that evaluates it, and a cache."""

import pytest

from softmaxfx.cache import Cache
from softmaxfx.golden import ConfigError
from softmaxfx.golden.formats import parse_format
from softmaxfx.outcomes import TransientError, outcome_of
from softmaxfx.study.sweep.space.space import Space

SPACE = {
    "sources": ["one", "two"],
    "base": {"preset": "tiny"},
    "grid": [
        {
            "name": "formats",
            "axes": {
                "datapath": ["max_subtract", "exact_sum"],
                "input": {"from": 3, "to": 9, "step": 2, "format": "SQ(5, {})"},
                "output": ["UQ(0, 8)", "UQ(0, 12)"],
            },
        }
    ],
}


@pytest.fixture
def space():
    """16 configurations, on two sources."""
    return Space.parse(SPACE, "small")


@pytest.fixture
def entries(space):
    """The 32 entries of the space."""
    return space.points({"one": "1" * 64, "two": "2" * 64})


class Stub:
    """Runs entries in this process, without a golden model.

    Attributes:
        log: keys of what was evaluated, in order. missing: a tool is missing for all of them.
    """

    def __init__(self):
        self.log, self.missing = [], False

    def run(self, entries):
        for entry in entries:
            self.log.append(entry.key)
            yield entry, outcome_of(self.evaluate, entry)

    def evaluate(self, entry):
        if self.missing:
            raise TransientError("yosys must be installed")
        bits = parse_format(entry.fields["input"]).width + parse_format(entry.fields["output"]).f
        if entry.fields["lanes"] == 3:
            raise ConfigError("lanes must not be 3 here")
        if entry.kind == "design":
            slower = entry.fields["datapath"] == "max_subtract"
            metrics = {"lut": 100.0 * bits + 500 * slower, "fmax_mhz": 250.0}
            return {"metrics": metrics, "versions": {"yosys": "1"}}
        metrics = {"bound_ulp": 0.75, "kl": 2.0**-bits, "max_error_ulp": 1 / 3}
        return {"metrics": metrics, "versions": {}}


@pytest.fixture
def stub():
    """See :class:`Stub`."""
    return Stub()


@pytest.fixture
def cache(tmp_path):
    """An empty cache."""
    with Cache(tmp_path / "cache.sqlite") as opened:
        yield opened
