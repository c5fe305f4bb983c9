"""What a sentence puts in is what it says: every named part of the walkthrough's sentences, read back from the
sentences as values and compared with the trace by its own reckoning here.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from app.assets import TEMPLATES
from app.data.parts import Choices
from app.data.splitting import split
from app.data.understanding import understand
from app.draw.outputs import output, says_of
from app.explain.chips import chips_of
from app.explain.moments import Moment
from app.explain.rows import rows_of
from app.explain.scene import Scene
from app.explain.walkthrough import walkthrough
from app.learn.judging import check, numeric
from app.words.health import advice
from app.words.numbers import adding_up
from app.words.segments import text_of
from app.words.sentences import MESSAGES, Sentence, in_words
from app.words.terms import MEANS
from engine import Spec, Trace, advance, examples_of, start, trace
from engine.along import again
from engine.health import Complaint

NETWORKS: dict[str, dict[str, Any]] = {
    "default": {},
    "wide": {"hidden": [3, 5], "activation": "relu", "learning_rate": 0.2},
    "softmax": {"dataset": "three_blobs", "hidden": [3], "output_activation": "softmax", "loss": "cross_entropy"},
    "dropout and shortcut": {"layers": "dense 3 tanh, dropout 0.5, dense 3 sigmoid, shortcut 1"},
    "norms": {"layers": "dense 3 tanh, batch_norm, dense 3 sigmoid, layer_norm"},
    "maps": {
        "dataset": "digits16", "samples": 60, "layers": "conv2d 2 3x3 tanh, max_pool 2", "noise": 0,
    },
    "maps and all": {
        "dataset": "digits16", "samples": 60, "noise": 0,
        "layers": "conv2d 2 3x3 tanh, batch_norm, conv2d 2 3x3 relu, dropout 0.5, shortcut 1, global_pool",
    },
}  # fmt: skip
Truth = Callable[[Trace, Scene, Moment], dict[str, Any]]


def ends(moment: Moment) -> tuple[int, int, int]:
    """Layer, unit and source of what a moment computes, from 1; 0 for what it has not."""
    of = moment.targets[0]
    return moment.layer, moment.units[0] if moment.units else 0, of.source if len(of.index) > 1 else 0


def product(step: Trace, scene: Scene, moment: Moment) -> dict[str, Any]:
    """A weight's product: whose it is, and its two factors."""
    k, j, i = ends(moment)
    a, weight = step.inputs_of(k - 1)[0, i - 1], step.layers[k - 1].W[j - 1, i - 1]
    if so_far := re.search(r"so far (\S+)", text_of(moment.numbers)):
        added = step.layers[k - 1].W[j - 1, :i] @ step.inputs_of(k - 1)[0, :i]
        assert same(so_far[1], added), (so_far[0], added)
    return {"source": scene.unit(k - 1, i), "unit": scene.unit(k, j), "a": a, "weight": weight, "product": a * weight}


def product_back(step: Trace, scene: Scene, moment: Moment) -> dict[str, Any]:
    """The same on its way back: from the unit that sends to the one below."""
    k, j, i = ends(moment)
    sent = step.layers[k - 1].W[j - 1, i - 1] * step.layers[k - 1].dz[0, j - 1]
    return {"unit": scene.unit(k, j), "source": scene.unit(k - 1, i), "product": sent}


def own(step: Trace, scene: Scene, moment: Moment) -> dict[str, Any]:
    """A unit's own numbers, by their letters, and how many links lead to it."""
    k, j, _ = ends(moment)
    layer = step.layers[k - 1]
    z, a, dz = (float(getattr(layer, name)[0, j - 1]) for name in ("z", "a", "dz"))
    name, bent = ("n", layer.bent[0, j - 1]) if layer.norm else ("z", z)
    named = {"unit": scene.unit(k, j), "function": scene.function(k), "bent": name, "links": layer.W[0].size}
    return named | {"z": bent, "a": a, "bias": layer.b[j - 1], "sum": z - layer.b[j - 1], "dz": dz}


def gathered(step: Trace, scene: Scene, moment: Moment) -> dict[str, Any]:
    """What comes back to a unit of a hidden layer: over how many links, and how much from each."""
    k, j, _ = ends(moment)
    above = step.layers[k]
    sent = above.W[:, j - 1] * above.dz[0]
    return {"unit": scene.unit(k, j), "links": len(above.W), "da": sent.sum(), "sent": sent.tolist()}


def missed(step: Trace, scene: Scene, moment: Moment) -> dict[str, Any]:
    """What came out, and what should have."""
    output = step.layers[-1]
    return {"a": output.a[0, 0], "y": step.y[0, 0], "size": abs(output.da[0, 0]), "da": output.da[0, 0]}


def slope(step: Trace, scene: Scene, moment: Moment) -> dict[str, Any]:
    """What is let through, and what is left."""
    k, j, _ = ends(moment)
    layer = step.layers[k - 1]
    return {"function": scene.function(k), "da": layer.da[0, j - 1], "dz": layer.dz[0, j - 1]}


def blame(step: Trace, scene: Scene, moment: Moment) -> dict[str, Any]:
    """What a link carried."""
    k, _, i = ends(moment)
    return {"a": step.inputs_of(k - 1)[0, i - 1]}


def most(step: Trace, scene: Scene, moment: Moment) -> dict[str, Any]:
    """The link with the largest gradient."""
    k, j, _ = ends(moment)
    dW = step.layers[k - 1].dW[j - 1]
    i = int(np.abs(dW).argmax())
    return {"gradient": dW[i], "source": scene.source(k, i + 1), "a": step.inputs_of(k - 1)[0, i]}


def goes_on(step: Trace, scene: Scene, moment: Moment) -> dict[str, Any]:
    """To which layer."""
    return {"layer": scene.layer_name(moment.layer + 1)}


def from_above(step: Trace, scene: Scene, moment: Moment) -> dict[str, Any]:
    """From which layer to which."""
    return {"above": scene.layer_name(moment.layer + 1), "layer": scene.layer_name(moment.layer)}


def comes_in(step: Trace, scene: Scene, moment: Moment) -> dict[str, Any]:
    """Which example, and its class, which counts from 0 where its unit counts from 1."""
    n = int(step.y[0].argmax())
    return {"example": int(step.examples[0]), "wanted": f"Output, unit {n + 1} (class {n})"}


def mask(step: Trace, scene: Scene, moment: Moment) -> dict[str, Any]:
    """What dropout does to a unit: out, or given on."""
    k, j, _ = ends(moment)
    layer = step.layers[k - 1]
    assert layer.mask is not None
    assert layer.h is not None
    kept = float(layer.mask[0, j - 1])
    return {"out": kept == 0, "unit": scene.unit(k, j), "mask": kept, "h": layer.h[0, j - 1]}


def ran_again(step: Trace, scene: Scene, moment: Moment) -> dict[str, Any]:
    """The loss before the step and after it, what was promised, what it brought."""
    before, after = step.loss + step.penalty, again(step).loss + again(step).penalty
    promised = float((step.gradient + step.penalty_gradient) @ (step.parameters_next - step.parameters))
    return {"before": before, "after": after, "promised": promised, "brought": after - before}


def largest_place(step: Trace, scene: Scene, moment: Moment) -> dict[str, Any]:
    """Where on a channel's map the largest δ is."""
    k, j, _ = ends(moment)
    maps = step.layers[k - 1].dz[0, j - 1]
    row, column = np.unravel_index(int(np.abs(maps).argmax()), maps.shape)
    return {
        "function": scene.function(k),
        "row": int(row) + 1,
        "column": int(column) + 1,
        "da": step.layers[k - 1].da[0, j - 1, row, column],
    }


