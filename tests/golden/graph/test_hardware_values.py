"""What the graphs of units hold is what the golden model gives, and each stage follows the last."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from softmaxfx.golden import ConfigError, cross_entropy, preset, softmax, softmax_backward
from softmaxfx.golden.formats import SQ, UQ
from softmaxfx.golden.graph.expressions import EXPRESSIONS
from softmaxfx.golden.graph.notation import ROLES, read

CONFIGS = {
    "base": preset("base"),
    "int8": preset("int8"),
    "tight": preset("tight"),
    "exact_sum": preset("base", datapath="exact_sum"),
    "int8, exact_sum": preset("int8", datapath="exact_sum"),
    "scaled": preset("tiny", scale=0.6),
    "scaled, exact_sum": preset("tiny", scale=0.6, datapath="exact_sum"),
    "difference": preset("base", clip="difference", range=4),
    "pass": preset("base", clip_gradient="pass", range=2),
    "stochastic": preset("base", rounding="stochastic"),
}
each = pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
rows = st.lists(st.integers(-14 * 64, 14 * 64).map(lambda x: x / 64), min_size=1, max_size=6)
some = settings(max_examples=15, deadline=None)


def run(name, config, **given_rows):
    """The graph of a unit, forward and backward."""
    expression = EXPRESSIONS[name]
    config = expression.fitted(config)
    graph = read(expression.text(config), {role: getattr(config, role) for role in ROLES})
    for other, row in given_rows.items():
        graph.give(other, np.asarray(row, float))
    inputs = {node.name: node.exact for node in graph.inputs}
    graph.forward(expression.hardware_values(inputs, config))
    graph.backward(graph.nodes[-1])
    return graph, config


def codes(node):
    """What a node holds, in LSB."""
    lsb_count = node.fixed.value / node.fixed.lsb
    assert (lsb_count == np.round(lsb_count)).all()
    return lsb_count.astype(np.int64)


@each
@some
@given(x=rows)
def test_p_is_the_golden_models(config, x):
    graph, config = run("softmax", config, x=x)
    gold = softmax(config.input.quantize(x), config)
    np.testing.assert_array_equal(codes(graph["p"]), gold)
    assert graph["p"].fixed.format == str(config.output)


def test_p_of_three_exp_tables_is_the_golden_models():
    graph, config = run("softmax", preset("wide"), x=[1, -3.75, 9.125, 0.001])
    gold = softmax(config.input.quantize([1, -3.75, 9.125, 0.001]), config)
    np.testing.assert_array_equal(codes(graph["p"]), gold)


@each
@some
@given(x=rows)
def test_log_p_is_the_golden_models(config, x):
    graph, config = run("log_softmax", config, x=x)
    gold = softmax(config.input.quantize(x), config)
    np.testing.assert_array_equal(codes(graph["l"]), gold)
    assert config.function == "log_softmax"


@each
@some
@given(x=rows, seed=st.integers(0, 5))
def test_loss_and_gradient_are_the_golden_models(config, x, seed):
    target = seed % len(x)
    graph, config = run("cross_entropy", config, x=x, y=np.eye(len(x))[target])
    loss, grad = cross_entropy(
        config.input.quantize(x), np.asarray(target), config, from_logits=True
    )
    assert codes(graph["loss"]).item() == loss
    np.testing.assert_array_equal(codes(graph["g"]), grad)


@each
@some
@given(x=rows, seed=st.integers(0, 2**32 - 1))
def test_ds_is_the_golden_models(config, x, seed):
    dp = np.random.default_rng(seed).uniform(-1, 1, len(x))
    graph, config = run("softmax_backward", config, x=x, dp=dp)
    p = softmax(config.input.quantize(x), config)
    gold = softmax_backward(p, config.grad_input.quantize(dp), config)
    np.testing.assert_array_equal(codes(graph["ds"]), gold)


@each
@some
@given(x=rows)
def test_every_stage_of_softmax_is_what_an_independent_unit_has(twin, config, x):
    graph, config = run("softmax", config, x=x)
    unit = twin(config)
    distances = unit.distances(config.input.quantize(x).tolist(), [False] * len(x))
    pairs = [unit.exp(u) for u in distances]
    total = sum(unit.term(m, k) for m, k in pairs)
    r, q = unit.reciprocal(total)
    mantissa_bits, reciprocal_bits = config.widths.mantissa_bits, config.widths.reciprocal_bits
    expected = {
        "d": [Fraction(-u, 2**config.input.f) for u in distances],
        "e": [Fraction(2 * m, 2 ** (mantissa_bits + k)) for m, k in pairs],
        "s": [Fraction(total, 2**config.widths.sum_fraction)],
        "r": [Fraction(r) / Fraction(2) ** int(reciprocal_bits + q)],
    }
    for name, gold in expected.items():
        assert [Fraction(value) for value in graph[name].value.tolist()] == gold, name


@each
@some
@given(x=rows)
def test_p_is_the_product_of_what_stands_before_it_rounded_half_up_once(config, x):
    graph, config = run("softmax", config, x=x)
    (r,) = graph["r"].value.tolist()
    exact = [Fraction(e) * Fraction(r) * 2**config.output.f for e in graph["e"].value.tolist()]
    gold = [min((value + Fraction(1, 2)) // 1, config.one) for value in exact]
    assert codes(graph["p"]).tolist() == gold


@each
@some
@given(x=rows)
def test_the_loss_is_the_difference_of_what_stands_before_it_rounded_once(config, x):
    graph, config = run("cross_entropy", config, x=x, y=np.eye(len(x))[0])
    n, t = graph["n"].value.item(), graph["t"].value.item()
    rounded = (Fraction(n) - Fraction(t)) * 2**config.loss.f + Fraction(1, 2)
    assert codes(graph["loss"]).item() == max(rounded // 1, 0)


@each
@some
@given(x=rows, seed=st.integers(0, 2**32 - 1))
def test_the_stages_of_the_backward_unit_follow_each_other(config, x, seed):
    dp = np.random.default_rng(seed).uniform(-1, 1, len(x))
    graph, config = run("softmax_backward", config, x=x, dp=dp)
    d, u = graph["d"].value, graph["u"].value
    exact = (graph["p"].value * graph["dp"].value).sum()
    assert abs(exact - d) <= graph["d"].fixed.lsb / 2
    np.testing.assert_array_equal(u, graph["dp"].value - d)
    error = np.abs(graph["p"].value * u - graph["ds"].value) / graph["ds"].fixed.lsb
    assert (error <= (1 if config.rounding == "stochastic" else 0.5)).all()


@each
@pytest.mark.parametrize("name", [name for name, one in EXPRESSIONS.items() if one.hardware_values])
def test_every_node_is_near_its_float_value(config, name):
    graph, config = run(name, config, x=[1, 2, -1.5])
    for node in graph.nodes:
        atol = 0.02 if config.output.f > 2 else 0.25
        np.testing.assert_allclose(node.value, node.exact, rtol=0.02, atol=atol, err_msg=node.name)


@pytest.mark.parametrize("name", [name for name, one in EXPRESSIONS.items() if one.hardware_values])
def test_every_value_fits_the_format_that_is_told(name):
    pattern = {"S": lambda i, f: (-(2.0 ** (i - 1)), 2.0 ** (i - 1) - 2.0**-f),
               "U": lambda i, f: (0.0, 2.0**i - 2.0**-f)}  # fmt: skip
    for config in CONFIGS.values():
        for x in ([10, -10, 3], [-10, 10, 9], [0, 0, 0]):
            graph, _ = run(name, config, x=x)
            for node in graph.nodes:
                if node.fixed is None:
                    continue
                kind, _, rest = node.fixed.format.partition("Q(")
                i, f = (int(part) for part in rest.partition(")")[0].split(", "))
                power = node.fixed.lsb * 2.0**f  # 1 but for mantissas
                low, high = pattern[kind](i, f)
                assert (low * power <= node.value).all(), (node.name, node.fixed)
                assert (node.value <= high * power).all(), (node.name, node.fixed)


def test_the_format_of_the_sum_holds_the_longest_row():
    graph, _ = run("softmax", preset("tiny"), x=np.zeros(64))
    assert graph["s"].value == 64
    assert graph["s"].fixed.format.startswith("UQ(7, ")


def test_clipped_logits_have_the_gradient_that_clip_gradient_says():
    y = np.eye(2)[1]
    stopped, _ = run("cross_entropy", preset("base", range=2), x=[5, 1], y=y)
    handed, _ = run("cross_entropy", preset("base", range=2, clip_gradient="pass"), x=[5, 1], y=y)
    assert stopped["x"].gradient[0] == 0
    assert stopped["g"].value[0] == 0
    assert "clip_gradient = zero" in stopped["g"].fixed.note
    assert handed["x"].gradient[0] == pytest.approx(handed["g"].value[0], abs=1e-3)
    assert not handed["g"].fixed.note


def test_a_target_that_is_no_class_is_refused():
    with pytest.raises(ConfigError, match=r"y must be 1 for one of the 3 .*, not 0\.5 0\.5 0"):
        run("cross_entropy", preset("base"), x=[1, 2, 3], y=[0.5, 0.5, 0])


def test_gradients_that_are_not_as_long_as_x_are_refused():
    with pytest.raises(ConfigError, match="dp must have the 2 elements of x, not 3"):
        run("softmax_backward", preset("base"), x=[1, 2], dp=[1, 2, 3])


def test_a_row_that_is_too_long_is_refused():
    with pytest.raises(ValueError, match="x must have rows of 1 to max_length = 64 elements"):
        run("softmax", preset("tiny"), x=np.zeros(65))


def test_logarithms_get_an_output_as_wide_as_that_of_probabilities():
    fitted = EXPRESSIONS["log_softmax"].fitted
    assert fitted(preset("base")).output == SQ(6, 10)
    assert fitted(preset("int8")).output == SQ(6, 2)
    own = preset("base", function="log_softmax", output=SQ(7, 12))
    assert fitted(own) is own
    with pytest.raises(ConfigError, match="output must have 2 to 16 fraction bits"):
        fitted(preset("int8", output=UQ(0, 6)))


@pytest.mark.parametrize("name", ["softmax", "cross_entropy", "softmax_backward"])
def test_a_configuration_of_another_function_is_refused(name):
    config = preset("base", function="log_softmax", output=SQ(6, 10))
    with pytest.raises(ConfigError, match="function must be softmax for this expression, not log_"):
        EXPRESSIONS[name].fitted(config)
