"""Compiles what the engine would run on a GPU, without one: a line of JSON for each kernel.

It runs by itself, as Triton compiles nothing in a process that interprets.
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import torch
import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

from softmaxfx.golden import SQ, preset
from softmaxfx.golden.torch.engines import triton_attention, triton_launch
from softmaxfx.golden.torch.engines.triton_attention import Problem
from softmaxfx.golden.torch.engines.triton_engine import TritonEngine

TARGET = GPUTarget("cuda", 90, 32)
TYPES = {
    torch.float16: "*fp16", torch.bfloat16: "*bf16", torch.float32: "*fp32", torch.float64: "*fp64",
    torch.uint8: "*u8", torch.int32: "*i32", torch.int64: "*i64",
}  # fmt: skip
TOOLS = Path(triton.__file__).parent / "backends" / "nvidia" / "bin"


def compiled(launch):
    """What Triton makes of a launch for the target, as for tensors that start at whole lines."""
    names = launch.kernel.arg_names
    types = dict(zip(names, map(type_of, launch.given), strict=False))
    types |= dict.fromkeys(launch.constants, "constexpr")
    lines = [
        place
        for place, given in enumerate(launch.given)
        if isinstance(given, torch.Tensor) or (isinstance(given, int) and given % 16 == 0)
    ]
    source = ASTSource(
        launch.kernel,
        {name: types[name] for name in names},
        dict(launch.constants),
        {(place,): [["tt.divisibility", 16]] for place in lines},
    )
    return triton.compile(source, target=TARGET, options=dict(launch.options))


def type_of(given):
    if isinstance(given, torch.Tensor):
        return TYPES[given.dtype]
    return "fp32" if isinstance(given, float) else "i32"


def used(binary):
    """Registers, and bytes of them that are spilled, of a thread; none where no tool tells."""
    tool = TOOLS / "cuobjdump"
    if not tool.exists():
        return {}
    with tempfile.NamedTemporaryFile(suffix=".cubin") as file:
        file.write(binary)
        file.flush()
        told = subprocess.run(
            [tool, "-res-usage", file.name], capture_output=True, text=True, check=True
        ).stdout
    found = re.search(r"REG:(\d+) STACK:(\d+)", told)
    return {"registers": int(found[1]), "spilled": int(found[2])}


def told(name, launch):
    made = compiled(launch)
    ptx, binary = made.asm["ptx"], made.asm["cubin"]
    return {
        "kernel": name,
        "target": re.search(r"^\.target (\w+)", ptx, re.MULTILINE)[1],
        "wide products": len(re.findall(r"mul\.lo\.s64", ptx)),
        "binary": len(binary),
        **used(binary),
    }


def rows_of(config, launches, n=1024):
    """(name, launch) of each kernel of rows."""
    engine, x = TritonEngine(), torch.zeros(64, n)
    engine.softmax(x, config, keep_gate=True)
    yield f"{config.function} {n}", launches.pop()
    if config.function == "log_softmax":
        return
    gate = torch.zeros(64, n // 8, dtype=torch.uint8)
    exponent = torch.zeros(64 * config.has_exponent, dtype=torch.int32)
    engine.softmax_backward(x, x, gate, exponent, config, grad_exponent=None)
    yield f"softmax_backward {n}", launches.pop()
    for kind, target in (
        ("class", torch.zeros(64, dtype=torch.int64)),
        ("weights", torch.zeros(64, n, dtype=torch.int64)),
    ):
        engine.cross_entropy(x, target, config)
        yield f"cross_entropy of a {kind} {n}", launches.pop()
        engine.cross_entropy_backward(x, target, torch.zeros(64), config)
        yield f"cross_entropy_backward of a {kind} {n}", launches.pop()


def attention_of(config, launches, dtype=torch.bfloat16, width=64, mask=None):
    """(name, launch) of each kernel of attention."""
    given = (torch.zeros(1, 2, 256, width, dtype=dtype) for _ in range(3))
    problem = Problem(*given, mask, mask is None, 0.125, -1e4)
    result, facts, _ = triton_attention.attention(problem, config, keep=True, check=True)
    name = f"{dtype} {width} {mask is not None and mask.dtype}".replace("torch.", "")
    yield f"attention {name}", launches.pop()
    triton_attention.attention_backward(problem, result, facts, config, grad_exponent=None)
    yield f"gradient by key {name}", launches.pop()
    yield f"gradient by query {name}", launches.pop()


def all_of(name, path, launches):
    config = preset(name).replace(datapath=path)
    yield from rows_of(config, launches)
    yield from attention_of(config, launches)
    if (name, path) != ("base", "exact_sum"):
        return
    long = config.replace(max_length=65536)
    yield from rows_of(long, launches, 65536)
    yield from rows_of(config.replace(function="log_softmax", output=SQ(6, 10)), launches)
    yield from rows_of(config.replace(rounding="stochastic"), launches, 8)
    for dtype, width in ((torch.float16, 64), (torch.float32, 64), (torch.bfloat16, 128)):
        yield from attention_of(config, launches, dtype, width)
    for kind in (torch.bool, torch.float32):
        yield from attention_of(config, launches, mask=torch.zeros(1, 2, 256, 256, dtype=kind))


if __name__ == "__main__":
    launches = []
    triton_launch.run = launches.append
    for name, launch in all_of(*sys.argv[1:], launches):
        sys.stdout.write(json.dumps(told(name, launch)) + "\n")
