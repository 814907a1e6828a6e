"""Contents of the golden model's tables on a device."""

import torch
from torch import Tensor

from ....types import Codes


def on_device(entries: Codes, device: torch.device) -> Tensor:
    """A table as an int64 tensor."""
    return torch.tensor(entries, dtype=torch.int64, device=device)
