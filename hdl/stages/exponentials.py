"""exp of every element of a beat, and what else of the element goes on with it."""

from amaranth.hdl import Module, ShapeLike, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ...golden.config import SoftmaxConfig
from ...golden.stages.exp import ExpTable
from ..parts.pipeline import delay, register
from ..targets.generic import GENERIC, Target
from .exp import Contents, Exp


def element_shapes(config: SoftmaxConfig, contents: Contents) -> dict[str, ShapeLike]:
    """What of an element can go on: ``mantissa``, ``exponent``, ``active``: it takes part;
    ``distance``: how far it lies below the maximum, or the fixed code; ``x``: its code."""
    return {
        "mantissa": config.widths.mantissa_bits,
        "exponent": contents.exponent_bits,
        "active": 1,
        "distance": config.path.farthest.bit_length(),
        "x": signed(config.input.width),
    }


def element_layout(
    config: SoftmaxConfig, contents: Contents, fields: tuple[str, ...]
) -> data.StructLayout:
    """Some fields of an element, see :func:`element_shapes`."""
    shapes = element_shapes(config, contents)
    return data.StructLayout({name: shapes[name] for name in fields})


class Exponentials(wiring.Component):
    """The lanes that both datapaths have.

    Latency that of :class:`Exp`, one beat per cycle.

    Args:
        fields: what of an element goes on, see :func:`element_shapes`.

    Members:
        address: of the exp tables, see :class:`Contents`, of every lane.
        active, and distance and x where they are fields: of every lane.
        mantissa, exponent: exp of every lane. o_active: as ``active``, with them.
        next_exponent, next_active: exponents and ``o_active``, a cycle ahead.
        early_exponent, early_active: the same, :meth:`Exp.ahead_of` cycles ahead.
        elements: the fields, of every lane.
    """

    def __init__(
        self,
        *,
        config: SoftmaxConfig,
        golden: ExpTable,
        contents: Contents,
        fields: tuple[str, ...],
        target: Target = GENERIC,
    ):
        self._golden, self._contents, self._target = golden, contents, target
        self._travels = [name for name in ("distance", "x") if name in fields]
        self._element = element_layout(config, contents, fields)
        shapes = element_shapes(config, contents)
        of_lanes = {name: data.ArrayLayout(shapes[name], config.lanes) for name in shapes}
        super().__init__(
            {
                "address": In(data.ArrayLayout(sum(contents.bits), config.lanes)),
                "active": In(config.lanes),
                **{name: In(of_lanes[name]) for name in self._travels},
                "mantissa": Out(of_lanes["mantissa"]),
                "exponent": Out(of_lanes["exponent"]),
                "next_exponent": Out(of_lanes["exponent"]),
                "early_exponent": Out(of_lanes["exponent"]),
                "early_active": Out(config.lanes),
                "next_active": Out(config.lanes),
                "o_active": Out(config.lanes),
                "elements": Out(data.ArrayLayout(self._element, config.lanes)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        latency = Exp.latency_of(self._golden)
        ahead = Exp.ahead_of(self._golden, self._contents)
        early = delay(m, self.active, latency - ahead, name="early_active", reset=True)
        soon = delay(m, early, ahead - 1, name="next_active", reset=True)
        active = register(m, soon, name="active", reset=True)
        m.d.comb += [
            self.early_active.eq(early),
            self.next_active.eq(soon),
            self.o_active.eq(active),
        ]
        for lane, element in enumerate(self.elements):
            m.submodules[f"exp{lane}"] = exp = Exp(
                golden=self._golden, contents=self._contents, target=self._target
            )
            fields = {"mantissa": exp.mantissa, "exponent": exp.exponent, "active": active[lane]}
            for name in self._travels:
                value = getattr(self, name)[lane]
                fields[name] = delay(m, value, latency, name=f"{name}{lane}")
            m.d.comb += [
                exp.i.eq(self.address[lane]),
                self.mantissa[lane].eq(exp.mantissa),
                self.exponent[lane].eq(exp.exponent),
                self.next_exponent[lane].eq(exp.next_exponent),
                self.early_exponent[lane].eq(exp.early_exponent),
                *(element[name].eq(fields[name]) for name in self._element.members),
            ]
        return m
