"""What a teacher does to the run on the own page: done, and shown to the class, in one request."""

from typing import Annotated

import orjson
from fastapi import APIRouter, Depends, Response

from app.failures import once_saved
from app.page.asked import Asked, asked
from app.page.pages import acted
from app.room.api import Own, Taught
from app.room.rooms import Shared
from app.room.teaching import query_of

router = APIRouter(prefix="/class", include_in_schema=False, default_response_class=Response)


@router.post("/{code}/runs/{run_id}/{verb}")
async def drive(room: Own, teaching: Taught, run_id: str, verb: str, ask: Annotated[Asked, Depends(asked)]) -> Response:
    """The playground's own answer; what is shown in it is on every screen, and stands in a header for the script."""
    answer, shown = await acted(ask, run_id, verb)
    if shown is not None:
        with once_saved():
            told = await teaching.share(room.code, Shared(shown.run.id, shown.state.step, query_of(shown.view)))
        answer.headers["Class-Shares"] = orjson.dumps({"version": told.version, "shared": told.shared}).decode()
    return answer
