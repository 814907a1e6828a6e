"""``softmaxfx waveforms``: every picture of the catalogue, or one sentence."""

import re

import pytest
from click.testing import CliRunner

from softmaxfx import waveforms
from softmaxfx.cli import main
from softmaxfx.study.pictures import catalogue


def call(*arguments: object):
    return CliRunner().invoke(main, ["waveforms", *map(str, arguments)])


@pytest.fixture
def drawn(monkeypatch) -> list[str]:
    """The names of pictures that were drawn; each is its name."""
    names: list[str] = []
    for name in catalogue.PICTURES:
        monkeypatch.setitem(
            catalogue.PICTURES, name, lambda name=name: names.append(name) or f"<{name}>"
        )
    return names


def test_every_picture_is_written_under_its_name(drawn, tmp_path):
    out = tmp_path / "pictures"
    done = call("--out", out)
    assert done.exit_code == 0, done.output
    assert {file.name: file.read_text() for file in out.iterdir()} == {
        f"{name}.svg": f"<{name}>" for name in catalogue.PICTURES
    }


@pytest.mark.parametrize("out", ["file", "file/below"])
def test_a_file_in_the_way_is_told_of_before_anything_is_drawn(drawn, tmp_path, out):
    (tmp_path / "file").touch()
    refused = call("--out", tmp_path / out)
    assert refused.exit_code == 2
    assert re.fullmatch(
        r"softmaxfx: .*'--out'.* must be a writable directory.*\n|"
        r"softmaxfx: --out must be a writable directory, not .*: .* is no directory\n",
        refused.stderr,
    )
    assert drawn == []


def test_an_empty_directory_name_is_refused_in_one_sentence(drawn):
    refused = call("--out", "")
    assert refused.exit_code == 2
    assert refused.stderr.count("\n") == 1
    assert drawn == []


def test_a_missing_renderer_is_told_of_in_one_sentence(drawn, monkeypatch, tmp_path):
    monkeypatch.setattr(waveforms, "find_spec", lambda _: None)
    refused = call("--out", tmp_path)
    assert refused.exit_code == 2
    assert refused.stderr == (
        "softmaxfx: waveforms needs wavedrom: pip install 'softmaxfx[docs]'\n"
    )
    assert drawn == []
