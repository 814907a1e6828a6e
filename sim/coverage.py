"""Which lines of a unit's Verilog run, and which bits toggle, while everything is thrown at it.

A model with Verilator's counters is driven by rows with pauses, by rows of extreme values and by
hostile frames, every bit compared. What no run reaches is either explained by :data:`REASONS` or
listed as not explained: a hole in the tests, or hardware that nobody needs.

Points of one signal are taken together. A signal that yosys has named ``$17`` goes by what it
computes, since its number changes with every export.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..files import write_whole
from ..golden.config import SoftmaxConfig
from ..golden.rows import LogitRows
from .hostile import hostile_stream, run_hostile
from .kinds import kind_of
from .run import simulate
from .sidecar import Unit
from .simulator import build


@dataclass(frozen=True, slots=True)
class Missed:
    """Points of one signal, or of one line, that were never reached.

    Attributes:
        kind: ``"line"`` or ``"toggle"``.
        module: the module, without the unit's name; ``"top"`` for the unit itself.
        name: the signal or what it computes; for a line, its text.
        where: which of the signal's bits: ``"all bits"``, ``"top bits"`` up to its highest, ``"low
            bits"`` down to its lowest, or their numbers.
        points: what is missed, as in ``[3] 0->1``, once for every signal of that name.
    """

    kind: str
    module: str
    name: str
    where: str
    points: tuple[str, ...]

    @property
    def reason(self) -> str:
        """Why it cannot be reached; empty where nothing explains it."""
        return next((reason.why for reason in REASONS if reason.explains(self)), "")


@dataclass(frozen=True, slots=True)
class Reason:
    """Why bits never toggle. ``module`` and ``name`` are regular expressions for the whole.

    ``where`` is the place of the bits, or ``"any"``; ``bits``: no more of them than this; ``edge``:
    the only edge that may be missed, if not both.
    """

    module: str
    name: str
    why: str
    where: str = "top bits"
    bits: int = 1
    edge: str = ""

    def explains(self, missed: Missed) -> bool:
        """Whether the reason is about what was missed."""
        bits = len({_bit(point) for point in missed.points})
        return (
            missed.kind == "toggle"
            and re.fullmatch(self.module, missed.module) is not None
            and re.fullmatch(self.name, missed.name) is not None
            and self.where in ("any", missed.where)
            and bits <= self.bits
            and all(point.endswith(self.edge) for point in missed.points)
        )


_COUNTERS = "A counter's carry, or the sign of a difference that is never negative"
_CONSTANT = "A constant, or a look-up in a table of one"
_BEATS = "A row buffer counts beats up to its depth; one row is at most a part of it"
_SATURATED = "What saturates a value keeps its width; the result needs less"
_WIDENED = "Zeros or signs that widen a value to the width of its neighbour in an expression"
_SUM = "Only the longest row of the largest terms fills a sum, and a limb has room for larger parts"
_LEADING = "The highest bit of a normalised mantissa is 1 in every entry of a table"
_PRODUCT = "A probability of 1 before rounding: the product stays below it"

REASONS: tuple[Reason, ...] = (
    Reason(
        "top", r"m_axis_tuser", "Status bits of faults that softmax does not have", "bits 1, 2", 2
    ),
    Reason(".*", r"\d+'h[01]( >> .*)?", _CONSTANT, "all bits"),
    Reason(
        r".*frame",
        r"above(_\d+)?",
        "No lane of a row's last beat is beyond a full row",
        "all bits",
    ),
    Reason(
        r".*datapath",
        r"saturated\w* & (early_)?active\w*",
        "Elements that were clipped on their way in are no further apart than the span",
        "all bits",
        64,
    ),
    Reason(
        r".*difference\d+",
        r"\(?distance ?\[.*\] == .*",
        "A difference at the very reach, one of many, or at the span: inputs are clipped to less",
        "all bits",
    ),
    Reason(r".*exp\d+(\.share\d+)?", r"a(_\d+)?|(kept|running)\w+", _LEADING, edge="1->0"),
    Reason(
        r".*row_scalar\.table",
        r"port__data",
        "1 / s is at least a half: the highest bit of every base is 1",
        "any",
        edge="1->0",
    ),
    Reason(
        r".*row_scalar",
        r"\{ signs of .*",
        "The reciprocal, before it is cut, in the width of the product",
        bits=40,
    ),
    Reason(
        r".*exp\d+",
        r"lost\d+|kept\w+ - lost\d+",
        "What a further table takes of a mantissa is a small share, in the width of a product",
        bits=40,
    ),
    Reason(
        r".*",
        r"(next )?(beats\w*|count|others|one_less)|i_last \? count : .*",
        _BEATS,
    ),
    Reason(
        r".*accumulate(\.add\d*)?",
        r"(next )?running\d*|\(?running & .*|o|term|joined\d+|waited.*|\(?lane\d+_.*|limb\d+_.*",
        _SUM,
        "any",
        8,
    ),
    Reason(r".*datapath|.*row_scalar(\.normalise)?", r"[io]", _SUM),
    Reason(
        r".*accumulate",
        r"fine\d+|shifted\w+|\{ .*, \d+'h0+ \} >> .*",
        "Zeros below a mantissa, further down than it is shifted in one step",
        "low bits",
        8,
    ),
    Reason(
        r".*accumulate\.shift\d+",
        r"fine << .*",
        "A shift is as wide as the largest amount of as many bits; its lowest ones are 0",
        bits=4,
    ),
    Reason(
        r".*lane\d+",
        r"coarse|(\w+ \? \d+'h0+ : )?\(?fine >> .*|rounded|\(rounded > .*\) \? .*",
        _PRODUCT,
        bits=3,
    ),
    Reason(r".*", r"\{ \d+'h0+, .* \}|kept\w+ - \(\{ \d+'h0+, .*", _WIDENED, bits=40),
    Reason(r".*accumulate", r"\{ \d+'h0+, shift.*, \d+'h0+ \}", _WIDENED, "any", 8),
    Reason(r".*", r"(\(.* > .*\)|beyond) \? .*", _SATURATED, bits=2),
    Reason(
        r".*normalise",
        r"value|group|\{ .* \}|.* \? .* : .*",
        "Zeros below the sum and above it, and what a move shifts out above the leading one",
        "any",
        80,
    ),
    Reason(r".*", r".* [+-] .*", _COUNTERS, bits=2),
)


@dataclass(frozen=True, slots=True)
class Coverage:
    """What was reached.

    Attributes:
        unit: name of the unit. mismatches: of all runs; the figures mean little unless 0.
        lines, toggles: points that there are. missed: those that no run reached.
    """

    unit: str
    mismatches: int
    lines: int
    toggles: int
    missed: tuple[Missed, ...]

    def percent(self, kind: str) -> float:
        """Share of the points of a kind that were reached, in percent."""
        total = self.lines if kind == "line" else self.toggles
        lost = sum(len(missed.points) for missed in self.missed if missed.kind == kind)
        return 100 * (total - lost) / total if total else 100.0

    @property
    def unexplained(self) -> tuple[Missed, ...]:
        """What was missed and no reason is known for."""
        return tuple(missed for missed in self.missed if not missed.reason)


def measure(
    unit: Unit, cache: Path, folder: Path, *, rows: int = 600, frames: int = 3000, seed: int = 1
) -> Coverage:
    """Run a unit's model with counters through everything, and read the counters.

    Args:
        cache: directory of built models. folder: working directory, one sub-folder a run, that
            nothing else uses.
        rows: ordinary rows, and extreme ones. frames: hostile frames.

    Raises:
        ConfigError: the model does not build, or does not run to its end.
    """
    model = build(unit, cache, coverage=True)
    rng = np.random.default_rng(seed)
    mismatches = 0
    for name, make in (("rows", ordinary_rows), ("extremes", extreme_rows)):
        drawn = kind_of(unit).rows(make(unit.config, rows, rng), unit.config, rng)
        shown = simulate(unit, model, drawn, folder / name, seed=seed)
        mismatches += shown.score.mismatches
    stream = hostile_stream(unit, frames, seed)
    mismatches += run_hostile(unit, model, stream, folder / "hostile", seed=seed).mismatches
    runs = ("rows/stream", "rows/pace", "extremes/stream", "extremes/pace", "hostile")
    return read(unit, [folder / run / "coverage.dat" for run in runs], mismatches)


def ordinary_rows(config: SoftmaxConfig, count: int, rng: np.random.Generator) -> LogitRows:
    """Rows of all lengths and of spreads from an LSB to the whole range, some elements masked."""
    spread = np.exp2(rng.uniform(-config.input.f, np.log2(config.range), (count, 1)))
    values = rng.normal(0, 1, (count, config.max_length)) * spread
    values[rng.random(values.shape) < 0.05] = -np.inf
    return _cut(values, rng.integers(1, config.max_length + 1, count))


def extreme_rows(config: SoftmaxConfig, count: int, rng: np.random.Generator) -> LogitRows:
    """Rows at the edges of the range, of the sum and of the length; then many of one element."""
    limit, lsb, shape = config.range, config.input.lsb, (count // 4, config.max_length)
    lowest, highest = config.input.min_code * lsb, config.input.max_code * lsb
    edges = [-limit - lsb, -limit, lsb - limit, -lsb, 0, lsb, limit - lsb, limit, limit + lsb]
    edges += [lowest, highest, -np.inf]
    equal = np.repeat(rng.choice(edges, (shape[0], 1)), config.max_length, axis=1)
    mixed = rng.choice(edges, shape)
    ripple = np.where(rng.random(shape) < 0.05, rng.uniform(-limit, limit, shape), limit)
    single = rng.normal(0, limit, (4 * count, config.max_length))
    full = np.full(3 * shape[0], config.max_length)
    return _cut(
        np.concatenate([equal, mixed, ripple, single]), np.append(full, np.ones(4 * count, int))
    )


def _cut(values: np.ndarray, lengths: np.ndarray) -> LogitRows:
    beyond = np.arange(values.shape[1]) >= lengths[:, None]
    return LogitRows.from_array(np.where(beyond, np.nan, values))


def read(unit: Unit, files: Iterable[Path], mismatches: int = 0) -> Coverage:
    """Add up the counters of several runs of one model; those of the bench are left out."""
    counts: Counter[str] = Counter()
    for file in files:
        for point, count in re.findall(r"^C '(.*)' (\d+)$", file.read_text(), re.MULTILINE):
            counts[point] += int(count)
    names = _Names(unit)
    totals: Counter[str] = Counter()
    groups: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    highest: Counter[tuple[str, str, str]] = Counter()
    for point, count in counts.items():
        fields = dict(field.split("\2") for field in point.split("\1")[1:])
        if Path(fields["f"]).name != unit.verilog.name or names.idle(fields):
            continue
        kind, module, name, what = names.describe(fields)
        totals[kind] += 1
        group = kind, module, name
        highest[group] = max(highest[group], _bit(what))
        if not count:
            groups[group].append(what)
    missed = (
        Missed(*group, _where(points, highest[group]), tuple(sorted(points, key=_order)))
        for group, points in sorted(groups.items())
    )
    return Coverage(unit.top, mismatches, totals["line"], totals["toggle"], tuple(missed))


def _bit(what: str) -> int:
    found = re.match(r"\[(\d+)\]", what)
    return int(found[1]) if found else 0


def _order(what: str) -> tuple[int, str]:
    return _bit(what), what


def _where(points: list[str], highest: int) -> str:
    """Where the bits of a signal lie whose bits go up to ``highest``."""
    bits = sorted({_bit(what) for what in points})
    if len(bits) == highest + 1:
        return "all bits"
    if bits[-1] - bits[0] + 1 == len(bits):
        if bits[-1] == highest:
            return "top bits"
        if bits[0] == 0:
            return "low bits"
    return f"bits {', '.join(map(str, bits))}"


class _Names:
    """Readable names of coverage points, from the unit's Verilog."""

    IDLE = r"\bsettle\b"
    """A register that wakes up combinational blocks; it is no hardware."""

    def __init__(self, unit: Unit):
        text = unit.verilog.read_text()
        self._top = unit.top
        self._lines = text.split("\n")
        self._meaning = {
            (body.split("(")[0].split()[0], name): meaning
            for body in re.split(r"^module ", text, flags=re.MULTILINE)[1:]
            for name, meaning in _meanings(body).items()
        }

    def idle(self, fields: dict[str, str]) -> bool:
        """Whether the point is about no hardware."""
        toggles = fields["page"].startswith("v_toggle")
        text = _plain(fields["o"]) if toggles else self._lines[int(fields["l"]) - 1]
        return re.search(self.IDLE, text) is not None

    def describe(self, fields: dict[str, str]) -> tuple[str, str, str, str]:
        """(kind, module, name, what) of a point."""
        page, module = fields["page"].split("/", 1)
        place = module.removeprefix(self._top).strip("_").replace("__", ".") or "top"
        if page != "v_toggle":
            line = self._lines[int(fields["l"]) - 1].strip()
            return "line", place, line, f"line {fields['l']}, {fields['o']}"
        signal, bit, edge = re.findall(r"^(.*?)((?:\[\d+\])?):(\S+)$", _plain(fields["o"]))[0]
        meaning = self._meaning.get((module, signal), _unnumbered(signal))
        return "toggle", place, meaning, f"{bit} {edge}".strip()


