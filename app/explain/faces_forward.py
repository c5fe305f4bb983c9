"""The moments of the forward pass and of the loss, written: products, sums, biases, activations, the loss."""

from collections.abc import Callable

import numpy as np

from app.explain.moments import Role, Segment, Segments, ahead, by_sign, say, times
from app.explain.plan import Key
from app.explain.scene import (
    UNITS,
    Face,
    Scene,
    Sum,
    activation_symbol,
    capital,
    count,
    lower,
    plus,
    several,
    sources,
    sum_of,
)  # fmt: skip
from app.words.formulas import latex, penalty_of
from app.words.maths import forward, symbol
from app.words.numbers import short, target, unsigned
from engine import ACTIVATIONS, LOSSES, PENALTIES
from engine.arrays import Floats

FACTORS: tuple[Role, Role] = ("positive", "forward")  # of a single product: its weight is coloured by its sign


def _inputs(scene: Scene, key: Key) -> Face:
    x, y = scene.trace.x, scene.trace.y
    names = [scene.unit(0, i + 1) for i in range(min(x.shape[1], UNITS))]
    if scene.count > 1:
        words = say(f"A mini-batch of {scene.count} examples comes in: all of them go through together.")
    elif scene.wanted:
        words = say(f"Example {scene.trace.examples[0]} comes in. {scene.wanted_name} should be high, the others low.")
    else:
        words = say(f"Example {scene.trace.examples[0]} comes in. The target is ", *_targets(scene), ".")
    given = several((say(f"{n} = ", ahead(v)) for n, v in zip(names, x[0].tolist(), strict=False)), x.shape[1])
    symbols = r",\ ".join(activation_symbol(0, i + 1) for i in range(len(names)))
    more = r",\ \ldots" if x.shape[1] > len(names) else ""
    numbers = say(scene.first, *given, "; y = ", *_targets(scene))
    return Face(words, symbols + more, numbers, ("x",), {"x": x, "y": y})


def _targets(scene: Scene) -> Segments:
    """The first example's targets."""
    y = scene.trace.y[0]
    if scene.wanted:
        return say(f"{target(y.max())} for unit {scene.wanted}, {target(y.min())} for the others")
    return several((say(target(value)) for value in y[:UNITS].tolist()), len(y))


def _product(scene: Scene, key: Key) -> Face:
    _, _, k, j, i = key
    weight, a = float(scene.layer(k).W[j - 1, i - 1]), scene.below(k)[:, i - 1]
    products = weight * a
    running = np.zeros(scene.count)
    for source in range(i):
        running = running + scene.layer(k).W[j - 1, source] * scene.below(k)[:, source]
    source_name = scene.unit(k - 1, i)
    if scene.count == 1:
        words = say(f"{capital(source_name)} holds ", ahead(a[0]), ". The link to ", scene.unit(k, j),
                    " has the weight ", by_sign(weight), ": together ", ahead(products[0]), ".")  # fmt: skip
        numbers = say(by_sign(weight), " × ", times(ahead(a[0])), " = ", ahead(products[0]))
        if i > 1:
            numbers += say(", so far ", ahead(running[0]))
    else:
        words = say(
            f"For every example, what {source_name} holds is multiplied by the same weight, ", by_sign(weight), "."
        )
        numbers = say(
            by_sign(weight), " × (", *scene.each(a, "forward"), ") = (", *scene.each(products, "forward"), ")"
        )
    symbols = rf"{symbol('W', k, j, i)}\, {activation_symbol(k - 1, i)}"
    values: dict[str, float | Floats] = {"W": weight, "a_in": a, "product": products, "running": running}
    return Face(words, symbols, numbers, (f"z{k}",), values)


def incoming(scene: Scene, k: int, j: int, example: int = 0) -> Sum:
    """What reaches unit j of layer k for one example of the trace: weight × activation, link by link."""
    return sum_of(scene.layer(k).W[j - 1], scene.below(k)[example], sources(scene, k))


def _running(scene: Scene, k: int, j: int) -> Floats:
    """The sum of the products before the bias, added up in order, per example."""
    total = np.zeros(scene.count)
    for weight, a in zip(scene.layer(k).W[j - 1], scene.below(k).T, strict=True):
        total = total + weight * a
    return total


def _sum(scene: Scene, key: Key) -> Face:
    _, _, k, j, _ = key
    sums, total = _running(scene, k, j), incoming(scene, k, j)
    words = say(f"{capital(scene.unit(k, j))} adds up what its {count(scene.sizes[k - 1], 'link')} bring")
    words += say(": ", ahead(sums[0]), ".") if scene.count == 1 else say(", for each example by itself.")
    numbers = say(scene.first, *total.segments("forward", FACTORS), " = ", ahead(sums[0]), *scene.then(sums, "forward"))
    symbols = rf"\sum_i {symbol('W', k)}_{{{j}i}}\, {_below_i(k)}"
    return Face(words, symbols, numbers, (f"z{k}",), {"sum": sums}, total)


