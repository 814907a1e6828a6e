"""Tokens through the simulated unit take the cycles that are planned with."""

import numpy as np
import pytest

from softmaxfx.study.plan.cycles import Cycles
from softmaxfx.study.plan.findings import Findings
from softmaxfx.study.plan.through_unit import through_unit
from softmaxfx.study.plan.vocabulary import Vocabulary

WORDS = 40


def findings(buffer_length: int) -> Findings:
    counts = np.maximum(2000 // (np.arange(WORDS) + 1), 1)
    return Findings.of(Cycles(Vocabulary.of(counts, "a text"), 2, buffer_length), 3)


@pytest.mark.long
def test_cycles_are_those_planned(tmp_path):
    found = findings(WORDS)
    counts = found.vocabulary.counts
    tokens = np.random.default_rng(1).choice(WORDS, 3000, p=counts / counts.sum())
    through = through_unit(found, tokens, tmp_path)
    assert through[0].name == "planned"
    assert through[0].cutoffs == found.plan.cutoffs
    assert len({one.cutoffs for one in through}) == len(through) > 2
    for one in through:
        assert one.tokens == 3000
        assert -0.03 < one.error <= 0  # the unit is filled, and emptied, once
        assert one.full == WORDS / 2
    assert through[0].cycles < min(one.cycles for one in through[1:]) * 1.01


def test_splits_with_a_row_that_no_unit_holds_are_left_out(tmp_path):
    assert through_unit(findings(2), np.arange(5), tmp_path) == []
