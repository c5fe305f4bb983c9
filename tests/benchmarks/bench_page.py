"""The page: how soon it is there, what its frames cost the server and the browser, and what the server needs.

`python tests/benchmarks/bench_page.py` prints a table and writes page.md and page.json into tests/benchmarks/results/.
Without a browser it measures the server's part alone.
"""

import gzip
import http.client
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import median
from time import monotonic, perf_counter
from typing import Any
from urllib.parse import urlencode, urlsplit

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import numpy as np  # noqa: E402
from measure import Claim, alternately, processor_seconds, publish  # noqa: E402

import machine  # noqa: E402
from app.draw.outputs import points_key  # noqa: E402
from app.draw.pictures import GRID, sprite, surfaces  # noqa: E402
from app.page.frame import frame  # noqa: E402
from app.page.links import View  # noqa: E402
from app.page.pages import frame_text  # noqa: E402
from app.run.history import Retention, begin, carry  # noqa: E402
from app.run.record import Run  # noqa: E402
from app.stores import NEW  # noqa: E402
from engine import RunState, Spec, advance, evaluate, start, trace, unit_maps  # noqa: E402

SMALL, DEEP = "hidden=4,2", "hidden=8,8,8,8,8,8"
NAMES = {SMALL: "2-4-2-1", DEEP: "2-8-8-8-8-8-8-1"}
FIELD = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)" class="v"')
RUN = re.compile(r'data-run="([\w-]+)"')
OPEN = 1000  # runs
WARM, FRAMES = 50, 500
FRAME_RATIO = 16.0
PLAY_SECONDS = 6
LIGHTHOUSE = (
    "Lighthouse is a program of Node's and not measured here; beside a running server: "
    "`npx lighthouse http://127.0.0.1:8000 --only-categories=performance,accessibility,best-practices`."
)


@contextmanager
def serving() -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A server of our own that knows no haste, and its process."""
    with tempfile.TemporaryDirectory() as folder:
        port = machine.free_port()
        env = {"PLAYGROUND_VISITOR_RATE": "1e9", "PLAYGROUND_ADDRESS_RATE": "1e9"}
        env |= {"PLAYGROUND_PORT": str(port), "PLAYGROUND_DATA": folder}
        url, log = f"http://127.0.0.1:{port}", Path(folder) / "log"
        with machine.running([sys.executable, "-m", "app"], env, log) as process:
            machine.wait_until(lambda: machine._answers(url + "/healthz"), process, log)
            yield url, process


class Visitor:
    """A visitor without a browser: one connection, one cookie."""

    def __init__(self, url: str) -> None:
        place = urlsplit(url)
        self.connection = http.client.HTTPConnection(place.hostname or "", place.port)
        self.cookie = ""

    def ask(self, method: str, path: str, form: dict[str, Any] | None = None, **headers: str) -> bytes:
        """The body of the answer, as it came."""
        if form is not None:
            headers |= {"content-type": "application/x-www-form-urlencoded"}
        body = None if form is None else urlencode(form)
        self.connection.request(method, path, body, {"cookie": self.cookie} | headers)
        answer = self.connection.getresponse()
        content = answer.read()
        assert answer.status == 200, (answer.status, content[:300])
        self.cookie = (answer.getheader("set-cookie") or self.cookie).split(";")[0]
        return content

    def open(self, query: str) -> tuple[str, dict[str, str]]:
        """A run of this link: where its page's Step button posts, and the fields of the view that it sends along."""
        page = self.ask("GET", f"/?{query}").decode()
        made = self.ask("POST", "/runs/new/reset", {"link": query}, **{"hx-request": "true"}).decode()
        return f"/runs/{RUN.findall(made)[0]}/step", dict(FIELD.findall(page))


def fragments() -> list[Claim]:
    """The whole frame of a run that has come to step 120, made and packed as a request does it, over and over."""
    claims = []
    for hidden in ((4, 2), (8,) * 6):
        spec = Spec.make(hidden=hidden)
        made, _ = carry(begin(spec), 120, 60.0, Retention())
        run = Run(spec, (), made.state, made.metrics, made.sampled, "a-run", "a-visitor", NEW, "")
        points = points_key(spec, tests=False)
        times = alternately({"frame": partial(fragment, run, points), "engine": partial(looked_at, run.state)}, 25)
        name = "-".join(map(str, spec.network.sizes))
        claims += [
            Claim(f"a whole frame, made and packed, {name}", 1e3 * times["frame"], "ms"),
            Claim(f"that / the engine's own work in it, {name}", times["frame"] / times["engine"], "x", FRAME_RATIO),
        ]
    return claims


def looked_at(state: RunState) -> None:
    """What a frame asks of the engine: a trace, both losses, every unit's surface."""
    assert trace(state).layers
    evaluate(state)
    unit_maps(state, GRID)


def fragment(run: Run, points: str) -> bytes:
    """What a step is answered with; the page has the data's points already."""
    return gzip.compress(frame_text(frame(run, run.state, View(), points=points)).encode(), 1)


