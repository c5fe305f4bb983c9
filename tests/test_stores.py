"""One contract, two stores: each test of the contract runs against SQLite and against a real Redis server."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from time import process_time, time
from typing import Any

import pytest

from app.failures import StoreUnavailable
from app.stores import Store
from app.stores.redis import RedisStore
from app.stores.sqlite import SqliteStore

Work = Callable[[Store], Awaitable[None]]
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
        assert await store.put("run:a", odd, expected=0, owner="me", seconds=60, parts=parts)
        record = await store.get("run:a", ("point", "edits"))
        assert record is not None
        assert (record.version, record.owner, record.value) == (1, "me", odd)
        assert record.parts == {"point": {"0": odd, "10": b""}, "edits": {}}
        assert await store.part("run:a", "spec", "origin") == b"{}"
        assert await store.part("run:a", "spec", "none") is None
        assert sorted(await store.names("run:a", "point")) == ["0", "10"]
        assert await store.version("run:a") == 1

    play(work)


def test_what_was_never_written_is_not_there(play: Play) -> None:
    """None, not an exception."""

    async def work(store: Store) -> None:
        assert await store.get("run:none", ("point",)) is None
        assert await store.version("run:none") is None
        assert await store.names("run:none", "point") == []
        assert not await store.delete("run:none")

    play(work)


def test_only_the_expected_version_is_overwritten(play: Play) -> None:
    """A put with another version writes nothing: neither the value nor any part."""

    async def work(store: Store) -> None:
        assert await store.put("run:a", b"1", expected=0, seconds=60)
        assert not await store.put("run:a", b"x", expected=0, seconds=60, parts={"once": {"k": b"x"}})
        assert await store.put("run:a", b"2", expected=1, seconds=60, parts={"once": {"k": b"2"}})
        assert not await store.put("run:a", b"x", expected=1, seconds=60, parts={"once": {"k": b"x"}})
        assert not await store.put("run:b", b"x", expected=3, seconds=60, parts={"once": {"k": b"x"}})
        record = await store.get("run:a", ("once",))
        assert record is not None
        assert (record.version, record.value, record.parts) == (2, b"2", {"once": {"k": b"2"}})
        assert await store.get("run:b") is None
        assert await store.part("run:b", "once", "k") is None

    play(work)


def test_two_writers_lose_no_update(play: Play) -> None:
    """200 increments by two writers at once come to 200, each repeated until its put succeeds."""

    async def work(store: Store) -> None:
        await store.put("run:n", b"0", expected=0, seconds=60)

        async def count(times: int) -> None:
            for _ in range(times):
                while True:
                    record = await store.get("run:n")
                    assert record is not None
                    await asyncio.sleep(0)
                    value = str(int(record.value) + 1).encode()
                    if await store.put("run:n", value, expected=record.version, seconds=60):
                        break

        await asyncio.gather(count(100), count(100))
        record = await store.get("run:n")
        assert record is not None
        assert (record.value, record.version) == (b"200", 201)

    play(work)


def test_a_part_is_removed_by_none(play: Play) -> None:
    """Together with the value, in one write."""

    async def work(store: Store) -> None:
        await store.put("run:a", b"1", expected=0, seconds=60, parts={"point": {"1": b"x", "2": b"y"}})
        await store.put("run:a", b"2", expected=1, seconds=60, parts={"point": {"1": None, "3": b"z"}})
        assert sorted(await store.names("run:a", "point")) == ["2", "3"]

    play(work)


def test_a_deleted_record_leaves_nothing(play: Play) -> None:
    """No part of it shows up in a later record of the same key."""

    async def work(store: Store) -> None:
        await store.put("run:a", b"1", expected=0, owner="me", seconds=60, parts={"point": {"1": b"x"}})
        assert await store.delete("run:a")
        assert await store.owned("me", "run:") == []
        assert await store.count("run:") == 0
        assert await store.put("run:a", b"2", expected=0, seconds=60)
        record = await store.get("run:a", ("point",))
        assert record is not None
        assert record.parts == {"point": {}}

    play(work)


def test_records_are_found_by_owner_and_counted_by_prefix(play: Play) -> None:
    """Rooms and runs of one owner are told apart."""

    async def work(store: Store) -> None:
        for key, owner in (("run:a", "me"), ("run:b", "you"), ("room:c", "me"), ("run:d", "me")):
            await store.put(key, key.encode(), expected=0, owner=owner, seconds=60)
        assert sorted(key for key, _ in await store.owned("me", "run:")) == ["run:a", "run:d"]
        assert [record.value for _, record in await store.owned("you", "run:")] == [b"run:b"]
        assert (await store.count("run:"), await store.count("room:")) == (3, 1)

    play(work)


def test_the_oldest_are_found_for_making_room(play: Play) -> None:
    """All that was not written since a time, of everybody or of one owner; nothing that was."""

    async def work(store: Store) -> None:
        for key, owner in (("run:a", "me"), ("run:b", "you"), ("run:c", "me")):
            await store.put(key, b"", expected=0, owner=owner, seconds=600)
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
        await store.put("run:a", b"1", expected=0, owner="me", seconds=seconds, parts={"point": {"1": b"x"}})
        await store.put("run:b", b"1", expected=0, owner="me", seconds=600)
        await asyncio.sleep(0.1)
        assert await store.get("run:a", ("point",)) is None
        assert await store.version("run:a") is None
        assert [key for key, _ in await store.owned("me", "run:")] == ["run:b"]
        assert await store.sweep() == 1
        assert await store.count("run:") == 1
        assert await store.names("run:a", "point") == []
        assert await store.put("run:a", b"2", expected=0, seconds=60)

    play(work)


def test_a_bucket_gives_what_it_holds(play: Play) -> None:
    """A burst at once, then no more than the rate."""

    async def work(store: Store) -> None:
        assert await store.take("v:me", 3, rate=0.001, burst=5) == 3
        assert await store.take("v:me", 3, rate=0.001, burst=5) == pytest.approx(2, abs=0.1)
        assert await store.take("v:me", 1, rate=0.001, burst=5) == pytest.approx(0, abs=0.1)
        assert await store.take("v:you", 1, rate=0.001, burst=5) == 1
        await asyncio.sleep(0.05)
        assert await store.take("v:me", 1, rate=100, burst=5) == 1

    play(work)


def test_a_store_is_ready_when_it_can_write(play: Play) -> None:
    """No exception."""

    async def work(store: Store) -> None:
        await store.ready()

    play(work)


def test_a_locked_database_is_waited_for_and_then_refused(tmp_path: Path) -> None:
    """Within the time to wait, while the event loop turns and readers read; then it works again."""
    path = tmp_path / "runs.sqlite3"

    async def work(store: Store) -> None:
        await store.put("run:a", b"1", expected=0, seconds=60)
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        attempt = asyncio.create_task(store.put("run:a", b"2", expected=1, seconds=60))
        await asyncio.sleep(0.02)
        assert await store.version("run:a") == 1
        with pytest.raises(StoreUnavailable, match="busy"):
            await attempt
        other.execute("ROLLBACK")
        assert await store.put("run:a", b"2", expected=1, seconds=60)
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
                await store.put(f"run:{written}", b"x", expected=0, seconds=60, parts={"state": {"1": blob}})
                written += 1

        with pytest.raises(StoreUnavailable, match="full") as refusal:
            await fill()
        assert refusal.value.retry_after >= 1
        assert written >= 3
        assert await store.version(f"run:{written}") is None
        assert await store.names(f"run:{written}", "state") == []
        record = await store.get("run:0", ("state",))
        assert record is not None
        assert record.parts == {"state": {"1": blob}}
        assert await store.delete("run:0")
        assert await store.put("run:new", blob, expected=0, seconds=60)

    run_with(SqliteStore(str(tmp_path / "runs.sqlite3"), most_bytes=1 << 20), work)


def test_a_write_that_fails_half_way_writes_nothing(play: Play) -> None:
    """Neither the value nor the parts before the one that could not be written."""

    async def work(store: Store) -> None:
        await store.put("run:a", b"1", expected=0, seconds=60)
        parts: Any = {"point": {"1": b"x", "2": object()}}
        with pytest.raises(Exception, match=r"."):
            await store.put("run:a", b"2", expected=1, seconds=60, parts=parts)
        record = await store.get("run:a", ("point",))
        assert record is not None
        assert (record.version, record.value, record.parts) == (1, b"1", {"point": {}})

    play(work)


def test_a_corrupt_file_is_refused_and_its_replacement_taken(tmp_path: Path) -> None:
    """Unavailable while the file is rubbish; once it is gone, the store opens a new one by itself."""
    path = tmp_path / "runs.sqlite3"

    async def work(store: Store) -> None:
        await store.put("run:a", b"1", expected=0, seconds=60)
        await store.close()
        for each in tmp_path.iterdir():
            each.write_bytes(b"rubbish" * 2000)
        with pytest.raises(StoreUnavailable, match="broken"):
            await store.ready()
        for each in tmp_path.iterdir():
            each.unlink()
        await store.ready()
        assert await store.put("run:b", b"1", expected=0, seconds=60)

    run_with(SqliteStore(str(path)), work)


def test_a_file_that_is_replaced_is_noticed(tmp_path: Path) -> None:
    """Writes do not go on into a file that no longer has a name."""
    path = tmp_path / "runs.sqlite3"

    async def work(store: Store) -> None:
        await store.put("run:a", b"1", expected=0, seconds=60)
        for each in tmp_path.iterdir():
            each.unlink()
        assert await store.put("run:b", b"1", expected=0, seconds=60)
        assert path.exists()
        assert await store.version("run:a") is None

    run_with(SqliteStore(str(path)), work)


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
                await store.version("run:a")
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
                await store.put(f"run:{i:03}", b"x", expected=0, seconds=60, parts={"now": {"state": bytes(500_000)}})
            key, begin = f"run:{count:03}-", process_time()
            for version in range(200):
                parts = {"now": {"state": b"short"}, "point": {str(version): b"short"}}
                await store.put(key, b"x", expected=version, seconds=60, parts=parts)
            times.append(process_time() - begin)
        await store.close()
        return times[0], times[1]

    alone, beside = asyncio.run(work())
    assert beside < 5 * alone
