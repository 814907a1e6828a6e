"""Safetensors files: what is read is what was written."""

import json

import numpy as np
import pytest

from softmaxfx.golden import ConfigError
from softmaxfx.study.models.safetensors_file import read_safetensors


def written(arrays, kinds):
    """A file, from the description of the format alone."""
    contents, body = {"__metadata__": {"format": "pt"}}, b""
    for name, array in arrays.items():
        data = array.tobytes()
        contents[name] = {
            "dtype": kinds[name],
            "shape": list(array.shape),
            "data_offsets": [len(body), len(body) + len(data)],
        }
        body += data
    head = json.dumps(contents).encode()
    return len(head).to_bytes(8, "little") + head + body


ARRAYS = {
    "weights": np.random.default_rng(3).normal(size=(4, 5)).astype("<f4"),
    "halves": np.arange(6, dtype="<f2").reshape(2, 3),
    "places": np.arange(7, dtype="<i8")[None],
}
KINDS = {"weights": "F32", "halves": "F16", "places": "I64"}


def test_arrays_are_those_that_were_written():
    found = read_safetensors(written(ARRAYS, KINDS))
    assert found.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array)


@pytest.mark.parametrize("end", [5, 40, 250])
def test_a_file_that_ends_too_early_is_refused(end):
    with pytest.raises(ConfigError, match=r"^a safetensors file must be whole and not damaged"):
        read_safetensors(written(ARRAYS, KINDS)[:end])


def test_a_type_that_is_not_known_is_named():
    with pytest.raises(ConfigError, match=r"unlike weights, which is BF16$"):
        read_safetensors(written(ARRAYS, {**KINDS, "weights": "BF16"}))
