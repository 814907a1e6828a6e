"""A computational graph of gates, run forward and differentiated in either direction.

    graph = Graph()
    x, y, z = graph.inputs("x", "y", "z")
    f = (x + y) * z
    graph.forward(x=-2, y=5, z=-4)      # -12
    graph.backward()                    # {"x": -4, "y": -4, "z": 3}

Nodes are recorded in topological order: forward walks them as recorded, backward in reverse. A node
that feeds several gates is copied to each, so its gradient is the sum over its edges. No Jacobian
is ever built; :mod:`.gates` holds the formulas.

A node with a fixed-point format holds what the hardware would hold: its value rounded half up and
saturated. Gradients are those of the gates at these values. Rounding and saturation themselves
count as slope 1: where saturation shall stop a gradient, say so with :class:`.gates.Clip`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count

import numpy as np
import numpy.typing as npt

from ..formats import Format
from ..types import Reals
from .gates import (
    Add,
    Arrays,
    Exp,
    Gate,
    MatMul,
    Max,
    Mul,
    Reciprocal,
    Subtract,
    Sum,
)
from .value_range import Range


@dataclass(frozen=True, slots=True)
class Work:
    """Multiply-adds for the gradient of one node with respect to another.

    Right to left (reverse), a row for every output element meets each Jacobian in turn: with a
    scalar loss, matrix-vector products. Left to right (forward), a column for every input element
    does: matrix-matrix products.
    """

    reverse: int
    forward: int


@dataclass(eq=False, slots=True)
class Node:
    """A value in a graph: an input, a constant, or the output of a gate.

    Attributes:
        format: what its value is rounded to; may be set at any time before forward.
        value: set by forward. range: widened by every forward.
        gradient: set by backward. downstream: the gradient on every edge into the gate.
        tangent: set by forward_mode.
    """

    graph: "Graph" = field(repr=False)
    name: str
    gate: Gate | None = None
    inputs: tuple["Node", ...] = field(default=(), repr=False)
    format: Format | None = None
    constant: Reals | None = field(default=None, repr=False)
    value: Reals | None = None
    range: Range | None = None
    gradient: Reals | None = None
    downstream: Arrays = field(default=(), repr=False)
    tangent: Reals | None = None

    @property
    def is_input(self) -> bool:
        """Forward is given its value."""
        return self.gate is None and self.constant is None

    def __add__(self, other: "Node | float") -> "Node":
        return self.graph.apply(Add(), self, other)

    def __sub__(self, other: "Node | float") -> "Node":
        return self.graph.apply(Subtract(), self, other)

    def __mul__(self, other: "Node | float") -> "Node":
        return self.graph.apply(Mul(), self, other)

    def __matmul__(self, other: "Node") -> "Node":
        return self.graph.apply(MatMul(), self, other)

    def known(self) -> Reals:
        """The value.

        Raises:
            ValueError: forward has not run.
        """
        if self.value is None:
            raise ValueError(f"node {self.name!r} must have a value: run forward first")
        return self.value

    def operands(self) -> Arrays:
        """The values of the gate's inputs."""
        return tuple(node.known() for node in self.inputs)

    def hold(self, values: Reals) -> None:
        """Take a new value: note its range, then apply the format."""
        seen = Range.of(values, self.format)
        self.range = seen if self.range is None else self.range | seen
        fmt = self.format
        self.value = values if fmt is None else fmt.to_float(fmt.quantize(values))


