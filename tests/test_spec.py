"""A spec says everything about a run, refuses what cannot work with the reason, and survives the trip through JSON."""

import json
import math
from dataclasses import FrozenInstanceError, fields
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import ACTIVATIONS, DATASETS, FIELDS, INITIALIZERS, LIMITS, LOSSES, OPTIMIZERS, PENALTIES, SCHEDULES
from engine.features import features_for
from engine.spec import CUSTOM, Spec, SpecError

XOR = {"x": [[0, 0], [0, 1], [1, 0], [1, 1]], "y": [0, 1, 1, 0]}


def refusal(**given: Any) -> SpecError:
    with pytest.raises(SpecError) as caught:
        Spec.make(given, LIMITS)
    return caught.value


@st.composite
def specs(draw: st.DrawFn) -> dict[str, Any]:
    """Any spec from the tables that can work."""
    dataset = draw(st.sampled_from(list(DATASETS)))
    features = features_for(DATASETS[dataset].inputs)
    hidden = draw(st.lists(st.integers(1, 9), max_size=4))
    names = st.sampled_from(list(ACTIVATIONS))
    given: dict[str, Any] = {
        "dataset": dataset,
        "samples": draw(st.integers(2, 60)),
        "noise": draw(st.floats(0, 1)),
        "test_share": draw(st.floats(0, 0.9)),
        "hidden": hidden,
        "activation": draw(st.one_of(names, st.lists(names, min_size=len(hidden), max_size=len(hidden)))),
        "initializer": draw(st.sampled_from(list(INITIALIZERS))),
        "seed": draw(st.integers(0, 2**32 - 1)),
        "optimizer": draw(st.sampled_from(list(OPTIMIZERS))),
        "schedule": draw(st.sampled_from(list(SCHEDULES))),
        "learning_rate": draw(st.floats(1e-7, 100)),
        "regularization": draw(st.sampled_from(list(PENALTIES))),
        "regularization_rate": draw(st.floats(0, 10)),
        "batch_size": draw(st.integers(1, 100)),
        "frozen": draw(st.sampled_from([[], ["biases"], ["W1.1.1"], ["b1.1", "biases", "b1.1"]])),
    }
    if features:
        given["features"] = draw(st.lists(st.sampled_from(features), min_size=1))
    if DATASETS[dataset].task != "regression":
        loss = draw(st.sampled_from(list(LOSSES)))
        outputs = [name for name, activation in ACTIVATIONS.items() if not LOSSES[loss].refuses(activation)]
        given |= {"loss": loss, "output_activation": draw(st.sampled_from(outputs))}
    if given["optimizer"] == "trial_and_error" and dataset == "digits16":
        given["optimizer"] = "sgd"
    return given


@settings(max_examples=200, deadline=None)
@given(specs())
def test_through_json_and_back(given: dict[str, Any]) -> None:
    """`to_dict` is JSON, and `Spec.make` of it is an equal spec with an equal hash."""
    spec = Spec.make(given)
    text = json.dumps(spec.to_dict(), allow_nan=False)
    again = Spec.make(json.loads(text))
    assert again == spec
    assert hash(again) == hash(spec)
    assert json.dumps(again.to_dict()) == text
    short = {"hidden", "activation"}  # of layers
    assert set(spec.to_dict()) == set(FIELDS) == {field.name for field in fields(Spec)} - {"limits"} | short


@pytest.mark.parametrize("task", ["regression", "binary", "multiclass"])
def test_own_data_and_parameters_through_json_and_back(task: str) -> None:
    """Custom examples and explicit parameters come back number by number."""
    y = {"regression": [[0.1, -2.0]] * 4, "binary": [-1, 1, 1, -1], "multiclass": [0, 2, 1, 2]}[task]
    spec = Spec.make(dataset=CUSTOM, data={"x": XOR["x"], "y": y, "task": task}, hidden=[2])
    outputs = spec.network.sizes[-1]
    parameters = [
        {"W": [[0.1, 0.2], [1 / 3, -4e-7]], "b": [0.5, -0.5]},
        {"W": [[1.0, 2.0]] * outputs, "b": [3.0] * outputs},
    ]
    spec = Spec.make(spec.to_dict(), parameters=parameters)
    again = Spec.make(json.loads(json.dumps(spec.to_dict())))
    assert again == spec
    assert again.to_dict()["parameters"] == parameters
    assert (spec.task, outputs, spec.samples) == (task, {"regression": 2, "binary": 1, "multiclass": 3}[task], 4)


