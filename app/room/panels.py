"""What changes on a room's pages beside the picture, as markup for one audience: question, numbers, pace."""

from typing import Any

import orjson
from markupsafe import Markup

from app.draw.rendering import render
from app.words.texts import kept


def panel_of(state: dict[str, Any], audience: str, code: str, mine: str = "") -> Markup:
    """The panel of what an audience is told; `mine` is one student's answer to the question that is being asked."""
    return _rendered(orjson.dumps(state), audience, code, mine)


@kept(128)  # a step changes the picture, and of the panels the teacher's alone
def _rendered(state: bytes, audience: str, code: str, mine: str) -> Markup:
    return render(f"class/_panel_{audience}.html", t=orjson.loads(state), code=code, mine=mine)
