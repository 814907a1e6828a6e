import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from softmaxfx.fpga.export import default_name, export
from softmaxfx.golden import ConfigError, SoftmaxConfig, preset
from softmaxfx.sim.simulator import find_verilator

WAIVERS = {
    "DECLFILENAME": "one file holds all modules of a unit, so that it is one file to carry",
    "UNUSEDSIGNAL": "fields of a beat are named wires, whether or not all of them are read",
    "PROCASSINIT": "registers are declared with a value that reset gives them as well",
    "WIDTHEXPAND": "the Verilog writer leaves the extension of unsigned operands to the language",
    "WIDTHTRUNC": "the Verilog writer leaves the truncation of sums to the language",
}


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
        assert [("initial" in table) for table in tables] == [rom == "memory"] * 3


def test_an_unknown_table_style_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="rom must be one of memory, case, not 'flash'"):
        export(preset("tiny"), tmp_path / "out", rom="flash")
    assert not (tmp_path / "out").exists()


def test_the_sidecar_tells_what_the_verilog_is(exported):
    told = json.loads(exported.sidecar.read_text())
    config = preset(told["preset"])
    assert SoftmaxConfig.from_dict(told["config"]).to_dict() == config.to_dict()
    assert told["unit"] == "softmax"
    assert told["lanes"] == config.lanes
    assert told["formats"] == {"input": "SQ(5, 11)", "output": "UQ(0, 16)"}
    assert told["verilog_sha256"] == hashlib.sha256(exported.verilog.read_bytes()).hexdigest()
    assert told["config_sha256"] == config.sha256()
    assert told["files"] == [exported.verilog.name]
    assert 0.5 <= told["bound_ulp"] <= 1
    lanes = config.lanes
    widths = {name: port["width"] for name, port in told["ports"].items()}
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
    assert told["ports"]["s_axis_tready"]["direction"] == "output"
    assert told["ports"]["m_axis_tready"]["direction"] == "input"


def test_verilator_finds_nothing_beyond_the_waivers(exported):
    verilator = find_verilator()
    environment = {name: value for name, value in os.environ.items() if name != "VERILATOR_ROOT"}
    done = subprocess.run(
        [verilator, "--lint-only", "-Wall", "--top-module", exported.description["top"],
         *(f"-Wno-{waiver}" for waiver in WAIVERS), str(exported.verilog)],
        capture_output=True, text=True, env=environment, check=False,
    )  # fmt: skip
    assert done.stderr == ""
    assert done.returncode == 0


@pytest.mark.parametrize("name", ["1st", "a-b", "a b", "täst", "a.b"])
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
    def full_disk(self: Path, text: str) -> int:
        raise OSError("No space left on device")

    monkeypatch.setattr(Path, "write_text", full_disk)
    with pytest.raises(ConfigError, match="No space left on device"):
        export(preset("tiny"), tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []
