"""Attention in one kernel gives the bits of the layer that stores p, of the same scores.

Query is an identity, so that key is the scores; value is one, so that the result is p, and then the
gradient by key is dS.
"""

import dataclasses

import numpy as np
import pytest

from .configs import CONFIGS
from .engines import find_spec, torch

from softmaxfx.golden import PRESETS, SQ, UQ, SoftmaxConfig  # isort: skip
from softmaxfx.golden.torch import EngineFallbackWarning, fixed_scaled_dot_product_attention
from softmaxfx.golden.torch.engines.registry import unfused_by, which_engine
from softmaxfx.golden.torch.fused import _said
from softmaxfx.golden.torch.fused import attention as operator
from softmaxfx.golden.torch.ops import CALLS, GATED, NO_GRADIENT
from softmaxfx.golden.torch.unit import text_of

pytestmark = pytest.mark.long

ROWS, COLUMNS, HEADS = 33, 70, (2, 3)
NAMES = [
    f"{preset} {path}{way}"
    for preset in ("base", "int8", "int8_row", "full", "tight")
    for path in ("max_subtract", "exact_sum")
    for way in ("", " stochastic")
] + ["base max_subtract difference", "base exact_sum pass", "steep", "window and row", "few codes"]
PLACES = ["cpu", "cuda"]


@pytest.fixture(params=PLACES)
def device(request):
    """A device that Triton's kernels run on: a CPU by its interpreter."""
    if find_spec("triton") is None:
        pytest.skip("triton is not installed")
    if (request.param == "cuda") != torch.cuda.is_available():
        pytest.skip(f"triton computes on {'CUDA' if torch.cuda.is_available() else 'the CPU'} here")
    with np.errstate(all="ignore"):  # the interpreter computes in NumPy
        yield torch.device(request.param)


def scores(*shape, seed=1, config=PRESETS["base"]):
    """Scores of which some are clipped, some half-way between codes, and some below the mask's."""
    rng = np.random.default_rng(seed)
    values = rng.normal(0, config.range / 2.5, shape)
    halves = np.floor(values / config.input.lsb) * config.input.lsb + config.input.lsb / 2
    values = np.where(rng.random(shape) < 0.2, halves, values)
    values[rng.random(shape) < 0.02] = -2e4
    return torch.from_numpy(values.astype(np.float32))


class Case:
    """Attention of given scores, (..., L, S), whose p and dS can be read."""

    def __init__(self, scores, device, dtype=torch.float32, shared=None):
        *leading, rows, columns = scores.shape
        shared = shared or leading
        generator = torch.Generator().manual_seed(3)
        eye = torch.eye(rows).expand(*leading, rows, rows)
        key = scores[tuple(slice(count) for count in shared)].mT.contiguous()
        self.query = eye.to(device, dtype).requires_grad_()
        self.key = key.to(device, dtype).requires_grad_()
        self.value = torch.eye(columns).expand(*shared, columns, columns).to(device, dtype)
        self.value.requires_grad_()
        spread = torch.exp2(torch.randint(-9, 3, (*leading, rows, 1), generator=generator))
        upstream = spread * torch.randn(*leading, rows, columns, generator=generator)
        self.upstream = upstream.to(device, dtype)

    def computed(self, config, engine, **options):
        """(p, gradient by query, dS transposed, gradient by value)."""
        given = self.query, self.key, self.value
        result = fixed_scaled_dot_product_attention(
            *given, config=config, engine=engine, scale=1.0, **options
        )
        return result.detach(), *torch.autograd.grad(result, given, self.upstream)


def assert_fused(case, config, off=1e-5, **options):
    """p and dS are equal; products of them differ by the order of float sums alone."""
    before = CALLS["attention"], CALLS["attention_backward"]
    found = case.computed(config, "triton", **options)
    assert (CALLS["attention"], CALLS["attention_backward"]) == (before[0] + 1, before[1] + 1)
    gold = case.computed(config, "torch", **options)
    assert (CALLS["attention"], CALLS["attention_backward"]) == (before[0] + 1, before[1] + 1)
    for place in (0, 2):
        assert torch.equal(found[place].nan_to_num(7.0), gold[place].nan_to_num(7.0))
    for place in (1, 3):
        size = gold[place].abs().max()
        torch.testing.assert_close(found[place], gold[place], rtol=off, atol=float(off * size))


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_every_bit_is_that_of_the_layer_that_stores_p(device, name, causal):
    config = CONFIGS[name] if name in CONFIGS else named(name)
    case = Case(scores(*HEADS, ROWS, COLUMNS, config=config), device)
    assert_fused(case, config, is_causal=causal, seed=7)


