"""What a simulation must show, and what it is called where it does not."""

from .run import Simulation

LEAST_BEATS_PER_CYCLE = 0.95
"""Of rows back to back, neighbours never pausing: every unit's promise, however short they are."""
FIRST_CYCLES = 32
"""Cycles besides, once, in which inputs may refuse until the first of very short rows have left."""


def failures(simulation: Simulation) -> list[str]:
    """What is wrong, a sentence each; nothing where all is as promised.

    Bits first: a unit that gives wrong ones is not measured further.
    """
    score, unit = simulation.score, simulation.unit
    if score.mismatches:
        return [f"MISMATCH {unit.verilog}: {score.first}"]
    found = []
    if not simulation.bounds_kept:
        found.append(
            f"BOUND EXCEEDED {unit.verilog}: error {simulation.metrics.max_error_ulp} ulp, proven "
            f"bound {simulation.bound_ulp} ulp"
        )
    latency = unit.description["latency"]
    promised = latency["fixed"] + latency["per_beat"]
    if simulation.latency_cycles != promised:
        found.append(
            f"LATENCY {unit.verilog}: {simulation.latency_cycles} cycles of a row of one beat, "
            f"{promised} promised"
        )
    allowed = FIRST_CYCLES + simulation.paced_beats * (1 / LEAST_BEATS_PER_CYCLE - 1)
    if simulation.refused_cycles > allowed:
        found.append(
            f"TOO SLOW {unit.verilog}: {simulation.beats_per_cycle:.3f} beats per cycle of rows "
            f"back to back, {LEAST_BEATS_PER_CYCLE:g} promised"
        )
    return found
