"""Modules of torch's softmax family that become fixed ones in place, and back."""

from collections.abc import Mapping
from dataclasses import dataclass

from torch import nn

from .adaptive import FixedAdaptiveLogSoftmaxWithLoss
from .layers import FixedCrossEntropyLoss, FixedLogSoftmax, FixedModule, FixedSoftmax
from .options import Options


class SwappedSoftmax(FixedSoftmax):
    """Its ``state_dict`` is that of ``nn.Softmax``, so that it fits the model before and after."""

    get_extra_state = nn.Module.get_extra_state
    set_extra_state = nn.Module.set_extra_state


class SwappedLogSoftmax(FixedLogSoftmax):
    """Its ``state_dict`` is that of ``nn.LogSoftmax``."""

    get_extra_state = nn.Module.get_extra_state
    set_extra_state = nn.Module.set_extra_state


class SwappedAdaptive(FixedAdaptiveLogSoftmaxWithLoss):
    """Its labels, losses and ``state_dict`` are those of ``nn.AdaptiveLogSoftmaxWithLoss``."""

    def set_unit(self, chosen: Options) -> None:
        super().set_unit(chosen)
        self.set_labels()


class SwappedCrossEntropyLoss(FixedCrossEntropyLoss):
    """Its ``state_dict`` is that of ``nn.CrossEntropyLoss``."""

    get_extra_state = nn.Module.get_extra_state
    set_extra_state = nn.Module.set_extra_state


CLASSES: Mapping[type[nn.Module], tuple[type[FixedModule], str]] = {
    nn.Softmax: (SwappedSoftmax, "softmax"),
    nn.LogSoftmax: (SwappedLogSoftmax, "log_softmax"),
    nn.CrossEntropyLoss: (SwappedCrossEntropyLoss, "cross_entropy"),
    nn.AdaptiveLogSoftmaxWithLoss: (SwappedAdaptive, "cross_entropy"),
}
"""Of each class, the fixed one and whose unit it takes; a class of the user's own is none."""


@dataclass(frozen=True, eq=False, slots=True)
class Replacement:
    """A module that became a fixed one: it is the same object, with its hooks and weights.

    Attributes:
        name: in its model. own: its class. added: attributes that it did not have.
    """

    name: str
    module: nn.Module
    own: type[nn.Module]
    added: frozenset[str]

    def undo(self) -> None:
        """Make it what it was."""
        for name in self.added:
            delattr(self.module, name)
        self.module._non_persistent_buffers_set.discard("clipped")
        self.module.__class__ = self.own


def replaced(name: str, module: nn.Module, units: Mapping[str, Options]) -> Replacement | None:
    """Make a module a fixed one; None where it is no module of the family, or is to stay."""
    own = type(module)
    if own not in CLASSES or CLASSES[own][1] not in units:
        return None
    fixed, unit = CLASSES[own]
    before = _names(module)
    module.__class__ = fixed
    assert isinstance(module, FixedModule)
    if isinstance(module, FixedSoftmax | FixedLogSoftmax):
        module.dtype = None
    module.set_unit(units[unit])
    return Replacement(name, module, own, _names(module) - before)


def _names(module: nn.Module) -> frozenset[str]:
    """Of a module's own attributes, buffers among them."""
    return frozenset((*vars(module), *module._buffers))
