"""The backward unit's Verilog, bit for bit: real and broken rows, neighbours that do nothing."""

import re
from collections.abc import Callable

import numpy as np
import pytest

from softmaxfx.fpga.export import export
from softmaxfx.golden import SQ, SoftmaxConfig, preset
from softmaxfx.golden.rows import LogitRows
from softmaxfx.golden.units.softmax_backward import backward_rows
from softmaxfx.sim.beats import Beats
from softmaxfx.sim.hostile import hostile_stream, run_hostile
from softmaxfx.sim.kinds import KINDS
from softmaxfx.sim.run import simulate
from softmaxfx.sim.sidecar import Stream, Unit, load_unit
from softmaxfx.sim.simulator import Model, build
from softmaxfx.sim.softmax_backward import BackwardRows

from .blocked import run_blocked
from .planting import Planting, plant
from .rows import kind_rows

KIND = KINDS["softmax_backward"]
CONFIGS = {
    "one lane": preset("tiny", max_length=12),
    "three lanes, tid": preset("tiny", id_width=4, lanes=3, max_length=20),
    "bytes": preset("int8", lanes=4, max_length=15, clip_gradient="pass"),
    "row exponent": preset("int8_row", lanes=3, max_length=40, id_width=2),
    "row exponent, stochastic": preset(
        "tiny", lanes=2, max_length=20, rounding="stochastic", output_exponent="row"
    ),
    "stochastic": preset("tiny", lanes=2, max_length=20, rounding="stochastic"),
    "coarse": preset("tiny", lanes=2, max_length=9, grad_input=SQ(3, 6), grad_output=SQ(2, 9)),
}
FRAMES = 12_000


@pytest.fixture(scope="module")
def backward_unit(tmp_path_factory, models) -> Callable[[SoftmaxConfig], tuple[Unit, Model]]:
    """The unit of a configuration, and its model."""
    folder = tmp_path_factory.mktemp("backward")

    def made(config: SoftmaxConfig) -> tuple[Unit, Model]:
        unit = load_unit(export(config, folder, unit="softmax_backward").verilog)
        return unit, build(unit, models)

    return made


@pytest.mark.parametrize("name", CONFIGS)
def test_the_verilog_equals_the_golden_model(name, backward_unit, tmp_path):
    config = CONFIGS[name]
    unit, model = backward_unit(config)
    rows = kind_rows(KIND, config)
    shown = simulate(unit, model, rows, tmp_path)
    assert shown.score.first == ""
    assert shown.score.mismatches == 0
    assert shown.score.elements == rows.elements
    assert shown.bounds_kept
    fields, latency = shown.to_dict(), unit.description["latency"]
    assert fields["unit"] == "softmax_backward"
    assert fields["datapath"] is None
    assert fields["latency_cycles"] == latency["fixed"] + latency["per_beat"]
    assert fields["max_error_ulp"] > 0.4


@pytest.mark.long
@pytest.mark.parametrize("name", CONFIGS)
def test_every_frame_is_answered_as_the_golden_model_says(name, backward_unit, tmp_path):
    unit, model = backward_unit(CONFIGS[name])
    stream = hostile_stream(unit, FRAMES, seed=11)
    assert stream.kinds.keys() == set(KIND.frames)
    assert min(stream.kinds.values()) > FRAMES // len(KIND.frames) // 2
    assert len(stream.parts) > 400
    saturated = [
        KIND.expect(part, unit).streams["m_axis"].beats.user[:, 1] for part in stream.parts
    ]
    assert 0.02 < np.concatenate(saturated).mean() < 0.5
    shown = run_hostile(unit, model, stream, tmp_path, seed=11)
    assert shown.first == ""
    assert shown.mismatches == 0
    assert shown.elements > FRAMES


