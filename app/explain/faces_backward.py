"""The moments of the backward pass, written: dL/da, delta, the gradients of weights and biases, and the way back."""

from collections.abc import Callable

import numpy as np

from app.explain.moments import Role, Segment, Segments, ahead, back, by_sign, say, times
from app.explain.plan import Key
from app.explain.scene import (
    SHOWN,
    UNITS,
    Face,
    Scene,
    Sum,
    activation_symbol,
    capital,
    largest,
    lower,
    several,
    sources,
    sum_of,
)  # fmt: skip
from app.words.formulas import latex
from app.words.maths import backward, forward, symbol
from app.words.numbers import SUBSCRIPTS, signed, target, unsigned
from engine import ACTIVATIONS, LOSSES
from engine.arrays import Floats
from engine.receipts import slopes

BACK: tuple[Role, Role] = ("positive", "backward")  # of a single product: its weight is coloured by its sign


def delta(k: int, j: int | str = 0) -> str:
    """LaTeX of a unit's delta."""
    below = f"_{{{j}}}" if j else ""
    return backward(rf"\delta^{{{k}}}{below}")


def slope(of: str) -> str:
    """LaTeX of dL/d something, in the colour of what goes backwards."""
    return backward(rf"\frac{{\partial L}}{{\partial {of}}}")


def asks(scene: Scene, k: int, j: int, wish: float) -> Segments:
    """What the loss asks of a unit whose delta is `wish`."""
    unit = scene.unit(k, j)
    if wish == 0 or np.isnan(wish):
        return say(f"The loss asks nothing of {unit}: its delta is ", back(0.0), ".")
    way, sign = ("go up", "negative") if wish < 0 else ("go down", "positive")
    over = "" if scene.count == 1 else ", taken over the batch,"
    return say(f"The loss asks {unit} to ", back(way), f": its delta{over} is {sign}.")


def outgoing(scene: Scene, k: int, i: int, example: int = 0) -> Sum:
    """What comes back to unit i of layer k for one example: weight × delta, over its outgoing links."""
    above = scene.layer(k + 1)
    names = [scene.unit(k + 1, j) for j in range(1, scene.sizes[k + 1] + 1)]
    return sum_of(above.W[:, i - 1], above.dz[example], names)


def _tendency(scene: Scene, values: Floats) -> str:
    """How the examples of a batch divide over which way they pull."""
    up, down = int((values < 0).sum()), int((values > 0).sum())
    return f"{up} of {scene.count} examples want it higher, {down} lower"


def _da(scene: Scene, key: Key) -> Face:
    _, _, k, j, _ = key
    if j == 0:
        return _da_of_layer(scene, k)
    return _da_of_output(scene, j) if k == scene.last else _da_of_hidden(scene, k, j)


def _da_of_output(scene: Scene, j: int) -> Face:
    k = scene.last
    a, y, da = scene.layer(k).a[:, j - 1], scene.trace.y[:, j - 1], scene.layer(k).da[:, j - 1]
    if scene.count == 1:
        words = _effect(scene, k, j, float(da[0]))
    else:
        words = say(f"How the loss changes with {scene.unit(k, j)}, for each example: ", _tendency(scene, da), ".")
    numbers = say(scene.first, "a = ", ahead(a[0]), f", y = {target(y[0])}; dL/da = ", back(da[0])) + scene.then(
        da, "backward"
    )
    return Face(words, latex(scene.equations.da(k, j, 0)), numbers, (f"da{k}",), {"a": a, "y": y, "da": da})


def _effect(scene: Scene, k: int, j: int, da: float) -> Segments:
    unit = scene.unit(k, j)
    if da == 0:
        return say(f"The loss does not change with {unit}: dL/da is ", back(0.0), ".")
    return say(f"If {unit} gave a little more, the loss would ", back("rise" if da > 0 else "fall"), ": dL/da is ",
               "positive." if da > 0 else "negative.")  # fmt: skip


