"""What the tests of the hardware share: drive a stage every cycle, or a stream with pauses."""

import random
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from amaranth.hdl import Elaboratable, ResetInserter, Signal
from amaranth.lib import data
from amaranth.sim import Simulator, SimulatorContext

from softmaxfx.golden.stages.window import LIMB_BITS, WindowSum
from softmaxfx.hdl.stages.row_scalar import RowScalar, SumFunctions
from softmaxfx.hdl.targets.generic import GENERIC, Target

PERIOD = 1e-6
"""Clock period of a simulation, in seconds."""

Testbench = Callable[[SimulatorContext], Awaitable[None]]


def simulate(dut: Elaboratable, *testbenches: Testbench, limit: int = 100_000) -> None:
    """Run testbenches until all of them end; one that hangs for ``limit`` cycles is a failure."""

    sim = Simulator(dut)
    sim.add_clock(PERIOD)
    for testbench in testbenches:
        sim.add_testbench(testbench)
    for _ in range(2 * limit):  # a step is one edge of the clock
        if not sim.advance():
            return
    pytest.fail(f"still waiting after {limit} cycles")


# Stages: every cycle is one set of inputs


def trace(dut: Any, stimulus: Iterable[Mapping[str, Any]], outputs: Sequence[str]) -> list[tuple]:
    """Apply one set of inputs a cycle; the outputs seen in that same cycle, as plain numbers.

    A member that a set does not name keeps its value; so does ``reset``, which is no member. An
    output that depends on the inputs of cycle t with latency L is found in cycle t + L.
    """
    stimulus, seen, reset = list(stimulus), [], Signal()
    resets = any("reset" in inputs for inputs in stimulus)

    async def testbench(ctx: SimulatorContext) -> None:
        for inputs in stimulus:
            for name, value in inputs.items():
                ctx.set(reset if name == "reset" else getattr(dut, name), value)
            seen.append(tuple(plain(ctx.get(getattr(dut, name))) for name in outputs))
            await ctx.tick()

    simulate(ResetInserter(reset)(dut) if resets else dut, testbench)
    return seen


def pipelined(
    dut: Any, inputs: Mapping[str, Iterable[Any]], outputs: Sequence[str], latency: int
) -> list[np.ndarray]:
    """One element of every input a cycle; each output exactly ``latency`` cycles after it."""
    names = tuple(inputs)
    columns = [[plain(v) for v in values] for values in inputs.values()]
    stimulus = [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]
    seen = trace(dut, stimulus + [{}] * latency, outputs)[latency:]
    return [np.array(column) for column in zip(*seen, strict=True)]


def scalars(
    functions: SumFunctions, sums: np.ndarray | WindowSum, target: Target = GENERIC
) -> list[np.ndarray]:
    """What rows wait for, of a sum a cycle: functions in the order of their layout."""
    dut = RowScalar(functions, target)
    if isinstance(sums, WindowSum):
        limbs = (part.ravel().tolist() for part in (sums.top, sums.high, sums.low))
        codes = [
            {"code": (high << LIMB_BITS) + low, "top": top}
            for top, high, low in zip(*limbs, strict=True)
        ]
    else:
        codes = [{"code": code} for code in sums.tolist()]
    (rows,) = pipelined(dut, {"i": codes}, ["o"], latency=functions.latency)
    return [rows[:, field] for field in range(rows.shape[1])]


def plain(value: Any) -> Any:
    """A simulator's or NumPy's value as Python numbers and lists of them."""
    if isinstance(value, data.Const):
        fields = value.shape().members if isinstance(value.shape(), data.StructLayout) else None
        elements = value if fields is None else (value[name] for name in fields)
        return [plain(element) for element in elements]
    return value.tolist() if isinstance(value, np.generic | np.ndarray) else value


# Streams: a payload goes over where valid meets ready


@dataclass(frozen=True)
class Pace:
    """How often a source pauses and how often a sink refuses, each as a share of the cycles."""

    pauses: float = 0.0
    pressure: float = 0.0

    def __str__(self) -> str:
        return f"pauses {self.pauses:.0%}, pressure {self.pressure:.0%}"


PACES = (Pace(), Pace(pauses=0.5), Pace(pressure=0.5), Pace(0.3, 0.6), Pace(0.8, 0.2))

every_pace = pytest.mark.parametrize("pace", PACES, ids=str)
"""Source pauses crossed with back-pressure: every stream test runs with each."""


async def stream_put(
    ctx: SimulatorContext, stream: Any, payloads: Iterable[Any], *, pauses: float = 0.0
) -> None:
    """Offer payloads in order, each until it is taken; pause at random before one."""
    rng = random.Random(1)
    for payload in payloads:
        while rng.random() < pauses:
            await ctx.tick()
        ctx.set(stream.payload, payload)
        ctx.set(stream.valid, 1)
        ready = 0
        while not ready:
            _, _, ready = await ctx.tick().sample(stream.ready)
        ctx.set(stream.valid, 0)


async def stream_get(
    ctx: SimulatorContext, stream: Any, count: int, *, pressure: float = 0.0
) -> list[Any]:
    """Take ``count`` payloads; refuse at random. An offer once made must stay as it is."""
    rng = random.Random(2)
    taken: list[Any] = []
    offered = None
    while len(taken) < count:
        ready = rng.random() >= pressure
        ctx.set(stream.ready, ready)
        _, _, valid, payload = await ctx.tick().sample(stream.valid, stream.payload)
        assert offered is None or (valid and payload == offered), "an offer was withdrawn"
        offered = payload if valid and not ready else None
        if valid and ready:
            taken.append(payload)
    ctx.set(stream.ready, 0)
    return taken
