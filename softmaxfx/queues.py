"""Workers that a job queue starts: SLURM, LSF, PBS or SGE, as a TOML file says."""

import logging
import shlex
import sys
from contextlib import ExitStack
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import dask.config
from distributed.core import Status
from distributed.security import Security
from tornado.ioloop import PeriodicCallback

from .golden.errors import ConfigError, require, require_whole
from .study.toml_file import read_toml

LONG = "softmaxfx-long"
"""The resource of a worker that a long job takes, all there is of it."""

QUEUES = {"slurm": "SLURM", "lsf": "LSF", "pbs": "PBS", "sge": "SGE"}
"""Classes of dask-jobqueue by the ``scheduler`` of a file."""

PASSED = {
    "cores": "cores", "memory": "memory", "queue": "queue", "walltime": "walltime",
    "account": "account", "interface": "interface", "python": "python",
    "directives": "job_extra_directives", "prologue": "job_script_prologue",
    "log_directory": "log_directory", "local_directory": "local_directory",
}  # fmt: skip
"""Keys of a file, and what dask-jobqueue calls them."""

LOOK = 1
"""Seconds between looks at the jobs of a queue."""

GRACE = 30
"""Looks at which a job that had workers has none, until it is given up: one that was killed comes
back."""


def started(stack: ExitStack, jobs: int, options: dict[str, Any]) -> Any:
    """The cluster with its jobs submitted, and closed with the stack.

    Raises:
        ConfigError: the queue takes none.
    """
    for name in ("tornado.application", "asyncio"):  # where a job that is refused later is told
        logger = logging.getLogger(name)
        stack.callback(logger.setLevel, logger.level)
        logger.setLevel(logging.CRITICAL)
    cluster = stack.enter_context(queue_cluster(options))
    cluster.worker_spec |= cluster.new_worker_spec()
    try:
        cluster.sync(cluster._correct_state)  # ``scale`` would keep a refusal to itself
    except (OSError, RuntimeError) as error:
        for job in cluster._created:  # the cluster would not close with one that is neither
            job.status = Status.failed
        reason = " ".join(str(error).rpartition("stderr:")[2].split())
        raise ConfigError(f"cluster must be a queue that takes jobs: {reason}") from None
    cluster.scale(jobs=jobs)
    again = PeriodicCallback(partial(renew, cluster, jobs, {}), LOOK * 1000)
    cluster.loop.add_callback(again.start)
    stack.callback(cluster.loop.add_callback, again.stop)
    return cluster


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
            if found[job] > GRACE:
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
