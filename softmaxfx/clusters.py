"""Where workers are: on this machine, at a Dask scheduler that runs already, or in a job queue.

Whoever can reach a scheduler can make its workers do anything. The local one listens on loopback
alone; the others use TLS where Dask's configuration says so.
"""

import logging
import shlex
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from multiprocessing import resource_tracker
from pathlib import Path
from typing import Any

import dask.config
from distributed import Client, LocalCluster
from distributed.security import Security
from distributed.utils import silence_logging_cmgr
from tornado.ioloop import PeriodicCallback

from .golden.errors import ConfigError, require, require_whole
from .sim.processes import SIGNALS, signals_blocked, worker_count
from .study.toml_file import read_toml

LONG = "softmaxfx-long"
"""The resource of a worker that a long job takes, all there is of it."""

MEMORY = "auto"
"""Of a local worker, which is stopped where it takes more: an even share of the machine's."""

RENEWAL = 15
"""Seconds between looks at the jobs of a queue."""

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

QUEUES = {"slurm": "SLURM", "lsf": "LSF", "pbs": "PBS", "sge": "SGE"}
"""Classes of dask-jobqueue by the ``scheduler`` of a file."""

PASSED = {
    "cores": "cores", "memory": "memory", "queue": "queue", "walltime": "walltime",
    "account": "account", "interface": "interface", "python": "python",
    "directives": "job_extra_directives", "prologue": "job_script_prologue",
    "log_directory": "log_directory", "local_directory": "local_directory",
}  # fmt: skip
"""Keys of a file, and what dask-jobqueue calls them."""

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
    for name in ("tornado.application", "asyncio"):  # where a job that is refused later is told
        logger = logging.getLogger(name)
        stack.callback(logger.setLevel, logger.level)
        logger.setLevel(logging.CRITICAL)
    cluster = stack.enter_context(_closed(queue_cluster(options)))
    cluster.worker_spec |= cluster.new_worker_spec()
    try:
        cluster.sync(cluster._correct_state)  # ``scale`` would keep a refusal to itself
    except (OSError, RuntimeError) as error:
        reason = " ".join(str(error).rpartition("stderr:")[2].split())
        raise ConfigError(f"cluster must be a queue that takes jobs: {reason}") from None
    cluster.scale(jobs=jobs)
    again = PeriodicCallback(partial(renew, cluster, jobs, {}), RENEWAL * 1000)
    cluster.loop.add_callback(again.start)
    stack.callback(cluster.loop.add_callback, again.stop)
    client = stack.enter_context(Client(cluster, set_as_default=False))
    client.wait_for_workers(1)
    require_version(client)
    return client


@contextmanager
def _closed(cluster: Any) -> Iterator[Any]:
    """The cluster, closed afterwards, be it with a job that the queue has refused."""
    try:
        yield cluster
    finally:
        with suppress(AssertionError):
            cluster.close()


async def renew(cluster: Any, jobs: int, found: dict[str, int]) -> None:
    """Submit jobs anew that the queue has ended, as where their walltime was over.

    Args:
        found: jobs that have had workers, and how often none of these was there since.
    """
    workers = [worker["name"] for worker in cluster.scheduler_info["workers"].values()]
    for job in [*cluster.workers]:
        if any(name == job or name.startswith(f"{job}-") for name in workers):
            found[job] = 0
        elif job in found:
            found[job] += 1
            if found[job] > 1:  # a worker that was killed is back by then
                del found[job]
                await cluster.workers.pop(job).close()
    cluster.scale(jobs=jobs)


def queue_cluster(options: dict[str, Any]) -> Any:
    """The cluster of dask-jobqueue by what :func:`read_queue` gives, without workers yet."""
    require(
        find_spec("dask_jobqueue") is not None,
        "a cluster file needs dask_jobqueue: pip install 'softmaxfx[cluster]'",
    )
    import dask_jobqueue

    kind = QUEUES[options["scheduler"]]
    passed = {PASSED[key]: value for key, value in options.items() if key in PASSED}
    # without -P Python would look for the package in the folder that it is started in
    passed["python"] = f"{options.get('python') or shlex.quote(sys.executable)} -P"
    if kind in ("LSF", "SGE") and "account" in passed:
        passed["project"] = passed.pop("account")
    secure = dask.config.get("distributed.comm.require-encryption")
    try:
        return getattr(dask_jobqueue, f"{kind}Cluster")(
            processes=options["cores"], worker_extra_args=["--resources", f"{LONG}=1"],
            security=Security() if secure else None,
            scheduler_options={"dashboard_address": ":0"}, **passed,
        )  # fmt: skip
    except (OSError, ValueError, TypeError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise ConfigError(f"the cluster of the file cannot be used: {reason}") from None


def read_queue(file: Path) -> tuple[int, dict[str, Any]]:
    """How many jobs a file asks for, and its other keys.

    Raises:
        ConfigError: a file that cannot be read, an unknown key, or a value that cannot be.
    """
    options = read_toml("cluster", file)
    for key in options:
        names = ["scheduler", "jobs", *PASSED]
        require(key in names, f"cluster {file} must have only {', '.join(names)}, not {key!r}")
    kind = options.get("scheduler")
    require(
        isinstance(kind, str) and kind in QUEUES,
        f"scheduler of cluster {file} must be one of {', '.join(QUEUES)}, not {kind!r}",
    )
    for key in ("jobs", "cores"):
        require_whole(f"{key} of cluster {file}", options.get(key), 1, 100_000)
    require("memory" in options, f"cluster {file} must have the memory of a job, as in '16GB'")
    for key in options.keys() - {"jobs", "cores"}:
        _require_text(f"{key} of cluster {file}", options[key], key in ("directives", "prologue"))
    return options.pop("jobs"), options


def _require_text(name: str, value: Any, several: bool) -> None:
    if several:
        good = isinstance(value, list) and all(isinstance(line, str) for line in value)
        require(good, f"{name} must be a list of lines, not {value!r}")
    else:
        require(isinstance(value, str), f"{name} must be text, not {value!r}")


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
