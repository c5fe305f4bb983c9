"""Heavy work is served in turn, by address and by owner, and nobody takes all the places while others wait."""

import asyncio
from collections.abc import Awaitable, Callable
from threading import Event
from typing import Any

import pytest

from app.failures import Busy
from app.pool import HEAVY_SECONDS, Pool
from app.serve.limits import CALLER


class Crowd:
    """Jobs of several addresses in a pool of one thread, which waits until it is let go."""

    def __init__(self, waiting: int = 9, each: int = 100) -> None:
        self.pool, self.go, self.done = Pool(waiting, each, threads=1), Event(), list[str]()

    async def ask(self, address: str, owner: str = "", admitted: bool = False) -> asyncio.Task[Any]:
        """One more job, once it is let in or refused."""

        def work() -> None:
            self.go.wait()
            self.done.append(address + owner)

        async def come() -> None:
            CALLER.set(address)
            await self.pool.do(2 * HEAVY_SECONDS, address + owner, work, admitted)

        task = asyncio.create_task(come())
        await asyncio.sleep(0)
        return task


def play(story: Callable[[Crowd], Awaitable[None]], waiting: int = 9, each: int = 100) -> Crowd:
    async def main() -> Crowd:
        crowd = Crowd(waiting, each)
        try:
            await story(crowd)
        finally:
            crowd.go.set()
        return crowd

    return asyncio.run(main())


async def told(task: asyncio.Task[Any]) -> int:
    """The status with which a job was refused; 0 if it was done."""
    try:
        await asyncio.wait_for(task, 30)
    except Busy as busy:
        return busy.status
    return 0


def test_addresses_and_owners_take_turns() -> None:
    """Whoever comes last with little is served before the rest of those who came first with much."""

    async def story(crowd: Crowd) -> None:
        tasks = [await crowd.ask("a", "1") for _ in range(4)] + [await crowd.ask("a", "2") for _ in range(2)]
        tasks += [await crowd.ask("b") for _ in range(2)]
        crowd.go.set()
        await asyncio.gather(*tasks)

    assert play(story).done == ["a1", "a1", "b", "a2", "b", "a1", "a2", "a1"]


def test_an_address_may_have_more_than_a_third_while_nobody_else_waits() -> None:
    """And no more than there are places."""

    async def story(crowd: Crowd) -> None:
        tasks = [await crowd.ask("a") for _ in range(9)]
        assert await told(await crowd.ask("a")) == 503
        crowd.go.set()
        await asyncio.gather(*tasks)
        assert crowd.pool.jobs == 0

    assert len(play(story).done) == 9


def test_an_address_has_a_third_while_another_waits() -> None:
    """It is told so; the other is let in."""

    async def story(crowd: Crowd) -> None:
        first = [await crowd.ask("a") for _ in range(3)]
        other = await crowd.ask("b")
        assert await told(await crowd.ask("a")) == 429
        crowd.go.set()
        await asyncio.gather(*first, other)

    play(story)


def test_one_who_comes_to_full_places_gets_one_of_those_who_have_too_many() -> None:
    """The job that came last goes, and none of a request that was let in before."""

    async def story(crowd: Crowd) -> None:
        many = [await crowd.ask("a", str(n)) for n in range(8)] + [await crowd.ask("a", "sure", admitted=True)]
        light = await crowd.ask("b")
        assert await told(many[7]) == 503
        crowd.go.set()
        await asyncio.gather(*many[:7], many[8], light)
        assert crowd.pool.jobs == 0

    done = play(story).done
    assert done[:2] == ["a0", "a1"] or done[:2] == ["a0", "b"]
    assert "a7" not in done


def test_an_owner_has_a_few(caplog: pytest.LogCaptureFixture) -> None:
    """Whatever its addresses; what fails is told to whoever asked."""

    async def story(crowd: Crowd) -> None:
        tasks = [await crowd.ask("a", "1") for _ in range(2)]
        assert await told(await crowd.ask("a", "1")) == 429

        def fail() -> None:
            raise ValueError("no")

        crowd.go.set()
        await asyncio.gather(*tasks)
        with pytest.raises(ValueError, match="no"):
            await crowd.pool.do(1.0, "x", fail)
        assert crowd.pool.jobs == 0

    play(story, each=2)
    assert not caplog.records


def test_a_pool_that_is_closed_lets_nobody_wait_for_ever() -> None:
    """Those that wait are told, as are those under way once they end."""

    async def story(crowd: Crowd) -> None:
        tasks = [await crowd.ask("a") for _ in range(3)]
        crowd.pool.close()
        crowd.go.set()
        await asyncio.wait(tasks)
        assert [task.cancelled() for task in tasks] == [False, True, True]

    play(story)
