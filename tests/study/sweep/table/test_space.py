"""Spaces: what a TOML file names, and every slip that is refused."""

import ast
import copy
import tomllib
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import pytest

from softmaxfx import code
from softmaxfx.code import code_sha256, files_of
from softmaxfx.golden import ConfigError, SoftmaxConfig, preset
from softmaxfx.study.sweep.space import entries as module
from softmaxfx.study.sweep.space.entries import CODE, COST_FIELDS, baseline, code_version
from softmaxfx.study.sweep.space.space import SHIPPED, Space


def parse(text):
    return Space.parse(tomllib.loads(text), "test")


def one_grid(axes):
    return list(parse(f"[[grid]]\n[grid.axes]\n{axes}").configurations())


def test_a_grid_is_every_combination_of_its_axes():
    space = parse(
        """
        [base]
        preset = "int8"
        lanes = 1
        [[grid]]
        name = "a"
        fixed = { clip = "difference" }
        cases = [
            { grad_input = "SQ(1, 7)", grad_output = "SQ(1, 6)" },
            { grad_input = "SQ(1, 9)", grad_output = "SQ(1, 8)" },
        ]
        [grid.axes]
        output = { from = 6, to = 10, step = 2, format = "UQ(0, {})" }
        mantissa_bits = { from = 12, to = 13 }
        """
    )
    found = [candidate.config for candidate in space.configurations()]
    base = preset("int8", lanes=1, clip="difference")
    expected = [
        SoftmaxConfig.from_dict(
            {
                "grad_input": f"SQ(1, {f})", "grad_output": f"SQ(1, {f - 1})",
                "output": f"UQ(0, {output})", "mantissa_bits": mantissa,
            },
            base,
        )
        for f in (7, 9) for output in (6, 8, 10) for mantissa in (12, 13)
    ]  # fmt: skip
    assert found == expected


def test_combinations_that_cannot_be_built_keep_their_reason():
    good, bad = one_grid('datapath = ["max_subtract", "exact_sum"]\nscale = [1000]')
    assert good.config is not None
    assert bad.config is None
    assert "exp tables have at most" in bad.reason
    assert bad.fields["datapath"] == "exact_sum"
    assert bad.fields["output"] == "UQ(0, 16)"
    assert bad.fields["mantissa_bits"] is None  # could not be derived
    entry = bad.point("digits", "0" * 64)
    assert (entry.status, entry.reason) == ("infeasible", bad.reason)
    assert entry.key != good.point("digits", "0" * 64).key


def test_equal_configurations_are_one_whatever_they_are_written_like():
    derived = SoftmaxConfig().widths.mantissa_bits
    found = list(
        parse(
            f"""
            [[grid]]
            name = "a"
            axes = {{ input = ["SQ(5, 11)", "Q5.11", "ap_fixed<16,5>"], range = [10, 10.0] }}
            [[grid]]
            name = "b"
            axes = {{ mantissa_bits = [{derived}], lanes = [1, 8] }}
            """
        ).configurations()
    )
    assert [candidate.config for candidate in found] == [SoftmaxConfig()]


def without_costs(entry):
    """The fields that the numbers of an entry depend on."""
    return {name: value for name, value in entry.fields.items() if name not in COST_FIELDS}


def test_designs_are_points_too_and_lanes_change_no_bit():
    space = parse(
        """
        [base]
        lanes = 1
        [[grid]]
        axes = { output = ["UQ(0, 8)", "UQ(0, 12)"] }
        [[design]]
        name = "d"
        target = "ice40"
        seeds = 3
        axes = { output = ["UQ(0, 8)", "UQ(0, 10)"], lanes = [1, 2] }
        """
    )
    points = space.points({"digits": "0" * 64})
    assert [point.fields["output"] for point in points] == ["UQ(0, 8)", "UQ(0, 12)", "UQ(0, 10)"]
    designs = space.syntheses()
    assert len(designs) == 4
    assert {design.source for design in designs} == {"ice40"}
    assert {design.options["seeds"] for design in designs} == {3}
    numbers = [without_costs(point) for point in points]
    assert all(without_costs(design) in numbers for design in designs)


