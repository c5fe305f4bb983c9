"""The hub and its streams: the latest state wins, the present one comes at once, and nobody holds up anybody."""

import asyncio
import http.client
import re
import signal
import socket
import sys
import zlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

import machine
from app.room import broadcast
from app.room.broadcast import Follower, Full, Hub, Screen, Stream
from app.settings import Settings


class Rooms:
    """A source of one room whose state a test sets."""

    def __init__(self) -> None:
        self.number, self.open, self.drawn, self.asked = 1, True, 0, 0
        self.words = {"student": "begin", "wall": "begin", "teacher": "begin"}
        self.shape = 0
        self.removed = frozenset[str]()

    def set(self, **words: str) -> None:
        self.number += 1
        self.words = self.words | words

    async def version(self, code: str) -> int | None:
        return self.number if self.open else None

    async def screen(self, code: str, here: int) -> Screen | None:
        self.asked += 1
        states = {name: {"word": word, "here": here} for name, word in self.words.items()}
        states[broadcast.REMOVED] = {"word": "removed"}
        return Screen(self.number, states.__getitem__, self.shape, self.removed) if self.open else None

    async def picture(self, screen: Screen, size: str) -> str:
        self.drawn += 1
        return f"<svg>{screen.picture} {size}\r\n\u2028</svg>"

    async def count(self, code: str, own: int) -> int:
        return own


class Reader:
    """The far end of a stream: what came, and whether it takes any more."""

    def __init__(
        self, hub: Hub, audience: str = "student", size: str = "", student: str = "", gzip: bool = False
    ) -> None:
        self.body, self.status = b"", 0
        self.reads, self.gone = asyncio.Event(), asyncio.Event()
        self.reads.set()
        self.follower = Follower(audience, size, student, "10.0.0.1", gzip)
        self.stream = Stream(hub, "CODE", self.follower)
        self.task = asyncio.create_task(self.stream({"type": "http"}, self.receive, self.send))

    async def receive(self) -> dict[str, Any]:
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        else:
            await self.reads.wait()
            self.body += message["body"]

    @property
    def text(self) -> str:
        plain = zlib.decompressobj(31).decompress(self.body) if self.follower.gzip else self.body
        return plain.decode()

    def events(self, name: str) -> list[tuple[int, Any]]:
        """(version, data) of the events of a name."""
        found = re.findall(rf"^id: (\d+)\nevent: {name}\ndata: (.*)\n$", self.text, re.MULTILINE)
        return [(int(number), orjson.loads(data)) for number, data in found]

    def words(self) -> list[str]:
        return [data["word"] for _, data in self.events("state")]


Work = Callable[[Rooms, Hub], Awaitable[None]]


def play(work: Work, **more: Any) -> None:
    """Run a coroutine function with a source and its hub."""

    async def main() -> None:
        rooms = Rooms()
        hub = Hub(rooms, Settings(**{"room_frames": 200.0, **more}))
        await work(rooms, hub)
        hub.stop()
        await asyncio.sleep(0.05)

    asyncio.run(main())


async def until(ready: Callable[[], bool]) -> None:
    for _ in range(int(machine.PATIENCE / 0.01)):
        if ready():
            return
        await asyncio.sleep(0.01)
    assert ready()


def test_every_follower_gets_the_last_state_and_late_ones_the_present_one_at_once() -> None:
    """50 followers, of whom one comes late: all end at the same state; versions only grow."""

    async def work(rooms: Rooms, hub: Hub) -> None:
        readers = [Reader(hub, student=f"s{i}") for i in range(50)]
        await until(lambda: all(reader.words() for reader in readers))
        for n in range(30):
            rooms.set(student=f"word {n}")
            hub.poke("CODE")
            await asyncio.sleep(0.002)
        await until(lambda: all(reader.words()[-1] == "word 29" for reader in readers))
        late = Reader(hub)
        await until(lambda: late.words() == ["word 29"])
        for reader in readers:
            versions = [version for version, _ in reader.events("state")]
            assert versions == sorted(set(versions))

    play(work)


def test_a_slow_reader_skips_to_the_newest_and_holds_up_nobody() -> None:
    """While it takes nothing, others go on; afterwards it is sent what is newest, and nothing in between."""

    async def work(rooms: Rooms, hub: Hub) -> None:
        slow, quick = Reader(hub), Reader(hub)
        await until(lambda: bool(slow.words() and quick.words()))
        slow.reads.clear()
        for n in range(20):
            rooms.set(student=f"word {n}")
            hub.poke("CODE")
            await until(lambda n=n: quick.words()[-1] == f"word {n}")  # type: ignore[misc]
        slow.reads.set()
        await until(lambda: slow.words()[-1] == "word 19")
        assert len(quick.words()) == 21
        assert len(slow.words()) <= 3

    play(work)


