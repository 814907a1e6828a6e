"""The softmaxes that networks are measured with, in groups: each group asks one question."""

from dataclasses import dataclass

from ...golden.config import SoftmaxConfig, preset
from ...golden.formats import SQ, UQ
from .softmaxes import Decimals, Fixed, Float32, Narrow, Softmax

REFERENCE = Float32()
JUDGED, ROW = "full", "int8_row"
"""The presets that have goals."""

_FULL = preset(JUDGED)


@dataclass(frozen=True)
class Group:
    """Softmaxes that differ in one thing.

    Attributes:
        question: that they answer. axis: what they differ in, where that is a number; the place of
            each is in ``at``.
    """

    name: str
    question: str
    softmaxes: tuple[Softmax, ...]
    axis: str = ""
    at: tuple[float, ...] = ()


def _input(fraction: int) -> SoftmaxConfig:
    return _FULL.replace(input=SQ(8, fraction))


def _clipped(limit: float) -> SoftmaxConfig:
    """x clipped to a range, with the input and output of :data:`JUDGED`."""
    return preset("base", input=SQ(8, 8), range=limit, loss=UQ(9, 11), datapath="exact_sum")


def _differences(limit: float) -> SoftmaxConfig:
    """max - x saturating, with the input and output of :data:`JUDGED`."""
    return preset("base", input=SQ(8, 8), range=limit / 2, clip="difference", loss=UQ(9, 11))


def _by_row(fraction: int) -> SoftmaxConfig:
    """The output of :data:`ROW`, of logits that are not clipped."""
    return _input(fraction).replace(output=UQ(0, 8), output_exponent="row")


def _group(name: str, question: str, axis: str, made: dict[float, Softmax]) -> Group:
    return Group(name, question, tuple(made.values()), axis, tuple(made))


GROUPS = (
    Group(
        "presets",
        "What do the presets do to a network?",
        tuple(Fixed(name, preset(name)) for name in ("full", "base", "int8", "int8_row")),
    ),
    Group(
        "what int8_row misses",
        "Is it the range, the input's steps or the output's?",
        (
            Fixed("SQ(5, 3), ±10 → UQ(0, 16)", preset("int8", output=UQ(0, 16))),
            Fixed("SQ(8, 3) → UQ(0, 8) by row", _by_row(3)),
            Fixed("SQ(8, 8) → UQ(0, 8) by row", _by_row(8)),
        ),
    ),
    _group(
        "range",
        "How far must logits reach?",
        "range ±",
        {limit: Fixed(f"x to ±{limit}", _clipped(limit)) for limit in (5, 10, 15, 20, 32)},
    ),
    Group(
        "floats",
        "What do narrower floats do?",
        (
            Narrow("fp16", "float16"),
            Narrow("bf16", "bfloat16"),
            Narrow("fp8 e4m3", "float8_e4m3fn"),
            Narrow("fp8 e5m2", "float8_e5m2"),
        ),
    ),
    _group(
        "input bits",
        "How fine must logits be, where none is clipped?",
        "fraction bits of the input",
        {
            fraction: Fixed(f"SQ(8, {fraction}) → UQ(0, 16)", _input(fraction))
            for fraction in (0, 2, 4, 6)
        },
    ),
    _group(
        "output bits",
        "How fine must probabilities be?",
        "fraction bits of the output",
        {
            bits: Fixed(f"SQ(8, 8) → UQ(0, {bits})", _FULL.replace(output=UQ(0, bits)))
            for bits in (8, 10, 12, 14)
        },
    ),
    _group(
        "decimals",
        "What does rounding the logits to k decimals do?",
        "decimals",
        {k: Decimals(f"{k} decimals", k) for k in (0, 1, 2, 10, 30)},
    ),
    _group(
        "clip",
        "How far below a row's largest may logits be told apart?",
        "max - x up to",
        {limit: Fixed(f"max - x to {limit}", _differences(limit)) for limit in (8, 12, 20)},
    ),
)  # fmt: skip


def groups(names: tuple[str, ...] = ()) -> tuple[Group, ...]:
    """Those of some names; all of them where none is given."""
    return tuple(group for group in GROUPS if not names or group.name in names)
