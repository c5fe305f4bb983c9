"""A receipt: how one parameter came to its next value, or a unit to its numbers, in words, symbols, numbers and code.

Its lines stand below each other, each a way further back. The facts are `engine.receipts`; the words the walkthrough's.
In the middle of a walkthrough a receipt says what is computed so far, and what is yet to come.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from math import prod
from typing import Literal

import numpy as np
from markupsafe import Markup

from app.explain.faces import face_of, faces_of
from app.explain.faces_attached import made_of
from app.explain.faces_update import part_name, update_formulas, update_numbers, update_words
from app.explain.lines import Detail, Known, Lines, Teller, closed
from app.explain.moments import Told
from app.explain.plan import Key
from app.explain.scene import Scene
from app.words.digits import named
from app.words.formulas import symbol
from app.words.names import name_of
from app.words.numbers import NONE, UNKNOWN, digits_of, given, short, signed
from app.words.segments import joined, say
from app.words.sentences import Sentence, sentence
from app.words.texts import text
from engine import PENALTIES, Quantity, SpecError, Trace, examples_of
from engine.arrays import Floats
from engine.equation import code_name
from engine.program import program
from engine.quantity import bias, unit, weight
from engine.receipts import (
    ChannelReceipt,
    ParameterReceipt,
    UnitReceipt,
    channel_receipt,
    parameter_receipt,
    unit_receipt,
)
from engine.wording import Words

SHOWN = 6
_AHEAD = ("z", "mean", "spread", "xhat", "n", "a")
_BACK = ("dn", "dxhat", "dz_own", "dz_mean", "dz_spread", "dz")


@dataclass(frozen=True, kw_only=True)
class Receipt(Told):
    """How a parameter came to its next value, now + parts = next; or a unit to its numbers; or an input.

    `facts` are the numbers, those per example as lists, none for an input, which nothing computes. `came_from` is one
    click further back. `terms` are the largest of the products that the gradient is, or that came back to a unit;
    `code` are the lines of the program that compute it. With mathml=true `mathml` has the symbols' equations as the
    page shows them, else null.
    """

    of: Quantity
    place: str
    facts: ParameterReceipt | UnitReceipt | ChannelReceipt | None = field(default=None, compare=False)  # arrays
    came_from: tuple[Quantity, ...] = ()
    code: tuple[str, ...] = ()
    lines: tuple[Detail, ...]
    more: tuple[Lines, ...] = ()  # says what the numbers of `lines` are made of

    @property
    def address(self) -> str:
        """What it is of."""
        return str(self.of)

    @property
    def name(self) -> str:
        """The same as people write it: W₂,₁,₃; an input by its own name."""
        return name_of(self.of) if self.of.layer else self.place

    @property
    def title(self) -> Markup:
        """The same as MathML."""
        return symbol(self.of if self.of.layer else self.of.like("x"))

    @property
    def kind(self) -> Literal["parameter", "unit", "input"]:
        """What it is of: a parameter can be set, nudged and frozen."""
        return "input" if self.facts is None else "parameter" if isinstance(self.facts, ParameterReceipt) else "unit"

    @property
    def frozen(self) -> bool:
        """Whether it is held."""
        return isinstance(self.facts, ParameterReceipt) and self.facts.frozen

    @property
    def value(self) -> str:
        """A parameter as a person would type it."""
        return given(round(self.facts.now, 6)) if isinstance(self.facts, ParameterReceipt) else ""


def receipt(trace: Trace, address: str, known: Known = None) -> Receipt:
    """The receipt of "W2.1.3", "b2.1" or "a2.1" (a0.2 is an input); SpecError if there is no such thing.

    Its words and numbers are of the quantities in `known` alone, by default of all; `facts` are always whole.
    """
    try:
        of = Quantity.parse(address)
    except ValueError:
        raise SpecError(
            "address", address, "{address_form}, or a<layer>.<unit>", address_form=trace.spec.network.address_form
        ) from None
    scene, tell = Scene(trace), Teller(known)
    with np.errstate(all="ignore"):
        if of.kind != "a":
            facts = parameter_receipt(trace, address)
            own = Quantity.parse(facts.address)
            return _of_parameter(Scene(trace, (own,)), own, facts, tell)
        if of.layer == 0 and trace.spec.network.has(of):
            return _of_input(scene, of)
        return _of_node(scene, of, tell)


def place_of(scene: Scene, of: Quantity) -> str:
    """An address in words: hidden 1, unit 3 → hidden 2, unit 1."""
    own = scene.unit(of.layer, of.unit)
    if of.source:
        return f"{_end(scene, of)} → {own}"
    messages = {"b": "bias of {unit}", "gamma": "gain of {unit}", "beta": "shift of {unit}"}
    return text(messages[of.kind], unit=own) if of.kind in messages else own


def _end(scene: Scene, of: Quantity) -> str:
    """Where a weight comes from: a unit, or of a kernel and of feature maps a place."""
    network = scene.network
    if len(of.index) == 4:
        _, _, row, column = of.index
        below = scene.channel(of.layer - 1, of.source) or scene.layer_below(of.layer)
        return text("{below}, kernel's row {row}, column {column}", below=below, row=row, column=column)
    if of.layer > 1 and network.image(of.layer - 1, network.given_kind(of.layer - 1)):
        return scene.source(of.layer, of.source)
    return scene.unit(of.layer - 1, of.source)


def _so_far(parts: Sequence[tuple[str, bool, Sequence[Sentence]]]) -> tuple[Sentence, ...]:
    """What is known of named parts, and which of them are yet to come."""
    later = [name for name, told, _ in parts if not told]
    to_come = (sentence(f"{' and '.join(later)} to come"),) if later else ()
    return (*(each for _, told, sentences in parts if told for each in sentences), *to_come)


def _of_parameter(scene: Scene, of: Quantity, facts: ParameterReceipt, tell: Teller) -> Receipt:
    gradient = of.like(f"d{of.kind}")
    face = face_of(scene, Key("backward", gradient.kind, of.layer, of.unit, of.source))
    told = tell.knows(gradient), tell.knows(of)
    parts = [("gradient", told[0], face.sentences), ("step", told[1], (update_words(scene, facts),))]
    numbers = [each for known, each in zip(told, (face.numbers, update_numbers(scene, facts)), strict=True) if known]
    names = (code_name(of.like(kind)) for kind in (gradient.kind, f"g{of.kind}", f"{of.kind}_next"))
    return Receipt(
        sentences=_so_far(parts),
        formulas=(*face.formulas, *update_formulas(scene, of, facts.frozen)),
        numbers=joined(numbers, "; "),
        total=face.total if told[0] else None,
        of=of,
        place=place_of(scene, of),
        facts=facts,
        came_from=(unit(of.layer, of.unit), *_sources(scene, of)),
        code=_code(scene, *names, "try"),
        lines=_lines_of_parameter(scene, of, facts, tell),
        more=(Lines(text("Where the gradient comes from"), tuple(_factors(scene, of, facts, tell))),),
    )


def _sources(scene: Scene, of: Quantity) -> tuple[Quantity, ...]:
    """The unit below that a weight comes from; of a place of a feature map its channel, of the image nothing."""
    network, k = scene.network, of.layer
    if not of.source or (network.image(k) and not network.image(k - 1)) or (network.image(k) and k == 1):
        return ()
    below = network.image(k - 1, network.given_kind(k - 1)) if k > 1 else ()
    if below and not network.image(k):
        return (unit(k - 1, (of.source - 1) // (below[1] * below[2]) + 1),)
    return (unit(k - 1, of.source),)


def _of_node(scene: Scene, of: Quantity, tell: Teller) -> Receipt:
    """A unit's or a channel's."""
    k, j, network = of.layer, of.unit, scene.network
    facts = (channel_receipt if network.image(k) else unit_receipt)(scene.trace, str(of))
    ahead, back = faces_of(scene, k, j)
    told = tell.knows(scene.gives(k, j)), tell.knows(of.like("dz"))
    parts = [
        (name, known, [each for face in faces for each in face.sentences])
        for name, known, faces in zip(("activation", "delta"), told, (ahead, back), strict=True)
    ]
    numbers = [joined([face.numbers for face in faces], "; ") for faces in (ahead, back)]
    if isinstance(facts, ChannelReceipt):
        more = [Lines(text("The strongest weight of each kernel"), tuple(_kernels(scene, of, facts, tell)))]
    else:
        more, numbers[1] = [*_sums(scene, of, facts, tell)], say(text("back: "), *numbers[1])
    above = tuple(unit(k + 1, n) for n in scene.equations.units(k + 1)) if k < scene.last else ()
    return Receipt(
        sentences=_so_far(parts),
        formulas=tuple(each for face in (*ahead, *back) for each in face.formulas),
        numbers=joined([each for known, each in zip(told, numbers, strict=True) if known], "; "),
        total=back[0].total if told[1] else None,
        of=of,
        place=place_of(scene, of),
        facts=facts,
        came_from=tuple(dict.fromkeys((*above, *(unit(to, j) for to in network.arcs(k))))),
        code=_code(scene, *(f"{kind}{k}" for kinds in _kinds(scene, k) for kind in kinds)),
        lines=tuple(_lines_of_node(scene, of, facts, tell)),
        more=tuple(more),
    )


def _of_input(scene: Scene, of: Quantity) -> Receipt:
    values, name, scaled = scene.trace.x[:, of.unit - 1], scene.unit(0, of.unit), _unscaled(scene, of.unit)
    numbers = say(f"{name} = ", *scene.each(values, "forward"))
    line = Detail(
        text("mean {number}", number=name) if scene.count > 1 else name, signed(float(values.mean())), "forward"
    )
    told = (sentence("input"), *scaled)
    return Receipt(sentences=told, formulas=(of.like("x"),), numbers=numbers, of=of, place=name, lines=(line,))


def _unscaled(scene: Scene, i: int) -> tuple[Sentence, ...]:
    """How an input came to its number, where the data are scaled and it is a column of theirs."""
    spec = scene.trace.spec
    examples = examples_of(spec)
    column = {"x1": 0, "x2": 1}.get(spec.features[i - 1]) if spec.features else i - 1
    scale = examples.inputs_by
    if scale is None or column is None:
        return ()
    parts = {"mean": float(scale.mean[column]), "spread": float(scale.deviation[column])}
    if scene.count > 1:
        return (sentence("scaled inputs", **parts),)
    given = float(examples.raw[scene.trace.examples[0], column])
    return (sentence("scaled input", given=given, scaled=float(scene.trace.x[0, i - 1]), **parts),)


def _code(scene: Scene, *quantities: str) -> tuple[str, ...]:
    code = program(scene.trace)
    return tuple(code.lines[code.places[name] - 1] for name in quantities if name in code.places)


def _lines_of_parameter(scene: Scene, of: Quantity, facts: ParameterReceipt, tell: Teller) -> tuple[Detail, ...]:
    made_of = {"W": "δ × a", "b": "δ", "gamma": "∂L/∂n × x̂", "beta": "∂L/∂n"}[of.kind]
    spec = scene.trace.spec
    gradient = tell(facts.gradient, of.like(f"d{of.kind}"))
    lines = [Detail(text("now"), tell(facts.now), number=facts.now)]
    lines.append(
        Detail(text("gradient, {sum}", sum=f"Σ {made_of}" if facts.deltas.size > 1 else made_of), gradient, "backward")
    )
    if spec.penalized:
        adds = text("{penalty} adds", penalty=text(PENALTIES[spec.regularization].title))
        lines.append(Detail(adds, tell(facts.penalty_gradient, of.like("dR"), of), "backward"))
    if facts.frozen:
        lines.append(Detail(text("frozen: no step"), "0", "update"))
    else:
        names = (_step_label(scene, part.name) for part in facts.parts)
        parts = zip(names, facts.parts, strict=True)
        now, *steps = closed([lines[0], *(tell.line(name, part.value, "update", of) for name, part in parts)])
        lines = [now, *lines[1:], *steps]
    return (*lines, Detail(text("next"), tell(facts.next, of), total=True))


def _step_label(scene: Scene, name: str) -> str:
    spec = scene.trace.spec
    if spec.optimizer != "sgd":
        return text("by {part}", part=part_name(name))
    rate = short(scene.trace.learning_rate)
    if name == "gradient":
        return text("− rate {rate} × gradient", rate=rate)
    return text("− rate {rate} × what {penalty} adds", rate=rate, penalty=text(PENALTIES[spec.regularization].title))


def _factors(scene: Scene, own: Quantity, facts: ParameterReceipt, tell: Teller) -> Iterator[Detail]:
    """The products that a gradient adds up, one an example or a place of one, the largest first; and their two factors,
    each a click further back."""
    k, j, attached = own.layer, own.unit, own.kind in ("gamma", "beta")
    delta, a = own.of("dn" if attached else "dz", j), own.like("xhat") if attached else scene.gives(k - 1, own.source)
    several, below = facts.deltas.size > 1, _sources(scene, own) or ((unit(k, j),) if own.kind == "gamma" else ())
    if several:
        yield from _products(scene, own, facts, tell, delta, a if own.kind in ("W", "gamma") else None)
    message: Words = "Σ {kind} of {unit}" if several else "{kind} of {unit}"
    of_unit = text(message, kind=named(delta.kind), unit=scene.unit(k, j))
    back = [tell.sum(of_unit, delta, facts.deltas, str(unit(k, j)))]
    for source in below:
        message = "mean {kind} of {unit}" if several else "{kind} of {unit}"
        flat = len(own.index) == 2 and scene.network.image(source.layer)
        name = scene.source(k, own.source) if flat else scene.unit(source.layer, source.unit)
        told = text(message, kind="x̂" if attached else a.kind, unit=name)
        back.append(tell.mean(told, a, facts.carried, str(source)))
    yield from back if several else closed(back, prod)


def _products(
    scene: Scene, own: Quantity, facts: ParameterReceipt, tell: Teller, delta: Quantity, a: Quantity | None
) -> Iterator[Detail]:
    """The largest products of a gradient, and what the others add up to; unknown ones are in their own order."""
    gradient, shares = own.like(f"d{own.kind}"), facts.deltas * facts.carried
    few, sizes = shares.size <= SHOWN, np.abs(np.nan_to_num(shares.ravel()))
    order = np.argsort(-sizes, kind="stable") if tell.knows(gradient, delta) and not few else np.arange(shares.size)
    for n in order[:SHOWN].tolist():
        dz, carried = float(facts.deltas.ravel()[n]), float(facts.carried.ravel()[n])
        digits, (example, *place) = digits_of(prod, [dz, carried], dz * carried), np.unravel_index(n, shares.shape)
        product = tell(dz, delta, digits=digits) + (f" × {tell(carried, a, digits=digits)}" if a else "")
        where = [text("example {example}", example=int(facts.examples[example]))] if len(facts.examples) > 1 else []
        where += [text("row {row}, column {column}", row=int(place[0]) + 1, column=int(place[1]) + 1)] if place else []
        label = text("{place}: {product}", place=", ".join(where), product=product)
        yield tell.line(label, dz * carried, "backward", gradient)
    if not few:
        rest = float(shares.ravel()[order[SHOWN:]].sum())
        others = text("the other {count} together", count=shares.size - SHOWN)
        yield tell.line(others, rest, "backward", gradient)


def _kinds(scene: Scene, k: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What a layer may make on the way forward, and what comes back, each in its order."""
    return (*_AHEAD, *scene.network.attached(k)), (*scene.back_kinds(k), *_BACK)


