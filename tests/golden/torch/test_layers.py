"""Softmax and log_softmax as torch's functions and modules: the bits, and torch's behaviour."""

import copy
import io
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from .units_in_torch import Golden, assert_values, logits, torch

from softmaxfx.golden import PRESETS, SQ, UQ, ConfigError, SoftmaxConfig, bound_ulp, preset  # isort: skip
from softmaxfx.golden.torch import (
    FixedLogSoftmax,
    FixedSoftmax,
    fixed_log_softmax,
    fixed_softmax,
)
from softmaxfx.golden.torch.engines.gradient_scale import gradient_exponents
from softmaxfx.golden.torch.engines.registry import ENTRIES
from softmaxfx.golden.torch.unit import log_config, sibling

FINE = SoftmaxConfig(input=SQ(6, 12), output=UQ(1, 23), range=20)
ANY_DTYPE = (torch.float16, torch.bfloat16, torch.float32, torch.float64)


def gradient_of(module, x, dp):
    """The gradient by x of sum dp module(x)."""
    x = x.detach().requires_grad_()
    (module(x) * dp).sum().backward()
    return x.grad


@pytest.mark.parametrize("name", PRESETS)
def test_a_module_gives_the_units_bits(name):
    config = preset(name)
    x = logits((4, 6, 30), config)
    assert_values(FixedSoftmax(-1, name)(x), Golden(x, config).p)
    log = log_config(config)
    assert_values(FixedLogSoftmax(-1, config)(x), Golden(x, log).p)


@given(st.integers(0, 3), st.integers(-4, 3), st.permutations(range(4)), st.data())
@settings(deadline=None, max_examples=30)
def test_rows_lie_along_any_dimension(seed, dim, order, data):
    shape = data.draw(st.lists(st.integers(0, 5), min_size=4, max_size=4))
    x = logits(shape, preset("tiny"), seed).permute(order)
    result = fixed_softmax(x, dim, "tiny")
    assert result.is_contiguous()
    assert result.shape == x.shape
    if x.numel():
        gold = Golden(x.movedim(dim, -1), preset("tiny")).p
        assert_values(result.movedim(dim, -1), gold)


@pytest.mark.parametrize("dtype", ANY_DTYPE)
def test_every_float_goes_in_and_comes_out(dtype):
    x = logits((5, 9), preset("base"), dtype=dtype).requires_grad_()
    result = fixed_softmax(x, -1)
    assert result.dtype == dtype
    assert_values(result, torch.from_numpy(Golden(x, preset("base")).p).to(dtype).double().numpy())
    result.square().sum().backward()
    assert x.grad.dtype == dtype


def test_a_wide_result_is_float64():
    config = preset("base", output=UQ(2, 24))
    x = logits((5, 9), config, dtype=torch.float64)
    assert_values(fixed_softmax(x, -1, config), Golden(x, config).p)


def test_a_dtype_is_what_the_input_is_cast_to():
    x = torch.tensor([[1, 2, 3]])
    result = fixed_softmax(x, -1, dtype=torch.float64)
    assert result.dtype == torch.float64
    assert torch.equal(result, fixed_softmax(x.double(), -1))
    assert FixedLogSoftmax(-1, dtype=torch.float16)(x.float()).dtype == torch.float16


@pytest.mark.parametrize("dtype", [torch.int64, torch.bool, torch.complex64])
def test_what_is_not_real_is_refused(dtype):
    name = str(dtype).removeprefix("torch.")
    sentence = f"^input must be float16, bfloat16, float32 or float64, not {name}$"
    with pytest.raises(ValueError, match=sentence):
        fixed_softmax(torch.ones(2, 3, dtype=dtype), -1)


def test_a_number_is_a_row_of_one_as_in_torch():
    for dim in (0, -1):
        assert fixed_softmax(torch.tensor(3.0), dim, FINE) == 1
    with pytest.raises(IndexError):
        fixed_softmax(torch.tensor(3.0), 1)
    with pytest.raises(IndexError):
        fixed_softmax(torch.zeros(2, 3), 2)


