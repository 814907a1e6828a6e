"""Shows synthesised units: a table, a JSON file, and Markdown for people."""

from pathlib import Path

from rich.table import Table

from ..files import json_text, markdown_table, write_whole
from .flow import Flow
from .measure import PACE_LENGTH
from .synthesis import DSP_LUTS, NOT_PLACED, Synthesis

FIGURES = (
    (
        "Fmax MHz\nmedian (min-max)",
        lambda s: _fmax(**s["fmax_mhz"]) if s["fmax_mhz"] else NOT_PLACED,
    ),
    ("LUT", lambda s: f"{s['lut']:,}"),
    ("FF", lambda s: f"{s['ff']:,}"),
    ("DSP", lambda s: str(s["dsp"])),
    ("BRAM", lambda s: str(s["bram"])),
    ("elements\nper cycle", lambda s: f"{s['elements_per_cycle']:.3f}"),
    ("latency\ncycles", lambda s: str(s["latency_cycles"])),
    ("Melem/s", lambda s: _rate(s["melem_per_s"], ",.1f")),
    ("Melem/s\nper LUT", lambda s: _rate(s["melem_per_s_per_lut"], ".4f")),
    (
        f"Melem/s per\nLUT + {DSP_LUTS} DSP",
        lambda s: _rate(s["melem_per_s_per_lut_and_dsp"], ".4f"),
    ),
)
"""(name, cell from the fields of a synthesis) of every figure."""

_COLUMNS = (
    ("unit", lambda s: f"{s['unit']} {s['preset'] or 'custom'} {s['datapath'] or ''}".strip()),
    ("lanes", lambda s: str(s["lanes"])),
    ("target", lambda s: s["target"]),
    *FIGURES,
)


def _fmax(median: float, min: float, max: float) -> str:
    return f"{median:.1f} ({min:.1f}-{max:.1f})"


def _rate(value: float | None, digits: str) -> str:
    return "-" if value is None else format(value, digits)


def table(syntheses: list[Synthesis]) -> Table:
    """The figures as a table, one line each."""
    shown = Table(title="place-and-route out of context, between registers")
    for name, _ in _COLUMNS:
        shown.add_column(name, justify="left" if name in ("unit", "target") else "right")
    for synthesis in syntheses:
        fields = synthesis.to_dict()
        shown.add_row(*(cell(fields) for _, cell in _COLUMNS))
    return shown


def write_json(syntheses: list[Synthesis], path: Path) -> None:
    """The list of the syntheses' fields."""
    write_whole(path, json_text([s.to_dict() for s in syntheses]))


def write_markdown(syntheses: list[Synthesis], path: Path) -> None:
    """The table, the rules it was made by, and every critical path."""
    lines = [
        "# Place-and-route, out of context",
        "",
        *markdown_table(
            [name for name, _ in _COLUMNS],
            ([cell(synthesis.to_dict()) for _, cell in _COLUMNS] for synthesis in syntheses),
        ),
    ]
    lines += ["", "## Rules", ""]
    flows = {synthesis.flow.device.name: synthesis.flow for synthesis in syntheses}
    lines += [
        *map(flow_rule, flows.values()),
        "- Every port lies between registers of a wrapper, whose LUT and FF are not counted.",
        f"- Elements per cycle are measured with rows of {PACE_LENGTH} elements (or max_length) "
        "back to back. Melem/s is elements per cycle times the median Fmax.",
        *(
            ["- Where primitives exist, `-portable` is the Verilog that does without them."]
            if any(s.target != s.flow.device.name for s in syntheses)
            else []
        ),
    ]
    placed = [(synthesis, synthesis.path) for synthesis in syntheses if synthesis.path]
    lines += ["", "## Critical paths", ""] if placed else []
    lines += [
        f"- {synthesis.unit.name} {synthesis.unit.description['preset'] or 'custom'} on "
        f"{synthesis.target}, seeds {', '.join(map(str, synthesis.seeds))}: `{path}`"
        for synthesis, path in placed
    ]
    write_whole(path, "\n".join(lines) + "\n")


def flow_rule(flow: Flow) -> str:
    """The exact tools of a device and their options, as an item of a list in Markdown."""
    device, tool, placer = flow.device, flow.placer, flow.device.placer
    made = f"- {device.name}: `{device.synthesise}` ({flow.yosys.version})"
    if tool is None or placer is None:
        return (
            f"{made}; not placed, as no open tool does that for the device: cells are counted in "
            f"the netlist, and there is no frequency. {device.note}."
        )
    return (
        f"{made}, then `{placer.tool} {' '.join(placer.options)}` ({tool.version}); "
        f"LUT is {placer.logic}, DSP {placer.multiplier}, BRAM {placer.memory}."
    )
