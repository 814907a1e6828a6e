"""Workers elsewhere: a scheduler that runs already, and the job queues of clusters."""

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import dask.config
import pytest
from click.testing import CliRunner

from softmaxfx import __version__, clusters, queues
from softmaxfx.cli import main
from softmaxfx.clusters import cluster_of
from softmaxfx.engine import GONE, Engine
from softmaxfx.golden import PRESETS, ConfigError
from softmaxfx.queues import queue_cluster, read_queue
from softmaxfx.study.sweep import samples as module
from softmaxfx.study.sweep.space.entries import KINDS
from softmaxfx.study.sweep.space.space import made

SPACE = """
sources = ["digits"]
elements = 2000
[base]
preset = "tiny"
[[grid]]
axes = { input = ["SQ(5, 3)", "SQ(5, 7)"], output = ["UQ(0, 6)", "UQ(0, 8)", "UQ(0, 30)"] }
"""

QUEUE = """
scheduler = "slurm"
jobs = 2
cores = 1
memory = "2GB"
queue = "short"
account = "chips"
walltime = "01:00:00"
directives = ["--exclusive"]
prologue = ["module load python"]
"""


@pytest.fixture
def started(tmp_path):
    """Starts a module of Dask as people do by hand: with another folder and home."""
    processes = []

    def start(module, *arguments, **environment):
        home = tmp_path / f"home{len(processes)}"
        home.mkdir()
        log = (home / "log").open("w")
        own = {**os.environ, "HOME": str(home), "TMPDIR": str(home), **environment}
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", f"distributed.cli.{module}", *map(str, arguments)],
            cwd=home, env=own, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
        processes.append(process)
        log.close()
        return process

    yield start
    for process in processes:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.fixture
def scheduler(started, tmp_path):
    """(address, process) of a scheduler without workers."""
    file = tmp_path / "scheduler.json"
    process = started(
        "dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard",
        "--scheduler-file", file,
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while not file.exists() or not file.read_text():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return json.loads(file.read_text())["address"], process


@pytest.fixture
def add_worker(started, scheduler):
    """Starts a worker of the scheduler."""

    def start(**environment):
        return started(
            "dask_worker", scheduler[0], "--nthreads", "1", "--no-dashboard",
            "--resources", f"{clusters.LONG}=1", **environment,
        )  # fmt: skip

    return start


@pytest.fixture
def stub(monkeypatch):
    """The module of jobs; workers that are started by hand find it by their environment."""
    here = str(Path(__file__).parent)
    monkeypatch.syspath_prepend(here)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([here, os.environ.get("PYTHONPATH", "")]))
    import engine_stub

    return engine_stub


def sweep(tmp_path, *arguments):
    (tmp_path / "space.toml").write_text(SPACE)
    given = ["sweep", "--space", tmp_path / "space.toml", *arguments]
    return CliRunner().invoke(main, [str(one) for one in given])


def test_workers_elsewhere_give_the_same_bytes_and_live_on(tmp_path, scheduler, add_worker):
    workers = [add_worker(), add_worker()]
    for out, where in (("here", ["--workers", "1"]), ("there", ["--cluster", scheduler[0]])):
        done = sweep(tmp_path, "--out", tmp_path / out, *where)
        assert done.exit_code == 0, done.output
        assert "15 done, 2 infeasible" in done.output
    here, there = (tmp_path / out / "results.csv" for out in ("here", "there"))
    assert here.read_bytes() == there.read_bytes()
    assert all(worker.poll() is None for worker in workers)


def test_a_scheduler_that_goes_away_is_one_sentence(stub, tmp_path, scheduler, add_worker):
    add_worker()
    jobs = [stub.StubJob(number, seconds=0.05) for number in range(100)]
    with Engine(stub.Stub(tmp_path), cluster_of(scheduler[0], None)) as engine:
        run = engine.run(jobs)
        found = [next(run)]
        scheduler[1].kill()
        with pytest.raises(ConfigError) as caught:
            found += run
    assert str(caught.value) == GONE
    assert len(found) < 100


def test_a_worker_of_a_cluster_that_is_killed_loses_nothing(stub, tmp_path, scheduler, add_worker):
    workers = [add_worker(), add_worker()]
    jobs = [stub.StubJob(number, seconds=0.05) for number in range(60)]
    found = []
    with Engine(stub.Stub(tmp_path), cluster_of(scheduler[0], None)) as engine:
        for job, outcome in engine.run(jobs):
            if not found:
                os.killpg(workers[0].pid, signal.SIGKILL)
            found.append((job.number, outcome.status))
    assert sorted(found) == [(number, "done") for number in range(60)]


def test_workers_of_another_version_are_refused(tmp_path, scheduler, add_worker):
    other = tmp_path / "other" / "softmaxfx-0.0.1.dist-info"
    other.mkdir(parents=True)
    (other / "METADATA").write_text("Metadata-Version: 2.1\nName: softmaxfx\nVersion: 0.0.1\n")
    path = os.pathsep.join([str(other.parent), os.environ.get("PYTHONPATH", "")])
    add_worker(PYTHONPATH=path)
    refused = sweep(tmp_path, "--out", tmp_path / "out", "--cluster", scheduler[0])
    assert refused.exit_code == 2
    assert f"must have softmaxfx {__version__}, as this command does, and " in refused.stderr
    assert refused.stderr.endswith("has 0.0.1\n")
    assert refused.stderr.count("\n") == 1