def test_what_says_the_same_is_not_sent_again_and_is_drawn_once() -> None:
    """A change for the wall alone does not reach students; one picture is drawn a size, for however many watch."""

    async def work(rooms: Rooms, hub: Hub) -> None:
        students = [Reader(hub, size="s") for _ in range(5)]
        wall, large = Reader(hub, "wall", "m"), Reader(hub, size="m")
        await until(lambda: all(r.events("frame") and r.words() for r in (*students, wall, large)))
        assert rooms.drawn == 2
        rooms.set(wall="two answered")
        hub.poke("CODE")
        await until(lambda: wall.words()[-1] == "two answered")
        await asyncio.sleep(0.05)
        assert all(len(reader.words()) == 1 for reader in (*students, large))
        assert all(len(reader.events("frame")) == 1 for reader in (*students, wall, large))
        assert rooms.drawn == 2
        rooms.shape = 1
        rooms.set()
        hub.poke("CODE")
        await until(lambda: all(len(r.events("frame")) == 2 for r in (*students, wall, large)))
        assert rooms.drawn == 4

    play(work)


def test_a_change_by_another_worker_is_seen_without_a_poke() -> None:
    """Within a few polls of the room's version."""

    async def work(rooms: Rooms, hub: Hub) -> None:
        reader = Reader(hub)
        await until(lambda: bool(reader.words()))
        rooms.set(student="from elsewhere")
        await until(lambda: reader.words()[-1] == "from elsewhere")

    play(work)


def test_who_comes_back_is_told_what_is_now_so() -> None:
    """A page loaded anew while others watch: what changed while it was away has come to it, state and picture."""

    async def work(rooms: Rooms, hub: Hub) -> None:
        student, teacher, wall = Reader(hub, size="s"), Reader(hub, "teacher"), Reader(hub, "wall", "m")
        await until(lambda: bool(student.words() and teacher.words() and wall.events("frame")))
        for gone in (teacher, wall):
            gone.gone.set()
        await until(lambda: hub.streams == 1)
        rooms.shape = 1
        rooms.set(teacher="one answered", wall="one answered", student="sent")
        await until(lambda: student.words()[-1] == "sent")
        teacher, wall = Reader(hub, "teacher"), Reader(hub, "wall", "m")
        await until(lambda: teacher.words() == ["one answered"] == wall.words())
        assert [picture for _, picture in wall.events("frame")] == [student.events("frame")[-1][1].replace(" s", " m")]

    play(work)


def test_a_quiet_room_costs_no_states() -> None:
    """Polls look at the version alone; a room that nobody watches is not polled at all."""

    async def work(rooms: Rooms, hub: Hub) -> None:
        reader = Reader(hub)
        await until(lambda: bool(reader.words()))
        asked = rooms.asked
        await asyncio.sleep(0.3)
        assert rooms.asked == asked
        reader.gone.set()
        await until(lambda: not hub.channels)
        assert not hub.addresses

    play(work)


def test_those_present_are_students_not_tabs_and_not_walls() -> None:
    """Two tabs of one student count once; leaving is noticed."""

    async def work(rooms: Rooms, hub: Hub) -> None:
        wall = Reader(hub, "wall")
        readers = [Reader(hub, student=name) for name in ("ada", "ada", "bob")]
        await until(lambda: bool(wall.events("state")) and wall.events("state")[-1][1]["here"] == 2)
        readers[2].gone.set()
        await until(lambda: wall.events("state")[-1][1]["here"] == 1)

    play(work)


