"""What the lessons on networks open with: messages through layers, images, a program, ways, a plane."""

from typing import Any

import numpy as np

from app.draw.pictures import IMAGE, scaled, sprite
from app.learn import information, pieces
from app.learn.facts import Facts
from app.learn.plots import plot
from app.learn.scenes import HEIGHT, WIDTH, Film, Shape, Value, from_frame, label, shape, trail
from app.words.numbers import fixed, fixed_signed, percent, unsigned
from engine import program

_COLUMNS = (60.0, 200.0, 340.0)
_ROWS = (80.0, 180.0)


def _node(layer: int, unit: int) -> tuple[float, float]:
    return _COLUMNS[layer], _ROWS[unit - 1]


def _links(run: Facts) -> list[Shape]:
    """The links of a network of 2, 2 and 2 units, each as thick as its weight is large."""
    drawn = []
    for layer in (1, 2):
        for unit in (1, 2):
            for source in (1, 2):
                (x1, y1), (x2, y2) = _node(layer - 1, source), _node(layer, unit)
                w = run[f"W{layer}.{unit}.{source}"]
                kind = "scene-link positive" if w > 0 else "scene-link negative"
                drawn.append(shape("line", kind, x1=x1, y1=y1, x2=x2, y2=y2, stroke_width=1 + 8 * abs(w)))
    return drawn


def _units() -> list[Shape]:
    return [
        shape("circle", "scene-unit", cx=_node(k, unit)[0], cy=_node(k, unit)[1], r=21)
        for k in range(3)
        for unit in (1, 2)
    ]


def _pulses(layer: int, back: bool, first: int, frames: int) -> list[Shape]:
    """A dot on each link into a layer, forwards or back, on its way from one frame to the next."""
    drawn = []
    for unit in (1, 2):
        for source in (1, 2):
            low, high = _node(layer - 1, source), _node(layer, unit)
            start, end = (high, low) if back else (low, high)
            begun = (start[0] + 0.3 * (end[0] - start[0]), start[1] + 0.3 * (end[1] - start[1]))
            places = [begun if frame <= first else end for frame in range(frames)]
            kind = "dot backward" if back else "dot forward"
            drawn.append(
                shape(
                    "circle",
                    kind,
                    cx=[x for x, _ in places],
                    cy=[y for _, y in places],
                    r=6,
                    opacity=from_frame(first, frames, first),
                )
            )
    return drawn


def _written(text: str, layer: int, unit: int, kind: str, dy: float, opacity: list[Value]) -> Shape:
    x, y = _node(layer, unit)
    return label(f"dot-label {kind}", x, y + dy, anchor="middle", text=text, opacity=opacity)


def layers(head: Any) -> Film:
    """Forward to the loss, and the message back: every unit's activation, then every unit's delta."""
    run, frames = head.run, 6
    after = run.after(1)
    shapes = [*_links(run), *_pulses(1, False, 0, frames), *_pulses(2, False, 1, frames)]
    shapes += [*_pulses(2, True, 3, frames), *_pulses(1, True, 4, frames), *_units()]
    for unit in (1, 2):
        for layer in range(3):
            text = fixed(run[f"a{layer}.{unit}"], 2)
            shapes.append(_written(text, layer, unit, "forward", 5, from_frame(layer, frames)))
        for layer, first in ((2, 3), (1, 4)):
            text = f"δ {fixed_signed(run[f'delta{layer}.{unit}'], 4)}"
            shapes.append(_written(text, layer, unit, "backward", 40, from_frame(first, frames)))
    losses = [
        "",
        "",
        f"loss {fixed(run.loss, 4)}",
        f"loss {fixed(run.loss, 4)}",
        f"loss {fixed(run.loss, 4)}",
        f"after the step {fixed(after.loss, 4)}",
    ]
    shapes.append(label("dot-label", 392, 30, anchor="end", text=losses))
    captions = (
        "Two inputs come in.",
        "Each hidden unit weighs both, adds up and passes on its activation.",
        f"The outputs answer, and one number judges them: the loss is {fixed(run.loss, 4)}.",
        "Each output gets its δ: the message to go up or down.",
        "Each hidden unit collects the δ of both outputs through its links.",
        f"Every weight has taken its step: now the loss is {fixed(after.loss, 4)}.",
    )
    return Film("One error goes back through the layers", captions, tuple(shapes), telling=4, seconds=8)


