"""How a text is cut into words."""

import re
import sys
import unicodedata
from functools import cache


def words_of(line: str) -> list[str]:
    """The words of a line, lower-cased as those of the shipped corpus.

    Letters, digits and underscores are a word, with the marks of scripts that write vowels as
    such, and with dots, hyphens and apostrophes inside: ``os.path``, ``built-in``, ``don't``.
    Every other character that is no space is a word of its own. A script without spaces gives
    words of a clause each: cut such a text first.
    """
    return _word().findall(line.lower().replace("\u2019", "'"))


@cache
def _word() -> re.Pattern[str]:
    inner = rf"[\w{_marks()}]"
    return re.compile(rf"{inner}+(?:[.'-]{inner}+)*|\S")


def _marks() -> str:
    """The combining characters as ranges of a class, which Python's ``\\w`` leaves out."""
    codes = range(sys.maxunicode + 1)
    marks = [unicodedata.category(chr(code)).startswith("M") for code in codes]
    starts = [code for code in codes[1:] if marks[code] and not marks[code - 1]]
    ends = [code for code in codes[:-1] if marks[code] and not marks[code + 1]]
    return "".join(f"{chr(a)}-{chr(b)}" for a, b in zip(starts, ends, strict=True))
