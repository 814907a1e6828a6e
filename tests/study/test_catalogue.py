"""Every metric is named once, and whoever tells metrics has them from the catalogue."""

from dataclasses import asdict, fields
from types import SimpleNamespace
from typing import Any, get_args, get_type_hints

import pytest

from softmaxfx.golden.measures.backward_metrics import BackwardMetrics
from softmaxfx.golden.measures.catalogue import (
    BESIDE,
    CATALOGUE,
    DESIGN,
    KEPT,
    POINT,
    REFERENCE,
    SIMULATION,
    columns,
    metric_of,
)
from softmaxfx.golden.measures.classes import Calibration, LossChange
from softmaxfx.golden.measures.distance import Distance
from softmaxfx.golden.measures.loss_metrics import LossMetrics
from softmaxfx.golden.measures.losses import Losses
from softmaxfx.golden.measures.metric import Metric
from softmaxfx.golden.measures.metrics import Agreement, Metrics
from softmaxfx.sim import report as sim_report
from softmaxfx.sim.kind import Measured
from softmaxfx.sim.run import Simulation
from softmaxfx.sim.scoreboard import Score
from softmaxfx.study.reference_report import comparison_table
from softmaxfx.study.references import ComparedOutput
from softmaxfx.study.sweep.measure.softmax_backward import Powers
from softmaxfx.study.sweep.space.goal import DESIGN_METRICS, POINT_METRICS

RECORDS: dict[str, tuple[Any, ...]] = {
    "softmax": (Metrics, Agreement, Losses, Calibration),
    "softmax_backward": (BackwardMetrics, Powers),
    "cross_entropy": (LossMetrics, LossChange),
    "adaptive_softmax": (LossMetrics,),
    "reference": (Distance,),
}
"""By whose figures they are: every record of figures."""

WORDS = {"unit", "preset", "datapath"}
"""What JSON of a simulation has besides figures."""

BOUNDS = {
    ("softmax", "bound_absolute"),
    ("softmax", "mass_bound"),
    *((unit, "bound_ulp") for unit in list(RECORDS)[:4]),
}
"""Figures of a proof, which no record of measured ones has."""


def simulation(unit, metrics):
    """What a simulation tells, every figure made up."""
    measured = Measured(metrics, 1.0, True, *[None] * 3)
    described = SimpleNamespace(name=unit, description={"preset": "tiny", "datapath": None})
    return Simulation(described, 3, Score(12, 0, ""), measured, 9, 0.5, 4, 0, 7, 0.25).to_dict()


MADE_UP: dict[str, Any] = {
    "softmax": Metrics(*[0.125] * len(fields(Metrics))),
    "softmax_backward": BackwardMetrics(*[0.25] * len(fields(BackwardMetrics))),
    "cross_entropy": LossMetrics(*[0.5] * 7, 1, 2, 0.75),
    "adaptive_softmax": LossMetrics(*[0.5] * 7, 1, 2, 0.75),
}


def of_a_run():
    """Names of what every simulation tells, whatever the unit."""
    names = [
        simulation(unit, metrics).keys() - asdict(metrics) for unit, metrics in MADE_UP.items()
    ]
    assert all(name == names[0] for name in names)
    return names[0] - WORDS - {"bound_ulp"}


def test_the_catalogue_names_every_field_of_every_record_and_no_other():
    recorded = {
        (of, field.name) for of, records in RECORDS.items() for r in records for field in fields(r)
    }
    recorded -= {("softmax", "rows")}  # of a run
    recorded |= BOUNDS | {("run", name) for name in of_a_run()}
    recorded |= {("design", metric.name) for metric in DESIGN}
    assert {field for metric in CATALOGUE.values() for field in metric.fields} == recorded


def test_no_name_is_given_twice():
    groups = (*POINT, *DESIGN, *BESIDE, *SIMULATION, *REFERENCE)
    assert len(CATALOGUE) == len(groups)
    found = [field for metric in groups for field in metric.fields]
    assert len(found) == len(set(found))


