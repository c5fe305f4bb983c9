"""Questions to a class that are made from a live step: a kind is one function from `Facts` to a `ClassQuestion`."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.failures import BadQuestion
from app.learn.deltas import delta_of, factors_problem, ways_problem
from app.learn.facts import Facts
from app.learn.posing import choice_problem, largest_problem
from app.learn.problems import DOWN, STAY, UP, delta_problem, direction_problem
from app.room.polls import OWN, ClassQuestion, question_from
from app.words.names import layer_name, name_of, own_name
from app.words.numbers import signed, unsigned
from app.words.segments import text_of
from app.words.sentences import Sentence, in_words, said, sentence
from app.words.texts import text
from engine import FEATURES, Quantity
from engine.arrays import Floats
from engine.session import frozen_mask
from engine.wording import Words

LARGEST_OF = 4
PATHS = 2


def direction(facts: Facts, address: str) -> ClassQuestion:
    """Which way the next step moves a parameter: the step that training takes, on its mini-batch.

    Who reasons from the numbers on screen is right: without an address it is about a weight whose numbers point its
    way, and a weight of which they point the other way is asked about on one example; where none has a step of its
    own, it is said what the numbers are.
    """
    facts = facts.on(None)
    network = facts.state.spec.network
    address = plainest(facts) if address[:1] in ("", "a") else network.address(network.locate(address))
    _check_moves(facts, address)
    misleads = _misleads(facts, address)
    if misleads and not network.mixes_examples:
        return _alone(facts, address)
    given = _means(facts) if misleads else ""
    return _moved(facts, address, _which_way(facts, address), text_of(said(_why(facts, address))), given=given)


def _means(facts: Facts) -> str:
    return text("a is the mean of {count} examples, δ their sum", count=len(facts.trace.examples))


def _check_moves(facts: Facts, address: str) -> None:
    """BadQuestion of a bias whose gradient is nothing but rounding."""
    of = Quantity.parse(address)
    if of.letter == "b" and facts.state.spec.network.norms.get(of.layer) == "batch_norm":
        allowed = "another parameter: batch_norm takes the mean away, and this bias with it, so its gradient is 0"
        raise BadQuestion("address", address, allowed)


def _which_way(facts: Facts, address: str) -> str:
    of, name = Quantity.parse(address), name_of(address)
    if of.letter == "gamma":
        return text("Which way will the scale {name} of the glowing unit move?", name=name)
    if of.letter == "beta":
        return text("Which way will the shift {name} of the glowing unit move?", name=name)
    if of.letter == "b":
        return text("Which way will the glowing bias {name} move?", name=name)
    if len(of.index) == 4:
        return text("Which way will {name}, a weight of the glowing kernel, move?", name=name)
    if facts.is_plain(of.layer):
        return text("Which way will the glowing weight {name} move?", name=name)
    return text("Which way will the weight {name} move, from a place of a feature map?", name=name)


def _moved(facts: Facts, address: str, prompt: str, solution: str, **more: Any) -> ClassQuestion:
    return question_from(
        direction_problem(facts, address),
        prompt=prompt,
        sentence=solution,
        **{"address": address, "steps": True, **more},
    )


def _alone(facts: Facts, address: str) -> ClassQuestion:
    """The same on the example of the mini-batch that says most, whose own numbers are on screen then."""
    of = Quantity.parse(address)
    products = _below(facts, of.layer)[:, of.source - 1] * facts.trace.layers[of.layer - 1].dz[:, of.unit - 1]
    facts = facts.on(int(facts.trace.examples[int(np.abs(products).argmax())]))
    prompt = text(
        "On example {example} alone, which way would the step move the glowing weight {name}?",
        example=facts.example,
        name=name_of(address),
    )
    return _moved(facts, address, prompt, text_of(said(_why(facts, address))), steps=False, example=facts.example)


def trap(facts: Facts, address: str = "") -> ClassQuestion:
    """Which way a weight moves whose numbers on screen, a mean and a sum, point the other way: the one of the address,
    if it is such a weight, else the liveliest of them."""
    facts = facts.on(None)
    moves = _moves(facts)
    misled = _ranked(facts, (moves == -np.sign(_flat(facts, "dW"))) & (moves == -_pointings(facts)) & (moves != 0))
    if not misled:
        raise BadQuestion("kind", "trap", "another question: at every weight here the numbers on screen point its way")
    address = address if address in misled else misled[0]
    solution = in_words("asked misled", change=facts.change(address), why=_why(facts, address))
    return _moved(facts, address, _which_way(facts, address), solution, given=_means(facts))


def _why(facts: Facts, address: str) -> Sentence:
    """What the gradient is and where it takes the parameter; or what keeps it from going there."""
    gradient, now, after = facts[f"d{address}"], facts[address], facts.next(address)
    batch = facts.example is None
    mean = sentence("asked mean" if batch else "asked of one", product=_summed(facts, address), gradient=gradient)
    first, then = _told_apart(signed, now, after)
    moves = sentence("asked step" if batch else "asked step of one", change=after - now, now=first, after=then)
    told = "asked so"
    if np.sign(after - now) != -np.sign(gradient):
        frozen = frozen_mask(facts.state.spec)[facts.state.spec.network.locate(address)]
        told = "asked frozen" if frozen else "asked otherwise"
    return sentence(told, mean=mean, moves=moves, optimizer=facts.state.spec.optimizer)


_PRODUCTS: dict[str, Words] = {"W": "delta × a", "b": "delta", "gamma": "∂L/∂n × x̂", "beta": "∂L/∂n"}


def _summed(facts: Facts, address: str) -> str:
    """What the gradient of a parameter is the sum or the mean of."""
    of = Quantity.parse(address)
    product = text(_PRODUCTS[of.letter])
    maps = facts.state.spec.network.image(of.layer)
    return text("{product}, summed over its places", product=product) if maps else product


def _told_apart(spell: Callable[[float, int], str], now: float, after: float) -> tuple[str, str]:
    """Two numbers, with so many digits that they are not the same to read."""
    digits = next((d for d in range(4, 12) if spell(now, d) != spell(after, d)), 12)
    return spell(now, digits), spell(after, digits)


def loss_goes(facts: Facts, address: str = "") -> ClassQuestion:
    """Whether the loss over the whole training set goes down with the next step."""
    now, after = facts.metrics["train"].loss, facts.after().metrics["train"].loss
    truth = DOWN if after < now else UP if after > now else STAY
    first, then = _told_apart(unsigned, now, after)
    problem = choice_problem(
        text("Which way will the training loss go with the next step?"),
        truth,
        in_words("asked loss", change=after - now, now=first, after=then),
        dict.fromkeys(sorted({DOWN, UP, STAY} - {truth}), ""),
    )
    return question_from(problem, options=(DOWN, UP, STAY), steps=True)


def largest_gradient(facts: Facts, address: str = "") -> ClassQuestion:
    """Which of a few weights has the largest gradient: the largest of all, and others spread over the sizes below.

    None of the others is as large to four digits: of equals, nobody could say which is meant.
    """
    facts = facts.on(None)
    top, *others = _ranked(facts)
    ranked = [top, *(a for a in others if abs(facts[f"d{a}"]) < 0.999 * abs(facts[f"d{top}"]))]
    if len(ranked) < 2:
        raise BadQuestion("kind", "largest", "another question: no weight here has a gradient larger than all others")
    places = sorted({round(i * (len(ranked) - 1) / (LARGEST_OF - 1)) for i in range(LARGEST_OF)})
    chosen = sorted(ranked[i] for i in places)
    problem = largest_problem(text("Which weight has the largest gradient?"), {a: facts[f"d{a}"] for a in chosen})
    labels = tuple(_where(facts, a) for a in chosen)
    first, second = sorted(chosen, key=lambda a: -abs(facts[f"d{a}"]))[:2]
    told = text(
        "The gradient of {first} is {largest}, that of {second} is {next}.",
        first=name_of(first),
        largest=signed(facts[f"d{first}"]),
        second=name_of(second),
        next=signed(facts[f"d{second}"]),
    )
    return question_from(problem, labels=labels, sentence=told)


def delta(facts: Facts, address: str) -> ClassQuestion:
    """What delta of a unit is: a number. Of a feature map it is asked at one place, behind a normalization as the sum
    of three ways back; of a mini-batch on its first example, or where neighbours share in it, where it is largest."""
    layer, unit = _unit_of(facts, address)
    network, own = facts.state.spec.network, f"a{layer}.{unit}"
    network.locate(f"b{layer}.{unit}")  # or there is no such unit
    image = network.image(layer) or (layer < facts.layers and network.image(layer + 1))
    if facts.example is None:
        sizes = np.abs(facts.trace.layers[layer - 1].dz[:, unit - 1]).reshape(len(facts.trace.examples), -1)
        most = int(sizes.max(axis=1).argmax()) if image or layer in network.norms else 0
        facts = facts.on(int(facts.trace.examples[most]))
    assert facts.example is not None
    if image or layer in network.norms:
        posed = ways_problem if layer in network.norms else factors_problem
        problem, given = posed(facts, delta_of(facts, layer, unit), facts.example)
        return question_from(problem, given=given, address=own, sentence=problem.solution, example=facts.example)
    problem, given = delta_problem(facts, layer, unit, facts.example), _given(facts, layer, unit)
    told = problem.solution
    if network.activations[layer - 1].product is not None:  # softmax: no unit has a slope of its own
        told = text(
            "Each output of softmax depends on every z; together they give delta = {delta}.",
            delta=signed(float(problem.truth)),
        )
    return question_from(problem, given=given, address=own, sentence=told, example=facts.example)


def _given(facts: Facts, layer: int, unit: int) -> str:
    """What delta of a unit is worked out from: what is above it, and its slope."""
    activation = facts.state.spec.network.activations[layer - 1]
    own = text("slope = {slope}", slope=unsigned(facts[f"slope{layer}.{unit}"]))
    if layer == facts.layers:
        target = float(facts.trace.y[0, unit - 1])
        told = text("a = {a}, target = {target}", a=signed(facts[f"a{layer}.{unit}"]), target=signed(target))
        return told if activation.product is not None or facts.state.spec.network.joined else f"{told}, {own}"
    above = range(1, facts.state.spec.network.sizes[layer + 1] + 1)
    if activation.product is not None:
        return ""
    network = facts.state.spec.network
    if len(above) > PATHS or network.arcs(layer) or network.attached(layer):  # one more path, or one more factor
        return f"∂L/∂a = {signed(facts[f'da{layer}.{unit}'])}, {own}"
    paths = (
        f"{name_of(f'W{layer + 1}.{j}.{unit}')} = {signed(facts[f'W{layer + 1}.{j}.{unit}'])}, "
        f"{name_of(f'dz{layer + 1}.{j}')} = {signed(facts[f'dz{layer + 1}.{j}'])}"
        for j in above
    )
    return ", ".join((*paths, own))


def _unit_of(facts: Facts, address: str) -> tuple[int, int]:
    """The unit an address names, or that a weight leads to; the first output where it names none with a delta."""
    if address:
        of = Quantity.parse(address)
        if of.layer:
            return of.layer, of.unit
    return facts.layers, 1


def _flat(facts: Facts, name: str) -> Floats:
    """A quantity of all weights in one row, in the order of `_ranked`: dW, W or W_next."""
    return np.concatenate([getattr(layer, name).ravel() for layer in facts.trace.layers])


def _below(facts: Facts, layer: int) -> Floats:
    """What comes into a layer, (examples, inputs)."""
    return facts.trace.inputs_of(layer - 1)


def _moves(facts: Facts) -> Floats:
    """Which way the step takes each weight: +1, -1 or 0."""
    return np.sign(_flat(facts, "W_next") - _flat(facts, "W"))


def _pointings(facts: Facts) -> Floats:
    """Which way the numbers on screen at the ends of each weight say it goes: against mean a × sum of δ."""
    found = []
    for k, layer in enumerate(facts.trace.layers, 1):  # where there are maps at its ends, no two numbers say it
        plain = facts.is_plain(k)
        told = np.outer(layer.db, _below(facts, k).mean(axis=0)).ravel() if plain else np.zeros(layer.W.size)
        found.append(-np.sign(told))
    return np.concatenate(found)


def _misleads(facts: Facts, address: str) -> bool:
    """Whether these numbers say the opposite of the gradient of one weight."""
    gradient = facts[f"d{address}"]
    of = Quantity.parse(address)
    if of.letter != "W" or not facts.is_plain(of.layer):
        return False
    a, delta = _below(facts, of.layer)[:, of.source - 1].mean(), facts.trace.layers[of.layer - 1].db[of.unit - 1]
    return bool(gradient * a * delta < 0)


def _ranked(facts: Facts, which: NDArray[np.bool_] | None = None) -> list[str]:
    """All weights, or those chosen, the largest gradient first; those that meet feature maps where there are no
    others."""
    weights = enumerate((layer.W for layer in facts.trace.layers), 1)
    where = [Quantity("W", k, tuple(n + 1 for n in at)) for k, W in weights for at in np.ndindex(*W.shape)]
    sizes = np.abs(_flat(facts, "dW"))
    assert len(where) == int(facts.state.spec.network.is_weight.sum())
    order = np.argsort(-sizes, kind="stable")
    chosen = order if which is None else order[which[order]]
    ranked = [where[n] for n in chosen.tolist()]
    return [str(of) for of in [of for of in ranked if facts.is_plain(of.layer)] or ranked]


def plainest(facts: Facts) -> str:
    """The weight with the largest gradient among those that go where the numbers on screen at their ends point; of all,
    if there is none."""
    moves = _moves(facts)
    return [*_ranked(facts, (_pointings(facts) == moves) & (moves != 0)), *_ranked(facts)][0]


def _where(facts: Facts, address: str) -> str:
    """A weight's name, and the two units that it joins: W₂,₁,₂: hidden 1.2 → hidden 2.1."""
    of = Quantity.parse(address)
    ends = _short_unit(facts, of.layer - 1, of.source), _short_unit(facts, of.layer, of.unit)
    return f"{name_of(of)}: {' → '.join(ends)}"


