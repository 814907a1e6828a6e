"""A wheel holds what the tree holds, whatever earlier builds have left in it."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def a_tree(folder: Path) -> Path:
    """A small project that is built by this project's ``setup.py``."""
    tree = folder / "tree"
    (tree / "room").mkdir(parents=True)
    (tree / "room" / "__init__.py").write_text("")
    (tree / "room" / "kept.py").write_text("KEPT = 1\n")
    shutil.copy(ROOT / "setup.py", tree)
    (tree / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["setuptools>=77"]\nbuild-backend = "setuptools.build_meta"\n'
        '[project]\nname = "room"\nversion = "1"\n[tool.setuptools]\npackages = ["room"]\n'
    )
    return tree


@pytest.mark.parametrize("left", ["room/deleted.py", "room/sub/deleted.py", "other/__init__.py"])
def test_a_module_that_an_earlier_build_has_left_is_not_in_the_wheel(left, tmp_path):
    tree = a_tree(tmp_path)
    stale = tree / "build" / "lib" / left
    stale.parent.mkdir(parents=True)
    stale.write_text("LEFT = 1\n")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir"]
    subprocess.run([*command, str(tmp_path), str(tree)], check=True, stderr=subprocess.DEVNULL)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        files = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert files == {"room/__init__.py", "room/kept.py"}
