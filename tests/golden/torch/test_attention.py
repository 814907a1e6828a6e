"""Attention: the scores and arguments of torch's function, the softmax of the unit."""

import numpy as np
import pytest

from .units_in_torch import Golden, torch

from softmaxfx.golden import SQ, UQ, ConfigError, SoftmaxConfig, preset  # isort: skip
from softmaxfx.golden.torch import fixed_scaled_dot_product_attention as fixed

FINE = SoftmaxConfig(input=SQ(6, 18), output=UQ(1, 23), range=20)
floating = torch.nn.functional.scaled_dot_product_attention
OFF = 1e-5
"""Between float32 attention and that of the fine unit: half an LSB of a score is 2**-19."""


def heads(*shape, seed=0, dtype=torch.float32):
    rng = np.random.default_rng(seed)
    return torch.from_numpy(rng.normal(0, 1, shape)).to(dtype)


QUERY, KEY, VALUE = heads(2, 4, 5, 8), heads(2, 4, 6, 8, seed=1), heads(2, 4, 6, 3, seed=2)
ALLOWED = torch.from_numpy(np.random.default_rng(3).random((5, 6)) < 0.6)
FLOATS = heads(2, 1, 5, 6, seed=4)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"scale": 0.3},
        {"scale": -0.3},
        {"is_causal": True},
        {"attn_mask": ALLOWED},
        {"attn_mask": FLOATS},
        {"attn_mask": torch.where(ALLOWED, FLOATS, -torch.inf)},
        {"attn_mask": torch.where(ALLOWED, 0.0, torch.finfo(torch.float32).min)},
        {"attn_mask": torch.where(ALLOWED, 0.0, -1e4)},
        {"attn_mask": torch.zeros(5, 6, dtype=torch.bool)},
    ],
    ids=["plain", "scale", "negative", "causal", "bool", "float", "-inf", "lowest", "-1e4", "none"],
)
def test_arguments_mean_what_they_mean_in_torch(options):
    if torch.equal(options.get("attn_mask", ALLOWED), torch.zeros(5, 6, dtype=torch.bool)):
        assert not fixed(QUERY, KEY, VALUE, **options).any()
    gate, gold = (
        function(QUERY, KEY, VALUE, **options, **more)
        for function, more in ((fixed, {"config": FINE}), (floating, {}))
    )
    torch.testing.assert_close(gate, gold, rtol=0, atol=OFF)


def test_heads_of_key_and_value_serve_groups_of_query_s():
    key, value = KEY[:, ::2], VALUE[:, ::2]
    gate = fixed(QUERY, key, value, enable_gqa=True, config=FINE)
    gold = floating(QUERY, key, value, enable_gqa=True)
    torch.testing.assert_close(gate, gold, rtol=0, atol=OFF)
    with pytest.raises(ValueError, match=r"^enable_gqa needs heads of query that are a multiple"):
        fixed(QUERY, KEY[:, :3], VALUE[:, :3], enable_gqa=True)
    with pytest.raises(RuntimeError, match=r"must match"):  # as torch says it
        fixed(QUERY, key, value)


@pytest.mark.parametrize("name", ["base", "int8", "int8_row"])
def test_its_softmax_is_the_unit_s(name):
    root = 8**-0.25
    scores = (QUERY * root) @ (KEY * root).transpose(-2, -1)
    p = torch.from_numpy(Golden(scores, preset(name)).p).float()
    assert torch.equal(fixed(QUERY, KEY, VALUE, config=name), p @ VALUE)


def test_gradients_go_through_the_unit():
    query = QUERY.clone().requires_grad_()
    chosen = {"grad_exponent": 0, "config": "int8"}
    (gate,) = torch.autograd.grad(fixed(query, KEY, VALUE, **chosen).sum(), query)
    root = 8**-0.25
    scores = (QUERY * root) @ (KEY * root).transpose(-2, -1)
    dp = torch.ones(2, 4, 5, 3) @ VALUE.transpose(-2, -1)
    ds = torch.from_numpy(Golden(scores, preset("int8")).gradient(dp)).float()
    assert torch.equal(gate, ds @ (KEY * root) * root)


def test_the_gradient_is_near_torch_s():
    query = QUERY.clone().requires_grad_()
    gradients = [
        torch.autograd.grad(function(query, KEY, VALUE).square().sum(), query)[0]
        for function in (fixed, floating)
    ]
    torch.testing.assert_close(*gradients, rtol=0, atol=2e-3)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_halves_are_float32_until_p(dtype):
    query, key, value = (each.to(dtype) for each in (QUERY, KEY, VALUE))
    given = (each.float() if each.itemsize == 2 else each for each in (query, key))
    root = 8**-0.25
    scores = (next(given) * root) @ (next(given) * root).transpose(-2, -1)
    p = torch.from_numpy(Golden(scores, preset("base")).p).to(dtype)
    gate = fixed(query, key, value)
    assert gate.dtype == dtype
    assert torch.equal(gate, p @ value)


def test_autocast_is_torch_s():
    with torch.autocast("cpu"):
        for dtype in (torch.float32, torch.float64):
            given = [each.to(dtype) for each in (QUERY, KEY, VALUE)]
            gate = fixed(*given)
            assert gate.dtype == floating(*given).dtype
    halves = fixed(*(each.bfloat16() for each in (QUERY, KEY, VALUE)))
    with torch.autocast("cpu"):
        assert torch.equal(fixed(QUERY, KEY, VALUE), halves)


def test_dropout_drops_p():
    torch.manual_seed(0)
    value = torch.eye(6).expand(2, 4, 6, 6)
    p = fixed(QUERY, KEY, value)
    dropped = fixed(QUERY, KEY, value, dropout_p=0.5)
    kept = dropped != 0
    assert 0.3 < kept.float().mean() < 0.7
    assert torch.equal(dropped[kept], 2 * p[kept])
    assert not fixed(QUERY, KEY, value, dropout_p=1.0).any()
    with pytest.raises(ValueError, match=r"dropout probability has to be between 0 and 1"):
        fixed(QUERY, KEY, value, dropout_p=1.5)


@pytest.mark.parametrize(
    ("args", "options", "sentence"),
    [
        ((QUERY, KEY.double(), VALUE), {}, r"^query, key and value must have one dtype, not"),
        ((QUERY[0, 0, 0], KEY, VALUE), {}, r"^query, key and value must have 2 dimensions or more"),
        ((QUERY.long(), KEY.long(), VALUE.long()), {}, r"^query must be float16, bfloat16"),
        ((QUERY, KEY, VALUE), {"attn_mask": ALLOWED, "is_causal": True},
         r"^attn_mask must not be given where is_causal is True$"),
        ((QUERY, KEY, VALUE), {"attn_mask": ALLOWED.long()},
         r"^attn_mask must be bool, float32 or of query's torch.float32, not torch.int64$"),
        ((QUERY * torch.nan, KEY, VALUE), {}, r"^x must be numbers, or -inf"),
    ],
)  # fmt: skip
def test_what_torch_refuses_is_refused(args, options, sentence):
    with pytest.raises(ValueError, match=sentence):
        fixed(*args, **options)


def test_choices_that_break_a_rule():
    with pytest.raises(ConfigError, match=r"^unknown preset 'fast'"):
        fixed(QUERY, KEY, VALUE, config="fast")


def test_compilers_see_no_break():
    def causal(query):
        return fixed(query, KEY, VALUE, is_causal=True, config="int8")

    compiled = torch.compile(causal, fullgraph=True, backend="aot_eager")
    assert torch.equal(compiled(QUERY), causal(QUERY))
