"""D of every row, when it is due: golden's bits, up to the limits of its format."""

import numpy as np
import pytest

from softmaxfx.golden import SQ, UQ, SoftmaxConfig
from softmaxfx.golden.stages.dot import Dot as Golden
from softmaxfx.hdl.stages.dot import Dot

from ..streams import trace

FORMATS = {
    "base": {},
    "base, guard 0": {"dot_guard": 0},
    "base, guard 3": {"dot_guard": 3},
    "int8": {"output": UQ(0, 8), "grad_input": SQ(1, 7)},
    "int8, exact D": {"output": UQ(0, 8), "grad_input": SQ(1, 7), "dot_guard": 8},
    "odd": {"output": UQ(1, 12), "grad_input": SQ(2, 10), "dot_guard": 3},
    "odd, guard 0": {"output": UQ(1, 12), "grad_input": SQ(3, 9), "dot_guard": 0},
    "wide": {"output": UQ(0, 24), "grad_input": SQ(3, 15)},
    "narrow": {"output": UQ(0, 2), "grad_input": SQ(2, 0), "dot_guard": 0},
}
every_format = pytest.mark.parametrize("changes", FORMATS.values(), ids=FORMATS)
Row = tuple[np.ndarray, np.ndarray]
"""Codes of p and dp, each (elements,)."""


def config_of(changes: dict, lanes: int, max_length: int = 24) -> SoftmaxConfig:
    return SoftmaxConfig(lanes=lanes, max_length=max_length).replace(**changes)


