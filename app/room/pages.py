"""A class as pages: its door, the students' page, the wall, and the teacher's, which is the playground with a strip.

Every form works without script and answers with a redirect; with script, htmx swaps in the panel that changed.
"""

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import replace
from io import BytesIO
from typing import Annotated, Any, NamedTuple
from urllib.parse import urlencode

import segno
from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse
from markupsafe import Markup

from app.draw.diagram import SIZES
from app.draw.rendering import ENV, render
from app.failures import BadQuestion, RunDamaged, RunNotFound
from app.graph.pages import shown_as_page
from app.graph.presets import PRESETS
from app.learn import pages as learn
from app.learn.lessons import lessons
from app.learn.tools import TOOLS
from app.page import pages
from app.page.asked import Asked
from app.room import asking, graphs, rooms, screens
from app.room.api import Attended, Entered, Own, Rooms, Taught, Who, new_room
from app.room.ending import ENDS, present, remember
from app.room.picture import LESSON_PATH, LOST, lesson_of, page_of, picture_of
from app.room.rooms import Room, Shared, spaced
from app.room.teaching import Teaching, view_from
from app.serve.addresses import base_url, is_reachable
from app.serve.errors import Failed
from app.serve.forms import Fields, fields_of
from app.serve.html import html, is_scripted
from app.serve.root import at
from app.settings import Settings
from app.words.texts import kept, text
from engine import Spec, SpecError

VIEW = ("lens", "example", "select", "moment", "grain", "place", "scale", "discrete", "tests", "across", "up")
NOT_FOUND = "There is no such room. A code has 8 letters and digits, like KX4T 9RWM; it may also be over."


def refusal(request: Request, failed: Failed) -> Response | None:
    """What is refused in a class: a line to htmx, and to people the door with the sentence. What is not theirs to mend
    is told as everywhere."""
    if failed.status >= 500:
        return None
    if is_scripted(request):
        return html(request, render("class/_refused.html", message=text(failed.sentence)), 422)
    here = at(request.url.path) if request.method == "GET" and failed.status == 403 else ""
    return door(request, failed.sentence, failed.status, again=here)


router = APIRouter(prefix="/class", include_in_schema=False, default_response_class=Response)


Form = Annotated[Fields, Depends(fields_of)]


def door(request: Request, message: str = "", status: int = 200, typed: str = "", again: str = "") -> Response:
    """Where students type a code, and a teacher opens a room; `again` is what was refused and may be let in later."""
    known = {"here": "Class", "message": text(message), "typed": typed, "again": again}
    return html(request, render("class/door.html", known), status)


@router.get("")
async def enter(request: Request, code: str = "") -> Response:
    """The door; with a code, on to its room."""
    if code:
        found = rooms.code_of(code)
        return RedirectResponse(at(f"/class/{found}"), 303) if found else door(request, NOT_FOUND, 404, code[:20])
    return door(request)


@router.post("")
async def open_room(request: Request, who: Who, teaching: Taught, form: Form) -> Response:
    """A new room that shows the run of the form, or a new one; its teacher is whoever sent it."""
    query = {name: text for name, text in form.items() if name in VIEW}
    room, secret = await new_room(teaching, who, form.get("run") or None, {}, urlencode(query))
    answer = RedirectResponse(at(f"/class/{room.code}/teach"), 303)
    remember(request, answer, room.code, secret)
    return answer


# Students


@router.get("/{code}")
async def room_page(request: Request, code: str, who: Who, teaching: Taught, size: str = "") -> Response:
    """The students' page; before they have joined, the place to do so."""
    found = await present(code, who, teaching.classroom, screens.STUDENT)
    if isinstance(found, Response):
        return found
    if not found.joined:
        known = {"code": found.room.code, "spaced": spaced(found.room.code), "teacher": found.teacher}
        return html(request, render("class/join.html", known, here="Class"))
    room, size, student = found.room, _size(request, size), found.room.students[found.student]
    copy = await teaching.own_copy(student)
    return html(
        request,
        render(
            "class/student.html",
            here="Class",
            code=room.code,
            spaced=spaced(room.code),
            room=room,
            size=size,
            student=student,
            picture=await _picture(teaching, room, size),
            teacher=found.teacher,
            copy=copy,
            panel=screens.panel(room, screens.STUDENT, student=found.student, copy=copy),
        ),
    )


