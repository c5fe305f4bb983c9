"""Templates to text: the one Jinja environment, the addresses of static files, and skeletons filled in per frame.

A skeleton is a template rendered once per architecture that leaves `%s` where numbers go: filling it is one `%`.
"""

import re
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jinja2.ext import Extension
from jinja2.utils import htmlsafe_json_dumps
from markupsafe import Markup

from app.assets import STATIC, TEMPLATES
from app.serve.root import at
from app.serve.static import version_of
from app.words import numbers
from app.words.maths import equations
from app.words.scripts import said_by
from app.words.texts import counted, marked

SLOT = Markup("%s")


def asset(path: str) -> str:
    """The address of a static file. Modules import each other by relative paths, so the version is a folder."""
    return at(f"/static/{version_of(STATIC)}/{path}")


def script(path: str) -> Markup:
    """A script's tag, and what it says."""
    return Markup('<script type="module" src="{}"></script>').format(asset(path)) + words(path)


def words(*scripts: str) -> Markup:
    """The messages that scripts say, where `say` of words.js finds them."""
    said = said_by(*scripts)
    told = htmlsafe_json_dumps(said, ensure_ascii=False, separators=(",", ":"))
    return Markup('<script type="application/json" class="words">{}</script>').format(told) if said else Markup("")


class Rooted(Extension):
    """Every attribute of a template that begins an address with a slash leads to where the app lies."""

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        """The template as it is compiled."""
        return re.sub(r'(?<=[\w-]=")/(?!/)', "{{ rooted('/') }}", source)


def unbroken(text: str) -> str:
    """A sentence in which no line ends between "unit" or "example" and its number."""
    return re.sub(r"(?<=unit|mple) (?=\d)", "\u00a0", text)


def environment() -> Environment:
    """Autoescape everywhere, no undefined names."""
    env = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        extensions=[Rooted],
    )
    env.globals["_"] = marked
    env.globals["counted"] = counted
    env.globals["asset"] = asset
    env.globals["script"] = script
    env.globals["words"] = words
    env.globals["rooted"] = at
    env.globals["slot"] = SLOT
    env.filters["signed"] = numbers.signed
    env.filters["unsigned"] = numbers.unsigned
    env.filters["rate"] = numbers.short
    env.filters["fixed"] = numbers.fixed
    env.filters["percent"] = numbers.percent
    env.filters["commas"] = numbers.count
    env.filters["equations"] = equations
    env.filters["unbroken"] = unbroken
    return env


ENV = environment()


def render(name: str, context: dict[str, Any] | None = None, **more: Any) -> Markup:
    """A template with its context."""
    return Markup(ENV.get_template(name).render({**(context or {}), **more}))


def skeleton(name: str, **parts: Any) -> str:
    """A template with slots, for the caller to keep; line ends and indents are dropped."""
    lines = (line.strip() for line in ENV.get_template(name).render(parts).splitlines())
    return "".join(line if line.endswith(">") else line + " " for line in lines)


def fill(text: str, values: list[Any]) -> Markup:
    """A skeleton with its values, which are numbers and classes of our own making and need no escaping."""
    return Markup(text % tuple(values))
