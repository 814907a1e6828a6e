"""Faults planted in a unit's Verilog, by the names of its modules, instances and signals.

They go into the syntax tree, not into the text: what is not named stays as it ships, byte for byte.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

from pyslang.syntax import SyntaxKind, SyntaxTree

from softmaxfx.sim.sidecar import Unit

from .syntax import (
    ASSIGNMENTS,
    Literal,
    Place,
    connected,
    declared,
    literal,
    nodes,
    place_of,
    ports,
    references,
    target,
    words,
)


class Planting:
    """Verilog to plant faults in. Modules are named by their path, as in ``core.join``; the top
    module is ``""``."""

    def __init__(self, text: str, top: str):
        self._bytes, self._top = text.encode(), top
        self._tree = SyntaxTree.fromText(text)
        self._modules = {
            module.header.name.valueText: module
            for module in nodes(self._tree.root, SyntaxKind.ModuleDeclaration)
        }
        self._edits: list[tuple[Place, str]] = []

    def see(self, module: str, signal: str, value: str) -> None:
        """Whatever reads a signal reads ``value`` instead, in which ``{}`` is what it was.

        Args:
            signal: a wire, a register or a port; or an instance's output, as in ``rows.available``.
        """
        tree = self._module(module)
        name = connected(tree, *signal.split(".")) if "." in signal else signal
        declaration, declarator = declared(tree, name)
        old, new = f"\\{name} ", f"planted{len(self._edits)} "
        inward = name in ports(tree, "input")
        for token, driven in references(tree, self._outputs):
            if token.valueText == name and driven != inward:
                self._edit(place_of(token), new)
        if not inward:
            self._edit(place_of(declarator.name), new)
            old, new = new, old
        width = "".join(str(dimension) for dimension in declaration.type.dimensions)
        end = place_of(declaration)[1]
        self._edit((end, end), f"\n  wire {width} {new};")
        self.insert(module, f"  assign {new} = {value.replace('{}', old)};\n")

    def insert(self, module: str, items: str) -> None:
        """Declarations and statements more at a module's end."""
        end = self._module(module).endmodule.location.offset
        self._edit((end, end), items)

    def word(self, module: str, memory: str, address: int) -> Literal:
        """An entry of a memory."""
        (found,) = [
            literal(node.right, node.parent)
            for block in nodes(self._module(module), SyntaxKind.InitialBlock)
            for node in nodes(block, *ASSIGNMENTS)
            if str(node.left).split() == [f"{memory}[{address}]"]
        ]
        return found

    def words(self) -> list[Literal]:
        """Entries of all tables, in their order in the text."""
        return [entry for module in self._modules.values() for entry in words(module)]

    def parameters(self, cell: str, name: str) -> list[Literal]:
        """A parameter of every instance of a cell."""
        return [
            literal(given.expr, given.expr)
            for instance in nodes(self._tree.root, SyntaxKind.HierarchyInstantiation)
            if instance.type.valueText == cell
            for given in nodes(instance, SyntaxKind.NamedParamAssignment)
            if given.name.valueText == name
        ]

    def change(self, number: Literal, value: int) -> None:
        """Another number in the place of one."""
        self._edit(number.place, number.replaced(value))

    def drop(self, number: Literal) -> None:
        """What gives the number is no longer there."""
        self._edit(number.statement, "")

    def forget_the_start(self) -> None:
        """Every register, and every memory that is written, is unknown before the first reset."""
        for module in self._modules.values():
            for register in nodes(module, SyntaxKind.Declarator):
                if register.initializer is not None:
                    self._edit(place_of(register.initializer), "")
            written = set(map(target, nodes(module, SyntaxKind.NonblockingAssignmentExpression)))
            for block in nodes(module, SyntaxKind.InitialBlock):
                for node in nodes(block, SyntaxKind.AssignmentExpression):
                    if target(node) in written:
                        self._edit(place_of(node.parent), "")

    def text(self) -> str:
        """The Verilog with all that was planted."""
        assert self._edits, "nothing was planted"
        made, place = b"", 0
        for (start, end), new in sorted(self._edits, key=lambda edit: edit[0]):
            assert place <= start, "planted twice"
            made += self._bytes[place:start] + new.encode()
            place = end
        return (made + self._bytes[place:]).decode()

    @cached_property
    def _outputs(self) -> dict[str, set[str]]:
        return {name: ports(module, "output") for name, module in self._modules.items()}

    def _module(self, path: str) -> Any:
        return self._modules["__".join([self._top, *path.split(".")] if path else [self._top])]

    def _edit(self, place: Place, new: str) -> None:
        self._edits.append((place, new))


Fault = Callable[[Planting], None]


def plant(verilog: Path, top: str, fault: Fault) -> None:
    """Plant a fault in a file."""
    planting = Planting(verilog.read_text(), top)
    fault(planting)
    verilog.write_text(planting.text())


def planted(unit: Unit, folder: Path, fault: Fault) -> Unit:
    """The unit with a fault, its Verilog in a folder of its own."""
    verilog = folder / unit.verilog.name
    verilog.write_text(unit.verilog.read_text())
    plant(verilog, unit.top, fault)
    return replace(unit, verilog=verilog)
