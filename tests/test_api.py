"""The JSON API in process: the names are a contract, and whatever is sent is answered, never with a 500."""

import asyncio
import csv
import io
import json
import math
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import orjson
import pytest
from declared import as_declared
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st

from app.main import create_app
from app.run import schemas, spec_schemas
from app.run.backprop_body import BackpropBody
from app.serve.errors import ProblemAnswer
from app.serve.strict import BadJson, decode
from app.settings import Settings
from engine import FIELDS, Spec, advance, start, trace

Work = Callable[[httpx.AsyncClient], Awaitable[None]]
RUN = {"id", "version", "spec", "edits", "step", "epoch", "loss", "accuracy", "diverged", "url"}


@asynccontextmanager
async def served(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://playground") as client:
            yield client


def play(folder: Path, work: Work, **more: Any) -> None:
    async def main() -> None:
        async with served(create_app(Settings(data=folder, **({"step_seconds": 60} | more)))) as client:
            client.event_hooks = {"response": [as_declared]}
            await work(client)

    asyncio.run(main())


async def made(client: httpx.AsyncClient, **spec: Any) -> str:
    answer = await client.post("/api/v1/runs", json=spec)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def test_a_run_is_made_read_stepped_and_deleted(tmp_path: Path) -> None:
    """With the documented names, defaults and numbers: those of the engine."""

    async def work(client: httpx.AsyncClient) -> None:
        answer = await client.post("/api/v1/runs")
        run = answer.json()
        assert (answer.status_code, answer.headers["location"]) == (201, f"/api/v1/runs/{run['id']}")
        assert set(run) == RUN
        assert run["spec"] == orjson.loads(orjson.dumps(Spec.make().to_dict()))
        assert (run["step"], run["epoch"], run["diverged"], run["version"]) == (0, 0, None, 1)
        assert set(run["loss"]) == set(run["accuracy"]) == {"train", "test"}

        stepped = (await client.post(f"/api/v1/runs/{run['id']}/step", json={"count": 13})).json()
        assert set(stepped) == RUN | {"asked", "done", "truncated", "losses"}
        expected = advance(start(Spec.make()), 13)
        assert stepped["losses"] == {"step": list(range(1, 14)), "loss": expected.losses.tolist()}
        assert (stepped["step"], stepped["epoch"], stepped["asked"], stepped["done"]) == (13, 1, 13, 13)
        read = await client.get(f"/api/v1/runs/{run['id']}")
        assert read.json() == {name: stepped[name] for name in RUN}

        assert (await client.delete(f"/api/v1/runs/{run['id']}")).status_code == 204
        assert (await client.get(f"/api/v1/runs/{run['id']}")).status_code == 404

    play(tmp_path, work)


def test_many_losses_are_thinned(tmp_path: Path) -> None:
    """To at most a thousand, the first and the last among them, each with its step."""

    async def work(client: httpx.AsyncClient) -> None:
        run = await made(client)
        answer = (await client.post(f"/api/v1/runs/{run}/step", json={"count": 3000})).json()
        losses = answer["losses"]
        assert len(losses["step"]) == len(losses["loss"]) == 1000
        assert (losses["step"][0], losses["step"][-1]) == (1, 3000)

    play(tmp_path, work, step_seconds=60)


def test_a_budget_that_runs_out_is_told(tmp_path: Path) -> None:
    """`done` is less than `asked`, and `truncated` says why."""

    async def work(client: httpx.AsyncClient) -> None:
        run = await made(client)
        answer = (await client.post(f"/api/v1/runs/{run}/step", json={"count": 100_000})).json()
        assert answer["done"] < answer["asked"] == 100_000
        assert "Ask again" in answer["truncated"]

    play(tmp_path, work, step_seconds=0.02)


def test_until_comes_there_whatever_the_machines_load(tmp_path: Path) -> None:
    """The same request, repeated until the run is there, is right on any machine; `whole` is all steps or none."""

    async def work(client: httpx.AsyncClient) -> None:
        url = f"/api/v1/runs/{await made(client)}/step"
        done = 0
        while done < 1_000:
            answer = (await client.post(url, json={"until": 1_000})).json()
            assert (answer["asked"], answer["truncated"] is None) == (1_000 - done, answer["step"] == 1_000)
            done = answer["step"]
        assert (await client.post(url, json={"until": 400})).json()["step"] == 1_000
        whole = (await client.post(url, json={"count": 500, "whole": True})).json()
        assert (whole["step"], whole["done"], whole["truncated"]) == (1_500, 500, None)
        for body in ({"count": 100_000, "whole": True}, {"until": 10**8, "whole": True}):
            refused = await client.post(url, json=body)
            assert refused.status_code == 422
            assert "at most" in refused.json()["errors"][0]["allowed"]
        run = (await client.post(url, json={"until": 1_500})).json()
        assert (run["step"], run["done"], run["asked"]) == (1_500, 0, 0)

    play(tmp_path, work, step_seconds=0.005, replay_seconds=0.5)


def test_a_step_on_chosen_examples(tmp_path: Path) -> None:
    """Is what their trace told beforehand, is named in the edits, and is replayed by whoever opens the link."""

    async def work(client: httpx.AsyncClient) -> None:
        run = await made(client, optimizer="momentum")
        await client.post(f"/api/v1/runs/{run}/step", json={"count": 3})
        told = (await client.get(f"/api/v1/runs/{run}/trace?example=8")).json()
        stepped = (await client.post(f"/api/v1/runs/{run}/step", json={"examples": [8], "trace": True})).json()
        assert stepped["trace"] == told
        assert (stepped["step"], stepped["asked"], stepped["losses"]["loss"]) == (4, 1, [told["loss"]])
        assert stepped["edits"] == [{"step": 3, "field": "examples", "value": [8]}]
        coming = (await client.get(f"/api/v1/runs/{run}/trace")).json()
        assert [layer["W"] for layer in coming["layers"]] == [layer["W_next"] for layer in told["layers"]]
        await client.post(f"/api/v1/runs/{run}/step", json={"count": 6})
        expected = (await client.get(f"/api/v1/runs/{run}/trace")).json()
        for link in ("/?optimizer=momentum&edits=3:examples:[8]&step=10", "/embed?edits=3:examples:[8]&step=10"):
            assert (await client.get(link)).status_code == 200
        other = (await client.post(f"/api/v1/runs/{run}/branch", json={"step": 9})).json()["id"]
        await client.post(f"/api/v1/runs/{other}/rewind", json={"step": 4})
        await client.post(f"/api/v1/runs/{other}/step", json={"until": 10})
        assert (await client.get(f"/api/v1/runs/{other}/trace")).json() == expected
        for body in ({"examples": [8], "count": 2}, {"examples": [8], "until": 30}, {"examples": [500]},
                     {"examples": [1, 1]}, {"examples": ["8"]}, {"examples": list(range(101))},
                     {"examples": []}):  # fmt: skip
            assert (await client.post(f"/api/v1/runs/{run}/step", json=body)).status_code == 422, body

    play(tmp_path, work)


def test_a_trace_holds_every_number_of_a_step(tmp_path: Path) -> None:
    """Of the next step, of the last one with `trace: true`, and of one example; equal to the engine's to the bit."""

    async def work(client: httpx.AsyncClient) -> None:
        run = await made(client, regularization="l2", regularization_rate=0.1)
        coming = (await client.get(f"/api/v1/runs/{run}/trace")).json()
        state = start(Spec.make(regularization="l2", regularization_rate=0.1))
        expected = trace(state)
        assert (coming["step"], coming["loss"]) == (0, expected.loss)
        assert coming["x"] == expected.x.tolist()
        for layer, theirs in zip(coming["layers"], expected.layers, strict=True):
            for name in ("W", "b", "z", "a", "da", "dz", "dW", "db", "dW_penalty", "W_next", "b_next"):
                assert layer[name] == getattr(theirs, name).tolist()
        stepped = (await client.post(f"/api/v1/runs/{run}/step", json={"count": 1, "trace": True})).json()
        assert stepped["trace"] == coming
        stepped = (await client.post(f"/api/v1/runs/{run}/step", json={"count": 5, "trace": True})).json()
        assert stepped["trace"]["step"] == 5
        assert stepped["losses"]["loss"][-1] == stepped["trace"]["loss"]
        one = (await client.get(f"/api/v1/runs/{run}/trace?example=3")).json()
        assert (one["examples"], len(one["layers"][0]["z"])) == ([3], 1)
        past = (await client.get(f"/api/v1/runs/{run}/trace?step=0")).json()
        assert past == coming
        for query in ("example=200", "example=-1", "example=x", "step=7"):
            assert (await client.get(f"/api/v1/runs/{run}/trace?{query}")).status_code == 422

    play(tmp_path, work)


def test_predictions_are_those_of_the_network(tmp_path: Path) -> None:
    """For the run's own examples and for inputs that are sent; classes where there are any."""

    async def work(client: httpx.AsyncClient) -> None:
        run = await made(client)
        data = (await client.get(f"/api/v1/runs/{run}/data")).json()
        own = (await client.get(f"/api/v1/runs/{run}/predict")).json()
        sent = (await client.post(f"/api/v1/runs/{run}/predict", json={"inputs": data["x"]})).json()
        assert np.allclose(own["outputs"], sent["outputs"], rtol=1e-12)
        assert own["classes"] == sent["classes"]
        assert (len(data["x"]), len(data["y"]), data["train"]) == (200, 200, 120)
        for inputs in ([[1.0]], [[1.0, 2.0, 3.0]], [], [[True, 1.0]], [["1", 2.0]]):
            refused = await client.post(f"/api/v1/runs/{run}/predict", json={"inputs": inputs})
            assert refused.status_code == 422
        line = await made(client, dataset="line")
        assert (await client.get(f"/api/v1/runs/{line}/predict")).json()["classes"] is None

    play(tmp_path, work)


def test_live_fields_change_without_a_reset(tmp_path: Path) -> None:
    """By PATCH, all or none, and by /edits with addresses too; what needs a reset says so."""

    async def work(client: httpx.AsyncClient) -> None:
        run = await made(client)
        url = f"/api/v1/runs/{run}"
        await client.post(f"{url}/step", json={"count": 20})
        changed = await client.patch(url, json={"learning_rate": 0.5, "optimizer": "adam"})
        assert (changed.status_code, changed.json()["step"]) == (200, 20)
        assert {edit["field"] for edit in changed.json()["edits"]} == {"learning_rate", "optimizer"}
        edited = (await client.post(f"{url}/edits", json={"field": "W1.2.1", "value": 0.25})).json()
        assert edited["edits"][-1] == {"step": 20, "field": "W1.2.1", "value": 0.25}
        for body in ({"hidden": [3]}, {"learning_rate": "fast"}, {"learning_rate": 1, "bogus": 2}):
            refused = await client.patch(url, json=body)
            assert refused.status_code == 422
            assert refused.json()["errors"][0]["allowed"]
        for near in ("lr", "learning_rat"):
            refused = await client.patch(url, json={near: 0.2})
            assert refused.json()["errors"][0]["allowed"].endswith("; did you mean learning_rate?")
        assert (await client.get(url)).json() == edited

    play(tmp_path, work)


def test_going_back_branching_and_starting_again(tmp_path: Path) -> None:
    """Over JSON as in the engine."""

    async def work(client: httpx.AsyncClient) -> None:
        run = await made(client)
        url = f"/api/v1/runs/{run}"
        await client.post(f"{url}/step", json={"count": 30})
        branch = await client.post(f"{url}/branch", json={"step": 10})
        assert (branch.status_code, branch.json()["step"]) == (201, 10)
        assert branch.json()["id"] != run
        assert (await client.post(f"{url}/rewind", json={"step": 20})).json()["step"] == 20
        assert (await client.post(f"{url}/rewind", json={"step": 21})).status_code == 422
        assert (await client.post(f"{url}/reset")).json()["step"] == 0
        history = (await client.get(f"/api/v1/runs/{branch.json()['id']}/history")).json()
        assert history["steps"] == list(range(11))
        assert len(history["values"][0]) == len(history["columns"]) == 16
        assert all(math.isfinite(number) for number in history["values"][10])

    play(tmp_path, work)


def test_a_visitor_lists_their_own_runs(tmp_path: Path) -> None:
    """As JSON and as CSV; nobody else's."""

    async def work(client: httpx.AsyncClient) -> None:
        first, second = await made(client), await made(client, dataset="line", hidden=[])
        listed = (await client.get("/api/v1/runs")).json()["runs"]
        assert sorted(run["id"] for run in listed) == sorted([first, second])
        table = await client.get("/api/v1/runs?format=csv")
        rows = list(csv.DictReader(io.StringIO(table.text)))
        assert table.headers["content-type"].startswith("text/csv")
        assert {row["dataset"]: row["hidden"] for row in rows} == {"circle": "4 2", "line": ""}
        layers = "conv2d 2 3x3 relu same 2, batch_norm, max_pool 2, dropout 0.2"
        await made(client, dataset="digits16", samples=20, layers=layers)
        table = (await client.get("/api/v1/runs?format=csv")).text
        assert sorted(row["layers"] for row in csv.DictReader(io.StringIO(table))) == ["", "", layers]
        client.cookies.clear()
        assert (await client.get("/api/v1/runs")).json() == {"runs": []}

    play(tmp_path, work)


def test_versions_and_keys_over_http(tmp_path: Path) -> None:
    """A stale version is a 409 that tells the current one; a repeated key is the same answer, marked."""

    async def work(client: httpx.AsyncClient) -> None:
        url = f"/api/v1/runs/{await made(client)}"
        await client.post(f"{url}/step", json={"version": 1})
        stale = await client.post(f"{url}/step", json={"version": 1})
        assert (stale.status_code, stale.json()["version"]) == (409, 2)
        assert (await client.patch(f"{url}?version=1", json={"learning_rate": 1})).status_code == 409
        key = {"Idempotency-Key": "once"}
        first = await client.post(f"{url}/step", json={"count": 2}, headers=key)
        second = await client.post(f"{url}/step", json={"count": 2}, headers=key)
        assert first.json() == second.json()
        assert ("idempotent-replayed" in first.headers, second.headers["idempotent-replayed"]) == (False, "true")
        assert (await client.post(f"{url}/step", json={"count": 3}, headers=key)).status_code == 422
        assert (await client.get(url)).json()["step"] == 3
        assert (await client.post(f"{url}/branch", json={"step": 1}, headers=key)).status_code == 422
        key = {"Idempotency-Key": "another"}
        branches = {(await client.post(f"{url}/branch", json={"step": 1}, headers=key)).json()["id"] for _ in range(2)}
        starts = {(await client.post("/api/v1/runs", json={"seed": 9}, headers=key)).json()["id"] for _ in range(2)}
        assert len(branches) == len(starts) == 1
        assert len((await client.get("/api/v1/runs")).json()["runs"]) == 3
        for bad in ("", "x" * 65, "a b"):
            refused = await client.post(f"{url}/step", json={}, headers={"Idempotency-Key": bad})
            assert refused.status_code == 422

    play(tmp_path, work)


def test_backprop_without_any_state(tmp_path: Path) -> None:
    """Loss and gradients of given layers, rows in the order they were sent; worked out here by hand."""
    body: dict[str, Any] = {
        "layers": [
            {"W": [[0.5, -0.2], [0.1, 0.4]], "b": [0.0, 0.1], "activation": "tanh"},
            {"W": [[0.3, -0.6]], "b": [0.05], "activation": "sigmoid"},
        ],
        "x": [[1.0, 2.0], [0.5, -1.0], [3.0, 0.25]],
        "y": [[1.0], [0.0], [1.0]],
        "learning_rate": 0.1,
    }

    async def work(client: httpx.AsyncClient) -> None:
        answer = (await client.post("/api/v1/backprop", json=body)).json()
        x, y = np.array(body["x"]), np.array(body["y"])
        W1, b1 = np.array(body["layers"][0]["W"]), np.array(body["layers"][0]["b"])
        W2, b2 = np.array(body["layers"][1]["W"]), np.array(body["layers"][1]["b"])
        a1 = np.tanh(x @ W1.T + b1)
        a2 = 1 / (1 + np.exp(-(a1 @ W2.T + b2)))
        da2 = (a2 - y) / 3
        dz2 = da2 * a2 * (1 - a2)
        dz1 = (dz2 @ W2) * (1 - a1**2)
        assert answer["loss"] == pytest.approx(0.5 * ((a2 - y) ** 2).sum() / 3, rel=1e-12)
        first, second = answer["layers"]
        assert np.allclose(first["a"], a1, rtol=1e-12)
        assert np.allclose(second["da"], da2, rtol=1e-12)
        assert np.allclose(first["dW"], dz1.T @ x, rtol=1e-12)
        assert np.allclose(second["W_next"], W2 - 0.1 * dz2.T @ a1, rtol=1e-12)
        assert answer["x"] == body["x"]

    play(tmp_path, work)


def test_backprop_through_dropout(tmp_path: Path) -> None:
    """The answer tells the mask, and goes through it both ways; the output layer has none."""
    hidden = {"W": [[0.5, -0.2], [0.1, 0.4], [0.3, 0.3]], "activation": "tanh", "dropout": 0.5}
    output: dict[str, Any] = {"W": [[0.3, -0.6, 0.2]], "b": [0.05]}
    body: dict[str, Any] = {
        "layers": [hidden, output],
        "x": [[1.0, 2.0], [0.5, -1.0], [0.3, 0.1]],
        "y": [1.0, 0.0, 2.0],
    }

    async def work(client: httpx.AsyncClient) -> None:
        told = (await client.post("/api/v1/backprop", json=body)).json()["layers"][0]
        mask = np.array(told["mask"])
        assert set(np.unique(mask)) == {0.0, 2.0}
        assert np.array_equal(told["h"], mask * told["a"])
        assert np.array_equal(told["da"], mask * told["dh"])
        for layers, field in (
            ([hidden, output | {"dropout": 0.5}], "layers.1.dropout"),
            ([hidden | {"dropout": 1.5}, output], "layers.0.dropout"),
        ):
            refused = await client.post("/api/v1/backprop", json=body | {"layers": layers})
            assert refused.status_code == 422
            assert field in refused.text

    play(tmp_path, work)


def test_backprop_over_a_shortcut(tmp_path: Path) -> None:
    """o beside a where they differ, and both ways back in dW; what makes no sense is named as the body names it."""
    square = {"W": [[0.5, -0.2], [0.1, 0.4]], "b": [0.0, 0.1], "activation": "tanh"}
    output = {"W": [[0.3, -0.6]], "b": [0.05]}
    body: dict[str, Any] = {"layers": [square, square | {"shortcut": 2}, output], "x": [[1.0, 2.0]], "y": [[1.0]]}

    async def work(client: httpx.AsyncClient) -> None:
        first, second, third = (await client.post("/api/v1/backprop", json=body)).json()["layers"]
        assert first["o"] is third["o"] is None
        assert second["o"][0] == pytest.approx([a + x for a, x in zip(second["a"][0], body["x"][0], strict=True)])
        dz = np.array(third["dz"])
        assert np.allclose(second["da"], dz @ np.array(third["W"]), rtol=1e-12)
        assert np.allclose(third["dW"], dz.T @ np.array(second["o"]), rtol=1e-12)
        for layers, field in (
            ([square, square | {"shortcut": 3}, output], "layers.1.shortcut"),
            ([square | {"activation": "x", "shortcut": 1}, square, output], "layers.0.activation"),
            ([square | {"shortcut": 1}, square | {"activation": "x"}, output], "layers.1.activation"),
            ([square, output | {"shortcut": 1}], "layers.1.shortcut"),
            ([square | {"shortcut": 0}, output], "layers.0.shortcut"),
        ):
            answer = await client.post("/api/v1/backprop", json=body | {"layers": layers})
            assert answer.status_code == 422
            assert answer.json()["errors"][0]["field"] == field

    play(tmp_path, work)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"layers": []}, "layers"),
        ({"layers": [{"W": [[1.0, 2.0]], "b": [0.0], "activation": "bogus"}]}, "layers.0.activation"),
        ({"layers": [{"W": [[1.0]], "b": [0.0]}]}, "layers.0.W.0"),
        ({"layers": [{"W": [[1.0, 2.0]], "b": [0.0, 1.0]}]}, "layers.0.b"),
        ({"x": [[1.0, 2.0], [1.0]]}, "x.1"),
        ({"y": [[1.0]]}, "y"),
        ({"loss": "bogus"}, "loss"),
        ({"learning_rate": 1e9}, "learning_rate"),
        ({"bogus": 1}, "bogus"),
    ],
)
def test_backprop_says_what_is_wrong_in_its_own_words(tmp_path: Path, change: dict[str, Any], field: str) -> None:
    """Fields are named as the body names them, not as the engine's spec does."""
    good = {"layers": [{"W": [[1.0, 2.0]], "b": [0.0]}], "x": [[1.0, 2.0], [3.0, 4.0]], "y": [[1.0], [0.0]]}

    async def work(client: httpx.AsyncClient) -> None:
        assert (await client.post("/api/v1/backprop", json=good)).status_code == 200
        answer = await client.post("/api/v1/backprop", json=good | change)
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == field

    play(tmp_path, work)


