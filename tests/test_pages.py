"""The playground's pages and fragments over HTTP: what they answer with script and without, and what they weigh."""

import asyncio
import gzip
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from unittest.mock import AsyncMock
from urllib.parse import parse_qsl, urlencode

import numpy as np
import pytest
from httpx import ASGITransport, AsyncClient, Response
from test_scripts import Literals

from app.assets import STATIC
from app.draw.rendering import asset
from app.failures import Busy, StoreUnavailable
from app.main import create_app
from app.page.forms import DEEP, controls, spec_from
from app.run.deeds import Branch, Change, Freeze, NewStart, Rewind, Step
from app.serve.forms import Fields
from app.settings import Settings
from engine import DATASETS, OPTIMIZERS, Spec, advance, edits_from, evaluate, start

HTMX = {"HX-Request": "true", "Accept-Encoding": "gzip"}
RUN = re.compile(r'data-run="([^"]+)"')


@asynccontextmanager
async def playground(folder: Path) -> AsyncIterator[AsyncClient]:
    app = create_app(Settings(data=folder, step_seconds=60, replay_seconds=60))
    async with app.router.lifespan_context(app):
        transport = ASGITransport(app, raise_app_exceptions=True)
        async with AsyncClient(transport=transport, base_url="http://playground.test") as client:
            yield client


def within(folder: Path, work: Callable[[AsyncClient], Awaitable[None]]) -> None:
    async def run() -> None:
        async with playground(folder) as client:
            await work(client)

    asyncio.run(run())


def step_of(answer: Response) -> str:
    found = re.search(r'id="number-step"><dt>step</dt><dd>([^<]+)', answer.text)
    assert found is not None
    return found[1]


def run_of(answer: Response) -> str:
    found = RUN.search(answer.text)
    assert found is not None
    return found[1]


async def made(client: AsyncClient, query: str = "") -> str:
    """The id of a new run of a spec."""
    answer = await client.post("/runs", data=dict(parse_qsl(query, keep_blank_values=True)), headers=HTMX)
    assert answer.status_code == 200, answer.text
    return run_of(answer)


async def stored(client: AsyncClient) -> int:
    """How many runs the store holds."""
    count: int = await client._transport.app.state.store.count("run:")  # type: ignore[attr-defined]
    return count


def test_the_page_works_by_plain_forms(tmp_path: Path) -> None:
    """Without htmx every change is a redirect to the page's own link, which shows what was changed."""

    async def work(client: AsyncClient) -> None:
        page = await client.get("/?seed=4&lens=gradients")
        view = {"seed": "4", "lens": "gradients"}
        assert run_of(page) == "new"
        stepped = await client.post("/runs/new/step", data={**view, "count": "3"})
        assert stepped.status_code == 303
        assert "lens=gradients" in stepped.headers["location"]
        again = await client.get(stepped.headers["location"])
        assert step_of(again) == "3"
        on = await client.post(f"/runs/{run_of(again)}/step", data={**view, "count": "3"})
        assert run_of(await client.get(on.headers["location"])) == run_of(again)
        assert await stored(client) == 1

    within(tmp_path, work)


def test_htmx_gets_a_fragment_and_the_address(tmp_path: Path) -> None:
    """A frame is a part of the page; the address bar is told the whole link; no cache may mix them up."""

    async def work(client: AsyncClient) -> None:
        run = await made(client, "seed=5")
        frame = await client.post(f"/runs/{run}/step", data={"count": "2", "select": "W2.1.3"}, headers=HTMX)
        assert "<html" not in frame.text
        assert "select=W2.1.3" in frame.headers["hx-replace-url"]
        assert "step=2" in frame.headers["hx-replace-url"], "the address opens at this very step elsewhere"
        assert 'name="step"' not in frame.text, "a form means the head, wherever other tabs have taken it"
        assert "HX-Request" in frame.headers["vary"]
        assert frame.headers["cache-control"] == "no-store"
        looked = await client.get(f"/runs/{run}/frame?step=1&example=3", headers=HTMX)
        assert step_of(looked) == "1"
        assert "step=1" in looked.headers["hx-replace-url"]
        on = await client.post(f"/runs/{run}/step", data={"step": "1", "count": "5"}, headers=HTMX)
        assert step_of(on) == "6"

    within(tmp_path, work)


def test_a_look_stores_nothing(tmp_path: Path) -> None:
    """Neither a page, its walkthrough, past, tables and probes, nor a frame of it: all are drawn from the link."""

    async def work(client: AsyncClient) -> None:
        link = "seed=5&edits=4:learning_rate:0.3;6:examples:[8]"
        for address in ("/", f"/?{link}&step=30", f"/embed?{link}&step=20", "/embed", f"/?{link}&moment=4&example=3"):
            assert (await client.get(address)).status_code == 200, address
        looked = {"link": f"{link}", "head": "30", "step": "12", "lens": "updates"}
        for kind in ("frame", "table", "health", "nudge", "slice", "wishes", "check", "contour"):
            asks = {**looked, "address": "W1.1.1", "other": "b1.1"}
            assert (await client.get(f"/runs/new/{kind}", params=asks, headers=HTMX)).status_code == 200, kind
        frame = await client.get("/runs/new/frame", params=looked, headers=HTMX)
        assert step_of(frame) == "12"
        assert 'max="30"' in frame.text, "what has been drawn further on can be looked at again"
        assert "/?dataset=" in frame.headers["hx-replace-url"]
        assert await stored(client) == 0

    within(tmp_path, work)


