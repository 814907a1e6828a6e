"""What cocotb loads: clock, reset, and how hostile the neighbours are, phase by phase.

Runs inside the simulator, in the directory that holds the testbench's files.
"""

import itertools
import json
import random
from pathlib import Path

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, FallingEdge, Timer

PERIOD = 2
"""Simulator steps of a clock cycle."""
PHASE_CYCLES = 997
"""Cycles of a phase; a prime, so that phases do not lock to rows."""

ALWAYS = 256
# Of 256 cycles, those that a neighbour pauses: each one's of a phase are drawn from these.
SHARES = (0, 0, 0, 8, 32, 128, 224, ALWAYS)
QUIET_PHASES = 1 / 8
"""Share of the phases in which no neighbour pauses."""


def pauses(job, phase, rng):
    """How often the neighbour of each stream pauses in a phase."""
    quiet = not job["pauses"] or rng.random() < QUIET_PHASES
    drawn = {name: 0 if quiet else rng.choice(SHARES) for name in job["streams"]}
    if job["freed_after"] is None or phase < job["freed_after"]:
        drawn |= dict.fromkeys(job["blocked"], ALWAYS)
    return drawn


@cocotb.test()
async def stream(dut):
    """Let the testbench stream its files through the unit; ``job.json`` says how."""
    job = json.loads(Path("job.json").read_text())
    rng = random.Random(job["seed"])
    for name in job["streams"]:
        getattr(dut, f"{name}_seed").value = rng.getrandbits(31) | 1
    for name, beats in job["expected"].items():
        getattr(dut, f"{name}_expected").value = beats
        getattr(dut, f"{name}_most").value = job["most"][name]
    dut.resets.value, dut.rounding_seed.value = job["resets"], job["rounding_seed"]
    dut.answer.value = job["answer"]
    dut.reset_seed.value = random.Random(f"resets {job['seed']}").getrandbits(32)
    Clock(dut.aclk, PERIOD, "step").start()
    dut.aresetn.value = 0
    await ClockCycles(dut.aclk, 8)
    await FallingEdge(dut.aclk)
    dut.aresetn.value = 1
    dut.go.value = 1
    for phase in itertools.count():
        if dut.done.value:
            break
        for name, share in pauses(job, phase, rng).items():
            getattr(dut, f"{name}_pause").value = share
        await Timer(PHASE_CYCLES * PERIOD, "step")  # waiting for edges would wake Python at each
    ended = {name: bool(getattr(dut, name).value) for name in ("hung", "flooded")}
    Path("finished.json").write_text(json.dumps(ended))
