"""The picture that a class shares, as markup for one size of screen: the playground's own fragments, or a lesson's
screen, without anything to press.
"""

from dataclasses import replace
from functools import partial
from urllib.parse import urlsplit

from app.draw.diagram import SIZES
from app.draw.rendering import ENV, render
from app.learn import pages as learn
from app.learn.lessons import Lesson, lesson
from app.page.frame import frame
from app.room import graphs
from app.room.rooms import Shared
from app.room.teaching import Teaching, fields_of, view_from
from engine import SpecError, evaluate

LOST = '<p class="notice">What was shown here is gone. The teacher can share another run.</p>'
LESSON_PATH = "/learn/"


async def picture_of(teaching: Teaching, shared: Shared, size: str) -> str:
    """The markup of what is shared; RunNotFound, RunDamaged or SpecError if it cannot be shown."""
    if graphs.is_graph(shared.lesson):
        work = partial(graphs.stage, shared.lesson, size)
        return await teaching.runs.pool.do(graphs.seconds(shared.lesson), graphs.owner(shared.run), work, admitted=True)
    if shared.lesson:
        return lesson_picture(shared.lesson)
    run, state = await teaching.state(shared)
    view = view_from(shared.view)
    if state.step < run.state.step:  # a class that looks back does not see in the loss chart what comes next
        run = replace(run, state=state, metrics=evaluate(state), sampled=run.sampled.until(state.step))
    shown = frame(run, state, view, "l" if size not in SIZES else size)
    return render("class/_stage.html", {"f": shown, "size": size})


async def page_of(teaching: Teaching, shared: Shared, address: str) -> Shared:
    """A page in place of the run that is shared, or with no address the run again; SpecError if there is no such."""
    if graphs.is_graph(address):
        work = partial(graphs.checked, address)
        address = await teaching.runs.pool.do(graphs.seconds(address), graphs.owner(shared.run), work)
    elif address:
        lesson_of(address)
    return replace(shared, lesson=address)


def lesson_picture(address: str) -> str:
    """A lesson's screen; SpecError if there is no such one."""
    found, query = lesson_of(address)
    body, _ = learn.render(found, query, scripted=False)
    return render("class/_lesson_stage.html", {"lesson": found, "body": body})


def lesson_of(address: str) -> tuple[Lesson, dict[str, str]]:
    """The lesson and the query of an address such as /learn/line?screen=2; SpecError if there is no such lesson."""
    try:
        parts = urlsplit(address)
    except ValueError:  # half a bracket in the host
        parts = urlsplit("")
    slug = parts.path.removeprefix(LESSON_PATH)
    found = lesson(ENV, slug) if parts.path.startswith(LESSON_PATH) and not parts.netloc else None
    if found is None:
        raise SpecError("lesson", address, "the address of a lesson's screen, such as /learn/line?screen=2")
    return found, fields_of(parts.query, "lesson")
