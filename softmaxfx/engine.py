"""Work that outgrows one process: jobs go to the workers of a Dask cluster, outcomes come back.

Neighbours travel together, since they share stages; a job that takes long travels alone, and a
worker has one of those at a time. Where a worker dies, all that was on its way to it is suspected:
each of those jobs is tried once more with nothing else running, so that the one that kills its
process is named, and the others are cleared.
"""

import logging
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from functools import cached_property
from multiprocessing import resource_tracker
from typing import Any, Protocol, TypeVar
from uuid import uuid4

import dask
from distributed import (
    Client,
    Future,
    KilledWorker,
    LocalCluster,
    WorkerPlugin,
    as_completed,
    get_worker,
)

from .golden.errors import ConfigError
from .outcomes import Outcome, outcome_of
from .sim.processes import signals_blocked, worker_count

CHUNK = 8
"""Neighbours that travel together: they share stages, and few are left to others at the end."""

AHEAD = 2
"""Chunks on their way to a worker, the one it is at included: none waits for work."""

LONG = "softmaxfx-long"
"""The resource of a worker that a long job takes, all there is of it."""

MEMORY = "auto"
"""Of a local worker, which is stopped where it takes more: an even share of the machine's."""

CONFIGURATION = {
    "distributed.worker.memory.pause": False,  # a worker that pauses for good would stop a sweep
    "distributed.worker.profile.enabled": False,
}
"""Dask's settings of local workers."""

KILLED = "its process was killed twice, the second time with nothing else running: it crashes, or "
KILLED += "the memory does not suffice"


class Job(Protocol):
    """What is to be done; it can be pickled."""

    @property
    def long(self) -> bool:
        """Whether it takes long, as place-and-route or a Verilator build does."""
        ...


Work = Callable[[Any], Any]
"""Does a job; what it returns is of JSON. See :func:`.outcomes.outcome_of`."""

AnyJob = TypeVar("AnyJob", bound=Job)
Jobs = list[AnyJob]


class Engine:
    """The workers of a command, started when there is something to do; used in a ``with``."""

    def __init__(self, make: Callable[[], Work], *, workers: int | None = None) -> None:
        """Args:
            make: makes what does the jobs, once in every worker; it can be pickled. A
                :class:`ConfigError` that it raises ends the run.
            workers: processes of this machine; one a processor where it is ``None``.

        Raises:
            ConfigError: no such number of workers.
        """
        self._make, self._count = make, worker_count(workers)
        self._name = f"softmaxfx-{uuid4().hex}"
        self._opened = ExitStack()
        self._sent = 0

    def __enter__(self) -> "Engine":
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    def run(self, jobs: Iterable[AnyJob]) -> Iterator[tuple[AnyJob, Outcome]]:
        """Do jobs; each with its outcome, as they end.

        Raises:
            ConfigError: what does the jobs cannot be made.
        """
        suspects: Jobs = []
        for chunk, told in self._told(_chunks(jobs), lambda: AHEAD * self._threads()):
            if told is None:
                suspects += chunk
            else:
                yield from zip(chunk, told, strict=True)
        for (job,), told in self._told([[job] for job in suspects], lambda: 1):
            yield job, Outcome("failed", reason=KILLED) if told is None else told[0]

    def _told(
        self, chunks: list[Jobs], room: Callable[[], int]
    ) -> Iterator[tuple[Jobs, list[Outcome] | None]]:
        """Chunks with their outcomes, ``None`` where a worker died.

        Args:
            room: how many may be on their way.
        """
        if not chunks:
            return
        waiting, running = deque(chunks), dict[Future, Jobs]()
        ended = as_completed(loop=self._client.loop, with_results=True, raise_errors=False)
        while waiting or running:
            while waiting and len(running) < room():
                chunk = waiting.popleft()
                future = self._submit(chunk)
                running[future] = chunk
                ended.add(future)
            future, told = next(ended)
            yield running.pop(future), _outcomes(future, told)

    def _submit(self, chunk: Jobs) -> Future:
        self._sent += 1
        return self._client.submit(
            _work_on, self._name, chunk, key=f"{self._name}-{self._sent}", pure=False,
            resources={LONG: 1} if chunk[0].long else None,
        )  # fmt: skip

    def _threads(self) -> int:
        """What can run at once; 1 where all workers have just died."""
        return max(sum(self._client.nthreads().values()), 1)

    @cached_property
    def _client(self) -> Client:
        # Ctrl-C reaches every process of a terminal: this one decides what it means. Threads have
        # the signals of the thread that starts them, and so do all workers, the later ones too;
        # but for the first process of a program, before which Python starts one that unblocks it.
        resource_tracker.ensure_running()
        with dask.config.set(CONFIGURATION), signals_blocked(signal.SIGINT):
            cluster = self._opened.enter_context(_local_cluster(self._count))
            client = self._opened.enter_context(Client(cluster, set_as_default=False))
        client.register_plugin(_Made(self._make), name=self._name)
        return client


def _local_cluster(workers: int) -> LocalCluster:
    """Workers of one thread each, which only this machine can reach."""
    return LocalCluster(
        n_workers=workers, threads_per_worker=1, resources={LONG: 1}, host="127.0.0.1",
        dashboard_address="127.0.0.1:0", silence_logs=logging.CRITICAL,
        memory_limit=MEMORY, scheduler_kwargs={"allowed_failures": 0},
    )  # fmt: skip


class _Made(WorkerPlugin):
    """In a worker: what does the jobs, made for the first of them."""

    def __init__(self, make: Callable[[], Work]) -> None:
        self._make = make

    @cached_property
    def work(self) -> Work:
        try:
            return self._make()
        except ConfigError as error:
            raise ConfigError(str(error)) from None  # others of its kind cannot be pickled
        except Exception as error:
            raise ConfigError(f"a worker failed: {type(error).__name__}: {error}") from None


def _work_on(name: str, jobs: Jobs) -> list[Outcome]:
    made: Any = get_worker().plugins[name]
    return [outcome_of(made.work, job) for job in jobs]


def _outcomes(future: Future, told: Any) -> list[Outcome] | None:
    """What a chunk became; ``None`` where its worker died."""
    if future.status == "finished":
        return told
    error = told[1] if isinstance(told, tuple) else told
    if isinstance(error, KilledWorker):
        return None
    raise error


def _chunks(jobs: Iterable[AnyJob]) -> list[Jobs]:
    """Long jobs first, each alone; then the others in their order."""
    long, others = [], []
    for job in jobs:
        (long if job.long else others).append(job)
    parts = (others[start : start + CHUNK] for start in range(0, len(others), CHUNK))
    return [*([job] for job in long), *parts]
