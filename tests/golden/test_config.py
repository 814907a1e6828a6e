"""A configuration refuses what it cannot keep, in a sentence, and everything follows from it."""

import dataclasses
import itertools
import json
import math
import re

import pytest

from softmaxfx.golden.config import PRESETS, SoftmaxConfig, field_names, preset
from softmaxfx.golden.errors import ConfigError
from softmaxfx.golden.formats import SQ, UQ
from softmaxfx.golden.units.registry import unit_sha256


@pytest.mark.parametrize(
    ("name", "source", "sink", "lanes", "max_length"),
    [
        ("base", SQ(5, 11), UQ(0, 16), 8, 1024),
        ("int8", SQ(5, 3), UQ(0, 8), 8, 1024),
        ("wide", SQ(5, 19), UQ(0, 16), 8, 1024),
        ("tiny", SQ(5, 11), UQ(0, 16), 1, 64),
        ("tight", SQ(5, 11), UQ(0, 16), 8, 1024),
    ],
)
def test_presets_are_those_of_the_design(name, source, sink, lanes, max_length):
    config = preset(name)
    assert (config.input, config.output) == (source, sink)
    assert (config.lanes, config.max_length) == (lanes, max_length)
    assert (config.range, config.scale, config.clip) == (10, 1, "input")
    assert config.datapath == "max_subtract"
    assert config.range_code == 10 * 2**source.f
    assert config.span == 20 * 2**source.f
    assert config.max_beats == math.ceil(max_length / lanes)
    assert config.one == 2**sink.f - 1
    assert set(PRESETS) == {"base", "int8", "wide", "tiny", "full", "int8_row", "tight"}


def test_the_full_preset_takes_every_code_of_its_input_and_clips_none():
    full = preset("full")
    assert (full.input, full.output, full.loss) == (SQ(8, 8), UQ(0, 16), UQ(9, 11))
    assert (full.lanes, full.max_length) == (8, 1024)
    assert (full.range, full.scale, full.clip) == (128, 1, "difference")
    assert (full.datapath, full.path.window) == ("exact_sum", True)
    assert (full.lowest, full.highest) == (-(2**15), 2**15 - 1)


def test_the_tight_preset_is_the_base_with_wider_factors():
    tight = preset("tight")
    assert (tight.widths.mantissa_bits, tight.widths.reciprocal_bits) == (21, 21)
    assert tight.replace(mantissa_bits=None, reciprocal_bits=None) == preset("base")


