"""The backward unit as a graph: dS = P∘(dP - D), behind the softmax unit that P comes from.

Its value ``ds`` is the gradient that flows back to x in the graph of softmax, seeded with ``dp``.
"""

import numpy as np

from ..config import SoftmaxConfig
from ..errors import require
from ..stages.gradient import Gradient
from ..types import Reals
from ..units.softmax import softmax
from ..units.softmax_backward import backward_rows
from .fixed import Fixed
from .softmax import X
from .stages import HardwareValues, clip_text, clipped_codes


def softmax_backward_text(config: SoftmaxConfig | None) -> str:
    """D = Σ P∘dP, dS = P∘(dP - D)."""
    lines, c = clip_text(config)
    scaled = c if config is None or config.scale == 1 else f"{c} * {config.scale!r}"
    return (
        f"{X}dp : grad_input = 0.5 0 0\n{lines}p : output = softmax({scaled})\n"
        "d = sum(p * dp)\nu = dp - d\nds : grad_output = p * u\n"
    )


def softmax_backward_values(given: dict[str, Reals], config: SoftmaxConfig) -> HardwareValues:
    """Every node of the backward unit, and what the softmax unit hands to it.

    Raises:
        ConfigError: dp is not as long as x.
    """
    codes = config.input.quantize(given["x"])
    p = softmax(codes, config)
    dp = config.grad_input.quantize(given["dp"])
    require(dp.shape == p.shape, f"dp must have the {p.size} elements of x, not {dp.size}")
    rows = backward_rows(p, dp, config, np.zeros(p.shape, bool))
    dot = Gradient.of(config).dot
    d, _ = dot(p, dp)
    u = (dp << (dot.output.f - dot.dp.f)) - d
    return {
        "c": Fixed.of_codes(clipped_codes(codes, config), config.input, config.input.f),
        "p": Fixed.of_codes(p, config.output, config.output.f),
        "d": Fixed.of_codes(d, dot.output, dot.output.f),
        "u": Fixed.of_codes(u, dot.difference, dot.difference.f),
        "ds": Fixed.of_codes(rows.ds, config.grad_output, config.grad_output.f),
    }
