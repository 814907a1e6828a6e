"""The same testbench and the same rows in Icarus Verilog, a second simulator."""

import shutil

import pytest

from softmaxfx.golden import preset
from softmaxfx.golden.errors import ConfigError
from softmaxfx.sim import icarus
from softmaxfx.sim.hostile import hostile_stream, run_hostile
from softmaxfx.sim.run import simulate

from .planting import Planting, planted
from .rows import rows_of_all_lengths

needs_icarus = pytest.mark.skipif(
    shutil.which("iverilog") is None, reason="Icarus Verilog (iverilog) is not installed"
)

CONFIGS = {
    "tiny": preset("tiny"),
    "two lanes": preset("int8", lanes=2, max_length=40, id_width=3),
    "exact sum": preset("tight", lanes=3, max_length=30, id_width=3, datapath="exact_sum"),
}


@needs_icarus
@pytest.mark.parametrize("name", CONFIGS)
def test_rows_with_pauses_equal_the_golden_model(name, unit_of, model_of, models, tmp_path):
    unit = unit_of(CONFIGS[name])
    rows = rows_of_all_lengths(unit.config, 200, seed=5)
    shown = simulate(unit, icarus.build(unit, models), rows, tmp_path / "icarus")
    assert shown.score.first == ""
    assert shown.score.mismatches == 0
    assert shown.score.elements == rows.elements
    twin = simulate(unit, model_of(unit), rows, tmp_path / "verilator")
    assert (shown.cycles, shown.latency_cycles) == (twin.cycles, twin.latency_cycles)


@needs_icarus
@pytest.mark.parametrize("name", CONFIGS)
def test_hostile_frames_equal_the_golden_model(name, unit_of, models, tmp_path):
    unit = unit_of(CONFIGS[name])
    stream = hostile_stream(unit, 500, seed=6)
    shown = run_hostile(unit, icarus.build(unit, models), stream, tmp_path, seed=6)
    assert shown.first == ""
    assert shown.mismatches == 0
    assert shown.elements > 0


@needs_icarus
@pytest.mark.parametrize("name", ["two lanes", "exact sum"])
def test_nothing_depends_on_the_state_before_reset(name, unit_of, models, tmp_path):
    unknown = planted(unit_of(CONFIGS[name]), tmp_path, Planting.forget_the_start)
    stream = hostile_stream(unknown, 300, seed=7)
    shown = run_hostile(unknown, icarus.build(unknown, models), stream, tmp_path / "run", seed=7)
    assert shown.first == ""
    assert shown.mismatches == 0


def test_a_missing_icarus_is_named(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda tool: None)
    with pytest.raises(ConfigError, match="needs Icarus Verilog 11 or later: install the system"):
        icarus.find_icarus()
