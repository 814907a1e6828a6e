"""Registers of a pipeline that never stalls.

Every stage is a fixed-latency pipeline that accepts a beat each cycle; back-pressure is kept out of
it by credits (:mod:`.credits`). What travels beside a stage is delayed by the stage's latency.
"""

from collections.abc import Callable, Sequence

from amaranth.hdl import Module, Mux, Shape, Signal, Value, ValueLike


def register(
    m: Module, value: ValueLike, *, name: str, reset: bool = False, init: int = 0
) -> Signal:
    """``value`` one cycle later. Data needs no reset: a valid bit, which has one, qualifies it."""
    value = Value.cast(value)
    stage = Signal(Shape.cast(value.shape()), name=name, reset_less=not reset, init=init)
    m.d.sync += stage.eq(value)
    return stage


def delay(
    m: Module, value: ValueLike, cycles: int, *, name: str, reset: bool = False, init: int = 0
) -> Value:
    """``value`` a number of cycles later; 0 cycles is ``value`` itself."""
    delayed = Value.cast(value)
    for cycle in range(cycles):
        delayed = register(m, delayed, name=f"{name}_{cycle + 1}", reset=reset, init=init)
    return delayed


def tree(
    m: Module, values: Sequence[Value], join: Callable[[Value, Value], Value], *, name: str
) -> Value:
    """Values joined in pairs until one is left; ``ceil(log2(values))`` cycles later."""
    level, depth = list(values), 0
    while len(level) > 1:
        pairs = [level[i : i + 2] for i in range(0, len(level), 2)]
        level = [
            register(m, join(*pair) if len(pair) == 2 else pair[0], name=f"{name}{depth}_{i}")
            for i, pair in enumerate(pairs)
        ]
        depth += 1
    return level[0]


def largest_of(m: Module, values: Sequence[Value], *, reset: bool = False) -> Value:
    """The largest of unsigned values, compared in one cycle and chosen in the next, pair by pair;
    ``2 * ceil(log2(values))`` cycles later."""
    values = list(values)
    while len(values) > 1:
        pairs = list(zip(values[::2], values[1::2], strict=False))
        odd = values[2 * len(pairs) :]
        chosen = []
        for a, b in pairs:
            less = register(m, a < b, name="less", reset=reset)
            a, b = (register(m, value, name="compared", reset=reset) for value in (a, b))
            chosen.append(register(m, Mux(less, b, a), name="larger", reset=reset))
        values = chosen + [delay(m, value, 2, name="odd", reset=reset) for value in odd]
    return values[0]
