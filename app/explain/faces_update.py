"""The moments of the update, written: what regularization adds, the optimizer's terms, old value and new value."""

from collections.abc import Callable

import numpy as np

from app.explain.moments import Segment, Segments, back, by_sign, moved, say, times
from app.explain.plan import Key
from app.explain.scene import UNITS, Face, Scene, capital, count, largest, plus, several, sources, ways
from app.words.formulas import latex
from app.words.numbers import short, unsigned
from engine import OPTIMIZERS, PENALTIES, Quantity
from engine.equation import Equation, Ref
from engine.receipts import ParameterReceipt, parameter_receipt

PART_NAMES = {
    "gradient": "the gradient", "penalty": "regularization", "memory": "the optimizer's memory",
    "decay": "weight decay", "trial": "the try that was kept", "step": "the step",
}  # fmt: skip


def _penalty_gradient(scene: Scene, key: Key) -> Face:
    _, _, k, j, i = key
    spec, layer = scene.trace.spec, scene.layer(k)
    weight, pull = float(layer.W[j - 1, i - 1]), float(layer.dW_penalty[j - 1, i - 1])
    entry = PENALTIES[spec.regularization]
    name, slope_here = entry.title, float(entry.gradient(np.array([weight]))[0])
    way = "towards" if weight * pull > 0 else "away from"
    words = say(f"{name} regularization pulls the weight {way} 0: it adds ", back(pull), " to its gradient.")
    if pull == 0:
        words = say(f"{name} regularization adds nothing at ", by_sign(weight), ", where this weight is.")
    product = (f"{short(spec.regularization_rate)} × ", times(by_sign(slope_here)), " = ", back(pull))
    numbers = say(*product) if slope_here == weight else say("W = ", by_sign(weight), "; ", *product)
    symbols = latex(scene.equations.pull(k, j, i)).partition(" = ")[2]
    return Face(words, symbols, numbers, (f"gW{k}", f"W{k}_next"), {"W": weight, "dW_penalty": pull})


def _update_weight(scene: Scene, key: Key) -> Face:
    return _one(scene, f"W{key.layer}.{key.unit}.{key.source}")


def _update_bias(scene: Scene, key: Key) -> Face:
    return _one(scene, f"b{key.layer}.{key.unit}")


def _one(scene: Scene, address: str) -> Face:
    receipt = parameter_receipt(scene.trace, address)
    letter = "W" if receipt.source else "b"
    values = {
        f"{letter}": receipt.now, f"d{letter}": receipt.gradient, f"{letter}_next": receipt.next,
        "learning_rate": receipt.learning_rate,
    }  # fmt: skip
    if receipt.source:
        values["dW_penalty"] = receipt.penalty_gradient
    places = (f"{letter}{receipt.layer}_next", "try")
    return Face(update_words(scene, receipt), update_symbols(scene, receipt), update_numbers(scene, receipt), places,
                dict(values))  # fmt: skip


def update_words(scene: Scene, receipt: ParameterReceipt) -> Segments:
    """What the update did to one parameter, and why."""
    optimizer = OPTIMIZERS[scene.trace.spec.optimizer]
    what = "weight" if receipt.source else "bias"
    if receipt.frozen:
        return say(f"This {what} is frozen: it stays at ", by_sign(receipt.now), ".")
    change = receipt.next - receipt.now
    if optimizer.search:
        return _trial_words(receipt, what, change)
    if change == 0:
        return say(f"The {what} ", moved("stays"), " as it is.")
    way, to = "goes up" if change > 0 else "goes down", say(" to ", moved(receipt.next), ".")
    why = "Against its gradient" if len(receipt.parts) == 1 else "Taking all together"
    if receipt.gradient and len(receipt.parts) > 1 and (change > 0) == (receipt.gradient > 0):
        others = " and ".join(PART_NAMES[part.name] for part in receipt.parts if part.name != "gradient")
        return say(f"The {what} ", moved(way), *to, f" Its gradient alone would push the other way; {others} won.")
    return say(f"{why}, the {what} ", moved(way), *to)


def _trial_words(receipt: ParameterReceipt, what: str, change: float) -> Segments:
    rate = short(receipt.learning_rate)
    if change == 0:
        return say(f"Trial and error tried {rate} up and {rate} down: neither made the loss smaller, so the {what} ",
                   moved("stays"), ".")  # fmt: skip
    way = "up" if change > 0 else "down"
    return say(f"Trial and error tried {rate} ", moved(way), f": the loss became smaller, so the {what} keeps it. "
               "No gradient was used.")  # fmt: skip


