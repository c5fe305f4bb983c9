"""A graph as a file of its own: the drawing with its style in it, in the page's light colours."""

import re
from functools import lru_cache

from app.assets import STATIC

COLOURS = {
    "ink": "#1d2126",
    "card": "#fffefb",
    "muted": "#5c6470",
    "forward": "#0c7a6f",
    "backward": "#8a2fb0",
    "lit": "#f5edf9",
    "halo": "#fff",
    "sans": "sans-serif",
}


@lru_cache(maxsize=1)
def style() -> str:
    """The drawing's style sheet with plain colours, which every program that reads SVG knows."""
    sheet = (STATIC / "ops.css").read_text(encoding="utf-8")
    return (
        re.sub(r"var\(--(\w+)\)", lambda found: COLOURS[found[1]], sheet) + ".ops .paper { fill: #fff; stroke: none; }"
    )
