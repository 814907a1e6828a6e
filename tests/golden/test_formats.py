"""Formats hold, round, saturate and read as written; checked with fractions and apytypes."""

import math
from fractions import Fraction

import numpy as np
import pytest
from apytypes import APyFixed, OverflowMode, QuantizationMode

from softmaxfx.golden.formats import SQ, UQ, Format, parse_format, round_half_up, saturate

SMALL = [SQ(1, 0), SQ(1, 3), SQ(3, 1), SQ(4, 0), UQ(0, 1), UQ(0, 4), UQ(2, 3), UQ(5, 0)]
ids = str


def nearest(value, fmt):
    """The nearest code of an exact value, half up, saturated."""
    code = math.floor(Fraction(value) * 2**fmt.f + Fraction(1, 2))
    low = -(2 ** (fmt.width - 1)) if fmt.signed else 0
    high = 2 ** (fmt.width - 1) - 1 if fmt.signed else 2**fmt.width - 1
    return min(max(code, low), high)


@pytest.mark.parametrize("fmt", SMALL, ids=ids)
def test_codes_reach_from_the_lowest_to_the_highest_number_of_the_width(fmt):
    count = fmt.max_code - fmt.min_code + 1
    assert count == 2 ** (fmt.i + fmt.f)
    assert fmt.min_code == (-(2 ** (fmt.width - 1)) if fmt.signed else 0)
    assert fmt.width == fmt.i + fmt.f
    assert Fraction(fmt.lsb) == Fraction(1, 2**fmt.f)


@pytest.mark.parametrize("fmt", SMALL, ids=ids)
def test_every_value_is_that_of_apytypes(fmt):
    codes = range(fmt.min_code, fmt.max_code + 1)
    values = fmt.to_float(np.array(codes))
    for code, value in zip(codes, values, strict=True):
        fixed = APyFixed(code, int_bits=fmt.i + (not fmt.signed), frac_bits=fmt.f)
        assert float(fixed) == value
        assert Fraction(value) == Fraction(code, 2**fmt.f)


@pytest.mark.parametrize("fmt", SMALL, ids=ids)
def test_quantize_rounds_half_up_and_saturates_like_apytypes(fmt):
    fine = 4  # sixteenths of an LSB, beyond both ends of the format
    codes = range((fmt.min_code - 4) << fine, (fmt.max_code + 4) << fine)
    values = [code / 2 ** (fmt.f + fine) for code in codes]
    gate = fmt.quantize(values)
    for code, value, got in zip(codes, values, gate, strict=True):
        wide = APyFixed(code, int_bits=16, frac_bits=fmt.f + fine)
        # apytypes has a sign bit everywhere: an unsigned format is the non-negative half
        cast = max(wide, APyFixed(0, 16, 0)) if not fmt.signed else wide
        cast = cast.cast(
            int_bits=fmt.i + (not fmt.signed),
            frac_bits=fmt.f,
            quantization=QuantizationMode.RND,
            overflow=OverflowMode.SAT,
        )
        assert float(cast) == fmt.to_float(got), value
        assert got == nearest(value, fmt)


@pytest.mark.parametrize("fmt", [SQ(5, 11), SQ(5, 3), SQ(5, 19), UQ(0, 16), UQ(1, 15)], ids=ids)
def test_quantize_is_the_nearest_code_at_ties_and_their_float_neighbours(fmt):
    rng = np.random.default_rng(1)
    ties = (rng.integers(fmt.min_code, fmt.max_code, 500) + 0.5) * fmt.lsb
    values = np.concatenate(
        [ties, np.nextafter(ties, np.inf), np.nextafter(ties, -np.inf), rng.normal(0, 9, 500)]
    )
    assert fmt.quantize(values).tolist() == [nearest(value, fmt) for value in values]


def test_quantize_does_not_round_the_float_below_one_half_up():
    below = math.nextafter(0.5, 0)
    assert SQ(4, 0).quantize([below, 0.5, -0.5, -math.nextafter(0.5, 1)]).tolist() == [0, 1, 0, -1]


def test_quantize_saturates_infinities_and_huge_floats():
    huge = [np.inf, -np.inf, 1e300, -1e300, 1.7e308, -1.7e308]
    low, high = -(2**15), 2**15 - 1
    assert SQ(5, 11).quantize(huge).tolist() == [high, low] * 3
    assert UQ(0, 16).quantize(huge).tolist() == [65535, 0] * 3


def test_quantize_refuses_nan():
    with pytest.raises(ValueError, match="values to quantize must not be NaN"):
        SQ(5, 11).quantize([0.0, np.nan])


