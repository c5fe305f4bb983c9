"""What is drawn is what it stands for: of every chart, map, surface, curve and bar points are read back from the
markup, by the ticks and colours that a person goes by, and compared with the numbers.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from httpx import ASGITransport, AsyncClient
from reading import Element, Scale, diverging, page, pixels, points, scales, told

from app.draw.rendering import ENV
from app.explain.walkthrough import walkthrough
from app.main import create_app
from app.room.polls import Bar
from app.room.screens import bars
from app.settings import Settings
from app.words.numbers import labels, unsigned
from engine import RunState, Spec, advance, examples_of, outputs_of, start, trace
from engine.examples import features_of
from engine.features import apply_features
from engine.network import with_ones
from machine import ROOT

HTMX = {"HX-Request": "true"}
Look = Callable[..., Awaitable[Element]]
DEFAULT = {"dataset": "circle", "noise": 0.3, "seed": 1}


class Run:
    """A run made over JSON, and its fragments as a browser gets them."""

    def __init__(self, client: AsyncClient, id: str, state: RunState) -> None:
        self.client, self.id, self.state = client, id, state
        self.spec = state.spec

    async def look(self, what: str = "frame", **view: Any) -> Element:
        answer = await self.client.get(f"/runs/{self.id}/{what}", params=view, headers=HTMX)
        assert answer.status_code == 200, answer.text
        return page(answer.text)

    async def json(self, what: str, **query: Any) -> Any:
        return (await self.client.get(f"/api/v1/runs/{self.id}/{what}", params=query)).json()

    async def history(self, other: str = "") -> tuple[Any, dict[str, Any]]:
        """Sampled steps, and each column of numbers at them."""
        found = (await self.client.get(f"/api/v1/runs/{other or self.id}/history")).json()
        values = np.array(found["values"], float)
        return np.array(found["steps"]), dict(zip(found["columns"], values.T, strict=True))


def looking(tmp_path: Path, work: Callable[[Run], Awaitable[None]], steps: int = 40, **given: Any) -> None:
    """Do `work` on a run of this spec after so many steps."""

    async def run() -> None:
        app = create_app(Settings(data=tmp_path, step_seconds=60, replay_seconds=60))
        async with (
            app.router.lifespan_context(app),
            AsyncClient(transport=ASGITransport(app), base_url="http://playground.test") as client,
        ):
            made = (await client.post("/api/v1/runs", json=given)).json()
            if steps:
                await client.post(f"/api/v1/runs/{made['id']}/step", json={"count": steps})
            await work(Run(client, made["id"], advance(start(Spec.make(given)), steps).state))

    asyncio.run(run())


def outputs(state: RunState, x: Any) -> Any:
    """The network's answers (examples, outputs) for raw inputs (examples, inputs)."""
    features = apply_features(np.asarray(x, float), state.spec.features) if state.spec.features else np.asarray(x)
    return outputs_of(state, with_ones(features))


def near(found: Any, truth: Any, reach: float, share: float = 0.012) -> bool:
    """As near as a picture can be read: a share of the whole reach."""
    return bool(np.allclose(found, truth, rtol=0, atol=share * reach))


# The loss


@pytest.mark.parametrize("scale", ["linear", "log"])
@pytest.mark.parametrize("step", [None, 40])
def test_the_loss_chart(tmp_path: Path, scale: str, step: int | None) -> None:
    """Each curve is its own losses over steps, and the dot stands at the step looked at with its training loss."""

    async def work(run: Run) -> None:
        view = {"scale": scale} | ({} if step is None else {"step": step})
        chart = (await run.look(**view)).one("svg", id="chart")
        across, upright = scales(chart, scale == "log")
        steps, columns = await run.history()
        for kind in ("train", "test"):
            losses, curve = columns[f"{kind}_loss"], points(chart.one("path", kind)["d"])
            assert len(curve) > 5
            for x, y in curve:
                near_x = np.abs(steps - across(x)) <= 1.5
                wanted = [upright.place(v) for v in losses[near_x]]
                assert min(abs(y - place) for place in wanted) < 1, kind
        assert np.abs(columns["train_loss"] - columns["test_loss"]).max() > 0.02, "curves that are told apart"
        dot, wanted_step = chart.one(id="now-dot"), 150 if step is None else step
        assert near(across(dot.number("cx")), wanted_step, 150)
        loss = columns["train_loss"][list(steps).index(wanted_step)]
        assert abs(dot.number("cy") - upright.place(loss)) < 0.2
        assert chart.one("path", id="now")["d"].startswith(f"M{dot['cx']} ")

    looking(tmp_path, work, 150, **DEFAULT, learning_rate=0.1)


def test_a_run_laid_over_another(tmp_path: Path) -> None:
    """The other run's curve is its own training loss, not this one's."""

    async def work(run: Run) -> None:
        other = (await run.client.post("/api/v1/runs", json={"dataset": "xor", "learning_rate": 0.3})).json()["id"]
        await run.client.post(f"/api/v1/runs/{other}/step", json={"count": 80})
        chart = (await run.look(compare=other)).one("svg", id="chart")
        across, upright = scales(chart)
        steps, columns = await run.history(other)
        losses = dict(zip(steps.tolist(), columns["train_loss"], strict=True))
        curve = points(chart.one("path", "other")["d"])
        assert near(across(curve[-1][0]), 80, 80)
        for x, y in curve:
            step = min(losses, key=lambda at: abs(at - across(x)))
            assert abs(y - upright.place(losses[step])) < 1

    looking(tmp_path, work, 60, **DEFAULT)


# The layers' health


def test_the_strips_and_lines_of_health(tmp_path: Path) -> None:
    """A strip's length is the gradient's norm from 10⁻⁶ to 10; the line is its past; the bars are the activations."""

    async def work(run: Run) -> None:
        step = trace(run.state)
        frame, measures = await run.look(), await run.look("health")
        _, columns = await run.history()
        rows = measures.all("tr")[1:]
        assert len(rows) == len(step.layers)
        for k, layer in enumerate(step.layers, 1):
            norm = float(np.sqrt((layer.dW**2).sum() + (layer.db**2).sum()))
            strip = frame.one(id=f"strip-{k}")
            length = strip.one("rect", "norm").number("width")
            assert length == pytest.approx(100 * (np.log10(norm) + 6) / 7, abs=0.1)
            line = points(rows[k - 1].one("svg", "spark").one("path")["d"])
            past = np.log10(columns[f"gradient_norm.{k}"])
            stride = len(past) // 40 + 1
            kept = past[(len(past) - 1) % stride :: stride]
            low, high = kept.min(), kept.max()
            assert np.allclose(line[:, 1], 15 - 14 * (kept - low) / (high - low), atol=0.1)
            bars_read(rows[k - 1].one("svg", "bars"), layer.a)

    looking(tmp_path, work, 200, **DEFAULT, learning_rate=0.1)


