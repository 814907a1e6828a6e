"""The spellings of a fixed-point format that people bring from their tools.

Every format here rounds half up and saturates. A spelling that names another behaviour is refused:
what the hardware gives would not be what was asked for.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

READ = "SQ(5, 11), UQ(0, 16), Q5.11 or ap_fixed<16,5>"

_HAS = (
    ("RND", "round half up (AP_RND)", ("RND_CONV", "RND_INF", "RND_MIN_INF", "RND_ZERO", "TRN",
                                       "TRN_ZERO")),
    ("SAT", "saturate (AP_SAT)", ("SAT_SYM", "SAT_ZERO", "WRAP", "WRAP_SM")),
)  # fmt: skip
"""The hardware's mode of rounding and of overflow, what that is in words, and modes it lacks."""


class Spelled(NamedTuple):
    """What was spelled: signed, integer bits counting the sign, fraction bits."""

    signed: bool
    i: int
    f: int


def spelled(text: str) -> Spelled:
    """Read a spelling; capitals and spaces do not matter.

    - ``SQ(5, 11)``, ``UQ(0, 16)``, ``Q5.11``: integer bits counting the sign, fraction bits.
    - ``ap_fixed<16,5>``, ``ap_ufixed``, ``fixed``, ``ufixed``: the whole width, integer bits
      counting the sign. Modes must be (AP_)RND and (AP_)SAT where they are named.
    - ``ac_fixed<16,5,true>``: likewise, then whether it is signed. Modes: AC_RND and AC_SAT.
    - ``fixdt(1,16,11)``, ``sfix16_En11``, ``ufix16_En16``: the whole width, fraction bits.

    Raises:
        ValueError: any other spelling, or modes that the hardware does not have.
    """
    words = "".join(text.split()) if isinstance(text, str) else ""
    for pattern, read in _SPELLINGS:
        if match := re.fullmatch(pattern, words, re.IGNORECASE | re.ASCII):
            _require_modes((match.groupdict().get("modes") or "").upper().split(",")[1:], text)
            return read(match)
    raise _unread(text)


def _unread(text: str) -> ValueError:
    return ValueError(f"format must be spelled like {READ}, not {text!r}")


def _require_modes(modes: list[str], text: str) -> None:
    """Refuse modes that the hardware does not have; ``ap_fixed`` may end in 0 saturation bits."""
    if len(modes) > 2 and modes.pop() != "0":
        raise _unread(text)
    for mode, (needed, in_words, others) in zip(modes, _HAS, strict=False):
        name = mode.removeprefix("AP_").removeprefix("AC_")
        if name in others:
            raise ValueError(
                f"format must {in_words}, which is what the hardware does, not {mode}, as in "
                f"{text!r}"
            )
        if name != needed:
            raise _unread(text)


def _with_fraction(match: re.Match[str]) -> Spelled:
    return Spelled(match["kind"].upper() != "UQ", int(match["i"]), int(match["f"]))


def _with_integer_bits(match: re.Match[str]) -> Spelled:
    """The fraction is what is left of the width."""
    signed = not match["unsigned"] and (match["signed"] or "1").lower() in ("1", "true")
    return Spelled(signed, int(match["i"]), int(match["width"]) - int(match["i"]))


def _with_width(match: re.Match[str]) -> Spelled:
    """The integer bits are what is left of the width."""
    f = int(match["f"] or 0)
    return Spelled(match["signed"].lower() in ("1", "true", "s"), int(match["width"]) - f, f)


_MODES = r"(?P<modes>(?:,\w+){0,3})"
_WIDTH = r"(?P<width>\d{1,6})"
_WHOLE = r"(?P<i>-?\d{1,6})"
_FRACTION = r"(?P<f>\d{1,6})"
_SPELLINGS: tuple[tuple[str, Callable[[re.Match[str]], Spelled]], ...] = (
    (rf"(?P<kind>[SU]?Q)\((?P<i>\d{{1,6}}),{_FRACTION}\)", _with_fraction),
    (rf"(?P<kind>[SU]?Q)(?P<i>\d{{1,6}})\.{_FRACTION}", _with_fraction),
    (rf"(?:ap_)?(?P<unsigned>u?)fixed<{_WIDTH},{_WHOLE}(?P<signed>){_MODES}>", _with_integer_bits),
    (
        rf"(?P<unsigned>)ac_fixed<{_WIDTH},{_WHOLE}(?:,(?P<signed>true|false|0|1){_MODES})?>",
        _with_integer_bits,
    ),
    (rf"(?:fixdt|numerictype)\((?P<signed>[01]|true|false),{_WIDTH},{_FRACTION}\)", _with_width),
    (rf"(?P<signed>[su])fix{_WIDTH}(?:_En{_FRACTION})?", _with_width),
)
