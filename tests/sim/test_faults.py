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


def in_module(name: str, change: Callable[[str], str]) -> Callable[[str], str]:
    """A fault in one module of the unit."""

    def fault(text: str) -> str:
        start = re.search(rf"^module tiny2__core__datapath__{name} ", text, re.MULTILINE).start()
        end = text.index("endmodule", start)
        changed = change(text[start:end])
        assert changed != text[start:end]
        return text[:start] + changed + text[end:]

    fault.__name__ = change.__name__
    return fault


def flip_a_table_bit(body: str) -> str:
    """A low mantissa bit of one entry of an exp table, behind its guard bits."""
    old = re.search(r"contents\[7\] = (\d+)'h(\w+);", body)
    new = f"contents[7] = {old[1]}'h{int(old[2], 16) ^ 0x10:x};"
    return body.replace(old[0], new, 1)


def round_down(body: str) -> str:
    """One lane drops the rounding half."""
    return body.replace("coarse + 1'h1", "coarse + 1'h0")


def lose_a_carry(body: str) -> str:
    """The first limb's carries are not part of the sum."""
    return re.sub(r"(waited\w+) \+ joined1\[39:32\];", r"\1;", body)


def never_rise(body: str) -> str:
    """No exponent is above the first one of its group."""
    return re.sub(r"(assign \S+ += place\w* >) .*;", r"\1 8'hff;", body)


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


ELEMENT = r"row \d+, beat \d+, lane \d: gold \d+, gate \d+; "
ROUNDED = r"lane 0: gold \d+, gate \d+; element \d+ has input code -?\d+, the row"
FAULTS = {
    "max_subtract": [
        (in_module("exp1__high", flip_a_table_bit), 1, ELEMENT),
        (in_module("last_pass__lane0", round_down), 1, ROUNDED),
        (swap_lanes, 1, r"lane [01]: gold \d+, gate \d+"),
        (drop_last, 1, r"tlast gold 0b1, gate 0b0"),
        (nothing, 0, r"golden model against Verilog"),
    ],
    "exact_sum": [
        (in_module("exp0__exponents", never_rise), 1, ELEMENT),
        (in_module("accumulate", lose_a_carry), 1, ELEMENT),
    ],
}


@pytest.mark.parametrize(
    ("datapath", "fault", "status", "sentence"),
    [(datapath, *fault) for datapath, faults in FAULTS.items() for fault in faults],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_a_planted_fault_is_caught(
    datapath: str, fault: Callable[[str], str], status: int, sentence: str, models, tmp_path
):
    exported = export(preset("tiny", lanes=2, datapath=datapath), tmp_path, name="tiny2")
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
