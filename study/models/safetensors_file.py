"""Read safetensors files: a table of contents as JSON, then the weights.

The format is that of https://github.com/huggingface/safetensors, little-endian.
"""

import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...golden.errors import ConfigError, require

_TYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4"}


def read_safetensors(data: bytes) -> dict[str, NDArray[Any]]:
    """The arrays of a file, by name.

    Raises:
        ConfigError: it is none, or holds a type that is not known here.
    """
    start = 8 + int.from_bytes(data[:8], "little")
    try:
        contents = json.loads(data[8:start])
        contents.pop("__metadata__", None)
        return {name: _array(name, told, data[start:]) for name, told in contents.items()}
    except ConfigError:
        raise
    except (ValueError, KeyError, AttributeError, TypeError):
        raise ConfigError(
            "a safetensors file must be whole and not damaged, unlike this one"
        ) from None


def _array(name: str, told: dict[str, Any], data: bytes) -> NDArray[Any]:
    kind, (first, end) = told["dtype"], told["data_offsets"]
    require(
        kind in _TYPES,
        f"arrays of a safetensors file must be {', '.join(_TYPES)}, unlike {name}, which is {kind}",
    )
    return np.frombuffer(data[first:end], _TYPES[kind]).reshape(told["shape"])
