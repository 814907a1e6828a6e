import hashlib
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from softmaxfx.cli import main
from softmaxfx.fpga.export import default_name, export
from softmaxfx.golden import SQ, UQ, ConfigError, SoftmaxConfig, preset
from softmaxfx.golden.units.registry import unit_sha256

from ..conftest import left_long


@pytest.fixture(scope="module", params=["base", "tiny"])
def exported(request, tmp_path_factory):
    return export(preset(request.param), tmp_path_factory.mktemp("v"), preset=request.param)


def modules(text: str) -> list[str]:
    return re.findall(r"^module (\S+) ?\(", text, re.MULTILINE)


def test_every_module_has_the_units_name_and_none_is_escaped(exported):
    top = exported.description["top"]
    names = modules(exported.verilog.read_text())
    assert top in names
    assert len(set(names)) == len(names) > 10
    for name in names:
        assert re.fullmatch(rf"{top}(__\w+)?", name)


def test_two_units_live_in_one_project(tmp_path):
    texts = [export(preset(name), tmp_path).verilog.read_text() for name in ("base", "int8")]
    assert not set(modules(texts[0])) & set(modules(texts[1]))


def test_the_same_configuration_gives_the_same_bytes(exported, tmp_path):
    name = exported.description["preset"]
    again = export(preset(name), tmp_path, preset=name)
    assert again.verilog.read_bytes() == exported.verilog.read_bytes()
    assert again.sidecar.read_bytes() == exported.sidecar.read_bytes()


def test_bytes_do_not_depend_on_the_process(tmp_path):
    here = export(preset("tiny"), tmp_path / "here")
    script = (
        "from pathlib import Path; from softmaxfx.fpga.export import export; "
        "from softmaxfx.golden import preset; import sys; "
        "export(preset('tiny'), Path(sys.argv[1]))"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "12345"}
    command = [sys.executable, "-c", script, str(tmp_path / "there")]
    subprocess.run(command, check=True, env=environment)
    there = tmp_path / "there" / here.verilog.name
    assert there.read_bytes() == here.verilog.read_bytes()


def test_case_tables_need_no_initialised_memory(tmp_path):
    config = preset("tiny")
    texts = {
        rom: export(config, tmp_path, name=f"rom_{rom}", rom=rom).verilog.read_text()
        for rom in ("memory", "case")
    }
    for rom, text in texts.items():
        tables = re.findall(r"^module \S+__(?:high|low0|table) .*?^endmodule", text, re.M | re.S)
        assert len(tables) == 3
        assert [("initial begin" in table) for table in tables] == [rom == "memory"] * 3


def test_an_unknown_table_style_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="rom must be one of memory, case, not 'flash'"):
        export(preset("tiny"), tmp_path / "out", rom="flash")
    assert not (tmp_path / "out").exists()


def test_the_sidecar_tells_what_the_verilog_is(exported):
    sidecar = json.loads(exported.sidecar.read_text())
    config = preset(sidecar["preset"])
    assert SoftmaxConfig.from_dict(sidecar["config"]).to_dict() == config.to_dict()
    assert sidecar["unit"] == "softmax"
    assert sidecar["lanes"] == config.lanes
    assert sidecar["formats"] == {"input": "SQ(5, 11)", "output": "UQ(0, 16)"}
    assert sidecar["verilog_sha256"] == hashlib.sha256(exported.verilog.read_bytes()).hexdigest()
    assert sidecar["config_sha256"] == unit_sha256("softmax", config)
    assert sidecar["files"] == [exported.verilog.name]
    assert 0.5 <= sidecar["bound_ulp"] <= 1
    lanes = config.lanes
    widths = {name: port["width"] for name, port in sidecar["ports"].items()}
    assert widths == {
        "aclk": 1,
        "aresetn": 1,
        **{
            f"{side}_{name}": width
            for side, user in (("s_axis", lanes), ("m_axis", 3 + lanes))
            for name, width in (
                ("tdata", 16 * lanes), ("tkeep", 2 * lanes), ("tuser", user),
                ("tlast", 1), ("tvalid", 1), ("tready", 1),
            )
        },
    }  # fmt: skip
    assert sidecar["ports"]["s_axis_tready"]["direction"] == "output"
    assert sidecar["ports"]["m_axis_tready"]["direction"] == "input"


@pytest.mark.parametrize("name", ["", "1st", "a-b", "a b", "täst", "a.b", "a\n", "$x", "\\\\x"])
def test_a_name_that_verilog_cannot_have_is_refused(name, tmp_path):
    with pytest.raises(ConfigError, match=re.escape(f"must be a Verilog identifier, not {name!r}")):
        export(preset("tiny"), tmp_path / "out", name=name)
    assert not (tmp_path / "out").exists()


def test_the_default_name_tells_configurations_apart():
    assert default_name("softmax", preset("base")) != default_name("softmax", preset("int8"))
    assert default_name("softmax", preset("base")) == default_name(
        "softmax", preset("base", mantissa_bits=18)
    )


