"""Rows of an adaptive softmax' clusters by the units, and the losses of its tokens."""

from dataclasses import dataclass

import torch
from torch import Tensor

from .engines.engine import carrier
from .engines.stages.logits import Logits
from .loss_ops import cross_entropy
from .ops import refuse_invalid, softmax
from .options import Options
from .unit import config_of, loss_log_config, text_of


@dataclass(frozen=True, eq=False, slots=True)
class TokenLosses:
    """Losses of tokens.

    Attributes:
        exact: sums of both levels' losses, exact. ranks: int64, of the same shape: -1 where there
            is no loss. dtype: of what the user is given.
    """

    exact: Tensor
    ranks: Tensor
    dtype: torch.dtype

    @property
    def log_prob(self) -> Tensor:
        """The words' log-probabilities; 0 where there is no loss."""
        return (0 - self.exact).to(self.dtype)

    def reduced(self, reduction: str) -> Tensor:
        """The losses, their sum or their mean."""
        if reduction == "none":
            return self.exact.to(self.dtype)
        total = self.exact.double().sum()
        if reduction == "mean":
            total = total / (self.ranks >= 0).sum()
        return total.to(self.dtype)


def losses(logits: Tensor, target: Tensor, unit: Options) -> tuple[Tensor, Tensor]:
    """(losses (rows,), elements clipped) of rows of logits, exact, for sums of two.

    Args:
        logits: (rows, n). target: int64, (rows,); -1 where there is no loss.
    """
    found, clipped = cross_entropy(
        _rows(logits, unit), target, unit.config, unit.engine, unit.check
    )
    return found.to(_carrier(unit.config)), clipped


def log_rows(logits: Tensor, unit: Options) -> tuple[Tensor, Tensor]:
    """(logarithms, elements clipped) of rows, (rows, n): of all elements' probabilities, which are
    negated losses, exact, for sums of two."""
    rows = _rows(logits, unit)
    gradient = unit.gradient(rows)
    found, _, _, clipped = softmax(
        rows, None, _log_text(unit.config), unit.engine, gradient, None, unit.check
    )
    return found.to(_carrier(unit.config)), clipped


def winners(logits: Tensor, unit: Options) -> Tensor:
    """The elements with the largest codes, int64, (rows,); the first of equal ones.

    Raises:
        ValueError: NaN or +inf, unless they are not looked for.
    """
    found = Logits.of(_rows(logits, unit), config_of(unit.config).input)
    if unit.check:
        refuse_invalid(int(found.invalid.sum()), logits.numel())
    lowest = torch.iinfo(torch.int64).min
    return torch.where(found.active, found.codes, lowest).argmax(dim=-1)


def _rows(logits: Tensor, unit: Options) -> Tensor:
    """Rows as operators take them; halves as float32, which is exact."""
    return unit.masked(logits.float() if logits.itemsize == 2 else logits)


@torch.compiler.assume_constant_result
def _log_text(config: str) -> str:
    return text_of(loss_log_config(config_of(config)))


@torch.compiler.assume_constant_result
def _carrier(config: str) -> torch.dtype:
    """The dtype that holds the sum of two losses."""
    return carrier(config_of(config).adaptive_loss)