def _lines_of_node(scene: Scene, of: Quantity, facts: UnitReceipt | ChannelReceipt, tell: Teller) -> Iterator[Detail]:
    """Stage after stage what a unit or a channel makes of what it takes, and what comes back to each; of a batch, and
    of a channel's places, the mean on the way forward and the sum of what comes back."""
    names = {} if scene.network.image(of.layer) else _names(scene, of, facts)
    mean, total = (text("mean "), text("sum of ")) if scene.count > 1 else ("", "")
    forwards, backwards = _kinds(scene, of.layer)
    for kind in forwards + backwards:
        values = facts.others.get(kind, getattr(facts, kind, getattr(getattr(facts, "norm", None), kind, None)))
        if values is None:
            continue
        back, at = kind in backwards, of.like(kind)
        if not names:
            letter: Words = "sum of {number}" if back else "mean {number} of the map"
            label = text(letter, number="δ" if kind == "dz" else kind)
        else:
            label = (total if back else mean) + names[kind]
        line = tell.sum(label, at, values) if back else tell.mean(label, at, values)
        beyond = kind == "da" and of.layer == scene.last and not scene.told_da(of.unit)
        yield replace(line, value=NONE) if beyond and line.value != UNKNOWN else line
        if kind == "spread" and isinstance(facts, UnitReceipt) and facts.norm and facts.norm.running:
            for message, number in zip(_RUNNING, facts.norm.running, strict=True):
                yield Detail(text(message), tell(number))