def test_the_first_deed_stores_the_run_with_it(tmp_path: Path) -> None:
    """Bit for bit what the same deed makes of a run that was stored all along; whatever is refused stores nothing."""

    async def work(client: AsyncClient) -> None:
        state = client._transport.app.state  # type: ignore[attr-defined]
        link = {"link": "seed=5&edits=4:learning_rate:0.3;6:examples:[8]", "head": "30"}
        spec, edits = Spec.make(seed=5), edits_from([{"step": 4, "field": "learning_rate", "value": 0.3},
                                                     {"step": 6, "field": "examples", "value": [8]}])  # fmt: skip
        for number, (verb, data, deed) in enumerate((
            ("step", {"count": "3"}, Step(3)), ("step", {"count": "2", "step": "12"}, Step(2, at=12)),
            ("step", {"unit": "epoch"}, Step(epoch=True)), ("rewind", {"to": "5"}, Rewind(5)),
            ("edit", {"field": "W1.1.1", "value": "0.5"}, Change({"W1.1.1": 0.5})),
            ("edit", {"field": "batch_size", "batch_size": "9", "step": "9"}, Change({"batch_size": 9}, at=9)),
            ("freeze", {"freeze": "b1.1"}, Freeze("b1.1")), ("branch", {"step": "7"}, Branch(7)),
            ("slower", {"rate": "0.001"}, NewStart({"learning_rate": 0.001})), ("reset", {}, NewStart()),
        ), 1):  # fmt: skip
            answer = await client.post(f"/runs/new/{verb}", data={**link, **data}, headers=HTMX)
            assert answer.status_code == 200, answer.text
            assert "hx-partial" in answer.text, "its controls know the run now"
            done = await state.runs.get(run_of(answer))
            kept = await state.runs.create("y" * 43, spec, edits, 30)
            expected, _ = await state.runs.do(kept.id, deed, "y" * 43)
            assert (done.state.step, done.edits, done.origin) == (expected.state.step, expected.edits, expected.origin)
            assert np.array_equal(done.state.parameters, expected.state.parameters), verb
            assert np.array_equal(done.history.values, expected.history.values, equal_nan=True), verb
            assert await stored(client) >= 2 * number
        count = await stored(client)
        for data in ({"count": "abc"}, {"count": "1", "link": "dataset=nothing"}, {"count": "1", "link": "edits=x"}):
            for headers in ({}, HTMX):
                answer = await client.post("/runs/new/step", data={**link, **data}, headers=headers)
                assert answer.status_code == 422
        assert await stored(client) == count

    within(tmp_path, work)


def test_a_first_deed_that_comes_again_is_one_run(tmp_path: Path) -> None:
    """With the key of the click, or of the form as it was rendered; another key is another run."""

    async def work(client: AsyncClient) -> None:
        click = HTMX | {"Idempotency-Key": "1"}
        for verb, data in (("step", {"count": "1", "link": "seed=3"}), ("reset", {"link": "seed=3"})):
            one, two = [run_of(await client.post(f"/runs/new/{verb}", data=data, headers=click)) for _ in range(2)]
            assert one == two
        assert await stored(client) == 2
        for key in ("x", "x", "y"):
            sent = await client.post("/runs/new/step", data={"seed": "4", "count": "1", "key": key})
            assert step_of(await client.get(sent.headers["location"])) == "1"
        assert await stored(client) == 4
        flat = await client.post("/runs/new/step", data={"link": "dataset=plane&hidden=", "count": "1"}, headers=HTMX)
        assert "hidden=&" in flat.headers["hx-replace-url"], "what is empty in a link is empty"
        run = await made(client)
        branches = {run_of(await client.post(f"/runs/{run}/branch", data={}, headers=click)) for _ in range(2)}
        assert len(branches) == 1
        starts = [await client.post("/runs", data={"seed": "9"}, headers=click) for _ in range(2)]
        assert len({run_of(start) for start in starts}) == 1

    within(tmp_path, work)


