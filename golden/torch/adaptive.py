"""torch's adaptive softmax in fixed point: losses of the head's row and of a tail's, added up."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.adaptive import _ASMoutput as Output

from ..clusters import Clusters
from ..config import SoftmaxConfig
from . import adaptive_options as checks
from .adaptive_rows import TokenLosses, log_rows, losses, winners
from .labels import SORTED, Labels, Sorted, labels_of
from .layers import FixedModule
from .loss import loss_dtype
from .loss_ops import classes
from .options import options
from .unit import config_of


class FixedAdaptiveLogSoftmaxWithLoss(FixedModule, nn.AdaptiveLogSoftmaxWithLoss):
    """``torch.nn.AdaptiveLogSoftmaxWithLoss`` with the bits of the unit ``adaptive_softmax``.

    Submodules and their names are torch's, and so is ``state_dict``: weights are loaded from the
    float module and back. An order of the labels is in it as ``labels.order``, if there is one; the
    configuration is not. Every tail has a gradient in every backward pass, if of 0.

    Args:
        in_features, n_classes, cutoffs, div_value, head_bias, device, dtype: those of torch.
        config: the unit, or a preset's name; ``max_length`` must hold the longest row.
        scale, engine, check: those of :func:`.loss.fixed_cross_entropy`.
        reduction: of the losses: ``"mean"`` of the tokens that have one, ``"sum"`` or ``"none"``.
        ignore_index: the target of tokens without a loss, whose output is 0; None: there is none.
        order: the labels by falling frequency, where they are not sorted; or counts: how often each
            one occurs. See :func:`.labels.labels_of`.

    Raises:
        ConfigError: options that break a rule, or that no engine computes.
        ValueError: labels that are in no order.
    """

    gives = "adaptive_loss"

    def __init__(
        self,
        in_features: int,
        n_classes: int,
        cutoffs: Sequence[int],
        div_value: float = 4.0,
        head_bias: bool = False,
        device: Any = None,
        dtype: torch.dtype | None = None,
        *,
        config: SoftmaxConfig | str = "base",
        scale: float = 1.0,
        engine: str | None = None,
        check: bool = True,
        reduction: str = "mean",
        ignore_index: int | None = None,
        order: Any = None,
        counts: Any = None,
    ) -> None:
        unit = options("softmax", config, scale, engine=engine, check=check)
        clusters = checks.clusters_of(n_classes, cutoffs)
        checks.check_config(config_of(unit.config), clusters)
        checks.check_features(in_features, div_value, clusters.tails)
        checks.check_choices(reduction, ignore_index)
        labels = labels_of(clusters.vocabulary, order, counts, device)
        super().__init__(
            in_features,
            clusters.vocabulary,
            list(clusters.cutoffs),
            div_value,
            head_bias,
            device,
            dtype,
        )
        self.set_unit(unit)
        self.set_labels(labels, reduction, ignore_index)

    def set_labels(
        self,
        labels: Sorted | Labels = SORTED,
        reduction: str = "mean",
        ignore_index: int | None = None,
    ) -> None:
        """What of torch's module there is not."""
        self.labels, self.reduction, self.ignore_index = labels, reduction, ignore_index

    get_extra_state = nn.Module.get_extra_state
    set_extra_state = nn.Module.set_extra_state

    @property
    def clusters(self) -> Clusters:
        """The head and the tails."""
        return Clusters(self.n_classes, tuple(self.cutoffs[:-1]))

    @property
    def config(self) -> SoftmaxConfig:
        """The unit's configuration, every scale and the clusters in it."""
        clusters = self.clusters
        return super().config.replace(vocabulary=clusters.vocabulary, cutoffs=clusters.cutoffs)

    def forward(self, input_: Tensor, target_: Tensor) -> Output:
        """(output, loss) of tokens.

        Args:
            input_: (..., in_features): float16, bfloat16, float32 or float64.
            target_: (...): words, integers.

        Returns:
            output: (...), the words' log-probabilities, the negated exact sums of both levels'
            losses; loss: reduced as chosen. Both are of the logits' dtype, float32 under autocast.

        Raises:
            ValueError: another dtype or shape, NaN or +inf among the logits, or a target that is no
                word.
        """
        found = self._losses(input_, target_, "target", self.ignore_index)
        return Output(found.log_prob, found.reduced(self.reduction))

    def log_prob(self, input: Tensor) -> Tensor:
        """Log-probabilities of all words, (..., n_classes), the bits of :meth:`forward`; their
        gradient is that of :func:`.functional.fixed_log_softmax`.

        Args:
            input: (..., in_features).
        """
        x = self._tokens(input)
        head = self.head(x)
        found = self.labels.columns(self._log_prob(x, head))
        return found.to(loss_dtype(head)).reshape(*input.shape[:-1], self.n_classes)

    def log_prob_of(self, input: Tensor, words: Tensor) -> Tensor:
        """Log-probabilities of a word a token, (...), of which no others are computed but those of
        the head and of the tail that has it.

        Args:
            input: (..., in_features). words: (...), integers; none of them is ignored.
        """
        return self._losses(input, words, "words", None).log_prob

    @torch.no_grad()
    def predict(self, input: Tensor) -> Tensor:
        """The most probable words, int64, (...): the head's largest logit, if that is a word, else
        the largest log-probability; of equal ones the most frequent word.

        Args:
            input: (..., in_features).
        """
        x = self._tokens(input)
        head = self.head(x)
        found = winners(head, self.unit)
        beyond = found >= self.shortlist_size
        if beyond.any():
            found[beyond] = self._log_prob(x[beyond], head[beyond]).argmax(dim=-1)
        return self.labels.words(found).reshape(input.shape[:-1])

    def _tokens(self, input: Tensor) -> Tensor:
        checks.check_input(input, self.in_features)
        return input.reshape(-1, self.in_features)

    def _losses(
        self, input: Tensor, words: Tensor, name: str, ignore_index: int | None
    ) -> TokenLosses:
        """Losses of words, of their shape."""
        x = self._tokens(input)
        checks.check_target(name, words, input)
        given = classes(words.reshape(-1).long(), self.n_classes, ignore_index, self.unit.check)
        ranks = self.labels.ranks(given)
        head = self.head(x)
        total = self._both_levels(x, head, ranks).reshape(words.shape)
        return TokenLosses(total, ranks.reshape(words.shape), loss_dtype(head))

    def _both_levels(self, x: Tensor, head: Tensor, ranks: Tensor) -> Tensor:
        """Sums of the losses of the head's row and of a tail's, (tokens,)."""
        cluster = torch.bucketize(ranks, ranks.new_tensor(self.cutoffs[:-1]), right=True)
        entry = torch.where(cluster == 0, ranks, self.shortlist_size - 1 + cluster)
        total = self._count_of(losses(head, entry, self.unit))
        for number, tail in enumerate(self.tail, 1):
            tokens = (cluster == number).nonzero().squeeze(1)
            place = ranks[tokens] - self.cutoffs[number - 1]
            more = self._count_of(losses(tail(x[tokens]), place, self.unit))
            total = total.index_add(0, tokens, more)
        return total

    def _log_prob(self, x: Tensor, head: Tensor) -> Tensor:
        """Log-probabilities by rank, (tokens, n_classes), exact."""
        of_head = self._count_of(log_rows(head, self.unit))
        parts = [of_head[:, : self.shortlist_size]]
        for number, tail in enumerate(self.tail):
            entry = of_head[:, self.shortlist_size + number, None]
            parts.append(entry + self._count_of(log_rows(tail(x), self.unit)))
        return torch.cat(parts, dim=1)

    def _count_of(self, found: tuple[Tensor, Tensor]) -> Tensor:
        """What was found, once the elements clipped are counted that stand beside it."""
        self.count(found[1])
        return found[0]
