"""The backward unit at its ports."""

import numpy as np

from ...golden import preset
from .recording import Recording
from .scene import Scene, around, latency
from .traces import Trace, beats, level
from .traffic import Reader, Source, beats_of, some_row


def joined() -> Scene:
    """P comes as fast as it is taken, dP some time later."""
    config = preset("int8", lanes=4)
    p = [np.full(16, 1 << config.output.f - 4)] * 9
    dp = [some_row(config.grad_input, 16, seed=n, below=0.9) for n in range(len(p))]

    def shown(recording: Recording) -> set[int]:
        """The start, the time in which P waits, and the first results."""
        first = recording.taken("m_axis")[0, 0]
        waits = around(["s_axis_p_tready"], since=5)(recording)
        return {*range(1, 4), *range(min(waits), max(waits) + 1), *range(first - 1, first + 4)}

    return Scene(
        title="softmax_backward: dP comes later than P, rows of four beats",
        unit="softmax_backward",
        config=config,
        drivers=[
            Source("s_axis_p", *((2, beats_of(row, config.output, 4)) for row in p)),
            Source("s_axis_dp", *((22, beats_of(row, config.grad_input, 4)) for row in dp)),
            Reader("m_axis"),
        ],
        traces=[
            *(
                Trace(f"s_axis_{port}_{signal}", show)
                for port in ("p", "dp")
                for signal, show in (("tvalid", level), ("tready", level), ("tdata", beats))
            ),
            Trace("m_axis_tvalid", level),
            Trace("m_axis_tdata", beats),
        ],
        cycles=90,
        shown=shown,
        marks=latency("s_axis_dp", "m_axis"),
    )
