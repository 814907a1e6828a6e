"""The results cache: outcomes come back bit for bit, and no file of others is touched."""

import sqlite3
import time

import pytest

from softmaxfx import cache as module
from softmaxfx.cache import Cache
from softmaxfx.golden import ConfigError
from softmaxfx.outcomes import Outcome

DONE = Outcome("done", {"kl": 1 / 3, "sum": 0.1 + 0.2, "rate": 0, "tools": ["a"]}, seconds=1.5)


@pytest.fixture
def file(tmp_path):
    """Of a cache that does not exist yet, in a folder that does not either."""
    return tmp_path / "new" / "cache.sqlite"


def test_what_was_put_comes_back_bit_for_bit_in_another_process_too(file):
    with Cache(file) as cache:
        cache.put({"a": DONE, "b": Outcome("infeasible", reason="lanes must not be 3")})
        stored = cache.of(["b", "a", "c", "a"])
    with Cache(file, create=False) as again:
        assert again.of(["b", "a", "c"]) == stored
    assert stored == {"a": DONE, "b": Outcome("infeasible", reason="lanes must not be 3")}
    assert type(stored["a"].value["rate"]) is int


def test_the_last_outcome_of_a_key_counts(file):
    with Cache(file) as cache:
        cache.put({"a": Outcome("failed", reason="no yosys")})
        cache.put({"a": DONE})
        assert cache.of(["a"]) == {"a": DONE}


def test_many_outcomes_are_looked_up_quickly(file):
    many = {str(number): DONE for number in range(2000)}
    with Cache(file) as cache:
        start = time.monotonic()
        cache.put(many)
        assert cache.of(many) == many
    assert time.monotonic() - start < 5


def test_a_cache_can_be_read_while_another_command_writes(file):
    with Cache(file) as writing, Cache(file) as reading:
        writing.put({"a": DONE})
        assert reading.of(["a"]) == {"a": DONE}
        reading.put({"b": DONE})
        assert writing.of(["b"]) == {"b": DONE}


def test_a_full_disk_is_one_sentence_and_what_was_put_stays(file):
    with Cache(file) as cache:
        cache.put({"a": DONE})
        (pages,) = cache._connection.execute("PRAGMA page_count").fetchone()
        cache._connection.execute(f"PRAGMA max_page_count = {pages}")
        more = {str(number): DONE for number in range(1000)}
        with pytest.raises(ConfigError, match=r"cache\.sqlite cannot be used: .*disk is full") as e:
            cache.put(more)
        assert "\n" not in str(e.value)
        assert cache.of(["a", *more]) == {"a": DONE}
    with Cache(file) as again:
        assert again.of(["a", *more]) == {"a": DONE}


def test_a_cache_that_must_exist_is_not_made(file):
    with pytest.raises(ConfigError, match=r"cache must exist, unlike .*cache\.sqlite"):
        Cache(file, create=False)
    assert not file.parent.exists()


def test_a_place_that_cannot_be_used_is_one_sentence(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match=r"cache .*file/cache\.sqlite cannot be used: "):
        Cache(tmp_path / "file" / "cache.sqlite")
    with pytest.raises(ConfigError, match=r"cache .* cannot be used: unable to open"):
        Cache(tmp_path)


def test_a_file_that_is_no_database_stays_as_it_is(tmp_path):
    file = tmp_path / "notes.txt"
    file.write_text("not a database, but long enough to look at\n" * 50)
    before = file.read_bytes()
    with pytest.raises(ConfigError, match=r"notes\.txt cannot be used: file is not a database"):
        Cache(file)
    assert file.read_bytes() == before
    assert list(tmp_path.iterdir()) == [file]


def test_a_database_of_something_else_stays_as_it_is(tmp_path):
    file = tmp_path / "results.sqlite"
    connection = sqlite3.connect(file)
    connection.execute("CREATE TABLE sweep_results (key TEXT)")
    connection.commit()
    connection.close()
    before = file.read_bytes()
    with pytest.raises(ConfigError, match=r"results\.sqlite is a database of something else; cho"):
        Cache(file)
    assert file.read_bytes() == before
    assert list(tmp_path.iterdir()) == [file]


def test_another_version_is_refused_and_untouched(file, monkeypatch):
    with Cache(file) as cache:
        cache.put({"a": DONE})
    with monkeypatch.context() as patch:
        patch.setattr(module, "VERSION", 99)
        with pytest.raises(ConfigError, match=r"cache of version 99, and .* is of version 1; ch"):
            Cache(file)
    with Cache(file) as again:
        assert again.of(["a"]) == {"a": DONE}
