"""The adaptive softmax against torch's module in float64, within the proven bounds."""

import re
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from softmaxfx.golden import (
    SQ,
    UQ,
    ConfigError,
    adaptive_bound,
    adaptive_cross_entropy,
    bound_ulp,
    cross_entropy,
    loss_bound,
    preset,
)
from softmaxfx.golden.proofs.adaptive import require_fitting
from softmaxfx.golden.units.adaptive_softmax import greedy, log_prob, predict

CLUSTERS = {"vocabulary": 40, "cutoffs": (7, 12, 25), "max_length": 64}
CONFIGS = {
    f"{name}, {path}": preset(name, datapath=path, **CLUSTERS)
    for name in ("base", "int8", "tiny")
    for path in ("max_subtract", "exact_sum")
} | {
    "full": preset("full", **CLUSTERS),
    "difference, passed": preset(
        "int8", clip="difference", range=4, clip_gradient="pass", **CLUSTERS
    ),
    "one tail": preset("base", vocabulary=9, cutoffs=(8,), max_length=64),
    "seven tails": preset("base", vocabulary=30, cutoffs=tuple(range(2, 23, 3)), max_length=64),
}
each = pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
FEATURES, TOKENS = 6, 50


class Torch:
    """torch's module in float64, and the logits that it makes as codes.

    The codes' own logits are put in the place of its layers', so that nothing but the function
    differs.
    """

    def __init__(self, config, seed=0, *, tokens=TOKENS, spread=3.0):
        self.torch = pytest.importorskip("torch", reason="torch is not installed")
        self.config, clusters = config, config.clusters
        self.rng = np.random.default_rng(seed)
        size = sum(clusters.lengths)
        # identity weights: a token's features are its logits, cluster by cluster
        self.module = self.torch.nn.AdaptiveLogSoftmaxWithLoss(
            size, clusters.vocabulary, list(clusters.cutoffs), div_value=1.0
        ).double()
        self.features = self.rng.normal(0, spread, (tokens, size))
        starts = np.cumsum((0, *clusters.lengths))
        self.slices = [slice(a, b) for a, b in pairwise(starts)]
        self._be_identity()
        self.target = self.rng.integers(0, clusters.vocabulary, tokens)
        self.target[: clusters.tails + 1] = [0, *clusters.cutoffs][:tokens]
        codes = config.input.quantize(self.features)
        self.codes = [codes[:, part] for part in self.slices]
        self.cluster = clusters.locate(self.target)[0]
        self.values = self.torch.tensor(self._exact_inputs(), requires_grad=True)

    def _be_identity(self):
        size = self.features.shape[1]
        eye = self.torch.eye(size, dtype=self.torch.float64)
        with self.torch.no_grad():
            self.module.head.weight.copy_(eye[self.slices[0]])
            for tail, part in zip(self.module.tail, self.slices[1:], strict=True):
                tail[0].weight.copy_(eye)
                tail[1].weight.copy_(eye[part])

    def _exact_inputs(self):
        """What the codes are worth, clipped as the unit clips them."""
        config = self.config
        clipped = []
        for codes in self.codes:
            if config.clip == "input":
                codes = np.clip(codes, -config.range_code, config.range_code)
            else:
                codes = np.maximum(codes, codes.max(axis=1, keepdims=True) - config.span)
            clipped.append(codes * (config.scale * config.input.lsb))
        return np.concatenate(clipped, axis=1)

    @property
    def needed(self):
        """The logits that a unit asks for."""
        return [self.codes[0]] + [
            codes[self.cluster == j] for j, codes in enumerate(self.codes[1:], 1)
        ]


@each
def test_losses_are_those_of_torch_within_the_bound(config):
    given = Torch(config)
    losses, _ = adaptive_cross_entropy(given.needed, given.target, config)
    output, _ = given.module(given.values, given.torch.tensor(given.target))
    off = losses + output.detach().numpy() * 2.0**config.adaptive_loss.f
    assert np.abs(off).max() <= adaptive_bound(config).ulp
    in_head = given.cluster == 0
    assert np.abs(off[in_head]).max() <= loss_bound(config).ulp


@each
def test_gradients_are_those_of_torch_within_the_bound(config):
    given = Torch(config, seed=1)
    _, gradients = adaptive_cross_entropy(given.needed, given.target, config)
    output, _ = given.module(given.values, given.torch.tensor(given.target))
    (-output.sum()).backward()
    exact = given.values.grad.numpy()
    for j, (gradient, part) in enumerate(zip(gradients, given.slices, strict=True)):
        here = given.cluster == j if j else np.ones(TOKENS, bool)
        wanted = np.clip(exact[here, part], -1, config.loss_grad.max_code * config.loss_grad.lsb)
        if config.clip_gradient == "zero":
            wanted = np.where(_clipped(given.codes[j][here], config), 0, wanted)
        off = np.abs(config.loss_grad.to_float(gradient) - wanted) / config.loss_grad.lsb
        assert off.max() <= bound_ulp(config)
        assert gradient.shape == (here.sum(), config.clusters.lengths[j])


