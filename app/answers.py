"""Answers of the JSON API: plain values made of the engine's, and orjson, which writes NaN as null."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import lru_cache
from typing import Any

import numpy as np
import orjson
from starlette.responses import Response

from app.record import Run
from app.runs import Steps
from app.settings import Settings
from engine import (
    ACTIVATIONS,
    DATASETS,
    FEATURES,
    FIELDS,
    INITIALIZERS,
    LOSSES,
    OPTIMIZERS,
    REGULARIZATIONS,
    SCHEDULES,
    RunState,
    Spec,
    SpecError,
    Trace,
    examples_of,
    start,
    trace,
)
from engine import (
    trace_of as engine_trace_of,
)
from engine.evaluation import classify, predict
from engine.features import apply_features
from engine.network import with_ones

_OPTIONS = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS
ARRAYS = ("W", "b", "z", "a", "da", "dz", "dW", "db", "W_next", "b_next")


def json(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON answer; arrays go in as they are, and what is not finite becomes null."""
    return Response(orjson.dumps(value, option=_OPTIONS), status, dict(headers or {}), "application/json")


def of_run(run: Run) -> dict[str, Any]:
    """The run as the API shows it."""
    train, test = run.metrics["train"], run.metrics["test"]
    regression = run.state.spec.task == "regression"
    return {
        "id": run.id,
        "version": run.version,
        "spec": run.state.spec.to_dict(),
        "edits": [edit.to_dict() for edit in run.edits],
        "step": run.state.step,
        "epoch": run.state.epoch,
        "loss": {"train": train.loss, "test": test.loss},
        "accuracy": None if regression else {"train": train.accuracy, "test": test.accuracy},
        "diverged": asdict(run.state.divergence) if run.state.divergence else None,
    }


def stepped(run: Run, steps: Steps, most: int) -> dict[str, Any]:
    """The run, with the losses of the steps just taken, thinned to at most `most`."""
    first = run.state.step - steps.done
    chosen = np.arange(steps.done)
    if steps.done > most:
        chosen = np.unique(np.linspace(0, steps.done - 1, most).astype(np.int64))
    return of_run(run) | {
        "asked": steps.asked,
        "done": steps.done,
        "truncated": steps.truncated,
        "losses": {"step": chosen + first + 1, "loss": steps.losses[chosen]},
    }


def trace_of(state: RunState, example: int | None, most: int) -> dict[str, Any]:
    """The trace of a state's next step, on its mini-batch or on one example."""
    rows = 1 if example is not None else min(state.spec.batch_size, state.spec.samples)
    numbers = 3 * state.spec.network.size + 4 * rows * sum(state.spec.network.sizes)
    if numbers > most:
        raise SpecError("trace", numbers, f"at most {most:,} numbers: ask for one example, or a smaller batch")
    return traced(trace(state, example))


def traced(step: Trace) -> dict[str, Any]:
    """A trace as the API shows it."""
    return {
        "step": step.step,
        "examples": step.examples,
        "x": np.ascontiguousarray(step.x),
        "y": np.ascontiguousarray(step.y),
        "loss": step.loss,
        "penalty": step.penalty,
        "learning_rate": step.learning_rate,
        "layers": [
            {"activation": layer.activation} | {name: np.ascontiguousarray(getattr(layer, name)) for name in ARRAYS}
            for layer in step.layers
        ],
    }


def predictions(state: RunState, inputs: Sequence[Sequence[float]] | None) -> dict[str, Any]:
    """Outputs, and classes where there are any, for given raw inputs or the run's own examples."""
    spec = state.spec
    if inputs is None:
        outputs = predict(state, examples_of(spec).x)
    else:
        for i, row in enumerate(inputs):
            if len(row) != spec.raw_inputs:
                raise SpecError(f"inputs.{i}", len(row), f"{spec.raw_inputs} numbers")
        raw = np.array(inputs, dtype=np.float64).reshape(len(inputs), spec.raw_inputs)
        with np.errstate(all="ignore"):
            outputs = predict(state, with_ones(apply_features(raw, spec.features)))
    classes = None if spec.task == "regression" else classify(spec, outputs.T)
    return {"step": state.step, "outputs": outputs, "classes": classes}


