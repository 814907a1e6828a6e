"""Our models of devices' blocks against plain Verilog: as yosys infers them, and as written.

Every design has the same ports: a clock, random stimulus, and what it computes. Two versions of
each run side by side and are compared in every cycle.
"""

import re
import subprocess
from pathlib import Path

import numpy as np
import pytest

from softmaxfx.fpga.cells import cell_models
from softmaxfx.fpga.device import device
from softmaxfx.fpga.export import TARGETS
from softmaxfx.fpga.tools import run_tool
from softmaxfx.fpga.verilog import verilog_text
from softmaxfx.hdl.targets.generic import GENERIC, Target
from softmaxfx.sim.plain import is_plain, plain_paths
from softmaxfx.sim.simulator import build_once
from softmaxfx.sim.store import once
from softmaxfx.sim.tools import verilator_command

from .conftest import KEPT, flow_for

CYCLES = 40_000

PORTS = "(input clk, input [95:0] s, output [35:0] q);"

TESTBENCH_HEAD = """
module testbench;
  reg clk = 0;
  always #1 clk = !clk;
  reg [95:0] s = 0;
  integer cycle = 0;
  always @(negedge clk) begin
    cycle = cycle + 1;
    s = {$urandom, $urandom, $urandom};
    // most addresses few, so that ports meet; all of them now and then
    if (s[95:92] != 0) begin s[13:3] = 0; s[27:17] = 0; end
  end
"""


def ram(bits: int, words: int, body: str) -> str:
    """A memory of the stimulus' two addresses, two enables and a word: ``body`` uses it."""
    return f"""
      reg [{bits - 1}:0] mem [0:{words - 1}];
      reg [{bits - 1}:0] o = 0;
      wire [13:0] a = s[13:0] & {words - 1}, b = s[27:14] & {words - 1};
      wire we = s[28], re = s[29], rst = s[30] & s[31] & s[32];
      wire [35:0] d = s[71:36];
      wire [3:0] be = s[75:72];
      initial $readmemh("{bits}x{words}.hex", mem);
      {body}
      assign q = o;
    """


WRITE = "if (we) mem[a] <= d;"
INFERRED = {
    **{
        f"two_port_{bits}x{words}": ram(
            bits, words, f"always @(posedge clk) begin {WRITE} if (re) o <= mem[b]; end"
        )
        for bits, words in (
            (36, 512), (18, 1024), (9, 2048), (4, 4096), (2, 8192), (1, 16384), (20, 1024),
        )
    },
    "rom_36x512": ram(36, 512, "always @(posedge clk) o <= mem[b];"),
    "rom_18x1024": ram(18, 1024, "always @(posedge clk) o <= mem[b];"),
    "rom_reset": ram(18, 1024, "always @(posedge clk) if (rst) o <= 0; else if (re) o <= mem[b];"),
    "reset_before_enable": ram(
        9, 2048, f"always @(posedge clk) begin {WRITE} o <= rst ? 0 : re ? mem[b] : o; end"
    ),
    "one_port_old": ram(18, 1024, f"always @(posedge clk) begin {WRITE} o <= mem[a]; end"),
    "one_port_new": ram(
        18, 1024, "always @(posedge clk) if (we) begin mem[a] <= d; o <= d; end else o <= mem[a];"
    ),
    "one_port_no_change": ram(
        18, 1024, "always @(posedge clk) if (we) mem[a] <= d; else o <= mem[a];"
    ),
    "byte_enables_18": ram(
        18, 1024,
        "always @(posedge clk) begin if (we & be[0]) mem[a][8:0] <= d[8:0];"
        " if (we & be[1]) mem[a][17:9] <= d[17:9]; o <= mem[b]; end",
    ),
    "byte_enables_36": ram(
        36, 512,
        "always @(posedge clk) begin if (we & be[0]) mem[a][8:0] <= d[8:0];"
        " if (be[1]) mem[a][17:9] <= d[17:9]; if (be[2]) mem[a][26:18] <= d[26:18];"
        " if (be[3]) mem[a][35:27] <= d[35:27]; o <= mem[b]; end",
    ),
    "wide_write_narrow_read": ram(
        18, 1024,
        "always @(posedge clk) begin"
        " if (we) begin mem[{a[9:1], 1'b0}] <= d[17:0]; mem[{a[9:1], 1'b1}] <= d[35:18]; end"
        " o <= mem[b]; end",
    ),
    "unsigned_multiply": "assign q = s[17:0] * s[35:18];",
    "signed_multiply": "assign q = $signed(s[17:0]) * $signed(s[35:18]);",
    "narrow_multiply": "assign q = s[11:0] * s[35:18];",
}  # fmt: skip
"""Plain Verilog that yosys makes blocks of."""

