"""The walkthrough tells one step in computing order, with the trace's own numbers, in four ways that agree."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest
from drawn import EITHER
from hypothesis import given, settings
from hypothesis import strategies as st

from app.explain.moments import GRAINS, Moment
from app.explain.plan import MOST
from app.explain.walkthrough import Walkthrough, known, walkthrough
from app.words.formulas import formulas_of, mathml
from app.words.names import name_of
from app.words.numbers import signed, unsigned
from app.words.segments import text_of
from engine import ACTIVATIONS, LOSSES, OPTIMIZERS, PENALTIES, Quantity, Spec, SpecError, Trace, advance, start, trace
from engine.equation import A, Equation, Over, Ref, Tree, mapped, parts

WHOLE = {"W": "W", "b": "b", "z": "z", "a": "a", "o": "gives", "h": "h", "mask": "mask", "dh": "dh",
         "da": "da", "dz": "dz", "dW": "dW", "db": "db", "W_next": "W_next",
         "b_next": "b_next", "dW_penalty": "dW_penalty"}  # fmt: skip

NORMED = ("xhat", "n", "dn", "dxhat", "dz_own", "dz_mean", "dz_spread")
GAINS = ("dgamma", "dbeta", "gamma", "beta", "gamma_next", "beta_next")


def trace_value(step: Trace, moment: Moment, name: str) -> object:
    """What the trace has for one of a moment's values, None where the trace has no such number."""
    if name in ("loss", "penalty", "learning_rate", "x"):
        return getattr(step, name)
    k = moment.layer or (len(step.layers) if moment.phase in ("forward", "loss") else 1)
    unit = moment.units[0] - 1 if moment.units else None
    link = moment.targets[0].source - 1 if moment.targets[0].source else None
    if name == "y":
        return step.y if unit is None else step.y[:, unit]
    if name == "a_in":
        return step.inputs_of(k - 1)[:, link]
    if name not in (*WHOLE, *NORMED, *GAINS, "mean", "spread"):
        return None
    layer = step.layers[k - 1]
    array = getattr(layer, WHOLE[name]) if name in WHOLE else getattr(layer.norm, name)
    if unit is None:
        return array
    if name in ("z", "a", "o", "h", "mask", "dh", "da", "dz", *NORMED):
        return array[:, unit]
    return array[unit] if link is None or array.ndim == 1 else array[unit, link]


@settings(max_examples=40, deadline=None)
@given(EITHER, st.sampled_from(GRAINS))
def test_moments_have_the_traces_numbers_to_the_last_bit(step: Trace, grain: str) -> None:
    """Every value of every moment, at every grain; products are left × right of those, and add up to z."""
    for moment in walkthrough(step, grain):
        assert moment.values
        for name, value in moment.values.items():
            theirs = trace_value(step, moment, name)
            if theirs is not None:
                np.testing.assert_array_equal(value, theirs, err_msg=f"{moment.targets} {name}")
        if moment.kind in ("product", "product_back"):
            carried = moment.values["a_in" if moment.kind == "product" else "dz"]
            np.testing.assert_array_equal(moment.values["product"], moment.values["W"] * carried)
        if moment.kind == "bias":
            total = np.add(moment.values["sum"], moment.values["b"])
            np.testing.assert_allclose(total, moment.values["z"], rtol=1e-9, atol=1e-11)


