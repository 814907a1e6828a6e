"""What tests of synthesis share: a small unit, and results that are kept between runs."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from softmaxfx.fpga.device import device
from softmaxfx.fpga.export import export
from softmaxfx.fpga.flow import Flow, Netlist
from softmaxfx.golden import SQ, UQ, ConfigError, preset
from softmaxfx.golden.rows import LogitRows
from softmaxfx.sim.sidecar import Unit, load_unit

from ..sim.rows import rows_of_all_lengths

KEPT = Path(__file__).parents[2] / "build" / "tests" / "synth"

SMALL = preset("tiny", input=SQ(5, 2), output=UQ(0, 4), max_length=8)
"""So small that a device's tools are through with it in seconds."""


@dataclass(frozen=True)
class Synthesised:
    """The small unit on a device."""

    unit: Unit
    flow: Flow
    netlist: Netlist


def flow_for(target: str) -> Flow:
    """The installed flow; the test is skipped where a tool is missing."""
    try:
        return Flow.find(device(target), KEPT / "cache")
    except ConfigError as error:
        pytest.skip(str(error))


def small_unit(folder: Path, target: str = "generic") -> Unit:
    """The small unit, as the command line exports it too: so they share what is kept."""
    return load_unit(export(SMALL, folder, target=target).verilog)


def synthesised(target: str, folder: Path) -> Synthesised:
    flow, unit = flow_for(target), small_unit(folder)
    return Synthesised(unit, flow, flow.synthesise(unit))


@pytest.fixture(scope="session")
def on_ecp5(tmp_path_factory) -> Synthesised:
    return synthesised("ecp5", tmp_path_factory.mktemp("ecp5"))


@pytest.fixture(scope="session")
def on_ice40(tmp_path_factory) -> Synthesised:
    return synthesised("ice40", tmp_path_factory.mktemp("ice40"))


@pytest.fixture(scope="session")
def rows() -> LogitRows:
    """Rows of all lengths that the small unit takes, some elements beyond its range."""
    return rows_of_all_lengths(SMALL, 300, seed=4)
