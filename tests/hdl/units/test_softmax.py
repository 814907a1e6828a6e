"""The whole unit: the bits of golden for every row, at any pace, and in a known time."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from amaranth.hdl import ResetInserter, Signal
from amaranth.sim import Simulator

from softmaxfx.golden import SQ, UQ, SoftmaxConfig, preset
from softmaxfx.golden.config import PRESETS
from softmaxfx.hdl.targets.generic import Target
from softmaxfx.hdl.units.capacity import ROWS
from softmaxfx.hdl.units.softmax import Softmax, latency

from ..hostile import broken_row, error_beats, faults_of, mixed_traffic, random_stream
from ..rows import Row, as_beat, input_beats, log_bits, output_beats, random_rows
from ..streams import Pace, every_pace, simulate, stream_get, stream_put

SMALL = SoftmaxConfig(input=SQ(5, 3), output=UQ(0, 8), lanes=4, max_length=13)
EXACT = SMALL.replace(datapath="exact_sum")
DATAPATHS = {"max_subtract": SMALL, "exact_sum": EXACT}
every_datapath = pytest.mark.parametrize("small", DATAPATHS.values(), ids=DATAPATHS)
AFTERWARDS = 50
"""Cycles to look on after the last beat: more than a row of :data:`SMALL` is under way."""


STEADY = Pace()


def run(config: SoftmaxConfig, beats: list[dict], count: int, pace: Pace = STEADY) -> list[dict]:
    """The first ``count`` beats that the unit answers with; more than these is a failure."""
    dut, taken = Softmax(config=config), []

    async def source(ctx):
        await stream_put(ctx, dut.i, beats, pauses=pace.pauses)

    async def sink(ctx):
        taken.extend(await stream_get(ctx, dut.o, count, pressure=pace.pressure))
        for _ in range(AFTERWARDS):
            await ctx.tick()
            assert not ctx.get(dut.o.valid), "a beat came out after the last row's end"

    simulate(dut, source, sink)
    beats = [as_beat(payload) for payload in taken]
    return comparable(beats, config)


def comparable(beats: list[dict], config: SoftmaxConfig) -> list[dict]:
    """Output beats in a form in which equal ones are equal."""
    log = config.function == "log_softmax"
    return [log_bits(beat, config) for beat in beats] if log else beats


def check(config: SoftmaxConfig, rows: list[Row], pace: Pace = STEADY) -> None:
    gold = output_beats(rows, config)
    assert run(config, input_beats(rows, config), len(gold), pace) == comparable(gold, config)


def lengths_of(config: SoftmaxConfig, times: int) -> list[int]:
    """Every length from 1 to the longest, a number of times, in a random order."""
    every = np.tile(np.arange(1, config.max_length + 1), times)
    return np.random.default_rng(22).permutation(every).tolist()


# The bits


@every_pace
@pytest.mark.parametrize("lanes", [1, 2, 3, 4])
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"clip": "difference"},
        {"datapath": "exact_sum"},
        {"output_exponent": "row"},
        {"datapath": "exact_sum", "output_exponent": "row"},
    ],
    ids=["input", "difference", "exact_sum", "exponent", "exact_sum, exponent"],
)
def test_rows_of_every_length_give_goldens_bits(changes, lanes, pace):
    config = SMALL.replace(lanes=lanes, **changes)
    check(config, random_rows(config, lengths_of(config, 3)), pace)


@pytest.mark.parametrize("function", ["softmax", "log_softmax"])
@pytest.mark.parametrize("datapath", DATAPATHS)
@pytest.mark.parametrize("name", PRESETS)
def test_presets_give_goldens_bits_up_to_the_longest_row(name, datapath, function):
    config = preset(name, datapath=datapath)
    if function == "log_softmax":
        output = SQ(10, 8) if name == "full" else SQ(6, 3 if config.output.f == 8 else 10)
        config = config.replace(function=function, output=output, output_exponent="none")
    if config.lanes > 1:
        config = config.replace(max_length=160)
    longest = config.max_length
    lengths = [longest, 1, config.lanes, config.lanes + 1, longest - 1, longest, 3]
    check(config, random_rows(config, lengths), Pace(0.1, 0.1))


EXTREMES = {
    "one element": {"max_length": 1, "lanes": 1},
    "more lanes than elements": {"max_length": 3, "lanes": 8},
    "one element of many lanes": {"max_length": 1, "lanes": 5},
    "length of no power of two": {"max_length": 1000, "lanes": 16},
    "just a power of two": {"max_length": 16, "lanes": 3},
    "output UQ(1, 15)": {"output": UQ(1, 15)},
    "output UQ(2, 10)": {"output": UQ(2, 10)},
    "output UQ(0, 2)": {"output": UQ(0, 2)},
    "output UQ(0, 24)": {"output": UQ(0, 24)},
    "input of 24 bits": {"input": SQ(5, 19), "output": UQ(0, 16)},
    "input of 24 bits, narrow output": {"input": SQ(5, 19)},
    "input of 24 whole bits": {"input": SQ(24, 0), "range": 100.0, "clip": "difference"},
    "widest difference": {"input": SQ(4, 4), "range": 8.0, "clip": "difference"},
    "steep": {"scale": 8.0},
    "very steep": {"scale": 2.0**40},
    "flat": {"scale": 0.01},
    "nearly constant": {"scale": 2.0**-40},
    "short range": {"range": 0.5},
    "one LSB of range": {"range": 0.125},
    "narrowest widths": {
        "output": UQ(0, 2), "mantissa_bits": 4, "exp_bits": 4, "sum_fraction": 4,
        "reciprocal_bits": 4, "reciprocal_index": 1, "reciprocal_step": 1,
    },
    "widest widths": {
        "mantissa_bits": 28, "exp_split": (4, 4), "exp_bits": 56, "sum_fraction": 46,
        "reciprocal_bits": 28, "reciprocal_index": 12, "reciprocal_step": 16,
    },
    "reciprocal finer than the sum": {
        "sum_fraction": 10, "reciprocal_index": 12, "reciprocal_step": 16
    },
    "reciprocal of flat segments": {
        "output": UQ(0, 2), "reciprocal_bits": 4, "reciprocal_index": 12, "reciprocal_step": 1
    },
    "a table for every bit": {"exp_split": (1,) * 7, "mantissa_bits": 12},
}  # fmt: skip


UNCLIPPED = {"input": SQ(8, 3), "clip": "difference"}
"""Of more powers of 2 than an integer holds."""
EXACT_EXTREMES = {
    "one element": {"max_length": 1, "lanes": 1},
    "more lanes than elements": {"max_length": 3, "lanes": 8},
    "one element of many lanes": {"max_length": 1, "lanes": 5},
    "length of no power of two": {"max_length": 1000, "lanes": 16},
    "one limb": {"scale": 0.01},
    "nearly constant": {"scale": 2.0**-40},
    "steep": {"scale": 1.7},
    "four limbs": {"scale": 1.3, "exp_split": (4, 4)},
    "two tables": {"exp_split": (4, 4)},
    "three tables": {"exp_split": (3, 3, 2)},
    "a table for every bit": {"exp_split": (1,) * 8, "mantissa_bits": 12, "scale": 0.3},
    "odd range": {"range": 9.875, "exp_split": (4, 4)},
    "range a power of two": {"range": 8.0, "exp_split": (5, 3)},
    "short range": {"range": 0.5},
    "one LSB of range": {"range": 0.125},
    "one LSB of range, two tables": {"range": 0.125, "exp_split": (1, 1)},
    "range of every code": {"range": 15.875, "exp_split": (4, 4)},
    "output UQ(1, 15)": {"output": UQ(1, 15)},
    "output UQ(2, 10)": {"output": UQ(2, 10)},
    "output UQ(0, 2)": {"output": UQ(0, 2)},
    "output UQ(0, 24)": {"output": UQ(0, 24)},
    "input of 24 bits": {"input": SQ(5, 19), "output": UQ(0, 16)},
    "narrowest mantissa": {"output": UQ(0, 2), "mantissa_bits": 4, "reciprocal_bits": 4},
    "mantissa that loses leading bits": {"exp_split": (1, 7), "scale": 0.3},
    "wide mantissa": {"mantissa_bits": 28, "exp_split": (4, 4), "exp_bits": 40},
    "reciprocal finer than the sum": {
        "scale": 0.1, "reciprocal_index": 12, "reciprocal_step": 16
    },
    "reciprocal of flat segments": {
        "output": UQ(0, 2), "reciprocal_bits": 4, "reciprocal_index": 12, "reciprocal_step": 1
    },
    "window": UNCLIPPED,
    "window, 16 bits": UNCLIPPED | {"input": SQ(8, 8), "output": UQ(0, 16)},
    "window, 512": UNCLIPPED | {"input": SQ(10, 4), "lanes": 3},
    "window, clipped": {"input": SQ(7, 4), "range": 30.0},
    "window, steep": {"scale": 3.3, "lanes": 1},
    "window, one element": UNCLIPPED | {"max_length": 1, "lanes": 5},
    "window, many lanes": UNCLIPPED | {"max_length": 1000, "lanes": 16},
    "window, leading bits lost": UNCLIPPED | {"exp_split": (6, 5)},
    "window, wide mantissa": UNCLIPPED | {"mantissa_bits": 28, "output": UQ(0, 20)},
    "window, log": UNCLIPPED | {"function": "log_softmax", "output": SQ(10, 5)},
    "log": {"function": "log_softmax", "output": SQ(6, 5)},
    "log, two tables": {"function": "log_softmax", "output": SQ(6, 10), "exp_split": (4, 4)},
    "log, flat": {"function": "log_softmax", "output": SQ(6, 10), "scale": 0.01},
    "log, one element": {"function": "log_softmax", "output": SQ(6, 5), "max_length": 1},
}  # fmt: skip
LOG_EXTREMES = {
    "log": {"function": "log_softmax", "output": SQ(6, 5)},
    "log, difference": {"function": "log_softmax", "output": SQ(6, 10), "clip": "difference"},
    "log, steep": {"function": "log_softmax", "output": SQ(9, 8), "scale": 10},
    "log, one element": {"function": "log_softmax", "output": SQ(6, 5), "max_length": 1},
}


def extreme_rows(config: SoftmaxConfig) -> list[Row]:
    """Rows of every length, and those with the largest and the smallest sum."""
    longest = config.max_length
    rows = random_rows(config, [longest, *np.tile(np.arange(1, min(longest, 13) + 1), 4), longest])
    nobody = np.zeros(longest, bool)
    for x in (config.input.max_code, config.input.min_code, 0):
        rows.append(Row(np.full(longest, x), nobody))
        rows.append(Row(np.full(longest, x), np.arange(longest) > 0))
    return rows


@pytest.mark.parametrize(
    "changes", [*EXTREMES.values(), *LOG_EXTREMES.values()], ids=[*EXTREMES, *LOG_EXTREMES]
)
def test_extreme_configurations_give_goldens_bits(changes):
    config = SMALL.replace(**changes)
    check(config, extreme_rows(config), Pace(0.2, 0.2))


@pytest.mark.parametrize("changes", EXACT_EXTREMES.values(), ids=EXACT_EXTREMES)
def test_extreme_configurations_with_an_exact_sum_give_goldens_bits(changes):
    config = EXACT.replace(**changes)
    check(config, extreme_rows(config), Pace(0.2, 0.2))


@pytest.mark.parametrize("function", ["softmax", "log_softmax"])
@pytest.mark.parametrize("lanes", [1, 3, 4])
@pytest.mark.parametrize("changes", [{"input": SQ(5, 8)}, UNCLIPPED], ids=["whole", "window"])
def test_an_exact_sum_does_not_depend_on_the_order_of_the_elements(lanes, function, changes):
    config = EXACT.replace(lanes=lanes, max_length=40, output=UQ(0, 16), **changes)
    if function == "log_softmax":
        config = config.replace(function=function, output=SQ(10, 6))
    rng, first = np.random.default_rng(70), random_rows(config, [40, 7, 39, 2, 33] * 3)
    rows, orders = [], []
    for row in first:
        order = rng.permutation(len(row.x))
        orders += [np.arange(len(row.x)), order]
        rows += [row, Row(row.x[order], row.mask[order])]
    beats = input_beats(rows, config)
    gate = run(config, beats, len(beats))
    answers, elements = [], []
    for beat in gate:
        elements += beat["p"]
        if beat["last"]:
            answers.append(elements)
            elements = []
    for place in range(0, len(rows), 2):
        straight, other = (np.array(answers[place + j])[: len(orders[place])] for j in (0, 1))
        np.testing.assert_array_equal(straight[orders[place + 1]], other)


@every_pace
@pytest.mark.parametrize("lanes", [1, 4])
@every_datapath
def test_a_beat_without_elements_may_end_a_row_or_be_all_of_it(small, lanes, pace):
    config = small.replace(lanes=lanes)
    rows = random_rows(config, [lanes, 0, 3, 2 * lanes, 0, 0, 1, 12])
    check(config, [replace(row, null_beat=len(row.x) % lanes == 0) for row in rows], pace)


# The time


def handshakes(config: SoftmaxConfig, beats: list[dict], pace: Pace = STEADY) -> list[tuple]:
    """(i.valid, i.ready, o.valid, o.ready) of each cycle from reset to the last beat out."""
    dut, history, done = Softmax(config=config), [], []

    async def source(ctx):
        await stream_put(ctx, dut.i, beats, pauses=pace.pauses)

    async def sink(ctx):
        done.extend(await stream_get(ctx, dut.o, len(beats), pressure=pace.pressure))

    async def monitor(ctx):
        while len(done) < len(beats):
            _, _, *signals = await ctx.tick().sample(
                dut.i.valid, dut.i.ready, dut.o.valid, dut.o.ready
            )
            history.append(tuple(signals))

    simulate(dut, source, sink, monitor)
    return history


def cycles_of(history: list[tuple], valid: int, ready: int) -> list[int]:
    """The cycles in which a beat goes over."""
    return [cycle for cycle, seen in enumerate(history) if seen[valid] and seen[ready]]


@pytest.mark.parametrize("length", [1, 4, 5, 13])
@pytest.mark.parametrize("lanes", [1, 3, 8, 16])
@pytest.mark.parametrize(
    ("datapath", "split"),
    [
        ("max_subtract", (7,)),
        ("max_subtract", (4, 3)),
        ("max_subtract", (3, 2, 2)),
        ("exact_sum", (8,)),
        ("exact_sum", (4, 4)),
    ],
    ids=str,
)
def test_latency_is_what_the_unit_says(datapath, split, lanes, length):
    config = SMALL.replace(lanes=lanes, exp_split=split, datapath=datapath)
    history = handshakes(config, input_beats(random_rows(config, [length]), config))
    went_in, came_out = cycles_of(history, 0, 1), cycles_of(history, 2, 3)
    expected = latency(config)
    assert came_out[0] - went_in[-1] == expected.fixed + expected.per_beat * len(went_in)


@pytest.mark.parametrize(
    ("lanes", "length"),
    [*product([1, 4], [1, 2, 5, 16, 31, 64]), (8, 1), (8, 10), (8, 64)],
    ids=str,
)
@every_datapath
def test_rows_back_to_back_pass_at_one_beat_per_cycle(small, lanes, length):
    config = small.replace(lanes=lanes, max_length=64)
    rows = random_rows(config, [length] * (400 // -(-length // lanes)))
    history = handshakes(config, input_beats(rows, config))
    for cycles in (cycles_of(history, 0, 1), cycles_of(history, 2, 3)):
        assert cycles == list(range(cycles[0], cycles[0] + len(cycles)))


@every_pace
@every_datapath
def test_no_cycle_depends_on_the_values(small, pace):
    lengths = lengths_of(small, 2)
    equal = [Row(np.zeros(n, np.int64), np.zeros(n, bool)) for n in lengths]
    masked = [Row(np.full(n, small.input.min_code), np.ones(n, bool)) for n in lengths]
    rows = input_beats(random_rows(small, lengths), small)
    broken = [beat | {"present": beat["present"] & ~1} for beat in rows]
    first, *others = (
        handshakes(small, beats, pace)
        for beats in (rows, input_beats(equal, small), input_beats(masked, small), broken)
    )
    assert all(history == first for history in others)


# Rows in error

CONTAINERS = {
    "one byte": SMALL,
    "two bytes, one lane": SMALL.replace(input=SQ(5, 5), lanes=1, max_length=5),
    "three bytes, lanes for every row": SMALL.replace(
        input=SQ(8, 9), lanes=3, max_length=3, clip="difference"
    ),
    "exact sum": EXACT.replace(input=SQ(5, 5), lanes=3),
}


@pytest.mark.parametrize("pace", [STEADY, Pace(0.3, 0.6)], ids=str)
@pytest.mark.parametrize("fault", faults_of(SMALL.replace(input=SQ(5, 5))))
@every_datapath
def test_a_row_in_error_has_no_probabilities_and_the_rows_beside_it_have_goldens_bits(
    small, fault, pace
):
    config = small.replace(input=SQ(5, 5), id_width=3)
    beats, gold = mixed_traffic(config, [fault] * (2 if fault == "50 times too long" else 6))
    assert run(config, beats, len(gold), pace) == gold


@every_pace
@pytest.mark.parametrize("config", CONTAINERS.values(), ids=CONTAINERS)
def test_rows_with_every_fault_among_good_rows(config, pace):
    faults = np.random.default_rng(25).permutation(faults_of(config) * 2).tolist()
    beats, gold = mixed_traffic(config, faults)
    assert run(config, beats, len(gold), pace) == gold


@every_pace
@pytest.mark.parametrize("lanes", [1, 3, 4])
@every_datapath
def test_rows_without_any_order_are_answered_as_golden_does(small, lanes, pace):
    config = small.replace(input=SQ(5, 5), lanes=lanes, max_length=11, id_width=2)
    stream = random_stream(config, 35, seed=26)
    gold = stream.answer(config)
    assert run(config, stream.beats(config), len(gold), pace) == gold


@pytest.mark.parametrize("config", CONTAINERS.values(), ids=CONTAINERS)
def test_a_row_without_an_end_leaves_cut_and_the_rest_of_it_goes_nowhere(config):
    before = random_rows(config, [3, config.max_length])
    endless = broken_row("50 times too long", config, np.random.default_rng(27))
    for beat in endless:
        beat["last"] = 0
    gold = output_beats(before, config) + error_beats(endless, config)
    assert run(config, input_beats(before, config) + endless, len(gold)) == gold


@pytest.mark.parametrize("config", CONTAINERS.values(), ids=CONTAINERS)
@pytest.mark.parametrize("swallowed", [0, 1, 40])
def test_a_reset_ends_a_row_without_an_end(swallowed, config):
    endless = broken_row("50 times too long", config, np.random.default_rng(28))
    endless = [beat | {"last": 0} for beat in endless[: config.max_beats + swallowed]]
    rows = random_rows(config, [config.max_length, 1, 3])
    beats, gold = input_beats(rows, config), output_beats(rows, config)
    dut, reset, taken = Softmax(config=config), Signal(), []

    async def testbench(ctx):
        await stream_put(ctx, dut.i, endless)
        ctx.set(reset, 1)
        await ctx.tick()
        ctx.set(reset, 0)
        await stream_put(ctx, dut.i, beats)
        taken.extend(await stream_get(ctx, dut.o, len(gold)))

    simulate(ResetInserter(reset)(dut), testbench)
    assert [as_beat(payload) for payload in taken] == gold


@pytest.mark.parametrize("config", CONTAINERS.values(), ids=CONTAINERS)
def test_swallowed_beats_go_in_at_one_a_cycle_while_the_output_is_blocked(config):
    rng = np.random.default_rng(29)
    rows = random_rows(config, [config.max_length, 2, 1])
    endless = [broken_row("50 times too long", config, rng) for _ in range(4)]
    beats, gold = input_beats(rows, config), output_beats(rows, config)
    for row in endless:
        beats, gold = beats + row, gold + error_beats(row, config)
    beats, gold = beats + input_beats(rows, config), gold + output_beats(rows, config)
    dut, ready, taken = Softmax(config=config), [], []

    async def testbench(ctx):
        await ctx.tick()  # reset makes nothing available before the credits were counted
        for beat in beats:
            ctx.set(dut.i.payload, beat)
            ctx.set(dut.i.valid, 1)
            *_, accepted = await ctx.tick().sample(dut.i.ready)
            ready.append(accepted)
        ctx.set(dut.i.valid, 0)
        taken.extend(await stream_get(ctx, dut.o, len(gold)))

    simulate(dut, testbench)
    assert all(ready), "the unit is never full"
    assert [as_beat(payload) for payload in taken] == gold


# The id


@every_pace
@pytest.mark.parametrize(
    ("small", "id_width"),
    [(SMALL, 1), (SMALL, 32), (EXACT, 4)],
    ids=lambda v: getattr(v, "datapath", None),
)
def test_the_id_travels_with_its_row(small, id_width, pace):
    config = small.replace(id_width=id_width)
    rows = random_rows(config, lengths_of(config, 3))
    assert len({row.ident for row in rows}) > 1
    check(config, rows, pace)


@pytest.mark.parametrize("pace", [STEADY, Pace(0.3, 0.6)], ids=str)
@every_datapath
def test_the_id_is_that_of_the_beat_with_which_the_row_leaves(small, pace):
    config = small.replace(id_width=4)  # four beats of 13 elements
    rows = random_rows(config, [13, 1, 5, 8, 13])
    beats = input_beats(rows, config)
    ends = [place for place, beat in enumerate(beats) if beat["last"]]
    full = {"x": [0] * 4, "mask": 0, "present": 15, "broken": 0, "last": 0}
    beats += [dict(full) for _ in range(7)]  # cut after four of them
    beats[-1]["last"] = 1
    for number, beat in enumerate(beats):
        beat["id"] = number * 7 % 16
    rows = [replace(row, ident=beats[end]["id"]) for row, end in zip(rows, ends, strict=True)]
    cut = error_beats(beats[-7:], config)
    assert [beat["id"] for beat in cut] == [beats[-4]["id"]] * 4
    gold = output_beats(rows, config) + cut
    assert run(config, beats, len(gold), pace) == gold


# Trouble


@pytest.mark.parametrize(
    ("lengths", "least"),
    [([1, 4, 2, 3] * 80, 64), ([64] * 30, 2), ([64, 1, 3, 64, 5] * 40, 5)],
    ids=["one-beat rows", "longest rows", "mixed rows"],
)
@every_datapath
def test_nothing_is_lost_where_the_output_is_blocked_until_the_unit_is_full(small, lengths, least):
    config = small.replace(lanes=4, max_length=64)
    rows = random_rows(config, lengths)
    beats, gold = input_beats(rows, config), output_beats(rows, config)
    dut, taken, accepted = Softmax(config=config), [], []

    async def source(ctx):
        for beat in beats:
            await stream_put(ctx, dut.i, [beat])
            accepted.append(beat["last"])

    async def sink(ctx):
        for _ in range(1000):
            await ctx.tick()
        assert not ctx.get(dut.i.ready), "the unit is full"
        assert sum(accepted) >= least, "rows that it holds"
        taken.extend(await stream_get(ctx, dut.o, len(beats)))

    simulate(dut, source, sink)
    assert [as_beat(payload) for payload in taken] == gold


@pytest.mark.parametrize(("lanes", "max_length"), [(1, 1), (3, 1000), (8, 1024), (4, 13), (8, 65)])
@every_datapath
def test_no_memory_has_room_for_more_than_the_longest_row_and_64_beats(small, lanes, max_length):
    asked = []

    class Asked(Target):
        """Notes the memories that a unit is built of."""

        def two_port(self, *, width, depth):
            asked.append(depth)
            return super().two_port(width=width, depth=depth)

    config = small.replace(lanes=lanes, max_length=max_length)
    Simulator(Softmax(config=config, target=Asked()))
    beats = [depth for depth in asked if depth != ROWS]
    assert asked
    assert max(beats) <= -(-max_length // lanes) + 64
    assert ROWS <= 80


@pytest.mark.parametrize("burst", [1, 40], ids="{} beats at a time".format)
@pytest.mark.parametrize("pauses", [0.0, 0.5], ids="pauses {:.0%}".format)
@pytest.mark.parametrize("kind", ["one-beat rows", "null and broken rows", "longest rows"])
@every_datapath
def test_nothing_is_lost_where_a_full_unit_is_read_in_bursts(small, kind, pauses, burst):
    config = small.replace(lanes=2, max_length=13, id_width=8)
    lengths = {"one-beat rows": [1, 2] * 100, "longest rows": [13] * 40}.get(kind, [0, 1, 2, 0])
    rows = [replace(row, ident=n % 256) for n, row in enumerate(random_rows(config, lengths))]
    beats, gold = input_beats(rows, config), output_beats(rows, config)
    if kind == "null and broken rows":
        hole = beats[2] | {"present": 2}
        beats = [*beats, hole] * 40
        gold = (gold + error_beats([hole], config)) * 40
    dut, taken = Softmax(config=config), []

    async def source(ctx):
        await stream_put(ctx, dut.i, beats, pauses=pauses)

    async def sink(ctx):
        for wait in (400, *[burst + 10] * (len(gold) // burst)):
            for _ in range(wait):
                await ctx.tick()
            if wait == 400:
                assert not ctx.get(dut.i.ready), "the unit is full"
            taken.extend(await stream_get(ctx, dut.o, min(burst, len(gold) - len(taken))))
        taken.extend(await stream_get(ctx, dut.o, len(gold) - len(taken)))

    simulate(dut, source, sink)
    assert [as_beat(payload) for payload in taken] == gold


@pytest.mark.parametrize("length", [2, 5, 13], ids="rows of {}".format)
@pytest.mark.parametrize("cycle", range(1, 74, 3))
@every_datapath
def test_rows_after_a_reset_in_the_middle_of_a_row_give_goldens_bits(small, cycle, length):
    config = small.replace(lanes=2)
    before = random_rows(config, [length] * 80, seed=23)
    rows = random_rows(config, [3, 13, 1, 8])
    beats, gold = input_beats(rows, config), output_beats(rows, config)
    dut, reset, taken = Softmax(config=config), Signal(), []

    async def source(ctx):
        ctx.set(dut.o.ready, cycle % 2)
        ctx.set(dut.i.valid, 1)
        coming = iter(input_beats(before, config))
        for _ in range(cycle):
            if ctx.get(dut.i.ready):
                ctx.set(dut.i.payload, next(coming))
            await ctx.tick()
        ctx.set(reset, 1)
        await ctx.tick()
        ctx.set(reset, 0)
        ctx.set(dut.i.valid, 0)
        ctx.set(dut.o.ready, 0)
        assert not ctx.get(dut.o.valid)
        await stream_put(ctx, dut.i, beats)

    async def sink(ctx):
        for _ in range(cycle + 1):
            await ctx.tick()
        taken.extend(await stream_get(ctx, dut.o, len(beats)))

    simulate(ResetInserter(reset)(dut), source, sink, limit=2000)
    assert [as_beat(payload) for payload in taken] == gold
