"""Make the store of a release: runs of every kind and a class, in SQLite and in Redis, and links, each with its bits.

    .venv/bin/python tests/stores/make.py

It is run once, by the code of the release itself, and what it writes into tests/stores/<version>/ is never changed
again: `tests/test_releases.py` opens it with the code of today.
"""

from __future__ import annotations

import asyncio
import json
import lzma
import random
import sqlite3
import sys
import tempfile
from collections.abc import Awaitable, Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import httpx
import numpy as np

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent.parent)]

from stores import bits  # noqa: E402

import machine  # noqa: E402
from app.explain.walkthrough import walkthrough  # noqa: E402
from app.main import create_app  # noqa: E402
from app.page.links import Link, View  # noqa: E402
from app.settings import Settings  # noqa: E402
from engine import Spec, SpecError, replay, start, trace  # noqa: E402
from engine.activations import ACTIVATIONS  # noqa: E402
from engine.datasets import DATASETS  # noqa: E402
from engine.edits import Edit  # noqa: E402
from engine.features import features_for  # noqa: E402
from engine.initializers import INITIALIZERS  # noqa: E402
from engine.losses import LOSSES  # noqa: E402
from engine.optimizers import OPTIMIZERS  # noqa: E402
from engine.penalties import PENALTIES  # noqa: E402
from engine.schedules import SCHEDULES  # noqa: E402

LINKS = 200
FOR_EVER = {"idle_days": 36_500.0, "room_idle_hours": 876_000.0, "step_seconds": 60.0, "replay_seconds": 60.0}
VISITOR, STUDENTS = "o" * 43, ["s" * 43, "w" * 43, "A" * 43]  # each 32 bytes in base64, as tokens are
ME = {"cookie": f"visitor={VISITOR}"}
Deed = tuple[str, str, Any]  # method, path below the run, body


def generated() -> list[dict[str, Any]]:
    """Specs in which every entry of every table stands at least once."""
    losses, specs = list(LOSSES), []
    for i in range(35):
        spec: dict[str, Any] = {
            "loss": losses[i % len(losses)], "optimizer": list(OPTIMIZERS)[i % len(OPTIMIZERS)],
            "schedule": list(SCHEDULES)[i % len(SCHEDULES)], "regularization": list(PENALTIES)[i % len(PENALTIES)],
            "initializer": list(INITIALIZERS)[i * 3 % len(INITIALIZERS)], "seed": i, "samples": 40 + i,
            "activation": list(ACTIVATIONS)[i % len(ACTIVATIONS)], "hidden": [[3], [4, 2], [2, 3, 2], []][i % 4],
            "regularization_rate": 0.01, "batch_size": [1, 7, 10, 40][i % 4], "noise": 0.05 * (i % 5),
        }  # fmt: skip
        specs.append(spec | _suiting(spec, i))
    return specs


def _suiting(spec: dict[str, Any], i: int) -> dict[str, Any]:
    """A dataset, and with it an output, that the loss takes; the first that do, counted from `i` on."""
    names = [name for name in DATASETS if name != "digits16"]
    for k in range(len(names)):
        found = {"dataset": names[(i + k) % len(names)]}
        try:
            Spec.make(spec | found)
        except SpecError:
            continue
        return found
    raise LookupError(f"nothing suits {spec['loss']}")


def _data(rows: int, columns: int, outputs: int, task: str) -> dict[str, Any]:
    rng = random.Random(rows)
    x = [[round(rng.uniform(-2, 2), 2) for _ in range(columns)] for _ in range(rows)]
    made = {"binary": lambda: [rng.randint(0, 1)], "multiclass": lambda: [rng.randint(0, outputs - 1)]}
    y = [made.get(task, lambda: [round(rng.gauss(0, 1), 3) for _ in range(outputs)])() for _ in range(rows)]
    return {"dataset": "custom", "data": {"x": x, "y": y, "task": task}}


