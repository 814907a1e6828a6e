"""The units that figures are published for, what each of them must reach, and what it reaches."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np

from ..golden.config import DatapathName, SoftmaxConfig, preset
from ..golden.measures.metrics import measure
from ..golden.rows import LogitRows
from ..golden.units.registry import unit_record
from ..golden.units.softmax import softmax_rows
from ..sim.sidecar import Unit
from .device import DEVICES, Device
from .synthesis import Synthesis

Verdict = Literal["yes", "required only", "missed"]

LENGTH = 1024
"""Elements of the longest row, on ECP5."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure that there are requirements for.

    Attributes:
        more: the more, the better; else the less.
        of: reads it from a synthesis' fields.
        text: writes it.
    """

    name: str
    more: bool
    of: Callable[[dict[str, Any]], float]
    text: Callable[[float], str]

    def reaches(self, value: float, limit: float) -> bool:
        """Whether a value is on the limit's good side."""
        return value >= limit if self.more else value <= limit


def _count(name: str, key: str) -> Figure:
    return Figure(name, more=False, of=lambda fields: fields[key], text=lambda n: f"{n:,.0f}")


FITS = Figure("fits", more=True, of=lambda _: 1, text=lambda fits: "yes" if fits else "no")
FMAX = Figure("Fmax MHz", more=True, of=lambda t: t["fmax_mhz"]["median"], text="{:.1f}".format)
DENSITY = Figure(
    "Melem/s per LUT", more=True, of=lambda t: t["melem_per_s_per_lut"], text="{:.3f}".format
)
LUT, DSP, BRAM = (_count(name, name.lower()) for name in ("LUT", "DSP", "BRAM"))
LATENCY = _count("latency, cycles", "latency_cycles")


@dataclass(frozen=True, slots=True)
class Requirement:
    """What a unit must reach in a figure, and what it should; both the same by default."""

    figure: Figure
    required: float
    wanted: float | None = None

    @property
    def desired(self) -> float:
        return self.required if self.wanted is None else self.wanted

    def verdict(self, value: float | None) -> Verdict:
        """Whether what is wanted, only what is required, or nothing is reached; None is nothing."""
        if value is None or not self.figure.reaches(value, self.required):
            return "missed"
        return "yes" if self.figure.reaches(value, self.desired) else "required only"


@dataclass(frozen=True)
class Case:
    """A unit on a device, and its requirements.

    Attributes:
        unit: one of ``UNITS``.
        portable: exported without the device's primitives, as for any other.
    """

    preset: str
    datapath: DatapathName
    device: Device
    unit: str = "softmax"
    portable: bool = False
    changes: dict[str, Any] = field(default_factory=dict)
    requirements: tuple[Requirement, ...] = ()

    @cached_property
    def config(self) -> SoftmaxConfig:
        """What is built."""
        return preset(self.preset, datapath=self.datapath, **self.changes)

    @property
    def softmax(self) -> bool:
        """It is what the peers are."""
        return self.unit == "softmax"

    @property
    def long(self) -> bool:
        """It is there to show what longer, or shorter, rows cost."""
        return not self.softmax and self.config.max_length != LENGTH

    @property
    def primitives(self) -> str:
        """The target of ``export``."""
        return "generic" if self.portable else self.device.primitives

    @property
    def target(self) -> str:
        """The device; ``-portable`` where its primitives are there and not used."""
        return f"{self.device.name}-portable" if self.portable else self.device.name

    @property
    def name(self) -> str:
        """Without the target."""
        lanes = self.config.lanes
        parts = [] if self.softmax else [self.unit]
        parts += [self.preset]
        parts += [self.datapath] if "datapath" in unit_record(self.unit).fields else []
        longer = f", max_length {self.config.max_length}" if self.long else ""
        predicts = ", with prediction" if self.config.predicts else ""
        return f"{' '.join(parts)}, {lanes} lane{'s' if lanes > 1 else ''}{longer}{predicts}"


def _ecp5(
    name: str, datapath: DatapathName, lanes: int, *requirements: Requirement
) -> Iterator[Case]:
    """The unit with the device's primitives, which must meet them, and portable beside it."""
    changes = {"lanes": lanes, "max_length": LENGTH}
    yield Case(name, datapath, DEVICES["ecp5"], changes=changes, requirements=requirements)
    yield Case(name, datapath, DEVICES["ecp5"], portable=True, changes=changes)


def _lengths(unit: str, *requirements: Requirement) -> Iterator[Case]:
    """``base`` with 8 lanes, and the same for shorter and for longer rows."""
    for length in (LENGTH, 256, 4096):
        changes = {"lanes": 8, "max_length": length}
        requirements = requirements if length == LENGTH else ()
        yield Case(
            "base", "exact_sum", DEVICES["ecp5"], unit, changes=changes, requirements=requirements
        )


def _unplaced(target: str, luts: int) -> Iterator[Case]:
    """On a device that no open tool places: ``base`` with 8 lanes and with one, and ``int8``."""
    requirements = Requirement(LUT, luts), Requirement(DSP, 17)
    for name, lanes, required in (("base", 8, requirements), ("int8", 8, ()), ("base", 1, ())):
        changes = {"lanes": lanes, "max_length": LENGTH}
        yield Case(name, "exact_sum", DEVICES[target], changes=changes, requirements=required)


