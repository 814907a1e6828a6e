"""Swapping: every softmax of a model is a unit's, in every mode, and the model comes back."""

import contextlib
import copy

import pytest

from .units_in_torch import Attention, torch

from softmaxfx.golden import UQ, ConfigError, preset  # isort: skip
from softmaxfx.golden.torch import (
    FixedAdaptiveLogSoftmaxWithLoss,
    SwapError,
    fixed_softmax,
    ops,
    swap,
)
from softmaxfx.golden.torch.unit import log_config

functional, nn = torch.nn.functional, torch.nn
X = torch.linspace(-2, 3, 48).reshape(2, 3, 8)
WIDE_LOSS = preset("base", loss=UQ(6, 10))


class Called(nn.Module):
    """Every way to call the family: 9 of softmax, 4 of log_softmax, 2 of cross_entropy."""

    def __init__(self):
        super().__init__()
        self.soft, self.log, self.least = nn.Softmax(-1), nn.LogSoftmax(-1), nn.Softmin(-1)
        self.image, self.loss = nn.Softmax2d(), nn.CrossEntropyLoss()

    def forward(self, x):
        target = torch.zeros(6, dtype=torch.int64)
        total = x.softmax(-1) + torch.softmax(x, -1, torch.float32) + functional.softmax(x, -1)
        total = total + functional.softmax(x, -1, 3, torch.float32) + torch.special.softmax(x, -1)
        total = total + functional.gumbel_softmax(x) + self.soft(x) + self.least(x) + self.image(x)
        total = total + x.log_softmax(-1) + torch.log_softmax(x, dim=-1, dtype=torch.float64)
        total = total + functional.log_softmax(x, dim=-1) + self.log(x)
        x = x.flatten(0, 1)
        return total + functional.cross_entropy(x, target) + self.loss(x, target)


def encoder():
    return nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), 2)


MODELS = {
    "weights": (lambda: Attention(True), {"softmax": 1}),
    "no weights": (lambda: Attention(False), {"softmax": 1}),
    "encoder layer": (lambda: encoder().layers[0], {"softmax": 1}),
    "encoder": (encoder, {"softmax": 2}),
    "called": (Called, {"softmax": 9, "log_softmax": 4, "cross_entropy": 2}),
    "module": (lambda: nn.Softmax(-1), {"softmax": 1}),
}  # fmt: skip


def calls(model, *args, **options):
    """What ran in fixed point, and how often."""
    before = ops.CALLS.copy()
    model(*args, **options)
    return dict(ops.CALLS - before)


@pytest.mark.parametrize("grad", [contextlib.nullcontext, torch.no_grad, torch.inference_mode])
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("name", MODELS)
def test_every_call_is_a_unit_s_in_every_mode(name, training, grad):
    build, expected = MODELS[name]
    model = build().train(training)
    with grad():
        assert calls(model, X) == {}
        with swap(model):
            assert calls(model, X) == expected
        assert calls(model, X) == {}


@pytest.mark.parametrize(
    ("training", "grad"),
    [
        (False, torch.no_grad),
        pytest.param(False, contextlib.nullcontext, marks=pytest.mark.long),
        pytest.param(True, torch.no_grad, marks=pytest.mark.long),
        pytest.param(True, contextlib.nullcontext, marks=pytest.mark.long),
    ],
)
@pytest.mark.parametrize("name", MODELS)
def test_every_call_is_a_unit_s_when_it_is_compiled(name, training, grad):
    build, expected = MODELS[name]
    model = build().train(training)
    torch._dynamo.reset()
    with swap(model) as swapped, grad():
        compiled = torch.compile(model, fullgraph=True, backend="eager")
        assert calls(compiled, X) == expected
    assert all(site == "(compiled)" for site, _ in swapped.calls)


def test_what_was_compiled_follows_the_swap_and_its_end():
    model = Called()
    compiled = torch.compile(model, backend="eager")
    assert calls(compiled, X) == {}
    with swap(model):
        assert calls(compiled, X) == MODELS["called"][1]
    assert calls(compiled, X) == {}


