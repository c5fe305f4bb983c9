"""One contract, two stores: each test of the contract runs against SQLite and against a real Redis server."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path
from time import process_time, time
from typing import Any
from urllib.parse import urlsplit

import pytest

from app.failures import StoreFull, StoreUnavailable, StoreUnsure
from app.stores import NEW, Stamp, Store
from app.stores.redis import RedisStore
from app.stores.sqlite import SqliteStore

Work = Callable[[Store], Awaitable[None]]
FIRST_LAYOUT = (
    """CREATE TABLE records (
        key TEXT PRIMARY KEY, version INTEGER NOT NULL, owner TEXT NOT NULL,
        written REAL NOT NULL, expires REAL NOT NULL, value BLOB NOT NULL)""",
    """CREATE TABLE parts (
        key TEXT NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL, value BLOB NOT NULL,
        PRIMARY KEY (key, kind, name))""",
    "CREATE TABLE buckets (key TEXT PRIMARY KEY, level REAL NOT NULL, at REAL NOT NULL) WITHOUT ROWID",
)
Play = Callable[[Work], None]


@asynccontextmanager
async def opened(store: Store) -> AsyncIterator[Store]:
    await store.open()
    try:
        yield store
    finally:
        await store.close()


def run_with(store: Store, work: Work) -> None:
    async def main() -> None:
        async with opened(store) as ready:
            await work(ready)

    asyncio.run(main())


@pytest.fixture(params=["sqlite", "redis"])
def play(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Play]:
    """Runs a coroutine function with a fresh store of each kind."""
    if request.param == "sqlite":
        yield lambda work: run_with(SqliteStore(str(tmp_path / "runs.sqlite3")), work)
        return
    url: str = request.getfixturevalue("redis_server")

    async def empty(store: RedisStore) -> None:
        await store._redis.flushdb()

    def fresh(work: Work) -> None:
        async def main() -> None:
            async with opened(RedisStore(url)) as store:
                await empty(store)  # type: ignore[arg-type]
                await work(store)

        asyncio.run(main())

    yield fresh


def test_a_record_comes_back_with_its_parts(play: Play) -> None:
    """Value, owner and parts of the kinds that were asked for, to the byte."""

    async def work(store: Store) -> None:
        odd = bytes(range(256))
        parts = {"point": {"0": odd, "10": b""}, "spec": {"origin": b"{}"}}
        assert await store.put("run:a", odd, owner="me", seconds=60, parts=parts)
        record = await store.get("run:a", ("point", "edits"))
        assert record is not None
        assert (record.stamp.version, record.owner, record.value) == (1, "me", odd)
        assert record.parts == {"point": {"0": odd, "10": b""}, "edits": {}}
        assert await store.part("run:a", "spec", "origin") == b"{}"
        assert await store.part("run:a", "spec", "none") is None
        assert sorted(await store.names("run:a", "point")) == ["0", "10"]
        assert await store.stamp("run:a") == record.stamp

    play(work)


def test_what_was_never_written_is_not_there(play: Play) -> None:
    """None, not an exception."""

    async def work(store: Store) -> None:
        assert await store.get("run:none", ("point",)) is None
        assert await store.stamp("run:none") is None
        assert await store.names("run:none", "point") == []
        assert not await store.delete("run:none")

    play(work)


def test_only_the_expected_version_is_overwritten(play: Play) -> None:
    """A put with another version writes nothing: neither the value nor any part."""

    async def work(store: Store) -> None:
        first = await store.put("run:a", b"1", seconds=60)
        assert first
        assert not await store.put("run:a", b"x", seconds=60, parts={"once": {"k": b"x"}})
        assert await store.put("run:a", b"2", expected=first, seconds=60, parts={"once": {"k": b"2"}})
        assert not await store.put("run:a", b"x", expected=first, seconds=60, parts={"once": {"k": b"x"}})
        assert not await store.put("run:b", b"x", expected=Stamp(3, "token"), seconds=60, parts={"once": {"k": b"x"}})
        record = await store.get("run:a", ("once",))
        assert record is not None
        assert (record.stamp.version, record.value, record.parts) == (2, b"2", {"once": {"k": b"2"}})
        assert await store.get("run:b") is None
        assert await store.part("run:b", "once", "k") is None

    play(work)


def test_a_number_that_comes_back_is_another_write(play: Play) -> None:
    """A record that was lost and counted up anew has the same version, and yet the old stamp does not overwrite it."""

    async def work(store: Store) -> None:
        lost = await store.put("run:a", b"1", seconds=60)
        assert lost
        await store.delete("run:a")
        now = await store.put("run:a", b"2", seconds=60)
        assert now
        assert (lost.version, now.version) == (1, 1)
        assert not await store.put("run:a", b"x", expected=lost, seconds=60)
        assert await store.stamp("run:a") == now
        assert await store.put("run:a", b"3", expected=now, seconds=60)

    play(work)


def test_two_writers_lose_no_update(play: Play) -> None:
    """200 increments by two writers at once come to 200, each repeated until its put succeeds."""

    async def work(store: Store) -> None:
        await store.put("run:n", b"0", seconds=60)

        async def count(times: int) -> None:
            for _ in range(times):
                while True:
                    record = await store.get("run:n")
                    assert record is not None
                    await asyncio.sleep(0)
                    value = str(int(record.value) + 1).encode()
                    if await store.put("run:n", value, expected=record.stamp, seconds=60):
                        break

        await asyncio.gather(count(100), count(100))
        record = await store.get("run:n")
        assert record is not None
        assert (record.value, record.stamp.version) == (b"200", 201)

    play(work)


def test_a_part_is_removed_by_none(play: Play) -> None:
    """Together with the value, in one write."""

    async def work(store: Store) -> None:
        first = await store.put("run:a", b"1", seconds=60, parts={"point": {"1": b"x", "2": b"y"}})
        assert first
        await store.put("run:a", b"2", expected=first, seconds=60, parts={"point": {"1": None, "3": b"z"}})
        assert sorted(await store.names("run:a", "point")) == ["2", "3"]

    play(work)


def test_a_deleted_record_leaves_nothing(play: Play) -> None:
    """No part of it shows up in a later record of the same key."""

    async def work(store: Store) -> None:
        await store.put("run:a", b"1", owner="me", seconds=60, parts={"point": {"1": b"x"}})
        assert await store.delete("run:a")
        assert await store.owned("me", "run:") == []
        assert await store.count("run:") == 0
        assert await store.put("run:a", b"2", seconds=60)
        record = await store.get("run:a", ("point",))
        assert record is not None
        assert record.parts == {"point": {}}

    play(work)


def test_records_are_found_by_owner_and_counted_by_prefix(play: Play) -> None:
    """Rooms and runs of one owner are told apart."""

    async def work(store: Store) -> None:
        for key, owner in (("run:a", "me"), ("run:b", "you"), ("room:c", "me"), ("run:d", "me")):
            await store.put(key, key.encode(), owner=owner, seconds=60)
        assert sorted(key for key, _ in await store.owned("me", "run:")) == ["run:a", "run:d"]
        assert [record.value for _, record in await store.owned("you", "run:")] == [b"run:b"]
        assert (await store.count("run:"), await store.count("room:")) == (3, 1)

    play(work)


def test_the_oldest_are_found_for_making_room(play: Play) -> None:
    """All that was not written since a time, of everybody or of one owner; nothing that was."""

    async def work(store: Store) -> None:
        for key, owner in (("run:a", "me"), ("run:b", "you"), ("run:c", "me")):
            await store.put(key, b"", owner=owner, seconds=600)
        assert await store.oldest("run:", time() - 300, 10) == []
        later = time() + 300
        assert sorted(await store.oldest("run:", later, 10)) == ["run:a", "run:b", "run:c"]
        assert sorted(await store.oldest("run:", later, 10, "me")) == ["run:a", "run:c"]
        assert len(await store.oldest("run:", later, 2)) == 2

    play(work)


def test_what_is_not_written_again_expires(play: Play) -> None:
    """It is gone for readers at once and from the indexes with the next sweep."""

    async def work(store: Store) -> None:
        seconds = -61.0 if isinstance(store, SqliteStore) else 0.05  # SQLite keeps times to the minute
        await store.put("run:a", b"1", owner="me", seconds=seconds, parts={"point": {"1": b"x"}})
        await store.put("run:b", b"1", owner="me", seconds=600)
        await asyncio.sleep(0.1)
        assert await store.get("run:a", ("point",)) is None
        assert await store.stamp("run:a") is None
        assert [key for key, _ in await store.owned("me", "run:")] == ["run:b"]
        assert await store.sweep() == 1
        assert await store.count("run:") == 1
        assert await store.names("run:a", "point") == []
        assert await store.put("run:a", b"2", seconds=60)

    play(work)


def test_content_is_kept_once_and_goes_with_its_last_record(play: Play) -> None:
    """Deleted, expired or replaced, in whatever order; and it is found by a record alone."""

    async def work(store: Store) -> None:
        content, other = bytes(range(256)) * 4_000, b"other"
        stamp = await store.put("run:a", b"1", seconds=600, content=content)
        assert stamp
        for key in ("run:b", "run:c"):
            await store.put(key, b"1", seconds=600, content=content)
        await store.put("run:other", b"1", seconds=600, content=other)
        await store.put("run:none", b"1", seconds=600)
        assert await bytes_of_contents(store) == len(content) + len(other)
        assert await store.put("run:a", b"2", expected=stamp, seconds=600)
        for key in ("run:a", "run:b", "run:c"):
            assert await store.content(key) == content
        assert await store.content("run:none") is None
        assert await store.content("run:nobody") is None
        await store.delete("run:a")
        assert await store.content("run:a") is None
        await store.delete("run:c")
        assert await store.content("run:b") == content
        await store.put("run:a", b"1", seconds=600)
        assert await store.content("run:a") is None
        await store.delete("run:b")
        assert await bytes_of_contents(store) == len(other)
        await store.delete("run:other")
        assert await bytes_of_contents(store) == 0

    play(work)


def test_content_goes_with_a_record_that_expires(play: Play) -> None:
    """With the sweep, or with the next record of its name; not while another uses it."""

    async def work(store: Store) -> None:
        seconds = -61.0 if isinstance(store, SqliteStore) else 0.05
        await store.put("run:a", b"1", seconds=seconds, content=b"once")
        await store.put("run:b", b"1", seconds=seconds, content=b"twice")
        await store.put("run:c", b"1", seconds=600, content=b"twice")
        await asyncio.sleep(0.1)
        assert await store.content("run:a") is None
        await store.put("run:a", b"2", seconds=600, content=b"new")
        assert await store.content("run:a") == b"new"
        await store.sweep()
        assert await store.content("run:c") == b"twice"
        assert await bytes_of_contents(store) == len(b"new") + len(b"twice")

    play(work)


async def bytes_of_contents(store: Store) -> int:
    """What all contents take, looked up behind the store's back."""
    if isinstance(store, SqliteStore):
        with closing(sqlite3.connect(store.path)) as db:
            return int(db.execute("SELECT coalesce(sum(length(value)), 0) FROM contents").fetchone()[0])
    assert isinstance(store, RedisStore)
    return sum([await store._redis.strlen(key) async for key in store._redis.scan_iter("bp:d:*")])


