"""Tasks in a folder: made by one code and the same tools, and what ends them is told apart."""

import subprocess
import sys
from pathlib import Path

import pytest

from softmaxfx.fpga.tools import ToolError
from softmaxfx.golden import ConfigError
from softmaxfx.outcomes import outcome_of
from softmaxfx.study.tasks import MadeBy, Maker

MADE_BY = MadeBy("point", ("code",))


class Stub:
    """A task that calls what it is given."""

    def run(self, folder, given):
        return given(folder)


def refuse(error):
    def fail(_):
        raise error

    return fail


@pytest.mark.parametrize(
    ("error", "status", "reason"),
    [
        (ToolError("yosys", "no room", Path("log")), "infeasible", "yosys failed: no room (log: l"),
        (ConfigError("no g++"), "failed", "no g++"),
        (ValueError("rows must fit"), "failed", "rows must fit"),
        (KeyError("defect"), "failed", "KeyError: 'defect'"),
    ],
)
def test_what_a_tool_refuses_is_no_failure_of_the_machine(error, status, reason, tmp_path):
    outcome = outcome_of(Maker(tmp_path, MADE_BY, refuse(error))(), Stub())
    assert outcome.status == status
    assert outcome.reason.startswith(reason)


OWN_FOLDER = """
from softmaxfx.study.tasks import MadeBy, Maker
work = Maker(None, MadeBy("point", ("code",)))()
print(work.folder, work.folder.is_dir())
"""


def test_without_a_folder_each_process_has_one_that_goes_with_it(tmp_path):
    assert outcome_of(Maker(tmp_path, MADE_BY, str)(), Stub()).value == str(tmp_path)
    found = subprocess.run(
        [sys.executable, "-c", OWN_FOLDER], capture_output=True, text=True, check=True
    )
    folder, was_there = found.stdout.split()
    assert was_there == "True"
    assert not Path(folder).exists()


@pytest.mark.parametrize(
    ("versions", "sentence"),
    [
        (("another", MADE_BY.versions()[1]), "code must stay as it is while a command runs"),
        (
            (MADE_BY.versions()[0], "numpy 1"),
            r"workers must have the tools numpy 1, not numpy",
        ),
    ],
    ids=["code", "tools"],
)
def test_other_code_or_other_tools_do_nothing(versions, sentence, tmp_path):
    with pytest.raises(ConfigError, match=sentence):
        Maker(tmp_path, MADE_BY, versions=versions)()
