"""A receipt: how one parameter came to its next value, or a unit to its numbers, in words, symbols, numbers and code.

Its lines stand below each other, each a way further back. The facts are `engine.receipts`; the words the walkthrough's.
In the middle of a walkthrough a receipt says what is computed so far, and what is yet to come.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Literal

import numpy as np
from markupsafe import Markup

from app.explain.faces import face_of, faces_of
from app.explain.faces_update import part_name, update_formulas, update_numbers, update_words
from app.explain.lines import Detail, Known, Lines, Teller, back_through, closed, normed
from app.explain.moments import Told
from app.explain.plan import Key
from app.explain.receipts_maps import channel_lines, factors, gradient_face, kernels
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
_AHEAD = ("z", "mean", "spread", "xhat", "n", "a", "h", "v", "o")
_BACK = ("dv", "dh", "da", "dn", "dxhat", "dz_own", "dz_mean", "dz_spread", "dz")


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
            return _of_parameter(scene, Quantity.parse(facts.address), facts, tell)
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
    gradient, shared = of.like(f"d{of.kind}"), bool(scene.network.image(of.layer))
    key = Key("backward", gradient.kind, of.layer, of.unit, of.source)
    face = gradient_face(scene, of) if shared else face_of(scene, key)
    told = tell.knows(gradient), tell.knows(of)
    parts = [("gradient", told[0], face.sentences), ("step", told[1], (update_words(scene, facts),))]
    numbers = [each for known, each in zip(told, (face.numbers, update_numbers(scene, facts)), strict=True) if known]
    came_from = (unit(of.layer, of.unit), *_sources(scene, of))
    names = (code_name(of.like(kind)) for kind in (gradient.kind, f"g{of.kind}", f"{of.kind}_next"))
    code = _code(scene, *names, "try")
    formulas = (*face.formulas, *update_formulas(scene, of, facts.frozen))
    lines = _lines_of_parameter(scene, of, facts, tell)
    more = tuple(factors(scene, of, facts, tell)) if shared else _factors(scene, of, facts, tell)
    return Receipt(
        sentences=_so_far(parts),
        formulas=formulas,
        numbers=joined(numbers, "; "),
        total=face.total if told[0] else None,
        of=of,
        place=place_of(scene, of),
        facts=facts,
        came_from=came_from,
        code=code,
        lines=lines,
        more=(Lines(text("Where it was used") if shared else text("Where the gradient comes from"), more),),
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
        lines, more = channel_lines(scene, of, facts, tell), kernels(scene, of, facts, tell)
    else:
        lines, more = _lines_of_unit(scene, of, facts, tell), tuple(_sums(scene, of, facts, tell))
        numbers[1] = say(text("back: "), *numbers[1])
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
        code=_code(scene, *(f"{kind}{k}" for kind in _AHEAD + _BACK)),
        lines=lines,
        more=more,
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


def _factors(scene: Scene, own: Quantity, facts: ParameterReceipt, tell: Teller) -> tuple[Detail, ...]:
    """The two factors, each a click further back; for a batch also their products, the largest first."""
    k, j, i, batch = own.layer, own.unit, own.source, scene.count > 1
    attached = own.kind in ("gamma", "beta")
    delta = own.of("dn" if attached else "dz", j)
    a = own.like("xhat") if attached else scene.gives(k - 1, i)
    message: Words = "Σ {kind} of {unit}" if batch else "{kind} of {unit}"
    of_unit = text(message, kind=named(delta.kind), unit=scene.unit(k, j))
    back = [tell.sum(of_unit, delta, facts.deltas, str(unit(k, j)))]
    if i or own.kind == "gamma":
        source = unit(k - 1, i) if i else unit(k, j)
        message = "mean {kind} of {unit}" if batch else "{kind} of {unit}"
        told = text(message, kind=a.kind if i else "x̂", unit=scene.unit(source.layer, source.unit))
        back.append(tell.mean(told, a, facts.carried, str(source)))
    if not batch:
        return closed(back, prod)
    products = list[Detail]()
    for n, dz, carried in zip(facts.examples.tolist(), facts.deltas.tolist(), facts.carried.tolist(), strict=True):
        digits = digits_of(prod, [dz, carried], dz * carried)
        product = tell(dz, delta, digits=digits)
        product += f" × {tell(carried, a, digits=digits)}" if i or own.kind == "gamma" else ""
        label = text("example {example}: {product}", example=n, product=product)
        products.append(tell.line(label, dz * carried, "backward", own.like(f"d{own.kind}")))
    return (*_largest(products, SHOWN), *back)


def _lines_of_unit(scene: Scene, of: Quantity, facts: UnitReceipt, tell: Teller) -> tuple[Detail, ...]:
    mean, total = (text("mean "), text("sum of ")) if scene.count > 1 else ("", "")
    activation = scene.layer(of.layer).activation
    bent = scene.network.bent_kind(of.layer)
    slope = text("its Jacobian") if activation == "softmax" else f"f′({bent})"
    da = tell(float(facts.da.sum()), of.like("da"))
    if of.layer == scene.last and not scene.told_da(of.unit) and da != UNKNOWN:
        da = NONE
    given, back = list[Detail](), list[Detail]()
    if facts.h is not None and facts.dh is not None:
        given.append(tell.mean(mean + text("h = mask × a"), of.like("h"), facts.h))
        back.append(tell.sum(f"{total}dh = ∂L/∂h", of.like("dh"), facts.dh))
    if facts.o is not None:
        own = text("o = {own} + what the shortcut brings", own="a" if facts.h is None else "h")
        given.append(tell.mean(mean + own, of.like("o"), facts.o))
    delta = f"{total}δ = da × {slope}" if facts.norm is None else text("{sum}δ, over the three ways", sum=total)
    return (
        tell.mean(f"{mean}z = Σ w × a + b", of.like("z"), facts.z),
        *normed(of, facts.norm, tell, mean),
        tell.mean(f"{mean}a = {activation.replace('_', ' ')}({bent})", of, facts.a),
        *given,
        *back,
        Detail(f"{total}da = {'∂L/∂a' if facts.mask is None else 'mask × dh'}", da, "backward"),
        *back_through(of, facts.norm, tell, total, slope),
        tell.sum(delta, of.like("dz"), facts.dz),
    )


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
        source = scene.gives(scene.network.shortcuts[k], j)
        letter, values = ("a", facts.a) if facts.h is None else ("h", facts.h)
        own = tell.mean(f"{mean}{letter}", of.like(letter), values)
        added = tell.mean(scene.unit(source.layer, j), source, facts.added, str(unit(source.layer, j)))
        yield Lines(text("What adds up to {number}", number=f"{mean}o"), closed((own, added)))
    if facts.outgoing is not None:
        sent = _largest([*_sent_back(scene, of, facts.outgoing, tell)])
        lines = closed([*sent, *_arcs(scene, of, tell)])
        yield Lines(text("What adds up to {number}", number=f"{total}{scene.network.back_kind(k)}"), lines)


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
