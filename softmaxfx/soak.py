"""``softmaxfx soak``: random rows and hostile streams, for as long as one likes."""

import math
from pathlib import Path

import click

from .cache import Cache
from .endings import OneSentence
from .options import worker_options
from .outputs import out_option, report_files
from .sim.simulator import check_tools
from .study.soak import MADE_BY, Job
from .study.soak import soak as soak_units
from .study.tasks import Maker
from .terminal import console


def _minutes(_: click.Context, parameter: click.Parameter, value: float) -> float:
    if not (math.isfinite(value) and value > 0):
        raise click.BadParameter(f"must be finite and above 0, not {value:g}", param=parameter)
    return value


@click.command("soak", cls=OneSentence)
@click.option(
    "--minutes", type=float, callback=_minutes, default=30.0, show_default=True, metavar="M",
    help="How long; a soak that starts again goes on where it ended.",
)  # fmt: skip
@click.option(
    "--seed", type=click.IntRange(0, 2**32 - 1), default=1, show_default=True, metavar="S",
    help="The first seed.",
)  # fmt: skip
@worker_options
@out_option("build/soak", "Directory of models and results.")
def soak(minutes: float, seed: int, workers: int | None, cluster: str | None, out: Path) -> int:
    """Random rows and hostile streams through every preset, lanes and option.

    Exit status 0; 1: a mismatch, a proven bound is exceeded, or a job failed; 2: the call could not
    be carried out.
    """
    from .clusters import cluster_of  # Dask takes a second to import
    from .engine import Engine

    (results,) = report_files(out, "cache.sqlite")
    maker = Maker(out if cluster is None else None, MADE_BY)  # others have other disks
    with Engine(maker, cluster_of(cluster, workers), tell=console.print) as engine:
        if cluster is None:
            check_tools(out / "models")
        console.print(f"soaking for {minutes:g} minutes from seed {seed}; results: {results}")
        with Cache(results) as cache:
            jobs = soak_units(cache, engine.run, minutes=minutes, first_seed=seed, tell=_tell)
    failed = sum(job.failed for job in jobs)
    console.print(
        f"{len(jobs)} jobs, {sum(job.elements for job in jobs):,} elements, "
        f"{sum(job.frames for job in jobs):,} hostile frames, {failed} failed"
    )
    return 1 if failed else 0


def _tell(job: Job) -> None:
    console.print(
        f"seed {job.seed}: {job.label}: {job.elements:,} elements, {job.frames:,} hostile "
        f"frames: {f'FAILED {job.first}' if job.failed else 'ok'}"
    )