def test_a_store_is_ready_when_it_can_write(play: Play) -> None:
    """No exception."""

    async def work(store: Store) -> None:
        await store.ready()

    play(work)


def test_a_locked_database_is_waited_for_and_then_refused(tmp_path: Path) -> None:
    """Within the time to wait, while the event loop turns and readers read; then it works again."""
    path = tmp_path / "runs.sqlite3"

    async def work(store: Store) -> None:
        first = await store.put("run:a", b"1", seconds=60)
        assert first
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        attempt = asyncio.create_task(store.put("run:a", b"2", expected=first, seconds=60))
        await asyncio.sleep(0.02)
        assert await store.stamp("run:a") == first
        with pytest.raises(StoreUnavailable, match="busy"):
            await attempt
        other.execute("ROLLBACK")
        assert await store.put("run:a", b"2", expected=first, seconds=60)
        other.close()

    run_with(SqliteStore(str(path), wait=0.2), work)


def test_a_full_database_refuses_and_recovers(tmp_path: Path) -> None:
    """Nothing is half-written, reads go on, and deleting makes room again."""

    async def work(store: Store) -> None:
        blob = bytes(200_000)
        written = 0

        async def fill() -> None:
            nonlocal written
            while written < 20:
                await store.put(f"run:{written}", b"x", seconds=60, parts={"state": {"1": blob}})
                written += 1

        with pytest.raises(StoreUnavailable, match="full") as refusal:
            await fill()
        assert refusal.value.retry_after >= 1
        assert written >= 3
        assert await store.stamp(f"run:{written}") is None
        assert await store.names(f"run:{written}", "state") == []
        record = await store.get("run:0", ("state",))
        assert record is not None
        assert record.parts == {"state": {"1": blob}}
        assert await store.delete("run:0")
        assert await store.put("run:new", blob, seconds=60)

    run_with(SqliteStore(str(tmp_path / "runs.sqlite3"), most_bytes=1 << 20), work)