def test_where_no_scheduler_answers_is_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(clusters, "PATIENCE", 2)
    refused = sweep(tmp_path, "--out", tmp_path / "out", "--cluster", "tcp://127.0.0.1:9")
    assert refused.exit_code == 2
    assert "a Dask scheduler that answers, unlike tcp://127.0.0.1:9: " in refused.stderr
    assert refused.stderr.count("\n") == 1


@pytest.mark.parametrize("address", ["tcp://nonsense:port", "carrier-pigeon://coop", "://"])
def test_an_address_that_is_none_is_one_sentence(address, tmp_path, monkeypatch):
    monkeypatch.setattr(clusters, "PATIENCE", 2)
    refused = sweep(tmp_path, "--out", tmp_path / "out", "--cluster", address)
    assert refused.exit_code == 2
    assert f"a Dask scheduler that answers, unlike {address}: " in refused.stderr
    assert refused.stderr.count("\n") == 1


def test_a_scheduler_without_workers_is_one_sentence(scheduler, monkeypatch):
    monkeypatch.setattr(clusters, "PATIENCE", 2)
    with ExitStack() as stack, pytest.raises(ConfigError, match="must have a worker, and has none"):
        cluster_of(scheduler[0], None)(stack)


def queue_file(tmp_path, text=QUEUE, **changes):
    file = tmp_path / "queue.toml"
    lines = [line for line in text.splitlines() if line.split(" = ")[0] not in changes]
    lines += [f"{key} = {json.dumps(value)}" for key, value in changes.items() if value is not None]
    file.write_text("\n".join(lines))
    return file


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"colour": 1}, "must have only scheduler, jobs, cores, .*, not 'colour'"),
        ({"scheduler": "cron"}, "scheduler of .* must be one of slurm, lsf, pbs, sge, not 'cron'"),
        ({"scheduler": None}, "scheduler of .* must be one of slurm, lsf, pbs, sge, not None"),
        ({"jobs": 0}, "jobs of cluster .* must be a whole number from 1 to 100000, not 0"),
        ({"cores": "two"}, "cores of cluster .* must be a whole number from 1 to .*, not 'two'"),
        ({"memory": None}, "must have the memory of a job, as in '16GB'"),
        ({"memory": 16}, "memory of cluster .* must be text, not 16"),
        ({"directives": "-x"}, "directives of cluster .* must be a list of lines, not '-x'"),
    ],
)
def test_slips_of_the_pen_in_a_cluster_file_are_refused(changes, sentence, tmp_path):
    with pytest.raises(ConfigError, match=sentence):
        cluster_of(str(queue_file(tmp_path, **changes)), None)


def test_a_cluster_file_must_be_there_and_name_the_workers_alone(tmp_path):
    with pytest.raises(ConfigError, match=r"cluster must be a readable TOML file, not none\.toml"):
        cluster_of("none.toml", None)
    with pytest.raises(ConfigError, match="--workers must not be given together with --cluster"):
        cluster_of("tcp://127.0.0.1:9", 2)


@pytest.mark.parametrize(
    ("scheduler", "expected"),
    [
        ("slurm", ["#SBATCH -p short", "#SBATCH -A chips", "#SBATCH -t 01:00:00",
                   "#SBATCH --cpus-per-task=3", "#SBATCH --mem=2G", "#SBATCH --exclusive"]),
        ("lsf", ["#BSUB -q short", '#BSUB -P "chips"', "#BSUB -n 3", "#BSUB -W 01:00"]),
        ("pbs", ["#PBS -q short", "#PBS -A chips", "#PBS -l walltime=01:00:00",
                 "#PBS -l select=1:ncpus=3:mem=1908MB"]),
        ("sge", ["#$ -q short", "#$ -P chips", "#$ -l h_rt=01:00:00"]),
    ],
)  # fmt: skip
def test_the_script_that_a_job_queue_gets(scheduler, expected, tmp_path):
    walltime = "01:00" if scheduler == "lsf" else "01:00:00"
    file = queue_file(tmp_path, scheduler=scheduler, walltime=walltime, cores=3)
    jobs, options = read_queue(file)
    with queue_cluster(options) as cluster:
        script = cluster.job_script().splitlines()
    assert jobs == 2
    for line in [*expected, "module load python"]:
        assert line in script
    assert script[0].startswith("#!")
    command = script[-1] if script[-1] else script[-2]
    assert f"{shlex.quote(sys.executable)} -P -m distributed.cli.dask_worker tcp://" in command
    for option in ("--nthreads 1 ", "--nworkers 3 "):
        assert option in command
    assert f"--resources {clusters.LONG}=1" in command


