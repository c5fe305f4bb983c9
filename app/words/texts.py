"""The way of every text to the screen: a message, perhaps in another language, and its parts put in.

A message is its own name, as with gettext, so that Babel can list them. A table of translations is all that another
language needs (`speaking`). There is none yet: tests speak a language of their own and find what was said elsewhere.
"""

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache, wraps
from typing import ParamSpec, TypeVar

from markupsafe import Markup

P = ParamSpec("P")
T = TypeVar("T")
Translate = Callable[[str], str]


def _as_it_is(message: str) -> str:
    return message


_translate: ContextVar[Translate] = ContextVar("translate", default=_as_it_is)


def text(message: str, **parts: object) -> str:
    """A message with its parts: text("Step {step} of {count}", step=3, count=5)."""
    told = _translate.get()(message)
    return told.format(**parts) if parts else told


def counted(count: int, one: str, many: str) -> str:
    """One of two messages: counted(3, "{count} screen", "{count} screens")."""
    return text(one if count == 1 else many, count=f"{count:,}")


def marked(message: str, **parts: object) -> Markup:
    """A message of a template: it may hold tags, and its parts are escaped."""
    told = Markup(text(message))
    return told.format(**parts) if parts else told


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
