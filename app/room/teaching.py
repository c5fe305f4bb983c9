"""What a teacher and the class do to the run they share: step it, ask about it, reveal, copy it, hand a copy in."""

from dataclasses import dataclass, replace
from functools import partial
from urllib.parse import parse_qsl, urlencode

from app.explain.walkthrough import walkthrough
from app.failures import BadQuestion, Refused, RunDamaged, RunNotFound, once_saved
from app.learn.facts import Facts
from app.page.frame import check_view
from app.page.links import View, view_fields, view_of
from app.room import asking, graphs, polls, rooms
from app.room.classroom import Caller, Classroom, Entry, Once
from app.room.polls import ClassQuestion
from app.room.rooms import HandIn, Room, Shared, Student
from app.run.deeds import Branch, Reset, Step
from app.run.runs import Run, Runs, Steps, owner_of
from engine import Quantity, RunState, SpecError, trace
from engine.wording import said

MOST_FIELDS = 60


def fields_of(query: str, name: str) -> dict[str, str]:
    """A query string's fields; SpecError, naming where it stands, for more of them than there can be."""
    try:
        return dict(parse_qsl(query.lstrip("?"), max_num_fields=MOST_FIELDS))
    except ValueError:
        raise SpecError(
            name, said("{count} fields", count=query.count("&") + 1), "at most {most} fields", most=MOST_FIELDS
        ) from None


def view_from(query: str) -> View:
    """The view of a query string; SpecError for what it does not know."""
    return view_of(fields_of(query, "view"))


def query_of(view: View) -> str:
    """A view as a query string, without the step, which a `Shared` has of its own."""
    return urlencode(view_fields(replace(view, step=None, compare=())))


