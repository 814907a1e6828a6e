"""Probing: every softmax of a model is recorded, and the model computes its own bits."""

import contextlib
import copy
import json
import time

import numpy as np
import pytest

from .units_in_torch import Attention, torch

from softmaxfx.golden.measures.row_figures import RowFigures  # isort: skip
from softmaxfx.golden.measures.row_record import RowRecord
from softmaxfx.golden.torch import FixedSoftmax, ProbeError, Sampling, SwapError, probe, swap

functional, nn = torch.nn.functional, torch.nn
X = torch.linspace(-2, 3, 48).reshape(2, 3, 8)
ALL = Sampling(elements=10**9, kept_rows=10**6, kept_elements=10**9)


class Called(nn.Module):
    """Every way to call the family: 10 of softmax, 4 of log_softmax, 2 of cross_entropy."""

    def __init__(self):
        super().__init__()
        self.soft, self.log, self.least = nn.Softmax(-1), nn.LogSoftmax(-1), nn.Softmin(-1)
        self.image, self.loss = nn.Softmax2d(), nn.CrossEntropyLoss()

    def forward(self, x):
        target = torch.zeros(6, dtype=torch.int64)
        total = x.softmax(-1) + torch.softmax(x, -1, torch.float32) + functional.softmax(x, -1)
        total = total + functional.softmax(x, -1, 3, torch.float32) + torch.special.softmax(x, -1)
        total = total + functional.gumbel_softmax(x) + self.soft(x) + self.least(x) + self.image(x)
        total = total + torch.softmax(input=x, dim=-1)
        total = total + x.log_softmax(-1) + torch.log_softmax(x, dim=-1, dtype=torch.float64)
        total = total + functional.log_softmax(x, dim=-1) + self.log(x)
        x = x.flatten(0, 1)
        return total + functional.cross_entropy(x, target) + self.loss(x, target)


class Bare(nn.Module):
    """Calls what it is given."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, *x):
        return self.function(*x)


def encoder():
    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    return nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)


MODELS = {
    "weights": (lambda: Attention(True), [("attention", "softmax", 0, 2)]),
    "no weights": (lambda: Attention(False), [("attention", "attention", 0, 2)]),
    "encoder": (
        encoder, [(f"layers.{layer}.self_attn", "attention", 0, 2) for layer in range(2)],
    ),
    "called": (Called, [
        *(("", "softmax", place, 1) for place in range(6)), ("soft", "softmax", 0, 1),
        ("least", "softmax", 0, 1), ("image", "softmax", 0, 1), ("", "softmax", 6, 1),
        *(("", "log_softmax", place, 1) for place in range(3)), ("log", "log_softmax", 0, 1),
        ("", "cross_entropy", 0, 1), ("loss", "cross_entropy", 0, 1),
    ]),
    "module": (lambda: nn.Softmax(-1), [("", "softmax", 0, 1)]),
}  # fmt: skip


@contextlib.contextmanager
def no_fast_path():
    """torch's own Python path, which is what a probe runs: the native one has other bits."""
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(True)


def sites(probed):
    return [(p.site.module, p.site.kind, p.site.place, p.site.heads) for p in probed]


def brute(*tensors):
    """Figures of rows, (heads, R, n) each, counted by the plain record."""
    record = RowRecord.empty_of(len(tensors[0]))
    for x in (tensor.detach().numpy() for tensor in tensors):
        active = x > -np.inf
        record.add_rows(x.max(2), np.where(active, x, np.inf).min(2), active.sum(2))
        record.add_drawn(x)
    return record


def assert_same(record, expected):
    for name, value in vars(record).items():
        if name in ("total", "square"):
            np.testing.assert_allclose(value, getattr(expected, name), rtol=1e-6, atol=1e-6)
        else:
            np.testing.assert_array_equal(value, getattr(expected, name), err_msg=name)


