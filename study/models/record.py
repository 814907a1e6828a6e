"""Record what enters the softmax of the pretrained networks, and describe it.

Run as `python -m softmaxfx.study.models.record`, after `make models`. The recordings in the
repository are what this script wrote; another processor gives slightly different numbers, so the
tests read the recordings and do not make them.
"""

import io
from collections.abc import Iterator

import click
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from ...files import write_whole
from ..network_rows import NETWORKS_FILE, WHOLE, NetworkRows, stored
from ..one_thread import one_thread
from ..provenance import PROVENANCE_FILE
from .float_attention import FloatAttention
from .photographs import photographs
from .provenance import described
from .registry import EfficientNet, MiniLM, SmolLM2

SEED = 1
LONGEST = 1000
"""Elements of a row that fits a unit: of more words, the likeliest."""
QUERIES = 2
"""Rows of attention of each head and text."""
TEXTS = 8
"""Paragraphs whose attention is recorded of the embeddings."""
OUTPUTS, PICTURES, WHOLE_ROWS = 128, 108, 8
"""Rows of words and of classes, and rows of all words."""


@click.command()
def main() -> None:
    """Record, in about a minute on one core."""
    with one_thread(), torch.no_grad():
        recordings = dict(_recordings(np.random.default_rng(SEED)))
    content = io.BytesIO()
    np.savez_compressed(content, allow_pickle=False, **stored(recordings))
    write_whole(NETWORKS_FILE, content.getvalue())
    told = PROVENANCE_FILE.read_text(encoding="utf-8")
    write_whole(PROVENANCE_FILE, described(told))
    click.echo(f"wrote {NETWORKS_FILE.name}, {PROVENANCE_FILE.name}")


def _recordings(drawn: np.random.Generator) -> Iterator[tuple[str, NetworkRows]]:
    yield from _language(drawn)
    minilm = MiniLM()
    texts = minilm.inputs()[:: max(minilm.texts // TEXTS, 1)][:TEXTS]
    rows = [row for text in texts for row in _attention(minilm.module(), text, drawn)]
    yield "minilm_attention", NetworkRows.of(rows)
    yield "efficientnet_output", _classes(EfficientNet())


def _language(drawn: np.random.Generator) -> Iterator[tuple[str, NetworkRows]]:
    network = SmolLM2()
    model, texts = network.module(), network.inputs()
    yield "smollm2_attention", NetworkRows.of(list(_attention(model, texts[0][:, :-1], drawn)))
    hidden = torch.cat([model.hidden(text[:, :-1])[0] for text in texts])
    following = torch.cat([text[0, 1:] for text in texts])
    chosen = np.sort(drawn.choice(len(hidden), OUTPUTS, replace=False))
    logits, targets = model.logits(hidden[chosen]), following[chosen]
    parts = [_likeliest(row, int(word)) for row, word in zip(logits, targets, strict=True)]
    yield "smollm2_output", NetworkRows.of(*map(list, zip(*parts, strict=True)))
    every = OUTPUTS // WHOLE_ROWS
    whole = [row.numpy() for row in logits[::every]]
    yield WHOLE, NetworkRows.of(whole, targets[::every].tolist())


def _likeliest(logits: Tensor, word: int) -> tuple[np.ndarray, int]:
    """The largest logits, in the order of the words, and where among them a word is; -1 if it is
    not."""
    kept = logits.topk(LONGEST).indices.sort().values
    place = (kept == word).nonzero()
    return logits[kept].numpy(), int(place) if len(place) else -1


def _attention(model: nn.Module, text: Tensor, drawn: np.random.Generator) -> Iterator[np.ndarray]:
    """Scores of some queries of each head, without those that are masked."""
    seen: list[Tensor] = []

    def probabilities(scores: Tensor) -> Tensor:
        seen.append(scores[0])
        return functional.softmax(scores, dim=-1)

    with FloatAttention(probabilities):
        model(text)
    for scores in (head for layer in seen for head in layer):
        for query in np.sort(drawn.choice(len(scores), QUERIES, replace=False)):
            row = scores[query]
            yield row[row > -torch.inf].numpy()


def _classes(network: EfficientNet) -> NetworkRows:
    """Logits of pictures; the class of one is the likeliest of those that name what it shows."""
    shown, model = photographs(network.folder, PICTURES), network.module()
    rows = [model.logits(picture[None])[0].numpy() for picture in shown.pictures]
    targets = [
        max(classes, key=row.__getitem__) if classes else -1
        for row, classes in zip(rows, shown.classes, strict=True)
    ]
    return NetworkRows.of(rows, targets)


if __name__ == "__main__":
    main()
