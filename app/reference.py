"""/docs/python: every name of the engine with its signature and docstring, read from the code that is running."""

import inspect
import re
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from types import ModuleType
from typing import Any

from fastapi import APIRouter
from starlette.responses import HTMLResponse

import engine
from app.draw.rendering import render

router = APIRouter(include_in_schema=False)
_MODULE = re.compile(r"\b(?:[a-z_]+\.)+(?=[A-Za-z])")
_DEFAULTS = re.compile(r" = Limits\([^)]*\)")


@router.get("/docs/python")
async def reference() -> HTMLResponse:
    """The page."""
    return HTMLResponse(render("reference.html", parts=parts(), here="API"))


def parts() -> dict[str, list[dict[str, Any]]]:
    """What the engine exports, by kind: for each how it is called, what it says of itself and has."""
    named = {name: getattr(engine, name) for name in engine.__all__}
    return {
        "Functions": [_told(name, each) for name, each in named.items() if inspect.isfunction(each)],
        "Values": [_told(name, each) for name, each in named.items() if inspect.isclass(each)],
        "Tables": [_table(name, each) for name, each in named.items() if isinstance(each, Mapping)],
        "Modules": [_told(name, each) for name, each in named.items() if isinstance(each, ModuleType)],
        "Limits": [_limits(name, each) for name, each in named.items() if isinstance(each, engine.Limits)],
    }


def _told(name: str, of: Any) -> dict[str, Any]:
    signature = _signature(of) if inspect.isfunction(of) else ""
    members = list(_members(of)) if inspect.isclass(of) else []
    return {"name": name, "signature": signature, "paragraphs": _paragraphs(of), "members": members}


def _signature(of: Any) -> str:
    text = str(inspect.signature(of)).replace("'", "")
    return _DEFAULTS.sub(" = …", _MODULE.sub("", text))


def _paragraphs(of: Any) -> list[str]:
    text = inspect.cleandoc(of.__doc__ or "")
    return [" ".join(each.split()) for each in text.split("\n\n") if each]


def _members(of: type) -> Iterator[tuple[str, str]]:
    """Fields that say nothing of themselves together, then its methods and properties, each with its sentence."""
    plain = [each.name for each in fields(of) if not each.name.startswith("_")] if is_dataclass(of) else []
    if plain:
        yield "fields", ", ".join(plain)
    for name, member in vars(of).items():
        inner = getattr(member, "func", None) or getattr(member, "fget", None) or getattr(member, "__func__", member)
        if name.startswith("_") or not callable(inner) or not inner.__doc__:
            continue
        called = inspect.isfunction(member) or hasattr(member, "__func__")
        yield name + (_signature(inner) if called else ""), _paragraphs(inner)[0]


def _table(name: str, of: Mapping[str, Any]) -> dict[str, Any]:
    rows = [(key, getattr(each, "sentence", "") or getattr(each, "title", "")) for key, each in of.items()]
    return {"name": name, "signature": "", "paragraphs": [], "members": rows}


def _limits(name: str, of: engine.Limits) -> dict[str, Any]:
    rows = [(each.name, f"{getattr(of, each.name):,}") for each in fields(of)]
    return {"name": name, "signature": "", "paragraphs": [], "members": rows}