@pytest.mark.parametrize("grad", [contextlib.nullcontext, torch.no_grad, torch.inference_mode])
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("name", MODELS)
def test_every_call_is_recorded_in_every_mode_and_no_bit_is_another(name, training, grad):
    build, expected = MODELS[name]
    model = build().train(training)
    with grad(), no_fast_path():
        torch.manual_seed(1)
        before = model(X)
        with probe(model) as probed:
            torch.manual_seed(1)
            assert torch.equal(model(X), before)
        assert sites(probed) == expected
        torch.manual_seed(1)
        assert torch.equal(model(X), before)
        assert sites(probed) == expected


def test_gradients_are_float_s():
    def trained(probed):
        torch.manual_seed(0)
        model = nn.Sequential(encoder(), nn.Linear(8, 2), nn.Softmax(-1))
        optimizer = torch.optim.SGD(model.parameters(), 0.1)
        with probe(model) if probed else contextlib.nullcontext():
            for _ in range(3):
                loss = model(X)[..., 0].sum()
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
        return [parameter.detach() for parameter in model.parameters()]

    for one, other in zip(trained(True), trained(False), strict=True):
        assert torch.equal(one, other)


def test_a_softmax_is_recorded_by_its_rows():
    x = torch.randn(4, 5, 7) * 9
    for dim in (0, 1, 2, -1):
        model = Bare(lambda x, dim=dim: x.softmax(dim))
        with probe(model, sampling=ALL) as probed:
            model(x)
        (found,) = probed
        rows = x.movedim(dim, -1).reshape(1, -1, x.shape[dim])
        assert_same(found.record, brute(rows))
        assert sorted(map(tuple, found.sample.values)) == sorted(
            map(tuple, rows[0].double().tolist())
        )


def test_rows_without_a_named_dimension_are_torch_s_choice():
    model = Bare(lambda x: functional.softmax(x))
    with probe(model, sampling=ALL) as probed, pytest.warns(UserWarning, match="Implicit dim"):
        model(X)
    (found,) = probed
    assert_same(found.record, brute(X.movedim(0, -1).reshape(1, -1, 2)))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_every_dtype_is_recorded_by_its_values(dtype):
    x = (torch.randn(3, 9) * 5).to(dtype)
    model = Bare(lambda x: x.softmax(-1))
    with probe(model, sampling=ALL) as probed:
        assert model(x).dtype == dtype
    (found,) = probed
    kept = x if dtype == torch.float64 else x.float()
    assert_same(found.record, brute(kept[None]))
    assert found.figures.logit.high == x.double().max()


def test_the_logits_of_a_loss_are_recorded():
    x = torch.randn(2, 5, 3, 3)
    model = Bare(lambda x: functional.cross_entropy(x, torch.zeros(2, 3, 3, dtype=torch.int64)))
    with probe(model, sampling=ALL) as probed:
        model(x)
    (found,) = probed
    assert found.site.name == "model: cross_entropy"
    assert_same(found.record, brute(x.movedim(1, -1).reshape(1, -1, 5)))


MASKS = {
    "none": {},
    "flags": {"attn_mask": torch.rand(5, 6, generator=torch.Generator().manual_seed(1)) < 0.7},
    "numbers": {"attn_mask": torch.linspace(-3, 3, 30).reshape(5, 6)},
    "of heads": {"attn_mask": torch.linspace(-3, 3, 60).reshape(1, 2, 5, 6)},
    "of keys": {"attn_mask": torch.tensor([[True, True, False, True, False, True]])},
    "causal": {"is_causal": True},
    "scale": {"scale": 0.7},
    "negative scale": {"scale": -0.7},
}


def scores(query, key, attn_mask=None, is_causal=False, scale=None):
    scale = query.shape[-1] ** -0.5 if scale is None else scale
    x = query @ key.transpose(-2, -1) * scale
    if is_causal:
        attn_mask = torch.ones(x.shape[-2:], dtype=torch.bool).tril()
    if attn_mask is None:
        return x
    return torch.where(attn_mask, x, -torch.inf) if attn_mask.dtype == torch.bool else x + attn_mask


