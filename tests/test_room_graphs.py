"""A class before a formula's graph: what every screen shows, and a question about a gradient, judged by the engine."""

from __future__ import annotations

import asyncio
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from reading import page
from test_api_rooms import School, play

from app.failures import Busy
from app.graph.presets import PRESETS
from app.room.broadcast import Follower, Screen
from app.room.graphs import is_graph
from app.room.polls import is_right
from app.room.screens import WALL
from app.words.numbers import signed
from engine import graph

SOURCE = "L = (tanh(a*b + c) - y)**2 + 0.1*a**2"
VALUES = {"a": 0.8, "b": -1.5, "c": 2, "y": -0.5}


def address(**more: str) -> str:
    return "/graph?" + urlencode({"source": SOURCE, **{f"v.{name}": value for name, value in VALUES.items()}, **more})


async def seen(school: School, path: str, size: str = "m") -> str:
    source = school.app.state.hub.source
    return str(await source.picture(await source.screen(path.rpartition("/")[2], 0), size))


def test_a_graph_is_on_every_screen(tmp_path: Path) -> None:
    """With the moment that the teacher looks at; a preset by its name; and the run comes back."""

    async def work(school: School) -> None:
        path, teacher, _ = await school.room()
        told = (await teacher.put(f"{path}/shared", json={"lesson": address(at="da")})).json()
        assert told["lesson"] is None
        assert told["graph"] == address(at="da")
        student = await school.student(path)
        assert (await student.get(path)).json()["graph"] == address(at="da")
        of = graph(SOURCE, VALUES)
        for size in ("s", "m", "l"):
            shown = page(await seen(school, path, size))
            numbers = [each.text.strip() for each in shown.all("text", "data")]
            assert numbers == [signed(each) for each in of.data]
            assert shown.one("g", "lit").one("text", "grad").words == signed(of.grad[0])
            assert SOURCE in shown.one("pre").words
        own = await teacher.get(path.replace("/api/v1/rooms", "/class") + "/teach")
        assert own.status_code == 200
        assert 'id="strip"' in own.text
        assert "What is the gradient at this node?" in own.text
        preset = (await teacher.put(f"{path}/shared", json={"lesson": "/graph?preset=cs231n"})).json()["graph"]
        assert parse_qs(urlsplit(preset).query)["source"] == [PRESETS["cs231n"].formula]
        assert (await teacher.put(f"{path}/shared", json={"step": 0})).json()["graph"] is None
        assert 'id="net"' in await seen(school, path)

    play(work, tmp_path)


@pytest.mark.parametrize(
    ("kind", "name", "right", "wrong"),
    [("node", "a", "-1.79", "1.79"), ("node", "c", "1.3", "2.33"), ("sign", "b", "positive", "negative")],
)
def test_a_class_is_asked_about_a_gradient(tmp_path: Path, kind: str, name: str, right: str, wrong: str) -> None:
    """Not on any screen before the reveal, and judged by the engine; put away, the graph is as it was."""

    async def work(school: School) -> None:
        path, teacher, _ = await school.room()
        ada, bob = await school.student(path), await school.student(path)
        await teacher.put(f"{path}/shared", json={"lesson": address()})
        asked = await teacher.post(f"{path}/questions", json={"kind": kind, "address": name})
        assert asked.status_code == 201, asked.text
        of = graph(SOURCE, VALUES)
        truth = of.grad[of.place_of(name)]
        shown = page(await seen(school, path))
        assert shown.one("g", "lit").one("text", "grad").words == "?"
        assert (signed(truth) in shown.words) == (name == "c")  # whose gradient is that of the sum that it goes into
        told = (await ada.get(path)).json()
        assert (told["question"]["truth"], told["question"]["step"]) == (None, None)
        for student, given in ((ada, right), (bob, wrong)):
            assert (await student.put(f"{path}/questions/1/answer", json={"answer": given})).status_code == 200
        revealed = (await teacher.post(f"{path}/questions/1/reveal")).json()
        assert sorted((bar["count"], bar["true"]) for bar in revealed["question"]["bars"] if bar["count"]) == [
            (1, False),
            (1, True),
        ]
        assert signed(truth) in page(await seen(school, path)).one("g", "lit").words
        rows = (await teacher.get(f"{path}/answers")).json()["answers"]
        assert [(row["address"], row["right"]) for row in rows] == [(name, True), (name, False)]
        room = await school.app.state.teaching.classroom.get(path.rpartition("/")[2])
        assert is_right(room.poll.question, str(truth) if kind == "node" else right)
        await teacher.delete(f"{path}/questions/1")
        assert "predict" not in (await teacher.get(path)).json()["graph"]

    play(work, tmp_path)


