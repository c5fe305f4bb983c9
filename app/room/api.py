"""JSON under /api/v1/rooms: everything a script needs to run a class, as its teacher or as one of its students."""

import csv
from collections.abc import Sequence
from contextlib import suppress
from io import StringIO
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, FastAPI, Query, Request, Response
from starlette.datastructures import State

from app.draw.diagram import SIZES
from app.failures import NotStudent, NotTeacher, RoomNotFound, StoreUnavailable
from app.page.links import Link, View
from app.room import polls, rooms, schemas, screens
from app.room.broadcast import Follower, Hub, Stream
from app.room.classroom import Caller, Classroom, Entry
from app.room.names import cell
from app.room.picture import page_of
from app.room.rooms import Poll, Room
from app.room.screens import Screens
from app.room.teaching import Teaching
from app.run.answers import json, of_run
from app.run.api import answers_with
from app.run.keyed import ONCE, Key, KeyedRoute
from app.run.paging import LINK, Before, Limit, linked, page
from app.run.schemas import given
from app.serve import cookies
from app.serve.cookies import visitor_of
from app.serve.html import takes_gzip
from app.serve.limits import network
from app.serve.root import at
from app.settings import Settings
from engine import Spec

COOKIE = "teacher_"


def install(app: FastAPI) -> None:
    """Give an app its rooms: `classroom`, `teaching` and `hub` of its state."""
    settings: Settings = app.state.settings
    classroom = Classroom(app.state.store, settings)
    teaching = Teaching(classroom, app.state.runs)
    hub = Hub(Screens(classroom, teaching), settings)
    classroom.changed = hub.poke
    app.state.classroom, app.state.teaching, app.state.hub = classroom, teaching, hub


async def say_goodbye(app: FastAPI) -> None:
    """End every stream as soon as the server is told to stop: it never leaves while one is open."""
    await app.state.stopping.wait()
    app.state.hub.stop()
    with suppress(StoreUnavailable):
        await app.state.classroom.leave()


def counted(state: State) -> dict[str, float]:
    """What is counted of classes, for the metrics."""
    hub: Hub = state.hub
    return {
        "streams": hub.streams,
        "stream_packets_total": hub.sent["packets"],
        "streams_cut_total": hub.sent["cut"],
    }


router = APIRouter(prefix="/api/v1/rooms", tags=["rooms"], route_class=KeyedRoute, default_response_class=Response)


# Who asks


async def classroom_of(request: Request) -> Classroom:
    """The app's rooms. A dependency."""
    found: Classroom = request.app.state.classroom
    return found


async def teaching_of(request: Request) -> Teaching:
    """Rooms and runs together. A dependency."""
    found: Teaching = request.app.state.teaching
    return found


async def caller(request: Request) -> Caller:
    """Who asks: the visitor, and the teacher's secret as a bearer token or in the room's own cookie. A dependency."""
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    secret = token.strip() if kind.lower() == "bearer" else None
    if secret is None:
        code = rooms.code_of(request.path_params.get("code", ""))
        secret = (cookies.read(request, COOKIE + code) or None) if code else None
    return Caller(visitor_of(request), secret, network(request.client.host) if request.client else "")


Who = Annotated[Caller, Depends(caller)]
Rooms = Annotated[Classroom, Depends(classroom_of)]
Taught = Annotated[Teaching, Depends(teaching_of)]


async def entry(code: str, who: Who, classroom: Rooms) -> Entry:
    """The room of the address for anybody who knows its code. A dependency."""
    return await classroom.enter(code, who)


async def taught(code: str, who: Who, classroom: Rooms) -> Room:
    """The room of the address for its teacher. A dependency."""
    return await classroom.teach(code, who)


async def attended(code: str, who: Who, classroom: Rooms) -> Entry:
    """The room of the address for one who has joined it. A dependency."""
    found = await classroom.enter(code, who)
    if not found.joined:
        raise NotStudent
    return found


async def kept(code: str, who: Who, classroom: Rooms) -> Room:
    """The room of the address for its teacher, also if it was closed of late. A dependency."""
    try:
        return await classroom.teach(code, who)
    except RoomNotFound:
        return await classroom.teach_ended(code, who)


Kept = Annotated[Room, Depends(kept)]
Entered = Annotated[Entry, Depends(entry)]
Own = Annotated[Room, Depends(taught)]
Attended = Annotated[Entry, Depends(attended)]


# Routes


Audience = Literal["student", "wall", "teacher"]
Size = Literal["", "s", "m", "l"]
TOLD = answers_with(schemas.RoomAnswer)


