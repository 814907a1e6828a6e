"""A computational graph of gates: values forward, exact and as hardware holds them, and gradients.

Nodes are recorded in topological order: forward walks them as recorded, backward in reverse. A node
that feeds several gates is copied to each, so its gradient is the sum over its edges.

Every node has two values: ``exact``, in float64 throughout, and ``value``, computed from what the
hardware holds. They differ behind the first node that has a format. Gradients are those of the
gates at ``value``; rounding and saturation themselves count as slope 1.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from ..formats import Format
from ..types import Reals
from .fixed import Fixed
from .gate import Arrays, Gate

_NONE = np.zeros(0)


@dataclass(eq=False, slots=True)
class Node:
    """A value in a graph: an input, a constant, or the output of a gate.

    Attributes:
        gate: what computes it; ``None`` for an input or a constant.
        format: what its value is rounded to. where: its place in the text it was read from.
        named: by the text; what is not is named after its gate.
        exact, value, fixed: set by forward; ``fixed`` where hardware holds it.
        gradient: set by backward. downstream: the gradient on every edge into the gate.
    """

    name: str
    gate: Gate | None = None
    inputs: tuple["Node", ...] = field(default=(), repr=False)
    format: Format | None = None
    where: str = ""
    named: bool = True
    exact: Reals = field(default_factory=lambda: _NONE)
    value: Reals = field(default_factory=lambda: _NONE)
    fixed: Fixed | None = field(default=None, repr=False)
    gradient: Reals = field(default_factory=lambda: _NONE)
    downstream: Arrays = field(default=(), repr=False)

    @property
    def is_input(self) -> bool:
        """Somebody gives its value."""
        return self.gate is None and self.named

    @property
    def constant(self) -> bool:
        """A number inside an expression; its gradient is of no use."""
        return self.gate is None and not self.named

    @property
    def difference(self) -> Reals | None:
        """What the hardware holds less the exact value, in LSB; ``None`` where it holds nothing."""
        return None if self.fixed is None else self.fixed.difference(self.exact)


class Graph:
    """Gates and what connects them.

    Attributes:
        nodes: in the order in which they were recorded, which is topological.
        seed: the node whose gradient was given to backward.
    """

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.seed: Node | None = None

    def __getitem__(self, name: str) -> Node:
        """The node of a name.

        Raises:
            ValueError: there is none.
        """
        return _named(self.nodes, name, "node")

    def record(self, node: Node) -> Node:
        """Append a node whose inputs are recorded."""
        self.nodes.append(node)
        return node

    @property
    def inputs(self) -> list[Node]:
        """The nodes that somebody gives values for."""
        return [node for node in self.nodes if node.is_input]

    @property
    def outputs(self) -> list[Node]:
        """The nodes that feed no other."""
        used = {source for node in self.nodes for source in node.inputs}
        return [node for node in self.nodes if node not in used]

    def uses(self, node: Node) -> int:
        """Edges that leave a node."""
        return sum(other.inputs.count(node) for other in self.nodes)

    def give(self, name: str, values: Reals) -> None:
        """Another value for an input; one that has a row gets a row, be it of one number.

        Raises:
            ValueError: there is no such input.
        """
        node = _named(self.inputs, name, "input")
        node.exact = np.atleast_1d(values) if node.exact.ndim else values

    def forward(self, hardware_values: Mapping[str, Fixed] | None = None) -> None:
        """Compute every node.

        Args:
            hardware_values: what the hardware holds of nodes, by name, where that is known better
                than by rounding what the gate gives.

        Raises:
            ValueError: a gate refuses the shapes of its inputs, or a node with a format is nan.
        """
        for node in self.nodes:
            try:
                with np.errstate(all="ignore"):  # notes tell what is not finite
                    _compute(node, (hardware_values or {}).get(node.name))
            except ValueError as error:
                raise ValueError(f"{node.where}: {error}") from None

    def backward(self, at: Node, upstream: Reals | None = None) -> None:
        """The gradient of every node: of ``at``, weighted by ``upstream``.

        Args:
            upstream: broadcast to the shape of ``at``; where not given, 1 for its first element and
                0 for the others.

        Raises:
            ValueError: ``upstream`` is of another shape.
        """
        self.seed = at
        for node in self.nodes:
            node.gradient = np.zeros_like(node.value)
        at.gradient = _seeded(at, upstream)
        reached = {at}
        for node in reversed(self.nodes):
            if node.gate is None:
                continue
            values = tuple(source.value for source in node.inputs)
            if node not in reached:  # 0 times what is not finite would be nan
                node.downstream = tuple(np.zeros_like(value) for value in values)
                continue
            with np.errstate(all="ignore"):
                node.downstream = node.gate.backward(node.gradient, values, node.value)
                for source, gradient in zip(node.inputs, node.downstream, strict=True):
                    source.gradient = source.gradient + gradient
            reached.update(node.inputs)


def _compute(node: Node, fixed: Fixed | None) -> None:
    """The values of a node whose inputs have theirs."""
    if node.gate is not None:
        node.exact = np.asarray(node.gate.forward(*(source.exact for source in node.inputs)))
        node.value = np.asarray(node.gate.forward(*(source.value for source in node.inputs)))
    else:
        node.value = node.exact
    if fixed is None and node.format is not None:
        fixed = Fixed.quantized(node.value, node.format)
    node.fixed = fixed
    if fixed is not None:
        node.value = fixed.value


def _seeded(at: Node, upstream: Reals | None) -> Reals:
    if upstream is None:
        seed = np.zeros_like(at.value)
        seed.flat[0] = 1.0
        return seed
    try:
        if upstream.size == at.value.size:  # a row of one is as good as a number
            return upstream.reshape(at.value.shape)
        return np.broadcast_to(upstream, at.value.shape).copy()
    except ValueError:
        raise ValueError(
            f"the gradient of {at.name} must have its {at.value.size} elements, not {upstream.size}"
        ) from None


def _named(nodes: Iterable[Node], name: str, kind: str) -> Node:
    """The node of a name."""
    known = {node.name: node for node in nodes}
    if name not in known:
        raise ValueError(f"{kind} must be one of {', '.join(known)}, not {name!r}")
    return known[name]
