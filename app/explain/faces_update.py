"""The moments of the update: what regularization adds, the optimizer's terms, old value and new value."""

from dataclasses import replace
from functools import partial

import numpy as np

from app.explain.moments import Face
from app.explain.scene import UNITS, Scene, Writer
from app.words.digits import largest, named
from app.words.formulas import Formula
from app.words.numbers import MINUS, unsigned
from app.words.segments import Segment, Segments, by_sign, plus, say, several
from app.words.sentences import Part, Sentence, in_words, lower, sentence
from app.words.texts import text
from engine import OPTIMIZERS, PENALTIES, Quantity
from engine.arrays import Floats
from engine.equation import Equation, Sum, code_name, tree
from engine.receipts import ParameterReceipt, parameter_receipt


def part_name(name: str) -> str:
    """What a part of an update is called."""
    return in_words(f"by {name}")


_CALLED = {"W": "weight", "b": "the bias", "gamma": "the gain", "beta": "the shift"}


def _penalty_gradient(scene: Scene, k: int, j: int, i: int) -> Face:
    spec, layer = scene.trace.spec, scene.layer(k)
    weight, pull = float(layer.W[j - 1, i - 1]), float(layer.dW_penalty[j - 1, i - 1])
    entry, made = PENALTIES[spec.regularization], scene.equations.pull(k, j, i)
    words = sentence("pull", title=text(entry.title), weight=weight, pull=pull, towards=weight * pull if pull else 0.0)
    values: dict[str, float | Floats] = {"W": weight, "dW_penalty": pull}
    return scene.face(words, made, values=values, line=f"gW{k}")


def _one(kind: str, scene: Scene, k: int, j: int, i: int) -> Face:
    """One parameter of a kind."""
    of = Quantity(kind, k, (j, i) if i else (j,))
    receipt = parameter_receipt(scene.trace, str(of))
    values: dict[str, float | Floats] = {
        of.kind: receipt.now,
        f"d{of.kind}": receipt.gradient,
        f"{of.kind}_next": receipt.next,
        "learning_rate": receipt.learning_rate,
    }
    if receipt.source:
        values["dW_penalty"] = receipt.penalty_gradient
    words = (update_words(scene, receipt), *(() if receipt.frozen else _remembers(scene)))
    code = code_name(of.like(f"{of.kind}_next")), "try"
    return Face(words, update_formulas(scene, of, receipt.frozen), update_numbers(scene, receipt), code, values)


def update_words(scene: Scene, receipt: ParameterReceipt) -> Sentence:
    """What the update did to one parameter, and why."""
    what = sentence(_CALLED[Quantity.parse(receipt.address).kind])
    change = receipt.next - receipt.now
    if receipt.frozen:
        return sentence("frozen", what=what, now=receipt.now)
    if OPTIMIZERS[scene.trace.spec.optimizer].search:
        return sentence("tried", what=what, change=change, rate=receipt.learning_rate)
    others = tuple(sentence(f"by {part.name}") for part in receipt.parts if part.name != "gradient")
    if receipt.gradient and others and (change > 0) == (receipt.gradient > 0):
        return sentence("overruled", what=what, change=change, next=receipt.next, others=others)
    return sentence("moved by all" if others else "moved", what=what, change=change, next=receipt.next)


def update_numbers(scene: Scene, receipt: ParameterReceipt) -> Segments:
    """Old value, what is added to it, new value. With one part, it is written as rate × gradient."""
    of = Quantity.parse(receipt.address)
    now, after = by_sign(receipt.now, receipt.address), scene.piece(receipt.next, "update")
    if receipt.frozen:
        return say(now, " = ", after, text(" (frozen)"))
    if scene.trace.spec.optimizer == "sgd" and len(receipt.parts) == 1:
        return scene.told(*scene.equations.update(of))
    made = {Quantity("part", 0, (n,)): part.value for n, part in enumerate(receipt.parts, 1)}
    whole = Equation(of.like(f"{of.kind}_next"), Sum((tree(of), *map(tree, made))))
    told, old, *terms = scene.printed(whole, made)
    pieces: list[str | Segment] = [replace(now, text=old)]
    for part, term in zip(receipt.parts, terms, strict=True):
        sign = f" {MINUS if term.startswith(MINUS) else '+'} "
        pieces += [Segment(sign + term.lstrip("+" + MINUS), "update"), text(" (by {part})", part=part_name(part.name))]
    return say(*pieces, " = ", replace(after, text=told))


def update_formulas(scene: Scene, of: Quantity, frozen: bool) -> tuple[Formula, ...]:
    """The update rule about this parameter, or what was done in its place."""
    made = scene.equations
    if frozen:
        return (Equation(of.like(f"{of.kind}_next"), tree(of)),)
    pulled = (made.pulled(of.layer, *of.index),) if made.gradient(of).kind == "gW" else ()
    return (*pulled, *made.update(of))


