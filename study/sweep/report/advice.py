"""A recommendation in words: what it is, what it costs, and why it is that one."""

from .recommend import YARDSTICK, Limit, Recommendation, Verdict
from .texts import figure_text, share_text


def answer(advice: Recommendation) -> str:
    """A recommendation in a line."""
    if advice.chosen is None:
        return "none of the measured configurations"
    return advice.chosen.point.configuration.label


def cost(verdict: Verdict) -> str:
    """What a configuration costs, in a few words."""
    if verdict.design is None:
        return f"{verdict.point.configuration.port_bits} bits in and out, not synthesised"
    lanes = f"{verdict.design.lanes} lane{'s' * (verdict.design.lanes > 1)}"
    return f"{verdict.design.lut:,.0f} LUT on {verdict.design.target}, {lanes}"


def reason(advice: Recommendation) -> str:
    """Why it is recommended, in two or three sentences."""
    if advice.chosen is None:
        if advice.closest is None:
            return "Nothing was measured."
        return (
            f"None of {advice.measured:,} configurations loses as little as {YARDSTICK} in every "
            f"metric. The closest is {advice.closest.point.configuration.label}: "
            f"{_against(advice.closest)}."
        )
    sentences = [
        f"{advice.passing:,} of {advice.measured:,} measured configurations lose no more than "
        f"{YARDSTICK}.",
        f"This is the cheapest of them: {cost(advice.chosen)}."
        if advice.chosen.design
        else _not_designed(advice),
        f"It comes closest to a limit here: {_against(advice.chosen)}.",
    ]
    if advice.cheaper is not None:
        sentences.append(
            f"The next cheaper one fails ({advice.cheaper.point.configuration.label}"
            f"{'; ' + cost(advice.cheaper) if advice.cheaper.design else ''}): "
            f"{_against(advice.cheaper)}."
        )
    elif advice.chosen.design:
        sentences.append("No cheaper design was synthesised, so fewer LUT may do.")
    else:
        sentences.append("No narrower configuration was measured, so fewer bits may do.")
    return " ".join(sentences)


def _not_designed(advice: Recommendation) -> str:
    least = "This is the one with the fewest bits"
    if advice.chosen is None or advice.target is None:
        return f"{least}; none was synthesised."
    if advice.candidates == 0:
        return f"{least}; no design has widths that were measured here."
    return (
        f"{least}, and its area is not known: none of the {advice.candidates} designs on "
        f"{advice.target} is within the limits."
    )


def _against(verdict: Verdict) -> str:
    """The metric that is nearest to its limit, or furthest beyond it."""
    limit = verdict.worst
    distance = limit.metric.distance(verdict.point.metrics)
    return (
        f"{limit.metric.spoken} is off by {lost_text(limit, distance)}, and "
        f"{lost_text(limit, limit.most)} is allowed"
    )


def lost_text(limit: Limit, distance: float | None) -> str:
    """A distance from the ideal; shares in per cent."""
    share = limit.metric.unit == "share"
    text = share_text(distance) if share else figure_text(distance)
    return f"{text} nats" if limit.metric.unit == "nats" and distance is not None else text
