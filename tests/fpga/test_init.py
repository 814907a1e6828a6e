"""An export without initial values has none, and one reset is all that it needs.

In Icarus a register without one is X until it is written, and X differs from every bit.
"""

import re
import shutil
from typing import Any

import pytest

from softmaxfx.fpga.export import export
from softmaxfx.fpga.tables import table_differences
from softmaxfx.golden import ConfigError, preset
from softmaxfx.sim import icarus
from softmaxfx.sim.hostile import hostile_stream, run_hostile
from softmaxfx.sim.kinds import kind_of
from softmaxfx.sim.run import simulate
from softmaxfx.sim.sidecar import Unit, load_unit

from ..conftest import left_long
from ..sim.planting import Planting
from ..sim.rows import kind_rows

CASES = {
    "softmax": ("softmax", preset("tiny"), {"rom": "case"}),
    "softmax, exact": ("softmax", preset("int8", datapath="exact_sum", lanes=3), {"rom": "case"}),
    "memories": ("softmax", preset("int8", datapath="exact_sum", lanes=2), {}),
    "backward": ("softmax_backward", preset("tiny", lanes=2), {"rom": "case"}),
    "cross-entropy": (
        "cross_entropy", preset("tiny", datapath="exact_sum"), {"rom": "case"}
    ),
    "7-series": ("softmax", preset("tiny", datapath="exact_sum"), {"target": "xilinx7"}),
}  # fmt: skip


@pytest.fixture(scope="module", params=left_long(CASES, "softmax", "backward", "7-series"))
def unit(request, tmp_path_factory):
    name, config, options = CASES[request.param]
    folder = tmp_path_factory.mktemp("v")
    return load_unit(export(config, folder, unit=name, init="none", **options).verilog)


def compared(unit: Unit, rows: Any) -> int:
    """Elements that a unit gives to rows: one for each of theirs, and losses, one a row."""
    losses = len(rows.lengths) if unit.name == "cross_entropy" else 0
    return rows.elements + losses


def test_no_register_has_an_initial_value(unit):
    text = unit.verilog.read_text()
    planting = Planting(text, unit.top)
    planting.forget_the_start()
    with pytest.raises(AssertionError, match="nothing was planted"):
        planting.text()
    assert unit.description["init"] == "none"
    assert "Before the first one nothing is defined" in text


def test_case_tables_leave_nothing_initialised(unit):
    """Nothing but what starts a block in a simulator."""
    begun = re.findall(r"^ *initial (.*)", unit.verilog.read_text(), re.MULTILINE)
    memories = unit.description["rom"] == "memory" and unit.description["target"] == "generic"
    assert set(begun) == {"settle <= 1'b0;"} | ({"begin"} if memories else set())
    assert table_differences(unit) == []


@pytest.mark.skipif(
    shutil.which("iverilog") is None, reason="Icarus Verilog (iverilog) is not installed"
)
def test_one_reset_is_enough_in_icarus(unit, models, tmp_path):
    model = icarus.build(unit, models)
    rows = kind_rows(kind_of(unit), unit.config, 60)
    shown = simulate(unit, model, rows, tmp_path / "rows")
    assert shown.score.first == ""
    assert (shown.score.elements, shown.score.mismatches) == (compared(unit, rows), 0)
    stream = hostile_stream(unit, 100, seed=7)
    hostile = run_hostile(unit, model, stream, tmp_path / "hostile", seed=7)
    assert (hostile.first, hostile.mismatches) == ("", 0)
    assert hostile.elements > 0


def test_one_reset_is_enough_in_verilator(unit, model_of, tmp_path):
    """Here a register starts with bits drawn at random."""
    rows = kind_rows(kind_of(unit), unit.config, 200)
    shown = simulate(unit, model_of(unit), rows, tmp_path)
    assert shown.score.first == ""
    assert (shown.score.elements, shown.score.mismatches) == (compared(unit, rows), 0)


def test_another_start_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="init must be one of reset, none, not 'zero'"):
        export(preset("tiny"), tmp_path / "out", init="zero")
    assert not (tmp_path / "out").exists()
