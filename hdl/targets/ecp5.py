"""Lattice ECP5: block RAM with its output registers, multipliers with all their registers.

Synthesis infers block RAM and multipliers from portable Verilog too, but leaves their registers
outside, and the way from a block RAM without one is longer than most of the logic behind it.
"""

from amaranth.hdl import Cat, ClockSignal, Const, Instance, Module, Signal, Value

from ..parts.multiply import Multiply
from ..parts.or_add import OrAdd
from ..parts.restart_add import RestartAdd
from ..parts.shift_left import MultiplyShift, ShiftLeft
from .blocks import BlockRams, BlockRamTarget, Write, in_words, wide
from .ecp5_carry import CarryChainAdd, CarryChainOrAdd

BLOCK_SHAPES = ((512, 36), (1024, 18), (2048, 9))
"""(words, bits) of a block RAM. Narrower ones exist, but leave its ninth bits unused."""
PAIR_SHAPE = BLOCK_SHAPES[1]
FACTOR_BITS = 18
"""Width of a multiplier's operands."""
LUT_BITS = 900
"""Tables of up to so many bits are made of LUTs: a block RAM would be 95 % empty."""
FABRIC_SHIFT_BITS = 12
"""Numbers up to this width are shifted in LUTs, wider ones by a multiplier."""


class BlockMultiply(Multiply):
    """One MULT18X18D."""

    def elaborate(self, platform: object) -> Module:
        m = Module()
        product = Signal(2 * FACTOR_BITS)
        stages = ("INPUTA", "INPUTB", "PIPELINE", "OUTPUT")
        m.submodules.block = Instance(
            "MULT18X18D",
            **{f"p_REG_{stage}_CLK": "CLK0" for stage in stages},
            **{f"p_REG_{stage}_CE": "CE0" for stage in stages},
            **{f"p_REG_{stage}_RST": "RST0" for stage in stages},
            p_GSR="DISABLED",
            i_CLK0=ClockSignal(),
            i_CE0=Const(1),
            i_RST0=Const(0),
            # of four clocks, enables and resets the first are used; tools warn of open inputs
            **{f"i_{name}{j}": Const(0) for name in ("CLK", "CE", "RST") for j in (1, 2, 3)},
            o_SIGNEDP=Signal(name="signed_product"),
            **_bus("i_A", wide(self.a, FACTOR_BITS)),
            **_bus("i_B", wide(self.b, FACTOR_BITS)),
            **_bus("i_C", Const(0, FACTOR_BITS)),
            **{f"i_{name}": Const(0) for name in ("SIGNEDA", "SOURCEA", "SOURCEB")},
            i_SIGNEDB=Const(Value.cast(self.b).shape().signed, 1),
            **_bus("o_P", product),
        )
        m.d.comb += self.o.eq(product)
        return m


def _read_block(
    m: Module,
    name: str,
    shape: tuple[int, int],
    address: Value,
    contents: list[int],
    write: Write | None,
) -> Value:
    """A block RAM written through port A, if at all, and read through port B."""
    bits = shape[1]
    read = Signal(36, name=f"{name}_read")
    w_en, w_addr, word = write if write is not None else (Const(0, 1), Const(0), Const(0))
    word = wide(word, 36)
    # the lowest address bits of a wide port enable its bytes; the widest port has no other enable
    bytes_on = {36: Cat(w_en.replicate(4), Const(0, 1)), 18: Const(0b0011, 4), 9: Const(0, 3)}
    m.submodules[name] = Instance(
        "DP16KD",
        **_common(bits, contents),
        p_WRITEMODE_A="NORMAL",
        i_CLKA=ClockSignal(),
        i_WEA=Const(1) if bits == 36 else w_en,
        i_CEA=Const(1),
        i_OCEA=Const(1),
        i_RSTA=Const(0),
        **_bus("i_ADA", wide(Cat(bytes_on[bits], w_addr), 14)),
        **_bus("i_DIA", word[:18]),
        **_bus("i_DIB", word[18:]),
        **_read_port("B", address, bits),
        **_bus("o_DOA", read[:18] if bits == 36 else Signal(18, name=f"{name}_unused")),
        **_bus("o_DOB", read[18:] if bits == 36 else read[:18]),
    )
    return read[:bits]


