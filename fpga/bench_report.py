"""Shows the published units beside other open hardware: a table, a document and a picture."""

from collections import Counter
from pathlib import Path

from rich.table import Table

from ..files import png, write_whole
from .bench import DENSITY, FMAX, Goal, Result
from .critical_path import CriticalPath
from .flow import Flow
from .peers import Peer, Peers
from .synthesis import DSP_LUTS, PACE_LENGTH
from .synthesis_report import FIGURES, flow_rule

_UNIT = (
    "unit", "lanes", "datapath", "target", "input → output", "proven bound\nulp", "largest error",
)  # fmt: skip
_COLUMNS = (*_UNIT, *(name for name, _ in FIGURES))
_GRADIENT = (
    "unit", "lanes", "max_length", "inputs → outputs", "proven bounds\nulp",
    *(name for name, _ in FIGURES),
)  # fmt: skip
_PEER = (
    "unit", "what it computes", "lanes", "input → output", "largest error",
    "Fmax MHz", "LUT", "FF", "DSP", "BRAM", "elements per cycle", "latency cycles", "Melem/s",
    "Melem/s per LUT", "licence", "remark", "date and source",
)  # fmt: skip
_NONE = "-"
_OURS, _PORTABLE, _THEIRS, _OTHER = "#1b5e9b", "#8fb8de", "#d9822b", "#bbbbbb"
"""Colours of the picture."""

Lines = list[str]


def table(results: list[Result], peers: Peers) -> Table:
    """Our softmax units and, below a line, the peers, in the same columns."""
    shown = Table(title="place-and-route out of context, between registers; below the line: peers")
    for name in _COLUMNS:
        left = name in ("unit", "datapath", "target", "input → output")
        shown.add_column(name, justify="left" if left else "right")
    for result in _softmax(results):
        shown.add_row(*_result_cells(result, failure="failed"))
    shown.add_section()
    for peer in peers.built:
        shown.add_row(*_peer_cells(peer))
    return shown


def write_document(
    results: list[Result],
    flows: list[Flow],
    peers: Peers,
    seeds: tuple[int, ...],
    path: Path,
    picture: Path,
) -> None:
    """What was measured, by which rules, and how far it is from the goals and from the peers.

    Args:
        picture: the file of :func:`write_picture`, shown from beside the document.

    Raises:
        ConfigError: a path that cannot be written.
    """
    lines = [
        *_introduction(flows, seeds),
        "## Our units",
        "",
        *_markdown(_COLUMNS, [_result_cells(r, r.failure) for r in _softmax(results)]),
        "",
        *_gradients([result for result in results if result.case.unit != "softmax"]),
        *_goals(results),
        *_misses(results),
        *_peers(peers, picture),
        "## Again",
        "",
        "`make bench` measures all of this and writes this file; `softmaxfx bench --help` tells "
        "the options. Results are kept in `build/synth/cache`, named by all that they depend on, "
        "so a second run places only what has changed.",
    ]
    write_whole(path, "\n".join(lines) + "\n")


def _introduction(flows: list[Flow], seeds: tuple[int, ...]) -> Lines:
    first, last = min(seeds), max(seeds)
    shown = f"seed {first}"
    if last > first:
        shown = f"seeds {first} to {last}: the median, and the least and the greatest"
    return [
        "# Benchmarks",
        "",
        "Written by `softmaxfx bench`; do not edit. A fixed list of units is exported, "
        "synthesised, placed and routed by fixed rules, out of context: every port lies between "
        "registers, as in a larger design. Nothing ran on a board. The rules are the same for "
        "every unit, and none is tuned for one:",
        "",
        *map(flow_rule, flows),
        f"- Fmax is of {shown}. Nothing else depends on the seed. "
        "The frequency in the options is what the placer aims for, not a result.",
        "- The wrapper with the registers is synthesised alone, and its LUT and FF are subtracted.",
        "- Masks and error rows are in every unit, and rows of any length up to max_length: 1024 "
        "elements on ECP5, 64 on iCE40, where nothing else is told.",
        f"- Elements per cycle are measured in Verilator, rows of {PACE_LENGTH} back to back, "
        "every bit compared with the golden model. Melem/s is that times the median Fmax. Latency "
        "is in cycles, from the last beat in to the first beat out, of a row of one beat.",
        "- A target instantiates the device's primitives, where there are any; `-portable` is the "
        "Verilog for every technology.",
        "- The proven bound is the largest error over all inputs against the exact softmax of the "
        "clipped codes, in output LSB. The largest error beside it is what the peers' was "
        "measured as: |p - float64 softmax of the logits before quantisation|, on 1000 rows of 64 "
        "N(0, 9) logits clipped to ±10; so with few input bits it is mostly the input's "
        "quantisation.",
        f"- A DSP block counts as {DSP_LUTS} LUT where the two are added.",
        "",
    ]