FULL = {"datapath": "exact_sum", "clip": "difference", "input": SQ(8, 8)}
REFUSED = {
    "no such datapath": (
        {"datapath": "magic"},
        "datapath must be one of max_subtract, exact_sum, not 'magic'",
    ),
    "datapath of another type": (
        {"datapath": None},
        "datapath must be one of max_subtract, exact_sum, not None",
    ),
    "range of exact_sum not held": (
        {"datapath": "exact_sum", "range": 16.0},
        "range must be at most 15.9995 to be held by the input format SQ(5, 11), not 16",
    ),
    "exact sum of another fraction": (
        {"datapath": "exact_sum", "sum_fraction": 45},
        "sum_fraction must be 46 where the sum is exact, not 45",
    ),
    "exact sum with the other datapath's fraction": (
        {"datapath": "exact_sum", "sum_fraction": 30},
        "sum_fraction must be 46 where the sum is exact, not 30",
    ),
    "exact sum of a string": (
        {"datapath": "exact_sum", "sum_fraction": "46"},
        "sum_fraction must be 46 where the sum is exact, not '46'",
    ),
    "exact sum of a float": (
        {"datapath": "exact_sum", "sum_fraction": 46.0},
        "sum_fraction must be a whole number from 18 to 65536, not 46.0",
    ),
    "exact sum in a window of another fraction": (
        {**FULL, "sum_fraction": 385},
        "sum_fraction must be 386 where the sum is exact, not 385",
    ),
    "exact sum in a window with the other datapath's fraction": (
        {**FULL, "sum_fraction": 30},
        "sum_fraction must be 386 where the sum is exact, not 30",
    ),
    "distances that tables do not reach": (
        {**FULL, "input": SQ(16, 0)},
        "range * scale must be at most about 5678 for datapath exact_sum with an input of 16 bits, "
        "whose exp tables have at most 4096 entries, not 32767.5; max_subtract has no such limit",
    ),
    "distances that tables do not quite reach": (
        {**FULL, "input": SQ(14, 2)},
        "range * scale must be at most about 5678 for datapath exact_sum with an input of 16 bits, "
        "whose exp tables have at most 4096 entries, not 8191.88; max_subtract has no such limit",
    ),
    "a clipped range that tables do not reach": (
        {"datapath": "exact_sum", "input": SQ(15, 0), "range": 6000},
        "range * scale must be at most about 5678 for datapath exact_sum with an input of 14 bits, "
        "whose exp tables have at most 4096 entries, not 6000; max_subtract has no such limit",
    ),
    "powers of 2 beyond any sum": (
        {**FULL, "input": SQ(5, 0), "scale": 4096},
        "range * scale must span at most 65519 powers of 2 for datapath exact_sum, not 183188",
    ),
    "one power of 2 too many": (
        {**FULL, "input": SQ(5, 0), "scale": 65520 / 31 * math.log(2) - 1e-6},
        "range * scale must span at most 65519 powers of 2 for datapath exact_sum, not 65520",
    ),
    "split of a window that does not cover": (
        {**FULL, "exp_split": (8, 7)},
        "exp_split must add up to the 16 bits of a difference, not (8, 7)",
    ),
    "logarithm of an unclipped range": (
        {**FULL, "function": "log_softmax", "output": SQ(9, 7)},
        "output must hold -(2 * range * scale + ln max_length) = -262.93, not SQ(9, 7) "
        "(at least -256)",
    ),
    "split of exact_sum that does not cover": (
        {"datapath": "exact_sum", "exp_split": (8, 7)},
        "exp_split must add up to the 16 bits of a difference, not (8, 7)",
    ),
    "no guard bits of exact_sum": (
        {"datapath": "exact_sum", "exp_bits": 18},
        "exp_bits must be a whole number from 19 to 36, not 18",
    ),
    "no such clip": ({"clip": "both"}, "clip must be one of input, difference, not 'both'"),
    "clip of another type": ({"clip": None}, "clip must be one of input, difference, not None"),
    "no lanes": ({"lanes": 0}, "lanes must be a whole number from 1 to 64, not 0"),
    "too many lanes": ({"lanes": 65}, "lanes must be a whole number from 1 to 64, not 65"),
    "half a lane": ({"lanes": 1.5}, "lanes must be a whole number from 1 to 64, not 1.5"),
    "lanes of a float": ({"lanes": 8.0}, "lanes must be a whole number from 1 to 64, not 8.0"),
    "lanes of a bool": ({"lanes": True}, "lanes must be a whole number from 1 to 64, not True"),
    "lanes of a string": ({"lanes": "8"}, "lanes must be a whole number from 1 to 64, not '8'"),
    "no elements": ({"max_length": 0}, "max_length must be a whole number from 1 to 65536, not 0"),
    "too long a row": (
        {"max_length": 65537},
        "max_length must be a whole number from 1 to 65536, not 65537",
    ),
    "no range": ({"range": 0}, "range must be a positive number from 2^-40 to 2^40, not 0"),
    "negative range": (
        {"range": -1.0},
        "range must be a positive number from 2^-40 to 2^40, not -1.0",
    ),
    "nan range": (
        {"range": math.nan},
        "range must be a positive number from 2^-40 to 2^40, not nan",
    ),
    "infinite range": (
        {"range": math.inf},
        "range must be a positive number from 2^-40 to 2^40, not inf",
    ),
    "range of a string": (
        {"range": "10"},
        "range must be a positive number from 2^-40 to 2^40, not '10'",
    ),
    "range of a bool": (
        {"range": True},
        "range must be a positive number from 2^-40 to 2^40, not True",
    ),
    "no scale": ({"scale": 0.0}, "scale must be a positive number from 2^-40 to 2^40, not 0.0"),
    "nan scale": (
        {"scale": math.nan},
        "scale must be a positive number from 2^-40 to 2^40, not nan",
    ),
    "scale of a bool": (
        {"scale": True},
        "scale must be a positive number from 2^-40 to 2^40, not True",
    ),
    "negative scale": (
        {"scale": -1},
        "scale must be a positive number from 2^-40 to 2^40, not -1",
    ),
    "complex scale": (
        {"scale": 1j},
        "scale must be a positive number from 2^-40 to 2^40, not 1j",
    ),
    "huge scale": (
        {"scale": 2**41},
        "scale must be a positive number from 2^-40 to 2^40, not 2199023255552",
    ),
    "input that is no format": ({"input": 16}, "input must be a format, not 16"),
    "output that is no format": (
        {"output": "UQ(0, 16)"},
        "output must be a format, not 'UQ(0, 16)'",
    ),
    "unsigned input": ({"input": UQ(5, 11)}, "input must be a signed format, not UQ(5, 11)"),
    "signed output": (
        {"output": SQ(1, 15)},
        "output must be an unsigned format for softmax, not SQ(1, 15)",
    ),
    "wide input": (
        {"input": SQ(5, 20)},
        "input must be at most 24 bits wide, not 25 bits (SQ(5, 20))",
    ),
    "wide output": (
        {"output": UQ(0, 25)},
        "output must have 2 to 24 fraction bits for softmax, not 25 (UQ(0, 25))",
    ),
    "narrow output": (
        {"output": UQ(8, 1)},
        "output must have 2 to 24 fraction bits for softmax, not 1 (UQ(8, 1))",
    ),
    "range between two codes": (
        {"range": 10.0001},
        "range must be a whole number of input LSB (2^-11), not 10.0001",
    ),
    "range not held": (
        {"range": 16.0},
        "range must be at most 15.9995 to be held by the input format SQ(5, 11), not 16",
    ),
    "difference range not held": (
        {"range": 16 + 2**-11, "clip": "difference"},
        "range must be at most 15.9995 to be held by the input format SQ(5, 11), not 16.0005",
    ),
    "huge table": (
        {"exp_split": (16,)},
        "exp_split's index bits must be a whole number from 1 to 12, not 16",
    ),
    "empty table": (
        {"exp_split": (8, 8, 0)},
        "exp_split's index bits must be a whole number from 1 to 12, not 0",
    ),
    "float split": (
        {"exp_split": (8.0, 8)},
        "exp_split's index bits must be a whole number from 1 to 12, not 8.0",
    ),
    "split of strings": (
        {"exp_split": ("8", 8)},
        "exp_split's index bits must be a whole number from 1 to 12, not '8'",
    ),
    "split that does not cover": (
        {"exp_split": (8, 7)},
        "exp_split must add up to the 16 bits of a difference, not (8, 7)",
    ),
    "split of a number": ({"exp_split": 16}, "exp_split must be a list of widths, not 16"),
    "narrow mantissa": (
        {"mantissa_bits": 3},
        "mantissa_bits must be a whole number from 4 to 28, not 3",
    ),
    "mantissa of a string": (
        {"mantissa_bits": "18"},
        "mantissa_bits must be a whole number from 4 to 28, not '18'",
    ),
    "wide mantissa": (
        {"mantissa_bits": 29},
        "mantissa_bits must be a whole number from 4 to 28, not 29",
    ),
    "no guard bits": (
        {"exp_bits": 18},
        "exp_bits must be a whole number from 19 to 36, not 18",
    ),
    "guard bits of a direct table": (
        {"input": SQ(5, 3), "output": UQ(0, 8), "exp_bits": 12},
        "exp_bits must equal mantissa_bits (10) where exp is one table, not 12",
    ),
    "narrow sum": (
        {"sum_fraction": 17},
        "sum_fraction must be a whole number from 18 to 46, not 17",
    ),
    "wide sum": (
        {"sum_fraction": 47},
        "sum_fraction must be a whole number from 18 to 46, not 47",
    ),
    "narrow reciprocal": (
        {"reciprocal_bits": 3},
        "reciprocal_bits must be a whole number from 4 to 28, not 3",
    ),
    "float reciprocal": (
        {"reciprocal_bits": 18.0},
        "reciprocal_bits must be a whole number from 4 to 28, not 18.0",
    ),
    "huge reciprocal table": (
        {"reciprocal_index": 13},
        "reciprocal_index must be a whole number from 1 to 12, not 13",
    ),
    "no step": (
        {"reciprocal_step": 0},
        "reciprocal_step must be a whole number from 1 to 19, not 0",
    ),
    "product narrower than the output": (
        {"output": UQ(0, 24), "mantissa_bits": 10, "reciprocal_bits": 12},
        "mantissa_bits + reciprocal_bits must be at least the output's fraction bits + 2 (26), "
        "not 10 + 12",
    ),
}


