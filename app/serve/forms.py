"""What a query or a form says, read in one place: urlencoded or multipart."""

from collections.abc import Sequence
from urllib.parse import parse_qsl

from starlette.exceptions import HTTPException
from starlette.requests import Request

MOST_FIELDS = 2_000
LONGEST_FIELD = 16 << 20  # the body as a whole is bounded before


class Fields(dict[str, str]):
    """A submitted form or query: the last value of each name, and all of them by `getlist`."""

    def __init__(self, pairs: Sequence[tuple[str, str]]) -> None:
        super().__init__(pairs)
        self._pairs = pairs

    def getlist(self, name: str) -> list[str]:
        """Every value of a name, in order."""
        return [value for key, value in self._pairs if key == name]


NO_FIELDS = Fields(())


class TooManyFields(HTTPException):
    """More fields than any form of ours has."""

    def __init__(self) -> None:
        super().__init__(422, f"A form or a query has at most {MOST_FIELDS:,} fields.")


async def fields_of(request: Request) -> Fields:
    """A request's query, or the texts of its form; a file in that is left aside."""
    if request.method == "GET":
        return _parsed(request.url.query)
    if request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        async with request.form(max_files=4, max_fields=MOST_FIELDS, max_part_size=LONGEST_FIELD) as found:
            return Fields([(name, value) for name, value in found.multi_items() if isinstance(value, str)])
    return _parsed((await request.body()).decode("utf-8", "replace"))


def _parsed(text: str) -> Fields:
    try:
        return Fields(parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_FIELDS))
    except ValueError:
        raise TooManyFields from None
