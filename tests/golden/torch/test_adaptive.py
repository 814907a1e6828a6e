"""The adaptive softmax as torch's module: the unit's bits, torch's behaviour, and more labels."""

import copy
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from .units_in_torch import assert_values, torch

from softmaxfx.golden import (  # isort: skip
    SQ, UQ, ConfigError, SoftmaxConfig, adaptive_bound, adaptive_cross_entropy, preset,
)  # fmt: skip
from softmaxfx.golden.torch import FixedAdaptiveLogSoftmaxWithLoss
from softmaxfx.golden.torch.engines.registry import engine_names
from softmaxfx.golden.units.adaptive_softmax import log_prob, predict

nn = torch.nn
FEATURES, WORDS, CUTOFFS = 12, 60, [10, 30]
FINE = SoftmaxConfig(input=SQ(6, 12), output=UQ(1, 23), range=20, loss=UQ(6, 16))
CPU_ENGINES = [name for name in engine_names() if name != "triton"]
TARGETS = {
    "all clusters": torch.arange(WORDS),
    "head alone": torch.arange(10),
    "one tail alone": torch.arange(30, 60),
    "one token": torch.tensor([35]),
    "none": torch.zeros(0, dtype=torch.int64),
}


def made(config="base", cutoffs=CUTOFFS, **options):
    """A module with large weights, so that some elements are clipped."""
    torch.manual_seed(1)
    module = FixedAdaptiveLogSoftmaxWithLoss(
        FEATURES, WORDS, cutoffs, div_value=2.0, config=config, **options
    )
    for weight in module.parameters():
        weight.data.mul_(4)
    return module


def floating(module):
    """torch's own with the same weights."""
    own = nn.AdaptiveLogSoftmaxWithLoss(
        FEATURES, WORDS, module.cutoffs[:-1], module.div_value, module.head_bias
    )
    own.load_state_dict(module.state_dict())
    return own


def tokens(count, seed=0):
    return torch.randn(count, FEATURES, generator=torch.Generator().manual_seed(seed))


class Golden:
    """What the golden unit makes of tokens: the codes of every cluster's logits.

    Attributes:
        logits: of all tokens, with a gradient.
    """

    def __init__(self, module, x):
        self.config = module.config
        self.logits = [layer(x) for layer in (module.head, *module.tail)]
        self.codes = [
            self.config.input.quantize(each.detach().double().numpy()) for each in self.logits
        ]

    def losses(self, words):
        """(losses, gradients by each cluster's logits of all tokens) as values."""
        cluster, _, _ = self.config.clusters.locate(words.numpy())
        here = [np.ones(len(words), bool), *(cluster == j for j in (1, 2))]
        rows = [codes[mask] for codes, mask in zip(self.codes, here, strict=True)]
        codes, gradients = adaptive_cross_entropy(rows, words.numpy(), self.config)
        spread = [np.zeros(codes.shape) for codes in self.codes]
        for whole, mask, part, own in zip(spread, here, gradients, self.logits, strict=True):
            value = self.config.loss_grad.to_float(part)
            beyond = own.detach().double().numpy()[mask]  # of the input format, too
            fmt = self.config.input
            saturated = fmt.quantize(beyond) * fmt.lsb
            value[np.abs(saturated - beyond) > fmt.lsb / 2] = 0
            whole[mask] = value
        return self.config.adaptive_loss.to_float(codes), spread


