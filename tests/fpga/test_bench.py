"""The published figures: every peer's are consistent, and ours are judged and told as they are."""

import re
from dataclasses import replace
from typing import ClassVar

import pytest
from click.testing import CliRunner

from softmaxfx import cli, engine, placements
from softmaxfx.fpga import bench, bench_report
from softmaxfx.fpga.bench import BRAM, CASES, DENSITY, FITS, FMAX, LUT, Case, Requirement, Result
from softmaxfx.fpga.bench_picture import write_picture
from softmaxfx.fpga.critical_path import CriticalPath
from softmaxfx.fpga.device import DEVICES, device
from softmaxfx.fpga.export import export
from softmaxfx.fpga.flow import Flow
from softmaxfx.fpga.peers import load_peers
from softmaxfx.fpga.synthesis import Synthesis
from softmaxfx.fpga.tools import Tool
from softmaxfx.golden import SQ, UQ
from softmaxfx.outcomes import Outcome
from softmaxfx.sim.sidecar import load_unit

SMALL = {"input": SQ(5, 2), "output": UQ(0, 4)}
REQUIREMENTS = (
    Requirement(FMAX, 40, 50),
    Requirement(LUT, 120, 90),
    Requirement(BRAM, 2),
    Requirement(DENSITY, 1.0),
)
SEEDS = (1, 2, 3)
SENTENCE = "nextpnr-ice40 failed: the design needs 9000 ICESTORM_LC, the device has 5280"

PEERS = load_peers()


def flow(target: str) -> Flow:
    chip = device(target)
    name = chip.placer and chip.placer.tool
    placer = Tool(name, (), f"{name} 8.8") if name else None
    # nothing is run
    return Flow(chip, Tool("yosys", (), "yosys 9.9"), placer, cache=None)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def unit(tmp_path_factory):
    config = Case("tiny", "exact_sum", DEVICES["ecp5"], changes=SMALL).config
    return load_unit(export(config, tmp_path_factory.mktemp("v"), preset="tiny").verilog)


@pytest.fixture
def results(unit) -> list[Result]:
    """One that is placed, its portable twin, and one that does not fit."""
    ecp5 = Case("tiny", "exact_sum", DEVICES["ecp5"], changes=SMALL, requirements=REQUIREMENTS)
    ice40 = Case("tiny", "exact_sum", DEVICES["ice40"], changes=SMALL,
                 requirements=(Requirement(FITS, 1), Requirement(FMAX, 45)))  # fmt: skip
    path = CriticalPath(("core.exp0.o", "core.sum"), logic_ns=1.0, routing_ns=3.0)
    placed = Synthesis(
        unit=unit, flow=flow("ecp5"), seeds=SEEDS, fmax_mhz=(44.0, 45.0, 51.0), lut=80, ff=70,
        dsp=1, bram=3, wrapper_lut=5, wrapper_ff=6, elements_per_cycle=0.9, path=path,
    )  # fmt: skip
    return [
        Result(ecp5, unit, placed, 0.011),
        Result(
            replace(ecp5, portable=True, requirements=()), unit, replace(placed, lut=160), 0.011
        ),
        Result(ice40, unit, None, 0.011, SENTENCE),
    ]


def document(results, folder, seeds=SEEDS) -> str:
    out = folder / "docs" / "benchmarks.md"
    flows = [flow("ecp5"), flow("ice40")]
    bench_report.write_document(results, flows, PEERS, seeds, out, out.with_suffix(".png"))
    return out.read_text()


@pytest.mark.parametrize(
    ("requirement", "value", "verdict"),
    [
        (Requirement(FMAX, 216, 235), 235.0, "yes"),
        (Requirement(FMAX, 216, 235), 234.9, "required only"),
        (Requirement(FMAX, 216, 235), 216.0, "required only"),
        (Requirement(FMAX, 216, 235), 215.9, "missed"),
        (Requirement(LUT, 4300, 3400), 3400, "yes"),
        (Requirement(LUT, 4300, 3400), 3401, "required only"),
        (Requirement(LUT, 4300, 3400), 4301, "missed"),
        (Requirement(BRAM, 16), 16, "yes"),
        (Requirement(BRAM, 16), 17, "missed"),
        (Requirement(FITS, 1), 0, "missed"),
        (Requirement(FMAX, 45), None, "missed"),
    ],
)
def test_a_goal_is_reached_or_only_what_is_required_or_nothing(requirement, value, verdict):
    assert requirement.verdict(value) == verdict


def test_the_list_is_of_units_that_can_be_built_and_goals_in_order():
    assert len({(case.name, case.target) for case in CASES}) == len(CASES)
    for case in CASES:
        assert case.config.datapath == case.datapath
        length = 64 if case.device.name == "ice40" else 1024
        assert case.config.max_length == length or (case.long and not case.requirements)
        assert not (case.portable and case.requirements)
        for requirement in case.requirements:
            assert requirement.figure.reaches(requirement.desired, requirement.required)
    beside = [(CASES[place - 1], case) for place, case in enumerate(CASES) if case.portable]
    assert len(beside) == 6
    for plain, portable in beside:
        assert (plain.config, plain.target) == (portable.config, "ecp5")
        assert portable.target == "ecp5-portable"