class Graph:
    """Gates and what connects them.

    Attributes:
        nodes: in the order in which they were recorded, which is topological.
    """

    def __init__(self) -> None:
        self.nodes: list[Node] = []

    def __getitem__(self, name: str) -> Node:
        """The node of a name.

        Raises:
            ValueError: there is none.
        """
        return _named(self.nodes, name, "node")

    def input(self, name: str, *, format: Format | None = None) -> Node:
        """A node that forward is given a value for.

        Raises:
            ValueError: the name is taken.
        """
        return self._record(Node(self, name, format=format))

    def inputs(self, *names: str) -> tuple[Node, ...]:
        """Several inputs at once."""
        return tuple(self.input(name) for name in names)

    def constant(
        self, value: npt.ArrayLike, *, name: str = "", format: Format | None = None
    ) -> Node:
        """A node of a fixed value.

        Raises:
            ValueError: the value is not finite, or the name is taken.
        """
        name = name or self._free("constant")
        held = _reals(f"constant {name!r}", value)
        return self._record(Node(self, name, format=format, constant=held))

    def apply(
        self, gate: Gate, *inputs: Node | float, name: str = "", format: Format | None = None
    ) -> Node:
        """The output of a gate on nodes of this graph; a number becomes a constant.

        Raises:
            ValueError: the gate takes another number of inputs, one belongs to another graph, or
                the name is taken.
        """
        if len(inputs) != gate.arity:
            raise ValueError(f"{gate.name} takes {gate.arity} inputs, not {len(inputs)}")
        for x in inputs:
            if isinstance(x, Node) and x.graph is not self:
                raise ValueError(f"inputs of {gate.name} must be of its graph, not {x.name!r}")
        nodes = tuple(x if isinstance(x, Node) else self.constant(x) for x in inputs)
        return self._record(Node(self, name or self._free(gate.name), gate, nodes, format))

    def forward(self, /, **values: npt.ArrayLike) -> Reals:
        """Compute every node, and return the value of the one recorded last.

        Args:
            values: for every input, by name, an array of any shape that its gates take.

        Raises:
            ValueError: an input is missing, unknown, empty or not finite, a gate refuses its
                inputs, or a node is not finite.
        """
        given = self._by_input("input", values)
        for node in self.nodes:
            if node.is_input and node not in given:
                raise ValueError(f"input {node.name!r} must be given a value")
        for node in self.nodes:  # no value outlives a run that fails
            node.value = node.gradient = node.tangent = None
            node.downstream = ()
        for node in self.nodes:
            if node.gate is not None:
                node.hold(_computed(node, node.gate))
            else:
                node.hold(given[node] if node.constant is None else node.constant)
        return self._or_last(None).known()

    def backward(
        self, output: Node | None = None, upstream: npt.ArrayLike | None = None
    ) -> dict[str, Reals]:
        """Reverse mode: the gradient of every node (vector-Jacobian product).

        Args:
            output: the node to differentiate; the one recorded last where not given.
            upstream: its gradient, broadcast to its shape; 1 where not given, for a scalar.

        Returns:
            The gradients of the inputs by name, each in its input's shape; 0 where ``output`` does
            not depend on it.

        Raises:
            ValueError: forward has not run, ``upstream`` is missing though ``output`` has several
                elements, is not finite or of another shape, or a gradient overflows.
        """
        output = self._or_last(output)
        value = output.known()
        if upstream is None and value.size != 1:
            raise ValueError(
                f"upstream must be given for node {output.name!r}: it is no scalar, but has shape "
                f"{value.shape}"
            )
        gradients = {node: np.zeros_like(node.known()) for node in self.nodes}
        gradients[output] = _reals("upstream", 1.0 if upstream is None else upstream, value.shape)
        for node in reversed(self.nodes):
            node.gradient = gradients[node]
            if node.gate is None:
                continue
            with np.errstate(all="ignore"):  # what overflows is refused by name
                node.downstream = node.gate.backward(node.gradient, node.operands(), node.known())
            for source, gradient in zip(node.inputs, node.downstream, strict=True):
                gradients[source] = gradients[source] + gradient
                _require_finite(f"gradient of node {source.name!r}", gradients[source])
        return {node.name: gradients[node] for node in self.nodes if node.is_input}

    def forward_mode(self, /, **tangents: npt.ArrayLike) -> Reals:
        """Forward mode: the tangent of every node (Jacobian-vector product).

        Args:
            tangents: of inputs, by name, broadcast to their shapes; 0 for an input not named.

        Returns:
            The tangent of the node recorded last.

        Raises:
            ValueError: forward has not run, or a tangent is of no input, not finite, of another
                shape, or overflows.
        """
        last = self._or_last(None)
        last.known()
        given = self._by_input("tangent of", tangents)
        pushed: dict[Node, Reals] = {}
        for node in self.nodes:
            value = node.known()
            if node.gate is None:
                tangent = given.get(node, np.zeros_like(value))
                pushed[node] = _reals(f"tangent of {node.name!r}", tangent, value.shape)
            else:
                incoming = tuple(pushed[source] for source in node.inputs)
                with np.errstate(all="ignore"):
                    pushed[node] = node.gate.push(incoming, node.operands(), value)
                _require_finite(f"tangent of node {node.name!r}", pushed[node])
            node.tangent = pushed[node]
        return pushed[last]

    def work(self, output: Node, wrt: Node) -> Work:
        """Multiply-adds for the gradient of ``output`` with respect to ``wrt``, in both orders.

        Every edge between the two is passed by one row or column at a time, at the same cost.

        Raises:
            ValueError: forward has not run.
        """
        from_wrt, to_output = {wrt}, {output}
        for node in self.nodes:
            if not from_wrt.isdisjoint(node.inputs):
                from_wrt.add(node)
        for node in reversed(self.nodes):
            if node in to_output:
                to_output.update(node.inputs)
        between = from_wrt & to_output
        edges = 0
        for node in between:
            if node.gate is not None:
                costs = node.gate.multiply_adds(node.operands(), node.known())
                edges += sum(
                    cost
                    for source, cost in zip(node.inputs, costs, strict=True)
                    if source in between
                )
        return Work(reverse=edges * output.known().size, forward=edges * wrt.known().size)

    def _record(self, node: Node) -> Node:
        if any(node.name == other.name for other in self.nodes):
            raise ValueError(f"name of a node must be its own, and {node.name!r} is taken")
        if not isinstance(node.format, Format | None):
            raise ValueError(f"format of node {node.name!r} must be a Format, not {node.format!r}")
        self.nodes.append(node)
        return node

    def _free(self, stem: str) -> str:
        """A name that no node has."""
        taken = {node.name for node in self.nodes}
        return next(name for k in count(1) if (name := f"{stem}_{k}") not in taken)

    def _or_last(self, node: Node | None) -> Node:
        if node is not None and node.graph is not self:
            raise ValueError(f"output must be a node of this graph, not {node.name!r}")
        if not self.nodes:
            raise ValueError("graph must have at least one node before it runs")
        return node or self.nodes[-1]

    def _by_input(self, what: str, arrays: Mapping[str, npt.ArrayLike]) -> dict[Node, Reals]:
        """Arrays given by the names of inputs, checked; errors call them ``what``."""
        inputs = [node for node in self.nodes if node.is_input]
        return {
            _named(inputs, name, "input"): _reals(f"{what} {name!r}", array)
            for name, array in arrays.items()
        }


