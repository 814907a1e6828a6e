"""The results table: entries are added once, claimed by one process at a time, and finished once.

A claim expires: what a process held when it was killed comes back to the others. A process that
works for long extends its claims meanwhile, and one that has lost a claim cannot write its result.
"""

import json
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from .space.entries import KINDS, STATUSES, Entry, Measured, code_version
from .storage import DEFAULT_URL, Storage, rows

CHUNK = 500
"""Rows of one statement: databases limit the parameters of a statement."""

Scope = frozenset[tuple[str, str]]
"""What a process can evaluate: pairs of (data_sha256, code_version)."""


def scope_of(entries: Iterable[Entry]) -> Scope:
    """The scope of some entries."""
    return frozenset((entry.data_sha256, entry.code_version) for entry in entries)


class Results:
    """The truth about a sweep, in SQLite or PostgreSQL.

    Every method raises :class:`ConfigError` where the database fails.
    """

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    @classmethod
    def open(cls, url: str = DEFAULT_URL, *, create: bool = True) -> "Results":
        """Open a table.

        Args:
            url: ``sqlite:///FILE`` or ``postgresql://USER@HOST/DATABASE``.
            create: make it where it does not exist yet.

        Raises:
            ConfigError: a storage that cannot be used, or of another version, in one sentence;
                nothing in it has changed then.
        """
        return cls(Storage(url, create=create))

    @property
    def url(self) -> str:
        """As it was given, for another process to open."""
        return self._storage.url

    @property
    def study_url(self) -> str:
        """Where a search keeps what it has proposed."""
        return self._storage.beside("search")

    def close(self) -> None:
        """Let go of all connections."""
        self._storage.engine.dispose()

    def add(self, entries: Iterable[Entry]) -> int:
        """Add entries that the table does not hold yet; how many those were.

        An entry that it holds stays as it is, whatever its status.
        """
        added = 0
        with self._storage.writing() as connection:
            # two that add the same rows in another order would wait for each other
            self._storage.exclude(connection)
            insert = _insert(connection).on_conflict_do_nothing(index_elements=["key"])
            for chunk in _chunks(list({entry.key: entry for entry in entries}.values())):
                told = [_row(entry) for entry in chunk]
                added += len(connection.execute(insert.returning(rows.c.key), told).all())
        return added

    def claim(
        self,
        worker: str,
        n: int,
        seconds: float,
        *,
        scope: Scope | None = None,
        keys: Collection[str] | None = None,
    ) -> list[Entry]:
        """Up to ``n`` entries that are open, or whose claim has expired; they are this worker's.

        Designs come first and one at a time, since they take long; then entries as they were added.

        Args:
            worker: a name that no other process has.
            seconds: until the claim expires.
            scope: only entries of these data and code versions. keys: only these entries.
        """
        now = self._storage.now
        free = (rows.c.status == "open") | (
            (rows.c.status == "claimed") & (rows.c.claimed_until < now)
        )
        design = rows.c.kind == "design"
        wanted = sa.select(rows).where(free, _within(scope))
        if keys is not None:
            wanted = wanted.where(rows.c.key.in_(list(keys)))
        wanted = wanted.order_by(sa.case((design, 0), else_=1), rows.c.place).limit(n)
        with self._storage.writing() as connection:
            found = connection.execute(wanted.with_for_update(skip_locked=True)).all()
            if found and found[0].kind == "design":
                found = found[:1]
            connection.execute(
                rows.update()
                .where(rows.c.key.in_([row.key for row in found]))
                .values(status="claimed", claimed_by=worker, claimed_until=now + seconds)
            )
        return [replace(_entry(row), status="claimed") for row in found]

    def extend(self, worker: str, seconds: float) -> int:
        """Let all claims of a worker last ``seconds`` from now; how many it holds."""
        until = self._storage.now + seconds
        return self._update(rows.c.claimed_by == worker, claimed_until=until)

    def release(self, worker: str) -> int:
        """Give all claims of a worker back at once; how many those were."""
        return self._update(rows.c.claimed_by == worker, status="open", **_UNCLAIMED)

    def finish(self, entry: Entry, worker: str, measured: Measured, seconds: float = 0.0) -> bool:
        """Store the numbers of a claimed entry.

        Args:
            seconds: that the evaluation took.

        Returns:
            Whether the claim still held; where it did not, nothing is stored.
        """
        return self._settle(
            entry, worker, status="done", seconds=seconds,
            metrics=_json(measured.metrics), versions=_json(measured.versions),
        )  # fmt: skip

    def reject(self, entry: Entry, worker: str, reason: str) -> bool:
        """Mark a claimed entry as not feasible, as :meth:`finish`."""
        return self._settle(entry, worker, status="infeasible", reason=reason)

    def fail(self, entry: Entry, worker: str, reason: str) -> bool:
        """Mark a claimed entry as failed, as :meth:`finish`: it may succeed another time."""
        return self._settle(entry, worker, status="failed", reason=reason)

    def retry(self, scope: Scope | None = None) -> int:
        """Open what failed again; how many entries those were."""
        failed = (rows.c.status == "failed") & _within(scope)
        return self._update(failed, held=False, status="open", reason="")

    def select(
        self,
        *kinds: str,
        status: Collection[str] = STATUSES,
        scope: Scope | None = None,
        every_version: bool = False,
    ) -> list[Entry]:
        """Entries sorted by key.

        Args:
            kinds: ``"point"``, ``"design"``, ``"float"``; all of them where none is named.
            every_version: results of other versions of the code as well.
        """
        wanted = sa.select(rows).where(
            rows.c.kind.in_(kinds or KINDS), rows.c.status.in_(list(status)), _within(scope)
        )
        if not every_version:
            versions = {code_version(kind) for kind in kinds or KINDS}
            wanted = wanted.where(rows.c.code_version.in_(sorted(versions)))
        with self._storage.reading() as connection:
            found = [_entry(row) for row in connection.execute(wanted)]
        return sorted(found, key=lambda entry: entry.key)

    def done(self, *kinds: str, scope: Scope | None = None) -> list[Entry]:
        """Entries with their numbers, as :meth:`select` finds them."""
        return self.select(*kinds, status=("done",), scope=scope)

    def infeasible(self, *kinds: str, scope: Scope | None = None) -> list[Entry]:
        """Entries that cannot be built, with their reason, as :meth:`select` finds them."""
        return self.select(*kinds, status=("infeasible",), scope=scope)

    def stored(self, entries: Iterable[Entry]) -> dict[str, Entry]:
        """What the table holds of some entries, by key."""
        found = {}
        with self._storage.reading() as connection:
            for chunk in _chunks([entry.key for entry in entries]):
                query = sa.select(rows).where(rows.c.key.in_(chunk))
                found |= {row.key: _entry(row) for row in connection.execute(query)}
        return found

    def counts(self, scope: Scope | None = None) -> Counter[str]:
        """Entries by status."""
        query = sa.select(rows.c.status, sa.func.count()).where(_within(scope))
        with self._storage.reading() as connection:
            found = connection.execute(query.group_by(rows.c.status))
            return Counter({row[0]: row[1] for row in found})

    def _settle(self, entry: Entry, worker: str, **values: Any) -> bool:
        mine = (rows.c.key == entry.key) & (rows.c.claimed_by == worker)
        return self._update(mine, **values, **_UNCLAIMED) == 1

    def _update(self, where: sa.ColumnElement[bool], held: bool = True, **values: Any) -> int:
        if held:
            where = where & (rows.c.status == "claimed")
        with self._storage.writing() as connection:
            return connection.execute(rows.update().where(where).values(**values)).rowcount