def test_live_changes_keep_the_run_and_others_start_anew(tmp_path: Path) -> None:
    """The learning rate changes in mid-run and stays after Reset; another network is another run at step 0."""

    async def work(client: AsyncClient) -> None:
        run = await made(client, "seed=6")
        await client.post(f"/runs/{run}/step", data={"count": "5"}, headers=HTMX)
        edited = await client.post(
            f"/runs/{run}/edit", data={"field": "learning_rate", "learning_rate": "0.3"}, headers=HTMX
        )
        assert (run_of(edited), step_of(edited)) == (run, "5")
        assert "edits=5:learning_rate:0.3" in edited.headers["hx-replace-url"]
        reset = await client.post(f"/runs/{run}/reset", data={}, headers=HTMX)
        assert step_of(reset) == "0"
        assert "learning_rate=0.3" in reset.headers["hx-replace-url"]
        body = urlencode([("controls", 1), ("dataset", "xor"), ("units", 3), ("units", 5), ("unit_activation", "relu"),
                          ("unit_activation", "elu"), ("features", "x1"), ("change_layers", "remove:1")])  # fmt: skip
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        other = await client.post("/runs", content=body, headers={**HTMX, **form})
        assert run_of(other) != run
        assert "hidden=5&activation=elu" in other.headers["hx-replace-url"]
        assert "hx-partial" in other.text

    within(tmp_path, work)


@pytest.mark.parametrize("name", DATASETS)
def test_every_dataset_has_its_page(tmp_path: Path, name: str) -> None:
    """The tile's link opens, steps, walks and tells a receipt, for every dataset of the table."""

    async def work(client: AsyncClient) -> None:
        page = await client.get("/")
        tile = re.search(rf'id="tile-{name}" class="tile" href="([^"]+)"', page.text)
        assert tile is not None
        opened = await client.get(tile[1].replace("&amp;", "&"))
        assert opened.status_code == 200
        run = await made(client, tile[1].partition("?")[2].replace("&amp;", "&"))
        for query in ("lens=updates&tests=on&discrete=on", "moment=3&example=1", "select=b1.1&grain=pass&moment=2"):
            frame = await client.get(f"/runs/{run}/frame?{query}", headers=HTMX)
            assert frame.status_code == 200, query
            assert "?" not in frame.headers["hx-replace-url"][2:]
        stepped = await client.post(f"/runs/{run}/step", data={"count": "2", "quick": "1"}, headers=HTMX)
        assert [frame["step"] for frame in stepped.json()["frames"]] == [2]

    within(tmp_path, work)


@pytest.mark.parametrize(
    ("method", "path", "data"),
    [
        ("GET", "/?dataset=nothing", {}),
        ("GET", "/?hidden=0", {}),
        ("POST", "/runs", {"dataset": "circle", "hidden": "9" * 400}),
        ("POST", "/runs", {"csv": "1,2\nfour"}),
        ("POST", "/runs/RUN/step", {"count": "-1"}),
        ("POST", "/runs/RUN/step", {"count": "1e9"}),
        ("POST", "/runs/RUN/step", {"count": "abc"}),
        ("POST", "/runs/RUN/step", {"count": "100001"}),
        ("POST", "/runs/RUN/freeze", {"freeze": "W9.9.9"}),
        ("POST", "/runs/RUN/slower", {"rate": "fast"}),
        ("POST", "/runs/RUN/edit", {"field": "hidden", "hidden": "3"}),
        ("POST", "/runs/RUN/edit", {"field": "W1.1.1", "value": "NaN"}),
        ("POST", "/runs/RUN/rewind", {"to": "999"}),
        ("GET", "/runs/RUN/frame?select=W9.9.9.9", {}),
        ("GET", "/runs/RUN/nudge?address=nonsense", {}),
        ("GET", "/runs/RUN/nudge?address=W1.1.1&amount=much", {}),
        ("GET", "/runs/RUN/contour?address=W1.1.1&other=W1.1.1", {}),
    ],
)
def test_bad_input_is_refused_in_words(tmp_path: Path, method: str, path: str, data: dict[str, str]) -> None:
    """422 with a sentence that names the field, to htmx as to plain forms, and the run as it was."""

    async def work(client: AsyncClient) -> None:
        run = await made(client, "seed=7")
        await client.post(f"/runs/{run}/step", data={"count": "500"}, headers=HTMX)
        for headers in ({}, HTMX):
            looked = data and {"step": "3", **data}  # from the past, what came later stays too
            answer = await client.request(method, path.replace("RUN", run), data=looked or None, headers=headers)
            assert answer.status_code == 422, answer.text[:300]
            assert "must be" in answer.text
        assert step_of(await client.get(f"/runs/{run}/frame", headers=HTMX)) == "500"

    within(tmp_path, work)


