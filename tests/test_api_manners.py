"""What client libraries expect of an HTTP API: entity tags, pages of a list, complete Allow, types of problems."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from uuid import uuid4

import httpx
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute
from test_api import made, play

from app.main import create_app
from app.refusals import KINDS, TABLE
from app.run import links
from app.serve.errors import Failed
from app.serve.problems import OF_HTTP, OF_STATUS
from app.settings import Settings
from app.since import LENIENT
from engine import FIELDS

RUNS = "/api/v1/runs"


def test_a_tag_names_one_version_of_a_run(tmp_path: Path) -> None:
    """If-Match refuses (412, with the version) what has moved on, whatever is asked; If-None-Match spares an answer."""

    async def work(client: httpx.AsyncClient) -> None:
        answer = await client.post(RUNS)
        url, first = f"{RUNS}/{answer.json()['id']}", answer.headers["etag"]
        assert (await client.get(url)).headers["etag"] == first
        same = await client.get(url, headers={"If-None-Match": f'"x", W/{first}'})
        assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", first)
        stepped = await client.post(f"{url}/step", headers={"If-Match": first})
        assert stepped.status_code == 200
        second = stepped.headers["etag"]
        assert second != first
        assert (await client.get(url, headers={"If-None-Match": first})).status_code == 200
        for method, path, body in (
            ("POST", "/step", {}),
            ("PATCH", "", {"learning_rate": 0.1}),
            ("POST", "/edits", {"field": "learning_rate", "value": 0.1}),
            ("POST", "/rewind", {"step": 0}),
            ("POST", "/reset", None),
            ("POST", "/branch", {"step": 0}),
            ("DELETE", "", None),
        ):
            refused = await client.request(method, url + path, json=body, headers={"If-Match": first})
            assert refused.status_code == 412, (method, path)
            assert (refused.json()["version"], refused.json()["type"]) == (2, "/docs/problems#moved-on")
        assert (await client.get(url)).headers["etag"] == second
        assert (await client.patch(url, json={"learning_rate": 0.1}, headers={"If-Match": '"2"'})).status_code == 200
        assert (await client.delete(url, headers={"If-Match": "*"})).status_code == 204

    play(tmp_path, work)


def test_a_request_that_comes_again_is_answered_again_before_its_tag_is_looked_at(tmp_path: Path) -> None:
    """Its own change has moved the run on: that is no conflict with itself."""

    async def work(client: httpx.AsyncClient) -> None:
        answer = await client.post(RUNS)
        headers = {"If-Match": answer.headers["etag"], "Idempotency-Key": "one"}
        url = f"{RUNS}/{answer.json()['id']}/step"
        first, again = [await client.post(url, headers=headers) for _ in range(2)]
        assert first.json() == again.json()
        assert again.headers["idempotent-replayed"] == "true"
        onwards = await client.post(url, headers={"If-Match": again.headers["etag"]})
        assert (onwards.status_code, onwards.json()["step"]) == (200, 2)

    play(tmp_path, work)


def test_a_run_is_made_once_though_the_first_answer_was_lost_and_its_cookie_with_it(tmp_path: Path) -> None:
    """A random key is enough to know who asks again. One that others could guess is not: nobody is told another's."""

    async def work(client: httpx.AsyncClient) -> None:
        async def anew(key: str, **spec: object) -> httpx.Response:
            client.cookies.clear()
            return await client.post(RUNS, json=spec, headers={"Idempotency-Key": key})

        key = str(uuid4())
        first, again, other = [await anew(key, seed=n) for n in (1, 1, 2)]
        assert (first.status_code, again.status_code, other.status_code) == (201, 201, 422)
        assert (again.json(), again.headers["etag"]) == (first.json(), first.headers["etag"])
        assert [each.headers.get("idempotent-replayed") for each in (first, again)] == [None, "true"]
        assert first.headers["set-cookie"] == again.headers["set-cookie"]
        assert other.json()["type"] == "/docs/problems#key-reused"
        assert [each["id"] for each in (await client.get(RUNS)).json()["runs"]] == [first.json()["id"]]
        mine, theirs = [await anew("monday", seed=1) for _ in range(2)]
        assert mine.json()["id"] != theirs.json()["id"]
        assert mine.headers["set-cookie"] != theirs.headers["set-cookie"]

    play(tmp_path, work)


