"""Writes GGUF files, from the description of the format alone."""

import struct

import numpy as np

F32, Q4_1, Q8_0 = 0, 3, 8


class GgufWriter:
    """Writes GGUF files as the format's description says, and remembers what must be read."""

    def __init__(self):
        self.fields, self.tensors, self.expected = [], [], {}

    def field(self, name, kind, value):
        """kind: struct letter and GGUF's number of a scalar, or "strings"."""
        if kind == "strings":
            data = struct.pack("<IIQ", 9, 8, len(value)) + b"".join(map(text, value))
        else:
            letter, number = kind
            data = struct.pack(f"<I{letter}", number, value)
        self.fields.append(text(name) + data)

    def floats(self, name, array):
        array = np.asarray(array, "<f4")
        self._add(name, array.shape, F32, array.tobytes(), array)

    def bytes_of(self, name, shape, rng):
        """Q8_0: a scale and 32 signed bytes."""
        count = int(np.prod(shape)) // 32
        scales = rng.uniform(0.001, 0.01, count).astype("<f2")
        codes = rng.integers(-127, 128, (count, 32), dtype=np.int8)
        parts = [scale.tobytes() + row.tobytes() for scale, row in zip(scales, codes, strict=True)]
        weights = scales.astype(np.float32)[:, None] * codes.astype(np.float32)
        self._add(name, shape, Q8_0, b"".join(parts), weights.reshape(shape))

    def nibbles(self, name, shape, rng):
        """Q4_1: a scale, an offset, 32 codes of 4 bits, of which a byte holds the i-th below the
        (i + 16)-th."""
        count = int(np.prod(shape)) // 32
        scales = rng.uniform(0.005, 0.02, count).astype("<f2")
        offsets = rng.uniform(-0.2, 0, count).astype("<f2")
        codes = rng.integers(0, 16, (count, 32), dtype=np.uint8)
        parts, weights = [], np.empty((count, 32), np.float32)
        for block in range(count):
            packed = bytes(int(codes[block, i]) | int(codes[block, i + 16]) << 4 for i in range(16))
            parts.append(scales[block].tobytes() + offsets[block].tobytes() + packed)
            for i in range(32):
                product = np.float32(scales[block]) * np.float32(codes[block, i])
                weights[block, i] = product + np.float32(offsets[block])
        self._add(name, shape, Q4_1, b"".join(parts), weights.reshape(shape))

    def _add(self, name, shape, kind, data, expected):
        self.tensors.append((name, shape, kind, data))
        self.expected[name] = expected

    def content(self):
        head = b"GGUF" + struct.pack("<IQQ", 3, len(self.tensors), len(self.fields))
        head += b"".join(self.fields)
        body = b""
        for name, shape, kind, data in self.tensors:
            body += b"\0" * (-len(body) % 32)
            sizes = struct.pack(f"<I{len(shape)}Q", len(shape), *reversed(shape))
            head += text(name) + sizes + struct.pack("<IQ", kind, len(body))
            body += data
        return head + b"\0" * (-len(head) % 32) + body


def text(string):
    return struct.pack("<Q", len(string.encode())) + string.encode()