def test_without_script_a_refused_form_comes_back(tmp_path: Path) -> None:
    """What was chosen stays chosen, the message stands at its field, and the run is the one that it was sent from."""

    async def work(client: AsyncClient) -> None:
        run = await made(client, "seed=7&parameters=&frozen=biases")
        form = [("controls", "1"), ("run", run), ("dataset", "circle"), ("seed", "7"), ("units", "3"),
                ("units", "zwei"),
                ("unit_activation", "relu"), ("unit_activation", "tanh"), ("features", "x1"), ("batch_size", "31"),
                ("output_activation", "tanh"), ("loss", "squared_error"), ("start_parameters", ""),
                ("optimizer", "adam"), ("learning_rate", "0.3")]  # fmt: skip
        encoded = {"Content-Type": "application/x-www-form-urlencoded"}
        wrong = await client.post("/runs", content=urlencode(form), headers=encoded)
        assert wrong.status_code == 422
        assert run_of(wrong) == run
        assert "must be a whole number" in field_error(wrong, "hidden")
        assert 'name="units" value="zwei"' in wrong.text
        form[5], form[11] = ("units", "2"), ("loss", "cross_entropy")
        answer = await client.post("/runs", content=urlencode(form), headers=encoded)
        assert "cross_entropy" in field_error(answer, "loss")
        assert "output activation tanh" in field_error(answer, "loss")
        for chosen in ("cross_entropy", "tanh", "relu", "adam", "0.3"):
            assert f'<option value="{chosen}" selected' in answer.text, chosen
        assert 'name="batch_size" type="range" min="1" max="100" step="1" value="31"' in answer.text
        form[11] = ("loss", "squared_error")
        assert (await client.post("/runs", content=urlencode(form), headers=encoded)).status_code == 303
        form[12] = ("start_parameters", '[{"W": 3}]')
        given = await client.post("/runs", content=urlencode(form), headers=encoded)
        assert field_error(given, "parameters")
        assert "[{&#34;W&#34;: 3}]</textarea>" in given.text
        receipt = {"field": "W2.1.3", "value": "a lot", "select": "W2.1.3"}
        assert "a lot" in field_error(await client.post(f"/runs/{run}/edit", data=receipt), "W2-1-3")

    within(tmp_path, work)


