"""Tables and memories in a device's block RAMs side by side, whatever these are called."""

from collections.abc import Callable
from dataclasses import dataclass

from amaranth.hdl import Cat, Const, Module, Value

from ..parts.rom import CaseRom, Rom, RomPair, Table
from ..parts.two_port import TwoPort
from .generic import Target

Write = tuple[Value, Value, Value]
"""Enable, address and word."""


@dataclass(frozen=True, slots=True)
class BlockRams:
    """The block RAMs of a device, with the register at their output.

    Attributes:
        shapes: (words, bits) of one that is written through a port and read through another,
            the widest first.
        pair: (words, bits) of one that is read through two ports.
        block: adds one of a name to a module, and gives the word that it reads, 2 cycles after its
            address; of the module, the name, the shape, the address, and contents or a port that
            writes.
        two_blocks: adds one whose two halves are read side by side; of the module, the contents,
            and the address in each half.
    """

    shapes: tuple[tuple[int, int], ...]
    pair: tuple[int, int]
    block: Callable[[Module, str, tuple[int, int], Value, list[int], Write | None], Value]
    two_blocks: Callable[[Module, list[int], Value, Value], tuple[Value, Value]]

    def shape(self, depth: int) -> tuple[int, int]:
        """The widest block RAM that is deep enough."""
        return next(shape for shape in self.shapes if shape[0] >= depth)

    def fit(self, depth: int) -> bool:
        """Whether one is deep enough."""
        return depth <= self.shapes[-1][0]

    def fit_pair(self, a: Table, b: Table) -> bool:
        """Whether each table fits in a half of one."""
        words, bits = self.pair
        return max(a[1], b[1]) <= bits and max(len(a[0]), len(b[0])) <= words // 2


class BlockRom(Rom):
    """A table in block RAMs side by side."""

    def __init__(self, rams: BlockRams, *, entries: list[int], width: int):
        super().__init__(entries=entries, width=width)
        self._rams = rams

    def elaborate(self, platform: object) -> Module:
        m = Module()
        shape = self._rams.shape(len(self._entries))
        for j, low in enumerate(range(0, self._width, shape[1])):
            mask = (1 << shape[1]) - 1
            slices = [entry >> low & mask for entry in self._entries]
            read = self._rams.block(m, f"block{j}", shape, self.i, slices, None)
            m.d.comb += self.o[low : low + shape[1]].eq(read)
        return m


class BlockTwoPort(TwoPort):
    """A memory in block RAMs side by side."""

    def __init__(self, rams: BlockRams, *, width: int, depth: int):
        super().__init__(width=width, depth=depth)
        self._rams = rams

    def elaborate(self, platform: object) -> Module:
        m = Module()
        shape = self._rams.shape(self._depth)
        for j, low in enumerate(range(0, self._width, shape[1])):
            write = (self.w_en, self.w_addr, self.i[low : low + shape[1]])
            read = self._rams.block(m, f"block{j}", shape, self.r_addr, [], write)
            m.d.comb += self.o[low : low + shape[1]].eq(read)
        return m


class BlockRomPair(RomPair):
    """Two tables in the two halves of one block RAM, each read through a port of its own."""

    def __init__(self, rams: BlockRams, a: Table, b: Table):
        super().__init__(a, b)
        self._rams = rams

    def elaborate(self, platform: object) -> Module:
        m = Module()
        (a, _), (b, _) = self._tables.values()
        contents = [*a, *[0] * (self._rams.pair[0] // 2 - len(a)), *b]
        read_a, read_b = self._rams.two_blocks(m, contents, self.i_a, self.i_b)
        m.d.comb += [self.o_a.eq(read_a), self.o_b.eq(read_b)]
        return m


class BlockRamTarget(Target):
    """Block RAM wherever a table or a memory is worth one and fits in one.

    Attributes:
        rams: what the device has.
    """

    rams: BlockRams

    def in_luts(self, entries: int, width: int) -> bool:
        """Whether a table is made of LUTs."""
        raise NotImplementedError

    def rom(self, *, entries: list[int], width: int) -> Rom:
        if self.in_luts(len(entries), width):
            return CaseRom(entries=entries, width=width)
        if not self.rams.fit(len(entries)):
            return super().rom(entries=entries, width=width)
        return BlockRom(self.rams, entries=entries, width=width)

    def rom_pair(self, a: Table, b: Table) -> RomPair:
        if not self.rams.fit_pair(a, b):
            return super().rom_pair(a, b)
        return BlockRomPair(self.rams, a, b)

    def two_port(self, *, width: int, depth: int) -> TwoPort:
        if not self.rams.fit(depth):
            return super().two_port(width=width, depth=depth)
        return BlockTwoPort(self.rams, width=width, depth=depth)


def in_words(contents: list[int], bits: int, word_bits: int, words: int) -> list[int]:
    """Contents of ``bits`` bits an entry as a block's words of ``word_bits`` bits."""
    flat = sum(entry << bits * place for place, entry in enumerate(contents))
    return [flat >> word_bits * place & ((1 << word_bits) - 1) for place in range(words)]


def wide(value: Value, width: int) -> Value:
    """A value with leading zeros, or copies of its sign, or cut to the width."""
    if len(value) >= width:
        return value[:width]
    top = value[-1] if value.shape().signed else Const(0, 1)
    return Cat(value, top.replicate(width - len(value)))
