"""The OpenAPI document as tools read it: valid, every example true, and a client made of it that works."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import Any

import httpx
import pytest
from declared import DOCUMENT, PARTS
from test_api import made, play

import machine

# What an example was asked with, where it does not say so itself; and of which run, if not of the default one.
ASKED: dict[str, dict[str, Any]] = {
    "AlongAnswer": {"example": 8},
    "ContourAnswer": {"x": "W1.1.1", "y": "b1.1"},
    "PredictionsAnswer": {"example": 8, "moment": 9, "answer": "down"},
    "ReceiptAnswer": {"mathml": True},
    "WalkthroughAnswer": {"example": 8},
    "WishesAnswer": {"gradients": True},
}
RUNS = {"HealthAnswer": {"hidden": [6] * 6, "activation": "sigmoid"}}


def examples(name: str) -> list[Any]:
    part = PARTS.get(name, {})
    return [*part.get("examples", ()), *([part["example"]] if "example" in part else [])]


def answered(operation: dict[str, Any]) -> str:
    """The name of the schema that an operation answers with."""
    found = (told.get("content", {}) for code, told in operation["responses"].items() if code[0] == "2")
    schemas = (content["application/json"].get("schema", {}) for content in found if "application/json" in content)
    return next((str(each.get("$ref", "")).rpartition("/")[2] for each in schemas), "")


LOOKS = [
    (path, operation)
    for path, operations in DOCUMENT["paths"].items()
    if "{run_id}" in path and (operation := operations.get("get")) and examples(answered(operation))
]


def faults(said: Any, real: Any, at: str = "") -> list[str]:
    """Where an example says another thing than an answer: numbers to the digits that it has; a text to its …; of a list
    some, in order."""
    if isinstance(said, dict) and isinstance(real, dict):
        missing = [f"{at}.{name} is not there" for name in said if name not in real]
        return missing + [each for k in said if k in real for each in faults(said[k], real[k], f"{at}.{k}")]
    if isinstance(said, list) and isinstance(real, list):
        rest = iter(real)
        return [f"{at}: {each} is none of it" for each in said if all(faults(each, other) for other in rest)]
    if isinstance(said, float) and isinstance(real, float | int):
        digits = Decimal(repr(said)).as_tuple().exponent
        assert isinstance(digits, int)
        return [] if abs(said - real) <= 0.501 * 10.0**digits else [f"{at}: {said} is {real}"]
    if isinstance(said, str) and isinstance(real, str) and said.endswith("…"):
        return [] if real.startswith(said.removesuffix("…").strip()) else [f"{at}: {said} is {real}"]
    return [] if type(said) is type(real) and said == real else [f"{at}: {said!r} is {real!r}"]


def test_the_document_is_valid() -> None:
    """By the validator of the OpenAPI specification."""
    from openapi_spec_validator import OpenAPIV31SpecValidator  # slow to import, as below

    assert [str(each) for each in OpenAPIV31SpecValidator(DOCUMENT).iter_errors()] == []  # type: ignore[arg-type]


def test_no_model_is_split_in_two() -> None:
    """One for what is sent and another for what is answered would be of no name that a person knows."""
    assert [name for name in PARTS if name.endswith(("-Input", "-Output")) or "__" in name] == []
    ids = [operation["operationId"] for each in DOCUMENT["paths"].values() for operation in each.values()]
    assert len(ids) == len(set(ids))


def open_parts(schema: dict[str, Any], at: str) -> Iterator[str]:
    """Where a schema lets anything through: no type, an object of any fields, a list of anything."""
    if "$ref" in schema:
        return
    typed = schema.keys() & {"type", "anyOf", "oneOf", "enum", "const"}
    fields = schema.keys() & {"properties", "additionalProperties"}
    items = schema.get("items") or schema.get("prefixItems")
    bare = {"object": not fields, "array": not items}.get(str(schema.get("type")), False)
    if not typed or bare or schema.get("additionalProperties") is True:
        yield at
    inner = [
        *schema.get("properties", {}).items(),
        ("[]", schema.get("items")),
        ("{}", schema.get("additionalProperties")),
    ]
    inner += [("", each) for name in ("anyOf", "oneOf", "prefixItems") for each in schema.get(name, ())]
    for name, each in inner:
        if isinstance(each, dict):
            yield from open_parts(each, f"{at}.{name}")


def contents(operation: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """What is sent and what is answered as JSON, each with its schema."""
    for what, each in {"body": operation.get("requestBody", {}), **operation["responses"]}.items():
        if "application/json" in (content := each.get("content", {})):
            yield what, content["application/json"]["schema"]


def test_nothing_is_open() -> None:
    """Each body and each answer says what its fields are, and so does every part of it."""
    told = [
        (f"{method} {path} {what}", schema)
        for path, operations in DOCUMENT["paths"].items()
        for method, operation in operations.items()
        for what, schema in contents(operation)
    ]
    parts, found = set[str](), list[str]()
    while told:
        at, schema = told.pop()
        found += open_parts(schema, at)
        named = set(re.findall(r"#/components/schemas/(\w+)", json.dumps(schema))) - parts
        parts |= named
        told += [(name, PARTS[name]) for name in named]
    assert found == []
    assert len(parts) > 70


def test_an_open_answer_is_found() -> None:
    """Anything, an object of anything, a list of anything, wherever it stands."""
    objects: dict[str, Any] = {"type": "object", "properties": {"a": {"anyOf": [{"type": "null"}, {"type": "array"}]}}}
    for wrong in ({}, {"type": "object"}, objects, {"type": "array", "items": {}}, {"additionalProperties": True}):
        assert list(open_parts(wrong, "")), wrong


def test_every_operation_is_described() -> None:
    """A summary, a sentence, its tag among those that are told, and who may ask."""
    tags = {each["name"] for each in DOCUMENT["tags"]}
    for path, operations in DOCUMENT["paths"].items():
        for method, operation in operations.items():
            assert operation["summary"], (method, path)
            assert set(operation["tags"]) <= tags, (method, path)
            assert operation["security"], (method, path)
            assert any(code[0] == "4" for code in operation["responses"]), (method, path)


@pytest.mark.parametrize("name", [name for name in PARTS if examples(name)])
def test_an_example_is_valid(name: str) -> None:
    """By its own schema."""
    from jsonschema import Draft202012Validator

    schema = {**PARTS[name], "components": DOCUMENT["components"]}
    for each in examples(name):
        assert [error.message for error in Draft202012Validator(schema).iter_errors(each)] == []


def test_an_example_of_an_answer_is_what_is_answered(tmp_path: Path) -> None:
    """Asked of the run that it is of, at its step, with its address."""

    async def work(client: httpx.AsyncClient) -> None:
        for path, operation in LOOKS:
            name = answered(operation)
            run = await made(client, **RUNS.get(name, {}))
            await client.post(f"/api/v1/runs/{run}/step", json={"until": 50})
            known = [each["name"] for each in operation["parameters"] if each["in"] == "query"]
            for said in examples(name):
                query = {k: said[k] for k in known if isinstance(said.get(k), str | int | float)} | ASKED.get(name, {})
                answer = await client.get(path.format(run_id=run), params=query)
                assert answer.status_code == 200, answer.text
                assert faults(said, answer.json()) == [], name
        drawn = examples("ExerciseOut")[0]
        assert faults(drawn, (await client.get(f"/api/v1/exercises/{drawn['id']}")).json()) == []
        given = PARTS["ExerciseAnswer"]["properties"]["answer"]["examples"][0]
        path = f"/api/v1/exercises/{drawn['id']}/check"
        verdict = await client.post(path, json={"answer": given, "solution": True})
        assert faults(examples("Checked")[0], verdict.json()) == []

    play(tmp_path, work)
    assert len(LOOKS) > 9


def test_a_false_example_is_found() -> None:
    """A digit, a word, an order or a name that is another."""
    real = {"a": 0.12345, "b": "up to here", "c": [1, 2, 3], "d": True}
    assert faults({"a": 0.1235, "b": "up …", "c": [1, 3]}, real) == []
    for wrong in ({"a": 0.1236}, {"b": "down …"}, {"c": [3, 1]}, {"d": 1}, {"e": 1}, {"a": "0.1235"}):
        assert faults(wrong, real), wrong


def test_a_client_that_is_made_of_it_works(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """openapi-python-client leaves nothing out and warns of nothing; with it a run is made, stepped and read."""
    document, client = tmp_path / "openapi.json", tmp_path / "playground_client"
    document.write_text(json.dumps(DOCUMENT))
    (tmp_path / "config.yaml").write_text("post_hooks: []\n")
    command = [sys.executable, "-m", "openapi_python_client", "generate", "--path", document, "--meta", "none"]
    command += ["--output-path", client, "--config", tmp_path / "config.yaml", "--fail-on-warning"]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=machine.PATIENCE)
    assert done.returncode == 0, done.stdout + done.stderr
    monkeypatch.syspath_prepend(str(tmp_path))
    asked = import_module("playground_client").Client(base_url=server)
    models = import_module("playground_client.models")
    runs = {name: import_module(f"playground_client.api.runs.{name}") for name in ("create_run", "step_run")}
    run = runs["create_run"].sync(client=asked, body=models.Spec.from_dict({"dataset": "xor", "hidden": [4]}))
    stepped = runs["step_run"].sync(run.id, client=asked, body=models.StepBody(until=20))
    assert (stepped.step, stepped.spec.dataset) == (20, "xor")
    opened = import_module("playground_client.api.rooms.open_room")
    room = opened.sync(client=asked, body=models.NewRoom())
    assert room.code
