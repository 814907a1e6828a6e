"""The adaptive softmax in Verilator: tokens, answers after some cycles, hostile rows, faults."""

import numpy as np
import pytest

from softmaxfx.golden import preset
from softmaxfx.golden.ports.status import STATUS_BITS
from softmaxfx.golden.units.adaptive_softmax import adaptive_cross_entropy, greedy
from softmaxfx.sim.adaptive_softmax import TokenRows, random_words, token_rows
from softmaxfx.sim.exchange import send_parts, send_rows
from softmaxfx.sim.hostile import hostile_stream, run_hostile
from softmaxfx.sim.kinds import KINDS
from softmaxfx.sim.run import simulate
from softmaxfx.sim.testbench import Neighbours
from softmaxfx.sim.token_beats import word_beats
from softmaxfx.sim.verdict import failures

from ..conftest import left_long
from .blocked import run_blocked
from .planting import planted
from .rows import random_rows, unit_rows

KIND = KINDS["adaptive_softmax"]
TOLD = preset("int8", lanes=4, max_length=16, vocabulary=40, cutoffs=(5, 12, 25))
GREEDY = TOLD.replace(prediction="greedy", datapath="exact_sum", id_width=4)
QUIET = Neighbours(False, 1)
each = pytest.mark.parametrize("config", [TOLD, GREEDY], ids=["told", "greedy, exact sum"])


@pytest.fixture
def adaptive(unit_of, model_of):
    """A unit of a configuration and its model."""

    def made(config):
        unit = unit_of(config, unit="adaptive_softmax")
        return unit, model_of(unit)

    return made


def tokens(config, count, seed=1, *, predicted=0.0):
    """Tokens of every cluster and their rows."""
    rng = np.random.default_rng(seed)
    logits = random_rows([config.max_length] * 30, rng)
    return token_rows(
        logits, random_words(config.clusters, count, rng), rng.random(count) < predicted, config
    )


@each
def test_tokens_are_as_promised(config, adaptive, tmp_path):
    unit, model = adaptive(config)
    shown = simulate(unit, model, unit_rows(unit, [16] * 300, seed=2, masked=0.05), tmp_path)
    assert failures(shown) == []
    fields = shown.to_dict()
    assert (fields["unit"], fields["mismatches"]) == ("adaptive_softmax", 0)
    assert 0 < fields["loss_max_error_ulp"] <= fields["loss_bound_ulp"]
    assert fields["ignored_rows"] > 0
    assert fields["masked_targets"] > 0


def test_what_comes_out_is_what_the_golden_functions_give(adaptive, tmp_path):
    unit, model = adaptive(GREEDY)
    rows = tokens(GREEDY, 60, predicted=0.5)
    came = send_rows(unit, model, rows, tmp_path, Neighbours(True, 3))
    assert came.score().mismatches == 0
    beats = came.part.beats["m_axis_loss"]
    losses, words = beats.data[:, 0], beats.user[:, STATUS_BITS:] @ (1 << np.arange(32))
    first = np.cumsum(rows.counts) - rows.counts
    codes = rows.logits.codes(GREEDY)
    zeros = [np.zeros((1, length), int) for length in GREEDY.clusters.lengths]
    for token, (word, predicted) in enumerate(zip(rows.words, rows.predict, strict=True)):
        own = [codes[first[token] + k] for k in range(rows.counts[token])]
        cluster = int(GREEDY.clusters.locate([words[token]])[0][0]) if own else 0
        logits = [own[0][None, : zeros[0].shape[1]] if own else zeros[0], *zeros[1:]]
        if cluster:
            logits[cluster] = own[1][None, : GREEDY.clusters.lengths[cluster]]
        if predicted:
            told, log_prob = greedy(logits, GREEDY)
            assert (words[token], losses[token]) == (told[0], -log_prob[0])
        elif own:
            needed = [
                z[:0] if j and j != cluster else x
                for j, (z, x) in enumerate(zip(zeros, logits, strict=True))
            ]
            loss, _ = adaptive_cross_entropy(needed, [word], GREEDY)
            assert (words[token], losses[token]) == (word, loss[0])
        else:
            assert (words[token], losses[token]) == (0, 0)


@each
def test_a_row_that_was_not_asked_for_is_not_accepted(config, adaptive, tmp_path):
    unit, model = adaptive(config)
    sent = KIND.pack(tokens(config, 20), unit)
    none = word_beats(np.zeros(0, int), np.zeros(0, bool), unit.stream("s_axis_target"))
    shown = send_parts(unit, model, [sent | {"s_axis_target": none}], tmp_path, QUIET)
    assert shown.hung
    assert len(shown.accepted["s_axis"]) == 0
    assert all(len(beats) == 0 for beats in shown.part.beats.values())


