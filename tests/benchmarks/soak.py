"""A server under mixed load for a while: no answer is a fault, memory and file descriptors stay flat.

`make soak MINUTES=60`, or `python tests/benchmarks/soak.py --minutes 1 --redis`. The tests run it for some seconds.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

import machine  # noqa: E402

CLIENTS = 6
GOOD = {200, 201, 204, 400, 404, 409, 413, 422, 429, 503}
SPECS: list[dict[str, Any]] = [
    {},
    {"dataset": "spiral", "hidden": [8, 8, 8], "activation": "relu", "optimizer": "adam"},
    {"dataset": "line", "hidden": []},
    {"dataset": "digits16", "hidden": [32], "samples": 300},
    {"dataset": "plane", "learning_rate": 10, "hidden": [4], "activation": "relu"},
]
BAD = [b"{", b'{"noise": NaN}', b'{"hidden": [999]}', b"[" * 5000, b'{"seed": "\\ud800"}', b"x" * 100_000]


@dataclass
class Report:
    """What was seen: answers by status, and memory (MB) and open files of the server over time."""

    statuses: Counter[int] = field(default_factory=Counter)
    memory: list[float] = field(default_factory=list)
    files: list[int] = field(default_factory=list)

    def faults(self) -> list[str]:
        """What is not as it should be; growth is that between the middle third and the last."""
        found = [f"{count} answers of status {s}" for s, count in self.statuses.items() if s not in GOOD]
        third = len(self.memory) // 3
        if third:
            middle, last = sorted(self.memory[third : 2 * third]), sorted(self.memory[2 * third :])
            growth = last[len(last) // 2] - middle[len(middle) // 2]
            if growth > max(15.0, 0.1 * middle[0]):
                found.append(f"memory grew by {growth:.1f} MB")
            if max(self.files[2 * third :]) > max(self.files[third : 2 * third]) + 20:
                found.append(f"open files grew: {self.files}")
        return found


@dataclass(frozen=True)
class End:
    """When a soak is over: at a time, and not before there were so many answers."""

    until: float
    answers: int

    def __call__(self, report: Report) -> bool:
        return time.monotonic() >= self.until and sum(report.statuses.values()) >= self.answers


async def client(url: str, seed: int, over: End, report: Report) -> None:
    """One visitor who does everything that can be done, at random."""
    rng = random.Random(seed)
    runs: list[str] = []
    async with httpx.AsyncClient(base_url=url + "/api/v1", timeout=machine.PATIENCE) as http:
        while not over(report):
            answer = await _one(http, rng, runs)
            report.statuses[answer.status_code] += 1
            if answer.status_code == 429:
                await asyncio.sleep(0.2)


async def _one(http: httpx.AsyncClient, rng: random.Random, runs: list[str]) -> httpx.Response:
    what = rng.random()
    if not runs or what < 0.05:
        answer = await http.post("/runs", json=rng.choice(SPECS) | {"seed": rng.randrange(1000)})
        if answer.status_code == 201:
            runs.append(answer.json()["id"])
        return answer
    if what < 0.1 or len(runs) > 8:
        return await http.delete(f"/runs/{runs.pop(0)}")
    url = f"/runs/{rng.choice(runs)}"
    if what < 0.2:
        headers = {"content-type": "application/json"}
        return await http.post(
            rng.choice(["/runs", f"{url}/step", "/backprop"]), content=rng.choice(BAD), headers=headers
        )
    if what < 0.6:
        return await http.post(
            f"{url}/step", json={"count": rng.choice([1, 1, 1, 30, 500]), "trace": rng.random() < 0.2}
        )
    if what < 0.7:
        return await http.patch(url, json={"learning_rate": rng.choice([0.01, 0.1, 1.0])})
    if what < 0.75:
        return await http.post(f"{url}/rewind", json={"step": rng.randrange(50)})
    return await http.get(url + rng.choice(["", "/trace", "/predict", "/data", "/history"]))


async def watch(pid: int, over: End, report: Report) -> None:
    """The server's memory and open files, a few times a second."""
    while not over(report):
        status = Path(f"/proc/{pid}/status").read_text()
        report.memory.append(int(status.split("VmRSS:")[1].split()[0]) / 1024)
        report.files.append(len(list(Path(f"/proc/{pid}/fd").iterdir())))
        await asyncio.sleep(0.25)


def soak(seconds: float, redis: bool = False, answers: int = 0) -> Report:
    """Run a server and its visitors for so long, and longer until there are so many answers."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="soak-")))
        port, log = machine.free_port(), folder / "server.log"
        env = {"PLAYGROUND_HOST": "127.0.0.1", "PLAYGROUND_PORT": str(port), "PLAYGROUND_DATA": str(folder)}
        if redis:
            env["PLAYGROUND_STORE"] = stack.enter_context(machine.run_redis())
        process = stack.enter_context(machine.running([sys.executable, "-m", "app"], env, log))
        url = f"http://127.0.0.1:{port}"
        machine.wait_until(lambda: machine._answers(url + "/healthz"), process, log)
        report, over = Report(), End(time.monotonic() + seconds, answers)

        async def main() -> None:
            visitors = [client(url, seed, over, report) for seed in range(CLIENTS)]
            await asyncio.gather(watch(process.pid, over, report), *visitors)

        asyncio.run(main())
        if "Traceback" in (text := log.read_text()):
            print(text[-3000:])
            report.statuses[500] += 1
        return report


def main() -> None:
    """Soak, print what was seen, and fail if it is not as it should be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--redis", action="store_true", help="on a Redis server of its own instead of SQLite")
    chosen = parser.parse_args()
    report = soak(60 * chosen.minutes, chosen.redis)
    print(f"answers: {dict(sorted(report.statuses.items()))}")
    print(
        f"memory: {report.memory[0]:.0f} MB at first, {max(report.memory):.0f} at most, {report.memory[-1]:.0f} at last"
    )
    print(f"open files: {max(report.files)} at most, {report.files[-1]} at last")
    if faults := report.faults():
        sys.exit("; ".join(faults))


if __name__ == "__main__":
    main()
