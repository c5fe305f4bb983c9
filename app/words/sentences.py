"""Sentences as values, and the one place where they turn into words.

A `Sentence` is the name of a message and its named parts: numbers, counts and names. MESSAGES has whole sentences, and
which of them is said goes by the sign of a number or by a count: up and down, rise and fall, one and many are chosen
here and nowhere else. `{unit}` puts in a part, `{Unit}` the same with a capital, `{z:forward}` a number in the colour
of its role; words in [brackets] have the message's own colour. A language more would be one table more.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from string import Formatter
from typing import Union

from app.words.advice import ADVICE
from app.words.again import AGAIN
from app.words.asked import ASKED
from app.words.batch import BATCH
from app.words.formulas import Role
from app.words.graph import GRAPH
from app.words.maps import MAPS
from app.words.messages import Message
from app.words.norms import NORMS
from app.words.numbers import MINUS, short, signed, target, unsigned
from app.words.reasons import REASONS
from app.words.segments import Segment, Segments, by_sign, joined, merged, text_of

Part = Union[str, int, float, "Sentence", tuple["Sentence", ...]]


@dataclass(frozen=True)
class Sentence:
    """What is said: a message's name and its parts. `about` is the number by whose sign or count it is said."""

    message: str
    parts: Mapping[str, Part]

    @property
    def about(self) -> float | None:
        """The number that chooses among the message's forms; None where there is but one."""
        by = MESSAGES[self.message].by
        number = self.parts[by] if by else None
        return float(number) if isinstance(number, int | float) else None


def sentence(message: str, **parts: Part) -> Sentence:
    """A sentence of that message."""
    return Sentence(message, parts)


def said(*sentences: Sentence) -> Segments:
    """Sentences in words, one behind the other."""
    return merged(joined([tuple(_words(each)) for each in sentences], " "))


def in_words(message: str, **parts: Part) -> str:
    """One sentence as plain text."""
    return text_of(said(sentence(message, **parts)))


def capital(text: str) -> str:
    """A sentence's beginning; x₁ stays small."""
    return text if text[:1] == "x" else text[:1].upper() + text[1:]


def lower(title: str) -> str:
    """A title inside a sentence: tanh, squared error, but ReLU."""
    return title if title[1:2].isupper() or title[-1:].isupper() else title[:1].lower() + title[1:]


def _words(of: Sentence) -> Iterator[Segment]:
    message = MESSAGES[of.message]
    for literals, field, spec in _pieces(message.form(of.about)):
        for place, text in enumerate(literals):
            if text:
                yield Segment(text, message.tone if place % 2 else "plain")
        if field:
            part = of.parts[field[:1].lower() + field[1:]]
            yield from _part(part, spec, field[:1].isupper())


@lru_cache(maxsize=512)
def _pieces(form: str) -> tuple[tuple[tuple[str, ...], str, str], ...]:
    """A form taken apart: text, every other piece of it in brackets, and the part that follows."""
    taken = Formatter().parse(form)
    return tuple((tuple(re.split(r"\[(.*?)\]", text)), field or "", spec or "") for text, field, spec, _ in taken)


def _part(part: Part, spec: str, begins: bool) -> Iterator[Segment]:
    if isinstance(part, Sentence):
        yield from _words(part)
    elif isinstance(part, tuple):
        for n, each in enumerate(part):
            yield from ([Segment(spec if spec and n == len(part) - 1 else ", ")] if n else [])
            yield from _words(each)
    elif isinstance(part, float):
        yield _NUMBERS[spec](part) if spec in _NUMBERS else Segment(signed(part), _role(spec))
    else:
        told = str(part)
        yield Segment(capital(told) if begins else told, _signed_role(told) if spec == "sign" else _role(spec))


def _signed_role(number: str) -> Role:
    """The colour of a parameter that is told with digits of its own."""
    return "negative" if number.startswith(MINUS) else "positive"


def _role(spec: str) -> Role:
    found: Role = "forward" if spec == "forward" else "backward" if spec == "backward" else "plain"
    return "update" if spec == "update" else found


