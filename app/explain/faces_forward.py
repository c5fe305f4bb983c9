"""The moments of the forward pass and of the loss: products, sums, biases, activations, the loss."""

from collections.abc import Callable, Iterator

import numpy as np

from app.explain.moments import Face
from app.explain.plan import Key
from app.explain.scene import UNITS, Scene
from app.words.formulas import penalty_of
from app.words.numbers import short, target
from app.words.segments import Segments, say, several, text_of
from app.words.sentences import Sentence, lower, sentence
from app.words.texts import text
from engine import ACTIVATIONS, LOSSES, OPERATIONS, PENALTIES, Quantity
from engine.arrays import Floats
from engine.equation import Equation, f, total, tree
from engine.examples import examples_of
from engine.quantity import bias, unit, weight

ANY = {1: "l-1", 2: "l", 3: "l+1"}  # layers that stand for any


def _inputs(scene: Scene, key: Key) -> Face:
    x, y = scene.trace.x, scene.trace.y
    shown, example = range(1, min(x.shape[1], UNITS) + 1), int(scene.trace.examples[0])
    if scene.count > 1:
        words = sentence("batch comes in", count=scene.count)
    elif scene.wanted:
        words = sentence("class comes in", example=example, wanted=scene.wanted_name)
    else:
        words = sentence("comes in", example=example, targets=text_of(_targets(scene)))
    inputs = [Quantity("x", 0, (i,), 0) for i in shown]
    given = several((say(f"{scene.short_input(of.unit)} = ", scene.number(of)) for of in inputs), x.shape[1])
    numbers = say(scene.first, *given, "; y = ", *_targets(scene))
    return Face((words, *_scaled(scene)), tuple(inputs), numbers, ("x",), {"x": x, "y": y})


def _scaled(scene: Scene) -> Iterator[Sentence]:
    """That what comes in is not as the data have it, and what the first input and the target were."""
    examples, at = examples_of(scene.trace.spec), int(scene.trace.examples[0])
    if examples.inputs_by and scene.count > 1:
        yield sentence("inputs are scaled")
    elif examples.inputs_by:
        yield sentence("input is scaled", name=scene.short_input(1), given=float(examples.raw[at, 0]))
    if examples.targets_by and (scene.count > 1 or len(examples.targets) > 1):
        yield sentence("targets are scaled")
    elif examples.targets_by:
        told = "target is scaled" if examples.inputs_by else "target alone is scaled"
        yield sentence(told, given=float(examples.labels[at].item()))


def _targets(scene: Scene) -> Segments:
    """The first example's targets."""
    y = scene.trace.y[0]
    if scene.wanted:
        high, low = target(y.max()), target(y.min())
        unit = scene.short_output(scene.wanted)
        return say(text("{high} for {unit}, {low} for the others", high=high, low=low, unit=unit))
    name = f" ({scene.classed})" if scene.classed else ""
    return several((say(target(value) + name) for value in y[:UNITS].tolist()), len(y))


def _product(scene: Scene, key: Key) -> Face:
    _, _, k, j, i = key
    weight, a = float(scene.layer(k).W[j - 1, i - 1]), scene.below(k)[:, i - 1]
    products, made = weight * a, scene.equations.product(k, j, i, 0)
    running = np.zeros(scene.count)
    for source in range(i):
        running = running + scene.layer(k).W[j - 1, source] * scene.below(k)[:, source]
    told, by, given = scene.printed(made)
    words = scene.say("product", source=scene.unit(k - 1, i), a=given, unit=scene.unit(k, j), weight=by, product=told)
    numbers = scene.digits(made) if scene.count == 1 else scene.digits(made) + scene.then(products, "forward")
    if scene.count == 1 and i > 1:
        numbers += say(text(", so far "), scene.piece(float(running[0]), "forward"))
    values: dict[str, float | Floats] = {"W": weight, "a_in": a, "product": products, "running": running}
    return Face((words,), (made.tree,), numbers, (f"z{k}",), values)


def _sum(scene: Scene, key: Key) -> Face:
    _, _, k, j, _ = key
    made, sums = scene.equations.sum(k, j, 0), scene.look(Quantity("s", k, (j,), "n"), scene.all)
    words = scene.say("sum", unit=scene.unit(k, j), links=scene.links(k), sum=float(sums[0]))
    numbers = scene.digits(made) + scene.then(sums, "forward")
    return Face((words,), (made.tree,), numbers, (f"z{k}",), {"sum": sums}, total=scene.terms(made))


