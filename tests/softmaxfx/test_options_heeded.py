"""Every option has an effect or is refused; a path that cannot be written is refused at once."""

import re

import numpy as np
import pytest
from click.testing import CliRunner

from softmaxfx.cli import main

REFUSED = {
    "name of nothing": (["export", "--name", ""], r"'--name': it must not be empty"),
    "a name of two": (
        ["export", "--preset", "tiny", "--preset", "int8", "--name", "x"],
        r"--name must be given with one configuration, not 2",
    ),
    "a datapath that is none": (
        ["export", "softmax_backward", "--datapath", "exact_sum"],
        r"--datapath must not be given for softmax_backward",
    ),
    "a target beside a file": (
        ["sim", "--verilog", "x.v", "--target", "generic"], r"--verilog must not be given together"
    ),
    "gradients of softmax": (
        ["sim", "softmax", "--logits", "l.npy", "--gradients", "l.npy"],
        r"--gradients must not be given for softmax",
    ),
    "targets of softmax": (
        ["sim", "softmax", "--logits", "l.npy", "--targets", "t.npy"],
        r"--targets must not be given for softmax",
    ),
    "targets of the backward unit": (
        ["sim", "softmax_backward", "--logits", "l.npy", "--gradients", "l.npy", "--targets",
         "t.npy"],
        r"--targets must not be given for softmax_backward",
    ),
    "a seed that draws nothing": (
        ["reference", "--seed", "2"], r"--seed must be given together with --rows"
    ),
    "a negative seed": (["sim", "--seed", "-1"], r"'--seed': -1 is not in the range"),
    "a negative seed of a soak": (["soak", "--seed", "-1"], r"'--seed': -1 is not in the range"),
    "no time": (["soak", "--minutes", "0"], r"must be finite and above 0, not 0"),
    "a time that is none": (["soak", "--minutes", "nan"], r"must be finite and above 0, not nan"),
    "no end": (["soak", "--minutes", "inf"], r"must be finite and above 0, not inf"),
    "time that has gone": (["soak", "--minutes=-3"], r"must be finite and above 0, not -3"),
    "no workers": (["sweep", "--workers", "0"], r"'--workers': 0 is not in the range"),
    "trials without a goal": (
        ["sweep", "--trials", "3"], r"--trials must be given together with --goal"
    ),
    "a goal without bounds": (
        ["sweep", "--goal", "kl <= 1", "--minimize", "bits", "--no-bound"],
        r"--no-bound must not be given together with --goal",
    ),
    "a goal without designs": (
        ["sweep", "--goal", "kl <= 1", "--minimize", "bits", "--no-designs"],
        r"--no-designs must not be given together with --goal",
    ),
    "workers here and elsewhere": (
        ["sweep", "--workers", "2", "--cluster", "tcp://127.0.0.1:9"],
        r"--workers must not be given together with --cluster",
    ),
    "a cluster that is none": (
        ["cluster", "--cluster", "none.toml"],
        r"cluster must be a readable TOML file, not none\.toml",
    ),
    "a sweep on a cluster that is none": (
        ["sweep", "--cluster", "l.npy"], r"cluster must be a readable TOML file, not l\.npy"
    ),
    "a cluster of a report": (
        ["sweep", "--cluster", "tcp://127.0.0.1:9", "report"],
        r"--cluster must not be given for a report",
    ),
    "a cache that is a folder": (
        ["sweep", "--cache", "folder"], r"--cache must be a writable file"
    ),
    "workers of a report": (
        ["sweep", "--workers", "2", "report"], r"--workers must not be given for a report"
    ),
    "a goal of a report": (
        ["sweep", "--goal", "kl <= 1", "report"], r"--goal must not be given for a report"
    ),
    "a folder as a file": (["sim", "--json", "folder"], r"--json must be a writable file, not fol"),
    "a file that would be a folder": (
        ["sim", "--out", "new/out", "--json", "new"], r"--json must be a writable file, not new"
    ),
    "a file as a folder": (["soak", "--out", "l.npy"], r"--out must be a writable directory"),
    "below a file": (["coverage", "--out", "l.npy/x"], r"--out must be a writable directory"),
    "a document that is a folder": (["bench", "--out", "folder"], r"--out must be a writable file"),
    "a picture that is a folder": (
        ["bench", "--out", "b.md"], r"the report must be a writable file, not b\.png"
    ),
    "a network that is none": (
        ["train", "--network", "x"], r"--network must be one of digits, language, not 'x'"
    ),
    "epochs of a language model": (
        ["train", "--network", "language", "--epochs", "3"],
        r"--epochs must be given together with --network digits",
    ),
    "updates of digits": (
        ["train", "--network", "digits", "--updates", "3"],
        r"--updates must be given together with --network language",
    ),
    "one seed": (["train", "--seeds", "1"], r"'--seeds': 1 is not in the range"),
    "a document of training that is none": (
        ["train", "--write", "t.html"], r"--write must be a \.md file, not t\.html"
    ),
    "a picture of training that is a folder": (
        ["train", "--write", "p.md"], r"the report must be a writable file, not p\.svg"
    ),
    "logarithms to train by": (
        ["train", "--preset", "base", "--set", "function=log_softmax", "--set",
         "output=SQ(6, 10)"],
        r"config must be one of softmax, not of log_softmax",
    ),
    "words that are a folder": (
        ["sweep", "report", "--precision", "folder"], r"--precision must be a writable file"
    ),
    "a page that is a folder": (
        ["sweep", "--out", "swept"], r"the report must be a writable file, not swept/report\.html"
    ),
}  # fmt: skip


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("l.npy", np.zeros((2, 2)))
    np.save("t.npy", np.zeros(2, int))
    for name in ("folder", "b.png", "p.svg", "swept/report.html"):
        (tmp_path / name).mkdir(parents=True)
    return tmp_path


