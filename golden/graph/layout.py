"""Where a graph's nodes are drawn: layers from left to right, few crossings, straight edges.

A gate lies one layer right of its last input, an input or a constant one layer left of its first
use. An edge that crosses a layer gets a place there, like a node, so that none runs through a box.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise

from .nodes import Graph, Node

PITCH = 48.0
"""Distance of a gate's inputs: room for a value above and a gradient below each edge."""

GAP = 18.0
"""Least distance between the boxes of a layer."""

SWEEPS = 12
"""Passes over the layers, in turn to the right and to the left."""


@dataclass(eq=False, slots=True)
class Place:
    """A node's box, or the point where an edge from ``node`` crosses a layer.

    Attributes:
        height: of the box; 0 for a crossing.
        y: of its middle, downwards.
        before: places on the left that edges come from; after: places on the right. Each with the
            height at which the edge meets the box on its right, from that box's middle.
    """

    node: Node
    layer: int
    height: float = 0.0
    y: float = 0.0
    before: list[tuple["Place", float]] = field(default_factory=list)
    after: list[tuple["Place", float]] = field(default_factory=list)


def port(node: Node, k: int) -> float:
    """Height of a gate's input ``k``, from the middle of its box."""
    return (k - (len(node.inputs) - 1) / 2) * PITCH


def layout(graph: Graph) -> list[list[Place]]:
    """The places of a graph, layer by layer from the left, each from top to bottom."""
    layers = _layers(graph)
    boxes = {node: Place(node, layer, _height(node)) for node, layer in layers.items()}
    crossings: dict[tuple[Node, int], Place] = {}
    for node in graph.nodes:
        for k, source in enumerate(node.inputs):
            left = boxes[source]
            for layer in range(layers[source] + 1, layers[node]):
                if (source, layer) not in crossings:  # edges of one source share their way
                    crossings[source, layer] = Place(source, layer)
                    _connect(left, crossings[source, layer], 0.0)
                left = crossings[source, layer]
            _connect(left, boxes[node], port(node, k))
    columns: list[list[Place]] = [[] for _ in range(max(layers.values()) + 1)]
    for place in _depth_first(boxes.values()):
        columns[place.layer].append(place)
    for sweep in range(SWEEPS):
        to_the_right = sweep % 2 == 0
        for column in columns if to_the_right else reversed(columns):
            for place in column:
                place.y = _wish(place, to_the_right)
            column.sort(key=lambda place: place.y)
            _separate(column)
    return columns


def _height(node: Node) -> float:
    return 30.0 if node.gate is None else max(len(node.inputs) * PITCH - 4, 44.0)


def _connect(left: Place, right: Place, offset: float) -> None:
    left.after.append((right, offset))
    right.before.append((left, offset))


def _layers(graph: Graph) -> dict[Node, int]:
    layers: dict[Node, int] = {}
    for node in graph.nodes:
        layers[node] = 1 + max((layers[source] for source in node.inputs), default=-1)
    for node in graph.nodes:
        if node.gate is None:
            uses = [layers[other] for other in graph.nodes if node in other.inputs]
            layers[node] = min(uses, default=1) - 1
    return layers


def _depth_first(places: Iterable[Place]) -> list[Place]:
    """Every place after those on its left: a tree in this order has no crossings."""
    order: dict[Place, None] = {}

    def visit(place: Place) -> None:
        if place not in order:
            for left, _ in sorted(place.before, key=lambda edge: edge[1]):
                visit(left)
            order[place] = None

    for place in places:
        if not place.after:
            visit(place)
    return list(order)


def _wish(place: Place, to_the_right: bool) -> float:
    """The height at which the edges on one side are straight, on average."""
    if to_the_right:
        heights = [left.y - offset for left, offset in place.before]
    else:
        heights = [right.y + offset for right, offset in place.after]
    return sum(heights) / len(heights) if heights else place.y


def _separate(column: list[Place]) -> None:
    """Move places apart where they overlap, as little as possible in least squares.

    With the room between neighbours taken off, heights must only not decrease: isotonic
    regression by pooling adjacent violators.
    """
    room, taken = [0.0], 0.0
    for above, below in pairwise(column):
        taken += (above.height + below.height) / 2 + GAP
        room.append(taken)
    pools: list[list[float]] = []
    for place, offset in zip(column, room, strict=True):
        pools.append([place.y - offset])
        while len(pools) > 1 and _mean(pools[-2]) > _mean(pools[-1]):
            last = pools.pop()
            pools[-1] += last
    settled = [_mean(pool) for pool in pools for _ in pool]
    for place, height, offset in zip(column, settled, room, strict=True):
        place.y = height + offset


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)