def _da_of_hidden(scene: Scene, k: int, i: int) -> Face:
    da, total = scene.layer(k).da[:, i - 1], outgoing(scene, k, i)
    links = scene.sizes[k + 1]
    came = f"what comes back over its {links} outgoing links adds up" if links > 1 else (
        "what comes back over its only outgoing link is weight × delta"
    )  # fmt: skip
    words = say(f"{capital(scene.unit(k, i))}: {came}. ")
    words += _effect(scene, k, i, float(da[0])) if scene.count == 1 else say(capital(_tendency(scene, da)), ".")
    numbers = say(scene.first, *total.segments("backward", BACK), " = ", back(da[0])) + scene.then(da, "backward")
    return Face(words, _da_symbols(k, i), numbers, (f"da{k}",), {"da": da}, total)


def _da_symbols(k: int, i: int) -> str:
    return rf"{slope(symbol('a', k, i))} = \sum_j W^{{{k + 1}}}_{{j{i}}}\, {delta(k + 1, 'j')}"


def _da_of_layer(scene: Scene, k: int) -> Face:
    da = scene.layer(k).da
    words = say(f"First dL/da of every unit of {scene.layer_name(k)}: softmax mixes them, so delta needs them all.")
    if k == scene.last:
        symbols = latex(scene.equations.da(k, "j", "n"))
    else:
        symbols = rf"{slope(f'a^{{{k}}}')} = {delta(k + 1)}\, W^{{{k + 1}}}"
    return Face(words, symbols, _some(scene, "dL/da = ", da[0]), (f"da{k}",), {"da": da})


def _some(scene: Scene, name: str, values: Floats) -> Segments:
    units = several((say(back(value)) for value in values[:UNITS].tolist()), len(values))
    return say(scene.first, name, *units)


def _product_back(scene: Scene, key: Key) -> Face:
    _, _, k, j, i = key
    weight, dz = float(scene.layer(k).W[j - 1, i - 1]), scene.layer(k).dz[:, j - 1]
    products = weight * dz
    if scene.count == 1:
        words = say(f"{capital(scene.unit(k, j))} sends its delta back over the link, times the weight: ",
                    back(products[0]), f" for {scene.unit(k - 1, i)}.")  # fmt: skip
        numbers = say(by_sign(weight), " × ", times(back(dz[0])), " = ", back(products[0]))
    else:
        words = say(f"{capital(scene.unit(k, j))} sends each example's delta back to {scene.unit(k - 1, i)}, "
                    "times the same weight.")  # fmt: skip
        numbers = say(
            by_sign(weight), " × (", *scene.each(dz, "backward"), ") = (", *scene.each(products, "backward"), ")"
        )
    symbols = rf"{symbol('W', k, j, i)}\, {delta(k, j)}"
    return Face(words, symbols, numbers, (f"da{k - 1}",), {"W": weight, "dz": dz, "product": products})


def _dz(scene: Scene, key: Key) -> Face:
    _, _, k, j, _ = key
    layer, entry = scene.layer(k), ACTIVATIONS[scene.layer(k).activation]
    da, dz, factors = layer.da[:, j - 1], layer.dz[:, j - 1], slopes(scene.trace, k)
    if factors is None:
        return _dz_of_softmax(scene, k, j)
    factor = factors[:, j - 1]
    words = asks(scene, k, j, float(dz.sum())) + say(*_why(scene, k, entry.name, da, factor, dz))
    numbers = say(scene.first, back(da[0]), " × ", times(ahead(factor[0])), " = ", back(dz[0])) + scene.then(
        dz, "backward"
    )
    symbols = latex(scene.equations.dz(k, j, 0))
    return Face(words, symbols, numbers, (f"dz{k}",), {"da": da, "slope": factor, "dz": dz})


