"""Both of a pair share all but the softmax, and a softmax that is worse is seen."""

from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("sklearn", reason="scikit-learn is not installed")

from softmaxfx.cache import Cache  # noqa: E402 - needs torch
from softmaxfx.golden import ConfigError, preset  # noqa: E402
from softmaxfx.outcomes import Outcome, outcome_of  # noqa: E402
from softmaxfx.study import paired_networks, tasks  # noqa: E402
from softmaxfx.study.paired_document import document  # noqa: E402
from softmaxfx.study.paired_figures import ACCURACY, Pairs  # noqa: E402
from softmaxfx.study.paired_networks import Digits, Language  # noqa: E402
from softmaxfx.study.paired_picture import picture  # noqa: E402
from softmaxfx.study.paired_training import (  # noqa: E402
    MADE_BY,
    Plan,
    Training,
    is_promised,
    paired,
)
from softmaxfx.study.paired_units import Fixed, Float32, Float64Loss, Softmax  # noqa: E402
from softmaxfx.study.tasks import Maker  # noqa: E402
from softmaxfx.study.train_digits import BATCH  # noqa: E402

BASE = Fixed("base", preset("base", datapath="exact_sum"))


@dataclass(frozen=True)
class Again(Float32):
    """Floats that are trained once more, not taken for those that are known."""

    name: str = "again"


AGAIN = Again()
CLIPS_ALL = Fixed("clips all", preset("base", range=2.0**-11))
"""Everything is clipped, so that nothing has a gradient."""
STOCHASTIC = Fixed("stochastic", preset("int8", rounding="stochastic"))
WORDS = 40


