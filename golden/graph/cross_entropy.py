"""The cross-entropy unit as a graph: the loss, and beside it the gradient that the unit gives.

What flows back to x from the loss is the value of ``g``.
"""

from dataclasses import replace

import numpy as np

from ..config import SoftmaxConfig
from ..errors import require
from ..stages.log_probability import LogProbability
from ..stages.residual import residual_stage
from ..types import Reals
from ..units.cross_entropy import cross_entropy
from .fixed import Fixed
from .softmax import X
from .stages import HardwareValues, RowStages, distance_text


def cross_entropy_text(config: SoftmaxConfig | None) -> str:
    """loss = ln Σ exp(d) - Σ d∘y, and g = p - y."""
    lines, d = distance_text(config)
    return (
        f"{X}y = 1 0 0\n{lines}e = exp({d})\ns = sum(e)\nr = reciprocal(s)\np = e * r\n"
        f"g : loss_grad = p - y\nn = ln(s)\nt = sum({d} * y)\nloss : loss = n - t\n"
    )


def cross_entropy_values(given: dict[str, Reals], config: SoftmaxConfig) -> HardwareValues:
    """Every node of the cross-entropy unit.

    Raises:
        ConfigError: y is not 1 for one class and 0 for the others.
    """
    codes, target = config.input.quantize(given["x"]), _target(given["x"], given["y"])
    loss, grad = cross_entropy(codes, np.asarray(target), config, from_logits=True)
    stages = RowStages.of(given["x"], config)
    elements, residual = stages.elements, residual_stage(config)
    r, q = residual.reciprocal(stages.total)
    p = residual.normalize(elements.mantissa, elements.shift, r, q)[0]
    log, f = LogProbability.of(config, config.loss), config.loss.f
    distances = stages.scaled(log, f)
    scaled = {"z": distances} if config.scale != 1 else {}
    dropped = stages.clipped and config.clip_gradient == "zero"
    note = "0 where x was clipped, as clip_gradient = zero has it" if dropped else ""
    picked = distances.value[target : target + 1]
    return stages.hardware_values() | scaled | {
        "r": stages.reciprocal(),
        "p": Fixed.of_codes(p, f"UQ(1, {config.output.f})", config.output.f),
        "g": replace(Fixed.of_codes(grad, config.loss_grad, config.loss_grad.f), note=note),
        "n": stages.logarithm(log, f),
        "t": Fixed(picked, distances.lsb, distances.format),
        "loss": Fixed.of_codes(loss.reshape(1), config.loss, f),
    }  # fmt: skip


def _target(x: Reals, y: Reals) -> int:
    """The class that a row of targets has."""
    one_hot = y.shape == x.shape and (y == 1).sum() == 1 and (y == 0).sum() == y.size - 1
    require(
        bool(one_hot),
        f"y must be 1 for one of the {x.size} classes and 0 for the others, as the unit takes a "
        f"class index, not {' '.join(f'{weight:g}' for weight in np.atleast_1d(y))}",
    )
    return int(y.argmax())
