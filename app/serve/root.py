"""Where on its host the app lies: at the root, or under a path of its own. One process serves one."""

_root = ""


def lies_under(path: str) -> None:
    """From now on every address begins with this path; empty for the root."""
    global _root
    _root = path


def within(path: str) -> str:
    """The address within the app of one that was asked for, whether a proxy has taken the path away or not."""
    return path.removeprefix(_root) if _root and path.startswith(_root + "/") else path


def at(path: str) -> str:
    """An address within the app, as browsers and scripts must ask for it."""
    return _root + path
