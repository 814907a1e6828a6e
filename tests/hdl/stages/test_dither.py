"""Random bits of every element, golden's whatever the lanes and the gaps."""

import numpy as np
import pytest
from amaranth.hdl import Signal

from softmaxfx.golden.stages.dither import WORD, random_bits
from softmaxfx.hdl.stages import dither
from softmaxfx.hdl.stages.dither import Dither

from ..streams import trace

SEEDS = [0, 0xFFFFFFFF, 0x0000FFFF, 0x3C6EF372]
IDLE = {"i_valid": 0, "i_last": 0, "reset": 0}
LENGTHS = [1, 5, 1, 1, 2, 20, 1, 3]
"""Beats of rows."""


def beats_of(lengths: list[int], gaps: float, seed: int) -> list[dict]:
    """Beats of rows of so many beats, gaps between them, after a reset in the middle of a row."""
    rng, idle = np.random.default_rng(87), IDLE | {"seed": seed}
    beat = idle | {"i_valid": 1}
    stimulus = [beat, beat | {"i_last": 1}, beat, beat | {"reset": 1}]
    for beats in lengths:
        for place in range(beats):
            while rng.random() < gaps:
                stimulus.append(idle)
            stimulus.append(beat | {"i_last": int(place == beats - 1)})
    return stimulus + [idle] * Dither.latency


def golden_bits(
    seed: int, lengths: list[int], lanes: int, bits: int, first_row: int = 0
) -> list[list[int]]:
    """Of every beat, those of its lanes."""
    gold = []
    for row, beats in enumerate(lengths, first_row):
        elements = np.arange(beats * lanes)
        gold += random_bits(seed, np.array(row), elements, bits).reshape(beats, lanes).tolist()
    return gold


def gate_bits(dut: Dither, stimulus: list[dict]) -> list[list[int]]:
    """Of every beat after the last reset before it, each at its latency."""
    seen, bits = trace(dut, stimulus, ["o"]), []
    for cycle, inputs in enumerate(stimulus):
        following = stimulus[cycle : cycle + Dither.latency + 1]
        if inputs["i_valid"] and not any(later["reset"] for later in following):
            bits += seen[cycle + Dither.latency]
    return bits


@pytest.mark.parametrize(("lanes", "bits"), [(1, 32), (2, 1), (3, 17), (8, 18)])
def test_every_element_gets_goldens_bits_from_row_0_on_after_a_reset(lanes, bits):
    stimulus, gold = [], []
    for number, seed in enumerate(SEEDS):
        stimulus += beats_of(LENGTHS, 0.5 * (number % 2), seed)
        gold += golden_bits(seed, LENGTHS, lanes, bits)
    assert gate_bits(Dither(lanes=lanes, bits=bits), stimulus) == gold


@pytest.mark.parametrize("first_row", [(1 << 16) - 3, (1 << 31) + 5, (1 << 32) - 3])
def test_rows_are_counted_with_32_bits(first_row, monkeypatch):
    def counted_on(shape: int, **options) -> Signal:
        return Signal(shape, init=first_row if shape == 2 * WORD else 0, **options)

    monkeypatch.setattr(dither, "Signal", counted_on)
    stimulus, gold = [], []
    for seed in SEEDS:
        stimulus += beats_of(LENGTHS, 0.2, seed)
        for row, beats in enumerate(LENGTHS, first_row):
            gold += golden_bits(seed, [beats], 2, 20, first_row=row % (1 << 32))
    assert gate_bits(Dither(lanes=2, bits=20), stimulus) == gold
