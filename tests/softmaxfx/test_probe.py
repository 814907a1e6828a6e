"""``softmaxfx probe``: a table, JSON, a page and a picture, or one sentence and nothing written."""

import json
import re
import sys

import numpy as np
import pytest
from click.testing import CliRunner

pytest.importorskip("torch", reason="torch is not installed")

from softmaxfx.cli import main

CODE = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
        self.last = nn.Linear(8, 6)

    def forward(self, x):
        x = x + self.attention(x, x, x, need_weights=False)[0]
        return (30 * self.last(x)).softmax(-1)

def model():
    return Net()

def linear():
    return nn.Linear(8, 8)

def data():
    generator = torch.Generator().manual_seed(1)
    return [torch.randn(2, 6, 8, generator=generator) for _ in range(3)]

def nothing():
    return []
"""
SYNTH = [
    {"unit": "softmax", "preset": name, "datapath": "exact_sum", "target": target, "lanes": 8,
     "lut": lut, "fmax_mhz": fmax}
    for name, target, lut, fmax in (
        ("full", "ecp5", 3300, {"median": 225.0, "min": 1, "max": 2}),
        ("full", "ecp5", 9900, {"median": 100.0, "min": 1, "max": 2}),
        ("base", "xilinx7", 2254, None),
    )
]  # fmt: skip
MINE = ("--model", "mine_of_probe:model", "--data", "mine_of_probe:data")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    (tmp_path / "mine_of_probe.py").write_text(CODE)
    (tmp_path / "synth.json").write_text(json.dumps(SYNTH))
    np.save(tmp_path / "mine.npy", np.array([[25.0, 1.0, 0.0], [3.0, 2.0, np.nan]]))
    np.save(tmp_path / "masked.npy", np.full((2, 2), -np.inf))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield tmp_path
    sys.modules.pop("mine_of_probe", None)


def call(*arguments: object):
    return CliRunner().invoke(main, ["probe", *map(str, arguments)])


def test_a_model_goes_through_to_every_file(folder):
    done = call(*MINE, "--evaluate", "--heads", "--synth", "synth.json", "--json", "x.json",
                "--html", "x.html", "--picture", "x.svg")  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "Take " in done.output
    assert "attention: attention, head 2" in done.output
    assert "3,300 LUT, 225 MHz (ecp5, 8 lanes, exact_sum)" in done.output
    assert "2,254 LUT, not placed (xilinx7, 8 lanes, exact_sum)" in done.output
    assert re.search(r"% of 36 winners", done.output)
    assert done.output.endswith("written: x.json   x.html   x.svg\n")
    told = json.loads((folder / "x.json").read_text())
    attention, last = told["sites"]
    assert (attention["name"], last["name"]) == ("attention: attention", "model: softmax")
    assert (attention["rows"], attention["elements"], last["rows"]) == (72, 432, 36)
    assert last["beyond"]["10"] > 0
    assert told["recommendation"]["preset"] in ("full", None)
    assert told["recommendation"]["sentence"] in done.output
    assert told["seed"] == 1
    assert "<!DOCTYPE html>" in (folder / "x.html").read_text(encoding="utf-8")
    assert (folder / "x.svg").read_text().startswith("<?xml")


def test_the_same_call_writes_the_same_bytes(folder):
    for name in ("a", "b"):
        assert call(*MINE, "--json", "x.json", "--picture", f"{name}.svg").exit_code == 0
        (folder / "x.json").rename(folder / f"{name}.json")
    first, second = (json.loads((folder / f"{name}.json").read_text()) for name in ("a", "b"))
    assert first["sites"] == second["sites"]
    assert first["recommendation"] == second["recommendation"]
    assert (folder / "a.svg").read_bytes() == (folder / "b.svg").read_bytes()


def test_recorded_logits_need_no_model(folder):
    done = call("--npy", "mine.npy", "--json", "x.json")
    assert done.exit_code == 0, done.output
    assert (
        "Take full: 50 % of the rows of mine have their maximum beyond ±10, where int8, int8_row "
        "and base saturate."
    ) in done.output
    (site,) = json.loads((folder / "x.json").read_text())["sites"]
    assert (site["rows"], site["elements"], site["logit"]["high"]) == (2, 5, 25.0)


def test_a_recorded_network_has_its_name(folder):
    done = call("--model", "digits", "--preset", "base", "--preset", "full")
    assert done.exit_code == 0, done.output
    assert "98.8 % of the rows of last layer: logits have their maximum beyond ±10" in done.output
    assert "int8" not in done.output


def test_a_range_of_ones_own_is_counted_too(folder):
    done = call("--npy", "mine.npy", "--range", 2.5, "--range", "10", "--json", "x.json")
    assert done.exit_code == 0, done.output
    (site,) = json.loads((folder / "x.json").read_text())["sites"]
    assert site["beyond"] == {
        "2.5": 1.0, "8": 0.5, "10": 0.5, "16": 0.5, "32": 0, "64": 0, "128": 0,
    }  # fmt: skip
    assert sum(site["histograms"]["top"]["counts"]) == 2


def test_a_limit_takes_fewer_inputs(folder):
    done = call(*MINE, "--limit", 1, "--json", "x.json")
    assert done.exit_code == 0, done.output
    assert json.loads((folder / "x.json").read_text())["sites"][1]["rows"] == 12


REFUSED = {
    "nothing": ([], r"--model or --npy must be given, and not both"),
    "both": (["--npy", "mine.npy", "--model", "digits"], r"--model or --npy must be given, and no"),
    "a name that is none": (
        ["--model", "vgg"],
        r"--model must be one of smollm2, minilm, efficientnet, digits, language or MODULE:FACTORY",
    ),
    "a model without data": (["--model", "mine_of_probe:model"], r"--data must be given together"),
    "data without a model": (["--npy", "mine.npy", "--data", "a:b"], r"--data must be given toget"),
    "data of a recording": (["--model", "digits", "--data", "a:b"], r"--data must be given togeth"),
    "a limit of a recording": (["--model", "digits", "--limit", 2], r"--limit must be given wit"),
    "rows that do not run": (["--npy", "mine.npy", "--evaluate"], r"--evaluate must be given with"),
    "a module that is none": (
        ["--model", "nowhere_at_all:x", "--data", "mine_of_probe:data"],
        r"--model module nowhere_at_all cannot be imported: ModuleNotFoundError",
    ),
    "no module": (
        ["--model", "mine_of_probe:data", "--data", "mine_of_probe:data"],
        r"--model mine_of_probe:data must return a torch\.nn\.Module, not list",
    ),
    "no input": (
        ["--model", "mine_of_probe:model", "--data", "mine_of_probe:nothing"],
        r"--data must give an input, and gives none",
    ),
    "no softmax": (
        ["--model", "mine_of_probe:linear", "--data", "mine_of_probe:data"],
        r"Linear must have a softmax to probe: its forward pass called none",
    ),
    "no file": (["--npy", "none.npy"], r"--npy must be a readable \.npy file, not none\.npy"),
    "rows without an element": (["--npy", "masked.npy"], r"--npy masked\.npy must hold an elem"),
    "a preset that is none": (["--npy", "mine.npy", "--preset", "x"], r"--preset must be one of"),
    "a page of another kind": (["--npy", "mine.npy", "--html", "x.txt"], r"--html must be a \.ht"),
    "a picture of another kind": (
        ["--npy", "mine.npy", "--picture", "x.png"], r"--picture must be a \.svg file, not x\.png",
    ),
    "a page that is a folder": (["--npy", "mine.npy", "--html", "."], r"--html must be a writable"),
    "no synthesis": (["--npy", "mine.npy", "--synth", "none.json"], r"--synth must be a readable"),
    "no JSON": (["--npy", "mine.npy", "--synth", "mine.npy"], r"--synth must be what softmaxfx"),
}  # fmt: skip


@pytest.mark.parametrize(("arguments", "sentence"), REFUSED.values(), ids=REFUSED)
def test_a_mistake_is_one_sentence_and_what_is_there_stays(arguments, sentence, folder):
    kept = ("x.json", "x.html", "x.svg")
    for name in kept:
        (folder / name).write_text("before")
    refused = call("--json", "x.json", *arguments)
    assert refused.exit_code == 2, refused.output
    assert re.search(sentence, refused.stderr), refused.stderr
    assert refused.stderr.count("\n") == 1
    assert [(folder / name).read_text() for name in kept] == ["before"] * 3


def test_pretrained_networks_that_are_absent_are_one_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "softmaxfx.study.models", None)
    monkeypatch.setitem(sys.modules, "softmaxfx.study.models.registry", None)
    refused = call("--model", "smollm2")
    assert refused.exit_code == 2
    assert refused.stderr == (
        "softmaxfx: --model smollm2 needs networks that this softmaxfx comes without\n"
    )
