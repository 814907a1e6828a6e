"""The backward unit, bit for bit: dS = P (dP - D) with D = sum P dP, a row at a time.

That is the softmax's Jacobian diag(P) - P P^T times dP, without the Jacobian: O(N) memory.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from ..config import SoftmaxConfig
from ..formats import checked_codes
from ..given import flags, plain
from ..stages.accumulate import leading_zeros
from ..stages.dither import random_bits
from ..stages.gradient import Gradient
from ..types import Bits, Codes, Reals

BLOCK = 1 << 16
"""Elements computed at once: few enough that the intermediate arrays stay in the cache."""
SEED_BITS = 32


@dataclass(frozen=True, eq=False, slots=True)
class GradientRows:
    """What the unit tells of rows.

    Attributes:
        ds: codes of ``grad_output``.
        saturated: bool, same shape: the element was saturated, or D of its row was.
    """

    ds: Codes
    saturated: Bits


@lru_cache(maxsize=64)
def backward_stage(config: SoftmaxConfig) -> Gradient:
    """The stages of a configuration's backward unit.

    Raises:
        ConfigError: formats that cannot work, or ``log_softmax``, whose gradient is another.
    """
    return Gradient.of(config)


def softmax_backward(
    p: npt.ArrayLike,
    dp: npt.ArrayLike,
    config: SoftmaxConfig,
    seed: int = 0,
    first_row: int = 0,
    *,
    clipped: npt.ArrayLike | None = None,
    exponent: npt.ArrayLike | None = None,
) -> Codes:
    """Gradients of rows of logits, the bits that the hardware gives.

    Args:
        p: codes of ``config.output``, rows along the last axis: what :func:`softmax` gave.
        dp: codes of ``config.grad_input``, same shape: gradients of the loss by p.
        seed: of stochastic rounding, 32 bits. first_row: number of the first row.
        clipped: broadcast to p's shape; where the forward unit clipped an element, whose gradient
            is 0 then unless ``clip_gradient`` is ``"pass"``.
        exponent: of every row, p's shape without the last axis: what :func:`softmax_rows` gave
            with p, where rows have one.

    Returns:
        Codes of ``config.grad_output``, p's shape; of dS * 2**exponent where rows have one.

    Raises:
        ValueError: codes that are no integers or that a format does not hold, different shapes,
            rows that are empty or too long, rows of p that do not sum to about 1, a seed or row
            number outside 32 bits, rows of p without their exponents, or exponents of none.
    """
    p = checked_codes("p", p, config.output, config.max_length)
    dp = checked_codes("dp", dp, config.grad_input, config.max_length)
    if p.shape != dp.shape:
        raise ValueError(f"dp must have p's shape {p.shape}, not {dp.shape}")
    exponents = _exponents(exponent, p.shape[:-1], config)
    _check_sums(p, exponents, config)
    seed, first_row = _word("seed", seed), _word("first_row", first_row)
    left_out = flags("clipped", False if clipped is None else clipped, p.shape)
    return backward_rows(p, dp, config, left_out, exponents, seed=seed, first_row=first_row).ds


def _exponents(given: npt.ArrayLike | None, shape: tuple[int, ...], config: SoftmaxConfig) -> Codes:
    """The exponents of rows; 0 where rows have none."""
    if not config.has_exponent:
        if given is not None:
            raise ValueError("exponent must not be given where output_exponent is none")
        return np.zeros(shape, np.int64)
    if given is None:
        raise ValueError(
            "exponent must be given with p where output_exponent is row: what softmax_rows gave"
        )
    array = np.asarray(given)
    most = (1 << config.exponent_bits) - 1
    if not np.issubdtype(array.dtype, np.integer) or array.shape != shape:
        raise ValueError(
            f"exponent must be integers of shape {shape}, one a row, not {array.dtype} of shape "
            f"{array.shape}"
        )
    if array.size and not (array.min() >= 0 and array.max() <= most):
        raise ValueError(f"exponent must be from 0 to {most}, not {array.min()} to {array.max()}")
    return array.astype(np.int64)


def _word(name: str, value: int) -> int:
    """A whole number of ``SEED_BITS`` bits."""
    number = plain(value)
    if type(number) is not int or not 0 <= number < 1 << SEED_BITS:
        raise ValueError(f"{name} must be from 0 to 2^{SEED_BITS} - 1, not {number!r}")
    return number


def backward_rows(
    p: Codes,
    dp: Codes,
    config: SoftmaxConfig,
    clipped: Bits,
    exponent: Codes | None = None,
    *,
    seed: int = 0,
    first_row: int = 0,
) -> GradientRows:
    """:func:`softmax_backward` of any codes, with the flags that go with every element.

    Args:
        exponent: of every row; 0 unless given.
    """
    shape = p.shape
    p, dp = p.reshape(-1, shape[-1]), dp.reshape(-1, shape[-1])
    clipped = clipped.reshape(-1, shape[-1])
    of_row = np.zeros((len(p), 1), np.int64) if exponent is None else exponent.reshape(-1, 1)
    ds, saturated = np.empty(p.shape, np.int64), np.empty(p.shape, bool)
    rows = max(BLOCK // shape[-1], 1)
    for start in range(0, len(p), rows):
        block = slice(start, start + rows)
        ds[block], saturated[block] = _block(
            p[block], dp[block], clipped[block], of_row[block], config, seed, first_row + start
        )
    return GradientRows(ds.reshape(shape), saturated.reshape(shape))


def _block(
    p: Codes,
    dp: Codes,
    clipped: Bits,
    exponent: Codes,
    config: SoftmaxConfig,
    seed: int,
    first_row: int,
) -> tuple[Codes, Bits]:
    """Gradients and saturated flags of rows few enough to stay in the cache."""
    stage = backward_stage(config)
    d, beyond = stage.dot(p, dp, exponent)
    bits = None
    if stage.rounding == "stochastic":
        row = first_row + np.arange(len(p))[:, None]
        bits = random_bits(seed, row, np.arange(p.shape[1]), stage.drop)
    # an element without a gradient has none to round or to saturate
    passed = np.where(clipped, 0, p) if config.clip_gradient == "zero" else p
    ds, saturated = stage(passed, dp, d, bits)
    return ds, np.logical_or(saturated, beyond)


def _check_sums(p: Codes, exponent: Codes, config: SoftmaxConfig) -> None:
    """Refuse rows that no softmax of the configuration gives: the classic mistake is logits."""
    sums, one = p.sum(axis=-1).ravel(), np.ldexp(2.0**config.output.f, exponent.ravel())
    allowed = _most_off(p.shape[-1], one, config)
    off = np.flatnonzero((np.abs(sums - one) > allowed) & (sums > 0))
    if off.size:
        row = int(off[0])
        raise ValueError(
            f"p must have rows that sum to 1 within {allowed[row] / one[row]:.2g}, the most that "
            f"{p.shape[-1]} probabilities can be off, not {sums[row] / one[row]:.4g} (row {row})"
        )


def _most_off(count: int, one: Reals, config: SoftmaxConfig) -> Reals:
    """How far sums of probabilities can be from 1, in output LSB, of which ``one`` has so many.

    Each is rounded; the row's sum lacks what its terms were truncated by, or its window dropped.
    The reciprocal errs by a segment's deviation from 1/s, h²/4 of it for segments of length h, by
    the bits of the sum that are dropped, and by its own rounding and that of its table. p = 1
    itself may be an LSB beyond the format.
    """
    widths = config.widths
    truncated = 0.0
    if config.path.origin is None:
        truncated = count * 2.0**-widths.sum_fraction
    elif config.path.window:
        truncated = count * 2.0 ** (leading_zeros(config) - min(15 + widths.mantissa_bits, 32))
    index, step = widths.reciprocal_index, widths.reciprocal_step
    inverted = 2.0 ** -(2 * index + 2) + 2.0 ** -(index + step)
    inverted += 1.25 * 2.0 ** (1 - widths.reciprocal_bits)
    relative = (1 + truncated) * (1 + inverted) - 1
    return count / 2 + relative * one + (config.output.i == 0)
