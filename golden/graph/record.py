"""A graph as plain values: what the command's table shows and its JSON file holds."""

from typing import Any

from ..types import Reals
from .graph import Graph, Node
from .notes import notes, operand


def record(graph: Graph) -> dict[str, Any]:
    """Every node in order, after forward and backward; arrays as lists, numbers as numbers."""
    assert graph.seed is not None, "backward must have run"
    return {
        "at": graph.seed.name,
        "upstream": _plain(graph.seed.gradient),
        "nodes": [_node(node) for node in graph.nodes],
        "notes": notes(graph),
    }


def operation(node: Node) -> str:
    """What a node is, in the notation."""
    if node.gate is None:
        return "number" if node.constant else "input"
    return node.gate.spelled(*(operand(source) for source in node.inputs))


def _node(node: Node) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "name": node.name,
        "is": operation(node),
        "inputs": [source.name for source in node.inputs],
        "value": _plain(node.value),
        "gradient": _plain(node.gradient),
        "edge_gradients": [_plain(gradient) for gradient in node.downstream],
    }
    if node.fixed is not None and node.difference is not None:
        fields |= {
            "format": node.fixed.format,
            "lsb": _plain(node.fixed.lsb),
            "float_value": _plain(node.exact),
            "difference_lsb": _plain(node.difference),
        }
    return fields


def _plain(array: Reals) -> Any:
    return array.tolist()
