"""How many Python calls one step of the page takes, and how many functions and files they are in: ours, and all.

python tests/benchmarks/bench_calls.py [--list]: the default network, one step by the page's form, as htmx sends it, and
one over JSON. A call is one of a Python function, as sys.setprofile sees it; calls of functions written in C are none.
"""

import asyncio
import sys
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import FrameType
from typing import Any

from httpx import ASGITransport, AsyncClient

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from app.main import create_app  # noqa: E402
from app.settings import Settings  # noqa: E402

WARM = 5  # steps before the one that is counted: templates are compiled, and the drawing's skeleton is there
HTMX = {"HX-Request": "true"}
Calls = Counter[tuple[str, str]]


async def counted(work: Callable[[], Awaitable[Any]]) -> Calls:
    """How often each function, by file and name, is called by the work."""
    calls: Calls = Counter()

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call":
            calls[frame.f_code.co_filename, frame.f_code.co_qualname] += 1

    sys.setprofile(note)
    try:
        await work()
    finally:
        sys.setprofile(None)
    return calls


def is_ours(file: str) -> bool:
    """Whether a file is of the app or the engine."""
    return file.startswith((str(ROOT / "app"), str(ROOT / "engine")))


def told(name: str, calls: Calls) -> str:
    """One line: ours and all."""
    parts = []
    for whose, kept in (("ours", {key: n for key, n in calls.items() if is_ours(key[0])}), ("all", dict(calls))):
        files = {file for file, _ in kept}
        parts.append(f"{sum(kept.values()):,} calls in {len(kept)} functions of {len(files)} files {whose}")
    return f"{name}: {'; '.join(parts)}"


async def main() -> None:
    """Count both kinds of step on a server in this process."""
    with tempfile.TemporaryDirectory() as folder:
        app = create_app(Settings(data=Path(folder)))
        async with (
            app.router.lifespan_context(app),
            AsyncClient(transport=ASGITransport(app), base_url="http://127.0.0.1") as client,
        ):
            run = (await client.post("/api/v1/runs", json={})).json()["id"]
            ways = {
                "a step of the page": lambda: client.post(f"/runs/{run}/step", data={"count": "1"}, headers=HTMX),
                "a frame of Play": lambda: client.post(
                    f"/runs/{run}/step", data={"count": "1", "quick": "1"}, headers=HTMX
                ),
                "a step over JSON": lambda: client.post(f"/api/v1/runs/{run}/step", json={"count": 1}),
            }
            for name, step in ways.items():
                for _ in range(WARM):
                    (await step()).raise_for_status()
                calls = await counted(step)
                print(told(name, calls))
                if "--list" in sys.argv:
                    for (file, function), n in calls.most_common():
                        if is_ours(file):
                            print(f"  {n:4} {Path(file).relative_to(ROOT)} {function}")


if __name__ == "__main__":
    asyncio.run(main())
