"""Work that outgrows one process: jobs go to the workers of a Dask cluster, outcomes come back.

Neighbours travel together, since they share stages; a job that takes long travels alone, and a
worker has one of those at a time. Where a worker dies, all that was on its way to it is suspected:
each of those jobs is tried once more with nothing else running, so that the one that kills its
process is named, and the others are cleared.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError
from contextlib import ExitStack, contextmanager, suppress
from functools import cached_property
from importlib.util import find_spec
from typing import Any, Protocol, TypeVar
from uuid import uuid4

from distributed import Client, Future, KilledWorker, WorkerPlugin, as_completed, get_worker

from .clusters import Opened, takes_long
from .golden.errors import ConfigError
from .outcomes import Outcome, outcome_of
from .sim.processes import take_one_processor

CHUNK = 8
"""Neighbours that travel together: they share stages, and few are left to others at the end."""

AHEAD = 2
"""Chunks on their way to a worker, the one it is at included: none waits for work."""

KILLED = "its process was killed twice, the second time with nothing else running: it crashes, or "
KILLED += "the memory does not suffice"
GONE = "the scheduler of the cluster is gone; what is done is kept: start the command again"


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

    def __init__(
        self,
        make: Callable[[], Work],
        cluster: Opened,
        *,
        tell: Callable[[str], object] = lambda _: None,
    ) -> None:
        """Args:
        make: makes what does the jobs, once in every worker; it can be pickled. A
            :class:`ConfigError` that it raises ends the run.
        cluster: where the workers are, as :func:`.clusters.cluster_of` gives it.
        tell: told where the dashboard is, where there is one.
        """
        self._make, self._cluster, self._tell = make, cluster, tell
        self._name = f"softmaxfx-{uuid4().hex}"
        self._opened = ExitStack()
        self._sent = 0

    def __enter__(self) -> "Engine":
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    def run(self, jobs: Iterable[AnyJob]) -> Iterator[tuple[AnyJob, Outcome]]:
        """Do jobs, in their order; each with its outcome, as they end.

        Jobs are asked for when there is room for them, and may be endless.

        Raises:
            ConfigError: what does the jobs cannot be made, or there are no workers.
        """
        suspects: Jobs = []
        for chunk, outcomes in self._with_outcomes(_chunks(jobs), self._room):
            if outcomes is None:
                suspects += chunk
            else:
                yield from zip(chunk, outcomes, strict=True)
        for (job,), outcomes in self._with_outcomes([[job] for job in suspects], lambda _: 1):
            yield job, Outcome("failed", reason=KILLED) if outcomes is None else outcomes[0]

    def _with_outcomes(
        self, chunks: Iterable[Jobs], room: Callable[[Jobs], int]
    ) -> Iterator[tuple[Jobs, list[Outcome] | None]]:
        """Chunks with their outcomes, ``None`` where a worker died.

        Args:
            room: how many may be on their way once a chunk is.
        """
        running: dict[Future, Jobs] = {}
        ended = None
        for chunk in chunks:  # no worker is started before there is one
            ended = ended or as_completed(
                loop=self._client.loop, with_results=True, raise_errors=False
            )
            future = self._submit(chunk)
            running[future] = chunk
            ended.add(future)
            while len(running) >= room(chunk):
                yield _next(ended, running)
        while ended and running:
            yield _next(ended, running)

    def _submit(self, chunk: Jobs) -> Future:
        self._sent += 1
        return self._client.submit(
            _work_on, self._name, chunk, key=f"{self._name}-{self._sent}", pure=False,
            resources=self._long if chunk[0].long else None,
        )  # fmt: skip

    def workers(self) -> dict[str, dict[str, Any]]:
        """What there is, by address: ``"nthreads"``, ``"memory_limit"``, ``"host"`` of a worker."""
        return self._client.scheduler_info(n_workers=-1)["workers"]

    def _room(self, chunk: Jobs) -> int:
        """What may be on its way to workers; a little where all of them have just died."""
        with _one_sentence():
            threads: Any = self._client.nthreads()
        return max(sum(threads.values()), 1) * (1 if chunk[0].long else AHEAD)

    @cached_property
    def _long(self) -> dict[str, float]:
        return takes_long(self._client)

    @cached_property
    def _client(self) -> Client:
        client = self._cluster(self._opened)
        if find_spec("bokeh") is not None:
            self._tell(f"dashboard: {client.dashboard_link}")
        with _one_sentence():
            client.register_plugin(_Made(self._make), name=self._name)
        self._opened.callback(self._forget, client)
        return client

    def _forget(self, client: Client) -> None:
        """Leave workers that others use as they were."""
        if client.cluster is None and client.status == "running":
            with suppress(OSError, TimeoutError):
                client.unregister_worker_plugin(self._name)


class _Made(WorkerPlugin):
    """In a worker: what does the jobs, made for the first of them."""

    def __init__(self, make: Callable[[], Work]) -> None:
        self._make = make

    def setup(self, worker: object) -> None:
        take_one_processor()

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


def _next(ended: as_completed, running: dict[Future, Jobs]) -> tuple[Jobs, list[Outcome] | None]:
    """The chunk that ends next; ``None`` where its worker died."""
    future, result = next(ended)
    return running.pop(future), _outcomes(future, result)


def _outcomes(future: Future, result: Any) -> list[Outcome] | None:
    """What a chunk became; ``None`` where its worker died."""
    if future.status == "finished":
        return result
    error = result[1] if isinstance(result, tuple) else result
    if isinstance(error, KilledWorker):
        return None
    with _one_sentence():
        raise error


@contextmanager
def _one_sentence() -> Iterator[None]:
    """Whatever goes wrong between this process and its workers becomes one sentence."""
    try:
        yield
    except ConfigError:
        raise
    except (CancelledError, OSError):
        raise ConfigError(GONE) from None
    except Exception as error:
        words = " ".join(str(error).split())
        raise ConfigError(f"a worker cannot do the work: {type(error).__name__}: {words}") from None


def _chunks(jobs: Iterable[AnyJob]) -> Iterator[Jobs]:
    """Long jobs alone, and neighbours together."""
    chunk = []
    for job in jobs:
        if job.long:
            yield [job]
            continue
        chunk.append(job)
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
