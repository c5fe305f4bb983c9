"""The controls of the page as values, and what they send back as the JSON-like spec that `Spec.make` judges.

Everything here iterates the engine's tables: a new entry there is a new choice here.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

import numpy as np

from app.draw.pictures import IMAGE
from app.page.own import facts
from app.run.deeds import Change
from app.run.links import fits, number, query_fields, spec_fields
from app.serve.forms import Fields
from app.words.numbers import given, short
from app.words.texts import kept, text
from engine import (
    ACTIVATIONS,
    DATASETS,
    FEATURES,
    FIELDS,
    INITIALIZERS,
    LIMITS,
    LOSSES,
    OPTIMIZERS,
    PENALTIES,
    SCHEDULES,
    CustomData,
    Spec,
    SpecError,
)
from engine.features import features_for
from engine.fields import Field
from engine.scaling import SCALINGS
from engine.settings import Setting
from engine.wording import Words

LEARNING_RATES = (0.00001, 0.0001, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10)
REGULARIZATION_RATES = (0, 0.00001, 0.0001, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10)
SPEEDS = (1, 2, 5, 10, 20, 50, 100, 500)

# What shows a dataset at its best, where the defaults do not: chosen with its tile, each a link like any other.
PRESETS: dict[str, dict[str, Any]] = {
    "line": {"hidden": [], "learning_rate": 0.1},
    "sine": {"hidden": [8], "learning_rate": 0.1},
    "gaussian": {"hidden": [2]},
    "spiral": {"hidden": [8, 8], "noise": 0, "optimizer": "adam", "learning_rate": 0.01},
    "moons": {"hidden": [6, 4], "optimizer": "momentum"},
    "plane": {"hidden": [], "learning_rate": 0.01},
    "multi_gaussian": {"hidden": [8, 6], "noise": 0, "samples": 400, "optimizer": "adam", "learning_rate": 0.01},
    "three_blobs": {"hidden": [5], "learning_rate": 0.1},
    "digits16": {
        "hidden": [16],
        "activation": "relu",
        "initializer": "he_uniform",
        "loss": "cross_entropy",
        "learning_rate": 0.1,
        "samples": 1000,
        "noise": 0,
        "batch_size": 32,
    },
}
LENET = {  # where dense networks get to 90 %
    "dataset": "digits16", "samples": 2000, "test_share": 0.2, "noise": 0, "initializer": "he_uniform",
    "layers": "conv2d 8 3x3 relu, max_pool 2, conv2d 16 3x3 relu valid, max_pool 2",
    "optimizer": "adam", "learning_rate": 0.003, "batch_size": 32,
}  # fmt: skip
DEEP: dict[Words, dict[str, Any]] = {  # what norms, shortcuts and dropout are for: without them these do not get there
    "16 x 16 LeNet": LENET,
    "deep and normalized": {"layers": ", ".join(["dense 6 sigmoid, batch_norm"] * 5), "learning_rate": 0.3},
    "deep with shortcuts": {
        "dataset": "spiral", "layers": "dense 8 tanh, " + ", ".join(["dense 8 tanh, shortcut 1"] * 5),
    },
    "dropout against overfitting": {
        "dataset": "moons", "noise": 0.7, "test_share": 0.8, "optimizer": "adam", "learning_rate": 0.01,
        "layers": ", ".join(["dense 32 relu, dropout 0.5"] * 2),
    },
}  # fmt: skip
TABLES: dict[str, Mapping[str, Any]] = {
    "output_activation": ACTIVATIONS,
    "initializer": INITIALIZERS,
    "loss": LOSSES,
    "optimizer": OPTIMIZERS,
    "schedule": SCHEDULES,
    "regularization": PENALTIES,
    "scaling": SCALINGS,
}
PLACED = ("dataset", *TABLES)  # where they stand on the page, a template says
LABELS: dict[str, Words] = {"output_activation": "Output"}
UNSCALED = ("none", "inputs")  # where there are classes, no target is scaled
TILE_NAMES: dict[str, Words] = {
    "gaussian": "gauss",
    "multi_gaussian": "hills",
    "three_blobs": "3 blobs",
    "digits16": "digits",
}


@dataclass(frozen=True)
class SelectOption:
    """One choice of a select box."""

    value: str
    label: Words
    chosen: bool
    title: str = ""


@dataclass(frozen=True)
class Select:
    """A select box for a field of the spec; `live` ones change the run as it is."""

    name: str
    label: Words
    options: tuple[SelectOption, ...]
    live: bool


@dataclass(frozen=True)
class Tile:
    """A dataset to choose, with a small picture: points (x, y, class), or an image's ink."""

    name: str
    label: Words
    sentence: str
    query: str
    chosen: bool
    points: tuple[tuple[float, float, str], ...]


