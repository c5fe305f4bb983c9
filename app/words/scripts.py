"""What scripts say to people: a page, or a part of it, brings along the messages of its scripts."""

import re
from functools import lru_cache

from app.assets import STATIC
from app.words.texts import text
from engine.wording import Words

MESSAGES: dict[str, Words] = {
    "added": "what an earlier layer gave, added at {unit}",
    "answers-right": "{right} of {all} right so far",
    "answers-none": "nothing answered yet",
    "bias": "bias of {unit}",
    "carries": "carries {value}",
    "change": "change {value}",
    "copied": "Copied",
    "copied-not": "Copy it by hand",
    "copy-fresh": "Take a fresh copy",
    "data-read": "Read: {file}",
    "data-unread": "The server could not read this.",
    "failed": "The server could not do this.",
    "failed-reload": "{reason} Reload the page: its address starts the run anew.",
    "feature-add": "{feature}: add it",
    "feature-take": "{feature}: take it out",
    "go-on": "Go on: {lesson}, screen {screen}",
    "hidden": "hidden {layer}",
    "hint": "Hint: {hint} → shows the answer.",
    "ink": "Row {row}, column {column}, ink",
    "input": "input",
    "late": "Your answer to question {number}, “{label}”, came too late: the question is over.",
    "layer-add": "Add a layer, or something to one, before layer {layer}",
    "layer-change": "hidden {layer}, {units} wide: change, move or remove it",
    "look-at": "✗ Look at: {factor}. {reason}",
    "must-be": "The answer must be {allowed}.",
    "nan": "not a number",
    "network-kept": "Keep the new network",
    "network-new": "A new network. Your run of {steps} steps is kept.",
    "number-or": "or the number",
    "number-say": "Say",
    "option-down": "down",
    "option-stay": "stays",
    "option-up": "up",
    "output": "output",
    "paper": "Row {row}, column {column}, paper",
    "pause": "Pause",
    "paused": "Paused at step {step}, train loss {loss}.",
    "play": "Play",
    "predict-off": "Predict: off",
    "predict-on": "Predict: on",
    "predict-one": "Predict asks about one example: choose it above the diagram.",
    "rate": "rate {rate}: loss {loss}",
    "reconnecting": "Reconnecting…",
    "refused": "Your answer to question {number}, “{label}”, was not taken: {reason}",
    "right": "✓ Right. {reason}",
    "seen": "{seen} of {total} screens seen",
    "seen-all": "✓ all screens seen",
    "selected": "Selected",
    "shortcut": "shortcut {value}",
    "silent": "The server does not answer.",
    "silent-screen": "The server does not answer. What is on screen is the last that came.",
    "slow": "Slow connection: this page asks every 2 seconds.",
    "slowly": "▸ Play slowly",
    "slowly-stop": "❚❚ Stop playing",
    "square-off": "Your {count} lines stay as they are: the square is for two inputs up to 6 and two classes.",
    "step": "Step {step}, train loss {loss}.",
    "theme-auto": "Theme: as the system",
    "theme-dark": "Theme: dark",
    "theme-light": "Theme: light",
    "theme-projector": "Theme: projector",
    "undo": "Undo",
    "undo-run": "Undo: back to the run before",
    "units-fewer": "hidden {layer}: fewer units",
    "units-more": "hidden {layer}: more units",
    "unseen": "The class does not see this: {reason}",
    "unsent": "Your answer to question {number}, “{label}”, is not sent yet. It is kept here and goes by itself.",
    "weight": "weight {value}",
}

IMPORT = re.compile(r"^import .*?'\./(\w+\.js)'", re.MULTILINE)
SAYS = re.compile(r"\bsay\('([\w-]+)'")


@lru_cache(maxsize=64)
def names_of(script: str) -> tuple[str, ...]:
    """The messages of a script and of those that come with it; what it fetches later brings its own."""
    return tuple(sorted({name for each in together(script) for name in SAYS.findall(_code(each))}))


def together(script: str) -> set[str]:
    """A script, what it imports, and what that imports."""
    found, new = set[str](), {script}
    while new:
        found |= new
        new = {each for known in new for each in IMPORT.findall(_code(known))} - found
    return found


def said_by(*scripts: str) -> dict[str, str]:
    """What a page has to bring along for scripts."""
    return {name: text(MESSAGES[name]) for script in scripts for name in names_of(script)}


def _code(script: str) -> str:
    return (STATIC / script).read_text(encoding="utf-8")