@pytest.mark.parametrize("which", TARGETS)
@pytest.mark.parametrize("name", ["base", "int8", "full"])
def test_losses_and_gradients_are_the_units_bits(name, which):
    words = TARGETS[which]
    module, x = made(name, reduction="sum"), tokens(len(words))
    golden = Golden(module, x.requires_grad_())
    losses, gradients = golden.losses(words)
    output, loss = module(x, words)
    assert_values(output, 0 - losses)
    assert_values(loss, np.float32(losses.sum()))
    weights = (x, *module.parameters())
    found = torch.autograd.grad(loss, weights)
    values = [torch.from_numpy(each).float() for each in gradients]
    # the units' rows go back through the same layers, of the tokens of each alone
    cluster, _, _ = golden.config.clusters.locate(words.numpy())
    here = [
        torch.ones(len(words), dtype=torch.bool),
        *(torch.from_numpy(cluster == j) for j in (1, 2)),
    ]
    parts = [
        layer(x[mask] if place else x)
        for place, (layer, mask) in enumerate(zip((module.head, *module.tail), here, strict=True))
    ]
    expected = torch.autograd.grad(
        parts, weights, [each[mask] for each, mask in zip(values, here, strict=True)]
    )
    for gate, gold in zip(found, expected, strict=True):
        torch.testing.assert_close(gate, gold, rtol=1e-5, atol=1e-6)  # sums of products, in float


@pytest.mark.parametrize("engine", CPU_ENGINES)
@pytest.mark.parametrize("datapath", ["max_subtract", "exact_sum"])
def test_logits_have_the_units_rows_as_their_gradients(engine, datapath):
    config, words = preset("base", datapath=datapath), TARGETS["all clusters"]
    module, x = made(config, engine=engine, reduction="none"), tokens(WORDS)
    golden, upstream = Golden(module, x), torch.linspace(-2, 2, WORDS)
    _, gradients = golden.losses(words)
    seen = {}
    for number, layer in enumerate((module.head, *module.tail)):
        layer.register_forward_hook(lambda _, args, out, number=number: seen.update({number: out}))
    loss = module(x, words).loss
    rows = [seen[number] for number in range(3)]
    found = torch.autograd.grad(loss, rows, upstream)
    cluster = torch.from_numpy(
        config.replace(vocabulary=WORDS, cutoffs=tuple(CUTOFFS)).clusters.locate(words.numpy())[0]
    )
    for number, gradient in enumerate(found):
        here = cluster == number if number else torch.ones(WORDS, dtype=torch.bool)
        expected = torch.from_numpy(gradients[number]) * upstream.double()[:, None]
        assert_values(gradient, expected[here].float().double().numpy())


@pytest.mark.parametrize("engine", CPU_ENGINES)
@pytest.mark.parametrize("name", ["base", "int8", "int8_row", "full"])
@pytest.mark.parametrize("datapath", ["max_subtract", "exact_sum"])
def test_log_probabilities_and_predictions_are_the_units(engine, name, datapath):
    module, x = made(preset(name, datapath=datapath), engine=engine), tokens(40)
    golden = Golden(module, x)
    config = golden.config
    values = config.adaptive_loss.to_float(log_prob(golden.codes, config))
    assert_values(module.log_prob(x), values)
    found = module.predict(x)
    assert_values(found, predict(golden.codes, config))
    assert {bool(each) for each in found < 10} == {True, False}


def test_equal_logits_are_won_by_the_most_frequent_word():
    module = made()
    for weight in module.parameters():
        weight.data.zero_()
    assert module.predict(tokens(3)).tolist() == [0, 0, 0]
    module.head.weight.data[10:] = 1  # the tails' entries
    assert module.predict(torch.ones(2, FEATURES)).tolist() == [10, 10]


@given(st.integers(0, 9), st.lists(st.integers(0, WORDS - 1), max_size=12))
@settings(deadline=None, max_examples=25)
def test_a_word_alone_has_the_log_probability_that_it_has_among_all(seed, words):
    module, x = made("tiny"), tokens(len(words), seed)
    words = torch.tensor(words, dtype=torch.int64)
    found = module.log_prob_of(x, words)
    assert torch.equal(found, module.log_prob(x).gather(1, words[:, None])[:, 0])
    assert torch.equal(found, module(x, words).output)


