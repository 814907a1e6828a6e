"""The whole unit: the bits of golden for every row, at any pace, and in a known time."""

from math import ceil, log2

import numpy as np
import pytest
from amaranth.hdl import ResetInserter, Signal

from softmaxfx.golden import SQ, UQ, SoftmaxConfig, preset
from softmaxfx.golden.exp import exp_table
from softmaxfx.hdl.exp import Exp
from softmaxfx.hdl.row_buffer import RowBuffer
from softmaxfx.hdl.softmax import ROWS, Softmax

from .rows import Row, as_beat, input_beats, output_beats, random_rows
from .streams import Pace, every_pace, simulate, stream_get, stream_put

SMALL = SoftmaxConfig(input=SQ(5, 3), output=UQ(0, 8), lanes=4, max_length=13)


def run(config: SoftmaxConfig, rows: list[Row], pace: Pace = Pace()) -> list[dict]:  # noqa: B008
    """The beats that the unit answers with."""
    dut, taken = Softmax(config=config), []
    beats = input_beats(rows, config.lanes)

    async def source(ctx):
        await stream_put(ctx, dut.i, beats, pauses=pace.pauses)

    async def sink(ctx):
        taken.extend(await stream_get(ctx, dut.o, len(beats), pressure=pace.pressure))

    simulate(dut, source, sink)
    return [as_beat(payload) for payload in taken]


def check(config: SoftmaxConfig, rows: list[Row], pace: Pace = Pace()) -> None:  # noqa: B008
    assert run(config, rows, pace) == output_beats(rows, config)


def lengths_of(config: SoftmaxConfig, times: int) -> list[int]:
    """Every length from 1 to the longest, a number of times, in a random order."""
    every = np.tile(np.arange(1, config.max_length + 1), times)
    return np.random.default_rng(22).permutation(every).tolist()


# The bits


@every_pace
@pytest.mark.parametrize("lanes", [1, 2, 3, 4])
@pytest.mark.parametrize("clip", ["input", "difference"])
def test_rows_of_every_length_give_goldens_bits(clip, lanes, pace):
    config = SMALL.replace(clip=clip, lanes=lanes)
    check(config, random_rows(config, lengths_of(config, 3)), pace)


@pytest.mark.parametrize("name", ["base", "int8", "wide", "tiny"])
def test_presets_give_goldens_bits_up_to_the_longest_row(name):
    config = preset(name)
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


@pytest.mark.parametrize("changes", EXTREMES.values(), ids=EXTREMES)
def test_extreme_configurations_give_goldens_bits(changes):
    config = SMALL.replace(**changes)
    longest = config.max_length
    rows = random_rows(config, [longest, *np.tile(np.arange(1, min(longest, 13) + 1), 4), longest])
    ones = np.zeros(longest, np.int64)
    rows.append(Row(ones, ones.astype(bool)))  # the largest sum
    check(config, rows, Pace(0.2, 0.2))


def test_a_beat_without_elements_may_end_a_row():
    config = SMALL.replace(lanes=2)
    row = random_rows(config, [4])[0]
    beats, gold = input_beats([row], 2), output_beats([row], config)
    for row_beats, empty in (
        (beats, {"x": [7, 7], "mask": 0}),
        (gold, {"p": [0, 0], "clipped": 0}),
    ):
        row_beats[-1]["last"] = 0
        row_beats.append(empty | {"keep": 0, "last": 1})
    dut, taken = Softmax(config=config), []

    async def source(ctx):
        await stream_put(ctx, dut.i, beats)

    async def sink(ctx):
        taken.extend(await stream_get(ctx, dut.o, len(gold)))

    simulate(dut, source, sink)
    assert [as_beat(payload) for payload in taken] == gold


# The time


