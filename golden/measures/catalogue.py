"""Every metric there is, once: names, headings, units, which way is better, and what each means.

Records of figures, JSON, tables, axes and the columns of a sweep's results take theirs from here.
"""

from dataclasses import fields
from typing import Any

from .metric import WHOLE, Metric

_LOSS, _BACKWARD = ("cross_entropy", "adaptive_softmax"), ("softmax_backward",)
_DESIGN, _RUN = ("design",), ("run",)

POINT = (
    Metric(
        "max_error_unclipped", "Largest error against float64 of the logits",
        "Largest |p - float64 softmax of the original logits|: quantisation and clip count too.",
        short="max error\nunclipped", few="largest error", digits=".2e", said="the largest error",
        resolution=1e-6,
    ),
    Metric(
        "mean_error_unclipped", "Mean error against float64 of the logits",
        "Mean |p - float64 softmax of the original logits| of the active elements.",
        resolution=1e-8,
    ),
    Metric(
        "kl", "KL divergence from float64",
        "Mean over rows of KL(float64 softmax || p), zeros floored to half an LSB and p normalised "
        "again.",
        "nats", field="mean_kl", few="KL, nats", said="the KL divergence", resolution=1e-3,
    ),
    Metric(
        "bound_absolute", "Proven bound, for the codes",
        "What no |p - exact softmax of the clipped codes| exceeds, in any row.",
        said="the proven bound", resolution=1e-7,
    ),
    Metric(
        "bound_ulp", "Proven bound, for the codes",
        "What no |p - exact softmax of the clipped codes| exceeds, in any row.",
        "output LSB", short="proven\nbound", few="proven bound ulp", digits=".3f",
    ),
    Metric(
        "max_error_ulp", "Largest error, for the codes",
        "Largest |p - exact softmax of the clipped codes|, p = 1 against the largest output; never "
        "above the proven bound.",
        "output LSB", short="max error\nulp", digits=".3f",
    ),
    Metric(
        "zero_share", "Probabilities that are 0",
        "Share of the active elements whose probability is 0.",
        "share", short="zero\n%", digits=".2%", said="the share of zeros", resolution=1e-3,
    ),
    Metric(
        "sum_min", "Smallest sum of a row",
        "Smallest sum of the probabilities of a row.",
        sense=None, short="sum p\nmin", digits=".4f", ideal=1.0, resolution=1e-3,
    ),
    Metric(
        "sum_mean", "Mean sum of a row",
        "Mean over rows of the sum of their probabilities.",
        sense=None, short="sum p\nmean", digits=".4f", ideal=1.0, resolution=1e-3,
    ),
    Metric(
        "mass_error", "Largest distance of a row's sum from 1",
        "Largest |sum p - 1| of a row; never above the proven bound of the mass.",
        said="the lost mass", resolution=1e-3,
    ),
    Metric(
        "mass_bound", "Proven bound of the mass",
        "What |sum p - 1| of no row of up to max_length elements exceeds.",
        resolution=1e-3,
    ),
    Metric(
        "bias", "Mean signed error against float64 of the logits",
        "Mean p - float64 softmax of the original logits of the active elements.",
        sense=None, said="the bias", resolution=1e-6,
    ),
    Metric(
        "bias_ulp", "Mean signed error, for the codes",
        "Mean p - exact softmax of the clipped codes, p = 1 against the largest output.",
        "output LSB", sense=None, short="bias\nulp", digits="+.4f",
    ),
    Metric(
        "top1", "Top-1 agreement",
        "Share of the rows whose largest logit has the largest probability, ties shared out.",
        "share", "larger", ideal=1.0, resolution=1e-3,
    ),
    Metric(
        "tie_rate", "Rows whose top is tied",
        "Share of the rows whose largest probability is shared.",
        "share", short="tied\nrows %", digits=".2%", resolution=1e-3,
    ),
    Metric(
        "clip_rate", "Elements clipped",
        "Share of the active elements that the softmax unit clipped.",
        "share", of=("softmax", "softmax_backward", *_LOSS),
        short="clipped\n%", few="elements clipped", digits=".2%", resolution=1e-4,
    ),
    Metric(
        "loss_change", "Change of the mean loss",
        "Mean loss less that of float64 on the original logits.",
        "nats", None, _LOSS[:1], said="the change of the mean loss", resolution=1e-3,
    ),
    Metric(
        "ece", "Expected calibration error",
        "Mean over rows of how far the confidence of their bin is from its share of right rows.",
        ideal="ece_float", resolution=1e-3,
    ),
    Metric(
        "loss_bound_ulp", "Proven bound of the loss",
        "What no |loss - exact cross-entropy of the clipped codes| exceeds, in any row.",
        "loss LSB", of=_LOSS, short="proven\nloss bound", digits=".3f",
        said="the proven bound of the loss",
    ),
    Metric(
        "loss_max_error_ulp", "Largest error of the loss",
        "Largest |loss - exact cross-entropy of the clipped codes|.",
        "loss LSB", of=_LOSS, short="loss error\nulp", digits=".3f",
    ),
    Metric(
        "loss_grad_max_error_ulp", "Largest error of its gradient",
        "Largest |gradient - (p - y)|, p the exact softmax of the clipped codes, saturated as the "
        "gradient is, and 0 where a clipped element has none.",
        "LSB", of=_LOSS, field="max_error_ulp", short="max error\nulp", digits=".3f",
    ),
    Metric(
        "backward_max_error_unclipped", "Largest gradient error against float64",
        "Largest |dS - float64 gradient of the original logits and dP|.",
        of=_BACKWARD, field="max_error_unclipped", short="max error\nunclipped", digits=".2e",
        said="the largest gradient error", resolution=1e-6,
    ),
    Metric(
        "backward_bound_ulp", "Proven bound of gradients",
        "What no |dS - P (dP - D)| of the codes exceeds, where D does not saturate.",
        "gradient LSB", of=_BACKWARD, field="bound_ulp", short="proven\nbound", digits=".3f",
    ),
    Metric(
        "backward_max_error_ulp", "Gradient error, for the codes",
        "Largest |dS - P (dP - D)| of the codes given, saturated as the output is; rows whose D "
        "saturates are left out.",
        "gradient LSB", of=_BACKWARD, field="max_error_ulp", short="max error\nulp", digits=".3f",
    ),
    Metric(
        "backward_saturated_share", "Gradients that saturate",
        "Share of the active elements that were saturated, or D of their row was.",
        "share", of=_BACKWARD, field="saturated_share", short="saturated\n%", digits=".2%",
        resolution=1e-4,
    ),
)  # fmt: skip
"""Of a configuration on rows: what tells configurations apart, in the order of display."""