MULTIPLIER_PORTS = (
    ", ".join(f".A{i}(s[{i}]), .B{i}(s[{18 + i}]), .C{i}(1'b0)" for i in range(18))
    + ", .SOURCEA(1'b0), .SOURCEB(1'b0), "
    + ", ".join(f".P{i}(q[{i}])" for i in range(36))
)


def multiplier(registers: tuple[str, ...], signed: int) -> tuple[str, str]:
    """A MULT18X18D with some of its registers, and what it shall compute."""
    block = (
        "MULT18X18D #("
        + ", ".join(f'.REG_{register}_CLK("CLK0")' for register in registers)
        + f") m (.CLK0(clk), .CE0(s[40]), .RST0(&s[45:41]), .SIGNEDA(1'b{signed}), "
        f".SIGNEDB(1'b{signed}), {MULTIPLIER_PORTS});"
    )
    operands, steps, declared = {"a": "s[17:0]", "b": "s[35:18]"}, [], []
    for register, name in (("INPUTA", "a"), ("INPUTB", "b")):
        if register in registers:
            declared.append(f"reg [17:0] {name} = 0;")
            steps.append((name, operands[name]))
            operands[name] = name
    kind = "$signed" if signed else "$unsigned"
    declared.append(f"wire [35:0] product = {kind}({operands['a']}) * {kind}({operands['b']});")
    last = "product"
    for register, name in (("PIPELINE", "p"), ("OUTPUT", "o")):
        if register in registers:
            declared.append(f"reg [35:0] {name} = 0;")
            steps.append((name, last))
            last = name
    update = " ".join(
        f"if (&s[45:41]) {name} <= 0; else if (s[40]) {name} <= {source};" for name, source in steps
    )
    clocked = f"always @(posedge clk) begin {update} end"
    return block, f"{' '.join(declared)} {clocked} assign q = {last};"


def bus(port: str, source: str, bits: int) -> str:
    return ", ".join(f".{port}{bit}({source}[{bit}])" for bit in range(bits))


def output_register() -> tuple[str, str]:
    """A block of 512 words of 36 bits with its output register; read and written elsewhere."""
    block = f"""
      wire [13:0] a = {{s[8:0], 1'b0, {{4{{s[28]}}}}}};
      wire [13:0] b = {{~s[8], s[24:17], 5'd0}};
      DP16KD #(.DATA_WIDTH_A(36), .DATA_WIDTH_B(36), .REGMODE_B("OUTREG"),
               .INITVAL_00(320'h12345), .CSDECODE_B("0b010")) m (
        .CLKA(clk), .CEA(1'b1), .OCEA(1'b1), .WEA(1'b1), .RSTA(1'b0),
        .CSA0(1'b0), .CSA1(1'b0), .CSA2(1'b0),
        .CLKB(clk), .CEB(s[29]), .OCEB(s[30]), .WEB(1'b0), .RSTB(1'b0),
        .CSB0(1'b0), .CSB1(s[31]), .CSB2(1'b0),
        {bus("ADA", "a", 14)}, {bus("ADB", "b", 14)},
        {", ".join(f".DIA{i}(s[{36 + i}]), .DIB{i}(s[{54 + i}])" for i in range(18))},
        {", ".join(f".DOA{i}(q[{i}]), .DOB{i}(q[{18 + i}])" for i in range(18))});"""
    plain = """
      reg [35:0] mem [0:511];
      reg [35:0] latch = 0, o = 0;
      integer i;
      initial begin for (i = 0; i < 512; i = i + 1) mem[i] = 0; mem[0] = 36'h12345; end
      always @(posedge clk) begin
        if (s[28]) mem[s[8:0]] <= s[71:36];
        if (s[29] & s[31]) latch <= mem[{~s[8], s[24:17]}];
        if (s[30]) o <= latch;
      end
      assign q = o;"""
    return block, plain


