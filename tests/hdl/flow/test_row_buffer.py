"""Beats leave in order, once, each beside the scalar of its own row."""

import random
from collections import deque
from dataclasses import dataclass, field

import pytest
from amaranth.hdl import Elaboratable, Module, ResetInserter, Signal

from softmaxfx.hdl.flow.row_buffer import RowBuffer
from softmaxfx.hdl.flow.row_wait import RowWait

from ..streams import simulate


class Waiting(Elaboratable):
    """A row buffer, and what tells it when a row is complete; has the buffer's members."""

    def __init__(self, *, wait: int, depth: int, rows: int):
        self.buffer = RowBuffer(beat=16, scalar=8, depth=depth, rows=rows)
        self.row_wait = RowWait(wait=wait, depth=depth)

    def __getattr__(self, name: str):
        return getattr(self.buffer, name)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.buffer, m.submodules.row_wait = buffer, row_wait = self.buffer, self.row_wait
        m.d.comb += [
            row_wait.i_valid.eq(buffer.i_valid),
            row_wait.i_last.eq(buffer.i_last),
            buffer.beats.eq(row_wait.beats),
            buffer.complete.eq(row_wait.complete),
        ]
        return m


@dataclass
class Run:
    """A run of a row buffer: who drives it obeys its credits, as the docstring asks.

    Attributes:
        gaps, refusals: share of the cycles without a beat in, or without ``read``.
        wait: cycles from a row's last beat to its scalar.
        reset: cycle of a reset; after it the rows come anew.
        kept: where every beat is kept.
        went_in, reading, leaving: cycles in which a beat comes in, leaves the ring, comes out.
    """

    depth: int
    rows: int
    lengths: list[int]
    gaps: float = 0.0
    refusals: float = 0.0
    wait: int = 1
    reset: int | None = None
    sent: list[tuple] = field(default_factory=list)
    taken: list[tuple] = field(default_factory=list)
    kept: list[int] = field(default_factory=list)
    went_in: list[int] = field(default_factory=list)
    reading: list[int] = field(default_factory=list)
    leaving: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rng = random.Random(30)
        for row, length in enumerate(self.lengths):
            self.sent += [(len(self.sent) + n, n == length - 1, row) for n in range(length)]

    async def drive(self, ctx) -> None:
        dut, rng = self.dut, self.rng
        if self.reset is not None:
            await self._traffic(ctx, deque((n ^ 0x5A5A, *rest) for n, *rest in self.sent))
            # with the reset, inputs still are what they were
            ctx.set(self.reset_signal, 1)
            await ctx.tick()
            ctx.set(self.reset_signal, 0)
            assert not ctx.get(dut.o_valid)
            for cycles in (self.kept, self.went_in, self.reading, self.leaving, self.taken):
                cycles.clear()
        await self._traffic(ctx, deque(self.sent), to_the_end=True)
        ctx.set(dut.i_valid, 0)
        ctx.set(dut.i_last, 0)
        for _ in range(50):
            ctx.set(dut.read, rng.random() < 0.5)
            await ctx.tick()
            assert not ctx.get(dut.o_valid), "a beat came out twice"
            assert not ctx.get(dut.reading)

    async def _traffic(self, ctx, coming: deque, *, to_the_end: bool = False) -> None:
        dut, rng, due = self.dut, self.rng, {}
        places, rows, cycle = self.depth, self.rows, 0
        while len(self.taken) < len(self.sent) if to_the_end else cycle < self.reset:
            valid = bool(coming and places and rows and rng.random() >= self.gaps)
            number, last, row = coming.popleft() if valid else (rng.randrange(1 << 16), False, 0)
            ctx.set(dut.i, number)
            ctx.set(dut.i_last, last)
            ctx.set(dut.i_valid, valid)
            if valid:
                self.went_in.append(cycle)
                places -= 1
            if last:
                rows -= 1
                due[cycle + self.wait] = row
            # in other cycles, anything lies there
            ctx.set(dut.i_scalar, scalar_of(due[cycle]) if cycle in due else rng.randrange(256))
            if valid:
                self.kept.append(ctx.get(dut.place))
            ctx.set(dut.read, rng.random() >= self.refusals)
            if ctx.get(dut.reading):
                self.reading.append(cycle)
                assert ctx.get(dut.reading_place) == self.kept[len(self.reading) - 1]
                places += 1
            if ctx.get(dut.o_valid):
                last = bool(ctx.get(dut.o_last))
                self.taken.append((ctx.get(dut.o), last, ctx.get(dut.o_scalar)))
                self.leaving.append(cycle)
                rows += last
            if not to_the_end and cycle == self.reset - 1:
                return
            await ctx.tick()
            cycle += 1

    def run(self) -> "Run":
        self.dut = Waiting(wait=self.wait, depth=self.depth, rows=self.rows)
        self.reset_signal = Signal()
        dut = self.dut if self.reset is None else ResetInserter(self.reset_signal)(self.dut)
        simulate(dut, self.drive)
        return self

    @property
    def gold(self) -> list[tuple]:
        return [(number, last, scalar_of(row)) for number, last, row in self.sent]


