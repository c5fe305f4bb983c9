"""A class as a value: a frozen Room, and pure functions from a room and what happens to the room after it.

Nothing here asks a store, a clock or the web. `stamp` is the store's: every saved room has the next one.
"""

from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from hashlib import sha256
from hmac import compare_digest
from secrets import choice, token_urlsafe
from typing import Any, TypeVar

import orjson

from app.failures import Damaged, Refused, RoomDamaged
from app.room.names import clean
from app.room.polls import CLOSED, OPEN, REVEALED, ClassQuestion, canonical
from app.stores import NEW, Stamp
from app.stores.seal import seal, unseal

T = TypeVar("T")
ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"  # 31 characters; no 0 O, 1 I L
CODE_LENGTH = 8
FOLLOW, EXPLORE = "follow", "explore"
MESSAGE_LENGTH = 200
_FORM = b"ROM1"
LONGEST_VIEW, LONGEST_LESSON = 2_000, 8_000


@dataclass(frozen=True)
class Shared:
    """What every screen shows: a run at a step through a view (its query string), or else a page by its address: a
    lesson's screen, or a graph."""

    run: str
    step: int
    view: str = ""
    lesson: str = ""


@dataclass(frozen=True)
class Student:
    """One of the class, by a number of the room's own; a nickname only if one was given; the run taken as a copy."""

    number: int
    nickname: str = ""
    copy: str = ""


@dataclass(frozen=True)
class HandIn:
    """A student's copy handed in: a run at a step through a view. `named`: the nickname may stand on the wall."""

    number: int
    student: str
    run: str
    step: int
    view: str = ""
    named: bool = False


@dataclass(frozen=True)
class Poll:
    """A question, whether it is open, closed or revealed, the answers by student, and the lesson's screen that it took
    the place of, if any."""

    question: ClassQuestion
    status: str = OPEN
    answers: Mapping[str, str] = field(default_factory=dict)
    covers: str = ""


@dataclass(frozen=True)
class Room:
    """A class at one moment. `teacher` is the SHA-256 of the secret; students are known by a hash each.

    `past` are questions that are over and not yet stored apart: they would only make every answer slower. `removed`
    are students whom the teacher has sent out: they keep their numbers, so that none is given twice.
    """

    code: str
    teacher: str
    shared: Shared
    stamp: Stamp = NEW
    pace: str = FOLLOW
    paused: str | None = None
    asked: int = 0
    poll: Poll | None = None
    past: tuple[Poll, ...] = ()
    students: Mapping[str, Student] = field(default_factory=dict)
    removed: Mapping[str, Student] = field(default_factory=dict)
    handed: int = 0
    hand_ins: tuple[HandIn, ...] = ()
    shown: int | None = None

    @property
    def version(self) -> int:
        """Counts the changes."""
        return self.stamp.version

    @property
    def hand_in(self) -> HandIn | None:
        """The hand-in that stands on the wall."""
        return next((h for h in self.hand_ins if h.number == self.shown), None)

    @property
    def on_screen(self) -> Shared:
        """What the screens show: the hand-in on the wall, else what the teacher shares."""
        return Shared(shown.run, shown.step, shown.view) if (shown := self.hand_in) else self.shared


# Names and secrets


def new_code() -> str:
    """A code that nobody can foresee."""
    return "".join(choice(ALPHABET) for _ in range(CODE_LENGTH))


def new_secret() -> str:
    """256 bits that make a teacher."""
    return token_urlsafe(32)


def secret_of(asked: str) -> str:
    """The secret of a room that a request with a key opens: the same when it comes again."""
    return urlsafe_b64encode(sha256(asked.encode()).digest()).decode().rstrip("=")


def code_under(secret: str) -> str:
    """The code that goes with such a secret, and tells nothing of it."""
    digest = sha256(f"code of {secret}".encode()).digest()
    return "".join(ALPHABET[byte % len(ALPHABET)] for byte in digest[:CODE_LENGTH])


def code_of(typed: str) -> str | None:
    """The code that somebody typed, in any case, with or without blanks and dashes; None if it cannot be one."""
    if len(typed) > 4 * CODE_LENGTH:
        return None
    code = "".join(c for c in typed.upper() if c not in " -\u00a0\u2009")
    return code if len(code) == CODE_LENGTH and all(c in ALPHABET for c in code) else None


def spaced(code: str) -> str:
    """KX4T 9RWM."""
    return f"{code[: CODE_LENGTH // 2]} {code[CODE_LENGTH // 2 :]}"