def _why(scene: Scene, k: int, name: str, da: Floats, factor: Floats, dz: Floats) -> Segments:
    """What the activation's slope did to dL/da."""
    title = lower(ACTIVATIONS[name].title)
    if name == "threshold":
        return say(" Threshold's slope is 0 everywhere: no gradient passes it, and nothing before it can learn.")
    if scene.count > 1:
        shut = int((factor == 0).sum())
        told = f" It is shut, slope 0, for {shut} of {scene.count} examples." if shut else ""
        return say(f" Each example's dL/da passes through {title}'s slope at its own z.", told)
    if factor[0] == 0:
        return say(
            f" {capital(title)}'s slope here is 0, so nothing passes: from this example, nothing before it learns."
        )
    if da[0] == 0:
        return ()
    if name == "identity":
        return say(" Identity has slope 1: dL/da passes unchanged.")
    return say(" dL/da = ", back(da[0]), f" passes through {title}'s slope, ", ahead(factor[0]), ".")


def _dz_of_softmax(scene: Scene, k: int, j: int) -> Face:
    layer = scene.layer(k)
    a, da, dz = layer.a[:, j - 1], layer.da[:, j - 1], layer.dz[:, j - 1]
    mixed = (layer.da * layer.a).sum(axis=1)
    words = asks(scene, k, j, float(dz.sum())) + say(
        " Softmax shares out one whole, so only being above the others' average counts."
    )
    numbers = say(
        scene.first, ahead(a[0]), " × (", back(da[0]), " − ", times(back(float(mixed[0]))), ") = ", back(dz[0])
    )
    symbols = latex(scene.equations.dz(k, j, 0))
    return Face(words, symbols, numbers + scene.then(dz, "backward"), (f"dz{k}",), {"a": a, "da": da, "dz": dz})


def _delta(scene: Scene, key: Key) -> Face:
    """dL/da and delta in one moment."""
    _, _, k, j, _ = key
    if j == 0:
        return _delta_of_layer(scene, k)
    if k == scene.last and scene.trace.spec.network.joined:
        return _joined(scene, j)
    face = _dz(scene, key)
    if k == scene.last:
        return face
    total, da = outgoing(scene, k, j), scene.layer(k).da[:, j - 1]
    numbers = say(scene.first, "dL/da = ", *total.segments("backward", BACK), " = ", back(da[0]), "; delta = ")
    tail = face.numbers if scene.count == 1 else face.numbers[1:]
    symbols = f"{_da_symbols(k, j)},\\quad {face.symbols}"
    return Face(face.words, symbols, numbers + tail, face.code, face.values, total)


def _joined(scene: Scene, j: int) -> Face:
    """Loss and output activation differentiated as one."""
    k, spec = scene.last, scene.trace.spec
    layer, y = scene.layer(k), scene.trace.y[:, j - 1]
    a, dz, loss = layer.a[:, j - 1], layer.dz[:, j - 1], LOSSES[spec.loss]
    pair = f"{ACTIVATIONS[layer.activation].title} and {loss.title.lower()}"
    words = asks(scene, k, j, float(dz.sum())) + say(f" {pair}, taken as one, leave only a − y: no slope can stop it.")
    if not scene.told_da(j):
        words += say(" dL/da alone would be beyond any number, so it is not told; delta is taken from z.")
    total = float(scene.trace.y[0].sum())
    factor = "" if layer.activation == "sigmoid" or total == 1.0 else f" × {signed(total)}"
    divisor, aim = _divisor(scene), times(Segment(target(y[0]).lstrip("+")))
    opening, closing = ("(", ")") if divisor else ("", "")
    numbers = say(scene.first, opening, ahead(a[0]), factor, " − ", aim, closing, divisor, " = ",
                  back(dz[0]))  # fmt: skip
    symbols = latex(scene.equations.dz(k, j, 0))
    values: dict[str, float | Floats] = {"a": a, "y": y, "da": layer.da[:, j - 1], "dz": dz}
    return Face(words, symbols, numbers + scene.then(dz, "backward"), (f"dz{k}",), values)


