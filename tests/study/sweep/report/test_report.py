"""The report's files tell what the results hold, and the same results give the same bytes."""

import csv
import dataclasses
import hashlib
import json
import random
import shlex
import tomllib

import click
import click.testing
import pytest

from softmaxfx.cli import main
from softmaxfx.golden import ConfigError, SoftmaxConfig, preset
from softmaxfx.golden.formats import SQ, UQ
from softmaxfx.golden.measures.catalogue import CATALOGUE, DESIGN, KEPT, POINT
from softmaxfx.options import chosen_configs, config_options
from softmaxfx.study.sweep.report import figures
from softmaxfx.study.sweep.report.curves import comparable, curve, find_knee, swept_widths
from softmaxfx.study.sweep.report.figures import page_data
from softmaxfx.study.sweep.report.fronts import pareto, placed
from softmaxfx.study.sweep.report.gathered import Configuration, Gathered
from softmaxfx.study.sweep.report.precision import precision_text, reason
from softmaxfx.study.sweep.report.recommend import recommend
from softmaxfx.study.sweep.report.report import report
from softmaxfx.study.sweep.space import recipe

ERROR = CATALOGUE["max_error_unclipped"]

CONFIGS = (
    SoftmaxConfig(),
    preset("int8", lanes=2, max_length=64),
    preset("wide"),
    preset("tight", datapath="exact_sum"),
    preset("tiny", clip="difference", range=16.0, scale=8**-0.5),
    SoftmaxConfig(exp_split=(8, 8), mantissa_bits=19, lanes=1),
)


@pytest.fixture
def gathered(made_rows):
    return Gathered.of(made_rows())


def test_the_same_results_give_the_same_bytes_in_any_order(tmp_path, made_rows, made_sources):
    rows = made_rows()
    one = report(rows, made_sources, tmp_path / "one")
    random.Random(1).shuffle(rows)
    two = report(
        iter(rows), iter(made_sources), tmp_path / "two", versions={"written": "at noon today"}
    )
    for name in ("html", "markdown", "csv", "precision"):
        hashes = {hashlib.sha256(getattr(r, name).read_bytes()).hexdigest() for r in (one, two)}
        assert len(hashes) == 1, name
    assert json.loads(two.versions.read_text())["written"] == "at noon today"
    assert "at noon today" not in two.html.read_text()


def test_the_csv_is_sorted_by_key_and_reads_back_exactly(tmp_path, made_rows, made_sources):
    rows = {row.key: row for row in made_rows()}
    text = report(rows.values(), made_sources, tmp_path).csv.read_text()
    read = list(csv.DictReader(text.splitlines()))
    keys = [line["key"] for line in read]
    assert keys == sorted(key for key, row in rows.items() if row.status != "open")
    for line in read:
        row = rows[line["key"]]
        assert (line["kind"], line["source"], line["status"]) == (
            row.kind, row.source, row.status,
        )  # fmt: skip
        assert {name: float(line[name]) for name in row.metrics} == row.metrics
        if row.status == "done" and row.kind != "float":
            assert line["input"] == row.fields["input"]
            assert json.loads(line["exp_split"]) == row.fields["exp_split"]
    assert sum(line["reason"] == "mantissa_bits must be <more>, not 4" for line in read) == 2


def test_the_columns_of_the_csv_are_those_of_the_catalogue_in_its_order(
    tmp_path, made_rows, made_sources
):
    text = report(made_rows(), made_sources, tmp_path).csv.read_text()
    columns = text.splitlines()[0].split(",")
    first = columns.index("max_error_unclipped")
    measured = {name for row in made_rows() for name in row.metrics}
    assert columns[first:] == [metric.name for metric in KEPT if metric.name in measured]
    assert {metric.name for metric in DESIGN} <= measured


def test_the_page_and_its_twin_explain_every_metric(tmp_path, made_rows, made_sources):
    written = report(made_rows(), made_sources, tmp_path)
    explained = written.markdown.read_text().split("## What the metrics mean")[1]
    measured = {name for row in made_rows() for name in row.metrics if row.kind != "float"}
    names = [line.split(" | ")[0].strip("| ") for line in explained.splitlines() if "|" in line]
    assert names[2:] == [m.name for m in KEPT if m.name in measured | {"bound_absolute"}]
    for metric in POINT:
        assert json.dumps(metric.meaning, ensure_ascii=False) in written.html.read_text()


