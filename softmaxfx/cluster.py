"""``softmaxfx cluster``: what workers there are, and whether they can do the work."""

from typing import TYPE_CHECKING

import click

from .endings import OneSentence
from .options import worker_options
from .terminal import console, working

if TYPE_CHECKING:
    from .engine import Engine


@click.command("cluster", cls=OneSentence)
@worker_options
@click.option("--check", is_flag=True, help="Run a job of each kind, too.")
def cluster(workers: int | None, cluster: str | None, check: bool) -> int:
    """Tell how many workers there are, with how many cores and how much memory.

    Exit status 0; 1: a job of --check did not end well; 2: the call could not be carried out.
    """
    from .clusters import cluster_of
    from .engine import Engine
    from .study.sweep.evaluate import Maker
    from .study.sweep.samples import sample_source

    maker = Maker((sample_source(),), None)
    with Engine(maker, cluster_of(cluster, workers), tell=console.print) as engine:
        with working("looking for workers"):
            found = [*engine.workers().values()]
        hosts = len({worker["host"] for worker in found})
        cores = sum(worker["nthreads"] for worker in found)
        memory = sum(worker["memory_limit"] or 0 for worker in found)
        console.print(
            f"{len(found)} workers on {hosts} host{'s' * (hosts != 1)}, {cores} cores, "
            f"{memory / 2**30:.1f} GiB of memory"
        )
        return _check(engine) if check else 0


def _check(engine: "Engine") -> int:
    """Run a job of each kind; whether one did not end well."""
    from .study.sweep.samples import samples

    failed = 0
    with working("running a job of each kind"):
        outcomes = list(engine.run(samples()))
    for entry, outcome in outcomes:
        failed |= outcome.status != "done"
        words = f"done in {outcome.seconds:.1f} s" if not outcome.reason else outcome.reason
        console.print(f"{entry.kind} on {entry.source}: {words}")
    return int(failed)