def _size(request: Request, asked: str) -> str:
    """The drawing's size: as asked, else by what the browser says of its device."""
    headers = request.headers
    phone = headers.get("sec-ch-ua-mobile") == "?1" or "iphone" in headers.get("user-agent", "").lower()
    return asked if asked in SIZES else "s" if phone else "m"


async def _picture(teaching: Teaching, room: Room, size: str) -> Markup:
    try:
        return Markup(await picture_of(teaching, room.on_screen, size))
    except (RunNotFound, RunDamaged, SpecError):
        return Markup(LOST)


@router.post("/{code}/join")
async def join(found: Entered, classroom: Rooms, form: Form) -> Response:
    """Become one of the class."""
    most, name = classroom.settings.students_per_room, form.get("nickname", "")
    await classroom.change(found.room.code, lambda now: rooms.join(now, found.student, name, most))
    return RedirectResponse(at(f"/class/{found.room.code}"), 303)


@router.post("/{code}/answer")
async def answer(request: Request, found: Attended, classroom: Rooms, form: Form) -> Response:
    """A student's answer."""
    given, number = form.get("answer", ""), _number(form, "number")
    room = await classroom.change(found.room.code, lambda now: rooms.answer(now, found.student, number, given))
    return _panel(request, room, screens.STUDENT, at(f"/class/{room.code}"), found.student)


def _number(form: dict[str, str], name: str) -> int:
    text = form.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _panel(request: Request, room: Room, audience: str, back: str, student: str = "") -> Response:
    """The panel to htmx, which asked for it; to a plain form the way back."""
    if not is_scripted(request):
        return RedirectResponse(back, 303)
    channel = request.app.state.hub.channels.get(room.code)
    here = channel.here if channel else 0
    return html(request, screens.panel(room, audience, here, student))


@router.post("/{code}/copy")
async def copy(found: Attended, who: Who, teaching: Taught) -> Response:
    """A copy of what is shown."""
    await teaching.copy(found, who)
    return RedirectResponse(at(f"/class/{found.room.code}/mine"), 303)


@router.get("/{code}/mine")
async def mine(request: Request, found: Attended, who: Who, teaching: Taught) -> Response:
    """A student's copy, to explore; back to the class while it follows."""
    student = found.room.students[found.student]
    if found.room.pace != rooms.EXPLORE or not student.copy:
        return RedirectResponse(at(f"/class/{found.room.code}"), 303)
    run = await teaching.runs.get(student.copy)
    view = replace(view_from(found.room.on_screen.view), select=None, moment=None)
    ask = Asked(request, who.visitor, request.query_params)
    strip = {
        "code": found.room.code,
        "spaced": spaced(found.room.code),
        "student": student,
        "panel": screens.panel(found.room, screens.STUDENT, student=found.student),
    }
    return html(request, render("class/mine.html", {**await pages.parts(ask, run, view), **strip}, here="Class"))


@router.post("/{code}/hand-in")
async def hand_in(request: Request, found: Attended, who: Who, teaching: Taught, form: Form) -> Response:
    """Hand in a copy, as it is looked at."""
    run = form.get("run") or found.room.students[found.student].copy
    handed = await teaching.hand_in(found, who, run, None, form.get("view", ""), bool(form.get("named")))
    if is_scripted(request):
        return html(request, render("class/_handed.html", handed=handed))
    return RedirectResponse(at(f"/class/{found.room.code}/mine"), 303)


# The wall