def test_a_question_that_is_put_away_leaves_nothing_hidden(tmp_path: Path) -> None:
    """Not even if it was never revealed; and one about the run brings the graph back when it is put away."""

    async def work(school: School) -> None:
        path, teacher, _ = await school.room()
        await teacher.put(f"{path}/shared", json={"lesson": address()})
        await teacher.post(f"{path}/questions", json={"kind": "node", "address": "a"})
        await teacher.post(f"{path}/questions", json={"kind": "loss"})
        assert (await teacher.get(path)).json()["graph"] is None
        await teacher.delete(f"{path}/questions/2")
        assert (await teacher.get(path)).json()["graph"] == address(at="da")

    play(work, tmp_path)


def test_what_cannot_be_shown_or_asked_is_refused(tmp_path: Path) -> None:
    """With its place, what is allowed, and the last good graph on the screens."""

    async def work(school: School) -> None:
        path, teacher, _ = await school.room()
        refused = await teacher.post(f"{path}/questions", json={"kind": "node"})
        assert (refused.status_code, "while a graph is shown" in refused.text) == (422, True)
        await teacher.put(f"{path}/shared", json={"lesson": address()})
        for wrong, said in (
            ("/graph?source=a*", "line 1, column 3"),
            ("/graph?source=a&v.a=x", "values.a"),
            ("/graph?" + "&".join(["x=1"] * 900), "fields"),
            ("/graph?source=" + "(" * 60, "brackets"),
            ("/graph/?source=a", "lesson"),
            ("//evil.example/graph?source=a", "lesson"),
        ):
            answer = await teacher.put(f"{path}/shared", json={"lesson": wrong})
            assert answer.status_code == 422, wrong
            assert said in answer.text, answer.text
        for body in ({"kind": "node", "address": "nobody"}, {"kind": "nodes"}):
            assert (await teacher.post(f"{path}/questions", json=body)).status_code == 422
        assert (await teacher.get(path)).json()["graph"] == address()
        await teacher.put(f"{path}/shared", json={"lesson": "/graph?source=sqrt(a)&v.a=0"})
        assert (await teacher.post(f"{path}/questions", json={"kind": "node"})).status_code == 422

    play(work, tmp_path)


def test_a_picture_that_found_no_room_is_drawn_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody's screen stays behind because the server was too busy when it was to be drawn."""

    async def work(school: School) -> None:
        path, teacher, _ = await school.room()
        hub, refused = school.app.state.hub, [0]
        drawn = hub.source.picture

        async def picture(screen: Screen, size: str) -> str:
            if is_graph(screen.picture.lesson) and not refused[0]:  # type: ignore[attr-defined]
                refused[0] += 1
                raise Busy("too many heavy computations are waiting", 503)
            return str(await drawn(screen, size))

        monkeypatch.setattr(hub.source, "picture", picture)
        code = path.rpartition("/")[2]
        follower = Follower(WALL, "m", "", "127.0.0.1", False)
        channel = hub.enter(code, follower)
        await teacher.put(f"{path}/shared", json={"lesson": address()})
        while "m" not in channel.frames or channel.frames["m"].content.lesson != address():
            await asyncio.sleep(0.01)
        assert refused == [1]
        hub.leave(channel, follower)

    play(work, tmp_path)