def hashed(secret: str) -> str:
    """What is kept of a secret."""
    return sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def is_teacher(room: Room, secret: str | None) -> bool:
    """Whether a secret is this room's."""
    return is_secret(secret, room.teacher)


def is_secret(secret: str | None, kept: str) -> bool:
    """Whether a secret is the one of which this is kept, in a time that tells nothing."""
    return compare_digest(hashed(secret or ""), kept)


def student_id(code: str, visitor: str) -> str:
    """Who a visitor is in one room: the same each time, and nobody in another room."""
    return sha256(f"{code}:{visitor}".encode()).hexdigest()[:24]


# What happens in a room: each function gives the room afterwards, and the same room if nothing changes


def join(room: Room, student: str, nickname: str = "", most: int = 400) -> Room:
    """A student comes, or takes another nickname; Refused if the room is full or the student was removed."""
    if student in room.removed:
        raise Refused("the teacher has removed you from this room")
    known, came = room.students.get(student), len(room.students) + len(room.removed)
    if known is None and came >= most:
        raise Refused("the room is full: {most} students", most=most)
    number = known.number if known else came + 1
    now = Student(number, clean(nickname), known.copy if known else "")
    return room if now == known else replace(room, students={**room.students, student: now})


def remove(room: Room, number: int) -> Room:
    """A student is sent out; the answer to the question on screen and what was handed in go too. Refused if there is
    none of this number."""
    student, known = _numbered(room.students, number)
    hand_ins = tuple(h for h in room.hand_ins if h.student != student)
    poll = room.poll and replace(room.poll, answers=_without(room.poll.answers, student))
    return replace(
        room,
        students=_without(room.students, student),
        removed={**room.removed, student: known},
        poll=poll,
        hand_ins=hand_ins,
        shown=room.shown if any(h.number == room.shown for h in hand_ins) else None,
    )


def readmit(room: Room, number: int) -> Room:
    """One who was sent out may come in again, under the same number; Refused if there is none."""
    student, known = _numbered(room.removed, number)
    return replace(room, removed=_without(room.removed, student), students={**room.students, student: known})


def _numbered(students: Mapping[str, Student], number: int) -> tuple[str, Student]:
    for student, known in students.items():
        if known.number == number:
            return student, known
    raise Refused("there is no student {number} here", number=number)


def _without(told: Mapping[str, T], key: str) -> dict[str, T]:
    return {name: value for name, value in told.items() if name != key}


def take_copy(room: Room, student: str, run: str) -> Room:
    """A student has a copy, in place of an earlier one."""
    if student not in room.students:
        raise Refused("join the room first")
    known = room.students[student]
    return replace(room, students={**room.students, student: replace(known, copy=run)})


def share(room: Room, shared: Shared) -> Room:
    """The teacher shows something; what was handed in leaves the wall."""
    if len(shared.view) > LONGEST_VIEW or len(shared.lesson) > LONGEST_LESSON:
        raise Refused("the view is too long to be shared")
    return room if (room.shared, room.shown) == (shared, None) else replace(room, shared=shared, shown=None)


def set_pace(room: Room, pace: str) -> Room:
    """Students follow, or explore on a copy."""
    return room if room.pace == pace else replace(room, pace=pace)


def pause(room: Room, message: str | None) -> Room:
    """All screens show a message instead; None goes on."""
    return replace(room, paused=None if message is None else clean(message, MESSAGE_LENGTH) or "A short pause.")


def ask(room: Room, question: ClassQuestion, most: int = 100, shared: Shared | None = None) -> Room:
    """A new question, perhaps with what is shown to it; the one before it is over. Refused after `most` of them."""
    if room.asked >= most:
        raise Refused("a room has at most {most} questions; open a new one", most=most)
    past = (*room.past, room.poll) if room.poll else room.past
    covers = room.poll.covers if room.poll else ""
    if shared is not None:
        covers, room = room.shared.lesson or covers, share(room, shared)
    asked = room.asked + 1
    return replace(room, asked=asked, poll=Poll(replace(question, number=asked), covers=covers), past=past)


def answer(room: Room, student: str, number: int, given: object) -> Room:
    """A student's one answer, which may change until the question is closed; BadQuestion if it is none."""
    poll = _poll(room, number)
    if student not in room.students:
        raise Refused("join the room first")
    if poll.status != OPEN:
        raise Refused("this question is closed")
    told = canonical(poll.question, given)
    if poll.answers.get(student) == told:
        return room
    return replace(room, poll=replace(poll, answers={**poll.answers, student: told}))


