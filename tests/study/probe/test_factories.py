"""Models and data that a user's own code makes: what is wrong with them is one sentence."""

import sys

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from softmaxfx.golden import ConfigError, preset  # noqa: E402
from softmaxfx.study.probe.factories import arguments, data_of, model_of  # noqa: E402
from softmaxfx.study.probe.run import evaluated, probed  # noqa: E402
from softmaxfx.study.probe.subject import Subject, own  # noqa: E402

CODE = """
import torch
from torch import nn

class Kit:
    @staticmethod
    def net():
        return nn.Softmax(-1)

def model():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 6), nn.Softmax(-1))

def data():
    return [torch.ones(3, 4), (torch.zeros(2, 4),), {"input": torch.ones(1, 4)}]

def drawn():
    yield torch.ones(3, 4)
    yield torch.zeros(2, 4)

def fails():
    raise RuntimeError("no\\nweights")

def number():
    return 3

def texts():
    return ["a"]

def halfway():
    yield torch.ones(3, 4)
    raise OSError("gone")

seven = 7
"""


@pytest.fixture(autouse=True)
def module(tmp_path, monkeypatch):
    """A module of the working folder."""
    (tmp_path / "mine_of_tests.py").write_text(CODE)
    (tmp_path / "broken_of_tests.py").write_text("import nothing_of_the_kind\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield
    sys.modules.pop("mine_of_tests", None)


def nothing(_):
    """Nobody looks at the progress."""


def test_models_and_inputs_are_made_and_run():
    subject = own("mine_of_tests:model", "mine_of_tests:data", None)
    assert subject.count == 3
    told = []
    (site,) = probed(subject, 1, told.append)
    assert site.name == "1: softmax"
    assert site.figures.rows == 6
    assert told == [1 / 3, 2 / 3, 1]
    assert subject.module.training


def test_a_limit_takes_the_first_inputs():
    subject = own("mine_of_tests:model", "mine_of_tests:drawn", 1)
    assert subject.count == 1
    assert probed(subject, 1, nothing)[0].figures.rows == 3
    whole = own("mine_of_tests:model", "mine_of_tests:drawn", None)
    assert whole.count is None
    assert probed(whole, 1, nothing)[0].figures.rows == 5


def test_a_factory_may_be_an_attribute():
    assert type(model_of("mine_of_tests:Kit.net")) is torch.nn.Softmax


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("mine_of_tests", r"^--model must be MODULE:FACTORY, not 'mine_of_tests'$"),
        ("a:b:c", r"^--model must be MODULE:FACTORY, not 'a:b:c'$"),
        (":model", r"^--model must be MODULE:FACTORY, not ':model'$"),
        ("nothing_of_the_kind:x", r"^--model module nothing_of_the_kind cannot be imported: Modul"),
        ("broken_of_tests:x", r"^--model module broken_of_tests cannot be imported: ModuleNotFou"),
        ("mine_of_tests:none", r"^--model module mine_of_tests has no none$"),
        ("mine_of_tests:seven", r"^--model mine_of_tests:seven must be a function, not int$"),
        ("mine_of_tests:fails", r"^--model mine_of_tests:fails failed: RuntimeError: no weights$"),
        ("mine_of_tests:number", r"must return a torch\.nn\.Module, not int$"),
    ],
)
def test_a_factory_without_a_model_is_one_sentence(text, sentence):
    with pytest.raises(ConfigError, match=sentence) as caught:
        model_of(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["number", "Kit"])
def test_data_that_are_no_iterable_are_one_sentence(name):
    with pytest.raises(ConfigError, match=r"must return an iterable of inputs, not "):
        data_of(f"mine_of_tests:{name}")


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        (
            "texts",
            r"^--data must give tensors, tuples of arguments or dicts of named ones, not str",
        ),
        ("halfway", r"^--data must give inputs: OSError: gone$"),
    ],
)
def test_inputs_that_are_none_are_one_sentence(name, sentence):
    with pytest.raises(ConfigError, match=sentence):
        probed(own("mine_of_tests:model", f"mine_of_tests:{name}", None), 1, nothing)


def test_arguments_are_those_of_a_call():
    x = torch.ones(2)
    assert arguments(x)[0][0] is x
    assert arguments([x, 3]) == ((x, 3), {})
    assert arguments({"a": 1}) == ((), {"a": 1})
    with pytest.raises(ConfigError, match="not dict"):
        arguments({1: 2})


@pytest.mark.parametrize(
    ("model", "inputs", "sentence"),
    [
        (torch.nn.Softmax(-1), [], r"^--data must give an input, and gives none$"),
        (torch.nn.Linear(4, 2), [torch.ones(1, 4)], r"^Linear must have a softmax to p"),
        (torch.nn.Linear(4, 2), [torch.ones(1, 3)], r"^Linear must take input 1: Runt"),
        (
            torch.nn.Softmax(-1), [torch.full((2, 3), -torch.inf)],
            r"^Softmax must have a softmax with an element that takes part; all of them are masked",
        ),
        (
            torch.nn.DataParallel(torch.nn.Softmax(-1)), [torch.ones(1, 3)],
            r"^the model \(DataParallel\) must not be data-parallel",
        ),
    ],
    ids=["no input", "no softmax", "no fit", "masked", "unseen"],
)  # fmt: skip
def test_a_model_that_cannot_be_probed_is_one_sentence(model, inputs, sentence):
    with pytest.raises(ConfigError, match=sentence):
        probed(Subject(model, inputs, len(inputs)), 1, nothing)


class Logits(torch.nn.Module):
    """Attention, and logits of which two are next to one another in a row."""

    def forward(self, x):
        mixed = torch.nn.functional.scaled_dot_product_attention(x, x, x)
        return {"logits": mixed, "else": 3}


def test_outputs_are_compared_by_their_winners():
    inputs = [torch.randn(1, 5, 8, generator=torch.Generator().manual_seed(n)) for n in range(4)]
    told = []
    subject = Subject(Logits(), inputs, 4)
    units = {"full": preset("full"), "none": preset("int8", range=0.125)}
    full, none = evaluated(subject, units, told.append)
    assert (full.name, full.rows, full.top1) == ("full", 20, 1.0)
    assert full.text == "100 % of 20 winners"
    assert none.top1 is not None
    assert none.top1 < 1
    assert told == sorted(told)
    assert told[-1] == 1.0


def test_ties_of_winners_are_shared_out():
    model = torch.nn.Softmax(-1)
    x = torch.tensor([[1.0, 1.01, 0.0], [5.0, 0.0, 0.0]])
    (int8,) = evaluated(Subject(model, [x], 1), {"int8": preset("int8")}, nothing)
    assert int8.top1 == 0.75


def test_an_output_that_is_no_array_is_told():
    class Words(torch.nn.Module):
        def forward(self, x):
            return ["word", x.softmax(-1)]

    (found,) = evaluated(Subject(Words(), [torch.ones(2, 3)], 1), {"base": preset("base")}, nothing)
    assert (found.top1, found.text) == (None, "the model's output is no array of floats")