def test_the_catalog_names_everything(tmp_path: Path) -> None:
    """Each table's entry with a sentence, each field with its default, each limit with its value."""

    async def work(client: httpx.AsyncClient) -> None:
        catalog = (await client.get("/api/v1/catalog")).json()
        assert set(catalog["fields"]) == set(FIELDS)
        assert catalog["fields"]["learning_rate"]["default"] == 0.03
        assert catalog["limits"]["parameters"]["value"] == 120_000
        assert catalog["limits"]["step_seconds"]["value"] == 60
        for table in ("datasets", "activations", "losses", "optimizers", "initializers", "schedules"):
            assert all(entry["sentence"] and entry["formula"] for entry in catalog[table].values())
        assert "derivative_formula" in catalog["activations"]["tanh"]

    play(tmp_path, work)


def test_nan_never_reaches_json(tmp_path: Path) -> None:
    """Of a diverged run: its losses, its trace, its history are numbers or null, and it says what happened."""

    async def work(client: httpx.AsyncClient) -> None:
        run = await made(client, dataset="plane", hidden=[8, 8], activation="relu", learning_rate=100)
        answer = await client.post(f"/api/v1/runs/{run}/step", json={"count": 2000, "trace": True})
        body = orjson.loads(answer.content)
        assert set(body["diverged"]) == {"step", "layer", "quantity", "message"}
        assert body["diverged"]["step"] == body["step"]
        for path in ("trace", "history", "predict", ""):
            reply = await client.get(f"/api/v1/runs/{run}/{path}".rstrip("/"))
            assert reply.status_code == 200
            assert b"NaN" not in reply.content
            assert b"Infinity" not in reply.content

    play(tmp_path, work)


