"""The devices that figures are quoted for, each with one fixed way to get there."""

import re
from dataclasses import dataclass

from ..golden.errors import require

Cells = dict[str, int]
"""How many cells of each type a netlist has."""


@dataclass(frozen=True, slots=True)
class Device:
    """A part, and the options that never change: what could be tuned could be bent.

    Attributes:
        name: of the target. primitives: what an export for it instantiates, a target of ``export``.
        synthesise: the yosys command.
        placer: the place-and-route tool. options: its options, but for files and the seed.
        logic, multiplier, memory: what the placer calls a LUT, a DSP block and a RAM block.
        luts, flip_flops: regular expressions of those cells in a netlist.
        shared: a LUT and the flip-flop behind it are one ``logic`` cell, not two.
    """

    name: str
    primitives: str
    synthesise: str
    placer: str
    options: tuple[str, ...]
    logic: str
    multiplier: str
    memory: str
    luts: str
    flip_flops: str
    shared: bool

    def flip_flop_count(self, cells: Cells) -> int:
        """Flip-flops of a netlist."""
        return sum(n for kind, n in cells.items() if re.fullmatch(self.flip_flops, kind))

    def logic_count(self, cells: Cells) -> int:
        """``logic`` cells of a netlist whose every LUT has a flip-flop of its own behind it."""
        luts = sum(n for kind, n in cells.items() if re.fullmatch(self.luts, kind))
        return max(luts, self.flip_flop_count(cells)) if self.shared else luts


DEVICES = {
    device.name: device
    for device in (
        Device(
            name="ecp5",
            primitives="ecp5",
            synthesise="synth_ecp5",
            placer="nextpnr-ecp5",
            options=(
                "--85k", "--speed", "6", "--package", "CABGA756", "--freq", "250",
                "--lpf-allow-unconstrained", "--timing-allow-fail",
            ),
            logic="TRELLIS_COMB",
            multiplier="MULT18X18D",
            memory="DP16KD",
            luts="LUT4",
            flip_flops="TRELLIS_FF",
            shared=False,
        ),
        Device(
            name="ice40",
            primitives="ice40",
            synthesise="synth_ice40 -device u",
            placer="nextpnr-ice40",
            options=(
                "--up5k", "--package", "sg48", "--freq", "48",
                "--pcf-allow-unconstrained", "--timing-allow-fail",
            ),
            logic="ICESTORM_LC",
            multiplier="ICESTORM_DSP",
            memory="ICESTORM_RAM",
            luts="SB_LUT4",
            flip_flops=r"SB_DFF\w*",
            shared=True,
        ),
    )
}  # fmt: skip


def device(name: str) -> Device:
    """The device of a target.

    Raises:
        ConfigError: an unknown target.
    """
    require(name in DEVICES, f"target must be one of {', '.join(DEVICES)}, not {name!r}")
    return DEVICES[name]
