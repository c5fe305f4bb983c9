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

from app.explain.faces_backward import BACKWARD
from app.explain.faces_forward import FORWARD
from app.explain.faces_update import part_name, update_formulas, update_numbers, update_words
from app.explain.lines import Detail, Known, Lines, Teller, back_through, closed, normed
from app.explain.moments import Told
from app.explain.plan import Key
from app.explain.receipts_maps import channel_faces, channel_lines, factors, gradient_face, kernels
from app.explain.scene import Scene
from app.words.digits import named
from app.words.formulas import Role, symbol
from app.words.names import name_of
from app.words.numbers import NONE, UNKNOWN, digits_of, given, short, signed
from app.words.segments import joined, say
from app.words.sentences import Sentence, sentence
from app.words.texts import text
from engine import PENALTIES, Quantity, SpecError, Trace, examples_of
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
        raise SpecError("address", address, f"{trace.spec.network.address_form}, or a<layer>.<unit>") from None
    scene, tell = Scene(trace), Teller(known)
    with np.errstate(all="ignore"):
        if of.kind != "a":
            facts = parameter_receipt(trace, address)
            return _of_parameter(scene, Quantity.parse(facts.address), facts, tell)
        if of.layer == 0 and trace.spec.network.has(of):
            return _of_input(scene, of)
        if of.layer and trace.spec.network.image(of.layer):
            return _of_channel(scene, of, channel_receipt(trace, address), tell)
        return _of_unit(scene, of, unit_receipt(trace, address), tell)


def place_of(scene: Scene, of: Quantity) -> str:
    """An address in words: hidden 1, unit 3 → hidden 2, unit 1."""
    own = scene.unit(of.layer, of.unit)
    if of.source:
        return f"{_end(scene, of)} → {own}"
    messages = {"b": "bias of {unit}", "gamma": "gain of {unit}", "beta": "shift of {unit}"}
    return text(messages[of.kind], unit=own) if of.kind in messages else own


