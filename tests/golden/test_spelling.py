"""Spellings of formats from other tools: read where they mean what the hardware does."""

import re

import pytest

from softmaxfx.golden import SQ, UQ, parse_format

READ = [
    ("ap_fixed<16,5,AP_RND,AP_SAT>", SQ(5, 11)),
    ("ap_fixed< 16, 5, AP_RND, AP_SAT >", SQ(5, 11)),
    ("AP_FIXED<16,5,ap_rnd,ap_sat>", SQ(5, 11)),
    ("ap_fixed<16,5,AP_RND>", SQ(5, 11)),
    ("ap_fixed<16,5,AP_RND,AP_SAT,0>", SQ(5, 11)),
    ("ap_ufixed<16,0,AP_RND,AP_SAT>", UQ(0, 16)),
    ("fixed<16,5,RND,SAT>", SQ(5, 11)),
    ("ufixed<8,0,RND,SAT>", UQ(0, 8)),
    ("ac_fixed<16,5>", SQ(5, 11)),
    ("ac_fixed<16,5,true>", SQ(5, 11)),
    ("ac_fixed<16, 0, false, AC_RND, AC_SAT>", UQ(0, 16)),
    ("fixdt(1,16,11)", SQ(5, 11)),
    ("fixdt(0, 16, 16)", UQ(0, 16)),
    ("numerictype(true, 16, 11)", SQ(5, 11)),
    ("sfix16_En11", SQ(5, 11)),
    ("ufix16_En16", UQ(0, 16)),
    ("sfix8", SQ(8, 0)),
    ("\tSQ ( 5 , 11 )\n", SQ(5, 11)),
    ("uq0.16", UQ(0, 16)),
]


@pytest.mark.parametrize(("text", "fmt"), READ)
def test_a_spelling_of_another_tool_is_read(text, fmt):
    assert parse_format(text) == fmt


ROUNDING, OVERFLOW = "round half up (AP_RND)", "saturate (AP_SAT)"
OTHER_MODES = [
    ("ap_fixed<16,5,AP_TRN>", ROUNDING, "AP_TRN"),
    ("ap_fixed<16,5,AP_TRN,AP_WRAP>", ROUNDING, "AP_TRN"),
    ("ap_fixed<16,5,AP_TRN_ZERO,AP_SAT>", ROUNDING, "AP_TRN_ZERO"),
    ("ap_fixed<16,5,AP_RND_CONV,AP_SAT>", ROUNDING, "AP_RND_CONV"),
    ("ap_fixed<16,5,AP_RND_INF>", ROUNDING, "AP_RND_INF"),
    ("fixed<16,5,RND_ZERO>", ROUNDING, "RND_ZERO"),
    ("fixed<16,5,RND,WRAP>", OVERFLOW, "WRAP"),
    ("ap_fixed<16,5,AP_RND,AP_SAT_SYM>", OVERFLOW, "AP_SAT_SYM"),
    ("ap_fixed<16,5,AP_RND,AP_SAT_ZERO>", OVERFLOW, "AP_SAT_ZERO"),
    ("ap_fixed<16,5,AP_RND,AP_WRAP,0>", OVERFLOW, "AP_WRAP"),
    ("ac_fixed<16,5,true,AC_TRN,AC_WRAP>", ROUNDING, "AC_TRN"),
]


@pytest.mark.parametrize(("text", "does", "mode"), OTHER_MODES)
def test_a_mode_that_the_hardware_lacks_is_refused_with_what_it_has(text, does, mode):
    sentence = f"format must {does}, which is what the hardware does, not {mode}, as in {text!r}"
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        parse_format(text)


UNREAD = [
    "ap_fixed<16,5,AP_SAT,AP_RND>", "ap_fixed<16,5,AP_RND,AP_SAT,3>", "ap_fixed<16,5,BANKERS>",
    "ap_fixed<16,5,>", "ap_fixed<16;5>", "ac_fixed<16,5,maybe>", "fixdt(1,16)", "fixdt(2,16,11)",
    "sfix16_E3", "sfix16_En", "Q15", "s16.11", "<16,5>", "SQ(5,11)SQ(5,11)", "SQ(5.0,11)",
    "SQ(\N{FULLWIDTH DIGIT FIVE},11)", f"SQ({'9' * 5000},1)", None, 5, b"SQ(5, 11)",
]  # fmt: skip


@pytest.mark.parametrize("text", UNREAD, ids=lambda text: repr(text)[:30])
def test_anything_else_is_refused_with_the_spellings(text):
    with pytest.raises(ValueError, match=r"^format must be spelled like SQ\(5, 11\), .*, not "):
        parse_format(text)


def test_a_legal_type_of_hls_without_integer_bits_is_refused_for_what_it_is():
    with pytest.raises(ValueError, match="non-negative integer and fraction bits"):
        parse_format("ap_fixed<8,-2>")