def test_a_key_tells_configuration_data_and_code_apart(entries, monkeypatch):
    assert len({entry.key for entry in entries}) == len(entries) == 32
    point = entries[0]
    candidate = next(iter(one_grid("lanes = [4]")))
    keys = {
        candidate.point("a", "0" * 64).key,
        candidate.point("a", "1" * 64).key,
        candidate.point("a", "0" * 64, bound=False).key,
        candidate.design("ecp5", 1).key,
        candidate.design("ecp5", 2).key,
        candidate.design("ice40", 1).key,
        baseline("fp16", "a", "0" * 64).key,
    }
    assert len(keys) == 7
    assert candidate.point("b", "0" * 64).key == candidate.point("a", "0" * 64).key
    monkeypatch.setattr(module, "code_version", lambda kind: "another")
    assert candidate.point("a", "0" * 64).key not in keys
    assert point.config.to_dict() == point.fields


def test_gradient_formats_are_part_of_the_key():
    first, second = one_grid('grad_input = ["SQ(1, 7)", "SQ(1, 15)"]')
    assert first.point("a", "0" * 64).config_sha256 != second.point("a", "0" * 64).config_sha256


def test_points_and_designs_are_made_by_different_code():
    assert code_version("point") == code_version("float") != code_version("design")


def imported(module):
    """Modules of this package that a module imports, by their names within it."""
    package = module.rpartition(".")[0]
    for node in ast.walk(ast.parse(Path(find_spec(f"softmaxfx.{module}").origin).read_text())):
        if isinstance(node, ast.ImportFrom) and node.level:
            near = ["softmaxfx", *package.split(".")][: len(package.split(".")) + 2 - node.level]
            place = ".".join([*near[1:], *([node.module] if node.module else [])])
            for name in (place, *(f"{place}.{alias.name}" for alias in node.names)):
                with suppress(ModuleNotFoundError):  # a name inside a module
                    if name and find_spec(f"softmaxfx.{name}"):
                        yield name


STARTS = {
    "point": ["study.sweep.measure.measure"],
    "float": ["study.sweep.measure.floats"],
    "design": ["fpga.export", "fpga.synthesis", "fpga.flow"],
}


@pytest.mark.parametrize("kind", CODE)
def test_the_code_version_covers_all_that_a_result_is_made_by(kind):
    reached, left = set(), [*STARTS[kind]]
    while left:
        name = left.pop()
        if name not in reached:
            reached.add(name)
            left += imported(name)
    covered = {file for place in CODE[kind] for _, file in files_of(place)}
    assert len(reached) > 20
    specs = [find_spec(f"softmaxfx.{name}") for name in reached]
    files = {Path(spec.origin) for spec in specs if not spec.submodule_search_locations}
    assert files <= covered


@pytest.mark.parametrize(
    "place", ["golden.stages", "golden", "hdl.parts", "sim", "study.sweep.measure"]
)
def test_a_change_in_a_room_changes_the_hash(place, tmp_path, monkeypatch):
    room = tmp_path / "softmaxfx"
    for name, file in files_of(place):
        copy_of = room / place.replace(".", "/") / name
        copy_of.parent.mkdir(parents=True, exist_ok=True)
        copy_of.write_bytes(file.read_bytes())
    spec = SimpleNamespace(submodule_search_locations=[str(room / place.replace(".", "/"))])
    before = code_sha256(place)
    monkeypatch.setattr(code, "find_spec", lambda name: spec)
    hashed = code_sha256.__wrapped__
    assert hashed(place) == before
    deepest = max((room).rglob("*.py"), key=lambda file: len(file.parts))
    deepest.write_text(deepest.read_text() + "\n")
    assert hashed(place) != before


def test_the_default_space_is_worth_reading():
    space = Space.load(SHIPPED["default"])
    points = space.points({name: name * 8 for name in space.sources})
    assert len(space.sources) == 7
    assert 200 <= sum(point.status == "open" for point in points) <= 1400
    designs = space.syntheses()
    assert len(designs) >= 12
    assert {design.fields["lanes"] for design in designs} == {1, 2}
    assert {(design.source, design.options["seeds"]) for design in designs} == {("ecp5", 1)}
    assert all(design.status == "open" for design in designs)


