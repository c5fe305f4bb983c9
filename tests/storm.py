"""A process that steps a run as fast as it can and says what was acknowledged, until somebody kills it.

python tests/storm.py STORE RUN FIRST: requests are numbered from FIRST, and a number is an idempotency key.
"""

import asyncio
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
            run, _ = await runs.do(run_id, Step(1), key=f"k{number}")
        except StoreUnavailable:
            await asyncio.sleep(0.02)
            continue
        print(number, run.state.step, flush=True)
        number += 1


if __name__ == "__main__":
    asyncio.run(storm(sys.argv[1], sys.argv[2], int(sys.argv[3])))
