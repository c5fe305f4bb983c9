"""Stored bytes that name their form and carry a checksum: what is damaged is told from what another version wrote.

A database finds few flipped bits by itself, and a value that still can be read as something is worse than none.
"""

from hashlib import sha256
from struct import Struct

from app.failures import Damaged, OtherVersion

_HEAD = Struct("<4s32s")
SIZE = _HEAD.size


def seal(form: bytes, body: bytes) -> bytes:
    """The body behind the four letters of its form and a checksum of both."""
    return _HEAD.pack(form, sha256(form + body).digest()) + body


def unseal(sealed: bytes, known: tuple[bytes, ...]) -> tuple[bytes, bytes]:
    """Form and body; Damaged if a bit has changed, OtherVersion if the form is none of the known."""
    form, body = parted(sealed)
    if sha256(form + body).digest() != sealed[len(form) : SIZE]:
        raise Damaged("a record's checksum does not match")
    if form not in known:
        raise OtherVersion(f"a record has the form {form!r}")
    return form, body


def parted(sealed: bytes) -> tuple[bytes, bytes]:
    """Form and body, neither of them checked."""
    if len(sealed) < SIZE:
        raise Damaged("a record is too short")
    return sealed[:4], sealed[SIZE:]