def _softmax(results: list[Result]) -> list[Result]:
    return [result for result in results if result.case.unit == "softmax"]


def _gradients(results: list[Result]) -> Lines:
    """The other units, which no peer has; the memory of each grows with its longest row."""
    if not results:
        return []
    return [
        "## Gradients and losses",
        "",
        "`softmax_backward` takes P and dP and gives dS = P (dP - D); `cross_entropy` takes logits "
        "and a class index and gives p - y and the loss, in the same pass. Both hold one longest "
        "row: block RAM grows with max_length, and nothing grows with its square. No peer has "
        "either.",
        "",
        *_markdown(_GRADIENT, [_gradient_cells(result) for result in results]),
        "",
    ]


def _gradient_cells(result: Result) -> list[str]:
    """A row of :data:`_GRADIENT`."""
    told = result.unit.description
    formats, places = told["formats"], ("p", "input", "grad_input")
    given = [held for name, held in formats.items() if name in places]
    made = [held for name, held in formats.items() if name not in places]
    bounds = [told[name] for name in ("bound_ulp", "loss_bound_ulp") if name in told]
    return [
        " ".join(filter(None, [told["unit"], told["preset"], told["datapath"]])),
        str(told["lanes"]),
        f"{result.case.config.max_length:,}",
        f"{', '.join(given)} → {', '.join(made)}",
        ", ".join(f"{bound:.3f}" for bound in bounds),
        *_figures(result, result.failure),
    ]


def _goals(results: list[Result]) -> Lines:
    judged = [(result, goal) for result in results for goal in result.case.goals]
    count = Counter(result.verdict(goal) for result, goal in judged)
    rows = [
        (
            result.case.name,
            result.case.target,
            goal.figure.name,
            _limit(goal, goal.required),
            _limit(goal, goal.goal),
            _measured(result, goal),
            result.verdict(goal),
        )
        for result, goal in judged
    ]
    heading = ("unit", "target", "figure", "required", "goal", "measured", "reached")
    return [
        "## Goals",
        "",
        f"Of {len(judged)} goals {count['yes']} are reached, {count['required only']} only as far "
        f"as required, and {count['missed']} are missed. Fmax is the median.",
        "",
        *_markdown(heading, rows),
        "",
    ]


def _misses(results: list[Result]) -> Lines:
    """What stands between each unit and its goals: how much, and its slowest path."""
    lines = []
    for result in results:
        short = [goal for goal in result.case.goals if result.verdict(goal) != "yes"]
        if not short:
            continue
        told = f"- **{result.case.name}** on {result.case.target}: "
        if result.synthesis is None:
            lines.append(f"{told}{result.failure}.")
            continue
        line = f"{told}{', '.join(_distance(result, goal) for goal in short)}."
        if any(goal.figure in (FMAX, DENSITY) for goal in short):  # those that it is the cause of
            line += f" {_slowest(result.synthesis.path)}"
        lines.append(line)
    if not lines:
        return []
    heading = "### What is not reached, and why"
    note = (
        "The slowest path is of the seed with the median Fmax, in the names of our signals, from "
        "the register it starts in to the one it ends in."
    )
    return [heading, "", note, "", *lines, ""]


