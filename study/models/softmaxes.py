"""What computes the softmax of a whole network: floats, narrower floats, or a fixed-point unit."""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional

from ...golden.config import SoftmaxConfig
from ...golden.torch import fixed_cross_entropy, fixed_softmax, swap
from .float_attention import FloatAttention


class Softmax(Protocol):
    """A way to compute attention, probabilities and losses; it can be pickled."""

    @property
    def name(self) -> str:
        """By which a report calls it."""
        ...

    @property
    def told(self) -> Any:
        """All that its results depend on, of JSON."""
        ...

    def attention(self, model: nn.Module, length: int) -> AbstractContextManager[object]:
        """Compute the attention of a model, with rows of at most ``length``, until the end of a
        ``with``; the rest of it stays float."""
        ...

    def probabilities(self, logits: Tensor) -> Tensor:
        """p of rows of logits, (rows, n)."""
        ...

    def losses(self, logits: Tensor, classes: Tensor) -> Tensor:
        """The cross-entropy of each row, (rows,), of classes (rows,), in nats."""
        ...


@dataclass(frozen=True)
class Float32:
    """All of it as torch computes it."""

    name: str = "float32"

    @property
    def told(self) -> Any:
        return type(self).__name__

    def attention(self, model: nn.Module, length: int) -> AbstractContextManager[object]:
        return nullcontext()

    def probabilities(self, logits: Tensor) -> Tensor:
        return functional.softmax(logits, dim=-1)

    def losses(self, logits: Tensor, classes: Tensor) -> Tensor:
        return functional.cross_entropy(logits, classes, reduction="none")


@dataclass(frozen=True)
class _Rounded:
    """float32 between logits that are rounded and results that are."""

    def logits(self, x: Tensor) -> Tensor:
        raise NotImplementedError

    def results(self, x: Tensor) -> Tensor:
        raise NotImplementedError

    def attention(self, model: nn.Module, length: int) -> AbstractContextManager[object]:
        return FloatAttention(self.probabilities)

    def probabilities(self, logits: Tensor) -> Tensor:
        return self.results(functional.softmax(self.logits(logits), dim=-1))

    def losses(self, logits: Tensor, classes: Tensor) -> Tensor:
        rounded = self.logits(logits)
        return self.results(functional.cross_entropy(rounded, classes, reduction="none"))


@dataclass(frozen=True)
class Narrow(_Rounded):
    """Logits, probabilities and losses in a narrower float format.

    Attributes:
        dtype: by torch's name. What is beyond its largest value saturates; masked logits do not.
    """

    name: str
    dtype: str

    @property
    def told(self) -> Any:
        return [type(self).__name__, self.dtype]

    def logits(self, x: Tensor) -> Tensor:
        return torch.where(x == -torch.inf, x, self.results(x))

    def results(self, x: Tensor) -> Tensor:
        dtype = getattr(torch, self.dtype)
        most = torch.finfo(dtype).max
        return x.clamp(-most, most).to(dtype).float()


@dataclass(frozen=True)
class Decimals(_Rounded):
    """Logits rounded to decimal places, in float32; results are left as they are.

    Attributes:
        places: from 0 to 36; 10**places times a logit must be a float32.
    """

    name: str
    places: int

    @property
    def told(self) -> Any:
        return [type(self).__name__, self.places]

    def logits(self, x: Tensor) -> Tensor:
        return torch.round(x, decimals=self.places)

    def results(self, x: Tensor) -> Tensor:
        return x


@dataclass(frozen=True)
class Fixed:
    """The units.

    Attributes:
        name: of the configuration. config: of all of them; where rows are longer than its
            ``max_length``, that is theirs.
    """

    name: str
    config: SoftmaxConfig

    @property
    def told(self) -> Any:
        return self.config.to_dict()

    def attention(self, model: nn.Module, length: int) -> AbstractContextManager[object]:
        kept = ("softmax", "log_softmax", "cross_entropy")
        return swap(model, self._for(length), keep=kept)

    def probabilities(self, logits: Tensor) -> Tensor:
        return fixed_softmax(logits, -1, self._for(logits.shape[-1]))

    def losses(self, logits: Tensor, classes: Tensor) -> Tensor:
        config = self._for(logits.shape[-1])
        return fixed_cross_entropy(logits, classes, config=config, reduction="none")

    def _for(self, length: int) -> SoftmaxConfig:
        return self.config.replace(max_length=max(length, self.config.max_length))