def named(name):
    preset, path, *_ = name.split()
    return PRESETS[preset].replace(datapath=path)


@pytest.mark.parametrize("path", ["max_subtract", "exact_sum"])
@pytest.mark.parametrize("preset", ["base", "int8"])
def test_a_million_elements(device, preset, path):
    config = PRESETS[preset].replace(datapath=path)
    assert_fused(Case(scores(8, 4, 128, 256, config=config), device), config)


RNG = np.random.default_rng(4)
BOOLS = torch.from_numpy(RNG.random((2, 1, ROWS, COLUMNS)) < 0.5)
FLOATS = torch.from_numpy(RNG.normal(0, 1, (ROWS, COLUMNS)).astype(np.float32))
MASKS = {
    "bool": BOOLS,
    "of keys": BOOLS[:, :, :1],
    "nothing": torch.zeros(ROWS, COLUMNS, dtype=torch.bool),
    "float": FLOATS,
    "-inf": torch.where(BOOLS, FLOATS, -torch.inf),
    "lowest": torch.where(BOOLS[0], 0.0, torch.finfo(torch.float32).min),
}


@pytest.mark.parametrize("path", ["max_subtract", "exact_sum"])
@pytest.mark.parametrize("mask", MASKS)
def test_masks(device, mask, path):
    config = PRESETS["int8_row"].replace(datapath=path)
    case = Case(scores(*HEADS, ROWS, COLUMNS, config=config), device)
    assert_fused(case, config, attn_mask=MASKS[mask].to(device))


@pytest.mark.parametrize("mask_value", [None, -3.0])
def test_the_value_that_masks(device, mask_value):
    config = PRESETS["base"].replace(output_exponent="row")
    case = Case(scores(*HEADS, ROWS, COLUMNS), device)
    assert_fused(case, config, mask_value=mask_value)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("preset", ["base", "int8", "int8_row"])
def test_halves(device, preset, dtype):
    if device.type == "cpu" and dtype == torch.bfloat16 and preset == "base":
        pytest.skip("triton's interpreter cuts bits off where a GPU rounds to bfloat16")
    case = Case(scores(*HEADS, ROWS, COLUMNS).clamp(-30, 30), device, dtype)
    assert_fused(case, PRESETS[preset], off=2e-2)


@pytest.mark.parametrize("shape", [(5, 9), (3, 5, 9), (2, 2, 2, 5, 9), (1, 2, 1, 1), (1, 1, 70, 5)])
def test_shapes(device, shape):
    assert_fused(Case(scores(*shape), device), PRESETS["base"], is_causal=True)


