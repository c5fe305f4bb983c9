"""A request for a page or a frame: what its query or form says, read once and in one place."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from re import compile
from urllib.parse import parse_qsl

from fastapi import Request

from app.draw.diagram import SIZES, Size, Space
from app.page.links import Link, View, view_of
from app.run.runs import Runs
from app.serve.cookies import visitor_of
from app.serve.forms import Fields, fields_of

KEY = compile(r"[\x21-\x7e]{1,64}")


def begun(view: View, example: str) -> View:
    """The view with a walk begun on one example, if one is named."""
    return replace(view, example=int(example), moment=0) if example.isdecimal() and len(example) < 7 else view


@dataclass(frozen=True)
class Asked:
    """A request for a page or a frame, with what its form or query says."""

    request: Request
    visitor: str
    fields: Mapping[str, str]

    @property
    def runs(self) -> Runs:
        """The service."""
        runs: Runs = self.request.app.state.runs
        return runs

    @property
    def scripted(self) -> bool:
        """Whether htmx asks, for a fragment."""
        headers = self.request.headers
        return headers.get("hx-request") == "true" and headers.get("hx-history-restore-request") != "true"

    @property
    def quick(self) -> bool:
        """Whether this is one of many frames of Play."""
        return bool(self.fields.get("quick"))

    @property
    def size(self) -> Size | Space:
        """The drawing's size: as the page says, else by what the browser says of its device."""
        asked = self.fields.get("size", "")
        if room := Space.parse(asked):
            return room
        for size in SIZES:
            if asked == size:
                return size
        headers = self.request.headers
        phone = headers.get("sec-ch-ua-mobile") == "?1" or "iphone" in headers.get("user-agent", "").lower()
        return "s" if phone else "l"

    @property
    def form(self) -> Fields:
        """The fields with every value of a name."""
        return self.fields if isinstance(self.fields, Fields) else Fields(list(self.fields.items()))

    def text(self, name: str) -> str:
        """A field as text."""
        return self.fields.get(name, "")

    def key(self, deed: object) -> str | None:
        """What makes a request that comes again the same one: the script's for each click, or that of the form as it
        was rendered, where each of its buttons is a request of its own."""
        sent, rendered = self.request.headers.get("idempotency-key", ""), self.text("key")
        if KEY.fullmatch(sent):
            return sent
        return sha256(f"{rendered} {deed}".encode()).hexdigest()[:32] if rendered and not self.scripted else None

    def link(self) -> Link:
        """The link of a run that is not stored yet: in a field of its own beside what a form changes, else the fields
        themselves. SpecError names what is wrong."""
        told = self.text("link")
        link = Link.parse(dict(parse_qsl(told, keep_blank_values=True)) if told else self.fields)
        return replace(link, view=self.view())

    @property
    def head(self) -> int:
        """How far a run that is not stored yet is drawn: to what is looked at, or further, where it has been before."""
        return max(view_of({"step": self.text(name)}).step or 0 for name in ("step", "head"))

    def view(self) -> View:
        """What is looked at; a walk begins on one example."""
        return begun(view_of({name: self.text(name) for name in self.fields}), self.text("begin"))


async def asked(request: Request) -> Asked:
    """What a visitor's request asks. Read here rather than by a dependency: Play asks often."""
    return Asked(request, visitor_of(request), await fields_of(request))
