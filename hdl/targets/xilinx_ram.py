"""Block RAM of 18 Kbit as AMD's 7-series (RAMB18E1) and UltraScale+ (RAMB18E2) have it.

Of each nine bits of a word the ninth is kept apart, as parity: a word is its data and its parity.
"""

from dataclasses import dataclass

from amaranth.hdl import Cat, ClockSignal, Const, Instance, Module, Signal, Value

from .blocks import BlockRams, Write, in_words, wide

SHAPES = ((512, 36), (1024, 18), (2048, 9))
"""(words, bits) of a block. Narrower ones exist, but have no parity."""
PAIR_SHAPE = SHAPES[1]


@dataclass(frozen=True, slots=True)
class Block:
    """The block RAM of a family.

    Attributes:
        cell: its name.
        data_in, data_out: what its data ports are called, around the letter of the port.
        more: parameters and inputs that the other family has not.
        modes: it has a parameter RAM_MODE, ``SDP`` where the data of both ports are side by side.
    """

    cell: str
    data_in: str
    data_out: str
    more: dict[str, object]
    modes: bool

    def rams(self) -> BlockRams:
        """What tables and memories are made of."""
        return BlockRams(SHAPES, PAIR_SHAPE, self.read, self.read_halves)

    def read(
        self,
        m: Module,
        name: str,
        shape: tuple[int, int],
        address: Value,
        contents: list[int],
        write: Write | None,
    ) -> Value:
        """A block written through port B, if at all, and read through port A.

        The widest word takes the data of both ports, the lower half those of A.
        """
        bits = shape[1]
        both = bits == SHAPES[0][1]
        w_en, w_addr, word = write if write is not None else (Const(0, 1), Const(0), Const(0))
        data_bits = 8 * bits // 9
        data, parity = wide(word[:data_bits], 32), wide(word[data_bits:bits], 4)
        inputs = {"A": (data[:16], parity[:2]), "B": (data[16:], parity[2:])}
        if not both:
            inputs = {"A": (Const(0, 16), Const(0, 2)), "B": inputs["A"]}
        outputs = _outputs(name)
        m.submodules[name] = Instance(
            self.cell,
            **self._common(bits, contents, widths={"A": (bits, 0), "B": (0, bits)}),
            **_port("A", _address(address, bits), enable=Const(1), write=Const(0, 2)),
            **_port("B", _address(w_addr, bits), enable=w_en, write=Const(0b1111, 4)),
            **self._buses("i", self.data_in, inputs),
            **self._buses("o", self.data_out, outputs),
        )
        (data_a, parity_a), (data_b, parity_b) = outputs.values()
        if both:
            return Cat(data_a, data_b, parity_a, parity_b)
        return Cat(data_a[:data_bits], parity_a[: bits // 9])

    def read_halves(
        self, m: Module, contents: list[int], address_a: Value, address_b: Value
    ) -> tuple[Value, Value]:
        """A block whose lower half is read through port A, and its upper one through port B."""
        words, bits = PAIR_SHAPE
        half = (words // 2 - 1).bit_length()
        addresses = [
            _address(Cat(wide(address, half), Const(upper, 1)), bits)
            for upper, address in enumerate((address_a, address_b))
        ]
        outputs = _outputs("pair")
        nothing = (Const(0, 16), Const(0, 2))
        m.submodules.block = Instance(
            self.cell,
            **self._common(bits, contents, widths={"A": (bits, 0), "B": (bits, 0)}),
            **_port("A", addresses[0], enable=Const(1), write=Const(0, 2)),
            **_port("B", addresses[1], enable=Const(1), write=Const(0, 4)),
            **self._buses("i", self.data_in, {"A": nothing, "B": nothing}),
            **self._buses("o", self.data_out, outputs),
        )
        return Cat(*outputs["A"]), Cat(*outputs["B"])

    def _common(
        self, bits: int, contents: list[int], widths: dict[str, tuple[int, int]]
    ) -> dict[str, object]:
        """Parameters, the widths that each port reads and writes among them."""
        modes = {"p_RAM_MODE": "SDP" if bits == SHAPES[0][1] else "TDP"} if self.modes else {}
        return {
            **self.more,
            **modes,
            **{f"p_DO{port}_REG": 1 for port in "AB"},
            # the fastest; what a port reads while the other writes it is not promised by then
            **{f"p_WRITE_MODE_{port}": "WRITE_FIRST" for port in "AB"},
            **{f"p_READ_WIDTH_{port}": read for port, (read, _) in widths.items()},
            **{f"p_WRITE_WIDTH_{port}": written for port, (_, written) in widths.items()},
            **_initial("INIT", [word & (1 << 8 * bits // 9) - 1 for word in contents],
                       8 * bits // 9, rows=64),
            **_initial("INITP", [word >> 8 * bits // 9 for word in contents],
                       bits // 9, rows=8),
        }  # fmt: skip

    def _buses(
        self, direction: str, name: str, values: dict[str, tuple[Value, Value]]
    ) -> dict[str, Value]:
        """Connections of the data and the parity of both ports."""
        return {
            f"{direction}_{name}{kind}{port}{name}{kind}": value
            for port, words in values.items()
            for kind, value in zip(("", "P"), words, strict=True)
        }


def _outputs(name: str) -> dict[str, tuple[Value, Value]]:
    """What the two ports of a block read, data and parity."""
    return {
        port: (Signal(16, name=f"{name}_data_{port}"), Signal(2, name=f"{name}_parity_{port}"))
        for port in "AB"
    }


def _port(port: str, address: Value, *, enable: Value, write: Value) -> dict[str, Value]:
    """Connections of a port, but for its data; its output register is always enabled."""
    clocked = {
        "A": ("ARD", "RAMARSTRAM", "REGARSTREG", "AREGCE"),
        "B": ("BWR", "RAMB", "REGB", "B"),
    }
    name, reset_ram, reset_register, register_enable = clocked[port]
    return {
        f"i_CLK{name}CLK": ClockSignal(),
        f"i_EN{name}EN": enable,
        f"i_REGCE{register_enable}": Const(1),
        f"i_RST{reset_ram}": Const(0),
        f"i_RST{reset_register}": Const(0),
        f"i_ADDR{name}ADDR": address,
        f"i_WE{'A' if port == 'A' else 'BWE'}": write,
    }


def _address(address: Value, bits: int) -> Value:
    """A word's address among bits, of which the parity has none."""
    unused = {36: 5, 18: 4, 9: 3}[bits]
    return wide(Cat(Const(0, unused), address), 14)


def _initial(name: str, contents: list[int], bits: int, rows: int) -> dict[str, Value]:
    """Contents as parameters of 256 bits; those that are 0 may be left out."""
    return {
        f"p_{name}_{row:02X}": Const(value, 256)
        for row, value in enumerate(in_words(contents, bits, 256, rows))
        if value
    }


RAMB18E1 = Block("RAMB18E1", "DI", "DO", {"p_SIM_DEVICE": "7SERIES"}, modes=True)
RAMB18E2 = Block(
    "RAMB18E2",
    "DIN",
    "DOUT",
    {
        "p_CLOCK_DOMAINS": "COMMON",
        **{f"i_ADDREN{port}": Const(1) for port in "AB"},
        "i_SLEEP": Const(0),
        # of a cascade, in which the block is not
        **{
            f"i_CAS{name}{port}": Const(0)
            for name in ("DIMUX", "DOMUX", "OREGIMUX")
            for port in "AB"
        },
        **{f"i_CAS{name}EN_{port}": Const(1) for name in ("DOMUX", "OREGIMUX") for port in "AB"},
        **{f"i_CASDIN{port}": Const(0, 16) for port in "AB"},
        **{f"i_CASDINP{port}": Const(0, 2) for port in "AB"},
    },
    modes=False,
)