def _end(scene: Scene, of: Quantity) -> str:
    """Where a weight comes from: a unit, or of a kernel and of feature maps a place."""
    network = scene.trace.spec.network
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
    gradient, shared = of.like(f"d{of.kind}"), bool(scene.trace.spec.network.image(of.layer))
    key = Key("backward", gradient.kind, of.layer, of.unit, of.source)
    face = gradient_face(scene, of) if shared else BACKWARD[gradient.kind](scene, key)
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
    network, k = scene.trace.spec.network, of.layer
    if not of.source or (network.image(k) and not network.image(k - 1)) or (network.image(k) and k == 1):
        return ()
    below = network.image(k - 1, network.given_kind(k - 1)) if k > 1 else ()
    if below and not network.image(k):
        return (unit(k - 1, (of.source - 1) // (below[1] * below[2]) + 1),)
    return (unit(k - 1, of.source),)


def _of_channel(scene: Scene, of: Quantity, facts: ChannelReceipt, tell: Teller) -> Receipt:
    k, j = of.layer, of.unit
    faces = channel_faces(scene, k, j)
    told = tell.knows(scene.gives(k, j)), tell.knows(of.like("dz"))
    names = ("activation", "delta")
    parts = [
        (name, known, [each for face in some for each in face.sentences])
        for name, known, some in zip(names, told, faces, strict=True)
    ]
    numbers = [joined([face.numbers for face in some], "; ") for known, some in zip(told, faces, strict=True) if known]
    formulas = tuple(each for some in faces for face in some for each in face.formulas)
    above = scene.trace.spec.network.sizes[k + 1] if k < scene.last else 0
    came_from = tuple(unit(k + 1, n) for n in range(1, above + 1))
    return Receipt(
        sentences=_so_far(parts),
        formulas=formulas,
        numbers=joined(numbers, "; "),
        of=of,
        place=place_of(scene, of),
        facts=facts,
        came_from=came_from,
        code=_code(scene, *(f"{kind}{k}" for kind in _AHEAD + _BACK)),
        lines=channel_lines(scene, of, facts, tell),
        more=kernels(scene, of, facts, tell),
    )


def _of_unit(scene: Scene, of: Quantity, facts: UnitReceipt, tell: Teller) -> Receipt:
    k, j = of.layer, of.unit
    ahead = [FORWARD["forward"](scene, Key("forward", "forward", k, j))]
    if facts.norm is not None:
        ahead = [FORWARD[kind](scene, Key("forward", kind, k, j)) for kind in ("z", "norm", "activation")]
    if facts.mask is not None:
        ahead.append(FORWARD["dropout"](scene, Key("forward", "dropout", k, j)))
    if facts.added is not None:
        ahead.append(FORWARD["shortcut"](scene, Key("forward", "shortcut", k, j)))
    kinds = ("delta",) if facts.norm is None else ("came_back", "three_ways")
    *before, back = [BACKWARD[kind](scene, Key("backward", kind, k, j)) for kind in kinds]
    told = tell.knows(scene.gives(k, j)), tell.knows(of.like("dz"))
    sentences = [each for face in ahead for each in face.sentences]
    backward = [each for face in (*before, back) for each in face.sentences]
    parts = [("activation", told[0], sentences), ("delta", told[1], backward)]
    numbers_back = joined([face.numbers for face in (*before, back)], "; ")
    faces = joined([face.numbers for face in ahead], "; "), say(text("back: "), *numbers_back)
    numbers = joined([face for known, face in zip(told, faces, strict=True) if known], "; ")
    came_from = tuple(unit(k + 1, n) for n in scene.equations.units(k + 1)) if k < scene.last else ()
    came_from += tuple(unit(to, j) for to in scene.trace.spec.network.arcs(k))
    code = _code(scene, *(f"{kind}{k}" for kind in _AHEAD + _BACK))
    formulas = [each for face in (*ahead, *before, back) for each in face.formulas]
    return Receipt(
        sentences=_so_far(parts),
        formulas=tuple(formulas),
        numbers=numbers,
        total=(before[0] if before else back).total if told[1] else None,
        of=of,
        place=place_of(scene, of),
        facts=facts,
        came_from=came_from,
        code=code,
        lines=_lines_of_unit(scene, of, facts, tell),
        more=_sums(scene, of, facts, tell),
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
        steps = [
            Detail(name, tell(part.value, of), "update", number=part.value)
            for name, part in zip(names, facts.parts, strict=True)
        ]
        now, *steps = closed([lines[0], *steps])
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
    total, mean = float(facts.deltas.sum()), float(facts.carried.mean())
    message = "Σ {kind} of {unit}" if batch else "{kind} of {unit}"
    of_unit = text(message, kind=named(delta.kind), unit=scene.unit(k, j))
    back = [Detail(of_unit, tell(total, delta), "backward", str(unit(k, j)), number=total)]
    if own.kind == "gamma":
        told = text("mean {kind} of {unit}" if batch else "{kind} of {unit}", kind="x̂", unit=scene.unit(k, j))
        back.append(Detail(told, tell(mean, a), "forward", str(unit(k, j)), number=mean))
    if i:
        message = "mean {kind} of {unit}" if batch else "{kind} of {unit}"
        told = text(message, kind=a.kind, unit=scene.unit(k - 1, i))
        back.append(Detail(told, tell(mean, a), "forward", str(unit(k - 1, i)), number=mean))
    if not batch:
        return closed(back, prod)
    each = zip(facts.examples.tolist(), facts.deltas.tolist(), facts.carried.tolist(), strict=True)
    labels, products = [], []
    for n, own_delta, carried in each:
        digits = digits_of(prod, [own_delta, carried], own_delta * carried)
        product = tell(own_delta, delta, digits=digits)
        product += f" × {tell(carried, a, digits=digits)}" if i or own.kind == "gamma" else ""
        labels.append((text("example {example}: {product}", example=n, product=product), ""))
        products.append((own_delta * carried, tell.knows(own.like(f"d{own.kind}"))))
    return (*_largest(labels, products, "backward", SHOWN), *back)


def _lines_of_unit(scene: Scene, of: Quantity, facts: UnitReceipt, tell: Teller) -> tuple[Detail, ...]:
    mean, total = (text("mean "), text("sum of ")) if scene.count > 1 else ("", "")
    activation = scene.layer(of.layer).activation
    bent = scene.trace.spec.network.bent_kind(of.layer)
    slope = text("its Jacobian") if activation == "softmax" else f"f′({bent})"
    da = tell(float(facts.da.sum()), of.like("da"))
    if facts.outgoing is None and not scene.told_da(of.unit) and da != UNKNOWN:
        da = NONE
    given, back = list[Detail](), list[Detail]()
    if facts.h is not None and facts.dh is not None:
        given.append(Detail(mean + text("h = mask × a"), tell(float(facts.h.mean()), of.like("h")), "forward"))
        back.append(Detail(f"{total}dh = ∂L/∂h", tell(float(facts.dh.sum()), of.like("dh")), "backward"))
    if facts.o is not None:
        own = "a" if facts.h is None else "h"
        told = tell(float(facts.o.mean()), of.like("o"))
        given.append(Detail(mean + text("o = {own} + what the shortcut brings", own=own), told, "forward"))
    return (
        Detail(f"{mean}z = Σ w × a + b", tell(float(facts.z.mean()), of.like("z")), "forward"),
        *normed(of, facts.norm, tell, mean),
        Detail(f"{mean}a = {activation.replace('_', ' ')}({bent})", tell(float(facts.a.mean()), of), "forward"),
        *given,
        *back,
        Detail(f"{total}da = {'∂L/∂a' if facts.mask is None else 'mask × dh'}", da, "backward"),
        *back_through(of, facts.norm, tell, total, slope),
        Detail(
            f"{total}δ = da × {slope}" if facts.norm is None else text("{sum}δ, over the three ways", sum=total),
            tell(float(facts.dz.sum()), of.like("dz")),
            "backward",
        ),
    )


def _sums(scene: Scene, of: Quantity, facts: UnitReceipt, tell: Teller) -> tuple[Lines, ...]:
    """What adds up to z, and what to da."""
    k, j = of.layer, of.unit
    mean, total = (text("mean "), text("sum of ")) if scene.count > 1 else ("", "")
    into = [weight(k, j, i) for i in scene.equations.sources(k)]
    labels = [(text("w × a from {unit}", unit=_end(scene, each)), str(each)) for each in into]
    known = [tell.knows(each.like("p"), of.like("z")) for each in into]
    products = list(zip(facts.incoming.mean(axis=0).tolist(), known, strict=True))
    its_bias = Detail(text("bias"), tell(facts.bias), "forward", str(bias(k, j)), number=facts.bias)
    lines = closed([*_largest(labels, products, "forward"), its_bias])
    groups = [Lines(text("What adds up to {number}", number=f"{mean}z"), lines)]
    if facts.norm is not None:
        norm = facts.norm
        made = (
            Detail("γ", tell(norm.gamma), "forward", f"gamma{k}.{j}"),
            Detail(f"{mean}x̂", tell(float(norm.xhat.mean()), of.like("xhat")), "forward"),
            Detail("β", tell(norm.beta), "forward", f"beta{k}.{j}"),
        )
        groups.append(Lines(text("What {number} is made of", number=f"{mean}n"), made))
    if facts.added is not None:
        source = scene.gives(scene.trace.spec.network.shortcuts[k], j)
        letter, values = ("a", facts.a) if facts.h is None else ("h", facts.h)
        own, brought = float(values.mean()), float(facts.added.mean())
        lines = closed(
            [
                Detail(f"{mean}{letter}", tell(own, of.like(letter)), "forward", number=own),
                Detail(
                    scene.unit(source.layer, j), tell(brought, source), "forward", str(unit(source.layer, j)),
                    number=brought,
                ),
            ]
        )  # fmt: skip
        groups.append(Lines(text("What adds up to {number}", number=f"{mean}o"), lines))
    if facts.outgoing is not None:
        above = scene.equations.units(k + 1)
        labels = [(text("w × δ of {unit}", unit=scene.unit(k + 1, n)), str(unit(k + 1, n))) for n in above]
        summed = scene.trace.spec.network.back_kind(k)
        known = [tell.knows(weight(k + 1, n, j).like("q"), of.like(summed)) for n in above]
        products = list(zip(facts.outgoing.sum(axis=0).tolist(), known, strict=True))
        lines = closed([*_largest(labels, products, "backward"), *_arcs(scene, of, tell)])
        groups.append(Lines(text("What adds up to {number}", number=f"{total}{summed}"), lines))
    return tuple(groups)


def _arcs(scene: Scene, of: Quantity, tell: Teller) -> Iterator[Detail]:
    """What comes back to a unit over each shortcut that leads from it."""
    for to in scene.trace.spec.network.arcs(of.layer):
        back, kind = float(scene.layer(to).back[:, of.unit - 1].sum()), scene.trace.spec.network.back_kind(to)
        end = unit(to, of.unit)
        yield Detail(
            text("{kind} of {unit}, over its shortcut", kind=kind, unit=scene.unit(to, of.unit)),
            tell(back, end.like(kind)),
            "backward",
            str(end),
            number=back,
        )


def _largest(
    labels: Sequence[tuple[str, str]], values: Sequence[tuple[float, bool]], role: Role, most: int = SHOWN + 2
) -> tuple[Detail, ...]:
    """All terms if they are at most `most`, else the largest and the sum of the rest; an order of terms that are not
    all known tells nothing."""
    known, order = all(told for _, told in values), list(range(len(values)))
    if known and len(order) > most:
        order.sort(key=lambda n: -abs(values[n][0]))
    shown = order if len(order) <= most else order[:SHOWN]
    told = [(*labels[n], *values[n]) for n in shown]
    if rest := order[len(shown) :]:
        told.append((text("the other {count} together", count=len(rest)), "", sum(values[n][0] for n in rest), known))
    lines = [
        Detail(label, signed(number) if is_told else UNKNOWN, role, select, number=number)
        for label, select, number, is_told in told
    ]
    return tuple(lines)