def scalar_of(row: int) -> int:
    """A value for a row's scalar that its neighbours do not have."""
    return (row * 37 + 5) % 256


def random_lengths(depth: int, rows: int) -> list[int]:
    """One-beat rows in flocks, rows of any length, and rows that fill the buffer."""
    rng = random.Random(31)
    lengths = [rng.choice([1, 1, 2, rng.randint(1, depth), depth]) for _ in range(rows)]
    return [1] * 20 + lengths + [depth, depth, 1, depth]


WAITS = [1, 2, RowBuffer.AHEAD - 1, RowBuffer.AHEAD, RowBuffer.AHEAD + 1, 9, 30]


@pytest.mark.parametrize("wait", WAITS, ids="scalar after {}".format)
@pytest.mark.parametrize(("depth", "rows"), [(2, 2), (5, 2), (8, 8), (12, 3), (33, 20)])
@pytest.mark.parametrize(
    "habits",
    [{}, {"gaps": 0.5}, {"refusals": 0.6}, {"gaps": 0.3, "refusals": 0.3}],
    ids=str,
)
def test_no_beat_is_lost_doubled_or_reordered_and_each_leaves_beside_its_rows_scalar(
    depth, rows, habits, wait
):
    run = Run(depth, rows, random_lengths(depth, 20), wait=wait, **habits).run()
    assert run.taken == run.gold


@pytest.mark.parametrize("wait", range(1, 31), ids="scalar after {}".format)
@pytest.mark.parametrize("length", [1, 5])
def test_a_row_starts_to_leave_when_the_buffer_says(length, wait):
    run = Run(9, 4, [length], wait=wait).run()
    assert run.taken == run.gold
    assert run.reading[0] == run.went_in[-1] + RowWait.notice_of(wait)
    assert run.leaving == [cycle + RowBuffer.latency for cycle in run.reading]
    # the scalar has been written, and then read, before it is needed
    assert run.leaving[0] > run.went_in[-1] + wait


@pytest.mark.parametrize("habits", [{}, {"gaps": 0.5}, {"refusals": 0.5}], ids=str)
def test_a_beat_comes_out_a_fixed_time_after_it_was_read(habits):
    run = Run(9, 4, random_lengths(9, 20), wait=4, **habits).run()
    assert run.leaving == [cycle + RowBuffer.latency for cycle in run.reading[: len(run.leaving)]]


@pytest.mark.parametrize("wait", range(1, 31), ids="scalar after {}".format)
@pytest.mark.parametrize("length", [1, 5])
def test_rows_back_to_back_pass_at_one_beat_per_cycle(length, wait):
    depth = length + RowWait.notice_of(wait) + 2
    run = Run(depth, depth + RowBuffer.latency, [length] * (60 // length), wait=wait).run()
    first = run.leaving[0]
    assert run.taken == run.gold
    assert run.leaving == list(range(first, first + len(run.gold)))


@pytest.mark.parametrize("wait", [1, RowBuffer.AHEAD, 12], ids="scalar after {}".format)
@pytest.mark.parametrize("lengths", [[1], [2, 1], [7], [3, 1, 1, 5]], ids=str)
@pytest.mark.parametrize("habits", [{}, {"gaps": 0.3, "refusals": 0.5}], ids=str)
def test_after_a_reset_of_one_cycle_at_any_time_the_next_rows_leave_as_they_came(
    habits, lengths, wait
):
    for cycle in range(1, 36):
        run = Run(9, 5, lengths * 8, wait=wait, reset=cycle, **habits).run()
        assert run.taken == run.gold
