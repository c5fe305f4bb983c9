"""A server that is told to stop is gone soon, whatever it was doing. `STOPS=40` tries that many times."""

import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

import machine

Process = subprocess.Popen[bytes]
HEAVY = {"dataset": "digits16", "hidden": [256, 128, 64], "samples": 2000, "batch_size": 2000, "optimizer": "adam"}


class Server:
    """A server of our own: where it is, and what holds it up."""

    def __init__(self, port: int) -> None:
        self.port, self.url, self.held = port, f"http://127.0.0.1:{port}", ExitStack()

    def post(self, path: str, body: object, timeout: float = machine.PATIENCE) -> dict[str, object]:
        data = json.dumps(body).encode()
        asked = urllib.request.Request(self.url + path, data, {"content-type": "application/json"})
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(asked, timeout=timeout) as answer:
            found: dict[str, object] = json.load(answer)
            return found

    def link(self, text: str) -> socket.socket:
        link = self.held.enter_context(socket.create_connection(("127.0.0.1", self.port), timeout=machine.PATIENCE))
        link.sendall(text.replace("\n", "\r\n").encode())
        return link

    def aside(self, work: Callable[[], object]) -> None:
        """Do it in a thread; that the server leaves before it answers is no failure."""

        def quietly() -> None:
            with suppress(OSError, ValueError):
                work()

        threading.Thread(target=quietly, daemon=True).start()


def with_streams(server: Server) -> None:
    """Followers of a class that steps on, one of which reads nothing."""
    room = server.post("/api/v1/rooms", {})
    code = str(room["code"]).replace(" ", "")
    for _ in range(20):
        link = server.link(f"GET /api/v1/rooms/{code}/stream?size=l HTTP/1.1\nHost: x\n\n")
        assert link.recv(100)


def with_heavy_jobs(server: Server) -> None:
    """More computing than there is time for, some of it waiting."""
    for _ in range(3):
        run = server.post("/api/v1/runs", HEAVY)["id"]
        for _ in range(4):
            server.aside(lambda run=run: server.post(f"/api/v1/runs/{run}/step", {"count": 100_000}))  # type: ignore[misc]
    time.sleep(random.uniform(0.1, 0.5))


def with_half_requests(server: Server) -> None:
    """A head that does not end, and a body that does not."""
    server.link("GET /healthz HTTP/1.1\nHost: a\n")
    server.link("POST /api/v1/runs HTTP/1.1\nHost: a\nContent-Type: application/json\nContent-Length: 100\n\n{")
    time.sleep(0.1)


STATES = {state.__name__: state for state in (with_streams, with_heavy_jobs, with_half_requests)}


@contextmanager
def started(
    folder: Path, wait: bool = True, command: Sequence[str] = (sys.executable, "-m", "app"), **env: str
) -> Iterator[tuple[Process, Server]]:
    port = machine.free_port()
    log = folder / f"log-{port}"
    settings = {"PLAYGROUND_PORT": str(port), "PLAYGROUND_DATA": str(folder)} | env
    server = Server(port)
    with server.held, machine.running(list(command), settings, log) as process:
        if wait:
            machine.wait_until(lambda: machine._answers(server.url + "/healthz"), process, log)
        yield process, server


def leaves(process: Process, number: int = signal.SIGTERM) -> int:
    """Its exit code after a signal: that it left by itself, and was not ended by the alarm that ends what hangs."""
    process.send_signal(number)
    return process.wait(timeout=machine.PATIENCE)


def children(process: Process) -> list[int]:
    """The workers of a supervisor, as Linux knows them."""
    tasks = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return [int(pid) for pid in tasks if "spawn_main" in Path(f"/proc/{pid}/cmdline").read_text()]


