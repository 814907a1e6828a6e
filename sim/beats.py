"""Rows as beats of the ports, and beats as the words of the testbench's files."""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields

import numpy as np

from ..golden.types import Bits, Codes, Indices, Integers
from .sidecar import Stream

RESET_CYCLE = 0xFFFFFFFF
"""In place of a cycle: the unit was reset here, the word holds no beat."""


@dataclass(frozen=True, eq=False)
class Beats:
    """Beats of a stream port, one row of each array a beat.

    Attributes:
        data: codes, (beats, lanes).
        keep: bool, (beats, lanes, bytes of a container): the byte is present; all are where the
            stream has no tkeep.
        user: bool, (beats, user bits), bit 0 first.
        last: bool, (beats,); all are where the stream has no tlast.
        ident, dest: tid and tdest, (beats,); 0 where the stream has none.
    """

    data: Codes
    keep: Bits
    user: Bits
    last: Bits
    ident: Codes
    dest: Codes = field(default_factory=lambda: np.zeros(0, np.int64))

    def __post_init__(self) -> None:
        if len(self.dest) != len(self.last):
            object.__setattr__(self, "dest", np.zeros(len(self.last), np.int64))

    def __len__(self) -> int:
        return len(self.last)

    def take(self, beats: slice | Indices) -> "Beats":
        """Some of the beats."""
        return Beats(*(getattr(self, own.name)[beats] for own in fields(self)))

    @classmethod
    def concatenate(cls, parts: "Sequence[Beats]") -> "Beats":
        """The beats of all parts, in order."""
        names = [own.name for own in fields(cls)]
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def in_beats(array: np.ndarray, beats: Integers, lanes: int) -> np.ndarray:
    """Elements of rows beat by beat, (beats of all rows, lanes).

    Args:
        array: (rows, elements), any number of elements. beats: of each row.
    """
    most = max(int(beats.max(initial=0)), -(-array.shape[1] // lanes))
    wide = np.pad(array, [(0, 0), (0, most * lanes - array.shape[1])])
    return wide.reshape(len(array), most, lanes)[np.arange(most) < beats[:, None]]


def pack_rows(codes: Codes, lengths: Integers, stream: Stream, user: Bits | None = None) -> Beats:
    """Rows of elements as beats, the tid counting the rows; only a last beat is partial.

    Args:
        codes: (rows, longest row). lengths: elements of each row.
        user: (beats, user bits); all 0 unless given.
    """
    beats = -(-lengths // stream.lanes)
    keep = in_beats(np.arange(codes.shape[1]) < lengths[:, None], beats, stream.lanes)
    row = np.repeat(np.arange(len(codes)), beats)
    return Beats(
        data=in_beats(codes, beats, stream.lanes),
        keep=np.repeat(keep[:, :, None], stream.octets, axis=2),
        user=np.zeros((len(row), stream.user), bool) if user is None else user,
        last=np.append(row[1:] != row[:-1], True)[: len(row)],
        ident=row % (1 << stream.ident),
    )


def beat_words(beats: Beats, stream: Stream, drain: Bits | None = None) -> bytes:
    """The words of beats in the testbench's ``NAME.in``.

    Args:
        drain: beats that wait until the unit is empty.
    """
    count = len(beats)
    columns = {
        "tdata": _bits(beats.data, stream.octets * 8),
        "tkeep": beats.keep,
        "tuser": beats.user,
        "tid": beats.ident[:, None] >> np.arange(stream.ident) & 1,
        "tdest": beats.dest[:, None] >> np.arange(stream.dest) & 1,
        "tlast": beats.last,
        "drain": np.zeros(count, bool) if drain is None else drain,
    }
    word = np.concatenate(
        [
            column.astype(bool).reshape(count, -1 if column.size else 0)
            for name, column in columns.items()
            if name in stream.signals or name == "drain"
        ],
        axis=1,
    )
    word = np.pad(word, [(0, 0), (0, 8 * word_bytes(stream) - word.shape[1])])
    return np.packbits(word[:, ::-1], axis=1).tobytes()


def reset_word(stream: Stream) -> bytes:
    """The word of ``NAME.in`` at which the unit is reset."""
    return (1 << stream.bits + 1).to_bytes(word_bytes(stream), "big")


def word_bytes(stream: Stream) -> int:
    """Bytes of a word of ``NAME.in``: the beat and two marks, in whole 32-bit words."""
    return -(-(stream.bits + 2) // 32) * 4


def recorded_bytes(stream: Stream) -> int:
    """Bytes of a word of ``NAME.out``: the beat and its cycle, each in whole 32-bit words."""
    return (-(-stream.bits // 32) + 1) * 4


def read_beats(words: bytes, stream: Stream, *, signed: bool) -> tuple[Beats, Integers]:
    """Beats and their cycles from the testbench's ``NAME.out``; RESET_CYCLE marks a reset."""
    size = recorded_bytes(stream)
    raw = np.frombuffer(words, np.uint8, len(words) // size * size).reshape(-1, size)
    cycle = np.ascontiguousarray(raw[:, -4:]).view("<u4")[:, 0].astype(np.int64)
    word = np.unpackbits(raw[:, :-4], axis=1, bitorder="little").astype(bool)
    places = np.cumsum(list(stream.signals.values()))
    columns = dict(zip(stream.signals, np.split(word, places, axis=1), strict=False))
    count, lanes = len(raw), stream.lanes
    ident, dest = (
        _numbers(columns.get(name, np.zeros((count, 0), bool))) for name in ("tid", "tdest")
    )
    beats = Beats(
        data=_codes(columns["tdata"].reshape(count, lanes, 8 * stream.octets), signed),
        keep=columns.get("tkeep", np.ones((count, lanes * stream.octets), bool)).reshape(
            count, lanes, stream.octets
        ),
        user=columns.get("tuser", np.zeros((count, 0), bool)),
        last=columns.get("tlast", np.ones((count, 1), bool))[:, 0],
        ident=ident,
        dest=dest,
    )
    return beats, cycle


def _numbers(bits: Bits) -> Codes:
    """Numbers without a sign from their bits, bit 0 first, along the last axis."""
    return (bits << np.arange(bits.shape[1])).sum(axis=1)


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
