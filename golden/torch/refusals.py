"""Why a model cannot be looked into, in one sentence, by what it was to be looked into for."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor


class SwapError(RuntimeError):
    """A model in which not every softmax can be a unit's, in one sentence."""


class ProbeError(RuntimeError):
    """A model in which not every softmax can be seen, in one sentence."""


@dataclass(frozen=True, slots=True)
class Purpose:
    """What is done with a model's softmax family, as sentences say it.

    Attributes:
        verb, done: as in "swap it", "it is swapped".
        cannot: why a function with a softmax inside of it must not be called.
        nested: why nested tensors must not be given.
        error: what is raised.
    """

    verb: str
    done: str
    cannot: str
    nested: str
    error: type[RuntimeError]

    def not_called(self, function: str) -> RuntimeError:
        """Of a function that has a softmax inside."""
        return self.error(f"{function} must not be called: {self.cannot}")

    def require_plain(self, x: Tensor, more: Mapping[str, Any]) -> None:
        """Raise the error where a softmax is not of a plain tensor alone.

        Args:
            more: arguments besides those that torch documents for a softmax.
        """
        if any(value is not None for name, value in more.items() if name != "_stacklevel"):
            raise self.error(f"softmax must be called without {', '.join(more)}")
        if x.is_nested:
            raise self.error(f"softmax must be of a plain tensor: {self.nested}")


SWAP = Purpose(
    "swap", "swapped", "no unit takes the place of its softmax", "a unit takes no nested ones",
    SwapError,
)  # fmt: skip
PROBE = Purpose(
    "probe", "probed", "nobody can see into its softmax", "nested ones are not looked into",
    ProbeError,
)  # fmt: skip
