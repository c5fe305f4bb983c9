"""A network with convolutions is answered wherever any network is: no page, part or route of the API breaks on it."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from httpx import ASGITransport, AsyncClient, Response

from app.explain.receipts import receipt
from app.explain.walkthrough import walkthrough
from app.main import create_app
from app.settings import Settings
from app.words.segments import text_of
from engine import Spec, Trace, advance, start, trace

LENET = "conv2d 3 3x3 relu, max_pool 2, conv2d 4 3x3 tanh valid, batch_norm, dropout 0.2, avg_pool 2, dense 8 tanh"
RESIDUAL = "conv2d 3 5x5 silu same 2, layer_norm, conv2d 3 3x3 relu, dropout 0.2, shortcut 1, global_pool"
FROM_NUMBERS = "dense 16 tanh, dropout 0.2, conv2d 2 3x3 tanh, max_pool 2, flatten, dense 9 relu, conv2d 2 1x1 identity"
NETS = {"lenet": LENET, "residual": RESIDUAL, "from numbers": FROM_NUMBERS}
Work = Callable[[AsyncClient], Awaitable[None]]


def within(folder: Path, work: Work) -> None:
    async def run() -> None:
        app = create_app(Settings(data=folder, step_seconds=60))
        async with app.router.lifespan_context(app):
            transport = ASGITransport(app, raise_app_exceptions=True)
            async with AsyncClient(transport=transport, base_url="http://playground.test") as client:
                await work(client)

    asyncio.run(run())


def right(answer: Response, *other: int) -> Response:
    assert answer.status_code in (200, 201, *other), (str(answer.request.url), answer.status_code, answer.text[:400])
    return answer


def addresses(layers: str) -> Iterator[str]:
    """Something of everything that a receipt can be of."""
    yield from ("b1.1", "b1.2", "a1.1", "a2.1", "b2.1", "W2.1.1", "W1.2.1", "a0.3")
    yield "W2.2.1.1.2" if layers == LENET else "W2.2.1.3.3"
    if layers == LENET:
        yield from ("W1.1.1.2.3", "gamma2.1", "beta2.2", "W3.2.5", "a3.4", "W4.1.1")


@pytest.mark.parametrize("layers", NETS.values(), ids=list(NETS))
def test_the_api_answers(layers: str, tmp_path: Path) -> None:
    """Every look into a run, its data and its history, on the batch and on one example."""

    async def work(client: AsyncClient) -> None:
        spec = {"dataset": "digits16", "layers": layers, "samples": 60, "batch_size": 4}
        run = right(await client.post("/api/v1/runs", json=spec)).json()
        of = f"/api/v1/runs/{run['id']}"
        right(await client.post(f"{of}/step", json={"count": 5}))
        for example in ("", "example=3"):
            right(await client.get(f"{of}/trace?{example}"))
            for grain in ("operation", "unit", "layer", "pass"):
                right(await client.get(f"{of}/walkthrough?granularity={grain}&mathml=true&{example}"), 422)
            for kind in ("check", "again", "wishes", "health", "graph"):
                right(await client.get(f"{of}/{kind}?{example}"), 422)
            for address in addresses(layers):
                right(await client.get(f"{of}/receipt?address={address}&mathml=true&{example}"), 422)
                for kind in ("nudge", "slice", "paths", "wishes"):
                    answer = right(await client.get(f"{of}/{kind}?address={address}&{example}"), 422)
                    known = address[0] in "Wbg" and kind in ("nudge", "slice")
                    assert answer.status_code == 200 or not known, (address, kind, answer.text)
        right(await client.get(f"{of}/contour?x=b1.1&y=W2.1.1.1.1"))
        for part in ("", "/data", "/history", "/predictions", "/predict?x=" + ",".join(["0"] * 256)):
            right(await client.get(of + part), 422)
        right(
            await client.post(
                f"{of}/edits", json={"kind": "W1.1.1.1.2" if layers != FROM_NUMBERS else "b1.1", "value": 1}
            ),
            422,
        )
        right(await client.post(f"{of}/rewind", json={"step": 2}))
        right(await client.post(f"{of}/branch", json={}), 422)
        right(await client.post(f"{of}/reset"))

    within(tmp_path, work)


@pytest.mark.parametrize("layers", NETS.values(), ids=list(NETS))
def test_the_pages_answer(layers: str, tmp_path: Path) -> None:
    """The playground at every lens, size, moment and selection; its parts; the embedded one; the table."""

    async def work(client: AsyncClient) -> None:
        query = {"dataset": "digits16", "layers": layers, "samples": "60", "batch_size": "4"}
        page = right(await client.get("/", params=query))
        assert "maps-" in page.text
        for lens in ("weights", "activations", "gradients", "updates"):
            right(await client.get("/", params=query | {"lens": lens}))
            right(await client.get("/", params=query | {"lens": lens, "example": "3"}))
        for address in addresses(layers):
            right(await client.get("/", params=query | {"select": address}))
            right(await client.get("/", params=query | {"select": address, "example": "3", "moment": "9"}))
        for grain in ("unit", "layer", "pass", "operation"):
            steps = {"pass": (1, 2, 4), "layer": range(0, 24, 3), "unit": range(0, 80, 3), "operation": range(0, 80, 9)}
            for moment in steps[grain]:
                right(await client.get("/", params=query | {"grain": grain, "moment": str(moment), "example": "3"}))
                right(await client.get("/", params=query | {"grain": grain, "moment": str(moment)}))
        right(await client.get("/embed", params=query))
        right(await client.get("/graph", params=query), 422)

    within(tmp_path, work)


PLACE = re.compile(r"[Ii]n row (\d+), column (\d+)")


@pytest.mark.parametrize("layers", NETS.values(), ids=list(NETS))
def test_where_a_moment_says_that_most_is_it_is(layers: str) -> None:
    """Of a map the number that is largest by size is told, with its place; a pool's way back by what pool it is."""
    spec = Spec.make(dataset="digits16", layers=layers, samples=60, batch_size=4)
    step = trace(advance(start(spec), 5).state, 3)
    told = set[str]()
    for moment in walkthrough(step, "unit"):
        words = text_of(moment.words)
        layer = step.layers[moment.layer - 1] if moment.layer else None
        for said, numbers in (
            ("sum largest by size", "z"),
            ("largest sum by size", "z"),
            ("most by size is left", "asked"),
            ("most by size left", "asked"),
            ("gradient largest by size", "dW"),
        ):
            if said not in words:
                continue
            told.add(numbers)
            assert layer is not None
            maps = np.abs(getattr(layer, numbers)[moment.units[0] - 1 if numbers == "dW" else 0])
            own = maps if numbers == "dW" else maps[moment.units[0] - 1]
            before, _, after = words.partition(said)  # of a batch the place stands before it
            place = PLACE.search(after) or [*PLACE.finditer(before)][-1]
            row, column = (int(at) - 1 for at in place.groups())
            assert own[..., row, column].max() == own.max()
        for said, pool in (("only the winner", "max_pool"), ("Through the mean", "avg_pool global_pool")):
            if said in words:
                told.add(pool)
                assert spec.network.pools[moment.layer].operation in pool
    assert {"z", "asked", "dW"} <= told
    assert {"max_pool", "avg_pool global_pool"} & told


@pytest.mark.parametrize("layers", NETS.values(), ids=list(NETS))
def test_every_unit_and_channel_has_a_receipt_that_leads_on(layers: str) -> None:
    """Also those of a dense layer below a convolution, of which there may be more than outputs; and each click further
    back is another."""
    step = trace(advance(start(Spec.make(dataset="digits16", samples=40, batch_size=3, layers=layers)), 2).state)
    for k, units in enumerate(step.spec.network.sizes[1:], 1):
        for j in range(1, units + 1):
            told = receipt(step, f"a{k}.{j}")
            assert text_of(told.words)
            assert len(set(told.came_from)) == len(told.came_from)
            assert {of.layer for of in told.came_from} == {*told_above(step, k)}


def told_above(step: Trace, k: int) -> Iterator[int]:
    """The layers that a layer's deltas come back from."""
    yield from (k + 1,) if k < len(step.layers) else ()
    yield from step.spec.network.arcs(k)