def _short_unit(facts: Facts, layer: int, unit: int) -> str:
    """x₁, hidden 1.2, or the output if there is but one."""
    spec = facts.state.spec
    if own := own_name(spec, layer, unit):
        return own
    if layer == 0:
        return FEATURES[spec.features[unit - 1]].title if spec.features else text("input {unit}", unit=unit)
    name = layer_name(layer, facts.layers)
    return name if spec.network.sizes[layer] == 1 else f"{name}.{unit}"


KINDS: dict[str, tuple[Words, Callable[[Facts, str], ClassQuestion]]] = {
    "direction": ("Which way will this weight move?", direction),
    "trap": ("Which way, where mean a and δ mislead?", trap),
    "loss": ("Will the loss go down?", loss_goes),
    "largest": ("Which weight has the largest gradient?", largest_gradient),
    "delta": ("What is delta of this unit?", delta),
}


def make(facts: Facts, kind: str, address: str = "") -> ClassQuestion:
    """A question of one of the `KINDS` about a step; BadQuestion if it cannot be asked of this network."""
    if kind not in KINDS:
        raise BadQuestion("kind", kind, "one of {names}", names=", ".join((*KINDS, OWN)))
    if facts.state.divergence is not None:
        raise BadQuestion("kind", kind, "asked of a run that has not diverged; go back a step or reset it")
    try:
        question = KINDS[kind][1](facts, address)
        if question.steps and facts.after().step == facts.step:
            raise BadQuestion("kind", kind, "asked at another step: with the next one this run diverges")
    except BadQuestion:
        raise
    except ValueError as error:
        raise BadQuestion("address", address, "one of this network: {error}", error=error) from None
    return replace(question, kind=kind, step=facts.step)
