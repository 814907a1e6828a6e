"""Readable names of coverage points.

A signal that yosys has named ``$17`` goes by what it computes, since its number changes with every
export.
"""

import re

from .sidecar import Unit


class Names:
    """Names of the points of a unit, from its Verilog."""

    IDLE = r"\bsettle\b"
    """A register that wakes up combinational blocks; it is no hardware."""

    def __init__(self, unit: Unit):
        text = unit.verilog.read_text()
        self._top = unit.top
        self._lines = text.split("\n")
        self._meaning = {
            (body.split("(")[0].split()[0], name): meaning
            for body in re.split(r"^module ", text, flags=re.MULTILINE)[1:]
            for name, meaning in _meanings(body).items()
        }

    def idle(self, fields: dict[str, str]) -> bool:
        """Whether the point is about no hardware."""
        toggles = fields["page"].startswith("v_toggle")
        text = _plain(fields["o"]) if toggles else self._lines[int(fields["l"]) - 1]
        return re.search(self.IDLE, text) is not None

    def describe(self, fields: dict[str, str]) -> tuple[str, str, str, str]:
        """(kind, module, name, what) of a point."""
        page, module = fields["page"].split("/", 1)
        place = module.removeprefix(self._top).strip("_").replace("__", ".") or "top"
        if page != "v_toggle":
            line = self._lines[int(fields["l"]) - 1].strip()
            return "line", place, line, f"line {fields['l']}, {fields['o']}"
        signal, bit, edge = re.findall(r"^(.*?)((?:\[\d+\])?):(\S+)$", _plain(fields["o"]))[0]
        meaning = self._meaning.get((module, signal), _unnumbered(signal))
        return "toggle", place, meaning, f"{bit} {edge}".strip()


def _plain(name: str) -> str:
    """A Verilog name as it was before Verilator has encoded it."""
    return re.sub(r"__0([0-9a-fA-F]{2})", lambda code: chr(int(code[1], 16)), name)


def _unnumbered(name: str) -> str:
    """A name without the number that yosys has added to it."""
    return re.sub(r"(?<=\w)(\$\d+)+", "", name)


def _meanings(body: str) -> dict[str, str]:
    """What the anonymous signals of a module's text compute."""
    found = {name: f"next {target}" for target, name in _NEXT.findall(body)}
    found |= dict(_ASSIGN.findall(body))
    return {name: _unnumbered(_expanded(text, found)) for name, text in found.items()}


def _expanded(text: str, meanings: dict[str, str], depth: int = 2) -> str:
    """An expression, the anonymous signals in it replaced by what they compute."""
    text = text.replace("\\", "")
    text = re.sub(r"(\S+) (\[\d+\])(, \1 \2)+", r"signs of \1 \2", text)
    if depth:
        for name in set(re.findall(r"(?<!\w)\$\d+", text)) & meanings.keys():
            inner = _expanded(meanings[name], meanings, depth - 1)
            text = re.sub(rf"(?<!\w){re.escape(name)}(?!\d) ?", lambda _, i=inner: f"({i})", text)
    return text


_NEXT = re.compile(r"^ +(\S+) +<= +\\(\$\d+) ;$", re.MULTILINE)
_ASSIGN = re.compile(r"^ +assign \\(\$\d+) += (.*);$", re.MULTILINE)