def test_nothing_given_is_the_promised_default() -> None:
    """circle, x1 and x2, hidden 4 and 2, tanh, squared_error, SGD 0.03, batch 10, seed 0."""
    spec = Spec.make()
    assert (spec.dataset, spec.features, spec.hidden) == ("circle", ("x1", "x2"), (4, 2))
    assert (spec.activation, spec.output_activation, spec.loss) == (("tanh", "tanh"), "tanh", "squared_error")
    assert (spec.optimizer, spec.learning_rate, spec.batch_size, spec.seed) == ("sgd", 0.03, 10, 0)
    assert spec == Spec.make({}) == Spec.make(dict.fromkeys(FIELDS))
    assert spec.network.sizes == (2, 4, 2, 1)


@pytest.mark.parametrize(
    ("given", "output", "loss"),
    [
        ({"dataset": "line"}, "identity", "squared_error"),
        ({"dataset": "three_blobs"}, "softmax", "cross_entropy"),
        ({"dataset": "three_blobs", "output_activation": "tanh"}, "tanh", "squared_error"),
        ({"loss": "binary_cross_entropy"}, "sigmoid", "binary_cross_entropy"),
        ({"loss": "hinge"}, "tanh", "hinge"),
        ({"loss": "cross_entropy"}, "softmax", "cross_entropy"),
        ({"output_activation": "softmax"}, "softmax", "cross_entropy"),
    ],
)
def test_loss_and_output_follow_each_other_and_the_task(given: dict[str, Any], output: str, loss: str) -> None:
    """Where one is left open the other and the task decide."""
    spec = Spec.make(given)
    assert (spec.output_activation, spec.loss) == (output, loss)


def test_yes_or_no_by_softmax_has_two_outputs() -> None:
    """A binary task has one output, with softmax two; three classes have three."""
    assert Spec.make(loss="cross_entropy").network.sizes[-1] == 2
    assert Spec.make(dataset="three_blobs").network.sizes[-1] == 3
    assert Spec.make(dataset="digits16", hidden=[16]).network.sizes == (256, 16, 10)


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("output", ACTIVATIONS)
def test_a_refused_pair_says_why(name: str, output: str) -> None:
    """The loss's own reason reaches the person who chose the pair."""
    reason = LOSSES[name].refuses(ACTIVATIONS[output])
    if not reason:
        assert Spec.make(dataset="three_blobs", loss=name, output_activation=output).loss == name
        return
    error = refusal(dataset="three_blobs", loss=name, output_activation=output)
    assert error.field == "loss"
    assert reason in str(error)
    assert output in str(error)