def quantities(step: Trace) -> set[str]:
    """Everything that a walkthrough operation by operation computes, as `Moment.targets` spells it."""
    sizes, found = step.spec.network.sizes, {"a0", "loss", "loss_next"}
    last = len(sizes) - 1
    penalty = step.spec.regularization != "none" and step.spec.regularization_rate > 0
    found |= {"penalty"} if penalty else set()
    for k in range(1, last + 1):
        for j in range(1, sizes[k] + 1):
            found |= {f"{name}{k}.{j}" for name in ("s", "z", "a", "da", "dz", "db", "b")}
            if k in step.spec.network.norms:
                found |= {f"{name}{k}.{j}" for name in NORMED}
                found |= {f"{name}{k}.{j}" for name in GAINS[:4]}
                found |= {f"mean{k}", f"spread{k}"}
            found |= {f"o{k}.{j}"} if k in step.spec.network.shortcuts else set()
            found |= {f"h{k}.{j}", f"dh{k}.{j}"} if k in step.spec.network.dropouts else set()
            for i in range(1, sizes[k - 1] + 1):
                found |= {f"{name}{k}.{j}.{i}" for name in ("p", "dW", "W")} | ({f"q{k}.{j}.{i}"} if k > 1 else set())
                found |= {f"dR{k}.{j}.{i}"} if penalty and not OPTIMIZERS[step.spec.optimizer].search else set()
    return found


def needs(quantity: str, step: Trace) -> list[str]:
    """What must be computed before a quantity."""
    name, place = re.fullmatch(r"([a-zA-Z_]+)([\d.]*)", quantity).groups()
    k, j, i = ([int(part) for part in place.split(".") if part] + [0, 0, 0])[:3]
    last, sizes = len(step.layers), step.spec.network.sizes
    every = range(1, step.spec.network.sizes[k] + 1) if k else ()
    shortcuts, dropouts = step.spec.network.shortcuts, step.spec.network.dropouts
    own = {layer: f"{'h' if layer in dropouts else 'a'}{layer}" for layer in range(len(sizes))}
    gives = {layer: f"o{layer}" if layer in shortcuts else own[layer] for layer in own}
    back = [f"d{own[end]}.{j}" for end, source in shortcuts.items() if source == k]
    over_links = [f"q{k + 1}.{n}.{j}" for n in range(1, sizes[k + 1] + 1)] if k < last else []
    normed = k in step.spec.network.norms
    bent = "n" if normed else "z"
    softmax = k and ACTIVATIONS[step.layers[k - 1].activation].product is not None
    return {
        "p": lambda: [f"{gives[k - 1]}.{i}"],
        "h": lambda: [f"a{k}.{j}"],
        "dh": lambda: over_links + back,
        "o": lambda: [f"{own[k]}.{j}", f"{gives[shortcuts[k]]}.{j}"],
        "s": lambda: [f"p{k}.{j}.{n}" for n in range(1, step.spec.network.sizes[k - 1] + 1)],
        "z": lambda: [f"s{k}.{j}"],
        "mean": lambda: [f"z{k}.{n}" for n in range(1, sizes[k] + 1)],
        "spread": lambda: [f"z{k}.{n}" for n in range(1, sizes[k] + 1)],
        "xhat": lambda: [f"z{k}.{j}", f"mean{k}", f"spread{k}"],
        "n": lambda: [f"z{k}.{j}", f"mean{k}", f"spread{k}"],
        "dn": lambda: [f"da{k}.{n}" for n in every] if softmax else [f"da{k}.{j}"],
        "dgamma": lambda: [f"dn{k}.{j}"],
        "dbeta": lambda: [f"dn{k}.{j}"],
        "dxhat": lambda: [f"dn{k}.{j}"],
        "gamma": lambda: [f"dgamma{k}.{j}"],
        "beta": lambda: [f"dbeta{k}.{j}"],
        "a": lambda: [f"{bent}{k}.{n}" for n in every] if softmax else [f"{bent}{k}.{j}"] if k else [],
        "loss": lambda: [f"a{last}.{n}" for n in range(1, step.spec.network.sizes[last] + 1)],
        "da": lambda: ["loss"] if k == last else [f"dh{k}.{j}"] if k in dropouts else over_links + back,
        "q": lambda: [f"dz{k}.{j}"],
        "dz": lambda: (
            ["loss"] if k == last else [f"dxhat{k}.{n}" for n in every] if normed
            else [f"da{k}.{n}" for n in every] if softmax else [f"da{k}.{j}"]
        ),
        "dW": lambda: [f"dz{k}.{j}", f"{gives[k - 1]}.{i}"],
        "db": lambda: [f"dz{k}.{j}"],
        "W": lambda: [f"dW{k}.{j}.{i}"],
        "b": lambda: [f"db{k}.{j}"],
        "loss_next": lambda: ["loss", *step.spec.network.addresses()],
    }.get(name, list)()  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(EITHER)