def bars_read(svg: Element, values: Any) -> None:
    """The histogram's bars are as high as the counts of the values between the ends that it names."""
    low, high = (told(text) for text in svg["aria-label"].removeprefix("Histogram of activations from ").split(" to "))
    parts = [part.split() for part in svg.one("path")["d"].split("M")[1:]]
    heights = np.array([16 - float(part[1].removeprefix("16V").partition("h")[0]) for part in parts])
    places = np.array([float(part[0]) for part in parts]) / 3
    counts, _ = np.histogram(values, bins=len(parts), range=(low, high))
    assert (np.diff(places) > 0).all()
    assert np.allclose(heights / heights.max(), counts / counts.max(), atol=0.02)


# The output


@pytest.mark.parametrize("discrete", ["", "on"])
def test_the_output_over_the_plane(tmp_path: Path, discrete: str) -> None:
    """Each point of the surface has the colour of what the network answers there: blue above, orange below."""

    async def work(run: Run) -> None:
        plot = (await run.look(discrete=discrete)).one("svg", id="plot")
        across, upright = scales(plot)
        image = plot.one("image", id="output-surface")
        found = diverging(pixels(image["href"]))
        x, y = middles(image, found.shape, across, upright)
        truth = outputs(run.state, np.column_stack([x.ravel(), y.ravel()]))[:, 0].reshape(found.shape)
        assert not np.allclose(truth, truth[::-1], atol=0.3), "a surface that can be told from its mirror image"
        assert not np.allclose(truth, truth[:, ::-1], atol=0.3)
        clear = np.abs(truth) > 0.05
        assert (np.sign(found) == np.sign(truth))[clear].all()
        assert np.abs(found if discrete else found - truth)[clear].max() <= (1 if discrete else 0.04)
        assert not discrete or (np.abs(found[clear]) == 1).all()

    looking(tmp_path, work, 300, dataset="xor", learning_rate=0.1, seed=3)


def middles(image: Element, shape: tuple[int, ...], across: Scale, upright: Scale) -> tuple[Any, Any]:
    """The data that every pixel's middle stands for."""
    rows, columns = shape[:2]
    left, top = image.number("x"), image.number("y")
    x = [across(left + image.number("width") * (i + 0.5) / columns) for i in range(columns)]
    y = [upright(top + image.number("height") * (i + 0.5) / rows) for i in range(rows)]
    return np.meshgrid(x, y)


def test_several_classes_over_the_plane(tmp_path: Path) -> None:
    """Every pixel has the colour of the class with the largest output there, the more of it the clearer it wins."""

    async def work(run: Run) -> None:
        plot = (await run.look()).one("svg", id="plot")
        image = plot.one("image", id="output-surface")
        found = pixels(image["href"])
        x, y = middles(image, found.shape, *scales(plot))
        answers = outputs(run.state, np.column_stack([x.ravel(), y.ravel()]))
        ordered = np.sort(answers, axis=1)
        clear = (ordered[:, -1] - ordered[:, -2] > 0.02).reshape(found.shape[:2])
        winner = answers.argmax(axis=1).reshape(found.shape[:2])
        colours = [{tuple(c) for c in found[(winner == k) & clear][:, :3].tolist()} for k in range(3)]
        assert [len(each) for each in colours] == [1, 1, 1]
        assert len(set.union(*colours)) == 3
        margin = (ordered[:, -1] - ordered[:, -2]).reshape(found.shape[:2])
        assert np.abs(found[..., 3][clear] / 255 - margin[clear]).max() < 0.14
        sheet = (ROOT / "static" / "style.css").read_text(encoding="utf-8")
        for k, each in enumerate(colours):
            assert f".c{k} {{ --c: #{bytes(next(iter(each))).hex()}; }}" in sheet, "dots have their region's colour"
        points_read(plot, run.spec, lambda label: f"c{int(label)}")

    looking(tmp_path, work, 200, dataset="three_blobs", learning_rate=0.1)


def points_read(plot: Element, spec: Spec, kind: Callable[[float], str]) -> None:
    """Every dot stands at its example's inputs, with the class of its label; a test example is hollow."""
    across, upright = scales(plot)
    examples = examples_of(spec)
    dots = plot.one("g", id="points").all("circle")
    assert len(dots) > 20
    for dot in dots:
        i = int(dot["data-i"])
        assert near([across(dot.number("cx")), upright(dot.number("cy"))], examples.raw[i], 12)
        assert dot.classes[0] == kind(float(np.ravel(examples.labels[i])[0]))
        assert ("t" in dot.classes) == (i >= examples.train)


def test_the_data_on_the_plane(tmp_path: Path) -> None:
    """Dots stand where their examples are, blue and orange by their class, and the ring round the chosen one."""

    async def work(run: Run) -> None:
        plot = (await run.look(tests="on", example=7)).one("svg", id="plot")
        points_read(plot, run.spec, lambda label: "p" if label > 0.5 else "n")
        ring, across = plot.one("g", id="chosen").one("circle"), scales(plot)
        place = [across[0](ring.number("cx")), across[1](ring.number("cy"))]
        assert near(place, examples_of(run.spec).raw[7], 12)

    looking(tmp_path, work, 3, **DEFAULT)


def test_the_curve_over_one_input(tmp_path: Path) -> None:
    """The line is what the network answers, the dots are the examples."""

    async def work(run: Run) -> None:
        plot = (await run.look()).one("svg", id="plot")
        across, upright = scales(plot)
        curve = points(plot.one("path", "fit")["d"])
        truth = outputs(run.state, [[across(x)] for x in curve[:, 0]])[:, 0]
        inside = np.abs(curve[:, 1] - 126) < 119  # a curve that leaves the box is cut at its edge
        assert near([upright(y) for y in curve[inside, 1]], truth[inside], np.ptp(truth))
        assert np.ptp(truth) > 0.5, "a curve that shows something"
        examples = examples_of(run.spec)
        for dot in plot.one("g", id="points").all("circle"):
            i = int(dot["data-i"])
            assert near(across(dot.number("cx")), examples.raw[i, 0], 12)
            assert near(upright(dot.number("cy")), examples.targets[0, i], 4)

    looking(tmp_path, work, 200, dataset="sine", learning_rate=0.1)


