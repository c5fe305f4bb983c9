"""What stands between the network and the app: headers, cross-site posts, cookies, limits, and what is not HTTP."""

import asyncio
import json
import socket
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from re import findall
from secrets import token_urlsafe
from string import ascii_lowercase, ascii_uppercase, digits
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, params
from fastapi.routing import APIRoute
from starlette.requests import Request
from test_api import play
from uvicorn import Config
from uvicorn.server import ServerState

import machine
from app.draw.rendering import asset
from app.main import create_app
from app.serve import cookies, root, security
from app.serve.addresses import Hosts
from app.serve.limits import Buckets, network
from app.serve.protocol import BoundedProtocol
from app.serve.security import CSP, cross_site
from app.serve.strict import StrictRoute
from app.settings import Settings

StartServer = Callable[..., AbstractContextManager[str]]


def safe(headers: httpx.Headers) -> bool:
    return (
        headers.get("content-security-policy") == CSP
        and headers.get("x-content-type-options") == "nosniff"
        and headers.get("referrer-policy") == "same-origin"
    )


def test_every_answer_has_the_headers(tmp_path: Path) -> None:
    """Successes, failures of every kind, pages, documents; a file is under its page's policy, and of one type."""

    async def work(client: httpx.AsyncClient) -> None:
        paths = [
            "/healthz",
            "/docs",
            "/api/v1/catalog",
            "/api/v1/openapi.json",
            "/static/nothing.js",
            "/nope",
            "/api/v1/runs/x",
        ]
        for path in paths:
            answer = await client.get(path)
            assert safe(answer.headers), path
        file = await client.get("/static/docs.js")
        assert (file.status_code, file.headers["x-content-type-options"]) == (200, "nosniff")
        for answer in (
            await client.post("/api/v1/runs", content=b"{", headers={"content-type": "application/json"}),
            await client.post("/api/v1/runs", content=b"x" * 2000),
            await client.post("/api/v1/runs", headers={"origin": "https://evil.example"}),
            await client.put("/api/v1/runs"),
        ):
            assert safe(answer.headers)

    play(tmp_path, work, body_bytes=1500)


