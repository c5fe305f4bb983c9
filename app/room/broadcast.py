"""What a class shows, to every screen at once: encoded once, the latest state wins, one plain stream a follower.

A `Hub` lives in each worker process and looks after the rooms that somebody watches there. It hears of changes by a
poke from this process and by asking the store for the room's version some 20 times a second; the store has the truth.
"""

import asyncio
import logging
import random
import zlib
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from time import monotonic
from typing import Protocol

import orjson
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from app.failures import Busy, Full, OtherVersion, RoomDamaged, StoreUnavailable
from app.settings import Settings

log = logging.getLogger("playground.class")
POLL_SECONDS = 0.05
BEAT_SECONDS = 5.0
BEATS_TO_TICK = 2
POLL_ABSENT_SECONDS = 8.0
PICTURES_KEPT = 8
COUNT_SECONDS = 2.0
REMOVED = "removed"  # what one who was removed is told, before the stream ends
# A gzip stream may be made of pieces that each stand alone: any follower can skip any of them.
GZIP_HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"


@dataclass(frozen=True, eq=False)
class Packet:
    """Events as bytes, made once for all; `content` tells whether another would say the same."""

    plain: bytes
    content: object = None

    @cached_property
    def packed(self) -> bytes:
        """The same as a piece of a gzip stream."""
        machine = zlib.compressobj(5, zlib.DEFLATED, -15)
        return machine.compress(self.plain) + machine.flush(zlib.Z_SYNC_FLUSH)


def event(name: str, data: object, version: int | None = None) -> bytes:
    """One server-sent event. JSON has no raw line ends, so nothing in it can forge another."""
    number = b"" if version is None else b"id: %d\n" % version
    return number + b"event: %s\ndata: %s\n\n" % (name.encode(), orjson.dumps(data))


TICK = Packet(b"event: tick\ndata: {}\n\n")  # an event: a page cannot hear a comment
BYE = Packet(event("bye", {}))
CLOSED = Packet(event("closed", {}))


@dataclass(frozen=True)
class Screen:
    """A room's present state: what an audience is told, which picture they see, and which students were removed."""

    version: int
    told: Callable[[str], object]
    picture: object
    removed: frozenset[str] = frozenset()


class Source(Protocol):
    """What a hub asks for the states of rooms."""

    async def version(self, code: str) -> int | None:
        """The version of a room, cheaply; None if there is none."""

    async def screen(self, code: str, here: int) -> Screen | None:
        """The room's present state."""

    async def picture(self, screen: Screen, size: str) -> str:
        """The markup of the picture for screens of one size."""

    async def count(self, code: str, own: int) -> int:
        """Tell how many students watch in this process; how many do in all."""


@dataclass(eq=False)
class Follower:
    """One open stream: who watches, what was sent last, and since when a write has been waiting."""

    audience: str
    size: str
    student: str
    address: str
    gzip: bool
    state: Packet | None = None
    frame: Packet | None = None
    beat: int = 0
    waiting_since: float | None = None
    cut: bool = False
    task: asyncio.Task[None] | None = None


@dataclass(eq=False)
class Channel:
    """One watched room in this process: its packets, its followers, and the task that keeps them fresh."""

    code: str
    version: int = 0
    states: dict[str, Packet] = field(default_factory=dict)
    frames: dict[str, Packet] = field(default_factory=dict)
    last: Packet | None = None
    stale: bool = True
    here: int = 0
    counted: float = 0.0
    followers: set[Follower] = field(default_factory=set)
    pollers: dict[str, float] = field(default_factory=dict)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    poke: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None

    def announce(self) -> None:
        """Wake every follower."""
        news, self.news = self.news, asyncio.Event()
        news.set()

    def students(self) -> int:
        """How many different students watch here, those who poll as well."""
        since = monotonic() - POLL_ABSENT_SECONDS
        self.pollers = {student: asked for student, asked in self.pollers.items() if asked > since}
        return len({follower.student for follower in self.followers if follower.student} | set(self.pollers))


