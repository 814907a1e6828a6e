"""A user's own rows are checked where they are read, before anything is made of them."""

import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
from numpy.lib import format as npy

from softmaxfx.golden import ConfigError, preset
from softmaxfx.inputs import Given
from softmaxfx.study.npy_file import load_array
from softmaxfx.study.references import compare_outputs
from softmaxfx.study.sweep.measure.measure import Meter
from softmaxfx.study.sweep.measure.sources import own_source

TINY = preset("tiny", max_length=8)
LOGITS = np.array([[1.0, 2.0, -np.inf, 4.0], [0.5, 1.0, 3.0, np.nan], [2.0, 0.0, 1.0, 1.0]])


@pytest.fixture
def saved(tmp_path):
    """Saves arrays and gives their paths."""

    def save(**arrays):
        for name, array in arrays.items():
            np.save(tmp_path / f"{name}.npy", array)
        return {name: tmp_path / f"{name}.npy" for name in arrays}

    return save


ARRAYS = {
    "whole numbers": np.arange(6).reshape(2, 3),
    "half floats": np.float16([[1, 2], [3, 4]]),
    "big-endian": np.array([[1, 2], [3, 4]], ">f8"),
    "the order of another language": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "bytes": np.uint8([[1, 255]]),
    "long floats": np.longdouble([[1, 2]]),
}


@pytest.mark.parametrize("array", ARRAYS.values(), ids=ARRAYS)
def test_an_array_of_any_make_has_its_values(array, saved):
    rows = Given(**saved(logits=array)).rows("softmax", TINY)
    assert rows.values.tolist() == array.astype(float).tolist()


def header(shape, descr="<f8", octets=80):
    """A file whose header claims a shape, with some octets of numbers."""

    def write(file: Path) -> None:
        with file.open("wb") as stream:
            claimed = {"shape": shape, "fortran_order": False, "descr": descr}
            npy.write_array_header_1_0(stream, claimed)
            stream.write(bytes(octets))

    return write


def array_with(change):
    """The file of a good array, changed."""

    def write(file: Path) -> None:
        np.save(file, np.arange(6.0).reshape(2, 3))
        file.write_bytes(change(file.read_bytes()))

    return write


def archive(**members):
    def write(file: Path) -> None:
        with zipfile.ZipFile(file, "w") as opened:
            for name, content in members.items():
                opened.writestr(name.replace("__", "/").replace("_DOT_", "."), content)

    return write


def objects(file: Path) -> None:
    with file.open("wb") as stream:
        np.save(stream, np.array([[None, 1]], object), allow_pickle=True)


CLAIMS = "its header tells of {} bytes of numbers, and {} follow"
FILES = {
    "a table as text": (lambda file: file.write_text("1,2\n3,4\n"), "it is text; .*loadtxt"),
    "text in another encoding": (lambda file: file.write_bytes(b"\xe9"), "it is text"),
    "nothing": (lambda file: file.write_bytes(b""), "it is empty"),
    "a pickle": (lambda file: file.write_bytes(pickle.dumps([1.0])), "it is a pickle"),
    "what torch saves": (archive(a__data_DOT_pkl="x"), "torch wrote it"),
    "another archive": (archive(a_DOT_txt="x"), "it is an archive without arrays"),
    "half an archive": (lambda file: file.write_bytes(b"PK\3\4x"), "it is a damaged archive"),
    "octets": (lambda file: file.write_bytes(bytes(9)), "it is not what numpy.save writes"),
    "objects": (objects, "it holds Python objects, not numbers"),
    "a claim of 10^12 rows": (header((10**12, 10)), CLAIMS.format("80,000,000,000,000", 80)),
    "a claim beyond 64 bits": (header((10**30, 1)), CLAIMS.format("8,0.*", 80)),
    "a claim of less": (header((2, 2)), CLAIMS.format(32, 80)),
    "a negative claim": (header((-2, -5)), "its header is damaged"),
    "an array cut off": (array_with(lambda octets: octets[:-5]), CLAIMS.format(48, 43)),
    "two arrays": (array_with(lambda octets: 2 * octets), CLAIMS.format(48, 224)),
    "half a header": (array_with(lambda octets: octets[:40]), "its header is damaged"),
    "another header": (array_with(lambda o: o.replace(b"descr", b"d")), "its header is damaged"),
    "a type of no make": (array_with(lambda o: o.replace(b"<f8", b"<q7")), "its header is damaged"),
    "a version to come": (
        array_with(lambda octets: octets[:6] + b"\x09" + octets[7:]), "its header is damaged",
    ),
    "a deep header": (
        array_with(lambda octets: octets[:8] + (9000).to_bytes(2, "little") + b"(" * 9000),
        "its header is damaged",
    ),
    "a directory": (Path.mkdir, "Is a directory"),
    "no file": (lambda file: None, "No such file or directory"),
}  # fmt: skip


@pytest.mark.parametrize(("write", "reason"), FILES.values(), ids=FILES)
def test_a_file_that_is_no_array_is_told_what_it_is(write, reason, tmp_path):
    file = tmp_path / "mine.npy"
    write(file)
    with pytest.raises(
        ConfigError, match=rf"^--logits must be a readable \.npy file, not .*mine\.npy: {reason}"
    ) as caught:
        load_array("--logits", file)
    assert "\n" not in str(caught.value)
    assert "pickles" not in str(caught.value)


