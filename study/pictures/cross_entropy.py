"""The cross-entropy unit at its ports."""

from ...golden import preset
from .scene import Scene, busy
from .traces import Trace, beats, hexadecimal, level, words
from .traffic import Reader, Source, beats_of, some_row

TARGETS = ((2, 1), (5, 0), (9, 3), (10, -1))
"""(cycle in which it is offered, class index) of every row."""
ROWS = (4, 5, 6, 7)
"""The cycle in which each row's first beat is offered."""


def targets() -> Scene:
    """Rows whose targets come before them, with them and after them; the last one is ignored."""
    config = preset("int8", lanes=4, datapath="exact_sum")
    rows = [beats_of(some_row(config.input, 4, seed=n), config.input, 4) for n in range(len(ROWS))]
    wanted = [(start, [{"tdata": index % (1 << 32)}]) for start, index in TARGETS]
    traces = [
        Trace("s_axis_tvalid", level),
        Trace("s_axis_tdata", beats),
        Trace("s_axis_target_tvalid", level),
        Trace("s_axis_target_tdata", words(_signed)),
        Trace("m_axis_tvalid", level),
        Trace("m_axis_tdata", beats),
        Trace("m_axis_tuser", words(hexadecimal(7))),
        Trace("m_axis_loss_tvalid", level),
        Trace("m_axis_loss_tdata", words(lambda code: f"{config.loss.to_float(code):.2f}")),
        Trace("m_axis_loss_tuser", words(hexadecimal(3))),
    ]
    return Scene(
        title="cross_entropy: targets come before, with and after their rows; row 3 has none",
        unit="cross_entropy",
        config=config,
        drivers=[
            Source("s_axis", *zip(ROWS, rows, strict=True)),
            Source("s_axis_target", *wanted),
            Reader("m_axis"),
            Reader("m_axis_loss"),
        ],
        traces=traces,
        cycles=110,
        shown=busy("s_axis", "s_axis_target", "m_axis", "m_axis_loss"),
    )


def _signed(index: int) -> str:
    """A class index of 32 bits; the negative ones are those that torch ignores."""
    return str(index - (index >> 31 << 32))