def _slowest(path: CriticalPath) -> str:
    total = path.logic_ns + path.routing_ns
    routing = 100 * path.routing_ns / total if total else 0.0
    return (
        f"Slowest path, {total:.2f} ns, {routing:.0f} % of it routing: `{' > '.join(path.signals)}`"
    )


def _peers(peers: Peers, picture: Path) -> Lines:
    rows = [
        (
            f"[{peer.name}]({peer.url})",
            peer.computes,
            *_some(peer.lanes),
            peer.formats,
            _error(peer.worst_error),
            *_peer_figures(peer, latency=peer.latency),
            _rate(peer.melem_per_s_per_lut),
            peer.licence,
            peer.remark,
            f"{peer.date}: {peer.source}",
        )
        for peer in peers.built
    ]
    measured = peers.measurement
    return [
        "## Beside other open hardware",
        "",
        f"![Melem/s per LUT of our units and of others]({picture.name})",
        "",
        "We measured these figures ourselves; none is a claim of the projects. Their sources were "
        "changed only where the open tools cannot build them, as with latch memories or tables "
        f"computed from reals. On ECP5, {measured['date']}: {measured['ecp5']}. Elements per "
        f"cycle: {measured['pace']}. Where a row has several seeds, Melem/s is of seed 1; ours is "
        "of a median. The 200 MHz that they were placed for are out of reach of all of them. "
        "Their latency is from a row's first element in to its last one out, ours from its last "
        "beat in to its first one out: the two cannot be compared. Units differ in what they "
        "do and how wide they are: read the formats, the error and the remark with every figure. "
        "Theirs instantiate no primitives; compare them with `ecp5-portable`.",
        "",
        *_markdown(_PEER, rows),
        "",
        "Not synthesised, and why:",
        "",
        *(
            f"- [{peer.name}]({peer.url}) ({peer.licence}; {peer.computes}; {peer.formats}): "
            f"{peer.not_built}. Largest error {_error(peer.worst_error)}; {peer.remark}. "
            f"{peer.date}: {peer.source}."
            for peer in peers.not_built
        ),
        "",
    ]


