import pytest

from softmaxfx.golden import SQ, preset
from softmaxfx.sim.run import simulate

from .rows import few_rows, rows_of_all_lengths

VARIANTS = {
    "tiny": preset("tiny"),
    "int8": preset("int8", max_length=100),
    "three lanes": preset("base", lanes=3, max_length=50),
    "difference": preset("tiny", lanes=2, clip="difference"),
    "one": preset("tiny", max_length=1),
    "exact sum": preset("tight", lanes=3, max_length=30, id_width=3, datapath="exact_sum"),
    "window": preset("full", lanes=3, max_length=50),
    "row exponent": preset("int8_row", lanes=2, max_length=90, datapath="exact_sum"),
    "exact sum, log p": preset(
        "int8", lanes=2, max_length=9, datapath="exact_sum", function="log_softmax", output=SQ(6, 5)
    ),
}


@pytest.mark.parametrize("name", VARIANTS)
def test_the_verilog_equals_the_golden_model(name, unit_of, model_of, tmp_path):
    config = VARIANTS[name]
    unit, rows = unit_of(config), rows_of_all_lengths(config, 300, seed=0)
    shown = simulate(unit, model_of(unit), rows, tmp_path)
    assert shown.score.first == ""
    assert shown.score.mismatches == 0
    assert shown.score.elements == rows.elements
    assert shown.metrics.max_error_ulp <= shown.bound_ulp
    latency = unit.description["latency"]
    assert shown.latency_cycles == latency["fixed"] + latency["per_beat"]


def test_the_same_seed_gives_the_same_run(unit_of, model_of, tmp_path):
    unit = unit_of(VARIANTS["tiny"])
    rows = rows_of_all_lengths(unit.config, 40, seed=0)
    cycles = [
        simulate(unit, model_of(unit), rows, tmp_path, seed=seed).cycles for seed in (1, 1, 2)
    ]
    assert cycles[0] == cycles[1] != cycles[2]


def test_progress_ends_near_the_whole(unit_of, model_of, tmp_path):
    unit = unit_of(VARIANTS["tiny"])
    shares = []
    rows = rows_of_all_lengths(unit.config, 300, seed=0)
    simulate(unit, model_of(unit), rows, tmp_path, progress=shares.append)
    assert shares == sorted(shares)
    assert shares[-1] > 0.5


def test_rows_longer_than_the_unit_takes_are_refused(unit_of, model_of, tmp_path):
    unit = unit_of(VARIANTS["tiny"])
    with pytest.raises(ValueError, match=r"rows of at most max_length = 64 elements, not 65 \(row"):
        simulate(unit, model_of(unit), few_rows(65), tmp_path)
