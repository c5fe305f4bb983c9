"""What is said has the sign and the count of what it is said about: every sentence, by numbers that are not its own."""

import re
from collections import Counter
from dataclasses import replace
from itertools import chain

import numpy as np
import pytest
from drawn import EITHER
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from test_equations import PAIRS, spec_of

from app.explain.moments import GRAINS, Moment
from app.explain.receipts import receipt
from app.explain.walkthrough import walkthrough
from app.explain.why import why_of
from app.words.advice import ADVICE
from app.words.asked import ASKED
from app.words.graph import GRAPH
from app.words.messages import Message
from app.words.segments import text_of
from app.words.sentences import MESSAGES
from app.words.texts import speaking
from engine import OPTIMIZERS, Trace, advance, apply, start, trace
from engine.along import again
from engine.receipts import parameter_receipt

DIRECTION = re.compile(
    r"\b(?<!adds )(?<!add )"
    r"(up|down|rise|fall|larger|smaller|higher|lower|positive|negative|towards|away from|pushes|falls)\b"
)

EITHER_WAY = re.compile(DIRECTION.pattern + r"|\b(better|worse|below|above)\b")


def changes(step: Trace, moment: Moment) -> np.ndarray:
    """How far the step moves the parameters that a moment of the update speaks of."""
    layers = [step.layers[moment.layer - 1]] if moment.layer else step.layers
    if not moment.units:
        return np.concatenate([(layer.W_next - layer.W).ravel() for layer in layers])
    j = moment.units[0] - 1
    own = np.append(layers[0].W_next[j] - layers[0].W[j], layers[0].b_next[j] - layers[0].b[j])
    if (norm := layers[0].norm) is None:
        return own
    return np.append(own, (norm.gamma_next[j] - norm.gamma[j], norm.beta_next[j] - norm.beta[j]))


def truths(step: Trace, moment: Moment) -> dict[str, bool]:
    """Everything with a direction that a moment could say, and whether it is so."""
    k, one = moment.layer, len(step.examples) == 1
    layer, j = step.layers[max(k, 1) - 1], moment.units[0] - 1 if moment.units else None
    found: dict[str, bool] = {}
    if (moment.kind in ("delta", "dz", "three_ways") or (moment.kind == "dW" and one)) and j is not None:
        wishes = layer.dz[:, j] if moment.kind != "dW" else layer.dz[:1, j]
        wish = float(wishes.sum()) if abs(wishes.sum()) > 1e-12 * abs(wishes).sum() else 0.0  # rounding asks nothing
        found |= {"to go up:": wish < 0, "to go down:": wish > 0, "asks nothing of": wish == 0}
    if moment.kind == "da" and one and j is not None:
        da = float(layer.da[0, j])
        found |= {"would rise": da > 0, "would fall": da < 0, "does not change with": da == 0}
    if moment.kind == "dW":
        gradient = float(layer.dW[j, moment.targets[0].source - 1])
        found |= {"loss larger": gradient > 0, "loss smaller": gradient < 0, "no change of this weight": gradient == 0}
    last = k == len(step.layers) and len(step.y[0]) == 1 and not step.spec.network.joined
    if moment.kind == "delta" and j is not None and one and last and np.isfinite(layer.da[0, 0]):
        da = float(layer.da[0, 0])
        found |= {"rose a little, the loss would rise": da > 0, "rose a little, the loss would fall": da < 0}
    if moment.kind == "gradient" and one and j is not None:
        most = float(layer.dW[j][abs(layer.dW[j]).argmax()])
        found |= {"more of it makes the loss larger": most > 0, "more of it makes the loss smaller": most < 0}
    if moment.kind == "bias":
        bias = float(layer.b[j])
        found |= {"pushes the sum up": bias > 0, "pushes the sum down": bias < 0, "changes nothing": bias == 0}
    if moment.kind in ("update_weight", "update_bias", "update_gain", "update_shift"):
        found |= update_truths(step, str(moment.targets[0]))
    if moment.kind == "penalty_gradient":
        weight, pull = moment.values["W"], moment.values["dW_penalty"]
        found |= {"towards 0": weight * pull > 0, "away from 0": weight * pull < 0, "adds nothing": weight * pull == 0}
    if moment.kind == "again":
        found |= again_truths(step)
    return found


def again_truths(step: Trace) -> dict[str, bool]:
    """What may be said of the one output of one example, run again with the new parameters."""
    y = step.y[0]
    wanted = int(y.argmax()) if step.spec.task == "multiclass" and np.count_nonzero(y == y.max()) == 1 else None
    told = len(step.examples) == 1 and (len(y) == 1 or wanted is not None)
    was, now = (each.layers[-1].a[0, wanted or 0] for each in (step, again(step)))
    nearer = abs(was - y[wanted or 0]) - abs(now - y[wanted or 0])
    return {
        "towards its target": told and nearer > 0,
        "away from its target": told and nearer < 0,
        "stays at": told and not nearer > 0 and not nearer < 0,
    }