def test_operation_by_operation_nothing_is_left_out_or_told_twice(step: Trace) -> None:
    """Every quantity is the target of one moment, after everything that it is computed from."""
    walk = walkthrough(step, "operation")
    told = [str(target) for moment in walk for target in moment.targets]
    assert len(told) == len(set(told))
    assert set(told) == quantities(step)
    before = set()
    for moment in walk:
        for target in map(str, moment.targets):
            missing = [
                need for need in needs(target, step) if need not in before and need != "a0" and need[:3] != "a0."
            ]
            assert not missing, (target, missing)
        before |= set(map(str, moment.targets))


@settings(max_examples=25, deadline=None)
@given(EITHER, st.sampled_from(GRAINS))
def test_what_is_known_only_grows_and_ends_with_everything(step: Trace, grain: str) -> None:
    """known() begins empty, takes in each moment's targets, loses nothing, and covers every quantity people see."""
    walk, earlier = walkthrough(step, grain), known(walkthrough(step, grain), -1)
    assert not earlier
    for index, moment in enumerate(walk):
        so_far = known(walk, index)
        assert so_far == earlier | set(moment.targets)
        assert len(so_far) == len(earlier) + len(moment.targets)
        earlier = so_far
    inner = ("p", "s", "q", "dR")
    assert all(
        Quantity.parse(quantity).is_in(earlier)
        for quantity in quantities(step)
        if not quantity.startswith(inner) or grain == "operation"
    )
    assert not Quantity.parse("dW9.1.1").is_in(earlier)


@settings(max_examples=30, deadline=None)
@given(EITHER)
def test_code_words_symbols_and_numbers_are_of_one_fact(step: Trace) -> None:
    """The line is the one that computes the target; the numbers end in the trace's; words and signs agree."""
    walk = walkthrough(step, "operation")
    for moment in walk:
        line, k = walk.program.lines[moment.code_line - 1].strip(), moment.layer
        begins = {
            "inputs": "n, outputs = ", "product": f"z{k} = ",
            "sum": f"z{k} = ", "bias": f"z{k} = ", "activation": f"a{k} = ", "shortcut": f"o{k} = ",
            "spread": f"spread{k} = ", "norm": f"n{k} = ", "dn": f"dn{k} = ", "gains": f"dgamma_{k} = ",
            "dxhat": f"dxhat{k} = ", "three_ways": f"dz{k} = ",
            "update_gain": ("p[i] = ", f"gamma_{k}_next"), "update_shift": ("p[i] = ", f"beta_{k}_next"),
            "dropout": f"h{k} = ", "dh": f"dh{k} = ", "loss": "loss = ", "penalty": "penalty = ", "da": f"da{k} = ",
            "product_back": f"{step.spec.network.back_kind(k - 1)}{k - 1} = ",
            "dz": f"dz{k} = ", "delta": f"dz{k} = ", "dW": f"dW{k} = ", "db": f"db{k} = ",
            "penalty_gradient": f"gW{k} = ",
            "update_weight": ("p[i] = ", f"W{k}_next"), "update_bias": ("p[i] = ", f"b{k}_next"), "again": "loss = ",
        }[moment.kind]  # fmt: skip
        assert line.startswith(begins), (moment.kind, line)
        elements = [element for text in moment.mathml() for element in ElementTree.fromstring(str(text)).iter()]
        for element in elements:
            assert not {"style", "mathcolor", "mathbackground"} & set(element.attrib)
            assert set(element.get("class", "forward").split()) <= {"forward", "backward", "update"}
        if moment.kind in ("dz", "delta", "three_ways"):
            each = np.asarray(moment.values["dz"])
            agrees(moment, float(each.sum()) if abs(each.sum()) > 1e-12 * abs(each).sum() else 0.0)
        if len(step.examples) == 1 and moment.kind in ("activation", "bias", "dW", "db", "dz", "update_weight"):
            name = {"activation": "a", "bias": "z", "update_weight": "W_next"}.get(moment.kind, moment.kind)
            shown = signed(float(np.ravel(moment.values[name])[0]))
            assert f"= {shown}" in text_of(moment.numbers)