@pytest.mark.parametrize("answer", [8, 64])
def test_rows_come_as_many_cycles_after_their_request_as_they_take(answer, adaptive, tmp_path):
    unit, model = adaptive(TOLD)
    rows = tokens(TOLD, 300)
    came = send_rows(unit, model, rows, tmp_path, Neighbours(False, 1, answer=answer))
    assert came.score().mismatches == 0
    beats = -(-rows.logits.lengths // unit.lanes)
    first = np.cumsum(beats) - beats
    accepted, asked = came.accepted["s_axis"], came.part.cycles["m_axis_request"]
    assert (accepted[first] - asked).min() == answer + 1
    # requests are far enough ahead that nothing but the first row is waited for
    assert accepted[-1] - accepted[0] + 1 == beats.sum()


@pytest.mark.long
def test_rows_of_one_beat_are_asked_for_far_enough_ahead(unit_of, model_of, tmp_path):
    config = TOLD.replace(lanes=8, vocabulary=14, cutoffs=(5, 9))
    unit = unit_of(config, unit="adaptive_softmax")
    rows = tokens(config, 600)
    came = send_rows(unit, model_of(unit), rows, tmp_path, Neighbours(False, 1, answer=64))
    assert came.score().mismatches == 0
    accepted = came.accepted["s_axis"]
    # a token without a row takes a cycle in which none is asked for
    none = int((rows.counts == 0).sum())
    assert accepted[-1] - accepted[0] + 1 <= len(accepted) + none


@each
def test_hostile_rows_are_answered_as_the_golden_model_says(config, adaptive, tmp_path):
    unit, model = adaptive(config)
    stream = hostile_stream(unit, 3000, seed=5)
    assert stream.kinds.keys() == set(KIND.frames)
    shown = run_hostile(unit, model, stream, tmp_path, seed=5)
    assert (shown.first, shown.mismatches) == ("", 0)
    assert shown.elements > 3000


@pytest.mark.parametrize("blocked", [("m_axis",), ("m_axis_loss",), ("m_axis_request",)])
def test_a_blocked_output_is_waited_for(blocked, adaptive, tmp_path):
    unit, model = adaptive(TOLD)
    rows = tokens(TOLD, 600)
    shown = run_blocked(unit, model, rows, tmp_path / "good", blocked)
    assert shown.score.mismatches == 0
    assert not shown.whole
    again = run_blocked(unit, model, rows, tmp_path / "freed", blocked, freed_after=4)
    assert (again.score.mismatches, again.whole) == (0, True)


def test_the_sidecar_tells_what_goes_in_while_gradients_and_losses_are_blocked(adaptive, tmp_path):
    unit, model = adaptive(TOLD)
    blocked = "m_axis", "m_axis_loss"
    shown = run_blocked(unit, model, tokens(TOLD, 300), tmp_path, blocked, pauses=False)
    assert shown.accepted["s_axis"] == unit.description["blocked"]["beats"]


FAULTS = {
    "beats are not counted": ("core.requested", "beat", "1'b0"),
    "the head's loss is not added": ("core.token_loss", "held", "1'b0"),
}


@pytest.mark.parametrize("fault", left_long(FAULTS))
def test_a_planted_fault_is_found(fault, unit_of, model_of, tmp_path):
    module, signal, value = FAULTS[fault]
    unit = planted(
        unit_of(TOLD, unit="adaptive_softmax"),
        tmp_path,
        lambda verilog: verilog.see(module, signal, value),
    )
    shown = run_hostile(
        unit, model_of(unit), hostile_stream(unit, 400, seed=6), tmp_path / "run", seed=6
    )
    assert shown.mismatches > 0


def test_a_word_of_more_than_32_bits_is_refused(adaptive):
    unit, _ = adaptive(TOLD)
    rows = tokens(TOLD, 3)
    large = TokenRows(rows.logits, rows.words + 2**32, rows.predict, rows.counts)
    with pytest.raises(ValueError, match=r"^words must be below 2\^32, not \d+ \(token 0\)"):
        KIND.pack(large, unit)


def test_tokens_without_a_row_are_refused():
    rows = tokens(TOLD, 50)
    with pytest.raises(ValueError, match=r"^words must have one of the vocabulary among them"):
        rows.take(np.flatnonzero(rows.counts == 0)[:1])
