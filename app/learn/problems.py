"""Questions about one step of backpropagation: the right answer is the engine's, and a wrong one is told which
factor of it to look at. Each kind of question is one function from facts to a `Problem`.
"""

from collections.abc import Sequence

import numpy as np

from app.learn.facts import Facts
from app.learn.judging import Problem, Slip, numeric
from app.words.names import called, layer_name, name_of
from app.words.numbers import MINUS, unsigned
from app.words.sentences import in_words
from app.words.texts import text
from engine import Quantity
from engine.arrays import Floats
from engine.receipts import unit_receipt

UP, DOWN, STAY = "up", "down", "stay"
DIGITS = 4


def written(value: float) -> str:
    """A number as questions have it."""
    return unsigned(value, DIGITS)


def _place(facts: Facts, address: str) -> str:
    """A parameter's name and where it sits: W₂,₁,₃ (from hidden 1, unit 3 to output, unit 1)."""
    of = Quantity.parse(address)
    layer, unit, source = of.layer, of.unit, of.source
    to = called(facts.state.spec, layer, unit)
    if not source:
        return text("{name} (the bias of {to})", name=name_of(address), to=to)
    return text(
        "{name} (from {source} to {to})",
        name=name_of(address),
        source=called(facts.state.spec, layer - 1, source),
        to=to,
    )


def activation_problem(facts: Facts, layer: int, unit: int) -> Problem:
    """What comes out of a unit."""
    z, a, b = (facts[f"{name}{layer}.{unit}"] for name in ("z", "a", "b"))
    activation = facts.state.spec.network.activations[layer - 1]

    def out(at: float) -> float:
        value = np.array([at])
        activation.forward(value.copy(), value)
        return float(value[0])

    sources = range(1, facts.state.spec.network.sizes[layer - 1] + 1)
    terms = [(facts[f"W{layer}.{unit}.{s}"], facts.given(layer - 1, s)) for s in sources]
    title = text(activation.title).lower()
    before = text("That is z, the sum before the activation: {function} still has to act.", function=title)
    mistakes = [
        Slip(z, "activation", before),
        Slip(out(z - b), "bias", text("Everything is there but the bias, {b}.", b=written(b))),
        *(
            Slip(
                out(z - w * x),
                f"input {s}",
                text("The product with input {number}, {w} × {x}, is missing.", number=s, w=written(w), x=written(x)),
            )
            for s, (w, x) in zip(sources, terms, strict=True)
        ),
    ]
    return numeric(
        text("What comes out of {unit}: its activation a?", unit=called(facts.state.spec, layer, unit)),
        f"a{layer}.{unit}",
        a,
        text(
            "z = {total} = {z}, and the activation makes {a} of it.",
            total=_added([*terms, (b, None)]),
            z=written(z),
            a=written(a),
        ),
        text("First z, every weight times its input plus the bias; then the activation of z."),
        mistakes,
    )


def _added(terms: Sequence[tuple[float, float | None]]) -> str:
    """Products and a last number, with their signs between them."""
    told = (written(w) if x is None else f"{written(w)} × {written(x)}" for w, x in terms)
    return " + ".join(told).replace(f"+ {MINUS}", f"{MINUS} ")


def loss_problem(facts: Facts) -> Problem:
    """The squared error of one example."""
    residual = facts.trace.layers[-1].a[0] - facts.trace.y[0]
    loss = facts.loss
    mistakes = [
        Slip(2 * loss, "one half", text("This loss is half the sum of the squares; the half is missing.")),
        Slip(0.5 * float(np.abs(residual).sum()), "square", text("The differences are to be squared.")),
        Slip(
            float(np.abs(residual).sum()),
            "square",
            text("These are the differences; square them, then take half the sum."),
        ),
        *(
            Slip(
                0.5 * float(r * r),
                f"output {k}",
                text("Only output {number} is counted; add up all outputs.", number=k),
            )
            for k, r in enumerate(residual, 1)
            if len(residual) > 1
        ),
    ]
    squares = " + ".join(f"({written(float(r))})²" for r in residual)
    return numeric(
        text("What is the loss of this example, half the sum of the squared differences?"),
        "loss",
        loss,
        f"½ ({squares}) = {written(loss)}.",
        text("Take a − y for each output, square, add up, halve."),
        mistakes,
    )