DESIGN = (
    Metric("lut", "LUT", "Look-up tables of the unit.", of=_DESIGN, digits=WHOLE),
    Metric("ff", "FF", "Flip-flops of the unit.", of=_DESIGN, digits=WHOLE),
    Metric("dsp", "DSP", "Multiplier blocks of the unit.", of=_DESIGN, digits=WHOLE),
    Metric("bram", "BRAM", "Memory blocks of the unit.", of=_DESIGN, digits=WHOLE),
    Metric(
        "fmax_mhz", "Fmax", "Median over the seeds of the highest clock frequency.",
        "MHz", "larger", _DESIGN, short="Fmax MHz", digits=".1f",
    ),
    Metric("fmax_min", "Least Fmax", "Fmax of the worst seed.", "MHz", "larger", _DESIGN),
    Metric("fmax_max", "Most Fmax", "Fmax of the best seed.", "MHz", "larger", _DESIGN),
    Metric(
        "seeds", "Seeds", "Seeds of place-and-route.",
        sense=None, of=_DESIGN, short="seeds", digits=WHOLE,
    ),
    Metric(
        "melem_per_s", "Throughput", "Elements per cycle times Fmax.",
        "Melem/s", "larger", _DESIGN, short="Melem/s",
    ),
    Metric(
        "melem_per_s_per_lut", "Throughput per LUT", "Elements per cycle times Fmax, over the LUT.",
        "Melem/s", "larger", _DESIGN, short="Melem/s per LUT",
    ),
    Metric(
        "elements_per_cycle", "Elements per cycle",
        "Of rows back to back, neighbours never pausing.",
        sense="larger", of=(*_DESIGN, *_RUN), short="elements\nper cycle", digits=".3f",
    ),
    Metric(
        "latency_cycles", "Latency",
        "From the one beat of a row into the idle unit to its beat at the main output.",
        "cycles", of=(*_DESIGN, *_RUN), short="latency\ncycles", digits=WHOLE,
    ),
)  # fmt: skip
"""Of a configuration on a device."""

BESIDE = (
    Metric(
        "backward_power_max", "Largest power of two of dP",
        "The largest power of two that dP, and every error of a gradient, was multiplied by.",
        sense=None, of=_BACKWARD, field="power_max",
    ),
    Metric(
        "backward_power_min", "Smallest power of two of dP",
        "The smallest power of two that dP, and every error of a gradient, was multiplied by.",
        sense=None, of=_BACKWARD, field="power_min",
    ),
    Metric(
        "ece_float", "Expected calibration error of float64",
        "The calibration error of float64 softmax of the original logits.",
        sense=None,
    ),
    Metric(
        "loss_float", "Mean loss of float64", "The mean loss of float64 on the original logits.",
        "nats", None, _LOSS[:1],
    ),
    Metric(
        "top1_high", "Top-1 agreement, upper end", "Upper end of the 95 % interval of top-1.",
        "share", None,
    ),
    Metric(
        "top1_low", "Top-1 agreement, lower end", "Lower end of the 95 % interval of top-1.",
        "share", None,
    ),
)  # fmt: skip
"""What a sweep keeps to explain the others."""