def agrees(moment: Moment, delta: float) -> None:
    """A delta's sentence asks for what its sign says."""
    words = text_of(moment.words)
    assert ("go up" in words) == (delta < 0)
    assert ("go down" in words) == (delta > 0)
    assert ("asks nothing of" in words) == (delta == 0)


def test_the_sentence_of_a_delta() -> None:
    """As it stands in the design of the page."""
    step = trace(advance(start(Spec.make()), 50).state, 8)
    down = next(m for m in walkthrough(step, "operation") if m.targets == (Quantity.parse("dz2.1"),))
    sign, way = ("negative", "up") if step.layers[1].dz[0, 0] < 0 else ("positive", "down")
    assert text_of(down.words).startswith(f"The loss asks hidden 2, unit 1 to go {way}: its δ is {sign}")


def test_going_back_lands_on_the_same_moment() -> None:
    """Forward, back, forward; and a second walkthrough of the same trace, asked in another order."""
    step = trace(start(Spec.make()))
    one, two = walkthrough(step, "operation"), walkthrough(step, "operation")
    forwards = [(m.words, m.symbols, m.numbers, m.targets) for m in one]
    backwards = [(m.words, m.symbols, m.numbers, m.targets) for m in (two[i] for i in reversed(range(len(two))))]
    assert forwards == backwards[::-1]
    assert one[3] is one[3]
    assert one[-1].index == len(one) - 1
    with pytest.raises(IndexError):
        one[len(one)]


def test_phases_are_the_parts_of_the_bar() -> None:
    """Forward, loss, backward, update, again, without a gap."""
    for grain in GRAINS:
        walk = walkthrough(trace(start(Spec.make())), grain)
        assert [phase for phase, _, _ in walk.phases] == ["forward", "loss", "backward", "update", "again"]
        assert sum(count for _, _, count in walk.phases) == len(walk)
        for phase, first, count in walk.phases:
            assert {moment.phase for moment in walk[first : first + count]} == {phase}


@pytest.mark.parametrize("grain", GRAINS)
def test_wide_networks_stay_short_enough_to_walk(grain: str) -> None:
    """256-32-10 has a bounded number of moments, says what it collapsed, and one moment writes no other."""
    step = trace(start(Spec.make(dataset="digits16", hidden=[32], loss="cross_entropy")), 3)
    walk = walkthrough(step, grain)
    assert len(walk) <= MOST
    assert bool(walk.collapsed) == (grain == "operation")
    first = next((i for i, key in enumerate(walk.plan.keys) if key.phase == "forward" and key.layer == 1), 1)
    moment = walk[first]
    assert len(walk._written) == 1
    if moment.units:
        assert len(moment.terms) <= 5
        assert moment.left_out == 256 - len(moment.terms)
        total = sum(term.value for term in moment.terms) + moment.rest + step.layers[0].b[0]
        assert total == pytest.approx(step.layers[0].z[0, 0])
    assert len(walkthrough(trace(start(Spec.make(hidden=[100] * 8))), grain)) <= MOST


def only(walk: Walkthrough, *targets: str) -> str:
    """The words of the moment with these targets."""
    return next(text_of(moment.words) for moment in walk if tuple(map(str, moment.targets)) == targets)


