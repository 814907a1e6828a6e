"""What the adaptive softmax does to real tokens: figures of its rows, and of the tokens' losses."""

from dataclasses import replace

import numpy as np

from ..config import SoftmaxConfig
from ..types import Codes, Reals
from ..units.adaptive_rows import TokenLosses
from .exact import apart_ulp
from .loss_metrics import CrossEntropies, LossMetrics
from .summary import largest_of, mean_of


def token_metrics(
    given: CrossEntropies, token: Codes, losses: TokenLosses, config: SoftmaxConfig, bound: float
) -> LossMetrics:
    """The metrics of rows, with those of losses of the tokens instead.

    Args:
        given: losses and gradients of the rows. token: of each row, (rows,).
        losses: of the tokens. bound: the proven one of these, in their LSB.
    """
    counted, fmt = ~(losses.error | losses.ignored), config.adaptive_loss
    rows, tokens = given.classes.rows, len(losses.loss)

    def exact(of_rows: Reals) -> Reals:
        sums = np.bincount(token[rows], weights=of_rows, minlength=tokens)
        return sums[counted].astype(np.float64)

    codes = losses.loss[counted]
    values, limits = fmt.to_float(codes), (-np.inf, fmt.max_code)
    errors = apart_ulp(codes, exact(given.of_codes.losses), fmt.f, limits)
    return replace(
        LossMetrics.of(given, config, bound),
        loss_max_error_ulp=largest_of(errors),
        loss_max_error_unclipped=largest_of(values - exact(given.of_logits.losses)),
        ignored_rows=int(np.count_nonzero(losses.ignored)),
        mean_loss=mean_of(values),
    )
