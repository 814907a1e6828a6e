"""A client that knows nothing of this project drives the bare ports: cocotbext-axi.

The testbench and the scoreboard take no part. Frames are packed and read here, byte by byte, from
what the documents say of the ports.
"""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

from softmaxfx.golden import preset
from softmaxfx.golden.units.softmax import softmax_rows
from softmaxfx.sim.simulator import run_cocotb, verilate

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("cocotbext") is None
    or importlib.util.find_spec("cocotbext.axi") is None,
    reason="cocotbext-axi is not installed",
)

CONFIGS = {
    "tiny": preset("tiny", max_length=20),
    "three lanes, tid": preset("base", lanes=3, max_length=20, id_width=5),
    "bytes": preset("int8", lanes=4, max_length=21, id_width=1),
    "exact sum": preset("base", lanes=2, max_length=20, id_width=3, datapath="exact_sum"),
}
PAUSES = {"quick": (0, 0), "slow source": (0.6, 0), "slow sink": (0, 0.6), "both": (0.4, 0.4)}
ROWS = 42


def frame_of(codes, mask, ident, config):
    """Bytes of a row, with the mask of a byte's beat and the row's tid beside each."""
    octets = -(-config.input.width // 8)
    tdata = [octet for code in codes for octet in int(code).to_bytes(octets, "little", signed=True)]
    tuser = []
    for first in range(0, len(codes), config.lanes):
        beat = mask[first : first + config.lanes]
        tuser += [sum(int(bit) << lane for lane, bit in enumerate(beat))] * (len(beat) * octets)
    frame = {"tdata": tdata, "tuser": tuser}
    return frame | ({"tid": ident} if config.id_width else {})


def check_frame(frame, p, clipped, ident, config):
    """Compare a received frame with the probabilities of its row."""
    octets, lanes = -(-config.output.width // 8), config.lanes
    beats = -(-len(p) // lanes)
    size = lanes * octets
    assert len(frame["tdata"]) == beats * size
    present = len(p) * octets
    assert frame["tkeep"] == [1] * present + [0] * (beats * size - present)
    codes = [
        int.from_bytes(bytes(frame["tdata"][place * octets : (place + 1) * octets]), "little")
        for place in range(len(p))
    ]
    assert codes == p
    for beat in range(beats):
        flags = clipped[beat * lanes : (beat + 1) * lanes]
        tuser = sum(int(flag) << (3 + lane) for lane, flag in enumerate(flags))
        assert set(frame["tuser"][beat * size : (beat + 1) * size]) == {tuser}
    if config.id_width:
        assert set(frame["tid"]) == {ident}


@pytest.mark.parametrize("name", CONFIGS)
def test_a_foreign_client_gets_the_golden_rows(name, unit_of, models, tmp_path, monkeypatch):
    config = CONFIGS[name]
    unit = unit_of(config)
    model = verilate([unit.verilog], unit.top, models, ["--public-flat-rw"])
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    rng = np.random.default_rng(len(name))
    for seed, (source, sink) in enumerate(PAUSES.values()):
        rows = []
        for length in rng.permutation(np.arange(ROWS) % config.max_length + 1):
            codes = config.input.quantize(rng.normal(0, rng.choice([0.1, 2, 9]), length))
            mask = rng.random(length) < rng.choice([0, 0.3, 1], p=[0.5, 0.4, 0.1])
            rows.append((codes, mask, int(rng.integers(0, 1 << config.id_width))))
        folder = tmp_path / str(seed)
        folder.mkdir()
        job = {"seed": seed, "source_pauses": source, "sink_pauses": sink}
        job["frames"] = [frame_of(*row, config) for row in rows]
        (folder / "job.json").write_text(json.dumps(job))
        quiet = {"PYTHONWARNINGS": "ignore::DeprecationWarning"}
        run_cocotb(model, "axi_client", folder, environment=quiet)
        assert (folder / "received.json").exists(), (folder / "sim.log").read_text()[-2000:]
        received = json.loads((folder / "received.json").read_text())
        assert len(received) == len(rows)
        for frame, (codes, mask, ident) in zip(received, rows, strict=True):
            gold = softmax_rows(codes, config, mask)
            check_frame(frame, gold.p.tolist(), gold.clipped.tolist(), ident, config)
