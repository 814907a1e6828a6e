"""Worker processes: started together, stopped together, and what they held given back.

Processes and not threads: the golden model's stages are short calls, which would wait for each
other. They are spawned, so that no lock and no connection of this process is copied into them.
"""

import multiprocessing
import os
import signal
import socket
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

from ...golden.errors import ConfigError, require_whole
from ...sim.processes import signals_blocked

POLL = 0.25
"""Seconds between looks at the workers."""

GRACE = 5.0
"""Seconds that a worker has to end in, once it was told to."""


class Stopped(BaseException):
    """This worker was told to end; no error handler of a library should catch it."""


def worker_name() -> str:
    """A name that no other worker has, on any machine; people can find the machine in it."""
    return f"{socket.gethostname()} {uuid.uuid4().hex[:12]}"


def worker_count(asked: int | None) -> int:
    """How many workers to start: one a processor that this process may use, unless told.

    Raises:
        ConfigError: no such number.
    """
    if asked is None:
        affinity = getattr(os, "sched_getaffinity", None)
        return len(affinity(0)) if affinity else os.cpu_count() or 1
    require_whole("workers", asked, 1, 1024)
    return asked


def orphaned() -> bool:
    """Whether the process that started this worker is gone."""
    parent = multiprocessing.parent_process()
    return parent is not None and not parent.is_alive()


def run_workers(
    work: Callable[..., None],
    arguments: tuple[Any, ...],
    count: int,
    *,
    tick: Callable[[], object],
    lost: Callable[[str], object],
) -> None:
    """Run ``work(name, *arguments)`` in several processes until all have returned.

    Args:
        work: a function of a module; its arguments can be pickled.
        count: processes.
        tick: called now and then meanwhile, and once at the end.
        lost: told the name of every worker that has ended, however it did.

    Raises:
        ConfigError: a worker failed, with its sentence; or all were killed. The others are stopped
            then, as they are where this process is interrupted.
    """
    context = multiprocessing.get_context("spawn")
    running: dict[str, tuple[BaseProcess, Connection]] = {}
    killed = ""
    try:
        with signals_blocked(signal.SIGINT):  # until a child can handle Ctrl-C
            for _ in range(count):
                name = worker_name()
                ours, theirs = context.Pipe(duplex=False)
                process = context.Process(target=_run, args=(work, name, arguments, theirs))
                process.start()
                theirs.close()
                running[name] = process, ours
        finished = 0
        while running:
            tick()
            for name, (process, pipe) in list(running.items()):
                process.join(POLL / len(running))
                if process.is_alive():
                    continue
                del running[name]
                lost(name)
                sentence = _said(pipe)
                if sentence is None:
                    killed = f"a worker of the sweep was killed (exit status {process.exitcode})"
                elif sentence:
                    raise ConfigError(sentence)
                else:
                    finished += 1
        tick()
        if killed and not finished:
            raise ConfigError(f"{killed}, and no other was left")
    finally:
        _stop([process for process, _ in running.values()])
        for name in running:
            lost(name)


def _run(
    work: Callable[..., None], name: str, arguments: tuple[Any, ...], pipe: Connection
) -> None:
    """A worker's life. It says "" where all went well, a sentence where not, or dies silent."""
    # Ctrl-C reaches every process of a terminal: the one that started us decides what it means.
    # An ignored signal would stay ignored in yosys and nextpnr; a handler is not handed on.
    signal.signal(signal.SIGINT, lambda *_: None)
    signal.signal(signal.SIGTERM, _stop_here)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    sentence = ""
    try:
        work(name, *arguments)
    except Stopped:
        pass
    except ConfigError as error:
        sentence = str(error)
    except Exception as error:
        sentence = f"a worker of the sweep failed: {type(error).__name__}: {error}"
    with suppress(OSError):
        pipe.send(sentence)


def _stop_here(*_: object) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # once: what follows is the way out
    raise Stopped


def _said(pipe: Connection) -> str | None:
    """A worker's last words; None where it was killed before it could say them."""
    try:
        return pipe.recv() if pipe.poll() else None
    except EOFError:
        return None


def _stop(processes: list[BaseProcess]) -> None:
    for process in processes:
        process.terminate()
    deadline = time.monotonic() + GRACE
    for process in processes:
        process.join(max(deadline - time.monotonic(), 0))
        if process.is_alive():
            process.kill()
            process.join()
