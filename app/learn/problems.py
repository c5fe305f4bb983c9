"""Questions about one step of backpropagation: the right answer is the engine's, and a wrong one is told which
factor of it to look at. Each kind of question is one function from facts to a `Problem`.
"""

from collections.abc import Sequence
from math import log10

import numpy as np

from app.learn.facts import Facts
from app.learn.judging import Mistake, Problem, numeric
from app.words.names import called, layer_name, name_of
from app.words.numbers import MINUS, fixed, unsigned
from engine import Quantity
from engine.probes import Nudge

UP, DOWN, STAY = "up", "down", "stay"
DIGITS = 4


def _n(value: float) -> str:
    return unsigned(value, DIGITS)


def _place(facts: Facts, address: str) -> str:
    """A parameter's name and where it sits: W₂,₁,₃ (from hidden 1, unit 3 to output, unit 1)."""
    of = Quantity.parse(address)
    layer, unit, source = of.layer, of.unit, of.source
    to = called(facts.state.spec, layer, unit)
    if not source:
        return f"{name_of(address)} (the bias of {to})"
    return f"{name_of(address)} (from {called(facts.state.spec, layer - 1, source)} to {to})"


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
    mistakes = [
        Mistake(
            z, "activation", f"That is z, the sum before the activation: {activation.title.lower()} still has to act."
        ),
        Mistake(out(z - b), "bias", f"Everything is there but the bias, {_n(b)}."),
        *(
            Mistake(out(z - w * x), f"input {s}", f"The product with input {s}, {_n(w)} × {_n(x)}, is missing.")
            for s, (w, x) in zip(sources, terms, strict=True)
        ),
    ]
    total = " + ".join([*(f"{_n(w)} × {_n(x)}" for w, x in terms), _n(b)]).replace(f"+ {MINUS}", f"{MINUS} ")
    return numeric(
        f"What comes out of {called(facts.state.spec, layer, unit)}: its activation a?",
        f"a{layer}.{unit}",
        a,
        f"z = {total} = {_n(z)}, and the activation makes {_n(a)} of it.",
        "First z, every weight times its input plus the bias; then the activation of z.",
        mistakes,
    )


def loss_problem(facts: Facts) -> Problem:
    """The squared error of one example."""
    residual = facts.trace.layers[-1].a[0] - facts.trace.y[0]
    loss = facts.loss
    mistakes = [
        Mistake(2 * loss, "one half", "This loss is half the sum of the squares; the half is missing."),
        Mistake(0.5 * float(np.abs(residual).sum()), "square", "The differences are to be squared."),
        Mistake(
            float(np.abs(residual).sum()), "square", "These are the differences; square them, then take half the sum."
        ),
        *(
            Mistake(0.5 * float(r * r), f"output {k}", f"Only output {k} is counted; add up all outputs.")
            for k, r in enumerate(residual, 1)
            if len(residual) > 1
        ),
    ]
    squares = " + ".join(f"({_n(float(r))})²" for r in residual)
    return numeric(
        "What is the loss of this example, half the sum of the squared differences?",
        "loss",
        loss,
        f"½ ({squares}) = {_n(loss)}.",
        "Take a − y for each output, square, add up, halve.",
        mistakes,
    )


def delta_problem(facts: Facts, layer: int, unit: int) -> Problem:
    """dL/dz of a unit: what comes back to it, times the slope of its activation."""
    name = f"{layer}.{unit}"
    delta, da, slope, z, a = (facts[f"{q}{name}"] for q in ("delta", "da", "slope", "z", "a"))
    mistakes = [
        Mistake(da, "slope", f"That is ∂L/∂a, what comes back. Multiply by the activation's slope, {_n(slope)}."),
        Mistake(slope, "dL/da", f"That is the slope of the activation alone. Multiply by what comes back, {_n(da)}."),
        Mistake(da * _slope_at_a_for_z(facts, layer, z), "slope", "The slope is a formula of a, not of z."),
        Mistake(da * a, "slope", "You multiplied by the activation; multiply by its slope."),
        *(_output_slips(facts, unit, slope) if layer == facts.layers else _hidden_slips(facts, layer, unit, slope)),
        Mistake(-delta, "sign", "The size is right, the sign is not: the difference is a − y, output minus target."),
    ]
    return numeric(
        f"What is δ, that is ∂L/∂z, of {called(facts.state.spec, layer, unit)}?",
        f"delta{name}",
        delta,
        f"∂L/∂a × slope = {_n(da)} × {_n(slope)} = {_n(delta)}.",
        "δ is what comes back to the unit, ∂L/∂a, times the slope of its activation.",
        mistakes,
    )