def test_what_stops_a_gradient_is_said() -> None:
    """A threshold, a shut ReLU and a frozen weight say what follows; softmax with cross-entropy that they are one."""
    step = trace(start(Spec.make(activation="threshold", hidden=[2])), 0)
    assert "slope is 0 everywhere" in only(walkthrough(step, "operation"), "dz1.1")
    step = trace(start(Spec.make(activation="relu", hidden=[8], seed=3)), 0)
    shut = next(j + 1 for j in range(8) if step.layers[0].z[0, j] <= 0)
    assert "slope here is 0" in only(walkthrough(step, "operation"), f"dz1.{shut}")
    step = trace(start(Spec.make(dataset="three_blobs", loss="cross_entropy", frozen=["W1.1.1"])), 0)
    walk = walkthrough(step, "operation")
    assert "taken as one, leave only output minus target, a − y" in only(walk, "da3.1", "dz3.1")
    assert "frozen" in only(walk, "W1.1.1")
    assert all("gradient" not in only(walkthrough(trace(start(Spec.make(optimizer="trial_and_error")), 0), "operation"),
               f"W{a}").replace("No gradient was used", "") for a in ("1.1.1", "3.1.2"))  # fmt: skip


def the(walk: Walkthrough, *targets: str) -> Moment:
    """The moment with these targets."""
    return next(moment for moment in walk if tuple(map(str, moment.targets)) == targets)


@settings(max_examples=25, deadline=None)
@given(EITHER, st.sampled_from(GRAINS))
def test_numbers_are_set_as_a_person_would(step: Trace, grain: str) -> None:
    """No minus stands bare after × or −, nothing is counted that is not there, and nothing goes to what it reads as."""
    for moment in walkthrough(step, grain):
        numbers, words = text_of(moment.numbers), text_of(moment.words)
        assert not re.search("[×−] [+−]?−", numbers), numbers
        assert not re.search(r"\b0 (go|goes|units?)\b|\b1 (go|stay|units)\b", words), words
        assert not any(old == new for old, new in re.findall(r"(\S+) → ([^;\s]+)", numbers)), numbers


def test_a_single_link_is_told_as_its_product() -> None:
    """A sum of one term says weight × delta, or weight × input, in place of the same number twice."""
    step = trace(advance(start(Spec.make(seed=7)), 20).state, 8)
    back = the(walkthrough(step, "operation"), "da2.1")
    weight, delta = step.layers[2].W[0, 0], step.layers[2].dz[0, 0]
    assert text_of(back.numbers).startswith(f"∂L/∂a = {signed(weight)} × ({signed(delta)}) = ")
    assert "only outgoing link is weight × δ" in text_of(back.words)
    line = walkthrough(trace(start(Spec.make(dataset="line", hidden=[])), 3), "unit")
    assert re.match(r"z = \S+ × \S+ [+−] \S+ = ", text_of(line[1].numbers))


def test_what_training_makes_smaller_is_said() -> None:
    """With regularization the loss and the penalty are added up; a class is told by its name as well."""
    spec = Spec.make(dataset="three_blobs", loss="cross_entropy", regularization="l2", regularization_rate=0.1)
    step = trace(start(spec), 5)
    walk = walkthrough(step, "layer")
    summed = f"L + R = {unsigned(step.loss)} + {unsigned(step.penalty)} = {unsigned(step.loss + step.penalty)}"
    assert summed in text_of(the(walk, "penalty").numbers)
    wanted = int(step.y[0].argmax())
    assert f"Output, unit {wanted + 1} (class {wanted})" in text_of(the(walk, "loss").words)
    momentum = trace(start(Spec.make(optimizer="momentum", regularization="l2", regularization_rate=0.1)), 5)
    update = the(walkthrough(momentum, "operation"), "W2.1.3")
    assert update.symbols.startswith(r"\class{backward}{g_{2,1,3}} = ")
    assert r"\lambda\, W_{2,1,3}" in update.symbols


def test_a_run_that_diverged_can_be_walked() -> None:
    """Numbers that are not finite are told as such."""
    state = advance(start(Spec.make(dataset="line", hidden=[], learning_rate=10.0)), 400).state
    assert state.divergence
    assert all(text_of(moment.numbers) for moment in walkthrough(trace(state), "operation"))


def test_another_granularity_is_refused() -> None:
    """With the ones there are."""
    with pytest.raises(SpecError, match="operation, unit, layer, pass"):
        walkthrough(trace(start(Spec.make())), "atom")


