"""What can go wrong -> its status and its sentence: the table that `main` hands to `serve`."""

from dataclasses import replace
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
    Stale,
    StoreUnavailable,
    StoreUnsure,
    TooMany,
)
from app.serve.errors import Failed, Table, fault
from app.words.texts import text
from engine import SpecError
from engine.wording import Words

_NO_ROOM: Words = "There is no such room; it may have been closed. A code has 8 characters, like KX4T 9RWM."
_DOOR: Words = "There is no such room. A code has 8 letters and digits, like KX4T 9RWM; it may also be over."
_REMOVED: Words = "The teacher has removed you from this room. If that is a mistake, ask to be let in again."
_DAMAGED: Words = "This run's stored bytes were damaged and cannot be trusted. Its link starts it anew."
_ROOM_DAMAGED: Words = "This room's stored bytes were damaged and cannot be trusted. Open a new room."
_OTHER: Words = (
    "Not now: this was written by another version of the playground, which alone can read it. It is kept as it is."
)
_TEACHER: Words = "Only the room's teacher may do this: send the teacher's secret as a bearer token."
_STUDENT: Words = "Only those who have joined the room may do this: POST to its students first."
_MOVED_ON: Words = "The run has moved on to version {}: read it again, then repeat what still makes sense."
_NEW_KEY = {"field": "Idempotency-Key", "allowed": "must be a new one for each different request"}

# The types of problem: name -> status, and what it means to a program and its author.
KINDS = {
    "no-such-run": ("404", "No run has this id: it has expired, was deleted, or never was. Its link makes it anew."),
    "no-such-room": ("404", "No open room has this code; it may be over."),
    "not-teacher": ("403", "Only the room's teacher may do this: send the secret as `Authorization: Bearer ...`."),
    "not-student": ("403", "Only those who have joined the room may do this: POST to its students first."),
    "removed": ("403", "The teacher has removed the caller from the room."),
    "moved-on": (
        "409, or 412 where If-Match asked",
        "It has changed since the version that was named; `version` is the one it is at. Read it again, then decide.",
    ),
    "not-now": ("409", "What was asked does not fit the state of the room; the detail says what would."),
    "damaged": ("410", "The stored bytes are not what was written, and are not used. Nothing else is affected."),
    "key-reused": ("422", "This Idempotency-Key was used for another request. Use a new key for each request."),
    "over-limit": ("429", "A limit on how many there may be; the catalog's `limits` list them. Delete some, or wait."),
    "busy": (
        "429 or 503",
        "Too much heavy work waits already: the caller's own (429) or everybody's (503). Try again.",
    ),
    "unavailable": ("503", "The store cannot answer now; nothing was changed. Try again after Retry-After."),
    "unsure": (
        "503",
        "The store was sent a change and did not answer: it may have been done. Read again, or repeat the request with "
        "the same Idempotency-Key, by which it is done once.",
    ),
    "other-version": ("503", "This was written by another version of the playground; it is kept as it is."),
    "full": ("503", "No room for another stream now. Try again after Retry-After."),
}


def _spec(error: SpecError) -> Failed:
    """What the engine does not allow."""
    told = fault(error.field, error.value, error.allowed)
    detail = f"{told['field']}: {told['value']} is not allowed, must be {told['allowed']}"
    return Failed(422, detail, (told,), kind="invalid")


def _question(error: BadQuestion) -> Failed:
    told = fault(error.field, str(error.value), error.allowed)
    page = text("The {field} must be {allowed}.", field=text(error.field), allowed=text(error.allowed))
    return Failed(422, f"{error.field} is not allowed, must be {told['allowed']}", (told,), page=page, kind="invalid")


def _not_now(status: int, reason: str, retry_after: int, kind: str) -> Failed:
    page = text("Not now: {reason}.", reason=text(reason))
    return Failed(status, f"Not now: {reason}.", page=page, retry_after=retry_after, kind=kind)


def _too_many(error: TooMany) -> Failed:
    page = text("Over a limit: {reason}.", reason=text(error.reason))
    return Failed(429, f"Over a limit: {error.reason}.", page=page, retry_after=error.retry_after, kind="over-limit")


def _unavailable(error: StoreUnavailable) -> Failed:
    detail = f"Not now: {error.reason}. Nothing was changed; try again shortly."
    page = text("Not now: {reason}. Nothing was changed; try again shortly.", reason=text(error.reason))
    return Failed(503, detail, page=page, retry_after=error.retry_after, kind="unavailable")


def _unsure(error: StoreUnsure) -> Failed:
    detail = (
        f"Not now: {error.reason}. It is not known whether this was done: look at it again, or repeat the same request "
        "with the same Idempotency-Key, by which it is done once."
    )
    return Failed(503, detail, retry_after=error.retry_after, kind="unsure")


def _moved_on(error: Conflict) -> Failed:
    more: dict[str, Any] = {"version": error.version}
    return Failed(409, _MOVED_ON.format(error.version), more=more, kind="moved-on")


TABLE: Table = {
    SpecError: _spec,
    RunNotFound: Failed(404, "There is no such run; it may have expired or been deleted.", kind="no-such-run"),
    RunDamaged: Failed(410, _DAMAGED, kind="damaged"),
    RoomDamaged: Failed(410, _ROOM_DAMAGED, kind="damaged"),
    Damaged: Failed(410, "What was stored here was damaged and cannot be trusted.", kind="damaged"),
    OtherVersion: Failed(503, _OTHER, retry_after=60, kind="other-version"),
    Conflict: _moved_on,
    Stale: lambda error: replace(_moved_on(error), status=412),
    KeyReused: Failed(422, "This Idempotency-Key was used for another request.", (_NEW_KEY,), kind="key-reused"),
    TooMany: _too_many,
    Busy: lambda error: _not_now(error.status, error.reason, error.retry_after, "busy"),
    StoreUnavailable: _unavailable,
    StoreUnsure: _unsure,
    RoomNotFound: Failed(404, _NO_ROOM, page=_DOOR, kind="no-such-room"),
    NotTeacher: Failed(
        403, _TEACHER, page="Only the room’s teacher may do this. Open the teacher’s link.", kind="not-teacher"
    ),
    NotStudent: Failed(403, _STUDENT, page="Join the room first.", kind="not-student"),
    Removed: Failed(403, _REMOVED, kind="removed"),
    Refused: lambda error: Failed(409, f"Not now: {error}.", page=str(error), kind="not-now"),
    Full: lambda error: _not_now(503, str(error), 10, "full"),
    BadQuestion: _question,
}