_RUNNING: tuple[Words, Words] = "running μ, for evaluation", "running σ², for evaluation"


def _names(scene: Scene, of: Quantity, facts: UnitReceipt | ChannelReceipt) -> dict[str, str]:
    """What each number of a unit is called, with what it is made of."""
    activation, bent = scene.layer(of.layer).activation, scene.network.bent_kind(of.layer)
    slope = text("its Jacobian") if activation == "softmax" else f"f′({bent})"
    passed, normed = f"da × {slope}", bent == "n"
    return {
        "z": "z = Σ w × a + b",
        "mean": "μ",
        "spread": "σ",
        "xhat": "x̂ = (z − μ) / σ",
        "n": "n = γ × x̂ + β",
        "a": f"a = {activation.replace('_', ' ')}({bent})",
        **{kind: f"{kind} = {named(kind)}" for kind in scene.back_kinds(of.layer)},
        **dict(made_of(scene, of.layer)),
        "dn": f"dn = {passed}",
        "dxhat": "∂L/∂x̂ = γ × dn",
        "dz_own": text("through x̂ itself"),
        "dz_mean": text("through the mean"),
        "dz_spread": text("through the spread"),
        "dz": text("δ, over the three ways") if normed else f"δ = {passed}",
    }


def _sums(scene: Scene, of: Quantity, facts: UnitReceipt, tell: Teller) -> Iterator[Lines]:
    """What adds up to z, and what to da."""
    k, j = of.layer, of.unit
    mean, total = (text("mean "), text("sum of ")) if scene.count > 1 else ("", "")
    its_bias = tell.line(text("bias"), facts.bias, "forward", select=str(bias(k, j)))
    brought = closed([*_largest([*_brought(scene, of, facts, tell)]), its_bias])
    yield Lines(text("What adds up to {number}", number=f"{mean}z"), brought)
    if (norm := facts.norm) is not None:
        made = (
            Detail("γ", tell(norm.gamma), "forward", f"gamma{k}.{j}"),
            tell.mean(f"{mean}x̂", of.like("xhat"), norm.xhat),
            Detail("β", tell(norm.beta), "forward", f"beta{k}.{j}"),
        )
        yield Lines(text("What {number} is made of", number=f"{mean}n"), made)
    if facts.added is not None:
        source, letter = scene.gives(scene.network.shortcuts[k], j), scene.network.joint_kind(k)[1:]
        own = tell.mean(f"{mean}{letter}", of.like(letter), facts.number(letter))
        added = tell.mean(scene.unit(source.layer, j), source, facts.added, str(unit(source.layer, j)))
        yield Lines(text("What adds up to {number}", number=f"{mean}o"), closed((own, added)))
    if facts.outgoing is not None:
        sent = _largest([*_sent_back(scene, of, facts.outgoing, tell)])
        lines = closed([*sent, *_arcs(scene, of, tell)])
        yield Lines(text("What adds up to {number}", number=f"{total}{scene.network.back_kind(k)}"), lines)