def _plain(name: str) -> str:
    """A Verilog name as it was before Verilator has encoded it."""
    return re.sub(r"__0([0-9a-fA-F]{2})", lambda code: chr(int(code[1], 16)), name)


def _unnumbered(name: str) -> str:
    """A name without the number that yosys has added to it."""
    return re.sub(r"(?<=\w)(\$\d+)+", "", name)


def _meanings(body: str) -> dict[str, str]:
    """What the anonymous signals of a module's text compute."""
    found = {name: f"next {target}" for target, name in _NEXT.findall(body)}
    found |= dict(_ASSIGN.findall(body))
    return {name: _unnumbered(_expanded(text, found)) for name, text in found.items()}


def _expanded(text: str, meanings: dict[str, str], depth: int = 2) -> str:
    """An expression, the anonymous signals in it replaced by what they compute."""
    text = text.replace("\\", "")
    text = re.sub(r"(\S+) (\[\d+\])(, \1 \2)+", r"signs of \1 \2", text)
    if depth:
        for name in set(re.findall(r"(?<!\w)\$\d+", text)) & meanings.keys():
            inner = _expanded(meanings[name], meanings, depth - 1)
            text = re.sub(rf"(?<!\w){re.escape(name)}(?!\d) ?", lambda _, i=inner: f"({i})", text)
    return text