def test_a_list_comes_in_pages(tmp_path: Path) -> None:
    """`limit` and the header Link lead through every run once, as JSON and as CSV; without them all come at once."""

    async def work(client: httpx.AsyncClient) -> None:
        ids = [await made(client, seed=n) for n in range(5)][::-1]
        assert [each["id"] for each in (await client.get(RUNS)).json()["runs"]] == ids
        for more in ("", "&format=csv"):
            url, seen = f"{RUNS}?limit=2{more}", []
            while url:
                page = await client.get(url)
                seen += re.findall(r"[\w-]{22}", page.text) if more else [each["id"] for each in page.json()["runs"]]
                found = re.fullmatch(r'<(.+)>; rel="next"', page.headers.get("link", ""))
                url = found[1] if found else ""
            assert seen == ids
        wrong = await client.get(f"{RUNS}?before=nobody")
        assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "before")
        assert (await client.get(f"{RUNS}?limit=0")).status_code == 422

    play(tmp_path, work)


def test_every_list_comes_in_pages(tmp_path: Path) -> None:
    """Those of a class and of what there is to learn, too: the pages together are the list, and lead no further."""

    async def work(client: httpx.AsyncClient) -> None:
        room = (await client.post("/api/v1/rooms")).json()
        path, teacher = f"/api/v1/rooms/{room['code']}", {"Authorization": f"Bearer {room['teacher']}"}
        await client.post(f"{path}/questions", json={"kind": "loss"}, headers=teacher)
        for name in ("Ada", "Ben", "Cleo"):
            client.cookies.clear()
            await client.post(f"{path}/students", json={"nickname": name})
            assert (await client.put(f"{path}/questions/1/answer", json={"answer": "down"})).status_code == 200
        lists = [(f"{path}/students", "students"), (f"{path}/answers", "answers")]
        lists += [(f"/api/v1/{name}", "") for name in ("lessons", "exercises", "diagnose")]
        for url, within in lists:
            whole = (await client.get(url, headers=teacher)).json()
            rows = whole[within] if within else whole
            assert len(rows) > 2
            seen, at = [], f"{url}?limit=2"
            while at:
                answer = await client.get(at, headers=teacher)
                assert answer.status_code == 200, answer.text
                seen += answer.json()[within] if within else answer.json()
                found = re.fullmatch(r'<(.+)>; rel="next"', answer.headers.get("link", ""))
                at = found[1] if found else ""
            assert seen == rows, url
            wrong = await client.get(f"{url}?before=nobody", headers=teacher)
            assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "before"), url
        table = await client.get(f"{path}/answers?format=csv&limit=1", headers=teacher)
        assert len(table.text.strip().splitlines()) == 2
        assert "format=csv" in table.headers["link"]

    play(tmp_path, work)


def test_what_puts_or_deletes_is_done_once_with_a_key(tmp_path: Path) -> None:
    """Asked again it is answered again, whatever has been changed since; with another body the key is refused, and
    somebody else's same key is another."""

    async def work(client: httpx.AsyncClient) -> None:
        run = await made(client)
        gone = [await client.delete(f"{RUNS}/{run}", headers={"Idempotency-Key": "k"}) for _ in range(2)]
        assert [each.status_code for each in gone] == [204, 204]
        assert [each.headers.get("idempotent-replayed") for each in gone] == [None, "true"]
        assert (await client.delete(f"{RUNS}/{run}", headers={"Idempotency-Key": "other"})).status_code == 404
        room = (await client.post("/api/v1/rooms")).json()
        path, teacher = f"/api/v1/rooms/{room['code']}", {"Authorization": f"Bearer {room['teacher']}"}
        keyed = {**teacher, "Idempotency-Key": "pace"}
        first = await client.put(f"{path}/pace", json={"pace": "explore"}, headers=keyed)
        await client.put(f"{path}/pace", json={"pace": "follow"}, headers=teacher)
        again = await client.put(f"{path}/pace", json={"pace": "explore"}, headers=keyed)
        assert (first.status_code, again.json()) == (200, first.json())
        assert (await client.get(path, headers=teacher)).json()["pace"] == "follow"
        reused = await client.put(f"{path}/pace", json={"pace": "follow"}, headers=keyed)
        assert (reused.status_code, reused.json()["type"]) == (422, "/docs/problems#key-reused")
        wrong = await client.put(f"{path}/pace", json={"pace": "follow"}, headers={**teacher, "Idempotency-Key": "a b"})
        assert wrong.status_code == 422
        await client.post(f"{path}/questions", json={"kind": "loss"}, headers=teacher)
        told = []
        for name, answer in (("Ada", "down"), ("Ben", "up")):
            client.cookies.clear()
            await client.post(f"{path}/students", json={"nickname": name})
            key = {"Idempotency-Key": "1"}
            told.append(await client.put(f"{path}/questions/1/answer", json={"answer": answer}, headers=key))
        assert [each.json()["answer"] for each in told] == ["down", "up"]

    play(tmp_path, work)


