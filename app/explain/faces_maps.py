"""The moments of feature maps: windows forwards, pools, what comes back to a place, and what a shared weight is asked.

A map has too many numbers to tell each: a moment tells the place where most happens, and the code does them all.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from app.explain.faces_attached import at, through_of_map
from app.explain.moments import Face
from app.explain.scene import Scene, Spot, Writer, strongest
from app.words.sentences import Sentence, lower, sentence
from app.words.texts import text
from engine import OPERATIONS, Quantity
from engine.arrays import Floats
from engine.equation import Equation
from engine.receipts import parameter_receipt

LARGEST = 3  # places of a weight that are told one by one


def _window(scene: Scene, k: int, j: int, i: int) -> Face:
    """A channel's sums, and if nothing stands between, what its activation makes of them."""
    spot, of, normed = scene.spot(k, j, scene.layer(k).z), scene.equations, k in scene.network.norms
    names, z = {"channel": scene.unit(k, j), "below": scene.layer_below(k)}, scene.of_drawing(k, spot, "z")
    words = [scene.say("window at a place" if scene.place(k) else "window", **names, **z, **at(spot))]
    if normed:
        return scene.face(words, of.z(k, spot, 0), kinds="z")
    words.append(scene.say("bent at a place", function=scene.function(k), **scene.of_drawing(k, spot, "a")))
    return scene.face(words, of.z(k, spot, 0), of.a(k, spot, 0), kinds="z a", line=f"z{k}")


def _product(scene: Scene, k: int, j: int, i: int) -> Face:
    """What one kernel makes of the window below it, at one place; or a unit's weight of the number at a place."""
    is_map, unit = scene.network.image(k), scene.unit(k, j)
    spot = scene.spot(k, j, scene.layer(k).z) if is_map else scene.given_spot(k - 1, i)
    made = scene.equations.maps.product(k, j, i, spot[1:], 0)
    gives = float(scene.drawn(made.target))
    if is_map:
        from_ = scene.channel(k - 1, i) or scene.layer_below(k)
        words = scene.say("product at a place", channel=unit, source=from_, gives=gives, **at(spot))
    else:
        a, channel = float(scene.drawn(scene.gives_at(k - 1, spot))), scene.unit(k - 1, i)
        words = scene.say("product of a place", channel=channel, unit=unit, a=a, gives=gives, **at(spot))
    return scene.face(words, made, values={"p": float(scene.look(made.target))}, line=f"z{k}")


def _map_norm(scene: Scene, k: int, j: int, i: int) -> Face:
    spot, of = scene.spot(k, j, scene.layer(k).z), scene.equations
    made = [each(k, spot, 0) for each in (of.mean, of.spread, of.xhat, of.n, of.a)]
    numbers = scene.of_drawing(k, spot, "z", "xhat", "n", "a")
    words = (
        scene.say("normed at a place", channel=scene.unit(k, j), **at(spot), **numbers),
        sentence(f"together in {scene.network.norms[k]}"),
    )
    return scene.face(words, *made[2:], shown=made, kinds="z n a", line=f"n{k}")


def _pool(scene: Scene, k: int, j: int, i: int) -> Face:
    """What a pool makes of a channel's map, or of all of a layer's."""
    network = scene.network
    layer, node = scene.layer(k), network.pools[k]
    assert layer.v is not None
    before, title = network.before(k, "v"), text(OPERATIONS[node.operation].title)
    if not j:
        sides = [" × ".join(map(str, maps.shape[2:] or (1, 1))) for maps in (getattr(layer, before), layer.v)]
        words = sentence("pool of a layer", pool=title, layer=scene.layer_name(k), before=sides[0], after=sides[1])
        return _of_layer(scene, words, k, layer.v, (_pool,), "v")
    if node.operation == "global_pool":
        made = scene.equations.maps.v(k, (j,), 0)
        words = scene.say("global pool", places=node.places, **scene.of_drawing(k, j, "v"))
    else:
        spot = scene.spot(k, j, layer.v)
        made = scene.equations.maps.v(k, spot, 0)
        kind = "max pool" if node.operation == "max_pool" else "average pool"
        words = scene.say(kind, side=int(node.option("size")), **scene.of_drawing(k, spot, "v"), **at(spot))
    return scene.face(words, made, kinds="v")


