"""Last layers: each is a distribution over the words, in floats and by units."""

import math

import pytest

from .texts import torch

from softmaxfx.golden import ConfigError, preset  # isort: skip
from softmaxfx.study.paired_units import Fixed, Float32
from softmaxfx.study.words.outputs import Adaptive, Full, TwoLevel

WIDTH, WORDS = 8, 45
METHODS = Full(), TwoLevel(), Adaptive(), Adaptive((3, 9, 30))
BASE = Fixed("base", preset("base", datapath="exact_sum", max_length=4))


def made(method, softmax):
    torch.manual_seed(3)
    return method.output(WIDTH, WORDS, softmax)


def losses(output, features):
    """The loss of every word, were it the one that came."""
    return [output(features, torch.tensor([word])).item() for word in range(WORDS)]


@pytest.mark.parametrize("method", METHODS, ids=lambda method: str(method.told))
def test_probabilities_of_all_words_sum_to_1(method):
    features = 4 * torch.randn(1, WIDTH)
    found = losses(made(method, Float32()), features)
    assert math.fsum(math.exp(-loss) for loss in found) == pytest.approx(1, abs=1e-5)
    assert max(found) - min(found) > 1


@pytest.mark.parametrize("method", METHODS, ids=lambda method: str(method.told))
def test_units_start_as_floats_do_and_are_near_them(method):
    features, words = torch.randn(WORDS, WIDTH), torch.arange(WORDS)
    floats, units = made(method, Float32()), made(method, BASE)
    for one, two in zip(floats.parameters(), units.parameters(), strict=True):
        assert torch.equal(one, two)
    gold, gate = floats(features, words), units(features, words)
    assert gate != gold
    assert abs(gate - gold) < 2e-3
    gold.backward()
    gate.backward()
    for one, two in zip(floats.parameters(), units.parameters(), strict=True):
        torch.testing.assert_close(two.grad, one.grad, rtol=0, atol=1e-4)


def test_the_full_softmax_is_torch_s():
    output, features, words = made(Full(), Float32()), torch.randn(5, WIDTH), torch.arange(5)
    gold = torch.nn.functional.cross_entropy(output.layer(features), words)
    assert output(features, words) == gold


def test_words_that_the_last_class_lacks_have_no_probability():
    output = made(TwoLevel(), Float32())
    assert output.size == 7
    assert output.lacking.sum() == 4
    assert output.lacking[-1, 3:].all()


def test_cutoffs_are_an_eighth_and_a_half_unless_given():
    assert Adaptive().clusters(80).cutoffs == (10, 40)
    with pytest.raises(ConfigError, match=r"^vocabulary must be larger than the last cutoff 90"):
        Adaptive((10, 90)).clusters(80)