def _divisor(scene: Scene) -> str:
    """What the mean divides by, as " / 10"; nothing for one."""
    network = scene.trace.spec.network
    parts = round(1 / network.loss.scale(network.sizes[-1], scene.count))
    return f" / {parts}" if parts > 1 else ""


def _delta_of_layer(scene: Scene, k: int) -> Face:
    layer, output = scene.layer(k), k == scene.last
    name = scene.layer_name(k)
    if output:
        source = "From the loss"
    else:
        source = f"{capital(scene.layer_name(k + 1))} hands its deltas back over the weights; times the slopes"
    words = say(f"{source}: the deltas of {name}. ", *_split(scene, layer.dz))
    if output and scene.trace.spec.network.joined:
        symbols = latex(scene.equations.dz(k, "j", "n"))
    else:
        from_above = slope(f"a^{{{k}}}") if output else rf"\left({delta(k + 1)}\, W^{{{k + 1}}}\right)"
        symbols = rf"{delta(k)} = {from_above} \odot f'({forward(f'z^{{{k}}}')})"
    values: dict[str, float | Floats] = {"da": layer.da, "dz": layer.dz}
    return Face(words, symbols, _some(scene, "delta = ", layer.dz[0]), (f"dz{k}",), values)


def _split(scene: Scene, dz: Floats) -> Segments:
    totals = dz.sum(axis=0)
    up, down, idle = int((totals < 0).sum()), int((totals > 0).sum()), int((totals == 0).sum())
    told = [
        f"{number} {'unit' if number == 1 else 'units'} to go {way}"
        for number, way in ((up, "up"), (down, "down"))
        if number
    ]
    nothing = f"nothing of {idle} {'unit' if idle == 1 else 'units'}"
    return say("The loss asks ", ", ".join(told + ([nothing] if idle else [])), ".")


def shares(scene: Scene, k: int, j: int, i: int) -> Sum:
    """A weight's gradient as the sum over examples of delta × what the link carried; i = 0 is the bias, carrying 1."""
    dz = scene.layer(k).dz[:, j - 1]
    carried = scene.below(k)[:, i - 1] if i else np.ones(scene.count)
    return sum_of(dz, carried, [f"example {n}" for n in scene.trace.examples.tolist()], SHOWN)


def _dW(scene: Scene, key: Key) -> Face:
    _, _, k, j, i = key
    gradient, dz, a = float(scene.layer(k).dW[j - 1, i - 1]), scene.layer(k).dz[:, j - 1], scene.below(k)[:, i - 1]
    values: dict[str, float | Floats] = {"dz": dz, "a_in": a, "dW": gradient}
    symbols = f"{slope(symbol('W', k, j, i))} = {delta(k, j)}\\, {activation_symbol(k - 1, i)}"
    total = shares(scene, k, j, i)
    if scene.count == 1:
        words = asks(scene, k, j, float(dz[0])) + say(
            f" Along this link it received {name_in_sum(scene, k, i)} = ", ahead(a[0]),
            ", so the link's share of the blame is delta × what it carried. ", *_more_weight(gradient))  # fmt: skip
        numbers = say(back(dz[0]), " × ", times(ahead(a[0])), " = ", back(gradient))
    else:
        words = say("Each example multiplies its delta by what came along this link; what the examples want adds up. ",
                    *_more_weight(gradient))  # fmt: skip
        numbers = say(*total.segments("backward"), " = ", back(gradient))
        symbols = symbols.replace(" = ", r" = \sum_n ")
    return Face(words, symbols, numbers, (f"dW{k}",), values, total)


def name_in_sum(scene: Scene, k: int, i: int) -> str:
    """What layer k calls its input i: x₂, or a₃."""
    return scene.unit(0, i) if k == 1 else "a" + str(i).translate(SUBSCRIPTS)