@pytest.mark.parametrize("shape", [(5,), (3, 5), (2, 3, 5), (2, 3, 4, 5)])
def test_without_a_dimension_the_choice_is_torch_s(shape):
    x = torch.randn(shape)
    for fixed, floating in ((FixedSoftmax(), torch.nn.Softmax()),
                            (FixedLogSoftmax(), torch.nn.LogSoftmax())):  # fmt: skip
        with pytest.warns(UserWarning, match=r"^Implicit dimension choice for (log_)?softmax has"):
            gate = fixed(x)
        with pytest.warns(UserWarning, match=r"^Implicit dimension choice for (log_)?softmax has"):
            gold = floating(x)
        torch.testing.assert_close(gate, gold, rtol=0, atol=2e-3)


def test_a_fine_unit_is_torch_s_softmax_within_its_bound():
    x = torch.from_numpy(FINE.input.to_float(FINE.input.quantize(np.random.randn(40, 50) * 4)))
    off = (fixed_softmax(x, -1, FINE) - torch.softmax(x, -1)).abs().max()
    assert off <= bound_ulp(FINE) * FINE.output.lsb
    log = log_config(FINE)
    off = (fixed_log_softmax(x, -1, FINE) - torch.log_softmax(x, -1)).abs().max()
    assert off <= bound_ulp(log) * log.output.lsb


@pytest.mark.parametrize("scale", [0.125, 1.7])
def test_a_scale_is_that_of_the_configuration(scale):
    config = preset("base", scale=scale)
    x, dp = logits((6, 20), config), torch.randn(6, 20) / 4
    module = FixedSoftmax(-1, scale=scale, grad_exponent=0)
    assert module.config == config
    assert_values(module(x), Golden(x, config).p)
    gold = torch.from_numpy(Golden(x, config).gradient(dp) / scale).float() * scale
    assert torch.equal(gradient_of(module, x, dp), gold)


@pytest.mark.parametrize("name", ["base", "int8", "int8_row", "full"])
@pytest.mark.parametrize("exponent", [-2, 0, 3])
def test_gradients_are_the_backward_unit_s(name, exponent):
    config = preset(name)
    x, dp = logits((6, 40), config), torch.randn(6, 40) / 4
    gold = Golden(x, config).gradient(dp, exponent)
    module = FixedSoftmax(-1, config, grad_exponent=exponent)
    assert_values(gradient_of(module, x, dp), gold)


def test_gradients_fill_their_format_row_by_row_unless_told_otherwise():
    config = preset("base")
    x, dp = logits((6, 40), config), torch.randn(6, 40) * 2.0 ** torch.arange(-20, -14)[:, None]
    exponents = gradient_exponents(dp, config.grad_input)
    rows = [
        Golden(x[row : row + 1], config).gradient(dp[row : row + 1], int(exponents[row]))
        for row in range(6)
    ]
    assert_values(gradient_of(FixedSoftmax(-1), x, dp), np.concatenate(rows))


def test_clipped_elements_have_no_gradient_unless_it_passes():
    x, dp = torch.tensor([[11.0, 9.5, 9.0]]), torch.tensor([[0.5, -0.5, 0.25]])
    assert gradient_of(FixedSoftmax(-1), x, dp)[0, 0] == 0
    assert gradient_of(FixedSoftmax(-1, preset("base", clip_gradient="pass")), x, dp)[0, 0] != 0


def test_straight_through_is_float_softmax_s_gradient_of_the_units_p():
    x, dp = logits((5, 30), preset("base")), torch.randn(5, 30)
    p = fixed_softmax(x, -1)
    gold = torch.ops.aten._softmax_backward_data(dp, p, -1, torch.float32)
    gate = gradient_of(FixedSoftmax(-1, straight_through=True), x, dp)
    torch.testing.assert_close(gate, gold)
    assert torch.equal(gate, p * (dp - (p * dp).sum(-1, keepdim=True)))


@pytest.mark.parametrize("straight_through", [False, True])
def test_log_softmax_s_gradient_is_of_its_sibling_s_p(straight_through):
    config = log_config(preset("int8"))
    x, g = logits((5, 30), config), torch.randn(5, 30)
    gold = Golden(x, config)
    p = torch.from_numpy(Golden(x, sibling(config)).p).float()
    active = torch.from_numpy(gold.active)
    gradient = g - p * (g * active).sum(-1, keepdim=True)
    passed = active if straight_through else active & ~torch.from_numpy(gold.clipped)
    module = FixedLogSoftmax(-1, config, straight_through=straight_through)
    assert torch.equal(gradient_of(module, x, g), torch.where(passed, gradient, 0))


