"""Lattice iCE40 UltraPlus: multipliers with all their registers."""

from amaranth.hdl import ClockSignal, Const, Instance, Module, Shape, Signal, Value

from ..parts.multiply import Multiply
from ..parts.pipeline import delay, register
from .blocks import wide
from .generic import Target

FACTOR_BITS = 16
"""Width of a multiplier's operands."""
CORNER_BITS = 4
"""Bits by which an operand may be wider; their products are made of LUTs."""


class Ice40(Target):
    """The device's multipliers where operands fit, portable Verilog elsewhere.

    Its block RAM has no output register to name; synthesis finds everything else by itself.
    """

    name = "ice40"

    def multiply(self, *, a_bits: int, b_bits: int, b_signed: bool = False) -> Multiply:
        fits = max(a_bits, b_bits) <= FACTOR_BITS + CORNER_BITS
        kind = MacMultiply if fits else Multiply
        return kind(a_bits=a_bits, b_bits=b_bits, b_signed=b_signed)


class MacMultiply(Multiply):
    """One SB_MAC16 for the low halves of the operands, LUTs for what is above 16 bits."""

    def elaborate(self, platform: object) -> Module:
        m = Module()
        b_signed = Value.cast(self.b).shape().signed
        a, a_top = self.a[:FACTOR_BITS], self.a[FACTOR_BITS:]
        b, b_top = self.b[:FACTOR_BITS], self.b[FACTOR_BITS:]
        if b_signed:  # the part that holds the sign is signed
            b, b_top = (b, b_top.as_signed()) if len(b_top) else (b.as_signed(), Const(0, 0))
        right, left = register(m, a_top * self.b, name="right"), register(m, a * b_top, name="left")
        corner = delay(m, right + left, self.latency - 1, name="corner")
        total = self._low_product(m, a, b) + corner.shift_left(FACTOR_BITS)
        m.d.comb += self.o.eq(total)
        return m

    def _low_product(self, m: Module, a: Value, b: Value) -> Value:
        """The product of 16 bits of each operand, ``latency`` cycles later."""
        b_signed = b.shape().signed
        product = Signal(Shape(2 * FACTOR_BITS, b_signed))
        registers = ("A_REG", "B_REG", "TOP_8x8_MULT_REG", "BOT_8x8_MULT_REG")
        pipeline = ("PIPELINE_16x16_MULT_REG1", "PIPELINE_16x16_MULT_REG2")
        unused = {
            "AHOLD", "BHOLD", "CHOLD", "DHOLD", "IRSTTOP", "IRSTBOT", "ORSTTOP", "ORSTBOT",
            "OLOADTOP", "OLOADBOT", "ADDSUBTOP", "ADDSUBBOT", "OHOLDTOP", "OHOLDBOT", "CI",
            "ACCUMCI", "SIGNEXTIN",
        }  # fmt: skip
        m.submodules.mac = Instance(
            "SB_MAC16",
            **{f"p_{name}": Const(1, 1) for name in (*registers, *pipeline)},
            **({"p_B_SIGNED": Const(1, 1)} if b_signed else {}),
            p_TOPOUTPUT_SELECT=Const(3, 2),
            p_BOTOUTPUT_SELECT=Const(3, 2),
            i_CLK=ClockSignal(),
            i_CE=Const(1),
            i_A=wide(a, FACTOR_BITS),
            i_B=wide(b, FACTOR_BITS),
            i_C=Const(0, FACTOR_BITS),
            i_D=Const(0, FACTOR_BITS),
            **{f"i_{name}": Const(0) for name in sorted(unused)},
            o_O=product,
        )
        return product
