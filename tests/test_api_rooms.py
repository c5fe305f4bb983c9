"""A class over JSON and as pages: who may do what, what each is told, and hostile names in every place they show."""

import asyncio
import csv
import io
import json
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from declared import as_declared

from app.draw.rendering import ENV
from app.failures import StoreUnavailable
from app.learn.lessons import lessons
from app.main import create_app
from app.room import api as api_rooms
from app.room import driving, ending, rooms
from app.room import pages as pages_class
from app.room.screens import STUDENT, TEACHER, WALL
from app.settings import Settings
from app.stores.seal import seal

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)> \u202eevil"
Client = httpx.AsyncClient
Work = Callable[["School"], Awaitable[None]]


class School:
    """One app in process, and people who come to it, each with cookies of their own."""

    def __init__(self, app: Any) -> None:
        self.app = app

    def person(self, secret: str | None = None) -> Client:
        headers = {"authorization": f"Bearer {secret}"} if secret else {}
        transport = httpx.ASGITransport(self.app)
        hooks = {"response": [as_declared]}
        return Client(transport=transport, base_url="http://school", headers=headers, event_hooks=hooks)

    async def room(self, **body: Any) -> tuple[str, Client, str]:
        """The path of a new room, its teacher and the secret."""
        answer = await self.person().post("/api/v1/rooms", json=body)
        assert answer.status_code == 201, answer.text
        told = answer.json()
        return f"/api/v1/rooms/{rooms.code_of(told['code'])}", self.person(told["teacher"]), told["teacher"]

    async def student(self, path: str, nickname: str = "") -> Client:
        person = self.person()
        answer = await person.post(f"{path}/students", json={"nickname": nickname})
        assert answer.status_code == 200, answer.text
        return person


def play(work: Work, folder: Path, **more: Any) -> None:
    async def main() -> None:
        app = create_app(Settings(**{"data": folder, **more}))
        async with app.router.lifespan_context(app):
            await work(School(app))

    asyncio.run(main())


def test_a_script_runs_a_whole_class(tmp_path: Path) -> None:
    """Open, join, step, ask, answer, close, reveal, explore, copy, hand in, show, table, close: over JSON alone."""

    async def work(school: School) -> None:
        path, teacher, _ = await school.room(spec={"dataset": "xor"})
        ada, bob = await school.student(path, "Ada"), await school.student(path)
        stepped = (await teacher.post(f"{path}/step", json={"count": 20})).json()
        assert stepped["shared"]["step"] == stepped["run"]["step"] == 20

        asked = (await teacher.post(f"{path}/questions", json={"kind": "direction", "address": "b1.1"})).json()
        assert asked["question"]["address"] == "b1.1"
        for person, answer in ((ada, "down"), (ada, "up"), (bob, "stay")):
            assert (await person.put(f"{path}/questions/1/answer", json={"answer": answer})).status_code == 200
        seen = (await ada.get(path)).json()["question"]
        assert (seen["status"], seen["bars"], seen["truth"]) == ("open", None, None)
        await teacher.post(f"{path}/questions/1/close")
        assert (await ada.put(f"{path}/questions/1/answer", json={"answer": "up"})).status_code == 409
        told = (await teacher.post(f"{path}/questions/1/reveal")).json()
        assert told["shared"]["step"] == 21
        assert {bar["answer"]: bar["count"] for bar in told["question"]["bars"]} == {"up": 1, "down": 0, "stay": 1}
        run = (await teacher.get(f"/api/v1/runs/{told['shared']['run']}")).json()
        assert run["step"] == 21
        again = (await teacher.post(f"{path}/questions/1/reveal")).json()
        assert again["shared"]["step"] == 21, "revealing twice takes one step"

        assert (await ada.post(f"{path}/copies")).status_code == 409
        await teacher.put(f"{path}/pace", json={"pace": "explore"})
        copy = (await ada.post(f"{path}/copies")).json()
        assert copy["step"] == 21
        await ada.post(f"/api/v1/runs/{copy['run']}/step", json={"count": 100})
        handed = (await ada.put(f"{path}/hand-in", json={"run": copy["run"], "named": True})).json()
        assert handed == {"number": 1, "step": 121, "named": True}
        shown = (await teacher.put(f"{path}/shown", json={"hand_in": 1})).json()
        assert shown["shown"] == {"number": 1, "nickname": "Ada"}
        assert (await bob.put(f"{path}/hand-in", json={"run": copy["run"]})).status_code == 422

        table = (await teacher.get(f"{path}/answers?format=csv")).text
        rows = list(csv.DictReader(io.StringIO(table.lstrip("\ufeff"))))
        assert [(row["student"], row["nickname"], row["answer"]) for row in rows] == [
            ("1", "Ada", "up"), ("2", "", "stay"),
        ]  # fmt: skip
        assert (await teacher.delete(path)).status_code == 204
        for person in (ada, bob, teacher):
            assert (await person.get(path)).status_code == 404

    play(work, tmp_path)


