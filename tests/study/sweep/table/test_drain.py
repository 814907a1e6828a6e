"""Draining: all processors, several commands at once, and nothing lost or done twice."""

import dataclasses
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from softmaxfx.golden import ConfigError
from softmaxfx.study.sweep.drain import EvaluationError, drain, evaluate_entries, holding
from softmaxfx.study.sweep.results import Results, scope_of
from softmaxfx.study.sweep.space.entries import Measured
from softmaxfx.study.sweep.space.space import made

COMMAND = """
import signal
import sys
from pathlib import Path
sys.path.insert(0, {here!r})
from sweep_stub import Stub
from softmaxfx.study.sweep.drain import drain
from softmaxfx.study.sweep.results import Results
if __name__ == "__main__":
    # a shell may have started the tests in the background, where it is ignored
    signal.signal(signal.SIGINT, signal.default_int_handler)
    results = Results.open({url!r}, create=False)
    scope = frozenset({scope!r})
    drain(results, Stub(Path({folder!r}), seconds={seconds}), scope=scope, workers=1, lease=1.0)
"""


@pytest.fixture
def command(tmp_path, url, entries):
    """Starts a process that drains the table with one worker."""
    started = []

    def start(seconds, interrupted=False):
        script = tmp_path / f"drain{len(started)}.py"
        text = COMMAND.format(
            here=str(Path(__file__).parent), url=url, scope=sorted(scope_of(entries)),
            folder=str(tmp_path), seconds=seconds,
        )  # fmt: skip
        script.write_text(text)
        process = subprocess.Popen(
            [sys.executable, script], start_new_session=True, stderr=subprocess.PIPE
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def wait_for(condition):
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def numbers(results):
    return [(entry.key, entry.metrics) for entry in results.done()]


def test_every_entry_is_evaluated_once_and_a_repeated_run_does_nothing(
    results, entries, make, lines
):
    results.add(entries)
    seen = []
    scope = scope_of(entries)
    counts = drain(results, make(), scope=scope, workers=2, progress=seen.append)
    assert counts == {"done": 32}
    assert sorted(lines("log")) == sorted(entry.key for entry in entries)
    assert (seen[0].done, seen[0].total) == (0, 32)
    assert (seen[-1].done, seen[-1].total) == (32, 32)
    results.add(entries)
    start = time.monotonic()
    assert drain(results, make(broken=True), scope=scope) == {"done": 32}
    assert time.monotonic() - start < 1
    assert len(lines("log")) == 32


def test_two_fresh_tables_hold_the_same_numbers(tmp_path, entries, make):
    tables = []
    for workers in (1, 2):
        table = Results.open(f"sqlite:///{tmp_path}/{workers}.sqlite")
        table.add(entries)
        drain(table, make(), scope=scope_of(entries), workers=workers)
        tables.append(numbers(table))
        table.close()
    assert tables[0] == tables[1]
    assert len(tables[0]) == 32


def test_of_two_commands_one_is_killed_and_started_again(results, entries, command, lines):
    results.add(entries)
    victim, other = command(0.1), command(0.1)
    wait_for(lambda: len(lines("log")) >= 6 and len({b.split()[1] for b in lines("begun")}) == 2)
    os.killpg(victim.pid, signal.SIGKILL)  # the command and its worker
    victim.wait()
    finished = len(results.done())
    assert 0 < finished < 32
    third = command(0.0)
    for process in (third, other):
        _, errors = process.communicate(timeout=30)
        assert (process.returncode, errors) == (0, b"")
    assert results.counts() == {"done": 32}
    # twice evaluated at most: what the killed worker was at, or had not stored yet
    evaluated = Counter(lines("log"))
    assert set(evaluated) == {entry.key for entry in entries}
    assert evaluated.total() - 32 <= 1


def test_an_interrupted_command_gives_its_claims_back_at_once(results, entries, command, lines):
    results.add(entries)
    process = command(0.3)
    wait_for(lambda: results.counts()["done"] >= 1)
    os.killpg(process.pid, signal.SIGINT)  # as Ctrl-C in a terminal does
    _, errors = process.communicate(timeout=10)
    assert errors.count(b"Traceback") == 1  # the command's own, whose caller would handle it
    counts = results.counts()
    assert counts["claimed"] == 0
    assert counts.total() == 32
    done = {entry.key for entry in results.done()}
    assert 1 <= len(done) < 32
    assert done <= set(lines("log"))


def test_a_worker_without_its_command_ends(results, entries, command, lines):
    results.add(entries)
    process = command(0.1)
    wait_for(lambda: len(lines("log")) >= 1)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    wait_for(lambda: results.counts()["claimed"] == 0)
    done = results.counts()["done"]
    time.sleep(0.5)
    assert results.counts() == {"done": done, "open": 32 - done}


def test_a_drain_waits_for_what_others_hold_and_takes_it_over(tmp_path, entries, make, lines):
    table = Results.open(f"sqlite:///{tmp_path}/results.sqlite")
    table.add(entries)
    table.claim("dead", 5, 1.0)
    assert drain(table, make(), scope=scope_of(entries), workers=1) == {"done": 32}
    assert len(lines("log")) == 32
    table.close()


def test_what_cannot_be_evaluated_is_told_and_stops_nothing(table, entries, make):
    base = entries[0].config
    odd = [made({"lanes": lanes}, base).point("one", "1" * 64) for lanes in (3, 5)]
    table.add([*odd, *entries[:2]])
    evaluate = make()()
    while evaluate_entries(table, "w", evaluate):
        pass
    assert table.counts() == {"done": 2, "infeasible": 1, "failed": 1}
    reasons = {entry.status: entry.reason for entry in table.select()}
    assert reasons["infeasible"] == "lanes must not be 3 here"
    assert reasons["failed"] == "ZeroDivisionError: five"


def test_a_failure_that_may_go_away_is_no_infeasibility(table, entries):
    def evaluate(_):
        raise EvaluationError("yosys must be installed")

    table.add(entries[:1])
    evaluate_entries(table, "w", evaluate)
    assert table.counts() == {"failed": 1}


def test_only_the_scope_is_drained(table, entries, make):
    table.add(entries)
    scope = scope_of(entry for entry in entries if entry.source == "two")
    assert drain(table, make(), scope=scope, workers=1) == {"done": 16}
    assert table.counts() == {"done": 16, "open": 16}


def test_code_that_changes_meanwhile_evaluates_nothing(table, entries, make):
    old = [dataclasses.replace(entry, code_version="0.0.1 0123") for entry in entries]
    table.add(old)
    with pytest.raises(ConfigError, match=r"code must stay as it is while a sweep runs, 0\.0\.1 0"):
        drain(table, make(), scope=scope_of(old), workers=1)
    assert table.counts() == {"open": 32}


def test_an_evaluator_that_cannot_be_made_is_one_sentence(table, entries, make):
    table.add(entries)
    with pytest.raises(ConfigError, match="the source must be readable, not this one"):
        drain(table, make(broken=True), scope=scope_of(entries), workers=2)
    assert table.counts() == {"open": 32}


def test_workers_that_are_all_killed_are_told_and_lose_nothing(table, entries, make, lines):
    table.add(entries)
    with pytest.raises(ConfigError, match=r"was killed \(exit status -9\), and no other was left"):
        drain(table, make(deadly=True), scope=scope_of(entries), workers=2)
    assert len(lines("begun")) == 2
    assert table.counts() == {"open": 32}


@pytest.mark.parametrize("workers", [0, 1.5, 2000])
def test_a_number_of_workers_that_cannot_be_is_refused(table, entries, make, workers):
    table.add(entries)
    with pytest.raises(ConfigError, match="workers must be a whole number from 1 to"):
        drain(table, make(), scope=scope_of(entries), workers=workers)


def test_a_long_evaluation_keeps_its_claim(table, entries):
    table.add(entries[:1])
    stolen = []

    def evaluate(_):
        time.sleep(1.0)
        stolen.extend(table.claim("thief", 1, 60))
        return Measured({"kl": 0.5})

    with holding(table, "owner", 0.4):
        evaluate_entries(table, "owner", evaluate, lease=0.4)
    assert stolen == []
    assert table.counts() == {"done": 1}
    assert threading.active_count() < 10
