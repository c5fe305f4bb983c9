"""One's own data by JSON: what /runs and /backprop take, and what is told of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from httpx import ASGITransport, AsyncClient

from app.main import create_app
from app.settings import Settings


def within(folder: Path, work: Callable[[AsyncClient], Awaitable[None]]) -> None:
    """Do this with a client of an app of its own."""

    async def run() -> None:
        app = create_app(Settings(data=folder))
        async with (
            app.router.lifespan_context(app),
            AsyncClient(transport=ASGITransport(app), base_url="http://127.0.0.1") as client,
        ):
            await work(client)

    asyncio.run(run())


HOMEWORK: dict[str, Any] = {
    "layers": [
        {"W": [[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]], "b": [0, 0], "activation": "tanh"},
        {"W": [[0.7, 0.8]], "b": [0], "activation": "sigmoid"},
    ],
    "x": [[0, 0, 1], [0, 1, 1], [1, 0, 1], [1, 1, 1]],
    "y": [[0], [1], [1], [0]],
}


def test_backprop_takes_homework_as_it_is_written(tmp_path: Path) -> None:
    """A flat y is one number each; layers without b have none, which stay 0; a sum is n times the mean."""

    async def work(client: AsyncClient) -> None:
        async def ask(**changes: Any) -> Any:
            return (await client.post("/api/v1/backprop", json=HOMEWORK | changes)).json()

        mean = await ask()
        assert mean["reduction"] == "mean"
        assert await ask(y=[0, 1, 1, 0]) == mean
        bare = await ask(layers=[{"W": each["W"], "activation": each["activation"]} for each in HOMEWORK["layers"]])
        assert [each["dW"] for each in bare["layers"]] == [each["dW"] for each in mean["layers"]]
        assert [each["b_next"] for each in bare["layers"]] == [[0, 0], [0]]
        total = await ask(reduction="sum")
        assert total["loss"] == pytest.approx(4 * mean["loss"])
        for one, other in zip(mean["layers"], total["layers"], strict=True):
            assert np.allclose(other["dW"], 4 * np.array(one["dW"]))
            assert np.allclose(other["W_next"], np.array(one["W"]) - 0.03 * np.array(other["dW"]))
        once = await ask(reduction="sum", loss="mean_squared_error", y=[[0], [1], [1], [0]])
        assert once["loss"] == pytest.approx(2 * total["loss"])

    within(tmp_path, work)


def test_a_part_of_the_data_and_what_the_network_is_given_of_it(tmp_path: Path) -> None:
    """Names, classes, the numbers that stand for them, scales, and so many rows from the first asked for."""

    async def work(client: AsyncClient) -> None:
        data = {"x": {"size": [39, 40, 47, 50], "height": [181, 186, 217, 220]}, "y": ["a", "b", "a", "b"]}
        run = (await client.post("/api/v1/runs", json={"dataset": "custom", "data": data})).json()
        told = (await client.get(f"/api/v1/runs/{run['id']}/data?first=1&most=2")).json()
        whole = (await client.get(f"/api/v1/runs/{run['id']}/data")).json()
        assert told["x"] == whole["x"][1:3]
        assert (told["count"], told["train"], told["first"]) == (4, 4, 1)
        assert (told["names"], told["classes"], told["targets"]) == (["size", "height"], ["a", "b"], [-1.0, 1.0])
        assert told["scaling"]["inputs"]["mean"] == [44.0, 201.0]
        assert told["scaling"]["targets"] is None
        answer = (await client.post(f"/api/v1/runs/{run['id']}/predict", json={"inputs": [[39, 181]]})).json()
        assert answer["names"][0] == "ab"[answer["classes"][0]]
        assert run["spec"]["scaling"] == "inputs"

    within(tmp_path, work)


def test_predictions_by_the_names_of_the_columns(tmp_path: Path) -> None:
    """In whatever order, words as words; the same data have the same content, and each column its own range."""

    async def work(client: AsyncClient) -> None:
        data = {"x": {"size": [1, 2, 3, 50], "kind": ["oak", "fir", "ash", "oak"]}, "y": ["a", "b", "a", "b"]}
        run = (await client.post("/api/v1/runs", json={"data": data})).json()
        told = (await client.get(f"/api/v1/runs/{run['id']}/data")).json()
        assert told["names"] == ["size", "kind=ash", "kind=fir", "kind=oak"]
        assert told["domains"][0][1] > 50 > told["domains"][1][1]
        by_rows = await client.post(f"/api/v1/runs/{run['id']}/predict", json={"inputs": [[3, 1, 0, 0]]})
        columns = {"kind": ["ash"], "note": [True], "size": [3]}
        by_name = await client.post(f"/api/v1/runs/{run['id']}/predict", json={"inputs": columns})
        assert by_name.json() == by_rows.json()
        other = (await client.post("/api/v1/runs", json={"data": data, "seed": 5})).json()
        assert (await client.get(f"/api/v1/runs/{other['id']}/data")).json()["content"] == told["content"]
        for wrong in ({"size": [1]}, {"size": [1, 2], "kind": ["oak"]}, {"size": ["x"], "kind": ["oak"]}, {}):
            refused = await client.post(f"/api/v1/runs/{run['id']}/predict", json={"inputs": wrong})
            assert (refused.status_code, "inputs" in refused.text) == (422, True)

    within(tmp_path, work)


def test_no_value_follows_one_rule_at_every_door(tmp_path: Path) -> None:
    """A null of JSON as a blank of a table: these rows are left out, or filled in, and the answer says so."""

    async def work(client: AsyncClient) -> None:
        x = {"size": [1, None, 3, 5, 8], "day": [f"2024-01-0{k}" for k in "12345"], "b": [1.5, 2, 4, 0, 9]}
        y = [0, 1, 1, None, 0]
        made = await client.post("/api/v1/runs", json={"data": {"x": x, "y": y}})
        assert made.status_code == 201, made.text
        missing = {"rows_left_out": [1, 3], "cells_filled": 0, "columns_left_out": ["day"]}
        assert made.json()["spec"]["data"]["missing"] == missing
        told = (await client.get(f"/api/v1/runs/{made.json()['id']}/data")).json()
        assert (told["missing"], told["count"]) == (missing, 3)
        again = (await client.post("/api/v1/runs", json=made.json()["spec"])).json()
        assert again["spec"] == made.json()["spec"]
        filled = await client.post("/api/v1/runs", json={"data": {"x": x, "y": y, "missing": "fill"}})
        assert filled.json()["spec"]["data"]["missing"] == {
            "rows_left_out": [3],
            "cells_filled": 1,
            "columns_left_out": ["day"],
        }
        assert filled.json()["spec"]["data"]["x"][1] == [4.25, 2]
        table = "size,day,b,y\n" + "\n".join(
            ",".join("" if cell is None else str(cell) for cell in row) for row in zip(*x.values(), y, strict=True)
        )
        page = await client.post("/runs", data={"csv": table}, headers={"hx-request": "true"})
        run = next(iter((await client.get("/api/v1/runs")).json()["runs"]))["id"]
        assert "2 rows without a value are left out" in page.text
        assert (await client.get(f"/api/v1/runs/{run}/data")).json()["missing"] == missing
        for wrong, place in (({"missing": "guess"}, "missing"), ({"missing": {"rows": []}}, "missing.rows")):
            refused = await client.post("/api/v1/runs", json={"data": {"x": x, "y": y, **wrong}})
            assert (refused.status_code, f"data.{place}" in refused.text) == (422, True)

    within(tmp_path, work)


def test_a_traces_own_layers_are_a_start(tmp_path: Path) -> None:
    """As the answer has them, whole or each alone."""

    async def work(client: AsyncClient) -> None:
        run = (await client.post("/api/v1/runs", json={"seed": 3})).json()["id"]
        await client.post(f"/api/v1/runs/{run}/step", json={"count": 5})
        step = (await client.get(f"/api/v1/runs/{run}/trace")).json()
        for given in (step, step["layers"], [[layer["W"], layer["b"]] for layer in step["layers"]]):
            made = await client.post("/api/v1/runs", json={"seed": 3, "parameters": given})
            assert made.status_code == 201, made.text
            again = (await client.get(f"/api/v1/runs/{made.json()['id']}/trace")).json()
            assert [layer["W"] for layer in again["layers"]] == [layer["W"] for layer in step["layers"]]

    within(tmp_path, work)