def test_what_is_there_can_go_on_in_a_full_database(tmp_path: Path) -> None:
    """A part of the size is kept for it: no new record takes that."""

    async def work(store: Store) -> None:
        stamps = dict[str, Stamp]()

        async def fill() -> None:
            for i in range(100):
                stamp = await store.put(f"run:{i}", bytes(50_000), seconds=60)
                assert stamp
                stamps[f"run:{i}"] = stamp

        with pytest.raises(StoreFull):
            await fill()
        assert len(stamps) > 10
        for key, stamp in stamps.items():
            parts = {"point": {"1": bytes(1_000)}}
            assert await store.put(key, bytes(50_000), expected=stamp, seconds=60, parts=parts)

    run_with(SqliteStore(str(tmp_path / "runs.sqlite3"), most_bytes=2 << 20), work)


def test_a_write_that_fails_half_way_writes_nothing(play: Play) -> None:
    """Neither the value nor the parts before the one that could not be written."""

    async def work(store: Store) -> None:
        first = await store.put("run:a", b"1", seconds=60)
        assert first
        parts: Any = {"point": {"1": b"x", "2": object()}}
        with pytest.raises(Exception, match=r"."):
            await store.put("run:a", b"2", expected=first, seconds=60, parts=parts)
        record = await store.get("run:a", ("point",))
        assert record is not None
        assert (record.stamp, record.value, record.parts) == (first, b"1", {"point": {}})

    play(work)