@pytest.mark.parametrize(("arguments", "sentence"), REFUSED.values(), ids=REFUSED)
def test_it_is_refused_before_any_work(arguments, sentence, folder):
    before = sorted(folder.rglob("*"))
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 2, result.output
    assert re.search(sentence, result.stderr), result.stderr
    assert result.stderr.count("\n") == 1
    assert sorted(folder.rglob("*")) == before


EVERY = {
    "export": ["", "--preset", "--config", "--datapath", "--set", "--name", "--rom", "--target"],
    "sim": ["", "--logits", "--gradients", "--targets", "--rows", "--seed", "--json", "--out",
            "--verilog", "--lanes", "--max-length"],
    "reference": ["--logits", "--json"],
    "coverage": ["", "--cluster", "--out"],
    "synth": ["", "--target", "--seeds", "--json", "--out"],
    "bench": ["--seeds", "--out"],
    "bench-emulation": ["--engine", "--isa", "--threads", "--shape", "--json"],
    "soak": ["--minutes", "--seed", "--cluster", "--out"],
    "cluster": ["--workers", "--cluster"],
    "probe": ["--model", "--data", "--npy", "--limit", "--range", "--seed", "--preset", "--synth",
              "--json", "--html", "--picture"],
    "train": ["--preset", "--config", "--datapath", "--set", "--network", "--seeds", "--epochs",
              "--updates", "--cluster", "--json", "--write", "--out"],
    "sweep": ["--space", "--cache", "--cluster", "--logits", "--goal", "--minimize", "--trials",
              "--out"],
    "sweep report": ["--precision"],
}  # fmt: skip


@pytest.mark.parametrize(
    ("command", "option"), [(command, one) for command, all_ in EVERY.items() for one in all_]
)
def test_an_empty_text_is_never_taken_for_none(command, option, folder):
    """As a path it would be the working directory."""
    result = CliRunner().invoke(main, [*command.split(), *filter(None, [option]), ""])
    assert result.exit_code == 2, result.output
    assert "must not be empty" in result.stderr
    assert result.stderr.count("\n") == 1


def test_every_option_of_every_command_is_in_the_table_or_a_flag():
    """What takes a text refuses an empty one by one rule, so new options need no entry."""
    for command in EVERY:
        found = main
        for name in command.split():
            found = found.commands[name]
        known = {option for parameter in found.params for option in parameter.opts}
        assert {option for option in EVERY[command] if option} <= known
