"""The networks of the recordings: their rows are there, without the networks."""

from collections.abc import Sequence

from ...golden.measures.row_record import RANGES
from .. import recordings
from .seen import Seen, seen

HEADS, LAYERS = 4, 4
"""Of the language model, see :mod:`..language_model`, which needs torch."""


def digits(seed: int, ranges: Sequence[float] = RANGES) -> list[Seen]:
    """The logits of the classifier of handwritten digits."""
    return [seen("last layer: logits", {"": recordings.load("digits")}, seed, ranges=ranges)]


def language(seed: int, ranges: Sequence[float] = RANGES) -> list[Seen]:
    """The attention of the small language model: all heads when it is trained, and the first head
    of each layer in the course of training."""
    scores = recordings.load("attention")
    tokens = scores.shape[1]
    maps = scores.reshape(-1, LAYERS, HEADS, tokens, tokens)  # texts first
    found = [
        seen(
            f"layer {layer + 1}: attention",
            {"": maps[:, layer].swapaxes(0, 1).reshape(-1, tokens)},
            seed,
            HEADS,
            decides=False,
            ranges=ranges,
        )
        for layer in range(LAYERS)
    ]
    steps = {step: recordings.training_gradients(step)[0] for step in recordings.training_steps()}
    return found + [
        seen(
            f"layer {layer + 1}: attention, head 1 in training",
            {
                f"after {step:,} updates": rows[layer * tokens : (layer + 1) * tokens]
                for step, rows in steps.items()
            },
            seed,
            decides=False,
            ranges=ranges,
        )
        for layer in range(LAYERS)
    ]


RECORDED = {"digits": digits, "language": language}
"""By the names of ``--model``."""