def test_a_corrupt_file_is_refused_and_its_replacement_taken(tmp_path: Path) -> None:
    """Unavailable while the file is rubbish; once it is gone, the store opens a new one by itself."""
    path = tmp_path / "runs.sqlite3"

    async def work(store: Store) -> None:
        await store.put("run:a", b"1", seconds=60)
        await store.close()
        for each in tmp_path.iterdir():
            each.write_bytes(b"rubbish" * 2000)
        with pytest.raises(StoreUnavailable, match="broken"):
            await store.ready()
        for each in tmp_path.iterdir():
            each.unlink()
        await store.ready()
        assert await store.put("run:b", b"1", seconds=60)

    run_with(SqliteStore(str(path)), work)


def test_a_file_that_is_replaced_is_noticed(tmp_path: Path) -> None:
    """Writes do not go on into a file that no longer has a name."""
    path = tmp_path / "runs.sqlite3"

    async def work(store: Store) -> None:
        await store.put("run:a", b"1", seconds=60)
        for each in tmp_path.iterdir():
            each.unlink()
        assert await store.put("run:b", b"1", seconds=60)
        assert path.exists()
        assert await store.stamp("run:a") is None

    run_with(SqliteStore(str(path)), work)


@pytest.mark.parametrize("gone", [("-wal",), ("-wal", "-shm")])
def test_a_deleted_wal_is_noticed_and_nothing_is_lost(tmp_path: Path, gone: tuple[str, ...]) -> None:
    """By whoever asks next, or by itself within a second or so: what is still open is folded into the file, and a
    fresh process finds all of it."""
    path = tmp_path / "runs.sqlite3"

    def remove() -> None:
        for name in gone:
            Path(f"{path}{name}").unlink()

    def count() -> int:
        with closing(sqlite3.connect(f"file:{path}?immutable=1", uri=True)) as db:  # the file alone
            return int(db.execute("SELECT count(*) FROM records").fetchone()[0])

    async def work(store: Store) -> None:
        for i in range(20):
            await store.put(f"run:{i}", b"1", seconds=600)
        remove()
        await store.ready()
        assert count() == 20
        await store.put("run:more", b"1", seconds=600)
        remove()
        for _ in range(600):  # nobody asks
            await asyncio.sleep(0.1)
            if count() == 21:
                break
        assert count() == 21
        other = SqliteStore(str(path))
        await other.open()
        assert await other.count("run:") == 21
        await store.put("run:last", b"1", seconds=600)
        assert await other.count("run:") == 22
        await other.close()

    run_with(SqliteStore(str(path)), work)


