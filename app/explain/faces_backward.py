"""The moments of the backward pass: dL/da, delta, the gradients of weights and biases, and the way back."""

from functools import partial
from math import isfinite

import numpy as np

from app.explain.faces_attached import all_through, close, through
from app.explain.faces_forward import ANY, norm_title
from app.explain.moments import Face
from app.explain.scene import UNITS, Scene, Writer
from app.words.columns import Columns
from app.words.digits import largest
from app.words.numbers import DIGITS, SUBSCRIPTS, adding_up, percent, signed, unsigned
from app.words.segments import Segment, Segments, say, several
from app.words.sentences import Sentence, lower, sentence
from app.words.texts import text
from engine import ACTIVATIONS, LOSSES, Quantity
from engine.arrays import Floats
from engine.equation import Equation, Sum, code_name, f, total, tree
from engine.quantity import unit, weight
from engine.receipts import slopes

SENT = Quantity("sent", 0, (1,))  # what units above send back over their links, together


def asks(scene: Scene, k: int, j: int) -> Sentence:
    """What the loss asks of a unit, by its δ."""
    return scene.say("asks", unit=scene.unit(k, j), **scene.of_drawing(k, j, "dz"))


def _tendency(scene: Scene, k: int, j: int) -> Sentence:
    """How the examples of a batch divide over which way they pull a unit."""
    values = scene.layer(k).da[:, j - 1]
    higher, lower_ = int((values < 0).sum()), int((values > 0).sum())
    want = sentence("want higher", wants=higher, count=scene.count), sentence("want lower", wants=lower_)
    return sentence("tendency", higher=want[0], lower=want[1])


def _da(scene: Scene, k: int, j: int, i: int) -> Face:
    """What comes back to a unit's activation, or to those of a whole layer."""
    made = scene.equations.da(k, j or ("j" if k == scene.last else "i"), 0 if j else "n")
    if not j:
        words = sentence("da of a layer", layer=scene.layer_name(k), function=lower(scene.function(k)))
        return scene.face(words, *scene.came(k, made.target.index[0], "n")[:-1], kinds="da")
    effect = sentence("effect", unit=scene.unit(k, j), **scene.of_first(k, j, "da"))
    if scene.count > 1:
        message, tendency = "effects" if k == scene.last else "comes back in a batch", _tendency(scene, k, j)
        drawn = scene.of_drawing(k, j, "da")
        effect = sentence(message, unit=scene.unit(k, j), tendency=tendency, count=scene.count, **drawn)
    if k == scene.last:
        return scene.face(effect, made, kinds="a da", values={"y": scene.trace.y[:, j - 1]})
    if after := scene.network.after(k, "a"):
        return scene.face((*through(scene, k, j), effect), made, kinds=f"da d{after}")
    return scene.face((*_came(scene, k, j), effect), made, kinds="da")


def back_to(scene: Scene, k: int, j: int, letter: str) -> Face:
    """What comes back to what is made of a unit's activation, from above or through what is made of that in turn."""
    words = through(scene, k, j, letter) or _came(scene, k, j)
    return scene.face(words, scene.equations.came(letter, k, j, 0), kinds=f"d{letter}")


def _came(scene: Scene, k: int, j: int) -> tuple[Sentence, ...]:
    """Over what it comes back to a unit: its links, and shortcuts that lead from it."""
    came = sentence("comes back", unit=scene.unit(k, j), links=scene.sizes[k + 1])
    return came, *_over_arcs(scene, k, j)


def _over_arcs(scene: Scene, k: int, j: int) -> tuple[Sentence, ...]:
    """What comes back to a unit over the shortcuts that lead from it; of a batch, what comes back in all."""
    above = scene.network.arcs(k)
    back = ((to, scene.unit(to, j), float(scene.layer(to).back[:, j - 1].sum())) for to in above)
    told = tuple(scene.say("over a shortcut", end=end, back=scene.slope_name(to), da=da) for to, end, da in back)
    if not told or scene.count == 1:
        return told
    (whole,) = scene.of_drawing(k, j, scene.network.back_kind(k)).values()
    return (*told, scene.say("all ways", sum=whole))


def _product_back(scene: Scene, k: int, j: int, i: int) -> Face:
    weight, dz = float(scene.layer(k).W[j - 1, i - 1]), scene.layer(k).dz[:, j - 1]
    made = scene.equations.product_back(k, j, i, 0)
    sent = float(scene.drawn(made.target))
    words = scene.say("product back", unit=scene.unit(k, j), product=sent, source=scene.unit(k - 1, i))
    values: dict[str, float | Floats] = {"W": weight, "dz": dz, "product": weight * dz}
    return scene.face(words, made, values=values, line=f"{scene.network.back_kind(k - 1)}{k - 1}")


