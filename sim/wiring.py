"""The testbench's top: a unit, and a neighbour of ``testbench.v`` for each of its streams.

The testbench's modules are named after the unit: those of a unit are its name, or begin with its
name and two underscores, so none of them is one of the testbench's.
"""

from pathlib import Path

from ..golden.units.registry import unit_record
from .sidecar import Stream, Unit
from .store import once

NEIGHBOURS = Path(__file__).parent / "testbench.v"


def tb_top(unit: Unit) -> str:
    """The testbench's top module."""
    return f"bench_{unit.top}"


def tb_sources(unit: Unit, cache: Path) -> list[Path]:
    """The Verilog files of a unit in its testbench, which is written to a folder of ``cache``."""
    text, file = tb_text(unit), f"{tb_top(unit)}.v"

    def fill(folder: Path) -> None:
        (folder / file).write_text(text)

    top = once(cache.absolute(), ["bench", text], fill, holds=(file,)) / file
    return [top, *unit.models, unit.verilog]


def tb_text(unit: Unit) -> str:
    """Verilog of the testbench: the neighbours, and the top with the unit wired to them."""
    neighbours = NEIGHBOURS.read_text().replace("module bench_", f"module {tb_top(unit)}_")
    return f"{neighbours}\n\n{_top_text(unit)}"


def _top_text(unit: Unit) -> str:
    inputs, outputs, testbench = unit.inputs, unit.outputs, tb_top(unit)
    seed = ["    .seed(rounding_seed)"] if unit.seed is not None else []
    ports = [_dut_ports(stream) for stream in unit.streams]
    lines = [
        f"module {testbench};",
        *(f"  reg {width}{name} {_PUBLIC};" for name, width in _CONTROLS.items()),
        f"  wire done {_PUBLIC}, hung {_PUBLIC}, flooded {_PUBLIC};",
        "  wire restart, resetting;",
        "  wire [31:0] cycle;",
        *(line for stream in unit.streams for line in _neighbour(stream, unit)),
        f"  {testbench}_control #(.SOURCES({len(inputs)}), .SINKS({len(outputs)})) control (",
        "    .aclk(aclk), .go(go), .seed(reset_seed), .resets(resets), .cycle(cycle),",
        "    .restart(restart), .resetting(resetting),",
        "    .done(done), .hung(hung), .flooded(flooded),",
        f"    .marked({_joined(inputs, '{}_marked')}),",
        f"    .exhausted({_joined(inputs, '{}_exhausted')}),",
        f"    .complete({_joined(outputs, '{}_complete')}),",
        f"    .beyond({_joined(outputs, '{}_beyond')}),",
        f"    .moving(|{_joined(unit.streams, '{0}_tvalid && {0}_tready')}),",
        f"    .offering(|{_joined(outputs, '{}_tvalid')})",
        "  );",
        f"  {unit.top} dut (",
        ",\n".join(["    .aclk(aclk), .aresetn(aresetn && !resetting)", *seed, *ports]),
        "  );",
        f"  initial begin {' '.join(f'{name} = 0;' for name in _CONTROLS)} end",
        "endmodule",
    ]
    return "\n".join(lines) + "\n"


_ALL = "32'hffffffff"
_PUBLIC = "/*verilator public_flat_rw*/"
_CONTROLS = {
    "answer": "[8:0] ",
    "aclk": "", "aresetn": "", "go": "",
    "resets": "[31:0] ", "reset_seed": "[31:0] ", "rounding_seed": "[31:0] ",
}  # fmt: skip


def _joined(streams: tuple[Stream, ...], expression: str) -> str:
    return "{" + ", ".join(expression.format(stream.name) for stream in streams) + "}"


def _first_pass(stream: Stream, unit: Unit) -> str:
    """What tells that a beat to the unit is one of a first pass."""
    if not (unit.two_passes and stream.user > unit.lanes):
        return "1'b0"
    return f"{stream.name}_payload[{stream.data + stream.keep + unit.lanes}]"


def _neighbour(stream: Stream, unit: Unit) -> list[str]:
    """A stream's wires, and the module at their other end."""
    name, testbench = stream.name, tb_top(unit)
    controls = {"pause": 9, "seed": 32} | ({} if stream.inward else {"expected": 32, "most": 32})
    wires = {"tvalid": 1, "tready": 1, "payload": stream.bits, "rows": 32}
    wires |= {"marked": 1, "exhausted": 1} if stream.inward else {"complete": 1, "beyond": 1}
    ports = ["aclk", "go", "done", "restart", "resetting", "cycle"]
    links = [f".{port}({port})" for port in ports]
    links += [f".{port}({name}_{port})" for port in (*controls, *wires)]
    answers = unit_record(unit.name).stream(name).answers
    if stream.inward:
        links.append(f".drained({' && '.join(_balances(stream, unit))})")
        links.append(f".first({_first_pass(stream, unit)})")
        links.append(f".granted({f'{name}_granted' if answers else _ALL})")
    return [
        *(_answers(name, answers, testbench) if answers else ()),
        *(f"  reg [{bits - 1}:0] {name}_{port} {_PUBLIC};" for port, bits in controls.items()),
        *(f"  wire [{bits - 1}:0] {name}_{port};" for port, bits in wires.items()),
        f"  initial begin {' '.join(f'{name}_{port} = 0;' for port in controls)} end",
        f"  {testbench}_{'source' if stream.inward else 'sink'} #(",
        f'    .BITS({stream.bits}), .LAST({int(stream.last)}), .NAME("{name}")',
        f"  ) {name}_neighbour (",
        "    " + ", ".join(links),
        "  );",
    ]


def _balances(stream: Stream, unit: Unit) -> list[str]:
    """What is true while nothing is in the unit: as many rows, or tokens, have come out by every
    output as went in by the stream, and by others that count something else."""
    counts = {one.name: unit_record(unit.name).stream(one.name).counts for one in unit.streams}
    own = counts[stream.name]
    return [
        f"{i.name}_rows == {o.name}_rows"
        for i in unit.inputs
        for o in unit.outputs
        if counts[i.name] == counts[o.name] and (i is stream or counts[i.name] != own)
    ]


def _answers(name: str, asks: str, testbench: str) -> list[str]:
    """How many rows of a stream were asked for long enough ago."""
    return [
        f"  wire [31:0] {name}_granted;",
        f"  {testbench}_answers {name}_answers (",
        f"    .aclk(aclk), .restart(restart), .latency(answer), .asked({asks}_rows),",
        f"    .granted({name}_granted)",
        "  );",
    ]


def _dut_ports(stream: Stream) -> str:
    """The unit's ports of a stream, each with its slice of the payload."""
    name, low, ports = stream.name, 0, []
    for signal, width in stream.signals.items():
        ports.append(f".{name}_{signal}({name}_payload[{low + width - 1}:{low}])")
        low += width
    ports += [f".{name}_{signal}({name}_{signal})" for signal in ("tvalid", "tready")]
    return "    " + ", ".join(ports)