def test_what_is_busy_or_fails_loses_no_later_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A step from the past that the pool or the store does not take leaves the run where it stood."""

    async def work(client: AsyncClient) -> None:
        run = await made(client, "seed=7")
        await client.post(f"/runs/{run}/step", data={"count": "50"}, headers=HTMX)
        state = client._transport.app.state  # type: ignore[attr-defined]
        for owner, name, error in (
            (state.runs.pool, "do", Busy("planted", 503)), (state.store, "put", StoreUnavailable("planted")),
        ):  # fmt: skip
            with monkeypatch.context() as planted:
                planted.setattr(owner, name, AsyncMock(side_effect=error))
                answer = await client.post(f"/runs/{run}/step", data={"step": "3", "count": "2"}, headers=HTMX)
                assert answer.status_code == 503
            assert step_of(await client.get(f"/runs/{run}/frame", headers=HTMX)) == "50"

    within(tmp_path, work)


def test_a_form_that_comes_again_is_one_step(tmp_path: Path) -> None:
    """With script by the key of the click; without it by the form as it was rendered, each button for itself."""

    async def work(client: AsyncClient) -> None:
        run = await made(client, "seed=7")
        path, key = f"/runs/{run}/step", {"Idempotency-Key": "a click"}
        for expected, headers in (("1", HTMX | {"Idempotency-Key": "1"}), ("1", HTMX | {"Idempotency-Key": "1"}),
                                  ("2", HTMX | {"Idempotency-Key": "2"}), ("3", HTMX), ("4", HTMX)):  # fmt: skip
            assert step_of(await client.post(path, data={"count": "1", "key": "form"}, headers=headers)) == expected
        assert step_of(await client.post(path, data={"count": "1"}, headers=HTMX | key)) == "5", "no key of ours"
        for data, expected in (({"count": "1", "key": "x"}, "6"), ({"count": "1", "key": "x"}, "6"),
                               ({"count": "2", "key": "x"}, "8"), ({"count": "1", "key": "y"}, "9")):  # fmt: skip
            sent = await client.post(path, data=data)
            assert step_of(await client.get(sent.headers["location"])) == expected

    within(tmp_path, work)


def field_error(answer: Response, field: str) -> str:
    found = re.search(f'id="error-{field}" role="alert">([^<]*)', answer.text)
    assert found is not None
    return found[1]


def test_nothing_a_client_sends_is_an_error_of_ours(tmp_path: Path) -> None:
    """Raw bytes, foreign ids and stale addresses get an answer below 500."""

    async def work(client: AsyncClient) -> None:
        run = await made(client, "")
        far = "/?example=999999&select=W7.7.7&moment=99999&step=99"
        stale = (f"/runs/{run}/frame?step=99999", "/runs/nobody/frame", f"/runs/{run}/nothing", "/static/x/../y")
        for path in ("/?\xff=\xfe", "/?edits=%ff%00;;", far, *stale):
            assert (await client.get(path, headers=HTMX)).status_code < 500, path
        for body in (b"\xff\xfe=%", b"a=" * 3000, b"\x00" * 100, b"count=%F0%9F"):
            answer = await client.post(f"/runs/{run}/step", content=body, headers=HTMX)
            assert answer.status_code < 500, body[:20]

    within(tmp_path, work)


def test_points_that_the_page_has_are_not_sent_again(tmp_path: Path) -> None:
    """A frame leaves out the data points if the page says that it has these very ones, and a whole page never does."""

    async def work(client: AsyncClient) -> None:
        page = await client.get("/?seed=8")
        points = re.search(r'name="points" value="([^"]+)"', page.text)
        assert points is not None
        path = f"/runs/{run_of(page)}/frame?points={points[1]}"
        assert (
            "<circle class=" not in (await client.get(path, headers=HTMX)).text.split('id="plot"')[1].split("chosen")[0]
        )
        assert "<circle class=" in (await client.get(path + "&tests=on", headers=HTMX)).text.split('id="plot"')[1]
        assert "<circle class=" in (await client.get(f"/?seed=8&points={points[1]}")).text.split('id="plot"')[1]

    within(tmp_path, work)


def test_words_of_a_visitor_are_text(tmp_path: Path) -> None:
    """No text from an address reaches the page unescaped."""

    async def work(client: AsyncClient) -> None:
        for name in ("dataset", "lens", "activation", "hidden", "edits"):
            answer = await client.get("/", params={name: "<img src=x onerror=alert(1)>"})
            assert "<img" not in answer.text, name

    within(tmp_path, work)


def test_a_diverged_run_offers_the_way_back(tmp_path: Path) -> None:
    """It says which layer and what helps, Play is told to stop, and both ways lead to a run that goes on."""

    async def work(client: AsyncClient) -> None:
        run = await made(client, "dataset=plane&hidden=&learning_rate=100")
        gone = await client.post(f"/runs/{run}/step", data={"count": "400"}, headers=HTMX)
        assert "has diverged" in gone.text
        assert '"stopped": "diverged"' in gone.headers["hx-trigger"]
        assert 'name="rate" value="10"' in gone.text, "a tenth of what it was"
        back = re.search(r'name="to" value="(\d+)"', gone.text)
        assert back is not None
        rewound = await client.post(f"/runs/{run}/rewind", data={"to": back[1]}, headers=HTMX)
        assert "has diverged" not in rewound.text
        slower = await client.post(f"/runs/{run}/slower", data={"rate": "0.01"}, headers=HTMX)
        assert "learning_rate=0.01" in slower.headers["hx-replace-url"]

    within(tmp_path, work)


def test_an_entry_of_the_history_has_its_run_while_that_is_what_it_says(tmp_path: Path) -> None:
    """Back leads to the run that was there, as far as it has come, and not to one that is back before it or another."""

    async def work(client: AsyncClient) -> None:
        run = await made(client, "seed=5")
        await client.post(f"/runs/{run}/step", data={"count": "12"}, headers=HTMX)
        for link, same in (
            ("seed=5&step=7", True),
            ("seed=5&step=12", True),
            ("seed=5&step=13", False),
            ("seed=6", False),
        ):
            answer = await client.get(f"/?{link}&kept={run}", headers=HTMX)
            assert (run_of(answer) == run) == same, link
            assert step_of(answer) == dict(parse_qsl(link)).get("step", "0")

    within(tmp_path, work)


def test_stops_are_kept(tmp_path: Path) -> None:
    """Play is told when it has come to the step, the loss or the accuracy, and never runs past the step."""

    async def work(client: AsyncClient) -> None:
        run = await made(client, "dataset=gaussian&noise=0")
        stopped = await client.post(
            f"/runs/{run}/step", data={"count": "50", "stop_step": "7", "quick": "1"}, headers=HTMX
        )
        assert [(frame["step"], frame["stop"]) for frame in stopped.json()["frames"]] == [(7, "step")]
        easy = await client.post(f"/runs/{run}/step", data={"count": "1", "stop_accuracy": "1"}, headers=HTMX)
        assert "accuracy" in easy.headers["hx-trigger"]

    within(tmp_path, work)


def weight(text: bytes) -> int:
    return len(gzip.compress(text, 6))


def test_the_page_is_light_and_all_of_it_local(tmp_path: Path) -> None:
    """First load under 60 kB gzipped; every file comes from here, for ever under the address it has."""

    async def work(client: AsyncClient) -> None:
        page = await client.get("/", headers={"Accept-Encoding": "gzip"})
        assert page.headers["content-encoding"] == "gzip"
        total = weight(page.content)
        assert not re.search(r'(?:src|href|action)="(?:https?:)?//', page.text)
        assert "style=" not in page.text
        paths = set(re.findall(r'(?:src|href)="(/static/[^"]+)"', page.text))
        assert {name for name in paths if name.endswith("controls.js")}  # the modules that others import are preloaded
        for path in paths:
            file = await client.get(path)
            assert file.status_code == 200, path
            assert "immutable" in file.headers["cache-control"]
            total += weight(file.content)
        assert total < 60_000, total

    within(tmp_path, work)


def test_a_refused_dataset_is_told_with_what_tiles_are_called(tmp_path: Path) -> None:
    """Whoever asks for "hills", as its tile says, reads what a link calls it."""

    async def work(client: AsyncClient) -> None:
        page = await client.get("/?dataset=hills")
        assert "plane, multi_gaussian (hills), three_blobs (3 blobs), digits16 (digits)" in page.text

    within(tmp_path, work)


@pytest.mark.parametrize(("query", "most"), [("", 12_000), ("hidden=8,8,8,8,8,8&batch_size=30", 40_000)])
def test_frames_are_light(tmp_path: Path, query: str, most: int) -> None:
    """A frame of Play stays under its budget, gzipped."""

    async def work(client: AsyncClient) -> None:
        page = await client.get(f"/?{query}")
        run, points = await made(client, query), re.search(r'name="points" value="([^"]+)"', page.text)
        assert points is not None
        await client.post(f"/runs/{run}/step", data={"count": "300"}, headers=HTMX)
        for data in ({"count": "1", "quick": "1"}, {"count": "1"}):
            frame = await client.post(
                f"/runs/{run}/step", data={**data, "lens": "gradients", "points": points[1]}, headers=HTMX
            )
            assert int(frame.headers["content-length"]) < most

    within(tmp_path, work)


def test_the_controls_offer_every_table(tmp_path: Path) -> None:
    """A new dataset or optimizer is a new choice without a change here; every setting has its field."""
    for name, entry in OPTIMIZERS.items():
        shown = controls(Spec.make(optimizer=name))
        assert [option.value for option in shown.choices["optimizer"].options] == list(OPTIMIZERS)
        assert len(shown.optimizer_numbers) == len(entry.settings)
    assert [tile.name for tile in controls(Spec.make()).tiles] == list(DATASETS)


def fields(**given: Any) -> Fields:
    return Fields(
        [(k, str(v)) for k, values in given.items() for v in (values if isinstance(values, list) else [values])]
    )


def test_what_was_touched_last_has_its_way() -> None:
    """Choosing a loss changes an output that does not go with it, and the other way round."""
    base = {"dataset": "circle", "units": [4], "unit_activation": ["tanh"]}
    chosen = spec_from(fields(**base, loss="cross_entropy", output_activation="tanh"), "loss")
    assert (chosen.loss, chosen.output_activation) == ("cross_entropy", "softmax")
    turned = spec_from(fields(**base, loss="cross_entropy", output_activation="tanh"), "output_activation")
    assert turned.output_activation == "tanh"
    assert turned.loss != "cross_entropy"


@pytest.mark.parametrize(
    ("text", "task", "says"),
    [
        ("x,y\n1,nan\n2,3", "", "No column is left that could be an input: y is always 3 and tells nothing."),
        ("1\n2", "", "Line 1 has 1 column: it must have at least 2,"),
        (",".join("1" * 300) + "\n", "", "There is only 1 line of numbers: there must be at least 2,"),
        ("\n".join([",".join("1" * 301)] * 2), "", "Line 1 has 301 columns: it must have at most 300."),
        ("", "", "There are no lines of numbers: there must be at least 2,"),
        ("x,y\n1,2", "", "There is only 1 line of numbers: there must be at least 2,"),
        ("1,2,0\n2,2,2\n3,3,1", "binary", "column 3 has 3 different values: two classes have two."),
        ("1,2,0\n2,3,0.5\n3,5,1", "multiclass", "column 3 has 3 different values: there may be 10 classes, of whole"),
        ("1,2,red\n2,3,blue\n3,3,red", "regression", "column 3 has words, such as “red”: they are classes,"),
        ("1,2,0\n2," + "x" * 2_000 + ",1\n3,4,0", "", "Line 2, column 2 has 2,000 characters: a cell may have 1,000."),
        ('1,2,0\n2,"' + "x" * 200_000 + ",1\n3,4,0", "", "Line 2, column 2 has 200,001 characters: a cell may have"),
        ("[[1, 2], [3, [[4]]]]", "", "Row 2 of the JSON has a list or a record in a cell"),
        ("[[1, 2] ... [3, 4]]", "", "The list was printed in part"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, text: str, task: str, says: str) -> None:
    """Pasted text is refused in one plain sentence: the line and column, counted from 1, and what is allowed."""

    async def work(client: AsyncClient) -> None:
        for headers in ({}, HTMX):
            answer = await client.post("/runs", data={"csv": text, "task": task}, headers=headers)
            assert answer.status_code == 422
            said = re.search(r'(?:id="notice" role="alert">|#notice" hx-swap="innerHTML">)<p[^>]*>([^<]*)', answer.text)
            assert said is not None
            assert said[1].startswith(says)

    within(tmp_path, work)


def test_a_refusal_calls_a_layer_as_the_page_does(tmp_path: Path) -> None:
    """Hidden 2, not hidden.1; a network that is too large is told as its layers."""

    async def work(client: AsyncClient) -> None:
        controls = {"controls": "1", "dataset": "circle", "units": ["4", "0"], "unit_activation": ["tanh", "tanh"]}
        wrong = await client.post("/runs", data=controls, headers=HTMX)
        assert "hidden 2: 0 is not allowed: it must be a whole number from 1 to 256." in wrong.text
        large = {"controls": "1", "units": ["256"] * 4, "unit_activation": ["tanh"] * 4}
        says = (await client.post("/runs", data=large, headers=HTMX)).text
        assert "256-256-256-256&#39; is not allowed: it must be smaller: 198,401 parameters" in says

    within(tmp_path, work)


def test_data_too_long_for_an_address_is_kept_by_the_run(tmp_path: Path) -> None:
    """The address then names the run, the page says so, and it opens again."""

    async def work(client: AsyncClient) -> None:
        numbers = np.random.default_rng(0).normal(size=(900, 2)).tolist()
        rows = "\n".join(f"{x},{y},{i % 2}" for i, (x, y) in enumerate(numbers))
        made = await client.post("/runs", data={"csv": rows}, headers=HTMX)
        address = made.headers["hx-replace-url"]
        assert f"run={run_of(made)}" in address
        assert len(address) < 200
        assert "too long for the address" in made.text
        again = await client.get(address + "&lens=gradients")
        assert run_of(again) == run_of(made)

    within(tmp_path, work)


def test_a_receipt_says_what_the_step_does(tmp_path: Path) -> None:
    """Adam may go against this step's own gradient: the words follow the step; the code has regularization in it."""

    async def work(client: AsyncClient) -> None:
        page = (await client.get("/?step=20&select=W2.1.3&optimizer=adam&learning_rate=0.01")).text
        assert "memory won." in page
        page = (await client.get("/?step=20&select=W2.1.3&regularization=l2&regularization_rate=0.1")).text
        assert "W2_next = W2 - rate * gW2" in page
        page = (await client.get("/?step=20&select=a2.1&example=8")).text
        assert "f&#39;(z2)" not in page
        assert 'name="select" value="a3.1"' in page, "the delta came from the output"

    within(tmp_path, work)


