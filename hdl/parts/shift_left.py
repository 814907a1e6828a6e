"""A number moved to the left by a number of places."""

from amaranth.hdl import Cat, Const, Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .multiply import Multiply
from .pipeline import delay, register


class ShiftLeft(wiring.Component):
    """``i << places``. Latency 4 cycles, one number per cycle: a multiplier can take the place of
    the LUTs, with a register after it.

    Members: i: a number. places: of the number that comes with the next cycle. o: the moved number.
    """

    latency = Multiply.latency + 1

    def __init__(self, *, width: int, places_bits: int):
        super().__init__(
            {
                "i": In(width),
                "places": In(places_bits),
                "o": Out(width + (1 << places_bits) - 1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        fine = min(2, len(self.places))
        places = register(m, self.places, name="places")
        moved = register(m, self.i << places[:fine], name="fine")
        coarse = Cat(Const(0, fine), register(m, places[fine:], name="coarse_places"))
        moved = (moved << coarse)[: len(self.o)]
        m.d.comb += self.o.eq(delay(m, moved, self.latency - 1, name="coarse"))
        return m


class MultiplyShift(ShiftLeft):
    """The same, as a multiplication by a power of 2."""

    def __init__(self, *, width: int, places_bits: int, multiply: Multiply):
        super().__init__(width=width, places_bits=places_bits)
        self._multiply = multiply

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.multiply = multiply = self._multiply
        m.d.comb += [
            multiply.a.eq(self.i),
            multiply.b.eq(register(m, Const(1) << self.places, name="power")),
            self.o.eq(register(m, multiply.o, name="moved")),
        ]
        return m
