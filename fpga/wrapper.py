"""Registers around a unit, so that place-and-route times the unit and not the package's pins.

A shift register drives every input of the unit, ``aresetn`` among them; a signature register
observes every output. Three pins are enough for any unit, nothing in it can be trimmed away, and
every path through its ports starts or ends in a register next to it.

An exclusive or precedes each observing flip-flop. It takes the LUT in front of that flip-flop,
which on iCE40 shares its cell: so none of the unit's own LUTs can be counted there, and the
wrapper's count is what it adds.
"""

from typing import Any

TOP, INSTANCE = "wrapper", "dut"

Ports = dict[str, dict[str, Any]]
"""Direction and width of every port, as in a sidecar."""


def wrapper_text(top: str, ports: Ports) -> str:
    """Verilog of the wrapper around the module ``top``, itself declared as a black box."""
    driven = _slices(ports, "input")
    observed = _slices(ports, "output")
    inputs, outputs = _bits(driven), _bits(observed)
    connections = [
        ".aclk(aclk)",
        *(f".{name}(drive[{low} +: {width}])" for name, low, width in driven),
        *(f".{name}(seen[{low} +: {width}])" for name, low, width in observed),
    ]
    declarations = [
        f"{port['direction']} [{port['width'] - 1}:0] {name}" for name, port in ports.items()
    ]
    return f"""\
module {TOP}(input aclk, input scan_in, output scan_out);
  reg [{inputs - 1}:0] drive;
  reg [{outputs - 1}:0] signature;
  wire [{outputs - 1}:0] seen;
  always @(posedge aclk) begin
    drive <= {{drive, scan_in}};
    signature <= seen ^ {{signature, signature[{outputs - 1}]}};
  end
  assign scan_out = signature[{outputs - 1}];
  {top} {INSTANCE}(
    {_lines(connections)}
  );
endmodule

(* blackbox *)
module {top}(
    {_lines(declarations)}
  );
endmodule
"""


def _slices(ports: Ports, direction: str) -> list[tuple[str, int, int]]:
    """(port, lowest bit, width) of the ports of a direction, side by side in one register."""
    slices, low = [], 0
    for name, port in ports.items():
        if port["direction"] == direction and name != "aclk":
            slices.append((name, low, port["width"]))
            low += port["width"]
    return slices


def _bits(slices: list[tuple[str, int, int]]) -> int:
    return sum(width for _, _, width in slices)


def _lines(parts: list[str]) -> str:
    return ",\n    ".join(parts)
