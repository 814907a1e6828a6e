"""Lattice ECP5: block RAM with its output registers, multipliers with all their registers.

Synthesis infers block RAM and multipliers from portable Verilog too, but leaves their registers
outside, and the way from a block RAM without one is longer than most of the logic behind it.
"""

from typing import Any

from amaranth.hdl import Cat, ClockSignal, Const, Instance, Module, Signal, Value

from ..parts.multiply import Multiply
from ..parts.or_add import OrAdd
from ..parts.restart_add import RestartAdd
from ..parts.rom import CaseRom, Rom, RomPair, Table
from ..parts.shift_left import MultiplyShift, ShiftLeft
from ..parts.two_port import TwoPort
from .generic import Target

BLOCK_SHAPES = ((512, 36), (1024, 18), (2048, 9))
"""(words, bits) of a block RAM. Narrower ones exist, but leave its ninth bits unused."""
FACTOR_BITS = 18
"""Width of a multiplier's operands."""
LUT_BITS = 900
"""Tables of up to so many bits are made of LUTs: a block RAM would be 95 % empty."""
FABRIC_SHIFT_BITS = 12
"""Numbers up to this width are shifted in LUTs, wider ones by a multiplier."""


class Ecp5(Target):
    """ECP5 primitives where they fit, portable Verilog elsewhere."""

    name = "ecp5"

    def rom(self, *, entries: list[int], width: int) -> Rom:
        if len(entries) * width <= LUT_BITS:
            return CaseRom(entries=entries, width=width)
        fits = len(entries) <= BLOCK_SHAPES[-1][0]
        return (BlockRom if fits else Rom)(entries=entries, width=width)

    def rom_pair(self, a: Table, b: Table) -> RomPair:
        words, bits = BLOCK_SHAPES[1]
        if max(a[1], b[1]) > bits or max(len(a[0]), len(b[0])) > words // 2:
            return super().rom_pair(a, b)
        return BlockRomPair(a, b)

    def two_port(self, *, width: int, depth: int) -> TwoPort:
        fits = depth <= BLOCK_SHAPES[-1][0]
        return (BlockTwoPort if fits else TwoPort)(width=width, depth=depth)

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


class CarryChainOrAdd(OrAdd):
    """A chain of CCU2C: a cell's LUT has room for an OR of each addend."""

    # inputs {D, C, B, A}: b's two numbers and a's; where they are the same, the carry is A | B
    DIFFERENT = sum(1 << i for i in range(16) if bool(i & 3) != bool(i >> 2))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        width = len(self.o) + len(self.o) % 2
        numbers = {f"i_{p}": _wide(getattr(self, n), width)
                   for p, n in zip("ABCD", ("a0", "a1", "b0", "b1"), strict=True)}  # fmt: skip
        chain = [
            {**{name: number[bit] for name, number in numbers.items()}, "p_INIT": self.DIFFERENT}
            for bit in range(width)
        ]
        m.d.comb += self.o.eq(_carry_chain(m, chain, carry=0))
        return m


class CarryChainAdd(RestartAdd):
    """A chain of CCU2C: a cell's LUT has room for the gate before its adder."""

    # inputs {D, C, B, A}; the sum's bit is A ^ (C & D), and where that is 0 the carry is A
    FROM_0 = 0x5AAA
    # likewise A ^ (C | D)
    FROM_1 = 0x555A

    def elaborate(self, platform: object) -> Module:
        m = Module()
        width = len(self.o) + len(self.o) % 2
        running, term = _wide(self.running, width), _wide(self.term, width)
        chain = []
        for bit in range(width):
            starts = self._start >> bit & 1
            chain.append(
                {
                    "i_A": term[bit],
                    "i_B": Const(1),
                    "i_C": running[bit],
                    "i_D": ~self.goes_on if starts else self.goes_on,
                    "p_INIT": self.FROM_1 if starts else self.FROM_0,
                }
            )
        m.d.comb += self.o.eq(_carry_chain(m, chain, carry=0))
        return m


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
            **_bus("i_A", _wide(self.a, FACTOR_BITS)),
            **_bus("i_B", _wide(self.b, FACTOR_BITS)),
            **_bus("i_C", Const(0, FACTOR_BITS)),
            **{f"i_{name}": Const(0) for name in ("SIGNEDA", "SOURCEA", "SOURCEB")},
            i_SIGNEDB=Const(Value.cast(self.b).shape().signed, 1),
            **_bus("o_P", product),
        )
        m.d.comb += self.o.eq(product)
        return m


class BlockRom(Rom):
    """A table in block RAMs side by side."""

    def elaborate(self, platform: object) -> Module:
        m = Module()
        words, bits = _shape(len(self._entries))
        for j, low in enumerate(range(0, self._width, bits)):
            mask = (1 << bits) - 1
            slices = [entry >> low & mask for entry in self._entries]
            read = _read_block(m, f"block{j}", (words, bits), self.i, contents=slices)
            m.d.comb += self.o[low : low + bits].eq(read)
        return m


