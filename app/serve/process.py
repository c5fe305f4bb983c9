"""A server process among others: when it should stop, and what it does when the one that started it is gone."""

import asyncio
import os
import signal
import threading
from multiprocessing import parent_process
from types import FrameType


def stopping_event() -> asyncio.Event:
    """An event that is set as soon as the process is told to stop, before the server waits for open connections.

    Streams wait for it beside their next frame: a server never leaves while one of them is open.
    """
    stopping, loop = asyncio.Event(), asyncio.get_running_loop()
    if threading.current_thread() is not threading.main_thread():
        return stopping
    for number in (signal.SIGINT, signal.SIGTERM):
        servers_own = signal.getsignal(number)
        if callable(servers_own) and servers_own is not signal.default_int_handler:

            def handler(number: int, frame: FrameType | None, then: object = servers_own) -> None:
                loop.call_soon_threadsafe(stopping.set)
                then(number, frame)  # type: ignore[operator]

            signal.signal(number, handler)
    return stopping


async def leave_with_parent() -> None:
    """End this worker when its supervisor has died: an orphan would go on serving the port unsupervised."""
    supervisor = parent_process()
    if supervisor is None:
        return
    while os.getppid() == supervisor.pid:  # its own word, for it may have died before this worker was up
        await asyncio.sleep(1)
    os.kill(os.getpid(), signal.SIGTERM)
