"""What the room gives by name, and that torch is not needed to ask it for anything else."""

import subprocess
import sys

import pytest

from softmaxfx.golden import torch as room

WITHOUT_TORCH = """
import sys
import softmaxfx.golden.torch.reference, softmaxfx.golden.torch.gradient_reference
assert "torch" not in sys.modules
"""


def test_references_are_imported_without_torch():
    subprocess.run([sys.executable, "-c", WITHOUT_TORCH], check=True)


def test_every_name_is_there():
    pytest.importorskip("torch", reason="torch is not installed")
    for name in room.__all__:
        assert getattr(room, name).__name__ == name
    with pytest.raises(AttributeError, match=r"has no attribute 'fixed_softmin'$"):
        _ = room.fixed_softmin