def update_truths(step: Trace, address: str) -> dict[str, bool]:
    """What may be said of one parameter's step."""
    told = parameter_receipt(step, address)
    change, tried = told.next - told.now, OPTIMIZERS[step.spec.optimizer].search is not None
    free = not told.frozen
    against = told.gradient and (change > 0) == (told.gradient > 0) and change != 0
    rule = free and not tried
    return {
        "goes up to": rule and change > 0,
        "goes down to": rule and change < 0,
        "stays as it is": rule and change == 0,
        "Its gradient alone would push the other way": bool(rule and len(told.parts) > 1 and against),
        "up: the loss became smaller": free and tried and change > 0,
        "down: the loss became smaller": free and tried and change < 0,
        "neither made the loss smaller": free and tried and change == 0,
        "is frozen": told.frozen,
    }


def counted(words: str, one: str, many: str) -> int:
    """How many a sentence counts: "2 go up", "1 goes up"; 0 where it does not say."""
    match = re.search(rf"\b(\d+) (?:{one}|{many})\b", words)
    assert match is None or (match[0] == f"{match[1]} {one}") == (match[1] == "1"), words
    return int(match[1]) if match else 0


def check_why(step: Trace, moment: Moment) -> None:
    """Why a step goes where it goes: against the gradient that is named, and there the weight really goes."""
    found = why_of(walkthrough(step, "operation").scene, moment)
    why = next((each for each in found if each.sentence.message == "why step"), None)
    if why is None:
        return
    layer, j = step.layers[moment.layer - 1], moment.units[0] - 1
    i = int(abs(layer.dW[j]).argmax())
    moved, words = layer.W_next[j, i] - layer.W[j, i], text_of(why.words)
    assert ("makes the loss larger, so the weight goes down" in words) == (layer.dW[j, i] > 0 > moved), words
    assert ("makes the loss smaller, so the weight goes up" in words) == (layer.dW[j, i] < 0 < moved), words


def check(step: Trace, moment: Moment) -> Counter[str]:
    """Hold a moment's words against the trace; what they said of directions."""
    words, said = text_of(moment.words), Counter[str]()
    for claim, is_so in truths(step, moment).items():
        assert (claim in words) == bool(is_so), (claim, words)
        said[claim] += claim in words
    if moment.kind == "update" and len(step.examples) == 1:
        check_why(step, moment)
    if moment.kind == "update":
        moved = changes(step, moment)
        assert counted(words, "goes up", "go up") == (moved > 0).sum(), words
        assert counted(words, "goes down", "go down") == (moved < 0).sum(), words
        assert counted(words, "stays", "stay") == (moved == 0).sum(), words
        said["ways"] += 1
    if moment.kind == "da" and len(step.examples) > 1 and moment.units:
        da = step.layers[moment.layer - 1].da[:, moment.units[0] - 1]
        higher, lower = re.search(r"(\d+) of \d+ examples wants? it higher, (\d+) wants? it lower", words).groups()
        assert (int(higher), int(lower)) == ((da < 0).sum(), (da > 0).sum())
        said["tendency"] += 1
    if moment.kind == "delta" and not moment.units:
        totals = step.layers[moment.layer - 1].dz.sum(axis=0)
        for way, count in (("up", (totals < 0).sum()), ("down", (totals > 0).sum())):
            match = re.search(rf"(\d+) units? to go {way}", words)
            assert (int(match[1]) if match else 0) == count, words
        said["split"] += 1
    if moment.kind == "activation" and len(step.examples) == 1 and moment.units and "fire" in words:
        assert ("It fires" in words) == (step.layers[moment.layer - 1].bent[0, moment.units[0] - 1] > 0)
    return said


@settings(max_examples=60, deadline=None)
@given(EITHER, st.sampled_from(GRAINS))
def test_what_a_moment_says_is_so(step: Trace, grain: str) -> None:
    """Random networks, batches and settings, at every grain."""
    for moment in walkthrough(step, grain):
        check(step, moment)