@pytest.mark.parametrize("pauses", [False, True], ids=["quick", "pauses"])
@pytest.mark.parametrize("port", ["s_axis_p", "s_axis_dp", "m_axis"])
def test_a_neighbour_may_do_nothing_for_good(port, pauses, backward_unit, tmp_path):
    config = CONFIGS["three lanes, tid"]
    unit, model = backward_unit(config)
    shown = run_blocked(unit, model, kind_rows(KIND, config), tmp_path, [port], pauses=pauses)
    assert shown.score.first == ""
    assert not shown.whole
    assert shown.came["m_axis"] == 0
    other = {"s_axis_p": "s_axis_dp", "s_axis_dp": "s_axis_p"}
    if port in other:
        assert shown.accepted[port] == 0
        assert shown.accepted[other[port]] >= unit.description["skew_beats"]
    else:  # whole rows wait for the sink
        assert min(shown.accepted.values()) >= config.max_beats


@pytest.mark.parametrize("port", ["s_axis_p", "s_axis_dp", "m_axis"])
def test_after_a_long_wait_every_row_comes_out(port, backward_unit, tmp_path):
    config = CONFIGS["three lanes, tid"]
    unit, model = backward_unit(config)
    rows = kind_rows(KIND, config)
    shown = run_blocked(unit, model, rows, tmp_path, [port], freed_after=8)
    assert shown.score.first == ""
    assert shown.whole
    assert shown.came["m_axis"] == len(rows.lengths)


# What the checks expect, by hand


HAND = preset("tiny", lanes=2, max_length=5, id_width=8)
HAND_UNIT = Unit(
    verilog=None,
    top="unit",
    name="softmax_backward",
    config=HAND,
    streams=(
        Stream("s_axis_p", True, 2, 32, 4, 5, 8, last=True),
        Stream("s_axis_dp", True, 2, 32, 4, 0, 0, last=True),
        Stream("m_axis", False, 2, 32, 4, 5, 8, last=True),
    ),
    description={},
)


def beats(lanes_present: str, user: str = "") -> Beats:
    """Beats of two lanes: ``"22 1"`` is a frame of two full beats and, later, one of one element;
    the last of each frame has tlast, unless the frame ends in ``-``. ``user`` is one digit a beat,
    the status."""
    frames = lanes_present.split()
    counts = [int(digit) for frame in frames for digit in frame.rstrip("-")]
    last = [
        place == len(frame.rstrip("-")) - 1 and not frame.endswith("-")
        for frame in frames
        for place in range(len(frame.rstrip("-")))
    ]
    total = len(counts)
    status = np.array([int(digit) for digit in user or "0" * total])
    keep = np.arange(2) < np.array(counts)[:, None]
    return Beats(
        data=np.full((total, 2), 3000),
        keep=np.repeat(keep[:, :, None], 2, axis=2),
        user=(status[:, None] >> np.arange(5) & 1).astype(bool),
        last=np.array(last),
        ident=np.arange(total),
    )


@pytest.mark.parametrize(
    ("p", "user", "dp", "rows"),
    [
        # (beats, in error, tid) of each row that comes out
        ("22 1", "", "22 1", [(2, False, 1), (1, False, 2)]),
        ("22 1", "", "2 1", [(2, True, 1), (1, False, 2)]),
        ("22 1", "", "2222 1", [(2, True, 1), (1, False, 2)]),
        ("21 1", "", "22 1", [(2, True, 1), (1, False, 2)]),
        ("22 1", "010", "22 1", [(2, True, 1), (1, False, 2)]),
        ("22 1", "100", "22 1", [(2, False, 1), (1, False, 2)]),  # not the beat at which it leaves
        ("22 1", "060", "22 1", [(2, False, 1), (1, False, 2)]),  # other status bits mean nothing
        ("22222 1", "", "22222 1", [(3, True, 2), (1, False, 5)]),
        ("22222 1", "000010", "222 1", [(3, True, 2), (1, False, 5)]),
        ("222", "", "222", [(3, True, 2)]),  # six elements
        ("221 1", "", "221", [(3, False, 2)]),
        ("22 1", "", "22 2-", [(2, False, 1), (1, True, 2)]),
        ("22- ", "", "22", []),
    ],
)
def test_rows_and_faults_are_those_of_the_documents(p, user, dp, rows):
    answer = KIND.expect({"s_axis_p": beats(p, user), "s_axis_dp": beats(dp)}, HAND_UNIT)
    came = answer.streams["m_axis"].beats
    ends = np.flatnonzero(came.last)
    starts = np.concatenate([[0], ends + 1])[: len(ends)]
    found = [
        (int(end - start + 1), bool(came.user[end, 0]), int(came.ident[end]))
        for start, end in zip(starts, ends, strict=True)
    ]
    assert found == rows
    assert len(came) == (ends[-1] + 1 if len(ends) else 0)
    error = came.user[:, 0]
    assert not came.data[error].any()
    assert came.keep[error].all()
    assert not came.user[:, 3:].any()