def test_gradients_of_all_log_probabilities_are_those_of_one():
    module, x, words = made(), tokens(WORDS).requires_grad_(), TARGETS["all clusters"]
    one = torch.autograd.grad(module.log_prob_of(x, words).sum(), x)[0]
    all_ = torch.autograd.grad(module.log_prob(x)[words, words].sum(), x)[0]
    torch.testing.assert_close(all_, one, rtol=0, atol=1e-3)


def test_weights_come_from_torch_s_module_and_go_back():
    module = made(head_bias=True)
    own = floating(module)
    assert list(module.state_dict()) == list(own.state_dict())
    again = made(head_bias=True)
    again.head.bias.data.zero_()
    again.load_state_dict(own.state_dict())
    assert torch.equal(again.head.bias, module.head.bias)
    assert isinstance(module, nn.AdaptiveLogSoftmaxWithLoss)


def test_a_fine_unit_is_torch_s_within_the_bound():
    module, x, words = made(FINE).double(), tokens(WORDS).double(), TARGETS["all clusters"]
    for weight in module.parameters():
        weight.data.div_(2)  # nothing is clipped
    own = floating(module).double()
    gate, gold = module(x, words), own(x, words)
    # logits are rounded by half an LSB, which moves a logarithm by at most an LSB, on both levels
    off = adaptive_bound(module.config).ulp * FINE.loss.lsb + 2 * FINE.input.lsb
    assert int(module.clipped) == 0
    assert (gate.output - gold.output).abs().max() <= off
    assert abs(gate.loss - gold.loss) <= off
    assert (module.log_prob(x) - own.log_prob(x)).abs().max() <= off
    two = own.log_prob(x).topk(2).values
    clear = (two[:, 0] - two[:, 1] > 2 * off).nonzero()[:, 0]
    assert len(clear) > WORDS // 2
    assert torch.equal(module.predict(x)[clear], own.predict(x)[clear])
    assert type(gate) is type(gold)


def test_one_token_needs_no_batch_and_more_axes_are_taken():
    module, x, words = made(), tokens(12), torch.arange(0, 60, 5)
    whole = module(x, words)
    one = module(x[8], words[8])
    assert one.output.shape == ()
    assert one.output == whole.output[8] == -one.loss
    folded = module(x.view(3, 4, FEATURES), words.view(3, 4))
    assert torch.equal(folded.output, whole.output.view(3, 4))
    assert folded.loss == whole.loss
    assert torch.equal(module.log_prob(x.view(3, 4, -1)), module.log_prob(x).view(3, 4, -1))
    assert torch.equal(module.predict(x.view(3, 4, -1)), module.predict(x).view(3, 4))
    assert module.predict(x[0]).shape == ()


def test_reductions():
    module, x, words = made(ignore_index=-100), tokens(WORDS), TARGETS["all clusters"].clone()
    words[::4] = -100
    found = {}
    for module.reduction in ("none", "sum", "mean"):
        output, found[module.reduction] = module(x, words)
    assert torch.equal(found["none"], 0 - output)
    assert (output[::4] == 0).all()
    exact = found["none"].double().sum()
    assert found["sum"] == exact.float()
    assert found["mean"] == (exact / 45).float()
    kept = words >= 0
    assert torch.equal(module(x[kept], words[kept]).output, output[kept])


def test_ignored_tokens_have_no_gradient():
    module, x = made(ignore_index=3), tokens(4).requires_grad_()
    module(x, torch.tensor([3, 5, 40, 3])).loss.backward()
    assert (x.grad.abs().sum(dim=1) > 0).tolist() == [False, True, True, False]


def test_a_word_that_is_ignored_has_a_log_probability_all_the_same():
    module, x = made(ignore_index=3), tokens(2)
    assert torch.equal(module.log_prob_of(x, torch.tensor([3, 3])), module.log_prob(x)[:, 3])


def test_a_mean_over_nothing_is_no_number_and_has_no_gradient():
    module, x = made(ignore_index=-1), tokens(2)
    assert module(x, torch.tensor([-1, -1])).loss.isnan()
    output, loss = module(x[:0], torch.zeros(0, dtype=torch.int64))
    assert output.shape == (0,)
    assert loss.isnan()
    assert module.log_prob(x[:0]).shape == (0, WORDS)
    assert module.predict(x[:0]).shape == (0,)


