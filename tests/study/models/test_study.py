"""The study of networks: random ones of the same classes, measured as the pretrained ones are."""

import ast
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="torch is not installed")
import pickle

import torch

from softmaxfx.cache import Cache
from softmaxfx.code import files_of
from softmaxfx.golden import ConfigError, preset
from softmaxfx.outcomes import Outcome, outcome_of
from softmaxfx.study.models.figures import METRICS, SHOWN
from softmaxfx.study.models.goals import GOALS, verdicts
from softmaxfx.study.models.registry import MODELS, pretrained
from softmaxfx.study.models.softmaxes import Decimals, Fixed, Float32, Narrow
from softmaxfx.study.models.study import MADE_BY, Measurement, given, measured
from softmaxfx.study.models.tiny import TINY
from softmaxfx.study.models.variants import GROUPS, groups
from softmaxfx.study.tasks import Maker

FULL, INT8 = (Fixed(name, preset(name)) for name in ("full", "int8"))
NETWORKS = list(TINY.values())


def found(folder, networks=NETWORKS, chosen=groups(("presets",)), run=None):  # noqa: B008
    work = Maker(folder, MADE_BY, given(networks))()

    def here(jobs):
        return ((job, outcome_of(work, job)) for job in jobs)

    with Cache(folder / "cache.sqlite") as cache:
        return measured(networks, chosen, cache, run or here, lambda _: None)


@pytest.fixture(scope="module")
def presets(tmp_path_factory):
    return found(tmp_path_factory.mktemp("study"))


def test_float32_agrees_with_itself(presets):
    for name, network in TINY.items():
        figures = presets[network.name, "float32"]
        assert figures.keys() == SHOWN[name].keys()
        for place, each in figures.items():
            assert set(SHOWN[name][place]) <= each.keys() <= METRICS[name].keys()
            assert each.get("agreement", 1) == each.get("neighbours", 1) == 1
            assert each.get("perplexity_change", 0) == pytest.approx(0, abs=1e-6)
            assert each.get("least_cosine", 1) == pytest.approx(1, abs=1e-9)
            assert each.get("confidence_change", 0) == pytest.approx(0, abs=1e-7)


def test_the_full_preset_keeps_answers_that_a_clipped_one_loses(presets):
    full, int8 = (presets["smollm2", name] for name in ("full", "int8"))
    assert full["both"]["agreement"] == 1
    assert abs(full["both"]["perplexity_change"]) < 1e-3
    assert int8["output"]["agreement"] < 1
    assert presets["minilm", "full"]["attention"]["least_cosine"] > 0.99999
    assert presets["efficientnet", "full"]["output"]["agreement"] == 1


def test_places_are_replaced_one_by_one(presets):
    for softmax in ("full", "int8"):
        figures = presets["smollm2", softmax]
        reference = presets["smollm2", "float32"]["both"]["perplexity"]
        assert len({figures[place]["perplexity"] for place in figures} | {reference}) == 4


def test_the_same_network_gives_the_same_figures(presets, tmp_path):
    assert found(tmp_path, NETWORKS[:1]) == {
        names: figures for names, figures in presets.items() if names[0] == "smollm2"
    }


def test_what_is_known_is_not_measured_again(presets, tmp_path):
    first = found(tmp_path, NETWORKS[1:])
    assert found(tmp_path, NETWORKS[1:], run=lambda jobs: iter([(job, None) for job in jobs])) == (
        first
    )


def test_a_measurement_that_fails_ends_all_in_one_sentence(tmp_path):
    def run(jobs):
        return ((job, Outcome("failed", reason="the memory does not suffice")) for job in jobs)

    with pytest.raises(ConfigError, match=r"^smollm2 with float32 came to no end: the memory"):
        found(tmp_path, run=run)


def test_a_key_tells_networks_and_softmaxes_apart():
    softmaxes = (Float32(), FULL, INT8, Narrow("a", "float16"), Decimals("a", 1), Decimals("a", 2))
    keys = {Measurement(network, each).key for network in NETWORKS for each in softmaxes}
    assert len(keys) == len(NETWORKS) * len(softmaxes)
    assert Measurement(NETWORKS[0], Fixed("other name", FULL.config)).key in keys


