"""A recommendation in words: what it is, what it costs, and why it is that one."""

from .recommend import YARDSTICK, Limit, Recommendation, Verdict
from .texts import figure_text, share_text


def answer(told: Recommendation) -> str:
    """A recommendation in a line."""
    if told.chosen is None:
        return "none of the measured configurations"
    return told.chosen.point.configuration.label


def cost(verdict: Verdict) -> str:
    """What a configuration costs, in a few words."""
    if verdict.design is None:
        return f"{verdict.point.configuration.port_bits} bits in and out, not synthesised"
    lanes = f"{verdict.design.lanes} lane{'s' * (verdict.design.lanes > 1)}"
    return f"{verdict.design.lut:,.0f} LUT on {verdict.design.target}, {lanes}"


def reason(told: Recommendation) -> str:
    """Why it is recommended, in two or three sentences."""
    if told.chosen is None:
        if told.closest is None:
            return "Nothing was measured."
        return (
            f"None of {told.measured:,} configurations loses as little as {YARDSTICK} in every "
            f"metric. The closest is {told.closest.point.configuration.label}: "
            f"{_against(told.closest)}."
        )
    sentences = [
        f"{told.passing:,} of {told.measured:,} measured configurations lose no more than "
        f"{YARDSTICK}.",
        f"This is the cheapest of them: {cost(told.chosen)}."
        if told.chosen.design
        else _not_designed(told),
        f"It comes closest to a limit here: {_against(told.chosen)}.",
    ]
    if told.cheaper is not None:
        sentences.append(
            f"The next cheaper one fails ({told.cheaper.point.configuration.label}"
            f"{'; ' + cost(told.cheaper) if told.cheaper.design else ''}): "
            f"{_against(told.cheaper)}."
        )
    elif told.chosen.design:
        sentences.append("No cheaper design was synthesised, so fewer LUT may do.")
    else:
        sentences.append("No narrower configuration was measured, so fewer bits may do.")
    return " ".join(sentences)


def _not_designed(told: Recommendation) -> str:
    least = "This is the one with the fewest bits"
    if told.chosen is None or told.target is None:
        return f"{least}; none was synthesised."
    if told.candidates == 0:
        return f"{least}; no design has widths that were measured here."
    return (
        f"{least}, and its area is not known: none of the {told.candidates} designs on "
        f"{told.target} is within the limits."
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
