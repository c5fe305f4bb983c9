"""What a release has stored and linked to is read by every later one, to the same bits.

`tests/stores/` holds a store of every release. Its numbers have to be the same bits wherever the machine's arithmetic
is that of the machine which made them, as the canary tells; elsewhere, and there a warning says so, the same to 1e-9.
"""

import asyncio
import json
import lzma
import socket
import warnings
from collections.abc import Awaitable, Callable
from functools import lru_cache
from math import isclose
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import numpy as np
import pytest
from stores import bits
from test_api import served

import machine
from app.explain.walkthrough import walkthrough
from app.main import create_app
from app.page.links import Link
from app.settings import Settings
from engine import ACTIVATIONS, INITIALIZERS, LOSSES, OPTIMIZERS, SCHEDULES, Spec, replay, start, trace
from engine.penalties import PENALTIES
from engine.quantity import Quantity

STORES = Path(__file__).parent / "stores"
RELEASES = sorted(each.name for each in STORES.iterdir() if (each / "told.json.xz").exists())
KINDS = ("sqlite", "redis")
Work = Callable[[httpx.AsyncClient, Any], Awaitable[None]]


def unpacked(release: str, name: str) -> bytes:
    return lzma.decompress((STORES / release / f"{name}.xz").read_bytes())


@lru_cache
def told_by(release: str) -> dict[str, Any]:
    """What the release itself said of its store, and whether this machine has to come to the same bits."""
    told: dict[str, Any] = json.loads(unpacked(release, "told.json"))
    told["exactly"] = told["canary"] == bits.canary()
    if not told["exactly"]:
        warnings.warn(f"another arithmetic than made the store of {release}: numbers compared to 1e-9", stacklevel=2)
    return told


def load_redis(url: str, commands: bytes) -> None:
    """Send a dump as it is, as `redis-cli --pipe` would."""
    place = urlsplit(url)
    with socket.create_connection((place.hostname, place.port), timeout=machine.PATIENCE) as line:
        line.sendall(b"FLUSHALL\r\n" + commands + b"ECHO loaded\r\n")
        answer = b""
        while not answer.endswith(b"loaded\r\n"):
            answer += line.recv(1 << 16)
        assert b"-ERR" not in answer


Stored = tuple[str, str, str]


@pytest.fixture(params=[(release, kind) for release in RELEASES for kind in KINDS], ids="-".join)
def stored(request: pytest.FixtureRequest, tmp_path: Path) -> Stored:
    """A store of a release, opened nowhere yet: the release, the kind, and where it is."""
    release, kind = request.param
    if kind == "sqlite":
        place = str(tmp_path / "runs.sqlite3")
        Path(place).write_bytes(unpacked(release, "runs.sqlite3"))
    else:
        place = request.getfixturevalue("redis_server")
        load_redis(place, unpacked(release, "redis.commands"))
    return release, kind, place


def play(stored: Stored, work: Work) -> None:
    """Work with today's playground on the store, and with what the release said of it, as its visitor."""
    release, kind, place = stored

    async def main() -> None:
        async with served(create_app(Settings(store=place, step_seconds=60, replay_seconds=60))) as client:
            client.cookies.set("visitor", told_by(release)[kind]["visitor"])
            await work(client, told_by(release)[kind])

    asyncio.run(main())


async def ask(client: httpx.AsyncClient, method: str, path: str, body: Any = None, **headers: str) -> Any:
    answer = await client.request(method, f"/api/v1{path}", json=body, headers=headers)
    assert answer.is_success, (path, answer.text)
    return answer.json()


def check(told: dict[str, Any], kept: dict[str, Any], release: str, name: str) -> None:
    """Prints that were taken from today's numbers against those of the release."""
    kept = {quantity: kept[quantity] for quantity in kept if quantity in told}
    assert kept
    assert bits.differing(told, kept, told_by(release)["exactly"]) == [], name


def same(now: Any, then: Any) -> bool:
    """What JSON said then is still said: new names may have come, and a loss may differ in its last digit."""
    if isinstance(then, dict):
        return isinstance(now, dict) and all(name in now and same(now[name], then[name]) for name in then)
    if isinstance(then, list):
        return isinstance(now, list) and len(now) == len(then) and all(map(same, now, then))
    return isclose(now, then, rel_tol=bits.TOLERANCE) if isinstance(then, float) and now is not None else now == then


def test_the_stores_hold_every_entry_of_every_table() -> None:
    """Of the first release; the tables may have grown since."""
    specs = [run["told"]["spec"] for run in told_by("0.1.0")["sqlite"]["runs"]]
    for name, table in (
        ("loss", LOSSES), ("optimizer", OPTIMIZERS), ("schedule", SCHEDULES), ("regularization", PENALTIES),
        ("initializer", INITIALIZERS),
    ):  # fmt: skip
        assert {spec[name] for spec in specs} >= set(list(table)[:3]), name
    used = {name for spec in specs for name in (*spec["activation"], spec["output_activation"])}
    assert len(used & set(ACTIVATIONS)) >= 11
    assert any(run["told"]["diverged"] for run in told_by("0.1.0")["sqlite"]["runs"])


