"""Rows as beats of the ports, and beats as the words of the bench's files."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..golden.formats import Codes
from .sidecar import Unit

Bits = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Beats:
    """Beats of a stream port, one row of each array a beat.

    Attributes:
        data: codes, (beats, lanes).
        keep: bool, (beats, lanes): the element is present.
        user: bool, (beats, user bits), bit 0 first.
        last: bool, (beats,).
    """

    data: Codes
    keep: Bits
    user: Bits
    last: Bits


def pack_rows(codes: Codes, masked: Bits, lengths: npt.NDArray[np.int64], lanes: int) -> Beats:
    """Rows of elements as input beats; only a row's last beat may be partial.

    Args:
        codes: (rows, longest row). masked: same shape. lengths: elements of each row.
    """
    beats = -(-codes.shape[1] // lanes)

    def in_beats(array: np.ndarray) -> np.ndarray:
        padding = [(0, 0), (0, beats * lanes - array.shape[1])]
        return np.pad(array, padding).reshape(len(array), beats, lanes)

    keep = in_beats(np.arange(codes.shape[1]) < lengths[:, None])
    used = keep[:, :, 0]
    last = np.arange(beats) == -(-lengths // lanes)[:, None] - 1
    return Beats(in_beats(codes)[used], keep[used], in_beats(masked)[used], last[used])


def input_words(beats: Beats, unit: Unit, drain: Bits | None = None) -> bytes:
    """The bench's ``input.bin``; ``drain`` marks beats that wait until the unit is empty."""
    count = len(beats.last)
    shape = (count, unit.lanes * unit.input_bytes * 8)
    data = _bits(beats.data, unit.input_bytes * 8).reshape(shape)
    keep = np.repeat(beats.keep, unit.input_bytes, axis=1)
    flag = np.zeros(count, bool) if drain is None else drain
    word = np.concatenate(
        [data, keep, beats.user, beats.last[:, None], flag[:, None]], axis=1, dtype=bool
    )
    word = np.pad(word, [(0, 0), (0, -word.shape[1] % 32)])
    return np.packbits(word[:, ::-1], axis=1).tobytes()


def word_bytes(unit: Unit) -> int:
    """Bytes of a word of ``output.bin``: the beat and its cycle, each in whole 32-bit words."""
    bits = unit.lanes * unit.output_bytes * 9 + unit.output_user + 1
    return (-(-bits // 32) + 1) * 4


def output_beats(words: bytes, unit: Unit) -> tuple[Beats, npt.NDArray[np.int64]]:
    """Beats and their cycles from the bench's ``output.bin``."""
    data, keep = unit.lanes * unit.output_bytes * 8, unit.lanes * unit.output_bytes
    size = word_bytes(unit)
    raw = np.frombuffer(words, np.uint8, len(words) // size * size).reshape(-1, size)
    cycle = np.ascontiguousarray(raw[:, -4:]).view("<u4")[:, 0].astype(np.int64)
    word = np.unpackbits(raw[:, :-4], axis=1, bitorder="little").astype(bool)
    split = np.split(word, np.cumsum([data, keep, unit.output_user]), axis=1)
    return (
        Beats(
            data=_codes(split[0].reshape(len(raw), unit.lanes, -1)),
            keep=np.all(split[1].reshape(len(raw), unit.lanes, -1), axis=2),
            user=split[2],
            last=split[3][:, 0],
        ),
        cycle,
    )


def _bits(codes: Codes, width: int) -> Bits:
    """Two's complement bits of codes, bit 0 first, along a new last axis."""
    octets = np.ascontiguousarray(codes[..., None].astype("<i8")).view(np.uint8)
    return np.unpackbits(octets[..., : width // 8], axis=-1, bitorder="little").astype(bool)


def _codes(bits: Bits) -> Codes:
    """Unsigned codes of bits, bit 0 first, along the last axis."""
    octets = np.packbits(bits, axis=-1, bitorder="little")
    padded = np.zeros((*octets.shape[:-1], 8), np.uint8)
    padded[..., : octets.shape[-1]] = octets
    return padded.view("<i8")[..., 0].astype(np.int64)
