"""The simulator's side of ``test_stranger.py``: a few coroutines drive the bare ports of a unit.

``job.json`` in the working directory says how: words of every input stream, how the unit is woken
up, which outputs are blocked. What came out is written to ``received.json``.
"""

import json
import random
from pathlib import Path

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, FallingEdge, ReadOnly, RisingEdge

CYCLE_LIMIT = 40_000


def spread(dut, stream, word):
    """Drive the signals of a beat."""
    for name, width in stream["signals"].items():
        getattr(dut, f"{stream['name']}_{name}").value = word & ((1 << width) - 1)
        word >>= width


def gathered(dut, stream):
    """The word of the beat that is offered; unknown bits are an error."""
    word = place = 0
    for name, width in stream["signals"].items():
        value = getattr(dut, f"{stream['name']}_{name}").value
        assert value.is_resolvable, f"{stream['name']}_{name} is {value}"
        word |= int(value) << place
        place += width
    return word


def idle(dut, job):
    """Drive every input to 0, the reset included."""
    dut.aresetn.value = 0
    if hasattr(dut, "seed"):
        dut.seed.value = job["rounding_seed"]
    for stream in job["inputs"]:
        spread(dut, stream, 0)
        getattr(dut, f"{stream['name']}_tvalid").value = 0
    for stream in job["outputs"]:
        getattr(dut, f"{stream['name']}_tready").value = 0


async def source(dut, stream, job, state):
    """Offer the stream's beats, each until it is taken."""
    rng = random.Random(stream["name"])
    valid, ready = (getattr(dut, f"{stream['name']}_{name}") for name in ("tvalid", "tready"))
    for word in stream["words"]:
        while rng.random() < job["pauses"]:
            await FallingEdge(dut.aclk)
        spread(dut, stream, word)
        valid.value = 1
        while True:
            await ReadOnly()
            taken = bool(ready.value)
            await RisingEdge(dut.aclk)
            if taken:
                break
        state["accepted"][stream["name"]].append(state["cycle"])
        await FallingEdge(dut.aclk)
        valid.value = 0


async def sink(dut, stream, job, state):
    """Take what comes, unless the stream is blocked."""
    rng = random.Random(stream["name"])
    valid, ready = (getattr(dut, f"{stream['name']}_{name}") for name in ("tvalid", "tready"))
    while stream["name"] not in job["blocked"]:
        ready.value = int(rng.random() >= job["pauses"])
        await ReadOnly()
        taken = bool(valid.value) and bool(ready.value)
        if taken:
            state["received"][stream["name"]].append(gathered(dut, stream))
        if valid.value:
            state["offered"].setdefault(stream["name"], state["cycle"] + 1)
        await RisingEdge(dut.aclk)
        await FallingEdge(dut.aclk)


async def count(dut, state):
    """Number the rising edges."""
    while True:
        await RisingEdge(dut.aclk)
        state["cycle"] += 1


@cocotb.test()
async def rows_through_the_unit(dut):
    job = json.loads(Path("job.json").read_text())
    state = {
        "cycle": 0, "offered": {},
        "accepted": {stream["name"]: [] for stream in job["inputs"]},
        "received": {stream["name"]: [] for stream in job["outputs"]},
    }  # fmt: skip
    if not job["unknown_cycles"]:
        idle(dut, job)  # before anything moves
    Clock(dut.aclk, 10, "ns").start()
    if job["unknown_cycles"]:
        await ClockCycles(dut.aclk, job["unknown_cycles"])
        await FallingEdge(dut.aclk)
        idle(dut, job)
    await ClockCycles(dut.aclk, job["reset_cycles"])
    await FallingEdge(dut.aclk)
    dut.aresetn.value = 1
    cocotb.start_soon(count(dut, state))
    for stream in job["inputs"]:
        cocotb.start_soon(source(dut, stream, job, state))
    for stream in job["outputs"]:
        cocotb.start_soon(sink(dut, stream, job, state))
    quiet, seen = 0, None
    while quiet < job["patience"] and state["cycle"] < CYCLE_LIMIT:
        await ClockCycles(dut.aclk, 20)
        moved = [
            len(state[side][name]) for side in ("accepted", "received") for name in state[side]
        ]
        quiet, seen = (0 if moved != seen else quiet + 20), moved
    Path("received.json").write_text(json.dumps(state))