@dataclass(frozen=True)
class NumberBox:
    """A setting of an optimizer or a schedule."""

    name: str
    label: Words
    value: str
    minimum: str
    maximum: str
    sentence: str


@dataclass(frozen=True)
class LayerRow:
    """One hidden layer's controls."""

    index: int
    units: int
    activations: tuple[SelectOption, ...]


@dataclass(frozen=True)
class Controls:
    """Every control of the page, filled in from a spec."""

    spec: Spec
    deep: tuple[tuple[str, str], ...]
    tiles: tuple[Tile, ...]
    features: tuple[SelectOption, ...]
    layers: tuple[LayerRow, ...]
    choices: Mapping[str, Select]
    optimizer_numbers: tuple[NumberBox, ...]
    rates: tuple[SelectOption, ...]
    schedule_numbers: tuple[NumberBox, ...]
    regularization_rates: tuple[SelectOption, ...]
    batch_most: int
    samples_most: int
    hidden_fields: tuple[tuple[str, str], ...]
    start_text: str
    layers_text: str
    query: str
    facts: tuple[str, ...]

    def others(self, live: bool) -> list[Select]:
        """The choices that have no place of their own: among those that start again, or that change at once."""
        return [each for each in self.choices.values() if each.live == live and each.name not in PLACED]


def controls(spec: Spec) -> Controls:
    """The controls that stand for this spec."""
    info = DATASETS.get(spec.dataset)
    packed = query_fields(spec)
    return Controls(
        spec=spec,
        deep=deep_ones(),
        tiles=tuple(replace(tile, chosen=tile.name == spec.dataset) for tile in tiles()),
        features=tuple(
            SelectOption(name, FEATURES[name].title, name in spec.features) for name in features_for(spec.raw_inputs)
        ),
        layers=layer_rows(spec.hidden, spec.activation),
        choices={name: _choice(spec, field) for name, field in FIELDS.items() if field.kind == "choice"},
        optimizer_numbers=_numbers("optimizer_settings", OPTIMIZERS[spec.optimizer].settings, spec.optimizer_settings),
        rates=_rates(LEARNING_RATES, spec.learning_rate),
        schedule_numbers=_numbers("schedule_settings", SCHEDULES[spec.schedule].settings, spec.schedule_settings),
        regularization_rates=_rates(REGULARIZATION_RATES, spec.regularization_rate),
        batch_most=max(100, spec.batch_size),
        samples_most=max(spec.samples, info.max_samples if info and spec.dataset == "digits16" else 1000),
        layers_text="" if spec.is_chain else spec.layers_text,
        hidden_fields=tuple((name, packed[name]) for name in ("data", "frozen") if name in packed and fits(packed)),
        query=urlencode(packed, safe=",:"),
        facts=facts(spec),
        start_text=json.dumps(spec.to_dict()["parameters"]) if spec.parameters else "",
    )


def layer_rows(units: Sequence[Any], activations: Sequence[str]) -> tuple[LayerRow, ...]:
    """A row for each hidden layer."""
    rows = zip(units, activations, strict=True)
    return tuple(LayerRow(k, each, _options(ACTIVATIONS, name)) for k, (each, name) in enumerate(rows, 1))