def test_those_who_poll_are_here_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside those with a stream, each once, until they ask no more."""

    async def work(rooms: Rooms, hub: Hub) -> None:
        wall, _ = Reader(hub, "wall"), Reader(hub, student="ada")
        await until(lambda: bool(wall.events("state")) and wall.events("state")[-1][1]["here"] == 1)
        for name in ("ada", "bob", "bob"):
            told = await hub.news("CODE", Follower("student", "s", name, "10.0.0.2", False), 0, "")
            assert told is not None
            assert await hub.news("CODE", Follower("student", "s", name, "10.0.0.2", False), rooms.number, "") is None
        assert rooms.drawn == 1
        channel = hub.channels["CODE"]
        assert channel.students() == 2
        monkeypatch.setattr(broadcast, "POLL_ABSENT_SECONDS", 0.0)
        assert channel.students() == 1

    play(work)


def test_one_who_is_removed_is_told_so_and_nothing_more() -> None:
    """In every tab, and by whichever worker; those who stay hear nothing of it but the number."""

    async def work(rooms: Rooms, hub: Hub) -> None:
        wall, *tabs, bob = Reader(hub, "wall"), *(Reader(hub, student=name) for name in ("ada", "ada", "bob"))
        await until(lambda: all(reader.words() for reader in (wall, *tabs, bob)))
        rooms.removed = frozenset({"ada"})
        rooms.set()
        await until(lambda: wall.events("state")[-1][1]["here"] == 1)
        for tab in tabs:
            await until(tab.task.done)
            assert tab.words() == ["begin", "removed"]
        assert not bob.task.done()
        assert set(bob.words()) == {"begin"}

    play(work)


def test_a_compressed_stream_is_the_same_stream() -> None:
    """Pieces that each stand alone, so that any may be skipped; the browser's own inflate reads them."""

    async def work(rooms: Rooms, hub: Hub) -> None:
        plain, packed = Reader(hub, size="s"), Reader(hub, size="s", gzip=True)
        for n in range(5):
            rooms.shape = n
            rooms.set(student="word " * 200 + str(n))
            hub.poke("CODE")
            await until(lambda n=n: bool(packed.words()) and packed.words()[-1].endswith(str(n)))  # type: ignore[misc]
        await until(lambda: bool(plain.words()) and plain.words()[-1].endswith("4"))
        assert packed.events("state")[-1] == plain.events("state")[-1]
        assert packed.events("frame")[-1] == plain.events("frame")[-1]
        assert len(packed.body) < len(packed.text) / 3
        assert (b"content-encoding", b"gzip") in packed.stream.raw_headers

    play(work)


def test_no_text_can_forge_an_event() -> None:
    """Line ends and separators in a name or a picture stay inside the data line."""

    async def work(rooms: Rooms, hub: Hub) -> None:
        evil = 'x\r\nevent: closed\r\ndata: {}\n\nid: 999\n\u2028"'
        rooms.set(student=evil)
        reader = Reader(hub, size="s")
        await until(lambda: reader.words() == [evil])
        assert not re.search(r"^event: closed|^id: 999", reader.text, re.MULTILINE)
        assert "\r" not in reader.text

    play(work)


def test_a_closed_room_and_a_stopping_server_end_the_streams() -> None:
    """With a word of their own: the one is final, the other asks to come back."""

    async def work(rooms: Rooms, hub: Hub) -> None:
        readers = [Reader(hub), Reader(hub)]
        await until(lambda: all(reader.words() for reader in readers))
        rooms.open = False
        await asyncio.wait_for(asyncio.gather(*(reader.task for reader in readers)), 2)
        assert all(reader.text.endswith("event: closed\ndata: {}\n\n") for reader in readers)
        rooms.open = True
        again = Reader(hub)
        await until(lambda: bool(again.words()))
        hub.stop()
        await asyncio.wait_for(again.task, 2)
        assert again.text.endswith("event: bye\ndata: {}\n\n")
        late = Reader(hub)
        await asyncio.wait_for(late.task, 2)
        assert "event: bye" in late.text

    play(work)


def test_streams_are_limited() -> None:
    """In all, in one room, and by address; a stream that ends makes room."""

    async def work(rooms: Rooms, hub: Hub) -> None:
        readers = [Reader(hub) for _ in range(3)]
        with pytest.raises(Full):
            Reader(hub)
        readers[0].gone.set()
        await until(lambda: hub.streams == 2)
        readers.append(Reader(hub))
        await until(lambda: all(reader.words() for reader in readers[1:]))

    for limit in ("streams", "streams_per_room", "streams_per_address"):
        play(work, **{limit: 3})


