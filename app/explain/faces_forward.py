"""The moments of the forward pass and of the loss: products, sums, biases, activations, the loss."""

from collections.abc import Iterator

import numpy as np

from app.explain.moments import Face
from app.explain.scene import UNITS, Scene, Writer
from app.words.formulas import penalty_of
from app.words.numbers import short, target
from app.words.segments import Segments, say, several, text_of
from app.words.sentences import Sentence, lower, sentence
from app.words.texts import text
from engine import LOSSES, OPERATIONS, PENALTIES, Quantity
from engine.arrays import Floats
from engine.equation import Equation, f, total, tree
from engine.examples import examples_of
from engine.quantity import bias, unit, weight

ANY = {1: "l-1", 2: "l", 3: "l+1"}  # layers that stand for any


def _inputs(scene: Scene, k: int, j: int, i: int) -> Face:
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


def _product(scene: Scene, k: int, j: int, i: int) -> Face:
    weight, a = float(scene.layer(k).W[j - 1, i - 1]), scene.below(k)[:, i - 1]
    products, made = weight * a, scene.equations.product(k, j, i, 0)
    running = np.zeros(scene.count)
    for source in range(i):
        running = running + scene.layer(k).W[j - 1, source] * scene.below(k)[:, source]
    told, by, given = scene.printed(made)
    words = scene.say("product", source=scene.unit(k - 1, i), a=given, unit=scene.unit(k, j), weight=by, product=told)
    numbers = scene.told(made)
    if scene.count == 1 and i > 1:
        numbers += say(text(", so far "), scene.piece(float(running[0]), "forward"))
    values: dict[str, float | Floats] = {"W": weight, "a_in": a, "product": products, "running": running}
    return scene.face(words, made, numbers=numbers, values=values, line=f"z{k}")


def _sum(scene: Scene, k: int, j: int, i: int) -> Face:
    sums = scene.look(Quantity("s", k, (j,), "n"), scene.all)
    words = scene.say("sum", unit=scene.unit(k, j), links=scene.links(k), sum=float(sums.mean()))
    return scene.face(words, scene.equations.sum(k, j, 0), values={"sum": sums}, line=f"z{k}")


def _bias(scene: Scene, k: int, j: int, i: int) -> Face:
    b, made = float(scene.layer(k).b[j - 1]), scene.equations
    words = scene.say("bias", bias=b, **scene.of_drawing(k, j, "z"))
    values = {"b": b, "sum": scene.look(Quantity("s", k))[:, j - 1]}
    return scene.face(words, made.z(k, j, 0), shown=(made.bias(k, j, 0),), kinds="z", values=values)


def _activation(scene: Scene, k: int, j: int, i: int) -> Face:
    made, bent, title = scene.equations.a(k, j or "j", 0), scene.network.bent_kind(k), scene.function(k)
    if not j:
        return scene.face(sentence("shares", function=title), made, kinds="z a")
    drawn = scene.of_drawing(k, j, bent, "a")
    words = scene.say("activation", function=title, bent=bent, z=drawn[bent], a=drawn["a"])
    return scene.face((words, *_remarks(scene, k, j)), made, kinds=f"{bent} a")


def _remarks(scene: Scene, k: int, j: int) -> tuple[Sentence, ...]:
    """What there is to see of one example in its activation."""
    name, z, a = (getattr(scene.layer(k), field) for field in ("activation", "bent", "a"))
    if scene.count == 1 and name == "relu" and z[0, j - 1] <= 0:
        return (sentence("shut", bent=scene.network.bent_kind(k)),)
    return (sentence("fires", a=float(a[0, j - 1])),) if scene.count == 1 and name == "threshold" else ()


def _z(scene: Scene, k: int, j: int, i: int) -> Face:
    """A unit's whole sum, where its activation must wait for the others'."""
    words = [scene.say("z", unit=scene.unit(k, j), links=scene.links(k), **scene.of_drawing(k, j, "z"))]
    if scene.layer(k).norm is None:
        words.append(sentence("waits", function=scene.function(k)))
    values = {"b": float(scene.layer(k).b[j - 1])}
    return scene.face(words, scene.equations.z(k, j, 0), kinds="z", values=values)


def _forward(scene: Scene, k: int, j: int, i: int) -> Face:
    if not j:
        return _forward_layer(scene, k) if k else _forward_pass(scene)
    words = scene.say("forward", unit=scene.unit(k, j), function=scene.function(k), **scene.of_drawing(k, j, "z", "a"))
    made, told = scene.equations, (words, *_remarks(scene, k, j), *_then(scene, k))
    return scene.face(told, made.z(k, j, 0), made.a(k, j, 0), kinds="z a")


def _then(scene: Scene, k: int) -> Iterator[Sentence]:
    """What a unit's number is for, where it is one that goes on as it is."""
    network = scene.network
    if scene.count > 1 or network.attached(k) or network.arcs(k):
        return
    yield sentence("answer") if k == scene.last else sentence("goes on", layer=scene.layer_name(k + 1))


