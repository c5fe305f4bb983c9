"""The looks into one step over JSON: their numbers are the engine's, and whatever is asked wrongly gets a clear 422."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import httpx
import numpy as np
import pytest

from app.explain import schemas
from app.explain.walkthrough import walkthrough
from app.main import create_app
from app.settings import Settings
from engine import Spec, advance, start, trace
from engine.along import along
from engine.health import health
from engine.probes import check_all, nudge, slice_, wishes

LINE = {"dataset": "line", "hidden": [], "samples": 40}
Client = httpx.AsyncClient
ANSWERS = {
    "walkthrough?granularity=operation": schemas.WalkthroughAnswer,
    "walkthrough?granularity=pass&example=3": schemas.WalkthroughAnswer,
    "walkthrough?granularity=unit&mathml=true": schemas.WalkthroughAnswer,
    "receipt?address=b2.1&mathml=true": schemas.ReceiptAnswer,
    "receipt?address=W2.1.3": schemas.ReceiptAnswer,
    "receipt?address=a2.1&example=5": schemas.ReceiptAnswer,
    "receipt?address=a0.2": schemas.ReceiptAnswer,
    "nudge?address=b1.2&amount=-0.01": schemas.NudgeAnswer,
    "check": schemas.CheckAnswer,
    "check?example=7": schemas.CheckAnswer,
    "slice?address=W1.1.1": schemas.SliceAnswer,
    "again": schemas.AlongAnswer,
    "paths?address=W1.1.1&example=8": schemas.PathsAnswer,
    "paths?address=b3.1&example=0": schemas.PathsAnswer,
    "again?example=8&reach=2": schemas.AlongAnswer,
    "contour?x=W1.1.1&y=b1.1": schemas.ContourAnswer,
    "plane": schemas.PlaneAnswer,
    "plane?across=2&up=1&points=3": schemas.PlaneAnswer,
    "wishes": schemas.WishesAnswer,
    "wishes?address=W1.1.1&gradients=true": schemas.WishesAnswer,
    "health": schemas.HealthAnswer,
}


def with_run(tmp_path: Path, spec: dict[str, Any], steps: int, work: Callable[[Client, str], Awaitable[None]]) -> None:
    """An application of its own, a run in it that has taken some steps, and a client."""

    async def main() -> None:
        app = create_app(Settings(store=str(tmp_path / "runs.sqlite3"), step_seconds=60, replay_seconds=60))
        transport = httpx.ASGITransport(app=app)
        async with app.router.lifespan_context(app), Client(transport=transport, base_url="http://127.0.0.1") as client:
            made = await client.post("/api/v1/runs", json=spec)
            path = f"/api/v1/runs/{made.json()['id']}/"
            await client.post(path + "step", json={"count": steps})
            await work(client, path)

    asyncio.run(main())


def state_of(spec: dict[str, Any], steps: int) -> Any:
    return advance(start(Spec.make(spec)), steps).state


def test_every_answer_is_what_its_schema_says(tmp_path: Path) -> None:
    """All looks at a run, and at one that has diverged, fit their models and hold no NaN."""

    async def work(client: Client, path: str) -> None:
        for ask, model in ANSWERS.items():
            answer = await client.get(path + ask)
            assert answer.status_code == 200, (ask, answer.text)
            assert answer.headers["content-type"] == "application/json"
            model.model_validate_json(answer.content)

    with_run(tmp_path, {}, 20, work)

    async def diverged(client: Client, path: str) -> None:
        for ask in (
            "walkthrough",
            "receipt?address=W1.1.1",
            "nudge?address=W1.1.1",
            "check",
            "slice?address=b1.1",
            "again",
            "contour?x=W1.1.1&y=b1.1",
            "wishes",
            "health",
        ):
            answer = await client.get(path + ask)
            assert answer.status_code == 200, (ask, answer.text)
        assert answer.json()["problem"] == "diverged"

    with_run(tmp_path, LINE | {"learning_rate": 10.0}, 400, diverged)


def test_the_walkthrough_is_the_engines(tmp_path: Path) -> None:
    """The same moments, the trace's numbers, one moment as all of them, and the past as it was."""
    step = trace(state_of({}, 20), 8)

    async def work(client: Client, path: str) -> None:
        told = (await client.get(path + "walkthrough?example=8&granularity=operation")).json()
        walk = walkthrough(step, "operation")
        assert told["count"] == len(walk) == len(told["moments"])
        assert told["code"] == list(walk.program.lines)
        for mine, theirs in zip(walk, told["moments"], strict=True):
            assert theirs["targets"] == list(map(str, mine.targets))
            for name, value in mine.values.items():
                np.testing.assert_array_equal(theirs["values"][name], value)
        one = (await client.get(path + "walkthrough?example=8&granularity=operation&moment=51")).json()
        assert one["moments"] == [told["moments"][51]]
        past = (await client.get(path + "walkthrough?example=8&step=4")).json()
        assert past["step"] == 4
        delta = next(m for m in past["moments"] if "dz2.1" in m["targets"])
        assert delta["values"]["dz"] == trace(state_of({}, 4), 8).layers[1].dz[:, 0].tolist()

    with_run(tmp_path, {}, 20, work)


