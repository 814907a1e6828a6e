"""What is measured: shapes of rows, what is computed of them, and configurations."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ...golden.config import DATAPATHS, SoftmaxConfig, preset
from ...golden.errors import require

FORWARD, BACKWARD, BOTH = "forward", "backward", "forward + backward"
LOSS = "cross-entropy forward + backward"
ATTENTION, ATTENTION_BOTH = "attention", "attention forward + backward"
OF_ATTENTION = ATTENTION, ATTENTION_BOTH
PRESET_NAMES = ("base", "int8")
LEAST_FREE = 8 << 30
"""Bytes of free memory below which the longest rows are fewer."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A tensor of logits.

    Attributes:
        size: (rows, n); of attention (batch, heads, rows, width of a head), rows by rows scores.
        causal: row i holds -inf in the columns above i % n.
    """

    size: tuple[int, ...]
    causal: bool = False

    @property
    def name(self) -> str:
        """By which it is asked for."""
        return "x".join(map(str, self.size))

    @property
    def words(self) -> str:
        """It, in words."""
        return f"{self.name} causal" if self.causal else self.name

    @property
    def length(self) -> int:
        """Elements of a row."""
        return self.size[-2] if len(self.size) == 4 else self.size[-1]

    @property
    def elements(self) -> int:
        """Elements that go through softmax."""
        if len(self.size) == 4:
            batch, heads, rows, _ = self.size
            return batch * heads * rows * rows
        return self.size[0] * self.size[1]


@dataclass(frozen=True, slots=True)
class Case:
    """An operation on a shape, by a configuration.

    Attributes:
        operation: one of the constants above.
    """

    operation: str
    shape: Shape
    preset: str
    datapath: str

    @property
    def config(self) -> SoftmaxConfig:
        """The preset, whose longest row is as long as the shape asks for."""
        base = preset(self.preset)
        longest = max(base.max_length, self.shape.length)
        return base.replace(datapath=self.datapath, max_length=longest)

    @property
    def words(self) -> str:
        """It, in words."""
        return f"{self.operation} {self.shape.words} {self.preset} {self.datapath}"

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> "Case":
        """The case that :meth:`to_dict` described."""
        shape = Shape(tuple(fields["shape"]["size"]), fields["shape"]["causal"])
        return cls(**{**fields, "shape": shape})


@dataclass(frozen=True, slots=True)
class Shapes:
    """All shapes of a run.

    Attributes:
        softmax, loss, attention: what softmax, the cross-entropy and attention are measured on.
        elements: checked of every case, at least.
    """

    softmax: tuple[Shape, ...]
    loss: tuple[Shape, ...]
    attention: tuple[Shape, ...] = ()
    elements: int = 10**6

    def names(self) -> list[str]:
        """Every shape's name once."""
        return list(dict.fromkeys(s.name for s in (*self.softmax, *self.loss, *self.attention)))

    def cases(self, names: Sequence[str] = ()) -> list[Case]:
        """The cases, shape after shape.

        Args:
            names: of the shapes asked for; all where there is none.

        Raises:
            ConfigError: a name of no shape.
        """
        for name in names:
            known = self.names()
            require(name in known, f"--shape must be one of {', '.join(known)}, not {name!r}")
        return [
            Case(operation, shape, preset_name, datapath)
            for shape, operations in self._operations()
            if not names or shape.name in names
            for preset_name in PRESET_NAMES
            for datapath in DATAPATHS
            for operation in operations
        ]

    def _operations(self) -> Iterator[tuple[Shape, tuple[str, ...]]]:
        # the largest first: what is late is not run
        yield from ((shape, OF_ATTENTION) for shape in self.attention)
        yield from ((shape, (FORWARD, BACKWARD, BOTH)) for shape in self.softmax)
        yield from ((shape, (LOSS,)) for shape in self.loss)


ROWS_OF_1024, CAUSAL, ROWS_OF_10 = (
    Shape((4096, 1024)),
    Shape((65536, 512), True),
    Shape((65536, 10)),
)
LONG, FEW_LONG = Shape((16384, 13777)), Shape((2048, 13777))
QUICK = Shapes(
    (Shape((64, 100)), Shape((64, 64), True), Shape((300, 10))), (Shape((64, 100)),), (), 6_000
)
CUDA = Shapes(
    (ROWS_OF_1024, CAUSAL, ROWS_OF_10, LONG), (LONG,), (Shape((8, 16, 2048, 64), True),), 10**8
)
QUICK_CUDA = Shapes(QUICK.softmax, QUICK.loss, (Shape((1, 2, 64, 16), True),), QUICK.elements)


def cpu_shapes(free: int) -> Shapes:
    """The shapes for a CPU.

    Args:
        free: bytes of memory.
    """
    long = LONG if free >= LEAST_FREE else FEW_LONG
    return Shapes((ROWS_OF_1024, CAUSAL, ROWS_OF_10, long), (ROWS_OF_1024, Shape((512, 13777))))


def free_memory() -> int:
    """Bytes of memory that are free, or that the system can free at once."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        (kibibytes,) = (line.split()[1] for line in lines if line.startswith("MemAvailable:"))
        return int(kibibytes) << 10
    except (OSError, ValueError):
        pages = "SC_AVPHYS_PAGES" if "SC_AVPHYS_PAGES" in os.sysconf_names else "SC_PHYS_PAGES"
        return os.sysconf(pages) * os.sysconf("SC_PAGE_SIZE")
