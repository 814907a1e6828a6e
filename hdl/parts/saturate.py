"""Saturation without a choice between values."""

from amaranth.hdl import Cat, Module, Mux, Value

from .pipeline import delay, register


def saturating(
    m: Module, total: Value, bits: int, *, name: str, early: Value | None = None
) -> tuple[Value, Value]:
    """(``total`` saturated to ``bits`` bits, 2 cycles later; whether it was, 1 cycle later).

    At a limit, the bits below the sign are all 0 or all 1. A register that is cleared or set costs
    no LUT, where a choice costs one a bit; so each limit gets a cycle.

    Args:
        total: a signed number.
        early: of a total that is known late: bits that are neither all equal, with the highest one
            set, where and only where the total is the least code or below it.
    """
    largest = (1 << (bits - 1)) - 1
    upper = total[bits - 1 :]
    known = upper if early is None else early
    clear = known[-1] & ~known.all()
    low = register(m, Mux(clear, 0, total[: bits - 1]), name=f"{name}_low")
    sign = register(m, total[-1], name=f"{name}_sign")
    if early is None:
        above = register(m, ~upper[-1] & upper.any(), name=f"{name}_above")
        below = register(m, clear, name=f"{name}_below")
    else:
        top = register(m, upper, name=f"{name}_top")
        above, below = ~top[-1] & top.any(), top[-1] & ~top.all()
    # a register that can be set to a value must start with it on some devices
    code = register(m, Mux(above, largest, low)[: bits - 1], name=name, init=largest)
    return Cat(code, delay(m, sign, 1, name=f"{name}_sign")).as_signed(), above | below
