"""``softmaxfx export``: Verilog, and the sidecar that says what it is."""

from pathlib import Path
from typing import Any

import click

from .endings import OneSentence
from .fpga.export import export as export_unit
from .golden.errors import require
from .options import config_options, configs_of, target_option, unit_argument
from .outputs import out_option
from .terminal import console


@click.command("export", cls=OneSentence)
@unit_argument
@config_options
@click.option("--name", metavar="NAME", help="Top module and prefix of every other module.")
@click.option(
    "--rom", default="memory", show_default=True, metavar="STYLE",
    help="Tables as initialised memories (memory) or case statements (case, for ASIC).",
)  # fmt: skip
@click.option(
    "--init", default="reset", show_default=True, metavar="I",
    help="Registers start with the value that a reset gives them (reset) or without one (none, for "
    "ASIC): a reset must then come before use.",
)  # fmt: skip
@target_option
@out_option("build/verilog", "Directory of the Verilog and its sidecar.")
def export(
    unit: str, name: str | None, rom: str, init: str, target: str, out: Path, **chosen: Any
) -> None:
    """Write DIR/NAME.v and its sidecar DIR/NAME.json."""
    configs = configs_of((unit,), **chosen, default=("base",))
    require(
        name is None or len(configs) == 1,
        f"--name must be given with one configuration, not {len(configs)}: they would share it",
    )
    for preset, config in configs:
        made = export_unit(
            config, out, unit=unit, preset=preset, name=name, rom=rom, target=target, init=init
        )
        for note in config.notes():
            console.print(f"note: {note}")
        console.print(f"{made.verilog}  proven error {made.description['bound_ulp']:.3f} ulp")
