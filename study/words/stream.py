"""Tokens, and the logits that a trained adaptive softmax has for them: what hardware is run on."""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...files import write_whole
from ...golden.config import SoftmaxConfig
from ...golden.errors import ConfigError, require
from ...golden.torch import FixedAdaptiveLogSoftmaxWithLoss
from ...golden.torch.unit import config_of, text_of
from ...golden.types import Codes
from .model import WordModel
from .outputs import AdaptiveOutput


@dataclass(frozen=True, eq=False)
class Stream:
    """What :func:`.adaptive_cross_entropy` and the unit take.

    Attributes:
        words: the targets, (tokens,).
        logits: codes of ``config.input``: of the head, (tokens, its elements), then of each tail a
            row for each token whose word it has, in the tokens' order.
        config: of the unit, its clusters in it.
    """

    words: NDArray[np.int64]
    logits: tuple[Codes, ...]
    config: SoftmaxConfig


@torch.no_grad()
def recorded(model: WordModel, tokens: Tensor) -> Stream:
    """The logits that a model with a fixed adaptive softmax has for a text's tokens after the
    first, each after those before it."""
    assert isinstance(model.output, AdaptiveOutput)
    layer = model.output.layer
    assert isinstance(layer, FixedAdaptiveLogSoftmaxWithLoss)
    features = model.features(tokens[None, :-1])[0][0]
    words = tokens[1:].numpy()
    config = layer.config
    cluster, _, _ = config.clusters.locate(words)
    rows = [layer.head(features)]
    for number, tail in enumerate(layer.tail, 1):
        rows.append(tail(features[torch.from_numpy(cluster == number)]))
    codes = tuple(config.input.quantize(each.double().numpy()) for each in rows)
    return Stream(words, codes, config)


def write_stream(file: Path, stream: Stream) -> None:
    """Write a stream as arrays of NumPy: words, logits_0 and so on, and config as JSON."""
    described = np.frombuffer(text_of(stream.config).encode(), np.uint8)
    arrays: dict[str, Any] = {
        f"logits_{j}": codes.astype(np.int32) for j, codes in enumerate(stream.logits)
    }
    written = io.BytesIO()
    np.savez_compressed(written, words=stream.words, config=described, **arrays)
    write_whole(file, written.getvalue())


def read_stream(file: Path) -> Stream:
    """What :func:`write_stream` wrote.

    Raises:
        ConfigError: another file.
    """
    try:
        with np.load(file) as stored:
            config = config_of(stored["config"].tobytes().decode())
            count = len(config.clusters.lengths)
            logits = tuple(stored[f"logits_{j}"].astype(np.int64) for j in range(count))
            return Stream(stored["words"], logits, config)
    except (OSError, EOFError, ValueError, KeyError) as error:
        require(not isinstance(error, ConfigError), str(error))
        raise ConfigError(
            f"the stream must be a file of softmaxfx train-words, not {file}"
        ) from None
