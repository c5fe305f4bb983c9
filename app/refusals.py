"""What can go wrong -> its status and its sentence: the table that `main` hands to `serve`."""

from typing import Any

from app.failures import (
    BadQuestion,
    Busy,
    Conflict,
    Damaged,
    Full,
    KeyReused,
    NotStudent,
    NotTeacher,
    OtherVersion,
    Refused,
    Removed,
    RoomDamaged,
    RoomNotFound,
    RunDamaged,
    RunNotFound,
    StoreUnavailable,
    StoreUnsure,
    TooMany,
)
from app.serve.errors import Failed, Table, fault
from engine import SpecError

_NO_ROOM = "There is no such room; it may have been closed. A code has 8 characters, like KX4T 9RWM."
_DOOR = "There is no such room. A code has 8 letters and digits, like KX4T 9RWM; it may also be over."
_REMOVED = "The teacher has removed you from this room. If that is a mistake, ask to be let in again."
_DAMAGED = "This run's stored bytes were damaged and cannot be trusted. Its link starts it anew."
_ROOM_DAMAGED = "This room's stored bytes were damaged and cannot be trusted. Open a new room."
_OTHER = "Not now: this was written by another version of the playground, which alone can read it. It is kept as it is."
_TEACHER = "Only the room's teacher may do this: send the teacher's secret as a bearer token."
_STUDENT = "Only those who have joined the room may do this: POST to its students first."
_MOVED_ON = "The run has moved on to version {}: read it again, then repeat what still makes sense."
_NEW_KEY = {"field": "Idempotency-Key", "allowed": "must be a new one for each different request"}


def _spec(error: SpecError) -> Failed:
    """What the engine does not allow."""
    told = fault(error.field, error.value, error.allowed)
    detail = f"{told['field']}: {told['value']} is not allowed, must be {told['allowed']}"
    return Failed(422, detail, (told,))


def _question(error: BadQuestion) -> Failed:
    told = fault(error.field, str(error.value), error.allowed)
    page = f"The {error.field} must be {error.allowed}."
    return Failed(422, f"{error.field} is not allowed, must be {told['allowed']}", (told,), page=page)


def _unavailable(error: StoreUnavailable) -> Failed:
    detail = f"Not now: {error.reason}. Nothing was changed; try again shortly."
    return Failed(503, detail, retry_after=error.retry_after)


def _unsure(error: StoreUnsure) -> Failed:
    detail = (
        f"Not now: {error.reason}. It is not known whether this was done: look at it again, or repeat the same request "
        "with the same Idempotency-Key, by which it is done once."
    )
    return Failed(503, detail, retry_after=error.retry_after)


def _moved_on(error: Conflict) -> Failed:
    more: dict[str, Any] = {"version": error.version}
    return Failed(409, _MOVED_ON.format(error.version), more=more)


TABLE: Table = {
    SpecError: _spec,
    RunNotFound: Failed(404, "There is no such run; it may have expired or been deleted."),
    RunDamaged: Failed(410, _DAMAGED),
    RoomDamaged: Failed(410, _ROOM_DAMAGED),
    Damaged: Failed(410, "What was stored here was damaged and cannot be trusted."),
    OtherVersion: Failed(503, _OTHER, retry_after=60),
    Conflict: _moved_on,
    KeyReused: Failed(422, "This Idempotency-Key was used for another request.", (_NEW_KEY,)),
    TooMany: lambda error: Failed(429, f"Over a limit: {error.reason}.", retry_after=error.retry_after),
    Busy: lambda error: Failed(error.status, f"Not now: {error.reason}.", retry_after=error.retry_after),
    StoreUnavailable: _unavailable,
    StoreUnsure: _unsure,
    RoomNotFound: Failed(404, _NO_ROOM, page=_DOOR),
    NotTeacher: Failed(403, _TEACHER, page="Only the room’s teacher may do this. Open the teacher’s link."),
    NotStudent: Failed(403, _STUDENT, page="Join the room first."),
    Removed: Failed(403, _REMOVED),
    Refused: lambda error: Failed(409, f"Not now: {error}.", page=str(error)),
    Full: lambda error: Failed(503, f"Not now: {error}.", retry_after=10),
    BadQuestion: _question,
}
