"""Tasks in a folder: made by one code and the same tools, and what ends them is told apart."""

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


def test_without_a_folder_each_process_has_one_that_goes_with_it(tmp_path):
    assert outcome_of(Maker(tmp_path, MADE_BY, str)(), Stub()).value == str(tmp_path)
    work = Maker(None, MADE_BY, str)()
    folder = Path(work(Stub()))
    assert folder.is_dir()
    del work
    assert not folder.exists()


@pytest.mark.parametrize(
    ("versions", "sentence"),
    [
        (("another", MADE_BY.versions()[1]), "code must stay as it is while a command runs"),
        (
            (MADE_BY.versions()[0], "numpy 1.0"),
            r"workers must have the tools numpy 1\.0, not numpy",
        ),
    ],
    ids=["code", "tools"],
)
def test_other_code_or_other_tools_do_nothing(versions, sentence, tmp_path):
    with pytest.raises(ConfigError, match=sentence):
        Maker(tmp_path, MADE_BY, versions=versions)()
