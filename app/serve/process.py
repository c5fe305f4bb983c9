"""A server process among others: when it should stop, that it does, and what it does when its supervisor is gone."""

import asyncio
import os
import signal
import sys
import threading
from contextlib import suppress
from multiprocessing import active_children, parent_process
from time import monotonic
from types import FrameType
from typing import NoReturn

GRACE_SECONDS = 1  # for requests under way
WORKER_SECONDS = 2.4  # for a worker to leave
MOST_SECONDS = 4.0  # for whatever hangs


def leave(number: int, frame: FrameType | None) -> NoReturn:
    """End this process at once, with code 0: a thread that still computes has nothing to write. A signal handler.

    It raises nothing, for where the signal comes in the midst of what swallows exceptions, the process would go on.
    """
    with suppress(Exception):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(0)


def leave_with_workers(number: int, frame: FrameType | None) -> NoReturn:
    """End the workers and then this process; those that hang are killed. A signal handler."""
    workers, deadline = active_children(), monotonic() + WORKER_SECONDS
    for worker in workers:
        worker.terminate()
    for worker in workers:
        worker.join(max(0.0, deadline - monotonic()))
        if worker.is_alive():
            worker.kill()
            worker.join(0.5)
    leave(number, frame)


def stopping_event() -> asyncio.Event:
    """An event that is set as soon as the process is told to stop, before the server waits for open connections.

    Streams wait for it beside their next frame: a server never leaves while one of them is open. Whatever hangs then,
    the system ends the process soon.
    """
    stopping, loop = asyncio.Event(), asyncio.get_running_loop()
    if threading.current_thread() is not threading.main_thread():
        return stopping
    for number in (signal.SIGINT, signal.SIGTERM):
        servers_own = signal.getsignal(number)
        if callable(servers_own) and servers_own is not signal.default_int_handler:

            def handler(number: int, frame: FrameType | None, then: object = servers_own) -> None:
                if hasattr(signal, "setitimer"):
                    signal.setitimer(signal.ITIMER_REAL, MOST_SECONDS)  # needs neither the loop nor Python to act
                then(number, frame)  # type: ignore[operator]
                loop.call_soon_threadsafe(stopping.set)

            signal.signal(number, handler)
    return stopping


async def leave_with_parent() -> None:
    """End this worker when its supervisor has died: an orphan would go on serving the port unsupervised.

    A server in a thread is in somebody else's process, whose end is not its business.
    """
    supervisor = parent_process()
    if supervisor is None or threading.current_thread() is not threading.main_thread():
        return
    while os.getppid() == supervisor.pid:  # its own word, for it may have died before this worker was up
        await asyncio.sleep(1)
    os.kill(os.getpid(), signal.SIGTERM)