def test_answers_against_truth(tmp_path: Path) -> None:
    """With more inputs than can be drawn, each dot's height is what the network answers, its place what is true."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(40, 3))
    y = (x @ [1.0, -0.5, 0.2] + 0.3).tolist()

    async def work(run: Run) -> None:
        plot = (await run.look(tests="on")).one("svg", id="plot")
        across, upright = scales(plot)
        examples = examples_of(run.spec)
        answers = outputs_of(run.state, examples.x)[:, 0]
        assert np.abs(answers - examples.targets[0]).max() > 0.3, "a diagonal would prove nothing"
        reach = 240 * across.slope
        for dot in plot.one("g", id="points").all("circle"):
            i = int(dot["data-i"])
            assert near(across(dot.number("cx")), examples.targets[0, i], reach)
            assert near(upright(dot.number("cy")), answers[i], reach)

    looking(tmp_path, work, 4, dataset="custom", data={"x": x.tolist(), "y": y, "task": "regression"})


def beds(task: str) -> dict[str, Any]:
    """Rows of four columns, each far from 0 and in a unit of its own; what is told goes by the third and first."""
    rng = np.random.default_rng(4)
    x = rng.normal(size=(60, 4)) * [2, 30, 0.1, 4] + [8, 500, 1, -20]
    told = (x[:, 2] - 1) / 0.1 + 0.7 * (x[:, 0] - 8) / 2
    y = told if task == "regression" else np.digitize(told, [0] if task == "binary" else [-0.5, 0.5])
    names = ["width", "mass", "bill", "age"]
    return {"x": x.tolist(), "y": y.tolist(), "task": task, "names": names}


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_two_chosen_inputs_of_many(tmp_path: Path, task: str) -> None:
    """Over columns 3 and 1 of four: each dot stands at its own values, under the columns' names; each pixel has the
    colour of what is answered there with the other two at their mean over the training rows, and both are said."""

    async def work(run: Run) -> None:
        frame = await run.look(across=3, up=1, example=7, tests="on")
        plot, examples = frame.one("svg", id="plot"), examples_of(run.spec)
        across, upright = scales(plot)
        assert [name.words for name in plot.all("text", "axis-name")] == ["bill", "width ↑"]
        for dot in [*plot.one("g", id="points").all("circle"), plot.one("g", id="chosen").one("circle")]:
            i = int(dot["data-i"]) if dot["class"] != "ring" else 7
            assert abs(across(dot.number("cx")) - examples.raw[i, 2]) < 0.01 * np.ptp(examples.raw[:, 2])
            assert abs(upright(dot.number("cy")) - examples.raw[i, 0]) < 0.01 * np.ptp(examples.raw[:, 0])
        image = plot.one("image", id="output-surface")
        found = pixels(image["href"])
        bill, width = middles(image, found.shape, across, upright)
        mass, age = examples.raw[: examples.train, [1, 3]].mean(axis=0)
        rows = np.column_stack([width.ravel(), np.full(bill.size, mass), bill.ravel(), np.full(bill.size, age)])
        answers = outputs_of(run.state, features_of(run.spec, rows))
        if task == "multiclass":
            colours = found.reshape(-1, 4)[:, :3]
            kinds = [{tuple(c) for c in colours[answers.argmax(axis=1) == k].tolist()} for k in range(3)]
            assert [len(kind) for kind in kinds] == [1, 1, 1]
            assert len(set.union(*kinds)) == 3
        else:
            truth, read = answers.reshape(found.shape[:2]), diverging(found)
            clear = (np.abs(truth) > 0.05) & (np.abs(truth) < 1)
            assert np.abs(read - truth)[clear].max() <= 0.04
            assert not np.allclose(truth, truth.T, atol=0.3), "a surface that can be told from its mirror image"
        note = frame.one("p", id="output-note").words
        assert f"mass {unsigned(mass)}, age {unsigned(age)}" in note

    given: dict[str, Any] = {"scaling": "both" if task == "regression" else "inputs"}
    if task == "binary":
        given |= {"output_activation": "tanh", "loss": "squared_error"}
    looking(tmp_path, work, 200, dataset="custom", data=beds(task), learning_rate=0.1, **given)


def test_what_is_drawn_is_chosen_beside_the_plot(tmp_path: Path) -> None:
    """A map of all inputs first; a column chosen twice gives way, one that there is not gives the map; while Play
    shows values alone, the surface goes on over the same two."""

    async def work(run: Run) -> None:
        def chosen(frame: Element) -> list[str]:
            boxes = frame.one("p", id="over").all("select")
            return [o.words for box in boxes for o in box.all("option") if "selected" in o.attrs]

        assert chosen(await run.look()) == ["a map of all inputs"]
        assert chosen(await run.look(across=9)) == ["a map of all inputs"]
        assert chosen(await run.look(across=4)) == ["age", "width"]
        frame = await run.look(across=1, up=1)
        assert chosen(frame) == ["width", "mass"]
        assert [o.words for o in frame.one("p", id="over").all("select")[1].all("option")] == ["mass", "bill", "age"]
        view = {"across": "3", "up": "1", "quick": "1", "frames": "1,1", "points": ""}
        played = (await run.client.post(f"/runs/{run.id}/step", data=view, headers=HTMX)).json()["frames"]
        steps = (run.state.step + 1, run.state.step + 2)
        for step, there in zip(steps, played, strict=True):
            plot = (await run.look(across=3, up=1, step=step)).one("svg", id="plot")
            assert there["surface"] == plot.one("image", id="output-surface")["href"]

    looking(tmp_path, work, 20, dataset="custom", data=beds("multiclass"), scaling="inputs")


def test_the_table_of_classes(tmp_path: Path) -> None:
    """Row: what is true; column: what it is taken for; of the test examples alone."""

    async def work(run: Run) -> None:
        table = (await run.look()).one("table", id="matrix")
        found = np.array(
            [[0 if cell.words == "·" else int(cell.words) for cell in row.all("td")] for row in table.all("tr")[1:]]
        )
        examples = examples_of(run.spec)
        taken = outputs_of(run.state, examples.x).argmax(axis=1)[examples.train :]
        truth = examples.targets.argmax(axis=0)[examples.train :]
        assert table.one("caption").words.startswith("Test examples")
        wanted = np.zeros_like(found)
        np.add.at(wanted, (truth, taken), 1)
        assert (found == wanted).all()
        assert (wanted != wanted.T).any(), "a table that can be told from its mirror image"

    looking(tmp_path, work, 12, dataset="three_blobs", noise=0.5, seed=2)


def test_digits_and_their_weights(tmp_path: Path) -> None:
    """Each picture of the gallery is the ink of its example, and says what it is and is taken for; each unit of the
    first layer shows its own weights, the first pixel in the upper left corner."""

    async def work(run: Run) -> None:
        frame = await run.look(example=5)
        examples = examples_of(run.spec)
        gallery = frame.one("div", id="gallery")
        sheet = pixels(gallery.one("image", id="digits")["href"]).reshape(-1, 16, 16, 4)
        answers = outputs_of(run.state, examples.x).argmax(axis=1)
        for k, button in enumerate(gallery.all("button")):
            i = int(button["value"])
            row = int(button.one("svg", "inked")["viewbox"].split()[1]) // 16
            assert row == k
            assert np.abs(sheet[row, :, :, 3] / 255 - examples.raw[i].reshape(16, 16)).max() < 0.04
            truth, taken = int(examples.targets.argmax(axis=0)[i]), int(answers[i])
            assert button["aria-label"] == f"Example {i}: a {truth}, taken for {taken}"
            assert ("right" in button.classes) == (truth == taken)
        ink = pixels(frame.one("image", id="ink")["href"])[..., 3] / 255
        assert np.abs(ink - examples.raw[5].reshape(16, 16)).max() < 0.04
        weights = trace(run.state).layers[0].W
        tiles = diverging(pixels(frame.one("image", id="sprite")["href"])).reshape(-1, 16, 16)
        for unit, row in enumerate(weights, 1):
            node = frame.one("g", id=f"node-1-{unit}")
            found = tiles[tile_of(node, 16)]
            assert np.abs(found - (row / np.abs(row).max()).reshape(16, 16)).max() < 0.08

    looking(tmp_path, work, 30, dataset="digits16", hidden=[6], samples=300, learning_rate=0.1)


def tile_of(node: Element, side: int) -> int:
    """Which picture of the sheet a node shows."""
    use = next(each for each in node.all("use") if each["href"] == "#sprite")
    return -int(float(use["y"])) // side


# The network


def test_what_each_unit_makes_of_the_plane(tmp_path: Path) -> None:
    """Every unit's picture is its own activation over the plane, x₁ to the right and x₂ upwards."""

    async def work(run: Run) -> None:
        frame = await run.look()
        sheet = diverging(pixels(frame.one("image", id="sprite")["href"])).reshape(-1, 50, 50)
        middle = -6 + 12 * (np.arange(50) + 0.5) / 50
        x, y = np.meshgrid(middle, middle[::-1])
        a = np.column_stack([x.ravel(), y.ravel()])
        layers = trace(run.state).layers
        for k in range(len(layers) + 1):
            for unit in range(a.shape[1]):
                truth = a[:, unit].reshape(50, 50) / (6 - 0.12 if k == 0 else 1)
                found = sheet[tile_of(frame.one("g", id=f"node-{k}-{unit + 1}"), 50)]
                assert np.abs(found - truth).max() < 0.09, (k, unit)
                assert k == 0 or not np.allclose(truth, truth[::-1], atol=0.2)
            if k < len(layers):
                a = np.tanh(a @ layers[k].W.T + layers[k].b)

    looking(tmp_path, work, 60, dataset="xor", learning_rate=0.1, seed=3, hidden=[3, 2], output_activation="tanh")


