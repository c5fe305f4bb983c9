"""/learn: the lessons as pages, and practice drawn from a seed.

A lesson's state stands in its address, so every request here reads and none writes.
"""

from collections.abc import Callable
from functools import partial
from secrets import randbits
from typing import Any, TypeVar

from fastapi import APIRouter, Request, Response
from markupsafe import Markup
from starlette.exceptions import HTTPException

from app.draw.rendering import ENV
from app.graph.picture import BARE, still
from app.learn import api as api_learn
from app.learn.exercises import LARGEST_SEED, TYPES, exercise
from app.learn.homework import tables
from app.learn.lessons import TRACK, Lesson, lesson, lessons, place_on_track
from app.learn.openings import opening
from app.learn.screens import SCREENS
from app.learn.tools import TOOLS
from app.learn.visit import Visit
from app.pool import Pool
from app.serve.cookies import known_visitor
from app.serve.html import html, is_scripted
from app.serve.root import at

T = TypeVar("T")
SCREEN_SECONDS = 0.01  # what most screens take

router = APIRouter()
router.include_router(api_learn.router)


def page(request: Request, name: str, fragment: str, context: dict[str, Any], status: int = 200) -> Response:
    """A page; or its changing part alone, where the page's own script asks for it."""
    scripted = is_scripted(request)
    text = ENV.get_template(fragment if scripted else name).render(
        {**TOOLS, **context, "scripted": scripted, "here": "Learn"}
    )
    headers = {"HX-Replace-Url": at(f"{request.url.path}?{request.url.query}")} if scripted else {}
    return html(request, text, status, headers)


@router.get("/learn", include_in_schema=False)
async def index(request: Request) -> Response:
    """All lessons, in order, each with a picture of its opening."""
    return await listed(request, missing=False)


async def listed(request: Request, missing: bool, status: int = 200) -> Response:
    """The list of all lessons."""
    openings = await rendered(request, lambda: {each.slug: opening(each) for each in lessons(ENV)})
    context = {"lessons": lessons(ENV), "openings": openings, "track": TRACK, "missing": missing}
    return page(request, "learn.html", "learn.html", context, status)


async def absent(request: Request) -> Response:
    """What is said of a lesson that there is not: to people with all that there are, to programs as a problem."""
    if "text/html" not in request.headers.get("accept", ""):
        raise HTTPException(404, "There is no such lesson. /learn lists them all.")
    return await listed(request, missing=True, status=404)


async def rendered(request: Request, work: Callable[[], T]) -> T:
    """What takes some milliseconds of computing, in the pool where such work belongs."""
    pool: Pool = request.app.state.runs.pool
    owner = known_visitor(request) or f"reader {id(request)}"
    return await pool.do(SCREEN_SECONDS, owner, work)


@router.get("/learn/practice", include_in_schema=False)
def practice(request: Request) -> Response:
    """One exercise, drawn from the seed in the address or from a new one."""
    query = asked(request)
    type_ = query["type"] if query.get("type") in TYPES else "delta"
    seed = whole(query.get("seed", ""), LARGEST_SEED)
    drawn, visit = exercise(type_, randbits(24) if seed is None else seed), Visit(1, query)
    task = visit.ask("answer", drawn.problem)
    context = {"exercise": drawn, "types": TYPES, "at": visit, "task": task, "style": ""}
    if drawn.graph:
        context["g"] = still(drawn.graph, "" if task.revealed else BARE)
    context["tables"] = tables(drawn.given) if "operation" in drawn.given else None
    return page(request, "practice.html", "_practice.html", context)


@router.get("/learn/{slug}", include_in_schema=False)
async def read(request: Request, slug: str) -> Response:
    """One screen of a lesson; `screen=all` is the whole of it, to print."""
    found = lesson(ENV, slug)
    if found is None:
        return await absent(request)
    work = partial(render, found, asked(request), is_scripted(request))
    body, visit = await rendered(request, work)
    scene = await rendered(request, partial(opening, found)) if visit.screen == 1 and not is_scripted(request) else None
    on_track = place_on_track(slug, visit.screen) if visit.query.get("track") == "ten" else None
    context = {"lesson": found, "lessons": lessons(ENV), "at": visit, "body": body, "scene": scene}
    context |= {"track": TRACK, "on_track": on_track}
    return page(request, "lesson.html", "_lesson_screen.html", context)


def asked(request: Request) -> dict[str, str]:
    """The query by its names; of `show`, which stands once for every answer that was asked for, all of them."""
    return {**request.query_params, "show": " ".join(request.query_params.getlist("show"))}


def render(found: Lesson, query: dict[str, str], scripted: bool = False) -> tuple[Markup, Visit]:
    """The screen of a lesson that a query asks for, or all, and the visit with the tasks that it met."""
    visit, poses = Visit(screen_of(query.get("screen", ""), len(found.screens)), query), SCREENS.get(found.slug, ())
    template, texts = ENV.get_template(found.template), []
    for screen in range(1, len(found.screens) + 1) if visit.printing else (visit.screen,):
        visit.turn(screen)
        values = poses[screen - 1](visit, found.head) if poses else {}
        texts.append(template.render({**TOOLS, "at": visit, "scripted": scripted, **values}))
    return Markup("").join(map(Markup, texts)), visit


def screen_of(text: str, screens: int) -> int:
    """The screen that an address names; the first or the last where there is no such screen."""
    if text == "all":
        return Visit.ALL
    number = whole(text, 10**6)
    return 1 if number is None else min(max(number, 1), screens)


def whole(text: str, most: int) -> int | None:
    """A whole number from 0 to `most`, or None."""
    if not (text.isascii() and text.isdigit() and len(text) <= 12):
        return None
    return int(text) if int(text) <= most else None