def test_networks_travel_without_what_they_have_read():
    network = TINY["smollm2"]
    network.measure(Float32())
    assert len(pickle.dumps(network)) < 1000
    assert pickle.loads(pickle.dumps(network)).told == network.told


@pytest.mark.parametrize("name", TINY)
def test_a_network_takes_its_inputs_one_by_one(name):
    network = TINY[name]
    module, inputs = network.module(), network.inputs(2)
    assert isinstance(module, torch.nn.Module)
    assert len(inputs) == 2
    for each in inputs:
        assert len(module(each)) == 1
    assert len(network.inputs()) > 2


def test_the_pretrained_ones_have_the_same_names_and_may_lie_elsewhere(tmp_path):
    assert list(MODELS) == list(TINY)
    assert {network.folder for network in pretrained(tmp_path).values()} == {tmp_path}
    assert pretrained() is MODELS


@pytest.mark.parametrize("name", MODELS)
def test_a_network_that_was_not_fetched_says_how(name, tmp_path):
    network = pretrained(tmp_path)[name]
    for ask in (lambda: network.told, network.module, network.inputs):
        with pytest.raises(ConfigError, match=r"must be in .*: make models fetches it$"):
            ask()


def test_groups_differ_and_have_a_place_on_their_axis():
    softmaxes = [each for group in GROUPS for each in group.softmaxes]
    assert len({each.name for each in softmaxes}) == len(softmaxes)
    for group in GROUPS:
        assert len(group.at) == (len(group.softmaxes) if group.axis else 0)
    assert groups() == GROUPS
    assert [group.name for group in groups(("floats", "presets"))] == ["presets", "floats"]


def test_goals_are_judged_where_they_were_measured(presets):
    made = {
        ("smollm2", "full"): {"both": {"agreement": 0.9949, "perplexity_change": -0.01}},
        ("minilm", "full"): {"attention": {"least_cosine": 0.9999}},
        ("minilm", "base"): {"attention": {"least_cosine": 0.5}},
    }
    met = list(verdicts(made))
    assert [(one.goal.network, one.goal.metric, one.reached) for one in met] == [
        ("smollm2", "agreement", False),
        ("smollm2", "perplexity_change", True),
        ("minilm", "least_cosine", True),
    ]
    assert met[0].goal.asked() == "same next word ≥ 99.50 %"
    assert met[0].shown == "99.49 %"
    assert met[1].goal.asked() == "perplexity against float32 ≤ 0.100 %"
    assert len(list(verdicts(presets))) == len(GOALS)


NOT_COVERED = {
    "study.models.packages",  # its contents are pinned, and told
    "study.models.figures",  # names and how figures are shown
}


def test_the_key_covers_all_that_figures_are_made_by():
    reached, left = set(), ["study.models.registry", "study.models.tiny"]
    while left:
        name = left.pop()
        if name not in reached:
            reached.add(name)
            left += imported(name)
    covered = {file for place in MADE_BY.rooms for _, file in files_of(place)}
    specs = [find_spec(f"softmaxfx.{name}") for name in reached - NOT_COVERED]
    files = {Path(spec.origin) for spec in specs if not spec.submodule_search_locations}
    assert len(files) > 20
    assert files <= covered


def imported(module):
    """Modules of this package that a module imports, by their names within it."""
    package = module.rpartition(".")[0]
    for node in ast.walk(ast.parse(Path(find_spec(f"softmaxfx.{module}").origin).read_text())):
        if isinstance(node, ast.ImportFrom) and node.level:
            near = ["softmaxfx", *package.split(".")][: len(package.split(".")) + 2 - node.level]
            place = ".".join([*near[1:], *([node.module] if node.module else [])])
            for name in (place, *(f"{place}.{alias.name}" for alias in node.names)):
                with suppress(ModuleNotFoundError):  # a name inside a module
                    if name and find_spec(f"softmaxfx.{name}"):
                        yield name