def _kernels(scene: Scene, of: Quantity, facts: ChannelReceipt, tell: Teller) -> Iterator[Detail]:
    """Every kernel of a channel by its strongest weight, a click further back."""
    for i, kernel in enumerate(facts.kernels, 1):
        row, column = (int(at) + 1 for at in np.unravel_index(int(np.abs(kernel).argmax()), kernel.shape))
        address = Quantity("W", of.layer, (of.unit, i, row, column))
        source = scene.channel(of.layer - 1, i) or text("what is below")
        label = text("kernel from {unit}, row {row}, column {column}", unit=source, row=row, column=column)
        yield Detail(label, tell(float(kernel[row - 1, column - 1])), "plain", str(address))
    yield Detail(text("bias"), tell(facts.bias), "plain", str(bias(of.layer, of.unit)))


def _brought(scene: Scene, of: Quantity, facts: UnitReceipt, tell: Teller) -> Iterator[Detail]:
    """What each link brings to a unit."""
    for i, each in enumerate(facts.incoming.mean(axis=0).tolist(), 1):
        link = weight(of.layer, of.unit, i)
        label = text("w × a from {unit}", unit=_end(scene, link))
        yield tell.line(label, each, "forward", link.like("p"), of.like("z"), select=str(link))


def _sent_back(scene: Scene, of: Quantity, outgoing: Floats, tell: Teller) -> Iterator[Detail]:
    """What each unit above sends back to a unit."""
    for n, each in enumerate(outgoing.sum(axis=0).tolist(), 1):
        above, link = unit(of.layer + 1, n), weight(of.layer + 1, n, of.unit)
        label, whole = text("w × δ of {unit}", unit=scene.unit(above.layer, n)), scene.network.back_kind(of.layer)
        yield tell.line(label, each, "backward", link.like("q"), of.like(whole), select=str(above))


def _arcs(scene: Scene, of: Quantity, tell: Teller) -> Iterator[Detail]:
    """What comes back to a unit over each shortcut that leads from it."""
    for to in scene.network.arcs(of.layer):
        kind, end = scene.network.back_kind(to), unit(to, of.unit)
        label = text("{kind} of {unit}, over its shortcut", kind=kind, unit=scene.unit(to, of.unit))
        yield tell.sum(label, end.like(kind), scene.layer(to).back[:, of.unit - 1], str(end))


def _largest(lines: Sequence[Detail], most: int = SHOWN + 2) -> Sequence[Detail]:
    """All terms if they are at most `most`, else the largest and the sum of the rest; an order of terms that are not
    all known tells nothing."""
    if len(lines) <= most:
        return lines
    known = not any(line.value == UNKNOWN for line in lines)
    order = sorted(lines, key=lambda line: -abs(line.number)) if known else lines
    rest = order[SHOWN:]
    together = sum(line.number for line in rest)
    label = text("the other {count} together", count=len(rest))
    value = signed(together) if known else UNKNOWN
    return (*order[:SHOWN], Detail(label, value, rest[0].role, number=together))