def _forward_layer(scene: Scene, k: int) -> Face:
    function, of, normed = lower(scene.function(k)), scene.equations, k in scene.network.norms
    words = [sentence("forward of a layer", layer=scene.layer_name(k), units=scene.sizes[k], function=function)]
    words += [sentence("forward through a norm", norm=norm_title(scene, k))] if normed else []
    made = (of.z, *((of.mean, of.spread, of.xhat, of.n) if normed else ()), of.a)
    return scene.face(words, *(each(k, "j", "n") for each in made), kinds="z a")


def _forward_pass(scene: Scene) -> Face:
    last = scene.last
    z = Quantity("z", 2, ("j",))
    carried = total("i", tree(weight(2, "j", "i")) * tree(unit(1, "i")))
    made = Equation(z, carried + tree(bias(2, "j"))), Equation(unit(2, "j"), f("f", tree(z)))
    numbers, values = scene.of_layer(last, "a"), scene.values(last, 0, "z", "a")
    return Face((sentence("forward pass"),), made, numbers, (f"a{last}",), values, layers=ANY)


def _loss(scene: Scene, k: int, j: int, i: int) -> Face:
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
        else say("a = ", *scene.some(a[0], "forward"))
    )
    made = scene.equations.loss()
    numbers = say(scene.first, *shown, "; y = ", *_targets(scene), "; ", *scene.told(made))
    return scene.face(words, made, numbers=numbers, values={"a": a, "y": y, "loss": trace.loss})


def _penalty(scene: Scene, k: int, j: int, i: int) -> Face:
    trace, spec = scene.trace, scene.trace.spec
    entry, rate = PENALTIES[spec.regularization], spec.regularization_rate
    both = trace.loss + trace.penalty
    cost, whole = Quantity("cost"), Quantity("whole")
    scaled = Equation(Quantity("penalty"), tree(Quantity("regularization_rate")) * tree(cost))
    added, of = Equation(whole, tree(Quantity("loss")) + tree(Quantity("penalty"))), {whole: both}
    numbers = say(f"λ = {short(rate)}; R = ", *scene.closing(scaled, {cost: trace.penalty / rate}))
    numbers += say("; L + R = ", *scene.closing(added, of))
    total, loss, more = scene.printed(added, of)
    penalty, _, together = scene.printed(scaled, {cost: trace.penalty / rate})
    count = sum(layer.W.size for layer in trace.layers)
    words = (
        sentence("penalty", title=text(entry.title), costly=text(entry.costly), penalty=penalty),
        sentence("penalty of all", count=count, cost=together, rate=rate, penalty=penalty),
        sentence("penalty and loss", loss=loss, penalty=more, total=total),
    )
    return Face(words, (penalty_of(entry),), numbers, ("penalty",), {"penalty": trace.penalty})


def norm_title(scene: Scene, k: int) -> str:
    """layer norm, or batch norm."""
    return lower(text(OPERATIONS[scene.network.norms[k]].title))


def _spread(scene: Scene, k: int, j: int, i: int) -> Face:
    """What a normalization takes together: its mean and its spread."""
    layer, of = scene.layer(k), scene.equations
    assert layer.norm is not None
    mean, spread = layer.norm.mean, layer.norm.spread
    together = scene.network.norms[k]
    one = together == "layer_norm" and scene.count == 1
    told = {"mean": float(mean[0, 0]), "spread": float(spread[0, 0])} if one else {}
    message = together if one else f"{together} in a batch"
    words = sentence(message, units=scene.sizes[k], layer=scene.layer_name(k), count=scene.count, **told)
    made = (of.mean(k, 1, 0), of.spread(k, 1, 0)) if one else (of.mean(k, "j", "n"), of.spread(k, "j", "n"))
    numbers = say("μ = ", *scene.some(mean, "forward"), "; σ = ", *scene.some(spread, "forward"))
    numbers = scene.told(*made) if one else numbers
    return scene.face(words, *made, numbers=numbers, values={"z": layer.z, "mean": mean, "spread": spread})


def _norm(scene: Scene, k: int, j: int, i: int) -> Face:
    """One unit's z, normalized, and scaled and shifted anew."""
    words = scene.say("norm", unit=scene.unit(k, j), **scene.of_drawing(k, j, "z", "xhat", "n"))
    return scene.face(words, scene.equations.xhat(k, j, 0), scene.equations.n(k, j, 0), kinds="z xhat n")


FORWARD: dict[str, Writer] = {
    "inputs": _inputs,
    "product": _product,
    "sum": _sum,
    "bias": _bias,
    "activation": _activation,
    "z": _z,
    "spread": _spread,
    "norm": _norm,
    "forward": _forward,
    "loss": _loss,
    "penalty": _penalty,
}
