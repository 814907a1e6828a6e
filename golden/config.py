"""One frozen configuration describes a unit; everything else is derived from it."""

import dataclasses
import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from math import ceil, log2
from math import log as log_of
from typing import Any, Literal, get_args

import numpy as np

from .clusters import Clusters, derived_clusters
from .datapaths.datapath import Datapath, Needs
from .datapaths.exact_sum import ExactSum
from .datapaths.max_subtract import MaxSubtract
from .errors import ConfigError, require, require_whole
from .formats import SQ, UQ, Format, parse_format
from .given import plain
from .widths import Widths

Clip = Literal["input", "difference"]
DatapathName = Literal["max_subtract", "exact_sum"]
Function = Literal["softmax", "log_softmax"]
ClipGradient = Literal["zero", "pass"]
Rounding = Literal["nearest", "stochastic"]
OutputExponent = Literal["none", "row"]
_PATHS: dict[str, type[Datapath]] = {"max_subtract": MaxSubtract, "exact_sum": ExactSum}
DATAPATHS: tuple[str, ...] = get_args(DatapathName)

MAX_INPUT_WIDTH = 24
"""Widest input in bits: every code can still be enumerated when an error bound is proven."""

MAX_GRADIENT_WIDTH = 18
"""Widest gradient in bits: what a hardware multiplier takes."""

_INPUT, _OUTPUT = SQ(5, 11), UQ(0, 16)
_GRADIENT, _LOSS = SQ(1, 15), UQ(5, 11)
_FORMATS = "input", "output", "grad_input", "grad_output", "loss"

NOTED_LOSS = 0.05
"""What the rounding of a row's probabilities may take of their sum before a note says so."""

BACKWARD_FIELDS = frozenset(("grad_input", "grad_output", "dot_guard", "rounding"))
"""Fields that only the backward unit depends on."""
LOSS_FIELDS = frozenset(("loss",))
"""Fields that only the units with a cross-entropy depend on."""
ADAPTIVE_FIELDS = frozenset(("vocabulary", "cutoffs"))
"""Fields that only the adaptive softmax depends on."""


