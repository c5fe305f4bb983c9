"""A class under load: followers on one worker, a teacher who steps ten times a second, everything on this machine.

`python tests/benchmarks/bench_class.py` takes classes of 300 and of 1,000 and writes class.md and class.json into
tests/benchmarks/results/; with `--followers 50 [--seconds 10] [--size s] [--plain]` it takes one and prints it.
Measures, from the teacher's request to each follower's picture, the delay; the server's share of a core; and whether
every follower ends at the last state.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import sys
import tempfile
import time
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from measure import Claim, processor_seconds, publish, table

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

import machine  # noqa: E402

FRAME = re.compile(rb"id: (\d+)\nevent: frame\n")
FRAMES_A_SECOND = 10


@dataclass
class Follower:
    """One reader of the stream: which version's picture it has, and when each came."""

    came: dict[int, float] = field(default_factory=dict)
    bytes: int = 0

    @property
    def last(self) -> int:
        """The newest version drawn."""
        return max(self.came, default=0)

    async def read(self, port: int, code: str, size: str, plain: bool) -> None:
        """Read the stream until it ends."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        accepts = "" if plain else "Accept-Encoding: gzip\r\n"
        path = f"/api/v1/rooms/{code}/stream?screen=student&size={size}"
        writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\n{accepts}\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        assert b" 200 " in head, head
        machine_ = None if plain else zlib.decompressobj(31)
        rest = b""
        while True:
            line = await reader.readline()
            length = int(line or b"0", 16)
            if not length:
                return
            chunk = (await reader.readexactly(length + 2))[:-2]
            now = time.perf_counter()
            self.bytes += length
            rest += machine_.decompress(chunk) if machine_ else chunk
            for found in FRAME.finditer(rest):
                self.came.setdefault(int(found[1]), now)
            rest = rest[-64:]


async def drive(url: str, pid: int, args: argparse.Namespace) -> dict[str, Any]:
    """One class: its followers, its teacher's steps, and what came of them."""
    port = int(url.rpartition(":")[2])
    async with httpx.AsyncClient(base_url=url, trust_env=False) as teacher:
        opened = (await teacher.post("/api/v1/rooms")).json()
        path = f"/api/v1/rooms/{opened['code'].replace(' ', '')}"
        teacher.headers["authorization"] = f"Bearer {opened['teacher']}"
        followers = [Follower() for _ in range(args.followers)]
        code = path.rpartition("/")[2]
        readers = [asyncio.create_task(f.read(port, code, args.size, args.plain)) for f in followers]
        while not all(f.came for f in followers):
            await asyncio.sleep(0.05)
        sent: dict[int, float] = {}
        before, began, bytes_before = processor_seconds(pid), time.perf_counter(), sum(f.bytes for f in followers)
        for n in range(int(args.seconds * FRAMES_A_SECOND)):
            await asyncio.sleep(max(0.0, began + n / FRAMES_A_SECOND - time.perf_counter()))
            at = time.perf_counter()
            told = (await teacher.post(f"{path}/step")).json()
            sent[told["version"]] = at
        took, cpu = time.perf_counter() - began, processor_seconds(pid) - before
        last = max(sent)
        deadline = time.perf_counter() + 5
        while not all(f.last == last for f in followers) and time.perf_counter() < deadline:
            await asyncio.sleep(0.02)
        size = sum(f.bytes for f in followers) - bytes_before
        await teacher.delete(path)
        await asyncio.wait(readers, timeout=5)
    delays = sorted(f.came[v] - at for f in followers for v, at in sent.items() if v in f.came)
    return {
        "drawn": len(delays) / (len(sent) * args.followers), "at last state": sum(f.last == last for f in followers),
        "p50": 1e3 * delays[len(delays) // 2], "p99": 1e3 * delays[int(len(delays) * 0.99)],
        "core": 100 * cpu / took, "kB": size / max(1, len(delays)) / 1e3,
    }  # fmt: skip


def one(args: argparse.Namespace) -> list[Claim]:
    """A class on a server of its own."""
    with tempfile.TemporaryDirectory() as folder:
        port = machine.free_port()
        env = {"PLAYGROUND_PORT": str(port), "PLAYGROUND_DATA": folder, "PLAYGROUND_STREAMS_PER_ROOM": "5000",
               "PLAYGROUND_STREAMS": "5000", "PLAYGROUND_STREAMS_PER_ADDRESS": "5000",
               "PLAYGROUND_ROOM_LOOKUPS_BURST": "10000"}  # fmt: skip
        log = Path(folder) / "log"
        with machine.running([sys.executable, "-m", "app"], env, log) as process:
            url = f"http://127.0.0.1:{port}"
            machine.wait_until(lambda: machine._answers(url + "/healthz"), process, log)
            found = asyncio.run(drive(url, process.pid, args))
    n = args.followers
    return [
        Claim(
            f"{n:,} followers: at the last state when the teacher stops", found["at last state"], "", n, at_least=True
        ),
        Claim(f"{n:,} followers: share of a core", found["core"], "%", 15 if n == 300 else None),
        Claim(f"{n:,} followers: step to picture, p50", found["p50"], "ms"),
        Claim(f"{n:,} followers: step to picture, p99", found["p99"], "ms"),
        Claim(f"{n:,} followers: pictures that came, the others overtaken", 100 * found["drawn"], "%"),
        Claim(f"{n:,} followers: a picture", found["kB"], "kB"),
    ]


def main() -> None:
    """Two classes written down, or one printed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--followers", type=int)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--size", default="s", choices=("s", "m", "l"))
    parser.add_argument("--plain", action="store_true")
    args = parser.parse_args()
    if args.followers:
        print("\n".join(table(one(args))))
        return
    claims = []
    for args.followers in (300, 1000):
        claims += one(args)
    publish(
        "class", "A class", claims, f"One worker, {FRAMES_A_SECOND} steps a second, the followers on the same cores."
    )


if __name__ == "__main__":
    main()