def test_the_document_tells_verdicts_and_causes(results, tmp_path):
    text = document(results, tmp_path)
    for row in (
        "| tiny exact_sum, 1 lane | ecp5 | Fmax MHz | ≥ 40.0 | ≥ 50.0 | 45.0 | required only |",
        "| tiny exact_sum, 1 lane | ecp5 | LUT | ≤ 120 | ≤ 90 | 80 | yes |",
        "| tiny exact_sum, 1 lane | ecp5 | BRAM | ≤ 2 | ≤ 2 | 3 | missed |",
        "| tiny exact_sum, 1 lane | ecp5 | Melem/s per LUT | ≥ 1.000 | ≥ 1.000 | 0.506 | missed |",
        "| tiny exact_sum, 1 lane | ice40 | fits | yes | yes | no | missed |",
        "| tiny exact_sum, 1 lane | ice40 | Fmax MHz | ≥ 45.0 | ≥ 45.0 | - | missed |",
    ):
        assert row in text
    assert "Of 6 goals 1 are reached, 1 only as far as required, and 4 are missed." in text
    assert (
        "- **tiny exact_sum, 1 lane** on ecp5: Fmax MHz 45.0, 10.0 % below the goal, BRAM 3, 50.0 "
        "% above the goal, Melem/s per LUT 0.506, 49.4 % below the goal. Slowest path, 4.00 ns, "
        "75 % of it routing: `core.exp0.o > core.sum`"
    ) in text
    assert f"- **tiny exact_sum, 1 lane** on ice40: {SENTENCE}." in text


def test_the_document_tells_every_unit_and_the_rules(results, unit, tmp_path):
    text = document(results, tmp_path)
    bound = f"{unit.description['bound_ulp']:.3f}"
    start = "| tiny | 1 | exact_sum | {} | SQ(5, 2) → UQ(0, 4) | " + bound + " | 1.1e-02 | "
    assert start.format("ecp5") + "45.0 (44.0-51.0) | 80 | 70 | 1 | 3 | 0.900 |" in text
    assert start.format("ecp5-portable") + "45.0 (44.0-51.0) | 160 |" in text
    assert start.format("ice40") + SENTENCE + " | - |" in text
    for rule in ("seeds 1 to 3", "--speed 6", "nextpnr-ice40 8.8", "yosys 9.9", "make bench",
                 "[emulation.md](emulation.md)"):  # fmt: skip
        assert rule in text
    assert "Fmax is of seed 1. " in document(results, tmp_path, seeds=(1,))
    assert "(benchmarks.png)" in text
    for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        assert len({line.replace("|p -", "").count("|") for line in table.splitlines()}) == 1


def test_nothing_is_explained_where_every_goal_is_reached(results, tmp_path):
    reached = replace(
        results[0], case=replace(results[0].case, requirements=(Requirement(LUT, 100),))
    )
    text = document([reached], tmp_path)
    assert "Of 1 goals 1 are reached" in text
    assert "What is not reached" not in text


def test_the_peers_stand_beside(results, tmp_path):
    text = document(results, tmp_path)
    table = bench_report.table(results, PEERS)
    assert table.row_count == len(results) + len(PEERS.built)
    for peer in PEERS.peers:
        assert f"[{peer.name}]({peer.url})" in text
        assert peer.remark in text
        assert f"{peer.date}: {peer.source}" in text
    assert [peer.name for peer in PEERS.not_built] == ["hls4ml", "softex"]
    picture = tmp_path / "new" / "benchmarks.png"
    write_picture(results, PEERS, picture)
    assert picture.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("peer", PEERS.peers, ids=lambda peer: peer.name)
def test_a_peer_says_what_it_is_and_where_its_figures_come_from(peer):
    facts = (
        peer.repository, peer.commit, peer.licence, peer.computes, peer.formats, peer.date,
        peer.source, peer.remark,
    )  # fmt: skip
    assert all(facts)
    assert "|" not in "".join(facts)
    assert re.fullmatch(r"[\w.-]+/[\w.-]+", peer.repository)
    assert re.fullmatch(r"[0-9a-f]{8}", peer.commit)
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", peer.date)
    if peer.not_built:
        assert (peer.lut, peer.melem_per_s, peer.fmax_mhz) == (None, None, ())
        return
    assert None not in (peer.lanes, peer.lut, peer.ff, peer.dsp, peer.elements_per_cycle)
    assert peer.latency
    assert peer.fits == bool(peer.fmax_mhz) == (peer.melem_per_s_per_lut is not None)


def ulp(value: float) -> float:
    """Half a unit in the last digit that a figure is written with."""
    digits = repr(value).removesuffix(".0").partition(".")[2]
    return 0.5 * 10 ** -len(digits)