def _below_i(k: int) -> str:
    return forward("x_{i}" if k == 1 else rf"a^{{{k - 1}}}_{{i}}")


def _z_symbol(k: int, j: int) -> str:
    return rf"{forward(symbol('z', k, j))} = \sum_i W^{{{k}}}_{{{j}i}}\, {_below_i(k)} + {symbol('b', k, j)}"


def _bias(scene: Scene, key: Key) -> Face:
    _, _, k, j, _ = key
    sums, bias, z = _running(scene, k, j), float(scene.layer(k).b[j - 1]), scene.layer(k).z[:, j - 1]
    if bias == 0:
        words = say("Its bias is 0 and changes nothing")
    else:
        words = say("Its bias, ", by_sign(bias), f", pushes the sum {'up' if bias > 0 else 'down'}")
    words += say(" to z = ", ahead(z[0]), ".") if scene.count == 1 else say(", alike for every example: that gives z.")
    numbers = say(scene.first, ahead(sums[0]), _plus_bias(bias), " = ", ahead(z[0]))
    return Face(
        words, _z_symbol(k, j), numbers + scene.then(z, "forward"), (f"z{k}",), {"b": bias, "sum": sums, "z": z}
    )


def _plus_bias(bias: float) -> Segment:
    return plus(bias, "negative" if bias < 0 else "positive")


def _activation(scene: Scene, key: Key) -> Face:
    _, _, k, j, _ = key
    layer = scene.layer(k)
    if not j:
        return _activation_of_layer(scene, k)
    z, a, entry = layer.z[:, j - 1], layer.a[:, j - 1], ACTIVATIONS[layer.activation]
    if scene.count == 1:
        words = say(f"{entry.title} turns z = ", ahead(z[0]), " into a = ", ahead(a[0]), ".", _remark(entry.name, z[0]))
    else:
        words = say(f"{entry.title} turns each example's z into its a.")
    numbers = say(scene.first, f"{entry.name}(", ahead(z[0]), ") = ", ahead(a[0]), *scene.then(a, "forward"))
    return Face(words, _activation_symbols(scene, k, j), numbers, (f"a{k}",), {"z": z, "a": a})


def _activation_symbols(scene: Scene, k: int, j: int) -> str:
    return latex(scene.equations.a(k, j, 0))


def _remark(name: str, z: float) -> str:
    if name == "relu" and z <= 0:
        return " It is shut: z is not above 0."
    if name == "threshold":
        return " It fires." if z > 0 else " It does not fire."
    return ""


def _activation_of_layer(scene: Scene, k: int) -> Face:
    layer = scene.layer(k)
    words = say("Softmax turns the layer's sums into shares that add up to 1.")
    numbers = say(scene.first, "a = ", *_units(layer.a[0]))
    symbols = latex(scene.equations.a(k, "j", 0))
    return Face(words, symbols, numbers, (f"a{k}",), {"z": layer.z, "a": layer.a})


def _units(values: Floats) -> Segments:
    return several((say(ahead(value)) for value in values[:UNITS].tolist()), len(values))


def _z(scene: Scene, key: Key) -> Face:
    """A unit's whole sum, where its activation must wait for the others'."""
    _, _, k, j, _ = key
    z, total, bias = scene.layer(k).z[:, j - 1], incoming(scene, k, j), float(scene.layer(k).b[j - 1])
    words = say(
        f"{capital(scene.unit(k, j))} adds up what its {count(scene.sizes[k - 1], 'link')} bring, and its bias."
    )
    numbers = say(
        scene.first,
        "z = ",
        *total.segments("forward", FACTORS),
        _plus_bias(bias),
        " = ",
        ahead(z[0]),
        *scene.then(z, "forward"),
    )
    return Face(words, _z_symbol(k, j), numbers, (f"z{k}",), {"b": bias, "z": z}, total)


def _forward(scene: Scene, key: Key) -> Face:
    _, _, k, j, _ = key
    if k == 0:
        return _forward_pass(scene)
    if j == 0:
        return _forward_layer(scene, k)
    layer, z_face = scene.layer(k), _z(scene, key)
    z, a, entry = layer.z[:, j - 1], layer.a[:, j - 1], ACTIVATIONS[layer.activation]
    if scene.count == 1:
        words = say(f"{capital(scene.unit(k, j))} adds up what reaches it, and its bias: z = ", ahead(z[0]),
                    f". {entry.title} makes that a = ", ahead(a[0]), ".", _remark(entry.name, z[0]))  # fmt: skip
    else:
        words = say(f"{capital(scene.unit(k, j))} adds up what reaches it, and its bias; "
                    f"{lower(entry.title)} turns the sum into its activation: for each example by itself.")  # fmt: skip
    sum_, bias = z_face.total, _plus_bias(float(layer.b[j - 1]))
    numbers = say(
        scene.first,
        "z = ",
        *(sum_.segments("forward", FACTORS) if sum_ else ()),
        bias,
        " = ",
        ahead(z[0]),
        "; a = ",
        ahead(a[0]),
    )
    symbols = _z_symbol(k, j) + r",\quad " + _activation_symbols(scene, k, j)
    return Face(words, symbols, numbers + scene.then(a, "forward"), (f"a{k}",), {"z": z, "a": a}, sum_)