@pytest.mark.parametrize("metric", CATALOGUE.values(), ids=CATALOGUE)
def test_a_metric_can_be_told(metric):
    assert metric.title[0].isupper()
    assert metric.meaning.endswith(".")
    assert metric.meaning.count(". ") == 0, "one sentence"
    assert (
        metric.sense in get_args(get_args(get_type_hints(Metric)["sense"])[0]) or not metric.sense
    )
    assert isinstance(metric.ideal, float) or metric.ideal in CATALOGUE
    assert metric.text(0.5)


def test_shares_are_told_in_per_cent():
    for metric in CATALOGUE.values():
        if metric.digits.endswith("%"):
            assert metric.unit == "share"
            assert "%" in metric.short or metric.name == "winner_tie_rate"
    assert CATALOGUE["clip_rate"].text(0.12345) == "12.35"


@pytest.mark.parametrize("unit", MADE_UP)
def test_the_table_of_a_simulation_comes_from_the_catalogue(unit):
    shown = sim_report.Shown(simulation(unit, MADE_UP[unit]), (), None, ())
    (table,) = sim_report.tables([shown])
    headings = [str(column.header) for column in table.columns][1:]
    found = [m for m in CATALOGUE.values() for of in m.of if of in (unit, "run") and m.short]
    assert len(set(headings)) == len(headings)
    for heading in headings:
        first, _, rest = heading.partition(" / ")
        assert first in {metric.short for metric in found}
        assert not rest or f"sum p\n{rest}" in {metric.short for metric in found}
    named = {name for names in sim_report.COLUMNS for name in names}
    assert all(metric.short in " ".join(headings) or metric.name == "sum_mean"
               for metric in found if (metric.field or metric.name) in named)  # fmt: skip


def test_every_column_of_a_simulation_is_a_metric_of_some_unit():
    for names in sim_report.COLUMNS:
        assert any(metric_of(unit, name) for unit in MADE_UP for name in names)


def test_the_table_of_references_comes_from_the_catalogue():
    reference = SimpleNamespace(name="a float")
    near, far = Distance(0.25, 0.125, 1e-9), Distance(2.5, 1.25, 1e-3)
    compared = SimpleNamespace(reference=reference, note="", codes=near, logits=far)
    table = comparison_table("softmax", ComparedOutput("P", "p", 0.5, [compared]))
    headings = [str(column.header) for column in table.columns]
    assert headings == ["reference"] + [
        f"of the {inputs}\n{metric.column}"
        for inputs in ("codes", "logits")
        for metric in REFERENCE
    ]
    cells = [next(iter(column.cells)) for column in table.columns]
    assert cells == ["a float", "0.250", "0.125", "1.0e-09", "2.500", "1.250", "1.0e-03"]


def test_a_sweep_keeps_its_columns_and_nothing_that_there_is_not():
    kept = columns("softmax", Metrics(max_error_ulp=0.5, mean_kl=0.25, mass_loss_rate=1.0))
    assert kept == {"max_error_ulp": 0.5, "kl": 0.25}
    kept = columns("cross_entropy", MADE_UP["cross_entropy"])
    assert kept == {
        "loss_grad_max_error_ulp": 0.5, "loss_max_error_ulp": 0.5, "loss_bound_ulp": 0.5,
    }  # fmt: skip


def test_goals_name_what_a_sweep_keeps():
    kept = {metric.name for metric in KEPT}
    assert {*POINT_METRICS, *DESIGN_METRICS} < kept
    assert kept - {*POINT_METRICS, *DESIGN_METRICS} == {
        "bound_absolute", "backward_power_min", "backward_power_max", "seeds",
    }  # fmt: skip


def test_a_metric_of_two_units_is_the_same_one():
    assert metric_of("softmax_backward", "clip_rate") is metric_of("softmax", "clip_rate")
    assert metric_of("softmax_backward", "max_error_ulp") is CATALOGUE["backward_max_error_ulp"]
    assert metric_of("softmax", "seconds") is CATALOGUE["seconds"]
    assert metric_of("softmax", "speed") is None
