"""What ships, used as a stranger would: cocotb's Icarus runner, its defaults, and the bare ports.

The testbench takes no part. Every unit starts in Verilog and in SystemVerilog, by a reset of one
cycle, whatever its inputs were before; what the sidecar says of latency and of blocked outputs
holds.
"""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from cocotb_tools.runner import get_runner

from softmaxfx.fpga.export import TARGETS, export
from softmaxfx.golden import SQ, UQ, preset
from softmaxfx.sim.beats import beat_words, read_beats, recorded_bytes, word_bytes
from softmaxfx.sim.kinds import kind_of
from softmaxfx.sim.scoreboard import score
from softmaxfx.sim.sidecar import load_unit

from ..conftest import left_long
from .rows import unit_rows

pytestmark = pytest.mark.skipif(
    shutil.which("iverilog") is None, reason="Icarus Verilog (iverilog) is not installed"
)

LANGUAGES = {"Verilog": ["-g2005"], "the default, SystemVerilog": []}
UNITS = {
    "softmax": preset("tiny", max_length=9),
    "softmax, exact": preset("int8", lanes=3, max_length=10, id_width=2, datapath="exact_sum"),
    "softmax_backward": preset("tiny", max_length=9, rounding="stochastic"),
    "cross_entropy": preset("int8", lanes=1, max_length=9),
    "cross_entropy, exact": preset("tiny", lanes=2, max_length=9, datapath="exact_sum", id_width=3),
    "adaptive_softmax": preset("int8", lanes=2, max_length=9, id_width=2, prediction="greedy"),
}
STARTS = {
    "inputs defined from time 0": (0, 5),
    "a reset of one cycle": (0, 1),
    "unknown inputs before a reset of one cycle": (7, 1),
}
"""(cycles in which inputs are unknown, cycles of the reset)."""
PATIENCE = 400
"""Cycles in which nothing moves before a run ends."""


def exported(folder, name, **options):
    unit = name.split(",")[0]
    return load_unit(export(UNITS[name], folder, unit=unit, **options).verilog)


def built(unit, folder, arguments):
    """The runner that has built a unit, with nothing but what a newcomer gives it."""
    runner = get_runner("icarus")
    runner.build(
        sources=[unit.verilog, *unit.models],
        hdl_toplevel=unit.top,
        build_dir=folder,
        build_args=arguments,
    )
    return runner


def spare_bits(unit, stream):
    """The bits of a word that lie in a container above the width of what it holds."""
    width, container = unit.formats[stream.name].width, 8 * stream.octets
    of_lane = ((1 << container) - 1) & ~((1 << width) - 1)
    return sum(of_lane << container * lane for lane in range(stream.lanes))


def run(runner, unit, rows, folder, *, start=(0, 2), pauses=0.0, blocked=(), flipped=False):
    """(beats sent, what the run recorded); the spare bits of inputs flipped, or not."""
    folder.mkdir(parents=True)
    sent = kind_of(unit).pack(rows, unit)

    def job_of(stream):
        words = beat_words(sent[stream.name], stream) if stream.inward else b""
        size = word_bytes(stream)
        beats = [words[place : place + size] for place in range(0, len(words), size)]
        change = spare_bits(unit, stream) if flipped and stream.inward else 0
        mask = (1 << stream.bits) - 1
        return {
            "name": stream.name,
            "signals": stream.signals,
            "words": [int.from_bytes(beat, "big") & mask ^ change for beat in beats],
        }

    job = {
        "inputs": [job_of(stream) for stream in unit.inputs],
        "outputs": [job_of(stream) for stream in unit.outputs],
        "unknown_cycles": start[0], "reset_cycles": start[1], "pauses": pauses,
        "blocked": list(blocked), "patience": PATIENCE, "rounding_seed": unit.seed,
    }  # fmt: skip
    (folder / "job.json").write_text(json.dumps(job))
    runner.test(
        test_module="stranger",
        hdl_toplevel=unit.top,
        test_dir=folder,
        results_xml=str(folder / "results.xml"),
    )
    return sent, json.loads((folder / "received.json").read_text())


def compared(unit, sent, received):
    """The score of what came out."""
    kind = kind_of(unit)
    answer, formats = kind.expect(sent, unit), unit.formats
    gate = {}
    for stream in unit.outputs:
        size = recorded_bytes(stream) - 4
        words = b"".join(
            word.to_bytes(size, "little") + bytes(4) for word in received["received"][stream.name]
        )
        gate[stream.name], _ = read_beats(words, stream, signed=formats[stream.name].signed)
    return score(answer.streams, gate)


