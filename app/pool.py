"""A bounded pool of threads for heavy work, so that one visitor's large network does not stall everybody.

Who waits is served in turn: one address after the other, and of each address one owner after the other.
"""

import asyncio
import os
import sys
from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar, cast

from app.failures import Busy
from app.serve.limits import CALLER

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


@dataclass(frozen=True, eq=False)
class Job:
    """Heavy work, whose it is, and whether it belongs to a request that was let in before."""

    owner: str
    address: str
    admitted: bool
    work: Callable[[], Any]
    done: asyncio.Future[Any]


class Turns:
    """The jobs that wait, by address and owner: whoever has had a turn goes to the end."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[str, OrderedDict[str, deque[Job]]] = OrderedDict()

    def add(self, job: Job) -> None:
        """Let a job wait."""
        self._waiting.setdefault(job.address, OrderedDict()).setdefault(job.owner, deque()).append(job)

    def next(self) -> Job | None:
        """The job whose turn it is; None if none waits."""
        if not self._waiting:
            return None
        address, owners = self._waiting.popitem(last=False)
        owner, jobs = owners.popitem(last=False)
        job = jobs.popleft()
        if jobs:
            owners[owner] = jobs
        if owners:
            self._waiting[address] = owners
        return job

    def others(self, address: str) -> bool:
        """Whether another address waits."""
        return any(each != address for each in self._waiting)

    def newest(self, address: str) -> Job | None:
        """The job of an address that came last of those that were not let in before."""
        waiting = reversed(self._waiting[address].values()) if address in self._waiting else ()
        return next((job for jobs in waiting for job in reversed(jobs) if not job.admitted), None)

    def drop(self, job: Job) -> None:
        """Let a job wait no more."""
        owners = self._waiting[job.address]
        owners[job.owner].remove(job)
        if not owners[job.owner]:
            del owners[job.owner]
        if not owners:
            del self._waiting[job.address]


class Pool:
    """Runs light work at once and heavy work in threads: at most `waiting` jobs, `each` of one owner, and a third of
    them of one address while another waits.
    """

    def __init__(self, waiting: int, each: int, threads: int | None = None) -> None:
        self.waiting, self.each, self.share = waiting, each, max(1, waiting // 3)
        self._free = threads or _threads()
        self._threads = ThreadPoolExecutor(self._free, "heavy", _step_back)
        self._turns = Turns()
        self._owners: Counter[str] = Counter()
        self._addresses: Counter[str] = Counter()

    @property
    def jobs(self) -> int:
        """Heavy jobs that run or wait."""
        return self._owners.total()

    async def do(self, seconds: float, owner: str, work: Callable[[], T], admitted: bool = False) -> T:
        """The result of `work`, which will take about `seconds`; Busy if there is no room for it.

        What belongs to a request that was let in before is `admitted`.
        """
        if seconds < HEAVY_SECONDS:
            return work()
        spoken = partial(copy_context().run, work)  # a thread has no language of its own
        job = Job(owner, CALLER.get(), admitted, spoken, asyncio.get_running_loop().create_future())
        if not admitted:
            self._admit(job)
        self._owners[owner] += 1
        self._addresses[job.address] += 1
        self._turns.add(job)
        self._start()
        return cast(T, await asyncio.shield(job.done))

    def _admit(self, job: Job) -> None:
        if self._owners[job.owner] >= self.each:
            raise Busy("at most {most} heavy computations of one visitor at once", 429, most=self.each)
        if self._addresses[job.address] >= self.share and self._turns.others(job.address):
            raise Busy("at most {most} heavy computations from one address while others wait", 429, most=self.share)
        if self.jobs >= self.waiting and not self._makes_room(job.address):
            raise Busy("too many heavy computations are waiting", 503)

    def _makes_room(self, address: str) -> bool:
        """Whether the address with most, if it is another and has more than its share, gives a place back."""
        most, jobs = self._addresses.most_common(1)[0]
        last = self._turns.newest(most) if most != address and jobs > self.share else None
        if last is None:
            return False
        self._turns.drop(last)
        self._forget(last)
        last.done.set_exception(Busy("others wait for the places that one address had", 503))
        return True

    def _start(self) -> None:
        while self._free and (job := self._turns.next()):
            self._free -= 1
            running = asyncio.get_running_loop().run_in_executor(self._threads, job.work)
            running.add_done_callback(partial(self._finished, job))

    def _finished(self, job: Job, ran: asyncio.Future[Any]) -> None:
        self._free += 1
        self._forget(job)
        if ran.cancelled():
            job.done.cancel()
        elif error := ran.exception():
            job.done.set_exception(error)
        else:
            job.done.set_result(ran.result())
        self._start()

    def _forget(self, job: Job) -> None:
        for counts, name in ((self._owners, job.owner), (self._addresses, job.address)):
            counts[name] -= 1
            if not counts[name]:
                del counts[name]

    def close(self) -> None:
        """Let running work end, and start no more."""
        while job := self._turns.next():
            job.done.cancel()
        self._threads.shutdown(wait=False, cancel_futures=True)