def test_formulas_are_native_and_carry_no_style() -> None:
    """Every equation of the tables becomes MathML without anything that the page's policy blocks."""
    entries = [entry for table in (ACTIVATIONS, LOSSES, PENALTIES, OPTIMIZERS) for entry in table.values()]
    assert sum(len(formulas_of(entry)) for entry in entries) > 30
    for entry in entries:
        trees = [getattr(entry, name) for name in ("tree", "slope") if hasattr(entry, name)]
        made = [Equation(A.quantity, each) for each in trees] + list(getattr(entry, "steps", ()))
        for text in map(str, mathml(*made)):
            ElementTree.fromstring(text)
            assert " style=" not in text
            assert "\\" not in text
    assert name_of("W2.1.3") == "W₂,₁,₃"
    assert name_of("b1.12") == "b₁,₁₂"


def test_a_shortcut_is_walked() -> None:
    """A moment for each unit that it adds to, before what is above; on the way back it is one more term, and lit."""
    step = trace(advance(start(Spec.make(layers="dense 3 tanh, dense 3 tanh, shortcut 1")), 5).state, 3)
    walk = walkthrough(step, "unit")
    added = [moment for moment in walk if moment.kind == "shortcut"]
    assert [str(moment.targets[0]) for moment in added] == ["o2.1", "o2.2", "o2.3"]
    second = step.layers[1]
    assert second.o is not None
    for j, moment in enumerate(added):
        a, given = second.a[0, j], step.layers[0].a[0, j]
        parts = f"{signed(a)} {'−' if given < 0 else '+'} {unsigned(abs(given))} = {signed(second.o[0, j])}"
        assert text_of(moment.numbers) == parts
        assert f"adds what hidden 1, unit {j + 1} gave, {signed(given)}: it gives" in text_of(moment.words)
        assert moment.links == (f"arc-2-{j + 1}",)
        assert {f"node-1-{j + 1}", f"node-2-{j + 1}"} == set(moment.nodes)
        assert walk.program.lines[moment.code_line - 1] == "o2 = a2 + a1"
    back = next(moment for moment in walk if moment.kind == "delta" and moment.layer == 1 and moment.units == (2,))
    assert "arc-2-2" in back.links
    assert f"comes back unchanged, {signed(second.da[0, 1])}" in text_of(back.words)
    for grain in ("operation", "layer", "pass"):
        walk = walkthrough(step, grain)
        assert Quantity("o", 2, (1,)).is_in(known(walk, len(walk) - 1))
    whole = next(moment for moment in walkthrough(step, "layer") if moment.kind == "shortcut")
    assert text_of(whole.words) == "Over the shortcut, hidden 2 adds what hidden 1 gave, unit by unit."


def weights_of(of: Tree) -> set[str]:
    """The ids of the links whose weights are in a tree, one for each value of a sum's letter."""
    if isinstance(of, Over):
        bound = (mapped(of.body, lambda q, n=n: q.bind({of.letter: n})) for n in of.values)
        return {link for each in bound for link in weights_of(each)}
    if isinstance(of, Ref):
        return {of.quantity.svg_id} if of.quantity.kind == "W" else set()
    return {link for part in parts(of) for link in weights_of(part)}


@pytest.mark.parametrize("grain", ["operation", "unit"])
def test_the_links_that_are_lit_are_those_of_the_equation(grain: str) -> None:
    """Forwards those that come in, on the way back those that go out, each at its own two ends."""
    step = trace(start(Spec.make(hidden=[3, 4, 2])), 3)
    for moment in walkthrough(step, grain):
        if moment.kind in ("product", "sum", "z", "forward", "product_back", "da", "delta") and moment.units:
            formulas = [f.tree if isinstance(f, Equation) else f for f in moment.formulas]
            assert set(moment.links) == {link for tree in formulas for link in weights_of(tree)}, moment.targets
            near = {Quantity("a", moment.layer, moment.units).svg_id}
            assert near <= set(moment.nodes)
