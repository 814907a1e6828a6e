"""What the simulation knows of the backward unit."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from ..golden.config import SoftmaxConfig
from ..golden.formats import Format
from ..golden.measures.backward_metrics import BackwardMetrics, gradients
from ..golden.measures.losses import Losses
from ..golden.measures.summary import within
from ..golden.ports.frame import Frames, cut_frames
from ..golden.ports.join import join
from ..golden.ports.status import STATUS_BITS
from ..golden.proofs.gradient import backward_bound_ulp
from ..golden.rows import LogitRows
from ..golden.types import Bits, Codes, Indices, Reals
from ..golden.units.softmax import softmax_rows
from ..golden.units.softmax_backward import GradientRows, backward_rows
from .beats import Beats, in_beats, pack_rows
from .frames import FRAMES, Shape, frame_shape, full_frame, with_data
from .kind import Answer, Measured, WithLogits, in_width, shortened
from .paced import Paced, longest_first
from .scoreboard import Expected
from .sidecar import Stream, Unit
from .softmax import exponent_flags, row_beats


@dataclass(frozen=True, eq=False, slots=True)
class BackwardRows(WithLogits):
    """Rows of logits, whose softmax was taken, and the gradients that come back.

    Attributes:
        logits: the rows. dp: real gradients of the loss by p, (rows, longest row).
    """

    dp: Reals

    def take(self, rows: slice | Indices) -> "BackwardRows":
        """Some of the rows, no wider than the longest of them."""
        logits = self.logits.take(rows)
        return BackwardRows(logits, self.dp[rows, : logits.values.shape[1]])


@dataclass(frozen=True, eq=False, slots=True)
class BackwardResult:
    """The golden model's rows, with the codes that went in: all (rows, elements); and the rows'
    exponents, (rows,)."""

    rows: GradientRows
    p: Codes
    dp: Codes
    clipped: Bits
    exponent: Codes


MISFITS = (
    "fewer beats", "more beats", "an element fewer", "an element more", "endless dP",
    "hole in dP", "broken container in dP",
)  # fmt: skip
"""What can be wrong with a row of dP whose row of P is good."""
LARGE_SHARE = 0.3
"""Share of the hostile frames whose codes are so large that D or dS saturates."""


class SoftmaxBackward:
    """A kind of unit, see :class:`.kind.Kind`; its rows are :class:`BackwardRows`."""

    frames = (*FRAMES, "good", "good", "both broken", "P in error", *MISFITS)

    def pack(self, rows: BackwardRows, unit: Unit) -> dict[str, Beats]:
        config, logits = unit.config, rows.logits
        p = softmax_rows(logits.codes(config), config, ~logits.active)
        dp = config.grad_input.quantize(np.where(logits.present, rows.dp, 0))
        stream, lengths = unit.stream("s_axis_p"), logits.lengths
        clipped = in_beats(p.clipped, -(-lengths // stream.lanes), stream.lanes)
        of_beat = exponent_flags(np.repeat(p.exponent, -(-lengths // stream.lanes)), stream)
        user = np.pad(np.concatenate([clipped, of_beat], axis=1), [(0, 0), (STATUS_BITS, 0)])
        return {
            "s_axis_p": pack_rows(p.p, lengths, stream, user),
            "s_axis_dp": pack_rows(dp, lengths, unit.stream("s_axis_dp")),
        }

    def expect(self, sent: Mapping[str, Beats], unit: Unit) -> Answer:
        config, p, dp = unit.config, sent["s_axis_p"], sent["s_axis_dp"]
        pairs = join(p.keep, p.last, dp.keep, dp.last)
        p, paired = p.take(slice(len(pairs.partner))), pairs.partner >= 0
        partner = np.zeros_like(p.data)
        partner[paired] = dp.data[pairs.partner[paired]]
        frames = cut_frames(p.data, p.keep, np.zeros_like(p.keep[:, :, 0]), p.last, config)
        faults = _in_rows(pairs.fault[:, None], frames).any(axis=1) | p.user[frames.ends, 0]
        frames = replace(frames, error=frames.error | faults)
        given = frames.present & ~frames.error[:, None]
        p_codes = np.where(given, _in_rows(p.data, frames), 0)
        dp_codes = np.where(given, _in_rows(partner, frames), 0)
        above = STATUS_BITS + unit.lanes
        clipped = given & _in_rows(p.user[:, STATUS_BITS:above], frames)
        of_row = p.user[frames.ends, above:]
        exponent = np.where(frames.error, 0, of_row @ (1 << np.arange(of_row.shape[1])))
        rows = backward_rows(p_codes, dp_codes, config, clipped, exponent, seed=unit.seed or 0)
        rows = GradientRows(np.where(given, rows.ds, 0), rows.saturated & given)
        result = BackwardResult(rows, p_codes, dp_codes, clipped, exponent)

        row = np.repeat(np.arange(len(frames.beats)), frames.beats)
        status = np.zeros((len(frames.beats), STATUS_BITS), bool)
        status[:, 0] = frames.error
        beats = row_beats(
            rows.ds, clipped, status, exponent, frames, p.ident, unit.stream("m_axis")
        )
        # from the first saturated element's beat on
        seen = np.logical_or.accumulate(rows.saturated, axis=1)
        beats.user[:, 1] = in_beats(seen, frames.beats, unit.lanes)[:, -1:].any(axis=1)
        inputs = {"P's code": p_codes, "dP's code": dp_codes}
        led = {name: in_beats(codes, frames.beats, unit.lanes) for name, codes in inputs.items()}
        return Answer({"m_axis": Expected(beats, row, led)}, result)

    def measure(self, answer: Answer, rows: BackwardRows, config: SoftmaxConfig) -> Measured:
        padded: BackwardResult = answer.result
        ds, saturated, p, dp, clipped = (
            in_width(array, rows.logits)
            for array in (
                padded.rows.ds, padded.rows.saturated, padded.p, padded.dp, padded.clipped
            )
        )  # fmt: skip
        result = GradientRows(ds, saturated)
        given = gradients(result, p, dp, clipped, rows.logits, rows.dp, config, padded.exponent)
        metrics = BackwardMetrics.of(given)
        bound = backward_bound_ulp(config)
        return Measured(
            metrics=metrics,
            bound_ulp=bound,
            bounds_kept=within(metrics.max_error_ulp, bound),
            probabilities=p[rows.logits.active],
            errors=given.errors,
            lost=Losses.of(config, rows.logits),
        )

    def rows(
        self, logits: LogitRows, config: SoftmaxConfig, rng: np.random.Generator
    ) -> BackwardRows:
        """Gradients of all sizes; in some rows at the ends of their format, so that dS or D
        saturates."""
        fmt, shape = config.grad_input, logits.values.shape
        top = fmt.max_code * fmt.lsb
        spread = np.exp2(rng.uniform(-fmt.f, 1, (shape[0], 1))) * top
        dp = rng.normal(0, 1, shape) * spread
        ends = np.where(rng.random(shape) < rng.random((shape[0], 1)), top, -top - fmt.lsb)
        dp = np.where(rng.random((shape[0], 1)) < 0.3, ends, dp)
        return BackwardRows(logits, np.where(logits.present, dp, 0))

    def logits(self, rows: BackwardRows) -> LogitRows:
        return rows.logits

    def shortened(self, rows: BackwardRows, chosen: Codes, lengths: Codes) -> BackwardRows:
        return BackwardRows(shortened(rows.logits, chosen, lengths), rows.dp[chosen])

    def paced(self, rows: BackwardRows, unit: Unit) -> Paced:
        return longest_first(self, rows, tuple(stream.name for stream in unit.inputs))

    def hostile_frame(self, frame: str, unit: Unit, rng: np.random.Generator) -> dict[str, Beats]:
        config, p, dp = unit.config, unit.stream("s_axis_p"), unit.stream("s_axis_dp")
        broken = rng.choice(FRAMES[:-1]) if frame == "both broken" else frame
        shape = frame_shape(broken, p, config, rng)
        partner = Shape(np.repeat(shape.keep[:, :, :1], dp.octets, axis=2), shape.last)
        if frame == "both broken":
            partner = frame_shape(rng.choice(FRAMES[:-1]), dp, config, rng)
        elif frame in MISFITS:
            partner = _misfit(frame, shape, dp, config, rng)
        elif frame == "reset" and rng.random() < 0.5:  # one stream may be further than the other
            partner = frame_shape("good", dp, config, rng)
        user = rng.random((len(shape), p.user)) < rng.choice([0.0, 0.2])
        leaves = min(len(shape), config.max_beats) - 1
        user[leaves, 0] = frame == "P in error"
        sent = {
            "s_axis_p": with_data(shape, p, config.output, rng, user),
            "s_axis_dp": with_data(partner, dp, config.grad_input, rng),
        }
        if rng.random() < LARGE_SHARE:
            _enlarge(sent["s_axis_p"].data, config.output, rng)
            _enlarge(sent["s_axis_dp"].data, config.grad_input, rng)
        return sent


def _enlarge(data: Codes, fmt: Format, rng: np.random.Generator) -> None:
    """Fill beats with codes at the ends of their format, one end likelier than the other."""
    high = rng.random(data.shape) < rng.choice([0.1, 0.5, 0.9])
    data[:] = np.where(high, fmt.max_code, fmt.min_code)


def _in_rows(beats: np.ndarray, frames: Frames) -> np.ndarray:
    """What beats hold, (beats, lanes), as rows that leave; 0 beyond a row's beats."""
    most = int(frames.beats.max(initial=1))
    place = np.arange(most) - (frames.beats - 1 - frames.ends)[:, None]
    used = np.arange(most) < frames.beats[:, None]
    rows = np.zeros((len(frames.beats), most, beats.shape[1]), beats.dtype)
    rows[used] = beats[place[used]]
    return rows.reshape(len(rows), most * beats.shape[1])


def _misfit(
    frame: str, shape: Shape, stream: Stream, config: SoftmaxConfig, rng: np.random.Generator
) -> Shape:
    """A frame of dP that does not fit a good one of P."""
    elements, lanes = int(shape.keep[:, :, 0].sum()), stream.lanes
    if frame in ("hole in dP", "broken container in dP"):
        partner = full_frame(elements, stream)
        kept = partner.keep[int(rng.integers(len(partner)))]
        kept &= rng.random((lanes, stream.octets if frame.startswith("broken") else 1)) < 0.5
        return partner
    return full_frame(
        {
            "fewer beats": int(rng.integers(0, elements)),
            "more beats": elements + lanes * int(rng.integers(1, 4)),
            "an element fewer": elements - 1,
            "an element more": elements + 1,
            "endless dP": config.max_beats * lanes * int(rng.integers(2, 6)),
        }[frame],
        stream,
    )
