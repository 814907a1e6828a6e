"""Plain names for files whose paths make, shells and lists of paths would take apart."""

import re
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from ..golden.errors import require

_PLAIN = re.compile(r"[A-Za-z0-9_./+@-]*")
_RULE = "only ASCII letters, digits and _ . / + @ - in its path"


def is_plain(path: Path) -> bool:
    """Whether a path has no character that make, a shell or a list of paths gives a meaning to."""
    return _PLAIN.fullmatch(str(path)) is not None


def require_plain_links(path: Path) -> None:
    """Check that a path is plain, or that links to it can be.

    Raises:
        ConfigError: neither.
    """
    folder = Path(tempfile.gettempdir()).resolve()
    require(
        is_plain(path.resolve()) or is_plain(folder),
        f"TMPDIR must be a folder with {_RULE}, not {folder}, where {path} has other characters",
    )


class PlainPaths:
    """Plain paths of files and folders: their own, or links to them."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._links: dict[Path, Path] = {}

    def __call__(self, path: Path) -> Path:
        """A plain absolute path; the name of a file is kept where it is plain.

        Raises:
            ConfigError: the path has other characters, and so has the temporary folder.
        """
        path = path.absolute()
        if is_plain(path):
            return path
        if path not in self._links:
            self._links[path] = self._link(path)
        return self._links[path]

    def workplace(self, folder: Path) -> Path:
        """A folder to work in: ``folder`` itself, or an empty one whose real path is plain.

        Raises:
            ConfigError: as for a file.
        """
        return folder if is_plain(folder.resolve()) else self._place(folder)

    def _link(self, path: Path) -> Path:
        place = self._place(path)
        link = place / (path.name if is_plain(Path(path.name)) else f"file{path.suffix}")
        link = link if is_plain(link) else place / "file"
        link.symlink_to(path)
        return link

    def _place(self, path: Path) -> Path:
        """A new folder for what stands for a path."""
        require_plain_links(path)
        made = tempfile.TemporaryDirectory(prefix="softmaxfx-", ignore_cleanup_errors=True)
        return Path(self._stack.enter_context(made)).resolve()


@contextmanager
def plain_paths() -> Iterator[PlainPaths]:
    """Plain paths for the time of a block."""
    with ExitStack() as stack:
        yield PlainPaths(stack)
