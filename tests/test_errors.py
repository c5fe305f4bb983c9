"""Every failure is a problem document that says what is allowed and repeats nothing that was sent."""

import asyncio
from html import unescape
from pathlib import Path

import httpx
import orjson
import pytest
from fastapi.exceptions import RequestValidationError
from starlette.requests import Request
from starlette.responses import Response

from app import failures
from app.failures import (
    BadQuestion,
    Busy,
    Conflict,
    Damaged,
    Full,
    KeyReused,
    NotStudent,
    NotTeacher,
    OtherVersion,
    Refused,
    RoomDamaged,
    RoomNotFound,
    RunDamaged,
    RunNotFound,
    SentOut,
    Stale,
    StoreFull,
    StoreUnavailable,
    StoreUnsure,
    TooMany,
)
from app.main import FACES, create_app
from app.refusals import TABLE
from app.serve.errors import PROBLEM, answered, failed, problem, short
from app.settings import Settings
from engine import SpecError

FAILURES: list[tuple[Exception, int, str | None]] = [
    (SpecError("hidden.0", 999, "a whole number from {low:.0f} to {high:.0f}", low=1, high=256), 422, None),
    (RunNotFound("x"), 404, None),
    (RunDamaged("x"), 410, None),
    (Conflict(7), 409, None),
    (Stale(7), 412, None),
    (KeyReused(), 422, None),
    (TooMany("too many new runs from this address", 60), 429, "60"),
    (Busy("too many heavy computations are waiting", 503), 503, "1"),
    (Busy("at most {most} heavy computations of one visitor at once", 429, most=2), 429, "1"),
    (StoreUnavailable("the store is busy", 7), 503, "7"),
    (StoreFull(), 503, "30"),
    (StoreUnsure("the store does not answer"), 503, "1"),
    (OtherVersion("RUN9"), 503, "60"),
    (RoomDamaged("x"), 410, None),
    (Damaged("x"), 410, None),
    (RoomNotFound("x"), 404, None),
    (NotTeacher(), 403, None),
    (NotStudent(), 403, None),
    (SentOut(), 403, None),
    (Refused("join the room first"), 409, None),
    (Full("as many screens watch as there may be"), 503, "10"),
    (BadQuestion("answer", "x", "a number, such as -0.25"), 422, None),
]


def told(failure: Exception, accept: str = "*/*") -> Response:
    """The answer to a failure of a page's address."""
    headers = [(b"accept", accept.encode())]
    request = Request({"type": "http", "method": "GET", "path": "/somewhere", "headers": headers})
    return answered(request, failed(failure, TABLE), FACES)


def test_whatever_can_go_wrong_is_in_the_table() -> None:
    """Every exception of app.failures, and none stands elsewhere in the app than there."""
    named = {kind for kind in vars(failures).values() if isinstance(kind, type) and issubclass(kind, Exception)}
    assert named - set(TABLE) == {StoreFull}  # which is a StoreUnavailable
    assert {type(failure) for failure, _, _ in FAILURES} == named | {SpecError}


@pytest.mark.parametrize(("failure", "status", "retry"), FAILURES, ids=lambda each: type(each).__name__)
def test_each_failure_has_its_answer(failure: Exception, status: int, retry: str | None) -> None:
    """Its status, the five members of a problem, and Retry-After where coming again helps; to people a sentence."""
    answer = told(failure)
    body = orjson.loads(answer.body)
    assert answer.status_code == body["status"] == status
    assert answer.media_type == PROBLEM
    assert {"type", "title", "status", "detail", "errors"} <= set(body)
    assert answer.headers.get("retry-after") == retry
    assert body["detail"].endswith(".") or status == 422
    page = told(failure, "text/html")
    assert (page.status_code, page.media_type) == (status, "text/html; charset=utf-8")
    assert page.headers.get("retry-after") == retry
    assert failed(failure, TABLE).sentence in unescape(bytes(page.body).decode())


def test_nothing_was_changed_is_said_only_where_it_is_true() -> None:
    """A write without an answer may have been done: the sentence says so, and what makes a repetition safe."""
    said = {type(failure): failed(failure, TABLE).sentence for failure, _, _ in FAILURES}
    assert [kind for kind in said if "Nothing was changed" in said[kind]] == [StoreUnavailable, StoreFull]
    assert "not known" in said[StoreUnsure]
    assert "same Idempotency-Key" in said[StoreUnsure]


def test_a_spec_error_names_field_value_and_what_is_allowed() -> None:
    """The value in the engine's short ASCII form."""
    error = SpecError("loss", "\u202e" * 500 + "<script>", "one of squared_error, huber")
    (fault,) = orjson.loads(told(error).body)["errors"]
    assert fault["field"] == "loss"
    assert fault["value"].isascii()
    assert len(fault["value"]) <= 60
    assert fault["allowed"] == "one of squared_error, huber"


def test_what_was_sent_is_not_repeated() -> None:
    """Neither the input nor a hostile field name, whole: pydantic's own handler would."""
    secret = "s3cret\ud800"
    errors = [
        {"type": "float_type", "loc": ("body", "x"), "msg": "Input should be a valid number", "input": float("nan")},
        {"type": "extra_forbidden", "loc": ("body", secret * 50), "msg": "Extra", "input": secret},
        {"type": "int_type", "loc": ("body", "y"), "msg": "Input should be a valid integer", "input": 10**5000},
        {"type": "int_type", "loc": ("body", "z"), "msg": "Input should be a valid integer", "input": [secret] * 99},
    ]
    body = bytes(told(RequestValidationError(errors)).body)
    assert b"s3cret" * 20 not in body
    found = orjson.loads(body)["errors"]
    assert found[0] == {"field": "x", "allowed": "must be a number", "value": "nan"}
    assert len(found[1]["field"]) <= 80
    assert [each["value"] for each in found[2:]] == ["a very long number", "list"]


def test_short_makes_any_text_ascii() -> None:
    """Half a surrogate pair too."""
    assert short("a\ud800é") == "a\\ud800\\xe9"
    assert len(short("x" * 1000)) == 80


def test_a_problem_may_say_more() -> None:
    """Extension members stand beside the five."""
    assert orjson.loads(problem(409, "d", version=3).body)["version"] == 3


def test_people_are_told_on_a_page_and_scripts_in_a_problem(tmp_path: Path) -> None:
    """A browser that opens an address gets HTML that leads on, with the same status; htmx and scripts the problem."""
    browser = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}

    async def main() -> None:
        app = create_app(Settings(data=tmp_path))
        transport = httpx.ASGITransport(app)
        async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url="http://x") as on:
            for path in ("/nothing", "/runs/none/frame"):
                page = await on.get(path, headers=browser)
                assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
                assert '<a href="/">' in page.text
                assert "default-src 'none'" in page.headers["content-security-policy"]
                for headers in (browser | {"hx-request": "true"}, {"accept": "*/*"}):
                    assert (await on.get(path, headers=headers)).headers["content-type"] == PROBLEM
            assert (await on.get("/api/v1/nothing", headers=browser)).headers["content-type"] == PROBLEM
            assert (await on.get("/nothing")).json()["detail"] == "There is nothing at this address."
            refused = await on.delete("/", headers=browser)
            assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD, OPTIONS")

    asyncio.run(main())
