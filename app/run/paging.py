"""Lists in pages: `limit` says how many, `before` after which one to go on, and the header Link leads to the next."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any, TypeVar
from urllib.parse import quote

from fastapi import Query, Response

from app.serve.root import at
from engine import SpecError

T = TypeVar("T")
Limit = Annotated[int | None, Query(ge=1, le=1_000, description="How many at most.")]
Before = Annotated[
    str | None, Query(max_length=64, description="Only those that follow this one: the last of the page before.")
]
LINK: dict[str, Any] = {"Link": {"description": "The next page, where there is one.", "schema": {"type": "string"}}}


def page(rows: Sequence[T], limit: int | None, before: str | None, name: Callable[[T], str]) -> tuple[Sequence[T], str]:
    """The rows of a page, and the name of its last if there are more; SpecError for a `before` that is none of them."""
    if before is not None:
        place = next((n for n, each in enumerate(rows, 1) if name(each) == before), None)
        if place is None:
            raise SpecError("before", before, "one of this list, by its name in it")
        rows = rows[place:]
    shown = rows[:limit]
    return shown, name(shown[-1]) if len(shown) < len(rows) else ""


def linked(answer: Response, path: str, limit: int | None, last: str, more: str = "") -> Response:
    """The answer with the address of the next page, if there is one; `more` is the rest of its query."""
    if last:
        answer.headers["link"] = f'<{at(path)}?limit={limit}&before={quote(last)}{more}>; rel="next"'
    return answer
