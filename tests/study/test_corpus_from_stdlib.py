"""The corpus takes documentation strings only, ranks their words and refuses another Python."""

import pytest

from softmaxfx.study import corpus_from_stdlib, recordings

MODULE = '''"""Open the os.path."""
# Open comments are no documentation.
class Door:
    """Open

    the unusual door.
    """
'''


@pytest.fixture
def library(tmp_path, monkeypatch):
    """A small standard library to read, and a place to write the corpus to."""
    root = tmp_path / "lib"
    for path in ("door.py", "pydoc_data/topics.py", "test/test_door.py"):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / "door.py").write_text(MODULE)
    (root / "pydoc_data/topics.py").write_text("topics = {'rare': 'os.path door'}")
    (root / "test/test_door.py").write_text('"""Skipped skipped."""')
    monkeypatch.setattr(corpus_from_stdlib.sysconfig, "get_paths", lambda: {"stdlib": str(root)})
    monkeypatch.setattr(corpus_from_stdlib.platform, "python_version", lambda: "3.11.7")
    monkeypatch.setattr(corpus_from_stdlib.platform, "python_implementation", lambda: "CPython")
    for module in (corpus_from_stdlib, recordings):
        monkeypatch.setattr(module, "CORPUS_FILE", tmp_path / "corpus.npz")
    return root


def test_corpus_holds_the_ranked_words_of_the_documentation(library):
    corpus_from_stdlib.build()
    corpus = recordings.corpus()
    assert corpus.words == ("<end>", ".", "<line>", "door", "open", "os.path", "the", "<unk>")
    text = " ".join(corpus.words[token] for token in corpus.tokens)
    assert text == (
        "open the os.path . <end> open <line> <line> the <unk> door . <end> os.path door <end>"
    )


def test_another_python_is_refused_in_one_sentence(library, monkeypatch):
    monkeypatch.setattr(corpus_from_stdlib.platform, "python_version", lambda: "3.12.1")
    with pytest.raises(ValueError, match=r"must be built by CPython 3\.11\.7, but this is .*3\.12"):
        corpus_from_stdlib.build()
    assert not corpus_from_stdlib.CORPUS_FILE.exists()