def kernel_place(step: Trace, scene: Scene, moment: Moment) -> dict[str, Any]:
    """Where in a channel's kernels the largest gradient is."""
    k, kernels = moment.layer, step.layers[moment.layer - 1].dW[moment.units[0] - 1]
    i, row, column = (int(at) for at in np.unravel_index(int(np.abs(kernels).argmax()), kernels.shape))
    source = scene.channel(k - 1, i + 1) or scene.layer_below(k)
    return {"row": row + 1, "column": column + 1, "source": source, "gradient": kernels[i, row, column]}


TRUTHS: dict[str, Truth] = {
    "comes in": comes_in, "class comes in": comes_in, "product": product, "product back": product_back, "sum": own,
    "bias": own, "z": own, "activation": own, "forward": own, "asks": own, "joined": own, "goes on": goes_on,
    "deltas from above": from_above, "gathered": gathered, "missed": missed, "slope": slope,
    "share of the blame": blame, "gradient of most": most, "kept": mask, "dropped": mask, "again": ran_again,
    "promise": ran_again, "largest delta": largest_place, "most of a kernel": kernel_place,
}  # fmt: skip
ASIDE = {"tendency", "title", "targets", "pair", "input", "share"}  # told otherwise, or by other tests


def read(text: str) -> float:
    """A printed number, such as −8.4937×10⁻⁵."""
    return float(text.replace("×10", "e").translate(str.maketrans("−⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "--0123456789")))


def same(told: Any, wanted: Any) -> bool:
    """Whether a part is the number, as a number or in as many digits as are printed, or the name, or a list of them."""
    if isinstance(wanted, list):
        return len(told) == len(wanted) and all(
            same(each.parts["q"], one) for each, one in zip(told, wanted, strict=True)
        )
    if isinstance(wanted, str):
        return bool(str(told).lower() == wanted.lower())
    value = read(told) if isinstance(told, str) else float(told)
    return bool(np.isclose(value, float(wanted), rtol=6e-3 if isinstance(told, str) else 1e-9, atol=1e-12))


def wrong_parts(step: Trace, scene: Scene, moment: Moment, said: Sentence) -> list[str]:
    """The parts of a sentence that are not so."""
    truth = TRUTHS[said.message](step, scene, moment)
    if said.message in ("kept", "dropped") and truth["out"] != (said.message == "dropped"):
        return [said.message]
    return [f"{name}: {told}" for name, told in said.parts.items() if name not in ASIDE and not same(told, truth[name])]


@pytest.mark.parametrize("name", NETWORKS)
def test_what_is_put_into_a_sentence_is_so(name: str) -> None:
    """Whose number it is, which number, from where to where, and in which order; of every kind of moment some."""
    state, found = advance(start(Spec.make(**NETWORKS[name])), 3).state, set[str]()
    for grain in ("operation", "unit", "layer"):
        for example in (0, 7):
            step = trace(state, example)
            walk = walkthrough(step, grain)
            seen: dict[tuple[str, int], int] = {}
            for index, key in enumerate(walk.plan.keys):
                seen[key.kind, key.layer] = seen.get((key.kind, key.layer), 0) + 1
                if seen[key.kind, key.layer] > 4:
                    continue
                moment = walk[index]
                for said in moment.sentences:
                    if said.message in TRUTHS:
                        assert not wrong_parts(step, walk.scene, moment, said), (said.message, dict(said.parts))
                        found.add(said.message)
    assert found >= {"again", "promise"}
    if name == "default":
        assert found >= {"product", "product back", "gathered", "missed", "slope", "gradient of most", "goes on"}


BEFORE = {
    "row": ("row", "Row"), "column": ("column",), "before": ("was", "from"), "after": ("is", "to"), "was": ("from",),
    "next": ("to",), "promised": ("promised",), "brought": ("brought",), "y": ("target", "be"), "bias": ("bias,",),
    "weight": ("weight", "weight,", "at"), "z": ("=",), "dz": ("=", "to", "n:", "×"), "example": ("Example", "example"),
    "comes": ("comes",), "back": ("gets", "its"), "slope": ("slope,", "="), "right": ("in", "with", "gets"),
    "mean": ("less", "mean,", "is"), "spread": ("over", "spread,", "spread"), "given": ("data", "was"),
    "dh": ("back,",), "dz_own": ("itself",), "dz_mean": ("mean",), "dz_spread": ("spread",),
}  # fmt: skip


MEANS_DRAWN, SUMS_DRAWN = ("z", "a", "h", "o", "v", "xhat", "n"), (
    "da", "dn", "dz", "dxhat", "dz_own", "dz_mean", "dz_spread",
)  # fmt: skip


def own_of(step: Trace, k: int, name: str) -> np.ndarray | None:
    """A layer's numbers by their letter, an entry an example; None for what it has not."""
    layer = step.layers[k - 1]
    if name in ("xhat", "n", "dxhat", "dz_own", "dz_mean", "dz_spread"):
        return getattr(layer.norm, name) if layer.norm else None
    return {"dn": layer.asked, "dh": layer.back}.get(name, getattr(layer, name, None))


def drawn_map(step: Trace, moment: Moment, said: Sentence) -> dict[str, float]:
    """What is drawn of a batch at the place of a channel that the moment names."""
    k, j, _ = ends(moment)
    place = next((each.parts for each in moment.sentences if "row" in each.parts), None)
    at = (slice(None), j - 1, *((int(place["row"]) - 1, int(place["column"]) - 1) if place else ()))
    numbers = {name: own_of(step, k, name) for name in (*MEANS_DRAWN, *SUMS_DRAWN)}
    numbers = {name: each for name, each in numbers.items() if each is not None and each.ndim == len(at)}
    found = {
        name: float(each[at].sum() if name in SUMS_DRAWN else each[at].mean())
        for name, each in numbers.items()
        if all(n < length for n, length in zip(at[2:], each.shape[2:], strict=True))
    }
    if source := step.spec.network.shortcuts.get(k):
        added = getattr(step.layers[source - 1], step.spec.network.given_kind(source))
        found["added"] = float(added[at].mean()) if added.ndim == len(at) else 0.0
    return found


def drawn(step: Trace, moment: Moment, said: Sentence) -> dict[str, float]:
    """What is drawn of a batch at a moment's unit: means on the way forward, sums on the way back."""
    k, j, i = ends(moment)
    layer, below, network = step.layers[k - 1], step.inputs_of(k - 1), step.spec.network
    if network.image(k):
        return drawn_map(step, moment, said)
    of = {name: own_of(step, k, name) for name in (*MEANS_DRAWN, "dn", "dxhat", "dz_own", "dz_mean", "dz_spread", "dh")}
    of["z"] = layer.bent if said.message.startswith("activation") else layer.z
    found = {
        name: float(each[:, j - 1].mean() if name in MEANS_DRAWN else each[:, j - 1].sum())
        for name, each in of.items()
        if each is not None
    }
    if k in network.shortcuts:
        found["added"] = float(step.inputs_of(network.shortcuts[k])[:, j - 1].mean())
    found["sum"] = found["z"] - float(layer.b[j - 1])
    found |= {name: float(getattr(layer, name)[:, j - 1].sum()) for name in ("da", "dz")}
    if moment.kind in ("dW", "db"):
        found["gradient"] = float(layer.dW[j - 1, i - 1] if i else layer.db[j - 1])
    if moment.kind == "product":
        found["a"] = float(below[:, i - 1].mean())
        found["product"] = float(layer.W[j - 1, i - 1]) * found["a"]
    if moment.kind == "product_back":
        found["product"] = float(layer.W[j - 1, i - 1] * layer.dz[:, j - 1].sum())
    if said.message == "over a shortcut in a batch":
        found["da"] = sum(float(step.layers[to - 1].back[:, j - 1].sum()) for to in network.arcs(k))
    if said.message == "product of a place in a batch":
        at = (slice(None), i - 1, int(said.parts["row"]) - 1, int(said.parts["column"]) - 1)
        found["a"] = float(getattr(step.layers[k - 2], network.given_kind(k - 1))[at].mean())
    if said.message.startswith("all ways"):
        found["sum"] = float(layer.back[:, j - 1].sum())
    if said.message == "gathered in a batch":  # over the links, without what a shortcut brings
        found["da"] = float(step.layers[k].W[:, j - 1] @ step.layers[k].dz.sum(axis=0))
    return found


def check_batch(step: Trace, scene: Scene, moment: Moment) -> set[str]:
    """A batch's numbers in the words are those of the drawing, and the rows' are said to be one example's."""
    words, told = text_of(moment.words), set[str]()
    for said in moment.sentences:
        wanted = drawn(step, moment, said)
        for name in wanted.keys() & said.parts.keys():
            assert same(said.parts[name], wanted[name]), (said.message, name, said.parts[name], wanted[name])
            told.add(f"{said.message}: {name}")
    if (chips := chips_of(scene, moment)) and moment.kind not in ("gradient", "kernel"):
        total = [line.cell.number for line in chips.lines if line.ruled] or [chips.chips[0].result.number]
        assert total[0] in words, (total, words)
    names = [name for block in rows_of(scene, moment).blocks for name, _ in block.numbers]
    assert any("example" in name for name in names) == (f"Below: example {step.examples[0]}." in words)
    return told


SAID_OF_BATCHES = {
    "dropout and shortcut": (
        ("dropout", "h"), ("shortcut", "added"), ("shortcut", "o"), ("back through the mask", "dh"),
        ("back through the mask", "da"), ("over a shortcut", "da"), ("all ways", "sum"), ("gathered", "da"),
    ),
    "norms": (
        ("norm", "z"), ("norm", "xhat"), ("norm", "n"), ("slopes before a norm", "dn"),
        ("back through the gain", "dxhat"), ("three ways", "dz_own"), ("three ways", "dz_mean"),
        ("three ways", "dz_spread"), ("three ways", "dz"),
    ),
    "maps": (("window", "z"), ("bent at a place", "a"), ("max pool", "v"), ("largest delta", "da")),
    "maps and all": (
        ("normed at a place", "xhat"), ("normed at a place", "n"), ("normed at a place", "a"),
        ("dropout of a map", "h"), ("shortcut", "added"), ("shortcut", "o"), ("ways of a map", "dz"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", NETWORKS)
def test_the_words_of_a_batch_are_what_is_drawn(name: str) -> None:
    """The sum that stands on the links is the number that is said; whose numbers stand below is said, too."""
    step, told = trace(advance(start(Spec.make(**NETWORKS[name])), 3).state), set[str]()
    for grain in ("operation", "unit"):
        walk = walkthrough(step, grain)
        for moment in walk:
            if moment.units and moment.phase in ("forward", "backward"):
                told |= check_batch(step, walk.scene, moment)
    assert told >= {f"{kind} in a batch: {of}" for kind, of in SAID_OF_BATCHES.get(name, ())}
    assert "maps" in name or told >= {f"{kind} in a batch: {of}" for kind, of in (
        ("product", "product"), ("sum", "sum"), ("bias", "z"), ("activation", "a"), ("forward", "z"), ("forward", "a"),
        ("product back", "product"), ("comes back", "da"), ("asks", "dz"),
        ("bias's gradient", "gradient"),
    )}  # fmt: skip


def test_a_sum_in_words_adds_up_without_long_numbers() -> None:
    """What units send back is told with few digits, and added by hand is what is told together."""
    rng, lengths = np.random.default_rng(5), list[int]()
    for _ in range(300):
        terms = (rng.normal(size=rng.integers(2, 5)) * 10.0 ** rng.integers(-3, 1)).tolist()
        for digits in (4, 5, 6):
            told = adding_up(terms, sum(terms), digits)
            if not told:
                continue
            whole, *each = map(read, told)
            close = max(digits, 3) - 1
            assert f"{sum(each):.{close}e}" == f"{whole:.{close}e}" or abs(sum(each) - whole) < 1e-9, told
            assert np.allclose(each, terms, rtol=6e-2)
            lengths.append(max(len(re.sub(r"\D", "", text.partition("×")[0]).lstrip("0")) for text in told))
    assert len(lengths) > 850
    assert max(lengths) <= 7
    assert np.mean(np.array(lengths) <= 6) > 0.97


@pytest.mark.parametrize("part", BEFORE)
def test_a_part_stands_behind_the_word_for_it(part: str) -> None:
    """Row behind "row", what was behind "was": in every form of every message."""
    found = [
        (name, match[1])
        for name, message in MESSAGES.items()
        for form in message.forms
        for match in re.finditer(rf"(\S+) \{{{part}[:}}]", form)
    ]
    assert found
    assert not [(name, word) for name, word in found if word not in BEFORE[part]]


def test_what_is_chosen_by_code_is_the_right_one() -> None:
    """Too large or too small, one cell or several, how large where, and what a link's width is."""
    problem = numeric("p", "q", 2.0, "s", "h", [])
    for answer, size in (("3.1", "too large"), ("1.2", "too small")):
        assert size in check(problem, answer).message
    for empty, told in ((1, "1 empty cell is filled"), (2, "2 empty cells are filled")):
        rows = [f"{i}.5,{'' if i < empty else i},{i % 2}" for i in range(9)]
        table = understand(split("\n".join(["a,b,y", *rows])), Choices({"missing": "fill"}))
        assert [note for note in table.notes if note.sentence.startswith(told)], [note.sentence for note in table.notes]
    larger = advice(Spec.make(), Complaint("exploding", 1, "explodes", {"times": 90.0}))
    assert "as large in hidden 1 as at the output" in larger
    for pass_, product in (("forward", "weight × activation"), ("backward", "weight × δ")):
        assert in_words(f"chip width {pass_}").endswith(product)
    for part, word in (
        ("gradient", "gradient"),
        ("penalty", "regularization"),
        ("memory", "memory"),
        ("decay", "decay"),
    ):
        assert word in in_words(f"by {part}")
    for letter, begins in (("z", "the sum"), ("a", "an activation"), ("W", "a weight"), ("b", "a bias"), ("dz", "δ")):
        assert MEANS[letter].startswith(begins)


def test_one_is_counted_as_one() -> None:
    """In templates the form for one stands first: it has no plural's ending, or has the ending of a verb."""
    pairs = [
        re.findall(r'"([^"]+)"', call)
        for path in TEMPLATES.rglob("*.html")
        for call in re.findall(r"\bcounted\([^()]*\)", path.read_text(encoding="utf-8"))
    ]
    assert len(pairs) > 4
    assert not [(one, many) for one, many in pairs if many not in (f"{one}s", one.replace("One lies", "{count} lie"))]


def test_an_example_is_said_to_be_where_it_is() -> None:
    """Of the training set or of the test set, by its own number and with its own inputs."""
    spec = Spec.make(samples=20)
    examples = examples_of(spec)
    for n in (0, examples.train - 1, examples.train, 19):
        words = says_of(spec, examples, n)
        assert words.startswith(f"Example {n}, {'training' if n < examples.train else 'test'}: x₁ ")
        told = [read(text) for text in re.findall(r"x[₁₂] (\S+?),", words)]
        assert np.allclose(told, examples.raw[n], rtol=6e-3)


def test_what_is_out_and_what_is_shut_is_counted() -> None:
    """Of a batch: for how many examples a unit is out, and how many numbers of a layer are; for how many it is shut."""
    step, found = trace(start(Spec.make(layers="dense 3 relu, dropout 0.3, dense 2 tanh"))), set[str]()
    layer = step.layers[0]
    assert layer.mask is not None
    out, shut = layer.mask == 0, layer.z <= 0
    for moment in [*walkthrough(step, "operation"), *walkthrough(step, "layer")]:
        j = moment.units[0] - 1 if moment.units else 0
        wanted = {
            "dropout in a batch": {"out": out[:, j].sum(), "count": len(out), "scale": 1 / 0.7},
            "dropout of a layer": {"out": out.sum(), "of": out.size, "scale": 1 / 0.7},
            "shut for some": {"shut": shut[:, j].sum(), "count": len(shut)},
        }
        for said in moment.sentences:
            for name, truth in wanted.get(said.message, {}).items():
                assert said.parts[name] == pytest.approx(truth), (said.message, name)
                found.add(said.message)
    assert {*wanted} == found


def test_what_was_scaled_is_told_as_it_was() -> None:
    """The first input and the value to predict, as the data have them."""
    data = {"x": [[30.0 + n, n % 3] for n in range(12)], "y": [400.0 - 7 * n for n in range(12)]}
    spec = Spec.make(dataset="custom", data=data, scaling="both", hidden=[2])
    said = {each.message: each.parts["given"] for each in walkthrough(trace(start(spec), 5))[0].sentences[1:]}
    assert said == {
        "input is scaled": examples_of(spec).raw[5, 0],
        "target is scaled": examples_of(spec).labels[5].item(),
    }
    assert said["input is scaled"] in {x for x, _ in data["x"]}
    assert said["target is scaled"] in data["y"]


def test_how_far_a_step_goes_is_told_over_how_far_the_weights_are_from_0() -> None:
    """The length of the step over that of the weights, of the network and of each layer, and what it comes to."""
    step = trace(advance(start(Spec.make()), 3).state)
    told = [moment for moment in [*walkthrough(step, "pass"), *walkthrough(step, "layer")] if moment.phase == "update"]
    assert {moment.layer for moment in told} == {0, 1, 2, 3}
    for moment in told:
        layers = [step.layers[moment.layer - 1]] if moment.layer else step.layers
        sizes = [sum(np.square(each).sum() for each in all_of) ** 0.5 for all_of in (
            [each.W_next - each.W for each in layers], [each.W for each in layers],
        )]  # fmt: skip
        found = re.fullmatch(r"length of the weights' step (\S+) / length of W (\S+) = (\S+)", text_of(moment.numbers))
        assert found, text_of(moment.numbers)
        assert np.allclose([read(text) for text in found.groups()], [*sizes, sizes[0] / sizes[1]], rtol=1e-3)


def test_always_guessing_is_of_what_is_so_most_often() -> None:
    """Of the test examples, whatever the network says of them."""
    data = {"x": [[n, n % 4] for n in range(40)], "y": ["many", "many", "few", "many"] * 10}
    spec = Spec.make(dataset="custom", data=data, hidden=[], parameters=[{"W": [[0, 0]], "b": [0]}])
    tested = [
        data["y"][n] for n in range(40) if data["x"][n] in examples_of(spec).raw[examples_of(spec).train :].tolist()
    ]
    share = 100 * tested.count("many") / len(tested)
    assert 50 < share < 100
    for bias in (-9.0, 9.0):  # all are taken for the one, or for the other
        shown = output(start(replace(spec, parameters=(0.0, 0.0, bias))), None, None, tests=True, discrete=False)
        assert [any(column) for column in zip(*shown.matrix, strict=True)] in ([True, False], [False, True])
        assert np.sum(shown.matrix) == len(tested)
        assert shown.always == f"Always guessing many would be right in {share:.1f} %."