def _slope_at_a_for_z(facts: Facts, layer: int, z: float) -> float:
    name = facts.state.spec.network.activation_names[layer - 1]
    return {"sigmoid": z * (1 - z), "tanh": 1 - z * z}.get(name, 1.0)


def _output_slips(facts: Facts, unit: int, slope: float) -> list[Mistake]:
    y = float(facts.trace.y[0, unit - 1])
    a = facts[f"a{facts.layers}.{unit}"]
    return [
        Mistake(a * slope, "target", f"The target, {_n(y)}, is not yet subtracted."),
        Mistake(2 * (a - y) * slope, "one half", "The 2 of the square and the ½ of the loss cancel."),
    ]


def _hidden_slips(facts: Facts, layer: int, unit: int, slope: float) -> list[Mistake]:
    above = facts.trace.layers[layer]
    delta, column = above.dz[0], above.W[:, unit - 1]
    name = layer_name(layer + 1, facts.layers)
    slips = [
        Mistake(
            float(above.W_next[:, unit - 1] @ delta) * slope,
            "weights",
            f"These are the weights into {name} after the update; the backward pass uses those from before it.",
        ),
        Mistake(float(delta.sum()) * slope, "weights", f"Weigh each δ of {name} by its link to this unit."),
    ]
    if len(delta) > 1:
        slips += [
            Mistake(
                float(w * d) * slope,
                f"path {k}",
                f"Only one path is counted; add up those through all units of {name}.",
            )
            for k, (w, d) in enumerate(zip(column, delta, strict=True), 1)
        ]
    if above.W.shape[0] == above.W.shape[1]:
        slips.append(
            Mistake(
                float(above.W[unit - 1] @ delta) * slope,
                "weights",
                "These weights lead into the other unit's place: take the column of W that leaves this unit.",
            )
        )
    return slips


def gradient_problem(facts: Facts, address: str, label: str | None = None) -> Problem:
    """dL/dW of a weight (delta times what the weight saw), or dL/db of a bias (delta); `label` is what to call it."""
    of = Quantity.parse(address)
    layer, unit, source = of.layer, of.unit, of.source
    gradient, delta = facts[f"d{address}"], facts[f"delta{layer}.{unit}"]
    if not source:
        mistakes = [Mistake(delta * facts[address], "bias", "The bias itself is no factor: its input is always 1.")]
        solution = f"A bias multiplies 1, so its gradient is δ itself: {_n(delta)}."
        hint = "A bias has an input that is always 1."
    else:
        a_in, a_out = facts.given(layer - 1, source), facts[f"a{layer}.{unit}"]
        mistakes = [
            Mistake(delta, "activation", f"That is δ. Multiply by what the weight was given, {_n(a_in)}."),
            Mistake(a_in, "delta", f"That is what the weight was given. Multiply by δ, {_n(delta)}."),
            Mistake(delta * a_out, "activation", "Take the activation at the weight's beginning, not at its end."),
            Mistake(delta * facts[address], "weight", "The weight itself is no factor of its own gradient."),
        ]
        solution = f"δ × a = {_n(delta)} × {_n(a_in)} = {_n(gradient)}."
        hint = "It is the δ at the weight's end times the activation at its beginning."
    mistakes.append(Mistake(-gradient, "sign", "The size is right, the sign is not. Check the sign of δ."))
    return numeric(
        f"What is the gradient of {label or _place(facts, address)}: ∂L/∂{name_of(address)}?",
        f"d{address}",
        gradient,
        solution,
        hint,
        mistakes,
    )