def _back_words(scene: Scene, k: int, j: int, first: Quantity) -> list[Sentence]:
    """What lies between what a layer gives and what its activation gave, on the way back; of a batch `first` in all."""
    network = scene.network
    above = "back to a place" if network.image(k + 1) else "back from units"
    words = [sentence(above, channel=scene.unit(k, j))]
    words += [sentence("gradients meet")] if network.arcs(k) else []
    words += [scene.say("all ways", sum=float(scene.drawn(first)))] if scene.count > 1 else []
    return [*words, *(through_of_map(scene, k, letter) for letter in reversed(network.behind(k)))]


def _map_back(scene: Scene, k: int, j: int, i: int) -> Face:
    layer = scene.layer(k)
    spot = scene.spot(k, j, layer.asked)
    function, kind = lower(scene.function(k)), f"d{scene.network.bent_kind(k)}"
    message, da = "delta at a place" if scene.place(k) else "largest delta", scene.of_drawing(k, spot, "da")
    made, told = scene.came(k, spot), scene.say(message, function=function, **da, **at(spot))
    return scene.face((*_back_words(scene, k, j, made[0].target), told), *made, kinds=f"da {kind}")


def sent_to(scene: Scene, k: int, j: int) -> Spot:
    """The place of what a channel gives that is told of on the way back; of a pool's a number of its own."""
    for spot in (scene.spot(k, j, scene.layer(k).asked), strongest(scene.layer(k).asked, j)):
        index = scene.came(k, spot)[0].target.index
        given = scene.network.image(k, scene.network.given_kind(k))
        if all(int(str(at)) <= length for at, length in zip(index, given, strict=True)):
            break
    channel, row, column = (int(str(at)) for at in index)
    return channel, row, column


def _product_back(scene: Scene, k: int, j: int, i: int) -> Face:
    """What one channel sends back to a place of one below, over the kernel between them."""
    below, spot = k - 1, sent_to(scene, k - 1, i)
    made = scene.equations.maps.product_back(k, j, i, spot[1:], 0)
    brings, names = float(scene.drawn(made.target)), {"channel": scene.unit(k, j), "source": scene.unit(below, i)}
    message = "product back to a place" if scene.network.image(k) else "number back to a place"
    words = scene.say(message, brings=brings, **names, **at(spot))
    return scene.face(
        words, made, values={"q": float(scene.look(made.target))}, line=f"d{scene.network.given_kind(below)}{below}"
    )


def _map_ways(scene: Scene, k: int, j: int, i: int) -> Face:
    spot, of = scene.spot(k, j, scene.layer(k).dz), scene.equations
    words = scene.say("ways of a map", channel=scene.unit(k, j), **scene.of_drawing(k, spot, "dz"), **at(spot))
    return scene.face(words, of.dxhat(k, spot, 0), *of.ways(k, spot, 0), of.dz(k, spot, 0), kinds="dz")


def _kernel(scene: Scene, k: int, j: int, i: int) -> Face:
    """The gradients of a channel's kernels: one weight, many places."""
    layer = scene.layer(k)
    network, index = scene.network, scene.kernel_place(k, j)
    made: tuple[Equation, ...] = (scene.equations.maps.dW(k, index), scene.equations.db(k, j))
    made += scene.equations.gains(k, j) if layer.norm else ()
    _, high, wide = network.image(k)
    words = scene.say("one weight, many places", channel=scene.unit(k, j), places=high * wide, count=scene.count)
    _, source, row, column = index
    gradient = float(layer.dW[j - 1, source - 1, row - 1, column - 1])
    from_ = scene.channel(k - 1, source) or scene.layer_below(k)
    most = sentence("most of a kernel", row=row, column=column, source=from_, gradient=gradient)
    values: dict[str, float | Floats] = {"dW": layer.dW[j - 1], "db": float(layer.db[j - 1]), "dz": layer.dz[:, j - 1]}
    return scene.face((words, most), *made, values=values, line=f"dW{k}")