def deeper(head: Any) -> Film:
    """From the output back: the size of each layer's deltas, smaller and smaller."""
    norms = pieces.delta_norms(head.run)[::-1]
    frames = len(norms)
    box = plot((0.2, frames + 0.5), (1e-7, 10), WIDTH, HEIGHT, log_y=True, left=50)
    floor = box.top + box.inner_height
    shapes = []
    for k, (_, size) in enumerate(norms):
        x, top = box.px(frames - k - 0.35), box.py(size)
        tops = [top if frame >= k else floor for frame in range(frames)]
        shapes.append(
            shape(
                "rect", "bar-back", x=x, y=tops, width=box.px(1.7) - box.px(1), height=[floor - each for each in tops]
            )
        )
        middle = x + (box.px(1.7) - box.px(1)) / 2
        shown = from_frame(k, frames)
        shapes.append(
            label("dot-label backward", middle, top - 6, anchor="middle", text=unsigned(size, 1), opacity=shown)
        )
        shapes.append(
            label(
                "layer-name",
                middle,
                floor - 6,
                anchor="middle",
                text="out" if k == 0 else str(frames - k),
                opacity=shown,
            )
        )
    captions = [f"{name[0].upper()}{name[1:]}: the size of its δ is {unsigned(size, 3)}." for name, size in norms]
    return Film(
        "A message fades on its way back",
        tuple(captions),
        tuple(shapes),
        box,
        "layer",
        "size of δ, by powers of ten",
        seconds=6,
    )


