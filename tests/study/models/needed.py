"""Marks of tests that need what ``make models`` fetches."""

import pytest

from softmaxfx.study.models.packages import FASHION, FOLDER, PACKAGES

MISSING = [package.label for package in PACKAGES if not package.file(FOLDER)]
MISSING = [label for label in MISSING if label != FASHION.label]

fetched = pytest.mark.skipif(
    bool(MISSING), reason=f"make models has not fetched {', '.join(MISSING)} into {FOLDER}"
)
