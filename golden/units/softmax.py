"""The softmax unit, bit for bit."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..config import SoftmaxConfig
from ..formats import checked_codes
from ..given import left_out, without_mask
from ..stages.accumulate import row_sum
from ..stages.clip import clip
from ..stages.distance import distance
from ..stages.exp import exp_table
from ..stages.leading_one import RowSums
from ..stages.probability import Elements, output_stage
from ..stages.row_exponent import RowExponent
from ..types import Bits, Codes

BLOCK = 1 << 16
"""Elements computed at once: few enough that the intermediate arrays stay in the cache."""


@dataclass(frozen=True, eq=False, slots=True)
class SoftmaxRows:
    """What the unit tells of rows of logits, all of the same shape.

    Attributes:
        p: codes of the output format; with ``output_exponent`` ``"row"``, of p * 2**exponent.
        clipped: active elements whose logit (or difference, see ``clip``) was clipped.
        exponent: of every row, the rows' shape; 0 where there is none.
    """

    p: Codes
    clipped: Bits
    exponent: Codes


def softmax(x: npt.ArrayLike, config: SoftmaxConfig, mask: npt.ArrayLike | None = None) -> Codes:
    """Probabilities of rows of logits, the bits that the hardware gives.

    Args:
        x: codes of ``config.input``, integers, rows along the last axis.
        config: the unit.
        mask: broadcast to ``x``'s shape; ``True`` leaves an element out: its probability is 0.
            So does the mask of a ``numpy.ma`` array.

    Returns:
        Codes of ``config.output``, ``x``'s shape. A row without an active element is all 0. For
        ``log_softmax``: log p, and the lowest code where an element takes no part. Where rows have
        an exponent, :func:`softmax_rows` gives it too.

    Raises:
        ValueError: codes that are no integers or that the input format does not hold, a row that
            is empty or longer than ``max_length``, a mask that is no flags of x's shape.
    """
    return softmax_rows(x, config, mask).p


def softmax_rows(
    x: npt.ArrayLike, config: SoftmaxConfig, mask: npt.ArrayLike | None = None
) -> SoftmaxRows:
    """:func:`softmax` with the flags that go with every element."""
    codes = checked_codes("x", without_mask(x), config.input, config.max_length)
    active = ~left_out(x, mask, codes.shape)
    shape = codes.shape
    codes, active = codes.reshape(-1, shape[-1]), active.reshape(-1, shape[-1])
    p, clipped = np.empty(codes.shape, np.int64), np.empty(codes.shape, bool)
    exponent = np.zeros(len(codes), np.int64)
    rows = max(BLOCK // shape[-1], 1)
    for start in range(0, len(codes), rows):
        block = slice(start, start + rows)
        p[block], clipped[block], exponent[block] = _block(codes[block], active[block], config)
    return SoftmaxRows(p.reshape(shape), clipped.reshape(shape), exponent.reshape(shape[:-1]))


def _block(codes: Codes, active: Bits, config: SoftmaxConfig) -> tuple[Codes, Bits, Codes]:
    """Probabilities, clipped flags and exponents of rows few enough to stay in the cache."""
    elements, total, clipped = exponentials(codes, active, config)
    exponent = row_exponents(elements, total, config)
    return output_stage(config)(elements, total, exponent), clipped, exponent[:, 0]


def row_exponents(elements: Elements, total: RowSums, config: SoftmaxConfig) -> Codes:
    """The exponent of every row, (rows, 1); 0 where there is none."""
    if not config.has_exponent:
        return np.zeros((len(elements.distance), 1), np.int64)
    # what takes no part lies farthest
    exponents = RowExponent.of(config)(elements.distance.min(axis=-1, keepdims=True), total)
    return np.where(elements.active.any(axis=-1, keepdims=True), exponents, 0)


def exponentials(
    codes: Codes, active: Bits, config: SoftmaxConfig
) -> tuple[Elements, RowSums, Bits]:
    """The first stages: exp of every element, the sum of every row, and the clipped flags."""
    outside = np.zeros(codes.shape, bool)
    if config.clip == "input":
        codes, outside = clip(codes, config.range_code)
    far, saturated = distance(codes, active, config)
    reach = config.path.reach
    far = np.where(active, far, reach)
    mantissa, shift = exp_table(config)(np.minimum(far, reach))
    mantissa = np.where(active, mantissa, 0)
    total = row_sum(config)(mantissa, shift)
    return Elements(far, mantissa, shift, active), total, (outside | saturated) & active
