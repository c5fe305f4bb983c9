"""What changes on a room's pages beside the picture, as markup for one audience: question, numbers, pace."""

from typing import Any

from markupsafe import Markup

from app.draw.rendering import render


def panel_of(state: dict[str, Any], audience: str, code: str, mine: str = "") -> Markup:
    """The panel of what an audience is told; `mine` is one student's answer to the question that is being asked."""
    return render(f"class/_panel_{audience}.html", t=state, code=code, mine=mine)
