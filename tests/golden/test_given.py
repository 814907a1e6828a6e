"""What callers give: NumPy's numbers are numbers, its masks count, the rest is a sentence."""

import dataclasses
import json
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from softmaxfx.golden import (
    SQ,
    UQ,
    ConfigError,
    Format,
    SoftmaxConfig,
    cross_entropy,
    preset,
    softmax,
    softmax_backward,
)
from softmaxfx.golden.config import field_names
from softmaxfx.golden.given import plain
from softmaxfx.golden.graph.functions import Clip
from softmaxfx.golden.rows import LogitRows
from softmaxfx.golden.units.registry import unit_sha256
from softmaxfx.golden.widths import Widths

TINY = preset("tiny")
MASKED = np.ma.array([[1, 2, 30000]], mask=[[False, True, False]])
MASK = [[False, True, False]]

PLAIN = {
    "a whole number": ("lanes", np.int64(4), 4),
    "an unsigned one": ("max_length", np.uint8(200), 200),
    "an array of no dimension": ("lanes", np.array(4), 4),
    "a float": ("range", np.float64(8), 8.0),
    "a short float": ("scale", np.float32(0.1), float(np.float32(0.1))),
    "a long float": ("range", np.longdouble(8), 8.0),
    "a whole number as a float": ("range", np.int16(8), 8.0),
    "a decimal": ("scale", Decimal("0.5"), 0.5),
    "a fraction": ("scale", Fraction(1, 4), 0.25),
    "text": ("datapath", np.str_("exact_sum"), "exact_sum"),
    "a width": ("mantissa_bits", np.int8(18), 18),
    "a split": ("exp_split", [np.int64(8), np.int64(8)], (8, 8)),
    "a split as an array": ("exp_split", np.array([8, 8]), (8, 8)),
    "a format": ("input", SQ(np.int64(5), np.uint8(11)), SQ(5, 11)),
    "a format by its sign": ("output", Format(np.bool_(False), np.int8(0), 12), UQ(0, 12)),
}


@pytest.mark.parametrize(("field", "given", "number"), PLAIN.values(), ids=PLAIN)
def test_a_scalar_of_numpy_makes_the_configuration_of_the_plain_number(field, given, number):
    config, gold = preset("base", **{field: given}), preset("base", **{field: number})
    assert config == gold
    assert hash(config) == hash(gold)
    assert unit_sha256("softmax", config) == unit_sha256("softmax", gold)
    assert config.to_dict() == gold.to_dict()
    assert json.loads(json.dumps(config.to_dict())) == config.to_dict()
    assert repr(config) == repr(gold)


HOSTILE = [
    0, -1, 2**63, 10**400, 10**5000, 1.5, float("nan"), float("inf"), "", "8", None, True, [], [1],
    (1,), {}, b"8", object(), np.bool_(True), np.array([4]), np.array([[1, 2], [3, 4]]),
    np.str_("x"), 1j, np.complex64(1), range(3), np.datetime64("2020"), np.timedelta64(5, "s"),
    set(), np.ma.masked, np.ma.array([1], mask=[1]), Fraction(10**400), Decimal("sNaN"),
    Decimal("1e999"), np.longdouble("inf"),
]  # fmt: skip


HELD = {
    "id_width": [0, 0], "dot_guard": [0, 0], "range": [1.5, 1.5], "scale": [1.5, 1.5],
    "buffer_length": [None, None], "vocabulary": [None, None],
    "cutoffs": [value for value in (None, [1], (1,), np.array([4])) for _ in range(2)],
    **{width.name: [None, None] for width in dataclasses.fields(Widths)},
}  # fmt: skip
"""What a field takes of these, with either datapath."""


