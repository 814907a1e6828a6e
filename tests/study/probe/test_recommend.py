"""What is recommended follows from the rows: range, bits, the smallest preset that is enough."""

import numpy as np
import pytest

from softmaxfx.golden import SQ, ConfigError, preset, softmax_rows
from softmaxfx.study.probe.recommend import (
    KEPT_WINNERS,
    MOST_LOST,
    PRESETS,
    good_enough,
    integer_bits,
    recommend,
    wide,
)
from softmaxfx.study.probe.seen import seen
from softmaxfx.study.probe.trials import tried

from .sites import normal, sure


def test_a_maximum_beyond_the_range_needs_full_and_the_sentence_says_why():
    found = recommend([normal("first: softmax"), sure(maximum=25.0, share=0.25)])
    assert found.preset == "full"
    assert found.sentence == (
        "Take full: 25 % of the rows of last: softmax have their maximum beyond ±10, where int8, "
        "int8_row and base saturate."
    )
    base = next(choice for choice in found.choices if choice.name == "base")
    assert (base.clipped, base.clipped_site, base.limit) == (0.25, "last: softmax", 10.0)
    assert not base.good


def test_the_smallest_preset_that_is_enough_is_taken():
    site = sure(maximum=6.0, share=0.5)
    found = recommend([site])
    assert found.preset == "int8"
    assert found.sentence.startswith("Take int8: of 400 rows 0 % at most, of any site, have their")
    few = recommend([site], ["base", "full"])
    assert [choice.name for choice in few.choices] == ["base", "full"]
    assert few.preset == "base"


def test_a_mass_that_is_lost_rules_out_eight_bits():
    found = recommend([normal(scale=0.5, rows=60, n=1000, decides=False)])
    int8, int8_row = found.choices[:2]
    assert int8.trial.lost > 0.5 > MOST_LOST
    assert not int8.good
    assert int8_row.trial.lost < int8.trial.lost / 10
    assert "int8 loses 0." in found.sentence
    assert found.preset in ("int8_row", "base")


def test_no_preset_may_be_enough():
    found = recommend([sure(maximum=300.0, share=1.0)])
    assert found.preset == ""
    assert found.sentence == (
        "Take none of the presets: 100 % of the rows of last: softmax have their maximum beyond "
        "±128, where full saturates. An input of 10 integer bits holds them."
    )
    assert found.input is not None
    assert found.input.i == 10


def test_logits_that_no_unit_holds_are_told():
    found = recommend([sure(maximum=3e4, share=1.0)])
    assert found.input is None
    assert found.formats == "no format"
    assert found.sentence.endswith("No unit holds them: scale the logits.")


@pytest.mark.parametrize(
    ("maximum", "bits"), [(0.5, 4), (7.7, 4), (7.8, 5), (15.7, 5), (16.0, 6), (120.0, 8)]
)
def test_integer_bits_hold_every_maximum(maximum, bits):
    site = sure(maximum=maximum)
    assert integer_bits([site]) == bits
    fmt, top = SQ(bits, 2), max(maximum, 4.0)
    held = fmt.to_float(fmt.quantize(np.array([top])))[0]
    assert abs(held - top) <= fmt.lsb / 2


def test_a_maximum_far_below_0_needs_bits_too():
    logits = np.full((5, 3), -20.0)
    assert integer_bits([seen("x", {"": logits}, 1)]) == 6


def test_the_formats_are_the_fewest_bits_of_those_that_are_enough():
    found = recommend([normal(scale=2.0, rows=200)])
    for trials, chosen in ((found.inputs, found.input), (found.outputs, found.output)):
        kept = good_enough(trials)
        first = next(place for place in range(len(trials)) if all(kept[place:]))
        formats = [trial.config for trial in trials]
        assert chosen in (formats[first].input, formats[first].output)
        assert not all(kept)
    assert found.formats == f"{found.input} to {found.output}"


def test_winners_count_where_they_decide_alone():
    ties = np.tile([1.0, 1.01, 0.0], (50, 1))  # what int8 cannot tell apart
    for decides in (True, False):
        trial = tried("int8", preset("int8"), [seen("x", {"": ties}, 1, decides=decides)])
        assert trial.lost < MOST_LOST
        assert trial.costs[0].top1 == 0.5 < KEPT_WINNERS
        assert trial.top1 == (0.5 if decides else None)


def test_what_a_unit_loses_is_its_divergence():
    """Against the sum, row by row."""
    site, config = normal(scale=3.0, rows=30), preset("int8")
    rows = site.sample
    p = config.output.to_float(softmax_rows(rows.codes(config), config).p)
    x = rows.values
    exact = np.exp(x - x.max(axis=1, keepdims=True))
    exact /= exact.sum(axis=1, keepdims=True)
    terms = np.where(p > 0, p * np.log(np.where(p > 0, p, 1) / exact), 0)
    expected = (terms.sum(axis=1) + 1 - p.sum(axis=1)).mean()
    (cost,) = tried("int8", config, [site]).costs
    np.testing.assert_allclose(cost.divergence, expected, rtol=1e-9)
    assert cost.rows == 30
    assert cost.mass == pytest.approx(p.sum(axis=1).mean())
    assert cost.least_mass == pytest.approx(p.sum(axis=1).min())


def test_many_classes_whose_tail_is_lost_do_not_rule_full_out():
    logits = np.random.default_rng(1).normal(0, 1, (20, 20000))
    logits[:, 0] = 20.0
    trial = tried("full", preset("full"), [seen("x", {"": logits}, 1)])
    assert trial.config.max_length == 20000
    assert trial.kl > trial.lost
    assert trial.lost < MOST_LOST


def test_a_unit_that_cannot_be_built_is_told():
    with pytest.raises(ConfigError):
        wide(SQ(20, 8), preset("base").output)
    found = recommend([sure(maximum=3e4, share=1.0)])
    assert all(trial.infeasible and not trial.costs for trial in found.inputs)


def test_the_share_that_is_done_rises_to_1():
    told = []
    recommend([sure(rows=20)], PRESETS, told.append)
    assert told == sorted(told)
    assert told[-1] == 1.0