def _dz(scene: Scene, k: int, j: int, i: int) -> Face:
    """What comes back through the activation: δ, or before a normalization ∂L/∂n."""
    words = (*_asked(scene, k, j), *_through_slope(scene, k, j)) or sentence(
        "nothing comes back", unit=scene.unit(k, j)
    )
    return scene.face(words, scene.equations.bent(k, j, 0), kinds=_met(scene, k))


def _asked(scene: Scene, k: int, j: int) -> tuple[Sentence, ...]:
    """What the loss asks of a unit; before a normalization it asks nothing yet."""
    return () if scene.layer(k).norm else (asks(scene, k, j),)


def _met(scene: Scene, k: int) -> str:
    """What meets in the slope of a layer, and what is left behind it."""
    return f"{'a da' if ACTIVATIONS[scene.layer(k).activation].product else 'da slope'} d{scene.network.bent_kind(k)}"


def _through_slope(scene: Scene, k: int, j: int) -> tuple[Sentence, ...]:
    """What the activation's slope does to dL/da."""
    factors, da = slopes(scene.trace, k), scene.layer(k).da[:, j - 1]
    if factors is None:
        return (sentence("mixed", function=scene.function(k)),)
    made, factor = scene.equations.bent(k, j, 0), factors[:, j - 1]
    name = scene.layer(k).activation
    function, shut = lower(scene.function(k)), int((factor == 0).sum())
    if name == "threshold":
        return (sentence("threshold"),)
    if scene.count > 1:
        some = (sentence("shut for some", shut=shut, count=scene.count),) if shut else ()
        if scene.layer(k).norm:
            return (scene.say("slopes before a norm", function=function, **scene.of_drawing(k, j, "dn")), *some)
        return (sentence("slopes", function=function, bent=scene.network.bent_kind(k)), *some)
    if shut:
        return (sentence("stopped", function=function),)
    if da[0] == 0:
        return ()
    if name == "identity":
        return (sentence("identity"),)
    message, digits = "slope before a norm" if scene.layer(k).norm else "slope", Columns(scene.look).digits(made)
    share, passed = float(factor[0]), signed(float(da[0]), digits)
    told = percent(share) if 0.9999 < share < 1 else text("{share} %", share=unsigned(100 * share, digits))
    told = text("all") if share == 1 else told
    return (sentence(message, function=scene.function(k), share=told, da=passed, dz=float(da[0] * share)),)


def _delta(scene: Scene, k: int, j: int, i: int) -> Face:
    """From the loss or the units above through the activation, in one moment: to δ, or to what a normalization gave."""
    if j == 0:
        return _delta_of_layer(scene, k)
    if k == scene.last and scene.network.joined:
        return _joined(scene, j)
    words = (*_gathered(scene, k, j), *_over_arcs(scene, k, j), *all_through(scene, k, j))
    words += (*_through_slope(scene, k, j), *_asked(scene, k, j))
    return scene.face(words, *scene.came(k, j), kinds=_met(scene, k))


def _gathered(scene: Scene, k: int, j: int) -> tuple[Sentence, ...]:
    """Where dL/da comes from: of one example the loss itself, or the units above and their links."""
    if scene.count > 1 and (k == scene.last or scene.network.image(k + 1)):
        return ()
    if scene.count > 1:
        return (_sent(scene, k, j, DIGITS),)
    da, a = (float(scene.look(Quantity(kind, k, (j,), 0))) for kind in ("da", "a"))
    passed, met = close(scene, k, j)
    if k == scene.last:
        y = float(scene.trace.y[0, j - 1])
        single = scene.sizes[k] == 1 and isfinite(da)
        said = {"a": signed(a, met), "size": unsigned(abs(da), passed)}
        return (sentence("missed", da=da, y=y, **said),) if single else ()
    if scene.network.image(k + 1):
        return (sentence("back to a number", unit=scene.unit(k, j)),)
    return (_sent(scene, k, j, met),)


def _sent(scene: Scene, k: int, j: int, met: int) -> Sentence:
    """What the units above send back over their links, told together with so many digits."""
    ways = [Quantity("q", k + 1, (to, j), 0) for to in range(1, scene.sizes[k + 1] + 1)]
    sent = [float(scene.drawn(way)) for way in ways]
    unit, links, together = scene.unit(k, j), len(sent), sum(sent)
    if links > UNITS:
        return scene.say("gathered from many", unit=unit, links=links, da=signed(together, met))
    added = Equation(SENT, Sum(tuple(map(tree, ways))))
    whole, *terms = adding_up(sent, together, met) or scene.printed(added, {SENT: together}, met)
    each = tuple(sentence("sent", q=term) for term in terms)
    return scene.say("gathered", unit=unit, links=links, sent=each, da=whole)