def test_the_saturated_bit_comes_with_the_first_such_element():
    sent = {"s_axis_p": beats("221"), "s_axis_dp": beats("221")}
    sent["s_axis_p"].data[:] = [[39322, 39322], [39322, 60000], [100, 0]]
    sent["s_axis_dp"].data[:] = [[-32768, -32768], [-32768, 32767], [-32768, 0]]
    gold = backward_rows(
        np.array([[39322, 39322, 39322, 60000, 100]]),
        np.array([[-32768, -32768, -32768, 32767, -32768]]),
        HAND,
        np.zeros((1, 5), bool),
    )
    assert gold.saturated.tolist() == [[False, False, False, True, False]]
    came = KIND.expect(sent, HAND_UNIT).streams["m_axis"].beats
    assert came.user[:, 1].tolist() == [False, True, True]
    assert came.data.ravel()[:5].tolist() == gold.ds[0].tolist()


# Faults planted in the Verilog must be found


def forget_faults(verilog: Planting) -> None:
    """No pair of beats is at fault."""
    verilog.see("core.join", "fault", "1'b0")


def never_drain(verilog: Planting) -> None:
    """What is left of a row of dP belongs to the next one."""
    verilog.see("core.join", "drain", "1'b0")


def ignore_the_error_of_p(verilog: Planting) -> None:
    verilog.see("", "s_axis_p_tuser", "{} & ~1")


def drop_the_saturated_bit(verilog: Planting) -> None:
    verilog.see("", "m_axis_tuser", "{} & ~2")


def ignore_the_seed(verilog: Planting) -> None:
    verilog.see("", "seed", "32'h0")


@pytest.mark.long
@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        (forget_faults, r"tuser gold 0b\d{4}1, gate 0b\d{4}0"),
        (never_drain, r"row \d+, beat \d+: tkeep gold 0b0+, gate 0b1+"),
        (ignore_the_error_of_p, r"tuser gold 0b\d{4}1, gate 0b\d{4}0"),
        (drop_the_saturated_bit, r"tuser gold 0b\d\d\d1\d, gate 0b\d\d\d0\d"),
        (ignore_the_seed, r"gold -?\d+, gate -?\d+; element \d+ has P's code \d+, the row .*dP's"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_a_planted_fault_is_noticed(fault, sentence, models, tmp_path):
    config = preset("tiny", lanes=2, max_length=7, rounding="stochastic")
    verilog = export(config, tmp_path, unit="softmax_backward", name="planted").verilog
    plant(verilog, "planted", fault)
    unit = load_unit(verilog, modified=True)
    stream = hostile_stream(unit, 600, seed=3)
    shown = run_hostile(unit, build(unit, models), stream, tmp_path / "run", seed=3)
    assert shown.mismatches > 0
    assert re.search(sentence, shown.first), shown.first


def test_a_row_of_dp_is_as_long_as_its_row_of_p():
    rows = LogitRows.from_array([[0.0, 1.0, 2.0], [3.0, np.nan, np.nan]])
    sent = KIND.pack(BackwardRows(rows, np.full((2, 3), 0.5)), HAND_UNIT)
    for port, packed in sent.items():
        assert packed.last.tolist() == [False, True, True], port
        assert packed.keep[:, :, 0].tolist() == [[True, True], [True, False], [True, False]]
    assert set(sent["s_axis_dp"].data[sent["s_axis_dp"].keep[:, :, 0]]) == {1 << 14}
    np.testing.assert_allclose(sent["s_axis_p"].data[:2].sum(), 1 << 16, atol=3)