@dataclass(frozen=True)
class Teaching:
    """Changes of a room that need its run."""

    classroom: Classroom
    runs: Runs

    async def shared(self, run_id: str, step: int | None, query: str) -> Shared:
        """A run at a step (None: the view's, or its head) through a view; RunNotFound and SpecError if it cannot be."""
        run = await self.runs.get(run_id)
        view = view_from(query)
        step = view.step if step is None else step
        state = run.state if step is None else await self.runs.at(run, min(step, run.state.step))
        return Shared(run.id, state.step, query_of(check_view(view, state)))

    async def state(self, shared: Shared) -> tuple[Run, RunState]:
        """The run that is shared, and its state at the step that is."""
        run = await self.runs.get(shared.run)
        return run, await self.runs.at(run, min(shared.step, run.state.step))

    async def share(self, code: str, shared: Shared) -> Room:
        """Show it on every screen."""
        return await self.classroom.change(code, lambda room: rooms.share(room, shared))

    async def step(self, code: str, count: int, key: str | None = None) -> tuple[Room, Run, Steps]:
        """Step the shared run, from the step that is shown, and show where it comes to."""
        room = await self.classroom.get(code)
        run, steps = await self.runs.do(room.shared.run, Step(count, at=room.shared.step), key=key)
        view = replace(view_from(room.shared.view), moment=None)
        with once_saved():
            return await self.share(code, Shared(run.id, run.state.step, query_of(view))), run, steps

    async def reset(self, code: str, key: str | None = None) -> Room:
        """The shared run at its start again."""
        room = await self.classroom.get(code)
        run, _ = await self.runs.do(room.shared.run, Reset(), key=key)
        view = replace(view_from(room.shared.view), moment=None)
        with once_saved():
            return await self.share(code, Shared(run.id, 0, query_of(view)))

    async def ask(self, code: str, kind: str, address: str | None = None, once: Once | None = None) -> Room:
        """Ask a question made from the step that is shown; its address is selected, its answer hidden."""
        room = await self.classroom.get(code)
        if kind in graphs.KINDS:
            return await self._ask_of_graph(room, kind, address or "", once)
        run, state = await self.state(room.shared)
        view = view_from(room.shared.view)
        question = asking.make(Facts(state, view.example), kind, address or view.select or "")
        hidden = _hiding(question, state, view)
        shared = Shared(run.id, state.step, query_of(hidden))
        most = self.classroom.settings.questions_per_room
        return await self.classroom.change(code, lambda now: rooms.ask(now, question, most, shared), once)

    async def _ask_of_graph(self, room: Room, kind: str, name: str, once: Once | None) -> Room:
        page = room.shared.lesson
        if not graphs.is_graph(page):
            raise BadQuestion("kind", kind, "asked while a graph is shown")
        work = partial(graphs.ask, page, kind, name)
        question, hidden = await self.runs.pool.do(graphs.seconds(page), graphs.owner(room.shared.run), work)
        shared, most = replace(room.shared, lesson=hidden), self.classroom.settings.questions_per_room
        return await self.classroom.change(room.code, lambda now: rooms.ask(now, question, most, shared), once)

    async def ask_own(
        self, code: str, prompt: str, options: list[str], truth: str | None, once: Once | None = None
    ) -> Room:
        """Ask a question of the teacher's own."""
        question, most = polls.own(prompt, options, truth), self.classroom.settings.questions_per_room
        return await self.classroom.change(code, lambda room: rooms.ask(room, question, most), once)

    async def reveal(self, code: str, number: int) -> Room:
        """Take the step that was asked about, and tell the truth beside the distribution."""
        room = await self.classroom.get(code)
        question = rooms.reveal(room, number).poll
        assert question is not None
        shared = await self._after(room.shared, question.question) if question.question.kind != polls.OWN else None

        def how(now: Room) -> Room:
            told = rooms.reveal(now, number)
            return told if shared is None or told is now else rooms.share(told, shared)

        with once_saved():
            return await self.classroom.change(code, how)

    async def dismiss(self, code: str, number: int | None = None) -> Room:
        """The question leaves the screens, or that of this number; a graph stays, with what was hidden in it."""
        shown = rooms.dismiss(await self.classroom.get(code)).shared
        told = page = shown.lesson
        if graphs.is_graph(page):
            work = partial(graphs.revealed, page)
            told = await self.runs.pool.do(graphs.seconds(page), graphs.owner(shown.run), work)

        def how(now: Room) -> Room:
            if now.poll is None or number not in (None, now.poll.question.number):
                return now
            after = rooms.dismiss(now)
            return replace(after, shared=replace(after.shared, lesson=told)) if after.shared.lesson == page else after

        return await self.classroom.change(code, how)

    async def _after(self, shared: Shared, question: ClassQuestion) -> Shared | None:
        """What is shown with the truth: the run after the step, or the whole of the step that was asked about; of a
        graph, the node with its gradient."""
        if question.kind in graphs.KINDS:
            page = shared.lesson
            if not graphs.is_graph(page):
                return None
            told = await self.runs.pool.do(
                graphs.seconds(page), graphs.owner(shared.run), partial(graphs.revealed, page)
            )
            return replace(shared, lesson=told)
        try:
            run = await self.runs.get(shared.run)
            if question.steps and run.state.step == question.step:
                run, _ = await self.runs.do(run.id, Step(1), key=f"reveal-{question.number}-{question.step}")
        except RunNotFound:
            return None
        step = min(question.step + question.steps, run.state.step)
        return Shared(run.id, step, query_of(_showing(question, view_from(shared.view))))

    async def own_copy(self, student: Student) -> int | None:
        """The step of a student's copy, if there is one still."""
        try:
            return (await self.runs.get(student.copy)).state.step if student.copy else None
        except (RunNotFound, RunDamaged):
            return None

    async def copy(self, entry: Entry, caller: Caller, key: str | None = None) -> Run:
        """A student's own copy of the run that is shown, at its step; Refused while the class follows."""
        if entry.room.pace != rooms.EXPLORE and not entry.teacher:
            raise Refused("the class follows the teacher now; copies can be taken when it explores")
        shown = entry.room.on_screen
        made, _ = await self.runs.do(shown.run, Branch(at=shown.step), caller.visitor, key=key)
        if entry.joined:
            with once_saved():
                await self.classroom.change(entry.room.code, lambda room: rooms.take_copy(room, entry.student, made.id))
        return made

    async def hand_in(
        self, entry: Entry, caller: Caller, run_id: str, step: int | None = None, query: str = "", named: bool = False
    ) -> HandIn:
        """A student's run, handed in; SpecError unless it is the student's own."""
        run = await self.runs.get(run_id)
        if run.visitor != owner_of(caller.visitor):
            raise SpecError("run", run_id, "a run of your own, such as a copy that you took")
        shared = await self.shared(run_id, step, query)
        most = self.classroom.settings.students_per_room

        def how(room: Room) -> Room:
            return rooms.hand_in(room, entry.student, shared.run, shared.step, shared.view, named, most)

        room = await self.classroom.change(entry.room.code, how)
        return next(handed for handed in room.hand_ins if handed.student == entry.student)


def _showing(question: ClassQuestion, view: View) -> View:
    """The view that has the answer: the weight that has moved, or the gradients with the largest selected."""
    if question.steps and question.address:
        return replace(view, moment=None, lens="weights")
    if question.kind == "largest":
        return replace(view, moment=None, lens="gradients", select=question.truth)
    return replace(view, moment=None) if question.steps else replace(view, moment=None, lens="gradients")


def _hiding(question: ClassQuestion, state: RunState, view: View) -> View:
    """The view with the question's address selected and nothing else, at the last moment before its answer is
    computed."""
    view = replace(view, select=question.address or None)
    if question.kind == "loss":
        return view
    view = replace(view, example=question.example)
    moments = walkthrough(trace(state, view.example), view.grain)
    about = Quantity.parse(question.address) if question.address else Quantity("")
    sought = about.like("dz" if about.kind == "a" else f"d{about.kind}")
    first = next((m.index for m in moments if any(target.covers(sought) for target in m.targets)), None)
    if first is None:
        first = next(m.index for m in moments if m.phase == "backward")
    return replace(view, moment=max(0, first - 1), lens="gradients")