def test_the_full_space_has_8_lanes_and_5_seeds():
    designs = Space.load(SHIPPED["full"]).syntheses()
    assert {design.options["seeds"] for design in designs} == {5}
    assert 8 in {design.fields["lanes"] for design in designs}


GRID = {"grid": [{"axes": {"lanes": [1]}}]}


def changed(**changes):
    return {**copy.deepcopy(GRID), **changes}


def axes(**values):
    return {"grid": [{"axes": values}]}


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ({}, r"space bad must have a \[\[grid\]\] or a \[\[design\]\]"),
        (changed(colour=1), "space must have only sources, .*, not 'colour'"),
        (changed(grid=[]), r"\[\[grid\]\] must be a list of tables that is not empty, not \[\]"),
        (changed(grid=[1]), r"\[\[grid\]\] must be a list of tables"),
        (changed(sources=[]), r"sources must be a list of different names, not \[\]"),
        (changed(sources=["a", "a"]), "sources must be a list of different names"),
        (changed(elements=0), "elements must be a whole number from 1 to .*, not 0"),
        (changed(seed=1.5), "seed must be a whole number from 0 to .*, not 1.5"),
        (changed(base={"preset": "huge"}), "unknown preset 'huge'"),
        (changed(base={"preset": ["base"]}), "unknown preset"),
        (changed(base={"range": 100}), "range must be at most"),
        (changed(base=3), "base must be a table, not 3"),
        (axes(colour=[1]), "unknown field 'colour'"),
        (axes(lanes=[]), r"axis lanes must be a list that is not empty, not \[\]"),
        (axes(lanes=3), "axis lanes must be a list that is not empty, not 3"),
        (axes(lanes=["1"]), "lanes must be a whole number, not '1'"),
        (axes(lanes=[True]), "lanes must be a whole number, not True"),
        (axes(range=["wide"]), "range must be a number, not 'wide'"),
        (axes(clip=["sideways"]), "clip must be one of input, difference, not 'sideways'"),
        (axes(clip=[["input"]]), "clip must be one of input, difference, not"),
        (axes(output=["banana"]), "output: format must be spelled like"),
        (axes(output=[8]), "output must be a format, not 8"),
        (axes(exp_split=[7]), "exp_split must be a list of widths, not 7"),
        (axes(lanes={"from": 1}), "axis lanes must have from and to where it is a range"),
        (axes(lanes={"from": 4, "to": 1}), "axis lanes must have from <= to, not 4 and 1"),
        (axes(lanes={"from": 1, "to": 4, "step": 0}), "step of axis lanes must be a whole number"),
        (axes(lanes={"from": 1, "to": 10**9}), "axis lanes must have at most 100,000 values"),
        (axes(lanes={"from": 1, "to": 2, "by": 1}), "axis lanes must have only from, .*, not 'by'"),
        (axes(output={"from": 1, "to": 2, "format": "UQ"}), "format of axis output must be text"),
        (
            axes(lanes={"from": 1, "to": 1000}, max_length={"from": 1, "to": 1000}),
            "grid grid must have at most 100,000 combinations, not 1,000,000",
        ),
        ({"grid": [{"name": 3}]}, "name of a grid must be text, not 3"),
        ({"grid": [{"name": "a"}, {"name": "a"}]}, "must have different names, not a, a"),
        ({"grid": [{"axis": {}}]}, "grid grid must have only name, fixed, cases, axes, not 'axis'"),
        ({"grid": [{"cases": [1]}]}, "cases must be a list of tables that is not empty"),
        ({"design": [{"seeds": 0}]}, "seeds of design design must be a whole number from 1"),
        ({"design": [{"target": 5}]}, "target of design design must be a device's name, not 5"),
    ],
)
def test_slips_of_the_pen_are_refused(content, sentence):
    with pytest.raises(ConfigError, match=sentence):
        Space.parse(content, "bad")


def test_a_file_that_cannot_be_read_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"space must be a readable TOML file, not .*missing"):
        Space.load(tmp_path / "missing.toml")
    (tmp_path / "bad.toml").write_text("[[grid")
    with pytest.raises(ConfigError, match=r"space must be a readable TOML file, not .*bad\.toml"):
        Space.load(tmp_path / "bad.toml")