def tries(cases: int) -> range:
    return range(max(1, int(os.environ.get("STOPS", "0")) // cases))


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize("state", STATES)
def test_a_server_leaves_whatever_it_does(tmp_path: Path, state: str, workers: str) -> None:
    """With code 0 and no traceback, and nothing of it goes on serving."""
    for _ in tries(7):
        with started(tmp_path, PLAYGROUND_WORKERS=workers) as (process, server):
            STATES[state](server)
            assert leaves(process) == 0
            assert "Traceback" not in (tmp_path / f"log-{server.port}").read_text()
            with pytest.raises(urllib.error.URLError):
                machine._answers(server.url + "/healthz")


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_server_leaves_while_it_starts(tmp_path: Path, workers: str) -> None:
    """At whatever moment of its start the signal comes; before Python listens for it, it ends the process itself."""
    for _ in range(4 * len(tries(7))):
        with started(tmp_path, wait=False, PLAYGROUND_WORKERS=workers) as (process, _):
            time.sleep(random.uniform(0.0, 1.6))
            assert leaves(process) in (0, -signal.SIGTERM)


def test_a_server_leaves_without_its_store(tmp_path: Path) -> None:
    """A Redis that neither answers nor closes, with followers and requests that wait for it."""
    for _ in tries(7):
        with machine.run_redis_process() as (redis, url), started(tmp_path, PLAYGROUND_STORE=url) as (process, server):
            with_streams(server)
            redis.send_signal(signal.SIGSTOP)
            server.aside(lambda: server.post("/api/v1/runs", {}))
            time.sleep(0.1)
            try:
                assert leaves(process) == 0
            finally:
                redis.send_signal(signal.SIGCONT)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks for the workers in /proc")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_that_hangs_is_ended_with_its_supervisor(tmp_path: Path, number: int) -> None:
    """Stopped, it hears no signal but the last."""
    with started(tmp_path, PLAYGROUND_WORKERS="2") as (process, _):
        workers = children(process)
        assert len(workers) == 2
        os.kill(workers[0], signal.SIGSTOP)
        assert leaves(process, number) == 0
        for pid in workers:
            with pytest.raises(ProcessLookupError):
                os.kill(pid, 0)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks for the workers in /proc")
def test_a_worker_that_dies_is_replaced_and_told_of(tmp_path: Path) -> None:
    """A warning with its number."""
    with started(tmp_path, PLAYGROUND_WORKERS="2") as (process, server):
        log, first = tmp_path / f"log-{server.port}", children(process)[0]
        os.kill(first, signal.SIGKILL)
        machine.wait_until(lambda: f"worker {first} died" in log.read_text(), process, log)
        machine.wait_until(lambda: first not in children(process) and len(children(process)) == 2, process, log)


SLOW = """
import sys, time
if "spawn_main" in " ".join(sys.orig_argv):
    time.sleep(7)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks for the workers in /proc")
def test_workers_that_take_long_to_start_are_waited_for(tmp_path: Path) -> None:
    """Longer than uvicorn gives them: none is replaced."""
    (tmp_path / "sitecustomize.py").write_text(SLOW)
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    with started(tmp_path, wait=False, PLAYGROUND_WORKERS="2", PYTHONPATH=path) as (process, server):
        log = tmp_path / f"log-{server.port}"
        machine.wait_until(lambda: len(children(process)) == 2, process, log)
        workers = children(process)
        machine.wait_until(lambda: machine._answers(server.url + "/healthz"), process, log)
        assert children(process) == workers


HANGS = """
import asyncio
from app.stores.sqlite import SqliteStore

async def close(self):
    while True:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            pass

SqliteStore.close = close
from app.__main__ import main
main()
"""


def test_a_server_that_hangs_while_it_stops_is_ended(tmp_path: Path) -> None:
    """Something that takes no cancellation for an answer holds it up for a few seconds, not for ever."""
    with started(tmp_path, command=[sys.executable, "-c", HANGS]) as (process, _):
        process.terminate()
        assert process.wait(timeout=machine.PATIENCE) == -signal.SIGALRM
