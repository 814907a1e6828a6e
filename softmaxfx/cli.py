"""The command line: commands gathered, each in a file of its own."""

import click

from . import __version__
from .bench import bench
from .bench_emulation import bench_emulation
from .cluster import cluster
from .coverage import coverage
from .endings import Program
from .export import export
from .graph import graph
from .models import models
from .plan import plan
from .probe import probe
from .reference import reference
from .simulate import simulate
from .soak import soak
from .sweep import sweep
from .synth import synth
from .train import train
from .train_words import train_words
from .waveforms import waveforms


@click.group(cls=Program, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="softmaxfx")
def main() -> None:
    """Fixed-point softmax: golden model, verified Verilog, proven error.

    Exit status 0: done, and all is well; 1: a check found something, as the help of a command
    says; 2: the call could not be carried out, for a reason told in one sentence.
    """


main.add_command(bench)
main.add_command(bench_emulation)
main.add_command(cluster)
main.add_command(coverage)
main.add_command(export)
main.add_command(graph)
main.add_command(models)
main.add_command(plan)
main.add_command(probe)
main.add_command(reference)
main.add_command(simulate)
main.add_command(soak)
main.add_command(sweep)
main.add_command(synth)
main.add_command(train)
main.add_command(train_words)
main.add_command(waveforms)
