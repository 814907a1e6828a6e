"""The classifier: its sizes and padding, and what the pretrained one sees."""

import pytest

pytest.importorskip("torch", reason="torch is not installed")

import torch

from softmaxfx.golden.torch import swap
from softmaxfx.study.models.efficientnet import EfficientNet, Stage

from .needed import fetched

SMALL = (Stage(1, 3, 1, 1, 8), Stage(2, 5, 2, 6, 12))


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(1)
    return EfficientNet(SMALL, 16, 5).eval().requires_grad_(False)


def test_it_has_as_many_weights_as_the_published_one():
    assert sum(each.numel() for each in EfficientNet().parameters()) == 4_652_008


@pytest.mark.parametrize(("size", "kernel", "stride"), [(7, 3, 2), (8, 3, 2), (9, 5, 2), (8, 5, 1)])
def test_padding_is_tensorflow_s(size, kernel, stride):
    """A kernel of one element at its middle shows which places a convolution reads."""
    from softmaxfx.study.models.efficientnet import _Conv

    conv = _Conv(1, 1, kernel, stride)
    weight = torch.zeros_like(conv.weight)
    weight[..., kernel // 2, kernel // 2] = 1
    conv.weight.data.copy_(weight)
    with torch.no_grad():
        found = conv(torch.arange(size * size, dtype=torch.float32).view(1, 1, size, size))[0, 0]
    results = -(-size // stride)
    total = max((results - 1) * stride + kernel - size, 0)
    first = kernel // 2 - total // 2
    places = [first + stride * n for n in range(results)]
    assert (found % size)[0].int().tolist() == places
    assert (found // size)[:, 0].int().tolist() == places


def test_the_output_softmax_can_be_swapped(model):
    picture = torch.rand(2, 3, 32, 32)
    p = model(picture)
    torch.testing.assert_close(p, model.logits(picture).softmax(dim=-1))
    with swap(model, "full") as swapped:
        model(picture)
    assert swapped.sites == ("model: softmax",)


@fetched
def test_the_pretrained_model_names_what_pictures_show():
    from softmaxfx.study.models.photographs import photographs
    from softmaxfx.study.models.registry import EfficientNet as Pretrained

    network = Pretrained()
    shown = photographs(network.folder, 5)
    best = network.module()(shown.pictures).argmax(dim=-1).tolist()
    for name, found, classes in zip(shown.names, best, shown.classes, strict=True):
        assert found in classes, name
