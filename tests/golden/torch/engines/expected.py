"""What engines must give: the golden units' codes, of logits quantised by fractions."""

from dataclasses import dataclass
from fractions import Fraction
from math import floor

import numpy as np

from softmaxfx.golden import softmax_rows
from softmaxfx.golden.units.cross_entropy import cross_entropy_rows, weighted_rows
from softmaxfx.golden.units.softmax_backward import backward_rows

INF = np.inf


def quantized(values, fmt, exponent=0):
    """(codes, saturated) of finite values times 2**exponent, rounded half up without any error."""
    scale = Fraction(2) ** (fmt.f + exponent)
    whole = [floor(Fraction(float(value)) * scale + Fraction(1, 2)) for value in values.flat]
    kept = [min(max(code, fmt.min_code), fmt.max_code) for code in whole]
    outside = [code != left for code, left in zip(whole, kept, strict=True)]
    shape = values.shape
    return np.array(kept, np.int64).reshape(shape), np.array(outside, bool).reshape(shape)


def reals(codes, places, dtype):
    """codes * 2**-places, rounded once to a dtype."""
    return np.ldexp(codes.astype(np.float64), -np.asarray(places)).astype(dtype)


def carrier(fmt):
    """float32 where it holds every code of a format."""
    return np.float32 if max(-fmt.min_code, fmt.max_code) <= 1 << 24 else np.float64


def packed(flags):
    """Flags as the bits of bytes, those of the last byte that are left over 0."""
    rows, count = flags.shape
    gate = np.zeros((rows, -(-count // 8)), np.uint8)
    for row, element in np.argwhere(flags):
        gate[row, element // 8] |= 1 << element % 8
    return gate


@dataclass(frozen=True)
class Gold:
    """What the golden unit gives of rows of logits without NaN or +inf.

    Attributes:
        codes, active, saturated: the rows as codes. p, clipped, exponent: what the unit tells.
    """

    codes: np.ndarray
    active: np.ndarray
    saturated: np.ndarray
    p: np.ndarray
    clipped: np.ndarray
    exponent: np.ndarray

    @classmethod
    def of(cls, x, config):
        active = x != -INF
        codes, saturated = quantized(np.where(active, x, 0), config.input)
        rows = softmax_rows(codes, config, ~active)
        clipped = rows.clipped | saturated
        return cls(codes, active, saturated, rows.p, clipped, rows.exponent)

    def forward(self, config):
        """The fields of ``Forward``."""
        return {
            "result": reals(
                self.p, config.output.f + self.exponent[:, None], carrier(config.output)
            ),
            "gate": packed(self.clipped),
            "exponent": self.exponent_given(config),
            "clipped": np.int64(self.clipped.sum()),
            "invalid": np.int64(0),
        }

    def exponent_given(self, config):
        """int32, as ``Forward`` has it: none where rows have none."""
        return self.exponent[: len(self.exponent) * config.has_exponent].astype(np.int32)


def backward(gold, dp, config, scales, stopped, seed=0, first_row=0):
    """dS of finite rows, each multiplied by two to its scale's power."""
    dp_codes = np.zeros(dp.shape, np.int64)
    for row, scale in enumerate(scales):
        dp_codes[row], _ = quantized(dp[row], config.grad_input, int(scale))
    rows = backward_rows(
        gold.p, dp_codes, config, stopped, gold.exponent, seed=seed, first_row=first_row
    )
    places = config.grad_output.f + scales[:, None] + gold.exponent[:, None]
    return reals(rows.ds, places, dp.dtype)


def losses_of_classes(gold, target, config):
    """(losses, gradients as float64) of the golden unit, the clip to the input format included."""
    lengths = np.full(len(gold.codes), gold.codes.shape[1])
    rows = cross_entropy_rows(gold.codes, gold.active, lengths, target, config)
    return rows.loss, _gradients(gold, rows, config), rows.error


def losses_of_weights(gold, z, config):
    rows = weighted_rows(gold.codes, gold.active, z, config)
    return rows.loss, _gradients(gold, rows, config), np.zeros(len(z), bool)


def _gradients(gold, rows, config):
    kept = ~gold.saturated if config.clip_gradient == "zero" else True
    return reals(rows.grad * kept, config.loss_grad.f + rows.exponent[:, None], np.float64)


def row_exponents(dp, fmt):
    """The largest e of every row in [-126, 126] with max |dp| * 2**e < 2**(i - 1), searched for."""
    limit = Fraction(2) ** (fmt.i - 1)
    found = []
    for row in dp:
        largest = Fraction(float(np.abs(row).max()))
        places = (e for e in range(126, -127, -1) if largest * Fraction(2) ** e < limit)
        found.append(next(places, -126) if largest else 0)
    return np.array(found, np.int64)
