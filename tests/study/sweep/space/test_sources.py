"""Sources: rows and what belongs to them stay together; a hash tells whether they are the same."""

from dataclasses import fields, replace
from fractions import Fraction

import numpy as np
import pytest

from softmaxfx.golden import SQ, ConfigError
from softmaxfx.golden.rows import LogitRows
from softmaxfx.study import recordings
from softmaxfx.study.sweep.measure.sources import Source, own_source, recorded_sources


@pytest.fixture(scope="module")
def recorded():
    return {source.name: source for source in recorded_sources()}


def numbered(rows=200, seed=0):
    """A source in which every number tells its row: row r holds r, its target is r, dP is -r."""
    lengths = np.random.default_rng(seed).integers(1, 9, rows)
    inside = np.arange(8) < lengths[:, None]
    number = np.arange(rows)
    gradients = np.where(inside, -number[:, None], 0.0)
    gradients[1::2] = np.nan
    return Source(
        "numbered",
        LogitRows.from_array(np.where(inside, number[:, None], np.nan)),
        targets=number,
        held_out=number % 3 == 0,
        gradients=gradients,
        peaks=number + 1.0,
    )


@pytest.mark.parametrize("elements", [1, 50, 400])
def test_a_cut_is_as_large_as_can_be_and_keeps_rows_whole(elements):
    source = numbered()
    cut = source.cut(elements, seed=3)
    number = cut.logits.values[:, 0].astype(int)
    assert (np.diff(number) > 0).all()
    np.testing.assert_array_equal(cut.logits.lengths, source.logits.lengths[number])
    np.testing.assert_array_equal(cut.targets, number)
    np.testing.assert_array_equal(cut.held_out, number % 3 == 0)
    np.testing.assert_array_equal(cut.peaks, number + 1)
    np.testing.assert_array_equal(np.isnan(cut.gradients[:, 0]), number % 2 == 1)
    assert cut.gradients.shape == cut.logits.values.shape
    even = number % 2 == 0
    np.testing.assert_array_equal(
        cut.gradients[even], -cut.logits.values[even]
    )  # padding is 0 in both
    longest = source.logits.lengths.max()
    assert cut.logits.elements <= max(elements, longest)
    assert cut.logits.elements > elements - longest


def test_a_cut_is_drawn_by_its_seed():
    source = numbered()
    chosen = [source.cut(100, seed).logits.values[:, 0].tolist() for seed in (1, 1, 2)]
    assert chosen[0] == chosen[1] != chosen[2]
    assert source.cut(source.logits.elements, 1) is source


def test_the_hash_tells_every_array_but_not_the_name():
    source = numbered()
    assert replace(source, name="other").data_sha256 == numbered().data_sha256
    hashes = {source.data_sha256}
    for field in fields(source)[2:]:
        changed = getattr(source, field.name).copy()
        changed[-2] = not changed[-2] if changed.dtype == bool else changed[-2] + 1
        hashes.add(replace(source, **{field.name: changed}).data_sha256)
        hashes.add(replace(source, **{field.name: None}).data_sha256)
    for field in fields(LogitRows):
        changed = getattr(source.logits, field.name).copy()
        changed[-1] = False if changed.dtype == bool else changed[-1] + 1
        logits = replace(source.logits, **{field.name: changed})
        hashes.add(replace(source, logits=logits).data_sha256)
    assert len(hashes) == 1 + 2 * 4 + 3


def test_the_hash_does_not_depend_on_the_byte_order_or_layout():
    source = numbered()
    swapped = source.gradients.astype(">f8")
    assert replace(source, gradients=swapped).data_sha256 == source.data_sha256
    assert (
        replace(source, gradients=np.asfortranarray(source.gradients)).data_sha256
        == source.data_sha256
    )


def test_the_recordings_are_sources_of_about_100_000_elements(recorded):
    assert list(recorded) == ["digits", "attention", "training", *recordings.networks()]
    digits, attention, training, *networks = recorded.values()
    assert all(40_000 < source.logits.elements <= 100_000 for source in networks)
    np.testing.assert_array_equal(digits.logits.values, recordings.load("digits"))
    np.testing.assert_array_equal(digits.targets, recordings.digits_targets())
    np.testing.assert_array_equal(digits.held_out, recordings.digits_held_out())
    assert digits.gradients is None
    for source in (attention, training):
        assert 99_700 < source.logits.elements <= 100_000
        assert source.targets is None
    assert 50 < attention.with_gradients.size < len(attention.logits.lengths) / 4
    assert training.with_gradients.size == len(training.logits.lengths)


@pytest.mark.parametrize("name", recordings.networks())
def test_rows_of_pretrained_networks_keep_their_classes(recorded, name):
    source, targets = recorded[name], recordings.network_targets(name)
    assert source.gradients is None
    if not targets.size:
        assert source.targets is None
        return
    places = by_row(recordings.load(name))
    for values, target in zip(source.logits.values, source.targets, strict=True):
        assert target == targets[places[values.tobytes()]]