@pytest.mark.parametrize(("fields", "sentence"), REFUSED.values(), ids=REFUSED.keys())
def test_a_value_that_breaks_a_rule_is_refused_with_field_rule_and_value(fields, sentence):
    with pytest.raises(ConfigError, match=f"^{re.escape(sentence)}$"):
        SoftmaxConfig(**fields)


@pytest.mark.parametrize(
    ("name", "fields", "sentence"),
    [
        (
            "huge",
            {},
            "unknown preset 'huge'; presets are base, int8, wide, tiny, full, int8_row, tight",
        ),
        (3, {}, "unknown preset 3; presets are base, int8, wide, tiny, full, int8_row, tight"),
        (
            ["base"],
            {},
            "unknown preset ['base']; presets are base, int8, wide, tiny, full, int8_row, tight",
        ),
        ("base", {"lane": 4}, "unknown field 'lane'; fields are "),
        ("base", {"lanes": 0}, "lanes must be a whole number from 1 to 64, not 0"),
    ],
)
def test_preset_refuses_unknown_names_and_bad_values(name, fields, sentence):
    with pytest.raises(ConfigError, match=f"^{re.escape(sentence)}"):
        preset(name, **fields)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"lane": 4}, "unknown field 'lane'; fields are "),
        ({"input": "int16"}, "input: format must be spelled like"),
        ({"output": "UQ(0, 99)"}, "output: format must be 1 to 48 bits wide, not UQ(0, 99)"),
        ({"input": [5, 11]}, "input must be a format, not (5, 11)"),
        (
            {"exp_split": [[8], 8]},
            "exp_split's index bits must be a whole number from 1 to 12, not [8]",
        ),
        ({"exp_split": "8,8"}, "exp_split must be a list of widths, not '8,8'"),
        ({"range": "10"}, "range must be a positive number from 2^-40 to 2^40, not '10'"),
    ],
)
def test_from_dict_refuses_with_the_field_s_name(fields, sentence):
    with pytest.raises(ConfigError, match=f"^{re.escape(sentence)}"):
        SoftmaxConfig.from_dict(fields)