def update_numbers(scene: Scene, receipt: ParameterReceipt) -> Segments:
    """Old value, what is added to it, new value. With one part, it is written as rate × gradient."""
    now, after = by_sign(receipt.now), moved(receipt.next)
    if receipt.frozen:
        return say(now, " = ", after, " (frozen)")
    if scene.trace.spec.optimizer == "sgd" and len(receipt.parts) == 1:
        return say(now, f" − {short(receipt.learning_rate)} × ", times(back(receipt.gradient)), " = ", after)
    pieces: list[str | Segment] = [now]
    for part in receipt.parts:
        pieces += [plus(part.value, "update"), f" (by {PART_NAMES[part.name]})"]
    return say(*pieces, " = ", after)


def update_symbols(scene: Scene, receipt: ParameterReceipt) -> str:
    """The update rule about this parameter, or what was done in its place."""
    of = Quantity.parse(receipt.address)
    if receipt.frozen:
        return latex(Equation(of.like(f"{of.kind}_next"), Ref(of)))
    made = scene.equations
    pulled = [made.pulled(of.layer, *of.index)] if made.gradient(of).kind == "gW" else []
    return latex(*pulled, *made.update(of))


def _update(scene: Scene, key: Key) -> Face:
    """All parameters of a unit, of a layer, or of the whole network."""
    _, _, k, j, _ = key
    if j == 0:
        return _update_many(scene, k)
    layer = scene.layer(k)
    row = [*sources(scene, k), "bias"]
    changes = np.append(layer.W_next[j - 1] - layer.W[j - 1], layer.b_next[j - 1] - layer.b[j - 1])
    how = "are tried up and down" if OPTIMIZERS[scene.trace.spec.optimizer].search else "take their step"
    words = say(
        f"{capital(scene.unit(k, j))}: its {count(len(row) - 1, 'weight')} and its bias {how}; {ways(changes)}."
    )
    olds, news = np.append(layer.W[j - 1], layer.b[j - 1]), np.append(layer.W_next[j - 1], layer.b_next[j - 1])
    shown = largest(changes, UNITS)
    pairs = [say(f"{row[n]}: ", *_way(float(olds[n]), float(news[n]))) for n in shown.tolist()]
    numbers = several(pairs, len(row), "; ")
    symbols = latex(*OPTIMIZERS[scene.trace.spec.optimizer].steps)
    values = {
        "W": layer.W[j - 1], "b": float(layer.b[j - 1]),
        "W_next": layer.W_next[j - 1], "b_next": float(layer.b_next[j - 1]),
    }  # fmt: skip
    return Face(words, symbols, numbers, (f"W{k}_next", "try"), values)


def _way(old: float, new: float) -> Segments:
    """Old value and new; or what is added, where both would read the same."""
    if old == new:
        return say(by_sign(old), moved(" stays"))
    same = by_sign(old).text == by_sign(new).text
    return say(by_sign(old), plus(new - old, "update")) if same else say(by_sign(old), " → ", moved(new))


def _update_many(scene: Scene, k: int) -> Face:
    trace, layers = scene.trace, [scene.layer(k)] if k else scene.trace.layers
    optimizer, rate = OPTIMIZERS[trace.spec.optimizer], short(trace.learning_rate)
    change = np.concatenate([(layer.W_next - layer.W).ravel() for layer in layers])
    size = float(np.sqrt(sum(float(np.square(layer.W).sum()) for layer in layers)))
    moved_by = float(np.sqrt(np.square(change).sum()))
    whose = f"Every parameter of {scene.layer_name(k)}" if k else "Every parameter"
    words = say(f"{whose} takes its step at once, by {optimizer.title}, with rate {rate}: "
                f"of the weights, {ways(change)}.")  # fmt: skip
    ratio = moved_by / size if size else 0.0
    numbers = say("length of the weights' step ", moved(unsigned(moved_by)), f" / length of W {unsigned(size)} = ",
                  moved(unsigned(ratio)))  # fmt: skip
    first = layers[0]
    values = {"W": first.W, "W_next": first.W_next, "b": first.b, "b_next": first.b_next}
    return Face(words, latex(*optimizer.steps), numbers, (f"W{k or 1}_next", "try"), dict(values))


UPDATE: dict[str, Callable[[Scene, Key], Face]] = {
    "penalty_gradient": _penalty_gradient, "update_weight": _update_weight, "update_bias": _update_bias,
    "update": _update,
}  # fmt: skip
