"""Shows the published units beside other open hardware: a table, and a document."""

from pathlib import Path

from rich.table import Table

from ..files import markdown_table, write_whole
from .bench import Result, softmax_results
from .bench_cells import (
    GRADIENT_COLUMNS,
    PEER_COLUMNS,
    UNIT_COLUMNS,
    error_text,
    gradient_row,
    peer_row,
    peer_unit_row,
    result_row,
)
from .bench_requirements import misses, requirements
from .flow import Flow
from .measure import PACE_LENGTH
from .peers import Peers
from .synthesis import DSP_LUTS
from .synthesis_report import flow_rule


def table(results: list[Result], peers: Peers) -> Table:
    """Our softmax units and, below a line, the peers, in the same columns."""
    shown = Table(title="place-and-route out of context, between registers; below the line: peers")
    for name in UNIT_COLUMNS:
        left = name in ("unit", "datapath", "target", "input → output")
        shown.add_column(name, justify="left" if left else "right")
    for result in softmax_results(results):
        shown.add_row(*result_row(result, failure="failed"))
    shown.add_section()
    for peer in peers.built:
        shown.add_row(*peer_unit_row(peer))
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
        *markdown_table(UNIT_COLUMNS, [result_row(r, r.failure) for r in softmax_results(results)]),
        "",
        *_gradients([result for result in results if not result.case.softmax]),
        *requirements(results),
        *misses(results),
        *_peers(peers, picture),
        "## Again",
        "",
        "`make bench` measures all of this and writes this file; `softmaxfx bench --help` tells "
        "the options. Results are kept in `build/synth`, under a hash of all that they depend on, "
        "so a second run places only what has changed.",
        "",
        "How fast the units are emulated in torch: [emulation.md](emulation.md).",
    ]
    write_whole(path, "\n".join(lines) + "\n")


def _introduction(flows: list[Flow], seeds: tuple[int, ...]) -> list[str]:
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
        "- The wrapper with the registers is synthesised alone, and its LUT and FF are not "
        "counted.",
        "- Masks and error rows are in every unit, and rows of any length up to max_length: 1024 "
        "elements, but 64 on iCE40, where nothing else is told.",
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


def _gradients(results: list[Result]) -> list[str]:
    """The other units, which no peer has; the memory of each grows with its longest row."""
    if not results:
        return []
    return [
        "## Gradients and losses",
        "",
        "`softmax_backward` takes P and dP and gives dS = P (dP - D); `cross_entropy` takes logits "
        "and a class index and gives p - y and the loss, in the same pass. Both hold one longest "
        "row: block RAM grows with max_length, and nothing grows with its square. "
        "`adaptive_softmax` is `cross_entropy` behind a controller that asks for the rows of a "
        "word, a short head's and a tail's; here a vocabulary of three rows of max_length. No "
        "peer has any of them.",
        "",
        *markdown_table(GRADIENT_COLUMNS, [gradient_row(result) for result in results]),
        "",
    ]


def _peers(peers: Peers, picture: Path) -> list[str]:
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
        *markdown_table(PEER_COLUMNS, map(peer_row, peers.built)),
        "",
        "Not synthesised, and why:",
        "",
        *(
            f"- [{peer.name}]({peer.url}) ({peer.licence}; {peer.computes}; {peer.formats}): "
            f"{peer.not_built}. Largest error {error_text(peer.worst_error)}; {peer.remark}. "
            f"{peer.date}: {peer.source}."
            for peer in peers.not_built
        ),
        "",
    ]
