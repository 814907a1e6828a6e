"""The soak covers the matrix, repeats nothing that is done, and tells what it did."""

import json
import math
from itertools import count

import numpy as np
import pytest
from click.testing import CliRunner

from softmaxfx.cli import main
from softmaxfx.golden import PRESETS, ConfigError, preset
from softmaxfx.golden.units.registry import UNITS, unit_sha256
from softmaxfx.study import soak as module
from softmaxfx.study.soak import LANES, random_rows, soak, units


def test_the_matrix_has_every_preset_with_every_number_of_lanes_and_every_option():
    matrix = list(units())
    soaked = {(unit, unit_sha256(unit, config), rom) for _, unit, config, rom in matrix}
    assert len(soaked) == len(matrix)
    choices = {"softmax": module.OPTIONS, **module.GRADIENT_OPTIONS}
    assert choices.keys() == UNITS.keys()
    for config in PRESETS.values():
        for lanes in LANES:
            for unit, options in choices.items():
                for changes in options:
                    made = config.replace(lanes=lanes, **changes)
                    assert (unit, unit_sha256(unit, made), "memory") in soaked


def test_random_rows_hold_the_hard_cases():
    config = preset("tiny")
    rows = random_rows(config, 400, seed=3)
    assert {1, config.max_length} <= set(rows.lengths.tolist())
    assert (rows.present & ~rows.active).any()
    assert (~rows.active.any(axis=1)).any()
    assert (abs(rows.values) > config.range).any()


@pytest.fixture
def small(monkeypatch):
    """One unit, short jobs, and a clock that allows two of them."""
    matrix = [("a unit", "cross_entropy", preset("tiny"), "memory")]
    monkeypatch.setattr(module, "units", lambda: iter(matrix))
    monkeypatch.setattr(module, "ROWS", 20)
    monkeypatch.setattr(module, "FRAMES", 100)
    ticks = count()
    monkeypatch.setattr(module.time, "monotonic", lambda: next(ticks))


def test_a_soak_that_starts_again_goes_on_behind_what_is_done(small, tmp_path):
    finished = []
    first = soak(tmp_path, minutes=2 / 60, tell=finished.append)
    assert [job.seed for job in first] == [1]
    second = soak(tmp_path, minutes=3 / 60, tell=finished.append)
    assert [job.seed for job in second] == [2]
    assert finished == first + second
    lines = (tmp_path / "results.jsonl").read_text().splitlines()
    assert [json.loads(line)["seed"] for line in lines] == [1, 2]
    assert all(job.mismatches == 0 and job.bound_kept and job.elements > 1000 for job in finished)


LINE = '{"key": "a 1", "seed": 1}\n'
BROKEN = {
    "half a line": LINE + LINE.replace("a 1", "b 1")[:14],
    "no end of line": LINE[:-1],
    "a line of another program": LINE + "null\n[1]\n{}\n",
    "what a full disk leaves": LINE + "\0" * 40,
    "an empty line": "\n" + LINE,
}


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN)
def test_a_half_written_line_is_taken_out_and_nothing_done_is_lost(text, tmp_path):
    file = tmp_path / "results.jsonl"
    file.write_text(text)
    assert module._finished(file) == {"a 1"}
    assert file.read_text() == LINE


@pytest.mark.parametrize("minutes", [math.nan, math.inf, -math.inf, -1, np.float32(-2), "5", None])
def test_a_time_that_never_ends_is_refused(minutes, tmp_path):
    with pytest.raises(ConfigError, match=r"^minutes must be a number from 0 on, not "):
        soak(tmp_path / "out", minutes=minutes, tell=print)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("seed", [-1, 2**32, 1.5, True])
def test_a_seed_that_is_none_is_refused(seed, tmp_path):
    with pytest.raises(ConfigError, match=r"^seed must be a whole number from 0 to 4294967295"):
        soak(tmp_path / "out", minutes=1, first_seed=seed, tell=print)


def test_the_command_prints_the_seed_and_the_verdict(small, tmp_path):
    result = CliRunner().invoke(main, ["soak", "--minutes", str(2 / 60), "--out", str(tmp_path)])
    assert result.exit_code == 0
    assert "seed 1: a unit:" in result.output
    assert "100 hostile frames: ok" in result.output
    assert "1 jobs" in result.output