LENET = {
    "dataset": "digits16",
    "samples": 100,
    "batch_size": 6,
    "layers": "conv2d 3 3x3 relu, max_pool 2, conv2d 5 3x3 tanh valid",
}


@pytest.mark.parametrize("example", [None, 5])
def test_feature_maps(tmp_path: Path, example: int | None) -> None:
    """Each channel's picture is its own map: of the example, or the mean of the batch; what comes back stands in the
    same place. A layer's are drawn by its largest."""

    async def work(run: Run) -> None:
        step = trace(run.state, example)
        for lens in ("activations", "gradients"):
            frame = await run.look(lens=lens, example="" if example is None else example)
            for k, layer in enumerate(step.layers[:2], 1):
                maps = layer.a.mean(axis=0) if lens == "activations" else layer.dz.sum(axis=0)
                found = diverging(pixels(frame.one("image", id=f"maps-{k}")["href"]))
                for channel, truth in enumerate(maps / np.abs(maps).max(), 1):
                    node = frame.one("g", id=f"node-{k}-{channel}")
                    assert node.all("svg", "map")[0]["viewbox"] == f"0 0 {truth.shape[1]} {truth.shape[0]}"
                    top = -int(float(node.all("use")[0]["y"]))
                    assert np.abs(found[top : top + len(truth)] - truth).max() < 0.08, (lens, k, channel)

    looking(tmp_path, work, 20, **LENET)