def test_several_arrays_in_a_file_are_refused(tmp_path):
    np.savez(tmp_path / "two.npz", a=1, b=2)
    with pytest.raises(ConfigError, match=r"must be a \.npy file with one array, not the archive"):
        load_array("--logits", tmp_path / "two.npz")


BAD = {
    "rows too long": (
        "softmax", {"logits": np.zeros((3, 9))},
        r"logits must have rows of at most max_length = 8 elements, not 9 \(row 0\)",
    ),
    "one row too long": (
        "cross_entropy", {"logits": np.where(np.arange(9) < [[2], [9]], 1, np.nan),
                          "targets": np.zeros(2, int)}, r"max_length = 8 elements, not 9 \(row 1\)",
    ),
    "rows too long for gradients": (
        "softmax_backward", {"logits": np.zeros((1, 9)), "gradients": np.zeros((1, 9))},
        "max_length = 8 elements, not 9",
    ),
    "records": ("softmax", {"logits": np.zeros((2, 2), [("a", "f4")])}, "logits must be a 2-D"),
    "a number": ("softmax", {"logits": 3.0}, "logits must be a 2-D array .* not 0-D of float64"),
    "times": ("softmax", {"logits": np.zeros((1, 1), "m8[s]")}, "logits must be a 2-D array of r"),
    "a target of 33 bits": (
        "cross_entropy", {"logits": LOGITS, "targets": np.array([0, 2**32, 1])},
        r"targets must be below 0, for none, or from 0 to 4294967295, not 4294967296 \(row 1\)",
    ),
    "a target of 64 bits": (
        "cross_entropy", {"logits": LOGITS, "targets": np.array([0, 2**63, 1], np.uint64)},
        r"targets must be .*, not 9223372036854775808 \(row 1\)",
    ),
    "targets as a column": (
        "cross_entropy", {"logits": LOGITS, "targets": np.zeros((3, 1), int)}, "one for each of t",
    ),
    "targets as records": (
        "cross_entropy", {"logits": LOGITS, "targets": np.zeros(3, [("a", "i4")])}, "whole numbers",
    ),
    "gradients as times": (
        "softmax_backward", {"logits": LOGITS, "gradients": np.zeros((3, 4), "m8[s]")},
        "gradients must be real numbers",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("unit", "arrays", "sentence"), BAD.values(), ids=BAD)
def test_rows_that_do_not_fit_are_refused_where_they_are_read(unit, arrays, sentence, saved):
    with pytest.raises(ValueError, match=sentence) as caught:
        Given(**saved(**arrays)).rows(unit, TINY)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("none", [-100, -1, -(2**31), 4, 2**32 - 1])
def test_a_target_outside_means_the_same_everywhere(none, saved):
    """A row without a loss, for simulation, references and sweep; as torch's ignore_index."""
    files = saved(logits=LOGITS, targets=np.array([0, none, 2]))
    rows = Given(**files).rows("cross_entropy", TINY)
    losses, gradients = compare_outputs("cross_entropy", TINY, rows)
    kept = saved(logits=LOGITS[[0, 2]], targets=np.array([0, 2]))
    fewer = compare_outputs("cross_entropy", TINY, Given(**kept).rows("cross_entropy", TINY))
    for output, gold in zip((losses, gradients), fewer, strict=True):
        assert output.comparisons[0].codes == gold.comparisons[0].codes
    files = saved(logits=LOGITS, targets=np.array([0, none, 2]))
    swept = Meter(own_source(files["logits"], targets=files["targets"])).measure(TINY, bound=False)
    kept = saved(logits=LOGITS[[0, 2]], targets=np.array([0, 2]))
    gold = Meter(own_source(kept["logits"], targets=kept["targets"])).measure(TINY, bound=False)
    for name in ("loss_float", "loss_change", "ece", "loss_max_error_ulp"):
        assert swept[name] == gold[name]


def test_nothing_to_hold_keeps_every_bound(saved):
    for unit, arrays in (
        ("cross_entropy", {"logits": LOGITS, "targets": np.array([-1, 9, 2**32 - 1])}),
        ("softmax", {"logits": np.full((2, 3), -np.inf)}),
        ("softmax_backward", {"logits": np.full((2, 3), -np.inf), "gradients": np.ones((2, 3))}),
    ):
        for output in compare_outputs(unit, TINY, Given(**saved(**arrays)).rows(unit, TINY)):
            assert output.bound_kept
            assert {c.codes for c in output.comparisons} == {None}
            assert output.comparisons[0].note == "no element to compare"


def test_recorded_rows_that_are_all_too_long_are_one_sentence(monkeypatch):
    from softmaxfx.golden.rows import LogitRows
    from softmaxfx.study import unit_rows

    long = LogitRows.from_array(np.zeros((2, 9)))
    monkeypatch.setattr(unit_rows, "_recorded_logits", lambda: long)
    with pytest.raises(ConfigError, match=r"^max_length must be at least 9 for the recorded rows"):
        Given().rows("softmax", TINY)
