"""Spec: everything a run is made of, with every limit. This is the only place that validates one.

A Spec is a frozen value with nothing left open: defaults that depend on the dataset or on each other are resolved
when it is made, so the same spec means the same run anywhere.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from functools import cached_property
from math import isfinite
from typing import Any, Literal

from engine.activations import ACTIVATIONS
from engine.datasets import DATASETS
from engine.features import FEATURES, features_for
from engine.initializers import INITIALIZERS
from engine.losses import LOSSES
from engine.network import Network
from engine.optimizers import OPTIMIZERS
from engine.schedules import SCHEDULES
from engine.settings import Setting

Group = Literal["data", "network", "training"]
Kind = Literal["choice", "choices", "integer", "number", "integers", "settings", "frozen", "parameters", "data"]

CUSTOM = "custom"
REGULARIZATIONS = {
    "none": "Nothing is added to the loss.",
    "l1": "Adds rate times the sum of |w|: pulls every weight towards zero with equal force, many to exactly zero.",
    "l2": "Adds rate / 2 times the sum of w squared: pulls large weights most, leaves small ones small.",
}


class SpecError(ValueError):
    """A field that a spec cannot have: which one, what was given, and what is allowed."""

    def __init__(self, field: str, value: object, allowed: str) -> None:
        self.field, self.value, self.allowed = field, _short(value), allowed
        super().__init__(f"{field}: {self.value} is not allowed, must be {allowed}")


def _short(value: object) -> str:
    text = ascii(value) if isinstance(value, str | int | float | bool | None) else type(value).__name__
    return text if len(text) <= 60 else text[:57] + "..."


@dataclass(frozen=True)
class Limits:
    """The largest run that may be asked for."""

    hidden_layers: int = 8
    units: int = 256
    parameters: int = 120_000
    samples: int = 5_000
    custom_rows: int = 1_000
    custom_columns: int = 256
    custom_values: int = 20_000
    custom_outputs: int = 10
    frozen: int = 1_000


LIMITS = Limits()


@dataclass(frozen=True)
class Field:
    """One field of a Spec, as the catalog, the form and the link show it. `live` ones change without a reset."""

    name: str
    title: str
    group: Group
    kind: Kind
    default: Any
    sentence: str
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    live: bool = False


FIELDS: dict[str, Field] = {
    field.name: field
    for field in (
        Field("dataset", "Dataset", "data", "choice", "circle", "What there is to learn.",
              choices=(*DATASETS, CUSTOM)),
        Field("samples", "Examples", "data", "integer", 200, "How many examples there are, training and test together.",
              2, LIMITS.samples),
        Field("noise", "Noise", "data", "number", 0.1, "How far examples stray from the clean pattern.", 0, 1),
        Field("test_share", "Test share", "data", "number", 0.4, "Share of the examples kept back for testing.", 0, 0.9),
        Field("features", "Inputs", "data", "choices", None, "What the network is shown of each point.",
              choices=tuple(FEATURES)),
        Field("data", "My data", "data", "data", None,
              "Your own examples: x, a row of numbers each; y, a number or a row each; task, if it is not evident."),
        Field("hidden", "Hidden layers", "network", "integers", (4, 2), "Units in each hidden layer.",
              1, LIMITS.units),
        Field("activation", "Activation", "network", "choices", "tanh", "One for all hidden layers, or one for each.",
              choices=tuple(ACTIVATIONS)),
        Field("output_activation", "Output activation", "network", "choice", None,
              "Applied by the output layer; follows the task and the loss if not given.", choices=tuple(ACTIVATIONS)),
        Field("initializer", "Start", "network", "choice", "xavier_uniform", "Where the weights start.",
              choices=tuple(INITIALIZERS)),
        Field("parameters", "Starting parameters", "network", "parameters", None,
              "Explicit weights and biases, one {W, b} a layer, in place of an initializer."),
        Field("seed", "Seed", "network", "integer", 0, "Everything random follows from it.", 0, 2**32 - 1),
        Field("loss", "Loss", "training", "choice", None, "How far off counts how much; follows the task if not given.",
              choices=tuple(LOSSES)),
        Field("optimizer", "Optimizer", "training", "choice", "sgd", "How a gradient becomes a step.",
              choices=tuple(OPTIMIZERS), live=True),
        Field("optimizer_settings", "Optimizer settings", "training", "settings", None,
              "The optimizer's own numbers.", live=True),
        Field("learning_rate", "Learning rate", "training", "number", 0.03, "How large a step is.", 1e-7, 100, live=True),
        Field("schedule", "Schedule", "training", "choice", "constant", "How the learning rate changes over steps.",
              choices=tuple(SCHEDULES), live=True),
        Field("schedule_settings", "Schedule settings", "training", "settings", None,
              "The schedule's own numbers.", live=True),
        Field("regularization", "Regularization", "training", "choice", "none", "Pulls weights towards zero.",
              choices=tuple(REGULARIZATIONS), live=True),
        Field("regularization_rate", "Regularization rate", "training", "number", 0.0, "How strongly it pulls.",
              0, 10, live=True),
        Field("batch_size", "Batch size", "training", "integer", 10, "Examples in each step's mini-batch.",
              1, LIMITS.samples, live=True),
        Field("frozen", "Frozen", "training", "frozen", (), "Parameters that training leaves alone: addresses, or "
              "'biases' for all of them.", live=True),
    )
}  # fmt: skip


@dataclass(frozen=True)
class CustomData:
    """Examples given by the user: x (rows, inputs), y (rows, outputs), and what the task is."""

    x: tuple[tuple[float, ...], ...]
    y: tuple[tuple[float, ...], ...]
    task: Literal["regression", "binary", "multiclass"]

    @property
    def outputs(self) -> int:
        """Values to predict per example; for multiclass, how many classes."""
        if self.task == "multiclass":
            return max(2, int(max(row[0] for row in self.y)) + 1)
        return len(self.y[0])


@dataclass(frozen=True)
class Spec:
    """Everything a run is made of. Make one with `Spec.make`, which validates and fills in what was left open.

    `activation` has one name a hidden layer. `optimizer_settings` and `schedule_settings` are sorted (name, value)
    pairs, every setting present. `parameters` is the flat starting vector, in the order of `Network.layers`.
    """

    dataset: str
    samples: int
    noise: float
    test_share: float
    features: tuple[str, ...]
    data: CustomData | None
    hidden: tuple[int, ...]
    activation: tuple[str, ...]
    output_activation: str
    initializer: str
    parameters: tuple[float, ...] | None
    seed: int
    loss: str
    optimizer: str
    optimizer_settings: tuple[tuple[str, float], ...]
    learning_rate: float
    schedule: str
    schedule_settings: tuple[tuple[str, float], ...]
    regularization: str
    regularization_rate: float
    batch_size: int
    frozen: tuple[str, ...]

    @classmethod
    def make(cls, given: Mapping[str, Any] | None = None, limits: Limits = LIMITS, **more: Any) -> "Spec":
        """A complete spec from a JSON-like mapping and keywords; SpecError names the first field that is wrong."""
        return _Maker({**(given or {}), **more}, limits).spec()

    def with_changes(self, **changes: Any) -> "Spec":
        """This spec with live fields changed; SpecError for one that needs a new start."""
        for name in changes:
            if name not in FIELDS or not FIELDS[name].live:
                live = ", ".join(field.name for field in FIELDS.values() if field.live)
                raise SpecError(name, changes[name], f"left as it is: only {live} change without a new start")
        given = self.to_dict() | changes
        for rule in ("optimizer", "schedule"):
            if rule in changes and changes[rule] != getattr(self, rule):
                given[f"{rule}_settings"] = changes.get(f"{rule}_settings")
        return Spec.make(given)

    def to_dict(self) -> dict[str, Any]:
        """JSON-able, and `Spec.make` of it gives an equal spec."""
        plain: dict[str, Any] = {
            field.name: list(value) if isinstance(value := getattr(self, field.name), tuple) else value
            for field in fields(self)
        }
        plain["optimizer_settings"] = dict(self.optimizer_settings)
        plain["schedule_settings"] = dict(self.schedule_settings)
        plain["data"] = asdict(self.data) if self.data else None
        if self.parameters is not None:
            plain["parameters"] = _nested(self.network, self.parameters)
        return plain

    @cached_property
    def task(self) -> str:
        """regression, binary or multiclass."""
        return self.data.task if self.data else DATASETS[self.dataset].task

    @cached_property
    def network(self) -> Network:
        """The network's shape."""
        width = len(self.features) or self.raw_inputs
        outputs = self.data.outputs if self.data else DATASETS[self.dataset].outputs
        if self.task == "binary" and self.output_activation == "softmax":
            outputs = 2
        return Network((width, *self.hidden, outputs), (*self.activation, self.output_activation), self.loss)

    @property
    def raw_inputs(self) -> int:
        """Numbers in one raw example, before features."""
        return len(self.data.x[0]) if self.data else DATASETS[self.dataset].inputs