def test_a_silent_stream_ticks_and_a_stalled_one_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every ten seconds, with an event that a page can hear: no proxy cuts it; and the other holds nothing for ever."""
    assert broadcast.BEATS_TO_TICK * broadcast.BEAT_SECONDS == 10
    monkeypatch.setattr(broadcast, "BEAT_SECONDS", 0.02)

    async def work(rooms: Rooms, hub: Hub) -> None:
        silent, stalled = Reader(hub), Reader(hub)
        await until(lambda: bool(silent.words() and stalled.words()))
        await until(lambda: silent.text.endswith(2 * "event: tick\ndata: {}\n\n"))
        stalled.reads.clear()
        rooms.set(student="next")
        hub.poke("CODE")
        await until(lambda: hub.streams == 1)
        assert stalled.task.done()
        assert silent.words()[-1] == "next"

    play(work, stalled_seconds=1.0)


def test_reconnects_are_spread() -> None:
    """Each stream tells its browser a time of its own to wait before it comes back."""

    async def work(rooms: Rooms, hub: Hub) -> None:
        readers = [Reader(hub) for _ in range(40)]
        await until(lambda: all(reader.words() for reader in readers))
        waits = [int(re.match(r"retry: (\d+)\n\n", reader.text)[1]) for reader in readers]  # type: ignore[index]
        assert all(1000 <= wait <= 4000 for wait in waits)
        assert max(waits) - min(waits) > 1500

    play(work)


def test_an_error_of_the_source_does_not_end_the_streams() -> None:
    """They keep what they have, and go on when it is over."""

    async def work(rooms: Rooms, hub: Hub) -> None:
        reader = Reader(hub)
        await until(lambda: bool(reader.words()))
        whole, rooms.screen = rooms.screen, None  # type: ignore[method-assign, assignment]
        rooms.set(student="after")
        await asyncio.sleep(0.15)
        rooms.screen = whole  # type: ignore[method-assign]
        await until(lambda: reader.words()[-1] == "after")

    play(work)


def test_a_server_with_300_streams_stops_at_once_and_says_goodbye(tmp_path: Path) -> None:
    """SIGTERM: every stream hears bye, the process ends with code 0, and says nothing is wrong."""
    port = machine.free_port()
    log = tmp_path / "log"
    env = {"PLAYGROUND_PORT": str(port), "PLAYGROUND_DATA": str(tmp_path)}
    links = []
    with machine.running([sys.executable, "-m", "app"], env, log) as process:
        machine.wait_until(lambda: socket.create_connection(("127.0.0.1", port), 1) is not None, process, log)
        code, cookie = _open_room(port)
        for _ in range(300):
            link = socket.create_connection(("127.0.0.1", port), timeout=machine.PATIENCE)
            link.sendall(f"GET /api/v1/rooms/{code}/stream HTTP/1.1\r\nHost: x\r\nCookie: {cookie}\r\n\r\n".encode())
            links.append(link)
        for link in links:
            _read_until(link, b"event: state")
        process.send_signal(signal.SIGTERM)
        for link in links:
            assert b"event: bye" in _read_until(link, b"event: bye")
        assert process.wait(timeout=machine.PATIENCE) == 0
    assert "Traceback" not in log.read_text()
    assert "ERROR" not in log.read_text()


@pytest.mark.parametrize("store", ["sqlite", "redis"])
def test_workers_are_one_class(store: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """Two processes on one store: whichever a stream or a step comes to, all streams end at the last state."""
    port, log = machine.free_port(), tmp_path / "log"
    env = {"PLAYGROUND_PORT": str(port), "PLAYGROUND_DATA": str(tmp_path), "PLAYGROUND_WORKERS": "2"}
    if store == "redis":
        env["PLAYGROUND_STORE"] = request.getfixturevalue("redis_server")
    with machine.running([sys.executable, "-m", "app"], env, log) as process:
        machine.wait_until(lambda: machine._answers(f"http://127.0.0.1:{port}/healthz"), process, log)
        asyncio.run(_one_class(port))


async def _one_class(port: int) -> None:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as opener:
        opened = (await opener.post("/api/v1/rooms")).json()
    path = f"/api/v1/rooms/{opened['code'].replace(' ', '')}"
    links = [await _stream(port, path) for _ in range(16)]
    told: dict[str, Any] = {}
    for _ in range(8):  # a connection each, so that both workers take some
        secret = {"authorization": f"Bearer {opened['teacher']}"}
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False, headers=secret) as teacher:
            while (answer := await teacher.post(f"{path}/step")).status_code == 503:
                await asyncio.sleep(0.1)  # refused by a busy store, and nothing changed
            assert answer.status_code == 200, answer.text
            told = answer.json()
    assert told["shared"]["step"] == 8
    mark = f"id: {told['version']}\nevent: frame".encode()
    for reader, writer in links:
        await asyncio.wait_for(reader.readuntil(mark), machine.PATIENCE)
        writer.close()


async def _stream(port: int, path: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A stream that is open: asked for again where a busy store refused it."""
    while True:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 22)
        writer.write(f"GET {path}/stream?size=s HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        status = (await asyncio.wait_for(reader.readline(), machine.PATIENCE)).split()[1]
        if status != b"503":
            assert status == b"200"
            return reader, writer
        writer.close()
        await asyncio.sleep(0.1)


def _open_room(port: int) -> tuple[str, str]:
    """A room's code, and the cookie of its opener."""
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=machine.PATIENCE)
    link.request("POST", "/api/v1/rooms")
    answer = link.getresponse()
    code = re.search(r"/rooms/(\w+)", answer.headers["location"])
    cookie = re.search(r"visitor=[^;]+", answer.headers["set-cookie"])
    link.close()
    assert code
    assert cookie
    return code[1], cookie[0]


def _read_until(link: socket.socket, mark: bytes) -> bytes:
    found = b""
    while mark not in found and (more := link.recv(65536)):
        found += more
    return found