def test_a_list_of_widths_is_accepted():
    assert preset("base", exp_split=[8, 8]).widths.exp_split == (8, 8)


@pytest.mark.parametrize(
    ("fields", "derived"),
    [
        ({"input": SQ(5, 19), "output": UQ(0, 8), "mantissa_bits": 10}, {"exp_bits": 20}),
        ({"output": UQ(0, 8), "input": SQ(5, 3), "mantissa_bits": 28}, {"exp_bits": 28}),
        ({"reciprocal_bits": 28, "reciprocal_index": 1}, {"reciprocal_step": 20}),
    ],
    ids=["guard bits", "mantissa_bits", "reciprocal_index"],
)
def test_a_width_left_to_be_derived_follows_those_that_are_set_by_hand(fields, derived):
    widths = dataclasses.asdict(SoftmaxConfig(**fields).widths)
    assert derived.items() <= widths.items()


def test_a_split_of_no_fields_is_refused_by_its_own_name():
    sentence = "exp_split must add up to the 16 bits of a difference, not ()"
    with pytest.raises(ConfigError, match=f"^{re.escape(sentence)}$"):
        SoftmaxConfig(exp_split=())


def test_a_range_up_to_the_format_s_ends_is_accepted():
    most = 16 - 2**-11
    assert preset("base", range=most).range_code == 2**15 - 1
    assert preset("base", range=16, clip="difference").span == 2**16


WINDOWS = {
    "full": {},
    "few codes": {"input": SQ(7, 1)},
    "24 bits": {"input": SQ(8, 16)},
    "clipped": {"input": SQ(7, 9), "range": 30, "clip": "input"},
    "odd scale": {"scale": 0.3},
    "longest": {"max_length": 65536},
    "logarithm": {"function": "log_softmax", "output": SQ(10, 6)},
}


def exact(config):
    """The configuration with the other datapath."""
    return config.replace(datapath="exact_sum")


@pytest.mark.parametrize("config", PRESETS.values(), ids=PRESETS)
@pytest.mark.parametrize("datapath", ["max_subtract", "exact_sum"])
def test_json_of_a_configuration_reads_back_as_the_same_unit(config, datapath):
    config = config.replace(datapath=datapath)
    fields = json.loads(json.dumps(config.to_dict()))
    assert set(fields) == set(field_names())
    assert [name for name, value in fields.items() if value is None] == ["buffer_length"]
    again = SoftmaxConfig.from_dict(fields)
    assert again.to_dict() == config.to_dict()
    assert unit_sha256("softmax", again) == unit_sha256("softmax", config)
    assert again.widths == config.widths
    assert (again.datapath, again.path) == (datapath, config.path)