def test_every_run_is_read_and_listed(stored: Stored) -> None:
    """What is said of it is what was said, but for new fields; its parameters and the optimizer's memory are the same
    bits on any machine, for they are stored."""
    release = stored[0]

    async def work(client: httpx.AsyncClient, kept: Any) -> None:
        listed = {run["id"] for run in (await ask(client, "GET", "/runs"))["runs"]}
        for run in kept["runs"]:
            assert same(await ask(client, "GET", f"/runs/{run['id']}"), run["told"]), run["name"]
            assert run["id"] in listed
            assert (await ask(client, "GET", f"/runs/{run['id']}/history"))["steps"] == run["points"]
            told = await ask(client, "GET", f"/runs/{run['id']}/trace")
            check(bits.prints_of_answer(told), run["now"], release, run["name"])

    play(stored, work)


def test_every_run_goes_back_and_on(stored: Stored) -> None:
    """Halfway on its way it was what it was, and seven steps later it is what the release would have made of it."""
    release = stored[0]

    async def work(client: httpx.AsyncClient, kept: Any) -> None:
        for run in kept["runs"]:
            told = await ask(client, "GET", f"/runs/{run['id']}/trace?step={run['before']}")
            check(bits.prints_of_answer(told), run["then"], release, run["name"])
            stepped = await ask(client, "POST", f"/runs/{run['id']}/step", {"count": 7})
            assert stepped["step"] == run["ahead"], run["name"]
            told = await ask(client, "GET", f"/runs/{run['id']}/trace")
            check(bits.prints_of_answer(told), run["later"], release, run["name"])

    play(stored, work)


def test_what_is_stored_of_a_run_is_what_is_read(stored: Stored) -> None:
    """Parameters and slots, bit for bit, on any machine; and the state's own next step."""
    release = stored[0]

    async def main() -> None:
        app = create_app(Settings(store=stored[2]))
        async with served(app):
            for run in told_by(release)[stored[1]]["runs"]:
                state = (await app.state.runs.get(run["id"])).state
                found = {"parameters": bits.print_of([state.parameters]), "slots": bits.print_of([state.slots])}
                assert bits.differing(found, {name: run["now"][name] for name in found}, exactly=True) == []

    asyncio.run(main())


def test_a_class_goes_on(stored: Stored) -> None:
    """The room is there for its teacher, with students, questions, answers and what was handed in; a student comes."""

    async def work(client: httpx.AsyncClient, kept: Any) -> None:
        room = kept["room"]
        teacher = {"authorization": f"Bearer {room['teacher']}"}
        assert same(await ask(client, "GET", f"/rooms/{room['code']}", **teacher), room["told"])
        assert same((await ask(client, "GET", f"/rooms/{room['code']}/answers", **teacher))["answers"], room["answers"])
        assert same(await ask(client, "GET", f"/rooms/{room['code']}/students", **teacher), room["students"])
        joined = await ask(client, "POST", f"/rooms/{room['code']}/students", {"nickname": "Grace"})
        assert joined["number"] == 4
        closed = await ask(client, "POST", f"/rooms/{room['code']}/questions/3/close", **teacher)
        assert closed["question"]["status"] == "closed"

    play(stored, work)


@pytest.mark.parametrize("release", RELEASES)
def test_every_link_means_what_it_meant(release: str) -> None:
    """200 links come to the same bits: parameters, slots, z, a, delta, dW and the parameters after the step."""
    for each in told_by(release)["links"]:
        link = Link.parse(dict(parse_qsl(each["link"], keep_blank_values=True)))
        assert link.view.step is not None
        state = replay(start(link.spec), link.edits, link.view.step)
        assert state.step == link.view.step
        seen = trace(state, link.view.example)
        check(bits.prints_of(state, seen), each["bits"], release, each["link"])
        if "targets" in each:
            assert link.view.moment is not None
            targets = walkthrough(seen, link.view.grain)[link.view.moment].targets
            assert targets == tuple(map(Quantity.parse, each["targets"])), each["link"]


def test_another_arithmetic_is_told_from_another_number() -> None:
    """Where the last digits say nothing, a millionth of the largest number more in any place is seen all the same, and
    a last digit is not; where they count, it is."""
    numbers = replay(start(Spec.make(dataset="xor")), (), 20).parameters
    kept, largest = {"W": bits.print_of([numbers])}, np.abs(numbers).max()
    for place in range(len(numbers)):
        other, last = numbers.copy(), numbers.copy()
        other[place] += 1e-6 * largest
        last[place] = np.nextafter(last[place], np.inf)
        assert bits.differing({"W": bits.print_of([other])}, kept, exactly=False)
        assert bits.differing({"W": bits.print_of([last])}, kept, exactly=True)
        assert bits.differing({"W": bits.print_of([last])}, kept, exactly=False) == []