def _weight(scene: Scene, k: int, j: int, i: int) -> Face:
    """One weight of a kernel: its places, the largest first."""
    index = scene.kernel_place(k, j, i)
    made = scene.equations.maps.dW(k, index)
    gradient, from_ = float(scene.look(made.target)), scene.channel(k - 1, i) or scene.layer_below(k)
    shares, met = shares_of(scene, index, k)
    order = np.argsort(-np.abs(np.nan_to_num(shares.ravel())), kind="stable")
    told = [n for n in order.tolist() if shares.ravel()[n]]
    words = [
        scene.say(
            "one weight at its places", row=index[2], column=index[3], source=from_, count=len(told), gradient=gradient
        )
    ]
    for n in told[:LARGEST] if scene.count == 1 else ():
        _, row, column = (int(at) for at in np.unravel_index(n, shares.shape))
        factors = {
            "met": float(met.ravel()[n]),
            "dz": float(scene.layer(k).dz[0, j - 1].ravel()[n]),
            "share": float(shares.ravel()[n]),
        }
        words.append(sentence("share of a place", row=row + 1, column=column + 1, **factors))
    return scene.face(words, made, values={"dW": gradient})


def shares_of(scene: Scene, index: Sequence[int], k: int) -> tuple[Floats, Floats]:
    """What each place adds to a weight's gradient, (examples, rows, columns), and what the weight met there."""
    facts = parameter_receipt(scene.trace, str(Quantity("W", k, tuple(index))))
    return np.asarray(facts.deltas * facts.carried), facts.carried


def _forward_layer(scene: Scene, k: int, j: int, i: int) -> Face:
    channels, high, wide = scene.network.image(k)
    words = sentence(
        "window of a layer",
        channels=channels,
        layer=scene.layer_name(k),
        below=scene.layer_below(k),
        high=high,
        wide=wide,
        function=scene.function(k),
    )
    shown = (_window, _map_norm) if scene.layer(k).norm else (_window,)
    return _of_layer(scene, words, k, scene.layer(k).z, shown, "z", "a")


def _delta_of_layer(scene: Scene, k: int, j: int, i: int) -> Face:
    words, layer = sentence("maps go back", layer=scene.layer_name(k)), scene.layer(k)
    shown = (_map_back, _map_ways) if layer.norm else (_map_back,)
    return _of_layer(scene, words, k, layer.asked, shown, "da", "dz")


def _of_layer(scene: Scene, words: Sentence, k: int, maps: Floats, shown: Sequence[Writer], *kinds: str) -> Face:
    """All of a layer's maps, and how the first example's number that is largest by size was made; or that at a chosen
    place."""
    j = 1 + int(np.abs(np.nan_to_num(maps[0])).reshape(len(maps[0]), -1).max(axis=1).argmax())
    made = [of for writer in shown for of in writer(scene, k, j, 0).formulas if isinstance(of, Equation)]
    said, spot = [words], scene.spot(k, j, maps)
    if len(spot) > 1:
        said.append(scene.say("one of the maps", channel=scene.unit(k, j), **at(spot)))
    whole = scene.values(k, 0, *kinds)
    return scene.face(said, *made, numbers=scene.told(*made), values=whole, line=f"{kinds[-1]}{k}")


def _gradient_of_layer(scene: Scene, k: int, j: int, i: int) -> Face:
    layer = scene.layer(k)
    largest = np.abs(np.nan_to_num(layer.dW)).reshape(len(layer.dW), -1).max(axis=1)
    chosen = (of.unit for of in scene.chosen if of.kind == "W" and of.layer == k)
    to = next(chosen, 1 + int(largest.argmax()))
    _, source, row, column = scene.kernel_place(k, to)
    from_ = scene.channel(k - 1, source) or scene.layer_below(k)
    words = (
        sentence("kernels ask", layer=scene.layer_name(k)),
        sentence("one of the kernels", channel=scene.unit(k, to), row=row, column=column, source=from_),
    )
    one = _kernel(scene, k, to, 0)
    return replace(one, sentences=words, values={"dW": layer.dW, "db": layer.db})


MAPS: dict[str, Writer] = {
    "product": _product,
    "window": _window,
    "map_norm": _map_norm,
    "pool": _pool,
    "product_back": _product_back,
    "map_back": _map_back,
    "dW": _weight,
    "map_ways": _map_ways,
    "kernel": _kernel,
    "forward": _forward_layer,
    "delta": _delta_of_layer,
    "gradient": _gradient_of_layer,
}
