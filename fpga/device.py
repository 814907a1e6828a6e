"""The devices that figures are quoted for, each with one fixed way to get there."""

import re
from dataclasses import dataclass

from ..golden.errors import require

Cells = dict[str, int]
"""How many cells of each type a netlist has."""
Weights = tuple[tuple[str, int], ...]
"""(regular expression of cells, what each of them counts)."""


@dataclass(frozen=True, slots=True)
class Placer:
    """A place-and-route tool, and what it calls what it counts.

    Attributes:
        tool: its name. options: its options, but for files and the seed.
        logic, multiplier, memory: a LUT, a DSP block and a RAM block.
    """

    tool: str
    options: tuple[str, ...]
    logic: str
    multiplier: str
    memory: str


@dataclass(frozen=True, slots=True)
class Device:
    """A part, and the options that never change: what could be tuned could be bent.

    Attributes:
        name: of the target. primitives: what an export for it instantiates, a target of ``export``.
        synthesise: the yosys command. library: the folder of its cells among yosys' own.
        placer: None where no open tool places a design on the device: then its cells are counted
            in the netlist, and nothing is known of a frequency.
        luts, multipliers, memories: (regular expression of those cells in a netlist, how many LUTs,
            DSP blocks or RAM blocks each is); a cell counts by the first that it matches.
        flip_flops: a regular expression of theirs.
        shared: a LUT and the flip-flop behind it are one ``logic`` cell, not two.
        note: what else is to be said of the counts.
    """

    name: str
    primitives: str
    synthesise: str
    library: str
    placer: Placer | None
    luts: Weights
    flip_flops: str
    multipliers: Weights = ()
    memories: Weights = ()
    shared: bool = False
    note: str = ""

    def flip_flop_count(self, cells: Cells) -> int:
        """Flip-flops of a netlist."""
        return _count(((self.flip_flops, 1),), cells)

    def logic_count(self, cells: Cells) -> int:
        """``logic`` cells of a netlist whose every LUT has a flip-flop of its own behind it."""
        luts = _count(self.luts, cells)
        return max(luts, self.flip_flop_count(cells)) if self.shared else luts

    def multiplier_count(self, cells: Cells) -> int:
        """DSP blocks of a netlist."""
        return _count(self.multipliers, cells)

    def memory_count(self, cells: Cells) -> int:
        """RAM blocks of a netlist."""
        return _count(self.memories, cells)


def _count(weights: Weights, cells: Cells) -> int:
    def weight(kind: str) -> int:
        return next((n for pattern, n in weights if re.fullmatch(pattern, kind)), 0)

    return sum(weight(kind) * count for kind, count in cells.items())


def _xilinx(name: str, family: str) -> Device:
    """A family of AMD's, for whose parts no open tool places and routes."""
    return Device(
        name=name,
        primitives=name,
        # registers stay registers, as on the other devices: a delay in a LUT (SRL16E) saves
        # flip-flops, which there are two of a LUT, and costs LUTs
        synthesise=f"synth_xilinx -family {family} -flatten -noiopad -noclkbuf -nosrl",
        library="xilinx",
        placer=None,
        luts=(
            (r"LUT[1-6]|SRL\w+|RAM\d+X1S", 1),
            (r"RAM(32|64)X1D", 2),
            (r"RAM(32|64)M|RAM128X1D", 4),
            (r"RAM(32M16|64M8)|RAM(32X16DR|64X8SW)\d*", 8),
        ),
        flip_flops=r"FD[RSCP]E(_1)?",
        multipliers=((r"DSP48E[12]", 1),),
        memories=((r"RAMB18E[12]", 1), (r"RAMB36E[12]", 2)),
        note="LUT counts LUT1 to LUT6, each as one, and distributed RAM by the LUTs that it is "
        "made of, but no carry cells, wide multiplexers or inverters. BRAM counts 18 Kbit each",
    )


DEVICES = {
    device.name: device
    for device in (
        Device(
            name="ecp5",
            primitives="ecp5",
            synthesise="synth_ecp5",
            library="ecp5",
            placer=Placer(
                tool="nextpnr-ecp5",
                options=(
                    "--85k", "--speed", "6", "--package", "CABGA756", "--freq", "250",
                    "--lpf-allow-unconstrained", "--timing-allow-fail",
                ),
                logic="TRELLIS_COMB",
                multiplier="MULT18X18D",
                memory="DP16KD",
            ),
            luts=(("LUT4", 1),),
            flip_flops="TRELLIS_FF",
        ),
        Device(
            name="ice40",
            primitives="ice40",
            synthesise="synth_ice40 -device u",
            library="ice40",
            placer=Placer(
                tool="nextpnr-ice40",
                options=(
                    "--up5k", "--package", "sg48", "--freq", "48",
                    "--pcf-allow-unconstrained", "--timing-allow-fail",
                ),
                logic="ICESTORM_LC",
                multiplier="ICESTORM_DSP",
                memory="ICESTORM_RAM",
            ),
            luts=(("SB_LUT4", 1),),
            flip_flops=r"SB_DFF\w*",
            shared=True,
        ),
        _xilinx("xilinx7", "xc7"),
        _xilinx("xilinxup", "xcup"),
    )
}  # fmt: skip


def device(name: str) -> Device:
    """The device of a target.

    Raises:
        ConfigError: an unknown target.
    """
    require(name in DEVICES, f"target must be one of {', '.join(DEVICES)}, not {name!r}")
    return DEVICES[name]