def write_picture(results: list[Result], peers: Peers, path: Path) -> None:
    """Melem/s per LUT of softmax on ECP5, a bar each on a logarithmic axis; a PNG."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt
    from matplotlib.patches import Patch

    bars = []
    for result in _softmax(results):
        if result.synthesis is not None and result.case.device.name == "ecp5":
            value = result.synthesis.to_dict()["melem_per_s_per_lut"]
            name = f"{result.case.name}{', portable' if result.case.portable else ''}"
            bars.append((name, value, _PORTABLE if result.case.portable else _OURS,
                         result.worst_error))  # fmt: skip
    for peer in peers.built:
        if peer.melem_per_s_per_lut is not None:
            lanes = f"{peer.lanes} lane{'s' if peer.lanes != 1 else ''}"
            bars.append((f"{peer.name}, {lanes}", peer.melem_per_s_per_lut,
                         _THEIRS if peer.softmax else _OTHER, peer.worst_error))  # fmt: skip
    values = [bar[1] for bar in bars]
    figure, axis = plt.subplots(figsize=(9, 0.8 + 0.3 * len(bars)))
    places = range(len(bars), 0, -1)
    axis.barh(places, values, color=[bar[2] for bar in bars])
    for place, (_, value, _, error) in zip(places, bars, strict=True):
        told = f" {value:#.2g}" + (f"  (error {_error(error)})" if error is not None else "")
        axis.text(value, place, told, va="center", fontsize=8)
    axis.set_yticks(places, [bar[0] for bar in bars], fontsize=8)
    axis.set_xscale("log")
    axis.set_xlim(min(values) / 4, 8 * max(values))
    axis.set_xlabel("Melem/s per LUT on ECP5 (logarithmic); error: the largest on the same rows")
    axis.spines[["top", "right"]].set_visible(False)
    legend = (
        ("ours, with primitives", _OURS), ("ours, portable", _PORTABLE),
        ("others", _THEIRS), ("others, not a softmax", _OTHER),
    )  # fmt: skip
    axis.legend(
        handles=[Patch(color=color, label=label) for label, color in legend],
        loc="lower right", fontsize=8, frameon=False,
    )  # fmt: skip
    figure.tight_layout()
    content = png(figure)
    plt.close(figure)
    write_whole(path, content)


def _result_cells(result: Result, failure: str) -> list[str]:
    """A row of :data:`_COLUMNS`; ``failure`` where there are no figures."""
    told = result.unit.description
    return [
        result.case.preset,
        str(told["lanes"]),
        told["datapath"],
        result.case.target,
        f"{told['formats']['input']} → {told['formats']['output']}",
        f"{told['bound_ulp']:.3f}",
        _error(result.worst_error),
        *_figures(result, failure),
    ]


def _figures(result: Result, failure: str) -> list[str]:
    """Of :data:`FIGURES`."""
    if result.synthesis is None:
        return [failure, *[_NONE] * (len(FIGURES) - 1)]
    fields = result.synthesis.to_dict()
    return [cell(fields) for _, cell in FIGURES]


def _peer_cells(peer: Peer) -> list[str]:
    """A row of :data:`_COLUMNS`."""
    rate, lut, dsp = peer.melem_per_s, peer.lut, peer.dsp
    together = rate / (lut + DSP_LUTS * dsp) if rate and lut and dsp is not None else None
    return [
        peer.name if peer.softmax else f"({peer.name})",
        *_some(peer.lanes),
        _NONE,
        "ecp5",
        peer.formats,
        _NONE,
        _error(peer.worst_error),
        *_peer_figures(peer, latency=_NONE),  # theirs is told from a row's first element on
        _rate(peer.melem_per_s_per_lut),
        _NONE if together is None else f"{together:.3g}",
    ]


def _peer_figures(peer: Peer, latency: str) -> list[str]:
    """Fmax, LUT, FF, DSP, BRAM, elements per cycle, latency and Melem/s."""
    fmax = f"{peer.fmax_mhz[0]:.1f}" if peer.fits else "does not fit"
    if len(peer.fmax_mhz) > 1:
        fmax += f" ({min(peer.fmax_mhz):.1f}-{max(peer.fmax_mhz):.1f})"
    return [
        fmax,
        *_some(peer.lut, peer.ff, peer.dsp, peer.bram),
        _rate(peer.elements_per_cycle),
        latency,
        _rate(peer.melem_per_s),
    ]


def _limit(goal: Goal, value: float) -> str:
    text = goal.figure.text(value)
    return text if text == "yes" else f"{'≥' if goal.figure.more else '≤'} {text}"


def _measured(result: Result, goal: Goal) -> str:
    value = result.value(goal.figure)
    return _NONE if value is None else goal.figure.text(value)


def _distance(result: Result, goal: Goal) -> str:
    """How far a unit is from a goal that it does not reach, in per cent of the goal."""
    value = result.value(goal.figure)
    assert value is not None  # it was synthesised
    apart = 100 * abs(value - goal.goal) / goal.goal
    way = "below" if goal.figure.more else "above"
    return f"{goal.figure.name} {goal.figure.text(value)}, {apart:.1f} % {way} the goal"


def _some(*counts: int | None) -> list[str]:
    return [_NONE if count is None else f"{count:,}" for count in counts]


def _rate(value: float | None) -> str:
    return _NONE if value is None else f"{value:,.4g}"


def _error(value: float | None) -> str:
    return _NONE if value is None else f"{value:.1e}"


def _markdown(heading: tuple[str, ...], rows: list[list[str]] | list[tuple[str, ...]]) -> Lines:
    names = [name.replace("\n", " ") for name in heading]
    return [
        f"| {' | '.join(names)} |",
        "|---" * len(names) + "|",
        *(f"| {' | '.join(row)} |" for row in rows),
    ]
