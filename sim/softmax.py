"""What the simulation knows of the softmax unit."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from ..golden.config import SoftmaxConfig
from ..golden.measures.losses import Losses
from ..golden.measures.metrics import Metrics, probabilities
from ..golden.measures.summary import within
from ..golden.ports.frame import Frames
from ..golden.ports.status import STATUS_BITS
from ..golden.proofs.bounds import bound_ulp
from ..golden.rows import LogitRows
from ..golden.types import Bits, Codes
from ..golden.units.softmax import SoftmaxRows, softmax_rows
from .beats import Beats, in_beats, pack_rows
from .frames import FRAMES, frame_shape, some_masked, with_data
from .kind import Answer, Measured, in_width, shortened
from .paced import Paced, longest_first
from .passes import hostile_passes, in_passes, rows_of
from .scoreboard import Expected
from .sidecar import Stream, Unit


class Softmax:
    """A kind of unit, see :class:`.kind.Kind`; its rows are rows of logits."""

    frames = (*FRAMES, "masked", "all masked")

    def pack(self, rows: LogitRows, unit: Unit) -> dict[str, Beats]:
        return {"s_axis": pack_logits(rows, unit)}

    def expect(self, sent: Mapping[str, Beats], unit: Unit) -> Answer:
        config, beats = unit.config, sent["s_axis"]
        frames = rows_of(beats, unit)
        width = row_width(frames, config)
        left_out = ~frames.present | frames.masked
        result = softmax_rows(frames.codes[:, :width], config, left_out[:, :width])
        nothing = frames.error & (frames.sound == 0)
        good = ~nothing[:, None]
        exponent = np.where(nothing, 0, result.exponent)
        result = SoftmaxRows(np.where(good, result.p, 0), result.clipped & good, exponent)
        status = np.zeros((len(frames.beats), STATUS_BITS), bool)
        expected = Expected(
            row_beats(
                result.p,
                result.clipped,
                status,
                exponent,
                frames,
                beats.ident,
                unit.stream("m_axis"),
            ),
            np.repeat(np.arange(len(frames.beats)), frames.beats),
            {"input code": in_beats(frames.codes, frames.beats, unit.lanes)},
        )
        return Answer({"m_axis": expected}, result)

    def measure(self, answer: Answer, rows: LogitRows, config: SoftmaxConfig) -> Measured:
        padded: SoftmaxRows = answer.result
        p, clipped = in_width(padded.p, rows), in_width(padded.clipped, rows)
        result = replace(padded, p=p, clipped=clipped)
        given, bound = probabilities(result, rows, config), bound_ulp(config)
        lost = Losses.of(config, rows, result.p, result.exponent)
        metrics = Metrics.of(given, lost)
        return Measured(
            metrics=metrics,
            bound_ulp=bound,
            bounds_kept=within(metrics.max_error_ulp, bound),
            probabilities=result.p[rows.active],
            errors=given.errors,
            lost=lost,
        )

    def rows(self, logits: LogitRows, config: SoftmaxConfig, rng: np.random.Generator) -> LogitRows:
        return logits

    def logits(self, rows: LogitRows) -> LogitRows:
        return rows

    def shortened(self, rows: LogitRows, chosen: Codes, lengths: Codes) -> LogitRows:
        return shortened(rows, chosen, lengths)

    def paced(self, rows: LogitRows, unit: Unit) -> Paced:
        return longest_first(self, rows, tuple(stream.name for stream in unit.inputs))

    def hostile_frame(self, frame: str, unit: Unit, rng: np.random.Generator) -> dict[str, Beats]:
        return {"s_axis": hostile_logits(frame, unit, rng)}


def pack_logits(rows: LogitRows, unit: Unit) -> Beats:
    """Rows of logits as beats of ``s_axis``, whose tuser is the mask."""
    stream, masked = unit.stream("s_axis"), rows.present & ~rows.active
    user = in_beats(masked, -(-rows.lengths // stream.lanes), stream.lanes)
    beats = pack_rows(rows.codes(unit.config), rows.lengths, stream, user)
    return in_passes(beats, rows.lengths, unit)


def hostile_logits(
    frame: str, unit: Unit, rng: np.random.Generator, elements: int | None = None
) -> Beats:
    """A frame of ``s_axis``, see :func:`.frames.frame_shape`; ``"masked"``, ``"all masked"``; where
    rows come twice, in passes of :data:`.passes.FRAMES`."""
    stream = unit.stream("s_axis")
    shape = frame_shape(frame, stream, unit.config, rng, elements)
    user = some_masked(shape, unit.lanes, frame, rng)
    beats = with_data(shape, stream, unit.config.input, rng, user)
    return hostile_passes(frame, beats, unit, rng) if unit.two_passes else beats


def row_width(frames: Frames, config: SoftmaxConfig) -> int:
    """Elements of the longest row; beyond ``max_length`` only error rows have any."""
    return min(frames.codes.shape[1], config.max_length)


def row_beats(
    data: Codes,
    clipped: Bits,
    status: Bits,
    exponent: Codes,
    frames: Frames,
    ident: Codes,
    stream: Stream,
) -> Beats:
    """The beats in which rows leave; all lanes of those in error are kept, and 0.

    Args:
        data, clipped: (rows, elements). exponent: (rows,).
        status: (rows, STATUS_BITS), of their beats that are not in error.
        ident: tid of each beat of the stream that the frames were cut from.
    """
    row = np.repeat(np.arange(len(frames.beats)), frames.beats)
    faulty, good = frames.faulty, ~frames.faulty[:, None]
    keep = in_beats(frames.present, frames.beats, stream.lanes) | ~good
    of_beat = status[row] & good
    of_beat[:, 0] = faulty
    last = np.append(row[1:] != row[:-1], True)[: len(row)]
    return Beats(
        data=in_beats(data, frames.beats, stream.lanes) * good,
        keep=np.repeat(keep[:, :, None], stream.octets, axis=2),
        user=np.concatenate(
            [
                of_beat,
                in_beats(clipped, frames.beats, stream.lanes) & good,
                exponent_flags(np.where(faulty, 0, exponent[row]), stream),
            ],
            axis=1,
            dtype=bool,
        ),
        last=last & frames.whole[row],
        ident=frames.ident(ident)[row],
    )


def exponent_flags(exponent: Codes, stream: Stream) -> Bits:
    """Exponents of beats as the bits of tuser above those of status and lanes, (beats, bits)."""
    return exponent[:, None] >> np.arange(stream.user - STATUS_BITS - stream.lanes) & 1 > 0
