"""Which word has which rank: an adaptive softmax numbers words by falling frequency."""

from typing import Any

import torch
from torch import Tensor, nn


class Sorted:
    """Labels that are sorted by frequency already: a word is its rank."""

    def ranks(self, words: Tensor) -> Tensor:
        """Ranks of words, of any shape."""
        return words

    def words(self, ranks: Tensor) -> Tensor:
        """Words of ranks, of any shape."""
        return ranks

    def columns(self, by_rank: Tensor) -> Tensor:
        """(rows, V) with a column for each rank, with one for each word instead."""
        return by_rank


SORTED = Sorted()


class Labels(nn.Module):
    """Labels in any order.

    Attributes:
        order: int64, (V,), in ``state_dict``: the words by falling frequency. rank: (V,): the place
            of each word in it.
    """

    order: Tensor
    rank: Tensor

    def __init__(self, order: Tensor) -> None:
        super().__init__()
        self.register_buffer("order", order)
        self.register_buffer("rank", order.argsort(), persistent=False)

    def ranks(self, words: Tensor) -> Tensor:
        """Ranks of words, of any shape; what is negative stays as it is."""
        return torch.where(words < 0, words, self.rank[words.clamp(min=0)])

    def words(self, ranks: Tensor) -> Tensor:
        """Words of ranks, of any shape."""
        return self.order[ranks]

    def columns(self, by_rank: Tensor) -> Tensor:
        """(rows, V) with a column for each rank, with one for each word instead."""
        return by_rank.index_select(1, self.rank)

    def _load_from_state_dict(
        self, state_dict: dict[str, Any], prefix: str, *args: Any, **kwargs: Any
    ) -> None:
        missing: list[str] = kwargs["missing_keys"] if "missing_keys" in kwargs else args[2]
        super()._load_from_state_dict(state_dict, prefix, *args, **kwargs)
        if f"{prefix}order" in missing:  # weights of a float module, which knows sorted labels only
            missing.remove(f"{prefix}order")
        self.rank = self.order.argsort()


def labels_of(
    words: int, order: Any, counts: Any, device: torch.device | str | None = None
) -> Sorted | Labels:
    """Labels of a vocabulary, in an order or by counts; sorted where neither is given.

    Args:
        order: the words by falling frequency, each once. counts: how often each word occurs; equal
            counts stay in the words' order. Both sequences, arrays or tensors of ``words`` numbers.

    Raises:
        ValueError: both, another number of them, no permutation, or a count that is negative or no
            number.
    """
    if order is None and counts is None:
        return SORTED
    if order is not None and counts is not None:
        raise ValueError("order must be given without counts, of which an order is made")
    if counts is not None:
        found = torch.argsort(_counts(words, counts), descending=True, stable=True)
    else:
        found = _order(words, order)
    return Labels(found.to(device))


def _counts(words: int, given: Any) -> Tensor:
    counts = _vector("counts", words, given)
    if not bool((counts >= 0).all()):
        place = int((~(counts >= 0)).nonzero()[0])
        raise ValueError(
            f"counts must hold no negative number, not {counts[place].item():g} of word {place}"
        )
    return counts


def _order(words: int, given: Any) -> Tensor:
    order = _vector("order", words, given)
    if order.is_floating_point() or not torch.equal(order.sort().values, torch.arange(words)):
        raise ValueError(
            f"order must hold every word from 0 to {words - 1} once, the most frequent first"
        )
    return order


def _vector(name: str, words: int, given: Any) -> Tensor:
    vector = torch.as_tensor(given, device="cpu")
    if vector.shape != (words,):
        raise ValueError(
            f"{name} must be {words} numbers, one a word, not of shape {tuple(vector.shape)}"
        )
    return vector if vector.is_floating_point() else vector.long()
