"""What a beat of a unit holds, on its way in and on its way out."""

from amaranth.hdl import signed
from amaranth.lib import data

from ...golden.config import SoftmaxConfig


def input_layout(config: SoftmaxConfig) -> data.StructLayout:
    """A beat of logits ``x``: ``present``: elements there are, ``broken``: those of which only some
    bytes are there, ``mask``: elements left out of the row; where rows come twice, ``first``: it is
    one of a first pass."""
    lanes = config.lanes
    return data.StructLayout(
        {
            "x": data.ArrayLayout(signed(config.input.width), lanes),
            "present": lanes,
            "broken": lanes,
            "mask": lanes,
            **id_field(config),
            **({"first": 1} if config.two_passes else {}),
            "last": 1,
        }
    )


def output_layout(
    config: SoftmaxConfig, width: int | None = None, flags: tuple[str, ...] = ()
) -> data.StructLayout:
    """A beat of probabilities ``p``, or of other results of some ``width``; the other fields tell
    of it, see :func:`tag_layout` and :func:`row_layout`."""
    elements = data.ArrayLayout(width or config.output.width, config.lanes)
    return data.StructLayout(
        {"p": elements, "tag": tag_layout(config), "row": row_layout(config, flags), "last": 1}
    )


def tag_layout(config: SoftmaxConfig) -> data.StructLayout:
    """What goes with a beat: ``keep``: elements present, ``clipped``: whose input was clipped."""
    return data.StructLayout({"keep": config.lanes, "clipped": config.lanes})


def row_layout(config: SoftmaxConfig, flags: tuple[str, ...] = ()) -> data.StructLayout:
    """What all beats of a row share: ``error``: it breaks a rule, ``id`` and ``exponent``: the
    row's, where rows have one, and what further ``flags`` a unit has."""
    own = {**id_field(config), **exponent_field(config)}
    return data.StructLayout({"error": 1, **dict.fromkeys(flags, 1), **own})


def id_field(config: SoftmaxConfig) -> dict[str, int]:
    """The tid's field of a layout; none where the unit has none, for Verilog has no 0 bits."""
    return {"id": config.id_width} if config.id_width else {}


def exponent_field(config: SoftmaxConfig) -> dict[str, int]:
    """The field of a row's exponent; none where rows have none."""
    return {"exponent": config.exponent_bits} if config.has_exponent else {}
