"""Rows of exponentials as the stages that add them are given them, and the sums that are due."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from .rows import packed
from .streams import trace

Row = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Mantissa, shift and who takes part, each (beats, lanes)."""
Leads = Mapping[str, Mapping[str, int]]
"""The ports on which a mantissa's "place" and "active" come, and how many cycles ahead of it."""
IDLE = {"i_last": 0, "active": 0}
"""A cycle without a beat."""


def largest_place(golden: Any) -> int:
    """Of a mantissa with shift 0."""
    return golden.fraction - golden.mantissa_bits + 1


def placed(rng: np.random.Generator, golden: Any, shape: tuple, places: np.ndarray):
    """Mantissas of any size and shifts that put them at some of the places; none above 1."""
    largest = largest_place(golden)
    place = rng.choice(places, shape)
    mantissa = rng.integers(0, 1 << golden.mantissa_bits, shape)
    mantissa[rng.random(shape) < 0.2] = (1 << golden.mantissa_bits) - 1
    mantissa[place == largest] = 1 << (golden.mantissa_bits - 1)
    return mantissa, largest - place


def all_active(rows: Iterable[tuple[np.ndarray, np.ndarray]]) -> list[Row]:
    return [(mantissa, shift, np.ones(mantissa.shape, bool)) for mantissa, shift in rows]


def beats_of(exponent: str, golden: Any, row: Row) -> list[dict]:
    """The inputs of a row's beats; ``exponent``: the mantissa's "shift" or "place"."""
    value = row[1] if exponent == "shift" else largest_place(golden) - row[1]
    last = len(row[0]) - 1
    return [
        {
            "i_last": int(beat == last),
            "mantissa": row[0][beat].tolist(),
            exponent: value[beat].tolist(),
            "active": packed(row[2][beat]),
        }
        for beat in range(last + 1)
    ]


def in_advance(stimulus: list[dict], leads: Leads) -> list[dict]:
    """What comes before its mantissa: with the inputs of as many cycles earlier."""
    most = first_lead(leads)
    cycles = []
    for now in range(-most, len(stimulus)):
        here = stimulus[now] if now >= 0 else {}
        inputs = {name: value for name, value in here.items() if name not in leads}
        for name, ports in leads.items():
            for port, lead in ports.items():
                if 0 <= now + lead < len(stimulus) and name in stimulus[now + lead]:
                    inputs[port] = stimulus[now + lead][name]
        cycles.append(inputs)
    return cycles


def first_lead(leads: Leads) -> int:
    """Cycles from the first that is known of a mantissa to the mantissa."""
    return max((lead for ports in leads.values() for lead in ports.values()), default=0)


def active_rows(row: Row) -> tuple[np.ndarray, np.ndarray]:
    """Mantissas, 0 where nobody takes part, and shifts, in one row."""
    mantissa, shift, active = (column.ravel() for column in row)
    return np.where(active, mantissa, 0), shift


def check_sums(
    dut: Any,
    golden: Any,
    rows: list[Row],
    *,
    exponent: str,
    leads: Leads,
    latency: int,
    gold: Callable[[Row], tuple[int, ...]],
    outputs: Sequence[str] = ("o",),
    gaps: float = 0.0,
    before: Sequence[dict] = (),
) -> None:
    """Rows of exponentials: the sums come when they are due.

    ``before``: inputs of cycles before the first row; the last one is a reset, or follows one.
    """
    rng = np.random.default_rng(9)
    stimulus, due = list(before), {}
    ran = {"reset": 0} if before else {}
    for row in rows:
        for beat in beats_of(exponent, golden, row):
            beat |= ran
            while rng.random() < gaps:  # elements in a gap must not matter, for none takes part
                stimulus.append({**beat, **IDLE})
            stimulus.append(beat)
        due[first_lead(leads) + len(stimulus) - 1 + latency] = gold(row)
    stimulus += [IDLE] * (latency + 2)
    seen = trace(dut, in_advance(stimulus, leads), outputs)
    assert {cycle: seen[cycle] for cycle in due} == due


def resets(leads: Leads, coming: Sequence[dict], idle: int) -> Iterable[list[dict]]:
    """Inputs before a row: rows on their way up to each of their beats, a reset, ``idle`` cycles.

    With the reset, inputs still are what they were: what is told in advance is of no mantissa.
    """
    for cycle in range(len(coming)):
        lost = [
            coming[(cycle + k) % len(coming)] | {"i_last": 0, "reset": 0}
            for k in range(1, first_lead(leads) + 1)
        ]
        yield [
            *coming[:cycle],
            coming[cycle] | {"reset": 1},
            *[beat | {name: IDLE[name] for name in IDLE if name not in leads} for beat in lost],
            *[IDLE | {"reset": 0}] * idle,
        ]
