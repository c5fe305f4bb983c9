"""Processes are killed, stores stop, fill up and break: nothing acknowledged is lost, nothing happens twice.

`KILLS` says how often; `make soak` does more.
"""

import asyncio
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import httpx
import numpy as np
import pytest
from conftest import missing
from test_api import served

import machine
from app.failures import StoreUnavailable
from app.main import create_app
from app.run.deeds import Step
from app.run.runs import Run, Runs
from app.settings import Settings
from app.stores import store_for
from engine import Spec, advance, start

KILLS = int(os.environ.get("KILLS", "10"))
ME = "m" * 43


async def with_runs(place: str) -> tuple[Runs, Run]:
    settings = Settings(store=place)
    store = store_for(settings)
    await store.open()
    runs = Runs(store, settings)
    return runs, await runs.create(ME, Spec.make())


async def read_back(place: str, run_id: str) -> Run:
    settings = Settings(store=place)
    store = store_for(settings)
    await store.open()
    run = await Runs(store, settings).get(run_id)
    await store.close()
    return run


def check_exactly_once(run: Run, acknowledged: int, tried: int) -> None:
    """Each request whose answer was seen took one step, the one in flight at most one, and the bits are a replay's."""
    assert acknowledged <= run.state.step <= tried
    assert np.array_equal(run.state.parameters, advance(start(run.origin), run.state.step).state.parameters)


