"""Pictures: which parts they are cut into, and what is known of them."""

import hashlib
import io
import zipfile

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed")
from PIL import Image

from softmaxfx.study.models import photographs as module
from softmaxfx.study.models.packages import Package
from softmaxfx.study.models.photographs import NAMES, SIZE, photographs


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A wheel whose pictures are 400 wide and 300 high; red tells the column, green the row."""
    column, row = np.meshgrid(np.linspace(0, 255, 400), np.linspace(0, 255, 300))
    pixels = np.stack([column, row, np.zeros_like(row)], axis=-1).astype(np.uint8)
    picture = io.BytesIO()
    Image.fromarray(pixels).save(picture, format="PNG")
    file = tmp_path / "scikit_image-0.25.2-any.whl"
    with zipfile.ZipFile(file, "w") as wheel:
        for name in NAMES:
            wheel.writestr(f"skimage/data/{name}", picture.getvalue())
    pinned = (hashlib.sha256(file.read_bytes()).hexdigest(),)
    monkeypatch.setattr(module, "PICTURES", Package("scikit-image", "0.25.2", "", pinned, ""))
    return tmp_path


def test_whole_pictures_come_first_then_parts_and_mirror_images(folder):
    shown = photographs(folder)
    count = len(NAMES)
    assert shown.names == NAMES * 10
    assert shown.pictures.shape == (10 * count, 3, SIZE, SIZE)
    assert -1 <= shown.pictures.min() < -0.9
    assert 0.9 < shown.pictures.max() <= 1
    means = shown.pictures.mean(dim=(2, 3))
    whole, *corners = (means[part * count] for part in range(5))
    assert whole[:2].abs().max() < 0.02
    assert [tuple((corner[:2] > whole[:2]).tolist()) for corner in corners] == [
        (False, False), (False, True), (True, False), (True, True),
    ]  # fmt: skip
    for part in range(5):
        mirror = shown.pictures[(part + 5) * count].flip(-1)
        assert mirror.equal(shown.pictures[part * count])


def test_a_limit_keeps_the_first_and_classes_go_with_them(folder):
    shown = photographs(folder, 3)
    assert shown.names == NAMES[:3]
    assert len(shown.pictures) == 3
    assert 285 in shown.classes[0]
    assert 967 in shown.classes[1]
    assert photographs(folder).classes[NAMES.index("moon.png")] == ()