@pytest.mark.parametrize("field", field_names())
def test_a_field_refuses_what_it_cannot_be_in_one_sentence(field):
    """What is taken can be hashed and written, and reads back."""
    datapaths = ["max_subtract"] if field == "datapath" else ["max_subtract", "exact_sum"]
    taken, sentences = [], []
    for value in HOSTILE:
        for datapath in datapaths:
            try:
                config = SoftmaxConfig(**{"datapath": datapath, field: value})
            except ConfigError as error:
                sentences.append(str(error))
                continue
            taken.append(value)
            assert SoftmaxConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == (
                SoftmaxConfig.from_dict(config.to_dict())
            )
            assert type(hash(config)) is int
    assert taken == HELD.get(field, [])
    assert not [sentence for sentence in sentences if "\n" in sentence]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"lanes": np.bool_(True)}, "lanes must be a whole number from 1 to 64, not True"),
        ({"lanes": np.float64(8)}, "lanes must be a whole number from 1 to 64, not 8.0"),
        ({"lanes": Fraction(8)}, "lanes must be a whole number from 1 to 64, not 8.0"),
        ({"lanes": np.array([4, 8])}, r"lanes must be a whole number from 1 to 64, not \[.*\]"),
        ({"lanes": np.ones((2, 2))}, r"lanes must not be an array of shape \(2, 2\)"),
        ({"exp_split": "88"}, "exp_split must be a list of widths, not '88'"),
        ({"exp_split": np.array([8.0, 8.0])}, "exp_split's index bits must be .*, not 8.0"),
        ({"clip": ["input"]}, r"clip must be one of input, difference, not \['input'\]"),
        ({"range": np.complex64(1)}, r"range must be a positive number .*, not \(1\+0j\)"),
        ({"range": 10**5000}, r"range must be a number below 2\^64"),
    ],
)
def test_what_is_no_number_of_a_field_is_refused(changes, sentence):
    with pytest.raises(ConfigError, match=f"^{sentence}$"):
        preset("base", **changes)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("yes", 5, 11), "format must be signed or not, True or False, not 'yes'"),
        ((1, 5, 11), "format must be signed or not, True or False, not 1"),
        ((True, np.float64(5), 11), "format must have whole numbers of bits, not 5.0, 11"),
        ((True, np.bool_(True), 11), "format must have whole numbers of bits, not True, 11"),
    ],
)
def test_what_is_no_format_is_refused(arguments, sentence):
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        Format(*arguments)


def test_a_format_of_numpys_numbers_is_equal_and_hashes_alike():
    assert {SQ(np.int64(5), np.int32(11)): 1}[SQ(5, 11)] == 1


@pytest.mark.parametrize("value", [np.ma.array(3), None, "x", (1, 2), object])
def test_plain_gives_plain_values_or_what_it_was_given(value):
    assert plain(value) == (3 if isinstance(value, np.ndarray) else value)


@pytest.mark.parametrize("where", ["array", "argument", "both"])
def test_the_mask_of_a_masked_array_is_the_mask(where):
    gold = softmax([[1, 2, 30000]], TINY, MASK)
    given = MASKED if where != "argument" else np.ma.getdata(MASKED)
    mask = None if where == "array" else MASK
    np.testing.assert_array_equal(softmax(given, TINY, mask), gold)
    loss = cross_entropy(given, [2], TINY, mask)
    for part, expected in zip(loss, cross_entropy([[1, 2, 30000]], [2], TINY, MASK), strict=True):
        np.testing.assert_array_equal(part, expected)
    assert gold[0, 1] == 0


def test_both_masks_count_and_hidden_values_need_fit_no_format():
    hidden = np.ma.array([[1, 10**9, 2]], mask=MASK)
    np.testing.assert_array_equal(
        softmax(hidden, TINY, [[True, False, False]]), softmax([[1, 0, 2]], TINY, [[1, 1, 0]])
    )


@pytest.mark.parametrize(
    "array",
    [
        np.ma.array([[1.0, 2.0, 3.0]], mask=MASK),
        np.ma.array([[1, 2, 3]], mask=MASK),
        np.ma.array([[1.0, np.nan, 3.0]], mask=MASK),
        np.ma.masked_invalid([[1.0, np.inf, 3.0]]),
    ],
)
def test_a_masked_logit_takes_no_part(array):
    rows = LogitRows.from_array(array)
    assert rows.active.tolist() == [[True, False, True]]
    assert rows.values.tolist() == [[1, 0, 3]]
    assert rows.lengths.tolist() == [3]