@router.get("/{code}/wall")
async def wall(request: Request, code: str, who: Who, teaching: Taught) -> Response:
    """What the projector shows."""
    found = await present(code, who, teaching.classroom, screens.WALL)
    if isinstance(found, Response):
        return found
    room, settings = found.room, teaching.classroom.settings
    base = base_url(settings)
    return html(
        request,
        render(
            "class/wall.html",
            here="Class",
            code=room.code,
            spaced=spaced(room.code),
            room=room,
            qr=qr(f"{base}/class/{room.code}"),
            join=base.partition("://")[2] + "/class",
            reachable=is_reachable(settings),
            picture=await _picture(teaching, room, "m"),
            panel=screens.panel(room, screens.WALL, 0),
        ),
    )


@kept(256)
def qr(address: str) -> Markup:
    """The students' address as a QR picture."""
    return drawn(address, text("Join"))


def drawn(address: str, title: str) -> Markup:
    """An address as a QR picture: SVG with classes, no style attribute."""
    out = BytesIO()
    segno.make(address, error="m", micro=False).save(
        out, kind="svg", xmldecl=False, svgclass="qr", lineclass="qr-line", omitsize=True, border=4, title=title
    )
    return Markup(out.getvalue().decode())


# The teacher


@router.get("/{code}/teach")
async def teach(request: Request, code: str, who: Who, teaching: Taught, save: str = "") -> Response:
    """The playground, or a lesson, with the teacher's strip; without the secret, the place to give it."""
    found = await present(code, who, teaching.classroom, screens.TEACHER)
    if isinstance(found, Response):
        return found
    if not found.teacher:
        known = {"code": found.room.code, "spaced": spaced(found.room.code)}
        return html(request, render("class/key.html", known, here="Class"), 403)
    room = found.room
    context = {**_strip(teaching.classroom.settings, room), "secret": who.secret, "save": rooms.code_of(save)}
    context["second"] = drawn(f"{context['join']}/teach#{who.secret}", text("Your own link"))
    if graphs.is_graph(room.shared.lesson):
        return html(request, render("class/teach_graph.html", {**context, **await _graph(request, room.shared.lesson)}))
    if room.shared.lesson:
        return html(request, render("class/teach_lesson.html", {**context, **_lesson(room.shared.lesson)}))
    try:
        run, state = await teaching.state(room.shared)
    except RunNotFound:
        run = await teaching.runs.create(who.visitor, Spec.make())
        state = run.state
        await teaching.share(room.code, Shared(run.id, 0))
    view = view_from(room.shared.view + (f"&step={state.step}" if state.step < run.state.step else ""))
    ask = Asked(request, who.visitor, request.query_params)
    return html(request, render("class/teach.html", {**context, **await pages.parts(ask, run, view)}))


def _strip(settings: Settings, room: Room) -> dict[str, Any]:
    """What the teacher's strip needs."""
    of_graph = graphs.is_graph(room.shared.lesson)
    kinds: Mapping[str, tuple[str, Any]] = graphs.KINDS if of_graph else asking.KINDS
    return {
        "here": "Class",
        "code": room.code,
        "spaced": spaced(room.code),
        "room": room,
        "join": f"{base_url(settings)}/class/{room.code}",
        "reachable": is_reachable(settings),
        "kinds": {k: s for k, (s, _) in kinds.items()},
        "presets": PRESETS,
        "of_graph": of_graph,
        "lessons": lessons(ENV),
        "panel": screens.panel(room, screens.TEACHER),
        "roster": screens.students(room),
    }


def _lesson(address: str) -> dict[str, Any]:
    """What the lesson's template needs."""
    found, query = lesson_of(address)
    body, visit = learn.render(found, query)
    own = {"scene": None, "on_track": None}  # an opening and a track are for who reads alone
    return {**TOOLS, **own, "lesson": found, "at": visit, "body": body, "scripted": False}


async def _graph(request: Request, address: str) -> dict[str, Any]:
    """What the graph's template needs."""
    asks = graphs.asks_of(address)
    return {**await shown_as_page(request, asks), "here": "Class"}


@router.post("/{code}/teach")
async def take_key(request: Request, found: Entered, form: Form) -> Response:
    """The secret of the teacher's link, kept in a cookie."""
    secret = form.get("secret", "").strip()
    if not rooms.is_teacher(found.room, secret):
        return door(request, "This is not the room’s teacher’s link.", 403)
    response = RedirectResponse(at(f"/class/{found.room.code}/teach"), 303)
    remember(request, response, found.room.code, secret)
    return response


