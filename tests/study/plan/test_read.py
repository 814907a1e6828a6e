"""Words and counts as people have them; what is none is refused with its place."""

import numpy as np
import pytest

from softmaxfx.golden.errors import ConfigError
from softmaxfx.study.plan import read
from softmaxfx.study.plan.vocabulary import Vocabulary
from softmaxfx.study.plan.words import words_of


@pytest.fixture
def file(tmp_path):
    """Writes a file, and gives its path."""

    def write(content: str | bytes, name: str = "given.txt"):
        octets = content.encode() if isinstance(content, str) else content
        (tmp_path / name).write_bytes(octets)
        return tmp_path / name

    return write


def test_the_shipped_corpus_is_sorted():
    words = read.shipped()
    assert len(words) == 8697
    assert words.tokens == 499_046
    assert words.is_sorted
    assert words.names[0] == "<line>"
    assert words.covering(0.87) < 1500


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("Don't read os.path!", ["don't", "read", "os.path", "!"]),
        ("Don\u2019t", ["don't"]),
        ("naïve Größe ÉTÉ", ["naïve", "größe", "été"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("a-b -c-", ["a-b", "-", "c", "-"]),
        ("3.14 x_1", ["3.14", "x_1"]),
        (" \t\n", []),
    ],
)
def test_a_line_is_cut_into_words(line, words):
    assert words_of(line) == words


def test_a_text_is_counted(file):
    words = read.of_text(file("the cat\nThe dog, the cafe\u0301 caf\u00e9\n"))
    assert dict(zip(words.names, words.counts.tolist(), strict=True)) == {
        "the": 3, "café": 2, "cat": 1, "dog": 1, ",": 1,
    }  # fmt: skip
    assert words.names[:2] == ("the", "café")


def test_tokens_are_counted_and_their_numbers_kept(file):
    words = read.of_tokens(file("5 5 0\n9 5 0"), None)
    assert words.counts.tolist() == [3, 2, 1]
    assert words.order.tolist() == [5, 0, 9]
    assert not words.is_sorted


def test_words_that_do_not_occur_come_last(file):
    words = read.of_tokens(file("2 2 0"), 4)
    assert words.counts.tolist() == [2, 1, 0, 0]
    assert words.order.tolist() == [2, 0, 1, 3]


def test_tokens_may_be_an_array(file, tmp_path):
    np.save(tmp_path / "t.npy", np.array([[1, 1], [0, 1]], np.uint16))
    assert read.of_tokens(tmp_path / "t.npy", None).counts.tolist() == [3, 1]


def test_counts_may_have_words(file):
    words = read.of_counts(file("\ufefffew 2\nmany\t70\n\nnew york 5\n"))
    assert words.counts.tolist() == [70, 5, 2]
    assert words.names == ("many", "new york", "few")
    assert words.order.tolist() == [1, 2, 0]
    assert read.of_counts(file("3\n2\n2\n")).names == ()


REFUSED = {
    "a zero": (read.of_counts, "5\n0\n", r"from 1 to \d+, one a line, not '0' \(line 2 of "),
    "below zero": (read.of_counts, "5\n-2\n", r"one a line, not '-2' \(line 2 of "),
    "a fraction": (read.of_counts, "1.5\n", r"not '1\.5' \(line 1"),
    "a word alone": (read.of_counts, "the\n", r"not 'the'"),
    "thousands of digits": (read.of_counts, "9" * 6000, r"must be whole numbers"),
    "no count": (read.of_counts, "\n \n", r"--counts .* must hold a count, and holds none"),
    "no text": (read.of_text, "", r"must hold a word, and holds none"),
    "no UTF-8": (read.of_text, b"\xff\xfe\x00", r"--text must be a readable text, not .*UTF-8"),
    "no token": (lambda file: read.of_tokens(file, None), "", r"must hold a token"),
    "a negative token": (
        lambda file: read.of_tokens(file, None), "1 -1", r"not '-1' \(line 1 of "
    ),
    "a token beyond": (lambda file: read.of_tokens(file, 3), "1 3", r"from 0 to 2, not 3"),
    "a name": (lambda file: read.of_tokens(file, None), "a", r"whole numbers .*, not 'a'"),
}  # fmt: skip


@pytest.mark.parametrize(("reader", "content", "sentence"), REFUSED.values(), ids=REFUSED)
def test_what_is_none_is_refused(reader, content, sentence, file):
    with pytest.raises(ConfigError, match=sentence):
        reader(file(content))


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"--text must be a readable text, not .*: No such file"):
        read.of_text(tmp_path / "none.txt")


def test_an_array_of_fractions_is_refused(tmp_path):
    np.save(tmp_path / "t.npy", np.array([0.5]))
    with pytest.raises(ConfigError, match="whole numbers, not of the type float64"):
        read.of_tokens(tmp_path / "t.npy", None)


def test_clusters_of_equal_mass():
    words = Vocabulary.of(np.array([6, 2, 2, 1, 1]), "made up")
    assert words.equal_mass(2) == (1,)
    assert words.equal_mass(3) == (1, 2)
    assert words.equal_mass(5) == (1, 2, 3, 4)
    assert words.covering(0.5) == 1
    assert words.covering(1.0) == 5


def test_counts_that_are_too_many_are_refused():
    with pytest.raises(ConfigError, match="must add up to 1 to 4,398,046,511,104, not"):
        Vocabulary.of(np.array([2**41, 2**41, 2**41]), "made up")