@pytest.mark.parametrize("name", MASKS)
@pytest.mark.parametrize("block", [1, 10**6])
def test_attention_is_recorded_by_its_scores(name, block, monkeypatch):
    monkeypatch.setattr("softmaxfx.golden.torch.call_logits.BLOCK", block)
    generator = torch.Generator().manual_seed(2)
    # whole numbers of a power of two: sums are exact, in whatever order
    query, key = (torch.randint(-8, 9, (3, 2, n, 16), generator=generator) / 4 for n in (5, 6))
    model = Bare(lambda q, k: functional.scaled_dot_product_attention(q, k, k, **MASKS[name]))
    with probe(model, sampling=ALL) as probed:
        model(query, key)
    (found,) = probed
    expected = scores(query, key, **MASKS[name]).transpose(0, 1).reshape(2, -1, 6)
    record, whole = found.record, brute(expected)
    if "scale" in name or "numbers" in name or "heads" in name:  # these round
        np.testing.assert_allclose(record.high, whole.high, rtol=1e-6)
        np.testing.assert_allclose(record.low, whole.low, rtol=1e-6)
        np.testing.assert_array_equal(record.elements, whole.elements)
    else:
        assert_same(record, whole)


def test_heads_that_share_keys_are_told_apart():
    query, key = torch.randn(1, 4, 3, 8), torch.randn(1, 2, 3, 8)
    model = Bare(lambda q, k: functional.scaled_dot_product_attention(q, k, k, enable_gqa=True))
    with probe(model, sampling=ALL) as probed:
        model(query, key)
    (found,) = probed
    for head in range(4):
        expected = scores(query[0, head], key[0, head // 2])
        np.testing.assert_allclose(found.record.high[head], expected.max(), rtol=1e-5)


def test_both_ways_of_attention_have_the_same_heads():
    found = []
    for need_weights in (True, False):
        torch.manual_seed(3)
        with probe(model := Attention(need_weights), sampling=ALL) as probed:
            model(X)
        found.append(next(iter(probed)).record)
    for name in ("high", "low", "top_low", "spread_high"):
        by_softmax, by_scores = (getattr(record, name) for record in found)
        assert by_softmax.shape == (2,)
        np.testing.assert_allclose(by_softmax, by_scores, rtol=1e-4)
        assert by_softmax[0] != by_softmax[1]


def test_rows_along_the_last_of_four_axes_have_heads():
    x = torch.randn(2, 3, 4, 5)
    model = Bare(lambda x: (x.softmax(-1), x.softmax(1)))
    with probe(model, sampling=ALL) as probed:
        model(x)
    last, second = probed
    assert_same(last.record, brute(x.transpose(0, 1).reshape(3, 8, 5)))
    assert_same(second.record, brute(x.movedim(1, -1).reshape(1, -1, 3)))


def test_what_is_masked_takes_no_part():
    x = torch.tensor([[1.0, -torch.inf, 3.0], [-1e9, 2.0, -1e4], [-torch.inf] * 3])
    model = Bare(lambda x: x.softmax(-1))
    with probe(model) as probed:
        model(x)
    (found,) = probed
    figures = found.figures
    assert (figures.rows, figures.elements, figures.empty) == (2, 3, 1)
    assert (figures.logit.low, figures.logit.high) == (1.0, 3.0)
    with probe(model, mask_value=None) as probed:
        model(x)
    (found,) = probed
    assert (found.figures.elements, found.figures.logit.low) == (5, -1e9)


def test_rows_that_are_no_numbers_are_counted_and_left_out():
    x = torch.tensor([[1.0, torch.nan], [torch.inf, 0.0], [1.0, 2.0]])
    model = Bare(lambda x: x.softmax(-1))
    with probe(model) as probed:
        model(x)
    (found,) = probed
    assert (found.figures.invalid, found.figures.rows, found.figures.logit.high) == (2, 1, 2.0)
    assert found.sample.values.tolist() == [[1.0, 2.0]]


def test_epochs_are_told_apart():
    model = Bare(lambda x: x.softmax(-1))
    with probe(model) as probed:
        model(X)
        assert probed.epoch() == 1
        model(10 * X)
        model(20 * X)
        assert probed.epoch() == 2
    (found,) = probed
    assert {number: int(each.rows[0]) for number, each in found.epochs.items()} == {0: 6, 1: 12}
    highs = [RowFigures.of(each).logit.high for each in found.epochs.values()]
    assert highs == [3.0, 60.0]
    assert found.figures.logit.high == 60.0
    assert found.figures.rows == 18


def test_calls_are_counted_anew_in_every_run():
    class Outer(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = Bare(lambda x: (2 * x).softmax(-1))

        def forward(self, x):
            x = self.inner(x.softmax(-1))
            return self.inner(x).softmax(-1)

    with probe(model := Outer()) as probed:
        for _ in range(3):
            model(X)
    assert {p.site.name: p.figures.rows for p in probed} == {
        "model: softmax": 18, "inner: softmax": 36, "model: softmax #2": 18,
    }  # fmt: skip


def test_of_many_rows_some_are_looked_at_closely_and_extremes_are_of_all():
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(20000, 30, generator=generator)
    x[12345, 3] = 99.0
    x[54, 7] = -77.0
    model = Bare(lambda x: x.softmax(-1))

    def found(seed):
        with probe(model, seed=seed) as probed:
            model(x)
        return next(iter(probed))

    first, again, other = found(1), found(1), found(2)
    figures = first.figures
    assert (figures.rows, figures.elements) == (20000, 600000)
    assert (figures.logit.low, figures.logit.high, figures.top.high) == (-77.0, 99.0, 99.0)
    assert figures.beyond["64"] == 1 / 20000
    assert 500 < figures.drawn_rows < 5000
    assert figures.drawn_elements == 30 * figures.drawn_rows
    assert abs(figures.logit.at(50)) < 0.05
    assert abs(figures.sd - 1) < 0.05
    assert len(first.sample.values) == 256
    assert_same(first.record, again.record)
    np.testing.assert_array_equal(first.sample.values, again.sample.values)
    assert not np.array_equal(first.sample.values, other.sample.values)


def test_memory_is_bounded():
    model = Bare(lambda x: x.softmax(-1))
    x = torch.randn(64, 1000)
    with probe(model, sampling=Sampling(kept_rows=8, kept_elements=5000)) as probed:
        for _ in range(40):
            model(x)
        record = probed._recorder.sites[next(iter(probed)).site]
    assert len(record.sample) == 5
    assert record._drawn == {}
    assert next(iter(probed)).figures.rows == 2560


def test_figures_are_plain_values():
    with probe(model := Attention(True)) as probed:
        model(X)
    told = json.loads(json.dumps(next(iter(probed)).figures.to_dict()))
    assert told["rows"] == 12
    assert told["top"]["percentiles"].keys() == {"1", "5", "25", "50", "75", "95", "99"}


def test_the_model_comes_back_as_it_was():
    model = Called()
    before = {name: vars(module).copy() for name, module in model.named_modules()}
    probed = probe(model)
    assert not torch.backends.mha.get_fastpath_enabled()
    assert repr(probed) == "Probe(Called: nothing yet)"
    model(X)
    assert repr(probed).startswith("Probe(Called: model: softmax, model: softmax #2, ")
    probed.undo()
    probed.undo()
    assert torch.backends.mha.get_fastpath_enabled()
    for name, module in model.named_modules():
        assert vars(module).keys() == before[name].keys()


def test_a_model_and_its_loss_are_probed_together():
    model, loss = nn.Linear(8, 5), nn.CrossEntropyLoss()
    with probe(nn.ModuleList([model, loss])) as probed:
        loss(model(X[0]), torch.tensor([0, 1, 2]))
    assert sites(probed) == [("1", "cross_entropy", 0, 1)]


def test_a_copy_computes_with_its_own_weights_and_is_recorded():
    model = nn.Sequential(Attention(True))
    with probe(model) as probed:
        other = copy.deepcopy(model)
        with torch.no_grad():
            other[0].attention.out_proj.weight.zero_()
        assert not torch.equal(other(X), model(X))
    assert next(iter(probed)).figures.rows == 24


NATIVE = (8, 2, torch.zeros(24, 8), torch.zeros(24), torch.zeros(8, 8), torch.zeros(8))


@pytest.mark.parametrize(
    ("function", "sentence"),
    [
        (lambda x: x * 2, r"^Bare must have a softmax to probe: its forward pass called none \(nn"),
        (
            lambda x: torch.ops.aten._softmax(x, -1, False),
            r"^_softmax must not be called: nobody can see into its softmax$",
        ),
        (
            lambda x: torch._native_multi_head_attention(x, x, x, *NATIVE),
            r"^_native_multi_head_attention must not be called: nobody can see",
        ),
        (lambda x: torch.softmax(x, -1, out=torch.empty_like(x)), r"^softmax must be called with"),
        (
            lambda x: torch.nested.nested_tensor([x[0], x[1]]).softmax(-1),
            r"^softmax must be of a plain tensor: nested ones are not looked into$",
        ),
    ],
    ids=["nothing", "operator", "native", "out", "nested"],
)
@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors:UserWarning")
def test_a_softmax_that_cannot_be_seen_is_an_error(function, sentence):
    with probe(Bare(function)) as probed, pytest.raises(ProbeError, match=sentence):
        probed.model(X)


@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")
def test_modules_that_cannot_be_seen_into_are_refused():
    scripted = nn.Sequential(torch.jit.script(nn.Linear(8, 8)), nn.Softmax(-1))
    compiled, traced = (
        torch.compile(nn.Softmax(-1)), torch.export.export(nn.Softmax(-1), (X,)).module(),
    )  # fmt: skip
    for model, sentence in (
        (scripted, r"^0 \(RecursiveScriptModule\) must not be scripted: probe what the script is"),
        (compiled, r"^the model \(OptimizedModule\) must not be compiled: probe it before it is"),
        (traced, r"must not be a traced graph that calls softmax.int: probe it before it is trac"),
        (nn.DataParallel(nn.Softmax(-1)), r"must not be data-parallel in one process"),
        (FixedSoftmax(-1), r"^the model \(FixedSoftmax\) must not be in fixed point: probe the fl"),
    ):
        with pytest.raises(ProbeError, match=sentence):
            probe(model)


def test_a_model_is_probed_or_swapped_once():
    model = Attention(True)
    with probe(model) as probed:
        with pytest.raises(ProbeError, match=r"^the model \(Attention\) must not be probed twice"):
            probe(model)
        with pytest.raises(SwapError, match=r"\(Attention\) must not be swapped while it is probe"):
            swap(model)
        model(X)
        assert len(sites(probed)) == 1
    with (
        swap(model),
        pytest.raises(ProbeError, match=r"\(Attention\) must not be probed while it is swapped"),
    ):
        probe(model)


def test_a_model_that_is_compiled_while_it_is_probed_is_refused():
    model = Bare(lambda x: x.softmax(-1))
    torch._dynamo.reset()
    with probe(model):
        compiled = torch.compile(model, fullgraph=True, backend="eager")
        with pytest.raises(Exception, match=r"must not be compiled while it is probed"):
            compiled(X)


class Language(nn.Module):
    """A causal transformer of a width at which its products outweigh what is done around them."""

    def __init__(self):
        super().__init__()
        layer = nn.TransformerEncoderLayer(256, 4, 1024, dropout=0.0, batch_first=True)
        self.words = nn.Embedding(1000, 256)
        self.layers = nn.TransformerEncoder(layer, 4, enable_nested_tensor=False)
        self.last = nn.Linear(256, 1000)

    def forward(self, words):
        mask = nn.Transformer.generate_square_subsequent_mask(words.shape[1])
        return self.last(self.layers(self.words(words), mask=mask, is_causal=True)).softmax(-1)


def seconds(model, words):
    """Of the processor: others that it works for do not count."""
    times = []
    for _ in range(4):
        start = time.process_time()
        model(words)
        times.append(time.process_time() - start)
    return min(times)


@pytest.fixture
def one_thread():
    """Threads that wait for one another take the processor's time, too."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.long
@pytest.mark.usefixtures("one_thread")
def test_a_probe_takes_half_the_time_of_the_model_at_most():
    torch.manual_seed(0)
    model, words = Language().eval(), torch.randint(0, 1000, (8, 128))
    bare, probed = [], []
    with torch.no_grad(), no_fast_path():
        for _ in range(3):
            bare.append(seconds(model, words))
            with probe(model):
                probed.append(seconds(model, words))
    assert min(probed) <= 1.5 * min(bare)
