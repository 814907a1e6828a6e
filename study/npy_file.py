"""Arrays of a user's own, from the files that ``numpy.save`` writes."""

from math import prod
from pathlib import Path
from tokenize import TokenError
from zipfile import BadZipFile, ZipFile

import numpy as np
from numpy.lib import format as npy

from ..golden.errors import ConfigError

MAGIC = b"\x93NUMPY"
DAMAGED = "its header is damaged"


class _UnreadableError(ValueError):
    """Why a file is no array, for the end of a sentence."""


def load_array(name: str, file: Path) -> np.ndarray:
    """The one array of a ``.npy`` file.

    Args:
        name: of the option or argument, for the sentence of an error.

    Raises:
        ConfigError: a file that cannot be read as one array; the sentence says what it is instead.
    """
    try:
        _check(file)
        return np.load(file, allow_pickle=False)
    except _ArchiveError:
        raise ConfigError(
            f"{name} must be a .npy file with one array, not the archive {file}"
        ) from None
    except _UnreadableError as error:
        reason = str(error)
    except OSError as error:
        reason = error.strerror or str(error)
    except MemoryError:
        reason = "it does not fit the memory"
    except (ValueError, EOFError, SyntaxError, TokenError, RecursionError):
        reason = DAMAGED
    raise ConfigError(f"{name} must be a readable .npy file, not {file}: {reason}")


class _ArchiveError(Exception):
    """Several arrays in one file."""


def _check(file: Path) -> None:
    """Refuse what is no whole array, before memory is taken for it."""
    with file.open("rb") as stream:
        start = stream.read(len(MAGIC))
        if start != MAGIC:
            raise _UnreadableError(_what_else(file, start))
        stream.seek(0)
        version = npy.read_magic(stream)
        read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, _, dtype = read(stream)
        size = file.stat().st_size - stream.tell()
    if dtype.hasobject:
        raise _UnreadableError("it holds Python objects, not numbers")
    if min(shape, default=0) < 0:
        raise _UnreadableError(DAMAGED)
    expected_size = prod(shape) * dtype.itemsize
    if expected_size != size:
        raise _UnreadableError(
            f"its header tells of {expected_size:,} bytes of numbers, and {size:,} follow"
        )


def _what_else(file: Path, start: bytes) -> str:
    """What a file is that does not begin as an array does."""
    if not start:
        return "it is empty"
    if start.startswith(b"PK"):
        try:
            members = ZipFile(file).namelist()
        except BadZipFile:
            return "it is a damaged archive"
        if any(member.endswith(".npy") for member in members):
            raise _ArchiveError
        if any(member.endswith("data.pkl") for member in members):
            return "torch wrote it; numpy.save(FILE, tensor.numpy()) writes what is read here"
        return "it is an archive without arrays"
    if start.startswith(b"\x80"):
        return "it is a pickle; numpy.save(FILE, array) writes what is read here"
    if b"\0" not in start:
        return "it is text; numpy.save(FILE, numpy.loadtxt(TEXT, delimiter=',')) makes it an array"
    return "it is not what numpy.save writes"