@pytest.mark.parametrize(
    "peer", [peer for peer in PEERS.built if peer.fmax_mhz], ids=lambda peer: peer.name
)
def test_a_peers_rates_follow_from_its_other_figures(peer):
    """Within what is lost where each was rounded to the digits that it is written with."""

    def near(product: float, a: float, b: float, published: float, slack: float) -> None:
        assert abs(product - published) <= slack + product * (ulp(a) / a + ulp(b) / b) + 1e-9

    fmax, pace = peer.fmax_mhz[0], peer.elements_per_cycle
    near(fmax * pace, fmax, pace, peer.melem_per_s, ulp(peer.melem_per_s))
    published = peer.melem_per_s_per_lut
    near(peer.melem_per_s / peer.lut, peer.melem_per_s, peer.lut, published, ulp(published))


def test_the_rows_of_the_error_are_those_of_the_peers():
    rows = bench.sample_rows()
    assert rows.values.shape == (1000, 64)
    assert rows.values.std() == pytest.approx(3, rel=0.01)
    assert abs(rows.values).max() == 10
    base = next(case for case in CASES if case.preset == "base")
    # half an output LSB and a little, and half an input LSB through softmax, whose slope is 1/4
    assert 0 < bench.sample_error(base.config) < 1.0 * 2**-16 + 2 * 2**-12 / 4


class Engine:
    """Places in no time: what it does is in ``begun``, and ice40 is too small for a netlist."""

    begun: ClassVar[list[str]] = []
    netlist: ClassVar[dict] = {"verilog": "v", "design": "d", "unit": {}, "wrapper": {}}
    ends: ClassVar[dict] = {}

    def __init__(self, *_, **__):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def run(self, steps):
        for step in steps:
            self.begun.append(f"{step.design.name} {step.kind} {step.seed}")
            too_large = step.design.device == "ice40" and step.kind == "placed"
            refused = Outcome("infeasible", reason=f"{SENTENCE} (log: /tmp/log)")
            made = self.netlist if step.kind == "netlist" else 1.0
            yield step, self.ends.get(step.kind, refused if too_large else Outcome("done", made))


@pytest.fixture
def benched(results, tmp_path, monkeypatch):
    """Calls the command; nothing is run."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(bench, "CASES", tuple(result.case for result in results))
    monkeypatch.setattr(Flow, "find", classmethod(lambda cls, chip, cache: flow(chip.name)))
    monkeypatch.setattr(placements, "summarise", lambda *_: results[0].synthesis)
    monkeypatch.setattr(engine, "Engine", Engine)
    monkeypatch.setattr(Engine, "begun", [])
    return lambda *more: CliRunner().invoke(cli.main, ["bench", "--seeds", "3", *more])


def test_the_command_goes_on_where_a_unit_does_not_fit(benched, tmp_path):
    done = benched()
    assert done.exit_code == 0, done.output
    assert "3 of 3: tiny exact_sum, 1 lane for ice40: placing and routing, seed 1" in done.output
    assert done.output.count(SENTENCE) == 1
    assert "quyenpro" in done.output
    text = (tmp_path / "docs" / "benchmarks.md").read_text()
    assert SENTENCE in text
    assert "log: " not in text
    assert str(tmp_path) not in text
    assert (tmp_path / "docs" / "benchmarks.png").exists()
    # each step once: where a seed does not fit, nothing more is tried
    assert len(Engine.begun) == len(set(Engine.begun)) == 3 + 2 * (3 + 1) + 1


def test_what_is_known_is_not_done_again_and_what_did_not_fit_is_tried(benched):
    benched()
    Engine.begun.clear()
    assert benched().exit_code == 0
    assert Engine.begun == ["3 of 3: tiny exact_sum, 1 lane for ice40 placed 1"]
    Engine.begun.clear()
    assert benched("--seeds", "4").exit_code == 0
    assert len(Engine.begun) == 3  # one seed more of two units


def test_what_is_no_fault_of_a_design_ends_the_command(benched, monkeypatch, tmp_path):
    monkeypatch.setitem(Engine.ends, "paced", Outcome("failed", reason="no g++"))
    done = benched()
    assert done.exit_code == 2
    assert done.stderr == (
        "softmaxfx: 1 of 3: tiny exact_sum, 1 lane for ecp5: measuring elements per cycle: no g++\n"
    )
    assert not (tmp_path / "docs").exists()
    assert len(Engine.begun) == 3 + 4  # and what was done is known to the next
    monkeypatch.delitem(Engine.ends, "paced")
    Engine.begun.clear()
    assert benched().exit_code == 0
    assert len(Engine.begun) == 1 + 4 + 1


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--out", "table.txt"], r"--out must be a \.md file, not table\.txt"),
        (["--out", "."], r"--out must be a writable file, not \.: \. is a directory"),
        (["--seeds", "0"], r"Invalid value for '--seeds': 0 is not in"),
    ],
)
def test_a_mistake_is_one_sentence(arguments, sentence, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(cli.main, ["bench", *arguments])
    assert done.exit_code == 2
    assert re.search(sentence, done.stderr), done.stderr
    assert done.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())
