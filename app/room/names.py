"""What people type about themselves or to each other, as text that can stand anywhere: normalised, without control or
format characters, bounded. It stays text: templates escape it, JSON encodes it, a table's cell gets no formula.
"""

import unicodedata

JOINER = "\u200d"
VARIANTS = ("\ufe0e", "\ufe0f")
SKIN_TONES = range(0x1F3FB, 0x1F400)
NAME_LENGTH = 40
MARKS_IN_A_ROW = 2


def clean(text: str, length: int = NAME_LENGTH) -> str:
    """The text in NFC, white space as single blanks, and nothing in it that hides, turns or piles up; cut to `length`.

    A joiner is kept between two emoji, for it makes one picture of them. The result is a fixed point: cleaning it
    again changes nothing.
    """
    kept: list[str] = []
    marks = 0
    normal = unicodedata.normalize("NFC", "".join(c for c in text[: 20 * length] if c.isspace() or _shown(c)))
    for place, character in enumerate(normal):
        if character.isspace():
            character = " "
        marks = marks + 1 if unicodedata.category(character) in ("Mn", "Me") else 0
        if marks > MARKS_IN_A_ROW or (character == " " and kept[-1:] in ([], [" "])):
            continue
        if character == JOINER and not (_ends_emoji(kept) and _emoji(normal[place + 1 : place + 2])):
            continue
        kept.append(character)
    return _settled("".join(kept), length)


def _settled(text: str, length: int) -> str:
    """Cut without leaving half of something at the end."""
    cut = unicodedata.normalize("NFC", text)[:length].strip()
    while cut.endswith(JOINER):
        cut = cut[:-1].strip()
    return cut


def _shown(character: str) -> bool:
    """False for what controls, formats, is no character, or belongs to nobody; a joiner is judged by its place."""
    return character == JOINER or unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Co", "Cn")


def _emoji(character: str) -> bool:
    return bool(character) and (
        unicodedata.category(character) in ("So", "Sk") or ord(character) in SKIN_TONES or character in "♀♂⚕"
    )


def _ends_emoji(kept: list[str]) -> bool:
    """Whether an emoji, perhaps with its variation selector, stands at the end."""
    last = next((c for c in reversed(kept) if c not in VARIANTS), "")
    return _emoji(last)


def cell(text: str) -> str:
    """A cell of a table: what a spreadsheet would take for a formula becomes text by a leading apostrophe."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") and not _is_number(text) else text


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
