"""From what a number was made is on the screen: of every moment, of whole layers and passes of feature maps, too."""

import re
from itertools import chain

import numpy as np
import pytest

from app.explain.moments import Moment
from app.explain.rows import Rows, rows_of
from app.explain.walkthrough import Walkthrough, walkthrough
from app.words.segments import text_of
from engine import OPTIMIZERS, Quantity, Spec, advance, start, trace
from engine.lookup import Numbers

DIGITS = {"dataset": "digits16", "samples": 60, "noise": 0, "test_share": 0.2, "batch_size": 4}
MAPS = {
    "pools": "conv2d 3 3x3 relu, max_pool 2, conv2d 4 3x3 relu valid, avg_pool 2",
    "norms": "conv2d 3 3x3 tanh, batch_norm, dropout 0.5, conv2d 3 3x3 relu, layer_norm, shortcut 1, global_pool",
}
PLACE = re.compile(r"One of them is below: (?P<channel>.+), row (\d+), column (\d+)(?:, of example \d+)?\.")
WEIGHT = re.compile(r"One of them is below: the weight in row (\d+), column (\d+) of the kernel from .* to .*\.")


def walk(layers: str, grain: str, example: int | None = 3, **given: str) -> Walkthrough:
    """A step of a network of feature maps."""
    return walkthrough(trace(advance(start(Spec.make(**DIGITS, layers=layers, **given)), 2).state, example), grain)


def targets(rows: Rows) -> list[Quantity]:
    """What is computed in rows, by the first column of each."""
    tables = (chain(block.numbers, block.more) for block in rows.blocks if not block.goes_on)
    return [Quantity.parse(cells[0].part) for table in tables for _, cells in table if cells[0].part.isascii()]


@pytest.mark.parametrize("example", [3, None], ids=["one example", "a batch"])
@pytest.mark.parametrize("grain", ["layer", "pass"])
@pytest.mark.parametrize("layers", MAPS.values(), ids=MAPS)
def test_whole_layers_of_maps_show_how_one_number_was_made(layers: str, grain: str, example: int | None) -> None:
    """Which of all is said; of a layer it is the largest by size, of its first example."""
    moments, said = walk(layers, grain, example), 0
    look = Numbers(moments.trace)
    for moment in moments:
        if moment.kind in ("inputs", "again", "penalty"):
            continue
        rows, words = rows_of(moments.scene, moment), text_of(moment.words)
        assert rows.blocks or moment.kind in ("spread", "delta"), (moment.kind, words)
        if found := PLACE.search(words):
            of = targets(rows)[0]
            assert of.index[1:] == tuple(map(int, found.groups()[1:])) or moment.kind == "delta"
            assert found["channel"] == moments.scene.unit(moment.layer, of.unit)
            maps = look(Quantity(of.kind, of.layer))[0]
            assert moment.kind == "delta" or abs(look(of.at(0))) == np.abs(maps).max()
            said += 1
        if found := WEIGHT.search(words):
            of = targets(rows)[0]
            assert of.index[2:] == tuple(map(int, found.groups()))
            assert abs(look(of)) == np.abs(look(Quantity("dW", of.layer))).max()
            said += 1
    assert said >= 6 or grain == "pass"


def test_the_others_of_a_sum_are_counted() -> None:
    """What is not written out of a sum stands as "… (7)": with those that are written it is the whole."""
    moments, read = walk(MAPS["pools"], "unit"), 0
    for moment in moments:
        for block in rows_of(moments.scene, moment).blocks:
            others = [re.fullmatch(r"… \((\d+)\)", str(cell.symbol)) for cell in block.symbols]
            if moment.kind == "window" and any(others):
                (count,) = (int(found[1]) for found in others if found)
                written = sum(cell.part.startswith("W") for cell in block.symbols)
                window = [9, 27][moment.layer - 1]
                met = int(np.prod(moments.trace.layers[moment.layer - 1].W.shape[1:]))
                assert met == window
                assert written + count <= window
                assert written + count == window or moment.layer == 1  # at its edge an image has no more
                read += 1
    assert read > 4


@pytest.mark.parametrize("layers", ["conv2d 2 3x3 relu, batch_norm"])
def test_what_a_channel_has_but_once_is_named(layers: str) -> None:
    """A bias, or a gain and a shift: of neither is said only "this"."""
    of: dict[str, Moment] = {moment.kind: moment for moment in walk(layers, "operation")}
    assert "has its bias but once" in text_of(of["db"].words)
    assert "has its gain and its shift but once" in text_of(of["gains"].words)


@pytest.mark.parametrize("rule", [name for name, each in OPTIMIZERS.items() if each.slots and not each.search])
@pytest.mark.parametrize("grain", ["operation", "unit", "layer"])
def test_what_a_rule_remembers_is_said_to_be_remembered(rule: str, grain: str) -> None:
    """Each letter of its own that stands in its lines is said to come from the steps before."""
    moments = walkthrough(trace(advance(start(Spec.make(optimizer=rule)), 3).state, 3), grain)
    moment = next(each for each in moments if each.phase == "update")
    letters = " and ".join(OPTIMIZERS[rule].slots)
    assert f"From the steps before it remembers {letters}." in text_of(moment.words)
    shown = {cell.part.partition("_")[0] for b in rows_of(moments.scene, moment).blocks for cell in b.symbols}
    assert shown >= set(OPTIMIZERS[rule].slots)


@pytest.mark.parametrize("example", [3, None], ids=["one example", "a batch"])
def test_a_normalization_shows_of_what_its_mean_and_spread_are(example: int | None) -> None:
    """Of a unit over the batch, of a layer over its units; and what goes back through the gain, unit by unit."""
    layers = "dense 3 sigmoid, batch_norm, dense 3 tanh, layer_norm"
    moments, seen = walkthrough(trace(advance(start(Spec.make(layers=layers)), 2).state, example), "unit"), set[str]()
    for moment in moments:
        if moment.kind in ("spread", "dxhat"):
            seen |= {f"{of.kind}{of.layer}" for of in targets(rows_of(moments.scene, moment))}
    assert seen == {f"{kind}{k}" for kind in ("mean", "spread", "dxhat") for k in (1, 2)}


@pytest.mark.parametrize("example", [3, None], ids=["one example", "a batch"])
@pytest.mark.parametrize("grain", ["operation", "unit", "layer"])
@pytest.mark.parametrize("rate", [0.2, 0.5])
@pytest.mark.parametrize("layers", ["dense 3 tanh, dropout {}", "conv2d 2 3x3 tanh, dropout {}"])
def test_the_factor_of_dropout_is_made_of_its_rate(layers: str, rate: float, grain: str, example: int | None) -> None:
    """Where the mask is used it is said to be 1/(1 − rate); what is out has no factor."""
    given = DIGITS if "conv" in layers else {"samples": 40}
    moments = walkthrough(
        trace(advance(start(Spec.make(**given, layers=layers.format(rate))), 2).state, example), grain
    )
    told = 0
    for moment in moments:
        if moment.kind == "dropout":
            words = text_of(moment.words)
            if " is out in this step" in words:
                continue
            scale, by, again = re.search(
                r"factor, (\S+), is 1/\(1 − (\S+)\), with the dropout rate (\S+):", words
            ).groups()
            assert by == again == str(rate)
            mask = moments.trace.layers[0].mask
            assert mask is not None
            assert float(scale) == pytest.approx(float(mask.max()), rel=1e-3)
            assert float(scale) == pytest.approx(1 / (1 - float(by)), rel=1e-3)
            told += 1
    assert told