def runs() -> list[tuple[str, dict[str, Any], list[Deed]]]:
    """What each run is called, its spec, and what was done to it."""
    made = [
        (f"{s['loss']}, {s['optimizer']}, {s['schedule']}, {s['regularization']}", s, [_step(5 + 4 * (i % 9))])
        for i, s in enumerate(generated())
    ]
    weights = [{"W": [[0.3, -0.2], [0.1, 0.4]], "b": [0.0, 0.1]}, {"W": [[0.5, -0.5]], "b": [0.2]}]
    features = {"features": list(features_for(2))}
    live = {"learning_rate": 0.3, "optimizer": "adam", "schedule": "cosine", "regularization": "l2"}
    return [
        *made,
        ("own data, regression", _data(24, 3, 2, "regression"), [_step(30)]),
        ("own data, binary", _data(17, 2, 1, "binary"), [_step(12)]),
        ("own data, multiclass", _data(30, 5, 4, "multiclass"), [_step(12)]),
        ("own weights", {"dataset": "xor", "hidden": [2], "parameters": weights}, [_step(9)]),
        ("every feature", {"dataset": "spiral", "samples": 60} | features, [_step(20)]),
        ("digits", {"dataset": "digits16", "samples": 80, "hidden": [2], "activation": "relu"}, [_step(4)]),
        ("deep", {"hidden": [3] * 8, "activation": ["tanh", "relu"] * 4}, [_step(15)]),
        ("edits", {"dataset": "xor"}, [
            _step(8), ("PATCH", "", live), _step(8), _edit("W1.2.1", -0.75), _step(8), _edit("batch_size", 3),
            _edit("regularization_rate", 0.02), _step(8), _edit("b2.1", 0.5),
        ]),
        ("frozen", {"frozen": ["W1.1.1", "b1.2"]}, [_step(8), _edit("frozen", ["biases", "W2.1.1"]), _step(8)]),
        ("diverged", {"dataset": "plane", "learning_rate": 90, "hidden": [3], "activation": "relu"}, [_step(200)]),
        ("diverged and mended", {"dataset": "line", "learning_rate": 80, "hidden": []}, [
            _step(200), _edit("learning_rate", 0.01), _edit("W1.1.1", 0.5), _edit("b1.1", 0.0), _step(10),
        ]),
        ("checkpoints", {"optimizer": "adam"}, [_step(1_500), _edit("learning_rate", 0.01), _step(1_100)]),
        ("gone back", {"optimizer": "momentum"}, [_step(60), ("POST", "/rewind", {"step": 23}), _step(4)]),
        ("reset", {"dataset": "moons"}, [_step(9), _edit("learning_rate", 1.0), ("POST", "/reset", None), _step(3)]),
        ("at its start", {"dataset": "gaussian"}, []),
    ]  # fmt: skip


def _step(count: int) -> Deed:
    return "POST", "/step", {"count": count}


def _edit(field: str, value: Any) -> Deed:
    return "POST", "/edits", {"field": field, "value": value}


async def ask(client: httpx.AsyncClient, method: str, path: str, body: Any = None, **headers: str) -> Any:
    """The JSON of one request that succeeds."""
    answer = await client.request(method, f"/api/v1{path}", json=body, headers=ME | headers)
    assert answer.is_success, (path, answer.text)
    return answer.json()


async def fill(client: httpx.AsyncClient, kept: Any, every: int) -> dict[str, Any]:
    """Make the runs and a class; what is to be read there."""
    told = []
    for i, (name, spec, deeds) in enumerate(runs()):
        if i % every and i < 35:
            continue
        run = (await ask(client, "POST", "/runs", spec))["id"]
        for number, (method, path, body) in enumerate(deeds):
            keyed = {"Idempotency-Key": f"k{number}"} if path != "/rewind" else {}
            await ask(client, method, f"/runs/{run}{path}", body, **keyed)
        if name == "edits":
            run = (await ask(client, "POST", f"/runs/{run}/branch", {"step": 20}))["id"]
        told.append({"name": name} | await look(client, kept, run))
    room = await classroom(client, told[0]["id"])
    return {"made": version("backprop-playground"), "visitor": VISITOR, "runs": told, "room": room}


async def look(client: httpx.AsyncClient, kept: Any, run: str) -> dict[str, Any]:
    """What is said of a run, its bits now, halfway on its way, and seven steps on: those are not stored."""
    answer, history = await ask(client, "GET", f"/runs/{run}"), await ask(client, "GET", f"/runs/{run}/history")
    state = (await kept.get(run)).state
    before = answer["step"] // 2
    past = await ask(client, "GET", f"/runs/{run}/trace?step={before}")
    ahead = replay(state, (), state.step + 7)
    answer["spec"].pop("data", None)
    return {
        "id": run, "told": answer, "points": history["steps"], "now": bits.prints_of(state, trace(state)),
        "before": before, "then": bits.prints_of_answer(past),
        "ahead": ahead.step, "later": bits.prints_of(ahead, trace(ahead)),
    }  # fmt: skip


async def classroom(client: httpx.AsyncClient, run: str) -> dict[str, Any]:
    """A class with all there may be in one: three questions, one of them open, a hand-in, and one who was sent out."""
    opened = await ask(client, "POST", "/rooms", {"run": run, "view": "lens=gradients"})
    code, teacher = opened["code"], {"authorization": f"Bearer {opened['teacher']}"}
    for number, student in enumerate(STUDENTS, 1):
        await ask(client, "POST", f"/rooms/{code}/students", {"nickname": f"Ada {number}"}, cookie=f"visitor={student}")
    own = {"kind": "own", "prompt": "Why?", "options": ["the slope", "the sign"], "truth": "the sign"}
    for number, question in enumerate([{"kind": "direction", "address": "W1.1.1"}, own, {"kind": "loss"}], 1):
        asked = await ask(client, "POST", f"/rooms/{code}/questions", question, **teacher)
        given = [option["value"] for option in asked["question"]["options"][:2]] or [0.5]
        for student, answer in zip(STUDENTS, given, strict=False):
            path = f"/rooms/{code}/questions/{number}/answer"
            await ask(client, "PUT", path, {"answer": answer}, cookie=f"visitor={student}")
        if number < 3:
            await ask(client, "POST", f"/rooms/{code}/questions/{number}/close", **teacher)
    copied = await ask(client, "PUT", f"/rooms/{code}/pace", {"pace": "explore"}, **teacher)
    copied = await ask(client, "POST", f"/rooms/{code}/copies", cookie=f"visitor={STUDENTS[0]}")
    handed = {"run": copied["run"], "step": copied["step"], "named": True}
    await ask(client, "PUT", f"/rooms/{code}/hand-in", handed, cookie=f"visitor={STUDENTS[0]}")
    await client.delete(f"/api/v1/rooms/{code}/students/3", headers=ME | teacher)
    return {
        "code": code, "teacher": opened["teacher"], "told": await ask(client, "GET", f"/rooms/{code}", **teacher),
        "answers": (await ask(client, "GET", f"/rooms/{code}/answers", **teacher))["answers"],
        "students": await ask(client, "GET", f"/rooms/{code}/students", **teacher),
    }  # fmt: skip