@pytest.mark.parametrize("as_page", [False, True])
def test_a_step_that_could_not_be_shown_is_not_said_to_have_changed_nothing(tmp_path: Path, as_page: bool) -> None:
    """The store fails after the run was saved and before the room is: the step was taken, and nobody denies it."""

    async def work(school: School) -> None:
        path, teacher, _ = await school.room()
        run = (await teacher.get(path)).json()["shared"]["run"]
        store, put = school.app.state.store, school.app.state.store.put

        async def only_runs(key: str, *told: Any, **more: Any) -> Any:
            if key.startswith("room:"):
                raise StoreUnavailable("the store does not answer")
            return await put(key, *told, **more)

        store.put = only_runs
        where = f"/class/{path.rpartition('/')[2]}/runs/{run}/step" if as_page else f"{path}/step"
        for _ in range(2):
            told = await teacher.post(where, headers={"idempotency-key": "one", "hx-request": "true"})
            assert (told.status_code, "othing was changed" in told.text) == (503, False), told.text
            assert "not known whether" in told.text
        assert (await teacher.get(f"/api/v1/runs/{run}")).json()["step"] == 1, "one step for one key"

    play(work, tmp_path)


ROUTES: dict[tuple[str, str], tuple[str, Any]] = {
    # (method, path under the room): who may, and a body that fits. "student": joined; "anyone": with the code; "ended":
    # its teacher, once it is closed.
    ("GET", ""): ("anyone", None),
    ("DELETE", ""): ("teacher", None),
    ("POST", "/reopening"): ("ended", None),
    ("POST", "/renewal"): ("teacher", None),
    ("POST", "/students"): ("anyone", {}),
    ("GET", "/students"): ("teacher", None),
    ("DELETE", "/students/{number}"): ("teacher", None),
    ("PUT", "/students/{number}"): ("teacher", None),
    ("PUT", "/shared"): ("teacher", {"view": "lens=gradients"}),
    ("POST", "/step"): ("teacher", {"count": 1}),
    ("POST", "/reset"): ("teacher", None),
    ("PUT", "/pace"): ("teacher", {"pace": "explore"}),
    ("POST", "/questions"): ("teacher", {"kind": "loss"}),
    ("PUT", "/questions/{number}/answer"): ("student", {"answer": "down"}),
    ("POST", "/questions/{number}/close"): ("teacher", None),
    ("POST", "/questions/{number}/reveal"): ("teacher", None),
    ("DELETE", "/questions/{number}"): ("teacher", None),
    ("GET", "/answers"): ("teacher", None),
    ("POST", "/copies"): ("student", None),
    ("PUT", "/hand-in"): ("student", {"run": "RUN"}),
    ("PUT", "/shown"): ("teacher", {"hand_in": None}),
    ("GET", "/stream"): ("teacher", None),
    ("GET", "/news"): ("teacher", None),
}
AFTERWARDS = {("DELETE", ""), ("POST", "/reopening"), ("GET", "/answers")}  # the teacher's, of a closed room
PAGES: dict[tuple[str, str], tuple[str, dict[str, str]]] = {
    ("GET", ""): ("anyone", {}),
    ("POST", "/join"): ("anyone", {}),
    ("POST", "/answer"): ("student", {"number": "1", "answer": "down"}),
    ("POST", "/copy"): ("student", {}),
    ("GET", "/mine"): ("student", {}),
    ("POST", "/hand-in"): ("student", {"run": "RUN"}),
    ("GET", "/students"): ("teacher", {}),
    ("POST", "/students"): ("teacher", {"remove": "1"}),
    ("GET", "/wall"): ("anyone", {}),
    ("GET", "/teach"): ("teacher", {}),
    ("POST", "/teach"): ("teacher", {"secret": "SECRET"}),
    ("POST", "/do"): ("teacher", {"do": "explore"}),
    ("GET", "/end"): ("teacher", {}),
    ("POST", "/reopen"): ("ended", {}),
    ("POST", "/forget"): ("ended", {}),
    ("POST", "/runs/{run_id}/{verb}"): ("teacher", {"count": "1"}),
}


def routes_of(router: Any, prefix: str) -> set[tuple[str, str]]:
    return {
        (method, route.path.removeprefix(prefix))
        for route in router.routes
        if "{code}" in route.path
        for method in route.methods
    }


def test_every_route_of_a_room_is_in_the_matrix() -> None:
    """A new route fails here until somebody says who may use it."""
    assert routes_of(api_rooms.router, "/api/v1/rooms/{code}") == set(ROUTES)
    parts = (pages_class, ending, driving)
    pages = set().union(*(routes_of(part.router, "/class/{code}") for part in parts))
    assert pages == set(PAGES)


def test_who_may_do_what(tmp_path: Path) -> None:
    """Each JSON route as nobody, student, teacher and another room's teacher; and with the code of a closed room."""

    async def work(school: School) -> None:
        for (method, under), (who, body) in ROUTES.items():
            path, teacher, secret = await school.room()
            _, other, _ = await school.room()
            refused = 404 if who == "ended" else 403
            await teacher.put(f"{path}/pace", json={"pace": "explore"})
            await teacher.post(f"{path}/questions", json={"kind": "loss"})
            gone = await school.student(path)
            if (method, under) == ("PUT", "/students/{number}"):
                await teacher.delete(f"{path}/students/1")
                assert (await gone.get(path)).status_code == 403
            student = await school.student(path)
            copy = (await student.post(f"{path}/copies")).json()["run"]
            callers = {"none": school.person(), "student": student, "other": other, "teacher": teacher}
            url = path + under.format(number=1) + ("?screen=teacher" if under == "/news" else "")
            sent = {"run": copy} if body == {"run": "RUN"} else body
            for name, person in callers.items():
                if under == "/stream":
                    status = await stream_status(person, f"{url}?screen=teacher")
                else:
                    status = (await person.request(method, url, json=sent)).status_code
                allowed = who == "anyone" or name == who
                assert (status < 400) == allowed, (method, under, name, status)
                assert allowed or status == refused, (method, under, name, status)
            await school.person(secret).delete(path)
            for name, person in callers.items():
                gone = await person.request(method, url, json=sent)
                allowed = name == "teacher" and (method, under) in AFTERWARDS and (method, under) != ("DELETE", "")
                assert (gone.status_code == 404) != allowed, (method, under, name, gone.status_code)

    play(work, tmp_path, rooms_in_all=1_000, visitor_rate=10_000.0)