def pixels(head: Any) -> Film:
    """The weights of eight hidden units, as images: noise becomes strokes."""
    steps = (0, 10, 30, 60, 120, 250, 500, 800)
    runs = [head.run.after(step) for step in steps]
    shapes = []
    for unit in range(8):
        images = [sprite(scaled(run.trace.layers[0].W[unit : unit + 1]), IMAGE) for run in runs]
        x, y = 12 + (unit % 4) * 96, 4 + (unit // 4) * 98
        shapes.append(shape("rect", "edge", x=x, y=y, width=90, height=92))
        shapes.append(shape("image", "pixel", href=images, x=x, y=y, width=90, height=92, preserveAspectRatio="none"))
    rights = [percent(run.metrics["test"].accuracy, 0) for run in runs]
    shapes.append(label("dot-label", 12, 224, text=[f"step {step}" for step in steps]))
    shapes.append(
        label("dot-label update", 388, 224, anchor="end", text=[f"{right} of new digits right" for right in rights])
    )
    captions = [
        f"After {step} steps: {right} right on digits it has not seen."
        for step, right in zip(steps, rights, strict=True)
    ]
    return Film("What eight units come to look for", tuple(captions), tuple(shapes), seconds=7)


def code(head: Any) -> Film:
    """The program of one step, line by line, with what each line has computed."""
    made = program(head.run.trace)
    values = made.run()
    names = [
        ("z1", "z1"),
        ("a1", "a1"),
        ("z2", "z2"),
        ("a2", "a2"),
        ("loss", "loss"),
        ("dz2", "dz2"),
        ("dW2", "dW2"),
        ("dz1", "dz1"),
        ("dW1", "dW1"),
    ]
    frames, shapes = len(names), []
    tops = [10.0 + 25 * k for k in range(frames)]
    shapes.append(shape("rect", "code-lit", x=4, width=392, height=24, y=tops))
    captions = []
    for k, (name, place) in enumerate(names):
        line = made.lines[made.places[place] - 1]
        value = np.asarray(values[name]).ravel()
        told = " ".join(fixed_signed(each, 4) for each in value[:2].tolist()) + (" …" if len(value) > 2 else "")
        shapes.append(label("code-text", 10, tops[k] + 17, text=line))
        shapes.append(label("code-value", 390, tops[k] + 17, anchor="end", text=told, opacity=from_frame(k, frames)))
        captions.append(f"{line}  gives {told}")
    return Film("One step, a line at a time", tuple(captions), tuple(shapes), seconds=9)


def math(head: Any) -> Film:
    """The two ways from one weight to the loss, each a product, and their sum."""
    run, frames = head.run, 5
    slope_, x = run["slope1.1"], run["a0.1"]
    ways = [run[f"delta2.{k}"] * run[f"W2.{k}.1"] * slope_ * x for k in (1, 2)]
    shapes = [*_links(run), *_units()]
    hidden, source = _node(1, 1), _node(0, 1)
    for k, first in ((1, 1), (2, 3)):
        end = _node(2, k)
        route = [end, hidden, source]
        places = [route[min(max(frame - first + 1, 0), 2)] for frame in range(frames)]
        shown = [1.0 if first - 1 <= frame <= first + 1 else 0.0 for frame in range(frames)]
        shapes.append(
            shape("circle", "dot backward", cx=[p[0] for p in places], cy=[p[1] for p in places], r=9, opacity=shown)
        )
    shapes += [
        _written(f"δ {fixed_signed(run[f'delta2.{k}'], 4)}", 2, k, "backward", 40, from_frame(k * 2 - 2, frames))
        for k in (1, 2)
    ]
    texts = [f"way {k}: {fixed_signed(way, 7)}" for k, way in zip((1, 2), ways, strict=True)]
    shapes.append(label("dot-label backward", 10, 28, text=texts[0], opacity=from_frame(2, frames)))
    shapes.append(label("dot-label backward", 10, 48, text=texts[1], opacity=from_frame(4, frames)))
    total = f"sum {fixed_signed(run['dW1.1.1'], 7)}"
    shapes.append(label("dot-label", 392, 28, anchor="end", text=total, opacity=from_frame(4, frames)))
    captions = (
        f"From the first weight to the loss and back: output 1 has a δ of {fixed_signed(run['delta2.1'], 4)}.",
        f"Back through the link, × {fixed(run['W2.1.1'], 2)}, to hidden unit 1.",
        f"Through its slope, × {fixed(slope_, 4)}, and × the input {fixed(x, 2)}: {fixed_signed(ways[0], 7)}.",
        f"The other way: the δ of output 2, × {fixed(run['W2.2.1'], 2)}, to the same unit.",
        f"Slope and input are the same: {fixed_signed(ways[1], 7)}. "
        f"Both ways together are the weight's slope: {fixed_signed(run['dW1.1.1'], 7)}.",
    )
    return Film("Two ways to the loss, added up", captions, tuple(shapes), telling=1, seconds=8)


def black_box(head: Any) -> Film:
    """Every layer as a dot: how much it knows of the input, and of the label, while the network learns."""
    plane = information.plane(head.spec, 30)
    keep = list(range(0, len(plane.epochs), 2))
    box = plot((0, 10), (-0.12, 1.3), WIDTH, HEIGHT)
    shapes = []
    for layer in range(1, plane.layers + 1):
        points = [plane.at(layer, index) for index in keep]
        places = [(box.px(point.about_input), box.py(point.about_label)) for point in points]
        shapes.append(trail(places, "series trail"))
        shapes.append(shape("circle", "layer-dot", cx=[x for x, _ in places], cy=[y for _, y in places], r=10))
        name = "o" if layer == plane.layers else str(layer)
        shapes.append(
            label("layer-name", [x for x, _ in places], [y + 4.5 for _, y in places], anchor="middle", text=name)
        )
    epochs = [plane.epochs[index] for index in keep]
    shapes.append(
        label(
            "dot-label",
            box.left + box.inner_width - 10,
            box.top + box.inner_height - 12,
            anchor="end",
            text=[f"epoch {epoch}" for epoch in epochs],
        )
    )
    last = [plane.at(4, index) for index in keep]
    captions = [
        f"Epoch {epoch}: layer 4 knows {fixed(point.about_input, 1)} bits of the input and "
        f"{fixed(point.about_label, 2)} of the label."
        for epoch, point in zip(epochs, last, strict=True)
    ]
    return Film(
        "What each layer knows",
        tuple(captions),
        tuple(shapes),
        box,
        "bits about the input",
        "bits about the label",
        seconds=7,
    )
