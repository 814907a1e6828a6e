"""What both datapaths give: exponentials of rows of logits, and the sum of every row.

What becomes of them is the unit's; see :class:`.last_pass.LastPass`, in which the elements wait.
"""

from typing import ClassVar, Protocol

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib import data, stream
from amaranth.lib.wiring import In, Member, Out

from ...golden.config import SoftmaxConfig
from ..parts.pipeline import delay
from ..ports.beats import input_layout, row_layout
from ..stages.exp import Contents
from ..stages.row_scalar import RowScalar, sum_layout
from ..targets.generic import Target
from .last_pass import beat_layout
from .latency import Latency


class Datapath(Protocol):
    """A component without stalls behind its input.

    Members:
        i: rows of logits, see :func:`input_layout`.
        o_valid, o_last, o: a beat of elements, see :func:`beat_layout`. o_last is 0 without one.
        sum, row: of the row whose last beat left ``sum_latency`` cycles ago: the sum of its
            exponentials, see :func:`sum_layout`, and its status.
        largest: of the same row, where rows have an exponent and elements are addressed by their
            codes: the first table's address of the largest.
        maximum: of the same row, where distances are measured from it and elements keep ``x``.
        passes: where rows come twice, of the beat that is at ``o``, or would be: ``first``: it is
            of a first pass and does not leave; ``second``: it is of a second, whose beats leave
            each for itself: o_last is 1. ``o.last`` is that of the pass.
        given, row_given: one of the ``depth_of`` places for beats, or the ``ROWS`` for rows, that
            ``o`` has taken is free again.
    """

    i: stream.Interface
    o_valid: Signal
    o_last: Signal
    o: data.View
    sum: data.View
    row: data.View
    largest: Signal
    maximum: Signal
    passes: data.View
    given: Signal
    row_given: Signal


class DatapathPlan(Protocol):
    """What is known of a datapath before it is built.

    Attributes:
        contents: of its exp tables.
        element: layout of an element, with the fields asked for, see :func:`element_shapes`.
        latency: from a beat to its elements. sum_latency: from a row's last beat of elements to its
            sum.
        buffers: row buffers that a beat goes through.
    """

    buffers: ClassVar[int]
    contents: Contents
    element: data.StructLayout
    latency: Latency
    sum_latency: int

    def __init__(self, config: SoftmaxConfig, fields: tuple[str, ...]): ...

    def component(self, target: Target) -> Datapath:
        """The datapath."""
        ...


def members_of(
    config: SoftmaxConfig, contents: Contents, element: data.StructLayout
) -> dict[str, Member]:
    """The members of :class:`Datapath`."""
    from_maximum = config.path.origin is None and "x" in element.members
    return {
        "i": In(stream.Signature(input_layout(config))),
        "o_valid": Out(1),
        "o_last": Out(1),
        "o": Out(beat_layout(config, element)),
        "sum": Out(sum_layout(config)),
        "row": Out(row_layout(config)),
        **({"largest": Out(contents.bits[0])} if gives_largest(config) else {}),
        **({"passes": Out(passes_layout())} if config.two_passes else {}),
        **({"maximum": Out(signed(config.input.width))} if from_maximum else {}),
        "given": In(1),
        "row_given": In(1),
    }


def passes_layout() -> data.StructLayout:
    """Which passes a beat is of, see :class:`Datapath`."""
    return data.StructLayout({"first": 1, "second": 1})


def gives_largest(config: SoftmaxConfig) -> bool:
    """Whether a datapath tells the address of a row's largest element."""
    return config.has_exponent and config.path.origin is not None


def tell_row(m: Module, path: Datapath, scalar: RowScalar, row: data.View) -> None:
    """Feed what is made of a row's sum, and tell what is known of the row as that comes."""
    given = delay(m, path.row, scalar.latency, name="row")
    m.d.comb += [scalar.i.eq(path.sum), row.eq(given)]
    if hasattr(scalar, "largest"):
        m.d.comb += scalar.largest.eq(path.largest)
    if "row_exponent" in scalar.o.shape().members:
        error = data.View(row.shape(), given).error
        m.d.comb += row.exponent.eq(Mux(error, 0, scalar.o.row_exponent))