def latency_of(config: SoftmaxConfig, beats: int) -> int:
    """Cycles from a row's last beat in to its first beat out: the stages', one after another.

    The first pass goes on while a row comes in; the second one starts with its last beat.
    """
    tree = ceil(log2(config.lanes))
    maximum, total = 1 + tree + 1, 3 + tree
    exp = 2 + Exp.latency_of(exp_table(config))
    frame, buffer, reciprocal, normalize, output = 1, 1 + RowBuffer.latency, 8, 6, 2
    first_pass = frame + maximum
    second_pass = buffer + (beats - 1) + exp + total + reciprocal
    return first_pass + second_pass + buffer + normalize + output


def handshakes(config: SoftmaxConfig, rows: list[Row], pace: Pace = Pace()) -> list[tuple]:  # noqa: B008
    """(i.valid, i.ready, o.valid, o.ready) of each cycle from reset to the last beat out."""
    dut, history = Softmax(config=config), []
    beats, done = input_beats(rows, config.lanes), []

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
@pytest.mark.parametrize("lanes", [1, 2, 3, 4, 8])
@pytest.mark.parametrize("split", [(7,), (4, 3), (3, 2, 2)], ids=str)
def test_latency_is_that_of_the_stages_and_one_cycle_for_every_beat(split, lanes, length):
    config = SMALL.replace(lanes=lanes, exp_split=split)
    history = handshakes(config, random_rows(config, [length]))
    went_in, came_out = cycles_of(history, 0, 1), cycles_of(history, 2, 3)
    assert came_out[0] - went_in[-1] == latency_of(config, beats=len(went_in))


@pytest.mark.parametrize("length", [1, 2, 5, 16, 31, 64])
@pytest.mark.parametrize("lanes", [1, 4])
def test_rows_back_to_back_pass_at_one_beat_per_cycle(lanes, length):
    config = SMALL.replace(lanes=lanes, max_length=64)
    rows = random_rows(config, [length] * (400 // -(-length // lanes)))
    history = handshakes(config, rows)
    for cycles in (cycles_of(history, 0, 1), cycles_of(history, 2, 3)):
        assert cycles == list(range(cycles[0], cycles[0] + len(cycles)))


@every_pace
def test_no_cycle_depends_on_the_values(pace):
    lengths = lengths_of(SMALL, 2)
    equal = [Row(np.zeros(n, np.int64), np.zeros(n, bool)) for n in lengths]
    masked = [Row(np.full(n, SMALL.input.min_code), np.ones(n, bool)) for n in lengths]
    first, *others = (
        handshakes(SMALL, rows, pace) for rows in (random_rows(SMALL, lengths), equal, masked)
    )
    assert all(history == first for history in others)


# Trouble


@pytest.mark.parametrize(
    ("lengths", "least"),
    [([1, 4, 2, 3] * 80, ROWS - 2), ([64] * 30, 2), ([64, 1, 3, 64, 5] * 40, 5)],
    ids=["one-beat rows", "longest rows", "mixed rows"],
)
def test_nothing_is_lost_where_the_output_is_blocked_until_the_unit_is_full(lengths, least):
    config = SMALL.replace(lanes=4, max_length=64)
    rows = random_rows(config, lengths)
    beats, gold = input_beats(rows, config.lanes), output_beats(rows, config)
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


@pytest.mark.parametrize("cycle", [*range(1, 12), *range(12, 80, 5)])
def test_rows_after_a_reset_in_the_middle_of_a_row_give_goldens_bits(cycle):
    config = SMALL.replace(lanes=2)
    before, rows = random_rows(config, [13] * 20, seed=23), random_rows(config, [3, 13, 1, 8] * 3)
    beats, gold = input_beats(rows, 2), output_beats(rows, config)
    dut, reset, taken = Softmax(config=config), Signal(), []

    async def source(ctx):
        ctx.set(dut.o.ready, cycle % 2)
        ctx.set(dut.i.valid, 1)
        coming = iter(input_beats(before, 2))
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

    simulate(ResetInserter(reset)(dut), source, sink)
    assert [as_beat(payload) for payload in taken] == gold