def _joined(scene: Scene, j: int) -> Face:
    """Loss and output activation differentiated as one."""
    k, spec = scene.last, scene.trace.spec
    activation, loss = scene.function(k), text(LOSSES[spec.loss].title).lower()
    pair = text("{activation} and {loss}", activation=activation, loss=loss)
    beyond = () if scene.told_da(j) else (sentence("beyond any number"),)
    words = scene.say("joined", pair=pair, **scene.of_drawing(k, j, "dz")), *beyond, *_asked(scene, k, j)
    return scene.face(words, scene.equations.dz(k, j, 0), kinds="a da dz", values={"y": scene.trace.y[:, j - 1]})


def _delta_of_layer(scene: Scene, k: int) -> Face:
    of, normed, name = scene.equations, k in scene.network.norms, scene.layer_name(k)
    if k == scene.last:
        words = [sentence("deltas from the loss", layer=name)]
    else:
        words = [sentence("deltas from above", above=scene.layer_name(k + 1), layer=name)]
    words += [sentence("back through a norm", norm=norm_title(scene, k))] if normed else []
    made = [of.bent(k, "i", "n")] if k == scene.last else scene.came(k, "i", "n")
    made += [of.dxhat(k, "i", "n"), *of.ways(k, "j", "n"), of.dz(k, "j", "n")] if normed else []
    return scene.face((*words, _split(scene.layer(k).dz)), *made, kinds="da dz")


_HAS_ONCE = {
    ("db",): "its bias",
    ("dgamma",): "its gain",
    ("dbeta",): "its shift",
    ("dgamma", "dbeta"): "its gain and its shift",
}


def _gathered_at(message: str, kinds: tuple[str, ...], scene: Scene, k: int, j: int, i: int) -> Face:
    """The gradients of what a unit has but once over the examples, or a channel for all of its places: of its bias, its
    gain, its shift."""
    made = told = [getattr(scene.equations, kind)(k, j) for kind in kinds]
    values, line = {kind: float(scene.look(of.target)) for kind, of in zip(kinds, made, strict=True)}, made[0].target
    if scene.network.image(k):
        what, met = sentence(_HAS_ONCE[kinds]), ""
        words = scene.say("gathered at a channel", channel=scene.unit(k, j), what=what)
    else:
        words, met = scene.say(message, gradient=values[kinds[0]]), "dz" if kinds == ("db",) else "dn xhat"
        told = [of if of.target.kind == "dgamma" else scene.times_one(of) for of in made]
        made = [scene.alone(of) for of in made]
    return scene.face(words, *made, shown=told, kinds=met, values=values, line=code_name(line))


def _dxhat(scene: Scene, k: int, j: int, i: int) -> Face:
    """Back through the gain, of one unit or of a whole layer."""
    made = scene.equations.dxhat(k, j or "j", 0 if j else "n")
    words = sentence("back through the gain")
    if scene.count > 1:
        told = scene.of_drawing(k, j, "dxhat") if j else {}
        words = scene.say("back through the gain" if j else "back through the gains", **told)
    return scene.face(words, made, kinds="dn dxhat")


def _three_ways(scene: Scene, k: int, j: int, i: int) -> Face:
    """A unit's δ behind a normalization: over the number itself, over the mean and over the spread."""
    made = *scene.equations.ways(k, j, 0), scene.equations.dz(k, j, 0)
    *ways, _ = kinds = [each.target.kind for each in made]
    total_dz, *told = scene.printed(made[-1])
    others = sentence(f"all of a {scene.network.norms[k].replace('_norm', '')}")
    words = scene.say("three ways", others=others, dz=total_dz, **dict(zip(ways, told, strict=True)))
    asked = asks(scene, k, j)
    return scene.face((asked, words), *made, kinds=" ".join(kinds))


def _split(dz: Floats) -> Sentence:
    totals = dz.sum(axis=0)
    counts = {"units up": totals < 0, "units down": totals > 0, "units idle": totals == 0}
    asked = [sentence(message, units=int(which.sum())) for message, which in counts.items() if which.any()]
    return sentence("split", asked=tuple(asked))