def test_a_deleted_wal_that_cannot_be_saved_is_said(tmp_path: Path) -> None:
    """While somebody reads in it: not ready, refused, and well again when that is over."""
    path = tmp_path / "runs.sqlite3"

    async def work(store: Store) -> None:
        await store.put("run:a", b"1", seconds=600)
        with closing(sqlite3.connect(path, isolation_level=None)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT * FROM records").fetchall()
            await store.put("run:b", b"1", seconds=600)
            Path(f"{path}-wal").unlink()
            with pytest.raises(StoreUnavailable):
                await store.ready()
            with pytest.raises(StoreUnavailable):
                await store.put("run:c", b"1", seconds=600)
            reader.execute("COMMIT")
            await store.ready()
        assert await store.count("run:") == 2

    run_with(SqliteStore(str(path)), work)


def test_a_truncated_file_is_broken_and_not_full(tmp_path: Path) -> None:
    """What is said is true: there is room enough."""
    path = tmp_path / "runs.sqlite3"

    async def work(store: Store) -> None:
        for i in range(20):
            await store.put(f"run:{i}", bytes(20_000), seconds=600)
        await store.close()
        whole = path.read_bytes()
        path.write_bytes(whole[: len(whole) // 2])

        async def use() -> None:
            for i in range(20):
                await store.get(f"run:{i}")
                await store.put(f"more:{i}", bytes(20_000), seconds=600)

        with pytest.raises(StoreUnavailable, match="broken"):
            await use()

    run_with(SqliteStore(str(path)), work)


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (sqlite3.SQLITE_FULL, "full"),
        (sqlite3.SQLITE_IOERR_WRITE, "takes no write"),
        (sqlite3.SQLITE_IOERR_FSYNC, "takes no write"),
        (sqlite3.SQLITE_IOERR_SHORT_READ, "broken"),
        (sqlite3.SQLITE_IOERR_READ, "broken"),
        (sqlite3.SQLITE_CORRUPT, "broken"),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, "busy"),
    ],
)
def test_each_kind_of_failure_has_its_own_words(tmp_path: Path, code: int, said: str) -> None:
    """Full is only what has no room left: a file that ends too soon is broken, a disk that fails takes no write."""
    store = SqliteStore(str(tmp_path / "runs.sqlite3"))
    refusal = store._unavailable(sqlite3.OperationalError("disk I/O error"), code)
    assert said in refusal.reason
    assert isinstance(refusal, StoreFull) == (code == sqlite3.SQLITE_FULL)


def test_a_file_of_a_later_layout_is_left_alone(tmp_path: Path) -> None:
    """Said in its own words; not a byte of it is changed."""
    path = tmp_path / "runs.sqlite3"
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("CREATE TABLE records (key TEXT)")
        db.execute("PRAGMA user_version=99")
    before = path.read_bytes()

    async def main() -> None:
        store = SqliteStore(str(path))
        with pytest.raises(StoreUnavailable, match="another version"):
            await store.open()
        await store.close()

    asyncio.run(main())
    assert path.read_bytes() == before


def test_a_file_names_its_layout(tmp_path: Path) -> None:
    """One that is new, and one of the first release, which had none: a column is added, and what is there is kept."""
    path = tmp_path / "runs.sqlite3"
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        for statement in FIRST_LAYOUT:
            db.execute(statement)
        db.execute("INSERT INTO records VALUES ('run:a', 7, 'me', ?, ?, x'31')", (time(), time() + 600))

    async def work(store: Store) -> None:
        record = await store.get("run:a")
        assert record is not None
        assert (record.stamp, record.owner, record.value) == (Stamp(7, ""), "me", b"1")
        assert not await store.put("run:a", b"x", expected=Stamp(7, "another"), seconds=60)
        stamp = await store.put("run:a", b"2", expected=record.stamp, seconds=60)
        assert stamp
        assert stamp.version == 8
        assert stamp.token

    run_with(SqliteStore(str(path)), work)
    run_with(SqliteStore(str(tmp_path / "new.sqlite3")), lambda store: store.ready())
    for each in (path, tmp_path / "new.sqlite3"):
        with closing(sqlite3.connect(each)) as db:
            assert db.execute("PRAGMA user_version").fetchone() == (1,)


