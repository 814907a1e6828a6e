"""Expressions of the notation, by Python's own parser over a grammar that is much smaller:

    + - * /         of rows and numbers; ( ) as usual, and -x
    ^               a number right of it, as x ^ 2, or left of it, as 2 ^ x; it binds first
    NAME            assigned on a line above
    exp(x) ...      :data:`FUNCTIONS`; clip and saturate take two limits, as clip(x, -10, 10)

Nothing is ever evaluated by Python: what is not listed is refused, by its place.
"""

import ast
import re
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from math import isfinite

import numpy as np

from ..types import Reals
from .arithmetic import Add, Copy, Divide, Multiply, Negate, Subtract
from .functions import (
    Clip,
    Exp,
    Exponential,
    Ln,
    Power,
    Reciprocal,
    ReLU,
    Saturate,
    Sigmoid,
)
from .gate import Gate
from .graph import Node
from .rows import Max, Softmax, Sum

NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"

_OPERATORS: dict[type[ast.operator], Gate] = {
    ast.Add: Add(), ast.Sub: Subtract(), ast.Mult: Multiply(), ast.Div: Divide()
}  # fmt: skip
_PLAIN: dict[str, Gate] = {
    gate.name: gate
    for gate in (Exp(), Ln(), Max(), Sum(), Reciprocal(), Sigmoid(), ReLU(), Softmax())
}
_LIMITED: dict[str, Callable[[float, float], Gate]] = {"clip": Clip, "saturate": Saturate}
FUNCTIONS = (*_PLAIN, *_LIMITED)

GRAMMAR = "an expression must be of numbers, names, + - * / ^ ( ) and functions"


class Refusal(Exception):  # noqa: N818  (no error yet: the reader makes it one, with its line)
    """What is no notation: its column, from 0, and the rule that it breaks."""

    def __init__(self, column: int, rule: str) -> None:
        self.column, self.rule = column, rule


@dataclass(frozen=True, slots=True)
class Built:
    """A part of an expression: a gate on nodes, or a number.

    Attributes:
        name: that it is assigned to; empty for a part inside.
        column: where it stands in the line.
    """

    name: str
    column: int
    gate: Gate | None = None
    inputs: tuple[Node, ...] = ()
    value: Reals = field(default_factory=lambda: np.zeros(0))

    @property
    def stem(self) -> str:
        """What a part without a name is named after."""
        return "number" if self.gate is None else self.gate.name