def test_every_direction_is_said_and_is_so() -> None:
    """Over all pairs of loss and output, optimizers and penalties, everything that can be said comes up.

    At every grain, by turns of a batch and of one example.
    """
    said = Counter[str]()
    for n, (output, loss) in enumerate(PAIRS):
        state = advance(start(spec_of(output, loss, n)), 2).state
        for turn, grain in enumerate(("operation", "unit", "layer"), n):
            step = trace(state, (None, 3)[turn % 2])
            for moment in walkthrough(step, grain):
                said += check(step, moment)
    held = replace(spec_of("tanh", "squared_error", 11), frozen=("W1.1.1",))  # by momentum
    state = advance(start(held), 6).state
    zero = apply(apply(state, "W2.1.1", 0.0), "b1.1", 0.0)
    for step in (trace(state), trace(state, 3), trace(zero, 3), trace(zero)):
        for moment in walkthrough(step, "operation"):
            said += check(step, moment)
    never = {"away from 0"}  # the penalties that are there all pull towards 0
    moments = list(walkthrough(trace(state, 3), "operation"))
    possible = {claim for moment in moments for claim in truths(trace(state, 3), moment)}
    assert not [claim for claim in possible - never if not said[claim]]


@settings(max_examples=20, deadline=None)
@given(EITHER)
def test_what_a_receipt_says_is_so(step: Trace) -> None:
    """A receipt's words are the walkthrough's, so its step is held, too; one past all numbers goes no way."""
    assume(np.isfinite(step.loss))
    for address in step.spec.network.addresses():
        words = text_of(receipt(step, address).words)
        for claim, is_so in update_truths(step, address).items():
            assert (claim in words) == bool(is_so), (claim, words)


@pytest.mark.parametrize("name", [name for name, message in MESSAGES.items() if message.up])
def test_forms_by_sign_differ_in_their_directions_alone(name: str) -> None:
    """One sentence, said of numbers above zero and below; and one of its own for zero."""
    message = MESSAGES[name]
    assert message.none
    if name != "fires":
        assert message.up != message.down
        assert EITHER_WAY.sub("", message.up) == EITHER_WAY.sub("", message.down)


@pytest.mark.parametrize("name", MESSAGES)
def test_a_message_has_forms_for_one_choice(name: str) -> None:
    """Either one form, or forms by sign, or by count; a direction in any other message is a fixed fact."""
    message = MESSAGES[name]
    kinds = (bool(message.any), bool(message.none or message.up or message.down), bool(message.one or message.many))
    assert sum(kinds) == 1
    assert bool(message.by) == (not message.any)
    if message.many:  # several are counted, one is not taken for several
        told = f"{{{message.by}" in message.many.lower() and "only" not in message.many
        assert told or message.many == message.one.replace("} gives ", "} give "), name
    fixed = {
        "class comes in", "penalty and loss", "want higher", "want lower", "units up", "units down", "go up", "go down",
        "update by trial", "update by trial with a norm", "tendency", "ways",
    }  # fmt: skip
    if name not in fixed and name not in ADVICE and not message.up:  # what to try is no claim about a number
        assert not any(DIRECTION.search(form) for form in message.forms), name


def test_swapped_forms_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each message by sign with its two forms swapped makes some sentence false."""
    steps = []
    for n, rule, penalty in (
        (3, "momentum", "l1"),
        (6, "sgd", "l1"),
        (7, "trial_and_error", "l2"),
        (11, "momentum", "none"),
        (14, "sgd", "none"),
    ):  # by name, so that a new entry of a table changes none of them
        spec = spec_of("tanh", "squared_error", n).with_changes(optimizer=rule, regularization=penalty)
        state = advance(start(spec), 4).state
        steps += [trace(state), trace(state, 3)]
    survived = []
    elsewhere = {"fires", "chip asks", *GRAPH, *ASKED}
    for name in [name for name, each in MESSAGES.items() if each.up and each.down and name not in elsewhere]:
        message = MESSAGES[name]
        swapped: Message = replace(message, up=message.down, down=message.up)
        with monkeypatch.context() as patched:
            patched.setitem(MESSAGES, name, swapped)
            try:
                for step in steps:
                    for moment in chain(walkthrough(step, "operation"), walkthrough(step, "unit")):
                        check(step, moment)
                survived.append(name)
            except AssertionError:
                pass
    assert not survived


def test_what_a_rule_does_is_a_message_of_its_own() -> None:
    """In the update it is told whole, whatever marks a translation has, and nothing is cut out of a longer text."""
    step = trace(start(spec_of("tanh", "squared_error").with_changes(optimizer="adam")))
    own = {OPTIMIZERS["adam"].how: "Schwung (m) durch √v. Mehr nicht"}
    with speaking(lambda message: own.get(message, message)):
        told = [text_of(moment.words) for moment in walkthrough(step, "unit") if moment.phase == "update"]
    assert any("Adam: schwung (m) durch √v. Mehr nicht." in each for each in told)
    assert not any("Kingma" in each for each in told)
    assert OPTIMIZERS["adam"].sentence == f"{OPTIMIZERS['adam'].how} (Kingma and Ba, 2014)."
