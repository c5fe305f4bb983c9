"""`backprop-playground`, or `python -m app`: serve the playground, and say where; or train in the shell."""

import os

# One thread for NumPy's matrix products: at this size more of them only get into each other's way. Before NumPy loads.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import logging
import signal
import socket
import sys
import threading
import webbrowser
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from shutil import rmtree
from time import sleep
from types import FrameType
from typing import NoReturn

import uvicorn
from prometheus_client.multiprocess import mark_process_dead
from pydantic import ValidationError
from uvicorn.supervisors import Multiprocess

from app import command
from app.serve.addresses import EVERYWHERE, base_url
from app.serve.process import GRACE_SECONDS, leave, leave_with_workers
from app.serve.protocol import BoundedProtocol
from app.serve.telemetry import SHARED
from app.settings import Settings, load, unknown, wrong
from app.stores import needs_redis

# What the kernel may hold of a stream that its reader does not read: a stalled page then misses frames, not seconds.
UNSENT_BYTES = 16 << 10
# A worker that gives no sign of life for so long is replaced; it gives none while it imports, which a busy machine may
# take long for.
START_SECONDS = 60
log = logging.getLogger("playground")


def main() -> None:
    """Do what the command line asks; a server serves until SIGINT or SIGTERM."""
    given = command.parsed(sys.argv[1:])
    if given.command == "step":
        command.step(given)
        return
    os.environ.update(command.environment(given))
    _serve(_settings(), given.open)


def _serve(settings: Settings, show: bool) -> None:
    config = server_config(settings)
    listener = _bound(settings)
    if hasattr(socket, "TCP_NOTSENT_LOWAT"):
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT_BYTES)
    threading.Thread(target=_announce, args=(settings, listener.getsockname()[1], show), daemon=True).start()
    if settings.workers > 1:
        if settings.metrics:
            os.environ[SHARED] = _emptied(settings.data / "metrics")
        supervisor = Supervisor(config, sockets=[listener])
        _on_stop(leave_with_workers)  # uvicorn's own waits for a sign of life of each first, up to 5 s
        supervisor.run()
    else:
        _on_stop(leave)  # uvicorn raises the signal again once it has stopped: that is no failure
        uvicorn.Server(config).run(sockets=[listener])


def _bound(settings: Settings) -> socket.socket:
    """A socket at the address asked for, on which nobody listens yet; the end, with a sentence, if it can't be had."""
    listener = socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET)
    if os.name == "posix":  # elsewhere it would take the port from another server
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
    except (OSError, UnicodeError) as error:
        why = (getattr(error, "strerror", None) or "it is no host's name").lower()
        sys.exit(f"PLAYGROUND_HOST {settings.host}, PLAYGROUND_PORT {settings.port}: cannot listen there: {why}.")
    listener.set_inheritable(True)
    return listener


def _emptied(folder: Path) -> str:
    rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return str(folder)


def _announce(settings: Settings, port: int, show: bool) -> None:
    """Say where, as soon as it listens there; and show it in a browser if that is asked for."""
    near = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)
    while not _listens(near, port):
        sleep(0.05)
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    print(f"Backprop Playground: http://{host}:{port}{settings.root_path}", flush=True)
    if settings.host in EVERYWHERE or settings.public_url:
        print(f"In your network, and for a class: {base_url(settings)}", flush=True)
    if show:
        name = f"[{near}]" if ":" in near else near
        webbrowser.open(f"http://{name}:{port}{settings.root_path}")


def _listens(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), 1.0).close()
    except OSError:
        return False
    return True


def _settings() -> Settings:
    """The settings, if they can be served with; else a sentence for each fault, and the end."""
    try:
        settings = load()
    except ValidationError as error:
        sys.exit("\n".join(wrong(error)))
    for sentence in unknown(os.environ):
        print(sentence, file=sys.stderr)
    if needs_redis(settings) and not _is_there("redis"):
        sys.exit('A store in Redis needs its client: pip install "backprop-playground[redis]"')
    return settings


def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except (ImportError, ValueError):
        return False


class Supervisor(Multiprocess):
    """uvicorn's, which tells of a worker that died."""

    def keep_subprocess_alive(self) -> None:
        """Replace workers that are gone."""
        before = list(self.processes)
        super().keep_subprocess_alive()
        for gone, now in zip(before, self.processes, strict=True):
            if gone is not now:
                if os.environ.get(SHARED):
                    mark_process_dead(gone.pid)  # type: ignore[no-untyped-call]
                log.warning(
                    "worker %s died (exit code %s); worker %s takes its place", gone.pid, gone.exitcode, now.pid
                )


def _on_stop(handler: Callable[[int, FrameType | None], NoReturn]) -> None:
    signal.signal(signal.SIGTERM, handler)
    signal.signal(signal.SIGINT, handler)


def server_config(settings: Settings) -> uvicorn.Config:
    """uvicorn's configuration."""
    return uvicorn.Config(
        f"{__package__}.main:create_app",
        factory=True,
        host=settings.host,
        port=settings.port,
        workers=settings.workers,
        http=BoundedProtocol,
        ws="none",
        log_level="warning",
        access_log=False,
        server_header=False,
        forwarded_allow_ips=settings.trusted_proxies,
        timeout_graceful_shutdown=GRACE_SECONDS,
        timeout_worker_healthcheck=START_SECONDS,
    )


if __name__ == "__main__":
    main()
