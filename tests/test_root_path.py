"""Under a path of its own, as course servers and JupyterHub serve it: whatever leads anywhere stays there."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from html import unescape

import httpx
import pytest
from conftest import missing
from pydantic import ValidationError
from test_serving import nginx, printed

import machine
from app.draw.rendering import ENV
from app.learn.lessons import lessons
from app.settings import Settings, wrong
from machine import ROOT

StartServer = Callable[..., AbstractContextManager[str]]
HERE = "/playground"
LEADS = re.compile(r'(?<=[\w-]=)"(/[^"<>]*)"|&quot;(/[\w?/]+)|url\((/[^)]*)\)')
FOLLOWED = re.compile(r'(?:href|src|hx-get)="(/[^"#<>]*)"')


@pytest.fixture(scope="module")
def server(start_server: StartServer) -> Iterator[str]:
    """A server that lies under a path."""
    with start_server({"PLAYGROUND_ROOT_PATH": HERE}) as url:
        yield url


@pytest.fixture(scope="module", params=["taken away", "left"])
def site(request: pytest.FixtureRequest, server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The same behind nginx, which takes the path away or leaves it, beside another site at the root."""
    if machine.find_nginx() is None:
        missing("nginx", machine.NGINX_COMMAND)
    to = server + ("/" if request.param == "taken away" else "")
    block = printed("nginx").replace("location / {", f"location {HERE}/ {{").replace("http://127.0.0.1:8000", to)
    with nginx(
        tmp_path_factory.mktemp("nginx"), block + "location /healthz { return 200; }", machine.free_port()
    ) as url:
        yield url


def starts(client: httpx.Client) -> list[str]:
    """Pages to begin at: one of each kind."""
    room = client.post(f"{HERE}/api/v1/rooms", json={}).json()
    client.headers["authorization"] = f"Bearer {room['teacher']}"
    assert room["url"].startswith(f"{HERE}/class/")
    parts = ["", "/wall", "/teach", "/end"]
    shown = [
        "/",
        "/?moment=4&example=1&select=W1.1.1",
        "/embed?hidden=2",
        "/graph",
        "/learn",
        "/docs",
        "/docs/problems",
    ]
    taught = [f"/learn/{each.slug}?screen=all" for each in lessons(ENV)]
    other = ["/docs", "/docs/problems", "/learn/practice", "/class", "/data", "/class/over", "/nothing"]
    return [HERE + path for path in (*shown, *taught, *other)] + [room["url"] + part for part in parts]


def test_every_address_stays_under_the_path(site: str, request: pytest.FixtureRequest) -> None:
    """Of every page: links, forms, what htmx asks for, files; what they lead to is there, and so on from there.

    Where the path is left, as far as every kind of page and the files of the first: what pages lead to is the same.
    """
    most = {"taken away": 250, "left": 80}[request.node.callspec.params["site"]]
    with httpx.Client(base_url=site, headers={"accept": "text/html"}, timeout=machine.PATIENCE) as client:
        waiting, seen = starts(client), set[str]()
        while waiting and len(seen) < most:
            address = waiting.pop(0)
            kind = re.sub(r"=[^&]*|(?<=/)[\w-]{22}(?=/)", "", address)  # of many alike one is enough
            if kind in seen:
                continue
            seen.add(kind)
            answer = client.get(address)
            told = "x-request-id" in answer.headers or address.startswith(f"{HERE}/static/")
            assert told, (address, answer.status_code)  # by the app, not by nginx
            assert answer.status_code in (200, 303, 307, 308, 404, 422), (address, answer.status_code)
            assert answer.status_code != 404 or address.endswith(("/nothing", "/data.csv")), address
            if answer.is_redirect:
                assert answer.headers["location"].startswith(HERE), address
                waiting.append(answer.headers["location"])
            if "text/html" in answer.headers.get("content-type", ""):
                text = answer.text
                strays = {next(filter(None, found.groups())) for found in LEADS.finditer(text)}
                assert [each for each in strays if not each.startswith(HERE + "/")] == [], address
                waiting += [unescape(each) for each in FOLLOWED.findall(text)]
    assert len(seen) > 60
    assert any("/static/" in each for each in seen)


def test_what_is_answered_leads_there_too(site: str) -> None:
    """Location, cookies' path, a run's page, the document's server, the type of a problem; the path itself its root."""
    with httpx.Client(base_url=site, timeout=machine.PATIENCE) as client:
        made = client.post(f"{HERE}/api/v1/runs", json={})
        assert made.headers["location"] == f"{HERE}/api/v1/runs/{made.json()['id']}"
        assert f"Path={HERE};" in made.headers["set-cookie"]
        assert made.json()["url"].startswith(f"{HERE}/?")
        assert client.get(made.json()["url"]).status_code == 200
        page = client.get(f"{HERE}/api/v1/runs?limit=1")
        assert len(page.json()["runs"]) == 1
        document = client.get(f"{HERE}/api/v1/openapi.json").json()
        assert document["servers"] == [{"url": HERE}]
        problem = client.get(f"{HERE}/api/v1/runs/none").json()
        assert problem["type"] == f"{HERE}/docs/problems#no-such-run"
        deed = client.post(f"{HERE}/runs", data={"hidden": "3"})
        assert (deed.status_code, deed.headers["location"][: len(HERE) + 2]) == (303, f"{HERE}/?")
        stepped = client.post(f"{HERE}/runs/{made.json()['id']}/step", headers={"hx-request": "true"})
        assert stepped.headers["hx-replace-url"].startswith(f"{HERE}/?")


def test_the_path_itself_leads_to_its_root(server: str) -> None:
    """Relative links would go astray from it."""
    answer = httpx.get(server + HERE)
    assert (answer.status_code, answer.headers["location"]) == (308, HERE + "/")


def test_scripts_know_the_path_by_where_they_lie() -> None:
    """No script asks for an address of the host's root."""
    for file in (ROOT / "static").glob("*.js"):
        text = file.read_text(encoding="utf-8")
        asked = re.findall(r"""(?:fetch|replace|EventSource|ajax)\((?:'\w+', )?['"`]/[^'"`]*""", text)
        assert asked == [], (file.name, asked)


@pytest.mark.parametrize("path", ["playground", "/playground/", "//x", "/a b"])
def test_what_is_no_path_is_a_sentence(monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    """As every wrong setting."""
    monkeypatch.setenv("PLAYGROUND_ROOT_PATH", path)
    with pytest.raises(ValidationError) as refused:
        Settings()
    assert wrong(refused.value) == [f"PLAYGROUND_ROOT_PATH: {path} is not allowed, must be a path such as /playground."]