def sigmoid_chain(x: Node, *, name: str = "") -> Node:
    """1/(1 + exp(-x)) in primitive gates: what the grouped gate's y(1 - y) is derived from."""
    graph = x.graph
    e = graph.apply(Exp(), x * -1.0)
    return graph.apply(Reciprocal(), e + 1.0, name=name)


def softmax_chain(x: Node, *, name: str = "") -> Node:
    """Softmax of every row in primitive gates, one for each stage of the hardware.

    Backward, the edges into ``mul`` and ``sum`` hold what the grouped gate's P∘(dP - D) is made of,
    and the gradient that ``max`` would route is 0: it is the negative sum of a row of P∘(dP - D).
    """
    graph = x.graph
    e = graph.apply(Exp(), x - graph.apply(Max(), x))
    r = graph.apply(Reciprocal(), graph.apply(Sum(), e))
    return graph.apply(Mul(), e, r, name=name)


def _computed(node: Node, gate: Gate) -> Reals:
    """The output of a node's gate, before its format."""
    try:
        with np.errstate(all="ignore"):  # what overflows is refused by name
            value = gate.forward(*node.operands())
    except ValueError as error:
        raise ValueError(f"node {node.name!r}: {error}") from None
    _require_finite(f"node {node.name!r}", value)
    return value


def _named(nodes: list[Node], name: str, kind: str) -> Node:
    """The node of a name."""
    for node in nodes:
        if node.name == name:
            return node
    known = ", ".join(node.name for node in nodes)
    raise ValueError(f"{kind} must be one of {known}, not {name!r}")


def _reals(what: str, value: npt.ArrayLike, shape: tuple[int, ...] | None = None) -> Reals:
    """An array of its own, finite and not empty, broadcast to ``shape`` where that is given."""
    if np.ma.is_masked(value):
        raise ValueError(f"{what} must have no elements that numpy.ma masks: fill them first")
    try:
        if np.asarray(value).dtype.kind not in "biufO":  # text and dates would be read as numbers
            raise TypeError
        array = np.array(value, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"{what} must be an array of real numbers, not {value!r}") from None
    if array.size == 0:
        raise ValueError(f"{what} must have at least one element, not shape {array.shape}")
    _require_finite(what, array)
    if shape is None or array.shape == shape:
        return array
    try:
        return np.broadcast_to(array, shape).copy()
    except ValueError:
        raise ValueError(f"{what} must broadcast to shape {shape}, not {array.shape}") from None


def _require_finite(what: str, array: Reals) -> None:
    if not np.isfinite(array).all():
        raise ValueError(f"{what} must be finite, not {array[~np.isfinite(array)][0]}")