class Hub:
    """All rooms that are watched in this process."""

    def __init__(self, source: Source, settings: Settings) -> None:
        self.source, self.settings = source, settings
        self.channels: dict[str, Channel] = {}
        self.addresses: Counter[str] = Counter()
        self.sent = Counter[str]()
        self.beat = 0
        self.stopped = False
        self._drawn = dict[tuple[object, str], str]()
        self._beater: asyncio.Task[None] | None = None

    @property
    def streams(self) -> int:
        """Open streams in this process."""
        return sum(len(channel.followers) for channel in self.channels.values())

    def poke(self, code: str) -> None:
        """A room has changed in this process."""
        if channel := self.channels.get(code):
            channel.poke.set()

    async def news(self, code: str, follower: Follower, after: int, picture: str) -> dict[str, object] | None:
        """What a screen without a stream is told: the state if it is not of version `after`, and the frame unless it is
        the one of this name; None if there is nothing new."""
        channel = self.channels.get(code)
        if channel and follower.student:
            channel.pollers[follower.student] = monotonic()
        if await self.source.version(code) == after:
            return None
        screen = await self.source.screen(code, channel.here if channel else 0)
        if screen is None:
            return None
        told: dict[str, object] = {"version": screen.version, "state": screen.told(follower.audience)}
        name = sha256(repr((screen.picture, follower.size)).encode()).hexdigest()[:16]
        if follower.size and name != picture:
            told |= {"picture": name, "frame": await self._markup(screen, follower.size)}
        return told

    async def _markup(self, screen: Screen, size: str) -> str:
        """A picture, for several who ask for the same one drawn once."""
        key = (screen.picture, size)
        if key not in self._drawn:
            self._drawn[key] = await self.source.picture(screen, size)
            while len(self._drawn) > PICTURES_KEPT:
                del self._drawn[next(iter(self._drawn))]
        return self._drawn[key]

    def stop(self) -> None:
        """Say goodbye on every stream and end it; whoever comes later is sent away too."""
        self.stopped = True
        for channel in self.channels.values():
            channel.last = BYE
            channel.announce()

    def enter(self, code: str, follower: Follower) -> Channel:
        """A follower comes; Full if there is no room for one more."""
        settings, channel = self.settings, self.channels.get(code)
        if self.streams >= settings.streams or (channel and len(channel.followers) >= settings.streams_per_room):
            raise Full("as many screens watch as there may be")
        if self.addresses[follower.address] >= settings.streams_per_address:
            raise Full("as many screens watch from this address as there may be")
        if channel is None or channel.last:
            channel = self.channels[code] = Channel(code)
        if channel.task is None or channel.task.done():
            channel.task = asyncio.create_task(self._keep(channel))
        if self._beater is None or self._beater.done():
            self._beater = asyncio.create_task(self._beat_forever())
        self.addresses[follower.address] += 1
        follower.beat = self.beat
        channel.followers.add(follower)
        channel.stale, channel.counted = True, 0.0
        channel.poke.set()
        return channel

    def leave(self, channel: Channel, follower: Follower) -> None:
        """A follower is gone."""
        if follower not in channel.followers:
            return
        channel.followers.discard(follower)
        self.addresses[follower.address] -= 1
        self.addresses += Counter()  # drops what is zero
        channel.counted = 0.0
        channel.poke.set()

    async def _keep(self, channel: Channel) -> None:
        """Keep one room's packets fresh until nobody watches it any more."""
        while not self.stopped:
            began = monotonic()
            channel.poke.clear()
            pause = POLL_SECONDS
            try:
                if await self._refresh(channel):
                    pause = 0.0
                    await asyncio.sleep(max(0.0, 1 / self.settings.room_frames - (monotonic() - began)))
            except (StoreUnavailable, RoomDamaged, OtherVersion, Busy):
                channel.stale, pause = True, 0.5  # the screens keep what they have, and are told as soon as can be
            except Exception:
                log.exception("room %s…", channel.code[:2])
                pause = 1.0
            if not channel.followers:
                break
            if pause:
                with suppress(TimeoutError):
                    await asyncio.wait_for(channel.poke.wait(), pause)
        if self.channels.get(channel.code) is channel and not channel.followers:
            del self.channels[channel.code]

    async def _refresh(self, channel: Channel) -> bool:
        """Bring the packets up to date; True if there was something new to tell."""
        await self._count(channel)
        version = await self.source.version(channel.code)
        if version == channel.version and not channel.stale:
            return False
        channel.stale = False
        screen = await self.source.screen(channel.code, channel.here) if version is not None else None
        if screen is None:
            channel.last = CLOSED
            channel.announce()
            return True
        channel.version = screen.version
        for follower in channel.followers:
            if follower.student in screen.removed:
                follower.audience, follower.student, channel.counted = REMOVED, "", 0.0
        # What nobody watches is not kept: who comes back for it would be given what it was.
        audiences = {follower.audience for follower in channel.followers}
        channel.states = {name: _state(channel.states.get(name), screen, screen.told(name)) for name in audiences}
        sizes = {follower.size for follower in channel.followers} - {""}
        channel.frames = {size: await self._frame(channel, screen, size) for size in sizes}
        channel.announce()
        return True

    async def _frame(self, channel: Channel, screen: Screen, size: str) -> Packet:
        old = channel.frames.get(size)
        if old is not None and old.content == screen.picture:
            return old
        return Packet(event("frame", await self.source.picture(screen, size), screen.version), screen.picture)

    async def _count(self, channel: Channel) -> None:
        """Bring the number present up to date, now and then."""
        now = monotonic()
        if now - channel.counted < COUNT_SECONDS:
            return
        channel.counted = now
        here = await self.source.count(channel.code, channel.students())
        if here != channel.here:
            channel.here, channel.stale = here, True

    async def _beat_forever(self) -> None:
        """Ticks, so that no proxy cuts a silent stream and a page knows that it hears; and the end of readers that take
        nothing."""
        while self.channels:
            await asyncio.sleep(BEAT_SECONDS)
            self.beat += 1
            too_long = monotonic() - self.settings.stalled_seconds
            for channel in list(self.channels.values()):
                for follower in list(channel.followers):
                    stalled = follower.waiting_since and follower.waiting_since < too_long
                    if follower.task and stalled:
                        self.sent["cut"] += 1
                        follower.cut = True
                        follower.task.cancel()
                if self.beat % BEATS_TO_TICK == 0:
                    channel.announce()

    def due(self, channel: Channel, follower: Follower) -> list[Packet]:
        """What a follower has not been sent yet; a tick if it has long heard nothing."""
        state, frame = channel.states.get(follower.audience), channel.frames.get(follower.size)
        packets = []
        if frame is not follower.frame and frame is not None:
            packets.append(frame)
        if state is not follower.state and state is not None:
            packets.append(state)
        follower.state, follower.frame = state, frame
        if not packets and self.beat - follower.beat >= BEATS_TO_TICK:
            packets = [TICK]
        if packets:
            follower.beat = self.beat
        return packets