def test_nothing_half_written_is_left_when_writing_fails(tmp_path, monkeypatch):
    def full_disk(self: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full_disk)
    with pytest.raises(ConfigError, match="No space left on device"):
        export(preset("tiny"), tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("suffix", [".v", ".json"])
def test_a_folder_in_the_way_of_a_file_is_one_sentence(suffix, tmp_path):
    (tmp_path / f"probs{suffix}").mkdir()
    with pytest.raises(ConfigError, match=rf"probs\{suffix} must be a writable file"):
        export(preset("tiny"), tmp_path, name="probs")
    assert list((tmp_path / f"probs{suffix}").iterdir()) == []


@pytest.mark.parametrize(
    "name", ["module", "wire", "always_comb", "logic", "bit", "int", "do", "interface", "final"]
)
def test_a_keyword_of_either_language_is_no_name(name, tmp_path):
    with pytest.raises(ConfigError, match=f"a keyword of Verilog or SystemVerilog, as '{name}' is"):
        export(preset("tiny"), tmp_path / "out", name=name)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("target", "name"),
    [
        ("ecp5", "DP16KD"),
        ("ecp5", "CCU2C"),
        ("ice40", "SB_MAC16"),
        ("xilinx7", "DSP48E1"),
        ("xilinxup", "RAMB18E2"),
    ],
)
def test_a_primitive_of_the_target_is_no_name(target, name, tmp_path):
    with pytest.raises(ConfigError, match=f"that of a primitive of {target}, as '{name}' is"):
        export(preset("tiny"), tmp_path / "out", name=name, target=target)
    assert export(preset("tiny"), tmp_path, name=name).verilog.name == f"{name}.v"


EXPORTS = {
    "a preset": ("softmax", preset("int8"), {}),
    "a changed preset": ("softmax", preset("int8", lanes=4, scale=0.1, range=8), {}),
    "formats": ("softmax", preset("base", output=UQ(0, 12), datapath="exact_sum"), {}),
    "widths by hand": ("softmax", preset("base", mantissa_bits=19, exp_split=(9, 7)), {}),
    "a preset with widths by hand": ("softmax", preset("tight", lanes=2), {}),
    "logarithms": (
        "softmax", preset("tiny", function="log_softmax", output=SQ(6, 10)), {"rom": "case"}
    ),
    "a name": ("softmax", preset("tiny"), {"name": "probs", "target": "ice40"}),
    "no initial values": ("softmax", preset("tiny"), {"init": "none", "target": "xilinxup"}),
    "a field of no effect": ("softmax", preset("tiny", loss=UQ(6, 10)), {}),
    "backward": ("softmax_backward", preset("wide", rounding="stochastic", lanes=3), {}),
    "cross-entropy": ("cross_entropy", preset("tiny", clip_gradient="pass"), {"target": "ecp5"}),
}  # fmt: skip


@pytest.mark.parametrize(
    "case", left_long(EXPORTS, "a changed preset", "a preset with widths by hand", "backward")
)
def test_the_command_in_the_header_makes_the_same_file(case, tmp_path):
    unit, config, options = EXPORTS[case]
    first = export(config, tmp_path / "first", unit=unit, **options)
    words = shlex.split(first.description["command"])
    assert f"//   {first.description['command']}\n" in first.verilog.read_text()
    result = CliRunner().invoke(main, [*words[1:], "--out", str(tmp_path / "again")])
    assert result.exit_code == 0, result.output
    again = tmp_path / "again" / first.verilog.name
    assert again.read_bytes() == first.verilog.read_bytes()


def test_a_width_set_to_what_is_derived_changes_nothing(tmp_path):
    texts = {
        export(config, tmp_path).verilog.read_text()
        for config in (preset("tiny"), preset("tiny", mantissa_bits=18))
    }
    assert len(texts) == 1


def test_the_header_tells_a_reader_what_the_file_is(exported):
    text, description = exported.verilog.read_text(), exported.description
    lines = text.splitlines()
    head = "\n".join(lines[: lines.index("`timescale 1ns / 1ps")])
    assert lines[0] == f"// {description['top']}: fixed-point softmax, datapath max_subtract"
    assert all(line == "" or line.startswith("//") for line in head.splitlines())
    assert all(len(line) <= 100 for line in head.splitlines())
    assert "This generated file is your own" in head
    assert f"Configuration: SHA-256 {description['config_sha256']}" in head
    assert f"Generated by softmaxfx {description['version']}." in head
    assert f"Latency: {description['latency']['fixed']} + 1 a beat of the row" in head
    table = re.findall(r"^//   (input|output) +(\d+)  (\w+) +\S", head, re.MULTILINE)
    ports = description["ports"].items()
    assert table == [(port["direction"], str(port["width"]), name) for name, port in ports]


def test_the_sidecar_tells_formats_in_numbers(exported):
    fields = exported.description["format_fields"]
    assert fields["input"] == {
        "signed": True, "width": 16, "integer_bits": 5, "fraction_bits": 11, "lsb": 2**-11,
        "min_code": -(2**15), "max_code": 2**15 - 1,
    }  # fmt: skip
    assert fields["output"]["signed"] is False