def test_a_closed_room_is_its_teachers_for_a_while(tmp_path: Path) -> None:
    """Answers can be saved and the room reopened with all that was in it, by its teacher alone; closed twice, it is
    gone. Its students' pages go back by themselves; others are told no more than of a room that never was."""

    async def work(school: School) -> None:
        path, teacher, secret = await school.room()
        code = path.rpartition("/")[2]
        ada = await school.student(path, "Ada")
        for number in (1, 2):
            await teacher.post(f"{path}/questions", json={"kind": "loss"})
            await ada.put(f"{path}/questions/{number}/answer", json={"answer": "down"})
        before = (await teacher.get(path)).json()
        own = school.person()
        own.cookies.set(api_rooms.COOKIE + code, secret)
        asked = await own.get(f"/class/{code}/end")
        for told in (">1</dd>", ">2</dd>", "Save the answers and close", "Close without saving", "Cancel"):
            assert told in asked.text
        closed = await own.post(f"/class/{code}/do", data={"do": "end", "save": "yes"})
        over = (await own.get(closed.headers["location"])).text
        assert f"url=/api/v1/rooms/{code}/answers?format=csv" in over
        assert "Reopen the room" in over
        assert (await teacher.get(path)).status_code == 404
        assert [row["nickname"] for row in (await teacher.get(f"{path}/answers")).json()["answers"]] == ["Ada", "Ada"]
        for person in (ada, school.person()):
            assert (await person.get(f"{path}/answers")).status_code == 404
            assert (await person.post(f"{path}/reopening")).status_code == 404
            assert "Reopen" not in (await person.get(f"/class/over?room={code}")).text
        assert (await ada.get(f"/class/{code}")).headers["location"] == f"/class/over?room={code}&screen=student"
        assert "goes back by itself" in (await ada.get(f"/class/over?room={code}&screen=student")).text
        assert (await school.person().get(f"/class/{code}")).status_code == 404

        reopened = (await teacher.post(f"{path}/reopening")).json()
        assert reopened | {"version": 0} == before | {"version": 0}
        assert (await ada.get(f"/class/over?room={code}")).headers["location"] == f"/class/{code}"
        assert (await ada.put(f"{path}/questions/2/answer", json={"answer": "up"})).status_code == 200
        assert len((await teacher.get(f"{path}/answers")).json()["answers"]) == 2
        for _ in range(2):
            assert (await teacher.delete(path)).status_code == 204
        assert (await teacher.post(f"{path}/reopening")).status_code == 404
        assert (await teacher.get(f"{path}/answers")).status_code == 404

    play(work, tmp_path)


def test_one_who_is_let_in_again_comes_back_without_the_code(tmp_path: Path) -> None:
    """The page that says so tries again by itself, and has a button."""

    async def work(school: School) -> None:
        path, teacher, _ = await school.room()
        code = path.rpartition("/")[2]
        ada = await school.student(path)
        await teacher.delete(f"{path}/students/1")
        refused = await ada.get(f"/class/{code}")
        assert refused.status_code == 403
        assert f'href="/class/{code}">Try again' in refused.text
        assert 'http-equiv="refresh"' in refused.text
        await teacher.put(f"{path}/students/1")
        assert 'id="stage"' in (await ada.get(f"/class/{code}")).text
        assert "Try again" not in (await ada.get("/class/KX4T9RWM")).text

    play(work, tmp_path)


def test_news_are_what_the_stream_would_tell(tmp_path: Path) -> None:
    """All of it at first; then nothing until something is new, and the picture only if it is another; to each audience
    no more than it may know."""

    async def work(school: School) -> None:
        path, teacher, _ = await school.room()
        ada = await school.student(path)
        told = (await ada.get(f"{path}/news?size=s")).json()
        assert told["version"] == (await ada.get(path)).json()["version"]
        assert 'data-step="0"' in told["frame"]
        assert told["state"]["panel"]
        known = f"{path}/news?size=s&after={{version}}&picture={{picture}}"
        assert (await ada.get(known.format_map(told))).status_code == 204
        await teacher.post(f"{path}/questions", json={"kind": "own", "prompt": "Why?"})
        asked = (await ada.get(known.format_map(told))).json()
        assert "Why?" in asked["state"]["panel"]
        assert "frame" not in asked
        assert "shared" not in asked["state"]
        await teacher.post(f"{path}/step")
        stepped = (await ada.get(known.format_map(told | asked))).json()
        assert 'data-step="1"' in stepped["frame"]
        assert stepped["picture"] != told["picture"]
        assert "shared" in (await teacher.get(f"{path}/news?screen=teacher")).json()["state"]
        assert (await ada.get(f"{path}/news?screen=teacher")).status_code == 403
        assert (await ada.get(f"{path}/news?after=-1")).status_code == 422
        await teacher.delete(path)
        assert (await ada.get(known.format_map(told))).status_code == 404

    play(work, tmp_path)


