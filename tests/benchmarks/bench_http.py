"""A step over HTTP: one server with SQLite on this machine, the default network, one client and then sixteen.

`python tests/benchmarks/bench_http.py [--seconds 4]` prints a table and writes http.md and http.json into
tests/benchmarks/results/. The client is a bare socket, so that it is the server that is measured.
"""

import argparse
import asyncio
import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter
from typing import Any
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from measure import Claim, publish

from engine import Spec, advance, start
from machine import run_server

Request = tuple[str, str, Any]
EMPTY: Request = ("GET", "/healthz", None)  # through all that a step goes through, and it does nothing there
CLIENTS = 16
MANY, TURNS = 10_000, 25
WHILES = 7
NOTE = (
    "One worker, SQLite, the default network; the client is a bare socket. A request may compute for 60 s here instead "
    "of 0.25, so that 10,000 steps fit into one on any machine."
)


@dataclass
class Client:
    """One connection that is kept open, and how long each answer took."""

    url: str
    seconds: list[float] = field(default_factory=list)

    async def open(self) -> "Client":
        """Connect."""
        place = urlsplit(self.url)
        self.host = place.netloc
        self.reader, self.writer = await asyncio.open_connection(place.hostname, place.port)
        return self

    async def ask(self, method: str, path: str, body: Any = None) -> Any:
        """One request and its answer as JSON; AssertionError unless it is a 2xx."""
        data = b"" if body is None else json.dumps(body).encode()
        head = f"{method} {path} HTTP/1.1\r\nHost: {self.host}\r\nContent-Type: application/json\r\n"
        begin = perf_counter()
        self.writer.write(f"{head}Content-Length: {len(data)}\r\n\r\n".encode() + data)
        answer = await self.reader.readuntil(b"\r\n\r\n")
        length = next(int(line[15:]) for line in answer.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        content = await self.reader.readexactly(length)
        self.seconds.append(perf_counter() - begin)
        assert answer[9:10] == b"2", content
        return json.loads(content)


async def one_client(url: str, seconds: float) -> list[Claim]:
    """Milliseconds of a step and of a trace beside an empty route's, in turns; and 10,000 steps at once."""
    client = await Client(url).open()
    run = (await client.ask("POST", "/api/v1/runs", {}))["id"]
    asked: dict[str, Request] = {
        "empty route": EMPTY,
        "step": ("POST", f"/api/v1/runs/{run}/step", {"count": 1}),
        "trace": ("GET", f"/api/v1/runs/{run}/trace", None),
    }
    times: dict[str, list[float]] = {name: [] for name in asked}
    end = perf_counter() + len(asked) * seconds
    while perf_counter() < end:
        for name, request in asked.items():
            client.seconds = times[name]
            await client.ask(*request)
    empty = median(times["empty route"])
    claims = []
    for name, took in times.items():
        claims += [
            Claim(f"{name}, p50", 1e3 * median(took), "ms"),
            Claim(f"{name}, p99", 1e3 * quantiles(took, n=100)[98], "ms"),
        ]
    claims += [Claim(f"{name} / empty route", median(times[name]) / empty, "x", 2.5) for name in ("step", "trace")]
    return claims + await many_steps(client)


async def many_steps(client: Client) -> list[Claim]:
    """One request for 10,000 steps against the bare engine, in turns."""
    over, bare = [], []
    for _ in range(TURNS):
        run = (await client.ask("POST", "/api/v1/runs", {}))["id"]
        begin = perf_counter()
        done = (await client.ask("POST", f"/api/v1/runs/{run}/step", {"count": MANY}))["step"]
        over.append(perf_counter() - begin)
        assert done == MANY
        begin = perf_counter()
        advance(start(Spec.make()), MANY)
        bare.append(perf_counter() - begin)
    ratio = median(one / other for one, other in zip(over, bare, strict=True))
    return [
        Claim("10,000 steps in one request", 1e3 * median(over), "ms"),
        Claim("10,000 steps of the bare engine", 1e3 * median(bare), "ms"),
        Claim("the one / the other, median of turns", ratio, "x", 1.15),
    ]


async def sixteen_clients(url: str, seconds: float) -> list[Claim]:
    """Steps a second, each client on a run of its own, beside the rate of an empty route: in whiles that take turns,
    for other people's work shows."""
    clients = [await Client(url).open() for _ in range(CLIENTS)]
    paths = [f"/api/v1/runs/{(await client.ask('POST', '/api/v1/runs', {}))['id']}/step" for client in clients]

    steps: list[Request] = [("POST", path, {"count": 1}) for path in paths]
    rates, empty, times = [], [], []
    for _ in range(WHILES):
        took = await a_while(clients, steps, seconds / 2)
        rates.append(len(took) / (seconds / 2))
        times += took
        empty.append(len(await a_while(clients, [EMPTY] * CLIENTS, seconds / 2)) / (seconds / 2))
    ratio = median(one / other for one, other in zip(rates, empty, strict=True))
    return [
        Claim(f"16 clients, steps a second, median of {WHILES} whiles", median(rates), ""),
        Claim("16 clients, answers of an empty route a second", median(empty), ""),
        Claim("the one / the other, median of whiles", ratio, "x", 0.4, at_least=True),
        Claim("16 clients, p50", 1e3 * median(times), "ms"),
    ]


async def a_while(clients: list[Client], requests: list[Request], seconds: float) -> list[float]:
    """Each client sends its request again and again for so long; how long each answer took."""
    end = perf_counter() + seconds

    async def work(client: Client, request: Request) -> None:
        client.seconds = []
        while perf_counter() < end:
            await client.ask(*request)

    await asyncio.gather(*(work(*pair) for pair in zip(clients, requests, strict=True)))
    return [took for client in clients for took in client.seconds]


def main() -> None:
    """Start a server, measure, print and write down."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=4.0)
    seconds = parser.parse_args().seconds
    unhurried = {"PLAYGROUND_VISITOR_RATE": "1e9", "PLAYGROUND_ADDRESS_RATE": "1e9", "PLAYGROUND_STEP_SECONDS": "60"}
    with run_server(unhurried) as url:  # no visitor asks as fast as this, nor for as much at once
        claims = asyncio.run(one_client(url, seconds)) + asyncio.run(sixteen_clients(url, seconds))
    publish("http", "A step over HTTP", claims, NOTE)


if __name__ == "__main__":
    main()
