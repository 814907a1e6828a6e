"""Lattice ECP5: adders as chains of CCU2C, whose LUTs have room before them."""

from typing import Any

from amaranth.hdl import Const, Instance, Module, Signal, Value

from ..parts.or_add import OrAdd
from ..parts.restart_add import RestartAdd
from .blocks import wide


class CarryChainAdd(RestartAdd):
    """A chain of CCU2C: a cell's LUT has room for the gate before its adder."""

    # inputs {D, C, B, A}; the sum's bit is A ^ (C & D), and where that is 0 the carry is A
    FROM_0 = 0x5AAA
    # likewise A ^ (C | D)
    FROM_1 = 0x555A

    def elaborate(self, platform: object) -> Module:
        m = Module()
        width = len(self.o) + len(self.o) % 2
        running, term = wide(self.running, width), wide(self.term, width)
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


class CarryChainOrAdd(OrAdd):
    """A chain of CCU2C: a cell's LUT has room for an OR of each addend."""

    # inputs {D, C, B, A}: b's two numbers and a's; where they are the same, the carry is A | B
    DIFFERENT = sum(1 << i for i in range(16) if bool(i & 3) != bool(i >> 2))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        width = len(self.o) + len(self.o) % 2
        numbers = {f"i_{p}": wide(getattr(self, n), width)
                   for p, n in zip("ABCD", ("a0", "a1", "b0", "b1"), strict=True)}  # fmt: skip
        chain = [
            {**{name: number[bit] for name, number in numbers.items()}, "p_INIT": self.DIFFERENT}
            for bit in range(width)
        ]
        m.d.comb += self.o.eq(_carry_chain(m, chain, carry=0))
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