def test_a_new_code_leaves_the_old_answers_to_the_teacher(tmp_path: Path) -> None:
    """They can be saved while the new room goes on."""

    async def work(school: School) -> None:
        path, _, secret = await school.room()
        code = path.rpartition("/")[2]
        own = school.person()
        own.cookies.set(api_rooms.COOKIE + code, secret)
        assert (await own.get(f"/class/{code}/end?do=nothing")).status_code == 422
        assert "A new code instead of" in (await own.get(f"/class/{code}/end?do=renew")).text
        renewed = await own.post(f"/class/{code}/do", data={"do": "renew", "save": "yes"})
        page = (await own.get(renewed.headers["location"])).text
        assert f"url=/api/v1/rooms/{code}/answers?format=csv" in page
        assert (await own.get(f"/api/v1/rooms/{code}/answers?format=csv")).status_code == 200

    play(work, tmp_path)


def test_who_may_do_what_on_the_pages(tmp_path: Path) -> None:
    """Each page and form as nobody, student and teacher, by cookie; refusals are pages of our own."""

    async def work(school: School) -> None:
        for (method, under), (who, form) in PAGES.items():
            path, _, secret = await school.room()
            code = path.rpartition("/")[2]
            teacher = school.person()
            teacher.cookies.set(api_rooms.COOKIE + code, secret)
            await teacher.post(f"/class/{code}/do", data={"do": "explore"})
            await teacher.post(f"/class/{code}/do", data={"do": "ask", "kind": "loss"})
            student = await school.student(path)
            copy = (await student.post(f"{path}/copies")).json()["run"]
            under = under.format(run_id=copy, verb="step")
            sent = {name: {"RUN": copy, "SECRET": secret}.get(value, value) for name, value in form.items()}
            for name, person in {"none": school.person(), "student": student, "teacher": teacher}.items():
                answer = await person.request(method, f"/class/{code}{under}", data=sent or None)
                allowed = who == "anyone" or name == who or (under == "/teach" and method == "POST")
                assert (answer.status_code < 400) == allowed, (method, under, name, answer.status_code)
                refused = 404 if who == "ended" else 403
                assert allowed or answer.status_code == refused, (method, under, name, answer.status_code)
                if answer.status_code not in (303, 204):
                    assert answer.headers["content-type"].startswith("text/html")
            wrong = await school.person().post(f"/class/{code}/teach", data={"secret": "wrong"})
            assert wrong.status_code == 403

    play(work, tmp_path, rooms_in_all=1_000, visitor_rate=10_000.0)


async def stream_status(person: Client, url: str) -> int:
    """The status of a stream, which httpx would wait for to end: ended here as soon as it is told."""
    app, told = person._transport.app, asyncio.Queue[int]()  # type: ignore[attr-defined]

    async def heard(scope: Any, receive: Any, send: Any) -> None:
        async def noting(message: Any) -> None:
            if message["type"] == "http.response.start":
                told.put_nowait(message["status"])
            await send(message)

        await app(scope, receive, noting)

    async with Client(
        transport=httpx.ASGITransport(heard), base_url="http://school", headers=person.headers, cookies=person.cookies
    ) as listener:
        task = asyncio.create_task(listener.get(url))
        status = await told.get()
        task.cancel()
        return status


def test_names_are_plain_text_wherever_they_show(tmp_path: Path) -> None:
    """Students' page, wall, teacher's strip, panels, table and JSON: escaped, without what turns or hides text."""

    async def work(school: School) -> None:
        path, teacher, secret = await school.room()
        code = path.rpartition("/")[2]
        ada = await school.student(path, HOSTILE)
        await teacher.put(f"{path}/pace", json={"pace": "explore", "paused": HOSTILE})
        copy = (await ada.post(f"{path}/copies")).json()["run"]
        assert (await ada.put(f"{path}/hand-in", json={"run": copy, "named": True})).json()["named"]
        own = {"kind": "own", "prompt": HOSTILE, "options": [HOSTILE, "b"], "truth": HOSTILE}
        asked = (await teacher.post(f"{path}/questions", json=own)).json()["question"]
        await ada.put(f"{path}/questions/1/answer", json={"answer": asked["options"][0]["value"]})
        await teacher.post(f"{path}/questions/1/reveal")
        await teacher.put(f"{path}/shown", json={"hand_in": 1})
        by_cookie = school.person()
        by_cookie.cookies.set(api_rooms.COOKIE + code, secret)
        pages = [
            await ada.get(f"/class/{code}"),
            await ada.get(f"/class/{code}/mine"),
            await school.person().get(f"/class/{code}/wall"),
            await by_cookie.get(f"/class/{code}/teach"),
        ]
        screen = await school.app.state.hub.source.screen(code, 1)
        texts = [page.text for page in pages] + [screen.told(each)["panel"] for each in (STUDENT, WALL, TEACHER)]
        for text in texts:
            assert "<script>alert" not in text
            assert "<img" not in text
            assert "\u202e" not in text
        assert sum("&lt;script&gt;alert(1)" in text for text in texts) >= 6
        table = (await teacher.get(f"{path}/answers?format=csv")).text
        assert "\u202e" not in table
        assert (await ada.get(path)).headers["content-type"] == "application/json"

    play(work, tmp_path)


def test_the_teachers_power_is_on_no_followers_page(tmp_path: Path) -> None:
    """Neither the secret, nor its hash, nor the id of the shared run, with which anybody could step it."""

    async def work(school: School) -> None:
        path, teacher, secret = await school.room()
        code = path.rpartition("/")[2]
        run = (await teacher.get(path)).json()["shared"]["run"]
        ada = await school.student(path)
        screen = await school.app.state.hub.source.screen(code, 1)
        texts = [(await ada.get(path)).text, (await ada.get(f"/class/{code}")).text, str(screen.told(STUDENT))]
        texts += [(await school.person().get(f"/class/{code}/wall")).text, str(screen.told(WALL))]
        texts += [await school.app.state.hub.source.picture(screen, size) for size in ("s", "m", "l")]
        for text in texts:
            assert secret not in text
            assert rooms.hashed(secret) not in text
            assert run not in text

    play(work, tmp_path)