def delta_problem(facts: Facts, layer: int, unit: int, example: int | None = None) -> Problem:
    """dL/dz of a unit: what comes back to it, times the slope of its activation; `example` where that is to be said."""
    name = f"{layer}.{unit}"
    delta, da, slope, z, a = (facts[f"{q}{name}"] for q in ("delta", "da", "slope", "z", "a"))
    mistakes = [
        Slip(
            da,
            "slope",
            text("That is ∂L/∂a, what comes back. Multiply by the activation's slope, {slope}.", slope=written(slope)),
        ),
        Slip(
            slope,
            "dL/da",
            text("That is the slope of the activation alone. Multiply by what comes back, {da}.", da=written(da)),
        ),
        Slip(da * _slope_at_a_for_z(facts, layer, z), "slope", text("The slope is a formula of a, not of z.")),
        Slip(da * a, "slope", text("You multiplied by the activation; multiply by its slope.")),
        *(_output_slips(facts, unit, slope) if layer == facts.layers else _hidden_slips(facts, layer, unit, slope)),
        Slip(-delta, "sign", text("The size is right, the sign is not: the difference is a − y, output minus target.")),
    ]
    return numeric(
        _of_delta(called(facts.state.spec, layer, unit), example),
        f"delta{name}",
        delta,
        text("∂L/∂a × slope = {da} × {slope} = {delta}.", da=written(da), slope=written(slope), delta=written(delta)),
        text("δ is what comes back to the unit, ∂L/∂a, times the slope of its activation."),
        mistakes,
    )


def residual_problem(facts: Facts, layer: int, unit: int) -> Problem:
    """dL/dz of an output of softmax under its cross-entropy: a − y, and no slope."""
    a, y, delta = facts[f"a{layer}.{unit}"], float(facts.trace.y[0, unit - 1]), facts[f"dz{layer}.{unit}"]
    mistakes = [
        Slip(a, "target", text("The target, {y}, is not yet subtracted.", y=written(y))),
        Slip(a * (1 - a), "slope", text("That is softmax's own slope; together with cross-entropy it cancels.")),
        Slip((a - y) * a * (1 - a), "slope", text("Softmax and cross-entropy together need no slope any more.")),
        Slip(-delta, "sign", text("The size is right, the sign is not: it is a − y, output minus target.")),
    ]
    return numeric(
        _of_delta(called(facts.state.spec, layer, unit), None),
        f"delta{layer}.{unit}",
        delta,
        text("a − y = {a} − {y} = {delta}.", a=written(a), y=written(y), delta=written(delta)),
        text("Of softmax with cross-entropy δ is the output minus its target, a − y."),
        mistakes,
    )


def messages(facts: Facts, layer: int, unit: int) -> Floats:
    """What comes back to a hidden unit: weight × δ of each link from it, and what a shortcut brings."""
    told = unit_receipt(facts.trace, f"a{layer}.{unit}")
    assert told.outgoing is not None
    return told.outgoing[0] if told.arcs is None else np.concatenate([told.outgoing[0], told.arcs[0]])


def _of_delta(unit: str, example: int | None) -> str:
    if example is None:
        return text("What is δ, that is ∂L/∂z, of {unit}?", unit=unit)
    return text("What is δ, that is ∂L/∂z, of {unit}, on example {example}?", unit=unit, example=example)


def _slope_at_a_for_z(facts: Facts, layer: int, z: float) -> float:
    name = facts.state.spec.network.activation_names[layer - 1]
    return {"sigmoid": z * (1 - z), "tanh": 1 - z * z}.get(name, 1.0)


