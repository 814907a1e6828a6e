"""Numbers as a picture and a table tell them."""

import re
from collections.abc import Callable
from math import isfinite, isnan

from ..types import Reals

MINUS = "\N{MINUS SIGN}"

SHOWN = 4
"""Elements of a row that are shown one by one."""

NOTHING = 1e-13
"""Below this share of the largest gradient, a gradient is what float rounding left of 0."""


def decimal(x: float, digits: int = 3) -> str:
    """A number in few characters; the powers of ten of tiny and huge ones are kept."""
    if isnan(x):
        return "nan"
    if not isfinite(x):
        return "∞" if x > 0 else f"{MINUS}∞"
    if x == 0:
        return "0"
    if 10**digits > abs(x) >= 0.001:
        text = f"{x:.{digits}g}"
    elif 10_000 > abs(x) >= 1:
        text = f"{x:.0f}"
    else:
        text = re.sub(r"e([+-])0*", r"e\1", f"{x:.1e}").replace("e+", "e")
    return text.replace("-", MINUS)


def value_lines(values: Reals) -> list[str]:
    """A short row element by element; of a longer one the first two, and the last."""
    return _lines(values, decimal)


def difference_lines(difference: Reals | None) -> list[str]:
    """Differences in LSB, a line for each line of the value; none where all are 0."""
    if difference is None or not difference.any():
        return []
    return _lines(difference, _signed)


def gradient_lines(gradient: Reals, largest: float) -> list[str]:
    """Gradients likewise, where ``largest`` is the largest of the whole graph."""

    def text(x: float) -> str:
        return "≈0" if 0 < abs(x) < NOTHING * largest else decimal(x, 2)

    return _lines(gradient, text)


def _signed(x: float) -> str:
    text = decimal(x, 2)
    return f"+{text}" if x > 0 else text


def _lines(array: Reals, text: Callable[[float], str]) -> list[str]:
    lines = [text(x) for x in array.ravel().tolist()]
    return lines if len(lines) <= SHOWN else [*lines[:2], "⋮", lines[-1]]
