"""Trainings by every method: repeatable, kept by all that they depend on, and recorded in bits."""

from dataclasses import replace

import numpy as np
import pytest

from .texts import WORDS, short_text, torch

from softmaxfx.cache import Cache  # isort: skip
from softmaxfx.golden import ConfigError, adaptive_cross_entropy, preset
from softmaxfx.outcomes import outcome_of
from softmaxfx.study.paired_units import Fixed, Float32
from softmaxfx.study.tasks import Maker
from softmaxfx.study.words.course import Stop, perplexity
from softmaxfx.study.words.model import Size, WordModel
from softmaxfx.study.words.outputs import Adaptive, Full, TwoLevel
from softmaxfx.study.words.stream import read_stream, recorded, write_stream
from softmaxfx.study.words.text import shipped
from softmaxfx.study.words.training import MADE_BY, courses, planned

BASE = Fixed("base", preset("base", datapath="exact_sum"))
BOTH = Float32(), BASE
METHODS = Full(), TwoLevel(), Adaptive()
SIZE, STOP, TEXT = Size(width=8, streams=8, window=8), Stop(20, 2, 60), short_text()


def plan(methods=METHODS, softmaxes=BOTH, text=TEXT, seed=1):
    return planned(methods, softmaxes, text, seed, SIZE, STOP)


def done(trainings, folder, text=TEXT):
    """(courses, those that were trained)."""
    work, trained = Maker(folder, MADE_BY, text)(), []

    def run(left):
        for each in left:
            trained.append(each)
            yield each, outcome_of(work, each)

    with Cache(folder / "cache.sqlite") as cache:
        return courses(trainings, folder, cache, run, lambda share: None), trained


def test_every_method_learns_by_units_what_it_learns_by_floats(tmp_path):
    found, _ = done(plan(), tmp_path)
    floats, units = found[::2], found[1::2]
    for gold, gate in zip(floats, units, strict=True):
        assert (gold.softmax, gate.softmax) == ("float32", "base")
        assert gold.best.step == 60
        assert gold.best.validation < gold.points[0].validation - 0.1
        assert gate.best.validation == pytest.approx(gold.best.validation, rel=5e-3)
        assert gate.best.validation != gold.best.validation


@pytest.mark.long
def test_the_adaptive_softmax_by_units_learns_the_corpus(tmp_path):
    text, stop = shipped(), Stop(most=200)
    trainings = planned([Adaptive()], BOTH, text, 1, Size(), stop)
    (floats, units), _ = done(trainings, tmp_path, text)
    counts = np.bincount(text.tokens) / len(text.tokens)
    by_frequency = np.exp(-(counts * np.log(counts)).sum())
    assert perplexity(floats.best.test) < by_frequency / 2
    assert units.best.test == pytest.approx(floats.best.test, rel=2e-3)
    stream = read_stream(trainings[1].stream(tmp_path))
    assert len(stream.logits[0]) == len(stream.words) == 2000


def test_a_training_is_the_same_each_time(tmp_path):
    (one,), _ = done(plan([Adaptive()], [BASE]), tmp_path / "one")
    (two,), _ = done(plan([Adaptive()], [BASE]), tmp_path / "two")
    losses = [[(point.validation, point.test) for point in each.points] for each in (one, two)]
    assert losses[0] == losses[1]


def test_what_is_known_is_not_trained_again_unless_its_recording_is_gone(tmp_path):
    trainings = plan([Adaptive()])
    first, trained = done(trainings, tmp_path)
    assert trained == trainings
    second, trained = done(trainings, tmp_path)
    assert (second, trained) == (first, [])
    trainings[1].stream(tmp_path).unlink()
    _, trained = done(trainings, tmp_path)
    assert trained == trainings[1:]
    assert trainings[1].stream(tmp_path).exists()


def test_keys_hold_all_that_an_outcome_depends_on():
    one = plan([Adaptive()], [BASE])[0]
    others = [
        replace(one, method=Full()),
        replace(one, method=Adaptive((3, 9))),
        replace(one, method=Adaptive(div_value=4.0)),
        replace(one, softmax=Float32()),
        replace(one, seed=2),
        replace(one, size=Size(16)),
        replace(one, stop=Stop(most=61)),
        replace(one, text=short_text(1).sha256),
    ]
    assert len({one.key, *(each.key for each in others)}) == 9
    assert replace(one).key == one.key


def test_what_fails_is_told_in_one_sentence(tmp_path):
    config = preset("base", range=15)
    trainings = plan([Full()], [Fixed("wide", config)])
    with pytest.raises(ConfigError, match=r"^the training of full by wide came to no end: loss mu"):
        done(trainings, tmp_path)


@pytest.mark.parametrize("name", ["base", "full"])
def test_a_stream_has_the_bits_that_the_model_computes(name, tmp_path):
    torch.manual_seed(0)
    softmax, tokens = Fixed(name, preset(name)), torch.from_numpy(TEXT.tokens[:101])
    model = WordModel(8, WORDS, Adaptive().output(8, WORDS, softmax))
    write_stream(tmp_path / "stream.npz", recorded(model, tokens))
    stream = read_stream(tmp_path / "stream.npz")
    assert stream.config == model.output.layer.config
    assert stream.config.cutoffs == (5, 20)
    np.testing.assert_array_equal(stream.words, TEXT.tokens[1:101])
    losses, _ = adaptive_cross_entropy(stream.logits, stream.words, stream.config)
    with torch.no_grad():
        features, _ = model.features(tokens[None, :-1])
        output = model.output.layer(features[0], tokens[1:]).output
    values = stream.config.adaptive_loss.to_float(losses)
    np.testing.assert_array_equal(-output.double().numpy(), values)


def test_what_is_no_stream_is_refused(tmp_path):
    for content in (None, b"words", b""):
        file = tmp_path / "x.npz"
        if content is not None:
            file.write_bytes(content)
        with pytest.raises(
            ConfigError, match=r"^the stream must be a file of softmaxfx train-word"
        ):
            read_stream(file)
