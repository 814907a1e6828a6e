"""A unit, what it is given, and which of its signals are drawn."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from ...fpga.units import HARDWARE
from ...golden.config import SoftmaxConfig
from .recording import Driver, Recording, record
from .svg import svg
from .traces import Trace
from .wave_json import Mark, wave_json


@dataclass(frozen=True, slots=True)
class Scene:
    """What happens at the ports of a unit.

    Attributes:
        title: of the picture.
        drivers: of the unit's inputs; they hold state, and serve one run.
        cycles: how many are simulated. shown: those of them that are drawn.
        marks: spans of cycles.
    """

    title: str
    unit: str
    config: SoftmaxConfig
    drivers: Sequence[Driver]
    traces: Sequence[Trace]
    cycles: int
    shown: Callable[[Recording], Iterable[int]]
    marks: Callable[[Recording], Sequence[Mark]] = lambda _: ()

    def svg(self) -> str:
        """Run it, and draw it."""
        return self.draw(self.run())

    def run(self) -> Recording:
        """Simulate it."""
        component = HARDWARE[self.unit].top(config=self.config)
        ports = component.signature.members
        inside = [trace.signal for trace in self.traces if trace.signal not in ports]
        return record(component, self.drivers, self.cycles, inside=inside)

    def draw(self, recording: Recording) -> str:
        """What was recorded, as SVG."""
        lanes = [(t.label or t.signal, t.show(recording, t.signal)) for t in self.traces]
        shown = sorted(set(self.shown(recording)) & set(range(recording.cycles)))
        return svg(*wave_json(self.title, lanes, shown, self.marks(recording)))


def around(
    signals: Sequence[str], before: int = 2, after: int = 2, since: int = 0
) -> Callable[[Recording], set[int]]:
    """The cycles near those from ``since`` on in which one of some signals changes."""

    def shown(recording: Recording) -> set[int]:
        changes = {
            cycle
            for signal in signals
            for cycle in range(max(since, 1), recording.cycles)
            if recording.values[signal][cycle] != recording.values[signal][cycle - 1]
        }
        return {near for at in changes for near in range(at - before, at + after)}

    return shown


def busy(*ports: str) -> Callable[[Recording], set[int]]:
    """The cycles in which a port offers something, and one before and after."""

    def shown(recording: Recording) -> set[int]:
        offers = {n for port in ports for n, at in enumerate(recording.offered(port)) if at}
        return {near for at in offers for near in (at - 1, at, at + 1)}

    return shown


def latency(source: str, result: str, row: int = 0) -> Callable[[Recording], list[Mark]]:
    """Marks a row's latency: from its last beat taken on one port to its first on another."""

    def marks(recording: Recording) -> list[Mark]:
        came, left = recording.taken(source), recording.taken(result)
        start = max(cycle for (number, _), cycle in came.items() if number == row)
        return [Mark(f"latency {left[row, 0] - start} cycles", start, left[row, 0])]

    return marks
