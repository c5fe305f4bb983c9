"""Reads pages as a person does: elements by what they are, places by the ticks beside them, colours from the bytes of a
picture. Nothing here knows how the product draws; that is the point.
"""

import re
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from math import log10
from zlib import decompress

import numpy as np
import numpy.typing as npt

RAISED = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
VOID = {"input", "br", "hr", "img", "meta", "link"}
Pixels = npt.NDArray[np.uint8]  # (rows, columns, red green blue alpha)


@dataclass
class Element:
    """An element of a page: its tag, attributes, children, and the text that stands directly in it."""

    tag: str
    attrs: dict[str, str]
    children: list["Element"] = field(default_factory=list)
    text: str = ""

    def __iter__(self) -> Iterator["Element"]:
        """Itself and all below it, in order."""
        yield self
        for child in self.children:
            yield from child

    def __getitem__(self, name: str) -> str:
        return self.attrs[name]

    def number(self, name: str) -> float:
        return float(self.attrs[name])

    @property
    def classes(self) -> list[str]:
        return self.attrs.get("class", "").split()

    @property
    def words(self) -> str:
        """All its text."""
        return " ".join(" ".join(each.text for each in self).split())

    def all(self, tag: str = "", *classes: str, id: str = "") -> list["Element"]:
        return [
            each
            for each in self
            if tag in ("", each.tag)
            and set(classes) <= set(each.classes)
            and (not id or re.fullmatch(id, each.attrs.get("id", "")))
        ]

    def one(self, tag: str = "", *classes: str, id: str = "") -> "Element":
        found = self.all(tag, *classes, id=id)
        assert len(found) == 1, f"{len(found)} of {tag} {classes} {id}"
        return found[0]


class _Builder(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open = [Element("", {})]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_startendtag(tag, attrs)
        if tag not in VOID:
            self.open.append(self.open[-1].children[-1])

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open[-1].children.append(Element(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        while len(self.open) > 1 and self.open.pop().tag != tag:
            pass

    def handle_data(self, data: str) -> None:
        self.open[-1].text += data


def page(text: str) -> Element:
    """The root of a page or fragment; tags come in lower case."""
    builder = _Builder()
    builder.feed(text)
    return builder.open[0]


@dataclass(frozen=True)
class Scale:
    """From places to values, as the ticks of an axis tell: straight, or by powers of ten."""

    at: float
    value: float
    slope: float
    log: bool

    def __call__(self, place: float) -> float:
        value = self.value + self.slope * (place - self.at)
        return float(10**value) if self.log else value

    def place(self, value: float) -> float:
        return self.at + ((log10(value) if self.log else value) - self.value) / self.slope


def told(label: str) -> float:
    """The number that a label tells: 1.5k, −0.2, 1e−3, 1,200."""
    text = label.replace("−", "-").replace(",", "").strip().translate(RAISED).replace("×10", "e")
    return 1000 * float(text[:-1]) if text.endswith("k") else float(text)


def scales(svg: Element, log: bool = False) -> tuple[Scale, Scale]:
    """The two axes of a chart, each read from its outermost ticks; `log` is of the upright one."""
    marks = [each for each in svg.all("text", "tick") if each.text.strip() and not each.text.strip().endswith("×")]
    across = [(mark.number("x"), told(mark.text)) for mark in marks if "y" not in mark.classes]
    upright = [(mark.number("y") - 4, told(mark.text)) for mark in marks if "y" in mark.classes]
    x, y = _scale(across, False), _scale(upright, log)
    assert x.slope > 0 > y.slope, "more is to the right and upwards"
    return x, y


def _scale(ticks: list[tuple[float, float]], log: bool) -> Scale:
    (first, low), (last, high) = min(ticks), max(ticks)
    assert first != last, "an axis with one tick cannot be read"
    if log:
        low, high = log10(low), log10(high)
    return Scale(first, low, (high - low) / (last - first), log)


def points(path: str) -> npt.NDArray[np.float64]:
    """The corners of a polyline, (n, 2)."""
    numbers = [float(text) for text in re.findall(r"-?\d+\.?\d*", path)]
    return np.array(numbers).reshape(-1, 2)


def pixels(uri: str) -> Pixels:
    """An indexed PNG in an address, decoded here from its bytes."""
    png = b64decode(uri.removeprefix("data:image/png;base64,"))
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    chunks, at = dict[bytes, bytes](), 8
    while at < len(png):
        size = int.from_bytes(png[at : at + 4], "big")
        chunks[png[at + 4 : at + 8]] = png[at + 8 : at + 8 + size]
        at += size + 12
    width, height = (int.from_bytes(chunks[b"IHDR"][k : k + 4], "big") for k in (0, 4))
    depth = chunks[b"IHDR"][8]
    rows = np.frombuffer(decompress(chunks[b"IDAT"]), np.uint8).reshape(height, -1)
    assert (rows[:, 0] == 2).all(), "each row as what is more than in the one above it"
    index = np.cumsum(rows[:, 1:], axis=0, dtype=np.uint8)
    if depth == 4:
        index = np.stack([index >> 4, index & 15], axis=-1).reshape(height, -1)
    colours = np.frombuffer(chunks[b"PLTE"], np.uint8).reshape(-1, 3)
    alphas = np.full((len(colours), 1), 255, np.uint8)
    given = np.frombuffer(chunks[b"tRNS"], np.uint8)
    alphas[: len(given), 0] = given
    return np.hstack([colours, alphas])[index[:, :width]]


def diverging(picture: Pixels) -> npt.NDArray[np.float64]:
    """Values in [-1, 1] of an orange (below 0) and blue (above) picture: the hue is the sign, the alpha the size."""
    blue = picture[..., 2].astype(int) > picture[..., 0].astype(int)
    return np.where(blue, 1.0, -1.0) * picture[..., 3] / 255
