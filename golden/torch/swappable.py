"""Which modules can be looked into: some compute a softmax that nobody outside can see."""

from collections.abc import Callable, Iterator

import torch
from torch import nn

from .intercept import REFUSED
from .refusals import Purpose

FAMILY_MODULES = (
    nn.Softmin,
    nn.Softmax2d,
    nn.MultiheadAttention,
    nn.AdaptiveLogSoftmaxWithLoss,
)
"""Modules of torch's that call the family themselves, besides those that are replaced."""
IMPLEMENTATIONS = None, "eager", "sdpa"
"""Hugging Face's attention implementations that call torch's functions."""


def calls_softmax(module: nn.Module, name: str) -> bool:
    """A module's forward method may call the family: all but torch's plain layers, and the model
    itself whatever it is."""
    plain = type(module).__module__.startswith("torch.nn.modules.")
    return not name or not plain or isinstance(module, FAMILY_MODULES) or any(module.children())


def called(name: str, module: nn.Module) -> str:
    """A module in a sentence."""
    return f"{name or 'the model'} ({type(module).__name__})"


def refuse(name: str, module: nn.Module, purpose: Purpose) -> None:
    """Raise the purpose's error where not every softmax of a module can be seen."""
    for reason in filter(None, (rule(module, purpose) for rule in _RULES)):
        raise purpose.error(f"{called(name, module)} must not be {reason}")


def _scripted(module: nn.Module, purpose: Purpose) -> str:
    if isinstance(module, torch.jit.ScriptModule):
        return f"scripted: {purpose.verb} what the script is made of"
    return ""


def _compiled(module: nn.Module, purpose: Purpose) -> str:
    if isinstance(module, torch._dynamo.OptimizedModule) or module._compiled_call_impl is not None:
        return f"compiled: {purpose.verb} it before it is compiled"
    return ""


def _copied(module: nn.Module, _: Purpose) -> str:
    if isinstance(module, nn.DataParallel):
        return "data-parallel in one process: its copies would compute with the first one's weights"
    return ""


def _traced(module: nn.Module, purpose: Purpose) -> str:
    if not isinstance(module, torch.fx.GraphModule):
        return ""
    refused = {each for names in REFUSED.values() for each in names}
    found = [each for each in _targets(module) if each in refused]
    if not found:
        return ""
    return f"a traced graph that calls {found[0]}: {purpose.verb} it before it is traced"


def _targets(module: torch.fx.GraphModule) -> Iterator[str]:
    for node in module.graph.nodes:
        if node.op == "call_function":
            yield getattr(node.target, "__name__", "")


def _implemented(module: nn.Module, purpose: Purpose) -> str:
    name = getattr(getattr(module, "config", None), "_attn_implementation", None)
    if name in IMPLEMENTATIONS:
        return ""
    return f"of the attention implementation {name!r}: eager and sdpa can be {purpose.done}"


_RULES: tuple[Callable[[nn.Module, Purpose], str], ...] = (
    _scripted,
    _compiled,
    _copied,
    _traced,
    _implemented,
)
