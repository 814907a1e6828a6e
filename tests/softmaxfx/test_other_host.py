"""A host that shares nothing with the command's but the address of a scheduler.

Command and workers have a network of their own each, and a cable between them. The workers have
another user, home and working folder, and cannot see the command's folder. Only root can make this:
elsewhere ``test_clusters.py`` has workers with a home and a folder of their own.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from softmaxfx import clusters

SPACE = """
sources = ["digits"]
elements = 2000
[base]
preset = "tiny"
[[grid]]
[grid.axes]
datapath = ["max_subtract", "exact_sum"]
input = ["SQ(5, 3)", "SQ(5, 7)"]
output = ["UQ(0, 6)", "UQ(0, 8)", "UQ(0, 30)"]
"""
DESIGN = """
[[design]]
target = "ecp5"
seeds = 2
fixed = { max_length = 16 }
cases = [{ input = "SQ(5, 2)", output = "UQ(0, 4)" }]
"""
LOOK = """
import json, os, sys
from contextlib import ExitStack
from softmaxfx.clusters import cluster_of
with ExitStack() as stack:
    client = cluster_of(sys.argv[1], None)(stack)
    client.wait_for_workers(2)
    look = lambda: (os.path.exists(sys.argv[2]), os.getuid(), os.getcwd())
    print(json.dumps(list(client.run(look).values())))
"""
MODULE = sys.executable, "-P", "-m"
NOBODY = 65534
AS_NOBODY = [
    "setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups",
    "--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search",
]  # fmt: skip
"""Who may read, for the interpreter can lie in root's home, and write nothing but its own."""
ADDRESSES = {"here": "198.51.100.1", "there": "198.51.100.2"}  # for documents: no network has them


def run(*command: object) -> None:
    subprocess.run([str(word) for word in command], check=True)


def why_not() -> str:
    """Why there cannot be another host; empty where there can."""
    missing = [tool for tool in ("ip", "unshare", "setpriv") if shutil.which(tool) is None]
    if os.geteuid() != 0 or missing:
        return f"only root can make another host, with {', '.join(missing) or 'its tools'}"
    tried = [["unshare", "--net", "--mount", "true"], [*AS_NOBODY, sys.executable, "-c", ""]]
    for command in tried:
        if subprocess.run(command, capture_output=True, check=False).returncode:
            return f"there can be no other host: {' '.join(command)} is refused"
    return ""


@dataclass(frozen=True)
class Hosts:
    """Two networks with a cable; ``here`` and ``there`` run a command in one of them."""

    names: dict[str, str]

    def at(self, place: str, *command: object) -> list[str]:
        return ["ip", "netns", "exec", self.names[place], *map(str, command)]


@pytest.fixture
def hosts() -> Iterator[Hosts]:
    if reason := why_not():
        pytest.skip(reason)
    names = {place: f"softmaxfx-{os.getpid()}-{place}" for place in ADDRESSES}
    with ExitStack() as stack:
        for name in names.values():
            run("ip", "netns", "add", name)
            stack.callback(run, "ip", "netns", "del", name)
        here, there = names.values()
        run("ip", "link", "add", "eth0", "netns", here, "type", "veth",
            "peer", "name", "eth0", "netns", there)  # fmt: skip
        for place, name in names.items():
            run("ip", "-n", name, "address", "add", f"{ADDRESSES[place]}/30", "dev", "eth0")
            for device in ("lo", "eth0"):
                run("ip", "-n", name, "link", "set", device, "up")
        yield Hosts(names)


@contextmanager
def started(command: list[str], folder: Path, **environment: str) -> Iterator[None]:
    with (folder / "log").open("a") as log:
        process = subprocess.Popen(
            command, cwd=folder, env={"PATH": os.environ["PATH"], **environment}, stdout=log,
            stderr=log, start_new_session=True,
        )  # fmt: skip
    try:
        yield
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture
def address(hosts, tmp_path) -> Iterator[str]:
    """Of a scheduler here, with two workers there."""
    file = tmp_path / "scheduler.json"
    scheduler = hosts.at(
        "here", *MODULE, "distributed.cli.dask_scheduler", "--host", ADDRESSES["here"],
        "--port", "0", "--no-dashboard", "--scheduler-file", file,
    )  # fmt: skip
    with ExitStack() as stack:
        stack.enter_context(started(scheduler, tmp_path, HOME=str(tmp_path)))
        wait_for(lambda: file.exists() and file.read_text())
        address = json.loads(file.read_text())["address"]
        for _ in range(2):
            home = Path(tempfile.mkdtemp())
            stack.callback(shutil.rmtree, home)
            os.chown(home, NOBODY, NOBODY)
            hidden = f'mount -t tmpfs none "{tmp_path}" && exec "$@"'
            worker = hosts.at(
                "there", "unshare", "--mount", "sh", "-c", hidden, "sh", *AS_NOBODY, *MODULE,
                "distributed.cli.dask_worker", address, "--nthreads", "1", "--no-dashboard",
                "--resources", f"{clusters.LONG}=1",
            )  # fmt: skip
            stack.enter_context(started(worker, home, HOME=str(home), TMPDIR=str(home)))
        yield address


@pytest.mark.parametrize(
    ("space", "told"),
    [
        pytest.param(SPACE, "19 done, 4 infeasible", id="points"),
        pytest.param(SPACE + DESIGN, "21 done, 4 infeasible", id="design", marks=pytest.mark.long),
    ],
)
def test_results_are_those_of_the_local_sweep_byte_for_byte(space, told, hosts, address, tmp_path):
    (tmp_path / "space.toml").write_text(space)
    sweep = *MODULE, "softmaxfx", "sweep", "--space", tmp_path / "space.toml"
    for out, where in (("local", ["--workers", "2"]), ("elsewhere", ["--cluster", address])):
        command = hosts.at("here", *sweep, "--out", tmp_path / out, *where)
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, ""), done.stdout
        assert told in done.stdout
    local, elsewhere = (tmp_path / out / "results.csv" for out in ("local", "elsewhere"))
    assert elsewhere.read_bytes() == local.read_bytes()


def test_the_workers_see_nothing_of_the_command(hosts, address, tmp_path):
    (tmp_path / "secret").touch()
    command = hosts.at("here", sys.executable, "-P", "-c", LOOK, address, tmp_path / "secret")
    seen = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    assert [(exists, user) for exists, user, _ in seen] == [(False, NOBODY)] * 2
    assert len({folder for *_, folder in seen}) == 2
