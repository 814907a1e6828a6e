"""Models and data that a user's own Python code makes: ``module:factory``."""

import importlib
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...golden.errors import ConfigError, require

if TYPE_CHECKING:
    from torch import nn


def model_of(text: str) -> "nn.Module":
    """The model that a factory makes; modules of the working folder are found, too.

    Raises:
        ConfigError: a factory that cannot be imported or called, or that returns no module.
    """
    from torch import nn

    made = _made("--model", text)
    require(
        isinstance(made, nn.Module),
        f"--model {text} must return a torch.nn.Module, not {type(made).__name__}",
    )
    return made


def data_of(text: str) -> Iterable[Any]:
    """What a factory gives: an iterable of inputs, see :func:`arguments`.

    Raises:
        ConfigError: a factory that cannot be imported or called, or that gives no iterable.
    """
    from torch import Tensor

    made = _made("--data", text)
    require(
        isinstance(made, Iterable) and not isinstance(made, str | bytes | Tensor | Mapping),
        f"--data {text} must return an iterable of inputs, not {type(made).__name__}",
    )
    return made


def inputs_of(data: Iterable[Any]) -> Iterator[Any]:
    """One input after another.

    Raises:
        ConfigError: data that fail while they are read.
    """
    try:
        yield from data
    except ConfigError:
        raise
    except Exception as error:
        raise ConfigError(f"--data must give inputs: {said(error)}") from error


def arguments(given: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """What a model is called with: a tensor, a tuple or list of arguments, or a dict of named ones.

    Raises:
        ConfigError: anything else.
    """
    from torch import Tensor

    if isinstance(given, Tensor):
        return (given,), {}
    if isinstance(given, tuple | list):
        return tuple(given), {}
    require(
        isinstance(given, Mapping) and all(isinstance(name, str) for name in given),
        "--data must give tensors, tuples of arguments or dicts of named ones, not "
        f"{type(given).__name__}",
    )
    return (), dict(given)


def _made(option: str, text: str) -> Any:
    factory = _factory(option, text)
    try:
        return factory()
    except Exception as error:
        raise ConfigError(f"{option} {text} failed: {said(error)}") from error


def _factory(option: str, text: str) -> Callable[[], Any]:
    module, _, name = text.partition(":")
    require(
        bool(module and name and ":" not in name),
        f"{option} must be MODULE:FACTORY, not {text!r}",
    )
    found = _imported(option, module)
    for part in name.split("."):
        require(hasattr(found, part), f"{option} module {module} has no {name}")
        found = getattr(found, part)
    require(callable(found), f"{option} {text} must be a function, not {type(found).__name__}")
    return found


def _imported(option: str, module: str) -> Any:
    folder = str(Path.cwd())
    if folder not in sys.path:
        sys.path.insert(0, folder)
    try:
        return importlib.import_module(module)
    except Exception as error:
        raise ConfigError(f"{option} module {module} cannot be imported: {said(error)}") from error


def said(error: BaseException) -> str:
    """An error in a line."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