INSTANTIATED = {
    "multiplier_all": multiplier(("INPUTA", "INPUTB", "PIPELINE", "OUTPUT"), 0),
    "multiplier_signed": multiplier(("INPUTA", "INPUTB", "OUTPUT"), 1),
    "multiplier_one_input": multiplier(("INPUTB",), 0),
    "multiplier_pipeline": multiplier(("PIPELINE",), 1),
    "multiplier_bare": multiplier((), 0),
    "output_register": output_register(),
}
"""(instantiated block, plain Verilog of the same)"""


def write_contents(folder: Path) -> None:
    """The initial contents of every memory, as the designs read them."""
    text = "".join(INFERRED.values())
    for bits, words in {(int(b), int(w)) for b, w in re.findall(r'"(\d+)x(\d+)\.hex"', text)}:
        rng = np.random.default_rng(bits)
        lines = [f"{value:x}" for value in rng.integers(0, 1 << bits, words)]
        (folder / f"{bits}x{words}.hex").write_text("\n".join(lines) + "\n")


PARTS = {
    **{
        f"multiply_{a}x{b}": ("multiply", {"a_bits": a, "b_bits": b, "b_signed": signed},
                              f".a(s[{a - 1}:0]), .b(s[{35 + b}:36])")
        for a, b, signed in ((18, 18, False), (24, 13, False), (16, 18, True))
    },
    **{
        f"memory_{width}x{depth}": ("two_port", {"width": width, "depth": depth},
            # what a word reads as while it is written is not promised
            f".w_en(s[28] & s[{bits - 1}:0] != s[{13 + bits}:14]), .i(s[{35 + width}:36]), "
            f".w_addr(s[{bits - 1}:0]), .r_addr(s[{13 + bits}:14])")
        for width, depth, bits in ((36, 512, 9), (30, 1024, 10), (10, 2048, 11))
    },
    **{
        f"table_{width}x{depth}": ("rom", {"width": width, "entries": [
            int(entry) for entry in np.random.default_rng(width).integers(0, 1 << width, depth)
        ]}, f".i(s[{bits - 1}:0] ^ s[{47 + bits}:48])")
        for width, depth, bits in ((36, 400, 9), (20, 1024, 10), (10, 2048, 11), (12, 64, 6))
    },
}  # fmt: skip
"""Parts as a target makes them: (method, arguments, inputs)."""


SYNTHESIS = {
    "ecp5": ("synth_ecp5", "t:DP16KD t:MULT18X18D"),
    "xilinx7": (device("xilinx7").synthesise, "t:RAMB18E1 t:RAMB36E1 t:DSP48E1"),
    "xilinxup": (device("xilinxup").synthesise, "t:RAMB18E2 t:RAMB36E2 t:DSP48E2"),
}
"""How yosys makes blocks of plain Verilog, and which."""


def module(name: str, body: str) -> str:
    return f"module {name}{PORTS}\n{body}\nendmodule\n"


def part(target: Target, name: str, method: str, arguments: dict, inputs: str) -> str:
    """A part as a target makes it, in a module of the ports that every design has."""
    made = getattr(target, method)(**arguments)
    text = verilog_text(made, f"{name}_part")
    reset = ", .rst(1'b0)" if re.search(r"^ +input rst;", text, re.MULTILINE) else ""
    signed = "signed" if made.o.shape().signed else ""
    return text + module(
        name,
        f"wire {signed} [{len(made.o) - 1}:0] o; assign q = o;\n"
        f"{name}_part part (.clk(clk){reset}, {inputs}, .o(o));",
    )


