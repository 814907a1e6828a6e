"""Every room knows the same units, and what a record says of one is what its Verilog has."""

import pytest

from softmaxfx.fpga import bench
from softmaxfx.fpga.export import export
from softmaxfx.fpga.units import HARDWARE
from softmaxfx.golden import ConfigError, preset
from softmaxfx.golden.config import field_names
from softmaxfx.golden.units.registry import UNITS, unit_record, unit_sha256
from softmaxfx.sim.kinds import KINDS
from softmaxfx.study import references, soak, unit_rows
from softmaxfx.study.sweep.report import curves

REGISTRIES = {
    "hardware": HARDWARE,
    "simulation": KINDS,
    "references": references.UNITS,
    "rows": unit_rows.UNITS,
    "curves": curves.OWN_FIELDS,
    "soak": {"softmax": soak.OPTIONS, **soak.GRADIENT_OPTIONS},
    "benchmarks": {case.unit: case for case in bench.CASES},
}


@pytest.mark.parametrize("room", REGISTRIES)
def test_every_room_knows_every_unit(room):
    assert REGISTRIES[room].keys() == UNITS.keys()


@pytest.mark.parametrize("name", UNITS)
def test_a_record_has_the_streams_of_the_verilog(name, tmp_path):
    record, config = UNITS[name], preset("int8", lanes=2)
    description = export(config, tmp_path, unit=name).description
    ports = {stream["name"]: stream for stream in description["streams"]}
    assert ports.keys() == {stream.name for stream in record.streams}
    for stream in record.streams:
        port = ports[stream.name]
        lanes = config.lanes if port["keep"] else 1
        assert port["direction"] == ("sink" if stream.inward else "source")
        assert port["bits"] == lanes * stream.format(config).container
        assert bool(port["user"]) == bool(stream.user)
    assert next(iter(record.bounds(config))) == "bound_ulp"


@pytest.mark.parametrize("name", UNITS)
def test_a_unit_depends_on_fields_that_there_are(name):
    assert set(UNITS[name].fields) < set(field_names())
    assert {"lanes", "max_length", "id_width", "output"} <= set(UNITS[name].fields)


def test_a_field_that_a_unit_does_not_know_does_not_change_its_hash():
    one, other = preset("tiny"), preset("tiny", datapath="exact_sum")
    assert unit_sha256("softmax_backward", one) == unit_sha256("softmax_backward", other)
    assert unit_sha256("softmax", one) != unit_sha256("softmax", other)


def test_an_unknown_unit_is_one_sentence():
    with pytest.raises(ConfigError, match="unknown unit 'relu'; units are softmax, softmax_back"):
        unit_record("relu")
