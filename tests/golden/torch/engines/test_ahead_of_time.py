"""Every kernel is compiled for a GPU where there is none."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

pytestmark = [pytest.mark.long, pytest.mark.timeout(1800)]

SCRIPT = Path(__file__).with_name("ahead_of_time.py")


@pytest.mark.parametrize("path", ["max_subtract", "exact_sum"])
@pytest.mark.parametrize("preset", ["base", "int8", "int8_row", "full"])
def test_every_kernel_is_compiled_for_sm_90(preset, path, record_property, tmp_path):
    for name in ("torch", "triton"):
        if find_spec(name) is None:
            pytest.skip(f"{name} is not installed")
    environment = {name: value for name, value in os.environ.items() if name != "TRITON_INTERPRET"}
    environment |= {"TRITON_CACHE_DIR": str(tmp_path), "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(
        [sys.executable, "-P", SCRIPT, preset, path],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    kernels = [json.loads(line) for line in done.stdout.splitlines()]
    record_property("kernels", kernels)
    assert len(kernels) == (37 if (preset, path) == ("base", "exact_sum") else 9)
    for each in kernels:
        assert each["target"].startswith("sm_90"), each
        assert each["binary"] > 0
        if each["kernel"] in ("softmax 1024", "softmax_backward 1024"):
            assert each.get("spilled", 0) == 0, each  # a whole row is in registers