def test_every_lesson_has_a_teachers_page(tmp_path: Path) -> None:
    """What the reader of a lesson has beyond it, an opening and a track, the page in class does without."""

    async def work(school: School) -> None:
        path, teacher, _ = await school.room()
        for found in lessons(ENV):
            assert (await teacher.put(f"{path}/shared", json={"lesson": f"/learn/{found.slug}"})).status_code == 200
            shown = await teacher.get(f"/class/{path.rpartition('/')[2]}/teach")
            assert shown.status_code == 200
            assert found.title in shown.text

    play(work, tmp_path)


def test_the_teachers_cookie_cannot_be_read_or_sent_from_elsewhere(tmp_path: Path) -> None:
    """HttpOnly, SameSite, and the address in the redirect holds no secret."""

    async def work(school: School) -> None:
        teacher = school.person()
        opened = await teacher.post("/class")
        cookie = next(c for c in opened.headers.get_list("set-cookie") if c.startswith(api_rooms.COOKIE))
        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie
        secret = cookie.partition("=")[2].partition(";")[0]
        assert secret not in opened.headers["location"]
        code = opened.headers["location"].split("/")[2]
        elsewhere = {"origin": "https://evil.example", "sec-fetch-site": "cross-site"}
        assert (await teacher.post(f"/class/{code}/do", data={"do": "end"}, headers=elsewhere)).status_code == 403
        assert (await teacher.get(f"/class/{code}/teach")).status_code == 200

    play(work, tmp_path)


def test_the_join_address_is_never_what_the_request_says(tmp_path: Path) -> None:
    """The wall holds the configured address, whatever Host it was asked by."""

    async def work(school: School) -> None:
        path, _, _ = await school.room()
        code = path.rpartition("/")[2]
        wall = await school.person().get(f"/class/{code}/wall", headers={"host": "evil.example"})
        assert "evil.example" not in wall.text
        assert "play.school/class" in wall.text
        assert pages_class.qr(f"https://play.school/class/{code}") in wall.text
        assert "style=" not in wall.text

    play(work, tmp_path, public_url="https://play.school/")


BAD = [
    ("POST", "/questions", {"kind": "riddle"}, 422),
    ("POST", "/questions", {"kind": "direction", "address": "W9.9.9"}, 422),
    ("POST", "/questions", {"kind": "own", "prompt": "", "options": []}, 422),
    ("POST", "/questions", {"kind": "own", "prompt": "q", "options": ["a"] * 99}, 422),
    ("PUT", "/questions/9/answer", {"answer": "up"}, 409),
    ("PUT", "/questions/1/answer", {"answer": "sideways"}, 422),
    ("PUT", "/questions/1/answer", {"answer": ["up"]}, 422),
    ("PUT", "/questions/x/answer", {"answer": "up"}, 422),
    ("PUT", "/shared", {"lesson": "https://evil.example/learn/line"}, 422),
    ("PUT", "/shared", {"lesson": "/learn/../class"}, 422),
    ("PUT", "/shared", {"lesson": "//[evil/learn/line"}, 422),
    ("PUT", "/shared", {"view": "lens=nothing"}, 422),
    ("PUT", "/shared", {"view": "&".join(f"a{i}=1" for i in range(100))}, 422),
    ("PUT", "/shared", {"run": "nothing"}, 404),
    ("PUT", "/shared", {"step": -1}, 422),
    ("PUT", "/shown", {"hand_in": 5}, 409),
    ("PUT", "/pace", {"pace": "run"}, 422),
    ("PUT", "/pace", {"paused": "x" * 5_000}, 422),
    ("POST", "/step", {"count": 0}, 422),
    ("POST", "/step", {"count": 1, "more": 1}, 422),
    ("POST", "/students", {"nickname": 5}, 422),
    ("GET", "/stream?screen=ceiling", None, 422),
]


@pytest.mark.parametrize(("method", "under", "body", "status"), BAD)
def test_what_does_not_fit_is_a_problem_with_field_and_allowed(
    tmp_path: Path, method: str, under: str, body: Any, status: int
) -> None:
    """Never a 500, always problem+json."""

    async def work(school: School) -> None:
        path, teacher, _ = await school.room()
        await teacher.post(f"{path}/students", json={})
        await teacher.post(f"{path}/questions", json={"kind": "direction"})
        answer = await teacher.request(method, path + under, json=body)
        assert answer.status_code == status, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        if status == 422:
            assert answer.json()["errors"][0]["allowed"]

    play(work, tmp_path)


def test_bytes_that_are_no_text_are_refused_too(tmp_path: Path) -> None:
    """NaN, half a surrogate pair, deep nesting, a form that is none."""

    async def work(school: School) -> None:
        path, teacher, secret = await school.room()
        code = path.rpartition("/")[2]
        await teacher.post(f"{path}/questions", json={"kind": "delta"})
        await teacher.post(f"{path}/students", json={})
        for body in (b'{"answer": NaN}', b'{"answer": "\\ud800"}', b'{"answer": 1e999}', b"[" * 5_000, b"\xff", b""):
            answer = await teacher.put(
                f"{path}/questions/1/answer", content=body, headers={"content-type": "application/json"}
            )
            assert answer.status_code in (400, 422), body
        by_cookie = school.person()
        by_cookie.cookies.set(api_rooms.COOKIE + code, secret)
        for form in (
            {},
            {"do": "ask", "kind": "\x00"},
            {"do": "own", "prompt": "\ud7ff" * 9_000},
            {"do": "show", "hand_in": "9" * 400},
        ):
            answer = await by_cookie.post(f"/class/{code}/do", data=form)
            assert answer.status_code < 500

    play(work, tmp_path)