def test_files_are_served_without_comments_and_indents_and_nothing_else(tmp_path: Path) -> None:
    """Every text of a script is the source's own, and so is what stands around it; what is others' is sent as it is."""

    async def work(client: AsyncClient) -> None:
        for name in (*(path.name for path in STATIC.glob("*.js")), "vendor/htmx.min.js"):
            served, source = (await client.get(asset(name))).text, (STATIC / name).read_text()
            if "vendor" in name:
                assert served == source
                continue
            assert Literals(served).found == Literals(source).found, name
            ours = re.sub(r"(?:^|\s)// .*|/\*.*?\*/", "", source, flags=re.M)
            assert re.sub(r"\s", "", served) == re.sub(r"\s", "", ours), name
        for path in STATIC.glob("*.css"):
            served, source = (await client.get(asset(path.name))).text, path.read_text()
            ours = re.sub(r"/\*.*?\*/", "", source, flags=re.S)
            assert re.sub(r"\s", "", served) == re.sub(r"\s|;(?=\s*\})", "", ours), path.name

    within(tmp_path, work)


def test_layers_are_typed_as_text(tmp_path: Path) -> None:
    """The text makes the run; what is wrong stands at its field and stays typed; empty, the dense layers are left."""

    async def work(client: AsyncClient) -> None:
        run = run_of(await client.get("/?seed=7"))
        form = {"controls": "1", "run": run, "dataset": "circle", "seed": "7", "units": "4", "unit_activation": "tanh",
                "features": "x1", "batch_size": "10", "layers": "dense 3 tanh, dense 3 relu, shortcut 1"}  # fmt: skip
        made = await client.post("/runs", data=form, headers=HTMX)
        assert made.status_code == 200
        assert "dense 3 tanh, dense 3 relu, shortcut 1</textarea>" in made.text
        assert re.findall(r'name="units" value="(\d+)"', made.text) == ["3", "3"]
        wrong = await client.post("/runs", data=form | {"layers": "dense 3, dense 4, shortcut 1"})
        assert wrong.status_code == 422
        assert "the 3 numbers of hidden 1 to the 4 of hidden 2" in field_error(wrong, "layers")
        assert "dense 3, dense 4, shortcut 1</textarea>" in wrong.text
        left = form | {"layers": "", "units": ["3", "3"], "unit_activation": ["tanh", "relu"]}
        plain = await client.post("/runs", data=left, headers=HTMX)
        assert re.findall(r'id="units-\d" name="units" value="(\d+)"', plain.text) == ["3", "3"]
        assert 'placeholder="dense 8 tanh, dropout 0.2, dense 8 tanh, shortcut 1"></textarea>' in plain.text

    within(tmp_path, work)