@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors:UserWarning")
@pytest.mark.parametrize("padded", [False, True])
def test_torch_s_native_path_is_off_for_padded_rows_too(padded):
    model = encoder().eval()
    masked = torch.tensor([[False, False, True], [False] * 3]) if padded else None
    with torch.no_grad():
        gold = model(X, src_key_padding_mask=masked)
        assert torch.backends.mha.get_fastpath_enabled()
        with swap(model):
            assert not torch.backends.mha.get_fastpath_enabled()
            assert calls(model, X, src_key_padding_mask=masked) == {"softmax": 2}
            gate = model(X, src_key_padding_mask=masked)
        assert torch.backends.mha.get_fastpath_enabled()
    torch.testing.assert_close(gate[:, :2], gold[:, :2], rtol=0, atol=1e-3)


def test_the_native_path_stays_off_until_the_last_is_undone():
    first, second = swap(encoder()), swap(encoder())
    first.undo()
    first.undo()
    assert not torch.backends.mha.get_fastpath_enabled()
    second.undo()
    assert torch.backends.mha.get_fastpath_enabled()


def test_calls_give_the_units_bits():
    class Model(nn.Module):
        def forward(self, x):
            return functional.softmax(x, 1)

    model = Model()
    with swap(model, "int8"):
        assert torch.equal(model(X), fixed_softmax(X, 1, "int8"))
    assert torch.equal(model(X), torch.softmax(X, 1))


def test_arguments_may_be_given_by_name():
    x = X[0]
    target = torch.zeros(3, dtype=torch.int64)
    named = Bare(lambda x: torch.softmax(input=x, dim=1))
    lost = Bare(lambda x: functional.cross_entropy(input=x, target=target))
    with swap(named), swap(lost):
        assert torch.equal(named(x), fixed_softmax(x, 1))
        assert calls(lost, x) == {"cross_entropy": 1}


def test_what_was_swapped_is_told():
    model = Called()
    swapped = swap(model)
    assert swapped.modules == ("soft", "log", "loss")
    model(X)
    assert swapped.calls == {
        ("", "softmax"): 6, ("least", "softmax"): 1, ("image", "softmax"): 1,
        ("", "log_softmax"): 3, ("", "cross_entropy"): 1,
    }  # fmt: skip
    assert swapped.sites[:4] == ("soft", "log", "loss", "model: softmax")
    assert repr(swapped).startswith("Swap(Called: soft, log, loss, model: softmax, ")
    assert int(model.soft.clipped) == 0
    swapped.undo()


def test_modules_come_back_as_they_were():
    model = Called()
    before = {name: vars(module).copy() for name, module in model.named_modules()}
    state, hooks = list(model.state_dict()), []
    model.soft.register_forward_hook(lambda *_: hooks.append(1))
    with swap(model):
        model(X)
        assert list(model.state_dict()) == state
        model.load_state_dict(Called().state_dict())
    assert hooks == [1]
    assert type(model.soft) is nn.Softmax
    for name, module in model.named_modules():
        assert vars(module).keys() == before[name].keys()


def test_training_learns_through_the_units():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(8, 8), encoder(), nn.Linear(8, 2))
    loss, target = nn.CrossEntropyLoss(), torch.tensor([0, 1])
    optimizer = torch.optim.Adam(model.parameters(), 0.01)
    with swap(model), swap(loss):
        first = last = loss(model(X)[:, 0], target)
        for _ in range(10):
            last = loss(model(X)[:, 0], target)
            optimizer.zero_grad()
            last.backward()
            optimizer.step()
    assert last < first / 2


def test_a_copy_computes_with_its_own_weights():
    model = nn.Sequential(Attention(True))
    with swap(model):
        other = copy.deepcopy(model)
        with torch.no_grad():
            other[0].attention.out_proj.weight.zero_()
        assert calls(other, X) == {"softmax": 1}
        assert not torch.equal(other(X), model(X))


