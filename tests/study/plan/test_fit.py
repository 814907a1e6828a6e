"""The law of a product's time: known laws are found again, whatever a few times say."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from softmaxfx.golden.errors import ConfigError
from softmaxfx.study.plan.fit import Timed, fitted
from softmaxfx.study.plan.times import Law

SIZES = [(tokens, words) for tokens in (8, 64, 512) for words in (1, 4, 16, 64, 256, 1024, 4096)]


def timed(law: Law, noise=1.0) -> list[Timed]:
    work = np.array([tokens * 64.0 * words for tokens, words in SIZES])
    seconds = law.seconds(work) * noise
    return [
        Timed(tokens, 64, words, float(time))
        for (tokens, words), time in zip(SIZES, seconds, strict=True)
    ]


@settings(max_examples=30, deadline=None)
@given(st.floats(1, 5), st.floats(0, 1), st.floats(1, 100))
def test_a_law_is_found_again(floor, share, rate):
    law = Law(floor * 1e-6, floor * share * 1e-6, rate * 1e-12)
    fit = fitted(timed(law))
    assert fit.worst == pytest.approx(0, abs=1e-6)
    assert fit.typical == pytest.approx(0, abs=1e-9)


def test_a_slow_moment_does_not_bend_it():
    law = Law(5e-6, 2e-6, 2e-11)
    noise = np.ones(len(SIZES))
    noise[[3, 12]] = 3.0
    fit = fitted(timed(law, noise))
    assert fit.law.rate == pytest.approx(law.rate, rel=0.02)
    assert fit.law.floor == pytest.approx(law.floor, rel=0.05)
    assert fit.typical < 0.02
    assert fit.worst < -0.6


def test_the_floor_in_words_and_tokens():
    law = Law(floor=5e-6, overhead=1e-6, rate=1e-11)
    assert law.knee == pytest.approx(4e5)
    assert law.slope(64) == pytest.approx(6.4e-10)
    assert law.seconds(np.array([0.0, 4e5, 8e5])) == pytest.approx([5e-6, 5e-6, 9e-6])


def test_three_times_are_no_law():
    with pytest.raises(ConfigError, match="a law must be fitted to at least 4 times, not 3"):
        fitted(timed(Law(1e-6, 0, 1e-11))[:3])
