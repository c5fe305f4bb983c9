"""What lessons ask and show, a module each: a function for every screen, which reads what was set, puts its questions
and gives the values that its text and pictures name. All of it is done, and judged, before the text is rendered.
"""

from importlib import import_module
from pkgutil import iter_modules

from app.learn.visit import Screen

SCREENS: dict[str, tuple[Screen, ...]] = {
    each.name.replace("_", "-"): import_module(f"{__name__}.{each.name}").SCREENS for each in iter_modules(__path__)
}
"""By the lesson's name, which is its module's."""