def by_row(array):
    """Places of rows of an array by their bytes, the padding 0."""
    return {row.tobytes(): place for place, row in enumerate(np.nan_to_num(array))}


def test_recorded_gradients_belong_to_their_rows(recorded):
    attention, training = recorded["attention"], recorded["training"]
    for source, parts in (
        (attention, [recordings.upstream_gradients()]),
        (training, map(recordings.training_gradients, recordings.training_steps())),
    ):
        found = 0
        for scores, dp in parts:
            places, fmt = by_row(scores), SQ(1, 15)
            peak = Fraction(float(np.nanmax(np.abs(dp))))
            for row in source.with_gradients:
                place = places.get(source.logits.values[row].tobytes())
                # rows of one element can be equal in several recordings
                if place is None or source.logits.lengths[row] == 1:
                    continue
                found += 1
                np.testing.assert_array_equal(source.gradients[row], np.nan_to_num(dp[place]))
                assert Fraction(source.peaks[row]) == peak
                power = int(source.powers(fmt)[row])
                largest = peak * Fraction(2) ** power / Fraction(fmt.max_code, 2**fmt.f)
                assert Fraction(1, 2) < largest <= 1
        assert found >= 0.95 * source.with_gradients.size


def test_gradients_are_scaled_by_the_power_that_fits_and_the_user_is_told():
    fmt = SQ(1, 7)  # up to 127/128
    source = replace(numbered(6), peaks=np.array([1.0, 1.0, 127 / 128, 0.4, 1e-3, 0.0]))
    assert source.powers(fmt).tolist() == [-1, -1, 0, 1, 9, -1]
    logits, dp = source.scaled_gradients(fmt)
    assert logits.values[:, 0].tolist() == [0, 2, 4]
    np.testing.assert_array_equal(dp[:, 0], [0, -2, -4 * 2**9])
    assert source.note(fmt) == "the dP of numbered are scaled by 2^-1, 2^0, 2^9 to fit SQ(1, 7)"
    # the user's own gradients are taken as they are
    own = replace(source, peaks=None)
    np.testing.assert_array_equal(own.scaled_gradients(fmt)[1][:, 0], [0, -2, -4])
    assert own.note(fmt) == ""


@pytest.fixture
def saved(tmp_path):
    """Saves an array and gives its path."""

    def save(name, array):
        np.save(tmp_path / f"{name}.npy", array)
        return tmp_path / f"{name}.npy"

    return save


def test_own_files_are_read_as_the_other_commands_read_them(saved):
    logits = saved("mine", [[1.0, -np.inf, 3.0], [4.0, 5.0, np.nan]])
    source = own_source(
        logits,
        targets=saved("t", np.array([2, -100])),
        gradients=saved("g", np.array([[1, 2, 3], [4, 5, np.nan]])),
    )
    assert source.name == "mine"
    assert source.logits.active.tolist() == [[True, False, True], [True, True, False]]
    assert source.logits.lengths.tolist() == [3, 2]
    assert source.targets.tolist() == [2, -1]
    assert source.gradients.tolist() == [[1, 2, 3], [4, 5, 0]]
    assert source.held_out is None
    assert source.peaks is None
    assert own_source(logits, elements=3, seed=1).logits.elements <= 3


def test_own_files_that_cannot_work_are_refused(saved, tmp_path):
    logits = saved("mine", np.ones((2, 3)))
    with pytest.raises(ConfigError, match=r"^logits must be a readable .npy file, not .*none.npy:"):
        own_source(tmp_path / "none.npy")
    (tmp_path / "text.npy").write_text("no array")
    with pytest.raises(ConfigError, match=r"^logits must be a readable .npy file, not .*text.npy:"):
        own_source(tmp_path / "text.npy")
    np.savez(tmp_path / "two.npz", a=1, b=2)
    with pytest.raises(ConfigError, match=r"^logits must be a .npy file with one array, not the"):
        own_source(tmp_path / "two.npz")
    with pytest.raises(ValueError, match=r"^logits must be a 2-D array of real numbers"):
        own_source(saved("flat", np.ones(3)))
    for bad in (np.ones(2), np.ones(3, int), np.ones((2, 1), int)):
        with pytest.raises(
            ValueError, match=r"^targets must be whole numbers, one for each of the 2"
        ):
            own_source(logits, targets=saved("t", bad))
    with pytest.raises(ValueError, match=r"^gradients must be real numbers of the shape \(2, 3\)"):
        own_source(logits, gradients=saved("g", np.ones((2, 2))))
    with pytest.raises(ValueError, match=r"^gradients must be finite, unlike row 1, column 2$"):
        own_source(logits, gradients=saved("g", [[1, 2, 3], [4, 5, np.inf]]))
