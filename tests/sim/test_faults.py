"""Faults planted in the exported Verilog must be caught: the checks are checked here."""

import re
import shutil
from collections.abc import Callable

import numpy as np
import pytest
from click.testing import CliRunner

from softmaxfx.cli import main
from softmaxfx.fpga.export import export
from softmaxfx.golden import preset


def flip_a_table_bit(text: str) -> str:
    """The lowest mantissa bit of one entry of an exp table, behind its four guard bits."""
    start = text.index("module tiny2__core__exp1__high")
    head, tail = text[:start], text[start:]
    old = re.search(r"contents\[7\] = (\d+)'h(\w+);", tail)
    new = f"contents[7] = {old[1]}'h{int(old[2], 16) ^ 0x10:x};"
    return head + tail.replace(old[0], new, 1)


def round_down(text: str) -> str:
    """One lane drops the rounding half."""
    start = text.index("module tiny2__core__last0")
    head, tail = text[:start], text[start:]
    assert "coarse + 1'h1" in tail
    end = tail.index("endmodule")
    return head + tail[:end].replace("coarse + 1'h1", "coarse + 1'h0") + tail[end:]


def swap_lanes(text: str) -> str:
    """The two output lanes change places."""
    old = "assign m_axis_tdata[31:16] = o__payload[31:16];\n  assign m_axis_tdata[15:0] ="
    assert old in text
    new = "assign m_axis_tdata[15:0] = o__payload[31:16];\n  assign m_axis_tdata[31:16] ="
    return text.replace(old, new, 1)


def drop_last(text: str) -> str:
    """tlast stays low on beats whose first element has an even code."""
    old = re.search(r"assign m_axis_tlast = (.*);", text)
    return text.replace(old[0], f"assign m_axis_tlast = {old[1]} & o__payload[0];", 1)


def nothing(text: str) -> str:
    return text + "\n"


@pytest.mark.parametrize(
    ("fault", "status", "sentence"),
    [
        (flip_a_table_bit, 1, r"row \d+, beat \d+, lane \d: gold \d+, gate \d+; "),
        (round_down, 1, r"lane 0: gold \d+, gate \d+; element \d+ has input code -?\d+, the row"),
        (swap_lanes, 1, r"lane [01]: gold \d+, gate \d+"),
        (drop_last, 1, r"tlast gold 0b1, gate 0b0"),
        (nothing, 0, r"golden model against Verilog"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_a_planted_fault_is_caught(
    fault: Callable[[str], str], status: int, sentence: str, models, tmp_path
):
    exported = export(preset("tiny", lanes=2), tmp_path, name="tiny2")
    exported.verilog.write_text(fault(exported.verilog.read_text()))
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
