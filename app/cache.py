"""Runs in memory, so that one which is stepped again and again need not be unpacked each time."""

from collections import OrderedDict

from app.record import Run

MOST_NUMBERS = 1_000_000  # about 8 MB
OBJECTS = 1_500  # numbers that the objects of one run take the place of


class Cache:
    """Runs as they were last seen, the ones used last, up to so many numbers in all. The store has the last word."""

    def __init__(self, most: int = MOST_NUMBERS) -> None:
        self.most, self._size = most, 0
        self._runs: OrderedDict[str, Run] = OrderedDict()

    def get(self, run_id: str) -> Run | None:
        if run_id in self._runs:
            self._runs.move_to_end(run_id)
        return self._runs.get(run_id)

    def put(self, run: Run) -> None:
        self.drop(run.id)
        self._runs[run.id] = run
        self._size += _numbers(run)
        while self._size > self.most and len(self._runs) > 1:
            self.drop(next(iter(self._runs)))

    def drop(self, run_id: str) -> None:
        run = self._runs.pop(run_id, None)
        if run:
            self._size -= _numbers(run)


def _numbers(run: Run) -> int:
    given = 4 * len(run.origin.parameters or ())  # as Python's own numbers
    return OBJECTS + given + run.state.parameters.size + run.state.slots.size + run.sampled.values.size