def frames(url: str, pid: int) -> list[Claim]:
    """A step and its whole frame: what it costs the server, HTTP and SQLite included, how long it takes, its size."""
    claims = []
    for query, most_kb in ((SMALL, 12), (DEEP, 40)):
        visitor = Visitor(url)
        path, view = visitor.open(query)
        times, sizes, before = [], [], 0.0
        for i in range(-WARM, FRAMES):
            before = processor_seconds(pid) if i == 0 else before
            begin = perf_counter()
            body = visitor.ask("POST", path, view | {"count": 1}, **{"hx-request": "true", "accept-encoding": "gzip"})
            times.append(perf_counter() - begin)
            sizes.append(len(body))
        claims += [
            Claim(
                f"a step and its frame with HTTP and SQLite, server's processor time, {NAMES[query]}",
                1e3 * (processor_seconds(pid) - before) / FRAMES, "ms",
            ),
            Claim(f"from its request to its last byte, {NAMES[query]}", 1e3 * median(times[WARM:]), "ms"),
            Claim(f"its size, gzipped, {NAMES[query]}", median(sizes) / 1e3, "kB", most_kb),
        ]  # fmt: skip
    return claims


def pictures() -> list[Claim]:
    """Every unit's surface as one small indexed image: 49 units."""
    state = advance(start(Spec.make(hidden=[8] * 6)), 50).state
    times = alternately({"image": lambda: image(state)}, 25)
    return [
        Claim("surfaces of 49 units and 2 inputs as one image", 1e3 * times["image"], "ms", 2),
        Claim("its size", len(image(state)) / 1e3, "kB", 35),
    ]


def image(state: RunState) -> str:
    """The surfaces as the page has them."""
    return sprite(np.concatenate(surfaces(state).layers), GRID)


def starts() -> list[Claim]:
    """From the command to the first answer."""
    times = []
    for _ in range(7):
        begin = monotonic()
        with machine.run_server():
            times.append(monotonic() - begin)
    return [Claim("from the command to the first answer", median(times), "s", 1.5)]


def memory() -> list[Claim]:
    """What a server has resident with many runs open: each its visitor's page, then stepped, then drawn."""
    with serving() as (url, process):
        idle = resident(process.pid)
        for seed in range(OPEN):
            visitor = Visitor(url)
            path, view = visitor.open(f"seed={seed}")
            visitor.ask("POST", path, view | {"count": 100}, **{"hx-request": "true"})
            visitor.connection.close()
        return [
            Claim("memory when nothing is asked for", idle, "MB"),
            Claim(f"memory with {OPEN:,} runs open", resident(process.pid), "MB", 120),
        ]


def resident(pid: int) -> float:
    """MB of memory that a process has."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("VmRSS"))) / 1e3


def in_browser(url: str, browser: Path) -> list[Claim]:
    """The first load, and Play."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=str(browser), args=machine.browser_flags())
        claims = first_load(url, lambda: chromium.new_context(viewport={"width": 1440, "height": 900}))
        for query, least in ((SMALL, 50), (DEEP, 30)):
            page = chromium.new_page(viewport={"width": 1440, "height": 900})
            page.goto(f"{url}/?{query}")
            claims += plays(page, NAMES[query], least)
            page.close()
        chromium.close()
    return claims


def first_load(url: str, context: Callable[[], Any]) -> list[Claim]:
    """What comes over the wire with an empty cache and once more, from where, and when the page's own scripts have
    run."""
    sizes, again, ready, strangers = [], [], [], set()
    for _ in range(7):
        page = context().new_page()
        received: list[float] = []
        wire = page.context.new_cdp_session(page)
        wire.send("Network.enable")
        wire.on("Network.loadingFinished", lambda event, to=received: to.append(event["encodedDataLength"]))
        page.on("request", lambda request: strangers.add(urlsplit(request.url).netloc))
        page.goto(url, wait_until="networkidle")
        ready.append(page.evaluate("performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd"))
        sizes.append(sum(received))
        received.clear()
        page.goto(url, wait_until="networkidle")
        again.append(sum(received))
        page.context.close()
    return [
        Claim("first load, everything, as it came", median(sizes) / 1e3, "kB", 60),
        Claim("second load, with what the browser has kept", median(again) / 1e3, "kB"),
        Claim("first load, hosts asked beside our own", len(strangers - {urlsplit(url).netloc, ""}), "", 0),
        Claim("first load, until the page obeys", median(ready), "ms", 1000),
    ]


WATCH = """
    window.longest = 0;
    new PerformanceObserver((list) => {
      for (const task of list.getEntries()) window.longest = Math.max(window.longest, task.duration);
    }).observe({ type: 'longtask' });
"""


def plays(page: Any, name: str, least: float) -> list[Claim]:
    """Frames a second while it plays a step a frame, and the longest task that the browser had meanwhile."""
    page.select_option("#speed", "1")
    page.click("#play")
    page.wait_for_timeout(1500)
    page.evaluate(WATCH)
    now = "[performance.now(), Number(document.querySelector('#bar').dataset.step)]"
    began, first = page.evaluate(now)
    page.wait_for_timeout(1000 * PLAY_SECONDS)
    ended, last = page.evaluate(now)
    longest = page.evaluate("window.longest")
    page.click("#play")
    return [
        Claim(f"Play, frames a second, {name}", 1e3 * (last - first) / (ended - began), "", least, at_least=True),
        Claim(f"Play, longest task (0: none reached the 50 that the browser tells of), {name}", longest, "ms", 50),
    ]


def main() -> None:
    """Measure, print and write down."""
    browser = machine.find_browser()
    with serving() as (url, process):
        claims = fragments() + frames(url, process.pid)
        if browser:
            claims += in_browser(url, browser)
    claims += pictures() + starts() + memory()
    notes = [LIGHTHOUSE] if browser else ["No browser here, so the server's part alone.", "", LIGHTHOUSE]
    publish("page", "The page", claims, *notes)


if __name__ == "__main__":
    main()
