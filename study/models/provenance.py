"""The part of PROVENANCE.md that describes what was recorded of pretrained networks: every number
is measured from the file as it lies on the disk."""

import hashlib
from collections.abc import Iterable, Iterator

import numpy as np

from ..network_rows import NAMES, NETWORKS_FILE, WHOLE, network_rows
from .packages import EFFICIENTNET, FAQ, MINILM, PICTURES, SMOLLM2

HEADING = "# Recordings of pretrained networks"

_SOURCES = f"""\
{HEADING}

Written by `python -m softmaxfx.study.models.record`, which also made `networks.npz`, from packages
that `make models` fetches. A row is its largest element in float32 and the others' distance from it
in float16.

- `smollm2_attention`, `smollm2_output`, `smollm2_vocabulary`: SmolLM2-135M-Instruct of Hugging
  Face, quantised to Q4_1, Apache-2.0, from the package {SMOLLM2.label}; reading prose of
  {FAQ.label} (copyright 1996-2003 Software in the Public Interest, free to copy and distribute).
  No text is stored. Attention: scores of some queries of every head of every layer, in one text of
  512 tokens, masked ones left out. Output: logits of the 1,000 likeliest words of a place of a
  text, in the order of the words, and the word that follows, where it is one of them. Vocabulary:
  the logits of all 49,152 words of some of these places.
- `minilm_attention`: all-MiniLM-L6-v2 of sentence-transformers, Apache-2.0, from the package
  {MINILM.label}; scores of some queries of every head of every layer, in paragraphs of the same
  prose.
- `efficientnet_output`: EfficientNet-Lite0 of Google, as converted by ML Illustrated, Apache-2.0,
  from the package {EFFICIENTNET.label}; logits of the 1,000 classes of ImageNet of photographs and
  parts of them from the package {PICTURES.label}, which are CC0 or in the public domain. No picture
  is stored. The class, where known, is the likeliest of those that name what the picture shows.
"""


def described(provenance: str) -> str:
    """PROVENANCE.md with this part in the place of what it said of these networks."""
    return provenance.partition(HEADING)[0].rstrip() + "\n\n" + section()


def section() -> str:
    """This part, of the file that lies on the disk now."""
    lines = [_SOURCES, "| file | bytes | SHA-256 |", "| --- | --- | --- |", _file(), ""]
    lines += [_line(_HEADING), _line("---" for _ in _HEADING), *map(_line, _recordings())]
    return "\n".join(lines) + "\n"


def _file() -> str:
    content = NETWORKS_FILE.read_bytes()
    return f"| `{NETWORKS_FILE.name}` | {len(content)} | `{hashlib.sha256(content).hexdigest()}` |"


_HEADING = (
    "recording", "rows", "elements", "longest row", "smallest, largest",
    "row maxima beyond 10, 15, 20, 32",
)  # fmt: skip


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _recordings() -> Iterator[tuple[str, ...]]:
    for name in (*NAMES, WHOLE):
        rows = network_rows(name)
        values = rows.padded()
        beyond = ", ".join(f"{np.mean(rows.largest > limit):.1%}" for limit in (10, 15, 20, 32))
        yield (
            name,
            f"{len(rows.lengths):,}",
            f"{rows.below.size:,}",
            f"{rows.lengths.max():,}",
            f"{np.nanmin(values):.2f}, {np.nanmax(values):.2f}",
            beyond,
        )
