"""Train a small convolutional network on the handwritten digits and return its logits.

Nothing restrains the size of the logits (no weight decay, no label smoothing, training well past
the last error), because confident logits are what a fixed-point softmax has to survive.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import Generator, Tensor, nn
from torch.nn import functional

from .progress_bar import steps

SEED = 1
EPOCHS = 200
BATCH = 64
LEARNING_RATE = 1e-3
HELD_OUT_SHARE = 0.2

Loss = Callable[[Tensor, Tensor], Tensor]
"""The mean loss of logits (rows, classes) and true classes (rows,)."""


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
    images, classes = images_and_classes()
    held_out = drawn_out(len(classes), torch.default_generator)

    model = network()
    optimiser = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)
    order = batches(int((~held_out).sum()), steps("digits", EPOCHS), torch.default_generator)
    learn(model, images[~held_out], classes[~held_out], order, optimiser, functional.cross_entropy)
    with torch.no_grad():
        logits = model.eval()(images)
    return DigitsRecording(logits.numpy(), classes.numpy().astype(np.uint8), held_out.numpy())


def images_and_classes() -> tuple[Tensor, Tensor]:
    """All 1797 images, shape (1797, 1, 8, 8), from 0 to 1, and their classes, int64."""
    pixels, target = load_digits(return_X_y=True)
    images = torch.tensor(pixels / 16, dtype=torch.float32).reshape(-1, 1, 8, 8)
    return images, torch.tensor(target)


def drawn_out(images: int, generator: Generator) -> Tensor:
    """True for the images that are not trained on, shape (images,)."""
    return torch.rand(images, generator=generator) < HELD_OUT_SHARE


def network() -> nn.Sequential:
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


def batches(images: int, epochs: Iterable[int], generator: Generator) -> Iterator[Tensor]:
    """Places of images, int64, at most 64 at once: all of them in a new order every epoch."""
    for _ in epochs:
        yield from torch.randperm(images, generator=generator).split(BATCH)


def learn(
    model: nn.Module,
    images: Tensor,
    classes: Tensor,
    order: Iterable[Tensor],
    optimiser: torch.optim.Optimizer,
    loss: Loss,
) -> None:
    """Minimise the loss over batches, whose images ``order`` names."""
    for batch in order:
        minimised = loss(model(images[batch]), classes[batch])
        optimiser.zero_grad()
        minimised.backward()
        optimiser.step()
