"""What a cell shows: the page in a frame, that goes where the notebook has brought the run."""

from asyncio import Condition
from collections.abc import AsyncIterator

from fastapi import APIRouter
from starlette.responses import HTMLResponse, StreamingResponse

from app.draw.rendering import render
from app.notebook.door import Door
from app.room.broadcast import event
from app.serve.root import at
from app.serve.security import FRAMED_CSP

CELL = "/cell"


class CellRoutes:
    """The routes of a cell over what is on its door's screen; `moved` tells every frame to go there."""

    def __init__(self, door: Door) -> None:
        self.door, self._moves, self._changed = door, 0, Condition()
        self.router = APIRouter(include_in_schema=False)
        self.router.add_api_route(CELL, self._page)
        self.router.add_api_route(f"{CELL}/moves", self._stream)

    async def moved(self) -> None:
        """The notebook has brought the run to another step."""
        async with self._changed:
            self._moves += 1
            self._changed.notify_all()

    @property
    def _address(self) -> str:
        return at(f"/?{self.door.address}")

    async def _page(self) -> HTMLResponse:
        headers = {"content-security-policy": f"{FRAMED_CSP}; frame-src 'self'"}
        return HTMLResponse(render("cell.html", address=self._address), headers=headers)

    async def _stream(self) -> StreamingResponse:
        return StreamingResponse(self._events(self._moves), media_type="text/event-stream")

    async def _events(self, seen: int) -> AsyncIterator[bytes]:
        yield event("ready", {})
        while True:
            seen = await self._after(seen)
            yield event("moved", self._address)

    async def _after(self, seen: int) -> int:
        async with self._changed:
            await self._changed.wait_for(lambda: self._moves != seen)
            return self._moves