@dataclass(frozen=True, kw_only=True)
class SoftmaxConfig:
    """softmax(scale * x) of rows of up to ``max_length`` fixed-point elements.

    Args:
        input: format of the logits, signed, at most 24 bits.
        output: format of the probabilities, unsigned; of their logarithms, signed.
        lanes: elements per beat.
        max_length: longest row, in elements, masked ones included.
        range: inputs are clipped to [-range, range]; a whole number of input LSB.
        scale: positive factor of the logits (quantiser scale, 1/sqrt(d), 1/temperature); it is
            folded into the exp tables.
        output_exponent: ``"none"``: a row's results are p; ``"row"``: they are p * 2**s, with the
            largest s that keeps the row's largest one below 1, and s goes with the row.
        id_width: bits of a row's tid, 0 for none.
        clip: ``"input"`` clips x; ``"difference"`` keeps x and saturates max - x at 2 * range in
            ``max_subtract``; in ``exact_sum`` nothing is clipped then, and ``range`` is that of the
            input format, whatever is given.
        datapath: ``"max_subtract"``: row maximum, exp(x - max), sum, reciprocal, product;
            ``"exact_sum"``: exp(x) without a maximum, summed exactly over the whole range, so that
            the result does not depend on the order of the elements.
        function: ``"softmax"`` or ``"log_softmax"``.
        grad_input, grad_output: of the backward unit: formats of dP and dS, signed.
        dot_guard: fraction bits of D = sum P dP beyond those of dP; each halves D's share of the
            error of dS.
        rounding: of dS: ``"nearest"`` (half up), or ``"stochastic"``, which has no bias.
        clip_gradient: the gradient of an element whose input was clipped: ``"zero"``, or
            ``"pass"`` as if it had not been.
        loss: format of the cross-entropy, unsigned.
        vocabulary, cutoffs: of the adaptive softmax: its words, and the first word of each tail,
            see :class:`Clusters`; ``None`` derives them from ``max_length``.
        exp_split, mantissa_bits, exp_bits, sum_fraction, reciprocal_bits, reciprocal_index,
            reciprocal_step: internal widths, see :class:`Widths`; ``None`` derives them.

    Raises:
        ConfigError: a value that breaks a rule, in one sentence.
    """

    input: Format = _INPUT
    output: Format = _OUTPUT
    lanes: int = 8
    max_length: int = 1024
    range: float = 10.0
    scale: float = 1.0
    id_width: int = 0
    clip: Clip = "input"
    datapath: DatapathName = "max_subtract"
    function: Function = "softmax"
    grad_input: Format = _GRADIENT
    grad_output: Format = _GRADIENT
    dot_guard: int = 1
    rounding: Rounding = "nearest"
    clip_gradient: ClipGradient = "zero"
    loss: Format = _LOSS
    output_exponent: OutputExponent = "none"
    vocabulary: int | None = None
    cutoffs: tuple[int, ...] | None = None
    exp_split: tuple[int, ...] | None = None
    mantissa_bits: int | None = None
    exp_bits: int | None = None
    sum_fraction: int | None = None
    reciprocal_bits: int | None = None
    reciprocal_index: int | None = None
    reciprocal_step: int | None = None

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            object.__setattr__(self, field.name, _plain(field.name, getattr(self, field.name)))
        self._check_choices()
        if self.clip == "difference" and not _PATHS[self.datapath].saturates:
            self._clip_nothing()
        self._check_formats()
        _ = self.widths, self.clusters  # derived here, so that bad ones are refused at once

    def _check_choices(self) -> None:
        for name, kind in (
            ("clip", Clip), ("datapath", DatapathName), ("function", Function),
            ("clip_gradient", ClipGradient), ("rounding", Rounding),
            ("output_exponent", OutputExponent),
        ):  # fmt: skip
            value, choices = getattr(self, name), get_args(kind)
            require(
                isinstance(value, str) and value in choices,
                f"{name} must be one of {', '.join(choices)}, not {value!r}",
            )
        require_whole("lanes", self.lanes, 1, 64)
        require_whole("max_length", self.max_length, 1, 65536)
        require_whole("id_width", self.id_width, 0, 32)
        require_whole("dot_guard", self.dot_guard, 0, 16)
        for name in ("range", "scale"):
            value = getattr(self, name)
            require(
                isinstance(value, int | float)
                and not isinstance(value, bool)
                and 2**-40 <= value <= 2**40,
                f"{name} must be a positive number from 2^-40 to 2^40, not {value!r}",
            )
            object.__setattr__(self, name, float(value))  # 10 and 10.0 are one configuration

    def _clip_nothing(self) -> None:
        """The range is that of the input format, whatever was given."""
        if isinstance(self.input, Format):
            object.__setattr__(self, "range", float(-self.input.min_code * self.input.lsb))

    def _check_formats(self) -> None:
        for name in _FORMATS:
            value = getattr(self, name)
            require(isinstance(value, Format), f"{name} must be a format, not {value!r}")
        require(self.input.signed, f"input must be a signed format, not {self.input}")
        require(
            self.input.width <= MAX_INPUT_WIDTH,
            f"input must be at most {MAX_INPUT_WIDTH} bits wide, not {self.input.width} bits "
            f"({self.input})",
        )
        self._check_output()
        self._check_gradients()
        require(
            float(self.range * 2**self.input.f).is_integer(),
            f"range must be a whole number of input LSB (2^-{self.input.f}), not {self.range:g}",
        )
        most = self.input.max_code * self.input.lsb
        require(
            self.range <= most if self.clip == "input" else self.range <= most + self.input.lsb,
            f"range must be at most {most:g} to be held by the input format {self.input}, "
            f"not {self.range:g}",
        )

    def _check_gradients(self) -> None:
        for name in ("grad_input", "grad_output"):
            value = getattr(self, name)
            require(
                value.signed and value.width <= MAX_GRADIENT_WIDTH,
                f"{name} must be a signed format of at most {MAX_GRADIENT_WIDTH} bits, not {value}",
            )
        require(
            not self.loss.signed and 2 <= self.loss.f <= 16,
            f"loss must be an unsigned format of 2 to 16 fraction bits, not {self.loss}",
        )

    def _check_output(self) -> None:
        output, log = self.output, self.function == "log_softmax"
        require(
            not (log and self.has_exponent),
            "output_exponent must be none for log_softmax, whose results are no shares of 1, "
            "not 'row'",
        )
        require(
            output.signed == log,
            f"output must be {'a signed' if log else 'an unsigned'} format for {self.function}, "
            f"not {output}",
        )
        most = 16 if log else 24
        require(
            2 <= output.f <= most,
            f"output must have 2 to {most} fraction bits for {self.function}, not {output.f} "
            f"({output})",
        )
        lowest = -(2 * self.range * self.scale + log_of(self.max_length)) if log else 0
        require(
            output.min_code * output.lsb <= lowest,
            f"output must hold -(2 * range * scale + ln max_length) = {lowest:.2f}, not {output} "
            f"(at least {output.min_code * output.lsb:g})",
        )

    @cached_property
    def path(self) -> Datapath:
        """The datapath: from where distances are measured, how far, and in what widths."""
        path = _PATHS[self.datapath].of(
            Needs(
                range_code=self.range_code,
                lowest=self.lowest,
                highest=self.highest,
                step=self.scale * self.input.lsb,
                fraction=self.output.f,
                max_length=self.max_length,
                logarithm=self.function == "log_softmax",
                by_hand={f.name: getattr(self, f.name) for f in dataclasses.fields(Widths)},
            )
        )
        widths = path.widths
        require(
            widths.mantissa_bits + widths.reciprocal_bits >= self.output.f + 2,
            f"mantissa_bits + reciprocal_bits must be at least the output's fraction bits + 2 "
            f"({self.output.f + 2}), not {widths.mantissa_bits} + {widths.reciprocal_bits}",
        )
        return path

    @property
    def widths(self) -> Widths:
        """The internal widths, derived where they were not set by hand."""
        return self.path.widths

    @cached_property
    def clusters(self) -> Clusters:
        """The clusters of the adaptive softmax, derived where they were not set."""
        return derived_clusters(self.max_length, self.vocabulary, self.cutoffs)

    @property
    def derived(self) -> dict[str, Any]:
        """The fields that are derived where they are not set, as they are."""
        clusters = {name: getattr(self.clusters, name) for name in sorted(ADAPTIVE_FIELDS)}
        return dataclasses.asdict(self.widths) | clusters

    @property
    def range_code(self) -> int:
        """The clip limit, in input LSB."""
        return int(self.range * 2**self.input.f)

    @property
    def lowest(self) -> int:
        """The least code of an element that is left where elements are clipped, if they are."""
        return -self.range_code if self.clip == "input" else self.input.min_code

    @property
    def highest(self) -> int:
        """The largest code of an element that is left where elements are clipped, if they are."""
        return self.range_code if self.clip == "input" else self.input.max_code

    @property
    def span(self) -> int:
        """The largest difference max - x, in input LSB: 2 * range."""
        return 2 * self.range_code

    @property
    def max_beats(self) -> int:
        """Beats of the longest row."""
        return -(-self.max_length // self.lanes)

    @property
    def one(self) -> int:
        """The output code nearest to 1 that the format holds; no probability is above it."""
        return min(1 << self.output.f, self.output.max_code)

    @property
    def has_exponent(self) -> bool:
        """Every row has an exponent."""
        return self.output_exponent == "row"

    @property
    def most_exponent(self) -> int:
        """The largest exponent of a row: the sum of N elements is at most N times the largest."""
        longest = (self.max_length - 1).bit_length() - 1
        return max(longest, 0) if self.has_exponent else 0

    @property
    def exponent_bits(self) -> int:
        """Width of a row's exponent, in bits; 0 where there is none."""
        return max(self.most_exponent.bit_length(), 1) if self.has_exponent else 0

    @property
    def loss_grad(self) -> Format:
        """Format of the cross-entropy's gradient p - y, times 2**s where a row has an exponent: as
        fine as p, and signed."""
        return SQ(1 + self.most_exponent, self.output.f)

    @property
    def adaptive_loss(self) -> Format:
        """Format of the adaptive softmax's loss: the exact sum of a head's and a tail's loss."""
        return UQ(self.loss.i + 1, self.loss.f)

    def replace(self, **changes: Any) -> "SoftmaxConfig":
        """This configuration with some fields changed; widths not set by hand follow.

        Raises:
            ConfigError: an unknown field, or a result that breaks a rule.
        """
        require_fields(changes)
        return dataclasses.replace(self, **changes)

    def to_dict(self) -> dict[str, Any]:
        """Every field, the derived ones included, as plain JSON values."""
        fields = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)} | self.derived
        return {name: _to_json(value) for name, value in fields.items()}

    @classmethod
    def from_dict(
        cls, fields: dict[str, Any], base: "SoftmaxConfig | None" = None
    ) -> "SoftmaxConfig":
        """The configuration that :meth:`to_dict` (or a TOML file) describes.

        Args:
            fields: plain values by field name; formats in any spelling of :func:`parse_format`.
            base: where the fields that are not named come from; the defaults unless given.

        Raises:
            ConfigError: an unknown field, or a value that breaks a rule.
        """
        if not isinstance(fields, dict):
            raise ConfigError(f"a configuration must be a table of fields, not {fields!r}")
        require_fields(fields)
        parsed = {name: _from_json(name, value) for name, value in fields.items()}
        return (base or cls()).replace(**parsed)

    def sha256(self, names: Collection[str]) -> str:
        """Hash of some fields, the derived widths included."""
        fields = {name: value for name, value in self.to_dict().items() if name in names}
        if not self.has_exponent:  # what was made before there were exponents keeps its name
            fields.pop("output_exponent", None)
        return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()

    def notes(self) -> list[str]:
        """What a user of this configuration should know, in sentences.

        What it loses of given rows, :class:`.losses.Losses` says.
        """
        lost = self.mass_rounded_away()
        if self.function == "log_softmax" or lost <= NOTED_LOSS:
            return []
        bits = ceil(log2(self.max_length / 2 / NOTED_LOSS))
        cure = f"at least {bits} fraction bits keep {1 - NOTED_LOSS:.0%} of every row"
        if not self.has_exponent:
            cure = f"output_exponent row keeps rows without a large element, {cure}"
        return [
            f"output {self.output} may lose mass: rounding takes up to half an LSB of every "
            f"probability, {'all' if lost >= 1 else f'{100 * lost:.0f} %'} of the sum of "
            f"{self.max_length} (max_length); {cure}"
        ]

    def mass_rounded_away(self, total: float = 1.0, largest: float = 0.5) -> float:
        """The most that rounding takes of a row's sum, or adds to it: half an LSB an element, and
        no more than there is. With an exponent s, the row's largest element is not lost.

        Args:
            total: the sum before rounding. largest: that element times 2**s, at least.
        """
        halves = self.max_length * self.output.lsb / 2
        if not self.has_exponent:
            return min(halves, total)
        scales = (2.0**-s for s in range(self.most_exponent + 1))
        return max(min(halves * scale, total - largest * scale) for scale in scales)


