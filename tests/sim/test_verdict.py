"""A simulation that is not as promised has failed, and says in what."""

import re
from dataclasses import replace

import numpy as np
import pytest

from softmaxfx.golden import preset
from softmaxfx.sim.run import simulate
from softmaxfx.sim.verdict import failures

from ..conftest import left_long
from .planting import Planting, planted
from .rows import unit_rows

UNITS = {
    "softmax": preset("tiny"),
    "softmax, exact": preset("tiny", datapath="exact_sum"),
    "softmax_backward": preset("tiny"),
    "cross_entropy": preset("tiny"),
    "adaptive_softmax": preset("tiny", vocabulary=90, cutoffs=(20, 50)),
}
LENGTHS = {"long": (64, 65), "short": (1, 3), "one": (1, 2)}


def simulated(unit, model, lengths, folder, count=300):
    drawn = np.random.default_rng(2).integers(*lengths, count)
    return simulate(unit, model, unit_rows(unit, drawn, seed=2), folder)


@pytest.mark.parametrize("lengths", left_long(LENGTHS, "one"))
@pytest.mark.parametrize("name", UNITS)
def test_every_unit_is_as_promised(name, lengths, unit_of, model_of, tmp_path):
    unit = unit_of(UNITS[name], unit=name.split(",")[0])
    shown = simulated(unit, model_of(unit), LENGTHS[lengths], tmp_path)
    assert failures(shown) == []
    assert 0.9 < shown.beats_per_cycle <= 1


def test_a_single_row_is_as_promised(unit_of, model_of, tmp_path):
    unit = unit_of(preset("tiny"))
    assert failures(simulated(unit, model_of(unit), (1, 2), tmp_path, count=1)) == []


def refuse_every_fourth_beat(verilog: Planting) -> None:
    verilog.insert("", "  reg [1:0] pause = 0;\n  always @(posedge aclk) pause <= pause + 1;\n")
    for signal in ("s_axis_tready", "i__valid"):
        verilog.see("", signal, "{} & !(&pause)")


def test_a_unit_that_refuses_every_fourth_beat_is_too_slow(unit_of, model_of, tmp_path):
    slow = planted(unit_of(preset("tiny")), tmp_path, refuse_every_fourth_beat)
    (sentence,) = failures(simulated(slow, model_of(slow), (64, 65), tmp_path / "run"))
    assert re.match(
        r"TOO SLOW \S+: 0\.7\d\d beats per cycle of rows back to back, 0\.95 promi", sentence
    )


@pytest.mark.parametrize("change", [-1, 1])
def test_another_latency_than_the_sidecar_tells_is_found(change, unit_of, model_of, tmp_path):
    unit = unit_of(preset("tiny"))
    latency = unit.description["latency"]
    changed = {**unit.description, "latency": {**latency, "fixed": latency["fixed"] + change}}
    shown = simulated(replace(unit, description=changed), model_of(unit), (1, 65), tmp_path)
    (sentence,) = failures(shown)
    assert re.match(r"LATENCY \S+: \d+ cycles of a row of one beat, \d+ promised", sentence)


def test_wrong_bits_are_told_before_all_else(unit_of, model_of, tmp_path):
    unit = unit_of(preset("tiny"))
    shown = simulated(unit, model_of(unit), (1, 65), tmp_path)
    wrong = replace(
        shown, score=replace(shown.score, mismatches=1, first="row 0"), latency_cycles=0
    )
    assert failures(wrong) == [f"MISMATCH {unit.verilog}: row 0"]