def test_a_fault_of_ours_is_a_problem_with_headers_and_no_trace(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The log has the traceback, the answer has the number it was noted under."""

    async def work(client: httpx.AsyncClient) -> None:
        app = client._transport.app  # type: ignore[attr-defined]

        async def broken(request: Request) -> None:
            raise RuntimeError("secret path /etc/passwd")

        app.add_api_route("/broken", broken)
        answer = await client.get("/broken")
        assert (answer.status_code, answer.json()["status"]) == (500, 500)
        assert safe(answer.headers)
        assert "secret" not in answer.text
        assert answer.headers["x-request-id"] in answer.json()["detail"]

    play(tmp_path, work)
    assert "secret path" in caplog.text


@pytest.mark.parametrize(
    ("method", "headers", "refused"),
    [
        ("GET", {"sec-fetch-site": "cross-site", "origin": "https://evil.example"}, False),
        ("POST", {}, False),
        ("POST", {"sec-fetch-site": "same-origin"}, False),
        ("POST", {"sec-fetch-site": "none"}, False),
        ("POST", {"sec-fetch-site": "same-site"}, True),
        ("POST", {"sec-fetch-site": "cross-site"}, True),
        ("DELETE", {"sec-fetch-site": "cross-site"}, True),
        ("POST", {"origin": "https://evil.example"}, True),
        ("POST", {"origin": "null"}, True),
        ("POST", {"origin": "http://play.example:8000"}, False),
        ("POST", {"origin": "http://play.example"}, True),
        ("POST", {"origin": "https://play.example:8000"}, True),
        ("POST", {"origin": "https://friend.example", "sec-fetch-site": "cross-site"}, False),
        ("POST", {"origin": "https://friend.example.evil.example"}, True),
    ],
)
def test_another_site_changes_nothing_here(method: str, headers: dict[str, str], refused: bool) -> None:
    """Sec-Fetch-Site decides, Origin where a browser sends none; scripts send neither and are let in."""
    raw = {name.encode(): value.encode() for name, value in headers.items()} | {b"host": b"play.example:8000"}
    assert cross_site(method, "http", raw, ("https://friend.example",)) is refused


def test_a_cross_site_post_makes_no_run(tmp_path: Path) -> None:
    """403, as a problem."""

    async def work(client: httpx.AsyncClient) -> None:
        answer = await client.post("/api/v1/runs", json={}, headers={"sec-fetch-site": "cross-site"})
        assert (answer.status_code, answer.json()["status"]) == (403, 403)
        assert (await client.get("/api/v1/runs")).json() == {"runs": []}

    play(tmp_path, work)


def test_the_cookie_is_the_least_that_does(tmp_path: Path) -> None:
    """HttpOnly, SameSite, unguessable, Secure and no other host's behind TLS, set once; a made-up one is replaced."""

    async def work(client: httpx.AsyncClient) -> None:
        secure = client._transport.app.state.settings.secure_cookies  # type: ignore[attr-defined]
        name = "__Host-visitor" if secure else "visitor"
        first = await client.post("/api/v1/runs", json={})
        (cookie,) = first.headers.get_list("set-cookie")
        assert cookie.startswith(f"{name}=")
        assert all(part in cookie for part in ("HttpOnly", "SameSite=Lax", "Path=/;"))
        assert ("Secure" in cookie) is secure
        token = cookie.split("=", 1)[1].split(";")[0]
        assert len(token) == 43
        client.cookies.clear()
        again = await client.post("/api/v1/runs", json={}, headers={"cookie": f"{name}={token}"})
        assert "set-cookie" not in again.headers
        last = LETTERS[LETTERS.index(token[-1]) + 1]  # 32 bytes leave two bits of the last letter empty
        for bad in ("x", "é" * 43, token + "x", "../" * 14 + "x", "~" * 43, token[:-1] + last):
            made_up = await client.post("/api/v1/runs", json={}, headers={"cookie": f"{name}={bad}".encode()})
            assert made_up.status_code == 201
            assert "set-cookie" in made_up.headers, bad
            client.cookies.clear()

    for secure in (True, False):
        play(tmp_path, work, secure_cookies=secure)


LETTERS = ascii_uppercase + ascii_lowercase + digits + "-_"


def test_a_cookie_of_the_plain_name_is_read_and_set_anew(tmp_path: Path) -> None:
    """Behind TLS a visitor of before keeps the runs; the name that no other host can set wins over the plain one."""

    async def work(client: httpx.AsyncClient) -> None:
        token, other = token_urlsafe(32), token_urlsafe(32)
        made = await client.post("/api/v1/runs", json={}, headers={"cookie": f"visitor={token}"})
        assert f"__Host-visitor={token};" in made.headers["set-cookie"]
        client.cookies.clear()
        both = f"visitor={other}; __Host-visitor={token}"
        listed = await client.get("/api/v1/runs", headers={"cookie": both})
        assert [run["id"] for run in listed.json()["runs"]] == [made.json()["id"]]
        assert "set-cookie" not in listed.headers

    play(tmp_path, work, secure_cookies=True)


def test_under_a_path_a_cookie_is_that_paths(monkeypatch: pytest.MonkeyPatch) -> None:
    """`__Host-` would be for the whole host."""
    app = FastAPI()
    app.state.settings = Settings(secure_cookies=True)
    asked = Request({"type": "http", "headers": [], "app": app})
    monkeypatch.setattr(root, "_root", "/playground")
    assert cookies.written(asked, "visitor", "x", 60).startswith("__Secure-visitor=x; Path=/playground; ")


def test_a_token_is_stored_as_a_hash_alone(tmp_path: Path) -> None:
    """Who reads the store cannot become a visitor."""

    async def work(client: httpx.AsyncClient) -> None:
        await client.post("/api/v1/runs", json={})
        token = client.cookies["visitor"]
        stored = b"".join(path.read_bytes() for path in tmp_path.iterdir())
        assert token.encode() not in stored

    play(tmp_path, work)


def test_a_visitor_over_the_rate_waits(tmp_path: Path) -> None:
    """429 with Retry-After; another visitor at the same address is served, and so are health checks."""

    async def work(client: httpx.AsyncClient) -> None:
        run = (await client.post("/api/v1/runs", json={})).json()["id"]
        answers = [await client.get(f"/api/v1/runs/{run}") for _ in range(5)]
        refused = [answer for answer in answers if answer.status_code == 429]
        assert refused
        assert int(refused[0].headers["retry-after"]) >= 1
        assert safe(refused[0].headers)
        client.cookies.clear()
        assert (await client.post("/api/v1/runs", json={})).status_code == 201
        assert (await client.get("/healthz")).status_code == 200

    play(tmp_path, work, visitor_rate=0.01)


def test_an_address_over_its_ceiling_waits(tmp_path: Path) -> None:
    """Whoever it says it is."""

    async def work(client: httpx.AsyncClient) -> None:
        statuses = []
        for _ in range(5):
            client.cookies.clear()
            statuses.append((await client.post("/api/v1/runs", json={})).status_code)
        assert statuses[0] == 201
        assert statuses[-1] == 429

    play(tmp_path, work, address_rate=0.01)


@pytest.mark.parametrize(("trusted", "served"), [("127.0.0.1", True), ("10.9.9.9", False)])
def test_a_proxy_is_believed_if_it_is_trusted(start_server: StartServer, trusted: str, served: bool) -> None:
    """Behind one each client has an address of its own; from anybody else X-Forwarded-For counts for nothing."""
    env = {"PLAYGROUND_ADDRESS_RATE": "0.01", "PLAYGROUND_TRUSTED_PROXIES": trusted}
    with start_server(env) as url:
        statuses = {
            httpx.get(f"{url}/api/v1/catalog", headers={"x-forwarded-for": f"192.0.2.{i}"}).status_code
            for i in range(5)
        }
    assert statuses == ({200} if served else {200, 429})


def test_hosts_can_be_named(tmp_path: Path) -> None:
    """Others are refused, with the name of the setting; the connection ends."""

    async def work(client: httpx.AsyncClient) -> None:
        assert (await client.get("/api/v1/catalog", headers={"host": "playground:8000"})).status_code == 200
        refused = await client.get("/api/v1/catalog", headers={"host": "evil.example"})
        assert (refused.status_code, refused.headers["connection"]) == (400, "close")
        assert "PLAYGROUND_ALLOWED_HOSTS" in refused.json()["detail"]

    play(tmp_path, work, allowed_hosts=("playground",))


LOOPBACK = ("localhost", "localhost:8000", "127.0.0.1:8000", "127.0.0.2", "[::1]:8000", "[::1]", "LOCALHOST")


@pytest.mark.parametrize(
    ("more", "welcome", "refused"),
    [
        ({}, LOOPBACK, ("evil.example", "evil.example:8000", "", "localhost.evil.example", "192.0.2.1")),
        ({"host": "localhost"}, LOOPBACK, ("evil.example",)),
        ({"public_url": "https://Play.example/"}, (*LOOPBACK, "play.example", "play.example:443"), ("evil.example",)),
        ({"allowed_hosts": "play.example, b.example"}, (*LOOPBACK, "b.example:1"), ("evil.example",)),
        ({"allowed_hosts": "*"}, ("evil.example", *LOOPBACK), ()),
        ({"host": "0.0.0.0"}, ("school.example:8000", "192.0.2.1:8000", *LOOPBACK), ()),
        ({"host": "::", "allowed_hosts": '["a.example"]'}, ("a.example:8000",), ("evil.example",)),
    ],
)
def test_a_server_for_its_own_machine_answers_its_own_names(
    monkeypatch: pytest.MonkeyPatch, more: dict[str, str], welcome: tuple[str, ...], refused: tuple[str, ...]
) -> None:
    """A page elsewhere whose name is made to lead to 127.0.0.1 is another site; others are served by setting."""
    monkeypatch.delenv("PLAYGROUND_ALLOWED_HOSTS")
    for name, value in more.items():
        monkeypatch.setenv(f"PLAYGROUND_{name.upper()}", value)
    hosts = Hosts(Settings())
    assert [name for name in welcome if not hosts.welcome(name)] == []
    assert [name for name in refused if hosts.welcome(name)] == []


def test_what_is_printed_for_nginx_and_systemd_works(start_server: StartServer) -> None:
    """A browser's post by nginx, TLS and a port of its own is let in, and its cookie is of no other host."""
    text = (machine.ROOT / "SERVING.md").read_text(encoding="utf-8")
    nginx, unit = text.partition("```nginx")[2].partition("```")[0], text.partition("```ini")[2].partition("```")[0]
    site = "play.example.org:8443"
    of_nginx = {"$http_host": site, "$host": site.partition(":")[0], "$scheme": "https", "$remote_addr": "192.0.2.7"}
    headers = {name: of_nginx[value] for name, value in findall(r"proxy_set_header (\S+) (\S+);", nginx)}
    settings = dict(findall(r"(PLAYGROUND_(?!DATA|WORKERS)\w+)=(\S+)", unit)) | {"PLAYGROUND_ALLOWED_HOSTS": ""}
    with start_server(settings) as url:
        posted = httpx.post(f"{url}/runs", headers=headers | {"origin": f"https://{site}"})
        assert posted.status_code == 303, posted.text
        assert posted.headers["set-cookie"].startswith("__Host-visitor=")
        elsewhere = httpx.post(f"{url}/runs", headers=headers | {"origin": "https://evil.example"})
        assert elsewhere.status_code == 403


def test_no_redirect_is_made_of_what_host_says(tmp_path: Path) -> None:
    """An address with one slash too many is none."""

    async def work(client: httpx.AsyncClient) -> None:
        for path in ("/learn/", "/docs/", "/api/v1/catalog/", "//evil.example/"):
            answer = await client.get(f"http://playground{path}", headers={"host": "evil.example"})
            assert (answer.status_code, "location" in answer.headers) == (404, False), path

    play(tmp_path, work)


def test_static_files_have_their_exact_names(tmp_path: Path) -> None:
    """For ever under the version that all of them have, asked for again under the plain name, and nothing else."""

    async def work(client: httpx.AsyncClient) -> None:
        kept, plain = await client.get(asset("style.css")), await client.get("/static/style.css")
        assert kept.status_code == plain.status_code == 200
        assert kept.content == plain.content
        assert "immutable" in kept.headers["cache-control"]
        assert plain.headers["cache-control"] == "no-cache"
        for answer in (kept, plain):
            tag = answer.headers["etag"]
            for known in (tag, f'"x", W/{tag}'):
                again = await client.get(answer.request.url, headers={"if-none-match": known})
                assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
            assert (await client.get(answer.request.url, headers={"if-none-match": '"x"'})).status_code == 200
        for spelling in (
            "x/style.css", "x/%2e%2e/style.css", "%2e/style.css", "vendor/%2e%2e/style.css", "%2e%2e/static/style.css",
            "x/%00style.css", "x/" + "a" * 5_000, "", "vendor", "%2e%2e/README.md", "STYLE.CSS",
        ):  # fmt: skip
            url = f"/static/{spelling}"
            assert (await client.get(url)).status_code == 404, spelling

    play(tmp_path, work)


def test_a_machine_with_many_addresses_is_one_visitor() -> None:
    """Of IPv6 a network is; of IPv4 each address, and what is no address is as it stands."""
    one, beside, other = map(network, ("2001:db8:1:2::5", "2001:db8:1:2:ffff::9", "2001:db8:1:3::5"))
    assert one == beside != other
    assert [network(host) for host in ("192.0.2.7", "192.0.2.8", "testclient")] == [
        "192.0.2.7",
        "192.0.2.8",
        "testclient",
    ]


def test_static_files_have_a_rate_of_their_own(tmp_path: Path) -> None:
    """Over it they wait, and the rest is served."""

    async def work(client: httpx.AsyncClient) -> None:
        statuses = [(await client.get("/static/icon.svg")).status_code for _ in range(3)]
        assert statuses == [200, 429, 429]
        assert (await client.get("/api/v1/catalog")).status_code == 200

    play(tmp_path, work, static_rate=0.01)


def test_buckets_are_few_small_and_of_runs_alone(tmp_path: Path) -> None:
    """Whatever stands where a run's id would: nothing of it is in the store, nor in memory without bound."""

    async def work(client: httpx.AsyncClient) -> None:
        limiter, store = client._transport.app.state.limiter, tmp_path / "runs.sqlite3"  # type: ignore[attr-defined]
        assert (await client.post("/api/v1/runs", json={})).status_code == 201
        client.cookies.clear()
        size = store.stat().st_size
        for path in ("x" * 5_000, "x" * 23, "x" * 21, "%00" * 22):
            assert (await client.get(f"/api/v1/runs/{path}")).status_code == 404
        assert len(limiter._names) == 0
        assert (await client.get(f"/api/v1/runs/{'x' * 22}")).status_code == 404
        assert len(limiter._names) == 1
        assert store.stat().st_size == size

    play(tmp_path, work)
    buckets = Buckets(rate=0.001, burst=2, most=100)
    assert [buckets.wait("me"), buckets.wait("me")] == [0.0, 0.0]
    assert buckets.wait("me") > 900
    for n in range(1_000):
        buckets.wait(f"other {n}")
    assert len(buckets) == 100


def test_a_bucket_gives_what_it_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    """A burst at once, then no more than the rate; it says when the next comes, and holds no more."""
    now = 100.0
    monkeypatch.setattr("app.serve.limits.monotonic", lambda: now)
    buckets = Buckets(rate=2, burst=3)
    assert [buckets.wait("me") for _ in range(4)] == [0, 0, 0, 0.5]
    assert buckets.wait("you") == 0
    now += 0.5
    assert [buckets.wait("me"), buckets.wait("me")] == [0, 0.5]
    now += 1_000
    assert [buckets.wait("me") for _ in range(4)] == [0, 0, 0, 0.5]


def test_a_request_that_is_under_way_when_the_server_stops_is_told(tmp_path: Path) -> None:
    """503, not a traceback; one that is cancelled otherwise is not answered at all."""

    async def work(client: httpx.AsyncClient) -> None:
        app = client._transport.app  # type: ignore[attr-defined]

        async def slow(request: Request) -> None:
            raise asyncio.CancelledError

        app.add_api_route("/slow", slow)
        with pytest.raises(asyncio.CancelledError):
            await client.get("/slow")
        app.state.stopping.set()
        answer = await client.get("/slow")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        assert "not known" in answer.json()["detail"]

    play(tmp_path, work)


def test_metrics_are_behind_a_setting(tmp_path: Path) -> None:
    """Off by default; on, they count steps, requests by route and refusals, and hold no id or token."""

    async def off(client: httpx.AsyncClient) -> None:
        assert (await client.get("/metrics")).status_code == 404

    async def on(client: httpx.AsyncClient) -> None:
        run = (await client.post("/api/v1/runs", json={})).json()["id"]
        await client.post(f"/api/v1/runs/{run}/step", json={"count": 7})
        await client.post("/api/v1/runs", json={"noise": 7})
        text = (await client.get("/metrics")).text
        lines = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
        assert float(lines["playground_steps_total"]) == 7
        assert float(lines["playground_runs"]) == 1
        assert any('status="422"' in name for name in lines if name.startswith("playground_rejections_total"))
        assert any('route="/api/v1/runs/{run_id}/step"' in name for name in lines)
        assert run not in text

    play(tmp_path / "off", off)
    play(tmp_path / "on", on, metrics=True)


def test_every_route_that_takes_json_takes_it_strictly() -> None:
    """No router forgets the route class: otherwise half a surrogate pair would be a 500."""
    lax = []

    def look(routes: Any) -> None:
        for route in routes:
            inner = getattr(route, "original_router", None)
            if inner is not None:
                look(inner.routes)
            elif isinstance(route, APIRoute) and route.body_field and not isinstance(route, StrictRoute):
                lax.extend([] if isinstance(route.body_field.field_info, params.Form) else [route.path])

    look(create_app(Settings(data=Path("/nonexistent"))).routes)
    assert not lax


# Over a real socket: the parser, its bounds, and the process.


def talk(url: str, data: bytes, seconds: float = machine.PATIENCE, pieces: int = 1) -> bytes:
    """Send bytes, in pieces, and read until the other side closes or the time is over."""
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=seconds) as link:
        size = max(1, len(data) // pieces)
        received = b""
        try:
            for start in range(0, len(data), size):
                link.sendall(data[start : start + size])
            while chunk := link.recv(65536):
                received += chunk
        except (TimeoutError, ConnectionError):
            pass
        return received


def request(line: str, headers: list[str], body: bytes = b"") -> bytes:
    return "\r\n".join([line, *headers, "", ""]).encode("latin-1") + body


HOST = "Host: playground"
CLOSE = "Connection: close"
RAW: dict[str, tuple[bytes, tuple[int, ...]]] = {
    "not HTTP": (b"\x16\x03\x01\x02\x00\x01\x00" * 20 + b"\r\n\r\n", (400,)),
    "a word": (b"HELLO\r\n\r\n", (400,)),
    "no host": (request("GET /api/v1/catalog HTTP/1.1", [CLOSE]), (400,)),
    "two hosts": (request("GET /api/v1/catalog HTTP/1.1", [HOST, "Host: b", CLOSE]), (400,)),
    "length and chunks": (
        request("POST /api/v1/runs HTTP/1.1", [HOST, "Content-Length: 5", "Transfer-Encoding: chunked"], b"0\r\n\r\n"),
        (400,),
    ),
    "two lengths": (
        request("POST /api/v1/runs HTTP/1.1", [HOST, "Content-Length: 5", "Content-Length: 6"], b"{}"),
        (400,),
    ),
    "negative length": (request("POST /api/v1/runs HTTP/1.1", [HOST, "Content-Length: -5"]), (400,)),
    "endless length": (request("POST /api/v1/runs HTTP/1.1", [HOST, "Content-Length: " + "9" * 40]), (400,)),
    "large length": (request("POST /api/v1/runs HTTP/1.1", [HOST, CLOSE, "Content-Length: 999999999"]), (413,)),
    "bad chunk": (request("POST /api/v1/runs HTTP/1.1", [HOST, "Transfer-Encoding: chunked"], b"zz\r\n"), (400,)),
    "raw NUL in path": (b"GET /\x00 HTTP/1.1\r\nHost: a\r\n\r\n", (400,)),
    "raw bytes in path": (b"GET /\xff\xfe HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", (400, 404)),
    "percent": (request("GET /api/v1/runs/%zz%ff HTTP/1.1", [HOST, CLOSE]), (404,)),
    "NUL in header": (b"GET /healthz HTTP/1.1\r\nHost: a\r\nX: a\x00b\r\n\r\n", (400,)),
    "folded header": (b"GET /healthz HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\nConnection: close\r\n\r\n", (200, 400)),
    "long path": (request("GET /" + "a" * 20_000 + " HTTP/1.1", [HOST, CLOSE]), (431,)),
    "long header": (request("GET /healthz HTTP/1.1", [HOST, "X: " + "a" * 20_000]), (431,)),
    "many headers": (request("GET /healthz HTTP/1.1", [HOST, *(f"X-{i}: {'a' * 20}" for i in range(1000))]), (431,)),
    "endless header": (b"GET /healthz HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 40_000, (431,)),
    "websocket": (
        request("GET /api/v1/catalog HTTP/1.1", [HOST, "Connection: Upgrade, close", "Upgrade: websocket"]),
        (200, 400),
    ),
    "odd method": (request("BREW / HTTP/1.1", [HOST, CLOSE]), (400, 405)),
    "HTTP/2 preface": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", (400, 404, 405)),
    "star": (request("OPTIONS * HTTP/1.1", [HOST, CLOSE]), (400, 404, 405)),
    "absolute": (request("GET http://evil.example/healthz HTTP/1.1", [HOST, CLOSE]), (200, 400, 404)),
    "query of rubbish": (request("GET /api/v1/runs?format=%ff%00 HTTP/1.1", [HOST, CLOSE]), (422,)),
}


@pytest.fixture(scope="module")
def bounded(start_server: StartServer) -> Any:
    """A server that waits for a request for one second only."""
    with start_server({"PLAYGROUND_RECEIVE_SECONDS": "1.0"}) as url:
        yield url


@pytest.mark.parametrize("name", RAW)
def test_raw_bytes_are_answered_or_cut_off(bounded: str, name: str) -> None:
    """With the status that fits, or by closing; never with a 5xx, and the next visitor is served."""
    data, expected = RAW[name]
    for pieces in (1, 7):
        answer = talk(bounded, data, pieces=pieces)
        if answer:
            status = int(answer.split(b" ", 2)[1])
            assert status in expected, answer[:300]
            assert b"content-security-policy" in answer.lower()
    assert b"200 OK" in talk(bounded, request("GET /healthz HTTP/1.1", [HOST, CLOSE]))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"GET /healthz HT",
        b"GET /healthz HTTP/1.1\r\nHost: a\r\n",
        request("POST /api/v1/runs HTTP/1.1", [HOST, "Content-Type: application/json", "Content-Length: 100"], b"{"),
    ],
    ids=["silent", "half a line", "half a head", "half a body"],
)
def test_half_a_request_is_cut_off(bounded: str, data: bytes) -> None:
    """After the time to send one, and not before; a 408 if anything was sent."""
    began = time.monotonic()
    answer = talk(bounded, data)
    assert time.monotonic() - began > 0.8
    assert answer == b"" if not data else b" 408 " in answer.split(b"\r\n")[0]


