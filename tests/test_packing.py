"""A state as bytes: it comes back to the last bit, or not at all."""

from dataclasses import replace

import numpy as np
import pytest
from test_edits import same

from engine import CorruptState, RunState, Spec, advance, apply, pack, start, unpack
from engine.state import Divergence

SPECS = {
    "default": Spec.make(),
    "adam": Spec.make(optimizer="adam", optimizer_settings={"beta1": 0.5}, schedule="cosine"),
    "own data": Spec.make(dataset="custom", data={"x": [[0.1], [2.5], [3.0]], "y": [1, 2, 3]}, hidden=[3]),
    "parameters": Spec.make(hidden=[], parameters=[{"W": [[1 / 3, -0.0]], "b": [5e-324]}], frozen=["biases"]),
    "digits": Spec.make(dataset="digits16", samples=100, hidden=[8], activation="relu"),
}


def run(spec: Spec) -> RunState:
    return advance(start(spec), 7).state


@pytest.mark.parametrize("name", SPECS)
def test_it_comes_back_to_the_last_bit(name: str) -> None:
    """At the start and after seven steps; and goes on as if nothing had happened."""
    for state in (start(SPECS[name]), run(SPECS[name])):
        again = unpack(pack(state))
        assert same(again, state)
        assert pack(again) == pack(state)
        assert same(advance(again, 5).state, advance(state, 5).state)
        assert not again.parameters.flags.writeable


def test_a_changed_optimizer_and_a_divergence_come_back() -> None:
    """Everything that a state holds is packed."""
    state = apply(run(SPECS["default"]), "optimizer", "adam")
    assert unpack(pack(state)).optimizer_since == 7
    diverged = replace(state, divergence=Divergence(7, 2, "z"))
    assert unpack(pack(diverged)).divergence == diverged.divergence


def test_against_a_base_only_what_changed_is_written() -> None:
    """Smaller, and the same state with the same base."""
    base = SPECS["own data"]
    state = apply(apply(run(base), "learning_rate", 0.5), "frozen", ["b1.1", "biases"])
    assert same(unpack(pack(state, base), base), state)
    assert same(unpack(pack(run(base), base), base), run(base))
    assert len(pack(state, base)) < len(pack(state)) - 300


def test_without_its_base_or_with_another_it_does_not_come_back() -> None:
    """Rather than as another state, or by an error that does not say why."""
    base = SPECS["own data"]
    packed = pack(run(base), base)
    with pytest.raises(CorruptState, match="packed with a base"):
        unpack(packed)
    with pytest.raises(CorruptState, match="packed with another base: 10 numbers"):
        unpack(packed, SPECS["digits"])


def test_every_flipped_bit_is_found() -> None:
    """Whichever byte, head, checksum, text or numbers: CorruptState, never a wrong state."""
    packed = pack(run(SPECS["default"]))
    for i in range(len(packed)):
        changed = bytearray(packed)
        changed[i] ^= 1 << (i % 8)
        with pytest.raises(CorruptState):
            unpack(bytes(changed))


@pytest.mark.parametrize("cut", [0, 1, 39, 40, 41, 500, -1])
def test_what_was_cut_off_is_found(cut: int) -> None:
    """And what was added."""
    packed = pack(run(SPECS["default"]))
    with pytest.raises(CorruptState):
        unpack(packed[:cut])
    with pytest.raises(CorruptState):
        unpack(packed + b"\0" * 8)


def test_numbers_are_read_where_they_lie() -> None:
    """Unpacking copies nothing: the parameters are a view of the bytes, in place for float64."""
    packed = pack(run(SPECS["digits"]))
    state = unpack(packed)
    assert np.shares_memory(state.parameters, np.frombuffer(packed, np.uint8))
    assert state.parameters.ctypes.data % 8 == np.frombuffer(packed, np.uint8).ctypes.data % 8


def test_it_is_small() -> None:
    """A few kB for a small network."""
    assert len(pack(run(SPECS["default"]))) < 2000
