"""AMD (Xilinx) 7-series and UltraScale+: block RAM with its output registers, and one DSP block for
a product of 18 bits.

Operands of a DSP block are signed: synthesis gives it 17 bits of an unsigned factor, and makes two
blocks of a product of 18. Here the 18th bit is an addition, which the block has an adder for.
"""

from dataclasses import dataclass

from amaranth.hdl import Cat, ClockSignal, Const, Instance, Module, Mux, Signal, Value

from ..parts.multiply import Multiply
from ..parts.pipeline import register
from ..parts.restart_add import RestartAdd
from .blocks import BlockRamTarget, wide
from .xilinx_ram import RAMB18E1, RAMB18E2, Block

LUT_ENTRIES = 64
"""Tables of up to so many entries are made of LUTs, one a bit of an entry."""
B_BITS = 18
"""Width of a DSP block's narrower operand, signed."""
P_BITS = 48
"""Width of its adder and its result."""


@dataclass(frozen=True, slots=True)
class Dsp:
    """The DSP block of a family.

    Attributes:
        cell: its name. more: parameters that the other family has not.
        a_bits: width of its wider operand, signed.
        mode_bits: width of its operation mode.
    """

    cell: str
    more: dict[str, str]
    a_bits: int
    mode_bits: int

    def fits(self, a_bits: int, b_bits: int) -> bool:
        """Whether a product takes one block, its first factor unsigned."""
        return a_bits < self.a_bits and b_bits <= B_BITS


class Xilinx(BlockRamTarget):
    """The device's primitives where they fit, portable Verilog elsewhere."""

    def __init__(self, name: str, block: Block, dsp: Dsp):
        self.name, self.rams, self._dsp = name, block.rams(), dsp

    def in_luts(self, entries: int, width: int) -> bool:
        return entries <= LUT_ENTRIES

    def multiply(self, *, a_bits: int, b_bits: int, b_signed: bool = False) -> Multiply:
        if not self._dsp.fits(a_bits, b_bits):
            return super().multiply(a_bits=a_bits, b_bits=b_bits, b_signed=b_signed)
        return DspMultiply(self._dsp, a_bits=a_bits, b_bits=b_bits, b_signed=b_signed)

    def restart_add(self, *, width: int, term_bits: int, start: int = 0) -> RestartAdd:
        return TermFirstAdd(width=width, term_bits=term_bits, start=start)


class TermFirstAdd(RestartAdd):
    """The same sum, the term first: a carry cell takes its first operand as it is, and the LUT
    before it has room for what chooses the second one."""

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.d.comb += self.o.eq(self.term + Mux(self.goes_on, self.running, self._start))
        return m


class DspMultiply(Multiply):
    """One DSP block: a product, plus what an 18th bit of an unsigned ``b`` adds to it."""

    def __init__(self, dsp: Dsp, *, a_bits: int, b_bits: int, b_signed: bool):
        super().__init__(a_bits=a_bits, b_bits=b_bits, b_signed=b_signed)
        self._dsp, self._adds = dsp, b_bits == B_BITS and not b_signed

    def elaborate(self, platform: object) -> Module:
        m = Module()
        product = Signal(P_BITS)
        b, c, adds = Value.cast(self.b), Const(0, P_BITS), Const(1, 1)
        if self._adds:
            b, top = b[:-1], b[-1]
            # what is added meets the product in the middle of the block, a cycle later
            adds = register(m, top, name="adds")
            c = wide(Cat(Const(0, len(b)), register(m, self.a, name="addend")), P_BITS)
        m.submodules.block = Instance(
            self._dsp.cell,
            **self._parameters(),
            **self._controls(adds),
            i_A=wide(self.a, 30),
            i_B=wide(b, B_BITS),
            i_C=c,
            o_P=product,
        )
        m.d.comb += self.o.eq(product)
        return m

    def _parameters(self) -> dict[str, object]:
        """Registers at operands and mode, after the multiplier and at the result.

        Those of the pre-adder are there too, and so is the adder where nothing is added: synthesis
        (yosys' ``xilinx_dsp``) takes a register or an adder outside for one that the block lacks,
        and puts it in the place of another.
        """
        on = "A", "ACASC", "AD", "B", "BCASC", "C", "D", "M", "OPMODE", "P"
        off = "ALUMODE", "CARRYIN", "CARRYINSEL", "INMODE"
        return {
            **{f"p_{name}REG": 1 for name in on},
            **{f"p_{name}REG": 0 for name in off},
            **{f"p_{name}": value for name, value in self._dsp.more.items()},
        }

    def _controls(self, adds: Value) -> dict[str, Value]:
        """Everything but the operands: the result is A * B, plus C where that is added."""
        enabled = ("A2", "B2", "C", "CTRL", "M", "P")
        disabled = ("A1", "AD", "ALUMODE", "B1", "CARRYIN", "D", "INMODE")
        resets = ("A", "ALLCARRYIN", "ALUMODE", "B", "C", "CTRL", "D", "INMODE", "M", "P")
        zeros = {
            "ALUMODE": 4, "CARRYIN": 1, "CARRYINSEL": 3, "INMODE": 5,
            "ACIN": 30, "BCIN": 18, "PCIN": P_BITS, "CARRYCASCIN": 1, "MULTSIGNIN": 1,
        }  # fmt: skip
        return {
            "i_CLK": ClockSignal(),
            # 0b0110101 takes the product and C, 0b0000101 the product alone
            "i_OPMODE": wide(Cat(Const(0b0101, 4), adds, adds), self._dsp.mode_bits),
            "i_D": Const(-1, self._dsp.a_bits),  # an unused D is to be 1
            **{f"i_CE{name}": Const(1) for name in enabled},
            **{f"i_CE{name}": Const(0) for name in disabled},
            **{f"i_RST{name}": Const(0) for name in resets},
            **{f"i_{name}": Const(0, width) for name, width in zeros.items()},
        }


DSP48E1 = Dsp("DSP48E1", {"USE_DPORT": "FALSE"}, a_bits=25, mode_bits=7)
DSP48E2 = Dsp("DSP48E2", {"AMULTSEL": "A", "BMULTSEL": "B"}, a_bits=27, mode_bits=9)
SERIES_7 = Xilinx("xilinx7", RAMB18E1, DSP48E1)
ULTRASCALE_PLUS = Xilinx("xilinxup", RAMB18E2, DSP48E2)
