"""Hugging Face's models: their attention, by whatever implementation, is the unit's."""

import pytest

from .units_in_torch import torch

transformers = pytest.importorskip("transformers", reason="transformers is not installed")

from softmaxfx.golden.torch import SwapError, ops, register_attention, swap  # noqa: E402

SMALL = {"vocab_size": 30, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2,
         "intermediate_size": 16}  # fmt: skip
IDS, MASK = torch.arange(14).reshape(2, 7), torch.ones(2, 7, dtype=torch.int64)
MASK[1, 4:] = 0


def bert(implementation):
    torch.manual_seed(0)
    config = transformers.BertConfig(**SMALL, attn_implementation=implementation)
    return transformers.BertModel(config).eval()


def llama(implementation):
    torch.manual_seed(0)
    config = transformers.LlamaConfig(
        **SMALL, num_key_value_heads=1, attn_implementation=implementation
    )
    return transformers.LlamaForCausalLM(config).eval()


def calls(function, *args, **options):
    before = ops.CALLS.copy()
    function(*args, **options)
    return dict(ops.CALLS - before)


@pytest.mark.parametrize("implementation", ["sdpa", "eager"])
@pytest.mark.parametrize("build", [bert, llama])
def test_attention_is_swapped(build, implementation):
    model = build(implementation)
    gold = model(IDS, attention_mask=MASK)[0]
    with swap(model):
        assert calls(model, IDS, attention_mask=MASK) == {"softmax": 2}
        gate = model(IDS, attention_mask=MASK)[0]
    torch.testing.assert_close(gate[MASK == 1], gold[MASK == 1], rtol=0, atol=1e-3)
    assert calls(model, IDS) == {}


def test_generation_and_the_loss_are_swapped():
    model = llama("sdpa")
    with swap(model):
        assert calls(model, IDS, labels=IDS) == {"softmax": 2, "cross_entropy": 1}
        assert calls(model.generate, IDS[:1, :3], max_new_tokens=2, do_sample=False)["softmax"] == 4


@pytest.mark.parametrize("build", [bert, llama])
def test_an_implementation_is_registered(build):
    register_attention("tight", "softmaxfx_tight")
    model, gold = build("softmaxfx_tight"), build("sdpa")
    assert calls(model, IDS, attention_mask=MASK) == {"softmax": 2}
    gate = model(IDS, attention_mask=MASK)[0]
    torch.testing.assert_close(
        gate[MASK == 1], gold(IDS, attention_mask=MASK)[0][MASK == 1], rtol=0, atol=1e-3
    )
    with pytest.raises(SwapError, match=r"^the model .* must not be of the attention implement"):
        swap(model)
