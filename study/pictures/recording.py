"""What the signals of a unit are in each cycle of a simulation."""

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

from amaranth.sim import Simulator

from .vcd import read_cycles

PERIOD = 1e-6
"""Of the clock, in seconds."""
FEMTOSECONDS = 10**9
"""The same in the dump's units."""
SETTLE = 4
"""Cycles before the first that is recorded: two in reset, and two until inputs are ready."""

Driver = Callable[[int, Mapping[str, int]], Mapping[str, int]]
"""Given a cycle's number and what the ports were at the end of the cycle before, the inputs that
change in it, by name."""


@dataclass(frozen=True, slots=True)
class Recording:
    """Values of signals by name: those that the rising edge at the end of each cycle sees."""

    cycles: int
    values: Mapping[str, Sequence[int]]

    def offered(self, port: str) -> Iterator[tuple[int, int] | None]:
        """Of each cycle, (row, beat) of what a port offers, both from 0; None where it is idle."""
        row = beat = 0
        ends = self.values.get(f"{port}_tlast", [1] * self.cycles)
        taken = map(min, self.values[f"{port}_tvalid"], self.values[f"{port}_tready"])
        for valid, take, last in zip(self.values[f"{port}_tvalid"], taken, ends, strict=True):
            yield (row, beat) if valid else None
            if take:
                row, beat = (row + 1, 0) if last else (row, beat + 1)

    def taken(self, port: str) -> dict[tuple[int, int], int]:
        """The cycle in which a port takes each (row, beat)."""
        ready = self.values[f"{port}_tready"]
        return {at: n for n, at in enumerate(self.offered(port)) if at is not None and ready[n]}


def record(
    component: Any, drivers: Sequence[Driver], cycles: int, *, inside: Sequence[str] = ()
) -> Recording:
    """Simulate a component with the ports ``aclk`` and ``aresetn`` from reset on.

    Args:
        drivers: of its inputs; an input that none drives is 0.
        inside: signals to record besides the ports, from the top down: ``"core.o__valid"``.

    Raises:
        ConfigError: there is no such signal.
    """
    ports = list(component.signature.members)
    seen: dict[str, list[int]] = {name: [] for name in ports}

    async def run(ctx: Any) -> None:
        for cycle in range(-SETTLE, cycles):
            before = {name: values[-1] for name, values in seen.items() if values}
            ctx.set(component.aclk, 1)
            ctx.set(component.aresetn, cycle >= 2 - SETTLE)
            for driver in drivers if cycle >= 0 else ():
                for name, value in driver(cycle, before).items():
                    ctx.set(getattr(component, name), value)
            await ctx.delay(PERIOD / 2)
            ctx.set(component.aclk, 0)
            await ctx.delay(PERIOD / 2)
            for name, values in seen.items():
                values.append(ctx.get(getattr(component, name)))

    simulator, dump = Simulator(component), io.StringIO()
    simulator.add_testbench(run)
    with simulator.write_vcd(dump) if inside else nullcontext():
        simulator.run()
    hidden = read_cycles(dump.getvalue(), inside, period=FEMTOSECONDS, cycles=SETTLE + cycles)
    columns = {**seen, **hidden}
    return Recording(cycles, {name: column[SETTLE:] for name, column in columns.items()})