def test_log_softmax_s_gradient_is_near_torch_s():
    x, g = torch.randn(20, 30), torch.randn(20, 30)
    floating = gradient_of(torch.nn.LogSoftmax(-1), x, g)
    torch.testing.assert_close(gradient_of(FixedLogSoftmax(-1), x, g), floating, rtol=0, atol=2e-3)


def test_rows_without_an_element_are_zero_and_have_no_gradient():
    x = torch.full((2, 3), -torch.inf)
    x[1, 0] = 1
    assert_values(FixedSoftmax(-1)(x), [[0, 0, 0], [1 - 2**-16, 0, 0]])
    assert_values(gradient_of(FixedSoftmax(-1), x, torch.ones(2, 3))[0], np.zeros(3))
    lowest = log_config(preset("base")).output.min_code / 2**10
    assert_values(FixedLogSoftmax(-1)(x), [[lowest] * 3, [0, lowest, lowest]])


def test_logits_that_models_mask_with_take_no_part_where_that_is_asked_for():
    x = torch.tensor([[-1e4, -9.0, -3e38, -9.0]])
    assert_values(fixed_softmax(x, -1, mask_value=-1e4), [[0, 0.5, 0, 0.5]])
    assert (fixed_softmax(x, -1) > 0).all()


def test_seeds_of_stochastic_rounding():
    config = preset("int8", rounding="stochastic")
    x, dp = logits((40, 30), config), torch.randn(40, 30) / 8
    given = FixedSoftmax(-1, config, grad_exponent=0, seed=9)
    assert_values(gradient_of(given, x, dp), Golden(x, config).gradient(dp, seed=9))
    drawn = FixedSoftmax(-1, config, grad_exponent=0)
    torch.manual_seed(3)
    first, second = gradient_of(drawn, x, dp), gradient_of(drawn, x, dp)
    torch.manual_seed(3)
    seed = int(torch.randint(0, 1 << 32, ()))
    torch.manual_seed(3)
    assert torch.equal(gradient_of(drawn, x, dp), first)
    assert_values(first, Golden(x, config).gradient(dp, seed=seed))
    assert not torch.equal(first, second)


@pytest.mark.parametrize(
    "engine", [entry.name for entry in ENTRIES if entry.serves(torch.device("cpu"))]
)
def test_every_engine_gives_the_same(engine):
    config = preset("int8_row", rounding="stochastic")
    x, dp = logits((7, 33), config), torch.randn(7, 33) / 4
    named = FixedSoftmax(-1, config, seed=3, engine=engine)
    slowest = FixedSoftmax(-1, config, seed=3, engine="numpy")
    assert torch.equal(named(x), slowest(x))
    assert torch.equal(gradient_of(named, x, dp), gradient_of(slowest, x, dp))


def test_nothing_is_drawn_where_nothing_is_random():
    torch.manual_seed(5)
    state = torch.get_rng_state()
    gradient_of(FixedSoftmax(-1), torch.randn(2, 3, generator=torch.Generator()), torch.ones(2, 3))
    with torch.no_grad():
        FixedSoftmax(-1, preset("base", rounding="stochastic"))(torch.zeros(2, 3))
    assert torch.equal(torch.get_rng_state(), state)


def test_clipped_elements_are_counted():
    module = FixedSoftmax(-1)
    x = logits((6, 40), preset("base"))
    count = int(Golden(x, preset("base")).clipped.sum())
    module(x)
    with torch.inference_mode():
        module(x)
    assert int(module.clipped) == 2 * count > 0
    module.reset_clipped()
    assert int(module.clipped) == 0


def trained():
    module = FixedSoftmax(1, preset("int8", scale=0.5), scale=0.5, grad_exponent=4, check=False)
    module(torch.full((2, 3), 100.0))
    return module


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda it: pickle.loads(pickle.dumps(it))])
def test_copies_are_the_same_unit(copied):
    module = trained()
    again = copied(module)
    assert again.unit == module.unit
    assert again.dim == 1
    assert int(again.clipped) == 6
    again.reset_clipped()
    assert int(module.clipped) == 6