def test_a_tail_without_a_token_has_a_gradient_of_0():
    module = made()
    module(tokens(2), torch.tensor([1, 45])).loss.backward()
    assert (module.tail[0][0].weight.grad == 0).all()
    assert (module.tail[1][0].weight.grad != 0).any()


class TestLabelsInAnyOrder:
    ORDER = np.random.default_rng(3).permutation(WORDS)

    def test_words_are_renamed(self):
        module, x = made(), tokens(WORDS)
        other = made(order=self.ORDER, ignore_index=-1)
        ranks, words = torch.arange(WORDS), torch.from_numpy(self.ORDER)
        assert torch.equal(other(x, words).output, module(x, ranks).output)
        assert torch.equal(other.log_prob_of(x, words), module.log_prob_of(x, ranks))
        assert torch.equal(other.log_prob(x)[:, words], module.log_prob(x))
        assert torch.equal(other.predict(x), words[module.predict(x)])
        assert other(x, torch.full((WORDS,), -1)).output.eq(0).all()

    def test_counts_make_an_order_that_keeps_equal_ones(self):
        counts = torch.tensor([3, 9, 3, 0, 9] + [0] * 55)
        order = made(counts=counts).labels.order
        assert order.tolist() == [1, 4, 0, 2, 3, *range(5, WORDS)]
        for falling in ((60 - np.arange(60.0)).tolist(), np.arange(60, 0, -1, dtype=np.uint16)):
            assert made(counts=falling).labels.order.tolist() == [*range(60)]

    def test_an_order_goes_with_the_weights(self):
        module, x = made(order=self.ORDER), tokens(9)
        other = made(order=self.ORDER[::-1].copy())
        other.load_state_dict(module.state_dict())
        assert torch.equal(other.log_prob(x), module.log_prob(x))
        with pytest.raises(
            RuntimeError, match=r'Unexpected key\(s\) in state_dict: "labels.order"'
        ):
            made().load_state_dict(module.state_dict())
        other.load_state_dict(floating(made()).state_dict())
        assert torch.equal(other.labels.order, module.labels.order)

    @pytest.mark.parametrize(
        ("options", "sentence"),
        [
            ({"order": [0] * WORDS}, r"^order must hold every word from 0 to 59 once, the most"),
            ({"order": np.arange(60.0)}, r"^order must hold every word from 0 to 59 once"),
            ({"order": range(59)}, r"^order must be 60 numbers, one a word, not of shape \(59,\)$"),
            ({"counts": [[1] * WORDS]}, r"^counts must be 60 numbers, one a word, not of shape"),
            ({"counts": [1] * 59 + [-2]}, r"^counts must hold no negative number, not -2 of wo"),
            ({"counts": [1.0] * 59 + [np.nan]}, r"^counts must hold no negative number, not nan"),
            ({"counts": [1] * 60, "order": range(60)}, r"^order must be given without counts"),
        ],
    )  # fmt: skip
    def test_what_is_no_order_is_refused(self, options, sentence):
        with pytest.raises(ValueError, match=sentence):
            made(**options)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_every_float_goes_in_and_comes_out(dtype):
    module, words = made(reduction="none").to(dtype), TARGETS["all clusters"]
    x = tokens(WORDS).to(dtype).requires_grad_()
    golden = Golden(module, x)
    output, loss = module(x, words)
    assert output.dtype == loss.dtype == module.log_prob(x).dtype == dtype
    expected = torch.from_numpy(golden.losses(words)[0]).to(dtype)
    assert torch.equal(loss, expected)
    loss.sum().backward()
    assert x.grad.dtype == module.head.weight.grad.dtype == dtype


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_autocast_computes_logits_in_halves_and_losses_exactly(dtype):
    module, x, words = made(reduction="none"), tokens(WORDS), TARGETS["all clusters"]
    with torch.autocast("cpu", dtype):
        golden = Golden(module, x)
        output, loss = module(x.requires_grad_(), words)
    assert golden.logits[0].dtype == dtype
    assert output.dtype == loss.dtype == torch.float32
    assert_values(loss, golden.losses(words)[0])
    loss.sum().backward()
    assert x.grad.dtype == torch.float32


