"""Runs in one SQLite file: WAL, every write one immediate transaction, every wait on the event loop's clock.

Calls take some 10 to 100 us, so they are made on the event loop itself; a busy database is asked again after a pause in
which the loop serves others.
"""

import asyncio
import logging
import os
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from time import monotonic, time
from typing import Any, TypeVar

from app.failures import StoreFull, StoreUnavailable
from app.stores.base import NEW, Parts, Record, Stamp

T = TypeVar("T")
Inodes = tuple[tuple[int, int] | None, ...]
log = logging.getLogger("playground.store")

_SCHEMA = (
    """CREATE TABLE IF NOT EXISTS records (
        key TEXT PRIMARY KEY, version INTEGER NOT NULL, owner TEXT NOT NULL,
        written REAL NOT NULL, expires REAL NOT NULL, value BLOB NOT NULL, token TEXT NOT NULL DEFAULT '',
        source TEXT NOT NULL DEFAULT '')""",
    "CREATE INDEX IF NOT EXISTS records_owner ON records(owner, written)",
    "CREATE INDEX IF NOT EXISTS records_source ON records(source, written)",
    "CREATE INDEX IF NOT EXISTS records_written ON records(written)",
    """CREATE TABLE IF NOT EXISTS parts (
        key TEXT NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL, value BLOB NOT NULL,
        PRIMARY KEY (key, kind, name))""",  # with rowids: else a search reads the long values that it passes, 20 ms
    # What records brought, once for all that brought the same, and which that are.
    "CREATE TABLE IF NOT EXISTS contents (hash TEXT PRIMARY KEY, value BLOB NOT NULL)",
    "CREATE TABLE IF NOT EXISTS uses (key TEXT PRIMARY KEY, hash TEXT NOT NULL) WITHOUT ROWID",
    "CREATE INDEX IF NOT EXISTS uses_hash ON uses(hash)",
)
# What `user_version` says of a file, and what leads from each older layout to the next. 0 is also a file that is empty.
_LAYOUT = 1
_STEPS = {
    0: (
        "ALTER TABLE records ADD COLUMN token TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE records ADD COLUMN source TEXT NOT NULL DEFAULT ''",
        "UPDATE records SET source = owner",
        "DROP TABLE IF EXISTS buckets",
    )
}
# All of a record but its row; its content goes with the last that uses it.
_FORGET = (
    """DELETE FROM contents WHERE hash = (SELECT hash FROM uses WHERE key = ?1)
        AND NOT EXISTS (SELECT 1 FROM uses WHERE hash = contents.hash AND key <> ?1)""",
    "DELETE FROM uses WHERE key = ?1",
    "DELETE FROM parts WHERE key = ?1",
)
_PAGE = 4096
_CACHE_KB = 16_000  # so that a large write is not spilled halfway
# Bytes of WAL past which it is folded, past which writers wait for that too, and past which a commit does it itself.
_WAL_FOLDED, _WAL_CUT, _WAL_MOST = 16 << 20, 64 << 20, 256 << 20
_FOLD_SECONDS, _FOLD_AT_LEAST = 1, 5
_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
# The disk takes no more, or no longer: what is there can still be read.
_UNWRITABLE = (
    sqlite3.SQLITE_IOERR_WRITE,
    sqlite3.SQLITE_IOERR_FSYNC,
    sqlite3.SQLITE_IOERR_TRUNCATE,
    sqlite3.SQLITE_IOERR_SHMSIZE,
)
_FOR_KNOWN = 0.9  # of the largest size: past it no new record comes, so that those that are there can go on
# A record's time of writing is kept to the minute, so that its three indexes need not change at every step.
_GRAIN = 60.0


