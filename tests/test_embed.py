"""The playground in a frame on another page: who may frame what, and what a picture made of its address alone costs."""

import asyncio
import re
from pathlib import Path

import numpy as np
import pytest
from httpx import AsyncClient, Response
from test_api import served
from test_pages import HTMX, run_of, step_of, stored, within

from app.main import create_app
from app.serve.security import CSP, FRAMED_CSP
from app.settings import Settings

LINKS = re.compile(r'<g id="links">.*?<g id="pulses">', re.DOTALL)


def drawn(answer: Response) -> str:
    found = LINKS.search(answer.text)
    assert found is not None
    return found[0]


def test_it_alone_may_be_framed(tmp_path: Path) -> None:
    """By anybody, slides from a disk among them, its failures too; every other answer by nobody, in old browsers' words
    as well."""

    async def work(client: AsyncClient) -> None:
        wrong = {"/embed?dataset=nothing": 422, "/embed?run=nobody": 404, "/embed?seed=-1": 422, "/embed?seed=3": 200}
        for path, status in wrong.items():
            answer = await client.get(path)
            assert (answer.status_code, answer.headers["content-security-policy"]) == (status, FRAMED_CSP)
            assert "x-frame-options" not in answer.headers
            assert "set-cookie" not in answer.headers, "no cookie of ours travels into a frame, so none is set there"
        others = ("/", "/learn", "/class", "/docs", "/api/v1/catalog", "/healthz", "/nope", "/embed/", "/embedded")
        for path in (*others, "/runs/nobody/frame", "/static/nothing.js"):
            answer = await client.get(path)
            assert answer.headers["content-security-policy"] == CSP, path
            assert answer.headers["x-frame-options"] == "DENY", path
        assert "frame-ancestors 'none'" in CSP
        assert "frame-ancestors * file:" in FRAMED_CSP

    within(tmp_path, work)


def test_all_who_open_a_link_see_the_same(tmp_path: Path) -> None:
    """Readers at steps of their own each see exactly what the playground would show there, and nothing is stored."""

    async def work(client: AsyncClient) -> None:
        link = "seed=4&lens=gradients&edits=2:learning_rate:0.3"
        for step in (*range(12), 3, 7, 40, 11):
            client.cookies.clear()
            answer = await client.get(f"/embed?{link}&step={step}&size=l", headers=HTMX if step % 2 else {})
            assert step_of(answer) == str(step)
            assert drawn(answer) == drawn(await client.get(f"/?{link}&step={step}&size=l")), step
        assert step_of(await client.get(f"/embed?{link}")) == "2", "where the changes end, if no step is named"
        assert await stored(client) == 0

    within(tmp_path, work)


def test_a_whole_class_may_open_it_at_once(tmp_path: Path) -> None:
    """Heavy work on one run is limited as one visitor's; readers of one link are many, and none of them is refused."""

    async def work(client: AsyncClient) -> None:
        link = "dataset=digits16&hidden=16&samples=1000"
        await client.get(f"/embed?{link}&step=400")
        answers = await asyncio.gather(
            *(client.get(f"/embed?{link}&step={step}", headers=HTMX) for step in range(80, 110))
        )
        assert [step_of(answer) for answer in answers] == [str(step) for step in range(80, 110)]

    within(tmp_path, work)


def test_nobodys_run_is_moved(tmp_path: Path) -> None:
    """A frame of a run that is named, its data being too long for an address, is drawn and leaves that run alone."""

    async def work(client: AsyncClient) -> None:
        numbers = np.random.default_rng(0).normal(size=(900, 2)).tolist()
        rows = "\n".join(f"{x},{y},{i % 2}" for i, (x, y) in enumerate(numbers))
        made = await client.post("/runs", data={"csv": rows}, headers=HTMX)
        named = made.headers["hx-replace-url"].removeprefix("/?")
        assert f"run={run_of(made)}" in named
        framed = await client.get(f"/embed?{named}&step=5")
        assert step_of(framed) == "5"
        assert step_of(await client.get(f"/runs/{run_of(made)}/frame", headers=HTMX)) == "0"
        assert f'name="run" value="{run_of(made)}"' in framed.text, "the frame's own steps name it, too"
        assert step_of(await client.get(f"/embed?run={run_of(made)}&step=6")) == "6"
        assert await stored(client) == 1

    within(tmp_path, work)


def test_a_link_without_a_step_is_at_its_last_edit(tmp_path: Path) -> None:
    """All that was changed on the way is in what it shows."""

    async def work(client: AsyncClient) -> None:
        edited = await client.get("/embed?seed=6&edits=5:learning_rate:1;20:learning_rate:0.1")
        assert step_of(edited) == "20"

    within(tmp_path, work)


def test_frames_of_play_are_light_and_say_when_it_ends(tmp_path: Path) -> None:
    """No more is sent than is shown; a run that diverges stops Play, and the sentence says why."""

    async def work(client: AsyncClient) -> None:
        quick = await client.get("/embed?seed=6&step=3&quick=1&frames=1,4", headers=HTMX)
        assert int(quick.headers["content-length"]) < 9_000
        assert [frame["step"] for frame in quick.json()["frames"]] == [4, 8]
        assert quick.json()["rest"] == ""
        assert "hx-replace-url" not in quick.headers, "the address of a frame is its page's affair"
        gone = await client.get("/embed?dataset=plane&hidden=&learning_rate=100&step=400", headers=HTMX)
        assert gone.headers["hx-trigger"] == "stopped"
        assert "notice diverged" in gone.text
        assert "/rewind" not in gone.text

    within(tmp_path, work)


@pytest.mark.parametrize("query", ["step=99999999999", "moment=9&example=99999&select=W9.9.9", "size=x", ""])
def test_far_places_are_brought_near(tmp_path: Path, query: str) -> None:
    """What is not there is left out, and what would take too long is done as far as it goes."""

    async def work() -> None:
        async with served(create_app(Settings(data=tmp_path, replay_seconds=0.2))) as client:
            assert (await client.get(f"/embed?seed=9&{query}")).status_code == 200

    asyncio.run(work())