def test_a_slow_drip_does_not_keep_a_connection(bounded: str) -> None:
    """The clock is that of the whole request: a byte now and then does not start it anew."""
    host, port = bounded.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=machine.PATIENCE) as link:
        link.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n")
        link.settimeout(0.1)
        answer, dripped = b"", 0
        while not answer and dripped < 10 * machine.PATIENCE:
            dripped += 1
            with suppress(TimeoutError):
                link.sendall(b"X: a\r\n")
                answer = link.recv(1000)
        assert b" 408 " in answer


def test_head_is_answered_as_get_without_its_body(bounded: str) -> None:
    """On every address that GET has, and the connection goes on."""
    for path in ("/", "/healthz", "/api/v1/catalog"):
        asked = request(f"HEAD {path} HTTP/1.1", [HOST]) + request("GET /healthz HTTP/1.1", [HOST, CLOSE])
        head, _, rest = talk(bounded, asked).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 OK")
        assert b"content-security-policy" in head.lower()
        assert rest.startswith(b"HTTP/1.1 200 OK")
    assert b" 405 " in talk(bounded, request("HEAD /api/v1/backprop HTTP/1.1", [HOST, CLOSE]))


def test_a_kept_connection_serves_many(bounded: str) -> None:
    """The clock stops with each request that is complete, and pipelined ones are answered in order."""
    one = request("GET /healthz HTTP/1.1", [HOST])
    host, port = bounded.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=machine.PATIENCE) as link:
        for _ in range(3):
            link.sendall(one)
            answer = b""
            while not answer.endswith(b"}"):
                answer += link.recv(65536)
            assert b"200 OK" in answer
            time.sleep(0.6)
    answers = talk(bounded, one * 3 + request("GET /api/v1/runs/x HTTP/1.1", [HOST, CLOSE]))
    assert answers.count(b"HTTP/1.1 200 OK") == 3
    assert answers.count(b"HTTP/1.1 404") == 1