def test_a_question_hides_its_answer_and_glows_on_every_screen(tmp_path: Path) -> None:
    """The picture while it is asked marks the weight and does not hold the change; the reveal shows the step after."""

    async def work(school: School) -> None:
        path, teacher, _ = await school.room()
        code = path.rpartition("/")[2]
        asked = (await teacher.post(f"{path}/questions", json={"kind": "delta", "address": "a1.2"})).json()
        source = school.app.state.hub.source
        truth = float(asked["question"]["truth"])
        before = await source.picture(await source.screen(code, 0), "l")
        assert re.search(r'id="node-1-2" class="node sel', before)
        assert f"{truth:+.3f}".replace("-", "−") not in before
        await teacher.post(f"{path}/questions/1/reveal")
        after = await source.picture(await source.screen(code, 0), "l")
        assert f"{truth:+.3f}".replace("-", "−") in after

    play(work, tmp_path)


def test_the_picture_tells_no_more_than_the_question_allows(tmp_path: Path) -> None:
    """Not by the legend, not by a loss chart that runs on, not by another weight that glows; and the reveal shows the
    step after the one that was asked about, wherever the run has come to."""

    async def work(school: School) -> None:
        path, teacher, _ = await school.room()
        source, code = school.app.state.hub.source, path.rpartition("/")[2]

        async def picture() -> str:
            return str(await source.picture(await source.screen(code, 0), "l"))

        await teacher.post(f"{path}/step", json={"count": 40})
        await teacher.put(f"{path}/shared", json={"step": 10, "view": "select=W1.1.1&lens=gradients"})
        asked = (await teacher.post(f"{path}/questions", json={"kind": "largest"})).json()
        shown = await picture()
        assert "select" not in asked["shared"]["view"]
        assert "thickest" not in shown
        told = (await teacher.post(f"{path}/questions/1/reveal")).json()
        assert f"select={asked['question']['truth']}" in told["shared"]["view"]
        assert told["shared"]["step"] == 10
        await teacher.put(f"{path}/shared", json={"step": 10})
        await teacher.post(f"{path}/questions", json={"kind": "loss"})
        line = re.search(r'id="loss".*?</svg>', await picture(), re.S)
        assert line is not None
        then = points_of(line[0])
        await teacher.put(f"{path}/shared", json={"step": 40})
        later = re.search(r'id="loss".*?</svg>', await picture(), re.S)
        assert later is not None
        assert then < points_of(later[0])
        assert (await teacher.post(f"{path}/questions/2/reveal")).json()["shared"]["step"] == 11

    play(work, tmp_path)


def points_of(chart: str) -> int:
    """How many points the lines of a loss chart have."""
    return chart.count("L")


def test_the_weight_that_has_moved_is_shown_as_it_is_now(tmp_path: Path) -> None:
    """Not by the next step's gradient, which may point the other way than the sentence says."""

    async def work(school: School) -> None:
        path, teacher, _ = await school.room(view="lens=gradients")
        await teacher.post(f"{path}/step", json={"count": 7})
        await teacher.post(f"{path}/questions", json={"kind": "direction"})
        told = (await teacher.post(f"{path}/questions/1/reveal")).json()
        assert "lens=gradients" not in told["shared"]["view"]
        assert f"select={told['question']['address']}" in told["shared"]["view"]

    play(work, tmp_path)


def test_a_new_code_shuts_out_whoever_had_the_old_one(tmp_path: Path) -> None:
    """The run, the pace and the teacher's secret stay; students and questions do not, and the old code ends."""

    async def work(school: School) -> None:
        path, teacher, secret = await school.room()
        await teacher.post(f"{path}/step", json={"count": 3})
        student = await school.student(path, "Ada")
        await teacher.post(f"{path}/questions", json={"kind": "loss"})
        told = (await teacher.post(f"{path}/renewal")).json()
        code = rooms.code_of(told["code"])
        fresh = f"/api/v1/rooms/{code}"
        assert (told["shared"]["step"], told["joined"], told["question"]) == (3, 0, None)
        assert (await student.get(path)).status_code == (await teacher.get(path)).status_code == 404
        assert (await teacher.post(f"{fresh}/step")).status_code == 200
        assert (await student.put(f"{fresh}/questions/1/answer", json={"answer": "up"})).status_code == 403
        assert secret not in str(told)
        by_cookie = school.person()
        by_cookie.cookies.set(f"{api_rooms.COOKIE}{code}", secret)
        moved = await by_cookie.post(f"/class/{code}/do", data={"do": "renew"})
        assert moved.status_code == 303
        assert (await by_cookie.get(moved.headers["location"])).status_code == 200

    play(work, tmp_path)


