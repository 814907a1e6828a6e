"""Two streams become one as two queues would join them, beat by beat."""

from collections import deque

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from softmaxfx.golden.ports.join import join

FULL, EMPTY, BROKEN = (1, 1), (0, 0), (1, 0)
"""Keep of a lane whose elements have containers of two bytes."""


def joined(p_beats, dp_beats):
    """(partner, fault) of every beat of P that leaves; a beat is (keep of its lanes, last).

    One beat at a time from two queues: a row of dP that has ended leaves P's beats alone, one that
    has not is emptied before P's next row.
    """
    waiting = deque(enumerate(dp_beats))
    leaving, ended, draining = [], False, False
    for p_keep, p_last in p_beats:
        while draining and waiting:
            _, (_, last) = waiting.popleft()
            draining = not last
        if ended:
            leaving.append((-1, True))
        elif waiting and not draining:
            place, (dp_keep, dp_last) = waiting.popleft()
            there = [[any(lane) for lane in keep] for keep in (p_keep, dp_keep)]
            whole = all(len(set(lane)) == 1 for lane in dp_keep)
            leaving.append((place, there[0] != there[1] or not whole or p_last != dp_last))
            ended = dp_last and not p_last
            draining = p_last and not dp_last
        else:
            break
        ended = ended and not p_last
    return leaving


def arrays(beats):
    """Beats as the golden model takes them."""
    lanes = 2
    keep = np.array([keep for keep, _ in beats], bool).reshape(len(beats), lanes, 2)
    return keep, np.array([last for _, last in beats], bool)


def partners(p_beats, dp_beats):
    """What the golden model says of lists of beats."""
    pairs = join(*arrays(p_beats), *arrays(dp_beats))
    assert pairs.partner.shape == pairs.fault.shape
    assert pairs.fault.dtype == bool
    return list(zip(pairs.partner.tolist(), pairs.fault.tolist(), strict=True))


def broken(keep):
    """Some container is half there: a fault of P's own, which cutting frames finds anyway."""
    return any(len(set(lane)) > 1 for lane in keep)


def assert_joined(p_beats, dp_beats):
    gold, gate = joined(p_beats, dp_beats), partners(p_beats, dp_beats)
    own = [broken(keep) for keep, _ in p_beats]
    for pairs in (gold, gate):
        pairs[:] = [(place, fault or bad) for (place, fault), bad in zip(pairs, own, strict=False)]
    assert gate == gold


def row(*lengths, last=True):
    """Rows of elements over two lanes; the last one may not end."""
    beats = []
    for length in lengths:
        for left in range(length, 0, -2):
            beats.append(((FULL, FULL if left > 1 else EMPTY), left <= 2))
    if not last:
        beats[-1] = (beats[-1][0], False)
    return beats


@pytest.mark.parametrize(
    ("p", "dp", "gold"),
    [
        (row(4), row(4), [(0, False), (1, False)]),
        (row(3), row(3), [(0, False), (1, False)]),
        (row(2, 4), row(2, 4), [(0, False), (1, False), (2, False)]),
        # dP's row is shorter: the rest of P's leaves alone, without waiting
        (row(6), row(2), [(0, True), (-1, True), (-1, True)]),
        (row(6, 2), row(4, 2), [(0, False), (1, True), (-1, True), (2, False)]),
        # longer: what is left of it is swallowed
        (row(2, 4), row(6, 4), [(0, True), (3, False), (4, False)]),
        (row(2, 2), row(4), [(0, True)]),
        # of as many beats, but not elements
        (row(4), row(3), [(0, False), (1, True)]),
        (row(3), row(4), [(0, False), (1, True)]),
        # not there yet
        (row(4), [], []),
        ([], row(4), []),
        (row(4, 4), row(4), [(0, False), (1, False)]),
        (row(4), row(4)[:1], [(0, False)]),
        (row(4)[:1], row(4), [(0, False)]),
        # endless rows: P waits for dP's last, dP for P's
        (row(2, 2), row(20, last=False), [(0, True)]),
        (row(10, last=False), row(2, 2), [(0, True), *[(-1, True)] * 4]),
        (row(10, last=False), row(10, last=False), [(k, False) for k in range(5)]),
    ],
)
def test_rows_of_unequal_length(p, dp, gold):
    assert joined(p, dp) == gold
    assert partners(p, dp) == gold


