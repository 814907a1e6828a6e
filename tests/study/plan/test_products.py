"""Times of real products in torch, few and small."""

from collections import Counter

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed")

import torch

from softmaxfx.golden.errors import ConfigError
from softmaxfx.study.plan import products
from softmaxfx.study.plan.fit import Timed, fitted
from softmaxfx.study.plan.products import Shape
from softmaxfx.study.plan.times import Law, Times
from softmaxfx.study.plan.vocabulary import Vocabulary


def test_products_are_measured(monkeypatch):
    monkeypatch.setattr(products, "SECONDS", 0.0)
    shapes = [products.Shape(tokens, 32, words) for tokens in (1, 64) for words in (8, 4096)]
    told: list[float] = []
    timed = products.measured(shapes, "cpu", told.append)
    assert [(one.tokens, one.words) for one in timed] == [(1, 8), (1, 4096), (64, 8), (64, 4096)]
    assert all(0 < one.seconds < 10 for one in timed)
    assert len(told) == products.LEAST_ROUNDS * 4
    assert fitted(timed).law.floor > 0


def test_shapes_are_those_of_a_batch():
    shapes = products.shapes(64, 256, 64, "cpu")
    assert {shape.tokens for shape in shapes} == {64, 16, 4, 1}
    assert {shape.hidden for shape in shapes} == {256, 64}
    assert all(one.tokens * one.hidden * one.words <= products.LARGEST["cpu"] for one in shapes)


def test_a_split_is_its_products(monkeypatch):
    words = Vocabulary.of(np.array([60, 20, 10, 5, 5]), "made up")
    cost = Times(words, Law(1e-6, 1e-6, 1e-11), batch=50, hidden=128)
    split = products.of_split(cost, (1, 3), "cpu")
    head, first, second = Shape(50, 128, 3), Shape(15, 128, 32), Shape(5, 128, 32)
    assert split == {head: 1, first: 1, Shape(15, 32, 2): 1, second: 1, Shape(5, 32, 2): 1}
    assert products.of_split(cost, (), "cpu") == {Shape(50, 128, 5): 1}
    rare = Times(words, cost.law, batch=5, hidden=128)
    assert len(products.of_split(rare, (1, 4), "cpu")) == 3  # 0.25 tokens in the last tail
    monkeypatch.setitem(products.LARGEST, "cpu", 50 * 128 * 2)
    assert products.of_split(cost, (), "cpu") == {Shape(50, 128, 2): 2, Shape(50, 128, 1): 1}


def test_each_product_is_measured_once(monkeypatch):
    asked: list[Shape] = []

    def measured(shapes, device, progress):
        asked.extend(shapes)
        return [Timed(one.tokens, one.hidden, one.words, float(one.words)) for one in shapes]

    monkeypatch.setattr(products, "measured", measured)
    one, two = Shape(1, 1, 3), Shape(1, 1, 5)
    splits = [Counter({one: 2, two: 1}), Counter({two: 3})]
    assert products.seconds_of(splits, "cpu", lambda _: None) == [11.0, 15.0]
    assert asked == [one, two]


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_missing_gpu_is_told():
    with pytest.raises(ConfigError, match="the cost cuda must be measured on a GPU, and torch fin"):
        products.measured([], "cuda")
