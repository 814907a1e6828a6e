"""Texts: prose without headings, lists and code."""

import gzip
import hashlib
import io
import tarfile

import pytest

from softmaxfx.golden import ConfigError
from softmaxfx.study.models import texts
from softmaxfx.study.models.packages import Package

FAQ = """\
    Chapter 1. Definitions and overview
        1.1. A table of contents that has quite many words but does not end as prose

Chapter 1. Definitions and overview

    This document gives frequently asked questions about the distribution and their
    answers, in some words.

    Short one.

        apt-get install this /and/that --with options and $MANY other signs, in a line of code.

1.2. A heading that has more than twelve words in it, so that it could be prose
"""
PROSE = (
    "This document gives frequently asked questions about the distribution and their answers, in "
    "some words.",
)


def deb(text):
    """A Debian package, as deb(5) describes it."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:xz") as tar:
        content = gzip.compress(text.encode())
        member = tarfile.TarInfo("./usr/share/doc/debian/FAQ/debian-faq.en.txt.gz")
        member.size = len(content)
        tar.addfile(member, io.BytesIO(content))
    package = b"!<arch>\n"
    for name, content in (("debian-binary", b"2.0"), ("data.tar.xz", data.getvalue())):
        package += f"{name:<16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(content):<10}`\n".encode()
        package += content + b"\n" * (len(content) % 2)
    return package


def test_paragraphs_are_prose_of_the_package(tmp_path, monkeypatch):
    content = deb(FAQ)
    pinned = Package("debian-faq", "11.1", "text", (hashlib.sha256(content).hexdigest(),), "")
    monkeypatch.setattr(texts, "FAQ", pinned)
    (tmp_path / "debian-faq_11.1_all.deb").write_bytes(content)
    assert texts.text(tmp_path) == texts.Text("debian-faq 11.1", PROSE)


def test_another_package_is_refused(tmp_path):
    (tmp_path / "debian-faq_12_all.deb").write_bytes(deb(FAQ))
    with pytest.raises(ConfigError, match=r"must be debian-faq 11\.1 with the SHA-256"):
        texts.text(tmp_path)


def test_python_s_documentation_takes_its_place(tmp_path):
    found = texts.text(tmp_path)
    assert found.name == "Python's documentation"
    assert len(found.paragraphs) > 200
    assert all("\n" not in one and one[-1] in ".!?" for one in found.paragraphs)
