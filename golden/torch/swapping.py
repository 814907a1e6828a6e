"""Fixed-point units in the place of a model's softmax family, and back."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from functools import wraps
from types import MethodType, TracebackType
from typing import Any, Unpack

import torch
from torch import nn

from ..config import SoftmaxConfig
from ..errors import require
from .attention import MASK_VALUE
from .fast_path import FastPath
from .intercept import FAMILY, Intercept, SwapError
from .options import Choices, Options, options
from .replace import replaced
from .swappable import calls_softmax, refuse

_MARK = "swapped"
"""Of forward methods that intercept calls."""
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


class Swap:
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
            refuse(name, module)
            if _MARK in vars(getattr(module.forward, "__func__", _forward)):
                raise SwapError(f"{_called(name, module)} must not be swapped twice: undo it first")
        self.model = model
        self.calls: Counter[tuple[str, str]] = Counter()
        self._site = ""
        # a compiler that traces a call runs these once, and does not follow them
        seen = torch.compiler.assume_constant_result(lambda *call: self.see(*call))
        self.ended = torch.compiler.assume_constant_result(lambda: self.require_some())
        self._mode = Intercept(units, seen)
        self._fast_path = FastPath()
        self._replacements = [
            each
            for name, module in named.items()
            if (each := replaced(name, module, units)) is not None
        ]
        self.modules = tuple(each.name for each in self._replacements)
        fixed = {id(each.module) for each in self._replacements}
        self._wrapped = [
            _Wrapped(name, module, self)
            for name, module in named.items()
            if calls_softmax(module, name) and id(module) not in fixed
        ]
        self._fast_path.turn_off()

    @property
    def sites(self) -> tuple[str, ...]:
        """Where units compute: modules, and the calls seen so far, as ``module: function``."""
        calls = (f"{site or 'model'}: {function}" for site, function in self.calls)
        return (*self.modules, *calls)

    def undo(self) -> None:
        """Make the model what it was; once undone, nothing more happens."""
        for each in (*self._replacements, *self._wrapped):
            each.undo()
        self._replacements, self._wrapped = [], []
        self._fast_path.restore()

    def __enter__(self) -> "Swap":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.undo()

    def __repr__(self) -> str:
        return f"Swap({type(self.model).__name__}: {', '.join(self.sites) or 'nothing yet'})"

    @contextmanager
    def within(self, site: str) -> Iterator[None]:
        """While a module's forward method runs; the outermost one must have met a unit."""
        outer, self._site = self._site, site
        try:
            yield
        finally:
            self._site = outer

    def see(self, function: str, traced: bool) -> None:
        """Count a call."""
        site = COMPILED if traced else self._site
        self.calls[site, function] += 1

    def require_some(self) -> None:
        """Raise SwapError where a forward pass ended, and nothing was a unit's."""
        if not self.modules and not self.calls:
            raise SwapError(
                f"{type(self.model).__name__} must have a softmax to swap: its forward pass called "
                "none"
            )


class _Wrapped:
    """A module whose forward method runs with the calls intercepted."""

    def __init__(self, name: str, module: nn.Module, owner: Swap) -> None:
        self.module, self.own = module, vars(module).get("forward")
        module.forward = MethodType(_forward(name, module, owner), module)

    def undo(self) -> None:
        del self.module.forward
        if self.own is not None:
            self.module.forward = self.own


def _forward(name: str, module: nn.Module, owner: Swap) -> Callable[..., Any]:
    """The forward method of a module's class, or its own, with the calls intercepted.

    It is a function of the module, so that a copy of the module computes with its own weights.
    """
    own, mode, ended = vars(module).get("forward"), owner._mode, owner.ended

    def run(self: nn.Module, *args: Any, **kwargs: Any) -> Any:
        if own is not None:
            return own(*args, **kwargs)
        return type(self).forward(self, *args, **kwargs)

    def intercepted(self: nn.Module, *args: Any, **kwargs: Any) -> Any:
        if _on(mode):
            return run(self, *args, **kwargs)
        with mode:
            return run(self, *args, **kwargs)

    @wraps(type(module).forward)
    def forward(self: nn.Module, *args: Any, **kwargs: Any) -> Any:
        if torch.compiler.is_compiling():
            result = intercepted(self, *args, **kwargs)
        else:
            with owner.within(name):
                result = intercepted(self, *args, **kwargs)
        if not name:
            ended()
        return result

    vars(forward)[_MARK] = True
    return forward


def _on(mode: Intercept) -> bool:
    """The mode is the one that sees calls first."""
    depth = torch._C._len_torch_function_stack()
    return depth > 0 and torch._C._get_function_stack_at(depth - 1) is mode


def _called(name: str, module: nn.Module) -> str:
    return f"{name or 'the model'} ({type(module).__name__})"
