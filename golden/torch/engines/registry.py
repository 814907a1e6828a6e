"""The engines there are, the fastest first, and which of them computes a configuration.

An engine is chosen for what it can do, never for what it gives: all of them give the same bits.
Where a faster one cannot take a configuration, a warning says so once; nothing falls back to float.
"""

import warnings
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from typing import cast

import torch

from ...config import SoftmaxConfig
from ...errors import ConfigError, require
from .engine import Engine


class EngineFallbackWarning(UserWarning):
    """A faster engine cannot take a configuration, so that a slower one computes it."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Where an engine is found.

    Attributes:
        name: by which it is asked for. module, engine: of the class, which takes no argument.
        devices: types of the devices whose tensors it computes; all where empty. On others it is
            passed over without a warning: nothing is lost.
    """

    name: str
    module: str
    engine: str
    devices: tuple[str, ...] = ()

    def serves(self, device: torch.device) -> bool:
        return not self.devices or device.type in self.devices


ENTRIES = (
    Entry("triton", ".triton_engine", "TritonEngine", ("cuda",)),
    Entry("compiled", ".compiled_engine", "CompiledEngine", ("cpu",)),
    Entry("torch", ".torch_engine", "TorchEngine"),
    Entry("numpy", ".numpy_engine", "NumpyEngine"),
)
"""The fastest first."""
FUSING = "triton"
"""The engine that has a kernel of whole attention."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Which engine computes a configuration on a device.

    Attributes:
        name: the engine's. passed_over: faster ones by name, and why they cannot: a sentence each.
        fuses: attention is one kernel that stores neither scores nor p.
        unfused: why it is not, where the engine has such a kernel: a sentence.
    """

    name: str
    passed_over: dict[str, str]
    fuses: bool = False
    unfused: str = ""


def engine_names() -> tuple[str, ...]:
    """What can be asked for, the fastest first."""
    return tuple(entry.name for entry in ENTRIES)


def engine_for(config: SoftmaxConfig, device: torch.device, name: str = "") -> Engine:
    """The engine that computes a configuration on a device: the fastest that can, or the named one.

    Warns once for each configuration and kind of device where a faster one cannot.

    Raises:
        ConfigError: no engine can, or not the named one; an unknown name.
    """
    return _engine_for(config, torch.device(device.type), name)


def which_engine(config: SoftmaxConfig, device: torch.device | str = "cpu") -> Choice:
    """The engine that computes a configuration on a device, and why faster ones do not.

    Raises:
        ConfigError: no engine can.
    """
    device, passed_over = torch.device(device), {}
    for entry in ENTRIES:
        if not entry.serves(device):
            continue
        reason = _engine(entry).absence(config, device)
        if not reason:
            unfused = unfused_by(entry.name, config)
            return Choice(entry.name, passed_over, unfused == "", unfused or "")
        passed_over[entry.name] = reason
    raise ConfigError(f"config must suit an engine for {device}: {_joined(passed_over)}")


def unfused_by(name: str, config: SoftmaxConfig) -> str | None:
    """Why an engine cannot compute attention by a configuration in one kernel, a sentence; empty
    where it can, None where it has no such kernel."""
    if name != FUSING or config.function != "softmax":
        return None
    from .triton_attention import lacking

    return lacking(config)


def warn_unfused(reason: str) -> None:
    """Say once that attention stores its scores though the engine need not."""
    warnings.warn(
        f"attention is not fused, and stores scores and p: {reason.rstrip('.')}",
        EngineFallbackWarning,
        stacklevel=2,
    )


@lru_cache(maxsize=256)
def _engine_for(config: SoftmaxConfig, device: torch.device, name: str) -> Engine:
    if name:
        return _named(config, device, name)
    choice = which_engine(config, device)
    if choice.passed_over:
        warnings.warn(
            f"the engine {choice.name} computes on {device} what faster ones cannot: "
            f"{_joined(choice.passed_over)}",
            EngineFallbackWarning,
            stacklevel=2,
        )
    return _by_name(choice.name)


def _named(config: SoftmaxConfig, device: torch.device, name: str) -> Engine:
    require(
        name in engine_names(), f"engine must be one of {', '.join(engine_names())}, not {name!r}"
    )
    engine = _by_name(name)
    reason = engine.absence(config, device)
    require(not reason, f"engine must be one that can compute this, not {name!r}: {reason}")
    return engine


def _by_name(name: str) -> Engine:
    return _engine(next(entry for entry in ENTRIES if entry.name == name))


@lru_cache(maxsize=16)
def _engine(entry: Entry) -> Engine:
    return cast("Engine", getattr(import_module(entry.module, __package__), entry.engine)())


def _joined(reasons: dict[str, str]) -> str:
    return "; ".join(f"{name}: {reason.rstrip('.')}" for name, reason in reasons.items())