def test_a_flood_of_heads_takes_no_memory(bounded: str) -> None:
    """Megabytes of headers are refused after the first few kilobytes."""
    flood = b"GET /healthz HTTP/1.1\r\nHost: a\r\n" + b"".join(b"X-%d: %b\r\n" % (i, b"a" * 1000) for i in range(5000))
    answer = talk(bounded, flood)
    assert answer == b"" or b" 431 " in answer.split(b"\r\n")[0]


@pytest.mark.parametrize(
    ("between", "status"),
    [
        (b"0\r\nX: y\r\n\r\n", 201),
        (b"0\r\n" + b"X: y\r\n" * 20_000, 431),
        (b"2;" + b"x" * 100_000 + b"\r\n", 431),
        (b"2" + b";x=y" * 20_000, 431),
    ],
    ids=["a trailer", "a flood of trailers", "a long extension", "extensions"],
)
def test_what_stands_between_chunks_counts(bounded: str, between: bytes, status: int) -> None:
    """A body's trailers and chunk extensions have the bound of a head: over it the connection is cut at once."""
    headers = [HOST, "Content-Type: application/json", "Transfer-Encoding: chunked"]
    answer = talk(bounded, request("POST /api/v1/runs HTTP/1.1", headers, b"2\r\n{}\r\n") + between, pieces=9)
    cut_short = status == 431 and answer == b""  # the answer was lost, for more was under way
    assert cut_short or answer.startswith(b"HTTP/1.1 %d" % status)


