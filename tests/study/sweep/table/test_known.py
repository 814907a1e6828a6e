"""What is known is not evaluated again, whatever happens to a sweep."""

import dataclasses
from collections import Counter

import pytest

from softmaxfx.golden import ConfigError
from softmaxfx.study.sweep.evaluate import Maker
from softmaxfx.study.sweep.known import evaluate, known
from softmaxfx.study.sweep.space.entries import CODE, code_version
from softmaxfx.study.sweep.space.space import made


def statuses(entries):
    return Counter(entry.status for entry in entries)


def test_every_entry_is_evaluated_once_and_a_repeated_sweep_evaluates_nothing(cache, entries, stub):
    shares = []
    found = evaluate(cache, [*entries, *entries[:3]], stub.run, shares.append)
    assert stub.log == [entry.key for entry in entries]
    assert statuses(found) == {"done": 32}
    assert [entry.key for entry in found] == stub.log
    assert shares == [number / 32 for number in range(1, 33)]
    assert evaluate(cache, entries, stub.run) == found == known(cache, entries)
    assert len(stub.log) == 32


def test_an_entry_comes_back_with_all_that_was_found(cache, space, stub):
    design = next(space.configurations()).design("ecp5", 1)
    (found,) = evaluate(cache, [design], stub.run)
    expected = dataclasses.replace(
        design, status="done", metrics={"lut": 2100.0, "fmax_mhz": 250.0}, versions={"yosys": "1"},
        seconds=found.seconds,
    )  # fmt: skip
    assert known(cache, [design]) == [found] == [expected]


def test_where_a_sweep_is_interrupted_what_has_ended_stays_known(cache, entries, stub):
    def interrupted(left):
        for number, outcome in enumerate(stub.run(left)):
            if number == 5:
                raise KeyboardInterrupt
            yield outcome

    with pytest.raises(KeyboardInterrupt):
        evaluate(cache, entries, interrupted)
    assert statuses(known(cache, entries)) == {"done": 5, "open": 27}
    evaluate(cache, entries, stub.run)
    assert max(Counter(stub.log[6:]).values()) == 1
    assert not set(stub.log[6:]) & set(stub.log[:5])


def test_what_failed_is_tried_again_and_what_is_infeasible_is_not(cache, entries, stub):
    odd = made({"lanes": 3}, entries[0].config).point("one", "1" * 64)
    stub.missing = True
    (failed,) = evaluate(cache, entries[:1], stub.run)
    assert (failed.status, failed.reason) == ("failed", "yosys must be installed")
    stub.missing = False
    for _ in range(2):
        found = evaluate(cache, [odd, entries[0]], stub.run)
        assert [entry.status for entry in found] == ["infeasible", "done"]
        assert [entry.reason for entry in found] == ["lanes must not be 3 here", ""]
    assert len(stub.log) == 3


def test_combinations_that_cannot_be_built_are_known_from_the_start(cache, entries, stub):
    bad = made({"clip": "difference", "datapath": "exact_sum"}, entries[0].config)
    (found,) = evaluate(cache, [bad.point("one", "1" * 64)], stub.run)
    assert found.status == "infeasible"
    assert stub.log == []


def test_results_of_other_code_are_not_known(cache, entries, stub):
    evaluate(cache, entries, stub.run)
    old = [dataclasses.replace(entry, code_version="0.0.1 0123") for entry in entries]
    assert statuses(known(cache, old)) == {"open": 32}


def test_code_that_changes_meanwhile_evaluates_nothing(tmp_path):
    maker = Maker((), tmp_path)
    assert set(maker.code) == {code_version(kind) for kind in CODE}
    maker()
    with pytest.raises(ConfigError, match=r"code must stay as it is while a sweep runs, 0\.0\.1 0"):
        dataclasses.replace(maker, code=("0.0.1 0123",))()
