"""Rooms in a store, on SQLite and on a real Redis: two workers are one, strangers are counted, nothing is kept."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.failures import TooMany
from app.room import rooms
from app.room.classroom import Caller, Classroom, NotTeacher, RoomNotFound, SentOut
from app.room.polls import ClassQuestion
from app.room.rooms import Room, Shared
from app.settings import Settings
from app.stores import store_for

Work = Callable[..., Awaitable[None]]
QUESTION = ClassQuestion(0, "own", "Which?", ("a", "b"))
SHARED = Shared("run", 0)
TEACHER = Caller("teacher-token", None, "10.0.0.1")


@pytest.fixture(params=["sqlite", "redis"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where to keep rooms: a new file, or the tests' own Redis server, emptied."""
    if request.param == "sqlite":
        return str(tmp_path / "rooms.sqlite3")
    url: str = request.getfixturevalue("redis_server")
    import redis

    redis.Redis.from_url(url).flushdb()
    return url


def play(place: str, work: Work, workers: int = 1, **more: Any) -> None:
    """Run a coroutine function with as many workers' classrooms on one store."""

    async def main() -> None:
        chosen = Settings(store=place, **more)
        stores = [store_for(chosen) for _ in range(workers)]
        for store in stores:
            await store.open()
        try:
            await work(*(Classroom(store, chosen) for store in stores))
        finally:
            for store in stores:
                await store.close()

    asyncio.run(main())


def test_a_room_is_found_by_its_code_in_any_spelling(place: str) -> None:
    """And its teacher is known by the secret alone."""

    async def work(classroom: Classroom) -> None:
        room, secret = await classroom.create(TEACHER, SHARED)
        for typed in (room.code, rooms.spaced(room.code).lower()):
            entry = await classroom.enter(typed, Caller("x", secret))
            assert entry.room == room
            assert entry.teacher
            assert not (await classroom.enter(typed, Caller("x", "wrong"))).teacher
        with pytest.raises(NotTeacher):
            await classroom.teach(room.code, Caller("x", None))
        for wrong in ("", "nope", rooms.new_code()):
            with pytest.raises(RoomNotFound):
                await classroom.enter(wrong, TEACHER)

    play(place, work)


def test_no_answer_is_lost_between_two_workers(place: str) -> None:
    """60 students answer at once through two workers: every answer counts, and each change has a number of its own."""

    async def work(one: Classroom, two: Classroom) -> None:
        room, _ = await one.create(TEACHER, SHARED)
        await one.change(room.code, lambda r: rooms.ask(r, QUESTION))
        versions: list[int] = []

        async def student(name: str, classroom: Classroom) -> None:
            joined = await classroom.change(room.code, lambda r: rooms.join(r, name))
            told = await classroom.change(room.code, lambda r: rooms.answer(r, name, 1, "a"))
            versions.extend((joined.version, told.version))

        await asyncio.gather(*(student(f"s{i}", (one, two)[i % 2]) for i in range(60)))
        for classroom in (one, two):
            now = await classroom.get(room.code)
            assert now.poll is not None
            assert len(now.poll.answers) == len(now.students) == 60
            assert now.version == 122
        assert len(set(versions)) == 120

    play(place, work, workers=2)


def test_questions_that_are_over_are_kept_for_the_table(place: str) -> None:
    """With their answers, in order, and apart from the room, which stays small."""

    async def work(classroom: Classroom) -> None:
        room, _ = await classroom.create(TEACHER, SHARED)
        await classroom.change(room.code, lambda r: rooms.join(r, "ada"))
        for number in range(1, 12):
            await classroom.change(room.code, lambda r: rooms.ask(r, QUESTION))
            await classroom.change(room.code, lambda r, n=number: rooms.answer(r, "ada", n, "ab"[n % 2]))
        polls = await classroom.polls(room.code)
        assert [poll.question.number for poll in polls] == list(range(1, 12))
        assert [poll.answers["ada"] for poll in polls] == ["ab"[n % 2] for n in range(1, 12)]
        assert len(rooms.pack(await classroom.get(room.code))) < 2_000

    play(place, work)


