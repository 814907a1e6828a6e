"""The cocotb side of the bench: clock, reset, and how hostile both neighbours are, phase by phase.

Runs inside the simulator, in the directory that holds the bench's files.
"""

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

# Of 256 cycles, those that the source pauses and those that the sink refuses.
QUIET = (0, 0)
PHASES = (QUIET, (128, 0), (0, 128), (128, 128), (224, 32), (32, 224), (8, 8), (240, 240))


@cocotb.test()
async def stream(dut):
    """Let the bench stream its file through the unit; ``job.json`` says with which pauses."""
    job = json.loads(Path("job.json").read_text())
    rng = random.Random(job["seed"])
    dut.s_seed.value, dut.m_seed.value = rng.getrandbits(31) | 1, rng.getrandbits(31) | 1
    Clock(dut.aclk, PERIOD, "step").start()
    dut.aresetn.value = 0
    await ClockCycles(dut.aclk, 8)
    await FallingEdge(dut.aclk)
    dut.aresetn.value = 1
    dut.go.value = 1
    while not dut.done.value:
        pauses = rng.choice(PHASES) if job["pauses"] else QUIET
        dut.s_pause.value, dut.m_pause.value = pauses
        await Timer(PHASE_CYCLES * PERIOD, "step")  # waiting for edges would wake Python at each
    Path("finished.json").write_text(json.dumps({"hung": bool(dut.hung.value)}))
