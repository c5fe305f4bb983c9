"""Answers of the JSON API: plain values made of the engine's, and orjson, which writes NaN as null."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import lru_cache
from io import StringIO
from typing import Any

import numpy as np
import orjson
from starlette.responses import Response

from app.costs import trace_numbers
from app.run.history import Head, Steps, columns
from app.run.links import address_of
from app.run.record import LONG, Run, Summary
from app.run.schemas import EntryAnswer, FieldAnswer, Listed, TraceAnswer
from app.run.shapes import plain
from app.settings import Settings
from app.words.formulas import formulas_of
from app.words.health import diverged
from engine import (
    ACTIVATIONS,
    DATASETS,
    FEATURES,
    FIELDS,
    INITIALIZERS,
    LIMITS,
    LOSSES,
    OPERATIONS,
    OPTIMIZERS,
    PENALTIES,
    SCHEDULES,
    RunState,
    Spec,
    SpecError,
    Trace,
    examples_of,
    trace,
)
from engine import trace_of as trace_of_rows
from engine.checks import number
from engine.custom import LARGEST, inputs_by_name
from engine.evaluation import classify, outputs_of
from engine.examples import class_names, features_of, in_own_units, input_names, low_target
from engine.layers import text_of
from engine.scaling import Scale

_OPTIONS = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS


def json(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON answer; arrays go in as they are, and what is not finite becomes null."""
    return Response(orjson.dumps(value, option=_OPTIONS), status, dict(headers or {}), "application/json")


def of_run(run: Run, earlier: Head | None = None) -> dict[str, Any]:
    """The run as the API shows it, now or as it stood earlier."""
    head = earlier or run.head
    train, test = head.metrics["train"], head.metrics["test"]
    regression = head.spec.task == "regression"
    return {
        "id": head.id,
        "version": head.version,
        "spec": head.spec.to_dict(),
        "edits": [edit.to_dict() for edit in head.edits],
        "step": head.step,
        "epoch": head.epoch,
        "loss": {"train": train.loss, "test": test.loss},
        "accuracy": None if regression else {"train": train.accuracy, "test": test.accuracy},
        "diverged": _diverged(head),
        "url": address_of(run.origin, head.edits, head.step, head.id),
    }


def _diverged(head: Head) -> dict[str, Any] | None:
    found = head.divergence
    return asdict(found) | {"message": diverged(head.spec, found)} if found else None


def stepped(run: Run, steps: Steps, most: int) -> dict[str, Any]:
    """The run, with the losses of the steps just taken, thinned to at most `most`."""
    answer = of_run(run, steps.earlier)
    chosen = np.arange(steps.done)
    if steps.done > most:
        chosen = np.unique(np.linspace(0, steps.done - 1, most).astype(np.int64))
    return answer | {
        "asked": steps.asked,
        "done": steps.done,
        "truncated": steps.truncated,
        "losses": {"step": chosen + answer["step"] - steps.done + 1, "loss": steps.losses[chosen]},
    }


def trace_of(state: RunState, example: int | None, most: int) -> dict[str, Any]:
    """The trace of a state's next step, on its mini-batch or on one example."""
    check_size(state.spec, traced_examples(state.spec, example), most)
    return traced(trace(state, example))


def trace_on(state: RunState, examples: Sequence[int], most: int) -> dict[str, Any]:
    """The trace of a state's next step, on these examples if there are any, else on its mini-batch."""
    if not examples:
        return trace_of(state, None, most)
    check_size(state.spec, len(examples), most)
    return traced(trace_of_rows(state, np.array(examples)))


def traced_examples(spec: Spec, example: int | None) -> int:
    """How many examples are in a trace of one, or of the mini-batch."""
    alone = example is not None and not spec.network.mixes_examples
    return 1 if alone else min(spec.batch_size, spec.samples)


def check_size(spec: Spec, examples: int, most: int) -> None:
    """SpecError if the trace of so many examples would hold more than `most` numbers."""
    numbers = trace_numbers(spec.network, examples)
    if numbers > most:
        raise SpecError(
            "trace", numbers, "at most {most:,} numbers: ask for one example, or a smaller batch", most=most
        )


def traced(step: Trace) -> dict[str, Any]:
    """A trace as the API shows it."""
    nothing: dict[str, Any] = {"dW_penalty": None} if step.spec.regularization == "none" else {}
    whole = {name: plain(getattr(step, name)) for name in TraceAnswer.model_fields if hasattr(step, name)}
    return whole | _codes(step.spec) | {"layers": [each | nothing for each in whole["layers"]]}


def _codes(spec: Spec) -> dict[str, Any]:
    """The classes, and the numbers that stand for "not this class" and "this class"; null of values to predict."""
    if spec.task == "regression":
        return {"classes": None, "targets": None}
    return {"classes": class_names(spec), "targets": [low_target(spec.output_activation), 1.0]}