def test_a_student_who_is_removed_is_out(tmp_path: Path) -> None:
    """Over JSON and on the pages, in plain words; the answers leave tally and table; a new cookie can come in."""

    async def work(school: School) -> None:
        path, teacher, _ = await school.room()
        code = path.rpartition("/")[2]
        ada, bob = await school.student(path, "Ada"), await school.student(path, "Bob")
        for number in (1, 2):
            await teacher.post(f"{path}/questions", json={"kind": "loss"})
            for person in (ada, bob):
                await person.put(f"{path}/questions/{number}/answer", json={"answer": "up"})
        assert [row["nickname"] for row in (await teacher.get(f"{path}/students")).json()["students"]] == ["Ada", "Bob"]
        told = (await teacher.delete(f"{path}/students/1")).json()
        assert (told["joined"], told["question"]["answered"]) == (1, 1)
        rows = (await teacher.get(f"{path}/answers")).json()["answers"]
        assert [(row["question"], row["nickname"]) for row in rows] == [(1, "Bob"), (2, "Bob")]
        for method, under, body in (
            ("GET", "", None), ("POST", "/students", {}), ("PUT", "/questions/2/answer", {"answer": "up"}),
            ("POST", "/copies", None),
        ):  # fmt: skip
            refused = await ada.request(method, path + under, json=body)
            assert refused.status_code == 403
            assert "removed you" in refused.json()["detail"]
        page = await ada.get(f"/class/{code}")
        assert page.status_code == 403
        assert "The teacher has removed you from this room." in page.text
        assert (await teacher.delete(f"{path}/students/1")).status_code == 409
        assert (await school.student(path)).cookies
        assert (await teacher.put(f"{path}/students/1")).json()["joined"] == 3
        assert (await ada.get(f"/class/{code}")).status_code == 200

    play(work, tmp_path)


def test_the_wall_goes_where_the_class_goes(tmp_path: Path) -> None:
    """In the teacher's browser, cookie and all; whoever has the old code alone is told that there is a new one."""

    async def work(school: School) -> None:
        path, teacher, secret = await school.room()
        code = path.rpartition("/")[2]
        fresh = rooms.code_of((await teacher.post(f"{path}/renewal")).json()["code"])
        own = school.person()
        own.cookies.set(api_rooms.COOKIE + code, secret)
        for screen, page in (("wall", "wall?profile=projector"), ("teacher", "teach")):
            moved = await own.get(f"/class/over?room={code}&screen={screen}")
            assert moved.headers["location"] == f"/class/{fresh}/{page}"
        assert (await own.get(f"/class/{fresh}/teach")).status_code == 200
        for screen in ("student", "wall"):
            stranger = await school.person().get(f"/class/over?room={code}&screen={screen}")
            assert "The class has a new code" in stranger.text
            assert fresh not in stranger.text
        assert (await own.get(f"/class/over?room={fresh}")).headers["location"] == f"/class/{fresh}", "it is open"
        assert "The class is over" in (await school.person().get(f"/class/over?room={fresh}")).text
        assert "The class is over" in (await own.get("/class/over?room=nothing")).text

    play(work, tmp_path)


def test_a_lesson_is_on_every_screen(tmp_path: Path) -> None:
    """Its screen, without anything to press; and the run comes back when the teacher goes on."""

    async def work(school: School) -> None:
        path, teacher, _ = await school.room()
        code = path.rpartition("/")[2]
        lesson = (await teacher.get("/api/v1/lessons")).json()[1]
        address = f"/learn/{lesson['slug']}?screen=2"
        assert (await teacher.put(f"{path}/shared", json={"lesson": address})).json()["lesson"] == address
        source = school.app.state.hub.source
        picture = await source.picture(await source.screen(code, 0), "l")
        assert lesson["title"] in picture
        assert "inert" in picture
        await teacher.post(f"{path}/step")
        assert 'id="net"' in await source.picture(await source.screen(code, 0), "l")

    play(work, tmp_path)


def test_two_reveals_at_once_take_one_step(tmp_path: Path) -> None:
    """A double click, or two devices of the teacher's."""

    async def work(school: School) -> None:
        path, teacher, _ = await school.room()
        await teacher.post(f"{path}/questions", json={"kind": "loss"})
        run = (await teacher.get(path)).json()["shared"]["run"]
        teaching, code = school.app.state.teaching, path.rpartition("/")[2]
        room = await teaching.classroom.get(code)
        await asyncio.gather(*(teaching.reveal(code, 1) for _ in range(3)))
        await teaching._after(room.shared, room.poll.question)
        assert (await teacher.get(f"/api/v1/runs/{run}")).json()["step"] == 1
        await teacher.post(f"/api/v1/runs/{run}/rewind", json={"step": 0})
        shared = await teaching._after(room.shared, room.poll.question)
        assert shared.step == 0, "the same reveal, retried after going back, is still the same"

    play(work, tmp_path)


def test_a_teachers_deed_is_one_request(tmp_path: Path) -> None:
    """The playground's own answer to the teacher, the same picture on every screen; what is refused moves nobody."""

    async def work(school: School) -> None:
        path, _, secret = await school.room()
        code, teacher = path.rpartition("/")[2], school.person()
        teacher.cookies.set(api_rooms.COOKIE + code, secret)
        run = (await teacher.get(path)).json()["shared"]["run"]
        script = {"HX-Request": "true"}
        looked = {"lens": "gradients", "moment": "3"}
        for verb, data, step, view in (
            ("step", {**looked, "count": "5"}, 5, "lens=gradients&moment=3"),
            ("step", {"step": "2", "count": "1", "quick": "1"}, 3, ""),
            ("edit", {"field": "W1.1.1", "value": "0.5", **looked}, 3, "lens=gradients&moment=3"),
            ("rewind", {"to": "1"}, 1, ""),
        ):
            told = await teacher.post(f"/class/{code}/runs/{run}/{verb}", data=data, headers=script)
            assert told.status_code == 200, told.text
            room = (await teacher.get(path)).json()
            assert room["shared"] == {"run": run, "step": step, "view": view, "lesson": ""}, verb
            assert json.loads(told.headers["class-shares"])["shared"] == room["shared"]
            assert f'data-step="{step}"' in told.text or f'"step":{step},' in told.text
        fresh = await teacher.post(f"/class/{code}/runs/{run}/slower", data={"rate": "0.001"}, headers=script)
        room = (await teacher.get(path)).json()
        assert room["shared"]["run"] != run
        assert f'data-run="{room["shared"]["run"]}"' in fresh.text
        for verb, status in (("step", 422), ("nothing", 404)):
            refused = await teacher.post(f"/class/{code}/runs/{run}/{verb}", data={"count": "abc"}, headers=script)
            assert refused.status_code in (status, 422)
            assert (await teacher.get(path)).json()["version"] == room["version"]

    play(work, tmp_path)


