"""The Verilog text of a component: plain Verilog-2005 that starts in every simulator."""

import os
import re
from typing import Any

from ..golden.errors import ConfigError, require
from .caches import keep_compiled

SETTLE = """\
  // Its event comes when every `always @*` waits for one, in Verilog and in SystemVerilog.
  reg settle;
`ifndef SYNTHESIS
  initial settle <= 1'b0;
`endif
"""
"""A declaration with a value is no event in SystemVerilog, and a block that waits for one would
hang until one of its inputs changes. A nonblocking assignment is an event, and comes last."""

_TRIGGER = r"\\\$auto\$verilog_backend\.cc:\d+:dump_module\$\d+ "
"""What yosys calls its own trigger, which does not fire in SystemVerilog."""

WAIVERS = {
    "DECLFILENAME": "one file holds all modules of a unit, so that it is one file to carry",
    "INITIALDLY": "an `always @*` starts by an event that comes after every process has started",
    "UNUSEDSIGNAL": "fields of a beat are named wires, whether or not all of them are read",
    "PROCASSINIT": "registers are declared with a value that reset gives them as well",
    "UNSIGNED": "a limit that a configuration cannot reach is compared with all the same",
    "VARHIDDEN": "a memory may have the name of the instance that holds it",
    "WIDTHEXPAND": "the Verilog writer leaves the extension of operands to the language",
    "WIDTHTRUNC": "the Verilog writer leaves the truncation of sums to the language",
}
"""Verilator's warnings that a unit's file turns off, and why."""


_START = re.compile(r"^( *reg (?:\[[^]]+\] )?\S+ ?) = \d+'\w+;", re.MULTILINE)
_CONTENTS = re.compile(r"^  initial begin\n(?: +(\w+)\[\d+\] = .*;\n)+  end\n", re.MULTILINE)
"""What gives a register, and a memory, the value that it starts with."""


def verilog_text(top: Any, name: str, *, starts: bool = True) -> str:
    """Verilog of a component, every module name prefixed with ``name``.

    Args:
        starts: registers, and memories that are written, start with a value; else with none.

    Raises:
        ConfigError: a name that is a keyword, or yosys failed.
    """
    os.environ["AMARANTH_USE_YOSYS"] = "builtin"  # the same bytes on every machine
    keep_compiled()
    from amaranth.back import verilog

    try:
        text = verilog.convert(top, name=name, emit_src=False, strip_internal_attrs=True)
    except verilog.YosysError as error:
        reason = (str(error).strip().splitlines() or ["it printed nothing"])[-1]
        raise ConfigError(f"yosys must write the Verilog, and failed: {reason}") from None
    text = text[text.index("\nmodule ") + 1 :]
    require(f"module {name}(" in text, f"name must not be a keyword of Verilog, as {name!r} is")
    modules = re.findall(r"^module \\(\S+) ", text, re.MULTILINE)
    # yosys joins module names with dots and escapes them; other tools stumble over that
    plain = {module: re.sub(r"\W+", "__", module) for module in modules}
    text = re.sub(r"\\(\S+) ", lambda m: f"{plain.get(m[1], m[0].rstrip())} ", text)
    # every case has a default; a statement's attribute is more than some parsers read
    text = re.sub(r"^ *\(\* full_case = 32'd1 \*\)\n", "", text, flags=re.MULTILINE)
    # a signal of no bits is declared, and used nowhere
    text = re.sub(r"^  wire \[-1:0\] .*;\n", "", text, flags=re.MULTILINE)
    return _started(text if starts else without_start(text))


def without_start(text: str) -> str:
    """The text without initial values but those of tables, which nothing writes."""

    def contents(module: str) -> str:
        written = set(re.findall(r"^ +(\w+)\[[^]]*\] +<= ", module, re.MULTILINE))
        return _CONTENTS.sub(lambda m: "" if m[1] in written else m[0], module)

    modules = re.split(r"^(?=module )", text, flags=re.MULTILINE)
    return _START.sub(r"\1;", "".join(map(contents, modules)))


def _started(text: str) -> str:
    """The text with a trigger that fires in both languages in place of yosys' own."""
    text = re.sub(rf"^  reg {_TRIGGER} = 0;\n", lambda _: SETTLE, text, flags=re.MULTILINE)
    text = re.sub(rf"\({_TRIGGER}\) begin end", "(settle) begin end", text)
    if re.search(_TRIGGER, text):
        raise RuntimeError("this version of yosys writes its trigger of `always @*` otherwise")
    return text


def with_waivers(text: str, waivers: dict[str, str]) -> str:
    """The text with some of Verilator's warnings turned off, and on after it.

    Args:
        waivers: the reason of each.
    """
    off = [f"/* verilator lint_off {name} */  // {why}" for name, why in waivers.items()]
    on = [f"/* verilator lint_on {name} */" for name in waivers]
    return "\n".join([*off, "", text.rstrip("\n"), "", *on]) + "\n"
