"""Fixed-point units in the place of a model's softmax family, and back."""

from collections import Counter
from collections.abc import Collection
from typing import Unpack

import torch
from torch import nn

from ..config import SoftmaxConfig
from ..errors import require
from .attention import MASK_VALUE
from .fast_path import FastPath
from .intercept import FAMILY, Intercept
from .options import Choices, Options, options
from .refusals import SWAP, SwapError
from .replace import replaced
from .swappable import calls_softmax, refuse
from .unit_calls import UnitCalls
from .wrapping import Undone, Wrapping, refuse_twice

COMPILED = "(compiled)"
"""The site of calls that a compiler traced: it does not tell in which module they stand."""


def swap(
    model: nn.Module,
    config: SoftmaxConfig | str = "base",
    *,
    log_config: SoftmaxConfig | str | None = None,
    loss_config: SoftmaxConfig | str | None = None,
    attention_config: SoftmaxConfig | str | None = None,
    keep: Collection[str] = (),
    mask_value: float | None = MASK_VALUE,
    **chosen: Unpack[Choices],
) -> "Swap":
    """Compute a model's softmax family by fixed-point units, until it is undone.

    Modules ``nn.Softmax``, ``nn.LogSoftmax``, ``nn.CrossEntropyLoss`` and
    ``nn.AdaptiveLogSoftmaxWithLoss`` become the fixed ones in place, with their hooks and weights.
    Other calls are intercepted while the forward method of the model, or of a module in it, runs:
    softmax, log_softmax, cross_entropy and scaled_dot_product_attention, however they are called,
    also inside of ``nn.MultiheadAttention`` and the transformers of torch and of Hugging Face.
    Torch's native path of its transformers, which calls none of them, is off for all models
    meanwhile. Compile, export or script a model after it is swapped. A softmax that is spelled out,
    by exp and sum, is no call and stays float.

    Args:
        model: any module; it is changed in place.
        config: the unit, or a preset's name. log_config, loss_config, attention_config: of
            log_softmax, of cross_entropy and adaptive softmax, and of scaled_dot_product_attention;
            None: config.
        keep: of ``"softmax"``, ``"log_softmax"``, ``"cross_entropy"``, ``"attention"``: what is
            left as it is.
        mask_value: logits at or below it take no part, for models mask with finite numbers; None:
            only those of -inf.
        chosen: engine, straight_through, grad_exponent, seed, check, see
            :class:`.options.Options`.

    Returns:
        What was swapped; a context manager that undoes it.

    Raises:
        ConfigError: options that break a rule.
        SwapError: a module in which not every softmax can be swapped, which it names. So does the
            first forward pass of a model without any, or one that calls what no unit can be put in.
    """
    given = {
        "softmax": config,
        "log_softmax": config if log_config is None else log_config,
        "cross_entropy": config if loss_config is None else loss_config,
        "attention": config if attention_config is None else attention_config,
    }
    for name in keep:
        require(name in FAMILY, f"keep must hold names of {', '.join(FAMILY)}, not {name!r}")
    units = {
        name: options(_function(name), each, mask_value=mask_value, **chosen)
        for name, each in given.items()
        if name not in keep
    }
    return Swap(model, units)


def _function(name: str) -> str:
    return "log_softmax" if name == "log_softmax" else "softmax"


class Swap(Undone):
    """What was swapped in a model.

    Attributes:
        model: the model.
        modules: names of the modules that became fixed ones.
        calls: how often units computed calls, by (name of the module whose forward method made
            them, name of the function); calls that a compiler traced count once, as of
            ``(compiled)``. Modules that became fixed ones are not among them.
    """

    def __init__(self, model: nn.Module, units: dict[str, Options]) -> None:
        named = dict(model.named_modules())
        for name, module in named.items():
            refuse(name, module, SWAP)
            refuse_twice(name, module, SWAP)
        self.model = model
        self.calls: Counter[tuple[str, str]] = Counter()
        # a compiler that traces a call runs these once, and does not follow them
        seen = torch.compiler.assume_constant_result(lambda *call: self.see(*call))
        ended = torch.compiler.assume_constant_result(lambda: self.require_some())
        self._mode = Intercept(UnitCalls(units, seen))
        self._fast_path = FastPath()
        self._replacements = [
            each
            for name, module in named.items()
            if (each := replaced(name, module, units)) is not None
        ]
        self.modules = tuple(each.name for each in self._replacements)
        fixed = {id(each.module) for each in self._replacements}
        self._wrapping = Wrapping(self._mode, ended)
        self._wrapping.wrap(
            {
                name: module
                for name, module in named.items()
                if calls_softmax(module, name) and id(module) not in fixed
            }
        )
        self._fast_path.turn_off()

    @property
    def sites(self) -> tuple[str, ...]:
        """Where units compute: modules, and the calls seen so far, as ``module: function``."""
        calls = (f"{site or 'model'}: {function}" for site, function in self.calls)
        return (*self.modules, *calls)

    def undo(self) -> None:
        """Make the model what it was; once undone, nothing more happens."""
        for each in self._replacements:
            each.undo()
        self._replacements = []
        self._wrapping.undo()
        self._fast_path.restore()

    def __repr__(self) -> str:
        return f"Swap({type(self.model).__name__}: {', '.join(self.sites) or 'nothing yet'})"

    def see(self, function: str, traced: bool) -> None:
        """Count a call."""
        site = COMPILED if traced else self._wrapping.site
        self.calls[site, function] += 1

    def require_some(self) -> None:
        """Raise SwapError where a forward pass ended, and nothing was a unit's."""
        if not self.modules and not self.calls:
            raise SwapError(
                f"{type(self.model).__name__} must have a softmax to swap: its forward pass called "
                "none"
            )
