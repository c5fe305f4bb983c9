"""The article's own tests on a parameter of a live run, gathered for their fragment: nudge, check all, slice."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from app.costs import CHECK_SECONDS
from app.draw.charts import Axis, Framed, path
from app.draw.pictures import data_uri, indexed_png
from app.run.links import number
from app.words.numbers import fixed_signed
from app.words.texts import text
from engine import Quantity, RunState, Spec, SpecError
from engine.penalties import PENALTIES
from engine.probed import Contour, Slice
from engine.probes import check_all, located, nudge, slice_, wishes
from engine.quantity import bias, weight

KINDS = ("nudge", "check", "slice", "wishes")
MOST_WISHES = 12
BANDS = 12


@dataclass(frozen=True)
class SliceChart(Framed):
    """The loss along one parameter: its curve, the tangent, where it stands and where steps land."""

    curve: str
    tangent: str
    now: tuple[float, float]
    landings: tuple[tuple[float, float, str], ...]


def probe(kind: str, state: RunState, address: str, amount: str, example: int | None) -> dict[str, Any]:
    """What the fragment of one of `KINDS` shows. SpecError for no such address or amount."""
    return {"penalty": penalty_title(state.spec)} | _asked(kind, state, address, amount, example)


def penalty_title(spec: Spec) -> str:
    """What is added to the loss, L1 or L2; "" if nothing is."""
    return text(PENALTIES[spec.regularization].title) if spec.penalized else ""


def _asked(kind: str, state: RunState, address: str, amount: str, example: int | None) -> dict[str, Any]:
    if kind == "nudge":
        size = number(amount) if amount else 0.001
        if isinstance(size, str):
            raise SpecError("amount", amount, "a number such as 0.001")
        result = nudge(state, address, float(size), example)
        return {"n": result, "amount": amount or "0.001", "reruns": state.spec.network.size}
    if kind == "check":
        return {"k": check_all(state, example, seconds=CHECK_SECONDS)}
    if kind == "wishes":
        return {"wishes": wishes_of(state, address), "address": address}
    along = slice_(state, address, example)
    return {"s": along, "chart": slice_chart(along)}


def partner_of(address: str) -> str:
    """The parameter that goes with another on a map: a weight's own bias, a bias's first weight."""
    of = Quantity.parse(address) if address else Quantity("")
    if not of.is_parameter:
        return ""
    return str(bias(of.layer, of.unit) if of.kind == "W" else weight(of.layer, of.unit, 1))


@dataclass(frozen=True)
class Wish:
    """What one example of the batch wants of a parameter: its own gradient, and a bar from the middle."""

    example: int
    gradient: float
    cosine: str
    x: float
    width: float
    sign: str


def wishes_of(state: RunState, address: str) -> dict[str, Any]:
    """Every example's own gradient of one parameter, the largest first, and their mean, which is the batch's."""
    index = located(state, address)
    found = wishes(state)
    own = found.gradients[:, index]
    reach = float(np.abs(own).max()) or 1.0
    rows = []
    for n in np.argsort(-np.abs(own), kind="stable")[:MOST_WISHES].tolist():
        length = 60 * abs(float(own[n])) / reach
        cosine = fixed_signed(float(found.cosines[n])) if np.isfinite(found.cosines[n]) else "–"
        sign = "n" if own[n] < 0 else "p"
        rows.append(
            Wish(
                int(found.examples[n]),
                float(own[n]),
                cosine,
                round(60 - length * (own[n] < 0), 1),
                round(length, 1),
                sign,
            )
        )
    return {"rows": rows, "mean": float(found.mean[index]), "more": len(own) - len(rows), "batch": found.batch}


@dataclass(frozen=True)
class Map:
    """The loss over two parameters as one small picture, with the path walked and where it stands now."""

    picture: str
    x_ticks: tuple[tuple[float, str], ...]
    y_ticks: tuple[tuple[float, str], ...]
    path: str
    now: tuple[float, float]
    x_address: str
    y_address: str


def map_of(found: Contour) -> Map:
    """Place a contour in a box of 220 x 190; bands by equal shares of the places, so that a valley shows its floor."""
    x, y = (Axis(float(v[0]), float(v[-1]), *ends) for v, ends in ((found.x, (40, 256)), (found.y, (186, 6))))
    ranks = np.searchsorted(np.sort(found.losses, axis=None), found.losses) / found.losses.size
    index = np.minimum(ranks[::-1] * BANDS, BANDS - 1).astype(np.uint8)
    palette = tuple((110, 100, 85, round(150 * band / (BANDS - 1))) for band in range(BANDS))
    walked = np.array(found.path or [found.now])
    now = (x.at(found.now[0]), y.at(found.now[1]))
    return Map(
        data_uri(indexed_png(index, palette)),
        tuple(x.ticks(4)),
        tuple(y.ticks(4)),
        path(x(walked[:, 0]), y(walked[:, 1])),
        now,
        found.x_address,
        found.y_address,
    )


def slice_chart(along: Slice) -> SliceChart:
    """Place a slice; the tangent reaches a third of the width to either side."""
    width, height = 260, 150
    finite = along.losses[np.isfinite(along.losses)]
    low, high = float(finite.min()), float(finite.max())
    rim = 0.06 * (high - low) or 0.5
    x = Axis(float(along.values[0]), float(along.values[-1]), 42.0, width - 6)
    y = Axis(low - rim, high + rim, height - 22, 16.0)
    reach = (along.values[-1] - along.values[0]) / 3
    ends = np.array([along.now - reach, along.now + reach])
    landed: list[tuple[float, float, str]] = []
    for mark in reversed([mark for mark in along.landings if np.isfinite(mark.loss)]):
        at = x.at(mark.value)
        clear = all(abs(at - other) > 18 for other, _, label in landed if label)
        landed.append((at, y.at(mark.loss), f"{mark.factor}×" if clear else ""))
    return SliceChart(
        *(x, y, width, height),
        path(x(along.values), y(along.losses)),
        path(x(ends), y(along.loss + along.total * (ends - along.now))),
        (x.at(along.now), y.at(along.loss)),
        tuple(landed),
    )