@pytest.mark.parametrize("norm", ["layer_norm", "batch_norm"])
def test_a_normalized_network_has_every_page(tmp_path: Path, norm: str) -> None:
    """Every moment at every grain on one example and on the batch, every lens, and what is asked of a gain."""

    async def work(client: AsyncClient) -> None:
        layers = f"layers=dense+3+tanh,+{norm},+dropout+0.2,+dense+3+relu,+{norm},+shortcut+1"
        for grain in ("operation", "unit", "layer", "pass"):
            for moment, example in ((5, "&example=3"), (20, ""), (60, "&example=3"), (71, ""), (90, "&example=3")):
                address = f"/?{layers}&step=4&grain={grain}&moment={moment}{example}&select=gamma1.2"
                page = await client.get(address)
                assert page.status_code == 200, address
                assert "gain of hidden 1, unit 2" in page.text
        looked = {"link": layers, "head": "30", "step": "12", "address": "gamma2.3", "other": "beta1.1"}
        for kind in ("frame", "table", "health", "nudge", "slice", "wishes", "check", "contour"):
            for lens in ("weights", "activations", "gradients", "updates"):
                found = await client.get(f"/runs/new/{kind}", params=looked | {"lens": lens}, headers=HTMX)
                assert found.status_code == 200, (kind, lens)

    within(tmp_path, work)


