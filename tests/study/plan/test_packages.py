"""Lists of word counts come out of wheels that others made."""

from zipfile import ZipFile

import pytest

from softmaxfx.golden.errors import ConfigError
from softmaxfx.study.plan.packages import LISTS, unpack, unpacked


def wheels(folder, members):
    for package, member in members.items():
        with ZipFile(folder / f"{package}-1.0-py3-none-any.whl", "w") as archive:
            archive.writestr(member, f"{package} 3\n")


def test_lists_are_unpacked(tmp_path):
    assert unpacked(tmp_path) == {}
    wheels(tmp_path, LISTS)
    files = unpack(tmp_path)
    assert [file.read_text() for file in files] == ["symspellpy 3\n", "wordsegment 3\n"]
    assert [*unpacked(tmp_path).values()] == files


def test_a_missing_wheel_is_told(tmp_path):
    with pytest.raises(ConfigError, match="must hold a wheel of symspellpy: make counts downloads"):
        unpack(tmp_path)


def test_another_wheel_is_told(tmp_path):
    wheels(tmp_path, dict.fromkeys(LISTS, "other.txt"))
    with pytest.raises(ConfigError, match=r"must be a wheel with symspellpy/frequency_dictionary"):
        unpack(tmp_path)
