"""What is written is checked before the work, and written whole or not at all."""

import os
import re
from pathlib import Path

import pytest

from softmaxfx.files import require_file, require_folder, write_whole
from softmaxfx.golden import ConfigError


@pytest.mark.parametrize("content", ["täxt\r\n", b"\x00\xff", ""])
def test_what_is_written_is_read_again(content, tmp_path):
    file = tmp_path / "a" / "b" / "file"
    write_whole(file, content)
    assert file.read_bytes() == (content.encode() if isinstance(content, str) else content)
    assert [path.name for path in file.parent.iterdir()] == ["file"]


def test_a_new_file_has_the_permissions_of_any_other(tmp_path):
    (tmp_path / "other").write_text("")
    write_whole(tmp_path / "file", "")
    assert (tmp_path / "file").stat().st_mode == (tmp_path / "other").stat().st_mode


def test_what_was_there_stays_where_the_disk_is_full(tmp_path, monkeypatch):
    file = tmp_path / "report.json"
    file.write_text("earlier")

    def full_disk(source: str, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full_disk)
    sentence = f"{file} must be a writable file: No space left on device"
    with pytest.raises(ConfigError, match=re.escape(sentence)):
        write_whole(file, "later")
    assert file.read_text() == "earlier"
    assert [path.name for path in tmp_path.iterdir()] == ["report.json"]


def test_a_file_in_the_way_of_a_folder_is_refused_and_nothing_is_created(tmp_path):
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file", tmp_path / "file" / "below" / "deeper"):
        with pytest.raises(ConfigError, match=r"--out must be a writable directory, not .*file"):
            require_folder("--out", folder)
    require_folder("--out", tmp_path / "new" / "deeper")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_dangling_link_is_no_folder(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    with pytest.raises(ConfigError, match=r"link is no directory"):
        require_folder("--out", tmp_path / "link")


def test_a_folder_in_the_way_of_a_file_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"--json must be a writable file, not .* a directory"):
        require_file("--json", tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"--json must be a writable file, not .*x\.json"):
        require_file("--json", tmp_path / "file" / "x.json")
    require_file("--json", tmp_path / "new" / "x.json")