def _update(scene: Scene, k: int, j: int, i: int) -> Face:
    """All parameters of a unit, of a layer, or of the whole network."""
    if j == 0:
        return _update_many(scene, k)
    layer, optimizer, step = scene.layer(k), OPTIMIZERS[scene.trace.spec.optimizer], scene.trace
    own = [each for each in scene.network.parameters if each.layer == k]
    olds, news = (
        np.concatenate([each.of(values)[j - 1].ravel() for each in own])
        for values in (step.parameters, step.parameters_next)
    )
    row = [scene.source(k, i) for i in range(1, scene.links(k) + 1)]
    row += [text("bias") if each.letter == "b" else named(each.letter) for each in own if each.letter != "W"]
    message = "update by trial" if optimizer.search else "update"
    message += " with a norm" if layer.norm else ""
    words = sentence(message, unit=scene.unit(k, j), weights=scene.links(k), ways=_ways(news - olds))
    plain = len(optimizer.steps) == 1 and not (
        optimizer.search or scene.trace.spec.penalized or scene.trace.spec.frozen
    )
    told = (words, *_by_rule(scene, plain, news - olds))
    shown = largest(news - olds, UNITS)
    pairs = [say(f"{row[n]}: ", *_way(scene, float(olds[n]), float(news[n]))) for n in shown.tolist()]
    values: dict[str, float | Floats] = {
        "W": layer.W[j - 1],
        "b": float(layer.b[j - 1]),
        "W_next": layer.W_next[j - 1],
        "b_next": float(layer.b_next[j - 1]),
    }
    return Face(told, optimizer.steps, several(pairs, len(row), "; "), (f"W{k}_next", "try"), values)


def _by_rule(scene: Scene, plain: bool, changes: Floats) -> tuple[Sentence, ...]:
    """What the rule does with a gradient; of trial and error, which has none, it is told already."""
    optimizer = OPTIMIZERS[scene.trace.spec.optimizer]
    if optimizer.search:
        return ()
    if not plain:
        how, title = lower(text(optimizer.how)), text(optimizer.title)
        return (sentence("update by a rule", optimizer=title, how=how), *_remembers(scene))
    return (
        (sentence("update by rate", rate=scene.trace.learning_rate),)
        if changes.any()
        else (sentence("update by nothing"),)
    )


def _remembers(scene: Scene) -> tuple[Sentence, ...]:
    """Where the letters come from that a rule has of its own."""
    optimizer = OPTIMIZERS[scene.trace.spec.optimizer]
    letters = tuple(sentence("letter", letter=slot) for slot in optimizer.slots if not optimizer.search)
    return (sentence("remembers", letters=letters),) if letters else ()


def _ways(changes: Floats) -> tuple[Sentence, ...]:
    """How many go up, how many down, and how many stay."""
    counts = {"go up": changes > 0, "go down": changes < 0, "stay": changes == 0}
    return tuple(sentence(message, count=int(which.sum())) for message, which in counts.items() if which.any())


def _way(scene: Scene, old: float, new: float) -> Segments:
    """Old value and new; or what is added, where both would read the same."""
    if old == new:
        return say(by_sign(old), Segment(text(" stays"), "update"))
    same = by_sign(old).text == by_sign(new).text
    return (
        say(by_sign(old), plus(new - old, "update")) if same else say(by_sign(old), " → ", scene.piece(new, "update"))
    )


def _update_many(scene: Scene, k: int) -> Face:
    trace, layers = scene.trace, [scene.layer(k)] if k else scene.trace.layers
    optimizer = OPTIMIZERS[trace.spec.optimizer]
    change = np.concatenate([(layer.W_next - layer.W).ravel() for layer in layers])
    size = float(np.sqrt(sum(float(np.square(layer.W).sum()) for layer in layers)))
    moved_by = float(np.sqrt(np.square(change).sum()))
    told: dict[str, Part] = {"optimizer": text(optimizer.title), "rate": trace.learning_rate, "ways": _ways(change)}
    words = sentence("update of a layer", layer=scene.layer_name(k), **told) if k else sentence("update of all", **told)
    ratio = unsigned(moved_by / size if size else 0.0)
    numbers = say(
        text("length of the weights' step "),
        Segment(unsigned(moved_by), "update"),
        text(" / length of W {size} = ", size=unsigned(size)),
        Segment(ratio, "update"),
    )
    first = layers[0]
    values: dict[str, float | Floats] = {"W": first.W, "W_next": first.W_next, "b": first.b, "b_next": first.b_next}
    return Face((words, *_remembers(scene)), optimizer.steps, numbers, (f"W{k or 1}_next", "try"), dict(values))


UPDATE: dict[str, Writer] = {
    "penalty_gradient": _penalty_gradient,
    "update_weight": partial(_one, "W"),
    "update_bias": partial(_one, "b"),
    "update_gain": partial(_one, "gamma"),
    "update_shift": partial(_one, "beta"),
    "update": _update,
}
