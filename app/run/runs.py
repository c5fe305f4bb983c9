"""Runs: load -> engine -> save, with compare-and-set by version, idempotency keys and budgets of computing time."""

import asyncio
import random
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from hashlib import sha256
from secrets import token_urlsafe
from typing import Any

import orjson

from app.costs import bytes_cost, data_cost, given_cost, look_cost, step_cost, told_cost
from app.failures import Conflict, Damaged, OtherVersion, RunDamaged, RunNotFound, Stale
from app.pool import Pool
from app.run import history
from app.run.allowed import check
from app.run.cache import Cache
from app.run.capacity import Capacity, source_of
from app.run.deeds import Branch, Deed, base_of, cost, makes_another, perform
from app.run.drafts import UNSAVED, Draft, Drafts
from app.run.etags import names
from app.run.history import Retention, Steps, Training
from app.run.idempotency import Once, version_of
from app.run.record import (
    KINDS,
    Origin,
    Run,
    Summary,
    decode,
    edits_bytes,
    edits_digest,
    origin_digest,
    point_bytes,
    summary,
    value_of,
)
from app.settings import Settings
from app.stores import NEW, Stamp, Store
from engine import CorruptState, Edit, RunState, Spec, SpecError, pack, replay, start, unpack

__all__ = ["UNSAVED", "Run", "Runs", "Steps", "Summary"]

ATTEMPTS = 20
PATH_POINTS = 24


Changed = dict[str, dict[str, bytes | None]]  # parts by kind and name; None for one that goes


def owner_of(visitor: str) -> str:
    """What is stored of a visitor's token: enough to recognise it, not to use it."""
    return sha256(visitor.encode()).hexdigest()[:32]


class Runs:
    """All runs of a store. Methods raise RunNotFound, RunDamaged, StoreUnavailable, Busy, TooMany and SpecError."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self.store, self.settings = store, settings
        self.pool = Pool(settings.heavy_jobs, settings.heavy_jobs_per_visitor)
        self.retention = Retention(settings.history_points, settings.checkpoints, settings.checkpoint_bytes)
        self._cache, self._drafts = Cache(), Drafts()
        self._capacity = Capacity(store, settings)
        self.steps_taken = 0

    async def create(
        self, visitor: str, spec: Spec, edits: Sequence[Edit] = (), step: int = 0, key: str | None = None
    ) -> Run:
        """A new run, brought to `step` with the edits on the way, as far as the budget for a replay goes."""
        name = _name(visitor, f"{spec} {edits} {step}", key)
        if found := await self._made(name):
            return found
        draft = await self._draft(owner_of(visitor), spec, tuple(edits), step)
        return await self._add(draft.run, owner_of(visitor), draft.kept, name)

    async def _made(self, name: str | None) -> Run | None:
        """The run of this name, if a request with the same key has made it before."""
        try:
            return await self.get(name) if name else None
        except RunNotFound:
            return None

    async def open(self, visitor: str, spec: Spec, edits: Sequence[Edit] = (), step: int = 0) -> Run:
        """This visitor's run of the same spec and edits that has come to `step` or further, else a draft of one."""
        digest = origin_digest(spec) + edits_digest(tuple(edits))
        for found in await self.list(visitor):
            if found.digest == digest and found.step >= step:
                return await self.get(found.id)
        return await self.draft(visitor, spec, edits, step)

    async def draft(self, visitor: str, spec: Spec, edits: Sequence[Edit] = (), step: int = 0) -> Run:
        """The run of a link as nobody has acted on it yet: nothing is stored."""
        draft = await self._draft(owner_of(visitor), spec, tuple(edits), step)
        return replace(draft.run, visitor=owner_of(visitor))

    async def _draft(self, owner: str, spec: Spec, edits: tuple[Edit, ...], step: int) -> Draft:
        check(spec, self.settings)
        digest = origin_digest(spec)
        link = digest + edits_digest(edits)
        async with self._drafts.lock(link):
            near = self._drafts.nearest(link, step)
            if near and (near.run.state.step == step or near.run.state.divergence):
                return near
            reached = near.run.state.step if near else 0
            seconds = look_cost(spec) + data_cost(spec) + (step - reached) * step_cost(spec)
            work = partial(self._drawn, near, spec, digest, edits, step)
            draft = await self.pool.do(seconds, owner, work)
            self._drafts.put(link, draft)
            return draft

    def _drawn(self, near: Draft | None, spec: Spec, digest: str, edits: tuple[Edit, ...], step: int) -> Draft:
        """A draft brought on to `step`, from one that has come nearest or from the start."""
        if near is None:
            begun = history.begin(spec)
            run = Run(spec, (), begun.state, begun.metrics, begun.sampled, UNSAVED, "", NEW, digest)
            near = Draft(run)
        seconds, rest = self.settings.replay_seconds, edits[len(near.run.edits) :]
        run, kept = history.again(near.run, rest, step, seconds, self.retention, lambda s: check(s, self.settings))
        stride = self.retention.state_stride(run.state.spec, run.state.step)
        return Draft(run, {at: state for at, state in {**near.kept, **kept}.items() if at % stride == 0})

    async def get(self, run_id: str) -> Run:
        """The run as it stands in the store."""
        stamp = await self.store.stamp(_key(run_id))
        cached = self._cache.get(run_id)
        if cached and cached.stamp == stamp:
            return cached
        record = await self.store.get(_key(run_id), KINDS) if stamp else None
        if record is None:
            self._cache.drop(run_id)
            raise RunNotFound(run_id)
        data = await self.store.content(_key(run_id))
        state, origin = (record.parts[kind].get(name, b"") for kind, name in (("now", "state"), ("spec", "origin")))
        cost = bytes_cost(len(state)) + given_cost(len(origin) + len(data or b""))
        try:
            run = await self.pool.do(cost, record.owner, lambda: decode(run_id, record, data), admitted=True)
        except (Damaged, CorruptState, ValueError) as error:
            raise RunDamaged(str(error)) from error
        self._cache.put(run)
        return run

    async def list(self, visitor: str) -> list[Summary]:
        """This visitor's runs, the one changed last first."""
        owned = await self.store.owned(owner_of(visitor), "run:")
        found = []
        for key, record in owned:
            try:
                found.append(summary(key.removeprefix("run:"), record))
            except (Damaged, OtherVersion):
                continue
        return found

    async def brief(self, summary: Summary) -> dict[str, Any]:
        """The spec that a listed run began with, without what may be long."""
        found: dict[str, Any] = orjson.loads(await self.store.part(_key(summary.id), "spec", "brief") or b"{}")
        return found

    async def do(
        self,
        run_id: str,
        deed: Deed,
        visitor: str = "",
        *,
        version: int | None = None,
        match: str | None = None,
        key: str | None = None,
        before: bool = False,
        brief: bool = False,
    ) -> tuple[Run, Steps]:
        """Do a deed and save what it comes to, all of it or nothing: the run, and how far that came.

        The run is the visitor's new one if the deed makes another. `version` refuses any but that one, `match` any
        that If-Match does not name; `before` keeps the state before the last step; `brief` remembers of a request with
        a key no more than that it was done.
        """
        once = Once.of(key, deed, brief) if key else None
        for attempt in range(ATTEMPTS):
            run = await self.get(run_id)
            if once and (told := await self.store.part(_key(run_id), "once", once.key)):
                return run, once.again(run, told)
            check_version(run, version, match)
            base = await self.at(run, base_of(deed, run.state.step))
            after, steps = await self._performed(run, deed, base, before)
            if makes_another(deed, run):
                kept = await self._kept_until(run, base.step) if isinstance(deed, Branch) else {}
                name = _name(visitor, f"{run_id} {deed}", key)
                return await self._made(name) or await self._add(after, owner_of(visitor), kept, name), steps
            if after is run and not once:
                return run, steps
            ahead = replace(after, stamp=run.stamp.next())
            if saved := await self._put(ahead, run.stamp, await self._parts(run, ahead, steps, once)):
                self.steps_taken += steps.done
                return saved, steps
            await asyncio.sleep(random.random() * 0.002 * attempt)
        raise Conflict((await self.get(run_id)).version)

    async def _performed(self, run: Run, deed: Deed, base: RunState, before: bool) -> tuple[Run, Steps]:
        seconds = cost(deed, base, self.settings)
        return await self.pool.do(seconds, run.visitor, lambda: perform(run, deed, base, self.settings, before))

    async def first(
        self, visitor: str, spec: Spec, edits: Sequence[Edit], step: int, deed: Deed, key: str | None = None
    ) -> tuple[Run, Steps]:
        """The first deed on the run of a link, which is stored with it: all of it or nothing."""
        name = _name(visitor, f"{spec} {edits} {step} {deed}", key)
        if found := await self._made(name):
            return found, Steps(earlier=found.head)
        draft = await self._draft(owner_of(visitor), spec, tuple(edits), step)
        run = replace(draft.run, visitor=owner_of(visitor))
        base = await self.at(run, base_of(deed, run.state.step))
        after, steps = await self._performed(run, deed, base, False)
        kept = {at: state for at, state in draft.kept.items() if at <= base.step} if after.origin is run.origin else {}
        return await self._add(after, run.visitor, {**kept, **steps.kept}, name), steps

    async def before(self, run: Run, steps: Steps) -> RunState | None:
        """The state before the last of these steps, or of those taken before if they were none; None at the start."""
        head = steps.earlier or run.head
        if steps.before or not head.step:
            return steps.before
        return await self._reach(run, head.edits, head.step - 1)

    async def at(self, run: Run, step: int) -> RunState:
        """The state that the run had at an earlier step, edits there included; SpecError if there is no such step."""
        if not 0 <= step <= run.state.step:
            raise SpecError("step", step, "a whole number from 0 to {step}", step=run.state.step)
        if step == run.state.step:
            return run.state
        if run.id == UNSAVED:
            return (await self._draft(run.visitor, run.origin, run.edits, step)).run.state
        return await self._reach(run, run.edits, step)

    async def path(self, run: Run, step: int, places: tuple[int, int]) -> dict[int, tuple[float, float]]:
        """Where two parameters, by their places in the flat vector, have been on the way to `step`: by step."""
        walked = {}
        for passed in sorted({step * n // PATH_POINTS for n in range(PATH_POINTS + 1)}):
            x, y = (await self.at(run, passed)).parameters[list(places)].tolist()
            walked[passed] = (x, y)
        return walked

    async def _reach(self, run: Run, edits: tuple[Edit, ...], step: int) -> RunState:
        """The state at `step` after these edits, from a kept one that they agree on with the run's."""
        agreed = history.agreement(edits, run.edits)
        names = [int(name) for name in await self.store.names(_key(run.id), "state")]
        nearest = max((name for name in names if name <= min(step, agreed)), default=0)
        base = await self._kept(run, nearest)
        ahead = [edit for edit in edits if edit.step >= base.step]
        cost, budget = (step - base.step) * step_cost(run.state.spec), self.settings.replay_seconds
        state = await self.pool.do(cost, run.visitor, lambda: replay(base, ahead, step, budget))
        if state.step < step:
            raise SpecError("step", step, "one of those that can be gone back to in {budget:g} s", budget=budget)
        return state

    async def _kept_until(self, run: Run, step: int) -> dict[int, RunState]:
        names = [int(name) for name in await self.store.names(_key(run.id), "state")]
        return {name: await self._kept(run, name) for name in names if name <= step}

    async def _kept(self, run: Run, step: int) -> RunState:
        packed = await self.store.part(_key(run.id), "state", str(step)) if step else None
        try:
            return unpack(packed, run.origin) if packed else start(run.origin)
        except CorruptState:
            return start(run.origin)  # a replay from the start comes to the same bits

    async def delete(self, run_id: str, match: str | None = None) -> None:
        """Remove the run for good, if it is still what If-Match names."""
        if match is not None:
            check_version(await self.get(run_id), None, match)
        self._cache.drop(run_id)
        if not await self.store.delete(_key(run_id)):
            raise RunNotFound(run_id)

    async def _parts(self, old: Run, new: Run, steps: Steps, once: Once | None) -> Changed:
        """What changes of a run's parts, for a store to write together with its value."""
        parts: Changed = {"point": _points(old, new, steps)}
        if new.edits != old.edits:
            parts["edits"] = {"all": edits_bytes(new.edits)}
        if steps.kept or new.state.step < old.state.step:
            stride = self.retention.state_stride(new.state.spec, new.state.step)
            names = {int(name) for name in await self.store.names(_key(new.id), "state")} | set(steps.kept)
            stale = {s for s in names if s % stride or s > new.state.step}
            parts["state"] = await self._packed(new, steps.kept) | {str(s): None for s in stale}
        if once:
            parts["once"] = await self._forgotten(new) | {once.key: once.told(new, steps)}
        return parts

    async def _forgotten(self, run: Run) -> dict[str, bytes | None]:
        """Idempotency keys so old that they go, now and then."""
        most = self.settings.idempotency_keys
        if run.version % most:
            return {}
        record = await self.store.get(_key(run.id), ("once",))
        told = record.parts["once"] if record else {}
        return {name: None for name, value in told.items() if version_of(value) <= run.version - most}

    async def _packed(self, run: Run, states: Mapping[int, RunState]) -> dict[str, bytes | None]:
        cost = sum(bytes_cost(state.parameters.nbytes + state.slots.nbytes) for state in states.values())

        def packed() -> dict[str, bytes | None]:
            return {str(step): pack(state, run.origin) for step, state in states.items()}

        return await self.pool.do(cost, run.visitor, packed, admitted=True)

    async def _add(self, made: Training, owner: str, kept: Mapping[int, RunState], name: str | None = None) -> Run:
        await self._capacity.admit(owner)
        cost = 2 * told_cost(made.origin)
        origin = await self.pool.do(cost, owner, lambda: Origin.of(made.origin), admitted=True)
        run = Run(
            *(made.origin, made.edits, made.state, made.metrics, made.sampled),
            id=name or token_urlsafe(16),
            visitor=owner,
            stamp=NEW.next(),
            digest=origin.digest,
        )
        points = zip(run.sampled.steps.tolist(), run.sampled.values, strict=True)
        parts: Changed = {
            "spec": origin.parts,
            "point": {str(s): point_bytes(point) for s, point in points},
            "state": await self._packed(run, kept),
        }
        if run.edits:
            parts["edits"] = {"all": edits_bytes(run.edits)}
        saved = await self._put(run, NEW, parts, origin.data)
        if saved is None:  # the same request has come twice at once
            return await self.get(run.id)
        return saved

    async def _put(self, run: Run, expected: Stamp, parts: Changed, data: bytes | None = None) -> Run | None:
        """The run as it is saved now; None if somebody else has saved it in between."""
        seconds, value = self.settings.idle_days * 86_400, value_of(run)
        now = await self._packed(run, {run.state.step: run.state})
        parts["now"] = {"state": now[str(run.state.step)]}
        stamp = await self.store.put(
            _key(run.id),
            value,
            expected=expected,
            owner=run.visitor,
            source=source_of(run.visitor),
            seconds=seconds,
            parts=parts,
            content=data,
        )
        if stamp is None:
            return None
        saved = replace(run, stamp=stamp)
        self._cache.put(saved)
        return saved

    def close(self) -> None:
        """Let threads end."""
        self.pool.close()


def check_version(run: Run, version: int | None, match: str | None) -> None:
    """Conflict or Stale unless the run is at this version, and what If-Match names."""
    if version is not None and version != run.version:
        raise Conflict(run.version)
    if match is not None and not names(match, run.stamp):
        raise Stale(run.version)


def _key(run_id: str) -> str:
    return f"run:{run_id}"


def _name(visitor: str, asked: str, key: str | None) -> str | None:
    """The id of a run that a request with a key makes: the same when it comes again, and nobody else can know it."""
    if key is None:
        return None
    digest = sha256(f"{visitor} {key} {asked}".encode()).digest()
    return urlsafe_b64encode(digest[:16]).decode().rstrip("=")


def _points(old: Run, new: Run, steps: Steps) -> dict[str, bytes | None]:
    """The sampled points that a change adds, renews (the last one, by an edit) and drops."""
    if old.sampled is new.sampled:
        return {}
    was, now = set(old.sampled.steps.tolist()), new.sampled.steps.tolist()
    fresh = [i for i, s in enumerate(now) if s not in was or s in steps.points or s == new.state.step]
    gone: dict[str, bytes | None] = dict.fromkeys(map(str, was - set(now)))
    return gone | {str(now[i]): point_bytes(new.sampled.values[i]) for i in fresh}