@router.get("/{code}/students")
async def students(request: Request, room: Own) -> Response:
    """Who has joined, for the teacher's strip."""
    return _students(request, room)


@router.post("/{code}/students")
async def sort_out(request: Request, room: Own, classroom: Rooms, form: Form) -> Response:
    """Remove a student, or let one in again who was removed."""
    how = rooms.readmit if form.get("readmit") else rooms.remove
    number = _number(form, "readmit") or _number(form, "remove")
    return _students(request, await classroom.change(room.code, lambda now: how(now, number)))


def _students(request: Request, room: Room) -> Response:
    if not is_scripted(request):
        return RedirectResponse(at(f"/class/{room.code}/teach"), 303)
    return html(request, render("class/_students.html", {"roster": screens.students(room), "code": room.code}))


class Pressed(NamedTuple):
    """What a teacher's button asks for."""

    room: Room
    teaching: Teaching
    form: dict[str, str]

    async def change(self, how: Callable[[Room], Room]) -> Room:
        """The room changed."""
        return await self.teaching.classroom.change(self.room.code, how)

    @property
    def number(self) -> int:
        """Which question."""
        return _number(self.form, "number")


async def _ask(deed: Pressed) -> Room:
    return await deed.teaching.ask(deed.room.code, deed.form.get("kind", ""), deed.form.get("address") or None)


async def _ask_own(deed: Pressed) -> Room:
    options = [line for line in deed.form.get("options", "").splitlines() if line.strip()]
    truth = deed.form.get("truth", "").strip() or None
    return await deed.teaching.ask_own(deed.room.code, deed.form.get("prompt", ""), options, truth)


async def _show_lesson(deed: Pressed) -> Room:
    slug = deed.form.get("lesson", "")
    address = f"{LESSON_PATH}{slug}" if slug else ""
    return await deed.teaching.share(deed.room.code, await page_of(deed.teaching, deed.room.shared, address))


async def _show_graph(deed: Pressed) -> Room:
    preset = deed.form.get("preset", "")
    address = f"{graphs.PATH}?{urlencode({'preset': preset})}" if preset in PRESETS else ""
    return await deed.teaching.share(deed.room.code, await page_of(deed.teaching, deed.room.shared, address))


async def _show(deed: Pressed) -> Room:
    number = _number(deed.form, "hand_in") or None
    return await deed.change(lambda room: rooms.show(room, number))


DEEDS: dict[str, Callable[[Pressed], Coroutine[Any, Any, Room]]] = {
    "follow": lambda deed: deed.change(lambda room: rooms.set_pace(room, rooms.FOLLOW)),
    "explore": lambda deed: deed.change(lambda room: rooms.set_pace(room, rooms.EXPLORE)),
    "pause": lambda deed: deed.change(lambda room: rooms.pause(room, deed.form.get("message", ""))),
    "go-on": lambda deed: deed.change(lambda room: rooms.pause(room, None)),
    "ask": _ask,
    "own": _ask_own,
    "close": lambda deed: deed.change(lambda room: rooms.close(room, deed.number)),
    "reveal": lambda deed: deed.teaching.reveal(deed.room.code, deed.number),
    "dismiss": lambda deed: deed.teaching.dismiss(deed.room.code),
    "show": _show,
    "lesson": _show_lesson,
    "graph": _show_graph,
}


@router.post("/{code}/do")
async def do(request: Request, room: Own, who: Who, teaching: Taught, form: Form) -> Response:
    """One of the teacher's buttons."""
    deed = form.get("do", "")
    if deed in ENDS:
        return await ENDS[deed](request, room, who, teaching.classroom, bool(form.get("save")))
    if deed not in DEEDS:
        raise BadQuestion("do", deed, "one of {names}", names=", ".join((*DEEDS, *ENDS)))
    changed = await DEEDS[deed](Pressed(room, teaching, form))
    return _panel(request, changed, screens.TEACHER, at(f"/class/{room.code}/teach"))
