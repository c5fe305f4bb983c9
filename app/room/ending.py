"""How a class ends: what would be lost is asked first, and for a while a closed room is its teacher's to reopen."""

from dataclasses import replace

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from app.draw.rendering import render
from app.failures import BadQuestion, RoomNotFound
from app.room import rooms, screens
from app.room.api import COOKIE, Own, Rooms, Who, answer_rows
from app.room.classroom import Caller, Classroom, Entry
from app.room.rooms import Room, spaced
from app.serve import cookies
from app.serve.html import html, is_scripted
from app.serve.root import at

DAY = 86_400
router = APIRouter(prefix="/class", include_in_schema=False, default_response_class=Response)


def remember(request: Request, answer: Response, code: str, secret: str) -> None:
    """The teacher's secret in a cookie that no script can read."""
    answer.headers.append("set-cookie", cookies.written(request, COOKIE + code, secret, DAY))


async def present(code: str, who: Caller, classroom: Classroom, screen: str) -> Entry | Response:
    """The room, or where those who were in it are told more, if it was closed or has a new code of late."""
    try:
        return await classroom.enter(code, who)
    except RoomNotFound:
        found = rooms.code_of(code)
        if found and ((await classroom.known(found, who))[0] or (await classroom.moved(found, None))[0]):
            return RedirectResponse(at(f"/class/over?room={found}&screen={screen}"), 303)
        raise


@router.get("/over")
async def over(
    request: Request, who: Who, classroom: Rooms, room: str = "", screen: str = "", save: str = ""
) -> Response:
    """The room was closed: its teacher can have the answers or reopen it; those who were in it go back by themselves
    when it is.

    If it has gone on under a new code, the teacher's own browsers go on there: others may be those whom the new code is
    to keep out.
    """
    code = rooms.code_of(room) or ""
    secret = cookies.read(request, COOKIE + code)
    goes_on, fresh = await classroom.moved(code, secret) if code else (False, None)
    if fresh is not None:
        page = "wall?profile=projector" if screen == screens.WALL else "teach"
        answer = RedirectResponse(at(f"/class/{fresh}/{page}"), 303)
        remember(request, answer, fresh, secret)
        return answer
    known, is_open = await classroom.known(code, replace(who, secret=secret)) if code else (None, False)
    if is_open:
        return RedirectResponse(at(f"/class/{code}" + {"wall": "/wall", "teacher": "/teach"}.get(screen, "")), 303)
    told = {
        "goes_on": goes_on,
        "screen": screen,
        "code": code,
        "spaced": spaced(code),
        "save": bool(save),
        "waits": known is not None and not goes_on,
        "teacher": known is not None and screen != screens.WALL and rooms.is_teacher(known, secret),
    }
    return html(request, render("class/over.html", told, here="Class"))


@router.get("/{code}/end")
async def ask_to_end(request: Request, room: Own, classroom: Rooms, do: str = "end") -> Response:
    """What would be lost by closing the room, or by a new code: a dialog to htmx, else a page in between."""
    if do not in ENDS:
        raise BadQuestion("do", do, "one of {ends}", ends=", ".join(ENDS))
    asked = await classroom.polls(room.code)
    told = {
        "do": do,
        "code": room.code,
        "spaced": spaced(room.code),
        "students": len(room.students),
        "questions": len(asked),
        "answers": len(answer_rows(room, asked)),
        "hand_ins": len(room.hand_ins),
    }
    if is_scripted(request):
        return html(request, render("class/_end.html", told))
    return html(request, render("class/end.html", told, here="Class"))


async def _end(request: Request, room: Room, who: Caller, classroom: Classroom, save: bool) -> Response:
    await classroom.close(room.code)
    return RedirectResponse(at(f"/class/over?room={room.code}&screen=teacher" + "&save=yes" * save), 303)


async def _renew(request: Request, room: Room, who: Caller, classroom: Classroom, save: bool) -> Response:
    fresh = await classroom.renew(room, who)
    renewed = RedirectResponse(at(f"/class/{fresh.code}/teach" + f"?save={room.code}" * save), 303)
    remember(request, renewed, fresh.code, who.secret or "")
    return renewed


ENDS = {"end": _end, "renew": _renew}


@router.post("/{code}/reopen")
async def reopen(request: Request, code: str, who: Who, classroom: Rooms) -> Response:
    """A room that was closed of late, as it was."""
    room = await classroom.reopen(await classroom.teach_ended(code, who), who)
    return RedirectResponse(at(f"/class/{room.code}/teach"), 303)


@router.post("/{code}/forget")
async def forget(request: Request, code: str, who: Who, classroom: Rooms) -> Response:
    """A room that was closed of late is gone at once."""
    await classroom.forget((await classroom.teach_ended(code, who)).code)
    return RedirectResponse(at("/class/over"), 303)