def test_a_trailer_is_no_header() -> None:
    """Nobody reads one, and kept they cost many times their size."""
    config = Config(app=None, lifespan="off")  # type: ignore[arg-type]
    config.load()

    async def main() -> None:
        protocol = BoundedProtocol(config, ServerState(), {"serving": Settings()})
        protocol.connection_made(Transport())
        head = request("POST / HTTP/1.1", [HOST, "Transfer-Encoding: chunked"])
        for data in (head, b"2\r\n{}\r\n0\r\n", b"X: y\r\n" * 100):
            protocol.data_received(data)
        assert [name for name, _ in protocol.headers] == [b"host", b"transfer-encoding"]
        for task in protocol.tasks:
            task.cancel()

    asyncio.run(main())


class Transport(asyncio.Transport):
    """A connection that leads nowhere."""

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return default

    def is_closing(self) -> bool:
        return False


@contextmanager
def process(folder: Path, **env: str) -> Any:
    """A server of our own with its process: (process, url, log)."""
    port = machine.free_port()
    log = folder / "server.log"
    settings = {"PLAYGROUND_HOST": "127.0.0.1", "PLAYGROUND_PORT": str(port), "PLAYGROUND_DATA": str(folder)}
    with machine.running([machine.sys.executable, "-m", "app"], settings | env, log) as running:
        url = f"http://127.0.0.1:{port}"
        machine.wait_until(lambda: machine._answers(url + "/healthz"), running, log)
        yield running, url, log


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_server_stops_soon_and_cleanly(tmp_path: Path, workers: str) -> None:
    """On SIGTERM, with idle connections and a half-sent request open, and code 0."""
    with process(tmp_path, PLAYGROUND_WORKERS=workers) as (running, url, log):
        port = int(url.rsplit(":", 1)[1])
        links = [socket.create_connection(("127.0.0.1", port)) for _ in range(5)]
        links[0].sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n")
        links[1].sendall(request("GET /healthz HTTP/1.1", [HOST]))
        assert links[1].recv(1000)
        running.terminate()
        assert running.wait(timeout=machine.PATIENCE) == 0
        for link in links:
            link.close()
        assert f"http://127.0.0.1:{port}" in log.read_text()
        assert "Traceback" not in log.read_text()


