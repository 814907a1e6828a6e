"""Beats leave in order, once, each beside the scalar of its own row."""

import random
from collections import deque
from dataclasses import dataclass, field

import pytest

from softmaxfx.hdl.row_buffer import RowBuffer

from .streams import simulate


@dataclass
class Run:
    """A run of a row buffer: who drives it obeys its credits, as the docstring asks.

    Attributes:
        gaps, refusals: share of the cycles without a beat in, or without ``read``.
        delay: cycles from a row's last beat to its scalar, at the earliest.
        late: share of the cycles in which a scalar that is due waits on.
    """

    depth: int
    rows: int
    lengths: list[int]
    gaps: float = 0.0
    refusals: float = 0.0
    delay: int = 1
    late: float = 0.0
    sent: list[tuple] = field(default_factory=list)
    taken: list[tuple] = field(default_factory=list)
    reading: list[int] = field(default_factory=list)
    leaving: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rng = random.Random(30)
        for row, length in enumerate(self.lengths):
            self.sent += [(len(self.sent) + n, n == length - 1, row) for n in range(length)]

    async def drive(self, ctx) -> None:
        coming, due = deque(self.sent), deque()
        places, rows, cycle = self.depth, self.rows, 0
        while len(self.taken) < len(self.sent):
            beat = None
            if coming and places and rows and self.rng.random() >= self.gaps:
                beat = number, last, row = coming.popleft()
                ctx.set(self.dut.i, number)
                ctx.set(self.dut.i_last, last)
                places -= 1
                if last:
                    rows -= 1
                    due.append((cycle + self.delay, row))
            scalar = bool(due) and cycle >= due[0][0] and self.rng.random() >= self.late
            if scalar:
                ctx.set(self.dut.i_scalar, scalar_of(due.popleft()[1]))
            ctx.set(self.dut.i_valid, beat is not None)
            ctx.set(self.dut.i_scalar_valid, scalar)
            ctx.set(self.dut.read, self.rng.random() >= self.refusals)
            if ctx.get(self.dut.reading):
                self.reading.append(cycle)
                places += 1
            if ctx.get(self.dut.o_valid):
                last = bool(ctx.get(self.dut.o_last))
                self.taken.append((ctx.get(self.dut.o), last, ctx.get(self.dut.o_scalar)))
                self.leaving.append(cycle)
                rows += last
            await ctx.tick()
            cycle += 1

    def run(self) -> "Run":
        self.dut = RowBuffer(beat=16, scalar=8, depth=self.depth, rows=self.rows)
        simulate(self.dut, self.drive)
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


@pytest.mark.parametrize(("depth", "rows"), [(2, 2), (5, 2), (7, 4), (8, 8), (12, 3)])
@pytest.mark.parametrize(
    "habits",
    [
        {},
        {"gaps": 0.5},
        {"refusals": 0.6},
        {"gaps": 0.3, "refusals": 0.3},
        {"late": 0.8},
        {"delay": 7, "refusals": 0.5},
        {"gaps": 0.2, "refusals": 0.2, "late": 0.5, "delay": 3},
    ],
    ids=str,
)
def test_no_beat_is_lost_doubled_or_reordered_and_each_leaves_beside_its_rows_scalar(
    depth, rows, habits
):
    run = Run(depth, rows, random_lengths(depth, 40), **habits).run()
    assert run.taken == run.gold


@pytest.mark.parametrize("habits", [{}, {"gaps": 0.5}, {"refusals": 0.5}], ids=str)
def test_a_beat_comes_out_three_cycles_after_it_was_read(habits):
    run = Run(9, 4, random_lengths(9, 20), **habits).run()
    assert run.leaving == [cycle + RowBuffer.latency for cycle in run.reading[: len(run.leaving)]]
    assert RowBuffer.latency == 3


@pytest.mark.parametrize("length", [1, 2, 5, 16])
def test_rows_back_to_back_pass_at_one_beat_per_cycle(length):
    delay = 8
    run = Run(length + delay + 4, 32, [length] * 20, delay=delay).run()
    first = run.leaving[0]
    assert run.taken == run.gold
    assert run.leaving == list(range(first, first + len(run.gold)))