def instantiated(target: str) -> dict[str, tuple[str, str]]:
    """Modules that instantiate a target's blocks, and plain ones of the same, by the latter's
    names."""
    if target == "ecp5":
        return {
            name: (module(f"{name}_gate", block), module(name, plain))
            for name, (block, plain) in INSTANTIATED.items()
        }
    return {
        name: (part(TARGETS[target], f"{name}_gate", *made), part(GENERIC, name, *made))
        for name, made in PARTS.items()
    }


def differing_cycles(scratch: Path, target: str) -> dict[str, int]:
    """Cycles in which the two versions of each design differed."""
    blocks = instantiated(target)
    plain = [*INFERRED, *blocks]
    yosys = flow_for(target).yosys
    inferred = "\n".join(module(name, text) for name, text in INFERRED.items())
    command, kinds = SYNTHESIS[target]
    script = "; ".join(
        f"read_verilog designs.v; {command} -top {name}; rename {name} {name}_gate; "
        f"select -assert-min 1 {kinds}; select *; "
        f"write_verilog -noattr {name}.v; design -reset"
        for name in INFERRED
    )

    def fill(folder: Path) -> None:
        (folder / "designs.v").write_text(inferred)
        write_contents(folder)
        run_tool(yosys, ["-q", "-p", script], folder, "yosys.log")

    netlists = once(KEPT / "cache", [inferred, script, yosys.version], fill)
    text = [inferred, cell_models(device(target))]
    text += [one for pair in blocks.values() for one in pair]
    text += [(netlists / f"{name}.v").read_text() for name in INFERRED]
    testbench = TESTBENCH_HEAD
    for name in plain:
        testbench += f"""
  wire [35:0] {name}_q, {name}_gate_q;
  integer {name}_bad = 0;
  {name} {name}_plain (.clk(clk), .s(s), .q({name}_q));
  {name}_gate {name}_block (.clk(clk), .s(s), .q({name}_gate_q));
  always @(negedge clk) if ({name}_q !== {name}_gate_q) {name}_bad = {name}_bad + 1;
"""
    shown = " ".join(f'$display("{name} %0d", {name}_bad);' for name in plain)
    testbench += (
        f"always @(negedge clk) if (cycle == {CYCLES}) begin {shown} $finish; end endmodule\n"
    )
    file = scratch / "testbench.v"
    file.write_text("\n".join([*text, testbench]))
    cache = KEPT / "models" if is_plain(KEPT.resolve()) else scratch / "models"

    def commands(folder: Path) -> list[list[str]]:
        return [
            [verilator, "--binary", "--timing", "-Wno-lint", "-Wno-fatal", "-Wno-style",
             "--top-module", "testbench", "-j", "2", "--Mdir", str(folder), str(file),
             "-CFLAGS", "-fcoroutines -O1", "-MAKEFLAGS", "CFG_CXXFLAGS_PCH_I=-include"],
        ]  # fmt: skip

    with plain_paths() as plain:
        verilator, more = verilator_command(plain)
        recipe = [f"{target} models"]
        home, _ = build_once([file], recipe, commands, cache, more)
    done = subprocess.run(
        [home / "Vtestbench"], cwd=netlists, capture_output=True, text=True, check=True
    )
    lines = [line.split() for line in done.stdout.splitlines() if line.count(" ") == 1]
    return {name: int(bad) for name, bad in lines}


@pytest.mark.timeout(1800)  # yosys reads AMD's library anew for each of the designs
@pytest.mark.parametrize("target", SYNTHESIS)
def test_every_block_does_what_the_plain_verilog_does(target, tmp_path):
    differing = differing_cycles(tmp_path, target)
    assert differing == dict.fromkeys([*INFERRED, *instantiated(target)], 0)
