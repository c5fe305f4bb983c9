"""The app in a thread of a kernel: served on a free port of this machine, and asked from the notebook's own thread."""

import asyncio
import socket
import threading
from collections.abc import Coroutine
from pathlib import Path
from secrets import token_urlsafe
from tempfile import TemporaryDirectory
from time import sleep
from typing import Any, TypeVar
from urllib.parse import parse_qsl

import uvicorn

from app.main import create_app
from app.notebook.cell import CELL, CellRoutes
from app.notebook.door import SECRET, Door
from app.page.links import Link, View, view_of
from app.run.deeds import Step
from app.run.links import address_of
from app.run.runs import UNSAVED, Run, Runs
from app.serve.process import GRACE_SECONDS
from app.serve.protocol import BoundedProtocol
from app.settings import Settings
from engine import RunState, Spec

T = TypeVar("T")
HOST = "127.0.0.1"
LONG = 3_600.0  # seconds that a state may be replayed for: the kernel is the user's own


class Served:
    """One server, for one visitor, with its runs in a folder of its own."""

    def __init__(self) -> None:
        self._folder = TemporaryDirectory(prefix="backprop-playground-")
        listener = socket.create_server((HOST, 0))
        self.port: int = listener.getsockname()[1]
        app = create_app(_settings(Path(self._folder.name), self.port))
        self.runs: Runs = app.state.runs
        self.door = Door(app, token_urlsafe(32))
        self.cell = CellRoutes(self.door)
        app.include_router(self.cell.router)
        self._server, self._loop = uvicorn.Server(_config(self.door)), asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, args=(listener,), daemon=True, name="backprop-playground")
        self._thread.start()
        while not self._server.started:
            if not self._thread.is_alive():
                raise RuntimeError(f"the playground could not be served on {HOST}:{self.port}")
            sleep(0.01)

    @property
    def url(self) -> str:
        """The address of the cell."""
        return f"http://{HOST}:{self.port}{SECRET}{CELL}"

    def _serve(self, listener: socket.socket) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._server.serve([listener]))

    def stop(self) -> None:
        """Stop serving, and let go of what was stored."""
        self._server.should_exit = True
        self._thread.join()
        self._folder.cleanup()

    def wait(self, work: Coroutine[Any, Any, T]) -> T:
        """What is done in the server's thread, waited for in the notebook's."""
        if not self._thread.is_alive():
            work.close()
            raise RuntimeError("this Playground is closed: make another")
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def show(self, spec: Spec, step: int) -> None:
        """Put a run of this spec on the screen, at a step."""
        self._put(await self.runs.create(self.door.visitor, spec, (), step))

    def _put(self, run: Run) -> None:
        address = address_of(run.origin, run.edits, run.state.step, run.id)
        self.door.address, self.door.plays = address.partition("?")[2], False

    async def screen(self) -> tuple[Run, View, RunState]:
        """The run on the screen, what is looked at, and the state at the step that is."""
        fields, plays = dict(parse_qsl(self.door.address, keep_blank_values=True)), self.door.plays
        view = view_of(fields)
        least = 0 if plays or view.step is None else view.step
        if "run" in fields:
            run = await self.runs.get(fields["run"])
        else:
            link = Link.parse(fields)
            run = await self.runs.open(self.door.visitor, link.spec, link.edits, least)
        step = run.state.step if plays or view.step is None else min(view.step, run.state.step)
        return run, view, await self.runs.at(run, step)

    async def step(self, count: int) -> RunState:
        """Steps from the run's last one on, all of them unless it diverges; every frame goes there."""
        run, _, _ = await self.screen()
        until = run.state.step + count
        while run.state.step < until and not run.state.divergence:
            deed = Step(until=until)
            if run.id == UNSAVED:
                run, _ = await self.runs.first(self.door.visitor, run.origin, run.edits, run.state.step, deed)
            else:
                run, _ = await self.runs.do(run.id, deed, self.door.visitor)
        self._put(run)
        await self.cell.moved()
        return run.state


def _settings(folder: Path, port: int) -> Settings:
    """The service's own settings, whatever the environment says of a server: nobody else is served here."""
    plain = {"store": "", "public_url": "", "allowed_hosts": (), "allowed_origins": (), "trusted_proxies": ""}
    off = {"secure_cookies": False, "metrics": False, "json_logs": False}
    return Settings(host=HOST, port=port, workers=1, data=folder, root_path=SECRET, replay_seconds=LONG, **plain, **off)  # type: ignore[arg-type]


def _config(door: Door) -> uvicorn.Config:
    return uvicorn.Config(
        door,
        http=BoundedProtocol,
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
