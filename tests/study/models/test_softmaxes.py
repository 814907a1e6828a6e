"""Ways to compute a network's softmax: what each of them rounds."""

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed")
import torch
from torch.nn import functional

from softmaxfx.golden import preset
from softmaxfx.golden.torch import fixed_cross_entropy, fixed_softmax
from softmaxfx.study.models.answers import agreement, mass
from softmaxfx.study.models.float_attention import FloatAttention
from softmaxfx.study.models.softmaxes import Decimals, Fixed, Float32, Narrow
from softmaxfx.study.sweep.measure.float_formats import BASELINES

FORMATS = {
    "fp16": "float16",
    "bf16": "bfloat16",
    "fp8_e4m3": "float8_e4m3fn",
    "fp8_e5m2": "float8_e5m2",
}


def values():
    """Normal and subnormal values of every format, and some that saturate."""
    rng = np.random.default_rng(4)
    spread = rng.normal(size=4000) * 2.0 ** rng.integers(-24, 18, 4000)
    return np.concatenate([spread, [0.0, 1.0, 448, 449, 57344, 65504, 1e6, -1e6]]).astype("f4")


@pytest.mark.parametrize("name", FORMATS)
def test_narrow_floats_are_those_of_the_sweep(name):
    given = values()
    found = Narrow(name, FORMATS[name]).results(torch.from_numpy(given))
    expected = BASELINES[name].results(given.astype(np.float64))
    np.testing.assert_array_equal(found.double().numpy(), expected)


def test_narrow_logits_keep_what_is_masked():
    found = Narrow("fp16", "float16").logits(torch.tensor([-torch.inf, 1e6, 1.0002]))
    assert found.tolist() == [-torch.inf, 65504.0, 1.0]


@pytest.mark.parametrize("places", [0, 1, 3])
def test_decimals_round_the_logits_alone(places):
    x = torch.tensor([[0.15, -2.71828, 12.3456], [1e-9, 42.0, -torch.inf]])
    one = Decimals("k", places)
    rounded = torch.from_numpy(np.round(x.numpy(), places))
    torch.testing.assert_close(one.probabilities(x), functional.softmax(rounded, dim=-1))
    target = torch.tensor([2, 1])
    expected = functional.cross_entropy(rounded, target, reduction="none")
    torch.testing.assert_close(one.losses(x, target), expected)


@pytest.mark.parametrize("places", [10, 30])
def test_many_decimals_change_an_ulp_at_most(places):
    x = torch.randn(1000, generator=torch.Generator().manual_seed(1)) * 20
    found = Decimals("k", places).logits(x)
    assert (found - x).abs().le(torch.finfo(torch.float32).eps * x.abs()).all()


def test_fixed_ones_are_the_units_of_rows_as_long_as_needed():
    config = preset("full", max_length=4)
    x = torch.randn(5, 9, generator=torch.Generator().manual_seed(2)) * 8
    target = torch.tensor([0, 3, 8, 1, 5])
    longer, unit = config.replace(max_length=9), Fixed("full", config)
    assert unit.probabilities(x).equal(fixed_softmax(x, -1, longer))
    losses = fixed_cross_entropy(x, target, config=longer, reduction="none")
    assert unit.losses(x, target).equal(losses)


@pytest.mark.parametrize("causal", [False, True])
def test_float_attention_is_torch_s(causal):
    drawn = torch.Generator().manual_seed(3)
    query = torch.randn(2, 4, 6, 8, generator=drawn)
    key, value = (torch.randn(2, 2, 6, 8, generator=drawn) for _ in range(2))
    expected = functional.scaled_dot_product_attention(
        query, key, value, is_causal=causal, enable_gqa=True
    )
    seen = []

    def probabilities(scores):
        seen.append(scores)
        return functional.softmax(scores, dim=-1)

    with FloatAttention(probabilities):
        found = functional.scaled_dot_product_attention(
            query, key, value, is_causal=causal, enable_gqa=True
        )
    torch.testing.assert_close(found, expected)
    (scores,) = seen
    assert scores.shape == (2, 4, 6, 6)
    assert scores.isinf().sum() == (2 * 4 * 15 if causal else 0)


def test_float32_is_torch_itself():
    x, target = torch.randn(4, 7), torch.tensor([0, 6, 2, 2])
    assert Float32().probabilities(x).equal(x.softmax(dim=-1))
    assert Float32().losses(x, target).equal(functional.cross_entropy(x, target, reduction="none"))


def test_ties_share_an_answer():
    p = torch.tensor([[0.5, 0.5, 0.0], [0.2, 0.3, 0.5], [0.1, 0.8, 0.1], [0.25, 0.25, 0.25]])
    assert agreement(p, torch.tensor([1, 2, 0, 2])).tolist() == [0.5, 1.0, 0.0, 1 / 3]
    assert mass(p).tolist() == [1.0, pytest.approx(1), pytest.approx(1), 0.75]
