"""The door for Python: what people naturally write is taken, or refused with the sentence that helps."""

from __future__ import annotations

import pickle
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, get_type_hints
from xml.etree import ElementTree

import numpy as np
import pytest

import engine
from engine import (
    FIELDS,
    LIMITS,
    Progress,
    RunState,
    Spec,
    SpecError,
    advance,
    apply,
    contour,
    evaluate,
    examples_of,
    gradient_check,
    gradient_norms,
    graph,
    layer_health,
    nudge,
    outputs_of,
    pack,
    plane,
    predict,
    program,
    receipt,
    slice_,
    start,
    trace,
    unpack,
    wishes,
)
from engine.given import SpecKeywords
from engine.shown import sparkline
from machine import ROOT


def state_of(steps: int = 0, **given: Any) -> RunState:
    return advance(start(Spec.make(given)), steps).state


@pytest.mark.parametrize("features", [["x1", "x2"], ["x2", "x1_squared", "sin_x1"]])
def test_predict_takes_inputs_as_the_data_has_them(features: list[str]) -> None:
    """(n, inputs) in and (n, outputs) out, for any n, as arrays or lists; features and ones are its own affair."""
    state = state_of(20, features=features)
    examples = examples_of(state.spec)
    assert np.array_equal(predict(state, examples.raw), outputs_of(state, examples.x))
    for n in (1, 3):
        told = predict(state, examples.raw[:n].tolist())
        assert told.shape == (n, 1)
        assert np.allclose(told, outputs_of(state, examples.x)[:n])


@pytest.mark.parametrize("inputs", [[[1.0, 2.0, 3.0]], [1.0, 2.0], 3.0, "two", [[1.0], [2.0, 3.0]], [["a", "b"]]])
def test_predict_refuses_any_other_form(inputs: Any) -> None:
    """With the form that it takes."""
    with pytest.raises(SpecError, match=r"\(examples, 2\)"):
        predict(state_of(), inputs)


ANSWERS: tuple[Callable[[RunState], Any], ...] = (
    trace, lambda s: trace(s).layers[0], lambda s: advance(s, 3), lambda s: program(trace(s)), wishes,
    *(lambda s, at=at: receipt(trace(s), at) for at in ("W1.1.1", "b2.1", "a1.1")),
    lambda s: nudge(s, "W1.1.1"), lambda s: slice_(s, "W1.1.1"), lambda s: contour(s, "W1.1.1", "b1.1", points=9),
    lambda s: layer_health(trace(s)), gradient_check, evaluate, plane,
)  # fmt: skip


@pytest.mark.parametrize("ask", ANSWERS)
def test_answers_are_compared_as_the_values_they_are(ask: Callable[[RunState], Any]) -> None:
    """Equal if every number is, whichever state of those that are equal was asked; never an error of NumPy."""
    one, same, other = ask(state_of(30)), ask(state_of(30)), ask(state_of(31))
    assert (one == same, one == other, one == "a word") == (True, False, False)
    assert isinstance(one, dict) or len({one, same, other}) == 2


def test_a_state_is_compared_as_the_value_it_is() -> None:
    """Equal by spec, counts and bits, whichever way it came to be; and a key of a set or a dict."""
    a, b, other = state_of(30, optimizer="adam"), state_of(30, optimizer="adam"), state_of(31, optimizer="adam")
    assert a == b == unpack(pack(a)) == pickle.loads(pickle.dumps(a))
    assert {a, b, other} == {a, other}
    for changed in (
        replace(a, parameters=a.parameters + 1e-16 * np.abs(a.parameters).max() * 4),
        replace(a, slots=a.slots * 2),
        replace(a, forwards=a.forwards + 1),
        replace(a, spec=Spec.make(seed=1, optimizer="adam")),
    ):
        assert a != changed
    assert a != "a state"


