"""The softmax unit at its ports."""

import numpy as np

from ...golden import preset
from .recording import Recording
from .scene import Scene, around, busy, latency
from .traces import Trace, beats, binary, flag, hexadecimal, level, words
from .traffic import Beat, Reader, Source, beats_of, some_row

INPUT = [
    Trace("s_axis_tvalid", level),
    Trace("s_axis_tready", level),
    Trace("s_axis_tdata", beats),
    Trace("s_axis_tlast", flag),
]


def one_row() -> Scene:
    """A row of three beats, one of whose elements is clipped."""
    config = preset("int8", lanes=4, datapath="exact_sum")
    codes = some_row(config.input, 10, seed=1)
    codes[5] = config.range_code + 1
    return Scene(
        title="softmax: one row of 10 elements on 4 lanes; its element 5 is clipped",
        unit="softmax",
        config=config,
        drivers=[
            Source("s_axis", (2, beats_of(codes, config.input, config.lanes))),
            Reader("m_axis"),
        ],
        traces=[
            *INPUT,
            Trace("m_axis_tvalid", level),
            Trace("m_axis_tdata", beats),
            Trace("m_axis_tkeep", words(binary(4))),
            Trace("m_axis_tuser", words(hexadecimal(7))),
            Trace("m_axis_tlast", flag),
        ],
        cycles=90,
        shown=busy("s_axis", "m_axis"),
        marks=latency("s_axis", "m_axis"),
    )


BLOCKED = range(60, 150)
"""Cycles in which the reader of :func:`back_pressure` takes nothing."""


def back_pressure() -> Scene:
    """Rows of four one-lane beats, and a reader that stops for a while."""
    config = preset("tiny", max_length=4, datapath="exact_sum")
    rows = [beats_of(some_row(config.input, 4, seed=n), config.input, 1) for n in range(40)]
    return Scene(
        title="softmax, tiny: the reader takes nothing for some time",
        unit="softmax",
        config=config,
        drivers=[Source("s_axis", *((1, row) for row in rows)), Reader("m_axis", BLOCKED)],
        traces=[
            *INPUT[:3],
            Trace("m_axis_tvalid", level),
            Trace("m_axis_tready", level),
            Trace("m_axis_tdata", beats),
        ],
        cycles=BLOCKED.stop + 20,
        shown=around(["s_axis_tready", "m_axis_tready"], since=BLOCKED.start),
    )


def rows_of_ten() -> Scene:
    """Rows of ten elements on eight lanes, one after the other."""
    config = preset("int8", datapath="exact_sum")
    rows = [beats_of(some_row(config.input, 10, seed=n), config.input, 8) for n in range(60)]

    def shown(recording: Recording) -> set[int]:
        """The start, and the first results."""
        first = recording.taken("m_axis")[0, 0]
        return {*range(1, 6), *range(first - 2, first + 9)}

    return Scene(
        title="softmax: rows of 10 elements on 8 lanes, back to back",
        unit="softmax",
        config=config,
        drivers=[Source("s_axis", *((2, row) for row in rows)), Reader("m_axis")],
        traces=[
            *INPUT,
            Trace("m_axis_tvalid", level),
            Trace("m_axis_tdata", beats),
            Trace("m_axis_tkeep", words(hexadecimal(8))),
            Trace("m_axis_tlast", flag),
        ],
        cycles=100,
        shown=shown,
    )


OUTPUT_OF_TWO_LANES = [
    Trace("m_axis_tvalid", level),
    Trace("m_axis_tdata", words(hexadecimal(16))),
    Trace("m_axis_tkeep", words(binary(2))),
    Trace("m_axis_tuser", words(hexadecimal(5))),
    Trace("m_axis_tlast", flag),
]


def _two_lane_rows(*lengths: int) -> list[list[Beat]]:
    """Rows of equal elements, so that their probabilities are known at a glance."""
    config = preset("int8")
    return [beats_of(np.zeros(length, np.int64), config.input, 2) for length in lengths]


def hole() -> Scene:
    """Three rows; the second one's first beat lacks its lower element."""
    rows = _two_lane_rows(4, 4, 3)
    rows[1][0]["tkeep"] = 0b10
    return Scene(
        title="softmax, 2 lanes: row 1 has a hole in tkeep",
        unit="softmax",
        config=preset("int8", lanes=2, datapath="exact_sum"),
        drivers=[Source("s_axis", *((2, row) for row in rows)), Reader("m_axis")],
        traces=[
            Trace("s_axis_tvalid", level),
            Trace("s_axis_tdata", beats),
            Trace("s_axis_tkeep", words(binary(2))),
            *OUTPUT_OF_TWO_LANES,
        ],
        cycles=90,
        shown=busy("s_axis", "m_axis"),
    )


def too_long() -> Scene:
    """A row of six beats where three is the most, then a row of two."""
    rows = _two_lane_rows(12, 4)
    return Scene(
        title="softmax, 2 lanes, max_length 6: row 0 has 12 elements",
        unit="softmax",
        config=preset("int8", lanes=2, max_length=6, datapath="exact_sum"),
        drivers=[Source("s_axis", *((2, row) for row in rows)), Reader("m_axis")],
        traces=[*INPUT, *OUTPUT_OF_TWO_LANES],
        cycles=90,
        shown=busy("s_axis", "m_axis"),
    )
