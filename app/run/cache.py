"""Runs in memory, so that one which is stepped again and again need not be unpacked each time."""

from collections import OrderedDict

from app.run.record import Run

MOST_NUMBERS = 1_000_000  # about 8 MB
# Numbers that take as much room as a run's objects, an edit, a number that was given (Python's own), and a name.
OBJECTS, EDIT, GIVEN, NAMED = 1_500, 40, 4, 10


class Cache:
    """Runs as they were last seen, the ones used last, up to so many numbers in all. The store has the last word."""

    def __init__(self, most: int = MOST_NUMBERS) -> None:
        self.most, self._size = most, 0
        self._runs: OrderedDict[str, Run] = OrderedDict()

    def get(self, run_id: str) -> Run | None:
        """The run as it was last seen."""
        if run_id in self._runs:
            self._runs.move_to_end(run_id)
        return self._runs.get(run_id)

    def put(self, run: Run) -> None:
        """Remember a run; those used least recently make room."""
        self.drop(run.id)
        self._runs[run.id] = run
        self._size += numbers_of(run)
        while self._size > self.most and len(self._runs) > 1:
            self.drop(next(iter(self._runs)))

    def drop(self, run_id: str) -> None:
        """Forget a run, if it is there."""
        run = self._runs.pop(run_id, None)
        if run:
            self._size -= numbers_of(run)


def numbers_of(run: Run) -> int:
    """About how many numbers of eight bytes a run takes."""
    origin, state = run.origin, run.state
    given = len(origin.parameters or ())
    if origin.data:
        given += (origin.data.x.size + origin.data.y.size) // GIVEN
    arrays = state.parameters.size + state.slots.size + run.sampled.values.size
    named = sum(len(edit.value) for edit in run.edits if isinstance(edit.value, list | tuple | str))
    return OBJECTS + EDIT * len(run.edits) + NAMED * named + GIVEN * given + arrays
