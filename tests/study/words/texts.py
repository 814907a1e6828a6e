"""A short text for word models, of words that predict one another."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from softmaxfx.study.words.text import WordText  # noqa: E402 - needs torch

WORDS = 40


def short_text(seed=0, length=5000):
    """Words, the frequent ones first, of which every second is the one before it, plus one."""
    rng = np.random.default_rng(seed)
    tokens = np.minimum(rng.geometric(0.1, length) - 1, WORDS - 1)
    tokens[1::2] = (tokens[::2] + 1) % WORDS
    return WordText("short", tokens.astype(np.int64), tuple(map(str, range(WORDS))))
