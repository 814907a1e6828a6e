"""The engine, with real processes: each job once, its outcome told, and whoever kills is named."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import psutil
import pytest

from softmaxfx import clusters
from softmaxfx import engine as module
from softmaxfx.clusters import cluster_of
from softmaxfx.engine import Engine
from softmaxfx.golden import ConfigError

COMMAND = """
import signal
import sys
from pathlib import Path
sys.path.insert(0, {here!r})
from engine_stub import Stub, StubJob
from softmaxfx.cache import Cache
from softmaxfx.clusters import cluster_of
from softmaxfx.engine import Engine
if __name__ == "__main__":
    # a shell may have started the tests in the background, where it is ignored
    signal.signal(signal.SIGINT, signal.default_int_handler)
    folder = Path({folder!r})
    jobs = [StubJob(number, seconds={seconds}) for number in range(24)]
    cluster = cluster_of(None, 2)
    with Cache(folder / "cache.sqlite") as cache, Engine(Stub(folder), cluster) as engine:
        known = cache.of(job.key for job in jobs)
        for job, outcome in engine.run(job for job in jobs if job.key not in known):
            cache.put({{job.key: outcome}})
            with (folder / "kept").open("a") as out:
                out.write(f"{{job.number}}\\n")
"""


@pytest.fixture
def stub(monkeypatch, tmp_path):
    """The module of jobs, which spawned processes can import, for they are handed sys.path."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    import engine_stub

    return engine_stub


@pytest.fixture
def lines(tmp_path):
    """Reads what jobs, or a command, have written: words of every line."""

    def read(name):
        file = tmp_path / name
        return [line.split() for line in file.read_text().splitlines()] if file.exists() else []

    return read


@pytest.fixture
def command(tmp_path):
    """Starts a command that does 24 jobs with two workers and keeps what becomes of them."""
    started = []

    def start(seconds):
        script = tmp_path / f"command{len(started)}.py"
        here, folder = str(Path(__file__).parent), str(tmp_path)
        script.write_text(COMMAND.format(here=here, folder=folder, seconds=seconds))
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
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def by_number(outcomes):
    return {job.number: outcome for job, outcome in outcomes}


def test_each_job_is_done_once_and_told_with_its_outcome(stub, tmp_path, lines):
    acts = {3: "infeasible", 5: "transient", 7: "defect", 9: "exit"}
    jobs = [
        stub.StubJob(number, acts.get(number, ""), long=number % 10 == 0, seconds=0.01)
        for number in range(60)
    ]
    with Engine(stub.Stub(tmp_path), cluster_of(None, 2)) as engine:
        found = by_number(engine.run(jobs))
        again = by_number(engine.run(jobs[:1]))  # by the same workers
    assert Counter(number for number, _ in lines("begun")) == {
        str(number): 1 + (number == 0) for number in range(60)
    }
    assert len({process for _, process in lines("begun")}) == 2
    assert again[0].value == {"square": 0}
    others = {number: (one.status, one.reason) for number, one in found.items() if number in acts}
    assert others == {
        3: ("infeasible", "number must be even, not odd"),
        5: ("failed", "yosys must be installed"),
        7: ("failed", "ZeroDivisionError: five"),
        9: ("failed", "SystemExit: 3"),
    }
    for number in found.keys() - acts.keys():
        assert found[number].value == {"square": number**2}
        assert found[number].seconds >= 0.01


def test_what_a_job_starts_has_one_processor_so_that_two_cores_never_run_four(stub):
    with Engine(stub.counting, cluster_of(None, 2)) as engine:
        outcomes = [outcome for _, outcome in engine.run([stub.StubJob(1, long=True)])]
    assert [outcome.value for outcome in outcomes] == [1]


def test_whoever_kills_its_process_is_named_and_all_others_are_done(stub, tmp_path):
    jobs = [stub.StubJob(number, "kill" if number in (2, 20) else "") for number in range(30)]
    jobs += [stub.StubJob(number, long=True) for number in (30, 31)]
    with Engine(stub.Stub(tmp_path), cluster_of(None, 2)) as engine:
        found = by_number(engine.run(jobs))
    assert len(found) == 32
    failed = {number: one.reason for number, one in found.items() if one.status != "done"}
    assert failed == dict.fromkeys((2, 20), module.KILLED)


