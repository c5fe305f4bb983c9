"""What anyone does to a run, as values: the page, JSON and a class send the same ones, and `perform` does them.

A deed begins at a base, the run as it stands or as it was at an earlier step. What it comes to is a whole run, to be
saved at once or not at all; so whatever is refused on the way leaves the run as it was.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from app.costs import look_cost, step_cost
from app.failures import Busy, TooMany
from app.run import history
from app.run.allowed import check
from app.run.history import SLOW, C, Retention, Steps, Training
from app.settings import Settings
from engine import RunState, SpecError, examples_of
from engine.edits import EXAMPLES, MOST_STEPS
from engine.session import held_by


@dataclass(frozen=True)
class Deed:
    """Done at the step `at`, if the run has gone past it: what came later is then dropped. None: as it stands."""

    at: int | None = field(default=None, kw_only=True)


@dataclass(frozen=True)
class Step(Deed):
    """More steps: `count` of them, or to the end of the `epoch`, and no further than `until`; one if none is named.

    `stop` is a step that is not passed from below. With `whole` all of them are taken, as far as the numbers do not run
    out, or none. `examples` take the place of the next mini-batch in one single step. `passing` is no part of what is
    done: counts of steps after which the state is to be shown too.
    """

    count: int | None = None
    until: int | None = None
    epoch: bool = False
    stop: int | None = None
    whole: bool = False
    examples: tuple[int, ...] = ()
    passing: tuple[int, ...] = field(default=(), repr=False, compare=False)


@dataclass(frozen=True)
class Change(Deed):
    """Live fields of the spec and parameters by address, each with its new value: all or none."""

    changes: Mapping[str, Any]


@dataclass(frozen=True)
class Freeze(Deed):
    """Hold a parameter where it is, or let it go again."""

    address: str


@dataclass(frozen=True)
class Rewind(Deed):
    """Go back for good; with `head` only if the run stands at that step, for what another did is not undone unseen."""

    to: int
    head: int | None = None


@dataclass(frozen=True)
class Reset(Deed):
    """The same start again, without edits."""


@dataclass(frozen=True)
class NewStart(Deed):
    """A start with the settings that are set now and these changes: of another run, unless they are its own start's."""

    changes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Branch(Deed):
    """Another run that shares this one's past up to a step; None: all of it."""

    to: int | None = None


def base_of(deed: Deed, step: int) -> int:
    """The step at which a deed begins, on a run that has come to `step`; SpecError if it has not come so far."""
    match deed:
        case Rewind(head=int(head)) if head != step:
            return step
        case Rewind(to) | Branch(int(to)):
            if not 0 <= to <= step:
                raise SpecError("step", to, "a whole number from 0 to {step}", step=step)
            return to
    return step if deed.at is None else min(deed.at, step)


def makes_another(deed: Deed, run: Training) -> bool:
    """Whether a deed leaves the run as it is, and what it comes to is another run."""
    match deed:
        case Branch():
            return True
        case NewStart(changes):
            return run.state.spec.with_changes(**changes) != run.origin
    return False


def cost(deed: Deed, base: RunState, settings: Settings) -> float:
    """Seconds that a deed takes; SpecError for steps that cannot be taken."""
    look = look_cost(base.spec)
    if not isinstance(deed, Step) or deed.examples:
        return look
    wanted = steps_wanted(deed, base, settings) * step_cost(base.spec)
    return look + (wanted if deed.whole else min(settings.step_seconds, wanted))


def perform(run: C, deed: Deed, base: RunState, settings: Settings, before: bool = False) -> tuple[C, Steps]:
    """The run after a deed, and how far that came; the very same run if nothing was to be done.

    `before` keeps the state before the last step. Raises SpecError, TooMany and Busy.
    """
    wanted = steps_wanted(deed, base, settings) if isinstance(deed, Step) else None
    if wanted == 0:
        return run, Steps()
    if isinstance(deed, Reset | NewStart):
        return _started(run, deed, settings), Steps()
    begun = run if base is run.state else history.back(run, base)
    match deed:
        case Step(examples=()):
            assert wanted is not None
            return _stepped(begun, deed, wanted, settings, before)
        case Step(examples=examples):
            _room_for(begun, 1, settings)
            return history.step_on(begun, examples, _retention(settings))
        case Change(changes):
            return _edited(begun, changes, settings), Steps()
        case Freeze(address):
            return _edited(begun, {"frozen": _frozen(base, address)}, settings), Steps()
    return begun, Steps()


