"""Texts as word numbers, by the package ``tokenizers``: each network has its own words."""

import sys
from collections.abc import Callable
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from .gguf_file import GgufFile
from .packages import TOKENIZERS, opened

Numbers = Callable[[str], list[int]]
"""The word numbers of a text."""


@cache
def tokenizers(folder: Path) -> Any:
    """The package, unpacked beside its wheel where it is not yet.

    Raises:
        ConfigError: it is missing or another one.
    """
    place = (folder / f"tokenizers-{TOKENIZERS.version}").absolute()
    with opened(TOKENIZERS, folder) as wheel:
        if not place.exists():
            scratch = place.with_name(f".{place.name}")
            wheel.extractall(scratch)
            scratch.rename(place)
    sys.path.insert(0, str(place))
    try:
        return import_module("tokenizers")
    finally:
        sys.path.remove(str(place))


def of_gguf(file: GgufFile, folder: Path) -> Any:
    """The byte-pair tokenizer that a GGUF file of SmolLM2 tells."""
    package = tokenizers(folder)
    words, merges = (file.fields[f"tokenizer.ggml.{name}"] for name in ("tokens", "merges"))
    made = package.Tokenizer(
        package.models.BPE(
            vocab={word: number for number, word in enumerate(words)},
            merges=[tuple(merge.split(" ")) for merge in merges],
        )
    )
    made.pre_tokenizer = package.pre_tokenizers.Sequence(
        [
            package.pre_tokenizers.Digits(individual_digits=True),
            package.pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    made.decoder = package.decoders.ByteLevel()
    return made


def of_json(text: str, folder: Path) -> Any:
    """The tokenizer that a ``tokenizer.json`` tells, which neither pads nor cuts."""
    made = tokenizers(folder).Tokenizer.from_str(text)
    made.no_padding()
    made.no_truncation()
    return made
