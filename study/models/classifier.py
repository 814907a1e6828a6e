"""What the format of the last softmax does to a classifier: its answers, and how sure it is."""

import torch
from torch import Tensor

from ...golden.measures.calibration import calibration_error
from .answers import agreement, mass
from .efficientnet import EfficientNet
from .figures import Figures
from .photographs import Photographs
from .softmaxes import Float32, Softmax

BATCH = 20
"""Pictures that are computed at once."""


def reference(model: EfficientNet, shown: Photographs) -> Tensor:
    """The logits, (pictures, classes)."""
    return torch.cat([model.logits(part) for part in shown.pictures.split(BATCH)])


def measured(shown: Photographs, logits: Tensor, softmax: Softmax) -> Figures:
    """Against float32's answers, and against the classes that are known."""
    exact, p = Float32().probabilities(logits), softmax.probabilities(logits)
    best, confidence = logits.argmax(dim=-1), p.amax(dim=-1).double()
    known = torch.tensor([bool(classes) for classes in shown.classes])
    right = _right(p, shown)
    error = calibration_error(confidence[known].numpy(), right[known].numpy())
    return {
        "output": {
            "agreement": agreement(p, best).mean().item(),
            "right": right[known].mean().item(),
            "confidence_change": (confidence - exact.amax(dim=-1)).abs().mean().item(),
            "calibration": float("nan") if error is None else error,
            "mass": mass(p).mean().item(),
        }
    }


def _right(p: Tensor, shown: Photographs) -> Tensor:
    """Of each picture: the share of its largest elements that name what it shows."""
    largest = p == p.amax(dim=-1, keepdim=True)
    named = torch.zeros_like(largest)
    for row, classes in enumerate(shown.classes):
        named[row, list(classes)] = True
    return (largest & named).sum(dim=-1).double() / largest.sum(dim=-1)
