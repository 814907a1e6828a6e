"""Totals end at the limits of a format, and tell that they did."""

import numpy as np
import pytest
from amaranth.hdl import Elaboratable, Module, Signal, signed

from softmaxfx.golden.formats import saturate
from softmaxfx.hdl.parts.saturate import saturating

from ..streams import pipelined

LATENCY, KNOWN = 2, 1
"""Cycles until the code is there, and until it is known whether it was saturated."""


class Saturating(Elaboratable):
    """The function as a stage."""

    def __init__(self, width: int, bits: int, early_bits: int = 0):
        self.total, self.early = Signal(signed(width)), Signal(early_bits)
        self.o, self.beyond, self._bits = Signal(signed(bits)), Signal(), bits

    def elaborate(self, platform: object) -> Module:
        m = Module()
        early = self.early if len(self.early) else None
        code, beyond = saturating(m, self.total, self._bits, name="code", early=early)
        m.d.comb += [self.o.eq(code), self.beyond.eq(beyond)]
        return m


def check(dut: Saturating, total: np.ndarray, bits: int, **inputs: np.ndarray) -> None:
    columns = {"total": total, **inputs}
    (o,) = pipelined(dut, columns, ["o"], latency=LATENCY)
    (beyond,) = pipelined(dut, columns, ["beyond"], latency=KNOWN)
    gold = saturate(total, -(1 << (bits - 1)), (1 << (bits - 1)) - 1)
    np.testing.assert_array_equal(o, gold)
    np.testing.assert_array_equal(beyond, gold != total)


def every_code(width: int) -> np.ndarray:
    """Every signed code, in an order in which neighbours are far apart."""
    half = 1 << (width - 1)
    return np.random.default_rng(80).permutation(np.arange(-half, half))


@pytest.mark.parametrize(
    ("width", "bits"), [(1, 1), (2, 1), (2, 2), (9, 1), (9, 2), (9, 5), (9, 8), (9, 9)]
)
def test_every_total_ends_at_the_limits(width, bits):
    check(Saturating(width, bits), every_code(width), bits)


@pytest.mark.parametrize(("width", "bits"), [(36, 16), (40, 18), (63, 7)])
def test_wide_totals_end_at_the_limits(width, bits):
    rng, edges = np.random.default_rng(81), []
    for limit in (-(1 << (bits - 1)), (1 << (bits - 1)) - 1, 0):
        edges += [limit + step for step in (-2, -1, 0, 1, 2)]
    places = np.arange(bits - 1, width - 1)
    edges += [*(1 << places), *(-1 << places), *((1 << places) - 1), *((-1 << places) - 1)]
    total = rng.permutation(np.array([*edges, *rng.integers(-1 << bits, 1 << bits, 100)]))
    check(Saturating(width, bits), total[np.abs(total) < 1 << (width - 1)], bits)


@pytest.mark.parametrize("early_bits", [2, 3])
@pytest.mark.parametrize("bits", [1, 4, 7])
def test_bits_known_earlier_may_tell_that_a_total_is_too_low(bits, early_bits):
    patterns = np.arange(1 << early_bits)
    low = (patterns >> (early_bits - 1) == 1) & (patterns < patterns[-1])
    total, early = (grid.ravel() for grid in np.meshgrid(every_code(7), patterns))
    least = -(1 << (bits - 1))
    # at the least code itself either will do: it ends there anyway
    agrees = np.where(total == least, True, low[early] == (total < least))
    total, early = total[agrees], early[agrees]
    check(Saturating(7, bits, early_bits), total, bits, early=early)
