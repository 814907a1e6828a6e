"""What tests of several rooms share: exported units, and simulation models that are kept."""

import signal
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from softmaxfx.fpga.export import export
from softmaxfx.golden import SoftmaxConfig
from softmaxfx.sim.sidecar import Unit, load_unit
from softmaxfx.sim.simulator import Model, build

from .costly import costly

ROOT = Path(__file__).parent.parent

# A run in the background may ignore these, and what it starts inherits that; tests send them.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.hookimpl(tryfirst=True)  # before those that are not asked for are dropped
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that are left to ``make test-long``."""
    names = costly([item.nodeid for item in items])
    for item in items:
        if item.nodeid in names:
            item.add_marker(pytest.mark.long)


def left_long(names: Iterable[str], *kept: str) -> list[Any]:
    """Names to parametrise with, all but some left to ``make test-long``: each builds a model."""
    return [name if name in kept else pytest.param(name, marks=pytest.mark.long) for name in names]


@pytest.fixture(scope="session")
def models() -> Path:
    """Where built models are kept between runs."""
    return ROOT / "build" / "tests" / "models"


@pytest.fixture(scope="session")
def unit_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Unit]:
    """Exports a configuration and reads it back."""
    folder = tmp_path_factory.mktemp("verilog")

    def exported(config: SoftmaxConfig, unit: str = "softmax") -> Unit:
        return load_unit(export(config, folder, unit=unit).verilog)

    return exported


@pytest.fixture(scope="session")
def model_of(models: Path) -> Callable[[Unit], Model]:
    """Builds the model of a unit, or takes the kept one."""
    return lambda unit: build(unit, models)