def _more_weight(gradient: float) -> Segments:
    if gradient == 0:
        return say("Here that is 0: no change of this weight would matter.")
    return say("More weight would make the loss ", back("larger" if gradient > 0 else "smaller"), ".")


def _db(scene: Scene, key: Key) -> Face:
    _, _, k, j, _ = key
    gradient, dz, total = float(scene.layer(k).db[j - 1]), scene.layer(k).dz[:, j - 1], shares(scene, k, j, 0)
    symbols = f"{slope(symbol('b', k, j))} = {delta(k, j)}"
    if scene.count == 1:
        words = say("A bias is a weight whose input is always 1, so its gradient is the delta itself.")
        numbers = say(back(dz[0]), " × 1 = ", back(gradient))
    else:
        words = say("A bias is a weight whose input is always 1, so its gradient is the sum of the deltas.")
        numbers = say(*total.segments("backward"), " = ", back(gradient))
        symbols = symbols.replace(" = ", r" = \sum_n ")
    return Face(words, symbols, numbers, (f"db{k}",), {"dz": dz, "db": gradient}, total)


def _gradient(scene: Scene, key: Key) -> Face:
    """The gradients of all weights into a unit and of its bias; or of a whole layer."""
    _, _, k, j, _ = key
    layer = scene.layer(k)
    dW, db = (layer.dW[j - 1], float(layer.db[j - 1])) if j else (layer.dW, layer.db)
    over, bias = ("", "the delta itself") if scene.count == 1 else (", summed over the examples", "the deltas' sum")
    whose = scene.unit(k, j) if j else f"every unit of {scene.layer_name(k)}"
    words = say(f"Each link into {whose} gets the delta times what it carried{over}; a bias gets {bias}.")
    if j:
        carried = "" if scene.count > 1 else " = " + "δ × a"
        names = sources(scene, k)
        links = (say(f"from {names[n]}: ", back(float(dW[n]))) for n in largest(dW, UNITS).tolist())
        numbers = several(links, len(dW), "; ")
        numbers = say(f"dW{carried}: ") + numbers + say("; bias: ", back(float(db)))
    else:
        numbers = say("length of dW: ", back(unsigned(float(np.sqrt(np.square(dW).sum())))))
    a = forward("x" if k == 1 else f"a^{{{k - 1}}}")
    symbols = rf"{slope(f'W^{{{k}}}')} = ({delta(k)})^{{T}}\, {a},\quad {slope(f'b^{{{k}}}')} = \sum_n {delta(k)}"
    return Face(words, symbols, numbers, (f"dW{k}",), {"dz": layer.dz[:, j - 1] if j else layer.dz, "dW": dW, "db": db})


def _backward_pass(scene: Scene, key: Key) -> Face:
    words = say("Backward: from the loss to the inputs, every unit learns what the loss asks of it, "
                "and every link its share of the blame.")  # fmt: skip
    pieces = [
        say(f"{scene.layer_name(k)}: ", back(unsigned(float(np.sqrt(np.square(scene.layer(k).dW).sum())))))
        for k in range(1, scene.last + 1)
    ]
    here, above = backward(r"\delta^{l}"), backward(r"\delta^{l+1}")
    symbols = (
        rf"{here} = \left({above}\, W^{{l+1}}\right) \odot f'({forward('z^{l}')}),\quad "
        rf"{slope('W^{l}')} = ({here})^{{T}}\, {forward('a^{l-1}')}"
    )
    first = scene.layer(1)
    return Face(words, symbols, say("length of dW, ", *several(pieces, len(pieces), "; ")), ("dW1",),
                {"dW": first.dW, "db": first.db})  # fmt: skip


BACKWARD: dict[str, Callable[[Scene, Key], Face]] = {
    "da": _da, "product_back": _product_back, "dz": _dz, "delta": _delta, "dW": _dW, "db": _db,
    "gradient": _gradient, "backward": _backward_pass,
}  # fmt: skip