def _nested(network: Network, flat: Sequence[float]) -> list[dict[str, Any]]:
    values, nested = iter(flat), []
    for units, columns in network.shapes:
        rows = [[next(values) for _ in range(columns)] for _ in range(units)]
        nested.append({"W": [row[:-1] for row in rows], "b": [row[-1] for row in rows]})
    return nested


class _Maker:
    """Checks the fields in an order in which each may rest on those before it."""

    def __init__(self, given: Mapping[str, Any], limits: Limits) -> None:
        for name in given:
            if name not in FIELDS:
                raise SpecError(name, given[name], "left out: a spec has " + ", ".join(FIELDS))
        self.given, self.limits = given, limits

    def spec(self) -> Spec:
        dataset = self.choice("dataset")
        data = self.custom_data(dataset)
        info = DATASETS.get(dataset)
        inputs = len(data.x[0]) if data else info.inputs if info else 0
        task = data.task if data else info.task if info else "regression"
        hidden = self.hidden()
        loss, output = self.loss_and_output(task)
        spec = Spec(
            dataset=dataset,
            samples=len(data.x) if data else self.integer("samples", info.max_samples if info else None),
            noise=self.number("noise"),
            test_share=self.number("test_share"),
            features=self.features(inputs),
            data=data,
            hidden=hidden,
            activation=self.activation(len(hidden)),
            output_activation=output,
            initializer=self.choice("initializer"),
            parameters=None,
            seed=self.integer("seed"),
            loss=loss,
            optimizer=(optimizer := self.choice("optimizer")),
            optimizer_settings=self.settings("optimizer_settings", OPTIMIZERS[optimizer].settings),
            learning_rate=self.number("learning_rate"),
            schedule=(schedule := self.choice("schedule")),
            schedule_settings=self.settings("schedule_settings", SCHEDULES[schedule].settings),
            regularization=self.choice("regularization"),
            regularization_rate=self.number("regularization_rate"),
            batch_size=self.integer("batch_size"),
            frozen=(),
        )
        network = spec.network
        if network.size > self.limits.parameters:
            raise SpecError(
                "hidden",
                len(hidden),
                f"smaller: {network.size:,} parameters of at most {self.limits.parameters:,}",
            )
        return replace(spec, parameters=self.parameters(network), frozen=self.frozen(network))

    def value(self, name: str) -> Any:
        given = self.given.get(name)
        return FIELDS[name].default if given is None else given

    def choice(self, name: str) -> str:
        return _one_of(name, self.value(name), FIELDS[name].choices)

    def number(self, name: str) -> float:
        field = FIELDS[name]
        return _number(name, self.value(name), field.minimum, field.maximum)

    def integer(self, name: str, maximum: float | None = None) -> int:
        field = FIELDS[name]
        return _integer(name, self.value(name), field.minimum, maximum or field.maximum)

    def settings(self, name: str, allowed: tuple[Setting, ...]) -> tuple[tuple[str, float], ...]:
        given = self.value(name)
        if given is None:
            given = {}
        if not isinstance(given, Mapping):
            raise SpecError(name, given, "an object of numbers by name")
        names = [setting.name for setting in allowed]
        for key in given:
            if key not in names:
                raise SpecError(
                    f"{name}.{key}",
                    given[key],
                    "left out" + (f": there are {', '.join(names)}" if names else ""),
                )
        return tuple(
            (
                s.name,
                float(
                    (_integer if s.whole else _number)(
                        f"{name}.{s.name}", given.get(s.name, s.default), s.minimum, s.maximum
                    )
                ),
            )
            for s in allowed
        )

    def hidden(self) -> tuple[int, ...]:
        given = _list(
            "hidden",
            self.value("hidden"),
            f"a list of 0 to {self.limits.hidden_layers} numbers of units",
        )
        if len(given) > self.limits.hidden_layers:
            raise SpecError("hidden", len(given), f"at most {self.limits.hidden_layers} layers")
        return tuple(_integer(f"hidden.{i}", units, 1, self.limits.units) for i, units in enumerate(given))

    def activation(self, layers: int) -> tuple[str, ...]:
        given = self.value("activation")
        if isinstance(given, str):
            return (_one_of("activation", given, tuple(ACTIVATIONS)),) * layers
        names = _list("activation", given, "one name, or a list with one for each hidden layer")
        if len(names) != layers:
            raise SpecError("activation", len(names), f"one name, or {layers}: one for each hidden layer")
        return tuple(_one_of(f"activation.{i}", name, tuple(ACTIVATIONS)) for i, name in enumerate(names))

    def features(self, inputs: int) -> tuple[str, ...]:
        allowed, given = features_for(inputs), self.given.get("features")
        if given is None or (not given and not allowed):
            return allowed[:inputs] if not allowed or inputs == 1 else ("x1", "x2")
        names = _list("features", given, "a list of feature names")
        chosen = {_one_of(f"features.{i}", name, allowed) for i, name in enumerate(names)}
        if not chosen:
            raise SpecError("features", "[]", "at least one of " + ", ".join(allowed))
        return tuple(name for name in allowed if name in chosen)

    def loss_and_output(self, task: str) -> tuple[str, str]:
        """Each follows the other and the task where it is not given; the loss then has its say on the output."""
        loss, output = self.given.get("loss"), self.given.get("output_activation")
        if loss is not None:
            loss = _one_of("loss", loss, tuple(LOSSES))
        if output is None:
            output = _OUTPUT_FOR_LOSS.get(loss or "") or _OUTPUT_FOR_TASK[task]
        output = _one_of("output_activation", output, tuple(ACTIVATIONS))
        if loss is None:
            loss = "cross_entropy" if output == "softmax" else "squared_error"
        if reason := LOSSES[loss].refuses(ACTIVATIONS[output]):
            raise SpecError("loss", loss, f"another with output activation {output}: {reason}")
        if task == "regression" and loss in _CLASS_LOSSES and self.value("dataset") != CUSTOM:
            raise SpecError(
                "loss",
                loss,
                f"another: {self.value('dataset')} is regression and this loss needs classes",
            )
        return loss, output

    def parameters(self, network: Network) -> tuple[float, ...] | None:
        given = self.given.get("parameters")
        if given is None:
            return None
        layers = _list("parameters", given, "a list of {W, b}, one a layer")
        if len(layers) != len(network.shapes):
            raise SpecError("parameters", len(layers), f"{len(network.shapes)} layers of {{W, b}}")
        flat: list[float] = []
        for k, (layer, (units, columns)) in enumerate(zip(layers, network.shapes, strict=True)):
            flat += _layer_values(f"parameters.{k}", layer, units, columns - 1)
        return tuple(flat)

    def frozen(self, network: Network) -> tuple[str, ...]:
        given = _list("frozen", self.value("frozen"), "a list of addresses such as W1.2.1, or 'biases'")
        if len(given) > self.limits.frozen:
            raise SpecError("frozen", len(given), f"at most {self.limits.frozen}")
        for i, address in enumerate(given):
            if not isinstance(address, str):
                raise SpecError(f"frozen.{i}", address, "an address such as W1.2.1, or 'biases'")
            if address != "biases":
                try:
                    network.locate(address)
                except ValueError as error:
                    raise SpecError(f"frozen.{i}", address, str(error)) from None
        return tuple(dict.fromkeys(given))

    def custom_data(self, dataset: str) -> CustomData | None:
        given = self.given.get("data")
        if dataset != CUSTOM:
            if given is not None:
                raise SpecError("data", given, "left out, unless dataset is 'custom'")
            return None
        if not isinstance(given, Mapping) or not {"x", "y"} <= set(given) <= {"x", "y", "task"}:
            raise SpecError("data", given, "an object with x and y, and task if it is not evident")
        x = self._rows("data.x", given["x"], self.limits.custom_columns)
        y = self._rows("data.y", given["y"], self.limits.custom_outputs)
        if len(x) != len(y):
            raise SpecError("data.y", len(y), f"as many rows as data.x: {len(x)}")
        return _with_task(x, y, given.get("task"))

    def _rows(self, name: str, given: Any, columns: int) -> tuple[tuple[float, ...], ...]:
        rows = _list(name, given, "a list of rows of numbers")
        if not 1 <= len(rows) <= self.limits.custom_rows:
            raise SpecError(name, len(rows), f"1 to {self.limits.custom_rows} rows")
        lists = [row if isinstance(row, list | tuple) else [row] for row in rows]
        width = len(lists[0])
        if not 1 <= width <= columns or width * len(rows) > self.limits.custom_values:
            raise SpecError(name, width, f"1 to {columns} numbers a row, {self.limits.custom_values:,} in all")
        for i, row in enumerate(lists):
            if len(row) != width:
                raise SpecError(f"{name}.{i}", len(row), f"as long as the first row: {width}")
        return tuple(
            tuple(_number(f"{name}.{i}.{j}", value, -1e6, 1e6) for j, value in enumerate(row))
            for i, row in enumerate(lists)
        )


