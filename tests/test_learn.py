"""/learn over HTTP: pages that hold to the policy, fragments for the script, and exercises for autograders."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.draw.rendering import ENV
from app.learn.exercises import TYPES, exercise
from app.learn.homework import POSES
from app.learn.lessons import lessons
from app.main import create_app
from app.settings import Settings
from app.words.numbers import signed

Work = Callable[[httpx.AsyncClient], Awaitable[None]]
HX = {"HX-Request": "true"}


@asynccontextmanager
async def served(folder: Path) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(Settings(data=folder, step_seconds=60, replay_seconds=60))
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://playground") as client:
            yield client


@pytest.fixture
def play(tmp_path: Path) -> Callable[[Work], None]:
    def run(work: Work) -> None:
        async def main() -> None:
            async with served(tmp_path) as client:
                await work(client)

        asyncio.run(main())

    return run


def test_learn_lists_every_lesson(play: Callable[[Work], None]) -> None:
    """With its title and its idea, each a link that opens."""

    async def work(client: httpx.AsyncClient) -> None:
        index = (await client.get("/learn")).text
        for lesson in lessons(ENV):
            assert f'href="/learn/{lesson.slug}"' in index
            assert (await client.get(f"/learn/{lesson.slug}")).status_code == 200

    play(work)


def test_a_lesson_is_sent_compressed(play: Callable[[Work], None]) -> None:
    """As every page is, where the browser takes it; no cache gives one reader another's kind of answer."""

    async def work(client: httpx.AsyncClient) -> None:
        for accepts, encoding in (("gzip", "gzip"), ("identity", None)):
            answer = await client.get("/learn/line?screen=all", headers={"accept-encoding": accepts})
            assert answer.headers.get("content-encoding") == encoding
            assert answer.headers["vary"] == "HX-Request, Accept-Encoding"
            assert "</html>" in answer.text

    play(work)


def test_pages_hold_nothing_that_the_policy_blocks(play: Callable[[Work], None]) -> None:
    """No style attribute, no inline script or style, no event attribute, nothing from another host."""

    async def work(client: httpx.AsyncClient) -> None:
        paths = [f"/learn/{each.slug}?screen=all" for each in lessons(ENV)] + ["/learn", "/learn/practice?seed=1"]
        for path in paths:
            answer = await client.get(path)
            assert answer.status_code == 200
            assert "script-src 'self'" in answer.headers["content-security-policy"]
            page = re.sub(r'<script type="application/json" class="words">', "", answer.text)
            assert not re.search(r"\sstyle=|<style|<script(?![^>]* src=)|\son\w+=|javascript:", page), path
            assert not re.search(r'(?:src|href)="(?:https?:)?//', answer.text), path

    play(work)


def test_every_screen_turns_to_the_next_and_back(play: Callable[[Work], None]) -> None:
    """From the first screen of the first lesson by "next" through all of them, and by "prev" back again."""

    async def work(client: httpx.AsyncClient) -> None:
        path, walked = "/learn/error", []
        while path != "/learn":
            walked.append(path)
            page = (await client.get(path)).text
            path = re.search(r'rel="next" href="([^"]+)"', page)[1]  # type: ignore[index]
        assert len(walked) == sum(len(lesson.screens) for lesson in lessons(ENV))
        path, back = walked[-1], []
        while path != "/learn":
            back.append(path)
            path = re.search(r'rel="prev" href="([^"]+)"', (await client.get(path)).text)[1]  # type: ignore[index]
        assert len(back) == len(walked)

    play(work)


def test_the_script_gets_the_screen_alone(play: Callable[[Work], None]) -> None:
    """And the address to put in the bar, which opens the same screen as a page."""

    async def work(client: httpx.AsyncClient) -> None:
        part = await client.get("/learn/slope?screen=2&way-0=up", headers=HX)
        assert part.text.lstrip().startswith("<form") or "<html" not in part.text
        assert part.headers["hx-replace-url"] == "/learn/slope?screen=2&way-0=up"
        assert part.headers["vary"].lower().find("hx-request") >= 0
        page = await client.get("/learn/slope?screen=2&way-0=up")
        assert "<html" in page.text
        for text in (part.text, page.text):
            assert "Right." in text

    play(work)


def test_each_answer_that_is_shown_stays_shown(play: Callable[[Work], None]) -> None:
    """Two questions of one screen, both answered wrong and both told: neither takes the other's answer away."""

    async def work(client: httpx.AsyncClient) -> None:
        for path in ("/learn/layers?screen=3&delta=7&new=7&show=delta&show=new", "/learn/math?screen=2&second=7&paths=7"
                     "&show=second&show=paths"):  # fmt: skip
            text = (await client.get(path)).text
            assert "Not yet." not in text
            assert text.count('type="hidden" name="show"') == 2

    play(work)


