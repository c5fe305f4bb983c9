"""What training leaves alone: one parameter, a whole kernel, all biases; the same through every door."""

from pathlib import Path
from urllib.parse import parse_qsl

import numpy as np
import pytest
from httpx import AsyncClient

from app.page.links import Link
from app.run import history
from app.run.deeds import Freeze, perform
from app.settings import Settings
from engine import Spec, SpecError, advance, apply, receipt, start, trace
from engine.probes import nudge, slice_
from engine.session import frozen_mask
from tests.test_api_look import with_run

MAPS = {"dataset": "digits16", "samples": 40, "layers": "conv2d 2 3x3 relu, conv2d 2 3x3 relu", "frozen": ["W2.1.2"]}


def test_a_kernels_address_holds_all_of_its_weights() -> None:
    """And no other: not its neighbour's, and not a bias."""
    first = start(Spec.make(MAPS))
    moved = advance(first, 3).state
    (before, bias_before), (W, b) = (each.spec.network.layers(each.parameters)[1] for each in (first, moved))
    assert (before == W).all(axis=(2, 3)).tolist() == [[False, True], [False, False]]
    assert (b != bias_before).all()
    assert [receipt(trace(moved), f"W2.1.{source}.3.1").frozen for source in (1, 2)] == [False, True]


def test_it_is_so_in_a_link() -> None:
    link = Link.parse(dict(parse_qsl(Link(Spec.make(MAPS)).query(), keep_blank_values=True)))
    assert np.array_equal(frozen_mask(link.spec), frozen_mask(Spec.make(MAPS)))
    assert frozen_mask(link.spec).sum() == 9


def test_it_is_so_over_json(tmp_path: Path) -> None:
    """A look at the kernel as a whole is one at its middle weight, and says so; to set it one weight is to be named."""

    async def work(client: AsyncClient, path: str) -> None:
        layer = (await client.get(path + "trace")).json()["layers"][1]
        kernels = zip(layer["W"][0], layer["W_next"][0], strict=True)
        assert [now == after for now, after in kernels] == [False, True]
        for probe in ("nudge", "slice", "receipt", "wishes"):
            assert (await client.get(f"{path}{probe}?address=W2.1.2")).json()["address"] == "W2.1.2.2.2"

    with_run(tmp_path, MAPS, 1, work)


def test_a_kernel_is_not_set_by_one_number() -> None:
    state = start(Spec.make(MAPS))
    assert nudge(state, "W2.1.2").address == slice_(state, "W2.1.2").address == "W2.1.2.2.2"
    with pytest.raises(SpecError, match=r"one weight of this kernel, such as W2\.1\.2\.2\.2"):
        apply(state, "W2.1.2", 0.5)


@pytest.mark.parametrize(
    ("held", "address", "after"),
    [
        ([], "b1.1", ["b1.1"]),
        (["biases"], "biases", []),
        (["b1.1"], "b2.1", ["b1.1", "b2.1"]),
        (["W1.1.1", "biases"], "b1.1", ["W1.1.1", "b1.2", "b2.1"]),
        (["b1.1", "biases"], "b1.1", ["b1.2", "b2.1"]),
        (["b1.1"], "biases", ["b1.1", "biases"]),
    ],
)
def test_what_is_let_go_leaves_the_others_held(held: list[str], address: str, after: list[str]) -> None:
    run = history.begin(Spec.make(dataset="line", hidden=[2], frozen=held))
    done, _ = perform(run, Freeze(address), run.state, Settings())
    assert list(done.state.spec.frozen) == after


def test_one_weight_of_a_frozen_kernel_is_let_go() -> None:
    run = history.begin(Spec.make(MAPS))
    done, _ = perform(run, Freeze("W2.1.2.1.1"), run.state, Settings())
    assert frozen_mask(done.state.spec).sum() == 8