@pytest.mark.parametrize("config", PRESETS.values(), ids=PRESETS)
def test_distances_of_exact_sum_reach_from_the_top_to_the_range_s_other_end(config):
    """Against a search: the top is the first code from the highest on that ends in ones."""
    config = exact(config)
    low = sum(config.widths.exp_split[1:])
    lowest, highest = -config.range_code, config.range_code
    if config.clip == "difference":
        lowest, highest = config.input.min_code, config.input.max_code
    top = next(code for code in itertools.count(highest) if (code + 1) % 2**low == 0)
    assert config.path.origin == top
    assert (config.path.nearest, config.path.farthest) == (top - highest, top - lowest)
    assert config.path.reach == config.path.farthest < 2 ** sum(config.widths.exp_split)
    assert config.span == 2 * config.range_code


def test_distances_of_max_subtract_start_at_none_and_end_at_the_span():
    for config in (preset("base"), preset("base", scale=50)):
        assert (config.path.nearest, config.path.farthest) == (0, config.span)


def test_the_datapath_alone_tells_units_apart_and_may_be_changed_back():
    base = preset("base")
    assert unit_sha256("softmax", exact(base)) != unit_sha256("softmax", base)
    assert unit_sha256("softmax", exact(base).replace(datapath="max_subtract")) == unit_sha256(
        "softmax", base
    )


@pytest.mark.parametrize("given", [0.5, 10, 128, 1e6])
def test_where_an_exact_sum_clips_nothing_the_range_is_that_of_the_input(given):
    config = preset("full", range=given)
    assert config == preset("full")
    assert (config.range, config.to_dict()["range"]) == (128.0, 128.0)
    assert preset("full", input=SQ(5, 11)).range == 16
    clipped = preset("full", range=10, clip="input")
    assert (clipped.range, clipped.path.farthest - clipped.path.nearest) == (10, 20 * 2**8)


@pytest.mark.parametrize("changes", WINDOWS.values(), ids=WINDOWS)
def test_json_of_a_unit_with_a_window_reads_back_as_the_same_unit(changes):
    config = preset("full", **changes)
    assert config.path.window
    again = SoftmaxConfig.from_dict(json.loads(json.dumps(config.to_dict())))
    assert again.to_dict() == config.to_dict()
    assert (again.path, again.widths) == (config.path, config.widths)
    assert unit_sha256("softmax", again) == unit_sha256("softmax", config)


def test_a_sum_has_a_window_only_where_it_is_wider_than_integers():
    """The last configurations that fit 63 bits, and the first that do not."""
    for fits, wider in (
        (preset("base", scale=1.2), preset("base", scale=1.25)),
        (preset("base", max_length=65535), preset("base", max_length=65536, scale=1.03)),
        (preset("int8", max_length=4, range=9.25, scale=1.9), preset("int8", scale=2)),
    ):
        assert not exact(fits).path.window
        assert exact(wider).path.window
        for config in (exact(fits), exact(wider)):
            bits = config.widths.sum_fraction + config.max_length.bit_length()
            assert (bits > 63) == config.path.window


def test_the_widest_sum_there_can_be_is_accepted():
    scale = 65519 / 31 * math.log(2) - 1e-6
    assert SoftmaxConfig(**FULL | {"input": SQ(5, 0), "scale": scale}).widths.sum_fraction == 65536
    assert SoftmaxConfig(**FULL | {"input": SQ(13, 3)}).widths.exp_split == (12, 4)


def test_an_exact_sum_s_fraction_may_be_set_to_what_is_derived():
    config = preset("base", datapath="exact_sum")
    by_hand = config.replace(sum_fraction=config.widths.sum_fraction)
    assert unit_sha256("softmax", by_hand) == unit_sha256("softmax", config)


def test_sha256_does_not_tell_a_derived_width_from_the_same_width_set_by_hand():
    derived = preset("base")
    widths = {name: getattr(derived.widths, name) for name in derived.widths.__slots__}
    assert unit_sha256("softmax", preset("base", **widths)) == unit_sha256("softmax", derived)


@pytest.mark.parametrize(
    ("fields", "same"), [({"range": 10}, {"range": 10.0}), ({"scale": 2}, {"scale": 2.0})]
)
def test_sha256_is_equal_where_the_unit_is_equal_whatever_the_number_s_type(fields, same):
    assert preset("base", **fields) == preset("base", **same)
    assert unit_sha256("softmax", preset("base", **fields)) == unit_sha256(
        "softmax", preset("base", **same)
    )