@pytest.fixture(autouse=True)
def one_thread():
    """What trains outside of a task: threads wait for one another where processors are shared."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def short_text(monkeypatch):
    """A corpus of few words, one section of it held out."""
    tokens = np.random.default_rng(5).integers(WORDS, size=6 * 4096).astype(np.uint16)
    words = tuple(map(str, range(WORDS)))
    monkeypatch.setattr(
        paired_networks, "corpus", lambda: SimpleNamespace(tokens=tokens, words=words)
    )


@pytest.fixture
def cache(tmp_path):
    with Cache(tmp_path / "cache.sqlite") as opened:
        yield opened


def here(folder):
    """Does trainings in this process."""
    work = Maker(folder, MADE_BY)()
    return lambda trainings: ((each, outcome_of(work, each)) for each in trainings)


def found(network, *softmaxes: Softmax, cache, tmp_path, seeds=(1, 2)):
    return paired([Plan(network, softmaxes, seeds)], cache, here(tmp_path), lambda _: None)


def test_float_against_float_differs_by_nothing(cache, tmp_path):
    for pairs in found(Digits(1), AGAIN, cache=cache, tmp_path=tmp_path):
        assert pairs.differences == (0.0, 0.0)
        assert pairs.float32[0] != pairs.float32[1]


def test_language_models_differ_by_nothing_either(short_text, cache, tmp_path):
    (pairs,) = found(Language(2), AGAIN, cache=cache, tmp_path=tmp_path)
    assert pairs.differences == (0.0, 0.0)
    assert pairs.float32[0] != pairs.float32[1]


@dataclass(frozen=True)
class Watched:
    """A softmax that keeps what its loss is given."""

    inner: Softmax
    logits: list[Any] = field(default_factory=list)
    targets: list[Any] = field(default_factory=list)

    def loss(self, classes: int) -> torch.nn.Module:
        loss = self.inner.loss(classes)
        loss.register_forward_pre_hook(self._keep)
        return loss

    def attention(self, model: torch.nn.Module, length: int):
        return self.inner.attention(model, length)

    def _keep(self, _: object, given: tuple[Any, ...]) -> None:
        self.logits.append(given[0].detach().clone())
        self.targets.append(given[1].clone())


def watched(network, softmax: Softmax, seed: int = 1) -> Watched:
    kept = Watched(softmax)
    network.train("Adam", kept, seed)
    return kept


@pytest.mark.parametrize("softmax", [BASE, STOCHASTIC, Float64Loss()], ids=lambda one: one.name)
def test_both_of_a_pair_have_the_same_weights_and_batches(softmax):
    reference, other = watched(Digits(2), Float32()), watched(Digits(2), softmax)
    assert torch.equal(reference.logits[0], other.logits[0])
    assert len(reference.targets) == len(other.targets) > 40
    assert all(map(torch.equal, reference.targets, other.targets))


def test_another_seed_has_other_weights_and_batches():
    one, two = watched(Digits(1), Float32(), 1), watched(Digits(1), Float32(), 2)
    assert not torch.equal(one.logits[0], two.logits[0])
    assert not torch.equal(one.targets[0][:BATCH], two.targets[0][:BATCH])


def test_an_epoch_is_every_image_that_is_not_held_out():
    kept = watched(Digits(1), Float32())
    seen = torch.cat(kept.targets)
    assert 0.75 * 1797 < len(seen) < 0.85 * 1797


@pytest.mark.parametrize(
    ("softmax", "least", "most"),
    [(BASE, 1e-6, 0.05), (STOCHASTIC, 1e-3, 0.5)],
    ids=["base", "int8"],
)
def test_language_models_of_a_pair_differ_by_attention_alone(softmax, least, most, short_text):
    reference, other = watched(Language(2), Float32()), watched(Language(2), softmax)
    assert all(map(torch.equal, reference.targets, other.targets))
    # the first logits are of the same weights: attention in fixed point moves them by little
    assert least < (reference.logits[0] - other.logits[0]).abs().max() < most


def test_a_planted_worse_unit_is_seen(cache, tmp_path):
    good, bad = found(Digits(2), BASE, CLIPS_ALL, cache=cache, tmp_path=tmp_path)[:2]
    assert good.worst[1] > -5
    assert bad.worst[1] < -40
    assert not bad.kept
    assert bad.clipped > 0.9 > 0.1 > good.clipped


def test_a_language_model_whose_unit_gives_no_gradient_learns_nothing(short_text, cache, tmp_path):
    (bad,) = found(Language(4), CLIPS_ALL, cache=cache, tmp_path=tmp_path)
    assert bad.worst[1] > 0.5
    assert not bad.kept


def test_what_is_promised_is_base_as_it_is_by_any_datapath():
    assert is_promised(BASE)
    assert is_promised(Fixed("any name", preset("base")))
    for other in (STOCHASTIC, CLIPS_ALL, AGAIN, Fixed("base", preset("int8"))):
        assert not is_promised(other)


def test_what_is_known_is_not_trained_again(cache, tmp_path):
    plan = Plan(Digits(1), (AGAIN,), (1, 2))
    first = paired([plan], cache, here(tmp_path), lambda _: None)
    asked = []
    again = paired([plan], cache, lambda jobs: iter(asked.extend(jobs) or ()), lambda _: None)
    assert again == first
    assert asked == []


def test_a_key_tells_apart_all_that_a_training_depends_on(monkeypatch):
    training = Training(Digits(1), "Adam", BASE, 1)
    others = [
        replace(training, network=Digits(2)), replace(training, network=Language(1)),
        replace(training, optimiser="SGD"), replace(training, softmax=STOCHASTIC),
        replace(training, softmax=AGAIN), replace(training, softmax=Float64Loss()),
        replace(training, seed=2),
    ]  # fmt: skip
    keys = {one.key for one in (training, *others)}
    assert len(keys) == 8
    assert replace(training, softmax=replace(BASE, name="the same")).key == training.key
    monkeypatch.setattr(tasks, "code_sha256", lambda *_: "another")
    assert training.key not in keys


def test_one_that_comes_to_no_end_ends_all_and_is_not_kept(cache):
    def failing(trainings):
        return ((each, Outcome("failed", reason="no memory")) for each in trainings)

    plan = Plan(Digits(1), (BASE,), (1, 2))
    sentence = r"^the training of digits by float32, Adam, seed 1, came to no end: no memory$"
    with pytest.raises(ConfigError, match=sentence):
        paired([plan], cache, failing, lambda _: None)
    assert cache.of(each.key for each in plan.trainings()) == {}


def test_one_seed_is_refused(cache):
    with pytest.raises(ConfigError, match=r"^seeds must be two or more, not 1$"):
        paired([Plan(Digits(1), (BASE,), (1,))], cache, lambda _: iter(()), lambda _: None)


def test_a_training_leaves_torch_s_settings_alone(tmp_path):
    before = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    outcome = next(here(tmp_path)([Training(Digits(1), "SGD", BASE, 1)]))[1]
    assert outcome.status == "done", outcome.reason
    assert (torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()) == before


def made(softmax: Softmax, *values: float) -> Pairs:
    """Pairs of which float32 came to 90 by both seeds."""
    reference = 90.0, 90.0
    promised = is_promised(softmax)
    return Pairs("digits", "SGD", softmax.name, ACCURACY, promised, (1, 2), reference, values, 0.25)


def test_the_document_tells_every_pair_and_what_is_not_kept():
    plan = Plan(Digits(7), (BASE, CLIPS_ALL), (1, 2))
    good, bad, other = made(BASE, 90.0, 90.0), made(BASE, 90.0, 80.0), made(CLIPS_ALL, 9.0, 9.0)
    text = document([plan], [good, bad, other], "softmaxfx train", "x.svg")
    assert "7 epochs" in text
    line = "| SGD | clips all | 90.000 % | 9.000 % | -81.000 points | -81.000 to -81.000 | "
    assert line + "-81.000 (seed 1) | 25.00 % |" in text
    assert (text.count(": kept."), text.count("**not kept**")) == (1, 1)
    assert "![The difference of every seed](x.svg)" in text


def test_a_picture_names_every_softmax_and_is_the_same_each_time():
    drawn = picture([made(BASE, 90.0, 90.5), made(CLIPS_ALL, 9.0, 9.0)])
    assert drawn == picture([made(BASE, 90.0, 90.5), made(CLIPS_ALL, 9.0, 9.0)])
    assert ("SGD, base" in drawn, "SGD, clips all" in drawn) == (True, True)
    assert drawn != picture([made(BASE, 90.0, 91.0), made(CLIPS_ALL, 9.0, 9.0)])
