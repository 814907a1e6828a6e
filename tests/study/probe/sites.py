"""Sites whose rows are made up, so that a test knows what must be told."""

import numpy as np

from softmaxfx.study.probe.seen import seen


def normal(name="layer: softmax", scale=1.0, rows=400, n=10, *, decides=True, heads=1):
    """Rows of normal logits."""
    logits = np.random.default_rng(1).normal(0, scale, (heads * rows, n))
    return seen(name, {"": logits}, seed=1, heads=heads, decides=decides)


def sure(name="last: softmax", maximum=25.0, rows=400, share=0.25, n=10):
    """Rows of which a share has its maximum at a place; the others have it at 4."""
    logits = np.tile(np.linspace(-4, 3, n), (rows, 1))
    logits[:, 0] = 4
    logits[: int(share * rows), 0] = maximum
    return seen(name, {"": logits}, seed=1)


def in_training(name="block: attention"):
    """Rows of two epochs, the second twice as large."""
    logits = np.random.default_rng(2).normal(0, 1.5, (60, 12))
    return seen(name, {"epoch 0": logits, "epoch 1": 2 * logits}, seed=1, heads=2, decides=False)