def steps_wanted(deed: Step, state: RunState, settings: Settings) -> int:
    """How many steps a deed asks for at a state; SpecError if that is no number, or all at once are too many."""
    count, most = deed.count, settings.steps_per_request
    if deed.examples and (count, deed.until) in ((None, None), (1, None)):
        return 1
    if deed.examples:
        raise SpecError("examples", list(deed.examples), "given without count and until: they are one step")
    if count is not None and not 1 <= count <= most:
        raise SpecError("count", count, "a whole number from 1 to {most:,}", most=most)
    if deed.until is not None and not 0 <= deed.until <= MOST_STEPS:
        raise SpecError("until", deed.until, "a whole number from 0 to {most:,}", most=MOST_STEPS)
    if deed.epoch:
        train = examples_of(state.spec).train
        count = -(-(train - state.cursor) // min(state.spec.batch_size, train))
    wanted = MOST_STEPS if count is None and deed.until is not None else count or 1
    if deed.until is not None:
        wanted = min(wanted, max(0, deed.until - state.step))
    if deed.stop is not None and deed.stop > state.step:
        wanted = min(wanted, deed.stop - state.step)
    if deed.whole:
        _fits(deed, wanted, state, settings)
    return wanted


def _fits(deed: Step, wanted: int, state: RunState, settings: Settings) -> None:
    largest = min(settings.steps_per_request, int(settings.replay_seconds / step_cost(state.spec)))
    if wanted <= largest:
        return
    if deed.until is not None:
        raise SpecError("until", deed.until, "at most {step:,} to be reached at once", step=state.step + largest)
    raise SpecError("count", wanted, "at most {largest:,} to be taken at once", largest=largest)


def _stepped(run: C, deed: Step, wanted: int, settings: Settings, before: bool) -> tuple[C, Steps]:
    retention, most = _retention(settings), settings.steps_per_request
    if not deed.whole:
        return history.carry(run, wanted, settings.step_seconds, retention, before, most, deed.passing)
    after, steps = history.carry(run, wanted, SLOW * settings.replay_seconds, retention, before)
    if steps.done < wanted and not after.state.divergence:
        raise Busy("so many steps at once take too long on this machine as busy as it is", 503, retry_after=5)
    return after, steps


def _edited(run: C, changes: Mapping[str, Any], settings: Settings) -> C:
    _room_for(run, len(changes), settings)
    for name, value in changes.items():
        if name == EXAMPLES:
            raise SpecError("field", name, "a live field or an address; examples are what a step is taken on")
        run = history.change(run, name, value)
    check(run.state.spec, settings)
    return run


def _room_for(run: Training, more: int, settings: Settings) -> None:
    if len(run.edits) + more > settings.edits_per_run:
        raise TooMany("a run has at most {most:,} changes; branch or go back", 0, most=settings.edits_per_run)


def _frozen(state: RunState, address: str) -> list[str]:
    """What is held after one more, or one less; what held it with others, such as all biases, goes on holding those."""
    kept, held, network = list[str](), state.spec.frozen, state.spec.network
    for name in held:
        within = [network.address(place) for place in held_by(network, name).tolist()]
        kept += [each for each in within if each != address] if address in within else [name] * (name != address)
    return [*held, address] if kept == list(held) else list(dict.fromkeys(kept))


def _started(run: C, deed: Reset | NewStart, settings: Settings) -> C:
    spec = run.origin
    if isinstance(deed, NewStart):
        spec = run.state.spec.with_changes(**deed.changes)
        check(spec, settings)
    fresh = history.begin(spec)
    return replace(run, origin=spec, edits=(), state=fresh.state, metrics=fresh.metrics, sampled=fresh.sampled)


def _retention(settings: Settings) -> Retention:
    return Retention(settings.history_points, settings.checkpoints, settings.checkpoint_bytes)