def test_an_answer_that_would_be_huge_is_refused(tmp_path: Path) -> None:
    """A trace of a large batch says how to have a smaller one."""

    async def work(client: httpx.AsyncClient) -> None:
        run = await made(client, samples=5000, batch_size=5000, hidden=[100, 100], test_share=0)
        refused = await client.get(f"/api/v1/runs/{run}/trace")
        assert refused.status_code == 422
        assert "one example" in refused.json()["detail"]
        assert (await client.get(f"/api/v1/runs/{run}/trace?example=0")).status_code == 200

    play(tmp_path, work)


BODIES: dict[str, bytes] = {
    "NaN": b'{"noise": NaN}',
    "Infinity": b'{"learning_rate": -Infinity}',
    "1e999": b'{"learning_rate": 1e999}',
    "lone surrogate": b'{"dataset": "\\ud800"}',
    "surrogate name": b'{"\\udfff": 1}',
    "deep": b'{"hidden":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "deep objects": b'{"data":' * 5_000 + b"1" + b"}" * 5_000,
    "17 levels": b'{"hidden":' + b"[" * 17 + b"]" * 17 + b"}",
    "twice": b'{"seed": 1, "seed": 2}',
    "5000 digits": b'{"seed": ' + b"9" * 5000 + b"}",
    "2^64": b'{"seed": 18446744073709551616}',
    "UTF-16": '{"seed": 1}'.encode("utf-16"),
    "BOM": b"\xef\xbb\xbf{}",
    "bad UTF-8": b'{"dataset": "\xff\xfe"}',
    "overlong": b'{"dataset": "\xc0\xaf"}',
    "NUL": b'{"dataset": "\\u0000"}',
    "raw NUL": b'{"dataset": "\x00"}',
    "half": b'{"dataset": "cir',
    "comment": b"{/* */}",
    "trailing comma": b"[1,]",
    "list": b"[]",
    "string": b'"circle"',
    "true": b"true",
    "number": b"1",
    "true as number": b'{"noise": true}',
    "nan as text": b'{"noise": "nan"}',
    "unknown name": b'{"dataset": "bogus"}',
    "over a limit": b'{"hidden": [257]}',
    "many layers": b'{"hidden": [1,1,1,1,1,1,1,1,1]}',
    "many parameters": b'{"hidden": [256, 256, 256, 256]}',
    "negative": b'{"batch_size": -1}',
    "fraction": b'{"batch_size": 1.5}',
    "hostile name": '{"‮<script>alert(1)</script>": 1}'.encode(),
    "sql": b'{"dataset": "\'; DROP TABLE records; --"}',
    "object for list": b'{"hidden": {"0": 1}}',
    "data beside a dataset": b'{"dataset": "circle", "data": {"x": [[1]], "y": [1]}}',
    "ragged": b'{"dataset": "custom", "data": {"x": [[1], [1, 2]], "y": [1, 2]}}',
    "bad address": b'{"frozen": ["W0.0.0"]}',
    "trial and error, large": b'{"optimizer": "trial_and_error", "hidden": [256, 256]}',
}


@pytest.mark.parametrize("path", ["/api/v1/runs", "/api/v1/runs/{id}/step", "/api/v1/backprop", "PATCH"])
def test_whatever_is_sent_is_answered(tmp_path: Path, path: str) -> None:
    """400 or 422 with a problem, soon, and nothing of it comes back: schemathesis would never send these bytes."""

    async def work(client: httpx.AsyncClient) -> None:
        run = await made(client)
        for name, body in BODIES.items():
            method, url = ("PATCH", f"/api/v1/runs/{run}") if path == "PATCH" else ("POST", path.format(id=run))
            answer = await client.request(method, url, content=body, headers={"content-type": "application/json"})
            assert answer.status_code in (400, 422), (name, answer.status_code, answer.text[:200])
            assert answer.headers["content-type"] == "application/problem+json", name
            problem = answer.json()
            ProblemAnswer.model_validate(problem)
            assert len(answer.content) < 6000, name
            assert b"<script>alert" not in answer.content or b"\\u" in answer.content or name == "hostile name"
        assert (await client.get(f"/api/v1/runs/{run}")).json()["version"] == 1

    play(tmp_path, work)


NOT_JSON = (
    "NaN", "Infinity", "lone surrogate", "surrogate name", "deep", "deep objects", "17 levels", "twice", "5000 digits",
    "UTF-16", "BOM", "bad UTF-8", "overlong", "raw NUL", "half", "comment", "trailing comma",
)  # fmt: skip


@pytest.mark.parametrize("name", NOT_JSON)
def test_what_is_no_json_is_refused_by_name(name: str) -> None:
    """By the decoder itself, before anything else sees it."""
    with pytest.raises(BadJson):
        decode(BODIES[name])


def test_what_is_json_is_decoded() -> None:
    """As the standard library does it."""
    text = b'{"a": [1, -2.5e3, true, null, "\\u00e9\\ud83d\\ude00"], "b": {"a": 1e99}}'
    assert decode(text) == json.loads(text)
    assert decode(b"[" * 16 + b"]" * 16) is not None
    with pytest.raises(BadJson):
        decode(b"[" * 17 + b"]" * 17)
    for quoted in (b'{"a\\"": "\\\\", "b": ["\\\\\\"", "\\u0022"]}', b'"\\""', b'{"a": {"b": {}}, "c": {"b": ""}}'):
        assert decode(quoted) == json.loads(quoted)


VALUES = st.recursive(
    st.integers(0, 9) | st.text(max_size=3),
    lambda inner: st.dictionaries(st.text(max_size=2), inner, max_size=3) | st.lists(inner, max_size=3),
    max_leaves=8,
)


@given(value=VALUES, ascii=st.booleans())
def test_a_field_named_twice_is_found_wherever_it_is(value: Any, ascii: bool) -> None:
    """And nothing else is taken for one, whatever is quoted or escaped."""
    text = json.dumps(value, ensure_ascii=ascii).encode()
    assert decode(text, 200) == value
    for name in ('"', "\\", '\\"', "a"):
        twice = {f"{name}!": value, f"{name}?": name}
        doubled = json.dumps(twice, ensure_ascii=ascii).replace("?", "!").encode()
        if "?" not in json.dumps(value):
            with pytest.raises(BadJson, match="twice"):
                decode(doubled, 200)


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_json_is_taken_as_json_alone(tmp_path: Path, kind: str) -> None:
    """What a form on another site could send is refused."""

    async def work(client: httpx.AsyncClient) -> None:
        headers = {"content-type": kind} if kind else {}
        answer = await client.post("/api/v1/runs", content=b'{"seed": 1}', headers=headers)
        assert answer.status_code in (400, 422)

    play(tmp_path, work)


def test_a_body_over_the_limit_is_a_413(tmp_path: Path) -> None:
    """Announced or in pieces, before it is held; one under the limit is read."""

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(50):
            yield b" " * 1000

    async def work(client: httpx.AsyncClient) -> None:
        headers = {"content-type": "application/json"}
        for content in (b" " * 20_001, pieces()):
            answer = await client.post("/api/v1/runs", content=content, headers=headers)
            assert answer.status_code == 413
            assert answer.json()["status"] == 413
        assert (await client.post("/api/v1/runs", content=b" " * 19_000 + b"{}", headers=headers)).status_code == 201

    play(tmp_path, work, body_bytes=20_000)


def test_explicit_parameters_of_the_largest_network_fit(tmp_path: Path) -> None:
    """120,000 parameters in one body; the answer to a step stays small enough to be quick."""
    rng = np.random.default_rng(0)
    sizes = (2, 256, 256, 200, 1)
    layers = [
        {"W": rng.normal(size=(out, below)).round(4).tolist(), "b": [0.0] * out} for below, out in pairwise(sizes)
    ]

    async def work(client: httpx.AsyncClient) -> None:
        run = await made(client, hidden=[256, 256, 200], parameters=layers)
        answer = await client.post(f"/api/v1/runs/{run}/step", json={"count": 2})
        assert answer.status_code == 200

    play(tmp_path, work)


def test_paths_that_are_not_there_are_problems_too(tmp_path: Path) -> None:
    """404 and 405, for hostile paths as for others."""

    async def work(client: httpx.AsyncClient) -> None:
        for path in ("/nope", "/api/v1/nope", "/static/..%2f..%2fpyproject.toml", "/static/../app/main.py"):
            answer = await client.get(path)
            assert answer.status_code == 404
            assert answer.headers["content-type"] == "application/problem+json"
        assert (await client.put("/api/v1/runs")).status_code == 405
        for run in ("nope", "%00", "a" * 3000, "..%2f..", "%ff"):
            assert (await client.get(f"/api/v1/runs/{run}")).status_code == 404

    play(tmp_path, work)


def test_absent_and_foreign_are_not_told_apart(tmp_path: Path) -> None:
    """The same answer for an id that never was and for one that was deleted, but for its request id."""

    async def work(client: httpx.AsyncClient) -> None:
        run = await made(client)
        await client.delete(f"/api/v1/runs/{run}")
        one, other = await client.get(f"/api/v1/runs/{run}"), await client.get(f"/api/v1/runs/{'A' * 22}")
        assert one.content == other.content
        assert len(run) == 22

    play(tmp_path, work)


def test_answers_have_the_shape_that_is_documented(tmp_path: Path) -> None:
    """Each model takes the answer of its route, strictly: no name more or less."""

    async def work(client: httpx.AsyncClient) -> None:
        run = await made(client)
        url = f"/api/v1/runs/{run}"
        answers = {
            schemas.StepAnswer: await client.post(f"{url}/step", json={"count": 3, "trace": True}),
            schemas.RunAnswer: await client.get(url),
            schemas.TraceAnswer: await client.get(f"{url}/trace"),
            schemas.PredictAnswer: await client.get(f"{url}/predict"),
            schemas.DataAnswer: await client.get(f"{url}/data"),
            schemas.HistoryAnswer: await client.get(f"{url}/history"),
            schemas.RunsAnswer: await client.get("/api/v1/runs"),
            schemas.CatalogAnswer: await client.get("/api/v1/catalog"),
            schemas.Status: await client.get("/healthz"),
        }
        for model, answer in answers.items():
            strict = type(model.__name__, (model,), {"model_config": {"extra": "forbid"}})
            strict.model_validate_json(answer.content)

    play(tmp_path, work)


def test_every_example_in_the_document_works(tmp_path: Path) -> None:
    """Whoever pastes one gets a success."""

    async def work(client: httpx.AsyncClient) -> None:
        document = (await client.get("/api/v1/openapi.json")).json()
        assert document["openapi"] == "3.1.0"
        examples = {name: schema.get("examples", []) for name, schema in document["components"]["schemas"].items()}
        targets = {
            "Spec": ("POST", "/api/v1/runs"),
            "Changes": ("PATCH", "/api/v1/runs/{id}"),
            "StepBody": ("POST", "/api/v1/runs/{id}/step"),
            "EditBody": ("POST", "/api/v1/runs/{id}/edits"),
            "RewindBody": ("POST", "/api/v1/runs/{id}/rewind"),
            "PredictBody": ("POST", "/api/v1/runs/{id}/predict"),
            "BackpropBody": ("POST", "/api/v1/backprop"),
            "DiagnoseBody": ("POST", "/api/v1/diagnose"),
        }
        for name, (method, path) in targets.items():
            assert examples[name], name
            run = await made(client)
            for example in examples[name]:
                answer = await client.request(method, path.format(id=run), json=example)
                assert answer.is_success, (name, answer.text)

    play(tmp_path, work)


def test_every_body_has_an_example_and_those_of_a_room_work(tmp_path: Path) -> None:
    """In the order in which a class comes to them."""

    async def work(client: httpx.AsyncClient) -> None:
        document = (await client.get("/api/v1/openapi.json")).json()
        parts = document["components"]["schemas"]
        examples = {}
        for path, operations in document["paths"].items():
            for method, operation in operations.items():
                if body := operation.get("requestBody"):
                    schema = body["content"]["application/json"]["schema"]
                    name = (schema.get("anyOf") or [schema])[0]["$ref"].rpartition("/")[2]
                    inner = [each.get("examples") for each in parts[name]["properties"].values()]
                    assert parts[name].get("examples") or any(inner), name
                    examples[method, path] = parts[name].get("examples", [{}])[0]
        room = (await client.post("/api/v1/rooms", json=examples["post", "/api/v1/rooms"])).json()
        teacher = {"authorization": f"Bearer {room['teacher']}"}
        run = await made(client)
        for method, path in (
            ("post", "students"), ("put", "shared"), ("post", "step"), ("put", "pace"), ("post", "questions"),
            ("put", "questions/{number}/answer"), ("put", "hand-in"), ("put", "shown"),
        ):  # fmt: skip
            body = examples[method, f"/api/v1/rooms/{{code}}/{path}"]
            body |= {"run": run} if path == "hand-in" else {}
            url = f"/api/v1/rooms/{room['code']}/{path.format(number=1)}"
            answer = await client.request(method, url, json=body, headers=teacher)
            assert answer.is_success, (path, answer.text)

    play(tmp_path, work)


def test_the_schema_of_a_spec_follows_the_engines_table() -> None:
    """Every field, and every choice of it."""
    properties = spec_schemas.SpecBody.model_json_schema()["properties"]
    assert list(properties) == list(FIELDS)
    for name, field in FIELDS.items():
        text = orjson.dumps(properties[name]).decode()
        assert all(f'"{choice}"' in text for choice in field.choices)


@pytest.mark.parametrize(
    ("change", "field", "value", "allowed"),
    [
        ({"y": [[1.0]]}, "y", "1", "as many rows as x: 2"),
        ({"loss": "bogus"}, "loss", "'bogus'", "one of "),
        ({"layers": [{"W": [[0.5, 1e300]], "b": [0.0]}]}, "layers.0.W.0.1", "1e+300", "a number from "),
        ({"layers": [{"W": [[0.5, 1.0]], "b": [0.0], "activation": "x"}]}, "layers.0.activation", "'x'", "one of "),
    ],
)
def test_backprop_names_what_is_wrong_as_its_body_does(
    tmp_path: Path, change: dict[str, Any], field: str, value: str, allowed: str
) -> None:
    """And repeats the value as it was sent."""

    async def work(client: httpx.AsyncClient) -> None:
        body = BackpropBody.model_config["json_schema_extra"]["examples"][0]  # type: ignore[index,call-overload]
        (fault,) = (await client.post("/api/v1/backprop", json=body | change)).json()["errors"]
        assert (fault["field"], fault["value"]) == (field, value)
        assert fault["allowed"].startswith(allowed)

    play(tmp_path, work)


@pytest.mark.parametrize(
    ("method", "path", "body", "field", "value"),
    [
        ("POST", "/step", {"count": 0}, "count", "0"),
        ("POST", "/step", {"count": 10**9}, "count", "1000000000"),
        ("POST", "/step", {"count": "3"}, "count", "'3'"),
        ("POST", "/step", {"trace": 1}, "trace", "1"),
        ("POST", "/rewind", {"step": 99}, "step", "99"),
        ("POST", "/predict", {"inputs": []}, "inputs", "list"),
        ("POST", "/predict", {"inputs": [[1, True]]}, "inputs.0.1", "True"),
        ("POST", "/predict", {"inputs": {"x1": [1, None]}}, "inputs.x1.1", "None"),
        ("POST", "/predict", {"inputs": 5}, "inputs", "5"),
        ("GET", "/trace?example=-1", None, "example", "'-1'"),
        ("PATCH", "", {"learning_rate": "x"}, "learning_rate", "'x'"),
        ("PATCH", "", {"seed": 2}, "seed", "2"),
    ],
)  # fmt: skip
def test_what_is_refused_is_named(tmp_path: Path, method: str, path: str, body: Any, field: str, value: str) -> None:
    """Its field, the value that was sent, and what is allowed instead, whoever found it wrong."""

    async def work(client: httpx.AsyncClient) -> None:
        answer = await client.request(method, f"/api/v1/runs/{await made(client)}{path}", json=body)
        assert answer.status_code == 422
        (fault,) = answer.json()["errors"]
        assert (fault["field"], fault["value"]) == (field, value)
        assert fault["allowed"]
        assert f"{field}: {value} is not allowed, must " in answer.json()["detail"]

    play(tmp_path, work)
