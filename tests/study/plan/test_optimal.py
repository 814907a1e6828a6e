"""The cheapest split: against every split of few words, and O(V^2 J) of more."""

import tracemalloc
from itertools import combinations
from time import process_time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from softmaxfx.golden.errors import ConfigError
from softmaxfx.study.plan.cost import total
from softmaxfx.study.plan.cycles import Cycles
from softmaxfx.study.plan.optimal import Planner
from softmaxfx.study.plan.times import DivValue, Law, Quarter, Times
from softmaxfx.study.plan.vocabulary import Vocabulary

COUNTS = st.lists(st.integers(1, 60), min_size=3, max_size=11)
ROUNDING = 1e-12
"""Of sums of seconds in float64, taken in another order."""


class Whole:
    """Tails as wide as the head."""

    def of(self, hidden: int, tails: int) -> tuple[int, ...]:
        return (hidden,) * tails


def vocabulary(counts) -> Vocabulary:
    return Vocabulary.of(np.array(counts), "made up")


def zipf(words: int, seed: int = 1) -> Vocabulary:
    noise = np.random.default_rng(seed).integers(1, 4, words)
    return vocabulary((1e6 / np.arange(1, words + 1)).astype(np.int64) + noise)


def least(cost, tails: int):
    """The least cost of all splits into up to so many tails."""
    words = range(1, len(cost.vocabulary))
    return min(
        total(cost, cutoffs)
        for count in range(1, tails + 1)
        for cutoffs in combinations(words, count)
    )


def least_of_pairs(cost, tails: int):
    """The same by dynamic programming over all pairs of cutoffs."""
    words = len(cost.vocabulary)
    starts = np.arange(words)
    found, widths = [], cost.widths(tails)
    for count in range(1, tails + 1):
        ends = cost.tail(starts, np.full(words, words), widths[count - 1])
        for tail in reversed(range(count - 1)):
            ends = np.array([
                min((cost.tail(np.full(1, s), np.arange(s + 1, words), widths[tail])
                     + ends[s + 1 :]).min(initial=cost.unlimited), cost.unlimited)
                for s in starts
            ])  # fmt: skip
        found.append((cost.head(starts[1:], count) + ends[1:]).min())
    return min(found)


@settings(max_examples=60, deadline=None)
@given(COUNTS, st.integers(1, 3), st.integers(1, 4), st.integers(0, 9), st.integers(0, 6))
def test_no_split_takes_fewer_cycles(counts, tails, lanes, more, longer):
    tails = min(tails, len(counts) - 1)
    for longest in (None, lanes + more + longer):
        cost = Cycles(vocabulary(counts), lanes, lanes + more, longest)
        if (expected := least(cost, tails)) >= cost.unlimited:
            with pytest.raises(ConfigError, match="must fit what is sent"):
                Planner(cost).best(tails)
            continue
        split = Planner(cost).best(tails)
        assert split.cost == expected
        assert total(cost, split.cutoffs) == expected


@settings(max_examples=60, deadline=None)
@given(
    COUNTS, st.integers(1, 3), st.floats(0, 50), st.floats(0, 10), st.integers(1, 40),
    st.sampled_from([Quarter(), DivValue(2.0), DivValue(4.0)]),
)  # fmt: skip
def test_no_split_takes_less_time(counts, tails, floor, overhead, batch, projection):
    tails = min(tails, len(counts) - 1)
    law = Law(floor + overhead, overhead, 0.01)
    cost = Times(vocabulary(counts), law, batch, 64, projection)
    split = Planner(cost).best(tails)
    assert total(cost, split.cutoffs) == pytest.approx(split.cost, rel=ROUNDING)
    assert split.cost == pytest.approx(least(cost, tails), rel=ROUNDING)


@pytest.mark.parametrize(("lanes", "buffer"), [(8, 64), (8, 1000), (1, 100), (3, 50), (8, 9)])
def test_cycles_of_a_middle_vocabulary_are_the_least(lanes, buffer):
    cost = Cycles(zipf(700), lanes, buffer)
    split = Planner(cost).best(4)
    assert split.cost == total(cost, split.cutoffs) == least_of_pairs(cost, 4)


@pytest.mark.parametrize("floor", [0.0, 3e-6, 1e-4])
@pytest.mark.parametrize("projection", [Quarter(), DivValue(3.0)])
def test_the_time_of_a_middle_vocabulary_is_the_least(floor, projection):
    cost = Times(zipf(700), Law(1e-6 + floor, 1e-6, 2e-11), 256, 256, projection)
    split = Planner(cost).best(4)
    assert split.cost == pytest.approx(least_of_pairs(cost, 4), rel=ROUNDING)


