"""A hundred thousand frames that break the rules of the ports, and faults that they must find."""

import re
from collections.abc import Callable

import pytest

from softmaxfx.fpga.export import export
from softmaxfx.golden import SQ, preset
from softmaxfx.sim.hostile import hostile_stream, run_hostile
from softmaxfx.sim.kinds import KINDS
from softmaxfx.sim.sidecar import load_unit
from softmaxfx.sim.simulator import build

CONFIGS = {
    "three lanes, tid": preset("tiny", id_width=4, lanes=3, max_length=20),
    "one lane": preset("tiny", max_length=12),
    "bytes": preset("int8", lanes=4, max_length=15),
    "difference": preset("base", lanes=8, max_length=64, clip="difference"),
    "exact sum": preset("tight", lanes=3, max_length=30, id_width=3, datapath="exact_sum"),
    "exact sum, log p": preset(
        "int8", lanes=2, max_length=9, datapath="exact_sum", function="log_softmax", output=SQ(6, 5)
    ),
}
FRAMES = 25_000


@pytest.mark.parametrize("name", CONFIGS)
def test_every_frame_is_answered_as_the_golden_model_says(name, unit_of, model_of, tmp_path):
    unit = unit_of(CONFIGS[name])
    stream = hostile_stream(unit, FRAMES, seed=11)
    frames = KINDS["softmax"].frames
    assert stream.kinds.keys() == set(frames)
    assert min(stream.kinds.values()) > FRAMES // len(frames) // 2
    assert len(stream.parts) > 1000
    shown = run_hostile(unit, model_of(unit), stream, tmp_path, seed=11)
    assert shown.first == ""
    assert shown.mismatches == 0
    assert shown.elements > FRAMES


def test_the_same_seed_gives_the_same_stream(unit_of):
    unit = unit_of(CONFIGS["one lane"])
    first, again, other = (
        [beats for part in hostile_stream(unit, 50, seed).parts for beats in part.values()]
        for seed in (1, 1, 2)
    )
    for name in ("data", "keep"):
        bits, same, different = (
            b"".join(getattr(beats, name).tobytes() for beats in parts)
            for parts in (first, again, other)
        )
        assert bits == same
        assert bits != different


def in_frame(change: Callable[[str], str]) -> Callable[[str], str]:
    """A fault in the module that checks beats and cuts rows."""

    def fault(text: str) -> str:
        start = text.index("module hostile__core__datapath__frame ")
        end = text.index("endmodule", start)
        changed = change(text[start:end])
        assert changed != text[start:end]
        return text[:start] + changed + text[end:]

    fault.__name__ = change.__name__
    return fault


@in_frame
def cut_a_beat_early(body: str) -> str:
    """The longest row has a beat less."""
    return re.sub(r"= beat == (\d+)'h1;", r"= beat == \1'h0;", body)


@in_frame
def never_swallow(body: str) -> str:
    """The rest of a row that is too long is a row of its own."""
    return re.sub(r"swallow <= .*;", "swallow <= 0;", body)


@in_frame
def forget_faults(body: str) -> str:
    """A fault counts on the last beat alone."""
    return body.replace("= cut ? 1'h0 : error;", "= 1'h0;")


@in_frame
def pass_broken_beats(body: str) -> str:
    """No beat is at fault by itself."""
    return re.sub(r"fault <= .*;", "fault <= 0;", body)


def drop_the_error_bit(text: str) -> str:
    """tuser's error bit stays low."""
    return re.sub(r"assign m_axis_tuser\[0\] = .*;", "assign m_axis_tuser[0] = 0;", text)


def hang_after_an_error(text: str) -> str:
    """An error row waits to leave, and never leaves."""
    for old, new in (
        (r"assign m_axis_tvalid = (.*);", r"assign m_axis_tvalid = \1 & ~m_axis_tuser[0];"),
        (r"o__ready\(m_axis_tready\)", "o__ready(m_axis_tready & ~m_axis_tuser[0])"),
    ):
        text, count = re.subn(old, new, text)
        assert count == 1
    return text


def ignore_a_reset_of_one_cycle(text: str) -> str:
    """A reset is one where the cycle before it was one too."""
    seen = "reg seen = 1'h1;\n  always @(posedge aclk) seen <= aresetn;"
    text, count = re.subn(r"(assign \S+ += ~ aresetn);", rf"{seen}\n  \1 & ~seen;", text)
    assert count == 1
    return text


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        (ignore_a_reset_of_one_cycle, r"after reset \d+"),
        (cut_a_beat_early, r"after reset \d+: row \d+, beat \d+"),
        (never_swallow, r"after reset \d+: row \d+, beat \d+"),
        (forget_faults, r"tuser gold 0b\d+1, gate 0b\d+0|tkeep"),
        (pass_broken_beats, r"tuser gold 0b\d+1, gate 0b\d+0|tkeep"),
        (drop_the_error_bit, r"tuser gold 0b\d+1, gate 0b\d+0"),
        (hang_after_an_error, r"hung: \d+ of \d+ resets were reached|never came out"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_a_planted_fault_is_noticed(fault, sentence, models, tmp_path):
    config = preset("tiny", lanes=3, max_length=7)
    exported = export(config, tmp_path, name="hostile")
    text = exported.verilog.read_text()
    changed = fault(text)
    assert changed != text
    exported.verilog.write_text(changed)
    unit = load_unit(exported.verilog, modified=True)
    stream = hostile_stream(unit, 300, seed=3)
    shown = run_hostile(unit, build(unit, models), stream, tmp_path / "run", seed=3)
    assert shown.mismatches > 0
    assert re.search(sentence, shown.first), shown.first