def _output_slips(facts: Facts, unit: int, slope: float) -> list[Slip]:
    y = float(facts.trace.y[0, unit - 1])
    a = facts[f"a{facts.layers}.{unit}"]
    return [
        Slip(a * slope, "target", text("The target, {y}, is not yet subtracted.", y=written(y))),
        Slip(2 * (a - y) * slope, "one half", text("The 2 of the square and the ½ of the loss cancel.")),
    ]


def _hidden_slips(facts: Facts, layer: int, unit: int, slope: float) -> list[Slip]:
    above = facts.trace.layers[layer]
    delta, column = above.dz[0], above.W[:, unit - 1]
    name = layer_name(layer + 1, facts.layers)
    slips = [
        Slip(
            float(above.W_next[:, unit - 1] @ delta) * slope,
            "weights",
            text(
                "These are the weights into {name} after the update; the backward pass uses those from before it.",
                name=name,
            ),
        ),
        Slip(
            float(delta.sum()) * slope, "weights", text("Weigh each δ of {name} by its link to this unit.", name=name)
        ),
    ]
    back = messages(facts, layer, unit)
    if len(back) > len(delta):
        links = float(column @ delta) * slope
        slips.append(Slip(links, "shortcut", text("What comes back over the shortcut is to be added.")))
    if len(back) > 1:
        slips += [
            Slip(
                each * slope,
                f"path {k}",
                text("Only one path is counted; add up those through all units of {name}.", name=name),
            )
            for k, each in enumerate(back.tolist(), 1)
        ]
    if above.W.shape[0] == above.W.shape[1]:
        slips.append(
            Slip(
                float(above.W[unit - 1] @ delta) * slope,
                "weights",
                text("These weights lead into the other unit's place: take the column of W that leaves this unit."),
            )
        )
    return slips


def gradient_problem(facts: Facts, address: str) -> Problem:
    """dL/dW of a weight (delta times what the weight saw), or dL/db of a bias (delta)."""
    of = Quantity.parse(address)
    layer, unit, source = of.layer, of.unit, of.source
    gradient, delta = facts[f"d{address}"], facts[f"delta{layer}.{unit}"]
    if not source:
        bias = text("The bias itself is no factor: its input is always 1.")
        mistakes = [Slip(delta * facts[address], "bias", bias)]
        solution = text("A bias multiplies 1, so its gradient is δ itself: {delta}.", delta=written(delta))
        hint = text("A bias has an input that is always 1.")
    else:
        a = facts.given(layer - 1, source)
        mistakes = _factor_slips(delta, a, facts[f"a{layer}.{unit}"], facts[address])
        numbers = {"delta": written(delta), "a": written(a), "gradient": written(gradient)}
        solution = text("δ × a = {delta} × {a} = {gradient}.", **numbers)
        hint = text("It is the δ at the weight's end times the activation at its beginning.")
    mistakes.append(Slip(-gradient, "sign", text("The size is right, the sign is not. Check the sign of δ.")))
    return numeric(
        text("What is the gradient of {what}: ∂L/∂{name}?", what=_place(facts, address), name=name_of(address)),
        f"d{address}",
        gradient,
        solution,
        hint,
        mistakes,
    )


def _factor_slips(delta: float, a: float, after: float, weight: float) -> list[Slip]:
    """What else might be taken for the two factors of a weight's gradient."""
    only_delta = text("That is δ. Multiply by what the weight was given, {a}.", a=written(a))
    only_a = text("That is what the weight was given. Multiply by δ, {delta}.", delta=written(delta))
    at_end = text("Take the activation at the weight's beginning, not at its end.")
    return [
        Slip(delta, "activation", only_delta),
        Slip(a, "delta", only_a),
        Slip(delta * after, "activation", at_end),
        Slip(delta * weight, "weight", text("The weight itself is no factor of its own gradient.")),
    ]


