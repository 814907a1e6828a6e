"""A user without a home, or whose home cannot be written to, exports all the same."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import os
from softmaxfx.fpga.verilog import verilog_text
from softmaxfx.golden import preset
from softmaxfx.hdl.axi.softmax_backward import SoftmaxBackwardAxi
text = verilog_text(SoftmaxBackwardAxi(config=preset("tiny", max_length=4)), "unit")
assert "module unit(" in text
print(os.environ["XDG_CACHE_HOME"])
"""


@pytest.mark.parametrize("variable", ["HOME", "XDG_CACHE_HOME"])
def test_an_export_needs_no_folder_for_caches(variable, tmp_path):
    (tmp_path / "file").write_text("")
    environment = {"PATH": os.environ["PATH"], variable: str(tmp_path / "file" / "home")}
    command = [sys.executable, "-P", "-c", SCRIPT]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    folder = Path(done.stdout.strip())
    assert folder.name.startswith("softmaxfx-"), "another folder is given"
    assert not folder.exists(), "and gone with the process"


def test_a_folder_of_the_users_own_is_used(tmp_path):
    environment = {"PATH": os.environ["PATH"], "XDG_CACHE_HOME": str(tmp_path / "caches")}
    command = [sys.executable, "-P", "-c", SCRIPT]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.stdout.strip() == str(tmp_path / "caches")
    assert any((tmp_path / "caches").iterdir()), "what was compiled is kept there"