def close(room: Room, number: int) -> Room:
    """No more answers; the distribution may be shown."""
    poll = _poll(room, number)
    return room if poll.status != OPEN else replace(room, poll=replace(poll, status=CLOSED))


def reveal(room: Room, number: int) -> Room:
    """The truth may be told."""
    poll = _poll(room, number)
    return room if poll.status == REVEALED else replace(room, poll=replace(poll, status=REVEALED))


def dismiss(room: Room) -> Room:
    """The question leaves the screens, and the lesson comes back that it covered; its answers stay in the table."""
    if room.poll is None:
        return room
    shared = room.shared if room.shared.lesson else replace(room.shared, lesson=room.poll.covers)
    return replace(room, poll=None, past=(*room.past, room.poll), shared=shared)


def hand_in(
    room: Room, student: str, run: str, step: int, view: str = "", named: bool = False, most: int = 400
) -> Room:
    """A student hands in a copy, in place of an earlier one."""
    if student not in room.students:
        raise Refused("join the room first")
    if len(view) > LONGEST_VIEW:
        raise Refused("the view is too long to be handed in")
    others = tuple(h for h in room.hand_ins if h.student != student)
    if len(others) >= most:
        raise Refused("at most {most} copies can be handed in", most=most)
    named = named and bool(room.students[student].nickname)
    new = HandIn(room.handed + 1, student, run, step, view, named)
    shown = room.shown if any(h.number == room.shown for h in others) else None
    return replace(room, handed=new.number, hand_ins=(*others, new), shown=shown)


def show(room: Room, number: int | None) -> Room:
    """One of the hand-ins goes on the wall; None takes it off."""
    if number is not None and all(h.number != number for h in room.hand_ins):
        raise Refused("there is no hand-in {number}", number=number)
    return replace(room, shown=number)


def _poll(room: Room, number: int) -> Poll:
    if room.poll is None or room.poll.question.number != number:
        raise Refused("question {number} is not the one being asked", number=number)
    return room.poll


# As bytes


def pack(room: Room) -> bytes:
    """The room as it is stored, without the polls that are over; the stamp is the store's own."""
    plain = {each.name: getattr(room, each.name) for each in fields(room)}
    return seal(_FORM, orjson.dumps(plain | {"stamp": None, "past": ()}))


def pack_poll(poll: Poll) -> bytes:
    """A poll that is over, as it is stored beside the room."""
    return seal(_FORM, orjson.dumps(poll))


def unpack_poll(value: bytes) -> Poll:
    """The poll of these bytes; RoomDamaged or OtherVersion if they are none."""
    return _sound(value, _poll_from)


def unpack(value: bytes, stamp: Stamp) -> Room:
    """The room of these bytes; RoomDamaged or OtherVersion if they are none."""
    return _sound(value, lambda plain: _room_from(plain, stamp))


def _sound(value: bytes, read: Callable[[dict[str, Any]], T]) -> T:
    try:
        # Version 0.1.0 wrote no form and no checksum, but JSON as it is.
        body = value if value.startswith(b"{") else unseal(value, (_FORM,))[1]
        return read(orjson.loads(body))
    except (Damaged, ValueError, LookupError, TypeError, AttributeError) as error:
        raise RoomDamaged(str(error)) from error


def _room_from(plain: dict[str, Any], stamp: Stamp) -> Room:
    named = {name: value for name, value in plain.items() if name != "version"}  # 0.1.0 had it here, too
    return Room(
        **{
            **named,
            "stamp": stamp,
            "shared": Shared(**plain["shared"]),
            "poll": _poll_from(plain["poll"]) if plain["poll"] else None,
            "past": (),
            "students": {key: Student(**student) for key, student in plain["students"].items()},
            "removed": {key: Student(**student) for key, student in plain.get("removed", {}).items()},
            "hand_ins": tuple(HandIn(**handed) for handed in plain["hand_ins"]),
        }
    )


def _poll_from(plain: dict[str, Any]) -> Poll:
    question = {
        **plain["question"],
        "options": tuple(plain["question"]["options"]),
        "labels": tuple(plain["question"]["labels"]),
    }
    return Poll(ClassQuestion(**question), plain["status"], plain["answers"], plain.get("covers", ""))