def field_names() -> list[str]:
    """The names of the configuration's fields."""
    return [field.name for field in dataclasses.fields(SoftmaxConfig)]


def require_fields(names: dict[str, Any]) -> None:
    """Raise :class:`ConfigError` where a name is not a field of the configuration."""
    for name in names:
        require(name in field_names(), f"unknown field {name!r}; fields are {field_names()}")


def _plain(name: str, value: Any) -> Any:
    """A field's value as a plain one, those of a list each.

    Raises:
        ConfigError: an array, or a number that no field takes and that is too long for a sentence.
    """
    if isinstance(value, np.ndarray) and value.ndim == 1:
        value = list(value)
    if name == "exp_split" and isinstance(value, list | tuple):
        return tuple(_plain("exp_split's index bits", bits) for bits in value)
    if name == "cutoffs" and isinstance(value, list | tuple):
        return tuple(_plain(f"cutoff {number}", word) for number, word in enumerate(value, 1))
    value = plain(value)
    if isinstance(value, np.ndarray):
        raise ConfigError(f"{name} must not be an array of shape {value.shape}")
    require(not isinstance(value, int) or abs(value) < 2**64, f"{name} must be a number below 2^64")
    return value


def _to_json(value: Any) -> Any:
    if isinstance(value, Format):
        return str(value)
    return list(value) if isinstance(value, tuple) else value