def state_of(room: Room, audience: str = screens.TEACHER) -> dict[str, Any]:
    """A room as an audience is told it, with its version."""
    return {"version": room.version, **screens.told(room, audience)}


@router.post("", status_code=201, responses=answers_with(schemas.OpenedAnswer, 201))
async def open_room(who: Who, teaching: Taught, body: schemas.NewRoom | None = None, key: Key = None) -> Response:
    """A new room. The secret in the answer makes a teacher: it is told here alone."""
    body = body or schemas.NewRoom.model_validate({})
    room, secret = await new_room(teaching, who, body.run, given(body.spec), body.view, key)
    told = {"code": room.code, "teacher": secret, "url": at(f"/class/{room.code}"), **state_of(room)}
    return json(told, 201, {"location": at(f"/api/v1/rooms/{room.code}")})


async def new_room(
    teaching: Teaching, who: Caller, run_id: str | None, spec: dict[str, Any], view: str, key: str | None = None
) -> tuple[Room, str]:
    """A new room that shows a run, or a new one of a spec."""
    if run_id is None:
        limits = teaching.classroom.settings.engine_limits
        run_id = (await teaching.runs.create(who.visitor, Spec.make(spec, limits), key=key)).id
    asked = f"{key} {run_id} {view}" if key else ""
    return await teaching.classroom.create(who, await teaching.shared(run_id, None, view), asked)


@router.get("/{code}", responses=answers_with(schemas.RoomAnswer | schemas.RoomToStudent))
async def read_room(found: Entered) -> Response:
    """The room as the caller is told it: its teacher more than its students."""
    return json(state_of(found.room, screens.TEACHER if found.teacher else screens.STUDENT))


@router.delete("/{code}", status_code=204, dependencies=ONCE)
async def close_room(room: Kept, classroom: Rooms) -> Response:
    """Close the room: its teacher can read and reopen it for 15 minutes, then nothing of it is kept. Closed again, it
    is gone at once."""
    if await classroom.version(room.code) is None:
        await classroom.forget(room.code)
    else:
        await classroom.close(room.code)
    return Response(status_code=204)


@router.post("/{code}/reopening", responses=TOLD, dependencies=ONCE)
async def reopen(code: str, who: Who, classroom: Rooms) -> Response:
    """A room that was closed within the last 15 minutes, as it was: for its teacher."""
    return json(state_of(await classroom.reopen(await classroom.teach_ended(code, who), who)))


@router.post("/{code}/renewal", status_code=201, responses=answers_with(schemas.RenewedAnswer, 201))
async def renew(code: str, who: Who, classroom: Rooms, key: Key = None) -> Response:
    """The same class under a new code, without its students, questions and hand-ins; the old code ends. The teacher's
    secret stays the same, and opens the old room's answers for 15 minutes."""
    try:
        fresh = await classroom.renew(await classroom.teach(code, who), who)
    except RoomNotFound:
        _, moved = await classroom.moved(rooms.code_of(code) or "", who.secret)
        if key is None or moved is None:
            raise
        fresh = await classroom.get(moved)  # the same request has renewed it before
    told = {"code": fresh.code, "url": at(f"/class/{fresh.code}"), **state_of(fresh)}
    return json(told, 201, {"location": at(f"/api/v1/rooms/{fresh.code}")})


@router.post("/{code}/students", responses=answers_with(schemas.JoinedAnswer), dependencies=ONCE)
async def join(found: Entered, classroom: Rooms, body: schemas.Joined | None = None) -> Response:
    """Become one of the class, by the visitor's cookie; again, to take another nickname."""
    most = classroom.settings.students_per_room
    name = body.nickname if body else ""
    room = await classroom.change(found.room.code, lambda now: rooms.join(now, found.student, name, most))
    student = room.students[found.student]
    return json({"number": student.number, "nickname": student.nickname or None, **state_of(room, screens.STUDENT)})


@router.get("/{code}/students", responses=answers_with(schemas.StudentsAnswer, headers=LINK))
async def students(room: Own, limit: Limit = None, before: Before = None) -> Response:
    """Who has joined, and who was removed, by number; a page of those who joined with `limit`."""
    told = screens.students(room)
    shown, last = page(told["students"], limit, before, lambda each: str(each["number"]))
    answer = json({"version": room.version, **told, "students": shown})
    return linked(answer, f"/api/v1/rooms/{room.code}/students", limit, last)


