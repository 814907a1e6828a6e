"""The results table, in SQLite and in PostgreSQL: one claim an entry, and nothing overwritten."""

import dataclasses
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from softmaxfx.golden import ConfigError
from softmaxfx.study.sweep import storage
from softmaxfx.study.sweep.results import Results, scope_of
from softmaxfx.study.sweep.space.entries import Measured, baseline

METRICS = {"kl": 1 / 3, "sum_min": 0.1 + 0.2, "tie_rate": 0}


def test_what_is_stored_comes_back_bit_for_bit(results, entries):
    assert results.add(entries) == 32
    (entry,) = results.claim("w", 1, 60)
    assert results.finish(entry, "w", Measured(METRICS, {"yosys": "0.70"}), 1.5)
    (done,) = results.done("point")
    assert done == dataclasses.replace(
        entry, status="done", metrics=METRICS, versions={"yosys": "0.70"}, seconds=1.5
    )
    assert results.stored([entry]) == {entry.key: done}


def test_adding_again_changes_nothing(results, entries):
    assert results.add([*entries, *entries]) == 32
    (entry,) = results.claim("w", 1, 60)
    results.finish(entry, "w", Measured(METRICS))
    assert results.add(entries) == 0
    assert results.counts() == {"open": 31, "done": 1}
    assert results.done()[0].metrics == METRICS


def test_designs_are_claimed_first_and_alone_then_entries_in_order(results, entries, space):
    design = next(space.configurations()).design("ecp5", 1)
    other = next(space.configurations()).design("ecp5", 2)
    results.add([*entries, design, other])
    assert results.claim("w", 8, 60) == [dataclasses.replace(design, status="claimed")]
    assert [entry.key for entry in results.claim("w", 8, 60)] == [other.key]
    claimed = [entry.key for entry in results.claim("w", 8, 60)]
    assert claimed == [entry.key for entry in entries[:8]]


def test_a_claim_is_limited_to_a_scope_or_to_keys(results, entries):
    results.add(entries)
    mine = [entry for entry in entries if entry.source == "two"]
    claimed = results.claim("w", 100, 60, scope=scope_of(mine))
    assert {entry.key for entry in claimed} == {entry.key for entry in mine}
    assert results.claim("w", 100, 60, scope=frozenset()) == []
    keys = [entries[0].key, mine[0].key]
    assert [entry.key for entry in results.claim("v", 100, 60, keys=keys)] == keys[:1]


def test_a_claim_expires_unless_it_is_extended(results, entries):
    results.add(entries[:2])
    results.claim("first", 2, 0.2)
    assert results.claim("second", 2, 60) == []
    assert results.extend("first", 60) == 2
    time.sleep(0.3)
    assert results.claim("second", 2, 60) == []
    results.extend("first", -1)
    assert len(results.claim("second", 2, 60)) == 2


def test_who_has_lost_a_claim_stores_nothing(results, entries):
    results.add(entries[:1])
    (entry,) = results.claim("first", 1, -1)
    assert results.claim("second", 1, 60)
    assert not results.finish(entry, "first", Measured({"kl": 0.0}))
    assert not results.reject(entry, "first", "no")
    assert not results.fail(entry, "first", "no")
    assert results.finish(entry, "second", Measured(METRICS))
    assert not results.finish(entry, "second", Measured({"kl": 0.0}))  # only once
    assert results.done()[0].metrics == METRICS


def test_what_is_released_is_free_at_once(results, entries):
    results.add(entries[:3])
    results.claim("first", 2, 60)
    assert results.release("first") == 2
    assert len(results.claim("second", 3, 60)) == 3
    assert results.release("first") == 0


def test_what_failed_can_be_tried_again_and_what_is_infeasible_not(results, entries):
    results.add(entries[:2])
    first, second = results.claim("w", 2, 60)
    results.fail(first, "w", "the tool is missing")
    results.reject(second, "w", "lanes must not be 3")
    assert results.counts() == {"failed": 1, "infeasible": 1}
    assert results.infeasible()[0].reason == "lanes must not be 3"
    assert results.retry() == 1
    assert [entry.key for entry in results.claim("w", 2, 60)] == [first.key]


def test_no_entry_is_claimed_twice_by_many_at_once(url, entries):
    tables = [Results.open(url) for _ in range(4)]
    tables[0].add(entries)

    def claim(number):
        table, mine = tables[number], []
        while claimed := table.claim(f"worker {number}", 3, 60):
            mine += [entry.key for entry in claimed]
        return mine

    with ThreadPoolExecutor(4) as pool:
        claimed = [key for keys in pool.map(claim, range(4)) for key in keys]
    for table in tables:
        table.close()
    assert sorted(claimed) == sorted(entry.key for entry in entries)


def test_many_can_open_a_new_storage_at_once(url, entries):
    def open_and_add(_):
        table = Results.open(url)
        added = table.add(entries)
        table.close()
        return added

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(open_and_add, range(4))) == 32


