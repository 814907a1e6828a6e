"""The same bench and the same rows in Icarus Verilog, a second simulator."""

import re
import shutil
from dataclasses import replace

import numpy as np
import pytest

from softmaxfx.golden import preset
from softmaxfx.golden.errors import ConfigError
from softmaxfx.golden.rows import LogitRows
from softmaxfx.sim import icarus
from softmaxfx.sim.hostile import hostile_stream, run_hostile
from softmaxfx.sim.run import simulate

needs_icarus = pytest.mark.skipif(
    shutil.which("iverilog") is None, reason="Icarus Verilog (iverilog) is not installed"
)

CONFIGS = {
    "tiny": preset("tiny"),
    "two lanes": preset("int8", lanes=2, max_length=40, id_width=3),
    "exact sum": preset("tight", lanes=3, max_length=30, id_width=3, datapath="exact_sum"),
}


def some_rows(config, count=200):
    """Rows of all lengths, some elements masked, some beyond the range."""
    rng = np.random.default_rng(5)
    array = rng.normal(0, 5, (count, config.max_length))
    array[rng.random(array.shape) < 0.1] = -np.inf
    lengths = rng.integers(1, config.max_length + 1, count)
    array[np.arange(config.max_length) >= lengths[:, None]] = np.nan
    return LogitRows.from_array(array)


@needs_icarus
@pytest.mark.parametrize("name", CONFIGS)
def test_rows_with_pauses_equal_the_golden_model(name, unit_of, model_of, models, tmp_path):
    unit = unit_of(CONFIGS[name])
    rows = some_rows(unit.config)
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


def without_initial_state(text: str) -> str:
    """The Verilog with every register and every memory that is written unknown before reset."""
    text = re.sub(r"^( +reg [^=;]*?) += \d+'h\w+;", r"\1 ;", text, flags=re.MULTILINE)
    for memory in set(re.findall(r"^ +(?:if \(\S+ *\)\n? +)?(\w+)\[.*\] <= ", text, re.MULTILINE)):
        text = re.sub(rf"^ +{memory}\[\d+\] = \d+'h0+;\n", "", text, flags=re.MULTILINE)
    return text


@needs_icarus
@pytest.mark.parametrize("name", ["two lanes", "exact sum"])
def test_nothing_depends_on_the_state_before_reset(name, unit_of, models, tmp_path):
    unit = unit_of(CONFIGS[name])
    text = without_initial_state(unit.verilog.read_text())
    assert len(text) < len(unit.verilog.read_text())
    verilog = tmp_path / "unknown.v"
    verilog.write_text(text)
    unknown = replace(unit, verilog=verilog)
    stream = hostile_stream(unknown, 300, seed=7)
    shown = run_hostile(unknown, icarus.build(unknown, models), stream, tmp_path / "run", seed=7)
    assert shown.first == ""
    assert shown.mismatches == 0


def test_a_missing_icarus_is_named(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda tool: None)
    with pytest.raises(ConfigError, match="needs Icarus Verilog 11 or later: install the system"):
        icarus.find_icarus()
