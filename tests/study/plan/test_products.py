"""Times of real products in torch, few and small."""

import pytest

pytest.importorskip("torch", reason="torch is not installed")

import torch

from softmaxfx.golden.errors import ConfigError
from softmaxfx.study.plan import products
from softmaxfx.study.plan.fit import fitted


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


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_missing_gpu_is_told():
    with pytest.raises(ConfigError, match="the cost cuda must be measured on a GPU, and torch fin"):
        products.measured([], "cuda")