def _bias(scene: Scene, key: Key) -> Face:
    _, _, k, j, _ = key
    z, b, made = scene.layer(k).z[:, j - 1], float(scene.layer(k).b[j - 1]), scene.equations
    sums = scene.look(Quantity("s", k, (j,), "n"), scene.all)
    words = scene.say("bias", bias=b, z=float(z[0]))
    numbers = scene.digits(made.bias(k, j, 0)) + scene.then(z, "forward")
    return Face((words,), (made.z(k, j, 0),), numbers, (f"z{k}",), {"b": b, "sum": sums, "z": z})


def _activation(scene: Scene, key: Key) -> Face:
    _, _, k, j, _ = key
    if not j:
        return _activation_of_layer(scene, k)
    layer, made = scene.layer(k), scene.equations.a(k, j, 0)
    z, a, title = layer.bent[:, j - 1], layer.a[:, j - 1], text(ACTIVATIONS[layer.activation].title)
    bent = scene.trace.spec.network.bent_kind(k)
    words = scene.say("activation", function=title, bent=bent, z=float(z[0]), a=float(a[0]))
    numbers = scene.digits(made) + scene.then(a, "forward")
    return Face((words, *_remarks(scene, k, j)), (made,), numbers, (f"a{k}",), {bent: z, "a": a})


def _remarks(scene: Scene, k: int, j: int) -> tuple[Sentence, ...]:
    """What there is to see of one example in its activation."""
    name, z, a = (getattr(scene.layer(k), field) for field in ("activation", "bent", "a"))
    if scene.count == 1 and name == "relu" and z[0, j - 1] <= 0:
        return (sentence("shut", bent=scene.trace.spec.network.bent_kind(k)),)
    return (sentence("fires", a=float(a[0, j - 1])),) if scene.count == 1 and name == "threshold" else ()


def _activation_of_layer(scene: Scene, k: int) -> Face:
    layer = scene.layer(k)
    words = sentence("shares", function=text(ACTIVATIONS[layer.activation].title))
    numbers = say(scene.first, "a = ", *scene.units(layer.a[0], "forward"))
    return Face((words,), (scene.equations.a(k, "j", 0),), numbers, (f"a{k}",), {"z": layer.z, "a": layer.a})


def _dropout(scene: Scene, key: Key) -> Face:
    """What dropout lets through of a unit's activation, or of those of a whole layer."""
    _, _, k, j, _ = key
    layer, made = scene.layer(k), scene.equations.h(k, j or "j", 0 if j else "n")
    assert layer.mask is not None
    assert layer.h is not None
    out, scale = layer.mask == 0, scene.scale(k)
    if not j:
        words = sentence("dropout of a layer", layer=scene.layer_name(k), out=int(out.sum()), of=out.size, scale=scale)
        numbers = say(scene.first, "h = ", *scene.units(layer.h[0], "forward"))
        return Face((words,), (made,), numbers, (f"h{k}",), {"a": layer.a, "mask": layer.mask, "h": layer.h})
    a, mask, h = layer.a[:, j - 1], layer.mask[:, j - 1], layer.h[:, j - 1]
    if scene.count == 1:
        words = sentence("kept" if mask[0] else "dropped", unit=scene.unit(k, j), mask=float(mask[0]), h=float(h[0]))
    else:
        counts = {"out": int(out[:, j - 1].sum()), "count": scene.count}
        words = sentence("dropout in a batch", unit=scene.unit(k, j), scale=scale, **counts)
    values: dict[str, float | Floats] = {"a": a, "mask": mask, "h": h}
    return Face((words,), (made,), scene.digits(made) + scene.then(h, "forward"), (f"h{k}",), values)


def _shortcut(scene: Scene, key: Key) -> Face:
    """What is added to a unit's activation, or to those of a whole layer."""
    _, _, k, j, _ = key
    layer, below = scene.layer(k), scene.trace.spec.network.shortcuts[k]
    o, added = layer.gives, scene.trace.inputs_of(below)
    made = scene.equations.o(k, j or "j", 0 if j else "n")
    if not j:
        source = scene.layer_name(below) if below else text("the input")
        words = sentence("shortcut of a layer", layer=scene.layer_name(k), source=source)
        numbers = say(scene.first, "o = ", *scene.units(o[0], "forward"))
        return Face((words,), (made,), numbers, (f"o{k}",), {"a": layer.a, "o": o})
    a, o = layer.a[:, j - 1], o[:, j - 1]
    words = scene.say(
        "shortcut", unit=scene.unit(k, j), source=scene.unit(below, j), added=float(added[0, j - 1]), o=float(o[0])
    )
    return Face((words,), (made,), scene.digits(made) + scene.then(o, "forward"), (f"o{k}",), {"a": a, "o": o})