def test_the_idempotency_key_makes_one_step_of_two_requests(tmp_path: Path) -> None:
    """A teacher's script that repeats itself does not run ahead."""

    async def work(school: School) -> None:
        path, teacher, _ = await school.room()
        for _ in range(2):
            told = (await teacher.post(f"{path}/step", json={"count": 3}, headers={"idempotency-key": "k"})).json()
        assert told["shared"]["step"] == 3

    play(work, tmp_path)


def test_a_damaged_room_is_said_in_words(tmp_path: Path) -> None:
    """One flipped bit of its record, wherever it lies, or a form of a later version: a sentence on the page and over
    JSON, and never a 500; the room beside it goes on."""

    async def work(school: School) -> None:
        path, teacher, _ = await school.room()
        other, its_teacher, _ = await school.room()
        code, store = path.rpartition("/")[2], school.app.state.store
        record = await store.get(f"room:{code}")
        stamp, value = record.stamp, record.value
        other_form = seal(b"ROM9", b"{}")
        for wrong in (flipped(value, 3), flipped(value, 20), flipped(value, len(value) - 9), value[:50], other_form):
            stamp = await store.put(f"room:{code}", wrong, expected=stamp, seconds=600)
            status, sentence = (503, "another version") if wrong is other_form else (410, "damaged")
            for url in (path, f"/class/{code}"):
                answer = await teacher.get(url, headers={"accept": "text/html"})
                assert (answer.status_code, sentence in answer.text) == (status, True), (url, answer.text)
            assert (await teacher.put(f"{path}/pace", json={"pace": "explore"})).status_code == status
            assert (await its_teacher.get(other)).status_code == 200
        await store.put(f"room:{code}", value, expected=stamp, seconds=600)
        assert (await teacher.get(path)).status_code == 200

    play(work, tmp_path)


def flipped(value: bytes, place: int) -> bytes:
    return value[:place] + bytes([value[place] ^ 4]) + value[place + 1 :]


def test_what_comes_again_with_its_key_is_done_once(tmp_path: Path) -> None:
    """Opening, asking, starting again, copying, renewing: the same room, question or run, and no second one."""

    async def work(school: School) -> None:
        person, key = school.person(), {"Idempotency-Key": "mine"}
        await person.get("/api/v1/runs")
        body = {"spec": {"dataset": "xor"}}
        first, again = [(await person.post("/api/v1/rooms", json=body, headers=key)).json() for _ in range(2)]
        assert (first["code"], first["teacher"]) == (again["code"], again["teacher"])
        assert (await person.post("/api/v1/rooms", json=body)).json()["code"] != first["code"]
        assert (await school.person().post("/api/v1/rooms", json=body, headers=key)).json()["code"] != first["code"]
        path, teacher = f"/api/v1/rooms/{rooms.code_of(first['code'])}", school.person(first["teacher"])
        ask = {"kind": "own", "prompt": "Why?", "options": ["a", "b"]}
        numbers = [(await teacher.post(f"{path}/questions", json=ask, headers=key)).json() for _ in range(2)]
        assert [each["question"]["number"] for each in numbers] == [1, 1]
        other = await teacher.post(f"{path}/questions", json={"kind": "loss"}, headers=key)
        assert (other.status_code, other.json()["type"]) == (422, "/docs/problems#key-reused")
        await teacher.put(f"{path}/pace", json={"pace": "explore"})
        student = await school.student(path)
        copies = [(await student.post(f"{path}/copies", headers=key)).json()["run"] for _ in range(2)]
        assert copies[0] == copies[1]
        renewed = [(await teacher.post(f"{path}/renewal", headers=key)).json()["code"] for _ in range(2)]
        assert renewed[0] == renewed[1]
        assert (await teacher.post(f"{path}/renewal")).status_code == 404
        assert (await school.person("wrong").post(f"{path}/renewal", headers=key)).status_code == 404

    play(work, tmp_path)


def test_whatever_makes_or_changes_takes_a_key(tmp_path: Path) -> None:
    """Every operation of the document that is no GET, but those that only compute."""
    computes = {f"/api/v1/{name}" for name in ("backprop", "diagnose", "graph", "exercises/{id}/check")}
    computes.add("/api/v1/runs/{run_id}/predict")
    paths = create_app(Settings(data=tmp_path)).openapi()["paths"]
    for path, operations in paths.items():
        for method, operation in operations.items():
            takes = "Idempotency-Key" in {each["name"] for each in operation.get("parameters", ())}
            assert takes == (method != "get" and path not in computes), (method, path)
    assert computes <= set(paths)