def _from_json(name: str, value: Any) -> Any:
    if name in _FORMATS and isinstance(value, str):
        try:
            return parse_format(value)
        except ValueError as error:
            raise ConfigError(f"{name}: {error}") from None
    return tuple(value) if isinstance(value, list) else value


_BASE = SoftmaxConfig()
_INT8 = _BASE.replace(
    input=SQ(5, 3), output=UQ(0, 8), grad_input=SQ(1, 7), grad_output=SQ(1, 7), loss=UQ(5, 8)
)

PRESETS: dict[str, SoftmaxConfig] = {
    "base": _BASE,
    "int8": _INT8,
    # narrower than derived, so that a product fits an 18-bit multiplier; monotone all the same
    "wide": _BASE.replace(input=SQ(5, 19), mantissa_bits=18, exp_bits=22),
    "tiny": _BASE.replace(lanes=1, max_length=64),
    # every code of an input that holds what networks give, nothing clipped
    "full": _BASE.replace(
        input=SQ(8, 8), range=128, clip="difference", datapath="exact_sum", loss=UQ(9, 11)
    ),
    # as int8, and rows without a large element keep their sum
    "int8_row": _INT8.replace(output_exponent="row"),
    # as base, and at most 0.56 LSB from the exact value
    "tight": _BASE.replace(mantissa_bits=21, reciprocal_bits=21),
}


def preset(name: str, **changes: Any) -> SoftmaxConfig:
    """A named configuration: one of :data:`PRESETS`, with some fields changed.

    Raises:
        ConfigError: an unknown preset or field, or a value that breaks a rule.
    """
    require(
        isinstance(name, str) and name in PRESETS,
        f"unknown preset {name!r}; presets are {', '.join(PRESETS)}",
    )
    return PRESETS[name].replace(**changes)
