"""The softmax unit: bit for bit the independent unit's, and its promises."""

import itertools
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from softmaxfx.golden.config import PRESETS, SoftmaxConfig, preset
from softmaxfx.golden.formats import SQ, UQ
from softmaxfx.golden.units.softmax import softmax, softmax_rows

CONFIGS = {
    **PRESETS,
    "difference": preset("base", clip="difference", range=8),
    "int8 difference": preset("int8", clip="difference", range=16),
    "int8 quantiser": SoftmaxConfig(
        input=SQ(8, 0), output=UQ(0, 8), range=127, scale=0.0423, max_length=300
    ),
    "one held": preset("base", output=UQ(1, 15)),
    "narrow range": preset("base", range=3.5, scale=1 / 8**0.5),
    "by hand": preset(
        "base", mantissa_bits=13, sum_fraction=19, reciprocal_bits=12, exp_split=(5, 5, 5)
    ),
    "micro": SoftmaxConfig(input=SQ(3, 1), output=UQ(0, 4), range=2, max_length=4),
    "one element": preset("base", max_length=1),
}
EXACT = {
    **{name: config.replace(datapath="exact_sum") for name, config in PRESETS.items()},
    "int8 quantiser": CONFIGS["int8 quantiser"].replace(datapath="exact_sum"),
    "one held": CONFIGS["one held"].replace(datapath="exact_sum"),
    "narrow range": CONFIGS["narrow range"].replace(datapath="exact_sum"),
    "odd range": preset("base", range=9.3125, max_length=1000, datapath="exact_sum"),
    "flat": preset("base", scale=0.01, datapath="exact_sum"),
    "steep": preset("int8", scale=2, range=8, max_length=4, datapath="exact_sum"),
    "three tables": preset("base", range=7.5, exp_split=(5, 5, 5), datapath="exact_sum"),
    "two of four bits": preset("int8", exp_split=(4, 4), datapath="exact_sum"),
    "micro": CONFIGS["micro"].replace(datapath="exact_sum"),
    "one element": CONFIGS["one element"].replace(datapath="exact_sum"),
}
CONFIGS |= {f"{name}, exact sum": config for name, config in EXACT.items()}
SHORT = [
    "int8", "int8 difference", "int8 quantiser", "micro",
    "int8, exact sum", "int8 quantiser, exact sum", "micro, exact sum",
    "two of four bits, exact sum", "steep, exact sum",
]  # fmt: skip
"""Units of so few codes that all of them can be tried."""
each = pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)


