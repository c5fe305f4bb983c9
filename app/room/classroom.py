"""Rooms in the store: load -> change -> save if nobody else has saved in between; who may come in, and who is there."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import sha256
from secrets import token_hex
from time import time
from weakref import WeakValueDictionary

import orjson

from app.failures import KeyReused, NotTeacher, RoomNotFound, SentOut, StoreUnavailable, TooMany
from app.room import rooms
from app.room.rooms import Poll, Room, Shared
from app.run.runs import owner_of
from app.serve.limits import Buckets
from app.settings import Settings
from app.stores import NEW, Stamp, Store

ATTEMPTS = 50
PRESENCE_SECONDS = 240.0
ABSENT_AFTER = 7.0
DAY = 86_400.0
MOVED_SECONDS = 600.0
ENDED_SECONDS = 900.0
POLLS, ONCE = "poll", "once"
Once = tuple[str, str]  # a request's key, and what it asks


@dataclass(frozen=True)
class Caller:
    """Who asks: the visitor's token, the teacher's secret if one was given, and the address it comes from."""

    visitor: str
    secret: str | None = None
    address: str = ""


@dataclass(frozen=True)
class Entry:
    """A room as a caller has found it, and who the caller is in it."""

    room: Room
    student: str
    teacher: bool

    @property
    def joined(self) -> bool:
        """Whether the caller is one of its students."""
        return self.student in self.room.students


class Classroom:
    """All rooms of a store. Methods raise RoomNotFound, NotTeacher, SentOut, TooMany, StoreUnavailable, and what a
    change raises.

    `changed` is called with a room's code after each change made here.
    """

    def __init__(self, store: Store, settings: Settings) -> None:
        self.store, self.settings = store, settings
        self.changed: Callable[[str], None] = lambda code: None
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._seen: dict[str, Room] = {}
        every, burst = settings.room_lookups_in_all, settings.room_lookups_burst
        self._lookups = Buckets(settings.room_lookups, burst)
        self._lookups_in_all = Buckets(every, max(60 * every, burst))
        self._worker, self._stamps = token_hex(6), dict[str, Stamp]()

    async def create(self, caller: Caller, shared: Shared, asked: str = "") -> tuple[Room, str]:
        """A new room that shows `shared`, and its teacher's secret; TooMany beyond the limits. With `asked`, a key and
        what came with it, the one that the same request has opened before."""
        if not asked:
            await self._admit(caller)
            secret = rooms.new_secret()
            return await self._open(Room("", rooms.hashed(secret), shared), caller), secret
        secret = rooms.secret_of(f"{caller.visitor} {asked}")
        code = rooms.code_under(secret)
        if found := await self._opened(code, secret):
            return found, secret
        await self._admit(caller)
        room = Room(code, rooms.hashed(secret), shared)
        if stamp := await self._save(room, f"room:{owner_of(caller.visitor)}"):
            await self._mark(code, caller)
            return replace(room, stamp=stamp), secret
        if found := await self._opened(code, secret):
            return found, secret
        return await self._open(room, caller), secret

    async def _opened(self, code: str, secret: str) -> Room | None:
        room = await self._find(code)
        return room if room and rooms.is_teacher(room, secret) else None

    async def _admit(self, caller: Caller) -> None:
        """TooMany, if the caller may not open one more."""
        settings = self.settings
        own = await self.store.owned(f"room:{owner_of(caller.visitor)}", "room:")
        if len(own) >= settings.rooms_per_visitor:
            raise TooMany("{count} rooms of one visitor; close one", 60, count=settings.rooms_per_visitor)
        if await self._opened_from(caller) >= settings.rooms_per_address:
            raise TooMany("{count} rooms opened from one address; close one", 60, count=settings.rooms_per_address)
        if await self.store.count("room:") >= settings.rooms_in_all:
            await self.store.sweep()
            if await self.store.count("room:") >= settings.rooms_in_all:
                raise TooMany("{count} rooms in all; come back later", 600, count=settings.rooms_in_all)

    async def _open(self, room: Room, caller: Caller) -> Room:
        """The room under a code that no other has."""
        for _ in range(ATTEMPTS):
            room = replace(room, code=rooms.new_code())
            if stamp := await self._save(room, f"room:{owner_of(caller.visitor)}"):
                await self._mark(room.code, caller)
                return replace(room, stamp=stamp)
        raise StoreUnavailable("no room could be opened")

    async def _mark(self, code: str, caller: Caller) -> None:
        """Note where a room was opened from."""
        owner = f"from:{_hash(caller.address)}"
        await self.store.put(f"from:{code}", b"", owner=owner, seconds=DAY)

    async def _opened_from(self, caller: Caller) -> int:
        """How many rooms are open that were opened from the caller's address within a day."""
        marks = await self.store.owned(f"from:{_hash(caller.address)}", "from:")
        still = [await self.store.stamp(_key(mark.partition(":")[2])) for mark, _ in marks]
        return sum(stamp is not None for stamp in still)

    async def renew(self, room: Room, caller: Caller) -> Room:
        """The same room under a new code and with nobody in it; the old one is closed. For its teacher, who may come to
        know of it."""
        fresh = await self._open(Room("", room.teacher, room.shared, pace=room.pace), caller)
        value = orjson.dumps({"code": fresh.code, "teacher": room.teacher})
        await self.store.put(f"moved:{room.code}", value, seconds=MOVED_SECONDS)
        await self.close(room.code)
        return fresh

    async def moved(self, code: str, secret: str | None) -> tuple[bool, str | None]:
        """Whether a room has gone on under another code of late; for its teacher, which."""
        record = await self.store.get(f"moved:{code}")
        if record is None:
            return False, None
        told = orjson.loads(record.value)
        return True, told["code"] if rooms.is_secret(secret, told["teacher"]) else None

    async def enter(self, typed: str, caller: Caller) -> Entry:
        """The room of a code that somebody typed. Strangers' lookups are counted, whether they find one or not."""
        code = rooms.code_of(typed)
        room = await self._find(code) if code else None
        if room is not None:
            entry = Entry(room, _student(room, caller), rooms.is_teacher(room, caller.secret))
            if entry.teacher or entry.joined:
                return entry
            if entry.student in room.removed:
                raise SentOut
        self._count_stranger(caller)
        if room is None:
            raise RoomNotFound(code or "")
        return entry

    async def teach(self, typed: str, caller: Caller) -> Room:
        """The room, for its teacher; NotTeacher for everybody else."""
        entry = await self.enter(typed, caller)
        if not entry.teacher:
            raise NotTeacher
        return entry.room

    def _count_stranger(self, caller: Caller) -> None:
        if self._lookups.wait(caller.address):
            raise TooMany("too many rooms looked up from this address", 30)
        if self._lookups_in_all.wait(""):
            raise TooMany("too many rooms looked up", 30)

    async def _find(self, code: str) -> Room | None:
        stamp = await self.store.stamp(_key(code))
        seen = self._seen.get(code)
        if stamp is None:
            self._seen.pop(code, None)
            return None
        if seen is not None and seen.stamp == stamp:
            return seen
        record = await self.store.get(_key(code))
        return self._remember(rooms.unpack(record.value, record.stamp)) if record else None

    def _remember(self, room: Room) -> Room:
        self._seen.pop(room.code, None)
        self._seen[room.code] = room
        while len(self._seen) > self.settings.rooms_in_all:
            del self._seen[next(iter(self._seen))]
        return room

    async def get(self, code: str) -> Room:
        """The room as it stands."""
        room = await self._find(code)
        if room is None:
            raise RoomNotFound(code)
        return room

    async def version(self, code: str) -> int | None:
        """The room's version, cheaply; None if there is no such room."""
        stamp = await self.store.stamp(_key(code))
        return stamp.version if stamp else None

    async def change(self, code: str, how: Callable[[Room], Room], once: Once | None = None) -> Room:
        """The room after `how`, saved; `how` may be called again on what another worker has saved meanwhile. `once` is
        done once: the room as it stands if that was before."""
        lock = self._locks.setdefault(code, asyncio.Lock())
        async with lock:
            for attempt in range(ATTEMPTS):
                room = await self.get(code)
                if once and (told := await self.store.part(_key(code), ONCE, once[0])):
                    if told.decode() != _hash(once[1]):
                        raise KeyReused
                    return room
                after = how(room)
                if after is room:
                    return room
                if stamp := await self._save(after, once=once):
                    self.changed(code)
                    return self._remember(replace(after, stamp=stamp, past=()))
                await asyncio.sleep(random.random() * 0.002 * (attempt + 1))
        raise StoreUnavailable("too many changes of this room at once")

    async def _save(self, room: Room, owner: str = "", once: Once | None = None) -> Stamp | None:
        past: dict[str, bytes | None] = {str(poll.question.number): rooms.pack_poll(poll) for poll in room.past}
        parts = {POLLS: past} | ({ONCE: {once[0]: _hash(once[1]).encode()}} if once else {})
        seconds = self.settings.room_idle_hours * 3600
        return await self.store.put(
            _key(room.code), rooms.pack(room), expected=room.stamp, owner=owner, seconds=seconds, parts=parts
        )

    async def polls(self, code: str) -> list[Poll]:
        """Every question asked in a room, open or closed, with its answers, the first asked first."""
        record = await self.store.get(_key(code), (POLLS,)) or await self.store.get(_ended(code), (POLLS,))
        if record is None:
            raise RoomNotFound(code)
        room = rooms.unpack(record.value, record.stamp)
        past = [rooms.unpack_poll(value) for value in record.parts[POLLS].values()]
        return sorted([*past, *([room.poll] if room.poll else [])], key=lambda poll: poll.question.number)

    async def close(self, code: str) -> None:
        """End a room. It is put aside, where its teacher alone can read and reopen it for a quarter of an hour; it then
        expires, and nothing of it is kept: no names, no answers, no hand-ins."""
        if await self.store.count("ended:") >= self.settings.rooms_in_all:
            for key in await self.store.oldest("ended:", time() + DAY, 1):
                await self.store.delete(key)
        async with self._locks.setdefault(code, asyncio.Lock()):
            record = await self.store.get(_key(code), (POLLS,))
            if record is None:
                raise RoomNotFound(code)
            await self.store.delete(_ended(code))
            await self.store.put(_ended(code), record.value, seconds=ENDED_SECONDS, parts=record.parts)
            await self._remove(code)

    async def forget(self, code: str) -> None:
        """End a room for good, closed before or not."""
        await self.store.delete(_ended(code))
        await self._remove(code)

    async def _remove(self, code: str) -> None:
        await self.store.delete(_key(code))
        await self.store.delete(f"from:{code}")
        self._seen.pop(code, None)
        for key, _ in await self.store.owned(f"here:{code}", "here:"):
            await self.store.delete(key)
        self.changed(code)

    async def ended(self, code: str) -> Room | None:
        """The room of a code, if it was closed of late."""
        record = await self.store.get(_ended(code))
        return rooms.unpack(record.value, record.stamp) if record else None

    async def known(self, code: str, caller: Caller) -> tuple[Room | None, bool]:
        """A room, open or closed of late, to those who teach it or are in it, and whether it is open."""
        open_room = await self._find(code)
        room = open_room or await self.ended(code)
        if room is None or not (rooms.is_teacher(room, caller.secret) or _student(room, caller) in room.students):
            return None, False
        return room, open_room is not None

    async def teach_ended(self, typed: str, caller: Caller) -> Room:
        """A room that was closed of late, for its teacher; to everybody else there is none."""
        code = rooms.code_of(typed)
        room = await self.ended(code) if code else None
        if room is None or not rooms.is_teacher(room, caller.secret):
            self._count_stranger(caller)
            raise RoomNotFound(typed)
        return room

    async def reopen(self, room: Room, caller: Caller) -> Room:
        """A closed room as it was, with its students, questions and hand-ins; RoomNotFound when its time is over."""
        record = await self.store.get(_ended(room.code), (POLLS,))
        if record is None:
            raise RoomNotFound(room.code)
        await self._admit(caller)
        self._seen.pop(room.code, None)
        owner, seconds = f"room:{owner_of(caller.visitor)}", self.settings.room_idle_hours * 3600
        await self.store.put(_key(room.code), record.value, owner=owner, seconds=seconds, parts=record.parts)
        await self._mark(room.code, caller)
        await self.store.delete(_ended(room.code))
        return await self.get(room.code)

    async def count(self, code: str, own: int) -> int:
        """Note that `own` students watch the room through this process; how many do through all of them."""
        key, now = f"here:{code}:{self._worker}", time()
        if own or key in self._stamps:
            await self._note(key, code, own, now)
        total = own
        for other, record in await self.store.owned(f"here:{code}", "here:"):
            told = orjson.loads(record.value)
            if other != key and now - told["at"] < ABSENT_AFTER:
                total += told["students"]
        return total

    async def leave(self) -> None:
        """This process ends: nobody watches through it any more."""
        for key in list(self._stamps):
            await self.store.delete(key)
        self._stamps.clear()

    async def _note(self, key: str, code: str, own: int, now: float) -> None:
        value = orjson.dumps({"students": own, "at": now})
        expected = self._stamps.get(key, NEW)
        if not own:
            await self.store.delete(key)
            self._stamps.pop(key, None)
        elif stamp := await self.store.put(
            key, value, expected=expected, owner=f"here:{code}", seconds=PRESENCE_SECONDS
        ):
            self._stamps[key] = stamp
        else:  # it has expired, or is another's: begin anew
            await self.store.delete(key)
            self._stamps[key] = NEW


def _student(room: Room, caller: Caller) -> str:
    return rooms.student_id(room.code, caller.visitor)


def _hash(address: str) -> str:
    return sha256(address.encode()).hexdigest()[:16]


def _key(code: str) -> str:
    return f"room:{code}"


def _ended(code: str) -> str:
    return f"ended:{code}"