_OUTPUT_FOR_LOSS = {"binary_cross_entropy": "sigmoid", "cross_entropy": "softmax", "hinge": "tanh"}
_OUTPUT_FOR_TASK = {"regression": "identity", "binary": "tanh", "multiclass": "softmax"}
_CLASS_LOSSES = {"binary_cross_entropy", "cross_entropy", "hinge"}


def _one_of(field: str, value: Any, allowed: Sequence[str]) -> str:
    if not isinstance(value, str) or value not in allowed:
        raise SpecError(field, value, "one of " + ", ".join(allowed) if allowed else "left out here")
    return value


def _number(field: str, value: Any, minimum: float | None, maximum: float | None) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        low, high = -1e12 if minimum is None else minimum, 1e12 if maximum is None else maximum
        if low <= value <= high and isfinite(value):  # the range first: a huge int has no float to test
            return float(value)
    raise SpecError(
        field,
        value,
        f"a number from {minimum:g} to {maximum:g}" if maximum is not None else "a finite number",
    )


def _integer(field: str, value: Any, minimum: float | None, maximum: float | None) -> int:
    allowed = f"a whole number from {minimum:.0f} to {maximum:.0f}"
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise SpecError(field, value, allowed)
    if not (minimum or 0) <= value <= (maximum or 0) or value != int(value):
        raise SpecError(field, value, allowed)
    return int(value)


