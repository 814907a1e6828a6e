"""Where a graph's nodes are drawn: layers from left to right, few crossings, straight edges.

A gate lies one layer right of its last input, an input or a constant one layer left of its first
use, and the end of an output one layer right of its node. An edge that crosses a layer gets a place
there, like a node, so that none runs through a box.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import combinations, pairwise
from typing import Literal

from .graph import Graph, Node

GAP = 16.0
"""Least distance between the boxes of a layer, and the lines of text beside them."""

SWEEPS = 12
"""Passes over the layers, in turn to the right and to the left."""

Kind = Literal["box", "crossing", "end"]


@dataclass(frozen=True, slots=True)
class Size:
    """Room that a place takes, from its middle.

    Attributes:
        above, below: the text beside it included. ports: heights at which its edges come in,
            downwards.
    """

    above: float
    below: float
    ports: tuple[float, ...]


@dataclass(eq=False, slots=True)
class Place:
    """A node's box, the end of an output, or the point where an edge from ``node`` crosses a layer.

    Attributes:
        y: of its middle, downwards.
        before: places on the left that edges come from; after: places on the right. Each with the
            height at which the edge meets the place on its right, from that place's middle.
    """

    node: Node
    layer: int
    kind: Kind
    size: Size = field(default_factory=lambda: Size(0.0, 0.0, (0.0,)))
    y: float = 0.0
    before: list[tuple["Place", float]] = field(default_factory=list)
    after: list[tuple["Place", float]] = field(default_factory=list)


def layout(graph: Graph, size: Callable[[Node, Kind], Size]) -> list[list[Place]]:
    """The places of a graph, layer by layer from the left, each from top to bottom."""
    places = _connected(graph, size)
    columns: list[list[Place]] = [[] for _ in range(1 + max(place.layer for place in places))]
    for place in _depth_first(places):
        columns[place.layer].append(place)
    best, fewest = {}, len(places) ** 2
    for sweep in range(SWEEPS):
        _sweep(columns, to_the_right=sweep % 2 == 0)
        crossings = _crossings(columns)
        if crossings <= fewest:  # the last of equals, which is the straightest
            best, fewest = {place: place.y for place in places}, crossings
    for place, y in best.items():
        place.y = y
    return [sorted(column, key=lambda place: place.y) for column in columns]


def _sweep(columns: list[list[Place]], *, to_the_right: bool) -> None:
    """Move every place to where its edges on one side are straight, as far as there is room."""
    for column in columns if to_the_right else reversed(columns):
        for place in column:
            place.y = _wish(place, to_the_right)
        column.sort(key=lambda place: place.y)
        _separate(column)


def _crossings(columns: list[list[Place]]) -> int:
    """Pairs of edges that cross."""
    count = 0
    for column in columns:
        edges = [(place.y, right.y + offset) for place in column for right, offset in place.after]
        count += sum((a - c) * (b - d) < 0 for (a, b), (c, d) in combinations(edges, 2))
    return count


def _connected(graph: Graph, size: Callable[[Node, Kind], Size]) -> list[Place]:
    """Every place, with its edges."""
    layers = _layers(graph)
    boxes = {node: Place(node, layer, "box", size(node, "box")) for node, layer in layers.items()}
    places = list(boxes.values())
    crossings: dict[tuple[Node, int], Place] = {}
    for node in graph.nodes:
        for source, port in zip(node.inputs, boxes[node].size.ports, strict=True):
            left = boxes[source]
            for layer in range(layers[source] + 1, layers[node]):
                if (source, layer) not in crossings:  # edges of one source share their way
                    crossings[source, layer] = Place(source, layer, "crossing")
                    _connect(left, crossings[source, layer], 0.0)
                left = crossings[source, layer]
            _connect(left, boxes[node], port)
    for node in graph.outputs:
        end = Place(node, layers[node] + 1, "end", size(node, "end"))
        _connect(boxes[node], end, 0.0)
        places.append(end)
    return places + list(crossings.values())


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
    for upper, lower in pairwise(column):
        taken += upper.size.below + lower.size.above + GAP
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