def test_the_page_of_a_run_shows_just_that(tmp_path: Path) -> None:
    """`url` in an answer is the link of the run at its step: from it the same bits come; of long data it is the id."""

    async def work(client: httpx.AsyncClient) -> None:
        run = await made(client, dataset="xor", hidden=[3])
        await client.patch(f"{RUNS}/{run}", json={"learning_rate": 0.5})
        told = (await client.post(f"{RUNS}/{run}/step", json={"until": 7})).json()
        query = dict(httpx.URL(told["url"]).params)
        assert query["step"] == "7"
        again = await client.post(RUNS, json=links.spec_fields(query))
        other = f"{RUNS}/{again.json()['id']}"
        for each in links.edits_of(query["edits"]):
            await client.post(f"{other}/edits", json={"field": each.field, "value": each.value})
        assert (await client.post(f"{other}/step", json={"until": 7})).json()["loss"] == told["loss"]
        page = await client.get(told["url"])
        assert page.status_code == 200
        rows = [[float(i) / 7, float(i * i) / 11] for i in range(5_000)]
        long = await client.post(
            RUNS, json={"dataset": "custom", "data": {"x": rows, "y": [1.5 * i for i in range(5_000)]}}
        )
        assert long.json()["url"] == f"/?run={long.json()['id']}&step=0"

    play(tmp_path, work)


def test_what_no_route_knows_is_refused_or_told(tmp_path: Path) -> None:
    """A parameter that does not exist is refused by newer routes; those of 0.1.0 ignore it, and say so."""

    async def work(client: httpx.AsyncClient) -> None:
        run = await made(client)
        old = await client.get(f"{RUNS}?page=2&limti=5")
        assert old.status_code == 200
        assert old.headers["warning"].startswith('299 - "')
        assert "limti, page" in old.headers["warning"]
        assert "warning" not in (await client.get(f"{RUNS}?limit=5")).headers
        new = await client.get(f"{RUNS}/{run}/again?exampel=1")
        assert (new.status_code, new.json()["errors"][0]["field"]) == (422, "exampel")
        assert (await client.get(f"{RUNS}/{run}/again?example=1")).status_code == 200

    play(tmp_path, work)


def names(routes: Iterable[BaseRoute]) -> Iterator[str]:
    """Of every route, those of routers within routers too."""
    for each in routes:
        if isinstance(each, APIRoute):
            yield each.name
        elif router := getattr(each, "original_router", None):
            yield from names(router.routes)


def test_older_routes_are_named_as_they_are(tmp_path: Path) -> None:
    """No name among them that no route has."""
    assert set(names(create_app(Settings(data=tmp_path)).routes)) >= LENIENT


def test_allow_names_every_method(tmp_path: Path) -> None:
    """Of all routes at an address, in a 405 and to OPTIONS, which is answered without a body."""

    async def work(client: httpx.AsyncClient) -> None:
        run = await made(client)
        for path, methods in {
            RUNS: "GET, HEAD, POST, OPTIONS",
            f"{RUNS}/{run}": "GET, HEAD, PATCH, DELETE, OPTIONS",
            "/api/v1/backprop": "POST, OPTIONS",
        }.items():
            refused, asked = await client.put(path), await client.options(path)
            assert (refused.status_code, refused.headers["allow"]) == (405, methods)
            assert (asked.status_code, asked.headers["allow"], asked.content) == (204, methods, b"")
        assert (await client.options("/api/v1/nothing")).status_code == 404

    play(tmp_path, work)


