"""Processes that step a run as fast as they can and say what was acknowledged, until somebody kills them.

python tests/storm.py STORE RUN: for each number that it is told it forks one, so that nothing is imported again.
Requests are numbered from there, and a number is an idempotency key.
"""

import asyncio
import os
import sys

from app.failures import StoreUnavailable
from app.run.deeds import Step
from app.run.runs import Runs
from app.settings import Settings
from app.stores import store_for


async def storm(place: str, run_id: str, number: int) -> None:
    settings = Settings(store=place)
    store = store_for(settings)
    await store.open()
    runs = Runs(store, settings)
    while True:
        try:
            await runs.do(run_id, Step(1), key=f"k{number}")
        except StoreUnavailable:
            await asyncio.sleep(0.02)
            continue
        print(number, os.getpid(), flush=True)
        number += 1


def main(place: str, run_id: str) -> None:
    while told := sys.stdin.readline():
        child = os.fork()
        if not child:
            asyncio.run(storm(place, run_id, int(told)))
        os.waitpid(child, 0)
        print("gone", flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
