"""What a room's screens are told: one plain value an audience, and the picture that they all see.

Before a question is closed nobody is told how it is answered, before the reveal nobody but the teacher what is true;
the run's own id, with which anybody could step it, is told to the teacher alone.
"""

from typing import Any

from markupsafe import Markup

from app.failures import RunDamaged, RunNotFound
from app.room import asking, polls
from app.room.broadcast import REMOVED, Screen
from app.room.classroom import Classroom
from app.room.graphs import is_graph
from app.room.panels import panel_of
from app.room.picture import LOST, picture_of
from app.room.polls import OPEN, REVEALED, Bar
from app.room.rooms import Poll, Room, Shared, spaced
from app.room.teaching import Teaching
from engine import SpecError

STUDENT, WALL, TEACHER = "student", "wall", "teacher"


class Screens:
    """The states of rooms as a `Hub` asks for them."""

    def __init__(self, classroom: Classroom, teaching: Teaching) -> None:
        self.classroom, self.teaching = classroom, teaching

    async def version(self, code: str) -> int | None:
        """The version of a room, cheaply."""
        return await self.classroom.version(code)

    async def screen(self, code: str, here: int) -> Screen | None:
        """The room's present state for every audience."""
        if await self.classroom.version(code) is None:
            return None
        room = await self.classroom.get(code)

        def tell(audience: str) -> dict[str, Any]:
            if audience == REMOVED:
                return {"removed": True, "panel": ""}
            state = told(room, audience, here)
            return state | {"panel": panel_of(state, audience, room.code)}

        return Screen(room.version, tell, room.on_screen, frozenset(room.removed))

    async def picture(self, screen: Screen, size: str) -> str:
        """The markup of what is shown, for screens of one size."""
        shared = screen.picture
        assert isinstance(shared, Shared)
        try:
            return await picture_of(self.teaching, shared, size)
        except (RunNotFound, RunDamaged, SpecError):
            return LOST

    async def count(self, code: str, own: int) -> int:
        """How many students watch."""
        return await self.classroom.count(code, own)


def panel(room: Room, audience: str, here: int = 0, student: str = "", copy: int | None = None) -> Markup:
    """The panel of an audience; for one `student`, with the answer given so far and the step of the copy taken."""
    mine = room.poll.answers.get(student, "") if room.poll else ""
    return panel_of(told(room, audience, here) | {"own_step": copy}, audience, room.code, mine)


def told(room: Room, audience: str, here: int = 0) -> dict[str, Any]:
    """What one audience is told of a room."""
    handed = room.hand_in
    state: dict[str, Any] = {
        "code": spaced(room.code),
        "pace": room.pace,
        "paused": room.paused,
        "question": question(room.poll, audience) if room.poll else None,
        "lesson": None if is_graph(room.shared.lesson) else room.shared.lesson or None,
        "graph": room.shared.lesson if is_graph(room.shared.lesson) else None,
        "shown": {"number": handed.number, "nickname": nickname(room, handed.student, handed.named)}
        if handed
        else None,
    }
    if audience != STUDENT:
        state |= {"here": here, "joined": len(room.students)}
    if audience == TEACHER:
        shared = room.shared
        state["shared"] = {"run": shared.run, "step": shared.step, "view": shared.view, "lesson": shared.lesson}
        state["hand_ins"] = [
            {
                "number": each.number,
                "student": room.students[each.student].number,
                "step": each.step,
                "nickname": nickname(room, each.student, True),
                "named": each.named,
            }
            for each in room.hand_ins
        ]
    return state


def students(room: Room) -> dict[str, Any]:
    """Who is in a room and who was removed, as its teacher is told it. What somebody has answered is not told while the
    question is open, for the teacher's screen may be the one on the wall."""
    poll = room.poll
    told = [
        {
            "number": each.number,
            "nickname": each.nickname or None,
            "answered": poll is not None and student in poll.answers,
            "answer": poll.question.label(poll.answers[student])
            if poll and poll.status != OPEN and student in poll.answers
            else None,
        }
        for student, each in room.students.items()
    ]
    removed = [{"number": each.number, "nickname": each.nickname or None} for each in room.removed.values()]
    return {name: sorted(each, key=_number) for name, each in (("students", told), ("removed", removed))}


def _number(told: dict[str, Any]) -> int:
    number: int = told["number"]
    return number


def nickname(room: Room, student: str, named: bool) -> str | None:
    """A student's nickname, if there is one and it may be told."""
    known = room.students.get(student)
    return known.nickname or None if known and named else None


def question(poll: Poll, audience: str) -> dict[str, Any]:
    """A question as one audience is told it."""
    asked, revealed = poll.question, poll.status == REVEALED
    told: dict[str, Any] = {
        "number": asked.number,
        "kind": asked.kind,
        "prompt": asked.prompt,
        "given": asked.given,
        "status": poll.status,
        "answer": "choice" if asked.options else "number",
        "address": asked.address or None,
        "step": asked.step if asked.kind in asking.KINDS else None,
        "example": asked.example,
        "options": [{"value": option, "label": asked.label(option)} for option in asked.options],
        "bars": None,
        "truth": None,
        "sentence": None,
    }
    if audience != STUDENT:
        told["answered"] = len(poll.answers)
    if revealed or audience == TEACHER or (audience == WALL and poll.status != OPEN):
        told["bars"] = bars(polls.distribution(asked, poll.answers, revealed or audience == TEACHER))
    if (revealed or audience == TEACHER) and asked.truth is not None:
        told |= {"truth": asked.truth, "truth_label": asked.label(asked.truth), "sentence": asked.sentence}
    return told


def bars(found: tuple[Bar, ...]) -> list[dict[str, Any]]:
    """A distribution with each bar's length in hundredths of the longest."""
    most = max((bar.count for bar in found), default=0) or 1
    return [
        {
            "answer": bar.answer,
            "label": bar.label,
            "count": bar.count,
            "true": bar.true,
            "length": round(100 * bar.count / most),
        }
        for bar in found
    ]
