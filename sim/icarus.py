"""Icarus Verilog, a second simulator: a bug of one simulator, or what one of them takes on trust,
does not pass in the other.

Icarus has four-state values: where the exported Verilog gives a register no initial value, it is X
until it is written, and X differs from every bit of the golden model. The model it builds runs as
Verilator's does, by :func:`.simulator.run`, some tens of times slower.
"""

import re
import shutil
from pathlib import Path

from ..golden.errors import require
from .plain import plain_paths
from .processes import ask
from .sidecar import Unit
from .simulator import Model, build_once
from .wiring import tb_sources, tb_top

OPTIONS = ("-g2005",)


def find_icarus() -> str:
    """Path of Icarus Verilog's compiler.

    Raises:
        ConfigError: there is none; says what to install.
    """
    iverilog = shutil.which("iverilog")
    require(
        iverilog is not None,
        "the second simulator needs Icarus Verilog 11 or later: install the system package "
        "iverilog",
    )
    return str(iverilog)


def build(unit: Unit, cache: Path) -> Model:
    """Build the model of a unit in its testbench, or reuse the one built from the same input.

    Args:
        cache: directory of built models, one folder a model.

    Raises:
        ConfigError: no compiler, or Verilog that does not build; says where the log is.
    """
    iverilog = find_icarus()
    printed = ask("the second simulator needs Icarus Verilog", [iverilog, "-V"])
    version = re.search(r"Icarus Verilog version .*", printed)
    require(version is not None, f"the second simulator needs Icarus Verilog, not {iverilog}")
    sources, top = tb_sources(unit, cache), tb_top(unit)
    with plain_paths() as plain:

        def commands(folder: Path) -> list[list[str]]:
            made = plain(folder) / "sim.vvp"
            files = [str(plain(source)) for source in sources]
            return [[iverilog, *OPTIONS, "-s", top, "-o", str(made), *files]]

        recipe = ["icarus", version and version[0], OPTIONS]
        home, reused = build_once(sources, recipe, commands, cache, holds=("sim.vvp",))
    return Model(home / "sim.vvp", reused, top, simulator="icarus")
