"""Faults planted in the exported Verilog must be caught: the checks are checked here."""

import re
import shutil

import numpy as np
import pytest
from click.testing import CliRunner

from softmaxfx.cli import main
from softmaxfx.fpga.export import export
from softmaxfx.golden import preset

from .planting import Fault, Planting, plant


def flip_a_table_bit(verilog: Planting) -> None:
    """A low mantissa bit of one entry of an exp table, behind its guard bits."""
    entry = verilog.word("core.datapath.exponentials.exp1.high", "contents", 7)
    verilog.change(entry, entry.value ^ 0x10)


def round_down(verilog: Planting) -> None:
    """One lane has nothing below the result to round by."""
    verilog.see("core.last_pass.finish.lane0.product", "moved", "{} & ~1")


def lose_a_carry(verilog: Planting) -> None:
    """The first limb's carries are not part of the sum."""
    verilog.see("core.datapath.accumulate", "joined1", "{} & 32'hffffffff")


def never_rise(verilog: Planting) -> None:
    """No exponent is above the first one of its group."""
    verilog.see("core.datapath.exponentials.exp0.exponents", "risen", "1'b0")


def swap_lanes(verilog: Planting) -> None:
    """The two output lanes change places."""
    verilog.see("", "m_axis_tdata", "{ {}[15:0], {}[31:16] }")


def drop_last(verilog: Planting) -> None:
    """tlast stays low on beats whose first element has an even code."""
    verilog.see("", "m_axis_tlast", "{} & o__payload[0]")


def nothing(verilog: Planting) -> None:
    verilog.insert("", "\n")


ELEMENT = r"row \d+, beat \d+, lane \d: gold \d+, gate \d+; "
ROUNDED = r"lane 0: gold \d+, gate \d+; element \d+ has input code -?\d+, the row"
FAULTS = {
    "max_subtract": [
        (flip_a_table_bit, 1, ELEMENT),
        (round_down, 1, ROUNDED),
        (swap_lanes, 1, r"lane [01]: gold \d+, gate \d+"),
        (drop_last, 1, r"tlast gold 0b1, gate 0b0"),
        (nothing, 0, r"golden model against Verilog"),
    ],
    "exact_sum": [
        (never_rise, 1, ELEMENT),
        (lose_a_carry, 1, ELEMENT),
    ],
}


@pytest.mark.parametrize(
    ("datapath", "fault", "status", "sentence"),
    [(datapath, *fault) for datapath, faults in FAULTS.items() for fault in faults],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_a_planted_fault_is_caught(
    datapath: str, fault: Fault, status: int, sentence: str, models, tmp_path
):
    exported = export(preset("tiny", lanes=2, datapath=datapath), tmp_path, name="tiny2")
    plant(exported.verilog, "tiny2", fault)
    rng = np.random.default_rng(3)
    np.save(tmp_path / "rows.npy", rng.normal(0, 2, (300, 64)))
    out = tmp_path / "out"
    out.mkdir()
    (out / "models").symlink_to(models, target_is_directory=True)
    models.mkdir(parents=True, exist_ok=True)
    call = ["sim", "--verilog", str(exported.verilog), "--logits", str(tmp_path / "rows.npy")]
    refused = CliRunner().invoke(main, [*call, "--out", str(out)])
    assert refused.exit_code == 2
    assert "must have the SHA-256 its sidecar names" in refused.output
    result = CliRunner().invoke(main, [*call, "--modified", "--out", str(out)])
    assert re.search(sentence, result.output), result.output
    assert result.exit_code == status
    shutil.rmtree(out / "runs", ignore_errors=True)
