"""Train a small convolutional network on the handwritten digits and return its logits.

Nothing restrains the size of the logits (no weight decay, no label smoothing, training well past
the last error), because confident logits are what a fixed-point softmax has to survive.
"""

from dataclasses import dataclass

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.nn import functional

from .progress_bar import steps

SEED = 1
EPOCHS = 200
BATCH = 64
LEARNING_RATE = 1e-3
HELD_OUT_SHARE = 0.2


@dataclass(frozen=True)
class DigitsRecording:
    """The final layer's outputs for all 1797 images.

    logits: shape (1797, 10), float32. target: the true classes, shape (1797,).
    held_out: True for the images that were not trained on, shape (1797,).
    """

    logits: np.ndarray
    target: np.ndarray
    held_out: np.ndarray


def record_digits() -> DigitsRecording:
    """Train from the fixed seed and record every image, trained on or not."""
    torch.manual_seed(SEED)
    pixels, target = load_digits(return_X_y=True)
    images = torch.tensor(pixels / 16, dtype=torch.float32).reshape(-1, 1, 8, 8)
    classes = torch.tensor(target)
    held_out = torch.rand(len(classes)) < HELD_OUT_SHARE

    model = _network()
    _train(model, images[~held_out], classes[~held_out])
    with torch.no_grad():
        logits = model.eval()(images)
    return DigitsRecording(logits.numpy(), target.astype(np.uint8), held_out.numpy())


def _network() -> nn.Sequential:
    """Two convolutions and two linear layers for images of shape (1, 8, 8)."""
    return nn.Sequential(
        nn.Conv2d(1, 16, kernel_size=3, padding=1),
        nn.ReLU(),
        nn.Conv2d(16, 32, kernel_size=3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(32 * 4 * 4, 64),
        nn.ReLU(),
        nn.Linear(64, 10),
    )


def _train(model: nn.Module, images: Tensor, classes: Tensor) -> None:
    """Minimise the cross-entropy over shuffled batches."""
    optimiser = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)
    for _ in steps("digits", EPOCHS):
        for batch in torch.randperm(len(images)).split(BATCH):
            loss = functional.cross_entropy(model(images[batch]), classes[batch])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
