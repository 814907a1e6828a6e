"""The texts that a word model is trained on, and the parts that it is measured on."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...golden.errors import ConfigError, require
from ..ranked_words import ranked, words_of
from ..recordings import corpus

AT_LEAST = 5
"""How often a word occurs that is not the unknown one, unless a user says otherwise."""

SECTION, SECTIONS, HELD_OUT_EVERY = 1024, 40, 10
"""Every tenth stretch of so many tokens is held out, for validation and for the test in turn. A
short text has so many shorter ones."""

FEWEST_TOKENS, FEWEST_WORDS = 4000, 16
"""Of a text that can be trained on: two windows of a batch, and three clusters of words."""


@dataclass(frozen=True, eq=False)
class Parts:
    """A text's tokens: (length,) to train on, (sections, length) each to measure on."""

    training: Tensor
    validation: Tensor
    test: Tensor


@dataclass(frozen=True, eq=False)
class WordText:
    """A text as word numbers, 0 the most frequent word.

    Attributes:
        name: by which a report calls it. tokens: (length,). words: of every number.
    """

    name: str
    tokens: NDArray[np.int64]
    words: tuple[str, ...]

    @property
    def sha256(self) -> str:
        """Of the tokens."""
        return hashlib.sha256(self.tokens.astype("<i8").tobytes()).hexdigest()

    def parts(self) -> Parts:
        """Sections come in the text's order, so that all parts are of all of it."""
        tokens = torch.from_numpy(self.tokens)
        length = min(SECTION, len(tokens) // SECTIONS)
        sections = tokens[: len(tokens) // length * length].view(-1, length)
        held_out = torch.arange(len(sections)) % HELD_OUT_EVERY == HELD_OUT_EVERY // 2
        measured = sections[held_out]
        return Parts(sections[~held_out].flatten(), measured[::2], measured[1::2])


def shipped(at_least: int = AT_LEAST) -> WordText:
    """The corpus, whose words occur twice or more.

    Args:
        at_least: how often a word occurs that is not the unknown one.
    """
    text = corpus()
    tokens, words = ranked((text.words[token] for token in text.tokens), at_least)
    return WordText("the shipped corpus", tokens, tuple(words))


def read_text(file: Path, at_least: int = AT_LEAST) -> WordText:
    """A text of the user's, in UTF-8.

    Args:
        at_least: see :func:`shipped`.

    Raises:
        ConfigError: a file that cannot be read, or too little text.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        raise ConfigError(f"--text must be a text file, not {file}: {reason}") from None
    tokens, words = ranked(words_of(text), at_least)
    require(
        len(tokens) >= FEWEST_TOKENS and len(words) >= FEWEST_WORDS,
        f"--text must have at least {FEWEST_TOKENS:,} words and {FEWEST_WORDS} different ones that "
        f"occur {at_least} times, and {file} has {len(tokens):,} and {len(words):,}",
    )
    return WordText(file.name, tokens, tuple(words))