BAD: list[tuple[dict[str, Any], str]] = [
    ({"dataset": "moon"}, "dataset"),
    ({"dataset": ["moons"]}, "dataset"),
    ({"nonsense": 1}, "nonsense"),
    ({"samples": 1}, "samples"),
    ({"samples": LIMITS.samples + 1}, "samples"),
    ({"samples": 10.5}, "samples"),
    ({"samples": True}, "samples"),
    ({"samples": "100"}, "samples"),
    ({"samples": 10**400}, "samples"),
    ({"noise": -0.1}, "noise"),
    ({"noise": math.nan}, "noise"),
    ({"test_share": 0.95}, "test_share"),
    ({"features": []}, "features"),
    ({"features": "x1"}, "features"),
    ({"features": ["x3"]}, "features.0"),
    ({"dataset": "sine", "features": ["x2"]}, "features.0"),
    ({"dataset": "digits16", "features": ["x1"]}, "features.0"),
    ({"dataset": "digits16", "features": 0}, "features"),
    ({"hidden": [0]}, "hidden.0"),
    ({"hidden": [4, 257]}, "hidden.1"),
    ({"hidden": [1] * 9}, "hidden"),
    ({"hidden": 4}, "hidden"),
    ({"hidden": [256, 256, 256]}, "hidden"),
    ({"activation": "tan"}, "activation"),
    ({"activation": ["tanh"]}, "activation"),
    ({"activation": ["tanh", 3]}, "activation.1"),
    ({"output_activation": "none"}, "output_activation"),
    ({"dataset": "line", "output_activation": "softmax"}, "output_activation"),
    ({"initializer": 0}, "initializer"),
    ({"parameters": []}, "parameters"),
    ({"hidden": [], "parameters": [{"W": [[1, 2]]}]}, "parameters.0"),
    ({"hidden": [], "parameters": [{"W": [[1]], "b": [0]}]}, "parameters.0.W.0"),
    ({"hidden": [], "parameters": [{"W": [[1, 2]], "b": [0, 0]}]}, "parameters.0.b"),
    ({"hidden": [], "parameters": [{"W": [[1, math.inf]], "b": [0]}]}, "parameters.0.W.0.1"),
    ({"hidden": [], "parameters": [{"W": [[1, 2]], "b": [None]}]}, "parameters.0.b.0"),
    ({"seed": -1}, "seed"),
    ({"seed": 2**32}, "seed"),
    ({"loss": "cost"}, "loss"),
    ({"dataset": "sine", "loss": "hinge"}, "loss"),
    ({"optimizer": "lion"}, "optimizer"),
    ({"optimizer": "trial_and_error", "hidden": [32, 32]}, "optimizer"),
    ({"optimizer_settings": {"momentum": 0.5}}, "optimizer_settings.momentum"),
    ({"optimizer": "adam", "optimizer_settings": {"beta1": 1.0}}, "optimizer_settings.beta1"),
    ({"optimizer": "adam", "optimizer_settings": [0.9]}, "optimizer_settings"),
    ({"learning_rate": 0}, "learning_rate"),
    ({"learning_rate": 101}, "learning_rate"),
    ({"schedule": "nosuch"}, "schedule"),
    ({"schedule": "step", "schedule_settings": {"every": 2.5}}, "schedule_settings.every"),
    ({"regularization": "l3"}, "regularization"),
    ({"regularization_rate": 11}, "regularization_rate"),
    ({"batch_size": 0}, "batch_size"),
    ({"frozen": "biases"}, "frozen"),
    ({"frozen": ["W1.9.1"]}, "frozen.0"),
    ({"frozen": [1]}, "frozen.0"),
    ({"frozen": ["b1.1"] * 1001}, "frozen"),
    ({"dataset": "xor", "data": XOR}, "data"),
    ({"dataset": CUSTOM}, "data"),
    ({"dataset": CUSTOM, "data": {"x": [[1]], "y": [1], "z": 1}}, "data"),
    ({"dataset": CUSTOM, "data": {"x": [], "y": []}}, "data.x"),
    ({"dataset": CUSTOM, "data": {"x": [[1], [2, 3]], "y": [0, 1]}}, "data.x.1"),
    ({"dataset": CUSTOM, "data": {"x": [[1], [2]], "y": [0]}}, "data.y"),
    ({"dataset": CUSTOM, "data": {"x": [[1], ["2"]], "y": [0, 1]}}, "data.x.1.0"),
    ({"dataset": CUSTOM, "data": {"x": [[1e151]], "y": [0]}}, "data.x.0.0"),
    ({"dataset": CUSTOM, "data": {"x": [[1]], "y": [0.5], "task": "binary"}}, "data.y"),
    ({"dataset": CUSTOM, "data": {"x": [[1]], "y": [10], "task": "multiclass"}}, "data.y"),
    ({"dataset": CUSTOM, "data": {"x": [[1]], "y": [0.5], "task": "ranking"}}, "data.task"),
    ({"dataset": CUSTOM, "data": {"x": [[0]] * 10_001, "y": [0] * 10_001}}, "data.x"),
    ({"dataset": CUSTOM, "data": {"x": [[0] * 256] * 1_000, "y": [0] * 1_000}}, "data.x"),
    ({"dataset": CUSTOM, "data": {"x": [[0]], "y": [[5.0]]}, "loss": "binary_cross_entropy"}, "loss"),
]