@contextmanager
def redis_process(
    folder: Path, *options: str, port: int | None = None
) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """A redis-server that can be stopped and killed; it keeps every acknowledged write unless told otherwise."""
    program = machine.find_redis()
    if program is None:
        missing("redis-server", machine.REDIS_COMMAND)
    port = port or machine.free_port()
    command = [str(program), "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder), "--save", ""]
    command += ["--appendonly", "yes", "--appendfsync", "always"]
    log = folder / "redis.log"
    with machine.running(command, {}, log) as process:
        machine.wait_until(lambda: machine._pongs(port), process, log)
        yield process, f"redis://127.0.0.1:{port}/0"


def storm(place: str, run_id: str, first: int, kills: int) -> int:
    """Step in a process that is killed, `kills` times; returns the number of the first request not acknowledged."""
    rng = random.Random(1)
    command = [sys.executable, str(machine.ROOT / "tests" / "storm.py"), place, run_id]
    env = {**os.environ, "PYTHONPATH": str(machine.ROOT), "OPENBLAS_NUM_THREADS": "1"}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=machine.ROOT, env=env, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for _ in range(kills):
            print(first, file=process.stdin, flush=True)
            lines = [process.stdout.readline()]
            time.sleep(rng.random() * 0.1)
            os.kill(int(lines[0].split()[1]), signal.SIGKILL)
            lines += iter(process.stdout.readline, "gone\n")
            first = int(lines[-1].split()[0]) + 1
    return first


@pytest.mark.parametrize("kind", ["sqlite", "redis"])
def test_killed_workers_lose_nothing(request: pytest.FixtureRequest, tmp_path: Path, kind: str) -> None:
    """kill -9 amid steps: each that is retried with its key is one step, and a replay comes to the same bits."""
    place = str(tmp_path / "runs.sqlite3") if kind == "sqlite" else request.getfixturevalue("redis_server")

    async def begin() -> str:
        runs, run = await with_runs(place)
        await runs.store.close()
        return run.id

    run_id = asyncio.run(begin())
    first = storm(place, run_id, 0, KILLS)
    run = asyncio.run(read_back(place, run_id))
    assert first > KILLS
    check_exactly_once(run, first, first + 1)
    if kind == "sqlite":
        assert sqlite3.connect(place).execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_killed_redis_loses_nothing_acknowledged(tmp_path: Path) -> None:
    """With `appendonly yes, appendfsync always`: kill -9 of the server itself, and it comes back with all."""
    port = machine.free_port()
    kills = max(3, KILLS // 2)

    async def steps(place: str, run_id: str | None, number: int, pid: int) -> tuple[str, int]:
        settings = Settings(store=place)
        store = store_for(settings)
        await store.open()
        runs = Runs(store, settings)
        name = run_id or (await runs.create(ME, Spec.make())).id
        loop = asyncio.get_running_loop()
        enough = number + 2  # and then at any moment
        try:
            while True:
                await runs.do(name, Step(1), key=f"k{number}")
                number += 1
                if number == enough:
                    loop.call_later(random.random() * 0.1, os.kill, pid, signal.SIGKILL)
        except StoreUnavailable:
            await store.close()
            return name, number

    run_id, number = None, 0
    for _ in range(kills):
        with redis_process(tmp_path, port=port) as (process, place):
            run_id, number = asyncio.run(steps(place, run_id, number, process.pid))
    with redis_process(tmp_path, port=port) as (_, place):
        assert run_id is not None
        run = asyncio.run(read_back(place, run_id))
    assert number > kills
    check_exactly_once(run, number, number + 1)


@asynccontextmanager
async def client_of(place: str) -> AsyncIterator[tuple[httpx.AsyncClient, str]]:
    """A client of an app on this store, and the URL of a run of it."""
    async with served(create_app(Settings(store=place, store_seconds=2))) as client:
        run = (await client.post("/api/v1/runs", json={})).json()["id"]
        yield client, f"/api/v1/runs/{run}"


async def refused(client: httpx.AsyncClient, url: str) -> None:
    """A step is a 503 with Retry-After, and the service is not ready, though it lives."""
    answer = await client.post(f"{url}/step", json={"count": 1})
    assert (answer.status_code, answer.json()["status"]) == (503, 503)
    assert int(answer.headers["retry-after"]) >= 1
    assert (await client.get("/readyz")).status_code == 503
    assert (await client.get("/healthz")).status_code == 200


async def works_again(client: httpx.AsyncClient, url: str, step: int) -> None:
    """Ready by itself, and the run goes on from where it stood."""
    while (await client.get("/readyz")).status_code != 200:
        await asyncio.sleep(0.05)
    answer = await client.post(f"{url}/step", json={"count": 1})
    assert (answer.status_code, answer.json()["step"]) == (200, step)


def test_a_locked_database_over_http(tmp_path: Path) -> None:
    """Writers are refused, readers are not, and it passes with the lock."""
    path = str(tmp_path / "runs.sqlite3")

    async def main() -> None:
        async with client_of(path) as (client, url):
            other = sqlite3.connect(path, isolation_level=None)
            other.execute("BEGIN IMMEDIATE")
            await refused(client, url)
            assert (await client.get(url)).json()["step"] == 0
            other.execute("ROLLBACK")
            other.close()
            await works_again(client, url, 1)

    asyncio.run(main())


@pytest.mark.skipif(sys.platform != "linux", reason="RLIMIT_FSIZE as used here is Linux's")
def test_a_full_disk_over_http(tmp_path: Path) -> None:
    """A file that may not grow, which is an I/O error and not SQLITE_FULL: refused, and well again with room."""
    import resource

    async def main() -> None:
        async with client_of(str(tmp_path / "runs.sqlite3")) as (client, url):
            old = resource.getrlimit(resource.RLIMIT_FSIZE)
            ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            largest = max(path.stat().st_size for path in tmp_path.iterdir())
            resource.setrlimit(resource.RLIMIT_FSIZE, (largest, old[1]))
            try:
                statuses = {(await client.post(f"{url}/step", json={"count": 1})).status_code for _ in range(200)}
                assert 503 in statuses
                assert statuses <= {200, 503}
                step = (await client.get(url)).json()["step"]
                await refused(client, url)
            finally:
                resource.setrlimit(resource.RLIMIT_FSIZE, old)
                signal.signal(signal.SIGXFSZ, ignored)
            await works_again(client, url, step + 1)

    asyncio.run(main())


def test_a_broken_database_over_http(tmp_path: Path) -> None:
    """Rubbish in place of the file: refused; a fresh file in its place: new runs can be made."""
    path = tmp_path / "runs.sqlite3"

    async def main() -> None:
        async with client_of(str(path)) as (client, url):
            for each in tmp_path.iterdir():
                each.unlink()
            path.write_bytes(b"rubbish" * 2000)
            await refused(client, url)
            path.unlink()
            assert (await client.get("/readyz")).status_code == 200
            assert (await client.get(url)).status_code == 404
            assert (await client.post("/api/v1/runs", json={})).status_code == 201

    asyncio.run(main())


def test_a_stopped_redis_over_http(tmp_path: Path) -> None:
    """SIGSTOP: it neither answers nor closes; refused all the same, and well again with SIGCONT."""

    async def main(process: subprocess.Popen[bytes], place: str) -> None:
        async with client_of(place) as (client, url):
            process.send_signal(signal.SIGSTOP)
            try:
                await refused(client, url)
            finally:
                process.send_signal(signal.SIGCONT)
            await asyncio.to_thread(machine._pongs, int(place.rsplit(":", 1)[1].split("/")[0]))
            step = (await client.get(url)).json()["step"]  # what waited in the socket may have been carried out
            await works_again(client, url, step + 1)

    with redis_process(tmp_path) as (process, place):
        asyncio.run(main(process, place))


def test_a_restarted_redis_over_http(tmp_path: Path) -> None:
    """Killed: refused; started again: the run is there, and the next step is taken."""
    port = machine.free_port()

    async def main() -> None:
        with redis_process(tmp_path, port=port) as (process, place):
            async with client_of(place) as (client, url):
                await client.post(f"{url}/step", json={"count": 5})
                process.kill()
                process.wait()
                await refused(client, url)
                with redis_process(tmp_path, port=port):
                    await works_again(client, url, 6)

    asyncio.run(main())


def test_a_full_redis_over_http(tmp_path: Path) -> None:
    """Out of memory without eviction: writes are refused, runs are kept and readable, and it passes with room."""

    async def main(place: str) -> None:
        import redis

        async with client_of(place) as (client, url):
            server = redis.Redis.from_url(place)
            server.config_set("maxmemory", "1mb")
            await refused(client, url)
            assert (await client.get(url)).json()["step"] == 0
            server.config_set("maxmemory", "0")
            await works_again(client, url, 1)

    with redis_process(tmp_path) as (_, place):
        asyncio.run(main(place))


def test_a_redis_that_forgot_its_scripts(tmp_path: Path) -> None:
    """SCRIPT FLUSH, as after a failover: they are sent again."""

    async def main(place: str) -> None:
        import redis

        async with client_of(place) as (client, url):
            redis.Redis.from_url(place).script_flush()
            await works_again(client, url, 1)

    with redis_process(tmp_path) as (_, place):
        asyncio.run(main(place))


def test_four_workers_behave_as_one(tmp_path: Path) -> None:
    """Steps that land on any of them, with and without keys, come to one run."""
    port = machine.free_port()
    env = {
        "PLAYGROUND_HOST": "127.0.0.1", "PLAYGROUND_PORT": str(port), "PLAYGROUND_WORKERS": "4",
        "PLAYGROUND_DATA": str(tmp_path),
    }  # fmt: skip
    log = tmp_path / "server.log"

    async def main(url: str) -> None:
        # A connection for each request, so that the kernel spreads them over the workers.
        limits = httpx.Limits(max_keepalive_connections=0)
        async with httpx.AsyncClient(base_url=url, timeout=machine.PATIENCE, limits=limits) as client:
            run = (await client.post("/api/v1/runs", json={})).json()["id"]

            async def some(name: int) -> None:
                for i in range(10):
                    for _ in range(2):
                        key = {"Idempotency-Key": f"{name}-{i}"}
                        answer = await client.post(f"/api/v1/runs/{run}/step", json={"count": 1}, headers=key)
                        assert answer.status_code == 200, answer.text

            await asyncio.gather(*(some(name) for name in range(4)))
            assert (await client.get(f"/api/v1/runs/{run}")).json()["step"] == 40

    with machine.running([sys.executable, "-m", "app"], env, log) as process:
        url = f"http://127.0.0.1:{port}"
        machine.wait_until(lambda: machine._answers(url + "/healthz"), process, log)
        asyncio.run(main(url))
        assert "Traceback" not in log.read_text()