def test_symbols_come_as_the_page_sets_them(tmp_path: Path) -> None:
    """With mathml=true each moment and receipt has its equations, a receipt's the page's own markup; else null."""

    async def work(client: Client, path: str) -> None:
        run = path.split("/")[-2]
        for ask in ("walkthrough?example=8&moment=12", "receipt?example=8&address=W2.1.3"):
            answers = [(await client.get(path + ask + more)).json() for more in ("&mathml=true", "")]
            told, plain = (answer.get("moments", [answer])[0] for answer in answers)
            assert plain["mathml"] is None
            assert told == plain | {"mathml": told["mathml"]}
            assert len(told["mathml"]) > 1
            for equation in told["mathml"]:
                assert ElementTree.fromstring(equation).tag.endswith("}math")
            view = f"/runs/{run}/frame?example=8&moment=12&select=W2.1.3"
            page = (await client.get(view, headers={"HX-Request": "true"})).text
            assert "moment" in ask or all(f"{equation}</p>" in page for equation in told["mathml"])

    with_run(tmp_path, {}, 20, work)


def test_probes_are_the_engines(tmp_path: Path) -> None:
    """Nudge, check, slice, wishes and health answer what the engine answers, to the last bit."""
    state = state_of({}, 20)

    async def work(client: Client, path: str) -> None:
        async def get(ask: str) -> Any:
            return (await client.get(path + ask)).json()

        nudged, told = nudge(state, "W2.1.3", 0.01, 5), await get("nudge?address=W2.1.3&amount=0.01&example=5")
        assert (told["before"], told["after"], told["gradient"]) == (nudged.before, nudged.after, nudged.gradient)
        assert (await get("check"))["largest"] == check_all(state).largest
        assert (await get("slice?address=b1.1"))["losses"] == slice_(state, "b1.1").losses.tolist()
        assert (await get("again?example=5"))["losses"] == along(state, 5).losses.tolist()
        wished, told = wishes(state), await get("wishes?address=W1.1.1&gradients=true")
        assert [wish["gradient"] for wish in told["wishes"]] == wished.gradients.tolist()
        assert told["addresses"][0] == "W1.1.1"
        assert told["mean"] == wished.mean[0]
        assert [wish["wish"] for wish in told["wishes"]] == wished.gradients[:, 0].tolist()
        layers = (await get("health"))["layers"]
        assert [layer["gradient_norm"] for layer in layers] == [layer.gradient_norm for layer in health(trace(state))]
        receipt = (await get("receipt?address=W2.1.3"))["facts"]
        parts = sum(part["value"] for part in receipt["parts"])
        assert receipt["now"] + parts == pytest.approx(receipt["next"], rel=1e-12)

    with_run(tmp_path, {}, 20, work)


def test_the_contour_has_the_path_that_was_walked(tmp_path: Path) -> None:
    """From the start to now, each point where the two parameters stood at that step."""

    async def work(client: Client, path: str) -> None:
        told = (await client.get(path + "contour?x=W1.1.1&y=b1.1")).json()
        assert told["path_steps"][0] == 0
        assert told["path_steps"][-1] == 60
        for at, point in zip(told["path_steps"], told["path"], strict=True):
            assert point == state_of(LINE, at).parameters.tolist()
        assert told["now"] == told["path"][-1]

    with_run(tmp_path, LINE, 60, work)