def draw_rows(config, count, length, rng):
    """Rows of codes: the whole format, a narrow cluster, or ties; beyond the range too."""
    low, high = config.input.min_code, config.input.max_code
    wide = rng.integers(low, high, (count, length), endpoint=True)
    near = rng.integers(low, high, (count, 1)) + rng.integers(0, 1 + high // 8, (count, length))
    few = rng.choice(wide[:, :3].ravel(), (count, length))
    kinds = np.stack([wide, near, few])
    return np.clip(kinds[rng.integers(0, 3, count), np.arange(count)], low, high)


def lengths(config):
    """Every length up to 20, then fewer, the longest always."""
    grown = np.unique(np.geomspace(20, 1024, 12).astype(int)).tolist()
    return [n for n in [*range(1, 20), *grown] if n < config.max_length] + [config.max_length]


@each
def test_every_bit_is_that_of_the_independent_unit(config, twin):
    rng = np.random.default_rng(1)
    for length in lengths(config):
        rows = draw_rows(config, 4 if length < 200 else 2, length, rng)
        gold = [twin(config).softmax(row) for row in rows.tolist()]
        np.testing.assert_array_equal(softmax(rows, config), gold)


@each
def test_masked_elements_take_no_part_and_get_zero(config, twin):
    rng = np.random.default_rng(2)
    for length in (1, 2, 5, 9, 33):
        if length > config.max_length:
            continue
        rows = draw_rows(config, 8, length, rng)
        mask = rng.random(rows.shape) < rng.random((8, 1))
        mask[0] = True
        gate = softmax(rows, config, mask)
        gold = [
            twin(config).softmax(*pair) for pair in zip(rows.tolist(), mask.tolist(), strict=True)
        ]
        np.testing.assert_array_equal(gate, gold)
        assert (gate[mask] == 0).all()
        for row, out, p in zip(rows, mask, gate, strict=True):
            if not out.all():  # the same as without them
                np.testing.assert_array_equal(p[~out], softmax(row[~out], config))


@each
def test_a_row_without_an_active_element_is_all_zero(config):
    rows = np.full((3, config.max_length), config.input.max_code)
    assert not softmax(rows, config, mask=True).any()


def test_a_mask_is_broadcast_to_the_rows():
    config = preset("int8")
    x = np.arange(24).reshape(2, 3, 4)
    mask = np.array([True, False, False, True])
    np.testing.assert_array_equal(
        softmax(x, config, mask), softmax(x, config, np.broadcast_to(mask, x.shape))
    )


def test_a_mask_may_be_of_integers():
    assert softmax([[0, 0, 0]], preset("int8"), mask=[[0, 1, 0]]).tolist() == [[128, 0, 128]]


@each
def test_no_probability_is_above_one_or_below_zero(config):
    rng = np.random.default_rng(3)
    largest = min(2**config.output.f, 2**config.output.width - 1)
    for length in {1, 2, min(7, config.max_length)}:
        p = softmax(draw_rows(config, 500, min(length, config.max_length), rng), config)
        assert p.min() >= 0
        assert p.max() <= largest


@pytest.mark.parametrize("config", PRESETS.values(), ids=PRESETS)
def test_an_element_alone_has_the_largest_probability_whatever_its_code(config):
    single = np.arange(config.input.min_code, config.input.max_code + 1, 1 + config.span // 9999)
    assert (softmax(single[:, None], config) == 2**config.output.f - 1).all()


@pytest.mark.parametrize("name", [*PRESETS, "odd range", "flat", "steep", "int8 quantiser"])
def test_an_element_alone_has_the_largest_probability_anywhere_in_an_exact_sum(name):
    """At every code up to 16 bits, at a million of the others."""
    config = EXACT[name]
    low, high = config.input.min_code, config.input.max_code
    single = np.arange(low, high + 1, 1 + (high - low) // 2**20)[:, None]
    assert (softmax(single, config) == 2**config.output.f - 1).all()


@pytest.mark.parametrize("name", EXACT)
def test_masked_elements_leave_an_element_alone_whatever_they_are(name):
    config = EXACT[name]
    length = min(4, config.max_length)
    ends = [max(-config.range_code, config.input.min_code), 0]
    ends += [min(config.range_code, config.input.max_code)]
    alone = softmax(np.array(ends)[:, None], config)
    for place in range(length):
        for others in (config.input.min_code, 0, config.input.max_code):
            x = np.full((3, length), others)
            x[:, place] = ends
            p = softmax(x, config, mask=np.arange(length) != place)
            np.testing.assert_array_equal(p[:, [place]], alone)
            assert not np.delete(p, place, axis=1).any()


@each
def test_a_larger_logit_never_gets_the_smaller_probability_and_equal_ones_get_equal(config):
    rng = np.random.default_rng(4)
    for length in {1, 2, 3, 17, 100}:
        rows = draw_rows(config, 200, min(length, config.max_length), rng)
        rows[0] = rows[0, 0]
        order = np.argsort(rows, axis=-1)
        x = np.take_along_axis(rows, order, -1)
        p = np.take_along_axis(softmax(rows, config), order, -1)
        assert (np.diff(p) >= 0).all()
        assert (np.diff(p)[np.diff(x) == 0] == 0).all()


@pytest.mark.parametrize("name", SHORT)
def test_monotone_at_every_code_beside_every_other_element(name):
    """Exhaustive: rows of all codes against the same third element give the same sum's order."""
    config = CONFIGS[name]
    codes = np.arange(config.input.min_code, config.input.max_code + 1)
    limit = config.max_length
    for start in range(0, codes.size, limit - 1):
        part = codes[start : start + limit - 1]
        rows = np.concatenate([np.broadcast_to(part, (codes.size, part.size)), codes[:, None]], 1)
        p = softmax(rows, config)
        assert (np.diff(p[:, :-1]) >= 0).all()
        same = rows[:, :-1] == rows[:, -1:]
        assert (p[:, :-1] == p[:, -1:])[same].all()


@each
def test_permuted_rows_give_permuted_probabilities(config):
    rng = np.random.default_rng(5)
    for count, length in ((50, min(40, config.max_length)), (4, config.max_length)):
        rows = draw_rows(config, count, length, rng)
        mask = rng.random(rows.shape) < np.linspace(0, 0.9, count)[:, None]
        order = rng.permuted(np.broadcast_to(np.arange(length), rows.shape), axis=1)
        for masked in (np.zeros_like(mask), mask):
            np.testing.assert_array_equal(
                softmax(*permuted(order, rows), config, permuted(order, masked)[0]),
                *permuted(order, softmax(rows, config, masked)),
            )


def permuted(order, *arrays):
    """The arrays with every row's elements in another order."""
    return [np.take_along_axis(array, order, axis=1) for array in arrays]


@pytest.mark.parametrize("name", ["int8", "two of four bits", "micro", "steep"])
def test_every_order_of_a_short_row_of_an_exact_sum_gives_the_same_bits(name):
    config = EXACT[name]
    rng = np.random.default_rng(8)
    orders = np.array(list(itertools.permutations(range(4))))
    for row in draw_rows(config, 40, 4, rng):
        np.testing.assert_array_equal(
            softmax(row[orders], config), softmax([row], config)[0][orders]
        )


@pytest.mark.parametrize("name", EXACT)
def test_masked_elements_may_lie_anywhere_in_a_row(name):
    """The active elements of a row, scattered over a longer one, give the same bits."""
    config = EXACT[name]
    rng = np.random.default_rng(9)
    length = config.max_length
    for count in {1, min(3, length), length // 2 or 1}:
        row = draw_rows(config, 1, count, rng)[0]
        place = rng.permutation(length)[:count]
        x, mask = draw_rows(config, 1, length, rng)[0], np.ones(length, bool)
        x[place], mask[place] = row, False
        np.testing.assert_array_equal(softmax(x, config, mask)[place], softmax(row, config))


@pytest.mark.parametrize(
    "config",
    [config for config in CONFIGS.values() if config.datapath == "max_subtract"],
    ids=[name for name, config in CONFIGS.items() if config.datapath == "max_subtract"],
)
def test_a_constant_added_inside_the_range_changes_nothing(config):
    rng = np.random.default_rng(6)
    limit = config.range_code if config.clip == "input" else config.input.max_code
    x = rng.integers(-limit, limit, (50, min(20, config.max_length)), endpoint=True) // 2
    gold = softmax(x, config)
    for constant in (-(limit // 2), -1, 1, limit // 2):
        np.testing.assert_array_equal(softmax(x + constant, config), gold)


@each
def test_codes_beyond_the_range_act_as_the_range_s_limit(config):
    rng = np.random.default_rng(7)
    x = draw_rows(config, 100, min(12, config.max_length), rng)
    if config.clip == "input":
        inside = np.clip(x, -config.range_code, config.range_code)
        flags = x != inside
    else:
        inside = np.maximum(x, x.max(axis=-1, keepdims=True) - 2 * config.range_code)
        flags = x != inside
    gate = softmax_rows(x, config)
    np.testing.assert_array_equal(gate.p, softmax(inside, config))
    np.testing.assert_array_equal(gate.clipped, flags)


def test_masked_elements_are_never_told_as_clipped_nor_count_as_the_maximum():
    choices = (("input", "max_subtract"), ("difference", "max_subtract"), ("input", "exact_sum"))
    for clip, datapath in choices:
        config = preset("base", clip=clip, datapath=datapath, range=1.0)
        x = np.array([[30000, 0, -30000]])
        result = softmax_rows(x, config, mask=[[True, False, True]])
        assert result.clipped.dtype == bool
        assert result.clipped.tolist() == [[False, False, False]]
        assert result.p.tolist() == [[0, config.one, 0]]


@given(
    row=st.lists(st.integers(-128, 127), min_size=1, max_size=24),
    mask=st.lists(st.booleans(), min_size=24, max_size=24),
    name=st.sampled_from([name for name in SHORT if CONFIGS[name].max_length >= 24]),
)
@settings(max_examples=400, deadline=None, derandomize=True)
def test_any_row_and_mask_give_the_independent_unit_s_bits(twin, row, mask, name):
    config, mask = CONFIGS[name], mask[: len(row)]
    assert softmax(row, config, mask).tolist() == twin(config).softmax(row, mask)


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int16, np.uint16, np.int32, np.uint64])
def test_every_integer_type_is_accepted(dtype):
    x = np.array([[1, 100, 127, 0]], dtype)
    np.testing.assert_array_equal(softmax(x, preset("int8")), softmax(x.tolist(), preset("int8")))


def test_leading_axes_are_rows_and_may_be_empty():
    config = preset("int8")
    assert softmax(np.zeros((0, 5), int), config).shape == (0, 5)
    assert softmax(np.zeros((2, 3, 5), int), config).shape == (2, 3, 5)
    assert softmax([3], config).tolist() == [255]


@pytest.mark.parametrize(
    ("x", "sentence"),
    [
        (np.zeros((1, 65), int), "x must have rows of 1 to max_length = 64 elements, not 65"),
        (np.zeros((3, 0), int), "x must have rows of 1 to max_length = 64 elements, not 0"),
        (np.array([0.0]), "x must be an array of integer codes with rows along the last axis, not"),
        (
            np.array([True]),
            "x must be an array of integer codes with rows along the last axis, not",
        ),
        (3, "x must be an array of integer codes with rows along the last axis, not 0 dimensions"),
        ([32768], "x must hold codes of SQ(5, 11) (-32768 to 32767), not 32768 to 32768"),
        ([-32769], "x must hold codes of SQ(5, 11) (-32768 to 32767), not -32769 to -32769"),
        (
            np.array([2**64 - 1], np.uint64),
            "x must hold codes of SQ(5, 11) (-32768 to 32767), not 18446744073709551615",
        ),
    ],
)
def test_rows_that_the_unit_cannot_take_are_refused_in_a_sentence(x, sentence):
    with pytest.raises(ValueError, match=re.escape(sentence)):
        softmax(x, preset("tiny"))


def test_a_mask_of_another_shape_is_refused():
    with pytest.raises(ValueError, match="broadcast"):
        softmax([[1, 2, 3]], preset("tiny"), mask=[[True, False]])


def test_a_caller_s_array_is_left_as_it_was():
    x = np.array([[30000, -30000, 5]])
    softmax(x, preset("base"), mask=[[False, False, True]])
    assert x.tolist() == [[30000, -30000, 5]]