def test_sha256_tells_every_field_apart():
    changes = [
        {"input": SQ(5, 10)},
        {"output": UQ(1, 16)},
        {"lanes": 4},
        {"max_length": 1023},
        {"range": 9.5},
        {"scale": 0.5},
        {"clip": "difference"},
        {"datapath": "exact_sum"},
        {"exp_split": (7, 9)},
        {"mantissa_bits": 19},
        {"exp_bits": 23},
        {"sum_fraction": 31},
        {"reciprocal_bits": 19},
        {"reciprocal_index": 8},
        {"reciprocal_step": 10},
    ]
    hashes = {unit_sha256("softmax", preset("base", **change)) for change in changes}
    assert len(hashes) == len(changes)
    assert unit_sha256("softmax", preset("base")) not in hashes


def test_replace_derives_again_the_widths_that_were_not_set_by_hand():
    config = preset("base").replace(output=UQ(0, 8))
    assert config.widths.mantissa_bits == 11
    by_hand = preset("base", mantissa_bits=20).replace(output=UQ(0, 12))
    assert by_hand.widths.mantissa_bits == 20
    assert by_hand.widths.reciprocal_bits == 14


def test_a_configuration_is_frozen_equal_by_value_and_hashable():
    config = preset("base")
    with pytest.raises(AttributeError):
        config.lanes = 4
    assert config == SoftmaxConfig()
    assert hash(config) == hash(SoftmaxConfig())


@pytest.mark.parametrize(
    ("fraction", "max_length", "count"), [(8, 1024, 1), (8, 25, 0), (8, 26, 1)]
)
def test_an_output_too_narrow_for_the_row_says_so(fraction, max_length, count):
    notes = preset("base", output=UQ(0, fraction), max_length=max_length).notes()
    assert len(notes) == count
    assert all(f"UQ(0, {fraction})" in note and str(max_length) in note for note in notes)


# Rows that come twice

HELD = preset("base", datapath="exact_sum", max_length=100)


@pytest.mark.parametrize("length", [None, 100])
def test_a_buffer_of_the_longest_row_is_none(length):
    config = HELD.replace(buffer_length=length)
    assert not config.two_passes
    assert (config.held_length, config.held_beats) == (100, 13)
    assert HELD.replace(datapath="max_subtract", buffer_length=length).held_length == 100
    for unit in ("softmax", "cross_entropy", "softmax_backward"):
        assert unit_sha256(unit, config) == unit_sha256(unit, HELD)


@pytest.mark.parametrize(("length", "beats"), [(8, 1), (9, 2), (99, 13)])
def test_a_shorter_buffer_is_another_unit_of_the_same_bits(length, beats):
    config = HELD.replace(buffer_length=length)
    assert config.two_passes
    assert (config.held_length, config.held_beats) == (length, beats)
    assert config.widths == HELD.widths
    for unit in ("softmax", "cross_entropy"):
        assert unit_sha256(unit, config) != unit_sha256(unit, HELD)
    assert unit_sha256("softmax_backward", config) == unit_sha256("softmax_backward", HELD)
    assert SoftmaxConfig.from_dict(json.loads(json.dumps(config.to_dict()))).two_passes


@pytest.mark.parametrize("length", [0, -1, 7, 101, 10.0, "16", True])
def test_a_buffer_that_holds_no_beat_or_more_than_the_longest_row_is_refused(length):
    sentence = f"buffer_length must be a whole number from 8 to 100, not {length!r}"
    with pytest.raises(ConfigError, match=f"^{re.escape(sentence)}$"):
        HELD.replace(buffer_length=length)


def test_a_buffer_of_rows_of_less_than_a_beat_is_one_of_those():
    assert not HELD.replace(max_length=5, buffer_length=5).two_passes
    with pytest.raises(ConfigError, match=r"^buffer_length must be a whole number from 5 to 5"):
        HELD.replace(max_length=5, buffer_length=4)


def test_rows_come_twice_in_exact_sum_alone():
    sentence = (
        "buffer_length must be max_length (100) or not be given in max_subtract, which would need "
        "a third pass, not 16"
    )
    with pytest.raises(ConfigError, match=f"^{re.escape(sentence)}$"):
        HELD.replace(buffer_length=16, datapath="max_subtract")
