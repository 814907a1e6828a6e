"""What the curves of a source say, in sentences: every one from the results."""

from ....golden.measures.catalogue import CATALOGUE
from .curves import FACTOR, WIDTHS, Curve, curve, swept_widths
from .gathered import Point
from .texts import figure_text, share_text

MINUS = "\N{MINUS SIGN}"

_MAIN = {
    "input": ("max_error_unclipped",),
    "output": ("max_error_unclipped", "kl"),
    "grad_input": ("backward_max_error_unclipped",),
    "grad_output": ("backward_max_error_unclipped",),
    "loss": ("loss_change",),
}
"""The metrics that a width is judged by; widths inside by the proven bound."""


def seen(points: list[Point]) -> list[str]:
    """What the curves of a source say, a sentence or two for each width and for top-1."""
    widths: dict[str, list[str]] = {}
    for width in swept_widths(points):
        sentences = [
            _curve_text(found)
            for name in _MAIN.get(width, ("bound_absolute",))
            if (found := curve(points, CATALOGUE[name], width)) is not None
        ]
        if width == "output" and (found := curve(points, CATALOGUE["zero_share"], width)):
            sentences.append(_zero_text(found))
        if sentences:  # widths that were swept together say the same
            widths.setdefault(" ".join(sentences), []).append(WIDTHS[width])
    texts = [
        f"**{' and '.join(names).capitalize()} bits.** {text}" for text, names in widths.items()
    ]
    return [*texts, *_top1_text(points), *_loss_text(points)]


def _curve_text(found: Curve) -> str:
    name = found.metric.subject
    first, last = found.bits[0], found.bits[-1]
    unit = {"": "", "share": ""}.get(found.metric.unit, f" {found.metric.unit}")
    values = {bits: f"{figure_text(found.at(bits))}{unit}" for bits in found.bits}
    if found.shape == "flat":
        gain = found.at(first) / found.at(last) if found.at(last) else 1.0
        text = (
            f"{name} is {values[first]} at {first} bits and at {last}: more bits gain nothing."
            if values[first] == values[last]
            else f"{name} is {values[first]} at {first} bits and {values[last]} at {last}: more "
            f"bits gain {f'less than a factor of {FACTOR:g}' if gain > 1 else 'nothing'}."
        )
        return text + _clip_text(found)
    if found.shape == "falling":
        return (
            f"{name} falls from {values[first]} at {first} bits to {values[last]} at {last}, the "
            "widest measured, and has not levelled off."
        )
    assert found.knee is not None, "a curve with a knee has its bits"
    return (
        f"{name} falls from {values[first]} at {first} bits to {values[found.knee]} at the knee of "
        f"{found.knee}; {last} bits give {values[last]}."
    )


def _clip_text(found: Curve) -> str:
    """Why bits do not help, where it is the clip."""
    rate = found.best[-1].metrics.get("clip_rate")
    if found.metric.name != "max_error_unclipped" or not rate:
        return ""
    return f" {share_text(rate)} of the elements are clipped there, and no bits undo that."


def _zero_text(found: Curve) -> str:
    first, last = found.bits[0], found.bits[-1]
    few, many = share_text(found.at(first)), share_text(found.at(last))
    if few == many:
        return f"{few} of the probabilities are 0, whatever the bits."
    return f"{few} of the probabilities are 0 with {first} bits, {many} with {last}."


def _top1_text(points: list[Point]) -> list[str]:
    known = [point for point in points if point.metrics.get("top1") is not None]
    if len(known) < 2:
        return []
    values = [point.metrics["top1"] or 0.0 for point in known]
    low, high = min(values), max(values)
    widest = max(
        (point.metrics.get("top1_high") or 0.0) - (point.metrics.get("top1_low") or 0.0)
        for point in known
    )
    text = (
        f"**Top-1.** The float64 winner is among the unit's largest in {share_text(low)} to "
        f"{share_text(high)} of the rows."
    )
    if high - low <= widest:
        return [f"{text} One interval of 95 % is as wide as that: top-1 tells nothing apart here."]
    close = sum(high - value <= widest for value in values)
    return [
        f"{text} {close:,} of {len(known):,} configurations lie within one interval of 95 % of the "
        "best: top-1 cannot decide between those."
    ]


def _loss_text(points: list[Point]) -> list[str]:
    known = [point.metrics for point in points if point.metrics.get("loss_change") is not None]
    if len(known) < 2:
        return []
    changes = [metrics["loss_change"] or 0.0 for metrics in known]
    before = known[0].get("loss_float")
    beside = "" if before is None else f"; in float64 it is {figure_text(before)}"
    text = (
        f"**Loss.** The mean loss changes by {_signed(min(changes))} to {_signed(max(changes))} "
        f"nats over all configurations{beside}."
    )
    errors = [m["ece"] or 0.0 for m in known if m.get("ece") is not None]
    float_error = known[0].get("ece_float")
    if errors and float_error is not None:
        text += (
            f" The expected calibration error lies between {figure_text(min(errors))} and "
            f"{figure_text(max(errors))}; float64's is {figure_text(float_error)}."
        )
    return [text]


def _signed(value: float) -> str:
    return f"{'+' if value > 0 else MINUS if value < 0 else ''}{figure_text(abs(value))}"