@router.delete("/{code}/students/{number}", responses=TOLD, dependencies=ONCE)
async def remove(room: Own, number: int, classroom: Rooms) -> Response:
    """Remove a student: their answer leaves the question on screen, their answers the table, their copy the wall, and
    their browser's cookie does not come in again. Who clears the cookie does: a new code is the thorough way."""
    return json(state_of(await classroom.change(room.code, lambda now: rooms.remove(now, number))))


@router.put("/{code}/students/{number}", responses=TOLD, dependencies=ONCE)
async def readmit(room: Own, number: int, classroom: Rooms) -> Response:
    """Let a student in again who was removed."""
    return json(state_of(await classroom.change(room.code, lambda now: rooms.readmit(now, number))))


@router.put("/{code}/shared", responses=TOLD, dependencies=ONCE)
async def share(room: Own, teaching: Taught, body: schemas.SharedBody) -> Response:
    """Show a run at a step through a view, or a screen of a lesson, on every screen."""
    if body.lesson:
        shared = await page_of(teaching, room.shared, body.lesson)
    else:
        view = room.shared.view if body.view is None else body.view
        shared = await teaching.shared(body.run or room.shared.run, body.step, view)
    return json(state_of(await teaching.share(room.code, shared)))


@router.post("/{code}/step", responses=answers_with(schemas.SteppedAnswer))
async def step(room: Own, teaching: Taught, body: schemas.StepsBody | None = None, key: Key = None) -> Response:
    """Step the shared run on from what is shown, on every screen."""
    room, run, steps = await teaching.step(room.code, body.count if body else 1, key)
    return json({**state_of(room), "run": of_run(run, steps.earlier), "done": steps.done, "truncated": steps.truncated})


@router.post("/{code}/reset", responses=TOLD)
async def reset(room: Own, teaching: Taught, key: Key = None) -> Response:
    """The shared run at its start again, on every screen."""
    return json(state_of(await teaching.reset(room.code, key)))


@router.put("/{code}/pace", responses=TOLD, dependencies=ONCE)
async def pace(room: Own, classroom: Rooms, body: schemas.PaceBody) -> Response:
    """Let the class follow, explore, or pause with a message."""

    def how(now: Room) -> Room:
        if body.pace:
            now = rooms.set_pace(now, body.pace)
        if body.paused is not None or body.go_on:
            now = rooms.pause(now, None if body.go_on else body.paused)
        return now

    return json(state_of(await classroom.change(room.code, how)))


@router.post("/{code}/questions", status_code=201, responses=answers_with(schemas.RoomAnswer, 201))
async def ask(room: Own, teaching: Taught, body: schemas.QuestionBody, key: Key = None) -> Response:
    """Ask the class a question; the one before it is over."""
    once = (key, body.model_dump_json()) if key else None
    if body.kind == polls.OWN:
        asked = await teaching.ask_own(room.code, body.prompt, body.options, body.truth, once)
    else:
        asked = await teaching.ask(room.code, body.kind, body.address, once)
    return json(state_of(asked), 201)


@router.put("/{code}/questions/{number}/answer", responses=answers_with(schemas.AnswerAnswer), dependencies=ONCE)
async def answer(found: Attended, number: int, classroom: Rooms, body: schemas.AnswerBody) -> Response:
    """A student's answer; it may be changed until the question is closed."""
    room = await classroom.change(found.room.code, lambda now: rooms.answer(now, found.student, number, body.answer))
    assert room.poll is not None
    return json({"version": room.version, "number": number, "answer": room.poll.answers[found.student]})


@router.post("/{code}/questions/{number}/close", responses=TOLD, dependencies=ONCE)
async def close_question(room: Own, number: int, classroom: Rooms) -> Response:
    """Take no more answers: the wall shows how they are distributed."""
    return json(state_of(await classroom.change(room.code, lambda now: rooms.close(now, number))))


@router.post("/{code}/questions/{number}/reveal", responses=TOLD, dependencies=ONCE)
async def reveal(room: Own, number: int, teaching: Taught) -> Response:
    """Take the step, and tell the truth beside the distribution."""
    return json(state_of(await teaching.reveal(room.code, number)))


@router.delete("/{code}/questions/{number}", responses=TOLD, dependencies=ONCE)
async def dismiss(room: Own, number: int, teaching: Taught) -> Response:
    """Take the question off the screens; its answers stay in the table."""
    return json(state_of(await teaching.dismiss(room.code, number)))