def _z(scene: Scene, key: Key) -> Face:
    """A unit's whole sum, where its activation must wait for the others'."""
    _, _, k, j, _ = key
    layer, made = scene.layer(k), scene.equations.z(k, j, 0)
    z = layer.z[:, j - 1]
    words = [scene.say("z", unit=scene.unit(k, j), links=scene.links(k), z=float(z[0]))]
    if layer.norm is None:
        words.append(sentence("waits", function=text(ACTIVATIONS[layer.activation].title)))
    numbers = scene.named(made) + scene.then(z, "forward")
    values: dict[str, float | Floats] = {"b": float(layer.b[j - 1]), "z": z}
    return Face(tuple(words), (made,), numbers, (f"z{k}",), values, total=scene.terms(made))


def _forward(scene: Scene, key: Key) -> Face:
    _, _, k, j, _ = key
    if not j:
        return _forward_layer(scene, k) if k else _forward_pass(scene)
    layer, made = scene.layer(k), (scene.equations.z(k, j, 0), scene.equations.a(k, j, 0))
    z, a, title = layer.z[:, j - 1], layer.a[:, j - 1], text(ACTIVATIONS[layer.activation].title)
    function = title if scene.count == 1 else lower(title)
    words = scene.say("forward", unit=scene.unit(k, j), z=float(z[0]), a=float(a[0]), function=function)
    numbers = scene.digits(*made) + scene.then(a, "forward")
    return Face(
        (words, *_remarks(scene, k, j), *_then(scene, k)),
        made,
        numbers,
        (f"a{k}",),
        {"z": z, "a": a},
        total=scene.terms(made[0]),
    )


def _then(scene: Scene, k: int) -> Iterator[Sentence]:
    """What a unit's number is for, where it is one that goes on as it is."""
    network = scene.trace.spec.network
    if scene.count > 1 or k in network.dropouts or any(k in pair for pair in network.shortcuts.items()):
        return
    yield sentence("answer") if k == scene.last else sentence("goes on", layer=scene.layer_name(k + 1))


def _forward_layer(scene: Scene, k: int) -> Face:
    layer = scene.layer(k)
    function = lower(text(ACTIVATIONS[layer.activation].title))
    words = [sentence("forward of a layer", layer=scene.layer_name(k), units=scene.sizes[k], function=function)]
    words += [sentence("forward through a norm", norm=norm_title(scene, k))] if layer.norm else []
    numbers = say(scene.first, "a = ", *scene.units(layer.a[0], "forward"))
    of = scene.equations
    normed = [each(k, "j", "n") for each in (of.mean, of.spread, of.xhat, of.n)] if layer.norm else []
    made = of.z(k, "j", "n"), *normed, of.a(k, "j", "n")
    return Face(tuple(words), made, numbers, (f"a{k}",), {"z": layer.z, "a": layer.a})


def _forward_pass(scene: Scene) -> Face:
    last = scene.layer(scene.last)
    numbers = say(scene.first, "a = ", *scene.units(last.a[0], "forward"))
    z = Quantity("z", 2, ("j",))
    carried = total("i", tree(weight(2, "j", "i")) * tree(unit(1, "i")))
    made = Equation(z, carried + tree(bias(2, "j"))), Equation(unit(2, "j"), f("f", tree(z)))
    values: dict[str, float | Floats] = {"z": last.z, "a": last.a}
    return Face((sentence("forward pass"),), made, numbers, (f"a{scene.last}",), values, layers=ANY)


