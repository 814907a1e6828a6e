"""Read GGUF files: what a language model is, and its weights, dequantised.

The format is that of https://github.com/ggml-org/ggml/blob/master/docs/gguf.md, little-endian.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...golden.errors import ConfigError, require

Weights = NDArray[np.float32]

VERSIONS = (2, 3)
ALIGNMENT = 32
"""Of the first byte of the weights, unless the file says another."""
BLOCK = 32
"""Weights that share a scale."""

_NUMBERS = {
    0: "B",
    1: "b",
    2: "H",
    3: "h",
    4: "I",
    5: "i",
    6: "f",
    7: "?",
    10: "Q",
    11: "q",
    12: "d",
}
_STRING, _ARRAY = 8, 9


def _float32(data: NDArray[np.uint8]) -> Weights:
    return data.view("<f4").astype(np.float32)


def _float16(data: NDArray[np.uint8]) -> Weights:
    return data.view("<f2").astype(np.float32)


def _q4_1(data: NDArray[np.uint8]) -> Weights:
    """Blocks of a scale, an offset, and a nibble a weight: the first half of them the low ones."""
    blocks = data.reshape(-1, 20)
    scale, offset = (blocks[:, n : n + 2].copy().view("<f2").astype(np.float32) for n in (0, 2))
    codes = np.concatenate([blocks[:, 4:] & 15, blocks[:, 4:] >> 4], axis=1)
    return (codes * scale + offset).ravel()


def _q8_0(data: NDArray[np.uint8]) -> Weights:
    """Blocks of a scale, and a signed byte a weight."""
    blocks = data.reshape(-1, 34)
    scale = blocks[:, :2].copy().view("<f2").astype(np.float32)
    return (blocks[:, 2:].view(np.int8) * scale).ravel()


@dataclass(frozen=True)
class _Type:
    """How weights lie: so many of them in so many bytes."""

    weights: int
    size: int
    read: Callable[[NDArray[np.uint8]], Weights]


_TYPES = {
    0: _Type(1, 4, _float32),
    1: _Type(1, 2, _float16),
    3: _Type(BLOCK, 20, _q4_1),
    8: _Type(BLOCK, 34, _q8_0),
}


@dataclass(frozen=True, eq=False)
class GgufFile:
    """What a file holds.

    Attributes:
        fields: what it says of the model, by name.
        weights: by name; the last axis is the one along which weights lie.
    """

    fields: dict[str, Any]
    weights: dict[str, Weights]


def read_gguf(data: bytes) -> GgufFile:
    """A file's content.

    Raises:
        ConfigError: it is none, or of a version or type of weights that is not known here.
    """
    require(data[:4] == b"GGUF", f"a GGUF file must start with b'GGUF', not {data[:4]!r}")
    reader = _Reader(data, 4)
    try:
        version = reader.number("I")
        require(version in VERSIONS, f"a GGUF file must be of version 2 or 3, not {version}")
        tensors, count = reader.number("Q"), reader.number("Q")
        fields = {reader.string(): reader.value(reader.number("I")) for _ in range(count)}
        told = [reader.tensor() for _ in range(tensors)]
        alignment = fields.get("general.alignment", ALIGNMENT)
        start = -(-reader.place // alignment) * alignment
        content = np.frombuffer(data, np.uint8)
        return GgufFile(fields, {one.name: one.weights(content, start) for one in told})
    except (struct.error, UnicodeDecodeError, KeyError, IndexError):
        raise ConfigError("a GGUF file must be whole and not damaged, unlike this one") from None


@dataclass(frozen=True)
class _Tensor:
    """Where weights lie. Attributes: shape: as in torch. kind: of the type. offset: in bytes."""

    name: str
    shape: tuple[int, ...]
    kind: int
    offset: int

    def weights(self, content: NDArray[np.uint8], start: int) -> Weights:
        require(
            self.kind in _TYPES,
            f"weights of a GGUF file must be F32, F16, Q4_1 or Q8_0, unlike {self.name}, which is "
            f"of type {self.kind}",
        )
        of, first = _TYPES[self.kind], start + self.offset
        size = prod(self.shape) // of.weights * of.size
        part = content[first : first + size]
        if len(part) < size:
            raise IndexError(self.name)
        return of.read(part).reshape(self.shape)


class _Reader:
    """Reads what stands one after the other."""

    def __init__(self, data: bytes, place: int) -> None:
        self.data, self.place = data, place

    def number(self, letter: str) -> Any:
        (value,) = struct.unpack_from(f"<{letter}", self.data, self.place)
        self.place += struct.calcsize(f"<{letter}")
        return value

    def string(self) -> str:
        length = self.number("Q")
        text = self.data[self.place : self.place + length]
        self.place += length
        return text.decode("utf-8")

    def value(self, kind: int) -> Any:
        if kind == _STRING:
            return self.string()
        if kind == _ARRAY:
            of, length = self.number("I"), self.number("Q")
            return [self.value(of) for _ in range(length)]
        return self.number(_NUMBERS[kind])

    def tensor(self) -> _Tensor:
        name = self.string()
        shape = tuple(self.number("Q") for _ in range(self.number("I")))
        return _Tensor(name, shape[::-1], self.number("I"), self.number("Q"))