@pytest.fixture
def job_queue(tmp_path, monkeypatch):
    """Makes a queue that starts each job at once, or says something else; the jobs' processes."""
    tools, jobs = tmp_path / "tools", tmp_path / "jobs"
    tools.mkdir()
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")
    runs = (
        f'cp "$1" "{tools}/$$"; setsid bash "{tools}/$$" >"{tools}/$$.log" 2>&1 & '
        f'echo $! >> "{jobs}"; echo "Submitted batch job $!"'
    )

    def made(sbatch=runs):
        for name, text in {"sbatch": sbatch, "scancel": 'kill -s KILL -- "-$1"'}.items():
            (tools / name).write_text(f"#!/bin/bash\n{text}\n")
            (tools / name).chmod(0o755)
        return lambda: [int(line) for line in jobs.read_text().split()]

    return made


def test_a_sweep_through_a_job_queue(tmp_path, job_queue):
    """The scripts run as they are."""
    jobs = job_queue()
    file = queue_file(tmp_path, prologue=[])
    done = sweep(tmp_path, "--out", tmp_path / "out", "--cluster", file)
    assert done.exit_code == 0, done.output
    assert "15 done, 2 infeasible" in done.output
    assert len(jobs()) == 2


@pytest.mark.parametrize("cores", [1, 2])
def test_a_job_that_the_queue_ends_is_submitted_again(
    cores, stub, tmp_path, job_queue, monkeypatch
):
    """As where its walltime is over."""
    monkeypatch.setattr(queues, "GRACE", 2)
    jobs = job_queue()
    file = queue_file(tmp_path, prologue=[], jobs=1, cores=cores)
    found = []
    with Engine(stub.Stub(tmp_path), cluster_of(str(file), None)) as engine:
        for job, outcome in engine.run(stub.StubJob(n, seconds=0.3) for n in range(60)):
            if len(found) == 10:
                os.killpg(jobs()[0], signal.SIGKILL)
            found.append((job.number, outcome.status))
    assert sorted(found) == [(number, "done") for number in range(60)]
    assert len(jobs()) == 2


def test_a_queue_that_takes_no_jobs_is_one_sentence(tmp_path, job_queue):
    job_queue("echo sbatch: error: invalid partition: short >&2; exit 1")
    refused = sweep(tmp_path, "--out", tmp_path / "out", "--cluster", queue_file(tmp_path))
    assert refused.exit_code == 2
    assert refused.stderr == (
        "softmaxfx: cluster must be a queue that takes jobs: sbatch: error: invalid partition: "
        "short\n"
    )


@pytest.mark.parametrize(
    ("function", "status", "sentence"),
    [
        ("softmax", 0, "point on digits: done in "),
        ("log_softmax", 1, "point on digits: function must be softmax to be measured"),
    ],
)
def test_the_command_tells_what_there_is_and_tries_it(function, status, sentence, monkeypatch):
    def samples():
        source = module.sample_source()
        fields = {"max_length": 1000, "function": function, "output": "SQ(6, 10)"}
        point = made(fields if status else {"max_length": 1000}, PRESETS["tiny"])
        return [point.point(source.name, source.data_sha256)]

    monkeypatch.setattr(module, "samples", samples)
    result = CliRunner().invoke(main, ["cluster", "--workers", "1", "--check"])
    assert result.exit_code == status, result.output
    assert "1 workers on 1 host, 1 cores, " in result.output
    assert sentence in result.output


def test_there_is_a_sample_of_each_kind():
    assert {entry.kind for entry in module.samples()} == set(KINDS)
    assert {entry.status for entry in module.samples()} == {"open"}


@pytest.fixture
def tls(tmp_path):
    """Settings of Dask: one certificate for all."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed: apt-get install openssl")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=us",
         "-keyout", key, "-out", certificate],
        check=True, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    roles = {role: {"key": str(key), "cert": str(certificate)} for role in
             ("scheduler", "worker", "client")}  # fmt: skip
    return {"require-encryption": True, "tls": {"ca-file": str(certificate), **roles}}


def test_the_tls_settings_of_dask_are_taken(stub, tls, tmp_path, monkeypatch, request):
    monkeypatch.setenv("DASK_CONFIG", str(tmp_path / "dask"))
    (tmp_path / "dask").mkdir()
    settings = {"distributed": {"comm": tls}}
    (tmp_path / "dask" / "own.yaml").write_text(json.dumps(settings))  # JSON is YAML
    address, _ = request.getfixturevalue("scheduler")
    request.getfixturevalue("add_worker")()
    assert address.startswith("tls://")
    monkeypatch.setattr(clusters, "PATIENCE", 10)
    with ExitStack() as stack, pytest.raises(ConfigError, match="TLS"):
        cluster_of(address, None)(stack)
    with (
        dask.config.set(dask.config.merge(dask.config.config, settings)),
        Engine(stub.Stub(tmp_path), cluster_of(address, None)) as engine,
    ):
        ((_, outcome),) = engine.run([stub.StubJob(3)])
    assert outcome.value == {"square": 9}