def predictions(state: RunState, inputs: Sequence[Sequence[float]] | Mapping[str, Any] | None) -> dict[str, Any]:
    """Outputs, and classes where there are any, for given raw inputs or the run's own examples."""
    spec = state.spec
    if isinstance(inputs, Mapping):
        inputs = by_name(spec, inputs)
    if inputs is None:
        outputs = outputs_of(state, examples_of(spec).x)
    else:
        for i, row in enumerate(inputs):
            if len(row) != spec.raw_inputs:
                raise SpecError(f"inputs.{i}", len(row), "{count} numbers", count=spec.raw_inputs)
        raw = np.array(inputs, dtype=np.float64).reshape(len(inputs), spec.raw_inputs)
        with np.errstate(all="ignore"):
            outputs = outputs_of(state, features_of(spec, raw))
    classes = None if spec.task == "regression" else classify(spec, outputs.T)
    return {
        "step": state.step,
        "outputs": in_own_units(spec, outputs),
        "classes": classes,
        "names": None if classes is None or not spec.data else [spec.data.classes[k] for k in classes],
    }


def by_name(spec: Spec, columns: Mapping[str, Any]) -> list[list[float]]:
    """Rows of inputs from columns by the names of the run's own data."""
    found = inputs_by_name(spec.data.names if spec.data else (), columns)
    if found is None:
        raise SpecError("inputs", ", ".join(columns), "rows of numbers: this run's inputs have no names")
    rows = enumerate(found)
    return [[number(f"inputs.{i}.{j}", cell, -LARGEST, LARGEST) for j, cell in enumerate(row)] for i, row in rows]


def history(run: Run) -> dict[str, Any]:
    """Sampled points of the run's past."""
    return {"columns": columns(run.origin), "steps": run.history.steps, "values": run.history.values}


def listed(summary: Summary, spec: Mapping[str, Any]) -> dict[str, Any]:
    """A run in a list, with the spec it began with."""
    return {name: spec if name == "spec" else getattr(summary, name) for name in Listed.model_fields}


def as_csv(rows: Sequence[Mapping[str, Any]]) -> Response:
    """Runs as a table: a line each, with every field of the spec that is one value."""
    names = [name for name in FIELDS if name not in LONG]
    text = StringIO()
    table = csv.writer(text)
    table.writerow(["id", "step", "epoch", "train_loss", "test_loss", "diverged", *names])
    for row in rows:
        loss, spec = row["loss"], row["spec"]
        values = [_cell(name, spec[name]) for name in names]
        table.writerow([row["id"], row["step"], row["epoch"], loss["train"], loss["test"], row["diverged"], *values])
    headers = {"content-disposition": 'attachment; filename="runs.csv"'}
    return Response(text.getvalue(), 200, headers, "text/csv; charset=utf-8")


def _cell(name: str, value: Any) -> Any:
    """One cell; layers as a link has them, other lists by spaces. Everything in it is a checked name or number, so no
    formula can be smuggled in."""
    if name == "layers" and value:
        return text_of(value)
    if isinstance(value, dict):
        return " ".join(f"{name}={number:g}" for name, number in value.items())
    return " ".join(map(str, value)) if isinstance(value, list) else value


def data(spec: Spec, first: int = 0, most: int | None = None) -> dict[str, Any]:
    """The run's examples, all or so many from the first asked for, and what the network is given of them."""
    examples = examples_of(spec)
    shown = slice(first, None if most is None else first + most)
    return {
        "task": spec.task,
        "train": examples.train,
        "count": examples.count,
        "first": first,
        "content": spec.data.key.hex()[:32] if spec.data else None,
        "missing": spec.data.missing.to_dict() if spec.data and spec.data.missing else None,
        "domain": examples.domain,
        "domains": examples.domains,
        "names": input_names(spec),
        **_codes(spec),
        "scaling": {"inputs": _scale(examples.inputs_by), "targets": _scale(examples.targets_by)},
        "x": np.ascontiguousarray(examples.raw[shown]),
        "y": np.ascontiguousarray(examples.labels[shown]),
    }


def _scale(scale: Scale | None) -> dict[str, Any] | None:
    return None if scale is None else {"mean": scale.mean, "deviation": scale.deviation}


@lru_cache(maxsize=4)
def catalog(settings: Settings) -> bytes:
    """Every selectable name, every field of a spec, and every limit, as JSON."""
    tables: dict[str, Mapping[str, Any]] = {
        "datasets": DATASETS,
        "features": FEATURES,
        "activations": ACTIVATIONS,
        "operations": OPERATIONS,
        "losses": LOSSES,
        "optimizers": OPTIMIZERS,
        "initializers": INITIALIZERS,
        "schedules": SCHEDULES,
        "regularizations": PENALTIES,
    }
    named = {title: {name: _entry(entry) for name, entry in table.items()} for title, table in tables.items()}
    fields = {name: _field(field) for name, field in FIELDS.items()}
    engine = asdict(LIMITS) | asdict(settings.engine_limits)
    limits = {name: {"value": value, "what": name.replace("_", " ")} for name, value in engine.items()}
    limits |= {name: {"value": value, "what": what} for name, (value, what) in settings.limits().items()}
    return orjson.dumps({**named, "fields": fields, "limits": limits}, option=_OPTIONS)


def _entry(entry: Any) -> dict[str, Any]:
    given = EntryAnswer.model_fields.keys() - {"options", "settings"}
    shown = {name: getattr(entry, name) for name in given if hasattr(entry, name)} | formulas_of(entry)
    own = {name: getattr(entry, name) for name in ("options", "settings") if hasattr(entry, name)}
    return shown | {name: {each.name: plain(each) for each in several} for name, several in own.items()}


def _field(field: Any) -> dict[str, Any]:
    return {name: getattr(field, name) for name in FieldAnswer.model_fields}
