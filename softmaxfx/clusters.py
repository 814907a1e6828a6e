"""Where workers are: on this machine, at a Dask scheduler that runs already, or in a job queue.

Whoever can reach a scheduler can make its workers do anything. The local one listens on loopback
alone; the others use TLS where Dask's configuration says so.
"""

import logging
import signal
from collections.abc import Callable
from contextlib import ExitStack, suppress
from importlib.metadata import PackageNotFoundError, version
from multiprocessing import resource_tracker
from pathlib import Path
from typing import Any

import dask.config
from distributed import Client, LocalCluster
from distributed.utils import silence_logging_cmgr

from .golden.errors import ConfigError, require
from .queues import LONG, read_queue, started
from .sim.processes import SIGNALS, signals_blocked, worker_count

MEMORY = "auto"
"""Of a local worker, which is stopped where it takes more: an even share of the machine's."""

PATIENCE = 30
"""Seconds for a scheduler to answer, and then for a worker to be there."""

CONFIGURATION = {
    "distributed.worker.memory.pause": False,  # a worker that pauses for good would stop a sweep
    "distributed.worker.profile.enabled": False,
    # else a worker that takes longer to come back, on a busy machine, is given up for good
    "distributed.deploy.lost-worker-timeout": "1d",
}
"""Dask's settings of workers that a command starts."""

OF_TERMINALS = tuple(number for number in SIGNALS if number != signal.SIGTERM)
"""Ctrl-C and SIGHUP reach every process of a terminal: the command decides what they mean."""

Opened = Callable[[ExitStack], Client]
"""Starts or finds workers; what it opened is closed with the stack."""


def cluster_of(cluster: str | None, workers: int | None) -> Opened:
    """The workers that a command is to use.

    Args:
        cluster: the address of a scheduler, or a job queue's TOML file; ``None``: this machine.
        workers: processes of this machine; one a processor where it is ``None``.

    Raises:
        ConfigError: a number or a file that cannot be. Nothing is started yet.
    """
    if cluster is None:
        count = worker_count(workers)
        return lambda stack: local(stack, count)
    require(workers is None, "--workers must not be given together with --cluster")
    if "://" in cluster:
        return lambda stack: at_address(stack, cluster)
    count, options = read_queue(Path(cluster))
    return lambda stack: in_queue(stack, count, options)


def local(stack: ExitStack, workers: int) -> Client:
    """Workers of one thread each, which only this machine can reach."""
    stack.enter_context(silence_logging_cmgr(logging.CRITICAL))
    # Threads have the signals of the thread that starts them, and so do all workers, the later
    # ones too; but for the first process of a program, before which Python starts one that
    # unblocks them.
    stack.enter_context(dask.config.set(CONFIGURATION))
    with signals_blocked(*OF_TERMINALS):
        resource_tracker.ensure_running()
    with signals_blocked(*OF_TERMINALS):
        try:
            cluster = LocalCluster(
                n_workers=workers, threads_per_worker=1, resources={LONG: 1}, host="127.0.0.1",
                dashboard_address="127.0.0.1:0", silence_logs=logging.CRITICAL,
                memory_limit=MEMORY, scheduler_kwargs={"allowed_failures": 0},
            )  # fmt: skip
        except (OSError, RuntimeError) as error:
            reason = " ".join(str(error).split())
            raise ConfigError(f"{workers} workers cannot be started: {reason}") from None
        stack.enter_context(cluster)
        return stack.enter_context(Client(cluster, set_as_default=False))


def at_address(stack: ExitStack, address: str) -> Client:
    """The workers of a scheduler that runs already.

    Raises:
        ConfigError: none answers there, it has no worker, or workers of another version.
    """
    stack.enter_context(silence_logging_cmgr(logging.CRITICAL))
    try:
        client = Client(address, set_as_default=False, timeout=PATIENCE)
    except (OSError, ValueError, TypeError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ConfigError(
            f"cluster must be the address of a Dask scheduler that answers, unlike {address}: "
            f"{reason}"
        ) from None
    stack.enter_context(client)
    try:
        client.wait_for_workers(1, timeout=PATIENCE)
    except TimeoutError:
        raise ConfigError(
            f"cluster {address} must have a worker, and has none after {PATIENCE} s"
        ) from None
    require_version(client)
    return client


def in_queue(stack: ExitStack, jobs: int, options: dict[str, Any]) -> Client:
    """Workers that a job queue starts; the first of them is waited for, as long as it takes."""
    stack.enter_context(silence_logging_cmgr(logging.CRITICAL))
    stack.enter_context(dask.config.set(CONFIGURATION))
    cluster = started(stack, jobs, options)
    client = stack.enter_context(Client(cluster, set_as_default=False))
    client.wait_for_workers(1)
    require_version(client)
    return client


def require_version(client: Client) -> None:
    """Refuse workers and a scheduler without this version of the package: all read the jobs."""
    mine = version("softmaxfx")
    versions: Any = client.run(version, "softmaxfx", on_error="return")
    with suppress(PackageNotFoundError):
        versions["the scheduler"] = None
        versions["the scheduler"] = client.run_on_scheduler(version, "softmaxfx")
    for address, answer in versions.items():
        found = answer if isinstance(answer, str) else "none"
        require(
            found == mine,
            f"workers of a cluster must have softmaxfx {mine}, as this command does, and "
            f"{address} has {found}",
        )


def takes_long(client: Client) -> dict[str, float]:
    """What a long job asks for: nothing where no worker has the resource."""
    workers = client.scheduler_info(n_workers=-1)["workers"].values()
    return {LONG: 1} if any(LONG in worker["resources"] for worker in workers) else {}