def random_rows(golden: Golden, rng: np.random.Generator, count: int) -> list[Row]:
    """Rows of any length: codes of any size, some at full scale."""
    p, dp, rows = golden.p, golden.dp, []
    for row in range(count):
        length = int(rng.choice([1, golden.max_length, rng.integers(1, golden.max_length + 1)]))
        small = rng.integers(0, p.max_code // length + 1, length)
        anything = rng.integers(0, p.max_code + 1, length)
        full = np.full(length, p.max_code)
        slopes = rng.integers(dp.min_code, dp.max_code + 1, length)
        ends = rng.choice([dp.min_code, dp.max_code], length)
        one_end = np.full(length, ends[0])
        rows.append(([small, anything, full][row % 3], [slopes, ends, one_end][row // 3 % 3]))
    return rows


def row_of_sum(golden: Golden, total: int) -> Row:
    """A row whose products have that sum."""
    most, p, dp = golden.p.max_code, [], []
    end, one = (golden.dp.min_code, -1) if total < 0 else (golden.dp.max_code, 1)
    times, rest = divmod(abs(total), abs(end))
    for weight, code in ((times, end), (rest, one)):
        parts = [most] * (weight // most) + [weight % most]
        p += parts
        dp += [code] * len(parts)
    return np.array(p), np.array(dp)


def edge_rows(golden: Golden) -> list[Row]:
    """Sums at, below and above the places where D is rounded to another code, or is saturated."""
    low, high, drop = golden.output.min_code, golden.output.max_code, golden.drop
    half, sums = (1 << drop) >> 1, []
    for code in (low - 2, low - 1, low, low + 1, -2, -1, 0, 1, high - 1, high, high + 1, high + 2):
        for offset in (0, half - 1, half, half + 1, -half - 1, -half, 1 - half):
            sums.append((code << drop) + offset)
    rows = [row_of_sum(golden, total) for total in sums]
    return [row for row in rows if len(row[0]) <= golden.max_length]


def beats_of(row: Row, lanes: int) -> list[dict]:
    """A row's factors; p is 0 where there is no element, dp is anything."""
    p, dp = row
    count = -(-len(p) // lanes)
    noise = np.random.default_rng(len(p)).integers(0, 2, count * lanes)
    noise[: len(p)] = dp
    p = np.pad(p, (0, count * lanes - len(p)))
    return [
        {"p": p_beat, "dp": dp_beat, "i_valid": 1, "i_last": int(beat == count - 1)}
        for beat, (p_beat, dp_beat) in enumerate(
            zip(p.reshape(count, lanes).tolist(), noise.reshape(count, lanes).tolist(), strict=True)
        )
    ]


def gap(golden: Golden, rng: np.random.Generator, lanes: int) -> dict:
    """A cycle without a beat: the factors are anything."""
    p = rng.integers(1, golden.p.max_code + 1, lanes).tolist()
    dp = rng.integers(golden.dp.min_code, golden.dp.max_code + 1, lanes).tolist()
    return {"p": p, "dp": dp, "i_valid": 0, "i_last": 0}


def stimulus_of(
    golden: Golden, rows: list[Row], lanes: int, gaps: float = 0.0
) -> tuple[list[dict], list[int]]:
    """Beats and gaps; the cycles of the rows' last beats."""
    rng, stimulus, ends = np.random.default_rng(82), [], []
    for row in rows:
        for beat in beats_of(row, lanes):
            while rng.random() < gaps:
                stimulus.append(gap(golden, rng, lanes))
            stimulus.append(beat)
        ends.append(len(stimulus) - 1)
    return stimulus, ends


def flags_later(stimulus: list[dict], cycles: int) -> list[dict]:
    """The stimulus with what tells of beats that many cycles behind the factors."""
    factors = [{name: cycle[name] for name in ("p", "dp")} for cycle in stimulus]
    nothing = {"i_valid": 0, "i_last": 0}
    flags = [nothing] * cycles
    flags += [{name: cycle[name] for name in nothing} for cycle in stimulus]
    factors += [{}] * cycles
    return [{**one, **other} for one, other in zip(factors, flags, strict=True)]


def check(config: SoftmaxConfig, rows: list[Row], gaps: float = 0.0) -> list[tuple[int, int]]:
    """Compare D of every row with golden's; it is returned."""
    golden, lanes = Golden.of(config), config.lanes
    stimulus, ends = stimulus_of(golden, rows, lanes, gaps)
    latency = Dot.latency_of(lanes)
    stimulus += [gap(golden, np.random.default_rng(0), lanes)] * (latency + 1)
    stimulus = flags_later(stimulus, Dot.AHEAD)
    dut = Dot(golden=golden, lanes=lanes, beats=config.max_beats)
    seen = trace(dut, stimulus, ["o", "saturated"])
    gate = [seen[end + latency] for end in ends]
    gold = [tuple(int(answer[0]) for answer in golden(p, dp)) for p, dp in rows]
    assert gate == gold
    return gold


@every_format
@pytest.mark.parametrize(("lanes", "gaps"), [(1, 0.0), (2, 0.5), (3, 0.0), (8, 0.3)])
def test_every_row_gives_goldens_d_when_it_is_due(changes, lanes, gaps):
    config = config_of(changes, lanes)
    rows = random_rows(Golden.of(config), np.random.default_rng(83), 45)
    one_beat = [(p[:lanes], dp[:lanes]) for p, dp in rows[:12]]
    check(config, rows + one_beat, gaps)


@every_format
def test_sums_between_two_codes_and_at_the_limits_are_rounded_and_saturated_as_golden_does(changes):
    config = config_of(changes, 3)
    golden = Golden.of(config)
    rows = edge_rows(golden)
    assert len(rows) > 40
    gold = check(config, rows)
    low, high = golden.output.min_code, golden.output.max_code
    assert {(low, 0), (high, 0), (low, 1), (high, 1), (0, 0)} <= set(gold)


@every_format
@pytest.mark.parametrize(("lanes", "beats"), [(1, 8), (2, 5), (3, 16)])
def test_the_longest_rows_at_full_scale_fit_the_sum(changes, lanes, beats):
    config = config_of(changes, lanes, lanes * beats)
    golden, rows = Golden.of(config), []
    for p in (golden.p.max_code, 1):
        for dp in (golden.dp.max_code, golden.dp.min_code, 1, -1):
            rows.append((np.full(lanes * beats, p), np.full(lanes * beats, dp)))
    check(config, rows)


@pytest.mark.parametrize("after", [0, 1, 4], ids="{} cycles later".format)
@pytest.mark.parametrize("lanes", [1, 3, 8])
def test_what_was_under_way_before_a_reset_is_in_no_sum(lanes, after):
    config = config_of(FORMATS["int8"], lanes)
    golden = Golden.of(config)
    rows = random_rows(golden, np.random.default_rng(84), 3)
    beats, ends = stimulus_of(golden, rows, lanes)
    new = flags_later(beats, Dot.AHEAD)
    high = {"p": [255] * lanes, "dp": [127] * lanes, "i_valid": 1, "reset": 0}
    latency = Dot.latency_of(lanes)
    idle = gap(golden, np.random.default_rng(1), lanes) | {"reset": 0}
    gold = [tuple(int(answer[0]) for answer in golden(p, dp)) for p, dp in rows]
    for cycle in range(0, latency + 4, 2):
        # with the reset, inputs still are what they were
        old = [high | {"i_last": int(place % 5 == 3)} for place in range(cycle + 1)]
        stimulus = [*old[:-1], old[-1] | {"reset": 1}, *[idle] * after]
        start = len(stimulus)
        stimulus += [cycle | {"reset": 0} for cycle in new] + [idle] * (latency + 1)
        dut = Dot(golden=golden, lanes=lanes, beats=config.max_beats)
        seen = trace(dut, stimulus, ["o", "saturated"])
        assert [seen[start + end + latency] for end in ends] == gold
