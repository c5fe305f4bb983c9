"""Spec: everything a run is made of, with every limit. This is the only place that validates one.

A Spec is a frozen value with nothing left open: defaults that depend on the dataset or on each other are resolved
when it is made, so the same spec means the same run anywhere.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import isfinite
from typing import Any, NamedTuple, Unpack
from warnings import warn

import numpy as np

from engine.activations import ACTIVATIONS
from engine.checks import SpecError, all_plain, integer, meant, number, one_of, sequence, short_form
from engine.custom import CustomData, custom_data, knows_of, recalled
from engine.datasets import DATASETS
from engine.features import features_for
from engine.fields import CUSTOM, FIELDS, LIMITS, UNLIMITED, Field, Limits, live
from engine.given import SpecKeywords, familiar
from engine.layers import Items, dense, items_from, network_of
from engine.losses import LOSSES
from engine.network import Network
from engine.optimizers import OPTIMIZERS
from engine.scaling import suited
from engine.schedules import SCHEDULES
from engine.settings import Setting
from engine.shown import brief, table
from engine.starts import parameters_of
from engine.wording import Words, said
from engine.workspace import layout_of

__all__ = ["CUSTOM", "FIELDS", "LIMITS", "UNLIMITED", "CustomData", "Field", "Limits", "Spec", "SpecError"]


class Drawn(NamedTuple):
    """All that the examples of a spec follow from, and nothing else: specs that share it share them."""

    dataset: str
    data: CustomData | None
    samples: int
    noise: float
    test_share: float
    seed: int
    features: tuple[str, ...]
    task: str
    output_activation: str
    scaling: str
    outputs: int


@dataclass(frozen=True)
class Spec:
    """Everything a run is made of. Make one with `Spec.make`, which validates and fills in what was left open.

    `layers` are the hidden ones, of which `hidden` and `activation` are the short form. `optimizer_settings` and
    `schedule_settings` are sorted (name, value) pairs, every setting present. `parameters` is the flat starting vector,
    in the order of `Network.layers`.
    """

    dataset: str
    samples: int
    noise: float
    test_share: float
    features: tuple[str, ...]
    data: CustomData | None
    scaling: str
    layers: Items
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
    limits: Limits = field(default=UNLIMITED, compare=False, repr=False)

    def __new__(cls, *some: Any, **named: Any) -> "Spec":
        """As ever; who calls it with a few fields meant `make`."""
        if 0 < len(some) + len(named) < len(FIELDS) - 2:
            raise TypeError("a Spec is made by Spec.make, which fills in what is left open: Spec.make(dataset='xor')")
        return super().__new__(cls)

    @classmethod
    def make(
        cls, given: Mapping[str, Any] | None = None, limits: Limits = UNLIMITED, **more: Unpack[SpecKeywords]
    ) -> "Spec":
        """A complete spec from a JSON-like mapping and keywords; SpecError names the first field that is wrong.

        Keywords take a few names as they are used elsewhere, and tell of it, and of what is left out of data for want
        of a value. `limits` stay with the spec.
        """
        if given is not None and not isinstance(given, Mapping):
            raise TypeError(f"Spec.make takes keywords or a mapping, not {short_form(given)}: Spec.make(dataset='xor')")
        spec = _Maker({**(given or {}), **(familiar(more) if more else {})}, limits).spec()
        if spec.data and "data" in more and spec.data.missing and not knows_of(more["data"]):
            warn(f"Spec.make: {spec.data.missing}; spec.data.missing has it all", stacklevel=2)
        return spec

    @classmethod
    def recalled(cls, stored: Mapping[str, Any], limits: Limits = LIMITS) -> "Spec":
        """The spec that a link or a record of any release stands for: what it leaves out means what it meant then."""
        return cls.make({**ABSENT, **stored, "data": recalled(stored.get("data"))}, limits)

    def with_changes(self, **changes: Any) -> "Spec":
        """This spec with live fields changed; SpecError for one that needs a new start."""
        for name in changes:
            if name not in live():
                near = "" if name in FIELDS else meant(name, live())
                raise SpecError(name, changes[name], _ONLY_LIVE, names=", ".join(live()), meant=near)
        given = self.to_dict() | changes
        for rule in ("optimizer", "schedule"):
            if rule in changes and changes[rule] != getattr(self, rule):
                given[f"{rule}_settings"] = changes.get(f"{rule}_settings")
        return Spec.make(given, self.limits)

    def to_dict(self, whole: bool = True) -> dict[str, Any]:
        """JSON-able, and `Spec.make` of it gives an equal spec; not `whole` it is without data, which may be much."""
        plain: dict[str, Any] = {
            name: list(value) if isinstance(value := getattr(self, name), tuple) else value for name in FIELDS
        }
        if self.is_chain:
            plain["layers"] = None
        else:
            plain |= {"hidden": None, "activation": None, "layers": [item.to_dict() for item in self.layers]}
        plain["optimizer_settings"] = dict(self.optimizer_settings)
        plain["schedule_settings"] = dict(self.schedule_settings)
        plain["data"] = self.data.to_dict() if self.data and whole else None
        if self.parameters is not None:
            plain["parameters"] = _nested(self.network, self.parameters)
        return plain

    def __repr__(self) -> str:
        """As what makes it again, without what it would be anyway; data and long lists of numbers are told of."""
        told = ", ".join(f"{name}={brief(value, _LONG)}" for name, value in self._chosen().items())
        return f"{type(self).__name__}.make({told})"

    def _chosen(self) -> dict[str, Any]:
        """The fields in which it differs from what follows from its dataset, optimizer and schedule."""
        rest = {name: getattr(self, name) for name in _FOLLOWED}
        plain = type(self).make(rest).to_dict(whole=False) | {name: FIELDS[name].default for name in _FOLLOWED}
        if self.data:
            plain["dataset"] = CUSTOM
        told = self.to_dict(whole=False) | {"data": self.data}
        if not self.is_chain:
            told["layers"] = self.layers_text
        elif len(functions := set(self.activation)) < 2:
            told["activation"] = next(iter(functions), None)
            plain["activation"] = FIELDS["activation"].default
        return {name: value for name, value in told.items() if value is not None and value != plain[name]}

    def _repr_html_(self) -> str:
        """As a notebook shows it: its fields, without long lists of numbers."""
        told = self.to_dict(whole=False) | ({"data": repr(self.data)} if self.data else {})
        if self.parameters is not None:
            told["parameters"] = f"{len(self.parameters):,} numbers"
        given = {name: value for name, value in told.items() if value not in (None, [], {})}
        return table(("field", "value"), given.items())

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
        return network_of(width, self.layers, outputs, self.output_activation, self.loss)

    @cached_property
    def drawn(self) -> Drawn:
        """What its examples follow from."""
        return Drawn._make((*(getattr(self, name) for name in Drawn._fields[:-1]), self.network.sizes[-1]))

    @cached_property
    def is_chain(self) -> bool:
        """Whether it is dense layers and nothing else, which `hidden` and `activation` say in short."""
        return all(item.kind == "dense" for item in self.layers)

    @property
    def layers_text(self) -> str:
        """`layers` as a person types them."""
        return ", ".join(item.text for item in self.layers)

    @property
    def hidden(self) -> tuple[int, ...]:
        """Units in each hidden layer."""
        return tuple(item.option("units") for item in self.layers if item.kind == "dense")

    @property
    def activation(self) -> tuple[str, ...]:
        """What each hidden layer applies."""
        return tuple(item.option("activation") for item in self.layers if item.kind == "dense")

    @property
    def penalized(self) -> bool:
        """Whether regularization adds anything to the loss."""
        return self.regularization != "none" and self.regularization_rate > 0

    @cached_property
    def raw_inputs(self) -> int:
        """Numbers in one raw example, before features."""
        return self.data.x.shape[1] if self.data else DATASETS[self.dataset].inputs


def _nested(network: Network, flat: Sequence[float]) -> list[dict[str, Any]]:
    numbers = np.array(flat)
    nested: list[dict[str, Any]] = [{} for _ in network.shapes]
    for each in network.parameters:
        nested[each.layer - 1][each.letter] = each.of(numbers).tolist()
    return nested


class _Maker:
    """Checks the fields in an order in which each may rest on those before it."""

    def __init__(self, given: Mapping[str, Any], limits: Limits) -> None:
        for name in given:
            if name not in FIELDS:
                raise SpecError(
                    name,
                    given[name],
                    "left out: a spec has {fields}{meant}",
                    fields=", ".join(FIELDS),
                    meant=meant(name, FIELDS),
                )
        self.given = {name: value if name == "data" else all_plain(name, value) for name, value in given.items()}
        self.limits = limits

    def spec(self) -> Spec:
        bare = self.given.get("dataset") is None and self.given.get("data") is not None
        dataset = CUSTOM if bare else self.choice("dataset")
        data = self.data(dataset)
        inputs, outputs, task = (
            (data.x.shape[1], data.outputs, data.task)
            if data
            else (DATASETS[dataset].inputs, DATASETS[dataset].outputs, DATASETS[dataset].task)
        )
        features = self.features(inputs)
        layers = self.layers(len(features) or inputs)
        loss, output = self.loss_and_output(task, outputs, data)
        spec = Spec(
            dataset=dataset,
            samples=len(data.x) if data else self.samples(dataset),
            test_share=self.test_share(data),
            features=features,
            data=data,
            scaling=self.scaling(data, task, output, loss),
            layers=layers,
            output_activation=output,
            parameters=None,
            loss=loss,
            optimizer_settings=self.settings("optimizer_settings", OPTIMIZERS[self.choice("optimizer")].settings),
            schedule_settings=self.settings("schedule_settings", SCHEDULES[self.choice("schedule")].settings),
            batch_size=self.integer("batch_size", self.limits.samples),
            frozen=(),
            limits=self.limits,
            **{name: getattr(self, FIELDS[name].kind)(name) for name in _plain()},
        )
        network = self.affordable(spec)
        start = parameters_of(self.given.get("parameters"), network)
        return replace(spec, parameters=start, frozen=self.frozen(network))

    def affordable(self, spec: Spec) -> Network:
        """The network, if it is within the limits."""
        size, limits = spec.network.size, self.limits
        if size > limits.parameters:
            told = ("hidden", "-".join(map(str, spec.hidden))) if spec.is_chain else ("layers", spec.layers_text)
            raise SpecError(
                *told, "smaller: {size:,} parameters of at most {most:,}", size=size, most=limits.parameters
            )
        examples = min(spec.batch_size, spec.samples)
        numbers = layout_of(spec.network).total * examples if spec.network.has_images else 0
        if numbers > limits.numbers:
            raise SpecError("layers", spec.layers_text, _NUMBERS, numbers=numbers, most=limits.numbers)
        if OPTIMIZERS[spec.optimizer].search and size > limits.searched:
            raise SpecError("optimizer", spec.optimizer, _SEARCHES, size=size, most=limits.searched)
        return spec.network

    def value(self, name: str) -> Any:
        given = self.given.get(name)
        return FIELDS[name].default if given is None else given

    def choice(self, name: str) -> str:
        return one_of(name, self.value(name), FIELDS[name].choices)

    def number(self, name: str) -> float:
        low, high = FIELDS[name].bounds
        return number(name, self.value(name), low, high)

    def integer(self, name: str, maximum: float | None = None) -> int:
        low, high = FIELDS[name].bounds
        return integer(name, self.value(name), low, maximum or high)

    def samples(self, dataset: str) -> int:
        return self.integer("samples", min(DATASETS[dataset].max_samples, self.limits.samples))

    def test_share(self, data: CustomData | None) -> float:
        few = data is not None and len(data.x) <= FEW_ROWS and self.given.get("test_share") is None
        return 0.0 if few else self.number("test_share")

    def scaling(self, data: CustomData | None, task: str, output: str, loss: str) -> str:
        """What is given, without the part that there is nothing to do for; else what suits one's own data."""
        bounded = all(map(isfinite, ACTIVATIONS[output].range)) or LOSSES[loss].targets is not None
        if self.given.get("scaling") is None:
            return suited(data.x, data.y, task == "regression", bounded) if data else "none"
        scaling = self.choice("scaling")
        if task != "regression":
            return {"both": "inputs", "targets": "none"}.get(scaling, scaling)
        if LOSSES[loss].targets is not None and scaling in ("targets", "both"):
            raise SpecError("scaling", scaling, "none or inputs: the loss {loss} takes targets as they are", loss=loss)
        return scaling

    def settings(self, name: str, allowed: tuple[Setting, ...]) -> tuple[tuple[str, float], ...]:
        given = {} if self.value(name) is None else self.value(name)
        if not isinstance(given, Mapping):
            raise SpecError(name, given, "an object of numbers by name")
        names = [setting.name for setting in allowed]
        for key in given:
            if key not in names:
                known = said("left out: there are {names}", names=", ".join(names))
                raise SpecError(f"{name}.{key}", given[key], known if names else "left out")
        return tuple((s.name, _setting(f"{name}.{s.name}", given.get(s.name), s)) for s in allowed)

    def layers(self, inputs: int) -> Items:
        given = self.given.get("layers")
        if given is None:
            hidden = self.hidden()
            return tuple(map(dense, hidden, self.activation(len(hidden))))
        for name in ("hidden", "activation"):
            if self.given.get(name) is not None:
                raise SpecError(name, self.given[name], "left out where layers are given, which say the same and more")
        return items_from(given, inputs, self.limits)

    def hidden(self) -> tuple[int, ...]:
        allowed: Words = "a list of numbers of units, one a hidden layer, such as [4, 2]"
        given = sequence("hidden", self.value("hidden"), allowed)
        if len(given) > self.limits.hidden_layers:
            raise SpecError("hidden", len(given), "at most {most} layers", most=self.limits.hidden_layers)
        return tuple(integer(f"hidden.{i}", units, 1, self.limits.units) for i, units in enumerate(given))

    def activation(self, layers: int) -> tuple[str, ...]:
        given = self.value("activation")
        if isinstance(given, str):
            return (one_of("activation", given, tuple(ACTIVATIONS)),) * layers
        names = sequence("activation", given, "one name, or a list with one for each hidden layer")
        if len(names) != layers:
            raise SpecError("activation", len(names), "one name, or {layers}: one for each hidden layer", layers=layers)
        return tuple(one_of(f"activation.{i}", name, tuple(ACTIVATIONS)) for i, name in enumerate(names))

    def features(self, inputs: int) -> tuple[str, ...]:
        allowed, given = features_for(inputs), self.given.get("features")
        if given is None:
            return allowed[:1] if inputs == 1 else allowed[:2]
        names = sequence("features", given, "a list of feature names")
        if not names and not allowed:
            return ()
        chosen = {one_of(f"features.{i}", name, allowed) for i, name in enumerate(names)}
        if not chosen:
            raise SpecError("features", "[]", "at least one of {allowed}", allowed=", ".join(allowed))
        return tuple(name for name in allowed if name in chosen)

    def loss_and_output(self, task: str, outputs: int, data: CustomData | None) -> tuple[str, str]:
        """Each follows the other and the task where it is not given; then they must suit each other and the targets."""
        loss, output = self.given.get("loss"), self.given.get("output_activation")
        if loss is not None:
            loss = one_of("loss", loss, tuple(LOSSES))
        if output is None:
            output = (LOSSES[loss].output if loss else "") or _OUTPUT_FOR_TASK[task]
        output = one_of("output_activation", output, tuple(ACTIVATIONS))
        if output == "softmax" and task == "regression" and outputs == 1:
            raise SpecError("output_activation", output, "another: shares of a single output are always 1")
        if loss is None:
            loss = "cross_entropy" if output == "softmax" else "squared_error"
        if reason := LOSSES[loss].refuses(ACTIVATIONS[output]):
            raise SpecError(
                "loss", loss, "another with output activation {output}: {reason}", output=output, reason=said(reason)
            )
        if task == "regression" and (span := LOSSES[loss].targets):
            _check_targets(loss, span, data)
        return loss, output

    def frozen(self, network: Network) -> tuple[str, ...]:
        given = sequence("frozen", self.value("frozen"), "a list of addresses such as W1.2.1, or 'biases'")
        if len(given) > self.limits.frozen:
            raise SpecError("frozen", len(given), "at most {frozen}", frozen=self.limits.frozen)
        for i, address in enumerate(given):
            if not isinstance(address, str):
                raise SpecError(f"frozen.{i}", address, "an address such as W1.2.1, or 'biases'")
            if address != "biases":
                try:
                    network.locate(address)
                except ValueError:
                    raise SpecError(
                        f"frozen.{i}", address, "'biases' or {address_form}", address_form=network.address_form
                    ) from None
        return tuple(dict.fromkeys(given))

    def data(self, dataset: str) -> CustomData | None:
        given = self.given.get("data")
        if dataset == CUSTOM:
            return custom_data(given, self.limits)
        if given is not None:
            raise SpecError("data", given, "left out, unless dataset is 'custom'")
        return None


