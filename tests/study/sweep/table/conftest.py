"""What the tests of the table share: a small space, a stub, and a PostgreSQL server."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from softmaxfx.study.sweep.results import Results
from softmaxfx.study.sweep.space.space import Space

SPACE = {
    "sources": ["one", "two"],
    "base": {"preset": "tiny"},
    "grid": [
        {
            "name": "formats",
            "axes": {
                "datapath": ["max_subtract", "exact_sum"],
                "input": {"from": 3, "to": 9, "step": 2, "format": "SQ(5, {})"},
                "output": ["UQ(0, 8)", "UQ(0, 12)"],
            },
        }
    ],
}


@pytest.fixture
def space():
    """16 configurations, on two sources."""
    return Space.parse(SPACE, "small")


@pytest.fixture
def entries(space):
    """The 32 entries of the space."""
    return space.points({"one": "1" * 64, "two": "2" * 64})


@pytest.fixture
def make(monkeypatch, tmp_path):
    """Makes stubs that spawned processes can import, for they are handed sys.path."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    from sweep_stub import Stub

    return lambda **options: Stub(tmp_path, **options)


@pytest.fixture
def lines(tmp_path):
    """Reads what stubs have written."""

    def read(name):
        file = tmp_path / name
        return file.read_text().splitlines() if file.exists() else []

    return read


@pytest.fixture(scope="session")
def postgres_server():
    """The URL of a fresh server, on a socket that only this machine can reach."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    tools = found[-1].parent if found else Path(shutil.which("initdb") or "").parent
    if not (tools / "initdb").exists():
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    folder = Path(tempfile.mkdtemp(prefix="sweep-pg-"))  # a socket's path must be short
    user = {}
    if os.getuid() == 0:  # the server refuses to be run by root
        user = {"user": "postgres", "group": "postgres", "extra_groups": []}
        shutil.chown(folder, "postgres", "postgres")

    def run(tool, *options):
        subprocess.run(
            [tools / tool, *options], check=True, cwd=folder, stdout=subprocess.DEVNULL, **user
        )

    data = folder / "data"
    run("initdb", "-D", data, "-U", "sweep", "-A", "trust", "--no-sync", "--locale=C", "-E", "UTF8")
    settings = f"-c listen_addresses= -c unix_socket_directories={folder} -c fsync=off"
    run("pg_ctl", "-D", data, "-w", "-l", folder / "server.log", "-o", settings, "start")
    try:
        yield f"postgresql://sweep@/postgres?host={folder}"
    finally:
        run("pg_ctl", "-D", data, "-m", "immediate", "stop")
        shutil.rmtree(folder)


@pytest.fixture
def postgres(postgres_server):
    """The server's URL, its database empty."""
    import psycopg

    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    return postgres_server


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    """A storage of either kind that does not exist yet."""
    if request.param == "postgresql":
        return request.getfixturevalue("postgres")
    return f"sqlite:///{tmp_path}/results.sqlite"


@pytest.fixture
def results(url):
    """An empty table, of either kind."""
    opened = Results.open(url)
    yield opened
    opened.close()


@pytest.fixture
def table(tmp_path):
    """An empty table in SQLite."""
    opened = Results.open(f"sqlite:///{tmp_path}/results.sqlite")
    yield opened
    opened.close()
