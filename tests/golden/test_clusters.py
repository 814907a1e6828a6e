"""Clusters of a vocabulary: where words are, what is derived, and what is refused."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from softmaxfx.golden import Clusters, ConfigError, preset
from softmaxfx.golden.clusters import MAX_VOCABULARY, derived_clusters
from softmaxfx.golden.units.registry import unit_sha256

SMALL = Clusters(10, (3, 5))


def test_the_head_has_its_words_and_an_entry_a_tail():
    assert (SMALL.tails, SMALL.shortlist, SMALL.head_length) == (2, 3, 5)
    assert SMALL.lengths == (5, 2, 5)


def test_every_word_is_found_in_its_cluster_and_none_outside():
    cluster, head, tail = SMALL.locate(np.arange(-1, 11))
    assert cluster.tolist() == [-1, 0, 0, 0, 1, 1, 2, 2, 2, 2, 2, -1]
    assert head.tolist() == [-1, 0, 1, 2, 3, 3, 4, 4, 4, 4, 4, -1]
    assert tail.tolist() == [-1, -1, -1, -1, 0, 1, 0, 1, 2, 3, 4, -1]


@pytest.mark.parametrize("words", [np.array([2**64 - 1, 2**63], np.uint64), [-(2**63), 2**62]])
def test_ids_of_any_width_are_outside(words):
    assert all((place == -1).all() for place in SMALL.locate(words))


def test_locate_keeps_the_shape_and_refuses_what_is_no_id():
    assert [place.shape for place in SMALL.locate(np.zeros((2, 3), int))] == [(2, 3)] * 3
    assert [place.shape for place in SMALL.locate(4)] == [()] * 3
    with pytest.raises(ValueError, match="words must be integers, the ids of words, not float64"):
        SMALL.locate([0.5])


@st.composite
def clusters(draw):
    cutoffs = draw(st.sets(st.integers(1, 200), min_size=1, max_size=9))
    return Clusters(max(cutoffs) + draw(st.integers(1, 50)), tuple(sorted(cutoffs)))


@given(clusters())
def test_places_tell_words_apart_and_give_them_back(clusters):
    words = np.arange(clusters.vocabulary)
    cluster, head, tail = clusters.locate(words)
    assert (head < clusters.head_length).all()
    assert (tail < np.array(clusters.lengths)[cluster]).all()
    assert (clusters.words(cluster, np.where(cluster > 0, tail, head)) == words).all()
    assert sum(clusters.lengths) == clusters.vocabulary + clusters.tails


REFUSED = {
    "no tail": ((10, ()), "cutoffs must be a list with the first word of every tail, one tail at"),
    "a number": ((10, 5), "cutoffs must be a list with the first word of every tail, one tail at"),
    "fraction": ((10, (2, 4.5)), "cutoff 2 must be a whole number from 1 to 2147483647, not 4.5"),
    "no head": ((10, (0, 4)), "cutoff 1 must be a whole number from 1 to 2147483647, not 0"),
    "equal": ((10, (2, 4, 4)), "cutoffs must rise, and cutoff 3 is 4 after 4, not larger"),
    "falling": ((10, (5, 4)), "cutoffs must rise, and cutoff 2 is 4 after 5, not larger"),
    "short": (
        (10, (5, 10)),
        "vocabulary must be larger than the last cutoff 10, so that the last tail has a word, not "
        "10",
    ),
    "one word": ((1, (1,)), "vocabulary must be a whole number from 2 to 2147483647, not 1"),
    "a text": (("10", (1,)), "vocabulary must be a whole number from 2 to 2147483647, not '10'"),
}


@pytest.mark.parametrize(("fields", "sentence"), REFUSED.values(), ids=REFUSED)
def test_what_makes_no_clusters_is_refused_in_a_sentence(fields, sentence):
    with pytest.raises(ConfigError, match=re.escape(sentence)):
        Clusters(*fields)
    vocabulary, cutoffs = fields
    with pytest.raises(ConfigError, match=re.escape(sentence)):
        preset("base", vocabulary=vocabulary, cutoffs=cutoffs)


def test_numbers_of_numpy_are_numbers():
    assert Clusters(np.int64(10), [np.int64(3), np.int32(5)]) == SMALL
    assert preset("base", vocabulary=np.int64(10), cutoffs=np.array([3, 5])).clusters == SMALL


@pytest.mark.parametrize("max_length", [3, 4, 64, 1024, 65536])
def test_two_tails_and_a_head_that_fill_max_length_are_derived(max_length):
    derived = preset("base", max_length=max_length).clusters
    assert derived.lengths == (max_length,) * 3


@pytest.mark.parametrize(("max_length", "lengths"), [(1, (2, 1)), (2, (2, 2))])
def test_a_head_without_room_for_two_entries_has_one_tail(max_length, lengths):
    assert preset("base", max_length=max_length).clusters.lengths == lengths


@given(st.integers(2, 70), st.integers(2, 3000))
def test_a_vocabulary_alone_gets_the_fewest_tails_that_fit(max_length, vocabulary):
    derived = derived_clusters(max_length, vocabulary)
    assert derived.vocabulary == vocabulary
    assert max(derived.lengths[1:]) <= max_length
    fewer = derived.tails - 1
    assert derived.tails == 1 or max(max_length - fewer, 1) + fewer * max_length < vocabulary
    if derived.tails < max_length:
        assert derived.head_length <= max_length


def test_cutoffs_alone_get_a_last_tail_of_max_length():
    assert preset("tiny", cutoffs=(3, 5)).clusters == Clusters(5 + 64, (3, 5))


def test_what_is_derived_makes_the_same_unit_as_what_is_given():
    derived = preset("tiny")
    config = derived.replace(vocabulary=190, cutoffs=[62, 126])
    assert config.clusters == derived.clusters
    assert config.to_dict() == derived.to_dict()
    assert config.to_dict()["cutoffs"] == [62, 126]


def test_other_units_know_nothing_of_clusters():
    for unit in ("softmax", "softmax_backward", "cross_entropy"):
        other = preset("tiny", vocabulary=100, cutoffs=(7,))
        assert unit_sha256(unit, other) == unit_sha256(unit, preset("tiny"))


def test_the_largest_vocabulary_is_that_of_a_port():
    assert Clusters(MAX_VOCABULARY, (1,)).lengths == (2, MAX_VOCABULARY - 1)
    with pytest.raises(ConfigError, match="vocabulary must be a whole number from 2 to 2147483647"):
        Clusters(MAX_VOCABULARY + 1, (1,))
