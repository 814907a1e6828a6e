"""The simulator's side of ``test_axi_client.py``: cocotbext-axi drives a bare unit.

``job.json`` in the working directory holds the frames to send and the seed of the pauses; what
came out is written to ``received.json``, byte by byte.
"""

import json
import random
from pathlib import Path

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, with_timeout
from cocotbext.axi import AxiStreamBus, AxiStreamFrame, AxiStreamSink, AxiStreamSource


def pauses(rng: random.Random, share: float):
    """Bursts of pauses: whether each cycle is one."""
    while True:
        yield from [rng.random() < share] * rng.randrange(1, 6)


@cocotb.test()
async def frames_through_the_unit(dut):
    job = json.loads(Path("job.json").read_text())
    rng = random.Random(job["seed"])
    Clock(dut.aclk, 10, "ns").start()
    dut.aresetn.value = 0
    ports = {"clock": dut.aclk, "reset": dut.aresetn, "reset_active_level": False}
    source = AxiStreamSource(AxiStreamBus.from_prefix(dut, "s_axis"), **ports)
    sink = AxiStreamSink(AxiStreamBus.from_prefix(dut, "m_axis"), **ports)
    await ClockCycles(dut.aclk, 5)
    dut.aresetn.value = 1
    source.set_pause_generator(pauses(rng, job["source_pauses"]))
    sink.set_pause_generator(pauses(rng, job["sink_pauses"]))
    for frame in job["frames"]:
        source.send_nowait(AxiStreamFrame(**(frame | {"tdata": bytes(frame["tdata"])})))
    received = []
    for _ in job["frames"]:
        frame = await with_timeout(sink.recv(compact=False), 1, "ms")
        fields = {name: list(getattr(frame, name)) for name in ("tdata", "tkeep", "tuser", "tid")}
        received.append(fields)
    await ClockCycles(dut.aclk, 200)
    assert sink.empty(), "beats after the last frame"
    Path("received.json").write_text(json.dumps(received))
