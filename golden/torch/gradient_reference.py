"""Float references of the gradient units: NumPy's float64, and torch's own backward passes.

Torch's gradients come from its autograd: of ``softmax``, and of ``cross_entropy``. Where P is
given, as the hardware is given it, they come from the kernel that autograd runs for ``softmax``.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from ..config import SoftmaxConfig
from ..formats import Format
from ..measures.distance import Distance
from ..measures.exact import clipped_values, exact_backward, exact_cross_entropy, exact_softmax
from ..rows import LogitRows
from ..stages.dot import Dot
from ..types import Bits, Codes, Reals
from ..units.cross_entropy import IGNORE_INDEX, cross_entropy_rows
from ..units.softmax import softmax_rows
from ..units.softmax_backward import backward_rows
from .reference import NUMPY, REFERENCES, Comparison, Reference


def backward_of(reference: Reference, p: Reals, dp: Reals) -> Reals:
    """P (dP - sum P dP) over the last axis, as float64; P need not sum to 1 exactly."""
    if reference.device == "numpy":
        return exact_backward(p, dp)
    import torch

    given, upstream = _tensor(reference, p), _tensor(reference, dp)
    return _reals(torch.ops.aten._softmax_backward_data(upstream, given, -1, given.dtype))


def softmax_gradient(reference: Reference, values: Reals, active: Bits, dp: Reals) -> Reals:
    """Gradient of sum dP softmax(values) by the values, as float64; 0 where not active.

    Args:
        values, dp: (rows, N), 0 where not active. active: same shape.
    """
    if reference.device == "numpy":
        return exact_backward(exact_softmax(values, active), dp)
    import torch

    logits = _tensor(reference, np.where(active, values, -np.inf)).requires_grad_()
    torch.softmax(logits, dim=-1).backward(_tensor(reference, dp))
    return np.where(active, _reals(logits.grad), 0.0)


def cross_entropy_of(
    reference: Reference, values: Reals, active: Bits, target: Codes
) -> tuple[Reals, Reals]:
    """(loss (rows,), gradient (rows, N)) of rows of logits in nats, as float64.

    Args:
        values: (rows, N), 0 where not active. active: same shape. target: class index of each row,
            an active element; with ``IGNORE_INDEX``, loss and gradient are 0.
    """
    if reference.device == "numpy":
        given = target != IGNORE_INDEX
        loss, gradient = exact_cross_entropy(values, active, np.where(given, target, 0))
        return np.where(given, loss, 0.0), np.where(given[:, None], gradient, 0.0)
    import torch

    logits = _tensor(reference, np.where(active, values, -np.inf)).requires_grad_()
    classes = torch.from_numpy(target).to(reference.device)
    loss = torch.nn.functional.cross_entropy(
        logits, classes, reduction="none", ignore_index=IGNORE_INDEX
    )
    loss.sum().backward()
    return _reals(loss.detach()), np.where(active, _reals(logits.grad), 0.0)


def compare_backward(config: SoftmaxConfig, rows: LogitRows, dp: Reals) -> list[Comparison]:
    """Hold the golden model's dS of rows of logits against every reference.

    Of the codes: P and dP as the unit gets them, and no gradient where the forward unit clipped if
    ``clip_gradient`` says so; float64's distance is below ``backward_bound_ulp``. Of the logits:
    the gradient by scale * the original logits for the original dP. Rows whose D saturates are left
    out.

    Args:
        dp: gradients of the loss by p, the shape of ``rows.values``, 0 where not active.

    Raises:
        ConfigError: ``log_softmax``.
        ValueError: rows longer than ``config.max_length``.
    """
    active, fmt = rows.active, config.grad_output
    forward = softmax_rows(rows.codes(config), config, ~active)
    codes = config.grad_input.quantize(np.where(active, dp, 0))
    ds = backward_rows(forward.p, codes, config, forward.clipped, forward.exponent).ds
    exponent = forward.exponent[:, None]
    _, beyond = Dot.of(config)(forward.p, codes, exponent)
    counted = active & ~beyond
    dropped = forward.clipped if config.clip_gradient == "zero" else np.zeros_like(active)

    def of_codes(reference: Reference) -> Reals:
        p = np.ldexp(config.output.to_float(forward.p), -exponent)
        gradient = backward_of(reference, p, config.grad_input.to_float(codes))
        return np.ldexp(np.where(dropped, 0.0, gradient), exponent)[counted]

    def of_logits(reference: Reference) -> Reals:
        gradient = softmax_gradient(reference, rows.values * config.scale, active, dp)
        return np.ldexp(gradient, exponent)[counted]

    return _compared(ds[counted], fmt, of_codes, of_logits)


def compare_cross_entropy(
    config: SoftmaxConfig, rows: LogitRows, target: Codes
) -> tuple[list[Comparison], list[Comparison]]:
    """Hold the golden model's losses, and its gradients, against every reference.

    Of the codes: the cross-entropy of scale * value of the clipped codes, and no gradient where an
    element was clipped if ``clip_gradient`` says so; float64's distances are below ``loss_bound``
    and ``bound_ulp``. Of the logits: that of scale * the original logits. Rows without a loss, for
    their target is outside or masked, are left out.

    Args:
        target: class index of each row, (rows,).

    Raises:
        ConfigError: ``log_softmax``, or a loss format that the largest loss does not fit.
        ValueError: rows longer than ``config.max_length``.
    """
    codes, active = rows.codes(config), rows.active
    result = cross_entropy_rows(codes, active, rows.lengths, target, config)
    given = ~(result.ignored | result.error)
    counted = active & given[:, None]
    target = np.where(given, target, IGNORE_INDEX)
    values = clipped_values(codes, active, config), rows.values * config.scale
    dropped = result.clipped if config.clip_gradient == "zero" else np.zeros_like(active)
    exponent = result.exponent[:, None]
    # both results come from one forward and backward pass
    by_reference = {
        reference: [cross_entropy_of(reference, each, active, target) for each in values]
        for reference in REFERENCES
        if not reference.absence
    }
    losses = _compared(
        result.loss[given],
        config.loss,
        lambda reference: by_reference[reference][0][0][given],
        lambda reference: by_reference[reference][1][0][given],
    )
    gradients = _compared(
        result.grad[counted],
        config.loss_grad,
        lambda reference: np.ldexp(np.where(dropped, 0.0, by_reference[reference][0][1]), exponent)[
            counted
        ],
        lambda reference: np.ldexp(by_reference[reference][1][1], exponent)[counted],
    )
    return losses, gradients


def _compared(
    result: Codes, fmt: Format, *inputs: Callable[[Reference], Reals]
) -> list[Comparison]:
    """Codes of a format against what every reference makes of the codes, and of the logits."""
    exact = [of(NUMPY) for of in inputs]
    limits = fmt.min_code, fmt.max_code

    def distance(reference: Reference, place: int) -> Distance | None:
        return Distance.of(result, inputs[place](reference), exact[place], fmt.f, limits)

    return [
        Comparison.of(reference, result.size, partial(distance, reference))
        for reference in REFERENCES
    ]


def _tensor(reference: Reference, values: Reals) -> Any:
    """The values on the reference's device, in its dtype."""
    import torch

    return torch.from_numpy(values).to(reference.device, getattr(torch, reference.dtype))


def _reals(tensor: Any) -> Reals:
    """What a device holds, as NumPy's float64."""
    import torch

    return tensor.to("cpu", torch.float64).numpy()