def new_value_problem(facts: Facts, address: str, label: str | None = None) -> Problem:
    """A parameter after one step of gradient descent; `label` is what to call it."""
    of = Quantity.parse(address)
    layer, unit, source = of.layer, of.unit, of.source
    now, rate, gradient, new = facts[address], facts.rate, facts[f"d{address}"], facts.next(address)
    delta = facts[f"delta{layer}.{unit}"]
    mistakes = _step_slips(now, rate, gradient)
    if source and len(facts.trace.x) == 1:
        a = facts.given(layer - 1, source)
        no_a = text("The activation at its beginning, {a}, is missing.", a=written(a))
        no_delta = text("The δ at its end, {delta}, is missing.", delta=written(delta))
        mistakes += [
            Slip(now - rate * delta, "activation", no_a),
            Slip(now - rate * a, "delta", no_delta),
        ]
    step = abs(rate * gradient)
    return numeric(
        text("What is {what} after the step? Give four decimals.", what=label or _place(facts, address)),
        address,
        new,
        f"{written(now)} {'+' if gradient < 0 else '−'} {rate:g} × {written(abs(gradient))} = {written(new)}.",
        text("New = old − learning rate × gradient, and the gradient is δ × activation."),
        mistakes,
        max(0.05 * step, 6e-5),
        6e-5,
    )


def _step_slips(now: float, rate: float, gradient: float) -> list[Slip]:
    """What else might be taken for the old value minus rate × gradient."""
    change, value = rate * gradient, "old value"
    no_rate = text("The gradient is to be multiplied by the learning rate, {rate:g}.", rate=rate)
    size = text("That is the size of the step. Subtract it from the old value, {now}.", now=written(now))
    bare = text("That is the gradient. The new value is the old one minus rate × gradient.")
    return [
        Slip(now + change, "sign", text("The step goes against the slope: subtract it.")),
        Slip(now - gradient, "learning rate", no_rate),
        Slip(-change, value, text("That is the change. Add it to the old value, {now}.", now=written(now))),
        Slip(change, value, size),
        Slip(gradient, value, bare),
        Slip(now - change * now, value, text("The old value is what the step starts from, not a factor of it.")),
    ]


def direction_problem(facts: Facts, address: str, label: str | None = None, slope: str | None = None) -> Problem:
    """Which way the step moves a parameter; on one example or on a batch.

    `label` is what to call it; `slope` what its gradient is, for readers who have not met δ yet.
    """
    change = facts.change(address)
    truth = UP if change > 0 else DOWN if change < 0 else STAY
    what = text("it") if label else name_of(address)
    because = _gradient_in_words(facts, address, slope)
    against = text("{because} The step goes against the slope.", because=because)
    if truth == STAY:
        zero = (
            "zero factor",
            text("{because} A product with a zero in it is zero, whatever the rest.", because=because),
        )
        slips = {UP: zero, DOWN: zero}
    else:
        opposite = DOWN if truth == UP else UP
        slips = {
            opposite: ("sign", text("Look at the sign again. {against}", against=against)),
            STAY: ("size", text("{because} It is not zero, so {what} moves.", because=because, what=what)),
        }
    return Problem(
        text("Which way will the next step move {what}?", what=label or _place(facts, address)),
        address,
        truth,
        in_words("asked goes", change=change, because=because, what=what),
        text("The step goes against the slope."),
        options=(UP, DOWN, STAY),
        slips=slips,
    )


def _gradient_in_words(facts: Facts, address: str, slope: str | None) -> str:
    of = Quantity.parse(address)
    layer, unit, source = of.layer, of.unit, of.source
    gradient = facts[f"d{address}"]
    if slope:
        return in_words("asked slope", slope=slope, gradient=gradient)
    if of.letter not in ("W", "b") or not facts.is_plain(layer):
        return in_words("asked slope", slope=text("Its gradient"), gradient=gradient)
    if len(facts.trace.x) > 1:
        return in_words("asked mean of products" if source else "asked mean of δs", gradient=gradient)
    if not source:
        return in_words("asked delta", gradient=gradient)
    factors = {"delta": facts[f"delta{layer}.{unit}"], "a": facts.given(layer - 1, source)}
    return in_words("asked product", gradient=gradient, **factors)