def _loss(scene: Scene, key: Key) -> Face:
    trace, entry = scene.trace, LOSSES[scene.trace.spec.loss]
    a, y = scene.layer(scene.last).a, trace.y
    name, asked = lower(text(entry.title)), scene.wanted or 1
    spec_loss = trace.spec.loss
    if scene.count > 1:
        words = sentence("loss of a batch", count=scene.count, name=name, loss=trace.loss)
    elif a.shape[1] == 1 or scene.wanted:
        which = scene.wanted_name if scene.wanted else text("The output")
        told = "loss of a class" if scene.wanted and spec_loss == "cross_entropy" else "loss of one"
        words = sentence(
            told, which=which, a=float(a[0, asked - 1]), y=float(y[0, asked - 1]), name=name, loss=trace.loss
        )
    else:
        words = sentence("loss", name=name, loss=trace.loss)
    shown = (
        say(f"{scene.short_output(asked)}: ", scene.piece(float(a[0, asked - 1]), "forward"))
        if scene.wanted
        else say("a = ", *scene.units(a[0], "forward"))
    )
    numbers = say(scene.first, *shown, "; y = ", *_targets(scene), "; ", *scene.named(scene.equations.loss(), False))
    values: dict[str, float | Floats] = {"a": a, "y": y, "loss": trace.loss}
    return Face((words,), (scene.equations.loss(),), numbers, ("loss",), values)


def _penalty(scene: Scene, key: Key) -> Face:
    trace, spec = scene.trace, scene.trace.spec
    entry, rate = PENALTIES[spec.regularization], spec.regularization_rate
    both = trace.loss + trace.penalty
    words = sentence("penalty", title=text(entry.title), costly=text(entry.costly), penalty=trace.penalty, total=both)
    cost, whole = Quantity("cost"), Quantity("whole")
    scaled = Equation(Quantity("penalty"), tree(Quantity("regularization_rate")) * tree(cost))
    added = scene.closing(Equation(whole, tree(Quantity("loss")) + tree(Quantity("penalty"))), {whole: both})
    shares = scene.closing(scaled, {cost: trace.penalty / rate})
    numbers = say(f"λ = {short(rate)}; R = ", *shares, "; L + R = ", *added)
    return Face((words,), (penalty_of(entry),), numbers, ("penalty",), {"penalty": trace.penalty})


def norm_title(scene: Scene, k: int) -> str:
    """layer norm, or batch norm."""
    return lower(OPERATIONS[scene.trace.spec.network.norms[k]].title)


def _spread(scene: Scene, key: Key) -> Face:
    """What a normalization takes together: its mean and its spread."""
    k, layer, of = key.layer, scene.layer(key.layer), scene.equations
    assert layer.norm is not None
    mean, spread = layer.norm.mean, layer.norm.spread
    together = scene.trace.spec.network.norms[k]
    one = together == "layer_norm" and scene.count == 1
    told = {"mean": float(mean[0, 0]), "spread": float(spread[0, 0])} if one else {}
    message = together if one else f"{together} in a batch"
    words = sentence(message, units=scene.sizes[k], layer=scene.layer_name(k), count=scene.count, **told)
    made = (of.mean(k, 1, 0), of.spread(k, 1, 0)) if one else (of.mean(k, "j", "n"), of.spread(k, "j", "n"))
    numbers = say("μ = ", *scene.some(mean, "forward"), "; σ = ", *scene.some(spread, "forward"))
    numbers = scene.digits(*made) if one else numbers
    return Face((words,), made, numbers, (f"spread{k}",), {"z": layer.z, "mean": mean, "spread": spread})


def _norm(scene: Scene, key: Key) -> Face:
    """One unit's z, normalized, and scaled and shifted anew."""
    _, _, k, j, _ = key
    layer, made = scene.layer(k), (scene.equations.xhat(k, j, 0), scene.equations.n(k, j, 0))
    assert layer.norm is not None
    z, xhat, n = layer.z[:, j - 1], layer.norm.xhat[:, j - 1], layer.norm.n[:, j - 1]
    words = scene.say("norm", unit=scene.unit(k, j), z=float(z[0]), xhat=float(xhat[0]), n=float(n[0]))
    values: dict[str, float | Floats] = {"z": z, "xhat": xhat, "n": n}
    return Face((words,), made, scene.digits(*made) + scene.then(n, "forward"), (f"n{k}",), values)


FORWARD: dict[str, Callable[[Scene, Key], Face]] = {
    "inputs": _inputs,
    "product": _product,
    "sum": _sum,
    "bias": _bias,
    "activation": _activation,
    "z": _z,
    "spread": _spread,
    "norm": _norm,
    "dropout": _dropout,
    "shortcut": _shortcut,
    "forward": _forward,
    "loss": _loss,
    "penalty": _penalty,
}
