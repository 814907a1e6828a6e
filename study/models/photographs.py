"""Pictures to look at: scikit-image's, whole and in parts, with their classes where known."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from .packages import PICTURES, opened

SIZE = 224
"""Pixels along an edge, as the classifier was trained."""
PART = 0.75
"""Of a picture's shorter edge: that of its parts."""

NAMES = (
    "chelsea.png", "coffee.png", "rocket.jpg", "motorcycle_left.png", "camera.png",
    "clock_motion.png", "astronaut.png", "hubble_deep_field.jpg", "retina.jpg", "ihc.png",
    "coins.png", "moon.png", "brick.png", "grass.png", "gravel.png", "page.png", "text.png",
    "cell.png",
)  # fmt: skip

CLASSES = {
    "chelsea.png": (281, 282, 283, 284, 285),  # cats
    "coffee.png": (504, 967, 968),  # mug, espresso, cup
    "rocket.jpg": (657, 744, 812),  # missile, projectile, space shuttle
    "motorcycle_left.png": (665, 670),  # moped, scooter
    "camera.png": (759, 872),  # reflex camera, tripod
    "clock_motion.png": (409, 892),  # clocks
}
"""Classes of ImageNet that name what a picture shows; the others show none of them."""


@dataclass(frozen=True, eq=False)
class Photographs:
    """Pictures, and their classes.

    Attributes:
        pictures: (n, 3, SIZE, SIZE), from -1 to 1. classes: those that would be right, for each
            picture; nothing where none is known. names: of the files that they are of.
    """

    pictures: Tensor
    classes: tuple[tuple[int, ...], ...]
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.names)


def photographs(folder: Path, limit: int | None = None) -> Photographs:
    """All pictures, then their parts and mirror images, so that few of them are of all files.

    Raises:
        ConfigError: the package is missing or another one.
    """
    with opened(PICTURES, folder) as wheel:
        files = {name: wheel.read(f"skimage/data/{name}") for name in NAMES}
    made = {name: list(_parts(_decoded(content))) for name, content in files.items()}
    chosen = [(name, made[name][part]) for part in range(10) for name in NAMES][:limit]
    names = tuple(name for name, _ in chosen)
    pictures = torch.stack([picture for _, picture in chosen])
    return Photographs(pictures, tuple(CLASSES.get(name, ()) for name in names), names)


def _decoded(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content)).convert("RGB")


def _parts(picture: Image.Image) -> Iterator[Tensor]:
    """The square in the middle, those in the four corners, and the mirror images of all five."""
    width, height = picture.size
    whole, part = min(width, height), int(PART * min(width, height))
    boxes = [((width - whole) // 2, (height - whole) // 2, whole)]
    boxes += [(x, y, part) for x in (0, width - part) for y in (0, height - part)]
    parts = [
        _tensor(
            picture.resize((SIZE, SIZE), Image.Resampling.BICUBIC, box=(x, y, x + edge, y + edge))
        )
        for x, y, edge in boxes
    ]
    yield from parts
    yield from (part.flip(-1) for part in parts)


def _tensor(picture: Image.Image) -> Tensor:
    """(3, height, width), from -1 to 1, as the classifier was trained."""
    pixels = torch.from_numpy(np.asarray(picture).copy()).float()
    return (pixels.permute(2, 0, 1) - 127) / 128