class Builder:
    """Builds one expression.

    Args:
        text: the expression, ASCII. offset: its column in the line.
        known: nodes by the names assigned so far. record: makes a node of each part.

    Raises:
        Refusal: anything but an expression.
    """

    def __init__(
        self, text: str, offset: int, known: Mapping[str, Node], record: Callable[[Built], Node]
    ) -> None:
        self.text, self.offset = text, offset
        self.known, self.record = known, record
        self.tree = self._parsed()

    def named(self, name: str) -> Node:
        """The node of the whole expression, under a name."""
        try:
            return self._node(self.tree, name)
        except RecursionError:
            raise self._too_deep() from None

    def _parsed(self) -> ast.expr:
        parsed = self.text.replace("^", "**")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # Python's advice about its own language
                return ast.parse(parsed, mode="eval").body
        except SyntaxError as error:
            column = self._column((error.offset or len(parsed) + 1) - 1)  # 0 is the end
            rest = self.text[column - self.offset :].strip()
            reason = f"none goes on with {_short(rest)}" if rest else "none ends here"
            raise Refusal(column, f"{GRAMMAR}, and {reason}") from None
        except (RecursionError, MemoryError):
            raise self._too_deep() from None

    def _too_deep(self) -> Refusal:
        return Refusal(self.offset, "an expression must not be nested this deeply")

    def _column(self, parsed: int) -> int:
        """Column in the line of a column of what was parsed, which has ** for every ^."""
        place = 0
        while parsed > 0 and place < len(self.text):
            parsed -= 2 if self.text[place] == "^" else 1
            place += 1
        return self.offset + place

    def _refuse(self, tree: ast.expr, rule: str) -> Refusal:
        return Refusal(self._column(tree.col_offset), rule)

    def _source(self, tree: ast.expr) -> str:
        start, end = self._column(tree.col_offset), self._column(tree.end_col_offset or 0)
        return self.text[start - self.offset : end - self.offset]

    def _node(self, tree: ast.expr, name: str = "") -> Node:
        """The node of a part."""
        number = self._number(tree)
        if number is not None:
            return self._made(tree, name, value=np.asarray(number))
        match tree:
            case ast.BinOp(op=ast.Pow()):
                return self._power(tree, name)
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
                operands = self._node(left), self._node(right)
                return self._made(tree, name, _OPERATORS[type(op)], operands)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return self._made(tree, name, Negate(), (self._node(operand),))
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self._node(operand, name)
            case ast.Call(func=ast.Name(id=function)):
                return self._call(tree, function, name)
            case ast.Name(id=used):
                node = self._known(tree, used)
                return self._made(tree, name, Copy(), (node,)) if name else node
        raise self._refuse(tree, f"{GRAMMAR}, not {_short(self._source(tree))}")

    def _made(
        self, tree: ast.expr, name: str, gate: Gate | None = None, inputs: tuple[Node, ...] = (),
        value: Reals | None = None,
    ) -> Node:  # fmt: skip
        built = Built(name, self._place(tree), gate, inputs)
        return self.record(built if value is None else replace(built, value=value))

    def _place(self, tree: ast.expr) -> int:
        """Column of a part: of its operator where that stands inside."""
        if not isinstance(tree, ast.BinOp):
            return self._column(tree.col_offset)
        column = self._column(tree.left.end_col_offset or 0)
        rest = self.text[column - self.offset :]
        return column + len(rest) - len(rest.lstrip(" \t)"))

    def _known(self, tree: ast.expr, name: str) -> Node:
        if name in FUNCTIONS:
            raise self._refuse(tree, f"{name} must have what it is taken of in ( ) behind it")
        if name not in self.known:
            raise self._refuse(tree, f"{name} must be assigned on a line above")
        return self.known[name]

    def _power(self, tree: ast.BinOp, name: str) -> Node:
        base, exponent = self._number(tree.left), self._number(tree.right)
        if exponent is not None:
            return self._made(tree, name, Power(exponent), (self._node(tree.left),))
        if base is None:
            raise self._refuse(
                tree, "^ must have a number on one side; exp(y * ln(x)) is x to the power y"
            )
        try:
            gate = Exponential(base)
        except ValueError as error:
            raise self._refuse(tree, str(error)) from None
        return self._made(tree, name, gate, (self._node(tree.right),))

    def _call(self, tree: ast.Call, function: str, name: str) -> Node:
        if function not in FUNCTIONS:
            raise self._refuse(
                tree, f"a function must be one of {', '.join(FUNCTIONS)}, not {_short(function)}"
            )
        wanted = 3 if function in _LIMITED else 1
        if len(tree.args) != wanted or tree.keywords:
            takes = "x, a lower and an upper limit" if wanted == 3 else "one argument"
            raise self._refuse(tree, f"{function} takes {takes}, not {_short(self._source(tree))}")
        gate = self._limited(tree, function) if wanted == 3 else _PLAIN[function]
        return self._made(tree, name, gate, (self._node(tree.args[0]),))

    def _limited(self, tree: ast.Call, function: str) -> Gate:
        limits = [self._number(limit) for limit in tree.args[1:]]
        if limits[0] is None or limits[1] is None:
            raise self._refuse(tree, f"the limits of {function} must be numbers")
        try:
            return _LIMITED[function](limits[0], limits[1])
        except ValueError as error:
            raise self._refuse(tree, str(error)) from None

    def _number(self, tree: ast.expr) -> float | None:
        """The value of a number, signs before it included; ``None`` for anything else."""
        match tree:
            case ast.Constant() if re.fullmatch(NUMBER, self._source(tree)):
                number = float(self._source(tree))
                if not isfinite(number):
                    raise self._refuse(tree, f"a number must be finite, not {self._source(tree)}")
                return number
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                number = self._number(operand)
                return None if number is None else -number
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self._number(operand)
        return None


def _short(text: str) -> str:
    return text if len(text) <= 30 else f"{text[:27]}..."