@pytest.fixture(autouse=True)
def _beside(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parent))


@pytest.mark.parametrize("language", left_long(LANGUAGES, "the default, SystemVerilog"))
@pytest.mark.parametrize("target", left_long([*TARGETS, "case"], "generic"))
@pytest.mark.parametrize("name", UNITS)
def test_every_unit_starts_for_every_target_in_both_languages(name, target, language, tmp_path):
    options = {"rom": "case"} if target == "case" else {"target": target}
    unit = exported(tmp_path / "rtl", name, **options)
    runner = built(unit, tmp_path / "build", LANGUAGES[language])
    lengths = np.random.default_rng(2).integers(1, unit.config.max_length + 1, 30)
    rows = unit_rows(unit, lengths, seed=1, masked=0.1)
    for place, start in enumerate(STARTS.values()):
        sent, received = run(runner, unit, rows, tmp_path / str(place), start=start, pauses=0.2)
        score = compared(unit, sent, received)
        assert (score.first, score.mismatches) == ("", 0)
        assert score.elements >= lengths.sum()


CAPACITY = {
    "max_subtract": ("softmax", preset("tiny", max_length=9)),
    "exact_sum": ("softmax", preset("int8", lanes=4, max_length=64, datapath="exact_sum")),
    "softmax_backward": ("softmax_backward", preset("int8", lanes=4, max_length=64)),
    "cross_entropy": ("cross_entropy", preset("tiny", max_length=9)),
}


@pytest.mark.parametrize("name", left_long(CAPACITY, "exact_sum", "softmax_backward"))
def test_the_sidecar_tells_what_goes_in_while_the_outputs_are_blocked(name, tmp_path):
    of, config = CAPACITY[name]
    unit = load_unit(export(config, tmp_path / "rtl", unit=of).verilog)
    capacity = unit.description["blocked"]
    runner = built(unit, tmp_path / "build", [])

    def accepted(length, pauses):
        """Beats of the input that accepts the fewest, its rows of some length."""
        rows = unit_rows(unit, [length] * (capacity["beats"] + 40), seed=1)
        folder = tmp_path / f"{length} {pauses}"
        blocked = [stream.name for stream in unit.outputs]
        _, received = run(runner, unit, rows, folder, pauses=pauses, blocked=blocked)
        assert not any(received["received"].values())
        per_row = [stream.name for stream in unit.inputs if not stream.last]
        return min(len(at) for stream, at in received["accepted"].items() if stream not in per_row)

    longest, shortest = config.max_length, 1
    assert accepted(longest, 0) == capacity["beats"]
    assert capacity["least_beats"] <= accepted(longest, 0.5) <= capacity["beats"]
    assert accepted(shortest, 0) == min(capacity["rows"], capacity["beats"])


@pytest.mark.parametrize("length", [9, pytest.param(1, marks=pytest.mark.long)])
@pytest.mark.parametrize("name", left_long(UNITS, "softmax", "cross_entropy, exact"))
def test_the_sidecar_tells_the_latency(name, length, tmp_path):
    unit = exported(tmp_path / "rtl", name)
    runner = built(unit, tmp_path / "build", [])
    rows = unit_rows(unit, [length], seed=1)
    _, received = run(runner, unit, rows, tmp_path / "run")
    latency, beats = unit.description["latency"], -(-int(rows.lengths[0]) // unit.lanes)
    last = max(cycles[-1] for cycles in received["accepted"].values())
    assert received["offered"]["m_axis"] - last == latency["fixed"] + latency["per_beat"] * beats


SPARE = {
    "softmax": preset("tiny", input=SQ(5, 7), range=8, output=UQ(0, 12)),
    "softmax_backward": preset("int8", lanes=2, output=UQ(0, 11), grad_input=SQ(1, 12)),
    "cross_entropy": preset("int8", lanes=3, input=SQ(6, 4)),
}


@pytest.mark.parametrize("of", left_long(SPARE, "softmax"))
def test_spare_bits_of_a_container_are_ignored(of, tmp_path):
    unit = load_unit(export(SPARE[of], tmp_path / "rtl", unit=of).verilog)
    assert any(spare_bits(unit, stream) for stream in unit.inputs)
    rows = unit_rows(unit, [3, 1, 7, 5], seed=1, masked=0.1)
    runner = built(unit, tmp_path / "build", [])
    sent, received = run(runner, unit, rows, tmp_path / "run", flipped=True)
    score = compared(unit, sent, received)
    assert (score.first, score.mismatches) == ("", 0)
