"""Rows as beats of the ports, and beats as the words of the bench's files."""

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from ..golden.formats import Codes
from .sidecar import Unit

RESET_CYCLE = 0xFFFFFFFF
"""In place of a cycle: the unit was reset here, the word holds no beat."""

Bits = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Beats:
    """Beats of a stream port, one row of each array a beat.

    Attributes:
        data: codes, (beats, lanes).
        keep: bool, (beats, lanes, bytes of a container): the byte is present.
        user: bool, (beats, user bits), bit 0 first.
        last: bool, (beats,).
        ident: tid, (beats,); 0 where the unit has none.
    """

    data: Codes
    keep: Bits
    user: Bits
    last: Bits
    ident: Codes

    def __len__(self) -> int:
        return len(self.last)

    def take(self, beats: slice) -> "Beats":
        """Some of the beats."""
        return Beats(*(getattr(self, field.name)[beats] for field in fields(self)))


def pack_rows(codes: Codes, masked: Bits, lengths: npt.NDArray[np.int64], unit: Unit) -> Beats:
    """Rows of elements as input beats, the tid counting the rows; only a last beat is partial.

    Args:
        codes: (rows, longest row). masked: same shape. lengths: elements of each row.
    """
    lanes = unit.lanes
    beats = -(-codes.shape[1] // lanes)

    def in_beats(array: np.ndarray) -> np.ndarray:
        padding = [(0, 0), (0, beats * lanes - array.shape[1])]
        return np.pad(array, padding).reshape(len(array), beats, lanes)

    keep = in_beats(np.arange(codes.shape[1]) < lengths[:, None])
    used = keep[:, :, 0]
    last = np.arange(beats) == -(-lengths // lanes)[:, None] - 1
    row = np.broadcast_to(np.arange(len(codes))[:, None], used.shape)[used]
    return Beats(
        data=in_beats(codes)[used],
        keep=np.repeat(keep[used][:, :, None], unit.input_bytes, axis=2),
        user=in_beats(masked)[used],
        last=last[used],
        ident=row % (1 << unit.config.id_width),
    )


def input_words(
    beats: Beats, unit: Unit, drain: Bits | None = None, reset: Bits | None = None
) -> bytes:
    """The bench's ``input.bin``.

    Args:
        drain: beats that wait until the unit is empty.
        reset: beats before which the unit is reset.
    """
    count = len(beats)
    shape = (count, unit.lanes * unit.input_bytes * 8)
    data = _bits(beats.data, unit.input_bytes * 8).reshape(shape)
    ident = (beats.ident[:, None] >> np.arange(id_bits(unit)) & 1).astype(bool)
    flags = (np.zeros(count, bool) if flag is None else flag for flag in (drain, reset))
    columns = (column[:, None] for column in (beats.last, *flags))
    keep = beats.keep.reshape(count, -1)
    word = np.concatenate([data, keep, beats.user, ident, *columns], axis=1, dtype=bool)
    word = np.pad(word, [(0, 0), (0, -word.shape[1] % 32)])
    return np.packbits(word[:, ::-1], axis=1).tobytes()


def id_bits(unit: Unit) -> int:
    """Bits of the tid in the words: one even where the unit has none."""
    return max(unit.config.id_width, 1)


def word_bytes(unit: Unit) -> int:
    """Bytes of a word of ``output.bin``: the beat and its cycle, each in whole 32-bit words."""
    bits = unit.lanes * unit.output_bytes * 9 + unit.output_user + id_bits(unit) + 1
    return (-(-bits // 32) + 1) * 4


def output_beats(words: bytes, unit: Unit) -> tuple[Beats, npt.NDArray[np.int64]]:
    """Beats and their cycles from the bench's ``output.bin``; RESET_CYCLE marks a reset."""
    data, keep = unit.lanes * unit.output_bytes * 8, unit.lanes * unit.output_bytes
    size = word_bytes(unit)
    raw = np.frombuffer(words, np.uint8, len(words) // size * size).reshape(-1, size)
    cycle = np.ascontiguousarray(raw[:, -4:]).view("<u4")[:, 0].astype(np.int64)
    word = np.unpackbits(raw[:, :-4], axis=1, bitorder="little").astype(bool)
    places = np.cumsum([data, keep, unit.output_user, id_bits(unit)])
    data_bits, keep_bits, user, ident, last = np.split(word, [*places, places[-1] + 1], axis=1)[:5]
    beats = Beats(
        data=_codes(data_bits.reshape(len(raw), unit.lanes, -1), unit.config.output.signed),
        keep=keep_bits.reshape(len(raw), unit.lanes, -1),
        user=user,
        last=last[:, 0],
        ident=(ident << np.arange(ident.shape[1])).sum(axis=1),
    )
    return beats, cycle


def _bits(codes: Codes, width: int) -> Bits:
    """Two's complement bits of codes, bit 0 first, along a new last axis."""
    octets = np.ascontiguousarray(codes[..., None].astype("<i8")).view(np.uint8)
    return np.unpackbits(octets[..., : width // 8], axis=-1, bitorder="little").astype(bool)


def _codes(bits: Bits, signed: bool) -> Codes:
    """Codes of bits, bit 0 first, along the last axis."""
    octets = np.packbits(bits, axis=-1, bitorder="little")
    extension = 255 * (bits[..., -1:] & signed).astype(np.uint8)
    padded = np.repeat(extension, 8, axis=-1)
    padded[..., : octets.shape[-1]] = octets
    return padded.view("<i8")[..., 0].astype(np.int64)