def _forward_layer(scene: Scene, k: int) -> Face:
    layer, entry = scene.layer(k), ACTIVATIONS[scene.layer(k).activation]
    name = scene.layer_name(k)
    units = scene.sizes[k]
    who = f"each of its {units} units" if units > 1 else "its only unit"
    words = say(f"{capital(name)}: {who} adds up what reaches it and its bias, "
                f"and {lower(entry.title)} makes that its activation.")  # fmt: skip
    numbers = say(scene.first, "a = ", *_units(layer.a[0]))
    below = forward("x") if k == 1 else forward(rf"a^{{{k - 1}}}")
    z, a = forward(f"z^{{{k}}}"), forward(f"a^{{{k}}}")
    symbols = rf"{z} = {below}\, (W^{{{k}}})^{{T}} + b^{{{k}}},\quad {a} = f({z})"
    return Face(words, symbols, numbers, (f"a{k}",), {"z": layer.z, "a": layer.a})


def _forward_pass(scene: Scene) -> Face:
    last = scene.layer(scene.last)
    words = say("Forward: layer by layer, every unit adds up what reaches it and passes it on, as far as the output.")
    numbers = say(scene.first, "a = ", *_units(last.a[0]))
    a, z = forward("a^{l}"), forward("z^{l}")
    symbols = rf"{a} = f({z}),\quad {z} = {forward('a^{l-1}')}\, (W^{{l}})^{{T}} + b^{{l}}"
    return Face(words, symbols, numbers, (f"a{scene.last}",), {"z": last.z, "a": last.a})


def _loss(scene: Scene, key: Key) -> Face:
    trace, entry = scene.trace, LOSSES[scene.trace.spec.loss]
    a, y = scene.layer(scene.last).a, trace.y
    name, loss = lower(entry.title), Segment(unsigned(trace.loss))
    asked = scene.wanted or 1
    if scene.count > 1:
        words = say(f"The outputs are held against their targets: over the {scene.count} examples the loss, {name}, "
                    "is ", loss, " on average.")  # fmt: skip
    elif a.shape[1] == 1 or scene.wanted:
        which = scene.wanted_name if scene.wanted else "The output"
        words = say(f"{which} is ", ahead(a[0, asked - 1]), f" and should be {target(y[0, asked - 1])}: ",
                    f"the loss, {name}, is ", loss, ".")  # fmt: skip
    else:
        words = say(f"The outputs are held against their targets: the loss, {name}, is ", loss, ".")
    shown = say(f"unit {asked}: ", ahead(a[0, asked - 1])) if scene.wanted else _units(a[0])
    mean = f"; mean over {scene.count}: L = " if scene.count > 1 else "; L = "
    numbers = say(scene.first, "a = " if not scene.wanted else "", *shown, "; y = ", *_targets(scene), mean, loss)
    symbols = latex(scene.equations.loss())
    return Face(words, symbols, numbers, ("loss",), {"a": a, "y": y, "loss": trace.loss})


def _penalty(scene: Scene, key: Key) -> Face:
    trace, spec = scene.trace, scene.trace.spec
    entry, rate = PENALTIES[spec.regularization], spec.regularization_rate
    penalty, total = unsigned(trace.penalty), unsigned(trace.loss + trace.penalty)
    words = say(f"{entry.title} regularization adds its own: {entry.costly} cost {penalty} more. "
                f"Training makes both together smaller: {total}.")  # fmt: skip
    before = f"{short(rate)} × {unsigned(trace.penalty / rate)}"
    numbers = say(f"λ = {short(rate)}; R = {before} = {penalty}; L + R = {unsigned(trace.loss)} + {penalty} = {total}")
    symbols = latex(penalty_of(entry))
    return Face(words, symbols, numbers, ("penalty",), {"penalty": trace.penalty})


FORWARD: dict[str, Callable[[Scene, Key], Face]] = {
    "inputs": _inputs, "product": _product, "sum": _sum, "bias": _bias, "activation": _activation, "z": _z,
    "forward": _forward, "loss": _loss, "penalty": _penalty,
}  # fmt: skip