SLIPS: dict[str, tuple[Any, str]] = {
    "advance(spec)": (lambda: advance(Spec.make(), 10), "a RunState, not a Spec: start"),  # type: ignore[arg-type]
    "trace(progress)": (lambda: trace(advance(state_of(), 1)), "its .state is one"),  # type: ignore[arg-type]
    "10.5 steps": (lambda: advance(state_of(), 10.5), "whole number of steps, not 10.5"),  # type: ignore[arg-type]
    "Spec(…)": (lambda: Spec(dataset="xor"), "Spec.make"),  # type: ignore[call-arg]
    "Spec.make(text)": (lambda: Spec.make("xor"), "keywords or a mapping"),  # type: ignore[arg-type]
    "start(dict)": (lambda: start({}), "takes a Spec, not a dict"),  # type: ignore[arg-type]
    "both names": (lambda: Spec.make(lr=1, learning_rate=1), "the same"),  # type: ignore[call-arg]
}


@pytest.mark.parametrize("slip", SLIPS)
def test_a_natural_slip_is_a_helpful_type_error(slip: str) -> None:
    """Which says what to write."""
    call, said = SLIPS[slip]
    with pytest.raises(TypeError, match=said):
        call()


@pytest.mark.parametrize("address", [3, None, 1.5, True, ["W1.1.1"]])
def test_an_address_that_is_no_text_is_refused_with_the_form(address: Any) -> None:
    """As one that there is not."""
    for ask in (lambda: receipt(trace(state_of()), address), lambda: engine.nudge(state_of(), address)):
        with pytest.raises(SpecError, match=r"address: .* is not allowed"):
            ask()


def test_steps_are_counted_forwards() -> None:
    """-1 is refused; any whole number of NumPy is one."""
    with pytest.raises(SpecError, match="0 or more"):
        advance(state_of(), -1)
    assert advance(state_of(), np.int64(3)).state.step == 3  # type: ignore[arg-type]


def test_exact_synonyms_are_taken_and_told() -> None:
    """In keywords; one warning, at the line that said them."""
    with pytest.warns(UserWarning, match="lr as learning_rate, MSE as mean_squared_error, ReLU as relu") as told:
        spec = Spec.make(lr=0.5, loss="MSE", activation="ReLU", output_activation="tanh")  # type: ignore[call-arg]
    assert spec == Spec.make(learning_rate=0.5, loss="mean_squared_error", activation="relu", output_activation="tanh")
    assert [one.filename for one in told] == [__file__]
    with pytest.warns(UserWarning, match=" as "):
        assert Spec.make(hidden=[2, 2], activation=["linear", "tanh"]).activation == ("identity", "tanh")
    with pytest.warns(UserWarning, match=" as "):
        assert Spec.make(loss="bce", optimizer="SGD").loss == "binary_cross_entropy"


NEAR = {
    "hiden": ([4], "hidden"),
    "weight_decay": (0.1, "regularization_rate"),
    "lr": (0.1, "learning_rate"),
}


@pytest.mark.parametrize("name", NEAR)
def test_a_field_that_is_near_one_is_asked_about(name: str) -> None:
    """In JSON-like data, where nothing is taken for something else."""
    value, meant = NEAR[name]
    with pytest.raises(SpecError, match=rf"; did you mean {meant}\?"):
        Spec.make({name: value})


@pytest.mark.parametrize(
    ("name", "near"),
    [("lr", "learning_rate"), ("learning_rat", "learning_rate"), ("weight_decay", "regularization_rate")],
)
def test_a_change_that_is_near_a_live_field_is_asked_about(name: str, near: str) -> None:
    """As a spec's own fields are, also of a state; of one that is a field, but not live, nothing is guessed."""
    with pytest.raises(SpecError, match=rf"without a new start; did you mean {near}\?"):
        Spec.make().with_changes(**{name: 0.1})
    with pytest.raises(SpecError, match=rf"or an address: .*; did you mean {near}\?"):
        apply(state_of(), name, 0.1)
    with pytest.raises(SpecError, match=r"without a new start$"):
        Spec.make().with_changes(hidden=[3])