def same_as(module, other, x, words):
    """Both give the same bits, forward and backward."""
    for one, two in zip(
        forward_backward(module, x, words), forward_backward(other, x, words), strict=True
    ):
        assert torch.equal(one, two)


def forward_backward(module, x, words):
    module.zero_grad()
    x = x.detach().requires_grad_()
    output, loss = module(x, words)
    loss.backward()
    return output.detach(), loss.detach(), x.grad, module.head.weight.grad.clone()


def test_copies_and_pickles_are_the_same_module():
    module = made(preset("base", scale=0.5), order=range(WORDS), ignore_index=7, reduction="sum")
    module(tokens(3), torch.tensor([1, 2, 50]))
    for other in (copy.deepcopy(module), pickle.loads(pickle.dumps(module))):
        assert repr(other) == repr(module)
        assert int(other.clipped) == int(module.clipped)
        same_as(other, module, tokens(4), torch.tensor([1, 7, 20, 59]))


def test_the_same_bits_whatever_the_batch_and_the_threads():
    module, x, words = made(reduction="none"), tokens(WORDS), TARGETS["all clusters"]
    whole = module(x, words).output
    threads = torch.get_num_threads()
    order = torch.randperm(WORDS)
    for count in (1, 2):
        torch.set_num_threads(count)
        assert torch.equal(module(x, words).output, whole)
    torch.set_num_threads(threads)
    assert torch.equal(module(x[order], words[order]).output, whole[order])
    torch.use_deterministic_algorithms(True)
    same_as(module_mean(), module_mean(), x, words)
    torch.use_deterministic_algorithms(False)


def module_mean():
    return made(reduction="mean")


def test_compilers_see_no_break():
    module, x = made(order=range(WORDS)), tokens(WORDS)
    torch._dynamo.reset()
    with torch._dynamo.config.patch(capture_dynamic_output_shape_ops=True):
        compiled = torch.compile(module, fullgraph=True, backend="aot_eager")
        for words in (TARGETS["all clusters"], torch.arange(WORDS) % 10):
            same_as(compiled, module, x, words)


def test_it_can_be_exported():
    module, x, words = made(), tokens(WORDS), TARGETS["all clusters"]
    program = torch.export.export(module, (x, words)).module()
    for each in (words, words % 10):
        for gate, gold in zip(program(x, each), module(x, each), strict=True):
            assert torch.equal(gate, gold)


@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf:UserWarning")
def test_what_compilers_break_is_the_same():
    module = made()
    torch._dynamo.reset()
    compiled = torch.compile(module, backend="eager")
    same_as(compiled, module, tokens(WORDS), TARGETS["all clusters"])


def test_elements_that_are_clipped_are_counted():
    module, words = made(), torch.tensor([1, 45])
    module.head.weight.data.fill_(1.0)
    module.tail[1][1].weight.data.zero_()
    module(torch.ones(2, FEATURES), words)
    assert int(module.clipped) == 2 * 12
    module.reset_clipped()
    module.tail[0][1].weight.data.zero_()
    module.log_prob(torch.ones(2, FEATURES))
    assert int(module.clipped) == 2 * 12


def test_the_configuration_is_the_unit_s():
    module = made(preset("base", scale=0.5), scale=0.5, cutoffs=np.array(CUTOFFS))
    config = module.config
    assert (config.vocabulary, config.cutoffs, config.scale) == (WORDS, tuple(CUTOFFS), 0.25)
    same_as(made(config), made(preset("base", scale=0.25)), tokens(5), torch.arange(5) * 11)
    assert repr(module).startswith(
        "FixedAdaptiveLogSoftmaxWithLoss(\n  SQ(5, 11) -> UQ(6, 11), max_subtract, scale=0.25\n"
    )


