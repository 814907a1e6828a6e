"""The database behind the results table: SQLite or PostgreSQL, checked before anything is written.

SQLite keeps one file on one machine, in write-ahead mode: readers do not wait for writers, and a
process that is killed loses nothing that it had finished. Machines that share a sweep share a
PostgreSQL server: SQLite's locks do not hold on network file systems.
"""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from ...golden.errors import ConfigError, require

DEFAULT_URL = "sqlite:///build/sweep/results.sqlite"

SCHEMA_VERSION = 1
"""Of the tables below; a storage of another version is refused."""

PATIENCE = 60
"""Seconds that one process waits for another's transaction."""

LOCK = 0x50F73A
"""Of PostgreSQL's advisory locks, the one of this table."""

metadata = sa.MetaData()
schema = sa.Table("sweep_schema", metadata, sa.Column("version", sa.Integer, nullable=False))
rows = sa.Table(
    "sweep_results",
    metadata,
    sa.Column("place", sa.Integer, primary_key=True),  # entries are claimed in this order
    sa.Column("key", sa.String(64), nullable=False, unique=True),
    sa.Column("config_sha256", sa.String(64), nullable=False),
    sa.Column("data_sha256", sa.String(64), nullable=False),
    sa.Column("code_version", sa.Text, nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("fields", sa.Text, nullable=False),
    sa.Column("options", sa.Text, nullable=False),
    sa.Column("status", sa.String(16), nullable=False, index=True),
    sa.Column("claimed_by", sa.Text),
    sa.Column("claimed_until", sa.Float),  # seconds since 1970
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("metrics", sa.Text, nullable=False),
    sa.Column("seconds", sa.Float, nullable=False),
    sa.Column("versions", sa.Text, nullable=False),
)


class Storage:
    """A checked database; its engine is safe to share between threads, not between processes.

    Attributes:
        url: as it was given. told: the same without its password, for messages.
    """

    def __init__(self, url: str, *, create: bool) -> None:
        """Open a database.

        Args:
            create: make what does not exist yet; else it must.

        Raises:
            ConfigError: a broken URL, no driver, a server that does not answer, a file that is no
                database, or tables of another version. Nothing has been written then.
        """
        self.url = url
        self._parsed = parsed = _parse(url)
        self.told = parsed.render_as_string(hide_password=True)
        file = Path(parsed.database or "") if parsed.get_backend_name() == "sqlite" else None
        with self.guarded():
            if file is not None:
                require(create or file.exists(), f"storage must exist, unlike {self.told}")
                file.parent.mkdir(parents=True, exist_ok=True)
            self.engine = _engine(parsed)
            try:
                self._prepare(create)
                if create and file is not None:
                    # it stays in the file: one of those that open it at once may set it
                    with (
                        self.engine.connect() as connection,
                        suppress(sqlite3.OperationalError),
                    ):
                        connection.connection.cursor().execute("PRAGMA journal_mode = WAL")
            except BaseException:
                self.engine.dispose()
                raise

    @contextmanager
    def guarded(self) -> Iterator[None]:
        """Whatever goes wrong with the database becomes one sentence."""
        try:
            yield
        except ModuleNotFoundError as error:
            raise ConfigError(
                f"storage {self.told} needs the Python package {error.name}: "
                f"pip install 'softmaxfx[postgres]'"
            ) from None
        except (SQLAlchemyError, OSError) as error:
            cause = getattr(error, "orig", None) or error
            reason = " ".join(str(cause).split()) or type(cause).__name__
            raise ConfigError(f"storage {self.told} cannot be used: {reason}") from None

    def beside(self, name: str) -> str:
        """The URL of another database that goes with this one: on a server, the same.

        A library that locks SQLite in its own way gets a file of its own.
        """
        parsed = self._parsed
        if parsed.get_backend_name() == "sqlite":
            file = Path(parsed.database or "")
            parsed = parsed.set(database=str(file.with_name(f"{file.stem}.{name}{file.suffix}")))
        return parsed.render_as_string(hide_password=False)

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """A transaction that may write; all of it happens, or nothing."""
        with self.guarded(), self.engine.execution_options(writes=True).begin() as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A transaction that only reads."""
        with self.guarded(), self.engine.begin() as connection:
            yield connection

    def exclude(self, connection: sa.Connection) -> None:
        """Keep others out of here until the transaction ends; in SQLite it does so by itself."""
        if connection.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))

    @property
    def now(self) -> sa.ColumnElement[float]:
        """The time, in seconds since 1970, by the one clock that every process shares."""
        if self.engine.dialect.name == "postgresql":
            return sa.cast(sa.extract("epoch", sa.func.clock_timestamp()), sa.Float)
        return sa.literal(time.time(), sa.Float)

    def _prepare(self, create: bool) -> None:
        with self.reading() as connection:
            ready = self._checked(connection)
        if ready:
            return
        require(create, f"storage {self.told} must hold the results of a sweep, not none")
        with self.writing() as connection:
            self.exclude(connection)  # two at once would both find no tables
            if not self._checked(connection):
                metadata.create_all(connection)
                connection.execute(schema.insert().values(version=SCHEMA_VERSION))

    def _checked(self, connection: sa.Connection) -> bool:
        """Whether the tables are there, of this version."""
        names = sa.inspect(connection).get_table_names()
        found: Any = "none"
        if schema.name in names:
            found = connection.execute(sa.select(schema.c.version)).scalar()
        elif rows.name not in names:
            return False
        require(
            found == SCHEMA_VERSION,
            f"storage {self.told} must be of version {SCHEMA_VERSION}, not {found}; "
            f"choose another place for the results of this one",
        )
        return True


def _parse(url: str) -> sa.URL:
    rule = "storage must be a URL like sqlite:///FILE or postgresql://USER@HOST/DATABASE"
    try:
        parsed = sa.make_url(url)
    except (ArgumentError, ValueError):
        raise ConfigError(f"{rule}, not {url!r}") from None
    told = parsed.render_as_string(hide_password=True)
    if parsed.get_backend_name() in ("postgresql", "postgres"):
        return parsed.set(drivername="postgresql+psycopg")
    require(parsed.get_backend_name() == "sqlite", f"{rule}, not {told!r}")
    require(
        parsed.database not in (None, "", ":memory:"),
        f"storage must be a file, which other processes can open, not {told!r}",
    )
    return parsed.set(drivername="sqlite")


def _engine(url: sa.URL) -> sa.Engine:
    if url.get_backend_name() != "sqlite":
        return sa.create_engine(url, pool_pre_ping=True)
    engine = sa.create_engine(url, connect_args={"timeout": PATIENCE})

    @event.listens_for(engine, "connect")
    def _connected(connection: Any, _: Any) -> None:
        connection.isolation_level = None  # transactions begin below, and not on their own
        connection.execute("PRAGMA synchronous = NORMAL")

    @event.listens_for(engine, "begin")
    def _begun(connection: sa.Connection) -> None:
        # a transaction that reads before it writes must hold the lock from its start: two that had
        # read the same could not both write
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine
