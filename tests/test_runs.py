"""Runs on each store: nothing is lost, nothing happens twice, and every past step can be looked at again."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from hashlib import sha256
from math import inf
from pathlib import Path
from time import time
from typing import Any
from unittest.mock import AsyncMock
from zlib import crc32

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from app.failures import (
    Busy,
    Conflict,
    KeyReused,
    OtherVersion,
    RunDamaged,
    RunNotFound,
    StoreFull,
    StoreUnavailable,
    TooMany,
)
from app.run.cache import Cache
from app.run.deeds import Branch, Change, Deed, Freeze, NewStart, Reset, Rewind, Step
from app.run.history import Retention, Training, begin, carry, columns
from app.run.idempotency import Once
from app.run.record import KINDS, Origin, point_bytes, sampled_of
from app.run.runs import Run, Runs
from app.serve.limits import CALLER
from app.settings import Settings
from app.stores import Stamp, Store, store_for
from app.stores.seal import seal
from app.words.health import diverged
from engine import Edit, Spec, SpecError, advance, apply, replay, start

ME, YOU = "m" * 43, "y" * 43
SPEC = Spec.make()
FIELDS = ["learning_rate", "W1.1.1", "b2.1"]
Work = Callable[[Runs], Awaitable[None]]
Play = Callable[[Work], None]


@pytest.fixture(params=["sqlite", "redis"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where to keep runs: a new file, or the tests' own Redis server, emptied."""
    if request.param == "sqlite":
        return str(tmp_path / "runs.sqlite3")
    url: str = request.getfixturevalue("redis_server")
    import redis

    redis.Redis.from_url(url).flushdb()
    return url


def play_in(place: str, work: Work, **more: Any) -> None:
    async def main() -> None:
        chosen = Settings(store=place, **({"step_seconds": 60, "replay_seconds": 60} | more))
        store = store_for(chosen)
        await store.open()
        runs = Runs(store, chosen)
        try:
            await work(runs)
        finally:
            runs.close()
            await store.close()

    asyncio.run(main())


@pytest.fixture
def play(place: str) -> Play:
    """Runs a coroutine function with the runs of a fresh store of each kind."""
    return lambda work: play_in(place, work)


def same(one: Run, other: Run) -> bool:
    """Whether two runs stand at the same bits."""
    return (
        one.state.step == other.state.step
        and one.edits == other.edits
        and one.state.spec == other.state.spec
        and bool(np.array_equal(one.state.parameters, other.state.parameters))
        and bool(np.array_equal(one.state.slots, other.state.slots))
    )


def again(runs: Runs) -> Runs:
    """Another process's view of the same store: nothing cached."""
    return Runs(runs.store, runs.settings)


async def edit(runs: Runs, run_id: str, field: str, value: object, at: int | None = None, **more: Any) -> Run:
    return (await runs.do(run_id, Change({field: value}, at=at), **more))[0]


async def branch(runs: Runs, run_id: str, step: int | None, visitor: str) -> Run:
    return (await runs.do(run_id, Branch(step), visitor))[0]


def test_a_run_outlives_its_process(play: Play) -> None:
    """A second reader, who has cached nothing, sees the same bits, edits, metrics and history."""

    async def work(runs: Runs) -> None:
        run = await runs.create(ME, SPEC)
        run, _ = await runs.do(run.id, Step(450))
        run = await edit(runs, run.id, "learning_rate", 0.1)
        run, _ = await runs.do(run.id, Step(7))
        seen = await again(runs).get(run.id)
        assert same(seen, run)
        assert seen.metrics == run.metrics
        assert seen.version == 4
        assert seen.history.steps.tolist() == run.history.steps.tolist()
        assert np.array_equal(seen.history.values, run.history.values, equal_nan=True)

    play(work)


def test_a_loss_beyond_any_number_is_kept_as_it_is(play: Play) -> None:
    """The last finite step of a run that diverged may have an infinite loss over all examples: it stays one."""

    async def work(runs: Runs) -> None:
        run = await runs.create(ME, Spec.make(dataset="plane", activation="relu", learning_rate=20, hidden=[8, 8]))
        run, steps = await runs.do(run.id, Step(1000), key="a")
        assert run.state.divergence
        assert run.metrics["train"].loss == inf
        seen = await again(runs).get(run.id)
        assert seen.metrics == run.metrics
        assert np.array_equal(seen.history.values, run.history.values, equal_nan=True)
        _, steps = await again(runs).do(run.id, Step(1000), key="a")
        assert steps.earlier
        assert steps.earlier.metrics == run.metrics
        assert [found.loss["train"] for found in await runs.list(ME)] == [inf]

    play(work)


def test_stepping_is_the_engines_own(play: Play) -> None:
    """In pieces, through the store, a run comes to the bits that the engine reaches at one go."""

    async def work(runs: Runs) -> None:
        run = await runs.create(ME, SPEC)
        for count in (1, 2, 30, 100):
            run, steps = await runs.do(run.id, Step(count))
            assert (steps.done, steps.truncated) == (count, None)
        expected = advance(start(SPEC), 133).state
        assert np.array_equal(run.state.parameters, expected.parameters)

    play(work)


def test_a_run_and_its_edits_replay_to_the_same_bits(play: Play) -> None:
    """Spec, edits and step are all it takes: another visitor who opens them has the same run, history included."""

    async def work(runs: Runs) -> None:
        run = await runs.create(ME, SPEC)
        run, _ = await runs.do(run.id, Step(40))
        run = await edit(runs, run.id, "W1.2.1", 0.75)
        run = await edit(runs, run.id, "optimizer", "adam")
        run, _ = await runs.do(run.id, Step(900))
        copied = await runs.open(YOU, SPEC, run.edits, run.state.step)
        assert copied.id != run.id
        assert same(copied, run)
        assert copied.history.steps.tolist() == run.history.steps.tolist()
        assert np.array_equal(copied.history.values, run.history.values, equal_nan=True)
        assert (await runs.open(YOU, SPEC, run.edits, 100)).id == copied.id
        assert (await runs.open(ME, SPEC, run.edits, 0)).id == run.id

    play(work)


def test_the_past_can_be_looked_at(play: Play) -> None:
    """`at` gives the state of any earlier step, as it was, and changes nothing."""

    async def work(runs: Runs) -> None:
        run = await runs.create(ME, SPEC)
        run, _ = await runs.do(run.id, Step(1500))
        run = await edit(runs, run.id, "learning_rate", 0.2)
        run, _ = await runs.do(run.id, Step(1000))
        for step in (0, 1, 999, 1000, 1499, 1500, 1501, 2000, 2499, 2500):
            state = await runs.at(run, step)
            expected = replay(start(SPEC), run.edits, step)
            assert state.step == step
            assert np.array_equal(state.parameters, expected.parameters)
            assert state.spec.learning_rate == expected.spec.learning_rate
        assert same(await runs.get(run.id), run)
        with pytest.raises(SpecError, match="step"):
            await runs.at(run, 2501)

    play(work)


def test_going_back_drops_what_came_later(play: Play) -> None:
    """Later edits, points and states are gone, and the way on is the one it would have been."""

    async def work(runs: Runs) -> None:
        run = await runs.create(ME, SPEC)
        await runs.do(run.id, Step(1200))
        await edit(runs, run.id, "batch_size", 20)
        await runs.do(run.id, Step(1900))
        await edit(runs, run.id, "batch_size", 30)
        run, _ = await runs.do(run.id, Rewind(2500))
        assert [edit.value for edit in run.edits] == [20]
        assert run.history.steps[-1] == 2500
        assert sorted(map(int, await runs.store.names(f"run:{run.id}", "state"))) == [1000, 2000]
        run, _ = await runs.do(run.id, Rewind(700))
        assert run.edits == ()
        assert same(await again(runs).get(run.id), run)
        run, _ = await runs.do(run.id, Step(300))
        assert np.array_equal(run.state.parameters, advance(start(SPEC), 1000).state.parameters)
        run, _ = await runs.do(run.id, Reset())
        assert (run.state.step, run.edits, run.history.steps.tolist()) == (0, (), [0])
        assert await runs.store.names(f"run:{run.id}", "state") == []

    play(work)


def test_an_edit_in_the_past_goes_back_first(play: Play) -> None:
    """`edit` at an earlier step drops what came later and makes the change there."""

    async def work(runs: Runs) -> None:
        run = await runs.create(ME, SPEC)
        await runs.do(run.id, Step(50))
        run = await edit(runs, run.id, "b1.1", 0.5, at=20)
        assert (run.state.step, run.edits) == (20, (Edit(20, "b1.1", 0.5),))
        assert np.array_equal(run.state.parameters, apply(advance(start(SPEC), 20).state, "b1.1", 0.5).parameters)

    play(work)


def test_a_branch_shares_the_past_and_nothing_else(play: Play) -> None:
    """What one of them does from there on does not touch the other."""

    async def work(runs: Runs) -> None:
        run = await runs.create(ME, SPEC)
        run, _ = await runs.do(run.id, Step(1300))
        made = await branch(runs, run.id, 1100, YOU)
        assert made.state.step == 1100
        assert [each.id for each in await runs.list(YOU)] == [made.id]
        await edit(runs, made.id, "learning_rate", 1.0)
        await runs.do(made.id, Step(100))
        assert same(await again(runs).get(run.id), run)
        past = await runs.at(await runs.get(made.id), 1050)
        assert np.array_equal(past.parameters, advance(start(SPEC), 1050).state.parameters)

    play(work)


def test_two_who_step_at_once_lose_no_step(play: Play) -> None:
    """40 steps by two workers on one run make 40, whatever the order."""

    async def work(runs: Runs) -> None:
        run = await runs.create(ME, SPEC)
        workers = [again(runs), again(runs)]

        async def some(worker: Runs) -> None:
            for _ in range(20):
                await worker.do(run.id, Step(1))
                await asyncio.sleep(0)

        await asyncio.gather(*(some(worker) for worker in workers))
        run = await runs.get(run.id)
        assert run.state.step == 40
        assert np.array_equal(run.state.parameters, advance(start(SPEC), 40).state.parameters)

    play(work)


def test_the_expected_version_is_held_to(play: Play) -> None:
    """A step or an edit of a run that has moved on is refused, with the version it is at."""

    async def work(runs: Runs) -> None:
        run = await runs.create(ME, SPEC)
        await runs.do(run.id, Step(1), version=1)
        with pytest.raises(Conflict) as refusal:
            await runs.do(run.id, Step(1), version=1)
        assert refusal.value.version == 2
        with pytest.raises(Conflict):
            await edit(runs, run.id, "learning_rate", 0.1, version=1)
        assert (await runs.get(run.id)).state.step == 1

    play(work)


def test_the_same_key_is_the_same_step(play: Play) -> None:
    """A repeated request gets the same losses and takes no second step, in another worker too."""

    async def work(runs: Runs) -> None:
        run = await runs.create(ME, SPEC)
        first, steps = await runs.do(run.id, Step(3), key="k1")
        repeated, told = await again(runs).do(run.id, Step(3), key="k1")
        assert same(repeated, first)
        assert told.earlier == first.head
        assert steps.earlier is None
        assert (told.losses.tolist(), told.asked) == (steps.losses.tolist(), 3)
        with pytest.raises(KeyReused):
            await runs.do(run.id, Step(4), key="k1")
        await edit(runs, run.id, "learning_rate", 0.1, key="k2")
        edited = await edit(runs, run.id, "learning_rate", 0.1, key="k2")
        assert len(edited.edits) == 1

    play(work)


def test_a_replay_is_told_as_the_first_time(play: Play) -> None:
    """However the run has gone on meanwhile: the run, its losses, and the state before the last step."""

    async def work(runs: Runs) -> None:
        run = await runs.create(ME, SPEC)
        await edit(runs, run.id, "learning_rate", 0.1)
        await runs.do(run.id, Step(1200))
        first, steps = await runs.do(run.id, Step(3), key="k", before=True)
        await edit(runs, run.id, "W1.1.1", 0.25)
        await runs.do(run.id, Step(40))
        for change in (
            lambda: runs.get(run.id),
            lambda: runs.do(run.id, Rewind(7)),
            lambda: runs.do(run.id, Step(1300)),
        ):
            await change()
            now, told = await again(runs).do(run.id, Step(3), key="k", before=True)
            assert told.earlier == first.head
            assert now.version == (await runs.get(run.id)).version
            assert (told.losses.tolist(), told.asked, told.truncated) == (steps.losses.tolist(), 3, None)
            before = await again(runs).before(now, told)
            assert before is not None
            assert steps.before is not None
            assert np.array_equal(before.parameters, steps.before.parameters)
        await edit(runs, run.id, "learning_rate", 0.2)
        _, told = await runs.do(run.id, Rewind(7), key="r")
        await runs.do(run.id, Step(1))
        assert (await runs.do(run.id, Rewind(7), key="r"))[1].earlier is not None
        assert told.earlier is None

    play(work)


def test_a_step_from_the_past_goes_back_in_the_same_change(play: Play) -> None:
    """So a repeated request finds its key before it goes back, and loses nothing."""

    async def work(runs: Runs) -> None:
        run = await runs.create(ME, SPEC)
        await runs.do(run.id, Step(10))
        run, _ = await runs.do(run.id, Step(2, at=5), key="k")
        assert (run.state.step, run.version) == (7, 3)
        again_, told = await runs.do(run.id, Step(2, at=5), key="k")
        assert (again_.state.step, told.earlier) == (7, run.head)

    play(work)


def test_lists_do_not_read_what_is_long(tmp_path: Path) -> None:
    """A record's value stays short however large the network, and a list has the spec without its parameters."""

    async def work(runs: Runs) -> None:
        large = Spec.make(hidden=[200, 200])
        given = [{"W": np.ones((out, columns - 1)).tolist(), "b": [0.0] * out} for out, columns in large.network.shapes]
        run = await runs.create(ME, Spec.make(hidden=[200, 200], parameters=given))
        (_, record), *_ = await runs.store.owned(run.visitor, "run:")
        assert len(record.value) < 1_000
        (found,) = await runs.list(ME)
        brief = await runs.brief(found)
        assert (brief["hidden"], "parameters" in brief) == ([200, 200], False)
        assert len((await again(runs).get(run.id)).origin.parameters or ()) == run.state.parameters.size

    play_in(str(tmp_path / "runs.sqlite3"), work)


def test_keys_are_remembered_and_bounded(place: str) -> None:
    """The last ones are, the oldest go."""

    async def work(runs: Runs) -> None:
        run = await runs.create(ME, SPEC)
        for i in range(30):
            await runs.do(run.id, Step(1), key=f"k{i}")
        names = await runs.store.names(f"run:{run.id}", "once")
        assert len(names) <= 16
        assert {f"k{i}" for i in range(22, 30)} <= set(names)

    play_in(place, work, idempotency_keys=8)


def test_a_refused_change_changes_nothing(play: Play) -> None:
    """Neither a field that needs a new start, nor a value out of range, nor one bad change of several."""

    async def work(runs: Runs) -> None:
        run = await runs.create(ME, SPEC)
        for changes in ({"hidden": [3]}, {"learning_rate": 1e9}, {"batch_size": 5, "W9.9.9": 1}):
            with pytest.raises(SpecError):
                await runs.do(run.id, Change(dict(changes)))
        assert same(await again(runs).get(run.id), run)
        assert (await runs.get(run.id)).version == 1

    play(work)


def test_a_diverging_run_stops_and_says_so(play: Play) -> None:
    """At the last finite step; more steps do nothing; going back or a smaller rate leads on."""

    async def work(runs: Runs) -> None:
        spec = Spec.make(dataset="plane", hidden=[], learning_rate=10)
        run = await runs.create(ME, spec)
        run, steps = await runs.do(run.id, Step(5000))
        assert run.state.divergence is not None
        assert steps.truncated == diverged(run.state.spec, run.state.divergence)
        assert np.isfinite(run.state.parameters).all()
        _, none = await runs.do(run.id, Step(5))
        assert none.done == 0
        run, _ = await runs.do(run.id, Rewind(1))
        assert run.state.divergence is None
        await edit(runs, run.id, "learning_rate", 0.01)
        _, some = await runs.do(run.id, Step(5))
        assert some.done == 5

    play(work)


def test_a_budget_ends_a_request_in_time(place: str) -> None:
    """As many steps as fit, at least one, and words that say so; the rest can be asked for."""

    async def work(runs: Runs) -> None:
        run = await runs.create(ME, SPEC)
        run, steps = await runs.do(run.id, Step(90_000))
        assert 1 <= steps.done < 90_000
        assert "fitted" in (steps.truncated or "")
        assert run.state.step == steps.done
        before = run.state.step
        run, steps = await runs.do(run.id, Step(1))
        assert run.state.step == before + 1

    play_in(place, work, step_seconds=0.02)


def test_what_is_not_there_is_not_found(play: Play) -> None:
    """Whatever is asked of it."""

    async def work(runs: Runs) -> None:
        for refused in (
            runs.get("x"),
            runs.do("x", Step(1)),
            runs.delete("x"),
            runs.do("x", Rewind(0)),
            branch(runs, "x", 0, ME),
        ):
            with pytest.raises(RunNotFound):
                await refused
        run = await runs.create(ME, SPEC)
        await runs.delete(run.id)
        with pytest.raises(RunNotFound):
            await runs.do(run.id, Step(1))

    play(work)


@pytest.mark.parametrize("kind", ["value", "spec", "edits", "now"])
def test_a_damaged_run_is_refused_and_no_other(play: Play, kind: str) -> None:
    """One flipped bit in what was stored is noticed; the run beside it goes on."""

    async def work(runs: Runs) -> None:
        other = await runs.create(ME, SPEC)
        run = await runs.create(ME, SPEC)
        run = await edit(runs, run.id, "learning_rate", 0.5)
        record = await runs.store.get(f"run:{run.id}", ("spec", "edits", "now"))
        assert record is not None
        value, parts = record.value, {}
        if kind == "value":
            value = flipped(value)
        else:
            parts = {kind: {name: flipped(part) for name, part in record.parts[kind].items()}}
        await runs.store.put(f"run:{run.id}", value, expected=record.stamp, owner=record.owner, seconds=60, parts=parts)
        with pytest.raises(RunDamaged):
            await again(runs).get(run.id)
        await again(runs).do(other.id, Step(1))

    play(work)


def test_data_that_are_damaged_or_gone_are_noticed(place: str) -> None:
    """The run is refused, as if it were its own record."""
    data = {"x": [[0.5], [1.5], [2.5]], "y": [1, 2, 4]}

    async def work(runs: Runs) -> None:
        run = await runs.create(ME, Spec.make(dataset="custom", data=data))
        for found in (b'{"x":[[9.0]]}', None):
            runs.store.content = AsyncMock(return_value=found)  # type: ignore[method-assign]
            with pytest.raises(RunDamaged):
                await again(runs).get(run.id)

    play_in(place, work)


def flipped(data: bytes) -> bytes:
    place = len(data) * 2 // 3
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


def test_a_damaged_point_is_only_missing(play: Play) -> None:
    """Neither it nor a damaged kept state stops the run: a replay comes to the same bits."""

    async def work(runs: Runs) -> None:
        run = await runs.create(ME, SPEC)
        run, _ = await runs.do(run.id, Step(1100))
        record = await runs.store.get(f"run:{run.id}", ("point", "state"))
        assert record is not None
        parts = {"point": {"32": flipped(record.parts["point"]["32"])}}
        parts["state"] = {"1000": flipped(record.parts["state"]["1000"])}
        await runs.store.put(
            f"run:{run.id}", record.value, expected=record.stamp, owner=record.owner, seconds=60, parts=parts
        )
        seen = await again(runs).get(run.id)
        assert set(run.history.steps.tolist()) - set(seen.history.steps.tolist()) == {32}
        state = await again(runs).at(seen, 1050)
        assert np.array_equal(state.parameters, advance(start(SPEC), 1050).state.parameters)

    play(work)


def test_old_runs_make_room_and_fresh_ones_do_not(place: str) -> None:
    """A visitor at the limit loses the run idle longest, but none that is in use: then it is 'too many'."""

    async def work(runs: Runs) -> None:
        for _ in range(3):
            await runs.create(ME, SPEC)
        with pytest.raises(TooMany, match="3 runs"):
            await runs.create(ME, SPEC)
        await runs.create(YOU, SPEC)
        idle = Runs(runs.store, runs.settings.model_copy(update={"busy_seconds": -120.0}))
        await idle.create(ME, SPEC)
        assert len(await runs.list(ME)) == 3

    play_in(place, work, runs_per_visitor=3)


def test_runs_in_all_are_bounded(place: str) -> None:
    """Whoever makes them."""

    async def work(runs: Runs) -> None:
        for i in range(4):
            await runs.create(f"{i:043}", SPEC)
        with pytest.raises(TooMany, match="4 runs"):
            await runs.create(ME, SPEC)

    play_in(place, work, runs_in_all=4)


def test_who_has_most_makes_room(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stranger with eight of ten runs loses the oldest idle ones; nobody loses one, however idle, to who has more."""

    async def work(runs: Runs) -> None:
        idle = Runs(runs.store, runs.settings.model_copy(update={"busy_seconds": -120.0}))
        others = []
        with monkeypatch.context() as earlier:
            earlier.setattr(f"app.stores.{'redis' if '://' in place else 'sqlite'}.time", lambda: time() - 3_600)
            for i in range(2):
                CALLER.set(f"192.0.2.{i}")
                others.append(await runs.create(f"{i:043}", SPEC))
        CALLER.set("192.0.2.9")
        strangers = [await runs.create(f"{i:043}", SPEC) for i in range(100, 108)]
        for i in range(108, 112):
            with pytest.raises(TooMany, match="10 runs in all"):
                await runs.create(f"{i:043}", SPEC)
        strangers.append(await idle.create(f"{112:043}", SPEC))
        CALLER.set("192.0.2.2")
        others.append(await idle.create(ME, SPEC))
        for run in (*others, *strangers[-2:]):
            assert same(await again(runs).get(run.id), run)
        with pytest.raises(RunNotFound):
            await again(runs).get(strangers[0].id)

    play_in(place, work, runs_in_all=10)


def test_one_address_has_its_own_limits(place: str) -> None:
    """So many runs, whoever asks from there, the one idle longest making room; and so many a second. Others go on."""

    async def work(runs: Runs) -> None:
        CALLER.set("192.0.2.9")
        for i in range(3):
            await runs.create(f"{i:043}", SPEC)
        with pytest.raises(TooMany, match="3 runs from one address"):
            await runs.create(ME, SPEC)
        idle = Runs(runs.store, runs.settings.model_copy(update={"busy_seconds": -120.0}))
        await idle.create(ME, SPEC)
        assert await runs.store.count("run:") == 3
        CALLER.set("192.0.2.1")
        hasty = Runs(runs.store, runs.settings.model_copy(update={"runs_burst": 2.0, "runs_rate": 0.001}))
        await hasty.create(YOU, SPEC)
        await hasty.create(YOU, SPEC)
        with pytest.raises(TooMany, match="too many new runs from this address") as refused:
            await hasty.create(YOU, SPEC)
        assert refused.value.retry_after > 100
        CALLER.set("192.0.2.2")
        await hasty.create(YOU, SPEC)

    play_in(place, work, runs_per_address=3)


def test_a_full_store_refuses_new_runs_and_keeps_all_others(tmp_path: Path) -> None:
    """However long they have been idle; and those that are there can go on, every one of them."""

    async def work(runs: Runs) -> None:
        large, made = Spec.make(hidden=[100, 50]), list[Run]()

        async def fill(runs: Runs) -> None:
            for _ in range(100):
                made.append(await runs.create(ME, large))

        with pytest.raises(StoreFull):
            await fill(runs)
        idle = Runs(runs.store, runs.settings.model_copy(update={"busy_seconds": -120.0}))
        with pytest.raises(StoreFull):
            await fill(idle)
        assert len(made) > 3
        for run in made:
            stepped, _ = await again(runs).do(run.id, Step(3))
            assert stepped.state.step == 3

    play_in(str(tmp_path / "runs.sqlite3"), work, store_bytes=2 << 20)


def test_the_same_data_are_stored_once(play: Play) -> None:
    """By runs of one visitor or several, by branches and by runs with other settings; they go with the last of them,
    and a run is opened by its id alone, never by what its data are."""
    rng = np.random.default_rng(0)
    data = {"x": rng.normal(size=(200, 5)).tolist(), "y": rng.integers(0, 2, 200).tolist()}
    one = Spec.make(dataset="custom", data=data)
    two = Spec.make(dataset="custom", data=data, hidden=[3], seed=4)
    stored = Origin.of(one)
    assert stored.data is not None
    assert stored.data == Origin.of(two).data
    assert len(stored.whole) < 2_000 < len(stored.data)

    async def work(runs: Runs) -> None:
        first = await runs.create(ME, one)
        made = [first, await runs.create(YOU, two), (await runs.do(first.id, Branch(0), YOU))[0]]
        for run in made:
            assert await runs.store.content(f"run:{run.id}") == stored.data
            assert await runs.store.part(f"run:{run.id}", "spec", "origin") == Origin.of(run.origin).whole
            again_ = await again(runs).get(run.id)
            assert again_.origin == run.origin
            assert np.array_equal(again_.state.parameters, run.state.parameters)
        digest = sha256(stored.data).hexdigest()
        for name in (digest, stored.digest):
            with pytest.raises(RunNotFound):
                await runs.get(name)
            assert await runs.store.content(name) is None
        for run in made[:2]:
            await runs.delete(run.id)
        await again(runs).do(made[2].id, Step(3))
        await runs.delete(made[2].id)
        assert await runs.store.content(f"run:{made[2].id}") is None

    play(work)


def test_a_run_of_another_version_is_told_from_a_damaged_one(play: Play) -> None:
    """A form that no reader knows, behind a checksum that is right: its own failure. It is kept, and not listed."""

    async def work(runs: Runs) -> None:
        run = await runs.create(ME, SPEC)
        record = await runs.store.get(f"run:{run.id}")
        assert record is not None
        later = seal(b"RUN9", b"what nobody here can read")
        await runs.store.put(f"run:{run.id}", later, expected=record.stamp, seconds=60)
        with pytest.raises(OtherVersion):
            await runs.get(run.id)
        assert await runs.list(ME) == []
        kept = await runs.store.get(f"run:{run.id}")
        assert kept is not None
        assert kept.value == later
        await runs.store.put(f"run:{run.id}", b"RUN9" + later[4:-1] + b"X", expected=kept.stamp, seconds=60)
        with pytest.raises(RunDamaged):
            await runs.get(run.id)

    play(work)


def test_a_version_that_comes_back_is_not_believed(play: Play) -> None:
    """A store that lost its last writes counts up to the same number again: neither is what was seen before shown for
    it, nor is it overwritten."""

    async def work(runs: Runs) -> None:
        run = await runs.create(ME, SPEC)
        kept = await runs.store.get(f"run:{run.id}", KINDS)
        assert kept is not None
        await runs.do(run.id, Step(500))
        await runs.store.delete(f"run:{run.id}")
        back = await runs.store.put(
            f"run:{run.id}",
            kept.value,
            owner=kept.owner,
            seconds=60,
            parts=kept.parts,  # type: ignore[arg-type]
        )
        assert back is not None
        assert back.version == run.version
        other, _ = await again(runs).do(run.id, Step(7))
        seen = await runs.get(run.id)
        assert (seen.version, seen.state.step) == (other.version, 7) == (2, 7)
        lost = Stamp(seen.version, "0123456789abcdef")
        assert not await runs.store.put(f"run:{run.id}", kept.value, expected=lost, seconds=60)

    play(work)


def test_a_step_that_would_take_too_long_is_refused() -> None:
    """Before anything is computed."""
    chosen = Settings(most_step_seconds=1e-6)

    async def main() -> None:
        with pytest.raises(SpecError, match="less work"):
            await Runs(store_for(chosen), chosen).create(ME, SPEC)

    asyncio.run(main())


@pytest.mark.parametrize(
    ("limit", "fits", "does_not"),
    [
        ({"units": 6}, {"hidden": [6]}, {"hidden": [7]}),
        ({"hidden_layers": 2}, {"hidden": [1, 1]}, {"hidden": [1, 1, 1]}),
        ({"parameters": 25}, {"hidden": [6]}, {"hidden": [7]}),
        ({"batch_activations": 70}, {"hidden": [6], "batch_size": 10}, {"hidden": [6], "batch_size": 11}),
    ],
)
def test_limits_bind_at_their_number(
    tmp_path: Path, limit: dict[str, int], fits: dict[str, Any], does_not: dict[str, Any]
) -> None:
    """What is exactly at a limit that was set lower is allowed, one more is not, whoever asks."""

    async def work(runs: Runs) -> None:
        await runs.create(ME, Spec.make(fits))
        with pytest.raises(SpecError, match=r"hidden|batch_size"):
            await runs.create(ME, Spec.make(does_not))

    play_in(str(tmp_path / "runs.sqlite3"), work, **limit)


def test_steps_and_edits_of_a_run_are_bounded(tmp_path: Path) -> None:
    """At the number that is set, and not one further."""

    async def work(runs: Runs) -> None:
        run = await runs.create(ME, SPEC)
        await runs.do(run.id, Step(10))
        for count in (0, 11):
            with pytest.raises(SpecError, match="count"):
                await runs.do(run.id, Step(count))
        for value in (0.1, 0.2):
            await edit(runs, run.id, "learning_rate", value)
        with pytest.raises(TooMany, match="2 changes"):
            await edit(runs, run.id, "learning_rate", 0.3)

    play_in(str(tmp_path / "runs.sqlite3"), work, steps_per_request=10, edits_per_run=2)


def test_history_is_sampled_evenly_and_bounded() -> None:
    """Whether a run is carried on in one piece or in many; the last point is always the head."""
    retention = Retention(points=50)
    whole, _ = carry(begin(SPEC), 1000, 9.0, retention)
    pieces = begin(SPEC)
    for count in (7, 193, 300, 500):
        pieces, _ = carry(pieces, count, 9.0, retention)
    assert len(whole.sampled.steps) <= 51
    assert whole.history.steps.tolist() == pieces.history.steps.tolist() == [*range(0, 1000, 32), 1000]
    assert np.array_equal(whole.history.values, pieces.history.values, equal_nan=True)
    assert whole.history.values.shape[1] == len(columns(SPEC)) == 4 + 4 * 3
    assert whole.history.values[-1, 0] == whole.metrics["train"].loss


def in_steps(spec: Spec, step: int) -> Training:
    training = begin(spec)
    for _ in range(step):
        training, _ = carry(training, 1, 9.0, Retention())
    return training


def same_history(one: Training, other: Training) -> bool:
    steps = one.history.steps.tolist() == other.history.steps.tolist()
    return steps and np.array_equal(one.history.values, other.history.values, equal_nan=True)


def test_history_of_a_run_that_ends_sooner_is_as_close() -> None:
    """Asked for 10,000 steps and diverged after 251: the points, and the state before, are those of 251 steps."""
    spec = Spec.make(dataset="plane", activation="relu", learning_rate=5, hidden=[8, 8])
    ended, steps = carry(begin(spec), 10_000, 9.0, Retention(), before=True)
    assert ended.state.divergence
    assert ended.state.step == steps.done == 251
    assert steps.before
    assert steps.before.step == 250
    assert len(ended.sampled.steps) > 50
    assert same_history(ended, in_steps(spec, 251))


def test_history_of_a_run_whose_time_is_up_is_as_close(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever time cuts a request for 100,000 steps, on a machine as fast as expected or not."""
    for slow in (4.0, 1e-3):
        monkeypatch.setattr("app.run.history.SLOW", slow)
        cut, _ = carry(begin(SPEC), 100_000, 0.003, Retention())
        at_once, _ = carry(cut, 100_000, 0.0, Retention())
        assert 0 < cut.state.step == at_once.state.step - 1 < 20_000
        assert same_history(at_once, in_steps(SPEC, at_once.state.step))


def test_states_are_kept_densely_enough_and_bounded() -> None:
    """At most 16 of them, at most 50 ms of replay apart where steps are slow, never over their bytes."""
    retention = Retention()
    for spec in (SPEC, Spec.make(dataset="digits16", hidden=[256, 128])):
        for step in (10, 1_000, 10_000, 1_000_000):
            assert step // retention.state_stride(spec, step) <= 16
    assert retention.state_stride(SPEC, 10_000) == 1000


def test_runs_in_memory_are_bounded_with_all_that_was_given() -> None:
    """Of runs with 10,000 numbers of their own data, 80 kB, most stay; of those with a thousand edits two dozen, and of
    those with a hundred edits that hold hundreds of parameters a handful."""
    x = [[float(i + j) for j in range(9)] for i in range(1000)]
    given = begin(Spec.make(dataset="custom", data={"x": x, "y": [i % 2 for i in range(1000)]}))
    edited = replace(begin(SPEC), edits=tuple(Edit(0, "learning_rate", 0.1 + i) for i in range(1000)))
    held = replace(begin(SPEC), edits=tuple(Edit(0, "frozen", [f"w2.{i}.{j}" for j in range(400)]) for i in range(100)))
    for made, least, most in ((given, 60, 95), (edited, 10, 30), (held, 1, 5), (begin(SPEC), 100, 100)):
        cache = Cache()
        for i in range(100):
            parts = (made.origin, made.edits, made.state, made.metrics, made.sampled)
            cache.put(Run(*parts, str(i), "", 1, ""))
        assert least <= sum(cache.get(str(i)) is not None for i in range(100)) <= most
        assert cache.get("99")


async def failing(owner: object, name: str, error: Exception, work: Awaitable[Any]) -> None:
    """The work, with a method that raises."""
    with pytest.MonkeyPatch.context() as planted:
        planted.setattr(owner, name, AsyncMock(side_effect=error))
        with pytest.raises(type(error)):
            await work


ROWS = st.lists(st.integers(0, 30), min_size=1, max_size=3, unique=True)
REFUSED: list[Deed] = [
    Step(0), Step(10**6), Step(until=-1), Step(until=10**8, whole=True), Step(examples=(999,)),
    Step(3, examples=(1,)), Change({"hidden": [3]}), Change({"learning_rate": 0.2, "W9.9.9": 1}),
    Change({"examples": [8]}), Freeze("W9.9.9"),
]  # fmt: skip


class Life(RuleBasedStateMachine):
    """A run's life with two clients and a model of it: a list of what was done. Every state is the replay of that."""

    runs: Runs
    loop: asyncio.AbstractEventLoop

    @initialize()
    def create(self) -> None:
        self.clients = [self.runs, again(self.runs)]
        self.id = self.do(self.runs.create(ME, SPEC)).id
        self.step, self.edits, self.version, self.keys = 0, list[Edit](), 1, dict[str, int]()

    def do(self, work: Awaitable[Any]) -> Any:
        return self.loop.run_until_complete(work)  # type: ignore[arg-type]

    @rule(client=st.integers(0, 1), count=st.integers(1, 400))
    def advance(self, client: int, count: int) -> None:
        run, steps = self.do(self.clients[client].do(self.id, Step(count)))
        self.step += count
        self.check(run)
        assert steps.done == count

    @rule(client=st.integers(0, 1), key=st.sampled_from("abc"))
    def retry(self, client: int, key: str) -> None:
        run, steps = self.do(self.clients[client].do(self.id, Step(2), key=key))
        assert (steps.earlier is not None) == (key in self.keys)
        if key in self.keys:
            assert run.version == self.version
        else:
            self.keys[key] = self.step
            self.step += 2
            self.check(run)

    @rule(
        client=st.integers(0, 1), field=st.sampled_from(["learning_rate", "W1.1.1", "b2.1"]), value=st.floats(0.01, 1)
    )
    def edit(self, client: int, field: str, value: float) -> None:
        self.edits.append(Edit(self.step, field, value))
        self.check(self.do(edit(self.clients[client], self.id, field, value)))

    @rule(client=st.integers(0, 1), ahead=st.integers(-20, 60))
    def until(self, client: int, ahead: int) -> None:
        run, steps = self.do(self.clients[client].do(self.id, Step(until=max(0, self.step + ahead))))
        assert steps.done == max(0, ahead)
        self.step += steps.done
        self.check(run) if steps.done else self.same(run)

    @rule(
        client=st.integers(0, 1),
        back=st.integers(0, 300),
        rows=st.lists(st.integers(0, 30), min_size=1, max_size=3, unique=True),
    )
    def examples(self, client: int, back: int, rows: list[int]) -> None:
        at = max(0, self.step - back)
        self.go_back(at)
        self.edits.append(Edit(at, "examples", rows))
        self.step = at + 1
        self.check(self.do(self.clients[client].do(self.id, Step(examples=tuple(rows), at=at)))[0])

    @rule(client=st.integers(0, 1), back=st.integers(1, 300), deed=st.sampled_from(REFUSED))
    def refused(self, client: int, back: int, deed: Deed) -> None:
        with pytest.raises(SpecError):
            self.do(self.clients[client].do(self.id, replace(deed, at=max(0, self.step - back))))
        self.same(self.do(self.clients[1 - client].get(self.id)))

    @rule(client=st.integers(0, 1), back=st.integers(0, 300), failure=st.sampled_from(["busy", "store", "stale"]))
    def fails(self, client: int, back: int, failure: str) -> None:
        deed, runs = Step(5, at=max(0, self.step - back)), self.clients[client]
        if failure == "stale":
            with pytest.raises(Conflict):
                self.do(runs.do(self.id, deed, version=self.version + 1))
        else:
            busy, unsaved = Busy("planted", 503), StoreUnavailable("planted")
            planted = (runs.pool, "do", busy) if failure == "busy" else (runs.store, "put", unsaved)
            self.do(failing(*planted, runs.do(self.id, deed)))
        self.same(self.do(runs.get(self.id)))

    def go_back(self, step: int) -> None:
        self.step, self.edits = step, [edit for edit in self.edits if edit.after <= step]

    def same(self, run: Run) -> None:
        assert run.version == self.version
        self.compare(run, self.step, self.edits)

    @rule(client=st.integers(0, 1), back=st.integers(1, 500))
    def rewind(self, client: int, back: int) -> None:
        if self.step == 0:
            return
        self.go_back(max(0, self.step - back))
        self.check(self.do(self.clients[client].do(self.id, Rewind(self.step)))[0])

    @rule(client=st.integers(0, 1))
    def stale(self, client: int) -> None:
        if self.version > 1:
            with pytest.raises(Conflict):
                self.do(self.clients[client].do(self.id, Step(1), version=self.version - 1))

    @rule(client=st.integers(0, 1), share=st.floats(0, 1))
    def branch(self, client: int, share: float) -> None:
        step = int(share * self.step)
        made = self.do(branch(self.clients[client], self.id, step, YOU))
        self.compare(made, step, [edit for edit in self.edits if edit.after <= step])
        self.do(self.clients[client].delete(made.id))

    @precondition(lambda self: self.step > 0)
    @rule(client=st.integers(0, 1), share=st.floats(0, 1))
    def look(self, client: int, share: float) -> None:
        step = int(share * self.step)
        run = self.do(self.clients[client].get(self.id))
        state = self.do(self.clients[client].at(run, step))
        expected = replay(start(SPEC), self.edits, step)
        assert np.array_equal(state.parameters, expected.parameters)

    def check(self, run: Run) -> None:
        self.version += 1
        assert run.version == self.version
        self.compare(run, self.step, self.edits)
        assert len(run.history.steps) <= 302

    def compare(self, run: Run, step: int, edits: list[Edit]) -> None:
        expected = replay(start(SPEC), edits, step)
        assert (run.state.step, list(run.edits)) == (step, edits)
        assert np.array_equal(run.state.parameters, expected.parameters)
        assert run.history.steps[-1] == step


def test_the_life_of_a_run(place: str) -> None:
    """Whatever two clients do to a run, in whatever order, it is the replay of what was acknowledged."""
    loop = asyncio.new_event_loop()
    chosen = Settings(store=place, step_seconds=60, replay_seconds=60)
    store: Store = store_for(chosen)
    loop.run_until_complete(store.open())
    runs = Runs(store, chosen)
    machine = type("Machine", (Life,), {"runs": runs, "loop": loop})
    try:
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=12,
                stateful_step_count=14,
                deadline=None,
                derandomize=True,
                suppress_health_check=list(HealthCheck),
            ),
        )
    finally:
        runs.close()
        loop.run_until_complete(store.close())
        loop.close()


def test_what_another_did_meanwhile_is_not_gone_back_from(play: Play) -> None:
    """Play that pauses goes back to what is seen if the run stands where it was left; else nothing is done."""

    async def work(runs: Runs) -> None:
        run = await runs.create(ME, SPEC)
        run, _ = await runs.do(run.id, Step(40))
        await runs.do(run.id, Step(2))  # in another tab
        stayed, _ = await runs.do(run.id, Rewind(30, head=40))
        assert (stayed.state.step, stayed.version) == (42, (await runs.get(run.id)).version)
        assert (await runs.do(run.id, Rewind(30, head=42)))[0].state.step == 30

    play(work)


def test_what_is_refused_in_the_past_loses_nothing(play: Play) -> None:
    """Whatever the deed and whyever it fails, the run stands where it stood: a run at 500, looked at from step 3."""

    async def work(runs: Runs) -> None:
        run = await runs.create(ME, SPEC)
        run, _ = await runs.do(run.id, Step(500))
        for deed in REFUSED:
            with pytest.raises(SpecError):
                await runs.do(run.id, replace(deed, at=3))
            assert same(await again(runs).get(run.id), run)
        assert (await again(runs).get(run.id)).version == 2

    play(work)


def test_until_is_safe_to_repeat(tmp_path: Path) -> None:
    """The same request again and again comes to the step and stays there, and says how far it came each time."""

    async def work(runs: Runs) -> None:
        run = await runs.create(ME, SPEC)
        for expected in ((40, 100), (40, 60), (20, 20), (0, 0), (0, 0)):
            run, steps = await runs.do(run.id, Step(until=100))
            assert (steps.done, steps.asked) == expected
            assert (steps.truncated is None) == (steps.done == steps.asked)
        assert (run.state.step, run.version) == (100, 4), "there was nothing to save"
        run, steps = await runs.do(run.id, Step(until=30))
        assert (run.state.step, steps.done) == (100, 0)
        run, steps = await runs.do(run.id, Step(5, until=103))
        assert (run.state.step, steps.done) == (103, 3)

    play_in(str(tmp_path / "runs.sqlite3"), work, steps_per_request=40)


def test_all_or_none(tmp_path: Path) -> None:
    """`whole` takes all steps whatever one request's budget is; where they cannot fit it says how many do."""

    async def work(runs: Runs) -> None:
        run = await runs.create(ME, SPEC)
        run, steps = await runs.do(run.id, Step(2_000, whole=True))
        assert (steps.done, steps.truncated) == (2_000, None)
        with pytest.raises(SpecError, match=r"count.*at most ([\d,]+) to be taken") as refused:
            await runs.do(run.id, Step(90_000, whole=True))
        largest = int(re.sub(r"\D", "", str(refused.value.allowed)))
        assert 2_000 < largest < 90_000
        with pytest.raises(SpecError, match=f"until.*at most {largest + 2_000:,} to be reached"):
            await runs.do(run.id, Step(until=92_000, whole=True))
        assert (await runs.get(run.id)).state.step == 2_000
        with pytest.MonkeyPatch.context() as slow:
            slow.setattr("app.run.deeds.SLOW", 0.0)
            with pytest.raises(Busy):
                await runs.do(run.id, Step(5_000, whole=True))
        assert (await again(runs).get(run.id)).state.step == 2_000

    play_in(str(tmp_path / "runs.sqlite3"), work, step_seconds=0.001, replay_seconds=0.5)


def test_a_new_start_is_the_same_run_only_from_its_own_beginning(play: Play) -> None:
    """Changes stay: what they make is another run, and the first is as it was; without any the run begins again."""

    async def work(runs: Runs) -> None:
        run = await runs.create(ME, SPEC)
        await runs.do(run.id, Step(9))
        run = await edit(runs, run.id, "learning_rate", 0.5)
        other, _ = await runs.do(run.id, NewStart(), ME)
        assert (other.id != run.id, other.state.step, other.origin.learning_rate) == (True, 0, 0.5)
        assert same(await again(runs).get(run.id), run)
        await runs.do(other.id, Step(9))
        begun, _ = await runs.do(other.id, NewStart(), ME)
        assert (begun.id, begun.state.step, begun.version) == (other.id, 0, 3)

    play(work)


def test_a_key_of_the_first_release_is_remembered() -> None:
    """A request that was answered by 0.1.0 and comes again is not carried out again: what it asked is spelled alike."""
    spelled: list[tuple[tuple[object, ...], Deed]] = [
        (("step", 3), Step(3)), (("edit", {"learning_rate": 0.1}, None), Change({"learning_rate": 0.1})),
        (("edit", {"b1.1": 1}, 4), Change({"b1.1": 1}, at=4)), (("rewind", 0), Rewind(0)), (("reset",), Reset()),
    ]  # fmt: skip
    for asked, deed in spelled:
        assert Once.of("k", deed).digest == sha256(repr(asked).encode()).hexdigest()
    assert len({Once.of("k", deed).digest for deed in (Step(3), Step(3, whole=True), Step(until=3), Step(4))}) == 4


def test_a_store_that_fails_leaves_the_run_as_it_was(play: Play) -> None:
    """A step that could not be saved has not happened, for the cache neither."""

    async def work(runs: Runs) -> None:
        run = await runs.create(ME, SPEC)
        put = runs.store.put

        async def failing(*args: Any, **kwargs: Any) -> bool:
            raise StoreUnavailable("planted")

        runs.store.put = failing  # type: ignore[method-assign]
        with pytest.raises(StoreUnavailable):
            await runs.do(run.id, Step(1))
        runs.store.put = put  # type: ignore[method-assign]
        assert (await runs.get(run.id)).state.step == 0
        run, _ = await runs.do(run.id, Step(1))
        assert run.state.step == 1

    play(work)


def test_history_keeps_every_digit() -> None:
    """Its losses are the run's own to the last bit, however large, and so they are when they are read again."""
    course, _ = carry(begin(Spec.make(dataset="line", hidden=[], learning_rate=3.0)), 400, 9.0, Retention())
    losses = course.history.values[:, 0]
    assert losses[-1] == course.metrics["train"].loss
    assert losses[-1] > 1e100
    assert np.isfinite(losses).all()
    points = dict(zip(map(str, course.sampled.steps.tolist()), map(point_bytes, course.sampled.values), strict=True))
    again = sampled_of(points, 400, course.sampled.values.shape[1])
    np.testing.assert_array_equal(again.steps, course.sampled.steps)
    np.testing.assert_array_equal(again.values, course.sampled.values)


def test_points_of_the_first_release_are_read() -> None:
    """They are of four bytes a number, told apart by their length, and stand beside those of eight."""
    old, new = np.array([0.25, 0.5], np.float32).tobytes(), np.array([0.1, 0.2])
    points = {"0": crc32(old).to_bytes(4, "little") + old, "10": point_bytes(new), "20": b"neither"}
    read = sampled_of(points, 20, 2)
    assert read.steps.tolist() == [0, 10]
    assert read.values.tolist() == [[0.25, 0.5], [0.1, 0.2]]
