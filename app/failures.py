"""What can go wrong, by name: one place, so that whoever raises and whoever answers need not know each other."""

from collections.abc import Iterator
from contextlib import contextmanager

from engine.wording import Words, said

_FULL: Words = "the store is full"


class RunNotFound(LookupError):
    """There is no such run, or it has expired."""


class Damaged(Exception):
    """Stored bytes that are not what was written."""


class RunDamaged(Damaged):
    """The stored bytes of this run are not what was written."""


class RoomDamaged(Damaged):
    """The stored bytes of this room are not what was written."""


class OtherVersion(Exception):
    """Stored bytes that are sound, in a form that only another version of the playground knows."""


class TooMany(Exception):
    """A limit on how many there may be: what, and when to come again."""

    def __init__(self, reason: Words, retry_after: int, **parts: object) -> None:
        self.reason, self.retry_after = said(reason, **parts), retry_after
        super().__init__(self.reason)


class Conflict(Exception):
    """The run is not at the version that was expected; `version` is the one it is at."""

    def __init__(self, version: int) -> None:
        self.version = version
        super().__init__(f"the run is at version {version}")


class Stale(Conflict):
    """The run is not what If-Match asked for."""


class KeyReused(Exception):
    """The idempotency key was used for another request."""


class Busy(Exception):
    """Too much heavy work waits already: everybody's (`status` 503), or this visitor's own (429)."""

    def __init__(self, reason: Words, status: int, retry_after: int = 1, **parts: object) -> None:
        self.reason, self.status, self.retry_after = said(reason, **parts), status, retry_after
        super().__init__(self.reason)


class StoreUnavailable(Exception):
    """The store cannot answer now: busy, full, stopped or broken. Nothing was half-written."""

    def __init__(self, reason: Words, retry_after: int = 1) -> None:
        self.reason, self.retry_after = said(reason), retry_after
        super().__init__(self.reason)


class StoreFull(StoreUnavailable):
    """There is no room for this write; deleting makes some."""

    def __init__(self) -> None:
        super().__init__(_FULL, retry_after=30)


class StoreUnsure(StoreUnavailable):
    """A write was sent and no answer came: it may have been done, or still be."""


@contextmanager
def once_saved() -> Iterator[None]:
    """What follows a change that was saved: where the store fails in it, nobody is told that nothing was changed."""
    try:
        yield
    except StoreUnavailable as error:
        raise StoreUnsure(error.reason, error.retry_after) from error


class RoomNotFound(LookupError):
    """There is no such room; it may have been closed."""


class NotTeacher(Exception):
    """Only the room's teacher may do this."""


class NotStudent(Exception):
    """Only those who have joined the room may do this."""


class SentOut(Exception):
    """The teacher has removed the caller from the room."""


class Refused(Exception):
    """What was asked does not fit the room's state; the reason says what would."""

    def __init__(self, reason: Words, /, **parts: object) -> None:
        self.reason = said(reason, **parts)
        super().__init__(self.reason)


class Full(Refused):
    """No room for another stream: why."""


class BadQuestion(ValueError):
    """A question or an answer that cannot be: which field, what it was, what is allowed."""

    def __init__(self, field: str, value: object, allowed: Words, /, **parts: object) -> None:
        self.field, self.value, self.allowed = field, value, said(allowed, **parts)
        super().__init__(f"{field} {value!r} is not allowed, must be {self.allowed}")
