"""Entity tags of runs: which write a run is, as HTTP's conditional requests name it."""

from app.stores import Stamp


def tag_of(stamp: Stamp) -> str:
    """A strong tag. The token is part of it, for a store that lost its last writes counts up to the same numbers."""
    return f'"{stamp.version}-{stamp.token}"'


def version_tag(version: int) -> str:
    """The tag of a version whose token is not known any more."""
    return f'"{version}"'


def names(asked: str, stamp: Stamp) -> bool:
    """Whether If-Match or If-None-Match names this write: by its tag, by its version alone, or by a star."""
    mine = {"*", tag_of(stamp), version_tag(stamp.version)}
    return any(each.strip() in mine for each in asked.split(","))