def new_value_problem(facts: Facts, address: str, label: str | None = None) -> Problem:
    """A parameter after one step of gradient descent; `label` is what to call it."""
    of = Quantity.parse(address)
    layer, unit, source = of.layer, of.unit, of.source
    now, rate, gradient, new = facts[address], facts.rate, facts[f"d{address}"], facts.next(address)
    delta = facts[f"delta{layer}.{unit}"]
    mistakes = [
        Mistake(now + rate * gradient, "sign", "The step goes against the slope: subtract it."),
        Mistake(now - gradient, "learning rate", f"The gradient is to be multiplied by the learning rate, {rate:g}."),
        Mistake(-rate * gradient, "old value", f"That is the change. Add it to the old value, {_n(now)}."),
        Mistake(
            rate * gradient, "old value", f"That is the size of the step. Subtract it from the old value, {_n(now)}."
        ),
        Mistake(gradient, "old value", "That is the gradient. The new value is the old one minus rate × gradient."),
        Mistake(
            now - rate * gradient * now, "old value", "The old value is what the step starts from, not a factor of it."
        ),
    ]
    if source and len(facts.trace.x) == 1:
        a_in = facts[f"a{layer - 1}.{source}"]
        mistakes += [
            Mistake(now - rate * delta, "activation", f"The activation at its beginning, {_n(a_in)}, is missing."),
            Mistake(now - rate * a_in, "delta", f"The δ at its end, {_n(delta)}, is missing."),
        ]
    step = abs(rate * gradient)
    return numeric(
        f"What is {label or _place(facts, address)} after the step? Give four decimals.",
        address,
        new,
        f"{_n(now)} {'+' if gradient < 0 else '−'} {rate:g} × {_n(abs(gradient))} = {_n(new)}.",
        "New = old − learning rate × gradient, and the gradient is δ × activation.",
        mistakes,
        max(0.05 * step, 6e-5),
        6e-5,
    )


def direction_problem(facts: Facts, address: str, label: str | None = None, slope: str | None = None) -> Problem:
    """Which way the step moves a parameter; on one example or on a batch.

    `label` is what to call it; `slope` what its gradient is, for readers who have not met δ yet.
    """
    change = facts.change(address)
    truth = UP if change > 0 else DOWN if change < 0 else STAY
    what = "it" if label else name_of(address)
    because = _gradient_in_words(facts, address, slope)
    against = f"{because} The step goes against the slope."
    if truth == STAY:
        zero = ("zero factor", f"{because} A product with a zero in it is zero, whatever the rest.")
        slips = {UP: zero, DOWN: zero}
    else:
        opposite = DOWN if truth == UP else UP
        slips = {
            opposite: ("sign", f"Look at the sign again. {against}"),
            STAY: ("size", f"{because} It is not zero, so {what} moves."),
        }
    return Problem(
        f"Which way will the next step move {label or _place(facts, address)}?",
        address,
        truth,
        f"{against} So {what} goes {truth}." if truth != STAY else f"{because} So {what} stays where it is.",
        "The step goes against the slope.",
        options=(UP, DOWN, STAY),
        slips=slips,
    )


def _gradient_in_words(facts: Facts, address: str, slope: str | None) -> str:
    of = Quantity.parse(address)
    layer, unit, source = of.layer, of.unit, of.source
    gradient = facts[f"d{address}"]
    sign = "zero" if gradient == 0 else "negative" if gradient < 0 else "positive"
    if slope:
        return f"{slope} is {_n(gradient)}: {sign}."
    if len(facts.trace.x) > 1:
        product = "δ × activation" if source else "δ"
        return f"The mean of {product} over the examples is {_n(gradient)}: {sign}."
    delta = facts[f"delta{layer}.{unit}"]
    if not source:
        return f"The gradient of a bias is δ, {_n(delta)}: {sign}."
    return f"δ × activation is {_n(delta)} × {_n(facts[f'a{layer - 1}.{source}'])}: {sign}."