_NEXT = re.compile(r"^ +(\S+) +<= +\\(\$\d+) ;$", re.MULTILINE)
_ASSIGN = re.compile(r"^ +assign \\(\$\d+) += (.*);$", re.MULTILINE)


def write_report(result: Coverage, path: Path) -> None:
    """Write totals, and what was missed with its reason, as Markdown."""
    groups: dict[str, list[Missed]] = defaultdict(list)
    for missed in result.missed:
        groups[missed.reason].append(missed)
    unexplained = groups.pop("", [])
    lines = [
        f"# Coverage of {result.unit}",
        "",
        f"- lines and branches: {result.percent('line'):.2f} % of {result.lines}",
        f"- toggles: {result.percent('toggle'):.2f} % of {result.toggles}",
        f"- mismatches with the golden model: {result.mismatches}",
        "",
        "## Not explained",
        "",
        *(_listed(unexplained) or ["Nothing."]),
    ]
    for reason, members in groups.items():
        lines += ["", f"## {reason}", "", *_listed(members)]
    write_whole(path, "\n".join(lines) + "\n")


def _listed(members: Iterable[Missed]) -> list[str]:
    return [
        f"- {missed.module}: `{missed.name}`, {missed.where}: {_points(missed)}"
        for missed in members
    ]


def _points(missed: Missed) -> str:
    """The points in short: runs of bits that miss the same edges; both unless one is named."""
    edges: dict[str, set[str]] = defaultdict(set)
    for point in missed.points:
        bit, _, edge = point.rpartition(" ")
        edges[bit].add(edge)
    runs: list[tuple[list[str], set[str]]] = []
    for bit, missing in edges.items():
        if runs and runs[-1][1] == missing and _bit(runs[-1][0][-1]) == _bit(bit) - 1:
            runs[-1][0].append(bit)
        else:
            runs.append(([bit], missing))
    return ", ".join(_run(bits, missing) for bits, missing in runs)


def _run(bits: list[str], missing: set[str]) -> str:
    last = f" to {bits[-1]}" if len(bits) > 1 else ""
    edge = f" {min(missing)}" if len(missing) == 1 else ""
    return f"{bits[0]}{last}{edge}".strip() or "the signal"