@pytest.mark.parametrize("causal", [False, True])
def test_heads_of_key_and_value_serve_groups_of_query_s(device, causal):
    case = Case(scores(2, 6, ROWS, COLUMNS), device, shared=[2, 2])
    options = {"enable_gqa": True, "is_causal": causal}
    found, gold = (case.computed(PRESETS["base"], name, **options) for name in ("triton", "torch"))
    assert torch.equal(found[0], gold[0])
    for one, other in zip(found[1:], gold[1:], strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("config", [
    PRESETS["base"].replace(scale=0.37),
    SoftmaxConfig(grad_input=SQ(4, 14), grad_output=SQ(3, 12), dot_guard=0),
    SoftmaxConfig(output=UQ(1, 23), range=8),
], ids=["scale", "wide gradients", "wide output"])  # fmt: skip
@pytest.mark.parametrize("grad_exponent", [None, -2])
def test_other_units(device, config, grad_exponent):
    case = Case(scores(*HEADS, ROWS, COLUMNS), device)
    assert_fused(case, config, grad_exponent=grad_exponent)


def test_a_gradient_that_is_not_finite_is_lost_with_its_row(device):
    case = Case(scores(1, 2, 5, 9), device)
    case.upstream[0, 0, 1, 3], case.upstream[0, 1, 4, 0] = torch.nan, torch.inf
    found, gold = (case.computed(PRESETS["base"], name) for name in ("triton", "torch"))
    for place in (1, 2):
        assert torch.equal(found[place].isnan(), gold[place].isnan())
    assert torch.equal(found[2].nan_to_num(7.0), gold[2].nan_to_num(7.0))


def test_without_a_gradient_nothing_is_kept(device):
    case = Case(scores(1, 2, 5, 9), device)
    with torch.no_grad():
        found, gold = (
            fixed_scaled_dot_product_attention(
                case.query, case.key, case.value, engine=name, scale=1.0
            )
            for name in ("triton", "torch")
        )
    assert torch.equal(found, gold)


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_scores_that_are_no_numbers_raise(device, value):
    case = Case(scores(1, 2, 40, 40), device)
    with torch.no_grad():
        case.key[0, 1, 37, 3] = value
    with pytest.raises(ValueError, match=r"^x must be numbers, or -inf .* as \d+ of 3200 elements"):
        case.computed(PRESETS["base"], "triton")
    case.computed(PRESETS["base"], "triton", check=False)


def test_what_the_kernel_cannot_take_is_computed_the_other_way_aloud(device):
    case = Case(scores(1, 2, 5, 9), device)
    _said.cache_clear()
    before = CALLS["attention"]
    for options, said in (
        ({"dropout_p": 0.5}, "dropout is of p"),
        ({"straight_through": True}, "its gradient is the unit's"),
        ({"attn_mask": torch.zeros(5, 9, device=device, requires_grad=True)}, "by the mask"),
    ):
        with pytest.warns(EngineFallbackWarning, match=f"attention is not fused, .*{said}"):
            case.computed(PRESETS["base"], "triton", **options)
    assert CALLS["attention"] == before


def test_gradients_are_taken_once(device):
    case = Case(scores(1, 1, 5, 9), device)
    result = fixed_scaled_dot_product_attention(case.query, case.key, case.value, engine="triton")
    (gradient,) = torch.autograd.grad(result.sum(), case.query, create_graph=True)
    with pytest.raises(RuntimeError, match="gradients must be taken once"):
        gradient.sum().backward()


def test_which_engine_tells():
    if find_spec("triton") is None:
        pytest.skip("triton is not installed")
    assert unfused_by("triton", PRESETS["base"]) == ""
    wide = SoftmaxConfig(output=UQ(2, 23))
    assert "wider than a float32" in (unfused_by("triton", wide) or "")
    assert unfused_by("compiled", PRESETS["base"]) is None
    choice = which_engine(PRESETS["base"])
    assert (choice.fuses, choice.unfused) == (False, "")
    assert dataclasses.replace(choice, fuses=True) != choice


def test_compilers_see_no_break(device):
    case = Case(scores(1, 2, 5, 9), device)

    def attention(query):
        return fixed_scaled_dot_product_attention(
            query, case.key, case.value, is_causal=True, engine="triton"
        )

    compiled = torch.compile(attention, fullgraph=True, backend="aot_eager")
    before = CALLS["attention"]
    found = compiled(case.query)
    assert CALLS["attention"] == before + 1
    assert torch.equal(found, attention(case.query))
    both = (
        torch.autograd.grad(each.sum(), case.query)[0] for each in (found, attention(case.query))
    )
    assert torch.equal(*both)


@pytest.mark.parametrize("gradient", [GATED, NO_GRADIENT])
def test_it_is_an_operator_of_torch_s(device, gradient):
    case = Case(scores(1, 2, 5, 9), device)
    given = [each if gradient else each.detach() for each in (case.query, case.key, case.value)]
    config = text_of(PRESETS["int8_row"])
    more = None, None, True, 1.0, None, config, gradient, None, True
    tests = "test_schema", "test_faketensor", "test_autograd_registration"
    torch.library.opcheck(operator, (*given, *more), test_utils=tests)


def test_a_batch_of_vmap_is_more_batches(device):
    case = Case(scores(3, 2, 5, 9), device)

    def attention(query, key):
        return fixed_scaled_dot_product_attention(
            query, key, case.value[:1].detach(), engine="triton", scale=1.0
        )

    with torch.no_grad():
        found = torch.vmap(attention)(case.query[:, None], case.key[:, None])
    gold = case.computed(PRESETS["base"], "torch")[0]
    assert torch.equal(found[:, 0], gold)
