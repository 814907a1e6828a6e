"""A flipped bit of a table is seen in the file itself, whatever rows the simulation reads."""

import random
import re
from dataclasses import replace

import pytest
from click.testing import CliRunner

from softmaxfx.cli import main
from softmaxfx.fpga.export import export
from softmaxfx.fpga.tables import table_differences, tables_of
from softmaxfx.golden import preset
from softmaxfx.sim.sidecar import load_unit

CASES = {
    "memories": ("softmax", preset("int8"), {}),
    "memories, exact": ("softmax", preset("base", datapath="exact_sum", lanes=2), {}),
    "cases": ("softmax", preset("tiny", datapath="exact_sum"), {"rom": "case"}),
    "blocks": ("cross_entropy", preset("tiny", datapath="exact_sum"), {"target": "ecp5"}),
    "iCE40": ("softmax", preset("tiny"), {"target": "ice40"}),
}
LITERAL = re.compile(
    r"(?:\] = |^ +\d+'h\w+:\s+\S+ +<?= |INITVAL_\w\w\()\d+'h(\w*[1-9a-f]\w*)", re.MULTILINE
)
"""A table's entry that is not 0."""


@pytest.fixture(scope="module", params=CASES)
def unit(request, tmp_path_factory):
    name, config, options = CASES[request.param]
    return load_unit(export(config, tmp_path_factory.mktemp("v"), unit=name, **options).verilog)


def flipped(text, rng):
    """The text with one bit of one entry flipped, the sign of no literal changed in length."""
    entry = rng.choice([*LITERAL.finditer(text)])
    digit = rng.randrange(*entry.span(1))
    value = f"{int(text[digit], 16) ^ (1 << rng.randrange(3)):x}"
    return text[:digit] + value + text[digit + 1 :]


def test_what_was_exported_has_the_tables_of_its_configuration(unit):
    assert len(tables_of(unit.verilog.read_text(), unit.top)) > 100
    assert table_differences(unit) == []


def test_every_flipped_bit_is_found(unit, tmp_path):
    text, rng = unit.verilog.read_text(), random.Random(1)
    for place in range(8):
        verilog = tmp_path / f"{place}.v"
        verilog.write_text(flipped(text, rng))
        (told,) = table_differences(replace(unit, verilog=verilog))
        assert re.match(
            r"table .* of \S+: 1 entries differ, the first at address -?\d+: gold", told
        )


def test_a_lost_entry_is_found(unit, tmp_path):
    text = unit.verilog.read_text()
    entry = next(LITERAL.finditer(text))
    line = text[text.rindex("\n", 0, entry.end()) : text.index("\n", entry.end())]
    verilog = tmp_path / "lost.v"
    verilog.write_text(text.replace(line, "", 1))
    assert table_differences(replace(unit, verilog=verilog))[0].endswith("gate none")


def test_the_command_fails_though_the_rows_hide_the_flipped_bit(models, tmp_path):
    made = export(preset("tiny"), tmp_path, name="probs")
    text = made.verilog.read_text()
    old = re.search(r"\] = 18'h(\w+);", text)
    flip = f"] = 18'h{int(old[1], 16) ^ 1:05x};"
    made.verilog.write_text(text.replace(old[0], flip, 1))
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