_TINY = (Requirement(FITS, 1), Requirement(FMAX, 45, 55))

CASES: tuple[Case, ...] = (
    *_ecp5(
        "base", "exact_sum", 8,
        Requirement(FMAX, 235, 250), Requirement(LUT, 2950, 2600), Requirement(DENSITY, 0.63, 0.75),
        Requirement(DSP, 25), Requirement(BRAM, 16), Requirement(LATENCY, 48, 40),
    ),
    Case(
        "full", "exact_sum", DEVICES["ecp5"], changes={"lanes": 8, "max_length": LENGTH},
        requirements=(
            Requirement(FMAX, 225, 245), Requirement(LUT, 3350, 2900),
            Requirement(DENSITY, 0.53, 0.66), Requirement(LATENCY, 52, 44),
        ),
    ),
    *_ecp5(
        "int8", "exact_sum", 8,
        Requirement(FMAX, 245, 265), Requirement(LUT, 2000, 1750), Requirement(DENSITY, 0.97, 1.2),
        Requirement(DSP, 9), Requirement(BRAM, 14), Requirement(LATENCY, 43, 36),
    ),
    Case(
        "int8_row", "exact_sum", DEVICES["ecp5"], changes={"lanes": 8, "max_length": LENGTH},
    ),
    *_ecp5(
        "base", "exact_sum", 1,
        Requirement(FMAX, 250, 265), Requirement(LUT, 850, 750), Requirement(DENSITY, 0.19, 0.25),
        Requirement(DSP, 4), Requirement(BRAM, 6), Requirement(LATENCY, 44, 36),
    ),
    *_ecp5(
        "base", "max_subtract", 8,
        Requirement(FMAX, 215, 235), Requirement(LUT, 3700, 3300), Requirement(DENSITY, 0.46, 0.56),
    ),
    *_ecp5("int8", "max_subtract", 8),
    *_ecp5("tight", "exact_sum", 8, Requirement(FMAX, 180, 220)),
    Case("tiny", "exact_sum", DEVICES["ice40"], requirements=_TINY),
    Case("tiny", "max_subtract", DEVICES["ice40"], requirements=_TINY),
    *_lengths(
        "softmax_backward",
        Requirement(FMAX, 225, 240), Requirement(LUT, 1250, 1100), Requirement(DENSITY, 1.4, 1.7),
        Requirement(LATENCY, 29, 26),
    ),
    Case(
        "base", "exact_sum", DEVICES["ecp5"], "softmax_backward",
        changes={"lanes": 1, "max_length": LENGTH}, requirements=(Requirement(LATENCY, 26),),
    ),
    *_lengths(
        "cross_entropy",
        Requirement(FMAX, 220, 240), Requirement(LUT, 3300, 2900), Requirement(DENSITY, 0.53, 0.65),
    ),
    Case(
        "base", "exact_sum", DEVICES["ecp5"], "adaptive_softmax",
        changes={"lanes": 8, "max_length": LENGTH},
    ),
    Case(
        "base", "exact_sum", DEVICES["ecp5"], "adaptive_softmax",
        changes={"lanes": 8, "max_length": LENGTH, "prediction": "greedy"},
    ),
    *_unplaced("xilinx7", 2300),
    *_unplaced("xilinxup", 2600),
)  # fmt: skip
"""Every unit, in the order of the document."""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a case.

    Attributes:
        synthesis: None where a tool failed. failure: the tool's sentence then.
        worst_error: of a softmax unit, as of the peers: :func:`sample_error`.
    """

    case: Case
    unit: Unit
    synthesis: Synthesis | None
    worst_error: float | None
    failure: str = ""

    def value(self, figure: Figure) -> float | None:
        """A figure of the unit; None where there is none."""
        if self.synthesis is None:
            return 0.0 if figure is FITS else None
        if figure in (FMAX, DENSITY) and not self.synthesis.fmax_mhz:
            return None
        return float(figure.of(self.synthesis.to_dict()))

    def verdict(self, requirement: Requirement) -> Verdict:
        """How far it meets one of its requirements."""
        return requirement.verdict(self.value(requirement.figure))


def softmax_results(results: Iterable[Result]) -> list[Result]:
    """Those of units that are what the peers are."""
    return [result for result in results if result.case.softmax]


def sample_rows() -> LogitRows:
    """The rows that every peer's error was measured on: 1000 of 64, N(0, 9) clipped to ±10."""
    logits = np.random.default_rng(1234).normal(0, 3, (1000, 64))
    return LogitRows.from_array(np.clip(logits, -10, 10))


def sample_error(config: SoftmaxConfig) -> float:
    """Largest |p - float64 softmax of the logits before quantisation| on :func:`sample_rows`."""
    rows = sample_rows()
    result = softmax_rows(rows.codes(config), config, ~rows.active)
    worst = measure(result, rows, config).max_error_unclipped
    assert worst is not None, "there are elements"
    return worst