P, DP = [[32768, 32768, 0]], [[1, 2, 3]]
REFUSED = {
    "masked reals": (
        lambda: SQ(5, 11).quantize(MASKED), "values to quantize must have no elements that numpy.ma"
        " masks: fill them, and give the mask to softmax",
    ),
    "masked codes": (lambda: SQ(5, 11).to_float(MASKED), "codes must have no elements that numpy"),
    "masked p": (lambda: softmax_backward(MASKED, DP, TINY), "p must have no elements that numpy"),
    "masked dp": (lambda: softmax_backward(P, MASKED, TINY), "dp must have no elements that numpy"),
    "a masked mask": (lambda: softmax(DP, TINY, MASKED), "mask must have no elements that numpy"),
    "a masked target": (
        lambda: cross_entropy(DP, np.ma.array([1], mask=[1]), TINY),
        "target must have no elements that numpy.ma masks",
    ),
    "masked weights": (
        lambda: cross_entropy(DP, [1], TINY, class_weights=np.ma.array([1, 1, 1], mask=[0, 0, 1])),
        "class_weights must have no elements that numpy.ma masks",
    ),
    "a masked class": (lambda: cross_entropy(MASKED, [1], TINY), "target must not be a masked cla"),
    "a ragged x": (lambda: softmax([[1, 2], [3]], TINY), "x must be an array, not lists of differ"),
    "ragged logits": (lambda: LogitRows.from_array([[1, 2], [3]]), "logits must be an array, not "),
    "times": (lambda: softmax(np.array([[1]], "m8[s]"), TINY), "x must be an array of integer cod"),
    "times as logits": (
        lambda: LogitRows.from_array(np.array([[1]], "m8[s]")), "logits must be a 2-D array of rea",
    ),
    "records": (
        lambda: LogitRows.from_array(np.zeros((1, 2), [("a", "f4")])), "logits must be a 2-D array",
    ),
    "codes beyond 64 bits": (lambda: softmax([[10**30]], TINY), "x must be an array of integer co"),
    "codes of 64 bits without a sign": (
        lambda: softmax(np.array([[2**63]], np.uint64), TINY), r"x must hold codes of SQ\(5, 11\)",
    ),
    "no x": (lambda: softmax(None, TINY), "x must be an array of integer codes"),
    "a float mask": (lambda: softmax(DP, TINY, [[0.0, 1.0, 0.0]]), "mask must be flags, .* float6"),
    "a mask of numbers": (lambda: softmax(DP, TINY, [[0, 2, 0]]), "mask must be flags"),
    "a mask of text": (lambda: softmax(DP, TINY, ["no"] * 3), "mask must be flags, True or False"),
    "a mask of another shape": (
        lambda: softmax(DP, TINY, np.zeros((3, 3), bool)),
        r"mask must broadcast to shape \(1, 3\), not \(3, 3\)",
    ),
    "clipped of another shape": (
        lambda: softmax_backward(P, DP, TINY, clipped=[True]*2),
        r"clipped must broadcast to shape \(1, 3\), not \(2,\)",
    ),
    "half a seed": (lambda: softmax_backward(P, DP, TINY, seed=1.5), "seed must be from 0 to 2.32"),
    "no row": (lambda: softmax_backward(P, DP, TINY, first_row=None), "first_row must be from 0 t"),
    "text to quantize": (lambda: SQ(5, 11).quantize(["1.5"]), "values to quantize must be real nu"),
    "a complex value": (lambda: SQ(5, 11).quantize(np.array([1j])), "values to quantize must be r"),
    "nothing to quantize": (lambda: SQ(5, 11).quantize([None]), "values to quantize must"),
    "a date": (lambda: SQ(5, 11).quantize(np.array(["2020"], "M8")), "values to quantize must be "),
    "a negative limit": (lambda: SQ(5, 11).quantize([1.0], limit=-1), "limit must be a number tha"),
    "a limit of text": (lambda: SQ(5, 11).quantize([1.0], limit="1"), "limit must be a number tha"),
    "smoothing of text": (
        lambda: cross_entropy(DP, [1], TINY, label_smoothing="0.1"), "label_smoothing must be from "
    ),
    "no index": (lambda: cross_entropy(DP, [1], TINY, ignore_index=None), "ignore_index must be a"),
    "weights of text": (
        lambda: cross_entropy(DP, [1], TINY, class_weights=["1"] * 3), "class_weights must be real"
    ),
    "limits of a gate": (lambda: Clip(1, 0), "clip takes a lower and an upper limit, not 1 and 0"),
    "a unit's hash": (lambda: unit_sha256("relu", TINY), "unknown unit 'relu'; units are softmax"),
    "no table": (lambda: SoftmaxConfig.from_dict([1]), "a configuration must be a table of fields"),
    "a number for a name": (lambda: SoftmaxConfig.from_dict({1: 2}), "unknown field 1; fields are"),
}  # fmt: skip


@pytest.mark.parametrize(("call", "sentence"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_taken_is_one_sentence(call, sentence):
    with pytest.raises(ValueError, match=f"^{sentence}") as caught:
        call()
    assert "\n" not in str(caught.value)


TAKEN = {
    "lists": lambda: SQ(5, 11).quantize([0.5]),
    "half floats": lambda: SQ(5, 11).quantize(np.float16([0.5])),
    "big-endian": lambda: SQ(5, 11).quantize(np.array([0.5], ">f8")),
    "fractions": lambda: SQ(5, 11).quantize([Fraction(1, 2)]),
    "a masked array that masks nothing": lambda: SQ(5, 11).quantize(np.ma.array([0.5])),
    "a limit of numpy's": lambda: SQ(5, 11).quantize([9.0], limit=np.float32(0.5)),
}


@pytest.mark.parametrize("quantized", TAKEN.values(), ids=TAKEN)
def test_real_numbers_of_any_make_are_quantized(quantized):
    assert quantized().tolist() == [1024]