# Problems that a lesson poses with numbers of its own


def choice_problem(
    prompt: str, truth: str, solution: str, slips: dict[str, str], factors: dict[str, str] | None = None
) -> Problem:
    """One of several; `slips` says of each wrong option what to look at, `factors` names it where it has a name."""
    told = {option: ((factors or {}).get(option, "choice"), sentence) for option, sentence in slips.items()}
    if truth in told or not told:
        raise ValueError(f"the truth {truth!r} needs other options beside it, and no slip of its own")
    options = tuple(sorted((truth, *told)))
    return Problem(prompt, "choice", truth, solution, "", options=options, slips=told)


def number_problem(
    prompt: str,
    truth: float,
    solution: str,
    hint: str,
    slips: dict[str, tuple[float, str]],
    within: float | None = None,
) -> Problem:
    """A number; `slips` gives for a factor the number that comes of missing it, and what to say."""
    mistakes = [Mistake(float(value), factor, sentence) for factor, (value, sentence) in slips.items()]
    return numeric(prompt, "number", truth, solution, hint, mistakes, within, within and within / 100)


def better_problem(prompt: str, before: float, after: float, hint: str = "Try it, and watch the loss.") -> Problem:
    """Whether a loss gets better or worse; `hint` is what to look at after a wrong guess."""
    truth = "better" if after < before else "worse" if after > before else "the same"
    solution = f"The loss goes from {_n(before)} to {_n(after)}: {truth}."
    others = {"better", "worse", "the same"} - {truth}
    return choice_problem(prompt, truth, solution, dict.fromkeys(sorted(others), f"It starts at {_n(before)}. {hint}"))


def largest_problem(prompt: str, sizes: dict[str, float], what: str = "size") -> Problem:
    """Which of several quantities is the largest in absolute value."""
    ranked = sorted(sizes, key=lambda name: -abs(sizes[name]))
    first, second = ranked[:2]
    solution = f"{first}: {_n(abs(sizes[first]))}, then {second}: {_n(abs(sizes[second]))}."
    slips = {name: f"{name}: {what} {_n(abs(sizes[name]))}. There is a larger one." for name in ranked[1:]}
    return choice_problem(prompt, first, solution, slips, dict.fromkeys(slips, what))


def evenest_problem(prompt: str, left: dict[str, float]) -> Problem:
    """With which of several starts the first hidden layer's message is nearest in size to the last one's; `left` has
    first ÷ last of each.
    """
    best = min(left, key=lambda name: abs(log10(left[name])))
    others = {name: fixed(value, 2) for name, value in left.items() if name != best}
    listed = ", ".join(f"{name} {value}" for name, value in others.items())
    way = {name: "fades" if left[name] < 1 else "grows" for name in others}
    return choice_problem(
        prompt,
        best,
        f"First ÷ last is {fixed(left[best], 2)}, the nearest to 1. The others: {listed}.",
        {name: f"The message {way[name]} on the way back: first ÷ last is {value}." for name, value in others.items()},
    )


def nearest_problem(prompt: str, rows: Sequence[Nudge], names: dict[float, str]) -> Problem:
    """Which of several nudges tells the slope best; `names` says how each amount is written."""
    best = min(rows, key=lambda row: abs(row.difference))
    why = {True: "Such a long step leaves the spot.", False: "So small a change is lost in rounding."}
    return choice_problem(
        prompt,
        names[best.amount],
        f"It is off by {fixed(abs(best.difference), 2)}. A larger nudge leaves the spot where the slope is wanted; a "
        "much smaller one drowns in rounding, for a computer keeps about 16 digits.",
        {
            names[row.amount]: f"It is off by {fixed(abs(row.difference), 2)}. {why[row.amount > best.amount]}"
            for row in rows
            if row is not best
        },
    )