def _clipped(codes, config):
    if config.clip == "input":
        return np.abs(codes) > config.range_code
    return codes.max(axis=1, keepdims=True) - codes > config.span


@each
def test_log_probabilities_are_those_of_torch_within_the_bound(config):
    given = Torch(config, seed=2)
    codes = log_prob(given.codes, config)
    exact = given.module.log_prob(given.values).detach().numpy()
    off = np.abs(codes - exact * 2.0**config.adaptive_loss.f)
    assert off.max() <= adaptive_bound(config).ulp
    assert codes.shape == (TOKENS, config.clusters.vocabulary)


@each
def test_predictions_are_those_of_torch_where_the_gap_exceeds_the_bound(config):
    given = Torch(config, seed=3, tokens=400)
    words = predict(given.codes, config)
    exact = given.module.log_prob(given.values).detach().numpy()
    wanted = given.module.predict(given.values).numpy()
    best = np.sort(exact, axis=1)
    clear = best[:, -1] - best[:, -2] > 2 * adaptive_bound(config).ulp * config.adaptive_loss.lsb
    head = np.sort(given.values.detach().numpy()[:, given.slices[0]], axis=1)
    clear &= head[:, -1] > head[:, -2]  # equal winners of the head are told apart before the clip
    assert clear.sum() >= 100
    assert (words[clear] == wanted[clear]).all()
    assert len(set(given.config.clusters.locate(words)[0])) > 1


@each
def test_a_word_s_log_probability_is_the_negative_of_its_loss(config):
    given = Torch(config, seed=4)
    losses, _ = adaptive_cross_entropy(given.needed, given.target, config)
    codes = log_prob(given.codes, config)
    assert (codes[np.arange(TOKENS), given.target] == -losses).all()


@each
def test_a_greedy_word_is_the_winner_of_its_cluster_with_its_own_log_probability(config):
    given = Torch(config, seed=5)
    words, codes = greedy(given.codes, config)
    assert (codes == log_prob(given.codes, config)[np.arange(TOKENS), words]).all()
    cluster, head, tail = config.clusters.locate(words)
    for k, j in enumerate(cluster):
        assert head[k] == given.codes[0][k].argmax()
        assert j == 0 or tail[k] == given.codes[j][k].argmax()


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_rows_are_those_of_the_cross_entropy_unit_with_losses_added(seed):
    config = CONFIGS["int8, max_subtract"]
    rng, clusters = np.random.default_rng(seed), config.clusters
    target = rng.integers(0, clusters.vocabulary, 12)
    cluster, head, tail = clusters.locate(target)
    counts = [12, *((cluster == j).sum() for j in range(1, 4))]
    shapes = zip(counts, clusters.lengths, strict=True)
    logits = [rng.integers(-128, 128, shape) for shape in shapes]
    losses, gradients = adaptive_cross_entropy(logits, target, config)
    wanted = np.zeros(12, np.int64)
    for j in range(4):
        here = cluster == j if j else np.ones(12, bool)
        loss, gradient = cross_entropy(
            logits[j], (tail if j else head)[here], config, from_logits=True
        )
        wanted[here] += loss
        assert (gradients[j] == gradient).all()
    assert (losses == wanted).all()
    assert losses.max() <= config.adaptive_loss.max_code


def test_ties_go_to_the_lowest_word():
    config = preset("base", vocabulary=8, cutoffs=(2, 5), max_length=64)
    logits = [np.zeros((1, length), int) for length in config.clusters.lengths]
    assert predict(logits, config).tolist() == [0]
    assert greedy(logits, config)[0].tolist() == [0]
    logits[0][0, 2:] = 9000  # both tails tie in the head, and all of a tail's words
    assert predict(logits, config).tolist() == [2]
    assert greedy(logits, config)[0].tolist() == [2]


def test_a_tail_that_wins_the_head_need_not_have_the_likeliest_word():
    config = preset("base", vocabulary=42, cutoffs=(2,), max_length=64)
    logits = [np.array([[1000, 0, 1100]]), np.zeros((1, 40), int)]
    assert greedy(logits, config)[0].tolist() == [2]
    assert predict(logits, config).tolist() == [0]


def test_ignored_tokens_have_neither_loss_nor_gradient():
    config = CONFIGS["base, max_subtract"]
    head = np.arange(20).reshape(2, 10)
    tails = [np.zeros((count, length), int) for count, length in ((1, 5), (0, 13), (0, 15))]
    losses, gradients = adaptive_cross_entropy([head, *tails], [-100, 8], config)
    assert losses[0] == 0 < losses[1]
    assert not gradients[0][0].any()
    assert gradients[0][1].any()
    again = adaptive_cross_entropy([head, *tails], [40, 8], config, ignore_index=40)
    assert (again[0] == losses).all()


