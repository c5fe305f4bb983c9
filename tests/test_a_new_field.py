"""A new field that is one choice needs its entry and its type: page, link, JSON and Python take it from there."""

from dataclasses import dataclass
from pathlib import Path

import pytest
from httpx import AsyncClient
from reading import page as read
from test_pages import HTMX, run_of, within

import engine.spec
from app.run.links import query_fields, spec_fields
from engine import FIELDS, SpecError
from engine.fields import Field


@dataclass(frozen=True)
class Planted(engine.spec.Spec):
    """A spec with one field more."""

    ink: str = "blue"


@pytest.fixture(params=[True, False], ids=["live", "anew"])
def live(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """The planted field, changed at once or with a new start."""
    told: bool = request.param
    ink = Field("ink", "Ink", "network", "choice", "blue", "What it is written in.", choices=("blue", "red"), live=told)
    monkeypatch.setitem(FIELDS, "ink", ink)
    monkeypatch.setattr(engine.spec, "Spec", Planted)
    return told


def test_a_new_choice_is_taken_in_python_and_in_links(live: bool) -> None:
    """It has its default, refuses what it does not know, and a link brings it back."""
    assert Planted.make({}).ink == "blue"
    red = Planted.make({"ink": "red"})
    assert red.to_dict()["ink"] == query_fields(red)["ink"] == "red"
    assert Planted.make(spec_fields(query_fields(red))) == red
    with pytest.raises(SpecError, match="one of blue, red"):
        Planted.make({"ink": "green"})
    if live:
        assert Planted.make({}).with_changes(ink="red").ink == "red"


def test_a_new_choice_draws_its_control(live: bool, tmp_path: Path) -> None:
    """Once, where its kind of change belongs; what it sends is taken, and JSON tells of it."""

    async def work(client: AsyncClient) -> None:
        page = read((await client.get("/?ink=red")).text)
        group = page.one("fieldset", id="training" if live else "network")
        assert len(page.all("select", id="c-ink")) == 1
        control = group.one("select", id="c-ink")
        assert [each.words for each in control.all("option")] == ["blue", "red"]
        assert [each.words for each in control.all("option") if "selected" in each.attrs] == ["red"]
        assert ("hx-post" in control.attrs) == live
        sent = await client.post("/runs", data={"ink": "red"}, headers=HTMX)
        told = (await client.get(f"/api/v1/runs/{run_of(sent)}")).json()
        assert told["spec"]["ink"] == "red"
        assert (await client.post("/api/v1/runs", json={"ink": "red"})).json()["spec"]["ink"] == "red"
        assert (await client.post("/api/v1/runs", json={"ink": "green"})).status_code == 422

    within(tmp_path, work)