_NUMBERS: dict[str, Callable[[float], Segment]] = {
    "sign": by_sign,
    "short": lambda value: Segment(short(value)),
    "size": lambda value: Segment(unsigned(value)),
    "less": lambda value: Segment(unsigned(value), "update"),
    "target": lambda value: Segment(target(value)),
}

MESSAGES: dict[str, Message] = {
    **AGAIN,
    **ADVICE,
    **ASKED,
    **BATCH,
    **GRAPH,
    **MAPS,
    **NORMS,
    **REASONS,
    # forward
    "batch comes in": Message("A mini-batch of {count} examples comes in: all of them go through together."),
    "class comes in": Message(
        "Example {example} comes in. From its inputs the network is to tell its class: {wanted} should be high, the "
        "others low."
    ),
    "comes in": Message("Example {example} comes in. From its inputs the network is to find its target, {targets}."),
    "input is scaled": Message("Inputs are scaled to mean 0 and spread 1: {name} was {given:short}."),
    "inputs are scaled": Message("Their inputs are scaled to mean 0 and spread 1."),
    "target is scaled": Message("So is the value to predict: it was {given:short}."),
    "target alone is scaled": Message("The value to predict is scaled to mean 0 and spread 1: it was {given:short}."),
    "targets are scaled": Message("The values to predict are scaled to mean 0 and spread 1."),
    "target": Message("{y:target}"),
    "more": Message("… ({count})"),
    "product": Message(
        "{Source} holds {a:forward}. The link to {unit} has the weight {weight:sign}: together {product:forward}."
    ),
    "sum": Message(
        by="links", one="What {unit}'s only link brings is the whole sum: {sum:forward}.",
        many="{Unit} adds up what its {links} links bring: {sum:forward}.",
    ),
    "bias": Message(
        by="bias", none="Its bias is 0 and changes nothing: z = {z:forward}.",
        up="Its bias, {bias:sign}, pushes the sum up to z = {z:forward}.",
        down="Its bias, {bias:sign}, pushes the sum down to z = {z:forward}.",
    ),
    "activation": Message("{Function} turns {bent} = {z:forward} into a = {a:forward}."),
    "shares": Message(
        "{Function} turns the layer's sums into shares that add up to 1: e to the power of each sum, over those of "
        "all. The more a sum stands out, the more it gets."
    ),
    "waits": Message("{Function} takes it with those of the other units, when all are there."),
    "goes on": Message("Its a goes on to {layer}."),
    "answer": Message("That is the network's answer."),
    "shut": Message("It is shut: {bent} is not above 0."),
    "fires": Message(by="a", none="It does not fire.", up="It fires.", down="It does not fire."),
    "dropped": Message("{Unit} is out in this step: dropout puts what it gives to 0."),
    "kept": Message("{Unit} stays in this time, and dropout gives it on × {mask:size}: h = {h:forward}."),
    "made up for": Message(
        "That factor, {scale:size}, is 1/(1 − {rate:short}), with the dropout rate {rate:short}: so on average as much "
        "goes on as without dropout."
    ),
    "dropout of a layer": Message(
        "Dropout puts {out} of the {of} numbers of {layer} to 0 in this step, and gives the others on × {scale:size}."
    ),
    "attached": Message("{Unit} goes through {operation}, which gives {made:forward}. {what}"),
    "attached to a layer": Message("{Layer} goes through {operation}. {what}"),
    "shortcut": Message("Over the shortcut, {unit} adds what {source} gave, {added:forward}: it gives {o:forward}."),
    "shortcut of a layer": Message("Over the shortcut, {layer} adds what {source} gave, unit by unit."),
    "z": Message(
        by="links",
        one="{Unit} takes what its only link brings, weight × what comes, and adds its bias: z = {z:forward}.",
        many="{Unit} adds up what its {links} links bring, weight × what comes, and its bias: z = {z:forward}.",
    ),
    "forward": Message(
        "{Unit} adds up what its links bring, weight × what comes, and its bias: z = {z:forward}. {Function} makes "
        "that a = {a:forward}."
    ),
    "forward of a layer": Message(
        by="units",
        one="{Layer}: its only unit adds up what reaches it and its bias, and {function} makes that its activation.",
        many="{Layer}: each of its {units} units adds up what reaches it and its bias, and {function} makes that its "
        "activation.",
    ),
    "forward pass": Message(
        "Forward: layer by layer, every unit adds up what reaches it and passes it on, as far as the output."
    ),
    "loss": Message("The outputs are held against their targets: the loss, {name}, is {loss:size}."),
    "loss of one": Message(
        "{Which} is {a:forward} and should be {y:target}. The loss, {name}, says how wrong that is in one number: "
        "{loss:size}."
    ),
    "loss of a class": Message(
        "{Which} is {a:forward} and should be {y:target}. The loss, {name}, is −ln of that share: 0 where it is all, "
        "large where it is nearly nothing. Here it is {loss:size}."
    ),
    "penalty": Message("{Title} regularization adds its own, a penalty: {costly} cost {penalty} more."),
    "penalty of all": Message(
        "What the {count} weights cost adds up to {cost}; times the regularization rate λ, {rate:short}, that is "
        "{penalty}."
    ),
    "penalty and loss": Message("Training makes both together smaller: {loss} + {penalty} = {total}."),
    # backward
    "asks": Message(
        by="dz", tone="backward", none="The loss asks nothing of {unit}: its δ is [0].",
        down="The loss asks {unit} to [go up]: its δ is negative: if z rose, the loss would fall.",
        up="The loss asks {unit} to [go down]: its δ is positive: if z rose, the loss would rise.",
    ),
    "effect": Message(
        by="da", tone="backward", none="The loss does not change with {unit}: ∂L/∂a is [0].",
        up="If {unit} gave a little more, the loss would [rise]: ∂L/∂a is positive.",
        down="If {unit} gave a little more, the loss would [fall]: ∂L/∂a is negative.",
    ),
    "effects": Message("How the loss changes with {unit}, for each example: {tendency}."),
    "tendency": Message("{higher}, {lower}"),
    "want higher": Message(
        by="wants", one="{wants} of {count} examples wants it higher", many="{wants} of {count} examples want it higher"
    ),
    "want lower": Message(by="wants", one="{wants} wants it lower", many="{wants} want it lower"),
    "comes back": Message(
        by="links", one="{Unit}: what comes back over its only outgoing link is weight × δ.",
        many="{Unit}: what comes back over its {links} outgoing links adds up.",
    ),
    "over a shortcut": Message(
        "Over the shortcut to {end} its {back} comes back unchanged, {da:backward}: two ways, so gradients add."
    ),
    "back through the mask": Message(
        "The same mask on the way back, × {mask:size}: what comes back, {dh:backward}, becomes {da:backward}."
    ),
    "back through": Message("Back through {operation}: {came:backward} becomes {passed:backward}."),
    "back to the dropped": Message("The same mask on the way back: {unit} was out, so nothing comes back through it."),
    "da of a layer": Message(
        "First ∂L/∂a of every unit of {layer}: {function} mixes them, so δ needs them all."
    ),
    "product back": Message(
        "{Unit} sends its δ back over the link, times the weight: {product:backward} for {source}."
    ),
    "threshold": Message(
        "Threshold's slope is 0 everywhere: no gradient passes it, and nothing before it can learn."
    ),
    "slopes": Message("Each example's ∂L/∂a passes through {function}'s slope at its own {bent}."),
    "shut for some": Message("It is shut, slope 0, for {shut} of {count} examples."),
    "stopped": Message(
        "{Function}'s slope here is 0, so nothing passes: from this example, nothing before it learns."
    ),
    "identity": Message("Identity has slope 1: ∂L/∂a passes unchanged."),
    "slope": Message("{Function}'s slope lets {share} of ∂L/∂a = {da:backward} through to z: δ = {dz:backward}."),
    "gathered": Message(
        by="links", one="{Unit} feeds one unit, which sends {sent} back over the link.",
        many="{Unit} feeds {links} units. Over its links they send back {sent: and }, together {da:backward}.",
    ),
    "sent": Message("{q:backward}"),
    "gathered from many": Message("{Unit} feeds {links} units. What they send back over its links is {da:backward}."),
    "missed": Message(
        by="da", tone="backward", none="The output is {a:forward}, its target {y:target}: nothing is to be mended.",
        up="The output is {a:forward}, its target {y:target}. If the output rose a little, the loss would [rise], "
        "{size} times as much.",
        down="The output is {a:forward}, its target {y:target}. If the output rose a little, the loss would [fall], "
        "{size} times as much.",
    ),
    "mixed": Message("{Function} shares out one whole, so only being above the others' average counts."),
    "joined": Message(
        "{pair}, taken as one, leave only output minus target, a − y: δ = {dz:backward}. No slope can stop it."
    ),
    "joined in a batch": Message("{pair}, taken as one, leave only output minus target, a − y: no slope can stop it."),
    "beyond any number": Message(
        "∂L/∂a alone would be beyond any number, so it is not told; δ is taken from z."
    ),
    "deltas from the loss": Message("From the loss: the δ of every unit of {layer}."),
    "deltas from above": Message(
        "{Above} hands its δs back over the weights; times the slopes, these are the δs of {layer}."
    ),
    "split": Message("The loss asks {asked}."),
    "units up": Message(by="units", one="1 unit to go up", many="{units} units to go up"),
    "units down": Message(by="units", one="1 unit to go down", many="{units} units to go down"),
    "units idle": Message(by="units", one="nothing of 1 unit", many="nothing of {units} units"),
    "share of the blame": Message(
        "Along this link it received {input} = {a:forward}, so the link's share of the blame is δ × what it "
        "carried."
    ),
    "shares of the blame": Message(
        "Each example multiplies its δ by what came along this link; over the batch of {count} that adds up to "
        "{gradient:backward}."
    ),
    "more weight": Message(
        by="gradient", tone="backward", none="Here that is 0: no change of this weight would matter.",
        up="More weight would make the loss [larger].", down="More weight would make the loss [smaller].",
    ),
    "bias's gradient": Message("A bias is a weight whose input is always 1, so its gradient is δ itself."),
    "bias's gradient in a batch": Message(
        "A bias is a weight whose input is always 1, so its gradient is the sum of the δs: {gradient:backward}."
    ),
    "gradient": Message(
        "A weight's gradient, how fast the loss would change if it grew, is what its link carried times the "
        "δ of {whose}. A bias's is δ itself."
    ),
    "gradient of most": Message(
        by="gradient", none="Here all of them are 0.",
        up="{Source} carried most, {a:forward}, and gets most, {gradient:backward}: more of it makes the loss larger.",
        down="{Source} carried most, {a:forward}, and gets most, {gradient:backward}: more of it makes the loss "
        "smaller.",
    ),
    "gradient in a batch": Message(
        "The gradient of a link into {whose}, how fast the loss would change if its weight grew, is δ times what it "
        "carried, summed over the examples; a bias's is the sum of the δs."
    ),
    "every unit of": Message("every unit of {layer}"),
    "backward pass": Message(
        "Backward: from the loss to the inputs, every unit learns what the loss asks of it, and every link its share "
        "of the blame."
    ),
    "to compare": Message("Trial and error uses nothing of this way back: it is shown to compare."),
    # update
    "pull": Message(
        by="towards", tone="backward",
        none="{Title} regularization adds nothing at {weight:sign}, where this weight is.",
        up="{Title} regularization pulls the weight towards 0: it adds {pull:backward} to its gradient.",
        down="{Title} regularization pulls the weight away from 0: it adds {pull:backward} to its gradient.",
    ),
    "frozen": Message("This {what} is frozen: it stays at {now:sign}."),
    "moved": Message(
        by="change", tone="update", none="The {what} [stays] as it is.",
        up="Against its gradient, the {what} [goes up] to {next:update}.",
        down="Against its gradient, the {what} [goes down] to {next:update}.",
    ),
    "moved by all": Message(
        by="change", tone="update", none="The {what} [stays] as it is.",
        up="Taking all together, the {what} [goes up] to {next:update}.",
        down="Taking all together, the {what} [goes down] to {next:update}.",
    ),
    "overruled": Message(
        by="change", tone="update", none="The {what} [stays] as it is.",
        up="The {what} [goes up] to {next:update}. Its gradient alone would push the other way; {others: and } won.",
        down="The {what} [goes down] to {next:update}. Its gradient alone would push the other way; "
        "{others: and } won.",
    ),
    "tried": Message(
        by="change", tone="update",
        none="Trial and error tried {rate:short} up and {rate:short} down: neither made the loss smaller, so the "
        "{what} [stays].",
        up="Trial and error tried {rate:short} [up]: the loss became smaller, so the {what} keeps it. "
        "No gradient was used.",
        down="Trial and error tried {rate:short} [down]: the loss became smaller, so the {what} keeps it. "
        "No gradient was used.",
    ),
    "weight": Message("weight"),
    "the gain": Message("the gain"),
    "the shift": Message("the shift"),
    "the bias": Message("bias"),
    "update": Message(
        by="weights", one="{Unit}: its only weight and its bias take their step; {ways}.",
        many="{Unit}: its {weights} weights and its bias take their step; {ways}.",
    ),
    "update by rate": Message(
        "Each moves against its gradient, the steepest way to a better loss: by the learning rate {rate:short} times "
        "as much."
    ),
    "update by nothing": Message("Their gradients are all 0, so no step is taken."),
    "update by a rule": Message("{optimizer}: {how}."),
    "remembers": Message("From the steps before it remembers {letters: and }."),
    "letter": Message("{letter}"),
    "update by trial": Message(
        by="weights", one="{Unit}: its only weight and its bias are tried up and down; {ways}.",
        many="{Unit}: its {weights} weights and its bias are tried up and down; {ways}.",
    ),
    "update of all": Message(
        "Every parameter takes its step at once, by {optimizer}, with rate {rate:short}: of the weights, {ways}."
    ),
    "update of a layer": Message(
        "Every parameter of {layer} takes its step at once, by {optimizer}, with rate {rate:short}: of the weights, "
        "{ways}."
    ),
    "go up": Message(by="count", one="1 goes up", many="{count} go up"),
    "go down": Message(by="count", one="1 goes down", many="{count} go down"),
    "stay": Message(by="count", one="1 stays", many="{count} stay"),
    # on the links
    "chip asks": Message(by="brought", none="asks nothing", down="asks up", up="asks down"),
    "chip the others": Message(by="count", one="the other one", many="the other {count}"),
    "chip by its bias": Message("its bias"),
    "chip by a shortcut": Message("over the shortcut"),
    "chip together": Message("together"),
    "chip the slope": Message("{function}’s slope"),
    "chip width forward": Message("what each link carries, weight × activation"),
    "chip width backward": Message("what each link brings back, weight × δ"),
    "chip width gradient": Message("the gradient, δ × what the link carried"),
    "chip width kernel": Message("the largest gradient of each kernel"),
    # what an update adds
    "by gradient": Message("the gradient"),
    "by penalty": Message("regularization"),
    "by memory": Message("the optimizer's memory"),
    "by decay": Message("weight decay"),
    "by trial": Message("the try that was kept"),
    "by step": Message("the step"),
    # receipts
    "activation to come": Message("Its activation is yet to come."),
    "delta to come": Message("Its δ is yet to come."),
    "activation and delta to come": Message("Its activation and its δ are yet to come."),
    "gradient to come": Message("Its gradient is yet to come."),
    "step to come": Message("Its step is yet to come."),
    "gradient and step to come": Message("Its gradient and its step are yet to come."),
    "input": Message("An input: it is given with the example, and nothing computes it."),
    "scaled input": Message("In the data {given:short}: less {mean:short}, over {spread:short}, {scaled:forward}."),
    "scaled inputs": Message("Scaled: less the data's mean, {mean:short}, over their spread, {spread:short}."),
    # a walkthrough that is told more coarsely
    "collapsed": Message("To stay short, this tells {layers}."),
    "by units": Message("{layer} unit by unit"),
    "by layer": Message("{layer} as a whole"),
}  # fmt: skip