def _state(old: Packet | None, screen: Screen, content: object) -> Packet:
    """The packet of a state: the old one if it says the same, so that nobody is sent it again."""
    if old is not None and old.content == content:
        return old
    return Packet(event("state", content, screen.version), content)


class Stream(Response):
    """The stream of one follower as a bare ASGI answer: a write at a time, and always of the newest."""

    media_type = "text/event-stream"

    def __init__(self, hub: Hub, code: str, follower: Follower) -> None:
        self.hub, self.follower = hub, follower
        self.channel = hub.enter(code, follower)
        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        if follower.gzip:
            headers |= {"content-encoding": "gzip", "vary": "accept-encoding"}
        super().__init__(headers=headers)
        del self.headers["content-length"]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Write until the follower goes, the room closes, or the server stops."""
        follower = self.follower
        gone = asyncio.create_task(_disconnect(receive))
        follower.task = asyncio.create_task(self._write(send))
        try:
            await asyncio.wait({follower.task, gone}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.hub.leave(self.channel, follower)
            if follower.cut and (abort := scope.get("playground.abort")):
                abort()  # a plain close would wait for ever for the reader to take the rest
                await asyncio.sleep(0)
            for task in (follower.task, gone):
                task.cancel()
            await asyncio.gather(follower.task, gone, return_exceptions=True)

    async def _write(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await self._send(send, [_retry()], head=GZIP_HEAD if self.follower.gzip else b"")
        hub, channel, follower = self.hub, self.channel, self.follower
        while True:
            news = channel.news
            if last := channel.last or (BYE if hub.stopped else None):
                await self._send(send, [last])
                break
            if packets := hub.due(channel, follower):
                await self._send(send, packets)
            if follower.audience == REMOVED:
                break
            await news.wait()  # at once, if something came while this was being written
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _send(self, send: Send, packets: Iterable[Packet], head: bytes = b"") -> None:
        follower = self.follower
        body = head + b"".join([packet.packed if follower.gzip else packet.plain for packet in packets])
        follower.waiting_since = monotonic()
        await send({"type": "http.response.body", "body": body, "more_body": True})
        follower.waiting_since = None
        self.hub.sent["packets"] += 1


def _retry() -> Packet:
    """Each browser comes back after a time of its own, so that they do not all come at once."""
    return Packet(b"retry: %d\n\n" % random.randint(1000, 4000))


async def _disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
