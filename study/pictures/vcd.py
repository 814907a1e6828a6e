"""Values of signals, cycle by cycle, from a value change dump (IEEE 1364-2005, 18.2)."""

from collections.abc import Iterable, Iterator, Sequence

from ...golden.errors import require

ABOVE = 2
"""Scopes above every name in a dump of Amaranth: its bench, and the top."""


def read_cycles(
    dump: str, names: Sequence[str], *, period: int, cycles: int
) -> dict[str, list[int]]:
    """The values that the edge at the end of each cycle sees.

    Args:
        dump: cycle n is from time n * ``period`` to the next one, in the dump's units; a line each
            declaration and change.
        names: of signals, from the top down: ``"s_axis_tvalid"``, ``"core.o__valid"``.

    Raises:
        ConfigError: a signal that the dump does not have.
    """
    lines = iter(dump.splitlines())
    codes = dict(_declared(lines))
    for name in names:
        require(name in codes, f"signals must be in the simulation, where no {name!r} is")
    now: dict[str, int] = {}
    columns: dict[str, list[int]] = {name: [] for name in names}
    for time, code, value in _changes(lines, {codes[name] for name in names}):
        _fill(columns, codes, now, min(time // period, cycles))
        now[code] = value
    _fill(columns, codes, now, cycles)
    return columns


def _fill(
    columns: dict[str, list[int]], codes: dict[str, str], now: dict[str, int], cycles: int
) -> None:
    """Write down what is now, for every cycle up to some that is not yet written."""
    for name, column in columns.items():
        if len(column) < cycles:
            column += [now[codes[name]]] * (cycles - len(column))


def _declared(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    """(name, code) of every signal; takes the declarations from the lines."""
    scopes: list[str] = []
    for words in map(str.split, lines):
        match words:
            case ["$scope", _, scope, "$end"]:
                scopes.append(scope)
            case ["$upscope", "$end"]:
                scopes.pop()
            case ["$var", _, _, code, name, *_]:
                yield ".".join((*scopes[ABOVE:], name.removeprefix("\\"))), code
            case ["$enddefinitions", "$end"]:
                return


def _changes(lines: Iterable[str], codes: set[str]) -> Iterator[tuple[int, str, int]]:
    """(time, code, value) of every change of bits of some signals."""
    time = 0
    for line in lines:
        if line.startswith("#"):
            time = int(line[1:])
        elif line.startswith("b"):
            bits, code = line[1:].split()
            if code in codes:
                yield time, code, int(bits, 2)
        elif line[1:] in codes:
            yield time, line[1:], int(line[0])
