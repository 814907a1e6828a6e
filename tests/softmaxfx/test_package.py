"""What is installed: every folder, every file, and nothing that needs torch."""

import subprocess
import sys
import zipfile
from pathlib import Path

import softmaxfx

ROOT = Path(__file__).parents[2]
ROOMS = ("golden", "hdl", "sim", "fpga", "study", "softmaxfx")


def test_the_wheel_holds_the_tree(tmp_path):
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir"]
    subprocess.run([*command, str(tmp_path), str(ROOT)], check=True, stderr=subprocess.DEVNULL)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        files = {name for name in archive.namelist() if ".dist-info/" not in name}
    tree = {
        path.relative_to(ROOT).as_posix()
        for room in ROOMS
        for path in (ROOT / room).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    expected = {name if name.startswith("softmaxfx/") else f"softmaxfx/{name}" for name in tree}
    assert files == expected


def test_the_command_line_needs_no_torch():
    script = (
        "import sys; sys.modules['torch'] = None; sys.modules['sklearn'] = None; "
        "import softmaxfx.cli"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_the_module_runs_and_tells_its_version():
    done = subprocess.run(
        [sys.executable, "-m", "softmaxfx", "--version"], check=True, capture_output=True, text=True
    )
    assert done.stdout == f"softmaxfx, version {softmaxfx.__version__}\n"
