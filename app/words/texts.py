"""The way of every text to the screen: a message, perhaps in another language, and its parts put in.

A message is its own name, as with gettext, so that Babel can list them. A table of translations is all that another
language needs (`speaking`). There is none yet: tests speak a language of their own and find what was said elsewhere.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Translate = Callable[[str], str]


def _as_it_is(message: str) -> str:
    return message


_translate: ContextVar[Translate] = ContextVar("translate", default=_as_it_is)


def text(message: str, **parts: object) -> str:
    """A message with its parts: text("Step {step} of {count}", step=3, count=5)."""
    told = _translate.get()(message)
    return told.format(**parts) if parts else told


@contextmanager
def speaking(translate: Translate) -> Iterator[None]:
    """Every message by way of `translate`, until the end of the block."""
    before = _translate.set(translate)
    try:
        yield
    finally:
        _translate.reset(before)
