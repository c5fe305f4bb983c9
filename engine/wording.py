"""What is said of a wrong value: a message with its parts. It is English as it stands, and keeps what another language
needs to say it."""

from collections.abc import Mapping
from typing import TypeAlias

Words: TypeAlias = str  # a message, as a translation finds it: who annotates with it has every such literal listed


class Said(str):
    """A text that knows the message it was made of, and the parts put in."""

    message: Words
    parts: Mapping[str, object]


def said(message: Words, /, **parts: object) -> Said:
    """A message with its parts: said("a number from {low} to {high}", low=0, high=1); what is said already as it is."""
    if isinstance(message, Said):
        return message
    told = Said(message.format(**parts) if parts else message)
    told.message, told.parts = message, parts
    return told
