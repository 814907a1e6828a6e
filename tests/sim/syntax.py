"""What a tree of Verilog's syntax holds: names with who drives them, and numbers of tables."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pyslang.parsing import Token
from pyslang.syntax import SyntaxKind

Place = tuple[int, int]
"""Where a piece of the text begins and ends, in bytes."""
ASSIGNMENTS = (SyntaxKind.AssignmentExpression, SyntaxKind.NonblockingAssignmentExpression)
DECLARATIONS = (SyntaxKind.NetDeclaration, SyntaxKind.DataDeclaration)
CASES = (SyntaxKind.StandardCaseItem, SyntaxKind.DefaultCaseItem)
NAMES = (SyntaxKind.IdentifierName, SyntaxKind.IdentifierSelectName)


@dataclass(frozen=True)
class Literal:
    """A number as in ``18'h3ff``; ``statement`` is all that goes where it is dropped."""

    place: Place
    statement: Place
    width: int
    digits: str

    @property
    def value(self) -> int:
        return int(self.digits, 16)

    def replaced(self, value: int) -> str:
        """Another number of as many bits and digits."""
        return f"{self.width}'h{value:0{len(self.digits)}x}"


def place_of(part: Any) -> Place:
    """Of a token or a node."""
    if isinstance(part, Token):
        return part.location.offset, part.location.offset + len(part.rawText.encode())
    return part.sourceRange.start.offset, part.sourceRange.end.offset


def nodes(root: Any, *kinds: SyntaxKind) -> Iterator[Any]:
    """The nodes of some kinds in a tree, in their order."""
    if root.kind in kinds:
        yield root
    for child in _children(root):
        yield from nodes(child, *kinds)


def _children(node: Any) -> Iterator[Any]:
    return (child for child in node if child is not None and not isinstance(child, Token))


def ports(module: Any, direction: str) -> set[str]:
    """A module's ports of a direction, ``"input"`` or ``"output"``."""
    return {
        declarator.name.valueText
        for node in nodes(module, SyntaxKind.PortDeclaration)
        if node.header.direction.valueText == direction
        for declarator in nodes(node, SyntaxKind.Declarator)
    }


def declared(module: Any, name: str) -> tuple[Any, Any]:
    """A signal's declaration and its place in that; its port has another one besides."""
    ((declaration, declarator),) = [
        (node, declarator)
        for node in nodes(module, *DECLARATIONS)
        for declarator in nodes(node, SyntaxKind.Declarator)
        if declarator.name.valueText == name
    ]
    return declaration, declarator


def connected(module: Any, instance: str, port: str) -> str:
    """The signal that a port of an instance is connected to."""
    (name,) = [
        name.identifier.valueText
        for node in nodes(module, SyntaxKind.HierarchicalInstance)
        if node.decl.name.valueText == instance
        for connection in nodes(node, SyntaxKind.NamedPortConnection)
        if connection.name.valueText == port
        for name in nodes(connection.expr, *NAMES)
    ]
    return name


def references(
    node: Any, outputs: dict[str, set[str]], driven: bool = False
) -> Iterator[tuple[Token, bool]]:
    """Every mention of a signal in statements, and whether it is driven there, or else read.

    Args:
        outputs: those of every module that may be instantiated.
    """
    if node.kind in ASSIGNMENTS:
        yield from references(node.left, outputs, True)
        yield from references(node.right, outputs)
    elif node.kind == SyntaxKind.HierarchyInstantiation:
        of_instance = outputs.get(node.type.valueText, set())
        for connection in nodes(node, SyntaxKind.NamedPortConnection):
            if connection.expr is not None:
                drives = connection.name.valueText in of_instance
                yield from references(connection.expr, outputs, drives)
    else:
        if node.kind in NAMES:
            yield node.identifier, driven
            driven = False  # what selects its bits is read
        for child in _children(node):
            yield from references(child, outputs, driven)


def target(assignment: Any) -> str:
    """The name of what is assigned to."""
    return next(nodes(assignment.left, *NAMES)).identifier.valueText


def words(module: Any) -> Iterator[Literal]:
    """Entries of tables: of memories, of case statements, of block RAM with contents."""
    for block in nodes(module, SyntaxKind.InitialBlock):
        for node in nodes(block, *ASSIGNMENTS):
            if node.left.kind == SyntaxKind.IdentifierSelectName:
                yield literal(node.right, node.parent)
    for item in nodes(module, *CASES):
        for node in nodes(item, *ASSIGNMENTS):
            if node.right.kind == SyntaxKind.IntegerVectorExpression:
                yield literal(node.right, item)
    for node in nodes(module, SyntaxKind.NamedParamAssignment):
        if node.name.valueText.startswith(("INITVAL_", "INIT_", "INITP_")):
            yield literal(node.expr, node.expr)


def literal(node: Any, statement: Any) -> Literal:
    assert node.base.rawText == "'h", f"no number in base 16: {node}"
    width, digits = int(node.size.rawText), node.value.rawText
    return Literal(place_of(node), place_of(statement), width, digits)
