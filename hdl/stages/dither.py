"""Random bits for stochastic rounding, a beat of lanes at a time."""

from amaranth.hdl import Cat, Const, Module, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ...golden.stages.dither import CONSTANT, ROUNDS, WORD, Z0
from ..parts.pipeline import delay, register


class Dither(wiring.Component):
    """The twin of ``golden.stages.dither``; counts the beats and rows itself.

    Latency :meth:`latency` cycles, one beat per cycle.

    Members:
        seed: constant while rows are in flight.
        i_valid, i_last: a beat, the last of its row or not.
        o: random bits of every lane.
    """

    ROUNDS_A_CYCLE = 3
    latency = ROUNDS // ROUNDS_A_CYCLE + 1

    def __init__(self, *, lanes: int, bits: int):
        self._lanes = lanes
        super().__init__(
            {
                "seed": In(2 * WORD),
                "i_valid": In(1),
                "i_last": In(1),
                "o": Out(data.ArrayLayout(bits, lanes)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        row, first = Signal(2 * WORD), Signal(WORD)  # of the beat: its row, its first element
        with m.If(self.i_valid):
            m.d.sync += first.eq(first + self._lanes)
            with m.If(self.i_last):
                m.d.sync += [first.eq(0), row.eq(row + 1)]
        upper = register(m, row[WORD:], name="upper_row")
        y = register(m, row[:WORD], name="lower_row")
        keys: list[Value] = [self.seed[:WORD], self.seed[WORD:], upper, ~upper]
        blocks = [
            (register(m, (first + lane)[:WORD], name=f"element{lane}"), y)
            for lane in range(self._lanes)
        ]
        for start in range(0, ROUNDS, self.ROUNDS_A_CYCLE):
            keys = _extended(keys, start, start + self.ROUNDS_A_CYCLE)
            now, keys = keys[: self.ROUNDS_A_CYCLE], keys[self.ROUNDS_A_CYCLE :]
            for lane, (x, y) in enumerate(blocks):
                for key in now:
                    x, y = y ^ (_rotated(x, 1) & _rotated(x, 8)) ^ _rotated(x, 2) ^ key, x
                blocks[lane] = (
                    register(m, x, name=f"x{start}_{lane}"),
                    register(m, y, name=f"y{start}_{lane}"),
                )
            keys = [delay(m, key, 1, name=f"key{start}_{j}") for j, key in enumerate(keys)]
        for lane, (x, y) in enumerate(blocks):
            m.d.comb += self.o[lane].eq(Cat(y, x))
        return m


def _extended(keys: list[Value], start: int, end: int) -> list[Value]:
    """Round keys from ``start`` on, four at least and up to those that ``end`` needs."""
    keys = list(keys)
    while start + len(keys) < min(end + 4, ROUNDS):
        mixed = _rotated(keys[-1], -3) ^ keys[-3]
        constant = Const(CONSTANT ^ int(Z0[start + len(keys) - 4]), WORD)
        keys.append(keys[-4] ^ mixed ^ _rotated(mixed, -1) ^ constant)
    return keys


def _rotated(word: Value, places: int) -> Value:
    """A word rotated left."""
    return word.rotate_left(places)