def test_every_problem_has_a_type_that_is_explained(tmp_path: Path) -> None:
    """The page has an anchor for each; every failure of the table names one of these."""

    async def work(client: httpx.AsyncClient) -> None:
        page = (await client.get("/docs/problems")).text
        anchors = set(re.findall(r'<dt id="([a-z-]+)">', page))
        assert anchors == set(OF_HTTP) | set(KINDS)
        assert set(OF_STATUS.values()) <= anchors
        for answer in (
            await client.get(f"{RUNS}/nobody"),
            await client.get("/api/v1/nothing"),
            await client.put(RUNS),
            await client.post(RUNS, content=b"{"),
            await client.post(RUNS, json={"hiden": 1}),
            await client.get("/api/v1/rooms/KX4T9RWM"),
        ):
            kind = answer.json()["type"]
            assert kind.startswith("/docs/problems#")
            assert kind.partition("#")[2] in anchors

    play(tmp_path, work)
    named = {row.kind for row in TABLE.values() if isinstance(row, Failed)}
    assert named <= set(KINDS)
    assert "" not in named


def test_an_exercise_drawn_again_with_its_key_is_the_same(tmp_path: Path) -> None:
    """Without a key each is another."""

    async def work(client: httpx.AsyncClient) -> None:
        await client.get(RUNS)
        key = {"Idempotency-Key": "one"}
        drawn = [(await client.post("/api/v1/exercises", headers=headers)).json()["id"] for headers in (key, key, {})]
        assert drawn[0] == drawn[1] != drawn[2]

    play(tmp_path, work)


def test_the_document_says_how_to_use_it(tmp_path: Path) -> None:
    """Its server, its tags, who may do what; no schema in two forms; the spec of an answer is described."""
    document = create_app(Settings(data=tmp_path)).openapi()
    schemas = document["components"]["schemas"]
    assert document["servers"] == [{"url": "/"}]
    used = {tag for operations in document["paths"].values() for each in operations.values() for tag in each["tags"]}
    assert used == {each["name"] for each in document["tags"]}
    assert set(document["components"]["securitySchemes"]) == {"visitor", "teacher"}
    assert {"teacher": []} in document["paths"]["/api/v1/rooms/{code}/step"]["post"]["security"]
    assert not [name for name in schemas if name.endswith(("-Input", "-Output"))]
    assert schemas["RunAnswer"]["properties"]["spec"] == {"$ref": "#/components/schemas/SpecAnswer"}
    assert list(schemas["SpecAnswer"]["properties"]) == list(FIELDS)


def test_whatever_is_wrong_with_a_parameter_is_told_once_and_in_our_own_words(tmp_path: Path) -> None:
    """Every query parameter and header of the document, with what none of them takes: not in the words of a library."""

    async def work(client: httpx.AsyncClient) -> None:
        run, room = (await client.post(RUNS)).json()["id"], (await client.post("/api/v1/rooms", json={})).json()
        here = {"{run_id}": run, "{code}": room["code"].replace(" ", "")}
        seen = set()
        for path, ways in (await client.get("/api/v1/openapi.json")).json()["paths"].items():
            for name, at in here.items():
                path = path.replace(name, at)
            for method, way in ways.items():
                for of in way.get("parameters", []):
                    if of["in"] == "path" or "{" in path:
                        continue
                    given = {"headers" if of["in"] == "header" else "params": {of["name"]: "a b"}}
                    answer = await client.request(method, path, **given)
                    faults = answer.json()["errors"] if answer.status_code == 422 else []
                    told = [each for each in faults if each["field"] == of["name"]]
                    assert len(told) <= 1, (path, answer.text)
                    assert "should" not in str(faults), path
                    seen |= {of["name"] for _ in told}
        assert seen >= {"Idempotency-Key", "limit", "example", "amount"}

    play(tmp_path, work)