@pytest.mark.parametrize(
    ("field", "value", "meant"),
    [
        ("initializer", "glorot_uniform", "xavier_uniform"),
        ("initializer", "kaiming_uniform", "he_uniform"),
        ("activation", "relo", "relu"),
        ("loss", "mse", "mean_squared_error"),
        ("optimizer", "Adam", "adam"),
    ],
)
def test_a_value_that_is_near_one_is_asked_about(field: str, value: str, meant: str) -> None:
    """The allowed ones are listed first; of nonsense nothing is guessed."""
    with pytest.raises(SpecError, match=rf"one of .*; did you mean {meant}\?"):
        Spec.make({field: value})
    with pytest.raises(SpecError) as caught:
        Spec.make({field: "qqqq"})
    assert "did you mean" not in str(caught.value)


def test_limits_are_who_asks_for_thems_and_stay() -> None:
    """The engine has none of its own; those that a spec was made under hold for what is made of it."""
    rows = {"x": [[float(i), 1.0] for i in range(12_000)], "y": [float(i) for i in range(12_000)]}
    spec = Spec.make(dataset="custom", data=rows, hidden=[300])
    state = advance(start(spec), 1).state
    assert unpack(pack(state)) == state
    assert apply(state, "batch_size", 11_000).spec.batch_size == 11_000
    assert Spec.make(spec.to_dict()) == spec
    assert spec.with_changes(learning_rate=0.5).limits == spec.limits
    small = replace(LIMITS, samples=50, searched=10)
    state = start(Spec.make({"samples": 50}, small))
    for after in (state, unpack(pack(state)), apply(state, "learning_rate", 0.5), advance(state, 1).state):
        for name, value in (("batch_size", 51), ("optimizer", "trial_and_error")):
            with pytest.raises(SpecError, match=r"50|10"):
                apply(after, name, value)
    for name, value in (("samples", 51), ("hidden", [257])):
        with pytest.raises(SpecError):
            Spec.make({name: value}, small)