WRONG = {
    "walkthrough?granularity=atom": "granularity",
    "walkthrough?example=200": "example",
    "walkthrough?example=-1": "example",
    "walkthrough?moment=4000": "moment",
    "walkthrough?step=21": "step",
    "receipt": "address",
    "receipt?address=W9.1.1": "address",
    "receipt?address=%F0%9F%98%80": "address",
    "receipt?address=a1.%D9%A1": "address",
    "nudge?address=b1.1&amount=0": "amount",
    "nudge?address=b1.1&amount=nan": "amount",
    "nudge?address=b1.1&amount=x": "amount",
    "nudge?address=a1.1": "address",
    "slice?address=b1.1&width=-2": "width",
    "again?reach=0": "reach",
    "paths?address=W1.1.1": "example",
    "paths?address=a1.1&example=1": "address",
    "paths?address=b3.1&example=200": "example",
    "again?reach=nan": "reach",
    "again?example=200": "example",
    "slice?address=b1.1&width=inf": "width",
    "contour?x=b1.1&y=b1.1": "y",
    "contour?x=b1.1": "y",
    "contour?x=q&y=b1.1": "x",
    "plane?across=3": "across",
    "plane?across=x": "across",
    "plane?across=2&up=2": "up",
    "plane?points=1": "points",
    "plane?points=101": "points",
    "plane?of=1": "of",
    "wishes?address=x": "address",
    "wishes?gradients=maybe": "gradients",
    "walkthrough?mathml=yes": "mathml",
    **dict.fromkeys((f"walkthrough?place={none}" for none in ("q", "a1.2", "a1.1.1.1", "W1.1.1", "-")), "place"),
    "receipt?address=b2.1&mathml=1": "mathml",
    "check?example=1e9": "example",
    "health?step=99999999999999999999": "step",
}


def test_what_is_asked_wrongly_is_named(tmp_path: Path) -> None:
    """A problem document with the field and what is allowed; another run than there is gets a 404."""

    async def work(client: Client, path: str) -> None:
        for ask, field in WRONG.items():
            answer = await client.get(path + ask)
            assert answer.status_code == 422, (ask, answer.status_code)
            assert answer.headers["content-type"] == "application/problem+json"
            (found,) = answer.json()["errors"]
            assert found["field"] == field, ask
            assert found["allowed"]
        for ask in ANSWERS:
            assert (await client.get(f"/api/v1/runs/{'x' * 22}/{ask}")).status_code == 404

    with_run(tmp_path, {}, 20, work)


def test_a_walkthrough_that_would_be_too_large_is_refused(tmp_path: Path) -> None:
    """With what to ask for instead; one moment of it is still told."""
    spec = {"samples": 5000, "batch_size": 5000, "hidden": [8, 8, 8], "test_share": 0}

    async def work(client: Client, path: str) -> None:
        answer = await client.get(path + "walkthrough?granularity=operation")
        assert answer.status_code == 422
        assert "one example" in answer.json()["errors"][0]["allowed"]
        assert (await client.get(path + "walkthrough?granularity=operation&moment=3")).status_code == 200

    with_run(tmp_path, spec, 1, work)


def test_what_comes_out_over_two_inputs_of_many(tmp_path: Path) -> None:
    """By name or number, all others at their mean: what /predict answers there, in the data's own units."""
    rows = [[3000.0 + 70 * i, 30.0 + i % 7, float(i % 3), 0.1 * i] for i in range(40)]
    names = ["mass", "bill", "1", "age"]
    data = {"x": rows, "y": [5.0 * row[0] - 9 * row[1] for row in rows], "names": names}

    async def work(client: Client, path: str) -> None:
        told = (await client.get(path + "plane?across=mass&up=2&points=5")).json()
        assert (told["across"], told["up"]) == ("mass", "bill")
        assert told["x"][0] < 3000 < 5700 < told["x"][-1]
        mean = told["rest"]
        asked = [[x, y, *mean[2:]] for y in told["y"] for x in told["x"]]
        answers = (await client.post(path + "predict", json={"inputs": asked})).json()["outputs"]
        assert np.allclose(np.ravel(told["outputs"]), np.ravel(answers))
        assert (await client.get(path + "plane?across=1&up=4&points=5")).json()["across"] == "1"
        train = (await client.get(path + "data")).json()
        assert np.allclose(mean, np.mean(train["x"][: train["train"]], axis=0))

    with_run(tmp_path, {"data": data}, 20, work)