def _options(table: Mapping[str, Any], chosen: str) -> tuple[SelectOption, ...]:
    """An option for each entry of a table; of one without entries, or with no more than a sentence, by its name."""
    return tuple(
        SelectOption(name, getattr(entry, "title", name), name == chosen, getattr(entry, "sentence", entry or ""))
        for name, entry in table.items()
    )


def _choice(spec: Spec, field: Field) -> Select:
    """The box of a field: every new one has one. What its choices are called and do, their own table says."""
    names = [name for name in field.choices if field.name != "scaling" or spec.task == "regression" or name in UNSCALED]
    label = LABELS.get(field.name, field.title)
    table, chosen = TABLES.get(field.name, dict.fromkeys(names)), getattr(spec, field.name)
    options = _options({name: table[name] for name in names}, chosen)
    return Select(field.name, label, options, field.live)


def _rates(rates: Sequence[float], chosen: float) -> tuple[SelectOption, ...]:
    return tuple(SelectOption(given(r), _rate_text(r), r == chosen) for r in sorted({*map(float, rates), chosen}))


def _rate_text(rate: float) -> str:
    return f"{rate:.10f}".rstrip("0").rstrip(".") if rate == 0 or rate >= 1e-6 else short(rate)


def _numbers(field: str, settings: tuple[Setting, ...], values: tuple[tuple[str, float], ...]) -> tuple[NumberBox, ...]:
    now = dict(values)
    return tuple(
        NumberBox(
            f"{field}.{s.name}",
            s.name.replace("_", " "),
            given(now.get(s.name, s.default)),
            given(s.minimum),
            given(s.maximum),
            s.sentence,
        )
        for s in settings
    )


@kept(1)
def tiles() -> tuple[Tile, ...]:
    """A tile for each dataset, in the table's order."""
    return tuple(
        Tile(name, text(TILE_NAMES.get(name, name)), text(entry.sentence), _preset_query(name), False, _picture(name))
        for name, entry in DATASETS.items()
    )


@kept(1)
def deep_ones() -> tuple[tuple[str, str], ...]:
    """Networks to start from that `layers` is for: their names, and the fields that differ, as a link has them."""
    return tuple((name, urlencode(fields, safe=",")) for name, fields in DEEP.items())


def _preset_query(name: str) -> str:
    return urlencode(query_fields(Spec.make({"dataset": name, **PRESETS.get(name, {})})), safe=",:")


def _picture(name: str) -> tuple[tuple[float, float, str], ...]:
    """A few dozen examples in a 40 x 32 box; of images, the ink of one."""
    entry = DATASETS[name]
    if entry.inputs == IMAGE**2:
        image = entry.sample(np.random.default_rng(2), 1, 0.0)[0].reshape(IMAGE, IMAGE)
        return tuple((float(8 + 1.5 * c), float(4 + 1.5 * r), "ink") for r, c in np.argwhere(image > 0.4).tolist())
    x, y = entry.sample(np.random.default_rng(4), 60 if name == "spiral" else 34, 0.0)
    if entry.inputs == 1:
        shown = np.column_stack([x[:, 0], 2 * (y - y.min()) / (np.ptp(y) or 1) - 1])
        return tuple((round(20 + 15 * a, 1), round(16 - 12 * b, 1), "p") for a, b in shown.tolist())
    high = entry.domain[1]
    kinds = (
        [f"c{int(v)}" for v in y]
        if entry.task == "multiclass"
        else ["p" if v > (0 if entry.task == "regression" else 0.5) else "n" for v in y]
    )
    return tuple(
        (round(20 + 15 * a / high, 1), round(16 - 15 * b / high, 1), k)
        for (a, b), k in zip(x.tolist(), kinds, strict=True)
    )


def spec_from(form: Fields, changed: str | None = "", data: CustomData | None = None) -> Spec:
    """The spec that the controls ask for; `changed` names the one that was touched last, to which others give way.

    It is None for a form without script, where all were filled in at once and none that is seen gives way. Raises
    SpecError with the field that is wrong.
    """
    given_fields = _given(form)
    if data and given_fields.get("dataset") == "custom" and "data" not in given_fields:
        given_fields["data"] = data
    try:
        return Spec.make(given_fields, LIMITS)
    except SpecError as error:
        for drop in _giving_way(error.field, changed):
            given_fields.pop(drop, None)
        return Spec.make(given_fields, LIMITS)