class BlockTwoPort(TwoPort):
    """A memory in block RAMs side by side."""

    def elaborate(self, platform: object) -> Module:
        m = Module()
        shape = _shape(self._depth)
        for j, low in enumerate(range(0, self._width, shape[1])):
            write = (self.w_en, self.w_addr, self.i[low : low + shape[1]])
            read = _read_block(m, f"block{j}", shape, self.r_addr, write=write)
            m.d.comb += self.o[low : low + shape[1]].eq(read)
        return m


class BlockRomPair(RomPair):
    """Two tables in the two halves of one block RAM, each read through a port of its own."""

    def elaborate(self, platform: object) -> Module:
        m = Module()
        words, bits = BLOCK_SHAPES[1]
        half = words // 2
        (a, _), (b, _) = self._tables.values()
        contents = [*a, *[0] * (half - len(a)), *b]
        read_a, read_b = Signal(bits), Signal(bits)
        m.submodules.block = Instance(
            "DP16KD",
            **_common(bits, contents),
            **_read_port("A", Cat(_wide(self.i_a, 9), Const(0, 1)), bits),
            **_read_port("B", Cat(_wide(self.i_b, 9), Const(1, 1)), bits),
            **_bus("o_DOA", read_a),
            **_bus("o_DOB", read_b),
        )
        m.d.comb += [self.o_a.eq(read_a), self.o_b.eq(read_b)]
        return m


def _carry_chain(m: Module, chain: list[dict[str, Any]], *, carry: int) -> Value:
    """The sums of an even number of bits, lowest first, each with its LUT's inputs and contents."""
    total, carry_in = Signal(len(chain)), Value.cast(Const(carry, 1))
    for low in range(0, len(chain), 2):
        carry_out = Signal(name=f"carry{low + 2}")
        ports = {f"{name}{j}": v for j in (0, 1) for name, v in chain[low + j].items()}
        ports |= {f"p_INIT{j}": Const(ports[f"p_INIT{j}"], 16) for j in (0, 1)}
        ports |= {f"o_S{j}": total[low + j] for j in (0, 1)}
        injects = {f"p_INJECT1_{j}": "NO" for j in (0, 1)}
        m.submodules[f"bits{low}"] = Instance(
            "CCU2C", **ports, **injects, i_CIN=carry_in, o_COUT=carry_out
        )
        carry_in = carry_out
    return total


def _shape(depth: int) -> tuple[int, int]:
    """The widest block RAM that is deep enough."""
    return next(shape for shape in BLOCK_SHAPES if shape[0] >= depth)


def _read_block(
    m: Module,
    name: str,
    shape: tuple[int, int],
    address: Value,
    *,
    contents: list[int] | None = None,
    write: tuple[Value, Value, Value] | None = None,
) -> Value:
    """A block RAM written through port A, if at all, and read through port B."""
    bits = shape[1]
    read = Signal(36, name=f"{name}_read")
    w_en, w_addr, word = write if write is not None else (Const(0, 1), Const(0), Const(0))
    word = _wide(word, 36)
    # the lowest address bits of a wide port enable its bytes; the widest port has no other enable
    bytes_on = {36: Cat(w_en.replicate(4), Const(0, 1)), 18: Const(0b0011, 4), 9: Const(0, 3)}
    m.submodules[name] = Instance(
        "DP16KD",
        **_common(bits, contents or []),
        p_WRITEMODE_A="NORMAL",
        i_CLKA=ClockSignal(),
        i_WEA=Const(1) if bits == 36 else w_en,
        i_CEA=Const(1),
        i_OCEA=Const(1),
        i_RSTA=Const(0),
        **_bus("i_ADA", _wide(Cat(bytes_on[bits], w_addr), 14)),
        **_bus("i_DIA", word[:18]),
        **_bus("i_DIB", word[18:]),
        **_read_port("B", address, bits),
        **_bus("o_DOA", read[:18] if bits == 36 else Signal(18, name=f"{name}_unused")),
        **_bus("o_DOB", read[18:] if bits == 36 else read[:18]),
    )
    return read[:bits]


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
    flat = sum(word << bits * place for place, word in enumerate(contents))
    words = [flat >> 18 * place & 0x3FFFF for place in range(1024)]
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
        **_bus(f"i_AD{port}", _wide(Cat(Const(0, unused), address), 14)),
    }


def _wide(value: Value, width: int) -> Value:
    """A value with leading zeros, or copies of its sign."""
    if len(value) >= width:
        return value[:width]
    top = value[-1] if value.shape().signed else Const(0, 1)
    return Cat(value, top.replicate(width - len(value)))


def _bus(name: str, value: Value) -> dict[str, Value]:
    """The single-bit ports that make up a bus of a primitive."""
    return {f"{name}{bit}": value[bit] for bit in range(len(value))}