def _dW(scene: Scene, k: int, j: int, i: int) -> Face:
    made, a, dz = scene.equations.dW(k, j, i), scene.below(k)[:, i - 1], scene.layer(k).dz[:, j - 1]
    gradient = float(scene.layer(k).dW[j - 1, i - 1])
    matters = sentence("more weight", gradient=gradient)
    words: tuple[Sentence, ...] = (sentence("shares of the blame", count=scene.count, gradient=gradient), matters)
    if scene.count == 1:
        blame = sentence("share of the blame", input=_input_name(scene, k, i), a=float(a[0]))
        words = (asks(scene, k, j), blame, matters)
    values: dict[str, float | Floats] = {"dz": dz, "a_in": a, "dW": gradient}
    return scene.face(words, scene.alone(made), shown=(made,), values=values)


def _input_name(scene: Scene, k: int, i: int) -> str:
    """What layer k calls its input i: x₂, or a₃."""
    letter = scene.network.given_kind(k - 1)
    return scene.unit(0, i) if k == 1 else letter + str(i).translate(SUBSCRIPTS)


def _gradient(scene: Scene, k: int, j: int, i: int) -> Face:
    """The gradients of all weights into a unit and of its bias; or of a whole layer."""
    layer = scene.layer(k)
    dW, db = (layer.dW[j - 1], float(layer.db[j - 1])) if j else (layer.dW, layer.db)
    whose = scene.unit(k, j) if j else sentence("every unit of", layer=scene.layer_name(k))
    words = scene.say("gradient", whose=whose)
    most = (_most(scene, k, j),) if j and scene.count == 1 else ()
    made = scene.alone(scene.equations.dW(k, j or "j", "i")), scene.alone(scene.equations.db(k, j or "j"))
    numbers = _gradients(scene, k, dW, float(db)) if j else say(text("length of all ∂L/∂W: "), _length(dW))
    values: dict[str, float | Floats] = {"dz": layer.dz[:, j - 1] if j else layer.dz, "dW": dW, "db": db}
    return scene.face((words, *most), *made, numbers=numbers, values=values, line=f"dW{k}")


def _most(scene: Scene, k: int, j: int) -> Sentence:
    """The largest gradient of one example, and what it asks."""
    dW = scene.layer(k).dW[j - 1]
    i = int(np.abs(dW).argmax())
    a, source = float(scene.below(k)[0, i]), scene.source(k, i + 1)
    return sentence("gradient of most", gradient=float(dW[i]), source=source, a=a)


def _gradients(scene: Scene, k: int, dW: Floats, db: float) -> Segments:
    carried = "" if scene.count > 1 else " = δ × a"
    shown = largest(dW, UNITS).tolist()
    links = (
        say(text("from {source}: ", source=scene.source(k, n + 1)), scene.piece(float(dW[n]), "backward"))
        for n in shown
    )
    return say(f"∂L/∂W{carried}: ", *several(links, len(dW), "; "), text("; bias: "), scene.piece(db, "backward"))


def _length(values: Floats) -> Segment:
    return Segment(unsigned(float(np.sqrt(np.square(values).sum()))), "backward")


def _backward_pass(scene: Scene, k: int, j: int, i: int) -> Face:
    each = range(1, scene.last + 1)
    lengths = [say(f"{scene.layer_name(k)}: ", _length(scene.layer(k).dW)) for k in each]
    numbers = say(text("length of all ∂L/∂W, "), *several(lengths, len(lengths), "; "))
    back = total("j", tree(weight(3, "j", "i")) * tree(Quantity("dz", 3, ("j",))))
    delta = Quantity("dz", 2, ("i",))
    made = (
        Equation(Quantity("da", 2, ("i",)), back),
        Equation(delta, tree(Quantity("da", 2, ("i",))) * f("f′", tree(Quantity("z", 2, ("i",))))),
        Equation(Quantity("dW", 2, ("j", "i")), total("n", tree(delta.of("dz", "j")) * tree(unit(1, "i")))),
    )
    first = scene.layer(1)
    values: dict[str, float | Floats] = {"dW": first.dW, "db": first.db}
    return Face((sentence("backward pass"),), made, numbers, ("dW1",), values, layers=ANY)


BACKWARD: dict[str, Writer] = {
    "da": _da,
    "came_back": _delta,
    "dn": _dz,
    "gains": partial(_gathered_at, "gains", ("dgamma", "dbeta")),
    "dgamma": partial(_gathered_at, "gradient dgamma", ("dgamma",)),
    "dbeta": partial(_gathered_at, "gradient dbeta", ("dbeta",)),
    "dxhat": _dxhat,
    "three_ways": _three_ways,
    "product_back": _product_back,
    "dz": _dz,
    "delta": _delta,
    "dW": _dW,
    "db": partial(_gathered_at, "bias's gradient", ("db",)),
    "gradient": _gradient,
    "backward": _backward_pass,
}