def data(spec: Spec) -> dict[str, Any]:
    """The run's examples."""
    examples = examples_of(spec)
    return {
        "task": spec.task,
        "train": examples.train,
        "domain": examples.domain,
        "x": examples.raw,
        "y": examples.labels,
    }


def backprop(body: Mapping[str, Any], settings: Settings) -> dict[str, Any]:
    """One stateless step: the layers as a spec of its own, whose only mini-batch is all the examples given."""
    layers = body.get("layers")
    if not isinstance(layers, list) or not layers or not all(isinstance(layer, dict) for layer in layers):
        raise SpecError("layers", layers, "a list of {W, b, activation}")
    for k, layer in enumerate(layers):
        if not isinstance(layer.get("W"), list):
            raise SpecError(f"layers.{k}.W", layer.get("W"), "rows of numbers, one a unit")
    x = body.get("x")
    try:
        spec = Spec.make(
            {
                "dataset": "custom",
                "data": {"x": x, "y": body.get("y"), "task": "regression"},
                "hidden": [len(layer["W"]) for layer in layers[:-1]],
                "activation": [layer.get("activation", "tanh") for layer in layers[:-1]],
                "output_activation": layers[-1].get("activation", "identity"),
                "parameters": [{"W": layer["W"], "b": layer.get("b")} for layer in layers],
                "loss": body.get("loss", "squared_error"),
                "learning_rate": body.get("learning_rate", 0.03),
                "test_share": 0,
                "batch_size": len(x) if isinstance(x, list) else 1,
            },
            settings.engine_limits,
        )
    except SpecError as error:
        raise SpecError(_own_name(error.field, len(layers)), error.value, error.allowed) from None
    state, examples = start(spec), examples_of(spec)
    given = np.array(spec.data.x if spec.data else ())
    order = _places(given, examples.raw)
    answer = traced(engine_trace_of(state, order))
    return {"loss": answer["loss"], "x": answer["x"], "y": answer["y"], "layers": answer["layers"]}


def _places(given: Any, drawn: Any) -> Any:
    """Where each row that was given stands among the examples, which come in an order of their own."""
    if len(given) == 1:
        return np.array([0])
    from engine.examples import SPLIT

    return np.argsort(np.random.default_rng([0, SPLIT]).permutation(len(given)))


def _own_name(field: str, layers: int) -> str:
    """A spec's field as the body of /backprop calls it."""
    head, _, rest = field.partition(".")
    if head == "parameters":
        return f"layers.{rest}" if rest else "layers"
    if head == "data":
        return rest or "x"
    if head == "activation":
        return f"layers.{rest}.activation" if rest else "layers"
    return {"output_activation": f"layers.{layers - 1}.activation", "hidden": "layers"}.get(head, field)


@lru_cache(maxsize=4)
def catalog(settings: Settings) -> dict[str, Any]:
    """Every selectable name, every field of a spec, and every limit."""
    tables = {
        "datasets": DATASETS,
        "features": FEATURES,
        "activations": ACTIVATIONS,
        "losses": LOSSES,
        "optimizers": OPTIMIZERS,
        "initializers": INITIALIZERS,
        "schedules": SCHEDULES,
    }
    named = {title: {name: _entry(entry) for name, entry in table.items()} for title, table in tables.items()}
    named["regularizations"] = {name: {"sentence": sentence} for name, sentence in REGULARIZATIONS.items()}
    return {
        **named,
        "fields": {name: _field(field) for name, field in FIELDS.items()},
        "limits": {name: {"value": value, "what": what} for name, (value, what) in settings.limits().items()},
    }


_SHOWN = (
    "title", "formula", "derivative_formula", "gradient_formula", "sentence", "code", "derivative_code",
    "gradient_code", "range", "task", "inputs", "outputs", "domain", "max_samples", "slots",
)  # fmt: skip


def _entry(entry: Any) -> dict[str, Any]:
    shown = {name: getattr(entry, name) for name in _SHOWN if hasattr(entry, name)}
    if hasattr(entry, "settings"):
        shown["settings"] = {setting.name: asdict(setting) for setting in entry.settings}
    return shown


def _field(field: Any) -> dict[str, Any]:
    return {name: getattr(field, name) for name in (
        "title", "group", "kind", "default", "sentence", "minimum", "maximum", "choices", "live",
    )}  # fmt: skip
