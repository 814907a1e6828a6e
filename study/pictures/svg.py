"""WaveJSON as SVG, by WaveDrom; the same bytes for the same picture."""

import json
from collections.abc import Sequence
from typing import Any
from xml.etree import ElementTree

import wavedrom

SVG = "http://www.w3.org/2000/svg"
XLINK = "http://www.w3.org/1999/xlink"

STYLE = """
text{font-family:Helvetica,Arial,sans-serif;font-size:10pt}
.muted{fill:#64748b;font-size:9pt}
"""

TOO_FAR = 15
"""Pixels by which a first label is misplaced."""


def svg(wave: dict[str, Any], columns: Sequence[str]) -> str:
    """A picture on white paper, without the parts of WaveDrom's skin that it does not use.

    Args:
        wave: WaveJSON whose ticks are the numbers of its columns.
        columns: what they are called.
    """
    drawing: Any = wavedrom.render(json.dumps(wave))
    root = ElementTree.fromstring(drawing.tostring())
    _write_columns(root, columns)
    _move_first_labels(root, [lane.get("wave", "") for lane in wave["signal"]])
    _drop_unused(root)
    for style in root.iter(f"{{{SVG}}}style"):
        style.text = f"{style.text or ''}{STYLE}"
    root.insert(0, ElementTree.Element(f"{{{SVG}}}rect", width="100%", height="100%", fill="#fff"))
    title = ElementTree.Element(f"{{{SVG}}}title")
    title.text = wave["head"]["text"]
    root.insert(0, title)
    ElementTree.register_namespace("", SVG)
    ElementTree.register_namespace("xlink", XLINK)
    return ElementTree.tostring(root, encoding="unicode") + "\n"


def _write_columns(root: ElementTree.Element, columns: Sequence[str]) -> None:
    """Call the columns by their names: the renderer fails over a list of them."""
    for tick in root.iterfind(f".//{{{SVG}}}text[@class='muted']"):
        tick.text = columns[int(tick.text or 0)]


def _move_first_labels(root: ElementTree.Element, waves: Sequence[str]) -> None:
    """Move the label of a lane's first box, which WaveDrom's Python renderer puts left of it."""
    for number, letters in enumerate(waves):
        if letters[:1].isdigit() and letters[0] > "1":
            text = root.find(f".//{{{SVG}}}g[@id='wavelane_draw_{number}_0']/{{{SVG}}}text")
            if text is not None:
                text.set("x", str(int(text.get("x", "0")) + TOO_FAR))


def _drop_unused(root: ElementTree.Element) -> None:
    """Leave out bricks of the skin, which are most of a small picture's bytes."""
    used = {use.get(f"{{{XLINK}}}href", "")[1:] for use in root.iter(f"{{{SVG}}}use")}
    for definitions in root.iter(f"{{{SVG}}}defs"):
        for brick in definitions.findall(f"{{{SVG}}}g"):
            if brick.get("id") not in used:
                definitions.remove(brick)