@router.get("/{code}/answers", responses=answers_with(schemas.AnswersAnswer, headers=LINK))
async def answers(
    room: Kept,
    classroom: Rooms,
    format: Literal["json", "csv"] = "json",
    limit: Limit = None,
    before: Before = None,
) -> Response:
    """Every answer to every question so far, as JSON or as a table; for 15 minutes after the room is closed, too. With
    `limit` a page of them; an answer's name in the list is its question and student, such as 2.17."""
    rows, last = page(
        answer_rows(room, await classroom.polls(room.code)), limit, before, "{0[question]}.{0[student]}".format
    )
    if format == "csv":
        answer = table(rows, f"answers-{room.code}.csv")
    else:
        answer = json({"version": room.version, "answers": rows})
    more = f"&format={format}" if format != "json" else ""
    return linked(answer, f"/api/v1/rooms/{room.code}/answers", limit, last, more)


def answer_rows(room: Room, asked: list[Poll]) -> list[dict[str, Any]]:
    """One row an answer, by question and student; those who were removed have none."""
    rows = [
        {
            "question": poll.question.number,
            "kind": poll.question.kind,
            "prompt": poll.question.prompt,
            "step": poll.question.step,
            "address": poll.question.address,
            "student": room.students[student].number,
            "nickname": room.students[student].nickname,
            "answer": given,
            "label": poll.question.label(given),
            "truth": poll.question.truth,
            "right": polls.is_right(poll.question, given),
        }
        for poll in asked
        for student, given in poll.answers.items()
        if student in room.students
    ]
    return sorted(rows, key=lambda row: (row["question"], row["student"]))


COLUMNS = ("question", "kind", "prompt", "step", "address", "student", "nickname", "answer", "label", "truth", "right")


def table(rows: Sequence[dict[str, Any]], name: str) -> Response:
    """Rows as CSV in UTF-8, marked as such for spreadsheets; no cell of it is a formula."""
    text = StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow(["" if row[c] is None else cell(str(row[c])) for c in COLUMNS])
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Response("\ufeff" + text.getvalue(), headers=headers, media_type="text/csv; charset=utf-8")


@router.post("/{code}/copies", status_code=201, responses=answers_with(schemas.CopyAnswer, 201))
async def copy(found: Attended, who: Who, teaching: Taught, key: Key = None) -> Response:
    """A copy of what is shown, the student's own, while the class explores."""
    run = await teaching.copy(found, who, key)
    link = Link(run.origin, run.edits, View(step=run.state.step))
    return json({"run": run.id, "step": run.state.step, "url": link.url()}, 201)


@router.put("/{code}/hand-in", responses=answers_with(schemas.HandedInAnswer), dependencies=ONCE)
async def hand_in(found: Attended, who: Who, teaching: Taught, body: schemas.HandInBody) -> Response:
    """Hand in a run of one's own, in place of an earlier one."""
    handed = await teaching.hand_in(found, who, body.run, body.step, body.view, body.named)
    return json({"number": handed.number, "step": handed.step, "named": handed.named})


@router.put("/{code}/shown", responses=TOLD, dependencies=ONCE)
async def show(room: Own, classroom: Rooms, body: schemas.ShownBody) -> Response:
    """Put a hand-in on the wall, or take it off."""
    return json(state_of(await classroom.change(room.code, lambda now: rooms.show(now, body.hand_in))))


@router.get("/{code}/stream", include_in_schema=False)
async def stream(request: Request, found: Entered, who: Who, screen: Audience = "student", size: Size = "") -> Response:
    """Server-sent events: `state` (JSON) and, with a size, `frame` (the picture's markup), each with the version as id.
    A `tick` comes after ten seconds without another event, so that a page knows that it hears.

    `closed` ends it when the room closes, `bye` when the server stops.
    """
    hub: Hub = request.app.state.hub
    return Stream(hub, found.room.code, _follower(request, found, who, screen, size))


def _follower(request: Request, found: Entry, who: Caller, screen: str, size: str) -> Follower:
    if screen == screens.TEACHER and not found.teacher:
        raise NotTeacher
    student = found.student if screen == screens.STUDENT and found.joined else ""
    return Follower(screen, size if size in SIZES else "", student, who.address, takes_gzip(request))


@router.get("/{code}/news", include_in_schema=False)
async def news(
    request: Request,
    found: Entered,
    who: Who,
    screen: Audience = "student",
    size: Size = "",
    after: Annotated[int, Query(ge=0, le=2**53)] = 0,
    picture: Annotated[str, Query(max_length=16)] = "",
) -> Response:
    """What the stream would tell, to a page that hears nothing of it: `version`, `state` and, unless the page has it
    already, `frame` with the name `picture`; 204 if there is nothing newer than `after`."""
    hub: Hub = request.app.state.hub
    told = await hub.news(found.room.code, _follower(request, found, who, screen, size), after, picture)
    return Response(status_code=204) if told is None else json(told)
