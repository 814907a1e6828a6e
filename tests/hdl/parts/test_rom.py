"""A table reads back what it holds."""

import numpy as np
import pytest

from softmaxfx.hdl.parts.rom import Rom

from ..streams import pipelined


@pytest.mark.parametrize(("entries", "width"), [(1, 5), (2, 1), (5, 12), (161, 8), (512, 40)])
def test_every_address_reads_its_entry_two_cycles_later_and_0_beyond(entries, width):
    contents = np.random.default_rng(1).integers(0, 1 << width, entries)
    dut = Rom(entries=contents.tolist(), width=width)
    gold = np.zeros(1 << len(dut.i), np.int64)
    gold[:entries] = contents
    order = np.random.default_rng(2).permutation(np.tile(np.arange(gold.size), 2))
    (gate,) = pipelined(dut, {"i": order}, ["o"], latency=2)
    np.testing.assert_array_equal(gate, gold[order])