def test_no_token_is_no_error():
    config = CONFIGS["base, max_subtract"]
    logits = [np.zeros((0, length), int) for length in config.clusters.lengths]
    losses, gradients = adaptive_cross_entropy(logits, np.zeros(0, int), config)
    assert losses.shape == (0,)
    assert [g.shape for g in gradients] == [(0, length) for length in config.clusters.lengths]
    assert log_prob(logits, config).shape == (0, 40)
    assert predict(logits, config).shape == greedy(logits, config)[0].shape == (0,)


def _bad(**changes):
    """Arguments of one token in tail 1, some of them changed."""
    logits = [np.zeros((1, 10), int), np.zeros((1, 5), int), np.zeros((0, 13), int)]
    return {"logits": [*logits, np.zeros((0, 15), int)], "target": [8]} | changes


GOOD = _bad()["logits"]
REFUSED = {
    "a word outside": (
        _bad(target=[40]),
        "target must be a word from 0 to 39 or ignore_index = -100, not 40 (token 0)",
    ),
    "a negative word": (
        _bad(target=[-1]),
        "target must be a word from 0 to 39 or ignore_index = -100, not -1 (token 0)",
    ),
    "floats": (
        _bad(target=[8.0]),
        "target must be integers of one dimension, a word a token, not 1 dimensions of float64",
    ),
    "an array too few": (
        _bad(logits=GOOD[:3]),
        "logits must be 4 arrays, of the head and of 3 tails, not 3",
    ),
    "a head of words alone": (
        _bad(logits=[np.zeros((1, 7), int), *GOOD[1:]]),
        "logits of the head must have shape (1, 10), a row for each of the tokens, not (1, 7)",
    ),
    "a tail for every token": (
        _bad(logits=[*GOOD[:3], np.zeros((1, 15), int)]),
        "logits of tail 3 must have shape (0, 15), a row for each of the tokens of its words, not "
        "(1, 15)",
    ),
    "one dimension": (
        _bad(logits=[np.zeros(10, int), *GOOD[1:]]),
        "logits of the head must have two dimensions, tokens and elements, not 1",
    ),
    "float logits": (
        _bad(logits=[*GOOD[:1], np.zeros((1, 5)), *GOOD[2:]]),
        "logits of tail 1 must be an array of integer codes with rows along the last axis, not 2 "
        "dimensions of float64",
    ),
    "codes beyond the format": (
        _bad(logits=[np.full((1, 10), 2**15), *GOOD[1:]]),
        "logits of the head must hold codes of SQ(5, 11) (-32768 to 32767), not 32768 to 32768",
    ),
}


@pytest.mark.parametrize(("arguments", "sentence"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_token_is_refused_in_a_sentence(arguments, sentence):
    with pytest.raises(ValueError, match=re.escape(sentence)):
        adaptive_cross_entropy(config=CONFIGS["base, max_subtract"], **arguments)


@pytest.mark.parametrize("function", [log_prob, predict, greedy])
def test_all_rows_of_all_tokens_are_needed_to_know_every_word(function):
    sentence = "logits of tail 2 must have shape (1, 13), a row for each of the tokens, not (0, 13)"
    with pytest.raises(ValueError, match=re.escape(sentence)):
        function(GOOD, CONFIGS["base, max_subtract"])
    with pytest.raises(ValueError, match="logits must be 4 arrays, of the head and of 3 tails"):
        function([], CONFIGS["base, max_subtract"])


FITTING = {
    "many clusters": (
        {"cutoffs": tuple(range(1, 9)), "vocabulary": 20},
        "cutoffs must be at most 7, one a tail, not 8",
    ),
    "long head": (
        {"cutoffs": (63, 70), "vocabulary": 80},
        "cutoffs must leave the head at most max_length = 64 elements, not 65 (63 words and 2 "
        "tails)",
    ),
    "long tail": (
        {"cutoffs": (10, 20), "vocabulary": 85},
        "cutoffs must leave every tail at most max_length = 64 words, not 65 (tail 2)",
    ),
}


FITTING["wide id"] = (
    {"id_width": 29},
    "id_width must be at most 28 for adaptive_softmax, not 29",
)
FITTING["logarithms"] = (
    {"function": "log_softmax", "output": SQ(6, 10)},
    "function must be softmax for adaptive_softmax, not log_softmax",
)


@pytest.mark.parametrize(("fields", "sentence"), FITTING.values(), ids=FITTING)
def test_a_unit_refuses_clusters_that_it_cannot_hold(fields, sentence):
    with pytest.raises(ConfigError, match=re.escape(sentence)):
        require_fitting(preset("tiny", **fields))


@each
def test_a_unit_holds_clusters_that_fit(config):
    require_fitting(config)


def test_the_loss_has_a_bit_more_and_two_bounds():
    config = CONFIGS["base, max_subtract"]
    assert config.adaptive_loss == UQ(6, 11)
    assert adaptive_bound(config).ulp == 2 * loss_bound(config).ulp


def test_logarithms_are_refused_with_the_field():
    config = preset("base", function="log_softmax", output=SQ(6, 10))
    with pytest.raises(ConfigError, match="function must be softmax for cross_entropy"):
        adaptive_bound(config)
