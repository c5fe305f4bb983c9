"""Where on its host the app lies: at the root, or under a path of its own. One process serves one."""

_root = ""


def lies_under(path: str) -> None:
    """From now on every address begins with this path; empty for the root."""
    global _root
    _root = path


def at(path: str) -> str:
    """An address within the app, as browsers and scripts must ask for it."""
    return _root + path