@pytest.mark.parametrize(("given", "field"), BAD, ids=[f"{field}-{i}" for i, (_, field) in enumerate(BAD)])
def test_what_cannot_work_is_refused_by_field(given: dict[str, Any], field: str) -> None:
    """The error names the field, what was given and what is allowed, in one short line."""
    error = refusal(**given)
    assert error.field == field
    assert str(error) == f"{error.field}: {error.value} is not allowed, must be {error.allowed}"
    assert error.allowed
    assert len(error.value) <= 60


@pytest.mark.parametrize("text", ["\ud800", "<script>alert(1)</script>", "\x00\x1b[31m", "é" * 5000, "﷽\u202e"])
def test_a_message_repeats_only_short_plain_text(text: str) -> None:
    """Whatever was sent, as a value or as a name, the message is ASCII without control characters."""
    for error in (refusal(dataset=text), refusal(**{text: 1}), refusal(optimizer_settings={text: 1})):
        assert str(error).isascii()
        assert str(error).isprintable()
        assert len(str(error)) < 600


def test_a_number_too_long_to_print_is_refused_too() -> None:
    """Python will not print 5,000 digits; the message does not try."""
    assert refusal(seed=10**5000).value == "a very long number"


def test_a_spec_is_a_value() -> None:
    """Frozen, equal by content, usable as a key."""
    spec = Spec.make()
    with pytest.raises(FrozenInstanceError):
        spec.seed = 1  # type: ignore[misc]
    assert len({spec, Spec.make(), Spec.make(seed=1)}) == 2


def test_live_fields_change_and_others_ask_for_a_new_start() -> None:
    """`with_changes` takes the live ones; a change of optimizer brings its own settings."""
    spec = Spec.make(optimizer="momentum", optimizer_settings={"momentum": 0.5})
    assert spec.with_changes(learning_rate=0.1).learning_rate == 0.1
    assert dict(spec.with_changes(learning_rate=0.1).optimizer_settings) == {"momentum": 0.5}
    assert dict(spec.with_changes(optimizer="nesterov").optimizer_settings) == {"momentum": 0.9}
    assert dict(spec.with_changes(optimizer="momentum").optimizer_settings) == {"momentum": 0.5}
    assert spec.with_changes(schedule="step").schedule_settings == (("every", 500.0), ("factor", 0.5))
    for name, field in FIELDS.items():
        if not field.live:
            with pytest.raises(SpecError, match="without a new start"):
                spec.with_changes(**{name: spec.to_dict()[name]})
    with pytest.raises(SpecError, match="unknown: 1"):
        spec.with_changes(unknown=1)


def test_smaller_limits_may_be_asked_for() -> None:
    """A deployment can allow less."""
    from dataclasses import replace

    small = replace(LIMITS, parameters=10)
    with pytest.raises(SpecError, match="25 parameters of at most 10"):
        Spec.make({}, small)
    assert Spec.make({"hidden": []}, small).network.size == 3
    with pytest.raises(SpecError, match="layers: 'conv2d 2 3x3 relu, max_pool 2' is not allowed"):
        Spec.make(dataset="digits16", layers="conv2d 2 3x3 relu, max_pool 2", limits=small)


def test_the_largest_network_is_within_reach() -> None:
    """Eight layers, 256 units, 120,000 parameters: allowed, and no larger."""
    assert Spec.make(hidden=[120] * 8).network.size <= LIMITS.parameters
    assert Spec.make(dataset="digits16", hidden=[256, 128]).network.size <= LIMITS.parameters
    assert refusal(dataset="digits16", hidden=[256, 256]).field == "hidden"


@pytest.mark.parametrize("field", FIELDS.values(), ids=FIELDS)
def test_the_table_of_fields_is_whole(field: Any) -> None:
    """Title and sentence for each, bounds for each number, and the default within them."""
    assert field.title
    assert field.sentence.endswith(".")
    if field.kind in ("number", "integer"):
        low, high = field.bounds
        assert low <= field.default <= high
    if field.kind == "choice" and field.default is not None:
        assert field.default in field.choices
