"""Processes that end with this one, however it ends, and with all that they have started.

Each has a session of its own, so that one signal reaches a compiler behind make behind a command.
A shell beside it waits for the end of a pipe whose other end only this process has: the end comes
when we say so, or when we are gone, by whatever signal; then the shell kills the session.
"""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from types import FrameType
from typing import IO

from ..golden.errors import ConfigError, require_whole
from .environment import own_environment

SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)
"""Those by which people and systems end a command."""

_GUARD = 'read said || kill -s KILL -- "-$0"'

_interrupted = False
_alone = True
_running: set[subprocess.Popen[bytes]] = set()
os.register_at_fork(after_in_child=_running.clear)  # they are the parent's


@contextmanager
def started(
    command: Sequence[str | Path],
    output: IO[bytes] | int,
    *,
    cwd: Path | None = None,
    env: dict[str, str] | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """A process, killed with its descendants where the block ends before it.

    Args:
        output: what stdout and stderr go to.
        env: its whole environment; :func:`.environment.own_environment` unless given.

    Raises:
        ConfigError: the program cannot be run.
    """
    env = own_environment() if env is None else env
    try:
        process = subprocess.Popen(
            command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=output,
            stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    except OSError as error:
        raise ConfigError(
            f"{command[0]} must be a program that runs, and does not: {error.strerror}"
        ) from None
    guard = None
    try:
        _running.add(process)
        if _interrupted:  # between the start and here, or before another thread's next start
            _kill(process)
        guard = subprocess.Popen(
            ["/bin/sh", "-c", _GUARD, str(process.pid)],
            env=env, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip
        yield process
    finally:
        _kill(process)
        process.wait()
        _running.discard(process)
        if process.stdout is not None:
            process.stdout.close()
        if guard is not None:
            with suppress(BrokenPipeError):
                guard.communicate(b"ended\n")


def run_to_end(
    command: Sequence[str | Path],
    output: IO[bytes] | int,
    *,
    cwd: Path | None = None,
    env: dict[str, str] | None = None,
    tick: Callable[[], object] = lambda: None,
) -> int:
    """Run a process as :func:`started` does; its exit status.

    Args:
        tick: called five times a second meanwhile, and once at the end.
    """
    # a thread waits, so that the end is noticed at once
    with ThreadPoolExecutor(1) as pool, started(command, output, cwd=cwd, env=env) as process:
        ended = pool.submit(process.wait)
        while not ended.done():
            wait([ended], timeout=0.2)
            tick()
        return ended.result()


def ask(needed: str, command: Sequence[str | Path], *, timeout: float = 60) -> str:
    """What a tool prints about itself, stdout and stderr together.

    Args:
        needed: what needs it, as in ``"synthesis needs yosys"``, for the sentence of an error.
        timeout: seconds.

    Raises:
        ConfigError: it cannot be run, fails, prints nothing or does not end.
    """
    refused = f"{needed}, and {command[0]} does not run: "
    try:
        with started(command, subprocess.PIPE) as process:
            octets, _ = process.communicate(timeout=timeout)
    except ConfigError as error:
        raise ConfigError(refused + str(error).rpartition(": ")[2]) from None
    except subprocess.TimeoutExpired:
        raise ConfigError(f"{refused}it has not ended after {timeout:g} s") from None
    printed = octets.decode(errors="replace").strip()
    lines = printed.splitlines() or ["it printed nothing"]
    if process.returncode or not printed:
        raise ConfigError(refused + lines[-1])
    return printed


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """Ctrl-C, SIGTERM and SIGHUP raise ``KeyboardInterrupt`` in the block, in the main thread.

    Before, they kill what :func:`started` runs in any thread, or will run until the block ends, so
    that no thread waits for it. A signal that is ignored, as SIGHUP is under nohup, stays ignored.
    """
    global _interrupted
    before = {}
    if threading.current_thread() is threading.main_thread():
        before = {number: signal.getsignal(number) for number in SIGNALS}
    changed = {number: old for number, old in before.items() if old not in (None, signal.SIG_IGN)}
    try:
        with _main_thread_woken() if changed else nullcontext():
            for number in changed:
                signal.signal(number, _interrupt)
            yield
    finally:
        for number, old in changed.items():
            signal.signal(number, old)
        if changed:
            _interrupted = False


def _interrupt(number: int, frame: FrameType | None) -> None:
    global _interrupted
    _interrupted = True
    for process in tuple(_running):
        _kill(process)
    raise KeyboardInterrupt


@contextmanager
def _main_thread_woken() -> Iterator[None]:
    """Python's handlers run soon after a signal, though the main thread waits for a lock.

    The system may hand a signal to another thread, or to the main one just before it starts to
    wait; Python then calls the handler when the lock is released, which may be never. A thread
    reads of each signal from Python's wake-up descriptor and ends the wait by another signal.
    """
    if not hasattr(signal, "pthread_kill"):
        yield
        return
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    main = threading.get_ident()
    woken = False

    def wake() -> None:
        nonlocal woken
        while number := os.read(reader, 1):
            woken = number[0] == signal.SIGURG
            while not woken:
                signal.pthread_kill(main, signal.SIGURG)
                time.sleep(0.05)

    def awake(number: int, frame: FrameType | None) -> None:
        nonlocal woken
        woken = True

    urgent = signal.signal(signal.SIGURG, awake)
    old = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    watch = threading.Thread(target=wake, name="signals", daemon=True)
    watch.start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(old)
        os.close(writer)
        watch.join()
        os.close(reader)
        signal.signal(signal.SIGURG, urgent)


@contextmanager
def signals_blocked(*numbers: signal.Signals) -> Iterator[None]:
    """Signals wait, and in processes that are started meanwhile until these unblock them."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def worker_count(asked: int | None = None) -> int:
    """How many processes to start: one a processor that this process may use, unless told.

    Raises:
        ConfigError: no such number.
    """
    if asked is None and not _alone:
        return 1
    if asked is None:
        affinity = getattr(os, "sched_getaffinity", None)
        return len(affinity(0)) if affinity else os.cpu_count() or 1
    require_whole("workers", asked, 1, 1024)
    return asked


def take_one_processor() -> None:
    """This process is one of as many as there are processors: what it starts is to use one."""
    global _alone
    _alone = False


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kill a process and its descendants, unless it has ended."""
    if process.poll() is None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
