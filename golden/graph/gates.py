"""Gates of a computational graph: a value forward, a gradient backward, a tangent forward.

A gate with output y = g(x, ...) and Jacobian J = ∂y/∂x never builds J. It applies it from either
side: ``backward`` gives uJ (vector-Jacobian product), ``push`` gives Jv (Jacobian-vector product).
What the hardware's backward units compute follows from these (see :mod:`.grouped_gates`):

    add            hands the upstream gradient to both inputs
    copy           sums the gradients of its copies
    mul            multiplies the upstream gradient by the other input
    max            routes it to the largest element, the first one where several are largest
    relu, exp ...  multiply it by their slope, the diagonal of J
    matmul         dL/dx = dL/dy·wᵀ, dL/dw = xᵀ·dL/dy

Rows lie along the last axis; axes before it are the batch. Inputs that broadcast were copied, so
their gradient is summed over what they were copied to.
"""

from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np

from ..given import plain
from ..types import Indices, Reals

Arrays = tuple[Reals, ...]


class Gate(Protocol):
    """A function of ``arity`` float64 arrays, and both products with its Jacobian.

    Attributes:
        name: what errors and pictures call it.
        arity: number of inputs.
    """

    name: ClassVar[str]
    arity: ClassVar[int] = 1

    def forward(self, *inputs: Reals) -> Reals:
        """The output.

        Raises:
            ValueError: inputs that the gate has no value for, in shape or in range.
        """
        ...

    def backward(self, upstream: Reals, inputs: Arrays, output: Reals) -> Arrays:
        """The gradient of every input, in its shape, from that of the output (uJ)."""
        ...

    def push(self, tangents: Arrays, inputs: Arrays, output: Reals) -> Reals:
        """The tangent of the output, in its shape, from those of the inputs (Jv)."""
        ...

    def multiply_adds(self, inputs: Arrays, output: Reals) -> tuple[int, ...]:
        """For every input: multiplications that one gradient or tangent costs on its way.

        J and its transpose have the same entries, so one number serves both directions.
        """
        ...


class Linear(Gate, Protocol):
    """A gate that only moves and adds: tangents take the way of the values."""

    def push(self, tangents: Arrays, inputs: Arrays, output: Reals) -> Reals:
        return self.forward(*tangents)

    def multiply_adds(self, inputs: Arrays, output: Reals) -> tuple[int, ...]:
        return (0,) * self.arity


class Bilinear(Gate, Protocol):
    """A product of two inputs: its tangent follows the product rule."""

    arity: ClassVar[int] = 2

    def push(self, tangents: Arrays, inputs: Arrays, output: Reals) -> Reals:
        return self.forward(tangents[0], inputs[1]) + self.forward(inputs[0], tangents[1])


class Elementwise(Gate, Protocol):
    """A function of one element: its Jacobian is diagonal, and only the diagonal is kept."""

    def slope(self, x: Reals, y: Reals) -> Reals:
        """The diagonal of the Jacobian at input ``x`` and output ``y``."""
        ...

    def backward(self, upstream: Reals, inputs: Arrays, output: Reals) -> Arrays:
        return (upstream * self.slope(inputs[0], output),)

    def push(self, tangents: Arrays, inputs: Arrays, output: Reals) -> Reals:
        return tangents[0] * self.slope(inputs[0], output)

    def multiply_adds(self, inputs: Arrays, output: Reals) -> tuple[int, ...]:
        return (output.size,)


@dataclass(frozen=True, slots=True)
class Add(Linear):
    """x + y, of shapes that broadcast."""

    name = "add"
    arity = 2

    def forward(self, *inputs: Reals) -> Reals:
        x, y = _broadcasting(self.name, inputs)
        return x + y

    def backward(self, upstream: Reals, inputs: Arrays, output: Reals) -> Arrays:
        x, y = inputs
        return sum_to(upstream, x.shape), sum_to(upstream, y.shape)


@dataclass(frozen=True, slots=True)
class Subtract(Linear):
    """x - y, of shapes that broadcast."""

    name = "subtract"
    arity = 2

    def forward(self, *inputs: Reals) -> Reals:
        x, y = _broadcasting(self.name, inputs)
        return x - y

    def backward(self, upstream: Reals, inputs: Arrays, output: Reals) -> Arrays:
        x, y = inputs
        return sum_to(upstream, x.shape), sum_to(-upstream, y.shape)


@dataclass(frozen=True, slots=True)
class Copy(Linear):
    """One value (a last axis of length 1, or a scalar) to ``count`` places of the last axis.

    Raises:
        ValueError: ``count`` below 1.
    """

    name = "copy"

    count: int

    def __post_init__(self) -> None:
        count = plain(self.count)
        if type(count) is not int or count < 1:
            raise ValueError(f"count of a copy gate must be at least 1, not {self.count}")

    def forward(self, *inputs: Reals) -> Reals:
        (x,) = inputs
        if x.shape[-1:] not in ((), (1,)):
            raise ValueError(f"copy takes a last axis of length 1, not shape {x.shape}")
        return np.broadcast_to(x, (*x.shape[:-1], self.count))

    def backward(self, upstream: Reals, inputs: Arrays, output: Reals) -> Arrays:
        return (upstream.sum(axis=-1).reshape(inputs[0].shape),)


@dataclass(frozen=True, slots=True)
class Sum(Linear):
    """The sum of every row: (..., n) to (..., 1). Its backward is a copy, as copy's is a sum."""

    name = "sum"

    def forward(self, *inputs: Reals) -> Reals:
        return require_rows(self.name, inputs[0]).sum(axis=-1, keepdims=True)

    def backward(self, upstream: Reals, inputs: Arrays, output: Reals) -> Arrays:
        return (np.broadcast_to(upstream, inputs[0].shape),)


