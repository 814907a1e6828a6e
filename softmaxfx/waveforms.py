"""``softmaxfx waveforms``: pictures of the ports in time, from simulations."""

from importlib.util import find_spec
from pathlib import Path

import click

from .endings import OneSentence
from .files import write_whole
from .golden.errors import require
from .outputs import out_option, report_files
from .terminal import console, working


@click.command("waveforms", cls=OneSentence)
@out_option("docs/waveforms", "Directory of the pictures.")
def waveforms(out: Path) -> None:
    """Draw what ports do cycle by cycle, and the distances of a configuration: DIR/*.svg.

    Every value comes from a simulation or a configuration; the same bytes each time.
    """
    require(
        find_spec("wavedrom") is not None, "waveforms needs wavedrom: pip install 'softmaxfx[docs]'"
    )
    from .study.pictures.catalogue import PICTURES

    files = report_files(out, *(f"{name}.svg" for name in PICTURES))
    with working("simulating and drawing") as progress:
        for done, (file, draw) in enumerate(zip(files, PICTURES.values(), strict=True), 1):
            write_whole(file, draw())
            progress(done / len(files))
    console.print(f"pictures: {', '.join(map(str, files))}")
