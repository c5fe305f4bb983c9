"""A graph as a file of its own: the drawing with its style in it, in the page's light colours."""

from functools import lru_cache

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from app.assets import STATIC

SHEETS = Environment(  # a style sheet is a template, whose values are what it calls its variables
    loader=FileSystemLoader(STATIC),
    undefined=StrictUndefined,
    variable_start_string="var(--",
    variable_end_string=")",
    autoescape=True,
    keep_trailing_newline=True,
)

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
    return SHEETS.get_template("ops.css").render(COLOURS) + ".ops .paper { fill: #fff; stroke: none; }"