def test_workers_leave_with_their_supervisor(tmp_path: Path) -> None:
    """kill -9 of the process that started them: the port is free again."""
    with process(tmp_path, PLAYGROUND_WORKERS="2") as (running, url, _):
        running.kill()
        running.wait()
        deadline = time.monotonic() + machine.PATIENCE
        while time.monotonic() < deadline:
            try:
                machine._answers(url + "/healthz")
            except OSError:
                return
            time.sleep(0.1)
        pytest.fail("orphans serve the port")


def test_logs_are_json_on_demand(tmp_path: Path) -> None:
    """One object a request, with its id, route, status and time, and no whole run id or token."""
    with process(tmp_path, PLAYGROUND_JSON_LOGS="true") as (process_, url, log), httpx.Client(base_url=url) as client:
        answer = client.post("/api/v1/runs", json={})
        run = answer.json()["id"]
        client.get(f"/api/v1/runs/{run}")
        machine.wait_until(lambda: "/api/v1/runs/{run_id}" in log.read_text(), process_, log)
        text = log.read_text()
        lines = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
        made = next(line for line in lines if line.get("id") == answer.headers["x-request-id"])
        assert (made["method"], made["route"], made["status"]) == ("POST", "/api/v1/runs", 201)
        assert made["ms"] > 0
        assert run not in text
        assert client.cookies["visitor"] not in text