@pytest.mark.parametrize("name", DEEP)
def test_what_layers_are_for_is_a_link(tmp_path: Path, name: str) -> None:
    """Of networks that learn what the same ones without norms or shortcuts do not, and one that overfits less."""

    async def work(client: AsyncClient) -> None:
        found = re.search(rf'<a href="(/deep/\d)">{name}</a>', (await client.get("/")).text)
        assert found is not None
        led = await client.get(found[1])
        assert led.status_code == 303
        assert led.headers["location"].startswith("/?")
        there = await client.get(led.headers["location"])
        assert there.status_code == 200
        assert DEEP[name]["layers"] in there.text
        assert (await client.get("/deep/x")).headers["location"] == (await client.get("/deep/77")).headers["location"]

    within(tmp_path, work)


def test_what_layers_are_for_is_so() -> None:
    """After some hundred steps: accuracy on training rows, of a convolution and with dropout on tests."""

    def after(steps: int, name: str, without: str = "") -> dict[str, Any]:
        given = DEEP[name] if not without else DEEP[name] | {"layers": DEEP[name]["layers"].replace(without, "")}
        return evaluate(advance(start(Spec.make(given)), steps).state)

    for name, steps, attached in (
        ("deep and normalized", 600, ", batch_norm"),
        ("deep with shortcuts", 1500, ", shortcut 1"),
    ):
        assert after(steps, name)["train"].accuracy > 0.85 > after(steps, name, attached)["train"].accuracy
    lenets = [advance(start(Spec.make(DEEP["16 x 16 LeNet"] | {"seed": seed})), 750).state for seed in range(5)]
    assert np.mean([evaluate(state)["test"].accuracy for state in lenets]) >= 0.94
    dropped = "dropout against overfitting"
    less, more = (
        sum(evaluate(advance(start(Spec.make(given | {"seed": seed})), 4000).state)["test"].loss for seed in range(5))
        for given in (DEEP[dropped], DEEP[dropped] | {"layers": DEEP[dropped]["layers"].replace(", dropout 0.5", "")})
    )
    assert less < 0.95 * more  # of several seeds: what rounding does grows so much in as many steps that one is chance


def test_the_list_of_runs_is_sorted_and_has_each_curve(tmp_path: Path) -> None:
    """By what a column asks for, a run without a loss last; any other order is that of the last change."""

    async def work(client: AsyncClient) -> None:
        steps = {await made(client, "seed=1"): 40, await made(client, "seed=2"): 0}
        wild = "learning_rate=10&activation=identity&output_activation=identity&loss=squared_error"
        steps[diverges := await made(client, wild)] = 40
        for run, count in steps.items():
            await client.post(f"/runs/{run}/step", data={"count": str(count)}, headers=HTMX)
        trained, fresh = list(steps)[:2]
        for order, expected in (
            ("test", [trained, fresh, diverges]),
            ("train", [trained, fresh, diverges]),
            ("step", [trained, diverges, fresh]),
            ("", [diverges, fresh, trained]),
            ("<b>", [diverges, fresh, trained]),
        ):
            table = (await client.get("/runs", params={"sort": order, "run": fresh}, headers=HTMX)).text
            assert RUN.findall(table) == expected, order
            assert table.count("aria-sort") == (order != "<b>")
            curves = dict(zip(RUN.findall(table), table.split("<tr")[2:], strict=True))
            assert [run for run in steps if "<path" in curves[run]] == [trained, diverges]
        told = (await client.get(f"/api/v1/runs/{trained}/history")).json()
        losses = np.array(told["values"], float)[:, told["columns"].index("train_loss")]
        (drawn,) = re.findall(r' d="M([^"]+)"', curves[trained])
        heights = [float(place.split()[1]) for place in drawn.split("L")]
        assert np.corrcoef(heights, losses[::2])[0, 1] < -0.999, "the training loss, upwards"

    within(tmp_path, work)
