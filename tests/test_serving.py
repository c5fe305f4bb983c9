"""What SERVING.md prints is run: nginx, the unit, metrics over workers; other sites; whose id a request has."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterator
from configparser import ConfigParser
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import httpx
import pytest
import yaml
from conftest import missing

import machine
from app.settings import unknown
from machine import ROOT

StartServer = Callable[..., AbstractContextManager[str]]
PRINTED = (ROOT / "SERVING.md").read_text(encoding="utf-8")


def printed(kind: str) -> str:
    """The block of that kind."""
    return PRINTED.partition(f"```{kind}\n")[2].partition("```")[0]


NGINX = """
daemon off; pid {folder}/pid; error_log stderr; worker_processes 1;
events {{ worker_connections 256; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{ listen 127.0.0.1:{port}; {block} }}
}}
"""


@contextmanager
def nginx(folder: Path, block: str, port: int) -> Iterator[str]:
    """nginx with this block in its server, on a port of its own."""
    program = machine.find_nginx()
    if program is None:
        missing("nginx", machine.NGINX_COMMAND)
    config, log = folder / "nginx.conf", folder / "nginx.log"
    config.write_text(NGINX.format(folder=folder, port=port, block=block))
    url = f"http://127.0.0.1:{port}"
    with machine.running([str(program), "-e", "stderr", "-p", str(folder), "-c", str(config)], {}, log) as process:
        machine.wait_until(lambda: machine._answers(url + "/healthz"), process, log)
        yield url


def test_nginx_as_it_is_printed_lets_a_browser_in(tmp_path: Path, start_server: StartServer) -> None:
    """On a port of its own: a browser's post, a stream, a table of 5 MB; not the metrics, nor another site."""
    port = machine.free_port()
    url = f"http://127.0.0.1:{port}"
    env = {"PLAYGROUND_PUBLIC_URL": url, "PLAYGROUND_METRICS": "true", "PLAYGROUND_ALLOWED_HOSTS": ""}
    with start_server(env) as server, nginx(tmp_path, printed("nginx").replace("http://127.0.0.1:8000", server), port):
        assert httpx.post(f"{url}/runs", headers={"origin": url}).status_code == 303
        assert httpx.post(f"{url}/runs", headers={"origin": "https://evil.example"}).status_code == 403
        assert httpx.get(f"{url}/metrics").status_code == 403
        assert httpx.get(f"{server}/metrics").status_code == 200
        assert httpx.post(f"{url}/data", content=b"x" * 5_000_000).status_code != 413
        room = httpx.post(f"{url}/api/v1/rooms", json={}).json()
        with httpx.stream("GET", f"{url}/api/v1/rooms/{room['code']}/stream", timeout=machine.PATIENCE) as stream:
            assert stream.status_code == 200
            assert next(stream.iter_raw())


def test_the_unit_that_is_printed_is_whole() -> None:
    """All three sections, settings that there are, and the command of the package."""
    text = printed("ini")
    unit = ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read_string(text)
    assert unit.sections() == ["Unit", "Service", "Install"]
    assert unit["Install"]["WantedBy"] == "multi-user.target"
    assert unit["Service"]["ExecStart"].endswith("/bin/backprop-playground")
    assert unknown(re.findall(r"PLAYGROUND_\w+", text)) == []
    assert {"NoNewPrivileges", "ProtectSystem", "ProtectHome", "DynamicUser"} <= set(unit["Service"])


@pytest.mark.parametrize("name", ["compose.yaml", "Dockerfile", "SERVING.md", "README.md", "docs/browser.md"])
def test_settings_that_are_named_are_there(name: str) -> None:
    """Every PLAYGROUND_… in what is for a keeper."""
    named = re.findall(r"PLAYGROUND_[A-Z_]+[A-Z]", (ROOT / name).read_text(encoding="utf-8"))
    assert unknown(named) == []


