"""Write PROVENANCE.md: where the recordings come from and what is in them.

Every number in it is measured from the files as they lie on the disk, or handed over by the
training that has just run; none is typed.
"""

import hashlib
import platform
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import sklearn
import torch

from . import recordings
from .corpus_from_stdlib import MINIMUM_COUNT, PYTHON_VERSION
from .language_model import CONTEXT, HEAD_WIDTH, HEADS, LAYERS
from .models.provenance import described
from .record_attention import GRID_BITS
from .record_training import RECORDED_STEPS
from .train_digits import SEED as DIGITS_SEED
from .train_language import BATCH, HELD_OUT_EVERY, SECTION, STEPS
from .train_language import SEED as LANGUAGE_SEED

PROVENANCE_FILE = recordings.DATA / "PROVENANCE.md"

_RECORDED_STEPS = ", ".join(str(step) for step in RECORDED_STEPS)

_SOURCES = f"""\
# Provenance of the recordings

Written by `python -m softmaxfx.study.record`, which also made the array files.

## Sources and licences

- `corpus.npz`: the documentation strings of the standard library of CPython {PYTHON_VERSION}
  (docstrings of modules, classes and functions, and the topics of `help()`), without test
  packages, idlelib, lib2to3, turtledemo and site-packages. Lower-cased, cut into words, numbers
  and single punctuation marks; words seen fewer than {MINIMUM_COUNT} times are one unknown word.
  Copyright 2001-2023 Python Software Foundation; all rights reserved. Python Software Foundation
  License Version 2, whose text is `LICENSE-PYTHON.txt`.
- `recordings.npz`, `digits`: final-layer outputs of a small convolutional network trained here on
  the 1797 images of `sklearn.datasets.load_digits`, which are the test images of E. Alpaydin and
  C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning Repository (1998),
  CC BY 4.0. Only the true classes are stored of the data set, no image.
- `recordings.npz`, `attention`: vectors of a causal transformer trained here on the corpus, with
  {LAYERS} layers of {HEADS} heads, {HEAD_WIDTH} elements a head and a context of {CONTEXT} tokens.
  One section of {SECTION} tokens in every {HELD_OUT_EVERY} was held out from training, and the
  recorded texts are from those. Vectors are rounded to multiples of 2^-{GRID_BITS}; maps are
  ordered by text, layer and head. `attention_grad_output` is the gradient, at the attention
  output, of the cross-entropy in nats summed over a text, times 2^`attention_grad_exponent`.
- `gradients.npz`: the same vectors while that transformer is trained, after {_RECORDED_STEPS} of
  its {STEPS} updates (`attention_step`, the first axis of every array). One map a layer: the first
  head, on the first text of the step's batch. The gradient is that of the training loss, the mean
  over {BATCH} texts of {CONTEXT} tokens in nats, and has one exponent a step.
- Seeds: {DIGITS_SEED} for the digits network, {LANGUAGE_SEED} for the transformer.
"""


@dataclass(frozen=True)
class Perplexities:
    """Perplexities on the held-out sections, of the model and of word frequencies alone."""

    model: float
    unigram: float


def write(perplexities: Perplexities) -> None:
    """Describe the array files that lie in the data folder now."""
    lines = [
        _SOURCES,
        *_table("Versions", ("what", "version"), _versions()),
        *_table("Files", ("file", "bytes", "SHA-256"), _files()),
        *_table("Arrays", ("file", "array", "type", "shape"), _arrays()),
        *_table("Measured", ("what", "value"), [*_facts(), *_language_facts(perplexities)]),
    ]
    PROVENANCE_FILE.write_text(described("\n".join(lines)), encoding="utf-8")


def _table(title: str, head: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> list[str]:
    """The lines of a section that holds one table, each row a tuple of printable values."""
    lines = [f"## {title}", "", _table_row(head), _table_row(("---",) * len(head))]
    return [*lines, *(_table_row(row) for row in rows), ""]


def _table_row(cells: tuple[object, ...]) -> str:
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def _versions() -> Iterator[tuple[str, str]]:
    yield platform.python_implementation(), platform.python_version()
    for package in (np, torch, sklearn):
        yield package.__name__, package.__version__


def _array_files() -> tuple[Path, ...]:
    return recordings.CORPUS_FILE, recordings.RECORDINGS_FILE, recordings.GRADIENTS_FILE


def _files() -> Iterator[tuple[str, int, str]]:
    for path in _array_files():
        content = path.read_bytes()
        yield f"`{path.name}`", len(content), f"`{hashlib.sha256(content).hexdigest()}`"


def _arrays() -> Iterator[tuple[str, str, str, str]]:
    for path in _array_files():
        with np.load(path) as stored:
            for name, array in stored.items():
                shape = " x ".join(str(length) for length in array.shape) or "scalar"
                yield f"`{path.name}`", f"`{name}`", str(array.dtype), shape


def _facts() -> Iterator[tuple[str, str]]:
    """Size and range of every recording, and how often the digits network is right."""
    for name in recordings.names():
        rows = recordings.load(name)
        values = rows[~np.isnan(rows)]
        yield f"{name}: rows", f"{len(rows):,}"
        yield f"{name}: elements", f"{values.size:,}"
        yield f"{name}: distinct values", f"{np.unique(values).size:,}"
        yield f"{name}: smallest, largest", f"{values.min():.2f}, {values.max():.2f}"
        yield f"{name}: share outside -10..10", f"{np.mean(np.abs(values) > 10):.2%}"
    right = recordings.load("digits").argmax(axis=1) == recordings.digits_targets()
    held_out = recordings.digits_held_out()
    yield "digits: held-out images", f"{held_out.sum():,}"
    yield "digits: accuracy, held-out images", f"{right[held_out].mean():.2%}"
    yield "digits: accuracy, training images", f"{right[~held_out].mean():.2%}"


def _language_facts(perplexities: Perplexities) -> Iterator[tuple[str, str]]:
    corpus = recordings.corpus()
    _, gradient = recordings.upstream_gradients()
    yield "attention: rows with a gradient", f"{len(gradient):,}"
    yield "attention: largest gradient magnitude", f"{np.nanmax(np.abs(gradient)):.2f}"
    for step in recordings.training_steps():
        scores, gradient = recordings.training_gradients(step)
        after = f"attention after {step} updates"
        yield f"{after}: rows", f"{len(scores):,}"
        yield f"{after}: largest score magnitude", f"{np.nanmax(np.abs(scores)):.2f}"
        yield f"{after}: largest gradient magnitude", f"{np.nanmax(np.abs(gradient)):.2e}"
        yield f"{after}: gradient standard deviation", f"{np.nanstd(gradient):.2e}"
    yield "corpus: tokens", f"{len(corpus.tokens):,}"
    yield "corpus: words", f"{len(corpus.words):,}"
    yield "language model: held-out perplexity", f"{perplexities.model:.1f}"
    yield "word frequencies alone: held-out perplexity", f"{perplexities.unigram:.1f}"