def test_without_script_sliders_are_number_fields_with_a_button(play: Callable[[Work], None]) -> None:
    """The page itself has number fields; only what the script asks for has ranges."""

    async def work(client: httpx.AsyncClient) -> None:
        page = (await client.get("/learn/line?screen=2&m=1.3")).text
        assert re.search(r'<input type="number"[^>]* name="m" value="1.3"', page)
        assert 'type="submit">Show</button>' in page
        assert 'type="range"' in (await client.get("/learn/line?screen=2&m=1.3", headers=HX)).text

    play(work)


def test_an_unknown_lesson_is_a_404_and_a_wild_screen_the_nearest(play: Callable[[Work], None]) -> None:
    """Never a 500."""

    async def work(client: httpx.AsyncClient) -> None:
        answer = await client.get("/learn/nothing")
        assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
        answer = await client.get("/learn/nothing", headers={"accept": "text/html,*/*;q=0.8"})
        assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
        assert "no lesson at this address" in answer.text
        assert '/learn/error"' in answer.text
        for screen in ("99", "0", "-1", "x", "²", "9" * 50, "%00"):
            assert (await client.get(f"/learn/error?screen={screen}")).status_code == 200

    play(work)


def test_practice_keeps_its_numbers_in_its_address(play: Callable[[Work], None]) -> None:
    """The same seed is the same exercise, no seed a new one; the right answer is told as right."""

    async def work(client: httpx.AsyncClient) -> None:
        one, two = [(await client.get("/learn/practice?type=loss&seed=5")).text for _ in range(2)]
        assert one == two
        seeds = {
            re.search(r'name="seed" value="(\d+)"', (await client.get("/learn/practice")).text)[1] for _ in range(4)
        }  # type: ignore[index]
        assert len(seeds) == 4
        truth = exercise("loss", 5).problem.truth
        assert "Right." in (await client.get(f"/learn/practice?type=loss&seed=5&answer={truth}")).text
        for bad in ("type=x&seed=1", "seed=-1", "seed=99999999999999", "seed=1e3", "type=delta&seed=²"):
            assert (await client.get(f"/learn/practice?{bad}")).status_code == 200

    play(work)


def test_lessons_over_json(play: Callable[[Work], None]) -> None:
    """In order, each with a spec that POST /runs takes."""

    async def work(client: httpx.AsyncClient) -> None:
        found = (await client.get("/api/v1/lessons")).json()
        assert [each["slug"] for each in found] == [lesson.slug for lesson in lessons(ENV)]
        for each in found:
            assert (await client.post("/api/v1/runs", json=each["spec"])).status_code == 201
            assert (await client.get(each["url"])).status_code == 200

    play(work)


def test_an_autograder_draws_answers_and_checks(play: Callable[[Work], None]) -> None:
    """From what is given, POST /backprop finds each answer, and the check agrees."""

    async def work(client: httpx.AsyncClient) -> None:
        for type_ in ("activation", "loss", "delta", "gradient", "new_value", "direction"):
            for seed in range(3):
                drawn = await client.post("/api/v1/exercises", json={"type": type_, "seed": seed})
                assert drawn.status_code == 201
                given = drawn.json()
                assert drawn.headers["location"] == f"/api/v1/exercises/{given['id']}"
                assert (await client.get(drawn.headers["location"])).json() == given
                solved = (await client.post("/api/v1/backprop", json=given["given"])).json()
                answer = read_off(solved, given["quantity"], given["answer"])
                checked = await client.post(f"/api/v1/exercises/{given['id']}/check", json={"answer": answer})
                assert checked.json()["correct"], (given, answer)

    play(work)


def test_an_exercise_on_a_graph_is_answered_by_its_json(play: Callable[[Work], None]) -> None:
    """From what is given, POST /graph finds the gradient; the page shows it only when it is answered."""

    async def work(client: httpx.AsyncClient) -> None:
        for seed in range(4):
            given = (await client.post("/api/v1/exercises", json={"type": "graph", "seed": seed})).json()
            solved = (await client.post("/api/v1/graph", json=given["given"])).json()
            answer = next(node["grad"] for node in solved["nodes"] if node["name"] == given["quantity"])
            page = f"/learn/practice?type=graph&seed={seed}"
            asked = (await client.get(page)).text
            assert set(re.findall(r'class="grad[^"]*"[^>]*>([^<]*)<', asked)) == {"?"}
            told = (await client.get(f"{page}&answer={answer}")).text
            assert "Right." in told
            assert signed(answer) in re.findall(r'class="grad[^"]*"[^>]*>([^<]*)<', told)
            checked = await client.post(f"/api/v1/exercises/{given['id']}/check", json={"answer": -answer})
            assert (checked.json()["correct"], checked.json()["factor"]) == (False, "sign") or abs(answer) < 1e-9

    play(work)