@dataclass(frozen=True, slots=True)
class Max(Gate):
    """The largest element of every row: (..., n) to (..., 1).

    Among several that are largest, the first is taken to be the maximum: it gets the whole
    gradient, and its tangent is the output's.
    """

    name = "max"

    def forward(self, *inputs: Reals) -> Reals:
        return require_rows(self.name, inputs[0]).max(axis=-1, keepdims=True)

    def backward(self, upstream: Reals, inputs: Arrays, output: Reals) -> Arrays:
        downstream = np.zeros_like(inputs[0])
        np.put_along_axis(downstream, self.winner(inputs[0]), upstream, axis=-1)
        return (downstream,)

    def push(self, tangents: Arrays, inputs: Arrays, output: Reals) -> Reals:
        return np.take_along_axis(tangents[0], self.winner(inputs[0]), axis=-1)

    def multiply_adds(self, inputs: Arrays, output: Reals) -> tuple[int, ...]:
        return (0,)

    def winner(self, x: Reals) -> Indices:
        """Index of the first largest element of every row, (..., 1)."""
        return x.argmax(axis=-1, keepdims=True)


@dataclass(frozen=True, slots=True)
class Mul(Bilinear):
    """x∘y element by element, of shapes that broadcast."""

    name = "mul"

    def forward(self, *inputs: Reals) -> Reals:
        x, y = _broadcasting(self.name, inputs)
        return x * y

    def backward(self, upstream: Reals, inputs: Arrays, output: Reals) -> Arrays:
        x, y = inputs
        return sum_to(upstream * y, x.shape), sum_to(upstream * x, y.shape)

    def multiply_adds(self, inputs: Arrays, output: Reals) -> tuple[int, ...]:
        return output.size, output.size


@dataclass(frozen=True, slots=True)
class MatMul(Bilinear):
    """x·w: rows x (..., n) times a matrix w (n, m), giving (..., m)."""

    name = "matmul"

    def forward(self, *inputs: Reals) -> Reals:
        x, w = inputs
        if x.ndim < 1 or w.ndim != 2 or x.shape[-1] != w.shape[0]:
            raise ValueError(f"matmul takes (..., n) and (n, m), not {x.shape} and {w.shape}")
        return x @ w

    def backward(self, upstream: Reals, inputs: Arrays, output: Reals) -> Arrays:
        x, w = inputs
        n, m = w.shape
        # every row of the batch used w, so w's gradient is the sum over them
        return upstream @ w.T, x.reshape(-1, n).T @ upstream.reshape(-1, m)

    def multiply_adds(self, inputs: Arrays, output: Reals) -> tuple[int, ...]:
        x, w = inputs
        products = x.size * w.shape[1]
        return products, products


@dataclass(frozen=True, slots=True)
class ReLU(Elementwise):
    """max(x, 0). The diagonal is a mask: 1 where x > 0, else 0, at 0 too."""

    name = "relu"

    def forward(self, *inputs: Reals) -> Reals:
        return np.maximum(inputs[0], 0.0)

    def slope(self, x: Reals, y: Reals) -> Reals:
        return (x > 0).astype(np.float64)


@dataclass(frozen=True, slots=True)
class Exp(Elementwise):
    """exp(x), its own slope."""

    name = "exp"

    def forward(self, *inputs: Reals) -> Reals:
        return np.exp(inputs[0])

    def slope(self, x: Reals, y: Reals) -> Reals:
        return y


@dataclass(frozen=True, slots=True)
class Ln(Elementwise):
    """The natural logarithm of positive values; slope 1/x."""

    name = "ln"

    def forward(self, *inputs: Reals) -> Reals:
        (x,) = inputs
        if not (x > 0).all():
            raise ValueError(f"ln takes values above 0, not {x.min()}")
        return np.log(x)

    def slope(self, x: Reals, y: Reals) -> Reals:
        return 1 / x


@dataclass(frozen=True, slots=True)
class Reciprocal(Elementwise):
    """y = 1/x of values that are not 0; slope -1/x², which is -y²: no second division."""

    name = "reciprocal"

    def forward(self, *inputs: Reals) -> Reals:
        (x,) = inputs
        if not x.all():
            raise ValueError("reciprocal takes values other than 0, not 0.0")
        return 1 / x

    def slope(self, x: Reals, y: Reals) -> Reals:
        return -y * y


def require_rows(name: str, x: Reals) -> Reals:
    """The input, where it has rows of at least one element."""
    if x.shape[-1:] in ((), (0,)):
        raise ValueError(f"{name} takes rows of at least one element, not shape {x.shape}")
    return x


def sum_to(gradient: Reals, shape: tuple[int, ...]) -> Reals:
    """A gradient summed over the axes that ``shape`` was broadcast along, in that shape."""
    extra = gradient.ndim - len(shape)
    stretched = [extra + k for k, n in enumerate(shape) if n == 1]
    return gradient.sum(axis=(*range(extra), *stretched)).reshape(shape)


def _broadcasting(name: str, inputs: Arrays) -> Arrays:
    """The inputs, where their shapes broadcast."""
    shapes = [x.shape for x in inputs]
    try:
        np.broadcast_shapes(*shapes)
    except ValueError:
        raise ValueError(
            f"{name} takes shapes that broadcast, not {shapes[0]} and {shapes[1]}"
        ) from None
    return inputs