_UNCLAIMED: dict[str, Any] = {"claimed_by": None, "claimed_until": None}


def _within(scope: Scope | None) -> sa.ColumnElement[bool]:
    if scope is None:
        return sa.true()
    return sa.or_(
        sa.false(),
        *(
            (rows.c.data_sha256 == data) & (rows.c.code_version == code)
            for data, code in sorted(scope)
        ),
    )


def _insert(connection: sa.Connection) -> Any:
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects import postgresql as dialect
    else:
        from sqlalchemy.dialects import sqlite as dialect
    return dialect.insert(rows)


def _chunks(items: list[Any]) -> Iterable[list[Any]]:
    return (items[start : start + CHUNK] for start in range(0, len(items), CHUNK))


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _row(entry: Entry) -> dict[str, Any]:
    return {
        "key": entry.key,
        "config_sha256": entry.config_sha256,
        "data_sha256": entry.data_sha256,
        "code_version": entry.code_version,
        "kind": entry.kind,
        "source": entry.source,
        "fields": _json(entry.fields),
        "options": _json(entry.options),
        "status": entry.status,
        "reason": entry.reason,
        "metrics": _json(entry.metrics),
        "seconds": entry.seconds,
        "versions": _json(entry.versions),
    }


def _entry(row: Any) -> Entry:
    return Entry(
        kind=row.kind,
        config_sha256=row.config_sha256,
        data_sha256=row.data_sha256,
        code_version=row.code_version,
        source=row.source,
        fields=json.loads(row.fields),
        options=json.loads(row.options),
        status=row.status,
        reason=row.reason,
        metrics=json.loads(row.metrics),
        seconds=row.seconds,
        versions=json.loads(row.versions),
    )
