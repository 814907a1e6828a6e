"""A model and what it is shown, by a name or by factories of a user's own."""

import importlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import islice
from typing import TYPE_CHECKING, Any

from ...golden.errors import require
from .factories import data_of, inputs_of, model_of
from .recorded import RECORDED

if TYPE_CHECKING:
    from torch import nn

PRETRAINED = ("smollm2", "minilm", "efficientnet")
"""Networks of :mod:`..models.registry`."""
NAMES = (*PRETRAINED, *RECORDED)
"""What ``--model`` knows by name."""


@dataclass(frozen=True, eq=False)
class Subject:
    """A model and its inputs.

    Attributes:
        inputs: see :func:`.factories.arguments`. count: how many there are; None where nobody
            knows.
    """

    module: "nn.Module"
    inputs: Iterable[Any]
    count: int | None


def pretrained(name: str, limit: int | None) -> Subject:
    """One of :data:`PRETRAINED`.

    Raises:
        ConfigError: the networks are not there.
    """
    registry = "softmaxfx.study.models.registry"
    require(
        find_spec("softmaxfx.study.models") is not None,
        f"--model {name} needs networks that this softmaxfx comes without",
    )
    network = importlib.import_module(registry).MODELS[name]
    inputs: Sequence[Any] = network.inputs(limit)
    return Subject(network.module(), inputs, len(inputs))


def own(model: str, data: str, limit: int | None, *, again: bool = False) -> Subject:
    """Of factories, ``module:factory`` each.

    Args:
        limit: inputs, at most. again: inputs are asked for more than once.

    Raises:
        ConfigError: a factory that cannot be imported or called, or that gives something else.
    """
    module, inputs = model_of(model), data_of(data)
    try:
        count = len(inputs)  # pyright: ignore[reportArgumentType]: not all have a length
    except TypeError:
        count = None
    if limit is not None or again:
        inputs = list(islice(inputs_of(inputs), limit))
        count = len(inputs)
    return Subject(module, inputs, count)
