"""What this package starts ends with it, in every way that a command can end."""

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from softmaxfx.golden.errors import ConfigError
from softmaxfx.sim.processes import ask, ended_by_signals, run_to_end, started

TREE = 'sh -c "echo \\$\\$ > grandchild; sleep 600; true" & echo $$ > child; wait'
"""A process with a child of its own, as make has; both say who they are."""

PREAMBLE = """
import subprocess, sys, threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from softmaxfx.sim.processes import ended_by_signals, run_to_end
def tool(*_): run_to_end(["sh", "-c", TREE], subprocess.DEVNULL)
def handled(work):
    with ended_by_signals(): work()
def in_thread(work):
    with ThreadPoolExecutor(1) as pool: pool.submit(work).result()
"""

LIVES = {
    "in the main thread": "tool()",
    "in a thread": "in_thread(tool)",
    "in the main thread, signals handled": "handled(tool)",
    "in a thread, signals handled": "handled(lambda: in_thread(tool))",
}
ENDS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL]
WAITS = {("in a thread", signal.SIGINT)}
"""Python's own Ctrl-C waits for threads; a command line handles its signals."""


def a_command(life: str, folder: Path) -> subprocess.Popen[bytes]:
    """A command that runs :data:`TREE` in one of several ways."""
    script = folder / "command.py"
    main = f"if __name__ == '__main__':\n    {life}\n"
    script.write_text(f"TREE = {TREE!r}\n{PREAMBLE}\n{main}")
    return subprocess.Popen(
        [sys.executable, str(script)], cwd=folder, start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def process_id(file: Path) -> int:
    """The process id in a file, once there is one."""
    return eventually(lambda: int(file.read_text() or 0) if file.exists() else 0)


def eventually(what, seconds: float = 60):
    """What a function gives, once that is true."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := what():
            return found
        time.sleep(0.02)
    pytest.fail("it has not come true")


def gone(process: int) -> bool:
    """Whether a process has ended; one that nobody has waited for has."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):  # the latter where it ends while it is read
        return True


def session(leader: int) -> list[int]:
    """The processes of a session that live."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == leader and fields[0] != "Z":
            found.append(int(stat.parent.name))
    return found


needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads Linux's /proc")


@needs_proc
@pytest.mark.parametrize(
    ("life", "end"),
    [(life, end) for life in LIVES for end in ENDS if (life, end) not in WAITS],
    ids=lambda value: getattr(value, "name", value),
)
def test_nothing_is_left_of_a_command_that_was_ended(life, end, tmp_path):
    command = a_command(LIVES[life], tmp_path)
    try:
        tree = [process_id(tmp_path / "child"), process_id(tmp_path / "grandchild")]
        command.send_signal(end)
        eventually(lambda: all(gone(process) for process in tree))
        command.wait(timeout=60)
        eventually(lambda: not session(command.pid))
    finally:
        command.kill()
        command.wait()


def test_a_signal_that_another_thread_takes_ends_a_wait_of_the_main_thread():
    def take() -> None:
        signal.pthread_kill(threading.get_ident(), signal.SIGTERM)

    def wait_for_ever() -> None:
        with ended_by_signals():
            threading.Timer(0.2, take).start()
            threading.Event().wait(60)

    begin = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        wait_for_ever()
    assert time.monotonic() - begin < 30


def test_what_runs_longer_than_its_block_is_killed(tmp_path):
    with started(["sh", "-c", TREE], subprocess.DEVNULL, cwd=tmp_path) as process:
        grandchild = process_id(tmp_path / "grandchild")
        assert not gone(grandchild)
    assert process.returncode == -signal.SIGKILL
    eventually(lambda: gone(grandchild))


def interrupted(number: int) -> None:
    with ended_by_signals():
        os.kill(os.getpid(), number)
        time.sleep(5)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_interrupts_and_its_old_meaning_comes_back(number):
    before = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt):
        interrupted(number)
    assert signal.getsignal(number) is before


def test_what_another_thread_starts_after_a_signal_does_not_last():
    def work():
        began.wait()
        return run_to_end(["sleep", "600"], subprocess.DEVNULL)

    began = threading.Event()

    def interrupted_before_the_start():
        with ended_by_signals(), ThreadPoolExecutor(1) as pool:
            ends.append(pool.submit(work))
            try:
                interrupted_here()
            finally:
                began.set()

    def interrupted_here():
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(5)

    ends = []
    with pytest.raises(KeyboardInterrupt):
        interrupted_before_the_start()
    assert ends[0].result() == -signal.SIGKILL
    assert run_to_end(["true"], subprocess.DEVNULL) == 0


def test_a_signal_that_is_ignored_stays_ignored():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with ended_by_signals():
            os.kill(os.getpid(), signal.SIGHUP)
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_threads_run_processes_beside_each_other(tmp_path):
    meet = "touch {0}; while [ ! -e {1} ]; do sleep 0.05; done"
    with ThreadPoolExecutor(2) as pool:
        ends = pool.map(
            lambda pair: run_to_end(
                ["sh", "-c", meet.format(*pair)], subprocess.DEVNULL, cwd=tmp_path
            ),
            [("a", "b"), ("b", "a")],
        )
        assert [*ends] == [0, 0]
    assert threading.active_count() < 10


PROGRAMS = {
    "fails": ("#!/bin/sh\necho 'libfoo.so: not found' >&2; exit 127", r"libfoo\.so: not found"),
    "fails silently": ("#!/bin/sh\nexit 1", "it printed nothing"),
    "prints nothing": ("#!/bin/sh\nexit 0", "it printed nothing"),
    "prints blanks": ("#!/bin/sh\necho ' '", "it printed nothing"),
    "is killed": ("#!/bin/sh\necho half; kill -9 $$", "half"),
    "is of another machine": ("\x7fELF\x01\x01\x01 nothing", "Exec format error"),
    "has no interpreter": ("#!/no/such/interpreter\n", "No such file or directory"),
    "never ends": ("#!/bin/sh\nsleep 600", "it has not ended after 0.5 s"),
    "waits for input": ("#!/bin/sh\nread line || { echo no input; exit 1; }", "no input"),
}


@pytest.mark.parametrize("how", PROGRAMS)
def test_a_broken_program_is_one_sentence(how, tmp_path):
    text, reason = PROGRAMS[how]
    program = tmp_path / "tool"
    program.write_text(text)
    program.chmod(0o755)
    sentence = rf"^this needs a tool, and .*/tool does not run: {reason}$"
    with pytest.raises(ConfigError, match=sentence):
        ask("this needs a tool", [program, "--version"], timeout=0.5 if "never" in how else 60)


@pytest.mark.parametrize("there", [False, True])
def test_what_is_no_program_is_one_sentence(there, tmp_path):
    program = tmp_path / "tool"
    if there:
        program.write_text("#!/bin/sh\n")  # nobody may execute it
    with pytest.raises(ConfigError, match=r"^.*/tool must be a program that runs, and does not: "):
        run_to_end([program], subprocess.DEVNULL)
