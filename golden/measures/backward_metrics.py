"""What the backward unit does to real rows: errors, and how the gradients look."""

from dataclasses import dataclass

import numpy as np

from ..config import SoftmaxConfig
from ..rows import LogitRows
from ..stages.dot import Dot
from ..types import Bits, Codes, Reals
from ..units.softmax_backward import GradientRows
from .exact import apart_ulp, exact_backward, exact_softmax
from .ragged import Ragged
from .summary import largest_of, mean_of


@dataclass(frozen=True, eq=False, slots=True)
class Gradients:
    """Gradients of rows, and how far off they are: of their active elements, flat.

    Attributes:
        ds: codes of ``grad_output``. clipped: the elements that the forward unit clipped.
        saturated: the gradient, or D of its row, was saturated. beyond: D was.
        errors: less the exact gradients of the codes, in output LSB; 0 where D was saturated.
        apart: less those of float64, of the original logits and dP.
    """

    ds: Codes
    clipped: Bits
    saturated: Bits
    beyond: Bits
    errors: Reals
    apart: Reals


@dataclass(frozen=True, slots=True)
class BackwardMetrics:
    """Two errors of dS, always shown together, and what explains them; ``None`` of no element.

    :mod:`.catalogue` says what each figure means.
    """

    max_error_ulp: float | None = None
    max_error_unclipped: float | None = None
    clip_rate: float | None = None
    saturated_share: float | None = None
    zero_share: float | None = None

    @classmethod
    def of(cls, given: Gradients) -> "BackwardMetrics":
        """Of gradients."""
        return cls(
            max_error_ulp=largest_of(given.errors[~given.beyond]),
            max_error_unclipped=largest_of(given.apart),
            clip_rate=mean_of(given.clipped),
            saturated_share=mean_of(given.saturated),
            zero_share=mean_of(given.ds == 0),
        )


def gradients(
    result: GradientRows,
    p: Codes,
    dp: Codes,
    clipped: Bits,
    rows: LogitRows,
    dp_values: Reals,
    config: SoftmaxConfig,
    exponent: Codes | None = None,
) -> Gradients:
    """A backward unit's result, and what it is held against.

    Args:
        p, dp, clipped: as the unit got them, 0 where no element takes part; rows: the logits that
            p is of; dp_values: what dp was quantised from. All of one shape. exponent: of each row,
            where rows have one.
    """
    layout = Ragged(rows)
    flat, ds = layout.flat, layout.flat(result.ds)
    if exponent is None:
        exponent = np.zeros(len(p), np.int64)
    _, beyond = Dot.of(config)(p, dp, exponent[:, None])
    one = layout.spread(np.ldexp(1.0, exponent))
    beyond = layout.spread(beyond[:, 0])
    of_codes = exact_backward(
        config.output.to_float(flat(p)) / one, config.grad_input.to_float(flat(dp)), layout
    )
    of_logits = exact_softmax(rows.values * config.scale, rows.active)
    return Gradients(
        ds,
        flat(clipped),
        flat(result.saturated),
        beyond,
        errors=np.where(beyond, 0.0, backward_errors(ds, of_codes * one, flat(clipped), config)),
        apart=config.grad_output.to_float(ds) / one
        - exact_backward(flat(of_logits), flat(dp_values), layout),
    )


def backward_errors(ds: Codes, exact: Reals, clipped: Bits, config: SoftmaxConfig) -> Reals:
    """Codes of gradients less the exact ones, in output LSB; those saturate as the output does."""
    fmt = config.grad_output
    if config.clip_gradient == "zero":
        exact = np.where(clipped, 0.0, exact)
    return apart_ulp(ds, exact, fmt.f, (fmt.min_code, fmt.max_code))
