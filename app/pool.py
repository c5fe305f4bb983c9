"""A bounded pool of threads for heavy work, so that one visitor's large network does not stall everybody."""

import asyncio
import os
import sys
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from app.failures import Busy

T = TypeVar("T")
# What takes longer than this leaves the event loop; a thread costs some 0.1 ms and shares the processor.
HEAVY_SECONDS = 0.005


def _threads() -> int:
    """One core is left to the event loop."""
    return max(1, (os.cpu_count() or 1) - 1)


def _step_back() -> None:
    """Let the event loop go first: on Linux niceness is each thread's own."""
    if sys.platform == "linux":
        os.nice(5)


class Pool:
    """Runs light work at once and heavy work in threads, at most `waiting` jobs and `each` of one owner."""

    def __init__(self, waiting: int, each: int, threads: int | None = None) -> None:
        self.waiting, self.each = waiting, each
        self._threads = ThreadPoolExecutor(threads or _threads(), "heavy", _step_back)
        self._jobs: Counter[str] = Counter()

    @property
    def jobs(self) -> int:
        """Heavy jobs that run or wait."""
        return self._jobs.total()

    async def do(self, seconds: float, owner: str, work: Callable[[], T], admitted: bool = False) -> T:
        """The result of `work`, which will take about `seconds`; Busy if there is no room for it.

        What belongs to a request that was let in before is `admitted`.
        """
        if seconds < HEAVY_SECONDS:
            return work()
        if not admitted:
            self._admit(owner)
        self._jobs[owner] += 1
        job = asyncio.get_running_loop().run_in_executor(self._threads, work)
        job.add_done_callback(lambda _: self._finished(owner))
        return await asyncio.shield(job)

    def _admit(self, owner: str) -> None:
        if self.jobs >= self.waiting:
            raise Busy("too many heavy computations are waiting", 503)
        if self._jobs[owner] >= self.each:
            raise Busy(f"at most {self.each} heavy computations of one visitor at once", 429)

    def _finished(self, owner: str) -> None:
        self._jobs[owner] -= 1
        if not self._jobs[owner]:
            del self._jobs[owner]

    def close(self) -> None:
        """Let running work end, and start no more."""
        self._threads.shutdown(wait=False, cancel_futures=True)
