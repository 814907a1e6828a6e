"""What a softmax unit, or a float format, does to real rows: errors, and how probabilities look."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from ..config import SoftmaxConfig
from ..rows import LogitRows
from ..types import Bits, Codes, Reals
from ..units.softmax import SoftmaxRows
from .exact import apart_ulp, clipped_values, exact_output
from .losses import Losses
from .ragged import Ragged
from .summary import largest_of, mean_of
from .top1 import top1_share, wilson


@dataclass(frozen=True, eq=False)
class Probabilities:
    """Probabilities of rows, and what they are held against: of their active elements, flat.

    Attributes:
        layout: where the elements lie.
        values: as they came out: p, or log p where ``log``. exact: the same of float64, of the
            original logits.
        clipped: the elements that were clipped.
        floor: what a probability of 0 counts as in the divergence.
        errors: less the exact output for the clipped codes, in output LSB; none without codes.
        nothing: what comes out where the probability is 0.
    """

    layout: Ragged
    values: Reals
    exact: Reals
    clipped: Bits
    floor: Reals | float
    errors: Reals = field(default_factory=lambda: np.zeros(0))
    log: bool = False
    nothing: float = 0.0

    @cached_property
    def apart(self) -> Reals:
        """Distances from float64."""
        return np.abs(self.values - self.exact)

    @cached_property
    def winners(self) -> Bits:
        """The largest elements of their row."""
        return self.layout.is_largest(self.values)

    @cached_property
    def drawn(self) -> Codes:
        """Winners of each row, (R,)."""
        return self.layout.sums(self.winners)

    def divergence(self, p: Reals) -> Reals:
        """KL(float64 || p) of every row in nats, (R,): p floored, and normalised again."""
        exact, spread = self._plain(self.exact), self.layout.spread
        floored = np.maximum(p, self.floor)
        normalised = floored / spread(self.layout.real_sums(floored))
        # where exact is 0, the term is 0 times a finite number
        return self.layout.real_sums(exact * np.log(np.where(exact > 0, exact, 1) / normalised))

    @property
    def p(self) -> Reals:
        """The probabilities."""
        return self._plain(self.values)

    def _plain(self, values: Reals) -> Reals:
        return np.exp(values) if self.log else values


@dataclass(frozen=True, slots=True)
class Metrics:
    """Two errors, always shown together, and what explains them; ``None`` where no element is.

    :mod:`.catalogue` says what each figure means.
    """

    max_error_ulp: float | None = None
    max_error_unclipped: float | None = None
    clip_rate: float | None = None
    tie_rate: float | None = None
    sum_min: float | None = None
    sum_mean: float | None = None
    mass_error: float | None = None
    bias: float | None = None
    bias_ulp: float | None = None
    mass_loss_rate: float | None = None
    winner_clip_rate: float | None = None
    winner_tie_rate: float | None = None
    zero_share: float | None = None
    mean_kl: float | None = None

    @classmethod
    def of(cls, given: Probabilities, lost: Losses | None = None) -> "Metrics":
        """Of probabilities; of what is lost nothing is said where nobody looked."""
        if not given.layout.size:
            return cls()
        p = given.p
        sums = given.layout.real_sums(p)
        return cls(
            max_error_ulp=largest_of(given.errors),
            max_error_unclipped=float(given.apart.max()),
            clip_rate=mean_of(given.clipped),
            tie_rate=mean_of(given.drawn > 1),
            sum_min=float(sums.min()),
            sum_mean=mean_of(sums),
            mass_error=largest_of(sums[given.layout.filled] - 1),
            bias=mean_of(given.values - given.exact),
            bias_ulp=mean_of(given.errors),
            mass_loss_rate=lost and lost.mass_loss_rate,
            winner_clip_rate=lost and lost.winner_clip_rate,
            winner_tie_rate=lost and lost.winner_tie_rate,
            zero_share=mean_of(given.values == given.nothing),
            mean_kl=mean_of(given.divergence(p)),
        )


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far probabilities agree with float64 on the whole; ``None`` where no element is.

    :mod:`.catalogue` says what each figure means.
    """

    mean_error_unclipped: float | None = None
    top1: float | None = None
    top1_low: float | None = None
    top1_high: float | None = None

    @classmethod
    def of(cls, given: Probabilities, best: Bits) -> "Agreement":
        """Of probabilities.

        Args:
            best: flat: the elements that are the largest logit of their row.
        """
        filled = given.layout.filled
        if not filled.size:
            return cls()
        hits = given.layout.sums(best & given.winners)
        share = top1_share(hits[filled], given.drawn[filled])
        return cls(mean_of(given.apart), share, *wilson(share, filled.size))


def probabilities(result: SoftmaxRows, rows: LogitRows, config: SoftmaxConfig) -> Probabilities:
    """A unit's result for ``rows``, of the same shape, and what it is held against."""
    layout, log = Ragged(rows), config.function == "log_softmax"
    exact = exact_output(rows.values * config.scale, rows.active, config)
    errors = error_ulp(result.p, rows.codes(config), rows.active, config, result.exponent)
    lsb = config.output.lsb * layout.spread(np.ldexp(1.0, -result.exponent))
    return Probabilities(
        layout,
        layout.flat(result.p) * lsb,
        layout.flat(exact),
        layout.flat(result.clipped),
        floor=lsb / 2,
        errors=layout.flat(errors),
        log=log,
        nothing=config.output.min_code * config.output.lsb if log else 0.0,
    )


def measure(result: SoftmaxRows, rows: LogitRows, config: SoftmaxConfig) -> Metrics:
    """Measure a unit's result for ``rows``, of the same shape."""
    lost = Losses.of(config, rows, result.p, result.exponent)
    return Metrics.of(probabilities(result, rows, config), lost)


def error_ulp(
    p: Codes, codes: Codes, active: Bits, config: SoftmaxConfig, exponent: Codes | None = None
) -> Reals:
    """Output codes less the exact output for the clipped codes, in output LSB; 0 where not active.

    Args:
        exponent: of every row, where rows have one: LSB are those of the row's own scale.
    """
    exact = exact_output(clipped_values(codes, active, config), active, config)
    if exponent is not None:
        exact = np.ldexp(exact, exponent[:, None])
    return np.where(active, output_errors(p, exact, config), 0.0)


def output_errors(p: Codes, exact: Reals, config: SoftmaxConfig) -> Reals:
    """Output codes less exact outputs, in output LSB; what is beyond 1 as the output holds it is
    1."""
    return apart_ulp(p, exact, config.output.f, (-np.inf, config.one))
