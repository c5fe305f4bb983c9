"""The datasets: each one entry of `DATASETS` that draws labelled examples from a given generator.
Scales and labels follow TensorFlow Playground (dataset.ts), its class +1 being class 1 here.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

import numpy as np

from engine.arrays import Floats
from engine.wording import Words

Task = Literal["regression", "binary", "multiclass"]

# In the plane of slope and intercept the minimum lies off both axes, and with x in [-1, 1] the loss
# contours are ellipses only 1.7 times as long as wide: descent is seen to bend, not to zigzag.
LINE_SLOPE = 1.5
LINE_INTERCEPT = 0.5

RADIUS = 5.0
"""Half the width of the two-input sets; the square drawn round them is a little wider."""
SQUARE = (-6.0, 6.0)
INTERVAL = (-1.2, 1.2)

GAUSSIAN_CENTRES: Floats = np.array([[-2.0, -2.0], [2.0, 2.0]])
BLOB_CENTRES: Floats = 3.5 * np.array([[0.0, 1.0], [-(0.75**0.5), -0.5], [0.75**0.5, -0.5]])
BUMP_CENTRES: Floats = np.array([[x1, x2] for x2 in (2.5, -2.5) for x1 in (-4.0, 0.0, 4.0)])
BUMP_SIGNS: Floats = np.array([1.0, -1.0, 1.0, -1.0, 1.0, -1.0])


@dataclass(frozen=True)
class Dataset:
    """One dataset: what people are told of it, and how its examples are drawn."""

    name: str
    title: Words
    task: Task
    inputs: int
    """Raw inputs: 1, 2 or 256."""
    outputs: int
    """The number of classes for multiclass, otherwise 1."""
    domain: tuple[float, float]
    """What to draw along every raw input."""
    formula: str
    """LaTeX, one line."""
    sentence: Words
    sample: Callable[[np.random.Generator, int, float], tuple[Floats, Floats]]
    """(rng, samples, noise in [0, 1]) -> x (samples, inputs), y (samples,).

    y is the value to predict for regression, otherwise the class index 0, 1, ...; rows are in
    random order, classes drawn in equal numbers within one. The same state of `rng` gives the same
    bits, and noise scales numbers that are always drawn: one seed shows the same points at every
    noise. Limits are the spec's to check; only finite data raises ValueError.
    """
    max_samples: int = 5000


def _line(rng: np.random.Generator, samples: int, noise: float) -> tuple[Floats, Floats]:
    """A straight line over x uniform in [-1, 1]; y gets normal noise with sd `noise`."""
    x = rng.uniform(-1.0, 1.0, samples)
    y = LINE_SLOPE * x + LINE_INTERCEPT + noise * rng.standard_normal(samples)
    return x[:, np.newaxis], y


def _sine(rng: np.random.Generator, samples: int, noise: float) -> tuple[Floats, Floats]:
    """One and a half periods over x uniform in [-1, 1]; y gets normal noise with sd `noise`."""
    x = rng.uniform(-1.0, 1.0, samples)
    y = np.sin(1.5 * np.pi * x) + noise * rng.standard_normal(samples)
    return x[:, np.newaxis], y


def _circle(rng: np.random.Generator, samples: int, noise: float) -> tuple[Floats, Floats]:
    """Class 1 in a disc of radius 2.5, class 0 in a ring from 3.5 to 5.

    As in the original the points stay where they are, and noise labels each by a place up to
    5 * noise away from it: with noise the classes mix, and need not be equal in number.
    """
    inner = _labels(rng, samples, 2) == 1
    radius = rng.uniform(np.where(inner, 0.0, 0.7 * RADIUS), np.where(inner, 0.5 * RADIUS, RADIUS))
    x = _polar(radius, rng.uniform(0.0, 2.0 * np.pi, samples))
    judged = x + _jitter(rng, samples, RADIUS * noise)
    return x, (np.hypot(judged[:, 0], judged[:, 1]) < 0.5 * RADIUS).astype(np.float64)


def _xor(rng: np.random.Generator, samples: int, noise: float) -> tuple[Floats, Floats]:
    """Class 1 where x1 and x2 have the same sign, with a gap of 0.3 on either side of the axes.

    Noise mislabels as in `_circle`. The classes are drawn equal in number, which the original
    leaves to chance.
    """
    same = _labels(rng, samples, 2) == 1
    sign = rng.choice([-1.0, 1.0], samples)
    distance = rng.uniform(0.0, RADIUS, (samples, 2)) + 0.3
    x = distance * np.column_stack([sign, np.where(same, sign, -sign)])
    judged = x + _jitter(rng, samples, RADIUS * noise)
    return x, (judged[:, 0] * judged[:, 1] >= 0.0).astype(np.float64)


def _gaussian(rng: np.random.Generator, samples: int, noise: float) -> tuple[Floats, Floats]:
    """Two round clouds, class 1 at (2, 2) and class 0 at (-2, -2)."""
    return _clouds(rng, samples, noise, GAUSSIAN_CENTRES)


def _three_blobs(rng: np.random.Generator, samples: int, noise: float) -> tuple[Floats, Floats]:
    """Three round clouds on the corners of a triangle, 3.5 from the middle."""
    return _clouds(rng, samples, noise, BLOB_CENTRES)


def _spiral(rng: np.random.Generator, samples: int, noise: float) -> tuple[Floats, Floats]:
    """Two arms of 1.75 turns, evenly spaced out to radius 5; noise moves points by up to `noise`.

    The arms begin one place off the middle: the original's first points coincide there, under
    both labels.
    """
    index = rng.permutation(samples)
    y = (index % 2).astype(np.float64)
    part = (index // 2 + 1) / ((samples + 1) // 2)
    x = _polar(RADIUS * part, 3.5 * np.pi * part + np.pi * (1.0 - y))
    return x + _jitter(rng, samples, noise), y


def _moons(rng: np.random.Generator, samples: int, noise: float) -> tuple[Floats, Floats]:
    """Two interlocking half circles of radius 10/3, class 0 the upper; normal noise, sd 2 * noise.

    The usual half moons, (cos t, sin t) and (1 - cos t, 1/2 - sin t), centred and scaled so that
    they reach from -5 to 5.
    """
    y = _labels(rng, samples, 2)
    t = rng.uniform(0.0, np.pi, samples)
    turn = 1.0 - 2.0 * y
    unit = np.column_stack([turn * (np.cos(t) - 0.5), turn * (np.sin(t) - 0.25)])
    return RADIUS / 1.5 * unit + 2.0 * noise * rng.standard_normal((samples, 2)), y


def _plane(rng: np.random.Generator, samples: int, noise: float) -> tuple[Floats, Floats]:
    """(x1 + x2) / 10 over the whole square.

    As in the original, noise takes the value from a place up to 6 * noise away in each input.
    """
    x = rng.uniform(*SQUARE, (samples, 2))
    judged = x + _jitter(rng, samples, SQUARE[1] * noise)
    return x, judged.sum(axis=1) / (2.0 * RADIUS)


def _multi_gaussian(rng: np.random.Generator, samples: int, noise: float) -> tuple[Floats, Floats]:
    """Six cones of radius 2, up (+1) and down (-1) by turns, 0 between them; noise as in `_plane`.

    Where cones overlap the one that is larger in size counts, the first of two equals.
    """
    x = rng.uniform(*SQUARE, (samples, 2))
    judged = x + _jitter(rng, samples, SQUARE[1] * noise)
    away = judged[:, np.newaxis, :] - BUMP_CENTRES  # (samples, bumps, 2)
    height = np.clip(1.0 - np.hypot(away[:, :, 0], away[:, :, 1]) / 2.0, 0.0, 1.0)
    largest = height.argmax(axis=1)
    return x, BUMP_SIGNS[largest] * height.max(axis=1)


def _digits16(rng: np.random.Generator, samples: int, noise: float) -> tuple[Floats, Floats]:
    """Different images of real digits; normal pixel noise with sd noise / 2, clipped to [0, 1].

    Raises ValueError when more are asked for than are stored.
    """
    stored = load_digits16()
    digits, copies, pixels = stored.shape
    if samples > digits * copies:
        raise ValueError(f"digits16 has {digits * copies} images, {samples} were asked for")
    index = rng.permutation(samples)
    digit = rng.permutation(digits)[index % digits]
    # One shuffled pack a digit, dealt from the top: no image comes twice.
    packs = rng.permuted(np.tile(np.arange(copies), (digits, 1)), axis=1)
    clean = stored[digit, packs[digit, index // digits]]
    noisy = clean + 0.5 * noise * rng.standard_normal((samples, pixels))
    return np.clip(noisy, 0.0, 1.0), digit.astype(np.float64)


@cache
def load_digits16() -> Floats:
    """The stored images (10, 200, 256): [d, i] is the i-th image of digit d, ink from 0 to 1.

    Read once, and read-only because everybody shares it. Source and licence (MNIST, CC BY-SA 3.0):
    data/README.md.
    """
    path = files(__package__) / "data" / "digits16.npz"
    with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
        images = archive["images"]
    ink: Floats = images.reshape(*images.shape[:2], -1) / 255.0
    ink.flags.writeable = False
    return ink


def _labels(rng: np.random.Generator, samples: int, classes: int) -> Floats:
    """Class indices (samples,) in random order, equal in number within one."""
    # Which classes get one more is drawn too, or a handful of samples would always favour class 0.
    order = rng.permutation(classes)
    return rng.permutation(order[np.arange(samples) % classes]).astype(np.float64)


def _clouds(rng: np.random.Generator, samples: int, noise: float, centres: Floats) -> tuple[Floats, Floats]:
    """A round normal cloud for each row of `centres`; variance 0.5 clean, 4 at noise 0.5."""
    y = _labels(rng, samples, len(centres))
    spread = np.sqrt(0.5 + 7.0 * noise) * rng.standard_normal((samples, 2))
    return centres[y.astype(np.int64)] + spread, y


def _jitter(rng: np.random.Generator, samples: int, reach: float) -> Floats:
    """Moves (samples, 2), uniform up to `reach` either way in each input."""
    return reach * rng.uniform(-1.0, 1.0, (samples, 2))


def _polar(radius: Floats, angle: Floats) -> Floats:
    """Points (samples, 2); the angle runs clockwise from the second axis, as in the original."""
    return np.column_stack([radius * np.sin(angle), radius * np.cos(angle)])


DATASETS: dict[str, Dataset] = {
    dataset.name: dataset
    for dataset in (
        Dataset(
            name="line",
            title="Line",
            task="regression",
            inputs=1,
            outputs=1,
            domain=INTERVAL,
            formula=rf"y = {LINE_SLOPE}\,x + {LINE_INTERCEPT}",
            sentence="Points along a straight line: one weight and one bias are enough.",
            sample=_line,
        ),
        Dataset(
            name="sine",
            title="Sine",
            task="regression",
            inputs=1,
            outputs=1,
            domain=INTERVAL,
            formula=r"y = \sin(1.5\,\pi x)",
            sentence="One and a half waves: a curve that takes several hidden units to bend.",
            sample=_sine,
        ),
        Dataset(
            name="circle",
            title="Circle",
            task="binary",
            inputs=2,
            outputs=1,
            domain=SQUARE,
            formula=r"y = 1 \text{ where } \sqrt{x_1^2 + x_2^2} < 2.5 \text{, else } 0",
            sentence="A disc inside a ring: no straight line parts them.",
            sample=_circle,
        ),
        Dataset(
            name="xor",
            title="Exclusive or",
            task="binary",
            inputs=2,
            outputs=1,
            domain=SQUARE,
            formula=r"y = 1 \text{ where } x_1 x_2 \ge 0 \text{, else } 0",
            sentence="Opposite corners belong together: neither input tells anything by itself.",
            sample=_xor,
        ),
        Dataset(
            name="gaussian",
            title="Two clouds",
            task="binary",
            inputs=2,
            outputs=1,
            domain=SQUARE,
            formula=r"x \sim \mathcal{N}(c_y, \sigma^2), \quad c_0 = (-2, -2), \; c_1 = (2, 2)",
            sentence="Two round clouds that one straight line can part.",
            sample=_gaussian,
        ),
        Dataset(
            name="spiral",
            title="Spiral",
            task="binary",
            inputs=2,
            outputs=1,
            domain=SQUARE,
            formula=r"x = r\,(\sin t, \cos t), \quad t = 0.7\,\pi r + \pi (1 - y)",
            sentence="Two arms wound round each other: the hardest of the two-input sets.",
            sample=_spiral,
        ),
        Dataset(
            name="moons",
            title="Two moons",
            task="binary",
            inputs=2,
            outputs=1,
            domain=SQUARE,
            formula=r"x = \pm \tfrac{10}{3} (\cos t - \tfrac12, \sin t - \tfrac14), \; + "
            r"\text{ if } y = 0",
            sentence="Two interlocking half circles: the border between them must bend twice.",
            sample=_moons,
        ),
        Dataset(
            name="plane",
            title="Plane",
            task="regression",
            inputs=2,
            outputs=1,
            domain=SQUARE,
            formula=r"y = \tfrac{1}{10} (x_1 + x_2)",
            sentence="A slope that rises evenly from one corner of the square to the opposite one.",
            sample=_plane,
        ),
        Dataset(
            name="multi_gaussian",
            title="Six hills",
            task="regression",
            inputs=2,
            outputs=1,
            domain=SQUARE,
            formula=r"y = \pm \max(0, 1 - \tfrac12 \sqrt{(x_1 - c_1)^2 + (x_2 - c_2)^2})",
            sentence="Three hills and three hollows by turns, with flat ground between them.",
            sample=_multi_gaussian,
        ),
        Dataset(
            name="three_blobs",
            title="Three blobs",
            task="multiclass",
            inputs=2,
            outputs=len(BLOB_CENTRES),
            domain=SQUARE,
            formula=r"x \sim \mathcal{N}(c_y, \sigma^2), \quad y \in \{0, 1, 2\}",
            sentence="Three round clouds on the corners of a triangle, one class each.",
            sample=_three_blobs,
        ),
        Dataset(
            name="digits16",
            title="Digits",
            task="multiclass",
            inputs=256,
            outputs=10,
            domain=(0.0, 1.0),
            formula=r"x \in [0, 1]^{16 \times 16}, \quad y \in \{0, \ldots, 9\}",
            sentence="Real handwritten digits (MNIST) of 256 pixels, to be told apart.",
            sample=_digits16,
            max_samples=2000,
        ),
    )
}