def test_a_closed_room_leaves_nothing(place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After its quarter of an hour no record, no part, no name in the store; the code opens nothing any more, in any
    worker, from the moment it is closed."""
    monkeypatch.setattr("app.room.classroom.ENDED_SECONDS", 1.0)

    async def work(one: Classroom, two: Classroom) -> None:
        room, secret = await one.create(TEACHER, SHARED)
        await one.change(room.code, lambda r: rooms.ask(rooms.join(r, "ada", "Adelheid"), QUESTION))
        await one.change(room.code, lambda r: rooms.ask(rooms.answer(r, "ada", 1, "a"), QUESTION))
        await two.get(room.code)
        await one.count(room.code, 3)
        await one.close(room.code)
        for classroom in (one, two):
            with pytest.raises(RoomNotFound):
                await classroom.enter(room.code, Caller("x", secret))
            assert await classroom.version(room.code) is None
        assert await one.store.owned(f"here:{room.code}", "here:") == []
        assert await one.store.get(f"from:{room.code}") is None
        await asyncio.sleep(1.1)
        with pytest.raises(RoomNotFound):
            await two.reopen(room, TEACHER)
        await one.store.sweep()

    play(place, work, workers=2)
    if not place.startswith("redis"):
        with sqlite3.connect(place) as db:
            kept = db.execute("SELECT value FROM records UNION ALL SELECT value FROM parts").fetchall()
        assert not any(b"Adelheid" in value for (value,) in kept)


def test_a_room_is_reopened_as_it_was(place: str) -> None:
    """Through another worker, with its students and every answer; none of the limits counts it twice; forgotten, it is
    gone at once."""

    async def work(one: Classroom, two: Classroom) -> None:
        room, secret = await one.create(TEACHER, SHARED)
        await one.change(room.code, lambda r: rooms.ask(rooms.join(r, "ada", "Ada"), QUESTION))
        await one.change(room.code, lambda r: rooms.ask(rooms.answer(r, "ada", 1, "a"), QUESTION))
        before, asked = await one.get(room.code), await one.polls(room.code)
        await two.get(room.code)
        await one.close(room.code)
        other, _ = await one.create(TEACHER, SHARED)
        with pytest.raises(TooMany):
            await two.reopen(room, TEACHER)
        await one.forget(other.code)
        with pytest.raises(RoomNotFound):
            await two.teach_ended(room.code, Caller("x", "wrong"))
        kept = await two.teach_ended(room.code, Caller("x", secret))
        again = await two.reopen(kept, TEACHER)
        assert again == replace(before, stamp=again.stamp)
        assert await one.polls(room.code) == asked
        assert await two.ended(room.code) is None
        assert await one._opened_from(TEACHER) == 1
        await one.forget(room.code)
        assert await two.ended(room.code) is None

    play(place, work, workers=2, rooms_per_visitor=1)


def test_an_idle_room_closes_by_itself(place: str) -> None:
    """Its record expires, and with it everything."""

    async def work(classroom: Classroom) -> None:
        room, _ = await classroom.create(TEACHER, SHARED)
        await asyncio.sleep(1.1)
        with pytest.raises(RoomNotFound):
            await classroom.enter(room.code, TEACHER)

    play(place, work, room_idle_hours=1 / 3600)


def test_those_present_are_counted_over_all_workers(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each worker tells its own number; one that falls silent, or tells none, is not counted."""

    async def work(one: Classroom, two: Classroom) -> None:
        room, _ = await one.create(TEACHER, SHARED)
        assert await one.count(room.code, 3) == 3
        assert await two.count(room.code, 4) == 7
        assert await one.count(room.code, 2) == 6
        assert await two.count(room.code, 0) == 2
        await two.count(room.code, 5)
        monkeypatch.setattr("app.room.classroom.ABSENT_AFTER", 0.0)
        assert await one.count(room.code, 1) == 1

    play(place, work, workers=2)


def test_strangers_cannot_try_codes_in_bulk(place: str) -> None:
    """After so many lookups an address waits, for codes right or wrong; those inside, and other addresses, go on."""

    async def work(classroom: Classroom) -> None:
        room, secret = await classroom.create(TEACHER, SHARED)
        inside = Caller("inside", None, "10.0.0.9")
        entry = await classroom.enter(room.code, inside)
        await classroom.change(room.code, lambda r: rooms.join(r, entry.student))
        guesser = Caller("guesser", None, "10.0.0.9")
        for _ in range(9):
            with pytest.raises(RoomNotFound):
                await classroom.enter(rooms.new_code(), guesser)
        for code in (rooms.new_code(), room.code):
            with pytest.raises(TooMany):
                await classroom.enter(code, guesser)
        assert (await classroom.enter(room.code, inside)).joined
        assert (await classroom.enter(room.code, Caller("t", secret, "10.0.0.9"))).teacher
        assert (await classroom.enter(room.code, Caller("other", None, "10.0.0.10"))).room.code == room.code

    play(place, work, room_lookups=0.001, room_lookups_burst=10)


def test_one_who_is_removed_is_out_in_every_worker(place: str) -> None:
    """With that cookie, until let in again; the teacher who is one of the students too is not locked out."""

    async def work(one: Classroom, two: Classroom) -> None:
        room, secret = await one.create(TEACHER, SHARED)
        ada = Caller("ada-token", None, "10.0.0.2")
        student = (await two.enter(room.code, ada)).student
        await two.change(room.code, lambda r: rooms.join(r, student, "Ada"))
        await one.change(room.code, lambda r: rooms.remove(r, 1))
        for classroom in (one, two):
            with pytest.raises(SentOut):
                await classroom.enter(room.code, ada)
            with pytest.raises(rooms.Refused):
                await classroom.change(room.code, lambda r: rooms.join(r, student))
            assert not (await classroom.enter(room.code, Caller("another", None, "10.0.0.2"))).joined
            assert (await classroom.enter(room.code, Caller("ada-token", secret))).teacher
        await two.change(room.code, lambda r: rooms.readmit(r, 1))
        assert (await one.enter(room.code, ada)).joined

    play(place, work, workers=2)


def test_only_its_teacher_learns_where_a_room_has_gone(place: str) -> None:
    """Others learn that it has; of a room that was closed nobody learns anything."""

    async def work(one: Classroom, two: Classroom) -> None:
        room, secret = await one.create(TEACHER, SHARED)
        fresh = await one.renew(room, TEACHER)
        assert await two.moved(room.code, secret) == (True, fresh.code)
        for wrong in (None, "", "wrong", room.teacher):
            assert await two.moved(room.code, wrong) == (True, None)
        await two.close(fresh.code)
        assert await one.moved(fresh.code, secret) == (False, None)

    play(place, work, workers=2)


def test_rooms_of_one_address_are_limited(place: str) -> None:
    """Whoever opens them, through whichever worker; a room that is closed or has a new code does not count twice."""

    async def work(one: Classroom, two: Classroom) -> None:
        opened = []
        for name, classroom in (("a", one), ("b", two), ("c", one)):
            opened.append((await classroom.create(Caller(name, None, "10.0.0.1"), SHARED))[0])
        with pytest.raises(TooMany, match="one address"):
            await two.create(Caller("d", None, "10.0.0.1"), SHARED)
        await two.create(Caller("d", None, "10.0.0.2"), SHARED)
        fresh = await one.renew(opened[0], Caller("a", None, "10.0.0.1"))
        with pytest.raises(TooMany, match="one address"):
            await two.create(Caller("d", None, "10.0.0.1"), SHARED)
        await two.close(fresh.code)
        await one.create(Caller("d", None, "10.0.0.1"), SHARED)

    play(place, work, workers=2, rooms_per_address=3)


def test_rooms_are_limited(place: str) -> None:
    """By visitor and in all; closing one makes room."""

    async def work(classroom: Classroom) -> None:
        first: Room | None = None
        for _ in range(2):
            first, _ = await classroom.create(TEACHER, SHARED)
        with pytest.raises(TooMany, match="one visitor"):
            await classroom.create(TEACHER, SHARED)
        await classroom.create(Caller("another"), SHARED)
        with pytest.raises(TooMany, match="in all"):
            await classroom.create(Caller("a third"), SHARED)
        assert first is not None
        await classroom.close(first.code)
        await classroom.create(TEACHER, SHARED)

    play(place, work, rooms_per_visitor=2, rooms_in_all=3)


def test_a_version_that_comes_back_is_not_believed(place: str) -> None:
    """A store that lost its last writes counts up to the same number again: a worker shows what is there, and does not
    overwrite it with what it had seen."""

    async def work(one: Classroom, other: Classroom) -> None:
        room, _ = await one.create(TEACHER, SHARED)
        kept = await one.store.get(f"room:{room.code}")
        assert kept is not None
        await one.change(room.code, lambda now: rooms.join(now, "lost", "Lost"))
        await one.store.delete(f"room:{room.code}")
        assert await one.store.put(f"room:{room.code}", kept.value, owner=kept.owner, seconds=60)
        await other.change(room.code, lambda now: rooms.join(now, "ada", "Ada"))
        assert list((await one.get(room.code)).students) == ["ada"]
        await one.change(room.code, lambda now: rooms.join(now, "bob", "Bob"))
        assert list((await other.get(room.code)).students) == ["ada", "bob"]

    play(place, work, workers=2)
