"""What is told of what stands behind an activation, forwards and back, whatever the table has there.

What it computes is the table's equation. Some operations have words of their own here, by name; of any other its own
description in the table is said.
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from app.explain.moments import Face
from app.explain.scene import Scene, Spot
from app.words.columns import Columns
from app.words.sentences import Sentence, lower, sentence
from app.words.texts import text
from engine import Quantity

Words = Callable[[Scene, int, int, Spot, str], Sentence]  # of a layer's unit, 0 for all, at a place; and a letter


def at(spot: Sequence[int]) -> dict[str, int]:
    """A place of a feature map, for a sentence."""
    return {"row": spot[1], "column": spot[2]}


def attached(scene: Scene, k: int, j: int, letter: str) -> Face:
    """What is made of a unit's activation, of those of a whole layer, or of a channel's at one place."""
    node, _ = scene.network.at(k, letter)
    words, made = _FORWARD.get(node.operation, _described), scene.equations
    if scene.network.image(k):
        j, maps = j or 1, scene.layer(k).number(letter)
        spot = scene.spot(k, j, maps)
        where = (sentence("at the place", **at(spot)),) if len(spot) == 3 else ()
        told = (words(scene, k, j, spot, letter), *where, *_made_up_for(scene, k, j, letter))
        return scene.face(told, made.attached(letter, k, spot, 0), values={letter: maps})
    kinds = " ".join(("a", *scene.network.saved(node), letter))
    of = made.attached(letter, k, j or "j", 0 if j else "n")
    told = words(scene, k, j, (j,), letter), *_made_up_for(scene, k, j, letter)
    return scene.face(told, of, kinds=kinds)


def _title(scene: Scene, k: int, letter: str) -> str:
    return lower(text(scene.network.at(k, letter)[1].title))


def _described(scene: Scene, k: int, j: int, spot: Spot, letter: str) -> Sentence:
    """What has no words of its own, as the table describes it."""
    operation, what = _title(scene, k, letter), text(scene.network.at(k, letter)[1].sentence)
    if not j:
        return sentence("attached to a layer", operation=operation, what=what, layer=scene.layer_name(k))
    (made,) = scene.of_first(k, spot, letter).values()
    return scene.say("attached", operation=operation, what=what, unit=scene.unit(k, j), made=made)


def _made_up_for(scene: Scene, k: int, j: int, letter: str) -> tuple[Sentence, ...]:
    """Why dropout multiplies by what it multiplies by; nothing of a number that is out."""
    if scene.network.at(k, letter)[0].operation != "dropout":
        return ()
    alone = j and scene.count == 1 and not scene.network.image(k)
    out = alone and not scene.look(Quantity("mask", k, (j,), 0))
    return () if out else (sentence("made up for", scale=scene.scale(k), rate=scene.network.dropouts[k]),)


def _dropout(scene: Scene, k: int, j: int, spot: Spot, letter: str) -> Sentence:
    """What dropout lets through."""
    scale, out = scene.scale(k), np.equal(scene.values(k, j, "mask")["mask"], 0)
    if scene.network.image(k):
        gives = scene.of_drawing(k, spot, letter)
        return scene.say("dropout of a map", channel=scene.unit(k, j), scale=scale, **gives)
    if not j:
        counts = {"out": int(out.sum()), "of": out.size}
        return sentence("dropout of a layer", layer=scene.layer_name(k), scale=scale, **counts)
    if scene.count > 1:
        counts = {"out": int(out.sum()), "count": scene.count}
        gives = scene.of_drawing(k, j, letter)
        return sentence("dropout in a batch", unit=scene.unit(k, j), scale=scale, **counts, **gives)
    return sentence("dropped" if out[0] else "kept", unit=scene.unit(k, j), **scene.of_first(k, j, "mask", "h"))


def _shortcut(scene: Scene, k: int, j: int, spot: Spot, letter: str) -> Sentence:
    """What is added."""
    source = scene.network.shortcuts[k]
    if not j:
        name = scene.layer_name(source) if source else text("the input")
        return sentence("shortcut of a layer", layer=scene.layer_name(k), source=name)
    (added,) = scene.of_drawing(source, spot, scene.network.given_kind(source)).values()
    made = scene.of_drawing(k, spot, letter)
    return scene.say("shortcut", unit=scene.unit(k, j), source=scene.unit(source, j), added=added, **made)


def close(scene: Scene, k: int, j: int) -> tuple[int, int]:
    """With how many digits what comes back to a unit closes, going through its slope, and what that is made of: what
    comes to what stands behind its activation, or the output itself."""
    columns, made = Columns(scene.look), scene.equations
    passed = columns.digits(made.bent(k, j, 0))
    ahead = scene.network.behind(k) or k == scene.last
    return passed, columns.digits(made.da(k, j, 0), passed) if ahead else passed


def through(scene: Scene, k: int, j: int, letter: str = "a") -> tuple[Sentence, ...]:
    """How what comes back to what is made of a number, within the layer, comes to that itself; nothing at its end."""
    after = scene.network.after(k, letter)
    node = scene.network.at(k, after)[0] if after else None
    return (_BACK.get(node.operation, _passed)(scene, k, j, (j,), letter),) if node else ()


def all_through(scene: Scene, k: int, j: int) -> Iterator[Sentence]:
    """The same from what a unit gives down to its activation."""
    for letter in reversed("a" + scene.network.behind(k)):
        yield from through(scene, k, j, letter)


def _passed(scene: Scene, k: int, j: int, spot: Spot, letter: str) -> Sentence:
    after = scene.network.after(k, letter)
    came, passed = scene.of_first(k, spot, f"d{after}", f"d{letter}").values()
    return scene.say("back through", operation=_title(scene, k, after), came=came, passed=passed)


def _through_mask(scene: Scene, k: int, j: int, spot: Spot, letter: str) -> Sentence:
    """What comes back goes through the same mask."""
    if scene.count > 1:
        after = scene.network.after(k, letter)
        came, passed = scene.of_drawing(k, j, f"d{after}", f"d{letter}").values()
        return sentence("back through the mask in a batch", scale=scene.scale(k), dh=came, da=passed)
    if not scene.look(Quantity("mask", k, (j,), 0)):
        return sentence("back to the dropped", unit=scene.unit(k, j))
    passed, _ = close(scene, k, j)
    da, mask, dh = scene.printed(scene.equations.came(letter, k, j, 0), shown=passed)
    return sentence("back through the mask", mask=mask.lstrip("+"), dh=dh, da=da)


def through_of_map(scene: Scene, k: int, letter: str) -> Sentence:
    """What an operation does to what comes back to a channel's places."""
    node, entry = scene.network.at(k, letter)
    if entry.equation is None:
        count = node.places if node.operation == "global_pool" else int(node.option("size")) ** 2
        return sentence("only the winner") if node.operation == "max_pool" else sentence("all share", count=count)
    if node.operation in _BACK:
        return sentence("the same mask")
    return sentence("back through an operation", operation=_title(scene, k, letter))


def made_of(scene: Scene, k: int) -> Iterator[tuple[str, str]]:
    """What stands behind a unit's activation, with what it is made of; by a mask what comes back, too."""
    for letter in scene.network.attached(k):
        own, node = scene.network.before(k, letter), scene.network.at(k, letter)[0]
        if node.operation == "dropout":
            yield letter, text("h = mask × {own}", own=own)
            if own in scene.network.changing[k - 1]:
                yield f"d{own}", text("d{own} = mask × dh", own=own)
        elif node.operation == "shortcut":
            yield letter, text("o = {own} + what the shortcut brings", own=own)
        else:
            yield letter, text("{letter}, after {operation}", letter=letter, operation=_title(scene, k, letter))


_FORWARD: dict[str, Words] = {"dropout": _dropout, "shortcut": _shortcut}
_BACK: dict[str, Words] = {"dropout": _through_mask}
