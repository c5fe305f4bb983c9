"""The command line: what may be asked of `backprop-playground`, as settings of the server or as steps in the shell."""

import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from codecs import BOM_UTF8
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from app.run.answers import traced
from app.serve.errors import short
from engine import RunState, Spec, SpecError, advance, evaluate, start, trace

# Options of the server that are settings, with what they mean.
SETTINGS = {
    "host": ("ADDRESS", "address to listen on (127.0.0.1)"),
    "port": ("NUMBER", "port to listen on (8000; 0: any that is free)"),
    "workers": ("NUMBER", "server processes (1)"),
    "data": ("FOLDER", "folder of the SQLite file"),
    "store": ("PLACE", "redis://host:port/0, or the path of a SQLite file"),
}
MORE = "Every other setting is a variable of the environment, PLAYGROUND_<NAME>; SERVING.md lists them."


def parsed(arguments: Sequence[str]) -> Namespace:
    """The arguments understood; whoever names no command means `serve`. What is unknown ends with code 2."""
    known = ("serve", "step", "-h", "--help", "--version")
    given = list(arguments) if arguments and arguments[0] in known else ["serve", *arguments]
    return _parser().parse_args(given)


def _parser() -> ArgumentParser:
    parser = ArgumentParser("backprop-playground", description="See the backward pass of a small network.")
    parser.add_argument("--version", action="version", version=version("backprop-playground"))
    commands = parser.add_subparsers(dest="command", metavar="{serve,step}")
    serve = commands.add_parser("serve", help="serve the playground; what happens without a command", epilog=MORE)
    for name, (what, meaning) in SETTINGS.items():
        serve.add_argument(f"--{name}", metavar=what, type=_count if what == "NUMBER" else str, help=meaning)
    serve.add_argument("--open", action="store_true", help="open it in the browser")
    step = commands.add_parser("step", help="train in the shell, and print what comes of it as JSON")
    step.add_argument("spec", help="a JSON file with the fields of a spec; - is standard input")
    step.add_argument("--steps", type=_count, default=1, metavar="NUMBER", help="steps to take (1)")
    step.add_argument("--trace", action="store_true", help="print all numbers of the step that would come next, too")
    return parser


def _count(text: str) -> int:
    if not (text.isascii() and text.isdecimal()):
        raise ArgumentTypeError(f"{short(text)} is not allowed, must be a whole number from 0")
    return int(text)


def environment(given: Namespace) -> dict[str, str]:
    """The options as variables, which the workers of a server see too."""
    values = ((name, getattr(given, name)) for name in SETTINGS)
    return {f"PLAYGROUND_{name.upper()}": str(value) for name, value in values if value is not None}


def step(given: Namespace) -> None:
    """Train a spec and print JSON: how far it came, how good it is, its parameters; with `--trace` the step ahead."""
    try:
        state = start(Spec.make(_read(given.spec)))
    except SpecError as error:
        sys.exit(str(error))
    done = advance(state, given.steps)
    told = _told(done.state) | {"done": done.done}
    if given.trace and not done.state.divergence:
        told["trace"] = traced(trace(done.state))
    sys.stdout.buffer.write(orjson.dumps(told, np.ndarray.tolist, orjson.OPT_INDENT_2) + b"\n")


def _read(place: str) -> Mapping[str, Any]:
    """The spec in a file, or on standard input; the end, with a sentence, if there is none."""
    try:
        text = sys.stdin.buffer.read() if place == "-" else Path(place).read_bytes()
        given = orjson.loads(text.removeprefix(BOM_UTF8))
    except OSError as error:
        sys.exit(f"{place or 'a file without a name'} cannot be read: {(error.strerror or 'it failed').lower()}")
    except orjson.JSONDecodeError as error:
        sys.exit(f"{place} is not JSON: line {error.lineno}, column {error.colno}: {error.msg}")
    if not isinstance(given, dict):
        sys.exit(f'{place} holds no object with the fields of a spec, such as {{"dataset": "xor"}}')
    return given


def _told(state: RunState) -> dict[str, Any]:
    layers: list[dict[str, Any]] = [{} for _ in state.spec.network.shapes]
    for each in state.spec.network.parameters:
        layers[each.layer - 1][each.letter] = each.of(state.parameters)
    metrics = {name: vars(found) for name, found in evaluate(state).items()}
    end = vars(state.divergence) if state.divergence else None
    return {"step": state.step, "epoch": state.epoch, "metrics": metrics, "divergence": end, "parameters": layers}