def test_a_state_dict_keeps_the_configuration():
    file = io.BytesIO()
    torch.save(torch.nn.Sequential(trained()).state_dict(), file)
    file.seek(0)
    other = torch.nn.Sequential(FixedSoftmax(1, preset("base", rounding="stochastic")))
    other.load_state_dict(torch.load(file, weights_only=True))
    assert other[0].config == preset("int8", scale=0.25)
    assert not other[0].unit.stochastic


def test_a_state_dict_of_torch_s_module_leaves_the_configuration():
    module = torch.nn.Sequential(trained())
    module.load_state_dict(torch.nn.Sequential(torch.nn.Softmax(1)).state_dict())
    assert module[0].config == preset("int8", scale=0.25)


def test_a_module_says_what_it_is():
    assert repr(trained()) == (
        "FixedSoftmax(dim=1, SQ(5, 3) -> UQ(0, 8), max_subtract, scale=0.25, grad_exponent=4, "
        "check=False)"
    )
    assert repr(FixedLogSoftmax(-1, engine="numpy")) == (
        "FixedLogSoftmax(dim=-1, SQ(5, 11) -> SQ(6, 10), max_subtract, scale=1, engine='numpy')"
    )
    assert isinstance(trained(), torch.nn.Softmax)


@pytest.mark.parametrize(
    ("chosen", "sentence"),
    [
        ({"engine": "fast"}, r"^engine must be one of .*, not 'fast'$"),
        ({"grad_exponent": 127}, r"^grad_exponent must be a whole number from -126 to 126, not"),
        ({"seed": -1}, r"^seed must be a whole number from 0 to 4294967295, not -1$"),
        ({"scale": "1"}, r"^scale must be a positive number, not '1'$"),
        ({"scale": -1}, r"^scale must be a positive number, not -1.0$"),
        ({"config": log_config(preset("base"))}, r"^config must have function softmax, not log"),
    ],
)
def test_choices_that_break_a_rule(chosen, sentence):
    with pytest.raises(ConfigError, match=sentence):
        FixedSoftmax(-1, **chosen)
    with pytest.raises(ConfigError, match=sentence):
        fixed_softmax(torch.zeros(2, 3), -1, **chosen)


def test_autocast_leaves_what_it_leaves_in_torch():
    x = torch.randn(2, 3, dtype=torch.bfloat16)
    with torch.autocast("cpu"):
        assert fixed_softmax(x, -1).dtype == torch.softmax(x, -1).dtype
        assert fixed_softmax(x.float(), -1).dtype == torch.softmax(x.float(), -1).dtype


class Both(torch.nn.Module):
    """A module and functions of it."""

    def __init__(self):
        super().__init__()
        self.softmax = FixedSoftmax(-1, "int8_row", grad_exponent=2)
        self.scale = 0.5

    def forward(self, x):
        return (
            self.softmax(x)
            + fixed_softmax(x, 0, scale=self.scale)
            + fixed_log_softmax(x, -1, "int8")
        )


def test_compilers_see_no_break():
    module, x = Both(), torch.randn(4, 6)
    compiled = torch.compile(module, fullgraph=True, backend="aot_eager")
    assert torch.equal(compiled(x), module(x))
    dp = torch.randn(4, 6)
    assert torch.equal(gradient_of(compiled, x, dp), gradient_of(module, x, dp))


@pytest.mark.long
@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")  # torch's own use of it
@pytest.mark.filterwarnings("ignore:Skipping serialization:UserWarning")  # and of what it saves
@pytest.mark.parametrize("dynamic", [False, True])
def test_inductor_compiles_it(dynamic):
    module = Both()
    compiled = torch.compile(module, fullgraph=True, dynamic=dynamic)
    for rows in (4, 7):
        x, dp = torch.randn(rows, 6), torch.randn(rows, 6)
        assert torch.equal(compiled(x), module(x))
        assert torch.equal(gradient_of(compiled, x, dp), gradient_of(module, x, dp))


def test_it_is_exported():
    module, x = Both(), torch.randn(4, 6)
    exported = torch.export.export(module, (x,))
    assert torch.equal(exported.module()(x), module(x))
