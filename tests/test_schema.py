"""schemathesis against the OpenAPI document: what fits it or nearly fits it is answered as it says. Seeded, bounded."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, suppress
from typing import Any

import pytest
import requests
import schemathesis
from declared import DOCUMENT
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)

import machine

SCHEMA = schemathesis.openapi.from_dict(DOCUMENT)
OPERATIONS = [result.ok() for result in SCHEMA.get_all_operations()]
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
STRICT = [*CHECKS, negative_data_rejection]
MODES = {"fitting": schemathesis.GenerationMode.POSITIVE, "unfitting": schemathesis.GenerationMode.NEGATIVE}


@pytest.fixture(scope="module")
def site(start_server: Callable[..., AbstractContextManager[str]]) -> Iterator[str]:
    """A server without limits on the rate and with small budgets."""
    env = {"PLAYGROUND_VISITOR_RATE": "100000", "PLAYGROUND_ADDRESS_RATE": "100000", "PLAYGROUND_STEP_SECONDS": "0.02"}
    with start_server(env) as url:
        yield url


@pytest.fixture(scope="module")
def run_id(site: str) -> str:
    """A run that the operations on runs may work on."""
    answer = requests.post(f"{site}/api/v1/runs", json={}, timeout=machine.PATIENCE)
    return str(answer.json()["id"])


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: f"{each.method.upper()} {each.path}")
@pytest.mark.parametrize("mode", MODES)
def test_answers_are_as_documented(site: str, run_id: str, operation: Any, mode: str) -> None:
    """No 5xx, no status, content type or shape that the document does not name."""
    session = requests.Session()

    @settings(
        max_examples=6,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=MODES[mode]))
    def check(case: Any) -> None:
        if "run_id" in (case.path_parameters or {}) and operation.method != "delete" and mode == "fitting":
            case.path_parameters["run_id"] = run_id
        case.call_and_validate(base_url=site, session=session, checks=STRICT, timeout=machine.PATIENCE)

    with suppress(Unsatisfiable):  # nothing can be sent that does not fit
        check()
    assert requests.get(f"{site}/healthz", timeout=machine.PATIENCE).status_code == 200