class SqliteStore:
    """A `Store` in the file at `path`."""

    def __init__(self, path: str, wait: float = 0.5, most_bytes: int = 4 << 30) -> None:
        self.path, self.wait, self.most_bytes = Path(path), wait, most_bytes
        self._db: sqlite3.Connection | None = None
        self._inodes: Inodes = ()
        self._upkeep: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Create the file if need be; StoreUnavailable if it is not a database or cannot be written."""
        self._upkeep = self._upkeep or asyncio.create_task(self._checkpoint_forever())
        await self._attempt(lambda db: None)

    async def close(self) -> None:
        """Close the file, which also folds the WAL into it."""
        if self._upkeep:
            self._upkeep.cancel()
            self._upkeep = None
        self._disconnect()

    def _connection(self) -> sqlite3.Connection:
        """The connection; a new one if a file of it was replaced under us, for the old one would write into nothing."""
        if self._db is not None and (found := _inodes(self.path)) != self._inodes:
            if found[:1] == self._inodes[:1]:
                self._rescue(self._db)
            log.error("%s was replaced or removed; opening it anew", self.path)
            self._disconnect()
        if self._db is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            db = sqlite3.connect(self.path, timeout=0, isolation_level=None, check_same_thread=False)
            try:
                db.execute("PRAGMA journal_mode=WAL")
                db.execute("PRAGMA synchronous=NORMAL")
                db.execute(f"PRAGMA wal_autocheckpoint={_WAL_MOST // _PAGE}")
                db.execute(f"PRAGMA cache_size=-{_CACHE_KB}")
                db.execute(f"PRAGMA max_page_count={self.most_bytes // _PAGE}")
                _prepare(db)
            except BaseException:
                db.close()
                raise
            self._db, self._inodes = db, _inodes(self.path)
        return self._db

    def _rescue(self, db: sqlite3.Connection) -> None:
        """The WAL has lost its name, and with it what was not folded yet; while it is open, that can still be done."""
        busy, _, _ = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:  # somebody reads in it: as long as it stays open, nothing is lost
            raise StoreUnavailable("a file of the store was removed, and what was in it is still to be saved")
        log.error("the WAL was removed under a running server; all that was in it has been saved")

    def _disconnect(self) -> None:
        if self._db is not None:
            try:
                self._db.close()
            except sqlite3.Error:
                log.exception("closing the database")
            self._db = None

    async def _attempt(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do the work; while the database is busy, pause and try again until the time to wait is over."""
        deadline, pause = monotonic() + self.wait, 0.001
        while True:
            try:
                return work(self._connection())
            except (sqlite3.Error, OSError) as error:
                code = getattr(error, "sqlite_errorcode", 0)
                if code & 0xFF not in _BUSY or monotonic() + pause > deadline:
                    raise self._unavailable(error, code) from error
            await asyncio.sleep(pause)
            pause = min(2 * pause, 0.05)

    def _unavailable(self, error: Exception, code: int) -> StoreUnavailable:
        if code & 0xFF in _BUSY:
            return StoreUnavailable("the store is busy")
        log.error("the store failed: %s", error)
        if code == sqlite3.SQLITE_FULL:
            return StoreFull()
        if code in _UNWRITABLE:
            return StoreUnavailable("the store's disk takes no write: it is full, or failing", retry_after=30)
        self._disconnect()  # the next call opens the file anew, mended or not
        if isinstance(error, _AnotherLayout):
            return StoreUnavailable("the store was written by another version of the playground", retry_after=30)
        return StoreUnavailable("the store is broken", retry_after=30)

    async def _write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """The work in one transaction that takes the write lock first: one that reads first cannot wait for it."""

        def transaction(db: sqlite3.Connection) -> T:
            db.execute("BEGIN IMMEDIATE")
            try:
                result = work(db)
                db.execute("COMMIT")
            except BaseException:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise
            return result

        return await self._attempt(transaction)

    async def ready(self) -> None:
        """Return if a write succeeds."""
        await self._write(lambda db: db.execute(f"PRAGMA user_version={_LAYOUT}"))  # which says what it said

    async def stamp(self, key: str) -> Stamp | None:
        """The stamp of a record; None if there is none."""
        query = "SELECT version, token FROM records WHERE key = ? AND expires > ?"
        row = await self._attempt(lambda db: db.execute(query, (key, time())).fetchone())
        return Stamp(*row) if row else None

    async def get(self, key: str, kinds: Sequence[str] = ()) -> Record | None:
        """A record with all its parts of these kinds."""

        def work(db: sqlite3.Connection) -> Record | None:
            row = db.execute(
                "SELECT version, token, owner, value FROM records WHERE key = ? AND expires > ?", (key, time())
            ).fetchone()
            if row is None:
                return None
            query = "SELECT name, value FROM parts WHERE key = ? AND kind = ?"
            version, token, owner, value = row
            parts = {kind: dict(db.execute(query, (key, kind))) for kind in kinds}
            return Record(Stamp(version, token), owner, value, parts)

        return await self._attempt(lambda db: _at_one_moment(db, work) if kinds else work(db))

    async def part(self, key: str, kind: str, name: str) -> bytes | None:
        """One part."""
        query = "SELECT value FROM parts WHERE key = ? AND kind = ? AND name = ?"
        row = await self._attempt(lambda db: db.execute(query, (key, kind, name)).fetchone())
        return row[0] if row else None

    async def names(self, key: str, kind: str) -> list[str]:
        """The names of a record's parts of one kind."""
        query = "SELECT name FROM parts WHERE key = ? AND kind = ?"
        return [name for (name,) in await self._attempt(lambda db: db.execute(query, (key, kind)).fetchall())]

    async def put(
        self, key: str, value: bytes, *,
        expected: Stamp = NEW, owner: str = "", source: str = "", seconds: float,
        parts: Parts | None = None, content: bytes | None = None,
    ) -> Stamp | None:  # fmt: skip
        """Write value and parts if the stamp is `expected`."""
        now, stamp = time(), expected.next()
        written = now - now % _GRAIN

        def work(db: sqlite3.Connection) -> Stamp | None:
            if expected == NEW:
                self._admit(db)
                db.execute("DELETE FROM records WHERE key = ? AND expires <= ?", (key, now))
                done = db.execute(
                    "INSERT INTO records (key, version, owner, written, expires, value, token, source)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                    (key, stamp.version, owner, written, written + seconds, value, stamp.token, source),
                )
                if done.rowcount:
                    _forget(db, key)  # no part of an expired record of this name may live on
                    _bring(db, key, content)
            else:
                done = db.execute(
                    "UPDATE records SET version = ?, token = ?, value = ? WHERE key = ? AND version = ? AND token = ?",
                    (*stamp, value, key, *expected),
                )
                db.execute(
                    "UPDATE records SET written = ?, expires = ? WHERE key = ? AND written < ?",
                    (written, written + seconds, key, written),
                )
            if not done.rowcount:
                return None
            _write_parts(db, key, parts or {})
            return stamp

        return await self._write(work)

    def _admit(self, db: sqlite3.Connection) -> None:
        """StoreFull if there is no room for one more record: what is left is for those that are there to go on."""
        used, free = (db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count"))
        if used - free > _FOR_KNOWN * (self.most_bytes // _PAGE):
            raise StoreFull

    async def content(self, key: str) -> bytes | None:
        """The content that a record brought."""
        query = (
            "SELECT contents.value FROM contents JOIN uses USING (hash) JOIN records USING (key)"
            " WHERE key = ? AND expires > ?"
        )
        row = await self._attempt(lambda db: db.execute(query, (key, time())).fetchone())
        return row[0] if row else None

    async def delete(self, key: str) -> bool:
        """Remove a record and its parts."""

        def work(db: sqlite3.Connection) -> bool:
            _forget(db, key)
            return bool(db.execute("DELETE FROM records WHERE key = ?", (key,)).rowcount)

        return await self._write(work)

    async def owned(self, owner: str, prefix: str) -> list[tuple[str, Record]]:
        """An owner's records, the one written last first."""
        query = (
            "SELECT key, version, token, owner, value FROM records"
            " WHERE owner = ? AND key >= ? AND key < ? AND expires > ? ORDER BY written DESC, rowid DESC"
        )
        arguments = (owner, *_span(prefix), time())
        rows = await self._attempt(lambda db: db.execute(query, arguments).fetchall())
        return [(key, Record(Stamp(version, token), *rest)) for key, version, token, *rest in rows]

    async def count(self, prefix: str, source: str | None = None) -> int:
        """How many records have a key that begins with `prefix`, of one source or of all."""
        query = "SELECT count(*) FROM records WHERE key >= ? AND key < ?"
        arguments: tuple[str, ...] = _span(prefix)
        if source is not None:
            query, arguments = query + " AND source = ?", (*arguments, source)
        row = await self._attempt(lambda db: db.execute(query, arguments).fetchone())
        return int(row[0])

    async def sources(self, prefix: str) -> list[tuple[str, int]]:
        """Sources and how many records each has, the one with most first."""
        query = (
            "SELECT source, count(*) AS held FROM records WHERE key >= ? AND key < ?"
            " GROUP BY source ORDER BY held DESC LIMIT 100"
        )
        return await self._attempt(lambda db: db.execute(query, _span(prefix)).fetchall())

    async def oldest(
        self, prefix: str, before: float, most: int, owner: str | None = None, source: str | None = None
    ) -> list[str]:
        """Keys not written since `before`, the oldest first."""
        query = "SELECT key FROM records WHERE written <= ? AND key >= ? AND key < ?"
        arguments: list[Any] = [before - _GRAIN, *_span(prefix)]
        for name, value in (("owner", owner), ("source", source)):
            if value is not None:
                query += f" AND {name} = ?"
                arguments.append(value)
        query += " ORDER BY written, rowid LIMIT ?"
        rows = await self._attempt(lambda db: db.execute(query, [*arguments, most]).fetchall())
        return [key for (key,) in rows]

    async def sweep(self) -> int:
        """Remove what has expired, a bounded number at a time."""

        def work(db: sqlite3.Connection) -> int:
            rows = db.execute("SELECT key FROM records WHERE expires <= ? LIMIT 500", (time(),)).fetchall()
            for (key,) in rows:
                _forget(db, key)
            db.executemany("DELETE FROM records WHERE key = ?", rows)
            return len(rows)

        return await self._write(work)

    async def _checkpoint_forever(self) -> None:
        """Fold the WAL into the file in a thread of its own, for that waits for the disk."""
        waited = 0
        while True:
            await asyncio.sleep(_FOLD_SECONDS)
            waited += _FOLD_SECONDS
            with suppress(StoreUnavailable):  # a file that is gone is noticed before one of its name is made
                await self._attempt(lambda db: None)
            if waited < _FOLD_AT_LEAST and _size(Path(f"{self.path}-wal")) < _WAL_FOLDED:
                continue
            try:
                waited = 0
                await asyncio.to_thread(_fold, self.path)
            except Exception as error:
                log.warning("the WAL was not folded: %s", error)


def _fold(path: Path) -> None:
    db = sqlite3.connect(path, timeout=0)
    try:
        db.execute("PRAGMA wal_checkpoint(PASSIVE)")  # without stopping anybody
        if _size(Path(f"{path}-wal")) > _WAL_CUT:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        db.close()


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


class _AnotherLayout(sqlite3.DatabaseError):
    """The file has a layout that is not known here."""


def _prepare(db: sqlite3.Connection) -> None:
    """Make the tables, or bring those of an older layout to this one."""
    layout = db.execute("PRAGMA user_version").fetchone()[0]
    if layout == _LAYOUT:
        return
    if layout not in _STEPS:
        raise _AnotherLayout(f"layout {layout} of the file is not known here, {_LAYOUT} is")
    db.execute("BEGIN IMMEDIATE")
    layout = db.execute("PRAGMA user_version").fetchone()[0]  # another process may have been sooner
    if not db.execute("SELECT count(*) FROM sqlite_master WHERE name = 'records'").fetchone()[0]:
        layout = _LAYOUT
    for step in range(layout, _LAYOUT):
        for statement in _STEPS[step]:
            db.execute(statement)
    for statement in _SCHEMA:
        db.execute(statement)
    db.execute(f"PRAGMA user_version={_LAYOUT}")
    db.execute("COMMIT")


def _at_one_moment(db: sqlite3.Connection, work: Callable[[sqlite3.Connection], T]) -> T:
    db.execute("BEGIN")
    try:
        return work(db)
    finally:
        if db.in_transaction:
            db.execute("COMMIT")


def _forget(db: sqlite3.Connection, key: str) -> None:
    for statement in _FORGET:
        db.execute(statement, (key,))


def _bring(db: sqlite3.Connection, key: str, content: bytes | None) -> None:
    if content is not None:
        digest = sha256(content).hexdigest()
        db.execute("INSERT INTO contents VALUES (?, ?) ON CONFLICT DO NOTHING", (digest, content))
        db.execute("INSERT INTO uses VALUES (?, ?)", (key, digest))


def _write_parts(db: sqlite3.Connection, key: str, parts: Parts) -> None:
    gone: list[tuple[str, str, str]] = []
    kept: list[tuple[str, str, str, Any]] = []
    for kind, named in parts.items():
        for name, value in named.items():
            if value is None:
                gone.append((key, kind, name))
            else:
                kept.append((key, kind, name, value))
    if gone:
        db.executemany("DELETE FROM parts WHERE key = ? AND kind = ? AND name = ?", gone)
    if kept:
        db.executemany("INSERT OR REPLACE INTO parts VALUES (?, ?, ?, ?)", kept)


def _span(prefix: str) -> tuple[str, str]:
    """The keys that begin with `prefix`, as a range that an index can serve."""
    return prefix, prefix[:-1] + chr(ord(prefix[-1]) + 1)


def _inodes(path: Path) -> Inodes:
    """Which files a database is: the file itself and its WAL."""
    return tuple(_inode(each) for each in (path, f"{path}-wal"))


def _inode(path: Path | str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino
