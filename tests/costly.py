"""Tests that cost seconds beside others of their kind, left to ``make test-long``.

Most kinds have rows that stay in ``make test``, which is held to 12 minutes on two idle cores.
"""

import re
from collections.abc import Sequence

PATTERNS = (
    # a netlist, a placed design, or a block of memory for every way to make it
    r"fpga/test_gate_level\.py::test_the_netlist_equals_the_golden_model\[(ice40|xilinx)",
    r"fpga/test_gate_level\.py::test_one_wrong_lut_is_caught",
    r"fpga/test_cell_models\.py::test_every_block_does_what_the_plain_verilog_does",
    r"fpga/test_synth_command\.py::test_a_unit_goes_through_to_a_report",
    r"fpga/test_tables\.py::test_every_flipped_bit_is_found",
    r"fpga/test_init\.py::test_one_reset_is_enough_in_verilator\[(?!backward)",
    r"fpga/test_init\.py::test_one_reset_is_enough_in_icarus\[7-series",
    r"fpga/test_tables\.py::test_the_command_fails_though_the_rows_hide_the_flipped_bit",
    # 24-bit inputs: millions of codes
    r"proofs/test_bounds\.py::\w+\[wide",
    r"stages/test_exp\.py::test_wide_exp",
    r"stages/test_ln\.py::test_every_preset_is_proven\w*\[wide",
    r"tests/test_pins\.py::\w+\[wide (?!exact_sum\])",
    # sums in a window: tables of 4096 entries by mpmath, and 24 bits again
    r"units/test_any_range\.py::\w+\[24 bits",
    r"units/test_any_range\.py::test_every_bit\w*\[(512|20 bits out|steep|longest)",
    r"units/test_any_range\.py::test_logarithms_keep\w*\[(steep|fine)",
    # three limbs and their shifters in every lane, cycle by cycle
    r"stages/test_window\.py::test_what_was_under_way\w*\[(?![16]-0 cycles later-1)",
    r"stages/test_window\.py::test_every_row_gives\w*\[.*-16\]",
    r"stages/test_window\.py::test_every_row_gives\w*\[(widest|two|three|mantissa).*-8\]",
    r"stages/test_window\.py::test_a_row_s_sum\w*\[1\]",
    r"units/test_softmax\.py::test_extreme\w*\[window, (many lanes|512|wide mantissa)",
    # the whole unit, cycle by cycle: some paces and lanes of many
    r"units/test_softmax\.py::test_rows_after_a_reset_in_the_middle\w*\[.*[13579]\b",
    r"units/test_softmax\.py::test_latency_is_what_the_unit_says\[.*(2|5)",
    r"units/test_softmax\.py::test_rows_of_every_length\w*\[.*pauses (50|30|80)%",
    r"units/test_softmax\.py::test_rows_without_any_order\w*\[.*pauses (50|30|80)%",
    r"units/test_softmax\.py::test_a_row_in_error\w*\[.*pauses (50|30|80)%",
    r"units/test_softmax\.py::test_rows_back_to_back\w*\[.*(3|5)",
    # a model of its own
    r"sim/test_run\.py::test_the_verilog_equals\w*\[(difference|three lanes|int8|one)\]",
    r"sim/test_run\.py::test_the_verilog_equals\w*\[(row exponent|window)\]",
    r"sim/test_softmax_backward\.py::test_the_verilog_equals\w*\[(?!stochastic)",
    r"sim/test_cross_entropy\.py::test_the_verilog_equals\w*\[(?!exact sum)",
    r"sim/test_(cross_entropy|softmax_backward)\.py::test_a_neighbour_may_do\w*\[s_axis",
    r"sim/test_axi_client\.py::test_a_foreign_client\w*\[(?!tiny)",
    r"sim/test_pace\.py::test_rows_back_to_back\w*\[(?!softmax-exact_sum)",
    r"sim/test_stranger\.py::test_every_unit_starts\w*\[(?!cross_entropy, exact)",
    r"sim/test_stranger\.py::test_the_sidecar_tells_what_goes_in\w*\[(?!exact_sum)",
    r"sim/test_hostile\.py::test_every_frame\w*\[(?!exact sum\])",
    r"sim/test_hostile\.py::test_a_planted_fault\w*\[(?!never_swallow)",
    r"sim/test_faults\.py::\w+\[(max_subtract-(?!swap)|exact_sum-(?!lose))",
    r"sim/test_flight\.py::test_short_rows\w*\[softmax, base",
    r"sim/test_icarus\.py::\w+\[exact sum",
    r"sim/test_pace\.py::test_no_cycle_depends\w*\[(max_subtract|exact_sum-False)",
    r"sim/test_environment\.py::test_a_build_and_a_run\w*\[",
    r"fpga/test_synthesis\.py::test_what_is_left_without\w*\[ice40\]",
    r"fpga/test_synthesis\.py::test_a_unit_that_is_not_placed",
    r"sim/test_passes\.py::test_the_verilog_equals\w*\[\w+-(eight lanes|one lane)\]",
    r"sim/test_passes\.py::test_memories_grow",
    r"softmaxfx/test_sim_units\.py::test_two_at_once",
    r"sim/test_adaptive_softmax\.py::test_tokens_are_as_promised\[told\]",
    r"sim/test_odd_paths\.py::test_a_build_and_a_run\w*\[",
    r"softmaxfx/test_sim_units\.py::test_without_a_unit_all_run",
    # a command and its workers, ended or on another machine
    r"softmaxfx/test_endings\.py::test_a_signal_ends\w*\[(its group-[12]\]|the command-15?\])",
    r"softmaxfx/test_clusters\.py::test_a_job_that_the_queue_ends\w*\[2\]",
    r"softmaxfx/test_other_host\.py::test_results_are_those\w*\[points",
    # a soak, a training run
    r"study/test_soak\.py::test_a_soak_that_starts_again",
    r"study/test_soak\.py::test_the_command_prints_the_seed",
)
WHOLE = 5000
"""Tests that a collection has at least where it is of the whole suite."""


def costly(names: Sequence[str]) -> set[str]:
    """The tests of some names that are left to ``make test-long``.

    Raises:
        ValueError: of the whole suite, a pattern names none.
    """
    found = {pattern: {name for name in names if re.search(pattern, name)} for pattern in PATTERNS}
    for pattern, matched in found.items():
        if not matched and len(names) > WHOLE:
            raise ValueError(f"tests/costly.py names no test by {pattern}")
    return set().union(*found.values())