@pytest.mark.parametrize("lens", ["weights", "gradients", "updates"])
def test_the_kernel_of_the_selected_link(tmp_path: Path, lens: str) -> None:
    """It stands on its link, by the colours of the lens and the layer's largest number, the chosen weight framed."""

    async def work(run: Run) -> None:
        frame = await run.look(lens=lens, select="W2.4.3.1.2")
        layer = trace(run.state).layers[1]
        kernels = {"gradients": layer.dW, "updates": layer.W_next - layer.W}.get(lens, layer.W)
        found = diverging(pixels(frame.one("image", id="kernel")["href"]))
        assert np.abs(found - kernels[3, 2] / np.abs(kernels).max()).max() < 0.08
        assert "sel" in frame.one("path", id="link-2-4-3").classes
        drawn = frame.one("svg", "kernel", "sel")
        assert drawn["viewbox"] == "0 0 3 3"
        assert [drawn.one("rect", "cell").number(side) for side in "xy"] == [1, 0]
        ends = points(frame.one("path", id="link-2-4-3")["d"].replace("C", " "))
        middle = drawn.number("x") + 13.5, drawn.number("y") + 13.5
        ways = [np.array([(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3]) @ ends
                for t in np.linspace(0, 1, 101)]  # fmt: skip
        assert min(np.hypot(*(way - middle)) for way in ways) < 2
        one = await run.look(lens=lens, select="W2.4.3")
        assert not one.one("svg", "kernel", "sel").all("rect", "cell")
        assert not (await run.look(lens=lens)).all("svg", "kernel")

    looking(tmp_path, work, 20, **LENET)


@pytest.mark.parametrize(
    "layers",
    ["dense 5 tanh, batch_norm, dense 3 tanh, dense 4 relu, layer_norm", "conv2d 3 3x3 relu, batch_norm, max_pool 2"],
)
def test_what_a_normalization_does(tmp_path: Path, layers: str) -> None:
    """At every normalized unit bars tell where its numbers lay before, upwards, and lie after, downwards, from -4 to 4,
    of a layer norm those of its layer; the selected unit's picture has them one by one, with gain and shift."""

    async def work(run: Run) -> None:
        frame = await run.look(select="a1.2")
        step, found = trace(run.state), pixels(frame.one("image", id="norms")["href"])[..., 3] / 255
        used = 0
        for k in run.spec.network.norms:
            layer = step.layers[k - 1]
            for j in range(1, run.spec.network.sizes[k] + 1):
                node, each = frame.one("g", id=f"node-{k}-{j}"), run.spec.network.norms[k] == "batch_norm"
                use = next(use for use in node.all("use") if use["href"] == "#norms")
                for half, values in enumerate((layer.z, layer.norm.n)):  # type: ignore[union-attr]
                    counts, _ = np.histogram(np.clip(values[:, j - 1] if each else values, -4, 4), 20, (-4, 4))
                    first = int(-float(use["y"])) + 5 * half
                    bars = found[first : first + 5]
                    assert np.abs(bars.sum(axis=0) - 5 * counts / counts.max()).max() < 0.04, (k, j, half)
                    outwards = bars if half else bars[::-1]
                    assert (np.diff(outwards, axis=0) <= 0).all(), "they begin at the line between"
                used += 1
        assert len(found) == 10 * used
        assert "lie before its normalization and, downwards, after it, −4 to 4." in frame.one(id="legend").words
        picture, norm = frame.one("svg", "spread"), step.layers[0].norm
        assert norm is not None
        assert picture.words.endswith(f"γ {labels([norm.gamma[1]])[0]} · β {labels([norm.beta[1]])[0]}")
        zero = float(picture.one("path", "zero")["d"].split()[0][1:])
        for kind, values in (("z", step.layers[0].z), ("n", norm.n)):
            across = points(picture.one("path", "dots", kind)["d"].replace("h0", " "))[:, 0] - zero
            truth = values[:, 1].ravel()
            truth = np.clip(truth[:: -(-len(truth) // 64)], -4, 4)
            assert np.abs(across - truth * (132 - 26) / 8).max() < 0.2

    given = {"dataset": "digits16", "samples": 60} if "conv" in layers else {"dataset": "circle"}
    looking(tmp_path, work, 20, layers=layers, batch_size=6, **given)


def test_windows_and_winners_on_feature_maps(tmp_path: Path) -> None:
    """A moment of a convolution marks the window that it reads; one of a max pool the winner of each of its windows, of
    equals the first; the kernels of lit links are pictures on them."""

    async def work(run: Run) -> None:
        step, seen = trace(run.state, 5), set[str]()
        moments = (await run.json("walkthrough", example=5))["moments"]
        for moment in moments:
            pool = moment["layer"] == 1 and moment["kind"] in ("pool", "map_back")
            window = moment["layer"] == 2 and moment["kind"] == "window"
            if not (pool or window) or moment["units"] not in ([2], [4]):
                continue
            frame = await run.look(example=5, moment=moment["index"])
            seen.add(moment["kind"])
            if pool:
                a = step.layers[0].a[0, moment["units"][0] - 1]
                dots = points(frame.one("path", "winners")["d"].replace("h0", " ")) - 0.5
                assert len(dots) == 64
                for place, (x, y) in enumerate(dots.astype(int)):
                    row, column = 2 * (place // 8), 2 * (place % 8)
                    assert np.argmax(a[row : row + 2, column : column + 2]) == 2 * (y - row) + x - column
            else:
                z = step.layers[1].z[0, moment["units"][0] - 1]
                row, column = np.unravel_index(np.abs(z).argmax(), z.shape)
                boxes = [
                    [box.number(name) for name in ("x", "y", "width", "height")] for box in frame.all("rect", "window")
                ]
                assert boxes == [[2 * column, 2 * row, 6, 6]] * 3 + [[column, row, 1, 1]]
                lit = [each for each in frame.all("svg", "kernel") if each.all("image")]
                found = [diverging(pixels(each.one("image")["href"])) for each in lit]
                W = step.layers[1].W
                assert found
                narrow = await run.look(example=5, moment=moment["index"], size="370x250")
                assert not narrow.all("svg", "kernel"), "there they would hide the links"
                for each in found:
                    truths = W[moment["units"][0] - 1] / np.abs(W).max()
                    assert min(np.abs(each - truth).max() for truth in truths) < 0.08
        assert seen == {"pool", "map_back", "window"}

    looking(tmp_path, work, 20, **LENET)


@pytest.mark.parametrize("lens", ["weights", "activations", "gradients", "updates"])
def test_links_and_biases(tmp_path: Path, lens: str) -> None:
    """A link runs from its source to its target, its colour is the sign of its number, its width the size."""

    async def work(run: Run) -> None:
        frame = await run.look(lens=lens)
        net = frame.one("svg", id="net")
        step = trace(run.state)
        nodes = {each["id"]: each.one("rect", "edge") for each in net.all("g", "node")}
        truths = []
        for k, layer in enumerate(step.layers, 1):
            change = layer.W_next - layer.W
            carried = layer.W * step.inputs_of(k - 1).mean(axis=0)
            truth = {"weights": layer.W, "activations": carried, "gradients": layer.dW, "updates": change}[lens]
            bias = {"gradients": layer.db, "updates": layer.b_next - layer.b}.get(lens, layer.b)
            for j, i in np.ndindex(truth.shape):
                link = net.one("path", id=f"link-{k}-{j + 1}-{i + 1}")
                (x, y), *_, (to_x, to_y) = points(link["d"].replace("C", " ").replace("S", " "))
                source, target = nodes[f"node-{k - 1}-{i + 1}"], nodes[f"node-{k}-{j + 1}"]
                assert x == pytest.approx(source.number("x") + source.number("width"), abs=0.2)
                assert to_x == pytest.approx(target.number("x"), abs=0.2)
                for rect, at in ((source, y), (target, to_y)):
                    assert rect.number("y") <= at <= rect.number("y") + rect.number("height")
                assert link.classes[1] == ("n" if truth[j, i] < 0 else "p")
                assert told(link["data-v"]) == pytest.approx(truth[j, i], rel=6e-3)
                truths.append((abs(float(truth[j, i])), link.number("stroke-width")))
            for j, b in enumerate(bias.tolist(), 1):
                assert net.one("circle", id=f"bias-{k}-{j}").classes[1] == ("n" if b < 0 else "p")
        sizes, strokes = np.array(sorted(truths)).T
        straight = np.polyval(np.polyfit(sizes, strokes, 1), sizes)
        assert np.abs(strokes - straight).max() < 0.08, "a width grows with the number, evenly"
        assert strokes[-1] > strokes[0] + 0.5

    looking(tmp_path, work, 12, **DEFAULT, hidden=[4, 3])


def test_the_shade_of_a_unit(tmp_path: Path) -> None:
    """The deeper its colour, the larger its number; the colour has the sign."""

    async def work(run: Run) -> None:
        frame, a = await run.look(), trace(run.state).layers[1].a.mean(axis=0)
        backs = [frame.one("g", id=f"node-2-{unit}").one("rect", "back") for unit in range(1, len(a) + 1)]
        assert [back.classes[1] for back in backs] == ["n" if value < 0 else "p" for value in a]
        shades = np.array([back.number("fill-opacity") for back in backs])
        np.testing.assert_allclose(shades, np.abs(a), atol=0.0051)

    looking(tmp_path, work, 5, dataset="digits16", samples=60, hidden=[4, 6])


def test_what_each_unit_makes_of_one_input(tmp_path: Path) -> None:
    """Every unit's curve is its own activation, upwards where it is above 0."""

    async def work(run: Run) -> None:
        frame = await run.look()
        layers, (low, high) = trace(run.state).layers, examples_of(run.spec).domain
        for unit in range(len(layers[0].b)):
            curve = points(frame.one("g", id=f"node-1-{unit + 1}").one("path", "curve")["d"])
            x = low + (high - low) * curve[:, 0] / 60
            truth = np.tanh(x * layers[0].W[unit, 0] + layers[0].b[unit])
            found = -curve[:, 1]
            assert np.corrcoef(found, truth)[0, 1] > 0.999
            assert (np.sign(found) == np.sign(truth))[np.abs(truth) > 0.05].all()

    looking(tmp_path, work, 50, dataset="sine", hidden=[3], learning_rate=0.1)


# Probes


def test_the_slice_through_the_loss(tmp_path: Path) -> None:
    """The curve is the loss along the parameter, the line has the gradient's slope, the dot is now, the rings are where
    steps land."""

    async def work(run: Run) -> None:
        for address in ("W2.1.3", "b1.2"):
            svg = (await run.look("slice", address=address)).one("svg", "slice")
            across, upright = scales(svg)
            found = await run.json("slice", address=address)
            xs, losses = np.array(found["values"]), np.array(found["losses"])
            curve = points(svg.one("path", "train")["d"])
            reach = float(np.ptp(losses))
            there = np.interp([across(x) for x in curve[:, 0]], xs, losses)
            assert near([upright(y) for y in curve[:, 1]], there, reach)
            place = run.spec.network.locate(address)
            step = trace(run.state)
            now = svg.one("circle", "now-dot")
            assert near(across(now.number("cx")), run.state.parameters[place], float(np.ptp(xs)))
            assert near(upright(now.number("cy")), step.loss, reach)
            (x1, y1), (x2, y2) = ((across(x), upright(y)) for x, y in points(svg.one("path", "tangent")["d"])[[0, -1]])
            slope = (y2 - y1) / (x2 - x1)
            cut = any(y in (16.0, 128.0) for y in points(svg.one("path", "tangent")["d"])[:, 1])
            assert np.sign(slope) == np.sign(step.gradient[place])
            assert cut or slope == pytest.approx(step.gradient[place], rel=0.06)
            rings = sorted(across(ring.number("cx")) for ring in svg.all("circle", "landing"))
            rate = run.spec.learning_rate
            wanted = sorted(run.state.parameters[place] - k * rate * step.gradient[place] for k in (1, 3, 10))
            assert near(rings, wanted, float(np.ptp(xs)))

    looking(tmp_path, work, 5, **DEFAULT, learning_rate=0.3, batch_size=300)


def test_the_map_of_the_loss(tmp_path: Path) -> None:
    """Dark is high, the first parameter runs to the right, the second upwards; the path leads from the start to now."""

    async def work(run: Run) -> None:
        x_address, y_address = "W1.1.1", "b3.1"
        svg = (await run.look("contour", address=x_address, other=y_address)).one("svg", "slice")
        across, upright = scales(svg)
        found = await run.json("contour", x=x_address, y=y_address)
        losses = np.array(found["losses"])
        image = svg.one("image")
        ink = pixels(image["href"])[..., 3].astype(float)
        assert ink.shape == losses.shape
        x, y = middles(image, ink.shape, across, upright)
        xs, ys = np.array(found["x"]), np.array(found["y"])
        assert xs[0] < xs[-1]
        assert ys[0] < ys[-1]
        for row in range(ink.shape[0]):  # the loss at each pixel, from the value that is nearest to its middle
            for column in range(ink.shape[1]):
                at = losses[np.abs(ys - y[row, column]).argmin(), np.abs(xs - x[row, column]).argmin()]
                share = (losses < at).mean()
                assert abs(ink[row, column] / 150 - share) < 0.15
        assert not np.allclose(losses, losses[::-1], rtol=0.05), "a map that can be told from its mirror image"
        now = svg.one("circle", "now-dot")
        places = [run.spec.network.locate(address) for address in (x_address, y_address)]
        here = run.state.parameters[places]
        assert near(across(now.number("cx")), here[0], float(np.ptp(xs)))
        assert near(upright(now.number("cy")), here[1], float(np.ptp(ys)))
        walked = points(svg.one("path", "walked")["d"])
        begun = start(run.spec).parameters[places]
        assert near(across(walked[0][0]), begun[0], float(np.ptp(xs)), 0.05)
        assert near(upright(walked[0][1]), begun[1], float(np.ptp(ys)), 0.05)
        assert np.allclose(walked[-1], [now.number("cx"), now.number("cy")], atol=0.2)

    looking(tmp_path, work, 120, **DEFAULT, learning_rate=0.3)


def test_what_each_example_wishes(tmp_path: Path) -> None:
    """A bar goes to the left below 0 and to the right above, as long as the example's own gradient."""

    async def work(run: Run) -> None:
        svg = await run.look("wishes", address="W2.1.1")
        rows = [row for row in svg.one("table", "wishes").all("tr") if row.all("rect")]
        assert len(rows) > 5
        lengths, sizes = [], []
        for row in rows:
            example, bar = int(row.one("button")["value"]), row.one("rect")
            gradient = float(trace(run.state, example).layers[1].dW[0, 0])
            x, width = bar.number("x"), bar.number("width")
            assert bar.classes == ["n" if gradient < 0 else "p"]
            assert (x + width if gradient < 0 else x) == pytest.approx(60, abs=0.15)
            lengths.append(width)
            sizes.append(abs(gradient))
        assert np.allclose(np.array(lengths) / 60, np.array(sizes) / max(sizes), atol=0.01)

    looking(tmp_path, work, 5, **DEFAULT)


def test_a_parameter_is_mapped_with_its_own_partner(tmp_path: Path) -> None:
    """A weight goes with the bias of the unit that it leads to, a bias with its unit's first weight."""

    async def work(run: Run) -> None:
        for address, partner in {"W1.3.2": "b1.3", "b1.2": "W1.2.1", "W2.2.1": "b2.2"}.items():
            receipt = await run.look(select=address)
            maps = [button for button in receipt.all("button") if "/contour" in button.attrs.get("hx-get", "")]
            assert [json.loads(button["hx-vals"])["other"] for button in maps] == [partner], address

    looking(tmp_path, work, 2, **DEFAULT)


# What Play and a diverged run say


def test_the_ways_back_from_a_run_that_went_wild(tmp_path: Path) -> None:
    """The step of the lowest loss so far, and a tenth of the rate."""

    async def work(run: Run) -> None:
        frame = await run.look()
        steps, columns = await run.history()
        best = int(steps[np.nanargmin(columns["train_loss"])])
        offered = {each["value"] for each in frame.one(id="banner").all() if each.attrs.get("name") in ("to", "rate")}
        assert offered == {str(best), "10"}
        assert best != steps[-1]

    looking(tmp_path, work, 500, dataset="line", hidden=[], loss="squared_error", learning_rate=100, seed=1)


def values_of(net: Element) -> list[str]:
    """What a drawing shows, in the order in which its places come: as the page's script finds them."""
    values = [image["href"] for image in net.one("defs").all("image")]
    chosen = net.one("g", id="chosen-links")
    for link in net.one("g", id="links").all("path", "w"):
        if link not in list(chosen):
            values += [link["class"].removeprefix("w "), link["stroke-width"], link["data-v"]]
    values.append("")
    for arc in net.all("path", "arc"):
        values += [arc["class"].removeprefix("arc"), arc["data-v"]]
    for node in net.all("g", "node"):
        values += [node["class"].removeprefix("node "), node["data-v"]]
        for back in node.all("rect", "back"):
            values += (
                [back["class"].removeprefix("back "), back["fill-opacity"]] if "fill-opacity" in back.attrs else []
            )
        values += [curve["d"] for curve in node.all("path", "curve")]
        values += [bias["class"].removeprefix("bias ") for bias in node.all("circle", "bias")]
        for label in ("above", "below"):
            values += [text.text for text in node.all("text", label)]
    return values


@pytest.mark.parametrize(
    ("given", "view"),
    [
        (DEFAULT, {}),
        (DEFAULT, {"lens": "gradients", "select": "W2.1.3"}),
        (DEFAULT | {"optimizer": "adam", "batch_size": 7}, {"lens": "updates", "example": "8", "discrete": "on"}),
        ({"dataset": "sine"}, {"lens": "activations"}),
        (LENET, {"lens": "gradients", "select": "W2.4.3.1.2"}),
        (DEFAULT | {"layers": "dense 4 tanh, batch_norm"}, {"lens": "activations"}),
        ({"dataset": "three_blobs"}, {"tests": "on"}),
        ({"dataset": "digits16", "hidden": [5]}, {"lens": "gradients", "example": "3"}),
    ],
)
def test_frames_of_play_tell_what_whole_frames_tell(
    tmp_path: Path, given: dict[str, Any], view: dict[str, str]
) -> None:
    """Each of several in one answer is the whole frame of its step: drawing, numbers, surface, curves; and the last
    brings the chart and the health of the layers."""

    async def work(run: Run) -> None:
        asked = {**view, "quick": "1", "frames": "1,3,12,1"}
        told = (await run.client.post(f"/runs/{run.id}/step", data=asked, headers=HTMX)).json()
        assert [frame["step"] for frame in told["frames"]] == [41, 44, 56, 57]
        assert told["head"] == 57
        for frame in told["frames"]:
            whole = await run.look(**view, step=frame["step"])
            assert frame["values"].split("|") == values_of(whole.one("svg", id="net"))
            assert frame["numbers"] == [each.words for each in whole.one(id="numbers").all("dd")]
            assert [frame["surface"]] == [image["href"] for image in whole.all(id="output-surface")] or [""]
            assert frame["curves"] == [path["d"] for path in whole.all("path", "fit")]
        chart = whole.one("svg", id="chart")
        assert told["chart"]["curves"] == [path["d"] for path in chart.one(id="curves-of-loss").all("path")]
        assert told["chart"]["now"] == [chart.one(id="now-dot").number("cx"), chart.one(id="now-dot").number("cy")]
        ticks = [(float(each["x"]), each.text) for each in chart.one(id="grid").all("text") if "y" not in each.classes]
        assert [tuple(each) for each in told["chart"]["x"]] == ticks
        strips = [(each.one("rect", "norm").number("width"), each["title"]) for each in whole.all("div", "strip")]
        assert [(length, title) for length, _, title in told["health"]] == strips
        assert ('hx-target="#receipt"' in told["rest"]) == ("select" in view)
        assert ('hx-target="#output"' in told["rest"]) == (given["dataset"] in ("three_blobs", "digits16"))

    looking(tmp_path, work, **given)


def test_play_comes_by_the_steps_it_shows_to_what_any_steps_come_to(tmp_path: Path) -> None:
    """However many frames lie on the way, the run and its history are those of so many steps at once; what goes too far
    is gone back from, and a stop on the way is the last frame."""

    async def work(run: Run) -> None:
        other = (await run.client.post("/api/v1/runs", json=DEFAULT)).json()["id"]
        await run.client.post(f"/api/v1/runs/{other}/step", json={"count": 500})
        for frames in ("1," * 39 + "1", "100,1,50", "270"):
            asked = {"quick": "1", "frames": frames}
            assert (await run.client.post(f"/runs/{run.id}/step", data=asked, headers=HTMX)).status_code == 200
        await run.client.post(f"/api/v1/runs/{run.id}/step", json={"until": 500})  # what did not fit on a busy machine
        assert (await run.json("parameters")) == (await run.json(f"../{other}/parameters"))
        steps, columns = await run.history()
        again, expected = await run.history(other)
        assert np.array_equal(steps, again)
        assert all(np.array_equal(columns[name], expected[name], equal_nan=True) for name in columns)
        loss = float(columns["train_loss"][-1])
        asked = {"quick": "1", "frames": ",".join("1" * 40), "stop_loss": str(loss * 1.5)}
        told = (await run.client.post(f"/runs/{run.id}/step", data=asked, headers=HTMX)).json()
        assert [(frame["step"], frame["stop"]) for frame in told["frames"]] == [(501, "loss")]
        await run.client.post(f"/runs/{run.id}/rewind", data={"to": "501"}, headers=HTMX)
        assert (await run.history())[0][-1] == 501

    looking(tmp_path, work, 39, **DEFAULT)


@pytest.mark.parametrize("frames", ["0", "1,0", "-1", "x", "1,,1", ",".join("1" * 41), "9" * 10])
def test_frames_that_are_none_are_refused(tmp_path: Path, frames: str) -> None:
    """By the field, and nothing is done."""

    async def work(run: Run) -> None:
        asked = {"quick": "1", "frames": frames}
        answer = await run.client.post(f"/runs/{run.id}/step", data=asked, headers=HTMX)
        assert answer.status_code == 422
        assert "at most 40 counts" in answer.text
        assert (await run.history())[0][-1] == 40

    looking(tmp_path, work, **DEFAULT)


def test_play_stops_at_what_was_asked(tmp_path: Path) -> None:
    """At a loss at or below the bound, at a step at or past it, at an accuracy at or above: never before."""

    async def work(run: Run) -> None:
        (_, *_), columns = await run.history()
        loss, share = float(columns["train_loss"][-1]), 100 * float(columns["train_accuracy"][-1])
        cases = {
            "stop_loss": (loss * 1.01, loss * 0.99, "loss"),
            "stop_accuracy": (share * 0.99, min(100.0, share * 1.01), "accuracy"),
            "stop_step": (30, 31, "step"),
        }
        for name, (met, unmet, word) in cases.items():
            for bound, stops in ((met, True), (unmet, False)):
                answer = await run.client.get(f"/runs/{run.id}/frame", params={name: bound}, headers=HTMX)
                assert (answer.headers.get("hx-trigger") == f'{{"stopped": "{word}"}}') == stops, (name, bound)

    looking(tmp_path, work, 30, dataset="circle", noise=0.5, seed=1)


def test_the_bar_of_a_walk_and_the_table_of_numbers(tmp_path: Path) -> None:
    """What a phase has beyond the room of its name goes by its moments; the table has what the drawing shows."""

    async def work(run: Run) -> None:
        step = trace(run.state)
        walk = walkthrough(step)
        bar = (await run.look(moment=0)).one("svg", id="phases").all("rect", "all")
        room = {"forward": 72, "loss": 38, "backward": 82, "update": 62, "again": 48}
        beyond = [rect.number("width") - room[name] for rect, (name, _, _) in zip(bar, walk.phases, strict=True)]
        shares = np.array([count for _, _, count in walk.phases]) / len(walk)
        np.testing.assert_allclose(beyond, sum(beyond) * shares, atol=0.1)
        units, *_ = (await run.look("table")).all("table")
        rows = [[told(cell.words) for cell in row.all("td")[1:]] for row in units.all("tr")[1:]]
        truth = [np.transpose([layer.b, layer.a.mean(axis=0), layer.dz.sum(axis=0)]) for layer in step.layers]
        np.testing.assert_allclose(rows, np.concatenate(truth), rtol=1e-3, atol=1e-4)

    looking(tmp_path, work)


def test_an_embedded_run_has_all_its_edits(tmp_path: Path) -> None:
    """A link that names no step is shown at its last edit, not at its first."""

    async def work(run: Run) -> None:
        answer = await run.client.get("/embed", params={"edits": "3:learning_rate:0.1;9:learning_rate:0.2"})
        assert page(answer.text).one(id="number-step").words.endswith("9")

    looking(tmp_path, work, 0)


# A class's answers


def test_the_bars_of_a_class() -> None:
    """Twice the answers, twice the length; the true one is marked, and no other."""
    told_bars = bars((Bar("up", "up", 3, True), Bar("down", "down", 12, False), Bar("flat", "flat", 0, False)))
    template = "{% import 'class/_question.html' as parts %}{{ parts.bars(q) }}"
    votes = page(ENV.from_string(template).render(q={"bars": told_bars})).all("li", "vote")
    assert [vote.one("rect").number("width") for vote in votes] == [25, 100, 0]
    assert [vote.one("span", "number").words.split()[0] for vote in votes] == ["3", "12", "0"]
    assert ["true" in vote.classes for vote in votes] == [True, False, False]
