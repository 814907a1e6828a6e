"""A flipped bit of a table is seen in the file itself, whatever rows the simulation reads."""

import random
import re

import pytest
from click.testing import CliRunner

from softmaxfx.cli import main
from softmaxfx.fpga.export import export
from softmaxfx.fpga.tables import table_differences, tables_of
from softmaxfx.golden import preset
from softmaxfx.sim.sidecar import load_unit

from ..sim.planting import Planting, plant, planted

CASES = {
    "memories": ("softmax", preset("int8"), {}),
    "memories, exact": ("softmax", preset("base", datapath="exact_sum", lanes=2), {}),
    "cases": ("softmax", preset("tiny", datapath="exact_sum"), {"rom": "case"}),
    "blocks": ("cross_entropy", preset("tiny", datapath="exact_sum"), {"target": "ecp5"}),
    "iCE40": ("softmax", preset("tiny"), {"target": "ice40"}),
    "7-series": ("softmax", preset("tiny", datapath="exact_sum"), {"target": "xilinx7"}),
}


@pytest.fixture(scope="module", params=CASES)
def unit(request, tmp_path_factory):
    name, config, options = CASES[request.param]
    return load_unit(export(config, tmp_path_factory.mktemp("v"), unit=name, **options).verilog)


def test_what_was_exported_has_the_tables_of_its_configuration(unit):
    assert len(tables_of(unit.verilog.read_text(), unit.top)) > 100
    assert table_differences(unit) == []


def test_another_reader_finds_as_many_entries(unit):
    text = unit.verilog.read_text()
    assert len(Planting(text, unit.top).words()) == len(tables_of(text, unit.top))


def flip_a_bit(rng):
    """A fault: one bit of one entry of a table is the other one."""

    def fault(verilog: Planting) -> None:
        entry = rng.choice([word for word in verilog.words() if word.value])
        verilog.change(entry, entry.value ^ 1 << rng.randrange(entry.width))

    return fault


def test_every_flipped_bit_is_found(unit, tmp_path):
    rng = random.Random(1)
    for _ in range(8):
        (difference,) = table_differences(planted(unit, tmp_path, flip_a_bit(rng)))
        assert re.match(
            r"table .* of \S+: 1 entries differ, the first at address -?\d+: gold", difference
        )


def test_a_lost_entry_is_found(unit, tmp_path):
    def lose_an_entry(verilog: Planting) -> None:
        verilog.drop(next(word for word in verilog.words() if word.value))

    lost = planted(unit, tmp_path, lose_an_entry)
    assert table_differences(lost)[0].endswith("gate none")


def flip_the_first_of_18_bits(verilog: Planting) -> None:
    entry = next(word for word in verilog.words() if word.width == 18)
    verilog.change(entry, entry.value ^ 1)


def test_the_command_fails_though_the_rows_hide_the_flipped_bit(models, tmp_path):
    made = export(preset("tiny"), tmp_path, name="probs")
    plant(made.verilog, "probs", flip_the_first_of_18_bits)
    models.mkdir(parents=True, exist_ok=True)
    out = tmp_path / "out"
    out.mkdir()
    (out / "models").symlink_to(models, target_is_directory=True)
    arguments = [
        "sim",
        "--verilog",
        str(made.verilog),
        "--modified",
        "--rows",
        "3",
        "--out",
        str(out),
    ]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 1, result.output
    assert re.search(r"MISMATCH \S+probs\.v: table .* entries differ", result.output)