@pytest.mark.parametrize("limit", [0.5, 2.0, 3.5, 10.0, 15.75, 100.0])
def test_quantize_clips_to_the_limit_and_to_the_format(limit):
    fmt = SQ(5, 3)
    values = np.linspace(-20, 20, 4001)
    gold = [nearest(min(max(Fraction(v), -Fraction(limit)), Fraction(limit)), fmt) for v in values]
    assert fmt.quantize(values, limit).tolist() == gold


def test_quantize_keeps_the_shape_and_gives_int64():
    codes = SQ(5, 11).quantize(np.zeros((2, 3, 4), np.float32))
    assert codes.shape == (2, 3, 4)
    assert codes.dtype == np.int64


@pytest.mark.parametrize("fmt", [SQ(5, 11), SQ(48, 0), UQ(0, 48), UQ(24, 24)], ids=ids)
def test_every_value_survives_a_round_trip(fmt):
    rng = np.random.default_rng(2)
    codes = rng.integers(fmt.min_code, fmt.max_code, 1000, endpoint=True)
    codes = np.append(codes, [fmt.min_code, fmt.max_code])
    assert fmt.quantize(fmt.to_float(codes)).tolist() == codes.tolist()


@pytest.mark.parametrize(
    ("signed", "i", "f"),
    [(True, 0, 4), (True, -1, 4), (False, -1, 4), (False, 4, -1), (True, 5, -5)],
)
def test_a_format_without_room_for_its_sign_or_with_negative_bits_is_refused(signed, i, f):
    with pytest.raises(ValueError, match=r"format must have non-negative .*, not [SU]Q\("):
        Format(signed, i, f)


@pytest.mark.parametrize(("signed", "i", "f"), [(False, 0, 0), (True, 40, 9), (False, 0, 49)])
def test_a_format_of_no_or_too_many_bits_is_refused(signed, i, f):
    with pytest.raises(ValueError, match=r"format must be 1 to 48 bits wide, not [SU]Q\("):
        Format(signed, i, f)


@pytest.mark.parametrize("bits", [5.0, 5.5, "5", None])
def test_a_format_whose_bits_are_no_whole_numbers_is_refused_in_a_sentence(bits):
    with pytest.raises(ValueError, match="format must"):
        SQ(bits, 11)


@pytest.mark.parametrize(
    ("text", "fmt"),
    [
        ("SQ(5, 11)", SQ(5, 11)),
        ("sq(5,11)", SQ(5, 11)),
        ("UQ(0, 16)", UQ(0, 16)),
        ("Q5.11", SQ(5, 11)),
        ("SQ5.11", SQ(5, 11)),
        ("UQ0.16", UQ(0, 16)),
        ("ap_fixed<16,5>", SQ(5, 11)),
        ("ap_fixed<16, 5>", SQ(5, 11)),
        ("ap_ufixed<16,0>", UQ(0, 16)),
        ("fixed<16,5>", SQ(5, 11)),
        ("ufixed<8,1>", UQ(1, 7)),
    ],
)
def test_every_spelling_is_read(text, fmt):
    assert parse_format(text) == fmt


@pytest.mark.parametrize("fmt", SMALL, ids=ids)
def test_a_format_reads_what_it_writes(fmt):
    assert parse_format(str(fmt)) == fmt


@pytest.mark.parametrize(
    "text",
    ["", "Q", "5.11", "SQ(5)", "SQ(5,11", "SQ5,11)", "SQ(-5,11)", "Q5.11x", "ap_fixed<16>", "int8"],
)
def test_any_other_spelling_is_refused(text):
    with pytest.raises(ValueError, match=r"format must be spelled like .*, not "):
        parse_format(text)


def test_a_spelling_of_a_format_that_cannot_exist_is_refused():
    with pytest.raises(ValueError, match="non-negative"):
        parse_format("ap_fixed<5,16>")


def test_round_half_up_is_the_nearest_integer_and_a_tie_goes_up():
    codes = np.arange(-300, 300)
    for bits in range(12):
        gold = [math.floor(Fraction(int(c), 2**bits) + Fraction(1, 2)) for c in codes]
        assert round_half_up(codes, bits).tolist() == gold


def test_round_half_up_takes_a_shift_for_every_code_and_never_wraps():
    rng = np.random.default_rng(3)
    codes = rng.integers(-(2**63), 2**63 - 1, 2000, endpoint=True)
    bits = rng.integers(0, 63, codes.size)
    gold = [
        math.floor(Fraction(int(c), 2 ** int(b)) + Fraction(1, 2))
        for c, b in zip(codes, bits, strict=True)
    ]
    assert round_half_up(codes, bits).tolist() == gold


def test_saturate_keeps_what_is_inside_and_limits_the_rest():
    assert saturate(np.arange(-3, 4), -1, 2).tolist() == [-1, -1, -1, 0, 1, 2, 2]