@pytest.mark.parametrize(
    ("p_keep", "dp_keep", "fault"),
    [
        ((FULL, FULL), (FULL, FULL), False),
        ((FULL, EMPTY), (FULL, EMPTY), False),
        ((EMPTY, EMPTY), (EMPTY, EMPTY), False),
        ((EMPTY, FULL), (EMPTY, FULL), False),  # not contiguous: a fault of the frame, not of pairs
        ((FULL, EMPTY), (EMPTY, FULL), True),
        ((FULL, FULL), (FULL, EMPTY), True),
        ((EMPTY, EMPTY), (FULL, EMPTY), True),
        ((FULL, FULL), (FULL, BROKEN), True),
        ((FULL, FULL), (BROKEN, FULL), True),
        ((FULL, BROKEN), (FULL, BROKEN), True),
        ((FULL, EMPTY), (FULL, BROKEN), True),
    ],
)
def test_elements_that_only_one_of_a_pair_has_and_broken_ones(p_keep, dp_keep, fault):
    assert partners([(p_keep, True)], [(dp_keep, True)]) == [(0, fault)]


def test_the_last_byte_of_a_container_counts_as_the_first():
    for lane in ((1, 0), (0, 1)):
        assert partners([((FULL, FULL), True)], [((FULL, lane), True)]) == [(0, True)]


def test_a_beat_that_leaves_alone_is_a_fault_whatever_it_holds():
    p = [((FULL, FULL), False), ((EMPTY, EMPTY), False), ((EMPTY, EMPTY), True)]
    assert partners(p, row(2)) == [(0, True), (-1, True), (-1, True)]


lane = st.sampled_from([FULL] * 6 + [EMPTY] * 2 + [BROKEN, (0, 1)])
beat = st.tuples(st.tuples(lane, lane), st.booleans())
good_beat = st.tuples(st.just((FULL, FULL)), st.booleans())


@given(p=st.lists(beat, max_size=24), dp=st.lists(beat, max_size=24))
@settings(max_examples=300, deadline=None, derandomize=True)
def test_any_streams_join_as_queues_do(p, dp):
    assert_joined(p, dp)


@given(p=st.lists(good_beat, max_size=40), dp=st.lists(good_beat, max_size=40))
@settings(max_examples=200, deadline=None, derandomize=True)
def test_any_lengths_of_rows_join_as_queues_do(p, dp):
    assert_joined(p, dp)


@given(
    lengths=st.lists(st.tuples(st.integers(1, 9), st.integers(-3, 3)), min_size=1, max_size=12),
    ends=st.tuples(st.booleans(), st.booleans()),
)
@settings(max_examples=300, deadline=None, derandomize=True)
def test_rows_of_nearly_equal_length_join_as_queues_do(lengths, ends):
    p = row(*(length for length, _ in lengths), last=ends[0])
    dp = row(*(max(length + more, 1) for length, more in lengths), last=ends[1])
    assert_joined(p, dp)


@given(
    p=st.lists(beat, max_size=12),
    dp=st.lists(beat, max_size=12),
    cut=st.tuples(st.integers(0, 12), st.integers(0, 12)),
)
@settings(max_examples=200, deadline=None, derandomize=True)
def test_what_has_left_does_not_depend_on_what_comes_later(p, dp, cut):
    early, late = partners(p[: cut[0]], dp[: cut[1]]), partners(p, dp)
    assert early == late[: len(early)]


def test_long_random_streams_join_as_queues_do():
    rng = np.random.default_rng(1)
    lanes = [FULL, EMPTY, BROKEN]
    for share in (0.05, 0.3, 0.9):
        streams = []
        for _ in range(2):
            keeps = rng.choice(3, (2000, 2), p=[0.9, 0.08, 0.02])
            lasts = rng.random(2000) < share
            streams.append(
                [
                    (tuple(lanes[k] for k in keep), bool(last))
                    for keep, last in zip(keeps, lasts, strict=True)
                ]
            )
        assert_joined(*streams)


@pytest.mark.parametrize(("lanes", "size"), [(1, 1), (3, 1), (4, 3)])
def test_any_number_of_lanes_and_bytes(lanes, size):
    keep = np.ones((3, lanes, size), bool)
    last = np.array([False, True, True])
    pairs = join(keep, last, keep, last)
    assert pairs.partner.tolist() == [0, 1, 2]
    assert not pairs.fault.any()
    hole = keep.copy()
    hole[1, -1] = False
    assert join(keep, last, hole, last).fault.tolist() == [False, True, False]