@pytest.mark.parametrize(
    ("args", "options", "sentence"),
    [
        ((12, 60, [10, 60]), {}, r"^cutoffs must end below n_classes, which is no cutoff of its ow"
         r"n, not at 60$"),
        ((12, 60, [10, 70]), {}, r"^vocabulary must be larger than the last cutoff 70"),
        ((12, 60, [30, 10]), {}, r"^cutoffs must rise, and cutoff 2 is 10 after 30, not larger$"),
        ((12, 60, [10, 10]), {}, r"^cutoffs must rise, and cutoff 2 is 10 after 10, not larger$"),
        ((12, 60, []), {}, r"^cutoffs must be a list with the first word of every tail"),
        ((12, 60, [2.5]), {}, r"^cutoff 1 must be a whole number from 1 to"),
        ((12, 1, [1]), {}, r"^n_classes must be a whole number from 2 to"),
        ((12, 60, [10, 30]), {}, r"^div_value must leave every tail a feature, and tail 2 has in_f"
         r"eatures // div_value\*\*2 = 12 // 4\*\*2 = 0$"),
        ((12, 60, [10], 0), {}, r"^div_value must be a number from 1 on, not 0$"),
        ((0, 60, [10]), {}, r"^in_features must be a whole number from 1 to"),
        ((12, 60, [10]), {"reduction": "max"}, r"^reduction must be one of none, mean, sum, not"),
        ((12, 60, [10]), {"ignore_index": 0.5}, r"^ignore_index must be a whole number from"),
        ((12, 60, [10]), {"engine": "fast"}, r"^engine must be one of triton, compiled, torch"),
        ((12, 5000, [100]), {}, r"^config must have a max_length of at least 4900, for tail 1 has 4"
         r"900 elements, not 1024$"),
        ((12, 60, [10]), {"config": preset("base", cutoffs=(20,), vocabulary=60)},
         r"^config must have cutoffs \(10,\) or none, not \(20,\)$"),
    ],
)  # fmt: skip
def test_choices_that_break_a_rule(args, options, sentence):
    with pytest.raises(ConfigError, match=sentence):
        FixedAdaptiveLogSoftmaxWithLoss(*args, **options)


X, T = torch.zeros(2, FEATURES), torch.tensor([0, 1])


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        ((X[:, 1:], T), r"^input must have in_features = 12 along its last axis, not the shape"),
        ((X.long(), T), r"^input must be float16, bfloat16, float32 or float64, not int64$"),
        ((X, T[:1]), r"^target must be integers of shape \(2,\), a word a token, not int64 of sha"),
        ((X, T.float()), r"^target must be integers of shape \(2,\), a word a token, not float32"),
        ((X, T + 59), r"^target must be a class from 0 to 59, not 60 \(row 1\)$"),
        ((X, T - 1), r"^target must be a class from 0 to 59, not -1 \(row 0\)$"),
        ((X * torch.nan, T), r"^input must be numbers, or -inf for a masked class"),
    ],
)  # fmt: skip
def test_what_is_no_token_is_refused(args, sentence):
    with pytest.raises(ValueError, match=sentence):
        made()(*args)


def test_what_is_no_number_has_no_prediction():
    with pytest.raises(ValueError, match=r"^x must be numbers, or -inf where an element takes no"):
        made().predict(X * torch.nan)
    with pytest.raises(ValueError, match=r"^words must be integers of shape \(2,\)"):
        made().log_prob_of(X, T[:1])


def test_unchecked_what_is_no_word_has_no_loss():
    module = made(check=False, reduction="none")
    loss = module(tokens(2), torch.tensor([60, 1])).loss
    assert loss[0] == 0 < loss[1]
