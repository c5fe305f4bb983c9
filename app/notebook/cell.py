"""What a cell shows: the page in a frame, that goes where the notebook has brought the run."""

from asyncio import Condition
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Header
from starlette.responses import HTMLResponse, StreamingResponse

from app.draw.rendering import render
from app.notebook.door import Door
from app.room.broadcast import event
from app.serve.root import at
from app.serve.security import FRAMED_CSP

CELL = "/cell"


class CellRoutes:
    """The routes of a cell over what is on its door's screen; `moved` tells every frame to go there, one too that has
    been asked for before and listens only after: moves are counted, and a frame knows how many it has seen."""

    def __init__(self, door: Door) -> None:
        self.door, self._moves, self._changed = door, 0, Condition()
        self._to = ""
        self.router = APIRouter(include_in_schema=False)
        self.router.add_api_route(CELL, self._page)
        self.router.add_api_route(f"{CELL}/moves", self._stream)

    async def moved(self) -> None:
        """The notebook has brought the run to another step."""
        async with self._changed:
            self._moves, self._to = self._moves + 1, self._address
            self._changed.notify_all()

    @property
    def _address(self) -> str:
        return at(f"/?{self.door.address}")

    async def _page(self) -> HTMLResponse:
        headers = {"content-security-policy": f"{FRAMED_CSP}; frame-src 'self'"}
        return HTMLResponse(render("cell.html", address=self._address, seen=self._moves), headers=headers)

    async def _stream(
        self, seen: int | None = None, last_event_id: Annotated[int | None, Header()] = None
    ) -> StreamingResponse:
        known = (each for each in (last_event_id, seen) if each is not None)
        return StreamingResponse(self._events(next(known, self._moves)), media_type="text/event-stream")

    async def _events(self, seen: int) -> AsyncIterator[bytes]:
        yield event("ready", {})
        while True:
            seen = await self._after(seen)
            yield event("moved", self._to, seen)

    async def _after(self, seen: int) -> int:
        async with self._changed:
            await self._changed.wait_for(lambda: self._moves != seen)
            return self._moves