def _plain() -> list[str]:
    """The fields that rest on no other: one choice, or one number."""
    kinds = ("choice", "number", "integer")
    return [name for name, field in FIELDS.items() if field.kind in kinds and name not in _RESTING]


_ONLY_LIVE: Words = "left as it is: only {names} change without a new start{meant}"
_SEARCHES: Words = "another: it reruns the model for each parameter, {size:,} of at most {most:,}"
_NUMBERS: Words = "smaller, or a smaller batch: {numbers:,} numbers a step of at most {most:,}"
_FOLLOWED = ("dataset", "data", "optimizer", "schedule")  # what other fields' own choice rests on
_LONG = 160  # characters of a field that are printed
_RESTING = ("dataset", "samples", "test_share", "scaling", "output_activation", "loss", "batch_size")
FEW_ROWS = 20  # of one's own: up to so many are all trained on
ABSENT: dict[str, Any] = {"scaling": "none", "test_share": 0.4}  # what these were before they followed the data
_OUTPUT_FOR_TASK = {"regression": "identity", "binary": "tanh", "multiclass": "softmax"}


def _check_targets(loss: str, span: tuple[float, float], data: CustomData | None) -> None:
    low, high = span
    if data is None or not ((low <= data.y) & (data.y <= high)).all():
        raise SpecError(
            "loss", loss, "another: it needs classes, or targets from {low:g} to {high:g}", low=low, high=high
        )


def _setting(name: str, given: Any, setting: Setting) -> float:
    value = setting.default if given is None else given
    check = integer if setting.whole else number
    return float(check(name, value, setting.minimum, setting.maximum))