def test_every_write_takes_the_lock_first() -> None:
    """No deferred transaction writes: under load it would fail at once instead of waiting."""
    source = Path(SqliteStore.__init__.__code__.co_filename).read_text()
    assert source.count('execute("BEGIN")') == 1  # the reader of one moment
    assert "COMMIT" in source.split("def _at_one_moment")[1]


def test_a_redis_that_is_not_there_is_refused_soon() -> None:
    """Within the time to wait, not redis-py's own 50 seconds."""

    async def main() -> None:
        store = RedisStore("redis://127.0.0.1:9/0", wait=0.4)
        async with asyncio.timeout(30):
            with pytest.raises(StoreUnavailable):
                await store.stamp("run:a")
        await store.close()

    asyncio.run(main())


def test_long_parts_do_not_slow_short_ones(tmp_path: Path) -> None:
    """Beside a hundred states of a large network, small writes take as long as in an empty file, or hardly longer."""

    async def work() -> tuple[float, float]:
        store = SqliteStore(str(tmp_path / "runs.sqlite3"))
        await store.open()
        times = []
        for count in (0, 100):
            for i in range(count):
                await store.put(f"run:{i:03}", b"x", seconds=60, parts={"now": {"state": bytes(500_000)}})
            key, begin, stamp = f"run:{count:03}-", process_time(), NEW
            for version in range(200):
                parts = {"now": {"state": b"short"}, "point": {str(version): b"short"}}
                stamp = await store.put(key, b"x", expected=stamp, seconds=60, parts=parts) or NEW
            times.append(process_time() - begin)
        await store.close()
        return times[0], times[1]

    alone, beside = asyncio.run(work())
    assert beside < 5 * alone


class Deaf:
    """Between a client and Redis: hands on what is asked, and on a connection on which `swallow` was asked, no answer
    ever arrives."""

    def __init__(self, url: str) -> None:
        place = urlsplit(url)
        self.place, self.swallow = (place.hostname, place.port), b""

    async def start(self) -> str:
        self.server = await asyncio.start_server(self._between, "127.0.0.1", 0)
        return f"redis://127.0.0.1:{self.server.sockets[0].getsockname()[1]}/0"

    async def _between(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_redis, to_redis = await asyncio.open_connection(*self.place)
        silent = False

        async def back() -> None:
            while told := await from_redis.read(1 << 16):
                if not silent:
                    writer.write(told)

        answers = asyncio.create_task(back())
        with suppress(OSError, asyncio.CancelledError):
            while asked := await reader.read(1 << 16):
                silent = silent or bool(self.swallow and self.swallow in asked)
                to_redis.write(asked)
        answers.cancel()
        to_redis.close()
        writer.close()


def test_a_write_whose_answer_is_lost_is_looked_up(redis_server: str) -> None:
    """It is there: then it was done, and that is what is said. It cannot be looked up: then nobody knows."""

    async def main() -> None:
        relay = Deaf(redis_server)
        store = RedisStore(await relay.start(), wait=0.4)
        await store._redis.flushdb()
        relay.swallow = b"written-1"
        first = await store.put("run:a", b"written-1", seconds=60)
        assert first
        assert await store.stamp("run:a") == first
        second = await store.put("run:a", b"2", expected=first, seconds=60)
        assert second
        store_b = RedisStore(f"redis://127.0.0.1:{relay.server.sockets[0].getsockname()[1]}/0", wait=0.4)
        await store_b.stamp("run:a")  # so that it has a connection
        relay.swallow = b"*"  # nor is there an answer to the look-up
        with pytest.raises(StoreUnsure):
            await store_b.put("run:a", b"3", expected=second, seconds=60)
        relay.swallow = b""
        record = await store.get("run:a")
        assert record is not None
        assert record.value == b"3"  # it was done after all
        relay.server.close()
        for each in (store, store_b):
            await each.close()

    asyncio.run(main())


def test_a_read_that_is_not_answered_changed_nothing(redis_server: str) -> None:
    """That is sure, and so is a refusal of the server itself."""

    async def main() -> None:
        relay = Deaf(redis_server)
        store = RedisStore(await relay.start(), wait=0.4)
        relay.swallow = b"*"
        with pytest.raises(StoreUnavailable) as unanswered:
            await store.get("run:a")
        assert not isinstance(unanswered.value, StoreUnsure)
        relay.server.close()
        await store.close()

    asyncio.run(main())