def test_a_module_of_the_model_may_be_called_alone():
    model = nn.Sequential(Attention(False), Attention(True))
    with swap(model) as swapped:
        assert calls(model[1], X) == {"softmax": 1}
        assert swapped.calls == {("1.attention", "softmax"): 1}


def test_a_model_is_exported_with_its_units():
    model = Attention(False).eval()
    with swap(model):
        exported = torch.export.export(model, (X,), strict=False)
        assert torch.equal(exported.module()(X), model(X))
    assert calls(exported.module(), X) == {"softmax": 1}


def test_what_is_kept_stays_float():
    with swap(Called(), keep=("log_softmax", "cross_entropy")) as swapped:
        assert calls(swapped.model, X) == {"softmax": 9}
        assert swapped.modules == ("soft",)
    with swap(Attention(False), keep=("softmax", "log_softmax", "cross_entropy")) as swapped:
        assert calls(swapped.model, X) == {"softmax": 1}
    with pytest.raises(ConfigError, match=r"^keep must hold names of softmax, .*, not 'soft'$"):
        swap(Called(), keep=("soft",))


def test_each_function_may_have_a_unit_of_its_own():
    class Model(nn.Module):
        def forward(self, x):
            loss = functional.cross_entropy(x[0], torch.tensor([1, 2, 3]))
            attended = functional.scaled_dot_product_attention(x, x, x)
            return x.softmax(-1), x.log_softmax(-1), loss, attended

    model = Model()
    names = {"config": "int8", "log_config": "tight", "loss_config": "base",
             "attention_config": "tiny"}  # fmt: skip
    with swap(model, **names, engine="numpy") as swapped:
        model(X)
        units = swapped._mode.treatment.units
        assert units["log_softmax"].config == options_text(log_config(preset("tight")))
        for name, expected in (("softmax", "int8"), ("cross_entropy", "base"),
                               ("attention", "tiny")):  # fmt: skip
            assert units[name].config == options_text(preset(expected))


def options_text(config):
    from softmaxfx.golden.torch.unit import text_of

    return text_of(config)