def test_the_protocol_reads_the_same_headers() -> None:
    """What the parser refuses has the headers that the app sends."""
    assert [name for name, _ in security.HEADERS][:3] == [
        b"content-security-policy",
        b"x-content-type-options",
        b"referrer-policy",
    ]


def test_one_heavy_visitor_does_not_stall_the_others(start_server: StartServer) -> None:
    """While one asks for the largest networks without pause, many steps of others are answered between its own."""
    heavy_spec = {
        "dataset": "digits16",
        "hidden": [256, 128, 64],
        "samples": 2000,
        "batch_size": 500,
        "optimizer": "adam",
    }

    async def main(url: str) -> None:
        limits = httpx.Limits(max_connections=20)
        async with httpx.AsyncClient(base_url=url, timeout=machine.PATIENCE, limits=limits) as client:
            stop, computing, refused = asyncio.Event(), asyncio.Event(), 0
            answered: list[str] = []  # in the order in which it came to be

            async def heavy() -> None:
                nonlocal refused
                run = (await client.post("/api/v1/runs", json=heavy_spec)).json()["id"]
                while not stop.is_set():
                    answer = await client.post(f"/api/v1/runs/{run}/step", json={"count": 1000})
                    refused += answer.status_code in (429, 503)
                    answered.extend(["heavy"] * (answer.status_code == 200))
                    computing.set()
                    assert answer.status_code in (200, 429, 503)

            async def light() -> None:
                run = (await client.post("/api/v1/runs", json={})).json()["id"]
                for _ in range(15):
                    answer = await client.post(f"/api/v1/runs/{run}/step", json={"count": 1})
                    answered.append("light")
                    assert answer.status_code == 200

            burdens = [asyncio.create_task(heavy()) for _ in range(3)]
            await computing.wait()
            answered.clear()
            await asyncio.gather(light(), light())
            during = answered.count("heavy")
            stop.set()
            await asyncio.gather(*burdens)
            print(f"{during} heavy answers beside 30 light ones; {refused} refused")
            assert during < 30 / 2

    with start_server() as url:
        asyncio.run(main(url))
