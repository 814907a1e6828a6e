"""Runs a model over its inputs while it is probed, and again with units in it."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from ...golden.config import SoftmaxConfig, preset
from ...golden.errors import ConfigError, require
from ...golden.measures.row_record import RANGES
from ...golden.measures.top1 import top1_share
from ...golden.torch import Probed, ProbeError, Sampling, SwapError, probe, swap
from .factories import arguments, inputs_of, said
from .outcome import Outcome
from .seen import Seen
from .subject import Subject

Progress = Callable[[float], object]


def probed(
    subject: Subject, seed: int, progress: Progress, ranges: tuple[float, ...] = RANGES
) -> list[Seen]:
    """Run the model over all inputs, and tell what entered its softmaxes.

    Raises:
        ConfigError: no input, a model that fails, or one without a softmax that can be seen.
    """
    try:
        with probe(subject.module, seed=seed, sampling=Sampling(ranges=ranges)) as found:
            for _ in _outputs(subject, progress):
                pass
            found.require_some()
            sites = [_seen(each) for each in found]
    except ProbeError as error:
        raise ConfigError(str(error)) from None
    require(
        any(site.figures.rows for site in sites),
        f"{type(subject.module).__name__} must have a softmax with an element that takes part; all "
        "of them are masked, or no numbers",
    )
    return [site for site in sites if site.figures.rows]


def evaluated(
    subject: Subject, names: Mapping[str, SoftmaxConfig], progress: Progress
) -> list[Outcome]:
    """Run the model with units in every softmax, on the same inputs.

    Args:
        names: units by the names to tell.

    Raises:
        ConfigError: a model that fails.
    """
    share = 1 / (len(names) + 1)
    gold = [_logits(output) for output in _outputs(subject, lambda done: progress(share * done))]
    if any(logits is None for logits in gold):
        note = "the model's output is no array of floats"
        return [Outcome(name, 0, None, note) for name in names]
    kept = [logits for logits in gold if logits is not None]
    outcomes = []
    for place, (name, config) in enumerate(names.items(), 1):
        told = _from(progress, share, place)
        outcomes.append(_evaluated(subject, name, config, kept, told))
    return outcomes


def raised(config: SoftmaxConfig | str, longest: int) -> SoftmaxConfig:
    """A unit for rows of so many elements."""
    found = preset(config) if isinstance(config, str) else config
    return found.replace(max_length=max(found.max_length, longest))


def _evaluated(
    subject: Subject, name: str, config: SoftmaxConfig, gold: list[Tensor], progress: Progress
) -> Outcome:
    hits, drawn = [], []
    try:
        with swap(subject.module, config):
            for logits, output in zip(gold, _outputs(subject, progress), strict=True):
                gate = _logits(output)
                assert gate is not None, "a unit does not change what the output is"
                kept, winners = _winners(logits, gate)
                hits.append(kept)
                drawn.append(winners)
    except SwapError as error:
        raise ConfigError(str(error)) from None
    rows = torch.cat(hits).numel()
    return Outcome(name, rows, top1_share(torch.cat(hits).numpy(), torch.cat(drawn).numpy()))


def _winners(gold: Tensor, gate: Tensor) -> tuple[Tensor, Tensor]:
    """(winners that are one of float's, winners), of each row."""
    best = gold == gold.amax(-1, keepdim=True)
    winners = gate == gate.amax(-1, keepdim=True)
    return (best & winners).sum(-1), winners.sum(-1)


def _outputs(subject: Subject, progress: Progress) -> Iterator[Any]:
    """The outputs of the model, input after input, without gradients and in evaluation."""
    training = subject.module.training
    subject.module.eval()
    done = 0
    try:
        with torch.no_grad():
            for given in inputs_of(subject.inputs):
                yield _output(subject, given, done)
                done += 1
                progress(done / subject.count if subject.count else 0.0)
    finally:
        subject.module.train(training)
    require(done > 0, "--data must give an input, and gives none")


def _output(subject: Subject, given: Any, place: int) -> Any:
    args, kwargs = arguments(given)
    try:
        return subject.module(*args, **kwargs)
    except (ProbeError, SwapError):
        raise
    except Exception as error:
        name = type(subject.module).__name__
        raise ConfigError(f"{name} must take input {place + 1}: {said(error)}") from error


def _logits(output: Any) -> Tensor | None:
    """The first array of an output, its rows along the last axis; None where that is none."""
    if hasattr(output, "logits"):
        output = output.logits
    if isinstance(output, Mapping):
        output = next(iter(output.values()), None)
    if isinstance(output, tuple | list):
        output = output[0] if output else None
    if not isinstance(output, Tensor) or not output.is_floating_point() or output.ndim == 0:
        return None
    return output.reshape(-1, output.shape[-1]).float().cpu()


def _seen(found: Probed) -> Seen:
    many = len(found.epochs) > 1
    epochs = {f"epoch {number}" if many else "": record for number, record in found.epochs.items()}
    decides = found.site.kind != "attention" and found.site.heads == 1
    return Seen(found.site.name, epochs, found.sample, decides)


def _from(progress: Progress, share: float, place: int) -> Progress:
    return lambda done: progress(share * (place + done))