class Bare(nn.Module):
    """Calls what it is given."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


@pytest.mark.parametrize(
    ("function", "sentence"),
    [
        (lambda x: x * 2, r"^Bare must have a softmax to swap: its forward pass called none$"),
        (lambda x: torch.ops.aten._softmax(x, -1, False), r"^_softmax must not be called: no unit"),
        (lambda x: torch.ops.aten.softmax.int(x, -1), r"^softmax.int must not be called: no unit"),
        (
            lambda x: torch._native_multi_head_attention(
                x,
                x,
                x,
                8,
                2,
                x.new_zeros(24, 8),
                x.new_zeros(24),
                x.new_zeros(8, 8),
                x.new_zeros(8),
            ),
            r"^_native_multi_head_attention must not be called: no unit takes the place",
        ),
        (lambda x: torch.softmax(x, -1, out=torch.empty_like(x)), r"^softmax must be called with"),
        (
            lambda x: torch.nested.nested_tensor([x[0], x[1]]).softmax(-1),
            r"^softmax must be of a plain tensor: a unit takes no nested ones$",
        ),
    ],
    ids=["nothing", "operator", "overload", "native", "out", "nested"],
)
@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors:UserWarning")
def test_a_forward_pass_that_cannot_be_swapped_is_an_error(function, sentence):
    with swap(Bare(function)) as swapped, pytest.raises(SwapError, match=sentence):
        swapped.model(X)


def test_a_compiled_model_without_a_softmax_is_an_error_too():
    with swap(Bare(lambda x: x * 2)) as swapped:
        compiled = torch.compile(swapped.model, backend="eager")
        with pytest.raises(RuntimeError, match=r"SwapError: Bare must have a softmax to swap"):
            compiled(X)


@pytest.mark.skipif(
    not hasattr(functional, "linear_cross_entropy"), reason="this torch has no linear_cross_entropy"
)
def test_a_fused_loss_is_refused():
    model = Bare(lambda x: functional.linear_cross_entropy(x[0], x[1], torch.tensor([0, 1, 2])))
    with swap(model), pytest.raises(SwapError, match=r"^linear_cross_entropy must not be called"):
        model(X)


@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")
def test_a_scripted_module_is_refused():
    model = nn.Sequential(torch.jit.script(nn.Linear(8, 8)), nn.Softmax(-1))
    with pytest.raises(SwapError, match=r"^0 \(RecursiveScriptModule\) must not be scripted"):
        swap(model)
    assert type(model[1]) is nn.Softmax


@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")
def test_what_cannot_be_seen_into_is_refused():
    compiled = torch.compile(nn.Softmax(-1))
    with pytest.raises(SwapError, match=r"^the model \(OptimizedModule\) must not be compiled"):
        swap(compiled)
    in_place = nn.Softmax(-1)
    in_place.compile()
    with pytest.raises(SwapError, match=r"^0 \(Softmax\) must not be compiled: swap it before"):
        swap(nn.Sequential(in_place))
    traced = torch.export.export(nn.Softmax(-1), (X,)).module()
    with pytest.raises(SwapError, match=r"must not be a traced graph that calls softmax.int"):
        swap(traced)
    with pytest.raises(SwapError, match=r"^the model \(DataParallel\) must not be data-parallel"):
        swap(nn.DataParallel(nn.Softmax(-1)))


def test_a_model_is_swapped_once():
    model = Attention(True)
    with swap(model):
        with pytest.raises(SwapError, match=r"^the model \(Attention\) must not be swapped twice"):
            swap(model)
        assert calls(model, X) == {"softmax": 1}
    with swap(model):
        assert calls(model, X) == {"softmax": 1}


def test_choices_that_break_a_rule_leave_the_model_alone():
    model = Called()
    with pytest.raises(ConfigError, match=r"^unknown preset 'fast'"):
        swap(model, "fast")
    assert calls(model, X) == {}


def test_adaptive_softmax_becomes_ours_with_its_weights_and_comes_back():
    model = nn.Sequential(nn.Linear(8, 8), nn.Identity())
    model.loss = nn.AdaptiveLogSoftmaxWithLoss(8, 20, [5, 10], div_value=2.0)
    own, state, x, words = model.loss, model.loss.state_dict(), X[0], torch.tensor([0, 7, 19])
    attributes = set(vars(own))
    gold = own(x, words).output
    with swap(model, loss_config=WIDE_LOSS) as swapped:
        assert model.loss is own
        assert isinstance(own, FixedAdaptiveLogSoftmaxWithLoss)
        assert swapped.modules == ("loss",)
        assert own.state_dict().keys() == state.keys()
        fixed = FixedAdaptiveLogSoftmaxWithLoss(8, 20, [5, 10], div_value=2.0, config=WIDE_LOSS)
        fixed.load_state_dict(state)
        assert calls(own, x, words) == {"cross_entropy": 3}
        assert torch.equal(own(x, words).output, fixed(x, words).output)
        assert torch.equal(own.predict(x), fixed.predict(x))
    assert type(own) is nn.AdaptiveLogSoftmaxWithLoss
    assert set(vars(own)) == attributes
    assert torch.equal(own(x, words).output, gold)


def test_adaptive_softmax_that_is_kept_is_swapped_through_its_calls():
    model = nn.AdaptiveLogSoftmaxWithLoss(8, 20, [5, 10], div_value=2.0)
    with swap(model, keep=["cross_entropy"]) as swapped:
        assert set(calls(model, X[0], torch.tensor([0, 7, 19]))) == {"log_softmax"}
        assert set(swapped.calls) == {("", "log_softmax")}
