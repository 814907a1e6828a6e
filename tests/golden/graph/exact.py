"""An independent reader of the notation: Python's own arithmetic on mpmath numbers, 60 digits.

It shares no code with the graph; gradients are central differences of what it computes.
"""

import re

import mpmath

DIGITS = 60
STEP = mpmath.mpf(10) ** -18
NEAR = mpmath.mpf(10) ** -6


class UnsafeError(ArithmeticError):
    """A value where differences tell nothing: at a kink, at a pole, or huge."""


class Row:
    """Numbers, element by element; one number goes with any row."""

    def __init__(self, numbers):
        self.numbers = [mpmath.mpf(x) for x in numbers]
        if any(abs(x) > 10**8 for x in self.numbers):
            raise UnsafeError

    def _with(self, other, function):
        other = other if isinstance(other, Row) else Row([other])
        count = max(len(self.numbers), len(other.numbers))
        pairs = [
            row.numbers * count if len(row.numbers) == 1 else row.numbers for row in (self, other)
        ]
        return Row([function(a, b) for a, b in zip(*pairs, strict=True)])

    def map(self, function):
        return Row([function(x) for x in self.numbers])

    def __add__(self, other):
        return self._with(other, lambda a, b: a + b)

    def __sub__(self, other):
        return self._with(other, lambda a, b: a - b)

    def __mul__(self, other):
        return self._with(other, lambda a, b: a * b)

    def __truediv__(self, other):
        return self._with(other, lambda a, b: a / away(b))

    def __pow__(self, exponent):
        return self.map(lambda x: (x if exponent >= 1 else away(x)) ** exponent)

    def __rpow__(self, base):
        return self.map(lambda x: mpmath.power(base, x))

    def __radd__(self, other):
        return Row([other]) + self

    def __rsub__(self, other):
        return Row([other]) - self

    def __rmul__(self, other):
        return Row([other]) * self

    def __rtruediv__(self, other):
        return Row([other]) / self

    def __neg__(self):
        return self.map(lambda x: -x)


def away(x, *kinks):
    """A number that is near none of the kinks; 0 is one where none is given."""
    if any(abs(x - kink) < NEAR for kink in kinks or (0,)):
        raise UnsafeError
    return x


def largest(x):
    *others, top = sorted(x.numbers)
    if others:
        away(top, others[-1])
    return Row([top])


def logarithm(x):
    if x < NEAR:
        raise UnsafeError
    return mpmath.log(x)


def exponential(x):
    if x > 20:
        raise UnsafeError
    return mpmath.exp(x)


def clip(x, low, high):
    return x.map(lambda number: min(max(away(number, low, high), low), high))


def softmax(x):
    e = [mpmath.exp(number) for number in x.numbers]
    return Row([number / sum(e) for number in e])


FUNCTIONS = {
    "exp": lambda x: x.map(exponential),
    "ln": lambda x: x.map(logarithm),
    "max": largest,
    "sum": lambda x: Row([sum(x.numbers)]),
    "reciprocal": lambda x: x.map(lambda number: 1 / away(number)),
    "sigmoid": lambda x: x.map(lambda number: 1 / (1 + mpmath.exp(-number))),
    "relu": lambda x: x.map(lambda number: max(away(number), 0)),
    "softmax": softmax,
    "clip": clip,
    "saturate": clip,
}


def inputs(text):
    """The rows of a text, by name."""
    found = {}
    for line in text.splitlines():
        name, _, value = line.partition("#")[0].partition("=")
        if re.fullmatch(r"[-+.\deE, ]+", value.strip()) and "- " not in value:
            found[name.partition(":")[0].strip()] = [
                float(number) for number in value.replace(",", " ").split()
            ]
    return found


def evaluate(text, given):
    """The value of every name of a text, of inputs by name."""
    names = {name: Row(numbers) for name, numbers in given.items()}
    for line in text.splitlines():
        name, _, value = line.partition("#")[0].partition("=")
        name = name.partition(":")[0].strip()
        if name and name not in names:
            result = eval(value.strip().replace("^", "**"), dict(FUNCTIONS), names)
            names[name] = result if isinstance(result, Row) else Row([result])
    return names


def gradients(text, at, upstream, given):
    """The gradient of every input of a text: central differences of a weighted sum of a node."""

    def loss(moved):
        outputs = evaluate(text, moved)[at].numbers
        return sum(mpmath.mpf(u) * y for u, y in zip(upstream, outputs, strict=True))

    found = {}
    with mpmath.workdps(DIGITS):
        for name, numbers in given.items():
            found[name] = []
            for k in range(len(numbers)):
                ends = []
                for step in (STEP, -STEP):
                    moved = {other: [mpmath.mpf(x) for x in row] for other, row in given.items()}
                    moved[name][k] += step
                    ends.append(loss(moved))
                found[name].append(float((ends[0] - ends[1]) / (2 * STEP)))
    return found