def _giving_way(wrong: str, changed: str | None) -> tuple[str, ...]:
    """Fields that follow another: a loss its output, a parameter its network."""
    if changed is None:
        return ("frozen",) if wrong.startswith("frozen") else ()
    if wrong.startswith(("parameters", "frozen")):
        return () if changed == "start_parameters" else ("parameters", "frozen")
    if wrong in ("loss", "output_activation"):
        return ("output_activation",) if changed == "loss" else ("loss",)
    return ()


def _given(form: Fields) -> dict[str, Any]:
    """The fields as JSON-like values; the controls send layers and settings one by one, a link sends them whole."""
    fields = spec_fields({name: form[name] for name in FIELDS if name in form})
    if "controls" in form:
        fields["features"] = form.getlist("features") or None
        hidden = [number(units) for units in form.getlist("units")]
        if "new_layers" in form:  # of a change on the drawing, "" for none
            fields |= {"layers": form["new_layers"] or None, "hidden": None if form["new_layers"] else []}
        elif not fields.get("layers"):
            fields["hidden"], fields["activation"] = _changed_layers(
                hidden, form.getlist("unit_activation"), form.get("change_layers", "")
            )
        fields["parameters"] = _start(form.get("start_parameters", ""))
        for name in ("optimizer_settings", "schedule_settings"):
            fields[name] = _settings(name, form, fields)
    seed = fields.get("seed", 0)
    if form.get("seed_change") and isinstance(seed, int):
        fields["seed"] = (seed + 1) % 2**32
    return {name: value for name, value in fields.items() if value is not None}


def _start(text: str) -> Any:
    """The starting parameters as typed: JSON, or nothing. SpecError for what is not JSON."""
    if not text.strip():
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise SpecError("parameters", text[:40], 'JSON such as [{"W": [[0.1, 0.2]], "b": [0]}], one a layer') from None


def _changed_layers(hidden: list[Any], activation: list[str], change: str) -> tuple[list[Any], Any]:
    """Layers after a click on add, remove:k, more:k or less:k (k from 1)."""
    verb, _, which = change.partition(":")
    k = int(which) - 1 if which.isdecimal() and 0 < int(which) <= len(hidden) else None
    if verb == "add" and len(hidden) < LIMITS.hidden_layers:
        hidden, activation = [*hidden, 2 if hidden else 4], [*activation, activation[-1] if activation else "tanh"]
    elif k is not None and verb == "remove":
        del hidden[k], activation[k : k + 1]
    elif k is not None and isinstance(hidden[k], int):
        hidden[k] = max(1, min(LIMITS.units, hidden[k] + {"more": 1, "less": -1}.get(verb, 0)))
    return hidden, activation if hidden else None


def _settings(name: str, form: Fields, fields: dict[str, Any]) -> dict[str, Any] | None:
    """The numbers of the chosen rule that the form has; those of another rule are not sent on."""
    table: Mapping[str, Any] = OPTIMIZERS if name == "optimizer_settings" else SCHEDULES
    chosen = table.get(str(fields.get(name.removesuffix("_settings"))))
    if chosen is None:
        return None
    texts = {s.name: form.get(f"{name}.{s.name}", "") for s in chosen.settings}
    return {key: number(text) for key, text in texts.items() if text} or None


def edit_from(form: Fields) -> Change:
    """One live change: of a field of the spec, or of a parameter by its address."""
    field, text = form.get("field", ""), form.get("value", "")
    if field in ("optimizer_settings", "schedule_settings"):
        found = {name.removeprefix(f"{field}."): value for name, value in form.items() if name.startswith(f"{field}.")}
        return Change({field: {name: number(value) for name, value in found.items() if value} or None})
    if field in FIELDS:
        return Change({field: spec_fields({field: form.get(field, text)}).get(field)})
    return Change({field: number(text)})
