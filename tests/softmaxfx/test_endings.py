"""Exit status 1 says what a check found; any other bad end is one sentence on stderr and status 2.

The commands run as processes of their own, as what ends them is outside of them.
"""

import os
import re
import shlex
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from click.testing import CliRunner

from softmaxfx import cli
from softmaxfx.golden import ConfigError

COMMAND = shlex.join([sys.executable, "-m", "softmaxfx"])
EXPORT = "softmaxfx export --preset tiny --out out"

SHELL = {
    "a full disk behind stdout": (
        f"{EXPORT} > /dev/full", r"the standard output cannot be used: No space left on device"
    ),
    "help onto a full disk": ("softmaxfx --help > /dev/full", r"No space left on device"),
    "a pipe that nobody reads": (
        f"{{ {EXPORT}; echo $? > status; }} | true", r"the standard output cannot be used: Broken"
    ),
    "help into a pipe that nobody reads": (
        "{ sleep 0.2; softmaxfx --help; echo $? > status; } | true", r"must be open until the end"
    ),
    "a closed stdout": (f"{EXPORT} >&-", r"the standard output must be open, not closed"),
    "help to a closed stdout": ("softmaxfx --help >&-", r"must be open, not closed"),
    "a file in the way of the folder": (
        "touch out; softmaxfx sim --preset tiny", r"--out must be a writable directory, not out: "
    ),
    "a folder in the way of the report": (
        "mkdir -p out/report.json; softmaxfx sim --preset tiny --out out",
        r"the report must be a writable file, not out/report\.json: .* is a directory",
    ),
}  # fmt: skip
"""Lines of a shell: each ends with status 2 (in the file ``status`` where a pipe hides it)."""


def shell(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    program = line.replace("softmaxfx ", f"{COMMAND} ")
    if "--out" not in line and "sim" in line:
        program += " --out out"
    return subprocess.run(
        ["/bin/bash", "-c", program], cwd=folder, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(("line", "sentence"), SHELL.values(), ids=SHELL)
def test_what_the_system_refuses_is_one_sentence(line, sentence, tmp_path):
    done = shell(line, tmp_path)
    status = tmp_path / "status"
    assert (int(status.read_text()) if status.exists() else done.returncode) == 2, done
    assert re.search(sentence, done.stderr), done
    assert done.stderr.startswith("softmaxfx: ")
    assert done.stderr.count("\n") == 1
    assert not list(tmp_path.glob("out/*.v"))[1:]


@pytest.mark.parametrize("closed", ["2>&-", "<&-", "2>/dev/full"])
def test_a_closed_stream_that_is_not_needed_changes_nothing(closed, tmp_path):
    assert shell(f"{EXPORT} {closed}", tmp_path).returncode == 0
    assert shell(f"softmaxfx export --preset none {closed}", tmp_path).returncode == 2
    assert len(list((tmp_path / "out").iterdir())) == 2


@pytest.fixture
def simulating(tmp_path):
    """A command whose worker processes are at work."""
    arguments = [sys.executable, "-m", "softmaxfx", "sim", "--workers", "2", "--out", tmp_path]
    process = subprocess.Popen(
        arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while not (tmp_path / "exports").exists():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    yield process
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("everyone", [False, True], ids=["the command", "its group"])
def test_a_signal_ends_the_command_and_its_workers(number, everyone, simulating):
    """A terminal tells every process of the group; ``kill`` the command alone."""
    workers = psutil.Process(simulating.pid).children(recursive=True)
    assert len(workers) >= 2
    (os.killpg if everyone else os.kill)(simulating.pid, number)
    _, error = simulating.communicate(timeout=20)
    assert (simulating.returncode, error) == (2, "softmaxfx: interrupted\n")
    _, alive = psutil.wait_procs(workers, timeout=10)
    assert alive == []


ERRORS = {
    "a refusal": (ConfigError("lanes must be\n1"), r"lanes must be 1$"),
    "no memory": (MemoryError(), r"the memory does not suffice$"),
    "no memory for an array": (
        MemoryError("Unable to allocate 7 TiB"), r"the memory does not suffice: Unable to allocate"
    ),
    "no room": (OSError(28, "No space left", "x.v"), r"x\.v cannot be used: No space left$"),
    "nothing more is known": (OSError("odd"), r"cannot be used: odd$"),
    "a broken tool": (
        subprocess.CalledProcessError(3, ["yosys", "-V"]), r"yosys failed with exit status 3$"
    ),
    "an interruption": (KeyboardInterrupt(), r"interrupted$"),
    "the end of a file": (EOFError("no more"), r"Traceback.*a defect of softmaxfx: EOFError"),
    "a defect": (KeyError("x"), r"Traceback.*a defect of softmaxfx: KeyError, as told above$"),
    "a library's exit": (SystemExit(1), r"the standard output must be open until the end"),
}  # fmt: skip


@pytest.mark.parametrize(("error", "sentence"), ERRORS.values(), ids=ERRORS)
def test_any_error_ends_with_a_sentence_and_status_2(error, sentence, monkeypatch, tmp_path):
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("softmaxfx.export.export_unit", fail)
    result = CliRunner().invoke(cli.main, ["export", "--out", str(tmp_path / "out")])
    assert result.exit_code == 2
    assert re.search(f"(?s){sentence}", result.stderr.rstrip("\n")), result.stderr
    assert ("Traceback" in result.stderr) == ("defect" in sentence)
    assert result.stderr.splitlines()[-1].startswith("softmaxfx: ")