async def in_store(place: str, work: Callable[[httpx.AsyncClient, Any], Awaitable[Any]]) -> Any:
    """Work with the playground on a store."""
    app = create_app(Settings(store=place, **FOR_EVER))
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://playground") as client,
    ):
        return await work(client, app.state.runs)


def commands_of(url: str) -> bytes:
    """Everything in a Redis as the commands that make it, in Redis' own protocol: any version of it takes them."""
    import redis

    server, lines = redis.Redis.from_url(url), []
    for key in sorted(server.scan_iter()):
        kind = server.type(key)
        if kind == b"hash":
            lines.append([b"HSET", key, *(each for pair in sorted(server.hgetall(key).items()) for each in pair)])
        elif kind == b"zset":
            pairs = server.zrange(key, 0, -1, withscores=True)
            lines.append([b"ZADD", key, *(each for name, score in pairs for each in (repr(score).encode(), name))])
        else:
            lines.append([b"SET", key, server.get(key)])
    parts = [b"*%d\r\n" % len(line) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in line) for line in lines]
    return b"".join(parts)


def links(rng: random.Random) -> list[dict[str, Any]]:
    """Links as the page writes them: spec, edits, a step and a view, and the bits at that step."""
    specs = [spec for _, spec, _ in runs() if len(spec.get("hidden", ())) < 8]
    made = []
    while len(made) < LINKS:
        spec = Spec.make(specs[len(made) % len(specs)] | {"seed": len(made)})
        step = rng.choice([0, 1, 7, 19, 40, 90])
        edits = _edits(rng, spec, step) if len(made) % 3 == 0 else ()
        state = replay(start(spec), edits, step)
        example = rng.randrange(spec.samples) if len(made) % 4 == 0 else None
        grain = rng.choice(["operation", "unit", "layer", "pass"])
        lens, seen = rng.choice(["weights", "gradients", "activations"]), trace(state, example)
        moments = walkthrough(seen, grain)
        moment = rng.randrange(len(moments)) if len(made) % 5 == 0 else None
        view = View(step=step, example=example, lens=lens, grain=grain, moment=moment)
        if state.step == step:
            told = {"link": Link(spec, edits, view).query(), "bits": bits.prints_of(state, seen)}
            made.append(told | ({"targets": list(map(str, moments[moment].targets))} if moment is not None else {}))
    return made


def _edits(rng: random.Random, spec: Spec, step: int) -> tuple[Edit, ...]:
    live: list[tuple[str, Any]] = [
        ("learning_rate", 0.1), ("batch_size", 4), ("W1.1.1", 0.25), ("b1.1", -0.125), ("regularization", "l1"),
        ("optimizer", "rmsprop"), ("frozen", ["W1.1.1"]), ("schedule", "step"),
    ]  # fmt: skip
    steps = sorted(rng.randint(0, step) for _ in range(2))
    return tuple(Edit(at, *rng.choice(live)) for at in steps)


def main() -> None:
    folder = HERE / version("backprop-playground")
    folder.mkdir(exist_ok=True)

    def write(name: str, what: bytes) -> None:
        (folder / f"{name}.xz").write_bytes(lzma.compress(what, preset=9 | lzma.PRESET_EXTREME))

    with tempfile.TemporaryDirectory() as place, machine.run_redis() as url:
        path = f"{place}/runs.sqlite3"
        told = {"sqlite": asyncio.run(in_store(path, lambda client, kept: fill(client, kept, 1)))}
        told["redis"] = asyncio.run(in_store(url, lambda client, kept: fill(client, kept, 4)))
        write("redis.commands", commands_of(url))
        db = sqlite3.connect(path)
        db.execute("DELETE FROM buckets")
        db.commit()
        db.execute("VACUUM")
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        db.close()
        write("runs.sqlite3", Path(path).read_bytes())
    about = {"canary": bits.canary(), "numpy": np.__version__, **told, "links": links(random.Random(0))}
    write("told.json", json.dumps(about, separators=(",", ":")).encode())
    print(*(f"{each.name}: {each.stat().st_size:,} bytes" for each in sorted(folder.iterdir())), sep="\n")


if __name__ == "__main__":
    main()