def test_nothing_done_is_refused_and_nothing_written(tmp_path, made_rows, made_sources):
    rows = [row for row in made_rows() if row.status == "open"]
    with pytest.raises(ConfigError, match=r"results must hold a point or a design.*not none"):
        report(rows, made_sources, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("config", CONFIGS, ids=range(len(CONFIGS)))
def test_the_toml_is_the_configuration(config):
    lines = Configuration(config.to_dict()).toml
    assert SoftmaxConfig.from_dict(tomllib.loads("\n".join(lines))).to_dict() == config.to_dict()
    assert len(lines) < 13


@pytest.mark.parametrize("config", CONFIGS, ids=range(len(CONFIGS)))
def test_the_command_chooses_the_configuration(config):
    chosen = []

    @click.command()
    @config_options
    def export(**options):
        chosen.extend(chosen_configs(**options, default=("base",)))

    words = shlex.split(" ".join(Configuration(config.to_dict()).command))
    assert words[:2] == ["softmaxfx", "export"]
    export.main(words[2:], standalone_mode=False)
    assert [found.to_dict() for _, found in chosen] == [config.to_dict()]


def test_the_command_exports_the_configuration(tmp_path):
    config = preset("int8", lanes=1, max_length=16, datapath="exact_sum")
    words = shlex.split(" ".join(Configuration(config.to_dict()).command))
    result = click.testing.CliRunner().invoke(main, [*words[1:], "--name", "u", "--out", tmp_path])
    assert result.exit_code == 0, result.output
    assert json.loads((tmp_path / "u.json").read_text())["config"] == config.to_dict()


def test_rows_are_sorted_by_what_they_are(gathered):
    assert gathered.sources == ["digits", "attention"]
    assert (len(gathered.points), len(gathered.designs)) == (100, 20)
    assert [one.reason for one in gathered.infeasible] == ["mantissa_bits must be <more>, not 4"]
    assert gathered.infeasible[0].label == (
        "input = SQ(5, 11), output = UQ(0, 16), lanes = 1, mantissa_bits = 4"
    )
    assert gathered.unfinished == 1
    assert {*gathered.baselines["attention"]} == {"fp16", "bf16", "round_3"}


@pytest.mark.parametrize(
    ("distances", "resolution", "found"),
    [
        ([8, 4, 2, 1.2, 1], 0, (12, "knee")),
        ([16, 8, 4, 2, 1], 0, (None, "falling")),
        ([1.4, 1.2, 1, 1, 1], 0, (6, "flat")),
        ([16, 8, 4, 2, 1], 3.9, (12, "knee")),
        ([16, 8, 4, 2, 1], 20, (6, "flat")),
        ([3, 0, 0, 0, 0], 0, (8, "knee")),
    ],
)
def test_the_knee_is_the_fewest_bits_near_the_best(distances, resolution, found):
    assert find_knee((6, 8, 10, 12, 14), distances, resolution) == found


def test_curves_show_what_bits_buy(gathered):
    points = gathered.of_source("digits")
    assert swept_widths(points) == ["output", "input"]
    found = curve(points, ERROR, "output")
    assert found is not None
    assert found.bits == (6, 8, 10, 12, 14)
    assert [found.at(bits) for bits in found.bits] == [2**-6, 2**-8, 2**-10, 2**-10, 2**-10]
    assert (found.knee, found.shape) == (10, "knee")
    assert curve(points, ERROR, "loss") is None


def test_only_the_same_choices_are_compared(made_rows):
    """A wider clip that was measured at one width alone must not bend the curve there."""
    rows = made_rows()
    config = SoftmaxConfig(
        input=SQ(6, 10), output=UQ(0, 14), range=16, lanes=1, max_length=64, loss=UQ(6, 10)
    )
    alone = dataclasses.replace(
        rows[0], key="x", fields=config.to_dict(),
        metrics={**rows[0].metrics, "max_error_unclipped": 1e-9},
    )  # fmt: skip
    points = Gathered.of([*rows, alone]).of_source("digits")
    assert len(comparable(points, "output")) == len(points) - 1
    found = curve(points, ERROR, "output")
    assert found is not None
    assert found.at(14) == 2**-10


def test_no_point_of_the_front_is_beaten(gathered):
    group = placed(gathered, "digits", "ecp5", 1, ERROR)
    front = pareto(group, ERROR)
    assert len(group) == 10
    errors = [one.point.metrics[ERROR.name] for one in group]
    assert len(front) == 3
    for i, one in enumerate(group):
        beaten = any(
            group[j].cost <= one.cost
            and errors[j] <= errors[i]
            and (group[j].cost, errors[j]) != (one.cost, errors[i])
            for j in range(len(group))
        )
        assert beaten == (i not in front)
    assert all(one.design.lanes == 1 for one in group)


def test_the_recommendation_is_the_cheapest_design_within_the_limits(gathered):
    advice = recommend(gathered, "digits")
    assert advice is not None
    assert advice.chosen is not None
    assert advice.chosen.design is not None
    config = advice.chosen.design.configuration.fields
    assert (config["input"], config["output"], config["datapath"], config["lanes"]) == (
        "SQ(5, 5)", "UQ(0, 8)", "exact_sum", 1,
    )  # fmt: skip
    assert advice.passing == 32
    assert advice.cheaper is not None
    assert advice.cheaper.point.configuration.fields["output"] == "UQ(0, 6)"
    assert "largest error against float64 of the logits is off by 0.0156" in reason(advice)


def words_of(rows, sources):
    gathered = Gathered.of(rows)
    found = {name: recommend(gathered, name) for name in gathered.sources}
    advice = {name: one for name, one in found.items() if one is not None}
    return precision_text(gathered, sources, advice, "Made up.")


def test_the_words_change_with_the_results(made_rows, made_sources):
    easy = words_of(made_rows(), made_sources)
    strict = words_of(made_rows(float_error=2.0**-9), made_sources)
    assert "**Recommended: SQ(5, 5) → UQ(0, 8), clip ±10, exact_sum.**" in easy
    assert "**Recommended: SQ(5, 7) → UQ(0, 10), clip ±10, exact_sum.**" in strict
    assert "The largest error falls from 0.0156 at 6 bits to 0.000977 at the knee of 10" in easy
    assert "one seed of place-and-route" in easy
    assert "800 elements" in easy


def test_the_words_claim_nothing_that_was_not_measured(made_rows, made_sources):
    rows = made_rows()
    alone = words_of([row for row in rows if row.kind == "point"], made_sources)
    assert "**Recommended" not in alone
    assert alone.count("Nothing is recommended: bf16 was not measured on these rows.") == 2
    assert "LUT" not in alone
    assert "place-and-route" not in alone
    without_designs = words_of([row for row in rows if row.kind != "design"], made_sources)
    assert "LUT" not in without_designs
    assert "with the fewest bits; none was synthesised" in without_designs
    hopeless = words_of(made_rows(float_error=2.0**-12), made_sources)
    assert hopeless.count("**Nothing is recommended.** None of 50 configurations") == 2
    assert "Loss" not in hopeless.split("## attention")[1].split("## Limits")[0]


def test_limits_are_not_passed_by_what_was_not_measured(made_rows):
    rows = [
        dataclasses.replace(row, metrics={n: v for n, v in row.metrics.items() if n != "kl"})
        if row.kind == "point" and row.fields["input"] != "SQ(5, 11)"
        else row
        for row in made_rows()
    ]
    advice = recommend(Gathered.of(rows), "digits")
    assert advice is not None
    assert advice.chosen is not None
    assert advice.chosen.point.configuration.fields["input"] == "SQ(5, 11)"


def test_markdown_is_the_twin_of_the_page(tmp_path, made_rows, made_sources):
    text = report(
        made_rows(), made_sources, tmp_path, command="softmaxfx sweep mine.toml", seed=7
    ).markdown.read_text()
    assert "`softmaxfx sweep mine.toml`, seed 7" in text
    assert "| digits | ecp5 | 1 | SQ(5, 5) → UQ(0, 8), clip ±10, exact_sum | 230 | 0.00391" in text
    assert "| digits | output | Largest error against float64 of the logits | 10 |" in text
    assert "| p to 3 decimals |" in text
    assert "mantissa_bits must be <more>, not 4" in text


def test_a_large_sweep_draws_every_figure_and_not_every_point(monkeypatch, made_rows, made_sources):
    monkeypatch.setattr(figures, "MOST_POINTS", 160)
    copies = [
        dataclasses.replace(row, key=f"{row.key}-{copy}")
        for row in made_rows()
        for copy in range(4)
        if row.kind == "point"
    ]
    gathered = Gathered.of(copies)
    data = page_data(gathered, made_sources, {})
    assert len(gathered.points) == 400
    assert 60 < len(data["points"]) <= 160
    cloud = data["clouds"]["digits"]
    assert cloud["of"] == 200
    assert {i for front in cloud["fronts"].values() for i in front} <= {*cloud["points"]}


def test_a_command_can_be_another_one():
    words = recipe.command_words("synth", {"lanes": 1}, ("--target ecp5",))
    assert " ".join(words) == "softmaxfx synth --target ecp5 --preset base --lanes 1"
