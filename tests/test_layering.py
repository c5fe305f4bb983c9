"""Layers added, moved, changed and removed on the drawing: what is offered can be, and what cannot says why."""

import asyncio
from pathlib import Path

import pytest
from httpx import ASGITransport, AsyncClient
from reading import page

from app.main import create_app
from app.page.forms import DEEP, spec_from
from app.page.layering import LayerChange, offer_of
from app.serve.forms import Fields
from app.settings import Settings
from engine import Spec, SpecError
from engine.fields import LIMITS

SPECS = {"default": {}, "none": {"hidden": []}, "eight": {"hidden": [2] * 8}, **DEEP}


def changes(spec: Spec) -> list[LayerChange]:
    found = list[LayerChange]()
    for at in range(len(spec.network.sizes)):
        for adding in (False, True):
            offer = offer_of(spec, at, adding)
            found += [*offer.moves, *offer.added]
            for part in offer.parts:
                found += [part.away] if part.away else []
                found += [change for _, _, several in part.options for change in several]
    return found


@pytest.mark.parametrize("name", SPECS)
def test_what_is_offered_can_be_and_what_cannot_says_why(name: str) -> None:
    """Every change of every layer, judged as the field `layers` is."""
    spec = Spec.make(SPECS[name])
    given = {key: value for key, value in SPECS[name].items() if key not in ("hidden", "activation", "layers")}
    offered = changes(spec)
    assert any(not each.reason for each in offered)
    for each in offered:
        now = {"layers": each.layers} if each.layers else {"hidden": []}
        if each.reason:
            with pytest.raises(SpecError) as refused:
                Spec.make(given | now, LIMITS)
            assert refused.value.allowed in each.reason
        else:
            made = Spec.make(given | now)
            assert not each.chosen or made.layers == spec.layers


def test_dense_layers_and_nothing_else_stay_the_short_form() -> None:
    """A change on the drawing becomes `layers` only where `hidden` and `activation` cannot say it."""
    form = [("controls", "1"), ("units", "4"), ("unit_activation", "tanh"), ("layers", "dense 4 tanh, dropout 0.5")]
    for layers, plain in (("dense 4 tanh, dense 3 relu", True), ("", True), ("dense 4 tanh, dropout 0.2", False)):
        spec = spec_from(Fields([*form, ("new_layers", layers)]))
        assert ", ".join(item.text for item in spec.layers) == layers
        assert (spec.to_dict()["layers"] is None) == plain


def test_the_panel_and_its_changes(tmp_path: Path) -> None:
    """Over HTTP: what is offered at a layer and between two, and what a click on it starts; nothing sent is a fault."""

    async def run() -> None:
        app = create_app(Settings(data=tmp_path, step_seconds=60, replay_seconds=60))
        transport = ASGITransport(app)
        async with (
            app.router.lifespan_context(app),
            AsyncClient(transport=transport, base_url="http://playground.test") as client,
        ):
            await panels(client)

    asyncio.run(run())


async def panels(client: AsyncClient) -> None:
    made = (await client.post("/api/v1/runs", json=DEEP["16 x 16 LeNet"])).json()["id"]
    panel = page((await client.get(f"/runs/{made}/layers", params={"at": "2"})).text)
    names = [label.one("span").words for label in panel.all("label")]
    assert names == ["channels", "kernel", "activation", "padding", "stride", "size"]
    chosen = [option.text for option in panel.all("option") if "selected" in option.attrs]
    assert chosen == ["16", "3x3", "relu", "valid", "1", "2"]
    assert "5x5" in [option.text for option in panel.all("option")]
    added = page((await client.get(f"/runs/{made}/layers", params={"at": "1", "adding": "1"})).text)
    assert "Batch norm" in [button.words for button in added.all("button")]
    assert "equal shape: it would add the 256 numbers of the input to the 8 x 8 x 8" in added.one("details").words
    new = panel.all("option")[0]["value"]
    form = {"controls": "1", "run": made, "dataset": "digits16", "new_layers": new}
    answer = await client.post("/runs", data=form)
    assert answer.status_code == 303
    assert "conv2d" in answer.headers["location"]
    for at in ("", "-1", "9", "x", "1e9", "²"):
        assert (await client.get(f"/runs/{made}/layers", params={"at": at})).status_code == 200
    assert (await client.get("/runs/new/layers", params={"at": "1"})).status_code == 200
