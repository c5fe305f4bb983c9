"""A class under load: followers on one worker, a teacher who steps ten times a second, everything on this machine.

`python tests/benchmarks/bench_class.py [--followers 300] [--seconds 10] [--size s] [--plain]`. Measures, from the
teacher's request to each follower's picture, the delay; the server's share of a core; and whether every follower ends
at the last state. Exits with 1 if one does not. Nothing is timed by the tests.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import sys
import tempfile
import time
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

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


def cpu_seconds(pid: int) -> float:
    """Processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


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
        before, began, bytes_before = cpu_seconds(pid), time.perf_counter(), sum(f.bytes for f in followers)
        for n in range(int(args.seconds * FRAMES_A_SECOND)):
            await asyncio.sleep(max(0.0, began + n / FRAMES_A_SECOND - time.perf_counter()))
            at = time.perf_counter()
            told = (await teacher.post(f"{path}/step")).json()
            sent[told["version"]] = at
        took, cpu = time.perf_counter() - began, cpu_seconds(pid) - before
        last = max(sent)
        deadline = time.perf_counter() + 5
        while not all(f.last == last for f in followers) and time.perf_counter() < deadline:
            await asyncio.sleep(0.02)
        size = sum(f.bytes for f in followers) - bytes_before
        await teacher.delete(path)
        await asyncio.wait(readers, timeout=5)
    delays = sorted(f.came[v] - at for f in followers for v, at in sent.items() if v in f.came)
    return {
        "followers": args.followers, "frames": len(sent), "size": args.size, "gzip": not args.plain,
        "at_last_state": sum(f.last == last for f in followers),
        "drawn_share": round(len(delays) / (len(sent) * args.followers), 3),
        "p50_ms": round(1000 * delays[len(delays) // 2], 1), "p99_ms": round(1000 * delays[int(len(delays) * 0.99)], 1),
        "cpu_share": round(cpu / took, 3), "kB_a_frame": round(size / max(1, len(delays)) / 1000, 1),
    }  # fmt: skip


def main() -> int:
    """Print one line of JSON and a table's row."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--followers", type=int, default=300)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--size", default="s", choices=("s", "m", "l"))
    parser.add_argument("--plain", action="store_true")
    args = parser.parse_args()
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
    print(json.dumps(found))
    print(
        f"{found['followers']} followers, {FRAMES_A_SECOND} frames/s, {found['kB_a_frame']} kB each: "
        f"p50 {found['p50_ms']} ms, p99 {found['p99_ms']} ms, {100 * found['cpu_share']:.0f} % of a core; "
        f"{found['at_last_state']} at the last state"
    )
    return 0 if found["at_last_state"] == args.followers else 1


if __name__ == "__main__":
    raise SystemExit(main())