def test_reports_see_only_results_of_this_code(results, entries):
    old = dataclasses.replace(entries[0], code_version="0.0.1 0123", status="done")
    results.add([old, *entries, baseline("fp16", "one", "1" * 64)])
    assert results.done() == []
    assert len(results.select()) == 33
    assert results.select(every_version=True, status=["done"]) == [old]
    assert [entry.kind for entry in results.select("float")] == ["float"]
    keys = [entry.key for entry in results.select()]
    assert keys == sorted(keys)


def test_counts_tell_how_far_the_entries_of_a_scope_have_come(results, entries):
    results.add(entries)
    for entry in results.claim("w", 4, 60)[:2]:
        results.finish(entry, "w", Measured({}), 3.0)
    results.claim("v", 1, 60)
    assert results.counts() == {"open": 27, "claimed": 3, "done": 2}
    assert results.counts(frozenset()) == {}


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("nonsense", "storage must be a URL like sqlite:///FILE or .*, not 'nonsense'"),
        ("", "storage must be a URL like"),
        ("mysql://user:secret@host/db", r"storage must be a URL .*, not 'mysql://user:\*\*\*@host"),
        ("sqlite://", "storage must be a file, which other processes can open"),
        ("sqlite:///:memory:", "storage must be a file, which other processes can open"),
        ("postgresql://host:port/db", "storage must be a URL like"),
        ("sqlite:////proc/none/results.sqlite", "storage .* cannot be used: .*"),
        (
            "postgresql://user:secret@127.0.0.1:1/db?connect_timeout=2",
            r"storage postgresql\+psycopg://user:\*\*\*@127.* cannot be used: .*refused",
        ),
    ],
)
def test_a_broken_url_is_one_sentence(url, sentence):
    with pytest.raises(ConfigError, match=sentence) as caught:
        Results.open(url)
    assert "\n" not in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_missing_driver_is_named(monkeypatch):
    def missing(*_, **__):
        raise ModuleNotFoundError(name="psycopg")

    monkeypatch.setattr(storage.sa, "create_engine", missing)
    with pytest.raises(ConfigError, match=r"needs the Python package psycopg: pip install 'softm"):
        Results.open("postgresql://host/db")


def test_a_storage_that_must_exist_is_not_made(tmp_path):
    url = f"sqlite:///{tmp_path}/new/results.sqlite"
    with pytest.raises(ConfigError, match="storage must exist, unlike sqlite"):
        Results.open(url, create=False)
    assert not (tmp_path / "new").exists()


def test_a_file_that_is_no_database_stays_as_it_is(tmp_path):
    file = tmp_path / "notes.txt"
    file.write_text("not a database, but long enough to look at\n" * 50)
    before = file.read_bytes()
    with pytest.raises(ConfigError, match=r"notes\.txt cannot be used: file is not a database"):
        Results.open(f"sqlite:///{file}")
    assert file.read_bytes() == before
    assert list(tmp_path.iterdir()) == [file]


def test_another_version_is_refused_and_untouched(url, entries):
    table = Results.open(url)
    table.add(entries)
    with table._storage.writing() as connection:
        connection.execute(storage.schema.update().values(version=99))
    for create in (True, False):
        with pytest.raises(ConfigError, match="must be of version 1, not 99; choose another place"):
            Results.open(url, create=create)
    with table._storage.writing() as connection:
        connection.execute(storage.schema.update().values(version=1))
    assert table.counts() == {"open": 32}
    table.close()


def test_results_without_a_version_are_refused_and_untouched(tmp_path):
    file = tmp_path / "old.sqlite"
    connection = sqlite3.connect(file)
    connection.execute("CREATE TABLE sweep_results (key TEXT)")
    connection.commit()
    connection.close()
    before = file.read_bytes()
    with pytest.raises(ConfigError, match="must be of version 1, not none"):
        Results.open(f"sqlite:///{file}")
    assert file.read_bytes() == before


def test_an_empty_database_holds_no_sweep(tmp_path):
    file = tmp_path / "empty.sqlite"
    file.touch()
    with pytest.raises(ConfigError, match="must hold the results of a sweep, not none"):
        Results.open(f"sqlite:///{file}", create=False)
    assert file.read_bytes() == b""


def test_many_rows_are_looked_through_quickly(tmp_path, entries):
    table = Results.open(f"sqlite:///{tmp_path}/results.sqlite")
    many = [
        dataclasses.replace(entry, data_sha256=f"{number:064}", status="done", metrics=METRICS)
        for number in range(100)
        for entry in entries[::2]
    ]
    start = time.monotonic()
    assert table.add(many) == 1600
    assert table.add(many) == 0
    assert len(table.done()) == 1600
    assert time.monotonic() - start < 5
    table.close()
