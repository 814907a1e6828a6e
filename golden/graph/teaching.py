"""Expressions that are no unit's: what softmax is made of, and what it is compared with."""

PRODUCT = """\
x = -2
y = 5
z = -4
q = x + y
f = q * z
"""

NEURON = """\
w : input = 2 -3
x : input = -1 -2
b : input = -3
f : output = sigmoid(sum(w * x) + b)
"""

SIGMOID = """\
x : input = 1
e = exp(-x)
f : output = 1 / (1 + e)
"""

NAIVE_SOFTMAX = """\
x : input = 1 2 3
e = exp(x)
s = sum(e)
r = reciprocal(s)
p : output = e * r
"""

BASE_2_SOFTMAX = """\
x : input = 1 2 3
m = max(x)
d = x - m
e = 2 ^ (d * 1.4426950408889634)
s = sum(e)
r = reciprocal(s)
p : output = e * r
"""

LOG_SUM_EXP = """\
x : input = 1 2 3
m = max(x)
e = exp(x - m)
l : loss = ln(sum(e)) + m
"""
