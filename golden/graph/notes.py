"""What a reader of a graph must know beside its numbers, in sentences."""

from collections.abc import Callable

import numpy as np

from .graph import Graph, Node


def notes(graph: Graph) -> list[str]:
    """What saturated, and what is not finite, after forward and backward."""
    saturated = [
        f"{node.name}: {node.fixed.note}" for node in graph.nodes if node.fixed and node.fixed.note
    ]
    return [
        *saturated,
        *_not_finite("value", graph, lambda node: not np.isfinite(node.value).all()),
        *_not_finite("exact value", graph, _only_exact),
        *_not_finite("gradient", graph, lambda node: not np.isfinite(node.gradient).all()),
    ]


def _only_exact(node: Node) -> bool:
    """The hardware's value is finite where that of float64 is not."""
    return bool(np.isfinite(node.value).all() and not np.isfinite(node.exact).all())


def _not_finite(what: str, graph: Graph, bad: Callable[[Node], bool]) -> list[str]:
    names = [node.name for node in graph.nodes if bad(node)]
    if not names:
        return []
    first = next(node for node in graph.nodes if bad(node))
    because = ""
    if what != "gradient" and first.gate is not None:
        because = f"; it begins at {first.name} = {_spelled(first)}"
    return [f"the {what} of {', '.join(names)} is not finite{because}"]


def _spelled(node: Node) -> str:
    assert node.gate is not None
    return node.gate.spelled(*(operand(source) for source in node.inputs))


def operand(node: Node) -> str:
    """A node as an operand: its name, or the number that it is."""
    return f"{node.exact.item():g}" if node.constant else node.name
