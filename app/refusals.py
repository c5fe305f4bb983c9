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
    RoomDamaged,
    RoomNotFound,
    RunDamaged,
    RunNotFound,
    SentOut,
    Stale,
    StoreUnavailable,
    StoreUnsure,
    TooMany,
)
from app.page.refused import refused
from app.serve.errors import Failed, Table, fault
from app.words.texts import text
from engine import SpecError
from engine.wording import Words, said

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
_MOVED_ON: Words = "The run has moved on to version {version}: read it again, then repeat what still makes sense."
_UNSURE: Words = (
    "Not now: {reason}. It is not known whether this was done: look at it again, or repeat the same request with the "
    "same Idempotency-Key, by which it is done once."
)
_UNAVAILABLE: Words = "Not now: {reason}. Nothing was changed; try again shortly."
_TOO_MANY: Words = "Over a limit: {reason}."
_NOT_NOW: Words = "Not now: {reason}."
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
    return Failed(422, detail, errors=(told,), page=refused(error).notice, kind="invalid")


def _question(error: BadQuestion) -> Failed:
    told = fault(error.field, str(error.value), error.allowed)
    page = text("The {field} must be {allowed}.", field=text(error.field), allowed=text(error.allowed))
    detail = f"{error.field} is not allowed, must be {told['allowed']}"
    return Failed(422, detail, errors=(told,), page=page, kind="invalid")


def _said(status: int, message: Words, kind: str, retry_after: int | None = None, **parts: object) -> Failed:
    """A message with its parts: as it is to programs, and in their words to people."""
    detail = said(message, **parts)
    return Failed(status, detail, page=text(detail), retry_after=retry_after, kind=kind)


def _moved_on(error: Conflict) -> Failed:
    return replace(_said(409, _MOVED_ON, "moved-on", version=error.version), more={"version": error.version})


def _told(status: int, detail: Words, page: Words = "", **more: Any) -> Failed:
    """What is always said in the same words."""
    return Failed(status, detail, page=page, **more)


TABLE: Table = {
    SpecError: _spec,
    RunNotFound: _told(404, "There is no such run; it may have expired or been deleted.", kind="no-such-run"),
    RunDamaged: _told(410, _DAMAGED, kind="damaged"),
    RoomDamaged: _told(410, _ROOM_DAMAGED, kind="damaged"),
    Damaged: _told(410, "What was stored here was damaged and cannot be trusted.", kind="damaged"),
    OtherVersion: _told(503, _OTHER, retry_after=60, kind="other-version"),
    Conflict: _moved_on,
    Stale: lambda error: replace(_moved_on(error), status=412),
    KeyReused: _told(422, "This Idempotency-Key was used for another request.", errors=(_NEW_KEY,), kind="key-reused"),
    TooMany: lambda error: _said(429, _TOO_MANY, "over-limit", error.retry_after, reason=error.reason),
    Busy: lambda error: _said(error.status, _NOT_NOW, "busy", error.retry_after, reason=error.reason),
    StoreUnavailable: lambda error: _said(503, _UNAVAILABLE, "unavailable", error.retry_after, reason=error.reason),
    StoreUnsure: lambda error: _said(503, _UNSURE, "unsure", error.retry_after, reason=error.reason),
    RoomNotFound: _told(404, _NO_ROOM, _DOOR, kind="no-such-room"),
    NotTeacher: _told(
        403, _TEACHER, "Only the room’s teacher may do this. Open the teacher’s link.", kind="not-teacher"
    ),
    NotStudent: _told(403, _STUDENT, "Join the room first.", kind="not-student"),
    SentOut: _told(403, _REMOVED, kind="removed"),
    Refused: lambda error: Failed(409, f"Not now: {error}.", page=text(error.reason), kind="not-now"),
    Full: lambda error: _said(503, _NOT_NOW, "full", 10, reason=error.reason),
    BadQuestion: _question,
}