def test_a_job_that_takes_all_memory_is_named(stub, tmp_path, monkeypatch):
    monkeypatch.setattr(clusters, "MEMORY", "400MB")
    jobs = [stub.StubJob(number, "memory" if number == 3 else "") for number in range(10)]
    with Engine(stub.Stub(tmp_path), cluster_of(None, 2)) as engine:
        found = by_number(engine.run(jobs))
    assert {number for number, one in found.items() if one.status == "failed"} == {3}
    assert len(found) == 10


@pytest.mark.long
def test_a_worker_that_takes_long_to_come_back_is_waited_for(stub, tmp_path, monkeypatch):
    slow = f"import os, time; os.path.exists({str(tmp_path / 'begun')!r}) and time.sleep(20)"
    (tmp_path / "sitecustomize.py").write_text(slow)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    jobs = [stub.StubJob(1, "kill", long=True), stub.StubJob(2)]
    with Engine(stub.Stub(tmp_path), cluster_of(None, 1)) as engine:
        found = by_number(engine.run(jobs))
    assert (found[1].reason, found[2].status) == (module.KILLED, "done")


def test_a_worker_that_is_killed_loses_nothing(stub, tmp_path, lines):
    jobs = [stub.StubJob(number, seconds=0.05) for number in range(40)]
    found = {}
    with Engine(stub.Stub(tmp_path), cluster_of(None, 2)) as engine:
        for job, outcome in engine.run(jobs):
            if not found:
                os.kill(int(lines("begun")[-1][1]), signal.SIGKILL)
            found[job.number] = outcome
    assert {one.status for one in found.values()} == {"done"}
    assert len(found) == 40


def test_what_does_the_jobs_must_be_made(stub, tmp_path, lines):
    with (
        pytest.raises(ConfigError, match=r"^the source must be readable, not this one$"),
        Engine(stub.Stub(tmp_path, broken=True), cluster_of(None, 1)) as engine,
    ):
        list(engine.run([stub.StubJob(1)]))
    assert lines("begun") == []


def test_nothing_is_started_for_no_job(stub, tmp_path):
    before = psutil.Process().children()
    with Engine(stub.Stub(tmp_path), cluster_of(None, None)) as engine:
        assert list(engine.run([])) == []
        assert psutil.Process().children() == before


@pytest.mark.parametrize("workers", [0, 1.5, 2000])
def test_a_number_of_workers_that_cannot_be_is_refused(workers):
    with pytest.raises(ConfigError, match="workers must be a whole number from 1 to"):
        cluster_of(None, workers)


def test_only_this_machine_can_reach_the_workers(stub, tmp_path):
    with Engine(stub.Stub(tmp_path), cluster_of(None, 1)) as engine:
        list(engine.run([stub.StubJob(1)]))
        processes = [psutil.Process(), *psutil.Process().children(recursive=True)]
        listening = {
            place.laddr.ip
            for process in processes
            for place in process.net_connections()
            if place.status == psutil.CONN_LISTEN
        }
    assert listening == {"127.0.0.1"}


def test_a_command_that_is_killed_leaves_no_worker_and_is_finished_by_the_next(command, lines):
    process = command(0.2)
    wait_for(lambda: lines("kept"))
    children = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    process.wait()
    assert len(children) >= 2
    wait_for(lambda: not any(child.is_running() for child in children))
    kept = {number for (number,) in lines("kept")}
    assert len(kept) < 24
    began = len(lines("begun"))
    _, errors = command(0.0).communicate(timeout=60)
    assert errors == b""
    assert sorted(int(number) for (number,) in lines("kept")) == [*range(24)]
    again = {number for number, _ in lines("begun")[began:]}
    assert not again & kept


def test_ctrl_c_keeps_what_is_done_and_stops_all(command, lines):
    process = command(0.2)
    wait_for(lambda: lines("kept"))
    children = psutil.Process(process.pid).children(recursive=True)
    os.killpg(process.pid, signal.SIGINT)  # as Ctrl-C in a terminal does
    _, errors = process.communicate(timeout=20)
    assert errors.count(b"Traceback") == 1  # the command's own, whose caller would handle it
    assert b"KeyboardInterrupt" in errors
    wait_for(lambda: not any(child.is_running() for child in children))
    kept = [number for (number,) in lines("kept")]
    assert 0 < len(kept) < 24
    _, errors = command(0.0).communicate(timeout=60)
    assert errors == b""
    assert Counter(number for (number,) in lines("kept")) == {str(n): 1 for n in range(24)}
