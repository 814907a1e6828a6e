"""What was measured of networks in a table, a picture and a document: every figure is there."""

import re
from dataclasses import dataclass

import pytest

pytest.importorskip("torch", reason="torch is not installed")
from xml.etree import ElementTree

from softmaxfx.study.models.document import document
from softmaxfx.study.models.figures import METRICS, SHOWN, Metric
from softmaxfx.study.models.goals import verdicts
from softmaxfx.study.models.picture import picture
from softmaxfx.study.models.report import cells, fields, sentence, table
from softmaxfx.study.models.variants import REFERENCE, groups


@dataclass(frozen=True)
class Named:
    name: str
    title: str


NETWORKS = [Named(name, f"the network {name}") for name in SHOWN]
GROUPS = groups(("presets", "range"))


def made():
    """Every figure another one."""
    number = iter(range(1000, 9000))
    return {
        (network.name, softmax.name): {
            place: {name: next(number) / 10_000 for name in METRICS[network.name]}
            for place in SHOWN[network.name]
        }
        for network in NETWORKS
        for softmax in (REFERENCE, *(each for group in GROUPS for each in group.softmaxes))
    }


FOUND = made()
MET = list(verdicts(FOUND))


def test_the_document_has_every_figure_that_is_shown_in_the_network_s_part():
    text = document(NETWORKS, GROUPS, FOUND, MET, "softmaxfx models x", "models.svg")
    assert "Written by `softmaxfx models x`; do not edit." in text
    assert "(models.svg)" in text
    parts = dict(re.findall(r"^## (\w+)$(.*?)(?=^## |\Z)", text, re.DOTALL | re.MULTILINE))
    for network in NETWORKS:
        for group in GROUPS:
            assert f"### {group.name}: {group.question}" in parts[network.name]
            for softmax in group.softmaxes:
                line = " | ".join([softmax.name, *cells(network.name, softmax, FOUND)])
                assert f"| {line} |" in parts[network.name]


def test_the_document_says_which_goals_are_missed():
    text = document(NETWORKS, GROUPS, FOUND, MET, "c", "p")
    goals = text.partition("## Goals")[2].partition("\n## ")[0]
    assert goals.count("**missed**") == sum(not one.reached for one in MET) > 0
    assert goals.count("| reached |") == sum(one.reached for one in MET)
    assert "## Goals" not in document(NETWORKS, GROUPS, FOUND, [], "c", "p")


def test_the_document_tells_what_few_bits_miss_as_far_as_it_was_measured():
    text = document(NETWORKS, GROUPS, FOUND, MET, "c", "p")
    alone = METRICS["smollm2"]["agreement"].shown(FOUND["smollm2", "x to ±10"]["both"]["agreement"])
    whole = METRICS["smollm2"]["agreement"].shown(FOUND["smollm2", "int8_row"]["both"]["agreement"])
    assert (
        "What `int8_row` misses, smollm2, same next word: with its range alone (x to ±10) "
        f"{alone}; with all of it {whole}."
    ) in text
    assert text.count("misses, ") == 2
    presets = groups(("presets",))
    assert "misses, " not in document(NETWORKS, presets, _only(presets), MET, "c", "p")


def _only(chosen):
    names = {REFERENCE.name, *(each.name for group in chosen for each in group.softmaxes)}
    return {key: figures for key, figures in FOUND.items() if key[1] in names}


def test_float32_s_perplexity_is_told():
    text = document(NETWORKS, GROUPS, FOUND, MET, "c", "p")
    figure = FOUND["smollm2", "float32"]["both"]["perplexity"]
    assert f"float32's perplexity: {figure:.3f}." in text


def test_a_table_has_a_line_each_softmax():
    shown = table(NETWORKS[1], GROUPS, FOUND)
    assert shown.title == "the network minilm"
    assert shown.row_count == 1 + sum(len(group.softmaxes) for group in GROUPS)
    assert list(shown.columns[0].cells)[:3] == ["float32", "full", "base"]


def test_the_json_has_all_figures_and_goals():
    told = fields(NETWORKS, GROUPS, FOUND, MET)
    assert told["networks"] == {name: f"the network {name}" for name in SHOWN}
    assert len(told["figures"]) == len(FOUND)
    (one,) = (
        each for each in told["figures"] if (each["network"], each["softmax"]) == ("minilm", "full")
    )
    assert one["attention"] == FOUND["minilm", "full"]["attention"]
    assert [goal["reached"] for goal in told["goals"]] == [one.reached for one in MET]


def test_a_goal_is_told_in_a_sentence():
    verdict = next(one for one in MET if one.goal.network == "minilm")
    assert re.fullmatch(
        r"full, minilm, attention: least cosine ≥ 0\.999900: missed, it is 0\.\d{6}",
        sentence(verdict),
    )


def test_the_picture_draws_every_network_and_place_of_groups_with_an_axis():
    drawn = picture(NETWORKS, GROUPS, FOUND)
    assert picture(NETWORKS, GROUPS, FOUND) == drawn
    root = ElementTree.fromstring(drawn)
    texts = {each.text for each in root.iter("{http://www.w3.org/2000/svg}text")}
    assert {"range", "range ±", "smollm2, both: same next word", "32"} <= texts
    assert "presets" not in texts


def test_groups_without_an_axis_give_an_empty_picture():
    assert "<svg" in picture(NETWORKS, groups(("presets",)), FOUND)


@pytest.mark.parametrize(
    ("metric", "figure", "shown"),
    [
        (Metric("a", "%", 2, 100), 0.99954, "99.95 %"),
        (Metric("a", "", 3), 21.26349, "21.263"),
        (Metric("a", "%", 3, 100), 244.665882, "24,467 %"),
        (Metric("a", "%", 3, 100), -0.000002, "0.000 %"),
        (Metric("a", "%", 3, 100), -0.00002, "-0.002 %"),
        (Metric("a", "", 4), float("inf"), "inf"),
    ],
)
def test_figures_have_the_digits_that_say_something(metric, figure, shown):
    assert metric.shown(figure) == shown
