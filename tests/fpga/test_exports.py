"""An export is made once, and again where anything that it depends on has changed."""

import pytest

from softmaxfx import code
from softmaxfx.code import code_sha256, files_of
from softmaxfx.fpga import exports
from softmaxfx.golden import preset
from softmaxfx.sim.sidecar import load_unit

TINY = preset("tiny", max_length=8)


@pytest.fixture
def made(monkeypatch) -> list[str]:
    """The units that were exported so far."""
    units = []
    export = exports.export

    def counted(config, folder, *, unit, **more):
        units.append(unit)
        return export(config, folder, unit=unit, **more)

    monkeypatch.setattr(exports, "export", counted)
    return units


def test_the_same_export_is_made_once(made, tmp_path):
    first = exports.export_once(TINY, tmp_path, preset="tiny").read_bytes()
    assert exports.export_once(TINY, tmp_path, preset="tiny").read_bytes() == first
    assert made == ["softmax"]


OTHERS = {
    "configuration": {"config": TINY.replace(lanes=2)},
    "unit": {"unit": "softmax_backward"},
    "preset": {"preset": "mine"},
    "target": {"target": "ice40"},
    "style of tables": {"rom": "case"},
}


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
def test_another_export_is_made(other, made, tmp_path):
    arguments = {
        "config": TINY, "preset": "tiny", "unit": "softmax", "target": "generic", "rom": "memory"
    }  # fmt: skip
    for chosen in (arguments, arguments | other, arguments):
        config = chosen["config"]
        rest = {name: value for name, value in chosen.items() if name != "config"}
        description = load_unit(exports.export_once(config, tmp_path, **rest)).description
        assert description["config"] == config.to_dict()
        assert {name: description[name] for name in rest} == rest
    assert len(made) == 2


@pytest.mark.parametrize("changed", ["code_sha256", "_versions"])
def test_other_code_makes_it_again(changed, made, tmp_path, monkeypatch):
    exports.export_once(TINY, tmp_path)
    monkeypatch.setattr(exports, changed, lambda *_: "other")
    exports.export_once(TINY, tmp_path)
    assert len(made) == 2


def test_a_file_that_was_changed_is_written_again(made, tmp_path):
    verilog = exports.export_once(TINY, tmp_path)
    verilog.write_text("module broken; endmodule\n")
    assert load_unit(exports.export_once(TINY, tmp_path)).top == verilog.stem
    assert len(made) == 1


@pytest.mark.parametrize("room", exports.MAKERS)
def test_every_room_that_makes_an_export_counts(room, tmp_path, monkeypatch):
    more = tmp_path / "more.py"
    more.write_text("")

    def with_more(place):
        yield from files_of(place)
        if place == room:
            yield more.name, more

    hashed = [code_sha256.__wrapped__(*exports.MAKERS)]
    monkeypatch.setattr(code, "files_of", with_more)
    hashed.append(code_sha256.__wrapped__(*exports.MAKERS))
    more.write_text("more = 1\n")
    hashed.append(code_sha256.__wrapped__(*exports.MAKERS))
    assert len(set(hashed)) == 3
