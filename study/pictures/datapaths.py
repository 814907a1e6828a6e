"""One row on its way through the softmax unit, by either datapath."""

from collections.abc import Callable

from ...golden import SoftmaxConfig, preset
from ...golden.stages.accumulate import Accumulate
from .recording import Recording
from .scene import Scene, latency
from .traces import Cell, Label, Trace, beats, level, numbers
from .traffic import Reader, Source, beats_of, some_row

ELEMENTS, LANES = 10, 8


def exact_sum() -> Scene:
    """A row of two beats."""
    return _row(
        "exact_sum",
        [
            Trace("core.datapath.logits.frame.o_valid", _passing, "cut and clipped"),
        ],
    )


def max_subtract() -> Scene:
    """The same row, which waits for its maximum first."""
    return _row(
        "max_subtract",
        [
            Trace("core.datapath.logits.frame.o_valid", _passing, "cut and clipped"),
            Trace("core.datapath.row_wait.complete", level, "maximum known"),
            Trace("core.datapath.waiting.reading", _passing, "leaves row buffer 1"),
            Trace("core.datapath.waiting.o_valid", _passing, "beside its maximum"),
        ],
    )


def _row(datapath: str, first: list[Trace]) -> Scene:
    """The scene of a datapath; its own stages come first."""
    config = preset("int8", lanes=LANES, datapath=datapath)
    inside = [
        *first,
        Trace("core.row_wait.i_valid", _passing, "exp of every element"),
        Trace("core.datapath.sum", numbers(_sum_of(config)), "sum S so far"),
        Trace("core.row_wait.beats", _amount, "may leave: beats"),
        Trace("core.row_wait.complete", level, "1/S known: wait ends"),
        Trace("core.last_pass.buffer.reading", _passing, "leaves the row buffer"),
        Trace("core.last_pass.buffer.o_valid", _passing, "beside 1/S"),
        Trace("core.last_pass.queue.produce_next", _passing, "rounded in the next cycle"),
    ]
    row = beats_of(some_row(config.input, ELEMENTS, seed=1), config.input, LANES)
    return Scene(
        title=f"softmax by {datapath}: one row of {ELEMENTS} elements on {LANES} lanes",
        unit="softmax",
        config=config,
        drivers=[Source("s_axis", (2, row)), Reader("m_axis")],
        traces=[Trace("s_axis_tdata", beats), *inside, Trace("m_axis_tdata", beats)],
        cycles=90,
        shown=_busy([trace.signal for trace in inside]),
        marks=latency("s_axis", "m_axis"),
    )


def _busy(signals: list[str]) -> Callable[[Recording], set[int]]:
    """The cycles in which one of some signals is 1, or a port offers something."""

    def shown(recording: Recording) -> set[int]:
        columns = [recording.values[name] for name in signals]
        inside = {n for n in range(recording.cycles) if any(column[n] for column in columns)}
        ports = {n for port in ("s_axis", "m_axis") for n in recording.taken(port).values()}
        return inside | ports | {min(ports) - 1, max(ports) + 1}

    return shown


def _passing(recording: Recording, signal: str) -> list[Cell]:
    """Beats of the row, in order, where a bit says that one passes."""
    seen, cells = 0, list[Cell]()
    for passes in recording.values[signal]:
        cells.append(Label(f"0.{seen}", (0, seen)) if passes else None)
        seen += passes
    return cells


def _amount(recording: Recording, signal: str) -> list[Cell]:
    """A number, where it is not 0."""
    return [Label(str(value)) if value else None for value in recording.values[signal]]


def _sum_of(config: SoftmaxConfig) -> Callable[[int], str]:
    """A spelling: a sum to a few digits, in few characters."""
    unit = 2.0 ** -Accumulate.of(config).fraction

    def spelled(code: int) -> str:
        if code * unit >= 0.1 or not code:
            return f"{code * unit:.2g}"
        digit, _, power = f"{code * unit:.0e}".partition("e")
        return f"{digit}e{int(power)}"

    return spelled