SIMULATION = (
    Metric("rows", "Rows", "Rows that were measured.", sense=None, of=_RUN, short="rows",
           digits=WHOLE),
    Metric("elements", "Elements", "Elements that came out.", sense=None, of=_RUN,
           short="elements", digits=WHOLE),
    Metric("mismatches", "Mismatches", "Elements that differ from the golden model's in any bit.",
           of=_RUN, short="mismatches", digits=WHOLE),
    Metric("cycles", "Cycles", "Clock cycles of the run with random pauses.", sense=None, of=_RUN,
           digits=WHOLE),
    Metric("beats_per_cycle", "Beats per cycle", "That the inputs accept of rows back to back.",
           sense="larger", of=_RUN, digits=".3f"),
    Metric("seconds", "Seconds", "That the run with random pauses took, comparison included.",
           "s", of=_RUN, short="seconds", digits=".1f"),
    Metric(
        "mass_loss_rate", "Rows that lose mass",
        "Share of the rows whose probabilities sum to less than 0.95; rows without an active "
        "element are left out.",
        "share", short="mass lost\nrows %", digits=".2%",
    ),
    Metric(
        "winner_clip_rate", "Winners clipped",
        "Share of the rows whose maximum lies beyond what the unit tells apart; rows without an "
        "active element are left out.",
        "share", short="winner clipped\nrows %", digits=".2%",
    ),
    Metric(
        "winner_tie_rate", "Winners tied by the clip",
        "Share of the rows in which the clip ties the maximum with smaller elements; rows without "
        "an active element are left out.",
        "share", digits=".2%",
    ),
    Metric(
        "loss_grad_bound_ulp", "Proven bound of the loss' gradient",
        "What no |gradient - (p - y)| of the clipped codes exceeds, in any row.",
        "LSB", of=_LOSS, field="bound_ulp", short="proven\nbound", digits=".3f",
    ),
    Metric(
        "loss_grad_max_error_unclipped", "Largest error of the loss' gradient against float64",
        "Largest |gradient - float64 gradient of the original logits|.",
        of=_LOSS, field="max_error_unclipped", short="max error\nunclipped", digits=".2e",
    ),
    Metric(
        "loss_max_error_unclipped", "Largest error of the loss against float64",
        "Largest |loss - float64 loss of the original logits|.",
        "nats", of=_LOSS, digits=".2e",
    ),
    Metric(
        "mean_loss", "Mean loss", "Mean over the rows, or tokens, with a loss.",
        "nats", None, _LOSS, short="mean\nloss", digits=".4f",
    ),
    Metric(
        "ignored_rows", "Rows ignored",
        "Rows, or tokens, without a loss, for their target is outside.",
        sense=None, of=_LOSS, short="rows\nignored", digits=WHOLE,
    ),
    Metric(
        "masked_targets", "Masked targets", "Rows without a loss, for their target is masked.",
        sense=None, of=_LOSS, digits=WHOLE,
    ),
    Metric(
        "gradient_zero_share", "Gradients that are 0",
        "Share of the active elements whose gradient is 0.",
        "share", None, (*_BACKWARD, *_LOSS), field="zero_share", short="zero\n%", digits=".2%",
    ),
)  # fmt: skip
"""Of a simulation alone."""

REFERENCE = (
    Metric(
        "max_ulp", "Largest distance from the golden model",
        "Largest distance of a reference from the golden model; what is beyond the output is "
        "compared with its end.",
        "output LSB", of=("reference",), short="max ulp", digits=".3f",
    ),
    Metric(
        "mean_ulp", "Mean distance from the golden model",
        "Mean distance of a reference from the golden model, likewise.",
        "output LSB", of=("reference",), short="mean ulp", digits=".3f",
    ),
    Metric(
        "to_float64", "Largest distance from NumPy's float64",
        "Largest distance of a reference from NumPy's float64.",
        of=("reference",), short="to float64", digits=".1e",
    ),
)  # fmt: skip
"""Of a float reference, beside the golden model."""

KEPT = (*POINT, *DESIGN, *BESIDE)
"""What a sweep keeps: the columns of its results, in order."""

CATALOGUE = {metric.name: metric for metric in (*KEPT, *SIMULATION, *REFERENCE)}
"""Every metric, by name."""

_BY_FIELD = {field: metric for metric in CATALOGUE.values() for field in metric.fields}
_KEPT = frozenset(KEPT)


def metric_of(of: str, field: str) -> Metric | None:
    """The metric that a field of a record is; one of any run is of every unit of hardware.

    Args:
        of: whose record it is: a unit of hardware, ``design``, ``run`` or ``reference``.
    """
    return _BY_FIELD.get((of, field)) or _BY_FIELD.get(("run", field))


def columns(of: str, *records: Any) -> dict[str, float]:
    """The figures of records that a sweep keeps, by name; one of nothing is not among them.

    Args:
        of: whose records they are; what it shares with another is kept of the first of them.
        records: dataclasses of figures.
    """
    figures = (
        (metric_of(of, one.name), getattr(r, one.name)) for r in records for one in fields(r)
    )
    return {
        metric.name: value
        for metric, value in figures
        if metric in _KEPT and metric.of[0] == of and value is not None
    }