def test_the_compose_file_proxies_as_it_is_printed() -> None:
    """The same directives, `$` doubled; two workers, and a Redis that keeps what it acknowledged."""
    compose = yaml.safe_load((ROOT / "compose.yaml").read_text())
    block = compose["configs"]["nginx"]["content"].replace("$$", "$")
    bare = re.sub(r"\s*#.*", "", printed("nginx")).replace("127.0.0.1", "playground")
    assert [line.split() for line in bare.splitlines() if line.strip()] == [
        line.split() for line in block.splitlines()[2:-1] if line.strip()
    ]
    assert compose["services"]["playground"]["environment"]["PLAYGROUND_WORKERS"] == "2"
    assert {"--appendfsync", "always"} <= set(compose["services"]["redis"]["command"])


def test_metrics_are_of_all_workers(start_server: StartServer) -> None:
    """Whichever is met: requests and steps are added up, runs are not; Prometheus' own tool finds nothing wrong."""
    promtool = machine.find_promtool()
    if promtool is None:
        missing("promtool", machine.PROMTOOL_COMMAND)
    with start_server({"PLAYGROUND_METRICS": "true", "PLAYGROUND_WORKERS": "2"}) as url:
        for _ in range(12):  # each on a connection of its own, which either worker may take
            run = httpx.post(f"{url}/api/v1/runs", json={"seed": 1}).json()["id"]
            httpx.post(f"{url}/api/v1/runs/{run}/step", json={"count": 3})
        for _ in range(6):
            text = httpx.get(f"{url}/metrics").text
            lines = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
            assert float(lines["playground_steps_total"]) == 36
            assert float(lines["playground_runs"]) == 12
            made = 'playground_requests_total{method="POST",route="/api/v1/runs",status="201"}'
            assert float(lines[made]) == 12
            assert any(name.startswith("playground_build_info{") for name in lines)
        asked = [str(promtool), "check", "metrics"]
        found = subprocess.run(asked, input=text, capture_output=True, text=True, timeout=machine.PATIENCE)
        assert (found.returncode, found.stdout + found.stderr) == (0, "")


def test_pages_of_allowed_origins_may_ask_and_read(start_server: StartServer) -> None:
    """A browser asks first, posts JSON and reads the answer; of any other origin it learns nothing."""
    course = "https://course.example.org"
    asked = {"access-control-request-method": "POST", "access-control-request-headers": "content-type,idempotency-key"}
    with start_server({"PLAYGROUND_ALLOWED_ORIGINS": course}) as url:
        first = httpx.options(f"{url}/api/v1/runs", headers={"origin": course, **asked})
        assert (first.status_code, first.headers["access-control-allow-origin"]) == (200, course)
        assert "idempotency-key" in first.headers["access-control-allow-headers"]
        sent = {"origin": course, "sec-fetch-site": "cross-site"}
        made = httpx.post(f"{url}/api/v1/runs", json={}, headers=sent)
        assert (made.status_code, made.headers["access-control-allow-origin"]) == (201, course)
        step, keyed = f"{url}{made.headers['location']}/step", {**sent, "idempotency-key": "k"}
        again = [httpx.post(step, headers=keyed) for _ in range(2)][1]
        readable = {name.strip() for name in again.headers["access-control-expose-headers"].split(",")}
        assert {"idempotent-replayed", "etag", "x-request-id"} <= readable & set(again.headers)
        assert "location" in readable & set(made.headers)
        refused = httpx.post(f"{url}/api/v1/runs", json={"noise": 7}, headers=sent)
        assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (422, course)
        for origin in ("https://evil.example", "null", course + ".evil.example"):
            other = httpx.options(f"{url}/api/v1/runs", headers={"origin": origin, **asked})
            assert "access-control-allow-origin" not in other.headers
            assert httpx.post(f"{url}/api/v1/runs", json={}, headers={"origin": origin}).status_code == 403


def test_a_request_keeps_the_id_that_it_came_with(start_server: StartServer) -> None:
    """If it can stand in a log; else it gets one."""
    with start_server() as url:
        assert httpx.get(f"{url}/healthz", headers={"x-request-id": "a-1.b:2"}).headers["x-request-id"] == "a-1.b:2"
        for odd in ("a b", "x" * 101, '"', ""):
            assert httpx.get(f"{url}/healthz", headers={"x-request-id": odd}).headers["x-request-id"] != odd


def test_what_cites_the_project_names_its_version() -> None:
    """As the package has it."""
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert f'version = "{cited["version"]}"' in (ROOT / "pyproject.toml").read_text()
