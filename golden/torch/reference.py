"""Float softmax to hold the golden model against: NumPy's float64, and torch on CPU and GPU.

Torch is optional: it is imported when a reference runs; one that cannot run here says why.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from typing import Literal

import numpy as np

from ..config import SoftmaxConfig
from ..errors import require
from ..measures.distance import Distance
from ..measures.exact import clipped_values, exact_softmax
from ..rows import LogitRows
from ..types import Bits, Reals
from ..units.softmax import softmax_rows


@dataclass(frozen=True, slots=True)
class Reference:
    """A float softmax.

    Attributes:
        device: ``"numpy"``, or torch's ``"cpu"`` or ``"cuda"``.
        dtype: the float that logits and probabilities are held in.
    """

    name: str
    device: Literal["numpy", "cpu", "cuda"]
    dtype: Literal["float64", "float32", "float16"]

    @property
    def absence(self) -> str:
        """Why it cannot run here; empty where it can."""
        if self.device == "numpy":
            return ""
        if find_spec("torch") is None:
            return "torch is not installed: not run"
        import torch

        if self.device == "cuda" and not torch.cuda.is_available():
            return "no CUDA device: not run"
        return ""

    def __call__(self, values: Reals, active: Bits) -> Reals:
        """Softmax of the active elements along the last axis, as float64; 0 elsewhere.

        A row without an active element is all 0, as in the hardware. A value beyond the dtype's
        range gives NaN.
        """
        if self.device == "numpy":
            return exact_softmax(values, active)
        import torch

        logits = torch.from_numpy(np.where(active, values, -np.inf))
        logits = logits.to(self.device, getattr(torch, self.dtype))
        p = torch.softmax(logits, dim=-1).to("cpu", torch.float64).numpy()
        return np.where(active, p, 0.0)


NUMPY = Reference("NumPy float64", "numpy", "float64")
REFERENCES = (
    NUMPY,
    Reference("torch float64 on CPU", "cpu", "float64"),
    Reference("torch float32 on CPU", "cpu", "float32"),
    Reference("torch float16 on CPU", "cpu", "float16"),
    Reference("torch float64 on CUDA", "cuda", "float64"),
    Reference("torch float32 on CUDA", "cuda", "float32"),
    Reference("torch float16 on CUDA", "cuda", "float16"),
)


def available() -> list[Reference]:
    """The references that can run here."""
    return [reference for reference in REFERENCES if not reference.absence]


@dataclass(frozen=True, slots=True)
class Comparison:
    """The golden model against one reference.

    Attributes:
        note: why something was not compared; empty where all was.
        codes: reference on scale * value of the clipped codes; float64's is below the bound.
        logits: reference on scale * the original logits: quantisation and clip count too.
            Both are ``None`` where nothing was compared.
    """

    reference: Reference
    note: str
    codes: Distance | None
    logits: Distance | None

    @classmethod
    def of(
        cls, reference: Reference, elements: int, distance: Callable[[int], Distance | None]
    ) -> "Comparison":
        """Of a reference, on the codes (``distance(0)``) and on the logits (``distance(1)``).

        Args:
            elements: that there are to compare.
        """
        if reference.absence:
            return cls(reference, reference.absence, None, None)
        if not elements:
            return cls(reference, "no element to compare", None, None)
        codes, logits = distance(0), distance(1)
        whole = codes is not None and logits is not None
        return cls(reference, "" if whole else f"rows beyond {reference.dtype}", codes, logits)


def compare(config: SoftmaxConfig, logits: LogitRows) -> list[Comparison]:
    """Hold the golden model's probabilities of rows of logits against every reference.

    Raises:
        ConfigError: ``log_softmax``.
        ValueError: rows longer than ``config.max_length``.
    """
    require(
        config.function == "softmax",
        f"function must be softmax to be held against float softmax, not {config.function}",
    )
    codes, active = logits.codes(config), logits.active
    result = softmax_rows(codes, config, ~active)
    one = np.broadcast_to(np.ldexp(1.0, result.exponent)[:, None], active.shape)[active]
    p = result.p[active]
    inputs = (clipped_values(codes, active, config), logits.values * config.scale)

    exact = [NUMPY(values, active)[active] * one for values in inputs]

    def distance(reference: Reference, place: int) -> Distance | None:
        gold = reference(inputs[place], active)[active] * one
        return Distance.of(p, gold, exact[place], config.output.f, (0, config.one))

    return [
        Comparison.of(reference, p.size, partial(distance, reference)) for reference in REFERENCES
    ]
