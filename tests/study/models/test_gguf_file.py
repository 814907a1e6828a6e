"""GGUF files: what is read is what was written, and what is no such file is told in a sentence."""

import struct

import numpy as np
import pytest

from softmaxfx.golden import ConfigError
from softmaxfx.study.models.gguf_file import read_gguf

from .gguf_writer import GgufWriter


def small():
    writer, rng = GgufWriter(), np.random.default_rng(1)
    writer.field("a.count", ("I", 4), 7)
    writer.field("a.large", ("Q", 10), 2**40)
    writer.field("a.share", ("f", 6), 0.25)
    writer.field("a.words", "strings", ["eins", "zwei", "drei ä"])
    writer.floats("one", rng.normal(size=(3, 5)))
    writer.bytes_of("two", (2, 64), rng)
    writer.nibbles("three", (3, 32), rng)
    return writer


def test_fields_and_weights_are_those_that_were_written():
    writer = small()
    file = read_gguf(writer.content())
    assert file.fields == {
        "a.count": 7,
        "a.large": 2**40,
        "a.share": 0.25,
        "a.words": ["eins", "zwei", "drei ä"],
    }
    assert file.weights.keys() == writer.expected.keys()
    for name, expected in writer.expected.items():
        assert file.weights[name].dtype == np.float32
        np.testing.assert_array_equal(file.weights[name], expected)


def test_weights_start_where_the_file_says():
    writer = small()
    plain = read_gguf(writer.content()).weights["three"]
    writer.field("general.alignment", ("I", 4), 32)
    np.testing.assert_array_equal(read_gguf(writer.content()).weights["three"], plain)


@pytest.mark.parametrize("cut", [1, 200, 400])
def test_a_file_that_ends_too_early_is_refused(cut):
    content = small().content()
    with pytest.raises(ConfigError, match=r"^a GGUF file must be whole and not damaged"):
        read_gguf(content[: len(content) - cut])


def test_other_files_are_refused():
    with pytest.raises(ConfigError, match=r"^a GGUF file must start with b'GGUF', not b'PK..'$"):
        read_gguf(b"PK..")
    with pytest.raises(ConfigError, match=r"^a GGUF file must be of version 2 or 3, not 1$"):
        read_gguf(b"GGUF" + struct.pack("<IQQ", 1, 0, 0))


def test_a_type_that_is_not_known_is_named():
    writer = GgufWriter()
    writer.floats("odd", np.zeros(4))
    name, shape, _, data = writer.tensors[0]
    writer.tensors[0] = name, shape, 14, data
    with pytest.raises(ConfigError, match=r"must be F32, F16, Q4_1 or Q8_0, unlike odd, which is"):
        read_gguf(writer.content())
