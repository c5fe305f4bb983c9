"""The way of every text to the screen: a message, perhaps in another language, and its parts put in.

A message is its own name, as with gettext, so that Babel can list them. A table of translations is all that another
language needs (`speaking`). There is none yet: tests speak a language of their own and find what was said elsewhere.
"""

from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache, wraps
from typing import ParamSpec, TypeVar

from markupsafe import Markup, escape

from engine.wording import Said, Words

P = ParamSpec("P")
T = TypeVar("T")
Translate = Callable[[str], str]


def _as_it_is(message: str) -> str:
    return message


_translate: ContextVar[Translate] = ContextVar("translate", default=_as_it_is)


def text(message: Words, **parts: object) -> str:
    """A message with its parts: text("Step {step} of {count}", step=3, count=5); what is said already with its own."""
    if isinstance(message, Said):
        parts = {**message.parts, **parts}
        message = message.message
    told = _translate.get()(message)
    return told.format(**_in_words(parts)) if parts else told


def _in_words(parts: Mapping[str, object]) -> Mapping[str, object]:
    return {name: text(part) if isinstance(part, Said) else part for name, part in parts.items()}


def counted(count: int, one: Words, many: Words) -> str:
    """One of two messages: counted(3, "{count} screen", "{count} screens")."""
    return text(one if count == 1 else many, count=f"{count:,}")


def marked(message: Words, **parts: object) -> Markup:
    """A message of a template: it may hold tags, and its parts are escaped, and so is what is said already."""
    if isinstance(message, Said):
        return escape(text(message))
    told = Markup(text(message))
    return told.format(**_in_words(parts)) if parts else told


def kept(maxsize: int) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """`lru_cache` for what has words in it: a language does not get what was made for another."""

    def keeping(function: Callable[P, T]) -> Callable[P, T]:
        @lru_cache(maxsize)
        def made(_: Translate, *args: Hashable, **named: Hashable) -> T:
            return function(*args, **named)  # type: ignore[arg-type]

        @wraps(function)
        def found(*args: P.args, **named: P.kwargs) -> T:
            return made(_translate.get(), *args, **named)  # type: ignore[arg-type]

        return found

    return keeping


@contextmanager
def speaking(translate: Translate) -> Iterator[None]:
    """Every message by way of `translate`, until the end of the block."""
    before = _translate.set(translate)
    try:
        yield
    finally:
        _translate.reset(before)