def _read_halves(
    m: Module, contents: list[int], address_a: Value, address_b: Value
) -> tuple[Value, Value]:
    """A block RAM whose lower half is read through port A, and its upper one through port B."""
    bits = PAIR_SHAPE[1]
    read_a, read_b = Signal(bits), Signal(bits)
    m.submodules.block = Instance(
        "DP16KD",
        **_common(bits, contents),
        **_read_port("A", Cat(wide(address_a, 9), Const(0, 1)), bits),
        **_read_port("B", Cat(wide(address_b, 9), Const(1, 1)), bits),
        **_bus("o_DOA", read_a),
        **_bus("o_DOB", read_b),
    )
    return read_a, read_b


BLOCKS = BlockRams(BLOCK_SHAPES, PAIR_SHAPE, _read_block, _read_halves)


def _common(bits: int, contents: list[int]) -> dict[str, object]:
    """Parameters of a block RAM both of whose ports are ``bits`` wide."""
    return {
        "p_DATA_WIDTH_A": bits,
        "p_DATA_WIDTH_B": bits,
        "p_REGMODE_A": "OUTREG",
        "p_REGMODE_B": "OUTREG",
        "p_RESETMODE": "SYNC",
        "p_ASYNC_RESET_RELEASE": "SYNC",
        "p_CSDECODE_A": "0b000",
        "p_CSDECODE_B": "0b000",
        "p_GSR": "DISABLED",
        **{f"i_CS{port}{bit}": Const(0) for port in "AB" for bit in range(3)},
        **{
            f"p_INITVAL_{row:02X}": Const(value, 320)
            for row, value in enumerate(_initial_rows(bits, contents))
            if value
        },
    }


def _initial_rows(bits: int, contents: list[int]) -> list[int]:
    """Contents as the block's 64 rows of 16 words of 18 bits, each in a field of 20 bits."""
    words = in_words(contents, bits, 18, 1024)
    return [
        sum(word << 20 * place for place, word in enumerate(words[row : row + 16]))
        for row in range(0, 1024, 16)
    ]


def _read_port(port: str, address: Value, bits: int) -> dict[str, object]:
    """Connections of a port that only reads."""
    unused = {36: 5, 18: 4, 9: 3}[bits]
    return {
        f"i_CLK{port}": ClockSignal(),
        f"i_WE{port}": Const(0),
        f"i_CE{port}": Const(1),
        f"i_OCE{port}": Const(1),
        f"i_RST{port}": Const(0),
        **_bus(f"i_AD{port}", wide(Cat(Const(0, unused), address), 14)),
    }


def _bus(name: str, value: Value) -> dict[str, Value]:
    """The single-bit ports that make up a bus of a primitive."""
    return {f"{name}{bit}": value[bit] for bit in range(len(value))}


class Ecp5(BlockRamTarget):
    """ECP5 primitives where they fit, portable Verilog elsewhere."""

    name = "ecp5"
    rams = BLOCKS

    def in_luts(self, entries: int, width: int) -> bool:
        return entries * width <= LUT_BITS

    def multiply(self, *, a_bits: int, b_bits: int, b_signed: bool = False) -> Multiply:
        fits = max(a_bits, b_bits) <= FACTOR_BITS
        kind = BlockMultiply if fits else Multiply
        return kind(a_bits=a_bits, b_bits=b_bits, b_signed=b_signed)

    def restart_add(self, *, width: int, term_bits: int, start: int = 0) -> RestartAdd:
        return CarryChainAdd(width=width, term_bits=term_bits, start=start)

    def or_add(self, *, widths: tuple[int, int]) -> OrAdd:
        return CarryChainOrAdd(widths=widths)

    def shift_left(self, *, width: int, places_bits: int) -> ShiftLeft:
        if not FABRIC_SHIFT_BITS < width <= FACTOR_BITS or 1 << places_bits > FACTOR_BITS:
            return super().shift_left(width=width, places_bits=places_bits)
        multiply = self.multiply(a_bits=width, b_bits=1 << places_bits)
        return MultiplyShift(width=width, places_bits=places_bits, multiply=multiply)