def test_an_operation_by_itself_over_json_and_as_a_page(play: Callable[[Work], None]) -> None:
    """What is given is what POST /diagnose takes; the page shows it, and a wrong answer is told its mistake."""

    async def work(client: httpx.AsyncClient) -> None:
        for type_ in POSES:
            drawn = (await client.post("/api/v1/exercises", json={"type": type_, "seed": 4})).json()
            problem, given = exercise(type_, 4).problem, drawn["given"]
            name = drawn["quantity"].removeprefix("sum of ").split(".")[0]
            mine = {"gradients": {name: given["inputs"][name[1:]]}}
            judged = (await client.post("/api/v1/diagnose", json=given | mine)).json()
            assert judged["right"] is False, judged
            slip = problem.mistakes[0]
            told = (await client.post(f"/api/v1/exercises/{drawn['id']}/check", json={"answer": slip.value})).json()
            assert (told["correct"], told["truth"]) == (False, None)
            text = unescape((await client.get(f"{drawn['url']}&answer={slip.value}")).text)
            assert told["message"] in text
            assert text.count("<caption>") == len(given["inputs"]) + 1
            assert "Right." in (await client.get(f"{drawn['url']}&answer={problem.truth}")).text

    play(work)


def read_off(solved: dict[str, Any], quantity: str, kind: str) -> float | str:
    """The quantity of that name in an answer of POST /backprop."""
    if quantity == "loss":
        return float(solved["loss"])
    letters, layer, *places = re.match(r"([a-zA-Z]+)(\d)\.(.+)", quantity).groups()  # type: ignore[union-attr]
    values = solved["layers"][int(layer) - 1]
    places = [int(place) - 1 for place in places[0].split(".")]
    if letters in ("a", "delta"):
        return float(values[{"delta": "dz"}.get(letters, letters)][0][places[0]])
    if kind == "choice":
        change = values["W_next"][places[0]][places[1]] - values["W"][places[0]][places[1]]
        return "up" if change > 0 else "down" if change < 0 else "stay"
    field = {"W": "W_next"}.get(letters, letters)
    return float(values[field][places[0]][places[1]])


def test_a_wrong_answer_is_told_which_factor_and_not_the_truth(play: Callable[[Work], None]) -> None:
    """The truth only when it is asked for."""

    async def work(client: httpx.AsyncClient) -> None:
        slip = exercise("delta", 7).problem.mistakes[0]
        path = "/api/v1/exercises/delta-7/check"
        told = (await client.post(path, json={"answer": slip.value})).json()
        assert (told["correct"], told["factor"], told["truth"]) == (False, slip.factor, None)
        told = (await client.post(path, json={"answer": "0", "solution": True})).json()
        assert told["truth"] == exercise("delta", 7).problem.truth

    play(work)


def test_without_a_seed_everybody_gets_their_own(play: Callable[[Work], None]) -> None:
    """And an empty body is a request for a delta."""

    async def work(client: httpx.AsyncClient) -> None:
        drawn = [(await client.post("/api/v1/exercises")).json() for _ in range(5)]
        assert {each["type"] for each in drawn} == {"delta"}
        assert len({each["seed"] for each in drawn}) == 5
        types = (await client.get("/api/v1/exercises")).json()
        assert [each["name"] for each in types] == list(TYPES)

    play(work)


def test_bad_requests_name_the_field(play: Callable[[Work], None]) -> None:
    """Problem documents, never a 500."""

    async def work(client: httpx.AsyncClient) -> None:
        cases = [
            ({"type": "riddle"}, "type"), ({"type": 3}, "type"), ({"seed": -1}, "seed"), ({"seed": 2**40}, "seed"),
            ({"sed": 1}, "sed"),
        ]  # fmt: skip
        for body, field in cases:
            answer = await client.post("/api/v1/exercises", json=body)
            assert answer.status_code == 422
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["errors"][0]["field"] == field
        for identifier in ("delta", "delta-x", "riddle-1", "delta-99999999999"):
            assert (await client.get(f"/api/v1/exercises/{identifier}")).status_code == 404
        path = "/api/v1/exercises/delta-1/check"
        bodies = (
            b'{"answer": NaN}',
            b'{"answer": "\\ud800"}',
            b'{"answer": null}',
            b'{"answer": []}',
            b'{"answer": true}',
        )
        for raw in (*bodies, b"{", b""):
            answer = await client.post(path, content=raw, headers={"content-type": "application/json"})
            assert answer.status_code in (400, 422), raw

    play(work)


def test_a_bad_answer_names_its_field_once(play: Callable[[Work], None]) -> None:
    """Whatever it is, the field is `answer`, with the value and what is allowed; not one fault for each type."""

    async def work(client: httpx.AsyncClient) -> None:
        for value, said in ((True, "True"), (None, "None"), ([1], "list"), ({}, "dict"), ("9" * 61, "9999")):
            told = await client.post("/api/v1/exercises/delta-1/check", json={"answer": value})
            assert told.status_code == 422
            (fault,) = told.json()["errors"]
            assert (fault["field"], fault["allowed"]) == (
                "answer",
                "must be a number, or text of at most 60 characters",
            )
            assert said in fault["value"]

    play(work)