@pytest.mark.parametrize("given", [{}, {"optimizer": "adam", "batch_size": 7}, {"optimizer": "trial_and_error"}])
def test_step_by_step_comes_to_the_same_bits(given: dict[str, Any]) -> None:
    """Also where others are carried on in between, where one is left and taken up again, and where one goes on from
    an older state."""
    whole = advance(state_of(**given), 60)
    states, losses = [state_of(**given)], list[float]()
    for _ in range(60):
        done = advance(states[-1], 1)
        advance(states[len(states) // 2], 2)
        states.append(done.state)
        losses += done.losses.tolist()
        trace(states[-1])
    assert states[-1] == whole.state
    assert losses == whole.losses.tolist()
    assert [advance(state, 60 - state.step).state for state in states[::7]] == [whole.state] * 9
    kept = state_of(5, **given)
    before = kept.parameters.tobytes(), kept.slots.tobytes()
    advance(kept, 5)
    assert (kept.parameters.tobytes(), kept.slots.tobytes()) == before


def test_progress_is_told_and_changes_nothing() -> None:
    """A hundred times, of all steps in order; also of a run that ends."""
    told = list[Progress]()
    done = advance(state_of(), 1_000, progress=told.append, traced=range(0, 1_000, 250))
    assert len(told) == 100
    assert [part.state.step for part in told] == list(range(10, 1_001, 10))
    assert [(part.before + part.done, part.asked) for part in told] == [(k, 1_000) for k in range(10, 1_001, 10)]
    assert repr(told[4]).startswith("Progress(50 of 1,000 steps to 50")
    assert done.state == state_of(1_000)
    assert done.losses.tolist() == advance(state_of(), 1_000).losses.tolist()
    assert [each.step for each in done.traces] == [0, 250, 500, 750]
    ended = state_of(optimizer="sgd", learning_rate=100, activation="identity", output_activation="identity")
    whole, parts = advance(ended, 500), advance(ended, 500, progress=told.append)
    assert whole.state.divergence
    assert (parts.state, parts.losses.tolist()) == (whole.state, whole.losses.tolist())


def test_gradient_norms_are_the_lengths_of_the_gradients() -> None:
    """Of one trace a number a layer, of several a row each."""
    traces = advance(state_of(), 30, traced=range(0, 30, 10)).traces
    expected = [[np.sqrt((k.dW**2).sum() + (k.db**2).sum()) for k in each.layers] for each in traces]
    assert np.allclose(gradient_norms(traces), expected)
    assert np.allclose(gradient_norms(traces[0]), expected[0])


class Pandas:
    """As much of it as a frame takes."""

    DataFrame = dict


def test_frames_are_of_pandas_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """A row a step, a row a parameter; without it one sentence says what to install."""
    done = advance(state_of(5), 10)
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match="pip install pandas"):
        done.to_frame()
    monkeypatch.setitem(sys.modules, "pandas", Pandas)
    frame = done.to_frame()
    assert (list(frame["step"]), list(frame["loss"])) == (list(range(5, 15)), done.losses.tolist())
    step = trace(done.state)
    frame = step.to_frame()
    place = frame["address"].index("W2.1.3")
    assert frame["value"][place] == step.layers[1].W[0, 2]
    assert frame["gradient"][place] == step.layers[1].dW[0, 2]
    assert frame["next"][place] == step.layers[1].W_next[0, 2]


def test_what_can_be_asked_is_exported() -> None:
    """By name, and the version is that of the package."""
    assert all(hasattr(engine, name) for name in engine.__all__)
    asked = {"gradient_check", "nudge", "slice_", "contour", "wishes", "receipt", "layer_health", "program"}
    assert asked | {"probes", "receipts", "health", "gradient_norms", "predict"} <= set(engine.__all__)
    assert engine.__version__[0].isdigit()
    with pytest.raises(AttributeError, match="nothing"):
        engine.nothing  # noqa: B018
    step = trace(state_of())
    assert (receipt(step, "W2.1.3").address, receipt(step, "a2.1").address) == ("W2.1.3", "a2.1")
    for address in ("W9.1.1", "W1", "a9.1"):
        with pytest.raises(SpecError, match=r"a1\.1 to a3\.1, or W<layer>.* in a network of 2 - 4 - 2 - 1 units"):
            receipt(step, address)


def test_the_keywords_are_typed_by_the_fields(tmp_path: Path) -> None:
    """Every field and no other; a type checker refuses a slip of the pen and passes what is right."""
    assert set(get_type_hints(SpecKeywords)) == set(FIELDS)
    program = tmp_path / "program.py"
    program.write_text(
        "from engine import Spec\n"
        "good = Spec.make(hidden=[4], learning_rate=0.1, data=None, activation=['relu'])\n"
        "also = Spec.make({'hidden': [4]})\n"
        "bad = Spec.make(hiden=[4])\n"
    )
    command = [sys.executable, "-m", "mypy", "--strict", str(program)]  # what `make types` has found is at hand
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    wrong = [line for line in done.stdout.splitlines() if "error:" in line]
    assert len(wrong) == 1
    assert 'Unexpected keyword argument "hiden"' in wrong[0]


def test_values_show_themselves_in_short() -> None:
    """A line as text; as HTML a table or a picture that is well formed, and needs nothing from elsewhere."""
    done = advance(state_of(dataset="spiral", hidden=[8, 3]), 300)
    step = trace(done.state)
    assert repr(done.state) == "RunState(spiral, 2-8-3-1, step 300)"
    assert repr(step) == f"Trace(step 300, 10 examples, loss {step.loss:.4g})"
    assert repr(done) == f"Progress(300 of 300 steps to 300, loss {done.losses[-1]:.4g})"
    own = Spec.make(dataset="custom", data={"x": [[i, 1.0] for i in range(3_000)], "y": list(range(3_000))})
    for shown in (done, step, done.state.spec, own, advance(done.state, 0)):
        html = shown._repr_html_()
        assert len(html) < 6_000
        assert ElementTree.fromstring(f"<div>{html}</div>") is not None
        assert not any(word in html for word in ("http", "<script", "<style"))


@pytest.mark.parametrize("name", ["apply", "contour", "evaluate", "gradient_check", "nudge", "pack", "plane", "predict",
    "replay", "slice_", "trace", "unit_maps", "wishes"])  # fmt: skip
def test_a_question_says_what_it_is_asked_of(name: str) -> None:
    """Whoever gives a spec for a state, or a state for a trace, is told what to give; and so with every question."""
    state = start(Spec.make())
    with pytest.raises(TypeError, match=f"^{name} takes a RunState, not a Spec: start.spec. makes one$"):
        getattr(engine, name)(state.spec)
    with pytest.raises(TypeError, match=f"^{name} takes a RunState, not a Progress: its .state is one$"):
        getattr(engine, name)(advance(state))
    for other, way in (("receipt", "trace"), ("layer_health", "trace"), ("program", "trace")):
        with pytest.raises(TypeError, match=f"^{other} takes a Trace, not a RunState: {way}.state. makes one$"):
            getattr(engine, other)(state)


def test_no_value_is_long_or_bare() -> None:
    """What the engine gives is a line of text; arrays are told by their shapes."""
    state = state_of(dataset="xor", hidden=[4])
    step = trace(state)
    maps = trace(start(Spec.make(dataset="digits16", samples=50, layers="conv2d 4 3x3 relu, batch_norm, max_pool 2")))
    looks = (slice_(state, "W1.1.1"), contour(state, "W1.1.1", "b1.1"), wishes(state), plane(state))
    layers = (step.layers[0], maps.layers[0], maps.layers[0].norm, receipt(maps, "a1.1"))
    for value in (*looks, *layers, examples_of(state.spec), state.spec.network, program(step)):
        assert len(repr(value)) < 400, value
        assert "\n" not in repr(value)


def test_a_graph_shows_itself_as_its_drawing() -> None:
    """Every vertex with its number and its gradient, in a column behind what feeds it; of a large one the inputs."""
    found = graph("L = (tanh(a*b + c) - y)**2", {"a": 0.8, "b": -1.5, "c": 2, "y": -0.5})
    assert repr(found) == "Graph('L = (tanh(a*b + c) - y)**2', L = 1.355)"
    html = ElementTree.fromstring(f"<div>{found._repr_html_()}</div>")
    words = [each.text for each in html.iter("{http://www.w3.org/2000/svg}text")]
    assert [words[k] for k in range(0, len(words), 2)] == [vertex.name for vertex in found.vertices]
    assert words[1] == f"0.8, gradient {found.grad[0]:.4g}"
    assert all(float(line.get("x1", 0)) < float(line.get("x2", 0)) for line in html.iter() if line.tag.endswith("line"))
    large = graph("L = " + " + ".join(f"w{k}*x{k}" for k in range(50)), {f"{c}{k}": 1 for k in range(50) for c in "wx"})
    assert len(large._repr_html_()) < 3_000
    assert "<td>w1</td><td>1</td><td>1</td>" in large._repr_html_()


DRAWN = (
    {"dataset": "xor", "hidden": [4]},
    {"dataset": "spiral", "layers": "dense 8 tanh, dense 8 tanh, dropout 0.2, shortcut 1"},
    {"dataset": "circle", "layers": "dense 4 tanh, batch_norm", "regularization": "l2", "regularization_rate": 0.1},
    {"dataset": "digits16", "hidden": [12, 3], "optimizer": "adam"},
)


@pytest.mark.parametrize("given", DRAWN, ids=lambda given: str(given["dataset"]))
def test_a_receipt_shows_equations_that_close(given: dict[str, Any]) -> None:
    """What stands left of each last = is, by a pocket calculator with the digits as printed, what stands right of it;
    the right one is the trace's number."""
    step = trace(advance(start(Spec.make(given)), 30).state)
    last = len(step.layers)
    told = []
    for address in ("W1.1.1", "b1.1", f"W{last}.1.2", "a1.1", f"a{last - 1}.2", f"a{last}.1"):
        found = receipt(step, address)
        text = ElementTree.fromstring(f"<div>{found._repr_html_()}</div>").findtext("pre") or ""
        assert len(repr(found)) < 120
        told += [line for line in text.splitlines() if " = " in line]
        first = {line.partition(" = ")[0]: line.rpartition(" = ")[2] for line in text.splitlines()}
        if address == "W1.1.1":
            assert float(first["dW1.1.1"].replace("−", "-")) == pytest.approx(found.gradient, abs=1e-4)
            assert float(first["next"].replace("−", "-")) == pytest.approx(found.next, abs=1e-4)
    assert closing(told) > 10


def closing(told: list[str]) -> int:
    """How many of these lines are sums, each of which closes by a pocket calculator."""
    sums = [line for line in told if line.count(" = ") == 2 and "activation" not in line]
    for line in sums:
        _, sum_, result = re.sub(r" \([^)]*\)", "", line).replace("−", "-").replace("×", "*").split(" = ")
        digits = len(result.partition(".")[2])
        assert f"{round(eval(sum_), digits) + 0.0:.{digits}f}" == result, line
    return len(sums)


@pytest.mark.parametrize("address", ["W2.2.1.2.3", "b1.2", "gamma2.1", "beta2.1"])
def test_the_receipt_of_what_all_places_share_shows_equations_that_close(address: str) -> None:
    """A kernel's weight meets many places in each example: the first of them, and the others as one number."""
    layers = "conv2d 2 3x3 tanh, max_pool 2, conv2d 2 3x3 tanh, batch_norm, dense 4 tanh"
    spec = Spec.make(dataset="digits16", layers=layers)
    found = receipt(trace(advance(start(spec), 3).state), address)
    text = ElementTree.fromstring(f"<div>{found._repr_html_()}</div>").findtext("pre") or ""
    assert closing(text.splitlines()) == 2
    assert "more)" in text


def test_a_network_is_shown_as_its_drawing() -> None:
    """A circle for each unit, a link for each weight, as wide as that is large and in the colour of its sign; a state's
    are its own, a wide layer's first eight units tell how many there are."""
    state = advance(state_of(dataset="xor", hidden=[4, 2]), 50).state
    svg = ElementTree.fromstring(state.spec.network._repr_svg_())
    name = "{http://www.w3.org/2000/svg}"
    assert len(svg.findall(f"{name}circle")) == 9
    assert len(svg.findall(f"{name}line")) == 2 * 4 + 4 * 2 + 2
    links = re.findall(r'<line [^>]*stroke="(#\w+)" stroke-width="([\d.]+)"', state._repr_html_())
    weights = np.concatenate([W.ravel() for W, _ in state.spec.network.layers(state.parameters)])
    largest = np.repeat([np.abs(W).max() for W, _ in state.spec.network.layers(state.parameters)], [8, 8, 2])
    assert [float(wide) for _, wide in links] == pytest.approx(0.3 + 3.7 * np.abs(weights) / largest, abs=0.01)
    assert len({colour for (colour, _), weight in zip(links, weights, strict=True) if weight > 0}) == 1
    assert {colour for (colour, _), w in zip(links, weights, strict=True) if w > 0}.isdisjoint(
        colour for (colour, _), w in zip(links, weights, strict=True) if w < 0
    )
    wide = state_of(dataset="digits16", layers="dense 20 tanh, dense 20 tanh, shortcut 1")
    html = wide._repr_html_()
    assert "… 256" in html
    assert "… 20" in html
    assert html.count("<path") == 1
    assert len(html) < 40_000


def test_a_trace_is_shown_with_its_own_norms() -> None:
    """Each layer's, in the order of the table's head."""
    step = trace(state_of(20))
    rows = list(ElementTree.fromstring(f"<div>{step._repr_html_()}</div>").iter("tr"))
    names = [cell.text or "" for cell in rows[0]][3:]
    for row, layer in zip(rows[1:], step.layers, strict=True):
        told = [cell.text for cell in row][3:]
        assert told == [f"{np.linalg.norm(getattr(layer, name.strip('|'))):.4g}" for name in names]


def test_a_line_of_losses_is_where_they_are() -> None:
    """Its first, least and largest points read back are the losses."""
    losses = np.array([4.0, 1.0, 3.0, 2.0])
    points = re.findall(r"([\d.]+),([\d.]+)", sparkline(losses))
    heights = [(58 - float(y)) / 56 * 3 + 1 for _, y in points]
    assert np.allclose(heights, losses, atol=0.01)
    assert [float(x) for x, _ in points] == [0, 100, 200, 300]
