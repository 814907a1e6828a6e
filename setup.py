"""The one step of a build that ``pyproject.toml`` cannot say."""

import shutil

from setuptools import setup
from setuptools.command.build import build


class CleanBuild(build):
    """Begins with an empty folder: a module that was deleted since the last build is gone."""

    def run(self) -> None:
        shutil.rmtree(self.build_lib, ignore_errors=True)
        super().run()


setup(cmdclass={"build": CleanBuild})