def _list(field: str, value: Any, allowed: str) -> Sequence[Any]:
    if not isinstance(value, list | tuple):
        raise SpecError(field, value, allowed)
    return value


def _layer_values(name: str, layer: Any, units: int, inputs: int) -> list[float]:
    if not isinstance(layer, Mapping) or set(layer) != {"W", "b"}:
        raise SpecError(name, layer, "an object with W and b")
    W, b = (
        _list(f"{name}.W", layer["W"], "rows of numbers"),
        _list(f"{name}.b", layer["b"], "numbers"),
    )
    if len(W) != units or len(b) != units:
        raise SpecError(
            f"{name}.{'W' if len(W) != units else 'b'}",
            min(len(W), len(b)),
            f"one row a unit: {units}",
        )
    values: list[float] = []
    for i, row in enumerate(W):
        if len(_list(f"{name}.W.{i}", row, "a row of numbers")) != inputs:
            raise SpecError(f"{name}.W.{i}", len(row), f"one weight an input: {inputs}")
        values += (_number(f"{name}.W.{i}.{j}", value, -1e12, 1e12) for j, value in enumerate(row))
        values.append(_number(f"{name}.b.{i}", b[i], -1e12, 1e12))
    return values


def _with_task(x: tuple[tuple[float, ...], ...], y: tuple[tuple[float, ...], ...], task: Any) -> CustomData:
    """Infer what the task is where it is not given, and bring class labels to 0, 1, ...."""
    values = {value for row in y for value in row}
    single = len(y[0]) == 1
    if task is None:
        task = "binary" if single and (values <= {0.0, 1.0} or values <= {-1.0, 1.0}) else "regression"
    task = _one_of("data.task", task, ("regression", "binary", "multiclass"))
    if task == "binary":
        if not single or not (values <= {0.0, 1.0} or values <= {-1.0, 1.0}):
            raise SpecError("data.y", "other values", "one label a row, 0 or 1 (or -1 and 1), for a binary task")
        y = tuple((max(row[0], 0.0),) for row in y)
    if task == "multiclass" and not (single and values <= {float(k) for k in range(LIMITS.custom_outputs)}):
        raise SpecError("data.y", "other values", f"one class a row, 0 to {LIMITS.custom_outputs - 1}")
    return CustomData(x, y, task)  # type: ignore[arg-type]
