"""Every unit by its name. Other rooms register one object each under the same names."""

from dataclasses import replace

from ..config import ADAPTIVE_FIELDS, BACKWARD_FIELDS, LOSS_FIELDS, SoftmaxConfig, field_names
from ..errors import require
from ..formats import UQ
from ..proofs.adaptive import adaptive_bound, require_fitting
from ..proofs.bias import bias_ulp
from ..proofs.bounds import bound_ulp
from ..proofs.gradient import backward_bound_ulp
from ..proofs.loss import loss_bound
from ..proofs.mass import mass_bound
from .record import (
    CLUSTER_TEXT,
    MASK_TEXT,
    PREDICT_TEXT,
    ROW_TEXT,
    STATUS_TEXT,
    WORD_TEXT,
    StreamRecord,
    UnitRecord,
)

_ALL = frozenset(field_names())
_LOGITS = StreamRecord("s_axis", True, lambda config: config.input, "input", MASK_TEXT, passes=True)

TARGET = UQ(32, 0)
"""Format of a class index, of a word's id, and of a row's length."""


def _adaptive_bounds(config: SoftmaxConfig) -> dict[str, float]:
    require_fitting(config)
    return {"bound_ulp": bound_ulp(config), "loss_bound_ulp": adaptive_bound(config).ulp}


_RECORDS = (
    UnitRecord(
        name="softmax",
        fields=_ALL - BACKWARD_FIELDS - LOSS_FIELDS - ADAPTIVE_FIELDS - {"clip_gradient"},
        streams=(
            _LOGITS,
            StreamRecord("m_axis", False, lambda config: config.output, "output", ROW_TEXT, True),
        ),
        bounds=lambda config: {
            "bound_ulp": bound_ulp(config),
            "mass_bound": mass_bound(config),
            "bias_ulp": bias_ulp(config),
        },
    ),
    UnitRecord(
        name="softmax_backward",
        fields=BACKWARD_FIELDS
        | {"output", "lanes", "max_length", "id_width", "clip_gradient", "output_exponent"},
        streams=(
            StreamRecord("s_axis_p", True, lambda config: config.output, "p", ROW_TEXT, True),
            StreamRecord("s_axis_dp", True, lambda config: config.grad_input, "grad_input"),
            StreamRecord(
                "m_axis", False, lambda config: config.grad_output, "grad_output", ROW_TEXT, True
            ),
        ),
        bounds=lambda config: {"bound_ulp": backward_bound_ulp(config)},
    ),
    UnitRecord(
        name="cross_entropy",
        fields=_ALL - BACKWARD_FIELDS - ADAPTIVE_FIELDS,
        streams=(
            _LOGITS,
            StreamRecord("s_axis_target", True, lambda _: TARGET, ""),
            StreamRecord(
                "m_axis", False, lambda config: config.loss_grad, "loss_grad", ROW_TEXT, True
            ),
            StreamRecord("m_axis_loss", False, lambda config: config.loss, "loss", STATUS_TEXT),
        ),
        bounds=lambda config: {
            "bound_ulp": bound_ulp(config), "loss_bound_ulp": loss_bound(config).ulp
        },
    ),
    UnitRecord(
        name="adaptive_softmax",
        fields=_ALL - BACKWARD_FIELDS,
        streams=(
            StreamRecord(
                "s_axis_target", True, lambda _: TARGET, "", more_user=PREDICT_TEXT, counts="token"
            ),
            StreamRecord("m_axis_request", False, lambda _: TARGET, "", dest=CLUSTER_TEXT),
            replace(_LOGITS, answers="m_axis_request"),
            StreamRecord(
                "m_axis", False, lambda config: config.loss_grad, "loss_grad", ROW_TEXT, True,
                dest=CLUSTER_TEXT,
            ),
            StreamRecord(
                "m_axis_loss", False, lambda config: config.adaptive_loss, "loss",
                STATUS_TEXT, more_user=WORD_TEXT, counts="token",
            ),
        ),
        bounds=_adaptive_bounds,
    ),
)  # fmt: skip

UNITS: dict[str, UnitRecord] = {record.name: record for record in _RECORDS}


def unit_record(name: str) -> UnitRecord:
    """A unit.

    Raises:
        ConfigError: there is none of that name.
    """
    require(name in UNITS, f"unknown unit {name!r}; units are {', '.join(UNITS)}")
    return UNITS[name]


def unit_sha256(unit: str, config: SoftmaxConfig) -> str:
    """Hash of a configuration, equal for those that make equal units of a name.

    Raises:
        ConfigError: an unknown unit.
    """
    return unit_record(unit).sha256(config)
