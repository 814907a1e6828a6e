"""What is found of a vocabulary: the plan beside rivals, two clusters, tables and fields."""

import numpy as np
import pytest

from softmaxfx.study.plan import charts, tables
from softmaxfx.study.plan.chart import plotly, svg
from softmaxfx.study.plan.cycles import Cycles
from softmaxfx.study.plan.findings import Findings
from softmaxfx.study.plan.rivals import Rival, rivals
from softmaxfx.study.plan.times import DivValue, Law, Times
from softmaxfx.study.plan.vocabulary import Vocabulary

WORDS = Vocabulary.of((30_000 / np.arange(1, 3001)).astype(np.int64), "made up")


@pytest.fixture(scope="module")
def by_cycles() -> Findings:
    return Findings.of(Cycles(WORDS, 8, 256), 5)


def test_the_plan_takes_fewer_cycles_than_what_is_picked(by_cycles):
    full, *others, planned = by_cycles.table
    assert full.cost == 2 * 375
    assert by_cycles.gain == pytest.approx(full.cost / planned.cost)
    picked = [one for one in others if one.rival.clusters <= 5]
    assert len(picked) >= 4
    assert all(planned.cost < one.cost for one in picked)


def test_rivals_of_a_small_vocabulary():
    words = Vocabulary.of(np.array([5, 4, 3, 2, 1]), "made up")
    assert [one.cutoffs for one in rivals(words, 5)] == [
        (), (0, 3), (2,), (1, 2, 3, 4),
    ]  # fmt: skip
    assert rivals(words, 5)[1].clusters == 2


def test_classes_are_priced_without_words_in_the_head(by_cycles):
    classes = by_cycles.priced(Rival("", (0, 1000, 2000)))
    shares = np.diff(WORDS.before[[0, 1000, 2000, 3000]]) / WORDS.tokens
    assert classes.cost == pytest.approx(1 + 2 * 125 * shares.sum())


def test_a_split_without_a_width_has_no_price():
    cost = Times(WORDS, Law(1e-6, 1e-6, 1e-11), 64, 64, DivValue(4.0))
    found = Findings.of(cost, 2)
    assert [split.tails for split in found.curve] == [1, 2, 3]
    assert found.table[1].cost is None
    assert tables.rivals(found)[1][1][-2:] == ["-", "-"]


def test_rows_that_are_too_long_have_no_price():
    found = Findings.of(Cycles(WORDS, 8, 256, 2000), 5)
    assert found.full is None
    assert found.gain is None
    assert max(found.clusters.lengths) <= 2000


def test_two_clusters(by_cycles):
    two = by_cycles.two
    assert two.best[0] == 255
    assert two.best[1] <= two.short_list.min()
    assert WORDS.before[two.equal[0]] >= WORDS.tokens / 2 > WORDS.before[two.equal[0] - 1]
    assert two.equal[1] > two.best[1]
    at = int(np.searchsorted(two.words, 10))
    share = WORDS.before[two.words[at]] / WORDS.tokens
    rest = 2 * -(-(3000 - two.words[at]) // 8)
    leaves = 1 + share * -(-two.words[at] // 8) + (1 - share) * rest
    assert two.leaves[at] == pytest.approx(leaves)


def test_what_is_copied(by_cycles):
    cutoffs = [*by_cycles.plan.cutoffs]
    assert [*tables.copied_lines(by_cycles)] == [
        "vocabulary = 3000",
        f"cutoffs = {cutoffs}",
        f"max_length = {max(by_cycles.clusters.lengths)}",
        "buffer_length = 256",
    ]
    by_time = Findings.of(Times(WORDS, Law(1e-6, 1e-6, 1e-11)), 3)
    assert [*tables.copied_lines(by_time)] == [f"cutoffs = {[*by_time.plan.cutoffs]}"]


def test_clusters_add_up(by_cycles):
    heading, rows = tables.clusters(by_cycles)
    assert heading[-1] == "cycles a token"
    assert sum(int(row[1].replace(",", "")) for row in rows) == 3000
    planned = by_cycles.cost.told(by_cycles.plan.cost)
    assert sum(float(row[-1]) for row in rows) == pytest.approx(planned, rel=1e-3)


def test_fields_hold_the_mapping(by_cycles):
    turned = Vocabulary.of(WORDS.counts[::-1], "turned")
    fields = tables.fields(Findings.of(Cycles(turned, 8, 256), 5), None, [])
    assert fields["order"][0] == 2999
    assert fields["cutoffs"] == [*by_cycles.plan.cutoffs]
    assert len(fields["curve"]) == 20
    assert tables.fields(by_cycles, None, [])["order"] is None


@pytest.mark.parametrize(
    ("cost", "text"),
    [(None, "-"), (3.14159, "3.142"), (120.0, "120.0"), (123_456.7, "123,457"), (0.5, "0.5000")],
)
def test_costs_have_four_digits(cost, text):
    assert tables.figure(cost) == text


def test_a_chart_is_drawn_the_same_twice(by_cycles):
    drawn = [charts.by_clusters([("planned", by_cycles)]), charts.two_clusters(by_cycles)]
    assert svg(drawn) == svg(drawn)
    assert "Cheapest split into so many clusters" in svg(drawn)
    assert plotly(drawn[0])["traces"][0]["x"] == [*range(2, 22)]
