"""Forward methods that run with the calls in them intercepted, and back."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from types import MethodType, TracebackType
from typing import Any, Self

import torch
from torch import nn

from .intercept import Intercept
from .refusals import Purpose
from .swappable import called

_MARK = "intercepted_to"
"""Of forward methods that intercept calls: their purpose."""


class Undone:
    """A change of a model, which a ``with`` block ends."""

    def undo(self) -> None:
        """Make the model what it was."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.undo()


class Wrapping:
    """Intercepts the calls that forward methods of a model's modules make, until it is undone.

    Args:
        mode: is on while one of them runs. ended: called when the model's own has run.

    Attributes:
        site: the name of the module whose forward method runs; empty for the model's own.
        calls: for whoever counts calls by their names: those of this run of the method.
    """

    def __init__(self, mode: Intercept, ended: Callable[[], None]) -> None:
        self.mode, self.ended, self.site = mode, ended, ""
        self.calls: Counter[str] = Counter()
        self._wrapped: list[_Wrapped] = []

    def wrap(self, modules: Mapping[str, nn.Module]) -> None:
        """Intercept the calls of modules, by their names in the model."""
        self._wrapped += [_Wrapped(name, module, self) for name, module in modules.items()]

    def undo(self) -> None:
        """Make the modules what they were."""
        for each in self._wrapped:
            each.undo()
        self._wrapped = []

    @contextmanager
    def within(self, site: str) -> Iterator[None]:
        """While a module's forward method runs."""
        outer = self.site, self.calls
        self.site, self.calls = site, Counter()
        try:
            yield
        finally:
            self.site, self.calls = outer


def refuse_twice(name: str, module: nn.Module, purpose: Purpose) -> None:
    """Raise the purpose's error where a module's calls are intercepted already."""
    before = vars(getattr(module.forward, "__func__", _forward)).get(_MARK)
    if before is None:
        return
    twice = "twice" if before is purpose else f"while it is {before.done}"
    raise purpose.error(f"{called(name, module)} must not be {purpose.done} {twice}: undo it first")


class _Wrapped:
    """A module whose forward method runs with the calls intercepted."""

    def __init__(self, name: str, module: nn.Module, owner: Wrapping) -> None:
        self.module, self.own = module, vars(module).get("forward")
        module.forward = MethodType(_forward(name, module, owner), module)

    def undo(self) -> None:
        del self.module.forward
        if self.own is not None:
            self.module.forward = self.own


def _forward(name: str, module: nn.Module, owner: Wrapping) -> Callable[..., Any]:
    """The forward method of a module's class, or its own, with the calls intercepted.

    It is a function of the module, so that a copy of the module computes with its own weights.
    """
    own, mode, ended = vars(module).get("forward"), owner.mode, owner.ended

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

    vars(forward)[_MARK] = mode.treatment.purpose
    return forward


def _on(mode: Intercept) -> bool:
    """The mode is the one that sees calls first."""
    depth = torch._C._len_torch_function_stack()
    return depth > 0 and torch._C._get_function_stack_at(depth - 1) is mode
