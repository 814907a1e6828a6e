"""Calls of torch's softmax family: torch computes them, and what enters them is recorded."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from .call_logits import logit_blocks
from .intercept import FAMILY
from .refusals import PROBE, Purpose
from .site_record import Sampling, SiteRecord


@dataclass(frozen=True, order=True, slots=True)
class Site:
    """Where a softmax is called.

    Attributes:
        module: name of the module whose forward method calls it; empty for the model's own.
        kind: of :data:`.intercept.FAMILY`.
        place: which of the calls of that kind in a run of the forward method, from 0.
        heads: of attention, that rows are told apart by; else 1.
    """

    module: str
    kind: str
    place: int
    heads: int

    @property
    def name(self) -> str:
        """In a table; the first call has no number."""
        number = f" #{self.place + 1}" if self.place else ""
        return f"{self.module or 'model'}: {self.kind}{number}"


class Recorder:
    """What :class:`.intercept.Intercept` hands calls to, so that their logits are recorded.

    Args:
        modules: of the model, by name.
        where: tells the name of the module whose forward method runs, and what counts its calls.
        mask_value: logits at or below it take no part; None: only those of -inf.

    Attributes:
        sites: what was recorded, in the order of the first calls. epoch: of what is recorded next.
    """

    purpose: Purpose = PROBE
    functions: Collection[str] = tuple(FAMILY)

    def __init__(
        self,
        modules: Mapping[str, nn.Module],
        where: Callable[[], tuple[str, Counter[str]]],
        sampling: Sampling,
        seed: int,
        mask_value: float | None,
    ) -> None:
        self.where, self.sampling = where, sampling
        self._lowest = -float("inf") if mask_value is None else mask_value
        self.sites: dict[Site, SiteRecord] = {}
        self.epoch = 0
        self._generator = np.random.default_rng(seed)
        self._heads = {
            name: module.num_heads
            for name, module in modules.items()
            if isinstance(module, nn.MultiheadAttention)
        }

    def compute(
        self, name: str, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Tensor:
        """torch's own result, its bits."""
        if torch.compiler.is_compiling():
            raise PROBE.error("the model must not be compiled while it is probed")
        result = function(*args, **kwargs)
        with torch.no_grad():
            self._record(name, args, kwargs)
        return result

    def _record(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        module, calls = self.where()
        place = calls[name]
        calls[name] += 1
        for block in logit_blocks(name, args, kwargs, self._heads.get(module, 1)):
            if block.numel():
                x = block if block.dtype == torch.float64 else block.float()
                self._of(Site(module, name, place, x.shape[0])).add(x, self.epoch)

    def _of(self, site: Site) -> SiteRecord:
        if site not in self.sites:
            (generator,) = self._generator.spawn(1)
            self.sites[site] = SiteRecord(site.heads, self.sampling, generator, self._lowest)
        return self.sites[site]