@pytest.mark.long
def test_a_million_words_take_ten_seconds_and_a_gibibyte():
    """Five clusters by time; of this process, whatever else the machine does."""
    cost = Times(zipf(10**6), Law(5e-6, 2e-6, 2e-11))
    tracemalloc.start()
    begin = process_time()
    split = Planner(cost).best(4)
    seconds, (_, most) = process_time() - begin, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert split.tails == 4
    assert seconds <= 10
    assert most <= 2**30


@pytest.mark.long
@pytest.mark.parametrize("buffer", [1024, 16384])
def test_cycles_of_fourteen_thousand_words_are_the_least(buffer):
    cost = Cycles(zipf(14_000), 8, buffer)
    assert Planner(cost).best(4).cost == least_of_pairs(cost, 4)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 40), min_size=8, max_size=40))
def test_the_price_of_tails_fulfils_monge(counts):
    words = vocabulary([count + 1 for count in counts])
    edges = np.arange(0, len(counts) + 1, 4)
    costs = (Cycles(words, 4, 12), Times(words, Law(5.0, 1.0, 0.1), 7, 32))
    for cost in costs:
        for piece in cost.pieces:
            s, e = np.meshgrid(edges, edges, indexing="ij")
            price = piece.cost(s, e, 16).astype(float)
            # rows s < s + 4, columns e < e + 4, wherever the inner tail has a word
            bent = price[:-1, 1:] + price[1:, :-1] - price[:-1, :-1] - price[1:, 1:]
            inner = s[1:, :-1] <= e[1:, :-1]
            assert (bent[inner] >= -1e-9).all()


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 30), min_size=4, max_size=7), st.integers(1, 3))
def test_bigger_clusters_hold_rarer_words(counts, lanes):
    """No assignment of words to a head and two tails, sorted or not, takes fewer cycles."""
    counts = sorted(counts, reverse=True)
    cost = Cycles(vocabulary(counts), lanes, 64)
    tokens = np.array(counts)
    best = cost.unlimited
    for code in range(3 ** len(counts)):
        places = np.array([code // 3**i % 3 for i in range(len(counts))])
        sizes = np.bincount(places, minlength=3)
        if sizes[0] and sizes[1]:
            tails = 1 + bool(sizes[2])
            spent = cost.row(sizes)[1:] @ [tokens[places == tail].sum() for tail in (1, 2)]
            best = min(best, spent + cost.vocabulary.tokens * cost.row(sizes[:1] + tails)[0])
    split = Planner(cost).best(2)
    assert split.cost == best
    lengths = np.diff([*split.cutoffs, len(counts)])
    assert (np.diff(cost.row(lengths)[:-1]) >= 0).all()


def test_tails_grow():
    """In beats and in words; the last one has the words that are left."""
    cycles, times = Cycles(zipf(5000)), Times(zipf(5000), Law(2e-6, 1e-6, 2e-11))
    for by_cycles, by_time in zip(
        *(Planner(cost).curve(8) for cost in (cycles, times)), strict=True
    ):
        lengths = np.diff([*by_cycles.cutoffs, 5000])
        assert (np.diff(cycles.row(lengths)) >= 0).all()
        assert (np.diff(np.diff([*by_time.cutoffs, 5000])) >= 0).all()


def test_more_clusters_than_words_are_refused():
    with pytest.raises(ConfigError, match="clusters must be 2 to 3, as many as there are words"):
        Planner(Cycles(vocabulary([3, 2, 1]))).best(3)


def test_more_cycles_than_can_be_counted_are_refused():
    words = Vocabulary.of(np.full(2**18, 2**24), "made up")
    with pytest.raises(ConfigError, match=r"the counts of made up must add up to less for 262145"):
        Cycles(words, 1, 1024)


def test_a_vocabulary_that_fits_no_row_is_refused():
    with pytest.raises(ConfigError, match=r"100 words in 3 clusters must fit .*, none above 16"):
        Planner(Cycles(zipf(100), 8, 16, 16)).best(2)


def test_a_floor_breaks_the_order_of_words():
    """Why a plan by time is of sorted words, and no claim on others: below the floor, a tail of
    rarer words has room for a frequent one."""
    words = vocabulary([25, 16, 16, 15, 4])
    cost = Times(words, Law(50.0, 0.0, 1.0), words.tokens, 1, Whole())
    *_, sorted_least = Planner(cost).curve(2)
    assert sorted_least.cost == 3 * 76 + 114
    tails = [(16, 15), (16, 4)]
    assert 3 * 76 + sum(max(50, len(tail) * sum(tail)) for tail in tails) == 3 * 76 + 112
