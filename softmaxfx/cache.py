"""The results cache: outcomes of jobs by key, in one SQLite file that one process writes.

A key is a hash of all that an outcome depends on, so that no outcome is ever out of date. The file
is in write-ahead mode: a process that is killed loses nothing that it had put.
"""

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Protocol, TypeVar

from .golden.errors import ConfigError, require
from .outcomes import Outcome

VERSION = 1
"""Of the table below; a file of another version is refused."""

APPLICATION = 0x50F73A
"""SQLite's mark of whose file it is."""

PATIENCE = 60.0
"""Seconds to wait for a command that writes to the same file."""

LOOKED_UP = 500
"""Keys of one statement: SQLite limits its parameters."""


class Cache:
    """Outcomes by key; closed at the end of a ``with``.

    Every method raises :class:`ConfigError` where the file cannot be used, as on a full disk: what
    was put before stays.
    """

    def __init__(self, file: Path, *, create: bool = True) -> None:
        """Open a cache.

        Args:
            create: make it where it does not exist yet.

        Raises:
            ConfigError: a file that is no cache, or one of another version; it stays as it is.
        """
        self.file = file
        require(create or file.exists(), f"cache must exist, unlike {file}: run the command first")
        with self._one_sentence():
            file.parent.mkdir(parents=True, exist_ok=True)
            # no transaction begins on its own: each statement is whole
            self._connection = sqlite3.connect(file, timeout=PATIENCE, isolation_level=None)
            try:
                self._prepare()
            except BaseException:
                self._connection.close()
                raise

    def __enter__(self) -> "Cache":
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def of(self, keys: Iterable[str]) -> dict[str, Outcome]:
        """The outcomes that are known of some keys."""
        wanted = list(dict.fromkeys(keys))
        found = {}
        with self._one_sentence():
            for start in range(0, len(wanted), LOOKED_UP):
                part = wanted[start : start + LOOKED_UP]
                marks = ",".join("?" * len(part))
                query = f"SELECT key, outcome FROM outcomes WHERE key IN ({marks})"
                found |= {
                    key: Outcome(**json.loads(text))
                    for key, text in self._connection.execute(query, part)
                }
        return found

    def put(self, outcomes: Mapping[str, Outcome]) -> None:
        """Keep outcomes, in place of what was known of their keys; all of them or none."""
        rows = [(key, json.dumps(asdict(one), sort_keys=True)) for key, one in outcomes.items()]
        with self._one_sentence(), self._transaction():
            self._connection.executemany("INSERT OR REPLACE INTO outcomes VALUES (?, ?)", rows)

    def _prepare(self) -> None:
        """Make the table in an empty file; refuse one of others."""
        with self._transaction():
            tables = self._number("SELECT count(*) FROM sqlite_master")
            found = self._number("PRAGMA application_id"), self._number("PRAGMA user_version")
            if not tables and found == (0, 0):
                self._connection.execute(
                    "CREATE TABLE outcomes (key TEXT PRIMARY KEY, outcome TEXT) WITHOUT ROWID"
                )
                self._connection.execute(f"PRAGMA application_id = {APPLICATION}")
                self._connection.execute(f"PRAGMA user_version = {VERSION}")
                found = APPLICATION, VERSION
        mine = (
            f"of version {found[1]}" if found[0] == APPLICATION else "a database of something else"
        )
        require(
            found == (APPLICATION, VERSION),
            f"cache must be a results cache of version {VERSION}, and {self.file} is {mine}; "
            "choose another file",
        )
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")

    def _number(self, query: str) -> int:
        return self._connection.execute(query).fetchone()[0]

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            # a full disk has ended it already
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    @contextmanager
    def _one_sentence(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise ConfigError(f"cache {self.file} cannot be used: {reason}") from None


class Keyed(Protocol):
    """A job whose outcome can be kept."""

    @property
    def key(self) -> str:
        """SHA-256 of all that its outcome depends on."""
        ...


AnyKeyed = TypeVar("AnyKeyed", bound=Keyed)


def completed(
    cache: Cache,
    jobs: Iterable[AnyKeyed],
    run: Callable[[list[AnyKeyed]], Iterable[tuple[AnyKeyed, Outcome]]],
    progress: Callable[[float], object] = lambda _: None,
    *,
    is_kept: Callable[[AnyKeyed, Outcome], bool] = lambda *_: True,
) -> dict[str, Outcome]:
    """Outcomes of jobs by key, once all are known; each is kept as it ends.

    Args:
        run: does jobs, see :meth:`.engine.Engine.run`; what failed before is tried again.
        progress: told the share that is known.
        is_kept: whether an outcome is; what it raises ends all.
    """
    wanted = {job.key: job for job in jobs}
    found = cache.of(wanted)
    left = [job for key, job in wanted.items() if key not in found or found[key].status == "failed"]
    for number, (job, outcome) in enumerate(run(left), start=1):
        if is_kept(job, outcome):
            cache.put({job.key: outcome})
        found[job.key] = outcome
        progress(1 - (len(left) - number) / len(wanted))
    return found
